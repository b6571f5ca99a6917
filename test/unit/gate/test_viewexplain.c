/* SPDX-License-Identifier: MIT */
/* What explain finds among many, piece by piece, and that what goes between
 * two of them is missed by nobody. */
#include "cmd/hipgated/viewexplain.h"

#include "cmd/hipgated/views.h"
#include "test/unit/gate/reload_bed.h"

enum { HOSTS = 1200, FLOWS = 700 };

static struct reload_bed *b;
static struct gate *g;

static void add_host(unsigned n)
{
	struct hip_effect e;
	struct endpoint at;
	struct peer *p = reload_bed_host(b, n, &at);

	p->self = g->selves[0];
	ck_assert_int_eq(hip_want(g->hip, &p->self, &p->hit, &at, 1, 1), HG_OK);
	while (hip_effect(g->hip, &e)) {
		if (e.kind != HIP_JOB)
			continue;
		hip_job_run(e.job);
		hip_job_done(g->hip, e.job, 1);
	}
}

/* Every seventh is of host 500. */
static void add_flow(uint16_t n)
{
	struct flow *f = tables_new_flow(&g->plane.tables);

	ck_assert_ptr_nonnull(f);
	f->nat.key.client_port = n;
	f->nat.back.ext_port = n;
	f->nat.back.peer = reload_bed_hit(n % 7 ? 1 : 500);
	ck_assert_int_eq(tables_add_flow(&g->plane.tables, f), HG_OK);
}

static void setup(void)
{
	b = reload_bed_new("[daemon]\nidentity = %/a.pem\n[host]\n");
	g = &b->g;
	for (unsigned n = 0; n < HOSTS; n++)
		add_host(n);
	for (uint16_t n = 0; n < FLOWS; n++)
		add_flow(n);
}

static void teardown(void)
{
	reload_bed_free(b);
}

static struct viewexplain *begun(const char *name)
{
	json_t *req = json_pack("{s:s}", "name", name);
	struct viewexplain *x = NULL;
	char why[256];

	ck_assert_int_eq(viewexplain_begin(g, req, &x, why, sizeof(why)),
			 HG_OK);
	json_decref(req);
	return x;
}

/* Takes x. */
static json_t *told(struct viewexplain *x, unsigned *looks)
{
	json_t *data;

	for (*looks = 0; viewexplain_look(x); ++*looks)
		ck_assert_uint_lt(*looks, HOSTS);
	data = viewexplain_tell(x);
	viewexplain_free(x);
	ck_assert_ptr_nonnull(data);
	return data;
}

static const char *text(const json_t *data, const char *link, const char *key)
{
	const json_t *o = json_object_get(data, link);

	return json_string_value(json_object_get(o, key));
}

static void check_host_500(const json_t *data)
{
	char hit[ADDR_TEXT_MAX];
	const json_t *flows = json_object_get(data, "flows");
	struct hit h = reload_bed_hit(500);

	hit_print(&h, hit);
	ck_assert_str_eq(text(data, "mapping", "hit"), hit);
	ck_assert_str_eq(text(data, "association", "peer"), hit);
	ck_assert_str_eq(text(data, "association", "state"), "I1-SENT");
	ck_assert_int_eq(json_integer_value(json_object_get(flows, "num")),
			 FLOWS / 7);
	ck_assert_uint_eq(json_array_size(json_object_get(flows, "first")), 10);
}

START_TEST(a_name_a_hit_and_what_belongs_to_it_are_found_among_many)
{
	char hit[ADDR_TEXT_MAX];
	struct hit h = reload_bed_hit(500);
	unsigned by_name, by_hit;
	json_t *data = told(begun("h0500.test"), &by_name);

	check_host_500(data);
	json_decref(data);
	hit_print(&h, hit);
	data = told(begun(hit), &by_hit);
	check_host_500(data);
	ck_assert_str_eq(json_string_value(json_object_get(data, "name")),
			 "h0500.test");
	json_decref(data);
	/* Hosts are looked through for the name only, flows for both. */
	ck_assert_uint_gt(by_hit, 1 + FLOWS / VIEWS_SEEN);
	ck_assert_uint_gt(by_name, by_hit);
}
END_TEST

START_TEST(a_name_that_nobody_has_is_looked_for_among_all)
{
	unsigned looks;
	json_t *data = told(begun("none.test"), &looks);

	ck_assert_uint_eq(looks, HOSTS / VIEWS_SEEN + 1);
	ck_assert_ptr_null(json_object_get(data, "mapping"));
	ck_assert_ptr_null(json_object_get(data, "flows"));
	json_decref(data);
}
END_TEST

START_TEST(an_address_outside_is_not_looked_for)
{
	unsigned looks;
	json_t *data = told(begun("192.0.2.77"), &looks);

	ck_assert_uint_eq(looks, 0);
	ck_assert_str_eq(json_string_value(json_object_get(data, "kind")),
			 "outside");
	json_decref(data);
}
END_TEST

START_TEST(a_host_that_goes_meanwhile_is_told_without_it)
{
	struct viewexplain *x = begun("h0500.test");
	struct hit h = reload_bed_hit(500);
	unsigned looks;
	json_t *data;

	while (viewexplain_look(x))
		;
	peer_del(g, peer_find(g, &h));
	data = told(x, &looks);
	ck_assert_uint_eq(looks, 0);
	ck_assert_ptr_null(json_object_get(data, "mapping"));
	ck_assert_str_eq(text(data, "association", "state"), "I1-SENT");
	json_decref(data);
}
END_TEST

START_TEST(flows_are_counted_once_when_their_table_grows)
{
	struct viewexplain *x = begun("h0500.test");
	const struct linetable *flows = &g->plane.tables.flow_key;
	const void *place = linetable_place(flows);
	const json_t *o;
	unsigned looks;
	json_t *data;

	/* The last walk is that of the flows; its first piece is done. */
	data = told(begun("h0500.test"), &looks);
	json_decref(data);
	for (unsigned i = 0; i + 1 < looks; i++)
		ck_assert(viewexplain_look(x));
	for (uint16_t n = FLOWS; n < 6 * FLOWS; n++)
		add_flow(n);
	ck_assert_ptr_ne(linetable_place(flows), place);
	data = told(x, &looks);
	o = json_object_get(data, "flows");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "num")),
			 6 * FLOWS / 7);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "first")), 10);
	json_decref(data);
}
END_TEST

START_TEST(what_is_none_of_these_is_refused_and_all_is_given_up)
{
	static const char *const bad[] = { "", "a..b", ".b" };
	struct viewexplain *x = begun("h0500.test");
	char why[256];

	ck_assert(viewexplain_look(x));
	viewexplain_free(x);
	viewexplain_free(NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *req = json_pack("{s:s}", "name", bad[i]);

		ck_assert_int_eq(
			viewexplain_begin(g, req, &x, why, sizeof(why)),
			HG_EINVAL);
		ck_assert_ptr_nonnull(strstr(why, "no domain name"));
		json_decref(req);
	}
}
END_TEST

/* Where only the host's rendezvous server is known, its own answer may not pass
 * a NAT on our side. */
START_TEST(silence_behind_a_rendezvous_server_may_be_a_nat)
{
	struct hit h = reload_bed_hit(500);
	struct peer *p = peer_find(g, &h);
	char hit[ADDR_TEXT_MAX];
	unsigned looks;
	const char *mend;
	json_t *data;

	p->state = HIP_E_FAILED;
	p->failed = REASON_HIP_TIMEOUT;
	p->via_rvs = _i;
	data = told(begun(hit_print(&h, hit)), &looks);
	mend = text(data, "next", "mend");
	ck_assert_ptr_nonnull(strstr(mend, "UDP port 10500"));
	ck_assert_int_eq(strstr(mend, "relay = yes") != NULL, _i);
	json_decref(data);
}
END_TEST

Suite *test_viewexplain_suite(void);
Suite *test_viewexplain_suite(void)
{
	Suite *s = suite_create("viewexplain");
	TCase *tc = tcase_create("viewexplain");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(
		tc, a_name_a_hit_and_what_belongs_to_it_are_found_among_many);
	tcase_add_test(tc, a_name_that_nobody_has_is_looked_for_among_all);
	tcase_add_test(tc, an_address_outside_is_not_looked_for);
	tcase_add_test(tc, a_host_that_goes_meanwhile_is_told_without_it);
	tcase_add_test(tc, flows_are_counted_once_when_their_table_grows);
	tcase_add_test(tc,
		       what_is_none_of_these_is_refused_and_all_is_given_up);
	tcase_add_loop_test(tc, silence_behind_a_rendezvous_server_may_be_a_nat,
			    0, 2);
	suite_add_tcase(s, tc);
	return s;
}
