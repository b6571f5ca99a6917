/* SPDX-License-Identifier: MIT */
/* Domain names in wire form: read, compared, printed (RFC 1035 3.1, 4.1.4). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/wire.h"
#include "dns/dns.h"

#define DNAME_WIRE_MAX 255

/* Uncompressed, the root label included, case as it was written. */
struct dname {
	uint8_t len;
	uint8_t wire[DNAME_WIRE_MAX];
};

/* Reads a name and moves r past it. `msg` is the start of the message, into
 * which compression pointers point; NULL: none are allowed. Every pointer
 * must go strictly backwards, so the work is bounded by the name's length
 * and DNAME_HOPS_MAX. Bad: r->bad. */
#define DNAME_HOPS_MAX 127
void dname_get(struct rd *r, const uint8_t *msg, struct dname *out);

/* Text as in a zone file (RFC 1035 5.1): \. and \DDD escapes; a dot at the
 * end is allowed and means nothing: all names here are absolute. */
int dname_parse(const char *text, struct dname *out) HG_CHECK;
/* Lower case, no dot at the end ("." for the root). HG_EFULL: the escapes
 * make it longer than DNS_NAME_MAX; then out is "". */
int dname_print(const struct dname *n, char out[DNS_NAME_MAX]) HG_CHECK;

/* RFC 4343: case does not count. */
bool dname_eq(const struct dname *a, const struct dname *b);
struct dname dname_lower(const struct dname *n);
/* Case counts. */
bool dname_same(const struct dname *a, const struct dname *b);
/* n is below zone (and not zone itself). */
bool dname_below(const struct dname *n, const struct dname *zone);
/* Labels, the root not counted. */
unsigned dname_labels(const struct dname *n);
/* The label at *off, its length in *len, and moves *off to the next; NULL
 * at the root. */
const uint8_t *dname_label(const struct dname *n, size_t *off, size_t *len);
/* One that nobody can guess and that is in no cache. Two labels, for a name
 * of one is not passed on by every forwarder; at no top-level domain there
 * is, so that nobody is asked who need not be. */
void dname_draw(struct dname *out);
