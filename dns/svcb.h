/* SPDX-License-Identifier: MIT */
/* Where service bindings lead: HTTPS and SVCB records (RFC 9460). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/question.h"

/* THEORY OF OPERATION
 * Such a record has address hints, and names the host that they are of. A HIP
 * host's would lead a client around its substitute, under whatever name it
 * finds them: a port or scheme stands before the host's own name
 * (_8443._https.host), and a plain name's record may lead to a HIP host. So
 * the HIP question for these types is for the host's own name; and before a
 * server's answer is relayed, each other host that it leads to is asked for,
 * one after the other in the question's HIP slot. What must be a HIP host, or
 * leads to more hosts than are looked at, is not asked for: nothing is
 * relayed.
 */
#define SVCB_LEADS 4

enum svcb_next {
	SVCB_NONE, /* no other host is a HIP host */
	SVCB_ASK,  /* that of question.host must be known: a new HIP slot */
	SVCB_HIP,  /* one is, or there are too many */
	SVCB_NUM
};

/* The host that a question is about: for HTTPS and SVCB the name without the
 * labels before it that begin with _ (RFC 9460 2.3), else the name. */
struct dname svcb_host(const struct dname *name, uint16_t type);
/* The hosts that records of a message lead to, without `from` and without
 * their own _labels; how many, SVCB_LEADS + 1: more than that. */
size_t svcb_leads(const uint8_t *msg, size_t len, const struct dname *from,
		  struct dname out[SVCB_LEADS]);
/* The next step before question.own, an answer, is relayed. */
enum svcb_next svcb_next(const struct dns *d, struct question *q);
/* Does it lead to what must be a HIP host? */
bool svcb_requires(const struct dns *d, const struct question *q);
