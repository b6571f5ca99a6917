/* SPDX-License-Identifier: MIT */
/* A peer with several addresses at our data relay (RFC 9028 4.12). */
#include "hip/datapath.h"

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
	datapath_heard(lab->host[1].h, b,
		       paths_peer_of(b->paths, &b->paths->v[old]), lab->now);
	b->paths->v[old].dead = false;
	lab_drain(lab);
	ck_assert_uint_eq(places(lab, &last), 2);
	ck_assert(endpoint_eq(&last, &b->peer_at));
	new_keys(lab, !_i);
	ck_assert_uint_eq(places(lab, &last), 2);
	ck_assert(endpoint_eq(&last, &b->peer_at));
	lab_free(lab);
}
END_TEST

Suite *test_datapath_places_suite(void);
Suite *test_datapath_places_suite(void)
{
	Suite *s = suite_create("datapath_places");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, all_places_where_a_peer_answers_are_permitted, 0,
			    2);
	suite_add_tcase(s, t);
	return s;
}
