/* SPDX-License-Identifier: MIT */
/* Hosts that meet through a control relay (RFC 9028 4.5 to 4.11). */
#include "hip/relayed.h"

#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/i1credit.h"
#include "test/unit/hip/natlab.h"
#include "test/unit/hip/snap.h"

static struct nat_bed bed;

static bool contains(const struct lab_packet *p, enum param id,
		     struct hip_msg *m)
{
	ck_assert_int_eq(param_parse(p->msg, p->len, m), REASON_NUM);
	return param_find(m, id);
}

/* RFC 9028 4.5, 4.7.2: R1 through the relay, I2 and R2 straight. */
START_TEST(two_hosts_behind_nats_meet_through_the_relay)
{
	struct lab *lab = nat_bed(&bed);
	const struct assoc *a;
	struct field_ids mode;
	struct endpoint at;
	struct hip_msg m;

	nat_put(lab, 0);
	nat_put(lab, 1);
	nat_register(lab, 1);
	memset(bed.to_relay, 0, sizeof(bed.to_relay));
	nat_call(lab, 0, 1);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	a = nat_assoc(lab, 0, 1);
	ck_assert(endpoint_eq(&a->peer_at, &bed.nat[1].outside));
	ck_assert(endpoint_eq(&a->relay_at, &lab->host[2].at));
	a = nat_assoc(lab, 1, 0);
	ck_assert(endpoint_eq(&a->peer_at, &bed.nat[0].outside));
	ck_assert_uint_eq(a->relay_at.port, 0);
	ck_assert_uint_eq(bed.to_relay[HIP_I1], 1);
	ck_assert_uint_eq(bed.to_relay[HIP_R1], 1);
	ck_assert_uint_eq(bed.to_relay[HIP_I2], 0);
	ck_assert_uint_eq(bed.to_relay[HIP_R2], 0);
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 2);
	/* What the packets say. */
	ck_assert(contains(&bed.last[HIP_R1], PARAM_RELAY_TO, &m));
	ck_assert(fields_get_udp_at(param_find(&m, PARAM_RELAY_TO), &at));
	ck_assert(endpoint_eq(&at, &bed.nat[0].outside));
	ck_assert(relayed_get_locator(param_find(&m, PARAM_LOCATOR_SET), &at));
	ck_assert(endpoint_eq(&at, &bed.nat[1].outside));
	ck_assert(fields_get_nat_modes(param_find(&m, PARAM_NAT_TRAVERSAL_MODE),
				       &mode));
	ck_assert(mode.num == 1 && mode.id[0] == FIELDS_NAT_UDP);
	ck_assert(contains(&bed.last[HIP_I2], PARAM_NAT_TRAVERSAL_MODE, &m));
	lab_free(lab);
}
END_TEST

/* R1s made before the relay has said so do not tell where I2 is to go. */
START_TEST(who_calls_too_early_calls_again)
{
	struct lab *lab = nat_bed(&bed);

	nat_put(lab, 1);
	ck_assert_int_eq(hip_register_relay(lab->host[1].h, NULL,
					    &lab->host[2].hit, &lab->host[2].at,
					    600, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	memset(bed.to_relay, 0, sizeof(bed.to_relay));
	nat_call(lab, 0, 1);
	ck_assert(!lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_BUSY), 1);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(bed.to_relay[HIP_I2], 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_client_without_a_nat_says_where_it_is)
{
	struct lab *lab = nat_bed(&bed);

	nat_put(lab, 0);
	nat_register(lab, 1);
	bed.seen[HIP_NOTIFY] = 0;
	nat_call(lab, 0, 1);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(
		endpoint_eq(&nat_assoc(lab, 0, 1)->peer_at, &lab->host[1].at));
	ck_assert_uint_eq(bed.seen[HIP_NOTIFY], 0); /* nothing to open */
	lab_free(lab);
}
END_TEST

/* RFC 9028 4.7.1: none is needed where nobody is registered at a relay. */
START_TEST(without_a_relay_nothing_is_said_of_nats)
{
	struct lab *lab = nat_bed(&bed);
	struct hip_msg m;

	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(!contains(&bed.last[HIP_R1], PARAM_NAT_TRAVERSAL_MODE, &m));
	ck_assert(!contains(&bed.last[HIP_R1], PARAM_LOCATOR_SET, &m));
	ck_assert(!contains(&bed.last[HIP_I2], PARAM_NAT_TRAVERSAL_MODE, &m));
	/* The relay itself says it (4.3). */
	ck_assert_int_eq(lab_want(lab, 0, 2), HG_OK);
	lab_run(lab);
	ck_assert(contains(&bed.last[HIP_R1], PARAM_NAT_TRAVERSAL_MODE, &m));
	ck_assert(contains(&bed.last[HIP_I2], PARAM_NAT_TRAVERSAL_MODE, &m));
	lab_free(lab);
}
END_TEST

START_TEST(who_is_called_straight_is_answered_straight)
{
	struct lab *lab = nat_bed(&bed);

	nat_register(lab, 1);
	memset(bed.to_relay, 0, sizeof(bed.to_relay));
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(bed.to_relay[HIP_R1], 0);
	ck_assert_uint_eq(nat_assoc(lab, 0, 1)->relay_at.port, 0);
	lab_free(lab);
}
END_TEST

static bool i2_by_the_relay(struct lab *lab, struct lab_packet *p)
{
	if (p->msg[2] == HIP_I2 && p->from == 0)
		p->dst = lab->host[2].at;
	return true;
}

/* RFC 9028 4.7.2: mode 1 never comes through the relay. */
START_TEST(an_i2_in_mode_1_through_the_relay_is_refused)
{
	struct hip_config cfg = lab_config();
	struct lab *lab;

	cfg.notify = true;
	lab = nat_bed_with(&bed, &cfg);
	nat_register(lab, 1);
	bed.tap = i2_by_the_relay;
	nat_call(lab, 0, 1);
	ck_assert_ptr_null(nat_assoc(lab, 1, 0));
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_NAT_MODE), 1);
	/* Told through the relay, too (RELAY_TO). */
	ck_assert_uint_eq(lab->host[0].count[HIP_NOTIFIED], 1);
	ck_assert_uint_eq(lab->host[0].last[HIP_NOTIFIED].notify,
			  FIELDS_NO_VALID_NAT_MODE);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	lab_free(lab);
}
END_TEST

/* An I2 with these modes, to the host that is registered at a relay. */
static enum reason mode_of(struct lab *lab, const struct field_ids *ids,
			   bool relayed)
{
	struct endpoint at = lab_at(0);
	struct packet p = { .from = &at, .at = &at };
	struct msg_builder b;

	message_begin(&b, HIP_I2, &lab->host[0].hit, &lab->host[1].hit);
	if (ids)
		fields_put_nat_modes(&b, ids);
	ck_assert_int_eq(param_parse(b.buf, b.len, &p.m), REASON_NUM);
	if (relayed)
		p.relayed = at;
	return relayed_i2_mode(lab->host[1].h, &p);
}

START_TEST(the_mode_of_an_i2_is_one_that_we_do)
{
	struct lab *lab = nat_bed(&bed);
	const struct field_ids one = { { 1 }, 1 };
	const struct field_ids three = { { 3 }, 1 };
	const struct field_ids both = { { 1, 3 }, 2 };
	const struct field_ids none = { { 0 }, 1 };

	ck_assert_int_eq(mode_of(lab, NULL, false), REASON_NUM);
	ck_assert_int_eq(mode_of(lab, &one, false), REASON_NUM);
	ck_assert_int_eq(mode_of(lab, &three, false), REASON_HIP_NAT_MODE);
	ck_assert_int_eq(mode_of(lab, &both, false), REASON_HIP_NAT_MODE);
	ck_assert_int_eq(mode_of(lab, &none, false), REASON_HIP_NAT_MODE);
	ck_assert_int_eq(mode_of(lab, NULL, true), REASON_HIP_NAT_MODE);
	ck_assert_int_eq(mode_of(lab, &one, true), REASON_HIP_NAT_MODE);
	lab_free(lab);
}
END_TEST

/* ---- the relay as a last resort ------------------------------------------ */

/* Between 0 and 1 nothing passes any more. */
static bool no_direct_way(struct lab *lab, struct lab_packet *p)
{
	return endpoint_eq(&p->dst, &lab->host[2].at) ||
	       endpoint_eq(&p->src, &lab->host[2].at);
}

static struct lab *met(void)
{
	struct lab *lab = nat_bed(&bed);

	nat_put(lab, 0);
	nat_put(lab, 1);
	nat_register(lab, 1);
	nat_call(lab, 0, 1);
	ck_assert(lab_agree(lab, 0, 1));
	lab_sleep(lab, 20 * LAB_S);
	return lab;
}

/* RFC 9028 4.11 */
START_TEST(a_close_that_is_not_answered_goes_through_the_relay)
{
	struct lab *lab = met();
	unsigned relayed = lab->host[2].count[HIP_RELAYED];

	bed.tap = no_direct_way;
	hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
	lab_drain(lab);
	lab_sleep(lab, 1 * LAB_S); /* straight, twice */
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], relayed);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSING);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
	/* CLOSE there, CLOSE_ACK back */
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], relayed + 2);
	ck_assert_uint_eq(bed.to_relay[HIP_CLOSE_ACK], 1);
	lab_free(lab);
}
END_TEST

/* RFC 9028 4.8 */
START_TEST(an_update_that_is_not_answered_goes_through_the_relay)
{
	struct lab *lab = met();
	struct endpoint was = nat_assoc(lab, 1, 0)->peer_at;

	bed.tap = no_direct_way;
	memset(bed.to_relay, 0, sizeof(bed.to_relay));
	ck_assert_int_eq(hip_rekey(lab->host[0].h, &lab->host[0].hit,
				   &lab->host[1].hit, true, lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, 8 * LAB_S);
	ck_assert_uint_gt(bed.to_relay[HIP_UPDATE], 0);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 1);
	/* What came through the relay moves nothing. */
	ck_assert(endpoint_eq(&nat_assoc(lab, 1, 0)->peer_at, &was));
	lab_free(lab);
}
END_TEST

/* ---- attacks ------------------------------------------------------------- */

static struct lab_packet relayed_i1; /* as it reached the client */

static bool take_i1(struct lab *lab, struct lab_packet *p)
{
	if (p->from == 2 && p->msg[2] == HIP_I1) {
		relayed_i1 = *p;
		relayed_i1.dst = lab->host[1].at;
		return false;
	}
	return true;
}

/* 1 is registered, and an I1 from 0 has come as far as to it. */
static struct lab *called(void)
{
	struct lab *lab = nat_bed(&bed);

	nat_register(lab, 1);
	bed.tap = take_i1;
	nat_call(lab, 0, 1);
	bed.tap = NULL;
	ck_assert_uint_gt(relayed_i1.len, 0);
	return lab;
}

/* It is dropped for r at host i, and nothing else comes of it. */
static void refused(struct lab *lab, size_t i, const struct lab_packet *p,
		    enum reason r)
{
	uint64_t was = lab_drops(lab, i, r);
	struct snap snap;

	snap_take(lab, i, &snap);
	lab_input(lab, i, p);
	snap_same(lab, i, &snap, true);
	ck_assert_msg(lab_drops(lab, i, r) == was + 1, "not dropped as %s",
		      reason_name(r));
}

START_TEST(relay_from_needs_the_relays_proof)
{
	struct lab *lab = called();
	struct lab_packet p;
	struct hip_msg m;
	size_t from;
	size_t hmac;

	ck_assert(contains(&relayed_i1, PARAM_RELAY_FROM, &m));
	from = param_find(&m, PARAM_RELAY_FROM)->offset;
	hmac = param_find(&m, PARAM_RELAY_HMAC)->offset;
	for (size_t i = from + 4; i < hmac + 4 + 32; i++) {
		if (i >= hmac && i < hmac + 4)
			continue; /* the frame: told elsewhere */
		p = relayed_i1;
		p.msg[i] ^= 0x10;
		refused(lab, 1, &p, REASON_HIP_RELAY_HMAC);
	}
	/* From somewhere else than the relay. */
	p = relayed_i1;
	p.src = lab->host[3].at;
	refused(lab, 1, &p, REASON_HIP_RELAY_HMAC);
	p = relayed_i1;
	p.src.port++;
	refused(lab, 1, &p, REASON_HIP_RELAY_HMAC);
	/* Without the proof. */
	p = relayed_i1;
	p.msg[1] = (uint8_t)(hmac / 8 - 1);
	p.len = hmac;
	refused(lab, 1, &p, REASON_HIP_RELAY_HMAC);
	/* At a host that has no relay. */
	p = relayed_i1;
	memcpy(p.msg + 24, lab->host[0].hit.b, 16);
	p.dst = lab->host[0].at;
	refused(lab, 0, &p, REASON_HIP_RELAY_HMAC);
	/* As it is, it is answered. */
	lab_input(lab, 1, &relayed_i1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

/* An I1 of 0 to 1, made by the relay, or with its key. */
static struct lab_packet by_the_relay(struct lab *lab,
				      const struct endpoint *from, size_t pad)
{
	static const uint8_t groups[] = { 7 };
	const struct assoc *a = nat_assoc(lab, 2, 1);
	struct msg_builder b;

	message_begin(&b, HIP_I1, &lab->host[0].hit, &lab->host[1].hit);
	message_put(&b, PARAM_DH_GROUP_LIST, groups, 1);
	(void)message_reserve(&b, PARAM_PADDING, pad);
	fields_put_udp_at(&b, PARAM_RELAY_FROM, from);
	ck_assert_int_eq(
		auth_put_relay_hmac(&b, a->keys->rhash, a->keys->hip.mac_out),
		HG_OK);
	return nat_packet(lab, 2, &lab->host[1].at, &b);
}

START_TEST(relay_from_names_nobody_who_cannot_be_reached)
{
	static const char *const bad[] = {
		"127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", "::1",
		"ff02::1",   "::",	  "2001:20::1"
	};
	struct lab *lab = called();
	struct endpoint at = lab_at(0);
	struct prefix barred;
	struct lab_packet p;
	unsigned sent;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(addr_parse(bad[i], &at.addr), HG_OK);
		p = by_the_relay(lab, &at, 200);
		refused(lab, 1, &p, REASON_HIP_RELAY_TO);
	}
	/* Nor who would be among our own substitute addresses. */
	ck_assert_int_eq(prefix_parse("10.77.0.0/16", &barred), HG_OK);
	ck_assert_int_eq(hip_set_barred(lab->host[1].h, &barred, 1), HG_OK);
	ck_assert_int_eq(addr_parse("10.77.1.1", &at.addr), HG_OK);
	p = by_the_relay(lab, &at, 200);
	refused(lab, 1, &p, REASON_HIP_RELAY_TO);
	at = lab_at(0);
	at.port = 0;
	p = by_the_relay(lab, &at, 200);
	refused(lab, 1, &p, REASON_HIP_TLV);
	at.port = 7;
	p = by_the_relay(lab, &at, 200);
	sent = lab->sent[HIP_R1];
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab->sent[HIP_R1], sent + 1);
	lab_free(lab);
}
END_TEST

static size_t went_out; /* of host 1, octets on the wire */

static bool weigh(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	if (p->from == 1)
		went_out += i1credit_wire(&p->dst.addr, p->len);
	return false;
}

/* RFC 7401 6.7, 8: whoever's name an I1 is in gets no more than five times
 * what was sent; the opener counts, what the relay has added does not. */
START_TEST(an_answer_is_five_times_what_asked_for_it_at_most)
{
	struct lab *lab = nat_bed(&bed);
	struct endpoint at = lab_at(0);
	unsigned answered = 0;
	size_t came_in = 0;

	nat_put(lab, 1);
	nat_register(lab, 1);
	bed.tap = weigh;
	went_out = 0;
	for (size_t pad = 0; pad < 100; pad++) {
		struct lab_packet p = by_the_relay(lab, &at, pad);
		unsigned sent = lab->sent[HIP_R1];
		struct hip_msg m;

		ck_assert(contains(&p, PARAM_RELAY_FROM, &m));
		came_in += i1credit_wire(
			&at.addr, param_find(&m, PARAM_RELAY_FROM)->offset);
		p.src = lab->host[2].at;
		lab->now += LAB_S;
		lab_input(lab, 1, &p);
		lab_run(lab);
		ck_assert_uint_le(went_out, 5 * came_in);
		answered += lab->sent[HIP_R1] - sent;
	}
	ck_assert_uint_gt(answered, 40);
	ck_assert_uint_lt(answered, 100);
	lab_free(lab);
}
END_TEST

/* RFC 9028 7.8 */
START_TEST(rvs_hmac_from_a_relay_is_dropped_and_told)
{
	static const uint8_t groups[] = { 7 };
	struct lab *lab = called();
	const struct assoc *a = nat_assoc(lab, 2, 1);
	const struct addr from = lab->host[0].at.addr;
	struct msg_builder b;
	struct lab_packet p;

	message_begin(&b, HIP_I1, &lab->host[0].hit, &lab->host[1].hit);
	message_put(&b, PARAM_DH_GROUP_LIST, groups, 1);
	fields_put_from(&b, &from);
	ck_assert_int_eq(
		auth_put_rvs_hmac(&b, a->keys->rhash, a->keys->hip.mac_out),
		HG_OK);
	p = nat_packet(lab, 2, &lab->host[1].at, &b);
	p.msg[p.len - 20] ^= 1; /* anybody can say so: nothing is told */
	refused(lab, 1, &p, REASON_HIP_RVS_HMAC);
	p.msg[p.len - 20] ^= 1;
	lab_input(lab, 1, &p);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RVS_HMAC), 2);
	ck_assert_uint_eq(lab->host[2].count[HIP_NOTIFIED], 1);
	ck_assert_uint_eq(lab->host[2].last[HIP_NOTIFIED].notify,
			  FIELDS_RVS_HMAC_PROHIBITED);
	ck_assert_ptr_null(nat_assoc(lab, 1, 0));
	lab_free(lab);
}
END_TEST

START_TEST(a_locator_is_read_as_far_as_it_is_right)
{
	struct endpoint at = lab_at(5);
	struct endpoint got;
	struct msg_builder b;
	struct hip_msg m;
	const struct hip_param *p;
	uint8_t raw[72] = { 0 };

	message_begin(&b, HIP_R1, &hit_null, &hit_null);
	relayed_put_locator(&b, &at);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	p = param_find(&m, PARAM_LOCATOR_SET);
	ck_assert_uint_eq(p->len, 36);
	ck_assert(relayed_get_locator(p, &got) && endpoint_eq(&got, &at));
	/* Second to one of another kind. */
	raw[2] = 4;
	raw[3] = 1;
	raw[7] = 9;
	memcpy(raw + 24, p->contents, 36);
	message_begin(&b, HIP_R1, &hit_null, &hit_null);
	message_put(&b, PARAM_LOCATOR_SET, raw, 60);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	p = param_find(&m, PARAM_LOCATOR_SET);
	ck_assert(relayed_get_locator(p, &got) && endpoint_eq(&got, &at));
	for (uint16_t len = 0; len < 60; len += 4) {
		struct hip_param cut = *p;

		cut.len = len;
		ck_assert(!relayed_get_locator(&cut, &got));
	}
	/* Each of its fields wrong. */
	static const struct {
		uint8_t at;
		uint8_t value;
	} wrong[] = { { 0, 1 },	  { 0, 2 }, { 1, 1 },  { 2, 6 },
		      { 2, 255 }, { 3, 0 }, { 10, 6 }, { 20, 0xff } };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct hip_param one = { .len = 36 };
		uint8_t copy[36];

		memcpy(copy, raw + 24, sizeof(copy));
		copy[wrong[i].at] = wrong[i].value;
		one.contents = copy;
		ck_assert_msg(!relayed_get_locator(&one, &got), "%zu", i);
	}
}
END_TEST

Suite *test_relayed_suite(void);
Suite *test_relayed_suite(void)
{
	Suite *s = suite_create("relayed");
	TCase *t = tcase_create("all");

	tcase_add_test(t, two_hosts_behind_nats_meet_through_the_relay);
	tcase_add_test(t, who_calls_too_early_calls_again);
	tcase_add_test(t, a_client_without_a_nat_says_where_it_is);
	tcase_add_test(t, without_a_relay_nothing_is_said_of_nats);
	tcase_add_test(t, who_is_called_straight_is_answered_straight);
	tcase_add_test(t, an_i2_in_mode_1_through_the_relay_is_refused);
	tcase_add_test(t, the_mode_of_an_i2_is_one_that_we_do);
	tcase_add_test(t, a_close_that_is_not_answered_goes_through_the_relay);
	tcase_add_test(t,
		       an_update_that_is_not_answered_goes_through_the_relay);
	tcase_add_test(t, relay_from_needs_the_relays_proof);
	tcase_add_test(t, relay_from_names_nobody_who_cannot_be_reached);
	tcase_add_test(t, an_answer_is_five_times_what_asked_for_it_at_most);
	tcase_add_test(t, rvs_hmac_from_a_relay_is_dropped_and_told);
	tcase_add_test(t, a_locator_is_read_as_far_as_it_is_right);
	suite_add_tcase(s, t);
	return s;
}
