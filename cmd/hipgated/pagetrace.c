/* SPDX-License-Identifier: MIT */
/* Which events belong together.
 *
 * THEORY OF OPERATION
 * Pure. Two passes over the event lines: the first learns which names and
 * substitute addresses stand for which HIT, the second gives each event to
 * the trace of its HIT. A pause of GAP_S begins a new trace. What an event is
 * in a ladder (who to whom, which words) says the table `kinds`; an event
 * that is not in it, or that names no HIT, is in no ladder. Bounds are in
 * pagetrace.h: what goes beyond is counted.
 */
#include "pagetrace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define GAP_S 5.0

enum { ALIASES = 512, WORDS = 3 };

/* A name or an address, and the HIT it stands for. */
struct alias {
	char text[DNS_NAME_MAX];
	char hit[ADDR_TEXT_MAX];
	bool via_rvs;
};

struct reading {
	struct alias alias[ALIASES]; /* the last ALIASES that were said */
	size_t aliases;
	struct pagetrace *all; /* PAGETRACE_MAX; a ring */
	size_t traces;
	char before[ADDR_TEXT_MAX]; /* the HIT of the event before */
};

static const struct kind {
	const char *event;
	enum pagetrace_who from, to;
	enum pagetrace_kind kind;
	const char *words[WORDS]; /* fields, or text behind '=' */
} kinds[] = {
	{ "dns-query",
	  PAGETRACE_CLIENT,
	  PAGETRACE_SELF,
	  PAGETRACE_ASK,
	  { "qtype", "name" } },
	{ "dns-ask",
	  PAGETRACE_SELF,
	  PAGETRACE_DNS,
	  PAGETRACE_ASK,
	  { "qtype", "name" } },
	{ "dns-host",
	  PAGETRACE_DNS,
	  PAGETRACE_SELF,
	  PAGETRACE_ASK,
	  { "=HIP record:", "hit" } },
	{ "mapping",
	  PAGETRACE_SELF,
	  PAGETRACE_SELF,
	  PAGETRACE_ASK,
	  { "=mapping", "sub6", "sub4" } },
	{ "dns-reply",
	  PAGETRACE_SELF,
	  PAGETRACE_CLIENT,
	  PAGETRACE_ASK,
	  { "qtype", "said" } },
	{ "first-packet",
	  PAGETRACE_CLIENT,
	  PAGETRACE_SELF,
	  PAGETRACE_DATA,
	  { "proto", "virt", "=waits" } },
	{ "hip-send",
	  PAGETRACE_SELF,
	  PAGETRACE_PEER,
	  PAGETRACE_HIP,
	  { "type", "to" } },
	{ "hip-seen",
	  PAGETRACE_PEER,
	  PAGETRACE_SELF,
	  PAGETRACE_HIP,
	  { "type", "from" } },
	{ "hip-relayed",
	  PAGETRACE_SELF,
	  PAGETRACE_PEER,
	  PAGETRACE_HIP,
	  { "type", "=relayed to", "to" } },
	{ "hip-failed",
	  PAGETRACE_SELF,
	  PAGETRACE_SELF,
	  PAGETRACE_BAD,
	  { "=failed:", "reason" } },
	{ "hip-notified",
	  PAGETRACE_PEER,
	  PAGETRACE_SELF,
	  PAGETRACE_BAD,
	  { "=NOTIFY", "what" } },
	{ "mapping-locator",
	  PAGETRACE_SELF,
	  PAGETRACE_SELF,
	  PAGETRACE_HIP,
	  { "=locator", "locator" } },
	{ "sa-up",
	  PAGETRACE_SELF,
	  PAGETRACE_SELF,
	  PAGETRACE_HIP,
	  { "=SA", "suite" } },
	{ "sa-switch",
	  PAGETRACE_SELF,
	  PAGETRACE_SELF,
	  PAGETRACE_HIP,
	  { "=new SA sends" } },
	{ "path",
	  PAGETRACE_SELF,
	  PAGETRACE_SELF,
	  PAGETRACE_HIP,
	  { "=path", "why", "to" } },
	{ "flow",
	  PAGETRACE_SELF,
	  PAGETRACE_PEER,
	  PAGETRACE_DATA,
	  { "proto", "=in ESP" } },
	{ "first-return",
	  PAGETRACE_PEER,
	  PAGETRACE_SELF,
	  PAGETRACE_DATA,
	  { "=answer in ESP" } },
	{ "to-legacy",
	  PAGETRACE_SELF,
	  PAGETRACE_CLIENT,
	  PAGETRACE_DATA,
	  { "=answer" } },
};

static const char *field(const json_t *e, const char *key)
{
	const char *s = json_string_value(json_object_get(e, key));

	return s ? s : "";
}

/* Cut if it must be. */
static void copy(char *out, size_t cap, const char *s)
{
	size_t len = strnlen(s, cap - 1);

	memmove(out, s, len);
	out[len] = '\0';
}

/* ---- names ------------------------------------------------------------------- */

static void learn(struct reading *r, const char *text, const json_t *e)
{
	struct alias *a = &r->alias[r->aliases % ALIASES];

	if (!text[0])
		return;
	copy(a->text, sizeof(a->text), text);
	copy(a->hit, sizeof(a->hit), field(e, "hit"));
	a->via_rvs = strcmp(field(e, "via"), "rvs") == 0;
	r->aliases++;
}

static void learn_from(struct reading *r, const json_t *e)
{
	static const char *const keys[] = { "name", "sub6", "sub4", "real" };
	const char *event = field(e, "event");
	size_t first = strcmp(event, "mapping") == 0 ? 1 : 0;

	if (!field(e, "hit")[0] ||
	    (first == 0 && strcmp(event, "dns-host") != 0))
		return;
	for (size_t i = first; i < 4; i++)
		learn(r, field(e, keys[i]), e);
}

static const struct alias *alias_of(const struct reading *r, const char *text)
{
	size_t n = r->aliases < ALIASES ? r->aliases : ALIASES;

	for (size_t i = 0; text[0] && i < n; i++) {
		if (strcmp(r->alias[i].text, text) == 0)
			return &r->alias[i];
	}
	return NULL;
}

static const char *name_of(const struct reading *r, const char *hit,
			   bool *via_rvs)
{
	size_t n = r->aliases < ALIASES ? r->aliases : ALIASES;
	const char *name = "";

	for (size_t i = 0; i < n; i++) {
		struct addr a;

		if (strcmp(r->alias[i].hit, hit) != 0 ||
		    addr_parse(r->alias[i].text, &a) == HG_OK)
			continue;
		name = r->alias[i].text;
		*via_rvs = r->alias[i].via_rvs;
	}
	return name;
}

/* Whose event it is; "": nobody's. */
static const char *hit_of(const struct reading *r, const json_t *e)
{
	const struct alias *a = alias_of(r, field(e, "name"));

	if (field(e, "peer")[0])
		return field(e, "peer");
	if (field(e, "hit")[0])
		return field(e, "hit");
	if (!a)
		a = alias_of(r, field(e, "virt"));
	if (a)
		return a->hit;
	/* K says what J, just before it, came to. */
	return strcmp(field(e, "event"), "to-legacy") == 0 ? r->before : "";
}

/* ---- steps --------------------------------------------------------------------- */

static const struct kind *kind_of(const char *event)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].event, event) == 0)
			return &kinds[i];
	}
	return NULL;
}

static void say(struct pagetrace_step *s, const struct kind *k, const json_t *e)
{
	size_t used = 0;

	s->label[0] = '\0';
	for (size_t i = 0; i < WORDS && k->words[i]; i++) {
		const char *w = k->words[i][0] == '=' ? k->words[i] + 1
						      : field(e, k->words[i]);
		int n = snprintf(s->label + used, sizeof(s->label) - used,
				 "%s%s", used && w[0] ? " " : "", w);

		used += n > 0 ? (size_t)n : 0;
		if (used >= sizeof(s->label))
			return; /* cut */
	}
}

/* "HIP", and then "AAAA": the same question, asked at once. */
static bool joined(struct pagetrace *t, const struct kind *k, const json_t *e)
{
	struct pagetrace_step *s = t->num ? &t->step[t->num - 1] : NULL;
	char all[PAGETRACE_LABEL * 2];

	if (!s || strcmp(k->event, "dns-ask") != 0 ||
	    strcmp(s->event, k->event) != 0 ||
	    !strstr(s->label, field(e, "name")))
		return false;
	(void)snprintf(all, sizeof(all), "%s, %s", field(e, "qtype"), s->label);
	copy(s->label, sizeof(s->label), all);
	return true;
}

static void add(struct pagetrace *t, const struct kind *k, const json_t *e)
{
	struct pagetrace_step *s;

	t->last = json_number_value(json_object_get(e, "t"));
	t->dns += k->kind == PAGETRACE_ASK;
	if (joined(t, k, e))
		return;
	if (t->num == PAGETRACE_STEPS ||
	    (k->kind == PAGETRACE_ASK && t->dns > PAGETRACE_DNS_STEPS)) {
		t->skipped++;
		return;
	}
	s = &t->step[t->num++];
	*s = (struct pagetrace_step){
		.t = t->last, .from = k->from, .to = k->to, .kind = k->kind
	};
	copy(s->letter, sizeof(s->letter), field(e, "step"));
	copy(s->event, sizeof(s->event), k->event);
	say(s, k, e);
	if (t->via_rvs && strcmp(k->event, "hip-send") == 0 &&
	    strcmp(field(e, "type"), "I1") == 0)
		s->to = PAGETRACE_AGENT;
	t->hip = t->hip || k->kind == PAGETRACE_HIP || k->kind == PAGETRACE_BAD;
}

/* ---- traces ---------------------------------------------------------------------- */

static struct pagetrace *trace_for(struct reading *r, const char *hit, double t)
{
	size_t n = r->traces < PAGETRACE_MAX ? r->traces : PAGETRACE_MAX;
	struct pagetrace *new;

	for (size_t back = 1; back <= n; back++) {
		struct pagetrace *old =
			&r->all[(r->traces - back) % PAGETRACE_MAX];

		if (strcmp(old->hit, hit) == 0 && t - old->last <= GAP_S)
			return old;
	}
	new = &r->all[r->traces++ % PAGETRACE_MAX];
	memset(new, 0, sizeof(*new));
	copy(new->hit, sizeof(new->hit), hit);
	copy(new->name, sizeof(new->name), name_of(r, hit, &new->via_rvs));
	return new;
}

static void give(struct reading *r, const json_t *e)
{
	const char *event = field(e, "event");
	const char *hit = hit_of(r, e);
	const struct kind *k = kind_of(event);
	struct pagetrace *t;

	if (hit[0] && (k || strcmp(event, "hip-state") == 0)) {
		t = trace_for(r, hit,
			      json_number_value(json_object_get(e, "t")));
		if (k)
			add(t, k, e);
		else
			copy(t->state, sizeof(t->state), field(e, "state"));
	}
	if (hit != r->before)
		copy(r->before, sizeof(r->before), hit);
}

static void each(struct reading *r, char *const *lines, size_t num,
		 void (*fn)(struct reading *r, const json_t *e))
{
	for (size_t i = 0; i < num; i++) {
		json_t *e = json_loads(lines[i], 0, NULL);

		if (e)
			fn(r, e);
		json_decref(e);
	}
}

/* An event is told when it has been dealt with, at its own time: a question
 * that waited for the one before comes behind that one's answer. */
static void put_in_order(struct pagetrace *t)
{
	for (size_t i = 1; i < t->num; i++) {
		struct pagetrace_step s = t->step[i];
		size_t at = i;

		for (; at > 0 && t->step[at - 1].t > s.t; at--)
			t->step[at] = t->step[at - 1];
		t->step[at] = s;
	}
}

/* The newest first. */
static struct pagetrace *choose(const struct reading *r, size_t *num)
{
	struct pagetrace *out = calloc(PAGETRACE_SHOWN, sizeof(*out));
	size_t n = r->traces < PAGETRACE_MAX ? r->traces : PAGETRACE_MAX;

	*num = 0;
	for (size_t back = 1; out && back <= n && *num < PAGETRACE_SHOWN;
	     back++) {
		const struct pagetrace *t =
			&r->all[(r->traces - back) % PAGETRACE_MAX];

		if (!t->hip || !t->num)
			continue;
		out[*num] = *t;
		put_in_order(&out[(*num)++]);
	}
	return out;
}

struct pagetrace *pagetrace_read(char *const *lines, size_t lines_num,
				 size_t *num)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct pagetrace *out = NULL;

	*num = 0;
	if (r)
		r->all = calloc(PAGETRACE_MAX, sizeof(*r->all));
	if (r && r->all) {
		each(r, lines, lines_num, learn_from);
		each(r, lines, lines_num, give);
		out = choose(r, num);
	}
	if (r)
		free(r->all);
	free(r);
	return out;
}
