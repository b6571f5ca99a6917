/* SPDX-License-Identifier: MIT */
/* The Responder: what it refuses, and that refusing leaves no trace. */
#include "test/unit/hip/stopped.h"

#include "core/wire.h"

static void count_peers(const struct hip_peer *p, void *arg)
{
	(void)p;
	++*(unsigned *)arg;
}

static unsigned peers(struct lab *lab, size_t i)
{
	unsigned n = 0;

	hip_each_peer(lab->host[i].h, count_peers, &n);
	return n;
}

/* One octet of one parameter flipped: dropped for this reason. */
static void refused(enum param id, size_t at, enum reason r)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);
	size_t len;
	uint8_t *p = contents(&c.p, id, &len);

	p[at < len ? at : len - 1] ^= 1;
	lab_input(lab, 1, &c.p);
	/* Another #J solves the puzzle once in 2^K. */
	ck_assert_msg(lab_drops(lab, 1, r) == 1 ||
			      (id == PARAM_SOLUTION && at >= 52 &&
			       lab_drops(lab, 1, REASON_HIP_MAC) == 1),
		      "%s", reason_name(r));
	ck_assert_uint_eq(peers(lab, 1), 0);
	ck_assert_uint_eq(lab->host[1].count[HIP_SEND], 1); /* the R1 */
	lab_free(lab);
}

START_TEST(one_solution_in_another_dress_is_one_job)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);
	size_t len;
	uint8_t *solution = contents(&c.p, PARAM_SOLUTION, &len);

	lab->hold_jobs = true;
	lab_post(lab, &c.p);
	lab_run(lab);
	ck_assert_uint_eq(lab->held_num, 1);
	for (unsigned n = 1; n < 256; n++) {
		solution[1] = (uint8_t)n; /* reserved: in no hash */
		lab_post(lab, &c.p);
		lab_run(lab);
	}
	ck_assert_uint_eq(lab->held_num, 1);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 255);
	lab_free(lab);
}
END_TEST

START_TEST(i2_is_refused_for_the_reason_that_is_wrong_with_it)
{
	refused(PARAM_SOLUTION, 4, REASON_HIP_PUZZLE);	/* #I */
	refused(PARAM_SOLUTION, 60, REASON_HIP_PUZZLE); /* #J */
	refused(PARAM_SOLUTION, 0, REASON_HIP_PUZZLE);	/* K */
	refused(PARAM_SOLUTION, 2, REASON_HIP_PUZZLE);	/* Opaque */
	refused(PARAM_R1_COUNTER, 11, REASON_HIP_R1_COUNTER);
	refused(PARAM_HIP_CIPHER, 1, REASON_HIP_PROPOSAL);
	refused(PARAM_TRANSPORT_FORMAT_LIST, 1, REASON_HIP_PROPOSAL);
	refused(PARAM_ESP_TRANSFORM, 2, REASON_HIP_PROPOSAL);
	refused(PARAM_ESP_INFO, 4, REASON_HIP_PROPOSAL); /* OLD SPI */
	refused(PARAM_DIFFIE_HELLMAN, 10, REASON_HIP_DH);
	refused(PARAM_ENCRYPTED, 30, REASON_HIP_MAC);
	refused(PARAM_HIP_MAC, 5, REASON_HIP_MAC);
	refused(PARAM_HIP_SIGNATURE, 9, REASON_HIP_SIGNATURE);
}
END_TEST

START_TEST(an_i2_solved_at_another_address_is_refused)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);

	c.p.src.addr.b[15] ^= 1;
	lab_input(lab, 1, &c.p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_PUZZLE), 1);
	/* Another port is a NAT's affair. */
	c.p.src.addr.b[15] ^= 1;
	c.p.src.port = 40000;
	lab_input(lab, 1, &c.p);
	ck_assert_uint_eq(peers(lab, 1), 1);
	lab_free(lab);
}
END_TEST

/* Every octet of a packet, one bit each: no state, no answer. The answer
 * to I1 is R1, whatever HIT asks: that is its stateless nature. */
static void mutate(uint8_t type, size_t to, uint8_t bit)
{
	struct capture c;
	struct lab *lab = stopped(&c, type);
	unsigned before = peers(lab, to);
	enum hip_state s = lab_state(lab, to, !to);
	unsigned up = lab->host[to].count[HIP_SA_UP];
	struct hip_msg m;
	size_t end;

	ck_assert_int_eq(param_parse(c.p.msg, c.p.len, &m), REASON_NUM);
	/* Padding of the last parameter is covered by nothing. */
	end = (size_t)(m.params[m.num - 1].contents - c.p.msg) +
	      m.params[m.num - 1].len;
	for (size_t i = 0; i < end; i++) {
		struct lab_packet p = c.p;

		/* Opaque and #I are not under the signature of R1 (5.2.15);
		 * the Responder finds out, by the puzzle. */
		if (type == HIP_R1 && i >= 62 && i < 64 + 48)
			continue;
		p.msg[i] ^= bit;
		lab->now += 100 * LAB_MS; /* rates of I1 and I2 */
		forget_tries(lab, to);
		lab_input(lab, to, &p);
		lab->head = lab->tail;
		ck_assert_msg(peers(lab, to) == before &&
				      lab_state(lab, to, !to) == s &&
				      lab->host[to].count[HIP_SA_UP] == up,
			      "%s, octet %zu", hip_type_name(type), i);
	}
	/* And the packet itself is good still, within the 64 s of its R1. */
	forget_tries(lab, to);
	lab_input(lab, to, &c.p);
	if (type == HIP_I2)
		ck_assert_int_eq(lab_state(lab, to, !to), HIP_R2_SENT);
	if (type == HIP_R1)
		ck_assert_int_eq(lab_state(lab, to, !to), HIP_I2_SENT);
	if (type == HIP_R2)
		ck_assert_int_eq(lab_state(lab, to, !to), HIP_ESTABLISHED);
	lab_free(lab);
}

START_TEST(a_changed_i1_leaves_no_state)
{
	mutate(HIP_I1, 1, 0x01);
	mutate(HIP_I1, 1, 0x80);
}
END_TEST

START_TEST(a_changed_r1_leaves_no_state)
{
	mutate(HIP_R1, 0, 0x10);
}
END_TEST

START_TEST(a_changed_i2_leaves_no_state)
{
	mutate(HIP_I2, 1, 0x10);
}
END_TEST

START_TEST(a_changed_r2_leaves_no_state)
{
	mutate(HIP_R2, 0, 0x10);
}
END_TEST

START_TEST(each_shorter_i2_is_refused)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);

	for (size_t len = 0; len < c.p.len; len++) {
		struct lab_packet p = c.p;

		p.len = len;
		lab_input(lab, 1, &p);
	}
	ck_assert_uint_eq(peers(lab, 1), 0);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_TRUNCATED), c.p.len);
	lab_free(lab);
}
END_TEST

START_TEST(a_repeated_i2_gets_the_same_r2)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_R2);
	struct lab_packet first = c.p;

	/* R2 was lost: I2 comes again, by its timer. */
	lab->hook = stopped_capture;
	c.swallow = false;
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(c.p.len, first.len);
	ck_assert_mem_eq(c.p.msg, first.msg, first.len);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_UP], 1);
	lab_free(lab);
}
END_TEST

START_TEST(a_replayed_i2_does_not_bring_a_closed_association_back)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);

	lab_input(lab, 1, &c.p);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	hip_close(lab->host[1].h, &lab->host[0].hit, lab->now);
	lab_drain(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_UNASSOCIATED);
	lab_input(lab, 1, &c.p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 1);
	ck_assert_uint_eq(peers(lab, 1), 0);
	lab_free(lab);
}
END_TEST

/* Keeps and swallows the first I2 of host 0, keeps its first R1. */
struct first {
	struct lab_packet r1;
	struct lab_packet i2;
};

static bool first(struct lab *lab, struct lab_packet *p)
{
	struct first *f = lab->hook_arg;

	if (p->msg[2] == HIP_R1 && p->from == 1 && !f->r1.len)
		f->r1 = *p;
	if (p->msg[2] != HIP_I2 || p->from != 0 || f->i2.len)
		return true;
	f->i2 = *p;
	return false;
}

static void stale(struct lab *lab, const struct lab_packet *i2)
{
	uint64_t before = lab_drops(lab, 1, REASON_HIP_R1_COUNTER);
	enum hip_state s = lab_state(lab, 1, 0);
	unsigned up = lab->host[1].count[HIP_SA_UP];

	lab_input(lab, 1, i2);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_R1_COUNTER), before + 1);
	ck_assert_int_eq(lab_state(lab, 1, 0), s);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_UP], up);
}

START_TEST(an_i2_crossed_by_our_own_exchange_stays_out_however_short_that_was)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, true);
	struct first f = { 0 };

	lab->hook = first;
	lab->hook_arg = &f;
	lab->now += 5 * LAB_MS;
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	lab->now += LAB_MS;
	ck_assert_int_eq(lab_want(lab, 1, 0), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	stale(lab, &f.i2);
	lab->now += 100 * LAB_S;
	stale(lab, &f.i2);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

/* Host 0 loses its state after I2 and is given the old R1 once more. */
START_TEST(one_r1_makes_one_association_and_none_after_it_was_closed)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct hip_config cfg = lab_config();
	struct hit hit = lab->host[0].hit;
	struct first f = { 0 };

	lab->hook = first;
	lab->hook_arg = &f;
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	lab->now += LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	if (!hit_eq(&lab->host[0].hit, &hit))
		lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 1);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_input(lab, 0, &f.r1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	stale(lab, &f.i2);
	ck_assert(lab_agree(lab, 0, 1));
	hip_close(lab->host[1].h, &lab->host[0].hit, lab->now);
	lab_effects(lab, 1); /* the answer is still under way */
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSING);
	stale(lab, &f.i2);
	lab_free(lab);
}
END_TEST

START_TEST(the_same_i2_twice_while_the_job_runs_is_one)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);

	lab->hold_jobs = true;
	lab_input(lab, 1, &c.p);
	lab_input(lab, 1, &c.p);
	ck_assert_uint_eq(lab->held_num, 1);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 1);
	ck_assert_uint_eq(peers(lab, 1), 0);
	lab_release(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	lab_free(lab);
}
END_TEST

START_TEST(jobs_beyond_the_bound_are_refused_and_forgotten)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);
	struct hip_config cfg = lab_config();

	cfg.jobs_max = 2; /* taken by the two R1 at start */
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	lab->hold_jobs = true;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P384, 1);
	ck_assert_uint_eq(lab->held_num, 2);
	lab_want(lab, 0, 1);
	lab_run(lab); /* no R1 is ready: I1 is refused, nothing waits */
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_BUSY), 1);
	lab_release(lab);
	lab_sleep(lab, LAB_S); /* the next I1 */
	lab_release(lab);
	lab_run(lab);
	lab_release(lab);
	lab_run(lab);
	lab_release(lab);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(peers_that_are_not_allowed_are_denied)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct hip_access_rule only = { .allow = true,
					.by_hit = true,
					.hit = lab->host[1].hit };
	struct hip_access list[HIP_ROLE_NUM] = {
		[HIP_ROLE_HOST] = { &only, 1 } /* itself: nobody else */
	};

	ck_assert_int_eq(hip_set_access(lab->host[1].h, list, lab->now), 0);
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DENIED), 1);
	ck_assert_uint_eq(lab->sent[HIP_R1], 0);
	lab_free(lab);
}
END_TEST

START_TEST(i1_beyond_the_rate_is_not_answered)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I1);

	for (int i = 0; i < 100; i++) {
		c.p.msg[23] = (uint8_t)i; /* each of another HIT */
		lab_input(lab, 1, &c.p);
		lab->head = lab->tail;
	}
	ck_assert_uint_eq(lab->sent[HIP_R1], 30);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RATE), 70);
	lab->now += LAB_S;
	lab_input(lab, 1, &c.p);
	ck_assert_uint_eq(lab->sent[HIP_R1], 31);
	lab_free(lab);
}
END_TEST

START_TEST(r1_is_made_anew_after_it_was_used_and_the_old_one_lapses)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);
	struct lab_packet old = c.p;
	uint64_t before;

	lab->now += 200 * LAB_S;
	/* 15 minutes at most, and 64 s for answers. */
	lab_sleep(lab, 1000 * LAB_S);
	before = lab_drops(lab, 1, REASON_HIP_R1_COUNTER);
	lab_input(lab, 1, &old);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_R1_COUNTER), before + 1);
	lab_free(lab);
}
END_TEST

Suite *test_responder_suite(void)
{
	Suite *s = suite_create("responder");
	TCase *t = tcase_create("responder");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, one_solution_in_another_dress_is_one_job);
	tcase_add_test(t, i2_is_refused_for_the_reason_that_is_wrong_with_it);
	tcase_add_test(t, an_i2_solved_at_another_address_is_refused);
	tcase_add_test(t, a_changed_i1_leaves_no_state);
	tcase_add_test(t, a_changed_r1_leaves_no_state);
	tcase_add_test(t, a_changed_i2_leaves_no_state);
	tcase_add_test(t, a_changed_r2_leaves_no_state);
	tcase_add_test(t, each_shorter_i2_is_refused);
	tcase_add_test(t, a_repeated_i2_gets_the_same_r2);
	tcase_add_test(t,
		       a_replayed_i2_does_not_bring_a_closed_association_back);
	tcase_add_test(
		t,
		an_i2_crossed_by_our_own_exchange_stays_out_however_short_that_was);
	tcase_add_test(
		t, one_r1_makes_one_association_and_none_after_it_was_closed);
	tcase_add_test(t, the_same_i2_twice_while_the_job_runs_is_one);
	tcase_add_test(t, jobs_beyond_the_bound_are_refused_and_forgotten);
	tcase_add_test(t, peers_that_are_not_allowed_are_denied);
	tcase_add_test(t, i1_beyond_the_rate_is_not_answered);
	tcase_add_test(
		t, r1_is_made_anew_after_it_was_used_and_the_old_one_lapses);
	suite_add_tcase(s, t);
	return s;
}
