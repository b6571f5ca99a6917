/* SPDX-License-Identifier: MIT */
/* The status page's ladders: traces as SVG.
 *
 * THEORY OF OPERATION
 * Columns stand for who takes part; only those that do are drawn. A row is a
 * step: its time since the first one, its letter of Figure 6, and an arrow
 * from whom to whom, or a dot where something is so from now on. Words stand
 * above the arrow, from its left end on; every one of them may be a
 * stranger's, so all of them are escaped. A narrow window shows the same steps
 * as a list instead: a ladder that fits it could not be read (pagestyle.c).
 */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pagetrace.h"

enum { WIDTH = 1000, GUTTER = 118, EDGE = 70, HEAD = 30, ROW = 30 };

static const char *const class_of[PAGETRACE_KIND_NUM] = { "hip", "dns", "data",
							  "bad" };
static const char *const who_names[PAGETRACE_WHO_NUM] = { "client", "hipgate",
							  "DNS server", "agent",
							  "HIP host" };

struct columns {
	bool used[PAGETRACE_WHO_NUM];
	int x[PAGETRACE_WHO_NUM];
};

static struct columns columns_of(const struct pagetrace *t)
{
	struct columns c = { .used = { [PAGETRACE_SELF] = true } };
	int num = 0;
	int at = 0;

	for (size_t i = 0; i < t->num; i++) {
		c.used[t->step[i].from] = true;
		c.used[t->step[i].to] = true;
	}
	for (unsigned w = 0; w < PAGETRACE_WHO_NUM; w++)
		num += c.used[w];
	for (unsigned w = 0; w < PAGETRACE_WHO_NUM; w++) {
		int room = WIDTH - GUTTER - EDGE - EDGE - 60;

		if (!c.used[w])
			continue;
		c.x[w] = GUTTER + EDGE +
			 (num > 1 ? room * at / (num - 1) : room / 3);
		at++;
	}
	return c;
}

static void put_who(const struct columns *c, int bottom, struct textout *t)
{
	for (unsigned w = 0; w < PAGETRACE_WHO_NUM; w++) {
		if (!c->used[w])
			continue;
		textout(t,
			"<path class=\"life\" d=\"M%d %dV%d\"/>"
			"<text class=\"who\" x=\"%d\" y=\"16\" "
			"text-anchor=\"middle\">%s</text>",
			c->x[w], HEAD - 6, bottom, c->x[w], who_names[w]);
	}
}

static void put_arrow(int from, int to, int y, struct textout *t)
{
	int back = to > from ? -8 : 8;

	if (from == to) {
		textout(t,
			"<circle class=\"dot\" cx=\"%d\" cy=\"%d\" "
			"r=\"4\"/>",
			from, y);
		return;
	}
	textout(t,
		"<path class=\"arrow\" d=\"M%d %dH%d\"/>"
		"<path class=\"head\" d=\"M%d %dl%d -4v8z\"/>",
		from, y, to + back, to, y, back);
}

static void put_step(const struct columns *c, const struct pagetrace_step *s,
		     double start, int y, struct textout *t)
{
	int from = c->x[s->from];
	int to = c->x[s->to];
	int left = from < to ? from : to;

	textout(t,
		"<g class=\"%s\"><text x=\"70\" y=\"%d\" "
		"text-anchor=\"end\">%.1f ms</text><text class=\"letter\" "
		"x=\"84\" y=\"%d\">",
		class_of[s->kind], y + 4, (s->t - start) * 1e3, y + 4);
	textout_html(t, s->letter);
	textout(t, "</text>");
	put_arrow(from, to, y, t);
	textout(t, "<text class=\"say\" x=\"%d\" y=\"%d\">", left + 12,
		from == to ? y + 4 : y - 6);
	textout_html(t, s->label);
	textout(t, "</text></g>");
}

static void put_row(const struct pagetrace_step *s, double start,
		    struct textout *t)
{
	textout(t, "<li class=\"%s\"><span>%.1f ms</span><b>",
		class_of[s->kind], (s->t - start) * 1e3);
	textout_html(t, s->letter);
	textout(t, "</b><div><i>%s", who_names[s->from]);
	if (s->to != s->from)
		textout(t, " \u2192 %s", who_names[s->to]);
	textout(t, "</i> ");
	textout_html(t, s->label);
	textout(t, "</div></li>");
}

static void put_summary(const struct pagetrace *tr, struct textout *t)
{
	time_t when = (time_t)tr->step[0].t;
	struct tm tm;
	char at[32];

	(void)gmtime_r(&when, &tm);
	(void)strftime(at, sizeof(at), "%H:%M:%S UTC", &tm);
	textout(t, "<summary><b>");
	textout_html(t, tr->name[0] ? tr->name : tr->hit);
	textout(t, "</b>");
	if (tr->name[0]) {
		textout(t, "<code>");
		textout_html(t, tr->hit);
		textout(t, "</code>");
	}
	textout(t, "<small>%s, %.1f ms", at,
		(tr->step[tr->num - 1].t - tr->step[0].t) * 1e3);
	if (tr->state[0]) {
		textout(t, ", then ");
		textout_html(t, tr->state);
	}
	textout(t, "</small></summary>");
}

static void put_trace(const struct pagetrace *tr, bool open, struct textout *t)
{
	struct columns c = columns_of(tr);
	int bottom = HEAD + ROW * (int)tr->num + 6;

	textout(t, "<details%s>", open ? " open" : "");
	put_summary(tr, t);
	textout(t,
		"<div class=\"ladder\"><svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"ladder\">",
		WIDTH, bottom);
	put_who(&c, bottom, t);
	for (size_t i = 0; i < tr->num; i++)
		put_step(&c, &tr->step[i], tr->step[0].t,
			 HEAD + ROW * (int)(i + 1) - 8, t);
	textout(t, "</svg><ol>");
	for (size_t i = 0; i < tr->num; i++)
		put_row(&tr->step[i], tr->step[0].t, t);
	textout(t, "</ol>");
	if (tr->skipped)
		textout(t, "<p>%u more steps: <code>hipgate trace</code></p>",
			tr->skipped);
	textout(t, "</div></details>");
}

void pageladder_all(const struct snapshot *s, struct textout *t)
{
	bool met = false; /* the last exchange is open, too */
	size_t num;
	struct pagetrace *all = pagetrace_read(s->events, s->events_num, &num);

	textout(t, "<section class=\"card\"><h2>Latest traces<small>steps A to "
		   "K of Figure 6, as they were observed</small></h2>");
	if (!num)
		textout(t, "<p>No exchange with a HIP host yet.</p>");
	for (size_t i = 0; i < num; i++) {
		bool open = i == 0 || (!met && all[i].state[0]);

		met = met || all[i].state[0];
		put_trace(&all[i], open, t);
	}
	textout(t, "</section>");
	free(all);
}
