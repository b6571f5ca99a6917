/* SPDX-License-Identifier: MIT */
/* The keys about suites: lists of names, and what is refused. */
#include "cmd/config/config.h"

#include "test/unit/config/parse_bed.h"
#include <stdio.h>

#include "core/sa.h"

#define D "[daemon]\nidentity = k.pem\n"
#define PEER "[peer 2001:22:1:2:3:4:5:6]\naddress = 192.0.2.1\n"

START_TEST(lists_keep_their_order)
{
	struct config *c = parse_ok(
		D "dh-groups = modp1536,p521 , modp3072,\tmodp2048, p384,p256\n"
		  "hip-ciphers = aes128-cbc, aes256-cbc\n"
		  "esp-suites = aes128-ccm8, aes128-ccm16, aes128-gcm8, "
		  "aes128-gcm16, aes256-cbc-sha256, aes128-cbc-sha256\n"
		  "[host]\n");
	static const uint16_t dh[] = { 3, 9, 4, 11, 8, 7 };
	static const uint16_t esp[] = { 10, 11, 12, 13, 9, 8 };

	ck_assert_uint_eq(c->offer.dh_num, 6);
	ck_assert_mem_eq(c->offer.dh, dh, sizeof(dh));
	ck_assert_uint_eq(c->offer.cipher_num, 2);
	ck_assert_uint_eq(c->offer.cipher[0], 2);
	ck_assert_uint_eq(c->offer.cipher[1], 4);
	ck_assert_uint_eq(c->offer.esp_num, 6);
	ck_assert_mem_eq(c->offer.esp, esp, sizeof(esp));
	config_free(c);
}
END_TEST

START_TEST(nothing_said_is_nothing_set)
{
	struct config *c = parse_ok(D "[host]\n" PEER);

	ck_assert_uint_eq(c->offer.dh_num, 0);
	ck_assert_uint_eq(c->offer.cipher_num, 0);
	ck_assert_uint_eq(c->offer.esp_num, 0);
	ck_assert(!c->peers[0].esp_null);
	config_free(c);
}
END_TEST

#define DH_WANT                                                                \
	"names, each once, separated by commas, out of p256, p384, p521, "     \
	"modp1536, modp2048, modp3072"

START_TEST(bad_lists)
{
	static const char *const bad[] = { "p512",
					   "p256,",
					   ",p256",
					   "7",
					   "p256 p384",
					   "p256,,p384",
					   "P256",
					   "p256, p256",
					   "p25",
					   "p2566",
					   "p256,p384,p521,modp1536,"
					   "modp2048,modp3072,p256" };
	char text[512];
	char want[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), D "dh-groups = %s\n[host]\n",
			       bad[i]);
		(void)snprintf(want, sizeof(want),
			       "f:3: bad value \"%s\" for dh-groups: expected "
			       "%s",
			       bad[i], DH_WANT);
		refused(text, want);
	}
	refused(D "hip-ciphers = aes192-cbc\n[host]\n",
		"f:3: bad value \"aes192-cbc\" for hip-ciphers: expected "
		"names, each once, separated by commas, out of aes256-cbc, "
		"aes128-cbc");
	refused(D "dh-groups = p256\ndh-groups = p384\n[host]\n",
		"f:4: dh-groups is there already in this section; remove one");
	refused(D "dh-group = p256\n[host]\n",
		"f:3: unknown key \"dh-group\" in [daemon]; did you mean "
		"\"dh-groups\"?");
}
END_TEST

START_TEST(no_encryption_is_said_for_one_peer)
{
	struct config *c = parse_ok(D "[host]\n" PEER "esp-null = yes\n"
				      "[peer 2001:22::1]\naddress = 192.0.2.2\n"
				      "esp-null = no\n");

	ck_assert(c->peers[0].esp_null);
	ck_assert(!c->peers[1].esp_null);
	config_free(c);
	/* it is no affair of the host role alone */
	c = parse_ok(D "[proxy]\nprefix = 2001:db8:401::/64\n" PEER
		       "esp-null = yes\n");
	config_free(c);
	refused(D "[proxy]\nprefix = 2001:db8:401::/64\n" PEER
		  "esp-null = no\n",
		"f:5: address in [peer] serves the host role only; add [host] "
		"or remove "
		"it");
	refused(D "[host]\n" PEER "esp-null = maybe\n",
		"f:6: bad value \"maybe\" for esp-null: expected yes or no");
	refused(D "esp-suites = null\n[host]\n",
		"f:3: bad value \"null\" for esp-suites: expected names, each "
		"once, separated by commas, out of aes128-gcm16, aes128-gcm8, "
		"aes128-ccm16, aes128-ccm8, aes256-cbc-sha256, "
		"aes128-cbc-sha256");
	refused(D "esp-suites = aes128-ccm8, aes128-ccm16, aes128-gcm8, "
		  "aes128-gcm16, aes256-cbc-sha256, aes128-cbc-sha256\n"
		  "[host]\n" PEER "esp-null = yes\n",
		"f:5: esp-null = yes offers a suite more, and esp-suites has "
		"6 already; leave one out there");
}
END_TEST

Suite *test_config_suites_suite(void);
Suite *test_config_suites_suite(void)
{
	Suite *s = suite_create("config_suites");
	TCase *t = tcase_create("suites");

	tcase_add_test(t, lists_keep_their_order);
	tcase_add_test(t, nothing_said_is_nothing_set);
	tcase_add_test(t, bad_lists);
	tcase_add_test(t, no_encryption_is_said_for_one_peer);
	suite_add_tcase(s, t);
	return s;
}
