/* SPDX-License-Identifier: MIT */
/* Addresses, HITs, endpoints and prefixes (RFC 4291, 5952, 7343). */
#include "core/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
};

const struct addr addr_any6;
const struct hit hit_null;

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool addr_is4(const struct addr *a)
{
	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

const uint8_t *addr_four(const struct addr *a)
{
	return a->b + 12;
}

bool addr_is_unspecified(const struct addr *a)
{
	static const uint8_t zero[4];

	if (addr_is4(a))
		return memcmp(addr_four(a), zero, sizeof(zero)) == 0;
	return addr_eq(a, &addr_any6);
}

static bool four_is_unusable(const uint8_t four[4])
{
	return four[0] == 0 || four[0] == 127 || four[0] >= 224;
}

bool addr_is_unusable(const struct addr *a)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (addr_is4(a))
		return four_is_unusable(addr_four(a));
	return addr_is_unspecified(a) || a->b[0] == 0xff ||
	       memcmp(a->b, loopback6, sizeof(loopback6)) == 0 ||
	       hit_is_orchid(a->b);
}

bool addr_is_private4(const struct addr *a)
{
	const uint8_t *four;

	if (!addr_is4(a))
		return false;
	four = addr_four(a);
	return four[0] == 10 || (four[0] == 172 && (four[1] & 0xf0) == 16) ||
	       (four[0] == 192 && four[1] == 168) ||
	       (four[0] == 100 && (four[1] & 0xc0) == 64);
}

bool addr_is_linklocal(const struct addr *a)
{
	const uint8_t *four = addr_four(a);

	if (addr_is4(a))
		return four[0] == 169 && four[1] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

struct addr addr_from4(const uint8_t four[4])
{
	struct addr a;

	memcpy(a.b, mapped, sizeof(mapped));
	memcpy(a.b + 12, four, 4);
	return a;
}

struct addr addr_from6(const uint8_t sixteen[16])
{
	struct addr a;

	memcpy(a.b, sixteen, sizeof(a.b));
	return a;
}

int addr_parse(const char *text, struct addr *out)
{
	uint8_t buf[16];

	if (inet_pton(AF_INET, text, buf) == 1) {
		*out = addr_from4(buf);
		return HG_OK;
	}
	if (inet_pton(AF_INET6, text, buf) == 1) {
		*out = addr_from6(buf);
		return HG_OK;
	}
	return HG_EFORMAT;
}

/* The C library's inet_ntop does the same with a printf for each group, which
 * is half of what an event costs. */
static char *put_four(char *p, const uint8_t four[4])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned v = four[i];

		if (i)
			*p++ = '.';
		if (v > 99)
			*p++ = (char)('0' + v / 100);
		if (v > 9)
			*p++ = (char)('0' + v / 10 % 10);
		*p++ = (char)('0' + v % 10);
	}
	return p;
}

static char *put_group(char *p, unsigned v)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned shift = 12; shift; shift -= 4) {
		if (v >> shift)
			*p++ = digits[v >> shift & 15];
	}
	*p++ = digits[v & 15];
	return p;
}

static unsigned group(const uint8_t b[16], unsigned i)
{
	return (unsigned)b[2 * i] << 8 | b[2 * i + 1];
}

/* The first of the longest runs of zero groups (RFC 5952 4.2); fewer than
 * two are none: *len 0. */
static unsigned zero_run(const uint8_t b[16], unsigned *len)
{
	unsigned best = 0;
	unsigned run = 0;

	*len = 0;
	for (unsigned i = 0; i < 8; i++) {
		run = group(b, i) ? 0 : run + 1;
		if (run > 1 && run > *len) {
			*len = run;
			best = i + 1 - run;
		}
	}
	return best;
}

static const char *print6(const uint8_t b[16], char out[ADDR_TEXT_MAX])
{
	unsigned len;
	unsigned at = zero_run(b, &len);
	/* ::192.0.2.1 and ::ffff:192.0.2.1 */
	bool four =
		at == 0 && (len == 6 || (len == 5 && group(b, 5) == 0xffff));
	char *p = out;

	for (unsigned i = 0; i < (four ? 6 : 8); i++) {
		if (len && i == at) {
			*p++ = ':';
			if (at + len == 8)
				*p++ = ':';
		}
		if (len && i >= at && i < at + len)
			continue;
		if (i)
			*p++ = ':';
		p = put_group(p, group(b, i));
	}
	if (four) {
		*p++ = ':';
		p = put_four(p, b + 12);
	}
	*p = '\0';
	return out;
}

const char *addr_print(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	if (!addr_is4(a))
		return print6(a->b, out);
	*put_four(out, addr_four(a)) = '\0';
	return out;
}

bool hit_eq(const struct hit *a, const struct hit *b)
{
	return hit_cmp(a, b) == 0;
}

int hit_cmp(const struct hit *a, const struct hit *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool hit_is_null(const struct hit *h)
{
	return hit_eq(h, &hit_null);
}

bool hit_is_orchid(const uint8_t b[16])
{
	/* 2001:0020::/28 (RFC 7343 6). */
	return b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x00 &&
	       (b[3] & 0xf0) == 0x20;
}

unsigned hit_suite(const struct hit *h)
{
	return h->b[3] & 0x0f;
}

int hit_parse(const char *text, struct hit *out)
{
	struct hit h;

	if (inet_pton(AF_INET6, text, h.b) != 1 || !hit_is_orchid(h.b))
		return HG_EFORMAT;
	*out = h;
	return HG_OK;
}

const char *hit_print(const struct hit *h, char out[ADDR_TEXT_MAX])
{
	return print6(h->b, out);
}

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_eq(&a->addr, &b->addr);
}

static int port_parse(const char *text, uint16_t *out)
{
	char *end;
	unsigned long v;

	if (text[0] < '0' || text[0] > '9')
		return HG_EFORMAT;
	v = strtoul(text, &end, 10);
	if (*end != '\0' || v == 0 || v > 65535)
		return HG_EFORMAT;
	*out = (uint16_t)v;
	return HG_OK;
}

/* Splits "[a]:p", "a:p" (IPv4 only) and "a"; *port is NULL without one. */
static int endpoint_split(char *text, char **host, char **port)
{
	char *colon = strchr(text, ':');

	*host = text;
	*port = NULL;
	if (text[0] == '[') {
		char *close = strchr(text, ']');

		if (!close)
			return HG_EFORMAT;
		*close = '\0';
		*host = text + 1;
		if (close[1] == '\0')
			return HG_OK;
		if (close[1] != ':')
			return HG_EFORMAT;
		*port = close + 2;
	} else if (colon && !strchr(colon + 1, ':')) {
		*colon = '\0';
		*port = colon + 1;
	}
	return HG_OK;
}

int endpoint_parse(const char *text, uint16_t default_port,
		   struct endpoint *out)
{
	char copy[80];
	char *host;
	char *port;
	struct endpoint e = { .port = default_port };
	int err;

	if (strlen(text) >= sizeof(copy))
		return HG_EFORMAT;
	memcpy(copy, text, strlen(text) + 1);
	err = endpoint_split(copy, &host, &port);
	if (!err && port)
		err = port_parse(port, &e.port);
	if (!err)
		err = addr_parse(host, &e.addr);
	if (!err)
		*out = e;
	return err;
}

const char *endpoint_print(const struct endpoint *e,
			   char out[ENDPOINT_TEXT_MAX])
{
	char text[ADDR_TEXT_MAX];

	(void)snprintf(out, ENDPOINT_TEXT_MAX,
		       addr_is4(&e->addr) ? "%s:%u" : "[%s]:%u",
		       addr_print(&e->addr, text), (unsigned)e->port);
	return out;
}

static void addr_mask(struct addr *a, unsigned len)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned bits = len > i * 8 ? len - i * 8 : 0;

		if (bits < 8)
			a->b[i] &= (uint8_t)(0xff00u >> bits);
	}
}

int prefix_parse(const char *text, struct prefix *out)
{
	char copy[64];
	char *slash;
	struct addr a;
	struct addr masked;
	unsigned long len;
	unsigned base;

	if (strlen(text) >= sizeof(copy))
		return HG_EFORMAT;
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (addr_parse(copy, &a))
		return HG_EFORMAT;
	base = addr_is4(&a) ? 96 : 0;
	len = 128 - base;
	if (slash) {
		char *end;

		if (slash[1] < '0' || slash[1] > '9')
			return HG_EFORMAT;
		len = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || len > 128 - base)
			return HG_EFORMAT;
	}
	len += base;
	masked = a;
	addr_mask(&masked, (unsigned)len);
	if (!addr_eq(&a, &masked))
		return HG_EFORMAT;
	out->addr = a;
	out->len = (uint8_t)len;
	return HG_OK;
}

bool prefix_has(const struct prefix *p, const struct addr *a)
{
	struct addr masked = *a;

	addr_mask(&masked, p->len);
	return addr_eq(&masked, &p->addr);
}

bool prefix_is4(const struct prefix *p)
{
	return p->len >= 96 && addr_is4(&p->addr);
}

const char *prefix_print(const struct prefix *p, char out[PREFIX_TEXT_MAX])
{
	char text[ADDR_TEXT_MAX];

	(void)snprintf(out, PREFIX_TEXT_MAX, "%s/%u",
		       addr_print(&p->addr, text),
		       (unsigned)(p->len - (prefix_is4(p) ? 96 : 0)));
	return out;
}
