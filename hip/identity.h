/* SPDX-License-Identifier: MIT */
/* Host identities: keys, HOST_ID, HIT, signatures (7401 3, 5.2.9, 7343).
 *
 * THEORY OF OPERATION
 * An identity never changes once made and counts its references, so that a
 * job on another thread may hold one while the engine lets go of it. The
 * algorithms are rows of one table in identity.c: wire number, HIT suite
 * and with it the signature's hash, curve or size of modulus, and the
 * functions of their kind (identity_alg.h). Signing and verifying are for
 * any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "hip/hip.h"
#include "hip/suite.h"

#define IDENTITY_SIG_MAX 512	 /* RSA-4096 */
#define IDENTITY_HOST_ID_MAX 526 /* contents of our own HOST_ID */

/* HI algorithm numbers (7401 5.2.9). */
enum { IDENTITY_RSA = 5, IDENTITY_ECDSA = 7 };
/* PK algorithm numbers of the DNS record (8005 5.1). */
enum { IDENTITY_DNS_RSA = 2, IDENTITY_DNS_ECDSA = 3 };

/* One more reference; give it back with hip_identity_free. */
struct hip_identity *identity_ref(struct hip_identity *id);
/* Contents of our HOST_ID parameter, without a domain identifier; borrowed. */
const uint8_t *identity_host_id(const struct hip_identity *id, size_t *len);
/* The suite of our HIT: RHASH when we are Responder. */
const struct suite *identity_suite(const struct hip_identity *id);
/* What SIG alg says (7401 5.2.14): the HI algorithm. */
uint16_t identity_sig_alg(const struct hip_identity *id);
/* Octets every signature of this identity has. */
size_t identity_sig_len(const struct hip_identity *id);
/* Signs with the hash of our own HIT suite; sig gets identity_sig_len. */
int identity_sign(const struct hip_identity *id, const void *data, size_t len,
		  uint8_t sig[IDENTITY_SIG_MAX]) HG_CHECK;

/* A peer's public key; heap, one owner, immutable. */
struct identity_peer;

/* From the contents of a HOST_ID. HG_EFORMAT: malformed, or not a point of
 * the curve, or not an RSA key; HG_EUNSUPP: algorithm, curve, or size of
 * modulus or exponent that we do not do. */
int identity_peer_new(const uint8_t *host_id, size_t len,
		      struct identity_peer **out) HG_CHECK;
void identity_peer_free(struct identity_peer *p);
/* The HIT this key has: compare it with the one in the header. */
const struct hit *identity_peer_hit(const struct identity_peer *p);
/* HG_EAUTH: wrong algorithm, length or signature. */
int identity_verify(const struct identity_peer *p, uint16_t sig_alg,
		    const struct suite_buf *data, const uint8_t *sig,
		    size_t sig_len) HG_CHECK;
/* HIT of a Host Identity (the HI field of HOST_ID): 2001:20::/28, the
 * suite's id, the middle 96 bits of its hash (7401 3.2, 7343 2). */
int identity_hit(const struct suite *s, const uint8_t *hi, size_t hi_len,
		 struct hit *out) HG_CHECK;
