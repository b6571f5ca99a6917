/* SPDX-License-Identifier: MIT */
/* Domain names in wire form: read, compared, printed (RFC 1035 3.1, 4.1.4). */
#include "dns/dname.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Appends one label; false when the name grows beyond RFC 1035 2.3.4. */
static bool append(struct dname *n, const uint8_t *label, uint8_t len)
{
	size_t root = len ? 1 : 0; /* room the root label will need */

	if (len > DNAME_WIRE_MAX - 1 - root ||
	    n->len > DNAME_WIRE_MAX - 1 - root - len)
		return false;
	n->wire[n->len] = len;
	memcpy(n->wire + n->len + 1, label, len);
	n->len = (uint8_t)(n->len + 1 + len);
	return true;
}

void dname_get(struct rd *r, const uint8_t *msg, struct dname *out)
{
	struct rd cur = *r;
	const uint8_t *limit = r->p;
	const uint8_t *label;
	unsigned hops = 0;
	size_t to;
	uint8_t n;

	out->len = 0;
	do {
		n = rd_u8(&cur);
		if ((n & 0xc0) == 0xc0) {
			to = (size_t)(n & 0x3f) << 8;
			to |= rd_u8(&cur);
			if (hops == 0)
				r->p = cur.p;
			if (cur.bad || !msg || hops == DNAME_HOPS_MAX ||
			    to >= (size_t)(limit - msg)) {
				r->bad = true;
				return;
			}
			hops++;
			/* What is pointed at ends before what points: the
			 * window only shrinks, so there is no loop. */
			cur = rd_init(msg + to, (size_t)(limit - msg) - to);
			limit = msg + to;
			continue;
		}
		label = rd_take(&cur, n & 0x3f);
		if (cur.bad || n > 63 || !append(out, label, n)) {
			r->bad = true;
			return;
		}
	} while (n != 0);
	if (hops == 0)
		r->p = cur.p;
}

/* One character of a label at *p, escapes undone; -1: not a character. */
static int unescape(const char **p)
{
	const char *s = *p;
	unsigned v;

	if (*s != '\\') {
		*p = s + 1;
		return (uint8_t)*s;
	}
	s++;
	if (*s == '\0')
		return -1;
	if (*s < '0' || *s > '9') {
		*p = s + 1;
		return (uint8_t)*s;
	}
	for (unsigned i = 0; i < 3; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
	}
	v = (unsigned)(s[0] - '0') * 100 + (unsigned)(s[1] - '0') * 10 +
	    (unsigned)(s[2] - '0');
	*p = s + 3;
	return v > 255 ? -1 : (int)v;
}

int dname_parse(const char *text, struct dname *out)
{
	uint8_t label[63];
	uint8_t len;
	int c;

	out->len = 0;
	if (strcmp(text, ".") == 0)
		text++;
	else if (*text == '\0')
		return HG_EFORMAT;
	while (*text) {
		len = 0;
		while (*text && *text != '.') {
			c = unescape(&text);
			if (c < 0 || len == sizeof(label))
				return HG_EFORMAT;
			label[len++] = (uint8_t)c;
		}
		if (len == 0 || !append(out, label, len))
			return HG_EFORMAT;
		if (*text == '.')
			text++;
	}
	return append(out, label, 0) ? HG_OK : HG_EFORMAT;
}

/* The text of one octet of a label; returns its length. */
static size_t escape(uint8_t c, char out[5])
{
	c = lower(c);
	if (c <= ' ' || c > '~')
		return (size_t)snprintf(out, 5, "\\%03u", c);
	if (strchr(".\\\"();@$", c))
		return (size_t)snprintf(out, 5, "\\%c", c);
	out[0] = (char)c;
	return 1;
}

int dname_print(const struct dname *n, char out[DNS_NAME_MAX])
{
	const uint8_t *label;
	size_t off = 0;
	size_t used = 0;
	size_t len;
	char one[5];

	/* used <= DNS_NAME_MAX - 1 throughout: one is kept for the NUL */
	while ((label = dname_label(n, &off, &len))) {
		if (used && used == DNS_NAME_MAX - 1)
			goto full;
		if (used)
			out[used++] = '.';
		for (size_t i = 0; i < len; i++) {
			size_t k = escape(label[i], one);

			if (k > DNS_NAME_MAX - 1 - used)
				goto full;
			memcpy(out + used, one, k);
			used += k;
		}
	}
	if (used == 0)
		out[used++] = '.';
	out[used] = '\0';
	return HG_OK;
full:
	out[0] = '\0';
	return HG_EFULL;
}

bool dname_eq(const struct dname *a, const struct dname *b)
{
	if (a->len != b->len)
		return false;
	/* A length octet is at most 63, so it is never changed by lower(). */
	for (size_t i = 0; i < a->len; i++) {
		if (lower(a->wire[i]) != lower(b->wire[i]))
			return false;
	}
	return true;
}

struct dname dname_lower(const struct dname *n)
{
	struct dname out = *n;

	for (size_t i = 0; i < n->len; i++)
		out.wire[i] = lower(n->wire[i]);
	return out;
}

bool dname_same(const struct dname *a, const struct dname *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

const uint8_t *dname_label(const struct dname *n, size_t *off, size_t *len)
{
	const uint8_t *label;

	if (*off >= n->len || n->wire[*off] == 0)
		return NULL;
	*len = n->wire[*off];
	label = n->wire + *off + 1;
	*off += 1 + *len;
	return label;
}

unsigned dname_labels(const struct dname *n)
{
	unsigned num = 0;
	size_t off = 0;
	size_t len;

	while (dname_label(n, &off, &len))
		num++;
	return num;
}

bool dname_below(const struct dname *n, const struct dname *zone)
{
	struct dname tail;
	size_t off = 0;
	size_t len;

	if (n->len <= zone->len)
		return false;
	while ((size_t)n->len - off > zone->len) {
		if (!dname_label(n, &off, &len))
			return false;
	}
	tail.len = (uint8_t)(n->len - off);
	memcpy(tail.wire, n->wire + off, tail.len);
	return dname_eq(&tail, zone);
}

#define CHANCE 16 /* octets, in hex */

void dname_draw(struct dname *out)
{
	uint8_t chance[CHANCE];
	char hex[2 * CHANCE + 1];
	uint8_t *p = out->wire;

	randombytes_buf(chance, sizeof(chance));
	sodium_bin2hex(hex, sizeof(hex), chance, sizeof(chance));
	for (unsigned i = 0; i < 2; i++) {
		*p++ = CHANCE;
		memcpy(p, hex + i * CHANCE, CHANCE);
		p += CHANCE;
	}
	*p++ = 0;
	out->len = (uint8_t)(p - out->wire);
}
