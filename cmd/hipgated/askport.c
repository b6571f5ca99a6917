/* SPDX-License-Identifier: MIT */
/* UDP sockets that are ready for questions; theory in askport.h. */
#include "askport.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockets.h"

/* ---- one of them ----------------------------------------------------------- */

static void shut(struct askport *port)
{
	if (port->fd >= 0)
		(void)close(port->fd); /* and waits for it no more */
	port->fd = -1;
}

static void discard(struct askport *port)
{
	shut(port);
	free(port);
}

/* Connecting draws the port. */
static struct askport *make(const struct askports *p,
			    const struct endpoint *server, uint64_t now)
{
	struct askport *port = calloc(1, sizeof(*port));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = port };
	struct sockaddr_storage to;
	socklen_t len = sockets_address(server, &to);

	if (!port)
		return NULL;
	port->born = now;
	port->fd = socket(to.ss_family,
			  SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (port->fd < 0 ||
	    connect(port->fd, (const struct sockaddr *)&to, len) ||
	    epoll_ctl(p->waits, EPOLL_CTL_ADD, port->fd, &ev)) {
		discard(port);
		return NULL;
	}
	return port;
}

static bool is_sent(const struct askport *port, const void *msg, size_t len)
{
	return send(port->fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)len;
}

/* ---- those that are ready --------------------------------------------------- */

static bool is_old(const struct askport *port, uint64_t now)
{
	return now - port->born >= ASKPORT_AGE;
}

static void spend(struct askports *p, struct askport *port)
{
	port->state = ASKPORT_SPENT;
	port->asker = NULL;
	port->next = p->spent;
	p->spent = port;
	if (p->spent_num++ >= ASKPORT_OPEN)
		shut(port);
}

static void spend_all(struct askports *p, struct askport_server *s)
{
	while (s->idle) {
		struct askport *port = s->idle;

		s->idle = port->next;
		spend(p, port);
	}
	s->num = 0;
}

/* Its place; that of the one asked longest ago is taken for it, if that is long
 * enough. NULL: there is none. */
static struct askport_server *place_of(struct askports *p,
				       const struct endpoint *server,
				       uint64_t now)
{
	struct askport_server *oldest = &p->server[0];

	for (unsigned i = 0; i < ASKPORT_SERVERS; i++) {
		struct askport_server *s = &p->server[i];

		if (s->used && endpoint_eq(&s->at, server))
			return s;
		if (s->used < oldest->used)
			oldest = s;
	}
	if (oldest->used && now - oldest->used < ASKPORT_PLACE)
		return NULL;
	spend_all(p, oldest);
	oldest->at = *server;
	oldest->since = 0;
	return oldest;
}

/* Somebody has found it: what has come is no answer to what is asked now. */
static bool is_stray(const struct askport *port)
{
	char c;

	return recv(port->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* One that has sent msg; NULL: none that is ready can. */
static struct askport *ask_ready(struct askports *p, struct askport_server *s,
				 const void *msg, size_t len, uint64_t now)
{
	if (s->since && now - s->since >= ASKPORT_MUTE)
		spend_all(p, s);
	while (s->idle) {
		struct askport *port = s->idle;
		bool stray = is_stray(port);

		s->idle = port->next;
		s->num--;
		p->strays += stray;
		if (!stray && !is_old(port, now) && is_sent(port, msg, len))
			return port;
		spend(p, port);
	}
	return NULL;
}

struct askport *askport_ask(struct askports *p, const struct endpoint *server,
			    const void *msg, size_t len, uint64_t now)
{
	struct askport_server *s = place_of(p, server, now);
	struct askport *port = s ? ask_ready(p, s, msg, len, now) : NULL;

	if (!port) {
		port = make(p, server, now);
		if (port && !is_sent(port, msg, len)) {
			discard(port); /* no event has told of it */
			port = NULL;
		}
	}
	if (s) {
		s->used = now;
		s->since = s->since ? s->since : now;
	}
	if (port) {
		port->state = ASKPORT_ASKED;
		port->at = s;
	}
	return port;
}

void askport_end(struct askports *p, struct askport *port)
{
	spend(p, port);
}

static void unready(struct askports *p, struct askport *port)
{
	for (unsigned i = 0; i < ASKPORT_SERVERS; i++) {
		struct askport **at = &p->server[i].idle;

		while (*at && *at != port)
			at = &(*at)->next;
		if (!*at)
			continue;
		*at = port->next;
		p->server[i].num--;
		spend(p, port);
		return;
	}
}

void *askport_readable(struct askports *p, struct askport *port, bool *stray)
{
	*stray = port->state == ASKPORT_IDLE;
	if (port->state == ASKPORT_ASKED) {
		if (port->at)
			port->at->since = 0;
		return port->asker;
	}
	if (*stray)
		unready(p, port);
	shut(port);
	return NULL;
}

/* ---- life -------------------------------------------------------------------- */

static void free_spent(struct askports *p)
{
	while (p->spent) {
		struct askport *port = p->spent;

		p->spent = port->next;
		discard(port);
	}
	p->spent_num = 0;
}

static void spend_old(struct askports *p, struct askport_server *s,
		      uint64_t now)
{
	struct askport **at = &s->idle;

	while (*at) {
		struct askport *port = *at;

		if (!is_old(port, now)) {
			at = &port->next;
			continue;
		}
		*at = port->next;
		s->num--;
		spend(p, port);
	}
}

static void fill(struct askports *p, struct askport_server *s, uint64_t now)
{
	while (s->num < p->ready) {
		struct askport *port = make(p, &s->at, now);

		if (!port)
			return; /* who asks will hear why */
		port->next = s->idle;
		s->idle = port;
		s->num++;
	}
}

void askport_tend(struct askports *p, bool all, uint64_t now)
{
	if (!all && p->spent_num < ASKPORT_CLOSE)
		return;
	for (unsigned i = 0; i < ASKPORT_SERVERS; i++) {
		struct askport_server *s = &p->server[i];

		if (all)
			spend_old(p, s, now);
		if (s->used && now - s->used < ASKPORT_AGE)
			fill(p, s, now);
	}
	free_spent(p);
}

void askport_drop(struct askports *p)
{
	for (unsigned i = 0; i < ASKPORT_SERVERS; i++)
		spend_all(p, &p->server[i]);
}

void askport_fini(struct askports *p)
{
	askport_drop(p);
	free_spent(p);
}
