/* SPDX-License-Identifier: MIT */
/* Questions, answers, lifetimes, policies. */
#include "test/unit/hip/move_bed.h"

#include "hip/reach.h"
#include "hip/readdress.h"
#include "hip/update.h"

static const char *const dual[] = { "192.0.2.1", "[2001:db8::1]:10500" };
static const char *const dual2[] = { "192.0.2.2", "[2001:db8::2]:10500" };

static struct lab *both_dual(struct bed_net *n)
{
	struct lab *lab = bed_up(n);

	bed_here(lab, 0, dual, 2);
	bed_here(lab, 1, dual2, 2);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(bed_is(lab, 0, dual[0], dual2[0]));
	ck_assert(bed_is(lab, 1, dual2[0], dual[0]));
	return lab;
}

/* RFC 8046 5.4: each address must be verified, used or not. */
START_TEST(all_listed_addresses_are_verified)
{
	struct bed_net n;
	struct lab *lab = both_dual(&n);

	for (size_t i = 0; i < 2; i++) {
		const char *const *self = i ? dual2 : dual;
		const char *const *peer = i ? dual : dual2;
		struct hip_path p = bed_path(lab, i, self[1], peer[1]);

		ck_assert_uint_eq(bed_paths(lab, i), 2);
		ck_assert_int_eq(p.state, HIP_PATH_ACTIVE);
		ck_assert(p.announced && !p.current && p.verified);
		ck_assert_uint_eq(p.expires, UINT64_MAX);
	}
	ck_assert(bed_path(lab, 0, dual[0], dual2[0]).preferred);
	ck_assert(!bed_path(lab, 0, dual[1], dual2[1]).preferred);
	lab_free(lab);
}
END_TEST

START_TEST(a_policy_decides_and_may_change)
{
	struct bed_net n;
	struct lab *lab = both_dual(&n);

	bed_policy(lab, 0, HIP_PREFER_ORDER, "2001:db8::/32");
	lab_run(lab);
	ck_assert(bed_is(lab, 0, dual[1], dual2[1]));
	lab_sleep(lab, LAB_S);
	/* The other side follows what it is told is preferred. */
	ck_assert(bed_is(lab, 1, dual2[1], dual[1]));
	bed_policy(lab, 0, HIP_PREFER_LINK, NULL);
	lab_run(lab);
	lab_sleep(lab, LAB_S);
	ck_assert(bed_is(lab, 0, dual[0], dual2[0]));
	ck_assert(bed_is(lab, 1, dual2[0], dual[0]));
	lab_free(lab);
}
END_TEST

/* Whatever is preferred, what is dead is not used. */
START_TEST(a_policy_prefers_no_dead_path)
{
	struct bed_net n;
	struct lab *lab = both_dual(&n);

	bed_policy(lab, 0, HIP_PREFER_ORDER, "2001:db8::/32");
	lab_run(lab);
	lab_sleep(lab, LAB_S);
	n.cut[n.cut_num++] = bed_at(dual[1]);
	bed_traffic(lab, 0, false);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(bed_is(lab, 0, dual[0], dual2[0]));
	ck_assert_int_eq(bed_path(lab, 0, dual[1], dual2[1]).state,
			 HIP_PATH_DEAD);
	lab_free(lab);
}
END_TEST

static unsigned times(struct lab *lab, size_t i, enum hip_path_why why)
{
	struct bed_events v = { .num = 0 };
	unsigned n = 0;

	hip_each_path_event(lab->host[i].h, &lab->host[i].hit,
			    &lab->host[!i].hit, bed_event, &v);
	for (size_t k = 0; k < v.num; k++)
		n += v.why[k] == why;
	return n;
}

/* One of two links; the peer's address lives all the time. */
START_TEST(a_path_that_dies_and_lives_again_is_told_each_once)
{
	static const char *const two[] = { "192.0.2.1", "192.0.2.11" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_here(lab, 0, two, 2);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert_ptr_null(assoc(lab, 0)->past);
	n.cut[n.cut_num++] = bed_at(two[0]);
	bed_talk(lab, &n, 4000);
	ck_assert(bed_is(lab, 0, two[1], "192.0.2.2"));
	ck_assert_uint_eq(times(lab, 0, HIP_PATH_FAILED), 1);
	ck_assert_uint_eq(times(lab, 0, HIP_PATH_VERIFIED), 0);
	n.cut_num = 0;
	bed_talk(lab, &n, 12000); /* it is asked again, and not yet taken */
	ck_assert_int_eq(bed_path(lab, 0, two[0], "192.0.2.2").state,
			 HIP_PATH_ACTIVE);
	ck_assert_uint_eq(times(lab, 0, HIP_PATH_VERIFIED), 1);
	ck_assert_uint_eq(times(lab, 0, HIP_PATH_FAILED), 1);
	lab_free(lab);
}
END_TEST

START_TEST(an_address_that_never_answers_is_given_up_and_told_once)
{
	static const char *const two[] = { "192.0.2.1", "203.0.113.1" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	n.cut[n.cut_num++] = bed_at(two[1]);
	bed_here(lab, 0, two, 2);
	bed_talk(lab, &n, 20000);
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", two[1]).state,
			 HIP_PATH_DEAD);
	ck_assert_uint_eq(times(lab, 1, HIP_PATH_FAILED), 1);
	ck_assert_uint_eq(times(lab, 1, HIP_PATH_VERIFIED), 0);
	lab_free(lab);
}
END_TEST

/* RFC 8046 5.1: ACTIVE to DEPRECATED, and on to one that is not. */
START_TEST(a_lifetime_that_is_over_is_left)
{
	struct bed_net n;
	struct lab *lab = both_dual(&n);
	struct assoc *a = assoc(lab, 1);
	struct endpoint at = bed_at(dual[0]);

	paths_peer(a->paths, &at)->expires = lab->now + 5 * LAB_S;
	assoc_arm(lab->host[1].h, a);
	lab_sleep(lab, 5 * LAB_S - 1);
	ck_assert(bed_is(lab, 1, dual2[0], dual[0]));
	lab->now++;
	hip_tick(lab->host[1].h, lab->now);
	ck_assert(bed_is(lab, 1, dual2[1], dual[1]));
	ck_assert_int_eq(bed_path(lab, 1, dual2[0], dual[0]).state,
			 HIP_PATH_DEPRECATED);
	ck_assert(bed_happened(lab, 1, HIP_PATH_EXPIRED));
	lab_free(lab);
}
END_TEST

/* The way to the new address is long: the old one answers first. */
struct slow {
	struct bed_net n;
	struct endpoint slow;
	struct lab_packet p[4];
	size_t num;
	bool hold;
};

static bool slow_hook(struct lab *lab, struct lab_packet *p)
{
	struct slow *s = lab->hook_arg;

	if (s->hold && s->num < 4 && endpoint_eq(&p->dst, &s->slow)) {
		s->p[s->num++] = *p;
		return false;
	}
	return bed_hook(lab, p);
}

/* Also when the next UPDATE is under way. */
START_TEST(an_answer_that_comes_late_still_proves)
{
	static const char *const two[] = { "192.0.2.1", "203.0.113.1" };
	struct slow s = { .hold = true, .slow = bed_at("203.0.113.1") };
	struct lab *lab = bed_up(&s.n);
	struct hip_path p;

	lab->hook = slow_hook;
	lab->hook_arg = &s;
	bed_here(lab, 0, two, 2);
	lab_sleep(lab, 1000 * LAB_MS); /* asked, not answered, asked widely */
	ck_assert_uint_ge(s.num, 1);
	ck_assert(!assoc(lab, 1)->up.outstanding);
	p = bed_path(lab, 1, "192.0.2.2", "203.0.113.1");
	ck_assert_int_eq(p.state, HIP_PATH_UNVERIFIED);
	s.hold = false;
	if (_i) {
		lab->hold_jobs = true;
		assoc(lab, 1)->tell = true;
		update_send(lab->host[1].h, assoc(lab, 1), lab->now);
		lab_effects(lab, 1);
		lab->hold_jobs = false;
	}
	ck_assert_int_eq(assoc(lab, 1)->up.outstanding, _i);
	lab_input(lab, 0, &s.p[s.num - 1]);
	lab_run(lab);
	p = bed_path(lab, 1, "192.0.2.2", "203.0.113.1");
	ck_assert_int_eq(p.state, HIP_PATH_ACTIVE);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	lab_release(lab);
	lab_free(lab);
}
END_TEST

/* The net was cut while it was asked, and lives again: the peer has nothing to
 * say of its addresses, but is heard. */
START_TEST(who_is_heard_after_all_is_asked_once_more)
{
	struct bed_record r = { .num = 0 };
	struct lab *lab = bed_up(&r.n);
	const char *at = "192.0.2.1";

	lab->hook = bed_record_hook;
	lab->hook_arg = &r;
	bed_traffic(lab, 0, false);
	bed_spend(lab, 1);
	hip_wake(lab->host[0].h, lab->now);
	lab_effects(lab, 0);
	lab_run(lab);
	ck_assert(bed_is(lab, 1, "192.0.2.2", at));
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", at).state,
			 HIP_PATH_ACTIVE);
	/* The same UPDATE once more, from wherever: nothing. */
	bed_spend(lab, 1);
	ck_assert(endpoint_eq(&r.p[0].src, &lab->host[0].at));
	lab->now += 2 * LAB_S;
	lab_input(lab, 1, &r.p[0]);
	lab_run(lab);
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", at).state,
			 HIP_PATH_DEAD);
	ck_assert(!view(lab, 1).verified);
	lab_free(lab);
}
END_TEST

/* Nobody is there but the one who sends in his name. */
START_TEST(one_update_buys_one_question)
{
	struct bed_record r = { .num = 0 };
	struct lab *lab = bed_up(&r.n);

	lab->hook = bed_record_hook;
	lab->hook_arg = &r;
	r.n.victim = bed_at("192.0.2.1");
	r.n.cut[r.n.cut_num++] = r.n.victim;
	bed_traffic(lab, 0, false);
	hip_wake(lab->host[0].h, lab->now);
	lab_effects(lab, 0);
	lab_run(lab);
	bed_spend(lab, 1);
	lab_input(lab, 1, &r.p[0]);
	lab_sleep(lab, 10 * LAB_S);
	ck_assert_uint_eq(r.n.to_victim, 2); /* and an ACK */
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "192.0.2.1").state,
			 HIP_PATH_DEAD);
	lab_free(lab);
}
END_TEST

/* Who is seen elsewhere is asked where we send, if that is long ago, or if it
 * has told since where it is: a NAT shows it where it was before, too. */
START_TEST(who_has_moved_since_is_doubted_at_once)
{
	struct bed_net n;
	struct lab *lab = both_dual(&n);
	struct hip *h = lab->host[0].h;
	struct assoc *a = assoc(lab, 0);
	struct endpoint from = bed_at(dual2[1]);
	struct endpoint at = bed_at(dual[1]);
	int cur = paths_current(a);

	lab_sleep(lab, LAB_S);
	bed_traffic(lab, 0, false);
	ck_assert_int_ge(cur, 0);
	ck_assert_int_eq(a->paths->target, -1);
	a->paths->v[cur].unsure = _i;
	ck_assert_int_eq(reach_candidate(h, a, &from, &at, lab->now), _i);
	ck_assert_int_eq(a->paths->target, _i ? cur : -1);
	lab_effects(lab, 0);
	lab_run(lab);
	ck_assert(!a->paths->v[cur].unsure);
	lab_free(lab);
}
END_TEST

/* When better ways are looked for, what was dead is asked, and not taken on the
 * strength of what it was. */
START_TEST(what_is_looked_for_must_answer)
{
	struct bed_net n;
	struct lab *lab = both_dual(&n);
	struct hip *h = lab->host[0].h;
	struct assoc *a = assoc(lab, 0);
	struct endpoint self = bed_at(dual[1]);
	struct endpoint peer = bed_at(dual2[1]);
	int i = paths_find(a->paths, &self, &peer);

	lab_sleep(lab, LAB_S);
	ck_assert_int_ge(i, 0);
	ck_assert(a->paths->v[i].verified);
	a->paths->v[i].dead = true;
	reach_look(h, a, lab->now);
	ck_assert(!a->paths->v[i].dead);
	ck_assert(!a->paths->v[i].verified);
	lab_free(lab);
}
END_TEST

Suite *test_reach_suite(void);
Suite *test_reach_suite(void)
{
	Suite *s = suite_create("reach");
	TCase *t = tcase_create("reach");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, all_listed_addresses_are_verified);
	tcase_add_test(t, a_policy_decides_and_may_change);
	tcase_add_test(t, a_policy_prefers_no_dead_path);
	tcase_add_test(t, a_path_that_dies_and_lives_again_is_told_each_once);
	tcase_add_test(t,
		       an_address_that_never_answers_is_given_up_and_told_once);
	tcase_add_test(t, a_lifetime_that_is_over_is_left);
	tcase_add_loop_test(t, an_answer_that_comes_late_still_proves, 0, 2);
	tcase_add_test(t, who_is_heard_after_all_is_asked_once_more);
	tcase_add_test(t, one_update_buys_one_question);
	tcase_add_loop_test(t, who_has_moved_since_is_doubted_at_once, 0, 2);
	tcase_add_test(t, what_is_looked_for_must_answer);
	suite_add_tcase(s, t);
	return s;
}
