/* SPDX-License-Identifier: MIT */
/* The state table: in each state, the packets that have no cell. */
#include "test/unit/hip/lab.h"

#include "hip/assoc.h"
#include "hip/engine.h"
#include "hip/message.h"

/* Which packets Tables 2 to 9 know, by state: one letter each for I1, R1,
 * I2, R2, UPDATE, NOTIFY, CLOSE, CLOSE_ACK; '-' is an empty cell. */
static const char *const known[HIP_STATE_NUM] = {
	[HIP_UNASSOCIATED] = "1-3-----", [HIP_I1_SENT] = "123-----",
	[HIP_I2_SENT] = "1234--C-",	 [HIP_R2_SENT] = "1-3-UNC-",
	[HIP_ESTABLISHED] = "1-3-UNC-",	 [HIP_CLOSING] = "1-3---CA",
	[HIP_CLOSED] = "123---CA",	 [HIP_E_FAILED] = "1-3-----",
};

static const uint8_t types[] = { HIP_I1,    HIP_R1,	  HIP_I2,
				 HIP_R2,    HIP_UPDATE,	  HIP_NOTIFY,
				 HIP_CLOSE, HIP_CLOSE_ACK };

START_TEST(an_empty_cell_drops_counts_and_stays)
{
	for (int s = 0; s < HIP_STATE_NUM; s++) {
		struct lab *lab =
			lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
		enum reason r = s ? REASON_HIP_STATE : REASON_HIP_NO_ASSOC;
		struct assoc *a = NULL;

		if (s) {
			ck_assert_int_eq(assoc_add(lab->host[1].h,
						   &lab->host[1].hit,
						   &lab->host[0].hit, &a),
					 0);
			a->state = (enum hip_state)s;
		}
		for (size_t i = 0; i < sizeof(types); i++) {
			struct lab_packet p = { .src = lab->host[0].at,
						.dst = lab->host[1].at };
			uint64_t before = lab_drops(lab, 1, r);
			struct msg_builder b;

			if (known[s][i] != '-')
				continue;
			message_begin(&b, types[i], &lab->host[0].hit,
				      &lab->host[1].hit);
			memcpy(p.msg, b.buf, b.len);
			p.len = b.len;
			lab_input(lab, 1, &p);
			ck_assert_msg(lab_drops(lab, 1, r) == before + 1,
				      "%s in %s", hip_type_name(types[i]),
				      hip_state_name((enum hip_state)s));
			ck_assert_uint_eq(lab->host[1].last[HIP_DROPPED].type,
					  types[i]);
			ck_assert_int_eq(lab_state(lab, 1, 0), s);
		}
		lab_free(lab);
	}
}
END_TEST

START_TEST(states_and_types_have_names)
{
	ck_assert_str_eq(hip_state_name(HIP_E_FAILED), "E-FAILED");
	ck_assert_str_eq(hip_state_name(HIP_UNASSOCIATED), "UNASSOCIATED");
	ck_assert_str_eq(hip_state_name(HIP_STATE_NUM), "?");
	ck_assert_str_eq(hip_type_name(HIP_CLOSE_ACK), "CLOSE_ACK");
	ck_assert_str_eq(hip_type_name(5), "?");
	ck_assert_str_eq(hip_type_name(255), "?");
}
END_TEST

Suite *test_statetab_suite(void)
{
	Suite *s = suite_create("statetab");
	TCase *t = tcase_create("statetab");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_empty_cell_drops_counts_and_stays);
	tcase_add_test(t, states_and_types_have_names);
	suite_add_tcase(s, t);
	return s;
}
