/* SPDX-License-Identifier: MIT */
/* The table of paths: pairs, order, history. */
#include "test/unit/hip/move_bed.h"

START_TEST(who_never_moved_has_one_path_and_no_table)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip_path p = bed_path(lab, 0, "192.0.2.1", "192.0.2.2");

	ck_assert_ptr_null(assoc(lab, 0)->paths);
	ck_assert_uint_eq(bed_paths(lab, 0), 1);
	ck_assert(p.current && p.state == HIP_PATH_ACTIVE);
	ck_assert_uint_ne(p.verified, 0);
	ck_assert_uint_eq(p.verified, assoc(lab, 0)->last_in);
	ck_assert(!bed_happened(lab, 0, HIP_PATH_MOVED));
	assoc(lab, 0)->unproved = true; /* heard, but who knows from where */
	p = bed_path(lab, 0, "192.0.2.1", "192.0.2.2");
	ck_assert_int_eq(p.state, HIP_PATH_UNVERIFIED);
	ck_assert_uint_eq(p.verified, 0);
	lab_free(lab);
}
END_TEST

/* Just when one wants to know. */
START_TEST(the_history_outlives_an_exchange)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip_config cfg = lab_config();
	uint64_t was;

	bed_move(lab, 0, "203.0.113.1");
	lab_sleep(lab, LAB_S);
	ck_assert(bed_happened(lab, 0, HIP_PATH_MOVED));
	was = assoc(lab, 0)->serial;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P256, lab->host[1].key);
	ck_assert_int_eq(lab_want(lab, 1, 0), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_ne(assoc(lab, 0)->serial, was);
	ck_assert(bed_happened(lab, 0, HIP_PATH_MOVED));
	ck_assert(!bed_happened(lab, 1, HIP_PATH_MOVED));
	lab_free(lab);
}
END_TEST

START_TEST(what_does_not_answer_is_doubtful_and_without_an_address_stranded)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct endpoint peer = bed_at("192.0.2.2");

	ck_assert(!view(lab, 0).doubtful && !view(lab, 0).stranded);
	n.cut[n.cut_num++] = peer;
	bed_traffic(lab, 0, false);
	lab_sleep(lab, 990 * LAB_MS);
	ck_assert(!view(lab, 0).doubtful);
	lab_sleep(lab, 20 * LAB_MS);
	ck_assert(view(lab, 0).doubtful);
	n.cut_num = 0;
	lab_sleep(lab, LAB_S);
	ck_assert(!view(lab, 0).doubtful);
	ck_assert_ptr_nonnull(paths_make(lab->host[0].h, assoc(lab, 0)));
	ck_assert(!view(lab, 0).doubtful);
	assoc(lab, 0)->paths->v[0].dead = true;
	ck_assert(view(lab, 0).doubtful);
	assoc(lab, 0)->paths->v[0].dead = false;
	bed_here(lab, 0, NULL, 0);
	ck_assert(view(lab, 0).stranded);
	bed_move(lab, 0, "192.0.2.1");
	lab_sleep(lab, LAB_S);
	ck_assert(!view(lab, 0).stranded && !view(lab, 0).doubtful);
	lab_free(lab);
}
END_TEST

/* However it came to be asked so often. */
START_TEST(an_address_that_is_given_up_is_told_once)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip *h = lab->host[0].h;
	struct assoc *a = assoc(lab, 0);
	struct paths *p = paths_make(h, a);
	struct endpoint at = bed_at("203.0.113.1");
	struct paths_peer *q = paths_peer_add(a, p, &at);

	paths_rebuild(h, a);
	for (q->asked = 1; q->asked < PATHS_ASK_MAX; q->asked++) {
		paths_give_up(h, a, lab->now);
		ck_assert(!bed_happened(lab, 0, HIP_PATH_FAILED));
	}
	a->up.outstanding = true; /* it may be answered */
	paths_give_up(h, a, lab->now);
	a->up.outstanding = false;
	p->target = 1;
	paths_give_up(h, a, lab->now);
	p->target = -1;
	ck_assert(!bed_happened(lab, 0, HIP_PATH_FAILED));
	for (int i = 0; i < 3; i++)
		paths_give_up(h, a, lab->now);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_PATH], 1);
	ck_assert_int_eq(lab->host[0].last[HIP_PATH].why, HIP_PATH_FAILED);
	ck_assert(endpoint_eq(&lab->host[0].last[HIP_PATH].peer_at, &at));
	lab_free(lab);
}
END_TEST

START_TEST(pairs_are_of_one_family_and_bounded)
{
	static const char *const ours[] = { "192.0.2.1", "2001:db8::1",
					    "192.0.2.11", "192.0.2.12" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct assoc *a = assoc(lab, 0);
	struct paths *p = paths_make(lab->host[0].h, a);
	char text[ADDR_TEXT_MAX];
	struct endpoint at;

	bed_here(lab, 0, ours, 4);
	for (int i = 0; i < 12; i++) {
		snprintf(text, sizeof(text),
			 i % 3 ? "203.0.113.%d" : "2001:db8::9:%d", i + 1);
		at = bed_at(text);
		ck_assert_int_eq(paths_peer_add(a, p, &at) != NULL,
				 true); /* what was only seen gives way */
	}
	ck_assert_uint_eq(p->peer_num, HIP_LOCATORS_MAX);
	ck_assert_ptr_nonnull(paths_peer(p, &a->peer_at));
	paths_rebuild(lab->host[0].h, a);
	ck_assert_uint_le(p->num, HIP_PATHS_MAX);
	ck_assert_int_eq(paths_current(a), 0);
	for (int i = 0; i < p->num; i++)
		ck_assert_int_eq(addr_is4(&p->v[i].self.addr),
				 addr_is4(&p->v[i].peer.addr));
	/* What is listed stays. */
	for (int i = 0; i < p->peer_num; i++)
		p->peer[i].announced = true;
	at = bed_at("198.51.100.1");
	ck_assert_ptr_null(paths_peer_add(a, p, &at));
	lab_free(lab);
}
END_TEST

/* Each step makes the second path better than the first, or not. */
START_TEST(life_counts_before_listing_and_listing_before_policy)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip *h = lab->host[0].h;
	struct assoc *a = assoc(lab, 0);
	struct paths *p = paths_make(h, a);
	struct endpoint at = bed_at("203.0.113.1");
	struct paths_peer *q = paths_peer_add(a, p, &at);

	paths_rebuild(h, a);
	ck_assert_uint_eq(p->num, 2);
	ck_assert_int_eq(paths_state(p, &p->v[1]), HIP_PATH_UNVERIFIED);
	ck_assert(paths_better(h, a, 0, 1));
	ck_assert_int_eq(paths_best(h, a, NULL), 0);
	ck_assert_int_eq(paths_best(h, a, &at), 1);
	q->active = true;
	ck_assert(paths_better(h, a, 0, 1)); /* never tried */
	p->v[1].verified = lab->now;
	ck_assert(!paths_better(h, a, 0, 1) && !paths_better(h, a, 1, 0));
	q->announced = true;
	ck_assert(paths_better(h, a, 1, 0));
	p->peer[0].announced = true;
	p->peer[0].preferred = true;
	ck_assert(paths_better(h, a, 0, 1));
	p->v[0].dead = true;
	ck_assert_int_eq(paths_state(p, &p->v[0]), HIP_PATH_DEAD);
	ck_assert(paths_better(h, a, 1, 0));
	ck_assert(paths_preferred(h, a, 0, 1)); /* if it lived */
	p->v[0].dead = false;
	p->peer[0].over = true;
	ck_assert_int_eq(paths_state(p, &p->v[0]), HIP_PATH_DEPRECATED);
	ck_assert(paths_better(h, a, 1, 0));
	q->active = false;
	q->asked = PATHS_ASK_MAX;
	ck_assert_int_eq(paths_state(p, &p->v[1]), HIP_PATH_DEAD);
	ck_assert(paths_better(h, a, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(the_history_holds_the_last_eight)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct assoc *a = assoc(lab, 0);
	struct bed_events v = { .num = 0 };

	ck_assert_ptr_nonnull(paths_make(lab->host[0].h, a));
	for (int i = 0; i < 20 + _i; i++)
		paths_tell(lab->host[0].h, a,
			   (enum hip_path_why)(i % HIP_PATH_WHY_NUM),
			   &a->self_at, &a->peer_at, lab->now);
	hip_each_path_event(lab->host[0].h, &a->self, &a->peer, bed_event, &v);
	ck_assert_uint_eq(v.num, HIP_PATH_HISTORY);
	for (int i = 0; i < HIP_PATH_HISTORY; i++)
		ck_assert_int_eq(v.why[i], (19 + _i - i) % HIP_PATH_WHY_NUM);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_PATH], 20 + _i);
	lab_free(lab);
}
END_TEST

START_TEST(every_name_is_there)
{
	for (int i = 0; i < HIP_PATH_WHY_NUM; i++)
		ck_assert_str_ne(hip_path_why_name((enum hip_path_why)i), "?");
	for (int i = 0; i < HIP_PATH_STATE_NUM; i++)
		ck_assert_str_ne(hip_path_state_name((enum hip_path_state)i),
				 "?");
	ck_assert_str_eq(hip_path_why_name(HIP_PATH_WHY_NUM), "?");
	ck_assert_str_eq(hip_path_state_name(HIP_PATH_STATE_NUM), "?");
}
END_TEST

/* 100 000 associations are to fit, all with tables if need be. */
START_TEST(a_table_is_small)
{
	ck_assert_uint_le(sizeof(struct paths), 2304);
	ck_assert_uint_le(sizeof(struct assoc) + sizeof(struct paths) +
				  sizeof(struct paths_past),
			  4096);
}
END_TEST

Suite *test_paths_suite(void);
Suite *test_paths_suite(void)
{
	Suite *s = suite_create("paths");
	TCase *t = tcase_create("paths");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, who_never_moved_has_one_path_and_no_table);
	tcase_add_test(t, the_history_outlives_an_exchange);
	tcase_add_test(
		t,
		what_does_not_answer_is_doubtful_and_without_an_address_stranded);
	tcase_add_test(t, an_address_that_is_given_up_is_told_once);
	tcase_add_test(t, pairs_are_of_one_family_and_bounded);
	tcase_add_test(t, life_counts_before_listing_and_listing_before_policy);
	tcase_add_loop_test(t, the_history_holds_the_last_eight, 0, 9);
	tcase_add_test(t, every_name_is_there);
	tcase_add_test(t, a_table_is_small);
	suite_add_tcase(s, t);
	return s;
}
