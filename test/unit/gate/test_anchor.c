/* SPDX-License-Identifier: MIT */
/* The copy of the trust anchor: when it is made, kept, and made anew. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/hipgated/anchor.h"

static char dir[40];
static char from[60];
static char out[ANCHOR_PATH];
static char why[600];

static void setup(void)
{
	strcpy(dir, "/tmp/hipgate-anchor-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(from, sizeof(from), "%s/from", dir);
}

static void teardown(void)
{
	char path[ANCHOR_PATH + 8];

	(void)unlink(from);
	(void)unlink(out);
	(void)snprintf(path, sizeof(path), "%s.origin", out);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0); /* so nothing else is left */
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void copy_is(const char *text)
{
	char got[100] = "";
	FILE *f = fopen(out, "re");

	ck_assert_ptr_nonnull(f);
	(void)fread(got, 1, sizeof(got) - 1, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_str_eq(got, text);
}

static void copied(void)
{
	ck_assert_int_eq(anchor_copy(from, dir, out, why, sizeof(why)), HG_OK);
}

START_TEST(what_was_learnt_since_is_kept)
{
	put(from, "one\n");
	copied();
	copy_is("one\n");
	put(out, "one\nlearnt\n");
	copied();
	copy_is("one\nlearnt\n");
}
END_TEST

START_TEST(another_file_of_the_administrators_counts_anew)
{
	put(from, "one\n");
	copied();
	put(out, "learnt\n");
	put(from, "two\n"); /* as long */
	copied();
	copy_is("two\n");
	put(from, "two\nand more\n");
	copied();
	copy_is("two\nand more\n");
}
END_TEST

START_TEST(a_copy_that_is_gone_or_empty_is_made_again)
{
	put(from, "one\n");
	copied();
	if (_i)
		put(out, "");
	else
		ck_assert_int_eq(unlink(out), 0);
	copied();
	copy_is("one\n");
}
END_TEST

/* A good copy, then a bad file: named, and the copy is as it was. */
START_TEST(what_cannot_be_read_changes_nothing)
{
	put(from, "one\n");
	copied();
	ck_assert_int_eq(unlink(from), 0);
	if (_i)
		put(from, "");
	ck_assert_int_eq(anchor_copy(from, dir, out, why, sizeof(why)),
			 HG_EFORMAT);
	ck_assert_ptr_nonnull(strstr(why, from));
	ck_assert_ptr_nonnull(strstr(why, "dns-root-data"));
	copy_is("one\n");
}
END_TEST

START_TEST(what_is_too_large_is_no_anchor)
{
	static char large[ANCHOR_MAX + 2];

	memset(large, 'x', ANCHOR_MAX);
	put(from, large);
	ck_assert_int_eq(anchor_copy(from, dir, out, why, sizeof(why)),
			 HG_EFORMAT);
	ck_assert_int_ne(access(out, F_OK), 0);
	large[ANCHOR_MAX - 1] = '\0';
	put(from, large);
	copied();
}
END_TEST

START_TEST(without_a_state_folder_it_is_named)
{
	char none[60];

	put(from, "one\n");
	(void)snprintf(none, sizeof(none), "%s/none", dir);
	ck_assert_int_eq(anchor_copy(from, none, out, why, sizeof(why)),
			 HG_ESYS);
	ck_assert_ptr_nonnull(strstr(why, none));
	ck_assert_ptr_nonnull(strstr(why, "state folder"));
}
END_TEST

Suite *test_anchor_suite(void);
Suite *test_anchor_suite(void)
{
	Suite *suite = suite_create("anchor");
	TCase *tc = tcase_create("anchor");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_learnt_since_is_kept);
	tcase_add_test(tc, another_file_of_the_administrators_counts_anew);
	tcase_add_loop_test(tc, a_copy_that_is_gone_or_empty_is_made_again, 0,
			    2);
	tcase_add_loop_test(tc, what_cannot_be_read_changes_nothing, 0, 2);
	tcase_add_test(tc, what_is_too_large_is_no_anchor);
	tcase_add_test(tc, without_a_state_folder_it_is_named);
	suite_add_tcase(suite, tc);
	return suite;
}
