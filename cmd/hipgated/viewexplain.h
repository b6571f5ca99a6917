/* SPDX-License-Identifier: MIT */
/* Why a name or an address is what it is to this daemon. */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "core/addr.h"
#include "core/err.h"
#include "dns/dns.h"

struct gate;
struct peer;
struct sa;

/* Whom a name, a HIT or an address means; NULL: nobody we know. *hit: null
 * where it is not known; name: "" where it is none. */
struct peer *viewexplain_peer(struct gate *g, const char *text, struct hit *hit,
			      char name[DNS_NAME_MAX]);
/* The SA that sends to it, or NULL. */
struct sa *viewexplain_sa(struct gate *g, const struct hit *hit);

/* The verb `explain`. req: "name": a name, a HIT or an address; "from": the
 * client whose packet is judged, may be missing. */
int viewexplain(struct gate *g, const json_t *req, json_t **data, char *errbuf,
		size_t errlen) HG_CHECK;
