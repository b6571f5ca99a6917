/* SPDX-License-Identifier: MIT */
/* A peer with several addresses at our data relay (RFC 9028 4.12). */
#include "hip/datapath.h"

#include "hip/reach.h"
#include "test/unit/hip/datalab.h"

static struct nat_bed bed;

/* Which places of host 0 may use the keys that are in use now; *last: which one
 * was named last. */
static unsigned places(const struct lab *lab, struct endpoint *last)
{
	const struct datarelay_port *port = data_port(lab, 1);
	uint32_t spi = nat_assoc(lab, 1, 0)->keys->sa.spi_in;
	uint64_t until = 0;
	unsigned num = 0;

	for (uint8_t i = 0; i < port->num; i++) {
		const struct datarelay_permit *t = &port->permit[i];

		if (t->spi_in != spi || lab->now >= t->until)
			continue;
		num++;
		if (t->until > until)
			*last = t->peer;
		if (t->until > until)
			until = t->until;
	}
	return num;
}

static void new_keys(struct lab *lab, size_t i)
{
	unsigned was = nat_assoc(lab, 1, 0)->rekeys;

	ck_assert_int_eq(hip_rekey(lab->host[i].h, &lab->host[i].hit,
				   &lab->host[!i].hit, false, lab->now),
			 HG_OK);
	data_flows(lab, 5);
	ck_assert_uint_eq(nat_assoc(lab, 1, 0)->rekeys, was + 1);
}

/* The peer's NAT forgets: the relay sees it at another port, and only there. */
START_TEST(a_peer_that_is_seen_elsewhere_is_permitted_there)
{
	struct lab *lab = data_met(&bed);
	struct assoc *b = nat_assoc(lab, 1, 0);
	struct endpoint was = b->peer_at;
	struct endpoint last;
	int old;

	bed.nat[0].outside.port = (uint16_t)(bed.nat[0].outside.port + 1000);
	bed.nat[0].num = 0;
	data_flows(lab, 3);
	ck_assert(data_relayed(lab));
	ck_assert(data_permitted(lab));
	ck_assert_uint_gt(b->peer_at.port, bed.nat[0].outside.port);
	/* Where it was it is asked, once: it may be somebody else's. */
	old = paths_find(b->paths, &b->self_at, &was);
	ck_assert_int_ge(old, 0);
	ck_assert(b->paths->v[old].dead);
	new_keys(lab, 0);
	ck_assert_uint_eq(places(lab, &last), 1);
	ck_assert(endpoint_eq(&last, &b->peer_at));
	lab_free(lab);
}
END_TEST

/* The relay sees it there, but it answers nothing: what was asked by the way
 * (spread.c) is spent, and not dead. */
START_TEST(a_place_that_is_spent_is_not_permitted)
{
	struct lab *lab = data_met(&bed);
	struct assoc *b = nat_assoc(lab, 1, 0);
	struct endpoint nobody = lab_at(7);
	struct endpoint via = b->self_at;
	struct endpoint last;
	struct paths_peer *q;

	q = paths_peer_add_via(b, b->paths, &nobody, &via);
	ck_assert_ptr_nonnull(q);
	paths_rebuild(lab->host[1].h, b);
	new_keys(lab, 0);
	ck_assert_uint_eq(places(lab, &last), 2);
	q->asked = PATHS_ASK_MAX;
	data_flows(lab, 5);
	b->paths->v[paths_find(b->paths, &via, &nobody)].dead = false;
	new_keys(lab, 0);
	ck_assert_uint_eq(places(lab, &last), 1);
	ck_assert(endpoint_eq(&last, &b->peer_at));
	lab_free(lab);
}
END_TEST

/* The port that host 0's NAT had before works once more, and is asked: n, a
 * path of host 1's. */
static void answers_at(struct lab *lab, int n)
{
	struct assoc *b = nat_assoc(lab, 1, 0);

	ck_assert(b->paths->v[n].dead);
	bed.nat[0].symmetric = true;
	reach_ask(lab->host[1].h, b, n, false, lab->now);
	lab_drain(lab);
	bed.nat[0].symmetric = false;
	ck_assert(!b->paths->v[n].dead);
}

/* Its NAT has given it another port: both are permitted, and the one in use is
 * named last. The old one does not answer, so it gets no new keys, until it
 * does. */
START_TEST(all_places_where_a_peer_answers_are_permitted)
{
	struct lab *lab = data_met(&bed);
	struct assoc *b = nat_assoc(lab, 1, 0);
	struct endpoint was = b->peer_at;
	struct endpoint via = b->self_at;
	struct endpoint last;
	int old;

	ck_assert_uint_eq(places(lab, &last), 1);
	bed.nat[0].symmetric = false;
	data_flows(lab, 40);
	ck_assert(data_relayed(lab));
	ck_assert(!endpoint_eq(&was, &b->peer_at));
	ck_assert_uint_eq(places(lab, &last), 2);
	ck_assert(endpoint_eq(&last, &b->peer_at));
	new_keys(lab, _i);
	ck_assert_uint_eq(places(lab, &last), 1);
	ck_assert(endpoint_eq(&last, &b->peer_at));
	old = paths_find(b->paths, &via, &was);
	ck_assert_int_ge(old, 0);
	ck_assert(b->paths->v[old].dead);
	answers_at(lab, old);
	ck_assert_uint_eq(places(lab, &last), 2);
	ck_assert(endpoint_eq(&last, &b->peer_at));
	new_keys(lab, !_i);
	ck_assert_uint_eq(places(lab, &last), 2);
	ck_assert(endpoint_eq(&last, &b->peer_at));
	lab_free(lab);
}
END_TEST

static uint64_t renewed_at(const struct assoc *b)
{
	return paths_peer_find(b->paths, &b->peer_at, &b->self_at)->permit_at;
}

/* Host 0's NAT has all the ports that it has had: what is sent to one of them
 * is answered from there. */
static uint16_t asked_at;

static bool all_ports_work(struct lab *lab, struct lab_packet *p)
{
	uint16_t port = data_port(lab, 1)->at.port;

	if (p->from == 2 && p->src.port == port)
		asked_at = p->dst.port;
	else if (p->from == 0 && p->dst.port == port)
		p->src.port = asked_at;
	return true;
}

/* It takes another of its places, right before all were to be renewed. */
START_TEST(a_place_that_is_left_is_renewed_with_the_others)
{
	struct lab *lab = data_met(&bed);
	struct assoc *b = nat_assoc(lab, 1, 0);
	struct endpoint was = b->peer_at;
	struct endpoint last;
	uint64_t due;
	int is, old;

	bed.nat[0].symmetric = false;
	data_flows(lab, 40);
	answers_at(lab, paths_find(b->paths, &b->self_at, &was));
	due = renewed_at(b);
	while (lab->now <= due)
		data_flows(lab, 1);
	ck_assert_uint_eq(places(lab, &last), 2);
	due = renewed_at(b);
	while (lab->now + 2 * LAB_S < due)
		data_flows(lab, 1);
	is = paths_current(b);
	old = paths_find(b->paths, &b->self_at, &was);
	b->paths->v[is].nominated = false;
	b->paths->v[old].nominated = true;
	asked_at = was.port;
	bed.tap = all_ports_work;
	paths_take(lab->host[1].h, b, old, HIP_PATH_TAKEN, lab->now);
	lab_drain(lab);
	data_flows(lab, 71);
	ck_assert(endpoint_eq(&b->peer_at, &was));
	ck_assert_uint_eq(places(lab, &last), 2);
	ck_assert(endpoint_eq(&last, &was));
	lab_free(lab);
}
END_TEST

/* Fills the table of host 1's association with i. */
static unsigned full(struct lab *lab, size_t i)
{
	struct assoc *a = nat_assoc(lab, 1, i);
	struct endpoint at = lab_at(7);
	struct paths *p = paths_make(lab->host[1].h, a);
	unsigned num = 0;

	ck_assert_ptr_nonnull(p);
	for (at.port = 1; p->peer_num < HIP_LOCATORS_MAX; at.port++)
		ck_assert_ptr_nonnull(paths_peer_add_via(
			a, p, &at, &data_reg(lab, 1)->relayed_at));
	for (uint8_t k = 0; k < p->peer_num; k++) {
		if (!p->peer[k].via.port)
			continue;
		p->peer[k].permit_in = 1;
		p->peer[k].permit_sent = true;
		num++;
	}
	return num;
}

static unsigned wanted(const struct lab *lab, size_t i)
{
	const struct paths *p = nat_assoc(lab, 1, i)->paths;
	unsigned num = 0;

	for (uint8_t k = 0; k < p->peer_num; k++)
		num += p->peer[k].permit;
	return num;
}

/* Its UPDATE was given up, and the next one has no room for all of it. */
START_TEST(what_there_is_no_room_for_is_not_forgotten)
{
	struct lab *lab = data_met(&bed);
	struct hip *h = lab->host[1].h;
	struct registration *r = h->registrations.v[0];
	struct msg_builder b;
	unsigned num;

	nat_call(lab, 3, 1);
	lab_sleep(lab, 3 * LAB_S);
	num = full(lab, 0) + full(lab, 3);
	ck_assert_uint_gt(num, 9);
	r->permit_sent = true;
	message_begin(&b, HIP_UPDATE, &lab->host[1].hit, &lab->host[2].hit);
	datapath_put(&b, h, nat_assoc(lab, 1, 2));
	ck_assert_int_eq(message_finish(&b), HG_OK);
	ck_assert(r->permit);
	ck_assert_uint_eq(wanted(lab, 0) + wanted(lab, 3), num - 8);
	lab_free(lab);
}
END_TEST

Suite *test_datapath_places_suite(void);
Suite *test_datapath_places_suite(void)
{
	Suite *s = suite_create("datapath_places");
	TCase *t = tcase_create("all");

	tcase_add_test(t, a_peer_that_is_seen_elsewhere_is_permitted_there);
	tcase_add_test(t, a_place_that_is_spent_is_not_permitted);
	tcase_add_loop_test(t, all_places_where_a_peer_answers_are_permitted, 0,
			    2);
	tcase_add_test(t, a_place_that_is_left_is_renewed_with_the_others);
	tcase_add_test(t, what_there_is_no_room_for_is_not_forgotten);
	suite_add_tcase(s, t);
	return s;
}
