/* SPDX-License-Identifier: MIT */
/* Floods: what leaves is at most five times what came, on the wire. */
#include "test/unit/hip/alloc.h"
#include "test/unit/hip/snap.h"

#include "hip/dh.h"
#include "hip/fields.h"
#include "hip/i1credit.h"
#include "hip/message.h"
#include "hip/offer.h"

/* Octets on the wire, by a hook that sees each packet once. */
struct meter {
	struct addr who; /* whose packets are counted: */
	uint64_t in;	 /*  that claim to come from there */
	uint64_t out;	 /*  that go there */
	unsigned outs[32];
};

static bool meter(struct lab *lab, struct lab_packet *p)
{
	struct meter *m = lab->hook_arg;

	if (addr_eq(&p->src.addr, &m->who))
		m->in += i1credit_wire(&p->src.addr, p->len);
	if (addr_eq(&p->dst.addr, &m->who)) {
		m->out += i1credit_wire(&p->dst.addr, p->len);
		m->outs[p->msg[2]]++;
	}
	ck_assert_uint_le(m->out, 5 * m->in);
	return true;
}

static const struct hit stranger = { { 0x20, 1, 0, 0x22, 0xaa, 1 } };

/* An I1 of a stranger: for one group, padded by so many octets. */
static struct lab_packet i1_of(const struct lab *lab, size_t to, uint8_t group,
			       size_t pad)
{
	struct lab_packet p = { .from = LAB_MAX - 1, .dst = lab->host[to].at };
	struct msg_builder b;

	message_begin(&b, HIP_I1, &stranger, &lab->host[to].hit);
	message_put(&b, PARAM_DH_GROUP_LIST, &group, 1);
	if (pad)
		(void)message_reserve(&b, PARAM_PADDING, pad);
	ck_assert_int_eq(message_finish(&b), HG_OK);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	return p;
}

static struct endpoint spoofed(bool six)
{
	uint8_t b[16] = { 0x20, 1, 0xd, 0xb8, 7, 7 };
	uint8_t four[4] = { 203, 0, 113, 77 };

	return (struct endpoint){ six ? addr_from6(b) : addr_from4(four),
				  HIP_PORT };
}

/* Host `at` answers for an identity; I1s for it go to host `to`. */
static void flood(struct lab *lab, size_t at, size_t to, bool six)
{
	struct endpoint src = spoofed(six);
	struct meter m = { .who = src.addr };

	lab->hook = meter;
	lab->hook_arg = &m;
	for (size_t g = 0; g < offer_default.dh_num; g++) {
		for (size_t pad = 0; pad < 400; pad += 40) {
			m.outs[HIP_R1] = 0;
			for (int n = 0; n < 30; n++) {
				struct lab_packet p = i1_of(
					lab, at, offer_default.dh[g], pad);

				p.src = src;
				p.dst = lab->host[to].at;
				lab_sleep(lab, 200 * LAB_MS);
				lab_post(lab, &p);
				lab_run(lab);
			}
			/* Nobody is starved either. */
			ck_assert_uint_ge(m.outs[HIP_R1], 2);
			lab_sleep(lab, 20 * LAB_S);
		}
	}
	lab->hook = NULL;
}

START_TEST(spoofed_i1_gets_at_most_five_times_its_octets)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();
	struct snap was;

	lab->now = 1000 * LAB_S;
	lab_boot(lab, 0, &cfg, (enum hip_alg)(_i / 2), 0);
	snap_take(lab, 0, &was);
	flood(lab, 0, 0, _i % 2);
	snap_same(lab, 0, &was, false);
	lab_free(lab);
}
END_TEST

START_TEST(so_it_does_through_a_rendezvous_server)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 500 * LAB_S;
	lab_boot(lab, 1, &cfg, (enum hip_alg)(_i / 2), 1);
	cfg.rendezvous = true;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 2);
	lab->num = 2;
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[0].hit,
				      &lab->host[0].at, 1000000, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	flood(lab, 1, 0, _i % 2);
	lab_free(lab);
}
END_TEST

START_TEST(an_i1_that_is_too_short_waits_for_its_repetition_and_is_named)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();
	struct lab_packet p;
	struct snap was;

	lab->now = 1000 * LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P384, 0);
	p = i1_of(lab, 0, DH_P384, 0);
	p.src = spoofed(false);
	snap_take(lab, 0, &was);
	lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_CREDIT), 1);
	ck_assert_uint_eq(lab->sent[HIP_R1], 0);
	snap_same(lab, 0, &was, true);
	lab->now += 500 * LAB_MS;
	lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_CREDIT), 1);
	ck_assert_uint_eq(lab->sent[HIP_R1], 1);
	lab_free(lab);
}
END_TEST

START_TEST(our_own_i1_is_answered_at_once_whatever_the_peer_is)
{
	enum hip_alg a = (enum hip_alg)(_i / HIP_ALG_NUM);
	enum hip_alg b = (enum hip_alg)(_i % HIP_ALG_NUM);
	struct lab *lab;

	if (a == b && a >= HIP_ALG_RSA_2048)
		return; /* there is one key of these only */
	lab = lab_pair(a, b, false);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab); /* no time has passed */
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_CREDIT), 0);
	lab_free(lab);
}
END_TEST

struct tape {
	struct lab_packet p[32];
	size_t num;
};

static bool record(struct lab *lab, struct lab_packet *p)
{
	struct tape *t = lab->hook_arg;

	ck_assert_uint_lt(t->num, 32);
	t->p[t->num++] = *p;
	return true;
}

/* Effects are taken and thrown away; how many were jobs. Nothing here
 * allocates (each ck_assert does). */
static unsigned input(struct lab *lab, size_t i, const struct lab_packet *p)
{
	struct hip_effect e;
	unsigned jobs = 0;

	hip_input(lab->host[i].h, p->msg, p->len, &p->src, &p->dst, lab->now);
	while (hip_effect(lab->host[i].h, &e))
		jobs += e.kind == HIP_JOB;
	return jobs;
}

START_TEST(a_flood_of_i1_allocates_nothing_and_leaves_nothing)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();
	struct lab_packet p;
	struct snap was;
	unsigned long before;
	unsigned jobs = 0;

	lab->now = 1000 * LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P384, 0);
	p = i1_of(lab, 0, DH_P384, 100);
	p.src = spoofed(false);
	for (int n = 0; n < 4; n++) { /* the buffers of the queue */
		lab->now += 100 * LAB_MS;
		(void)input(lab, 0, &p);
	}
	snap_take(lab, 0, &was);
	before = alloc_calls;
	for (uint32_t n = 0; n < 20000; n++) {
		/* HITs and addresses, groups and lengths without end. */
		memcpy(p.msg + 12, &n, sizeof(n));
		memcpy(p.src.addr.b + 12, &n, sizeof(n));
		p.msg[44] = n % 3 ? DH_P384 : DH_P256;
		lab->now += LAB_MS;
		jobs += input(lab, 0, &p);
	}
	ck_assert_uint_eq(alloc_calls, before);
	ck_assert_uint_eq(jobs, 0);
	snap_same(lab, 0, &was, false);
	lab_free(lab);
}
END_TEST

START_TEST(an_i2_without_a_solution_allocates_nothing_either)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct tape t = { .num = 0 };
	struct lab_packet p;
	struct hip_msg m;
	struct snap was;
	unsigned long before;
	unsigned jobs = 0;
	size_t at;

	lab->hook = record;
	lab->hook_arg = &t;
	lab_want(lab, 0, 1);
	lab_run(lab);
	p = t.p[2];
	ck_assert_uint_eq(p.msg[2], HIP_I2);
	ck_assert_int_eq(param_parse(p.msg, p.len, &m), REASON_NUM);
	at = param_find(&m, PARAM_SOLUTION)->offset + PARAM_TLV_LEN + 4;
	snap_take(lab, 1, &was);
	before = alloc_calls;
	for (uint32_t n = 1; n < 20000; n++) {
		/* A new #I, a new #J, another HIT: nothing of it is ours. */
		memcpy(p.msg + at + 4 + 48 * (n % 2), &n, sizeof(n));
		memcpy(p.msg + at, &n, sizeof(n));
		if (n % 3 == 0)
			memcpy(p.msg + 12, &n, sizeof(n));
		jobs += input(lab, 1, &p);
	}
	ck_assert_uint_eq(alloc_calls, before);
	ck_assert_uint_eq(jobs, 0);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_PUZZLE), 19999);
	snap_same(lab, 1, &was, true);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

/* Each packet of two lives of an association, again and again, from a source
 * of the attacker's choice; up: while a third one lives. */
static void replay(struct lab *lab, const struct tape *t, bool up)
{
	for (size_t n = 0; n < t->num; n++) {
		struct lab_packet p = t->p[n];
		size_t to = !p.from;
		struct meter m;
		struct snap was;

		for (int twice = 0; twice < 2; twice++) {
			if (twice)
				p.src = spoofed(false);
			m = (struct meter){ .who = p.src.addr };
			lab->hook = meter;
			lab->hook_arg = &m;
			lab->now += LAB_S;
			snap_take(lab, to, &was);
			for (int i = 0; i < 200; i++) {
				m.in += i1credit_wire(&p.src.addr, p.len);
				lab->now += LAB_MS;
				lab_input(lab, to, &p);
				while (lab->head != lab->tail)
					(void)meter(lab,
						    &lab->queue[lab->head++ %
								LAB_QUEUE]);
			}
			/* Nor is it a stream of answers. */
			for (int k = HIP_I2; k < 32; k++)
				ck_assert_msg(m.outs[k] <= 3, "%s: %u x %s",
					      hip_type_name(p.msg[2]),
					      m.outs[k], hip_type_name(k));
			if (up)
				ck_assert(lab_agree(lab, 0, 1));
		}
	}
}

START_TEST(what_was_recorded_is_no_lever_either)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P384, false);
	struct tape t = { .num = 0 };

	lab->hook = record;
	lab->hook_arg = &t;
	for (int n = 0; n < 2; n++) {
		lab_want(lab, n, !n);
		lab_run(lab);
		ck_assert(lab_agree(lab, 0, 1));
		hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
		lab_drain(lab);
		lab_sleep(lab, LAB_S);
	}
	ck_assert_uint_eq(t.num, 12);
	lab->hook = NULL;
	replay(lab, &t, false);
	lab->hook = NULL;
	lab_want(lab, 0, 1);
	lab_run(lab);
	lab_sleep(lab, LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	replay(lab, &t, true);
	lab_free(lab);
}
END_TEST

Suite *test_flood_suite(void)
{
	Suite *s = suite_create("flood");
	TCase *t = tcase_create("flood");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, spoofed_i1_gets_at_most_five_times_its_octets, 0,
			    2 * HIP_ALG_NUM);
	tcase_add_loop_test(t, so_it_does_through_a_rendezvous_server, 0,
			    2 * HIP_ALG_NUM);
	tcase_add_test(
		t,
		an_i1_that_is_too_short_waits_for_its_repetition_and_is_named);
	tcase_add_loop_test(t,
			    our_own_i1_is_answered_at_once_whatever_the_peer_is,
			    0, HIP_ALG_NUM * HIP_ALG_NUM);
	tcase_add_test(t, a_flood_of_i1_allocates_nothing_and_leaves_nothing);
	tcase_add_test(t, an_i2_without_a_solution_allocates_nothing_either);
	tcase_add_test(t, what_was_recorded_is_no_lever_either);
	suite_add_tcase(s, t);
	return s;
}
