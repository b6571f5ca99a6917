/* SPDX-License-Identifier: MIT */
/* An answer of ours, as this client takes it (RFC 6891, 7873). */
#pragma once

#include <stdint.h>

#include "dns/question.h"
#include "dns/reply.h"

/* Says r to who: within what it takes, and with its cookie. name, and question,
 * 0 when it never came into the table, are for traces. */
void toclient_reply(struct dns *d, const struct dns_asker *who,
		    const char *name, uint32_t question, const struct reply *r);
