/* SPDX-License-Identifier: MIT */
/* Events as a ladder of steps, each with what waited for it.
 *
 * THEORY OF OPERATION
 * A line is the time since the first event, the step of Figure 6, the
 * daemon's own text, and, where the event ends a wait, how long that was: a
 * table says which event ends what which one began, and by which members the
 * two belong together. The last LADDER_KEPT events are kept for that.
 */
#include "cmd/hipgate/ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgate/screen.h"

enum { LADDER_KEPT = 1024, KEYS = 3 };

struct ladder {
	json_t *kept[LADDER_KEPT];
	unsigned long num;
	double first; /* unix s */
};

static const struct wait {
	const char *end;
	const char *end_type; /* NULL: any */
	const char *begin;
	const char *begin_type;
	const char *keys[KEYS];
	const char *text;
} waits[] = {
	{ "dns-host", NULL, "dns-ask", NULL, { "name" }, "DNS took" },
	{ "dns-reply",
	  NULL,
	  "dns-query",
	  NULL,
	  { "client", "name", "qtype" },
	  "the client waited" },
	{ "hip-seen", "R1", "hip-send", "I1", { "peer" }, "since I1" },
	{ "hip-seen", "R2", "hip-send", "I2", { "peer" }, "since I2" },
	{ "hip-send", "I2", "hip-seen", "R1", { "peer" }, "puzzle and keys" },
	{ "hip-seen",
	  "UPDATE",
	  "hip-send",
	  "UPDATE",
	  { "peer" },
	  "since ours" },
	{ "hip-seen",
	  "CLOSE_ACK",
	  "hip-send",
	  "CLOSE",
	  { "peer" },
	  "since CLOSE" },
	{ "sa-switch", NULL, "sa-standby", NULL, { "peer" }, "on standby" },
	{ "flow",
	  NULL,
	  "first-packet",
	  NULL,
	  { "client", "client_port", "virt" },
	  "the packet waited for the SA" },
	{ "first-return",
	  NULL,
	  "flow",
	  NULL,
	  { "peer", "ext_port" },
	  "since it left" },
	{ "to-legacy",
	  NULL,
	  "first-packet",
	  NULL,
	  { "client", "client_port" },
	  "first answer, since F" },
	{ "hip-failed",
	  NULL,
	  "hip-send",
	  "I1",
	  { "peer" },
	  "since the last I1" },
};

int ladder_new(struct ladder **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? HG_OK : HG_ENOMEM;
}

void ladder_free(struct ladder *l)
{
	for (size_t i = 0; l && i < LADDER_KEPT; i++)
		json_decref(l->kept[i]);
	free(l);
}

const char *ladder_text(const json_t *event, const char *key)
{
	const char *s = json_string_value(json_object_get(event, key));

	return s ? s : "";
}

static bool is(const json_t *e, const char *event, const char *type)
{
	return strcmp(ladder_text(e, "event"), event) == 0 &&
	       (!type || strcmp(ladder_text(e, "type"), type) == 0);
}

static bool belong(const json_t *a, const json_t *b, const struct wait *w)
{
	for (size_t i = 0; i < KEYS && w->keys[i]; i++) {
		if (!json_equal(json_object_get(a, w->keys[i]),
				json_object_get(b, w->keys[i])))
			return false;
	}
	return true;
}

/* The last one that began w and that no event before this has ended, or
 * NULL. */
static const json_t *beginning(const struct ladder *l, const json_t *end,
			       const struct wait *w)
{
	unsigned long least = l->num > LADDER_KEPT ? l->num - LADDER_KEPT : 0;

	for (unsigned long i = l->num; i-- > least;) {
		const json_t *e = l->kept[i % LADDER_KEPT];

		if (is(e, w->begin, w->begin_type) && belong(e, end, w))
			return e;
		if (is(e, w->end, w->end_type) && belong(e, end, w))
			return NULL;
	}
	return NULL;
}

static double time_of(const json_t *e)
{
	return json_number_value(json_object_get(e, "t"));
}

enum { INDENT = 17 }; /* columns before the text */

/* On a terminal long lines are broken between words, and what follows stands
 * below the text. column: where we are; returns where we are then. */
static size_t say_words(const char *text, size_t column)
{
	size_t width = screen_width(); /* 0: no terminal, no end */
	char word[512];

	while (*text) {
		size_t blank = strspn(text, " ");
		size_t len = strcspn(text + blank, " ");

		if (width && column > INDENT && column + blank + len > width) {
			(void)printf("\n%*s", INDENT, "");
			column = INDENT;
			text += blank;
			continue;
		}
		if (blank + len >= sizeof(word))
			len = sizeof(word) - 1 - blank;
		memcpy(word, text, blank + len);
		word[blank + len] = '\0';
		screen_text(word);
		column += blank + len;
		text += blank + len;
	}
	return column;
}

static void waited(const struct ladder *l, const json_t *e, size_t column)
{
	char text[64];

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		const struct wait *w = &waits[i];
		const json_t *begin;

		if (!is(e, w->end, w->end_type))
			continue;
		begin = beginning(l, e, w);
		if (!begin)
			continue;
		(void)snprintf(text, sizeof(text), "  (%s %.1f ms)", w->text,
			       (time_of(e) - time_of(begin)) * 1e3);
		(void)fputs(screen_colour(SCREEN_DIM), stdout);
		(void)say_words(text, column);
		(void)fputs(screen_colour(SCREEN_PLAIN), stdout);
		return;
	}
}

static enum screen_colour colour_of(const json_t *e)
{
	if (is(e, "hip-dropped", NULL) || is(e, "hip-failed", NULL))
		return SCREEN_BAD;
	return ladder_text(e, "step")[0] ? SCREEN_BOLD : SCREEN_PLAIN;
}

static void keep(struct ladder *l, json_t *e)
{
	json_t **slot = &l->kept[l->num++ % LADDER_KEPT];

	json_decref(*slot);
	*slot = json_incref(e);
}

void ladder_step(struct ladder *l, json_t *e)
{
	const char *text = ladder_text(e, "text");
	enum screen_colour colour = colour_of(e);

	if (is(e, "lost", NULL)) {
		(void)printf("%10s  %-3s  %s%lld events are missing here: "
			     "they came faster than they were read%s\n",
			     "-", "", screen_colour(SCREEN_WARN),
			     (long long)json_integer_value(
				     json_object_get(e, "lost")),
			     screen_colour(SCREEN_PLAIN));
		return;
	}
	if (!l->num)
		l->first = time_of(e);
	(void)printf("%10.1f  %s%-3.8s%s  ", (time_of(e) - l->first) * 1e3,
		     screen_colour(colour), ladder_text(e, "step"),
		     screen_colour(SCREEN_PLAIN));
	waited(l, e,
	       say_words(text[0] ? text : ladder_text(e, "event"), INDENT));
	(void)putchar('\n');
	keep(l, e);
}
