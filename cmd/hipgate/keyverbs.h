/* SPDX-License-Identifier: MIT */
/* The verbs about keys and files, which need no daemon. */
#pragma once

#include "cmd/hipgate/verb.h"

int keyverbs_keygen(const struct verb *v, int argc, char **argv);
int keyverbs_hit(const struct verb *v, int argc, char **argv);
int keyverbs_dns_record(const struct verb *v, int argc, char **argv);
int keyverbs_check(const struct verb *v, int argc, char **argv);
