/* SPDX-License-Identifier: MIT */
/* Our own addresses, as the kernel has them: where HIP and ESP may leave
 * from, and news of every change. Needs no privilege.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "core/addr.h"
#include "core/err.h"

enum { LINKS_MAX = 64 };

struct links_address {
	struct addr addr;
	unsigned link; /* interface index */
	bool first;    /* the kernel would leave from here, of its family */
	/* Ours, but not for others to know: on loopback, to go out of use,
	 * lasting beside temporary ones, or on a link that does not lead far
	 * (a bridge of containers), where another one does. */
	bool quiet;
};

struct links;

/* list: what there is now, best first, quiet ones last; valid for the call.
 * news: more has changed than quiet ones. */
typedef void (*links_fn)(const struct links_address *list, size_t num,
			 bool news, void *arg);

/* Calls fn on every change, from loop's thread, a burst of changes as one
 * within 50 ms; not for what there is at the start (links_now). but: a link
 * whose addresses are not wanted, our TUN; 0: none. HG_ESYS: errno says why. */
int links_open(uv_loop_t *loop, unsigned but, links_fn fn, void *arg,
	       struct links **out) HG_CHECK;
/* Asks the kernel anew; fn is called when something has changed. */
void links_look(struct links *l);
/* The interface that a packet from self must be sent through to reach to,
 * where the kernel would take another one: 0 where it would not, where
 * nothing leads there, where self is none of the addresses above, or
 * where l is NULL. */
unsigned links_out(struct links *l, const struct addr *self,
		   const struct addr *to);
/* Does the kernel send what is for `to` elsewhere than through the link left
 * out, our TUN? Where it cannot be asked, or there is none: no. */
bool links_leads_astray(struct links *l, const struct addr *to);
/* The addresses that the interface of that name has now, each a prefix of its
 * own, into out (of LINKS_MAX): how many. l NULL: none. */
size_t links_of(const struct links *l, const char *name, struct prefix *out);
const struct links_address *links_now(const struct links *l, size_t *num);
/* Before the loop's handles are closed. */
void links_stop(struct links *l);
/* After the loop's last run. */
void links_free(struct links *l);
