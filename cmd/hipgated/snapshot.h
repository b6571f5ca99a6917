/* SPDX-License-Identifier: MIT */
/* All that metrics and the status page show, at one moment.
 *
 * THEORY OF OPERATION
 * The control thread fills one and never touches it again; whoever renders
 * it, on whatever thread, only reads. It is filled in parts, a few hundred
 * microseconds each, so that counting 65000 hosts holds nobody up; what is
 * not counted is looked at in the last one. It holds values, no
 * pointers into the daemon. Its size is bounded however many names and peers
 * there are: those are counted, and SNAPSHOT_ROWS of them listed, the ones
 * that an administrator is most likely to look for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/reason.h"
#include "dns/dns.h"
#include "health.h"
#include "hip/hip.h"
#include "meter.h"
#include "nat/nat.h"
#include "offload.h"
#include "samples.h"

struct gate;

enum {
	SNAPSHOT_ROWS = 64,
	SNAPSHOT_EVENTS = 1500,
	SNAPSHOT_HITS = CONFIG_IDENTITIES
};

/* How what is sent to a peer gets there. */
enum snapshot_path {
	SNAPSHOT_DIRECT,     /* it has proved to be there */
	SNAPSHOT_UNVERIFIED, /* it has not, yet */
	SNAPSHOT_CHECKING,   /* no path between two NATs is found yet */
	SNAPSHOT_PATH_NUM
};
const char *snapshot_path_name(enum snapshot_path p);

struct snapshot_peer {
	struct hip_peer p;
	char name[DNS_NAME_MAX]; /* "": none is known */
	uint32_t rtt_us;	 /* 0: not known, as mtu */
	uint32_t mtu;		 /* of its outer packets */
	uint64_t out_bytes, in_bytes;
};

struct snapshot_mapping {
	char name[DNS_NAME_MAX];
	struct hit hit;
	struct addr sub6, sub4; /* unspecified: none */
	struct endpoint at;	/* port 0: not known */
	enum hip_state state;
	bool via_rvs; /* `at` is a rendezvous server's */
	unsigned parked;
};

enum snapshot_offload {
	SNAPSHOT_OFFLOAD_OFF,
	SNAPSHOT_OFFLOAD_LACKING, /* the kernel does not know it */
	SNAPSHOT_OFFLOAD_RESTS,	  /* it was refused too often */
	SNAPSHOT_OFFLOAD_ON,
	SNAPSHOT_OFFLOAD_NUM
};

struct snapshot {
	uint64_t now;	  /* ns */
	double unix_time; /* the same moment */
	uint64_t started; /* ns */
	bool ready;
	char why[HEALTH_WHY]; /* not ready; "": it is */
	bool proxy, host, rendezvous;
	char tun[16];
	struct hit hits[SNAPSHOT_HITS]; /* lasting ones */
	size_t hits_num;
	unsigned workers;

	uint64_t sas, mappings, peers, registrations, leases, questions, parked;
	struct nat_usage nat;
	uint64_t assocs[HIP_STATE_NUM][SNAPSHOT_PATH_NUM][2]; /* [1]: IPv6 */
	uint64_t assocs_num;
	uint64_t keyed; /* ns: the oldest SA in use; 0: none */
	struct meter_traffic sas_carried; /* by those that are there now */
	uint8_t puzzle_k;
	struct meter meter;
	uint64_t drops[REASON_NUM];
	uint64_t tun_reads, tun_writes, udp_sends, udp_receives, cut;
	enum snapshot_offload offload[OFFLOAD_NUM];
	uint64_t refused[OFFLOAD_NUM];
	struct samples samples;

	/* Of a whole one; the best first. */
	struct snapshot_peer peer[SNAPSHOT_ROWS];
	size_t peer_num;
	struct snapshot_mapping mapping[SNAPSHOT_ROWS];
	size_t mapping_num;
	char **events; /* JSON lines, the oldest first */
	size_t events_num;
};

/* One that is being taken; s NULL: none is. */
struct snapshot_walk {
	struct snapshot *s;
	bool whole;
	enum { SNAPSHOT_ASSOCS, SNAPSHOT_HOSTS, SNAPSHOT_SAS } stage;
	size_t at; /* in that table */
};
/* whole: with what the page lists. False: no memory. */
bool snapshot_begin(struct snapshot_walk *w, bool whole);
/* A part of it. NULL: there is more to do; else the walk has ended, and this
 * is the caller's. */
struct snapshot *snapshot_go_on(struct snapshot_walk *w, struct gate *g);
void snapshot_give_up(struct snapshot_walk *w);
void snapshot_free(struct snapshot *s);

/* Drops of this reason, of all threads. */
uint64_t snapshot_drops(const struct gate *g, enum reason r);
/* All that SAs have carried, and so on, now. */
void snapshot_sample(const struct gate *g, uint64_t now, struct sample *out);
