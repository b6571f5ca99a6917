/* SPDX-License-Identifier: MIT */
/* Metrics, readiness and the status page over HTTP; theory in http.h. */
#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd/config/config_value.h"
#include "gate.h"
#include "metrics.h"
#include "page.h"
#include "snapshot.h"
#include "sockowner.h"

enum need { NEED_NOTHING, NEED_COUNTS, NEED_ALL };

/* What is kept rendered: metrics, and the page with each choice. */
enum { DOC_METRICS, DOC_PAGE, DOC_NUM = DOC_PAGE + PAGE_CHOICES };

struct http {
	struct gate *g; /* control only, as wake */
	uv_async_t wake;
	struct snapshot_walk walk; /* control's */
	struct config_http cfg;	   /* const */
	char policy[512];	   /* const: Content-Security-Policy */
	struct MHD_Daemon *d;

	uv_mutex_t lock; /* of these: */
	uv_cond_t left;
	enum need wanted;
	struct snapshot *fresh; /* left by control, to be taken */
	bool stopping;
	bool ready;
	char why[HEALTH_WHY];
	uint64_t told_at; /* ns */

	/* The HTTP thread's. */
	struct snapshot *mine;
	bool whole;			   /* mine is */
	struct MHD_Response *doc[DOC_NUM]; /* of mine */
};

/* ---- the control thread ------------------------------------------------------- */

/* False: there is nothing to do. One that is under way does for a question
 * that was given up and is asked again, if it has enough in it. */
static bool walks(struct http *h, enum need need)
{
	struct snapshot_walk *w = &h->walk;

	if (need == NEED_ALL && !w->whole)
		snapshot_give_up(w);
	if (!w->s && need != NEED_NOTHING)
		(void)snapshot_begin(w, need == NEED_ALL); /* it is not there */
	return w->s;
}

static void on_wake(uv_async_t *a)
{
	struct http *h = a->data;
	struct snapshot *old, *s;
	enum need need;

	uv_mutex_lock(&h->lock);
	need = h->wanted;
	h->wanted = NEED_NOTHING;
	uv_mutex_unlock(&h->lock);
	if (!walks(h, need))
		return;
	s = snapshot_go_on(&h->walk, h->g);
	if (!s) {
		(void)uv_async_send(a); /* the loop turns first */
		return;
	}
	uv_mutex_lock(&h->lock);
	old = h->fresh;
	h->fresh = s;
	uv_cond_signal(&h->left);
	uv_mutex_unlock(&h->lock);
	snapshot_free(old);
}

void http_pulse(struct http *h, struct gate *g, uint64_t now)
{
	if (!h)
		return;
	uv_mutex_lock(&h->lock);
	h->ready = g->health.ready;
	memcpy(h->why, g->health.why, sizeof(h->why));
	h->told_at = now;
	uv_mutex_unlock(&h->lock);
}

/* ---- the HTTP thread: what there is --------------------------------------------- */

static void forget_docs(struct http *h)
{
	for (unsigned i = 0; i < DOC_NUM; i++) {
		if (h->doc[i])
			MHD_destroy_response(h->doc[i]);
		h->doc[i] = NULL;
	}
}

static bool is_fresh(const struct http *h, bool whole)
{
	return h->mine && h->whole >= whole &&
	       uv_hrtime() - h->mine->now < HTTP_FRESH_MS * UINT64_C(1000000);
}

/* False: control does not answer. */
static bool take(struct http *h, bool whole)
{
	uint64_t end = uv_hrtime() + HTTP_WAIT_MS * UINT64_C(1000000);
	struct snapshot *s;

	if (is_fresh(h, whole))
		return true;
	uv_mutex_lock(&h->lock);
	s = h->fresh; /* of a question that was given up: too old */
	h->fresh = NULL;
	snapshot_free(s);
	h->wanted = whole ? NEED_ALL : NEED_COUNTS;
	(void)uv_async_send(&h->wake);
	while (!h->fresh && !h->stopping && uv_hrtime() < end)
		(void)uv_cond_timedwait(&h->left, &h->lock, end - uv_hrtime());
	s = h->fresh;
	h->fresh = NULL;
	uv_mutex_unlock(&h->lock);
	if (!s)
		return false;
	forget_docs(h);
	snapshot_free(h->mine);
	h->mine = s;
	h->whole = s->events;
	return h->whole >= whole;
}

/* ---- answers ------------------------------------------------------------------- */

/* One that is sent now, or kept. */
static struct MHD_Response *response(const struct http *h, char *text,
				     size_t len, const char *type)
{
	static const struct {
		const char *name, *value;
	} always[] = {
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cache-Control", "no-store" },
	};
	struct MHD_Response *r = MHD_create_response_from_buffer(
		len, text, MHD_RESPMEM_MUST_FREE);

	if (!r) {
		free(text);
		return NULL;
	}
	(void)MHD_add_response_header(r, "Content-Type", type);
	(void)MHD_add_response_header(r, "Content-Security-Policy", h->policy);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		(void)MHD_add_response_header(r, always[i].name,
					      always[i].value);
	return r;
}

/* One sentence. */
static enum MHD_Result say(struct http *h, struct MHD_Connection *c,
			   unsigned status, const char *text)
{
	struct MHD_Response *r;
	enum MHD_Result done;
	char *line = NULL;
	int len = asprintf(&line, "%s\n", text);

	if (len < 0)
		return MHD_NO;
	r = response(h, line, (size_t)len, "text/plain; charset=utf-8");
	if (!r)
		return MHD_NO;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(r, "Allow", "GET, HEAD");
	done = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return done;
}

static void render(const struct http *h, unsigned doc, struct textout *t)
{
	struct procinfo p;

	if (doc == DOC_METRICS) {
		procinfo_look(&p);
		textout_init(t, METRICS_MAX);
		metrics_render(h->mine, &p, t);
	} else {
		textout_init(t, PAGE_MAX);
		page_render(h->mine, doc - DOC_PAGE, t);
	}
}

static enum MHD_Result say_doc(struct http *h, struct MHD_Connection *c,
			       unsigned doc)
{
	struct textout t;

	if (!take(h, doc != DOC_METRICS))
		return say(h, c, MHD_HTTP_SERVICE_UNAVAILABLE,
			   "hipgated's control thread does not answer");
	if (!h->doc[doc]) {
		render(h, doc, &t);
		if (t.full) {
			textout_fini(&t);
			return say(h, c, MHD_HTTP_INTERNAL_SERVER_ERROR,
				   "there is no room for the answer");
		}
		h->doc[doc] =
			response(h, t.s, t.len,
				 doc == DOC_METRICS ? METRICS_TYPE : PAGE_TYPE);
	}
	if (!h->doc[doc])
		return MHD_NO;
	return MHD_queue_response(c, MHD_HTTP_OK, h->doc[doc]);
}

static enum MHD_Result say_ready(struct http *h, struct MHD_Connection *c)
{
	char why[sizeof(h->why)];
	uint64_t told_at;
	bool ready;

	uv_mutex_lock(&h->lock);
	ready = h->ready;
	memcpy(why, h->why, sizeof(why));
	told_at = h->told_at;
	uv_mutex_unlock(&h->lock);
	if (!told_at)
		return say(h, c, MHD_HTTP_SERVICE_UNAVAILABLE,
			   "it is starting");
	if (uv_hrtime() - told_at > HTTP_SILENT_MS * UINT64_C(1000000))
		return say(h, c, MHD_HTTP_SERVICE_UNAVAILABLE,
			   "hipgated's control thread does not answer");
	return ready ? say(h, c, MHD_HTTP_OK, "ready")
		     : say(h, c, MHD_HTTP_SERVICE_UNAVAILABLE, why);
}

/* ---- questions ------------------------------------------------------------------- */

static bool is_name(const struct config_http *c, const char *name)
{
	if (strcmp(name, "localhost") == 0)
		return true;
	for (size_t i = 0; i < c->host_num; i++) {
		if (strcmp(name, c->host[i]) == 0)
			return true;
	}
	return false;
}

/* An address cannot be rebound: it is where the browser has gone. */
static bool is_address(const struct config_http *c, const char *text)
{
	static const uint8_t any4[4];
	struct addr none4 = addr_from4(any4);
	struct addr a;

	if (addr_parse(text, &a))
		return false;
	return config_value_loopback(&a) || addr_eq(&a, &c->listen.addr) ||
	       (c->listen.port && (addr_is_unspecified(&c->listen.addr) ||
				   addr_eq(&c->listen.addr, &none4)));
}

bool http_host_ok(const struct config_http *c, const char *host)
{
	char name[CONFIG_NAME];
	const char *end;
	size_t len;

	if (host[0] == '[') {
		host++;
		end = strchr(host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
	} else {
		end = host + strcspn(host, ":");
	}
	len = (size_t)(end - host);
	if (len == 0 || len >= sizeof(name))
		return false;
	for (size_t i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)host[i]);
	name[len] = '\0';
	return is_name(c, name) || is_address(c, name);
}

struct hosts {
	const struct config_http *cfg;
	unsigned num, bad;
};

static enum MHD_Result see_header(void *arg, enum MHD_ValueKind kind,
				  const char *key, const char *value)
{
	struct hosts *s = arg;

	(void)kind;
	if (strcasecmp(key, "Host") == 0) {
		s->num++;
		s->bad += !value || !http_host_ok(s->cfg, value);
	}
	return MHD_YES;
}

static unsigned page_of(struct MHD_Connection *c)
{
	unsigned choice = 0;

	if (MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "hour"))
		choice |= PAGE_HOUR;
	if (MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "still"))
		choice |= PAGE_STILL;
	return DOC_PAGE + choice;
}

/* Answers at once, so that no body is waited for. */
static enum MHD_Result handle(void *arg, struct MHD_Connection *c,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *data_len, void **state)
{
	struct http *h = arg;
	struct hosts hosts = { .cfg = &h->cfg };

	(void)version;
	(void)data;
	(void)data_len;
	(void)state;
	(void)MHD_get_connection_values(c, MHD_HEADER_KIND, see_header, &hosts);
	if (hosts.num != 1 || hosts.bad)
		return say(h, c, MHD_HTTP_FORBIDDEN,
			   "this name is not hipgated's: ask for localhost or "
			   "the address, or add host = NAME to [http]");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return say(h, c, MHD_HTTP_METHOD_NOT_ALLOWED,
			   "GET and HEAD only: nothing can be changed here");
	if (strcmp(url, "/metrics") == 0)
		return say_doc(h, c, DOC_METRICS);
	if (strcmp(url, "/ready") == 0)
		return say_ready(h, c);
	if (strcmp(url, "/") == 0)
		return say_doc(h, c, page_of(c));
	return say(h, c, MHD_HTTP_NOT_FOUND,
		   "there are /, /metrics and /ready");
}

/* ---- life ---------------------------------------------------------------------- */

static int bind_path(const char *path, const char *group)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	(void)unlink(path); /* left by a crash: see control.c */
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    sockowner_set(path, group) == HG_OK &&
	    listen(fd, HTTP_CONNECTIONS) == 0)
		return fd;
	(void)close(fd); /* nothing was written */
	return -1;
}

static int bind_address(const struct endpoint *at)
{
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(at, &ss);
	int fd = socket(ss.ss_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    bind(fd, (struct sockaddr *)&ss, len) == 0 &&
	    listen(fd, HTTP_CONNECTIONS) == 0)
		return fd;
	(void)close(fd); /* nothing was written */
	return -1;
}

static int open_socket(const struct gate *g, const struct config_http *c,
		       char *errbuf, size_t errlen)
{
	char at[CONFIG_PATH];
	int fd;

	if (c->path[0]) {
		memcpy(at, c->path, sizeof(at));
		fd = bind_path(c->path, g->cfg->control_group);
	} else {
		endpoint_print(&c->listen, at);
		fd = bind_address(&c->listen);
	}
	if (fd < 0)
		(void)snprintf(errbuf, errlen,
			       "[http] listen = %s: %s; name an address of "
			       "this machine and a port that is free, or a "
			       "file in a folder that the daemon's user may "
			       "write to",
			       at, strerror(errno));
	return fd;
}

static struct http *make(struct gate *g)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->g = g;
	h->cfg = g->cfg->http;
	page_policy(h->policy, sizeof(h->policy));
	if (uv_mutex_init(&h->lock)) {
		free(h);
		return NULL;
	}
	if (uv_cond_init(&h->left) ||
	    uv_async_init(g->loop, &h->wake, on_wake)) {
		uv_mutex_destroy(&h->lock);
		free(h);
		return NULL;
	}
	h->wake.data = h;
	return h;
}

int http_start(struct gate *g, struct http **out, char *errbuf, size_t errlen)
{
	const struct config_http *c = &g->cfg->http;
	struct http *h;
	int fd;

	*out = NULL;
	if (!c->listen.port && !c->path[0])
		return HG_OK;
	h = make(g);
	if (!h)
		return HG_ENOMEM;
	*out = h;
	fd = open_socket(g, c, errbuf, errlen);
	if (fd < 0)
		return HG_ESYS;
	h->d = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL,
		handle, h, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
		MHD_OPTION_END);
	if (h->d)
		return HG_OK;
	(void)close(fd); /* nothing was written */
	(void)snprintf(errbuf, errlen, "[http]: libmicrohttpd does not start");
	return HG_ESYS;
}

void http_stop(struct http *h)
{
	if (!h)
		return;
	uv_mutex_lock(&h->lock);
	h->stopping = true;
	uv_cond_signal(&h->left);
	uv_mutex_unlock(&h->lock);
	if (h->d)
		MHD_stop_daemon(h->d);
	if (h->cfg.path[0])
		(void)unlink(h->cfg.path); /* gone already: the same */
	uv_close((uv_handle_t *)&h->wake, NULL);
}

void http_fini(struct http *h)
{
	if (!h)
		return;
	forget_docs(h);
	snapshot_give_up(&h->walk);
	snapshot_free(h->mine);
	snapshot_free(h->fresh);
	uv_cond_destroy(&h->left);
	uv_mutex_destroy(&h->lock);
	free(h);
}
