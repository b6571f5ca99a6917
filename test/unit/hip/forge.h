/* SPDX-License-Identifier: MIT */
/* True packets with one thing changed and then authenticated again, as only
 * their true sender could: so that the check behind MAC and signature is the
 * one that is met.
 *
 * THEORY OF OPERATION
 * A scene is a pair of hosts stopped right before a packet of its kind
 * arrives. Host 0 is the Initiator and registers with host 1, so that the
 * registration parameters are in the packets too. forge() takes that packet
 * apart and puts it together with an edit; what MAC and signature cover is
 * covered again with the sender's keys, unless they are what is edited. A
 * snap is all that a refused packet must leave as it was.
 */
#pragma once

#include "core/wire.h"
#include "hip/assoc.h"
#include "hip/auth.h"
#include "hip/engine.h"
#include "test/unit/hip/snap.h"

enum scene_kind {
	SCENE_R1,
	SCENE_I2,
	SCENE_R2,
	SCENE_UPDATE,	  /* with SEQ, of host 0 */
	SCENE_UPDATE_ACK, /* its answer */
	SCENE_CLOSE,
	SCENE_CLOSE_ACK,
	SCENE_NUM
};

struct scene {
	enum scene_kind kind;
	uint8_t type;
	size_t from;
	size_t to;
	struct lab *lab;
	struct lab_packet p; /* the true packet */
};

enum forge_how {
	FORGE_NOTHING,
	FORGE_GONE,
	FORGE_TWICE,
	FORGE_LESS,   /* the last octet cut off */
	FORGE_MORE,   /* a zero octet behind the last */
	FORGE_FLIP,   /* contents[at] ^= value */
	FORGE_FILL,   /* contents from at on become value */
	FORGE_HEADER, /* header[at] ^= value, before MAC and signature */
	FORGE_INSERT, /* a parameter of type `at` and `value` zero octets */
	FORGE_DIRTY,  /* padding octets become value */
	FORGE_HOW_NUM
};

struct forge {
	enum forge_how how;
	enum param id; /* whose contents; PARAM_NUM: nobody's */
	size_t at;
	uint8_t value;
	bool other_key;	   /* MAC with the key of the other direction */
	bool other_signer; /* signed by the receiver */
};

static inline bool scene_catch(struct lab *lab, struct lab_packet *p)
{
	struct scene *s = lab->hook_arg;

	if (p->msg[2] != s->type || p->from != s->from || s->p.len)
		return true;
	s->p = *p;
	return false;
}

static inline struct assoc *scene_assoc(const struct scene *s, size_t host)
{
	return assoc_find(&s->lab->host[host].h->assocs,
			  &s->lab->host[host].hit, &s->lab->host[!host].hit);
}

/* Two hosts, the second one a rendezvous server. */
static inline struct lab *scene_lab(bool greater)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 1000 * LAB_S;
	for (size_t turn = 0; turn < 2; turn++) {
		cfg.rendezvous = false;
		lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, turn);
		cfg.rendezvous = true;
		lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P256, !turn);
		if ((hit_cmp(&lab->host[0].hit, &lab->host[1].hit) > 0) ==
		    greater)
			return lab;
	}
	ck_abort();
}

/* What makes the packet come, once the association is there. */
static inline void scene_provoke(struct scene *s)
{
	struct lab *lab = s->lab;

	if (s->kind == SCENE_UPDATE || s->kind == SCENE_UPDATE_ACK) {
		/* The registration is refreshed. */
		for (int i = 0; i < 600 && !s->p.len; i++)
			lab_sleep(lab, LAB_S);
	} else if (s->kind >= SCENE_CLOSE) {
		hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
		lab_drain(lab);
	}
}

/* greater: host 0 has the greater HIT. */
static inline struct scene scene_new(enum scene_kind kind, bool greater)
{
	static const struct scene kinds[SCENE_NUM] = {
		[SCENE_R1] = { SCENE_R1, HIP_R1, 1, 0, NULL, { 0 } },
		[SCENE_I2] = { SCENE_I2, HIP_I2, 0, 1, NULL, { 0 } },
		[SCENE_R2] = { SCENE_R2, HIP_R2, 1, 0, NULL, { 0 } },
		[SCENE_UPDATE] = { SCENE_UPDATE,
				   HIP_UPDATE,
				   0,
				   1,
				   NULL,
				   { 0 } },
		[SCENE_UPDATE_ACK] = { SCENE_UPDATE_ACK,
				       HIP_UPDATE,
				       1,
				       0,
				       NULL,
				       { 0 } },
		[SCENE_CLOSE] = { SCENE_CLOSE, HIP_CLOSE, 0, 1, NULL, { 0 } },
		[SCENE_CLOSE_ACK] = { SCENE_CLOSE_ACK,
				      HIP_CLOSE_ACK,
				      1,
				      0,
				      NULL,
				      { 0 } },
	};
	struct scene s = kinds[kind];

	s.lab = scene_lab(greater);
	s.lab->hook = scene_catch;
	s.lab->hook_arg = &s;
	ck_assert_int_eq(hip_register(s.lab->host[0].h, NULL,
				      &s.lab->host[1].hit, &s.lab->host[1].at,
				      600, s.lab->now),
			 HG_OK);
	lab_drain(s.lab);
	if (!s.p.len)
		scene_provoke(&s);
	ck_assert_msg(s.p.len, "no %s", hip_type_name(s.type));
	s.lab->hook = NULL;
	s.lab->hook_arg = NULL;
	return s;
}

static inline void scene_free(struct scene *s)
{
	lab_free(s->lab);
}

/* ---- forging ----------------------------------------------------------- */

static inline void forge_raw(struct msg_builder *b, uint16_t type, size_t len)
{
	ck_assert_uint_le(b->len + param_tlv_len(len), sizeof(b->buf));
	memset(b->buf + b->len, 0, param_tlv_len(len));
	put_be16(b->buf + b->len, type);
	put_be16(b->buf + b->len + 2, (uint16_t)len);
	b->len += param_tlv_len(len);
	b->buf[1] = (uint8_t)(b->len / 8 - 1);
}

/* One parameter of the packet, as edited. */
static inline void forge_param(struct msg_builder *b, const struct forge *f,
			       const struct hip_param *p)
{
	bool mine = p->id == f->id;
	uint8_t c[HIP_MSG_MAX] = { 0 };
	size_t len = p->len;

	memcpy(c, p->contents, len);
	if (mine && f->how == FORGE_GONE)
		return;
	if (mine && f->how == FORGE_LESS)
		len--;
	if (mine && f->how == FORGE_MORE)
		len++;
	if (mine && f->how == FORGE_FLIP)
		c[f->at] ^= f->value;
	if (mine && f->how == FORGE_FILL)
		memset(c + f->at, f->value, len - f->at);
	message_put(b, p->id, c, len);
	if (mine && f->how == FORGE_TWICE)
		message_put(b, p->id, c, len);
	if (f->how == FORGE_DIRTY) {
		size_t end = b->len;
		size_t pad = param_tlv_len(len) - PARAM_TLV_LEN - len;

		memset(b->buf + end - pad, f->value, pad);
	}
}

/* MAC or signature over what is there; false: it is no such parameter. */
static inline bool forge_auth(const struct scene *s, const struct forge *f,
			      struct msg_builder *b, enum param id)
{
	struct hip *h = s->lab->host[s->from].h;
	const struct hip_identity *me =
		f->other_signer ? s->lab->host[s->to].h->id[0] : h->id[0];
	const struct assoc *a = scene_assoc(s, s->from);
	const struct assoc_keys *k = a ? a->keys : NULL;
	struct suite_buf host_id;
	int err;

	if (id == f->id && f->how != FORGE_NOTHING)
		return false;
	host_id.p = identity_host_id(h->id[0], &host_id.len);
	if (id == PARAM_HIP_MAC)
		err = auth_put_mac(b, k->rhash,
				   f->other_key ? k->hip.mac_in
						: k->hip.mac_out);
	else if (id == PARAM_HIP_MAC_2)
		err = auth_put_mac_2(b, k->rhash,
				     f->other_key ? k->hip.mac_in
						  : k->hip.mac_out,
				     &host_id);
	else if (id == PARAM_HIP_SIGNATURE)
		err = auth_put_signature(b, me);
	else if (id == PARAM_HIP_SIGNATURE_2)
		err = auth_put_signature_2(b, me);
	else
		return false;
	/* Without PUZZLE there is nothing to sign R1 with: as it was. */
	return err == HG_OK;
}

static inline struct lab_packet forge(const struct scene *s,
				      const struct forge *f)
{
	struct lab_packet out = s->p;
	struct msg_builder b;
	struct hip_msg m;
	bool inserted = f->how != FORGE_INSERT;

	ck_assert_int_eq(param_parse(s->p.msg, s->p.len, &m), REASON_NUM);
	message_begin(&b, m.type, &m.sender, &m.receiver);
	if (f->how == FORGE_HEADER)
		b.buf[f->at] ^= f->value;
	for (size_t i = 0; i < m.num; i++) {
		const struct hip_param *p = &m.params[i];

		if (!inserted && param_type(p->id) > f->at) {
			forge_raw(&b, (uint16_t)f->at, f->value);
			inserted = true;
		}
		if (!forge_auth(s, f, &b, p->id))
			forge_param(&b, f, p);
	}
	if (!inserted)
		forge_raw(&b, (uint16_t)f->at, f->value);
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(out.msg, b.buf, b.len);
	out.len = b.len;
	return out;
}

/* ---- what must stay as it was ------------------------------------------- */

/* The same for a packet that a job has looked at: its place in the heap
 * apart, and what an association would say of itself; a verified R1 may say
 * that our HIT suite will not do. */
static inline const char *scene_differs(struct snap *is, struct snap *was)
{
	struct snap *both[] = { is, was };

	for (size_t i = 0; i < 2 * SNAP_MAX; i++) {
		struct assoc *a = &both[i % 2]->assoc[i / 2];

		memset(&a->due, 0, sizeof(a->due));
		memset(&a->why, 0, sizeof(a->why));
		a->other_suites = 0;
	}
	if (is->deadline != was->deadline)
		return "the next timer";
	return snap_differs(is, was, true);
}

/* Budgets have tests of their own (test_flood.c, test_responder.c): here
 * each packet is the first of its puzzle and of its source. */
static inline void scene_budgets(const struct scene *s)
{
	struct hip *h = s->lab->host[s->to].h;
	struct srcrate_limits limits = h->budget.i2.limits;

	memset(h->budget.tried.mark, 0,
	       sizeof(struct spent_mark) * SPENT_SETS * SPENT_WAYS);
	srcrate_fini(&h->budget.i2);
	ck_assert_int_eq(srcrate_init(&h->budget.i2, &limits, s->lab->now), 0);
}

/* The packet is dropped, for this reason, once, and that is all. */
static inline void scene_refuses(const struct scene *s,
				 const struct lab_packet *p, enum reason want,
				 const char *what)
{
	uint64_t drops[REASON_NUM];
	const char *changed;
	struct snap before;
	struct snap after;

	scene_budgets(s);
	for (int r = 0; r < REASON_NUM; r++)
		drops[r] = lab_drops(s->lab, s->to, (enum reason)r);
	snap_take(s->lab, s->to, &before);
	lab_input(s->lab, s->to, p);
	snap_take(s->lab, s->to, &after);
	for (int r = 0; r < REASON_NUM; r++) {
		uint64_t n =
			lab_drops(s->lab, s->to, (enum reason)r) - drops[r];

		ck_assert_msg(n == (r == (int)want), "%s, %s: %s %u times, %s",
			      hip_type_name(s->type), what,
			      reason_name((enum reason)r), (unsigned)n,
			      reason_name(want));
	}
	changed = scene_differs(&after, &before);
	if (after.count[HIP_SEEN] != before.count[HIP_SEEN])
		changed = "what was seen";
	ck_assert_msg(!changed, "%s, %s: not as it was: %s",
		      hip_type_name(s->type), what, changed);
}

/* Has the packet of this scene done what it is for? */
static inline bool scene_done(const struct scene *s)
{
	enum hip_state st = lab_state(s->lab, s->to, s->from);

	switch (s->kind) {
	case SCENE_R1:
		return st == HIP_I2_SENT;
	case SCENE_I2:
		return st == HIP_R2_SENT;
	case SCENE_R2:
		return st == HIP_ESTABLISHED;
	case SCENE_UPDATE:
		return scene_assoc(s, s->to)->up.ack.p != NULL;
	case SCENE_UPDATE_ACK:
		return !scene_assoc(s, s->to)->up.outstanding;
	case SCENE_CLOSE:
		return st == HIP_CLOSED;
	case SCENE_CLOSE_ACK:
		return st == HIP_UNASSOCIATED;
	case SCENE_NUM:
		break;
	}
	return false;
}

static inline void scene_accepts(const struct scene *s,
				 const struct lab_packet *p, const char *what)
{
	unsigned dropped = s->lab->host[s->to].count[HIP_DROPPED];

	scene_budgets(s);
	ck_assert_msg(!scene_done(s), "%s: done before",
		      hip_type_name(s->type));
	lab_input(s->lab, s->to, p);
	ck_assert_msg(
		scene_done(s) &&
			s->lab->host[s->to].count[HIP_DROPPED] == dropped,
		"%s, %s: not accepted (%s)", hip_type_name(s->type), what,
		reason_name(s->lab->host[s->to].last[HIP_DROPPED].reason));
}
