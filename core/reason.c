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

/* Each stage's reasons stand side by side, the table's order is theirs. */
static const struct {
	enum reason first;
	const char *name;
} stages[] = {
	[REASON_STAGE_IP] = { REASON_IP_TRUNCATED, "ip" },
	[REASON_STAGE_NAT] = { REASON_NOT_A_CLIENT, "nat" },
	[REASON_STAGE_ESP] = { REASON_UDP_RUNT, "esp" },
	[REASON_STAGE_HIP] = { REASON_HIP_TRUNCATED, "hip" },
	[REASON_STAGE_MOVE] = { REASON_HIP_LOCATOR, "move" },
	[REASON_STAGE_DNS] = { REASON_DNS_MALFORMED, "dns" },
};

_Static_assert(sizeof(stages) / sizeof(stages[0]) == REASON_STAGE_NUM,
	       "one row for each stage");

enum reason_stage reason_stage(enum reason r)
{
	unsigned s = REASON_STAGE_NUM - 1;

	while (s && r < stages[s].first)
		s--;
	return (enum reason_stage)s;
}

const char *reason_stage_name(enum reason_stage s)
{
	return (unsigned)s < REASON_STAGE_NUM ? stages[s].name : "?";
}
