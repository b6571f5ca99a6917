/* SPDX-License-Identifier: MIT */
/* room: dns
 * door: hip
 * The rdata of a HIP record, and the HIT of its key (8005 5, 4.1): what is
 * read lies inside and is within the bounds, is read the same when it is
 * written again, and no shorter rdata is the same record. */
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/dns.h"
#include "dns/hiprr.h"
#include "hip/hip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 4 /* HIT length, algorithm, key length */
#define RDATA_MAX (HEAD + 16 + DNS_HI_MAX + HIPRR_RVS_MAX * DNAME_WIRE_MAX)

/* Not assert: optimised builds leave that out. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

static void bounds(const struct hiprr *rr, const uint8_t *data, size_t size)
{
	must(hit_is_orchid(rr->hit.b));
	must(rr->pk_len > 0 && rr->pk_len <= DNS_HI_MAX);
	must(rr->pk == data + HEAD + sizeof(rr->hit.b));
	must(rr->pk_len <= size - HEAD - sizeof(rr->hit.b));
	must(rr->rvs_num <= HIPRR_RVS_MAX);
	for (size_t i = 0; i < rr->rvs_num; i++)
		must(rr->rvs[i].len > 0 &&
		     rr->rvs[i].wire[rr->rvs[i].len - 1] == 0);
}

static size_t put(const struct hiprr *rr, uint8_t out[RDATA_MAX])
{
	struct wr w = wr_init(out, RDATA_MAX);

	wr_u8(&w, sizeof(rr->hit.b));
	wr_u8(&w, rr->pk_alg);
	wr_be16(&w, rr->pk_len);
	wr_put(&w, rr->hit.b, sizeof(rr->hit.b));
	wr_put(&w, rr->pk, rr->pk_len);
	for (size_t i = 0; i < rr->rvs_num; i++)
		wr_put(&w, rr->rvs[i].wire, rr->rvs[i].len);
	must(!w.bad);
	return wr_len(&w);
}

static bool same(const struct hiprr *a, const struct hiprr *b)
{
	if (!hit_eq(&a->hit, &b->hit) || a->pk_alg != b->pk_alg ||
	    a->pk_len != b->pk_len || memcmp(a->pk, b->pk, a->pk_len) != 0 ||
	    a->rvs_num != b->rvs_num)
		return false;
	for (size_t i = 0; i < a->rvs_num; i++)
		if (!dname_same(&a->rvs[i], &b->rvs[i]))
			return false;
	return true;
}

static void round_trip(const struct hiprr *rr)
{
	static uint8_t out[RDATA_MAX];
	size_t len = put(rr, out);
	struct hiprr again;

	must(hiprr_get(out, len, &again) == HG_OK && same(rr, &again));
	for (size_t cut = 0; cut < len; cut++)
		must(hiprr_get(out, cut, &again) != HG_OK ||
		     again.rvs_num < rr->rvs_num);
}

/* One key, one HIT; another octet, another HIT, or no key. */
static void hit_of(const struct hiprr *rr)
{
	uint8_t pk[DNS_HI_MAX];
	struct hit hit;
	struct hit other;

	if (hip_hit_of_dns_key(rr->pk_alg, rr->pk, rr->pk_len, &hit))
		return;
	must(hit_is_orchid(hit.b) && hit_suite(&hit) > 0);
	must(hip_hit_of_dns_key(rr->pk_alg, rr->pk, rr->pk_len, &other) == 0);
	must(hit_eq(&hit, &other));
	memcpy(pk, rr->pk, rr->pk_len);
	pk[rr->pk_len - 1] ^= 1;
	if (hip_hit_of_dns_key(rr->pk_alg, pk, rr->pk_len, &other) == 0)
		must(!hit_eq(&hit, &other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hiprr rr;

	if (hiprr_get(data, size, &rr))
		return 0;
	bounds(&rr, data, size);
	round_trip(&rr);
	hit_of(&rr);
	return 0;
}
