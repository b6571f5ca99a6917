/* SPDX-License-Identifier: MIT */
/* The HIP record's rdata (RFC 8005 5). */
#include "dns/hiprr.h"

#include <stdbool.h>
#include <string.h>

#include "core/wire.h"
#include "dns/dns.h"

/* HIT suites (RFC 7401 5.2.10): RSA,DSA/SHA-256; ECDSA/SHA-384;
 * ECDSA_LOW/SHA-1. */
#define SUITE_FIRST 1
#define SUITE_LAST 3

/* RFC 3110: one octet of exponent length, or zero and two; a modulus below
 * 1024 bits is no key. */
static bool rsa_is_sane(const uint8_t *pk, size_t len)
{
	struct rd r = rd_init(pk, len);
	size_t exponent = rd_u8(&r);

	if (exponent == 0)
		exponent = rd_be16(&r);
	rd_skip(&r, exponent);
	return !r.bad && exponent > 0 && rd_left(&r) >= 1024 / 8;
}

static int key_check(const struct hiprr *rr)
{
	if (rr->pk_len == 0 || rr->pk_len > DNS_HI_MAX)
		return HG_EFORMAT;
	switch (rr->pk_alg) {
	case HIPRR_RSA:
		return rsa_is_sane(rr->pk, rr->pk_len) ? HG_OK : HG_EFORMAT;
	case HIPRR_ECDSA:
		/* x | y on SECP160R1 (RFC 7401), P-256, P-384 (RFC 6605) */
		return rr->pk_len == 40 || rr->pk_len == 64 || rr->pk_len == 96
			       ? HG_OK
			       : HG_EFORMAT;
	}
	return HG_EUNSUPP;
}

int hiprr_get(const uint8_t *rdata, size_t len, struct hiprr *out)
{
	struct rd r = rd_init(rdata, len);
	uint8_t hit_len = rd_u8(&r);
	const uint8_t *hit;
	struct dname extra;

	out->pk_alg = rd_u8(&r);
	out->pk_len = rd_be16(&r);
	hit = rd_take(&r, hit_len);
	out->pk = rd_take(&r, out->pk_len);
	out->rvs_num = 0;
	while (!r.bad && rd_left(&r)) {
		struct dname *n = out->rvs_num < HIPRR_RVS_MAX
					  ? &out->rvs[out->rvs_num++]
					  : &extra;

		/* RFC 8005 5.6: names MUST NOT be compressed */
		dname_get(&r, NULL, n);
	}
	if (r.bad)
		return HG_ETRUNC;
	if (hit_len != sizeof(out->hit.b) || !hit_is_orchid(hit))
		return HG_EFORMAT;
	memcpy(out->hit.b, hit, sizeof(out->hit.b));
	if (hit_suite(&out->hit) < SUITE_FIRST ||
	    hit_suite(&out->hit) > SUITE_LAST)
		return HG_EUNSUPP;
	return key_check(out);
}

size_t hiprr_put(const struct hiprr *rr, uint8_t *out, size_t cap)
{
	struct wr w = wr_init(out, cap);

	wr_u8(&w, sizeof(rr->hit.b));
	wr_u8(&w, rr->pk_alg);
	wr_be16(&w, rr->pk_len);
	wr_put(&w, rr->hit.b, sizeof(rr->hit.b));
	wr_put(&w, rr->pk, rr->pk_len);
	for (size_t i = 0; i < rr->rvs_num; i++)
		wr_put(&w, rr->rvs[i].wire, rr->rvs[i].len);
	return w.bad ? 0 : wr_len(&w);
}
