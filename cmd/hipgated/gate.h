/* SPDX-License-Identifier: MIT */
/* The control thread's state: everything that decides.
 *
 * THEORY OF OPERATION
 * struct gate belongs to the control thread (the main thread, the default
 * libuv loop). It owns the sans-IO engines (hip, dns, lease, nat), is the
 * only writer of the published tables in `plane`, and carries out the
 * engines' effects: gate_pump drains them all and re-arms the timer, and
 * must be the last call of every entry point that gave an engine
 * something. The workers see `plane` only.
 *
 * The patent's mapping M = {HIT; IP; IP_res} is split by who needs what:
 * workers need {IP_res -> HIT} (struct mapping, published); the locators
 * and everything that waits for an SA are a struct peer, by HIT, here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "agents.h"
#include "cmd/config/config.h"
#include "core/reason.h"
#include "dns/dns.h"
#include "events.h"
#include "health.h"
#include "hip/hip.h"
#include "inbox.h"
#include "links.h"
#include "meter.h"
#include "nat/nat.h"
#include "persona.h"
#include "samples.h"
#include "tables.h"
#include "wake.h"
#include "worker.h"

struct journal;
struct control;
struct dnsside;
struct errands;
struct tap;
struct http;

/* A look-up of a peer's name has ended by then (question.h). */
#define PEER_RESOLVE_NS UINT64_C(20000000000)

enum {
	PEER_PARK_PACKETS = 16, /* packets that wait for one SA */
	PEER_PARK_BYTES = 65536,
	PEERS_MAX = 65536 + CONFIG_PEERS,
	HOLD_PACKETS = 32, /* (super-)packets that wait for an SA's path */
	HOLD_BYTES = 262144,
	HOLD_BYTES_ALL = 32 << 20,
};

/* A HIP host we know of, by HIT. */
struct peer {
	_Alignas(64) struct rcu_head rcu;
	struct hit hit;
	const char *name;	/* "": from the configuration */
	struct endpoint server; /* DNS server that knew the name */
	struct endpoint locators[HIP_LOCATORS_MAX];
	size_t locators_num;
	bool via_rvs;		  /* the locators may be the FA's */
	uint64_t fresh_until;	  /* ns; then the name is asked again */
	struct endpoint at;	  /* H.1: where it is; port 0: not known yet */
	bool committed;		  /* `at` was verified by R2 */
	bool on_disk;		  /* its lease is in the journal */
	unsigned flows;		  /* that are published */
	uint64_t resolving_until; /* ns: a dns_resolve is under way */
	struct hit self;	  /* our identity toward it, the next time */
	struct hit unfit;   /* what the policy chose, where the peer does not do
			   * its HIT suite: then it is */
	struct hit instead; /*  this one */
	bool persona_coming;		    /* one is being made for it */
	enum hip_state state;		    /* of the association with `self` */
	uint64_t began;			    /* ns: its exchange; 0: none is */
	struct addr sub6, sub4;		    /* substitutes; unspecified: none */
	struct addr real[SOCKETS_FAMILIES]; /* mapped last; unspecified: none */
	struct msg *park, *park_tail;
	unsigned parked;
	size_t parked_bytes;
	bool wanted;	    /* somebody waits for it without a packet */
	enum reason failed; /* why no association came last, */
	uint64_t failed_at; /*  and when; 0: one did */
};

/* SAs that had traffic a second ago, by inbound SPI. */
struct active {
	uint32_t *spi;
	size_t num;
	size_t room;
};

struct gate {
	struct config *cfg;		   /* changed by reload.c only */
	const char *path;		   /* of its file */
	struct hit esp_null[CONFIG_PEERS]; /* the engine borrows them */
	uv_loop_t *loop;
	struct plane plane;
	struct worker workers[WORKERS_MAX];
	int waits; /* epoll: what control waits for; turn.c */
	struct inbox inbox;
	struct hip *hip;
	struct hit selves[CONFIG_IDENTITIES]; /* as cfg->identity has them */
	size_t selves_num;
	struct personas personas;
	struct agents agents;
	struct dns *dns;	/* proxy role, else NULL */
	struct lease *lease;	/* the same */
	struct nat *nat;	/* the same */
	struct linetable peers; /* control thread only */
	size_t peers_num;
	struct dnsside *dnsside;
	struct journal *journal;
	struct control *control;
	struct errands *errands; /* verbs that are answered later */
	struct tap *tap;	 /* NULL: no capture runs */
	struct http *http;	 /* NULL: there is none */
	struct links *links;
	struct wake wake;
	struct active active;
	uint64_t housekept; /* ns: when last; 0: never */
	struct events events;
	struct reasons drops; /* of the control thread */
	struct meter meter;
	struct samples samples;
	struct health health;
	uv_timer_t timer;	 /* engines' deadlines */
	uv_timer_t housekeeping; /* each second */
	uv_timer_t sweep;	 /* slices of first_expire */
	uv_timer_t pulse;	 /* moveside.c */
	uv_poll_t udp_poll[SOCKETS_FAMILIES];
	uv_signal_t sigint, sigterm, sighup;
	size_t held_bytes;     /* at all SAs */
	unsigned client_lists; /* viewclients.c */
	uint64_t started_ns;
	uint64_t used; /* ns: when an SA had traffic last */
	unsigned jobs; /* on the thread pool */
	bool draining; /* no new associations */
	bool stopping;
	bool broken; /* stopping because something died: exit status 1 */
	uint64_t icmp_epoch; /* RFC 4443 2.4 (f) */
	unsigned icmp_left;
	uint64_t noise_epoch; /* trace events that a stranger can cause */
	unsigned noise_left;
	uint8_t *buf; /* 64 KiB: receive, build */
};

static inline void gate_drop(struct gate *g, enum reason r)
{
	reason_count(&g->drops, r);
}

/* ---- gate.c ------------------------------------------------------------ */
/* path: the file that cfg was read from. Both are borrowed. */
int gate_start(struct gate *g, struct config *cfg, const char *path,
	       char *errbuf, size_t errlen) HG_CHECK;
/* Serves until a signal; then closes associations and returns. */
void gate_run(struct gate *g);
void gate_fini(struct gate *g);
/* Carries out all effects, re-arms the timer. */
void gate_pump(struct gate *g);
/* Takes messages out of the inbox, a bounded number of them. */
void gate_inbox(struct gate *g);
/* Writes one IP packet to the TUN (worker 0's queue: a write is safe from
 * any thread). */
void gate_tun_write(struct gate *g, const void *pkt, size_t len);
/* The same for a packet read from a TUN, whose checksum and size may still
 * be the kernel's wish; its L4 header may be written. */
void gate_tun_return(struct gate *g, void *pkt, size_t len,
		     const struct ip_offload *off);

/* ---- peer.c ------------------------------------------------------------- */
/* The peer, made when there is none; NULL: PEERS_MAX or no memory. */
struct peer *peer_get(struct gate *g, const struct hit *hit);
struct peer *peer_find(struct gate *g, const struct hit *hit);
/* Is it needed by nobody: no configuration, flow, association, packet that
 * waits, question about it, or row on its way to the journal? */
bool peer_is_idle(const struct gate *g, const struct peer *p, uint64_t now);
/* Of an idle one. */
void peer_del(struct gate *g, struct peer *p);
/* Names it, unless it has a name. */
void peer_name(struct peer *p, const char *name);
void peer_each(struct gate *g, void (*fn)(struct peer *p, void *arg),
	       void *arg);
void peer_fini(struct gate *g);
/* Sets where the peer may be tried. */
void peer_set_locators(struct peer *p, const struct addr *locators, size_t num,
		       bool via_rvs, uint64_t fresh_until);
/* Lets m (taken) wait for the SA; the oldest goes when it is full. */
void peer_park(struct gate *g, struct peer *p, struct msg *m);
/* Starts what brings an SA: a look-up when the locators are stale, else the
 * base exchange. */
void peer_want(struct gate *g, struct peer *p, uint64_t now);
/* The SA is there: parked packets go on. */
void peer_release(struct gate *g, struct peer *p);
/* There will be none: parked packets are answered with unreachable. */
void peer_refuse(struct gate *g, struct peer *p);

/* ---- first.c ----------------------------------------------------------- */
/* A packet that a worker could not decide on. Takes m. */
void first_packet(struct gate *g, struct msg *m);
/* Binds and publishes the packet's flow where it needs one and gives it
 * back to its worker. Takes m; counts what cannot be. */
void first_forward(struct gate *g, struct msg *m, const struct hit *peer);
/* Ends a flow that is published. */
void first_end_flow(struct gate *g, struct flow *f);
/* ICMP unreachable (virt's host) to the packet's sender. */
void first_unreachable(struct gate *g, struct msg *m);
/* The NAT of the proxy role. */
int first_start(struct gate *g) HG_CHECK;
/* Each second: ends flows that have outlived their timers, some now, the
 * rest of this second's in slices. */
void first_expire(struct gate *g, uint64_t now);

/* ---- hipside.c --------------------------------------------------------- */
/* Carries out all effects of the engine; true when there were any. */
bool hipside_pump(struct gate *g);
/* A message from a worker or from the control socket, marker stripped. at:
 * port 0: HIP's. */
void hipside_input(struct gate *g, const uint8_t *msg, size_t len,
		   const struct endpoint *from, const struct endpoint *at);
void hipside_readable(struct gate *g, int fd);

/* ---- saside.c ------------------------------------------------------------ */
/* HIP_SA_UP, wiped; HIP_SA_SWITCH; HIP_SA_DOWN. */
int saside_up(struct gate *g, struct hip_effect *e) HG_CHECK;
int saside_switch(struct gate *g, const struct hip_effect *e) HG_CHECK;
void saside_down(struct gate *g, const struct hip_effect *e);
/* Takes m, ESP for an SA that rests: it goes back to its worker. */
void saside_wake(struct gate *g, struct msg *m);
/* Each second: tells the engine which SAs were used. */
void saside_traffic(struct gate *g);
/* The same for one; false: it was not. */
bool saside_tell(struct gate *g, struct sa *sa);

/* ---- moveside.c ---------------------------------------------------------- */
/* Our own addresses, the clock's leaps and the policy, for the engine. */
int moveside_start(struct gate *g) HG_CHECK;
/* The policy of c, from now on. */
int moveside_policy(struct gate *g, const struct config *c) HG_CHECK;
/* Each second: was the daemon stopped? */
void moveside_housekeeping(struct gate *g, uint64_t now);
/* Where what goes from e->self_at to e->peer_at leaves. */
struct sockets_from moveside_from(struct gate *g, const struct hip_effect *e);
struct path_ends moveside_ends(struct gate *g, const struct hip_effect *e,
			       bool verified);
/* HIP_LOCATOR, HIP_PATH. */
void moveside_locator(struct gate *g, const struct hip_effect *e);
void moveside_path(struct gate *g, const struct hip_effect *e);
/* MSG_STRAY */
void moveside_stray(struct gate *g, const struct msg *m);
/* An SA that has traffic: it is looked at more often, for a second. */
void moveside_active(struct gate *g, uint32_t spi_in);
/* Before the handles are closed; after the loop's last run. */
void moveside_stop(struct gate *g);
void moveside_fini(struct gate *g);

/* ---- holdside.c --------------------------------------------------------- */
/* Takes m, a packet for sa, if it may not go now. */
bool holdside_keeps(struct gate *g, struct sa *sa, struct msg *m);
/* Takes m, MSG_SEALED: the kernel would not have it. */
void holdside_sealed(struct gate *g, struct msg *m);
/* Whatever may go now goes. */
void holdside_release(struct gate *g, struct sa *sa);
/* Each second. */
void holdside_expire(struct gate *g, struct sa *sa, uint64_t now);
/* sa sends in the place of old (or NULL). */
void holdside_succeed(struct gate *g, struct sa *old, struct sa *sa);
/* sa goes; all go. */
void holdside_end(struct gate *g, struct sa *sa);
void holdside_fini(struct gate *g);
/* ---- relayside.c --------------------------------------------------------- */
/* Opens the data relay's ports, before the engine has identities. errbuf: what
 * a person can mend, else as it was. */
int relayside_start(struct gate *g, char *errbuf, size_t errlen) HG_CHECK;
/* What relay-rate says now is in force. */
void relayside_rate(struct gate *g);
/* HIP_PERMIT */
void relayside_permit(struct gate *g, const struct hip_effect *e);
/* The socket that what leaves from `at` for `to` leaves by, or -1: HIP's. */
int relayside_fd(const struct gate *g, const struct endpoint *at,
		 const struct endpoint *to);
/* The port of a client: packets and octets passed on; NULL: it is none. */
const struct relay_port *relayside_port(const struct gate *g, uint16_t port);
void relayside_fini(struct gate *g);

/* ---- pathside.c --------------------------------------------------------- */
/* Packets of sa take this way from now on, no larger than it is. */
int pathside_move(struct gate *g, struct sa *sa,
		  const struct path_ends *ends) HG_CHECK;
/* Each second, for the SA that sends to a peer. out, in: something was sent,
 * something came. now: the loop's, so that what is due in a second is so at
 * the next tick. */
void pathside_step(struct gate *g, struct sa *sa, bool out, bool in,
		   uint64_t now);
/* An echo over the SA, whose answer is errand_pong's. */
int pathside_ping(struct gate *g, struct sa *sa, uint64_t token) HG_CHECK;
/* A path probe was answered (MSG_PROBE). */
void pathside_answer(struct gate *g, const struct msg *m, uint64_t now);

/* ---- dnsside.c, dnstcp.c ------------------------------------------------ */
/* errbuf: what a person can mend, else as it was. */
int dnsside_start(struct gate *g, char *errbuf, size_t errlen) HG_CHECK;
void dnsside_stop(struct gate *g);
void dnsside_fini(struct gate *g);
bool dnsside_pump(struct gate *g);
/* Each second. */
void dnsside_housekeeping(struct gate *g, uint64_t now);
/* Our addresses or routes may have changed. */
void dnsside_moved(struct gate *g);
/* These are asked from now on, and g->cfg has them. The proxy role runs. */
void dnsside_servers(struct gate *g, const struct endpoint *servers,
		     size_t num);
/* A packet to port 53 outside the pools, or the kernel's side of a
 * redirected TCP connection. */
void dnsside_packet(struct gate *g, struct msg *m, struct nat_packet *p);
