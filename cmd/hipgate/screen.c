/* SPDX-License-Identifier: MIT */
/* What standard output is: a terminal, how wide, and may it be coloured? */
#include "cmd/hipgate/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 40 };

bool screen_is_terminal(void)
{
	return isatty(STDOUT_FILENO);
}

size_t screen_width(void)
{
	struct winsize size;

	if (!screen_is_terminal())
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

bool screen_has_colour(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return screen_is_terminal() && !(no && no[0]) &&
	       !(term && strcmp(term, "dumb") == 0);
}

const char *screen_colour(enum screen_colour c)
{
	static const char *const sequence[SCREEN_COLOURS] = {
		[SCREEN_PLAIN] = "\033[0m", [SCREEN_BOLD] = "\033[1m",
		[SCREEN_DIM] = "\033[2m",   [SCREEN_GOOD] = "\033[32m",
		[SCREEN_BAD] = "\033[31m",  [SCREEN_WARN] = "\033[33m",
	};

	return screen_has_colour() ? sequence[c] : "";
}

void screen_text(const char *text)
{
	for (const char *s = text; *s; s++)
		(void)putchar(*s < ' ' || *s > '~' ? '?' : *s);
}

void screen_clear(void)
{
	(void)fputs("\033[H\033[J", stdout);
}
