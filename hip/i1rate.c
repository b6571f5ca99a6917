/* SPDX-License-Identifier: MIT */
/* How many I1 a source may send: token buckets per prefix (RFC 7401 6.7). */
/* THEORY OF OPERATION
 * An R1 is about five times as large as the I1 that asks for it, and the
 * source of an I1 can be forged: "An R1 packet sender MUST have a
 * mechanism to rate-limit R1 packets sent to an address" (7401 6.7). The
 * table has a fixed size and is addressed by a keyed hash: a flood of
 * forged sources costs no memory. Sources that fall into one bucket share
 * it; over all of them a global bucket caps what we reflect altogether.
 * Owner: the engine's thread.
 */
#include "hip/i1rate.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

#define ONE 1024u /* a token */
#define SOURCES 100u
#define SECOND UINT64_C(1000000000)

int i1rate_init(struct i1rate *r, uint32_t per_s, uint32_t burst, uint64_t now)
{
	r->per_s = per_s;
	r->burst = burst;
	randombytes_buf(r->key, sizeof(r->key));
	r->bucket = calloc(I1RATE_SLOTS, sizeof(r->bucket[0]));
	if (!r->bucket)
		return HG_ENOMEM;
	for (size_t i = 0; i < I1RATE_SLOTS; i++)
		r->bucket[i] = (struct i1rate_bucket){ burst * ONE, now };
	r->all = (struct i1rate_bucket){ burst * SOURCES * ONE, now };
	return HG_OK;
}

void i1rate_fini(struct i1rate *r)
{
	free(r->bucket);
	r->bucket = NULL;
}

static bool take(struct i1rate_bucket *b, uint32_t per_s, uint32_t burst,
		 uint64_t now)
{
	uint64_t full = (uint64_t)burst * ONE;
	uint64_t rate = (uint64_t)per_s * ONE;
	uint64_t gone = now > b->at ? now - b->at : 0;
	uint64_t more;

	if (gone > SECOND * 100)
		gone = SECOND * 100; /* long full by then */
	more = gone * rate / SECOND;
	if (b->tokens + more >= full) {
		b->tokens = (uint32_t)full;
		b->at = now > b->at ? now : b->at;
	} else {
		/* Only the time that made whole parts is used up. */
		b->tokens += (uint32_t)more;
		b->at += more * SECOND / rate;
	}
	if (b->tokens < ONE)
		return false;
	b->tokens -= ONE;
	return true;
}

bool i1rate_allow(struct i1rate *r, const struct addr *source, uint64_t now)
{
	uint8_t prefix[16] = { 0 };
	uint8_t h[crypto_shorthash_BYTES];
	struct i1rate_bucket *b;
	uint64_t place;

	memcpy(prefix, source->b, addr_is4(source) ? 16 : 7);
	crypto_shorthash(h, prefix, sizeof(prefix), r->key);
	memcpy(&place, h, sizeof(place));
	b = &r->bucket[place % I1RATE_SLOTS];
	return take(b, r->per_s, r->burst, now) &&
	       take(&r->all, r->per_s * SOURCES, r->burst * SOURCES, now);
}
