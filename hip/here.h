/* SPDX-License-Identifier: MIT */
/* Our own addresses, and what makes one path better than another. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "hip/dueheap.h"
#include "hip/hip.h"
#include "hip/locset.h"

struct here {
	struct due due;			  /* the list has settled */
	bool set;			  /* hip_set_here was called */
	struct hip_here at[HIP_HERE_MAX]; /* usable ones, best first, */
	size_t num;			  /*  and behind these many, */
	size_t all;			  /*  the quiet ones */
	uint64_t generation; /* of the first num: what a peer was told of */
	struct hip_outer outer[HIP_OUTER_MAX];
	size_t outer_num;
	struct prefix barred[HIP_BARRED_MAX];
	size_t barred_num;
	struct hip_path_policy policy; /* its order: */
	struct prefix order[HIP_ORDER_MAX];
	uint8_t key[32]; /* of the nonces that prove addresses */
};

int here_init(struct hip *h) HG_CHECK;
void here_fini(struct hip *h);
/* The list has not changed for a while: peers are told. */
void here_timer(struct hip *h, uint64_t now);
/* The place of this address of ours, quiet or not, or `all`. */
size_t here_find(const struct here *e, const struct endpoint *at);
/* Is it one of those we were told of? */
bool here_has(const struct here *e, const struct endpoint *at);
bool here_is_quiet(const struct here *e, const struct endpoint *at);
/* Is it ours as far as we know? Always, before the first hip_set_here, and
 * where the kernel picks. */
bool here_lives(const struct here *e, const struct endpoint *at);
/* Our best address that reaches this one; its family's unspecified one,
 * where we have none or are not told. */
struct endpoint here_towards(const struct here *e, const struct endpoint *to);
/* What others know an address of ours as; it itself, as a rule. */
struct endpoint here_outside(const struct here *e, const struct endpoint *at);
/* And back: where we send from, in the place of an outer address. */
struct endpoint here_inside(const struct here *e, const struct endpoint *at);
/* Is it an outer address, with whatever port? */
bool here_is_outer(const struct here *e, const struct addr *a);
struct locset_rules here_rules(const struct here *e);
/* What our policy says of a path between these, before all ties; less is
 * better. preferred: the peer's P bit. */
unsigned here_rank(const struct here *e, const struct endpoint *self,
		   const struct endpoint *peer, bool preferred);
