/* SPDX-License-Identifier: MIT */
/* All that helps to find a bug, in one file.
 *
 * THEORY OF OPERATION
 * One JSON object: the versions, the kernel, the configuration's lines, what
 * the daemon says to each verb, its events, ip(8)'s rules and routes. Each
 * part that cannot be had says why. Keys are in none of them; names and
 * addresses become pseudonyms (redact.c) unless --full says that they may be
 * read. First all names there are get known, then all is replaced, then it is
 * written, to a file for its owner alone that is there whole or not at all.
 */
#include "cmd/hipgate/bugreport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cmd/config/config_home.h"
#include "cmd/hipgate/ask.h"
#include "cmd/hipgate/iproute.h"
#include "cmd/hipgate/options.h"
#include "cmd/hipgate/outfile.h"
#include "cmd/hipgate/redact.h"

enum { CONFIG_MAX = 1 << 20, PATH = 512 };

static const char *const verbs[] = {
	"version",    "status",	  "peers", "paths",   "moves",
	"sas",	      "mappings", "flows", "clients", "registrations",
	"identities", "access",	  "pins",
};

static const char *const ips[][6] = {
	{ "-6", "rule", "show", NULL },
	{ "-4", "rule", "show", NULL },
	{ "-6", "route", "show", "table", "all", NULL },
	{ "-4", "route", "show", "table", "all", NULL },
	{ "-d", "link", "show", NULL },
	{ "addr", "show", NULL },
};

/* ---- parts ---------------------------------------------------------------------------- */

static json_t *daemon_part(const char *socket, const char *verb)
{
	char why[512];
	json_t *data;

	if (ask_once(socket, json_pack("{s:s}", "verb", verb), &data, why,
		     sizeof(why)))
		return json_pack("{s:s}", "error", why);
	return data;
}

static json_t *events_part(const char *socket)
{
	json_t *request = json_pack("{s:s}", "verb", "events");
	json_t *all = json_array();
	char why[512];
	struct ask *a = NULL;
	int err = ask_new(socket, &a, why, sizeof(why));

	if (!err)
		err = ask_send(a, request, why, sizeof(why));
	while (!err) {
		json_t *e;

		err = ask_line(a, &e, why, sizeof(why));
		if (err)
			break;
		if (json_is_true(json_object_get(e, "end"))) {
			json_decref(e);
			break;
		}
		(void)json_array_append_new(all, e);
	}
	if (err)
		(void)json_array_append_new(all,
					    json_pack("{s:s}", "error", why));
	ask_free(a);
	json_decref(request);
	return all;
}

static json_t *config_part(const char *path)
{
	FILE *f = fopen(path, "re");
	json_t *lines = json_array();
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while (f && (n = getline(&line, &cap, f)) >= 0 &&
	       json_array_size(lines) < CONFIG_MAX / 16) {
		line[strcspn(line, "\r\n")] = '\0';
		(void)json_array_append_new(lines, json_string(line));
	}
	if (!f)
		(void)json_array_append_new(
			lines, json_sprintf("%s: %s", path, strerror(errno)));
	else
		(void)fclose(f); /* it was only read */
	free(line);
	return lines;
}

/* What is read beside path. */
static json_t *drop_ins_part(const char *path)
{
	json_t *all = json_object();
	struct config *c = NULL;
	char why[512];

	if (config_load(path, &c, why, sizeof(why))) {
		(void)json_object_set_new(all, "error", json_string(why));
		return all;
	}
	for (size_t i = 1; i < c->files_num; i++)
		(void)json_object_set_new(all, c->files[i],
					  config_part(c->files[i]));
	config_free(c);
	return all;
}

static json_t *ip_part(const char *const words[])
{
	json_t *out;

	if (iproute(words, &out) == HG_ENOENT)
		return json_string("no ip(8)");
	return out ? out : json_null();
}

static json_t *kernel_part(void)
{
	struct utsname u;

	if (uname(&u))
		return json_null();
	return json_pack("{s:s,s:s,s:s,s:s}", "system", u.sysname, "release",
			 u.release, "version", u.version, "machine", u.machine);
}

static json_t *gather(const struct options *o)
{
	json_t *all = json_pack("{s:i,s:s,s:s,s:I}", "version", ASK_VERSION,
				"verb", "bugreport", "tool", HIPGATE_VERSION,
				"time", (json_int_t)time(NULL));
	json_t *daemon = json_object();
	json_t *ip = json_object();
	char own[CONFIG_PATH];
	const char *config =
		o->config ? o->config : config_home_file(geteuid(), own);

	(void)json_object_set_new(all, "config", config_part(config));
	(void)json_object_set_new(all, "conf.d", drop_ins_part(config));
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		(void)json_object_set_new(daemon, verbs[i],
					  daemon_part(o->socket, verbs[i]));
	(void)json_object_set_new(all, "daemon", daemon);
	(void)json_object_set_new(all, "events", events_part(o->socket));
	for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s %s", ips[i][0],
			       ips[i][1]);
		(void)json_object_set_new(ip, name, ip_part(ips[i]));
	}
	(void)json_object_set_new(all, "ip", ip);
	return all;
}

/* ---- names ------------------------------------------------------------------------------ */

/* All that a member "name" says, wherever it stands, and this host's own. */
static void learn(struct redact *r, const json_t *o)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_array(o)) {
		json_array_foreach(o, i, v) learn(r, v);
		return;
	}
	json_object_foreach((json_t *)o, key, v)
	{
		if (strcmp(key, "name") == 0 && json_is_string(v))
			redact_name(r, json_string_value(v));
		else
			learn(r, v);
	}
}

/* "[record NAME]", "[policy "*.NAME"]": a name may have no dot. */
static void learn_config(struct redact *r, const json_t *lines)
{
	const json_t *v;
	char name[256];
	size_t i;

	json_array_foreach(lines, i, v)
	{
		const char *line = json_string_value(v);
		size_t n;

		if (!line || (sscanf(line, " [ record %255s", name) != 1 &&
			      sscanf(line, " [ policy %255s", name) != 1))
			continue;
		n = strspn(name, "\"*.");
		name[n + strcspn(name + n, "\"]")] = '\0';
		redact_name(r, name + n);
	}
}

static void learn_host(struct redact *r)
{
	struct utsname u;

	if (uname(&u) == 0)
		redact_name(r, u.nodename);
}

/* ---- the file ----------------------------------------------------------------------------- */

static int fail(const char *temporary, FILE *f)
{
	int saved = errno;

	if (f)
		(void)fclose(f); /* it goes */
	(void)unlink(temporary);
	return verb_fail("%s: %s; nothing is left of it", temporary,
			 strerror(saved));
}

static int write_file(const char *path, json_t *report)
{
	char temporary[PATH];
	FILE *f;

	if (snprintf(temporary, PATH, "%s.part", path) >= PATH)
		return verb_fail("%s: the name is too long", path);
	f = outfile_new(temporary);
	if (!f)
		return VERB_FAILED;
	if (json_dumpf(report, f, JSON_INDENT(1)) || fputc('\n', f) == EOF ||
	    fflush(f) != 0 || fsync(fileno(f)) != 0)
		return fail(temporary, f);
	if (fclose(f) != 0 || rename(temporary, path) != 0)
		return fail(temporary, NULL);
	return VERB_OK;
}

static int write_out(const struct options *o, json_t *report)
{
	char name[PATH];
	const char *path = o->out;
	time_t now = time(NULL);
	struct tm tm;
	int status;

	if (path && strcmp(path, "-") == 0) {
		(void)json_dumpf(report, stdout, JSON_INDENT(1));
		(void)putchar('\n'); /* main asks ferror */
		return VERB_OK;
	}
	if (!path) {
		(void)gmtime_r(&now, &tm);
		(void)strftime(name, sizeof(name),
			       "hipgate-bugreport-%Y%m%dT%H%M%SZ.json", &tm);
		path = name;
	}
	status = write_file(path, report);
	if (status == VERB_OK)
		(void)printf("%s: read it before you pass it on; %s\n", path,
			     o->full ? "names and addresses are in it, keys "
				       "are not"
				     : "keys are not in it, and names and "
				       "addresses are replaced");
	return status;
}

int bugreport_verb(const struct verb *v, int argc, char **argv)
{
	struct options o;
	struct redact *r;
	json_t *all;
	json_t *report;
	json_t *lines;
	const char *key;
	int status = options_take(v, argc, argv, 0, 0, &o);

	if (status)
		return status;
	if (redact_new(!o.full, &r))
		return verb_fail("bugreport: out of memory");
	all = gather(&o);
	learn(r, json_object_get(all, "daemon"));
	learn(r, json_object_get(all, "events"));
	learn_config(r, json_object_get(all, "config"));
	json_object_foreach(json_object_get(all, "conf.d"), key, lines)
		learn_config(r, lines);
	learn_host(r);
	report = redact_json(r, all);
	if (report) /* its words only look like names */
		(void)json_object_set_new(report, "kernel", kernel_part());
	status = report ? write_out(&o, report)
			: verb_fail("bugreport: out of memory");
	json_decref(all);
	json_decref(report);
	redact_free(r);
	return status;
}
