/* SPDX-License-Identifier: MIT */
/* Translation between legacy packets and HIP: the door of the nat room.
 *
 * RFC 3022, 4787, 5382, 5508; patent steps I.1 and K.
 *
 * THEORY OF OPERATION
 * A flow joins two sides. Legacy side: (protocol, client address and port,
 * substitute address and port). HIP side: (protocol, self HIT and external
 * port, peer HIT and port). The daemon keeps flows in two lock-free tables,
 * one by each key; this room knows the keys, chooses the external port,
 * rewrites packets and says when a flow has ended. Key and back are
 * constant once a flow is published; `last` and `tcp` are atomics that any
 * worker may store: they steer timers only, never an address. Ports are
 * given out by the control thread alone (struct nat).
 *
 * Whose memory a flow is: the daemon's, which makes it, has it filled
 * (nat_bind), publishes it, takes it out of its tables and says so
 * (nat_release). It is freed when this room gives it back (nat_config's
 * `discard`), mostly at once.
 * Upper-layer checksums on the HIP side are over the HITs (7401 4.5.1),
 * whatever the family of the legacy side: so an IPv4 client needs no IPv6
 * header, only another pseudo-header sum.
 *
 * TCP to port 53 outside the pools (DNS steered into the TUN) is no flow of
 * ours: the control thread sends it on to the daemon's own listener, as if
 * from a `near` address, and the kernel's answers to there back to the
 * client as if from the server it asked (struct nat_redirects).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/ip.h"
#include "core/reason.h"

/* Ports are host order. ICMP echo: both ports hold the identifier on the
 * client's (ext) side and 0 on the peer's. proto is TCP, UDP, or
 * IP_PROTO_ICMP6 for echo of either family. Zeroed padding: keys are
 * hashed and compared as octets (NAT_KEY_LEN, no holes). */
struct nat_key {
	struct addr client;
	struct addr virt;
	uint16_t client_port;
	uint16_t virt_port;
	uint32_t proto;
};

struct nat_back {
	struct hit self;
	struct hit peer;
	uint16_t ext_port;
	uint16_t peer_port;
	uint32_t proto;
};

_Static_assert(sizeof(struct nat_key) == 40, "no holes");
_Static_assert(sizeof(struct nat_back) == 40, "no holes");

struct nat_space;

/* What a packet's way reads and writes stands in the first two cache lines,
 * each key in one of them, what is control's behind. */
struct nat_flow {
	struct nat_key key;    /* const after publish */
	_Atomic uint64_t last; /* ns of the last packet; any worker */
	_Atomic uint32_t tcp;  /* enum nat_tcp and NAT_TOLD; any worker */
	uint32_t owner;	       /* the daemon's, zeroed by nat_bind */
	/* Any worker; a packet is missed when two count at once. */
	_Atomic uint64_t out_packets;
	struct nat_back back; /* const after publish */
	_Atomic uint64_t in_packets;
	struct nat_space *space; /* const after publish; NULL: not bound */
	struct nat_flow *told;	 /* see ended.h */
	struct nat_flow *same_prev, *same_next; /* control; see ports.c */
	union {
		struct {
			struct nat_flow *older, *newer; /* control; ended.h */
		};
		void *spare[2]; /* the daemon's, once it is given back */
	};
};

_Static_assert(offsetof(struct nat_flow, back) == 64, "a cache line");
_Static_assert(offsetof(struct nat_flow, same_prev) == 128, "two of them");
_Static_assert(sizeof(struct nat_flow) == 160, "1000000 flows in 256 MB");

/* ---- from the TUN ---------------------------------------------------- */

enum nat_class {
	NAT_DROP,     /* for `reason` */
	NAT_DATA,     /* client to a substitute address: look `key` up */
	NAT_ERROR,    /* ICMP error to a substitute: `key` is the flow of
			   * the packet inside */
	NAT_DNS,      /* UDP or TCP to port 53 outside the pools */
	NAT_HIT,      /* between HITs: the host role's own traffic; a fragment
		    * of it is IP_PROTO_FRAGMENT, its header is at ip.l4 */
	NAT_FRAGMENT, /* of a client's packet to a substitute: put it
		       * together (nat_gather_ip), then classify the whole */
	NAT_CLASS_NUM
};

struct nat_ranges {
	struct prefix pool6;	      /* len 0: none */
	struct prefix pool4;	      /* len 0: none */
	const struct prefix *clients; /* empty: anyone */
	size_t clients_num;
	/* Where nat_redirect_in makes steered TCP seem to come from; TCP to
	 * there is NAT_DNS too. len 0: none. */
	struct prefix near6;
	struct prefix near4;
};

struct nat_packet {
	struct ip_view ip;
	struct nat_key key; /* DATA, ERROR */
	enum reason reason; /* DROP */
};

/* What a packet from the TUN is. Changes nothing; the view borrows pkt. */
enum nat_class nat_classify(uint8_t *pkt, size_t len,
			    const struct nat_ranges *ranges,
			    struct nat_packet *out);

/* Rewrites the L4 header in place for the HIP side. After it, ip.l4 and
 * ip.l4_len are what ESP carries as *next_header; off->csum_partial stays
 * as it was: then the L4 checksum field holds the pseudo-header sum over
 * the HITs for a whole packet, else a complete checksum. IPv4 echo becomes
 * ICMPv6 echo. Clamps the MSS option of a SYN to mss (0: not). A UDP
 * checksum of 0 from IPv4 is computed. Updates the flow's state.
 * Returns REASON_NUM, or why not. */
enum reason nat_to_hip(struct nat_flow *f, struct nat_packet *p,
		       const struct ip_offload *off, uint16_t mss,
		       uint64_t now) HG_CHECK;
/* An ICMP error of a client's host about a packet it got from us, as an
 * ICMPv6 error over HITs into out (RFC 7915 4.2, RFC 5508). */
enum reason nat_error_to_hip(const struct nat_flow *f,
			     const struct nat_packet *p, uint8_t *out,
			     size_t cap, size_t *len) HG_CHECK;

/* ---- from ESP -------------------------------------------------------- */

/* How a packet came out of ESP. RFC 7402 B.1.4: the inner header has the
 * fields of the outer one. */
struct nat_arrival {
	uint64_t now;	   /* ns */
	uint16_t mss;	   /* clamp the MSS option of a SYN to it; 0: not */
	uint16_t id;	   /* of an IPv4 header that needs one */
	uint16_t fragment; /* octets of its largest fragment; 0: came whole */
	uint8_t tos;	   /* of the outer header, with ECN */
	uint8_t ttl;	   /* of the outer header; 0: not known */
};

/* Over what an IPv6 stack puts between IP header and upper layer, and over
 * IPv4 options (RFC 7402 B.1.7), to the upper layer or a fragment header
 * (IP_PROTO_FRAGMENT: nat_gather_esp). IP_TRUNCATED, IP_EXT_HEADER. */
enum reason nat_unwrap(uint8_t *proto, uint8_t **l4, size_t *len) HG_CHECK;

/* The key of what came out of the SA {self, peer}. *error: it is an ICMPv6
 * error, key is the flow of the packet inside. */
enum reason nat_back_key(uint8_t next_header, const uint8_t *l4, size_t len,
			 const struct hit *self, const struct hit *peer,
			 struct nat_back *key, bool *error) HG_CHECK;
/* Rewrites l4 in place for the client and writes the IP header that goes
 * before it into hdr (*hdr_len octets). Checksum complete in, complete out;
 * ICMPv6 echo becomes ICMP for IPv4. An IPv4 packet of up to 1260 octets,
 * or that came in fragments, may be cut on its way (RFC 7915 5.1, 5.1.1);
 * an IPv6 one that came in fragments leaves in such: nat_cut. */
enum reason nat_to_legacy(struct nat_flow *f, uint8_t *l4, size_t len,
			  const struct nat_arrival *in, uint8_t hdr[IP6_HDR],
			  size_t *hdr_len) HG_CHECK;
/* An ICMPv6 error from the HIP host as a whole IP packet for the client. */
enum reason nat_error_to_legacy(const struct nat_flow *f, const uint8_t *l4,
				size_t len, uint8_t *out, size_t cap,
				size_t *out_len) HG_CHECK;

/* ---- fragments (each worker has its own) ------------------------------ */

/* Unfinished packets; theory in nat/gather.c. */
struct nat_gather;

/* Octets that may be written before nat_whole.l4: an IPv6 header and a
 * fragment header. */
#define NAT_WHOLE_ROOM (IP6_HDR + IP_FRAGMENT_HDR)

/* A packet put together. Valid until the next call with the same gather;
 * the caller may write to it. */
struct nat_whole {
	uint8_t *pkt; /* from the TUN: with an IP header; from ESP: l4 */
	size_t len;
	uint8_t proto; /* what l4 begins with */
	uint8_t tos;   /* its first fragment's, with the ECN of all */
	uint8_t ttl;   /* its first fragment's */
	uint8_t *l4;
	uint32_t l4_len;
	uint32_t id;	   /* its fragments' */
	uint16_t fragment; /* octets of l4 in its largest fragment */
};

/* lost (borrowed): where fragments that were kept and then given up are
 * counted, one by one. */
int nat_gather_new(struct reasons *lost, struct nat_gather **out) HG_CHECK;
void nat_gather_free(struct nat_gather *g);
/* A fragment from the TUN (NAT_FRAGMENT). REASON_NUM: taken; out->l4 is
 * NULL until it was the one that was missing. Else why it was dropped, and
 * with it, for some reasons, the packet it belongs to. */
enum reason nat_gather_ip(struct nat_gather *g, uint8_t *pkt, size_t len,
			  uint64_t now, struct nat_whole *out) HG_CHECK;
/* The same for a fragment header and what follows it, out of the SA
 * {self, peer} (the rest of sa is not looked at). */
enum reason nat_gather_esp(struct nat_gather *g, const struct nat_back *sa,
			   const struct nat_arrival *in, uint8_t *hdr,
			   size_t len, struct nat_whole *out) HG_CHECK;
/* Gives up what waited too long: for a thread that sees no fragments. */
void nat_gather_expire(struct nat_gather *g, uint64_t now);

/* Cutting an upper-layer packet into IPv6 fragments (RFC 8200 4.5). */
struct nat_cut {
	uint32_t len;
	uint32_t step;
	uint32_t at; /* of the next piece */
	uint32_t id;
	uint8_t proto;
};

/* most: octets of a piece with its fragment header; at least 16. id: like
 * no other packet's between the two in the last minute. */
void nat_cut_begin(struct nat_cut *c, uint8_t proto, uint32_t len,
		   uint32_t most, uint32_t id);
/* The next piece: its fragment header, and where its *len octets stand in
 * the packet. False after the last. */
bool nat_cut_next(struct nat_cut *c, uint8_t hdr[IP_FRAGMENT_HDR], uint32_t *at,
		  uint32_t *len);

/* May a packet go to a place where `most` upper-layer octets fit? */
enum nat_fit {
	NAT_FITS,
	NAT_CUT,     /* in fragments */
	NAT_TOO_BIG, /* its sender must be told */
	NAT_FIT_NUM
};
enum nat_fit nat_fit(const struct ip_view *ip, const struct ip_offload *off,
		     uint32_t most);
/* The MTU to tell the sender of what is NAT_TOO_BIG. */
uint32_t nat_fit_mtu(const struct ip_view *ip, uint32_t most);

/* ---- ports and life (control thread) --------------------------------- */

struct nat;

/* The functions are called by the control thread, out of nat_bind,
 * nat_release, nat_sweep and nat_free. */
struct nat_config {
	uint32_t flows_max;	   /* 0: 1000000 */
	uint32_t flows_per_client; /* that have not ended; 0: 4096 */
	/* Has a published flow this return key? NULL: no port is ever shared
	 * (RFC 7857 3). */
	bool (*taken)(void *arg, const struct nat_back *back);
	/* Takes out of all tables a flow that has ended or expired. */
	void (*unpublish)(void *arg, struct nat_flow *f);
	/* A flow that is out of all tables goes: its `spare` is free at once,
	 * the rest when no reader can see it any more. */
	void (*discard)(void *arg, struct nat_flow *f);
	void *arg;
};

int nat_new(const struct nat_config *cfg, struct nat **out) HG_CHECK;
/* No worker may run any more. Flows that are in tables stay the daemon's. */
void nat_free(struct nat *n);
/* Chooses an external port at random among those free for (self, peer,
 * proto, peer port) and fills *f, which must stay where it is; no flow may
 * be bound to key. When there is no place, that of a flow that has ended
 * is taken (ended.h). tcp_syn: the packet that asks is a SYN (TCP flows
 * begin with nothing else). HG_EFULL: *why is FLOW_QUOTA or NO_PORT;
 * HG_EINVAL: FLOW_STATE. */
int nat_bind(struct nat *n, const struct nat_key *key, const struct hit *self,
	     const struct hit *peer, bool tcp_syn, uint64_t now,
	     struct nat_flow *f, enum reason *why) HG_CHECK;
/* The flow is out of all tables: its port and its quota are free, and it
 * will be discarded. A second time does nothing. */
void nat_release(struct nat *n, struct nat_flow *f);
/* Has it outlived its timer (RFC 4787 4.3, 5382 5, 5508 3.2)? */
bool nat_expired(const struct nat_flow *f, uint64_t now);
/* One slice of looking for flows that have expired, which are unpublished
 * and released: NAT_SLICE flows, one that goes for NAT_SLICE_END of them, or
 * NAT_SLICE_CELLS cells. begin: starts a sixteenth of all; true: more slices
 * are needed for it. */
bool nat_sweep(struct nat *n, bool begin, uint64_t now);

/* What there is, of each protocol; ports_most: of one (self, peer, proto),
 * of at most NAT_PORTS. */
struct nat_usage {
	uint64_t tcp, udp, icmp; /* flows, those that have ended too */
	uint32_t ports_most;
};
#define NAT_PORTS 64512 /* 1024 to 65535 */
void nat_usage(const struct nat *n, struct nat_usage *out);

enum { NAT_SLICE = 256, NAT_SLICE_END = 4, NAT_SLICE_CELLS = 65536 };

/* Each but GONE may turn into CLOSED and GONE; CLOSED turns into SYN; GONE
 * (released, by control only) stays. */
enum nat_tcp {
	NAT_TCP_NONE,
	NAT_TCP_SYN,
	NAT_TCP_OPEN,
	NAT_TCP_FIN_CLIENT,
	NAT_TCP_FIN_PEER,
	NAT_TCP_CLOSED,	    /* FINs, or RSTs, both ways */
	NAT_TCP_RST_CLIENT, /* the client, or who forged it, sent RST */
	NAT_TCP_RST_PEER,
	NAT_TCP_GONE, /* released, whatever its protocol */
	NAT_TCP_NUM
};
#define NAT_TOLD 0x100u /* beside the state: control will look (ended.h) */
const char *nat_state_name(const struct nat_flow *f);

/* ---- steered DNS over TCP (control thread) --------------------------- */

/* The connection a listener sees from near:near_port. */
struct nat_redirect {
	struct addr client;
	struct addr server; /* the name server the client asked */
	uint16_t client_port;
	uint16_t server_port;
	struct addr near;
	uint16_t near_port;
};

struct nat_redirects;

#define NAT_REDIRECTS_MAX 4096	     /* connections, both families */
#define NAT_REDIRECTS_PER_CLIENT 256 /* of them */

/* near4, near6: an address of each family that is routed into the TUN and
 * is neither the kernel's own nor in a pool; NULL: that family is not
 * redirected. */
int nat_redirects_new(const struct addr *near4, const struct addr *near6,
		      struct nat_redirects **out) HG_CHECK;
void nat_redirects_free(struct nat_redirects *r);
/* A client's TCP packet to port 53, rewritten in place for the listener
 * (of the packet's family); write it back to the TUN with the same *off.
 * Why not: FLOW_STATE (no connection and no SYN), FLOW_QUOTA, NO_PORT (table
 * full), IP_PROTO (not TCP to port 53), IP_BAD_ADDR (family has no near
 * address or another listener). */
enum reason nat_redirect_in(struct nat_redirects *r, uint8_t *pkt, size_t len,
			    const struct ip_offload *off,
			    const struct endpoint *listener,
			    uint64_t now) HG_CHECK;
/* The kernel's packet to a near address, rewritten in place for the client.
 * NO_FLOW: it is not one, or of no connection. */
enum reason nat_redirect_out(struct nat_redirects *r, uint8_t *pkt, size_t len,
			     const struct ip_offload *off,
			     uint64_t now) HG_CHECK;
/* Whose connection the listener accepted from `near`, or NULL. Valid until
 * the next nat_redirect_in. */
const struct nat_redirect *nat_redirect_find(const struct nat_redirects *r,
					     const struct endpoint *near);
