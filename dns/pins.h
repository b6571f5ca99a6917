/* SPDX-License-Identifier: MIT */
/* Names that were seen with a HIP record and must not lose it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "dns/dname.h"

/* THEORY OF OPERATION
 * Whoever can strip the HIP record from an answer would send a client to
 * the clear address. So a name that once had one is remembered, and from
 * then on is treated as if HIP were required for it. A pin ends when the
 * user forgets it, or when DNSSEC proves that there is no record; never by
 * age, and never for another: who fills the table must not unpin others.
 * Bounds: `max` names, and PINS_OF_HIT of one HIT, so that a wildcard zone
 * with a HIP record cannot take all of them. Owner: the control thread.
 */
#define PINS_MAX_DEFAULT 65536
#define PINS_OF_HIT 256

struct pins;

/* max 0: PINS_MAX_DEFAULT. */
int pins_new(uint32_t max, struct pins **out) HG_CHECK;
void pins_free(struct pins *p);
/* HG_EEXIST: it is there (its HIT is not changed). HG_EFULL: a bound. */
int pins_add(struct pins *p, const struct dname *name,
	     const struct hit *hit) HG_CHECK;
bool pins_has(const struct pins *p, const struct dname *name);
/* False: there was none. */
bool pins_del(struct pins *p, const struct dname *name);
size_t pins_num(const struct pins *p);
/* Some of them, in no order, from *at on, 0 at first; false: those were the
 * last. fn must not change them. */
bool pins_some(const struct pins *p, size_t *at,
	       void (*fn)(const struct dname *name, const struct hit *hit,
			  void *arg),
	       void *arg);
