/* SPDX-License-Identifier: MIT */
/* Wishes that change: 1 is the client, 0 the server, at 192.0.2.1. */
#include "test/unit/hip/move_bed.h"

#define SERVER_4 "192.0.2.1"
#define SERVER_6 "2001:db8:1::1"
#define THERE "198.51.100.1" /* later */
#define CLIENT_6 "2001:db8:2::2"

static struct lab *bed(bool relay)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 77 * LAB_S;
	cfg.rendezvous = true;
	cfg.relay = relay;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	cfg.rendezvous = false;
	cfg.relay = false;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P384, 1);
	return lab;
}

static void serve_again(struct lab *lab)
{
	struct hip_config cfg = lab_config();

	cfg.rendezvous = true;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
}

static void reg(struct lab *lab, uint32_t lifetime)
{
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[0].hit,
				      &lab->host[0].at, lifetime, lab->now),
			 HG_OK);
	lab_drain(lab);
}

static int unreg(struct lab *lab)
{
	int err = hip_unregister(lab->host[1].h, NULL, &lab->host[0].hit,
				 lab->now);

	lab_drain(lab);
	return err;
}

static int places(struct lab *lab, const struct endpoint *at, size_t num)
{
	int err = hip_register_at(lab->host[1].h, NULL, &lab->host[0].hit, at,
				  num, lab->now);

	lab_drain(lab);
	return err;
}

/* At the client, at the server. */
static size_t wishes(const struct lab *lab)
{
	return lab->host[1].h->registrations.num;
}

static size_t held(const struct lab *lab)
{
	return lab->host[0].h ? hip_registrations(lab->host[0].h) : 0;
}

/* Nothing of it is left, and nothing comes back. */
static void gone_for_good(struct lab *lab)
{
	unsigned granted = lab->host[1].count[HIP_REGISTERED];
	unsigned begun = lab->sent[HIP_I1];

	ck_assert_uint_eq(wishes(lab), 0);
	ck_assert_uint_eq(held(lab), 0);
	lab_sleep(lab, 2 * 3600 * LAB_S);
	ck_assert_uint_eq(held(lab), 0);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], granted);
	ck_assert_uint_eq(lab->sent[HIP_I1], begun);
	ck_assert_int_eq(unreg(lab), HG_ENOENT);
}

/* RFC 8003 5. What the association is else for is not touched. */
START_TEST(a_wish_that_ends_is_cancelled_at_the_server)
{
	struct lab *lab = bed(false);

	ck_assert_int_eq(unreg(lab), HG_ENOENT);
	reg(lab, 600);
	ck_assert_uint_eq(held(lab), 1);
	ck_assert_int_eq(unreg(lab), HG_OK);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2);
	ck_assert_uint_eq(lab->host[0].last[HIP_REGISTRAR].lifetime_s, 0);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
	ck_assert_uint_eq(lab->host[1].count[HIP_UNREGISTERED], 0);
	gone_for_good(lab);
	lab_free(lab);
}
END_TEST

START_TEST(a_server_that_no_longer_has_it_ends_it_too)
{
	struct lab *lab = bed(false);

	reg(lab, 600);
	registrar_drop(lab->host[0].h,
		       registrar_find(lab->host[0].h, &lab->host[1].hit));
	ck_assert_uint_eq(held(lab), 0);
	ck_assert_int_eq(unreg(lab), HG_OK);
	gone_for_good(lab);
	lab_free(lab);
}
END_TEST

/* It does not offer it any more (RFC 8003 4.2), or refuses. */
START_TEST(a_server_that_refuses_ends_it_too)
{
	struct hip_access_rule rule = { .by_hit = true };
	struct hip_access list[HIP_ROLE_NUM] = { [HIP_ROLE_RENDEZVOUS] = {
							 &rule, 1 } };
	struct lab *lab = bed(false);

	rule.hit = lab->host[1].hit;
	reg(lab, 600);
	ck_assert_int_eq(hip_set_access(lab->host[0].h, list, lab->now), HG_OK);
	lab_drain(lab);
	ck_assert_int_eq(unreg(lab), HG_OK);
	gone_for_good(lab);
	lab_free(lab);
	lab = bed(false);
	reg(lab, 600);
	assoc_find(&lab->host[1].h->assocs, &lab->host[1].hit,
		   &lab->host[0].hit)
		->reg_offered = 0;
	ck_assert_int_eq(unreg(lab), HG_OK);
	ck_assert_uint_eq(wishes(lab), 0);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_server_that_is_gone_is_told_so_often_and_forgotten)
{
	struct lab *lab = bed(false);

	reg(lab, 600);
	hip_free(lab->host[0].h);
	lab->host[0].h = NULL;
	ck_assert_int_eq(unreg(lab), HG_OK);
	ck_assert_uint_eq(wishes(lab), 1);
	ck_assert_int_eq(unreg(lab), HG_ENOENT); /* it is over already */
	lab_sleep(lab, 65 * LAB_S);
	ck_assert_uint_gt(lab->sent[HIP_UPDATE], 1);
	gone_for_good(lab);
	/* Nor is one that was never there. */
	reg(lab, 600);
	ck_assert_int_eq(unreg(lab), HG_OK);
	ck_assert_uint_eq(wishes(lab), 1); /* R1 may come */
	lab_sleep(lab, 30 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_E_FAILED);
	gone_for_good(lab);
	reg(lab, 600);
	lab_sleep(lab, 30 * LAB_S); /* E-FAILED: it waits */
	ck_assert_int_eq(unreg(lab), HG_OK);
	gone_for_good(lab);
	lab_free(lab);
}
END_TEST

static uint8_t lost; /* packets of this type */

static bool lose(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	return p->msg[2] != lost;
}

START_TEST(what_ends_in_an_exchange_is_not_asked_for_or_is_cancelled)
{
	static const uint8_t type[] = { HIP_R1, HIP_R2 };

	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = bed(false);

		lost = type[i];
		lab->hook = lose;
		reg(lab, 600);
		/* The I2 before R2 has asked. */
		ck_assert_uint_eq(held(lab), i);
		ck_assert_int_eq(unreg(lab), HG_OK);
		ck_assert_uint_eq(wishes(lab), 1);
		lab->hook = NULL;
		lab_sleep(lab, 5 * LAB_S);
		ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
		ck_assert_uint_eq(lab->host[0].count[HIP_REGISTRAR], 2 * i);
		ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 0);
		gone_for_good(lab);
		lab_free(lab);
	}
}
END_TEST

/* A refresh is on its way: its answer grants, and then it is cancelled. */
START_TEST(what_ends_while_it_is_asked_for_is_cancelled_next)
{
	struct lab *lab = bed(false);

	reg(lab, 60);
	lost = HIP_UPDATE;
	lab->hook = lose;
	lab_sleep(lab, 45 * LAB_S);
	ck_assert_uint_ge(lab->sent[HIP_UPDATE], 1);
	ck_assert_int_eq(unreg(lab), HG_OK);
	lab->hook = NULL;
	lab_sleep(lab, 10 * LAB_S);
	ck_assert_uint_eq(lab->host[0].count[HIP_REGISTRAR], 3);
	gone_for_good(lab);
	lab_free(lab);
}
END_TEST

START_TEST(a_wish_that_comes_back_meanwhile_is_had)
{
	struct lab *lab = bed(false);

	reg(lab, 600);
	lost = HIP_UPDATE;
	lab->hook = lose;
	ck_assert_int_eq(unreg(lab), HG_OK);
	lab->hook = NULL;
	reg(lab, 300);
	ck_assert_uint_eq(wishes(lab), 1);
	lab_sleep(lab, 30 * LAB_S);
	ck_assert_uint_eq(held(lab), 1);
	ck_assert_uint_le(lab->host[1].last[HIP_REGISTERED].lifetime_s, 300);
	lab_sleep(lab, 3600 * LAB_S);
	ck_assert_uint_eq(held(lab), 1);
	lab_free(lab);
}
END_TEST

START_TEST(another_lifetime_is_asked_for_at_once)
{
	struct lab *lab = bed(false);

	reg(lab, 600);
	reg(lab, 600); /* the same */
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	reg(lab, 60);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2);
	ck_assert_uint_le(lab->host[1].last[HIP_REGISTERED].lifetime_s, 60);
	ck_assert_uint_eq(held(lab), 1);
	lab_free(lab);
}
END_TEST

/* RFC 9028 7.8: one association, one service. */
START_TEST(the_other_service_of_a_server_takes_another_association)
{
	struct lab *lab = bed(true);
	const struct hip_effect *e = &lab->host[1].last[HIP_REGISTERED];
	struct hip *h = lab->host[1].h;

	reg(lab, 600);
	ck_assert(!e->relay);
	ck_assert_int_eq(hip_register_relay(h, NULL, &lab->host[0].hit,
					    &lab->host[0].at, 600, lab->now),
			 HG_EEXIST);
	ck_assert_uint_eq(wishes(lab), 1);
	ck_assert_int_eq(hip_unregister(h, NULL, &lab->host[0].hit, lab->now),
			 HG_OK);
	ck_assert_int_eq(hip_register_relay(h, NULL, &lab->host[0].hit,
					    &lab->host[0].at, 600, lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, 10 * LAB_S);
	ck_assert(e->relay);
	ck_assert_uint_eq(held(lab), 1);
	ck_assert(lab->host[0].last[HIP_REGISTRAR].relay);
	ck_assert_uint_eq(lab->sent[HIP_I1], 2);
	lab_free(lab);
}
END_TEST

/* RFC 9028 4.1: the port is given back, and R1s no longer speak of it. */
START_TEST(a_relays_client_gives_its_port_back)
{
	static const uint16_t port = 20000;
	struct lab *lab = bed(true);
	struct endpoint seen;

	ck_assert_int_eq(hip_set_relay_ports(lab->host[0].h, &port, 1, HIP_PORT,
					     lab->now),
			 HG_OK);
	lab_sleep(lab, 2 * LAB_S); /* R1s that say so */
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(hip_register_relay(lab->host[1].h, NULL,
						    &lab->host[0].hit,
						    &lab->host[0].at, 600,
						    lab->now),
				 HG_OK);
		lab_drain(lab);
		ck_assert_uint_eq(
			lab->host[1].last[HIP_REGISTERED].relayed_at.port,
			port);
		ck_assert(registration_reflexive(lab->host[1].h,
						 &lab->host[1].hit, &seen));
		ck_assert_int_eq(unreg(lab), HG_OK);
		ck_assert_uint_eq(held(lab), 0);
		ck_assert_uint_eq(wishes(lab), 0);
		ck_assert(!registration_reflexive(lab->host[1].h,
						  &lab->host[1].hit, &seen));
	}
	lab_free(lab);
}
END_TEST

/* ---- where the server is ------------------------------------------------- */

START_TEST(a_server_of_several_addresses_is_found_by_any)
{
	static const char *const both[] = { SERVER_4, SERVER_6 };
	struct lab *lab = bed(false);
	struct endpoint at[HIP_LOCATORS_MAX + 1] = { bed_at(SERVER_4),
						     bed_at(SERVER_6) };
	struct bed_net net;

	bed_net(lab, &net);
	bed_here(lab, 0, both, 2);
	bed_move(lab, 1, CLIENT_6);
	net.cut[net.cut_num++] = bed_at(SERVER_4);
	reg(lab, 600);
	lab_sleep(lab, 10 * LAB_S);
	ck_assert_uint_eq(held(lab), 0);
	ck_assert_int_eq(places(lab, at, 2), HG_OK);
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(held(lab), 1);
	ck_assert(bed_is(lab, 1, CLIENT_6, SERVER_6));
	ck_assert_int_eq(places(lab, at, 0), HG_EINVAL);
	ck_assert_int_eq(places(lab, at, HIP_LOCATORS_MAX + 1), HG_EINVAL);
	ck_assert_int_eq(unreg(lab), HG_OK);
	ck_assert_int_eq(places(lab, at, 2), HG_ENOENT);
	lab_free(lab);
}
END_TEST

/* Said together, as a daemon does: the second one within a second. */
START_TEST(several_addresses_are_raced)
{
	static const char *const both[] = { SERVER_4, SERVER_6 };
	struct lab *lab = bed(false);
	struct endpoint at[] = { bed_at(SERVER_4), bed_at(SERVER_6) };
	struct bed_net net;

	bed_net(lab, &net);
	bed_here(lab, 0, both, 2);
	net.cut[net.cut_num++] = bed_at(SERVER_4);
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[0].hit,
				      at, 600, lab->now),
			 HG_OK);
	ck_assert_int_eq(hip_register_at(lab->host[1].h, NULL,
					 &lab->host[0].hit, at, 2, lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(held(lab), 1);
	lab_free(lab);
}
END_TEST

/* It says so (RFC 8046), starts again there, and is found there. */
START_TEST(a_server_that_moves_is_followed_and_found_again)
{
	struct lab *lab = bed(false);
	struct endpoint was = bed_at(SERVER_4);
	struct bed_net net;

	bed_net(lab, &net);
	bed_move(lab, 0, SERVER_4);
	reg(lab, 60);
	bed_move(lab, 0, THERE);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert_uint_eq(held(lab), 1);
	ck_assert(endpoint_eq(&lab->host[1].last[HIP_LOCATOR].peer_at,
			      &lab->host[0].at));
	lab_sleep(lab, 600 * LAB_S); /* refreshed there */
	ck_assert_uint_eq(held(lab), 1);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	serve_again(lab);
	bed_move(lab, 0, THERE);
	net.cut[net.cut_num++] = was;
	lab_sleep(lab, 150 * LAB_S);
	ck_assert_uint_eq(held(lab), 1);
	lab_free(lab);
}
END_TEST

/* It has moved without a word, to a place that the client is told now. */
START_TEST(a_new_address_is_used_at_once)
{
	struct lab *lab = bed(false);
	struct endpoint at = bed_at(THERE);
	struct bed_net net;

	bed_net(lab, &net);
	bed_move(lab, 0, SERVER_4);
	reg(lab, 4000);
	hip_free(lab->host[0].h);
	lab->host[0].h = NULL;
	serve_again(lab);
	bed_move(lab, 0, THERE);
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[0].hit,
				      &at, 4000, lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(held(lab), 1);
	lab_free(lab);
}
END_TEST

/* It was never there: the exchange begins anew, a failed one when it may. */
START_TEST(a_new_address_is_tried_in_place_of_the_old_one)
{
	for (unsigned failed = 0; failed < 2; failed++) {
		struct lab *lab = bed(false);
		struct endpoint at = bed_at(SERVER_4);
		struct bed_net net;

		bed_net(lab, &net);
		bed_move(lab, 0, THERE);
		ck_assert_int_eq(hip_register(lab->host[1].h, NULL,
					      &lab->host[0].hit, &at, 4000,
					      lab->now),
				 HG_OK);
		lab_drain(lab);
		lab_sleep(lab, failed ? 20 * LAB_S : LAB_S);
		ck_assert_int_eq(lab_state(lab, 1, 0),
				 failed ? HIP_E_FAILED : HIP_I1_SENT);
		reg(lab, 4000);
		ck_assert_uint_eq(held(lab), !failed);
		lab_sleep(lab, 32 * LAB_S);
		ck_assert_uint_eq(held(lab), 1);
		lab_free(lab);
	}
}
END_TEST

Suite *test_register_suite(void)
{
	Suite *s = suite_create("register");
	TCase *t = tcase_create("ends");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_wish_that_ends_is_cancelled_at_the_server);
	tcase_add_test(t, a_server_that_no_longer_has_it_ends_it_too);
	tcase_add_test(t, a_server_that_refuses_ends_it_too);
	tcase_add_test(t, a_server_that_is_gone_is_told_so_often_and_forgotten);
	tcase_add_test(
		t, what_ends_in_an_exchange_is_not_asked_for_or_is_cancelled);
	tcase_add_test(t, what_ends_while_it_is_asked_for_is_cancelled_next);
	tcase_add_test(t, a_wish_that_comes_back_meanwhile_is_had);
	tcase_add_test(t, another_lifetime_is_asked_for_at_once);
	tcase_add_test(t,
		       the_other_service_of_a_server_takes_another_association);
	tcase_add_test(t, a_relays_client_gives_its_port_back);
	suite_add_tcase(s, t);
	t = tcase_create("places");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_server_of_several_addresses_is_found_by_any);
	tcase_add_test(t, several_addresses_are_raced);
	tcase_add_test(t, a_server_that_moves_is_followed_and_found_again);
	tcase_add_test(t, a_new_address_is_used_at_once);
	tcase_add_test(t, a_new_address_is_tried_in_place_of_the_old_one);
	suite_add_tcase(s, t);
	return s;
}
