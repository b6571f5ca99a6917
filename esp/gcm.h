/* SPDX-License-Identifier: MIT */
/* AES-128-GCM by whoever does it best on this machine; for the esp room.
 *
 * THEORY OF OPERATION
 * OpenSSL's envelope takes seven calls a packet, each through several
 * layers: most of what a small packet costs. libipsec-mb is made for
 * packets: one call, a key schedule that no call changes, and the wide AES
 * of newer processors (x86-64; docs/performance.md has both in figures).
 * It is used where it was there when hipgate was built and finds the
 * instructions and its self-test in order when it starts; else, OpenSSL.
 * Both are rows of one kind, and the tests go through both.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/reason.h"

enum { GCM_KEY = 16, GCM_NONCE = 12 };

/* Besides the text: all of it is borrowed. */
struct gcm_packet {
	uint8_t nonce[GCM_NONCE];
	uint8_t aad[12]; /* RFC 4106 5, with 64-bit numbers */
	size_t icv_len;	 /* 8 or 16 */
};

struct gcm_piece {
	const uint8_t *p;
	size_t len;
};

struct gcm {
	const char *name;
	/* May several threads use one key at once? */
	bool shared;
	/* The keyed state of one direction, or NULL. */
	void *(*key_new)(const uint8_t key[GCM_KEY], bool seal);
	void (*key_free)(void *key); /* wipes it */
	/* The pieces, one behind the other, encrypted to out, and the ICV. */
	bool (*seal)(void *key, const struct gcm_packet *pkt,
		     const struct gcm_piece *in, size_t num, uint8_t *out);
	/* len octets in place, the ICV behind them. ESP_AUTH: a wrong one;
	 * the text is then garbage. */
	enum reason (*open)(void *key, const struct gcm_packet *pkt,
			    uint8_t *text, size_t len);
};

/* NULL: not to be had here. Call both before any thread exists. */
const struct gcm *gcm_openssl(void);
const struct gcm *gcm_ipsec_mb(void);
