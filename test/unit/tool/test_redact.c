/* SPDX-License-Identifier: MIT */
/* What a report must not hold, in whatever form it is written, and what it
 * must still say. */
#include "cmd/hipgate/redact.h"

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 3000, SEEN = 12 };

static char *redacted(bool all, const char *text)
{
	struct redact *r = NULL;
	char *out;

	ck_assert_int_eq(redact_new(all, &r), HG_OK);
	redact_name(r, "secrethost");
	out = redact_text(r, text);
	ck_assert_ptr_nonnull(out);
	redact_free(r);
	return out;
}

/* ---- keys ------------------------------------------------------------------- */

static const struct form {
	int variant; /* of base64; 0: hexadecimal */
	size_t octets;
} forms[] = {
	{ 0, 16 },
	{ 0, 32 },
	{ sodium_base64_VARIANT_ORIGINAL, 16 }, /* "==" */
	{ sodium_base64_VARIANT_ORIGINAL, 17 }, /* "=" */
	{ sodium_base64_VARIANT_ORIGINAL, 32 },
	{ sodium_base64_VARIANT_ORIGINAL, 48 }, /* a line of PEM */
	{ sodium_base64_VARIANT_ORIGINAL_NO_PADDING, 32 },
	{ sodium_base64_VARIANT_URLSAFE_NO_PADDING, 32 },
};

static const char *const around[] = {
	"%s",	 "key=%s",	  "key = %s\n",	    "{\"key\":\"%s\"}",
	"(%s).", "is %s: no key", "a key, %s, of ", "\n%s\n",
};

static void key_text(const struct form *f, uint32_t n, char *out, size_t cap)
{
	uint8_t seed[randombytes_SEEDBYTES] = { (uint8_t)n, (uint8_t)(n >> 8) };
	uint8_t key[64];

	randombytes_buf_deterministic(key, f->octets, seed);
	if (f->variant)
		sodium_bin2base64(out, cap, key, f->octets, f->variant);
	else
		sodium_bin2hex(out, cap, key, f->octets);
}

/* One in 64 begins with a slash, one of 16 octets in 36 has no digit. */
START_TEST(no_key_is_left_however_it_begins)
{
	const struct form *f = &forms[_i];

	for (uint32_t n = 0; n < KEYS; n++) {
		const char *context = around[n % 8];
		char key[160], text[256], part[SEEN + 1];
		char *out;

		key_text(f, n, key, sizeof(key));
		(void)snprintf(text, sizeof(text), context, key);
		out = redacted(n & 16, text);
		for (size_t i = 0; key[i + SEEN]; i++) {
			memcpy(part, key + i, SEEN);
			part[SEEN] = '\0';
			ck_assert_msg(!strstr(out, part), "%s: %s", text, out);
		}
		free(out);
	}
}
END_TEST

/* ---- all else ----------------------------------------------------------------- */

static const char *const kept[] = {
	"event=hip-failed reason=hip-timeout tries=5",
	"/usr/share/doc/hipgate/examples",
	"/var/lib/hipgate-of-somebody/LEASES2026",
	"ESTABLISHED, 1.5ms; version 0.1.0-rc1",
	"at 127.0.0.1, ::1 or ::",
	"[proxy] encrypted-dns = refuse",
};

START_TEST(what_says_nothing_of_anybody_stays)
{
	char *out = redacted(true, kept[_i]);

	ck_assert_str_eq(out, kept[_i]);
	free(out);
}
END_TEST

/* No pseudonym can have these in it by chance. */
static const struct {
	const char *text;
	const char *secret;
	const char *kind;
} gone[] = {
	{ "to 203.0.113.7:4500 now", "203.0.", "addr4-" },
	{ "from [2001:db8::7]:10500.", "db8", "addr6-" },
	{ "2001:db8:6::/48", "db8:", "addr6-" },
	{ "peer=2001:22:5a12:1:2:3:4:5", "5a12:", "hit-" },
	{ "=203.0.113.9", ".0.113", "addr4-" },
	{ "to=::ffff:203.0.113.7", ".0.113", "addr4-" },
	{ "at ::ffff:203.0.113.7", ".0.113", "addr4-" },
	{ "of secret-host.corp.example.", "corp", "name-" },
	{ "SecretHost: no answer", "ecret", "name-" },
	{ "link 02:00:5e:10:ab:cd", ":ab:", "mac-" },
};

START_TEST(who_it_is_goes_unless_all_is_wanted)
{
	char *out = redacted(true, gone[_i].text);

	ck_assert_msg(!strstr(out, gone[_i].secret), "%s", out);
	ck_assert_msg(strstr(out, gone[_i].kind), "%s", out);
	free(out);
	out = redacted(false, gone[_i].text);
	ck_assert_str_eq(out, gone[_i].text);
	free(out);
}
END_TEST

/* Within one report the same name is the same; another report tells nothing. */
START_TEST(a_pseudonym_lives_as_long_as_its_report)
{
	struct redact *r = NULL;
	char *a, *b, *c;

	ck_assert_int_eq(redact_new(true, &r), HG_OK);
	a = redact_text(r, "x.example");
	b = redact_text(r, "x.example");
	c = redacted(true, "x.example");
	ck_assert_str_eq(a, b);
	ck_assert_str_ne(a, c);
	free(a);
	free(b);
	free(c);
	redact_free(r);
}
END_TEST

START_TEST(keys_and_strings_of_json_are_looked_through)
{
	struct redact *r = NULL;
	json_t *o = json_pack("{s:[s,i,{s:s}]}", "203.0.113.7", "x.example", 7,
			      "b", "[2001:db8::7]:10500");
	json_t *out;
	char *text;

	ck_assert_int_eq(redact_new(true, &r), HG_OK);
	out = redact_json(r, o);
	text = json_dumps(out, JSON_COMPACT);
	ck_assert_msg(!strstr(text, ".0.") && !strstr(text, "example") &&
			      !strstr(text, "db8:"),
		      "%s", text);
	ck_assert_msg(strstr(text, ",7,") && strstr(text, "]:10500"), "%s",
		      text);
	free(text);
	json_decref(o);
	json_decref(out);
	redact_free(r);
}
END_TEST

Suite *test_redact_suite(void);
Suite *test_redact_suite(void)
{
	Suite *s = suite_create("redact");
	TCase *t = tcase_create("redact");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, no_key_is_left_however_it_begins, 0,
			    sizeof(forms) / sizeof(forms[0]));
	tcase_add_loop_test(t, what_says_nothing_of_anybody_stays, 0,
			    sizeof(kept) / sizeof(kept[0]));
	tcase_add_loop_test(t, who_it_is_goes_unless_all_is_wanted, 0,
			    sizeof(gone) / sizeof(gone[0]));
	tcase_add_test(t, a_pseudonym_lives_as_long_as_its_report);
	tcase_add_test(t, keys_and_strings_of_json_are_looked_through);
	suite_add_tcase(s, t);
	return s;
}
