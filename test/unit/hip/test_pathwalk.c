/* SPDX-License-Identifier: MIT */
/* Two hosts of several addresses, and what a network does to them, by seed. */
/* THEORY OF OPERATION
 * A family is out, an address is, or a host has but one address for a while.
 * When all is well again, and both ends prefer what the other one prefers, they
 * end on one path, the same for both, and then say nothing more of it. With
 * policies of their own the two may send by different paths, but stay there.
 */
#include "test/unit/hip/move_bed.h"

#include <stdlib.h>

enum { ROUNDS = 8, LISTS = 3 };

/* ms */
static const uint64_t heals = 200000;
static const uint64_t quiet = 300000;

static const char *const pool[2][LISTS] = {
	{ "192.0.2.1", "2001:db8::1", "203.0.113.1" },
	{ "192.0.2.2", "2001:db8::2", "203.0.113.2" }
};

struct walk {
	struct lab *lab;
	struct bed_net n;
	uint32_t x;
	const char *list[2][LISTS];
	size_t num[2];
};

static uint32_t chance(struct walk *w, uint32_t n)
{
	w->x ^= w->x << 13;
	w->x ^= w->x >> 17;
	w->x ^= w->x << 5;
	return w->x % n;
}

static void begin(struct walk *w, uint32_t seed)
{
	memset(w, 0, sizeof(*w));
	w->x = seed * 2654435761u + 12345;
	w->lab = bed_up(&w->n);
	for (size_t i = 0; i < 2; i++) {
		memcpy(w->list[i], pool[i], sizeof(w->list[i]));
		w->num[i] = 2 + chance(w, 2);
		if (chance(w, 2)) {
			w->list[i][0] = pool[i][1];
			w->list[i][1] = pool[i][0];
		}
		bed_here(w->lab, i, w->list[i], w->num[i]);
	}
}

static void policies(struct walk *w)
{
	struct hip_path_policy p = { .order_num = 1 };
	struct prefix one;

	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(
			prefix_parse(chance(w, 2) ? "2000::/3" : "0.0.0.0/0",
				     &one),
			HG_OK);
		p.prefer = (enum hip_prefer)chance(w, HIP_PREFER_NUM);
		p.order = &one;
		ck_assert_int_eq(
			hip_set_path_policy(w->lab->host[i].h, &p, w->lab->now),
			HG_OK);
	}
}

static void cut(struct walk *w, const char *at)
{
	w->n.cut[w->n.cut_num++] = bed_at(at);
}

/* true: a family was out on both ends. */
static bool trouble(struct walk *w)
{
	uint32_t i = chance(w, 2);
	uint32_t k = chance(w, LISTS);
	uint32_t what = chance(w, 3);

	switch (what) {
	case 0:
		cut(w, pool[0][k]);
		cut(w, pool[1][k]);
		break;
	case 1:
		cut(w, pool[i][k]);
		break;
	default:
		bed_here(w->lab, i, &w->list[i][k % 2], 1);
		bed_talk(w->lab, &w->n, 1000 + chance(w, 20000));
		bed_here(w->lab, i, w->list[i], w->num[i]);
	}
	bed_talk(w->lab, &w->n, 500 + chance(w, 12000));
	w->n.cut_num = 0;
	return what == 0;
}

/* On the path that both lists begin with, if there is one. */
static bool at_best(struct walk *w)
{
	struct endpoint self = bed_at(w->list[0][0]);
	struct endpoint peer = bed_at(w->list[1][0]);
	struct hip_peer v = view(w->lab, 0);

	return endpoint_eq(&v.self_at, &self) && endpoint_eq(&v.peer_at, &peer);
}

/* With what has been said meanwhile, in `quiet`. */
static void settled(struct walk *w, uint32_t seed, int round, bool same)
{
	struct hip_peer v[2], was[2];

	bed_talk(w->lab, &w->n, heals);
	for (size_t i = 0; i < 2; i++)
		was[i] = view(w->lab, i);
	memset(w->lab->sent, 0, sizeof(w->lab->sent));
	ck_assert(bed_talk(w->lab, &w->n, quiet));
	for (size_t i = 0; i < 2; i++) {
		v[i] = view(w->lab, i);
		ck_assert_int_eq(v[i].state, HIP_ESTABLISHED);
		ck_assert_msg(
			endpoint_eq(&v[i].self_at, &was[i].self_at) &&
				endpoint_eq(&v[i].peer_at, &was[i].peer_at),
			"seed %u, round %d: %zu moves on", seed, round, i);
	}
	ck_assert_msg(w->lab->sent[HIP_UPDATE] <= 20,
		      "seed %u, round %d: %u UPDATEs when all is well", seed,
		      round, w->lab->sent[HIP_UPDATE]);
	ck_assert_msg(!same || (endpoint_eq(&v[0].self_at, &v[1].peer_at) &&
				endpoint_eq(&v[1].self_at, &v[0].peer_at)),
		      "seed %u, round %d: two paths", seed, round);
}

static void walk(uint32_t seed, bool own_policies)
{
	struct walk w;

	begin(&w, seed);
	if (own_policies)
		policies(&w);
	bed_talk(w.lab, &w.n, 20000);
	for (int round = 0; round < ROUNDS; round++) {
		bool best = at_best(&w);

		best = trouble(&w) && best;
		settled(&w, seed, round, !own_policies);
		ck_assert_msg(own_policies || !best || at_best(&w),
			      "seed %u, round %d: it does not come back", seed,
			      round);
	}
	lab_free(w.lab);
}

START_TEST(whose_network_is_well_again_is_on_one_path_and_quiet)
{
	walk((uint32_t)_i, false);
}
END_TEST

START_TEST(who_has_a_policy_of_his_own_stays_where_it_leads)
{
	walk((uint32_t)_i, true);
}
END_TEST

Suite *test_pathwalk_suite(void);
Suite *test_pathwalk_suite(void)
{
	Suite *s = suite_create("pathwalk");
	TCase *t = tcase_create("pathwalk");
	const char *seeds = getenv("PATHWALK_SEEDS");
	int num = seeds ? atoi(seeds) : 12;

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(
		t, whose_network_is_well_again_is_on_one_path_and_quiet, 1,
		num + 1);
	tcase_add_loop_test(t, who_has_a_policy_of_his_own_stays_where_it_leads,
			    1, num + 1);
	suite_add_tcase(s, t);
	return s;
}
