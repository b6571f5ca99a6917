/* SPDX-License-Identifier: MIT */
/* What must hold between the values of a whole configuration. */
#pragma once

#include "cmd/config/config_parse.h"

/* Records the first contradiction with config_parse_fail. */
void config_check(struct config_parse *p);
