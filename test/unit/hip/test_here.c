/* SPDX-License-Identifier: MIT */
/* Our own addresses: what is taken, what is better. */
#include "test/unit/hip/move_bed.h"

#include "hip/here.h"
#include "hip/ice.h"
#include "hip/readdress.h"

static struct hip *engine(void)
{
	struct hip_config cfg = lab_config();
	struct hip *h;

	ck_assert_int_eq(hip_new(&cfg, LAB_S, &h), HG_OK);
	return h;
}

START_TEST(a_list_that_cannot_be_is_refused_and_changes_nothing)
{
	struct hip_here v[HIP_HERE_MAX + 1] = { 0 };
	struct hip *h = engine();
	char text[ADDR_TEXT_MAX];

	for (int i = 0; i <= HIP_HERE_MAX; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i + 1);
		v[i].at = bed_at(text);
	}
	ck_assert_int_eq(hip_set_here(h, v, 1, LAB_S), HG_OK);
	ck_assert_int_eq(hip_set_here(h, v, HIP_HERE_MAX + 1, LAB_S),
			 HG_EINVAL);
	v[1] = v[0];
	ck_assert_int_eq(hip_set_here(h, v, 2, LAB_S), HG_EINVAL);
	v[1].at.port++; /* another one */
	ck_assert_int_eq(hip_set_here(h, v, 2, LAB_S), HG_OK);
	v[1].at.port = 0;
	ck_assert_int_eq(hip_set_here(h, v, 2, LAB_S), HG_EINVAL);
	ck_assert_uint_eq(h->here.num, 2);
	ck_assert_uint_eq(h->here.at[1].at.port, HIP_PORT + 1);
	ck_assert_uint_eq(h->here.generation, 2);
	hip_free(h);
}
END_TEST

START_TEST(the_same_list_again_is_no_news)
{
	struct hip_here v[2] = { { bed_at("192.0.2.1"), 1, false },
				 { bed_at("192.0.2.2"), 2, false } };
	struct hip *h = engine();

	ck_assert_int_eq(hip_set_here(h, v, 2, LAB_S), HG_OK);
	ck_assert_int_eq(hip_set_here(h, v, 2, LAB_S), HG_OK);
	ck_assert_uint_eq(h->here.generation, 1);
	v[0].link = 7;
	ck_assert_int_eq(hip_set_here(h, v, 2, LAB_S), HG_OK);
	ck_assert_uint_eq(h->here.generation, 2);
	ck_assert_int_eq(hip_set_here(h, NULL, 0, LAB_S), HG_OK);
	ck_assert_uint_eq(h->here.generation, 3);
	ck_assert_uint_eq(h->here.num, 0);
	hip_free(h);
}
END_TEST

START_TEST(what_nobody_could_reach_is_left_out)
{
	static const char *const bad[] = {
		"127.0.0.1",   "[::1]:10500", "[fe80::1]:10500",
		"169.254.1.1", "224.0.0.1",   "[2001:20::5]:10500"
	};
	struct hip_here v[2] = { 0 };
	struct hip *h = engine();

	v[0].at = bed_at(bad[_i]);
	v[1].at = bed_at("[fd00::1]:10500"); /* unique local: fine */
	ck_assert_int_eq(hip_set_here(h, v, 2, LAB_S), HG_OK);
	ck_assert_uint_eq(h->here.num, 1);
	ck_assert(endpoint_eq(&h->here.at[0].at, &v[1].at));
	hip_free(h);
}
END_TEST

/* They are ours, and that is all. */
START_TEST(quiet_addresses_are_ours_and_no_news)
{
	struct hip_here v[3] = { { bed_at("192.0.2.9"), 3, true },
				 { bed_at("192.0.2.1"), 1, false },
				 { bed_at("192.0.2.2"), 2, false } };
	struct endpoint four = bed_at("203.0.113.1");
	struct hip *h = engine();
	struct endpoint is;

	ck_assert_int_eq(hip_set_here(h, v, 3, LAB_S), HG_OK);
	ck_assert_uint_eq(h->here.num, 2);
	ck_assert(here_lives(&h->here, &v[0].at));
	ck_assert(here_has(&h->here, &v[0].at));
	ck_assert(here_is_quiet(&h->here, &v[0].at));
	ck_assert(!here_is_quiet(&h->here, &v[1].at));
	is = here_towards(&h->here, &four);
	ck_assert(endpoint_eq(&is, &v[1].at));
	v[0].at = bed_at("192.0.2.10");
	ck_assert_int_eq(hip_set_here(h, v, 3, LAB_S), HG_OK);
	ck_assert_uint_eq(h->here.generation, 1);
	ck_assert(here_has(&h->here, &v[0].at));
	v[2].quiet = true;
	ck_assert_int_eq(hip_set_here(h, v, 3, LAB_S), HG_OK);
	ck_assert_uint_eq(h->here.generation, 2);
	ck_assert_uint_eq(h->here.num, 1);
	ck_assert_int_eq(hip_set_here(h, v, 1, LAB_S), HG_OK);
	is = here_towards(&h->here, &four);
	ck_assert(addr_is_unspecified(&is.addr)); /* not from there */
	hip_free(h);
}
END_TEST

START_TEST(those_beyond_the_room_are_quiet)
{
	struct hip_here v[HIP_LOUD_MAX + 2] = { 0 };
	struct hip *h = engine();
	char text[ADDR_TEXT_MAX];

	for (int i = 0; i < HIP_LOUD_MAX + 2; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i + 1);
		v[i].at = bed_at(text);
	}
	ck_assert_int_eq(hip_set_here(h, v, HIP_LOUD_MAX + 2, LAB_S), HG_OK);
	ck_assert_uint_eq(h->here.num, HIP_LOUD_MAX);
	ck_assert(!here_is_quiet(&h->here, &v[HIP_LOUD_MAX - 1].at));
	ck_assert(here_is_quiet(&h->here, &v[HIP_LOUD_MAX].at));
	ck_assert(here_lives(&h->here, &v[HIP_LOUD_MAX + 1].at));
	hip_free(h);
}
END_TEST

START_TEST(the_best_of_the_family_leads_there)
{
	struct hip_here v[3] = { { bed_at("[2001:db8::1]:10500"), 0, false },
				 { bed_at("192.0.2.1"), 0, false },
				 { bed_at("192.0.2.2"), 0, false } };
	struct endpoint four = bed_at("203.0.113.1");
	struct endpoint six = bed_at("[2001:db8::9]:10500");
	struct endpoint gone = bed_at("192.0.2.3");
	struct endpoint is;
	struct hip *h = engine();

	is = here_towards(&h->here, &four);
	ck_assert(addr_is_unspecified(&is.addr));
	ck_assert(here_lives(&h->here, &gone)); /* nobody has said */
	ck_assert_int_eq(hip_set_here(h, v, 3, LAB_S), HG_OK);
	is = here_towards(&h->here, &four);
	ck_assert(endpoint_eq(&is, &v[1].at));
	is = here_towards(&h->here, &six);
	ck_assert(endpoint_eq(&is, &v[0].at));
	ck_assert(!here_lives(&h->here, &gone));
	ck_assert(here_lives(&h->here, &v[2].at));
	ck_assert_uint_eq(here_find(&h->here, &v[2].at), 2);
	hip_free(h);
}
END_TEST

START_TEST(each_policy_has_its_order)
{
	struct prefix order[2];
	struct hip_path_policy p = { .prefer = HIP_PREFER_ORDER,
				     .order = order,
				     .order_num = 2 };
	struct hip_here v[2] = { { bed_at("192.0.2.1"), 0, false },
				 { bed_at("192.0.2.2"), 0, false } };
	struct endpoint far = bed_at("203.0.113.1");
	struct endpoint six = bed_at("[2001:db8::1]:10500");
	struct hip *h = engine();
	const struct here *e = &h->here;

	ck_assert_int_eq(hip_set_here(h, v, 2, LAB_S), HG_OK);
	ck_assert_uint_eq(here_rank(e, &v[0].at, &far, true), 0);
	ck_assert_uint_eq(here_rank(e, &v[0].at, &far, false), 1);
	ck_assert_int_eq(prefix_parse("2001:db8::/32", &order[0]), HG_OK);
	ck_assert_int_eq(prefix_parse("192.0.2.2", &order[1]), HG_OK);
	ck_assert_int_eq(hip_set_path_policy(h, &p, LAB_S), HG_OK);
	order[0] = order[1]; /* it was copied */
	ck_assert_uint_eq(here_rank(e, &six, &six, false), 0);
	ck_assert_uint_eq(here_rank(e, &v[1].at, &far, false), 1);
	ck_assert_uint_eq(here_rank(e, &v[0].at, &far, true), 2);
	p.prefer = HIP_PREFER_LINK;
	ck_assert_int_eq(hip_set_path_policy(h, &p, LAB_S), HG_OK);
	ck_assert_uint_eq(here_rank(e, &v[0].at, &far, false), 0);
	ck_assert_uint_eq(here_rank(e, &v[1].at, &far, true), 1);
	ck_assert_uint_eq(e->policy.silence_ms, 1000);
	ck_assert_uint_eq(e->policy.return_s, 10);
	p.prefer = HIP_PREFER_NUM;
	ck_assert_int_eq(hip_set_path_policy(h, &p, LAB_S), HG_EINVAL);
	p.prefer = HIP_PREFER_ORDER;
	p.order_num = HIP_ORDER_MAX + 1;
	ck_assert_int_eq(hip_set_path_policy(h, &p, LAB_S), HG_EINVAL);
	ck_assert_int_eq(e->policy.prefer, HIP_PREFER_LINK);
	ck_assert_int_eq(hip_set_barred(h, order, HIP_BARRED_MAX + 1),
			 HG_EINVAL);
	hip_free(h);
}
END_TEST

/* ---- a NAT that translates 1:1 ---------------------------------------------- */

static struct endpoint place(const char *text)
{
	struct endpoint e = { .port = 7 };

	ck_assert_int_eq(addr_parse(text, &e.addr), HG_OK);
	return e;
}

static struct hip_outer outer(const char *inner, const char *as)
{
	return (struct hip_outer){ .inner = inner ? place(inner).addr
						  : addr_any6,
				   .outer = place(as).addr };
}

START_TEST(others_know_us_by_outer_addresses)
{
	static const char *const pair[][2] = {
		{ "10.0.0.5", "203.0.113.5" },	    /* by its rule */
		{ "192.168.1.1", "203.0.113.9" },   /* as any private one */
		{ "198.51.100.1", "198.51.100.1" }, /* is none */
		{ "fd00::5", "2001:db8::5" },	    { "fd00::6", "fd00::6" },
	};
	const struct hip_outer o[] = { outer(NULL, "203.0.113.9"),
				       outer("10.0.0.5", "203.0.113.5"),
				       outer("fd00::5", "2001:db8::5") };
	struct hip_config cfg = lab_config();
	struct endpoint in, out, at;
	struct hip *h;

	ck_assert_int_eq(hip_new(&cfg, LAB_S, &h), HG_OK);
	ck_assert_int_eq(hip_set_outer(h, o, 3), HG_OK);
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		in = place(pair[i][0]);
		out = place(pair[i][1]);
		at = here_outside(&h->here, &in);
		ck_assert(endpoint_eq(&at, &out));
		ck_assert(here_is_outer(&h->here, &out.addr) ==
			  !endpoint_eq(&in, &out));
		at = here_inside(&h->here, &out);
		if (i == 1)
			in.addr = addr_any6; /* the kernel picks */
		ck_assert(endpoint_eq(&at, &in));
	}
	hip_free(h);
}
END_TEST

START_TEST(outer_addresses_that_cannot_be)
{
	const struct hip_outer good = outer("10.0.0.5", "203.0.113.5");
	const struct hip_outer bad[][2] = {
		{ good, outer("10.0.0.5", "203.0.113.6") },
		{ good, outer("10.0.0.6", "203.0.113.5") },
		{ good, outer(NULL, "2001:db8::5") },
		{ good, outer("fd00::5", "203.0.113.6") },
		{ good, outer("10.0.0.6", "127.0.0.1") },
		{ good, outer("fd00::6", "fe80::1") },
	};
	const struct hip_outer many[HIP_OUTER_MAX + 1] = { good };
	struct hip_config cfg = lab_config();
	struct hip *h;

	ck_assert_int_eq(hip_new(&cfg, LAB_S, &h), HG_OK);
	ck_assert_int_eq(hip_set_outer(h, bad[_i], 2), HG_EINVAL);
	ck_assert_int_eq(hip_set_outer(h, many, HIP_OUTER_MAX + 1), HG_EINVAL);
	ck_assert_uint_eq(h->here.outer_num, 0);
	ck_assert(!here_is_outer(&h->here, &good.outer));
	hip_free(h);
}
END_TEST

/* One in the place of several inner ones; with ICE beside them. */
START_TEST(peers_are_told_outer_addresses)
{
	const struct endpoint none = { .port = 0 };
	const struct hip_here v[] = { { .at = place("10.0.0.5") },
				      { .at = place("10.0.0.6") },
				      { .at = place("2001:db8::1") } };
	const struct hip_outer o = outer(NULL, "203.0.113.5");
	const struct endpoint as = { o.outer, v[0].at.port };
	struct hip_config cfg = lab_config();
	struct locset set;
	struct hit self = { { 1 } };
	struct hip *h;

	ck_assert_int_eq(hip_new(&cfg, LAB_S, &h), HG_OK);
	ck_assert_int_eq(hip_set_outer(h, &o, 1), HG_OK);
	ck_assert_int_eq(hip_set_here(h, v, 3, LAB_S), HG_OK);
	ck_assert_uint_ne(readdress_for_exchange(h, &v[1].at, &set), 0);
	ck_assert_uint_eq(set.num, 2);
	ck_assert(endpoint_eq(&set.v[0].at, &as));
	ck_assert(set.v[0].preferred);
	ck_assert(endpoint_eq(&set.v[1].at, &v[2].at));
	ck_assert(!set.v[1].preferred);
	ice_candidates(h, &self, &v[0].at, &none, 7, &set);
	ck_assert_uint_eq(set.num, 4);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(endpoint_eq(&set.v[i].at, &v[i].at));
		ck_assert_int_eq(set.v[i].kind, LOCATOR_HOST);
	}
	ck_assert(endpoint_eq(&set.v[3].at, &as));
	ck_assert_int_eq(set.v[3].kind, LOCATOR_SERVER_REFLEXIVE);
	ck_assert_uint_lt(set.v[3].priority, set.v[2].priority);
	hip_free(h);
}
END_TEST

/* A LOCATOR_SET has room for eight. */
START_TEST(the_address_in_use_is_told_however_many_there_are)
{
	struct hip_here v[10] = { 0 };
	struct hip *h = engine();
	struct locset set;
	char text[ADDR_TEXT_MAX];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i + 1);
		v[i].at = bed_at(text);
	}
	v[9].quiet = true; /* but for this one */
	ck_assert_int_eq(hip_set_here(h, v, 10, LAB_S), HG_OK);
	for (int i = 0; i < 9; i++) {
		ck_assert_uint_ne(readdress_for_exchange(h, &v[i].at, &set), 0);
		ck_assert_uint_eq(set.num, HIP_LOCATORS_MAX);
		ck_assert(endpoint_eq(&set.v[0].at, &v[i].at));
		for (size_t k = 0; k < set.num; k++)
			ck_assert(set.v[k].preferred == (k == 0));
		ck_assert(endpoint_eq(&set.v[1].at, &v[i == 0].at));
	}
	ck_assert_uint_eq(readdress_for_exchange(h, &v[9].at, &set), 0);
	v[9].at.port++;
	ck_assert_uint_eq(readdress_for_exchange(h, &v[9].at, &set), 0);
	hip_free(h);
}
END_TEST

Suite *test_here_suite(void);
Suite *test_here_suite(void)
{
	Suite *s = suite_create("here");
	TCase *t = tcase_create("here");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, quiet_addresses_are_ours_and_no_news);
	tcase_add_test(t, those_beyond_the_room_are_quiet);
	tcase_add_test(t, a_list_that_cannot_be_is_refused_and_changes_nothing);
	tcase_add_test(t, the_same_list_again_is_no_news);
	tcase_add_loop_test(t, what_nobody_could_reach_is_left_out, 0, 6);
	tcase_add_test(t, the_best_of_the_family_leads_there);
	tcase_add_test(t, each_policy_has_its_order);
	tcase_add_test(t, others_know_us_by_outer_addresses);
	tcase_add_test(t, the_address_in_use_is_told_however_many_there_are);
	tcase_add_test(t, peers_are_told_outer_addresses);
	tcase_add_loop_test(t, outer_addresses_that_cannot_be, 0, 6);
	suite_add_tcase(s, t);
	return s;
}
