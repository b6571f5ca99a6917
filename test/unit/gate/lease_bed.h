/* SPDX-License-Identifier: MIT */
/* A gate with a resolver and an identity, and the key of a host that is looked
 * up: setup and teardown of one test. */
#pragma once

#include "test/unit/dns/desk.h"

#include "cmd/hipgated/dnslease.h"
#include "cmd/hipgated/dnsside.h"
#include "cmd/hipgated/gate.h"
#include "cmd/hipgated/journal.h"

static struct gate *g;
static struct desk k;
static struct config cfg;
static struct hip_identity *id; /* of the host that is looked up */

static inline void setup(void)
{
	struct hip_config hc = { .puzzle_k_max = 20 };
	struct hip_identity *self;

	struct dns_config dc = desk_config();

	tables_thread_begin();
	dc.key_fits = dnslease_key_fits;
	desk_open_with(&k, &dc);
	g = calloc(1, sizeof(*g));
	g->dnsside = calloc(1, sizeof(*g->dnsside));
	g->dnsside->asks.g = g;
	g->dnsside->g = g;
	g->cfg = &cfg;
	g->dns = k.d;
	g->buf = malloc(65536);
	ck_assert_int_eq(linetable_init(&g->peers), 0);
	events_init(&g->events, "test");
	ck_assert_int_eq(hip_identity_generate(HIP_ALG_ECDSA_P256, &id), 0);
	ck_assert_int_eq(hip_identity_generate(HIP_ALG_ECDSA_P256, &self), 0);
	ck_assert_int_eq(hip_new(&hc, uv_hrtime(), &g->hip), 0);
	ck_assert_int_eq(hip_add_identity(g->hip, self, uv_hrtime()), 0);
	g->selves[g->selves_num++] = *hip_default_hit(g->hip);
}

static inline void teardown(void)
{
	peer_fini(g);
	hip_free(g->hip);
	hip_identity_free(id);
	events_fini(&g->events);
	free(g->dnsside);
	free(g->buf);
	free(g);
	desk_close(&k);
	tables_thread_end();
}
