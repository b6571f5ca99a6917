/* SPDX-License-Identifier: MIT */
/* A HIP record as a zone file holds it (RFC 8005 6). */
#include "dns/dns.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "dns/dname.h"

#define BASE64_MAX                                                             \
	sodium_base64_ENCODED_LEN(DNS_HI_MAX, sodium_base64_VARIANT_ORIGINAL)

struct text {
	char *at;
	size_t left;
	size_t len;
	bool full;
};

static void put(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (t->full || n >= t->left) { /* the NUL must fit too */
		t->full = true;
		return;
	}
	memcpy(t->at, s, n + 1);
	t->at += n;
	t->left -= n;
	t->len += n;
}

/* Nothing may get into the zone file but a name. */
static bool name_is_sane(const char *name)
{
	struct dname n;

	if (strcmp(name, "@") == 0)
		return true;
	for (const char *p = name; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("\"();$@", *p))
			return false;
	}
	return dname_parse(name, &n) == HG_OK;
}

static void put_hit(struct text *t, const struct hit *hit)
{
	char octet[3];

	for (size_t i = 0; i < sizeof(hit->b); i++) {
		snprintf(octet, sizeof(octet), "%02X", hit->b[i]);
		put(t, octet);
	}
}

int dns_record_print(char *out, size_t cap, const char *name, uint32_t ttl,
		     const struct hit *hit, uint8_t pk_alg, const uint8_t *pk,
		     size_t pk_len, const char *const *rvs, size_t rvs_num)
{
	struct text t = { .at = out, .left = cap };
	char base64[BASE64_MAX];
	char num[32];

	if (pk_len == 0 || pk_len > DNS_HI_MAX || !name_is_sane(name))
		return HG_EINVAL;
	for (size_t i = 0; i < rvs_num; i++) {
		if (!name_is_sane(rvs[i]))
			return HG_EINVAL;
	}
	sodium_bin2base64(base64, sizeof(base64), pk, pk_len,
			  sodium_base64_VARIANT_ORIGINAL);
	put(&t, name);
	snprintf(num, sizeof(num), " %u IN HIP ( %u ", (unsigned)ttl, pk_alg);
	put(&t, num);
	put_hit(&t, hit);
	put(&t, " ");
	put(&t, base64);
	for (size_t i = 0; i < rvs_num; i++) {
		put(&t, " ");
		put(&t, rvs[i]);
	}
	put(&t, " )\n");
	return t.full ? HG_EFULL : (int)t.len;
}
