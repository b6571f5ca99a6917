/* SPDX-License-Identifier: MIT */
/* All that helps to find a bug, in one file, without what is nobody's
 * business. */
#pragma once

#include "cmd/hipgate/verb.h"

int bugreport_verb(const struct verb *v, int argc, char **argv);
