/* SPDX-License-Identifier: MIT */
/* Packets through a control relay, at its client and at who calls it (RFC
 * 9028 4.5, 4.7.2, 4.8, 4.11, 7.8). */
#pragma once

#include "hip/statetab.h"

/* Client: checks RELAY_FROM and RELAY_HMAC, fills in p->relayed. REASON_NUM:
 * well, also when there are none. */
enum reason relayed_check(struct hip *h, struct packet *p) HG_CHECK;
/* Client: is the NAT traversal mode of this I2 one we can go on with? */
enum reason relayed_i2_mode(const struct hip *h,
			    const struct packet *p) HG_CHECK;

/* Octets that a relayed I1 makes us send beside its R1. */
size_t relayed_r1_extra(const struct hip *h, const struct packet *p);
/* Client: R1 back through the relay, and a way opened for the I2. */
void relayed_send_r1(struct hip *h, const struct packet *p, const uint8_t *r1,
		     size_t len);
/* Sends an association's message to `to` from `at`, or, when `via` has a
 * port, through our relay at `to` to there. */
void relayed_send(struct hip *h, const struct assoc *a,
		  const struct assoc_msg *m, const struct endpoint *to,
		  const struct endpoint *at, const struct endpoint *via);

/* Whoever called a relay's client: the same message through the relay, when
 * it was met through one. To be called beside the direct way, which has not
 * answered; false: there is no relay. */
bool relayed_resend(struct hip *h, const struct assoc *a,
		    const struct assoc_msg *m);

/* LOCATOR_SET with one "transport address", preferred, for HIP and ESP: where
 * a relay's client can be reached (RFC 9028 4.7.2, 5.7). */
void relayed_put_locator(struct msg_builder *b, const struct endpoint *at);
/* The first such one; false: there is none that one could send to. */
bool relayed_get_locator(const struct hip_param *p, struct endpoint *out);
