/* SPDX-License-Identifier: MIT */
/* Paths that fail, come back, are seen elsewhere; sleep and resume. */
#include "hip/update.h"
#include "test/unit/hip/move_bed.h"

static const char *const links[] = { "192.0.2.1", "203.0.113.1" };

/* Host 0 has two links; both know. */
static struct lab *two_links(struct bed_net *n)
{
	struct lab *lab = bed_up(n);

	bed_here(lab, 0, links, 2);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(bed_is(lab, 0, links[0], "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", links[0]));
	return lab;
}

/* Whoever sends an I2 with a lifetime of a second, and then nothing, must not
 * keep us awake until R2-SENT ends. */
START_TEST(in_r2_sent_no_timer_is_set_for_paths)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct bed_net n;
	struct assoc *a;

	bed_net(lab, &n);
	bed_here(lab, 0, links, 2);
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	a = assoc_find(&lab->host[1].h->assocs, &lab->host[1].hit,
		       &lab->host[0].hit);
	ck_assert_ptr_nonnull(a->paths);
	for (uint8_t i = 0; i < a->paths->peer_num; i++)
		a->paths->peer[i].expires = lab->now + LAB_S;
	assoc_arm(lab->host[1].h, a);
	lab->now += 2 * LAB_S;
	hip_tick(lab->host[1].h, lab->now);
	ck_assert_uint_gt(hip_deadline(lab->host[1].h), lab->now);
	/* ESTABLISHED, it is looked at. */
	bed_traffic(lab, 1, true);
	hip_tick(lab->host[1].h, lab->now);
	lab_drain(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
	ck_assert_uint_gt(hip_deadline(lab->host[1].h), lab->now);
	lab_free(lab);
}
END_TEST

START_TEST(a_dead_link_is_left_within_three_seconds)
{
	struct bed_net n;
	struct lab *lab = two_links(&n);

	ck_assert(bed_talk(lab, &n, 3000));
	n.cut[n.cut_num++] = bed_at(links[0]);
	ck_assert(bed_talk(lab, &n, 3000));
	ck_assert(bed_is(lab, 0, links[1], "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", links[1]));
	ck_assert_int_eq(bed_path(lab, 0, links[0], "192.0.2.2").state,
			 HIP_PATH_DEAD);
	ck_assert(bed_happened(lab, 0, HIP_PATH_SILENT) ||
		  bed_happened(lab, 0, HIP_PATH_FAILED));
	lab_free(lab);
}
END_TEST

START_TEST(a_link_that_lives_again_is_returned_to_after_a_while)
{
	struct bed_net n;
	struct lab *lab = two_links(&n);

	n.cut[n.cut_num++] = bed_at(links[0]);
	ck_assert(bed_talk(lab, &n, 3000));
	ck_assert(bed_is(lab, 0, links[1], "192.0.2.2"));
	n.cut_num = 0;
	ck_assert(bed_talk(lab, &n, 5000));
	/* Not at once: it must have answered for ten seconds. */
	ck_assert(bed_is(lab, 0, links[1], "192.0.2.2"));
	ck_assert(bed_talk(lab, &n, 60000));
	ck_assert(bed_is(lab, 0, links[0], "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", links[0]));
	ck_assert(bed_happened(lab, 0, HIP_PATH_RETURNED));
	lab_free(lab);
}
END_TEST

/* Who says nothing costs less and less. */
START_TEST(a_flow_of_one_way_is_probed_ever_more_seldom)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	for (int i = 0; i < 240; i++) {
		bed_traffic(lab, 0, false);
		lab_sleep(lab, 250 * LAB_MS);
	}
	/* After 1, 3, 7, 15, 31 s, each with an ACK; and some time for it. */
	ck_assert_uint_le(lab->sent[HIP_UPDATE], 12);
	ck_assert_uint_ge(lab->sent[HIP_UPDATE], 8);
	ck_assert(bed_is(lab, 0, "192.0.2.1", "192.0.2.2"));
	lab_free(lab);
}
END_TEST

START_TEST(data_in_both_directions_are_never_probed)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	ck_assert(bed_talk(lab, &n, 60000));
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	ck_assert_ptr_null(assoc(lab, 0)->paths);
	ck_assert_ptr_null(assoc(lab, 1)->paths);
	lab_free(lab);
}
END_TEST

/* ---- NATs ------------------------------------------------------------------ */

static void seen_from(struct lab *lab, size_t i, const char *from)
{
	struct endpoint e = bed_at(from);

	hip_seen_from(lab->host[i].h, &lab->host[i].hit, &lab->host[!i].hit, &e,
		      &lab->host[i].at, lab->now);
	lab_effects(lab, i);
}

/* Host 0 knows nothing of it: its NAT has taken another port. */
START_TEST(a_nat_that_takes_another_port_is_followed)
{
	struct lab *lab = up();
	struct bed_net n;

	bed_net(lab, &n);
	bed_move(lab, 1, "192.0.2.2");
	lab->host[0].at = bed_at("192.0.2.1:4711");
	assoc(lab, 0)->self_at = lab->host[0].at; /* the kernel's choice */
	seen_from(lab, 1, "192.0.2.1:4711");
	/* Not before it has answered there. */
	ck_assert_uint_eq(view(lab, 1).peer_at.port, HIP_PORT);
	lab_run(lab);
	ck_assert_uint_eq(view(lab, 1).peer_at.port, 4711);
	ck_assert(view(lab, 1).verified);
	ck_assert(bed_happened(lab, 1, HIP_PATH_REBOUND));
	lab_free(lab);
}
END_TEST

/* Whoever copies a packet can send it from anywhere. */
START_TEST(a_source_that_does_not_answer_is_not_followed)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	n.victim = bed_at("203.0.113.9:99");
	for (int i = 0; i < 100; i++) {
		seen_from(lab, 1, "203.0.113.9:99");
		lab_run(lab);
		lab_sleep(lab, 100 * LAB_MS);
	}
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	ck_assert_uint_ge(n.to_victim, 1);
	ck_assert_uint_le(n.to_victim, 3);
	lab_free(lab);
}
END_TEST

START_TEST(sources_that_cannot_be_are_not_even_asked)
{
	static const char *const bad[] = { "127.0.0.1", "224.0.0.1",
					   "198.18.0.1", "[fe80::1]:10500",
					   "192.0.2.2" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct prefix pool;

	ck_assert_int_eq(prefix_parse("198.18.0.0/15", &pool), HG_OK);
	ck_assert_int_eq(hip_set_barred(lab->host[1].h, &pool, 1), HG_OK);
	seen_from(lab, 1, bad[_i]);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	ck_assert_ptr_null(assoc(lab, 1)->paths);
	lab_free(lab);
}
END_TEST

/* Each end may have chosen another link, for good: as long as we send, it is
 * asked where we send, and no longer. */
START_TEST(keepalives_by_another_path_keep_nothing)
{
	struct bed_net n;
	struct lab *lab = two_links(&n);

	bed_traffic(lab, 1, false);
	bed_traffic(lab, 1, true);
	memset(lab->sent, 0, sizeof(lab->sent));
	for (int i = 0; i < 6; i++) {
		seen_from(lab, 1, links[1]);
		lab_sleep(lab, 20 * LAB_S);
	}
	ck_assert_uint_ge(lab->sent[HIP_UPDATE], 4); /* two, answered */
	ck_assert(bed_is(lab, 1, "192.0.2.2", links[0]));
	lab_sleep(lab, 20 * LAB_S);
	memset(lab->sent, 0, sizeof(lab->sent));
	for (int i = 0; i < 50; i++) {
		seen_from(lab, 1, links[1]);
		lab_sleep(lab, 20 * LAB_S);
	}
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	ck_assert_int_ne(lab_state(lab, 1, 0), HIP_ESTABLISHED);
	lab_free(lab);
}
END_TEST

/* ---- credit ------------------------------------------------------------------ */

/* Data come, so the peer is somewhere; where it was asked in vain, it may be
 * asked again for what they pay, before anything else is sent there. */
START_TEST(credit_pays_for_a_question_first)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct lab_host *host = &lab->host[1];

	n.victim = bed_at("192.0.2.1");
	n.cut[n.cut_num++] = n.victim;
	bed_spend(lab, 1);
	host->count[HIP_LOCATOR] = 0;
	bed_received(lab, 1, 999);
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(host->count[HIP_LOCATOR], 0);
	ck_assert_uint_eq(n.to_victim, 0);
	bed_received(lab, 1, 101);
	lab_sleep(lab, 10 * LAB_S);
	ck_assert_uint_eq(host->count[HIP_LOCATOR], 1);
	ck_assert(!host->last[HIP_LOCATOR].verified);
	ck_assert_uint_eq(host->last[HIP_LOCATOR].credit, 100);
	ck_assert_uint_eq(n.to_victim, 1);
	ck_assert(!view(lab, 1).verified);
	/* What is outstanding costs what it has. */
	n.cut_num = 0;
	bed_received(lab, 1, assoc(lab, 1)->up.sent.len - 1);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert_uint_eq(n.to_victim, 1);
	bed_received(lab, 1, 1000);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	lab_free(lab);
}
END_TEST

/* ---- sleep ------------------------------------------------------------------ */

START_TEST(who_wakes_asks_at_once)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_traffic(lab, 0, false);
	bed_traffic(lab, 0, true);
	lab->now += 60 * LAB_S;
	hip_wake(lab->host[0].h, lab->now);
	lab_effects(lab, 0);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2);
	ck_assert(bed_is(lab, 0, "192.0.2.1", "192.0.2.2"));
	lab_free(lab);
}
END_TEST

START_TEST(who_was_not_in_use_is_not_woken)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	lab->now += 400 * LAB_S;
	hip_wake(lab->host[0].h, lab->now);
	lab_effects(lab, 0);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_free(lab);
}
END_TEST

/* Asleep while its UPDATE was under way, awake somewhere else. */
START_TEST(who_wakes_elsewhere_is_found_within_a_round_trip)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	n.cut[n.cut_num++] = bed_at("192.0.2.2");
	bed_traffic(lab, 0, false);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(assoc(lab, 0)->up.outstanding);
	n.cut_num = 0;
	lab->now += 10 * LAB_S;
	hip_wake(lab->host[0].h, lab->now);
	lab_effects(lab, 0);
	lab_run(lab);
	bed_move(lab, 0, "203.0.113.7");
	lab_run(lab);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.7"));
	lab_free(lab);
}
END_TEST

START_TEST(without_an_address_nobody_is_given_up)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_here(lab, 0, NULL, 0);
	bed_traffic(lab, 0, false);
	lab_sleep(lab, 300 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	bed_move(lab, 0, "203.0.113.7");
	lab_run(lab);
	ck_assert(bed_is(lab, 0, "203.0.113.7", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.7"));
	lab_free(lab);
}
END_TEST

/* The address was there before its route. */
START_TEST(what_waits_for_an_answer_goes_again_when_a_way_may_be_there)
{
	struct bed_net n;
	struct lab *lab = two_links(&n);
	unsigned before;

	hip_again(lab->host[0].h, lab->now);
	lab_drain(lab);
	before = lab->sent[HIP_UPDATE];
	hip_again(lab->host[0].h, lab->now); /* nothing waits */
	lab_drain(lab);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], before);
	n.cut[n.cut_num++] = bed_at("192.0.2.2");
	bed_traffic(lab, 0, false);
	hip_wake(lab->host[0].h, lab->now);
	lab_drain(lab);
	ck_assert(assoc(lab, 0)->up.outstanding);
	n.cut_num = 0;
	hip_again(lab->host[0].h, lab->now);
	lab_drain(lab); /* and no time has passed */
	ck_assert(!assoc(lab, 0)->up.outstanding);
	lab_free(lab);
}
END_TEST

/* Both hear the other well, but what one sends goes nowhere. */
START_TEST(who_is_asked_by_another_way_doubts_its_own)
{
	struct bed_net n;
	struct lab *lab = two_links(&n);

	/* Host 1 has left the first link by itself; 0 sends by it. */
	n.cut[n.cut_num++] = bed_at(links[0]);
	bed_traffic(lab, 1, false);
	lab_sleep(lab, LAB_S);
	bed_traffic(lab, 1, false);
	lab_sleep(lab, 300 * LAB_MS);
	ck_assert(bed_is(lab, 1, "192.0.2.2", links[1]));
	bed_traffic(lab, 0, false);
	update_send(lab->host[1].h, assoc(lab, 1), lab->now);
	lab_drain(lab);
	lab_sleep(lab, LAB_S);
	ck_assert(bed_is(lab, 0, links[1], "192.0.2.2"));
	lab_free(lab);
}
END_TEST

Suite *test_pathwatch_suite(void);
Suite *test_pathwatch_suite(void)
{
	Suite *s = suite_create("pathwatch");
	TCase *t = tcase_create("pathwatch");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, in_r2_sent_no_timer_is_set_for_paths);
	tcase_add_test(t, a_dead_link_is_left_within_three_seconds);
	tcase_add_test(t, a_link_that_lives_again_is_returned_to_after_a_while);
	tcase_add_test(t, a_flow_of_one_way_is_probed_ever_more_seldom);
	tcase_add_test(t, data_in_both_directions_are_never_probed);
	tcase_add_test(t, a_nat_that_takes_another_port_is_followed);
	tcase_add_test(t, a_source_that_does_not_answer_is_not_followed);
	tcase_add_loop_test(t, sources_that_cannot_be_are_not_even_asked, 0, 5);
	tcase_add_test(t, keepalives_by_another_path_keep_nothing);
	tcase_add_test(t, credit_pays_for_a_question_first);
	tcase_add_test(t, who_wakes_asks_at_once);
	tcase_add_test(t, who_was_not_in_use_is_not_woken);
	tcase_add_test(t, who_wakes_elsewhere_is_found_within_a_round_trip);
	tcase_add_test(t, without_an_address_nobody_is_given_up);
	tcase_add_test(
		t, what_waits_for_an_answer_goes_again_when_a_way_may_be_there);
	tcase_add_test(t, who_is_asked_by_another_way_doubts_its_own);
	suite_add_tcase(s, t);
	return s;
}
