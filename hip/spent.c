/* SPDX-License-Identifier: MIT */
/* Puzzle solutions that have been accepted once: no second time. */
/* THEORY OF OPERATION
 * The responder keeps no state before an I2, so a recorded I2 stays valid
 * as long as its R1 generation is accepted. While the association lives
 * it is known there as a duplicate; this table remembers it beyond the
 * association's end, so that a replay cannot bring a closed association
 * back. Each costs its sender a puzzle, and only accepted (authenticated)
 * I2 get here.
 *
 * Fixed size: 65536 solutions of the last 64 s. Where more come, the oldest
 * of a set is forgotten, and `floor` says so: whatever lapses no later than
 * it did is too old for us, known or not. So no replay gets through; under
 * such a load a puzzle just has to be answered sooner.
 *
 * A second table of this kind counts the jobs each #I has cost us, a third
 * knows the I1s that were answered a moment ago (responder.c), a fourth who
 * has just written to which client of a relay (relay.c); there, forgetting
 * is harmless. Owner: the engine's thread.
 */
#include "hip/spent.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

int spent_init(struct spent *s)
{
	randombytes_buf(s->key, sizeof(s->key));
	s->floor = 0;
	s->mark = calloc((size_t)SPENT_SETS * SPENT_WAYS, sizeof(s->mark[0]));
	return s->mark ? HG_OK : HG_ENOMEM;
}

void spent_fini(struct spent *s)
{
	free(s->mark);
	s->mark = NULL;
}

uint64_t spent_print(const struct spent *s, const void *data, size_t len)
{
	uint8_t h[crypto_shorthash_BYTES];
	uint64_t print;

	crypto_shorthash(h, data, len, s->key);
	memcpy(&print, h, sizeof(print));
	return print ? print : 1;
}

static struct spent_mark *set_of(const struct spent *s, uint64_t print)
{
	return &s->mark[print % SPENT_SETS * SPENT_WAYS];
}

bool spent_has(const struct spent *s, uint64_t print, uint64_t now)
{
	const struct spent_mark *m = set_of(s, print);

	for (int i = 0; i < SPENT_WAYS; i++) {
		if (m[i].print == print && m[i].until > now)
			return true;
	}
	return false;
}

void spent_add(struct spent *s, uint64_t print, uint64_t until, uint64_t now)
{
	struct spent_mark *m = set_of(s, print);
	struct spent_mark *old = m;

	for (int i = 0; i < SPENT_WAYS; i++) {
		if (m[i].print == print || m[i].until <= now) {
			old = &m[i];
			break;
		}
		if (m[i].until < old->until)
			old = &m[i];
	}
	if (old->print != print && old->until > now && old->until > s->floor)
		s->floor = old->until;
	old->print = print;
	old->until = until;
}

bool spent_too_old(const struct spent *s, uint64_t until)
{
	return until <= s->floor;
}
