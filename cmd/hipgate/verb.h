/* SPDX-License-Identifier: MIT */
/* One verb of the tool: the parser, the help and the dispatch use this. */
#pragma once

#include <stddef.h>

struct verb {
	const char *name;
	const char *synopsis; /* of options and arguments; "" for none */
	const char *summary;
	/* argv[0] is the verb's name. Returns the exit status. */
	int (*run)(const struct verb *v, int argc, char **argv);
};

enum { VERB_OK = 0, VERB_FAILED = 1, VERB_USAGE = 2 };

/* The table; *num: its rows. */
const struct verb *verb_all(size_t *num);
/* Complains on stderr; returns VERB_FAILED. */
int verb_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The verb's synopsis on stderr; returns VERB_USAGE. */
int verb_usage(const struct verb *v);
