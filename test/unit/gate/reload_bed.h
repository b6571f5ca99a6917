/* SPDX-License-Identifier: MIT */
/* A daemon's state without loop, sockets or workers, in a folder of its own:
 * what reload.c and persona.c work on. */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/hipgated/gate.h"
#include "cmd/hipgated/hipstart.h"
#include "cmd/hipgated/reload.h"

struct reload_bed {
	char dir[32];
	char path[48];
	struct gate g;
};

static inline void reload_bed_file(struct reload_bed *b, const char *name,
				   const char *text, mode_t mode)
{
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static inline void reload_bed_key(struct reload_bed *b, const char *name)
{
	struct hip_identity *id;
	char *pem;

	ck_assert_int_eq(hip_identity_generate(HIP_ALG_ECDSA_P256, &id), HG_OK);
	ck_assert_int_eq(hip_identity_to_pem(id, &pem), HG_OK);
	reload_bed_file(b, name, pem, 0600);
	free(pem);
	hip_identity_free(id);
}

/* The file: `text` with each % standing for the folder. */
static inline void reload_bed_write(struct reload_bed *b, const char *text)
{
	char out[4096] = "";
	size_t used = 0;

	for (; *text; text++) {
		if (*text == '%')
			used += (size_t)snprintf(out + used, sizeof(out) - used,
						 "%s", b->dir);
		else
			out[used++] = *text;
		ck_assert_uint_lt(used, sizeof(out) - 64);
	}
	out[used] = '\0';
	reload_bed_file(b, "f.conf", out, 0644);
}

static inline struct reload_bed *reload_bed_new(const char *text)
{
	struct reload_bed *b = calloc(1, sizeof(*b));
	char why[512];
	struct config *c;

	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/hgXXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(b->dir));
	(void)snprintf(b->path, sizeof(b->path), "%s/f.conf", b->dir);
	reload_bed_key(b, "a.pem");
	reload_bed_key(b, "b.pem");
	reload_bed_key(b, "c.pem");
	reload_bed_write(b, text);
	ck_assert_msg(config_load(b->path, &c, why, sizeof(why)) == HG_OK, "%s",
		      why);
	tables_thread_begin();
	b->g.cfg = c;
	b->g.path = b->path;
	events_init(&b->g.events, "test");
	ck_assert_int_eq(linetable_init(&b->g.peers), 0);
	ck_assert_int_eq(tables_init(&b->g.plane.tables), HG_OK);
	ck_assert_msg(hipstart(&b->g, why, sizeof(why)) == HG_OK, "%s", why);
	return b;
}

static inline void reload_bed_free(struct reload_bed *b)
{
	static const char *const name[] = { "a.pem", "b.pem", "c.pem",
					    "f.conf" };
	char path[64];

	hip_free(b->g.hip);
	dns_free(b->g.dns);
	tables_fini(&b->g.plane.tables);
	peer_fini(&b->g);
	events_fini(&b->g.events);
	config_free(b->g.cfg);
	tables_thread_end();
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", b->dir, name[i]);
		(void)unlink(path);
	}
	(void)rmdir(b->dir);
	free(b);
}

/* One HIT for each number. */
static inline struct hit reload_bed_hit(unsigned n)
{
	struct hit h = { { 0x20, 0x01, 0x00, 0x22, [12] = 7 } };

	memcpy(h.b + 4, &n, sizeof(n));
	return h;
}

/* A host of that HIT, "hNNNN.test", at 192.0.2.9: *at. */
static inline struct peer *reload_bed_host(struct reload_bed *b, unsigned n,
					   struct endpoint *at)
{
	struct hit h = reload_bed_hit(n);
	struct peer *p = peer_get(&b->g, &h);
	char name[32];

	ck_assert_ptr_nonnull(p);
	(void)snprintf(name, sizeof(name), "h%04u.test", n);
	peer_name(p, name);
	at->addr = addr_from4((const uint8_t[4]){ 192, 0, 2, 9 });
	at->port = HIP_PORT;
	return p;
}
