/* SPDX-License-Identifier: MIT */
/* I2 to R2: what a Responder refuses and why, the R2, keys on both sides. */
#include "test/unit/hip/bench.h"

#include "core/wire.h"
#include "hip/encrypted.h"

/* A bench where the Initiator has answered. */
struct stage {
	struct bench b;
	struct hip_job *i2; /* its job, with its keys */
};

static struct stage stage_new(bool greater)
{
	const struct bench_edits none = { .num = 0 };
	struct stage s = { .b = bench_new(greater) };

	s.i2 = bench_answer(&s.b, &none);
	ck_assert_int_eq(s.i2->reason, REASON_NUM);
	return s;
}

static void stage_free(struct stage *s)
{
	hipjob_free(s->i2);
	bench_free(&s->b);
}

/* The I2 as edited, with a right MAC and signature unless these are edited
 * too. */
static void remake(const struct stage *s, const struct bench_edits *e,
		   struct msg_builder *out)
{
	struct hip_msg m = bench_parsed(s->i2->out.buf, s->i2->out.len);
	const struct assoc_keys *k = s->i2->keys;

	message_begin(out, HIP_I2, &m.sender, &m.receiver);
	bench_copy(out, &m, e, 0, PARAM_HIP_MAC);
	if (bench_edited(e, PARAM_HIP_MAC))
		bench_copy(out, &m, e, PARAM_HIP_MAC, PARAM_HIP_MAC + 1);
	else
		ck_assert_int_eq(auth_put_mac(out, k->rhash, k->hip.mac_out),
				 0);
	if (bench_edited(e, PARAM_HIP_SIGNATURE))
		bench_copy(out, &m, e, PARAM_HIP_SIGNATURE,
			   PARAM_HIP_SIGNATURE + 1);
	else
		ck_assert_int_eq(
			auth_put_signature(out, e->signer ? e->signer : s->b.i),
			0);
	ck_assert_int_eq(message_finish(out), 0);
}

/* The Responder's job for this I2; not run yet. */
static struct hip_job *i2_job(const struct stage *s,
			      const struct msg_builder *i2)
{
	struct hip_job *job = bench_job(HIPJOB_I2, s->b.r);

	job->peer = *hip_identity_hit(s->b.i);
	memcpy(job->in, i2->buf, i2->len);
	job->in_len = i2->len;
	job->u.i2.dh = dh_ref(s->b.pool->u.pool.dh);
	job->u.i2.spi = BENCH_SPI_R;
	return job;
}

static void expect(const struct stage *s, const struct bench_edits *e,
		   enum reason r)
{
	struct msg_builder i2;
	struct hip_job *job;

	remake(s, e, &i2);
	job = i2_job(s, &i2);
	r2maker_run(job);
	ck_assert_msg(job->reason == r, "%s: reason %d, not %d",
		      e->num ? param_name(e->e[0].id) : "I2", job->reason, r);
	/* No R2 for who is refused. */
	ck_assert_int_eq(job->out.len != 0, r == REASON_NUM);
	hipjob_free(job);
}

static void expect_with(const struct stage *s, enum param id,
			const void *contents, size_t len, enum reason r)
{
	const struct bench_edits e = { .e = { { id, contents, len } },
				       .num = 1 };

	expect(s, &e, r);
}

/* Octet `at` of a parameter changed, nothing made right again; at beyond
 * its end: the last one. */
static void flipped(const struct stage *s, enum param id, size_t at,
		    enum reason r)
{
	struct msg_builder i2 = s->i2->out;
	struct hip_msg m = bench_parsed(i2.buf, i2.len);
	const struct hip_param *p = bench_param(&m, id);
	struct hip_job *job;

	at = at < p->len ? at : p->len - 1u;
	i2.buf[p->offset + PARAM_TLV_LEN + at] ^= 1;
	job = i2_job(s, &i2);
	r2maker_run(job);
	ck_assert_msg(job->reason == r, "%s: reason %d, not %d", param_name(id),
		      job->reason, r);
	ck_assert_uint_eq(job->out.len, 0);
	hipjob_free(job);
}

static void check_keys(const struct stage *s, const struct hip_job *job)
{
	const struct assoc_keys *i = s->i2->keys;
	const struct assoc_keys *r = job->keys;
	const uint8_t *host_id;
	size_t len;

	ck_assert_ptr_eq(i->rhash, r->rhash);
	ck_assert_ptr_eq(i->cipher, r->cipher);
	ck_assert_mem_eq(i->km.prk, r->km.prk, i->rhash->hash_len);
	ck_assert_mem_eq(i->hip.mac_in, r->hip.mac_out, SUITE_HASH_MAX);
	ck_assert_mem_eq(i->hip.mac_out, r->hip.mac_in, SUITE_HASH_MAX);
	ck_assert_mem_eq(i->hip.enc_in, r->hip.enc_out, SUITE_KEY_MAX);
	ck_assert_mem_eq(i->hip.enc_out, r->hip.enc_in, SUITE_KEY_MAX);
	ck_assert_mem_ne(i->hip.mac_out, i->hip.mac_in, SUITE_HASH_MAX);
	ck_assert_mem_eq(&i->sa.in, &r->sa.out, sizeof(i->sa.in));
	ck_assert_mem_eq(&i->sa.out, &r->sa.in, sizeof(i->sa.out));
	ck_assert_mem_ne(&i->sa.out, &i->sa.in, sizeof(i->sa.out));
	ck_assert_uint_eq(i->keymat_next, r->keymat_next);
	ck_assert_uint_eq(r->sa.suite, i->sa.suite);
	ck_assert_uint_eq(r->sa.spi_in, BENCH_SPI_R);
	ck_assert_uint_eq(r->sa.spi_out, BENCH_SPI_I);
	ck_assert(hit_eq(&r->sa.self, hip_identity_hit(s->b.r)));
	ck_assert(hit_eq(&r->sa.peer, hip_identity_hit(s->b.i)));
	host_id = identity_host_id(s->b.i, &len);
	ck_assert_uint_eq(r->host_id_len, len);
	ck_assert_mem_eq(r->host_id, host_id, len);
}

/* HIP_MAC_2 and the signature, with what the Initiator knows. */
static void check_auth(const struct stage *s, const struct hip_msg *m)
{
	const struct assoc_keys *k = s->i2->keys;
	struct suite_buf host_id = { k->host_id, k->host_id_len };
	struct identity_peer *peer = bench_peer(s->b.r);

	ck_assert_int_eq(auth_check_mac_2(m, k->rhash, k->hip.mac_in, &host_id),
			 REASON_NUM);
	ck_assert_int_eq(
		auth_check_mac_2(m, k->rhash, k->hip.mac_out, &host_id),
		REASON_HIP_MAC);
	/* It covers the Responder's HOST_ID, no other one. */
	host_id.p = identity_host_id(s->b.i, &host_id.len);
	ck_assert_int_eq(auth_check_mac_2(m, k->rhash, k->hip.mac_in, &host_id),
			 REASON_HIP_MAC);
	ck_assert_int_eq(auth_check_signature(m, peer), REASON_NUM);
	identity_peer_free(peer);
}

START_TEST(a_good_i2_gives_an_r2_that_verifies_and_the_same_keys)
{
	static const uint16_t types[] = { 65, 61569, 61697 };

	for (int greater = 0; greater < 2; greater++) {
		struct stage s = stage_new(greater);
		struct hip_job *job = i2_job(&s, &s.i2->out);
		struct field_esp_info info;
		struct hip_msg m;

		ck_assert_int_eq(hit_cmp(&job->peer, &job->self) > 0, greater);
		r2maker_run(job);
		ck_assert_int_eq(job->reason, REASON_NUM);
		m = bench_parsed(job->out.buf, job->out.len);
		ck_assert_uint_eq(m.type, HIP_R2);
		ck_assert(hit_eq(&m.sender, hip_identity_hit(s.b.r)));
		ck_assert(hit_eq(&m.receiver, hip_identity_hit(s.b.i)));
		bench_types(job->out.buf, job->out.len, types, 3);
		ck_assert(fields_get_esp_info(bench_param(&m, PARAM_ESP_INFO),
					      &info));
		ck_assert_uint_eq(info.keymat_index, 2 * (32 + 48));
		ck_assert_uint_eq(info.old_spi, 0);
		ck_assert_uint_eq(info.new_spi, BENCH_SPI_R);
		check_auth(&s, &m);
		check_keys(&s, job);
		hipjob_free(job);
		stage_free(&s);
	}
}
END_TEST

START_TEST(r2_carries_what_the_registrar_answers)
{
	static const uint16_t types[] = { 65, 934, 936, 61569, 61697 };
	struct stage s = stage_new(false);
	struct hip_job *job = i2_job(&s, &s.i2->out);
	struct field_reg reg;
	struct hip_msg m;

	job->u.i2.answer =
		(struct registrar_answer){ .granted = FIELDS_REG_RENDEZVOUS,
					   .code = 111,
					   .failed = { 77 },
					   .why = { FIELDS_REG_UNAVAILABLE },
					   .failed_num = 1 };
	r2maker_run(job);
	ck_assert_int_eq(job->reason, REASON_NUM);
	m = bench_parsed(job->out.buf, job->out.len);
	bench_types(job->out.buf, job->out.len, types, 5);
	ck_assert(fields_get_reg(bench_param(&m, PARAM_REG_RESPONSE), &reg));
	ck_assert_uint_eq(reg.first, 111);
	ck_assert_uint_eq(reg.types_num, 1);
	ck_assert_uint_eq(reg.types[0], FIELDS_REG_RENDEZVOUS);
	ck_assert(fields_get_reg(bench_param(&m, PARAM_REG_FAILED), &reg));
	ck_assert_uint_eq(reg.first, FIELDS_REG_UNAVAILABLE);
	ck_assert_uint_eq(reg.types[0], 77);
	check_auth(&s, &m);
	hipjob_free(job);
	stage_free(&s);
}
END_TEST

/* RFC 7401 5.2.20, 5.2.21: the unsigned ones may be a middlebox's. */
START_TEST(echo_requests_in_i2_come_back_in_r2)
{
	static const uint16_t types[] = { 65, 961, 61569, 61697, 63425, 63425 };
	static const uint8_t big[HIP_MSG_MAX];
	struct stage s = stage_new(false);
	struct bench_edits e = {
		.e = { { PARAM_ECHO_REQUEST_SIGNED, "signed", 6 } }, .num = 1
	};
	const struct hip_param *p;
	struct msg_builder i2;
	struct hip_job *job;
	struct hip_msg m;

	remake(&s, &e, &i2);
	message_put(&i2, PARAM_ECHO_REQUEST_UNSIGNED, "one", 3);
	message_put(&i2, PARAM_ECHO_REQUEST_UNSIGNED, NULL, 0);
	job = i2_job(&s, &i2);
	r2maker_run(job);
	ck_assert_int_eq(job->reason, REASON_NUM);
	m = bench_parsed(job->out.buf, job->out.len);
	bench_types(job->out.buf, job->out.len, types, 6);
	p = bench_param(&m, PARAM_ECHO_RESPONSE_SIGNED);
	ck_assert(p->len == 6 && memcmp(p->contents, "signed", 6) == 0);
	p = bench_param(&m, PARAM_ECHO_RESPONSE_UNSIGNED);
	ck_assert(p->len == 3 && memcmp(p->contents, "one", 3) == 0);
	ck_assert_uint_eq(param_next(&m, p)->len, 0);
	check_auth(&s, &m);
	hipjob_free(job);
	/* As much as I2 has room for, R2 has too. */
	e.e[0].contents = big;
	e.e[0].len = HIP_MSG_MAX - s.i2->out.len - 16;
	expect(&s, &e, REASON_NUM);
	stage_free(&s);
}
END_TEST

START_TEST(a_changed_i2_has_a_wrong_mac)
{
	static const uint8_t mac[SUITE_HASH_MAX + 1] = { 1 };
	struct stage s = stage_new(false);

	flipped(&s, PARAM_HIP_MAC, 0, REASON_HIP_MAC);
	flipped(&s, PARAM_HIP_MAC, SIZE_MAX, REASON_HIP_MAC);
	flipped(&s, PARAM_ESP_INFO, SIZE_MAX, REASON_HIP_MAC);
	flipped(&s, PARAM_R1_COUNTER, SIZE_MAX, REASON_HIP_MAC);
	flipped(&s, PARAM_SOLUTION, 4, REASON_HIP_MAC); /* #I is in the keys */
	flipped(&s, PARAM_SOLUTION, SIZE_MAX, REASON_HIP_MAC);
	/* Nothing is decrypted before. */
	flipped(&s, PARAM_ENCRYPTED, 6, REASON_HIP_MAC);
	flipped(&s, PARAM_TRANSPORT_FORMAT_LIST, SIZE_MAX, REASON_HIP_MAC);
	expect_with(&s, PARAM_HIP_MAC, mac, 48, REASON_HIP_MAC);
	expect_with(&s, PARAM_HIP_MAC, mac, 47, REASON_HIP_MAC);
	expect_with(&s, PARAM_HIP_MAC, mac, 49, REASON_HIP_MAC);
	expect_with(&s, PARAM_HIP_MAC, NULL, 0, REASON_HIP_MISSING);
	stage_free(&s);
}
END_TEST

START_TEST(a_wrong_signature_is_refused)
{
	struct stage s = stage_new(false);
	const struct bench_edits none = { .num = 0 };
	const struct bench_edits stranger = { .signer = s.b.other };
	const struct bench_edits responder = { .signer = s.b.r };
	struct hip_msg m = bench_parsed(s.i2->out.buf, s.i2->out.len);
	const struct hip_param *p = bench_param(&m, PARAM_HIP_SIGNATURE);

	expect(&s, &none, REASON_NUM);
	expect(&s, &stranger, REASON_HIP_SIGNATURE);
	expect(&s, &responder, REASON_HIP_SIGNATURE);
	flipped(&s, PARAM_HIP_SIGNATURE, 1, REASON_HIP_SIGNATURE); /* alg */
	flipped(&s, PARAM_HIP_SIGNATURE, 2, REASON_HIP_SIGNATURE);
	flipped(&s, PARAM_HIP_SIGNATURE, SIZE_MAX, REASON_HIP_SIGNATURE);
	expect_with(&s, PARAM_HIP_SIGNATURE, p->contents, p->len, REASON_NUM);
	expect_with(&s, PARAM_HIP_SIGNATURE, p->contents, p->len - 1u,
		    REASON_HIP_SIGNATURE);
	expect_with(&s, PARAM_HIP_SIGNATURE, NULL, 0, REASON_HIP_MISSING);
	stage_free(&s);
}
END_TEST

/* Another ENCRYPTED under a right MAC. */
static void sealed(const struct stage *s, const struct msg_builder *inner,
		   const struct hip_identity *signer, enum reason r)
{
	const struct assoc_keys *k = s->i2->keys;
	struct bench_edits e = { .num = 1, .signer = signer };
	const struct hip_param *p;
	struct msg_builder b;
	struct hip_msg m;

	message_begin(&b, HIP_I2, hip_identity_hit(s->b.i),
		      hip_identity_hit(s->b.r));
	ck_assert_int_eq(encrypted_seal(&b, inner, k->cipher, k->hip.enc_out),
			 0);
	m = bench_parsed(b.buf, b.len);
	p = bench_param(&m, PARAM_ENCRYPTED);
	e.e[0] = (struct bench_edit){ PARAM_ENCRYPTED, p->contents, p->len };
	expect(s, &e, r);
}

START_TEST(an_encrypted_that_cannot_be_read_is_refused)
{
	struct stage s = stage_new(false);
	struct hip_msg m = bench_parsed(s.i2->out.buf, s.i2->out.len);
	const struct hip_param *p = bench_param(&m, PARAM_ENCRYPTED);
	uint8_t c[HIP_MSG_MAX] = { 0 };
	uint8_t *iv = c + 4;

	memcpy(c, p->contents, p->len);
	expect_with(&s, PARAM_ENCRYPTED, c, p->len, REASON_NUM);
	/* No multiple of the block; not even one; none at all. */
	expect_with(&s, PARAM_ENCRYPTED, c, p->len - 1u, REASON_HIP_ENCRYPTED);
	expect_with(&s, PARAM_ENCRYPTED, c, p->len + 1u, REASON_HIP_ENCRYPTED);
	expect_with(&s, PARAM_ENCRYPTED, c, 4 + 16, REASON_HIP_ENCRYPTED);
	expect_with(&s, PARAM_ENCRYPTED, c, 4, REASON_HIP_ENCRYPTED);
	/* The IV changes the first block, octet by octet: HOST_ID's type,
	 * 0x02c1, and its length. */
	iv[2] ^= 0xff;
	expect_with(&s, PARAM_ENCRYPTED, c, p->len, REASON_HIP_ENCRYPTED);
	iv[2] ^= 0xff;
	iv[0] ^= 0x01; /* 961, ECHO_RESPONSE_SIGNED: no HOST_ID inside */
	expect_with(&s, PARAM_ENCRYPTED, c, p->len, REASON_HIP_ENCRYPTED);
	iv[0] ^= 0x01;
	iv[1] ^= 0x02; /* 707, critical and unknown */
	expect_with(&s, PARAM_ENCRYPTED, c, p->len, REASON_HIP_CRITICAL);
	iv[1] ^= 0x02;
	expect_with(&s, PARAM_ENCRYPTED, c, p->len, REASON_NUM);
	expect_with(&s, PARAM_ENCRYPTED, NULL, 0, REASON_HIP_MISSING);
	stage_free(&s);
}
END_TEST

START_TEST(an_encrypted_without_a_host_id_is_refused)
{
	struct stage s = stage_new(true);
	struct msg_builder inner;

	message_begin_inner(&inner);
	sealed(&s, &inner, NULL, REASON_HIP_ENCRYPTED);
	message_put(&inner, PARAM_ECHO_RESPONSE_SIGNED, "x", 1);
	sealed(&s, &inner, NULL, REASON_HIP_ENCRYPTED);
	stage_free(&s);
}
END_TEST

START_TEST(a_host_id_that_is_not_the_hit_is_refused)
{
	struct stage s = stage_new(false);
	uint8_t host_id[IDENTITY_HOST_ID_MAX];
	struct msg_builder inner;
	const uint8_t *p;
	size_t len;

	/* A stranger's, who can sign: inside and in the clear. */
	p = identity_host_id(s.b.other, &len);
	message_begin_inner(&inner);
	message_put(&inner, PARAM_HOST_ID, p, len);
	sealed(&s, &inner, s.b.other, REASON_HIP_BAD_HIT);
	expect(&s,
	       &(struct bench_edits){ .e = { { PARAM_ENCRYPTED, NULL, 0 },
					     { PARAM_HOST_ID, p, len } },
				      .num = 2,
				      .signer = s.b.other },
	       REASON_HIP_BAD_HIT);
	/* The true one, cut, and with an algorithm we do not have. */
	p = identity_host_id(s.b.i, &len);
	memcpy(host_id, p, len);
	message_begin_inner(&inner);
	message_put(&inner, PARAM_HOST_ID, host_id, len - 1);
	sealed(&s, &inner, NULL, REASON_HIP_BAD_HIT);
	host_id[5] = IDENTITY_RSA;
	message_begin_inner(&inner);
	message_put(&inner, PARAM_HOST_ID, host_id, len);
	sealed(&s, &inner, NULL, REASON_HIP_PROPOSAL);
	stage_free(&s);
}
END_TEST

START_TEST(a_host_id_in_the_clear_is_as_good)
{
	struct stage s = stage_new(false);
	struct bench_edits e = { .e = { { PARAM_ENCRYPTED, NULL, 0 },
					{ PARAM_HOST_ID, NULL, 0 } },
				 .num = 2 };

	expect(&s, &e, REASON_HIP_MISSING);
	e.e[1].contents = identity_host_id(s.b.i, &e.e[1].len);
	expect(&s, &e, REASON_NUM);
	stage_free(&s);
}
END_TEST

START_TEST(an_invalid_dh_value_is_refused)
{
	struct stage s = stage_new(false);
	struct hip_msg m = bench_parsed(s.i2->out.buf, s.i2->out.len);
	uint8_t dh[3 + 97];
	struct dh_key *weak;

	memcpy(dh, bench_param(&m, PARAM_DIFFIE_HELLMAN)->contents, 99);
	dh[99] = 0;
	expect_with(&s, PARAM_DIFFIE_HELLMAN, dh, 99, REASON_NUM);
	flipped(&s, PARAM_DIFFIE_HELLMAN, SIZE_MAX, REASON_HIP_DH);
	dh[2] = 95;
	expect_with(&s, PARAM_DIFFIE_HELLMAN, dh, 98, REASON_HIP_DH);
	dh[2] = 97;
	expect_with(&s, PARAM_DIFFIE_HELLMAN, dh, 100, REASON_HIP_DH);
	expect_with(&s, PARAM_DIFFIE_HELLMAN, dh, 99, REASON_HIP_TLV);
	/* A good point, of the other group. */
	ck_assert_int_eq(dh_generate(dh_group_find(DH_P256), &weak), 0);
	dh[0] = DH_P256;
	dh[2] = 64;
	memcpy(dh + 3, dh_public(weak), 64);
	expect_with(&s, PARAM_DIFFIE_HELLMAN, dh, 67, REASON_HIP_DH);
	/* A good point of the right group, but not the one of the MAC. */
	memcpy(dh + 3, dh_public(s.b.pool->u.pool.dh), 96);
	dh[0] = DH_P384;
	dh[2] = 96;
	expect_with(&s, PARAM_DIFFIE_HELLMAN, dh, 99, REASON_HIP_MAC);
	dh_free(weak);
	stage_free(&s);
}
END_TEST

START_TEST(esp_keys_come_from_where_esp_info_says)
{
	struct stage s = stage_new(false);
	uint8_t info[12] = { 0 };
	struct bench_edits e = {
		.e = { { PARAM_ESP_INFO, info, sizeof(info) } }, .num = 1
	};
	struct sa_pair want = s.i2->keys->sa;
	struct msg_builder i2;
	struct hip_job *job;
	uint16_t next;

	put_be16(info + 2, 300);
	put_be32(info + 8, BENCH_SPI_I);
	remake(&s, &e, &i2);
	job = i2_job(&s, &i2);
	r2maker_run(job);
	ck_assert_int_eq(job->reason, REASON_NUM);
	ck_assert_int_eq(keymat_esp_keys(&s.i2->keys->km, 300, &want, &next),
			 0);
	ck_assert_mem_eq(&job->keys->sa.in, &want.out, sizeof(want.out));
	ck_assert_mem_eq(&job->keys->sa.out, &want.in, sizeof(want.in));
	ck_assert_uint_eq(job->keys->keymat_next, next);
	hipjob_free(job);
	put_be16(info + 2, 255 * 48); /* KEYMAT ends here */
	expect(&s, &e, REASON_HIP_CRYPTO);
	stage_free(&s);
}
END_TEST

Suite *test_r2maker_suite(void)
{
	Suite *s = suite_create("r2maker");
	TCase *t = tcase_create("r2maker");

	tcase_set_timeout(t, 60);
	tcase_add_test(t,
		       a_good_i2_gives_an_r2_that_verifies_and_the_same_keys);
	tcase_add_test(t, r2_carries_what_the_registrar_answers);
	tcase_add_test(t, echo_requests_in_i2_come_back_in_r2);
	tcase_add_test(t, a_changed_i2_has_a_wrong_mac);
	tcase_add_test(t, a_wrong_signature_is_refused);
	tcase_add_test(t, an_encrypted_that_cannot_be_read_is_refused);
	tcase_add_test(t, an_encrypted_without_a_host_id_is_refused);
	tcase_add_test(t, a_host_id_that_is_not_the_hit_is_refused);
	tcase_add_test(t, a_host_id_in_the_clear_is_as_good);
	tcase_add_test(t, an_invalid_dh_value_is_refused);
	tcase_add_test(t, esp_keys_come_from_where_esp_info_says);
	suite_add_tcase(s, t);
	return s;
}
