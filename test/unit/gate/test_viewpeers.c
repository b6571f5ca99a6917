/* SPDX-License-Identifier: MIT */
/* How the path to a peer is named. */
#include "cmd/hipgated/viewpeers.h"

#include <check.h>

#include "cmd/hipgated/gate.h"

static struct gate g;

static void setup(void)
{
	const struct hip_config cfg = { .puzzle_k_max = 20 };

	memset(&g, 0, sizeof(g));
	ck_assert_int_eq(hip_new(&cfg, 1, &g.hip), HG_OK);
}

static void teardown(void)
{
	hip_free(g.hip);
}

static void is(const struct hip_peer *p, const char *word)
{
	json_t *row = viewpeers_one(&g, p);

	ck_assert_ptr_nonnull(row);
	ck_assert_str_eq(json_string_value(json_object_get(row, "path")), word);
	json_decref(row);
}

/* Each step adds what weighs more. */
START_TEST(the_word_is_that_of_what_matters_most)
{
	struct hip_peer p = { .verified = true };

	is(&p, "direct");
	p.verified = false;
	is(&p, "unverified");
	ck_assert_int_eq(endpoint_parse("198.51.100.1:20007", 1, &p.relayed_at),
			 HG_OK);
	is(&p, "relayed via 198.51.100.1:20007");
	p.doubtful = true;
	is(&p, "doubtful");
	p.stranded = true;
	is(&p, "none");
	p.checking = true;
	is(&p, "checking");
}
END_TEST

Suite *test_viewpeers_suite(void);
Suite *test_viewpeers_suite(void)
{
	Suite *s = suite_create("viewpeers");
	TCase *t = tcase_create("viewpeers");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_word_is_that_of_what_matters_most);
	suite_add_tcase(s, t);
	return s;
}
