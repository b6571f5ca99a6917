/* SPDX-License-Identifier: MIT */
/* The parameter table and the message parser (7401 5.1, 5.2.1). */
#include "hip/param.h"

#include <assert.h>
#include <string.h>

#include "core/wire.h"

/* A row of PARAM_TABLE. */
struct row {
	uint16_t type;
	uint16_t min;
	uint16_t max;
	uint16_t unit;
	bool multi;
	uint8_t in;
	const char *name;
};

static const struct row rows[PARAM_NUM] = {
#define PARAM_ROW(name, type, min, max, unit, multi, in)                       \
	{ type, min, max, unit, multi, (uint8_t)(in), #name },
	PARAM_TABLE(PARAM_ROW)
#undef PARAM_ROW
};

/* param_has_all's mask is one word. */
static_assert(PARAM_NUM <= 64, "PARAM_BIT needs a wider word");

/* Version in the fourth octet; reserved and fixed bits are ignored on
 * receipt (7401 5.1). */
#define VERSION 2
#define HEADER_LEN_MIN 4

uint16_t param_type(enum param id)
{
	return rows[id].type;
}

const char *param_name(enum param id)
{
	return rows[id].name;
}

size_t param_tlv_len(size_t len)
{
	return 11 + len - (len + 3) % 8; /* RFC 7401 5.2.1 */
}

/* The row of a type number, or PARAM_NUM. */
static enum param row_find(uint16_t type)
{
	size_t lo = 0;
	size_t hi = PARAM_NUM;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (rows[mid].type == type)
			return (enum param)mid;
		if (rows[mid].type < type)
			lo = mid + 1;
		else
			hi = mid;
	}
	return PARAM_NUM;
}

/* The packet's bit in the table's column `in`; 0: unknown packet type. */
static uint8_t packet_bit(uint8_t type)
{
	static const uint8_t bits[] = {
		[HIP_I1] = PARAM_IN_I1,
		[HIP_R1] = PARAM_IN_R1,
		[HIP_I2] = PARAM_IN_I2,
		[HIP_R2] = PARAM_IN_R2,
		[HIP_UPDATE] = PARAM_IN_UPDATE,
		[HIP_NOTIFY] = PARAM_IN_NOTIFY,
		[HIP_CLOSE] = PARAM_IN_CLOSE,
		[HIP_CLOSE_ACK] = PARAM_IN_CLOSE_ACK,
	};

	return type < sizeof(bits) ? bits[type] : 0;
}

static bool len_fits(const struct row *row, uint16_t len)
{
	return len >= row->min && len <= row->max &&
	       (len - row->min) % row->unit == 0;
}

/* Takes one TLV of known or unknown type into the index. */
static enum reason take_param(struct hip_msg *m, uint16_t type,
			      const struct hip_param *tlv)
{
	enum param id = row_find(type);
	bool critical = type & 1; /* RFC 7401 5.2.1 */
	const struct row *row;

	if (id == PARAM_NUM)
		return critical ? REASON_HIP_CRITICAL : REASON_NUM;
	row = &rows[id];
	if (!len_fits(row, tlv->len))
		return REASON_HIP_TLV;
	if (!(row->in & packet_bit(m->type)))
		return critical ? REASON_HIP_TLV : REASON_NUM;
	if (!row->multi && m->num && m->params[m->num - 1].id == id)
		return REASON_HIP_TLV;
	m->params[m->num] = *tlv;
	m->params[m->num].id = id;
	m->num++;
	return REASON_NUM;
}

/* Reads the next TLV's frame; r->bad when it does not fit. The last padding
 * may be cut only inside ENCRYPTED, never here. */
static uint16_t read_tlv(struct rd *r, const uint8_t *start,
			 struct hip_param *out)
{
	uint16_t type;

	out->offset = (uint16_t)(r->p - start);
	type = rd_be16(r);
	out->len = rd_be16(r);
	out->contents = rd_take(r, out->len);
	rd_skip(r, param_tlv_len(out->len) - PARAM_TLV_LEN - out->len);
	return type;
}

/* The TLVs of r into m. lenient: the first frame that does not fit or is
 * out of order ends the walk instead of failing it. */
static enum reason walk(struct rd *r, const uint8_t *start, bool lenient,
			struct hip_msg *m)
{
	uint16_t last = 0;
	size_t seen = 0;

	while (rd_left(r) > 0) {
		struct hip_param tlv;
		uint16_t type = read_tlv(r, start, &tlv);
		enum reason why;

		if (r->bad || type < last) /* RFC 7401 5.2.1 */
			return lenient ? REASON_NUM : REASON_HIP_TLV;
		if (seen++ == PARAM_MAX_NUM)
			return REASON_HIP_TLV;
		why = take_param(m, type, &tlv);
		if (why != REASON_NUM)
			return why;
		last = type;
	}
	return REASON_NUM;
}

static enum reason check_frame(const uint8_t *msg, size_t len, size_t *total)
{
	if (len < PARAM_HEADER_LEN)
		return REASON_HIP_TRUNCATED;
	if (msg[3] >> 4 != VERSION) /* RFC 7401 5.1 */
		return REASON_HIP_VERSION;
	if (msg[1] < HEADER_LEN_MIN) /* RFC 7401 5.1 */
		return REASON_HIP_HEADER;
	*total = ((size_t)msg[1] + 1) * 8;
	if (*total > len)
		return REASON_HIP_TRUNCATED;
	/* 59 says nothing follows; any other value is not implemented, and
	 * what trails is ignored. RFC 7401 5.1 */
	if (msg[0] == 59 && len > *total)
		return REASON_HIP_HEADER;
	if (get_be16(msg + 4) != 0) /* RFC 9028 5.1 */
		return REASON_HIP_CHECKSUM;
	if (!packet_bit(msg[2] & 0x7f)) /* RFC 7401 5.1 */
		return REASON_HIP_TYPE;
	return REASON_NUM;
}

enum reason param_parse(const uint8_t *msg, size_t len, struct hip_msg *out)
{
	size_t total;
	struct rd r;
	enum reason why = check_frame(msg, len, &total);

	if (why != REASON_NUM)
		return why;
	r = rd_init(msg, total);
	out->raw = msg;
	out->len = total;
	rd_skip(&r, 2);
	out->type = rd_u8(&r) & 0x7f;
	rd_skip(&r, 3);
	out->controls = rd_be16(&r);
	rd_copy(&r, out->sender.b, sizeof(out->sender.b));
	rd_copy(&r, out->receiver.b, sizeof(out->receiver.b));
	out->num = 0;
	return walk(&r, msg, false, out);
}

enum reason param_parse_inner(const uint8_t *plain, size_t len, uint8_t type,
			      struct hip_msg *out)
{
	struct rd r = rd_init(plain, len);

	out->raw = plain;
	out->len = len;
	out->type = type;
	out->controls = 0;
	out->sender = hit_null;
	out->receiver = hit_null;
	out->num = 0;
	if (len > HIP_MSG_MAX || !packet_bit(type))
		return REASON_HIP_TLV;
	return walk(&r, plain, true, out);
}

const struct hip_param *param_find(const struct hip_msg *m, enum param id)
{
	for (size_t i = 0; i < m->num; i++)
		if (m->params[i].id == id)
			return &m->params[i];
	return NULL;
}

const struct hip_param *param_next(const struct hip_msg *m,
				   const struct hip_param *p)
{
	const struct hip_param *next = p + 1;

	if (next == m->params + m->num || next->id != p->id)
		return NULL;
	return next;
}

bool param_has_all(const struct hip_msg *m, uint64_t mask)
{
	for (size_t i = 0; i < m->num; i++)
		mask &= ~PARAM_BIT(m->params[i].id);
	return mask == 0;
}
