/* SPDX-License-Identifier: MIT */
/* What a client permits at its data relay (RFC 9028 4.12.1). */
#include "hip/datapath.h"

#include "hip/reach.h"
#include "hip/rekey.h"
#include "hip/update.h"
#include "test/unit/hip/datalab.h"

static struct nat_bed bed;

/* RFC 9028 4.12.1: a minute before it is over. */
START_TEST(permissions_are_renewed)
{
	struct lab *lab = data_met(&bed);

	for (unsigned i = 0; i < 30; i++) {
		data_flows(lab, 30);
		ck_assert(data_relayed(lab));
		ck_assert(data_permitted(lab));
	}
	lab_free(lab);
}
END_TEST

/* It is over at the relay, too early: which says nothing, HIP passes as ever,
 * but no data do. */
START_TEST(a_permission_that_is_over_is_asked_for_again)
{
	struct lab *lab = data_met(&bed);
	struct datarelay_port *port =
		(struct datarelay_port *)data_port(lab, 1);

	data_flows(lab, 2);
	port->permit[port->num - 1].until = lab->now;
	ck_assert(!data_permitted(lab));
	for (unsigned i = 0; i < 3; i++) { /* nothing comes */
		hip_traffic(lab->host[1].h, &lab->host[1].hit,
			    &lab->host[0].hit, false, lab->now);
		lab_effects(lab, 1);
		lab_sleep(lab, LAB_S / 2);
	}
	ck_assert(data_permitted(lab));
	ck_assert_uint_gt(lab->host[2].last[HIP_PERMIT].permit.until, lab->now);
	ck_assert(data_relayed(lab));
	lab_free(lab);
}
END_TEST

/* New SPIs are permitted before the peer uses them; our own packets come to
 * the relay behind the UPDATE that asks for it. */
static bool early;
static bool asked; /* the relay was */

static bool watch_permits(struct lab *lab, struct lab_packet *p)
{
	struct hip_msg m;

	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	asked = asked || param_find(&m, PARAM_PEER_PERMISSION);
	/* The client's answer, from which on the peer may use them. */
	if (p->from == 1 && param_find(&m, PARAM_ACK) &&
	    param_find(&m, PARAM_ESP_INFO) && !asked)
		early = false;
	/* The first switch was to be met. */
	for (size_t i = 0; i < 2; i++) {
		if (lab->host[i].count[HIP_SA_SWITCH] > 1 &&
		    !data_permitted(lab))
			early = false;
	}
	return true;
}

START_TEST(a_rekey_is_permitted)
{
	struct lab *lab = data_met(&bed);
	uint32_t was = lab->host[0].sa.spi_in;

	early = true;
	asked = false;
	ck_assert_int_eq(hip_rekey(lab->host[_i].h, &lab->host[_i].hit,
				   &lab->host[!_i].hit, true, lab->now),
			 HG_OK);
	bed.tap = watch_permits;
	lab_drain(lab);
	lab_sleep(lab, 10 * LAB_S);
	ck_assert_uint_ne(lab->host[0].sa.spi_in, was);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(data_relayed(lab));
	ck_assert(data_permitted(lab));
	ck_assert(early);
	lab_free(lab);
}
END_TEST

/* The relay's word is lost, all the time. */
static bool relay_is_mute(struct lab *lab, struct lab_packet *p)
{
	struct hip_msg m;

	(void)lab;
	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	return p->from != 2 || memcmp(p->msg + 8, lab->host[2].hit.b, 16) != 0;
}

START_TEST(a_rekey_waits_for_the_relay_but_not_for_ever)
{
	struct lab *lab = data_met(&bed);
	const struct assoc *b = nat_assoc(lab, 1, 0);

	bed.tap = relay_is_mute;
	ck_assert_int_eq(hip_rekey(lab->host[_i].h, &lab->host[_i].hit,
				   &lab->host[!_i].hit, true, lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, 800 * LAB_MS);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(lab->host[i].count[HIP_SA_SWITCH], 1);
		ck_assert_uint_eq(nat_assoc(lab, i, !i)->rekeys, 0);
	}
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(b->rekeys, 1);
	ck_assert_uint_eq(nat_assoc(lab, 0, 1)->rekeys, 1);
	ck_assert(lab_agree(lab, 0, 1));
	for (size_t i = 0; i < 2; i++)
		ck_assert_uint_eq(lab->host[i].count[HIP_SA_SWITCH], 2);
	lab_free(lab);
}
END_TEST

/* Candidates that may be no way at all are asked all the while; what must get
 * through waits for none of them. */
START_TEST(a_rekey_waits_for_no_candidate)
{
	struct lab *lab = data_met(&bed);
	uint32_t was;

	for (unsigned n = 0; n < 60; n++) {
		size_t i = n % 2;

		data_flows(lab, 1);
		lab_sleep(lab, n * 7 % 10 * 100 * LAB_MS);
		was = lab->host[0].sa.spi_in;
		ck_assert_int_eq(hip_rekey(lab->host[i].h, &lab->host[i].hit,
					   &lab->host[!i].hit, n % 3 == 0,
					   lab->now),
				 HG_OK);
		lab_drain(lab);
		ck_assert_uint_ne(lab->host[0].sa.spi_in, was);
		ck_assert(lab_agree(lab, 0, 1));
		ck_assert(data_relayed(lab));
	}
	lab_free(lab);
}
END_TEST

/* A rekey that waits for the relay's word on its SPIs. */
static struct lab *waiting(bool (*tap)(struct lab *lab, struct lab_packet *p))
{
	struct lab *lab = data_met(&bed);
	const struct assoc *b = nat_assoc(lab, 1, 0);

	bed.tap = tap;
	ck_assert_int_eq(hip_rekey(lab->host[0].h, &lab->host[0].hit,
				   &lab->host[1].hit, false, lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, 100 * LAB_MS);
	ck_assert_ptr_nonnull(b->rekey);
	ck_assert(datapath_waits(lab->host[1].h, b, rekey_spi(b)));
	return lab;
}

/* It waits still, and ends well. */
static void waits_and_ends(struct lab *lab)
{
	const struct assoc *b = nat_assoc(lab, 1, 0);

	ck_assert_ptr_nonnull(b->rekey);
	ck_assert(datapath_waits(lab->host[1].h, b, rekey_spi(b)));
	lab_drain(lab);
	lab_sleep(lab, 600 * LAB_MS);
	ck_assert_uint_eq(b->rekeys, 0);
	ck_assert_uint_eq(nat_assoc(lab, 0, 1)->rekeys, 0);
	ck_assert(datapath_waits(lab->host[1].h, b, rekey_spi(b)));
	bed.tap = NULL;
	lab_sleep(lab, 5 * LAB_S);
	ck_assert_uint_eq(b->rekeys, 1);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(data_permitted(lab));
	lab_free(lab);
}

/* Whatever would have a place permitted with the keys in use. */
START_TEST(what_a_rekey_waits_for_is_not_overwritten)
{
	struct lab *lab = waiting(relay_is_mute);
	struct hip *h = lab->host[1].h;
	struct assoc *b = nat_assoc(lab, 1, 0);
	struct endpoint other = { b->peer_at.addr, 50000 };
	struct endpoint via = b->self_at;
	struct paths_peer *q = paths_peer_find(b->paths, &b->peer_at, &via);

	q->permit_at = lab->now;
	switch (_i) {
	case 0:
		datapath_heard(h, b, q, lab->now);
		break;
	case 1:
		datapath_suspect(h, b, lab->now);
		break;
	case 2:
		ck_assert(reach_candidate(h, b, &other, &via, lab->now));
		break;
	case 3:
		ck_assert_ptr_nonnull(
			paths_peer_add_via(b, b->paths, &other, &via));
		datapath_taken(h, b, lab->now);
		break;
	}
	ck_assert_uint_eq(q->permit_in, rekey_spi(b));
	ck_assert_uint_eq(q->permit_at, lab->now + LAB_S);
	waits_and_ends(lab);
}
END_TEST

/* No permission gets to the relay. */
static bool nothing_is_asked(struct lab *lab, struct lab_packet *p)
{
	struct hip_msg m;

	(void)lab;
	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	return !param_find(&m, PARAM_PEER_PERMISSION);
}

/* It has something to say itself: that is no word on what it has not had. */
START_TEST(an_update_of_the_relay_is_not_its_word)
{
	struct lab *lab = waiting(nothing_is_asked);
	const struct assoc *relay = nat_assoc(lab, 1, 2);
	uint32_t was = relay->up.in_high;

	update_send(lab->host[2].h, nat_assoc(lab, 2, 1), lab->now);
	lab_drain(lab);
	ck_assert_uint_eq(relay->up.in_high, was + 1);
	waits_and_ends(lab);
}
END_TEST

Suite *test_datapath_permit_suite(void);
Suite *test_datapath_permit_suite(void)
{
	Suite *s = suite_create("datapath_permit");
	TCase *t = tcase_create("all");

	tcase_add_test(t, permissions_are_renewed);
	tcase_add_test(t, a_permission_that_is_over_is_asked_for_again);
	tcase_add_loop_test(t, a_rekey_is_permitted, 0, 2);
	tcase_add_loop_test(t, a_rekey_waits_for_the_relay_but_not_for_ever, 0,
			    2);
	tcase_add_test(t, a_rekey_waits_for_no_candidate);
	tcase_add_loop_test(t, what_a_rekey_waits_for_is_not_overwritten, 0, 4);
	tcase_add_test(t, an_update_of_the_relay_is_not_its_word);
	suite_add_tcase(s, t);
	return s;
}
