/* SPDX-License-Identifier: MIT */
/* The usual faults, found one by one: the table of checks, and its printing.
 *
 * THEORY OF OPERATION
 * First all there is to know is gathered: the configuration, and what the
 * daemon says, if there is one. Then each row of the table looks at one thing
 * and changes nothing; it finds it good, or a fault with a mend of one line,
 * or notes something, or cannot tell. A check never stops another one, so
 * that somebody with three faults sees three.
 */
#include "cmd/hipgate/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/config/config_home.h"
#include "cmd/hipgate/ask.h"
#include "cmd/hipgate/screen.h"

static const struct check {
	const char *name;
	void (*look)(const struct doctor *d, struct doctor_finding *f);
	bool without_config;
} checks[] = {
	{ "config", doctor_config, true },
	{ "daemon", doctor_daemon, true },
	{ "keys", doctor_keys, false },
	{ "state", doctor_state, false },
	{ "clock", doctor_clock, true },
	{ "port", doctor_port, false },
	{ "tun-node", doctor_node, false },
	{ "tun", doctor_tun, false },
	{ "rule", doctor_rule, false },
	{ "route", doctor_route, false },
	{ "overlap", doctor_overlap, false },
	{ "prefix", doctor_prefix, false },
	{ "rp-filter", doctor_rp_filter, false },
	{ "forwarding", doctor_forwarding, false },
	{ "steering", doctor_steering, false },
	{ "resolver", doctor_resolver, false },
	{ "agent", doctor_agent, false },
	{ "mtu", doctor_mtu, false },
	{ "offload", doctor_offload, false },
	{ "loop", doctor_loop, false },
	{ "upstream", doctor_upstream, false },
};

enum { CHECKS = sizeof(checks) / sizeof(checks[0]) };

static const struct {
	const char *word;
	enum screen_colour colour;
} verdicts[DOCTOR_VERDICTS] = {
	[DOCTOR_GOOD] = { "good", SCREEN_GOOD },
	[DOCTOR_FAULT] = { "fault", SCREEN_BAD },
	[DOCTOR_NOTE] = { "note", SCREEN_WARN },
	[DOCTOR_SKIP] = { "skip", SCREEN_DIM },
};

void doctor_say(struct doctor_finding *f, enum doctor_verdict v,
		const char *fmt, ...)
{
	va_list ap;

	f->verdict = v;
	f->mend[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

void doctor_mend(struct doctor_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(f->mend, sizeof(f->mend), fmt, ap);
	va_end(ap);
}

/* ---- what there is to know ---------------------------------------------------- */

static json_t *said(const struct doctor *d, const char *verb)
{
	char why[512];
	json_t *data = NULL;

	if (d->unasked ||
	    ask_once(d->o->socket ? d->o->socket
		     : d->c	  ? d->c->control
				  : NULL,
		     json_pack("{s:s}", "verb", verb), &data, why, sizeof(why)))
		return NULL;
	return data;
}

static void gather(struct doctor *d, const struct options *o)
{
	const char *socket;

	memset(d, 0, sizeof(*d));
	d->o = o;
	d->path = o->config ? o->config : config_home_file(geteuid(), d->own);
	if (config_load(d->path, &d->c, d->config_why, sizeof(d->config_why)))
		d->c = NULL; /* a check tells */
	socket = o->socket ? o->socket : d->c ? d->c->control : NULL;
	d->unasked =
		ask_once(socket, json_pack("{s:s}", "verb", "version"),
			 &d->version, d->daemon_why, sizeof(d->daemon_why));
	d->status = said(d, "status");
	d->sas = said(d, "sas");
}

static void doctor_fini(struct doctor *d)
{
	config_free(d->c);
	json_decref(d->version);
	json_decref(d->status);
	json_decref(d->sas);
}

/* ---- what is found ------------------------------------------------------------- */

static void look(const struct doctor *d, const struct check *c,
		 struct doctor_finding *f)
{
	if (!d->c && !c->without_config)
		doctor_say(f, DOCTOR_SKIP, "needs the configuration");
	else
		c->look(d, f);
}

static void print(const struct check *c, const struct doctor_finding *f)
{
	(void)printf("%s%-6s%s %-11s ",
		     screen_colour(verdicts[f->verdict].colour),
		     verdicts[f->verdict].word, screen_colour(SCREEN_PLAIN),
		     c->name);
	screen_text(f->text);
	(void)putchar('\n');
	if (!f->mend[0])
		return;
	(void)printf("       %-11s %s", "", screen_colour(SCREEN_BOLD));
	screen_text(f->mend);
	(void)printf("%s\n", screen_colour(SCREEN_PLAIN));
}

static json_t *finding_json(const struct check *c,
			    const struct doctor_finding *f)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "check", c->name, "verdict",
			 verdicts[f->verdict].word, "text", f->text, "mend",
			 f->mend);
}

static int json_end(json_t *list, unsigned faults)
{
	json_t *o = json_pack("{s:i,s:s,s:{s:i,s:o}}", "version", ASK_VERSION,
			      "verb", "doctor", "data", "faults", (int)faults,
			      "checks", list);
	int err = o ? json_dumpf(o, stdout, JSON_INDENT(2)) : -1;

	(void)putchar('\n');
	json_decref(o);
	if (err)
		return verb_fail("doctor: out of memory");
	return faults ? VERB_FAILED : VERB_OK;
}

/* only: one check's name, or NULL. */
static int run(const struct doctor *d, const char *only)
{
	json_t *list = json_array();
	unsigned faults = 0;

	for (size_t i = 0; i < CHECKS; i++) {
		struct doctor_finding f = { .verdict = DOCTOR_SKIP };

		if (only && strcmp(only, checks[i].name) != 0)
			continue;
		look(d, &checks[i], &f);
		faults += f.verdict == DOCTOR_FAULT;
		(void)json_array_append_new(list, finding_json(&checks[i], &f));
		if (!d->o->json)
			print(&checks[i], &f);
	}
	if (d->o->json)
		return json_end(list, faults);
	json_decref(list);
	if (faults)
		(void)printf("%u fault%s\n", faults, faults > 1 ? "s" : "");
	else
		(void)puts("no faults");
	return faults ? VERB_FAILED : VERB_OK;
}

static bool is_check(const char *name)
{
	for (size_t i = 0; i < CHECKS; i++) {
		if (strcmp(checks[i].name, name) == 0)
			return true;
	}
	return false;
}

static int unknown(const char *name)
{
	(void)verb_fail("doctor: there is no check \"%s\"; there are:", name);
	for (size_t i = 0; i < CHECKS; i++)
		(void)fprintf(stderr, " %s", checks[i].name);
	(void)fputs(", and dns, and mtu NAME\n", stderr);
	return VERB_USAGE;
}

int doctor_verb(const struct verb *v, int argc, char **argv)
{
	struct options o;
	struct doctor d;
	int status = options_take(v, argc, argv, 0, 2, &o);
	const char *what = o.arg[0];
	bool mtu = what && o.arg[1] && strcmp(what, "mtu") == 0;

	if (status)
		return status;
	if (what && !mtu &&
	    (o.arg[1] || (strcmp(what, "dns") != 0 && !is_check(what))))
		return o.arg[1] ? verb_usage(v) : unknown(what);
	gather(&d, &o);
	if (mtu)
		status = doctor_print_mtu(&d, o.arg[1]);
	else if (what && strcmp(what, "dns") == 0)
		status = doctor_print_dns(&d);
	else
		status = run(&d, what);
	doctor_fini(&d);
	return status;
}
