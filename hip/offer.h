/* SPDX-License-Identifier: MIT */
/* What we offer and accept: DH groups, ciphers, ESP suites (7401 5.2.6-8), NAT
 * traversal modes (9028 5.4).
 *
 * A value, made once by hip_new from the configuration and constant from
 * then on; jobs hold copies. Lists have at most six ids (7401 5.2.8, 7402
 * 5.1.2), in our order of preference.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "hip/fields.h"
#include "hip/hip.h"

struct offer {
	uint8_t dh[HIP_OFFER_MAX]; /* contents of DH_GROUP_LIST */
	size_t dh_num;
	struct field_ids cipher; /* contents of HIP_CIPHER in R1 */
	struct field_ids esp;	 /* contents of ESP_TRANSFORM in R1 */
	/* What we take from an R1: the same, or, when nothing is configured,
	 * every suite that encrypts. */
	struct field_ids esp_taken;
	struct field_ids nat; /* contents of NAT_TRAVERSAL_MODE in R1 */
};

/* What an empty configuration means. */
extern const struct offer offer_default;

/* HG_EUNSUPP: an id we do not implement. HG_EEXIST: one twice. HG_EFULL:
 * more than six with ESP suite 7. HG_EINVAL: ESP suite 7 is for single peers
 * only (7402 3.3.5). */
int offer_init(struct offer *out, const struct hip_config *cfg) HG_CHECK;
/* May ESP to this peer go without encryption (7402 3.3.5)? */
bool offer_null_allowed(const struct hip_config *cfg, const struct hit *peer);
/* Responder: is this choice of an I2 one we offered, and for this peer? */
bool offer_has_esp(const struct offer *o, uint16_t suite, bool null_allowed);
/* Initiator: the suite to take from an R1's list: 7 when it is allowed and
 * offered, else the Responder's first that we take; 0: none. */
uint16_t offer_take_esp(const struct offer *o, const struct field_ids *theirs,
			bool null_allowed);
/* Initiator: the first of an R1's NAT traversal modes that we do (9028 4.3);
 * 0: none. ICE-HIP-UDP only when R1 came through a relay. */
uint16_t offer_take_nat(const struct offer *o, const struct field_ids *theirs,
			bool through_relay);
