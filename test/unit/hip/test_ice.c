/* SPDX-License-Identifier: MIT */
/* Two hosts behind NATs find a path by connectivity checks (RFC 9028 4.2 to
 * 4.6, 4.9). */
#include "hip/ice.h"

#include "hip/encrypted.h"
#include "hip/fields.h"
#include "hip/notify.h"
#include "hip/paths.h"
#include "hip/reach.h"
#include "test/unit/hip/natlab.h"
#include "test/unit/hip/snap.h"

static struct nat_bed bed;

static struct lab *ice_bed(void)
{
	struct hip_config cfg = lab_config();

	cfg.offer.nat[0] = FIELDS_NAT_ICE_HIP_UDP;
	cfg.offer.nat[1] = FIELDS_NAT_UDP;
	cfg.offer.nat_num = 2;
	return nat_bed_with(&bed, &cfg);
}

static bool contains(const struct lab_packet *p, enum param id,
		     struct hip_msg *m)
{
	ck_assert_int_eq(param_parse(p->msg, p->len, m), REASON_NUM);
	return param_find(m, id);
}

/* Host i sends to where j, or its NAT, is, and that is proved. */
static bool direct(const struct lab *lab, size_t i, size_t j)
{
	const struct assoc *a = nat_assoc(lab, i, j);
	const struct addr *at = bed.nat[j].on ? &bed.nat[j].outside.addr
					      : &lab->host[j].at.addr;

	return a && a->state == HIP_ESTABLISHED && !a->unproved &&
	       !a->ice_waits && addr_eq(&a->peer_at.addr, at);
}

/* Host 0 calls 1, which is registered, and both have some time. */
static void meet(struct lab *lab)
{
	nat_register(lab, 1);
	memset(bed.to_relay, 0, sizeof(bed.to_relay));
	nat_call(lab, 0, 1);
	lab_sleep(lab, 3 * LAB_S);
}

/* RFC 9028 figure 4: all of the exchange passes the relay, and no check. */
START_TEST(two_nats_that_keep_their_mappings_are_passed)
{
	struct lab *lab = ice_bed();
	struct hip_msg m;

	nat_put(lab, 0);
	nat_put(lab, 1);
	meet(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(direct(lab, 0, 1));
	ck_assert(direct(lab, 1, 0));
	ck_assert_uint_eq(bed.to_relay[HIP_I1], 1);
	ck_assert_uint_eq(bed.to_relay[HIP_R1], 1);
	ck_assert_uint_eq(bed.to_relay[HIP_I2], 1);
	ck_assert_uint_eq(bed.to_relay[HIP_R2], 1);
	ck_assert_uint_eq(bed.to_relay[HIP_UPDATE], 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 1);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_SWITCH], 1);
	/* Nobody reads where they are. */
	ck_assert(!contains(&bed.last[HIP_I2], PARAM_LOCATOR_SET, &m));
	ck_assert(!contains(&bed.last[HIP_R2], PARAM_LOCATOR_SET, &m));
	ck_assert(param_find(&m, PARAM_ENCRYPTED));
	lab_free(lab);
}
END_TEST

/* One maps by destination, the other lets everybody in: the port that the
 * first has for the second is learnt from its check. */
START_TEST(a_symmetric_nat_is_passed_where_the_other_lets_in)
{
	struct lab *lab = ice_bed();
	const struct assoc *a;

	nat_put(lab, 0);
	nat_put(lab, 1);
	bed.nat[_i].symmetric = true;
	bed.nat[!_i].every = true;
	meet(lab);
	lab_sleep(lab, 10 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(direct(lab, 0, 1));
	ck_assert(direct(lab, 1, 0));
	/* Not the port that the relay sees. */
	a = nat_assoc(lab, !_i, _i);
	ck_assert_uint_ne(a->peer_at.port, bed.nat[_i].outside.port);
	ck_assert_uint_ne(a->peer_at.port, bed.nat[_i].outside.port + 100);
	lab_free(lab);
}
END_TEST

START_TEST(without_a_nat_the_host_candidate_is_taken)
{
	struct lab *lab = ice_bed();

	nat_put(lab, 0);
	meet(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(direct(lab, 0, 1));
	ck_assert(
		endpoint_eq(&nat_assoc(lab, 0, 1)->peer_at, &lab->host[1].at));
	lab_free(lab);
}
END_TEST

/* RFC 9028 4.6.3: nothing is sent; both are told, and it ends. */
START_TEST(where_there_is_no_path_it_is_said)
{
	struct lab *lab = ice_bed();

	nat_put(lab, 0);
	nat_put(lab, 1);
	bed.nat[0].symmetric = true;
	bed.nat[1].symmetric = true;
	nat_register(lab, 1);
	nat_call(lab, 0, 1);
	lab_sleep(lab, LAB_S / 2);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert(nat_assoc(lab, 0, 1)->ice_waits);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 0);
	lab_sleep(lab, 30 * LAB_S);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
	ck_assert_int_eq(lab->host[0].last[HIP_FAILED].reason,
			 REASON_HIP_CHECKS);
	ck_assert_uint_ge(lab->host[1].count[HIP_NOTIFIED], 1);
	ck_assert_uint_eq(lab->host[1].last[HIP_NOTIFIED].notify,
			  FIELDS_CHECKS_FAILED);
	ck_assert_int_ne(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 0);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_SWITCH], 0);
	lab_free(lab);
}
END_TEST

/* The UPDATEs of one host as they leave. */
static struct {
	struct lab_packet p[64];
	size_t num;
} kept;

static bool keep_updates(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	if (p->msg[2] == HIP_UPDATE && kept.num < 64)
		kept.p[kept.num++] = *p;
	return true;
}

/* The first of host i's with this parameter; aborts: there is none. */
static struct lab_packet *first_with(size_t i, enum param id, struct hip_msg *m)
{
	for (size_t k = 0; k < kept.num; k++) {
		if (kept.p[k].from == i && contains(&kept.p[k], id, m))
			return &kept.p[k];
	}
	ck_abort_msg("nothing of %zu has %s", i, param_name(id));
}

/* RFC 9028 4.6.1: what each step has. */
START_TEST(checks_and_nomination_have_their_parameters)
{
	struct lab *lab = ice_bed();
	const struct lab_packet *p;
	struct endpoint at;
	struct hip_msg m;
	uint32_t n;

	nat_put(lab, 0);
	nat_put(lab, 1);
	nat_register(lab, 1);
	kept.num = 0;
	bed.tap = keep_updates;
	nat_call(lab, 0, 1);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(direct(lab, 0, 1));
	for (size_t i = 0; i < 2; i++) {
		(void)first_with(i, PARAM_CANDIDATE_PRIORITY, &m);
		ck_assert(param_find(&m, PARAM_SEQ));
		ck_assert(param_find(&m, PARAM_ECHO_REQUEST_SIGNED));
		ck_assert(param_find(&m, PARAM_HIP_MAC));
		ck_assert(fields_get_number(
			param_find(&m, PARAM_CANDIDATE_PRIORITY), &n));
		ck_assert_uint_eq(n >> 24, 110);
		p = first_with(i, PARAM_MAPPED_ADDRESS, &m);
		ck_assert(param_find(&m, PARAM_ACK));
		ck_assert(param_find(&m, PARAM_ECHO_RESPONSE_SIGNED));
		ck_assert(fields_get_udp_at(
			param_find(&m, PARAM_MAPPED_ADDRESS), &at));
		ck_assert(endpoint_eq(&at, &p->dst));
	}
	/* Who began nominates; the answer asks in its turn. */
	(void)first_with(0, PARAM_NOMINATE, &m);
	ck_assert(param_find(&m, PARAM_SEQ));
	ck_assert(param_find(&m, PARAM_CANDIDATE_PRIORITY));
	ck_assert(param_find(&m, PARAM_ECHO_REQUEST_SIGNED));
	(void)first_with(1, PARAM_NOMINATE, &m);
	ck_assert(param_find(&m, PARAM_ACK));
	ck_assert(param_find(&m, PARAM_SEQ));
	ck_assert(param_find(&m, PARAM_ECHO_REQUEST_SIGNED));
	ck_assert(param_find(&m, PARAM_ECHO_RESPONSE_SIGNED));
	lab_free(lab);
}
END_TEST

/* A proxy that is told its addresses lists them all, by priority. */
START_TEST(candidates_are_listed_by_priority)
{
	struct lab *lab = ice_bed();
	struct endpoint none = { .port = 0 };
	struct endpoint mapped;
	struct hip_here here[2] = { 0 };
	struct locset set;
	struct hip *h;

	nat_put(lab, 1);
	nat_register(lab, 1);
	h = lab->host[1].h;
	ck_assert_int_eq(endpoint_parse("203.0.113.7", 4000, &mapped), HG_OK);
	ice_candidates(h, &lab->host[1].hit, &lab->host[1].at, &mapped, 77,
		       &set);
	ck_assert_uint_eq(set.num, 3);
	ck_assert(endpoint_eq(&set.v[0].at, &lab->host[1].at));
	ck_assert_uint_eq(set.v[0].kind, LOCATOR_HOST);
	ck_assert_uint_eq(set.v[0].priority >> 24, 126);
	ck_assert(endpoint_eq(&set.v[1].at, &bed.nat[1].outside));
	ck_assert_uint_eq(set.v[1].kind, LOCATOR_SERVER_REFLEXIVE);
	ck_assert_uint_eq(set.v[1].priority >> 24, 100);
	ck_assert(endpoint_eq(&set.v[2].at, &mapped));
	ck_assert_uint_lt(set.v[2].priority, set.v[1].priority);
	ck_assert_uint_eq(set.v[2].spi, 77);
	ck_assert(endpoint_eq(&set.server, &lab->host[2].at));
	/* Each once; another identity has no relay. */
	ice_candidates(h, &lab->host[0].hit, &mapped, &mapped, 0, &set);
	ck_assert_uint_eq(set.num, 1);
	ck_assert_uint_eq(set.server.port, 0);
	here[0].at = mapped;
	here[1].at = lab->host[1].at;
	ck_assert_int_eq(hip_set_here(h, here, 2, lab->now), HG_OK);
	ice_candidates(h, &lab->host[1].hit, &lab->host[1].at, &none, 0, &set);
	ck_assert_uint_eq(set.num, 3);
	ck_assert(endpoint_eq(&set.v[0].at, &mapped));
	lab_free(lab);
}
END_TEST

/* What ice_read says of these candidates. */
static enum reason said(struct lab *lab, const char *at, uint16_t port)
{
	const struct assoc_keys *k = nat_assoc(lab, 1, 0)->keys;
	const struct assoc_keys *theirs = nat_assoc(lab, 0, 1)->keys;
	struct locset set = { .num = 1 };
	struct readdress_offer out;
	struct msg_builder inner, b;
	struct hip_msg m;

	set.v[0] = (struct locator){ .lifetime_s = 60, .priority = 1 };
	ck_assert_int_eq(endpoint_parse(at, HIP_PORT, &set.v[0].at), HG_OK);
	set.v[0].at.port = port;
	message_begin_inner(&inner);
	locset_put(&inner, &set);
	message_begin(&b, HIP_R2, &lab->host[0].hit, &lab->host[1].hit);
	ck_assert_int_eq(
		encrypted_seal(&b, &inner, theirs->cipher, theirs->hip.enc_out),
		HG_OK);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	return ice_read(lab->host[1].h, k, &m, &out);
}

START_TEST(candidates_that_cannot_be_are_refused)
{
	struct lab *lab = ice_bed();
	struct prefix barred;

	nat_put(lab, 0);
	meet(lab);
	ck_assert_int_eq(prefix_parse("10.77.0.0/16", &barred), HG_OK);
	ck_assert_int_eq(hip_set_barred(lab->host[1].h, &barred, 1), HG_OK);
	ck_assert_int_eq(said(lab, "198.51.100.9", 4000), REASON_NUM);
	ck_assert_int_eq(said(lab, "198.51.100.9", 0), REASON_HIP_LOCATOR);
	ck_assert_int_eq(said(lab, "127.0.0.1", 4000), REASON_HIP_LOCATOR_ADDR);
	ck_assert_int_eq(said(lab, "224.0.0.1", 4000), REASON_HIP_LOCATOR_ADDR);
	ck_assert_int_eq(said(lab, "10.77.1.1", 4000),
			 REASON_HIP_LOCATOR_BARRED);
	lab_free(lab);
}
END_TEST

START_TEST(the_slower_end_sets_the_pace)
{
	struct msg_builder b;
	struct hip_msg m;
	static const struct {
		uint32_t says;
		uint32_t is;
	} row[] = { { 5, 50 },	  { 50, 50 },	  { 51, 51 },
		    { 400, 400 }, { 5000, 5000 }, { UINT32_MAX, 5000 } };

	message_begin(&b, HIP_I2, &hit_null, &hit_null);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	ck_assert_uint_eq(ice_pace(&m), 50);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		message_begin(&b, HIP_I2, &hit_null, &hit_null);
		fields_put_number(&b, PARAM_TRANSACTION_PACING, row[i].says);
		ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
		ck_assert_uint_eq(ice_pace(&m), row[i].is);
	}
}
END_TEST

static bool lose_first_r2(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	return p->msg[2] != HIP_R2 || bed.seen[HIP_R2] > 2;
}

/* R2 comes again through the relay, though checks have begun. */
START_TEST(a_lost_r2_is_no_harm)
{
	struct lab *lab = ice_bed();

	nat_put(lab, 0);
	nat_put(lab, 1);
	nat_register(lab, 1);
	bed.seen[HIP_R2] = 0;
	bed.tap = lose_first_r2;
	nat_call(lab, 0, 1);
	lab_sleep(lab, 8 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(direct(lab, 0, 1));
	ck_assert(direct(lab, 1, 0));
	lab_free(lab);
}
END_TEST

/* Data out and, where they get there, in. */
static void talk(struct lab *lab, size_t i, size_t j)
{
	const struct hit *a = &lab->host[i].hit;
	const struct hit *b = &lab->host[j].hit;

	hip_traffic(lab->host[i].h, a, b, false, lab->now);
	lab_effects(lab, i);
	lab_run(lab);
}

/* RFC 9028 4.9: host 0's NAT has forgotten all and takes another port; the
 * other one's lets in nobody from there. The relay passes the news on. */
START_TEST(when_a_nat_forgets_both_check_again)
{
	struct lab *lab = ice_bed();

	nat_put(lab, 0);
	nat_put(lab, 1);
	meet(lab);
	ck_assert(direct(lab, 1, 0));
	bed.nat[0].num = 0;
	bed.nat[0].outside.port = 30000;
	for (int n = 0; n < 60; n++) {
		talk(lab, 0, 1);
		lab_sleep(lab, LAB_S / 4);
	}
	ck_assert(direct(lab, 0, 1));
	ck_assert(direct(lab, 1, 0));
	ck_assert_uint_eq(nat_assoc(lab, 1, 0)->peer_at.port, 30000);
	lab_free(lab);
}
END_TEST

/* An answer that comes by the relay, or by another pair, proves nothing. */
static bool divert_answers(struct lab *lab, struct lab_packet *p)
{
	struct hip_msg m;

	if (p->msg[2] == HIP_UPDATE && p->from == 1 &&
	    contains(p, PARAM_ACK, &m))
		p->src = lab->host[3].at;
	return true;
}

START_TEST(an_answer_comes_back_along_its_pair)
{
	struct lab *lab = ice_bed();

	meet(lab);
	ck_assert(direct(lab, 0, 1));
	lab_free(lab);
	lab = ice_bed();
	bed.tap = divert_answers;
	meet(lab);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_UP], 1);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
	lab_free(lab);
}
END_TEST

/* What comes through the relay shows that the peer is there, not where. */
START_TEST(a_relay_is_no_candidate)
{
	struct lab *lab = ice_bed();
	const struct endpoint *relay = &lab->host[2].at;
	struct assoc *a;

	nat_put(lab, 0);
	nat_put(lab, 1);
	meet(lab);
	a = nat_assoc(lab, 1, 0);
	ck_assert_ptr_nonnull(a->paths);
	ck_assert_ptr_null(paths_peer(a->paths, relay));
	notify_tell(lab->host[0].h, nat_assoc(lab, 0, 1), FIELDS_CHECKS_FAILED,
		    relay, lab->now);
	lab_effects(lab, 0);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[1].count[HIP_NOTIFIED], 1);
	ck_assert_ptr_null(paths_peer(a->paths, relay));
	ck_assert(direct(lab, 1, 0));
	lab_free(lab);
}
END_TEST

/* A peer that calls a victim its relay has nothing sent there. */
START_TEST(a_relay_is_the_one_that_was_passed)
{
	struct lab *lab = ice_bed();
	struct readdress_offer o = { .has = true };
	struct packet p = { .now = 0 };
	struct assoc *a;

	meet(lab);
	a = nat_assoc(lab, 0, 1);
	ck_assert(endpoint_eq(&a->relay_at, &lab->host[2].at));
	p.from = &lab->host[1].at;
	p.at = &lab->host[0].at;
	p.now = lab->now;
	o.set.server = lab->host[3].at;
	ice_begin(lab->host[0].h, a, &o, &p);
	ck_assert_uint_eq(a->relay_at.port, 0);
	o.set.server = lab->host[1].at;
	ice_begin(lab->host[0].h, a, &o, &p);
	ck_assert(endpoint_eq(&a->relay_at, &lab->host[1].at));
	/* One of ours is known to be one. */
	a = nat_assoc(lab, 1, 0);
	ck_assert_uint_eq(a->relay_at.port, 0);
	p.from = &lab->host[0].at;
	p.at = &lab->host[1].at;
	o.set.server = lab->host[2].at;
	ice_begin(lab->host[1].h, a, &o, &p);
	ck_assert(endpoint_eq(&a->relay_at, &lab->host[2].at));
	lab_free(lab);
}
END_TEST

/* UPDATEs that only the relay answered count in a row. */
START_TEST(a_proof_ends_a_row_of_vain_checks)
{
	struct lab *lab = ice_bed();
	struct assoc *a;

	nat_put(lab, 0);
	nat_put(lab, 1);
	meet(lab);
	a = nat_assoc(lab, 0, 1);
	a->ice_vain = 5;
	hip_wake(lab->host[0].h, lab->now);
	lab_drain(lab);
	lab_sleep(lab, LAB_S);
	ck_assert(direct(lab, 0, 1));
	ck_assert_uint_eq(nat_assoc(lab, 0, 1)->ice_vain, 0);
	lab_free(lab);
}
END_TEST

/* Nothing that could be checked: it ends, and is said. */
START_TEST(without_any_candidate_it_ends)
{
	struct readdress_offer none = { .has = true };
	struct packet pk = { .now = 0 };
	struct lab *lab = ice_bed();
	struct endpoint relay;
	struct assoc *a;

	nat_put(lab, 0);
	nat_put(lab, 1);
	meet(lab);
	a = nat_assoc(lab, 0, 1);
	relay = lab->host[2].at;
	paths_drop(a);
	a->peer_at = relay;
	a->relay_at = relay;
	pk.from = &relay;
	pk.at = &lab->host[0].at;
	pk.now = lab->now;
	none.set.server = relay;
	ice_begin(lab->host[0].h, a, &none, &pk);
	ck_assert(a->ice_waits);
	ck_assert_int_eq(a->paths->target, -1);
	ck_assert(endpoint_eq(&a->peer_at, &relay));
	ck_assert(ice_spent(a));
	reach_choose(lab->host[0].h, a, lab->now);
	update_flush(lab->host[0].h, a, lab->now);
	assoc_arm(lab->host[0].h, a);
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_int_ne(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
	lab_free(lab);
}
END_TEST

static bool relay_only(struct lab *lab, struct lab_packet *p)
{
	return p->from == 2 || endpoint_eq(&p->dst, &lab->host[2].at);
}

/* Host 0 starts again while both look for a path. */
START_TEST(an_exchange_begun_anew_while_checks_run_finds_a_path)
{
	struct lab *lab = ice_bed();
	struct hip_config cfg = lab->host[0].h->cfg;

	nat_put(lab, 0);
	nat_put(lab, 1);
	nat_register(lab, 1);
	bed.tap = relay_only;
	nat_call(lab, 0, 1);
	lab_sleep(lab, LAB_S / 2);
	ck_assert(nat_assoc(lab, 1, 0)->ice_waits);
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	nat_put(lab, 0);
	bed.tap = NULL;
	lab_sleep(lab, LAB_S); /* R1s are given out anew */
	nat_call(lab, 0, 1);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(direct(lab, 0, 1));
	ck_assert(direct(lab, 1, 0));
	lab_free(lab);
}
END_TEST

Suite *test_ice_suite(void);
Suite *test_ice_suite(void)
{
	Suite *s = suite_create("hip/ice");
	TCase *tc = tcase_create("ice");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, two_nats_that_keep_their_mappings_are_passed);
	tcase_add_loop_test(
		tc, a_symmetric_nat_is_passed_where_the_other_lets_in, 0, 2);
	tcase_add_test(tc, without_a_nat_the_host_candidate_is_taken);
	tcase_add_test(tc, where_there_is_no_path_it_is_said);
	tcase_add_test(tc, checks_and_nomination_have_their_parameters);
	tcase_add_test(tc, candidates_are_listed_by_priority);
	tcase_add_test(tc, candidates_that_cannot_be_are_refused);
	tcase_add_test(tc, the_slower_end_sets_the_pace);
	tcase_add_test(tc, a_lost_r2_is_no_harm);
	tcase_add_test(tc, when_a_nat_forgets_both_check_again);
	tcase_add_test(tc, an_answer_comes_back_along_its_pair);
	tcase_add_test(tc, a_relay_is_no_candidate);
	tcase_add_test(tc, a_relay_is_the_one_that_was_passed);
	tcase_add_test(tc, a_proof_ends_a_row_of_vain_checks);
	tcase_add_test(tc, without_any_candidate_it_ends);
	tcase_add_test(tc,
		       an_exchange_begun_anew_while_checks_run_finds_a_path);
	suite_add_tcase(s, tc);
	return s;
}
