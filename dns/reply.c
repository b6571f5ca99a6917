/* SPDX-License-Identifier: MIT */
/* The messages hipgate makes itself, by ldns (RFC 1035, 2308, 6891, 8914). */
#include "dns/reply.h"

#include <ldns/ldns.h>
#include <string.h>

#include "core/wire.h"

#define OPTION_COOKIE 10
#define OPTION_EDE 15

/* RFC 2308 3: the zone's timers mean nothing to a resolver but the last. */
#define SOA_REFRESH 3600
#define SOA_RETRY 1200
#define SOA_EXPIRE 604800

static ldns_rdf *rdf_name(const struct dname *n)
{
	return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, n->len, n->wire);
}

/* Gives rdf to rr; false when there is none. */
static bool push(ldns_rr *rr, ldns_rdf *rdf)
{
	if (!rdf)
		return false;
	if (ldns_rr_push_rdf(rr, rdf))
		return true;
	ldns_rdf_deep_free(rdf);
	return false;
}

static bool push_u32(ldns_rr *rr, uint32_t v)
{
	return push(rr, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, v));
}

/* RFC 8482 4.2: HINFO "RFC8482" "" */
static bool fill_hinfo(ldns_rr *rr)
{
	static const char text[] = "\007RFC8482";

	return push(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR,
					      sizeof(text) - 1, text)) &&
	       push(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, 1, ""));
}

/* The zone's real apex is unknown; the name itself is one that every
 * resolver accepts as covering the answer. */
static bool fill_soa(ldns_rr *rr, const struct reply *r)
{
	static const struct dname nobody = {
		.len = 16,
		.wire = "\006nobody\007invalid",
	};

	return push(rr, rdf_name(&r->question->name)) &&
	       push(rr, rdf_name(&nobody)) && push_u32(rr, 1) &&
	       push_u32(rr, SOA_REFRESH) && push_u32(rr, SOA_RETRY) &&
	       push_u32(rr, SOA_EXPIRE) && push_u32(rr, r->ttl);
}

static bool fill_address(ldns_rr *rr, const struct addr *a)
{
	if (addr_is4(a))
		return push(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_A, 4,
						      addr_four(a)));
	return push(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_AAAA, 16, a->b));
}

static ldns_rr_type record_type(const struct reply *r)
{
	switch (r->kind) {
	case REPLY_NODATA:
		return LDNS_RR_TYPE_SOA;
	case REPLY_MINIMAL:
		return LDNS_RR_TYPE_HINFO;
	case REPLY_PTR:
		return LDNS_RR_TYPE_PTR;
	case REPLY_HIP:
		return LDNS_RR_TYPE_HIP;
	default:
		return addr_is4(r->addr) ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA;
	}
}

static bool fill(ldns_rr *rr, const struct reply *r)
{
	switch (r->kind) {
	case REPLY_NODATA:
		return fill_soa(rr, r);
	case REPLY_MINIMAL:
		return fill_hinfo(rr);
	case REPLY_PTR:
		return push(rr, rdf_name(r->target));
	case REPLY_HIP: /* one field, for ldns does not look into it */
		return push(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_HIP,
						      r->rdlen, r->rdata));
	default:
		return fill_address(rr, r->addr);
	}
}

static bool add_record(ldns_pkt *pkt, const struct reply *r)
{
	ldns_pkt_section section = r->kind == REPLY_NODATA
					   ? LDNS_SECTION_AUTHORITY
					   : LDNS_SECTION_ANSWER;
	ldns_rdf *owner;
	ldns_rr *rr;

	if (r->kind == REPLY_EMPTY)
		return true;
	rr = ldns_rr_new();
	owner = rdf_name(&r->question->name);
	if (!rr || !owner)
		goto fail;
	ldns_rr_set_owner(rr, owner);
	owner = NULL;
	ldns_rr_set_type(rr, record_type(r));
	ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(rr, r->ttl);
	if (fill(rr, r) && ldns_pkt_push_rr(pkt, section, rr))
		return true;
fail:
	ldns_rdf_deep_free(owner);
	ldns_rr_free(rr);
	return false;
}

/* Pushes a copy of data. */
static bool push_option(ldns_edns_option_list *list, uint16_t code,
			const uint8_t *data, size_t len)
{
	uint8_t copy[2 + REPLY_TEXT_MAX];
	ldns_edns_option *option;

	memcpy(copy, data, len);
	option =
		ldns_edns_new_from_data((ldns_edns_option_code)code, len, copy);
	if (option && ldns_edns_option_list_push(list, option))
		return true;
	ldns_edns_deep_free(option);
	return false;
}

static bool push_ede(ldns_edns_option_list *list, const struct reply *r)
{
	uint8_t data[2 + REPLY_TEXT_MAX];
	size_t text_len = strnlen(r->ede_text, REPLY_TEXT_MAX);

	put_be16(data, (uint16_t)r->ede);
	memcpy(data + 2, r->ede_text, text_len);
	return push_option(list, OPTION_EDE, data, 2 + text_len);
}

static bool add_edns(ldns_pkt *pkt, const struct reply *r)
{
	const struct scan_edns *edns = r->edns;
	ldns_edns_option_list *list;

	/* RFC 6891 7: none to those who did not send one */
	if (!edns->present)
		return true;
	ldns_pkt_set_edns_udp_size(pkt, REPLY_UDP_SIZE);
	ldns_pkt_set_edns_do(pkt, edns->dnssec_ok);
	ldns_pkt_set_edns_extended_rcode(pkt, (uint8_t)(r->rcode >> 4));
	if (!r->ede_text && !edns->cookie_len)
		return true;
	list = ldns_edns_option_list_new();
	if (!list)
		return false;
	if ((edns->cookie_len && !push_option(list, OPTION_COOKIE, edns->cookie,
					      edns->cookie_len)) ||
	    (r->ede_text && !push_ede(list, r))) {
		ldns_edns_option_list_deep_free(list);
		return false;
	}
	ldns_pkt_set_edns_option_list(pkt, list);
	return true;
}

static ldns_rr *question_record(const struct dname *name, uint16_t type,
				uint16_t class)
{
	ldns_rr *rr = ldns_rr_new();
	ldns_rdf *owner = rdf_name(name);

	if (!rr || !owner) {
		ldns_rr_free(rr);
		ldns_rdf_deep_free(owner);
		return NULL;
	}
	ldns_rr_set_question(rr, true);
	ldns_rr_set_owner(rr, owner);
	ldns_rr_set_type(rr, (ldns_rr_type)type);
	ldns_rr_set_class(rr, (ldns_rr_class) class);
	return rr;
}

static bool add_question(ldns_pkt *pkt, const struct dname *name, uint16_t type,
			 uint16_t class)
{
	ldns_rr *rr = question_record(name, type, class);

	if (!rr || !ldns_pkt_push_rr(pkt, LDNS_SECTION_QUESTION, rr)) {
		ldns_rr_free(rr);
		return false;
	}
	return true;
}

static int finish(ldns_pkt *pkt, uint8_t out[REPLY_MAX], size_t *len)
{
	uint8_t *wire = NULL;
	size_t n = 0;

	if (ldns_pkt2wire(&wire, pkt, &n) != LDNS_STATUS_OK)
		return HG_ENOMEM;
	if (n > REPLY_MAX) {
		LDNS_FREE(wire);
		return HG_EFULL;
	}
	memcpy(out, wire, n);
	*len = n;
	LDNS_FREE(wire);
	return HG_OK;
}

static int build(const struct reply *r, bool cut, uint8_t out[REPLY_MAX],
		 size_t *len)
{
	const struct scan_question *q = r->question;
	ldns_pkt *pkt = ldns_pkt_new();
	int err = HG_ENOMEM;

	if (!pkt)
		return HG_ENOMEM;
	ldns_pkt_set_id(pkt, r->header->id);
	ldns_pkt_set_qr(pkt, true);
	ldns_pkt_set_ra(pkt, true);
	ldns_pkt_set_tc(pkt, cut);
	ldns_pkt_set_rd(pkt, r->header->flags & SCAN_RD);
	ldns_pkt_set_cd(pkt, r->header->flags & SCAN_CD);
	ldns_pkt_set_rcode(pkt, (uint8_t)(r->rcode & 15));
	if (add_question(pkt, &q->name, q->type, q->class) &&
	    add_record(pkt, r) && add_edns(pkt, r))
		err = finish(pkt, out, len);
	ldns_pkt_free(pkt);
	return err;
}

int reply_build(const struct reply *r, uint8_t out[REPLY_MAX], size_t *len)
{
	struct reply less = *r;
	int err = build(r, false, out, len);

	if (!err && r->room && *len > r->room && r->ede_text) {
		less.ede_text = NULL;
		err = build(&less, false, out, len);
	}
	if (!err && r->room && *len > r->room) {
		less.kind = REPLY_EMPTY;
		err = build(&less, true, out, len);
	}
	return err;
}

int reply_ask(const struct dname *name, uint16_t type, uint16_t id, bool edns,
	      uint8_t out[REPLY_MAX], size_t *len)
{
	ldns_pkt *pkt = ldns_pkt_new();
	int err = HG_ENOMEM;

	if (!pkt)
		return HG_ENOMEM;
	ldns_pkt_set_id(pkt, id);
	ldns_pkt_set_rd(pkt, true);
	if (edns)
		ldns_pkt_set_edns_udp_size(pkt, REPLY_UDP_SIZE);
	if (add_question(pkt, name, type, SCAN_IN))
		err = finish(pkt, out, len);
	ldns_pkt_free(pkt);
	return err;
}

void reply_header(const struct scan_header *query, unsigned rcode,
		  uint8_t out[SCAN_HEADER])
{
	memset(out, 0, SCAN_HEADER);
	put_be16(out, query->id);
	put_be16(out + 2,
		 (uint16_t)(SCAN_QR | (query->flags & 0x7900) | (rcode & 15)));
}

/* The OPT of a message whose records begin at r, as it stands there; NULL:
 * there is none that can be read. */
static const uint8_t *find_opt(struct rd r, const uint8_t *msg, size_t *len)
{
	size_t left = (size_t)get_be16(msg + 6) + get_be16(msg + 8) +
		      get_be16(msg + 10);

	for (; left > 0 && !r.bad; left--) {
		const uint8_t *at = r.p;
		struct scan_rr rr;

		scan_rr(&r, msg, &rr);
		if (r.bad || rr.type != SCAN_OPT || rr.owner.len != 1 ||
		    *at != 0)
			continue;
		*len = (size_t)(r.p - at);
		return at;
	}
	return NULL;
}

size_t dns_truncate(const uint8_t *msg, size_t len, uint8_t *out, size_t cap)
{
	struct rd r = rd_init(msg, len);
	const uint8_t *opt;
	size_t opt_len;
	size_t used;

	rd_skip(&r, SCAN_HEADER);
	while (!r.bad) {
		uint8_t label = rd_u8(&r);

		if (label > 63) /* a question is never compressed */
			return 0;
		if (!label)
			break;
		rd_skip(&r, label);
	}
	rd_skip(&r, 4);
	used = (size_t)(r.p - msg);
	if (r.bad || get_be16(msg + 4) != 1 || used > cap)
		return 0;
	memcpy(out, msg, used);
	out[2] |= SCAN_TC >> 8;
	memset(out + 6, 0, 6);
	opt = find_opt(r, msg, &opt_len);
	if (!opt || opt_len > cap - used)
		return used;
	memcpy(out + used, opt, opt_len);
	put_be16(out + 10, 1);
	return used + opt_len;
}
