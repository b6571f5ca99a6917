/* SPDX-License-Identifier: MIT */
/* Effects: order, copies, life. */
#include "test/unit/dns/desk.h"
#include "dns/outbox.h"

START_TEST(effects_keep_order_and_their_own_copies)
{
	struct outbox o;
	struct dns_host host = { .ttl = 5 };
	uint8_t msg[4] = "abc";
	struct dns_effect e = { .kind = DNS_REPLY, .msg = msg, .msg_len = 4 };
	struct dns_effect out;

	outbox_init(&o);
	ck_assert(!outbox_take(&o, &out));
	for (unsigned i = 0; i < 10; i++) {
		e.ask = i;
		e.host = i % 2 ? &host : NULL;
		msg[3] = (uint8_t)i;
		host.ttl = i;
		ck_assert_int_eq(outbox_put(&o, &e), 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		ck_assert(outbox_take(&o, &out));
		ck_assert_uint_eq(out.ask, i);
		ck_assert_uint_eq(out.msg[3], i);
		ck_assert_ptr_ne(out.msg, msg);
		if (i % 2)
			ck_assert_uint_eq(out.host->ttl, i);
		else
			ck_assert_ptr_null(out.host);
	}
	outbox_fini(&o); /* the rest is freed */
}
END_TEST

Suite *test_outbox_suite(void);
Suite *test_outbox_suite(void)
{
	Suite *s = suite_create("outbox");
	TCase *tc = tcase_create("outbox");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, effects_keep_order_and_their_own_copies);
	suite_add_tcase(s, tc);
	return s;
}
