/* SPDX-License-Identifier: MIT */
/* How far an SA is used up, and when it is replaced (RFC 7402 3.3.7). */
/* THEORY OF OPERATION
 * Each SA draws its limits of time, octets and packets when it begins: the
 * configured ones less up to a tenth, so that the two ends seldom rekey at
 * once. An SA under which nothing has passed need not be replaced, however
 * old it is. A rekey that failed is tried again after a while. State: the
 * association's struct assoc_wear. Owner: the engine's thread.
 */
#include "hip/wear.h"

#include <sodium.h>

#include "hip/rekey.h"

#define DEFAULT_S 3600
#define DEFAULT_BYTES (UINT64_C(64) << 30)
#define DEFAULT_PACKETS (UINT64_C(1) << 32)
#define TRY_AGAIN (60 * ENGINE_S)

void wear_rest(struct assoc *a, uint64_t now)
{
	a->wear.due = now + TRY_AGAIN;
}

/* A random value in the last tenth below max. */
static uint64_t below(uint64_t max)
{
	uint64_t random;

	randombytes_buf(&random, sizeof(random));
	return max - random % (max / 10 + 1);
}

void wear_begin(struct hip *h, struct assoc *a, uint64_t now)
{
	const struct hip_rekey *c = &h->cfg.rekey;

	a->wear.keyed = now;
	/* A Responder's first SA is replaced though unused: its DH value is
	 * shared by all of one R1, and must not outlive them for long. */
	a->wear.used = !a->initiator && a->rekeys == 0;
	a->wear.due =
		now + below((uint64_t)(c->after_s ? c->after_s : DEFAULT_S) *
			    ENGINE_S);
	a->wear.bytes = below(c->after_bytes ? c->after_bytes : DEFAULT_BYTES);
	a->wear.packets =
		below(c->after_packets ? c->after_packets : DEFAULT_PACKETS);
}

void wear_out(struct hip *h, struct assoc *a, uint64_t now)
{
	if (h->leaving)
		a->wear.due = ENGINE_NEVER; /* the timer must not stay due */
	if (a->state != HIP_ESTABLISHED || a->rekey || h->leaving)
		return;
	if (rekey_start(h, a, !h->cfg.rekey.reuse, now))
		wear_rest(a, now);
}

void wear_used(struct hip *h, struct assoc *a, uint64_t packets, uint64_t bytes,
	       uint64_t now)
{
	a->wear.used = a->wear.used || packets > 0;
	if (packets >= a->wear.packets || bytes >= a->wear.bytes)
		wear_out(h, a, now);
}
