/* SPDX-License-Identifier: MIT */
/* What somebody on the path sends who has no key of any host. */
#include "test/sim/simattack.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/auth.h"
#include "hip/identity.h"
#include "hip/message.h"
#include "test/sim/simkeys.h"

/* Of what was heard; NULL: nothing yet. */
static const struct sim_event *heard(struct sim *s)
{
	unsigned n = s->taped < SIM_TAPE ? s->taped : SIM_TAPE;

	return n ? &s->tape[simnet_random(s, n)] : NULL;
}

/* Each of these changes msg, at most HIP_MSG_MAX octets. */

static void again(struct sim *s, uint8_t *msg, size_t *len)
{
	(void)s;
	(void)msg;
	(void)len;
}

static void flip(struct sim *s, uint8_t *msg, size_t *len)
{
	msg[simnet_random(s, *len)] ^= (uint8_t)(1u << simnet_random(s, 8));
}

static void cut(struct sim *s, uint8_t *msg, size_t *len)
{
	*len = simnet_random(s, *len) + 1;
	if (*len < 40 || simnet_random(s, 2))
		return;
	/* So that the header is right. */
	*len = *len / 8 * 8;
	msg[1] = (uint8_t)(*len / 8 - 1);
}

/* All that stands before the proofs; swap: with his HOST_ID in place. */
static void remake(struct msg_builder *b, const struct hip_msg *m, bool swap)
{
	size_t n;
	const uint8_t *host_id = identity_host_id(simkeys_stranger(), &n);

	message_begin(b, m->type, &m->sender, &m->receiver);
	for (unsigned id = 0; id < PARAM_HIP_MAC; id++) {
		const struct hip_param *p = param_find(m, (enum param)id);

		if (p && swap && id == PARAM_HOST_ID) {
			message_put(b, PARAM_HOST_ID, host_id, n);
			continue;
		}
		for (; p; p = param_next(m, p))
			message_put(b, p->id, p->contents, p->len);
	}
}

/* Proofs by his own key, a MAC by no key. */
static int prove(struct msg_builder *b, const struct hip_msg *m)
{
	const struct hip_identity *id = simkeys_stranger();
	const struct suite *rhash = suite_of_hit(&m->receiver);
	uint8_t key[SUITE_HASH_MAX];
	struct suite_buf host_id;
	int err;

	if (m->type == HIP_R1)
		return auth_put_signature_2(b, id);
	if (!rhash)
		return HG_EUNSUPP;
	host_id.p = identity_host_id(id, &host_id.len);
	randombytes_buf(key, sizeof(key));
	err = m->type == HIP_R2 ? auth_put_mac_2(b, rhash, key, &host_id)
				: auth_put_mac(b, rhash, key);
	return err ? err : auth_put_signature(b, id);
}

static void forge(struct sim *s, uint8_t *msg, size_t *len)
{
	struct msg_builder b;
	struct hip_msg m;

	if (param_parse(msg, *len, &m) != REASON_NUM)
		return;
	remake(&b, &m, simnet_random(s, 2));
	if (prove(&b, &m) || message_finish(&b))
		return;
	memcpy(msg, b.buf, b.len);
	*len = b.len;
}

/* His own proofs under what a host has said, one octet changed. */
static void forge_changed(struct sim *s, uint8_t *msg, size_t *len)
{
	if (*len > 48)
		msg[44 + simnet_random(s, *len - 44)] ^=
			(uint8_t)(1u << simnet_random(s, 8));
	forge(s, msg, len);
}

/* The header, or the whole beginning, of one and the end of another. */
static void splice(struct sim *s, uint8_t *msg, size_t *len)
{
	const struct sim_event *other = heard(s);
	size_t at = simnet_random(s, 2) ? 40 : simnet_random(s, *len) / 8 * 8;

	if (other->len <= at || *len < at || at < 8)
		return;
	memcpy(msg + at, other->msg + at, other->len - at);
	*len = other->len;
	msg[1] = (uint8_t)(*len / 8 - 1);
}

/* To look as if it came from the other side. */
static void mirror(struct sim *s, uint8_t *msg, size_t *len)
{
	uint8_t hit[16];

	(void)s;
	if (*len < 40)
		return;
	memcpy(hit, msg + 8, 16);
	memcpy(msg + 8, msg + 24, 16);
	memcpy(msg + 24, hit, 16);
}

/* Another type over it. */
static void retype(struct sim *s, uint8_t *msg, size_t *len)
{
	static const uint8_t type[] = { HIP_I1,	   HIP_R1,	 HIP_I2,
					HIP_R2,	   HIP_UPDATE,	 HIP_NOTIFY,
					HIP_CLOSE, HIP_CLOSE_ACK };

	(void)len;
	msg[2] = type[simnet_random(s, sizeof(type))];
}

void simattack(struct sim *s)
{
	static void (*const way[])(struct sim *, uint8_t *, size_t *) = {
		again, again,	      flip,   flip,   cut,    forge,
		forge, forge_changed, splice, mirror, retype,
	};
	const struct sim_event *t = heard(s);
	struct sim_event e;

	if (!t)
		return;
	e = *t;
	e.msg = calloc(1, HIP_MSG_MAX);
	if (!e.msg)
		abort();
	memcpy(e.msg, t->msg, t->len);
	way[simnet_random(s, sizeof(way) / sizeof(way[0]))](s, e.msg, &e.len);
	if (simnet_random(s, 4) == 0)
		e.src.addr.b[15] ^= 0x80; /* from anywhere */
	if (simnet_random(s, 8) == 0)
		e.host = (unsigned)simnet_random(s, s->hosts);
	e.dst = s->host[e.host].at;
	e.at = s->now + simnet_random(s, SIM_S);
	s->count.attacks++;
	simnet_put(s, &e);
}
