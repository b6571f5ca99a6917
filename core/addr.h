/* SPDX-License-Identifier: MIT */
/* Addresses, HITs, endpoints and prefixes: one 16-octet form for all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d; network order. */
struct addr {
	uint8_t b[16];
};

/* A Host Identity Tag (RFC 7401 3.1); network order. Not an addr: a HIT
 * is never routed, an addr is never an identity. */
struct hit {
	uint8_t b[16];
};

/* An address with a UDP or TCP port (host order). */
struct endpoint {
	struct addr addr;
	uint16_t port;
};

/* A prefix; len counts from the start of the 16-octet form, so that
 * 198.18.0.0/15 has len 96 + 15. Host bits are zero. */
struct prefix {
	struct addr addr;
	uint8_t len;
};

/* Large enough for any text these functions write, NUL included. */
#define ADDR_TEXT_MAX 46
#define ENDPOINT_TEXT_MAX 56
#define PREFIX_TEXT_MAX 50

extern const struct addr addr_any6;
extern const struct hit hit_null;

bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_is4(const struct addr *a);
/* No address at all: :: or 0.0.0.0. */
bool addr_is_unspecified(const struct addr *a);
/* Loopback, multicast, broadcast, unspecified or an ORCHID (2001:20::/28):
 * never a place to send HIP or ESP to (product.md T13). */
bool addr_is_unusable(const struct addr *a);
bool addr_is_linklocal(const struct addr *a);
/* An IPv4 address that the Internet does not route: RFC 1918, or of a
 * provider's NAT (RFC 6598). Who reaches the Internet from there does so
 * through a NAT. */
bool addr_is_private4(const struct addr *a);
struct addr addr_from4(const uint8_t four[4]);
struct addr addr_from6(const uint8_t sixteen[16]);
/* The four octets of an IPv4 address inside a; a must be addr_is4. */
const uint8_t *addr_four(const struct addr *a);
/* Texts: IPv4 dotted, IPv6 RFC 5952. */
int addr_parse(const char *text, struct addr *out) HG_CHECK;
const char *addr_print(const struct addr *a, char out[ADDR_TEXT_MAX]);

bool hit_eq(const struct hit *a, const struct hit *b);
/* Unsigned 128-bit order (RFC 7401 6.5): < 0, 0, > 0. */
int hit_cmp(const struct hit *a, const struct hit *b);
bool hit_is_null(const struct hit *h);
/* Inside 2001:20::/28 (RFC 7343). */
bool hit_is_orchid(const uint8_t b[16]);
/* The HIT suite (OGA id, 1..15) inside the HIT. */
unsigned hit_suite(const struct hit *h);
int hit_parse(const char *text, struct hit *out) HG_CHECK;
const char *hit_print(const struct hit *h, char out[ADDR_TEXT_MAX]);

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);
/* "192.0.2.1:53" or "[2001:db8::1]:53"; without a port, default_port. */
int endpoint_parse(const char *text, uint16_t default_port,
		   struct endpoint *out) HG_CHECK;
const char *endpoint_print(const struct endpoint *e,
			   char out[ENDPOINT_TEXT_MAX]);

/* "2001:db8::/32", "192.0.2.0/24"; a bare address is a host prefix. Host
 * bits that are set are HG_EFORMAT. */
int prefix_parse(const char *text, struct prefix *out) HG_CHECK;
bool prefix_has(const struct prefix *p, const struct addr *a);
bool prefix_is4(const struct prefix *p);
const char *prefix_print(const struct prefix *p, char out[PREFIX_TEXT_MAX]);
