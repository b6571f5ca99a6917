/* SPDX-License-Identifier: MIT */
/* The configuration file: what is taken, what is refused and in which
 * words. */
#include "cmd/config/config.h"

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define D "[daemon]\nidentity = k.pem\n"
#define P D "[proxy]\nprefix = 2001:db8:401::/64\n"
#define H D "[host]\n"
#define HIT1 "2001:21::77"
#define HIT2 "2001:22:1:2:3:4:5:6"

static struct config *parse_ok(const char *text)
{
	struct config *c = NULL;
	char err[512] = "";
	int rc = config_parse("f.conf", text, &c, err, sizeof(err));

	ck_assert_msg(rc == HG_OK, "%s", err);
	ck_assert_ptr_nonnull(c);
	return c;
}

static void parse_is_refused(const char *text, const char *message)
{
	struct config *c = NULL;
	char err[512] = "";

	ck_assert_int_eq(config_parse("f.conf", text, &c, err, sizeof(err)),
			 HG_EFORMAT);
	ck_assert_ptr_null(c);
	ck_assert_str_eq(err, message);
}

static const char every_key[] =
	"\xef\xbb\xbf; a comment\n"
	"[daemon]\n"
	"tun = hip7\nworkers = 3\nport = 10501\n"
	"identity = /etc/a b.pem\nidentity = b.pem ; why\n"
	"state = /s\ncontrol = /c.sock\ncontrol-group = adm\n"
	"offload = off\nlog = debug\nallow = " HIT1 "\n"
	"allow = " HIT2 "\npuzzle = 20\nuser = _gate\r\n"
	"rekey-time = 60\nrekey-bytes = 1048576\n"
	"rekey-packets = 281474976710656\nrekey-dh = no\nnotify = yes\n"
	"anonymous = /k/c.pem\nopportunistic = yes\n"
	"\t[proxy] # first\n"
	"  prefix = 2001:db8:401::/64\n"
	"  prefix = 198.18.0.0/15\n"
	"\tclients: 2001:db8:400::/64\nclients = 10.0.0.0/8\n"
	"ttl = 5\ndns-server = [::1]:5353\ndns-server = 192.0.2.53\nlan = "
	"eth1\nlan = eth2\n"
	"deny = 203.0.113.0/24\n"
	"[host]\ndeny = 2001:db8::/32\nallow = ::/0\n"
	"opportunistic = yes\n"
	"[ rendezvous ]\nallow = 192.0.2.7\nopportunistic = no\n"
	"[register " HIT1 "]\naddress = 192.0.2.9\nlifetime = 7\n"
	"[peer " HIT2 "]\naddress = [2001:db8::1]:99\n"
	"address = 192.0.2.1\nvia-rvs = yes\nidentity = c.pem\n"
	"[register opportunistic]\naddress = 192.0.2.8\n"
	"[policy \"*.Foo.COM.\"] ; theirs\nhip = require\n"
	"identity = ephemeral\n"
	"[policy \"bar.example\"]\nhip = off\n[policy *]\nhip=prefer";

START_TEST(takes_every_key_of_the_daemon)
{
	struct config *c = parse_ok(every_key);

	ck_assert_str_eq(c->tun, "hip7");
	ck_assert_uint_eq(c->workers, 3);
	ck_assert_uint_eq(c->port, 10501);
	ck_assert_uint_eq(c->identity_num, 3);
	ck_assert(!c->anonymous[1] && c->anonymous[2]);
	ck_assert_str_eq(c->identity[0], "/etc/a b.pem");
	ck_assert_str_eq(c->identity[1], "b.pem");
	ck_assert_str_eq(c->state, "/s");
	ck_assert_str_eq(c->control, "/c.sock");
	ck_assert_str_eq(c->control_group, "adm");
	ck_assert_int_eq(c->offload, CONFIG_OFFLOAD_OFF);
	ck_assert_int_eq(c->log, LOG_LEVEL_DEBUG);
	/* [daemon] allow stands in both lists, in its place. */
	ck_assert_uint_eq(c->access[CONFIG_ROLE_HOST].num, 4);
	ck_assert(c->access[CONFIG_ROLE_HOST].rules[1].by_hit);
	ck_assert(!c->access[CONFIG_ROLE_HOST].rules[2].allow);
	ck_assert_uint_eq(c->access[CONFIG_ROLE_HOST].rules[2].prefix.len, 32);
	ck_assert(c->access[CONFIG_ROLE_HOST].rules[3].allow);
	ck_assert_uint_eq(c->access[CONFIG_ROLE_RENDEZVOUS].num, 3);
	ck_assert_uint_eq(c->access[CONFIG_ROLE_RENDEZVOUS].rules[2].prefix.len,
			  128);
	ck_assert_uint_eq(c->access[CONFIG_ROLE_PROXY].num, 1);
	ck_assert(c->opportunistic && c->answers_opportunistic);
	ck_assert(c->notify);
	ck_assert_uint_eq(c->puzzle, 20);
	ck_assert_uint_eq(c->rekey.after_s, 60);
	ck_assert_uint_eq(c->rekey.after_bytes, 1048576);
	ck_assert_uint_eq(c->rekey.after_packets, 281474976710656);
	ck_assert(c->rekey.reuse);
	ck_assert_str_eq(c->user, "_gate");
	config_free(c);
}
END_TEST

START_TEST(takes_every_key_of_the_roles)
{
	struct config *c = parse_ok(every_key);
	struct endpoint e;

	ck_assert(c->proxy && c->host && c->rendezvous);
	ck_assert_uint_eq(c->pool6.len, 64);
	ck_assert_uint_eq(c->pool4.len, 96 + 15);
	ck_assert_uint_eq(c->clients_num, 2);
	ck_assert_uint_eq(c->ttl, 5);
	ck_assert_uint_eq(c->dns_servers_num, 2);
	ck_assert_uint_eq(c->dns_servers[0].port, 5353);
	ck_assert_uint_eq(c->dns_servers[1].port, 53);
	ck_assert_uint_eq(c->lan_num, 2);
	ck_assert_str_eq(c->lan[1], "eth2");
	ck_assert_uint_eq(c->reg_num, 2);
	ck_assert(hit_is_null(&c->reg[1].rvs));
	ck_assert_uint_eq(c->reg[0].lifetime_s, 7);
	ck_assert_int_eq(endpoint_parse("192.0.2.9:10500", 0, &e), HG_OK);
	ck_assert(endpoint_eq(&c->reg[0].at[0], &e));
	ck_assert_uint_eq(c->peers_num, 1);
	ck_assert_uint_eq(c->peers[0].at_num, 2);
	ck_assert_uint_eq(c->peers[0].at[0].port, 99);
	ck_assert(c->peers[0].via_rvs);
	ck_assert_str_eq(c->peers[0].identity, "c.pem");
	ck_assert_uint_eq(config_identity(c, "c.pem"), 2);
	ck_assert_uint_eq(config_identity(c, "/k/c.pem"), 2);
	ck_assert_uint_eq(config_identity(c, "b"), 3);
	ck_assert_str_eq(c->rule_identity[0], CONFIG_EPHEMERAL);
	ck_assert_str_eq(c->rule_identity[1], "");
	ck_assert_uint_eq(c->rules_num, 3);
	ck_assert_str_eq(c->rules[0].pattern, "*.foo.com");
	ck_assert_int_eq(c->rules[0].mode, DNS_REQUIRE);
	ck_assert_int_eq(c->rules[1].mode, DNS_OFF);
	ck_assert_str_eq(c->rules[2].pattern, "*");
	config_free(c);
}
END_TEST

START_TEST(offload_is_one_of_three_words)
{
	static const char *const word[CONFIG_OFFLOAD_NUM] = { "off", "safe",
							      "auto" };
	char text[128];

	for (unsigned i = 0; i < CONFIG_OFFLOAD_NUM; i++) {
		struct config *c;

		(void)snprintf(text, sizeof(text),
			       D "offload = %s\n[proxy]\n"
				 "prefix = 2001:db8:401::/64\n",
			       word[i]);
		c = parse_ok(text);
		ck_assert_int_eq(c->offload, i);
		ck_assert_str_eq(config_offload_name(c->offload), word[i]);
		config_free(c);
	}
}
END_TEST

START_TEST(defaults_stand_for_what_is_not_said)
{
	struct config *c = parse_ok(P);

	ck_assert_str_eq(c->tun, "hip0");
	ck_assert_uint_eq(c->workers, 0);
	ck_assert_uint_eq(c->port, 10500);
	ck_assert_int_eq(c->offload, CONFIG_OFFLOAD_AUTO);
	ck_assert_int_eq(c->log, LOG_LEVEL_INFO);
	ck_assert_uint_eq(c->puzzle, 0);
	ck_assert_uint_eq(c->ttl, 60);
	ck_assert_str_eq(c->user, "hipgate");
	ck_assert_str_eq(c->control, "/run/hipgate/ctl.sock");
	ck_assert_uint_eq(c->pool4.len, 0);
	ck_assert_uint_eq(c->dns_servers_num, 0);
	ck_assert(!c->host && !c->rendezvous);
	ck_assert(!c->opportunistic && !c->answers_opportunistic);
	ck_assert(!c->notify);
	for (size_t i = 0; i < CONFIG_ROLE_NUM; i++)
		ck_assert_uint_eq(c->access[i].num, 0);
	config_free(c);
}
END_TEST

static const struct refusal {
	const char *text;
	const char *message;
} refusals[] = {
	{ D "[proxy]\nprefx = ::/0\n",
	  "f.conf:4: unknown key \"prefx\" in [proxy]; did you mean "
	  "\"prefix\"?" },
	{ D "[proxy]\npuzzle = 3\n",
	  "f.conf:4: unknown key \"puzzle\" in [proxy]; it belongs in "
	  "[daemon]" },
	{ P "colour = red\n",
	  "f.conf:5: unknown key \"colour\" in [proxy]; there are: prefix, "
	  "clients, ttl, substitutes, keep, dns-server, hosts, hip-records, "
	  "dnssec, trust-anchor, dnssec-client, encrypted-dns, listen, "
	  "transparent, lan, "
	  "allow, deny" },
	{ H "colour = red\n",
	  "f.conf:4: unknown key \"colour\" in [host]; there are: allow, "
	  "deny, opportunistic" },
	{ D "[prxy]\n",
	  "f.conf:3: unknown section [prxy]; did you mean [proxy]?" },
	{ D "[wireguard]\n",
	  "f.conf:3: unknown section [wireguard]; there are: daemon, proxy, "
	  "host, rendezvous, register, peer, policy, paths, record, http" },
	{ "port = 1\n" H,
	  "f.conf:1: \"port\" stands before any section; begin with "
	  "[daemon]" },
	{ D "port = 1\nport = 1\n",
	  "f.conf:4: port is there already in this section; remove one" },
	{ D "identity = k.pem\n",
	  "f.conf:3: identity = k.pem is there already; remove one" },
	{ P "prefix = 2001:db8:402::/64\n",
	  "f.conf:5: second prefix of one family: 2001:db8:402::/64; at most "
	  "one for IPv6 and one for IPv4" },
	{ P "[proxy]\n",
	  "f.conf:5: section [proxy] is there already, in line 3; merge the "
	  "two" },
	{ H "[peer " HIT1 "]\naddress=192.0.2.1\n[peer " HIT1 "]\n",
	  "f.conf:6: [peer " HIT1 "] is there already; merge the two" },
	{ P "[policy a.b]\nhip=off\n[policy A.B.]\n",
	  "f.conf:7: [policy A.B.] is there already; merge the two" },
	{ D "port = 0\n", "f.conf:3: bad value \"0\" for port: expected a UDP "
			  "port 1 to 65535" },
	{ D "port = 65536\n",
	  "f.conf:3: bad value \"65536\" for port: expected a UDP port 1 to "
	  "65535" },
	{ D "puzzle = 21\n",
	  "f.conf:3: bad value \"21\" for puzzle: expected a number 0 to 20" },
	{ D "rekey-time = 59\n",
	  "f.conf:3: bad value \"59\" for rekey-time: expected seconds, 60 to "
	  "86400" },
	{ D "rekey-packets = 281474976710657\n",
	  "f.conf:3: bad value \"281474976710657\" for rekey-packets: expected "
	  "packets of one SA, 1000 to 281474976710656" },
	{ D "notify = always\n",
	  "f.conf:3: bad value \"always\" for notify: expected yes or no" },
	{ D "rekey-dh = maybe\n",
	  "f.conf:3: bad value \"maybe\" for rekey-dh: expected yes or no" },
	{ D "puzzle = -1\n",
	  "f.conf:3: bad value \"-1\" for puzzle: expected a number 0 to 20" },
	{ D "log = loud\n", "f.conf:3: bad value \"loud\" for log: expected "
			    "error, warn, info or debug" },
	{ D "offload = on\n", "f.conf:3: bad value \"on\" for offload: "
			      "expected auto, safe or off" },
	{ D "tun =\n", "f.conf:3: bad value \"\" for tun: expected an "
		       "interface name of 1 to 15 octets" },
	{ D "tun = abcdefghijklmnop\n",
	  "f.conf:3: bad value \"abcdefghijklmnop\" for tun: expected an "
	  "interface name of 1 to 15 octets" },
	{ D "user = a b\n",
	  "f.conf:3: bad value \"a b\" for user: expected a name of letters, "
	  "digits, '.', '_' and '-'" },
	{ D "allow = 2001:db8::1\n",
	  "f.conf:3: bad value \"2001:db8::1\" for allow: expected a HIT "
	  "(inside 2001:20::/28)" },
	{ D "[proxy]\nprefix = 2001:db8::1/64\n",
	  "f.conf:4: bad value \"2001:db8::1/64\" for prefix: expected "
	  "ADDRESS/LENGTH with no bits set behind LENGTH, as "
	  "2001:db8:401::/64" },
	{ D "log = a\033[2Jb\n",
	  "f.conf:3: bad value \"a?[2Jb\" for log: expected error, warn, "
	  "info or debug" },
	{ D "nonsense\n[proxy]\nprefx = 1\n",
	  "f.conf:3: neither a section nor KEY = VALUE" },
	{ D "[proxy\n", "f.conf:3: the section line is not closed; write "
			"[NAME] or [NAME ARGUMENT]" },
	{ D "[policy \"x]\n", "f.conf:3: the section line is not closed; "
			      "write [NAME] or [NAME ARGUMENT]" },
	{ D "[proxy] x\n", "f.conf:3: only a comment may stand behind ']'" },
	{ D "[proxy x]\n", "f.conf:3: [proxy] takes nothing behind its name" },
	{ H "[peer]\n", "f.conf:4: [peer] needs a HIT (inside "
			"2001:20::/28): write [peer HIT]" },
	{ H "[peer 2001:db8::1]\n",
	  "f.conf:4: bad [peer \"2001:db8::1\"]: expected a HIT (inside "
	  "2001:20::/28)" },
	{ P "[policy \"a..b\"]\n",
	  "f.conf:5: bad [policy \"a..b\"]: expected a name, \"*.NAME\" or "
	  "\"*\"" },
	{ P "[policy \"a.*\"]\n",
	  "f.conf:5: bad [policy \"a.*\"]: expected a name, \"*.NAME\" or "
	  "\"*\"" },
	{ P "[policy \"a\"]\n[host]\n",
	  "f.conf:5: [policy] has no hip; add hip = with require, prefer, "
	  "off or transparent" },
	{ D "[proxy]\nttl = 3\n",
	  "f.conf:3: [proxy] has no prefix; add prefix = with ADDRESS/LENGTH "
	  "with no bits set behind LENGTH, as 2001:db8:401::/64" },
	{ H "[register " HIT1 "]\nlifetime = 9\n",
	  "f.conf:4: [register] has no address; add address = with a unicast "
	  "ADDRESS, or ADDRESS:PORT with an IPv6 address in []" },
	{ H "[register " HIT1 "]\naddress = ff02::1\n",
	  "f.conf:5: bad value \"ff02::1\" for address: expected a unicast "
	  "ADDRESS, or ADDRESS:PORT with an IPv6 address in []" },
	{ D, "f.conf: no role; add a section [proxy], [host] or "
	     "[rendezvous]" },
	{ "", "f.conf: no role; add a section [proxy], [host] or "
	      "[rendezvous]" },
	{ "[host]\n",
	  "f.conf: no identity; make one with \"hipgate keygen FILE\" and add "
	  "identity = FILE to [daemon]" },
	{ H "[policy x]\nhip = off\n",
	  "f.conf:4: [policy] serves the proxy only; add [proxy] or remove "
	  "it" },
	{ P "[peer " HIT1 "]\naddress = 192.0.2.1\n",
	  "f.conf:5: address in [peer] serves the host role only; add [host] "
	  "or remove it" },
	{ H "[peer " HIT1 "]\nidentity = k.pem\n",
	  "f.conf:5: identity in [peer] serves the proxy only; add [proxy] or "
	  "remove it" },
	{ H "[peer " HIT1 "]\naddress = 192.0.2.1\n[peer " HIT2 "]\n",
	  "f.conf:6: [peer] says nothing; add address = ADDRESS or identity = "
	  "FILE" },
	{ P "[peer " HIT1 "]\nidentity = x.pem\n",
	  "f.conf:6: identity = x.pem is none of [daemon]; add identity = FILE "
	  "or anonymous = FILE there, or write ephemeral" },
	{ P "[policy a]\nhip = off\nidentity = k.pem\n"
	    "[policy b]\nhip = off\nidentity = Ephemeral\n",
	  "f.conf:10: identity = Ephemeral is none of [daemon]; add identity = "
	  "FILE or anonymous = FILE there, or write ephemeral" },
	{ "[daemon]\nanonymous = k.pem\n[host]\n",
	  "f.conf: the first identity is the default one and cannot be "
	  "anonymous; put an identity = FILE before anonymous = k.pem" },
	{ D "anonymous = k.pem\n",
	  "f.conf:3: anonymous = k.pem is there already; remove one" },
	{ H "[register " HIT1 "]\naddress = 192.0.2.1\n"
	    "[register opportunistic]\naddress = 192.0.2.2\n",
	  "f.conf:6: [register opportunistic] trusts whoever answers; write "
	  "the agent's HIT, or allow it with opportunistic = yes in [daemon]" },
	{ H "[register anybody]\n",
	  "f.conf:4: bad [register \"anybody\"]: expected a HIT (inside "
	  "2001:20::/28), or opportunistic" },
	{ H "allow = 192.0.2.1/24\n",
	  "f.conf:4: bad value \"192.0.2.1/24\" for allow: expected a HIT, or "
	  "ADDRESS/LENGTH with no bits set behind LENGTH" },
	{ H "deny = 2001:20::/28\n",
	  "f.conf:4: bad value \"2001:20::/28\" for deny: expected a HIT, or "
	  "ADDRESS/LENGTH with no bits set behind LENGTH" },
	{ H "deny = " HIT1 "\nallow = " HIT1 "\n",
	  "f.conf:5: allow = 2001:21::77 is there already; remove one" },
	{ D "allow = " HIT1 "\n[rendezvous]\ndeny = " HIT1 "\n",
	  "f.conf:5: deny = 2001:21::77 is there already; remove one" },
	{ H "opportunistic = maybe\n",
	  "f.conf:4: bad value \"maybe\" for opportunistic: expected yes or "
	  "no" },
	{ D "deny = " HIT1 "\n",
	  "f.conf:3: unknown key \"deny\" in [daemon]; it belongs in "
	  "[rendezvous]" },
	{ D "[proxy]\nprefix = 2001:db8::/113\n",
	  "f.conf:4: prefix 2001:db8::/113 has too few addresses; take /112 "
	  "or shorter, best a /64" },
	{ P "prefix = 192.0.2.0/31\n",
	  "f.conf:5: prefix 192.0.2.0/31 has too few addresses; take /30 or "
	  "shorter" },
	{ D "[proxy]\nprefix = 2001:20::/64\n",
	  "f.conf:4: prefix 2001:20::/64 overlaps 2001:20::/28, which are "
	  "HITs (RFC 7343); take another prefix" },
	{ D "[proxy]\nprefix = 2001::/16\n",
	  "f.conf:4: prefix 2001::/16 overlaps 2001:20::/28, which are HITs "
	  "(RFC 7343); take another prefix" },
	{ D "[proxy]\nprefix = 127.1.0.0/16\n",
	  "f.conf:4: prefix 127.1.0.0/16 overlaps 127.0.0.0/8, which are "
	  "loopback; take another prefix" },
	{ P "clients = 2001:db8:401:0:1::/80\n",
	  "f.conf:5: clients = 2001:db8:401:0:1::/80 lies inside prefix = "
	  "2001:db8:401::/64, where only substitute addresses are; name the "
	  "clients' own addresses" },
	{ P "dns-server = 2001:db8:401::53\n",
	  "f.conf:5: dns-server lies inside prefix = 2001:db8:401::/64, where "
	  "only substitute addresses are" },
	{ P "lan = eth0\nlan = hip0\n",
	  "f.conf:6: lan = hip0 is the TUN itself; name the interface the "
	  "clients are on" },
};

START_TEST(refuses_in_words_that_help)
{
	parse_is_refused(refusals[_i].text, refusals[_i].message);
}
END_TEST

START_TEST(boundary_prefixes_are_taken)
{
	config_free(parse_ok(D "[proxy]\nprefix = 2001:db8::/112\n"
			       "prefix = 192.0.2.0/30\n"
			       "clients = 10.0.0.0/8\nclients = ::/0\n"
			       "dns-server = 127.0.0.53\n"));
}
END_TEST

START_TEST(bounds_are_kept)
{
	char text[4096] = "[host]\n[daemon]\n";

	for (int i = 0; i < CONFIG_IDENTITIES; i++)
		(void)snprintf(text + strlen(text), 64, "identity = k%d\n", i);
	config_free(parse_ok(text));
	strcat(text, "identity = more\n");
	parse_is_refused(text,
			 "f.conf:11: too many lines identity =; at most 8");
}
END_TEST

START_TEST(long_lines_are_refused_and_not_cut)
{
	char text[2048] = D "[host]\n[proxy]\n# ";
	size_t len = strlen(text);

	memset(text + len, 'x', 600);
	parse_is_refused(text, "f.conf:4: [proxy] has no prefix; add prefix = "
			       "with ADDRESS/LENGTH with no bits set behind "
			       "LENGTH, as 2001:db8:401::/64");
	memcpy(text + len - 2, "state = ", 8);
	parse_is_refused(text,
			 "f.conf:5: the line is too long; at most 198 octets");
}
END_TEST

START_TEST(a_pattern_may_be_as_long_as_a_name)
{
	char text[1024];
	char pattern[256];
	struct config *c;

	memset(pattern, 'a', sizeof(pattern));
	for (size_t i = 63; i < 253; i += 64)
		pattern[i] = '.';
	pattern[253] = '\0';
	(void)snprintf(text, sizeof(text), P "[policy \"%s\"]\nhip = off\n",
		       pattern);
	c = parse_ok(text);
	ck_assert_str_eq(c->rules[0].pattern, pattern);
	config_free(c);
	pattern[253] = 'a';
	pattern[254] = '\0';
	(void)snprintf(text, sizeof(text), P "[policy \"%s\"]\nhip = off\n",
		       pattern);
	ck_assert_int_eq(config_parse("f", text, &c, text, sizeof(text)),
			 HG_EFORMAT);
}
END_TEST

START_TEST(any_one_changed_octet_is_taken_or_refused_cleanly)
{
	static const char good[] =
		P "lan = eth0\n[host]\n[register " HIT1
		  "]\naddress = 192.0.2.9:1\n[policy \"*.foo\"] ;\nhip = off\n";
	uint32_t seed = randombytes_random();
	unsigned refused = 0;

	printf("seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 8000; i++) {
		char text[sizeof(good)];
		char err[256] = "";
		struct config *c = NULL;
		int rc;

		memcpy(text, good, sizeof(good));
		text[random() % (sizeof(good) - 1)] = (char)(random() % 256);
		rc = config_parse("f", text, &c, err, sizeof(err));
		ck_assert_int_eq(rc == HG_OK, c != NULL);
		ck_assert_int_eq(rc != HG_OK, err[0] != '\0');
		refused += rc != HG_OK;
		config_free(c);
	}
	ck_assert_uint_gt(refused, 0);
}
END_TEST

/* ---- files ----------------------------------------------------------- */

static char path[64];

static void write_file(const void *data, size_t len, mode_t mode)
{
	int fd;

	strcpy(path, "/tmp/hipgate-config-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

START_TEST(a_key_file_of_the_owner_alone_is_read)
{
	char err[256];
	char *pem;
	size_t len;

	write_file("secret", 6, 0600);
	ck_assert_int_eq(config_read_key(path, &pem, &len, err, sizeof(err)),
			 HG_OK);
	ck_assert_uint_eq(len, 6);
	ck_assert_str_eq(pem, "secret");
	free(pem);
	unlink(path);
}
END_TEST

START_TEST(a_key_file_that_others_can_use_is_refused)
{
	static const mode_t modes[] = { 0640, 0620, 0610, 0604, 0602, 0601 };
	char err[256];
	char *pem;
	size_t len;

	write_file("secret", 6, modes[_i]);
	ck_assert_int_eq(config_read_key(path, &pem, &len, err, sizeof(err)),
			 HG_EPERM);
	ck_assert_ptr_nonnull(strstr(err, "chmod 600 /tmp/hipgate-config-"));
	unlink(path);
}
END_TEST

START_TEST(a_key_file_is_bounded)
{
	static const char big[16 * 1024 + 1];
	char err[256];
	char *pem;
	size_t len;

	write_file(big, sizeof(big) - 1, 0600);
	ck_assert_int_eq(config_read_key(path, &pem, &len, err, sizeof(err)),
			 HG_OK);
	free(pem);
	unlink(path);
	write_file(big, sizeof(big), 0600);
	ck_assert_int_eq(config_read_key(path, &pem, &len, err, sizeof(err)),
			 HG_EFULL);
	unlink(path);
	ck_assert_int_eq(config_read_key(path, &pem, &len, err, sizeof(err)),
			 HG_ESYS);
	ck_assert_int_eq(config_read_key("/tmp", &pem, &len, err, sizeof(err)),
			 HG_EFORMAT);
}
END_TEST

START_TEST(a_file_is_loaded_and_named_in_messages)
{
	struct config *c = NULL;
	char err[256];
	char expect[256];

	write_file(H, sizeof(H) - 1, 0644);
	ck_assert_int_eq(config_load(path, &c, err, sizeof(err)), HG_OK);
	config_free(c);
	unlink(path);
	c = NULL;
	write_file(H "x\0y", sizeof(H) + 2, 0644);
	ck_assert_int_eq(config_load(path, &c, err, sizeof(err)), HG_EFORMAT);
	ck_assert_ptr_nonnull(strstr(err, "NUL octet"));
	unlink(path);
	write_file(D, sizeof(D) - 1, 0644);
	ck_assert_int_eq(config_load(path, &c, err, sizeof(err)), HG_EFORMAT);
	(void)snprintf(expect, sizeof(expect), "%s: no role", path);
	ck_assert_int_eq(strncmp(err, expect, strlen(expect)), 0);
	unlink(path);
	ck_assert_int_eq(config_load(path, &c, err, sizeof(err)), HG_ESYS);
	ck_assert_ptr_null(c);
}
END_TEST

Suite *test_config_suite(void)
{
	Suite *s = suite_create("config");
	TCase *t = tcase_create("config");

	tcase_set_timeout(t, 60); /* many parses, perhaps sanitized */
	tcase_add_test(t, takes_every_key_of_the_daemon);
	tcase_add_test(t, takes_every_key_of_the_roles);
	tcase_add_test(t, offload_is_one_of_three_words);
	tcase_add_test(t, defaults_stand_for_what_is_not_said);
	tcase_add_loop_test(t, refuses_in_words_that_help, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(t, boundary_prefixes_are_taken);
	tcase_add_test(t, bounds_are_kept);
	tcase_add_test(t, long_lines_are_refused_and_not_cut);
	tcase_add_test(t, a_pattern_may_be_as_long_as_a_name);
	tcase_add_test(t, any_one_changed_octet_is_taken_or_refused_cleanly);
	tcase_add_test(t, a_key_file_of_the_owner_alone_is_read);
	tcase_add_loop_test(t, a_key_file_that_others_can_use_is_refused, 0, 6);
	tcase_add_test(t, a_key_file_is_bounded);
	tcase_add_test(t, a_file_is_loaded_and_named_in_messages);
	suite_add_tcase(s, t);
	return s;
}
