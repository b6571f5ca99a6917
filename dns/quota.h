/* SPDX-License-Identifier: MIT */
/* How many leases one client, or one domain, has brought about. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

/* THEORY OF OPERATION
 * Whoever makes many leases takes them from others: a client that asks for
 * names of a zone of its own, or a zone whose every name is another HIP host
 * (product.md T8). Each new lease counts for the client that asked first, an
 * IPv6 one with all of its /64, and for the domain that somebody can have
 * registered: the last two labels of its name, three where the last two look
 * like a registry's own (co.uk). What only a server of the client's choice
 * says is of that client's own such domain: it takes nothing from others.
 * What the administrator names is not counted.
 * A counter is known by its hash alone. The owner begins anew once a day, so
 * that a network with many HIP hosts is not shut out for ever. Bounds: the
 * table is twice as large as the leases there can be; it begins anew when it
 * is half full. Owner: the control thread.
 */
#define QUOTA_CLIENT 4096
#define QUOTA_DOMAIN 1024

struct quota;

/* leases: how many there can be. */
int quota_new(uint32_t leases, struct quota **out) HG_CHECK;
void quota_free(struct quota *q);
/* May there be one more? theirs: the client asked a server of its own choice. */
bool quota_allows(const struct quota *q, const struct addr *client,
		  const char *name, bool theirs);
/* There is one more. */
void quota_count(struct quota *q, const struct addr *client, const char *name,
		 bool theirs);
/* Nobody has had any. */
void quota_clear(struct quota *q);
