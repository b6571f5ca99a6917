/* SPDX-License-Identifier: MIT */
/* What a rendezvous server grants, refuses and forgets. */
#include "test/unit/hip/lab.h"

#include "hip/engine.h"
#include "hip/fields.h"

/* A REG_REQUEST for these types, and what it would get. */
static struct registrar_answer ask_in(uint8_t packet, struct hip *h,
				      uint8_t code, const uint8_t *types,
				      size_t num)
{
	struct field_reg reg = { .first = code,
				 .types = types,
				 .types_num = num };
	struct hit who = { { 0x20, 1, 0, 0x22, 1 } };
	struct registrar_answer ans;
	struct msg_builder b;
	struct endpoint at = lab_at(1);
	struct packet p = { .from = &at, .at = &at };

	message_begin(&b, packet, &who, hip_default_hit(h));
	fields_put_reg(&b, PARAM_REG_REQUEST, &reg);
	ck_assert_int_eq(message_finish(&b), 0);
	ck_assert_int_eq(param_parse(b.buf, b.len, &p.m), REASON_NUM);
	ck_assert(registrar_decide(h, &p, &ans));
	return ans;
}

static struct registrar_answer ask(struct hip *h, uint8_t code,
				   const uint8_t *types, size_t num)
{
	return ask_in(HIP_I2, h, code, types, num);
}

static struct lab *server(bool rendezvous, const struct hit *allow)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();
	struct hip_access_rule rule = { .allow = true, .by_hit = true };
	struct hip_access list[HIP_ROLE_NUM] = { [HIP_ROLE_RENDEZVOUS] = {
							 &rule, 1 } };

	cfg.rendezvous = rendezvous;
	lab->now = 9 * LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	if (allow) {
		rule.hit = *allow;
		ck_assert_int_eq(hip_set_access(lab->host[0].h, list, lab->now),
				 0);
	}
	return lab;
}

START_TEST(rendezvous_is_granted_other_types_are_not)
{
	static const uint8_t types[] = { 3, FIELDS_REG_RENDEZVOUS, 77, 3 };
	struct lab *lab = server(true, NULL);
	struct registrar_answer a = ask(lab->host[0].h, 100, types, 4);

	ck_assert_uint_eq(a.granted, FIELDS_REG_RENDEZVOUS);
	ck_assert_uint_eq(a.code, 100);
	ck_assert_uint_eq(a.failed_num, 2);
	ck_assert_uint_eq(a.failed[0], 3);
	ck_assert_uint_eq(a.failed[1], 77);
	a = ask(lab->host[0].h, 255, types, 4);
	ck_assert_uint_eq(a.code, registrar_max);
	a = ask(lab->host[0].h, 1, types, 4);
	ck_assert_uint_eq(a.code, registrar_min);
	a = ask(lab->host[0].h, 0, types, 4); /* cancel */
	ck_assert(a.granted);
	ck_assert_uint_eq(a.code, 0);
	lab_free(lab);
}
END_TEST

START_TEST(without_the_service_or_the_right_it_is_refused)
{
	static const uint8_t type = FIELDS_REG_RENDEZVOUS;
	static const struct hit other = { { 0x20, 1, 0, 0x22, 2 } };
	struct lab *lab = server(false, NULL);
	struct registrar_answer a = ask(lab->host[0].h, 100, &type, 1);

	ck_assert(a.failed_num == 1 && !a.granted);
	ck_assert_uint_eq(a.why[0], FIELDS_REG_UNAVAILABLE);
	lab_free(lab);
	lab = server(true, &other);
	a = ask(lab->host[0].h, 100, &type, 1);
	ck_assert(a.failed_num == 1 && !a.granted);
	ck_assert_uint_eq(a.why[0], FIELDS_REG_NO_CREDENTIALS);
	lab_free(lab);
}
END_TEST

START_TEST(a_registration_is_made_renewed_and_cancelled)
{
	struct lab *lab = server(true, NULL);
	struct registrar_answer ans = { .granted = FIELDS_REG_RENDEZVOUS,
					.code = 128 };
	struct hit who = { { 0x20, 1, 0, 0x22, 1 } };
	struct hip *h = lab->host[0].h;
	struct assoc *a;

	ck_assert_int_eq(assoc_add(h, hip_default_hit(h), &who, &a), 0);
	registrar_commit(h, a, &ans, lab->now); /* 2^8 s */
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].last[HIP_REGISTRAR].lifetime_s, 256);
	ck_assert_ptr_eq(registrar_find(h, &who), a);
	lab_sleep(lab, 200 * LAB_S);
	registrar_commit(h, a, &ans, lab->now);
	lab_sleep(lab, 200 * LAB_S);
	ck_assert(registrar_holds(h, a));
	ck_assert_uint_eq(h->registrar.num, 1);
	lab_sleep(lab, 57 * LAB_S);
	ck_assert(!registrar_holds(h, a)); /* expired */
	registrar_commit(h, a, &ans, lab->now);
	ans.code = 0;
	registrar_commit(h, a, &ans, lab->now);
	ck_assert_ptr_null(registrar_find(h, &who));
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].last[HIP_REGISTRAR].lifetime_s, 0);
	/* It ends with the association, too. */
	ans.code = 128;
	registrar_commit(h, a, &ans, lab->now);
	assoc_del(h, a, lab->now);
	ck_assert_ptr_null(registrar_find(h, &who));
	ck_assert_uint_eq(h->registrar.num, 0);
	lab_free(lab);
}
END_TEST

START_TEST(lifetimes_are_granted_between_the_bounds_and_0_cancels)
{
	static const uint8_t type = FIELDS_REG_RENDEZVOUS;
	/* Asked, granted. 90: 9.51 s, 160: 4096 s (RFC 8003 4.1). */
	static const uint8_t bound[][2] = {
		{ 0, 0 },     { 1, 90 },    { 89, 90 },
		{ 90, 90 },   { 91, 91 },   { 159, 159 },
		{ 160, 160 }, { 161, 160 }, { 255, 160 },
	};
	struct lab *lab = server(true, NULL);

	for (size_t i = 0; i < sizeof(bound) / sizeof(bound[0]); i++) {
		struct registrar_answer a =
			ask(lab->host[0].h, bound[i][0], &type, 1);

		ck_assert(a.granted && !a.failed_num);
		ck_assert_uint_eq(a.code, bound[i][1]);
		ck_assert_uint_eq(a.failed_num, 0);
	}
	ck_assert_uint_eq(fields_lifetime_ms(registrar_min), 9513);
	ck_assert_uint_eq(fields_lifetime_ms(registrar_max), 4096000);
	lab_free(lab);
}
END_TEST

START_TEST(unknown_types_are_refused_once_each_and_only_so_many)
{
	uint8_t types[REGISTRAR_TYPES_MAX + 4];
	struct lab *lab = server(true, NULL);
	struct registrar_answer a;

	for (size_t i = 0; i < sizeof(types); i++)
		types[i] = (uint8_t)(100 + i);
	a = ask(lab->host[0].h, 100, types, sizeof(types));
	ck_assert(!a.granted);
	ck_assert_uint_eq(a.failed_num, REGISTRAR_TYPES_MAX);
	ck_assert_mem_eq(a.failed, types, REGISTRAR_TYPES_MAX);
	memset(types, 77, sizeof(types));
	a = ask(lab->host[0].h, 100, types, sizeof(types));
	ck_assert_uint_eq(a.failed_num, 1);
	lab_free(lab);
}
END_TEST

/* RFC 9028 7.8, 4.1 */
START_TEST(both_services_at_once_are_the_relay_alone)
{
	static const uint8_t both[] = { FIELDS_REG_RENDEZVOUS,
					FIELDS_REG_RELAY_UDP_HIP };
	struct lab *lab = server(true, NULL);
	struct hip *h = lab->host[0].h;
	struct endpoint at = lab_at(1);
	struct registrar_answer a;

	/* A rendezvous server that is no relay. */
	a = ask(h, 100, both, 2);
	ck_assert_uint_eq(a.granted, FIELDS_REG_RENDEZVOUS);
	ck_assert_uint_eq(a.failed_num, 1);
	ck_assert_uint_eq(a.failed[0], FIELDS_REG_RELAY_UDP_HIP);
	ck_assert_uint_eq(a.why[0], FIELDS_REG_UNAVAILABLE);
	ck_assert_uint_eq(a.seen_at.port, 0);
	h->cfg.relay = true;
	a = ask(h, 100, both, 2);
	ck_assert_uint_eq(a.granted, FIELDS_REG_RELAY_UDP_HIP);
	ck_assert_uint_eq(a.code, 100);
	ck_assert_uint_eq(a.failed_num, 1);
	ck_assert_uint_eq(a.failed[0], FIELDS_REG_RENDEZVOUS);
	ck_assert_uint_eq(a.why[0], FIELDS_REG_EITHER);
	ck_assert(endpoint_eq(&a.seen_at, &at));
	/* A relay only. */
	h->cfg.rendezvous = false;
	a = ask(h, 100, both, 2);
	ck_assert_uint_eq(a.granted, FIELDS_REG_RELAY_UDP_HIP);
	ck_assert_uint_eq(a.failed[0], FIELDS_REG_RENDEZVOUS);
	ck_assert_uint_eq(a.why[0], FIELDS_REG_UNAVAILABLE);
	lab_free(lab);
}
END_TEST

/* RFC 9028 7.8: "persists throughout the lifetime of the HIP Association". */
START_TEST(the_first_service_of_an_association_is_its_only_one)
{
	static const uint8_t both[] = { FIELDS_REG_RENDEZVOUS,
					FIELDS_REG_RELAY_UDP_HIP };
	struct hit who = { { 0x20, 1, 0, 0x22, 1 } };

	for (int i = 0; i < 2; i++) {
		struct lab *lab = server(true, NULL);
		struct hip *h = lab->host[0].h;
		struct registrar_answer ans = { .granted = both[i],
						.code = 90 };
		struct registrar_answer got;
		struct assoc *a;

		h->cfg.relay = true;
		ck_assert_int_eq(assoc_add(h, hip_default_hit(h), &who, &a), 0);
		registrar_commit(h, a, &ans, lab->now);
		lab_effects(lab, 0);
		ck_assert(lab->host[0].last[HIP_REGISTRAR].relay == (i == 1));
		for (int again = 0; again < 2; again++) {
			got = ask_in(HIP_UPDATE, h, 100, &both[!i], 1);
			ck_assert_uint_eq(got.granted, 0);
			ck_assert_uint_eq(got.failed_num, 1);
			ck_assert_uint_eq(got.why[0], FIELDS_REG_EITHER);
			/* REG_FROM in every answer to a relay's client. */
			ck_assert((got.seen_at.port != 0) == (i == 1));
			got = ask_in(HIP_UPDATE, h, 100, both, 2);
			ck_assert_uint_eq(got.granted, both[i]);
			ck_assert_uint_eq(got.failed[0], both[!i]);
			ck_assert_uint_eq(got.why[0], FIELDS_REG_EITHER);
			lab_sleep(lab, 10 * LAB_S); /* and when it has lapsed */
			ck_assert(!registrar_holds(h, a));
		}
		/* A new exchange chooses anew. */
		ck_assert_uint_eq(ask(h, 100, &both[!i], 1).granted, both[!i]);
		assoc_set_keys(h, a, NULL);
		got = ask_in(HIP_UPDATE, h, 100, &both[!i], 1);
		ck_assert_uint_eq(got.granted, both[!i]);
		lab_free(lab);
	}
}
END_TEST

/* What the answer is in an R2. */
static struct hip_msg put(struct msg_builder *b, struct lab *lab,
			  const struct registrar_answer *ans)
{
	struct hip_msg m;

	message_begin(b, HIP_R2, &lab->host[0].hit, &lab->host[0].hit);
	registrar_put(b, ans);
	ck_assert_int_eq(message_finish(b), HG_OK);
	ck_assert_int_eq(param_parse(b->buf, b->len, &m), REASON_NUM);
	return m;
}

START_TEST(the_answer_says_what_was_granted_and_what_failed)
{
	struct lab *lab = server(true, NULL);
	struct registrar_answer ans = { .granted = FIELDS_REG_RENDEZVOUS,
					.code = 101,
					.failed = { 77, 78 },
					.why = { 1, 1 },
					.failed_num = 2 };
	const struct hip_param *p;
	struct msg_builder b;
	struct hip_msg m = put(&b, lab, &ans);
	struct field_reg reg;
	struct endpoint at;

	ck_assert_uint_eq(m.num, 2);
	ck_assert(fields_get_reg(param_find(&m, PARAM_REG_RESPONSE), &reg));
	ck_assert_uint_eq(reg.first, 101);
	ck_assert_uint_eq(reg.types_num, 1);
	ck_assert_uint_eq(reg.types[0], FIELDS_REG_RENDEZVOUS);
	ck_assert(fields_get_reg(param_find(&m, PARAM_REG_FAILED), &reg));
	ck_assert_uint_eq(reg.first, FIELDS_REG_UNAVAILABLE);
	ck_assert_uint_eq(reg.types_num, 2);
	ck_assert_mem_eq(reg.types, ans.failed, 2);
	/* Refused: two reasons, two REG_FAILED. */
	ans = (struct registrar_answer){
		.failed = { FIELDS_REG_RENDEZVOUS, 77 },
		.why = { FIELDS_REG_NO_RESOURCES, FIELDS_REG_UNAVAILABLE },
		.failed_num = 2
	};
	m = put(&b, lab, &ans);
	ck_assert_uint_eq(m.num, 2);
	ck_assert_ptr_null(param_find(&m, PARAM_REG_RESPONSE));
	p = param_find(&m, PARAM_REG_FAILED);
	ck_assert(fields_get_reg(p, &reg));
	ck_assert_uint_eq(reg.first, FIELDS_REG_NO_RESOURCES);
	ck_assert_uint_eq(reg.types[0], FIELDS_REG_RENDEZVOUS);
	ck_assert(fields_get_reg(param_next(&m, p), &reg));
	ck_assert_uint_eq(reg.first, FIELDS_REG_UNAVAILABLE);
	/* Where the client is seen. */
	ans = (struct registrar_answer){ .granted = FIELDS_REG_RELAY_UDP_HIP,
					 .code = 90,
					 .seen_at = lab_at(3) };
	m = put(&b, lab, &ans);
	ck_assert_uint_eq(m.num, 2);
	ck_assert(fields_get_udp_at(param_find(&m, PARAM_REG_FROM), &at));
	ck_assert(endpoint_eq(&at, &ans.seen_at));
	/* Nothing asked, nothing said. */
	memset(&ans, 0, sizeof(ans));
	ck_assert_uint_eq(put(&b, lab, &ans).num, 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_registration_expires_to_the_moment)
{
	struct lab *lab = server(true, NULL);
	struct registrar_answer ans = { .granted = FIELDS_REG_RENDEZVOUS,
					.code = 90 };
	struct hit who = { { 0x20, 1, 0, 0x22, 1 } };
	struct hip *h = lab->host[0].h;
	uint64_t end = lab->now + 9513 * LAB_MS;
	struct assoc *a;

	ck_assert_int_eq(assoc_add(h, hip_default_hit(h), &who, &a), 0);
	registrar_commit(h, a, &ans, lab->now);
	ck_assert_uint_eq(hip_deadline(h), end);
	/* Woken too early, it waits on. */
	registrar_timer(h, dueheap_first(&h->due), end - 1);
	ck_assert_uint_eq(hip_deadline(h), end);
	hip_tick(h, end - 1);
	ck_assert(registrar_holds(h, a));
	hip_tick(h, end);
	ck_assert(!registrar_holds(h, a));
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_REGISTRAR], 2);
	ck_assert_uint_eq(lab->host[0].last[HIP_REGISTRAR].lifetime_s, 0);
	ck_assert(hit_eq(&lab->host[0].last[HIP_REGISTRAR].peer, &who));
	lab_free(lab);
}
END_TEST

START_TEST(the_latest_registration_of_a_client_replaces_the_one_before)
{
	struct lab *lab = server(true, NULL);
	struct registrar_answer ans = { .granted = FIELDS_REG_RENDEZVOUS,
					.code = 128 };
	const struct registrar_answer cancel = {
		.granted = FIELDS_REG_RENDEZVOUS
	};
	const struct registrar_answer none = { .code = 128 };
	struct hit who = { { 0x20, 1, 0, 0x22, 1 } };
	struct hip *h = lab->host[0].h;
	struct assoc *a;
	struct assoc *b;

	ck_assert_int_eq(hip_add_identity(h,
					  lab_identity(HIP_ALG_ECDSA_P256, 1),
					  lab->now),
			 0);
	lab_effects(lab, 0);
	ck_assert_int_eq(assoc_add(h, hip_default_hit(h), &who, &a), 0);
	ck_assert_int_eq(assoc_add(h, hip_identity_hit(h->id[1]), &who, &b), 0);
	registrar_commit(h, a, &cancel, lab->now); /* nothing to cancel */
	registrar_commit(h, a, &none, lab->now);
	ck_assert_uint_eq(h->registrar.num, 0);
	registrar_commit(h, a, &ans, lab->now);
	registrar_commit(h, b, &ans, lab->now);
	ck_assert_uint_eq(h->registrar.num, 1);
	ck_assert_ptr_eq(registrar_find(h, &who), b);
	ck_assert(registrar_holds(h, b) && !registrar_holds(h, a));
	assoc_del(h, a, lab->now); /* the one before takes nothing along */
	ck_assert_ptr_eq(registrar_find(h, &who), b);
	assoc_del(h, b, lab->now);
	ck_assert_ptr_null(registrar_find(h, &who));
	ck_assert_uint_eq(h->registrar.num, 0);
	lab_free(lab);
}
END_TEST

static void mark(const struct hip_registration *r, void *arg)
{
	uint8_t *seen = arg;
	uint32_t i;

	memcpy(&i, &r->client.b[12], sizeof(i));
	ck_assert_uint_lt(i, REGISTRAR_MAX);
	ck_assert_uint_eq(seen[i], 0);
	seen[i] = 1;
	seen[REGISTRAR_MAX]++; /* since it was set to 0 */
}

/* Each is shown once, and not many at a time. */
static void check_shown(const struct hip *h)
{
	uint8_t *seen = calloc(REGISTRAR_MAX + 1, 1);
	size_t at = 0;
	size_t shown = 0;
	bool more = true;

	while (more) {
		more = hip_some_registrations(h, &at, mark, seen);
		ck_assert_uint_lt(seen[REGISTRAR_MAX], 128);
		shown += seen[REGISTRAR_MAX];
		seen[REGISTRAR_MAX] = 0;
	}
	ck_assert_uint_eq(shown, hip_registrations(h));
	free(seen);
}

START_TEST(a_full_table_refuses_new_clients_and_renews_the_old)
{
	static const uint8_t type = FIELDS_REG_RENDEZVOUS;
	struct lab *lab = server(true, NULL);
	struct registrar_answer ans = { .granted = FIELDS_REG_RENDEZVOUS,
					.code = 128 };
	struct hit who = { { 0x20, 1, 0, 0x22, 3 } };
	struct hip *h = lab->host[0].h;
	struct hip_effect e;
	struct assoc *a;

	ck_assert_int_eq(assoc_add(h, hip_default_hit(h), &who, &a), 0);
	for (uint32_t i = 0; i < REGISTRAR_MAX; i++) {
		memcpy(&a->peer.b[12], &i, sizeof(i));
		registrar_commit(h, a, &ans, lab->now);
		while (hip_effect(h, &e))
			;
	}
	ck_assert_uint_eq(hip_registrations(h), REGISTRAR_MAX);
	check_shown(h);
	a->peer.b[4] = 1; /* as ask() has it, with zeros behind */
	memset(&a->peer.b[12], 0, 4);
	registrar_commit(h, a, &ans, lab->now);
	ck_assert_uint_eq(h->registrar.num, REGISTRAR_MAX);
	ck_assert_ptr_null(registrar_find(h, &a->peer));
	ans = ask(h, 128, &type, 1);
	ck_assert(ans.failed_num == 1 && !ans.granted);
	ck_assert_uint_eq(ans.why[0], FIELDS_REG_NO_RESOURCES);
	ck_assert(ask(h, 0, &type, 1).granted); /* cancelling needs no room */
	/* One goes: there is room, and then it may be renewed. */
	who.b[12] = 7;
	ans = (struct registrar_answer){ .granted = FIELDS_REG_RENDEZVOUS };
	a->peer = who;
	registrar_commit(h, a, &ans, lab->now);
	a->peer = (struct hit){ { 0x20, 1, 0, 0x22, 1 } };
	ans = ask(h, 128, &type, 1);
	ck_assert(ans.granted);
	registrar_commit(h, a, &ans, lab->now);
	ck_assert_uint_eq(h->registrar.num, REGISTRAR_MAX);
	ck_assert(registrar_holds(h, a));
	ck_assert(ask(h, 128, &type, 1).granted);
	a->peer = (struct hit){ { 0x20, 1, 0, 0x22, 3 } }; /* as it was */
	lab_free(lab);
}
END_TEST

START_TEST(without_the_service_nothing_is_kept)
{
	struct lab *lab = server(false, NULL);
	struct registrar_answer ans = { .granted = FIELDS_REG_RENDEZVOUS,
					.code = 128 };
	struct hit who = { { 0x20, 1, 0, 0x22, 1 } };
	struct hip *h = lab->host[0].h;
	struct assoc *a;

	ck_assert_int_eq(assoc_add(h, hip_default_hit(h), &who, &a), 0);
	registrar_commit(h, a, &ans, lab->now);
	ck_assert_ptr_null(registrar_find(h, &who));
	ck_assert_uint_eq(h->registrar.num, 0);
	registrar_drop(h, a);
	lab_free(lab);
}
END_TEST

Suite *test_registrar_suite(void)
{
	Suite *s = suite_create("registrar");
	TCase *t = tcase_create("registrar");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, rendezvous_is_granted_other_types_are_not);
	tcase_add_test(t, without_the_service_or_the_right_it_is_refused);
	tcase_add_test(t, a_registration_is_made_renewed_and_cancelled);
	tcase_add_test(t,
		       lifetimes_are_granted_between_the_bounds_and_0_cancels);
	tcase_add_test(t, both_services_at_once_are_the_relay_alone);
	tcase_add_test(t, the_first_service_of_an_association_is_its_only_one);
	tcase_add_test(t, unknown_types_are_refused_once_each_and_only_so_many);
	tcase_add_test(t, the_answer_says_what_was_granted_and_what_failed);
	tcase_add_test(t, a_registration_expires_to_the_moment);
	tcase_add_test(
		t, the_latest_registration_of_a_client_replaces_the_one_before);
	tcase_add_test(t, a_full_table_refuses_new_clients_and_renews_the_old);
	tcase_add_test(t, without_the_service_nothing_is_kept);
	suite_add_tcase(s, t);
	return s;
}
