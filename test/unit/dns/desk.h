/* SPDX-License-Identifier: MIT */
/* The other side of the dns engine in its tests: a client, a server, and
 * the daemon that carries effects. */
#pragma once

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/dname.h"
#include "dns/dns.h"
#include "dns/scan.h"

#define DESK_EFFECTS 64
#define SEC 1000000000ULL
#define MSEC 1000000ULL

struct desk_effect {
	struct dns_effect e;
	uint8_t *msg;
	struct dns_host host;
};

struct desk {
	struct dns *d;
	struct dns_asker who;
	struct desk_effect got[DESK_EFFECTS];
	size_t num;
	size_t seen; /* DNS_SEEN, counted and not kept */
	uint8_t buf[70000];
	struct wr w;
	struct lease *lease;
};

static inline struct addr desk_addr(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), 0);
	return a;
}

static inline struct endpoint desk_at(const char *text, uint16_t port)
{
	struct endpoint e = { .addr = desk_addr(text), .port = port };

	return e;
}

static inline struct prefix desk_prefix(const char *text)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(text, &p), 0);
	return p;
}

static inline struct dname desk_name(const char *text)
{
	struct dname n;

	ck_assert_msg(dname_parse(text, &n) == 0, "%s", text);
	return n;
}

static const struct dns_rule desk_rules[] = {
	{ "*.require.test", DNS_REQUIRE },
	{ "*.off.test", DNS_OFF },
	{ "*", DNS_PREFER },
};

static inline struct dns_config desk_config(void)
{
	struct dns_config cfg = {
		.rules = desk_rules,
		.rules_num = 3,
		.pool6 = desk_prefix("fd00:5::/64"),
		.pool4 = desk_prefix("198.18.0.0/15"),
	};

	return cfg;
}

static inline void desk_open_with(struct desk *k, const struct dns_config *cfg)
{
	memset(k, 0, sizeof(*k));
	ck_assert_int_eq(dns_new(cfg, &k->d), 0);
	k->who.client = desk_at("10.0.0.2", 40000);
	k->who.server = desk_at("10.0.0.53", 53);
	k->who.token = 7;
}

static inline void desk_open(struct desk *k)
{
	struct dns_config cfg = desk_config();

	desk_open_with(k, &cfg);
}

static inline void desk_forget(struct desk *k)
{
	for (size_t i = 0; i < k->num; i++)
		free(k->got[i].msg);
	k->num = 0;
}

static inline void desk_close(struct desk *k)
{
	desk_forget(k);
	dns_free(k->d);
}

/* Takes all effects that wait, after those taken before. */
static inline void desk_drain(struct desk *k)
{
	struct dns_effect e;

	while (dns_effect(k->d, &e)) {
		struct desk_effect *g = &k->got[k->num];

		if (e.kind == DNS_SEEN) {
			k->seen++;
			continue;
		}
		k->num++;
		ck_assert_uint_le(k->num, DESK_EFFECTS);
		g->e = e;
		g->msg = NULL;
		if (e.msg_len) {
			g->msg = malloc(e.msg_len);
			memcpy(g->msg, e.msg, e.msg_len);
			g->e.msg = g->msg;
		}
		if (e.host) {
			g->host = *e.host;
			g->e.host = &g->host;
		}
	}
}

static inline size_t desk_count(const struct desk *k, enum dns_effect_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < k->num; i++)
		n += k->got[i].e.kind == kind;
	return n;
}

static inline const struct dns_effect *desk_last(const struct desk *k,
						 enum dns_effect_kind kind)
{
	for (size_t i = k->num; i-- > 0;) {
		if (k->got[i].e.kind == kind)
			return &k->got[i].e;
	}
	return NULL;
}

/* Is there an open ask of that kind still without DONE? The newest one. */
static inline const struct dns_effect *desk_ask(const struct desk *k,
						const char *name, uint16_t type,
						bool tcp)
{
	for (size_t i = k->num; i-- > 0;) {
		const struct dns_effect *e = &k->got[i].e;

		if (e->kind == DNS_ASK && e->qtype == type && e->tcp == tcp &&
		    strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

/* The client's own query among the asks: same length and octets. */
static inline bool desk_is_own(const struct dns_effect *e, const uint8_t *q,
			       size_t len)
{
	return e->msg_len == len && memcmp(e->msg + 2, q + 2, len - 2) == 0;
}

/* ---- messages --------------------------------------------------------- */

static inline void desk_bump(struct desk *k, unsigned section)
{
	uint8_t *p = k->buf + 4 + 2 * section;

	put_be16(p, (uint16_t)(get_be16(p) + 1));
}

static inline void desk_put_name(struct desk *k, const char *name)
{
	struct dname n = desk_name(name);

	wr_put(&k->w, n.wire, n.len);
}

static inline void desk_start(struct desk *k, uint16_t id, uint16_t flags)
{
	k->w = wr_init(k->buf, sizeof(k->buf));
	wr_be16(&k->w, id);
	wr_be16(&k->w, flags);
	wr_zero(&k->w, 8);
}

static inline void desk_question(struct desk *k, const char *name,
				 uint16_t type)
{
	struct dname n = desk_name(name);

	wr_put(&k->w, n.wire, n.len);
	wr_be16(&k->w, type);
	wr_be16(&k->w, 1);
	desk_bump(k, 0);
}

static inline void desk_rr(struct desk *k, unsigned section, const char *name,
			   uint16_t type, uint32_t ttl, const void *rdata,
			   size_t len)
{
	desk_put_name(k, name);
	wr_be16(&k->w, type);
	wr_be16(&k->w, 1);
	wr_be32(&k->w, ttl);
	wr_be16(&k->w, (uint16_t)len);
	wr_put(&k->w, rdata, len);
	desk_bump(k, section);
}

static inline void desk_opt(struct desk *k, bool dnssec_ok, uint8_t version)
{
	wr_u8(&k->w, 0);
	wr_be16(&k->w, SCAN_OPT);
	wr_be16(&k->w, 1232);
	wr_be32(&k->w, (uint32_t)version << 16 | (dnssec_ok ? 0x8000 : 0));
	wr_be16(&k->w, 0);
	desk_bump(k, 3);
}

/* An OPT for `size` octets with a cookie of len octets 0xc0, 0xc1 ... */
static inline void desk_opt_cookie(struct desk *k, uint16_t size, uint16_t len)
{
	wr_u8(&k->w, 0);
	wr_be16(&k->w, SCAN_OPT);
	wr_be16(&k->w, size);
	wr_be32(&k->w, 0);
	wr_be16(&k->w, (uint16_t)(4 + len));
	wr_be16(&k->w, 10);
	wr_be16(&k->w, len);
	for (unsigned i = 0; i < len; i++)
		wr_u8(&k->w, (uint8_t)(0xc0 + i));
	desk_bump(k, 3);
}

static inline void desk_rr_addr(struct desk *k, const char *name, uint32_t ttl,
				const char *addr)
{
	struct addr a = desk_addr(addr);

	if (addr_is4(&a))
		desk_rr(k, 1, name, SCAN_A, ttl, a.b + 12, 4);
	else
		desk_rr(k, 1, name, SCAN_AAAA, ttl, a.b, 16);
}

static inline void desk_rr_cname(struct desk *k, const char *name, uint32_t ttl,
				 const char *target)
{
	struct dname n = desk_name(target);

	desk_rr(k, 1, name, SCAN_CNAME, ttl, n.wire, n.len);
}

static inline struct hit desk_hit(uint8_t n)
{
	struct hit h = { .b = { 0x20, 0x01, 0x00, 0x22, [15] = n } };

	return h;
}

/* rdata of a HIP record with a P-256 key; rvs: names, spaces between. */
static inline size_t desk_hip(uint8_t *out, size_t cap, uint8_t n,
			      const char *rvs)
{
	struct wr w = wr_init(out, cap);
	struct hit h = desk_hit(n);
	char text[600];

	wr_u8(&w, 16);
	wr_u8(&w, 3);
	wr_be16(&w, 64);
	wr_put(&w, h.b, 16);
	for (unsigned i = 0; i < 64; i++)
		wr_u8(&w, (uint8_t)(n + i));
	snprintf(text, sizeof(text), "%s", rvs ? rvs : "");
	for (char *t = strtok(text, " "); t; t = strtok(NULL, " ")) {
		struct dname name = desk_name(t);

		wr_put(&w, name.wire, name.len);
	}
	ck_assert(!w.bad);
	return wr_len(&w);
}

static inline void desk_rr_hip(struct desk *k, const char *name, uint32_t ttl,
			       uint8_t n, const char *rvs)
{
	uint8_t rdata[2000];
	size_t len = desk_hip(rdata, sizeof(rdata), n, rvs);

	desk_rr(k, 1, name, SCAN_HIP, ttl, rdata, len);
}

/* Begins the answer to an ask: its id and question. */
static inline void desk_answer_to(struct desk *k, const struct dns_effect *ask,
				  unsigned rcode)
{
	struct rd r = rd_init(ask->msg, ask->msg_len);
	struct scan_header h;
	struct scan_question q;

	scan_header(&r, &h);
	scan_question(&r, ask->msg, &q);
	ck_assert(!r.bad);
	desk_start(k, h.id, (uint16_t)(0x8180 | rcode));
	wr_put(&k->w, q.name.wire, q.name.len);
	wr_be16(&k->w, q.type);
	wr_be16(&k->w, q.class);
	desk_bump(k, 0);
}

static inline void desk_hand_in(struct desk *k, const struct dns_effect *ask,
				uint64_t now)
{
	ck_assert(!k->w.bad);
	dns_answer(k->d, ask->ask, &ask->server, k->buf, wr_len(&k->w), now);
	desk_drain(k);
}

/* An answer without records. */
static inline void desk_nothing(struct desk *k, const struct dns_effect *ask,
				unsigned rcode, uint64_t now)
{
	desk_answer_to(k, ask, rcode);
	desk_hand_in(k, ask, now);
}

static inline void desk_hip_answer(struct desk *k, const struct dns_effect *ask,
				   const char *name, const char *rvs,
				   uint64_t now)
{
	desk_answer_to(k, ask, 0);
	desk_rr_hip(k, name, 300, 1, rvs);
	desk_hand_in(k, ask, now);
}

static inline void desk_addr_answer(struct desk *k,
				    const struct dns_effect *ask,
				    const char *name, const char *addr,
				    uint64_t now)
{
	desk_answer_to(k, ask, 0);
	desk_rr_addr(k, name, 600, addr);
	desk_hand_in(k, ask, now);
}

/* The client asks; returns nothing: see effects. */
static inline void desk_query(struct desk *k, const char *name, uint16_t type,
			      bool edns, uint64_t now)
{
	desk_start(k, 0x1234, SCAN_RD);
	desk_question(k, name, type);
	if (edns)
		desk_opt(k, false, 0);
	dns_query(k->d, &k->who, k->buf, wr_len(&k->w), now);
	desk_drain(k);
}

static inline uint64_t desk_reason(const struct desk *k, enum reason r)
{
	return reason_get(dns_reasons(k->d), r);
}

/* Two labels of 16 hex digits: one of dname_draw. */
static inline bool desk_is_chance(const char *name)
{
	static const char hex[] = "0123456789abcdef";

	return strlen(name) == 33 && strspn(name, hex) == 16 &&
	       name[16] == '.' && strspn(name + 17, hex) == 16;
}

/* ---- reading a reply -------------------------------------------------- */

struct desk_reply {
	struct scan_header header;
	struct scan_question question;
	struct scan_rr rr; /* the first record, if any */
	struct scan_rr opt;
	bool has_opt;
	unsigned records;
};

static inline struct desk_reply desk_read(const struct dns_effect *e)
{
	struct desk_reply p;
	struct rd r = rd_init(e->msg, e->msg_len);
	struct scan_rr rr;

	memset(&p, 0, sizeof(p));
	ck_assert_int_eq(e->kind, DNS_REPLY);
	scan_header(&r, &p.header);
	if (p.header.count[0])
		scan_question(&r, e->msg, &p.question);
	for (unsigned s = 1; s < 4; s++) {
		for (unsigned i = 0; i < p.header.count[s]; i++) {
			scan_rr(&r, e->msg, &rr);
			ck_assert(!r.bad);
			if (rr.type == SCAN_OPT) {
				p.opt = rr;
				p.has_opt = true;
				continue;
			}
			if (p.records++ == 0)
				p.rr = rr;
		}
	}
	ck_assert(!r.bad);
	ck_assert_uint_eq(rd_left(&r), 0);
	return p;
}

/* An option of a reply's EDNS; NULL: none. */
static inline const uint8_t *desk_option(const struct desk_reply *p,
					 uint16_t which, uint16_t *out_len)
{
	struct rd r = rd_init(p->opt.rdata, p->has_opt ? p->opt.rdlen : 0);

	while (rd_left(&r) >= 4) {
		uint16_t code = rd_be16(&r);
		const uint8_t *v;

		*out_len = rd_be16(&r);
		v = rd_take(&r, *out_len);
		ck_assert(!r.bad);
		if (code == which)
			return v;
	}
	return NULL;
}

/* The extended error of a reply; -1: none. */
static inline int desk_ede(const struct desk_reply *p)
{
	uint16_t len;
	const uint8_t *v = desk_option(p, 15, &len);

	return v ? get_be16(v) : -1;
}
