/* SPDX-License-Identifier: MIT */
/* Hosts behind NATs, and a control relay between them. */
#pragma once

#include "hip/engine.h"
#include "hip/fields.h"
#include "test/unit/hip/lab.h"

#define NAT_PEERS 16

/* A NAT with one host behind it. Its mapping is the same for every peer
 * (RFC 4787 REQ-1), unless it is symmetric: then each peer has a port of its
 * own; it lets in those the host has written to, by address and port. */
struct nat {
	bool on;
	bool symmetric;
	struct endpoint inside;
	struct endpoint outside;
	struct endpoint open[NAT_PEERS];
	size_t num;
	bool every; /* lets everybody in */
};

struct nat_bed {
	struct nat nat[LAB_MAX];
	/* Sees what is on the public network; false: it is lost. */
	bool (*tap)(struct lab *lab, struct lab_packet *p);
	unsigned seen[256];	/* packets by type, */
	unsigned to_relay[256]; /*  those to host 2 */
	struct lab_packet last[256];
};

static inline bool nat_lets_in(const struct nat *n, const struct endpoint *who)
{
	for (size_t i = 0; i < n->num; i++) {
		if (endpoint_eq(&n->open[i], who))
			return true;
	}
	return n->every;
}

/* The port that the host behind n has for this peer. */
static inline uint16_t nat_port(struct nat *n, const struct endpoint *peer)
{
	size_t i = 0;

	while (i < n->num && !endpoint_eq(&n->open[i], peer))
		i++;
	if (i == n->num) {
		ck_assert_uint_lt(n->num, NAT_PEERS);
		n->open[n->num++] = *peer;
	}
	return (uint16_t)(n->outside.port + (n->symmetric ? 100 + i : 0));
}

/* Does it let this one in, to that port of its? */
static inline bool nat_passes(const struct nat *n, const struct lab_packet *p)
{
	if (!n->symmetric)
		return nat_lets_in(n, &p->src);
	for (size_t i = 0; i < n->num; i++) {
		if (p->dst.port == n->outside.port + 100 + i)
			return n->every || endpoint_eq(&n->open[i], &p->src);
	}
	return false;
}

static inline bool nat_hook(struct lab *lab, struct lab_packet *p)
{
	struct nat_bed *bed = lab->hook_arg;
	struct nat *n = &bed->nat[p->from];
	uint8_t type = p->msg[2] & 0x7f;

	if (n->on && endpoint_eq(&p->src, &n->inside)) {
		p->src = n->outside;
		p->src.port = nat_port(n, &p->dst);
	}
	bed->seen[type]++;
	bed->to_relay[type] += endpoint_eq(&p->dst, &lab->host[2].at);
	bed->last[type] = *p;
	if (bed->tap && !bed->tap(lab, p))
		return false;
	for (size_t i = 0; i < LAB_MAX; i++) {
		n = &bed->nat[i];
		if (n->on && i != p->from && endpoint_eq(&p->dst, &n->inside))
			return false; /* nobody knows it out here */
		if (!n->on || !addr_eq(&p->dst.addr, &n->outside.addr))
			continue;
		if (!nat_passes(n, p))
			return false;
		p->dst = n->inside;
	}
	return true;
}

/* Puts host i behind a NAT; before it sends anything. */
static inline void nat_put(struct lab *lab, size_t i)
{
	struct nat_bed *bed = lab->hook_arg;
	struct nat *n = &bed->nat[i];
	uint8_t in[4] = { 10, 0, (uint8_t)i, 2 };
	uint8_t out[4] = { 198, 51, 100, (uint8_t)(i + 1) };

	n->on = true;
	n->inside = (struct endpoint){ addr_from4(in), HIP_PORT };
	n->outside =
		(struct endpoint){ addr_from4(out), (uint16_t)(40000 + i) };
	lab->host[i].at = n->inside;
}

/* 0 a host that calls, 1 the host it calls, 2 a relay, 3 a stranger; nobody
 * is behind a NAT yet, nobody is registered. In NAT traversal mode 1, unless
 * cfg names one. */
static inline struct lab *nat_bed_with(struct nat_bed *bed,
				       const struct hip_config *config)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config mine = *config;
	const struct hip_config *cfg = &mine;
	struct hip_config relay;

	if (!mine.offer.nat_num)
		mine.offer.nat[mine.offer.nat_num++] = FIELDS_NAT_UDP;
	relay = mine;

	memset(bed, 0, sizeof(*bed));
	lab->now = 600 * LAB_S;
	lab->hook = nat_hook;
	lab->hook_arg = bed;
	lab_boot(lab, 0, cfg, HIP_ALG_ECDSA_P256, 0);
	lab_boot(lab, 1, cfg, HIP_ALG_ECDSA_P256, 1);
	relay.relay = true;
	lab_boot(lab, 2, &relay, HIP_ALG_ECDSA_P256, 2);
	lab_boot(lab, 3, cfg, HIP_ALG_ECDSA_P256, 3);
	return lab;
}

static inline struct lab *nat_bed(struct nat_bed *bed)
{
	struct hip_config cfg = lab_config();

	return nat_bed_with(bed, &cfg);
}

/* Host i registers at the relay. */
static inline void nat_register(struct lab *lab, size_t i)
{
	ck_assert_int_eq(hip_register_relay(lab->host[i].h, NULL,
					    &lab->host[2].hit, &lab->host[2].at,
					    600, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(lab->host[i].count[HIP_REGISTERED], 1);
	/* R1s that say so are made within a second. */
	lab_sleep(lab, 2 * LAB_S);
}

/* The association of host i with j. */
static inline struct assoc *nat_assoc(const struct lab *lab, size_t i, size_t j)
{
	return assoc_find(&lab->host[i].h->assocs, &lab->host[i].hit,
			  &lab->host[j].hit);
}

/* Host i wants j, which it has been told is at the relay. */
static inline void nat_call(struct lab *lab, size_t i, size_t j)
{
	ck_assert_int_eq(lab_want_at(lab, i, j, &lab->host[2].at), HG_OK);
	lab_run(lab);
}

/* A message of host i to j, as it is. */
static inline struct lab_packet nat_packet(const struct lab *lab, size_t i,
					   const struct endpoint *to,
					   const struct msg_builder *b)
{
	struct lab_packet p = {
		.from = i, .src = lab->host[i].at, .dst = *to, .len = b->len
	};

	ck_assert_int_eq(message_finish(b), HG_OK);
	memcpy(p.msg, b->buf, b->len);
	return p;
}
