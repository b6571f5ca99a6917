/* SPDX-License-Identifier: MIT */
/* UPDATEs to all paths, and through rendezvous servers. */
#include "test/unit/hip/move_bed.h"
#include "test/unit/hip/relay_bed.h"

#include "hip/auth.h"
#include "hip/fields.h"

/* The proxy (0) has met the host (1) through the agent (2), and all know
 * where they are. */
static struct lab *met(struct bed_net *n)
{
	struct lab *lab = three();

	ck_assert_int_eq(lab_want_at(lab, 0, 1, &lab->host[2].at), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(view(lab, 0).has_via);
	lab_sleep(lab, 12 * LAB_S);
	bed_move(lab, 0, "192.0.2.1");
	bed_move(lab, 1, "192.0.2.2");
	bed_move(lab, 2, "192.0.2.3");
	lab_sleep(lab, LAB_S);
	memset(lab->sent, 0, sizeof(lab->sent));
	bed_net(lab, n);
	return lab;
}

struct where {
	struct endpoint at;
	size_t num;
};

static void registered(const struct hip_registration *r, void *arg)
{
	struct where *w = arg;

	w->at = r->at;
	w->num++;
}

static struct endpoint registered_at(struct lab *lab)
{
	struct where w = { .num = 0 };
	size_t at = 0;

	while (hip_some_registrations(lab->host[2].h, &at, registered, &w))
		;
	ck_assert_uint_eq(w.num, 1);
	return w.at;
}

START_TEST(a_registration_moves_with_its_client)
{
	struct bed_net n;
	struct lab *lab = met(&n);
	struct endpoint at = bed_at("203.0.113.7");
	struct endpoint is;

	bed_move(lab, 1, "203.0.113.7");
	lab_run(lab);
	is = registered_at(lab);
	ck_assert(endpoint_eq(&is, &at));
	ck_assert(bed_is(lab, 0, "192.0.2.1", "203.0.113.7"));
	lab_free(lab);
}
END_TEST

/* Both at once, and neither hears the other any more (RFC 8046 3.2.3). */
START_TEST(a_double_jump_is_mended_through_the_agent)
{
	struct bed_net n;
	struct lab *lab = met(&n);

	bed_move(lab, 0, "203.0.113.1");
	bed_move(lab, 1, "203.0.113.2");
	lab_sleep(lab, 260 * LAB_MS);
	ck_assert(bed_is(lab, 0, "203.0.113.1", "203.0.113.2"));
	ck_assert(bed_is(lab, 1, "203.0.113.2", "203.0.113.1"));
	ck_assert_uint_ge(lab->host[2].count[HIP_RELAYED], 1);
	ck_assert_uint_eq(lab->host[2].last[HIP_RELAYED].type, HIP_UPDATE);
	ck_assert(bed_happened(lab, 0, HIP_PATH_RELAYED));
	ck_assert(bed_happened(lab, 1, HIP_PATH_RELAYED));
	/* The SAs are those of before. */
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[0].changed[HIP_I1_SENT], 1);
	lab_free(lab);
}
END_TEST

/* From IPv4 to IPv6, both. */
START_TEST(a_double_jump_may_change_the_family)
{
	static const char *const both[] = { "192.0.2.3", "2001:db8::3" };
	struct endpoint at[2];
	struct bed_net n;
	struct lab *lab = met(&n);

	bed_here(lab, 2, both, 2);
	lab_sleep(lab, 2 * LAB_S);
	/* The daemon has looked the agent up again: both addresses. */
	at[0] = bed_at(both[0]);
	at[1] = bed_at(both[1]);
	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &lab->host[1].hit, at,
				  2, lab->now),
			 HG_OK);
	bed_move(lab, 0, "2001:db8::1");
	bed_move(lab, 1, "2001:db8::2");
	lab_sleep(lab, LAB_S);
	ck_assert(bed_is(lab, 0, "2001:db8::1", "2001:db8::2"));
	ck_assert(bed_is(lab, 1, "2001:db8::2", "2001:db8::1"));
	lab_free(lab);
}
END_TEST

/* The agent is away meanwhile. */
START_TEST(a_double_jump_waits_for_the_agent)
{
	struct bed_net n;
	struct lab *lab = met(&n);

	n.cut[n.cut_num++] = bed_at("192.0.2.3");
	bed_move(lab, 0, "203.0.113.1");
	bed_move(lab, 1, "203.0.113.2");
	lab_sleep(lab, 8 * LAB_S);
	ck_assert(!bed_is(lab, 0, "203.0.113.1", "203.0.113.2"));
	n.cut_num = 0;
	lab_sleep(lab, 9 * LAB_S);
	ck_assert(bed_is(lab, 0, "203.0.113.1", "203.0.113.2"));
	ck_assert(bed_is(lab, 1, "203.0.113.2", "203.0.113.1"));
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

/* ---- at the agent, and at its client ------------------------------------------ */

/* The UPDATE of host 0 as it leaves for the agent. */
struct catch
{
	struct bed_net n;
	struct lab_packet to_agent;
	struct lab_packet relayed;
	struct lab_packet answer;
};

static bool has_ack(const struct lab_packet *p)
{
	struct hip_msg m;

	return param_parse(p->msg, p->len, &m) == REASON_NUM &&
	       param_find(&m, PARAM_ACK);
}

static bool catch_hook(struct lab *lab, struct lab_packet *p)
{
	struct catch *c = lab->hook_arg;

	if (p->msg[2] == HIP_UPDATE && p->from == 0 &&
	    endpoint_eq(&p->dst, &lab->host[2].at))
		c->to_agent = *p;
	if (p->msg[2] == HIP_UPDATE && p->from == 2 &&
	    memcmp(p->msg + 24, lab->host[1].hit.b, 16) == 0 &&
	    memcmp(p->msg + 8, lab->host[0].hit.b, 16) == 0)
		c->relayed = *p;
	if (p->msg[2] == HIP_UPDATE && p->from == 1 && c->relayed.len &&
	    !c->answer.len && has_ack(p) &&
	    memcmp(p->msg + 24, lab->host[0].hit.b, 16) == 0)
		c->answer = *p;
	return bed_hook(lab, p);
}

static struct hip_msg parsed(const struct lab_packet *p)
{
	struct hip_msg m;

	ck_assert_uint_gt(p->len, 0);
	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	return m;
}

static struct lab *jumped(struct catch *c)
{
	struct lab *lab = met(&c->n);

	c->to_agent.len = c->relayed.len = c->answer.len = 0;
	lab->hook = catch_hook;
	lab->hook_arg = c;
	bed_move(lab, 0, "203.0.113.1");
	bed_move(lab, 1, "203.0.113.2");
	lab_sleep(lab, LAB_S);
	return lab;
}

/* RFC 8046 3.2.3, points 2 and 3. */
START_TEST(what_is_relayed_says_from_whom_and_its_answer_by_whom)
{
	struct catch c;
	struct lab *lab = jumped(&c);
	struct hip_msg m = parsed(&c.relayed);
	struct addr from;
	struct addr via;

	ck_assert(fields_get_from(param_find(&m, PARAM_FROM), &from));
	ck_assert(addr_eq(&from, &lab->host[0].at.addr));
	ck_assert_ptr_nonnull(param_find(&m, PARAM_RVS_HMAC));
	m = parsed(&c.answer);
	ck_assert(endpoint_eq(&c.answer.dst, &lab->host[0].at));
	ck_assert_ptr_nonnull(param_find(&m, PARAM_ACK));
	ck_assert(fields_get_via_rvs(param_find(&m, PARAM_VIA_RVS), &via));
	ck_assert(addr_eq(&via, &lab->host[2].at.addr));
	lab_free(lab);
}
END_TEST

static void not_relayed(struct lab *lab, const struct lab_packet *p,
			enum reason why)
{
	unsigned relayed = lab->host[2].count[HIP_RELAYED];
	uint64_t before = lab_drops(lab, 2, why);

	lab_input(lab, 2, p);
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], relayed);
	ck_assert_uint_eq(lab_drops(lab, 2, why), before + 1);
}

static void relay_once(struct lab *lab, const struct catch *c)
{
	lab_input(lab, 2, &c->to_agent);
	lab->head = lab->tail;
}

START_TEST(the_agent_relays_no_other_updates)
{
	struct catch c;
	struct lab *lab = jumped(&c);
	struct lab_packet p = c.to_agent;
	struct msg_builder b;

	ck_assert_uint_gt(p.len, 0);
	lab_sleep(lab, 5 * LAB_S);
	lab_input(lab, 2, &p); /* the same once more is passed on */
	ck_assert_uint_ge(lab->host[2].count[HIP_RELAYED], 2);
	p.src.port++;
	not_relayed(lab, &p, REASON_HIP_SOURCE_PORT);
	p = c.to_agent;
	p.msg[24 + 5] ^= 1; /* nobody we know */
	not_relayed(lab, &p, REASON_HIP_NOT_OURS);
	p = c.relayed; /* has been relayed already */
	p.src = c.to_agent.src;
	not_relayed(lab, &p, REASON_HIP_RVS_HMAC);
	message_begin(&b, HIP_UPDATE, &lab->host[0].hit, &lab->host[1].hit);
	p = c.to_agent;
	memcpy(p.msg, b.buf, p.len = b.len);
	not_relayed(lab, &p, REASON_HIP_MISSING);
	/* As many as I1s (budget.c), then no more. */
	for (int i = 0; i < 1000; i++)
		relay_once(lab, &c);
	ck_assert_uint_gt(lab_drops(lab, 2, REASON_HIP_RATE), 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_false_proof_of_the_agent_is_refused)
{
	struct catch c;
	struct lab *lab = jumped(&c);
	struct lab_packet p = c.relayed;
	struct hip_msg m = parsed(&p);
	const struct hip_param *q =
		param_find(&m, _i ? PARAM_RVS_HMAC : PARAM_FROM);
	uint64_t before = lab_drops(lab, 1, REASON_HIP_RVS_HMAC);
	unsigned sent = lab->sent[HIP_UPDATE];

	p.msg[q->offset + PARAM_TLV_LEN + 15] ^= 1;
	p.dst = lab->host[1].at;
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RVS_HMAC), before + 1);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], sent);
	ck_assert(bed_is(lab, 1, "203.0.113.2", "203.0.113.1"));
	lab_free(lab);
}
END_TEST

/* The packets of one round go to each path once. */
/* A suspect path, then the next ones, each so much later. */
static void tried_apart(struct lab *lab, struct bed_net *n, uint64_t apart)
{
	n->cut[n->cut_num++] = bed_at("192.0.2.2");
	bed_traffic(lab, 0, false);
	lab_sleep(lab, 999 * LAB_MS);
	n->lost = 0;
	lab_sleep(lab, 2 * LAB_MS);
	ck_assert_uint_eq(n->lost, 1);
	for (unsigned i = 2; i < 4; i++) {
		lab_sleep(lab, apart - 3 * LAB_MS);
		ck_assert_uint_eq(n->lost, i - 1);
		lab_sleep(lab, 3 * LAB_MS);
		ck_assert_uint_eq(n->lost, i);
	}
	lab_sleep(lab, 250 * LAB_MS);
	ck_assert_uint_eq(n->lost, 3);
}

START_TEST(each_path_is_tried_two_round_trips_after_the_last)
{
	static const char *const three_links[] = { "192.0.2.1", "203.0.113.1",
						   "203.0.113.2" };
	static const struct {
		uint32_t rtt_ms;
		uint64_t apart_ms;
	} row[] = { { 0, 100 }, { 1, 50 }, { 60, 120 }, { 900, 250 } };
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_here(lab, 0, three_links, 3);
	lab_sleep(lab, 3 * LAB_S);
	assoc(lab, 0)->paths->rtt_us = row[_i].rtt_ms * 1000;
	tried_apart(lab, &n, row[_i].apart_ms * LAB_MS);
	lab_free(lab);
}
END_TEST

/* An UPDATE with SEQ and MAC; its copies ask what is behind that. */
static struct lab_packet a_copy(struct lab *lab, const char *from,
				uint8_t nonce)
{
	struct lab_packet p = { .src = bed_at(from), .dst = lab->host[1].at };
	struct assoc *a = assoc(lab, 0);
	uint8_t n[16] = { nonce };
	struct msg_builder b;

	message_begin(&b, HIP_UPDATE, &a->self, &a->peer);
	fields_put_seq(&b, 0);
	ck_assert_int_eq(auth_put_mac(&b, a->keys->rhash, a->keys->hip.mac_out),
			 0);
	ck_assert_int_eq(auth_put_signature(&b, a->id), 0);
	message_put(&b, PARAM_ECHO_REQUEST_UNSIGNED, n, sizeof(n));
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p.msg, b.buf, p.len = b.len);
	return p;
}

static bool echoed_to(const struct bed_record *r, const char *to, uint8_t nonce)
{
	const struct endpoint at = bed_at(to);
	const struct hip_param *e;
	struct hip_msg m;

	for (size_t i = 0; i < r->num; i++) {
		const struct lab_packet *p = &r->p[i];

		ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
		e = param_find(&m, PARAM_ECHO_RESPONSE_UNSIGNED);
		if (e && e->contents[0] == nonce && endpoint_eq(&p->dst, &at))
			return true;
	}
	return false;
}

/* Both are looked at at once: when the second turns out to be known, it has
 * still to be told what it asked. */
START_TEST(two_copies_at_once_are_both_echoed)
{
	struct bed_record r = { .num = 0 };
	struct lab *lab = bed_up(&r.n);
	struct lab_packet p[] = { a_copy(lab, "192.0.2.1", 1),
				  a_copy(lab, "203.0.113.1", 2) };

	lab->hook = bed_record_hook;
	lab->hook_arg = &r;
	lab->hold_jobs = _i;
	lab_input(lab, 1, &p[0]);
	lab_input(lab, 1, &p[1]);
	lab->hold_jobs = false;
	lab_release(lab);
	lab_run(lab);
	ck_assert(echoed_to(&r, "192.0.2.1", 1));
	ck_assert(echoed_to(&r, "203.0.113.1", 2));
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 1);
	lab_free(lab);
}
END_TEST

Suite *test_spread_suite(void);
Suite *test_spread_suite(void)
{
	Suite *s = suite_create("spread");
	TCase *t = tcase_create("spread");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_registration_moves_with_its_client);
	tcase_add_test(t, a_double_jump_is_mended_through_the_agent);
	tcase_add_test(t, a_double_jump_may_change_the_family);
	tcase_add_test(t, a_double_jump_waits_for_the_agent);
	tcase_add_test(t,
		       what_is_relayed_says_from_whom_and_its_answer_by_whom);
	tcase_add_test(t, the_agent_relays_no_other_updates);
	tcase_add_loop_test(t, a_false_proof_of_the_agent_is_refused, 0, 2);
	tcase_add_loop_test(
		t, each_path_is_tried_two_round_trips_after_the_last, 0, 4);
	tcase_add_loop_test(t, two_copies_at_once_are_both_echoed, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
