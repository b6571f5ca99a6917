/* SPDX-License-Identifier: MIT */
/* Which answer which client gets: several HIP records, what the client can
 * take, cookies, validating clients, hidden records. */
#include "test/unit/dns/desk.h"

static struct desk k;
static struct addr sub6;
static struct addr sub4;

static void setup(void)
{
	struct dns_config cfg = desk_config();

	cfg.cache_max = 1; /* each answer is asked for */
	desk_open_with(&k, &cfg);
	sub6 = desk_addr("fd00:5::5");
	sub4 = desk_addr("198.18.0.5");
}

static void teardown(void)
{
	desk_close(&k);
}

static void reopen(const struct dns_config *cfg)
{
	desk_close(&k);
	desk_open_with(&k, cfg);
}

/* The query that stands in k.buf. */
static void ask(void)
{
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
}

/* ---- several HIP records ------------------------------------------------- */

static bool no_key_of_3(uint8_t alg, const uint8_t *pk, size_t len,
			const struct hit *hit)
{
	(void)alg;
	(void)pk;
	(void)len;
	return hit->b[15] != 3;
}

/* The last octet of the HIT that is used when the server gives `order`. */
static unsigned chosen(const char *order, const struct hit *want)
{
	const struct dns_effect *e;

	desk_forget(&k);
	if (want)
		ck_assert_int_eq(
			dns_resolve(k.d, "h.test", want, &k.who.server, 1, 0),
			0);
	else
		desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	desk_drain(&k);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_AAAA, false), "h.test",
			 "2001:db8::1", 0);
	desk_nothing(&k, desk_ask(&k, "h.test", SCAN_A, false), 0, 0);
	e = desk_ask(&k, "h.test", SCAN_HIP, false);
	desk_answer_to(&k, e, 0);
	for (; *order; order++)
		desk_rr_hip(&k, "h.test", 300, (uint8_t)(*order - '0'), NULL);
	desk_hand_in(&k, e, 0);
	e = desk_last(&k, want ? DNS_RESOLVED : DNS_NEED_ADDRESS);
	if (!e)
		return 0;
	if (!want)
		dns_give(k.d, e->question, 0, &sub6, &sub4, NULL, 0);
	return e->host->hit.b[15];
}

START_TEST(of_several_records_the_same_is_used_in_any_order)
{
	static const char *const orders[] = { "579", "597", "759",
					      "795", "957", "975" };

	for (size_t i = 0; i < 6; i++)
		ck_assert_uint_eq(chosen(orders[i], NULL), 5);
	ck_assert_uint_eq(chosen("97", NULL), 7);
}
END_TEST

START_TEST(a_record_that_lies_gives_way_to_one_that_holds)
{
	struct dns_config cfg = desk_config();

	cfg.cache_max = 1;
	cfg.key_fits = no_key_of_3;
	reopen(&cfg);
	ck_assert_uint_eq(chosen("35", NULL), 5);
	ck_assert_uint_eq(chosen("53", NULL), 5);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BAD_HIP), 2);
	ck_assert_uint_eq(chosen("3", NULL), 0);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
}
END_TEST

START_TEST(a_look_up_for_one_hit_finds_it_among_others)
{
	struct hit want = desk_hit(7);

	ck_assert_uint_eq(chosen("579", &want), 7);
	ck_assert_uint_eq(chosen("975", &want), 7);
	ck_assert_uint_eq(chosen("95", &want), 5);
}
END_TEST

START_TEST(no_more_than_sixteen_records_are_looked_at)
{
	ck_assert_uint_eq(chosen("9999999999999995", NULL), 5);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BAD_HIP), 0);
	ck_assert_uint_eq(chosen("99999999999999995", NULL), 9);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BAD_HIP), 1);
}
END_TEST

/* ---- what the client can take ---------------------------------------------- */

/* The reply to a query that waits for its record; h.test is a HIP host. */
static struct desk_reply substitute_reply(void)
{
	desk_hip_answer(&k, desk_ask(&k, "h.test", SCAN_HIP, false), "h.test",
			NULL, 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_AAAA, false), "h.test",
			 "2001:db8::1", 0);
	desk_nothing(&k, desk_ask(&k, "h.test", SCAN_A, false), 0, 0);
	dns_give(k.d, desk_last(&k, DNS_NEED_ADDRESS)->question, 0, &sub6,
		 &sub4, NULL, 0);
	desk_drain(&k);
	return desk_read(desk_last(&k, DNS_REPLY));
}

START_TEST(a_client_gets_its_own_cookie_back)
{
	struct desk_reply p;
	const uint8_t *cookie;
	uint16_t sent = _i ? 24 : 8;
	uint16_t len;

	desk_start(&k, 1, SCAN_RD);
	desk_question(&k, "h.test", SCAN_AAAA);
	desk_opt_cookie(&k, 1232, sent);
	ask();
	p = substitute_reply();
	cookie = desk_option(&p, 10, &len);
	ck_assert_ptr_nonnull(cookie);
	ck_assert_uint_eq(len, sent == 8 ? 16 : 24);
	for (unsigned i = 0; i < sent; i++)
		ck_assert_uint_eq(cookie[i], 0xc0 + i);
}
END_TEST

START_TEST(no_cookie_without_one)
{
	struct desk_reply p;
	uint16_t len;

	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	p = substitute_reply();
	ck_assert_ptr_null(desk_option(&p, 10, &len));
	ck_assert_int_eq(desk_ede(&p), 4);
}
END_TEST

/* ---- validating clients (DO and CD) ---------------------------------------- */

/* What becomes of such a query for `name`: is HIP asked about? */
static bool is_looked_up(const char *name)
{
	desk_forget(&k);
	desk_start(&k, 0x77, SCAN_RD | SCAN_CD);
	desk_question(&k, name, SCAN_AAAA);
	desk_opt(&k, true, 0);
	ask();
	return desk_ask(&k, name, SCAN_HIP, false);
}

static bool is_refused(void)
{
	const struct dns_effect *e = desk_last(&k, DNS_REPLY);

	return e && e->rcode == SCAN_REFUSED;
}

START_TEST(a_validating_client_is_treated_as_configured)
{
	static const struct {
		bool prefer_lookup, prefer_refused;
		bool require_lookup, require_refused;
	} want[DNS_VALIDATING_NUM] = {
		[DNS_VALIDATING_AUTO] = { false, false, false, true },
		[DNS_VALIDATING_BYPASS] = { false, false, false, true },
		[DNS_VALIDATING_SYNTHESIZE] = { true, false, true, false },
		[DNS_VALIDATING_REFUSE] = { false, true, false, true },
	};
	struct dns_config cfg = desk_config();

	cfg.validating = (enum dns_validating)_i;
	reopen(&cfg);
	ck_assert(is_looked_up("a.test") == want[_i].prefer_lookup);
	ck_assert(is_refused() == want[_i].prefer_refused);
	ck_assert(is_looked_up("a.require.test") == want[_i].require_lookup);
	ck_assert(is_refused() == want[_i].require_refused);
	ck_assert(!is_looked_up("a.off.test"));
	ck_assert(!is_refused());
}
END_TEST

/* Its query for alias.test is relayed; what leads there is read all the same.
 * Returns the reply. */
static const struct dns_effect *relayed_alias(uint16_t type, const char *to)
{
	const struct dns_effect *e;

	desk_forget(&k);
	desk_start(&k, 0x77, SCAN_RD | SCAN_CD);
	desk_question(&k, "alias.test", type);
	desk_opt(&k, true, 0);
	ask();
	e = desk_last(&k, DNS_ASK);
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->qtype, type);
	desk_answer_to(&k, e, 0);
	desk_rr_cname(&k, "alias.test", 300, to);
	if (type == SCAN_A)
		desk_rr_addr(&k, to, 300, "192.0.2.1");
	desk_hand_in(&k, e, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	return desk_last(&k, DNS_REPLY);
}

START_TEST(an_alias_leads_no_validating_client_around_hip)
{
	enum { MX = 15 };
	static const struct {
		uint16_t type;
		const char *to;
		bool refused;
	} rows[] = {
		{ SCAN_A, "x.require.test", true },
		{ SCAN_HTTPS, "x.require.test", true },
		{ SCAN_A, "pinned.test", true },
		{ SCAN_A, "rec.test", true },
		{ SCAN_A, "plain.test", false },
		{ SCAN_A, "x.off.test", false },
		{ MX, "x.require.test", false },
		{ MX, "pinned.test", false },
	};
	static struct dns_record rec = { .name = "rec.test", .at_num = 1 };
	struct dns_config cfg = desk_config();
	struct hit hit = desk_hit(4);

	rec.hit = desk_hit(5);
	rec.at[0] = desk_addr("192.0.2.5");
	cfg.validating = _i ? DNS_VALIDATING_BYPASS : DNS_VALIDATING_AUTO;
	reopen(&cfg);
	ck_assert_int_eq(dns_pin(k.d, "pinned.test", &hit), HG_OK);
	ck_assert_int_eq(dns_set_records(k.d, &rec, 1), HG_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dns_effect *e =
			relayed_alias(rows[i].type, rows[i].to);
		struct desk_reply p = desk_read(e);

		ck_assert_msg(is_refused() == rows[i].refused, "row %zu", i);
		ck_assert_int_eq(desk_ede(&p), rows[i].refused ? 15 : -1);
		ck_assert_uint_eq(p.header.id, 0x77);
		ck_assert_uint_eq(p.records > 0, !rows[i].refused);
	}
}
END_TEST

/* ---- hidden records ---------------------------------------------------------- */

START_TEST(hip_records_are_hidden_only_when_told_so)
{
	struct dns_config cfg = desk_config();
	struct desk_reply p;

	desk_query(&k, "h.test", SCAN_HIP, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 1); /* its own */
	cfg.hide = true;
	reopen(&cfg);
	desk_query(&k, "h.test", SCAN_HIP, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 2);
	desk_hip_answer(&k, desk_last(&k, DNS_ASK), "h.test", NULL, 0);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(p.header.count[1], 0);
	ck_assert_uint_eq(p.rr.type, SCAN_SOA);
	ck_assert_int_eq(desk_ede(&p), 4);
}
END_TEST

Suite *test_table_suite(void);
Suite *test_table_suite(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("table");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, of_several_records_the_same_is_used_in_any_order);
	tcase_add_test(tc, a_record_that_lies_gives_way_to_one_that_holds);
	tcase_add_test(tc, a_look_up_for_one_hit_finds_it_among_others);
	tcase_add_test(tc, no_more_than_sixteen_records_are_looked_at);
	tcase_add_loop_test(tc, a_client_gets_its_own_cookie_back, 0, 2);
	tcase_add_test(tc, no_cookie_without_one);
	tcase_add_loop_test(tc, a_validating_client_is_treated_as_configured, 0,
			    DNS_VALIDATING_NUM);
	tcase_add_loop_test(tc, an_alias_leads_no_validating_client_around_hip,
			    0, 2);
	tcase_add_test(tc, hip_records_are_hidden_only_when_told_so);
	suite_add_tcase(s, tc);
	return s;
}
