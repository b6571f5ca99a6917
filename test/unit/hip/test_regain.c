/* SPDX-License-Identifier: MIT */
/* Addresses that both ends have withdrawn, and that live again. */
#include "hip/regain.h"
#include "hip/update.h"
#include "test/unit/hip/move_bed.h"

static const char *const at[2][2] = { { "192.0.2.1", "2001:db8::1" },
				      { "192.0.2.2", "2001:db8::2" } };

/* Each has one link, of both families; what is first here is used. */
static struct lab *two_families(struct bed_net *n)
{
	struct lab *lab = bed_up(n);

	bed_here(lab, 0, at[0], 2);
	bed_here(lab, 1, at[1], 2);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(bed_is(lab, 0, at[0][0], at[1][0]));
	ck_assert(bed_is(lab, 1, at[1][0], at[0][0]));
	return lab;
}

static bool both_by(struct lab *lab, int family)
{
	return bed_is(lab, 0, at[0][family], at[1][family]) &&
	       bed_is(lab, 1, at[1][family], at[0][family]);
}

/* The first family is out, and nobody says so. */
static void family_out(struct lab *lab, struct bed_net *n, uint64_t ms)
{
	n->cut[n->cut_num++] = bed_at(at[0][0]);
	n->cut[n->cut_num++] = bed_at(at[1][0]);
	bed_talk(lab, n, ms);
}

static bool knows(struct lab *lab, size_t i, const char *peer)
{
	struct endpoint e = bed_at(peer);

	return paths_peer(assoc(lab, i)->paths, &e);
}

/* After the longest wait, too. */
static const uint64_t out_ms[] = { 4000, 600000 };

START_TEST(a_family_that_was_out_is_returned_to)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);

	family_out(lab, &n, out_ms[_i]);
	ck_assert(both_by(lab, 1));
	ck_assert(_i || !knows(lab, 0, at[1][0]));
	ck_assert(_i || !knows(lab, 1, at[0][0]));
	n.cut_num = 0;
	ck_assert(bed_talk(lab, &n, 240000));
	ck_assert(both_by(lab, 0));
	lab_free(lab);
}
END_TEST

/* It must live for a while. */
START_TEST(what_lives_again_is_not_taken_at_once)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);

	family_out(lab, &n, 4000);
	n.cut_num = 0;
	ck_assert(bed_talk(lab, &n, 9000));
	ck_assert(knows(lab, 0, at[1][0]) || knows(lab, 1, at[0][0]));
	ck_assert(both_by(lab, 1));
	lab_free(lab);
}
END_TEST

/* Ever more seldom; three small packets to each address each time. */
START_TEST(what_stays_dead_costs_little)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);

	family_out(lab, &n, 4000);
	n.victim = bed_at(at[0][0]);
	bed_talk(lab, &n, 400000);
	/* After 5, 15, 35, 75, 155, 315 s. */
	ck_assert_uint_ge(n.to_victim, 6);
	ck_assert_uint_le(n.to_victim, 6 * 3);
	ck_assert(both_by(lab, 1));
	lab_free(lab);
}
END_TEST

START_TEST(an_idle_association_tells_nothing)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);

	family_out(lab, &n, 4000);
	lab_sleep(lab, 240 * LAB_S);
	memset(lab->sent, 0, sizeof(lab->sent));
	lab_sleep(lab, 400 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_free(lab);
}
END_TEST

/* What our order puts behind what we use is told, and not claimed. */
START_TEST(what_is_no_better_is_not_claimed)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);
	struct assoc *a = assoc(lab, 0);

	family_out(lab, &n, 4000);
	ck_assert(regain_is(a, &(struct endpoint[]){ bed_at(at[0][0]) }[0]));
	a->paths->gone = bed_at(at[0][1]);
	a->paths->claimed = true;
	ck_assert_int_eq(regain_claim(lab->host[0].h, a), -1);
	lab_free(lab);
}
END_TEST

/* The peer has told its own again, and was asked there in vain: ours is told
 * all the same, or each would wait for the other one. */
START_TEST(what_is_told_again_is_withheld_no_more)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);
	struct assoc *a = assoc(lab, 0);
	struct endpoint self = bed_at(at[0][0]);
	struct endpoint peer = bed_at(at[1][0]);
	struct paths_peer *q;
	int i;

	family_out(lab, &n, 4000);
	q = paths_peer_add(a, a->paths, &peer);
	q->asked = PATHS_ASK_MAX;
	paths_rebuild(lab->host[0].h, a);
	i = paths_find(a->paths, &self, &peer);
	ck_assert_int_ge(i, 0);
	a->paths->v[i].dead = true;
	ck_assert(regain_withholds(a, &self));
	ck_assert_int_eq(regain_due(lab->host[0].h, a), -1);
	ck_assert(a->tell);
	ck_assert(!regain_withholds(a, &self));
	/* It has lived, and died once more. */
	regain_died(lab->host[0].h, a, &self, lab->now);
	ck_assert(regain_withholds(a, &self));
	/* Where the peer is, it is asked; what is left out is told. */
	q->active = true;
	a->tell = false;
	ck_assert_int_eq(regain_due(lab->host[0].h, a), i);
	ck_assert(a->tell);
	a->tell = false;
	ck_assert_int_eq(regain_due(lab->host[0].h, a), i);
	ck_assert(!a->tell);
	lab_free(lab);
}
END_TEST

/* What is quiet is nothing to be told; with ICE there are candidates instead. */
START_TEST(a_quiet_address_and_ice_are_left_alone)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);
	struct hip *h = lab->host[0].h;
	struct assoc *a = assoc(lab, 0);
	struct endpoint first = bed_at(at[0][0]);
	bool alive;

	family_out(lab, &n, 4000);
	ck_assert(regain_waits(h, a, &alive));
	a->ice = true;
	ck_assert(!regain_waits(h, a, &alive));
	a->paths->gone.port = 0;
	regain_left(h, a, &first);
	ck_assert(!regain_is(a, &first));
	a->ice = false;
	h->here.num = 0; /* all are quiet */
	regain_left(h, a, &first);
	ck_assert(!regain_is(a, &first));
	h->here.num = 2;
	regain_left(h, a, &first);
	ck_assert(regain_is(a, &first));
	/* A worse one changes nothing. */
	regain_left(h, a, &(struct endpoint[]){ bed_at(at[0][1]) }[0]);
	ck_assert(regain_is(a, &first));
	lab_free(lab);
}
END_TEST

/* Twice, and then all is silent. */
START_TEST(a_second_outage_is_as_the_first)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);

	for (int i = 0; i < 2; i++) {
		family_out(lab, &n, 4000);
		ck_assert(both_by(lab, 1));
		n.cut_num = 0;
		ck_assert(bed_talk(lab, &n, 120000));
		ck_assert(both_by(lab, 0));
		for (size_t k = 0; k < 2; k++) {
			ck_assert_uint_eq(assoc(lab, k)->paths->gone.port, 0);
			ck_assert(!assoc(lab, k)->paths->claimed);
		}
		memset(lab->sent, 0, sizeof(lab->sent));
		ck_assert(bed_talk(lab, &n, 300000));
		ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	}
	lab_free(lab);
}
END_TEST

/* An address that is no longer ours is forgotten. */
START_TEST(what_is_no_longer_ours_is_not_told)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);
	bool alive;

	family_out(lab, &n, 4000);
	ck_assert(regain_waits(lab->host[0].h, assoc(lab, 0), &alive));
	ck_assert(!alive);
	bed_here(lab, 0, &at[0][1], 1);
	ck_assert(!regain_waits(lab->host[0].h, assoc(lab, 0), &alive));
	n.cut_num = 0;
	ck_assert(bed_talk(lab, &n, 60000));
	ck_assert(both_by(lab, 1));
	lab_free(lab);
}
END_TEST

/* Both tell at once: who began keeps to his path for a while, so that they do
 * not swap theirs for ever (pathwalk 65). Without a word of his own he follows. */
START_TEST(who_began_follows_later_when_both_tell_at_once)
{
	struct bed_net n;
	struct lab *lab = two_families(&n);
	struct assoc *a = assoc(lab, 0);

	ck_assert(a->initiator);
	a->tell = _i;
	update_flush(lab->host[0].h, a, lab->now);
	lab_effects(lab, 0);
	bed_policy(lab, 1, HIP_PREFER_ORDER, "2001:db8::/32");
	lab_sleep(lab, LAB_S);
	ck_assert_int_eq(bed_is(lab, 0, at[0][0], at[1][0]), _i);
	ck_assert_int_eq(bed_is(lab, 0, at[0][1], at[1][1]), !_i);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(both_by(lab, 1));
	lab_free(lab);
}
END_TEST

Suite *test_regain_suite(void);
Suite *test_regain_suite(void)
{
	Suite *s = suite_create("regain");
	TCase *t = tcase_create("regain");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_family_that_was_out_is_returned_to, 0,
			    sizeof(out_ms) / sizeof(out_ms[0]));
	tcase_add_test(t, what_lives_again_is_not_taken_at_once);
	tcase_add_test(t, what_stays_dead_costs_little);
	tcase_add_test(t, an_idle_association_tells_nothing);
	tcase_add_test(t, what_is_no_better_is_not_claimed);
	tcase_add_test(t, what_is_told_again_is_withheld_no_more);
	tcase_add_test(t, a_quiet_address_and_ice_are_left_alone);
	tcase_add_test(t, a_second_outage_is_as_the_first);
	tcase_add_test(t, what_is_no_longer_ours_is_not_told);
	tcase_add_loop_test(t, who_began_follows_later_when_both_tell_at_once,
			    0, 2);
	suite_add_tcase(s, t);
	return s;
}
