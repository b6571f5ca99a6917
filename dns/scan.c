/* SPDX-License-Identifier: MIT */
/* DNS messages as they come in: header, question, records (RFC 1035 4.1). */
#include "dns/scan.h"

#include <string.h>

unsigned scan_opcode(const struct scan_header *h)
{
	return (h->flags >> 11) & 15;
}

unsigned scan_rcode(const struct scan_header *h)
{
	return h->flags & 15;
}

void scan_header(struct rd *r, struct scan_header *out)
{
	out->id = rd_be16(r);
	out->flags = rd_be16(r);
	for (unsigned i = 0; i < 4; i++)
		out->count[i] = rd_be16(r);
}

void scan_question(struct rd *r, const uint8_t *msg, struct scan_question *out)
{
	dname_get(r, msg, &out->name);
	out->type = rd_be16(r);
	out->class = rd_be16(r);
}

void scan_rr(struct rd *r, const uint8_t *msg, struct scan_rr *out)
{
	dname_get(r, msg, &out->owner);
	out->type = rd_be16(r);
	out->class = rd_be16(r);
	out->ttl = rd_be32(r);
	/* RFC 2181 8; an OPT has flags there (RFC 6891 6.1.3) */
	if (out->ttl & 0x80000000 && out->type != SCAN_OPT)
		out->ttl = 0;
	out->rdlen = rd_be16(r);
	out->rdata = rd_take(r, out->rdlen);
}

#define OPTION_COOKIE 10

/* RFC 7873 5.2.2: eight octets, or sixteen to forty */
static int take_cookie(const uint8_t *data, uint16_t len, struct scan_edns *out)
{
	if (len != SCAN_COOKIE_CLIENT && (len < 16 || len > SCAN_COOKIE_MAX))
		return HG_EFORMAT;
	if (out->cookie_len) /* 5.2: the first one counts */
		return HG_OK;
	memcpy(out->cookie, data, len);
	out->cookie_len = (uint8_t)len;
	return HG_OK;
}

static int take_opt(const struct scan_rr *rr, struct scan_edns *out)
{
	struct rd r = rd_init(rr->rdata, rr->rdlen);

	/* RFC 6891 6.1.1: one OPT at most; 6.1.2: at the root */
	if (out->present || rr->owner.len != 1)
		return HG_EFORMAT;
	out->present = true;
	out->version = (uint8_t)(rr->ttl >> 16);
	out->dnssec_ok = rr->ttl & 0x8000;
	out->udp_size = rr->class;
	while (!r.bad && rd_left(&r)) {
		uint16_t code = rd_be16(&r);
		uint16_t len = rd_be16(&r);
		const uint8_t *data = rd_take(&r, len);

		if (!r.bad && code == OPTION_COOKIE &&
		    take_cookie(data, len, out))
			return HG_EFORMAT;
	}
	return r.bad ? HG_EFORMAT : HG_OK;
}

int scan_edns(struct rd *r, const uint8_t *msg, const struct scan_header *h,
	      struct scan_edns *out)
{
	struct scan_rr rr;

	memset(out, 0, sizeof(*out));
	for (unsigned section = 1; section < 4; section++) {
		for (unsigned i = 0; i < h->count[section]; i++) {
			scan_rr(r, msg, &rr);
			if (r->bad)
				return HG_EFORMAT;
			if (rr.type != SCAN_OPT)
				continue;
			if (section != 3 || take_opt(&rr, out))
				return HG_EFORMAT;
		}
	}
	return r->bad || rd_left(r) ? HG_EFORMAT : HG_OK;
}
