/* SPDX-License-Identifier: MIT */
/* Budgets: all there or an error, and what I1s and I2s are refused for. */
#include "hip/budget.h"

#include "hip/dh.h"
#include "hip/puzzle.h"
#include "test/unit/hip/alloc.h"
#include "test/unit/hip/stopped.h"

START_TEST(short_memory_is_an_error_and_leaks_nothing)
{
	struct budgets b;
	int err = HG_ENOMEM;
	long n = 0;

	for (; err; n++) { /* leaks are the sanitizer's to see */
		memset(&b, 0, sizeof(b));
		alloc_left = n;
		err = budget_init(&b, 0);
		alloc_left = -1;
		ck_assert(err == HG_OK || err == HG_ENOMEM);
		budget_fini(&b);
		ck_assert_int_lt(n, 20);
	}
	ck_assert_int_eq(n, 12 + 1); /* each table failed once */
}
END_TEST

START_TEST(a_source_never_has_more_than_all)
{
	struct budgets b = { .i1 = { .bucket = NULL } };
	const struct srcrate *v[] = { &b.i1,	&b.relay,     &b.relay_out,
				      &b.i2,	&b.notify_in, &b.notify_out,
				      &b.strays };

	ck_assert_int_eq(budget_init(&b, 0), HG_OK);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		ck_assert_uint_ge(v[i]->limits.burst, v[i]->limits.per_s);
		ck_assert_uint_gt(v[i]->limits.all_per_s, v[i]->limits.per_s);
		ck_assert_uint_gt(v[i]->limits.all_burst, v[i]->limits.burst);
	}
	budget_fini(&b);
}
END_TEST

/* ---- I2 ----------------------------------------------------------------- */

/* The next #J that solves the puzzle of this I2. */
static void solve_again(struct lab_packet *p)
{
	size_t len;
	uint8_t *sol = contents(p, PARAM_SOLUTION, &len);
	size_t n = (len - 4) / 2;
	struct puzzle z = { .k = sol[0] };

	z.rhash = suite_find(SUITE_ECDSA_SHA384);
	memcpy(z.hit_i.b, p->msg + 8, 16);
	memcpy(z.hit_r.b, p->msg + 24, 16);
	memcpy(z.i, sol + 4, n);
	ck_assert_int_eq(puzzle_solve(&z, 1 << 20, NULL, sol + 4 + n), HG_OK);
}

START_TEST(one_puzzle_pays_for_four_jobs_with_however_many_solutions)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);
	struct lab_packet p = c.p;
	unsigned jobs = lab->host[1].count[HIP_JOB];
	struct snap was;

	snap_take(lab, 1, &was);
	for (int n = 0; n < 20; n++) {
		solve_again(&p); /* its MAC is another's */
		lab_input(lab, 1, &p);
		snap_same(lab, 1, &was, true);
	}
	ck_assert_uint_eq(lab->host[1].count[HIP_JOB], jobs + 4);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_MAC), 4);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_PUZZLE_USED), 16);
	/* A new R1 is a new puzzle; the Initiator gets there by itself. */
	lab_sleep(lab, 30 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_E_FAILED);
	lab_sleep(lab, 30 * LAB_S);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

/* An I2 of another Initiator: refused only where there is a budget. */
START_TEST(one_prefix_gets_an_eighth_of_the_jobs)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);
	struct hip *h = lab->host[1].h;
	struct snap was;

	lab->hold_jobs = true;
	h->cfg.jobs_max = 32;
	for (int n = 0; n < 4; n++) {
		solve_again(&c.p);
		lab_input(lab, 1, &c.p);
	}
	ck_assert_uint_eq(lab->held_num, 4);
	forget_tries(lab, 1);
	solve_again(&c.p);
	snap_take(lab, 1, &was);
	lab_input(lab, 1, &c.p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_BUSY), 1);
	snap_same(lab, 1, &was, true);
	/* It is the prefix: were they another's, there would be room. */
	for (int n = 0; n < 4; n++)
		lab->held[n].job->from.addr.b[15] ^= 0x80;
	lab_input(lab, 1, &c.p);
	ck_assert_uint_eq(lab->held_num, 5);
	lab_free(lab);
}
END_TEST

START_TEST(solved_puzzles_of_one_prefix_have_a_budget)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);
	unsigned jobs = lab->host[1].count[HIP_JOB];
	struct snap was;

	snap_take(lab, 1, &was);
	for (int n = 0; n < 100; n++) {
		solve_again(&c.p);
		forget_tries(lab, 1);
		lab_input(lab, 1, &c.p);
	}
	ck_assert_uint_eq(lab->host[1].count[HIP_JOB], jobs + 30);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RATE), 70);
	snap_same(lab, 1, &was, true);
	lab->now += LAB_S;
	for (int n = 0; n < 100; n++) {
		solve_again(&c.p);
		forget_tries(lab, 1);
		lab_input(lab, 1, &c.p);
	}
	ck_assert_uint_eq(lab->host[1].count[HIP_JOB], jobs + 40);
	lab_free(lab);
}
END_TEST

START_TEST(an_i2_that_is_repeated_gets_ten_r2_a_second)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);
	unsigned r2;
	struct snap was;

	lab_input(lab, 1, &c.p);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	r2 = lab->sent[HIP_R2];
	snap_take(lab, 1, &was);
	for (int n = 0; n < 99; n++) {
		lab->now += LAB_MS;
		lab_input(lab, 1, &c.p);
	}
	ck_assert_uint_eq(lab->sent[HIP_R2], r2);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RATE), 99);
	snap_same(lab, 1, &was, true);
	lab->now += LAB_MS;
	lab_input(lab, 1, &c.p);
	ck_assert_uint_eq(lab->sent[HIP_R2], r2 + 1);
	lab_free(lab);
}
END_TEST

START_TEST(an_i2_whose_job_cannot_start_gives_its_spi_back)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I2);
	struct hip *h = lab->host[1].h;
	struct effects_node *spare = h->fx.spare;
	struct snap was;

	snap_take(lab, 1, &was);
	h->fx.spare = NULL;
	alloc_left = 1; /* the job, and no effect that brings it out */
	hip_input(h, c.p.msg, c.p.len, &c.p.src, &c.p.dst, lab->now);
	alloc_left = -1;
	h->fx.spare = spare;
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_BUSY), 1);
	snap_same(lab, 1, &was, true);
	lab_input(lab, 1, &c.p);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	lab_free(lab);
}
END_TEST

/* ---- the same I1 again --------------------------------------------------- */

/* This I1 is answered, or is the same as one that just was. */
static void i1_again(struct lab *lab, const struct lab_packet *p, bool again)
{
	uint64_t dropped = lab_drops(lab, 1, REASON_HIP_DUPLICATE);
	unsigned shown = lab->host[1].count[HIP_DROPPED];
	unsigned r1 = lab->sent[HIP_R1];
	struct snap was;

	snap_take(lab, 1, &was);
	lab_input(lab, 1, p);
	lab->head = lab->tail;
	snap_same(lab, 1, &was, again);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE),
			  dropped + again);
	ck_assert_uint_eq(lab->host[1].count[HIP_DROPPED], shown + again);
	ck_assert_uint_eq(lab->sent[HIP_R1], r1 + !again);
}

START_TEST(the_same_i1_is_answered_ten_times_a_second)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I1);

	i1_again(lab, &c.p, false);
	/* More than its source has tokens for: they are not touched. */
	for (int n = 0; n < 99; n++) {
		i1_again(lab, &c.p, true);
		lab->now += LAB_MS;
	}
	lab->now += LAB_MS - 1;
	i1_again(lab, &c.p, true);
	lab->now += 1;
	i1_again(lab, &c.p, false);
	i1_again(lab, &c.p, true);
	lab_free(lab);
}
END_TEST

START_TEST(an_i1_is_the_same_only_in_everything)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I1);
	struct lab_packet p[7];
	size_t len;

	for (size_t i = 0; i < 7; i++)
		p[i] = c.p;
	p[0].msg[12] ^= 1; /* HIT-I */
	p[1].msg[23] ^= 1;
	/* Who asks for another group in a victim's name gets another R1, and
	 * does not keep the victim from its own. */
	contents(&p[2], PARAM_DH_GROUP_LIST, &len)[0] = DH_P384;
	p[3].src.addr.b[15] ^= 1;
	p[4].src.port ^= 1;
	p[5].dst.addr.b[15] ^= 1;
	p[6].dst.port ^= 1;
	i1_again(lab, &c.p, false);
	for (size_t i = 0; i < 7; i++) {
		i1_again(lab, &p[i], false);
		i1_again(lab, &p[i], true);
	}
	i1_again(lab, &c.p, true);
	lab_free(lab);
}
END_TEST

START_TEST(an_i1_for_another_identity_is_another)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I1);
	struct hip_identity *id = lab_identity(HIP_ALG_ECDSA_P256, 2);

	ck_assert_int_eq(hip_add_identity(lab->host[1].h, id, lab->now), HG_OK);
	lab_effects(lab, 1);
	i1_again(lab, &c.p, false);
	memcpy(c.p.msg + 24, hip_identity_hit(id)->b, 16);
	i1_again(lab, &c.p, false);
	i1_again(lab, &c.p, true);
	lab_free(lab);
}
END_TEST

START_TEST(an_i1_that_was_not_answered_is_not_the_same)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I1);

	lab->host[1].h->cfg.responder = false;
	lab_input(lab, 1, &c.p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DENIED), 1);
	lab->host[1].h->cfg.responder = true;
	i1_again(lab, &c.p, false);
	i1_again(lab, &c.p, true);
	lab_free(lab);
}
END_TEST

/* Each mark of the table becomes one that is alive and somebody else's. */
static void fill_answered(struct lab *lab)
{
	struct spent_mark *mark = lab->host[1].h->budget.answered.mark;

	for (size_t i = 0; i < SPENT_SETS * SPENT_WAYS; i++)
		mark[i] = (struct spent_mark){ i + 1, lab->now + LAB_S };
}

START_TEST(in_a_full_table_an_i1_is_answered_and_remembered)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I1);

	fill_answered(lab);
	i1_again(lab, &c.p, false);
	i1_again(lab, &c.p, true);
	fill_answered(lab); /* forgotten: that costs an R1 and no more */
	i1_again(lab, &c.p, false);
	i1_again(lab, &c.p, true);
	lab_free(lab);
}
END_TEST

START_TEST(all_the_bits_of_its_hash_make_an_i1_the_same)
{
	struct capture c;
	struct lab *lab = stopped(&c, HIP_I1);
	struct spent_mark *mark = lab->host[1].h->budget.answered.mark;
	size_t at = 0;

	i1_again(lab, &c.p, false);
	while (at < SPENT_SETS * SPENT_WAYS - 1 && !mark[at].print)
		at++;
	mark[at].print ^= UINT64_C(1) << 63; /* in the same set */
	i1_again(lab, &c.p, false);
	i1_again(lab, &c.p, true);
	lab_free(lab);
}
END_TEST

static bool lose_r1(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	return p->msg[2] != HIP_R1;
}

START_TEST(an_i1_that_an_initiator_repeats_is_always_answered)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	/* Raced as if they were three: the fastest there is. */
	const struct endpoint at[] = { lab->host[1].at, lab->host[1].at,
				       lab->host[1].at };

	lab->hook = lose_r1;
	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &lab->host[1].hit, at,
				  3, lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, 30 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_E_FAILED);
	ck_assert_uint_eq(lab->sent[HIP_I1], 7);
	ck_assert_uint_eq(lab->sent[HIP_R1], 7);
	ck_assert_uint_eq(lab->host[1].count[HIP_DROPPED], 0);
	lab_free(lab);
}
END_TEST

Suite *test_budget_suite(void)
{
	Suite *s = suite_create("budget");
	TCase *t = tcase_create("budget");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, short_memory_is_an_error_and_leaks_nothing);
	tcase_add_test(t, a_source_never_has_more_than_all);
	tcase_add_test(
		t, one_puzzle_pays_for_four_jobs_with_however_many_solutions);
	tcase_add_test(t, one_prefix_gets_an_eighth_of_the_jobs);
	tcase_add_test(t, solved_puzzles_of_one_prefix_have_a_budget);
	tcase_add_test(t, an_i2_that_is_repeated_gets_ten_r2_a_second);
	tcase_add_test(t, an_i2_whose_job_cannot_start_gives_its_spi_back);
	tcase_add_test(t, the_same_i1_is_answered_ten_times_a_second);
	tcase_add_test(t, an_i1_is_the_same_only_in_everything);
	tcase_add_test(t, an_i1_for_another_identity_is_another);
	tcase_add_test(t, an_i1_that_was_not_answered_is_not_the_same);
	tcase_add_test(t, in_a_full_table_an_i1_is_answered_and_remembered);
	tcase_add_test(t, all_the_bits_of_its_hash_make_an_i1_the_same);
	tcase_add_test(t, an_i1_that_an_initiator_repeats_is_always_answered);
	suite_add_tcase(s, t);
	return s;
}
