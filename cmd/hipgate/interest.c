/* SPDX-License-Identifier: MIT */
/* Which events are about one HIP host.
 *
 * THEORY OF OPERATION
 * The name or HIT that was asked for is the first word. An event that has a
 * word as one of its members is about the host; what such an event says the
 * host is, too (its HIT, its substitutes, the port of a flow's client), are
 * words from then on.
 */
#include "cmd/hipgate/interest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgate/ladder.h"
#include "core/addr.h"

enum { WORDS = 512, WORD = 256 };

struct interest {
	char word[WORDS][WORD];
	size_t num; /* 0: everything is of interest */
	size_t next;
};

int interest_new(const char *what, struct interest **out)
{
	struct interest *i = calloc(1, sizeof(*i));
	char text[WORD];
	char hit_text[ADDR_TEXT_MAX];
	struct hit hit;
	size_t len;

	if (!i)
		return HG_ENOMEM;
	*out = i;
	if (!what)
		return HG_OK;
	(void)snprintf(text, sizeof(text), "%s", what);
	for (char *s = text; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	len = strlen(text);
	if (len > 1 && text[len - 1] == '.')
		text[len - 1] = '\0';
	interest_add(i, hit_parse(text, &hit) == HG_OK
				? hit_print(&hit, hit_text)
				: text);
	return HG_OK;
}

void interest_free(struct interest *i)
{
	free(i);
}

static bool known(const struct interest *i, const char *word)
{
	for (size_t k = 0; word[0] && k < i->num; k++) {
		if (strcmp(i->word[k], word) == 0)
			return true;
	}
	return false;
}

/* The first one stays; of the others the oldest goes. */
void interest_add(struct interest *i, const char *what)
{
	size_t at = i->num;

	if (!what[0] || strlen(what) >= WORD || known(i, what))
		return;
	if (i->num == WORDS)
		at = 1 + i->next++ % (WORDS - 1);
	else
		i->num++;
	memcpy(i->word[at], what, strlen(what) + 1);
}

static void client_of(const json_t *e, char out[WORD])
{
	const char *client = ladder_text(e, "client");
	json_int_t port = json_integer_value(json_object_get(e, "client_port"));

	out[0] = '\0';
	if (client[0] && port && strlen(client) < WORD - 24)
		(void)snprintf(out, WORD, "%s#%lld", client, (long long)port);
}

bool interest_has(struct interest *i, const json_t *e)
{
	static const char *const members[] = { "name", "hit",  "peer", "virt",
					       "rvs",  "sub6", "sub4", "real" };
	static const char *const also[] = { "hit", "sub6", "sub4", "real" };
	char client[WORD];
	bool is = i->num == 0 || strcmp(ladder_text(e, "event"), "lost") == 0;

	if (i->num == 0)
		return true;
	client_of(e, client);
	for (size_t k = 0; !is && k < sizeof(members) / sizeof(members[0]); k++)
		is = known(i, ladder_text(e, members[k]));
	is = is || known(i, client);
	if (!is)
		return false;
	for (size_t k = 0; k < sizeof(also) / sizeof(also[0]); k++)
		interest_add(i, ladder_text(e, also[k]));
	interest_add(i, client);
	return true;
}
