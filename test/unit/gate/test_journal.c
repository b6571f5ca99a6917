/* SPDX-License-Identifier: MIT */
/* The journal: what was put is there after a restart, whatever happened. */
#include <check.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/hipgated/dnslease.h"
#include "cmd/hipgated/journal.h"
#include "core/log.h"

static char dir[64];
static uv_loop_t loop;
static char why[512];

static void setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/hipgate-journal-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void teardown(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
	(void)rmdir(dir);
	(void)uv_loop_close(&loop);
}

static struct journal *open_journal(void)
{
	struct journal *j = NULL;

	ck_assert_msg(journal_open(dir, &loop, false, &j, why, sizeof(why)) ==
			      HG_OK,
		      "%s", why);
	return j;
}

static struct journal_row row_of(unsigned n)
{
	struct journal_row r = { 0 };
	char text[64];

	(void)snprintf(text, sizeof(text), "2001:22::%x", n + 1);
	ck_assert_int_eq(hit_parse(text, &r.lease.hit), HG_OK);
	(void)snprintf(text, sizeof(text), "2001:db8:401::%x", n + 256);
	ck_assert_int_eq(addr_parse(text, &r.lease.sub6), HG_OK);
	(void)snprintf(text, sizeof(text), "198.18.0.%u", n + 2);
	ck_assert_int_eq(addr_parse(text, &r.lease.sub4), HG_OK);
	(void)snprintf(r.lease.name, sizeof(r.lease.name), "n%u.foo.com", n);
	ck_assert_int_eq(endpoint_parse("[2001:db8:100::53]:53", 53, &r.server),
			 HG_OK);
	return r;
}

static void on_put(void *arg, bool ok)
{
	ck_assert(ok);
	(*(unsigned *)arg)++;
}

static void on_row(const struct journal_row *row, void *arg)
{
	unsigned n;
	struct journal_row want;

	ck_assert_int_eq(sscanf(row->lease.name, "n%u.", &n), 1);
	want = row_of(n);
	ck_assert(hit_eq(&row->lease.hit, &want.lease.hit));
	ck_assert(addr_eq(&row->lease.sub6, &want.lease.sub6));
	ck_assert(addr_eq(&row->lease.sub4, &want.lease.sub4));
	ck_assert(endpoint_eq(&row->server, &want.server));
	(*(unsigned *)arg)++;
}

START_TEST(rows_that_were_acknowledged_are_there_after_reopening)
{
	struct journal *j = open_journal();
	unsigned acknowledged = 0;
	unsigned found = 0;

	for (unsigned n = 0; n < 100; n++) {
		struct journal_row r = row_of(n);

		ck_assert_int_eq(journal_put(j, &r, on_put, &acknowledged),
				 HG_OK);
	}
	while (journal_pending(j))
		(void)uv_run(&loop, UV_RUN_ONCE);
	ck_assert_uint_eq(acknowledged, 100);
	journal_close(j);
	j = open_journal();
	ck_assert_int_eq(journal_each(j, on_row, &found), HG_OK);
	ck_assert_uint_eq(found, 100);
	journal_close(j);
}
END_TEST

static void on_pin(const char *name, const struct hit *hit, void *arg)
{
	struct journal_row want;
	unsigned n;

	ck_assert_int_eq(sscanf(name, "n%u.", &n), 1);
	want = row_of(n);
	ck_assert(hit_eq(hit, &want.lease.hit));
	*(unsigned *)arg += n;
}

START_TEST(pins_are_there_after_reopening_but_those_taken_out)
{
	struct journal *j = open_journal();
	struct journal_row r;
	unsigned acknowledged = 0;
	unsigned sum = 0;
	unsigned leases = 0;

	for (unsigned n = 1; n <= 4; n++) {
		r = row_of(n);
		ck_assert_int_eq(journal_pin(j, r.lease.name, &r.lease.hit,
					     on_put, &acknowledged),
				 HG_OK);
	}
	ck_assert_int_eq(journal_unpin(j, "n2.foo.com", on_put, &acknowledged),
			 HG_OK);
	ck_assert_int_eq(journal_unpin(j, "never.there", on_put, &acknowledged),
			 HG_OK);
	while (journal_pending(j))
		(void)uv_run(&loop, UV_RUN_ONCE);
	ck_assert_uint_eq(acknowledged, 6);
	journal_close(j);
	j = open_journal();
	ck_assert_int_eq(journal_each_pin(j, on_pin, &sum), HG_OK);
	ck_assert_uint_eq(sum, 1 + 3 + 4);
	ck_assert_int_eq(journal_each(j, on_row, &leases), HG_OK);
	ck_assert_uint_eq(leases, 0);
	journal_close(j);
}
END_TEST

/* How many files of the folder have this in their name? */
static unsigned count_files(const char *part)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)))
		n += strstr(e->d_name, part) != NULL;
	(void)closedir(d);
	return n;
}

START_TEST(locked_journal_is_refused_and_left_as_it_is)
{
	char path[128];
	unsigned acknowledged = 0;
	unsigned found = 0;
	struct journal_row r = row_of(7);
	struct journal *j = open_journal();
	sqlite3 *other;

	ck_assert_int_eq(journal_put(j, &r, on_put, &acknowledged), HG_OK);
	while (journal_pending(j))
		(void)uv_run(&loop, UV_RUN_ONCE);
	journal_close(j);
	(void)snprintf(path, sizeof(path), "%s/leases.db", dir);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other,
				      "PRAGMA locking_mode=EXCLUSIVE;"
				      "BEGIN EXCLUSIVE;",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	ck_assert_int_ne(journal_open(dir, &loop, false, &j, why, sizeof(why)),
			 HG_OK);
	ck_assert_ptr_nonnull(strstr(why, "leases.db"));
	ck_assert_uint_eq(count_files("damaged"), 0);
	(void)sqlite3_close(other);
	j = open_journal();
	ck_assert_int_eq(journal_each(j, on_row, &found), HG_OK);
	ck_assert_uint_eq(found, 1);
	journal_close(j);
}
END_TEST

static void is_begun(void *arg, enum log_sub sub, enum log_level level,
		     const char *line)
{
	(void)sub;
	(void)level;
	*(unsigned *)arg += strstr(line, "event=journal-begun") &&
			    strstr(line, "leases.db");
}

/* Taken away, or the first one: nothing fails, and it is said. */
START_TEST(a_missing_journal_is_begun_and_that_is_said)
{
	unsigned said = 0;

	log_set_sink(is_begun, &said, LOG_LEVEL_INFO);
	journal_close(open_journal());
	ck_assert_uint_eq(said, 1);
	journal_close(open_journal());
	ck_assert_uint_eq(said, 1);
	log_set_sink(NULL, NULL, LOG_LEVEL_INFO);
}
END_TEST

START_TEST(damaged_journal_is_set_aside_and_begun_anew)
{
	char path[128];
	unsigned found = 0;
	struct journal *j;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/leases.db", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs("this is no database, this is no database, at all", f);
	(void)fclose(f);
	j = open_journal();
	ck_assert_int_eq(journal_each(j, on_row, &found), HG_OK);
	ck_assert_uint_eq(found, 0);
	journal_close(j);
	ck_assert_uint_eq(count_files("leases.db.damaged-"), 1);
}
END_TEST

static void settle(struct journal *j)
{
	while (journal_pending(j))
		(void)uv_run(&loop, UV_RUN_ONCE);
}

static void put_rows(struct journal *j, unsigned from, unsigned num)
{
	unsigned acknowledged = 0;

	for (unsigned n = from; n < from + num; n++) {
		struct journal_row r = row_of(n);

		ck_assert_int_eq(journal_put(j, &r, on_put, &acknowledged),
				 HG_OK);
	}
	settle(j);
	ck_assert_uint_eq(acknowledged, num);
}

/* on_row looks at each of them. */
static unsigned rows(struct journal *j)
{
	unsigned found = 0;

	ck_assert_int_eq(journal_each(j, on_row, &found), HG_OK);
	return found;
}

static int open_file(const char *name, int flags)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Page n of the file, counted from 0, becomes nonsense. */
static void spoil_page(long n)
{
	uint8_t nonsense[4096];
	int fd = open_file("leases.db", O_WRONLY);

	memset(nonsense, 0xa5, sizeof(nonsense));
	ck_assert_int_eq(pwrite(fd, nonsense, sizeof(nonsense), n * 4096),
			 sizeof(nonsense));
	(void)close(fd);
}

static long pages(void)
{
	struct stat st;
	int fd = open_file("leases.db", O_RDONLY);

	ck_assert_int_eq(fstat(fd, &st), 0);
	(void)close(fd);
	return st.st_size / 4096;
}

enum { MANY = 200 };

START_TEST(what_can_be_read_of_a_damaged_journal_is_kept)
{
	struct journal *j = open_journal();
	struct journal_row pinned = row_of(3);
	unsigned acknowledged = 0;
	unsigned found;
	unsigned pins = 0;
	long num;

	put_rows(j, 0, MANY);
	ck_assert_int_eq(journal_pin(j, pinned.lease.name, &pinned.lease.hit,
				     on_put, &acknowledged),
			 HG_OK);
	settle(j);
	journal_close(j);
	num = pages();
	ck_assert_int_gt(num, 6);
	spoil_page(num / 2);
	j = open_journal();
	ck_assert_uint_eq(count_files("leases.db.damaged-"), 1);
	found = rows(j);
	ck_assert_uint_gt(found, 0);
	ck_assert_uint_lt(found, MANY);
	ck_assert_int_eq(journal_each_pin(j, on_pin, &pins), HG_OK);
	ck_assert_uint_eq(pins, 3);
	ck_assert_int_ne(journal_begun(j), 0);
	/* It is a journal like any other. */
	put_rows(j, 0, MANY);
	journal_close(j);
	j = open_journal();
	ck_assert_uint_eq(rows(j), MANY);
	ck_assert_int_ne(journal_begun(j), 0);
	ck_assert_uint_eq(count_files("leases.db.damaged-"), 1);
	journal_close(j);
}
END_TEST

static void on_renewed(void *arg)
{
	++*(unsigned *)arg;
}

/* Somebody else's write makes ours read the file anew. */
static void touch_from_outside(void)
{
	char path[128];
	sqlite3 *other;

	(void)snprintf(path, sizeof(path), "%s/leases.db", dir);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other,
				      "CREATE TABLE x(y);"
				      "PRAGMA wal_checkpoint(TRUNCATE);",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	(void)sqlite3_close(other);
}

START_TEST(damage_that_a_write_meets_is_mended_and_the_write_done)
{
	struct journal *j = open_journal();
	unsigned renewed = 0;

	journal_on_renewed(j, on_renewed, &renewed);
	put_rows(j, 0, MANY);
	touch_from_outside();
	for (long n = 1; n < pages(); n++)
		spoil_page(n);
	put_rows(j, MANY, 1);
	ck_assert_uint_eq(renewed, 1);
	ck_assert_uint_eq(count_files("leases.db.damaged-"), 1);
	put_rows(j, 0, MANY);
	journal_close(j);
	j = open_journal();
	ck_assert_uint_eq(rows(j), MANY + 1);
	ck_assert_int_ne(journal_begun(j), 0);
	journal_close(j);
}
END_TEST

START_TEST(a_journal_that_is_taken_away_is_written_again_whole)
{
	struct journal *j = open_journal();
	unsigned renewed = 0;
	char path[128];

	journal_on_renewed(j, on_renewed, &renewed);
	put_rows(j, 0, MANY);
	journal_close(j);
	j = open_journal();
	journal_on_renewed(j, on_renewed, &renewed);
	(void)snprintf(path, sizeof(path), "%s/leases.db", dir);
	ck_assert_int_eq(unlink(path), 0);
	put_rows(j, MANY, 1);
	ck_assert_uint_eq(renewed, 1);
	put_rows(j, MANY + 1, 1);
	ck_assert_uint_eq(renewed, 1);
	journal_close(j);
	j = open_journal();
	ck_assert_uint_eq(rows(j), MANY + 2);
	journal_close(j);
}
END_TEST

START_TEST(when_rows_may_be_missing_is_remembered)
{
	struct journal *j = NULL;
	char path[128];

	ck_assert_int_eq(journal_open(dir, &loop, true, &j, why, sizeof(why)),
			 HG_OK);
	ck_assert_int_eq(journal_begun(j), 0); /* nothing was given before */
	journal_close(j);
	j = open_journal();
	ck_assert_int_eq(journal_begun(j), 0);
	journal_close(j);
	(void)snprintf(path, sizeof(path), "%s/leases.db", dir);
	ck_assert_int_eq(unlink(path), 0);
	for (unsigned i = 0; i < 2; i++) {
		j = open_journal();
		ck_assert_int_gt(journal_begun(j), 1700000000);
		journal_close(j);
	}
}
END_TEST

static void on_failed(void *arg, bool ok)
{
	ck_assert(!ok);
	++*(unsigned *)arg;
}

static void is_write_failed(void *arg, enum log_sub sub, enum log_level level,
			    const char *line)
{
	(void)sub;
	*(unsigned *)arg += level == LOG_LEVEL_ERROR &&
			    strstr(line, "event=journal-write") &&
			    !strstr(line, "not an error");
}

/* No file may grow any more, as on a full disk. */
START_TEST(what_finds_no_room_is_refused_and_can_be_put_again)
{
	struct journal *j = NULL;
	struct journal_row r = row_of(MANY);
	struct rlimit was;
	struct rlimit none;
	unsigned failed = 0;
	unsigned said = 0;

	ck_assert_int_eq(journal_open(dir, &loop, true, &j, why, sizeof(why)),
			 HG_OK);
	put_rows(j, 0, MANY);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = (struct rlimit){ 4096, was.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	log_set_sink(is_write_failed, &said, LOG_LEVEL_INFO);
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(journal_put(j, &r, on_failed, &failed), HG_OK);
		settle(j);
		ck_assert_uint_eq(failed, i);
	}
	log_set_sink(NULL, NULL, LOG_LEVEL_INFO);
	ck_assert_uint_eq(said, 3);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	ck_assert_uint_eq(rows(j), MANY);
	put_rows(j, MANY, 1);
	journal_close(j);
	j = open_journal();
	ck_assert_uint_eq(rows(j), MANY + 1);
	ck_assert_int_eq(journal_begun(j), 0);
	ck_assert_uint_eq(count_files("damaged"), 0);
	journal_close(j);
}
END_TEST

#define SECOND UINT64_C(1000000000)

START_TEST(ipv4_substitutes_are_held_back_while_old_ones_are_in_mind)
{
	static const struct {
		int64_t begun, wall;
		uint64_t keep, now, until;
	} t[] = {
		{ 0, 1800000000, 600 * SECOND, 5, 0 },
		{ 1800000000, 1800000000, 600 * SECOND, 5, 600 * SECOND + 5 },
		{ 1800000000, 1800000599, 600 * SECOND, 5, SECOND + 5 },
		{ 1800000000, 1800000600, 600 * SECOND, 5, 0 },
		{ 1, 9000000000, 600 * SECOND, 5, 0 },
		{ 1800000000, 1799999999, 600 * SECOND, 5, 600 * SECOND + 5 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ck_assert_uint_eq(dnslease_hold(t[i].begun, t[i].wall,
						t[i].keep, t[i].now),
				  t[i].until);
}
END_TEST

START_TEST(unwritable_folder_is_named)
{
	struct journal *j = NULL;

	ck_assert_int_ne(journal_open("/nonexistent", &loop, false, &j, why,
				      sizeof(why)),
			 HG_OK);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/leases.db"));
}
END_TEST

Suite *test_journal_suite(void);
Suite *test_journal_suite(void)
{
	Suite *s = suite_create("journal");
	TCase *tc = tcase_create("journal");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc,
		       rows_that_were_acknowledged_are_there_after_reopening);
	tcase_add_test(tc, pins_are_there_after_reopening_but_those_taken_out);
	tcase_add_test(tc, locked_journal_is_refused_and_left_as_it_is);
	tcase_add_test(tc, a_missing_journal_is_begun_and_that_is_said);
	tcase_add_test(tc, damaged_journal_is_set_aside_and_begun_anew);
	tcase_add_test(tc, what_can_be_read_of_a_damaged_journal_is_kept);
	tcase_add_test(tc,
		       damage_that_a_write_meets_is_mended_and_the_write_done);
	tcase_add_test(tc, a_journal_that_is_taken_away_is_written_again_whole);
	tcase_add_test(tc, when_rows_may_be_missing_is_remembered);
	tcase_add_test(tc, what_finds_no_room_is_refused_and_can_be_put_again);
	tcase_add_test(
		tc, ipv4_substitutes_are_held_back_while_old_ones_are_in_mind);
	tcase_add_test(tc, unwritable_folder_is_named);
	suite_add_tcase(s, tc);
	return s;
}
