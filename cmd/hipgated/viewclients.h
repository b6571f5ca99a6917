/* SPDX-License-Identifier: MIT */
/* Who the proxy serves, as the control socket shows it. */
#pragma once

#include <jansson.h>

struct gate;

/* One row for each client that has a flow; a new reference or NULL. */
json_t *viewclients(struct gate *g);
