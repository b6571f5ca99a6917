/* SPDX-License-Identifier: MIT */
/* Reads a configuration file strictly, with the line of whatever is wrong.
 *
 * THEORY OF OPERATION
 * libinih splits lines into keys and values. Its shared build calls its
 * handler without a line number and not at all for a section without keys,
 * cuts section names at 50 octets and lines at 200, and takes an indented
 * line for a continuation of the value above. So the text goes to it
 * through our own reader, which counts lines, takes the section lines
 * itself (libinih sees an empty line), strips indentation and refuses long
 * lines. The handler then judges one key against the schema. The first
 * error in the file wins and ends the reading. All work is on a private
 * struct config that reaches the caller only when everything held.
 *
 * Files of conf.d are read behind the first one, as if it went on; a line's
 * number carries its file's, so that what is judged at the end is named with
 * the right one.
 */
#include "cmd/config/config.h"

#include <ctype.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/config/config_check.h"
#include "cmd/config/config_home.h"
#include "cmd/config/config_parse.h"
#include "cmd/config/config_schema.h"

enum { SECTION_MAX = 320, HINT_MAX = 320, CONFIG_PLACE = 4096 + 16 };

enum { LINE_MASK = (1 << CONFIG_LINE_BITS) - 1 };

const char *config_place(const struct config *c, unsigned line, char *out,
			 size_t cap)
{
	(void)snprintf(out, cap, "%s:%u", c->files[line >> CONFIG_LINE_BITS],
		       line & LINE_MASK);
	return out;
}

void config_parse_fail(struct config_parse *p, unsigned line, const char *fmt,
		       ...)
{
	char text[640];
	char place[CONFIG_PLACE];
	va_list args;

	if (p->err)
		return;
	p->err = HG_EFORMAT;
	p->err_line = line;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)snprintf(p->errbuf, p->errlen, "%s: %s",
		       line ? config_place(p->c, line, place, sizeof(place))
			    : p->c->files[0],
		       text);
	/* The text is the file's: keep its control characters off terminals. */
	for (size_t i = 0; i < p->errlen && p->errbuf[i]; i++) {
		if (iscntrl((unsigned char)p->errbuf[i]))
			p->errbuf[i] = '?';
	}
}

/* ---- sections -------------------------------------------------------- */

static enum config_section_id section_id(const struct config_section *s)
{
	return (enum config_section_id)(s - config_schema_sections);
}

/* The section that ends here must have had its required keys. */
static void section_end(struct config_parse *p)
{
	if (!p->section || p->err)
		return;
	for (size_t i = 0; i < CONFIG_SCHEMA_KEYS; i++) {
		const struct config_key *k = &config_schema_keys[i];

		if (&config_schema_sections[k->section] != p->section ||
		    !k->required || p->seen[i] > 0)
			continue;
		config_parse_fail(
			p, p->section_line, "[%s] has no %s; add %s = with %s",
			p->section->name, k->name, k->name, k->expect);
	}
}

static void section_refused(struct config_parse *p,
			    const struct config_section *s, const char *arg,
			    int err)
{
	if (err == HG_EEXIST)
		config_parse_fail(p, p->line,
				  "[%s %s] is there already; merge the two",
				  s->name, arg);
	else if (err == HG_EFULL)
		config_parse_fail(p, p->line,
				  "too many sections [%s]; at most %zu",
				  s->name, s->max);
	else
		config_parse_fail(p, p->line, "bad [%s \"%s\"]: expected %s",
				  s->name, arg, s->expect);
}

/* Remembers where sections stand that config_check judges. */
static void note_section(struct config_parse *p)
{
	if (section_id(p->section) == CONFIG_SECTION_PEER)
		p->peer_at[p->c->peers_num - 1] = p->line;
	else if (section_id(p->section) == CONFIG_SECTION_RECORD)
		p->c->records[p->c->records_num - 1].line = p->line;
	else if (section_id(p->section) == CONFIG_SECTION_REGISTER)
		p->register_at[p->c->reg_num - 1] = p->line;
	else if (section_id(p->section) == CONFIG_SECTION_POLICY)
		p->c->rule_line[p->c->rules_num - 1] = p->line;
}

/* It begins anew: of a section that may stand once, in another file, what it
 * has had there counts. */
static void seen_forget(struct config_parse *p)
{
	for (size_t i = 0; i < CONFIG_SCHEMA_KEYS && p->section->arg; i++) {
		if (config_schema_keys[i].section == section_id(p->section))
			p->seen[i] = 0;
	}
}

/* Sections without argument stand once in each file. */
static bool is_there(const struct config_parse *p,
		     const struct config_section *s)
{
	unsigned last = p->last[section_id(s)];

	return !s->arg && last &&
	       last >> CONFIG_LINE_BITS == p->line >> CONFIG_LINE_BITS;
}

static void section_begin(struct config_parse *p, const char *name,
			  const char *arg)
{
	const struct config_section *s = config_schema_section(name);
	char hint[HINT_MAX];
	int err = HG_OK;

	section_end(p);
	if (!s) {
		config_schema_hint_section(name, hint, sizeof(hint));
		config_parse_fail(p, p->line, "unknown section [%s]; %s", name,
				  hint);
		return;
	}
	if (s->arg && !arg[0])
		config_parse_fail(p, p->line, "[%s] needs %s: write [%s %s]",
				  name, s->expect, name, s->arg);
	else if (!s->arg && arg[0])
		config_parse_fail(p, p->line,
				  "[%s] takes nothing behind its name", name);
	else if (is_there(p, s))
		config_parse_fail(p, p->line,
				  "section [%s] is there already, in line %u; "
				  "merge the two",
				  name, p->last[section_id(s)] & LINE_MASK);
	else if (s->begin)
		err = s->begin(p->c, arg);
	if (err)
		section_refused(p, s, arg, err);
	p->section = s;
	if (!p->err)
		note_section(p);
	p->section_line = p->line;
	p->last[section_id(s)] = p->line;
	if (!p->at[section_id(s)])
		p->at[section_id(s)] = p->line;
	seen_forget(p);
}

static char *skip_blank(char *s)
{
	return s + strspn(s, " \t");
}

/* Ends the word at s where one of stops stands and says what stood there;
 * *rest is behind it. */
static char cut(char *s, const char *stops, char **rest)
{
	char *end = s + strcspn(s, stops);
	char stop = *end;

	*end = '\0';
	*rest = stop ? end + 1 : end;
	return stop;
}

/* Takes what is behind a section's name up to the ']': an argument, bare or
 * quoted. False: it is not closed. */
static bool section_arg(char *s, char **arg, char **rest)
{
	char stop;

	s = skip_blank(s);
	if (*s == '"') {
		*arg = s + 1;
		if (!cut(*arg, "\"", &s))
			return false;
		s = skip_blank(s);
		*rest = s + 1;
		return *s == ']';
	}
	*arg = s;
	stop = cut(s, " \t]", &s);
	if (stop == ' ' || stop == '\t') {
		s = skip_blank(s);
		stop = *s;
		*rest = s + 1;
	} else {
		*rest = s;
	}
	return stop == ']';
}

/* A whole line that begins with '[': NAME, or NAME ARG, or NAME "ARG". */
static void section_line(struct config_parse *p, const char *line, size_t len)
{
	char buf[SECTION_MAX];
	char none[1] = "";
	char *name;
	char *arg = none;
	char *rest;
	char stop;
	bool closed;

	if (len >= sizeof(buf)) {
		config_parse_fail(p, p->line, "the line is too long");
		return;
	}
	memcpy(buf, line, len);
	buf[len] = '\0';
	name = skip_blank(buf + 1);
	stop = cut(name, " \t]", &rest);
	closed = stop == ']' || (stop && section_arg(rest, &arg, &rest));
	if (!closed) {
		config_parse_fail(p, p->line,
				  "the section line is not closed; write "
				  "[NAME] or [NAME ARGUMENT]");
		return;
	}
	rest = skip_blank(rest);
	if (*rest && *rest != ';' && *rest != '#') {
		config_parse_fail(p, p->line,
				  "only a comment may stand behind ']'");
		return;
	}
	section_begin(p, name, arg);
}

/* ---- keys ------------------------------------------------------------ */

static void note_proxy(struct config_parse *p, const char *key)
{
	if (strcmp(key, "prefix") == 0) {
		if (p->c->pool6.len && !p->pool6_at)
			p->pool6_at = p->line;
		if (p->c->pool4.len && !p->pool4_at)
			p->pool4_at = p->line;
	} else if (strcmp(key, "clients") == 0) {
		p->clients_at[p->c->clients_num - 1] = p->line;
	} else if (strcmp(key, "dns-server") == 0) {
		p->dns_server_at[p->c->dns_servers_num - 1] = p->line;
	} else if (strcmp(key, "lan") == 0) {
		p->lan_at[p->c->lan_num - 1] = p->line;
	}
}

/* Remembers where values stand that config_check compares. */
static void note_line(struct config_parse *p, const struct config_key *k)
{
	bool identity = strcmp(k->name, "identity") == 0;

	if (k->section == CONFIG_PROXY)
		note_proxy(p, k->name);
	else if (identity && k->section == CONFIG_SECTION_PEER)
		p->peer_identity_at[p->c->peers_num - 1] = p->line;
	else if (identity && k->section == CONFIG_SECTION_POLICY)
		p->rule_identity_at[p->c->rules_num - 1] = p->line;
}

static void key_refused(struct config_parse *p, const struct config_key *k,
			const char *value, int err)
{
	if (err == HG_EEXIST && k->max > 1 && strcmp(k->name, "prefix") == 0)
		config_parse_fail(p, p->line,
				  "second prefix of one family: %s; at most "
				  "one for IPv6 and one for IPv4",
				  value);
	else if (err == HG_EEXIST)
		config_parse_fail(p, p->line,
				  "%s = %s is there already; remove one",
				  k->name, value);
	else if (err == HG_EFULL)
		config_parse_fail(p, p->line,
				  "too many lines %s =; at most %zu", k->name,
				  k->max);
	else
		config_parse_fail(p, p->line,
				  "bad value \"%s\" for %s: expected %s", value,
				  k->name, k->expect);
}

/* ini_handler: non-zero is success. */
static int key_line(void *user, const char *unused, const char *name,
		    const char *value)
{
	struct config_parse *p = user;
	const struct config_key *k;
	char hint[HINT_MAX];
	size_t *seen;
	int err;

	(void)unused; /* the reader keeps the section lines to itself */
	if (p->err)
		return 0;
	if (!p->section) {
		config_parse_fail(p, p->line,
				  "\"%s\" stands before any section; begin "
				  "with [daemon]",
				  name);
		return 0;
	}
	k = config_schema_key(section_id(p->section), name);
	if (!k) {
		config_schema_hint_key(section_id(p->section), name, hint,
				       sizeof(hint));
		config_parse_fail(p, p->line, "unknown key \"%s\" in [%s]; %s",
				  name, p->section->name, hint);
		return 0;
	}
	seen = &p->seen[k - config_schema_keys];
	if (*seen > 0 && k->max == 1) {
		config_parse_fail(p, p->line,
				  "%s is there already in this section; "
				  "remove one",
				  name);
		return 0;
	}
	err = k->set(p->c, value);
	if (err) {
		key_refused(p, k, value, err);
		return 0;
	}
	*seen += 1;
	note_line(p, k);
	return 1;
}

/* ini_reader: as fgets, one line of p's text with its blank start taken. */
static char *next_line(char *buf, int num, void *user)
{
	struct config_parse *p = user;
	const char *line = p->next;
	size_t len = strcspn(line, "\n");

	if (p->err || !*line)
		return NULL;
	p->line++;
	p->next = line + len + (line[len] == '\n');
	while (len > 0 && isspace((unsigned char)*line)) {
		line++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	if (len > 0 && line[0] == '[') {
		section_line(p, line, len);
		len = 0;
	}
	if (len > 0 && (line[0] == ';' || line[0] == '#'))
		len = 0;
	/* Room for the newline and the NUL. */
	if (len + 2 > (size_t)num) {
		config_parse_fail(p, p->line,
				  "the line is too long; at most %d octets",
				  num - 2);
		return NULL;
	}
	memcpy(buf, line, len);
	memcpy(buf + len, "\n", 2);
	return buf;
}

/* File number `file`. */
static void parse_text(struct config_parse *p, size_t file, const char *text)
{
	unsigned base = (unsigned)file << CONFIG_LINE_BITS;
	int bad_line;

	p->section = NULL;
	p->line = base;
	p->next = text;
	if (strncmp(p->next, "\xef\xbb\xbf", 3) == 0)
		p->next += 3;
	bad_line = ini_parse_stream(next_line, p, key_line, p);
	if (bad_line < 0) {
		config_parse_fail(p, 0, "out of memory");
		p->err = HG_ENOMEM;
		return;
	}
	/* libinih goes on behind a line it cannot split, so such a line may
	 * stand before the one our own message is about. */
	if (bad_line > 0 &&
	    (!p->err || base + (unsigned)bad_line < p->err_line)) {
		p->err = HG_OK;
		config_parse_fail(p, base + (unsigned)bad_line,
				  "neither a section nor KEY = VALUE");
	}
	section_end(p);
}

static int files_note(struct config *c, const struct config_text *texts,
		      size_t num)
{
	for (size_t i = 0; i < num; i++) {
		c->files[i] = strdup(texts[i].name);
		if (!c->files[i])
			return HG_ENOMEM;
		c->files_num++;
	}
	return HG_OK;
}

int config_parse_texts(const struct config_text *texts, size_t num,
		       struct config **out, char *errbuf, size_t errlen)
{
	struct config_parse *p = calloc(1, sizeof(*p));
	struct config *c = calloc(1, sizeof(*c));
	int err = HG_ENOMEM;

	if (!p || !c || files_note(c, texts, num)) {
		(void)snprintf(errbuf, errlen, "%s: out of memory",
			       texts[0].name);
		goto out;
	}
	config_schema_defaults(c);
	config_home_defaults(c, texts[0].name);
	p->c = c;
	p->errbuf = errbuf;
	p->errlen = errlen;
	for (size_t i = 0; i < num && !p->err; i++)
		parse_text(p, i, texts[i].text);
	if (!p->err)
		config_check(p);
	err = p->err;
	if (!err) {
		*out = c;
		c = NULL;
	}
out:
	config_free(c);
	free(p);
	return err;
}

int config_parse(const char *name, const char *text, struct config **out,
		 char *errbuf, size_t errlen)
{
	const struct config_text one = { name, text };

	return config_parse_texts(&one, 1, out, errbuf, errlen);
}

void config_free(struct config *c)
{
	for (size_t i = 0; c && i < CONFIG_ROLE_NUM; i++)
		free(c->access[i].rules);
	for (size_t i = 0; c && i < c->files_num; i++)
		free(c->files[i]);
	if (c)
		free(c->records);
	free(c);
}
