/* SPDX-License-Identifier: MIT */
/* What standard output is: a terminal, how wide, and may it be coloured? */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool screen_is_terminal(void);
/* Columns; 0: no terminal, so there is no limit. */
size_t screen_width(void);
/* A terminal, and neither NO_COLOR (https://no-color.org) nor TERM=dumb. */
bool screen_has_colour(void);

enum screen_colour {
	SCREEN_PLAIN,
	SCREEN_BOLD,
	SCREEN_DIM,
	SCREEN_GOOD,
	SCREEN_BAD,
	SCREEN_WARN,
	SCREEN_COLOURS
};
/* The sequence that begins it, SCREEN_PLAIN: that ends it; "" where there is
 * no colour. */
const char *screen_colour(enum screen_colour c);
/* Prints text with '?' for what a terminal would obey: names and files are
 * strangers'. */
void screen_text(const char *text);
/* Empty, and the cursor at its start. */
void screen_clear(void);
