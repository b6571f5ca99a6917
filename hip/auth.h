/* SPDX-License-Identifier: MIT */
/* MACs and signatures of HIP messages (7401 5.2.12-15, 6.4; 8004 4.2.1).
 *
 * Makers append their parameter to a builder, over what is there already;
 * call them in type order. Checkers take a parsed message and read its raw
 * octets without changing them; they return REASON_NUM when all is well,
 * HIP_MISSING when the parameter is not there, HIP_CRYPTO when the library
 * refused, else the reason named beside them. MAC keys have the RHASH's
 * hash_len octets. Pure functions, any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/reason.h"
#include "hip/identity.h"
#include "hip/message.h"
#include "hip/param.h"
#include "hip/suite.h"

int auth_put_mac(struct msg_builder *b, const struct suite *rhash,
		 const uint8_t *key) HG_CHECK;
/* REASON_HIP_MAC. */
enum reason auth_check_mac(const struct hip_msg *m, const struct suite *rhash,
			   const uint8_t *key) HG_CHECK;

/* R2: covers the contents of the Responder's HOST_ID too, exactly as in
 * R1 (7401 6.4.1). */
int auth_put_mac_2(struct msg_builder *b, const struct suite *rhash,
		   const uint8_t *key,
		   const struct suite_buf *host_id) HG_CHECK;
/* REASON_HIP_MAC. */
enum reason auth_check_mac_2(const struct hip_msg *m, const struct suite *rhash,
			     const uint8_t *key,
			     const struct suite_buf *host_id) HG_CHECK;

/* HIP_SIGNATURE. */
int auth_put_signature(struct msg_builder *b,
		       const struct hip_identity *id) HG_CHECK;
/* REASON_HIP_SIGNATURE. */
enum reason auth_check_signature(const struct hip_msg *m,
				 const struct identity_peer *peer) HG_CHECK;

/* HIP_SIGNATURE_2 of R1: the receiver's HIT and the PUZZLE's Opaque and #I
 * count as zero, whatever they are. HG_EFORMAT: no PUZZLE. */
int auth_put_signature_2(struct msg_builder *b,
			 const struct hip_identity *id) HG_CHECK;
/* REASON_HIP_SIGNATURE; HIP_MISSING also without PUZZLE. */
enum reason auth_check_signature_2(const struct hip_msg *m,
				   const struct identity_peer *peer) HG_CHECK;

/* Over everything before it, FROM included (8004 4.2.1). */
int auth_put_rvs_hmac(struct msg_builder *b, const struct suite *rhash,
		      const uint8_t *key) HG_CHECK;
/* REASON_HIP_RVS_HMAC, also when it is missing. */
enum reason auth_check_rvs_hmac(const struct hip_msg *m,
				const struct suite *rhash,
				const uint8_t *key) HG_CHECK;
/* The same for a control relay: RELAY_FROM included (9028 5.8). */
int auth_put_relay_hmac(struct msg_builder *b, const struct suite *rhash,
			const uint8_t *key) HG_CHECK;
/* REASON_HIP_RELAY_HMAC, also when it is missing. */
enum reason auth_check_relay_hmac(const struct hip_msg *m,
				  const struct suite *rhash,
				  const uint8_t *key) HG_CHECK;
