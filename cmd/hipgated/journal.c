/* SPDX-License-Identifier: MIT */
/* The lasting memory of substitute addresses; theory in journal.h. */
#include "journal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"

#define LOG_ABOUT LOG_SUB_JOURNAL

enum {
	JOURNAL_QUEUE = 8192, /* rows that may wait */
	JOURNAL_PATH = 400,
	JOURNAL_ASIDE = JOURNAL_PATH + 40,
};

#define READ_LEASES "SELECT hit,sub6,sub4,name,server FROM lease"
#define READ_PINS "SELECT name,hit FROM pin"

enum statement { PUT_LEASE, DEL_LEASE, PUT_PIN, DEL_PIN, STATEMENTS };

struct write {
	struct write *next;
	enum statement what;
	struct journal_row row; /* of a pin: HIT and name */
	void (*cb)(void *arg, bool ok);
	void *arg;
};

struct journal {
	uv_loop_t *loop;
	uv_work_t req;
	sqlite3 *db;		      /* start: control; then the running job */
	sqlite3_stmt *st[STATEMENTS]; /* the same */
	struct write *head, *tail;    /* waiting */
	struct write *batch;	      /* with the job */
	bool running, ok;
	bool renewed;  /* the running job's, then control's */
	int code;      /* of SQLite: what failed last, */
	char why[160]; /*  and in words */
	int64_t begun;
	char aside[JOURNAL_ASIDE]; /* to be salvaged; "": nothing */
	size_t num;
	void (*on_renewed)(void *arg); /* NULL: nobody is told */
	void *renewed_arg;
	char path[JOURNAL_PATH];
};

static const char schema[] =
	"PRAGMA journal_mode=WAL;"
	"PRAGMA synchronous=FULL;"
	"CREATE TABLE IF NOT EXISTS lease("
	" hit TEXT PRIMARY KEY, sub6 TEXT NOT NULL, sub4 TEXT NOT NULL,"
	" name TEXT NOT NULL, server TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS begun(at INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS pin("
	" name TEXT PRIMARY KEY, hit TEXT NOT NULL) WITHOUT ROWID;";

static const char *const statements[STATEMENTS] = {
	[PUT_LEASE] = "INSERT INTO lease(hit,sub6,sub4,name,server)"
		      " VALUES(?1,?2,?3,?4,?5) ON CONFLICT(hit) DO UPDATE SET"
		      " sub6=?2,sub4=?3,name=?4,server=?5",
	[DEL_LEASE] = "DELETE FROM lease WHERE hit=?1",
	/* In parentheses, or clang thinks of a comma that was forgotten. */
	[PUT_PIN] = ("INSERT INTO pin(name,hit) VALUES(?1,?2)"
		     " ON CONFLICT(name) DO UPDATE SET hit=?2"),
	[DEL_PIN] = "DELETE FROM pin WHERE name=?1",
};

/* ---- rows ---------------------------------------------------------------- */

static const char *column(sqlite3_stmt *st, int i)
{
	const unsigned char *text = sqlite3_column_text(st, i);

	return text ? (const char *)text : "";
}

static int row_get(sqlite3_stmt *st, struct journal_row *row)
{
	const char *name = column(st, 3);

	memset(row, 0, sizeof(*row));
	if (hit_parse(column(st, 0), &row->lease.hit) ||
	    addr_parse(column(st, 1), &row->lease.sub6) ||
	    addr_parse(column(st, 2), &row->lease.sub4) ||
	    strlen(name) >= sizeof(row->lease.name))
		return HG_EFORMAT;
	memcpy(row->lease.name, name, strlen(name) + 1);
	if (endpoint_parse(column(st, 4), 53, &row->server))
		row->server.port = 0;
	return HG_OK;
}

static bool run(sqlite3_stmt *st, const char *const *text, int num)
{
	int rc = sqlite3_reset(st);
	bool done;

	for (int i = 0; i < num && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_text(st, i + 1, text[i], -1,
				       SQLITE_TRANSIENT);
	done = rc == SQLITE_OK && sqlite3_step(st) == SQLITE_DONE;
	/* Done or not, it must not keep the transaction open. */
	(void)sqlite3_reset(st);
	return done;
}

static bool write_one(struct journal *j, const struct write *w)
{
	const struct journal_row *row = &w->row;
	char hit[ADDR_TEXT_MAX];
	char sub6[ADDR_TEXT_MAX];
	char sub4[ADDR_TEXT_MAX];
	char server[ENDPOINT_TEXT_MAX];
	const char *lease[] = {
		hit_print(&row->lease.hit, hit),
		addr_print(&row->lease.sub6, sub6),
		addr_print(&row->lease.sub4, sub4),
		row->lease.name,
		endpoint_print(&row->server, server),
	};
	const char *pin[] = { row->lease.name, hit };

	switch (w->what) {
	case PUT_LEASE:
		return run(j->st[w->what], lease, 5);
	case DEL_LEASE:
		return run(j->st[w->what], lease, 1);
	case PUT_PIN:
		return run(j->st[w->what], pin, 2);
	default:
		return run(j->st[w->what], pin, 1);
	}
}

/* What a row of the table says, as it would be written. */
static int lease_write(sqlite3_stmt *st, struct write *w)
{
	w->what = PUT_LEASE;
	return row_get(st, &w->row);
}

static int pin_write(sqlite3_stmt *st, struct write *w)
{
	const char *name = column(st, 0);

	w->what = PUT_PIN;
	if (strlen(name) >= sizeof(w->row.lease.name) ||
	    hit_parse(column(st, 1), &w->row.lease.hit))
		return HG_EFORMAT;
	memcpy(w->row.lease.name, name, strlen(name) + 1);
	return HG_OK;
}

/* ---- the file ------------------------------------------------------------ */

/* The connection failed: why is kept, for what comes next covers it up. */
static int db_failed(struct journal *j)
{
	j->code = sqlite3_errcode(j->db) & 0xff;
	(void)snprintf(j->why, sizeof(j->why), "%s", sqlite3_errmsg(j->db));
	return HG_ESYS;
}

static void db_close(struct journal *j)
{
	for (unsigned i = 0; i < STATEMENTS; i++) {
		(void)sqlite3_finalize(j->st[i]);
		j->st[i] = NULL;
	}
	(void)sqlite3_close(j->db);
	j->db = NULL;
}

/* Closed again when it fails. */
static int db_open(struct journal *j)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_FULLMUTEX;
	bool ok = sqlite3_open_v2(j->path, &j->db, flags, NULL) == SQLITE_OK &&
		  sqlite3_busy_timeout(j->db, 5000) == SQLITE_OK &&
		  sqlite3_exec(j->db, schema, NULL, NULL, NULL) == SQLITE_OK;

	for (unsigned i = 0; ok && i < STATEMENTS; i++)
		ok = sqlite3_prepare_v2(j->db, statements[i], -1, &j->st[i],
					NULL) == SQLITE_OK;
	if (ok)
		return HG_OK;
	(void)db_failed(j);
	db_close(j);
	return HG_ESYS;
}

/* Only what SQLite calls damaged may be set aside: a full disk or a lock
 * held by a backup must never cost a good journal. */
static bool is_damage(int code)
{
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* Every page is looked at: damage in the middle shows only when it is read. */
static int db_check(struct journal *j)
{
	sqlite3_stmt *st = NULL;
	int err = HG_OK;

	if (sqlite3_prepare_v2(j->db, "PRAGMA quick_check(1)", -1, &st, NULL) !=
		    SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW) {
		err = db_failed(j);
	} else if (strcmp(column(st, 0), "ok") != 0) {
		(void)snprintf(j->why, sizeof(j->why), "%s", column(st, 0));
		j->code = SQLITE_CORRUPT;
		err = HG_ESYS;
	}
	(void)sqlite3_finalize(st);
	return err;
}

/* Rows that were given before may be missing from now on. */
static void note_begun(struct journal *j)
{
	j->begun = (int64_t)time(NULL);
	if (sqlite3_exec(j->db,
			 "DELETE FROM begun;"
			 "INSERT INTO begun VALUES(strftime('%s','now'))",
			 NULL, NULL, NULL) != SQLITE_OK)
		log_error("event=journal-write text=\"%s\"",
			  sqlite3_errmsg(j->db));
}

static int64_t read_begun(struct journal *j)
{
	sqlite3_stmt *st = NULL;
	int64_t at = 0;

	if (sqlite3_prepare_v2(j->db, "SELECT at FROM begun", -1, &st, NULL) ==
		    SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		at = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return at;
}

/* Keep it, with its log, for whoever wants to look. */
static void set_aside(const char *path, const char *tail, const char *aside)
{
	char from[JOURNAL_PATH + 8];
	char to[JOURNAL_ASIDE + 8];

	(void)snprintf(from, sizeof(from), "%s%s", path, tail);
	(void)snprintf(to, sizeof(to), "%s%s", aside, tail);
	(void)rename(from, to); /* the log may not be there */
}

/* Takes over what a query can read until it fails. */
static void salvage_by(struct journal *j, sqlite3 *from, const char *query,
		       int (*get)(sqlite3_stmt *, struct write *))
{
	sqlite3_stmt *st = NULL;
	struct write w = { .next = NULL };

	if (sqlite3_prepare_v2(from, query, -1, &st, NULL) != SQLITE_OK)
		return;
	while (sqlite3_step(st) == SQLITE_ROW)
		if (get(st, &w) == HG_OK)
			(void)write_one(j, &w);
	(void)sqlite3_finalize(st);
}

/* From both ends of each table, for a page in its middle may be the damage. */
static void salvage(struct journal *j, const char *aside)
{
	static const struct {
		const char *query;
		int (*get)(sqlite3_stmt *, struct write *);
	} all[] = {
		{ READ_LEASES " ORDER BY hit", lease_write },
		{ READ_LEASES " ORDER BY hit DESC", lease_write },
		{ READ_PINS " ORDER BY name", pin_write },
		{ READ_PINS " ORDER BY name DESC", pin_write },
	};
	sqlite3 *from = NULL;

	if (sqlite3_open_v2(aside, &from, SQLITE_OPEN_READWRITE, NULL) ==
		    SQLITE_OK &&
	    sqlite3_exec(j->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK) {
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			salvage_by(j, from, all[i].query, all[i].get);
		(void)sqlite3_exec(j->db, "COMMIT", NULL, NULL, NULL);
	}
	(void)sqlite3_close(from);
}

/* In an empty file, with what can be read of the one that was set aside. May
 * fail, and is tried again with the next write. */
static int begin_anew(struct journal *j)
{
	if (db_open(j))
		return HG_ESYS;
	note_begun(j);
	if (j->aside[0])
		salvage(j, j->aside);
	j->aside[0] = '\0';
	return HG_OK;
}

static int db_renew(struct journal *j)
{
	(void)snprintf(j->aside, sizeof(j->aside), "%s.damaged-%ld", j->path,
		       (long)time(NULL));
	log_error("event=journal-damaged file=\"%s\" text=\"%s; moved to %s "
		  "and begun anew with what can be read of it\"",
		  j->path, j->why, j->aside);
	db_close(j);
	set_aside(j->path, "", j->aside);
	set_aside(j->path, "-wal", j->aside);
	return begin_anew(j);
}

/* The file was taken away while we had it open: it is written again from
 * what is open, and that is all of it. */
static int db_restore(struct journal *j)
{
	char *sql = sqlite3_mprintf("VACUUM INTO %Q", j->path);
	bool whole =
		sql && sqlite3_exec(j->db, sql, NULL, NULL, NULL) == SQLITE_OK;
	char log[JOURNAL_PATH + 8];

	sqlite3_free(sql);
	log_error("event=journal-missing file=\"%s\" text=\"it was taken away; "
		  "%s\"",
		  j->path,
		  whole ? "it is written again, as it was" : "begun anew");
	db_close(j);
	(void)snprintf(log, sizeof(log), "%s-wal", j->path);
	(void)unlink(log); /* of what is gone; it must not meet the new one */
	return whole ? db_open(j) : begin_anew(j);
}

/* ---- opening ------------------------------------------------------------- */

static int open_or_renew(struct journal *j)
{
	int err = db_open(j);

	if (!err)
		err = db_check(j);
	/* What cannot be looked at for another reason may be whole. */
	if (err && j->db && !is_damage(j->code))
		return HG_OK;
	return err && is_damage(j->code) ? db_renew(j) : err;
}

int journal_open(const char *dir, uv_loop_t *loop, bool first,
		 struct journal **out, char *errbuf, size_t errlen)
{
	struct journal *j = calloc(1, sizeof(*j));
	bool missing;
	int err;

	if (!j)
		return HG_ENOMEM;
	j->loop = loop;
	j->req.data = j;
	(void)snprintf(j->path, sizeof(j->path), "%s/leases.db", dir);
	missing = access(j->path, F_OK) != 0;
	err = open_or_renew(j);
	if (err) {
		(void)snprintf(errbuf, errlen,
			       "%s: %s; is the folder writable, the disk not "
			       "full, and no other program using it?",
			       j->path, j->why);
		journal_close(j);
		return err;
	}
	if (missing && !first)
		note_begun(j);
	if (missing)
		log_info("event=journal-begun file=\"%s\" text=\"if there was "
			 "one, its pins are forgotten, and IPv4 substitutes "
			 "may differ\"",
			 j->path);
	j->begun = read_begun(j);
	*out = j;
	return HG_OK;
}

int64_t journal_begun(const struct journal *j)
{
	return j->begun;
}

void journal_on_renewed(struct journal *j, void (*fn)(void *arg), void *arg)
{
	j->on_renewed = fn;
	j->renewed_arg = arg;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	db_close(j);
	free(j);
}

/* ---- reading ------------------------------------------------------------- */

int journal_each(struct journal *j,
		 void (*fn)(const struct journal_row *, void *), void *arg)
{
	sqlite3_stmt *st;
	struct journal_row row;
	int rc;

	if (sqlite3_prepare_v2(j->db, READ_LEASES, -1, &st, NULL) != SQLITE_OK)
		return HG_ESYS;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (row_get(st, &row) == HG_OK)
			fn(&row, arg);
		else
			log_error("event=journal-row hit=%s text=\"unreadable, "
				  "left out\"",
				  column(st, 0));
	}
	(void)sqlite3_finalize(st);
	return rc == SQLITE_DONE ? HG_OK : HG_ESYS;
}

int journal_each_pin(struct journal *j,
		     void (*fn)(const char *, const struct hit *, void *),
		     void *arg)
{
	sqlite3_stmt *st;
	struct hit hit;
	int rc;

	if (sqlite3_prepare_v2(j->db, READ_PINS, -1, &st, NULL) != SQLITE_OK)
		return HG_ESYS;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (hit_parse(column(st, 1), &hit) == HG_OK)
			fn(column(st, 0), &hit, arg);
		else
			log_error(
				"event=journal-pin name=%s text=\"unreadable, "
				"left out\"",
				column(st, 0));
	}
	(void)sqlite3_finalize(st);
	return rc == SQLITE_DONE ? HG_OK : HG_ESYS;
}

/* ---- writing ------------------------------------------------------------- */

static int write_all(struct journal *j)
{
	bool ok = sqlite3_exec(j->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;

	for (struct write *w = j->batch; w && ok; w = w->next)
		ok = write_one(j, w);
	if (ok && sqlite3_exec(j->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return HG_OK;
	(void)db_failed(j);
	/* One that is left open would be the end of each that follows. */
	if (!sqlite3_get_autocommit(j->db))
		(void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
	return HG_ESYS;
}

/* Thread pool: all that waited, in one transaction. */
static void write_batch(uv_work_t *req)
{
	struct journal *j = req->data;
	int err = HG_OK;

	if (!j->db || access(j->path, F_OK) != 0) {
		err = j->db ? db_restore(j) : begin_anew(j);
		j->renewed = !err;
	}
	if (!err)
		err = write_all(j);
	if (err && j->db && is_damage(j->code)) {
		err = db_renew(j);
		j->renewed = !err;
		if (!err)
			err = write_all(j);
	}
	j->ok = !err;
}

static void batch_start(struct journal *j);

static void batch_done(uv_work_t *req, int status)
{
	struct journal *j = req->data;
	struct write *w = j->batch;
	bool ok = j->ok && status == 0;

	j->batch = NULL;
	j->running = false;
	if (!ok)
		log_error("event=journal-write text=\"%s\"", j->why);
	/* First of all: what is acknowledged below is in the new one. */
	if (j->renewed && j->on_renewed)
		j->on_renewed(j->renewed_arg);
	j->renewed = false;
	while (w) {
		struct write *next = w->next;

		j->num--;
		w->cb(w->arg, ok);
		free(w);
		w = next;
	}
	batch_start(j);
}

static void batch_start(struct journal *j)
{
	if (j->running || !j->head)
		return;
	j->batch = j->head;
	j->head = NULL;
	j->tail = NULL;
	j->running = true;
	j->ok = false;
	if (uv_queue_work(j->loop, &j->req, write_batch, batch_done))
		batch_done(&j->req, UV_ECANCELED);
}

static int put(struct journal *j, enum statement what,
	       const struct journal_row *row, void (*cb)(void *, bool),
	       void *arg)
{
	struct write *w;

	if (j->num >= JOURNAL_QUEUE)
		return HG_EFULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return HG_ENOMEM;
	w->what = what;
	w->row = *row;
	w->cb = cb;
	w->arg = arg;
	if (j->tail)
		j->tail->next = w;
	else
		j->head = w;
	j->tail = w;
	j->num++;
	batch_start(j);
	return HG_OK;
}

int journal_put(struct journal *j, const struct journal_row *row,
		void (*cb)(void *, bool), void *arg)
{
	return put(j, PUT_LEASE, row, cb, arg);
}

int journal_drop(struct journal *j, const struct hit *hit,
		 void (*cb)(void *, bool), void *arg)
{
	struct journal_row row = { .lease.hit = *hit };

	return put(j, DEL_LEASE, &row, cb, arg);
}

int journal_pin(struct journal *j, const char *name, const struct hit *hit,
		void (*cb)(void *, bool), void *arg)
{
	struct journal_row row = { .lease.hit = *hit };

	(void)snprintf(row.lease.name, sizeof(row.lease.name), "%s", name);
	return put(j, PUT_PIN, &row, cb, arg);
}

int journal_unpin(struct journal *j, const char *name, void (*cb)(void *, bool),
		  void *arg)
{
	struct journal_row row = { .lease.name = "" };

	(void)snprintf(row.lease.name, sizeof(row.lease.name), "%s", name);
	return put(j, DEL_PIN, &row, cb, arg);
}

bool journal_pending(const struct journal *j)
{
	return j && j->num > 0;
}
