/* SPDX-License-Identifier: MIT */
/* What seal, open and context of the esp room share; not for other rooms. */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/sa.h"

/* Lengths beyond this are refused before any int of OpenSSL sees them. */
#define ESP_PACKET_MAX 65535
#define ESP_NONCE_MAX 12 /* GCM: salt 4, IV 8; CCM: salt 3, IV 8 */

/* How a suite works. */
enum esp_kind { ESP_CBC_HMAC, ESP_NULL_HMAC, ESP_GCM, ESP_CCM };

/* One direction of one SA in one thread. Const but for the state inside the
 * OpenSSL contexts: every packet re-initialises them with its own IV and
 * leaves the key schedule alone. */
struct esp_ctx {
	const struct sa_suite *suite;
	enum esp_kind kind;
	EVP_CIPHER_CTX *cipher; /* keyed, no padding; NULL for suite 7 */
	EVP_MAC_CTX *mac;	/* keyed; NULL for AEAD suites */
	uint32_t spi;		/* host order */
	uint8_t salt[4];	/* RFC 4106 4, RFC 4309 4; salt_len of it */
	bool seal;
};

/* GCM, CCM: starts one packet with the nonce salt | iv (RFC 4106 4, RFC 4309
 * 4). When opening, the ICV to compare with is to be set next. */
bool context_nonce(struct esp_ctx *c, const uint8_t iv[8]);
/* Then the AAD SPI | 64-bit sequence number (RFC 4106 5, RFC 4309 5); text:
 * octets that follow, which CCM wants to know beforehand. */
bool context_aad(struct esp_ctx *c, uint64_t seq, size_t text);

/* HMAC over pkt and the high half of seq, which is not sent (RFC 4303
 * 2.2.1, 3.3.2.1; RFC 4868). Writes all 32 octets. */
bool context_hmac(struct esp_ctx *c, const uint8_t *pkt, size_t len,
		  uint64_t seq, uint8_t out[32]);
