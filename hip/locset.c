/* SPDX-License-Identifier: MIT */
/* LOCATOR_SET: reading, judging and writing it (8046 4, 5.3; 9028 5.7). */
/* THEORY OF OPERATION
 * A set is a list of entries with a head of eight octets each: traffic type,
 * locator type, length in words, P bit, lifetime. A table says what follows
 * for the three types: an address, behind an SPI (1), behind port, protocol,
 * kind, priority and SPI (2). Nothing of a set is used unless all of it can
 * be read and none of its addresses is one that cannot be a host's: a peer
 * that names a multicast group, or our own substitute addresses, has not
 * made a mistake that could be mended by leaving it out. Pure functions, any
 * thread.
 */
#include "hip/locset.h"

#include <string.h>

#include "core/wire.h"

#define PROTO_UDP 17
#define TRAFFIC_BOTH 0
#define TRAFFIC_HIP 1
#define TRAFFIC_MAX 2

/* What a locator type holds in front of its address; octets. */
struct type_row {
	uint8_t words; /* of all of it, in the entry's head */
	bool transport;
	bool spi;
};

static const struct type_row types[] = {
	{ 4, false, false },
	{ 5, false, true },
	{ 7, true, true },
};
#define TYPES (sizeof(types) / sizeof(types[0]))

/* One entry as it stands. */
struct entry {
	uint8_t traffic;
	uint8_t type;
	bool udp;
	struct locator l;
};

/* false: cut short, or of a length that is not its type's. */
static bool read_entry(struct rd *r, struct entry *out)
{
	const struct type_row *row;
	uint8_t words;
	struct rd body;

	memset(out, 0, sizeof(*out));
	out->traffic = rd_u8(r);
	out->type = rd_u8(r);
	words = rd_u8(r);
	out->l.preferred = rd_u8(r) & 1;
	out->l.lifetime_s = rd_be32(r);
	body = rd_init(rd_take(r, words * 4u), r->bad ? 0 : words * 4u);
	if (r->bad || out->traffic > TRAFFIC_MAX || !out->l.lifetime_s)
		return false; /* RFC 8046 4 */
	if (out->type >= TYPES)
		return true;
	row = &types[out->type];
	out->udp = true;
	if (row->transport) {
		out->l.at.port = rd_be16(&body);
		out->udp = rd_u8(&body) == PROTO_UDP;
		out->l.kind = rd_u8(&body);
		out->l.priority = rd_be32(&body);
	}
	if (row->spi)
		out->l.spi = rd_be32(&body);
	rd_copy(&body, out->l.at.addr.b, sizeof(out->l.at.addr.b));
	return words == row->words && !body.bad &&
	       !(row->transport && out->udp && !out->l.at.port);
}

static enum reason judge(const struct addr *a, const struct locset_rules *rules)
{
	if (addr_is_unusable(a)) /* RFC 8046 5.3 */
		return REASON_HIP_LOCATOR_ADDR;
	for (size_t i = 0; i < rules->barred_num; i++) {
		if (prefix_has(&rules->barred[i], a))
			return REASON_HIP_LOCATOR_BARRED;
	}
	return REASON_NUM;
}

bool locset_place_ok(const struct addr *a, const struct locset_rules *rules)
{
	return judge(a, rules) == REASON_NUM && !addr_is_linklocal(a);
}

static void keep(struct locset *out, const struct locator *l)
{
	size_t at = out->num;

	for (size_t i = 0; i < out->num; i++) {
		if (endpoint_eq(&out->v[i].at, &l->at))
			return;
	}
	/* The first one preferred leads, and does not fall off the end. */
	if (l->preferred && !(out->num && out->v[0].preferred))
		at = 0;
	if (at == HIP_LOCATORS_MAX)
		return;
	if (out->num == HIP_LOCATORS_MAX)
		out->num--;
	memmove(&out->v[at + 1], &out->v[at],
		(out->num - at) * sizeof(out->v[0]));
	out->v[at] = *l;
	out->num++;
}

/* An entry that can be read, by its address. */
static enum reason take(struct locset *out, const struct entry *e,
			const struct locset_rules *rules)
{
	enum reason r;

	if (e->type >= TYPES || !e->udp) {
		out->unsupported = out->unsupported || e->l.preferred;
		return REASON_NUM;
	}
	r = judge(&e->l.at.addr, rules);
	if (r != REASON_NUM || addr_is_linklocal(&e->l.at.addr))
		return r;
	if (e->traffic == TRAFFIC_BOTH)
		keep(out, &e->l);
	else if (e->traffic == TRAFFIC_HIP && !out->server.port)
		out->server = e->l.at;
	return r;
}

enum reason locset_read(const uint8_t *contents, size_t len,
			const struct locset_rules *rules, struct locset *out)
{
	struct rd r = rd_init(contents, len);
	enum reason why;
	struct entry e;
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	for (; rd_left(&r); n++) {
		if (n == LOCSET_LOOK_MAX)
			return REASON_HIP_LOCATOR_MANY;
		if (!read_entry(&r, &e))
			return REASON_HIP_LOCATOR;
		why = take(out, &e, rules);
		if (why != REASON_NUM)
			return why;
	}
	return n && !out->num ? REASON_HIP_LOCATOR_TYPE : REASON_NUM;
}

static unsigned type_for(const struct locator *l)
{
	if (l->priority || (l->at.port && l->at.port != HIP_PORT))
		return 2;
	return l->spi ? 1 : 0;
}

static void put_entry(struct wr *w, const struct locator *l, uint8_t traffic,
		      uint32_t priority)
{
	unsigned type = type_for(l);

	wr_u8(w, traffic);
	wr_u8(w, (uint8_t)type);
	wr_u8(w, types[type].words);
	wr_u8(w, l->preferred);
	wr_be32(w, l->lifetime_s);
	if (types[type].transport) {
		wr_be16(w, l->at.port);
		wr_u8(w, PROTO_UDP);
		wr_u8(w, l->kind);
		wr_be32(w, priority);
	}
	if (types[type].spi)
		wr_be32(w, l->spi);
	wr_put(w, l->at.addr.b, sizeof(l->at.addr.b));
}

void locset_put(struct msg_builder *b, const struct locset *set)
{
	const struct locator server = { .at = set->server,
					.lifetime_s = LOCSET_FOREVER,
					.priority = 1 };
	size_t len = set->server.port ? 8 + types[2].words * 4u : 0;
	uint8_t *p;
	struct wr w;

	for (size_t i = 0; i < set->num; i++)
		len += 8 + types[type_for(&set->v[i])].words * 4u;
	p = message_reserve(b, PARAM_LOCATOR_SET, len);
	w = wr_init(p, p ? len : 0);
	for (size_t i = 0; p && i < set->num; i++) {
		const struct locator *l = &set->v[i];

		put_entry(&w, l, TRAFFIC_BOTH,
			  l->priority ? l->priority
				      : (uint32_t)(HIP_LOCATORS_MAX - i));
	}
	if (p && set->server.port)
		put_entry(&w, &server, TRAFFIC_HIP, server.priority);
}
