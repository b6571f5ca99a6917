/* SPDX-License-Identifier: MIT */
/* DNS over TCP (RFC 7766): steered into the TUN, or at ordinary sockets.
 *
 * THEORY OF OPERATION
 * Control thread only. No TCP stack is written here: a client's TCP packet
 * to some server's port 53 is rewritten (nat_redirect_in) so that it goes
 * to a listener of ours, on the TUN's own address, and seems to come from a
 * synthetic address of the pool; written back to the TUN, the kernel
 * answers it there. What the kernel sends to the synthetic address comes
 * out of the TUN and is rewritten back (nat_redirect_out): the client sees
 * the server it asked. The synthetic port tells the listener for whom a
 * connection stands. Sockets that anybody may connect to (dnslisten.c) are
 * served in the same way. Bounds: DNSTCP_CONNS connections, each with one
 * message buffer and at most DNSTCP_BACKLOG octets that wait to be read,
 * closed after DNSTCP_IDLE without a whole question or an answer: who sends
 * an octet now and then holds none. A newcomer beyond the bounds takes the
 * place of the one that has been quiet for the longest time, so that idle
 * ones shut out nobody (RFC 7766 6.2.3). Who has said all it has to say
 * (half-closed) is not read from any more and gets what it asked for; the
 * connection is closed behind the last answer. The bounds hold for it, too.
 */
#include "dnsside.h"
#include "dnslisten.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/wire.h"

#define LOG_ABOUT LOG_SUB_DNS

enum {
	DNSTCP_CONNS = 256,
	DNSTCP_PER_CLIENT = 64, /* of them */
	BACKLOG = 128,
	DNSTCP_MSG = 2 + 65535,
	DNSTCP_BACKLOG = 256 << 10,
};

#define DNSTCP_IDLE 30000000000 /* ns */

struct conn {
	struct conn *next;
	struct dnstcp *t;
	uint64_t token;
	uint64_t last; /* ns: accepted, or a whole message either way */
	struct endpoint client, server;
	bool here, stranger; /* as in struct dns_asker */
	bool ended;	     /* the client says no more */
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
	};
	size_t len;
	uint8_t in[DNSTCP_MSG];
};

/* Where connections come in: first those for what the TUN brings. */
struct door {
	struct dnstcp *t;
	uv_tcp_t tcp;
	bool steered;
};

struct dnstcp {
	struct gate *g;
	struct nat_redirects *redirects;
	struct door doors[SOCKETS_FAMILIES + DNSLISTEN_MAX];
	unsigned doors_num;
	struct endpoint at[SOCKETS_FAMILIES]; /* port 0: not available */
	struct addr near[SOCKETS_FAMILIES];   /* unspecified: the same */
	uv_timer_t idle;
	bool timing;
	struct conn *conns; /* those that are being closed, too */
	uint64_t next_token;
};

/* ---- connections -------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;
	struct conn **p = &c->t->conns;

	while (*p && *p != c)
		p = &(*p)->next;
	if (*p)
		*p = c->next;
	free(c);
}

static void hang_up(struct conn *c)
{
	if (!uv_is_closing(&c->handle))
		uv_close(&c->handle, on_closed);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct conn *c = h->data;

	(void)hint;
	*buf = uv_buf_init((char *)c->in + c->len,
			   (unsigned)(sizeof(c->in) - c->len));
}

static struct dns_asker asker_of(const struct conn *c, uint64_t now)
{
	struct dns_asker who = { .client = c->client,
				 .server = c->server,
				 .tcp = true,
				 .here = c->here,
				 .stranger = c->stranger,
				 .token = c->token,
				 .since = now };

	return who;
}

static void take_messages(struct conn *c, uint64_t now)
{
	struct dns_asker who = asker_of(c, now);

	while (c->len >= 2 && c->len - 2 >= get_be16(c->in)) {
		size_t used = 2 + (size_t)get_be16(c->in);

		c->last = now;
		dns_query(c->t->g->dns, &who, c->in + 2, used - 2, now);
		c->len -= used;
		memmove(c->in, c->in + used, c->len);
	}
}

/* Its client has said all, and has heard all. */
static bool is_done(const struct conn *c)
{
	struct dns_asker who = asker_of(c, 0);

	return c->ended && !uv_stream_get_write_queue_size(&c->stream) &&
	       !dns_waits(c->t->g->dns, &who);
}

static void on_end(struct conn *c)
{
	(void)uv_read_stop(&c->stream);
	c->ended = true;
	if (c->len)
		gate_drop(c->t->g, REASON_DNS_CUT);
	if (c->len || is_done(c))
		hang_up(c);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = s->data;
	struct gate *g = c->t->g;

	(void)buf;
	if (n == UV_EOF) {
		on_end(c);
		return;
	}
	if (n < 0) {
		hang_up(c);
		return;
	}
	c->len += (size_t)n;
	take_messages(c, uv_hrtime());
	gate_pump(g);
}

/* Whose connection it is; false: nobody's that was steered here. */
static bool stands_for(struct dnstcp *t, const struct endpoint *near,
		       struct conn *c)
{
	const struct nat_redirect *r = nat_redirect_find(t->redirects, near);

	if (!r)
		return false;
	c->client = (struct endpoint){ r->client, r->client_port };
	c->server = (struct endpoint){ r->server, r->server_port };
	c->here = steer_is_dns(&t->g->plane.steer, &r->server);
	return true;
}

/* The two ends of a connection; false: it is gone, or nobody's. */
static bool ends_of(const struct door *d, struct conn *c)
{
	struct sockaddr_storage ss;
	struct endpoint near;
	int len = sizeof(ss);

	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&ss, &len))
		return false;
	near = sockets_endpoint((struct sockaddr *)&ss);
	if (d->steered)
		return stands_for(d->t, &near, c);
	len = sizeof(ss);
	if (uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&ss, &len))
		return false;
	c->client = near;
	c->server = sockets_endpoint((struct sockaddr *)&ss);
	c->here = true;
	c->stranger = !dnslisten_serves(d->t->g, &near.addr, &c->server.addr);
	return true;
}

/* Who goes for c: of its client's connections if that has its share, of all
 * if there are too many; NULL: nobody need. */
static struct conn *least_used(const struct dnstcp *t, const struct conn *c)
{
	struct conn *theirs = NULL;
	struct conn *any = NULL;
	unsigned theirs_num = 0;
	unsigned num = 0;

	for (struct conn *i = t->conns; i; i = i->next) {
		if (i == c || uv_is_closing(&i->handle))
			continue;
		num++;
		if (!any || i->last < any->last)
			any = i;
		if (!addr_eq(&i->client.addr, &c->client.addr))
			continue;
		theirs_num++;
		if (!theirs || i->last < theirs->last)
			theirs = i;
	}
	if (theirs_num >= DNSTCP_PER_CLIENT)
		return theirs;
	return num >= DNSTCP_CONNS ? any : NULL;
}

static void make_room(struct dnstcp *t, const struct conn *c)
{
	struct conn *old = least_used(t, c);

	if (!old)
		return;
	gate_drop(t->g, REASON_DNS_BUSY);
	hang_up(old);
}

static void on_connection(uv_stream_t *s, int status)
{
	struct door *d = s->data;
	struct dnstcp *t = d->t;
	struct conn *c = status ? NULL : calloc(1, sizeof(*c));

	if (!c)
		return;
	c->t = t;
	c->token = ++t->next_token;
	c->last = uv_hrtime();
	c->tcp.data = c;
	if (uv_tcp_init(t->g->loop, &c->tcp)) {
		free(c);
		return;
	}
	c->next = t->conns;
	t->conns = c;
	/* Accepted first: a refused connection must leave the backlog. */
	if (uv_accept(s, &c->stream)) {
		hang_up(c);
	} else if (!ends_of(d, c)) {
		gate_drop(t->g, REASON_DNS_CLIENT);
		hang_up(c);
	} else if (uv_read_start(&c->stream, on_alloc, on_read)) {
		hang_up(c);
	} else {
		make_room(t, c);
	}
}

struct reply {
	uv_write_t req;
	uint8_t text[];
};

static void on_written(uv_write_t *req, int status)
{
	struct conn *c = req->handle->data;

	(void)status; /* what is broken is read as such, or is idle */
	free(req->data);
	if (is_done(c))
		hang_up(c);
}

bool dnstcp_reply(struct dnstcp *t, uint64_t token, const uint8_t *msg,
		  size_t len)
{
	struct conn *c = t->conns;
	struct reply *r;
	uv_buf_t buf;

	while (c && c->token != token)
		c = c->next;
	if (!c || uv_is_closing(&c->handle) || len > 65535)
		return false;
	if (uv_stream_get_write_queue_size(&c->stream) > DNSTCP_BACKLOG) {
		gate_drop(t->g, REASON_DNS_BUSY);
		hang_up(c); /* it does not read */
		return false;
	}
	r = malloc(sizeof(*r) + 2 + len);
	if (!r)
		return false;
	put_be16(r->text, (uint16_t)len);
	memcpy(r->text + 2, msg, len);
	r->req.data = r;
	buf = uv_buf_init((char *)r->text, (unsigned)(2 + len));
	if (uv_write(&r->req, &c->stream, &buf, 1, on_written)) {
		free(r);
		return false;
	}
	c->last = uv_hrtime();
	return true;
}

void dnstcp_expire(struct dnstcp *t, uint64_t now)
{
	for (struct conn *c = t->conns; c; c = c->next)
		if (now > c->last && now - c->last > DNSTCP_IDLE)
			hang_up(c);
}

static void on_idle(uv_timer_t *timer)
{
	dnstcp_expire(timer->data, uv_hrtime());
}

/* ---- packets --------------------------------------------------------------- */

void dnstcp_packet(struct dnstcp *t, struct msg *m, const struct addr *to)
{
	unsigned fam = sockets_family(to);
	enum reason why = REASON_DENIED;

	if (addr_eq(to, &t->near[fam]))
		why = nat_redirect_out(t->redirects, m->data, m->len, &m->off,
				       m->now);
	else if (t->at[fam].port)
		why = nat_redirect_in(t->redirects, m->data, m->len, &m->off,
				      &t->at[fam], m->now);
	if (why == REASON_NUM)
		gate_tun_return(t->g, m->data, m->len, &m->off);
	else
		gate_drop(t->g, why);
}

/* ---- life ------------------------------------------------------------------- */

static struct addr host_of(const struct prefix *pool, uint8_t low)
{
	struct addr a = pool->addr;

	a.b[15] = (uint8_t)(a.b[15] + low);
	return a;
}

static struct door *door_add(struct dnstcp *t, bool steered)
{
	struct door *d = &t->doors[t->doors_num];

	if (t->doors_num == sizeof(t->doors) / sizeof(t->doors[0]) ||
	    uv_tcp_init(t->g->loop, &d->tcp))
		return NULL;
	t->doors_num++;
	d->t = t;
	d->tcp.data = d;
	d->steered = steered;
	return d;
}

static int listen_on(struct dnstcp *t, unsigned fam, const struct prefix *pool)
{
	struct endpoint e = { .addr = host_of(pool, 1) };
	struct door *d = door_add(t, true);
	struct sockaddr_storage ss;
	int len = sizeof(ss);
	int rc;

	if (!d)
		return UV_ENOMEM;
	(void)sockets_address(&e, &ss);
	rc = uv_tcp_bind(&d->tcp, (struct sockaddr *)&ss, 0);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&d->tcp, BACKLOG, on_connection);
	if (!rc)
		rc = uv_tcp_getsockname(&d->tcp, (struct sockaddr *)&ss, &len);
	if (rc)
		return rc;
	t->at[fam] = sockets_endpoint((struct sockaddr *)&ss);
	return 0;
}

int dnstcp_listen(struct dnstcp *t, int fd)
{
	struct door *d = door_add(t, false);

	if (!d)
		return HG_EFULL;
	if (uv_tcp_open(&d->tcp, fd))
		return HG_ESYS;
	/* From here on fd is the handle's, whatever comes. */
	if (uv_listen((uv_stream_t *)&d->tcp, BACKLOG, on_connection))
		log_error(
			"event=dns-tcp text=\"cannot listen at a TCP socket\"");
	return HG_OK;
}

static void start_family(struct dnstcp *t, unsigned fam,
			 const struct prefix *pool, uint8_t near)
{
	char text[PREFIX_TEXT_MAX];
	int rc;

	if (!pool->len)
		return;
	rc = listen_on(t, fam, pool);
	if (rc) {
		log_warn(
			"event=dns-tcp pool=%s text=\"DNS over TCP is refused: "
			"the pool's first address is not on the TUN (%s); run "
			"hipgate-setup\"",
			prefix_print(pool, text), uv_strerror(rc));
		return;
	}
	t->near[fam] = host_of(pool, near);
}

int dnstcp_start(struct gate *g, struct dnstcp **out)
{
	struct dnstcp *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return HG_ENOMEM;
	*out = t;
	t->g = g;
	/* Both are numbers that lease.c never gives out: ::2, and the IPv4
	 * pool's network address. */
	start_family(t, 0, &g->cfg->pool4, 0);
	start_family(t, 1, &g->cfg->pool6, 2);
	if (t->at[0].port)
		g->plane.steer.pools.near4 = (struct prefix){ t->near[0], 128 };
	if (t->at[1].port)
		g->plane.steer.pools.near6 = (struct prefix){ t->near[1], 128 };
	err = nat_redirects_new(t->at[0].port ? &t->near[0] : NULL,
				t->at[1].port ? &t->near[1] : NULL,
				&t->redirects);
	if (err)
		return err;
	(void)uv_timer_init(g->loop, &t->idle);
	t->idle.data = t;
	t->timing = true;
	(void)uv_timer_start(&t->idle, on_idle, 5000, 5000);
	return HG_OK;
}

void dnstcp_stop(struct dnstcp *t)
{
	if (!t)
		return;
	for (struct conn *c = t->conns; c; c = c->next)
		hang_up(c);
	for (unsigned i = 0; i < t->doors_num; i++)
		if (!uv_is_closing((uv_handle_t *)&t->doors[i].tcp))
			uv_close((uv_handle_t *)&t->doors[i].tcp, NULL);
	if (t->timing && !uv_is_closing((uv_handle_t *)&t->idle))
		uv_close((uv_handle_t *)&t->idle, NULL);
}

void dnstcp_fini(struct dnstcp *t)
{
	if (!t)
		return;
	nat_redirects_free(t->redirects);
	free(t);
}
