/* SPDX-License-Identifier: MIT */
/* The lasting memory of substitute addresses: SQLite, off the loop.
 *
 * THEORY OF OPERATION
 * Two tables: leases (HIT, substitutes, name, DNS server), and pins (names
 * that must not lose their HIP record). Read once at start; each
 * new lease is written by a job on libuv's thread pool, and its callback
 * runs on the control thread only when the row is safely on disk (WAL,
 * synchronous=FULL): no client hears of an address that a crash could
 * forget. Jobs are queued so that one runs at a time.
 *
 * A journal that is damaged, found so at the start or by a write, is set
 * aside and begun anew with every row that can still be read; one that was
 * taken away under us is written again from the open file. Both are said in
 * the log. IPv6 substitutes are derived and survive anyway; of IPv4 ones that
 * could not be read none may come to denote another host, so the owner is
 * told (journal_begun, journal_on_renewed). A disk that is full, or a lock, costs
 * what waits to be written and nothing else: it is put again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "core/err.h"
#include "dns/dns.h"

struct journal;

struct journal_row {
	struct lease_entry lease;
	struct endpoint server;
};

/* dir must exist and be writable. first: nothing was ever given before. errbuf:
 * a sentence for a person. */
int journal_open(const char *dir, uv_loop_t *loop, bool first,
		 struct journal **out, char *errbuf, size_t errlen) HG_CHECK;
/* When it had to be begun anew, so that rows from before may be missing: in
 * seconds of the wall clock. 0: never. */
int64_t journal_begun(const struct journal *j);
/* fn(arg) on the loop's thread: it had to be begun anew, and may lack rows
 * that were acknowledged. */
void journal_on_renewed(struct journal *j, void (*fn)(void *arg), void *arg);
/* Waits for nothing: call when no write is pending (journal_pending). */
void journal_close(struct journal *j);
/* Calls fn with every row. At start only. */
int journal_each(struct journal *j,
		 void (*fn)(const struct journal_row *row, void *arg),
		 void *arg) HG_CHECK;
/* Writes a row; cb(arg, ok) on the loop's thread, in order. */
int journal_put(struct journal *j, const struct journal_row *row,
		void (*cb)(void *arg, bool ok), void *arg) HG_CHECK;
/* Takes the row of that HIT out again, in its turn. */
int journal_drop(struct journal *j, const struct hit *hit,
		 void (*cb)(void *arg, bool ok), void *arg) HG_CHECK;
/* Pins: as above. journal_unpin takes it out again. */
int journal_each_pin(struct journal *j,
		     void (*fn)(const char *name, const struct hit *hit,
				void *arg),
		     void *arg) HG_CHECK;
int journal_pin(struct journal *j, const char *name, const struct hit *hit,
		void (*cb)(void *arg, bool ok), void *arg) HG_CHECK;
int journal_unpin(struct journal *j, const char *name,
		  void (*cb)(void *arg, bool ok), void *arg) HG_CHECK;
bool journal_pending(const struct journal *j);
