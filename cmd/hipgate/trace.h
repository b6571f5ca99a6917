/* SPDX-License-Identifier: MIT */
/* What happened, step by step: live, of before, or from a file. */
#pragma once

#include "cmd/hipgate/verb.h"

int trace_show(const struct verb *v, int argc, char **argv);
/* The events themselves. */
int trace_events(const struct verb *v, int argc, char **argv);
