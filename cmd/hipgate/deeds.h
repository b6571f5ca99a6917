/* SPDX-License-Identifier: MIT */
/* The verbs that have the daemon do something and wait for it. */
#pragma once

#include "cmd/hipgate/verb.h"

int deeds_ping(const struct verb *v, int argc, char **argv);
int deeds_connect(const struct verb *v, int argc, char **argv);
int deeds_drain(const struct verb *v, int argc, char **argv);
