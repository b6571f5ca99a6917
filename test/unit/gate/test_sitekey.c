/* SPDX-License-Identifier: MIT */
/* The site key: one for ever, and nobody else's. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/hipgated/sitekey.h"

static char dir[64];
static char why[512];
static bool old;

static void setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/hipgate-sitekey-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/site.key", dir);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0); /* and nothing else was made */
}

static int load(uint8_t key[LEASE_SITE_KEY])
{
	return sitekey_load(dir, key, &old, why, sizeof(why));
}

START_TEST(site_key_is_made_once_and_private)
{
	uint8_t a[LEASE_SITE_KEY];
	uint8_t b[LEASE_SITE_KEY];
	char path[128];
	struct stat st;

	ck_assert_int_eq(load(a), HG_OK);
	ck_assert(!old);
	ck_assert_int_eq(load(b), HG_OK);
	ck_assert(old);
	ck_assert_mem_eq(a, b, sizeof(a));
	(void)snprintf(path, sizeof(path), "%s/site.key", dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(load(b), HG_EPERM);
	ck_assert_ptr_nonnull(strstr(why, "chmod 600"));
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(truncate(path, LEASE_SITE_KEY - 1), 0);
	ck_assert_int_eq(load(b), HG_EFORMAT);
	ck_assert_int_eq(truncate(path, LEASE_SITE_KEY + 1), 0);
	ck_assert_int_eq(load(b), HG_EFORMAT);
}
END_TEST

Suite *test_sitekey_suite(void);
Suite *test_sitekey_suite(void)
{
	Suite *s = suite_create("sitekey");
	TCase *tc = tcase_create("sitekey");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, site_key_is_made_once_and_private);
	suite_add_tcase(s, tc);
	return s;
}
