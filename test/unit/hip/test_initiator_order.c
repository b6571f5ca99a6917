/* SPDX-License-Identifier: MIT */
/* The Initiator: which locator is asked first. */
#include "hip/initiator.h"

#include "test/unit/hip/move_bed.h"

static struct lab *pair(void)
{
	return lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
}

static bool lose_all(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	(void)p;
	return false;
}

static const char *const asked[] = { "[2001:db8::2]:10500", "192.0.2.2",
				     "[2001:db8:1::2]:10500" };
#define FOUR "192.0.2.1"
#define SIX "[2001:db8::1]:10500"

/* What we have, what we prefer, and in which order the three are asked. */
static const struct asking {
	int num; /* -1: nobody has said */
	const char *here[2];
	enum hip_prefer prefer;
	const char *order;
	unsigned go[3];
} askings[] = {
	{ -1, { NULL }, HIP_PREFER_ANNOUNCED, NULL, { 0, 1, 2 } },
	{ -1, { NULL }, HIP_PREFER_ORDER, "0.0.0.0/0", { 1, 0, 2 } },
	{ 0, { NULL }, HIP_PREFER_ANNOUNCED, NULL, { 0, 1, 2 } },
	{ 1, { FOUR }, HIP_PREFER_ANNOUNCED, NULL, { 1, 0, 2 } },
	{ 1, { FOUR }, HIP_PREFER_ORDER, "2001:db8::/32", { 1, 0, 2 } },
	{ 1, { SIX }, HIP_PREFER_ANNOUNCED, NULL, { 0, 2, 1 } },
	{ 1, { SIX }, HIP_PREFER_ORDER, "192.0.2.0/24", { 0, 2, 1 } },
	{ 2, { FOUR, SIX }, HIP_PREFER_ANNOUNCED, NULL, { 0, 1, 2 } },
	{ 2, { FOUR, SIX }, HIP_PREFER_LINK, NULL, { 1, 0, 2 } },
	{ 2, { SIX, FOUR }, HIP_PREFER_LINK, NULL, { 0, 2, 1 } },
	{ 2, { SIX, FOUR }, HIP_PREFER_ORDER, "192.0.2.0/24", { 1, 0, 2 } },
	{ 2, { FOUR, SIX }, HIP_PREFER_ORDER, "2001:db8:1::/48", { 2, 0, 1 } },
};
#define ASKINGS (int)(sizeof(askings) / sizeof(askings[0]))

static int want_three(struct lab *lab)
{
	struct endpoint at[3];
	int err;

	for (size_t i = 0; i < 3; i++)
		at[i] = bed_at(asked[i]);
	err = hip_want(lab->host[0].h, NULL, &lab->host[1].hit, at, 3,
		       lab->now);
	lab_effects(lab, 0);
	return err;
}

static void prefer(struct lab *lab, const struct asking *k)
{
	struct prefix order;
	struct hip_path_policy p = { .prefer = k->prefer,
				     .order = &order,
				     .order_num = k->order != NULL };

	if (k->order)
		ck_assert_int_eq(prefix_parse(k->order, &order), HG_OK);
	ck_assert_int_eq(hip_set_path_policy(lab->host[0].h, &p, lab->now),
			 HG_OK);
	if (k->num >= 0)
		bed_here(lab, 0, k->here, (size_t)k->num);
}

START_TEST(the_first_i1_goes_where_there_is_a_way_and_we_prefer)
{
	const struct asking *k = &askings[_i];
	struct lab *lab = pair();
	struct endpoint to;

	prefer(lab, k);
	lab->hook = lose_all;
	ck_assert_int_eq(want_three(lab), HG_OK);
	for (unsigned i = 0; i < 3; i++) {
		to = bed_at(asked[k->go[i]]);
		ck_assert_uint_eq(lab->sent[HIP_I1], i + 1);
		ck_assert(
			endpoint_eq(&lab->host[0].last[HIP_SEND].peer_at, &to));
		lab_sleep(lab, 250 * LAB_MS);
	}
	lab_free(lab);
}
END_TEST

START_TEST(ipv4_alone_meets_a_host_of_both_families_at_once)
{
	static const struct asking four = {
		1, { FOUR }, HIP_PREFER_ANNOUNCED, NULL, { 1, 0, 2 }
	};
	struct lab *lab = pair();
	uint64_t t0 = lab->now;

	prefer(lab, &four);
	ck_assert_int_eq(want_three(lab), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->now, t0);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	lab_free(lab);
}
END_TEST

Suite *test_initiator_order_suite(void);
Suite *test_initiator_order_suite(void)
{
	Suite *s = suite_create("initiator_order");
	TCase *t = tcase_create("initiator_order");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
		t, the_first_i1_goes_where_there_is_a_way_and_we_prefer, 0,
		ASKINGS);
	tcase_add_test(t, ipv4_alone_meets_a_host_of_both_families_at_once);
	suite_add_tcase(s, t);
	return s;
}
