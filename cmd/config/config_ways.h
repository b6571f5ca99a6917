/* SPDX-License-Identifier: MIT */
/* Setters of the keys about DNS's ways in, and about real addresses; as those
 * in config_value.h. */
#pragma once

#include "cmd/config/config.h"

struct config_parse;

/* [proxy] */
int config_ways_listen(struct config *c, const char *v) HG_CHECK;
int config_ways_transparent(struct config *c, const char *v) HG_CHECK;

/* Would what is sent to `server` come in at `listen`? */
bool config_ways_same(const struct endpoint *listen,
		      const struct endpoint *server);
/* For config_check: what must hold between the values. */
void config_ways_check(struct config_parse *p);
