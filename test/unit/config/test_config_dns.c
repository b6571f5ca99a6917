/* SPDX-License-Identifier: MIT */
/* The keys about DNS: what they take, and what they refuse in which words. */
#include <check.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	ck_assert(!c->encrypted_dns);
	ck_assert_int_eq(c->validating, DNS_VALIDATING_AUTO);
	config_free(c);
	c = parsed(P "hip-records = hide\ndnssec-client = synthesize\n"
		     "encrypted-dns = pass\n");
	ck_assert(c->encrypted_dns);
	ck_assert(c->hide_records);
	ck_assert_int_eq(c->validating, DNS_VALIDATING_SYNTHESIZE);
	config_free(c);
	c = parsed(P "hip-records = pass\ndnssec-client = refuse\n"
		     "encrypted-dns = discourage\n");
	ck_assert(!c->encrypted_dns);
	ck_assert(!c->hide_records);
	ck_assert_int_eq(c->validating, DNS_VALIDATING_REFUSE);
	config_free(c);
}
END_TEST

START_TEST(how_many_substitutes_and_for_how_long)
{
	struct config *c = parsed(P);

	ck_assert_uint_eq(c->substitutes, LEASE_MAX);
	ck_assert_uint_eq(c->keep, 600);
	config_free(c);
	c = parsed(P "substitutes = 16\nkeep = 86400\n");
	ck_assert_uint_eq(c->substitutes, 16);
	ck_assert_uint_eq(c->keep, 86400);
	config_free(c);
	c = parsed(P "substitutes = 65536\nkeep = 60\n");
	ck_assert_uint_eq(c->substitutes, 65536);
	ck_assert_uint_eq(c->keep, 60);
	config_free(c);
}
END_TEST

#define HIT1 "2001:21::77"
#define R P "[record Hip.Foo.com.]\n"

START_TEST(a_record_is_what_its_section_says)
{
	struct config *c =
		parsed(R "hit = " HIT1 "\naddress = 192.0.2.1\n"
			 "address = 2001:db8::1\n[record b]\nhit = 2001:22::1\n"
			 "rvs = Agent.foo.com\nrvs = 192.0.2.9\n");
	const struct dns_record *r = &c->records[0].r;

	ck_assert_uint_eq(c->records_num, 2);
	ck_assert_str_eq(r->name, "hip.foo.com");
	ck_assert_uint_eq(r->hit.b[15], 0x77);
	ck_assert_uint_eq(r->at_num, 2);
	ck_assert(!r->via_rvs);
	r = &c->records[1].r;
	ck_assert(r->via_rvs);
	ck_assert_str_eq(r->rvs[0], "agent.foo.com");
	ck_assert_uint_eq(r->at_num, 1);
	config_free(c);
}
END_TEST

/* An identity's key as `hi` has it, in lines of 120 characters. */
static void hi_lines(enum hip_alg alg, const char *word, char out[2048],
		     struct hit *hit)
{
	struct hip_identity *id;
	const uint8_t *pk;
	uint8_t pk_alg;
	size_t len;
	char b64[1024];

	ck_assert_int_eq(hip_identity_generate(alg, &id), 0);
	hip_identity_dns_key(id, &pk_alg, &pk, &len);
	ck_assert_ptr_nonnull(sodium_bin2base64(
		b64, sizeof(b64), pk, len, sodium_base64_VARIANT_ORIGINAL));
	*hit = *hip_identity_hit(id);
	hip_identity_free(id);
	len = (size_t)sprintf(out, R);
	for (size_t i = 0; i < strlen(b64); i += 120)
		len += (size_t)sprintf(out + len, "hi = %s%.120s\n",
				       i ? "" : word, b64 + i);
}

START_TEST(a_key_makes_its_hit_whatever_its_length)
{
	char text[4096];
	struct hit hit;
	struct config *c;
	char *last;

	hi_lines(_i ? HIP_ALG_RSA_2048 : HIP_ALG_ECDSA_P256,
		 _i ? "rsa " : "ecdsa ", text, &hit);
	c = parsed(text);
	ck_assert(hit_eq(&c->records[0].r.hit, &hit));
	config_free(c);
	c = NULL;
	/* Without its last line it is no key, or another one. */
	strcat(text, "hit = " HIT1 "\n");
	ck_assert_int_eq(config_parse("f.conf", text, &c, text + 3000, 1000),
			 HG_EFORMAT);
	ck_assert_str_eq(text + 3000,
			 "f.conf:5: [record hip.foo.com]: hit is not that of "
			 "hi; remove the one that is wrong");
	last = strstr(text, "hi = ");
	strcpy(last, _i ? "hi = rsa AAAA\n" : "hi = ecdsa AAAA\n");
	ck_assert_int_eq(config_parse("f.conf", text, &c, text + 3000, 1000),
			 HG_EFORMAT);
	ck_assert_ptr_nonnull(strstr(text + 3000, "hi is no key; copy"));
}
END_TEST

static int hosts(const char *text, struct config *c, char err[300])
{
	char copy[600];

	snprintf(copy, sizeof(copy), "%s", text);
	return config_dns_hosts_parse(c, "hosts", copy, err, 300);
}

START_TEST(a_line_of_the_hosts_file_is_a_record_for_each_name)
{
	struct config *c = parsed(R "hit = " HIT1 "\n");
	char err[300];

	ck_assert_int_eq(hosts("# HIPL's own\n\n" HIT1 " a.test A2 # why\n"
			       "2001:22::1\tb 192.0.2.1 2001:db8::1\r\n"
			       "2001:22::2 rvs=x.test c rvs=192.0.2.3",
			       c, err),
			 0);
	ck_assert_uint_eq(c->records_num, 5);
	ck_assert_str_eq(c->records[1].r.name, "a.test");
	ck_assert_str_eq(c->records[2].r.name, "a2");
	ck_assert(hit_eq(&c->records[1].r.hit, &c->records[2].r.hit));
	ck_assert_uint_eq(c->records[2].line, 3);
	ck_assert_uint_eq(c->records[3].r.at_num, 2);
	ck_assert_str_eq(c->records[4].r.rvs[0], "x.test");
	ck_assert_uint_eq(c->records[4].r.at_num, 1);
	ck_assert(c->records[4].r.via_rvs);
	config_free(c);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} bad_hosts[] = {
	{ "\n192.0.2.1 a\n", "hosts:2: \"192.0.2.1\" is no HIT (inside "
			     "2001:20::/28); a line is HIT NAME... "
			     "[ADDRESS...]" },
	{ HIT1 "\n", "hosts:1: \"" HIT1 "\" has no name behind it; a line is "
		     "HIT NAME... [ADDRESS...]" },
	{ HIT1 " a..b\n", "hosts:1: \"a..b\" is no domain name" },
	{ HIT1 " a\033b\n", "hosts:1: \"a?b\" is no domain name" },
	{ HIT1 " hip.foo.com\n",
	  "hosts:1: \"hip.foo.com\" has a record already; remove one" },
	{ HIT1 " a 127.0.0.1\n",
	  "hosts:1: \"127.0.0.1\" is no address or name that HIP can be sent "
	  "to, or there is an address and an rvs; keep one kind" },
	{ HIT1 " a 192.0.2.1 rvs=x\n",
	  "hosts:1: \"rvs=x\" is no address or name that HIP can be sent to, "
	  "or there is an address and an rvs; keep one kind" },
	{ HIT1 " a 192.0.2.1 192.0.2.1\n",
	  "hosts:1: \"192.0.2.1\" is there already; remove one" },
	{ HIT1 " a rvs=b rvs=c rvs=d rvs=e\n",
	  "hosts:1: \"rvs=e\" is one too many; remove some" },
};

START_TEST(a_bad_line_of_the_hosts_file_is_named)
{
	struct config *c = parsed(R "hit = " HIT1 "\n");
	char err[300];

	ck_assert_int_eq(hosts(bad_hosts[_i].text, c, err), HG_EFORMAT);
	ck_assert_str_eq(err, bad_hosts[_i].message);
	config_free(c);
}
END_TEST

START_TEST(without_an_anchor_it_is_the_roots)
{
	struct config *c = parsed(P "dns-server = ::1\ndnssec = prefer\n");
	struct config *own = parsed(P "dns-server = ::1\ndnssec = require\n"
				      "trust-anchor = /etc/k\n");

	ck_assert_str_eq(c->trust_anchor, CONFIG_ROOT_KEY);
	ck_assert_str_eq(own->trust_anchor, "/etc/k");
	config_free(c);
	config_free(own);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} refusals[] = {
	{ P "dns-server = ::1\ndns-server = 2001:db8:401::53\n",
	  "f.conf:6: dns-server lies inside prefix = 2001:db8:401::/64, where "
	  "only substitute addresses are" },
	{ P "dns-server = ::1\ndns-server = [::1]:53\n",
	  "f.conf:6: dns-server = [::1]:53 is there already; remove one" },
	{ P "dnssec = require\n",
	  "f.conf:3: dnssec = require needs a server to ask; add dns-server = "
	  "ADDRESS" },
	{ P "dnssec = prefer\ntrust-anchor = k\n",
	  "f.conf:3: dnssec = prefer needs a server to ask; add dns-server = "
	  "ADDRESS" },
	{ P "dnssec = yes\n", "f.conf:5: bad value \"yes\" for dnssec: "
			      "expected require, prefer or off" },
	{ P "hip-records = no\n",
	  "f.conf:5: bad value \"no\" for hip-records: expected pass or hide" },
	{ R, "f.conf:5: [record hip.foo.com] says nothing of who it is; add "
	     "hit = HIT or hi = ALGORITHM KEY" },
	{ R "hit = " HIT1 "\n[record hip.foo.com]\n",
	  "f.conf:7: [record hip.foo.com] is there already; merge the two" },
	{ R "hit = 192.0.2.1\n", "f.conf:6: bad value \"192.0.2.1\" for hit: "
				 "expected a HIT (inside 2001:20::/28)" },
	{ R "hi = dsa AAAA\n",
	  "f.conf:6: bad value \"dsa AAAA\" for hi: expected rsa or ecdsa and "
	  "the key of a HIP record in base64, or more of it" },
	{ R "address = 127.0.0.1\n",
	  "f.conf:6: bad value \"127.0.0.1\" for address: expected a unicast "
	  "ADDRESS" },
	{ R "rvs = a..b\n",
	  "f.conf:6: bad value \"a..b\" for rvs: expected a domain name or a "
	  "unicast ADDRESS" },
	{ "[daemon]\nidentity = k.pem\n[host]\n[record a]\nhit = " HIT1 "\n",
	  "f.conf:4: [record] serves the proxy only; add [proxy] or remove "
	  "it" },
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

/* A new file with these octets; path: a template, filled in. */
static void write_new(char *path, const void *data, size_t len)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	close(fd);
}

START_TEST(a_hosts_file_is_text_to_its_end)
{
	static const char text[] = "# fine\n\0# lost\n";
	char hosts_at[] = "/tmp/hipgate-hosts-XXXXXX";
	char conf_at[] = "/tmp/hipgate-conf-XXXXXX";
	struct config *c = NULL;
	char all[256];
	char err[256];

	write_new(hosts_at, text, sizeof(text) - 1);
	(void)snprintf(all, sizeof(all), P "hosts = %s\n", hosts_at);
	write_new(conf_at, all, strlen(all));
	ck_assert_int_eq(config_load(conf_at, &c, err, sizeof(err)),
			 HG_EFORMAT);
	(void)snprintf(all, sizeof(all),
		       "%s: holds a NUL octet; it is not a text file",
		       hosts_at);
	ck_assert_str_eq(err, all);
	ck_assert_ptr_null(c);
	ck_assert_int_eq(truncate(hosts_at, 7), 0);
	ck_assert_int_eq(config_load(conf_at, &c, err, sizeof(err)), HG_OK);
	config_free(c);
	unlink(hosts_at);
	unlink(conf_at);
}
END_TEST

Suite *test_config_dns_suite(void);
Suite *test_config_dns_suite(void)
{
	Suite *s = suite_create("config_dns");
	TCase *tc = tcase_create("config_dns");

	tcase_add_test(tc, records_and_clients_are_as_they_say);
	tcase_add_test(tc, how_many_substitutes_and_for_how_long);
	tcase_add_test(tc, a_record_is_what_its_section_says);
	tcase_add_loop_test(tc, a_key_makes_its_hit_whatever_its_length, 0, 2);
	tcase_add_test(tc, a_line_of_the_hosts_file_is_a_record_for_each_name);
	tcase_add_test(tc, a_hosts_file_is_text_to_its_end);
	tcase_add_loop_test(tc, a_bad_line_of_the_hosts_file_is_named, 0,
			    sizeof(bad_hosts) / sizeof(bad_hosts[0]));
	tcase_add_test(tc, without_an_anchor_it_is_the_roots);
	tcase_add_loop_test(tc, what_is_wrong_is_named_with_its_mend, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	suite_add_tcase(s, tc);
	return s;
}
