/* SPDX-License-Identifier: MIT */
/* Where service bindings lead; what comes of it is in golden/types.txt. */
#include "test/unit/dns/desk.h"

#include "dns/svcb.h"

static struct desk k;

START_TEST(labels_of_ports_and_schemes_are_not_the_hosts)
{
	static const struct {
		const char *name;
		uint16_t type;
		const char *host;
	} t[] = {
		{ "_8443._https.Hip.test", SCAN_HTTPS, "Hip.test" },
		{ "_8443._https.hip.test", SCAN_SVCB, "hip.test" },
		{ "_8443._https.hip.test", SCAN_A, "_8443._https.hip.test" },
		{ "a._b.hip.test", SCAN_HTTPS, "a._b.hip.test" },
		{ "hip.test", SCAN_HTTPS, "hip.test" },
		{ "_a", SCAN_HTTPS, "_a" },
		{ "_a._b", SCAN_HTTPS, "_a._b" },
		{ ".", SCAN_HTTPS, "." },
	};
	struct dname name = desk_name(t[_i].name);
	struct dname host = desk_name(t[_i].host);
	struct dname got = svcb_host(&name, t[_i].type);

	ck_assert(dname_same(&got, &host));
}
END_TEST

/* rdata: priority, target, one key without a value */
static void put(unsigned section, const char *owner, uint16_t type,
		const char *target)
{
	struct dname n = desk_name(target);
	uint8_t rdata[2 + DNAME_WIRE_MAX + 4] = { 0, 1 };

	memcpy(rdata + 2, n.wire, n.len);
	desk_rr(&k, section, owner, type, 60, rdata, 2U + n.len + 4U);
}

static void begin(void)
{
	desk_start(&k, 1, 0x8180);
	desk_question(&k, "www.test", SCAN_HTTPS);
}

static size_t leads(size_t len, struct dname out[SVCB_LEADS])
{
	struct dname from = desk_name("www.test");

	ck_assert(!k.w.bad);
	return svcb_leads(k.buf, len, &from, out);
}

START_TEST(each_other_host_is_found_once_in_any_section)
{
	struct dname list[SVCB_LEADS];
	struct dname want;

	begin();
	put(1, "www.test", SCAN_HTTPS, ".");
	put(1, "www.test", SCAN_HTTPS, "WWW.test");
	put(1, "_1._https.www.test", SCAN_HTTPS, ".");
	put(1, "www.test", SCAN_HTTPS, "a.test");
	put(1, "www.test", SCAN_HTTPS, "A.test");
	put(1, "www.test", SCAN_HTTPS, "_443._https.b.test");
	put(1, "www.test", SCAN_A, "x.test"); /* not of this type */
	put(2, "c.test", SCAN_SVCB, ".");
	put(3, "c.test", SCAN_SVCB, "d.test");
	ck_assert_uint_eq(leads(wr_len(&k.w), list), 4);
	for (unsigned i = 0; i < 4; i++) {
		char name[] = "a.test";

		name[0] = (char)('a' + i);
		want = desk_name(name);
		ck_assert(dname_eq(&list[i], &want));
	}
	put(3, "c.test", SCAN_SVCB, "e.test");
	ck_assert_uint_eq(leads(wr_len(&k.w), list), SVCB_LEADS + 1);
}
END_TEST

START_TEST(what_is_broken_leads_nowhere)
{
	struct dname list[SVCB_LEADS];
	struct dname a = desk_name("a.test");
	size_t whole;

	begin();
	put(1, "www.test", SCAN_HTTPS, "a.test");
	whole = wr_len(&k.w);
	ck_assert_uint_eq(leads(whole, list), 1);
	ck_assert(dname_eq(&list[0], &a));
	for (size_t len = 0; len < whole; len++)
		ck_assert_uint_eq(leads(len, list), 0);
	begin();
	desk_rr(&k, 1, "www.test", SCAN_HTTPS, 60, "\0", 1);
	desk_rr(&k, 1, "www.test", SCAN_HTTPS, 60, "\0\1", 2);
	desk_rr(&k, 1, "www.test", SCAN_HTTPS, 60, "\0\1\1a", 4);
	ck_assert_uint_eq(leads(wr_len(&k.w), list), 0);
}
END_TEST

Suite *test_svcb_suite(void);
Suite *test_svcb_suite(void)
{
	Suite *s = suite_create("svcb");
	TCase *tc = tcase_create("svcb");

	tcase_add_loop_test(tc, labels_of_ports_and_schemes_are_not_the_hosts,
			    0, 8);
	tcase_add_test(tc, each_other_host_is_found_once_in_any_section);
	tcase_add_test(tc, what_is_broken_leads_nowhere);
	suite_add_tcase(s, tc);
	return s;
}
