/* SPDX-License-Identifier: MIT */
/* One parse: where we are, what was seen, and the first thing wrong. */
#pragma once

#include "cmd/config/config_schema.h"

/* Line numbers have the file's number, of config.files, above these bits: a
 * file has fewer lines than 2^21 (CONFIG_FILE_MAX octets). */
enum { CONFIG_LINE_BITS = 21, CONFIG_FILE_MAX = 1 << 20 };

struct config_text {
	const char *name; /* of the file, for messages */
	const char *text;
};

struct config_parse {
	struct config *c;
	const char *next; /* the text not yet read */
	unsigned line;	  /* of the line read last, from 1 */

	const struct config_section *section; /* NULL: before the first */
	unsigned section_line;
	size_t seen[CONFIG_SCHEMA_KEYS];   /* in this section */
	unsigned last[CONFIG_SECTION_NUM]; /* where its kind stood last */

	/* Where things stand, for config_check. 0: nowhere. */
	unsigned at[CONFIG_SECTION_NUM]; /* the first of its kind */
	unsigned pool6_at;
	unsigned pool4_at;
	unsigned clients_at[CONFIG_CLIENTS];
	unsigned dns_server_at[DNS_SERVERS_MAX];
	unsigned lan_at[CONFIG_LANS];
	unsigned peer_at[CONFIG_PEERS]; /* the section */
	unsigned peer_identity_at[CONFIG_PEERS];
	unsigned rule_identity_at[CONFIG_RULES];
	unsigned register_at[CONFIG_REGISTER]; /* the section */

	int err; /* 0: nothing wrong yet */
	unsigned err_line;
	char *errbuf;
	size_t errlen;
};

/* Records the first error; later ones change nothing. line 0: the file as a
 * whole. */
void config_parse_fail(struct config_parse *p, unsigned line, const char *fmt,
		       ...) __attribute__((format(printf, 3, 4)));
/* The texts one behind the other, the first that of the file itself; at most
 * CONFIG_FILES. As config_load. */
int config_parse_texts(const struct config_text *texts, size_t num,
		       struct config **out, char *errbuf,
		       size_t errlen) HG_CHECK;
