/* SPDX-License-Identifier: MIT */
/* Up to four engines on a network in virtual time, for the tests. */
#pragma once

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hip/hip.h"
#include "test/vectors/known_identity.h"

#define LAB_MAX 4
#define LAB_QUEUE 256
#define LAB_MS UINT64_C(1000000)
#define LAB_S (1000 * LAB_MS)

struct lab_packet {
	size_t from; /* engine */
	struct endpoint src;
	struct endpoint dst;
	size_t len;
	uint8_t msg[HIP_MSG_MAX];
};

struct lab;
/* Sees each packet before it is delivered; false: it is lost. May change
 * it, and may put others in the queue. */
typedef bool lab_hook(struct lab *lab, struct lab_packet *p);

struct lab_host {
	struct hip *h;
	struct hit hit;
	size_t key; /* which of lab_identity's */
	struct endpoint at;
	struct endpoint also[3]; /* more addresses of it */
	size_t also_num;
	bool up;	     /* SA_UP seen and no SA_DOWN since */
	struct sa_pair sa;   /* the one that sends */
	struct sa_pair next; /* on standby */
	uint32_t open[8];    /* inbound SPIs that are up; 0: none */
	unsigned count[HIP_EFFECT_NUM];
	unsigned changed[HIP_STATE_NUM];
	struct hip_effect last[HIP_EFFECT_NUM];
	enum hip_effect_kind order[64]; /* of effects but traces and jobs */
	size_t order_num;
};

struct lab {
	struct lab_host host[LAB_MAX];
	size_t num;
	uint64_t now;
	struct lab_packet queue[LAB_QUEUE];
	size_t head;
	size_t tail;
	lab_hook *hook;
	void *hook_arg;
	unsigned sent[256]; /* packets by type */
	bool hold_jobs;	    /* jobs wait in held */
	struct {
		size_t host;
		struct hip_job *job;
	} held[64];
	size_t held_num;
};

static inline struct hip_identity *lab_known(size_t n)
{
	struct hip_identity *id;

	ck_assert_int_eq(hip_identity_from_pem(known_keys[n].pem,
					       strlen(known_keys[n].pem), &id),
			 0);
	return id;
}

/* Identities are costly: made once, by algorithm, and kept as PEM; RSA is
 * known_keys', one each. */
static inline struct hip_identity *lab_identity(enum hip_alg alg, size_t n)
{
	static char *pem[HIP_ALG_NUM][LAB_MAX];
	struct hip_identity *id;

	for (size_t i = 2; i < sizeof(known_keys) / sizeof(known_keys[0]); i++)
		if (known_keys[i].alg == alg)
			return lab_known(i);
	if (!pem[alg][n]) {
		ck_assert_int_eq(hip_identity_generate(alg, &id), 0);
		ck_assert_int_eq(hip_identity_to_pem(id, &pem[alg][n]), 0);
		hip_identity_free(id);
	}
	ck_assert_int_eq(
		hip_identity_from_pem(pem[alg][n], strlen(pem[alg][n]), &id),
		0);
	return id;
}

static inline struct endpoint lab_at(size_t i)
{
	uint8_t four[4] = { 192, 0, 2, (uint8_t)(i + 1) };

	return (struct endpoint){ addr_from4(four), HIP_PORT };
}

static inline void lab_post(struct lab *lab, const struct lab_packet *p)
{
	ck_assert_uint_lt(lab->tail - lab->head, LAB_QUEUE);
	lab->queue[lab->tail++ % LAB_QUEUE] = *p;
}

static inline void lab_effects(struct lab *lab, size_t i);

static inline void lab_job(struct lab *lab, size_t i, struct hip_job *job)
{
	hip_job_run(job);
	hip_job_done(lab->host[i].h, job, lab->now);
}

/* An inbound SA is up from one effect to the other. */
static inline void lab_set_open(struct lab_host *host, uint32_t was,
				uint32_t is)
{
	for (size_t i = 0; i < 8; i++) {
		if (host->open[i] != was)
			continue;
		host->open[i] = is;
		return;
	}
	ck_abort_msg("SPI %08x is not up, or too many are", was);
}

static inline bool lab_is_open(const struct lab_host *host, uint32_t spi)
{
	for (size_t i = 0; i < 8; i++) {
		if (host->open[i] == spi)
			return true;
	}
	return false;
}

/* Nothing may be sent that the peer cannot open yet (RFC 7402 6.10). */
static inline void lab_switched(struct lab *lab, size_t i,
				const struct hip_effect *e)
{
	struct lab_host *host = &lab->host[i];

	ck_assert_uint_eq(e->sa.spi_in, host->next.spi_in);
	ck_assert_uint_eq(e->sa.spi_out, host->next.spi_out);
	host->sa = host->next;
	host->up = true;
	for (size_t j = 0; j < lab->num; j++) {
		if (hit_eq(&lab->host[j].hit, &e->peer))
			ck_assert(lab_is_open(&lab->host[j], e->sa.spi_out));
	}
}

static inline void lab_note(struct lab_host *host, const struct hip_effect *e)
{
	host->count[e->kind]++;
	host->last[e->kind] = *e;
	if (e->kind != HIP_SEEN && e->kind != HIP_DROPPED &&
	    e->kind != HIP_JOB && host->order_num < 64)
		host->order[host->order_num++] = e->kind;
	if (e->kind == HIP_CHANGED)
		host->changed[e->state]++;
	if (e->kind == HIP_SA_UP)
		lab_set_open(host, 0, e->sa.spi_in);
	if (e->kind == HIP_SA_DOWN)
		lab_set_open(host, e->sa.spi_in, 0);
	if (e->kind == HIP_SA_UP && e->standby) {
		host->next = e->sa;
	} else if (e->kind == HIP_SA_UP) {
		host->up = true;
		host->sa = e->sa;
	}
	if (e->kind == HIP_SA_DOWN && e->sa.spi_in == host->sa.spi_in)
		host->up = false;
}

static inline void lab_effects(struct lab *lab, size_t i)
{
	struct hip_effect e;

	while (hip_effect(lab->host[i].h, &e)) {
		lab_note(&lab->host[i], &e);
		if (e.kind == HIP_SA_SWITCH)
			lab_switched(lab, i, &e);
		if (e.kind == HIP_SEND) {
			struct lab_packet p = { .from = i,
						.src = e.self_at,
						.dst = e.peer_at,
						.len = e.msg_len };

			if (addr_is_unspecified(&p.src.addr))
				p.src = lab->host[i].at;
			memcpy(p.msg, e.msg, e.msg_len);
			lab->sent[e.type]++;
			lab_post(lab, &p);
		} else if (e.kind == HIP_JOB && lab->hold_jobs) {
			ck_assert_uint_lt(lab->held_num, 64);
			lab->held[lab->held_num].host = i;
			lab->held[lab->held_num++].job = e.job;
		} else if (e.kind == HIP_JOB) {
			lab_job(lab, i, e.job);
		}
	}
}

/* Runs the jobs held back. */
static inline void lab_release(struct lab *lab)
{
	while (lab->held_num) {
		size_t i = lab->held[0].host;
		struct hip_job *job = lab->held[0].job;

		memmove(&lab->held[0], &lab->held[1],
			--lab->held_num * sizeof(lab->held[0]));
		lab_job(lab, i, job);
		lab_effects(lab, i);
	}
}

static inline void lab_input(struct lab *lab, size_t i,
			     const struct lab_packet *p)
{
	hip_input(lab->host[i].h, p->msg, p->len, &p->src, &p->dst, lab->now);
	lab_effects(lab, i);
}

static inline bool lab_lives_at(const struct lab_host *host,
				const struct endpoint *at)
{
	for (size_t i = 0; i < host->also_num; i++) {
		if (endpoint_eq(&host->also[i], at))
			return true;
	}
	return endpoint_eq(&host->at, at);
}

/* Delivers until the network is quiet. */
static inline void lab_run(struct lab *lab)
{
	while (lab->head != lab->tail) {
		struct lab_packet p = lab->queue[lab->head++ % LAB_QUEUE];

		if (lab->hook && !lab->hook(lab, &p))
			continue;
		for (size_t i = 0; i < lab->num; i++) {
			if (lab->host[i].h &&
			    lab_lives_at(&lab->host[i], &p.dst))
				lab_input(lab, i, &p);
		}
	}
}

static inline void lab_drain(struct lab *lab)
{
	for (size_t i = 0; i < lab->num; i++) {
		if (lab->host[i].h)
			lab_effects(lab, i);
	}
	lab_run(lab);
}

/* Lets time pass, timer by timer. */
static inline void lab_sleep(struct lab *lab, uint64_t ns)
{
	uint64_t until = lab->now + ns;

	for (;;) {
		uint64_t at = until;

		for (size_t i = 0; i < lab->num; i++) {
			uint64_t d = lab->host[i].h
					     ? hip_deadline(lab->host[i].h)
					     : UINT64_MAX;

			at = d < at ? d : at;
		}
		lab->now = at > lab->now ? at : lab->now;
		if (at >= until)
			lab->now = until;
		for (size_t i = 0; i < lab->num; i++) {
			if (lab->host[i].h) {
				hip_tick(lab->host[i].h, lab->now);
				lab_effects(lab, i);
			}
		}
		lab_run(lab);
		if (at >= until)
			return;
	}
}

/* (Re)starts engine i with this configuration and identity; takes it. */
static inline void lab_boot_id(struct lab *lab, size_t i,
			       const struct hip_config *cfg,
			       struct hip_identity *id)
{
	struct lab_host *host = &lab->host[i];

	hip_free(host->h);
	memset(host, 0, sizeof(*host));
	host->at = lab_at(i);
	ck_assert_int_eq(hip_new(cfg, lab->now, &host->h), 0);
	ck_assert_int_eq(hip_add_identity(host->h, id, lab->now), 0);
	host->hit = *hip_default_hit(host->h);
	if (i >= lab->num)
		lab->num = i + 1;
	lab_effects(lab, i);
}

/* The same with a key by algorithm and number. */
static inline void lab_boot(struct lab *lab, size_t i,
			    const struct hip_config *cfg, enum hip_alg alg,
			    size_t key)
{
	lab_boot_id(lab, i, cfg, lab_identity(alg, key));
	lab->host[i].key = key;
}

static inline struct hip_config lab_config(void)
{
	return (struct hip_config){ .responder = true,
				    .puzzle_k = 2,
				    .puzzle_k_max = 20 };
}

/* Two hosts; swap: the Initiator (0) has the greater HIT. */
static inline struct lab *lab_pair(enum hip_alg a, enum hip_alg b, bool greater)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 1000 * LAB_S;
	lab_boot(lab, 0, &cfg, a, 0);
	lab_boot(lab, 1, &cfg, b, 1);
	if ((hit_cmp(&lab->host[0].hit, &lab->host[1].hit) > 0) != greater) {
		lab_boot(lab, 0, &cfg, b, 1);
		lab_boot(lab, 1, &cfg, a, 0);
	}
	return lab;
}

static inline void lab_free(struct lab *lab)
{
	while (lab->held_num) {
		lab->held_num--;
		hip_job_done(lab->host[lab->held[lab->held_num].host].h,
			     lab->held[lab->held_num].job, lab->now);
	}
	for (size_t i = 0; i < lab->num; i++)
		hip_free(lab->host[i].h);
	free(lab);
}

static inline int lab_want_at(struct lab *lab, size_t i, size_t j,
			      const struct endpoint *at)
{
	int err = hip_want(lab->host[i].h, NULL, &lab->host[j].hit, at, 1,
			   lab->now);

	lab_effects(lab, i);
	return err;
}

static inline int lab_want(struct lab *lab, size_t i, size_t j)
{
	return lab_want_at(lab, i, j, &lab->host[j].at);
}

static inline void lab_one_peer(const struct hip_peer *p, void *arg)
{
	struct hip_peer *v = arg;

	if (hit_eq(&p->peer, &v->peer))
		*v = *p;
}

static inline enum hip_state lab_state(const struct lab *lab, size_t i,
				       size_t j)
{
	struct hip_peer v = { .peer = lab->host[j].hit };

	hip_each_peer(lab->host[i].h, lab_one_peer, &v);
	return v.state;
}

static inline uint64_t lab_drops(const struct lab *lab, size_t i, enum reason r)
{
	return reason_get(hip_reasons(lab->host[i].h), r);
}

/* Both have an SA, and what one sends with the other opens with. */
static inline bool lab_agree(const struct lab *lab, size_t i, size_t j)
{
	const struct sa_pair *a = &lab->host[i].sa;
	const struct sa_pair *b = &lab->host[j].sa;

	return lab->host[i].up && lab->host[j].up && a->suite == b->suite &&
	       a->spi_in == b->spi_out && a->spi_out == b->spi_in &&
	       memcmp(&a->in, &b->out, sizeof(a->in)) == 0 &&
	       memcmp(&a->out, &b->in, sizeof(a->out)) == 0;
}
