/* SPDX-License-Identifier: MIT */
/* One client's question and whatever servers say to it. room: dns
 *
 * The first octet says how HIP is required and what the client is like, the
 * second what it asks for; then each ask, in its order, takes a fate (1), a
 * length (2) and octets: flags, counts and records behind the question. What
 * must hold is not only that nothing breaks:
 *   a reply is the server's answer, octet for octet, or one of ours;
 *   one of ours is a message that ldns reads, and its addresses are the ones
 *   that were given;
 *   where HIP is required a looked-up type is never the server's answer;
 *   each question ends, with one reply at most. */
#include <stdbool.h> /* before ldns, which makes one of its own */

#include <ldns/ldns.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/dns.h"
#include "dns/scan.h"

#define MSG_MAX 4096
#define TURNS 40
#define OWN 8
#define ID 0x4711

enum { FATE_ANSWER, FATE_RAW, FATE_FAIL, FATE_REFUSE, FATE_SILENT, FATE_NUM };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t types[] = { SCAN_A,   SCAN_AAAA, SCAN_HTTPS, SCAN_SVCB,
				  SCAN_ANY, SCAN_HIP,  15,	   SCAN_PTR };

struct fuzz {
	struct dns *d;
	struct rd r;
	uint64_t now;
	struct dns_asker who;
	uint8_t query[64];
	size_t query_len;
	uint16_t type;
	bool require;
	struct {
		uint8_t b[MSG_MAX];
		size_t len;
	} own[OWN]; /* what was said to the client's own query */
	size_t own_num;
	unsigned replies;
	unsigned open; /* asks without DONE */
	uint32_t need;
};

static const struct addr sub6 = { .b = { 0xfd, 0, 0, 5, [15] = 5 } };

/* Not assert: optimised builds leave that out. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool is_looked_up(uint16_t type)
{
	return type == SCAN_A || type == SCAN_AAAA || type == SCAN_HTTPS ||
	       type == SCAN_SVCB || type == SCAN_ANY;
}

/* ---- the client --------------------------------------------------------------- */

static void make_query(struct fuzz *f, uint8_t how)
{
	static const uint8_t name[] = "\001h\001r";
	struct wr w = wr_init(f->query, sizeof(f->query));
	bool edns = how & 8;

	wr_be16(&w, ID);
	wr_be16(&w, SCAN_RD | (how & 32 ? SCAN_CD : 0));
	wr_be16(&w, 1);
	wr_be32(&w, 0);
	wr_be16(&w, edns);
	wr_put(&w, name, sizeof(name));
	wr_be16(&w, f->type);
	wr_be16(&w, SCAN_IN);
	if (edns) {
		wr_u8(&w, 0);
		wr_be16(&w, SCAN_OPT);
		wr_be16(&w, 1400);
		wr_be32(&w, how & 16 ? 0x8000 : 0);
		wr_be16(&w, 0);
	}
	f->query_len = wr_len(&w);
	must(!w.bad);
}

/* ---- replies ------------------------------------------------------------------ */

static bool is_the_servers(const struct fuzz *f, const struct dns_effect *e)
{
	for (size_t i = 0; i < f->own_num; i++) {
		if (f->own[i].len == e->msg_len && e->msg_len > 2 &&
		    memcmp(f->own[i].b + 2, e->msg + 2, e->msg_len - 2) == 0)
			return true;
	}
	return false;
}

/* Records of ours: the substitute, RFC 8482's HINFO, an SOA. */
static void check_record(const struct fuzz *f, const ldns_rr *rr)
{
	const uint8_t *octets;

	switch (ldns_rr_get_type(rr)) {
	case LDNS_RR_TYPE_AAAA:
		octets = ldns_rdf_data(ldns_rr_rdf(rr, 0));
		must(memcmp(octets, sub6.b, 16) == 0);
		must(f->type == SCAN_AAAA && f->need);
		break;
	case LDNS_RR_TYPE_HINFO:
		must(f->type == SCAN_ANY);
		break;
	case LDNS_RR_TYPE_SOA:
		break;
	default:
		must(false);
	}
}

static void check_ours(const struct fuzz *f, const struct dns_effect *e)
{
	ldns_pkt *pkt = NULL;
	ldns_rr_list *all;

	must(e->msg_len <= 1400);
	must(ldns_wire2pkt(&pkt, e->msg, e->msg_len) == LDNS_STATUS_OK);
	must(ldns_pkt_qr(pkt) && !ldns_pkt_tc(pkt) && !ldns_pkt_ad(pkt));
	must(ldns_pkt_qdcount(pkt) == 1);
	must(memcmp(e->msg + 12, f->query + 12, 9) == 0);
	all = ldns_pkt_all_noquestion(pkt);
	must(ldns_rr_list_rr_count(all) <= 1);
	for (size_t i = 0; i < ldns_rr_list_rr_count(all); i++)
		check_record(f, ldns_rr_list_rr(all, i));
	ldns_rr_list_deep_free(all);
	ldns_pkt_free(pkt);
}

static void check_reply(struct fuzz *f, const struct dns_effect *e)
{
	must(++f->replies == 1);
	must(e->msg_len >= SCAN_HEADER && get_be16(e->msg) == ID);
	if (!is_the_servers(f, e))
		check_ours(f, e);
	else
		must(!f->require || !is_looked_up(f->type));
	if (!f->need)
		must(!e->substituted);
}

/* ---- servers ------------------------------------------------------------------- */

static void note_own(struct fuzz *f, const struct dns_effect *e,
		     const uint8_t *msg, size_t len)
{
	if (f->own_num == OWN || e->msg_len != f->query_len ||
	    memcmp(e->msg + 2, f->query + 2, f->query_len - 2) != 0)
		return;
	memcpy(f->own[f->own_num].b, msg, len);
	f->own[f->own_num++].len = len;
}

/* The ask's own id and question, and what the input has behind them. */
static void answer(struct fuzz *f, const struct dns_effect *e, const uint8_t *p,
		   size_t len)
{
	uint8_t msg[MSG_MAX];
	size_t end = SCAN_HEADER;

	while (end < e->msg_len && e->msg[end])
		end += 1U + e->msg[end];
	end += 5;
	if (len < 8 || end > e->msg_len || len - 8 > sizeof(msg) - end)
		return;
	memcpy(msg, e->msg, end);
	msg[2] = p[0] | 0x80;
	msg[3] = p[1];
	memcpy(msg + 6, p + 2, 6);
	memcpy(msg + end, p + 8, len - 8);
	note_own(f, e, msg, end + len - 8);
	dns_answer(f->d, e->ask, &e->server, msg, end + len - 8, f->now);
}

struct asked {
	struct dns_effect e;
	uint8_t msg[300];
};

static void serve(struct fuzz *f, const struct asked *a)
{
	uint8_t fate = rd_u8(&f->r);
	size_t len = rd_be16(&f->r);
	const uint8_t *p;

	if (f->r.bad)
		return;
	if (len > rd_left(&f->r))
		len = rd_left(&f->r);
	p = rd_take(&f->r, len);
	switch (fate % FATE_NUM) {
	case FATE_ANSWER:
		answer(f, &a->e, p, len);
		break;
	case FATE_RAW:
		if (len <= MSG_MAX)
			note_own(f, &a->e, p, len);
		dns_answer(f->d, a->e.ask, &a->e.server, p, len, f->now);
		break;
	case FATE_FAIL:
		dns_ask_failed(f->d, a->e.ask, f->now);
		break;
	case FATE_REFUSE:
		dns_ask_refused(f->d, a->e.ask);
		break;
	default:
		break;
	}
}

/* Takes the effects; the asks among them, in their order, into list. */
static size_t drain(struct fuzz *f, struct asked *list, size_t cap)
{
	struct dns_effect e;
	size_t num = 0;

	while (dns_effect(f->d, &e)) {
		if (e.kind == DNS_ASK) {
			f->open++;
			must(e.msg_len <= sizeof(list[0].msg));
			if (num == cap)
				continue;
			list[num].e = e;
			memcpy(list[num].msg, e.msg, e.msg_len);
			list[num].e.msg = list[num].msg;
			num++;
		} else if (e.kind == DNS_ASK_DONE) {
			must(f->open-- > 0);
		} else if (e.kind == DNS_NEED_ADDRESS) {
			must(e.host->locators_num > 0);
			must(hit_is_orchid(e.host->hit.b));
			f->need = e.question;
		} else if (e.kind == DNS_REPLY) {
			check_reply(f, &e);
		}
	}
	return num;
}

static void turns(struct fuzz *f)
{
	struct asked list[16];
	uint32_t given = 0;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		size_t num = drain(f, list, 16);

		for (size_t i = 0; i < num; i++)
			serve(f, &list[i]);
		if (f->need != given) {
			given = f->need;
			dns_give(f->d, given, 0, &sub6, NULL, NULL, f->now);
			continue;
		}
		if (num == 0 && dns_deadline(f->d) != UINT64_MAX) {
			f->now = dns_deadline(f->d);
			dns_tick(f->d, f->now);
		}
	}
	(void)drain(f, list, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_rule rule = { .pattern = "*" };
	struct dns_config cfg = { .rules = &rule, .rules_num = 1 };
	static struct fuzz f;
	uint8_t how;

	if (sodium_init() < 0 || size < 2)
		return 0;
	memset(&f, 0, sizeof(f));
	f.r = rd_init(data, size);
	how = rd_u8(&f.r);
	f.type = types[rd_u8(&f.r) % (sizeof(types) / sizeof(types[0]))];
	rule.mode = (enum dns_mode)((how & 3) % DNS_MODE_NUM);
	f.require = rule.mode == DNS_REQUIRE;
	cfg.pool6.addr.b[0] = 0xfd;
	cfg.pool6.len = 64;
	cfg.questions_max = 64;
	if (dns_new(&cfg, &f.d))
		return 0;
	f.who.server.port = 53;
	f.who.tcp = how & 4;
	make_query(&f, how);
	/* Twice: what was kept must not change what may be said. */
	for (unsigned i = 0; i < 2; i++) {
		f.replies = 0;
		f.own_num = 0;
		f.need = 0;
		dns_query(f.d, &f.who, f.query, f.query_len, f.now);
		turns(&f);
		must(dns_pending(f.d) == 0 && f.open == 0);
	}
	dns_free(f.d);
	return 0;
}
