/* SPDX-License-Identifier: MIT */
/* Why a name or an address is what it is: the daemon knows, this prints. */
#include "cmd/hipgate/explain.h"

#include <stdio.h>
#include <string.h>

#include "cmd/hipgate/screen.h"
#include "cmd/hipgate/show.h"

static enum screen_colour colour_of(const char *what, const char *text)
{
	if (strcmp(what, "failure") == 0 || strcmp(what, "to do") == 0)
		return SCREEN_WARN;
	if (strcmp(what, "next") != 0)
		return SCREEN_PLAIN;
	if (strncmp(text, "dropped", 7) == 0 ||
	    strncmp(text, "unreachable", 11) == 0)
		return SCREEN_BAD;
	return SCREEN_GOOD;
}

static int print(const struct verb *v, const json_t *data)
{
	const json_t *line;
	size_t i;

	(void)v; /* there is one */
	json_array_foreach(json_object_get(data, "lines"), i, line)
	{
		const char *what =
			json_string_value(json_object_get(line, "what"));
		const char *text =
			json_string_value(json_object_get(line, "text"));

		(void)printf("%-12s ", what ? what : "");
		(void)fputs(screen_colour(colour_of(what ? what : "",
						    text ? text : "")),
			    stdout);
		screen_text(text ? text : "");
		(void)printf("%s\n", screen_colour(SCREEN_PLAIN));
	}
	return 0;
}

int explain_show(const struct verb *v, int argc, char **argv)
{
	struct options o;
	int err = options_take(v, argc, argv, 1, 1, &o);

	if (err)
		return err;
	return show_asked(v, &o,
			  json_pack("{s:s,s:s,s:s*}", "verb", v->name, "name",
				    o.arg[0], "from", o.client),
			  print);
}
