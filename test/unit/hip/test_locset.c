/* SPDX-License-Identifier: MIT */
/* LOCATOR_SET: what is read, kept and refused, and round trips. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/wire.h"
#include "hip/locset.h"
#include "hip/param.h"

/* The contents of a set that is being written. */
struct wire {
	uint8_t b[HIP_MSG_MAX];
	size_t len;
};

static struct addr addr(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), HG_OK);
	return a;
}

struct one {
	uint8_t traffic;
	uint8_t type;
	uint8_t words;
	uint8_t flags;
	uint32_t lifetime;
	const char *at;
	uint16_t port;
	uint8_t proto;
};

static void add(struct wire *w, const struct one *o)
{
	static const size_t lead[] = { 0, 4, 12 };
	uint8_t *p = w->b + w->len;
	struct addr a = addr(o->at);

	p[0] = o->traffic;
	p[1] = o->type;
	p[2] = o->words;
	p[3] = o->flags;
	put_be32(p + 4, o->lifetime);
	w->len += 8;
	p += 8;
	if (o->type > 2) {
		memset(p, 0xee, o->words * 4u);
		w->len += o->words * 4u;
		return;
	}
	memset(p, 0, lead[o->type]);
	if (o->type == 1)
		put_be32(p, 0x11223344);
	if (o->type == 2) {
		put_be16(p, o->port);
		p[2] = o->proto;
		put_be32(p + 8, 0x11223344);
	}
	memcpy(p + lead[o->type], a.b, 16);
	w->len += lead[o->type] + 16;
}

static void plain(struct wire *w, const char *at, bool preferred)
{
	struct one o = { 0, 1, 5, preferred, 600, at, 0, 0 };

	add(w, &o);
}

static enum reason read_it(const struct wire *w, struct locset *out)
{
	struct locset_rules none = { .barred_num = 0 };

	return locset_read(w->b, w->len, &none, out);
}

START_TEST(all_three_types_are_read)
{
	struct one o[] = {
		{ 0, 0, 4, 0, 7, "2001:db8::1", 0, 0 },
		{ 0, 1, 5, 0xfe, 8, "192.0.2.1", 0, 0 },
		{ 0, 2, 7, 1, LOCSET_FOREVER, "192.0.2.2", 4711, 17 },
	};
	struct wire w = { .len = 0 };
	struct locset s;
	struct addr a;

	for (size_t i = 0; i < 3; i++)
		add(&w, &o[i]);
	ck_assert_int_eq(read_it(&w, &s), REASON_NUM);
	ck_assert_uint_eq(s.num, 3);
	ck_assert(!s.unsupported);
	/* The preferred one leads; reserved bits are not looked at. */
	a = addr("192.0.2.2");
	ck_assert(s.v[0].preferred && addr_eq(&s.v[0].at.addr, &a));
	ck_assert_uint_eq(s.v[0].at.port, 4711);
	ck_assert_uint_eq(s.v[0].spi, 0x11223344);
	ck_assert_uint_eq(s.v[0].lifetime_s, LOCSET_FOREVER);
	a = addr("2001:db8::1");
	ck_assert(!s.v[1].preferred && addr_eq(&s.v[1].at.addr, &a));
	ck_assert_uint_eq(s.v[1].spi, 0);
	ck_assert_uint_eq(s.v[1].at.port, 0);
	a = addr("192.0.2.1");
	ck_assert(!s.v[2].preferred && addr_eq(&s.v[2].at.addr, &a));
	ck_assert_uint_eq(s.v[2].spi, 0x11223344);
	ck_assert_uint_eq(s.v[2].lifetime_s, 8);
}
END_TEST

START_TEST(an_empty_set_is_one)
{
	struct wire w = { .len = 0 };
	struct locset s;

	ck_assert_int_eq(read_it(&w, &s), REASON_NUM);
	ck_assert_uint_eq(s.num, 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_malformed)
{
	static const struct one bad[] = {
		{ 3, 1, 5, 1, 600, "192.0.2.1", 0, 0 }, /* traffic */
		{ 0, 1, 4, 1, 600, "192.0.2.1", 0, 0 }, /* lengths */
		{ 0, 1, 6, 1, 600, "192.0.2.1", 0, 0 },
		{ 0, 0, 5, 1, 600, "192.0.2.1", 0, 0 },
		{ 0, 2, 5, 1, 600, "192.0.2.1", 9, 17 },
		{ 0, 1, 5, 1, 0, "192.0.2.1", 0, 0 },	 /* lifetime */
		{ 0, 2, 7, 1, 600, "192.0.2.1", 0, 17 }, /* port */
	};
	struct wire w = { .len = 0 };
	struct locset s;

	add(&w, &bad[_i]);
	ck_assert_int_eq(read_it(&w, &s), REASON_HIP_LOCATOR);
	/* Behind a good one, too. */
	w.len = 0;
	plain(&w, "192.0.2.9", true);
	add(&w, &bad[_i]);
	ck_assert_int_eq(read_it(&w, &s), REASON_HIP_LOCATOR);
}
END_TEST

START_TEST(a_set_that_is_cut_is_malformed)
{
	struct wire w = { .len = 0 };
	struct locset s;
	size_t whole;

	plain(&w, "192.0.2.9", true);
	plain(&w, "192.0.2.8", false);
	whole = w.len;
	for (w.len = 1; w.len < whole; w.len++)
		ck_assert_int_eq(read_it(&w, &s), w.len == whole / 2
							  ? REASON_NUM
							  : REASON_HIP_LOCATOR);
}
END_TEST

/* RFC 8046 5.3, and what can be no host's address either. */
START_TEST(an_address_that_is_nobodys_refuses_the_set)
{
	static const char *const bad[] = {
		"127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0",	  "::",
		"::1",	     "ff02::1",	  "2001:20::1",	     "240.0.0.1",
	};
	struct wire w = { .len = 0 };
	struct locset s;

	plain(&w, "192.0.2.9", true);
	plain(&w, bad[_i], false);
	ck_assert_int_eq(read_it(&w, &s), REASON_HIP_LOCATOR_ADDR);
}
END_TEST

START_TEST(a_barred_address_refuses_the_set)
{
	struct locset_rules rules = { .barred_num = 1 };
	struct wire w = { .len = 0 };
	struct locset s;
	struct prefix pool;

	ck_assert_int_eq(prefix_parse("198.18.0.0/15", &pool), HG_OK);
	rules.barred = &pool;
	plain(&w, "198.17.255.255", true);
	ck_assert_int_eq(locset_read(w.b, w.len, &rules, &s), REASON_NUM);
	plain(&w, "198.18.0.0", false);
	ck_assert_int_eq(locset_read(w.b, w.len, &rules, &s),
			 REASON_HIP_LOCATOR_BARRED);
}
END_TEST

START_TEST(what_we_cannot_use_is_left_out)
{
	struct one out[] = {
		{ 1, 1, 5, 1, 600, "192.0.2.1", 0, 0 },	   /* signalling */
		{ 2, 1, 5, 1, 600, "192.0.2.1", 0, 0 },	   /* data */
		{ 0, 9, 3, 0, 600, "192.0.2.1", 0, 0 },	   /* type */
		{ 0, 2, 7, 0, 600, "192.0.2.1", 4711, 6 }, /* TCP */
		{ 0, 1, 5, 1, 600, "fe80::1", 0, 0 },	   /* scope */
		{ 0, 1, 5, 1, 600, "169.254.0.1", 0, 0 },
	};
	struct wire w = { .len = 0 };
	struct locset s;

	add(&w, &out[_i]);
	ck_assert_int_eq(read_it(&w, &s), REASON_HIP_LOCATOR_TYPE);
	plain(&w, "192.0.2.9", false);
	ck_assert_int_eq(read_it(&w, &s), REASON_NUM);
	ck_assert_uint_eq(s.num, 1);
	ck_assert(!s.unsupported);
}
END_TEST

START_TEST(an_unknown_type_that_is_preferred_is_told)
{
	struct one o = { 0, 9, 3, 1, 600, "192.0.2.1", 0, 0 };
	struct wire w = { .len = 0 };
	struct locset s;

	plain(&w, "192.0.2.9", false);
	add(&w, &o);
	ck_assert_int_eq(read_it(&w, &s), REASON_NUM);
	ck_assert(s.unsupported);
}
END_TEST

static void many(struct wire *w, unsigned num, unsigned preferred)
{
	char text[ADDR_TEXT_MAX];

	w->len = 0;
	for (unsigned i = 0; i < num; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", i + 1);
		plain(w, text, i == preferred);
	}
}

/* The first eight stay, and the preferred one wherever it stands. */
START_TEST(a_bounded_number_is_kept)
{
	struct wire w;
	struct locset s;

	many(&w, LOCSET_LOOK_MAX, 20);
	ck_assert_int_eq(read_it(&w, &s), REASON_NUM);
	ck_assert_uint_eq(s.num, HIP_LOCATORS_MAX);
	ck_assert_uint_eq(addr_four(&s.v[0].at.addr)[3], 21);
	for (unsigned i = 1; i < HIP_LOCATORS_MAX; i++)
		ck_assert_uint_eq(addr_four(&s.v[i].at.addr)[3], i);
	many(&w, LOCSET_LOOK_MAX + 1, 0);
	ck_assert_int_eq(read_it(&w, &s), REASON_HIP_LOCATOR_MANY);
}
END_TEST

/* The smallest entries there can be: 200 of them. */
START_TEST(two_hundred_are_refused_by_name)
{
	struct one o = { 0, 9, 0, 0, 600, "192.0.2.1", 0, 0 };
	struct wire w = { .len = 0 };
	struct locset s;

	for (int i = 0; i < 200; i++)
		add(&w, &o);
	ck_assert_uint_eq(w.len, 1600);
	ck_assert_int_eq(read_it(&w, &s), REASON_HIP_LOCATOR_MANY);
}
END_TEST

START_TEST(an_address_twice_is_kept_once)
{
	struct wire w = { .len = 0 };
	struct locset s;

	plain(&w, "192.0.2.9", true);
	plain(&w, "192.0.2.9", false);
	plain(&w, "192.0.2.8", true);
	ck_assert_int_eq(read_it(&w, &s), REASON_NUM);
	ck_assert_uint_eq(s.num, 2);
	ck_assert_uint_eq(addr_four(&s.v[0].at.addr)[3], 9);
}
END_TEST

START_TEST(what_is_put_is_read)
{
	struct locset set = { .num = 3 };
	struct locset got;
	struct msg_builder b;
	struct hip_msg m;
	const struct hip_param *p;
	struct hit hit;
	struct locset_rules none = { .barred_num = 0 };

	ck_assert_int_eq(hit_parse("2001:20::1", &hit), HG_OK);
	set.v[0] = (struct locator){ .at = { addr("192.0.2.1"), HIP_PORT },
				     .spi = 0x11,
				     .lifetime_s = 60,
				     .preferred = true };
	set.v[1] = (struct locator){ .at = { addr("2001:db8::2"), 4711 },
				     .spi = 0x12,
				     .lifetime_s = 61 };
	set.v[2] = (struct locator){ .at = { addr("2001:db8::3"), 0 },
				     .lifetime_s = 62 };
	message_begin(&b, HIP_UPDATE, &hit, &hit);
	locset_put(&b, &set);
	ck_assert_int_eq(message_finish(&b), HG_OK);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	p = param_find(&m, PARAM_LOCATOR_SET);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->len, 28 + 36 + 24);
	ck_assert_int_eq(locset_read(p->contents, p->len, &none, &got),
			 REASON_NUM);
	set.v[0].at.port = 0; /* type 1 has none */
	ck_assert_uint_eq(got.num, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(endpoint_eq(&got.v[i].at, &set.v[i].at));
		ck_assert_uint_eq(got.v[i].spi, set.v[i].spi);
		ck_assert_uint_eq(got.v[i].lifetime_s, set.v[i].lifetime_s);
		ck_assert_int_eq(got.v[i].preferred, set.v[i].preferred);
	}
}
END_TEST

/* RFC 9028 4.5, 5.7: what the checks are for, and who passes HIP on. */
START_TEST(candidates_and_a_server_are_read)
{
	struct locset set = { .num = 2 };
	struct locset_rules none = { .barred_num = 0 };
	struct msg_builder b;
	struct locset got;
	struct hip_msg m;
	const struct hip_param *p;

	set.v[0] = (struct locator){ .at = { addr("192.0.2.1"), HIP_PORT },
				     .spi = 0x11,
				     .lifetime_s = 60,
				     .kind = LOCATOR_HOST,
				     .priority = 0x7effffff };
	set.v[1] = (struct locator){ .at = { addr("2001:db8::2"), 4711 },
				     .spi = 0x11,
				     .lifetime_s = 60,
				     .kind = LOCATOR_SERVER_REFLEXIVE,
				     .priority = 0x64fffeff };
	set.server = (struct endpoint){ addr("203.0.113.1"), HIP_PORT };
	message_begin(&b, HIP_UPDATE, &hit_null, &hit_null);
	locset_put(&b, &set);
	ck_assert_int_eq(message_finish(&b), HG_OK);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	p = param_find(&m, PARAM_LOCATOR_SET);
	ck_assert_uint_eq(p->len, 3 * 36);
	/* Type 2 though the port is HIP's; the kind and the priority. */
	ck_assert_mem_eq(p->contents, "\x00\x02\x07\x00", 4);
	ck_assert_mem_eq(p->contents + 8, "\x29\x04\x11\x00\x7e\xff", 6);
	ck_assert_mem_eq(p->contents + 36 + 8, "\x12\x67\x11\x01\x64", 5);
	/* For HIP only. */
	ck_assert_mem_eq(p->contents + 72, "\x01\x02\x07\x00", 4);
	ck_assert_int_eq(locset_read(p->contents, p->len, &none, &got),
			 REASON_NUM);
	ck_assert_uint_eq(got.num, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert(endpoint_eq(&got.v[i].at, &set.v[i].at));
		ck_assert_uint_eq(got.v[i].kind, set.v[i].kind);
		ck_assert_uint_eq(got.v[i].priority, set.v[i].priority);
	}
	ck_assert(endpoint_eq(&got.server, &set.server));
	/* A server that cannot be is as bad as a candidate. */
	memcpy(b.buf + (p->contents - b.buf) + 72 + 20 + 12, "\x7f\0\0\1", 4);
	ck_assert_int_eq(locset_read(p->contents, p->len, &none, &got),
			 REASON_HIP_LOCATOR_ADDR);
}
END_TEST

Suite *test_locset_suite(void);
Suite *test_locset_suite(void)
{
	Suite *s = suite_create("locset");
	TCase *t = tcase_create("locset");

	tcase_add_test(t, all_three_types_are_read);
	tcase_add_test(t, an_empty_set_is_one);
	tcase_add_loop_test(t, what_cannot_be_read_is_malformed, 0, 7);
	tcase_add_test(t, a_set_that_is_cut_is_malformed);
	tcase_add_loop_test(t, an_address_that_is_nobodys_refuses_the_set, 0,
			    9);
	tcase_add_test(t, a_barred_address_refuses_the_set);
	tcase_add_loop_test(t, what_we_cannot_use_is_left_out, 0, 6);
	tcase_add_test(t, an_unknown_type_that_is_preferred_is_told);
	tcase_add_test(t, a_bounded_number_is_kept);
	tcase_add_test(t, two_hundred_are_refused_by_name);
	tcase_add_test(t, an_address_twice_is_kept_once);
	tcase_add_test(t, what_is_put_is_read);
	tcase_add_test(t, candidates_and_a_server_are_read);
	suite_add_tcase(s, t);
	return s;
}
