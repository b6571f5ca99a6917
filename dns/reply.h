/* SPDX-License-Identifier: MIT */
/* The messages hipgate makes itself: answers to clients, asks to servers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "dns/dname.h"
#include "dns/scan.h"

/* Longest message made here; larger than any can be: two names, one record,
 * at most a HIP host's (LOCAL_RDATA), EDNS with REPLY_TEXT_MAX of text. */
#define REPLY_MAX 3072
#define REPLY_TEXT_MAX 120
#define REPLY_UDP_SIZE 1232

enum reply_kind {
	REPLY_EMPTY,   /* only an rcode */
	REPLY_NODATA,  /* SOA (RFC 2308 2.2), or NXDOMAIN with that rcode */
	REPLY_ADDRESS, /* A or AAAA, as addr is */
	REPLY_MINIMAL, /* RFC 8482 4.2: HINFO */
	REPLY_PTR,
	REPLY_HIP, /* rdata */
	REPLY_NUM,
};

/* RFC 8914 4 */
enum reply_ede {
	REPLY_EDE_OTHER = 0,
	REPLY_EDE_FORGED = 4,
	REPLY_EDE_BOGUS = 6,
	REPLY_EDE_NOT_READY = 14,
	REPLY_EDE_BLOCKED = 15,
	REPLY_EDE_PROHIBITED = 18,
	REPLY_EDE_NO_AUTHORITY = 22,
};

struct reply {
	const struct scan_header *header;     /* of the query */
	const struct scan_question *question; /* case kept */
	const struct scan_edns *edns;
	enum reply_kind kind;
	unsigned rcode;
	uint32_t ttl;
	size_t room;		    /* octets the client takes; 0: any number */
	const struct addr *addr;    /* ADDRESS */
	const struct dname *target; /* PTR */
	const uint8_t *rdata;	    /* HIP */
	size_t rdlen;
	enum reply_ede ede; /* said if ede_text, and EDNS was used */
	const char *ede_text;
};

/* Answers stand at the very name that was asked: a chain of CNAMEs is not
 * repeated, its end's address is given at its beginning. What does not fit
 * into `room` goes without its text, else without its record and with TC.
 * A cookie in edns is given back as it stands there (RFC 7873). */
int reply_build(const struct reply *r, uint8_t out[REPLY_MAX],
		size_t *len) HG_CHECK;
/* An error for a query whose question cannot be read: a header alone. */
void reply_header(const struct scan_header *query, unsigned rcode,
		  uint8_t out[SCAN_HEADER]);
/* A query of ours: RD, and EDNS unless the server takes none. */
int reply_ask(const struct dname *name, uint16_t type, uint16_t id, bool edns,
	      uint8_t out[REPLY_MAX], size_t *len) HG_CHECK;
