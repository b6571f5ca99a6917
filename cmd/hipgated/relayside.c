/* SPDX-License-Identifier: MIT */
/* The data relay's ports and permits, between the engine and the workers.
 *
 * THEORY OF OPERATION
 * Control thread only. At the start the ports are opened, in both families
 * where both are there, and the engine is told which there are, before it has
 * an identity whose R1s say what is on offer; it gives them
 * to clients and says what may pass (HIP_PERMIT), which is published for the
 * workers (relaying.h). A port that is nobody's is open, too: what comes to it
 * is counted and dropped.
 */
#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/log.h"
#include "relaying.h"

enum { ATTEMPTS = 16, SPARE = 512 /* descriptors for all else */ };

static void close_port(struct relay_port *p)
{
	for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++) {
		if (p->fd[fam] >= 0)
			close(p->fd[fam]);
		p->fd[fam] = -1;
	}
}

/* The same port in each family there is. 0 or errno. */
static int open_port(const struct sockets *s, uint16_t port,
		     struct relay_port *p)
{
	int err = 0;

	p->port = port;
	for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++)
		p->fd[fam] = -1;
	for (unsigned fam = 0; !err && fam < SOCKETS_FAMILIES; fam++) {
		p->fd[fam] = sockets_open_one(s, fam, &p->port);
		if (p->fd[fam] < 0 && errno != EAFNOSUPPORT)
			err = errno;
	}
	if (err)
		close_port(p);
	return err;
}

/* One that the kernel picks: free in one family need not be free in the
 * other. */
static int open_any(const struct sockets *s, struct relay_port *p)
{
	int err = EADDRINUSE;

	for (int i = 0; err == EADDRINUSE && i < ATTEMPTS; i++)
		err = open_port(s, 0, p);
	return err;
}

/* 1024 descriptors, a usual limit, are not enough for 1024 ports. */
static void raise_limit(size_t ports)
{
	rlim_t need = ports * SOCKETS_FAMILIES + SPARE;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= need)
		return;
	l.rlim_cur = need < l.rlim_max ? need : l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l); /* opening them says what fails */
}

static int open_ports(struct gate *g, char *errbuf, size_t errlen)
{
	const struct config *c = g->cfg;
	const struct sockets how = {
		.gro = offload_wanted(c->offload, OFFLOAD_UDP_GRO),
	};
	struct relaying *r = g->plane.relaying;
	size_t num = c->relay_ports_num;

	raise_limit(num);
	for (size_t i = 0; i < num; i++) {
		uint16_t port =
			(uint16_t)(c->relay_port ? c->relay_port + i : 0);
		int err = port ? open_port(&how, port, &r->port[i])
			       : open_any(&how, &r->port[i]);

		if (err) {
			(void)snprintf(errbuf, errlen,
				       "UDP port %u of relay-ports: %s", port,
				       strerror(err));
			return HG_ESYS;
		}
		r->num++;
	}
	return HG_OK;
}

/* Without ports yet; NULL: no memory. */
static struct relaying *relaying_new(const struct config *c)
{
	struct relaying *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->port = calloc(c->relay_ports_num, sizeof(*r->port));
	if (r->port && !linetable_init(&r->in)) {
		if (!linetable_init(&r->out))
			return r;
		linetable_fini(&r->in);
	}
	free(r->port);
	free(r);
	return NULL;
}

void relayside_rate(struct gate *g)
{
	uint64_t bytes = g->cfg->relay_rate_mbit * UINT64_C(1000000) / 8;

	if (g->plane.relaying)
		atomic_store(&g->plane.relaying->quota,
			     bytes / (UINT64_C(1000000000) / RELAY_WINDOW));
}

int relayside_start(struct gate *g, char *errbuf, size_t errlen)
{
	const struct config *c = g->cfg;
	uint16_t ports[HIP_RELAY_PORTS_MAX];
	struct relaying *r;
	int err;

	if (!c->rendezvous || !c->relay || !c->data_relay)
		return HG_OK;
	r = relaying_new(c);
	if (!r)
		return HG_ENOMEM;
	g->plane.relaying = r;
	relayside_rate(g);
	err = open_ports(g, errbuf, errlen);
	if (err)
		return err;
	for (size_t i = 0; i < r->num; i++)
		ports[i] = r->port[i].port;
	log_info("event=data-relay ports=%zu first=%u", r->num, ports[0]);
	err = hip_set_relay_ports(g->hip, ports, r->num, c->port, uv_hrtime());
	if (err == HG_EINVAL)
		(void)snprintf(
			errbuf, errlen,
			"relay-ports: %u is HIP's own port; leave it out",
			c->port);
	return err;
}

void relayside_fini(struct gate *g)
{
	struct relaying *r = g->plane.relaying;

	if (!r)
		return;
	permits_fini(r);
	for (size_t i = 0; i < r->num; i++)
		close_port(&r->port[i]);
	free(r->port);
	free(r);
	g->plane.relaying = NULL;
}

static struct relay_port *find_port(const struct gate *g, uint16_t port)
{
	struct relaying *r = g->plane.relaying;

	for (size_t i = 0; r && i < r->num; i++) {
		if (r->port[i].port == port)
			return &r->port[i];
	}
	return NULL;
}

const struct relay_port *relayside_port(const struct gate *g, uint16_t port)
{
	return find_port(g, port);
}

int relayside_fd(const struct gate *g, const struct endpoint *at,
		 const struct endpoint *to)
{
	const struct relay_port *p =
		at->port == g->cfg->port ? NULL : find_port(g, at->port);

	return p ? p->fd[sockets_family(&to->addr)] : -1;
}

static struct permit *make(struct gate *g, const struct hip_effect *e,
			   struct relay_port *port)
{
	struct permit *p = aligned_alloc(_Alignof(struct permit), sizeof(*p));

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->in = (struct relay_key){ e->permit.other, port->port,
				    e->permit.spi_in };
	p->out = (struct relay_key){ e->peer_at, 0, e->permit.spi_out };
	p->until = e->permit.until;
	atomic_init(&p->heard, e->permit.heard);
	atomic_init(&p->last, e->permit.asked);
	p->port = port;
	p->self = moveside_from(g, e);
	p->peer_len = sockets_address(&e->permit.other, &p->peer);
	p->client_len = sockets_address(&e->peer_at, &p->client);
	return p;
}

static void tell(struct gate *g, const struct hip_effect *e, const char *what)
{
	char client[ADDR_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX];
	char other[ENDPOINT_TEXT_MAX];
	char by[ENDPOINT_TEXT_MAX];

	hit_print(&e->peer, client);
	endpoint_print(&e->peer_at, at);
	endpoint_print(&e->permit.other, other);
	endpoint_print(&e->relayed_at, by);
	events_add(&g->events, uv_hrtime(), "", "relay-permit",
		   json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "client", client,
			     "at", at, "peer", other, "relayed_at", by, "what",
			     what, "heard", (int)e->permit.heard),
		   "data between %s at %s and %s by %s: %s", client, at, other,
		   by, what);
}

void relayside_permit(struct gate *g, const struct hip_effect *e)
{
	struct relay_port *port = find_port(g, e->relayed_at.port);
	struct permit *p;
	int err;

	if (!port)
		return;
	if (!e->permit.until) {
		permits_del(&g->plane.tables, g->plane.relaying,
			    &(struct relay_key){ e->permit.other, port->port,
						 e->permit.spi_in });
		tell(g, e, "over");
		return;
	}
	p = make(g, e, port);
	err = p ? permits_add(&g->plane.tables, g->plane.relaying, p)
		: HG_ENOMEM;
	if (err == HG_EEXIST)
		gate_drop(g, REASON_HIP_PERMISSION);
	else if (err)
		log_error("event=no-memory text=\"data are not relayed\"");
	tell(g, e, err ? "refused" : "permitted");
}
