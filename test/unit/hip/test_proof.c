/* SPDX-License-Identifier: MIT */
/* What an address must echo, and what an echo proves. */
#include "test/unit/hip/move_bed.h"

#include "hip/proof.h"

START_TEST(a_nonce_is_for_one_pair_and_one_update)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip *h = lab->host[0].h;
	struct assoc *a = assoc(lab, 0);
	struct endpoint x = bed_at("192.0.2.1");
	struct endpoint y = bed_at("192.0.2.2");
	struct proof_nonce v[6];

	v[0] = proof_nonce(h, a, &x, &y);
	v[1] = proof_nonce(h, a, &y, &x);
	v[2] = proof_nonce(h, a, NULL, &y);
	x.port++;
	v[3] = proof_nonce(h, a, &x, &y);
	x.port--;
	a->up.next_id++;
	v[4] = proof_nonce(h, a, &x, &y);
	a->up.next_id--;
	a->serial++;
	v[5] = proof_nonce(h, a, &x, &y);
	a->serial--;
	for (int i = 0; i < 6; i++) {
		for (int k = 0; k < i; k++)
			ck_assert_mem_ne(v[i].b, v[k].b, sizeof(v[i].b));
	}
	v[1] = proof_nonce(h, a, &x, &y);
	ck_assert_mem_eq(v[0].b, v[1].b, sizeof(v[0].b));
	lab_free(lab);
}
END_TEST

/* One that comes late proves its own path by its own UPDATE, no other. */
START_TEST(a_late_echo_is_of_one_path_and_one_update)
{
	static const char *const two[] = { "192.0.2.1", "203.0.113.1" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	const struct endpoint to[] = { bed_at(two[0]), bed_at(two[1]) };
	struct hip *h = lab->host[1].h;
	struct assoc *a = assoc(lab, 1);
	struct packet pk = { .from = &to[0], .at = &lab->host[1].at };
	struct proof_nonce echo;
	struct msg_builder b;
	uint32_t id;
	int i, other;

	bed_here(lab, 0, two, 2);
	lab_sleep(lab, LAB_S);
	id = a->up.next_id - 1;
	i = paths_find(a->paths, &lab->host[1].at, &to[0]);
	other = paths_find(a->paths, &lab->host[1].at, &to[1]);
	ck_assert(i >= 0 && other >= 0);
	echo = proof_nonce(h, a, &lab->host[1].at, &to[0]);
	message_begin(&b, HIP_UPDATE, &a->peer, &a->self);
	message_put(&b, PARAM_ECHO_RESPONSE_UNSIGNED, echo.b, sizeof(echo.b));
	ck_assert_int_eq(message_finish(&b), HG_OK);
	ck_assert_int_eq(param_parse(b.buf, b.len, &pk.m), REASON_NUM);
	a->up.next_id += 3;
	ck_assert(proof_late(h, a, &pk, i, id));
	ck_assert(!proof_late(h, a, &pk, i, id + 1));
	ck_assert(!proof_late(h, a, &pk, other, id));
	lab_free(lab);
}
END_TEST

Suite *test_proof_suite(void);
Suite *test_proof_suite(void)
{
	Suite *s = suite_create("proof");
	TCase *t = tcase_create("proof");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_nonce_is_for_one_pair_and_one_update);
	tcase_add_test(t, a_late_echo_is_of_one_path_and_one_update);
	suite_add_tcase(s, t);
	return s;
}
