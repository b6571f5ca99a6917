/* SPDX-License-Identifier: MIT */
/* The tables of sections and keys, and the finding of the nearest name. */
#include "cmd/config/config_schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cmd/config/config_dns.h"
#include "cmd/config/config_nat.h"
#include "cmd/config/config_seeing.h"
#include "cmd/config/config_paths.h"
#include "cmd/config/config_suites.h"
#include "cmd/config/config_value.h"
#include "cmd/config/config_ways.h"

#define HIT_TEXT "a HIT (inside 2001:20::/28)"
#define RULE_TEXT "a HIT, or ADDRESS/LENGTH with no bits set behind LENGTH"
#define IDENTITY_TEXT                                                          \
	"the FILE of an identity in [daemon] or its last part, at most 95 "    \
	"octets, or ephemeral"

const struct config_section config_schema_sections[] = {
	[CONFIG_DAEMON] = { "daemon", NULL, NULL, 1, NULL },
	[CONFIG_PROXY] = { "proxy", NULL, NULL, 1, config_value_proxy },
	[CONFIG_HOST] = { "host", NULL, NULL, 1, config_value_host },
	[CONFIG_RENDEZVOUS] = { "rendezvous", NULL, NULL, 1,
				config_value_rendezvous },
	[CONFIG_SECTION_REGISTER] = { "register", "HIT",
				      HIT_TEXT ", or opportunistic",
				      CONFIG_REGISTER, config_value_register },
	[CONFIG_SECTION_PEER] = { "peer", "HIT", HIT_TEXT, CONFIG_PEERS,
				  config_value_peer },
	[CONFIG_SECTION_POLICY] = { "policy", "\"PATTERN\"",
				    "a name, \"*.NAME\" or \"*\"", CONFIG_RULES,
				    config_value_policy },
	[CONFIG_SECTION_PATHS] = { "paths", NULL, NULL, 1, NULL },
	[CONFIG_SECTION_RECORD] = { "record", "NAME", "a domain name",
				    CONFIG_RECORDS, config_dns_record },
	[CONFIG_SECTION_HTTP] = { "http", NULL, NULL, 1, NULL },
};

#define FILE_NAME "a file name of at most 255 octets"
#define INTERFACE "an interface name of 1 to 15 octets"
#define ACCOUNT "a name of letters, digits, '.', '_' and '-'"
#define LIST_TEXT "names, each once, separated by commas, out of "
#define ENDPOINT_TEXT                                                          \
	"a unicast ADDRESS, or ADDRESS:PORT with an IPv6 address in []"

const struct config_key config_schema_keys[] = {
	{ CONFIG_DAEMON, "tun", INTERFACE, false, 1, config_value_tun },
	{ CONFIG_DAEMON, "workers", "a number 0 (one for each CPU) to 16",
	  false, 1, config_value_workers },
	{ CONFIG_DAEMON, "port", "a UDP port 1 to 65535", false, 1,
	  config_value_port },
	{ CONFIG_DAEMON, "identity", FILE_NAME, false, CONFIG_IDENTITIES,
	  config_value_identity },
	{ CONFIG_DAEMON, "state", FILE_NAME, false, 1, config_value_state },
	{ CONFIG_DAEMON, "control", "a file name of at most 107 octets", false,
	  1, config_value_control },
	{ CONFIG_DAEMON, "control-group", ACCOUNT, false, 1,
	  config_value_control_group },
	{ CONFIG_DAEMON, "offload", "auto, safe or off", false, 1,
	  config_value_offload },
	{ CONFIG_DAEMON, "log", "error, warn, info or debug", false, 1,
	  config_value_log },
	{ CONFIG_DAEMON, "log-level",
	  "a subsystem (control, dns, hip, esp, nat, tun, path, journal or "
	  "http) and error, warn, info or debug",
	  false, LOG_SUB_NUM, config_seeing_log_level },
	{ CONFIG_DAEMON, "anonymous", FILE_NAME, false, CONFIG_IDENTITIES,
	  config_value_anonymous },
	{ CONFIG_DAEMON, "allow", HIT_TEXT, false, CONFIG_ACCESS,
	  config_value_allow },
	{ CONFIG_DAEMON, "opportunistic", "yes or no", false, 1,
	  config_value_opportunistic },
	{ CONFIG_DAEMON, "puzzle", "a number 0 to 20", false, 1,
	  config_value_puzzle },
	{ CONFIG_DAEMON, "rekey-time", "seconds, 60 to 86400", false, 1,
	  config_value_rekey_time },
	{ CONFIG_DAEMON, "rekey-bytes",
	  "octets of one SA, 1048576 to 1099511627776", false, 1,
	  config_value_rekey_bytes },
	{ CONFIG_DAEMON, "rekey-packets",
	  "packets of one SA, 1000 to 281474976710656", false, 1,
	  config_value_rekey_packets },
	{ CONFIG_DAEMON, "notify", "yes or no", false, 1, config_value_notify },
	{ CONFIG_DAEMON, "rekey-dh", "yes or no", false, 1,
	  config_value_rekey_dh },
	{ CONFIG_DAEMON, "behind-nat", "auto, yes or no", false, 1,
	  config_nat_behind },
	{ CONFIG_DAEMON, "keepalive", "seconds, 15 to 3600", false, 1,
	  config_nat_keepalive },
	{ CONFIG_DAEMON, "outer-address",
	  "ADDRESS (IPv4), or ADDRESS for ADDRESS of one family, each once",
	  false, HIP_OUTER_MAX, config_nat_outer },
	{ CONFIG_DAEMON, "user", ACCOUNT, false, 1, config_value_user },
	{ CONFIG_DAEMON, "dh-groups", LIST_TEXT CONFIG_SUITES_DH, false, 1,
	  config_suites_dh_groups },
	{ CONFIG_DAEMON, "hip-ciphers", LIST_TEXT CONFIG_SUITES_CIPHERS, false,
	  1, config_suites_hip_ciphers },
	{ CONFIG_DAEMON, "esp-suites", LIST_TEXT CONFIG_SUITES_ESP, false, 1,
	  config_suites_esp_suites },

	{ CONFIG_PROXY, "prefix",
	  "ADDRESS/LENGTH with no bits set behind LENGTH, as "
	  "2001:db8:401::/64",
	  true, 2, config_value_prefix },
	{ CONFIG_PROXY, "clients",
	  "ADDRESS/LENGTH with no bits set behind LENGTH", false,
	  CONFIG_CLIENTS, config_value_clients },
	{ CONFIG_PROXY, "ttl", "seconds, 1 to 86400", false, 1,
	  config_value_ttl },
	{ CONFIG_PROXY, "substitutes", "a number 16 to 65536", false, 1,
	  config_dns_substitutes },
	{ CONFIG_PROXY, "keep", "seconds, 60 to 86400", false, 1,
	  config_dns_keep },
	{ CONFIG_PROXY, "dns-server", ENDPOINT_TEXT, false, DNS_SERVERS_MAX,
	  config_value_dns_server },
	{ CONFIG_PROXY, "hosts", FILE_NAME, false, 1, config_dns_hosts },
	{ CONFIG_PROXY, "hip-records", "pass or hide", false, 1,
	  config_dns_records },
	{ CONFIG_PROXY, "dnssec", "require, prefer or off", false, 1,
	  config_dns_dnssec },
	{ CONFIG_PROXY, "trust-anchor", FILE_NAME, false, 1,
	  config_dns_trust_anchor },
	{ CONFIG_PROXY, "dnssec-client", "auto, bypass, synthesize or refuse",
	  false, 1, config_dns_client },
	{ CONFIG_PROXY, "encrypted-dns", "discourage or pass", false, 1,
	  config_dns_encrypted },
	{ CONFIG_PROXY, "listen",
	  "an ADDRESS of this machine, or ADDRESS:PORT with an IPv6 address "
	  "in []",
	  false, CONFIG_LISTEN, config_ways_listen },
	{ CONFIG_PROXY, "transparent",
	  "ADDRESS/LENGTH but ::/0, with no bits set behind LENGTH", false,
	  DNS_REAL_MAX, config_ways_transparent },
	{ CONFIG_PROXY, "lan", INTERFACE, false, CONFIG_LANS,
	  config_value_lan },
	{ CONFIG_PROXY, "allow", RULE_TEXT, false, CONFIG_ACCESS,
	  config_value_proxy_allow },
	{ CONFIG_PROXY, "deny", RULE_TEXT, false, CONFIG_ACCESS,
	  config_value_proxy_deny },

	{ CONFIG_HOST, "allow", RULE_TEXT, false, CONFIG_ACCESS,
	  config_value_host_allow },
	{ CONFIG_HOST, "deny", RULE_TEXT, false, CONFIG_ACCESS,
	  config_value_host_deny },
	{ CONFIG_HOST, "opportunistic", "yes or no", false, 1,
	  config_value_answers },

	{ CONFIG_RENDEZVOUS, "allow", RULE_TEXT, false, CONFIG_ACCESS,
	  config_value_rendezvous_allow },
	{ CONFIG_RENDEZVOUS, "deny", RULE_TEXT, false, CONFIG_ACCESS,
	  config_value_rendezvous_deny },
	{ CONFIG_RENDEZVOUS, "opportunistic", "yes or no", false, 1,
	  config_value_answers },

	{ CONFIG_RENDEZVOUS, "relay", "yes or no", false, 1, config_nat_serve },
	{ CONFIG_RENDEZVOUS, "data-relay", "yes or no", false, 1,
	  config_nat_data },
	{ CONFIG_RENDEZVOUS, "relay-ports",
	  "FIRST-LAST (1024 ports at most), or any NUMBER", false, 1,
	  config_nat_ports },
	{ CONFIG_RENDEZVOUS, "relay-rate",
	  "Mbit/s of each client, 0 (no limit) to 100000", false, 1,
	  config_nat_rate },

	{ CONFIG_SECTION_REGISTER, "address", ENDPOINT_TEXT, true,
	  CONFIG_REGISTER_ADDRS, config_value_register_address },
	{ CONFIG_SECTION_REGISTER, "lifetime", "seconds, 1 to 86400", false, 1,
	  config_value_lifetime },
	{ CONFIG_SECTION_REGISTER, "relay", "yes or no", false, 1,
	  config_nat_register },

	{ CONFIG_SECTION_PEER, "address", ENDPOINT_TEXT, false,
	  CONFIG_PEER_ADDRS, config_value_peer_address },
	{ CONFIG_SECTION_PEER, "via-rvs", "yes or no", false, 1,
	  config_value_via_rvs },
	{ CONFIG_SECTION_PEER, "esp-null", "yes or no", false, 1,
	  config_suites_esp_null },
	{ CONFIG_SECTION_PEER, "identity", IDENTITY_TEXT, false, 1,
	  config_value_peer_identity },

	{ CONFIG_SECTION_RECORD, "hit", HIT_TEXT, false, 1, config_dns_hit },
	{ CONFIG_SECTION_RECORD, "hi",
	  "rsa or ecdsa and the key of a HIP record in base64, or more of it",
	  false, CONFIG_HI_LINES, config_dns_hi },
	{ CONFIG_SECTION_RECORD, "address", "a unicast ADDRESS", false,
	  DNS_LOCATORS_MAX, config_dns_address },
	{ CONFIG_SECTION_RECORD, "rvs", "a domain name or a unicast ADDRESS",
	  false, DNS_LOCATORS_MAX, config_dns_rvs },

	{ CONFIG_SECTION_POLICY, "hip", "require, prefer, off or transparent",
	  true, 1, config_value_hip },
	{ CONFIG_SECTION_POLICY, "identity", IDENTITY_TEXT, false, 1,
	  config_value_policy_identity },

	{ CONFIG_SECTION_HTTP, "listen",
	  "ADDRESS:PORT with an IPv6 address in [], or the absolute name of a "
	  "socket of at most 107 octets",
	  true, 1, config_seeing_listen },
	{ CONFIG_SECTION_HTTP, "remote", "yes or no", false, 1,
	  config_seeing_remote },
	{ CONFIG_SECTION_HTTP, "host",
	  "a host name of letters, digits, '.' and '-', at most 95 octets",
	  false, CONFIG_HTTP_HOSTS, config_seeing_host },

	{ CONFIG_SECTION_PATHS, "prefer", "announced, order or link", false, 1,
	  config_paths_prefer },
	{ CONFIG_SECTION_PATHS, "order",
	  "ipv4, ipv6, ADDRESS/LENGTH with no bits set behind LENGTH, or link "
	  "INTERFACE",
	  false, CONFIG_ORDER, config_paths_order },
	{ CONFIG_SECTION_PATHS, "silence", "milliseconds, 250 to 60000", false,
	  1, config_paths_silence },
	{ CONFIG_SECTION_PATHS, "return", "seconds, 1 to 3600", false, 1,
	  config_paths_return },
};

static_assert(sizeof(config_schema_keys) / sizeof(config_schema_keys[0]) ==
		      CONFIG_SCHEMA_KEYS,
	      "one row for each key");

void config_schema_defaults(struct config *c)
{
	memcpy(c->tun, "hip0", sizeof("hip0"));
	memcpy(c->state, "/var/lib/hipgate", sizeof("/var/lib/hipgate"));
	memcpy(c->control, "/run/hipgate/ctl.sock",
	       sizeof("/run/hipgate/ctl.sock"));
	memcpy(c->user, "hipgate", sizeof("hipgate"));
	c->port = 10500;
	c->offload = CONFIG_OFFLOAD_AUTO;
	c->log = LOG_LEVEL_INFO;
	c->puzzle = 0; /* RFC 7401 7: without high load */
	c->ttl = 60;
	c->substitutes = LEASE_MAX;
	c->keep = 600; /* nobody has an address in mind so long */
	c->relay = true;
	c->relay_ports_num = 64;
	c->relay_rate_mbit = 100;
}

const struct config_section *config_schema_section(const char *name)
{
	for (size_t i = 0; i < CONFIG_SECTION_NUM; i++) {
		if (strcmp(config_schema_sections[i].name, name) == 0)
			return &config_schema_sections[i];
	}
	return NULL;
}

const struct config_key *config_schema_key(enum config_section_id section,
					   const char *name)
{
	for (size_t i = 0; i < CONFIG_SCHEMA_KEYS; i++) {
		const struct config_key *k = &config_schema_keys[i];

		if (k->section == section && strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance with one row kept; a is one of our short names. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[32];
	size_t alen = strlen(a);

	assert(alen < sizeof(row) / sizeof(row[0]));
	for (size_t i = 0; i <= alen; i++)
		row[i] = i;
	for (size_t j = 0; b[j]; j++) {
		size_t diagonal = row[0];

		row[0] = j + 1;
		for (size_t i = 0; i < alen; i++) {
			size_t above = row[i + 1];

			row[i + 1] = min3(above + 1, row[i] + 1,
					  diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[alen];
}

/* Further than a third of the name is no likeness. */
void config_schema_nearer(const char *candidate, const char *name,
			  const char **best, size_t *distance)
{
	size_t d = edit_distance(candidate, name);
	size_t limit = strlen(candidate) / 3 > 0 ? strlen(candidate) / 3 : 1;

	if (d > limit || d >= *distance)
		return;
	*best = candidate;
	*distance = d;
}

static void list_append(char *out, size_t cap, const char *name)
{
	size_t used = strlen(out);

	(void)snprintf(out + used, cap - used, "%s%s", used ? ", " : "", name);
}

void config_schema_hint_section(const char *name, char *out, size_t cap)
{
	const char *best = NULL;
	size_t distance = SIZE_MAX;
	char all[128] = "";

	for (size_t i = 0; i < CONFIG_SECTION_NUM; i++) {
		config_schema_nearer(config_schema_sections[i].name, name,
				     &best, &distance);
		list_append(all, sizeof(all), config_schema_sections[i].name);
	}
	if (best)
		(void)snprintf(out, cap, "did you mean [%s]?", best);
	else
		(void)snprintf(out, cap, "there are: %s", all);
}

void config_schema_hint_key(enum config_section_id section, const char *name,
			    char *out, size_t cap)
{
	const struct config_key *elsewhere = NULL;
	const char *best = NULL;
	size_t distance = SIZE_MAX;
	char all[256] = "";

	for (size_t i = 0; i < CONFIG_SCHEMA_KEYS; i++) {
		const struct config_key *k = &config_schema_keys[i];

		if (strcmp(k->name, name) == 0)
			elsewhere = k;
		if (k->section != section)
			continue;
		config_schema_nearer(k->name, name, &best, &distance);
		list_append(all, sizeof(all), k->name);
	}
	if (elsewhere)
		(void)snprintf(out, cap, "it belongs in [%s]",
			       config_schema_sections[elsewhere->section].name);
	else if (best)
		(void)snprintf(out, cap, "did you mean \"%s\"?", best);
	else if (all[0])
		(void)snprintf(out, cap, "there are: %s", all);
	else
		(void)snprintf(out, cap, "this section has no keys");
}
