/* SPDX-License-Identifier: MIT */
/* Names that need no server. */
#include "test/unit/dns/desk.h"

static struct desk k;
static struct addr sub6;
static struct addr sub4;

/* rec: at one address; rvs: behind a named and a numbered server; bare: only
 * a HIT. */
static void fill(struct dns_record r[3])
{
	memset(r, 0, 3 * sizeof(*r));
	strcpy(r[0].name, "rec.test");
	r[0].hit = desk_hit(1);
	r[0].at[0] = desk_addr("192.0.2.1");
	r[0].at_num = 1;
	strcpy(r[1].name, "RVS.test");
	r[1].hit = desk_hit(2);
	r[1].via_rvs = true;
	strcpy(r[1].rvs[0], "agent.test");
	r[1].rvs_num = 1;
	r[1].at[0] = desk_addr("2001:db8::9");
	r[1].at_num = 1;
	strcpy(r[2].name, "bare.test");
	r[2].hit = desk_hit(3);
}

static void setup(void)
{
	struct dns_record r[3];

	fill(r);
	desk_open(&k);
	sub6 = desk_addr("fd00:5::5");
	sub4 = desk_addr("198.18.0.5");
	ck_assert_int_eq(dns_set_records(k.d, r, 3), 0);
}

static void teardown(void)
{
	desk_close(&k);
}

static const struct dns_host *needed(void)
{
	const struct dns_effect *e = desk_last(&k, DNS_NEED_ADDRESS);

	return e ? e->host : NULL;
}

START_TEST(a_record_with_addresses_asks_no_server)
{
	const struct dns_host *h;
	struct desk_reply p;

	desk_query(&k, "REC.test", SCAN_AAAA, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 0);
	h = needed();
	ck_assert_ptr_nonnull(h);
	ck_assert(h->local && !h->via_rvs);
	ck_assert_uint_eq(h->hit.b[15], 1);
	ck_assert_uint_eq(h->locators_num, 1);
	dns_give(k.d, desk_last(&k, DNS_NEED_ADDRESS)->question, 0, &sub6,
		 &sub4, NULL, 0);
	desk_drain(&k);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(p.rr.type, SCAN_AAAA);
	ck_assert_mem_eq(p.rr.rdata, sub6.b, 16);
	ck_assert_uint_eq(p.rr.ttl, 60);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

START_TEST(servers_by_address_come_first_and_by_name_are_looked_up)
{
	const struct dns_host *h;

	desk_query(&k, "rvs.test", SCAN_A, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 2);
	desk_addr_answer(&k, desk_ask(&k, "agent.test", SCAN_A, false),
			 "agent.test", "192.0.2.7", 0);
	desk_nothing(&k, desk_ask(&k, "agent.test", SCAN_AAAA, false), 0, 0);
	h = needed();
	ck_assert_ptr_nonnull(h);
	ck_assert(h->via_rvs);
	ck_assert_uint_eq(h->locators_num, 2);
	ck_assert_uint_eq(h->locators[0].b[15], 9);
	ck_assert_uint_eq(h->locators[1].b[15], 7);
}
END_TEST

START_TEST(without_addresses_its_name_is_asked_for_them_and_not_for_hip)
{
	desk_query(&k, "bare.test", SCAN_A, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 2);
	ck_assert_ptr_null(desk_ask(&k, "bare.test", SCAN_HIP, false));
	desk_addr_answer(&k, desk_ask(&k, "bare.test", SCAN_A, false),
			 "bare.test", "192.0.2.8", 0);
	desk_nothing(&k, desk_ask(&k, "bare.test", SCAN_AAAA, false), 0, 0);
	ck_assert_ptr_nonnull(needed());
	ck_assert_uint_eq(needed()->locators[0].b[15], 8);
}
END_TEST

START_TEST(what_is_not_said_of_a_name_is_not_there)
{
	struct desk_reply p;

	desk_query(&k, "rec.test", 16, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 0);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(p.header.count[1], 0);
	ck_assert_uint_eq(p.rr.type, SCAN_SOA);
	desk_query(&k, "other.test", 16, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 1);
}
END_TEST

/* All that counts of the answer came: no second try, and no SERVFAIL. */
START_TEST(an_alias_to_it_may_come_cut_short)
{
	const struct dns_effect *e;

	desk_query(&k, "alias.test", SCAN_A, true, 0);
	e = desk_ask(&k, "alias.test", SCAN_HIP, false);
	desk_answer_to(&k, e, 0);
	desk_rr_cname(&k, "alias.test", 300, "rec.test");
	k.buf[2] |= 0x02;
	desk_hand_in(&k, e, 0);
	ck_assert_ptr_null(desk_ask(&k, "alias.test", SCAN_HIP, true));
	ck_assert_ptr_nonnull(needed());
	ck_assert(needed()->local);
	ck_assert_uint_eq(needed()->hit.b[15], 1);
}
END_TEST

START_TEST(the_daemons_own_look_up_finds_it_too)
{
	ck_assert_int_eq(
		dns_resolve(k.d, "rec.test", NULL, &k.who.server, 4, 0), 0);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 0);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_RESOLVED));
	ck_assert_uint_eq(desk_last(&k, DNS_RESOLVED)->host->hit.b[15], 1);
}
END_TEST

START_TEST(an_alias_outside_does_not_lead_around_it)
{
	const struct dns_effect *e;

	desk_query(&k, "alias.test", SCAN_A, true, 0);
	e = desk_ask(&k, "alias.test", SCAN_HIP, false);
	desk_answer_to(&k, e, 0);
	desk_rr_cname(&k, "alias.test", 60, "rec.test");
	desk_hand_in(&k, e, 0);
	e = desk_last(&k, DNS_NEED_ADDRESS);
	ck_assert_ptr_nonnull(e);
	ck_assert_str_eq(e->host->name, "alias.test");
	ck_assert_uint_eq(e->host->locators_num, 1);
	/* What a server says of the alias's addresses came too late. */
	ck_assert_ptr_null(desk_last(&k, DNS_REPLY));
}
END_TEST

/* Its key is not known: then there is no record to give. */
START_TEST(its_own_record_is_answered_where_the_key_is_known)
{
	struct dns_record r[3];
	uint8_t want[200];
	struct desk_reply p;
	size_t len = desk_hip(want, sizeof(want), 1, NULL);

	desk_query(&k, "rec.test", SCAN_HIP, true, 0);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(p.rr.type, SCAN_SOA);
	fill(r);
	r[0].hit = desk_hit(1);
	r[0].pk_alg = 3;
	r[0].pk_len = 64;
	memcpy(r[0].pk, want + 20, 64);
	ck_assert_int_eq(dns_set_records(k.d, r, 3), 0);
	desk_query(&k, "rec.test", SCAN_HIP, true, 0);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(p.rr.type, SCAN_HIP);
	ck_assert_uint_eq(p.rr.rdlen, len);
	ck_assert_mem_eq(p.rr.rdata, want, len);
	ck_assert_int_eq(desk_ede(&p), 4);
}
END_TEST

START_TEST(bad_records_change_nothing)
{
	struct dns_record r[3];

	fill(r);
	strcpy(r[2].name, "rec.TEST.");
	ck_assert_int_eq(dns_set_records(k.d, r, 3), HG_EEXIST);
	strcpy(r[2].name, "a..b");
	ck_assert_int_eq(dns_set_records(k.d, r, 3), HG_EINVAL);
	fill(r);
	strcpy(r[1].rvs[0], "");
	ck_assert_int_eq(dns_set_records(k.d, r, 3), HG_EINVAL);
	desk_query(&k, "bare.test", SCAN_A, true, 0);
	ck_assert_ptr_null(desk_ask(&k, "bare.test", SCAN_HIP, false));
	ck_assert_int_eq(dns_set_records(k.d, NULL, 0), 0);
	desk_query(&k, "rec.test", SCAN_A, true, 0);
	ck_assert_ptr_nonnull(desk_ask(&k, "rec.test", SCAN_HIP, false));
}
END_TEST

Suite *test_local_suite(void);
Suite *test_local_suite(void)
{
	Suite *s = suite_create("local");
	TCase *tc = tcase_create("local");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_record_with_addresses_asks_no_server);
	tcase_add_test(tc,
		       servers_by_address_come_first_and_by_name_are_looked_up);
	tcase_add_test(
		tc,
		without_addresses_its_name_is_asked_for_them_and_not_for_hip);
	tcase_add_test(tc, what_is_not_said_of_a_name_is_not_there);
	tcase_add_test(tc, an_alias_to_it_may_come_cut_short);
	tcase_add_test(tc, the_daemons_own_look_up_finds_it_too);
	tcase_add_test(tc, an_alias_outside_does_not_lead_around_it);
	tcase_add_test(tc, its_own_record_is_answered_where_the_key_is_known);
	tcase_add_test(tc, bad_records_change_nothing);
	suite_add_tcase(s, tc);
	return s;
}
