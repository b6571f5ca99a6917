/* SPDX-License-Identifier: MIT */
/* Which queries are answered, refused, relayed or looked up. */
#include "test/unit/dns/desk.h"

static struct desk k;

static void setup(void)
{
	desk_open(&k);
}

static void teardown(void)
{
	desk_close(&k);
}

START_TEST(each_type_asks_for_what_it_needs)
{
	static const struct {
		const char *name;
		uint16_t type;
		unsigned hip, a, aaaa, all;
	} t[] = {
		{ "x.test", SCAN_A, 1, 1, 1, 3 },
		{ "x.test", SCAN_AAAA, 1, 1, 1, 3 },
		{ "x.test", SCAN_HTTPS, 1, 0, 0, 2 },
		{ "x.test", SCAN_SVCB, 1, 0, 0, 2 },
		{ "x.test", SCAN_ANY, 1, 0, 0, 2 },
		{ "x.test", 15 /* MX */, 0, 0, 0, 1 },
		{ "x.test", 16 /* TXT */, 0, 0, 0, 1 },
		{ "x.test", SCAN_HIP, 1, 0, 0, 1 },
		{ "x.test", SCAN_PTR, 0, 0, 0, 1 },
		{ "x.off.test", SCAN_A, 0, 1, 0, 1 },
		{ "x.off.test", SCAN_AAAA, 0, 0, 1, 1 },
		{ ".", SCAN_A, 1, 1, 1, 3 },
	};
	unsigned n[3] = { 0 };
	size_t len;

	desk_query(&k, t[_i].name, t[_i].type, true, 0);
	len = wr_len(&k.w);
	for (size_t i = 0; i < k.num; i++) {
		const struct dns_effect *e = &k.got[i].e;

		ck_assert_int_eq(e->kind, DNS_ASK);
		ck_assert(endpoint_eq(&e->server, &k.who.server));
		n[0] += e->qtype == SCAN_HIP;
		n[1] += e->qtype == SCAN_A;
		n[2] += e->qtype == SCAN_AAAA;
	}
	ck_assert_uint_eq(n[0], t[_i].hip);
	ck_assert_uint_eq(n[1], t[_i].a);
	ck_assert_uint_eq(n[2], t[_i].aaaa);
	ck_assert_uint_eq(k.num, t[_i].all);
	ck_assert_uint_eq(k.seen, 1);
	ck_assert(desk_is_own(&k.got[0].e, k.buf, len));
	ck_assert_uint_eq(dns_pending(k.d), 1);
	ck_assert_uint_lt(dns_deadline(k.d), 5 * SEC);
}
END_TEST

START_TEST(what_is_no_question_is_answered_so_or_dropped)
{
	static const struct {
		uint16_t flags;
		unsigned questions;
		int rcode; /* -1: dropped */
		enum reason why;
	} t[] = {
		{ 0x8000, 1, -1, REASON_DNS_NOT_QUERY },
		{ 0x2000, 1, SCAN_NOTIMP, REASON_DNS_NOT_QUERY },
		{ 0x2800, 1, SCAN_NOTIMP, REASON_DNS_NOT_QUERY },
		{ 0x0100, 0, SCAN_FORMERR, REASON_DNS_NOT_QUERY },
		{ 0x0100, 2, SCAN_FORMERR, REASON_DNS_NOT_QUERY },
	};
	struct desk_reply p;

	desk_start(&k, 77, t[_i].flags);
	for (unsigned i = 0; i < t[_i].questions; i++)
		desk_question(&k, "x.test", SCAN_A);
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	ck_assert_uint_eq(desk_reason(&k, t[_i].why), 1);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	if (t[_i].rcode < 0) {
		ck_assert_uint_eq(k.num, 0);
		return;
	}
	ck_assert_uint_eq(k.num, 1);
	p = desk_read(&k.got[0].e);
	ck_assert_uint_eq(p.header.id, 77);
	ck_assert_uint_eq(scan_rcode(&p.header), t[_i].rcode);
	ck_assert_uint_eq(k.got[0].e.rcode, t[_i].rcode);
	ck_assert(p.header.flags & SCAN_QR);
	ck_assert_uint_eq(scan_opcode(&p.header), (t[_i].flags >> 11) & 15);
}
END_TEST

START_TEST(every_length_but_the_right_one_is_malformed)
{
	size_t len;

	desk_start(&k, 1, SCAN_RD);
	desk_question(&k, "hip.foo.com", SCAN_AAAA);
	desk_opt(&k, true, 0);
	len = wr_len(&k.w);
	for (size_t n = 0; n < len; n++)
		dns_query(k.d, &k.who, k.buf, n, 0);
	k.buf[len] = 0;
	dns_query(k.d, &k.who, k.buf, len + 1, 0);
	desk_drain(&k);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MALFORMED), len + 1);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 0);
	/* 12 octets are needed to answer at all */
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), len + 1 - 12);
	dns_query(k.d, &k.who, k.buf, len, 0);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 3);
}
END_TEST

START_TEST(two_opts_and_a_query_too_long_are_formerr)
{
	static const uint8_t zeros[5000];

	desk_start(&k, 1, SCAN_RD);
	desk_question(&k, "x.test", SCAN_A);
	desk_opt(&k, false, 0);
	desk_opt(&k, false, 0);
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_start(&k, 1, SCAN_RD);
	desk_question(&k, "x.test", SCAN_A);
	desk_rr(&k, 3, "x.test", 99, 0, zeros, sizeof(zeros));
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	ck_assert_uint_eq(k.num, 2);
	ck_assert_uint_eq(k.got[0].e.rcode, SCAN_FORMERR);
	ck_assert_uint_eq(k.got[1].e.rcode, SCAN_FORMERR);
}
END_TEST

START_TEST(edns_of_a_later_version_is_badvers)
{
	struct desk_reply p;

	desk_start(&k, 1, SCAN_RD);
	desk_question(&k, "x.test", SCAN_A);
	desk_opt(&k, false, 1);
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	p = desk_read(&k.got[0].e);
	ck_assert_uint_eq(scan_rcode(&p.header), 0);
	ck_assert(p.has_opt);
	ck_assert_uint_eq(p.opt.ttl >> 24, 1);
}
END_TEST

START_TEST(zone_transfers_are_refused)
{
	desk_query(&k, "x.test", SCAN_AXFR, false, 0);
	desk_query(&k, "x.test", SCAN_IXFR, false, 0);
	ck_assert_uint_eq(k.num, 2);
	ck_assert_uint_eq(k.got[0].e.rcode, SCAN_REFUSED);
	ck_assert_uint_eq(k.got[1].e.rcode, SCAN_REFUSED);
}
END_TEST

START_TEST(a_validating_client_is_relayed_or_refused)
{
	struct desk_reply p;

	desk_start(&k, 1, SCAN_RD | SCAN_CD);
	desk_question(&k, "x.test", SCAN_A);
	desk_opt(&k, true, 0);
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	ck_assert_uint_eq(k.num, 1);
	ck_assert_int_eq(k.got[0].e.kind, DNS_ASK);
	desk_forget(&k);
	desk_start(&k, 2, SCAN_RD | SCAN_CD);
	desk_question(&k, "x.require.test", SCAN_A);
	desk_opt(&k, true, 0);
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	ck_assert_uint_eq(k.num, 1);
	p = desk_read(&k.got[0].e);
	ck_assert_uint_eq(scan_rcode(&p.header), SCAN_REFUSED);
	ck_assert_int_eq(desk_ede(&p), 15);
}
END_TEST

START_TEST(class_any_does_not_lead_around_require)
{
	desk_start(&k, 2, SCAN_RD);
	desk_question(&k, "x.require.test", SCAN_A);
	put_be16(k.w.p - 2, 255);
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	ck_assert_uint_eq(k.got[0].e.rcode, SCAN_REFUSED);
	desk_forget(&k);
	desk_start(&k, 2, SCAN_RD);
	desk_question(&k, "version.bind", 16);
	put_be16(k.w.p - 2, 3);
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	ck_assert_uint_eq(k.num, 1);
	ck_assert_int_eq(k.got[0].e.kind, DNS_ASK);
}
END_TEST

START_TEST(a_retransmission_is_ignored_and_another_port_is_not)
{
	desk_query(&k, "x.test", SCAN_A, false, 0);
	ck_assert_uint_eq(k.num, 3);
	desk_query(&k, "x.test", SCAN_A, false, SEC / 2);
	ck_assert_uint_eq(k.num, 3);
	ck_assert_uint_eq(k.seen, 1);
	/* Its own query goes out; what is asked already is not asked twice. */
	desk_query(&k, "x.test", SCAN_AAAA, false, SEC / 2);
	ck_assert_uint_eq(k.num, 5);
	k.who.client.port++;
	desk_query(&k, "x.test", SCAN_A, false, SEC / 2);
	ck_assert_uint_eq(k.num, 6);
}
END_TEST

START_TEST(one_client_cannot_fill_the_table_and_all_cannot_overfill_it)
{
	struct dns_config cfg = desk_config();
	char name[32];

	desk_close(&k);
	cfg.client_max = 3;
	cfg.questions_max = 5;
	desk_open_with(&k, &cfg);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		desk_query(&k, name, 16, true, 0);
	}
	ck_assert_uint_eq(dns_pending(k.d), 3);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BUSY), 1);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	k.who.client = desk_at("10.0.0.3", 1);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		desk_query(&k, name, 16, true, 0);
	}
	ck_assert_uint_eq(dns_pending(k.d), 5);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BUSY), 2);
	ck_assert_str_eq(desk_last(&k, DNS_REPLY)->name, "n0.test");
	ck_assert_int_eq(dns_resolve(k.d, "a.test", NULL, &k.who.server, 1, 0),
			 0);
	ck_assert_uint_eq(dns_pending(k.d), 5);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BUSY), 3);
}
END_TEST

START_TEST(ptr_inside_the_pools_is_answered_from_the_leases)
{
	struct lease_config lc = { .max = 10 };
	struct dns_config cfg = desk_config();
	struct lease_entry e;
	struct hit h = desk_hit(1);
	struct desk_reply p;
	struct lease *lease;
	char name[100];
	bool fresh;

	lc.pool6 = cfg.pool6;
	lc.pool4 = cfg.pool4;
	ck_assert_int_eq(lease_new(&lc, &lease), 0);
	ck_assert_int_eq(lease_get(lease, &h, "hip.foo.com", &e, &fresh), 0);
	cfg.lease = lease;
	desk_close(&k);
	desk_open_with(&k, &cfg);
	snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.ARPA", e.sub4.b[15],
		 e.sub4.b[14], e.sub4.b[13], e.sub4.b[12]);
	desk_query(&k, name, SCAN_PTR, true, 0);
	p = desk_read(&k.got[0].e);
	ck_assert_uint_eq(p.rr.type, SCAN_PTR);
	ck_assert_uint_eq(p.rr.rdlen, 13);
	ck_assert_mem_eq(p.rr.rdata, "\3hip\3foo\3com", 13);
	/* nobody's: no such name; outside: the server's business */
	desk_query(&k, "0.0.18.198.in-addr.arpa", SCAN_PTR, true, 0);
	p = desk_read(&k.got[1].e);
	ck_assert_uint_eq(scan_rcode(&p.header), SCAN_NXDOMAIN);
	ck_assert_uint_eq(p.rr.type, SCAN_SOA);
	desk_query(&k, "1.0.0.10.in-addr.arpa", SCAN_PTR, true, 0);
	ck_assert_int_eq(k.got[2].e.kind, DNS_ASK);
	lease_free(lease);
}
END_TEST

START_TEST(a_name_no_mapping_can_hold_is_relayed_or_fails)
{
	char name[1100] = "";
	size_t n = 0;

	for (unsigned i = 0; i < 70; i++)
		n += (size_t)snprintf(name + n, sizeof(name) - n, "\\001%s",
				      i == 35 ? "." : "");
	snprintf(name + n, sizeof(name) - n, ".require.test");
	desk_query(&k, name, SCAN_A, true, 0);
	ck_assert_uint_eq(k.num, 1);
	ck_assert_uint_eq(k.got[0].e.rcode, SCAN_SERVFAIL);
	snprintf(name + n, sizeof(name) - n, ".test");
	desk_query(&k, name, SCAN_A, true, 0);
	ck_assert_uint_eq(k.num, 2);
	ck_assert_int_eq(k.got[1].e.kind, DNS_ASK);
}
END_TEST

START_TEST(any_flipped_octet_of_a_query_does_no_harm)
{
	uint8_t good[200];
	size_t len;

	desk_start(&k, 1, SCAN_RD);
	desk_question(&k, "hip.foo.com", SCAN_AAAA);
	desk_opt(&k, true, 0);
	len = wr_len(&k.w);
	memcpy(good, k.buf, len);
	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			good[i] ^= (uint8_t)(1 << bit);
			dns_query(k.d, &k.who, good, len, 0);
			good[i] ^= (uint8_t)(1 << bit);
			desk_drain(&k);
			desk_forget(&k);
		}
	}
	dns_tick(k.d, 20 * SEC);
	dns_tick(k.d, 40 * SEC);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

Suite *test_query_suite(void);
Suite *test_query_suite(void)
{
	Suite *s = suite_create("query");
	TCase *tc = tcase_create("query");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, each_type_asks_for_what_it_needs, 0, 12);
	tcase_add_loop_test(tc, what_is_no_question_is_answered_so_or_dropped,
			    0, 5);
	tcase_add_test(tc, every_length_but_the_right_one_is_malformed);
	tcase_add_test(tc, two_opts_and_a_query_too_long_are_formerr);
	tcase_add_test(tc, edns_of_a_later_version_is_badvers);
	tcase_add_test(tc, zone_transfers_are_refused);
	tcase_add_test(tc, a_validating_client_is_relayed_or_refused);
	tcase_add_test(tc, class_any_does_not_lead_around_require);
	tcase_add_test(tc, a_retransmission_is_ignored_and_another_port_is_not);
	tcase_add_test(
		tc,
		one_client_cannot_fill_the_table_and_all_cannot_overfill_it);
	tcase_add_test(tc, ptr_inside_the_pools_is_answered_from_the_leases);
	tcase_add_test(tc, a_name_no_mapping_can_hold_is_relayed_or_fails);
	tcase_add_test(tc, any_flipped_octet_of_a_query_does_no_harm);
	suite_add_tcase(s, tc);
	return s;
}
