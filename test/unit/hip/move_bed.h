/* SPDX-License-Identifier: MIT */
/* Hosts that move, on a network that can be cut. */
#pragma once

#include "hip/assoc.h"
#include "hip/engine.h"
#include "hip/locset.h"
#include "hip/param.h"
#include "hip/paths.h"
#include "test/unit/hip/rekey_bed.h"
#include "test/unit/hip/snap.h"

static inline struct endpoint bed_at(const char *text)
{
	struct endpoint e;

	ck_assert_int_eq(endpoint_parse(text, HIP_PORT, &e), HG_OK);
	return e;
}

/* LOCATOR_SET of these, up to num or the first that is NULL; the first is
 * preferred. */
static inline void bed_put_set(struct msg_builder *b, const char *const *at,
			       size_t num, uint32_t spi)
{
	struct locset set = { .num = 0 };

	for (size_t i = 0; i < num && at[i]; i++)
		set.v[set.num++] = (struct locator){ .at = bed_at(at[i]),
						     .spi = spi,
						     .lifetime_s = 600,
						     .preferred = i == 0 };
	locset_put(b, &set);
}

/* The host is at these addresses from now on, and its engine knows. */
static inline void bed_here(struct lab *lab, size_t i, const char *const *at,
			    size_t num)
{
	struct lab_host *host = &lab->host[i];
	struct hip_here here[4] = { 0 };

	host->also_num = 0;
	host->at = (struct endpoint){ .port = 1 }; /* nowhere */
	for (size_t k = 0; k < num; k++) {
		here[k].at = bed_at(at[k]);
		if (k == 0)
			host->at = here[k].at;
		else
			host->also[host->also_num++] = here[k].at;
	}
	ck_assert_int_eq(hip_set_here(host->h, here, num, lab->now), HG_OK);
	lab_effects(lab, i);
}

static inline void bed_move(struct lab *lab, size_t i, const char *to)
{
	bed_here(lab, i, &to, 1);
}

/* first: an order of this alone; NULL: none. What it brings about is on its
 * way. */
static inline void bed_policy(struct lab *lab, size_t i, enum hip_prefer prefer,
			      const char *first)
{
	struct prefix order;
	struct hip_path_policy p = { .prefer = prefer,
				     .order = &order,
				     .order_num = first != NULL };

	if (first)
		ck_assert_int_eq(prefix_parse(first, &order), HG_OK);
	ck_assert_int_eq(hip_set_path_policy(lab->host[i].h, &p, lab->now),
			 HG_OK);
	lab_effects(lab, i);
}

/* What the network does to packets of which it knows src and dst: `cut`
 * addresses are dead, and nobody can send from where he is not. */
struct bed_net {
	struct endpoint cut[4];
	size_t cut_num;
	unsigned to_victim; /* packets, */
	size_t victim_octets;
	struct endpoint victim;
	unsigned lost;
};

static inline bool bed_hook(struct lab *lab, struct lab_packet *p)
{
	struct bed_net *n = lab->hook_arg;

	if (endpoint_eq(&p->dst, &n->victim)) {
		n->to_victim++;
		n->victim_octets += p->len;
	}
	for (size_t i = 0; i < n->cut_num; i++) {
		if (endpoint_eq(&n->cut[i], &p->src) ||
		    endpoint_eq(&n->cut[i], &p->dst)) {
			n->lost++;
			return false;
		}
	}
	if (!lab_lives_at(&lab->host[p->from], &p->src)) {
		n->lost++;
		return false;
	}
	return true;
}

static inline void bed_net(struct lab *lab, struct bed_net *n)
{
	memset(n, 0, sizeof(*n));
	lab->hook = bed_hook;
	lab->hook_arg = n;
}

/* Where host i sends to, and from where. */
static inline bool bed_is(struct lab *lab, size_t i, const char *self,
			  const char *peer)
{
	struct hip_peer v = view(lab, i);
	struct endpoint s = bed_at(self);
	struct endpoint p = bed_at(peer);

	return v.state == HIP_ESTABLISHED && v.verified &&
	       endpoint_eq(&v.self_at, &s) && endpoint_eq(&v.peer_at, &p);
}

struct bed_find {
	struct endpoint self;
	struct endpoint peer;
	bool found;
	struct hip_path path;
	size_t num;
};

static inline void bed_look(const struct hip_path *p, void *arg)
{
	struct bed_find *f = arg;

	f->num++;
	if (!endpoint_eq(&p->self_at, &f->self) ||
	    !endpoint_eq(&p->peer_at, &f->peer))
		return;
	f->found = true;
	f->path = *p;
}

/* The path of host i between these; aborts: there is none. */
static inline struct hip_path bed_path(struct lab *lab, size_t i,
				       const char *self, const char *peer)
{
	struct bed_find f = { .self = bed_at(self), .peer = bed_at(peer) };

	hip_each_path(lab->host[i].h, &lab->host[i].hit, &lab->host[!i].hit,
		      bed_look, &f);
	ck_assert_msg(f.found, "no path %s - %s", self, peer);
	return f.path;
}

static inline size_t bed_paths(struct lab *lab, size_t i)
{
	struct bed_find f = { 0 };

	hip_each_path(lab->host[i].h, &lab->host[i].hit, &lab->host[!i].hit,
		      bed_look, &f);
	return f.num;
}

struct bed_events {
	enum hip_path_why why[HIP_PATH_HISTORY];
	size_t num;
};

static inline void bed_event(const struct hip_path_event *e, void *arg)
{
	struct bed_events *v = arg;

	ck_assert_uint_lt(v->num, HIP_PATH_HISTORY);
	v->why[v->num++] = e->why;
}

static inline bool bed_happened(struct lab *lab, size_t i,
				enum hip_path_why why)
{
	struct bed_events v = { .num = 0 };

	hip_each_path_event(lab->host[i].h, &lab->host[i].hit,
			    &lab->host[!i].hit, bed_event, &v);
	for (size_t k = 0; k < v.num; k++) {
		if (v.why[k] == why)
			return true;
	}
	return false;
}

/* A pair that is up, each at 192.0.2.x and knowing so. */
static inline struct lab *bed_up(struct bed_net *n)
{
	struct lab *lab = up();

	bed_move(lab, 0, "192.0.2.1");
	bed_move(lab, 1, "192.0.2.2");
	lab_sleep(lab, LAB_S);
	memset(lab->sent, 0, sizeof(lab->sent));
	bed_net(lab, n);
	return lab;
}

static inline void bed_traffic(struct lab *lab, size_t i, bool in)
{
	hip_traffic(lab->host[i].h, &lab->host[i].hit, &lab->host[!i].hit, in,
		    lab->now);
	lab_effects(lab, i);
	lab_run(lab);
}

/* Both send, each hears what comes through; `ms` in steps of 250. What has
 * passed from host 0 to host 1 at the end of it, last. */
static inline bool bed_talk(struct lab *lab, struct bed_net *n, uint64_t ms)
{
	bool passed = false;

	for (uint64_t t = 0; t < ms; t += 250) {
		for (size_t i = 0; i < 2; i++) {
			struct hip_peer v = view(lab, i);
			bool lost = false;

			bed_traffic(lab, i, false);
			for (size_t k = 0; k < n->cut_num; k++)
				lost |= endpoint_eq(&n->cut[k], &v.self_at) ||
					endpoint_eq(&n->cut[k], &v.peer_at);
			lost |= !lab_lives_at(&lab->host[!i], &v.peer_at);
			if (!lost)
				bed_traffic(lab, !i, true);
			if (i == 0)
				passed = !lost;
		}
		lab_sleep(lab, 250 * LAB_MS);
	}
	return passed;
}

static inline void bed_received(struct lab *lab, size_t i, uint64_t bytes)
{
	hip_received(lab->host[i].h, &lab->host[i].hit, &lab->host[!i].hit,
		     bytes, lab->now);
	lab_effects(lab, i);
}

/* Host i has asked its peer, where it sends, as often as it may, in vain. */
static inline void bed_spend(struct lab *lab, size_t i)
{
	struct assoc *a = assoc(lab, i);
	struct paths *p = paths_make(lab->host[i].h, a);
	struct paths_peer *q;

	ck_assert_ptr_nonnull(p);
	q = paths_peer(p, &a->peer_at);
	q->active = false;
	q->asked = PATHS_ASK_MAX;
	a->unproved = true;
}

/* Keeps UPDATEs as they leave. */
struct bed_record {
	struct bed_net n;
	struct lab_packet p[8];
	size_t num;
};

static inline bool bed_record_hook(struct lab *lab, struct lab_packet *p)
{
	struct bed_record *r = lab->hook_arg;

	if (p->msg[2] == HIP_UPDATE && r->num < 8)
		r->p[r->num++] = *p;
	return bed_hook(lab, p);
}

static inline bool bed_has(const struct lab_packet *p, enum param id)
{
	struct hip_msg m;

	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	return param_find(&m, id);
}
