/* SPDX-License-Identifier: MIT */
/* Events as a sequenceDiagram of Mermaid (mermaid.js.org).
 *
 * THEORY OF OPERATION
 * A table says for each event between whom it draws which arrow. Who takes
 * part is known at the end only, so messages are kept as text until then.
 * Addresses stand for hosts; a HIT stands where its SA leads. What would end
 * a line or begin a comment of Mermaid's does not get into a text.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgate/ladder.h"

enum { HOSTS = 64, HITS = 64, LABEL = 64, TEXT = 256 };

struct leads {
	char hit[LABEL];
	char host[LABEL];
};

struct mermaid {
	char host[HOSTS][LABEL];
	size_t hosts;
	struct leads leads[HITS];
	size_t leads_num;
	char *text;
	size_t len, cap;
	double first;
	bool begun;
};

/* Members that name the two ends; "self": the daemon; "peer": by its HIT. */
static const struct arrow {
	const char *event;
	const char *from;
	const char *to;
	const char *line; /* NULL: a note over both */
} arrows[] = {
	{ "dns-query", "client", "self", "->>" },
	{ "dns-ask", "self", "server", "->>" },
	{ "dns-host", "self", "self", NULL },
	{ "mapping", "self", "self", NULL },
	{ "dns-reply", "self", "client", "-->>" },
	{ "first-packet", "client", "self", "->>" },
	{ "hip-send", "self", "to", "->>" },
	{ "hip-seen", "from", "self", "->>" },
	{ "hip-relayed", "self", "to", "->>" },
	{ "hip-dropped", "from", "self", "-x" },
	{ "mapping-locator", "self", "self", NULL },
	{ "sa-up", "self", "locator", NULL },
	{ "sa-switch", "self", "self", NULL },
	{ "sa-down", "self", "self", NULL },
	{ "flow", "self", "peer", "->>" },
	{ "first-return", "peer", "self", "-->>" },
	{ "to-legacy", "self", "client", "-->>" },
	{ "hip-failed", "self", "self", NULL },
	{ "registered", "self", "at", NULL },
	{ "registration", "at", "self", NULL },
};

int mermaid_new(struct mermaid **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? HG_OK : HG_ENOMEM;
}

void mermaid_free(struct mermaid *m)
{
	if (m)
		free(m->text);
	free(m);
}

static void copy(char out[LABEL], const char *from, size_t len)
{
	if (len > LABEL - 1)
		len = LABEL - 1;
	memcpy(out, from, len);
	out[len] = '\0';
	for (char *s = out; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr(".:-", *s))
			*s = '?';
	}
}

/* "192.0.2.1:53" and "[2001:db8::1]:53" without their port. */
static void address_of(const char *text, char out[LABEL])
{
	const char *colon = strchr(text, ':');

	if (text[0] == '[')
		copy(out, text + 1, strcspn(text + 1, "]"));
	else if (colon && !strchr(colon + 1, ':'))
		copy(out, text, (size_t)(colon - text));
	else
		copy(out, text, strlen(text));
}

static const char *led_to(const struct mermaid *m, const char *hit)
{
	for (size_t i = 0; i < m->leads_num; i++) {
		if (strcmp(m->leads[i].hit, hit) == 0)
			return m->leads[i].host;
	}
	return hit;
}

/* Where its SA leads, from now on. */
static void learn(struct mermaid *m, const json_t *e)
{
	const char *hit = ladder_text(e, "peer");
	struct leads *l = m->leads;

	if (strcmp(ladder_text(e, "event"), "sa-up") != 0)
		return;
	while (l < m->leads + m->leads_num && strcmp(l->hit, hit) != 0)
		l++;
	if (l == m->leads + HITS)
		return;
	if (l == m->leads + m->leads_num)
		m->leads_num++;
	copy(l->hit, hit, strlen(hit));
	address_of(ladder_text(e, "locator"), l->host);
}

/* The number of the host that a member names; HOSTS: there is no room. */
static size_t host_of(struct mermaid *m, const json_t *e, const char *member)
{
	const char *host = led_to(m, ladder_text(e, "peer"));
	char label[LABEL];
	size_t i = 0;

	if (strcmp(member, "self") == 0)
		copy(label, ladder_text(e, "role"),
		     strlen(ladder_text(e, "role")));
	else if (strcmp(member, "peer") == 0)
		copy(label, host, strlen(host));
	else
		address_of(ladder_text(e, member), label);
	if (!label[0])
		copy(label, "somebody", 8);
	while (i < m->hosts && strcmp(m->host[i], label) != 0)
		i++;
	if (i == m->hosts && i < HOSTS)
		memcpy(m->host[m->hosts++], label, LABEL);
	return i;
}

static void append(struct mermaid *m, const char *line, size_t len)
{
	if (len > m->cap - m->len) {
		size_t cap = (m->cap + len) * 2;
		char *more = realloc(m->text, cap);

		if (!more)
			return; /* the picture ends here */
		m->text = more;
		m->cap = cap;
	}
	memcpy(m->text + m->len, line, len);
	m->len += len;
}

static void sentence(const json_t *e, double ms, char out[TEXT])
{
	const char *step = ladder_text(e, "step");

	(void)snprintf(out, TEXT, "%s%s%s (%.1f ms)", step, step[0] ? " " : "",
		       ladder_text(e, "text"), ms);
	for (char *s = out; *s; s++) {
		if (*s < ' ' || *s > '~' || strchr(";#%", *s))
			*s = ' ';
	}
}

void mermaid_step(struct mermaid *m, const json_t *e)
{
	const struct arrow *a = NULL;
	double t = json_number_value(json_object_get(e, "t"));
	char text[TEXT];
	char line[TEXT + 64];
	size_t from, to;
	int n;

	for (size_t i = 0; i < sizeof(arrows) / sizeof(arrows[0]) && !a; i++) {
		if (strcmp(arrows[i].event, ladder_text(e, "event")) == 0)
			a = &arrows[i];
	}
	if (!a)
		return;
	if (!m->begun)
		m->first = t;
	m->begun = true;
	learn(m, e);
	from = host_of(m, e, a->from);
	to = host_of(m, e, a->to);
	if (from == HOSTS || to == HOSTS)
		return;
	sentence(e, (t - m->first) * 1e3, text);
	if (a->line)
		n = snprintf(line, sizeof(line), "    h%zu%sh%zu: %s\n", from,
			     a->line, to, text);
	else if (from == to)
		n = snprintf(line, sizeof(line), "    Note over h%zu: %s\n",
			     from, text);
	else
		n = snprintf(line, sizeof(line),
			     "    Note over h%zu,h%zu: %s\n", from, to, text);
	append(m, line, (size_t)n);
}

void mermaid_end(const struct mermaid *m)
{
	(void)puts("sequenceDiagram");
	for (size_t i = 0; i < m->hosts; i++)
		(void)printf("    participant h%zu as %s\n", i, m->host[i]);
	if (m->len)
		(void)fwrite(m->text, 1, m->len, stdout);
}
