/* SPDX-License-Identifier: MIT */
/* How often a source may cause something: buckets per prefix (7401 6.7). */
/* THEORY OF OPERATION
 * Whatever a stranger can make us do has a budget: an R1 ("An R1 packet
 * sender MUST have a mechanism to rate-limit R1 packets sent to an
 * address", 7401 6.7), the crypto of an I2, a NOTIFY. The table has a fixed
 * size and is addressed by a keyed hash: a flood of forged sources costs no
 * memory. Sources that fall into one bucket share it; over all of them a
 * global bucket caps what all strangers together get. Owner: the engine's
 * thread.
 */
#include "hip/srcrate.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ONE 1024u /* a token */
#define SECOND UINT64_C(1000000000)

int srcrate_init(struct srcrate *r, const struct srcrate_limits *limits,
		 uint64_t now)
{
	assert(limits->per_s <= SRCRATE_MAX && limits->burst <= SRCRATE_MAX &&
	       limits->all_per_s <= SRCRATE_MAX &&
	       limits->all_burst <= SRCRATE_MAX);
	r->limits = *limits;
	randombytes_buf(r->key, sizeof(r->key));
	r->bucket = calloc(SRCRATE_SLOTS, sizeof(r->bucket[0]));
	if (!r->bucket)
		return HG_ENOMEM;
	for (size_t i = 0; i < SRCRATE_SLOTS; i++)
		r->bucket[i] =
			(struct srcrate_bucket){ limits->burst * ONE, now };
	r->all = (struct srcrate_bucket){ limits->all_burst * ONE, now };
	return HG_OK;
}

void srcrate_fini(struct srcrate *r)
{
	free(r->bucket);
	r->bucket = NULL;
}

static bool take(struct srcrate_bucket *b, uint32_t per_s, uint32_t burst,
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

struct addr srcrate_prefix(const struct addr *source)
{
	struct addr prefix = { .b = { 0 } };

	memcpy(prefix.b, source->b, addr_is4(source) ? 16 : 7);
	return prefix;
}

bool srcrate_allow(struct srcrate *r, const struct addr *source, uint64_t now)
{
	const struct srcrate_limits *l = &r->limits;
	struct addr prefix = srcrate_prefix(source);
	uint8_t h[crypto_shorthash_BYTES];
	uint64_t place;

	crypto_shorthash(h, prefix.b, sizeof(prefix.b), r->key);
	memcpy(&place, h, sizeof(place));
	return take(&r->bucket[place % SRCRATE_SLOTS], l->per_s, l->burst,
		    now) &&
	       take(&r->all, l->all_per_s, l->all_burst, now);
}
