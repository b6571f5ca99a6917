/* SPDX-License-Identifier: MIT */
/* IPv4, IPv6, TCP, UDP and ICMP headers: one parser, one builder.
 *
 * The packets here may be super-packets: up to 64 KiB, of which the kernel
 * wants cut pieces (struct ip_offload). RFC 791, 8200, 9293, 768, 792, 4443.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/reason.h"

enum {
	IP_PROTO_ICMP = 1,
	IP_PROTO_TCP = 6,
	IP_PROTO_UDP = 17,
	IP_PROTO_ROUTING = 43,	/* IPv6 routing header */
	IP_PROTO_FRAGMENT = 44, /* IPv6 fragment header */
	IP_PROTO_ICMP6 = 58,
	IP_PROTO_NONE = 59,
	IP_PROTO_DEST_OPTS = 60, /* IPv6 destination options */
};

enum {
	IP4_HDR = 20,
	IP6_HDR = 40,
	IP_HDR_MAX = 60, /* IPv4 with options */
	TCP_HDR = 20,
	TCP_HDR_MAX = 60,
	UDP_HDR = 8,
	ICMP_HDR = 8,
	IP_FRAGMENT_HDR = 8,
};

enum {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_PSH = 8,
	TCP_ACK = 16,
	TCP_URG = 32,
	TCP_ECE = 64,
	TCP_CWR = 128
};

/* How a packet from the TUN came, besides its octets: what its virtio
 * header says, in our words, and whether we put it together. */
struct ip_offload {
	bool csum_partial; /* L4 checksum holds only the pseudo-header sum */
	uint16_t gso_size; /* L4 payload octets for each piece; 0: whole */
	uint16_t fragment; /* octets in its largest fragment; 0: came whole */
};

/* A parsed packet; l4 points into the packet that was parsed. */
struct ip_view {
	struct addr from;
	struct addr to;
	bool v4;
	bool df;       /* IPv4: routers may not cut it */
	uint8_t proto; /* of the L4 header: IP_PROTO_* */
	uint8_t tos;
	uint8_t ttl;
	uint8_t *l4;	 /* upper-layer header */
	uint32_t l4_len; /* header and payload */
};

/* A piece of a packet. ip.l4 and ip.l4_len are what it brings of the part
 * that was cut; ip.proto is what that part begins with (IPv6: it counts in
 * the first fragment only, and may be an extension header). */
struct ip_fragment {
	struct ip_view ip;
	uint32_t id;
	uint32_t offset; /* octets; a multiple of 8 */
	bool more;
};

/* Checks the IP header(s) and finds the upper layer. Trailing octets after
 * the stated length are ignored. Fragments are IP_FRAGMENT (but an IPv6
 * fragment that is all there is of its packet is a packet, RFC 6946);
 * source routes that are not at their end are refused; other IPv4 options
 * and IPv6 extension headers are skipped. The view borrows pkt. Returns REASON_NUM when all is
 * well, else the reason to drop. */
enum reason ip_parse(uint8_t *pkt, size_t len, struct ip_view *out) HG_CHECK;
/* The same for what ip_parse calls IP_FRAGMENT; a packet that is none is
 * IP_FRAGMENT here. The upper layer is not looked at. */
enum reason ip_parse_fragment(uint8_t *pkt, size_t len,
			      struct ip_fragment *out) HG_CHECK;
/* An IPv6 fragment header and what follows it, without an IP header (as ESP
 * brings it); fills all of *out but addresses, tos and ttl. */
enum reason ip_get_fragment(uint8_t *hdr, size_t len,
			    struct ip_fragment *out) HG_CHECK;
/* From f->ip.proto at f->ip.l4 to the upper layer (then ip_is_piece is
 * false), or, over a fragment header, to what a piece brings. Fills the rest
 * of *f but addresses, tos and ttl. */
enum reason ip_walk6(struct ip_fragment *f) HG_CHECK;
/* Is there more of its packet than this? */
bool ip_is_piece(const struct ip_fragment *f);
/* From *proto, at *l4 with *len octets, over hop-by-hop, routing and
 * destination options headers to the upper layer or a fragment header.
 * IP_TRUNCATED; IP_EXT_HEADER: more than seven, hop-by-hop not first, or a
 * routing header with segments left. */
enum reason ip_skip_ext(uint8_t *proto, uint8_t **l4, uint32_t *len) HG_CHECK;
/* Is the upper-layer header of proto whole, and no longer than it says?
 * Trims octets after a UDP datagram from *len. */
enum reason ip_check_l4(uint8_t proto, const uint8_t *l4,
			uint32_t *len) HG_CHECK;
/* Octets of the L4 header (TCP with options), or 0 when it is truncated or
 * contradicts itself. Protocols other than TCP and UDP: ICMP_HDR. */
uint32_t ip_l4_hdr_len(uint8_t proto, const uint8_t *l4, uint32_t len);
/* Is the checksum of a TCP, UDP or ICMP packet right, or left to us by the
 * kernel? Who answers a packet, or makes a new checksum for its octets, asks
 * first: what was damaged must not be made good. UDP of 0 is right over
 * IPv4 only (RFC 8200 8.1). */
bool ip_checksum_ok(const struct ip_view *v, const struct ip_offload *off);
/* Offset of the checksum field inside the L4 header; -1: none. */
int ip_csum_offset(uint8_t proto);
/* Writes an IPv4 or IPv6 header (by from's family; both must agree) for
 * l4_len octets of proto; IPv4: DF set, id 0. Returns its length. */
size_t ip_put_header(uint8_t out[IP6_HDR], const struct addr *from,
		     const struct addr *to, uint8_t proto, uint32_t l4_len,
		     uint8_t ttl, uint8_t tos);
/* Makes a header that ip_put_header wrote for IPv4 say that the packet may
 * be cut on its way, as `id`. */
void ip_allow_cutting(uint8_t hdr[IP4_HDR], uint16_t id);
/* An IPv6 fragment header before octets that stood at `offset`. */
void ip_put_fragment(uint8_t out[IP_FRAGMENT_HDR], uint8_t proto,
		     uint32_t offset, bool more, uint32_t id);
/* A whole UDP packet with checksum. Returns its length, or 0 when cap is
 * too small. */
size_t ip_build_udp(uint8_t *out, size_t cap, const struct endpoint *from,
		    const struct endpoint *to, const void *data, size_t len);
/* An ICMP(v6) error about orig (a whole IP packet), sent as `from` to
 * orig's source. ICMP4/ICMP6 types are given in ICMPv6 terms:
 * type 1 codes 0, 1, 3, 4 (unreachable), type 2 (too big, param = MTU),
 * type 3 (time exceeded); translated for IPv4 by RFC 7915 5.2. Never
 * answers an ICMP error, a multicast, or a non-first fragment. At most
 * 1280 (IPv6) or 576 (IPv4) octets. Returns its length, 0: none is due. */
size_t ip_build_icmp_error(uint8_t *out, size_t cap, const struct addr *from,
			   const uint8_t *orig, size_t orig_len, uint8_t type,
			   uint8_t code, uint32_t param);
/* Is this ICMP (proto 1) or ICMPv6 (58) message an error? */
bool ip_icmp_is_error(uint8_t proto, uint8_t type);
