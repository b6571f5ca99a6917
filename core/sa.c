/* SPDX-License-Identifier: MIT */
/* ESP suites (RFC 7402 5.1.2, RFC 4106, 4309, 4868) and their lengths. */
#include "core/sa.h"

#include <sodium.h>

static const struct sa_suite suites[] = {
	{ SA_NULL_SHA256, "NULL/HMAC-SHA-256", 0, 0, 32, 0, 16, 4 },
	{ SA_AES128_CBC_SHA256, "AES-128-CBC/HMAC-SHA-256", 16, 0, 32, 16, 16,
	  16 },
	{ SA_AES256_CBC_SHA256, "AES-256-CBC/HMAC-SHA-256", 32, 0, 32, 16, 16,
	  16 },
	{ SA_AES128_CCM8, "AES-128-CCM-8", 16, 3, 0, 8, 8, 4 },
	{ SA_AES128_CCM16, "AES-128-CCM-16", 16, 3, 0, 8, 16, 4 },
	{ SA_AES128_GCM8, "AES-128-GCM-8", 16, 4, 0, 8, 8, 4 },
	{ SA_AES128_GCM16, "AES-128-GCM-16", 16, 4, 0, 8, 16, 4 },
};

const struct sa_suite *sa_suite_find(uint16_t id)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (suites[i].id == id)
			return &suites[i];
	return NULL;
}

size_t sa_enc_len(const struct sa_suite *s)
{
	return (size_t)s->key_len + s->salt_len;
}

void sa_wipe(struct sa_pair *pair)
{
	sodium_memzero(pair, sizeof(*pair));
}
