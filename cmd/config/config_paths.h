/* SPDX-License-Identifier: MIT */
/* [paths]: which of several ways to a HIP host is taken; as config_value.h
 * has it. */
#pragma once

#include "cmd/config/config.h"

int config_paths_prefer(struct config *c, const char *v) HG_CHECK;
int config_paths_order(struct config *c, const char *v) HG_CHECK;
int config_paths_silence(struct config *c, const char *v) HG_CHECK;
int config_paths_return(struct config *c, const char *v) HG_CHECK;
