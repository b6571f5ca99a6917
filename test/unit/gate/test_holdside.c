/* SPDX-License-Identifier: MIT */
/* What waits for the way of an SA: how much, how long, and when it goes. */
#include "reload_bed.h"

#include "esp/esp.h"

static struct reload_bed *b;
static struct inbox *in; /* of the one worker */
static uv_loop_t loop;
static struct hit peer;
static struct path_ends ends;
static struct sa *sa;

static void on_wake(uv_async_t *a)
{
	(void)a;
}

static struct sa *sa_new(uint32_t spi)
{
	struct sa_pair pair = { .self = b->g.selves[0],
				.peer = peer,
				.spi_in = spi,
				.spi_out = spi,
				.suite = SA_AES128_GCM16 };
	struct tables *t = &b->g.plane.tables;

	ck_assert_int_eq(tables_add_sa(t, &pair, &ends, 1, true, 0), HG_OK);
	return tables_sa_in(t, spi);
}

static void setup(void)
{
	ck_assert_int_eq(esp_setup(), HG_OK);
	b = reload_bed_new("[daemon]\nidentity = %/a.pem\n[host]\n");
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	in = &b->g.workers[0].inbox;
	ck_assert_int_eq(inbox_init(in, &loop, on_wake, NULL), HG_OK);
	peer = (struct hit){ { 0x20, 0x01, 0x00, 0x22, [15] = 9 } };
	ends = (struct path_ends){ .peer = { .port = 10500 },
				   .stranded = true };
	ends.peer.addr = addr_from4((const uint8_t[4]){ 192, 0, 2, 1 });
	sa = sa_new(1000);
	ck_assert_int_eq(tables_use_sa(&b->g.plane.tables, sa), HG_OK);
}

static void teardown(void)
{
	holdside_fini(&b->g);
	ck_assert_uint_eq(b->g.held_bytes, 0);
	uv_close((uv_handle_t *)&in->async, NULL);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	inbox_fini(in);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	reload_bed_free(b);
}

/* What a worker brings: a datagram between HITs that ends in `tag`. */
static void bring(char tag, size_t len)
{
	static uint8_t pkt[65536];
	static char text[65000];
	struct endpoint from = { .port = 1 };
	struct endpoint to = { .port = 2 };
	size_t n;

	memcpy(from.addr.b, b->g.selves[0].b, 16);
	memcpy(to.addr.b, peer.b, 16);
	memset(text, tag, len);
	n = ip_build_udp(pkt, sizeof(pkt), &from, &to, text, len);
	ck_assert_uint_gt(n, 0);
	first_packet(&b->g, inbox_msg(MSG_TUN, pkt, n, uv_hrtime()));
}

static struct msg *sealed(char tag, size_t len)
{
	struct msg *m;
	char text[100];

	ck_assert_uint_le(len, sizeof(text));
	memset(text, tag, len);
	m = inbox_msg(MSG_SEALED, text, len, uv_hrtime());
	ck_assert_ptr_nonnull(m);
	m->back.self = b->g.selves[0];
	m->back.peer = peer;
	m->off.gso_size = (uint16_t)len;
	return m;
}

static void move(void)
{
	static const struct path_size size = { .l4_most = 1418 };

	ck_assert_int_eq(tables_move_sa(sa, &ends, &size), HG_OK);
}

/* The last octet of each that went to the worker. */
static const char *gone(void)
{
	static char tags[64];
	struct msg *m;
	size_t n = 0;

	while ((m = inbox_take(in))) {
		tags[n++] = (char)m->data[m->len - 1];
		free(m);
	}
	tags[n] = '\0';
	return tags;
}

static uint64_t drops(enum reason r)
{
	return reason_get(&b->g.drops, r);
}

START_TEST(what_may_not_go_waits_and_then_goes_in_order)
{
	bring('a', 10);
	holdside_sealed(&b->g, sealed('b', 20));
	bring('c', 10);
	ck_assert_str_eq(gone(), "");
	ck_assert_uint_eq(sa->hold.num, 3);
	ck_assert_uint_gt(b->g.held_bytes, 40);
	holdside_release(&b->g, sa); /* it is as it was */
	ck_assert_str_eq(gone(), "");
	ck_assert_uint_eq(sa->hold.num, 3);
	ends.stranded = false;
	ends.verified = true;
	move();
	holdside_release(&b->g, sa);
	ck_assert_str_eq(gone(), "abc");
	ck_assert_uint_eq(sa->hold.num, 0);
	ck_assert_ptr_null(sa->hold.tail);
	ck_assert_uint_eq(b->g.held_bytes, 0);
	bring('d', 10);
	ck_assert_str_eq(gone(), "d");
	ck_assert_uint_eq(drops(REASON_HOLD_FULL), 0);
	ck_assert_uint_eq(drops(REASON_HOLD_EXPIRED), 0);
}
END_TEST

START_TEST(credit_lets_go_what_it_covers)
{
	ends.stranded = false;
	move();
	bring('a', 1000);
	bring('b', 10);
	ck_assert_uint_eq(sa->hold.num, 2);
	tables_credit_sa(sa, path_wire_most(IP6_HDR + UDP_HDR + 10, 0));
	holdside_release(&b->g, sa);
	ck_assert_str_eq(gone(), "b");
	ck_assert_uint_eq(sa->hold.num, 1);
}
END_TEST

START_TEST(the_oldest_goes_when_there_are_too_many)
{
	char last[] = "?";

	for (unsigned i = 0; i < HOLD_PACKETS + 3; i++) {
		last[0] = (char)('A' + i);
		bring(last[0], 10);
	}
	ck_assert_uint_eq(sa->hold.num, HOLD_PACKETS);
	ck_assert_uint_eq(drops(REASON_HOLD_FULL), 3);
	ends.stranded = false;
	ends.verified = true;
	move();
	holdside_release(&b->g, sa);
	ck_assert_int_eq(gone()[0], 'D');
	/* And when they are too large. */
	ends.stranded = true;
	move();
	for (unsigned i = 0; i < 5; i++)
		bring((char)('a' + i), 60000);
	ck_assert_uint_eq(sa->hold.num, 4);
	ck_assert_uint_le(sa->hold.bytes, HOLD_BYTES);
	ck_assert_uint_eq(drops(REASON_HOLD_FULL), 4);
	ends.stranded = false;
	move();
	holdside_release(&b->g, sa);
	ck_assert_str_eq(gone(), "bcde");
}
END_TEST

START_TEST(all_together_have_so_much_room)
{
	b->g.held_bytes = HOLD_BYTES_ALL - 200; /* others' */
	bring('a', 100);
	ck_assert_uint_eq(sa->hold.num, 1);
	bring('b', 100); /* its own oldest makes room */
	ck_assert_uint_eq(sa->hold.num, 1);
	ck_assert_uint_eq(drops(REASON_HOLD_FULL), 1);
	bring('c', 1000); /* none does */
	ck_assert_uint_eq(sa->hold.num, 0);
	ck_assert_uint_eq(drops(REASON_HOLD_FULL), 3);
	b->g.held_bytes -= HOLD_BYTES_ALL - 200;
	ck_assert_uint_eq(b->g.held_bytes, 0);
}
END_TEST

START_TEST(what_has_waited_for_five_seconds_is_given_up)
{
	uint64_t now;

	bring('a', 10);
	bring('b', 10);
	sa->hold.tail->now += 1000;
	now = sa->hold.head->now;
	holdside_expire(&b->g, sa, now + UINT64_C(5000000000));
	ck_assert_uint_eq(sa->hold.num, 2);
	holdside_expire(&b->g, sa, now + UINT64_C(5000000001));
	ck_assert_uint_eq(sa->hold.num, 1);
	ck_assert_uint_eq(drops(REASON_HOLD_EXPIRED), 1);
	holdside_end(&b->g, sa);
	ck_assert_uint_eq(sa->hold.num, 0);
	ck_assert_uint_eq(drops(REASON_HOLD_EXPIRED), 2);
}
END_TEST

START_TEST(whoever_succeeds_the_sa_takes_over)
{
	struct sa *next;

	bring('a', 10);
	bring('b', 10);
	next = sa_new(2000);
	holdside_succeed(&b->g, NULL, next);
	holdside_succeed(&b->g, next, next);
	holdside_succeed(&b->g, sa, next);
	ck_assert_uint_eq(sa->hold.num, 0);
	ck_assert_uint_eq(next->hold.num, 2);
	ck_assert_int_eq(tables_use_sa(&b->g.plane.tables, next), HG_OK);
	sa = next;
	ends.stranded = false;
	ends.verified = true;
	move();
	holdside_release(&b->g, sa);
	ck_assert_str_eq(gone(), "ab");
}
END_TEST

/* The kernel said no, but by now we send from elsewhere. */
START_TEST(what_was_refused_goes_at_once_when_the_address_is_another)
{
	struct msg *m = sealed('a', 20);

	ends.stranded = false;
	ends.verified = true;
	ends.from.self = addr_from4((const uint8_t[4]){ 192, 0, 2, 9 });
	move();
	holdside_sealed(&b->g, m);
	ck_assert_str_eq(gone(), "a");
	m = sealed('b', 20);
	m->at.addr = ends.from.self; /* from this one, it was */
	holdside_sealed(&b->g, m);
	ck_assert_str_eq(gone(), "");
	ck_assert_uint_eq(sa->hold.num, 1);
	m = sealed('c', 20);
	m->back.peer.b[3]++; /* nobody */
	holdside_sealed(&b->g, m);
	ck_assert_uint_eq(drops(REASON_NO_SA), 1);
}
END_TEST

Suite *test_holdside_suite(void);
Suite *test_holdside_suite(void)
{
	Suite *s = suite_create("holdside");
	TCase *t = tcase_create("holdside");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_may_not_go_waits_and_then_goes_in_order);
	tcase_add_test(t, credit_lets_go_what_it_covers);
	tcase_add_test(t, the_oldest_goes_when_there_are_too_many);
	tcase_add_test(t, all_together_have_so_much_room);
	tcase_add_test(t, what_has_waited_for_five_seconds_is_given_up);
	tcase_add_test(t, whoever_succeeds_the_sa_takes_over);
	tcase_add_test(
		t, what_was_refused_goes_at_once_when_the_address_is_another);
	suite_add_tcase(s, t);
	return s;
}
