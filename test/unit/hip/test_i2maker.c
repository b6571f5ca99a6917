/* SPDX-License-Identifier: MIT */
/* R1 to I2: what an Initiator refuses and why, and the I2 it makes. */
#include "test/unit/hip/bench.h"

#include "hip/encrypted.h"
#include "hip/puzzle.h"

static void expect(const struct bench *b, const struct bench_edits *e,
		   enum reason r)
{
	struct hip_job *job = bench_answer(b, e);

	ck_assert_msg(job->reason == r, "%s: reason %d, not %d",
		      e->num ? param_name(e->e[0].id) : "R1", job->reason, r);
	hipjob_free(job);
}

/* One parameter with other contents, under a good signature. */
static void expect_with(const struct bench *b, enum param id,
			const void *contents, size_t len, enum reason r)
{
	const struct bench_edits e = { .e = { { id, contents, len } },
				       .num = 1 };

	expect(b, &e, r);
}

/* The keys the Responder gets from this I2. */
static struct keymat_hip responder_keys(const struct bench *b,
					const struct hip_msg *m)
{
	struct assoc_keys k = { .rhash = suite_of_hit(&m->receiver) };
	struct field_solution sol;
	struct field_ids ids;
	struct field_dh dh;
	uint8_t secret[DH_SECRET_MAX];

	ck_assert(fields_get_solution(bench_param(m, PARAM_SOLUTION), &sol));
	ck_assert(fields_get_dh(bench_param(m, PARAM_DIFFIE_HELLMAN), &dh));
	ck_assert(fields_get_cipher(bench_param(m, PARAM_HIP_CIPHER), &ids));
	ck_assert_uint_eq(ids.num, 1);
	ck_assert_uint_eq(dh.group, dh_group(b->pool->u.pool.dh)->id);
	ck_assert_int_eq(
		dh_derive(b->pool->u.pool.dh, dh.public, dh.public_len, secret),
		0);
	ck_assert_int_eq(
		keymat_init(&k.km,
			    &(struct keymat_seed){ .rhash = k.rhash,
						   .i = sol.i,
						   .j = sol.j,
						   .hit_a = &m->sender,
						   .hit_b = &m->receiver },
			    secret, dh_group(b->pool->u.pool.dh)->secret_len),
		0);
	ck_assert_int_eq(keymat_hip_keys(&k.km, suite_cipher_find(ids.id[0]),
					 &m->receiver, &m->sender, &k.hip),
			 0);
	return k.hip;
}

static void check_solution(const struct hip_msg *m)
{
	struct puzzle z = { .rhash = suite_of_hit(&m->receiver),
			    .hit_i = m->sender,
			    .hit_r = m->receiver };
	struct field_solution sol;

	ck_assert(fields_get_solution(bench_param(m, PARAM_SOLUTION), &sol));
	bench_i(z.i);
	z.k = sol.k;
	ck_assert_uint_eq(sol.k, 3);
	ck_assert_uint_eq(sol.opaque, BENCH_OPAQUE);
	ck_assert_uint_eq(sol.i_len, BENCH_I_LEN);
	ck_assert_mem_eq(sol.i, z.i, BENCH_I_LEN);
	ck_assert(puzzle_verify(&z, sol.j));
}

/* MAC, signature and the HOST_ID inside ENCRYPTED, as a Responder would. */
static void check_auth(const struct bench *b, const struct hip_msg *m)
{
	struct keymat_hip keys = responder_keys(b, m);
	struct identity_peer *peer = bench_peer(b->i);
	struct encrypted_inner in;
	struct field_ids ids;
	const struct hip_param *p;
	const uint8_t *host_id;
	size_t len;

	ck_assert_int_eq(
		auth_check_mac(m, suite_of_hit(&m->receiver), keys.mac_in),
		REASON_NUM);
	ck_assert_int_eq(
		auth_check_mac(m, suite_of_hit(&m->receiver), keys.mac_out),
		REASON_HIP_MAC);
	ck_assert_int_eq(auth_check_signature(m, peer), REASON_NUM);
	identity_peer_free(peer);
	ck_assert_ptr_null(param_find(m, PARAM_HOST_ID));
	ck_assert(fields_get_cipher(bench_param(m, PARAM_HIP_CIPHER), &ids));
	ck_assert_int_eq(encrypted_open(bench_param(m, PARAM_ENCRYPTED), HIP_I2,
					suite_cipher_find(ids.id[0]),
					keys.enc_in, &in),
			 REASON_NUM);
	host_id = identity_host_id(b->i, &len);
	p = bench_param(&in.params, PARAM_HOST_ID);
	ck_assert_uint_eq(p->len, len);
	ck_assert_mem_eq(p->contents, host_id, len);
	encrypted_wipe(&in);
}

static void check_keys(const struct bench *b, const struct hip_job *job,
		       const struct hip_msg *m)
{
	struct keymat_hip theirs = responder_keys(b, m);
	const struct assoc_keys *k = job->keys;
	const uint8_t *host_id;
	size_t len;

	ck_assert_mem_eq(k->hip.mac_out, theirs.mac_in, SUITE_HASH_MAX);
	ck_assert_mem_eq(k->hip.mac_in, theirs.mac_out, SUITE_HASH_MAX);
	ck_assert_mem_eq(k->hip.enc_out, theirs.enc_in, SUITE_KEY_MAX);
	ck_assert_mem_eq(k->hip.enc_in, theirs.enc_out, SUITE_KEY_MAX);
	ck_assert(hit_eq(&k->sa.self, hip_identity_hit(b->i)));
	ck_assert(hit_eq(&k->sa.peer, hip_identity_hit(b->r)));
	ck_assert_uint_eq(k->sa.spi_in, BENCH_SPI_I);
	ck_assert_uint_eq(k->sa.suite, offer_default.esp.id[0]);
	host_id = identity_host_id(b->r, &len);
	ck_assert_uint_eq(k->host_id_len, len);
	ck_assert_mem_eq(k->host_id, host_id, len);
}

START_TEST(a_good_r1_gives_an_i2_that_verifies)
{
	static const uint16_t types[] = { 65,  129,  321,  513,	  579,
					  641, 2049, 4095, 61505, 61697 };
	const struct bench_edits none = { .num = 0 };

	for (int greater = 0; greater < 2; greater++) {
		struct bench b = bench_new(greater);
		struct hip_job *job = bench_answer(&b, &none);
		struct field_esp_info info;
		struct field_ids ids;
		struct hip_msg m;

		ck_assert_int_eq(job->reason, REASON_NUM);
		m = bench_parsed(job->out.buf, job->out.len);
		ck_assert_uint_eq(m.type, HIP_I2);
		ck_assert(hit_eq(&m.sender, hip_identity_hit(b.i)));
		ck_assert(hit_eq(&m.receiver, hip_identity_hit(b.r)));
		bench_types(job->out.buf, job->out.len, types, 10);
		ck_assert(fields_get_esp_info(bench_param(&m, PARAM_ESP_INFO),
					      &info));
		ck_assert_uint_eq(info.keymat_index, 2 * (32 + 48));
		ck_assert_uint_eq(info.old_spi, 0);
		ck_assert_uint_eq(info.new_spi, BENCH_SPI_I);
		ck_assert(fields_get_esp_transform(
			bench_param(&m, PARAM_ESP_TRANSFORM), &ids));
		ck_assert_uint_eq(ids.num, 1);
		ck_assert_uint_eq(ids.id[0], offer_default.esp.id[0]);
		check_solution(&m);
		check_auth(&b, &m);
		check_keys(&b, job, &m);
		ck_assert_uint_eq(job->u.r1.k, 3);
		ck_assert(!job->u.r1.has_via);
		ck_assert(!job->u.r1.reg_offered);
		hipjob_free(job);
		bench_free(&b);
	}
}
END_TEST

START_TEST(r1_counter_and_echo_requests_come_back)
{
	static const uint8_t counter[12] = {
		9, 8, 7, 6, 1, 2, 3, 4, 5, 6, 7, 8
	};
	static const uint16_t types[] = { 65,	 129,	321,  513,  579,
					  641,	 961,	2049, 4095, 61505,
					  61697, 63425, 63425 };
	struct bench b = bench_new(false);
	const struct bench_edits e = {
		.e = { { PARAM_R1_COUNTER, counter, sizeof(counter) },
		       { PARAM_ECHO_REQUEST_SIGNED, "signed", 6 },
		       { PARAM_ECHO_REQUEST_UNSIGNED, "one", 3 },
		       { PARAM_ECHO_REQUEST_UNSIGNED, "three", 5 } },
		.num = 4
	};
	struct hip_job *job = bench_answer(&b, &e);
	const struct hip_param *p;
	struct hip_msg m;

	ck_assert_int_eq(job->reason, REASON_NUM);
	m = bench_parsed(job->out.buf, job->out.len);
	bench_types(job->out.buf, job->out.len, types, 13);
	/* RFC 7401 5.3.3: the reserved octets too. */
	p = bench_param(&m, PARAM_R1_COUNTER);
	ck_assert_mem_eq(p->contents, counter, sizeof(counter));
	ck_assert(job->u.r1.has_counter);
	ck_assert(job->u.r1.counter == UINT64_C(0x0102030405060708));
	p = bench_param(&m, PARAM_ECHO_RESPONSE_SIGNED);
	ck_assert_uint_eq(p->len, 6);
	ck_assert_mem_eq(p->contents, "signed", 6);
	p = bench_param(&m, PARAM_ECHO_RESPONSE_UNSIGNED);
	ck_assert_uint_eq(p->len, 3);
	ck_assert_mem_eq(p->contents, "one", 3);
	p = param_next(&m, p);
	ck_assert_uint_eq(p->len, 5);
	ck_assert_mem_eq(p->contents, "three", 5);
	check_auth(&b, &m);
	hipjob_free(job);
	bench_free(&b);
}
END_TEST

START_TEST(without_a_counter_i2_has_none)
{
	struct bench b = bench_new(false);
	const struct bench_edits e = { .e = { { PARAM_R1_COUNTER, NULL, 0 } },
				       .num = 1 };
	struct hip_job *job = bench_answer(&b, &e);
	struct hip_msg m;

	ck_assert_int_eq(job->reason, REASON_NUM);
	ck_assert(!job->u.r1.has_counter);
	m = bench_parsed(job->out.buf, job->out.len);
	ck_assert_ptr_null(param_find(&m, PARAM_R1_COUNTER));
	hipjob_free(job);
	bench_free(&b);
}
END_TEST

/* There is room for it, or there is not: no third answer. */
static void either(const struct bench *b, enum param id, const void *contents,
		   size_t len)
{
	struct bench_edits e = { .e = { { id, contents, len } }, .num = 1 };
	struct hip_job *job = bench_answer(b, &e);

	ck_assert_msg(job->reason == REASON_NUM ||
			      job->reason == REASON_HIP_TLV,
		      "%zu octets: %s", len, reason_name(job->reason));
	hipjob_free(job);
}

/* As much as fits into R1 is more than fits into I2 with the rest. */
START_TEST(an_echo_that_does_not_fit_into_i2_is_refused)
{
	static const uint8_t big[HIP_MSG_MAX];
	struct bench b = bench_new(false);
	size_t room = HIP_MSG_MAX - b.pool->out.len - PARAM_TLV_LEN;

	expect_with(&b, PARAM_ECHO_REQUEST_SIGNED, big, room, REASON_HIP_TLV);
	/* Wherever it overflows: at the MAC, at the signature, behind it. */
	for (size_t n = 1000; n < room; n += 24)
		either(&b, PARAM_ECHO_REQUEST_SIGNED, big, n);
	expect_with(&b, PARAM_ECHO_REQUEST_UNSIGNED, big, room, REASON_HIP_TLV);
	expect_with(&b, PARAM_ECHO_REQUEST_SIGNED, big, 1000, REASON_NUM);
	expect_with(&b, PARAM_ECHO_REQUEST_UNSIGNED, big, 1000, REASON_NUM);
	bench_free(&b);
}
END_TEST

START_TEST(each_missing_parameter_is_missed)
{
	static const enum param must[] = { PARAM_PUZZLE,
					   PARAM_DH_GROUP_LIST,
					   PARAM_DIFFIE_HELLMAN,
					   PARAM_HIP_CIPHER,
					   PARAM_HOST_ID,
					   PARAM_HIT_SUITE_LIST,
					   PARAM_TRANSPORT_FORMAT_LIST,
					   PARAM_ESP_TRANSFORM,
					   PARAM_HIP_SIGNATURE_2 };
	struct bench b = bench_new(false);

	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
		expect_with(&b, must[i], NULL, 0, REASON_HIP_MISSING);
	bench_free(&b);
}
END_TEST

/* The last octet of a parameter flipped after it was signed. */
static void flipped(const struct bench *b, enum param id, enum reason r)
{
	const struct bench_edits none = { .num = 0 };
	struct msg_builder r1;
	const struct hip_param *p;
	struct hip_job *job;
	struct hip_msg m;

	bench_r1(b, &none, &r1);
	m = bench_parsed(r1.buf, r1.len);
	p = bench_param(&m, id);
	r1.buf[p->offset + PARAM_TLV_LEN + p->len - 1u] ^= 1;
	job = bench_r1_job(b, &r1);
	i2maker_run(job);
	ck_assert_msg(job->reason == r, "%s: reason %d", param_name(id),
		      job->reason);
	ck_assert_ptr_null(job->keys); /* nothing was computed with it */
	hipjob_free(job);
}

START_TEST(a_changed_r1_has_a_bad_signature)
{
	static const enum param under[] = {
		PARAM_R1_COUNTER,     PARAM_DH_GROUP_LIST,
		PARAM_DIFFIE_HELLMAN, PARAM_HIP_CIPHER,
		PARAM_HIT_SUITE_LIST, PARAM_TRANSPORT_FORMAT_LIST,
		PARAM_ESP_TRANSFORM,  PARAM_HIP_SIGNATURE_2
	};
	struct bench b = bench_new(false);
	const struct bench_edits e = { .signer = b.other };

	for (size_t i = 0; i < sizeof(under) / sizeof(under[0]); i++)
		flipped(&b, under[i], REASON_HIP_SIGNATURE);
	flipped(&b, PARAM_HOST_ID, REASON_HIP_BAD_HIT);
	expect(&b, &e, REASON_HIP_SIGNATURE);
	bench_free(&b);
}
END_TEST

START_TEST(an_identity_that_is_not_the_hit_is_refused)
{
	struct bench b = bench_new(false);
	struct bench_edits e = { .e = { { PARAM_HOST_ID, NULL, 0 } },
				 .num = 1,
				 .signer = b.other };
	uint8_t host_id[IDENTITY_HOST_ID_MAX];
	const uint8_t *own = identity_host_id(b.r, &e.e[0].len);

	memcpy(host_id, own, e.e[0].len);
	e.e[0].contents = host_id;
	host_id[5] = IDENTITY_RSA; /* HI length, DI, algorithm */
	expect(&b, &e, REASON_HIP_PROPOSAL);
	host_id[5] = IDENTITY_ECDSA;
	e.e[0].len--;
	expect(&b, &e, REASON_HIP_BAD_HIT);
	e.e[0].contents = identity_host_id(b.other, &e.e[0].len);
	expect(&b, &e, REASON_HIP_BAD_HIT);
	bench_free(&b);
}
END_TEST

START_TEST(a_group_that_is_not_the_right_choice_is_a_downgrade)
{
	static const uint8_t both[] = { DH_P384, DH_P256 };
	static const uint8_t turned[] = { DH_P256, DH_P384 };
	static const uint8_t strange_first[] = { 3, DH_P384 };
	static const uint8_t strange[] = { 3 };
	struct bench b = bench_new(false);

	expect_with(&b, PARAM_DH_GROUP_LIST, both, 2, REASON_NUM);
	expect_with(&b, PARAM_DH_GROUP_LIST, strange_first, 2, REASON_NUM);
	expect_with(&b, PARAM_DH_GROUP_LIST, both, 1, REASON_NUM);
	expect_with(&b, PARAM_DH_GROUP_LIST, turned, 2, REASON_HIP_DOWNGRADE);
	expect_with(&b, PARAM_DH_GROUP_LIST, strange, 1, REASON_HIP_DOWNGRADE);
	hipjob_free(b.pool);
	b.pool = bench_pool(b.r, DH_P256, false);
	expect_with(&b, PARAM_DH_GROUP_LIST, both, 2, REASON_HIP_DOWNGRADE);
	expect_with(&b, PARAM_DH_GROUP_LIST, turned, 2, REASON_NUM);
	bench_free(&b);
}
END_TEST

START_TEST(an_invalid_dh_value_is_refused)
{
	struct bench b = bench_new(false);
	uint8_t dh[3 + 96 + 1] = { DH_P384, 0, 96 };

	memcpy(dh + 3, dh_public(b.pool->u.pool.dh), 96);
	expect_with(&b, PARAM_DIFFIE_HELLMAN, dh, 99, REASON_NUM);
	dh[98] ^= 1; /* off the curve */
	expect_with(&b, PARAM_DIFFIE_HELLMAN, dh, 99, REASON_HIP_DH);
	dh[98] ^= 1;
	dh[2] = 95;
	expect_with(&b, PARAM_DIFFIE_HELLMAN, dh, 98, REASON_HIP_DH);
	dh[2] = 97;
	expect_with(&b, PARAM_DIFFIE_HELLMAN, dh, 100, REASON_HIP_DH);
	/* Its length contradicts the parameter's. */
	expect_with(&b, PARAM_DIFFIE_HELLMAN, dh, 99, REASON_HIP_TLV);
	memset(dh + 3, 0, 96);
	dh[2] = 96;
	expect_with(&b, PARAM_DIFFIE_HELLMAN, dh, 99, REASON_HIP_DH);
	bench_free(&b);
}
END_TEST

START_TEST(a_puzzle_above_the_limit_is_not_begun)
{
	const struct bench_edits none = { .num = 0 };
	struct bench b = bench_new(false);
	uint8_t z[4 + BENCH_I_LEN] = { 10, HIPJOB_PUZZLE_LIFETIME };

	expect_with(&b, PARAM_PUZZLE, z, sizeof(z), REASON_NUM);
	z[0] = 11;
	expect_with(&b, PARAM_PUZZLE, z, sizeof(z), REASON_HIP_PUZZLE_HARD);
	z[0] = 255;
	expect_with(&b, PARAM_PUZZLE, z, sizeof(z), REASON_HIP_PUZZLE_HARD);
	z[0] = 0;
	expect_with(&b, PARAM_PUZZLE, z, sizeof(z), REASON_NUM);
	/* #I has the RHASH's length. */
	expect_with(&b, PARAM_PUZZLE, z, sizeof(z) - 1, REASON_HIP_TLV);
	expect_with(&b, PARAM_PUZZLE, z, 4 + 32, REASON_HIP_TLV);
	/* The limit is the configured one. */
	for (uint8_t k_max = 2; k_max < 4; k_max++) {
		struct msg_builder r1;
		struct hip_job *job;

		bench_r1(&b, &none, &r1);
		job = bench_r1_job(&b, &r1);
		job->u.r1.k_max = k_max;
		i2maker_run(job);
		ck_assert_int_eq(job->reason, k_max < 3 ? REASON_HIP_PUZZLE_HARD
							: REASON_NUM);
		hipjob_free(job);
	}
	bench_free(&b);
}
END_TEST

START_TEST(a_search_nobody_needs_ends_and_49_bits_are_not_tried)
{
	struct bench b = bench_new(false);

	for (uint8_t k = 48; k < 50; k++) {
		uint8_t z[4 + BENCH_I_LEN] = { k, HIPJOB_PUZZLE_LIFETIME };
		const struct bench_edits e = {
			.e = { { PARAM_PUZZLE, z, sizeof(z) } }, .num = 1
		};
		struct msg_builder r1;
		struct hip_job *job;

		bench_r1(&b, &e, &r1);
		job = bench_r1_job(&b, &r1);
		job->u.r1.k_max = 255;
		atomic_store(&job->cancel, k == 48);
		i2maker_run(job);
		ck_assert_int_eq(job->reason, REASON_HIP_PUZZLE_HARD);
		ck_assert_ptr_null(job->keys);
		hipjob_free(job);
	}
	bench_free(&b);
}
END_TEST

START_TEST(without_a_common_suite_there_is_no_i2)
{
	static const uint8_t null_cipher[] = { 0, 1 };
	static const uint8_t other_format[] = { 0x0f, 0xfe };
	/* A list of formats may be long (7401 5.2.11). */
	static const uint8_t esp_last[16] = { [14] = 0x0f, [15] = 0xff };
	static const uint8_t esp_null[] = { 0, 0, 0, 7 };
	static const uint8_t esp_none[] = { 0, 0, 0x7f, 0xff, 0, 1 };
	static const uint8_t sha1_only[] = { 0x30, 0x10 };
	struct bench b = bench_new(false);

	expect_with(&b, PARAM_HIP_CIPHER, null_cipher, 2, REASON_HIP_PROPOSAL);
	expect_with(&b, PARAM_TRANSPORT_FORMAT_LIST, other_format, 2,
		    REASON_HIP_PROPOSAL);
	expect_with(&b, PARAM_TRANSPORT_FORMAT_LIST, esp_last, 16, REASON_NUM);
	expect_with(&b, PARAM_ESP_TRANSFORM, esp_null, 4, REASON_HIP_PROPOSAL);
	expect_with(&b, PARAM_ESP_TRANSFORM, esp_none, 6, REASON_HIP_PROPOSAL);
	expect_with(&b, PARAM_HIT_SUITE_LIST, sha1_only, 2,
		    REASON_HIP_PROPOSAL);
	bench_free(&b);
}
END_TEST

START_TEST(the_first_of_the_responders_suites_that_we_have_is_taken)
{
	static const uint8_t cipher[] = { 0, 1, 0, 2, 0, 4 };
	static const uint8_t esp[] = { 0, 0, 0x7f, 0xff, 0, 8, 0, 12 };
	struct bench b = bench_new(true);
	const struct bench_edits e = {
		.e = { { PARAM_HIP_CIPHER, cipher, sizeof(cipher) },
		       { PARAM_ESP_TRANSFORM, esp, sizeof(esp) } },
		.num = 2
	};
	struct hip_job *job = bench_answer(&b, &e);
	struct field_ids ids;
	struct hip_msg m;

	ck_assert_int_eq(job->reason, REASON_NUM);
	ck_assert_uint_eq(job->keys->cipher->id, SUITE_AES128_CBC);
	ck_assert_uint_eq(job->keys->sa.suite, SA_AES128_CBC_SHA256);
	m = bench_parsed(job->out.buf, job->out.len);
	ck_assert(fields_get_cipher(bench_param(&m, PARAM_HIP_CIPHER), &ids));
	ck_assert_uint_eq(ids.id[0], SUITE_AES128_CBC);
	ck_assert(fields_get_esp_transform(bench_param(&m, PARAM_ESP_TRANSFORM),
					   &ids));
	ck_assert_uint_eq(ids.num, 1);
	ck_assert_uint_eq(ids.id[0], SA_AES128_CBC_SHA256);
	check_auth(&b, &m);
	hipjob_free(job);
	bench_free(&b);
}
END_TEST

/* What a wish for this lifetime becomes; 0: no REG_REQUEST. */
static void asks(const struct bench *b, uint8_t wish, uint8_t want)
{
	const struct bench_edits none = { .num = 0 };
	struct msg_builder r1;
	struct field_reg reg;
	struct hip_job *job;
	struct hip_msg m;

	bench_r1(b, &none, &r1);
	job = bench_r1_job(b, &r1);
	job->u.r1.reg_code = wish;
	job->u.r1.reg_type = FIELDS_REG_RENDEZVOUS;
	i2maker_run(job);
	ck_assert_int_eq(job->reason, REASON_NUM);
	ck_assert_uint_eq(job->u.r1.reg_offered, 1 << FIELDS_REG_RENDEZVOUS);
	ck_assert_uint_eq(job->u.r1.reg_min, registrar_min);
	ck_assert_uint_eq(job->u.r1.reg_max, registrar_max);
	m = bench_parsed(job->out.buf, job->out.len);
	if (!want) {
		ck_assert_ptr_null(param_find(&m, PARAM_REG_REQUEST));
	} else {
		ck_assert(fields_get_reg(bench_param(&m, PARAM_REG_REQUEST),
					 &reg));
		ck_assert_uint_eq(reg.first, want);
		ck_assert_uint_eq(reg.types_num, 1);
		ck_assert_uint_eq(reg.types[0], FIELDS_REG_RENDEZVOUS);
	}
	hipjob_free(job);
}

START_TEST(a_lifetime_is_asked_for_within_what_is_offered)
{
	const struct bench_edits none = { .num = 0 };
	struct bench b = bench_new(false);
	struct msg_builder r1;
	struct hip_job *job;
	struct hip_msg m;

	/* Nothing is asked of whom offers nothing. */
	bench_r1(&b, &none, &r1);
	job = bench_r1_job(&b, &r1);
	job->u.r1.reg_code = 100;
	job->u.r1.reg_type = FIELDS_REG_RENDEZVOUS;
	i2maker_run(job);
	ck_assert_int_eq(job->reason, REASON_NUM);
	ck_assert(!job->u.r1.reg_offered);
	m = bench_parsed(job->out.buf, job->out.len);
	ck_assert_ptr_null(param_find(&m, PARAM_REG_REQUEST));
	hipjob_free(job);
	hipjob_free(b.pool);
	b.pool = bench_pool(b.r, DH_P384, true);
	asks(&b, 0, 0);
	asks(&b, 1, registrar_min);
	asks(&b, registrar_min + 5, registrar_min + 5);
	asks(&b, 255, registrar_max);
	bench_free(&b);
}
END_TEST

START_TEST(via_rvs_is_noted)
{
	struct addr via = addr_from4((const uint8_t[]){ 192, 0, 2, 9 });
	struct bench b = bench_new(false);
	const struct bench_edits e = { .e = { { PARAM_VIA_RVS, via.b, 16 } },
				       .num = 1 };
	struct hip_job *job = bench_answer(&b, &e);

	ck_assert_int_eq(job->reason, REASON_NUM);
	ck_assert(job->u.r1.has_via);
	ck_assert_mem_eq(job->u.r1.via.b, via.b, 16);
	hipjob_free(job);
	bench_free(&b);
}
END_TEST

Suite *test_i2maker_suite(void)
{
	Suite *s = suite_create("i2maker");
	TCase *t = tcase_create("i2maker");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_good_r1_gives_an_i2_that_verifies);
	tcase_add_test(t, r1_counter_and_echo_requests_come_back);
	tcase_add_test(t, without_a_counter_i2_has_none);
	tcase_add_test(t, an_echo_that_does_not_fit_into_i2_is_refused);
	tcase_add_test(t, each_missing_parameter_is_missed);
	tcase_add_test(t, a_changed_r1_has_a_bad_signature);
	tcase_add_test(t, an_identity_that_is_not_the_hit_is_refused);
	tcase_add_test(t, a_group_that_is_not_the_right_choice_is_a_downgrade);
	tcase_add_test(t, an_invalid_dh_value_is_refused);
	tcase_add_test(t, a_puzzle_above_the_limit_is_not_begun);
	tcase_add_test(t, a_search_nobody_needs_ends_and_49_bits_are_not_tried);
	tcase_add_test(t, without_a_common_suite_there_is_no_i2);
	tcase_add_test(
		t, the_first_of_the_responders_suites_that_we_have_is_taken);
	tcase_add_test(t, a_lifetime_is_asked_for_within_what_is_offered);
	tcase_add_test(t, via_rvs_is_noted);
	suite_add_tcase(s, t);
	return s;
}
