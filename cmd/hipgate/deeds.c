/* SPDX-License-Identifier: MIT */
/* The verbs that have the daemon do something and wait for it: ping, connect,
 * drain. */
#include "cmd/hipgate/deeds.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/hipgate/ask.h"
#include "cmd/hipgate/options.h"

/* CONNECT_S: more than the daemon takes before it says that it failed. */
enum { PING_COUNT = 4, IDLE_S = 5, CONNECT_S = 100 };

static volatile sig_atomic_t interrupted;

static void on_signal(int signum)
{
	(void)signum;
	interrupted = 1;
}

static void catch_interrupt(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	(void)sigaction(SIGINT, &sa, NULL);
}

static void second(void)
{
	struct timespec t = { .tv_sec = 1 };

	(void)nanosleep(&t, NULL); /* a signal ends it early */
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void json_line(const char *verb, json_t *data)
{
	json_t *o = json_pack("{s:i,s:s,s:O}", "version", ASK_VERSION, "verb",
			      verb, "data", data);

	(void)json_dumpf(o, stdout, JSON_COMPACT); /* main asks ferror */
	(void)putchar('\n');
	(void)fflush(stdout);
	json_decref(o);
}

/* ---- ping -------------------------------------------------------------------------- */

struct pings {
	const struct options *o;
	unsigned long sent, answered;
	double least, most, sum; /* ms */
};

static void pong(struct pings *p, json_t *data)
{
	double ms =
		(double)json_integer_value(json_object_get(data, "rtt_us")) /
		1e3;

	p->answered++;
	p->sum += ms;
	if (p->answered == 1 || ms < p->least)
		p->least = ms;
	if (ms > p->most)
		p->most = ms;
	if (p->o->json)
		json_line("ping", data);
	else
		(void)printf("%s at %s: time=%.3f ms\n", text_of(data, "peer"),
			     text_of(data, "locator"), ms);
	(void)fflush(stdout);
}

/* 0, or what ends it all: without an SA there is nothing to wait for. */
static int ping_once(struct pings *p, struct ask *a)
{
	char why[512];
	json_t *data = NULL;
	int err = ask_data(
		a, json_pack("{s:s,s:s}", "verb", "ping", "name", p->o->arg[0]),
		&data, why, sizeof(why));

	p->sent++;
	if (err == HG_EINVAL && strstr(why, "no answer")) {
		if (!p->o->json)
			(void)printf("no answer within 2 s\n");
		return VERB_OK;
	}
	if (err)
		return verb_unasked(err, why);
	pong(p, data);
	json_decref(data);
	return VERB_OK;
}

int deeds_ping(const struct verb *v, int argc, char **argv)
{
	struct options o;
	struct pings p = { .o = &o };
	char why[512];
	struct ask *a;
	int status = options_take(v, argc, argv, 1, 1, &o);
	unsigned long count = o.count ? o.count : PING_COUNT;
	int err;

	if (status)
		return status;
	err = ask_new(o.socket, &a, why, sizeof(why));
	if (err)
		return verb_unasked(err, why);
	catch_interrupt();
	while (status == VERB_OK && !interrupted && p.sent < count) {
		if (p.sent)
			second();
		if (!interrupted)
			status = ping_once(&p, a);
	}
	ask_free(a);
	if (status)
		return status;
	if (!o.json)
		(void)printf("%lu echoes, %lu answers%s", p.sent, p.answered,
			     p.answered ? ": " : "\n");
	if (!o.json && p.answered)
		(void)printf("least %.3f, mean %.3f, most %.3f ms\n", p.least,
			     p.sum / (double)p.answered, p.most);
	return p.answered ? VERB_OK : VERB_FAILED;
}

/* ---- connect ------------------------------------------------------------------------- */

int deeds_connect(const struct verb *v, int argc, char **argv)
{
	struct options o;
	char why[512];
	struct ask *a = NULL;
	json_t *data = NULL;
	int status = options_take(v, argc, argv, 1, 1, &o);
	int err;

	if (status)
		return status;
	err = ask_alive(o.socket, why, sizeof(why));
	if (!err)
		err = ask_new(o.socket, &a, why, sizeof(why));
	if (!err) {
		ask_wait(a, CONNECT_S);
		err = ask_data(a,
			       json_pack("{s:s,s:s}", "verb", "connect", "name",
					 o.arg[0]),
			       &data, why, sizeof(why));
	}
	ask_free(a);
	if (err)
		return verb_unasked(err, why);
	if (o.json)
		json_line("connect", data);
	else if (json_is_true(json_object_get(data, "fresh")))
		(void)printf(
			"%s at %s: %s after %.1f ms\n", text_of(data, "peer"),
			text_of(data, "locator"), text_of(data, "state"),
			json_number_value(json_object_get(data, "seconds")) *
				1e3);
	else
		(void)printf("%s at %s: there is an association already\n",
			     text_of(data, "peer"), text_of(data, "locator"));
	json_decref(data);
	return VERB_OK;
}

/* ---- drain ----------------------------------------------------------------------------- */

static int64_t number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void progress(const struct options *o, json_t *data)
{
	if (o->json)
		json_line("drain", data);
	else
		(void)printf("draining: %" PRId64 " SAs, %" PRId64
			     " of them in use, %" PRId64 " flows, %" PRId64
			     " packets wait\n",
			     number_of(data, "sas"), number_of(data, "active"),
			     number_of(data, "flows"),
			     number_of(data, "parked"));
	(void)fflush(stdout);
}

static bool idle(const json_t *data)
{
	return number_of(data, "active") == 0 &&
	       number_of(data, "parked") == 0 &&
	       json_number_value(json_object_get(data, "idle_s")) >= IDLE_S;
}

/* One question; *data: its answer. */
static int drain_ask(const struct options *o, json_t **data)
{
	char why[512];
	int err = ask_once(
		o->socket,
		json_pack("{s:s,s:b}", "verb", "drain", "off", (int)o->off),
		data, why, sizeof(why));

	return err ? verb_unasked(err, why) : VERB_OK;
}

int deeds_drain(const struct verb *v, int argc, char **argv)
{
	struct options o;
	json_t *data;
	int status = options_take(v, argc, argv, 0, 0, &o);
	bool done = false;

	if (status)
		return status;
	catch_interrupt();
	while (!done) {
		status = drain_ask(&o, &data);
		if (status)
			return status;
		done = o.off || o.now || idle(data) || interrupted;
		if (!o.off)
			progress(&o, data);
		if (done && !o.json && idle(data) && !o.off)
			(void)puts("idle: hipgated may be stopped");
		else if (interrupted && !o.json)
			(void)puts("still draining; \"hipgate drain --off\" "
				   "ends that");
		if (interrupted && !o.off && !o.now && !idle(data))
			status = VERB_FAILED; /* it may not be stopped */
		json_decref(data);
		if (!done)
			second();
	}
	if (o.off && !o.json)
		(void)puts("new associations again");
	return status;
}
