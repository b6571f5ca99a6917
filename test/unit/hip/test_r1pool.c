/* SPDX-License-Identifier: MIT */
/* The R1 pool: generations, their numbers and lives, the difficulty. */
#include "test/unit/hip/lab.h"

#include "hip/engine.h"
#include "hip/fields.h"
#include "hip/r1pool.h"

static struct lab *one(uint32_t jobs_max)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	cfg.jobs_max = jobs_max;
	lab->now = 100 * LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	return lab;
}

/* The R1 for somebody, read. */
static uint64_t get(struct lab *lab, uint8_t *k, uint16_t *opaque)
{
	const struct hit who = { { 0x20, 1, 0, 0x22, 9 } };
	struct r1pool_ask ask = { .initiator = &who,
				  .addr = &lab->host[0].at.addr,
				  .now = lab->now };
	uint8_t r1[HIP_MSG_MAX];
	size_t len = r1pool_get(lab->host[0].h, &ask, dh_group_ids[0], r1);
	struct field_r1_counter counter;
	struct field_puzzle puzzle;
	struct hip_msg m;

	ck_assert_uint_gt(len, 0);
	ck_assert_int_eq(param_parse(r1, len, &m), REASON_NUM);
	ck_assert(hit_eq(&m.receiver, &who));
	ck_assert(fields_get_r1_counter(param_find(&m, PARAM_R1_COUNTER),
					&counter));
	ck_assert(fields_get_puzzle(param_find(&m, PARAM_PUZZLE), &puzzle));
	*k = puzzle.k;
	*opaque = puzzle.opaque;
	lab_effects(lab, 0);
	return counter.counter;
}

static unsigned alive(struct lab *lab)
{
	const struct r1pool_slot *s = &lab->host[0].h->pool.slot[0][0];
	unsigned n = 0;

	for (int i = 0; i < R1POOL_RING; i++)
		n += s->ring[i].r1 != NULL;
	return n;
}

START_TEST(an_r1_that_was_used_is_replaced_after_a_minute)
{
	struct lab *lab = one(0);
	uint8_t k;
	uint16_t opaque;
	uint64_t first = get(lab, &k, &opaque);

	ck_assert_uint_eq(opaque, 0);
	lab->now += 100 * LAB_S;
	ck_assert_uint_eq(get(lab, &k, &opaque), first); /* unused */
	ck_assert_uint_eq(opaque, 6250);		 /* of 16 ms */
	lab->host[0].h->pool.slot[0][0].ring[0].used = true;
	(void)get(lab, &k, &opaque); /* orders the new one */
	ck_assert_uint_gt(get(lab, &k, &opaque), first);
	ck_assert_uint_eq(opaque, 0);
	ck_assert_uint_eq(alive(lab), 2); /* the old one is answered still */
	lab_sleep(lab, 65 * LAB_S);
	ck_assert_uint_eq(alive(lab), 1);
	lab_free(lab);
}
END_TEST

START_TEST(no_r1_is_offered_for_longer_than_fifteen_minutes)
{
	struct lab *lab = one(0);
	uint8_t k;
	uint16_t opaque;
	uint64_t last = 0;

	for (int i = 0; i < 5; i++) {
		uint64_t c = get(lab, &k, &opaque);

		ck_assert_uint_gt(c, last);
		ck_assert_uint_lt(opaque, UINT16_MAX);
		last = c;
		lab_sleep(lab, 901 * LAB_S);
		ck_assert_uint_le(alive(lab), 2);
	}
	lab_free(lab);
}
END_TEST

START_TEST(the_counter_does_not_go_back_when_the_daemon_restarts)
{
	struct lab *lab = one(0);
	uint8_t k;
	uint16_t opaque;
	uint64_t before;
	struct hip_config cfg = lab_config();

	lab_sleep(lab, 2000 * LAB_S);
	before = get(lab, &k, &opaque);
	lab->now += 2 * LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	ck_assert_uint_gt(get(lab, &k, &opaque), before);
	lab_free(lab);
}
END_TEST

START_TEST(difficulty_follows_the_load_up_and_down)
{
	struct lab *lab = one(10);
	struct hip *h = lab->host[0].h;
	uint32_t idle = h->job_num;
	uint8_t k;
	uint16_t opaque;

	(void)get(lab, &k, &opaque);
	ck_assert_uint_eq(k, 2);
	h->job_num = 6; /* more than half of 10 */
	for (int i = 0; i < 30; i++) {
		r1pool_load(h, lab->now);
		lab->now += LAB_S;
	}
	ck_assert_uint_eq(h->pool.k, 20);
	h->job_num = idle;
	(void)get(lab, &k, &opaque); /* the new one is signed */
	(void)get(lab, &k, &opaque);
	ck_assert_uint_eq(k, 20);
	for (int i = 0; i < 200; i++) {
		r1pool_load(h, lab->now);
		lab->now += LAB_S;
	}
	ck_assert_uint_eq(h->pool.k, 2);
	lab_free(lab);
}
END_TEST

Suite *test_r1pool_suite(void)
{
	Suite *s = suite_create("r1pool");
	TCase *t = tcase_create("r1pool");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_r1_that_was_used_is_replaced_after_a_minute);
	tcase_add_test(t, no_r1_is_offered_for_longer_than_fifteen_minutes);
	tcase_add_test(t,
		       the_counter_does_not_go_back_when_the_daemon_restarts);
	tcase_add_test(t, difficulty_follows_the_load_up_and_down);
	suite_add_tcase(s, t);
	return s;
}
