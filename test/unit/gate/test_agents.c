/* SPDX-License-Identifier: MIT */
/* What is said of our registrations, and whose mend it is. */
#include "test/unit/gate/reload_bed.h"

#define S UINT64_C(1000000000)
#define RVS "2001:22::77"
#define RELAY "2001:22::78"
#define HEAD "[daemon]\nidentity = %/a.pem\nopportunistic = yes\n[host]\n"

static struct reload_bed *b;

static void setup(void)
{
	b = reload_bed_new(HEAD "[register " RVS "]\naddress = 192.0.2.9\n"
				"address = 2001:db8::9\n"
				"[register " RELAY "]\naddress = 192.0.2.8\n"
				"relay = yes\n"
				"[register opportunistic]\n"
				"address = 192.0.2.7\n");
}

static void teardown(void)
{
	reload_bed_free(b);
}

static void happens(enum hip_effect_kind kind, const char *peer, uint16_t why)
{
	struct hip_effect e = { .kind = kind,
				.self = *hip_default_hit(b->g.hip),
				.lifetime_s = 60,
				.refusal = why };

	if (peer) /* else whoever is there */
		ck_assert_int_eq(hit_parse(peer, &e.peer), HG_OK);
	ck_assert_int_eq(endpoint_parse("192.0.2.7", HIP_PORT, &e.peer_at),
			 HG_OK);
	agents_effect(&b->g, &e, S);
}

/* The last event. */
static json_t *event(const char *name)
{
	const struct events *ev = &b->g.events;
	json_t *o = json_loads(ev->line[(ev->next - 1) % EVENTS_KEPT], 0, NULL);

	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(json_string_value(json_object_get(o, "event")), name);
	return o;
}

static void says(const json_t *o, const char *key, const char *words)
{
	const char *s = json_string_value(json_object_get(o, key));

	ck_assert_ptr_nonnull(s);
	ck_assert_msg(words[0] ? strstr(s, words) != NULL : !s[0], "%s: %s",
		      key, s);
}

/* Entry i of `status`. */
static void shown(size_t i, bool had, const char *reason, const char *mend)
{
	json_t *all = agents_json(&b->g, 2 * S);
	const json_t *o = json_array_get(all, i);

	ck_assert_uint_eq(json_array_size(all), 3);
	ck_assert_int_eq(json_is_true(json_object_get(o, "registered")), had);
	says(o, "reason", reason);
	says(o, "mend", mend);
	json_decref(all);
}

START_TEST(each_refusal_has_its_event_and_its_mend)
{
	static const struct {
		uint16_t why;
		const char *event, *reason, *mend;
	} t[] = {
		{ 0, "register-refused", "no-credentials", "there: allow = 2" },
		{ 1, "register-refused", "unavailable",
		  "[rendezvous], without relay = no" },
		{ 2, "register-refused", "no-resources", "another agent" },
		{ 3, "register-refused", "other", "there: allow = 2" },
		{ 9, "register-refused", "other-service", "restart" },
		{ 255, "register-refused", "other", "there: allow = 2" },
		{ HIP_REFUSED_SILENT, "register-refused", "silent",
		  RELAY " an agent?" },
		{ HIP_REFUSED_OFFER, "register-refused", "not-offered",
		  "[rendezvous]" },
		{ HIP_REFUSED_CANCELLED, "register-refused", "cancelled",
		  "allow = " },
		{ HIP_REFUSED_UNREACHED, "register-unanswered", "unanswered",
		  "the HIT " RELAY },
		{ HIP_REFUSED_LOST, "register-lost", "lost", "" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		json_t *o;

		happens(HIP_REGISTERED, RELAY, 0);
		shown(1, true, "", "");
		happens(HIP_UNREGISTERED, RELAY, t[i].why);
		o = event(t[i].event);
		says(o, "rvs", RELAY);
		says(o, "reason", t[i].reason);
		says(o, "mend", t[i].mend);
		ck_assert_int_eq(json_integer_value(json_object_get(o, "code")),
				 t[i].why);
		json_decref(o);
		shown(1, false, t[i].reason, t[i].mend);
		shown(0, false, "asked", "192.0.2.9:10500");
	}
}
END_TEST

START_TEST(what_is_of_no_agent_of_ours_is_not_told)
{
	uint64_t told = b->g.events.next;

	happens(HIP_UNREGISTERED, "2001:22::99", 0);
	ck_assert_uint_eq(b->g.events.next, told);
	shown(0, false, "asked", "192.0.2.9:10500");
}
END_TEST

START_TEST(the_first_that_is_not_had_is_the_fault)
{
	char text[512];

	ck_assert(agents_fault(&b->g, S, text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "not registered at 192.0.2.9:"));
	happens(HIP_REGISTERED, RVS, 0);
	happens(HIP_UNREGISTERED, RELAY, 2);
	ck_assert(agents_fault(&b->g, S, text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "not registered at 192.0.2.8:"));
	ck_assert_ptr_nonnull(strstr(text, "no room"));
	happens(HIP_REGISTERED, RELAY, 0);
	ck_assert(agents_fault(&b->g, S, text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "not registered at 192.0.2.7:"));
	happens(HIP_FOUND, "2001:22::79", 0);
	happens(HIP_REGISTERED, "2001:22::79", 0);
	ck_assert(!agents_fault(&b->g, S, text, sizeof(text)));
	ck_assert(agents_fault(&b->g, 61 * S, text, sizeof(text)));
}
END_TEST

#define FOUND "2001:22::79"
#define OPPORTUNISTIC "[register opportunistic]\naddress = 192.0.2."

/* Is there a wish of ours at that HIT? */
static bool wished(const char *text)
{
	struct hit hit;
	int err;

	ck_assert_int_eq(hit_parse(text, &hit), HG_OK);
	err = hip_register_at(b->g.hip, NULL, &hit, NULL, 0, S);
	ck_assert(err == HG_EINVAL || err == HG_ENOENT);
	return err == HG_EINVAL; /* no place is none */
}

static void applied(const char *text, const char *line, size_t num)
{
	json_t *a = NULL;
	const json_t *list;
	char why[512] = "";

	reload_bed_write(b, text);
	ck_assert_msg(reload(&b->g, &a, why, sizeof(why)) == HG_OK, "%s", why);
	ck_assert_uint_eq(json_array_size(json_object_get(a, "restart")), 0);
	list = json_object_get(a, "applied");
	ck_assert_uint_eq(json_array_size(list), num);
	ck_assert_str_eq(json_string_value(json_array_get(list, num - 1)),
			 line);
	json_decref(a);
}

/* Who has answered by address is registered at by HIT, as long as the section
 * is there. */
START_TEST(whoever_was_found_goes_with_the_section)
{
	happens(HIP_FAILED, NULL, 0);
	ck_assert_uint_eq(b->g.agents.v[2].ask_again, 31 * S);
	shown(2, false, "unanswered", "opportunistic = yes");
	happens(HIP_FOUND, FOUND, 0);
	json_decref(event("opportunistic"));
	ck_assert(wished(FOUND));
	applied(HEAD, "- [register opportunistic]", 3);
	ck_assert(!wished(FOUND));
	ck_assert_uint_eq(b->g.cfg->reg_num, 0);
}
END_TEST

START_TEST(who_answers_too_late_is_nobody)
{
	uint64_t told;

	applied(HEAD, "- [register opportunistic]", 3);
	told = b->g.events.next;
	happens(HIP_FOUND, FOUND, 0);
	ck_assert_uint_eq(b->g.events.next, told);
	ck_assert(!wished(FOUND));
}
END_TEST

START_TEST(whoever_was_found_stays_while_the_address_does)
{
	applied(HEAD OPPORTUNISTIC "7\nlifetime = 9\n",
		"~ [register opportunistic]", 3);
	happens(HIP_FOUND, FOUND, 0);
	happens(HIP_REGISTERED, FOUND, 0);
	ck_assert_uint_eq(b->g.agents.v[0].until, 61 * S);
	applied(HEAD OPPORTUNISTIC "7\nlifetime = 10\n",
		"~ [register opportunistic]", 1);
	ck_assert(wished(FOUND));
	ck_assert(!hit_is_null(&b->g.agents.v[0].hit));
	ck_assert_uint_eq(b->g.agents.v[0].until, 61 * S); /* and it is so */
	ck_assert_uint_eq(b->g.cfg->reg[0].lifetime_s, 10);
	applied(HEAD OPPORTUNISTIC "7\nrelay = yes\n",
		"~ [register opportunistic]", 1);
	ck_assert(wished(FOUND));
	ck_assert_uint_eq(b->g.agents.v[0].until, 0); /* not of that */
	/* Elsewhere it may be another one. */
	applied(HEAD OPPORTUNISTIC "6\nrelay = yes\n",
		"~ [register opportunistic]", 1);
	ck_assert(!wished(FOUND));
	ck_assert(hit_is_null(&b->g.agents.v[0].hit));
	happens(HIP_FOUND, FOUND, 0); /* at .7, which nobody asks */
	ck_assert(hit_is_null(&b->g.agents.v[0].hit));
}
END_TEST

/* As the log says it should be. */
START_TEST(a_pinned_one_goes_on)
{
	happens(HIP_FOUND, FOUND, 0);
	happens(HIP_REGISTERED, FOUND, 0);
	applied(HEAD "[register " FOUND "]\naddress = 192.0.2.7\n",
		"+ [register " FOUND "]", 4);
	ck_assert(wished(FOUND));
	ck_assert_uint_eq(b->g.cfg->reg_num, 1);
	ck_assert_uint_eq(b->g.agents.v[0].until, 61 * S);
	/* One place more is none that it has to be told of. */
	applied(HEAD "[register " FOUND "]\naddress = 192.0.2.7\n"
		     "address = 2001:db8::7\n",
		"~ [register " FOUND "]", 1);
	ck_assert_uint_eq(b->g.agents.v[0].until, 61 * S);
	/* And a section for whoever it is begins anew. */
	applied(HEAD OPPORTUNISTIC "7\n", "+ [register opportunistic]", 2);
	ck_assert(!wished(FOUND));
	ck_assert(hit_is_null(&b->g.agents.v[0].hit));
	ck_assert_uint_eq(b->g.agents.v[0].until, 0);
}
END_TEST

/* Two sections, one agent. */
START_TEST(one_of_two_sections_goes_or_both)
{
	happens(HIP_FOUND, FOUND, 0);
	happens(HIP_REGISTERED, FOUND, 0);
	applied(HEAD OPPORTUNISTIC "7\n[register " FOUND "]\n"
				   "address = 192.0.2.7\n",
		"+ [register " FOUND "]", 3);
	ck_assert_uint_eq(b->g.agents.v[1].until, 61 * S);
	applied(HEAD "[register " FOUND "]\naddress = 192.0.2.7\n",
		"- [register opportunistic]", 1);
	ck_assert(wished(FOUND));
	applied(HEAD OPPORTUNISTIC "7\n[register " FOUND "]\n"
				   "address = 192.0.2.7\n",
		"+ [register opportunistic]", 1);
	happens(HIP_FOUND, FOUND, 0);
	applied(HEAD, "- [register opportunistic]", 2);
	ck_assert(!wished(FOUND));
}
END_TEST

Suite *test_agents_suite(void);
Suite *test_agents_suite(void)
{
	Suite *s = suite_create("agents");
	TCase *t = tcase_create("agents");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, each_refusal_has_its_event_and_its_mend);
	tcase_add_test(t, what_is_of_no_agent_of_ours_is_not_told);
	tcase_add_test(t, the_first_that_is_not_had_is_the_fault);
	tcase_add_test(t, whoever_was_found_goes_with_the_section);
	tcase_add_test(t, who_answers_too_late_is_nobody);
	tcase_add_test(t, whoever_was_found_stays_while_the_address_does);
	tcase_add_test(t, a_pinned_one_goes_on);
	tcase_add_test(t, one_of_two_sections_goes_or_both);
	suite_add_tcase(s, t);
	return s;
}
