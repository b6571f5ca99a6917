/* SPDX-License-Identifier: MIT */
/* Every identity, DH group, cipher and ESP suite in whole exchanges; offers
 * that do not meet; HIT suites that one side does not do. */
#include "core/sa.h"
#include "hip/dh.h"
#include "hip/suite.h"
#include "test/unit/hip/bench.h"

static const uint16_t dhs[] = { 3, 4, 7, 8, 9, 11 };
static const uint16_t cipher_ids[] = { 2, 4 };
static const uint16_t esps[] = { 7, 8, 9, 10, 11, 12, 13 };

enum { KEYS = 6, DHS = 6, CIPHERS = 2, ESPS = 7 };

/* What both sides are told to use. */
struct choice {
	uint16_t dh;
	uint16_t cipher;
	uint16_t esp;
};

static struct hip_config config_of(const struct choice *c,
				   const struct hit *peer)
{
	struct hip_config cfg = lab_config();

	cfg.offer.dh[0] = c->dh;
	cfg.offer.dh_num = 1;
	cfg.offer.cipher[0] = c->cipher;
	cfg.offer.cipher_num = 1;
	/* Suite 7 comes by the list of peers, beside another one. */
	cfg.offer.esp[0] = c->esp == SA_NULL_SHA256 ? 13 : c->esp;
	cfg.offer.esp_num = 1;
	if (c->esp == SA_NULL_SHA256) {
		cfg.esp_null = peer;
		cfg.esp_null_num = 1;
	}
	return cfg;
}

/* known_keys i asks, j answers. */
static void exchange(size_t i, size_t j, const struct choice *c)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_identity *a = lab_known(i);
	struct hip_identity *b = lab_known(j);
	const struct hit at_a = *hip_identity_hit(b);
	const struct hit at_b = *hip_identity_hit(a);
	struct hip_config ca = config_of(c, &at_a);
	struct hip_config cb = config_of(c, &at_b);

	lab->now = 1000 * LAB_S;
	lab_boot_id(lab, 0, &ca, a);
	lab_boot_id(lab, 1, &cb, b);
	ck_assert_int_eq(lab_want(lab, 0, 1), 0);
	lab_run(lab);
	ck_assert_msg(lab_agree(lab, 0, 1),
		      "keys %zu, %zu, DH %u, cipher %u, ESP %u", i, j, c->dh,
		      c->cipher, c->esp);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_uint_eq(lab->host[0].sa.suite, c->esp);
	ck_assert_uint_eq(lab->host[0].count[HIP_DROPPED], 0);
	ck_assert_uint_eq(lab->host[1].count[HIP_DROPPED], 0);
	lab_free(lab);
}

/* Both orders of each pair, so that each HIT is once the greater one; the
 * other suites take turns. */
START_TEST(each_pair_of_identities)
{
	size_t i = (size_t)_i / KEYS;
	size_t j = (size_t)_i % KEYS;

	if (i == j)
		return; /* a host does not talk to itself */
	for (size_t n = 0; n < 2; n++) {
		size_t turn = 2 * (size_t)_i + n;
		const struct choice c = { dhs[turn % DHS],
					  cipher_ids[turn / 3 % CIPHERS],
					  esps[turn % ESPS] };

		exchange(i, j, &c);
	}
}
END_TEST

START_TEST(each_dh_group_with_each_cipher_and_esp_suite)
{
	for (size_t n = 0; n < CIPHERS * ESPS; n++) {
		const struct choice c = { dhs[_i], cipher_ids[n % CIPHERS],
					  esps[n / CIPHERS] };

		/* P-256 and P-384; RSA-2048 as Responder: both RHASHes */
		exchange(n % 2, n % 3 ? 1 - n % 2 : 2, &c);
	}
}
END_TEST

/* HIP_CIPHER 1: only where the build has it, and only when it is listed. */
START_TEST(null_encrypt_is_for_debug_builds)
{
	const struct choice c = { DH_P256, SUITE_NULL, 13 };
	struct hip_config cfg = config_of(&c, NULL);
	struct hip *h;

	if (suite_cipher_find(SUITE_NULL))
		exchange(0, 1, &c);
	else
		ck_assert_int_eq(hip_new(&cfg, 0, &h), HG_EUNSUPP);
}
END_TEST

/* The Responder's list decides (RFC 7401 5.2.6), and the Initiator agrees. */
START_TEST(the_responders_order_decides_the_group)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 1000 * LAB_S;
	lab_boot_id(lab, 0, &cfg, lab_known(0));
	cfg.offer = (struct hip_offer){ .dh = { 9, 7 }, .dh_num = 2 };
	lab_boot_id(lab, 1, &cfg, lab_known(1));
	ck_assert_int_eq(lab_want(lab, 0, 1), 0);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[0].count[HIP_DROPPED], 0);
	lab_free(lab);
}
END_TEST

/* Offers without a common id: the exchange fails, and says why. */
static void no_common(const struct hip_offer *mine,
		      const struct hip_offer *theirs, enum reason why)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 1000 * LAB_S;
	cfg.offer = *mine;
	lab_boot_id(lab, 0, &cfg, lab_known(0));
	cfg.offer = *theirs;
	lab_boot_id(lab, 1, &cfg, lab_known(1));
	ck_assert_int_eq(lab_want(lab, 0, 1), 0);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 0, why), 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_UNASSOCIATED);
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
	ck_assert_int_eq(lab->host[0].last[HIP_FAILED].reason, why);
	ck_assert(hit_is_null(&lab->host[0].last[HIP_FAILED].instead));
	ck_assert_uint_eq(lab->sent[HIP_I2], 0);
	lab_free(lab);
}

START_TEST(offers_that_do_not_meet_fail)
{
	no_common(&(struct hip_offer){ .dh = { 7 }, .dh_num = 1 },
		  &(struct hip_offer){ .dh = { 8, 3 }, .dh_num = 2 },
		  REASON_HIP_DOWNGRADE);
	no_common(&(struct hip_offer){ .cipher = { 2 }, .cipher_num = 1 },
		  &(struct hip_offer){ .cipher = { 4 }, .cipher_num = 1 },
		  REASON_HIP_PROPOSAL);
	no_common(&(struct hip_offer){ .esp = { 13, 8 }, .esp_num = 2 },
		  &(struct hip_offer){ .esp = { 12, 10 }, .esp_num = 2 },
		  REASON_HIP_PROPOSAL);
}
END_TEST

/* RFC 7402 3.3.5: both must want it. */
START_TEST(no_encryption_only_where_both_list_each_other)
{
	for (int who = 0; who < 3; who++) {
		struct lab *lab = calloc(1, sizeof(*lab));
		struct hip_identity *a = lab_known(0);
		struct hip_identity *b = lab_known(1);
		const struct hit hit[2] = { *hip_identity_hit(a),
					    *hip_identity_hit(b) };
		struct hip_config ca = lab_config();
		struct hip_config cb = lab_config();

		lab->now = 1000 * LAB_S;
		if (who != 1) {
			ca.esp_null = &hit[1];
			ca.esp_null_num = 1;
		}
		if (who != 2) {
			cb.esp_null = &hit[0];
			cb.esp_null_num = 1;
		}
		lab_boot_id(lab, 0, &ca, a);
		lab_boot_id(lab, 1, &cb, b);
		ck_assert_int_eq(lab_want(lab, 0, 1), 0);
		lab_run(lab);
		ck_assert(lab_agree(lab, 0, 1));
		ck_assert_uint_eq(lab->host[0].sa.suite, who == 0 ? 7 : 13);
		lab_free(lab);
	}
}
END_TEST

/* A Responder that offers suite 7 to somebody refuses it from others. */
START_TEST(an_unlisted_peer_that_takes_suite_7_is_refused)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_identity *a = lab_known(0);
	struct hip_identity *b = lab_known(1);
	const struct hit b_hit = *hip_identity_hit(b);
	const struct hit stranger = { .b = { 0x20, 1, 0, 0x22, 9 } };
	struct hip_config ca = lab_config();
	struct hip_config cb = lab_config();

	lab->now = 1000 * LAB_S;
	ca.esp_null = &b_hit;
	ca.esp_null_num = 1;
	cb.esp_null = &stranger;
	cb.esp_null_num = 1;
	lab_boot_id(lab, 0, &ca, a);
	lab_boot_id(lab, 1, &cb, b);
	ck_assert_int_eq(lab_want(lab, 0, 1), 0);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_PROPOSAL), 1);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_UNASSOCIATED);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	ck_assert(!lab->host[0].up && !lab->host[1].up);
	lab_free(lab);
}
END_TEST

/* ---- HIT suites (RFC 7401 6.8 step 6) ----------------------------------- */

/* Rewrites the Responder's R1s: HIT_SUITE_LIST has RSA's suite alone. */
struct narrow {
	const struct hip_identity *signer;
};

static bool narrow_r1(struct lab *lab, struct lab_packet *p)
{
	static const uint8_t rsa_only[] = { 0x10, 0x30 };
	const struct narrow *n = lab->hook_arg;
	const struct bench_edits e = { .e = { { PARAM_HIT_SUITE_LIST, rsa_only,
						sizeof(rsa_only) } },
				       .num = 1 };
	struct msg_builder b;
	struct hip_msg m;

	if ((p->msg[2] & 0x7f) != HIP_R1)
		return true;
	m = bench_parsed(p->msg, p->len);
	message_begin(&b, HIP_R1, &m.sender, &m.receiver);
	bench_copy(&b, &m, &e, 0, PARAM_HIP_SIGNATURE_2);
	ck_assert_int_eq(auth_put_signature_2(&b, n->signer), 0);
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p->msg, b.buf, b.len);
	p->len = b.len;
	return true;
}

/* Host 0 has a P-256 identity first; host 1 answers with narrowed lists,
 * signed by this key (of known_keys). */
static struct lab *narrowed(struct narrow *n, size_t signer)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 1000 * LAB_S;
	lab_boot_id(lab, 0, &cfg, lab_known(0));
	lab_boot_id(lab, 1, &cfg, lab_known(1));
	n->signer = lab_known(signer);
	lab->hook = narrow_r1;
	lab->hook_arg = n;
	return lab;
}

static void narrowed_free(struct lab *lab, struct narrow *n)
{
	hip_identity_free((struct hip_identity *)n->signer);
	lab_free(lab);
}

START_TEST(another_identity_of_ours_takes_over)
{
	struct narrow n;
	struct lab *lab = narrowed(&n, 1);
	struct hip_identity *rsa = lab_known(2);
	const struct hit rsa_hit = *hip_identity_hit(rsa);
	const struct lab_host *host = &lab->host[0];

	ck_assert_int_eq(hip_add_identity(host->h, rsa, lab->now), 0);
	lab_drain(lab);
	ck_assert_int_eq(lab_want(lab, 0, 1), 0);
	lab_run(lab);
	/* It waits for a better R1 first. */
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_PROPOSAL), 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	ck_assert_uint_eq(host->count[HIP_FAILED], 0);
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(host->count[HIP_FAILED], 1);
	ck_assert(hit_eq(&host->last[HIP_FAILED].self, &host->hit));
	ck_assert_int_eq(host->last[HIP_FAILED].reason, REASON_HIP_PROPOSAL);
	ck_assert(hit_eq(&host->last[HIP_FAILED].instead, &rsa_hit));
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(hit_eq(&host->sa.self, &rsa_hit));
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_UNASSOCIATED);
	ck_assert_uint_eq(lab->sent[HIP_I2], 1);
	narrowed_free(lab, &n);
}
END_TEST

/* Neither is one that must not be linked with another shown, nor the other
 * way round. */
START_TEST(anonymous_identities_take_over_from_nobody_and_nobody_from_them)
{
	for (int mine = 0; mine < 2; mine++) {
		struct narrow n;
		struct lab *lab = narrowed(&n, 1);
		const struct lab_host *host = &lab->host[0];
		struct hip_identity *rsa = lab_known(2);
		struct hit self = host->hit;

		if (!mine)
			hip_identity_set_anonymous(rsa);
		ck_assert_int_eq(hip_add_identity(host->h, rsa, lab->now), 0);
		lab_drain(lab);
		if (mine) {
			ck_assert_int_eq(hip_make_identity(host->h, 1), 0);
			lab_drain(lab);
			self = host->last[HIP_IDENTITY].self;
		}
		ck_assert_int_eq(hip_want(host->h, &self, &lab->host[1].hit,
					  &lab->host[1].at, 1, lab->now),
				 0);
		lab_drain(lab);
		lab_sleep(lab, LAB_S);
		ck_assert_uint_eq(host->count[HIP_FAILED], 1);
		ck_assert(hit_is_null(&host->last[HIP_FAILED].instead));
		ck_assert_uint_eq(lab->sent[HIP_I1], 1);
		narrowed_free(lab, &n);
	}
}
END_TEST

START_TEST(without_another_identity_it_fails_at_once)
{
	struct narrow n;
	struct lab *lab = narrowed(&n, 1);
	const struct lab_host *host = &lab->host[0];

	ck_assert_int_eq(hip_add_identity(host->h, lab_known(1), lab->now),
			 0); /* of the same suite: no help */
	lab_drain(lab);
	ck_assert_int_eq(lab_want(lab, 0, 1), 0);
	lab_run(lab);
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(host->count[HIP_FAILED], 1);
	ck_assert_int_eq(host->last[HIP_FAILED].reason, REASON_HIP_PROPOSAL);
	ck_assert(hit_is_null(&host->last[HIP_FAILED].instead));
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_E_FAILED);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	narrowed_free(lab, &n);
}
END_TEST

/* Only a verified list counts: a forged one must not choose for us. */
START_TEST(a_forged_list_changes_nothing)
{
	struct narrow n;
	struct lab *lab = narrowed(&n, 0); /* not the Responder's key */
	const struct lab_host *host = &lab->host[0];

	ck_assert_int_eq(hip_add_identity(host->h, lab_known(2), lab->now), 0);
	lab_drain(lab);
	ck_assert_int_eq(lab_want(lab, 0, 1), 0);
	lab_run(lab);
	lab_sleep(lab, LAB_S);
	ck_assert_uint_ge(lab_drops(lab, 0, REASON_HIP_SIGNATURE), 1);
	ck_assert_uint_eq(host->count[HIP_FAILED], 0);
	lab->hook = NULL;
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(hit_eq(&host->sa.self, &host->hit));
	narrowed_free(lab, &n);
}
END_TEST

/* A Responder's HIT of a suite we do not do: nothing of its R1 can be
 * verified, so nothing of it is used (RFC 7401 4.1.8). */
START_TEST(an_r1_of_an_unknown_suite_is_dropped)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();
	struct lab_packet p = { .src = lab_at(1), .dst = lab_at(0) };
	struct msg_builder b;
	struct hip_job *r1;
	struct hit odd;

	lab->now = 1000 * LAB_S;
	lab_boot_id(lab, 0, &cfg, lab_known(0));
	r1 = bench_pool(lab_known(1), DH_P256, false);
	memcpy(b.buf, r1->out.buf, r1->out.len);
	odd = r1->self;
	odd.b[3] = 0x25;
	memcpy(b.buf + 8, odd.b, 16);
	memcpy(b.buf + 24, lab->host[0].hit.b, 16);
	ck_assert_int_eq(
		hip_want(lab->host[0].h, NULL, &odd, &p.src, 1, lab->now), 0);
	lab_drain(lab);
	p.len = r1->out.len;
	memcpy(p.msg, b.buf, p.len);
	lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_PROPOSAL), 1);
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
	ck_assert(hit_is_null(&lab->host[0].last[HIP_FAILED].instead));
	ck_assert_uint_eq(lab->sent[HIP_I2], 0);
	hip_identity_free(r1->id); /* lab_known's own reference */
	hipjob_free(r1);
	lab_free(lab);
}
END_TEST

Suite *test_suite_matrix_suite(void);
Suite *test_suite_matrix_suite(void)
{
	Suite *s = suite_create("hip/suite_matrix");
	TCase *tc = tcase_create("matrix");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, each_pair_of_identities, 0, KEYS * KEYS);
	tcase_add_loop_test(tc, each_dh_group_with_each_cipher_and_esp_suite, 0,
			    DHS);
	tcase_add_test(tc, null_encrypt_is_for_debug_builds);
	tcase_add_test(tc, the_responders_order_decides_the_group);
	tcase_add_test(tc, offers_that_do_not_meet_fail);
	tcase_add_test(tc, no_encryption_only_where_both_list_each_other);
	tcase_add_test(tc, an_unlisted_peer_that_takes_suite_7_is_refused);
	tcase_add_test(tc, another_identity_of_ours_takes_over);
	tcase_add_test(tc, without_another_identity_it_fails_at_once);
	tcase_add_test(
		tc,
		anonymous_identities_take_over_from_nobody_and_nobody_from_them);
	tcase_add_test(tc, a_forged_list_changes_nothing);
	tcase_add_test(tc, an_r1_of_an_unknown_suite_is_dropped);
	suite_add_tcase(s, tc);
	return s;
}
