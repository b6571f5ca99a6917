/* SPDX-License-Identifier: MIT */
/* Two hosts that only a data relay connects (RFC 9028 4.12). */
#include "hip/datapath.h"

#include "hip/reach.h"
#include "test/unit/hip/datalab.h"
#include "test/unit/hip/snap.h"

static struct nat_bed bed;

static struct hip_peer peer_of(const struct lab *lab, size_t i, size_t j)
{
	struct hip_peer v = { .peer = lab->host[j].hit };

	hip_each_peer(lab->host[i].h, lab_one_peer, &v);
	return v;
}

static bool direct(const struct lab *lab, size_t i, size_t j)
{
	const struct assoc *a = nat_assoc(lab, i, j);

	return a && a->state == HIP_ESTABLISHED && !a->unproved &&
	       !a->ice_waits &&
	       addr_eq(&a->peer_at.addr, &bed.nat[j].outside.addr) &&
	       !datapath_by(lab->host[i].h, a);
}

/* Between all and the relay there is a NAT that translates 1:1. */
static bool one_to_one(struct lab *lab, struct lab_packet *p)
{
	static const uint8_t outer[4] = { 203, 0, 113, 3 };
	const struct addr a = addr_from4(outer);

	if (p->from == 2)
		p->src.addr = a;
	else if (addr_eq(&p->dst.addr, &a))
		p->dst.addr = lab->host[2].at.addr;
	else if (addr_eq(&p->dst.addr, &lab->host[2].at.addr))
		return false; /* nobody gets there */
	return true;
}

START_TEST(two_symmetric_nats_are_passed_by_the_relay)
{
	struct lab *lab = data_two(&bed);
	const struct hip_effect *e;
	struct hip_peer p;

	ck_assert(endpoint_eq(&data_reg(lab, 1)->relayed_at,
			      &data_port(lab, 1)->at));
	ck_assert(endpoint_eq(&lab->host[1].last[HIP_REGISTERED].relayed_at,
			      &data_port(lab, 1)->at));
	nat_call(lab, 0, 1);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(data_relayed(lab));
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(data_permitted(lab));
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 1);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_SWITCH], 1);
	/* What the daemons are told: 0 sends to the port, 1 to the relay. */
	e = &lab->host[0].last[HIP_LOCATOR];
	ck_assert(endpoint_eq(&e->peer_at, &data_port(lab, 1)->at));
	ck_assert(e->verified);
	e = &lab->host[1].last[HIP_LOCATOR];
	ck_assert(endpoint_eq(&e->peer_at, &lab->host[2].at));
	ck_assert(endpoint_eq(&e->self_at, &lab->host[1].at));
	ck_assert(endpoint_eq(&e->relayed_at, &data_port(lab, 1)->at));
	ck_assert(e->verified);
	e = &lab->host[2].last[HIP_PERMIT];
	ck_assert(endpoint_eq(&e->peer_at, &nat_assoc(lab, 2, 1)->peer_at));
	ck_assert(endpoint_eq(&e->relayed_at, &data_port(lab, 1)->at));
	/* And people. */
	for (size_t i = 0; i < 2; i++) {
		p = peer_of(lab, i, !i);
		ck_assert(endpoint_eq(&p.relayed_at, &data_port(lab, 1)->at));
	}
	ck_assert(endpoint_eq(&p.peer_at, &lab->host[2].at));
	lab_free(lab);
}
END_TEST

/* The caller has the relayed address. */
START_TEST(the_callers_port_does_as_well)
{
	struct lab *lab = data_two(&bed);
	const struct endpoint *by;

	nat_register(lab, 0);
	nat_call(lab, 0, 1);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	for (size_t i = 0; i < 2; i++) {
		const struct assoc *a = nat_assoc(lab, i, !i);

		ck_assert(!a->unproved && !a->ice_waits);
		by = datapath_by(lab->host[i].h, a);
		ck_assert_ptr_nonnull(by);
		ck_assert(addr_eq(&by->addr, &lab->host[2].at.addr));
	}
	data_flows(lab, 60);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(a_relay_behind_a_nat_names_its_outer_address)
{
	static const uint8_t four[4] = { 203, 0, 113, 3 };
	struct lab *lab = data_bed(&bed);
	struct hip_outer o = { lab->host[2].at.addr, addr_from4(four) };
	struct endpoint relay = { o.outer, HIP_PORT };

	nat_put(lab, 0);
	nat_put(lab, 1);
	bed.nat[0].symmetric = true;
	bed.nat[1].symmetric = true;
	bed.tap = one_to_one;
	ck_assert_int_eq(hip_set_outer(lab->host[2].h, &o, 1), HG_OK);
	ck_assert_int_eq(hip_register_relay(lab->host[1].h, NULL,
					    &lab->host[2].hit, &relay, 600,
					    lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(addr_eq(&data_reg(lab, 1)->relayed_at.addr, &o.outer));
	ck_assert_int_eq(lab_want_at(lab, 0, 1, &relay), HG_OK);
	lab_run(lab);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(data_relayed(lab));
	ck_assert(data_permitted(lab));
	ck_assert(addr_eq(&nat_assoc(lab, 0, 1)->peer_at.addr, &o.outer));
	/* It is the relay's own: nothing may be relayed to it. */
	ck_assert(datarelay_is_self(lab->host[2].h, &o.outer));
	data_flows(lab, 60);
	ck_assert(data_relayed(lab));
	lab_free(lab);
}
END_TEST

/* One of the NATs lets everybody in from now on. */
START_TEST(a_direct_path_is_taken_when_there_is_one)
{
	struct lab *lab = data_met(&bed);
	unsigned checks;

	data_flows(lab, 100);
	ck_assert(data_relayed(lab));
	/* It is looked for, ever more seldom. */
	checks = lab->sent[HIP_UPDATE];
	data_flows(lab, 300);
	ck_assert_uint_lt(lab->sent[HIP_UPDATE] - checks, 60);
	bed.nat[_i].symmetric = false;
	bed.nat[_i].every = true;
	data_flows(lab, 330);
	ck_assert(direct(lab, 0, 1));
	ck_assert(direct(lab, 1, 0));
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 1);
	lab_free(lab);
}
END_TEST

START_TEST(nobody_looks_for_an_unused_path)
{
	struct lab *lab = data_met(&bed);
	unsigned sent;

	lab_sleep(lab, 130 * LAB_S);
	sent = lab->sent[HIP_UPDATE];
	lab_sleep(lab, 100 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], sent);
	lab_free(lab);
}
END_TEST

/* A way that the peer has not named is asked, unless another one is. */
START_TEST(who_looks_for_a_way_leaves_a_question_alone)
{
	struct lab *lab = data_met(&bed);
	struct assoc *b = nat_assoc(lab, 1, 0);
	struct paths *p = b->paths;
	int cur = paths_current(b);
	int n = 0;

	while (n < p->num && paths_relayed(p, &p->v[n]))
		n++;
	ck_assert_int_lt(n, p->num);
	p->v[n].dead = false;
	p->v[n].verified = lab->now;
	paths_peer_of(p, &p->v[n])->active = true;
	p->target = (int8_t)cur;
	p->seen = true;
	reach_look(lab->host[1].h, b, lab->now);
	ck_assert_int_eq(p->target, cur);
	ck_assert(p->seen);
	p->target = -1;
	reach_look(lab->host[1].h, b, lab->now);
	ck_assert_int_eq(p->target, n);
	ck_assert(!p->seen);
	lab_free(lab);
}
END_TEST

/* The client's NAT forgets: the relay follows, and so does what it relays. */
START_TEST(a_client_that_moves_takes_its_path_along)
{
	struct lab *lab = data_met(&bed);
	struct endpoint to;

	bed.nat[1].outside.port = (uint16_t)(bed.nat[1].outside.port + 1000);
	bed.nat[1].num = 0;
	data_flows(lab, 40);
	ck_assert(data_relayed(lab));
	ck_assert(data_permitted(lab));
	to = nat_assoc(lab, 2, 1)->peer_at;
	ck_assert_uint_gt(to.port, bed.nat[1].outside.port);
	ck_assert(endpoint_eq(&lab->host[2].last[HIP_PERMIT].peer_at, &to));
	ck_assert_uint_ne(lab->host[2].last[HIP_PERMIT].permit.until, 0);
	lab_free(lab);
}
END_TEST

/* The relay begins anew, and has forgotten everything. */
START_TEST(a_relay_that_begins_anew_is_used_again)
{
	struct lab *lab = data_met(&bed);
	struct hip_config cfg = lab_config();

	cfg.relay = true;
	lab_boot(lab, 2, &cfg, HIP_ALG_ECDSA_P256, 2);
	data_ports(lab);
	for (unsigned i = 0; i < 60; i++) { /* nothing comes */
		hip_traffic(lab->host[1].h, &lab->host[1].hit,
			    &lab->host[0].hit, false, lab->now);
		lab_effects(lab, 1);
		lab_sleep(lab, LAB_S);
	}
	ck_assert_ptr_nonnull(data_port(lab, 1));
	if (!data_relayed(lab)) { /* given up: but it can be had again */
		nat_call(lab, 0, 1);
		data_flows(lab, 60);
	}
	ck_assert(data_relayed(lab));
	ck_assert(data_permitted(lab));
	lab_free(lab);
}
END_TEST

/* RELAY_TO with what is not our relayed address is no such thing. */
START_TEST(what_names_another_port_came_by_the_control_relay)
{
	struct lab *lab = data_met(&bed);
	struct hip *h = lab->host[1].h;
	struct endpoint at = lab->host[1].at;
	struct endpoint to = data_reg(lab, 1)->relayed_at;
	struct msg_builder b;

	for (int i = 0; i < 4; i++) {
		struct packet p = { .from = &lab->host[2].at,
				    .at = &at,
				    .relayed = lab_at(3) };
		struct endpoint is = to;

		is.port = (uint16_t)(is.port + (i == 1));
		is.addr.b[15] ^= i == 2;
		message_begin(&b, i == 3 ? HIP_R2 : HIP_UPDATE,
			      &lab->host[0].hit, &lab->host[1].hit);
		fields_put_udp_at(&b, PARAM_RELAY_TO, &is);
		ck_assert_int_eq(param_parse(b.buf, b.len, &p.m), REASON_NUM);
		datapath_check(h, &p, &lab->host[2].hit);
		ck_assert(!!p.relayed.port == !!i);
		ck_assert(!!p.source.port == !i);
		if (i)
			continue;
		ck_assert_ptr_eq(p.from, &p.source);
		ck_assert(endpoint_eq(p.at, &to));
	}
	lab_free(lab);
}
END_TEST

/* A control relay is no path, also where it relays data: what it passes on
 * proves nothing. */
START_TEST(without_a_port_there_is_no_path)
{
	struct lab *lab = data_two(&bed);
	struct hip *h = lab->host[1].h;

	datapath_lost(h, h->registrations.v[0], lab->now);
	nat_call(lab, 0, 1);
	lab_sleep(lab, 30 * LAB_S);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 0);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_SWITCH], 0);
	ck_assert_int_eq(lab->host[0].last[HIP_FAILED].reason,
			 REASON_HIP_CHECKS);
	lab_free(lab);
}
END_TEST

/* The registration ends: so does the path, and another one is looked for. */
START_TEST(a_path_ends_with_its_registration)
{
	struct lab *lab = data_met(&bed);
	struct hip *h = lab->host[1].h;

	bed.nat[0].symmetric = false;
	bed.nat[0].every = true;
	datapath_lost(h, h->registrations.v[0], lab->now);
	lab_drain(lab);
	ck_assert(!endpoint_eq(&nat_assoc(lab, 1, 0)->self_at,
			       &data_port(lab, 1)->at));
	data_flows(lab, 30);
	ck_assert(direct(lab, 1, 0));
	ck_assert(direct(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(close_passes_the_relay)
{
	struct lab *lab = data_met(&bed);

	hip_close(lab->host[_i].h, &lab->host[!_i].hit, lab->now);
	lab_drain(lab);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert_int_ne(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_int_ne(lab_state(lab, 1, 0), HIP_ESTABLISHED);
	lab_free(lab);
}
END_TEST

/* What is closed while checks go on: where the exchange has passed. */
START_TEST(close_before_there_is_a_path_passes_the_relay)
{
	struct lab *lab = data_two(&bed);
	struct hip *h = lab->host[1].h;

	datapath_lost(h, h->registrations.v[0], lab->now);
	nat_call(lab, 0, 1);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	ck_assert(nat_assoc(lab, 0, 1)->ice_waits);
	hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
	lab_drain(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	lab_free(lab);
}
END_TEST

Suite *test_datapath_suite(void);
Suite *test_datapath_suite(void)
{
	Suite *s = suite_create("datapath");
	TCase *t = tcase_create("all");

	tcase_add_test(t, two_symmetric_nats_are_passed_by_the_relay);
	tcase_add_test(t, the_callers_port_does_as_well);
	tcase_add_test(t, a_relay_behind_a_nat_names_its_outer_address);
	tcase_add_loop_test(t, a_direct_path_is_taken_when_there_is_one, 0, 2);
	tcase_add_test(t, nobody_looks_for_an_unused_path);
	tcase_add_test(t, who_looks_for_a_way_leaves_a_question_alone);
	tcase_add_test(t, a_client_that_moves_takes_its_path_along);
	tcase_add_test(t, a_relay_that_begins_anew_is_used_again);
	tcase_add_test(t, what_names_another_port_came_by_the_control_relay);
	tcase_add_test(t, without_a_port_there_is_no_path);
	tcase_add_test(t, a_path_ends_with_its_registration);
	tcase_add_loop_test(t, close_passes_the_relay, 0, 2);
	tcase_add_test(t, close_before_there_is_a_path_passes_the_relay);
	suite_add_tcase(s, t);
	return s;
}
