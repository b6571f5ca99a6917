/* SPDX-License-Identifier: MIT */
/* No R1 is more than five times what asked for it (RFC 7401 6.7, 8). */
/* THEORY OF OPERATION
 * The source of an I1 can be forged, and an R1 is the larger of the two: we
 * would be an amplifier. So what leaves for a prefix is never more than
 * five times what came from it, counted on the wire. An I1 that is long
 * enough for its R1 (ours are padded, see initiator.c) pays at once and is
 * not remembered. A shorter one earns its prefix five times its octets, and
 * the R1 leaves with the I1 that makes the credit suffice: an Initiator of
 * another make waits for its first repetition.
 *
 * The table has a fixed size and is addressed by a keyed hash; nothing is
 * allocated. In a full set the mark that was quiet for longest gives way,
 * which only costs credit. Credit is capped at what one answer can need, so
 * none can be saved up, and is void after 16 quiet seconds. Owner: the
 * engine's thread.
 */
#include "hip/i1credit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/hip.h"
#include "hip/srcrate.h"

#define IP4_HEADER 20
#define IP6_HEADER 40
#define UDP_HEADER 8
#define ZEROS 4
#define CREDIT_MAX (HIP_MSG_MAX + IP6_HEADER + UDP_HEADER + ZEROS)

int i1credit_init(struct i1credit *c)
{
	randombytes_buf(c->key, sizeof(c->key));
	c->mark = calloc((size_t)I1CREDIT_SETS * I1CREDIT_WAYS,
			 sizeof(c->mark[0]));
	return c->mark ? HG_OK : HG_ENOMEM;
}

void i1credit_fini(struct i1credit *c)
{
	free(c->mark);
	c->mark = NULL;
}

size_t i1credit_wire(const struct addr *a, size_t len)
{
	return (addr_is4(a) ? IP4_HEADER : IP6_HEADER) + UDP_HEADER + ZEROS +
	       len;
}

/* The mark of this prefix: its own, else the one to be given up for it. */
static struct i1credit_mark *mark_of(struct i1credit *c,
				     const struct addr *prefix)
{
	uint8_t h[crypto_shorthash_BYTES];
	struct i1credit_mark *set;
	struct i1credit_mark *m;
	uint64_t place;

	crypto_shorthash(h, prefix->b, sizeof(prefix->b), c->key);
	memcpy(&place, h, sizeof(place));
	set = &c->mark[place % I1CREDIT_SETS * I1CREDIT_WAYS];
	m = set;
	for (size_t i = 0; i < I1CREDIT_WAYS; i++) {
		if (addr_eq(&set[i].prefix, prefix))
			return &set[i];
		if (set[i].at < m->at)
			m = &set[i];
	}
	return m;
}

bool i1credit_pays(struct i1credit *c, const struct addr *to, size_t in,
		   size_t out, uint64_t now)
{
	size_t earned = I1CREDIT_FACTOR * in;
	struct addr prefix = srcrate_prefix(to);
	struct i1credit_mark *m;

	if (out <= earned)
		return true;
	m = mark_of(c, &prefix);
	if (!addr_eq(&m->prefix, &prefix) ||
	    (now > m->at && now - m->at >= I1CREDIT_LAPSE_NS))
		*m = (struct i1credit_mark){ .prefix = prefix };
	if (now > m->at)
		m->at = now;
	earned += m->octets;
	if (out <= earned) {
		m->octets = (uint32_t)(earned - out);
		return true;
	}
	m->octets = (uint32_t)(earned < CREDIT_MAX ? earned : CREDIT_MAX);
	return false;
}
