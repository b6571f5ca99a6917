/* SPDX-License-Identifier: MIT */
/* The verbs that show what the daemon holds: as JSON or for people.
 *
 * THEORY OF OPERATION
 * One question, one answer, over the control socket. --json passes the
 * answer's data on under "version", the number of this format: fields may
 * be added in it, none go or change. For people, lists are columns.c's.
 * --watch asks again and again.
 */
#include "cmd/hipgate/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/hipgate/ask.h"
#include "cmd/hipgate/columns.h"
#include "cmd/hipgate/screen.h"

/* ---- asking ----------------------------------------------------------- */

static int data_json(const char *verb, json_t *data, size_t flags)
{
	json_t *o = json_pack("{s:i,s:s,s:O}", "version", ASK_VERSION, "verb",
			      verb, "data", data);
	int err = o ? json_dumpf(o, stdout, flags) : -1;

	(void)putchar('\n');
	json_decref(o);
	return err ? HG_ENOMEM : HG_OK;
}

/* On a terminal the picture is drawn anew; else each is a line of JSON. */
static int picture(const struct verb *v, const struct options *o, json_t *data,
		   int (*print)(const struct verb *v, const json_t *data))
{
	bool terminal = screen_is_terminal();

	if (o->watch && (o->json || !terminal))
		return data_json(v->name, data, JSON_COMPACT);
	if (o->json)
		return data_json(v->name, data, JSON_INDENT(2));
	if (o->watch) {
		screen_clear();
		(void)printf("%shipgate %s, every %g s%s\n",
			     screen_colour(SCREEN_DIM), v->name, o->every,
			     screen_colour(SCREEN_PLAIN));
	}
	return print(v, data);
}

static void pause_for(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	(void)nanosleep(&t, NULL); /* a signal ends the wait early */
}

/* Asks only when what was answered before has been written: a reader that is
 * slow slows nobody but itself. */
int show_asked(const struct verb *v, const struct options *o, json_t *request,
	       int (*print)(const struct verb *v, const json_t *data))
{
	char errbuf[512];
	json_t *data;
	int err = HG_OK;

	do {
		err = ask_once(o->socket, json_incref(request), &data, errbuf,
			       sizeof(errbuf));
		if (err) {
			json_decref(request);
			return verb_unasked(err, errbuf);
		}
		err = picture(v, o, data, print);
		json_decref(data);
		if (err || fflush(stdout) != 0)
			break;
		if (o->watch)
			pause_for(o->every);
	} while (o->watch);
	json_decref(request);
	if (err == HG_EFORMAT)
		return verb_unasked(ask_strange(errbuf, sizeof(errbuf)),
				    errbuf);
	return err ? verb_fail("%s: %s", v->name, err_text(err)) : VERB_OK;
}

/* A verb that takes what its synopsis says: a NAME, or nothing. */
static int ask_and_show(const struct verb *v, int argc, char **argv,
			int (*print)(const struct verb *v, const json_t *data))
{
	int args = strncmp(v->synopsis, "NAME", 4) == 0;
	struct options o;
	int err = options_take(v, argc, argv, args, args, &o);

	if (err)
		return err;
	return show_asked(
		v, &o,
		json_pack("{s:s,s:s*}", "verb", v->name, "name", o.arg[0]),
		print);
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
	if (json_is_true(json_object_get(data, "draining")))
		(void)printf("%-14sno new associations (hipgate drain --off)\n",
			     "draining");
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
	if (json_is_string(s))
		screen_text(json_string_value(s));
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

/* Shows, or with two arguments sets and shows. */
int show_log(const struct verb *v, int argc, char **argv)
{
	struct options o;
	int err = options_take(v, argc, argv, 0, 2, &o);

	if (err)
		return err;
	if (o.arg[0] && !o.arg[1])
		return verb_usage(v);
	return show_asked(v, &o,
			  json_pack("{s:s,s:s*,s:s*}", "verb",
				    o.arg[1] ? "log-level" : v->name,
				    "subsystem", o.arg[0], "level", o.arg[1]),
			  print_list);
}

/* ---- version ------------------------------------------------------------- */

static int version_json(const json_t *daemon)
{
	json_t *data = json_pack("{s:s,s:i,s:O?}", "tool", HIPGATE_VERSION,
				 "protocol", ASK_VERSION, "daemon", daemon);
	int err = data_json("version", data, JSON_INDENT(2));

	json_decref(data);
	return err ? verb_fail("version: out of memory") : VERB_OK;
}

/* Works without a daemon, too. */
int show_version(const struct verb *v, int argc, char **argv)
{
	struct options o;
	char errbuf[512];
	json_t *daemon = NULL;
	int err = options_take(v, argc, argv, 0, 0, &o);

	if (err)
		return err;
	err = ask_once(o.socket, json_pack("{s:s}", "verb", "version"), &daemon,
		       errbuf, sizeof(errbuf));
	if (o.json) {
		err = version_json(daemon);
		json_decref(daemon);
		return err;
	}
	(void)printf("hipgate  " HIPGATE_VERSION ", protocol %d\n",
		     ASK_VERSION);
	if (err)
		(void)printf("hipgated -: %s\n", errbuf);
	else
		(void)printf("hipgated %s, protocol %d\n",
			     text_of(daemon, "version"),
			     (int)json_integer_value(
				     json_object_get(daemon, "protocol")));
	if (!err && strcmp(text_of(daemon, "version"), HIPGATE_VERSION) != 0)
		(void)puts("They differ: restart the daemon if it has been "
			   "upgraded, or use the tool of its release.");
	json_decref(daemon);
	return VERB_OK;
}
