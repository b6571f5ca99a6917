/* SPDX-License-Identifier: MIT */
/* A table for people: columns as wide as what is in them.
 *
 * Names in it come from DNS and so from strangers: nothing that a terminal
 * would obey gets through.
 */
#include "cmd/hipgate/grid.h"

#include <stdlib.h>
#include <string.h>

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

static void row_print(const struct grid *g, const char *const *cells, FILE *f)
{
	for (size_t i = 0; i < g->columns; i++) {
		bool last = i + 1 == g->columns;
		int width = (int)g->width[i];

		if (!g->right[i])
			width = last ? 0 : -width; /* no blanks at the end */
		(void)fprintf(f, "%*s%s", width, cells[i], last ? "\n" : "  ");
	}
}

void grid_print(const struct grid *g, FILE *f)
{
	row_print(g, g->titles, f);
	for (size_t i = 0; i < g->num; i += g->columns)
		row_print(g, (const char *const *)&g->cells[i], f);
}
