/* SPDX-License-Identifier: MIT */
/* An answer of the control socket that is made piece by piece. */
#include "pieces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "gate.h"

bool pieces_begin(struct pieces *p, const char *verb)
{
	*p = (struct pieces){ .list = views_list(verb) };
	if (!p->list)
		p->counted = views_counted(verb);
	return pieces_are_made(p);
}

bool pieces_are_made(const struct pieces *p)
{
	return p->list || p->counted;
}

void pieces_give_up(struct pieces *p)
{
	p->list = NULL;
	p->counted = NULL;
	p->said = false;
	snapshot_give_up(&p->walk);
}

/* The line with those rows, which are "[...]", as far as it goes. */
static char *line_of(struct pieces *p, const char *rows, bool more)
{
	size_t len = strlen(rows) - 2; /* without the brackets */
	char head[128] = "";
	char *text;

	if (!p->said)
		(void)snprintf(head, sizeof(head),
			       "{\"version\":%d,\"verb\":\"%s\",\"ok\":true,"
			       "\"data\":[",
			       CONTROL_PROTOCOL, p->list->verb);
	if (asprintf(&text, "%s%s%.*s%s", head, p->rows && len ? "," : "",
		     (int)len, rows + 1, more ? "" : "]}\n") < 0)
		return NULL;
	p->said = true;
	p->rows = p->rows || len;
	return text;
}

static char *list_next(struct pieces *p, struct gate *g)
{
	json_t *rows = json_array();
	bool more = rows && p->list->more(g, &p->at, rows);
	char *dump = rows ? json_dumps(rows, JSON_COMPACT) : NULL;
	char *text = dump ? line_of(p, dump, more) : NULL;

	free(dump);
	json_decref(rows);
	if (!more || !text)
		pieces_give_up(p);
	return text;
}

static char *counted_line(const struct views_counted *v, struct gate *g,
			  const struct snapshot *s)
{
	json_t *o = json_pack("{s:i,s:s,s:b,s:o}", "version", CONTROL_PROTOCOL,
			      "verb", v->verb, "ok", 1, "data", v->make(g, s));
	char *dump = o ? json_dumps(o, JSON_COMPACT) : NULL;
	char *text = NULL;

	if (dump && asprintf(&text, "%s\n", dump) < 0)
		text = NULL;
	free(dump);
	json_decref(o);
	return text;
}

static char *counted_next(struct pieces *p, struct gate *g)
{
	struct snapshot *s;
	char *text;

	if (!p->walk.s && !snapshot_begin(&p->walk, false)) {
		pieces_give_up(p);
		return NULL;
	}
	s = snapshot_go_on(&p->walk, g);
	if (!s)
		return strdup("");
	text = counted_line(p->counted, g, s);
	snapshot_free(s);
	pieces_give_up(p);
	return text;
}

char *pieces_next(struct pieces *p, struct gate *g)
{
	return p->list ? list_next(p, g) : counted_next(p, g);
}
