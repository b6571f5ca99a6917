/* SPDX-License-Identifier: MIT */
/* The parser: header rules, TLV rules, and mutations with named reasons. */
#include <check.h>
#include <stdlib.h>

#include "core/wire.h"
#include "hip/message.h"
#include "hip/param.h"
#include "test/unit/hip/hex.h"

static const struct hit any_hit = { { 0x20, 0x01, 0, 0x22, 1 } };

/* A message made of raw TLVs, whatever the builder would say of them. */
struct raw {
	uint8_t b[HIP_MSG_MAX + 64];
	size_t len;
};

static struct raw raw_begin(uint8_t type)
{
	struct raw r = { .len = 40 };

	r.b[0] = 59;
	r.b[1] = 4;
	r.b[2] = type;
	r.b[3] = 0x21;
	return r;
}

static void raw_tlv(struct raw *r, uint16_t type, uint16_t len)
{
	put_be16(r->b + r->len, type);
	put_be16(r->b + r->len + 2, len);
	r->len += param_tlv_len(len);
	r->b[1] = (uint8_t)(r->len / 8 - 1);
}

static enum reason parse(const struct raw *r)
{
	uint8_t *exact = malloc(r->len ? r->len : 1);
	struct hip_msg m;
	enum reason why;

	memcpy(exact, r->b, r->len); /* so that ASan sees an overrun */
	why = param_parse(exact, r->len, &m);
	free(exact);
	return why;
}

START_TEST(header_fields)
{
	struct raw r = raw_begin(HIP_I1);
	struct hip_msg m;

	memcpy(r.b + 8, any_hit.b, 16);
	r.b[24] = 9;
	r.b[7] = 1;
	ck_assert_int_eq(param_parse(r.b, r.len, &m), REASON_NUM);
	ck_assert_uint_eq(m.type, HIP_I1);
	ck_assert_uint_eq(m.controls, 1);
	ck_assert(hit_eq(&m.sender, &any_hit));
	ck_assert_uint_eq(m.receiver.b[0], 9);
	ck_assert_uint_eq(m.len, 40);
	ck_assert_uint_eq(m.num, 0);
	r.b[2] |= 0x80; /* fixed and reserved bits: ignored (7401 5.1) */
	r.b[3] = 0x2e;
	ck_assert_int_eq(param_parse(r.b, r.len, &m), REASON_NUM);
	ck_assert_uint_eq(m.type, HIP_I1);
}
END_TEST

START_TEST(header_mutations)
{
	struct raw r = raw_begin(HIP_I1);

	for (size_t len = 0; len < 40; len++) {
		r.len = len;
		ck_assert_int_eq(parse(&r), REASON_HIP_TRUNCATED);
	}
	r.len = 40;
	r.b[3] = 0x11; /* HIPv1 */
	ck_assert_int_eq(parse(&r), REASON_HIP_VERSION);
	r.b[3] = 0x31;
	ck_assert_int_eq(parse(&r), REASON_HIP_VERSION);
	r.b[3] = 0x21;
	r.b[1] = 3;
	ck_assert_int_eq(parse(&r), REASON_HIP_HEADER);
	r.b[1] = 5;
	ck_assert_int_eq(parse(&r), REASON_HIP_TRUNCATED);
	r.b[1] = 255;
	ck_assert_int_eq(parse(&r), REASON_HIP_TRUNCATED);
	r.b[1] = 4;
	r.b[4] = 1;
	ck_assert_int_eq(parse(&r), REASON_HIP_CHECKSUM);
	r.b[4] = 0;
	r.b[5] = 1;
	ck_assert_int_eq(parse(&r), REASON_HIP_CHECKSUM);
	r.b[5] = 0;
	r.len = 41; /* Next Header says that nothing follows */
	ck_assert_int_eq(parse(&r), REASON_HIP_HEADER);
	r.b[0] = 6; /* trailing data of another one: ignored (7401 5.1) */
	ck_assert_int_eq(parse(&r), REASON_NUM);
}
END_TEST

START_TEST(only_known_packet_types)
{
	static const uint8_t known[] = { 1, 2, 3, 4, 16, 17, 18, 19 };

	for (unsigned type = 0; type < 128; type++) {
		struct raw r = raw_begin((uint8_t)type);
		bool is = memchr(known, (int)type, sizeof(known)) != NULL;

		ck_assert_int_eq(parse(&r), is ? REASON_NUM : REASON_HIP_TYPE);
	}
}
END_TEST

START_TEST(order_and_repetition)
{
	struct raw r = raw_begin(HIP_UPDATE);

	raw_tlv(&r, PARAM_TYPE_SEQ, 4);
	raw_tlv(&r, PARAM_TYPE_ACK, 8);
	ck_assert_int_eq(parse(&r), REASON_NUM);
	r = raw_begin(HIP_UPDATE); /* falling */
	raw_tlv(&r, PARAM_TYPE_ACK, 8);
	raw_tlv(&r, PARAM_TYPE_SEQ, 4);
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
	r = raw_begin(HIP_UPDATE); /* twice, single-instance */
	raw_tlv(&r, PARAM_TYPE_SEQ, 4);
	raw_tlv(&r, PARAM_TYPE_SEQ, 4);
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
	r = raw_begin(HIP_UPDATE); /* twice, not consecutive */
	raw_tlv(&r, PARAM_TYPE_NOTIFICATION, 4);
	raw_tlv(&r, PARAM_TYPE_ECHO_REQUEST_SIGNED, 0);
	raw_tlv(&r, PARAM_TYPE_NOTIFICATION, 4);
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
	r = raw_begin(HIP_UPDATE); /* order holds for unknown ones too */
	raw_tlv(&r, 612, 4);
	raw_tlv(&r, PARAM_TYPE_SEQ, 4);
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
}
END_TEST

START_TEST(repeatable_ones_are_found_in_order)
{
	struct raw r = raw_begin(HIP_I1);
	const struct hip_param *p;
	struct hip_msg m;

	raw_tlv(&r, PARAM_TYPE_DH_GROUP_LIST, 1);
	raw_tlv(&r, PARAM_TYPE_FROM, 16);
	r.b[r.len - 24 + 4] = 1;
	raw_tlv(&r, PARAM_TYPE_FROM, 16);
	r.b[r.len - 24 + 4] = 2;
	raw_tlv(&r, PARAM_TYPE_RVS_HMAC, 48);
	ck_assert_int_eq(param_parse(r.b, r.len, &m), REASON_NUM);
	ck_assert_uint_eq(m.num, 4);
	p = param_find(&m, PARAM_FROM);
	ck_assert_uint_eq(p->contents[0], 1);
	ck_assert_uint_eq(p->offset, 48);
	p = param_next(&m, p);
	ck_assert_uint_eq(p->contents[0], 2);
	ck_assert_ptr_null(param_next(&m, p));
	p = param_find(&m, PARAM_RVS_HMAC);
	ck_assert_ptr_null(param_next(&m, p)); /* the last of all */
	ck_assert_ptr_null(param_find(&m, PARAM_VIA_RVS));
	ck_assert(param_has_all(&m, PARAM_BIT(PARAM_FROM) |
					    PARAM_BIT(PARAM_RVS_HMAC)));
	ck_assert(!param_has_all(&m, PARAM_BIT(PARAM_FROM) |
					     PARAM_BIT(PARAM_VIA_RVS)));
	ck_assert(param_has_all(&m, 0));
}
END_TEST

START_TEST(unknown_types_by_criticality)
{
	struct raw r = raw_begin(HIP_I1);

	raw_tlv(&r, 128, 12); /* HIPv1's R1_COUNTER */
	raw_tlv(&r, 612, 4);
	ck_assert_int_eq(parse(&r), REASON_NUM);
	raw_tlv(&r, 613, 4);
	ck_assert_int_eq(parse(&r), REASON_HIP_CRITICAL);
	r = raw_begin(HIP_I1);
	raw_tlv(&r, 65535, 0);
	ck_assert_int_eq(parse(&r), REASON_HIP_CRITICAL);
	r = raw_begin(HIP_I1);
	raw_tlv(&r, 1, 0);
	ck_assert_int_eq(parse(&r), REASON_HIP_CRITICAL);
}
END_TEST

START_TEST(misplaced_ones)
{
	struct raw r = raw_begin(HIP_I1);
	struct hip_msg m;

	raw_tlv(&r, PARAM_TYPE_SEQ, 4); /* critical: refused */
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
	r = raw_begin(HIP_I1);
	raw_tlv(&r, PARAM_TYPE_REG_REQUEST, 2); /* not: as if absent */
	ck_assert_int_eq(param_parse(r.b, r.len, &m), REASON_NUM);
	ck_assert_uint_eq(m.num, 0);
}
END_TEST

START_TEST(at_most_64)
{
	struct raw r = raw_begin(HIP_NOTIFY);

	for (int i = 0; i < PARAM_MAX_NUM; i++)
		raw_tlv(&r, PARAM_TYPE_NOTIFICATION, 4);
	ck_assert_int_eq(parse(&r), REASON_NUM);
	raw_tlv(&r, PARAM_TYPE_NOTIFICATION, 4);
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
	r = raw_begin(HIP_NOTIFY); /* skipped ones count as well */
	for (int i = 0; i <= PARAM_MAX_NUM; i++)
		raw_tlv(&r, 612, 4);
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
}
END_TEST

/* The table again, by hand from the RFCs: every boundary of every row. */
static const struct bound {
	uint16_t type;
	uint16_t good[4]; /* 0xffff: none */
	uint16_t bad[4];
	uint8_t packet;
} bounds[] = {
#define NO 0xffff
	{ 65, { 12, NO, NO, NO }, { 0, 8, 11, 13 }, HIP_I2 },
	{ 129, { 12, NO, NO, NO }, { 0, 8, 11, 13 }, HIP_R1 },
	{ 193, { 0, 28, NO, NO }, { 1, 27, NO, NO }, HIP_UPDATE },
	{ 257, { 24, 36, 52, NO }, { 0, 23, 53, NO }, HIP_R1 },
	{ 321, { 44, 68, 100, NO }, { 0, 43, 45, 102 }, HIP_I2 },
	{ 385, { 4, NO, NO, NO }, { 0, 3, 5, 8 }, HIP_UPDATE },
	{ 449, { 4, 8, 400, NO }, { 0, 3, 5, 9 }, HIP_UPDATE },
	{ 511, { 1, 3, 100, NO }, { 0, NO, NO, NO }, HIP_I1 },
	{ 513, { 4, 67, 99, NO }, { 0, 3, NO, NO }, HIP_R1 },
	{ 579, { 2, 4, 40, NO }, { 0, 1, 3, NO }, HIP_R1 },
	{ 608, { 4, 6, 14, 40 }, { 0, 2, 3, 5 }, HIP_R1 },
	{ 610, { 4, NO, NO, NO }, { 0, 3, 5, 8 }, HIP_R1 },
	{ 641, { 4, 100, NO, NO }, { 0, 3, NO, NO }, HIP_I2 },
	{ 705, { 7, 105, 600, NO }, { 0, 6, NO, NO }, HIP_R1 },
	{ 715, { 1, 3, NO, NO }, { 0, NO, NO, NO }, HIP_R1 },
	{ 832, { 4, 100, NO, NO }, { 0, 3, NO, NO }, HIP_NOTIFY },
	{ 897, { 0, 1, 100, 2004 }, { NO, NO, NO, NO }, HIP_CLOSE },
	{ 930, { 2, 3, NO, NO }, { 0, 1, NO, NO }, HIP_R1 },
	{ 932, { 2, 3, NO, NO }, { 0, 1, NO, NO }, HIP_I2 },
	{ 934, { 2, 3, NO, NO }, { 0, 1, NO, NO }, HIP_R2 },
	{ 936, { 2, 3, NO, NO }, { 0, 1, NO, NO }, HIP_R2 },
	{ 950, { 20, NO, NO, NO }, { 0, 16, 19, 21 }, HIP_R2 },
	{ 961, { 0, 1, 100, 2004 }, { NO, NO, NO, NO }, HIP_CLOSE_ACK },
	{ 2049, { 2, 4, NO, NO }, { 0, 1, 3, NO }, HIP_R1 },
	{ 4095, { 4, 6, 40, NO }, { 0, 2, 3, 5 }, HIP_I2 },
	{ 4650, { 20, NO, NO, NO }, { 0, 16, 19, 21 }, HIP_R2 },
	{ 4660, { 20, NO, NO, NO }, { 0, 16, 19, 21 }, HIP_UPDATE },
	{ 4680, { 48, NO, NO, NO }, { 0, 44, 47, 49 }, HIP_UPDATE },
	{ 4700, { 4, NO, NO, NO }, { 0, 3, 5, 8 }, HIP_UPDATE },
	{ 4710, { 4, NO, NO, NO }, { 0, 3, 5, 8 }, HIP_UPDATE },
	{ 46414, { 0, 1, 8, 2004 }, { NO, NO, NO, NO }, HIP_I1 },
	{ 61505, { 20, 32, 48, 64 }, { 0, 19, 65, NO }, HIP_I2 },
	{ 61569, { 20, 32, 48, 64 }, { 0, 19, 65, NO }, HIP_R2 },
	{ 61633, { 3, 66, 98, 258 }, { 0, 2, NO, NO }, HIP_R1 },
	{ 61697, { 3, 66, 98, 258 }, { 0, 2, NO, NO }, HIP_I2 },
	{ 63425, { 0, 8, NO, NO }, { NO, NO, NO, NO }, HIP_I2 },
	{ 63661, { 0, 8, NO, NO }, { NO, NO, NO, NO }, HIP_R1 },
	{ 63998, { 20, NO, NO, NO }, { 0, 16, 19, 21 }, HIP_I1 },
	{ 64002, { 20, NO, NO, NO }, { 0, 16, 19, 21 }, HIP_R1 },
	{ 65498, { 16, NO, NO, NO }, { 0, 15, 17, 20 }, HIP_I1 },
	{ 65500, { 20, 32, 48, 64 }, { 0, 19, 65, NO }, HIP_I1 },
	{ 65502, { 16, 32, NO, NO }, { 0, 15, 17, 24 }, HIP_R1 },
	{ 65520, { 20, 32, 48, 64 }, { 0, 19, 65, NO }, HIP_I1 },
};

START_TEST(every_row_has_its_bounds)
{
	const struct bound *v = &bounds[_i];

	ck_assert_uint_eq(sizeof(bounds) / sizeof(bounds[0]), PARAM_NUM);
	ck_assert_uint_eq(param_type((enum param)_i), v->type);
	for (int i = 0; i < 4; i++) {
		struct raw r = raw_begin(v->packet);

		if (v->good[i] != NO) {
			raw_tlv(&r, v->type, v->good[i]);
			ck_assert_int_eq(parse(&r), REASON_NUM);
		}
		r = raw_begin(v->packet);
		if (v->bad[i] != NO) {
			raw_tlv(&r, v->type, v->bad[i]);
			ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
		}
	}
}
END_TEST

START_TEST(length_beyond_the_message)
{
	struct raw r = raw_begin(HIP_CLOSE);

	raw_tlv(&r, PARAM_TYPE_ECHO_REQUEST_SIGNED, 12);
	put_be16(r.b + 42, 13); /* one octet behind the end */
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
	put_be16(r.b + 42, 0xffff);
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
	put_be16(r.b + 42, 4); /* leaves 8 zero octets: type 0 falls */
	ck_assert_int_eq(parse(&r), REASON_HIP_TLV);
}
END_TEST

/* A packet of each kind of parameter, cut and flipped everywhere. */
static void build_sample(struct msg_builder *b)
{
	static const uint8_t fill[128] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	message_begin(b, HIP_R1, &any_hit, &any_hit);
	message_put(b, PARAM_R1_COUNTER, fill, 12);
	message_put(b, PARAM_PUZZLE, fill, 52);
	message_put(b, PARAM_DH_GROUP_LIST, fill, 3);
	message_put(b, PARAM_DIFFIE_HELLMAN, fill, 67);
	message_put(b, PARAM_HIP_CIPHER, fill, 4);
	message_put(b, PARAM_HOST_ID, fill, 73);
	message_put(b, PARAM_HIT_SUITE_LIST, fill, 1);
	message_put(b, PARAM_TRANSPORT_FORMAT_LIST, fill, 2);
	message_put(b, PARAM_ESP_TRANSFORM, fill, 6);
	message_put(b, PARAM_HIP_SIGNATURE_2, fill, 66);
	message_put(b, PARAM_ECHO_REQUEST_UNSIGNED, fill, 5);
	message_put(b, PARAM_ECHO_REQUEST_UNSIGNED, fill, 6);
	message_put(b, PARAM_VIA_RVS, fill, 16);
}

START_TEST(every_truncation_is_refused)
{
	struct msg_builder b;
	struct raw r;

	build_sample(&b);
	memcpy(r.b, b.buf, b.len);
	for (r.len = 0; r.len < b.len; r.len++)
		ck_assert_int_eq(parse(&r), REASON_HIP_TRUNCATED);
	ck_assert_int_eq(parse(&r), REASON_NUM);
	/* cut together with the header length: only between parameters */
	for (size_t units = 4; units < b.len / 8 - 1; units++) {
		enum reason why;

		r.len = (units + 1) * 8;
		r.b[1] = (uint8_t)units;
		why = parse(&r);
		ck_assert(why == REASON_NUM || why == REASON_HIP_TLV);
	}
}
END_TEST

START_TEST(every_flip_is_harmless)
{
	struct msg_builder b;
	struct hip_msg whole;
	struct hip_msg m;

	build_sample(&b);
	ck_assert_int_eq(param_parse(b.buf, b.len, &whole), REASON_NUM);
	ck_assert_uint_eq(whole.num, 13);
	for (size_t i = 0; i < 8 * b.len; i++) {
		enum reason why;

		b.buf[i / 8] ^= (uint8_t)(1 << i % 8);
		why = param_parse(b.buf, b.len, &m);
		if (i / 8 == 4 || i / 8 == 5)
			ck_assert_int_eq(why, REASON_HIP_CHECKSUM);
		for (size_t n = 0; why == REASON_NUM && n < m.num; n++)
			ck_assert(m.params[n].contents + m.params[n].len <=
				  b.buf + b.len);
		b.buf[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < whole.num; n++) { /* type's low bit */
		uint16_t at = whole.params[n].offset;
		enum reason why;

		b.buf[at + 1] ^= 1;
		why = param_parse(b.buf, b.len, &m);
		if (param_type(whole.params[n].id) & 1)
			ck_assert(why == REASON_NUM || why == REASON_HIP_TLV);
		else
			ck_assert(why == REASON_HIP_CRITICAL ||
				  why == REASON_HIP_TLV);
		b.buf[at + 1] ^= 1;
	}
}
END_TEST

START_TEST(inner_ends_at_the_padding)
{
	struct msg_builder b;
	struct hip_msg m;

	message_begin_inner(&b);
	message_put(&b, PARAM_HOST_ID, "0123456789", 10);
	ck_assert_uint_eq(b.len, 16);
	for (unsigned pad = 0; pad <= 16; pad++) {
		memset(b.buf + 16, (int)pad, pad);
		ck_assert_int_eq(param_parse_inner(b.buf, 16 + pad, HIP_I2, &m),
				 REASON_NUM);
		ck_assert_uint_eq(m.num, 1);
		memset(b.buf + 16, 0, pad);
		ck_assert_int_eq(param_parse_inner(b.buf, 16 + pad, HIP_I2, &m),
				 REASON_NUM);
		ck_assert_uint_eq(m.num, 1);
	}
	ck_assert_int_eq(param_parse_inner(b.buf, 15, HIP_I2, &m), REASON_NUM);
	ck_assert_uint_eq(m.num, 0);
	ck_assert_int_eq(param_parse_inner(b.buf, 0, HIP_I2, &m), REASON_NUM);
	ck_assert_uint_eq(m.num, 0);
	ck_assert_int_eq(param_parse_inner(b.buf, 16, 99, &m), REASON_HIP_TLV);
	b.buf[3] = 6; /* too short for a HOST_ID */
	ck_assert_int_eq(param_parse_inner(b.buf, 16, HIP_I2, &m),
			 REASON_HIP_TLV);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(param_name(PARAM_ESP_INFO), "ESP_INFO");
	ck_assert_str_eq(param_name(PARAM_VIA_RVS), "VIA_RVS");
	for (unsigned i = 1; i < PARAM_NUM; i++) /* the search relies on it */
		ck_assert_uint_lt(param_type((enum param)(i - 1)),
				  param_type((enum param)i));
}
END_TEST

Suite *test_param_suite(void);
Suite *test_param_suite(void)
{
	Suite *s = suite_create("hip/param");
	TCase *tc = tcase_create("param");

	tcase_add_test(tc, header_fields);
	tcase_add_test(tc, header_mutations);
	tcase_add_test(tc, only_known_packet_types);
	tcase_add_test(tc, order_and_repetition);
	tcase_add_test(tc, repeatable_ones_are_found_in_order);
	tcase_add_test(tc, unknown_types_by_criticality);
	tcase_add_test(tc, misplaced_ones);
	tcase_add_test(tc, at_most_64);
	tcase_add_loop_test(tc, every_row_has_its_bounds, 0, PARAM_NUM);
	tcase_add_test(tc, length_beyond_the_message);
	tcase_add_test(tc, every_truncation_is_refused);
	tcase_add_test(tc, every_flip_is_harmless);
	tcase_add_test(tc, inner_ends_at_the_padding);
	tcase_add_test(tc, names);
	suite_add_tcase(s, tc);
	return s;
}
