/* SPDX-License-Identifier: MIT */
/* What has come is for us, for a client of ours, or for nobody. */
#include "hip/engine.h"

#include "hip/fields.h"
#include "hip/message.h"
#include "test/unit/hip/lab.h"

static const uint8_t types[] = { HIP_I1,    HIP_R1,	  HIP_I2,
				 HIP_R2,    HIP_UPDATE,	  HIP_NOTIFY,
				 HIP_CLOSE, HIP_CLOSE_ACK };

enum { TYPES = sizeof(types) / sizeof(types[0]) };

/* A message of this type with nothing in it, from 0 to whoever it is. */
static struct lab_packet bare(const struct lab *lab, uint8_t type,
			      const struct hit *to)
{
	struct lab_packet p = { .src = lab->host[0].at,
				.dst = lab->host[1].at };
	struct msg_builder b;

	message_begin(&b, type, &lab->host[0].hit, to);
	ck_assert_int_eq(message_finish(&b), HG_OK);
	memcpy(p.msg, b.buf, p.len = b.len);
	return p;
}

static unsigned sent(const struct lab *lab)
{
	unsigned n = 0;

	for (size_t i = 0; i < 256; i++)
		n += lab->sent[i];
	return n;
}

START_TEST(what_is_for_nobody_here_is_dropped_by_name)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct lab_packet p;
	struct hit nobody = lab->host[1].hit;

	nobody.b[15] ^= 1;
	for (unsigned i = 0; i < TYPES; i++) {
		p = bare(lab, types[i], &nobody);
		lab_input(lab, 1, &p);
		ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_NOT_OURS),
				  i + 1);
	}
	ck_assert_uint_eq(sent(lab), 0);
	lab_free(lab);
}
END_TEST

/* Its state table has a word for each; none of them is answered. */
START_TEST(what_is_empty_for_us_is_dropped_and_never_answered)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct lab_packet p;
	uint64_t before;
	uint64_t after;

	for (unsigned i = 0; i < TYPES; i++) {
		before = after = 0;
		p = bare(lab, types[i], &lab->host[1].hit);
		for (int r = 0; r < REASON_NUM; r++)
			before += lab_drops(lab, 1, (enum reason)r);
		lab_input(lab, 1, &p);
		for (int r = 0; r < REASON_NUM; r++)
			after += lab_drops(lab, 1, (enum reason)r);
		ck_assert_uint_eq(after, before + 1);
	}
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_NOT_OURS), 0);
	ck_assert_uint_eq(sent(lab), 0);
	lab_free(lab);
}
END_TEST

START_TEST(what_is_no_message_has_no_hits)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct lab_packet p = bare(lab, HIP_I1, &lab->host[1].hit);
	const struct hip_effect *e = &lab->host[1].last[HIP_DROPPED];

	for (p.len = 0; p.len < 40; p.len++) {
		lab_input(lab, 1, &p);
		ck_assert_uint_eq(lab->host[1].count[HIP_DROPPED], p.len + 1);
		ck_assert(hit_is_null(&e->peer));
	}
	ck_assert_uint_eq(sent(lab), 0);
	lab_free(lab);
}
END_TEST

Suite *test_incoming_suite(void);
Suite *test_incoming_suite(void)
{
	Suite *s = suite_create("incoming");
	TCase *t = tcase_create("all");

	tcase_add_test(t, what_is_for_nobody_here_is_dropped_by_name);
	tcase_add_test(t, what_is_empty_for_us_is_dropped_and_never_answered);
	tcase_add_test(t, what_is_no_message_has_no_hits);
	suite_add_tcase(s, t);
	return s;
}
