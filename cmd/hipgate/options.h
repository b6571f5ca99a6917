/* SPDX-License-Identifier: MIT */
/* The options and arguments of a verb, as its synopsis allows them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cmd/hipgate/verb.h"

enum { OPTIONS_ARGS = 2 };

struct options {
	bool json;
	bool watch;
	double every; /* seconds, of --watch */
	bool follow;
	bool mermaid;
	bool decrypt;
	bool understood; /* --i-understand */
	bool full;
	bool off;
	bool now;
	unsigned long count;   /* 0: not said */
	unsigned long seconds; /* 0: not said */
	unsigned long snaplen; /* 0: not said */
	const char *socket;
	const char *config;
	const char *client;
	const char *from;
	const char *out;
	const char *arg[OPTIONS_ARGS]; /* NULL: not there */
};

/* Takes only the options that v's synopsis names, and between least and most
 * arguments. VERB_OK, or the exit status after a complaint. */
int options_take(const struct verb *v, int argc, char **argv, int least,
		 int most, struct options *o);
