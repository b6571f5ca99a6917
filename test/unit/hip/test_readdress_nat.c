/* SPDX-License-Identifier: MIT */
/* Hosts that move from one NAT to another (RFC 8046, RFC 9028 4.9). */
#include "hip/readdress.h"

#include "hip/datapath.h"
#include "hip/ice.h"
#include "test/unit/hip/datalab.h"

static struct nat_bed bed;

/* Host i is behind its n-th NAT from now on. */
static void put_behind(struct lab *lab, size_t i, uint8_t n)
{
	struct nat *nat = &bed.nat[i];
	uint8_t in[4] = { 10, n, (uint8_t)i, 2 };
	uint8_t out[4] = { 198, 51, (uint8_t)(100 + n), (uint8_t)(i + 1) };

	nat_put(lab, i);
	nat->inside.addr = addr_from4(in);
	nat->outside.addr = addr_from4(out);
	nat->num = 0;
	lab->host[i].at = nat->inside;
}

/* And its engine knows. */
static void behind(struct lab *lab, size_t i, uint8_t n)
{
	struct hip_here here[1] = { 0 };

	put_behind(lab, i, n);
	here[0].at = lab->host[i].at;
	ck_assert_int_eq(hip_set_here(lab->host[i].h, here, 1, lab->now),
			 HG_OK);
	lab_effects(lab, i);
}

static void nowhere(struct lab *lab, size_t i)
{
	ck_assert_int_eq(hip_set_here(lab->host[i].h, NULL, 0, lab->now),
			 HG_OK);
	lab_effects(lab, i);
}

/* Does the relay have its client 1 where the NAT shows it? */
static bool relay_follows(const struct lab *lab)
{
	const struct assoc *a = nat_assoc(lab, 2, 1);

	return !a->unproved && endpoint_eq(&a->peer_at, &bed.nat[1].outside);
}

static struct lab *client_up(void)
{
	struct lab *lab = data_bed(&bed);

	behind(lab, 1, 0);
	lab_sleep(lab, LAB_S);
	nat_register(lab, 1);
	ck_assert(relay_follows(lab));
	return lab;
}

/* It is seen behind its new NAT, is asked there, and tells an address that is
 * nowhere out here before it answers. It might not be asked again. */
START_TEST(a_source_that_is_being_asked_is_not_withdrawn)
{
	struct lab *lab = client_up();

	hip_wake(lab->host[1].h, lab->now); /* an UPDATE ends R2-SENT */
	lab_effects(lab, 1);
	lab_drain(lab);
	put_behind(lab, 1, 1);
	(void)nat_port(&bed.nat[1], &lab->host[2].at);
	lab_sleep(lab, 2 * LAB_S);
	hip_seen_from(lab->host[2].h, &lab->host[2].hit, &lab->host[1].hit,
		      &bed.nat[1].outside, &lab->host[2].at, lab->now);
	lab_effects(lab, 2);
	ck_assert_uint_eq(lab->tail - lab->head, 1); /* the question */
	for (int i = 0; i < CHECKQUOTA_MAX; i++)
		checkquota_take(&nat_assoc(lab, 2, 1)->paths->quota,
				&bed.nat[1].outside.addr, lab->now);
	behind(lab, 1, 1);
	(void)nat_port(&bed.nat[1], &lab->host[2].at);
	lab_drain(lab);
	ck_assert(relay_follows(lab));
	lab_free(lab);
}
END_TEST

/* Who is without an address for a while asks, and nobody hears it. When there is
 * one again, that is told first. */
START_TEST(the_news_of_a_move_wait_for_no_answer)
{
	struct lab *lab = client_up();
	struct hip_msg m;

	nowhere(lab, 1);
	hip_wake(lab->host[1].h, lab->now);
	lab_effects(lab, 1);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(nat_assoc(lab, 1, 2)->up.outstanding);
	behind(lab, 1, 1);
	ck_assert_uint_lt(lab->head, lab->tail);
	for (; lab->head < lab->tail; lab->head++) {
		struct lab_packet *p = &lab->queue[lab->head % LAB_QUEUE];

		ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
		ck_assert(param_find(&m, PARAM_LOCATOR_SET));
	}
	lab_free(lab);
}
END_TEST

START_TEST(two_moves_within_a_second_are_followed)
{
	struct lab *lab = client_up();

	behind(lab, 1, 1);
	lab_sleep(lab, 300 * LAB_MS);
	ck_assert(relay_follows(lab));
	behind(lab, 1, 2);
	lab_sleep(lab, 300 * LAB_MS);
	ck_assert(relay_follows(lab));
	lab_free(lab);
}
END_TEST

static bool direct(const struct lab *lab, size_t i, size_t j)
{
	const struct assoc *a = nat_assoc(lab, i, j);

	return a->state == HIP_ESTABLISHED && !a->unproved &&
	       addr_eq(&a->peer_at.addr, &bed.nat[j].outside.addr) &&
	       !datapath_by(lab->host[i].h, a);
}

/* Each behind its first NAT, 1 registered, and met by 0. */
static void meet(struct lab *lab, bool symmetric)
{
	for (size_t i = 0; i < 2; i++) {
		behind(lab, i, 0);
		bed.nat[i].symmetric = symmetric;
	}
	lab_sleep(lab, LAB_S);
	nat_register(lab, 1);
	nat_call(lab, 0, 1);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(symmetric ? data_relayed(lab) : direct(lab, 0, 1));
}

/* Two that only the relay connects; one goes to a NAT that lets in. The path by
 * the relay lives, while no other is where it was. */
START_TEST(who_leaves_a_symmetric_nat_is_met_directly)
{
	struct lab *lab = data_bed(&bed);

	meet(lab, true);
	behind(lab, (size_t)_i, 1);
	bed.nat[_i].symmetric = false;
	bed.nat[_i].every = true;
	data_flows(lab, 5);
	ck_assert(direct(lab, 0, 1));
	ck_assert(direct(lab, 1, 0));
	lab_free(lab);
}
END_TEST

/* It came straight, to an address that we have no path from: that the peer is
 * known at our relay, too, is another matter. */
START_TEST(what_came_straight_names_no_path_by_our_relay)
{
	struct lab *lab = data_bed(&bed);
	struct endpoint at = lab_at(9);
	struct msg_builder b;
	struct packet p = { .at = &at };
	struct assoc *a;

	meet(lab, true);
	a = nat_assoc(lab, 1, 0);
	for (uint8_t i = 0; i < a->paths->num; i++)
		a->paths->v[i].nominated = false;
	p.from = &a->peer_at;
	p.now = lab->now;
	message_begin(&b, HIP_UPDATE, &a->peer, &a->self);
	fields_put_number(&b, PARAM_NOMINATE, 0);
	ck_assert_int_eq(param_parse(b.buf, b.len, &p.m), REASON_NUM);
	ice_heard(lab->host[1].h, a, &p);
	for (uint8_t i = 0; i < a->paths->num; i++)
		ck_assert(!a->paths->v[i].nominated);
	lab_free(lab);
}
END_TEST

static bool relay_is_away(struct lab *lab, struct lab_packet *p)
{
	return p->from != 2 && !endpoint_eq(&p->dst, &lab->host[2].at);
}

/* Only the relay could tell the peer where host 1 is, and it is away then. Later
 * the peer asks by it, and is told. */
START_TEST(who_moves_while_the_relay_is_away_is_met_later)
{
	struct hip_config cfg = lab_config();
	struct lab *lab;

	cfg.offer.nat[0] = FIELDS_NAT_ICE_HIP_UDP;
	cfg.offer.nat_num = 1;
	lab = nat_bed_with(&bed, &cfg);
	meet(lab, false);
	bed.tap = relay_is_away;
	behind(lab, 1, 1);
	for (int i = 0; i < 12; i++) {
		hip_traffic(lab->host[0].h, &lab->host[0].hit,
			    &lab->host[1].hit, false, lab->now);
		lab_effects(lab, 0);
		if (i == 4)
			bed.tap = NULL;
		lab_sleep(lab, LAB_S);
	}
	ck_assert(direct(lab, 0, 1));
	ck_assert(direct(lab, 1, 0));
	lab_free(lab);
}
END_TEST

/* Where nothing but the relay passes what they say, they do not fill the time
 * with it: 50 ms between rounds, however near the relay is. */
START_TEST(rounds_in_vain_are_paced)
{
	struct lab *lab = data_bed(&bed);

	meet(lab, false);
	memset(lab->sent, 0, sizeof(lab->sent));
	nowhere(lab, 0);
	behind(lab, 0, 1);
	bed.nat[0].symmetric = true;
	lab_sleep(lab, LAB_S);
	ck_assert_uint_gt(lab->sent[HIP_UPDATE], 0);
	ck_assert_uint_le(lab->sent[HIP_UPDATE], 100); /* 1525 once */
	lab_free(lab);
}
END_TEST

Suite *test_readdress_nat_suite(void);
Suite *test_readdress_nat_suite(void)
{
	Suite *s = suite_create("readdress_nat");
	TCase *t = tcase_create("all");

	tcase_add_test(t, a_source_that_is_being_asked_is_not_withdrawn);
	tcase_add_test(t, the_news_of_a_move_wait_for_no_answer);
	tcase_add_test(t, two_moves_within_a_second_are_followed);
	tcase_add_test(t, rounds_in_vain_are_paced);
	tcase_add_loop_test(t, who_leaves_a_symmetric_nat_is_met_directly, 0,
			    2);
	tcase_add_test(t, what_came_straight_names_no_path_by_our_relay);
	tcase_add_test(t, who_moves_while_the_relay_is_away_is_met_later);
	suite_add_tcase(s, t);
	return s;
}
