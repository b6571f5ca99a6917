/* SPDX-License-Identifier: MIT */
/* Memory of flows; theory in flowpool.c. */
#pragma once

#include "tables.h"

/* Control thread, all but flowpool_fini. A zeroed flow; NULL: no memory. */
struct flow *flowpool_take(struct flow_pool *p);
/* f was never published. */
void flowpool_give(struct flow_pool *p, struct flow *f);
/* Gives f back after a grace period. */
void flowpool_retire(struct flow *f);
/* All have been given back, and no thread runs that could. */
void flowpool_fini(struct flow_pool *p);
