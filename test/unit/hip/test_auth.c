/* SPDX-License-Identifier: MIT */
/* MACs and signatures: known answers, scopes, mutations of every octet. */
#include <check.h>

#include "hip/auth.h"
#include "hip/fields.h"
#include "test/unit/hip/hex.h"

/* MACs by Python hmac over header | parameters, key 00 01 .. 2f, HITs
 * 20010022 11.. (sender) and 20010022 99.. (receiver), header length up to
 * the MAC, checksum 0. */
static const char mac_known[] =
	"37fc1da33b2f4ad32cb727ecebf07941090f75174cec4bbb1c0a9a5998ae06ff"
	"0f109dbf09ebff4796e09fad65d76267";
static const char mac_2_known[] =
	"33c93736532046b6f7fdbbdfdfe42519c790eb9ca93c134ba329bed047fa79b3"
	"b224b819eb4b61bbee2aaf93dcf1e078";
static const char rvs_known[] =
	"b7c14fd26e0b32b48e57475307cc32252f7187517e120290788d2a8810ca0712";

static struct hit hit_a;
static struct hit hit_b;
static uint8_t key[SUITE_HASH_MAX];
static struct hip_identity *id;
static struct identity_peer *peer;

static void setup(void)
{
	size_t len;
	const uint8_t *host_id;

	memset(&hit_a, 0x11, sizeof(hit_a));
	memset(&hit_b, 0x99, sizeof(hit_b));
	memcpy(hit_a.b, "\x20\x01\x00\x22", 4);
	memcpy(hit_b.b, "\x20\x01\x00\x22", 4);
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	ck_assert_int_eq(hip_identity_generate(HIP_ALG_ECDSA_P256, &id), 0);
	host_id = identity_host_id(id, &len);
	ck_assert_int_eq(identity_peer_new(host_id, len, &peer), 0);
}

static void teardown(void)
{
	identity_peer_free(peer);
	hip_identity_free(id);
}

static struct hip_msg parsed(const struct msg_builder *b)
{
	struct hip_msg m;

	ck_assert_int_eq(message_finish(b), 0);
	ck_assert_int_eq(param_parse(b->buf, b->len, &m), REASON_NUM);
	return m;
}

START_TEST(mac_known_answer)
{
	struct msg_builder b;
	struct hip_msg m;

	message_begin(&b, HIP_UPDATE, &hit_a, &hit_b);
	fields_put_seq(&b, 7);
	ck_assert_int_eq(auth_put_mac(&b, suite_find(2), key), 0);
	m = parsed(&b);
	ck_assert(
		hex_eq(param_find(&m, PARAM_HIP_MAC)->contents, 48, mac_known));
	ck_assert_int_eq(auth_check_mac(&m, suite_find(2), key), REASON_NUM);
	b.buf[4] = 7; /* a checksum counts as zero (7401 6.4.1) */
	ck_assert_int_eq(auth_check_mac(&m, suite_find(2), key), REASON_NUM);
	/* of the other hash's length */
	ck_assert_int_eq(auth_check_mac(&m, suite_find(1), key),
			 REASON_HIP_MAC);
}
END_TEST

START_TEST(mac_2_known_answer)
{
	static const uint8_t contents[13] = { 0, 1, 2, 3,  4,  5, 6,
					      7, 8, 9, 10, 11, 12 };
	struct suite_buf host_id = { contents, sizeof(contents) };
	struct field_esp_info esp = { 0, 0, 0x12345678 };
	struct msg_builder b;
	struct hip_msg m;

	message_begin(&b, HIP_R2, &hit_a, &hit_b);
	fields_put_esp_info(&b, &esp);
	ck_assert_int_eq(auth_put_mac_2(&b, suite_find(2), key, &host_id), 0);
	ck_assert_int_eq(auth_put_signature(&b, id), 0);
	m = parsed(&b);
	ck_assert_ptr_null(param_find(&m, PARAM_HOST_ID));
	ck_assert(hex_eq(param_find(&m, PARAM_HIP_MAC_2)->contents, 48,
			 mac_2_known));
	ck_assert_int_eq(auth_check_mac_2(&m, suite_find(2), key, &host_id),
			 REASON_NUM);
	host_id.len--;
	ck_assert_int_eq(auth_check_mac_2(&m, suite_find(2), key, &host_id),
			 REASON_HIP_MAC);
	host_id.len = 2000; /* no header length can say that */
	ck_assert_int_eq(auth_check_mac_2(&m, suite_find(2), key, &host_id),
			 REASON_HIP_MAC);
	ck_assert_int_eq(auth_check_mac(&m, suite_find(2), key),
			 REASON_HIP_MISSING);
}
END_TEST

START_TEST(rvs_hmac_known_answer)
{
	static const uint8_t groups[] = { 8, 7 };
	struct addr from = addr_from4((const uint8_t[]){ 192, 0, 2, 1 });
	struct msg_builder b;
	struct msg_builder i1;
	struct hip_msg m;

	message_begin(&i1, HIP_I1, &hit_a, &hit_b);
	message_put(&i1, PARAM_DH_GROUP_LIST, groups, sizeof(groups));
	message_resume(&b, i1.buf, i1.len, PARAM_FROM);
	fields_put_from(&b, &from);
	ck_assert_int_eq(auth_put_rvs_hmac(&b, suite_find(1), key), 0);
	m = parsed(&b);
	ck_assert(hex_eq(param_find(&m, PARAM_RVS_HMAC)->contents, 32,
			 rvs_known));
	ck_assert_int_eq(auth_check_rvs_hmac(&m, suite_find(1), key),
			 REASON_NUM);
	for (size_t i = 8; i < b.len; i++) {
		bool in_tlv_head = false;

		for (size_t n = 0; n < m.num; n++)
			if (i >= m.params[n].offset &&
			    i < m.params[n].offset + 4u)
				in_tlv_head = true;
		if (in_tlv_head)
			continue;
		b.buf[i] ^= 1;
		m = parsed(&b);
		ck_assert_int_eq(auth_check_rvs_hmac(&m, suite_find(1), key),
				 i < 40 + 32 + 36 ? REASON_HIP_RVS_HMAC
						  : REASON_NUM);
		b.buf[i] ^= 1;
	}
	m = parsed(&i1);
	ck_assert_int_eq(auth_check_rvs_hmac(&m, suite_find(1), key),
			 REASON_HIP_RVS_HMAC);
}
END_TEST

/* RFC 9028 5.8: like RVS_HMAC, under a number of its own, over RELAY_FROM. */
START_TEST(relay_hmac_covers_what_is_before_it_and_is_no_rvs_hmac)
{
	static const uint8_t groups[] = { 8, 7 };
	struct endpoint from = { addr_from4((const uint8_t[]){ 192, 0, 2, 1 }),
				 40000 };
	struct msg_builder b;
	struct hip_msg m;
	size_t at;

	message_begin(&b, HIP_I1, &hit_a, &hit_b);
	message_put(&b, PARAM_DH_GROUP_LIST, groups, sizeof(groups));
	fields_put_udp_at(&b, PARAM_RELAY_FROM, &from);
	m = parsed(&b);
	ck_assert_int_eq(auth_check_relay_hmac(&m, suite_find(1), key),
			 REASON_HIP_RELAY_HMAC);
	ck_assert_int_eq(auth_put_relay_hmac(&b, suite_find(1), key), 0);
	m = parsed(&b);
	ck_assert_int_eq(auth_check_relay_hmac(&m, suite_find(1), key),
			 REASON_NUM);
	ck_assert_int_eq(auth_check_rvs_hmac(&m, suite_find(1), key),
			 REASON_HIP_RVS_HMAC);
	ck_assert_int_eq(auth_check_relay_hmac(&m, suite_find(2), key),
			 REASON_HIP_RELAY_HMAC);
	at = param_find(&m, PARAM_RELAY_FROM)->offset;
	for (size_t i = at + 4; i < at + 24; i++) {
		b.buf[i] ^= 1;
		m = parsed(&b);
		ck_assert_int_eq(auth_check_relay_hmac(&m, suite_find(1), key),
				 REASON_HIP_RELAY_HMAC);
		b.buf[i] ^= 1;
	}
}
END_TEST

/* An UPDATE with MAC, signature and an unsigned echo behind. */
static void build_update(struct msg_builder *b)
{
	message_begin(b, HIP_UPDATE, &hit_a, &hit_b);
	fields_put_seq(b, 7);
	message_put(b, PARAM_ECHO_REQUEST_SIGNED, "abcdef", 6);
	ck_assert_int_eq(auth_put_mac(b, suite_find(2), key), 0);
	ck_assert_int_eq(auth_put_signature(b, id), 0);
	message_put(b, PARAM_ECHO_REQUEST_UNSIGNED, "echo", 4);
}

START_TEST(every_octet_of_an_update_is_covered)
{
	struct msg_builder b;
	struct hip_msg m;
	size_t mac_at;
	size_t sig_at;
	size_t end;

	build_update(&b);
	m = parsed(&b);
	ck_assert_int_eq(auth_check_mac(&m, suite_find(2), key), REASON_NUM);
	ck_assert_int_eq(auth_check_signature(&m, peer), REASON_NUM);
	mac_at = param_find(&m, PARAM_HIP_MAC)->offset;
	sig_at = param_find(&m, PARAM_HIP_SIGNATURE)->offset;
	end = param_find(&m, PARAM_ECHO_REQUEST_UNSIGNED)->offset;
	for (size_t i = 0; i < b.len; i++) {
		bool signed_part = i < sig_at + 4 + 2 + 64 && i != 4 && i != 5;
		enum reason why;

		b.buf[i] ^= 1;
		why = param_parse(b.buf, b.len, &m);
		if (why == REASON_NUM && i < mac_at)
			ck_assert_int_ne(auth_check_mac(&m, suite_find(2), key),
					 REASON_NUM);
		if (why == REASON_NUM && signed_part)
			ck_assert_int_ne(auth_check_signature(&m, peer),
					 REASON_NUM);
		if (why == REASON_NUM && i >= end) {
			ck_assert_int_eq(auth_check_mac(&m, suite_find(2), key),
					 REASON_NUM);
			ck_assert_int_eq(auth_check_signature(&m, peer),
					 REASON_NUM);
		}
		b.buf[i] ^= 1;
	}
}
END_TEST

START_TEST(missing_is_told_from_wrong)
{
	struct msg_builder b;
	struct hip_msg m;

	message_begin(&b, HIP_UPDATE, &hit_a, &hit_b);
	fields_put_seq(&b, 7);
	m = parsed(&b);
	ck_assert_int_eq(auth_check_mac(&m, suite_find(2), key),
			 REASON_HIP_MISSING);
	ck_assert_int_eq(auth_check_signature(&m, peer), REASON_HIP_MISSING);
	ck_assert_int_eq(auth_check_signature_2(&m, peer), REASON_HIP_MISSING);
	ck_assert_int_eq(auth_put_signature_2(&b, id), HG_EFORMAT);
	build_update(&b);
	m = parsed(&b);
	key[0] ^= 1;
	ck_assert_int_eq(auth_check_mac(&m, suite_find(2), key),
			 REASON_HIP_MAC);
}
END_TEST

static void build_r1(struct msg_builder *b)
{
	static const uint8_t zero[48];
	struct field_puzzle puzzle = { 10, 37, 0, zero, 48 };

	message_begin(b, HIP_R1, &hit_a, NULL);
	fields_put_r1_counter(b, &(struct field_r1_counter){ 0, 5 });
	fields_put_puzzle(b, &puzzle);
	ck_assert_int_eq(auth_put_signature_2(b, id), 0);
}

START_TEST(r1_may_be_signed_beforehand)
{
	uint8_t i[48];
	struct msg_builder b;
	struct msg_builder full;
	struct hip_msg m;
	struct field_puzzle puzzle;
	struct addr via = addr_from4((const uint8_t[]){ 192, 0, 2, 9 });

	memset(i, 0xee, sizeof(i));
	build_r1(&b);
	m = parsed(&b);
	ck_assert_int_eq(auth_check_signature_2(&m, peer), REASON_NUM);
	message_resume(&full, b.buf, b.len, PARAM_VIA_RVS);
	fields_put_via_rvs(&full, &via);
	ck_assert_int_eq(message_aim_r1(full.buf, full.len, &hit_b, 0xabcd, i,
					sizeof(i)),
			 0);
	m = parsed(&full);
	ck_assert_int_eq(auth_check_signature_2(&m, peer), REASON_NUM);
	ck_assert(hit_eq(&m.receiver, &hit_b));
	ck_assert(fields_get_puzzle(param_find(&m, PARAM_PUZZLE), &puzzle));
	ck_assert_uint_eq(puzzle.opaque, 0xabcd);
	ck_assert_mem_eq(puzzle.i, i, 48);
	/* K and lifetime, the sender and the counter are signed. */
	for (size_t at = 8; at < 24; at++) {
		full.buf[at] ^= 1;
		m = parsed(&full);
		ck_assert_int_eq(auth_check_signature_2(&m, peer),
				 REASON_HIP_SIGNATURE);
		full.buf[at] ^= 1;
	}
	for (size_t at = 40 + 4; at < 40 + 16 + 4 + 2; at++) {
		if (at >= 56 && at < 60)
			continue; /* PUZZLE's type and length */
		full.buf[at] ^= 1;
		m = parsed(&full);
		ck_assert_int_eq(auth_check_signature_2(&m, peer),
				 REASON_HIP_SIGNATURE);
		full.buf[at] ^= 1;
	}
	ck_assert_int_eq(message_aim_r1(full.buf, full.len, &hit_b, 1, i, 32),
			 HG_EFORMAT);
}
END_TEST

START_TEST(a_full_builder_fails_softly)
{
	static const uint8_t big[1990];
	struct suite_buf host_id = { big, 100 };
	struct msg_builder b;

	message_begin(&b, HIP_UPDATE, &hit_a, &hit_b);
	message_put(&b, PARAM_ECHO_REQUEST_SIGNED, big, sizeof(big));
	ck_assert_int_eq(auth_put_mac_2(&b, suite_find(2), key, &host_id),
			 HG_EFULL);
	ck_assert_int_eq(auth_put_mac(&b, suite_find(2), key), HG_EFULL);
	ck_assert_int_eq(auth_put_signature(&b, id), HG_EFULL);
	ck_assert_int_eq(auth_put_signature_2(&b, id), HG_EFULL);
	ck_assert_int_eq(message_finish(&b), HG_EFULL);
}
END_TEST

Suite *test_auth_suite(void);
Suite *test_auth_suite(void)
{
	Suite *s = suite_create("hip/auth");
	TCase *tc = tcase_create("auth");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, mac_known_answer);
	tcase_add_test(tc, mac_2_known_answer);
	tcase_add_test(tc, rvs_hmac_known_answer);
	tcase_add_test(tc,
		       relay_hmac_covers_what_is_before_it_and_is_no_rvs_hmac);
	tcase_add_test(tc, every_octet_of_an_update_is_covered);
	tcase_add_test(tc, missing_is_told_from_wrong);
	tcase_add_test(tc, r1_may_be_signed_beforehand);
	tcase_add_test(tc, a_full_builder_fails_softly);
	suite_add_tcase(s, tc);
	return s;
}
