/* SPDX-License-Identifier: MIT */
/* The HIP record's rdata (RFC 8005 5). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "dns/dname.h"

/* Rendezvous servers used of one record: the first ones, which are the
 * preferred ones (RFC 8005 5.6); bound of product.md T12. */
#define HIPRR_RVS_MAX 4

enum hiprr_alg { HIPRR_DSA = 1, HIPRR_RSA = 2, HIPRR_ECDSA = 3 };

struct hiprr {
	struct hit hit;
	uint8_t pk_alg;
	const uint8_t *pk; /* borrowed from the rdata */
	uint16_t pk_len;
	struct dname rvs[HIPRR_RVS_MAX];
	size_t rvs_num;
};

/* HG_ETRUNC: ends too early, or a name is broken or compressed. HG_EFORMAT:
 * HIT or key cannot be what they claim. HG_EUNSUPP: a HIT suite or key
 * algorithm hipgate does not know. That the key makes the HIT is the
 * caller's to check (RFC 8005 4.1). */
int hiprr_get(const uint8_t *rdata, size_t len, struct hiprr *out) HG_CHECK;
/* The same back. Returns the octets written; 0: cap is too small. */
size_t hiprr_put(const struct hiprr *rr, uint8_t *out, size_t cap);
