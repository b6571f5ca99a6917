/* SPDX-License-Identifier: MIT */
/* Memory of small items that are whole cache lines; theory in linepool.c. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <urcu-qsbr.h>

/* Somewhere in each item; the pool's, once the item is retired or given. */
union linepool_link {
	struct rcu_head rcu;
	union linepool_link *next_free;
};

struct linepool_chunk;

struct linepool {
	size_t item;		   /* const: octets of one, */
	size_t link;		   /* const:  and where in it its link is */
	size_t chunk;		   /* const: octets of a chunk */
	union linepool_link *free; /* control */
	_Atomic(union linepool_link *) returned; /* any thread pushes */
	struct linepool_chunk *chunks;		 /* control */
	char *fresh;				 /* control: never used, */
	size_t fresh_num;			 /* control: so many */
};

/* Control thread, all but linepool_fini.
 * Items of so many octets, a multiple of 64, each with its link at `link`.
 * huge: in huge pages, so of use where there are thousands. */
void linepool_init(struct linepool *p, size_t item, size_t link, bool huge);
/* A zeroed item; NULL: no memory. */
void *linepool_take(struct linepool *p);
/* The item was never published. */
void linepool_give(struct linepool *p, void *item);
/* Gives it back after a grace period. */
void linepool_retire(struct linepool *p, void *item);
/* All have been given back, and no thread runs that could. */
void linepool_fini(struct linepool *p);
