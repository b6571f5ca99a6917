/* SPDX-License-Identifier: MIT */
/* What a control relay passes on, and what it does not (RFC 9028 4.5). */
#include "hip/relay.h"

#include "hip/fields.h"
#include "hip/i1credit.h"
#include "test/unit/hip/natlab.h"
#include "test/unit/hip/snap.h"

static struct nat_bed bed;
static struct lab_packet relayed[4]; /* what the relay sent last */
static unsigned relayed_num;

/* What the relay sends ends here. */
static bool keep(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	if (p->from != 2)
		return true;
	relayed[relayed_num++ % 4] = *p;
	return false;
}

/* 1 is registered at the relay, 2. */
static struct lab *relay(void)
{
	struct lab *lab = nat_bed(&bed);

	nat_put(lab, 1);
	nat_register(lab, 1);
	bed.tap = keep;
	relayed_num = 0;
	return lab;
}

/* A message of `type` from host i to j, for the relay. */
static struct msg_builder message(const struct lab *lab, uint8_t type, size_t i,
				  size_t j)
{
	static const uint8_t groups[] = { 7 };
	const struct field_ids mode = { { 1 }, 1 };
	struct msg_builder b;

	message_begin(&b, type, &lab->host[i].hit, &lab->host[j].hit);
	if (type == HIP_I1)
		message_put(&b, PARAM_DH_GROUP_LIST, groups, 1);
	if (type == HIP_R1 || type == HIP_I2)
		fields_put_nat_modes(&b, &mode);
	return b;
}

static struct lab_packet packet(const struct lab *lab, size_t i,
				const struct msg_builder *b)
{
	struct lab_packet p = nat_packet(lab, i, &lab->host[2].at, b);

	if (i == 1)
		p.src = bed.nat[1].outside;
	return p;
}

static struct lab_packet to_client(const struct lab *lab, uint8_t type)
{
	struct msg_builder b = message(lab, type, 0, 1);

	return packet(lab, 0, &b);
}

static struct lab_packet to_other(const struct lab *lab, uint8_t type,
				  const struct endpoint *to)
{
	struct msg_builder b = message(lab, type, 1, 0);

	fields_put_udp_at(&b, PARAM_RELAY_TO, to);
	return packet(lab, 1, &b);
}

static void refused(struct lab *lab, const struct lab_packet *p, enum reason r)
{
	uint64_t was = lab_drops(lab, 2, r);
	unsigned sent = relayed_num;
	struct snap snap;

	snap_take(lab, 2, &snap);
	lab_input(lab, 2, p);
	lab_run(lab);
	snap_same(lab, 2, &snap, true);
	ck_assert_uint_eq(relayed_num, sent);
	ck_assert_msg(lab_drops(lab, 2, r) == was + 1, "not dropped as %s",
		      reason_name(r));
}

static const struct lab_packet *passed(struct lab *lab,
				       const struct lab_packet *p)
{
	unsigned sent = relayed_num;

	lab_input(lab, 2, p);
	lab_run(lab);
	ck_assert_uint_eq(relayed_num, sent + 1);
	return &relayed[sent % 4];
}

static const uint8_t to_clients[] = { HIP_I1,	  HIP_I2,    HIP_UPDATE,
				      HIP_NOTIFY, HIP_CLOSE, HIP_CLOSE_ACK };
static const uint8_t from_clients[] = { HIP_R1,	    HIP_R2,    HIP_UPDATE,
					HIP_NOTIFY, HIP_CLOSE, HIP_CLOSE_ACK };

START_TEST(what_is_for_a_client_gets_there_with_relay_from)
{
	struct lab *lab = relay();
	struct lab_packet p = to_client(lab, to_clients[_i]);
	const struct lab_packet *got = passed(lab, &p);
	struct endpoint from;
	struct hip_msg m;

	ck_assert(endpoint_eq(&got->dst, &bed.nat[1].outside));
	ck_assert(endpoint_eq(&got->src, &lab->host[2].at));
	ck_assert_int_eq(param_parse(got->msg, got->len, &m), REASON_NUM);
	ck_assert(fields_get_udp_at(param_find(&m, PARAM_RELAY_FROM), &from));
	ck_assert(endpoint_eq(&from, &lab->host[0].at));
	ck_assert_ptr_nonnull(param_find(&m, PARAM_RELAY_HMAC));
	ck_assert_mem_eq(got->msg + 40, p.msg + 40, p.len - 40);
	/* 80 octets at most are added. */
	ck_assert_uint_le(got->len, p.len + 80);
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 1);
	ck_assert(lab->host[2].last[HIP_RELAYED].relay);
	ck_assert_uint_eq(lab->host[2].last[HIP_RELAYED].type, to_clients[_i]);
	lab_free(lab);
}
END_TEST

START_TEST(what_a_client_answers_leaves_as_it_is)
{
	struct lab *lab = relay();
	struct lab_packet p = to_client(lab, HIP_I1);
	const struct lab_packet *got = passed(lab, &p);

	p = to_other(lab, from_clients[_i], &lab->host[0].at);
	got = passed(lab, &p);
	ck_assert(endpoint_eq(&got->dst, &lab->host[0].at));
	ck_assert(endpoint_eq(&got->src, &lab->host[2].at));
	ck_assert_uint_eq(got->len, p.len); /* amplified by 1 */
	ck_assert_mem_eq(got->msg, p.msg, p.len);
	lab_free(lab);
}
END_TEST

START_TEST(only_registered_clients_are_served)
{
	struct lab *lab = relay();
	struct msg_builder b = message(lab, HIP_I1, 0, 3);
	struct lab_packet p = packet(lab, 0, &b);

	refused(lab, &p, REASON_HIP_NOT_REGISTERED);
	b = message(lab, HIP_UPDATE, 0, 3);
	p = packet(lab, 0, &b);
	refused(lab, &p, REASON_HIP_NOT_OURS);
	/* Somebody else with RELAY_TO. */
	b = message(lab, HIP_R1, 3, 0);
	fields_put_udp_at(&b, PARAM_RELAY_TO, &lab->host[0].at);
	p = packet(lab, 3, &b);
	refused(lab, &p, REASON_HIP_NOT_REGISTERED);
	/* In a client's name, from elsewhere. */
	p = to_client(lab, HIP_I1);
	(void)passed(lab, &p);
	p = to_other(lab, HIP_R1, &lab->host[0].at);
	p.src.port++;
	refused(lab, &p, REASON_HIP_NOT_REGISTERED);
	p.src = lab->host[3].at;
	refused(lab, &p, REASON_HIP_NOT_REGISTERED);
	p.src = bed.nat[1].outside;
	(void)passed(lab, &p);
	/* When the registration is over, so is the service. */
	hip_close(lab->host[2].h, &lab->host[1].hit, lab->now);
	lab_effects(lab, 2);
	lab_run(lab);
	refused(lab, &p, REASON_HIP_NOT_REGISTERED);
	p = to_client(lab, HIP_I1);
	refused(lab, &p, REASON_HIP_NOT_REGISTERED);
	lab_free(lab);
}
END_TEST

/* RFC 9028 7.8: one service of the two. */
START_TEST(a_rendezvous_client_has_no_relay)
{
	struct lab *lab = nat_bed(&bed);
	struct lab_packet p;

	lab->host[2].h->cfg.rendezvous = true; /* from the next R1 on */
	lab_sleep(lab, 1000 * LAB_S);
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[2].hit,
				      &lab->host[2].at, 600, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	bed.tap = keep;
	relayed_num = 0;
	p = to_client(lab, HIP_I2);
	refused(lab, &p, REASON_HIP_NOT_OURS);
	p = to_client(lab, HIP_I1); /* as RFC 8004 has it */
	(void)passed(lab, &p);
	ck_assert(!lab->host[2].last[HIP_RELAYED].relay);
	p = to_other(lab, HIP_R1, &lab->host[0].at);
	p.src = lab->host[1].at;
	refused(lab, &p, REASON_HIP_NOT_REGISTERED);
	lab_free(lab);
}
END_TEST

/* RFC 9028 4.5 */
START_TEST(r1_and_i2_say_a_nat_traversal_mode)
{
	struct lab *lab = relay();
	struct lab_packet p = to_client(lab, HIP_I1);
	struct msg_builder b;

	(void)passed(lab, &p);
	message_begin(&b, HIP_I2, &lab->host[0].hit, &lab->host[1].hit);
	p = packet(lab, 0, &b);
	refused(lab, &p, REASON_HIP_NAT_MODE);
	message_begin(&b, HIP_R1, &lab->host[1].hit, &lab->host[0].hit);
	fields_put_udp_at(&b, PARAM_RELAY_TO, &lab->host[0].at);
	p = packet(lab, 1, &b);
	refused(lab, &p, REASON_HIP_NAT_MODE);
	/* I1 without groups is nothing a client could answer. */
	message_begin(&b, HIP_I1, &lab->host[0].hit, &lab->host[1].hit);
	p = packet(lab, 0, &b);
	refused(lab, &p, REASON_HIP_MISSING);
	lab_free(lab);
}
END_TEST

START_TEST(the_way_of_a_packet_is_the_one_its_type_has)
{
	struct lab *lab = relay();
	struct lab_packet p = to_client(lab, HIP_I1);

	(void)passed(lab, &p);
	p = to_client(lab, HIP_R1);
	refused(lab, &p, REASON_HIP_RELAY_TO);
	p = to_client(lab, HIP_R2);
	refused(lab, &p, REASON_HIP_RELAY_TO);
	p = to_other(lab, HIP_I2, &lab->host[0].at);
	refused(lab, &p, REASON_HIP_RELAY_TO);
	lab_free(lab);
}
END_TEST

/* No open proxy: only who has just written to the client is written to. */
START_TEST(relay_to_names_somebody_who_has_just_written)
{
	struct lab *lab = relay();
	struct endpoint to = lab->host[0].at;
	struct lab_packet p = to_other(lab, HIP_UPDATE, &to);

	refused(lab, &p, REASON_HIP_RELAY_TO);
	p = to_client(lab, HIP_UPDATE);
	(void)passed(lab, &p);
	to.port++;
	p = to_other(lab, HIP_UPDATE, &to);
	refused(lab, &p, REASON_HIP_RELAY_TO);
	to = lab->host[3].at;
	p = to_other(lab, HIP_UPDATE, &to);
	refused(lab, &p, REASON_HIP_RELAY_TO);
	to = lab->host[0].at;
	p = to_other(lab, HIP_UPDATE, &to);
	(void)passed(lab, &p);
	lab->now += 29 * LAB_S;
	(void)passed(lab, &p);
	lab->now += 2 * LAB_S;
	refused(lab, &p, REASON_HIP_RELAY_TO);
	/* Nor does who has written to one client count for another. */
	nat_put(lab, 3);
	bed.tap = NULL;
	nat_register(lab, 3);
	bed.tap = keep;
	p = to_client(lab, HIP_UPDATE);
	(void)passed(lab, &p);
	struct msg_builder b = message(lab, HIP_UPDATE, 3, 0);

	fields_put_udp_at(&b, PARAM_RELAY_TO, &to);
	p = packet(lab, 3, &b);
	p.src = bed.nat[3].outside;
	refused(lab, &p, REASON_HIP_RELAY_TO);
	lab_free(lab);
}
END_TEST

START_TEST(relay_to_that_nobody_can_have)
{
	static const char *const bad[] = { "127.0.0.1", "224.0.0.1", "::1",
					   "ff02::1",	"::",	     "0.0.0.0",
					   "2001:20::1" };
	struct lab *lab = relay();
	struct endpoint to = { .port = 10500 };
	struct prefix barred;
	struct lab_packet p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(addr_parse(bad[i], &to.addr), HG_OK);
		p = to_client(lab, HIP_UPDATE); /* as if it could write */
		p.src = to;
		refused(lab, &p, REASON_HIP_RELAY_TO);
		p = to_other(lab, HIP_UPDATE, &to);
		refused(lab, &p, REASON_HIP_RELAY_TO);
	}
	/* Nor our own substitute addresses. */
	ck_assert_int_eq(prefix_parse("10.77.0.0/16", &barred), HG_OK);
	ck_assert_int_eq(hip_set_barred(lab->host[2].h, &barred, 1), HG_OK);
	ck_assert_int_eq(addr_parse("10.77.1.1", &to.addr), HG_OK);
	p = to_client(lab, HIP_UPDATE);
	p.src = to;
	refused(lab, &p, REASON_HIP_RELAY_TO);
	to = (struct endpoint){ lab->host[0].at.addr, 0 };
	p = to_other(lab, HIP_UPDATE, &to);
	refused(lab, &p, REASON_HIP_TLV);
	lab_free(lab);
}
END_TEST

/* One hop; and no circle: neither by ourselves nor by another relay. */
START_TEST(nothing_is_relayed_twice)
{
	struct lab *lab = relay();
	struct lab_packet p = to_client(lab, HIP_I1);
	struct lab_packet once = *passed(lab, &p);
	struct endpoint self = lab->host[2].at;
	static const enum param hops[] = { PARAM_RELAY_FROM, PARAM_RELAY_HMAC,
					   PARAM_FROM, PARAM_RVS_HMAC };

	/* Another relay's client is our client: it comes round once. */
	once.src = lab->host[3].at;
	once.dst = self;
	refused(lab, &once, REASON_HIP_RELAY_HMAC);
	for (size_t i = 0; i < 4; i++) {
		struct msg_builder b = message(lab, HIP_I1, 0, 1);

		(void)message_reserve(&b, hops[i],
				      hops[i] == PARAM_RELAY_FROM ? 20
				      : hops[i] == PARAM_FROM	  ? 16
								  : 32);
		p = packet(lab, 0, &b);
		refused(lab, &p, REASON_HIP_RELAY_HMAC);
	}
	/* RELAY_TO ourselves, although we have "written". */
	p = to_client(lab, HIP_UPDATE);
	p.src = self;
	(void)passed(lab, &p);
	p = to_other(lab, HIP_UPDATE, &self);
	refused(lab, &p, REASON_HIP_RELAY_TO);
	lab_free(lab);
}
END_TEST

/* A relay may be a client of another one: what is for its own HIT is its
 * own, and two that are each other's clients do not play ball. */
START_TEST(a_relay_may_be_registered_at_a_relay)
{
	struct lab *lab = nat_bed(&bed);
	struct hip_config cfg = lab_config();

	cfg.relay = true;
	lab_boot(lab, 3, &cfg, HIP_ALG_ECDSA_P256, 3);
	nat_register(lab, 3); /* at 2 */
	ck_assert_int_eq(hip_register_relay(lab->host[2].h, NULL,
					    &lab->host[3].hit, &lab->host[3].at,
					    600, lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, 5 * LAB_S);
	memset(bed.seen, 0, sizeof(bed.seen));
	/* 0 looks for 3 at 2, and for 1, which nobody knows, at both. */
	ck_assert_int_eq(lab_want_at(lab, 0, 3, &lab->host[2].at), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 3));
	ck_assert_uint_eq(bed.seen[HIP_I1], 2);
	ck_assert_int_eq(lab_want_at(lab, 0, 1, &lab->host[2].at), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(bed.seen[HIP_I1], 3);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_NOT_REGISTERED), 1);
	lab_free(lab);
}
END_TEST

START_TEST(no_source_floods_a_client)
{
	struct lab *lab = relay();
	struct lab_packet p = to_client(lab, HIP_NOTIFY);

	for (int i = 0; i < 1000; i++) {
		lab_input(lab, 2, &p);
		lab_run(lab);
	}
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 300);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_RATE), 700);
	lab_free(lab);
}
END_TEST

START_TEST(what_has_no_room_for_more_is_dropped)
{
	struct lab *lab = relay();
	struct msg_builder b = message(lab, HIP_UPDATE, 0, 1);
	struct lab_packet p;

	(void)message_reserve(&b, PARAM_ECHO_REQUEST_SIGNED, 2000 - 60);
	p = packet(lab, 0, &b);
	refused(lab, &p, REASON_HIP_TLV);
	lab_free(lab);
}
END_TEST

/* The allow list says who may register, the deny list who is not served. */
START_TEST(access_rules_are_the_rendezvous_roles)
{
	struct lab *lab = relay();
	struct hip_access_rule rule = { .by_hit = true,
					.hit = lab->host[0].hit };
	struct hip_access list[HIP_ROLE_NUM] = { [HIP_ROLE_RENDEZVOUS] = {
							 &rule, 1 } };
	struct lab_packet p = to_client(lab, HIP_I1);

	ck_assert_int_eq(hip_set_access(lab->host[2].h, list, lab->now), 0);
	refused(lab, &p, REASON_HIP_DENIED);
	rule.hit = lab->host[3].hit;
	rule.allow = true;
	ck_assert_int_eq(hip_set_access(lab->host[2].h, list, lab->now), 0);
	lab_effects(lab, 2); /* 1 is not among those allowed any more */
	refused(lab, &p, REASON_HIP_NOT_REGISTERED);
	lab_free(lab);
}
END_TEST

Suite *test_relay_suite(void);
Suite *test_relay_suite(void)
{
	Suite *s = suite_create("relay");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, what_is_for_a_client_gets_there_with_relay_from,
			    0, 6);
	tcase_add_loop_test(t, what_a_client_answers_leaves_as_it_is, 0, 6);
	tcase_add_test(t, only_registered_clients_are_served);
	tcase_add_test(t, a_rendezvous_client_has_no_relay);
	tcase_add_test(t, r1_and_i2_say_a_nat_traversal_mode);
	tcase_add_test(t, the_way_of_a_packet_is_the_one_its_type_has);
	tcase_add_test(t, relay_to_names_somebody_who_has_just_written);
	tcase_add_test(t, relay_to_that_nobody_can_have);
	tcase_add_test(t, nothing_is_relayed_twice);
	tcase_add_test(t, a_relay_may_be_registered_at_a_relay);
	tcase_add_test(t, no_source_floods_a_client);
	tcase_add_test(t, what_has_no_room_for_more_is_dropped);
	tcase_add_test(t, access_rules_are_the_rendezvous_roles);
	suite_add_tcase(s, t);
	return s;
}
