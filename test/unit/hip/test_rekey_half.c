/* SPDX-License-Identifier: MIT */
/* What a peer may send as its half of a rekey (RFC 7402 6.8, 6.9). */
#include "test/unit/hip/rekey_bed.h"

#include "hip/auth.h"
#include "hip/dh.h"
#include "hip/fields.h"

struct half {
	uint32_t seq;
	uint32_t old_spi;
	uint32_t new_spi;
	uint16_t index;
	uint8_t group; /* 0: no DIFFIE_HELLMAN */
	const uint8_t *public;
	size_t public_len;
};

/* What host 0 would send for the next rekey. */
static struct half good_half(struct lab *lab)
{
	return (struct half){
		.seq = assoc(lab, 0)->up.next_id,
		.old_spi = lab->host[0].sa.spi_in,
		.new_spi = 0x12345678,
		.index = assoc(lab, 0)->keys->keymat_next,
	};
}

/* An UPDATE by host 0, signed and all. */
static void send_half(struct lab *lab, const struct half *half)
{
	struct lab_packet p = { .src = lab->host[0].at,
				.dst = lab->host[1].at };
	struct assoc *a = assoc(lab, 0);
	struct field_esp_info info = { .keymat_index = half->index,
				       .old_spi = half->old_spi,
				       .new_spi = half->new_spi };
	struct field_dh dh = { .group = half->group,
			       .public = half->public,
			       .public_len = half->public_len };
	struct msg_builder b;

	message_begin(&b, HIP_UPDATE, &a->self, &a->peer);
	fields_put_esp_info(&b, &info);
	fields_put_seq(&b, half->seq);
	if (half->group)
		fields_put_dh(&b, &dh);
	ck_assert_int_eq(auth_put_mac(&b, a->keys->rhash, a->keys->hip.mac_out),
			 0);
	ck_assert_int_eq(auth_put_signature(&b, a->id), 0);
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	lab_input(lab, 1, &p);
}

static bool lost(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	(void)p;
	return false;
}

/* Nothing has changed at host 1 but, maybe, for an ACK. */
static void check_untouched(struct lab *lab, const struct sa_pair *sa,
			    uint16_t next)
{
	const struct lab_host *host = &lab->host[1];

	ck_assert_mem_eq(&host->sa, sa, sizeof(*sa));
	ck_assert_uint_eq(host->count[HIP_SA_UP], 1);
	ck_assert_uint_eq(host->count[HIP_SA_SWITCH], 0);
	ck_assert_uint_eq(host->count[HIP_SA_DOWN], 0);
	ck_assert_ptr_null(assoc(lab, 1)->rekey);
	ck_assert_uint_eq(assoc(lab, 1)->keys->keymat_next, next);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
}

/* Checklist, choice 22: acknowledged, and ignored. */
START_TEST(a_half_that_cannot_be_is_acknowledged_and_ignored)
{
	struct lab *lab = up();
	struct sa_pair sa = lab->host[1].sa;
	struct half half = good_half(lab);
	uint16_t next = half.index;

	switch (_i) {
	case 0:
		half.old_spi ^= 1; /* not its SPI */
		break;
	case 1:
		half.old_spi = 0;
		break;
	case 2:
		half.new_spi = half.old_spi; /* RFC 8046: a readdress */
		break;
	case 3:
		half.new_spi = 255; /* reserved: RFC 4303 2.1 */
		break;
	case 4:
		half.index--; /* was drawn before */
		break;
	case 5:
		half.index = 0;
		break;
	case 6:
		half.index = 255 * 48 - 39; /* KEYMAT ends before the keys */
		break;
	}
	lab->hook = lost;
	send_half(lab, &half);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 1);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 0);
	check_untouched(lab, &sa, next);
	lab_free(lab);
}
END_TEST

START_TEST(a_bad_diffie_hellman_value_is_dropped_unanswered)
{
	struct lab *lab = up();
	struct sa_pair sa = lab->host[1].sa;
	struct half half = good_half(lab);
	uint16_t next = half.index;
	const struct dh_group *g = dh_group(assoc(lab, 1)->keys->dh);
	uint8_t public[DH_PUBLIC_MAX];

	memcpy(public, dh_public(assoc(lab, 0)->keys->dh), g->public_len);
	half.group = g->id;
	half.index = 0;
	half.public = public;
	half.public_len = g->public_len;
	switch (_i) {
	case 0:
		half.group = g->id == DH_P256 ? DH_P384 : DH_P256;
		break;
	case 1:
		half.public_len--;
		break;
	case 2:
		half.index = next; /* RFC 7402 6.9 step 1 */
		break;
	case 3:
		public
		[0] ^= 1; /* no point of the curve */
		break;
	case 4:
		break; /* the old one, which could give the old KEYMAT */
	}
	lab->hook = lost;
	send_half(lab, &half);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DH), 1);
	check_untouched(lab, &sa, next);
	/* Nor does it stand in the way of a good one. */
	lab->hook = NULL;
	lab_sleep(lab, 2 * LAB_S);
	ck_assert_int_eq(rekey(lab, 0, true), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(view(lab, 1).rekeys, 1);
	lab_free(lab);
}
END_TEST

START_TEST(a_second_half_of_the_same_rekey_is_dropped)
{
	struct lab *lab = up();
	struct half half = good_half(lab);

	lab->hook = lost;
	send_half(lab, &half);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 1);
	half.seq++;
	half.new_spi++;
	send_half(lab, &half);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_STATE), 1);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 1);
	ck_assert_uint_eq(lab->host[1].next.spi_out, 0x12345678);
	lab_free(lab);
}
END_TEST

/* Host 0's half, with the new Diffie-Hellman value `key` or with none, is
 * answered; the answer is lost. */
static struct half answered(struct lab *lab, const struct dh_key *key)
{
	struct half half = good_half(lab);

	if (key) {
		half.group = dh_group(key)->id;
		half.public = dh_public(key);
		half.public_len = dh_group(key)->public_len;
		half.index = 0;
	}
	lab->hook = lost;
	send_half(lab, &half);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 1);
	ck_assert_uint_eq(lab->host[1].next.spi_out, half.new_spi);
	return half;
}

static struct dh_key *new_key(struct lab *lab)
{
	struct dh_key *key = NULL;

	ck_assert_int_eq(dh_generate(dh_group(assoc(lab, 1)->keys->dh), &key),
			 HG_OK);
	return key;
}

/* A peer that has our ACK, but lost our half, asks again in a new UPDATE. */
START_TEST(the_half_we_have_is_acknowledged_again)
{
	struct lab *lab = up();
	struct dh_key *key = _i ? new_key(lab) : NULL;
	struct half half = answered(lab, key);

	half.seq++;
	send_half(lab, &half);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_UP], 2);
	ck_assert_uint_eq(lab->host[1].next.spi_out, half.new_spi);
	dh_free(key);
	lab_free(lab);
}
END_TEST

START_TEST(a_half_like_the_one_we_have_is_not)
{
	struct lab *lab = up();
	struct dh_key *key = new_key(lab);
	struct half half = answered(lab, key);
	uint8_t other[DH_PUBLIC_MAX];

	memcpy(other, half.public, half.public_len);
	other[half.public_len - 1] ^= 1;
	half.seq++;
	switch (_i) {
	case 0:
		half.public = other;
		break;
	case 1:
		half.group = 0;
		half.index = assoc(lab, 1)->keys->keymat_next;
		break;
	case 2:
		half.new_spi++;
		break;
	}
	send_half(lab, &half);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_STATE), 1);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 1);
	dh_free(key);
	lab_free(lab);
}
END_TEST

/* The same after the rekey: there is an SA, and nothing to begin. */
START_TEST(a_half_that_is_done_is_acknowledged_again)
{
	struct lab *lab = up();
	struct half half = good_half(lab);
	struct sa_pair sa;

	ck_assert_int_eq(rekey(lab, 0, _i), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	sa = lab->host[1].sa;
	memset(lab->sent, 0, sizeof(lab->sent));
	half.seq = assoc(lab, 0)->up.next_id;
	half.new_spi = lab->host[0].sa.spi_in;
	if (_i) {
		half.group = dh_group(assoc(lab, 0)->keys->dh)->id;
		half.public = dh_public(assoc(lab, 0)->keys->dh);
		half.public_len = dh_group(assoc(lab, 0)->keys->dh)->public_len;
		half.index = 0;
	}
	lab->hook = lost;
	send_half(lab, &half);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 1);
	ck_assert_mem_eq(&lab->host[1].sa, &sa, sizeof(sa));
	ck_assert_ptr_null(assoc(lab, 1)->rekey);
	ck_assert_uint_eq(view(lab, 1).rekeys, 1);
	lab_free(lab);
}
END_TEST

START_TEST(a_peer_cannot_make_us_rekey_without_end)
{
	struct lab *lab = up();

	ck_assert_int_eq(rekey(lab, 0, true), HG_OK);
	lab_run(lab);
	ck_assert_int_eq(rekey(lab, 0, true), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RATE), 1);
	ck_assert_uint_eq(view(lab, 0).rekeys, 1);
	/* It is asked again, and then may. */
	lab_sleep(lab, 2 * LAB_S);
	ck_assert_uint_eq(view(lab, 0).rekeys, 2);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

Suite *test_rekey_half_suite(void)
{
	Suite *s = suite_create("rekey_half");
	TCase *t = tcase_create("rekey_half");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(
		t, a_half_that_cannot_be_is_acknowledged_and_ignored, 0, 7);
	tcase_add_loop_test(t, a_bad_diffie_hellman_value_is_dropped_unanswered,
			    0, 5);
	tcase_add_test(t, a_second_half_of_the_same_rekey_is_dropped);
	tcase_add_test(t, a_peer_cannot_make_us_rekey_without_end);
	tcase_add_loop_test(t, the_half_we_have_is_acknowledged_again, 0, 2);
	tcase_add_loop_test(t, a_half_like_the_one_we_have_is_not, 0, 3);
	tcase_add_loop_test(t, a_half_that_is_done_is_acknowledged_again, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
