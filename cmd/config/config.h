/* SPDX-License-Identifier: MIT */
/* The configuration file: one strict schema for all three programs.
 *
 * INI as WireGuard and systemd write it. Unknown sections or keys, repeated
 * single keys and bad values are refused with file, line and, for names,
 * the nearest valid one. Nothing is opened, made or changed here but the
 * file itself is read.
 *
 *   [daemon]                      [proxy]
 *   tun = hip0                    prefix = 2001:db8:401::/64   (repeat: IPv4)
 *   workers = 2                   clients = 2001:db8:400::/64  (repeat)
 *   port = 10500                  ttl = 60
 *   identity = FILE  (repeat)     dns-server = ADDRESS  (repeat: where our
 *   state = DIR                          own questions go)
 *   control = FILE                lan = eth1  (repeat; hipgate-setup: DNS
 *   control-group = NAME                     from here is steered)
 *   offload = auto|safe|off       [host]
 *   log = error|warn|info|debug   [rendezvous]
 *   allow = HIT  (repeat)         [register HIT]      we register there
 *   puzzle = 0..20                address = ADDRESS   lifetime = SECONDS
 *   rekey-time = 3600             [register opportunistic]  whoever it is
 *   rekey-bytes = N               [peer HIT]          host role: where it is
 *   rekey-packets = N             address = ADDRESS[:PORT]  (repeat)
 *   rekey-dh = yes|no             via-rvs = no
 *   notify = no                   (tell refused peers why)
 *   user = NAME                   esp-null = no (yes: ESP to and from it
 *   dh-groups = NAME, NAME...                    may be readable by all)
 *   hip-ciphers = NAME, NAME...   identity = FILE|ephemeral
 *   esp-suites = NAME, NAME...    [policy "PATTERN"]
 *   anonymous = FILE  (repeat)    hip = require|prefer|off|transparent
 *   opportunistic = no            identity = FILE|ephemeral
 *   [paths]                       several ways to a HIP host
 *   prefer = announced|order|link    order = ipv4|ipv6|PREFIX|link NAME
 *   silence = MILLISECONDS           return = SECONDS  (order: repeat)
 * NATs (RFC 9028): [daemon] behind-nat = auto|yes|no, keepalive = SECONDS,
 * outer-address = ADDRESS [for ADDRESS] (repeat);
 * [rendezvous] relay = yes|no; [register] relay = no|yes. A data relay:
 * [rendezvous] data-relay = no|yes, relay-ports = FIRST-LAST | any NUMBER,
 * relay-rate = MBIT (a second, of each client; 0: any).
 * [proxy] too: hip-records = pass|hide (clients' own queries for them)
 *   dnssec-client = auto|bypass|synthesize|refuse (who validates itself)
 *   encrypted-dns = discourage|pass (what invites clients to it)
 *   listen = ADDRESS[:PORT] (repeat; DNS, beside the prefix's own address)
 *   transparent = PREFIX (repeat; real addresses, routed into the TUN)
 *   hosts = FILE (as /etc/hip/hosts: HIT NAME... [ADDRESS...] [rvs=WHERE]...)
 *   dnssec = require|prefer|off; trust-anchor = FILE (DS or DNSKEY records;
 *     without it CONFIG_ROOT_KEY)
 * [record NAME]: a HIP host that no DNS server need know. hit = HIT, or hi =
 *   rsa|ecdsa BASE64 (repeat: more of it); address = ADDRESS (repeat), or
 *   rvs = NAME|ADDRESS (repeat)
 * [daemon] log-level = SUBSYSTEM LEVEL (repeat)
 * [http]: metrics and the status page. listen = 127.0.0.1:9464 | FILE;
 *   remote = no|yes (an address that is not loopback); host = NAME (repeat)
 * Sections may go on in files of conf.d beside it (config_load).
 * A section turns its role on, but for [paths], [record] and [http]. [host],
 * [rendezvous] and [proxy] take access
 * rules, allow = HIT|PREFIX and deny = HIT|PREFIX (docs/access.md); [host]
 * and [rendezvous] take opportunistic = yes|no.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/log.h"
#include "dns/dns.h"
#include "hip/hip.h"

/* Where Debian has the root's keys. */
#define CONFIG_ROOT_KEY "/usr/share/dns/root.key"

enum {
	CONFIG_IDENTITIES = 8,
	CONFIG_CLIENTS = 64,
	CONFIG_ACCESS = 16384, /* of one role */
	CONFIG_RULES = 256,
	CONFIG_REGISTER = 8,
	CONFIG_REGISTER_ADDRS = 8,
	CONFIG_PEERS = 256,
	CONFIG_PEER_ADDRS = 8,
	CONFIG_LANS = 16,
	CONFIG_LISTEN = 8,
	CONFIG_ORDER = 32, /* prefixes, interfaces */
	CONFIG_RECORDS = 4096,
	CONFIG_FILES = 64, /* the file itself and those in conf.d */
	CONFIG_HTTP_HOSTS = 8,
	CONFIG_PATH = 256,
	CONFIG_NAME = 96 /* of an identity, in a policy */
};

/* Whose rule: the order of config.access. */
enum config_role {
	CONFIG_ROLE_HOST,
	CONFIG_ROLE_RENDEZVOUS,
	CONFIG_ROLE_PROXY,
	CONFIG_ROLE_NUM
};

/* allow = or deny =, of a HIT or a prefix. */
struct config_rule {
	bool allow;
	bool by_hit;
	struct hit hit;
	struct prefix prefix;
};

/* The rules of one role, in the order of the file. */
struct config_access {
	struct config_rule *rules; /* heap */
	size_t num;
	size_t room;
};

/* How much is left to the kernel: cmd/hipgated/offload.h says what. */
enum config_offload {
	CONFIG_OFFLOAD_OFF,
	CONFIG_OFFLOAD_SAFE,
	CONFIG_OFFLOAD_AUTO,
	CONFIG_OFFLOAD_NUM
};

struct config_register {
	struct hit rvs; /* null: [register opportunistic] */
	struct endpoint at[CONFIG_REGISTER_ADDRS];
	size_t at_num; /* 1 where rvs is null */
	uint32_t lifetime_s;
	bool relay; /* for RELAY_UDP_HIP, else RENDEZVOUS */
};

struct config_peer {
	struct hit hit;
	struct endpoint at[CONFIG_PEER_ADDRS];
	size_t at_num;
	bool via_rvs;  /* the addresses are those of rendezvous servers */
	bool esp_null; /* ESP to it may go without encryption */
	char identity[CONFIG_NAME]; /* "": the default; or "ephemeral" */
};

/* struct hip_path_policy, as the file has it. */
struct config_paths {
	enum hip_prefer prefer;
	struct config_order {
		struct prefix prefix;
		char link[16]; /* an interface instead: what it has; or "" */
	} order[CONFIG_ORDER];
	size_t order_num;
	uint32_t silence_ms;
	uint32_t return_s;
};

extern const char *const config_paths_prefers[HIP_PREFER_NUM];
enum { CONFIG_NAT_NUM = HIP_NAT_NO + 1 };
extern const char *const config_nat_words[CONFIG_NAT_NUM];

/* Where metrics and the status page are; listen.port 0 and path "": nowhere. */
struct config_http {
	struct endpoint listen;
	char path[CONFIG_PATH];			   /* of a UNIX socket */
	bool remote;				   /* not only on loopback */
	char host[CONFIG_HTTP_HOSTS][CONFIG_NAME]; /* lower case */
	size_t host_num;
};

/* A [record], or a line of the hosts file. */
struct config_record {
	struct dns_record r;
	unsigned line;
};

struct config {
	char *files[CONFIG_FILES]; /* what was read; heap */
	size_t files_num;
	char tun[16];	  /* default hip0 */
	unsigned workers; /* default: 0 = one for each CPU, at most 8 */
	uint16_t port;	  /* default 10500 */
	char identity[CONFIG_IDENTITIES][CONFIG_PATH];
	bool anonymous[CONFIG_IDENTITIES]; /* the A bit (RFC 7401 5.1.2) */
	size_t identity_num;
	char state[CONFIG_PATH];
	char control[CONFIG_PATH];
	bool home; /* state and control are a user's own by default */
	char control_group[64];
	enum config_offload offload; /* default auto */
	enum log_level log;
	uint8_t log_sub[LOG_SUB_NUM]; /* 1 + its own level; 0: as `log` */
	struct config_access access[CONFIG_ROLE_NUM];
	bool opportunistic; /* may we begin without knowing a HIT? */
	bool notify; /* tell a peer whose puzzle is solved why it is refused */
	uint8_t puzzle; /* default 8 */
	struct hip_rekey rekey;
	struct hip_offer offer; /* empty lists: the engine's own */
	struct config_paths paths;
	enum hip_behind_nat behind_nat;
	uint32_t keepalive_s; /* 0: the engine's own */
	struct hip_outer outer[HIP_OUTER_MAX];
	size_t outer_num;
	struct config_http http;
	char user[64]; /* hipgate-setup: who owns the TUN */

	bool proxy;
	struct prefix pool6; /* len 0: none */
	struct prefix pool4;
	struct prefix clients[CONFIG_CLIENTS];
	size_t clients_num;
	uint32_t ttl;
	uint32_t substitutes; /* HIP hosts that can have one at a time */
	uint32_t keep;	      /* s, beyond the TTL */
	struct endpoint dns_servers[DNS_SERVERS_MAX];
	size_t dns_servers_num;
	struct endpoint listen[CONFIG_LISTEN];
	size_t listen_num;
	struct prefix real[DNS_REAL_MAX]; /* transparent = */
	size_t real_num;
	char hosts[CONFIG_PATH];       /* "": none */
	struct config_record *records; /* of both; heap */
	size_t records_num;
	bool hide_records;  /* HIP records, from clients */
	bool encrypted_dns; /* invitations to it are passed on */
	enum dns_dnssec dnssec;
	char trust_anchor[CONFIG_PATH];
	enum dns_validating validating;
	char lan[CONFIG_LANS][16];
	size_t lan_num;
	struct dns_rule rules[CONFIG_RULES];
	char rule_identity[CONFIG_RULES][CONFIG_NAME]; /* as in config_peer */
	unsigned rule_line[CONFIG_RULES];	       /* of the section */
	size_t rules_num;

	bool host;
	bool rendezvous;
	bool relay;	     /* the rendezvous role is a control relay, too, */
	bool data_relay;     /*  and relays data */
	uint16_t relay_port; /* the first one; 0: the kernel picks */
	uint16_t relay_ports_num;   /* so many */
	uint32_t relay_rate_mbit;   /* of each client; 0: any */
	bool answers_opportunistic; /* host, rendezvous: answer I1 to no HIT */
	struct config_register reg[CONFIG_REGISTER];
	size_t reg_num;
	struct config_peer peers[CONFIG_PEERS];
	size_t peers_num;
};

#define CONFIG_FILE_DEFAULT "/etc/hipgate/hipgate.conf"
/* Reads path, and behind it what is called conf.d/NAME.conf in its folder, in
 * the order of their names; there a section that may stand once goes on. On
 * error, errbuf holds one sentence: "FILE:LINE: ...". *out is then unchanged.
 * The result is heap (it is large): config_free. */
int config_load(const char *path, struct config **out, char *errbuf,
		size_t errlen) HG_CHECK;
/* The same from text; name stands for the file in messages. */
int config_parse(const char *name, const char *text, struct config **out,
		 char *errbuf, size_t errlen) HG_CHECK;
void config_free(struct config *c);
/* "FILE:LINE" of a line number that is kept in c: it counts the file, too. */
const char *config_place(const struct config *c, unsigned line, char *out,
			 size_t cap);
/* The number of the identity that `name` is: its FILE as [daemon] says it,
 * or the last part of that; identity_num: none of them. */
size_t config_identity(const struct config *c, const char *name);
/* The level of one subsystem. */
enum log_level config_log_level(const struct config *c, enum log_sub sub);
/* The word that stands in the file for it. */
const char *config_offload_name(enum config_offload o);
#define CONFIG_EPHEMERAL "ephemeral"
/* Reads a private key file (at most 16 KiB, heap, NUL-terminated; wipe and
 * free). Refuses one that group or others can read. */
int config_read_key(const char *path, char **pem, size_t *len, char *errbuf,
		    size_t errlen) HG_CHECK;
