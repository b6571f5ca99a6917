/* SPDX-License-Identifier: MIT */
/* The state table, cell by cell, beside Tables 2 to 9 of RFC 7401 4.4.3. */
/* THEORY OF OPERATION
 * `rfc` is written down from the RFC, not from statetab.c. Host 0 is the one
 * looked at, host 1 its peer. For each cell that does something a fresh pair
 * is led into the state by a true exchange and given a true packet of its
 * peer; a packet's own column must only put out a job, its *_OK column shows
 * when that job has come back. All empty cells of a state are walked in one
 * pair, as they must leave no trace.
 */
#include "test/unit/hip/lab.h"

#include "hip/auth.h"
#include "hip/dh.h"
#include "hip/engine.h"
#include "hip/fields.h"
#include "hip/message.h"
#include "hip/statetab.h"
#include "hip/update.h"

enum what {
	UNNAMED,
	DROP,	 /* a packet: HIP_STATE, nothing else */
	NOTHING, /* no packet: nothing at all */
	JOB,	 /* to be verified; the state stays */
	ACT,	 /* sends, goes to */
};

struct cell {
	enum what what;
	uint8_t sends; /* packet type; 0: nothing */
	enum hip_state to;
};

/* clang-format off */
#define ON(e, out, s) [STATETAB_##e] = { ACT, out, HIP_##s }
#define J(e) [STATETAB_##e] = { .what = JOB }
#define D(e) [STATETAB_##e] = { .what = DROP }
#define Z(e) [STATETAB_##e] = { .what = NOTHING }

static const struct cell rfc[HIP_STATE_NUM][STATETAB_NUM] = {
	[HIP_UNASSOCIATED] = { /* Table 2 */
		ON(WANT, HIP_I1, I1_SENT), ON(I1, HIP_R1, UNASSOCIATED),
		ON(I2_OK, HIP_R2, R2_SENT),
		J(I2),
		D(R1), D(R2), D(UPDATE), D(NOTIFY), D(CLOSE), D(CLOSE_ACK),
		D(R1_OK), D(R2_OK), D(UPDATE_OK), D(CLOSE_OK),
		D(CLOSE_ACK_OK),
		D(NOTIFY_OK), Z(DATA), Z(TIMER), Z(LEAVE),
	},
	[HIP_I1_SENT] = { /* Table 3; host 0 has the greater HIT */
		ON(WANT, 0, I1_SENT), ON(I1, HIP_R1, I1_SENT),
		ON(TIMER, HIP_I1, I1_SENT), ON(LEAVE, 0, UNASSOCIATED),
		ON(R1_OK, HIP_I2, I2_SENT), ON(I2_OK, HIP_R2, R2_SENT),
		J(R1), J(I2),
		D(R2), D(UPDATE), D(NOTIFY), D(NOTIFY_OK), D(CLOSE), D(CLOSE_ACK),
		D(R2_OK), D(UPDATE_OK), D(CLOSE_OK), D(CLOSE_ACK_OK),
		Z(DATA),
	},
	[HIP_I2_SENT] = { /* Table 4; host 0 has the greater HIT */
		ON(WANT, 0, I2_SENT), ON(I1, HIP_R1, I2_SENT),
		ON(TIMER, HIP_I2, I2_SENT), ON(LEAVE, 0, UNASSOCIATED),
		ON(R1_OK, HIP_I2, I2_SENT), ON(I2_OK, HIP_R2, R2_SENT),
		ON(R2_OK, 0, ESTABLISHED), ON(CLOSE_OK, HIP_CLOSE_ACK, CLOSED),
		J(R1), J(I2), J(R2), J(CLOSE), J(NOTIFY),
		ON(NOTIFY_OK, 0, I2_SENT),
		D(UPDATE), D(CLOSE_ACK), D(UPDATE_OK),
		D(CLOSE_ACK_OK),
		Z(DATA),
	},
	[HIP_R2_SENT] = { /* Table 5 */
		ON(WANT, 0, R2_SENT), ON(I1, HIP_R1, R2_SENT),
		ON(NOTIFY_OK, 0, R2_SENT), ON(DATA, 0, ESTABLISHED),
		ON(TIMER, 0, ESTABLISHED), ON(LEAVE, HIP_CLOSE, CLOSING),
		ON(I2_OK, HIP_R2, R2_SENT),
		ON(UPDATE_OK, HIP_UPDATE, ESTABLISHED),
		ON(CLOSE_OK, HIP_CLOSE_ACK, CLOSED),
		J(I2), J(UPDATE), J(CLOSE), J(NOTIFY),
		D(R1), D(R2), D(CLOSE_ACK), D(R1_OK), D(R2_OK),
		D(CLOSE_ACK_OK),
	},
	[HIP_ESTABLISHED] = { /* Table 6 */
		ON(WANT, 0, ESTABLISHED), ON(I1, HIP_R1, ESTABLISHED),
		ON(NOTIFY_OK, 0, ESTABLISHED), ON(DATA, 0, ESTABLISHED),
		ON(TIMER, HIP_CLOSE, CLOSING), ON(LEAVE, HIP_CLOSE, CLOSING),
		ON(I2_OK, HIP_R2, R2_SENT),
		ON(UPDATE_OK, HIP_UPDATE, ESTABLISHED),
		ON(CLOSE_OK, HIP_CLOSE_ACK, CLOSED),
		J(I2), J(UPDATE), J(CLOSE), J(NOTIFY),
		D(R1), D(R2), D(CLOSE_ACK), D(R1_OK), D(R2_OK),
		D(CLOSE_ACK_OK),
	},
	[HIP_CLOSING] = { /* Table 7, but for R1: it is asked for in I1-SENT */
		ON(WANT, HIP_I1, I1_SENT), ON(I1, HIP_R1, CLOSING),
		ON(TIMER, HIP_CLOSE, CLOSING), ON(I2_OK, HIP_R2, R2_SENT),
		ON(CLOSE_OK, HIP_CLOSE_ACK, CLOSED),
		ON(CLOSE_ACK_OK, 0, UNASSOCIATED),
		J(I2), J(CLOSE), J(CLOSE_ACK),
		D(R1), D(R2), D(UPDATE), D(NOTIFY), D(NOTIFY_OK), D(R1_OK), D(R2_OK),
		D(UPDATE_OK),
		Z(DATA), Z(LEAVE),
	},
	[HIP_CLOSED] = { /* Table 8 */
		ON(WANT, HIP_I1, CLOSED), ON(I1, HIP_R1, CLOSED),
		ON(TIMER, 0, UNASSOCIATED), ON(LEAVE, 0, CLOSED),
		ON(R1_OK, HIP_I2, I2_SENT), ON(I2_OK, HIP_R2, R2_SENT),
		ON(CLOSE_OK, HIP_CLOSE_ACK, CLOSED),
		ON(CLOSE_ACK_OK, 0, UNASSOCIATED),
		J(R1), J(I2), J(CLOSE), J(CLOSE_ACK),
		D(R2), D(UPDATE), D(NOTIFY), D(NOTIFY_OK), D(R2_OK), D(UPDATE_OK),
		Z(DATA),
	},
	[HIP_E_FAILED] = { /* Table 9 holds back ours; the peer may begin */
		ON(WANT, 0, E_FAILED), ON(I1, HIP_R1, E_FAILED),
		ON(TIMER, 0, UNASSOCIATED), ON(I2_OK, HIP_R2, R2_SENT),
		J(I2),
		D(R1), D(R2), D(UPDATE), D(NOTIFY), D(NOTIFY_OK), D(CLOSE), D(CLOSE_ACK),
		D(R1_OK), D(R2_OK), D(UPDATE_OK), D(CLOSE_OK),
		D(CLOSE_ACK_OK),
		Z(DATA), Z(LEAVE),
	},
};
/* clang-format on */

/* The packet of each event; 0: none. */
static const uint8_t type_of[STATETAB_NUM] = {
	[STATETAB_I1] = HIP_I1,
	[STATETAB_R1] = HIP_R1,
	[STATETAB_I2] = HIP_I2,
	[STATETAB_R2] = HIP_R2,
	[STATETAB_UPDATE] = HIP_UPDATE,
	[STATETAB_NOTIFY] = HIP_NOTIFY,
	[STATETAB_CLOSE] = HIP_CLOSE,
	[STATETAB_CLOSE_ACK] = HIP_CLOSE_ACK,
	[STATETAB_R1_OK] = HIP_R1,
	[STATETAB_I2_OK] = HIP_I2,
	[STATETAB_R2_OK] = HIP_R2,
	[STATETAB_UPDATE_OK] = HIP_UPDATE,
	[STATETAB_CLOSE_OK] = HIP_CLOSE,
	[STATETAB_CLOSE_ACK_OK] = HIP_CLOSE_ACK,
	[STATETAB_NOTIFY_OK] = HIP_NOTIFY,
};

/* ---- the network ------------------------------------------------------- */

/* The last packet of each type and sender; those of `lose` get lost. */
struct wire {
	bool lose[2][32];
	struct lab_packet last[2][32];
};

static bool tap(struct lab *lab, struct lab_packet *p)
{
	struct wire *w = lab->hook_arg;

	w->last[p->from][p->msg[2]] = *p;
	return !w->lose[p->from][p->msg[2]];
}

static struct assoc *assoc(struct lab *lab, size_t i)
{
	return assoc_find(&lab->host[i].h->assocs, &lab->host[i].hit,
			  &lab->host[!i].hit);
}

static void leave(struct lab *lab, size_t i)
{
	hip_close(lab->host[i].h, &lab->host[!i].hit, lab->now);
	lab_drain(lab);
}

static void want(struct lab *lab, size_t i)
{
	ck_assert_int_eq(lab_want(lab, i, !i), HG_OK);
	lab_run(lab);
}

/* Host 1 begins anew: no state, the same key. */
static void restart(struct lab *lab)
{
	struct hip_config cfg = lab_config();
	struct hit hit = lab->host[1].hit;

	lab->now += 5 * LAB_S;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P256, 0);
	if (!hit_eq(&lab->host[1].hit, &hit))
		lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P256, 1);
	ck_assert(hit_eq(&lab->host[1].hit, &hit));
}

/* A pair, host 0 in this state. */
static struct lab *lab_in(enum hip_state s, struct wire *w, bool greater)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, greater);

	memset(w, 0, sizeof(*w));
	lab->hook = tap;
	lab->hook_arg = w;
	w->lose[0][HIP_I1] = s == HIP_I1_SENT || s == HIP_E_FAILED;
	w->lose[0][HIP_I2] = s == HIP_I2_SENT;
	w->lose[0][HIP_CLOSE] = true;
	w->lose[0][HIP_CLOSE_ACK] = true;
	if (s == HIP_R2_SENT)
		want(lab, 1);
	else if (s != HIP_UNASSOCIATED)
		want(lab, 0);
	if (s == HIP_CLOSING || s == HIP_CLOSED)
		leave(lab, 0);
	if (s == HIP_CLOSED) /* both close: its CLOSE_ACK may yet come */
		leave(lab, 1);
	if (s == HIP_E_FAILED)
		lab_sleep(lab, 20 * LAB_S);
	ck_assert_msg(lab_state(lab, 0, 1) == s, "led to %s, not %s",
		      hip_state_name(lab_state(lab, 0, 1)), hip_state_name(s));
	lab->now += 100 * LAB_MS;
	return lab;
}

static struct lab_packet made(const struct lab *lab, uint8_t type)
{
	struct lab_packet p = { .from = 1,
				.src = lab->host[1].at,
				.dst = lab->host[0].at };
	const struct field_notification busy = { FIELDS_RESPONDER_BUSY, 0, 0 };
	struct msg_builder b;

	message_begin(&b, type, &lab->host[1].hit, &lab->host[0].hit);
	if (type == HIP_I1) { /* long enough to be answered at once */
		message_put(&b, PARAM_DH_GROUP_LIST, offer_default.dh,
			    offer_default.dh_num);
		(void)message_reserve(&b, PARAM_PADDING, 100);
	} else if (type == HIP_NOTIFY) {
		fields_put_notification(&b, &busy);
		ck_assert(!auth_put_signature(&b, lab->host[1].h->id[0]));
	}
	ck_assert_int_eq(message_finish(&b), HG_OK);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	return p;
}

/* A true packet of host 1 that host 0 has not got yet. */
static struct lab_packet true_packet(struct lab *lab, enum hip_state s,
				     uint8_t type)
{
	struct wire *w = lab->hook_arg;
	struct lab_packet *last = &w->last[1][type];

	if (type == HIP_I1 || type == HIP_NOTIFY)
		return made(lab, type);
	if (type == HIP_CLOSE && s == HIP_CLOSED)
		return *last; /* repeated */
	w->lose[1][type] = true;
	w->lose[1][HIP_R2] = true;
	last->len = 0;
	if (type == HIP_I2) {
		restart(lab);
		want(lab, 1);
	} else if (type == HIP_R1) {
		if (s == HIP_CLOSED)
			want(lab, 0);
		restart(lab); /* its counter has risen */
		lab_input(lab, 1, &w->last[0][HIP_I1]);
	} else if (type == HIP_UPDATE) {
		update_send(lab->host[1].h, assoc(lab, 1), lab->now);
	} else if (type == HIP_CLOSE_ACK) {
		lab_input(lab, 1, &w->last[0][HIP_CLOSE]);
	} else if (s == HIP_I2_SENT) {
		lab_input(lab, 1, &w->last[0][HIP_I2]);
	}
	lab_drain(lab);
	if (type == HIP_CLOSE)
		leave(lab, 1);
	ck_assert_msg(last->len, "no %s for %s", hip_type_name(type),
		      hip_state_name(s));
	return *last;
}

/* ---- cells ------------------------------------------------------------- */

/* What host 0 has been seen to do, but for drops. */
static unsigned deeds(const struct lab *lab)
{
	unsigned n = 0;

	for (int k = 0; k < HIP_EFFECT_NUM; k++)
		n += k == HIP_DROPPED ? 0 : lab->host[0].count[k];
	return n;
}

/* Straight to the cell, as engine.c does. */
static void run(struct lab *lab, enum statetab_kind kind, struct packet *p)
{
	struct event ev = {
		.kind = kind, .a = assoc(lab, 0), .p = p, .now = lab->now
	};

	statetab_run(lab->host[0].h, &ev);
	lab_effects(lab, 0);
}

static void run_made(struct lab *lab, enum statetab_kind kind)
{
	struct lab_packet q = made(lab, type_of[kind]);
	struct packet p = { .from = &q.src, .at = &q.dst, .now = lab->now };

	ck_assert_int_eq(param_parse(q.msg, q.len, &p.m), REASON_NUM);
	run(lab, kind, &p);
}

static void empty_cell(struct lab *lab, enum hip_state s,
		       enum statetab_kind kind)
{
	enum reason r =
		s == HIP_UNASSOCIATED ? REASON_HIP_NO_ASSOC : REASON_HIP_STATE;
	bool drop = rfc[s][kind].what == DROP;
	unsigned before = deeds(lab);
	unsigned dropped = lab->host[0].count[HIP_DROPPED];
	uint64_t counted = lab_drops(lab, 0, r);

	ck_assert_int_eq(drop, type_of[kind] != 0);
	if (drop)
		run_made(lab, kind);
	else
		run(lab, kind, NULL);
	ck_assert_msg(lab->host[0].count[HIP_DROPPED] == dropped + drop &&
			      lab_drops(lab, 0, r) == counted + drop &&
			      deeds(lab) == before && lab_state(lab, 0, 1) == s,
		      "%s, event %d: not empty", hip_state_name(s), kind);
}

static int act(struct lab *lab, enum statetab_kind kind)
{
	struct assoc *a = assoc(lab, 0);

	switch (kind) {
	case STATETAB_WANT:
		return lab_want(lab, 0, 1);
	case STATETAB_DATA:
		hip_traffic(lab->host[0].h, &lab->host[0].hit,
			    &lab->host[1].hit, true, lab->now);
		break;
	case STATETAB_TIMER:
		lab->now = a->due.at;
		run(lab, kind, NULL);
		break;
	case STATETAB_LEAVE:
		hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
		break;
	default:
		ck_abort();
	}
	lab_effects(lab, 0);
	return HG_OK;
}

/* The first half: a job, and nothing else. */
static void verified_later(struct lab *lab, const struct lab_packet *p,
			   enum hip_state s)
{
	unsigned before = deeds(lab);

	lab_input(lab, 0, p);
	ck_assert_msg(lab->held_num == 1 && deeds(lab) == before + 1 &&
			      lab->host[0].last[HIP_JOB].job ==
				      lab->held[0].job &&
			      lab_state(lab, 0, 1) == s,
		      "%s, %s: not a job alone", hip_state_name(s),
		      hip_type_name(p->msg[2]));
}

/* Is this the event of a packet that its job has found good? */
static bool is_ok(enum statetab_kind kind)
{
	return kind >= STATETAB_R1_OK;
}

static void full_cell(enum hip_state s, enum statetab_kind kind)
{
	static struct wire w;
	const struct cell *c = &rfc[s][kind];
	struct lab *lab = lab_in(s, &w, true);
	struct lab_host *x = &lab->host[0];
	struct lab_packet p;
	unsigned sent;
	unsigned dropped;
	int err = HG_OK;

	if (type_of[kind])
		p = true_packet(lab, s, type_of[kind]);
	lab->hold_jobs = is_ok(kind);
	sent = x->count[HIP_SEND];
	dropped = x->count[HIP_DROPPED];
	if (!type_of[kind])
		err = act(lab, kind);
	else if (!is_ok(kind))
		lab_input(lab, 0, &p);
	else
		verified_later(lab, &p, s);
	lab_release(lab);
	ck_assert_int_eq(err, kind == STATETAB_WANT && s == HIP_E_FAILED
				      ? HG_EAGAIN
				      : HG_OK);
	ck_assert_msg(x->count[HIP_DROPPED] == dropped &&
			      x->count[HIP_SEND] == sent + (c->sends != 0) &&
			      lab_state(lab, 0, 1) == c->to &&
			      (!c->sends || x->last[HIP_SEND].type == c->sends),
		      "%s, event %d: %u sent, the last %s; now %s",
		      hip_state_name(s), kind, x->count[HIP_SEND] - sent,
		      hip_type_name(x->last[HIP_SEND].type),
		      hip_state_name(lab_state(lab, 0, 1)));
	lab_free(lab);
}

START_TEST(a_state_does_what_its_table_says)
{
	enum hip_state s = (enum hip_state)_i;

	for (int k = 0; k < STATETAB_NUM; k++) {
		if (rfc[s][k].what == ACT)
			full_cell(s, (enum statetab_kind)k);
	}
}
END_TEST

START_TEST(a_state_does_nothing_its_table_does_not_name)
{
	enum hip_state s = (enum hip_state)_i;
	static struct wire w;
	struct lab *lab = lab_in(s, &w, true);

	for (int k = 0; k < STATETAB_NUM; k++) {
		if (rfc[s][k].what == DROP || rfc[s][k].what == NOTHING)
			empty_cell(lab, s, (enum statetab_kind)k);
	}
	lab_free(lab);
}
END_TEST

START_TEST(every_cell_is_named_and_what_is_verified_has_an_end)
{
	for (int s = 0; s < HIP_STATE_NUM; s++) {
		for (int k = 0; k < STATETAB_NUM; k++) {
			bool acts = false;

			ck_assert_int_ne(rfc[s][k].what, UNNAMED);
			for (int o = STATETAB_R1_OK; o < STATETAB_NUM; o++)
				acts |= type_of[o] == type_of[k] &&
					rfc[s][o].what == ACT;
			if (type_of[k] && !is_ok((enum statetab_kind)k))
				ck_assert_int_eq(rfc[s][k].what == JOB, acts);
		}
	}
}
END_TEST

START_TEST(the_smaller_hit_drops_what_crosses)
{
	static struct wire w;
	struct lab *lab = lab_in(HIP_I1_SENT, &w, false);

	run_made(lab, STATETAB_I1);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_STATE), 1);
	ck_assert_uint_eq(lab->sent[HIP_R1], 0);
	lab_free(lab);
	lab = lab_in(HIP_I2_SENT, &w, false);
	run_made(lab, STATETAB_I1); /* Table 4: answered all the same */
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_STATE), 0);
	run_made(lab, STATETAB_I2_OK);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_STATE), 1);
	w.last[1][HIP_I2] = true_packet(lab, HIP_I2_SENT, HIP_I2);
	lab->hold_jobs = true;
	lab_input(lab, 0, &w.last[1][HIP_I2]);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_STATE), 2);
	ck_assert_uint_eq(lab->held_num, 0);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	lab_free(lab);
}
END_TEST

/* The timer of a state until it is left; how often it sent. */
static unsigned wait_out(enum hip_state s, enum hip_state to, uint64_t *took)
{
	static struct wire w;
	struct lab *lab = lab_in(s, &w, true);
	unsigned sent = lab->host[0].count[HIP_SEND];
	uint64_t since = assoc(lab, 0)->since;
	enum hip_state now = s;

	for (int n = 0; n < 100 && now == s; n++) {
		(void)act(lab, STATETAB_TIMER);
		now = lab_state(lab, 0, 1);
	}
	ck_assert_int_eq(now, to);
	sent = lab->host[0].count[HIP_SEND] - sent;
	*took = lab->now - since;
	lab_free(lab);
	return sent;
}

START_TEST(retries_come_to_an_end)
{
	uint64_t took;

	/* I1_RETRIES_MAX and I2_RETRIES_MAX, the first one included. */
	ck_assert_uint_eq(wait_out(HIP_I1_SENT, HIP_E_FAILED, &took), 4);
	ck_assert_uint_eq(wait_out(HIP_I2_SENT, HIP_E_FAILED, &took), 4);
	/* UAL + MSL; UAL + 2 MSL */
	ck_assert_uint_gt(wait_out(HIP_CLOSING, HIP_UNASSOCIATED, &took), 5);
	ck_assert_uint_eq(took, (900 + 120) * LAB_S);
	ck_assert_uint_eq(wait_out(HIP_CLOSED, HIP_UNASSOCIATED, &took), 0);
	ck_assert_uint_eq(took, (900 + 2 * 120) * LAB_S);
}
END_TEST

/* ---- without an exchange ------------------------------------------------ */

/* Which packets Tables 2 to 9 know, by state: one letter each for I1, R1,
 * I2, R2, UPDATE, NOTIFY, CLOSE, CLOSE_ACK; '-' is an empty cell. */
static const char *const known[HIP_STATE_NUM] = {
	[HIP_UNASSOCIATED] = "1-3-----", [HIP_I1_SENT] = "123-----",
	[HIP_I2_SENT] = "1234-NC-",	 [HIP_R2_SENT] = "1-3-UNC-",
	[HIP_ESTABLISHED] = "1-3-UNC-",	 [HIP_CLOSING] = "1-3---CA",
	[HIP_CLOSED] = "123---CA",	 [HIP_E_FAILED] = "1-3-----",
};

static const uint8_t types[] = { HIP_I1,    HIP_R1,	  HIP_I2,
				 HIP_R2,    HIP_UPDATE,	  HIP_NOTIFY,
				 HIP_CLOSE, HIP_CLOSE_ACK };

START_TEST(an_empty_cell_drops_counts_and_stays)
{
	for (int s = 0; s < HIP_STATE_NUM; s++) {
		struct lab *lab =
			lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
		enum reason r = s ? REASON_HIP_STATE : REASON_HIP_NO_ASSOC;
		struct assoc *a = NULL;

		if (s) {
			ck_assert_int_eq(assoc_add(lab->host[1].h,
						   &lab->host[1].hit,
						   &lab->host[0].hit, &a),
					 0);
			a->state = (enum hip_state)s;
		}
		for (size_t i = 0; i < sizeof(types); i++) {
			struct lab_packet p = { .src = lab->host[0].at,
						.dst = lab->host[1].at };
			uint64_t before = lab_drops(lab, 1, r);
			struct msg_builder b;

			if (known[s][i] != '-')
				continue;
			message_begin(&b, types[i], &lab->host[0].hit,
				      &lab->host[1].hit);
			memcpy(p.msg, b.buf, b.len);
			p.len = b.len;
			lab_input(lab, 1, &p);
			ck_assert_msg(lab_drops(lab, 1, r) == before + 1,
				      "%s in %s", hip_type_name(types[i]),
				      hip_state_name((enum hip_state)s));
			ck_assert_uint_eq(lab->host[1].last[HIP_DROPPED].type,
					  types[i]);
			ck_assert_int_eq(lab_state(lab, 1, 0), s);
		}
		lab_free(lab);
	}
}
END_TEST

START_TEST(states_and_types_have_names)
{
	ck_assert_str_eq(hip_state_name(HIP_E_FAILED), "E-FAILED");
	ck_assert_str_eq(hip_state_name(HIP_UNASSOCIATED), "UNASSOCIATED");
	ck_assert_str_eq(hip_state_name(HIP_STATE_NUM), "?");
	ck_assert_str_eq(hip_type_name(HIP_CLOSE_ACK), "CLOSE_ACK");
	ck_assert_str_eq(hip_type_name(5), "?");
	ck_assert_str_eq(hip_type_name(255), "?");
}
END_TEST

Suite *test_statetab_suite(void)
{
	Suite *s = suite_create("statetab");
	TCase *t = tcase_create("statetab");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_empty_cell_drops_counts_and_stays);
	tcase_add_test(t, states_and_types_have_names);
	tcase_add_loop_test(t, a_state_does_what_its_table_says, 0,
			    HIP_STATE_NUM);
	tcase_add_loop_test(t, a_state_does_nothing_its_table_does_not_name, 0,
			    HIP_STATE_NUM);
	tcase_add_test(t, every_cell_is_named_and_what_is_verified_has_an_end);
	tcase_add_test(t, the_smaller_hit_drops_what_crosses);
	tcase_add_test(t, retries_come_to_an_end);
	suite_add_tcase(s, t);
	return s;
}
