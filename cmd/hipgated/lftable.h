/* SPDX-License-Identifier: MIT */
/* A liburcu hash table that grows; theory in lftable.c. */
#pragma once

#include <stdbool.h>
#include <stdatomic.h>
#include <stddef.h>

#include <urcu-qsbr.h>
#include <urcu/rculfhash.h>

#include "core/err.h"

/* Looked up in by `ht` itself, from any registered thread. */
struct lftable {
	struct cds_lfht *ht; /* const */
	/* The thread that adds and removes: */
	size_t num;
	size_t size; /* buckets there are, or will be */
	struct rcu_head grow;
	_Atomic bool growing; /* `grow` is in use */
};

int lftable_init(struct lftable *t) HG_CHECK;
/* Empty, and no thread looks it up any more. */
void lftable_fini(struct lftable *t);
/* One node was added, or removed. */
void lftable_added(struct lftable *t);
void lftable_removed(struct lftable *t);
