/* SPDX-License-Identifier: MIT */
/* Names and sentences of the drop reasons; the table is in reason.h. */
#include "core/reason.h"

static const struct {
	const char *name;
	const char *why;
} table[] = {
#define REASON_ROW(name, text, why) { text, why },
	REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

_Static_assert(sizeof(table) / sizeof(table[0]) == REASON_NUM,
	       "one row for each reason");

const char *reason_name(enum reason r)
{
	return (unsigned)r < REASON_NUM ? table[r].name : "?";
}

const char *reason_why(enum reason r)
{
	return (unsigned)r < REASON_NUM ? table[r].why : "?";
}
