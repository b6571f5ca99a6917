/* SPDX-License-Identifier: MIT */
/* The verbs that show what the daemon holds: as JSON or for people.
 *
 * THEORY OF OPERATION
 * One question, one answer, over the control socket. --json passes the
 * answer's data on under "version", the number of this format: fields may
 * be added in it, none go or change. For people, lists are columns.c's.
 */
#include "cmd/hipgate/show.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgate/ask.h"
#include "cmd/hipgate/grid.h"
#include "cmd/hipgate/columns.h"

/* ---- asking ----------------------------------------------------------- */

struct options {
	bool json;
	bool follow;
	const char *socket;
	const char *name;	       /* NULL: the verb takes none */
	const char *subsystem, *level; /* NULL: they are only asked for */
};

/* Takes only the options the synopsis names. */
static int options_take(const struct verb *v, int argc, char **argv,
			struct options *o)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "follow", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "js:f", longs, NULL)) != -1) {
		if (ch == 'j')
			o->json = true;
		else if (ch == 's')
			o->socket = optarg;
		else if (ch == 'f' && strstr(v->synopsis, "--follow"))
			o->follow = true;
		else
			return verb_usage(v);
	}
	if (optind < argc && strncmp(v->synopsis, "NAME", 4) == 0)
		o->name = argv[optind++];
	else if (strncmp(v->synopsis, "NAME", 4) == 0)
		return verb_usage(v);
	if (optind + 2 == argc && strncmp(v->synopsis, "[SUBSYSTEM", 10) == 0) {
		o->subsystem = argv[optind++];
		o->level = argv[optind++];
	}
	return optind == argc ? VERB_OK : verb_usage(v);
}

/* An answer with "ok", or its "error" in errbuf. */
static int answer_judge(const json_t *answer, char *errbuf, size_t errlen)
{
	json_int_t version =
		json_integer_value(json_object_get(answer, "version"));
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (!json_is_true(json_object_get(answer, "ok"))) {
		(void)snprintf(errbuf, errlen, "hipgated says: %s",
			       error ? error : "no");
		return HG_EINVAL;
	}
	if (version != ASK_VERSION) {
		(void)snprintf(errbuf, errlen,
			       "hipgated speaks version %d of the control "
			       "protocol, this tool version %d; use the tool "
			       "of the same release",
			       (int)version, ASK_VERSION);
		return HG_EUNSUPP;
	}
	return HG_OK;
}

static int question(const char *verb, const struct options *o, json_t **answer,
		    char *errbuf, size_t errlen)
{
	json_t *request = json_pack(
		"{s:s,s:s*,s:s*,s:s*}", "verb", o->level ? "log-level" : verb,
		"name", o->name, "subsystem", o->subsystem, "level", o->level);
	struct ask *a = NULL;
	int err;

	err = ask_new(o->socket, false, &a, errbuf, errlen);
	if (!err)
		err = ask_send(a, request, errbuf, errlen);
	if (!err)
		err = ask_line(a, answer, errbuf, errlen);
	if (!err) {
		err = answer_judge(*answer, errbuf, errlen);
		if (err)
			json_decref(*answer);
	}
	ask_free(a);
	json_decref(request);
	return err;
}

static int data_json(const char *verb, json_t *data)
{
	json_t *o = json_pack("{s:i,s:s,s:O}", "version", ASK_VERSION, "verb",
			      verb, "data", data);
	int err = o ? json_dumpf(o, stdout, JSON_INDENT(2)) : -1;

	(void)putchar('\n');
	json_decref(o);
	return err ? HG_ENOMEM : HG_OK;
}

/* Asks and shows; print is what people see. */
static int ask_and_show(const struct verb *v, int argc, char **argv,
			int (*print)(const struct verb *v, const json_t *data))
{
	struct options o = { .socket = NULL };
	char errbuf[512];
	json_t *answer;
	json_t *data;
	int err = options_take(v, argc, argv, &o);

	if (err)
		return err;
	err = question(v->name, &o, &answer, errbuf, sizeof(errbuf));
	if (err)
		return verb_fail("%s", errbuf);
	data = json_object_get(answer, "data");
	if (!data)
		err = HG_EFORMAT;
	else
		err = o.json ? data_json(v->name, data) : print(v, data);
	json_decref(answer);
	return err ? verb_fail("%s: %s", v->name, err_text(err)) : VERB_OK;
}

static int print_list(const struct verb *v, const json_t *data)
{
	return columns_print(v->name, data);
}

int show_list(const struct verb *v, int argc, char **argv)
{
	return ask_and_show(v, argc, argv, print_list);
}

/* ---- status ------------------------------------------------------------ */

static void strings_print(const char *title, const json_t *array)
{
	const json_t *s;
	size_t i;

	(void)printf("%-14s", title);
	json_array_foreach(array, i, s)(void)
		printf("%s%s", i ? " " : "", json_string_value(s));
	(void)printf("%s\n", json_array_size(array) ? "" : "-");
}

static void numbers_print(const char *title, json_t *object)
{
	const char *key;
	json_t *v;
	const char *before = "";

	(void)printf("%-14s", title);
	json_object_foreach(object, key, v)
	{
		(void)printf("%s%s %" PRId64, before, key,
			     (int64_t)json_integer_value(v));
		before = ", ";
	}
	(void)printf("%s\n", json_object_size(object) ? "" : "none");
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && s[0] ? s : "-";
}

/* "auto: tso on, udp-segment fell back (3 refused)" */
static void offload_print(const json_t *object)
{
	const char *name;
	const char *sep = ":";
	const json_t *o;

	(void)printf("%-14s%s", "offload", text_of(object, "setting"));
	json_object_foreach((json_t *)object, name, o)
	{
		json_int_t refused =
			json_integer_value(json_object_get(o, "refused"));

		if (!json_is_object(o))
			continue;
		(void)printf("%s %s %s", sep, name, text_of(o, "state"));
		if (refused)
			(void)printf(" (%lld refused)", (long long)refused);
		sep = ",";
	}
	(void)putchar('\n');
}

static void health_print(const json_t *o)
{
	bool ready = json_is_true(json_object_get(o, "ready"));

	(void)printf("%-14s%s%s\n", "health", ready ? "ready" : "not ready: ",
		     ready ? "" : text_of(o, "why"));
}

static int print_status(const struct verb *v, const json_t *data)
{
	const json_t *tun = json_object_get(data, "tun");
	char up[32];

	(void)v; /* there is one status only */
	columns_seconds(json_number_value(json_object_get(data, "uptime_s")),
			up, sizeof(up));
	(void)printf("%-14s%s, up %s\n", "hipgated", text_of(data, "version"),
		     up);
	health_print(json_object_get(data, "health"));
	strings_print("roles", json_object_get(data, "roles"));
	strings_print("HITs", json_object_get(data, "hits"));
	(void)printf("%-14s%s, MTU %d\n", "TUN", text_of(tun, "name"),
		     (int)json_integer_value(json_object_get(tun, "mtu")));
	offload_print(json_object_get(data, "offload"));
	(void)printf("%-14s%s\n", "AES-GCM by", text_of(data, "aes_gcm"));
	(void)printf("%-14s%d\n", "workers",
		     (int)json_integer_value(json_object_get(data, "workers")));
	(void)printf("%-14s%d\n", "UDP port",
		     (int)json_integer_value(json_object_get(data, "port")));
	numbers_print("counts", json_object_get(data, "counts"));
	numbers_print("traffic", json_object_get(data, "traffic"));
	numbers_print("drops", json_object_get(data, "drops"));
	return HG_OK;
}

int show_status(const struct verb *v, int argc, char **argv)
{
	return ask_and_show(v, argc, argv, print_status);
}

/* ---- reload ------------------------------------------------------------- */

/* The file's text may hold anything. */
static void line_print(const json_t *s, const char *behind)
{
	for (const char *c = json_string_value(s); c && *c; c++)
		(void)putchar(*c < ' ' || *c > '~' ? '?' : *c);
	(void)printf("%s\n", behind);
}

static int print_reload(const struct verb *v, const json_t *data)
{
	const json_t *applied = json_object_get(data, "applied");
	const json_t *restart = json_object_get(data, "restart");
	const json_t *s;
	size_t i;

	(void)v; /* there is one reload only */
	json_array_foreach(applied, i, s) line_print(s, "");
	json_array_foreach(restart, i, s) line_print(s, "   (needs a restart)");
	if (!json_array_size(applied) && !json_array_size(restart))
		(void)puts("nothing has changed");
	return HG_OK;
}

static int print_forget(const struct verb *v, const json_t *data)
{
	(void)v; /* there is one */
	line_print(json_object_get(data, "name"),
		   " may be without a HIP record again");
	return HG_OK;
}

int show_forget(const struct verb *v, int argc, char **argv)
{
	return ask_and_show(v, argc, argv, print_forget);
}

int show_reload(const struct verb *v, int argc, char **argv)
{
	return ask_and_show(v, argc, argv, print_reload);
}

/* ---- metrics, log ------------------------------------------------------- */

static int print_metrics(const struct verb *v, const json_t *data)
{
	const char *text = json_string_value(json_object_get(data, "text"));

	(void)v; /* there are no others */
	if (!text)
		return HG_EFORMAT;
	(void)fputs(text, stdout); /* main looks at stdout */
	return HG_OK;
}

int show_metrics(const struct verb *v, int argc, char **argv)
{
	return ask_and_show(v, argc, argv, print_metrics);
}

int show_log(const struct verb *v, int argc, char **argv)
{
	return ask_and_show(v, argc, argv, print_list);
}

/* ---- trace -------------------------------------------------------------- */

/* Milliseconds since the first event, the step's letter, the text. */
static void event_print(const json_t *e, double *first)
{
	double t = json_number_value(json_object_get(e, "t"));
	const char *step = json_string_value(json_object_get(e, "step"));
	const char *text = json_string_value(json_object_get(e, "text"));
	char clean[GRID_CELL * 2];

	if (*first < 0)
		*first = t;
	(void)snprintf(clean, sizeof(clean), "%s",
		       text ? text : text_of(e, "event"));
	for (char *s = clean; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?'; /* names are strangers' */
	}
	(void)printf("%10.1f  %-1s  %s\n", (t - *first) * 1e3,
		     step && step[0] ? step : " ", clean);
}

static int events_show(struct ask *a, const struct options *o, char *errbuf,
		       size_t errlen)
{
	double first = -1;

	for (;;) {
		json_t *e;
		int err = ask_line(a, &e, errbuf, errlen);

		if (err)
			return err;
		if (json_is_true(json_object_get(e, "end"))) {
			json_decref(e);
			return HG_OK;
		}
		if (json_is_false(json_object_get(e, "ok"))) {
			err = answer_judge(e, errbuf, errlen);
			json_decref(e);
			return err;
		}
		if (o->json) {
			(void)json_dumpf(e, stdout, JSON_COMPACT);
			(void)putchar('\n');
		} else {
			event_print(e, &first);
		}
		json_decref(e);
		if (fflush(stdout) != 0)
			return HG_OK; /* nobody reads any more */
	}
}

int show_trace(const struct verb *v, int argc, char **argv)
{
	struct options o = { .socket = NULL };
	struct ask *a = NULL;
	char errbuf[512];
	json_t *request;
	int err = options_take(v, argc, argv, &o);

	if (err)
		return err;
	request = json_pack("{s:s,s:b}", "verb", v->name, "follow",
			    (int)o.follow);
	err = ask_new(o.socket, o.follow, &a, errbuf, sizeof(errbuf));
	if (!err)
		err = ask_send(a, request, errbuf, sizeof(errbuf));
	if (!err)
		err = events_show(a, &o, errbuf, sizeof(errbuf));
	ask_free(a);
	json_decref(request);
	return err ? verb_fail("%s", errbuf) : VERB_OK;
}
