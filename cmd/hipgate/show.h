/* SPDX-License-Identifier: MIT */
/* The verbs that show what the daemon holds. */
#pragma once

#include <jansson.h>

#include "cmd/hipgate/options.h"
#include "cmd/hipgate/verb.h"

/* Asks (request: taken) and shows; print is what people see. Returns the exit
 * status. */
int show_asked(const struct verb *v, const struct options *o, json_t *request,
	       int (*print)(const struct verb *v, const json_t *data));
/* The lists, by the verb's name. */
int show_list(const struct verb *v, int argc, char **argv);
int show_status(const struct verb *v, int argc, char **argv);
int show_version(const struct verb *v, int argc, char **argv);
int show_metrics(const struct verb *v, int argc, char **argv);
int show_log(const struct verb *v, int argc, char **argv);
int show_forget(const struct verb *v, int argc, char **argv);
int show_reload(const struct verb *v, int argc, char **argv);
