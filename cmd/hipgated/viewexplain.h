/* SPDX-License-Identifier: MIT */
/* Why a name or an address is what it is to this daemon. */
#pragma once

#include <stdbool.h>
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

/* The verb `explain`, in pieces. */
struct viewexplain;

/* req (is kept): "name": a name, a HIT or an address; "from": the client whose
 * packet is judged, may be missing. */
int viewexplain_begin(struct gate *g, const json_t *req,
		      struct viewexplain **out, char *errbuf,
		      size_t errlen) HG_CHECK;
/* Looks at some of what may be many. False: there is nothing left to look at.
 */
bool viewexplain_look(struct viewexplain *x);
/* Then: what there is to say; a new reference or NULL. */
json_t *viewexplain_tell(struct viewexplain *x);
/* NULL: nothing. */
void viewexplain_free(struct viewexplain *x);
