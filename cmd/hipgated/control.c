/* SPDX-License-Identifier: MIT */
/* The control socket; theory in control.h. */
#include "control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "dnslease.h"
#include "dnsside.h"
#include "errand.h"
#include "gate.h"
#include "pieces.h"
#include "reload.h"
#include "sockowner.h"
#include "tap.h"
#include "views.h"
#include "viewseen.h"

struct client {
	struct client *next;
	struct control *c;
	uv_pipe_t pipe;
	char line[CONTROL_LINE];
	size_t len;
	uint64_t id;
	bool follow;
	uint64_t lost; /* events that it was too slow for, not yet told */
	struct pieces answer;
	uint64_t pieces; /* that were made for it */
};

struct control {
	struct gate *g;
	uv_pipe_t listener;
	uv_idle_t idle; /* runs while some answer is made */
	bool listening;
	struct client *clients;
	unsigned num;
	uint64_t next_id;
};

/* ---- out ------------------------------------------------------------------ */

struct out {
	uv_write_t req;
	char text[];
};

static void on_closed(uv_handle_t *h)
{
	struct client *cl = h->data;
	struct client **p = &cl->c->clients;

	while (*p && *p != cl)
		p = &(*p)->next;
	if (*p)
		*p = cl->next;
	cl->c->num--;
	free(cl);
}

static void hang_up(struct client *cl)
{
	pieces_give_up(&cl->answer);
	if (!uv_is_closing((uv_handle_t *)&cl->pipe))
		uv_close((uv_handle_t *)&cl->pipe, on_closed);
}

static size_t backlog(const struct client *cl)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&cl->pipe);
}

static void tell_lost(struct client *cl);
static void on_idle(uv_idle_t *idle);

static void on_written(uv_write_t *req, int status)
{
	struct client *cl = req->handle->data;

	(void)status;
	free(req->data);
	if (backlog(cl) >= CONTROL_BEHIND / 2)
		return;
	if (pieces_are_made(&cl->answer))
		(void)uv_idle_start(&cl->c->idle, on_idle);
	else if (cl->lost)
		tell_lost(cl);
}

/* False: it is not sent. */
static bool say_octets(struct client *cl, const void *octets, size_t len)
{
	struct out *o;
	uv_buf_t buf;

	if (uv_is_closing((uv_handle_t *)&cl->pipe))
		return false;
	if (backlog(cl) > CONTROL_BACKLOG) {
		hang_up(cl);
		return false;
	}
	o = malloc(sizeof(*o) + len);
	if (!o)
		return false;
	memcpy(o->text, octets, len);
	o->req.data = o;
	buf = uv_buf_init(o->text, (unsigned)len);
	if (uv_write(&o->req, (uv_stream_t *)&cl->pipe, &buf, 1, on_written)) {
		free(o);
		return false;
	}
	return true;
}

static void say(struct client *cl, const char *text)
{
	(void)say_octets(cl, text, strlen(text)); /* its reader is gone */
}

static void say_line(void *arg, const char *line)
{
	say(arg, line);
}

static void tell_lost(struct client *cl)
{
	char line[80];

	(void)snprintf(line, sizeof(line),
		       "{\"event\":\"lost\",\"step\":\"\",\"lost\":%llu}\n",
		       (unsigned long long)cl->lost);
	cl->lost = 0;
	say(cl, line);
}

/* A reader that is slow misses events; it is told how many. */
static void follow(struct client *cl, const char *line)
{
	if (cl->answer.said || backlog(cl) > CONTROL_BEHIND) {
		cl->lost++;
		return;
	}
	if (cl->lost)
		tell_lost(cl);
	say(cl, line);
}

static void on_event(void *arg, const char *line)
{
	struct control *c = arg;

	for (struct client *cl = c->clients; cl; cl = cl->next)
		if (cl->follow)
			follow(cl, line);
}

/* ---- in ------------------------------------------------------------------- */

static void do_trace(struct client *cl, const json_t *req)
{
	events_each(&cl->c->g->events, say_line, cl);
	cl->follow = json_is_true(json_object_get(req, "follow"));
	if (!cl->follow)
		say(cl, "{\"end\":true}\n");
}

static void piece(struct client *cl);

/* o, or a fixed line: who asked waits for one. */
static void say_answer(struct client *cl, json_t *o)
{
	char *dump = o ? json_dumps(o, JSON_COMPACT) : NULL;

	while (cl->answer.said) /* nothing may stand in the middle of it */
		piece(cl);
	if (dump) {
		say(cl, dump);
		say(cl, "\n");
	} else {
		say(cl,
		    "{\"version\":1,\"ok\":false,\"daemon\":\"" HIPGATE_VERSION
		    "\",\"code\":\"failed\",\"error\":"
		    "\"the answer cannot be written as JSON\"}\n");
	}
	free(dump);
	json_decref(o);
}

/* code: one word for programs, why: a sentence for people, which may quote
 * what is no UTF-8. */
static void say_error(struct client *cl, const char *code, const char *why)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "%s", why);
	for (char *s = text; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
	say_answer(cl, json_pack("{s:i,s:b,s:s,s:s,s:s}", "version",
				 CONTROL_PROTOCOL, "ok", 0, "daemon",
				 HIPGATE_VERSION, "code", code, "error", text));
}

static void say_data(struct client *cl, const char *verb, json_t *data)
{
	say_answer(cl,
		   json_pack("{s:i,s:s,s:b,s:o}", "version", CONTROL_PROTOCOL,
			     "verb", verb, "ok", 1, "data", data));
}

/* Who asks, as the kernel says. */
static bool who_is(struct client *cl, struct ucred *who)
{
	socklen_t len = sizeof(*who);
	int fd;

	return uv_fileno((uv_handle_t *)&cl->pipe, &fd) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len) == 0;
}

static bool may_change(struct client *cl)
{
	struct ucred who;

	return who_is(cl, &who) && (who.uid == 0 || who.uid == geteuid());
}

static int do_reload(struct gate *g, const json_t *req, json_t **data,
		     char *errbuf, size_t errlen)
{
	(void)req; /* there is nothing to say */
	return reload(g, data, errbuf, errlen);
}

static int do_forget(struct gate *g, const json_t *req, json_t **data,
		     char *errbuf, size_t errlen)
{
	const char *name = json_string_value(json_object_get(req, "name"));
	int err;

	if (!name) {
		(void)snprintf(errbuf, errlen, "a \"name\" is missing");
		return HG_EINVAL;
	}
	err = dnslease_forget(g, name, errbuf, errlen);
	if (!err)
		*data = json_pack("{s:s}", "name", name);
	return err;
}

/* Verbs that change something, or cost much. */
static const struct deed {
	const char *verb;
	/* At once. errbuf: a sentence for who asked. */
	int (*make)(struct gate *g, const json_t *req, json_t **data,
		    char *errbuf, size_t errlen);
	/* Or later, to this client, by control_answer. */
	int (*begin)(struct gate *g, uint64_t client, const json_t *req,
		     char *errbuf, size_t errlen);
} deeds[] = {
	{ .verb = "reload", .make = do_reload },
	{ .verb = "forget", .make = do_forget },
	{ .verb = "log-level", .make = viewseen_set_log },
	{ .verb = "capture", .begin = tap_begin },
	{ .verb = "ping", .begin = errand_ping },
	{ .verb = "connect", .begin = errand_connect },
	{ .verb = "drain", .make = errand_drain },
};

static const struct deed *deed_find(const char *verb)
{
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		if (strcmp(deeds[i].verb, verb) == 0)
			return &deeds[i];
	}
	return NULL;
}

static void do_deed(struct client *cl, const struct deed *d, const json_t *req)
{
	struct gate *g = cl->c->g;
	char why[1024] = "";
	json_t *data = NULL;
	int err;

	if (!may_change(cl)) {
		say_error(cl, "denied",
			  "that is for the daemon's own user and root; ask "
			  "with sudo");
		return;
	}
	if (d->begin)
		err = d->begin(g, cl->id, req, why, sizeof(why));
	else
		err = d->make(g, req, &data, why, sizeof(why));
	if (err)
		say_error(cl, "failed", why[0] ? why : err_text(err));
	else if (!d->begin)
		say_data(cl, d->verb, data);
	gate_pump(g);
}

/* ---- answers in pieces ------------------------------------------------------ */

static void piece(struct client *cl)
{
	bool said = cl->answer.said;
	char *text = pieces_next(&cl->answer, cl->c->g);

	cl->pieces++;
	if (text)
		say(cl, text);
	else if (said)
		hang_up(cl); /* it cannot be ended well */
	else
		say_error(cl, "failed", pieces_why(&cl->answer));
	free(text);
}

/* The first piece at once: there are no more, most often. */
static void begin_pieces(struct client *cl)
{
	piece(cl);
	if (pieces_are_made(&cl->answer))
		(void)uv_idle_start(&cl->c->idle, on_idle);
}

static void serve(struct client *cl);

/* One piece in each turn of the loop, for whom had the fewest. */
static void on_idle(uv_idle_t *idle)
{
	struct control *c = idle->data;
	struct client *next = NULL;

	for (struct client *cl = c->clients; cl; cl = cl->next) {
		if (pieces_are_made(&cl->answer) &&
		    backlog(cl) <= CONTROL_BEHIND &&
		    (!next || cl->pieces < next->pieces))
			next = cl;
	}
	if (!next) {
		(void)uv_idle_stop(idle); /* on_written goes on */
		return;
	}
	piece(next);
	if (!pieces_are_made(&next->answer))
		serve(next);
}

/* ---- verbs ------------------------------------------------------------------ */

static void do_verb(struct client *cl, const char *verb)
{
	json_t *data;

	if (pieces_begin(&cl->answer, verb)) {
		begin_pieces(cl);
		return;
	}
	data = views_make(cl->c->g, verb);
	if (data)
		say_data(cl, verb, data);
	else
		say_error(cl, "unknown-verb",
			  "hipgated " HIPGATE_VERSION " does not know it");
}

static void do_explain(struct client *cl, const json_t *req)
{
	char why[1024] = "there is no memory for the answer";

	if (pieces_explain(&cl->answer, cl->c->g, req, why, sizeof(why)))
		say_error(cl, "failed", why);
	else
		begin_pieces(cl);
}

static void request(struct client *cl, const char *line, size_t len)
{
	json_error_t why;
	json_t *req = json_loadb(line, len, 0, &why);
	const char *verb = json_string_value(json_object_get(req, "verb"));

	if (!verb)
		say_error(cl, "bad-request",
			  "a request is one line of JSON with a \"verb\"");
	else if (strcmp(verb, "trace") == 0 || strcmp(verb, "events") == 0)
		do_trace(cl, req);
	else if (strcmp(verb, "explain") == 0)
		do_explain(cl, req);
	else if (deed_find(verb))
		do_deed(cl, deed_find(verb), req);
	else
		do_verb(cl, verb);
	json_decref(req);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct client *cl = h->data;

	(void)hint;
	*buf = uv_buf_init(cl->line + cl->len,
			   (unsigned)(sizeof(cl->line) - cl->len));
}

/* What has come, line by line; the next one when its turn is. */
static void serve(struct client *cl)
{
	char *end;

	while (!pieces_are_made(&cl->answer) &&
	       !uv_is_closing((uv_handle_t *)&cl->pipe) &&
	       (end = memchr(cl->line, '\n', cl->len))) {
		size_t used = (size_t)(end - cl->line) + 1;

		request(cl, cl->line, used - 1);
		cl->len -= used;
		memmove(cl->line, cl->line + used, cl->len);
	}
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct client *cl = s->data;

	(void)buf;
	if (n < 0) {
		hang_up(cl);
		return;
	}
	cl->len += (size_t)n;
	serve(cl);
	if (cl->len == sizeof(cl->line))
		hang_up(cl); /* a request is never that long */
}

static void on_connection(uv_stream_t *s, int status)
{
	struct control *c = s->data;
	struct client *cl;

	if (status)
		return;
	cl = calloc(1, sizeof(*cl));
	if (!cl)
		return;
	cl->c = c;
	cl->id = ++c->next_id;
	if (uv_pipe_init(c->g->loop, &cl->pipe, 0)) {
		free(cl);
		return;
	}
	cl->pipe.data = cl;
	cl->next = c->clients;
	c->clients = cl;
	c->num++;
	/* Accepted even when there are too many: libuv stops listening when
	 * a connection is left waiting. */
	if (uv_accept(s, (uv_stream_t *)&cl->pipe) ||
	    c->num > CONTROL_CLIENTS ||
	    uv_read_start((uv_stream_t *)&cl->pipe, on_alloc, on_read))
		hang_up(cl);
}

/* ---- answers that come later ------------------------------------------------ */

static struct client *client_find(struct control *c, uint64_t id)
{
	struct client *cl = c ? c->clients : NULL;

	while (cl && cl->id != id)
		cl = cl->next;
	return cl && !uv_is_closing((uv_handle_t *)&cl->pipe) ? cl : NULL;
}

bool control_is_there(struct control *c, uint64_t client)
{
	return client_find(c, client);
}

bool control_answer(struct control *c, uint64_t client, const char *verb,
		    json_t *data)
{
	struct client *cl = client_find(c, client);

	if (cl)
		say_data(cl, verb, data);
	else
		json_decref(data);
	return cl;
}

void control_refuse(struct control *c, uint64_t client, const char *why)
{
	struct client *cl = client_find(c, client);

	if (cl)
		say_error(cl, "failed", why);
}

bool control_send(struct control *c, uint64_t client, size_t behind,
		  const void *octets, size_t len)
{
	struct client *cl = client_find(c, client);

	return cl && !cl->answer.said && backlog(cl) <= behind &&
	       say_octets(cl, octets, len);
}

void control_hang_up(struct control *c, uint64_t client)
{
	struct client *cl = client_find(c, client);

	if (cl)
		hang_up(cl);
}

bool control_who(struct control *c, uint64_t client, unsigned *uid,
		 unsigned *pid)
{
	struct client *cl = client_find(c, client);
	struct ucred who;

	if (!cl || !who_is(cl, &who))
		return false;
	*uid = who.uid;
	*pid = (unsigned)who.pid;
	return true;
}

/* ---- life ------------------------------------------------------------------ */

int control_start(struct gate *g, struct control **out, char *errbuf,
		  size_t errlen)
{
	const char *path = g->cfg->control;
	struct control *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return HG_ENOMEM;
	*out = c;
	c->g = g;
	/* A socket left by a crash would make bind fail; a second daemon
	 * would have failed at the UDP port before this. */
	(void)unlink(path);
	(void)uv_idle_init(g->loop, &c->idle); /* cannot fail */
	c->idle.data = c;
	rc = uv_pipe_init(g->loop, &c->listener, 0);
	c->listener.data = c;
	c->listening = rc == 0;
	if (!rc)
		rc = uv_pipe_bind(&c->listener, path);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&c->listener, 16, on_connection);
	if (rc) {
		(void)snprintf(errbuf, errlen,
			       "control socket %s: %s; make its folder and let "
			       "the daemon's user write to it",
			       path, uv_strerror(rc));
		return HG_ESYS;
	}
	if (sockowner_set(path, g->cfg->control_group)) {
		(void)snprintf(errbuf, errlen,
			       "control socket %s: cannot give it to group "
			       "\"%s\"; is the daemon's user in it?",
			       path, g->cfg->control_group);
		return HG_ESYS;
	}
	g->events.follow = on_event;
	g->events.follow_arg = c;
	return HG_OK;
}

void control_stop(struct control *c)
{
	if (!c)
		return;
	c->g->events.follow = NULL;
	for (struct client *cl = c->clients; cl; cl = cl->next)
		hang_up(cl);
	if (c->listening && !uv_is_closing((uv_handle_t *)&c->listener))
		uv_close((uv_handle_t *)&c->listener, NULL);
	uv_close((uv_handle_t *)&c->idle, NULL);
}

void control_fini(struct control *c)
{
	free(c);
}
