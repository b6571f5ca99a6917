/* SPDX-License-Identifier: MIT */
/* What the control thread counts for metrics, beside drops.
 *
 * THEORY OF OPERATION
 * Control thread only. Counts never fall: what an SA has carried is added to
 * `gone` when the SA is taken out, and `traffic` is that and the sum of the
 * SAs there are, found once a second. Nothing here has a name or an address
 * in it, so it is of one size whoever asks how much.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hip/hip.h"

struct sa;

enum { METER_BOUNDS = 14 };
/* Upper bounds of the buckets, in ns. */
extern const uint64_t meter_bounds[METER_BOUNDS];

struct meter_histogram {
	uint64_t n[METER_BOUNDS + 1]; /* each its own; the last: above all */
	uint64_t sum_ns;
};

void meter_observe(struct meter_histogram *h, uint64_t ns);

enum meter_bex {
	METER_BEX_ESTABLISHED,
	METER_BEX_TIMEOUT, /* the peer did not answer */
	METER_BEX_REFUSED, /* it, or a rule of ours, says no */
	METER_BEX_FAILED,  /* for another reason: see the drops */
	METER_BEX_NUM
};
/* Of a reason that HIP_FAILED has. */
enum meter_bex meter_bex_of(enum reason r);
const char *meter_bex_name(enum meter_bex b);

enum meter_dns {
	METER_DNS_HIP,	  /* a substitute address */
	METER_DNS_PLAIN,  /* as a server said */
	METER_DNS_OWN,	  /* made here: errors, no data, reverse names */
	METER_DNS_REPEAT, /* by a worker, as a moment ago */
	METER_DNS_NUM
};
const char *meter_dns_name(enum meter_dns d);

enum { METER_RCODES = 7 }; /* 0 to 5, all others */
const char *meter_rcode_name(unsigned i);

struct meter_traffic {
	uint64_t out_packets, out_bytes, in_packets, in_bytes;
};

struct meter {
	uint64_t bex[2][METER_BEX_NUM]; /* [1]: we began */
	struct meter_histogram bex_time;
	uint64_t dns[METER_DNS_NUM][METER_RCODES];
	struct meter_histogram dns_time;
	uint64_t rekeys;
	uint64_t path[HIP_PATH_WHY_NUM];
	struct meter_traffic gone;
	struct meter_traffic now; /* of the SAs there are; being summed */
	struct meter_traffic traffic;
	uint16_t pmtu_now, pmtu; /* octets of the smallest path; 0: none */
};

void meter_dns(struct meter *m, enum meter_dns class, unsigned rcode);
/* Once a second: begin, each SA, end. sends: not only opens. */
void meter_begin(struct meter *m);
void meter_sa(struct meter *m, struct sa *sa, bool sends);
void meter_end(struct meter *m);
/* An SA that is about to be taken out; NULL: nothing. */
void meter_gone(struct meter *m, struct sa *sa);
