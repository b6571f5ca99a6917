/* SPDX-License-Identifier: MIT */
/* R1 made ahead of time: its parameters, its signature, REG_INFO. */
#include "test/unit/hip/bench.h"

static const uint16_t plain[] = { 129, 257, 511,  513,	579,
				  705, 715, 2049, 4095, 61633 };
static const uint16_t with_reg[] = { 129, 257, 511,  513,  579,	 705,
				     715, 930, 2049, 4095, 61633 };

static void check_suites(const struct hip_msg *m)
{
	struct field_ids ids;

	ck_assert(fields_get_cipher(bench_param(m, PARAM_HIP_CIPHER), &ids));
	ck_assert_uint_eq(ids.num, 2);
	ck_assert_uint_eq(ids.id[0], SUITE_AES256_CBC);
	ck_assert_uint_eq(ids.id[1], SUITE_AES128_CBC);
	/* All that we verify, whatever our own is (RFC 7401 5.2.10). */
	ck_assert_uint_eq(
		fields_hit_suites(bench_param(m, PARAM_HIT_SUITE_LIST)),
		1 << SUITE_RSA_SHA256 | 1 << SUITE_ECDSA_SHA384);
	ck_assert(fields_get_transport(
		bench_param(m, PARAM_TRANSPORT_FORMAT_LIST), &ids));
	ck_assert_uint_eq(ids.num, 1);
	ck_assert_uint_eq(ids.id[0], 4095);
	ck_assert(fields_get_esp_transform(bench_param(m, PARAM_ESP_TRANSFORM),
					   &ids));
	ck_assert_uint_eq(ids.num, offer_default.esp.num);
	for (size_t i = 0; i < ids.num; i++)
		ck_assert_ptr_nonnull(sa_suite_find(ids.id[i]));
	/* RFC 7402 5.1.2: this one must be among them. */
	ck_assert(fields_ids_has(&ids, SA_AES128_CBC_SHA256));
}

static void check_puzzle(const struct hip_msg *m, const struct hip_job *job)
{
	const uint8_t zero[BENCH_I_LEN] = { 0 };
	struct field_r1_counter counter;
	struct field_puzzle z;

	ck_assert(fields_get_r1_counter(bench_param(m, PARAM_R1_COUNTER),
					&counter));
	ck_assert_uint_eq(counter.reserved, 0);
	ck_assert(counter.counter == job->u.pool.counter);
	ck_assert(fields_get_puzzle(bench_param(m, PARAM_PUZZLE), &z));
	ck_assert_uint_eq(z.k, job->u.pool.k);
	ck_assert_uint_eq(z.lifetime, HIPJOB_PUZZLE_LIFETIME);
	ck_assert_uint_eq(z.opaque, 0);
	ck_assert_uint_eq(z.i_len, suite_of_hit(&m->sender)->hash_len);
	ck_assert_mem_eq(z.i, zero, z.i_len);
}

static void check_dh(const struct hip_msg *m, const struct hip_job *job)
{
	const struct hip_param *p = bench_param(m, PARAM_DH_GROUP_LIST);
	struct field_dh dh;

	ck_assert_uint_eq(p->len, job->offer.dh_num);
	ck_assert_mem_eq(p->contents, job->offer.dh, job->offer.dh_num);
	ck_assert(fields_get_dh(bench_param(m, PARAM_DIFFIE_HELLMAN), &dh));
	ck_assert_uint_eq(dh.group, job->u.pool.group->id);
	ck_assert_ptr_eq(dh_group(job->u.pool.dh), job->u.pool.group);
	ck_assert_uint_eq(dh.public_len, job->u.pool.group->public_len);
	ck_assert_mem_eq(dh.public, dh_public(job->u.pool.dh), dh.public_len);
}

static void check_host_id(const struct hip_msg *m, struct hip_identity *id)
{
	const struct hip_param *p = bench_param(m, PARAM_HOST_ID);
	struct identity_peer *peer = NULL;

	ck_assert(hit_eq(&m->sender, hip_identity_hit(id)));
	ck_assert_int_eq(identity_peer_new(p->contents, p->len, &peer), 0);
	ck_assert(hit_eq(identity_peer_hit(peer), &m->sender));
	ck_assert_int_eq(auth_check_signature_2(m, peer), REASON_NUM);
	identity_peer_free(peer);
}

START_TEST(r1_has_every_must_parameter_in_type_order)
{
	for (unsigned alg = 0; alg < HIP_ALG_NUM; alg++) {
		struct hip_identity *id = lab_identity((enum hip_alg)alg, 0);

		for (size_t g = 0; g < offer_default.dh_num; g++) {
			struct hip_job *job =
				bench_pool(id, offer_default.dh[g], false);
			struct hip_msg m =
				bench_parsed(job->out.buf, job->out.len);

			ck_assert_uint_eq(m.type, HIP_R1);
			ck_assert_uint_eq(m.controls, 0);
			ck_assert(hit_eq(&m.receiver, &hit_null));
			bench_types(job->out.buf, job->out.len, plain,
				    sizeof(plain) / sizeof(plain[0]));
			check_puzzle(&m, job);
			check_dh(&m, job);
			check_suites(&m);
			check_host_id(&m, id);
			hipjob_free(job);
		}
		hip_identity_free(id);
	}
}
END_TEST

/* RSA-4096 and MODP-3072 with REG_INFO: the largest, and VIA_RVS and echo
 * requests still fit behind it. */
START_TEST(the_largest_r1_fits)
{
	struct hip_identity *id = lab_identity(HIP_ALG_RSA_4096, 0);
	struct hip_job *job = bench_pool(id, DH_MODP_3072, true);

	bench_types(job->out.buf, job->out.len, with_reg,
		    sizeof(with_reg) / sizeof(with_reg[0]));
	ck_assert_uint_le(job->out.len, HIP_MSG_MAX - 256);
	hipjob_free(job);
	hip_identity_free(id);
}
END_TEST

/* Not by auth.c: what RFC 7401 5.2.15 says, by hand. */
START_TEST(signature_is_over_zero_initiator_opaque_and_i)
{
	struct hip_identity *id = lab_identity(HIP_ALG_ECDSA_P384, 0);
	struct identity_peer *peer = bench_peer(id);
	struct hip_job *job = bench_pool(id, DH_P384, false);
	uint8_t i[BENCH_I_LEN];
	uint8_t buf[HIP_MSG_MAX];
	struct field_signature sig;
	struct hip_msg m;
	const struct hip_param *p;
	size_t opaque;

	bench_i(i);
	ck_assert_int_eq(message_aim_r1(job->out.buf, job->out.len,
					hip_identity_hit(id), BENCH_OPAQUE, i,
					sizeof(i)),
			 0);
	m = bench_parsed(job->out.buf, job->out.len);
	p = bench_param(&m, PARAM_HIP_SIGNATURE_2);
	ck_assert(fields_get_signature(p, &sig));
	ck_assert_uint_eq(sig.alg, IDENTITY_ECDSA);
	memcpy(buf, job->out.buf, p->offset);
	opaque = bench_param(&m, PARAM_PUZZLE)->offset + 4u + 2;
	ck_assert_uint_eq(buf[opaque] << 8 | buf[opaque + 1], BENCH_OPAQUE);
	memset(buf + 24, 0, 16);
	memset(buf + opaque, 0, 2 + BENCH_I_LEN);
	buf[1] = (uint8_t)(p->offset / 8 - 1);
	for (size_t at = 0; at <= p->offset; at++) {
		const struct suite_buf data = { buf, p->offset };
		bool whole = at == p->offset;

		if (!whole)
			buf[at] ^= 0x10;
		ck_assert_int_eq(identity_verify(peer, sig.alg, &data, sig.sig,
						 sig.sig_len),
				 whole ? HG_OK : HG_EAUTH);
		if (!whole)
			buf[at] ^= 0x10;
	}
	hipjob_free(job);
	identity_peer_free(peer);
	hip_identity_free(id);
}
END_TEST

START_TEST(signature_stands_whomever_r1_is_aimed_at)
{
	struct hip_identity *id = lab_identity(HIP_ALG_ECDSA_P256, 0);
	struct identity_peer *peer = bench_peer(id);
	struct hip_job *job = bench_pool(id, DH_P384, true);
	uint8_t i[BENCH_I_LEN];

	for (uint8_t n = 0; n < 4; n++) {
		struct hit to = { { 0x20, 1, 0, 0x22, n } };
		struct hip_msg m;

		memset(i, 0x11 * n, sizeof(i));
		ck_assert_int_eq(message_aim_r1(job->out.buf, job->out.len, &to,
						n * 257, i, sizeof(i)),
				 0);
		m = bench_parsed(job->out.buf, job->out.len);
		ck_assert_int_eq(auth_check_signature_2(&m, peer), REASON_NUM);
		/* But not whatever else it says: the counter. */
		job->out.buf[bench_param(&m, PARAM_R1_COUNTER)->offset + 15] ^=
			1;
		ck_assert_int_eq(auth_check_signature_2(&m, peer),
				 REASON_HIP_SIGNATURE);
		job->out.buf[bench_param(&m, PARAM_R1_COUNTER)->offset + 15] ^=
			1;
	}
	hipjob_free(job);
	identity_peer_free(peer);
	hip_identity_free(id);
}
END_TEST

START_TEST(only_a_rendezvous_server_says_reg_info)
{
	struct hip_identity *id = lab_identity(HIP_ALG_ECDSA_P384, 0);
	struct hip_job *job = bench_pool(id, DH_P384, true);
	struct hip_msg m = bench_parsed(job->out.buf, job->out.len);
	struct field_reg_info info;

	bench_types(job->out.buf, job->out.len, with_reg,
		    sizeof(with_reg) / sizeof(with_reg[0]));
	ck_assert(fields_get_reg_info(bench_param(&m, PARAM_REG_INFO), &info));
	ck_assert_uint_eq(info.min_lifetime, registrar_min);
	ck_assert_uint_eq(info.max_lifetime, registrar_max);
	ck_assert_uint_eq(info.types_num, 1);
	ck_assert_uint_eq(info.types[0], FIELDS_REG_RENDEZVOUS);
	hipjob_free(job);
	job = bench_pool(id, DH_P384, false);
	m = bench_parsed(job->out.buf, job->out.len);
	ck_assert_ptr_null(param_find(&m, PARAM_REG_INFO));
	hipjob_free(job);
	hip_identity_free(id);
}
END_TEST

START_TEST(each_r1_has_a_key_of_its_own)
{
	struct hip_identity *id = lab_identity(HIP_ALG_ECDSA_P256, 0);
	struct hip_job *a = bench_pool(id, DH_P256, false);
	struct hip_job *b = bench_pool(id, DH_P256, false);

	ck_assert_mem_ne(dh_public(a->u.pool.dh), dh_public(b->u.pool.dh), 64);
	hipjob_free(a);
	hipjob_free(b);
	hip_identity_free(id);
}
END_TEST

Suite *test_r1maker_suite(void)
{
	Suite *s = suite_create("r1maker");
	TCase *t = tcase_create("r1maker");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_largest_r1_fits);
	tcase_add_test(t, r1_has_every_must_parameter_in_type_order);
	tcase_add_test(t, signature_is_over_zero_initiator_opaque_and_i);
	tcase_add_test(t, signature_stands_whomever_r1_is_aimed_at);
	tcase_add_test(t, only_a_rendezvous_server_says_reg_info);
	tcase_add_test(t, each_r1_has_a_key_of_its_own);
	suite_add_tcase(s, t);
	return s;
}
