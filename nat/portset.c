/* SPDX-License-Identifier: MIT */
/* A set of ports.
 *
 * THEORY OF OPERATION
 * Control thread only. Most peers see a few flows, some see all the ports
 * there are: up to LIST_MAX ports are a sorted list, two octets each, more
 * are a bit map of 8 KiB, which is then no larger. A set that has been
 * large stays a bit map.
 */
#include "nat/portset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MIN = 8, LIST_MAX = 4096, WORDS = 65536 / 64 };

void portset_fini(struct portset *s)
{
	free(s->list);
	free(s->bits);
	*s = (struct portset){ 0 };
}

static uint64_t bit(uint16_t port)
{
	return UINT64_C(1) << port % 64;
}

static int to_bits(struct portset *s)
{
	s->bits = calloc(WORDS, sizeof(*s->bits));
	if (!s->bits)
		return HG_ENOMEM;
	for (uint32_t i = 0; i < s->num; i++)
		s->bits[s->list[i] / 64] |= bit(s->list[i]);
	free(s->list);
	s->list = NULL;
	s->cap = 0;
	return HG_OK;
}

int portset_reserve(struct portset *s)
{
	uint32_t cap = s->cap ? s->cap * 2 : LIST_MIN;
	uint16_t *list;

	if (s->bits || s->num < s->cap)
		return HG_OK;
	if (cap > LIST_MAX)
		return to_bits(s);
	list = realloc(s->list, cap * sizeof(*list));
	if (!list)
		return HG_ENOMEM;
	s->list = list;
	s->cap = cap;
	return HG_OK;
}

/* Where in the list the port is or would be. */
static uint32_t place(const struct portset *s, uint16_t port)
{
	uint32_t low = 0;
	uint32_t high = s->num;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (s->list[mid] < port)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool portset_has(const struct portset *s, uint16_t port)
{
	uint32_t i;

	if (s->bits)
		return s->bits[port / 64] & bit(port);
	i = place(s, port);
	return i < s->num && s->list[i] == port;
}

void portset_add(struct portset *s, uint16_t port)
{
	uint32_t i;

	if (s->bits) {
		s->bits[port / 64] |= bit(port);
	} else {
		assert(s->num < s->cap);
		i = place(s, port);
		memmove(&s->list[i + 1], &s->list[i],
			(s->num - i) * sizeof(*s->list));
		s->list[i] = port;
	}
	s->num++;
}

void portset_del(struct portset *s, uint16_t port)
{
	uint32_t i;

	s->num--;
	if (s->bits) {
		s->bits[port / 64] &= ~bit(port);
		return;
	}
	i = place(s, port);
	memmove(&s->list[i], &s->list[i + 1], (s->num - i) * sizeof(*s->list));
}

/* The first absent port in from..to. */
static bool absent_bit(const struct portset *s, uint32_t from, uint32_t to,
		       uint16_t *out)
{
	uint32_t at = from;

	while (at <= to) {
		uint64_t free = ~s->bits[at / 64] >> at % 64;

		if (free) {
			at += (uint32_t)__builtin_ctzll(free);
			*out = (uint16_t)at;
			return at <= to;
		}
		at = (at / 64 + 1) * 64;
	}
	return false;
}

static bool absent_listed(const struct portset *s, uint32_t from, uint32_t to,
			  uint16_t *out)
{
	uint32_t i = place(s, (uint16_t)from);

	while (from <= to && i < s->num && s->list[i] == from) {
		from++;
		i++;
	}
	*out = (uint16_t)from;
	return from <= to;
}

bool portset_absent(const struct portset *s, uint16_t first, uint16_t start,
		    uint16_t *out)
{
	if (s->bits)
		return absent_bit(s, start, 65535, out) ||
		       absent_bit(s, first, start, out);
	return absent_listed(s, start, 65535, out) ||
	       absent_listed(s, first, start, out);
}
