/* SPDX-License-Identifier: MIT */
/* Whether we can serve, and the reason that is said. */
#include "test/unit/gate/reload_bed.h"

#define S UINT64_C(1000000000)
#define RVS "2001:22::77"

static struct reload_bed *b;

static void setup(void)
{
	b = reload_bed_new("[daemon]\nidentity = %/a.pem\n[host]\n"
			   "[register " RVS "]\naddress = 192.0.2.9\n");
}

static void teardown(void)
{
	reload_bed_free(b);
}

static void granted(uint32_t lifetime_s, uint64_t now)
{
	struct hip_effect e = { .kind = HIP_REGISTERED,
				.lifetime_s = lifetime_s };

	ck_assert_int_eq(hit_parse(RVS, &e.peer), HG_OK);
	agents_effect(&b->g, &e, now);
}

START_TEST(a_registration_that_is_not_there_or_over_is_a_fault)
{
	struct hip_effect other = { .kind = HIP_REGISTERED, .lifetime_s = 9 };

	ck_assert(!b->g.health.looked);
	health_look(&b->g, S);
	ck_assert(!b->g.health.ready);
	ck_assert_ptr_nonnull(
		strstr(b->g.health.why, "not registered at 192.0.2.9:10500"));
	ck_assert_int_eq(hit_parse("2001:22::78", &other.peer), HG_OK);
	agents_effect(&b->g, &other, S); /* elsewhere: no help */
	health_look(&b->g, S);
	ck_assert(!b->g.health.ready);
	granted(10, S);
	health_look(&b->g, 10 * S);
	ck_assert(b->g.health.ready);
	ck_assert_str_eq(b->g.health.why, "");
	health_look(&b->g, 11 * S);
	ck_assert(!b->g.health.ready);
	granted(10, 11 * S);
	other.kind = HIP_UNREGISTERED;
	agents_effect(&b->g, &other, 11 * S); /* nor harm */
	health_look(&b->g, 12 * S);
	ck_assert(b->g.health.ready);
	ck_assert_int_eq(hit_parse(RVS, &other.peer), HG_OK);
	agents_effect(&b->g, &other, 12 * S); /* failure type 0 */
	health_look(&b->g, 12 * S);
	ck_assert(!b->g.health.ready);
	ck_assert_ptr_nonnull(strstr(b->g.health.why,
				     "does not know this host (failure type 0);"
				     " there: allow = 2001:"));
}
END_TEST

START_TEST(the_first_fault_is_the_one_that_is_said)
{
	granted(1000, S);
	b->g.health.journal_failed = true;
	health_look(&b->g, S);
	ck_assert_ptr_nonnull(strstr(b->g.health.why, "journal"));
	b->g.stopping = true;
	health_look(&b->g, S);
	ck_assert_str_eq(b->g.health.why, "it is ending");
	b->g.stopping = false;
	b->g.health.journal_failed = false;
	health_look(&b->g, S);
	ck_assert(b->g.health.ready);
}
END_TEST

START_TEST(a_loop_of_dns_is_a_fault_for_a_minute)
{
	granted(1000, S);
	b->g.health.loop_at = 5 * S;
	health_look(&b->g, 64 * S);
	ck_assert(!b->g.health.ready);
	ck_assert_ptr_nonnull(strstr(b->g.health.why, "asks us"));
	health_look(&b->g, 65 * S);
	ck_assert(b->g.health.ready);
}
END_TEST

/* ---- routes that lead elsewhere --------------------------------------------- */

/* What the kernel would say, of whatever prefix; `asked`: the last question. */
static struct {
	bool on; /* else the kernel itself is asked */
	struct prefix taken;
	struct addr asked;
} routes;

bool __real_links_leads_astray(struct links *l, const struct addr *to);
bool __wrap_links_leads_astray(struct links *l, const struct addr *to);
bool __wrap_links_leads_astray(struct links *l, const struct addr *to)
{
	if (!routes.on)
		return __real_links_leads_astray(l, to);
	routes.asked = *to;
	return routes.taken.len && prefix_has(&routes.taken, to);
}

const struct links_address *__real_links_now(const struct links *l,
					     size_t *num);
const struct links_address *__wrap_links_now(const struct links *l,
					     size_t *num);
const struct links_address *__wrap_links_now(const struct links *l, size_t *num)
{
	static const struct links_address loud = { .link = 1 };

	if (!routes.on)
		return __real_links_now(l, num);
	*num = 1;
	return &loud;
}

static struct links *routed(const char *taken)
{
	static uint64_t stands_for_one;

	routes.on = true;
	routes.taken.len = 0;
	if (taken)
		ck_assert_int_eq(prefix_parse(taken, &routes.taken), HG_OK);
	return (struct links *)&stands_for_one;
}

static void proxy_setup(void)
{
	b = reload_bed_new("[daemon]\nidentity = %/a.pem\nstate = %\n[proxy]\n"
			   "prefix = fd68:1:2:3::/64\nprefix = 198.18.0.0/15\n"
			   "clients = 192.0.2.0/24\n");
	b->g.links = routed(NULL);
}

static void proxy_teardown(void)
{
	routes.on = false;
	b->g.links = NULL;
	reload_bed_free(b);
}

START_TEST(a_route_that_takes_the_pool_is_a_fault_until_it_is_gone)
{
	static const char *const taken[] = { "fd68:1:2:3::/64", "198.18.0.0/15",
					     "fd68::/16", "198.0.0.0/8" };
	const struct prefix none = { .len = 0 };

	health_look(&b->g, S);
	ck_assert(b->g.health.ready);
	for (size_t i = 0; i < 4; i++) {
		(void)routed(taken[i]);
		health_look(&b->g, S);
		ck_assert(!b->g.health.ready);
		ck_assert_ptr_nonnull(
			strstr(b->g.health.why, "does not come to hip0"));
		ck_assert_ptr_nonnull(
			strstr(b->g.health.why, "run hipgate-setup"));
		ck_assert(prefix_has(&routes.taken, &b->g.health.astray));
		routes.taken = none;
		health_look(&b->g, S);
		ck_assert(b->g.health.ready);
		ck_assert(addr_is_unspecified(&b->g.health.astray));
	}
	/* A neighbour is nobody's fault. */
	(void)routed("fd68:1:2:4::/64");
	health_look(&b->g, S);
	ck_assert(b->g.health.ready);
}
END_TEST

/* Half of it: met sooner or later, and then for as long as it is there. */
START_TEST(a_route_that_takes_a_part_is_found_and_not_lost_again)
{
	unsigned looks = 0;

	(void)routed("198.19.0.0/16");
	while (addr_is_unspecified(&b->g.health.astray)) {
		ck_assert_uint_lt(looks++, 200);
		health_look(&b->g, S);
	}
	for (unsigned i = 0; i < 50; i++) {
		health_look(&b->g, S);
		ck_assert(prefix_has(&routes.taken, &b->g.health.astray));
	}
	(void)routed(NULL);
	health_look(&b->g, S);
	ck_assert(b->g.health.ready);
}
END_TEST

START_TEST(what_is_asked_of_is_in_the_pool_and_not_our_own)
{
	struct addr first = b->g.cfg->pool4.addr;

	first.b[15] |= 1;
	for (unsigned i = 0; i < 1000; i++) {
		health_look(&b->g, S);
		ck_assert(prefix_has(&b->g.cfg->pool4, &routes.asked));
		ck_assert(!addr_eq(&routes.asked, &first));
		ck_assert(!addr_eq(&routes.asked, &b->g.cfg->pool4.addr));
	}
}
END_TEST

START_TEST(a_hosts_hits_are_looked_at_too)
{
	b->g.links = routed("2001:20::/28");
	granted(1000, S);
	health_look(&b->g, S);
	ck_assert(!b->g.health.ready);
	ck_assert_ptr_null(strstr(b->g.health.why, "names get no address"));
	(void)routed("2001:30::/28");
	health_look(&b->g, S);
	ck_assert(b->g.health.ready);
	routes.on = false;
	b->g.links = NULL;
}
END_TEST

Suite *test_health_suite(void);
Suite *test_health_suite(void)
{
	Suite *s = suite_create("health");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_registration_that_is_not_there_or_over_is_a_fault);
	tcase_add_test(t, the_first_fault_is_the_one_that_is_said);
	tcase_add_test(t, a_loop_of_dns_is_a_fault_for_a_minute);
	tcase_add_test(t, a_hosts_hits_are_looked_at_too);
	suite_add_tcase(s, t);
	t = tcase_create("routes");
	tcase_add_checked_fixture(t, proxy_setup, proxy_teardown);
	tcase_add_test(t,
		       a_route_that_takes_the_pool_is_a_fault_until_it_is_gone);
	tcase_add_test(t,
		       a_route_that_takes_a_part_is_found_and_not_lost_again);
	tcase_add_test(t, what_is_asked_of_is_in_the_pool_and_not_our_own);
	suite_add_tcase(s, t);
	return s;
}
