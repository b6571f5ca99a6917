/* SPDX-License-Identifier: MIT */
/* What happened, step by step: live, of before, or from a file.
 *
 * THEORY OF OPERATION
 * Events come one JSON object a line, out of the daemon or out of a file that
 * `events` once wrote; interest.c says which are wanted, ladder.c or
 * mermaid.c shows them. The daemon waits for nobody: what this reader is too
 * slow for is counted, and the count comes as an event.
 *
 * An event comes when it is complete, and says when it began: a question comes
 * with its answer, behind others that began later. What is of before is held
 * until its end, and shown in the order of time; live, in the order it comes.
 * Only a little moves: a clock that was set back is no other order.
 */
#include "cmd/hipgate/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgate/ask.h"
#include "cmd/hipgate/interest.h"
#include "cmd/hipgate/ladder.h"
#include "cmd/hipgate/options.h"

#define LATE_S 1.0 /* so much may an event come behind later ones */

struct trace {
	struct options o;
	json_t *held; /* an array; NULL: each is shown as it comes */
	struct interest *interest;
	struct ladder *ladder;	 /* NULL: lines of JSON, or a picture */
	struct mermaid *mermaid; /* NULL: the other two */
};

static void trace_fini(struct trace *t)
{
	json_decref(t->held);
	interest_free(t->interest);
	ladder_free(t->ladder);
	mermaid_free(t->mermaid);
}

static double time_of(const json_t *e)
{
	return json_number_value(json_object_get(e, "t"));
}

static bool event_hold(struct trace *t, json_t *e)
{
	size_t i = json_array_size(t->held);
	double began = time_of(e);

	for (; i > 0; i--) {
		double late = time_of(json_array_get(t->held, i - 1)) - began;

		if (late <= 0 || late > LATE_S)
			break;
	}
	return json_array_insert(t->held, i, e) == 0;
}

/* False: nobody reads any more. */
static bool event_show(struct trace *t, json_t *e)
{
	if (t->mermaid) {
		mermaid_step(t->mermaid, e);
		return true;
	}
	if (t->ladder) {
		ladder_step(t->ladder, e);
	} else {
		(void)json_object_set_new(e, "version",
					  json_integer(ASK_VERSION));
		(void)json_dumpf(e, stdout, JSON_COMPACT);
		(void)putchar('\n');
	}
	return fflush(stdout) == 0;
}

static bool event_take(struct trace *t, json_t *e)
{
	if (!interest_has(t->interest, e))
		return true;
	return t->held ? event_hold(t, e) : event_show(t, e);
}

static void held_show(struct trace *t)
{
	bool more = true;
	json_t *e;
	size_t i;

	json_array_foreach(t->held, i, e) more = more && event_show(t, e);
}

/* ---- from the daemon ------------------------------------------------------- */

/* What the daemon knows the host by, besides. */
static void ask_interest(struct trace *t)
{
	static const char *const members[] = { "hit", "sub6", "sub4", "real6",
					       "real4" };
	char errbuf[512];
	json_t *data;
	const json_t *m;

	if (!t->o.arg[0] || ask_once(t->o.socket,
				     json_pack("{s:s,s:s}", "verb", "explain",
					       "name", t->o.arg[0]),
				     &data, errbuf, sizeof(errbuf)))
		return; /* the events themselves may tell */
	m = json_object_get(data, "mapping");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		interest_add(t->interest, ladder_text(m, members[i]));
	json_decref(data);
}

static int stream(struct trace *t, struct ask *a, char *errbuf, size_t errlen)
{
	bool more = true;

	while (more) {
		json_t *e;
		int err = ask_line(a, &e, errbuf, errlen);

		if (err)
			return err;
		/* No event has these: it is an answer, so a no. */
		if (json_object_get(e, "ok") || json_object_get(e, "version")) {
			err = ask_judge(e, errbuf, errlen);
			json_decref(e);
			return err ? err : ask_strange(errbuf, errlen);
		}
		more = !json_is_true(json_object_get(e, "end")) &&
		       event_take(t, e);
		json_decref(e);
	}
	return HG_OK;
}

static int from_daemon(struct trace *t)
{
	char errbuf[512];
	struct ask *a = NULL;
	json_t *request = json_pack("{s:s,s:b}", "verb", "trace", "follow",
				    (int)t->o.follow);
	int err = HG_OK;

	if (t->o.follow) /* silence says nothing, later on */
		err = ask_alive(t->o.socket, errbuf, sizeof(errbuf));
	if (!err)
		ask_interest(t);
	if (!err)
		err = ask_new(t->o.socket, &a, errbuf, sizeof(errbuf));
	if (!err && t->o.follow)
		ask_wait(a, 0);
	if (!err)
		err = ask_send(a, request, errbuf, sizeof(errbuf));
	if (!err)
		err = stream(t, a, errbuf, sizeof(errbuf));
	ask_free(a);
	json_decref(request);
	return err ? verb_unasked(err, errbuf) : VERB_OK;
}

/* ---- from a file ------------------------------------------------------------ */

static int line_take(struct trace *t, const char *line, size_t len,
		     unsigned number)
{
	json_error_t why;
	json_t *e = json_loadb(line, len, 0, &why);
	int status = VERB_OK;

	if (!json_is_object(e) || !ladder_text(e, "event")[0])
		status = verb_fail("%s:%u: not an event; such files are "
				   "written by \"hipgate events --json\"",
				   t->o.from, number);
	else
		(void)event_take(t, e); /* main says what was not written */
	json_decref(e);
	return status;
}

static int from_file(struct trace *t)
{
	FILE *f = strcmp(t->o.from, "-") == 0 ? stdin : fopen(t->o.from, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	unsigned number = 0;
	int status = VERB_OK;

	if (!f)
		return verb_fail("%s: %s", t->o.from, strerror(errno));
	while (status == VERB_OK && (n = getline(&line, &cap, f)) >= 0) {
		number++;
		if (n > 1)
			status = line_take(t, line, (size_t)n, number);
	}
	if (status == VERB_OK && ferror(f))
		status = verb_fail("%s: %s", t->o.from, strerror(errno));
	free(line);
	if (f != stdin)
		(void)fclose(f); /* it was only read */
	return status;
}

/* ---- the verbs ---------------------------------------------------------------- */

static int run(struct trace *t)
{
	int status = t->o.from ? from_file(t) : from_daemon(t);

	held_show(t);
	if (t->mermaid && status == VERB_OK)
		mermaid_end(t->mermaid);
	return status;
}

int trace_show(const struct verb *v, int argc, char **argv)
{
	struct trace t = { .interest = NULL };
	int status = options_take(v, argc, argv, 0, 1, &t.o);
	int err;

	if (status)
		return status;
	if (t.o.follow && (t.o.from || t.o.mermaid))
		return verb_wrong("trace: --follow never ends; leave it away "
				  "with --from and --mermaid");
	err = interest_new(t.o.arg[0], &t.interest);
	if (!err && !t.o.follow && !(t.held = json_array()))
		err = HG_ENOMEM;
	if (!err && t.o.mermaid)
		err = mermaid_new(&t.mermaid);
	else if (!err && !t.o.json)
		err = ladder_new(&t.ladder);
	status = err ? verb_fail("trace: %s", err_text(err)) : run(&t);
	trace_fini(&t);
	return status;
}

int trace_events(const struct verb *v, int argc, char **argv)
{
	struct trace t = { .interest = NULL };
	int status = options_take(v, argc, argv, 0, 0, &t.o);
	int err;

	if (status)
		return status;
	err = interest_new(NULL, &t.interest);
	status = err ? verb_fail("events: %s", err_text(err)) : run(&t);
	trace_fini(&t);
	return status;
}
