/* SPDX-License-Identifier: MIT */
/* The contents of single parameters; contracts in fields.h. */
#include "hip/fields.h"

#include <assert.h>
#include <string.h>

#include "core/wire.h"

/* A cursor over a parameter's contents. */
static struct rd contents_of(const struct hip_param *p)
{
	return rd_init(p->contents, p->len);
}

/* All that is left, borrowed. */
static const uint8_t *rest(struct rd *r, size_t *len)
{
	*len = rd_left(r);
	return rd_take(r, *len);
}

/* A cursor to fill a new parameter of len octets; bad when it does not fit
 * (the builder is bad then, too). */
static struct wr contents_for(struct msg_builder *b, enum param id, size_t len)
{
	uint8_t *p = message_reserve(b, id, len);
	struct wr w = wr_init(p, p ? len : 0);

	w.bad = !p;
	return w;
}

bool fields_get_esp_info(const struct hip_param *p, struct field_esp_info *out)
{
	struct rd r = contents_of(p);

	rd_skip(&r, 2);
	out->keymat_index = rd_be16(&r);
	out->old_spi = rd_be32(&r);
	out->new_spi = rd_be32(&r);
	return !r.bad;
}

void fields_put_esp_info(struct msg_builder *b, const struct field_esp_info *f)
{
	struct wr w = contents_for(b, PARAM_ESP_INFO, 12);

	wr_zero(&w, 2);
	wr_be16(&w, f->keymat_index);
	wr_be32(&w, f->old_spi);
	wr_be32(&w, f->new_spi);
}

bool fields_get_r1_counter(const struct hip_param *p,
			   struct field_r1_counter *out)
{
	struct rd r = contents_of(p);

	out->reserved = rd_be32(&r);
	out->counter = rd_be64(&r);
	return !r.bad;
}

void fields_put_r1_counter(struct msg_builder *b,
			   const struct field_r1_counter *f)
{
	struct wr w = contents_for(b, PARAM_R1_COUNTER, 12);

	wr_be32(&w, f->reserved);
	wr_be64(&w, f->counter);
}

bool fields_get_puzzle(const struct hip_param *p, struct field_puzzle *out)
{
	struct rd r = contents_of(p);

	out->k = rd_u8(&r);
	out->lifetime = rd_u8(&r);
	out->opaque = rd_be16(&r);
	out->i = rest(&r, &out->i_len);
	return !r.bad;
}

void fields_put_puzzle(struct msg_builder *b, const struct field_puzzle *f)
{
	struct wr w = contents_for(b, PARAM_PUZZLE, 4 + f->i_len);

	wr_u8(&w, f->k);
	wr_u8(&w, f->lifetime);
	wr_be16(&w, f->opaque);
	wr_put(&w, f->i, f->i_len);
}

bool fields_get_solution(const struct hip_param *p, struct field_solution *out)
{
	struct rd r = contents_of(p);

	out->k = rd_u8(&r);
	rd_skip(&r, 1);
	out->opaque = rd_be16(&r);
	out->i_len = rd_left(&r) / 2;
	out->i = rd_take(&r, out->i_len);
	out->j = rd_take(&r, out->i_len);
	return !r.bad && rd_left(&r) == 0;
}

void fields_put_solution(struct msg_builder *b, const struct field_solution *f)
{
	struct wr w = contents_for(b, PARAM_SOLUTION, 4 + 2 * f->i_len);

	wr_u8(&w, f->k);
	wr_u8(&w, 0);
	wr_be16(&w, f->opaque);
	wr_put(&w, f->i, f->i_len);
	wr_put(&w, f->j, f->i_len);
}

bool fields_get_seq(const struct hip_param *p, uint32_t *out)
{
	struct rd r = contents_of(p);

	*out = rd_be32(&r);
	return !r.bad;
}

void fields_put_seq(struct msg_builder *b, uint32_t id)
{
	struct wr w = contents_for(b, PARAM_SEQ, 4);

	wr_be32(&w, id);
}

bool fields_get_ack(const struct hip_param *p, struct field_ack *out)
{
	struct rd r = contents_of(p);

	out->num = 0;
	while (rd_left(&r) > 0 && out->num < FIELDS_ACK_MAX)
		out->id[out->num++] = rd_be32(&r);
	return !r.bad;
}

bool fields_has_ack(const struct hip_param *p, uint32_t id)
{
	struct rd r = contents_of(p);

	while (rd_left(&r) > 0) {
		if (rd_be32(&r) == id && !r.bad)
			return true;
	}
	return false;
}

void fields_put_ack(struct msg_builder *b, const struct field_ack *f)
{
	struct wr w = contents_for(b, PARAM_ACK, 4 * f->num);

	for (size_t i = 0; i < f->num; i++)
		wr_be32(&w, f->id[i]);
}

bool fields_get_dh(const struct hip_param *p, struct field_dh *out)
{
	struct rd r = contents_of(p);

	out->group = rd_u8(&r);
	out->public_len = rd_be16(&r);
	out->public = rd_take(&r, out->public_len);
	return !r.bad && rd_left(&r) == 0 && out->public_len > 0;
}

void fields_put_dh(struct msg_builder *b, const struct field_dh *f)
{
	struct wr w = contents_for(b, PARAM_DIFFIE_HELLMAN, 3 + f->public_len);

	wr_u8(&w, f->group);
	wr_be16(&w, (uint16_t)f->public_len);
	wr_put(&w, f->public, f->public_len);
}

bool fields_ids_has(const struct field_ids *f, uint16_t id)
{
	for (size_t i = 0; i < f->num; i++)
		if (f->id[i] == id)
			return true;
	return false;
}

/* The first six ids; further ones are dropped. RFC 7401 5.2.8, 7402 5.1.2 */
static bool read_ids(struct rd *r, struct field_ids *out)
{
	out->num = 0;
	while (rd_left(r) > 0 && out->num < FIELDS_IDS_MAX)
		out->id[out->num++] = rd_be16(r);
	return !r->bad && out->num > 0;
}

static void write_ids(struct wr *w, const struct field_ids *f)
{
	assert(f->num <= FIELDS_IDS_MAX); /* RFC 7401 5.2.8, 7402 5.1.2 */
	for (size_t i = 0; i < f->num; i++)
		wr_be16(w, f->id[i]);
}

bool fields_get_cipher(const struct hip_param *p, struct field_ids *out)
{
	struct rd r = contents_of(p);

	return read_ids(&r, out);
}

void fields_put_cipher(struct msg_builder *b, const struct field_ids *f)
{
	struct wr w = contents_for(b, PARAM_HIP_CIPHER, 2 * f->num);

	write_ids(&w, f);
}

bool fields_get_transport(const struct hip_param *p, struct field_ids *out)
{
	struct rd r = contents_of(p);

	return read_ids(&r, out);
}

bool fields_has_transport(const struct hip_param *p, uint16_t id)
{
	for (size_t i = 0; i + 2 <= p->len; i += 2)
		if (get_be16(p->contents + i) == id)
			return true;
	return false;
}

void fields_put_transport(struct msg_builder *b, const struct field_ids *f)
{
	struct wr w = contents_for(b, PARAM_TRANSPORT_FORMAT_LIST, 2 * f->num);

	write_ids(&w, f);
}

bool fields_get_esp_transform(const struct hip_param *p, struct field_ids *out)
{
	struct rd r = contents_of(p);

	rd_skip(&r, 2);
	return read_ids(&r, out);
}

void fields_put_esp_transform(struct msg_builder *b, const struct field_ids *f)
{
	struct wr w = contents_for(b, PARAM_ESP_TRANSFORM, 2 + 2 * f->num);

	wr_zero(&w, 2);
	write_ids(&w, f);
}

bool fields_read_host_id(const uint8_t *contents, size_t len,
			 struct field_host_id *out)
{
	struct rd r = rd_init(contents, len);
	uint16_t di;

	out->hi_len = rd_be16(&r);
	di = rd_be16(&r);
	out->di_type = (uint8_t)(di >> 12);
	out->di_len = di & 0x0fff;
	out->alg = rd_be16(&r);
	out->hi = rd_take(&r, out->hi_len);
	out->di = rd_take(&r, out->di_len);
	return !r.bad && rd_left(&r) == 0 && out->hi_len > 0;
}

bool fields_get_host_id(const struct hip_param *p, struct field_host_id *out)
{
	return fields_read_host_id(p->contents, p->len, out);
}

void fields_put_host_id(struct msg_builder *b, const struct field_host_id *f)
{
	struct wr w = contents_for(b, PARAM_HOST_ID, 6 + f->hi_len + f->di_len);

	assert(f->di_len <= 0x0fff && f->di_type <= 0x0f);
	wr_be16(&w, (uint16_t)f->hi_len);
	wr_be16(&w, (uint16_t)(f->di_type << 12 | f->di_len));
	wr_be16(&w, f->alg);
	wr_put(&w, f->hi, f->hi_len);
	wr_put(&w, f->di, f->di_len);
}

bool fields_hit_suites_ok(const struct hip_param *p)
{
	for (size_t i = 0; i < p->len; i++)
		if (p->contents[i] & 0x0f) /* RFC 7401 5.2.10 */
			return false;
	return true;
}

bool fields_has_hit_suite(const struct hip_param *p, unsigned suite)
{
	for (size_t i = 0; i < p->len; i++)
		if (p->contents[i] == suite << 4)
			return true;
	return false;
}

uint16_t fields_hit_suites(const struct hip_param *p)
{
	uint16_t bits = 0;

	for (unsigned suite = 1; suite < 16; suite++)
		if (fields_has_hit_suite(p, suite))
			bits |= (uint16_t)(1u << suite);
	return bits;
}

bool fields_get_notification(const struct hip_param *p,
			     struct field_notification *out)
{
	struct rd r = contents_of(p);

	rd_skip(&r, 2);
	out->type = rd_be16(&r);
	out->data = rest(&r, &out->data_len);
	return !r.bad;
}

void fields_put_notification(struct msg_builder *b,
			     const struct field_notification *f)
{
	struct wr w = contents_for(b, PARAM_NOTIFICATION, 4 + f->data_len);

	wr_zero(&w, 2);
	wr_be16(&w, f->type);
	wr_put(&w, f->data, f->data_len);
}

bool fields_get_signature(const struct hip_param *p,
			  struct field_signature *out)
{
	struct rd r = contents_of(p);

	out->alg = rd_be16(&r);
	out->sig = rest(&r, &out->sig_len);
	return !r.bad;
}

void fields_put_signature(struct msg_builder *b, enum param id,
			  const struct field_signature *f)
{
	struct wr w = contents_for(b, id, 2 + f->sig_len);

	assert(id == PARAM_HIP_SIGNATURE || id == PARAM_HIP_SIGNATURE_2);
	wr_be16(&w, f->alg);
	wr_put(&w, f->sig, f->sig_len);
}

void fields_put_echo(struct msg_builder *b, const struct hip_msg *m,
		     enum param request, enum param response)
{
	const struct hip_param *p = param_find(m, request);

	for (; p; p = param_next(m, p))
		message_put(b, response, p->contents, p->len);
}

bool fields_get_reg_info(const struct hip_param *p, struct field_reg_info *out)
{
	struct rd r = contents_of(p);

	out->min_lifetime = rd_u8(&r);
	out->max_lifetime = rd_u8(&r);
	out->types = rest(&r, &out->types_num);
	return !r.bad;
}

uint8_t fields_reg_services(const struct field_reg_info *f)
{
	uint8_t bits = 0;

	for (size_t i = 0; i < f->types_num; i++) {
		if (f->types[i] >= FIELDS_REG_RENDEZVOUS &&
		    f->types[i] <= FIELDS_REG_RELAY_UDP_ESP)
			bits |= (uint8_t)(1u << f->types[i]);
	}
	return bits;
}

void fields_put_reg_info(struct msg_builder *b, const struct field_reg_info *f)
{
	struct wr w = contents_for(b, PARAM_REG_INFO, 2 + f->types_num);

	wr_u8(&w, f->min_lifetime);
	wr_u8(&w, f->max_lifetime);
	wr_put(&w, f->types, f->types_num);
}

bool fields_get_reg(const struct hip_param *p, struct field_reg *out)
{
	struct rd r = contents_of(p);

	out->first = rd_u8(&r);
	out->types = rest(&r, &out->types_num);
	return !r.bad;
}

void fields_put_reg(struct msg_builder *b, enum param id,
		    const struct field_reg *f)
{
	struct wr w = contents_for(b, id, 1 + f->types_num);

	assert(id == PARAM_REG_REQUEST || id == PARAM_REG_RESPONSE ||
	       id == PARAM_REG_FAILED);
	wr_u8(&w, f->first);
	wr_put(&w, f->types, f->types_num);
}

uint64_t fields_lifetime_ms(uint8_t coded)
{
	/* 2^(n/8) * 2^32, rounded. */
	static const uint64_t eighths[8] = {
		4294967296, 4683695048, 5107605667, 5569883475,
		6074001000, 6623745059, 7223245206, 7877004752,
	};

	if (coded == 0)
		return 0; /* RFC 8003 5: cancel */
	/* The whole power of two is (coded >> 3) - 8; the product is below
	 * 2^43, so nothing is lost at the top. */
	return (eighths[coded & 7] * 1000) >> (40 - (coded >> 3));
}

uint8_t fields_lifetime_code(uint32_t s)
{
	uint8_t code = 255;

	if (s == 0)
		return 0;
	while (code > 64 && fields_lifetime_ms(code) > (uint64_t)s * 1000)
		code--;
	return code;
}

bool fields_get_from(const struct hip_param *p, struct addr *out)
{
	struct rd r = contents_of(p);

	rd_copy(&r, out->b, sizeof(out->b));
	return !r.bad;
}

void fields_put_from(struct msg_builder *b, const struct addr *a)
{
	message_put(b, PARAM_FROM, a->b, sizeof(a->b));
}

bool fields_get_via_rvs(const struct hip_param *p, struct addr *out)
{
	struct rd r = contents_of(p);

	rd_copy(&r, out->b, sizeof(out->b));
	return !r.bad;
}

void fields_put_via_rvs(struct msg_builder *b, const struct addr *a)
{
	message_put(b, PARAM_VIA_RVS, a->b, sizeof(a->b));
}

bool fields_get_nat_modes(const struct hip_param *p, struct field_ids *out)
{
	struct rd r = contents_of(p);

	rd_skip(&r, 2);
	return read_ids(&r, out); /* RFC 9028 5.4: further ones are dropped */
}

void fields_put_nat_modes(struct msg_builder *b, const struct field_ids *f)
{
	struct wr w = contents_for(b, PARAM_NAT_TRAVERSAL_MODE, 2 + 2 * f->num);

	wr_zero(&w, 2);
	write_ids(&w, f);
}

bool fields_get_number(const struct hip_param *p, uint32_t *out)
{
	struct rd r = contents_of(p);

	*out = rd_be32(&r);
	return !r.bad;
}

void fields_put_number(struct msg_builder *b, enum param id, uint32_t n)
{
	struct wr w = contents_for(b, id, 4);

	wr_be32(&w, n);
}

#define PROTO_UDP 17

bool fields_get_udp_at(const struct hip_param *p, struct endpoint *out)
{
	struct rd r = contents_of(p);
	uint8_t proto;

	out->port = rd_be16(&r);
	proto = rd_u8(&r);
	rd_skip(&r, 1);
	rd_copy(&r, out->addr.b, sizeof(out->addr.b));
	return !r.bad && proto == PROTO_UDP && out->port != 0;
}

void fields_put_udp_at(struct msg_builder *b, enum param id,
		       const struct endpoint *at)
{
	struct wr w = contents_for(b, id, 20);

	assert(id == PARAM_REG_FROM || id == PARAM_RELAY_FROM ||
	       id == PARAM_RELAY_TO || id == PARAM_RELAYED_ADDRESS ||
	       id == PARAM_MAPPED_ADDRESS);
	wr_be16(&w, at->port);
	wr_u8(&w, PROTO_UDP);
	wr_zero(&w, 1);
	wr_put(&w, at->addr.b, sizeof(at->addr.b));
}

#define SPI_RESERVED 255 /* RFC 4303 2.1: and below */

bool fields_get_permission(const struct hip_param *p,
			   struct field_permission *out)
{
	struct rd r = contents_of(p);
	uint8_t proto;

	out->relayed.port = rd_be16(&r);
	out->peer.port = rd_be16(&r);
	proto = rd_u8(&r);
	rd_skip(&r, 3);
	rd_copy(&r, out->relayed.addr.b, sizeof(out->relayed.addr.b));
	rd_copy(&r, out->peer.addr.b, sizeof(out->peer.addr.b));
	out->spi_out = rd_be32(&r);
	out->spi_in = rd_be32(&r);
	return !r.bad && proto == PROTO_UDP && out->relayed.port &&
	       out->peer.port && out->spi_out > SPI_RESERVED &&
	       out->spi_in > SPI_RESERVED;
}

void fields_put_permission(struct msg_builder *b,
			   const struct field_permission *f)
{
	struct wr w = contents_for(b, PARAM_PEER_PERMISSION, 48);

	wr_be16(&w, f->relayed.port);
	wr_be16(&w, f->peer.port);
	wr_u8(&w, PROTO_UDP);
	wr_zero(&w, 3);
	wr_put(&w, f->relayed.addr.b, sizeof(f->relayed.addr.b));
	wr_put(&w, f->peer.addr.b, sizeof(f->peer.addr.b));
	wr_be32(&w, f->spi_out);
	wr_be32(&w, f->spi_in);
}
