/* SPDX-License-Identifier: MIT */
/* Building HIP messages; theory in message.h (7401 5.1, 5.2.1). */
#include "hip/message.h"

#include <assert.h>
#include <string.h>

#include "core/wire.h"

#define NEXT_HEADER_NONE 59
/* Version 2, reserved bits 0, fixed bit 1. */
#define VERSION_OCTET 0x21
#define CONTROLS 6 /* octets before them */
/* Where R1's puzzle holds what HIP_SIGNATURE_2 leaves open. */
#define PUZZLE_OPAQUE 2
#define PUZZLE_I 4

static void set_header_len(struct msg_builder *b)
{
	if (!b->inner)
		b->buf[1] = (uint8_t)(b->len / 8 - 1);
}

void message_begin(struct msg_builder *b, uint8_t type,
		   const struct hit *sender, const struct hit *receiver)
{
	memset(b, 0, sizeof(*b));
	b->len = PARAM_HEADER_LEN;
	b->buf[0] = NEXT_HEADER_NONE;
	b->buf[2] = type;
	b->buf[3] = VERSION_OCTET;
	memcpy(b->buf + 8, sender->b, sizeof(sender->b));
	if (receiver)
		memcpy(b->buf + 24, receiver->b, sizeof(receiver->b));
	set_header_len(b);
}

void message_set_anonymous(struct msg_builder *b)
{
	b->buf[CONTROLS + 1] |= PARAM_CONTROL_A;
}

void message_begin_inner(struct msg_builder *b)
{
	memset(b, 0, sizeof(*b));
	b->inner = true;
}

void message_resume(struct msg_builder *b, const uint8_t *raw, size_t len,
		    enum param upto)
{
	size_t at = PARAM_HEADER_LEN;

	memset(b, 0, sizeof(*b));
	assert(len >= at && len <= sizeof(b->buf) &&
	       len >= ((size_t)raw[1] + 1) * 8);
	len = ((size_t)raw[1] + 1) * 8;
	while (at < len) {
		uint16_t type = get_be16(raw + at);

		if (type > param_type(upto))
			break;
		b->last_type = type;
		at += param_tlv_len(get_be16(raw + at + 2));
	}
	memcpy(b->buf, raw, at);
	b->len = at;
	set_header_len(b);
}

uint8_t *message_reserve(struct msg_builder *b, enum param id, size_t len)
{
	size_t total = param_tlv_len(len);
	uint8_t *tlv = b->buf + b->len;

	assert(param_type(id) >= b->last_type); /* RFC 7401 5.2.1 */
	if (b->bad || total > sizeof(b->buf) - b->len) {
		b->bad = true;
		return NULL;
	}
	memset(tlv, 0, total);
	put_be16(tlv, param_type(id));
	put_be16(tlv + 2, (uint16_t)len);
	b->len += total;
	b->last_type = param_type(id);
	set_header_len(b);
	return tlv + PARAM_TLV_LEN;
}

void message_put(struct msg_builder *b, enum param id, const void *contents,
		 size_t len)
{
	uint8_t *p = message_reserve(b, id, len);

	if (p && len)
		memcpy(p, contents, len);
}

int message_finish(const struct msg_builder *b)
{
	return b->bad ? HG_EFULL : HG_OK;
}

int message_aim_r1(uint8_t *raw, size_t len, const struct hit *initiator,
		   uint16_t opaque, const uint8_t *i, size_t i_len)
{
	const struct hip_param *p;
	struct hip_msg m;
	uint8_t *contents;

	if (param_parse(raw, len, &m) != REASON_NUM)
		return HG_EFORMAT;
	p = param_find(&m, PARAM_PUZZLE);
	if (!p || p->len != PUZZLE_I + i_len)
		return HG_EFORMAT;
	contents = raw + p->offset + PARAM_TLV_LEN;
	memcpy(raw + 24, initiator->b, sizeof(initiator->b));
	put_be16(contents + PUZZLE_OPAQUE, opaque);
	memcpy(contents + PUZZLE_I, i, i_len);
	return HG_OK;
}

const char *hip_type_name(uint8_t type)
{
	static const char *const name[] = {
		[HIP_I1] = "I1",	 [HIP_R1] = "R1",
		[HIP_I2] = "I2",	 [HIP_R2] = "R2",
		[HIP_UPDATE] = "UPDATE", [HIP_NOTIFY] = "NOTIFY",
		[HIP_CLOSE] = "CLOSE",	 [HIP_CLOSE_ACK] = "CLOSE_ACK",
	};

	if (type >= sizeof(name) / sizeof(name[0]) || !name[type])
		return "?";
	return name[type];
}
