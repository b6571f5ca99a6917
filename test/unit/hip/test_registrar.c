/* SPDX-License-Identifier: MIT */
/* What a rendezvous server grants, refuses and forgets. */
#include "test/unit/hip/lab.h"

#include "hip/engine.h"
#include "hip/fields.h"

/* A REG_REQUEST for these types in an I2, and what it would get. */
static struct registrar_answer ask(struct hip *h, uint8_t code,
				   const uint8_t *types, size_t num)
{
	struct field_reg reg = { .first = code,
				 .types = types,
				 .types_num = num };
	struct hit who = { { 0x20, 1, 0, 0x22, 1 } };
	struct registrar_answer ans;
	struct msg_builder b;
	struct hip_msg m;

	message_begin(&b, HIP_I2, &who, hip_default_hit(h));
	fields_put_reg(&b, PARAM_REG_REQUEST, &reg);
	ck_assert_int_eq(message_finish(&b), 0);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	ck_assert(registrar_decide(h, &m, &ans));
	return ans;
}

static struct lab *server(bool rendezvous, const struct hit *allow)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	cfg.rendezvous = rendezvous;
	cfg.allow = allow;
	cfg.allow_num = allow ? 1 : 0;
	lab->now = 9 * LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	return lab;
}

START_TEST(rendezvous_is_granted_other_types_are_not)
{
	static const uint8_t types[] = { 2, FIELDS_REG_RENDEZVOUS, 77, 2 };
	struct lab *lab = server(true, NULL);
	struct registrar_answer a = ask(lab->host[0].h, 100, types, 4);

	ck_assert(a.granted && !a.refused);
	ck_assert_uint_eq(a.code, 100);
	ck_assert_uint_eq(a.other_num, 2);
	ck_assert_uint_eq(a.other[0], 2);
	ck_assert_uint_eq(a.other[1], 77);
	a = ask(lab->host[0].h, 255, types, 4);
	ck_assert_uint_eq(a.code, registrar_max);
	a = ask(lab->host[0].h, 1, types, 4);
	ck_assert_uint_eq(a.code, registrar_min);
	a = ask(lab->host[0].h, 0, types, 4); /* cancel */
	ck_assert(a.granted);
	ck_assert_uint_eq(a.code, 0);
	lab_free(lab);
}
END_TEST

START_TEST(without_the_service_or_the_right_it_is_refused)
{
	static const uint8_t type = FIELDS_REG_RENDEZVOUS;
	static const struct hit other = { { 0x20, 1, 0, 0x22, 2 } };
	struct lab *lab = server(false, NULL);
	struct registrar_answer a = ask(lab->host[0].h, 100, &type, 1);

	ck_assert(a.refused && !a.granted);
	ck_assert_uint_eq(a.why, FIELDS_REG_UNAVAILABLE);
	lab_free(lab);
	lab = server(true, &other);
	a = ask(lab->host[0].h, 100, &type, 1);
	ck_assert(a.refused && !a.granted);
	ck_assert_uint_eq(a.why, FIELDS_REG_NO_CREDENTIALS);
	lab_free(lab);
}
END_TEST

START_TEST(a_registration_is_made_renewed_and_cancelled)
{
	struct lab *lab = server(true, NULL);
	struct registrar_answer ans = { .granted = true, .code = 128 };
	struct hit who = { { 0x20, 1, 0, 0x22, 1 } };
	struct hip *h = lab->host[0].h;
	struct assoc *a;

	ck_assert_int_eq(assoc_add(h, hip_default_hit(h), &who, &a), 0);
	registrar_commit(h, a, &ans, lab->now); /* 2^8 s */
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].last[HIP_REGISTRAR].lifetime_s, 256);
	ck_assert_ptr_eq(registrar_find(h, &who), a);
	lab_sleep(lab, 200 * LAB_S);
	registrar_commit(h, a, &ans, lab->now);
	lab_sleep(lab, 200 * LAB_S);
	ck_assert(registrar_holds(h, a));
	ck_assert_uint_eq(h->registrar.num, 1);
	lab_sleep(lab, 57 * LAB_S);
	ck_assert(!registrar_holds(h, a)); /* expired */
	registrar_commit(h, a, &ans, lab->now);
	ans.code = 0;
	registrar_commit(h, a, &ans, lab->now);
	ck_assert_ptr_null(registrar_find(h, &who));
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].last[HIP_REGISTRAR].lifetime_s, 0);
	/* It ends with the association, too. */
	ans.code = 128;
	registrar_commit(h, a, &ans, lab->now);
	assoc_del(h, a, lab->now);
	ck_assert_ptr_null(registrar_find(h, &who));
	ck_assert_uint_eq(h->registrar.num, 0);
	lab_free(lab);
}
END_TEST

Suite *test_registrar_suite(void)
{
	Suite *s = suite_create("registrar");
	TCase *t = tcase_create("registrar");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, rendezvous_is_granted_other_types_are_not);
	tcase_add_test(t, without_the_service_or_the_right_it_is_refused);
	tcase_add_test(t, a_registration_is_made_renewed_and_cancelled);
	suite_add_tcase(s, t);
	return s;
}
