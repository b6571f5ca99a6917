/* SPDX-License-Identifier: MIT */
/* The configuration read again: what is applied, told, or refused whole. */
#include "cmd/hipgated/relaying.h"
#include "test/unit/gate/reload_bed.h"

#define BASE "[daemon]\nidentity = %/a.pem\n"
#define HIT1 "2001:22::77"
#define HIT2 "2001:22::78"

static bool has(const json_t *answer, const char *list, const char *line)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(answer, list), i,
			   s) if (strcmp(json_string_value(s), line) ==
				  0) return true;
	return false;
}

static size_t lines(const json_t *answer, const char *list)
{
	return json_array_size(json_object_get(answer, list));
}

static json_t *again(struct reload_bed *b, const char *text)
{
	json_t *answer = NULL;
	char why[512] = "";

	reload_bed_write(b, text);
	ck_assert_msg(reload(&b->g, &answer, why, sizeof(why)) == HG_OK, "%s",
		      why);
	return answer;
}

static void refused(struct reload_bed *b, const char *text, const char *words)
{
	json_t *answer = NULL;
	char why[512] = "";

	reload_bed_write(b, text);
	ck_assert_int_ne(reload(&b->g, &answer, why, sizeof(why)), HG_OK);
	ck_assert_ptr_null(answer);
	ck_assert_msg(strstr(why, words), "%s", why);
}

static void count_rule(const struct hip_access_count *c, void *arg)
{
	(void)c;
	++*(unsigned *)arg;
}

static unsigned rules(struct reload_bed *b)
{
	unsigned n = 0;

	hip_each_access(b->g.hip, count_rule, &n);
	return n;
}

static void count_self(const struct hip_self *s, void *arg)
{
	(void)s;
	++*(unsigned *)arg;
}

static unsigned selves(struct reload_bed *b)
{
	unsigned n = 0;

	hip_each_identity(b->g.hip, count_self, &n);
	return n;
}

START_TEST(the_same_file_changes_nothing)
{
	struct reload_bed *b = reload_bed_new(BASE "[host]\ndeny = " HIT1 "\n");
	json_t *a = again(b, BASE "[host]\ndeny = " HIT1 "\n");

	ck_assert_uint_eq(lines(a, "applied"), 0);
	ck_assert_uint_eq(lines(a, "restart"), 0);
	json_decref(a);
	reload_bed_free(b);
}
END_TEST

START_TEST(what_can_be_is_applied_at_once)
{
	struct reload_bed *b = reload_bed_new(BASE "[host]\ndeny = " HIT1 "\n");
	struct hit hit;
	char why[512];
	json_t *a = again(b, BASE "log = debug\npuzzle = 3\n"
				  "[host]\ndeny = 192.0.2.0/24\n"
				  "allow = " HIT2 "\nopportunistic = yes\n"
				  "[register " HIT1 "]\naddress = 192.0.2.9\n"
				  "[peer " HIT2 "]\naddress = 192.0.2.8\n"
				  "[paths]\nprefer = order\norder = ipv4\n"
				  "silence = 500\n");

	ck_assert_uint_eq(lines(a, "restart"), 0);
	ck_assert(
		has(a, "applied", "~ [paths] prefer = order (was announced)"));
	ck_assert(has(a, "applied", "~ [paths] silence = 500 (was 0)"));
	ck_assert(has(a, "applied", "~ [paths] order"));
	ck_assert(has(a, "applied", "~ [daemon] log = debug (was info)"));
	ck_assert(has(a, "applied", "~ [daemon] puzzle = 3 (was 0)"));
	ck_assert(has(a, "applied", "- [host] deny = " HIT1));
	ck_assert(has(a, "applied", "+ [host] deny = 192.0.2.0/24"));
	ck_assert(has(a, "applied", "+ [host] allow = " HIT2));
	ck_assert(has(a, "applied",
		      "~ [host] or [rendezvous] opportunistic = yes (was no)"));
	ck_assert(has(a, "applied", "+ [register " HIT1 "]"));
	ck_assert(has(a, "applied", "+ [peer " HIT2 "]"));
	ck_assert_uint_eq(lines(a, "applied"), 11);
	json_decref(a);
	ck_assert_uint_eq(rules(b), 2);
	ck_assert_uint_eq(b->g.cfg->paths.order_num, 1);
	ck_assert_int_eq(hit_parse(HIT2, &hit), HG_OK);
	ck_assert_ptr_nonnull(peer_find(&b->g, &hit));
	ck_assert_uint_eq(b->g.cfg->reg_num, 1);
	/* It is in force, so a second reload has nothing to say. */
	ck_assert_int_eq(reload(&b->g, &a, why, sizeof(why)), HG_OK);
	ck_assert_uint_eq(lines(a, "applied"), 0);
	json_decref(a);
	log_set_level(LOG_SUB_CONTROL, LOG_LEVEL_INFO);
	reload_bed_free(b);
}
END_TEST

/* Of a data relay. */
START_TEST(its_rate_is_for_what_is_relayed_next)
{
	static const char head[] =
		BASE "[rendezvous]\ndata-relay = yes\nrelay-ports = any 1\n";
	struct reload_bed *b = reload_bed_new(BASE "[rendezvous]\n"
						   "data-relay = yes\n"
						   "relay-ports = any 1\n"
						   "relay-rate = 0\n");
	const struct relaying *r = b->g.plane.relaying;
	char text[1024];
	json_t *a;

	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->quota, 0);
	(void)snprintf(text, sizeof(text), "%srelay-rate = 8\n", head);
	a = again(b, text);
	ck_assert(has(a, "applied", "~ [rendezvous] relay-rate = 8 (was 0)"));
	ck_assert_uint_eq(lines(a, "applied"), 1);
	ck_assert_uint_eq(lines(a, "restart"), 0);
	json_decref(a);
	ck_assert_uint_eq(r->quota, 100000); /* octets in 100 ms */
	a = again(b, head);		     /* 100 Mbit/s */
	ck_assert_uint_eq(r->quota, 1250000);
	json_decref(a);
	relayside_fini(&b->g);
	reload_bed_free(b);
}
END_TEST

START_TEST(levels_are_live_and_those_set_by_hand_go)
{
	struct reload_bed *b = reload_bed_new(BASE "[host]\n");
	json_t *a;

	log_set_level(LOG_SUB_HIP, LOG_LEVEL_DEBUG); /* `hipgate log` */
	a = again(b, BASE "log-level = dns error\n[host]\n[http]\n"
			  "listen = 127.0.0.1:9464\nhost = a\n");
	ck_assert(has(a, "applied",
		      "~ [daemon] log-level = dns error (was info)"));
	ck_assert(has(a, "restart", "~ [http] listen"));
	ck_assert(has(a, "restart", "~ [http] host"));
	ck_assert_uint_eq(lines(a, "restart"), 2);
	ck_assert_int_eq(log_get_level(LOG_SUB_DNS), LOG_LEVEL_ERROR);
	ck_assert_int_eq(log_get_level(LOG_SUB_HIP), LOG_LEVEL_INFO);
	ck_assert_uint_eq(b->g.cfg->http.listen.port, 0); /* as it runs */
	json_decref(a);
	reload_bed_free(b);
}
END_TEST

START_TEST(the_order_of_rules_is_a_rule)
{
	struct reload_bed *b = reload_bed_new(BASE "[host]\ndeny = " HIT1
						   "\nallow = 192.0.2.0/24\n");
	json_t *a = again(b, BASE "[host]\nallow = 192.0.2.0/24\n"
				  "deny = " HIT1 "\n");

	ck_assert_uint_eq(lines(a, "applied"), 1);
	ck_assert(
		has(a, "applied", "~ [host] allow and deny in another order"));
	ck_assert(b->g.cfg->access[CONFIG_ROLE_HOST].rules[0].allow);
	json_decref(a);
	reload_bed_free(b);
}
END_TEST

START_TEST(what_needs_a_restart_is_told_and_kept)
{
	struct reload_bed *b = reload_bed_new(
		BASE "[host]\n[peer " HIT1 "]\naddress = 192.0.2.1\n"
		     "[register " HIT2 "]\naddress = 192.0.2.2\n");
	json_t *a = again(b, BASE "port = 10501\nworkers = 3\noffload = safe\n"
				  "[host]\n[rendezvous]\n"
				  "[register " HIT2 "]\naddress = 192.0.2.3\n");

	ck_assert_uint_eq(lines(a, "applied"), 1);
	ck_assert(has(a, "applied", "~ [register " HIT2 "]"));
	ck_assert(has(a, "restart", "~ [daemon] port = 10501 (was 10500)"));
	ck_assert(has(a, "restart", "~ [daemon] workers = 3 (was 0)"));
	ck_assert(has(a, "restart", "~ [daemon] offload = safe (was auto)"));
	ck_assert(has(a, "restart", "~ [rendezvous] = yes (was no)"));
	ck_assert(has(a, "restart", "- [peer " HIT1 "]"));
	ck_assert_uint_eq(lines(a, "restart"), 5);
	ck_assert_uint_eq(b->g.cfg->port, 10500);
	ck_assert_int_eq(b->g.cfg->offload, CONFIG_OFFLOAD_AUTO);
	ck_assert(!b->g.cfg->rendezvous);
	ck_assert_uint_eq(b->g.cfg->peers_num, 1);
	json_decref(a);
	reload_bed_free(b);
}
END_TEST

/* Is there a wish of the default identity at this agent? */
static bool wished(struct reload_bed *b, const char *text)
{
	struct hit hit;
	int err;

	ck_assert_int_eq(hit_parse(text, &hit), HG_OK);
	err = hip_register_at(b->g.hip, NULL, &hit, NULL, 0, uv_hrtime());
	ck_assert(err == HG_EINVAL || err == HG_ENOENT);
	return err == HG_EINVAL; /* no place is none */
}

#define REG(hit, at) "[register " hit "]\naddress = " at "\n"

START_TEST(agents_come_go_and_change)
{
	struct reload_bed *b = reload_bed_new(
		BASE "[host]\n" REG(HIT1, "192.0.2.1") REG(HIT2, "192.0.2.2"));
	json_t *a;

	ck_assert(wished(b, HIT1) && wished(b, HIT2));
	b->g.agents.v[1].until = UINT64_MAX;
	a = again(b, BASE "[host]\n" REG(HIT2, "192.0.2.2"));
	ck_assert(has(a, "applied", "- [register " HIT1 "]"));
	ck_assert_uint_eq(lines(a, "applied"), 1);
	ck_assert_uint_eq(lines(a, "restart"), 0);
	json_decref(a);
	ck_assert(!wished(b, HIT1) && wished(b, HIT2));
	ck_assert_uint_eq(b->g.cfg->reg_num, 1);
	ck_assert_uint_eq(b->g.agents.v[0].until, UINT64_MAX); /* moved up */
	a = again(b,
		  BASE "[host]\n" REG(HIT1, "192.0.2.1") "lifetime = 9\n" REG(
			  HIT2, "192.0.2.2"));
	ck_assert(has(a, "applied", "+ [register " HIT1 "]"));
	ck_assert_uint_eq(lines(a, "applied"), 1);
	json_decref(a);
	ck_assert(wished(b, HIT1) && wished(b, HIT2));
	a = again(b, BASE "[host]\n" REG(HIT1, "192.0.2.1") "relay = yes\n" REG(
			     HIT2, "192.0.2.2") "address = 2001:db8::2\n");
	ck_assert(has(a, "applied", "~ [register " HIT1 "]"));
	ck_assert(has(a, "applied", "~ [register " HIT2 "]"));
	ck_assert_uint_eq(lines(a, "applied"), 2);
	json_decref(a);
	ck_assert(wished(b, HIT1) && wished(b, HIT2));
	ck_assert_uint_eq(b->g.cfg->reg_num, 2);
	a = again(b, BASE "[host]\n" REG(HIT1, "192.0.2.1") "relay = yes\n" REG(
			     HIT2, "192.0.2.2") "address = 2001:db8::2\n");
	ck_assert_uint_eq(lines(a, "applied"), 0);
	json_decref(a);
	a = again(b, BASE "[host]\n");
	ck_assert_uint_eq(lines(a, "applied"), 2);
	ck_assert_uint_eq(b->g.cfg->reg_num, 0);
	ck_assert(!wished(b, HIT1) && !wished(b, HIT2));
	json_decref(a);
	reload_bed_free(b);
}
END_TEST

START_TEST(identities_are_added_behind_those_that_run)
{
	struct reload_bed *b = reload_bed_new(BASE "[host]\n");
	struct hit first = *hip_default_hit(b->g.hip);
	json_t *a = again(b, BASE "anonymous = %/b.pem\n[host]\n");
	char line[96];

	(void)snprintf(line, sizeof(line), "+ [daemon] anonymous = %s/b.pem",
		       b->dir);
	ck_assert(has(a, "applied", line));
	ck_assert_uint_eq(selves(b), 2);
	ck_assert_uint_eq(b->g.selves_num, 2);
	ck_assert(hit_eq(hip_default_hit(b->g.hip), &first));
	json_decref(a);
	/* Before them, they wait for a restart; so does what is gone. */
	a = again(b, "[daemon]\nidentity = %/c.pem\nidentity = %/a.pem\n"
		     "[host]\n");
	ck_assert_uint_eq(lines(a, "applied"), 0);
	ck_assert_uint_eq(lines(a, "restart"), 4);
	ck_assert_uint_eq(selves(b), 2);
	ck_assert_uint_eq(b->g.cfg->identity_num, 2);
	json_decref(a);
	reload_bed_free(b);
}
END_TEST

START_TEST(a_bad_file_changes_nothing)
{
	struct reload_bed *b = reload_bed_new(BASE "[host]\ndeny = " HIT1 "\n");
	char why[512];
	const char *text = BASE "[host]\ndeny = " HIT1 "\n";
	json_t *a;

	/* Good lines before the bad one count for nothing. */
	refused(b, BASE "puzzle = 3\n[host]\nallow = " HIT2 "\ndney = x\n",
		"f.conf:6: unknown key \"dney\" in [host]");
	refused(b, BASE "puzzle = 3\n", "f.conf: no role");
	refused(b, BASE "puzzle = 3\nidentity = %/none.pem\n[host]\n",
		"none.pem: No such file");
	refused(b,
		BASE "puzzle = 3\nidentity = %/b.pem\n"
		     "identity = %/f.conf\n[host]\n",
		"others than its owner can use");
	refused(b, BASE "puzzle = 3\nidentity = %/./a.pem\n[host]\n",
		"that identity is there already");
	ck_assert_int_eq(unlink(b->path), 0);
	ck_assert_int_ne(reload(&b->g, &a, why, sizeof(why)), HG_OK);
	ck_assert_uint_eq(b->g.cfg->puzzle, 0);
	ck_assert_uint_eq(rules(b), 1);
	ck_assert_uint_eq(selves(b), 1);
	a = again(b, text);
	ck_assert_uint_eq(lines(a, "applied"), 0);
	json_decref(a);
	reload_bed_free(b);
}
END_TEST

START_TEST(policies_are_the_dns_engines_too)
{
#define PX "[proxy]\nprefix = 2001:db8:401::/64\n"
	struct reload_bed *b =
		reload_bed_new(BASE PX "[policy a.example]\nhip = off\n");
	struct dns_config dc = { .rules = b->g.cfg->rules, .rules_num = 1 };
	json_t *a;

	ck_assert_int_eq(dns_new(&dc, &b->g.dns), HG_OK);
	a = again(b, BASE PX "[policy b.example]\nhip = require\n"
			     "identity = ephemeral\n");
	ck_assert(has(a, "applied", "- [policy \"a.example\"]"));
	ck_assert(has(a, "applied", "+ [policy \"b.example\"]"));
	ck_assert_uint_eq(dns_rule_of(b->g.dns, "b.example"), 0);
	ck_assert_uint_eq(dns_rule_of(b->g.dns, "a.example"), 1);
	ck_assert_str_eq(b->g.cfg->rule_identity[0], "ephemeral");
	json_decref(a);
	a = again(b, BASE PX "clients = 192.0.2.0/24\n[policy b.example]\n"
			     "hip = off\nidentity = ephemeral\n");
	ck_assert(has(a, "applied", "~ [policy \"b.example\"]"));
	ck_assert(has(a, "restart", "~ [proxy] clients"));
	ck_assert_uint_eq(b->g.cfg->clients_num, 0);
	json_decref(a);
	/* One that names an identity which only a restart would bring. */
	refused(b,
		"[daemon]\nidentity = %/b.pem\nidentity = %/a.pem\n" PX
		"[policy b.example]\nhip = off\nidentity = b.pem\n",
		"is used before it runs");
	ck_assert_str_eq(b->g.cfg->rule_identity[0], "ephemeral");
	reload_bed_free(b);
}
END_TEST

START_TEST(what_is_said_of_dns_is_told_line_by_line)
{
	struct reload_bed *b = reload_bed_new(BASE PX);
	struct dns_config dc = { .rules_num = 0 };
	char path[512];
	json_t *a;

	ck_assert_int_eq(dns_new(&dc, &b->g.dns), HG_OK);
	reload_bed_file(b, "hosts", "2001:22::1 h.example 192.0.2.9\n", 0644);
	a = again(b, BASE PX
		  "dns-server = 192.0.2.53\nlisten = 192.0.2.1\n"
		  "dnssec = require\ntrust-anchor = /a\nhip-records = hide\n"
		  "dnssec-client = refuse\nlan = lan0\n"
		  "encrypted-dns = pass\n"
		  "transparent = 198.51.100.0/24\nhosts = %/hosts\n"
		  "[policy \"*\"]\nhip = transparent\n");
	/* Of what runs nothing forbids it. */
	ck_assert(has(a, "applied", "+ [proxy] dns-server = 192.0.2.53:53"));
	ck_assert(has(a, "restart", "~ [proxy] listen"));
	ck_assert(has(a, "restart", "~ [proxy] transparent"));
	ck_assert(has(a, "restart", "~ [proxy] dnssec = require (was off)"));
	ck_assert(has(a, "restart", "~ [proxy] trust-anchor = /a (was \"\")"));
	ck_assert(has(a, "restart",
		      "~ [proxy] encrypted-dns = pass (was discourage)"));
	ck_assert(has(a, "restart",
		      "~ [proxy] dnssec-client = refuse (was auto)"));
	ck_assert(has(a, "applied", "+ [record h.example]"));
	ck_assert(has(a, "applied", "+ [policy \"*\"]"));
	(void)snprintf(path, sizeof(path),
		       "~ [proxy] hosts = %s/hosts (was \"\")", b->dir);
	ck_assert(has(a, "applied", path));
	json_decref(a);
	a = again(b, BASE PX);
	ck_assert(has(a, "applied", "- [record h.example]"));
	json_decref(a);
	(void)snprintf(path, sizeof(path), "%s/hosts", b->dir);
	ck_assert_int_eq(unlink(path), 0);
	reload_bed_free(b);
}
END_TEST

static void fresh_for(struct reload_bed *b, struct peer *p, bool kept)
{
	ck_assert_int_eq(p->fresh_until == UINT64_MAX, kept);
	p->fresh_until = UINT64_MAX;
	ck_assert_ptr_nonnull(b->g.cfg);
}

START_TEST(dns_servers_come_and_go)
{
#define ASKS(at) "dns-server = 192.0.2." at "\n"
	struct reload_bed *b = reload_bed_new(BASE PX ASKS("53"));
	struct dns_config dc = { .servers = b->g.cfg->dns_servers,
				 .servers_num = 1 };
	struct endpoint at;
	struct peer *p = reload_bed_host(b, 1, &at);
	json_t *a;

	p->fresh_until = UINT64_MAX;
	ck_assert_int_eq(dns_new(&dc, &b->g.dns), HG_OK);
	a = again(b, BASE PX ASKS("53") ASKS("54"));
	ck_assert(has(a, "applied", "+ [proxy] dns-server = 192.0.2.54:53"));
	ck_assert_uint_eq(lines(a, "applied"), 1);
	json_decref(a);
	ck_assert_uint_eq(b->g.cfg->dns_servers_num, 2);
	fresh_for(b, p, true);
	a = again(b, BASE PX ASKS("54") ASKS("53"));
	ck_assert(has(a, "applied", "~ [proxy] dns-server in another order"));
	ck_assert_uint_eq(lines(a, "applied"), 1);
	json_decref(a);
	fresh_for(b, p, true);
	/* Who said where a host is, is gone: it is to be asked for again. */
	a = again(b, BASE PX ASKS("55") ASKS("53"));
	ck_assert(has(a, "applied", "- [proxy] dns-server = 192.0.2.54:53"));
	ck_assert(has(a, "applied", "+ [proxy] dns-server = 192.0.2.55:53"));
	ck_assert_uint_eq(lines(a, "applied"), 2);
	ck_assert_uint_eq(lines(a, "restart"), 0);
	json_decref(a);
	fresh_for(b, p, false);
	a = again(b, BASE PX ASKS("55") ASKS("53"));
	ck_assert_uint_eq(lines(a, "applied"), 0);
	json_decref(a);
	a = again(b, BASE PX);
	ck_assert_uint_eq(lines(a, "applied"), 2);
	json_decref(a);
	ck_assert_uint_eq(b->g.cfg->dns_servers_num, 0);
	fresh_for(b, p, false);
	reload_bed_free(b);
}
END_TEST

/* The engine has its address until the look-up ends, and that begins anew. */
START_TEST(a_host_that_is_looked_up_stays_as_long)
{
	struct reload_bed *b = reload_bed_new(BASE PX ASKS("53"));
	struct dns_config dc = { .servers = b->g.cfg->dns_servers,
				 .servers_num = 1 };
	struct endpoint at;
	struct peer *p = reload_bed_host(b, 1, &at);
	struct peer *other = reload_bed_host(b, 2, &at);
	uint64_t now = uv_hrtime();
	json_t *a;

	p->resolving_until = now + PEER_RESOLVE_NS - 1;
	ck_assert_int_eq(dns_new(&dc, &b->g.dns), HG_OK);
	a = again(b, BASE PX ASKS("53") ASKS("54"));
	ck_assert_uint_eq(lines(a, "applied"), 1);
	json_decref(a);
	ck_assert_uint_ge(p->resolving_until, now + PEER_RESOLVE_NS);
	ck_assert_uint_eq(other->resolving_until, 0);
	reload_bed_free(b);
}
END_TEST

/* Each of these files is good, and what runs with it would not be. */
START_TEST(servers_wait_with_what_forbids_them)
{
	static const struct {
		const char *was, *now;
	} t[] = {
		{ BASE PX ASKS("53") "dnssec = require\ntrust-anchor = /a\n",
		  BASE PX },
		{ BASE PX ASKS(
			  "53") "lan = lan0\ntransparent = 198.51.100.0/24\n"
				"[policy \"*\"]\nhip = transparent\n",
		  BASE PX "lan = lan0\n" },
		{ BASE PX ASKS("53") "listen = 192.0.2.1\n",
		  BASE PX ASKS("1") "listen = 192.0.2.2\n" },
		{ BASE PX ASKS("53"), BASE "[proxy]\nprefix = fd00:7::/64\n"
					   "dns-server = 2001:db8:401::9\n" },
		{ BASE PX ASKS("53"), BASE "[host]\n" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct reload_bed *b = reload_bed_new(t[i].was);
		struct dns_config dc = { .servers_num = 0 };
		json_t *a;

		ck_assert_int_eq(dns_new(&dc, &b->g.dns), HG_OK);
		a = again(b, t[i].now);
		ck_assert_msg(has(a, "restart",
				  "- [proxy] dns-server = 192.0.2.53:53"),
			      "%zu", i);
		ck_assert_uint_eq(b->g.cfg->dns_servers_num, 1);
		ck_assert_uint_eq(b->g.cfg->dns_servers[0].addr.b[15], 53);
		json_decref(a);
		reload_bed_free(b);
	}
}
END_TEST

Suite *test_reload_suite(void)
{
	Suite *s = suite_create("reload");
	TCase *t = tcase_create("reload");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, its_rate_is_for_what_is_relayed_next);
	tcase_add_test(t, levels_are_live_and_those_set_by_hand_go);
	tcase_add_test(t, dns_servers_come_and_go);
	tcase_add_test(t, a_host_that_is_looked_up_stays_as_long);
	tcase_add_test(t, servers_wait_with_what_forbids_them);
	tcase_add_test(t, the_same_file_changes_nothing);
	tcase_add_test(t, what_can_be_is_applied_at_once);
	tcase_add_test(t, the_order_of_rules_is_a_rule);
	tcase_add_test(t, what_needs_a_restart_is_told_and_kept);
	tcase_add_test(t, agents_come_go_and_change);
	tcase_add_test(t, identities_are_added_behind_those_that_run);
	tcase_add_test(t, a_bad_file_changes_nothing);
	tcase_add_test(t, policies_are_the_dns_engines_too);
	tcase_add_test(t, what_is_said_of_dns_is_told_line_by_line);
	suite_add_tcase(s, t);
	return s;
}
