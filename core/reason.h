/* SPDX-License-Identifier: MIT */
/* Why a packet was dropped: one reason, one counter, one place.
 *
 * THEORY OF OPERATION
 * The table below is the whole list: enum, counter name and the sentence
 * a person reads. Each thread owns one struct reasons and is its only
 * writer; readers (the control thread, for `hipgate status`) sum them with
 * relaxed loads, so a count may be a moment old but never torn.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define REASON_TABLE(X)                                                        \
	/* IP packets from the TUN and inside ESP */                           \
	X(IP_TRUNCATED, "ip-truncated", "shorter than its headers say")        \
	X(IP_VERSION, "ip-version", "neither IPv4 nor IPv6")                   \
	X(IP_CHECKSUM, "ip-checksum", "IPv4 header checksum is wrong")         \
	X(IP_FRAGMENT, "ip-fragment", "fragment of what is not put together")  \
	X(FRAG_LENGTH, "frag-length", "fragment of a length that cannot be")   \
	X(FRAG_TINY, "frag-tiny", "first fragment lacks upper-layer headers")  \
	X(FRAG_DUPLICATE, "frag-duplicate", "fragment came twice")             \
	X(FRAG_OVERLAP, "frag-overlap", "of a packet whose fragments overlap") \
	X(FRAG_MISFIT, "frag-misfit", "fragments contradict each other")       \
	X(FRAG_MANY, "frag-many", "of a packet in too many fragments")         \
	X(FRAG_QUOTA, "frag-quota", "given up for newer ones of its source")   \
	X(FRAG_FULL, "frag-full", "given up for newer ones of others")         \
	X(FRAG_TIMEOUT, "frag-timeout",                                        \
	  "the packet's other fragments stay out")                             \
	X(IP_EXT_HEADER, "ip-ext-header", "unusable IPv6 extension header")    \
	X(IP_BAD_ADDR, "ip-bad-addr", "source or destination cannot be used")  \
	X(IP_PROTO, "ip-proto", "protocol is not TCP, UDP or ICMP echo")       \
	X(L4_TRUNCATED, "l4-truncated", "upper-layer header is cut short")     \
	X(L4_CHECKSUM, "l4-checksum", "upper-layer checksum is wrong")         \
	X(VNET_HDR, "vnet-hdr", "virtio header contradicts the packet")        \
	X(TTL_EXPIRED, "ttl-expired", "hop limit ran out")                     \
	/* substitute addresses and NAT */                                     \
	X(NOT_A_CLIENT, "not-a-client", "source is not in `clients`")          \
	X(NO_MAPPING, "no-mapping", "substitute address nobody was given")     \
	X(NO_FLOW, "no-flow", "from a HIP host, but no legacy host asked")     \
	X(NO_PORT, "no-port", "no NAT port is free for this peer")             \
	X(FLOW_QUOTA, "flow-quota", "client has too many flows")               \
	X(FLOW_STATE, "flow-state", "TCP flow must begin with a SYN")          \
	X(ICMP_ERROR, "icmp-error", "ICMP error fits no flow")                 \
	X(PARK_FULL, "park-full", "too many packets wait for this HIP host")   \
	X(PARK_EXPIRED, "park-expired", "waited packet given up: no SA")       \
	X(HOLD_FULL, "hold-full", "too many packets wait for a way")           \
	X(HOLD_EXPIRED, "hold-expired", "waited for a way for too long")       \
	X(PUNT_FULL, "punt-full", "queue to the control thread is full")       \
	X(LOOP, "loop", "our own outer packet came back through the TUN")      \
	X(NO_SA, "no-sa", "no security association with that host")            \
	X(DENIED, "denied", "policy forbids it")                               \
	/* ESP */                                                              \
	X(UDP_RUNT, "udp-runt", "datagram too short for HIP or ESP")           \
	X(UDP_KEEPALIVE, "udp-keepalive", "one-octet NAT keepalive")           \
	X(ESP_SPI, "esp-spi", "unknown SPI")                                   \
	X(ESP_SHORT, "esp-short", "shorter than the suite's minimum")          \
	X(ESP_REPLAY, "esp-replay", "sequence number seen or too old")         \
	X(ESP_AUTH, "esp-auth", "integrity check value is wrong")              \
	X(ESP_PADDING, "esp-padding", "padding or next header malformed")      \
	X(ESP_SEQ_END, "esp-seq-end", "sequence numbers are used up")          \
	X(ESP_CRYPTO, "esp-crypto", "crypto library refused")                  \
	X(TOO_BIG, "too-big", "larger than the path carries")                  \
	X(PROBE_LOST, "probe-lost", "path probe without an answer in time")    \
	X(PATH_CREDIT, "path-credit", "for an address not yet verified")       \
	X(PROBE_STRAY, "probe-stray", "answer to no path probe of ours")       \
	X(RELAY_STRANGER, "relay-stranger",                                    \
	  "to a relayed address, from nobody with a permission")               \
	X(RELAY_EXPIRED, "relay-expired", "that permission is over")           \
	X(RELAY_RATE, "relay-rate", "more than is relayed for one client")     \
	X(RELAY_UNHEARD, "relay-unheard",                                      \
	  "relayed to nobody who has not sent anything yet")                   \
	X(SEND_FAILED, "send-failed", "the kernel refused the datagram")       \
	X(TUN_FAILED, "tun-failed", "the kernel refused the TUN packet")       \
	/* HIP control */                                                      \
	X(HIP_TRUNCATED, "hip-truncated", "shorter than its header says")      \
	X(HIP_HEADER, "hip-header", "header fields contradict each other")     \
	X(HIP_VERSION, "hip-version", "not HIPv2")                             \
	X(HIP_CHECKSUM, "hip-checksum", "checksum over UDP is not zero")       \
	X(HIP_TYPE, "hip-type", "unknown packet type")                         \
	X(HIP_TLV, "hip-tlv", "parameter malformed, repeated or out of order") \
	X(HIP_CRITICAL, "hip-critical", "unknown critical parameter")          \
	X(HIP_MISSING, "hip-missing", "a parameter that must be there is not") \
	X(HIP_NOT_OURS, "hip-not-ours", "receiver HIT is not ours")            \
	X(HIP_BAD_HIT, "hip-bad-hit", "HIT does not match the host identity")  \
	X(HIP_NO_ASSOC, "hip-no-assoc", "no association with that HIT")        \
	X(HIP_STATE, "hip-state", "packet does not fit the state")             \
	X(HIP_PUZZLE, "hip-puzzle", "puzzle solution or #I is wrong")          \
	X(HIP_PUZZLE_HARD, "hip-puzzle-hard", "puzzle above our limit")        \
	X(HIP_R1_COUNTER, "hip-r1-counter", "R1 generation counter too old")   \
	X(HIP_DOWNGRADE, "hip-downgrade", "DH group is not the best common")   \
	X(HIP_DH, "hip-dh", "Diffie-Hellman value is invalid")                 \
	X(HIP_PROPOSAL, "hip-proposal", "no common suite or not an offered")   \
	X(HIP_MAC, "hip-mac", "HIP_MAC is wrong")                              \
	X(HIP_SIGNATURE, "hip-signature", "signature is wrong")                \
	X(HIP_ENCRYPTED, "hip-encrypted", "ENCRYPTED cannot be read")          \
	X(HIP_ECHO, "hip-echo", "echo response is not what was asked")         \
	X(HIP_RVS_HMAC, "hip-rvs-hmac", "FROM without a valid RVS_HMAC")       \
	X(HIP_RELAY_HMAC, "hip-relay-hmac",                                    \
	  "RELAY_FROM without a valid RELAY_HMAC")                             \
	X(HIP_RELAY_TO, "hip-relay-to",                                        \
	  "RELAY_TO names nobody who has just written")                        \
	X(HIP_RELAY_LOOP, "hip-relay-loop",                                    \
	  "to be relayed from or to the relay itself")                         \
	X(HIP_PERMISSION, "hip-permission",                                    \
	  "PEER_PERMISSION for what may not be relayed")                       \
	X(HIP_NAT_MODE, "hip-nat-mode", "NAT traversal mode missing or wrong") \
	X(HIP_CHECKS, "hip-checks", "no path between two NATs was found")      \
	X(HIP_CHECKS_QUOTA, "hip-checks-quota",                                \
	  "an address was asked too often, whatever its port")                 \
	X(HIP_CHECKS_RATE, "hip-checks-rate",                                  \
	  "too many unproved addresses of one network")                        \
	X(HIP_KEEPALIVE, "hip-keepalive", "it only keeps a NAT's mapping")     \
	X(HIP_NOT_REGISTERED, "hip-not-registered", "HIT not registered here") \
	X(HIP_SOURCE_PORT, "hip-source-port",                                  \
	  "relayed I1 not from port 10500")                                    \
	X(HIP_DENIED, "hip-denied", "access rules do not allow that peer")     \
	X(HIP_OPPORTUNISTIC, "hip-opportunistic",                              \
	  "I1 to no HIT, which is not answered here")                          \
	X(HIP_RATE, "hip-rate", "too many from that source")                   \
	X(HIP_CREDIT, "hip-credit", "R1 too large for so short an I1: wait")   \
	X(HIP_PUZZLE_USED, "hip-puzzle-used",                                  \
	  "that puzzle has failed too often")                                  \
	X(HIP_BUSY, "hip-busy", "crypto queue is full")                        \
	X(HIP_DUPLICATE, "hip-duplicate", "already answered or in work")       \
	X(HIP_CRYPTO, "hip-crypto", "crypto library refused")                  \
	X(HIP_REFUSED, "hip-refused",                                          \
	  "the peer says (NOTIFY) that it refuses")                            \
	X(HIP_TIMEOUT, "hip-timeout", "peer did not answer")                   \
	/* hosts that move */                                                  \
	X(HIP_LOCATOR, "hip-locator", "LOCATOR_SET malformed")                 \
	X(HIP_LOCATOR_MANY, "hip-locator-many", "LOCATOR_SET of too many")     \
	X(HIP_LOCATOR_TYPE, "hip-locator-type",                                \
	  "LOCATOR_SET without a locator of a type we know")                   \
	X(HIP_LOCATOR_ADDR, "hip-locator-addr",                                \
	  "LOCATOR_SET names what is no host's address")                       \
	X(HIP_LOCATOR_BARRED, "hip-locator-barred",                            \
	  "LOCATOR_SET names an address where no peer can be")                 \
	X(HIP_LOCATOR_OLD, "hip-locator-old",                                  \
	  "LOCATOR_SET came behind a newer one")                               \
	X(HIP_SPI, "hip-spi", "ESP_INFO names an SPI that is not there")       \
	/* DNS */                                                              \
	X(DNS_MALFORMED, "dns-malformed", "not a DNS message")                 \
	X(DNS_NOT_QUERY, "dns-not-query", "not a query with one question")     \
	X(DNS_MISMATCH, "dns-mismatch", "answer matches no question of ours")  \
	X(DNS_BUSY, "dns-busy", "too many questions in flight")                \
	X(DNS_CLIENT, "dns-client", "query from outside `clients`")            \
	X(DNS_BAD_HIP, "dns-bad-hip", "HIP record unusable")                   \
	X(DNS_LOCATOR, "dns-locator", "address or rendezvous name unusable")   \
	X(DNS_NO_HIP, "dns-no-hip", "HIP is required, and there is none")      \
	X(DNS_STRIPPED, "dns-stripped",                                        \
	  "a name that had a HIP record has none")                             \
	X(DNS_SPOOFED, "dns-spoofed",                                          \
	  "so many wrong answers that TCP is used")                            \
	X(DNS_BOGUS, "dns-bogus", "HIP record not proven by DNSSEC")           \
	X(DNS_PINS_FULL, "dns-pins-full", "no room to remember that name")     \
	X(DNS_QUOTA, "dns-quota", "one client or domain has too many hosts")   \
	X(DNS_FULL, "dns-full", "no substitute address is left to give")       \
	X(DNS_LOOP, "dns-loop", "our own question came back to us")            \
	X(DNS_REAL, "dns-real", "real address that cannot be answered with")   \
	X(DNS_CUT, "dns-cut", "client ended in the middle of a message")       \
	X(DNS_DEAF, "dns-deaf", "server that never answers HIP questions")

enum reason {
#define REASON_ENUM(name, text, why) REASON_##name,
	REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
		REASON_NUM
};

struct reasons {
	_Atomic uint64_t n[REASON_NUM]; /* one writer: the owning thread */
};

/* "esp-replay"; stable, used in JSON and in the docs. */
const char *reason_name(enum reason r);
/* "sequence number seen or too old". */
const char *reason_why(enum reason r);

/* Where on its way a packet was: the parts of the table above. */
enum reason_stage {
	REASON_STAGE_IP,
	REASON_STAGE_NAT, /* and substitute addresses */
	REASON_STAGE_ESP, /* and its sending */
	REASON_STAGE_HIP,
	REASON_STAGE_MOVE,
	REASON_STAGE_DNS,
	REASON_STAGE_NUM
};
enum reason_stage reason_stage(enum reason r);
/* "esp"; stable. */
const char *reason_stage_name(enum reason_stage s);

static inline void reason_count(struct reasons *k, enum reason r)
{
	uint64_t n = atomic_load_explicit(&k->n[r], memory_order_relaxed);

	atomic_store_explicit(&k->n[r], n + 1, memory_order_relaxed);
}

static inline uint64_t reason_get(const struct reasons *k, enum reason r)
{
	return atomic_load_explicit(&((struct reasons *)k)->n[r],
				    memory_order_relaxed);
}
