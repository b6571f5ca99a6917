/* SPDX-License-Identifier: MIT */
/* The daemon's packets into a pcapng file. */
#pragma once

#include "cmd/hipgate/verb.h"

int capverb_run(const struct verb *v, int argc, char **argv);
