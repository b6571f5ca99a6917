/* SPDX-License-Identifier: MIT */
/* What hipgate writes, octet for octet, and as ldns reads it. */
#include "test/unit/dns/desk.h"
#include "dns/reply.h"

#include <ldns/ldns.h>

static struct scan_header header = { .id = 0xabcd, .flags = SCAN_RD };
static struct scan_question question;
static struct scan_edns edns;
static uint8_t out[REPLY_MAX];
static size_t len;

static struct reply start(const char *name, uint16_t type)
{
	struct reply r = {
		.header = &header,
		.question = &question,
		.edns = &edns,
		.ttl = 60,
	};

	question.name = desk_name(name);
	question.type = type;
	question.class = 1;
	return r;
}

START_TEST(a_golden_answer_without_edns)
{
	static const uint8_t want[] =
		"\xab\xcd\x81\x80\0\1\0\1\0\0\0\0"
		"\1X\4test\0\0\1\0\1"
		"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x12\0\5";
	struct reply r = start("X.test", SCAN_A);
	struct addr a = desk_addr("198.18.0.5");

	edns.present = false;
	r.kind = REPLY_ADDRESS;
	r.addr = &a;
	r.ede_text = "not said";
	ck_assert_int_eq(reply_build(&r, out, &len), 0);
	ck_assert_uint_eq(len, sizeof(want) - 1);
	ck_assert_mem_eq(out, want, len);
}
END_TEST

START_TEST(a_golden_answer_with_edns)
{
	static const uint8_t want[] =
		"\xab\xcd\x81\x80\0\1\0\1\0\0\0\1"
		"\1x\4test\0\0\x1c\0\1"
		"\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10"
		"\xfd\0\0\5\0\0\0\0\0\0\0\0\0\0\0\5"
		"\0\0\x29\4\xd0\0\0\x80\0\0\7\0\x0f\0\3\0\4t";
	struct reply r = start("x.test", SCAN_AAAA);
	struct addr a = desk_addr("fd00:5::5");

	edns.present = true;
	edns.dnssec_ok = true;
	r.kind = REPLY_ADDRESS;
	r.addr = &a;
	r.ede = REPLY_EDE_FORGED;
	r.ede_text = "t";
	ck_assert_int_eq(reply_build(&r, out, &len), 0);
	ck_assert_uint_eq(len, sizeof(want) - 1);
	ck_assert_mem_eq(out, want, len);
}
END_TEST

START_TEST(ldns_reads_every_kind)
{
	static const ldns_rr_type types[] = { 0, LDNS_RR_TYPE_SOA,
					      LDNS_RR_TYPE_HINFO,
					      LDNS_RR_TYPE_PTR };
	static const enum reply_kind kinds[] = { REPLY_EMPTY, REPLY_NODATA,
						 REPLY_MINIMAL, REPLY_PTR };
	struct reply r = start("x.test", SCAN_A);
	struct dname target = desk_name("hip.foo.com");
	ldns_pkt *pkt = NULL;
	ldns_rr_list *rrs;

	edns.present = true;
	r.kind = kinds[_i];
	r.rcode = _i == 0 ? SCAN_SERVFAIL : 0;
	r.target = &target;
	ck_assert_int_eq(reply_build(&r, out, &len), 0);
	ck_assert_int_eq(ldns_wire2pkt(&pkt, out, len), LDNS_STATUS_OK);
	ck_assert_int_eq(ldns_pkt_get_rcode(pkt), r.rcode);
	ck_assert(ldns_pkt_qr(pkt) && ldns_pkt_ra(pkt) && ldns_pkt_rd(pkt));
	ck_assert(!ldns_pkt_aa(pkt) && !ldns_pkt_ad(pkt));
	rrs = _i == 1 ? ldns_pkt_authority(pkt) : ldns_pkt_answer(pkt);
	ck_assert_uint_eq(ldns_rr_list_rr_count(rrs), _i ? 1 : 0);
	if (_i)
		ck_assert_int_eq(ldns_rr_get_type(ldns_rr_list_rr(rrs, 0)),
				 types[_i]);
	ldns_pkt_free(pkt);
}
END_TEST

START_TEST(the_longest_answer_fits_512_octets)
{
	char name[256];
	char text[300];
	struct reply r;

	memset(name, 'a', sizeof(name));
	for (size_t i = 63; i < 253; i += 64)
		name[i] = '.';
	name[253] = '\0';
	memset(text, 't', sizeof(text) - 1);
	text[299] = '\0';
	r = start(name, SCAN_A);
	edns.present = true;
	r.kind = REPLY_NODATA;
	r.ede_text = text;
	ck_assert_int_eq(reply_build(&r, out, &len), 0);
	ck_assert_uint_le(len, 512);
}
END_TEST

START_TEST(an_ask_has_rd_edns_and_the_name_as_given)
{
	static const uint8_t want[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1"
				      "\1X\4test\0\0\x37\0\1"
				      "\0\0\x29\4\xd0\0\0\0\0\0\0";
	struct dname n = desk_name("X.test");

	ck_assert_int_eq(reply_ask(&n, SCAN_HIP, 0x1234, true, out, &len), 0);
	ck_assert_uint_eq(len, sizeof(want) - 1);
	ck_assert_mem_eq(out, want, len);
	/* For a server that takes no EDNS: the same without its record. */
	ck_assert_int_eq(reply_ask(&n, SCAN_HIP, 0x1234, false, out, &len), 0);
	ck_assert_uint_eq(len, sizeof(want) - 1 - 11);
	ck_assert_mem_eq(out, want, 11);
	ck_assert_uint_eq(out[11], 0);
	ck_assert_mem_eq(out + 12, want + 12, len - 12);
}
END_TEST

/* The text goes first, then the record, and the rest stays readable. */
START_TEST(what_does_not_fit_is_left_out_or_cut)
{
	struct reply r = start("5.0.18.198.in-addr.arpa", SCAN_PTR);
	struct dname target = desk_name("a-name-of-some-length.hip.test");
	struct dns_effect e = { .kind = DNS_REPLY, .msg = out };
	struct desk_reply p;
	size_t whole;
	size_t bare;

	edns = (struct scan_edns){ .present = true };
	r.kind = REPLY_PTR;
	r.target = &target;
	r.ede_text = "some text";
	ck_assert_int_eq(reply_build(&r, out, &whole), 0);
	r.ede_text = NULL;
	ck_assert_int_eq(reply_build(&r, out, &bare), 0);
	r.ede_text = "some text";
	for (r.room = whole + 1; r.room > bare - 3; r.room--) {
		ck_assert_int_eq(reply_build(&r, out, &e.msg_len), 0);
		ck_assert_uint_le(e.msg_len, r.room);
		p = desk_read(&e);
		ck_assert(p.has_opt);
		ck_assert((desk_ede(&p) == 0) == (r.room >= whole));
		ck_assert_uint_eq(p.header.count[1], r.room >= bare);
		ck_assert(!(p.header.flags & SCAN_TC) == (r.room >= bare));
	}
}
END_TEST

START_TEST(a_truncated_copy_has_the_question_and_nothing_else)
{
	static const uint8_t whole[] = "\0\5\x81\x80\0\1\0\1\0\0\0\1"
				       "\1x\4test\0\0\x10\0\1"
				       "\xc0\x0c\0\x10\0\1\0\0\0\1\0\2\1x";
	static const uint8_t want[] = "\0\5\x83\x80\0\1\0\0\0\0\0\0"
				      "\1x\4test\0\0\x10\0\1";
	size_t n = sizeof(want) - 1;

	ck_assert_uint_eq(dns_truncate(whole, sizeof(whole) - 1, out, 512), n);
	ck_assert_mem_eq(out, want, n);
	ck_assert_uint_eq(dns_truncate(whole, n, out, n), n);
	ck_assert_uint_eq(dns_truncate(whole, n - 1, out, 512), 0);
	ck_assert_uint_eq(dns_truncate(whole, n, out, n - 1), 0);
}
END_TEST

/* The OPT behind records of all sections, with a cookie (RFC 7873). */
START_TEST(a_truncated_copy_has_its_opt_where_there_is_room)
{
	static const uint8_t whole[] =
		"\0\5\x81\x80\0\1\0\1\0\1\0\2"
		"\1x\4test\0\0\x10\0\1"
		"\xc0\x0c\0\x10\0\1\0\0\0\1\0\2\1x"
		"\xc0\x0c\0\x10\0\1\0\0\0\1\0\2\1x"
		"\xc0\x0c\0\x10\0\1\0\0\0\1\0\2\1x"
		"\0\0\x29\4\xd0\0\0\x80\0\0\x0c\0\x0a\0\x08"
		"12345678";
	static const uint8_t want[] = "\0\5\x83\x80\0\1\0\0\0\0\0\1"
				      "\1x\4test\0\0\x10\0\1"
				      "\0\0\x29\4\xd0\0\0\x80\0\0\x0c"
				      "\0\x0a\0\x08"
				      "12345678";
	uint8_t odd[sizeof(whole) - 1];
	size_t all = sizeof(whole) - 1;
	size_t n = sizeof(want) - 1;
	size_t bare = n - 23; /* without it */

	ck_assert_uint_eq(dns_truncate(whole, all, out, n), n);
	ck_assert_mem_eq(out, want, n);
	ck_assert_uint_eq(dns_truncate(whole, all, out, n - 1), bare);
	ck_assert_uint_eq(get_be16(out + 10), 0);
	ck_assert_uint_eq(dns_truncate(whole, all - 1, out, 512), bare);
	memcpy(odd, whole, all);
	odd[all - 21] = 0x2a; /* another type */
	ck_assert_uint_eq(dns_truncate(odd, all, out, 512), bare);
	memcpy(odd, whole, all);
	odd[11] = 1; /* it is behind the end */
	ck_assert_uint_eq(dns_truncate(odd, all, out, 512), bare);
}
END_TEST

START_TEST(a_header_alone_keeps_opcode_and_rd)
{
	struct scan_header h = { .id = 5, .flags = 0x2910 };

	reply_header(&h, SCAN_NOTIMP, out);
	ck_assert_mem_eq(out, "\0\5\xa9\4\0\0\0\0\0\0\0\0", 12);
}
END_TEST

Suite *test_reply_suite(void);
Suite *test_reply_suite(void)
{
	Suite *s = suite_create("reply");
	TCase *tc = tcase_create("reply");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_golden_answer_without_edns);
	tcase_add_test(tc, a_golden_answer_with_edns);
	tcase_add_loop_test(tc, ldns_reads_every_kind, 0, 4);
	tcase_add_test(tc, the_longest_answer_fits_512_octets);
	tcase_add_test(tc, an_ask_has_rd_edns_and_the_name_as_given);
	tcase_add_test(tc, what_does_not_fit_is_left_out_or_cut);
	tcase_add_test(tc, a_truncated_copy_has_the_question_and_nothing_else);
	tcase_add_test(tc, a_truncated_copy_has_its_opt_where_there_is_room);
	tcase_add_test(tc, a_header_alone_keeps_opcode_and_rd);
	suite_add_tcase(s, tc);
	return s;
}
