/* SPDX-License-Identifier: MIT */
/* Questions of ours that come back to us. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dns/question.h"

/* THEORY OF OPERATION
 * A server that we ask may ask us in its turn: a forwarder that was set up
 * so, a rule that steers our own packets into the TUN, a listener of ours
 * that somebody named as dns-server. Each question would then bring forth
 * another one for ever. Two signs are looked for. One of our asks comes in
 * with its id, from its own socket: it came straight. Or a name of chance
 * comes in that we have asked a server for: whoever passed it on may have
 * changed everything but the name. Such names are asked for at the start
 * (dns_probe), when a server is new in the list, when one has become silent (a forwarder that waits for
 * itself is), and when one client has too many questions in flight.
 *
 * What came back is refused, and its server rests for UPSTREAM_LOOP_NS; when
 * all rest so, questions fail with that as their reason, and never look as
 * if there were no HIP record.
 */
#define LOOP_PROBE_NS 60000000000ULL /* between two because of clients */

/* Is this query one of ours? Then it has been said (DNS_LOOP), counted, and
 * noted for its server. */
bool loop_met(struct dns *d, const struct dns_asker *who, uint16_t id,
	      const struct scan_question *asked, uint64_t now);
/* Does that server ask us? */
void loop_probe(struct dns *d, const struct endpoint *server, uint64_t now);
/* A server did not answer. */
void loop_silent(struct dns *d, const struct endpoint *server, uint64_t now);
/* A client has too many questions in flight. */
void loop_suspect(struct dns *d, uint64_t now);
