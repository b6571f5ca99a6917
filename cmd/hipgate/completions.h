/* SPDX-License-Identifier: MIT */
/* `hipgate completions`: what shells and the man page are told of the verbs.
 */
#pragma once

#include "cmd/hipgate/verb.h"

int completions_print(const struct verb *v, int argc, char **argv);
