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

/* Exit statuses; hipgate(1) lists them. */
enum {
	VERB_OK = 0,
	VERB_FAILED = 1,    /* not done; doctor: there is a fault */
	VERB_USAGE = 2,	    /* wrong arguments */
	VERB_UNREACHED = 3, /* no daemon, or none that we understand */
	VERB_DENIED = 4,    /* not for this user */
};

/* The table; *num: its rows. */
const struct verb *verb_all(size_t *num);
/* Complains on stderr; returns VERB_FAILED. */
int verb_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same of wrong arguments; returns VERB_USAGE. */
int verb_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, for what ask.h's functions return: with the status that fits. */
int verb_unasked(int err, const char *why);
/* The verb's synopsis on stderr; returns VERB_USAGE. */
int verb_usage(const struct verb *v);
