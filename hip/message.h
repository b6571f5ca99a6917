/* SPDX-License-Identifier: MIT */
/* Building HIP messages: header, parameters in type order, padding (7401 5).
 *
 * THEORY OF OPERATION
 * The builder holds the message itself, so it is a value (2 KiB) that may
 * sit in a job. It has a sticky error: a parameter that does not fit sets
 * `bad`, later calls do nothing, message_finish reports it. The order of
 * parameters is our own doing and asserted. The header length is kept right
 * after every parameter, so that MACs and signatures, which count "up to
 * here", hash the buffer as it stands.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "hip/hip.h"
#include "hip/param.h"

struct msg_builder {
	uint8_t buf[HIP_MSG_MAX];
	size_t len;
	uint16_t last_type; /* of the last parameter; 0: none */
	bool inner;	    /* TLVs for ENCRYPTED: no header */
	bool bad;
};

/* A message of `type` (HIP_I1, ...) with Next Header 59, checksum 0,
 * controls 0, no parameters yet. receiver NULL: zeros. */
void message_begin(struct msg_builder *b, uint8_t type,
		   const struct hit *sender, const struct hit *receiver);
/* The A bit: the sender's identity is anonymous (7401 5.1.2). */
void message_set_anonymous(struct msg_builder *b);
/* Parameters without a header, for encrypted_seal. */
void message_begin_inner(struct msg_builder *b);
/* Starts from a received or finished message: its header, and its
 * parameters (unknown ones too) whose type is not above that of `upto`;
 * what is behind them is left out. Used to append FROM and RVS_HMAC to an
 * I1, or VIA_RVS to a precomputed R1. raw must have passed param_parse. */
void message_resume(struct msg_builder *b, const uint8_t *raw, size_t len,
		    enum param upto);
/* Appends one parameter; padding is zero (7401 5.2.1). contents may be NULL
 * only when len is 0. */
void message_put(struct msg_builder *b, enum param id, const void *contents,
		 size_t len);
/* Appends a parameter of len zero octets and returns its contents to be
 * filled in at once, or NULL when it does not fit. */
uint8_t *message_reserve(struct msg_builder *b, enum param id, size_t len);
/* HG_EFULL when something did not fit, else HG_OK: b->buf, b->len is the
 * message. */
int message_finish(const struct msg_builder *b) HG_CHECK;
/* Fills in what HIP_SIGNATURE_2 leaves open in a precomputed R1: the
 * Initiator's HIT, Opaque and #I. i_len must be the PUZZLE's own. raw must
 * have passed param_parse before; HG_EFORMAT without a fitting PUZZLE. */
int message_aim_r1(uint8_t *raw, size_t len, const struct hit *initiator,
		   uint16_t opaque, const uint8_t *i, size_t i_len) HG_CHECK;
