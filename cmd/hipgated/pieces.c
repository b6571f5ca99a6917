/* SPDX-License-Identifier: MIT */
/* An answer of the control socket that is made piece by piece. */
#include "pieces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "gate.h"
#include "viewexplain.h"

bool pieces_begin(struct pieces *p, const char *verb)
{
	*p = (struct pieces){ .list = views_list(verb) };
	if (!p->list)
		p->counted = views_counted(verb);
	return pieces_are_made(p);
}

int pieces_explain(struct pieces *p, struct gate *g, const json_t *req,
		   char *errbuf, size_t errlen)
{
	*p = (struct pieces){ .list = NULL };
	return viewexplain_begin(g, req, &p->explain, errbuf, errlen);
}

bool pieces_are_made(const struct pieces *p)
{
	return p->list || p->counted || p->explain;
}

void pieces_give_up(struct pieces *p)
{
	p->list = NULL;
	p->counted = NULL;
	p->said = false;
	views_give_up(&p->at);
	snapshot_give_up(&p->walk);
	viewexplain_free(p->explain);
	p->explain = NULL;
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

/* Before there is a row nothing is said: others may be answered meanwhile. */
static char *list_next(struct pieces *p, struct gate *g)
{
	json_t *rows = json_array();
	bool more = rows && p->list->more(g, &p->at, rows);
	bool none = more && json_array_size(rows) == 0;
	bool some = rows && !none && !p->at.why;
	char *dump = some ? json_dumps(rows, JSON_COMPACT) : NULL;
	char *text = none ? strdup("") : NULL;

	if (dump)
		text = line_of(p, dump, more);
	free(dump);
	json_decref(rows);
	if (!more || !text) {
		p->why = p->at.why;
		pieces_give_up(p);
	}
	return text;
}

/* All of an answer; takes data. */
static char *whole(const char *verb, json_t *data)
{
	json_t *o = json_pack("{s:i,s:s,s:b,s:o}", "version", CONTROL_PROTOCOL,
			      "verb", verb, "ok", 1, "data", data);
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
	text = whole(p->counted->verb, p->counted->make(g, s));
	snapshot_free(s);
	pieces_give_up(p);
	return text;
}

static char *explain_next(struct pieces *p)
{
	char *text;

	if (viewexplain_look(p->explain))
		return strdup("");
	text = whole("explain", viewexplain_tell(p->explain));
	pieces_give_up(p);
	return text;
}

const char *pieces_why(const struct pieces *p)
{
	return p->why ? p->why : "there is no memory for the answer";
}

char *pieces_next(struct pieces *p, struct gate *g)
{
	if (p->explain)
		return explain_next(p);
	return p->list ? list_next(p, g) : counted_next(p, g);
}
