/* SPDX-License-Identifier: MIT */
/* The schema: which sections and keys there are and what each one takes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/config/config.h"

enum config_section_id {
	CONFIG_DAEMON,
	CONFIG_PROXY,
	CONFIG_HOST,
	CONFIG_RENDEZVOUS,
	CONFIG_SECTION_REGISTER,
	CONFIG_SECTION_PEER,
	CONFIG_SECTION_POLICY,
	CONFIG_SECTION_PATHS,
	CONFIG_SECTION_RECORD,
	CONFIG_SECTION_HTTP,
	CONFIG_SECTION_NUM
};

struct config_section {
	const char *name;
	const char *arg;    /* what stands behind the name; NULL: nothing */
	const char *expect; /* of arg: completes "expected ..." */
	size_t max;	    /* how often the section may stand in a file */
	/* Begins one; HG_EFORMAT, HG_EFULL or HG_EEXIST. arg is "" for none. */
	int (*begin)(struct config *c, const char *arg);
};

struct config_key {
	enum config_section_id section;
	const char *name;
	const char *expect; /* completes "expected ..." */
	bool required;
	size_t max; /* how often in one section */
	/* Takes a value; HG_EFORMAT, HG_EFULL or HG_EEXIST. */
	int (*set)(struct config *c, const char *value);
};

enum { CONFIG_SCHEMA_KEYS = 73 };

extern const struct config_section config_schema_sections[CONFIG_SECTION_NUM];
extern const struct config_key config_schema_keys[CONFIG_SCHEMA_KEYS];

/* c is all zero. */
void config_schema_defaults(struct config *c);
/* NULL: no such section. */
const struct config_section *config_schema_section(const char *name);
/* NULL: no such key in that section. */
const struct config_key *config_schema_key(enum config_section_id section,
					   const char *name);
/* candidate (of less than 32 octets) becomes *best when it is like name, and
 * nearer to it than *distance, which is SIZE_MAX at first. */
void config_schema_nearer(const char *candidate, const char *name,
			  const char **best, size_t *distance);
/* Writes the mend for an unknown name: the nearest one or all of them. */
void config_schema_hint_section(const char *name, char *out, size_t cap);
void config_schema_hint_key(enum config_section_id section, const char *name,
			    char *out, size_t cap);
