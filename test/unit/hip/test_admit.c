/* SPDX-License-Identifier: MIT */
/* Access rules at work: in base exchanges, at an agent, and when changed. */
#include "test/unit/hip/relay_bed.h"

static struct hip_access_rule by_hit(bool allow, const struct hit *hit)
{
	return (struct hip_access_rule){ .allow = allow,
					 .by_hit = true,
					 .hit = *hit };
}

static struct hip_access_rule by_prefix(bool allow, const char *text)
{
	struct hip_access_rule r = { .allow = allow };

	ck_assert_int_eq(prefix_parse(text, &r.prefix), HG_OK);
	return r;
}

/* One rule for one role of engine i, all else empty. */
static void set(struct lab *lab, size_t i, enum hip_role role,
		struct hip_access_rule r)
{
	struct hip_access list[HIP_ROLE_NUM] = { 0 };

	list[role] = (struct hip_access){ &r, 1 };
	ck_assert_int_eq(hip_set_access(lab->host[i].h, list, lab->now), HG_OK);
	lab_drain(lab);
}

static void clear(struct lab *lab, size_t i)
{
	struct hip_access none[HIP_ROLE_NUM] = { 0 };

	ck_assert_int_eq(hip_set_access(lab->host[i].h, none, lab->now), HG_OK);
	lab_drain(lab);
}

static struct lab *two(void)
{
	return lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
}

static void established(struct lab *lab, size_t via)
{
	ck_assert_int_eq(lab_want_at(lab, 0, 1, &lab->host[via].at), HG_OK);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert(lab_agree(lab, 0, 1));
}

/* ---- those who come ---------------------------------------------------- */

static void i1_is(struct hip_access_rule r, bool answered)
{
	struct lab *lab = two();

	set(lab, 1, HIP_ROLE_HOST, r);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_R1], answered);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DENIED), !answered);
	ck_assert_int_eq(lab_state(lab, 0, 1),
			 answered ? HIP_ESTABLISHED : HIP_I1_SENT);
	lab_free(lab);
}

START_TEST(an_i1_is_judged_by_its_hit_and_where_it_comes_from)
{
	struct lab *lab = two();
	struct hit me = lab->host[0].hit;
	struct hit other = lab->host[1].hit;

	lab_free(lab);
	i1_is(by_hit(true, &me), true);
	i1_is(by_hit(false, &me), false);
	i1_is(by_hit(true, &other), false);
	i1_is(by_hit(false, &other), true);
	i1_is(by_prefix(true, "192.0.2.1"), true);
	i1_is(by_prefix(false, "192.0.2.1"), false);
	i1_is(by_prefix(true, "192.0.2.2/31"), false);
	i1_is(by_prefix(false, "192.0.2.2/31"), true);
}
END_TEST

static bool lose(struct lab *lab, struct lab_packet *p)
{
	if (p->msg[2] != *(uint8_t *)lab->hook_arg)
		return true;
	lab->hook = NULL;
	return false;
}

static struct lab_packet kept;
static bool keep_i2(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	if (p->msg[2] != HIP_I2)
		return true;
	kept = *p;
	return false;
}

START_TEST(an_i2_is_judged_before_its_puzzle)
{
	struct lab *lab = two();

	lab->hook = keep_i2;
	lab_want(lab, 0, 1);
	lab_run(lab);
	set(lab, 1, HIP_ROLE_HOST, by_hit(false, &lab->host[0].hit));
	kept.msg[kept.len - 1] ^= 1; /* whatever it holds */
	lab_input(lab, 1, &kept);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DENIED), 1);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_PUZZLE), 0);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_UNASSOCIATED);
	/* Let in again, the true one is good. */
	kept.msg[kept.len - 1] ^= 1;
	clear(lab, 1);
	lab_input(lab, 1, &kept);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	lab_free(lab);
}
END_TEST

START_TEST(a_job_that_outlives_the_permission_makes_no_association)
{
	struct lab *lab = two();

	lab->hook = keep_i2;
	lab_want(lab, 0, 1);
	lab_run(lab);
	lab->hold_jobs = true;
	lab_input(lab, 1, &kept);
	ck_assert_uint_eq(lab->held_num, 1);
	set(lab, 1, HIP_ROLE_HOST, by_prefix(false, "192.0.2.0/24"));
	lab_release(lab);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DENIED), 1);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_UNASSOCIATED);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_UP], 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_relayed_i1_is_judged_by_its_from)
{
	struct lab *lab = three();

	/* The agent's own address does not matter, the Initiator's does. */
	set(lab, 1, HIP_ROLE_HOST, by_prefix(false, "192.0.2.3"));
	established(lab, 2);
	lab_free(lab);

	lab = three();
	set(lab, 1, HIP_ROLE_HOST, by_prefix(false, "192.0.2.1"));
	ck_assert_int_eq(lab_want_at(lab, 0, 1, &lab->host[2].at), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 1);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DENIED), 1);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RVS_HMAC), 0);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	lab_free(lab);
}
END_TEST

/* ---- at an agent ------------------------------------------------------- */

START_TEST(an_agent_does_not_relay_for_those_it_denies)
{
	struct lab *lab = three();

	set(lab, 2, HIP_ROLE_RENDEZVOUS, by_prefix(false, "192.0.2.1"));
	ck_assert_int_eq(lab_want_at(lab, 0, 1, &lab->host[2].at), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 0);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_DENIED), 1);
	/* The client is as it was. */
	ck_assert_int_eq(lab_state(lab, 2, 1), HIP_R2_SENT);
	lab_free(lab);
}
END_TEST

START_TEST(an_agents_allow_is_about_clients_not_about_callers)
{
	struct lab *lab = three();

	set(lab, 2, HIP_ROLE_RENDEZVOUS, by_hit(true, &lab->host[1].hit));
	established(lab, 2);
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 1);
	lab_free(lab);
}
END_TEST

START_TEST(a_client_that_is_denied_now_loses_its_registration)
{
	struct lab *lab = three();

	set(lab, 2, HIP_ROLE_RENDEZVOUS, by_hit(false, &lab->host[1].hit));
	ck_assert_uint_eq(lab->host[2].last[HIP_REGISTRAR].lifetime_s, 0);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE], 1);
	ck_assert_int_eq(lab_want_at(lab, 0, 1, &lab->host[2].at), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 0);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_NOT_REGISTERED), 1);
	/* It asks again, in vain. */
	lab_sleep(lab, 5 * LAB_S);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	ck_assert_uint_ge(lab_drops(lab, 2, REASON_HIP_DENIED), 1);
	lab_free(lab);
}
END_TEST

/* ---- those we begin with ----------------------------------------------- */

START_TEST(a_wish_that_is_denied_sends_nothing)
{
	struct lab *lab = two();

	set(lab, 0, HIP_ROLE_INITIATOR, by_hit(false, &lab->host[1].hit));
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_EPERM);
	ck_assert_uint_eq(lab->sent[HIP_I1], 0);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_DENIED), 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	/* A host's deny holds both ways. */
	set(lab, 0, HIP_ROLE_HOST, by_hit(false, &lab->host[1].hit));
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_EPERM);
	/* Its allow says nothing about whom it begins with. */
	set(lab, 0, HIP_ROLE_HOST, by_hit(true, &lab->host[0].hit));
	established(lab, 1);
	lab_free(lab);
}
END_TEST

START_TEST(who_is_drained_begins_nothing_new)
{
	struct lab *lab = two();

	hip_set_draining(lab->host[0].h, true);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_EPERM);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_DENIED), 1);
	ck_assert_uint_eq(lab->sent[HIP_I1], 0);
	hip_set_draining(lab->host[0].h, false);
	established(lab, 1);
	/* What is there goes on. */
	hip_set_draining(lab->host[0].h, true);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_int_eq(hip_rekey(lab->host[0].h, &lab->host[0].hit,
				   &lab->host[1].hit, true, lab->now),
			 HG_OK);
	lab_effects(lab, 0);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_uint_ge(lab->host[0].count[HIP_SA_SWITCH], 1);
	lab_free(lab);
}
END_TEST

START_TEST(who_is_drained_answers_nobody_new)
{
	struct lab *lab = two();

	hip_set_draining(lab->host[1].h, true);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_R1], 0);
	ck_assert_uint_ge(lab->sent[HIP_I1], 1);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DENIED),
			  lab->sent[HIP_I1]);
	hip_set_draining(lab->host[1].h, false);
	lab_sleep(lab, 2 * LAB_S); /* the next I1 is answered */
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	lab_free(lab);
}
END_TEST

START_TEST(only_locators_that_are_allowed_are_tried)
{
	struct lab *lab = two();
	struct endpoint at[2] = { lab_at(3), lab->host[1].at };

	set(lab, 0, HIP_ROLE_INITIATOR, by_prefix(false, "192.0.2.4"));
	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &lab->host[1].hit, at,
				  2, lab->now),
			 HG_OK);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	lab_free(lab);
}
END_TEST

START_TEST(an_r1_from_a_place_that_is_denied_is_dropped)
{
	struct lab *lab = three();

	set(lab, 0, HIP_ROLE_INITIATOR, by_prefix(false, "192.0.2.2"));
	ck_assert_int_eq(lab_want_at(lab, 0, 1, &lab->host[2].at), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_R1], 2); /* the agent's was one */
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_DENIED), 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	lab_free(lab);
}
END_TEST

START_TEST(a_registration_we_are_told_to_make_is_exempt)
{
	struct lab *lab = three();

	set(lab, 1, HIP_ROLE_INITIATOR, by_hit(true, &lab->host[0].hit));
	ck_assert_int_eq(lab_state(lab, 1, 2), HIP_ESTABLISHED);
	lab_sleep(lab, 500 * LAB_S);
	ck_assert_uint_ge(lab->host[1].count[HIP_REGISTERED], 2);
	lab_free(lab);
}
END_TEST

/* ---- new rules --------------------------------------------------------- */

START_TEST(rules_that_do_not_concern_it_leave_an_association_alone)
{
	struct lab *lab = two();
	struct sa_pair sa;

	established(lab, 1);
	sa = lab->host[0].sa;
	set(lab, 0, HIP_ROLE_INITIATOR, by_prefix(false, "198.51.100.0/24"));
	set(lab, 1, HIP_ROLE_HOST, by_hit(true, &lab->host[0].hit));
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	ck_assert_uint_eq(lab->host[0].sa.spi_in, sa.spi_in);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_UP], 1);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_DOWN], 0);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(an_association_that_is_denied_now_is_closed)
{
	struct lab *lab = two();

	established(lab, 1);
	set(lab, 1, HIP_ROLE_HOST, by_hit(false, &lab->host[0].hit));
	ck_assert_uint_eq(lab->sent[HIP_CLOSE], 1);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_UNASSOCIATED);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSED);
	ck_assert(!lab->host[0].up && !lab->host[1].up);
	lab_free(lab);

	lab = two();
	established(lab, 1);
	set(lab, 0, HIP_ROLE_INITIATOR, by_prefix(false, "192.0.2.2"));
	ck_assert_uint_eq(lab->sent[HIP_CLOSE], 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	lab_free(lab);
}
END_TEST

START_TEST(an_exchange_under_way_ends_when_it_is_denied)
{
	struct lab *lab = two();
	uint8_t type = HIP_R1;

	lab->hook = lose;
	lab->hook_arg = &type;
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	set(lab, 0, HIP_ROLE_INITIATOR, by_hit(false, &lab->host[1].hit));
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	lab_free(lab);
}
END_TEST

START_TEST(rules_that_cannot_be_used_change_nothing)
{
	struct lab *lab = two();
	struct hip_access_rule bad = by_hit(false, &hit_null);
	struct hip_access list[HIP_ROLE_NUM] = { [HIP_ROLE_HOST] = { &bad,
								     1 } };

	set(lab, 1, HIP_ROLE_HOST, by_hit(false, &lab->host[0].hit));
	ck_assert_int_eq(hip_set_access(lab->host[1].h, list, lab->now),
			 HG_EINVAL);
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DENIED), 1);
	lab_free(lab);
}
END_TEST

static void count(const struct hip_access_count *c, void *arg)
{
	*(uint64_t *)arg += c->hits;
}

START_TEST(what_a_rule_decided_can_be_seen)
{
	struct lab *lab = two();
	uint64_t hits = 0;

	set(lab, 1, HIP_ROLE_HOST, by_hit(false, &lab->host[0].hit));
	lab_want(lab, 0, 1);
	lab_run(lab);
	hip_each_access(lab->host[1].h, count, &hits);
	ck_assert_uint_eq(hits, 1);
	lab_free(lab);
}
END_TEST

Suite *test_admit_suite(void)
{
	Suite *s = suite_create("admit");
	TCase *t = tcase_create("rules");

	tcase_add_test(t, an_i1_is_judged_by_its_hit_and_where_it_comes_from);
	tcase_add_test(t, an_i2_is_judged_before_its_puzzle);
	tcase_add_test(t,
		       a_job_that_outlives_the_permission_makes_no_association);
	tcase_add_test(t, a_relayed_i1_is_judged_by_its_from);
	tcase_add_test(t, an_agent_does_not_relay_for_those_it_denies);
	tcase_add_test(t, an_agents_allow_is_about_clients_not_about_callers);
	tcase_add_test(t, a_client_that_is_denied_now_loses_its_registration);
	tcase_add_test(t, a_wish_that_is_denied_sends_nothing);
	tcase_add_test(t, who_is_drained_begins_nothing_new);
	tcase_add_test(t, who_is_drained_answers_nobody_new);
	tcase_add_test(t, only_locators_that_are_allowed_are_tried);
	tcase_add_test(t, an_r1_from_a_place_that_is_denied_is_dropped);
	tcase_add_test(t, a_registration_we_are_told_to_make_is_exempt);
	tcase_add_test(t,
		       rules_that_do_not_concern_it_leave_an_association_alone);
	tcase_add_test(t, an_association_that_is_denied_now_is_closed);
	tcase_add_test(t, an_exchange_under_way_ends_when_it_is_denied);
	tcase_add_test(t, rules_that_cannot_be_used_change_nothing);
	tcase_add_test(t, what_a_rule_decided_can_be_seen);
	suite_add_tcase(s, t);
	return s;
}
