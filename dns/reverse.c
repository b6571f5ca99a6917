/* SPDX-License-Identifier: MIT */
/* The address a PTR query is about (RFC 1035 3.5, RFC 3596 2.5). */
#include "dns/reverse.h"

#include <string.h>

static const struct dname zone4 = {
	.len = 14,
	.wire = "\007in-addr\004arpa",
};

static const struct dname zone6 = {
	.len = 10,
	.wire = "\003ip6\004arpa",
};

/* A label of decimal digits up to 255, no leading zero; -1: not so. */
static int decimal(const uint8_t *label, size_t len)
{
	int v = 0;

	if (len > 3 || (len > 1 && label[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (label[i] < '0' || label[i] > '9')
			return -1;
		v = v * 10 + (label[i] - '0');
	}
	return v > 255 ? -1 : v;
}

/* A label of one hexadecimal digit; -1: not so. */
static int nibble(const uint8_t *label, size_t len)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *p;

	if (len != 1 || label[0] == '\0')
		return -1;
	p = strchr(digits, label[0]);
	return p ? (int)((p - digits) & 15) : -1;
}

static bool addr4(const struct dname *name, struct addr *out)
{
	const uint8_t *label;
	uint8_t four[4];
	size_t off = 0;
	size_t len;
	int v;

	for (int i = 3; i >= 0; i--) {
		label = dname_label(name, &off, &len);
		v = label ? decimal(label, len) : -1;
		if (v < 0)
			return false;
		four[i] = (uint8_t)v;
	}
	*out = addr_from4(four);
	return true;
}

static bool addr6(const struct dname *name, struct addr *out)
{
	const uint8_t *label;
	uint8_t b[16] = { 0 };
	size_t off = 0;
	size_t len;
	int v;

	for (int i = 31; i >= 0; i--) {
		label = dname_label(name, &off, &len);
		v = label ? nibble(label, len) : -1;
		if (v < 0)
			return false;
		b[i / 2] = (uint8_t)(b[i / 2] | (i % 2 ? v : v << 4));
	}
	*out = addr_from6(b);
	return true;
}

bool reverse_addr(const struct dname *name, struct addr *out)
{
	if (dname_labels(name) == 4 + 2 && dname_below(name, &zone4))
		return addr4(name, out);
	if (dname_labels(name) == 32 + 2 && dname_below(name, &zone6))
		return addr6(name, out);
	return false;
}
