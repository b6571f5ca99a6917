/* SPDX-License-Identifier: MIT */
/* A configuration in several files: hipgate.conf and conf.d beside it. */
#include "cmd/config/config.h"
#include "cmd/config/config_parse.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define D "[daemon]\nidentity = k.pem\n"
#define P "[proxy]\nprefix = 2001:db8:401::/64\n"

static char dir[32];
static char err[512];

static const char *at(const char *name)
{
	static char path[96];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(at(name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void setup(void)
{
	memcpy(dir, "/tmp/hipgate-conf-XXXXXX", 25);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)umask(022);
	ck_assert_int_eq(mkdir(at("conf.d"), 0755), 0);
	put("hipgate.conf", D P);
}

static void teardown(void)
{
	static const char *const names[] = {
		"hipgate.conf",	      "conf.d/10-a.conf", "conf.d/9-b.conf",
		"conf.d/c.conf.save", "conf.d/.d.conf",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(at(names[i])); /* not each test has it */
	(void)rmdir(at("conf.d/sub.conf"));
	ck_assert_int_eq(rmdir(at("conf.d")), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct config *taken(void)
{
	struct config *c = NULL;

	ck_assert_msg(config_load(at("hipgate.conf"), &c, err, sizeof(err)) ==
			      HG_OK,
		      "%s", err);
	return c;
}

/* The message is the path of `name` and then `rest`. */
static void refused(int code, const char *name, const char *rest)
{
	struct config *c = NULL;
	char expect[512];

	ck_assert_int_eq(config_load(at("hipgate.conf"), &c, err, sizeof(err)),
			 code);
	ck_assert_ptr_null(c);
	(void)snprintf(expect, sizeof(expect), "%s%s", at(name), rest);
	ck_assert_str_eq(err, expect);
}

START_TEST(files_of_conf_d_go_on_in_the_order_of_their_names)
{
	struct config *c;

	put("conf.d/9-b.conf", "[proxy]\nclients = 10.2.0.0/16\n");
	put("conf.d/10-a.conf", "[proxy]\nclients = 10.1.0.0/16\nttl = 5\n"
				"[policy \"*.example\"]\nhip = require\n");
	put("conf.d/c.conf.save", "nonsense");
	put("conf.d/.d.conf", "nonsense");
	c = taken();
	ck_assert_uint_eq(c->clients_num, 2);
	ck_assert_uint_eq(c->clients[0].addr.b[13], 1); /* "10" < "9" */
	ck_assert_uint_eq(c->clients[1].addr.b[13], 2);
	ck_assert_uint_eq(c->ttl, 5);
	ck_assert_uint_eq(c->rules_num, 1);
	ck_assert_uint_eq(c->files_num, 3);
	config_free(c);
	unlink(at("conf.d/10-a.conf"));
	c = taken();
	ck_assert_uint_eq(c->clients_num, 1);
	ck_assert_uint_eq(c->ttl, 60);
	config_free(c);
}
END_TEST

START_TEST(a_mistake_is_named_with_its_own_file)
{
	put("conf.d/10-a.conf", "\n[proxy]\nclint = ::/0\n");
	refused(HG_EFORMAT, "conf.d/10-a.conf",
		":3: unknown key \"clint\" in [proxy]; did you mean "
		"\"clients\"?");
	put("conf.d/10-a.conf", "[proxy]\n\nnonsense\n");
	refused(HG_EFORMAT, "conf.d/10-a.conf",
		":3: neither a section nor KEY = VALUE");
	/* What is judged when all is read, too. */
	put("conf.d/10-a.conf", "[proxy]\nclients = 2001:db8:401::/80\n");
	refused(HG_EFORMAT, "conf.d/10-a.conf",
		":2: clients = 2001:db8:401::/80 lies inside prefix = "
		"2001:db8:401::/64, where only substitute addresses are; name "
		"the clients' own addresses");
	put("conf.d/10-a.conf", "ttl = 5\n");
	refused(HG_EFORMAT, "conf.d/10-a.conf",
		":1: \"ttl\" stands before any section; begin with [daemon]");
	unlink(at("conf.d/10-a.conf"));
	config_free(taken());
}
END_TEST

START_TEST(what_may_be_said_once_may_be_said_in_one_file)
{
	put("conf.d/10-a.conf", "[proxy]\nttl = 5\n");
	config_free(taken());
	put("conf.d/9-b.conf", "[proxy]\nttl = 6\n");
	refused(HG_EFORMAT, "conf.d/9-b.conf",
		":2: ttl is there already in this section; remove one");
	put("conf.d/9-b.conf", "[proxy]\n[daemon]\n[proxy]\n");
	refused(HG_EFORMAT, "conf.d/9-b.conf",
		":3: section [proxy] is there already, in line 1; merge the "
		"two");
	/* A section of a name keeps no account of another's keys. */
	put("conf.d/9-b.conf", "[policy \"a.example\"]\nhip = off\n"
			       "[policy \"b.example\"]\nhip = off\n");
	config_free(taken());
	put("conf.d/9-b.conf",
	    "[policy \"a.example\"]\nhip = off\nhip = off\n");
	refused(HG_EFORMAT, "conf.d/9-b.conf",
		":3: hip is there already in this section; remove one");
	put("conf.d/9-b.conf", "[policy \"a.example\"]\n");
	refused(HG_EFORMAT, "conf.d/9-b.conf",
		":1: [policy] has no hip; add hip = with require, prefer, off "
		"or transparent");
}
END_TEST

static void mode_refused(const char *name, mode_t mode, const char *text)
{
	char rest[256];

	(void)snprintf(rest, sizeof(rest),
		       ": others than its owner can change this part of the "
		       "configuration (mode %s); run: chmod go-w %s",
		       text, at(name));
	ck_assert_int_eq(chmod(at(name), mode), 0);
	refused(HG_EPERM, name, rest);
	ck_assert_int_eq(chmod(at(name), 0755), 0);
	config_free(taken());
}

START_TEST(what_others_can_write_is_refused)
{
	put("conf.d/10-a.conf", "[proxy]\nttl = 5\n");
	mode_refused("conf.d/10-a.conf", 0664, "0664");
	mode_refused("conf.d/10-a.conf", 0646, "0646");
	mode_refused("conf.d", 0777, "0777");
	mode_refused("conf.d", 01775, "1775");
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(at("conf.d/10-a.conf"), 1234, -1), 0);
	ck_assert_int_eq(config_load(at("hipgate.conf"),
				     &(struct config *){ NULL }, err,
				     sizeof(err)),
			 HG_EPERM);
	ck_assert_ptr_nonnull(strstr(err, "user 1234, whose it is"));
	ck_assert_ptr_nonnull(strstr(err, "run: chown 0 "));
	ck_assert_int_eq(chown(at("hipgate.conf"), 1234, -1), 0);
	config_free(taken());
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	ck_assert_int_eq(mkdir(at("conf.d/sub.conf"), 0755), 0);
	refused(HG_EFORMAT, "conf.d/sub.conf", ": not a regular file");
	ck_assert_int_eq(rmdir(at("conf.d/sub.conf")), 0);
	config_free(taken());
	/* A file of that name is no folder, and none need be there. */
	ck_assert_int_eq(rmdir(at("conf.d")), 0);
	config_free(taken());
	put("conf.d", "nonsense");
	config_free(taken());
	ck_assert_int_eq(unlink(at("conf.d")), 0);
	ck_assert_int_eq(mkdir(at("conf.d"), 0755), 0);
}
END_TEST

START_TEST(without_a_file_it_says_what_to_read)
{
	ck_assert_int_eq(unlink(at("hipgate.conf")), 0);
	refused(HG_ESYS, "hipgate.conf",
		": No such file or directory; hipgate.conf(5) tells what goes "
		"there");
}
END_TEST

START_TEST(a_line_that_is_kept_knows_its_file)
{
	const char *const names[] = { "a", "b" };
	struct config c = { .files_num = 2 };
	char out[64];

	for (size_t i = 0; i < 2; i++)
		c.files[i] = (char *)names[i]; /* it is not freed */
	ck_assert_str_eq(config_place(&c, 7, out, sizeof(out)), "a:7");
	ck_assert_str_eq(config_place(&c, (1U << CONFIG_LINE_BITS) + 7, out,
				      sizeof(out)),
			 "b:7");
}
END_TEST

Suite *test_config_file_suite(void);
Suite *test_config_file_suite(void)
{
	Suite *s = suite_create("config_file");
	TCase *t = tcase_create("config_file");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, files_of_conf_d_go_on_in_the_order_of_their_names);
	tcase_add_test(t, a_mistake_is_named_with_its_own_file);
	tcase_add_test(t, what_may_be_said_once_may_be_said_in_one_file);
	tcase_add_test(t, what_others_can_write_is_refused);
	tcase_add_test(t, what_is_no_file_is_refused);
	tcase_add_test(t, without_a_file_it_says_what_to_read);
	tcase_add_test(t, a_line_that_is_kept_knows_its_file);
	suite_add_tcase(s, t);
	return s;
}
