/* SPDX-License-Identifier: MIT */
/* Where a HIP host is: which answers say so, and what they said. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/question.h"

/* The slots that say where the host of q->place is, the preferred first:
 * IPv6 before IPv4, rendezvous servers in the record's order (RFC 8005 5.6).
 * Returns how many. */
size_t place_slots(const struct question *q, enum slot out[SLOT_NUM]);
/* Fills place->host.locators with what is known, and *ttl (s) with the least
 * of the record and them; returns whether more may come. */
bool place_collect(struct question *q, uint32_t *ttl);
