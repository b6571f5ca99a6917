/* SPDX-License-Identifier: MIT */
/* DNS messages as they come in: header, question, records (RFC 1035 4.1).
 *
 * ldns could parse whole messages too, but lets every name follow 65535
 * compression pointers: one hostile message of 64 KiB then costs seconds.
 * Here a name costs at most its own length and DNAME_HOPS_MAX. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/wire.h"
#include "dns/dname.h"

enum {
	SCAN_A = 1,
	SCAN_CNAME = 5,
	SCAN_SOA = 6,
	SCAN_PTR = 12,
	SCAN_HINFO = 13,
	SCAN_AAAA = 28,
	SCAN_OPT = 41,
	SCAN_HIP = 55,
	SCAN_SVCB = 64,
	SCAN_HTTPS = 65,
	SCAN_IXFR = 251,
	SCAN_AXFR = 252,
	SCAN_ANY = 255,
};

enum { SCAN_IN = 1 };

enum {
	SCAN_NOERROR = 0,
	SCAN_FORMERR = 1,
	SCAN_SERVFAIL = 2,
	SCAN_NXDOMAIN = 3,
	SCAN_NOTIMP = 4,
	SCAN_REFUSED = 5,
	SCAN_BADVERS = 16,
};

#define SCAN_HEADER 12
#define SCAN_QR 0x8000
#define SCAN_TC 0x0200
#define SCAN_RD 0x0100
#define SCAN_CD 0x0010

struct scan_header {
	uint16_t id;
	uint16_t flags;
	uint16_t count[4]; /* QD AN NS AR */
};

struct scan_question {
	struct dname name;
	uint16_t type;
	uint16_t class;
};

#define SCAN_COOKIE_CLIENT 8 /* RFC 7873 4: the client's part, and all */
#define SCAN_COOKIE_MAX 40

struct scan_edns {
	bool present;
	uint8_t version;
	bool dnssec_ok;
	uint16_t udp_size;
	uint8_t cookie_len; /* 0: none; 8: the client's part alone */
	uint8_t cookie[SCAN_COOKIE_MAX];
};

/* A record; rdata is borrowed from the message. */
struct scan_rr {
	struct dname owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl; /* RFC 2181 8: the top bit set means 0 */
	const uint8_t *rdata;
	uint16_t rdlen;
};

unsigned scan_opcode(const struct scan_header *h);
unsigned scan_rcode(const struct scan_header *h);
void scan_header(struct rd *r, struct scan_header *out);
void scan_question(struct rd *r, const uint8_t *msg, struct scan_question *out);
void scan_rr(struct rd *r, const uint8_t *msg, struct scan_rr *out);
/* What follows the one question of a query: nothing but an OPT and perhaps
 * a signature. HG_EFORMAT: not so, or octets left over, or options that do
 * not fill the OPT, or a cookie of a length that none has (RFC 7873 5.2.2). */
int scan_edns(struct rd *r, const uint8_t *msg, const struct scan_header *h,
	      struct scan_edns *out) HG_CHECK;
