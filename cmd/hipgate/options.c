/* SPDX-License-Identifier: MIT */
/* The options and arguments of a verb, as its synopsis allows them. */
#include "cmd/hipgate/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_FLAG, KIND_TEXT, KIND_NUMBER, KIND_EVERY };

#define NUMBER_MAX 4294967295UL

static const struct row {
	const char *name;
	char brief; /* 0: none */
	enum kind kind;
	size_t at;
} rows[] = {
	{ "json", 'j', KIND_FLAG, offsetof(struct options, json) },
	{ "watch", 'w', KIND_EVERY, offsetof(struct options, every) },
	{ "follow", 'f', KIND_FLAG, offsetof(struct options, follow) },
	{ "mermaid", 0, KIND_FLAG, offsetof(struct options, mermaid) },
	{ "decrypt", 0, KIND_FLAG, offsetof(struct options, decrypt) },
	{ "i-understand", 0, KIND_FLAG, offsetof(struct options, understood) },
	{ "full", 0, KIND_FLAG, offsetof(struct options, full) },
	{ "off", 0, KIND_FLAG, offsetof(struct options, off) },
	{ "now", 0, KIND_FLAG, offsetof(struct options, now) },
	{ "count", 'c', KIND_NUMBER, offsetof(struct options, count) },
	{ "seconds", 't', KIND_NUMBER, offsetof(struct options, seconds) },
	{ "snaplen", 0, KIND_NUMBER, offsetof(struct options, snaplen) },
	{ "socket", 's', KIND_TEXT, offsetof(struct options, socket) },
	{ "config", 0, KIND_TEXT, offsetof(struct options, config) },
	{ "client", 0, KIND_TEXT, offsetof(struct options, client) },
	{ "from", 0, KIND_TEXT, offsetof(struct options, from) },
	{ "output", 'o', KIND_TEXT, offsetof(struct options, out) },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), LONG = 256 };

/* "--name" stands in the synopsis as a word. */
static bool has(const struct verb *v, const char *name)
{
	size_t len = strlen(name);
	const char *p = v->synopsis;

	while ((p = strstr(p, "--"))) {
		p += 2;
		if (strncmp(p, name, len) == 0 &&
		    !isalnum((unsigned char)p[len]) && p[len] != '-')
			return true;
	}
	return false;
}

static int number(const struct verb *v, const char *name, const char *text,
		  unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	if (isdigit((unsigned char)text[0]) && !*end && !errno && *out > 0 &&
	    *out <= NUMBER_MAX)
		return VERB_OK;
	return verb_wrong(
		"%s: bad --%s \"%s\": expected a number from 1 to %lu", v->name,
		name, text, NUMBER_MAX);
}

/* text NULL: not said. */
static int every(const struct verb *v, const char *text, struct options *o)
{
	char *end;

	o->watch = true;
	o->every = 2;
	if (!text)
		return VERB_OK;
	o->every = strtod(text, &end);
	if (isdigit((unsigned char)text[0]) && !*end && o->every >= 0.1 &&
	    o->every <= 86400)
		return VERB_OK;
	return verb_wrong("%s: bad --watch=%s: expected seconds, 0.1 to 86400",
			  v->name, text);
}

static int take(const struct verb *v, const struct row *r, const char *text,
		struct options *o)
{
	char *field = (char *)o + r->at;

	if (!has(v, r->name))
		return verb_usage(v);
	switch (r->kind) {
	case KIND_FLAG:
		*(bool *)field = true;
		break;
	case KIND_TEXT:
		*(const char **)field = text;
		break;
	case KIND_NUMBER:
		return number(v, r->name, text, (unsigned long *)field);
	case KIND_EVERY:
		return every(v, text, o);
	}
	return VERB_OK;
}

static void table(struct option longs[ROWS + 1], char brief[2 * ROWS + 2])
{
	memset(longs, 0, (ROWS + 1) * sizeof(*longs));
	for (size_t i = 0; i < ROWS; i++) {
		longs[i].name = rows[i].name;
		longs[i].val = LONG + (int)i;
		if (rows[i].kind == KIND_EVERY)
			longs[i].has_arg = optional_argument;
		else if (rows[i].kind != KIND_FLAG)
			longs[i].has_arg = required_argument;
		if (!rows[i].brief)
			continue;
		*brief++ = rows[i].brief;
		if (longs[i].has_arg == required_argument)
			*brief++ = ':';
	}
	*brief = '\0';
}

static const struct row *row_of(int ch)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (ch == LONG + (int)i || (ch == rows[i].brief && ch))
			return &rows[i];
	}
	return NULL;
}

int options_take(const struct verb *v, int argc, char **argv, int least,
		 int most, struct options *o)
{
	struct option longs[ROWS + 1];
	char brief[2 * ROWS + 2];
	int ch;

	memset(o, 0, sizeof(*o));
	table(longs, brief);
	while ((ch = getopt_long(argc, argv, brief, longs, NULL)) != -1) {
		const struct row *r = row_of(ch);
		int status = r ? take(v, r, optarg, o) : verb_usage(v);

		if (status)
			return status;
	}
	if (argc - optind < least || argc - optind > most)
		return verb_usage(v);
	for (int i = 0; optind < argc; i++)
		o->arg[i] = argv[optind++];
	return VERB_OK;
}
