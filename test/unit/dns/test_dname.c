/* SPDX-License-Identifier: MIT */
/* Names: wire, text, compression, order of labels. */
#include "test/unit/dns/desk.h"

START_TEST(text_and_wire_round_trip)
{
	static const struct {
		const char *in, *out;
		unsigned labels;
	} t[] = {
		{ "hip.Foo.com", "hip.foo.com", 3 },
		{ "hip.foo.com.", "hip.foo.com", 3 },
		{ ".", ".", 0 },
		{ "a\\.b.c", "a\\.b.c", 2 },
		{ "\\001\\255x.y", "\\001\\255x.y", 2 },
		{ "\\065.x", "a.x", 2 },
	};
	char text[DNS_NAME_MAX];
	struct dname n;
	struct dname again;

	ck_assert_int_eq(dname_parse(t[_i].in, &n), 0);
	ck_assert_int_eq(dname_print(&n, text), 0);
	ck_assert_str_eq(text, t[_i].out);
	ck_assert_uint_eq(dname_labels(&n), t[_i].labels);
	ck_assert_int_eq(dname_parse(text, &again), 0);
	ck_assert(dname_eq(&n, &again));
}
END_TEST

START_TEST(what_is_no_name_is_refused)
{
	static const char *const t[] = {
		"",
		"..",
		".a",
		"a..b",
		"\\",
		"a\\25",
		"\\256",
		("a234567890123456789012345678901234567890123456789012345678901"
		 "234"),
	};
	struct dname n;

	ck_assert_int_eq(dname_parse(t[_i], &n), HG_EFORMAT);
}
END_TEST

START_TEST(a_name_has_at_most_255_octets)
{
	char text[300];
	struct dname n;

	memset(text, 'a', sizeof(text));
	for (size_t i = 63; i < 253; i += 64)
		text[i] = '.';
	text[253] = '\0';
	ck_assert_int_eq(dname_parse(text, &n), 0);
	ck_assert_uint_eq(n.len, 255);
	ck_assert_int_eq(dname_print(&n, text), 0);
	ck_assert_uint_eq(strlen(text), 253);
	text[253] = 'a';
	text[254] = '\0';
	ck_assert_int_eq(dname_parse(text, &n), HG_EFORMAT);
}
END_TEST

START_TEST(escapes_that_do_not_fit_are_refused)
{
	char out[DNS_NAME_MAX];
	struct dname n = { .len = 65 + 1 };

	n.wire[0] = 63;
	memset(n.wire + 1, 1, 63);
	n.wire[64] = 0;
	n.len = 65;
	ck_assert_int_eq(dname_print(&n, out), 0);
	n.wire[64] = 1;
	n.wire[65] = 1;
	n.wire[66] = 0;
	n.len = 67;
	ck_assert_int_eq(dname_print(&n, out), HG_EFULL);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(a_text_stays_within_its_buffer_at_every_length)
{
	struct {
		char text[DNS_NAME_MAX];
		char guard[16];
	} out;
	static const char guard[16] = "guard";
	struct dname n;

	/* a label of escapes, one of letters, one of a letter or two: the
	 * text's end falls on every place around the buffer's */
	for (uint8_t a = 50; a <= 63; a++) {
		for (uint8_t b = 1; b <= 63; b++) {
			size_t at = 0;
			size_t text = (size_t)a * 4 + 1 + b + 1 + 4;

			n.wire[at++] = a;
			memset(n.wire + at, 1, a);
			at += a;
			n.wire[at++] = b;
			memset(n.wire + at, 'b', b);
			at += b;
			n.wire[at++] = 1;
			n.wire[at++] = 2;
			n.wire[at++] = 0;
			n.len = (uint8_t)at;
			memcpy(out.guard, guard, sizeof(guard));
			ck_assert_int_eq(dname_print(&n, out.text),
					 text < DNS_NAME_MAX ? 0 : HG_EFULL);
			ck_assert_uint_eq(strlen(out.text),
					  text < DNS_NAME_MAX ? text : 0);
			ck_assert_mem_eq(out.guard, guard, sizeof(guard));
		}
	}
}
END_TEST

START_TEST(compression_goes_strictly_backwards)
{
	/* 0: foo.com  9: hip -> 0  15: -> 9  17: -> 17  19: -> 21 */
	static const uint8_t msg[] = "\3foo\3com\0"
				     "\3hip\xc0\0"
				     "\xc0\x09"
				     "\xc0\x11"
				     "\xc0\x15"
				     "\xc0\0";
	struct dname want = desk_name("hip.foo.com");
	struct dname n;
	struct rd r = rd_init(msg + 9, sizeof(msg) - 1 - 9);

	dname_get(&r, msg, &n);
	ck_assert(!r.bad);
	ck_assert_ptr_eq(r.p, msg + 15);
	ck_assert(dname_eq(&n, &want));
	dname_get(&r, msg, &n);
	ck_assert(!r.bad);
	ck_assert(dname_eq(&n, &want));
	dname_get(&r, msg, &n); /* to itself */
	ck_assert(r.bad);
	r = rd_init(msg + 19, 2);
	dname_get(&r, msg, &n); /* forwards */
	ck_assert(r.bad);
	r = rd_init(msg + 9, 6);
	dname_get(&r, NULL, &n); /* none allowed */
	ck_assert(r.bad);
	for (size_t len = 0; len < 6; len++) {
		r = rd_init(msg + 9, len);
		dname_get(&r, msg, &n);
		ck_assert(r.bad);
	}
}
END_TEST

START_TEST(a_long_row_of_pointers_is_refused)
{
	uint8_t msg[2 + 2 * 200] = { 0 };
	struct dname n;

	for (unsigned i = 1; i <= 200; i++)
		put_be16(msg + 2 * i, (uint16_t)(0xc000 | (2 * (i - 1))));
	for (unsigned i = 1; i <= 200; i++) {
		struct rd r = rd_init(msg + 2 * i, 2);

		dname_get(&r, msg, &n);
		ck_assert_int_eq(r.bad, i > DNAME_HOPS_MAX);
	}
}
END_TEST

START_TEST(names_are_drawn)
{
	char text[2][DNS_NAME_MAX];
	struct dname n;

	for (unsigned i = 0; i < 2; i++) {
		dname_draw(&n);
		ck_assert_int_eq(dname_print(&n, text[i]), 0);
		ck_assert_msg(desk_is_chance(text[i]), "%s", text[i]);
	}
	ck_assert_str_ne(text[0], text[1]);
}
END_TEST

START_TEST(below_goes_by_labels)
{
	struct dname zone = desk_name("Foo.com");
	struct dname root = desk_name(".");
	struct dname yes = desk_name("a.b.foo.COM");
	struct dname no = desk_name("xfoo.com");
	struct dname odd = desk_name("x\\003foo.com");

	ck_assert(dname_below(&yes, &zone));
	ck_assert(dname_below(&zone, &root));
	ck_assert(!dname_below(&zone, &zone));
	ck_assert(!dname_below(&no, &zone));
	ck_assert(!dname_below(&odd, &zone));
	ck_assert(!dname_below(&root, &zone));
}
END_TEST

Suite *test_dname_suite(void);
Suite *test_dname_suite(void)
{
	Suite *s = suite_create("dname");
	TCase *tc = tcase_create("dname");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, text_and_wire_round_trip, 0, 6);
	tcase_add_loop_test(tc, what_is_no_name_is_refused, 0, 8);
	tcase_add_test(tc, a_name_has_at_most_255_octets);
	tcase_add_test(tc, escapes_that_do_not_fit_are_refused);
	tcase_add_test(tc, a_text_stays_within_its_buffer_at_every_length);
	tcase_add_test(tc, compression_goes_strictly_backwards);
	tcase_add_test(tc, a_long_row_of_pointers_is_refused);
	tcase_add_test(tc, names_are_drawn);
	tcase_add_test(tc, below_goes_by_labels);
	suite_add_tcase(s, tc);
	return s;
}
