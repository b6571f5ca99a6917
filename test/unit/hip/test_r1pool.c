/* SPDX-License-Identifier: MIT */
/* The R1 pool: generations, their numbers and lives, the difficulty. */
#include "test/unit/hip/lab.h"

#include "hip/engine.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/message.h"
#include "hip/offer.h"
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
	size_t len = r1pool_get(lab->host[0].h, &ask, offer_default.dh[0], r1);
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
	cfg.r1_counter = UINT64_C(1764000000); /* nor with the machine */
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	ck_assert_uint_gt(get(lab, &k, &opaque), cfg.r1_counter);
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

/* ---- what proves them ours ---------------------------------------------- */

static const struct hit somebody = { { 0x20, 1, 0, 0x22, 9 } };

static struct r1pool_ask ask_at(const struct lab *lab)
{
	return (struct r1pool_ask){ .initiator = &somebody,
				    .addr = &lab->host[0].at.addr,
				    .now = lab->now };
}

/* An R1 of group 0 answered: what r1pool_check looks at in an I2. */
struct answer {
	struct hit from;
	uint8_t group;
	uint64_t counter;
	uint8_t k;
	uint16_t opaque;
	uint8_t i[SUITE_HASH_MAX];
	uint8_t j[SUITE_HASH_MAX];
	size_t i_len;
	int without; /* this parameter is missing; PARAM_NUM: none */
};

static struct puzzle puzzle_of(const struct lab *lab, const struct answer *a)
{
	struct puzzle z = {
		.rhash = identity_suite(lab->host[0].h->id[0]),
		.hit_i = a->from,
		.hit_r = lab->host[0].hit,
		.k = a->k,
	};

	memcpy(z.i, a->i, sizeof(z.i));
	return z;
}

/* Not solved yet. */
static struct answer asked(struct lab *lab)
{
	struct r1pool_ask ask = ask_at(lab);
	struct answer a = { .from = somebody,
			    .group = offer_default.dh[0],
			    .without = PARAM_NUM };
	uint8_t r1[HIP_MSG_MAX];
	size_t len = r1pool_get(lab->host[0].h, &ask, a.group, r1);
	struct field_r1_counter counter;
	struct field_puzzle puzzle;
	struct hip_msg m;

	ck_assert_int_eq(param_parse(r1, len, &m), REASON_NUM);
	ck_assert(fields_get_r1_counter(param_find(&m, PARAM_R1_COUNTER),
					&counter));
	ck_assert(fields_get_puzzle(param_find(&m, PARAM_PUZZLE), &puzzle));
	a.counter = counter.counter;
	a.k = puzzle.k;
	a.opaque = puzzle.opaque;
	a.i_len = puzzle.i_len;
	memcpy(a.i, puzzle.i, puzzle.i_len);
	lab_effects(lab, 0);
	return a;
}

static struct answer answer_to(struct lab *lab)
{
	struct answer a = asked(lab);
	struct puzzle z = puzzle_of(lab, &a);

	ck_assert_int_eq(puzzle_solve(&z, 1 << 20, NULL, a.j), HG_OK);
	return a;
}

static enum reason check_at(struct lab *lab, const struct answer *a,
			    const struct addr *addr, struct r1pool_match *match)
{
	const uint8_t public[64] = { 1 };
	struct field_r1_counter counter = { .counter = a->counter };
	struct field_solution sol = { .k = a->k,
				      .opaque = a->opaque,
				      .i = a->i,
				      .j = a->j,
				      .i_len = a->i_len };
	struct field_dh dh = { .group = a->group,
			       .public = public,
			       .public_len = sizeof(public) };
	struct r1pool_ask ask = ask_at(lab);
	struct msg_builder b;
	struct hip_msg m;

	ask.initiator = &a->from;
	ask.addr = addr;
	message_begin(&b, HIP_I2, &a->from, &lab->host[0].hit);
	if (a->without != PARAM_R1_COUNTER)
		fields_put_r1_counter(&b, &counter);
	if (a->without != PARAM_SOLUTION)
		fields_put_solution(&b, &sol);
	if (a->without != PARAM_DIFFIE_HELLMAN)
		fields_put_dh(&b, &dh);
	ck_assert_int_eq(message_finish(&b), HG_OK);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	return r1pool_check(lab->host[0].h, &ask, &m, match);
}

static enum reason check(struct lab *lab, const struct answer *a)
{
	struct r1pool_match match;

	return check_at(lab, a, &lab->host[0].at.addr, &match);
}

START_TEST(a_solution_is_taken_and_says_when_its_r1_was_given_out)
{
	struct lab *lab = one(0);
	struct r1pool_match match;
	struct answer a;
	uint64_t asked;

	lab->now += 12345678901;
	asked = lab->now;
	a = answer_to(lab);
	lab->now += 5 * LAB_S;
	ck_assert_int_eq(check_at(lab, &a, &lab->host[0].at.addr, &match),
			 REASON_NUM);
	ck_assert_ptr_eq(match.entry, &lab->host[0].h->pool.slot[0][0].ring[0]);
	ck_assert_uint_le(match.issued, asked);
	ck_assert_uint_gt(match.issued, asked - 16 * LAB_MS);
	lab_free(lab);
}
END_TEST

START_TEST(each_thing_wrong_with_a_solution_has_its_reason)
{
	struct lab *lab = one(0);
	const struct answer good = answer_to(lab);
	struct addr elsewhere = lab->host[0].at.addr;
	struct r1pool_match match;
	struct answer a;
	struct puzzle z = puzzle_of(lab, &good);

#define WRONG(r, edit)                                                         \
	do {                                                                   \
		a = good;                                                      \
		edit;                                                          \
		ck_assert_msg(check(lab, &a) == (r), "%s: %s", #edit,          \
			      reason_name(check(lab, &a)));                    \
	} while (0)
	WRONG(REASON_NUM, (void)0);
	WRONG(REASON_HIP_R1_COUNTER, a.counter++);
	WRONG(REASON_HIP_R1_COUNTER, a.counter--);
	WRONG(REASON_HIP_R1_COUNTER, a.group = offer_default.dh[1]);
	WRONG(REASON_HIP_R1_COUNTER, a.group = 99);
	WRONG(REASON_HIP_PUZZLE, a.k++);
	WRONG(REASON_HIP_PUZZLE, a.k--); /* easier than it was */
	WRONG(REASON_HIP_PUZZLE, a.opaque ^= 1);
	WRONG(REASON_HIP_PUZZLE, a.opaque ^= 0x8000);
	WRONG(REASON_HIP_PUZZLE, a.i[0] ^= 1);
	WRONG(REASON_HIP_PUZZLE, a.i[a.i_len - 1] ^= 1);
	WRONG(REASON_HIP_PUZZLE, while (puzzle_verify(&z, a.j)) a.j[47]++);
	WRONG(REASON_HIP_PUZZLE, a.from.b[15] ^= 1);
	WRONG(REASON_HIP_TLV, a.i_len--);
	WRONG(REASON_HIP_MISSING, a.without = PARAM_R1_COUNTER);
	WRONG(REASON_HIP_MISSING, a.without = PARAM_SOLUTION);
	WRONG(REASON_HIP_MISSING, a.without = PARAM_DIFFIE_HELLMAN);
#undef WRONG
	elsewhere.b[15] ^= 1;
	ck_assert_int_eq(check_at(lab, &good, &elsewhere, &match),
			 REASON_HIP_PUZZLE);
	lab_free(lab);
}
END_TEST

START_TEST(the_previous_r1_is_answered_for_64_seconds_the_older_not)
{
	struct lab *lab = one(0);
	uint64_t made = lab->now;
	struct r1pool_slot *s = &lab->host[0].h->pool.slot[0][0];
	struct answer old;
	struct answer next;

	lab_sleep(lab, 900 * LAB_S - 1);
	old = answer_to(lab);
	ck_assert_uint_eq(s->ring[0].retired, UINT64_MAX);
	lab_sleep(lab, 1);
	ck_assert_uint_eq(s->ring[0].retired, made + 900 * LAB_S);
	next = answer_to(lab);
	ck_assert_uint_gt(next.counter, old.counter);
	ck_assert(memcmp(next.i, old.i, old.i_len) != 0);
	ck_assert_int_eq(check(lab, &old), REASON_NUM);
	ck_assert_int_eq(check(lab, &next), REASON_NUM);
	lab_sleep(lab, 63 * LAB_S);
	ck_assert_int_eq(check(lab, &old), REASON_NUM);
	lab_sleep(lab, LAB_S - 1);
	ck_assert_uint_eq(alive(lab), 2);
	lab->now++; /* the moment counts, not the timer */
	ck_assert_int_eq(check(lab, &old), REASON_HIP_R1_COUNTER);
	ck_assert_uint_eq(alive(lab), 2);
	lab_sleep(lab, 0);
	ck_assert_uint_eq(alive(lab), 1);
	ck_assert_ptr_null(s->ring[0].dh); /* Delta S: wiped */
	ck_assert(sodium_is_zero((uint8_t *)&s->ring[0], sizeof(s->ring[0])));
	next = answer_to(lab);
	ck_assert_int_eq(check(lab, &next), REASON_NUM);
	lab_free(lab);
}
END_TEST

START_TEST(an_r1_is_answered_for_64_seconds_though_its_entry_lives_on)
{
	struct lab *lab = one(0);
	struct answer a;
	struct r1pool_match match;

	lab->now += 300 * LAB_S + 7 * LAB_MS;
	a = answer_to(lab);
	ck_assert_int_eq(check_at(lab, &a, &lab->host[0].at.addr, &match),
			 REASON_NUM);
	ck_assert_uint_eq(match.until, match.issued + 64 * LAB_S);
	lab->now = match.until - 1;
	ck_assert_int_eq(check(lab, &a), REASON_NUM);
	lab->now++;
	ck_assert_int_eq(check(lab, &a), REASON_HIP_R1_COUNTER);
	a = answer_to(lab); /* the same entry */
	ck_assert_int_eq(check(lab, &a), REASON_NUM);
	lab_free(lab);
}
END_TEST

/* No job can be had: the entry is offered on, and what it gives out is
 * answered and remembered just as long; in the end there is none. */
START_TEST(an_entry_that_cannot_be_replaced_stays_sound)
{
	struct lab *lab = one(0);
	struct hip *h = lab->host[0].h;
	struct r1pool_ask ask;
	struct r1pool_match match;
	struct answer early;
	struct answer a;
	uint8_t r1[HIP_MSG_MAX];

	h->cfg.jobs_max = 0;
	early = answer_to(lab);
	lab_sleep(lab, 1040 * LAB_S);
	ck_assert_uint_eq(alive(lab), 1);
	ck_assert_int_eq(check(lab, &early), REASON_HIP_R1_COUNTER);
	a = answer_to(lab);
	ck_assert_int_eq(check_at(lab, &a, &lab->host[0].at.addr, &match),
			 REASON_NUM);
	ck_assert_uint_ge(match.until, lab->now + 64 * LAB_S);
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_int_eq(check(lab, &a), REASON_NUM);
	ask = ask_at(lab);
	ck_assert_uint_eq(r1pool_get(h, &ask, offer_default.dh[0], r1), 0);
	h->cfg.jobs_max = 256;
	lab_sleep(lab, 2 * LAB_S);
	(void)r1pool_get(h, &ask, offer_default.dh[0], r1);
	lab_effects(lab, 0);
	a = answer_to(lab);
	ck_assert_int_eq(check(lab, &a), REASON_NUM);
	lab_free(lab);
}
END_TEST

/* ---- who has one -------------------------------------------------------- */

START_TEST(each_identity_and_group_has_its_r1_of_the_offered_difficulty)
{
	struct lab *lab = one(0);
	struct hip *h = lab->host[0].h;
	uint64_t seen[R1POOL_IDENTITIES * R1POOL_GROUPS];
	size_t n = 0;

	ck_assert_int_eq(hip_add_identity(h,
					  lab_identity(HIP_ALG_ECDSA_P384, 1),
					  lab->now),
			 HG_OK);
	lab_effects(lab, 0);
	ck_assert_uint_gt(offer_default.dh_num, 1);
	for (size_t x = 0; x < 2 * offer_default.dh_num; x++) {
		const struct r1pool_entry *e =
			h->pool.slot[x / offer_default.dh_num]
				    [x % offer_default.dh_num]
					    .ring;
		struct field_puzzle puzzle;
		struct field_dh dh;
		struct hip_msg m;

		ck_assert_int_eq(param_parse(e->r1, e->len, &m), REASON_NUM);
		ck_assert(hit_eq(
			&m.sender,
			hip_identity_hit(h->id[x / offer_default.dh_num])));
		ck_assert(fields_get_dh(param_find(&m, PARAM_DIFFIE_HELLMAN),
					&dh));
		ck_assert_uint_eq(dh.group,
				  offer_default.dh[x % offer_default.dh_num]);
		ck_assert_mem_eq(dh.public, dh_public(e->dh), dh.public_len);
		ck_assert(fields_get_puzzle(param_find(&m, PARAM_PUZZLE),
					    &puzzle));
		ck_assert_uint_eq(puzzle.k, h->cfg.puzzle_k);
		for (size_t i = 0; i < n; i++)
			ck_assert_uint_ne(seen[i], e->counter);
		seen[n++] = e->counter;
	}
	lab_free(lab);
}
END_TEST

START_TEST(none_is_given_out_before_it_is_made_or_of_a_group_not_ours)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();
	struct r1pool_ask ask;
	uint8_t r1[HIP_MSG_MAX];
	struct hip *h;

	lab->now = 100 * LAB_S;
	lab->hold_jobs = true;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	h = lab->host[0].h;
	ask = ask_at(lab);
	ck_assert_uint_eq(lab->held_num, offer_default.dh_num);
	ck_assert_uint_eq(r1pool_get(h, &ask, offer_default.dh[0], r1), 0);
	/* Not run: failed. Another is made, yet not at once. */
	hip_job_done(h, lab->held[0].job, lab->now);
	lab->held[0] = lab->held[--lab->held_num];
	ck_assert_uint_eq(r1pool_get(h, &ask, offer_default.dh[0], r1), 0);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->held_num, offer_default.dh_num - 1);
	ask.now = lab->now += LAB_S;
	ck_assert_uint_eq(r1pool_get(h, &ask, offer_default.dh[0], r1), 0);
	ask.now = lab->now += LAB_S; /* it is still out */
	ck_assert_uint_eq(r1pool_get(h, &ask, offer_default.dh[0], r1), 0);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->held_num, offer_default.dh_num); /* just one */
	lab_release(lab);
	ck_assert_uint_gt(r1pool_get(h, &ask, offer_default.dh[0], r1), 0);
	ck_assert_uint_eq(r1pool_get(h, &ask, 99, r1), 0);
	lab_free(lab);
}
END_TEST

/* One second of an attacker who knows how K moves: an I1 and its answer. */
static struct answer second(struct lab *lab, bool busy)
{
	struct hip *h = lab->host[0].h;

	lab->now += LAB_S;
	h->job_num = busy ? h->cfg.jobs_max : 0;
	r1pool_load(h, lab->now);
	h->job_num = 0;
	(void)asked(lab); /* orders the new one, where K has moved */
	return asked(lab);
}

START_TEST(as_fast_as_difficulty_moves_there_is_an_r1_of_it)
{
	struct lab *lab = one(16);
	struct hip *h = lab->host[0].h;
	struct answer all[64];
	unsigned most = 0;
	uint8_t high = 0;

	h->cfg.puzzle_k = 0;
	h->pool.k = 0;
	/* Down all the way but for the last step, up again, and so on. */
	for (unsigned n = 0; n < 400; n++) {
		bool up = n % 64 < 14;
		struct answer *a = &all[n % 64];

		lab_sleep(lab, 0); /* what has lapsed is wiped */
		*a = second(lab, up);
		ck_assert_uint_eq(a->k, h->pool.k);
		most = alive(lab) > most ? alive(lab) : most;
		high = a->k > high ? a->k : high;
		ck_assert_int_ne(check(lab, a), REASON_HIP_R1_COUNTER);
		/* And what was given out a minute ago is good still. */
		if (n >= 63)
			ck_assert_int_ne(check(lab, &all[(n + 1) % 64]),
					 REASON_HIP_R1_COUNTER);
	}
	ck_assert_uint_ge(high, 14);
	ck_assert_uint_gt(most, 8); /* more than there once were places */
	ck_assert_uint_lt(most, R1POOL_RING);
	lab_free(lab);
}
END_TEST

START_TEST(difficulty_moves_two_up_a_second_and_one_down_in_ten)
{
	struct lab *lab = one(10);
	struct hip *h = lab->host[0].h;

	h->job_num = 2; /* not busy */
	r1pool_load(h, lab->now += 2 * LAB_S);
	r1pool_load(h, lab->now += 2 * LAB_S);
	ck_assert_uint_eq(h->pool.k, 2);
	h->job_num = 6;
	r1pool_load(h, lab->now);
	r1pool_load(h, lab->now += LAB_S - 1);
	ck_assert_uint_eq(h->pool.k, 2);
	r1pool_load(h, lab->now += 1);
	ck_assert_uint_eq(h->pool.k, 4);
	r1pool_load(h, lab->now);
	ck_assert_uint_eq(h->pool.k, 4);
	h->job_num = 0;
	r1pool_load(h, lab->now += 10 * LAB_S - 1);
	ck_assert_uint_eq(h->pool.k, 4);
	r1pool_load(h, lab->now += 1);
	ck_assert_uint_eq(h->pool.k, 3);
	for (int n = 0; n < 5; n++) /* never below what is configured */
		r1pool_load(h, lab->now += 10 * LAB_S);
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
	tcase_add_test(t,
		       a_solution_is_taken_and_says_when_its_r1_was_given_out);
	tcase_add_test(t, each_thing_wrong_with_a_solution_has_its_reason);
	tcase_add_test(
		t, the_previous_r1_is_answered_for_64_seconds_the_older_not);
	tcase_add_test(
		t,
		each_identity_and_group_has_its_r1_of_the_offered_difficulty);
	tcase_add_test(
		t, none_is_given_out_before_it_is_made_or_of_a_group_not_ours);
	tcase_add_test(t, as_fast_as_difficulty_moves_there_is_an_r1_of_it);
	tcase_add_test(t, difficulty_moves_two_up_a_second_and_one_down_in_ten);
	tcase_add_test(
		t, an_r1_is_answered_for_64_seconds_though_its_entry_lives_on);
	tcase_add_test(t, an_entry_that_cannot_be_replaced_stays_sound);
	suite_add_tcase(s, t);
	return s;
}
