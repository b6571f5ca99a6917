/* SPDX-License-Identifier: MIT */
/* The lasting memory of substitute addresses; theory in journal.h. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"

#define LOG_ABOUT LOG_SUB_JOURNAL

enum { JOURNAL_QUEUE = 8192 }; /* rows that may wait */

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
	size_t num;
};

static const char schema[] =
	"PRAGMA journal_mode=WAL;"
	"PRAGMA synchronous=FULL;"
	"CREATE TABLE IF NOT EXISTS lease("
	" hit TEXT PRIMARY KEY, sub6 TEXT NOT NULL, sub4 TEXT NOT NULL,"
	" name TEXT NOT NULL, server TEXT NOT NULL) WITHOUT ROWID;"
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

static int db_open(struct journal *j, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_FULLMUTEX;

	if (sqlite3_open_v2(path, &j->db, flags, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(j->db, 5000) != SQLITE_OK ||
	    sqlite3_exec(j->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return HG_ESYS;
	for (unsigned i = 0; i < STATEMENTS; i++) {
		if (sqlite3_prepare_v2(j->db, statements[i], -1, &j->st[i],
				       NULL) != SQLITE_OK)
			return HG_ESYS;
	}
	return HG_OK;
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

/* Only what SQLite calls damaged may be set aside: a full disk or a lock
 * held by a backup must never cost a good journal. */
static bool db_is_damaged(const struct journal *j)
{
	int code = sqlite3_errcode(j->db) & 0xff;

	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* Keep it, with its log, for whoever wants to look; begin anew. */
static void set_aside(const char *path, const char *tail, long when)
{
	char from[440];
	char to[480];

	(void)snprintf(from, sizeof(from), "%s%s", path, tail);
	(void)snprintf(to, sizeof(to), "%s.damaged-%ld%s", path, when, tail);
	(void)rename(from, to); /* the log may not be there */
}

static int db_renew(struct journal *j, const char *path, char *errbuf,
		    size_t errlen)
{
	char why[128];
	long when = (long)time(NULL);

	(void)snprintf(why, sizeof(why), "%s", sqlite3_errmsg(j->db));
	db_close(j);
	set_aside(path, "", when);
	set_aside(path, "-wal", when);
	if (db_open(j, path) == HG_OK) {
		log_error(
			"event=journal-damaged file=\"%s\" text=\"%s; moved to "
			"%s.damaged-%ld and begun anew, IPv4 substitutes may "
			"differ\"",
			path, why, path, when);
		return HG_OK;
	}
	(void)snprintf(errbuf, errlen, "%s: %s", path, sqlite3_errmsg(j->db));
	return HG_ESYS;
}

int journal_open(const char *dir, uv_loop_t *loop, struct journal **out,
		 char *errbuf, size_t errlen)
{
	struct journal *j = calloc(1, sizeof(*j));
	char path[400];
	bool new;
	int err;

	if (!j)
		return HG_ENOMEM;
	j->loop = loop;
	j->req.data = j;
	(void)snprintf(path, sizeof(path), "%s/leases.db", dir);
	new = access(path, F_OK) != 0;
	err = db_open(j, path);
	if (err && db_is_damaged(j))
		err = db_renew(j, path, errbuf, errlen);
	else if (err)
		(void)snprintf(errbuf, errlen,
			       "%s: %s; is the folder writable, the disk not "
			       "full, and no other program using it?",
			       path, sqlite3_errmsg(j->db));
	if (err) {
		journal_close(j);
		return err;
	}
	if (new)
		log_info("event=journal-begun file=\"%s\" text=\"if there was "
			 "one, IPv4 substitutes may differ from what it had\"",
			 path);
	*out = j;
	return HG_OK;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	db_close(j);
	free(j);
}

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

int journal_each(struct journal *j,
		 void (*fn)(const struct journal_row *, void *), void *arg)
{
	sqlite3_stmt *st;
	struct journal_row row;
	int rc;

	if (sqlite3_prepare_v2(j->db,
			       "SELECT hit,sub6,sub4,name,server FROM lease",
			       -1, &st, NULL) != SQLITE_OK)
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

	if (sqlite3_prepare_v2(j->db, "SELECT name,hit FROM pin", -1, &st,
			       NULL) != SQLITE_OK)
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

/* ---- writing ------------------------------------------------------------- */

/* Thread pool: all that waited, in one transaction. */
static void write_batch(uv_work_t *req)
{
	struct journal *j = req->data;
	bool ok = sqlite3_exec(j->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;

	for (struct write *w = j->batch; w && ok; w = w->next)
		ok = write_one(j, w);
	if (sqlite3_exec(j->db, ok ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL) !=
	    SQLITE_OK)
		ok = false;
	j->ok = ok;
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
		log_error("event=journal-write text=\"%s\"",
			  sqlite3_errmsg(j->db));
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

/* ---- the site key --------------------------------------------------------- */

static int dir_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* Whole or not at all: a short key would look like a damaged one. */
static int key_make(const char *dir, const char *path,
		    uint8_t key[LEASE_SITE_KEY])
{
	char new[420];
	bool ok;
	int fd;

	(void)snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return HG_ESYS;
	randombytes_buf(key, LEASE_SITE_KEY);
	ok = write(fd, key, LEASE_SITE_KEY) == LEASE_SITE_KEY && fsync(fd) == 0;
	(void)close(fd);
	ok = ok && rename(new, path) == 0 && dir_sync(dir) == 0;
	if (!ok)
		(void)unlink(new);
	return ok ? HG_OK : HG_ESYS;
}

int journal_site_key(const char *dir, uint8_t key[LEASE_SITE_KEY], char *errbuf,
		     size_t errlen)
{
	char path[400];
	struct stat st;
	uint8_t more;
	int fd;
	int err = HG_OK;

	(void)snprintf(path, sizeof(path), "%s/site.key", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		err = key_make(dir, path, key);
		if (err)
			(void)snprintf(errbuf, errlen,
				       "%s: %s; make the folder and let the "
				       "daemon's user write to it",
				       path, strerror(errno));
		return err;
	}
	if (fd < 0 || fstat(fd, &st) != 0 ||
	    read(fd, key, LEASE_SITE_KEY) != LEASE_SITE_KEY ||
	    read(fd, &more, 1) != 0) {
		(void)snprintf(errbuf, errlen,
			       "%s: not a readable key of %d octets; restore "
			       "it from its backup (removing it changes every "
			       "substitute address)",
			       path, LEASE_SITE_KEY);
		err = HG_EFORMAT;
	} else if (st.st_mode & 077) {
		(void)snprintf(errbuf, errlen,
			       "%s: others can read it: chmod 600 %s", path,
			       path);
		err = HG_EPERM;
	}
	if (fd >= 0)
		(void)close(fd);
	return err;
}
