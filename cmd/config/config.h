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
 *   identity = FILE  (repeat)     dns-server = ADDRESS (looks a kept name up
 *   state = DIR                                 again after a restart)
 *   control = FILE                lan = eth1  (repeat; hipgate-setup: DNS
 *   control-group = NAME                     from here is steered)
 *   offload = auto|off            [host]
 *   log = error|warn|info|debug   [rendezvous]
 *   allow = HIT  (repeat)         [register HIT]      we register there
 *   puzzle = 0..20                address = ADDRESS   lifetime = SECONDS
 *   rekey-time = 3600             [peer HIT]          host role: where it is
 *   rekey-bytes = N               address = ADDRESS[:PORT]  (repeat)
 *   rekey-packets = N             via-rvs = no
 *   rekey-dh = yes|no             esp-null = no (yes: ESP to and from it
 *   user = NAME                                  may be readable by all)
 *   dh-groups = NAME, NAME...     [policy "PATTERN"]
 *   hip-ciphers = NAME, NAME...   hip = require|prefer|off
 *   esp-suites = NAME, NAME...
 * A section turns its role on.
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

enum {
	CONFIG_IDENTITIES = 8,
	CONFIG_CLIENTS = 64,
	CONFIG_ALLOW = 1024,
	CONFIG_RULES = 256,
	CONFIG_REGISTER = 8,
	CONFIG_PEERS = 256,
	CONFIG_PEER_ADDRS = 8,
	CONFIG_LANS = 16,
	CONFIG_PATH = 256
};

struct config_register {
	struct hit rvs;
	struct endpoint at;
	uint32_t lifetime_s;
};

struct config_peer {
	struct hit hit;
	struct endpoint at[CONFIG_PEER_ADDRS];
	size_t at_num;
	bool via_rvs;  /* the addresses are those of rendezvous servers */
	bool esp_null; /* ESP to it may go without encryption */
};

struct config {
	char tun[16];	  /* default hip0 */
	unsigned workers; /* default: 0 = one for each CPU, at most 8 */
	uint16_t port;	  /* default 10500 */
	char identity[CONFIG_IDENTITIES][CONFIG_PATH];
	size_t identity_num;
	char state[CONFIG_PATH];
	char control[CONFIG_PATH];
	char control_group[64];
	bool offload;
	enum log_level log;
	struct hit allow[CONFIG_ALLOW];
	size_t allow_num;
	uint8_t puzzle; /* default 8 */
	struct hip_rekey rekey;
	struct hip_offer offer; /* empty lists: the engine's own */
	char user[64];		/* hipgate-setup: who owns the TUN */

	bool proxy;
	struct prefix pool6; /* len 0: none */
	struct prefix pool4;
	struct prefix clients[CONFIG_CLIENTS];
	size_t clients_num;
	uint32_t ttl;
	struct endpoint dns_server; /* unspecified: none */
	char lan[CONFIG_LANS][16];
	size_t lan_num;
	struct dns_rule rules[CONFIG_RULES];
	size_t rules_num;

	bool host;
	bool rendezvous;
	struct config_register reg[CONFIG_REGISTER];
	size_t reg_num;
	struct config_peer peers[CONFIG_PEERS];
	size_t peers_num;
};

/* Reads path. On error, errbuf holds one sentence: "FILE:LINE: ...". *out
 * is then unchanged. The result is heap (it is large): config_free. */
int config_load(const char *path, struct config **out, char *errbuf,
		size_t errlen) HG_CHECK;
/* The same from text; name stands for the file in messages. */
int config_parse(const char *name, const char *text, struct config **out,
		 char *errbuf, size_t errlen) HG_CHECK;
void config_free(struct config *c);
/* Reads a private key file (at most 16 KiB, heap, NUL-terminated; wipe and
 * free). Refuses one that group or others can read. */
int config_read_key(const char *path, char **pem, size_t *len, char *errbuf,
		    size_t errlen) HG_CHECK;
