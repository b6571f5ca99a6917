/* SPDX-License-Identifier: MIT */
/* Access lists: the first rule that fits, found without a walk. */
#include "hip/access.h"

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hit hit_of(const char *text)
{
	struct hit h;

	ck_assert_int_eq(hit_parse(text, &h), HG_OK);
	return h;
}

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), HG_OK);
	return a;
}

static struct hip_access_rule rule(bool allow, const char *text)
{
	struct hip_access_rule r = { .allow = allow };

	r.by_hit = hit_parse(text, &r.hit) == HG_OK;
	if (!r.by_hit)
		ck_assert_int_eq(prefix_parse(text, &r.prefix), HG_OK);
	return r;
}

static struct access made(const struct hip_access_rule *rules, size_t num)
{
	struct hip_access in[HIP_ROLE_NUM] = { [HIP_ROLE_HOST] = { rules,
								   num } };
	struct access a = { 0 };

	ck_assert_int_eq(access_init(&a, in), HG_OK);
	return a;
}

static bool ok(struct access *a, const char *hit, const char *at)
{
	struct hit h = hit_of(hit);
	struct addr addr = addr_of(at);

	return access_ok(a, HIP_ROLE_HOST, &h, &addr);
}

#define A "2001:22::a"
#define B "2001:22::b"

START_TEST(no_rules_let_everybody_in)
{
	struct access a = { 0 };

	ck_assert(ok(&a, A, "192.0.2.1"));
	a = made(NULL, 0);
	ck_assert(ok(&a, B, "2001:db8::1"));
	access_fini(&a);
}
END_TEST

START_TEST(a_list_with_an_allow_refuses_the_rest)
{
	struct hip_access_rule r[] = { rule(true, A) };
	struct access a = made(r, 1);

	ck_assert(ok(&a, A, "192.0.2.1"));
	ck_assert(!ok(&a, B, "192.0.2.1"));
	ck_assert(!ok(&a, "2001:22::9", "192.0.2.1"));
	/* Other roles have lists of their own. */
	ck_assert_int_eq(
		access_judge(&a, HIP_ROLE_RENDEZVOUS, &r[0].hit, &addr_any6),
		ACCESS_NO_RULE);
	access_fini(&a);
}
END_TEST

START_TEST(a_list_of_deny_lets_the_rest_in)
{
	struct hip_access_rule r[] = { rule(false, A),
				       rule(false, "192.0.2.0/24") };
	struct access a = made(r, 2);

	ck_assert(!ok(&a, A, "198.51.100.1"));
	ck_assert(!ok(&a, B, "192.0.2.255"));
	ck_assert(ok(&a, B, "192.0.3.0"));
	ck_assert(ok(&a, B, "192.0.1.255"));
	access_fini(&a);
}
END_TEST

START_TEST(the_first_rule_that_fits_decides)
{
	struct hip_access_rule r[] = {
		rule(true, A),
		rule(false, "203.0.113.0/24"),
		rule(true, "203.0.0.0/16"),
		rule(false, B),
	};
	struct access a = made(r, 4);

	ck_assert(ok(&a, A, "203.0.113.1")); /* named before its net */
	ck_assert(!ok(&a, B, "203.0.113.1"));
	ck_assert(ok(&a, B, "203.0.1.1")); /* its net is before its HIT */
	ck_assert(!ok(&a, B, "198.51.100.1"));
	ck_assert(!ok(&a, "2001:22::9", "198.51.100.1"));
	access_fini(&a);
	/* A wider prefix that stands first decides over a longer one. */
	r[0] = rule(true, "203.0.0.0/16");
	a = made(r, 2);
	ck_assert(ok(&a, B, "203.0.113.1"));
	access_fini(&a);
}
END_TEST

START_TEST(of_equal_rules_the_first_counts)
{
	struct hip_access_rule r[] = { rule(false, A), rule(true, A),
				       rule(true, "192.0.2.1"),
				       rule(false, "192.0.2.1") };
	struct access a = made(r, 4);

	ck_assert(!ok(&a, A, "198.51.100.1"));
	ck_assert(ok(&a, B, "192.0.2.1"));
	access_fini(&a);
}
END_TEST

START_TEST(families_are_apart_but_for_the_prefix_of_all)
{
	struct hip_access_rule r[] = { rule(true, "0.0.0.0/0") };
	struct access a = made(r, 1);

	ck_assert(ok(&a, A, "192.0.2.1"));
	ck_assert(!ok(&a, A, "2001:db8::1"));
	access_fini(&a);
	r[0] = rule(true, "::/0");
	a = made(r, 1);
	ck_assert(ok(&a, A, "192.0.2.1"));
	ck_assert(ok(&a, A, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	access_fini(&a);
	r[0] = rule(false, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	a = made(r, 1);
	ck_assert(!ok(&a, A, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	ck_assert(ok(&a, A, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"));
	access_fini(&a);
}
END_TEST

static void keep_hits(const struct hip_access_count *c, void *arg)
{
	uint64_t *hits = arg;

	ck_assert_int_eq(c->role, HIP_ROLE_HOST);
	hits[c->rule.by_hit ? 0 : 1] = c->hits;
}

START_TEST(each_rule_counts_what_it_decided)
{
	struct hip_access_rule r[] = { rule(true, A),
				       rule(false, "192.0.2.0/24") };
	struct access a = made(r, 2);
	uint64_t hits[2] = { 9, 9 };

	(void)ok(&a, A, "192.0.2.1");
	(void)ok(&a, A, "198.51.100.1");
	(void)ok(&a, B, "192.0.2.1");
	(void)ok(&a, B, "198.51.100.1"); /* no rule: nobody's */
	access_each(&a, keep_hits, hits);
	ck_assert_uint_eq(hits[0], 2);
	ck_assert_uint_eq(hits[1], 1);
	access_fini(&a);
}
END_TEST

START_TEST(rules_that_name_nobody_change_nothing)
{
	static struct hip_access_rule many[HIP_ACCESS_MAX + 1];
	struct hip_access_rule r[] = { rule(true, A), rule(true, B) };
	struct hip_access in[HIP_ROLE_NUM] = { [HIP_ROLE_HOST] = { r, 2 } };
	struct access a = made(r, 1);

	memset(&r[1].hit, 0, sizeof(r[1].hit));
	ck_assert_int_eq(access_init(&a, in), HG_EINVAL);
	r[1].by_hit = false;
	r[1].prefix.len = 129;
	ck_assert_int_eq(access_init(&a, in), HG_EINVAL);
	in[HIP_ROLE_HOST].rules = many;
	in[HIP_ROLE_HOST].num = HIP_ACCESS_MAX + 1;
	ck_assert_int_eq(access_init(&a, in), HG_EFULL);
	ck_assert(ok(&a, A, "192.0.2.1"));
	ck_assert(!ok(&a, B, "192.0.2.1"));
	access_fini(&a);
}
END_TEST

/* ---- against a stupid twin -------------------------------------------- */

static enum access_verdict walk(const struct hip_access_rule *r, size_t num,
				const struct hit *h, const struct addr *at)
{
	for (size_t i = 0; i < num; i++) {
		if (r[i].by_hit ? hit_eq(&r[i].hit, h)
				: prefix_has(&r[i].prefix, at))
			return r[i].allow ? ACCESS_ALLOW : ACCESS_DENY;
	}
	return ACCESS_NO_RULE;
}

static uint32_t pick(uint32_t below)
{
	return (uint32_t)random() % below;
}

static struct hit small_hit(void)
{
	struct hit h = hit_of("2001:22::");

	h.b[15] = (uint8_t)pick(32);
	return h;
}

/* Few bits differ, so that prefixes nest and meet. */
static struct addr small_addr(void)
{
	struct addr a = addr_of(pick(2) ? "192.0.2.0" : "2001:db8::");

	a.b[13] ^= (uint8_t)pick(4);
	a.b[15] = (uint8_t)pick(256);
	return a;
}

static struct hip_access_rule random_rule(void)
{
	struct hip_access_rule r = { .allow = pick(2), .by_hit = pick(2) };

	r.hit = small_hit();
	r.prefix.addr = small_addr();
	r.prefix.len = (uint8_t)(100 + pick(29));
	for (unsigned i = r.prefix.len; i < 128; i++)
		r.prefix.addr.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return r;
}

START_TEST(answers_as_a_walk_over_the_rules_does)
{
	uint32_t seed = randombytes_random();

	printf("answers_as_a_walk_over_the_rules_does: seed %u\n", seed);
	srandom(seed);
	for (int round = 0; round < 40; round++) {
		struct hip_access_rule r[64];
		size_t num = pick(64);
		struct access a;

		for (size_t i = 0; i < num; i++)
			r[i] = random_rule();
		a = made(r, num);
		for (int n = 0; n < 100; n++) {
			struct hit h = small_hit();
			struct addr at = small_addr();

			ck_assert_int_eq(
				access_judge(&a, HIP_ROLE_HOST, &h, &at),
				walk(r, num, &h, &at));
		}
		access_fini(&a);
	}
}
END_TEST

Suite *test_access_suite(void)
{
	Suite *s = suite_create("access");
	TCase *t = tcase_create("lists");

	tcase_add_test(t, no_rules_let_everybody_in);
	tcase_add_test(t, a_list_with_an_allow_refuses_the_rest);
	tcase_add_test(t, a_list_of_deny_lets_the_rest_in);
	tcase_add_test(t, the_first_rule_that_fits_decides);
	tcase_add_test(t, of_equal_rules_the_first_counts);
	tcase_add_test(t, families_are_apart_but_for_the_prefix_of_all);
	tcase_add_test(t, each_rule_counts_what_it_decided);
	tcase_add_test(t, rules_that_name_nobody_change_nothing);
	tcase_add_test(t, answers_as_a_walk_over_the_rules_does);
	suite_add_tcase(s, t);
	return s;
}
