/* SPDX-License-Identifier: MIT */
/* A name that once had a HIP record never goes back to clear text by itself. */
#include "test/unit/dns/desk.h"

#include "dns/pins.h"

static struct pins *p;

static void setup(void)
{
	ck_assert_int_eq(pins_new(8, &p), 0);
}

static void teardown(void)
{
	pins_free(p);
}

static int add(const char *name, uint8_t n)
{
	struct dname wire = desk_name(name);
	struct hit hit = desk_hit(n);

	return pins_add(p, &wire, &hit);
}

static bool has(const char *name)
{
	struct dname wire = desk_name(name);

	return pins_has(p, &wire);
}

static bool del(const char *name)
{
	struct dname wire = desk_name(name);

	return pins_del(p, &wire);
}

START_TEST(a_pin_is_found_in_any_case_until_it_is_deleted)
{
	ck_assert(!has("h.test"));
	ck_assert_int_eq(add("H.Test", 1), 0);
	ck_assert(has("h.test") && has("h.TEST"));
	ck_assert(!has("h.tes") && !has("x.h.test") && !has("test"));
	ck_assert_int_eq(add("h.test", 2), HG_EEXIST);
	ck_assert(!del("g.test"));
	ck_assert(del("h.tEst"));
	ck_assert(!has("h.test") && !del("h.test"));
	ck_assert_uint_eq(pins_num(p), 0);
}
END_TEST

static void list_one(const struct dname *name, const struct hit *hit, void *arg)
{
	char *all = arg;
	char text[DNS_NAME_MAX];

	ck_assert_int_eq(dname_print(name, text), HG_OK);
	(void)snprintf(all + strlen(all), 200 - strlen(all), "%s=%u ", text,
		       (unsigned)hit->b[15]);
}

START_TEST(each_pin_is_listed_once)
{
	char all[200] = "";
	size_t at = 0;

	ck_assert(!pins_some(p, &at, list_one, all));
	ck_assert_str_eq(all, "");
	ck_assert_int_eq(add("H.Test", 1), 0);
	ck_assert_int_eq(add("b.test", 2), 0);
	at = 0;
	while (pins_some(p, &at, list_one, all))
		;
	ck_assert_uint_eq(strlen(all), 2 * strlen("h.test=1 "));
	ck_assert_ptr_nonnull(strstr(all, "h.test=1 "));
	ck_assert_ptr_nonnull(strstr(all, "b.test=2 "));
}
END_TEST

START_TEST(who_fills_the_table_unpins_nobody)
{
	char name[32];

	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		ck_assert_int_eq(add(name, (uint8_t)i), i < 8 ? 0 : HG_EFULL);
	}
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		ck_assert(has(name) == (i < 8));
	}
	ck_assert(del("n3.test"));
	ck_assert_int_eq(add("x.test", 1), 0);
}
END_TEST

START_TEST(one_hit_has_its_share_and_no_more)
{
	char name[32];

	pins_free(p);
	ck_assert_int_eq(pins_new(0, &p), 0);
	for (unsigned i = 0; i < PINS_OF_HIT + 10; i++) {
		snprintf(name, sizeof(name), "n%u.wild.test", i);
		ck_assert_int_eq(add(name, 1), i < PINS_OF_HIT ? 0 : HG_EFULL);
	}
	ck_assert_int_eq(add("h.test", 2), 0);
	ck_assert(del("n0.wild.test"));
	ck_assert_int_eq(add("n999.wild.test", 1), 0);
	ck_assert_int_eq(add("n998.wild.test", 1), HG_EFULL);
}
END_TEST

/* ---- what they do to answers ---------------------------------------------- */

static struct desk k;

static void engine_up(void)
{
	struct hit hit = desk_hit(1);

	desk_open(&k);
	ck_assert_int_eq(dns_pin(k.d, "H.test.", &hit), 0);
	ck_assert_int_eq(dns_pin(k.d, "h.test", &hit), HG_EEXIST);
	ck_assert_int_eq(dns_pin(k.d, "", &hit), HG_EINVAL);
	ck_assert_int_eq(dns_pin(k.d, "pinned.off.test", &hit), 0);
}

static void engine_down(void)
{
	desk_close(&k);
}

/* All of it answered by a server that knows no HIP record; the rcode. */
static unsigned without_record(const char *name, unsigned rcode)
{
	const struct dns_effect *e;

	desk_forget(&k);
	desk_query(&k, name, SCAN_A, true, 0);
	/* What is not understood is asked again without EDNS. */
	for (unsigned i = 0; i < (rcode == SCAN_NOTIMP ? 2 : 1); i++) {
		e = desk_ask(&k, name, SCAN_HIP, false);
		if (e)
			desk_nothing(&k, e, rcode, 0);
	}
	e = desk_last(&k, DNS_REPLY);
	if (!e) {
		desk_addr_answer(&k, desk_ask(&k, name, SCAN_A, false), name,
				 "192.0.2.1", 0);
		e = desk_last(&k, DNS_REPLY);
	}
	ck_assert_ptr_nonnull(e);
	return e->rcode;
}

START_TEST(a_stripped_record_is_servfail_until_forgotten)
{
	struct desk_reply r;

	ck_assert(dns_pinned(k.d, "h.TEST"));
	ck_assert_uint_eq(without_record("h.test", SCAN_NOERROR),
			  SCAN_SERVFAIL);
	r = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_int_eq(desk_ede(&r), 15);
	ck_assert_uint_eq(without_record("h.test", SCAN_NXDOMAIN),
			  SCAN_SERVFAIL);
	ck_assert_uint_eq(without_record("h.test", SCAN_NOTIMP), SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_STRIPPED), 3);
	ck_assert_uint_eq(without_record("g.test", SCAN_NOERROR), 0);
	ck_assert(!dns_forget(k.d, "g.test"));
	ck_assert(dns_forget(k.d, "h.test"));
	ck_assert(!dns_forget(k.d, "h.test"));
	ck_assert_uint_eq(without_record("h.test", SCAN_NOERROR), 0);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_STRIPPED), 3);
}
END_TEST

START_TEST(no_answer_is_no_way_to_clear_text_either)
{
	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 "192.0.2.1", 0);
	dns_tick(k.d, 2 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
}
END_TEST

START_TEST(an_alias_of_a_pinned_name_is_as_good_as_pinned)
{
	const struct dns_effect *e;

	desk_query(&k, "alias.test", SCAN_A, true, 0);
	e = desk_ask(&k, "alias.test", SCAN_HIP, false);
	desk_answer_to(&k, e, 0);
	desk_rr_cname(&k, "alias.test", 60, "H.test");
	desk_hand_in(&k, e, 0);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_STRIPPED), 1);
}
END_TEST

START_TEST(where_hip_is_off_a_pin_says_nothing)
{
	ck_assert_uint_eq(without_record("pinned.off.test", SCAN_NOERROR), 0);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_STRIPPED), 0);
}
END_TEST

Suite *test_pins_suite(void);
Suite *test_pins_suite(void)
{
	Suite *s = suite_create("pins");
	TCase *tc = tcase_create("table");
	TCase *te = tcase_create("answers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_pin_is_found_in_any_case_until_it_is_deleted);
	tcase_add_test(tc, each_pin_is_listed_once);
	tcase_add_test(tc, who_fills_the_table_unpins_nobody);
	tcase_add_test(tc, one_hit_has_its_share_and_no_more);
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(te, engine_up, engine_down);
	tcase_add_test(te, a_stripped_record_is_servfail_until_forgotten);
	tcase_add_test(te, no_answer_is_no_way_to_clear_text_either);
	tcase_add_test(te, an_alias_of_a_pinned_name_is_as_good_as_pinned);
	tcase_add_test(te, where_hip_is_off_a_pin_says_nothing);
	suite_add_tcase(s, te);
	return s;
}
