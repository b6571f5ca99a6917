/* SPDX-License-Identifier: MIT */
/* Registrations: 1 is the client, 0 the server. */
#include "hip/engine.h"
#include "hip/fields.h"
#include "hip/message.h"
#include "test/unit/hip/lab.h"

static struct lab *server_and_client(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 77 * LAB_S;
	cfg.rendezvous = true;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	cfg.rendezvous = false;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P384, 1);
	return lab;
}

static void reg(struct lab *lab, uint32_t lifetime)
{
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[0].hit,
				      &lab->host[0].at, lifetime, lab->now),
			 HG_OK);
	lab_drain(lab);
}

static void take(const struct hip_registration *r, void *arg)
{
	*(struct hip_registration *)arg = *r;
}

static struct hip_registration held(struct lab *lab)
{
	struct hip_registration r = { .expires = 0 };
	size_t at = 0;

	while (hip_some_registrations(lab->host[0].h, &at, take, &r))
		;
	return r;
}

START_TEST(a_registration_goes_with_the_base_exchange)
{
	struct lab *lab = server_and_client();
	struct hip_registration r;

	reg(lab, 600);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	ck_assert_uint_le(lab->host[1].last[HIP_REGISTERED].lifetime_s, 600);
	ck_assert_uint_gt(lab->host[1].last[HIP_REGISTERED].lifetime_s, 540);
	r = held(lab);
	ck_assert(hit_eq(&r.client, &lab->host[1].hit));
	ck_assert(endpoint_eq(&r.at, &lab->host[1].at));
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_free(lab);
}
END_TEST

/* The client's packets leave a NAT from port 40000. */
static bool as_from_a_nat(struct lab *lab, struct lab_packet *p)
{
	if (p->from == 1)
		p->src.port = 40000;
	else if (p->dst.port == 40000)
		p->dst = lab->host[1].at;
	return true;
}

/* RFC 9028 4.1, 7.8: REG_FROM in R2 and in each answer to an UPDATE. */
START_TEST(a_relay_tells_its_client_where_it_sees_it)
{
	struct lab *lab = server_and_client();
	struct hip_config cfg = lab_config();
	const struct hip_effect *e = &lab->host[1].last[HIP_REGISTERED];
	struct endpoint was = lab->host[1].at;

	cfg.relay = true;
	cfg.rendezvous = true;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	ck_assert_int_eq(hip_register_relay(lab->host[1].h, NULL,
					    &lab->host[0].hit, &lab->host[0].at,
					    600, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	ck_assert(e->relay && endpoint_eq(&e->seen_at, &was));
	ck_assert(held(lab).relay);
	ck_assert(lab->host[0].last[HIP_REGISTRAR].relay);
	/* And again in the answer to the refresh: another one, from then on. */
	lab->hook = as_from_a_nat;
	lab_sleep(lab, 600 * LAB_S);
	ck_assert_uint_ge(lab->host[1].count[HIP_REGISTERED], 2);
	ck_assert_uint_eq(e->seen_at.port, 40000);
	ck_assert(addr_eq(&e->seen_at.addr, &was.addr));
	/* The other service at the same server is not to be had. */
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[0].hit,
				      &lab->host[0].at, 600, lab->now),
			 HG_EEXIST);
	lab_free(lab);
}
END_TEST

/* The client was told so, and asks on. */
static void why(struct lab *lab, uint16_t refusal)
{
	const struct hip_effect *e = &lab->host[1].last[HIP_UNREGISTERED];

	ck_assert_uint_ge(lab->host[1].count[HIP_UNREGISTERED], 1);
	ck_assert_uint_eq(e->refusal, refusal);
	ck_assert(hit_eq(&e->self, &lab->host[1].hit));
	ck_assert(hit_eq(&e->peer, &lab->host[0].hit));
	ck_assert(endpoint_eq(&e->peer_at, &lab->host[0].at));
	ck_assert(!lab->host[1].h->registrations.v[0]->granted);
	ck_assert(lab->host[1].h->registrations.v[0]->due.slot);
}

START_TEST(a_relay_is_not_taken_for_a_rendezvous_server)
{
	struct lab *lab = server_and_client(); /* RENDEZVOUS alone */

	ck_assert_int_eq(hip_register_relay(lab->host[1].h, NULL,
					    &lab->host[0].hit, &lab->host[0].at,
					    600, lab->now),
			 HG_OK);
	lab_drain(lab);
	lab_sleep(lab, 300 * LAB_S);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_REGISTRAR], 0);
	why(lab, HIP_REFUSED_OFFER);
	ck_assert(lab->host[1].last[HIP_UNREGISTERED].relay);
	lab_free(lab);
}
END_TEST

START_TEST(lifetimes_are_kept_within_the_servers_limits)
{
	struct lab *lab = server_and_client();

	reg(lab, 1);
	ck_assert_uint_eq(lab->host[1].last[HIP_REGISTERED].lifetime_s, 9);
	lab_free(lab);
	lab = server_and_client();
	reg(lab, 10000000);
	ck_assert_uint_eq(lab->host[1].last[HIP_REGISTERED].lifetime_s, 4096);
	lab_free(lab);
}
END_TEST

START_TEST(a_registration_is_refreshed_by_update_for_hours)
{
	struct lab *lab = server_and_client();

	reg(lab, 1000);
	lab_sleep(lab, 4 * 3600 * LAB_S);
	ck_assert_uint_ge(held(lab).expires, lab->now);
	ck_assert_uint_gt(lab->host[1].count[HIP_REGISTERED], 15);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1); /* one association */
	lab_free(lab);
}
END_TEST

/* ---- attacks ------------------------------------------------------------- */

static struct lab_packet asked[256]; /* the client's last, by type */

static bool record(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	if (p->from == 1)
		asked[p->msg[2]] = *p;
	return true;
}

/* From the client's address and from another one. */
static void replayed(struct lab *lab, uint8_t type)
{
	uint64_t expires = held(lab).expires;
	unsigned told = lab->host[0].count[HIP_REGISTRAR];
	struct lab_packet p = asked[type];
	struct hip_registration r;

	ck_assert_uint_gt(expires, lab->now);
	ck_assert_uint_gt(p.len, 0);
	for (int i = 0; i < 2; i++) {
		uint64_t was = lab_drops(lab, 0, REASON_HIP_DUPLICATE);

		lab->now += LAB_S; /* no matter of rates */
		lab_input(lab, 0, &p);
		lab_run(lab);
		ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_DUPLICATE),
				  was + 1);
		r = held(lab);
		ck_assert_uint_eq(r.expires, expires);
		ck_assert(endpoint_eq(&r.at, &lab->host[1].at));
		p.src.addr.b[15] ^= 0x40;
	}
	ck_assert_uint_eq(lab->host[0].count[HIP_REGISTRAR], told);
}

START_TEST(a_replayed_request_changes_nothing)
{
	struct lab *lab = server_and_client();
	struct hip_config cfg = lab_config();

	cfg.relay = true;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	lab->hook = record;
	ck_assert_int_eq(hip_register_relay(lab->host[1].h, NULL,
					    &lab->host[0].hit, &lab->host[0].at,
					    60, lab->now),
			 HG_OK);
	lab_drain(lab);
	replayed(lab, HIP_I2);
	lab_sleep(lab, 50 * LAB_S); /* refreshed by UPDATE */
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 2);
	replayed(lab, HIP_UPDATE);
	lab_free(lab);
}
END_TEST

/* As an agent alone it has no association with strangers; where it is a host,
 * too, it has one and says why it is no more (RFC 8003 4.5). */
START_TEST(a_stranger_does_not_register)
{
	static const struct hit friend = { { 0x20, 1, 0, 0x22, 9 } };
	struct hip_access_rule rule = { .allow = true,
					.by_hit = true,
					.hit = friend };
	struct hip_access list[HIP_ROLE_NUM] = { [HIP_ROLE_RENDEZVOUS] = {
							 &rule, 1 } };
	struct hip_access none[HIP_ROLE_NUM] = { { NULL, 0 } };

	for (int host = 0; host < 2; host++) {
		struct lab *lab = server_and_client();
		struct hip_config cfg = lab_config();

		cfg.relay = true;
		cfg.responder = host;
		lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
		ck_assert_int_eq(hip_set_access(lab->host[0].h, list, lab->now),
				 HG_OK);
		ck_assert_int_eq(hip_register_relay(lab->host[1].h, NULL,
						    &lab->host[0].hit,
						    &lab->host[0].at, 600,
						    lab->now),
				 HG_OK);
		lab_drain(lab);
		ck_assert_uint_eq(held(lab).expires, 0);
		ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 0);
		ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_DENIED), 1);
		ck_assert_int_eq(lab_state(lab, 0, 1),
				 host ? HIP_R2_SENT : HIP_UNASSOCIATED);
		lab_sleep(lab, 20 * LAB_S);
		why(lab,
		    host ? FIELDS_REG_NO_CREDENTIALS : HIP_REFUSED_UNREACHED);
		ck_assert(lab->host[1].last[HIP_UNREGISTERED].relay);
		/* Known now, it is had when it asks again. */
		ck_assert_int_eq(hip_set_access(lab->host[0].h, none, lab->now),
				 HG_OK);
		lab_sleep(lab, 120 * LAB_S);
		ck_assert_uint_gt(held(lab).expires, lab->now);
		lab_free(lab);
	}
}
END_TEST

/* Once R1 has been said, with what it offers. */
static bool spoil_server(struct lab *lab, struct lab_packet *p)
{
	struct hip *h = lab->host[0].h;

	if (p->msg[2] == HIP_I2 && *(int *)lab->hook_arg == 1)
		h->cfg.rendezvous = false;
	if (p->msg[2] == HIP_I2 && *(int *)lab->hook_arg == 2)
		h->registrar.num += REGISTRAR_MAX;
	return true;
}

START_TEST(what_a_server_says_of_its_refusal_is_told)
{
	for (int code = 1; code <= 2; code++) {
		struct lab *lab = server_and_client();

		lab->hook = spoil_server;
		lab->hook_arg = &code;
		reg(lab, 600);
		lab->hook = NULL;
		why(lab, (uint16_t)code);
		ck_assert(!lab->host[1].last[HIP_UNREGISTERED].relay);
		ck_assert_uint_eq(lab->host[1].count[HIP_UNREGISTERED], 1);
		if (code == 2)
			lab->host[0].h->registrar.num -= REGISTRAR_MAX;
		lab->host[0].h->cfg.rendezvous = true;
		lab_sleep(lab, 10 * LAB_S);
		ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
		ck_assert_uint_eq(lab->host[1].count[HIP_UNREGISTERED], 1);
		lab_free(lab);
	}
}
END_TEST

/* An answer with these REG_FAILED: n of them, of code[i] for type[i] (0: for
 * none). */
static void answered(struct lab *lab, const uint8_t *code, const uint8_t *type,
		     size_t n)
{
	struct hip *h = lab->host[1].h;
	struct assoc *a =
		assoc_find(&h->assocs, &lab->host[1].hit, &lab->host[0].hit);
	struct msg_builder b;
	struct hip_msg m;

	message_begin(&b, HIP_UPDATE, &lab->host[0].hit, &lab->host[1].hit);
	for (size_t i = 0; i < n; i++) {
		struct field_reg reg = { .first = code[i],
					 .types = &type[i],
					 .types_num = type[i] != 0 };

		fields_put_reg(&b, PARAM_REG_FAILED, &reg);
	}
	ck_assert_int_eq(message_finish(&b), HG_OK);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	registration_answer(h, a, &m, true, lab->now);
	lab_effects(lab, 1);
}

START_TEST(the_failure_of_this_service_is_the_one_that_counts)
{
	static const struct {
		size_t n;
		uint8_t code[2], type[2];
		uint16_t want;
	} t[] = {
		{ 1, { 9 }, { 1 }, FIELDS_REG_EITHER },
		{ 2, { 9, 3 }, { 2, 1 }, FIELDS_REG_BAD_CERT },
		{ 2, { 2, 0 }, { 1, 2 }, FIELDS_REG_NO_RESOURCES },
		{ 1, { 255 }, { 1 }, 255 },
		{ 1, { 9 }, { 2 }, HIP_REFUSED_SILENT },
		{ 0, { 0 }, { 0 }, HIP_REFUSED_SILENT },
	};
	struct lab *lab = server_and_client();

	reg(lab, 600);
	for (unsigned i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		answered(lab, t[i].code, t[i].type, t[i].n);
		why(lab, t[i].want);
		ck_assert_uint_eq(lab->host[1].count[HIP_UNREGISTERED], i + 1);
	}
	lab_sleep(lab, 200 * LAB_S);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 2);
	lab_free(lab);
}
END_TEST

/* Without an association there is no registration; who had none loses none. */
START_TEST(a_registration_that_is_lost_is_told)
{
	struct lab *lab = server_and_client();

	reg(lab, 600);
	hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
	lab_drain(lab);
	why(lab, HIP_REFUSED_LOST);
	ck_assert_uint_eq(lab->host[1].count[HIP_UNREGISTERED], 1);
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(lab->host[1].count[HIP_UNREGISTERED], 1);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 2);
	lab_free(lab);
}
END_TEST

static bool lose_updates(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	return p->msg[2] != HIP_UPDATE;
}

START_TEST(a_registration_that_is_not_refreshed_expires)
{
	struct lab *lab = server_and_client();

	reg(lab, 60);
	hip_free(lab->host[1].h); /* crashed */
	lab->host[1].h = NULL;
	lab_sleep(lab, 61 * LAB_S);
	ck_assert_uint_eq(held(lab).expires, 0);
	ck_assert_uint_eq(lab->host[0].last[HIP_REGISTRAR].lifetime_s, 0);
	lab_free(lab);
}
END_TEST

START_TEST(when_updates_fail_a_new_exchange_registers)
{
	struct lab *lab = server_and_client();

	reg(lab, 60);
	lab->hook = lose_updates;
	lab_sleep(lab, 120 * LAB_S);
	lab->hook = NULL;
	ck_assert_uint_gt(lab->sent[HIP_I1], 1);
	lab_sleep(lab, 100 * LAB_S);
	ck_assert_uint_gt(held(lab).expires, lab->now);
	lab_free(lab);
}
END_TEST

START_TEST(a_server_that_restarts_is_registered_with_again)
{
	struct lab *lab = server_and_client();
	struct hip_config cfg = lab_config();

	reg(lab, 60);
	cfg.rendezvous = true;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	lab_sleep(lab, 150 * LAB_S);
	ck_assert_uint_gt(held(lab).expires, lab->now);
	lab_free(lab);
}
END_TEST

START_TEST(a_server_out_of_reach_is_tried_again_and_again)
{
	struct lab *lab = server_and_client();
	struct hip_config cfg = lab_config();

	hip_free(lab->host[0].h);
	lab->host[0].h = NULL;
	reg(lab, 60);
	lab_sleep(lab, 400 * LAB_S);
	cfg.rendezvous = true;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	lab_sleep(lab, 120 * LAB_S);
	ck_assert_uint_gt(held(lab).expires, lab->now);
	lab_free(lab);
}
END_TEST

/* When the client began to ask, in s after it was told to. */
static size_t attempts(struct lab *lab, uint64_t *at, size_t max)
{
	uint64_t t0 = lab->now;
	unsigned begun = lab->host[1].changed[HIP_I1_SENT];
	size_t n = 0;

	while (n < max) {
		lab_sleep(lab, LAB_S / 2);
		if (lab->host[1].changed[HIP_I1_SENT] == begun)
			continue;
		begun = lab->host[1].changed[HIP_I1_SENT];
		at[n++] = (lab->now - t0) / LAB_S;
	}
	return n;
}

START_TEST(failures_wait_out_the_hold_and_the_back_off)
{
	struct lab *lab = server_and_client();
	uint64_t at[9];

	hip_free(lab->host[0].h);
	lab->host[0].h = NULL;
	reg(lab, 60);
	(void)attempts(lab, at, 9);
	for (unsigned n = 1; n < 9; n++) {
		/* 15.5 s of I1, 30 s of hold, then 1, 2, 4 ... 64 s. */
		uint64_t want = 45 + (1 << (n < 7 ? n : 6));
		uint64_t was = at[n] - at[n - 1];

		ck_assert_uint_ge(was, want);
		ck_assert_uint_le(was, want + 2);
	}
	lab_free(lab);
}
END_TEST

START_TEST(an_association_made_before_registers_by_update)
{
	struct lab *lab = server_and_client();

	lab_want(lab, 1, 0);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
	reg(lab, 60);
	lab_sleep(lab, LAB_S);
	ck_assert_uint_gt(held(lab).expires, lab->now);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	lab_free(lab);
}
END_TEST

START_TEST(an_association_the_server_began_is_made_again)
{
	struct lab *lab = server_and_client();

	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	reg(lab, 60);
	lab_sleep(lab, 10 * LAB_S);
	ck_assert_uint_gt(held(lab).expires, lab->now);
	lab_free(lab);
}
END_TEST

START_TEST(close_ends_the_registration_and_leaving_ends_all)
{
	struct lab *lab = server_and_client();

	reg(lab, 600);
	hip_close(lab->host[1].h, NULL, lab->now);
	lab_drain(lab);
	ck_assert_uint_eq(held(lab).expires, 0);
	lab_sleep(lab, 3600 * LAB_S);
	ck_assert_uint_eq(held(lab).expires, 0);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	lab_free(lab);
}
END_TEST

START_TEST(a_host_without_the_service_refuses)
{
	struct lab *lab = server_and_client();
	struct hip_config cfg = lab_config();

	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	reg(lab, 600);
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 0);
	ck_assert_uint_lt(lab->sent[HIP_I1], 3); /* no storm */
	lab_free(lab);
}
END_TEST

START_TEST(a_registered_association_does_not_idle_out)
{
	struct lab *lab = server_and_client();

	reg(lab, 4096);
	lab_sleep(lab, 2500 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
	ck_assert_uint_gt(held(lab).expires, lab->now);
	lab_free(lab);
}
END_TEST

Suite *test_registration_suite(void)
{
	Suite *s = suite_create("registration");
	TCase *t = tcase_create("registration");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_registration_goes_with_the_base_exchange);
	tcase_add_test(t, a_relay_tells_its_client_where_it_sees_it);
	tcase_add_test(t, a_relay_is_not_taken_for_a_rendezvous_server);
	tcase_add_test(t, a_replayed_request_changes_nothing);
	tcase_add_test(t, a_stranger_does_not_register);
	tcase_add_test(t, what_a_server_says_of_its_refusal_is_told);
	tcase_add_test(t, the_failure_of_this_service_is_the_one_that_counts);
	tcase_add_test(t, a_registration_that_is_lost_is_told);
	tcase_add_test(t, lifetimes_are_kept_within_the_servers_limits);
	tcase_add_test(t, a_registration_is_refreshed_by_update_for_hours);
	tcase_add_test(t, a_registration_that_is_not_refreshed_expires);
	tcase_add_test(t, when_updates_fail_a_new_exchange_registers);
	tcase_add_test(t, a_server_that_restarts_is_registered_with_again);
	tcase_add_test(t, a_server_out_of_reach_is_tried_again_and_again);
	tcase_add_test(t, failures_wait_out_the_hold_and_the_back_off);
	tcase_add_test(t, an_association_made_before_registers_by_update);
	tcase_add_test(t, an_association_the_server_began_is_made_again);
	tcase_add_test(t, close_ends_the_registration_and_leaving_ends_all);
	tcase_add_test(t, a_host_without_the_service_refuses);
	tcase_add_test(t, a_registered_association_does_not_idle_out);
	suite_add_tcase(s, t);
	return s;
}
