/* SPDX-License-Identifier: MIT */
/* The keys about DNS: what they take, and what they refuse in which words. */
#include <check.h>

#include "cmd/config/config_dns.h"

#define P                                                                      \
	"[daemon]\nidentity = k.pem\n[proxy]\n"                                \
	"prefix = 2001:db8:401::/64\n"

static struct config *parsed(const char *text)
{
	struct config *c = NULL;
	char err[640] = "";

	ck_assert_msg(config_parse("f.conf", text, &c, err, sizeof(err)) == 0,
		      "%s", err);
	return c;
}

START_TEST(records_and_clients_are_as_they_say)
{
	struct config *c = parsed(P);

	ck_assert(!c->hide_records);
	ck_assert_int_eq(c->validating, DNS_VALIDATING_AUTO);
	config_free(c);
	c = parsed(P "hip-records = hide\ndnssec-client = synthesize\n");
	ck_assert(c->hide_records);
	ck_assert_int_eq(c->validating, DNS_VALIDATING_SYNTHESIZE);
	config_free(c);
	c = parsed(P "hip-records = pass\ndnssec-client = refuse\n");
	ck_assert(!c->hide_records);
	ck_assert_int_eq(c->validating, DNS_VALIDATING_REFUSE);
	config_free(c);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} refusals[] = {
	{ P "hip-records = no\n",
	  "f.conf:5: bad value \"no\" for hip-records: expected pass or hide" },
	{ P "dnssec-client = yes\n",
	  "f.conf:5: bad value \"yes\" for dnssec-client: expected auto, "
	  "bypass, synthesize or refuse" },
};

START_TEST(what_is_wrong_is_named_with_its_mend)
{
	struct config *c = NULL;
	char err[640] = "";

	ck_assert_int_eq(
		config_parse("f.conf", refusals[_i].text, &c, err, sizeof(err)),
		HG_EFORMAT);
	ck_assert_str_eq(err, refusals[_i].message);
	ck_assert_ptr_null(c);
}
END_TEST

Suite *test_config_dns_suite(void);
Suite *test_config_dns_suite(void)
{
	Suite *s = suite_create("config_dns");
	TCase *tc = tcase_create("config_dns");

	tcase_add_test(tc, records_and_clients_are_as_they_say);
	tcase_add_loop_test(tc, what_is_wrong_is_named_with_its_mend, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	suite_add_tcase(s, tc);
	return s;
}
