/* SPDX-License-Identifier: MIT */
/* Budgets: all there or an error, and what I2s are refused for. */
#include "hip/budget.h"

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
	ck_assert_int_eq(n, 8 + 1); /* each table failed once */
}
END_TEST

START_TEST(a_source_never_has_more_than_all)
{
	struct budgets b = { .i1 = { .bucket = NULL } };
	const struct srcrate *v[] = { &b.i1, &b.relay, &b.i2, &b.notify_in,
				      &b.notify_out };

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
	suite_add_tcase(s, t);
	return s;
}
