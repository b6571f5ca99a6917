/* SPDX-License-Identifier: MIT */
/* The keys about what people see: logs, metrics, the status page; as
 * config_value.h has it. */
#pragma once

#include "cmd/config/config.h"
#include "cmd/config/config_parse.h"

int config_seeing_log_level(struct config *c, const char *v) HG_CHECK;
/* Of [http]. */
int config_seeing_listen(struct config *c, const char *v) HG_CHECK;
int config_seeing_remote(struct config *c, const char *v) HG_CHECK;
int config_seeing_host(struct config *c, const char *v) HG_CHECK;

/* What must hold between them, for config_check. */
void config_seeing_check(struct config_parse *p);
