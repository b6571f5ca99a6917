/* SPDX-License-Identifier: MIT */
/* What keeps a NAT's mapping, and what costs nothing without (RFC 9028
 * 4.10). */
#include "hip/keepalive.h"

#include "hip/auth.h"
#include "hip/fields.h"
#include "test/unit/hip/natlab.h"
#include "test/unit/hip/snap.h"

static struct nat_bed bed;
static uint64_t left[LAB_MAX]; /* when the last NOTIFY of each left */
static uint64_t shortest;      /* time between two of the same */
static unsigned sent[LAB_MAX];
static bool on_grid; /* all at whole multiples of 5 s */

static bool watch(struct lab *lab, struct lab_packet *p)
{
	if (p->msg[2] != HIP_NOTIFY)
		return true;
	if (sent[p->from] && lab->now - left[p->from] < shortest)
		shortest = lab->now - left[p->from];
	left[p->from] = lab->now;
	on_grid = on_grid && lab->now % (5 * LAB_S) == 0;
	sent[p->from]++;
	return true;
}

static void begin(void)
{
	bed.tap = watch;
	memset(sent, 0, sizeof(sent));
	shortest = UINT64_MAX;
	on_grid = true;
}

/* 1, behind a NAT, is registered at the relay. */
static struct lab *client(void)
{
	struct lab *lab = nat_bed(&bed);

	nat_put(lab, 1);
	nat_register(lab, 1);
	begin();
	return lab;
}

START_TEST(a_relays_client_keeps_its_nats_mapping)
{
	struct lab *lab = client();
	unsigned jobs;

	lab_sleep(lab, 30 * LAB_S);
	jobs = lab->host[1].count[HIP_JOB];
	lab_sleep(lab, 270 * LAB_S);
	ck_assert_uint_ge(sent[1], 19);
	ck_assert_uint_le(sent[1], 20);
	ck_assert_uint_eq(shortest, 15 * LAB_S);
	ck_assert_uint_eq(lab->host[1].count[HIP_JOB], jobs); /* signed once */
	/* The relay hears them and need not send any. */
	ck_assert_uint_eq(sent[2], 0);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_KEEPALIVE), sent[1]);
	ck_assert_uint_eq(lab->host[2].count[HIP_NOTIFIED], 0);
	/* And has let go of what it kept for a repeated I2. */
	ck_assert_ptr_null(nat_assoc(lab, 2, 1)->msg.p);
	lab_free(lab);
}
END_TEST

/* RFC 7401 5.3.6: well formed, signed, empty. */
START_TEST(it_is_a_signed_notify)
{
	struct lab *lab = client();
	struct assoc *a = nat_assoc(lab, 2, 1);
	struct field_notification n;
	struct identity_peer *peer;
	struct hip_msg m;

	lab_sleep(lab, 30 * LAB_S);
	ck_assert_int_eq(param_parse(bed.last[HIP_NOTIFY].msg,
				     bed.last[HIP_NOTIFY].len, &m),
			 REASON_NUM);
	ck_assert_uint_eq(m.num, 2);
	ck_assert(fields_get_notification(param_find(&m, PARAM_NOTIFICATION),
					  &n));
	ck_assert_uint_eq(n.type, 16385);
	ck_assert_uint_eq(n.data_len, 0);
	ck_assert_int_eq(identity_peer_new(a->keys->host_id,
					   a->keys->host_id_len, &peer),
			 0);
	ck_assert_int_eq(auth_check_signature(&m, peer), REASON_NUM);
	identity_peer_free(peer);
	lab_free(lab);
}
END_TEST

START_TEST(without_a_nat_only_the_relay_is_kept)
{
	struct lab *lab = nat_bed(&bed);

	nat_register(lab, 1); /* no NAT */
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	begin();
	ck_assert(!keepalive_behind(lab->host[1].h));
	lab_sleep(lab, 300 * LAB_S);
	ck_assert_uint_eq(sent[0], 0);
	ck_assert_uint_ge(sent[1], 18); /* to the relay */
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_KEEPALIVE), 0);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_KEEPALIVE), sent[1]);
	ck_assert_uint_eq(
		keepalive_deadline(lab->host[0].h, nat_assoc(lab, 0, 1)),
		UINT64_MAX);
	lab_free(lab);
}
END_TEST

/* However many: three times in a period at most the host wakes up for it. */
START_TEST(behind_a_nat_every_peer_is_kept)
{
	struct lab *lab = client();

	bed.nat[1].every = true;
	nat_call(lab, 0, 1);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(keepalive_behind(lab->host[1].h));
	begin();
	lab_sleep(lab, 61 * LAB_S);
	ck_assert_uint_ge(sent[1], 7); /* two each time */
	ck_assert(on_grid);
	ck_assert_uint_ge(lab_drops(lab, 0, REASON_HIP_KEEPALIVE), 3);
	/* The peer, which is not behind one, hears them and sends none. */
	ck_assert_uint_eq(sent[0], 0);
	lab_free(lab);
}
END_TEST

static bool lose_notify(struct lab *lab, struct lab_packet *p)
{
	(void)watch(lab, p);
	return p->from != 1 || p->msg[2] != HIP_NOTIFY;
}

/* RFC 9028 4.10: the server, too, unless other traffic has passed. */
START_TEST(when_nothing_comes_the_relay_sends)
{
	struct lab *lab = client();

	bed.tap = lose_notify;
	lab_sleep(lab, 121 * LAB_S);
	ck_assert_uint_eq(sent[2], 6); /* each 20 s */
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_KEEPALIVE), 6);
	lab_free(lab);
}
END_TEST

START_TEST(traffic_takes_its_place)
{
	struct lab *lab = client();

	for (int i = 0; i < 20; i++) {
		lab_sleep(lab, 10 * LAB_S);
		hip_traffic(lab->host[1].h, &lab->host[1].hit,
			    &lab->host[2].hit, false, lab->now);
		lab_effects(lab, 1);
		hip_traffic(lab->host[1].h, &lab->host[1].hit,
			    &lab->host[2].hit, true, lab->now);
		lab_drain(lab);
	}
	ck_assert_uint_eq(sent[1], 0);
	lab_free(lab);
}
END_TEST

static void data(struct lab *lab, bool in)
{
	hip_traffic(lab->host[1].h, &lab->host[1].hit, &lab->host[2].hit, in,
		    lab->now);
	lab_drain(lab);
}

/* A NAT may have forgotten us: what still comes would be lost. */
START_TEST(one_leaves_when_what_flowed_has_stopped)
{
	struct lab *lab = client();

	for (int i = 0; i < 8; i++) {
		data(lab, false);
		data(lab, true);
		lab_sleep(lab, 250 * LAB_MS);
	}
	ck_assert_uint_eq(sent[1], 0);
	lab_sleep(lab, 449 * LAB_MS);
	ck_assert_uint_eq(sent[1], 0);
	lab_sleep(lab, 2 * LAB_MS);
	ck_assert_uint_eq(sent[1], 1);
	lab_sleep(lab, 10 * LAB_S);
	ck_assert_uint_eq(sent[1], 1);
	/* Not if something of ours has left since. */
	data(lab, true);
	lab_sleep(lab, 250 * LAB_MS);
	data(lab, true);
	lab_sleep(lab, 250 * LAB_MS);
	data(lab, false);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert_uint_eq(sent[1], 1);
	lab_free(lab);
}
END_TEST

/* RFC 9028 4.1: the relay says where in answers only. */
START_TEST(a_client_learns_where_its_nat_has_moved_it)
{
	struct lab *lab = client();

	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	ck_assert_uint_eq(lab->host[1].last[HIP_REGISTERED].seen_at.port,
			  bed.nat[1].outside.port);
	bed.nat[1].num = 0;
	bed.nat[1].outside.port = 30000;
	lab_sleep(lab, 25 * LAB_S); /* of 600 until the refresh */
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 2);
	ck_assert_uint_eq(lab->host[1].last[HIP_REGISTERED].seen_at.port,
			  30000);
	lab_sleep(lab, 100 * LAB_S); /* and that is all */
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 2);
	lab_free(lab);
}
END_TEST

START_TEST(fifteen_seconds_are_the_least)
{
	static const struct {
		uint32_t set;
		uint64_t is;
	} periods[] = { { 1, 15 }, { 14, 15 }, { 20, 20 }, { 22, 25 } };

	for (size_t i = 0; i < 4; i++) {
		struct lab *lab = client();

		lab->host[1].h->cfg.keepalive_s = periods[i].set;
		lab_sleep(lab, 300 * LAB_S);
		ck_assert_uint_eq(shortest, periods[i].is * LAB_S);
		lab_free(lab);
	}
}
END_TEST

START_TEST(the_configuration_may_know_better)
{
	struct hip_config cfg = lab_config();
	struct lab *lab = nat_bed(&bed);

	ck_assert(!keepalive_behind(lab->host[0].h));
	cfg.behind_nat = HIP_NAT_YES;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	begin();
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_ge(sent[0], 3);
	ck_assert_uint_eq(sent[1], 0);
	/* They are no use: who is idle is closed all the same. */
	lab_sleep(lab, 900 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	ck_assert_uint_eq(lab->host[0].changed[HIP_CLOSING], 1);
	/* And without an SA there is none, and no timer. */
	begin();
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(sent[0], 0);
	lab_free(lab);
	lab = client();
	hip_close(lab->host[1].h, &lab->host[2].hit, lab->now);
	ck_assert_uint_eq(
		keepalive_deadline(lab->host[1].h, nat_assoc(lab, 1, 2)),
		UINT64_MAX);
	lab->host[1].h->cfg.behind_nat = HIP_NAT_NO;
	ck_assert(!keepalive_behind(lab->host[1].h));
	lab_free(lab);
}
END_TEST

/* A peer whose port is not everybody's is behind a NAT. */
START_TEST(a_peer_behind_a_nat_is_kept_when_it_is_silent)
{
	struct lab *lab = nat_bed(&bed);

	nat_put(lab, 0);
	lab->host[0].h->cfg.behind_nat = HIP_NAT_NO; /* it does not know */
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	begin();
	lab_sleep(lab, 100 * LAB_S);
	ck_assert_uint_ge(sent[1], 4);
	ck_assert_uint_ge(shortest, 20 * LAB_S);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_KEEPALIVE), sent[1]);
	lab_free(lab);
}
END_TEST

/* Whoever sends it, whatever else it holds or lacks. */
START_TEST(a_received_one_is_counted_and_does_nothing)
{
	struct field_notification n = { .type = FIELDS_NAT_KEEPALIVE };
	struct lab *lab = client();
	struct msg_builder b;
	struct lab_packet p;
	struct snap snap;
	struct assoc *a = nat_assoc(lab, 2, 1);
	uint64_t heard;

	lab_sleep(lab, 20 * LAB_S);
	message_begin(&b, HIP_NOTIFY, &lab->host[1].hit, &lab->host[2].hit);
	fields_put_notification(&b, &n);
	p = nat_packet(lab, 3, &lab->host[2].at, &b);
	heard = a->keep.heard;
	snap_take(lab, 2, &snap);
	for (int i = 0; i < 50; i++)
		lab_input(lab, 2, &p);
	snap_same(lab, 2, &snap, true);
	/* From elsewhere it would count if it were signed. */
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_KEEPALIVE), 1);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_MISSING), 50);
	ck_assert_uint_eq(a->keep.heard, heard); /* not from where 1 is */
	/* Nobody we know. */
	memcpy(p.msg + 8, lab->host[3].hit.b, 16);
	lab_input(lab, 2, &p);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_KEEPALIVE), 2);
	/* With anything beside it, it is a NOTIFY like others. */
	fields_put_notification(&b, &n);
	p = nat_packet(lab, 1, &lab->host[2].at, &b);
	p.src = bed.nat[1].outside;
	lab_input(lab, 2, &p);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_KEEPALIVE), 2);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_MISSING), 51);
	lab_free(lab);
}
END_TEST

START_TEST(from_a_private_address_to_a_public_one_is_through_a_nat)
{
	struct lab *lab = nat_bed(&bed);

	nat_put(lab, 0);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	begin();
	lab_sleep(lab, 100 * LAB_S);
	ck_assert_uint_ge(sent[0], 5);
	ck_assert_uint_eq(sent[1], 0);
	lab_free(lab);
}
END_TEST

/* The NAT was started anew and took another port. */
START_TEST(one_from_elsewhere_has_the_peer_asked_there)
{
	struct lab *lab = client();
	struct endpoint was;

	lab_sleep(lab, 30 * LAB_S);
	was = nat_assoc(lab, 2, 1)->peer_at;
	bed.nat[1].outside.port += 7;
	lab_sleep(lab, 40 * LAB_S);
	ck_assert(!endpoint_eq(&was, &bed.nat[1].outside));
	ck_assert(endpoint_eq(&nat_assoc(lab, 2, 1)->peer_at,
			      &bed.nat[1].outside));
	ck_assert_uint_eq(lab->host[2].count[HIP_NOTIFIED], 0);
	lab_free(lab);
}
END_TEST

Suite *test_keepalive_suite(void);
Suite *test_keepalive_suite(void)
{
	Suite *s = suite_create("keepalive");
	TCase *t = tcase_create("all");

	tcase_add_test(t, a_relays_client_keeps_its_nats_mapping);
	tcase_add_test(t, it_is_a_signed_notify);
	tcase_add_test(t, without_a_nat_only_the_relay_is_kept);
	tcase_add_test(t, behind_a_nat_every_peer_is_kept);
	tcase_add_test(t, when_nothing_comes_the_relay_sends);
	tcase_add_test(t, traffic_takes_its_place);
	tcase_add_test(t, one_leaves_when_what_flowed_has_stopped);
	tcase_add_test(t, a_client_learns_where_its_nat_has_moved_it);
	tcase_add_test(t, fifteen_seconds_are_the_least);
	tcase_add_test(t, the_configuration_may_know_better);
	tcase_add_test(t, a_peer_behind_a_nat_is_kept_when_it_is_silent);
	tcase_add_test(t, a_received_one_is_counted_and_does_nothing);
	tcase_add_test(t,
		       from_a_private_address_to_a_public_one_is_through_a_nat);
	tcase_add_test(t, one_from_elsewhere_has_the_peer_asked_there);
	suite_add_tcase(s, t);
	return s;
}
