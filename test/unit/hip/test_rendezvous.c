/* SPDX-License-Identifier: MIT */
/* I1 through a rendezvous server: 0 the proxy, 1 the host, 2 the server. */
#include "test/unit/hip/relay_bed.h"

#include "hip/auth.h"
#include "hip/engine.h"
#include "hip/fields.h"

static struct lab_packet kept;
static bool keep_relayed(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	if (p->from == 2 && p->msg[2] == HIP_I1)
		kept = *p;
	return true;
}

START_TEST(an_exchange_through_the_server_ends_at_the_hosts_own_address)
{
	struct lab *lab = three();
	const struct hip_effect *e;

	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	ck_assert_uint_eq(lab->host[2].count[HIP_REGISTRAR], 1);
	ck_assert_int_eq(lab_want_at(lab, 0, 1, &lab->host[2].at), HG_OK);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 1);
	e = &lab->host[2].last[HIP_RELAYED];
	ck_assert(hit_eq(&e->peer, &lab->host[1].hit));
	ck_assert(e->has_from && addr_eq(&e->from, &lab->host[0].at.addr));
	e = &lab->host[0].last[HIP_LOCATOR];
	ck_assert(e->committed);
	ck_assert(endpoint_eq(&e->peer_at, &lab->host[1].at));
	/* The server has no association with the proxy. */
	ck_assert_int_eq(lab_state(lab, 2, 0), HIP_UNASSOCIATED);
	lab_free(lab);
}
END_TEST

static bool see_via(struct lab *lab, struct lab_packet *p)
{
	if (p->msg[2] == HIP_R1 && p->from == 1)
		*(struct lab_packet *)lab->hook_arg = *p;
	return true;
}

START_TEST(r1_names_the_server_and_the_initiator_sees_it)
{
	struct lab *lab = three();
	struct lab_packet r1 = { .len = 0 };
	struct hip_effect e;
	bool found = false;

	lab->hook = see_via;
	lab->hook_arg = &r1;
	lab_want_at(lab, 0, 1, &lab->host[2].at);
	lab_run(lab);
	ck_assert_uint_gt(r1.len, 0);
	/* Again, by hand, to look at the effect. */
	lab_boot(lab, 0, &(struct hip_config){ .puzzle_k_max = 20 },
		 HIP_ALG_ECDSA_P256, 0);
	lab_want_at(lab, 0, 1, &lab->host[2].at);
	hip_input(lab->host[0].h, r1.msg, r1.len, &r1.src, &r1.dst, lab->now);
	while (hip_effect(lab->host[0].h, &e)) {
		if (e.kind == HIP_JOB)
			lab_job(lab, 0, e.job);
		if (e.kind == HIP_SEEN && e.type == HIP_R1) {
			found = true;
			ck_assert(e.has_via);
			ck_assert(addr_eq(&e.via, &lab->host[2].at.addr));
			ck_assert_uint_eq(e.puzzle_k, 2);
		}
	}
	ck_assert(found);
	lab_free(lab);
}
END_TEST

START_TEST(the_same_i1_twice_through_the_server_is_answered_once)
{
	struct lab *lab = three();
	unsigned r1 = lab->sent[HIP_R1];

	lab->hook = keep_relayed;
	lab_want_at(lab, 0, 1, &lab->host[2].at);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_R1], r1 + 1);
	lab_input(lab, 1, &kept);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 1);
	ck_assert_uint_eq(lab->sent[HIP_R1], r1 + 1);
	lab->now += 100 * LAB_MS;
	lab_input(lab, 1, &kept);
	ck_assert_uint_eq(lab->sent[HIP_R1], r1 + 2);
	lab_free(lab);
}
END_TEST

static bool other_port(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	if (p->from == 0)
		p->src.port = 10501;
	return true;
}

START_TEST(an_i1_from_another_port_is_not_relayed)
{
	struct lab *lab = three();

	lab->hook = other_port;
	lab_want_at(lab, 0, 1, &lab->host[2].at);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_SOURCE_PORT), 1);
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 0);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_UNASSOCIATED);
	lab_free(lab);
}
END_TEST

START_TEST(an_i1_for_nobody_is_not_relayed)
{
	struct lab *lab = three();
	struct hit other = lab->host[1].hit;

	other.b[15] ^= 1;
	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &other,
				  &lab->host[2].at, 1, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_NOT_REGISTERED), 1);
	lab_free(lab);
}
END_TEST

START_TEST(each_flipped_octet_behind_the_header_spoils_a_relayed_i1)
{
	struct lab *lab = three();

	lab->hook = keep_relayed;
	lab_want_at(lab, 0, 1, &lab->host[2].at);
	lab_run(lab);
	ck_assert_uint_gt(kept.len, 80);
	lab->hook = NULL;
	for (size_t i = 0; i + 4 < kept.len; i++) { /* 4: padding */
		struct lab_packet p = kept;
		unsigned before = lab->sent[HIP_R1];

		p.msg[i] ^= 0x04;
		lab->now += LAB_S; /* not to be limited by rate */
		lab_input(lab, 1, &p);
		lab->head = lab->tail;
		ck_assert_msg(lab->sent[HIP_R1] == before ||
				      i == 2 /* type: R1, I2, ... */,
			      "octet %zu", i);
	}
	ck_assert_uint_gt(lab_drops(lab, 1, REASON_HIP_RVS_HMAC), 30);
	lab_free(lab);
}
END_TEST

START_TEST(a_from_by_a_stranger_is_refused_at_host_and_server)
{
	struct lab *lab = three();
	struct lab_packet p;

	lab->hook = keep_relayed;
	lab_want_at(lab, 0, 1, &lab->host[2].at);
	lab_run(lab);
	lab->hook = NULL;
	/* The server does not pass on what brings a FROM. */
	p = kept;
	p.src = lab->host[0].at;
	p.dst = lab->host[2].at;
	lab_input(lab, 2, &p);
	ck_assert_uint_eq(lab_drops(lab, 2, REASON_HIP_RVS_HMAC), 1);
	/* A host that is nobody's client does not believe it. */
	lab_boot(lab, 1, &(struct hip_config){ .responder = true },
		 HIP_ALG_ECDSA_P384, 1);
	p = kept;
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RVS_HMAC), 1);
	lab_free(lab);
}
END_TEST

/* An I1 as the server could send it on: with so many FROM, and a proof. */
static struct lab_packet passed_on(struct lab *lab, unsigned froms, bool proof)
{
	struct hip *h = lab->host[2].h;
	struct assoc *a = registrar_find(h, &lab->host[1].hit);
	struct lab_packet p = { .from = 2,
				.src = lab->host[2].at,
				.dst = lab->host[1].at };
	struct msg_builder b;

	message_begin(&b, HIP_I1, &lab->host[0].hit, &lab->host[1].hit);
	message_put(&b, PARAM_DH_GROUP_LIST, offer_default.dh,
		    offer_default.dh_num);
	message_reserve(&b, PARAM_PADDING, 40); /* answered at once */
	for (unsigned i = 0; i < froms; i++)
		fields_put_from(&b, &lab->host[0].at.addr);
	if (proof)
		ck_assert_int_eq(auth_put_rvs_hmac(&b, a->keys->rhash,
						   a->keys->hip.mac_out),
				 0);
	else
		message_reserve(&b, PARAM_RVS_HMAC, a->keys->rhash->hash_len);
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	return p;
}

/* RFC 8004 4.3.2: what proof there is must be right, FROM or not. */
START_TEST(a_proof_is_checked_with_and_without_from)
{
	for (unsigned froms = 0; froms < 3; froms++) {
		struct lab *lab = three();
		struct lab_packet p = passed_on(lab, froms, false);
		unsigned sent = lab->sent[HIP_R1];

		lab_input(lab, 1, &p);
		ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RVS_HMAC), 1);
		p = passed_on(lab, froms, true);
		lab_input(lab, 1, &p);
		ck_assert_uint_eq(lab->sent[HIP_R1] - sent, froms < 2);
		ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RVS_HMAC),
				  froms < 2 ? 1 : 2); /* one hop only */
		if (froms < 2)
			ck_assert(endpoint_eq(
				&lab->host[1].last[HIP_SEND].peer_at,
				froms ? &lab->host[0].at : &p.src));
		lab_free(lab);
	}
}
END_TEST

START_TEST(i1_beyond_the_rate_of_its_source_is_not_relayed)
{
	struct lab *lab = three();
	struct lab_packet i1 = { .len = 0 };

	lab->hook = keep_relayed;
	lab_want_at(lab, 0, 1, &lab->host[2].at);
	i1 = lab->queue[lab->head % LAB_QUEUE];
	lab_run(lab);
	for (int i = 0; i < 400; i++) {
		lab_input(lab, 2, &i1);
		lab->head = lab->tail;
	}
	ck_assert_uint_gt(lab_drops(lab, 2, REASON_HIP_RATE), 90);
	ck_assert_uint_ge(lab->host[2].count[HIP_RELAYED], 300);
	lab_free(lab);
}
END_TEST

START_TEST(a_host_that_restarts_is_reached_through_the_server_again)
{
	struct lab *lab = three();
	struct hip_config cfg = lab_config();

	lab_want_at(lab, 0, 1, &lab->host[2].at);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab_sleep(lab, 5 * LAB_S);
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P384, 1);
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[2].hit,
				      &lab->host[2].at, 600, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	/* The proxy sends and hears nothing: it finds out by UPDATE. */
	for (int i = 0; i < 60 && lab_state(lab, 0, 1) == HIP_ESTABLISHED;
	     i++) {
		lab_sleep(lab, LAB_S);
		hip_traffic(lab->host[0].h, &lab->host[0].hit,
			    &lab->host[1].hit, false, lab->now);
		lab_drain(lab);
	}
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSING);
	ck_assert(!lab->host[0].up);
	lab_want_at(lab, 0, 1, &lab->host[2].at);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

Suite *test_rendezvous_suite(void)
{
	Suite *s = suite_create("rendezvous");
	TCase *t = tcase_create("rendezvous");

	tcase_set_timeout(t, 120);
	tcase_add_test(
		t,
		an_exchange_through_the_server_ends_at_the_hosts_own_address);
	tcase_add_test(t, r1_names_the_server_and_the_initiator_sees_it);
	tcase_add_test(t,
		       the_same_i1_twice_through_the_server_is_answered_once);
	tcase_add_test(t, an_i1_from_another_port_is_not_relayed);
	tcase_add_test(t, an_i1_for_nobody_is_not_relayed);
	tcase_add_test(
		t, each_flipped_octet_behind_the_header_spoils_a_relayed_i1);
	tcase_add_test(t, a_from_by_a_stranger_is_refused_at_host_and_server);
	tcase_add_test(t, a_proof_is_checked_with_and_without_from);
	tcase_add_test(t, i1_beyond_the_rate_of_its_source_is_not_relayed);
	tcase_add_test(
		t, a_host_that_restarts_is_reached_through_the_server_again);
	suite_add_tcase(s, t);
	return s;
}
