/* SPDX-License-Identifier: MIT */
/* Real addresses as answers (the patent's alternative without substitute). */
#pragma once

#include <stdbool.h>

#include "dns/question.h"

/* THEORY OF OPERATION
 * Where the proxy is the only way out, a HIP host's own address may be
 * answered: packets to it come to the TUN all the same, and go through the
 * SA. So nothing may be answered that would not: only addresses which the
 * administrator has routed into the TUN (dns_config.real), which our own
 * servers name, which stand for the host itself (no rendezvous server), and
 * all of the answer or none of it. What does not fit gets a substitute.
 * The answer is the server's, octet for octet, so that a client which
 * validates DNSSEC is content, too.
 */

/* Is the server's own answer needed to decide? */
bool real_wants(const struct question *q);
/* Does it have to be waited for? */
bool real_waits(const struct question *q);
/* May it be given? Then place->host.real has its addresses. */
bool real_may(const struct dns *d, struct question *q);
