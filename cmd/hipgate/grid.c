/* SPDX-License-Identifier: MIT */
/* A table for people: columns as wide as what is in them.
 *
 * THEORY OF OPERATION
 * Names in it come from DNS and so from strangers: nothing that a terminal
 * would obey gets through. Where there is a width to keep to, the widest
 * columns give way first, down to GRID_NARROW: their cells lose their
 * middle, since addresses and HITs differ at their ends. When that does not
 * do, the last columns go, and a line behind the table says so.
 */
#include "cmd/hipgate/grid.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/hipgate/screen.h"

enum { GRID_NARROW = 15, GRID_GAP = 2 };

struct grid {
	const char *const *titles;
	bool right[GRID_COLUMNS];
	size_t width[GRID_COLUMNS];
	size_t columns;
	char **cells; /* rows * columns, each its own */
	size_t num;
	size_t cap;
};

int grid_new(const char *const *titles, const bool *right, size_t columns,
	     struct grid **out)
{
	struct grid *g;

	if (columns == 0 || columns > GRID_COLUMNS)
		return HG_EINVAL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return HG_ENOMEM;
	g->titles = titles;
	g->columns = columns;
	for (size_t i = 0; i < columns; i++) {
		g->right[i] = right[i];
		g->width[i] = strlen(titles[i]);
	}
	*out = g;
	return HG_OK;
}

void grid_free(struct grid *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->num; i++)
		free(g->cells[i]);
	free(g->cells);
	free(g);
}

static char *cell_new(const char *text)
{
	char *cell = strndup(text[0] ? text : "-", GRID_CELL - 1);

	for (char *s = cell; s && *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
	return cell;
}

static int grid_grow(struct grid *g)
{
	size_t cap = g->cap ? g->cap * 2 : 64 * g->columns;
	char **cells;

	if (g->num + g->columns <= g->cap)
		return HG_OK;
	cells = reallocarray(g->cells, cap, sizeof(*cells));
	if (!cells)
		return HG_ENOMEM;
	g->cells = cells;
	g->cap = cap;
	return HG_OK;
}

int grid_add(struct grid *g, const char *const *cells)
{
	int err = grid_grow(g);

	for (size_t i = 0; !err && i < g->columns; i++) {
		char *cell = cell_new(cells[i]);

		if (!cell) {
			while (i-- > 0) /* no half rows */
				free(g->cells[--g->num]);
			return HG_ENOMEM;
		}
		g->cells[g->num++] = cell;
		if (strlen(cell) > g->width[i])
			g->width[i] = strlen(cell);
	}
	return err;
}

/* ---- printing -------------------------------------------------------------- */

/* Words that stand out. */
static enum screen_colour colour_of(const char *cell)
{
	static const struct {
		const char *word;
		enum screen_colour colour;
	} words[] = {
		{ "ESTABLISHED", SCREEN_GOOD }, { "active", SCREEN_GOOD },
		{ "sends", SCREEN_GOOD },	{ "E-FAILED", SCREEN_BAD },
		{ "dead", SCREEN_BAD },		{ "floor", SCREEN_BAD },
		{ "unverified", SCREEN_WARN },	{ "I1-SENT", SCREEN_WARN },
		{ "I2-SENT", SCREEN_WARN },	{ "checking", SCREEN_WARN },
		{ "doubtful", SCREEN_WARN },	{ "none", SCREEN_BAD },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, cell) == 0)
			return words[i].colour;
	}
	return SCREEN_PLAIN;
}

struct layout {
	size_t width[GRID_COLUMNS];
	size_t columns; /* that have room */
};

static size_t total(const struct layout *l)
{
	size_t sum = (l->columns - 1) * GRID_GAP;

	for (size_t i = 0; i < l->columns; i++)
		sum += l->width[i];
	return sum;
}

/* Of those that may give way; columns: none. */
static size_t widest(const struct grid *g, const struct layout *l)
{
	size_t best = l->columns;

	for (size_t i = 0; i < l->columns; i++) {
		if (!g->right[i] && l->width[i] > GRID_NARROW &&
		    (best == l->columns || l->width[i] > l->width[best]))
			best = i;
	}
	return best;
}

/* limit 0: there is none. */
static void lay_out(const struct grid *g, size_t limit, struct layout *l)
{
	size_t i;

	l->columns = g->columns;
	memcpy(l->width, g->width, sizeof(l->width));
	while (limit && total(l) > limit) {
		i = widest(g, l);
		if (i < l->columns)
			l->width[i]--;
		else if (l->columns > 1)
			l->columns--;
		else
			return;
	}
	/* What went has left room. */
	for (i = 0; limit && i < l->columns; i++) {
		while (l->width[i] < g->width[i] && total(l) < limit)
			l->width[i]++;
	}
}

/* Its middle goes when it is too long. */
static const char *cut(const char *cell, size_t width, char out[GRID_CELL])
{
	size_t len = strlen(cell);
	size_t tail = (width - 2) / 2;
	size_t head = width - 2 - tail;

	if (len <= width)
		return cell;
	memcpy(out, cell, head);
	memcpy(out + head, "..", 2);
	memcpy(out + head + 2, cell + len - tail, tail);
	out[width] = '\0';
	return out;
}

static void cell_print(const char *cell, int width, enum screen_colour colour,
		       FILE *f)
{
	int len = (int)strlen(cell);
	int room = abs(width) > len ? abs(width) - len : 0;

	if (width > 0)
		(void)fprintf(f, "%*s", room, "");
	if (colour != SCREEN_PLAIN)
		(void)fputs(screen_colour(colour), f);
	(void)fputs(cell, f);
	if (colour != SCREEN_PLAIN)
		(void)fputs(screen_colour(SCREEN_PLAIN), f);
	if (width < 0)
		(void)fprintf(f, "%*s", room, "");
}

static void row_print(const struct grid *g, const struct layout *l,
		      const char *const *cells, bool title, FILE *f)
{
	char text[GRID_CELL];

	for (size_t i = 0; i < l->columns; i++) {
		bool last = i + 1 == l->columns;
		int width = (int)l->width[i];

		if (!g->right[i])
			width = last ? 0 : -width; /* no blanks at the end */
		cell_print(cut(cells[i], l->width[i], text), width,
			   title ? SCREEN_BOLD : colour_of(cells[i]), f);
		(void)fputs(last ? "\n" : "  ", f);
	}
}

void grid_print(const struct grid *g, size_t limit, FILE *f)
{
	struct layout l;

	lay_out(g, limit, &l);
	row_print(g, &l, g->titles, true, f);
	for (size_t i = 0; i < g->num; i += g->columns)
		row_print(g, &l, (const char *const *)&g->cells[i], false, f);
	if (l.columns == g->columns)
		return;
	(void)fprintf(f,
		      "%s(%zu more columns: --json, or a wider terminal)%s\n",
		      screen_colour(SCREEN_DIM), g->columns - l.columns,
		      screen_colour(SCREEN_PLAIN));
}
