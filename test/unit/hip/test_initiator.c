/* SPDX-License-Identifier: MIT */
/* The Initiator: retries, refusals, crossing exchanges, peers that restart. */
#include "core/wire.h"
#include "hip/offer.h"
#include "test/unit/hip/alloc.h"
#include "test/unit/hip/snap.h"

static struct lab *pair(void)
{
	return lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
}

static bool lose_all(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	(void)p;
	return false;
}

START_TEST(unanswered_i1_is_sent_five_times_and_fails_for_thirty_seconds)
{
	struct lab *lab = pair();
	uint64_t t0 = lab->now;

	lab->hook = lose_all;
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	lab_sleep(lab, 15 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_I1], 5); /* 0, .5, 1.5, 3.5, 7.5 s */
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	lab_sleep(lab, LAB_S); /* 15.5 s */
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_E_FAILED);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
	ck_assert_int_eq(lab->host[0].last[HIP_FAILED].reason,
			 REASON_HIP_TIMEOUT);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_EAGAIN);
	lab_sleep(lab, 31 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	lab->hook = NULL;
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_gt(lab->now, t0);
	lab_free(lab);
}
END_TEST

START_TEST(i1_races_three_locators_then_goes_to_one_at_a_time)
{
	struct lab *lab = pair();
	struct endpoint at[5];

	for (size_t i = 0; i < 5; i++)
		at[i] = lab_at(10 + i);
	lab->hook = lose_all;
	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &lab->host[1].hit, at,
				  5, lab->now),
			 HG_OK);
	lab_effects(lab, 0);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(lab->sent[HIP_I1], i + 1);
		ck_assert(endpoint_eq(&lab->host[0].last[HIP_SEND].peer_at,
				      &at[i]));
		lab_sleep(lab, i < 2 ? 260 * LAB_MS : 400 * LAB_MS);
	}
	ck_assert_uint_eq(lab->sent[HIP_I1], 3);
	lab_sleep(lab, 200 * LAB_MS);
	ck_assert_uint_eq(lab->sent[HIP_I1], 4);
	ck_assert(endpoint_eq(&lab->host[0].last[HIP_SEND].peer_at, &at[3]));
	lab_sleep(lab, LAB_S);
	ck_assert(endpoint_eq(&lab->host[0].last[HIP_SEND].peer_at, &at[4]));
	lab_free(lab);
}
END_TEST

struct stash {
	uint8_t type;
	struct lab_packet p;
};

static bool stash(struct lab *lab, struct lab_packet *p)
{
	struct stash *s = lab->hook_arg;

	if (p->msg[2] != s->type || s->p.len)
		return true;
	s->p = *p;
	return false; /* the first one comes late */
}

static bool lose_r1(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	return p->msg[2] != HIP_R1;
}

/* Sixteen R1s a second that could be the peer's until their signatures have
 * been checked, so that there always is one in work. */
START_TEST(forged_r1s_neither_stop_the_i1s_nor_pile_up)
{
	struct lab *lab = pair();
	struct stash s = { .type = HIP_R1 };
	struct hip_msg m;
	uint8_t *i;

	hip_set_opportunistic(lab->host[1].h, true);
	lab->hook = stash;
	lab->hook_arg = &s;
	if (_i == 0)
		ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	else
		ck_assert_int_eq(hip_want_opportunistic(lab->host[0].h, NULL,
							&lab->host[1].at,
							lab->now),
				 HG_OK);
	lab_drain(lab);
	ck_assert_uint_gt(s.p.len, 0);
	lab->hook = lose_r1;
	ck_assert_int_eq(param_parse(s.p.msg, s.p.len, &m), REASON_NUM);
	i = s.p.msg + (param_find(&m, PARAM_PUZZLE)->contents - s.p.msg) + 4;
	s.p.msg[s.p.len - 20] ^= 1; /* in the signature */
	lab->hold_jobs = true;
	/* One is not waited for longer than a minute. */
	for (unsigned n = 1; lab->sent[HIP_I1] < 3 && n < 4 * 125; n++) {
		for (unsigned k = 0; k < 4; k++) {
			put_be32(i, 4 * n + k); /* none is the same */
			lab_input(lab, 0, &s.p);
			ck_assert_uint_le(lab->held_num, 2);
		}
		if (lab->held_num == 2) { /* one ends, the other goes on */
			lab->held_num = 1;
			lab_job(lab, 0, lab->held[0].job);
			lab->held[0] = lab->held[1];
			lab_effects(lab, 0);
		}
		lab_sleep(lab, 250 * LAB_MS);
	}
	ck_assert_uint_eq(lab->sent[HIP_I1], 3);
	ck_assert_uint_gt(lab_drops(lab, 0, REASON_HIP_BUSY), 2 * 4 * 120);
	/* The flood over, the next true R1 is taken. */
	lab->hook = NULL;
	lab->hold_jobs = false;
	lab_release(lab);
	lab_sleep(lab, 10 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 0);
	lab_free(lab);
}
END_TEST

START_TEST(joining_does_not_lead_back_to_locators_tried_before)
{
	struct lab *lab = pair();
	struct endpoint at[5];
	unsigned to[5] = { 0 };

	for (size_t i = 0; i < 5; i++)
		at[i] = lab_at(10 + i);
	lab->hook = lose_all;
	/* Each parked packet joins; I1 at 0, .25, .5, 1, 2, 4, 8 s. */
	for (int n = 0; n < 50; n++) {
		unsigned sent = lab->sent[HIP_I1];

		ck_assert_int_eq(hip_want(lab->host[0].h, NULL,
					  &lab->host[1].hit, at, 5, lab->now),
				 HG_OK);
		lab_effects(lab, 0);
		lab_sleep(lab, 100 * LAB_MS);
		for (size_t i = 0; lab->sent[HIP_I1] > sent && i < 5; i++)
			to[i] += endpoint_eq(
				&lab->host[0].last[HIP_SEND].peer_at, &at[i]);
	}
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_ge(to[i], 1);
	/* Fewer locators than before: it begins anew with those. */
	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &lab->host[1].hit, at,
				  1, lab->now),
			 HG_OK);
	lab_sleep(lab, 6 * LAB_S);
	ck_assert(endpoint_eq(&lab->host[0].last[HIP_SEND].peer_at, &at[0]));
	lab_free(lab);
}
END_TEST

START_TEST(at_most_two_puzzles_of_a_peer_are_in_work_and_one_ends_both)
{
	struct lab *lab = pair();
	struct stash s = { .type = HIP_R1 };
	struct snap was;

	lab->hook = stash;
	lab->hook_arg = &s;
	lab_want(lab, 0, 1);
	lab_run(lab);
	lab->hold_jobs = true;
	lab_input(lab, 0, &s.p);
	s.p.msg[70] ^= 1; /* #I: not under the signature */
	lab_input(lab, 0, &s.p);
	ck_assert_uint_eq(lab->held_num, 2);
	snap_take(lab, 0, &was);
	for (uint8_t n = 0; n < 50; n++) {
		s.p.msg[71] = n;
		lab_input(lab, 0, &s.p);
	}
	ck_assert_uint_eq(lab->held_num, 2);
	ck_assert_uint_ge(lab_drops(lab, 0, REASON_HIP_BUSY), 49);
	snap_same(lab, 0, &was, true);
	/* The first one makes an I2; nobody needs the other any more. */
	lab->held_num = 1;
	ck_assert(!atomic_load(&lab->held[1].job->cancel));
	lab_release(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	lab->held_num = 1;
	lab->held[0] = lab->held[1];
	ck_assert(atomic_load(&lab->held[0].job->cancel));
	lab_release(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	ck_assert_uint_eq(lab->sent[HIP_I2], 1);
	lab_free(lab);
}
END_TEST

START_TEST(a_job_that_cannot_start_gives_its_spi_back)
{
	struct lab *lab = pair();
	struct stash s = { .type = HIP_R1 };
	struct effects_node *spare;
	struct snap was;

	lab->hook = stash;
	lab->hook_arg = &s;
	lab_want(lab, 0, 1);
	lab_run(lab);
	snap_take(lab, 0, &was);
	spare = lab->host[0].h->fx.spare;
	lab->host[0].h->fx.spare = NULL;
	alloc_left = 1; /* the job, and no effect that brings it out */
	hip_input(lab->host[0].h, s.p.msg, s.p.len, &s.p.src, &s.p.dst,
		  lab->now);
	alloc_left = -1;
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_BUSY), 1);
	lab->host[0].h->fx.spare = spare;
	snap_same(lab, 0, &was, true);
	lab->hook = NULL;
	lab_input(lab, 0, &s.p); /* with memory it goes on */
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(wishes_that_cannot_be_met_are_errors)
{
	struct lab *lab = pair();
	struct endpoint at = lab_at(1);
	struct hit odd = { { 0x20, 1, 0xd, 0xb8 } };

	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &lab->host[0].hit, &at,
				  1, lab->now),
			 HG_EINVAL);
	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &odd, &at, 1, lab->now),
			 HG_EINVAL);
	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &lab->host[1].hit, &at,
				  0, lab->now),
			 HG_EINVAL);
	ck_assert_int_eq(hip_want(lab->host[0].h, &lab->host[1].hit,
				  &lab->host[0].hit, &at, 1, lab->now),
			 HG_EINVAL);
	lab_free(lab);
}
END_TEST

static bool lose_first(struct lab *lab, struct lab_packet *p)
{
	unsigned *left = lab->hook_arg; /* by type */

	if (left[p->msg[2]] == 0)
		return true;
	left[p->msg[2]]--;
	return false;
}

START_TEST(each_packet_may_be_lost_and_the_exchange_ends_well)
{
	for (uint8_t type = HIP_I1; type <= HIP_R2; type++) {
		for (unsigned n = 1; n <= 4; n++) {
			struct lab *lab = pair();
			unsigned left[256] = { 0 };

			left[type] = n;
			lab->hook = lose_first;
			lab->hook_arg = left;
			lab_want(lab, 0, 1);
			lab_run(lab);
			lab_sleep(lab, 9 * LAB_S);
			ck_assert_msg(lab_agree(lab, 0, 1), "%s lost %u times",
				      hip_type_name(type), n);
			lab_free(lab);
		}
	}
}
END_TEST

static bool twice(struct lab *lab, struct lab_packet *p)
{
	if (!(p->msg[3] & 0x02)) { /* a reserved bit marks the copy */
		struct lab_packet q = *p;

		q.msg[3] |= 0x02;
		lab_post(lab, &q);
	} else {
		p->msg[3] &= (uint8_t)~0x02;
	}
	return true;
}

START_TEST(each_packet_twice_makes_one_association)
{
	struct lab *lab = pair();

	lab->hook = twice;
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_UP], 1);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_UP], 1);
	lab_free(lab);
}
END_TEST

START_TEST(both_begin_at_once_and_one_association_comes_of_it)
{
	for (int greater = 0; greater < 2; greater++) {
		struct lab *lab = lab_pair(HIP_ALG_ECDSA_P256,
					   HIP_ALG_ECDSA_P384, greater);

		lab_want(lab, 0, 1);
		lab_want(lab, 1, 0);
		lab_run(lab);
		lab_sleep(lab, 12 * LAB_S);
		ck_assert(lab_agree(lab, 0, 1));
		ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
		ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
		ck_assert_uint_eq(lab->host[0].count[HIP_SA_UP], 1);
		ck_assert_uint_eq(lab->host[1].count[HIP_SA_UP], 1);
		lab_free(lab);
	}
}
END_TEST

START_TEST(both_begin_and_their_jobs_overlap)
{
	for (int greater = 0; greater < 2; greater++) {
		struct lab *lab = lab_pair(HIP_ALG_ECDSA_P256,
					   HIP_ALG_ECDSA_P256, greater);

		lab->hold_jobs = true;
		lab_want(lab, 0, 1);
		lab_want(lab, 1, 0);
		for (int n = 0; n < 20; n++) {
			lab_run(lab);
			lab_release(lab);
		}
		ck_assert(lab_agree(lab, 0, 1));
		lab_free(lab);
	}
}
END_TEST

START_TEST(a_peer_that_restarts_and_begins_replaces_the_association)
{
	struct lab *lab = pair();
	struct hip_config cfg = lab_config();
	struct hit hit = lab->host[1].hit;
	size_t key;

	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	key = 1;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P256, key);
	if (!hit_eq(&lab->host[1].hit, &hit))
		lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P256, 0);
	ck_assert_int_eq(lab_want(lab, 1, 0), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_UP], 2);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_DOWN], 1);
	lab_free(lab);
}
END_TEST

START_TEST(an_i2_that_comes_late_does_not_replace_a_newer_exchange)
{
	struct lab *lab = pair();
	struct stash s = { .type = HIP_I2 };

	lab->hook = stash;
	lab->hook_arg = &s;
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_uint_gt(s.p.len, 0);
	/* It gives up and begins again, meanwhile. */
	hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
	lab_drain(lab);
	lab_sleep(lab, LAB_S);
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab_input(lab, 1, &s.p);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_R1_COUNTER), 1);
	lab_free(lab);
}
END_TEST

START_TEST(an_r1_nobody_asked_for_is_dropped)
{
	struct lab *lab = pair();
	struct stash s = { .type = HIP_R1 };

	lab->hook = stash;
	lab->hook_arg = &s;
	lab_want(lab, 0, 1);
	lab_run(lab);
	lab_boot(lab, 0, &(struct hip_config){ .puzzle_k_max = 20 },
		 HIP_ALG_ECDSA_P256, 0);
	if (memcmp(s.p.msg + 24, lab->host[0].hit.b, 16) != 0)
		lab_boot(lab, 0, &(struct hip_config){ .puzzle_k_max = 20 },
			 HIP_ALG_ECDSA_P256, 1);
	lab_input(lab, 0, &s.p);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_NO_ASSOC), 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	ck_assert_uint_eq(lab->host[0].count[HIP_JOB],
			  offer_default.dh_num); /* its own R1s */
	lab_free(lab);
}
END_TEST

START_TEST(a_puzzle_above_the_limit_is_refused_without_a_job)
{
	struct lab *lab = pair();
	struct hip_config cfg = lab_config();

	cfg.puzzle_k = 10;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P384, 1);
	cfg.puzzle_k_max = 9;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_PUZZLE_HARD), 1);
	ck_assert_uint_eq(lab->host[0].count[HIP_JOB], offer_default.dh_num);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	lab_free(lab);
}
END_TEST

START_TEST(an_r1_of_another_identity_is_refused)
{
	struct lab *lab = pair();
	struct stash s = { .type = HIP_R1 };
	struct hip_config cfg = lab_config();

	lab->hook = stash;
	lab->hook_arg = &s;
	lab_want(lab, 0, 1);
	lab_run(lab);
	lab->hook = NULL;
	/* R1 of host 2, with the HIT of host 1 written over its own. */
	lab_boot(lab, 2, &cfg, HIP_ALG_ECDSA_P384, 2);
	lab_want(lab, 0, 2);
	s.p.len = 0;
	lab->hook = stash;
	lab_run(lab);
	memcpy(s.p.msg + 8, lab->host[1].hit.b, 16);
	lab_input(lab, 0, &s.p);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_BAD_HIT), 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	lab_free(lab);
}
END_TEST

START_TEST(a_false_r1_source_is_given_up_for_the_locators)
{
	struct lab *lab = pair();
	struct stash s = { .type = HIP_R1 };

	lab->hook = stash;
	lab->hook_arg = &s;
	lab_want(lab, 0, 1);
	lab_run(lab);
	s.p.src = lab_at(77); /* a true R1 from nowhere */
	lab_input(lab, 0, &s.p);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	ck_assert(!lab->host[0].last[HIP_LOCATOR].committed);
	lab_run(lab);
	lab_sleep(lab, 8 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(endpoint_eq(&lab->host[0].last[HIP_LOCATOR].peer_at,
			      &lab->host[1].at));
	lab_free(lab);
}
END_TEST

Suite *test_initiator_suite(void)
{
	Suite *s = suite_create("initiator");
	TCase *t = tcase_create("initiator");

	tcase_set_timeout(t, 120);
	tcase_add_test(
		t,
		unanswered_i1_is_sent_five_times_and_fails_for_thirty_seconds);
	tcase_add_test(t, i1_races_three_locators_then_goes_to_one_at_a_time);
	tcase_add_loop_test(t, forged_r1s_neither_stop_the_i1s_nor_pile_up, 0,
			    2);
	tcase_add_test(t, joining_does_not_lead_back_to_locators_tried_before);
	tcase_add_test(
		t, at_most_two_puzzles_of_a_peer_are_in_work_and_one_ends_both);
	tcase_add_test(t, a_job_that_cannot_start_gives_its_spi_back);
	tcase_add_test(t, wishes_that_cannot_be_met_are_errors);
	tcase_add_test(t, each_packet_may_be_lost_and_the_exchange_ends_well);
	tcase_add_test(t, each_packet_twice_makes_one_association);
	tcase_add_test(t, both_begin_at_once_and_one_association_comes_of_it);
	tcase_add_test(t, both_begin_and_their_jobs_overlap);
	tcase_add_test(
		t, a_peer_that_restarts_and_begins_replaces_the_association);
	tcase_add_test(t,
		       an_i2_that_comes_late_does_not_replace_a_newer_exchange);
	tcase_add_test(t, an_r1_nobody_asked_for_is_dropped);
	tcase_add_test(t, a_puzzle_above_the_limit_is_refused_without_a_job);
	tcase_add_test(t, an_r1_of_another_identity_is_refused);
	tcase_add_test(t, a_false_r1_source_is_given_up_for_the_locators);
	suite_add_tcase(s, t);
	return s;
}
