/* SPDX-License-Identifier: MIT */
/* What seal, open and context of the esp room share; not for other rooms. */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/sa.h"
#include "esp/gcm.h"

/* Lengths beyond this are refused before any int of OpenSSL sees them. */
#define ESP_PACKET_MAX 65535
#define ESP_NONCE_MAX 12 /* GCM: salt 4, IV 8; CCM: salt 3, IV 8 */

/* How a suite works. */
enum esp_kind { ESP_CBC_HMAC, ESP_NULL_HMAC, ESP_GCM, ESP_CCM };

/* One direction of one SA in one thread (gcm->shared: in all of them).
 * Const but for the state inside the OpenSSL contexts: every packet
 * re-initialises them with its own IV and leaves the key schedule alone. */
struct esp_ctx {
	const struct sa_suite *suite;
	enum esp_kind kind;
	const struct gcm *gcm;	/* who does GCM; else NULL */
	void *gcm_key;		/* its keyed state */
	EVP_CIPHER_CTX *cipher; /* keyed, no padding; NULL: suite 7, GCM */
	EVP_MAC_CTX *mac;	/* keyed; NULL for AEAD suites */
	uint32_t spi;		/* host order */
	uint8_t salt[4];	/* RFC 4106 4, RFC 4309 4; salt_len of it */
	bool seal;
};

/* GCM: all about a packet but its text. The nonce is salt | iv, the AAD
 * SPI | 64-bit sequence number (RFC 4106 4, 5). */
struct gcm_packet context_gcm(const struct esp_ctx *c, const uint8_t iv[8],
			      uint64_t seq);
/* CCM: starts one packet likewise (RFC 4309 4, 5); text: the octets that
 * follow. When opening, icv is what to compare with, else NULL. */
bool context_ccm(struct esp_ctx *c, const uint8_t iv[8], uint64_t seq,
		 size_t text, uint8_t *icv);

/* HMAC over pkt and the high half of seq, which is not sent (RFC 4303
 * 2.2.1, 3.3.2.1; RFC 4868). Writes all 32 octets. */
bool context_hmac(struct esp_ctx *c, const uint8_t *pkt, size_t len,
		  uint64_t seq, uint8_t out[32]);
