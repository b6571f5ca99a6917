/* SPDX-License-Identifier: MIT */
/* What seal, open and context of the esp room share; not for other rooms. */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/sa.h"

/* Lengths beyond this are refused before any int of OpenSSL sees them. */
#define ESP_PACKET_MAX 65535
#define ESP_GCM_NONCE 12

/* One direction of one SA in one thread. Const but for the state inside the
 * OpenSSL contexts: every packet re-initialises them with its own IV and
 * leaves the key schedule alone. */
struct esp_ctx {
	const struct sa_suite *suite;
	EVP_CIPHER_CTX *cipher; /* keyed, no padding, one direction */
	EVP_MAC_CTX *mac;	/* keyed; NULL for AEAD suites */
	uint32_t spi;		/* host order */
	uint8_t salt[4];	/* RFC 4106 4 */
	bool seal;
};

/* Is the suite an AEAD (no authentication key of its own)? */
static inline bool context_is_aead(const struct sa_suite *s)
{
	return s->auth_len == 0;
}

/* Prepares GCM for one packet: nonce from salt and iv, and the AAD
 * SPI | 64-bit sequence number (RFC 4106 5). */
bool context_gcm_start(struct esp_ctx *c, uint64_t seq, const uint8_t iv[8]);

/* HMAC over pkt and the high half of seq, which is not sent (RFC 4303
 * 2.2.1, 3.3.2.1; RFC 4868). Writes all 32 octets. */
bool context_hmac(struct esp_ctx *c, const uint8_t *pkt, size_t len,
		  uint64_t seq, uint8_t out[32]);
