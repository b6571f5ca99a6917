/* SPDX-License-Identifier: MIT */
/* HIP records against their keys and their lifetimes (RFC 8005 4.1, 4.2);
 * names that are forgotten; leases that end. */
#include "test/unit/gate/lease_bed.h"

#include <dirent.h>
#include <unistd.h>

/* rdata of the host's record; lie: the HIT is another one. */
static size_t record(uint8_t out[200], bool lie)
{
	struct wr w = wr_init(out, 200);
	struct hit hit = *hip_identity_hit(id);
	const uint8_t *pk;
	uint8_t pk_alg;
	size_t pk_len;

	hip_identity_dns_key(id, &pk_alg, &pk, &pk_len);
	hit.b[15] ^= lie;
	wr_u8(&w, 16);
	wr_u8(&w, pk_alg);
	wr_be16(&w, (uint16_t)pk_len);
	wr_put(&w, hit.b, sizeof(hit.b));
	wr_put(&w, pk, pk_len);
	ck_assert(!w.bad);
	return wr_len(&w);
}

/* Addresses first; the record last, and what it causes left to the gate. */
static void answer_all(bool lie, uint32_t ttl)
{
	const struct dns_effect *ask = desk_ask(&k, "h.test", SCAN_HIP, false);
	uint8_t rdata[200];
	size_t len = record(rdata, lie);

	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 "192.0.2.1", 0);
	desk_nothing(&k, desk_ask(&k, "h.test", SCAN_AAAA, false), 0, 0);
	desk_answer_to(&k, ask, 0);
	desk_rr(&k, 1, "h.test", SCAN_HIP, ttl, rdata, len);
	dns_answer(k.d, ask->ask, &ask->server, k.buf, wr_len(&k.w), 0);
	while (dnsside_pump(g))
		;
}

static void find_servfail(void *arg, const char *line)
{
	if (strstr(line, "\"dns-reply\"") && strstr(line, "\"rcode\":2"))
		*(bool *)arg = true;
}

/* And not the clear address. */
static bool nobody_and_servfail(void)
{
	bool failed = false;

	events_each(&g->events, find_servfail, &failed);
	return failed && g->peers_num == 0 && dns_pending(k.d) == 0;
}

START_TEST(a_record_whose_hit_is_not_of_its_key_is_discarded)
{
	desk_query(&k, "h.test", SCAN_A, true, 0);
	answer_all(true, 300);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BAD_HIP), 1);
	ck_assert(nobody_and_servfail());
}
END_TEST

/* Hairpinning has no place here: between us and us there is no SA. */
START_TEST(a_record_of_our_own_hit_gives_no_substitute)
{
	g->selves[0] = *hip_identity_hit(id);
	g->selves_num = 1;
	desk_query(&k, "h.test", SCAN_A, true, 0);
	answer_all(false, 300);
	ck_assert_uint_eq(reason_get(&g->drops, REASON_DNS_BAD_HIP), 1);
	ck_assert(nobody_and_servfail());
}
END_TEST

/* product.md T19 */
START_TEST(while_the_pool_leads_elsewhere_nobody_gets_an_address)
{
	g->health.astray = desk_at("198.18.7.7", 0).addr;
	desk_query(&k, "h.test", SCAN_A, true, 0);
	answer_all(false, 300);
	ck_assert(nobody_and_servfail());
}
END_TEST

static struct peer *known_peer(void)
{
	struct peer *p = peer_get(g, hip_identity_hit(id));

	ck_assert_ptr_nonnull(p);
	peer_name(p, "h.test");
	p->server = k.who.server;
	p->locators[0] = desk_at("192.0.2.77", HIP_PORT);
	p->locators_num = 1;
	return p;
}

START_TEST(a_look_up_with_another_hit_changes_no_locator)
{
	struct peer *p = known_peer();
	struct endpoint was = p->locators[0];

	for (int lie = 1; lie >= 0; lie--) {
		ck_assert_int_eq(dns_resolve(k.d, p->name, &p->hit, &p->server,
					     (uint64_t)(uintptr_t)p, 0),
				 0);
		desk_drain(&k);
		answer_all(lie, 300);
		ck_assert_uint_eq(p->locators_num, 1);
		ck_assert(endpoint_eq(&p->locators[0], &was) == lie);
		ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BAD_HIP), 1);
	}
}
END_TEST

static void count(const struct hip_peer *p, void *arg)
{
	(void)p;
	++*(unsigned *)arg;
}

static unsigned begun(void)
{
	unsigned n = 0;

	hip_each_peer(g->hip, count, &n);
	return n;
}

/* RFC 8005 4.2: on an expired record nothing is begun; a new query is made
 * and its record used. */
START_TEST(an_expired_record_is_asked_for_again_before_i1)
{
	struct peer *p = known_peer();
	uint64_t now = uv_hrtime();

	p->fresh_until = now;
	peer_want(g, p, now);
	ck_assert_uint_eq(begun(), 0);
	ck_assert_uint_eq(dns_pending(k.d), 1);
	peer_want(g, p, now + 1); /* not twice at a time */
	ck_assert_uint_eq(dns_pending(k.d), 1);
	desk_drain(&k);
	answer_all(false, 300);
	ck_assert_uint_gt(p->fresh_until, now + 299 * SEC);
	ck_assert_uint_lt(p->fresh_until, uv_hrtime() + 301 * SEC);
	peer_want(g, p, p->fresh_until - 1);
	ck_assert_uint_eq(begun(), 1);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	p->state = HIP_UNASSOCIATED;
	peer_want(g, p, p->fresh_until);
	ck_assert_uint_eq(dns_pending(k.d), 1);
}
END_TEST

/* ---- pins ----------------------------------------------------------------- */

static char dir[64];
static uv_loop_t loop;

static void journal_begin(void)
{
	char why[512] = "";

	(void)snprintf(dir, sizeof(dir), "/tmp/hipgate-lease-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	g->loop = &loop;
	ck_assert_msg(journal_open(dir, &loop, true, &g->journal, why,
				   sizeof(why)) == HG_OK,
		      "%s", why);
}

static void journal_done(void)
{
	DIR *d;
	struct dirent *e;

	while (journal_pending(g->journal))
		(void)uv_run(&loop, UV_RUN_ONCE);
	journal_close(g->journal);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	d = opendir(dir);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
	(void)rmdir(dir);
}

static void forgets_not(const char *name, const char *says)
{
	char why[512] = "";

	ck_assert_int_ne(dnslease_forget(g, name, why, sizeof(why)), HG_OK);
	ck_assert_msg(strstr(why, says), "%s", why);
}

static void count_pin(const char *name, const struct hit *hit, void *arg)
{
	(void)hit;
	ck_assert_str_eq(name, "h.test");
	++*(unsigned *)arg;
}

static void on_disk(void *arg, bool ok)
{
	ck_assert(ok);
	*(bool *)arg = true;
}

START_TEST(what_is_pinned_is_forgotten_once)
{
	struct hit hit = *hip_identity_hit(id);
	char why[512] = "";
	unsigned pins = 0;
	bool put = false;

	journal_begin();
	ck_assert_int_eq(dns_pin(g->dns, "h.test", &hit), HG_OK);
	ck_assert_int_eq(journal_pin(g->journal, "h.test", &hit, on_disk, &put),
			 HG_OK);
	while (journal_pending(g->journal))
		(void)uv_run(&loop, UV_RUN_ONCE);
	ck_assert(put);
	forgets_not("a..b", "no domain name");
	forgets_not("other.test", "other.test is not pinned");
	ck_assert_int_eq(journal_each_pin(g->journal, count_pin, &pins), HG_OK);
	ck_assert_uint_eq(pins, 1);
	/* As it stands in a zone file. */
	ck_assert_int_eq(dnslease_forget(g, "H.Test.", why, sizeof(why)),
			 HG_OK);
	ck_assert(!dns_pinned(g->dns, "h.test"));
	forgets_not("h.test", "h.test is not pinned");
	while (journal_pending(g->journal))
		(void)uv_run(&loop, UV_RUN_ONCE);
	pins = 0;
	ck_assert_int_eq(journal_each_pin(g->journal, count_pin, &pins), HG_OK);
	ck_assert_uint_eq(pins, 0);
	g->dns = NULL;
	forgets_not("h.test", "no proxy role");
	journal_done();
}
END_TEST

/* A client's own server could say it of anybody's name, for everybody. */
START_TEST(what_the_clients_own_server_says_is_not_pinned)
{
	struct dns_host h = { .hit = *hip_identity_hit(id), .theirs = true };
	struct dns_effect e = { .kind = DNS_NEED_ADDRESS, .host = &h };
	struct lease_config lc = { .pool6 = desk_prefix("fd00:5::/64"),
				   .max = 16 };

	journal_begin();
	ck_assert_int_eq(tables_init(&g->plane.tables), HG_OK);
	ck_assert_int_eq(lease_new(&lc, &g->lease), HG_OK);
	ck_assert_int_eq(uv_timer_init(&loop, &g->timer), 0);
	g->timer.data = g;
	strcpy(h.name, "h.test");
	h.locators[0] = desk_addr("192.0.2.7");
	h.locators_num = 1;
	for (unsigned i = 0; i < 2; i++) {
		unsigned pins = 0;

		h.theirs = i == 0;
		dnslease_need_address(g, &e);
		while (journal_pending(g->journal))
			(void)uv_run(&loop, UV_RUN_ONCE);
		ck_assert_uint_eq(g->plane.tables.mappings, 1);
		ck_assert(dns_pinned(g->dns, "h.test") == !h.theirs);
		ck_assert_int_eq(journal_each_pin(g->journal, count_pin, &pins),
				 HG_OK);
		ck_assert_uint_eq(pins, i);
	}
	uv_close((uv_handle_t *)&g->timer, NULL);
	lease_free(g->lease);
	tables_fini(&g->plane.tables);
	journal_done();
}
END_TEST

/* ---- leases that end ---------------------------------------------------------- */

static void settle(void)
{
	while (journal_pending(g->journal))
		(void)uv_run(&loop, UV_RUN_ONCE);
}

/* The n-th host is asked for, of a domain of its own. */
static struct peer *begin_asking(uint8_t n)
{
	struct dns_host h = { .hit = desk_hit(n), .local = true };
	struct dns_effect e = { .kind = DNS_NEED_ADDRESS, .host = &h };

	(void)snprintf(h.name, sizeof(h.name), "h.d%u.test", n);
	h.locators[0] = desk_addr("192.0.2.7");
	h.locators_num = 1;
	dnslease_need_address(g, &e);
	return peer_find(g, &h.hit);
}

static struct peer *ask_host(uint8_t n)
{
	struct peer *p = begin_asking(n);

	settle();
	return p;
}

static void count_row(const struct journal_row *row, void *arg)
{
	(void)row;
	++*(unsigned *)arg;
}

static unsigned rows(void)
{
	unsigned n = 0;

	ck_assert_int_eq(journal_each(g->journal, count_row, &n), HG_OK);
	return n;
}

static void leases_begin_with(const struct lease_config *lc)
{
	journal_begin();
	ck_assert_int_eq(tables_init(&g->plane.tables), HG_OK);
	ck_assert_int_eq(lease_new(lc, &g->lease), HG_OK);
	ck_assert_int_eq(uv_timer_init(&loop, &g->timer), 0);
	g->timer.data = g;
}

/* Two leases at most; nobody has them in mind for long. */
static void leases_begin(void)
{
	struct lease_config lc = { .pool6 = desk_prefix("fd00:5::/64"),
				   .max = 2,
				   .let_go = dnslease_let_go,
				   .arg = g };

	leases_begin_with(&lc);
}

static void leases_end(void)
{
	uv_close((uv_handle_t *)&g->timer, NULL);
	lease_free(g->lease);
	tables_fini(&g->plane.tables);
	journal_done();
}

START_TEST(what_nobody_uses_makes_room_with_all_that_hangs_on_it)
{
	struct hit first = desk_hit(1);
	struct addr sub;
	struct peer *p;

	leases_begin();
	p = ask_host(1);
	ck_assert_ptr_nonnull(p);
	sub = p->sub6;
	ck_assert_ptr_nonnull(ask_host(2));
	ck_assert_ptr_nonnull(ask_host(3));
	ck_assert_ptr_null(peer_find(g, &first));
	ck_assert_ptr_null(tables_mapping(&g->plane.tables, &sub));
	ck_assert_uint_eq(g->peers_num, 2);
	ck_assert_uint_eq(g->plane.tables.mappings, 2);
	ck_assert_uint_eq(rows(), 2);
	/* It comes back as it was. */
	p = ask_host(1);
	ck_assert_ptr_nonnull(p);
	ck_assert(addr_eq(&p->sub6, &sub));
	ck_assert_uint_eq(rows(), 2);
	leases_end();
}
END_TEST

static void use(struct peer *p, int how)
{
	struct msg *m = inbox_msg(MSG_TUN, "x", 1, 0);

	switch (how) {
	case 0:
		p->flows = 1;
		break;
	case 1:
		p->state = HIP_ESTABLISHED;
		break;
	case 2:
		p->resolving_until = UINT64_MAX;
		break;
	case 3:
		p->persona_coming = true;
		break;
	case 4:
		p->real[0] = desk_addr("192.0.2.9");
		break;
	case 5:
		cfg.peers[0].hit = p->hit;
		cfg.peers_num = 1;
		break;
	case 6:
		g->personas.v[0].peer = p;
		g->personas.num = 1;
		break;
	case 7:
		peer_park(g, p, m);
		return;
	default:
		p->on_disk = false;
	}
	free(m);
}

/* Refused without it, no peer is made either: that table has an end, too. */
START_TEST(what_is_in_use_makes_no_room)
{
	leases_begin();
	use(ask_host(1), _i);
	use(ask_host(2), 0);
	ck_assert_ptr_null(ask_host(3));
	ck_assert_uint_eq(reason_get(&g->drops, REASON_DNS_FULL), 1);
	ck_assert_uint_eq(g->peers_num, 2);
	ck_assert_uint_eq(g->plane.tables.mappings, 2);
	ck_assert_uint_eq(rows(), 2);
	g->personas.num = 0;
	cfg.peers_num = 0;
	leases_end();
}
END_TEST

/* What the journal may lack is in it before anybody hears of it again. */
START_TEST(each_is_written_again_after_the_journal_was_renewed)
{
	bool gone = false;
	struct peer *p;

	leases_begin();
	p = ask_host(1);
	ck_assert(p->on_disk);
	ck_assert_int_eq(journal_drop(g->journal, &p->hit, on_disk, &gone),
			 HG_OK);
	settle();
	ck_assert_uint_eq(rows(), 0);
	ck_assert_ptr_eq(ask_host(1), p);
	ck_assert_uint_eq(rows(), 0); /* believed to be there */
	dnslease_renewed(g);
	ck_assert(!p->on_disk);
	ck_assert_ptr_eq(ask_host(1), p);
	ck_assert(p->on_disk);
	ck_assert_uint_eq(rows(), 1);
	leases_end();
}
END_TEST

static void count_four(const struct journal_row *row, void *arg)
{
	*(unsigned *)arg += !addr_is_unspecified(&row->lease.sub4);
}

/* It may be drawn between the row and the answer. */
START_TEST(an_ipv4_substitute_is_told_once_it_is_on_disk)
{
	struct lease_config lc = { .pool6 = desk_prefix("fd00:5::/64"),
				   .pool4 = desk_prefix("198.18.0.0/24"),
				   .max = 16,
				   .hold4 = UINT64_MAX };
	struct lease_asker later = { .client = desk_addr("192.0.2.1"),
				     .now = UINT64_MAX };
	struct hit other = desk_hit(2);
	struct lease_entry e;
	unsigned four = 0;
	struct peer *p;
	bool fresh;

	leases_begin_with(&lc);
	p = begin_asking(1);
	ck_assert(!lease_ask(g->lease, &other, "x.test", &later, &e, &fresh));
	ck_assert(!addr_is_unspecified(&e.sub4)); /* held back no longer */
	settle();
	ck_assert(addr_is_unspecified(&p->sub4));
	ck_assert_ptr_eq(ask_host(1), p);
	ck_assert(!addr_is_unspecified(&p->sub4));
	ck_assert_int_eq(journal_each(g->journal, count_four, &four), HG_OK);
	ck_assert_uint_eq(four, 1);
	leases_end();
}
END_TEST

Suite *test_dnslease_suite(void);
Suite *test_dnslease_suite(void)
{
	Suite *s = suite_create("dnslease");
	TCase *tc = tcase_create("dnslease");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       while_the_pool_leads_elsewhere_nobody_gets_an_address);
	tcase_add_test(tc, a_record_of_our_own_hit_gives_no_substitute);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_record_whose_hit_is_not_of_its_key_is_discarded);
	tcase_add_test(tc, a_look_up_with_another_hit_changes_no_locator);
	tcase_add_test(tc, an_expired_record_is_asked_for_again_before_i1);
	tcase_add_test(tc, what_is_pinned_is_forgotten_once);
	tcase_add_test(tc, what_the_clients_own_server_says_is_not_pinned);
	tcase_add_test(tc,
		       what_nobody_uses_makes_room_with_all_that_hangs_on_it);
	tcase_add_loop_test(tc, what_is_in_use_makes_no_room, 0, 9);
	tcase_add_test(tc, each_is_written_again_after_the_journal_was_renewed);
	tcase_add_test(tc, an_ipv4_substitute_is_told_once_it_is_on_disk);
	suite_add_tcase(s, tc);
	return s;
}
