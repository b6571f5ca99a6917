/* SPDX-License-Identifier: MIT */
/* Whether we can serve, and the reason that is said. */
#include "test/unit/gate/reload_bed.h"

#define S UINT64_C(1000000000)
#define RVS "2001:22::77"

static struct reload_bed *b;

static void setup(void)
{
	b = reload_bed_new("[daemon]\nidentity = %/a.pem\n[host]\n"
			   "[register " RVS "]\naddress = 192.0.2.9\n");
}

static void teardown(void)
{
	reload_bed_free(b);
}

static void granted(uint32_t lifetime_s, uint64_t now)
{
	struct hip_effect e = { .lifetime_s = lifetime_s };

	ck_assert_int_eq(hit_parse(RVS, &e.peer), HG_OK);
	health_registered(&b->g, &e, now);
}

START_TEST(a_registration_that_is_not_there_or_over_is_a_fault)
{
	struct hip_effect other = { .lifetime_s = 9 };

	ck_assert(!b->g.health.looked);
	health_look(&b->g, S);
	ck_assert(!b->g.health.ready);
	ck_assert_ptr_nonnull(
		strstr(b->g.health.why, "not registered at 192.0.2.9:10500"));
	ck_assert_int_eq(hit_parse("2001:22::78", &other.peer), HG_OK);
	health_registered(&b->g, &other, S); /* elsewhere: no help */
	health_look(&b->g, S);
	ck_assert(!b->g.health.ready);
	granted(10, S);
	health_look(&b->g, 10 * S);
	ck_assert(b->g.health.ready);
	ck_assert_str_eq(b->g.health.why, "");
	health_look(&b->g, 11 * S);
	ck_assert(!b->g.health.ready);
}
END_TEST

START_TEST(the_first_fault_is_the_one_that_is_said)
{
	granted(1000, S);
	b->g.health.journal_failed = true;
	health_look(&b->g, S);
	ck_assert_ptr_nonnull(strstr(b->g.health.why, "journal"));
	b->g.stopping = true;
	health_look(&b->g, S);
	ck_assert_str_eq(b->g.health.why, "it is ending");
	b->g.stopping = false;
	b->g.health.journal_failed = false;
	health_look(&b->g, S);
	ck_assert(b->g.health.ready);
}
END_TEST

START_TEST(a_loop_of_dns_is_a_fault_for_a_minute)
{
	granted(1000, S);
	b->g.health.loop_at = 5 * S;
	health_look(&b->g, 64 * S);
	ck_assert(!b->g.health.ready);
	ck_assert_ptr_nonnull(strstr(b->g.health.why, "asks us"));
	health_look(&b->g, 65 * S);
	ck_assert(b->g.health.ready);
}
END_TEST

Suite *test_health_suite(void);
Suite *test_health_suite(void)
{
	Suite *s = suite_create("health");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_registration_that_is_not_there_or_over_is_a_fault);
	tcase_add_test(t, the_first_fault_is_the_one_that_is_said);
	tcase_add_test(t, a_loop_of_dns_is_a_fault_for_a_minute);
	suite_add_tcase(s, t);
	return s;
}
