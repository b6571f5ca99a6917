/* SPDX-License-Identifier: MIT */
/* Whose daemon it is, by where its configuration lies. */
#include "cmd/config/config_home.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/config/parse_bed.h"

#define TEXT "[daemon]\nidentity = k\n[host]\n"

static char home[] = "/tmp/test_home.XXXXXX";

static void setup(void)
{
	strcpy(home + sizeof(home) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(home));
	(void)setenv("HOME", home, 1);
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("XDG_STATE_HOME");
	(void)setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
}

static void teardown(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", home);
	ck_assert_int_eq(system(command), 0);
}

static const char *in_home(const char *tail)
{
	static char path[2][CONFIG_PATH];
	static unsigned n;

	n = !n;
	(void)snprintf(path[n], sizeof(path[n]), "%s/%s", home, tail);
	return path[n];
}

static void make_file(const char *tail)
{
	char command[256];

	(void)snprintf(command, sizeof(command),
		       "mkdir -p $(dirname %s) && touch %s", in_home(tail),
		       in_home(tail));
	ck_assert_int_eq(system(command), 0);
}

START_TEST(who_has_a_file_of_his_own_gets_it)
{
	char out[CONFIG_PATH];

	ck_assert_str_eq(config_home_file(1000, out), CONFIG_FILE_DEFAULT);
	make_file(".config/hipgate/hipgate.conf");
	ck_assert_str_eq(config_home_file(1000, out),
			 in_home(".config/hipgate/hipgate.conf"));
	/* Root's is the system's, whoever's environment sudo has kept. */
	ck_assert_str_eq(config_home_file(0, out), CONFIG_FILE_DEFAULT);
	(void)setenv("XDG_CONFIG_HOME", in_home("other"), 1);
	ck_assert_str_eq(config_home_file(1000, out), CONFIG_FILE_DEFAULT);
	make_file("other/hipgate/hipgate.conf");
	ck_assert_str_eq(config_home_file(1000, out),
			 in_home("other/hipgate/hipgate.conf"));
	/* A relative path is none. */
	(void)setenv("XDG_CONFIG_HOME", "other", 1);
	ck_assert_str_eq(config_home_file(1000, out),
			 in_home(".config/hipgate/hipgate.conf"));
	(void)unsetenv("HOME");
	ck_assert_str_eq(config_home_file(1000, out), CONFIG_FILE_DEFAULT);
	(void)setenv("HOME", home, 1);
}
END_TEST

static struct config *parsed(const char *name, const char *text)
{
	char why[256];
	struct config *c;

	ck_assert_msg(config_parse(name, text, &c, why, sizeof(why)) == HG_OK,
		      "%s", why);
	return c;
}

START_TEST(a_file_there_has_defaults_there)
{
	const char *mine = in_home(".config/hipgate/hipgate.conf");
	struct config *c = parsed(mine, TEXT);

	ck_assert_str_eq(c->state, in_home(".local/state/hipgate"));
	ck_assert_str_eq(c->control, "/run/user/7/hipgate/ctl.sock");
	ck_assert(c->home);
	config_free(c);
	/* What is said counts. */
	c = parsed(mine, "[daemon]\nidentity = k\nstate = /s\n"
			 "control = /c\n[host]\n");
	ck_assert_str_eq(c->state, "/s");
	ck_assert_str_eq(c->control, "/c");
	config_free(c);
	(void)setenv("XDG_STATE_HOME", "/state", 1);
	(void)unsetenv("XDG_RUNTIME_DIR");
	c = parsed(mine, TEXT);
	ck_assert_str_eq(c->state, "/state/hipgate");
	ck_assert_str_eq(c->control, "/run/hipgate/ctl.sock");
	config_free(c);
}
END_TEST

START_TEST(any_other_file_has_the_systems)
{
	static const char *const names[] = { CONFIG_FILE_DEFAULT, "x.conf",
					     "/.config/hipgate/hipgate.conf" };
	struct config *c;

	for (size_t i = 0; i < 3; i++) {
		c = parsed(names[i], TEXT);
		ck_assert_str_eq(c->state, "/var/lib/hipgate");
		ck_assert_str_eq(c->control, "/run/hipgate/ctl.sock");
		ck_assert(!c->home);
		config_free(c);
	}
	c = parsed(in_home(".config/hipgate-not/hipgate.conf"), TEXT);
	ck_assert(!c->home);
	config_free(c);
}
END_TEST

START_TEST(its_folders_are_made_for_nobody_else)
{
	struct config *c;
	struct stat st;

	(void)setenv("XDG_RUNTIME_DIR", in_home("run"), 1);
	c = parsed(in_home(".config/hipgate/hipgate.conf"), TEXT);
	config_home_make(c);
	ck_assert_int_eq(stat(in_home(".local/state/hipgate"), &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(stat(in_home("run/hipgate"), &st), 0);
	ck_assert_int_ne(stat(in_home("run/hipgate/ctl.sock"), &st), 0);
	config_home_make(c); /* again: no harm */
	config_free(c);
	c = parsed("x.conf", "[daemon]\nidentity = k\n[host]\n");
	(void)snprintf(c->state, sizeof(c->state), "%s", in_home("no"));
	config_home_make(c);
	ck_assert_int_ne(stat(in_home("no"), &st), 0);
	config_free(c);
}
END_TEST

Suite *test_config_home_suite(void);
Suite *test_config_home_suite(void)
{
	Suite *s = suite_create("config_home");
	TCase *t = tcase_create("home");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, who_has_a_file_of_his_own_gets_it);
	tcase_add_test(t, a_file_there_has_defaults_there);
	tcase_add_test(t, any_other_file_has_the_systems);
	tcase_add_test(t, its_folders_are_made_for_nobody_else);
	suite_add_tcase(s, t);
	return s;
}
