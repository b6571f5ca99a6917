/* SPDX-License-Identifier: MIT */
/* The table of questions: deadlines, asks, clients. */
#include "test/unit/dns/desk.h"
#include "dns/question.h"

static struct dns d;
static struct dns_asker who;

static void begin(void)
{
	memset(&d, 0, sizeof(d));
	outbox_init(&d.outbox);
	d.questions_max = 300;
	d.client_max = 200;
	ck_assert_int_eq(question_table_init(&d), 0);
	who.client = desk_at("10.0.0.2", 4000);
	who.server = desk_at("10.0.0.53", 53);
}

static void end(void)
{
	question_table_fini(&d);
	outbox_fini(&d.outbox);
}

START_TEST(the_earliest_deadline_is_always_first)
{
	struct question *q[200];
	size_t num = 0;
	uint32_t seed = randombytes_random();
	uint8_t key[randombytes_SEEDBYTES] = { 0 };
	uint32_t noise[4];

	printf("the_earliest_deadline_is_always_first: seed %u\n", seed);
	put_be32(key, seed);
	begin();
	for (uint32_t i = 0; i < 5000; i++) {
		uint64_t least = NEVER;

		put_be32(key + 4, i);
		randombytes_buf_deterministic(noise, sizeof(noise), key);
		if (num < 200 && (num == 0 || noise[0] % 3 == 0)) {
			ck_assert_int_eq(question_add(&d, &who, &q[num]), 0);
			num++;
		} else if (noise[0] % 3 == 1) {
			size_t at = noise[1] % num;

			question_end(&d, q[at]);
			q[at] = q[--num];
		}
		if (num) {
			struct question *one = q[noise[2] % num];

			one->slots[SLOT_HIP].found = FOUND_WAIT;
			one->slots[SLOT_HIP].resend_at = NEVER;
			one->slots[SLOT_HIP].fail_at = noise[3];
			question_arm(&d, one);
		}
		for (size_t n = 0; n < num; n++) {
			if (q[n]->deadline < least)
				least = q[n]->deadline;
			ck_assert_ptr_eq(question_find(&d, q[n]->id), q[n]);
		}
		ck_assert_uint_eq(d.num, num);
		if (num)
			ck_assert_uint_eq(d.heap[0]->deadline, least);
	}
	end();
}
END_TEST

START_TEST(bounds_hold_and_are_given_back)
{
	struct question *q[300];

	begin();
	for (unsigned i = 0; i < 200; i++)
		ck_assert_int_eq(question_add(&d, &who, &q[i]), 0);
	ck_assert_int_eq(question_add(&d, &who, &q[200]), HG_EFULL);
	for (unsigned i = 200; i < 300; i++)
		ck_assert_int_eq(question_add(&d, NULL, &q[i]), 0);
	ck_assert_int_eq(question_add(&d, NULL, &q[0]), HG_EAGAIN);
	ck_assert_ptr_eq(crowd_oldest(d.crowd), q[0]);
	question_end(&d, q[250]);
	ck_assert_int_eq(question_add(&d, &who, &q[0]), HG_EFULL);
	question_end(&d, q[7]);
	ck_assert_int_eq(question_add(&d, &who, &q[7]), 0);
	end();
}
END_TEST

START_TEST(each_ask_is_found_until_it_is_done_once)
{
	struct dns_effect e;
	struct question *q;
	uint32_t ids[ASKS_MAX];
	unsigned done = 0;

	begin();
	ck_assert_int_eq(question_add(&d, &who, &q), 0);
	for (unsigned i = 0; i < ASKS_MAX; i++) {
		ck_assert_int_eq(question_ask(&d, q, SLOT_HIP, &q->who.server,
					      (const uint8_t *)"\1\2\3", 3),
				 0);
		ids[i] = q->asks->id;
		ck_assert_ptr_eq(question_find_ask(&d, ids[i]), q->asks);
		ck_assert_uint_eq(q->asks->msg_id, 0x0102);
	}
	ck_assert_int_eq(question_ask(&d, q, SLOT_HIP, &q->who.server,
				      (const uint8_t *)"\1\2\3", 3),
			 HG_EFULL);
	question_ask_done(&d, &q->asks[0]);
	question_close(&d, q, SLOT_A); /* has none */
	question_close(&d, q, SLOT_HIP);
	question_end(&d, q);
	while (outbox_take(&d.outbox, &e))
		done += e.kind == DNS_ASK_DONE;
	ck_assert_uint_eq(done, ASKS_MAX);
	for (unsigned i = 0; i < ASKS_MAX; i++)
		ck_assert_ptr_null(question_find_ask(&d, ids[i]));
	end();
}
END_TEST

/* One that asks for the HIP record of that name. */
static struct question *asking(const char *name)
{
	struct question *q;

	ck_assert_int_eq(question_add(&d, &who, &q), 0);
	q->asked.name = desk_name(name);
	q->asked.type = SCAN_A;
	return q;
}

static unsigned followers(const struct question *q, const struct question *of)
{
	struct cache_key key = question_key(&d, of, SLOT_HIP);
	const struct follow *f = NULL;
	unsigned all = 0;
	unsigned num = 0;

	while ((f = question_follower(&d, &key, f))) {
		ck_assert_uint_lt(all++, 300);
		num += f->q == q;
	}
	return num;
}

/* Follows, and is found to stand in one bucket with q. */
static struct question *in_bucket_with(const struct question *q, char name[32])
{
	for (unsigned i = 0; i < 100000; i++) {
		struct question *other;

		(void)snprintf(name, 32, "n%u.test", i);
		other = asking(name);
		question_follow(&d, other, SLOT_HIP);
		if (other->slots[SLOT_HIP].follow.next ==
		    &q->slots[SLOT_HIP].follow)
			return other;
		question_end(&d, other);
	}
	ck_abort_msg("no two names in one bucket");
	return NULL;
}

START_TEST(followers_of_two_names_in_one_bucket_are_kept_apart)
{
	struct question *a;
	struct question *b;
	struct question *more;
	char name[32];

	begin();
	a = asking("h.test");
	question_follow(&d, a, SLOT_HIP);
	b = in_bucket_with(a, name);
	more = asking("H.TEST"); /* before both in the bucket */
	question_follow(&d, more, SLOT_HIP);
	ck_assert_uint_eq(followers(a, a), 1);
	ck_assert_uint_eq(followers(more, a), 1);
	ck_assert_uint_eq(followers(b, a), 0);
	ck_assert_uint_eq(followers(b, b), 1);
	ck_assert_uint_eq(followers(a, b), 0);
	ck_assert_uint_eq(followers(more, b), 0);
	question_unfollow(&d, b, SLOT_HIP); /* out of the middle */
	question_unfollow(&d, b, SLOT_HIP); /* nothing, then */
	ck_assert_uint_eq(followers(b, b), 0);
	ck_assert_uint_eq(followers(a, a), 1);
	ck_assert_uint_eq(followers(more, a), 1);
	question_follow(&d, b, SLOT_HIP);
	question_end(&d, a); /* the last in the bucket */
	ck_assert_uint_eq(followers(more, more), 1);
	ck_assert_uint_eq(followers(b, b), 1);
	question_end(&d, more);
	ck_assert_uint_eq(followers(b, b), 1);
	question_end(&d, b);
	ck_assert_uint_eq(d.num, 0);
	end();
}
END_TEST

Suite *test_question_suite(void);
Suite *test_question_suite(void)
{
	Suite *s = suite_create("question");
	TCase *tc = tcase_create("question");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_earliest_deadline_is_always_first);
	tcase_add_test(tc, bounds_hold_and_are_given_back);
	tcase_add_test(tc, each_ask_is_found_until_it_is_done_once);
	tcase_add_test(tc, followers_of_two_names_in_one_bucket_are_kept_apart);
	suite_add_tcase(s, tc);
	return s;
}
