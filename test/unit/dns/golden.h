/* SPDX-License-Identifier: MIT */
/* The golden corpus, read: test/golden/README.md says what its files hold. */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_LINE 512
#define GOLDEN_PARTS 16
#define GOLDEN_CONFIG 8

/* Octets; those that `any` says may have any value. */
struct golden_octets {
	uint8_t *b;
	bool *any;
	size_t len;
	size_t cap;
};

enum golden_kind { GOLDEN_SERVER, GOLDEN_VALIDATOR };

/* What a server, or the validator, has to say. */
struct golden_part {
	enum golden_kind kind;
	char how[16];	/* udp, tcp; secure, insecure, bogus */
	char name[256]; /* "own": to the client's own query */
	char type[16];
	char fate[16]; /* "": an answer; silent, refused, failed */
	struct golden_octets msg;
	bool used; /* it was asked for */
};

struct golden_case {
	char title[GOLDEN_LINE];
	unsigned line;
	char config[GOLDEN_CONFIG][GOLDEN_LINE];
	size_t config_num;
	bool tcp;
	struct golden_octets query;
	struct golden_part parts[GOLDEN_PARTS];
	size_t parts_num;
	char host[GOLDEN_LINE]; /* what is found; "": nothing */
	char give[GOLDEN_LINE]; /* "": an address; else why there is none */
	char reply[16];		/* "", own, none */
	struct golden_octets want;
};

struct golden_file {
	FILE *f;
	const char *path;
	char text[GOLDEN_LINE];
	unsigned line;
	bool again; /* text is still to be read */
};

static inline void golden_bad(const struct golden_file *g, const char *why)
{
	ck_abort_msg("%s:%u: %s: %s", g->path, g->line, why, g->text);
}

static inline void golden_open(struct golden_file *g, const char *path)
{
	memset(g, 0, sizeof(*g));
	g->path = path;
	g->f = fopen(path, "r");
	ck_assert_msg(g->f, "%s", path);
}

/* The next line that says something, without its end. */
static inline bool golden_line(struct golden_file *g)
{
	if (g->again) {
		g->again = false;
		return true;
	}
	while (fgets(g->text, sizeof(g->text), g->f)) {
		char *end = strchr(g->text, '\n');

		g->line++;
		if (!end)
			golden_bad(g, "too long");
		*end = '\0';
		if (g->text[0] != '\0' && g->text[0] != '#')
			return true;
	}
	return false;
}

static inline void golden_octet(struct golden_octets *o, unsigned v, bool any)
{
	if (o->len == o->cap) {
		o->cap = o->cap ? 2 * o->cap : 512;
		o->b = realloc(o->b, o->cap);
		o->any = realloc(o->any, o->cap * sizeof(o->any[0]));
		ck_assert(o->b && o->any);
	}
	o->b[o->len] = (uint8_t)v;
	o->any[o->len++] = any;
}

/* Indented lines of hexadecimal digits, two by two, "??" for any octet. */
static inline void golden_octets(struct golden_file *g, struct golden_octets *o)
{
	while (golden_line(g)) {
		if (g->text[0] != '\t') {
			g->again = true;
			return;
		}
		for (const char *p = g->text + 1; *p; p += 2) {
			unsigned v = 0;
			int n = 0;

			while (*p == ' ')
				p++;
			if (strncmp(p, "??", 2) == 0)
				golden_octet(o, 0, true);
			else if (sscanf(p, "%2x%n", &v, &n) == 1 && n == 2)
				golden_octet(o, v, false);
			else
				golden_bad(g, "no octet");
		}
	}
}

static inline const char *golden_after(const struct golden_file *g,
				       const char *word)
{
	size_t n = strlen(word);

	if (strncmp(g->text, word, n) != 0 ||
	    (g->text[n] != ' ' && g->text[n] != '\0'))
		return NULL;
	return g->text + n + (g->text[n] == ' ');
}

static inline void golden_part(struct golden_file *g, struct golden_case *c,
			       enum golden_kind kind, const char *rest)
{
	struct golden_part *p = &c->parts[c->parts_num++];
	int n;

	if (c->parts_num == GOLDEN_PARTS)
		golden_bad(g, "too many parts");
	p->kind = kind;
	n = sscanf(rest, "%15s %255s %15s %15s", p->how, p->name, p->type,
		   p->fate);
	if (n < 2)
		golden_bad(g, "not understood");
	if (strcmp(p->name, "own") == 0) { /* no type */
		memcpy(p->fate, p->type, sizeof(p->fate));
		p->type[0] = '\0';
	}
	golden_octets(g, &p->msg);
}

static inline void golden_field(struct golden_file *g, struct golden_case *c)
{
	const char *v;

	if ((v = golden_after(g, "config"))) {
		ck_assert_uint_lt(c->config_num, GOLDEN_CONFIG);
		strcpy(c->config[c->config_num++], v);
	} else if ((v = golden_after(g, "client"))) {
		c->tcp = strcmp(v, "tcp") == 0;
		golden_octets(g, &c->query);
	} else if ((v = golden_after(g, "server"))) {
		golden_part(g, c, GOLDEN_SERVER, v);
	} else if ((v = golden_after(g, "validator"))) {
		golden_part(g, c, GOLDEN_VALIDATOR, v);
	} else if ((v = golden_after(g, "host"))) {
		strcpy(c->host, v);
	} else if ((v = golden_after(g, "give"))) {
		strcpy(c->give, v);
	} else if ((v = golden_after(g, "reply"))) {
		snprintf(c->reply, sizeof(c->reply), "%s", v);
		golden_octets(g, &c->want);
	} else {
		golden_bad(g, "not understood");
	}
}

/* The next case; false: there is none. */
static inline bool golden_next(struct golden_file *g, struct golden_case *c)
{
	const char *title;

	memset(c, 0, sizeof(*c));
	if (!golden_line(g))
		return false;
	title = golden_after(g, "case");
	if (!title)
		golden_bad(g, "a case begins with its title");
	strcpy(c->title, title);
	c->line = g->line;
	while (golden_line(g)) {
		if (golden_after(g, "case")) {
			g->again = true;
			break;
		}
		golden_field(g, c);
	}
	return true;
}

static inline void golden_free_octets(struct golden_octets *o)
{
	free(o->b);
	free(o->any);
}

static inline void golden_free(struct golden_case *c)
{
	golden_free_octets(&c->query);
	golden_free_octets(&c->want);
	for (size_t i = 0; i < c->parts_num; i++)
		golden_free_octets(&c->parts[i].msg);
}
