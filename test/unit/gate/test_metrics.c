/* SPDX-License-Identifier: MIT */
/* Counts, samples, and what is rendered of them: form, size, strangers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgated/http.h"
#include "cmd/hipgated/metrics.h"
#include "cmd/hipgated/page.h"
#include "cmd/hipgated/pagetrace.h"
#include "cmd/config/config.h"

static struct snapshot *s;
static struct textout t;

static void setup(void)
{
	s = calloc(1, sizeof(*s));
	s->now = UINT64_C(5000000000000);
	textout_init(&t, PAGE_MAX);
}

static void teardown(void)
{
	textout_fini(&t);
	free(s);
}

/* ---- counting --------------------------------------------------------------- */

START_TEST(a_time_is_in_the_first_bucket_it_fits)
{
	struct meter_histogram h = { 0 };

	meter_observe(&h, 0);
	meter_observe(&h, meter_bounds[0]);
	meter_observe(&h, meter_bounds[0] + 1);
	meter_observe(&h, UINT64_MAX / 2);
	ck_assert_uint_eq(h.n[0], 2);
	ck_assert_uint_eq(h.n[1], 1);
	ck_assert_uint_eq(h.n[METER_BOUNDS], 1);
}
END_TEST

START_TEST(codes_and_reasons_have_a_place)
{
	struct meter m = { 0 };

	meter_dns(&m, METER_DNS_OWN, 2);
	meter_dns(&m, METER_DNS_OWN, 16);
	ck_assert_uint_eq(m.dns[METER_DNS_OWN][2], 1);
	ck_assert_uint_eq(m.dns[METER_DNS_OWN][METER_RCODES - 1], 1);
	ck_assert_int_eq(meter_bex_of(REASON_HIP_TIMEOUT), METER_BEX_TIMEOUT);
	ck_assert_int_eq(meter_bex_of(REASON_HIP_DENIED), METER_BEX_REFUSED);
	ck_assert_int_eq(meter_bex_of(REASON_HIP_MAC), METER_BEX_FAILED);
}
END_TEST

START_TEST(rings_keep_five_minutes_and_an_hour)
{
	struct samples *r = calloc(1, sizeof(*r));

	ck_assert_uint_eq(samples_num(r, 0), 0);
	ck_assert_uint_eq(samples_num(r, 1), 0);
	for (uint64_t i = 0; i < 5000; i++) {
		struct sample x = { .t = i };

		samples_add(r, &x);
		ck_assert_uint_eq(samples_at(r, 0, samples_num(r, 0) - 1)->t,
				  i);
		ck_assert_uint_eq(samples_at(r, 1, samples_num(r, 1) - 1)->t,
				  i / SAMPLES_STEP * SAMPLES_STEP);
	}
	ck_assert_uint_eq(samples_num(r, 0), SAMPLES_FINE);
	ck_assert_uint_eq(samples_at(r, 0, 0)->t, 5000 - SAMPLES_FINE);
	ck_assert_uint_eq(samples_num(r, 1), SAMPLES_COARSE);
	ck_assert_uint_eq(samples_at(r, 1, 0)->t,
			  4990 - (SAMPLES_COARSE - 1) * SAMPLES_STEP);
	free(r);
}
END_TEST

/* ---- text ------------------------------------------------------------------- */

START_TEST(text_ends_at_its_bound_and_says_so)
{
	struct textout small;

	textout_init(&small, 10);
	textout(&small, "%s", "0123456789");
	ck_assert(!small.full);
	textout(&small, "x");
	ck_assert(small.full);
	textout(&small, "y");
	ck_assert_str_eq(small.s, "0123456789");
	textout_fini(&small);
}
END_TEST

START_TEST(what_strangers_say_is_no_markup)
{
	textout_html(&t, "<a href='x\">&\n\x80z");
	ck_assert_str_eq(t.s, "&lt;a href=&#39;x&quot;&gt;&amp;??z");
	t.len = 0;
	textout_label(&t, "a\"b\\c\nd");
	ck_assert_str_eq(t.s, "a\\\"b\\\\c\\nd");
}
END_TEST

/* ---- metrics ---------------------------------------------------------------- */

static void fill(void *to, size_t octets)
{
	uint64_t most = INT64_MAX;

	for (size_t i = 0; i + 8 <= octets; i += 8)
		memcpy((char *)to + i, &most, 8);
}

/* product.md T30; nothing of it has a name in it. */
START_TEST(metrics_have_room_whatever_was_counted)
{
	struct procinfo p;

	fill(s->assocs, sizeof(s->assocs));
	fill(s->drops, sizeof(s->drops));
	fill(&s->meter, sizeof(s->meter));
	fill(s->refused, sizeof(s->refused));
	fill(&s->nat, sizeof(s->nat));
	procinfo_look(&p);
	t.max = METRICS_MAX;
	metrics_render(s, &p, &t);
	ck_assert(!t.full);
	ck_assert_uint_gt(t.len, 8000);
	ck_assert_str_eq(t.s + t.len - 6, "# EOF\n");
}
END_TEST

START_TEST(metrics_say_what_is_in_the_snapshot)
{
	static const char *const lines[] = {
		"\nhipgate_drops_total{stage=\"hip\",reason=\"hip-mac\"} 7\n",
		"\nhipgate_drops_total{stage=\"dns\",reason=\"dns-stripped\"} "
		"3\n",
		"\nhipgate_dns_downgrade_blocked_total 3\n",
		"\nhipgate_associations{state=\"ESTABLISHED\",path=\"direct\","
		"family=\"ipv6\"} 5\n",
		"\nhipgate_bex_seconds_bucket{le=\"0.0005\"} 1\n",
		"\nhipgate_bex_seconds_bucket{le=\"0.001\"} 3\n",
		"\nhipgate_bex_seconds_bucket{le=\"+Inf\"} 4\n",
		"\nhipgate_bex_seconds_count 4\n",
		"\n# UNIT hipgate_bex_seconds seconds\n",
		"\nhipgate_esp_bytes_total{direction=\"out\"} 11\n",
		"\nhipgate_nat_ports_used_ratio_max 0.500000\n",
		"\nhipgate_ready 0\n",
	};
	struct procinfo p = { 0 };

	s->drops[REASON_HIP_MAC] = 7;
	s->drops[REASON_DNS_STRIPPED] = 3;
	s->assocs[HIP_ESTABLISHED][SNAPSHOT_DIRECT][1] = 5;
	s->meter.bex_time.n[0] = 1;
	s->meter.bex_time.n[1] = 2;
	s->meter.bex_time.n[METER_BOUNDS] = 1;
	s->meter.traffic.out_bytes = 11;
	s->nat.ports_most = NAT_PORTS / 2;
	metrics_render(s, &p, &t);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(strstr(t.s, lines[i]), "lacks %s", lines[i]);
}
END_TEST

START_TEST(the_process_is_seen)
{
	struct procinfo p;

	procinfo_look(&p);
	ck_assert_uint_gt(p.resident_bytes, 100000);
	ck_assert_uint_ge(p.virtual_bytes, p.resident_bytes);
	ck_assert_uint_ge(p.fds, 1);
	ck_assert_uint_ge(p.fds_max, p.fds);
	ck_assert_uint_ge(p.threads, 1);
	ck_assert(p.started_s > 1.7e9);
}
END_TEST

/* ---- the page ---------------------------------------------------------------- */

#define EVIL "<script>alert(1)</script>\"'&.example"

static char *events[] = {
	"{\"t\":1.0,\"step\":\"A\",\"event\":\"dns-query\",\"name\":\"<script>"
	"x\",\"qtype\":\"AAAA\"}\n",
	"{\"t\":1.1,\"step\":\"B\",\"event\":\"dns-ask\",\"name\":\"<script>"
	"x\","
	"\"qtype\":\"HIP\"}\n",
	"{\"t\":1.2,\"step\":\"B\",\"event\":\"dns-ask\",\"name\":\"<script>"
	"x\","
	"\"qtype\":\"A\"}\n",
	"{\"t\":1.3,\"step\":\"C\",\"event\":\"dns-host\",\"name\":\"<script>"
	"x\","
	"\"hit\":\"2001:22::7\",\"via\":\"rvs\"}\n",
	"{\"t\":1.4,\"step\":\"F\",\"event\":\"first-packet\",\"proto\":"
	"\"tcp\","
	"\"virt\":\"fd00::7\"}\n",
	"{\"t\":1.5,\"step\":\"G\",\"event\":\"hip-send\",\"type\":\"I1\","
	"\"to\":"
	"\"192.0.2.1\",\"peer\":\"2001:22::7\"}\n",
	"{\"t\":1.6,\"step\":\"H\",\"event\":\"hip-seen\",\"type\":\"R1\","
	"\"from\":"
	"\"192.0.2.2\",\"peer\":\"2001:22::7\"}\n",
	"{\"t\":1.7,\"step\":\"\",\"event\":\"hip-state\",\"peer\":\"2001:22::"
	"7\","
	"\"state\":\"ESTABLISHED\"}\n",
	"not JSON\n",
	"{\"t\":1.8,\"step\":\"J\",\"event\":\"first-return\",\"peer\":"
	"\"2001:22::7\"}\n",
	"{\"t\":1.9,\"step\":\"K\",\"event\":\"to-legacy\"}\n",
	"{\"t\":9.0,\"step\":\"\",\"event\":\"hip-send\",\"type\":\"CLOSE\","
	"\"peer\":\"2001:22::7\",\"to\":\"192.0.2.2\"}\n",
};

enum { EVENTS = sizeof(events) / sizeof(events[0]) };

START_TEST(a_hostile_name_stays_text_everywhere)
{
	unsigned choice = (unsigned)_i;

	s->proxy = true;
	s->mapping_num = s->peer_num = 1;
	strcpy(s->mapping[0].name, EVIL);
	strcpy(s->peer[0].name, EVIL);
	strcpy(s->why, EVIL);
	strcpy(s->tun, "<b>");
	s->events = events;
	s->events_num = EVENTS;
	page_render(s, choice, &t);
	ck_assert(!t.full);
	ck_assert_ptr_null(strstr(t.s, "<script"));
	ck_assert_ptr_null(strstr(t.s, "<b>hipgate"));
	ck_assert_ptr_null(strstr(t.s, "TUN <b>"));
	ck_assert_ptr_nonnull(
		strstr(t.s, "<b>&lt;script&gt;alert(1)&lt;/script&gt;&quot;"
			    "&#39;&amp;.example</b>"));
	ck_assert_ptr_nonnull(strstr(t.s, "AAAA &lt;script&gt;x"));
	/* and in the list that a narrow window shows */
	ck_assert_ptr_nonnull(strstr(t.s, "<i>client \u2192 hipgate</i> "
					  "AAAA &lt;script&gt;x</div></li>"));
	/* nothing that the policy would have to let through */
	ck_assert_ptr_null(strstr(t.s, " style="));
	ck_assert_ptr_null(strstr(t.s, "src="));
	ck_assert_ptr_null(strstr(t.s, "url("));
	ck_assert_ptr_null(strstr(t.s, "http://"));
	ck_assert_ptr_null(strstr(t.s, "https://"));
	ck_assert_int_eq(!strstr(t.s, "http-equiv=\"refresh\""),
			 !!(choice & PAGE_STILL));
}
END_TEST

START_TEST(a_full_page_has_room)
{
	s->proxy = true;
	s->mapping_num = s->peer_num = SNAPSHOT_ROWS;
	for (size_t i = 0; i < SNAPSHOT_ROWS; i++) {
		memset(s->mapping[i].name, '<', DNS_NAME_MAX - 1);
		memset(s->peer[i].name, '"', DNS_NAME_MAX - 1);
		memset(&s->mapping[i].sub6, 0xfd, 16);
	}
	for (uint64_t n = 0; n < 4000; n++) {
		struct sample x = { .t = s->now - (4000 - n) * 1000000000 };

		for (unsigned k = 0; k < SAMPLE_NUM; k++)
			x.v[k] = n * n * (k + 1) * 1000;
		samples_add(&s->samples, &x);
	}
	page_render(s, PAGE_HOUR, &t);
	ck_assert(!t.full);
	ck_assert_str_eq(t.s + t.len - 8, "</html>\n");
	ck_assert_ptr_null(strstr(t.s, "nan"));
	ck_assert_ptr_null(strstr(t.s, "inf"));
}
END_TEST

START_TEST(events_of_one_host_make_a_trace_and_a_pause_another)
{
	size_t num;
	struct pagetrace *all = pagetrace_read(events, EVENTS, &num);
	const struct pagetrace *p;

	ck_assert_uint_eq(num, 2);
	ck_assert_uint_eq(all[0].num, 1); /* the newest first: CLOSE */
	p = &all[1];
	ck_assert_str_eq(p->hit, "2001:22::7");
	ck_assert_str_eq(p->name, "<script>x");
	ck_assert_str_eq(p->state, "ESTABLISHED");
	/* F names an address that no mapping has told of */
	ck_assert_uint_eq(p->num, 7);
	ck_assert_str_eq(p->step[1].label, "A, HIP <script>x");
	ck_assert_int_eq(p->step[3].to, PAGETRACE_AGENT);
	ck_assert_int_eq(p->step[4].from, PAGETRACE_PEER);
	ck_assert_str_eq(p->step[6].letter, "K");
	ck_assert_int_eq(p->step[6].to, PAGETRACE_CLIENT);
	free(all);
}
END_TEST

/* Two questions at once: the second one is told when the first is answered. */
START_TEST(steps_stand_in_the_order_of_their_times)
{
	static char lines[][128] = {
		"{\"t\":9.1,\"step\":\"A\",\"event\":\"dns-query\","
		"\"qtype\":\"A\",\"hit\":\"2001:22::7\"}",
		"{\"t\":9.4,\"step\":\"E\",\"event\":\"dns-reply\","
		"\"qtype\":\"A\",\"hit\":\"2001:22::7\"}",
		"{\"t\":9.0,\"step\":\"A\",\"event\":\"dns-query\","
		"\"qtype\":\"AAAA\",\"hit\":\"2001:22::7\"}",
		"{\"t\":9.4,\"step\":\"G\",\"event\":\"hip-send\","
		"\"type\":\"I1\",\"hit\":\"2001:22::7\"}",
	};
	static const char *const labels[] = { "AAAA", "A", "A", "I1" };
	char *in[4] = { lines[0], lines[1], lines[2], lines[3] };
	size_t num;
	struct pagetrace *all = pagetrace_read(in, 4, &num);

	ck_assert_uint_eq(num, 1);
	ck_assert_uint_eq(all[0].num, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(all[0].step[i].label, labels[i]);
	free(all);
	s->events = in;
	s->events_num = 4;
	page_render(s, 0, &t);
	ck_assert_ptr_nonnull(strstr(t.s, "400.0 ms"));
	ck_assert_ptr_null(strstr(t.s, ">-"));
}
END_TEST

START_TEST(many_steps_are_counted_not_kept)
{
	enum { MANY = 200 };
	char *lines[MANY];
	size_t num;
	struct pagetrace *all;

	for (unsigned i = 0; i < MANY; i++)
		lines[i] = events[5];
	all = pagetrace_read(lines, MANY, &num);
	ck_assert_uint_eq(num, 1);
	ck_assert_uint_eq(all[0].num, PAGETRACE_STEPS);
	ck_assert_uint_eq(all[0].skipped, MANY - PAGETRACE_STEPS);
	free(all);
	all = pagetrace_read(NULL, 0, &num);
	ck_assert_uint_eq(num, 0);
	free(all);
}
END_TEST

/* ---- Host ---------------------------------------------------------------------- */

START_TEST(only_names_of_ours_are_answered)
{
	static const struct {
		const char *host;
		bool ok;
	} rows[] = {
		{ "localhost", true },
		{ "LOCALHOST:9464", true },
		{ "127.0.0.1:1", true },
		{ "127.9.9.9", true },
		{ "[::1]", true },
		{ "[::1]:80", true },
		{ "192.0.2.1:9464", true },
		{ "gw.example", true },
		{ "GW.example:80", true },
		{ "", false },
		{ ":80", false },
		{ "evil.example", false },
		{ "localhost.evil", false },
		{ "gw.example.evil", false },
		{ "192.0.2.2", false },
		{ "[::1]x", false },
		{ "[::1", false },
		{ "[evil.example]", false },
		{ "evil@localhost", false },
		{ "[2001:db8::1]", false },
		{ "localhost/", false },
		{ "0x7f.1", false },
	};
	struct config_http c = { .host_num = 1, .host = { "gw.example" } };
	char big[300];

	ck_assert_int_eq(endpoint_parse("192.0.2.1:9464", 0, &c.listen), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(http_host_ok(&c, rows[i].host) == rows[i].ok,
			      "%s", rows[i].host);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	ck_assert(!http_host_ok(&c, big));
	/* any of our own addresses */
	ck_assert_int_eq(endpoint_parse("0.0.0.0:9464", 0, &c.listen), 0);
	ck_assert(http_host_ok(&c, "192.0.2.2"));
	ck_assert(!http_host_ok(&c, "evil.example"));
}
END_TEST

Suite *test_metrics_suite(void);
Suite *test_metrics_suite(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_time_is_in_the_first_bucket_it_fits);
	tcase_add_test(tc, codes_and_reasons_have_a_place);
	tcase_add_test(tc, rings_keep_five_minutes_and_an_hour);
	tcase_add_test(tc, text_ends_at_its_bound_and_says_so);
	tcase_add_test(tc, what_strangers_say_is_no_markup);
	tcase_add_test(tc, metrics_have_room_whatever_was_counted);
	tcase_add_test(tc, metrics_say_what_is_in_the_snapshot);
	tcase_add_test(tc, the_process_is_seen);
	tcase_add_loop_test(tc, a_hostile_name_stays_text_everywhere, 0,
			    PAGE_CHOICES);
	tcase_add_test(tc, a_full_page_has_room);
	tcase_add_test(tc, events_of_one_host_make_a_trace_and_a_pause_another);
	tcase_add_test(tc, steps_stand_in_the_order_of_their_times);
	tcase_add_test(tc, many_steps_are_counted_not_kept);
	tcase_add_test(tc, only_names_of_ours_are_answered);
	suite_add_tcase(suite, tc);
	return suite;
}
