/* SPDX-License-Identifier: MIT */
/* The verbs that show what the daemon holds. */
#pragma once

#include "cmd/hipgate/verb.h"

/* peers, sas, mappings, flows, ...: by the verb's name. */
int show_list(const struct verb *v, int argc, char **argv);
int show_status(const struct verb *v, int argc, char **argv);
int show_trace(const struct verb *v, int argc, char **argv);
int show_metrics(const struct verb *v, int argc, char **argv);
int show_log(const struct verb *v, int argc, char **argv);
int show_forget(const struct verb *v, int argc, char **argv);
int show_reload(const struct verb *v, int argc, char **argv);
