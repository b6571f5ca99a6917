/* SPDX-License-Identifier: MIT */
/* A client's EDNS: what is read, and what is said in return. room: dns
 *
 * The input is what stands behind the question of a query, its first octet
 * the number of records there. What we take, ldns must read alike; an answer
 * to it must be a message to ldns, within the client's room, with the
 * client's cookie and our reason in it. */
#include <stdbool.h> /* before ldns, which makes one of its own */

#include <ldns/ldns.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/reply.h"
#include "dns/scan.h"

#define MSG_MAX 2048
#define TEXT "hipgate: a reason"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert: optimised builds leave that out. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

static size_t make(uint8_t msg[MSG_MAX], const uint8_t *data, size_t size)
{
	static const uint8_t question[] = "\001h\001r\000\000\034\000";
	struct wr w = wr_init(msg, MSG_MAX);

	wr_be16(&w, 0x4711);
	wr_be16(&w, SCAN_RD);
	wr_be16(&w, 1);
	wr_be32(&w, 0);
	wr_be16(&w, data[0] & 3);
	wr_put(&w, question, sizeof(question) - 1);
	wr_u8(&w, 1);
	wr_put(&w, data + 1, size - 1);
	return w.bad ? 0 : wr_len(&w);
}

/* Are there no records but OPT? */
static bool only_opt(struct rd r, const uint8_t *msg)
{
	struct scan_rr rr;

	while (rd_left(&r)) {
		scan_rr(&r, msg, &rr);
		if (r.bad || rr.type != SCAN_OPT)
			return false;
	}
	return true;
}

/* Another reader. Where there are other records ldns 1.8 is none: it goes on
 * behind the fields it knows of a type, not behind RDLENGTH, and loses the
 * first of two TSIGs. */
static void same_to_ldns(const uint8_t *msg, size_t len, struct rd records,
			 const struct scan_edns *e)
{
	ldns_pkt *pkt = NULL;

	if (!only_opt(records, msg) ||
	    ldns_wire2pkt(&pkt, msg, len) != LDNS_STATUS_OK)
		return;
	must(ldns_pkt_edns(pkt) == e->present);
	if (e->present) {
		must(ldns_pkt_edns_udp_size(pkt) == e->udp_size);
		must(ldns_pkt_edns_version(pkt) == e->version);
		must(ldns_pkt_edns_do(pkt) == e->dnssec_ok);
	}
	ldns_pkt_free(pkt);
}

static void cookie_is_kept(const struct rd *options, const struct scan_edns *e)
{
	struct rd r = *options;
	unsigned cookies = 0;
	unsigned reasons = 0;

	while (rd_left(&r)) {
		uint16_t code = rd_be16(&r);
		uint16_t len = rd_be16(&r);
		const uint8_t *v = rd_take(&r, len);

		must(!r.bad && (code == 10 || code == 15));
		if (code == 10) {
			cookies++;
			must(len == e->cookie_len &&
			     memcmp(v, e->cookie, len) == 0);
		} else {
			reasons++;
			must(len == 2 + strlen(TEXT) &&
			     memcmp(v + 2, TEXT, strlen(TEXT)) == 0);
		}
	}
	must(cookies == (e->cookie_len > 0) && reasons == 1);
}

static void answered(const struct scan_header *h, const struct scan_question *q,
		     const struct scan_edns *e)
{
	struct addr a = { .b = { 0xfd, [15] = 1 } };
	struct reply reply = {
		.header = h,
		.question = q,
		.edns = e,
		.kind = REPLY_ADDRESS,
		.ttl = 60,
		.room = e->udp_size > 512 ? e->udp_size : 512,
		.addr = &a,
		.ede = REPLY_EDE_FORGED,
		.ede_text = TEXT,
	};
	uint8_t out[REPLY_MAX];
	ldns_pkt *pkt = NULL;
	struct scan_rr rr;
	struct rd r;
	size_t len;

	must(reply_build(&reply, out, &len) == 0 && len <= reply.room);
	must(ldns_wire2pkt(&pkt, out, len) == LDNS_STATUS_OK);
	must(ldns_pkt_ancount(pkt) == 1);
	must(ldns_pkt_edns(pkt) == e->present);
	ldns_pkt_free(pkt);
	if (!e->present)
		return;
	r = rd_init(out, len);
	rd_skip(&r, SCAN_HEADER + q->name.len + 4);
	scan_rr(&r, out, &rr);
	scan_rr(&r, out, &rr);
	must(!r.bad && rd_left(&r) == 0 && rr.type == SCAN_OPT);
	must(((rr.ttl & 0x8000) != 0) == e->dnssec_ok);
	r = rd_init(rr.rdata, rr.rdlen);
	cookie_is_kept(&r, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t msg[MSG_MAX];
	size_t len = size ? make(msg, data, size) : 0;
	struct rd r = rd_init(msg, len);
	struct scan_question q;
	struct scan_header h;
	struct scan_edns e;
	struct rd records;

	if (len == 0 || sodium_init() < 0)
		return 0;
	scan_header(&r, &h);
	scan_question(&r, msg, &q);
	must(!r.bad);
	records = r;
	if (scan_edns(&r, msg, &h, &e))
		return 0;
	must(rd_left(&r) == 0);
	must(e.cookie_len == 0 || e.cookie_len == SCAN_COOKIE_CLIENT ||
	     (e.cookie_len >= 16 && e.cookie_len <= SCAN_COOKIE_MAX));
	same_to_ldns(msg, len, records, &e);
	answered(&h, &q, &e);
	return 0;
}
