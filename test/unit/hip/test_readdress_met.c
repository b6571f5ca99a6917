/* SPDX-License-Identifier: MIT */
/* What the base exchange says of addresses: in R1, I2 and R2. */
#include "test/unit/hip/move_bed.h"

#include "hip/auth.h"

/* A Responder that names its addresses in R1 (RFC 8047 4.2.8). */
struct r1_with {
	struct bed_net n;
	const char *at[2]; /* the first is preferred */
	unsigned made;
};

static bool r1_hook(struct lab *lab, struct lab_packet *p)
{
	struct r1_with *w = lab->hook_arg;
	const struct hip_identity *id = lab->host[1].h->id[0];
	struct msg_builder b;
	struct hip_msg m;

	if (p->msg[2] != HIP_R1)
		return bed_hook(lab, p);
	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	message_begin(&b, HIP_R1, &m.sender, &m.receiver);
	for (size_t i = 0; i < m.num; i++) {
		const struct hip_param *q = &m.params[i];

		if (q->id == PARAM_PUZZLE)
			bed_put_set(&b, w->at, 2, 0);
		if (q->id == PARAM_HIP_SIGNATURE_2)
			ck_assert_int_eq(auth_put_signature_2(&b, id), HG_OK);
		else
			message_put(&b, q->id, q->contents, q->len);
	}
	ck_assert_int_eq(message_finish(&b), HG_OK);
	memcpy(p->msg, b.buf, p->len = b.len);
	w->made++;
	return bed_hook(lab, p);
}

static struct lab *meet(struct r1_with *w)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);

	bed_net(lab, &w->n);
	lab->hook = r1_hook;
	lab->hook_arg = w;
	lab->host[1].also[0] = bed_at("203.0.113.9");
	lab->host[1].also_num = 1;
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_uint_ge(w->made, 1);
	return lab;
}

START_TEST(i2_goes_where_a_signed_r1_prefers)
{
	struct r1_with w = { .at = { "203.0.113.9", "192.0.2.2" } };
	struct lab *lab = meet(&w);

	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(bed_is(lab, 0, "192.0.2.1", "203.0.113.9"));
	ck_assert(view(lab, 0).verified);
	lab_sleep(lab, 2 * LAB_S);
	/* The other one is verified when the exchange is over. */
	ck_assert_int_eq(bed_path(lab, 0, "192.0.2.1", "192.0.2.2").state,
			 HIP_PATH_ACTIVE);
	lab_free(lab);
}
END_TEST

/* Nobody is there: back to where we were told. */
START_TEST(a_preferred_one_that_does_not_answer_is_no_trap)
{
	struct r1_with w = { .at = { "203.0.113.77" } };
	struct lab *lab = meet(&w);

	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	lab->hook = bed_hook; /* it was a slip */
	lab_sleep(lab, 10 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(bed_is(lab, 0, "192.0.2.1", "192.0.2.2"));
	lab_free(lab);
}
END_TEST

START_TEST(an_r1_with_a_bad_set_is_refused)
{
	struct r1_with w = { .at = { "127.0.0.1" } };
	struct lab *lab = meet(&w);

	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	ck_assert_uint_ge(lab_drops(lab, 0, REASON_HIP_LOCATOR_ADDR), 1);
	ck_assert_uint_eq(lab->sent[HIP_I2], 0);
	lab_free(lab);
}
END_TEST

/* The two meet, and host i names two addresses. */
static struct lab *one_has_two(struct bed_record *r, size_t i,
			       const char *const *two)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);

	bed_net(lab, &r->n);
	lab->hook = bed_record_hook;
	lab->hook_arg = r;
	bed_here(lab, i, two, 2);
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	return lab;
}

/* Our I2 names them all; R2 comes to where it came from. */
START_TEST(i2_names_the_addresses_we_have)
{
	static const char *const two[] = { "192.0.2.1", "203.0.113.1" };
	struct bed_record r = { .num = 0 };
	struct lab *lab = one_has_two(&r, 0, two);

	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	bed_traffic(lab, 1, true);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "203.0.113.1").state,
			 HIP_PATH_ACTIVE);
	ck_assert(bed_path(lab, 1, "192.0.2.2", "192.0.2.1").preferred);
	/* Nothing is left to be told. */
	ck_assert_uint_gt(r.num, 0);
	for (size_t i = 0; i < r.num; i++)
		ck_assert(r.p[i].from == 1 ||
			  !bed_has(&r.p[i], PARAM_LOCATOR_SET));
	lab_free(lab);
}
END_TEST

/* RFC 8047 4.2.8: nobody learns them before his I2 was good. */
START_TEST(r2_names_the_addresses_we_have)
{
	static const char *const two[] = { "192.0.2.2", "203.0.113.2" };
	struct bed_record r = { .num = 0 };
	struct lab *lab = one_has_two(&r, 1, two);

	/* Known, and asked at once. */
	ck_assert_uint_eq(bed_paths(lab, 0), 2);
	bed_traffic(lab, 1, true);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(bed_is(lab, 0, "192.0.2.1", "192.0.2.2"));
	ck_assert_int_eq(bed_path(lab, 0, "192.0.2.1", "203.0.113.2").state,
			 HIP_PATH_ACTIVE);
	ck_assert(bed_path(lab, 0, "192.0.2.1", "192.0.2.2").preferred);
	ck_assert_uint_gt(r.num, 0);
	for (size_t i = 0; i < r.num; i++)
		ck_assert(!bed_has(&r.p[i], PARAM_LOCATOR_SET));
	lab_free(lab);
}
END_TEST

Suite *test_readdress_met_suite(void);
Suite *test_readdress_met_suite(void)
{
	Suite *s = suite_create("readdress_met");
	TCase *t = tcase_create("readdress_met");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, i2_goes_where_a_signed_r1_prefers);
	tcase_add_test(t, a_preferred_one_that_does_not_answer_is_no_trap);
	tcase_add_test(t, an_r1_with_a_bad_set_is_refused);
	tcase_add_test(t, i2_names_the_addresses_we_have);
	tcase_add_test(t, r2_names_the_addresses_we_have);
	suite_add_tcase(s, t);
	return s;
}
