/* SPDX-License-Identifier: MIT */
/* Cursors over wire data with a sticky error.
 *
 * THEORY OF OPERATION
 * A reader or writer walks a borrowed buffer. The first access out of
 * bounds sets `bad`; every later access is then harmless (reads give 0 or
 * NULL, writes do nothing). A parser therefore checks `bad` once, at its
 * end, and uses no value before that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
	const uint8_t *p;   /* next octet */
	const uint8_t *end; /* one past the last */
	bool bad;
};

struct wr {
	uint8_t *start;
	uint8_t *p;   /* next octet to write */
	uint8_t *end; /* one past the last that may be written */
	bool bad;
};

static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) |
	       ((uint32_t)p[2] << 8) | p[3];
}

static inline uint64_t get_be64(const uint8_t *p)
{
	return ((uint64_t)get_be32(p) << 32) | get_be32(p + 4);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, (uint16_t)(v >> 16));
	put_be16(p + 2, (uint16_t)v);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

struct rd rd_init(const void *buf, size_t len);
size_t rd_left(const struct rd *r);
uint8_t rd_u8(struct rd *r);
uint16_t rd_be16(struct rd *r);
uint32_t rd_be32(struct rd *r);
uint64_t rd_be64(struct rd *r);
/* n octets as a borrowed pointer, or NULL (and bad) when fewer are left. */
const uint8_t *rd_take(struct rd *r, size_t n);
/* Copies n octets; zeros when bad. */
void rd_copy(struct rd *r, void *out, size_t n);
void rd_skip(struct rd *r, size_t n);

struct wr wr_init(void *buf, size_t cap);
size_t wr_len(const struct wr *w);
size_t wr_left(const struct wr *w);
void wr_u8(struct wr *w, uint8_t v);
void wr_be16(struct wr *w, uint16_t v);
void wr_be32(struct wr *w, uint32_t v);
void wr_be64(struct wr *w, uint64_t v);
void wr_put(struct wr *w, const void *data, size_t n);
void wr_zero(struct wr *w, size_t n);
/* Reserves n octets and returns them (zeroed), or NULL when bad. */
uint8_t *wr_reserve(struct wr *w, size_t n);
