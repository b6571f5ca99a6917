/* SPDX-License-Identifier: MIT */
/* An answer as its client takes it: size and cookie. */
#include "test/unit/dns/desk.h"

static struct desk k;

static const struct dns_effect *refused(uint16_t size, uint16_t cookie,
					bool tcp)
{
	desk_open(&k);
	k.who.tcp = tcp;
	desk_start(&k, 7, SCAN_RD);
	desk_question(&k, "a.b.test", SCAN_AXFR);
	if (size)
		desk_opt_cookie(&k, size, cookie);
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	return desk_last(&k, DNS_REPLY);
}

START_TEST(a_cookie_comes_back_whole)
{
	static const uint16_t sent[] = { 8, 16, 24, 40 };
	const struct dns_effect *e = refused(1232, sent[_i], false);
	struct desk_reply r = desk_read(e);
	uint16_t len = 0;
	const uint8_t *v = desk_option(&r, 10, &len);

	ck_assert_uint_eq(r.header.flags & 15, SCAN_REFUSED);
	ck_assert_ptr_nonnull(v);
	ck_assert_uint_eq(len, sent[_i] == 8 ? 16 : sent[_i]);
	for (unsigned i = 0; i < sent[_i]; i++)
		ck_assert_uint_eq(v[i], 0xc0 + i);
	desk_close(&k);
}
END_TEST

START_TEST(none_is_said_to_who_sent_none)
{
	const struct dns_effect *e = refused(0, 0, _i);
	struct desk_reply r = desk_read(e);

	ck_assert(!r.has_opt);
	ck_assert_uint_eq(e->who.token, 7);
	ck_assert_str_eq(e->name, "a.b.test");
	desk_close(&k);
}
END_TEST

Suite *test_toclient_suite(void);
Suite *test_toclient_suite(void)
{
	Suite *s = suite_create("toclient");
	TCase *tc = tcase_create("toclient");

	tcase_add_loop_test(tc, a_cookie_comes_back_whole, 0, 4);
	tcase_add_loop_test(tc, none_is_said_to_who_sent_none, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
