/* SPDX-License-Identifier: MIT */
/* Why a name or an address is what it is. */
#pragma once

#include "cmd/hipgate/verb.h"

int explain_show(const struct verb *v, int argc, char **argv);
