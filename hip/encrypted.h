/* SPDX-License-Identifier: MIT */
/* The ENCRYPTED parameter: sealing and opening (7401 5.2.18).
 *
 * Encryption only: integrity is the business of HIP_MAC, which covers the
 * ciphertext; check it before opening. Pure functions, any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/reason.h"
#include "hip/message.h"
#include "hip/param.h"
#include "hip/suite.h"

/* Decrypted parameters; `params` borrows `plain`, so do not copy it. Wipe
 * with encrypted_wipe. */
struct encrypted_inner {
	uint8_t plain[HIP_MSG_MAX];
	size_t plain_len; /* with the cipher's padding */
	struct hip_msg params;
};

/* Appends ENCRYPTED with the parameters of `inner` (message_begin_inner) to
 * b, under a random IV and PKCS5 padding of 1..block octets. key has
 * c->key_len octets. */
int encrypted_seal(struct msg_builder *b, const struct msg_builder *inner,
		   const struct suite_cipher *c, const uint8_t *key) HG_CHECK;
/* Opens the ENCRYPTED parameter p of a packet of `type`. REASON_NUM: well;
 * HIP_ENCRYPTED: lengths do not fit the cipher or nothing readable inside;
 * HIP_TLV, HIP_CRITICAL: by the parameters inside. */
enum reason encrypted_open(const struct hip_param *p, uint8_t type,
			   const struct suite_cipher *c, const uint8_t *key,
			   struct encrypted_inner *out) HG_CHECK;
void encrypted_wipe(struct encrypted_inner *in);
