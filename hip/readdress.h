/* SPDX-License-Identifier: MIT */
/* Readdressing: LOCATOR_SET out and in, addresses proved (8046 5). */
#pragma once

#include "hip/engine.h"
#include "hip/locset.h"
#include "hip/message.h"

/* ---- our addresses ------------------------------------------------------- */

/* Has the list of ours changed for this association? It is told; settled:
 * also when its path still lives. */
void readdress_here(struct hip *h, struct assoc *a, bool settled, uint64_t now);
/* Something authentic has come from the peer. */
void readdress_heard(struct hip *h, struct assoc *a, uint64_t now);
/* Is there something the next UPDATE must say: our addresses, or a question
 * to an address of the peer's? It waits for no rekey. */
bool readdress_due(const struct assoc *a);
/* LOCATOR_SET with all of ours; spi: of the SA they are for. */
void readdress_put_locators(struct msg_builder *b, const struct hip *h,
			    const struct assoc *a, uint32_t spi);
/* ECHO_REQUEST_SIGNED for the path that is asked, if one is. */
void readdress_put_question(struct msg_builder *b, const struct hip *h,
			    struct assoc *a);
/* A new exchange: nobody was told, nothing is known of any path. */
void readdress_reset(struct assoc *a);
/* Signing has failed: what the UPDATE said is still to be said. */
void readdress_unsent(struct assoc *a);

/* ---- the peer's ------------------------------------------------------------ */

/* What a new UPDATE says of the peer's addresses. */
struct readdress_offer {
	bool has;   /* a LOCATOR_SET, */
	bool again; /*  which was applied before, with the same Update ID: */
	struct locset set;
	uint32_t spi; /* that its ESP_INFO names; 0: none */
};
/* REASON_NUM: well, also when there is none. HIP_BAD_HIT: its HOST_ID is not
 * the association's (8046 4.3); HIP_SPI: none of the cases of 8046 5.3; what
 * locset_read says. */
enum reason readdress_judge(const struct hip *h, const struct assoc *a,
			    const struct hip_msg *m,
			    struct readdress_offer *out) HG_CHECK;
/* Takes it; from, at: of the packet. */
void readdress_apply(struct hip *h, struct assoc *a,
		     const struct readdress_offer *o, const struct packet *p);

/* ---- in the base exchange (8047 4.2.8) --------------------------------------- */

/* Our addresses for I2 or R2, which leaves from `at`; none: we have but one.
 * The number of the list. */
uint64_t readdress_for_exchange(const struct hip *h, const struct endpoint *at,
				struct locset *out);
/* Is the LOCATOR_SET of this R1, I2 or R2 one that we take? */
enum reason readdress_read(const struct hip *h, const struct hip_msg *m,
			   struct readdress_offer *out) HG_CHECK;
/* It is verified, and a->peer_at is where it came from. R1: I2 goes to the
 * one it prefers, without further proof. */
void readdress_met(struct hip *h, struct assoc *a, const struct packet *p);
/* The exchange is complete: what was said in it is known, addresses are
 * verified, ours are told if they were not. */
void readdress_begin(struct hip *h, struct assoc *a, uint64_t now);
