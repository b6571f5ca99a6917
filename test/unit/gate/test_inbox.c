/* SPDX-License-Identifier: MIT */
/* Messages between threads: order, bounds, wake-up. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cmd/hipgated/inbox.h"

static uv_loop_t loop;
static struct inbox in;
static unsigned woken;

static void on_wake(uv_async_t *a)
{
	(void)a;
	woken++;
}

static void setup(void)
{
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(inbox_init(&in, &loop, on_wake, NULL), HG_OK);
	woken = 0;
}

static void teardown(void)
{
	uv_close((uv_handle_t *)&in.async, NULL);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	inbox_fini(&in);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

START_TEST(messages_come_out_in_order_and_wake_the_loop)
{
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(
			inbox_put(&in, inbox_msg(MSG_TUN, &i, sizeof(i), i)),
			HG_OK);
	while (!woken)
		(void)uv_run(&loop, UV_RUN_ONCE);
	for (unsigned i = 0; i < 10; i++) {
		struct msg *m = inbox_take(&in);

		ck_assert_ptr_nonnull(m);
		ck_assert_mem_eq(m->data, &i, sizeof(i));
		ck_assert_uint_eq(m->now, i);
		free(m);
	}
	ck_assert_ptr_null(inbox_take(&in));
}
END_TEST

START_TEST(full_inbox_refuses_by_number_and_by_octets)
{
	static uint8_t big[65536];
	unsigned n = 0;

	while (inbox_put(&in, inbox_msg(MSG_TUN, big, sizeof(big), 0)) == HG_OK)
		n++;
	ck_assert_uint_eq(n, INBOX_BYTES / sizeof(big));
	for (unsigned i = 0; i < n; i++)
		free(inbox_take(&in));
	/* First packets may fill half of it; there is room for the rest. */
	for (n = 0; inbox_put(&in, inbox_msg(MSG_TUN, "", 0, 0)) == HG_OK; n++)
		;
	ck_assert_uint_eq(n, INBOX_MSGS / 2);
	for (; inbox_put(&in, inbox_msg(MSG_HIP, "", 0, 0)) == HG_OK; n++)
		;
	ck_assert_uint_eq(n, INBOX_MSGS);
	ck_assert_int_eq(inbox_put(&in, NULL), HG_ENOMEM);
}
END_TEST

/* Of an owner who waits for it himself: it rings once for what is put until
 * he takes, and again for what is put then. */
START_TEST(a_bell_rings_once_and_is_never_read)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int waits = epoll_create1(0);
	struct inbox own;

	ck_assert_int_eq(inbox_init_bell(&own), HG_OK);
	ck_assert_int_eq(epoll_ctl(waits, EPOLL_CTL_ADD, own.bell, &ev), 0);
	ck_assert_int_eq(epoll_wait(waits, &ev, 1, 0), 0);
	for (unsigned turns = 0; turns < 3; turns++) {
		for (unsigned i = 0; i < 3; i++)
			ck_assert_int_eq(
				inbox_put(&own, inbox_msg(MSG_DNS, "", 0, 0)),
				HG_OK);
		ck_assert_int_eq(epoll_wait(waits, &ev, 1, 0), 1);
		ck_assert_int_eq(epoll_wait(waits, &ev, 1, 0), 0);
		/* He has not listened: nobody rings in vain. */
		ck_assert_int_eq(inbox_put(&own, inbox_msg(MSG_DNS, "", 0, 0)),
				 HG_OK);
		ck_assert_int_eq(epoll_wait(waits, &ev, 1, 0), 0);
		inbox_heard(&own);
		for (unsigned i = 0; i < 4; i++)
			free(inbox_take(&own));
		ck_assert_ptr_null(inbox_take(&own));
	}
	inbox_ring(&own);
	ck_assert_int_eq(epoll_wait(waits, &ev, 1, 0), 1);
	inbox_fini(&own);
	(void)close(waits);
}
END_TEST

Suite *test_inbox_suite(void);
Suite *test_inbox_suite(void)
{
	Suite *s = suite_create("inbox");
	TCase *tc = tcase_create("inbox");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, messages_come_out_in_order_and_wake_the_loop);
	tcase_add_test(tc, full_inbox_refuses_by_number_and_by_octets);
	tcase_add_test(tc, a_bell_rings_once_and_is_never_read);
	suite_add_tcase(s, tc);
	return s;
}
