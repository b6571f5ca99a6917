/* SPDX-License-Identifier: MIT */
/* Our own reading as text: one function for each kind of parameter. */
/* THEORY OF OPERATION
 * Everything is read with hip/fields.h, the reader the engine uses, so that
 * a comparison of the text with another reader's compares the engine's. A
 * parameter that the getter refuses is left without fields and remembered
 * in `bad`: the test fails by that, too.
 */
#include "listing.h"

#include <inttypes.h>

#include "core/wire.h"
#include "hip/fields.h"
#include "hip/locset.h"

struct out {
	struct listing *l;
	char place[16]; /* "3" or "3.1" */
};

static void number(const struct out *o, const char *name, uint64_t v)
{
	(void)fprintf(o->l->file, "%u\t%s\t%s\t%" PRIu64 "\n", o->l->frame,
		      o->place, name, v);
}

static void octets(const struct out *o, const char *name, const uint8_t *p,
		   size_t len)
{
	(void)fprintf(o->l->file, "%u\t%s\t%s\t", o->l->frame, o->place, name);
	for (size_t i = 0; i < len; i++)
		(void)fprintf(o->l->file, "%02x", p[i]);
	(void)fputc('\n', o->l->file);
}

static void each_octet(const struct out *o, const char *name, const uint8_t *p,
		       size_t num)
{
	for (size_t i = 0; i < num; i++)
		number(o, name, p[i]);
}

static void each_id(const struct out *o, const char *name,
		    const struct field_ids *ids)
{
	for (size_t i = 0; i < ids->num; i++)
		number(o, name, ids->id[i]);
}

/* ---- one parameter: false when fields.h cannot read it ------------------ */

static bool show_esp_info(const struct out *o, const struct hip_param *p)
{
	struct field_esp_info f;

	if (!fields_get_esp_info(p, &f))
		return false;
	number(o, "keymat_index", f.keymat_index);
	number(o, "old_spi", f.old_spi);
	number(o, "new_spi", f.new_spi);
	return true;
}

static bool show_r1_counter(const struct out *o, const struct hip_param *p)
{
	struct field_r1_counter f;

	if (!fields_get_r1_counter(p, &f))
		return false;
	number(o, "reserved", f.reserved);
	number(o, "counter", f.counter);
	return true;
}

static bool show_puzzle(const struct out *o, const struct hip_param *p)
{
	struct field_puzzle f;

	if (!fields_get_puzzle(p, &f))
		return false;
	number(o, "k", f.k);
	number(o, "lifetime", f.lifetime);
	number(o, "opaque", f.opaque);
	octets(o, "i", f.i, f.i_len);
	return true;
}

static bool show_solution(const struct out *o, const struct hip_param *p)
{
	struct field_solution f;

	if (!fields_get_solution(p, &f))
		return false;
	number(o, "k", f.k);
	number(o, "opaque", f.opaque);
	octets(o, "i", f.i, f.i_len);
	octets(o, "j", f.j, f.i_len);
	return true;
}

static bool show_seq(const struct out *o, const struct hip_param *p)
{
	uint32_t id;

	if (!fields_get_seq(p, &id))
		return false;
	number(o, "id", id);
	return true;
}

static bool show_ack(const struct out *o, const struct hip_param *p)
{
	struct field_ack f;

	if (!fields_get_ack(p, &f))
		return false;
	for (size_t i = 0; i < f.num; i++)
		number(o, "id", f.id[i]);
	return true;
}

static bool show_dh(const struct out *o, const struct hip_param *p)
{
	struct field_dh f;

	if (!fields_get_dh(p, &f))
		return false;
	number(o, "group", f.group);
	number(o, "public_len", f.public_len);
	octets(o, "public", f.public, f.public_len);
	return true;
}

static bool show_cipher(const struct out *o, const struct hip_param *p)
{
	struct field_ids f;

	if (!fields_get_cipher(p, &f))
		return false;
	each_id(o, "cipher", &f);
	return true;
}

static bool show_transport(const struct out *o, const struct hip_param *p)
{
	struct field_ids f;

	if (!fields_get_transport(p, &f))
		return false;
	each_id(o, "format", &f);
	return true;
}

static bool show_esp_transform(const struct out *o, const struct hip_param *p)
{
	struct field_ids f;

	if (!fields_get_esp_transform(p, &f))
		return false;
	each_id(o, "suite", &f);
	return true;
}

static bool show_groups(const struct out *o, const struct hip_param *p)
{
	each_octet(o, "group", p->contents, p->len);
	return true;
}

static bool show_hit_suites(const struct out *o, const struct hip_param *p)
{
	each_octet(o, "hit_suite", p->contents, p->len);
	return true;
}

/* Behind 4 reserved octets: IV and ciphertext, as long as the cipher has
 * them. */
static bool show_encrypted(const struct out *o, const struct hip_param *p)
{
	octets(o, "data", p->contents + 4, p->len - 4u);
	return true;
}

static bool show_host_id(const struct out *o, const struct hip_param *p)
{
	struct field_host_id f;

	if (!fields_get_host_id(p, &f))
		return false;
	number(o, "hi_len", f.hi_len);
	number(o, "di_type", f.di_type);
	number(o, "di_len", f.di_len);
	number(o, "alg", f.alg);
	octets(o, "hi", f.hi, f.hi_len);
	octets(o, "di", f.di, f.di_len);
	return true;
}

static bool show_notification(const struct out *o, const struct hip_param *p)
{
	struct field_notification f;

	if (!fields_get_notification(p, &f))
		return false;
	number(o, "type", f.type);
	octets(o, "data", f.data, f.data_len);
	return true;
}

static bool show_signature(const struct out *o, const struct hip_param *p)
{
	struct field_signature f;

	if (!fields_get_signature(p, &f))
		return false;
	number(o, "alg", f.alg);
	octets(o, "sig", f.sig, f.sig_len);
	return true;
}

static bool show_reg_info(const struct out *o, const struct hip_param *p)
{
	struct field_reg_info f;

	if (!fields_get_reg_info(p, &f))
		return false;
	number(o, "min", f.min_lifetime);
	number(o, "max", f.max_lifetime);
	each_octet(o, "reg", f.types, f.types_num);
	return true;
}

static bool show_reg(const struct out *o, const struct hip_param *p)
{
	struct field_reg f;

	if (!fields_get_reg(p, &f))
		return false;
	number(o, p->id == PARAM_REG_FAILED ? "failure" : "lifetime", f.first);
	each_octet(o, "reg", f.types, f.types_num);
	return true;
}

static bool show_from(const struct out *o, const struct hip_param *p)
{
	struct addr a;

	if (!fields_get_from(p, &a))
		return false;
	octets(o, "address", a.b, sizeof(a.b));
	return true;
}

static bool show_via_rvs(const struct out *o, const struct hip_param *p)
{
	struct addr a;

	if (!fields_get_via_rvs(p, &a))
		return false;
	octets(o, "address", a.b, sizeof(a.b));
	return true;
}

static bool show_nat_modes(const struct out *o, const struct hip_param *p)
{
	struct field_ids f;

	if (!fields_get_nat_modes(p, &f))
		return false;
	each_id(o, "mode", &f);
	return true;
}

static bool show_number(const struct out *o, const struct hip_param *p)
{
	uint32_t n;

	if (!fields_get_number(p, &n))
		return false;
	number(o, "number", n);
	return true;
}

static void place(const struct out *o, const char *port_name,
		  const char *addr_name, const struct endpoint *at)
{
	number(o, port_name, at->port);
	octets(o, addr_name, at->addr.b, sizeof(at->addr.b));
}

static bool show_udp_at(const struct out *o, const struct hip_param *p)
{
	struct endpoint at;

	if (!fields_get_udp_at(p, &at))
		return false;
	place(o, "port", "address", &at);
	return true;
}

static bool show_permission(const struct out *o, const struct hip_param *p)
{
	struct field_permission f;

	if (!fields_get_permission(p, &f))
		return false;
	place(o, "relayed_port", "relayed", &f.relayed);
	place(o, "peer_port", "peer", &f.peer);
	number(o, "spi_out", f.spi_out);
	number(o, "spi_in", f.spi_in);
	return true;
}

static bool show_locators(const struct out *o, const struct hip_param *p)
{
	const struct locset_rules rules = { .barred = NULL };
	struct locset set;

	if (locset_read(p->contents, p->len, &rules, &set) != REASON_NUM)
		return false;
	for (size_t i = 0; i < set.num; i++) {
		const struct locator *l = &set.v[i];

		number(o, "preferred", l->preferred);
		number(o, "lifetime", l->lifetime_s);
		place(o, "port", "address", &l->at);
		number(o, "kind", l->kind);
		number(o, "priority", l->priority);
		number(o, "spi", l->spi);
	}
	if (set.server.port)
		place(o, "server_port", "server", &set.server);
	return true;
}

/* Without a structure of its own: ECHO_*, MACs. */
static bool show_octets(const struct out *o, const struct hip_param *p)
{
	octets(o, "octets", p->contents, p->len);
	return true;
}

static bool (*const show[PARAM_NUM])(const struct out *o,
				     const struct hip_param *p) = {
	[PARAM_ESP_INFO] = show_esp_info,
	[PARAM_R1_COUNTER] = show_r1_counter,
	[PARAM_PUZZLE] = show_puzzle,
	[PARAM_SOLUTION] = show_solution,
	[PARAM_SEQ] = show_seq,
	[PARAM_ACK] = show_ack,
	[PARAM_DH_GROUP_LIST] = show_groups,
	[PARAM_DIFFIE_HELLMAN] = show_dh,
	[PARAM_HIP_CIPHER] = show_cipher,
	[PARAM_ENCRYPTED] = show_encrypted,
	[PARAM_HOST_ID] = show_host_id,
	[PARAM_HIT_SUITE_LIST] = show_hit_suites,
	[PARAM_NOTIFICATION] = show_notification,
	[PARAM_REG_INFO] = show_reg_info,
	[PARAM_REG_REQUEST] = show_reg,
	[PARAM_REG_RESPONSE] = show_reg,
	[PARAM_REG_FAILED] = show_reg,
	[PARAM_TRANSPORT_FORMAT_LIST] = show_transport,
	[PARAM_ESP_TRANSFORM] = show_esp_transform,
	[PARAM_HIP_SIGNATURE_2] = show_signature,
	[PARAM_HIP_SIGNATURE] = show_signature,
	[PARAM_LOCATOR_SET] = show_locators,
	[PARAM_NAT_TRAVERSAL_MODE] = show_nat_modes,
	[PARAM_TRANSACTION_PACING] = show_number,
	[PARAM_REG_FROM] = show_udp_at,
	[PARAM_RELAYED_ADDRESS] = show_udp_at,
	[PARAM_MAPPED_ADDRESS] = show_udp_at,
	[PARAM_PEER_PERMISSION] = show_permission,
	[PARAM_CANDIDATE_PRIORITY] = show_number,
	[PARAM_NOMINATE] = show_number,
	[PARAM_RELAY_FROM] = show_udp_at,
	[PARAM_RELAY_TO] = show_udp_at,
	[PARAM_FROM] = show_from,
	[PARAM_VIA_RVS] = show_via_rvs,
};

static void one(const struct out *o, const struct hip_param *p)
{
	bool ok;

	number(o, "tlv", param_type(p->id));
	number(o, "len", p->len);
	ok = show[p->id] ? show[p->id](o, p) : show_octets(o, p);
	if (!ok && !o->l->bad)
		o->l->bad = param_name(p->id);
}

/* ---- a message ---------------------------------------------------------- */

void listing_ends(struct listing *l, const struct endpoint *from,
		  const struct endpoint *to)
{
	struct out o = { l, "0" };

	octets(&o, "from", from->addr.b, sizeof(from->addr.b));
	octets(&o, "to", to->addr.b, sizeof(to->addr.b));
	number(&o, "from_port", from->port);
	number(&o, "to_port", to->port);
}

void listing_message(struct listing *l, const struct hip_msg *m)
{
	struct out o = { l, "0" };

	number(&o, "next", m->raw[0]);
	number(&o, "length", m->raw[1]);
	number(&o, "fixed_0", m->raw[2] >> 7);
	number(&o, "type", m->type);
	number(&o, "version", m->raw[3] >> 4);
	number(&o, "fixed_1", m->raw[3] & 1);
	number(&o, "checksum", get_be16(m->raw + 4));
	number(&o, "controls", m->controls);
	octets(&o, "sender", m->sender.b, sizeof(m->sender.b));
	octets(&o, "receiver", m->receiver.b, sizeof(m->receiver.b));
	for (size_t i = 0; i < m->num; i++) {
		(void)snprintf(o.place, sizeof(o.place), "%zu", i + 1);
		one(&o, &m->params[i]);
	}
}

void listing_inner(struct listing *l, const struct hip_msg *inner, size_t at)
{
	struct out o = { .l = l };

	for (size_t i = 0; i < inner->num; i++) {
		(void)snprintf(o.place, sizeof(o.place), "%zu.%zu", at, i + 1);
		one(&o, &inner->params[i]);
	}
}
