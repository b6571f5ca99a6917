/* SPDX-License-Identifier: MIT */
/* Cursors over wire data with a sticky error; theory in wire.h. */
#include "core/wire.h"

#include <string.h>

struct rd rd_init(const void *buf, size_t len)
{
	struct rd r = { .p = buf };

	r.end = len ? r.p + len : r.p;
	return r;
}

size_t rd_left(const struct rd *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

const uint8_t *rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (n > rd_left(r)) {
		r->bad = true;
		return NULL;
	}
	if (n)
		r->p += n;
	return p;
}

uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_take(r, 1);

	return !r->bad ? *p : 0;
}

uint16_t rd_be16(struct rd *r)
{
	const uint8_t *p = rd_take(r, 2);

	return !r->bad ? get_be16(p) : 0;
}

uint32_t rd_be32(struct rd *r)
{
	const uint8_t *p = rd_take(r, 4);

	return !r->bad ? get_be32(p) : 0;
}

uint64_t rd_be64(struct rd *r)
{
	const uint8_t *p = rd_take(r, 8);

	return !r->bad ? get_be64(p) : 0;
}

void rd_copy(struct rd *r, void *out, size_t n)
{
	const uint8_t *p = rd_take(r, n);

	if (r->bad)
		memset(out, 0, n);
	else if (n)
		memcpy(out, p, n);
}

void rd_skip(struct rd *r, size_t n)
{
	(void)rd_take(r, n);
}

struct wr wr_init(void *buf, size_t cap)
{
	struct wr w = { .start = buf, .p = buf };

	w.end = cap ? w.p + cap : w.p;
	return w;
}

size_t wr_len(const struct wr *w)
{
	return (size_t)(w->p - w->start);
}

size_t wr_left(const struct wr *w)
{
	return w->bad ? 0 : (size_t)(w->end - w->p);
}

/* n octets to fill, not zeroed; NULL and bad when they do not fit. */
static uint8_t *wr_claim(struct wr *w, size_t n)
{
	uint8_t *p = w->p;

	if (w->bad || n > wr_left(w)) {
		w->bad = true;
		return NULL;
	}
	if (n)
		w->p += n;
	return p;
}

uint8_t *wr_reserve(struct wr *w, size_t n)
{
	uint8_t *p = wr_claim(w, n);

	if (p && n)
		memset(p, 0, n);
	return p;
}

void wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p = wr_claim(w, 1);

	if (p)
		*p = v;
}

void wr_be16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_claim(w, 2);

	if (p)
		put_be16(p, v);
}

void wr_be32(struct wr *w, uint32_t v)
{
	uint8_t *p = wr_claim(w, 4);

	if (p)
		put_be32(p, v);
}

void wr_be64(struct wr *w, uint64_t v)
{
	uint8_t *p = wr_claim(w, 8);

	if (p)
		put_be64(p, v);
}

void wr_put(struct wr *w, const void *data, size_t n)
{
	uint8_t *p = wr_claim(w, n);

	if (p && n)
		memcpy(p, data, n);
}

void wr_zero(struct wr *w, size_t n)
{
	(void)wr_reserve(w, n);
}
