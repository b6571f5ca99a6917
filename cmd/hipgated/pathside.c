/* SPDX-License-Identifier: MIT */
/* How large packets to a peer may be: the hands of the search (esp/pmtu.c).
 *
 * THEORY OF OPERATION
 * Control thread only. Each SA has the state of a search; only that of the
 * SA which sends to a peer goes on, and who succeeds it takes it over. From
 * the size found follows what one ESP packet carries (struct path_size); a
 * change is a new path that is published in the place of the old one.
 *
 * Once a second each SA that sends is looked at. While something is sent,
 * the kernel is asked every few seconds what it holds for the route, and at
 * once when it refused a packet: by then an interface, a route or an ICMP
 * error may have told it another size. Seconds in which something was sent
 * and nothing came are a reason to doubt the size. Probes are sealed by the
 * worker that owns the SPI, which also hands the first answer to each back.
 *
 * An echo request, not a HIP UPDATE (docs/choices.md). Until one is answered
 * DF is clear.
 */
#include "gate.h"

#include <sodium.h>

#include "core/log.h"

#define LOG_ABOUT LOG_SUB_PATH

enum {
	STALLED = 3,	/* seconds */
	PROBES_MAX = 8, /* answers that may come for one SA */
	PING_LEN = 64,	/* octets */
};

#define LOOK_NS UINT64_C(5000000000)

static uint32_t outer_headers(const struct endpoint *at)
{
	return (addr_is4(&at->addr) ? IP4_HDR : IP6_HDR) + UDP_HDR;
}

static struct path_size size_of(const struct gate *g, const struct sa *sa,
				const struct endpoint *at)
{
	uint32_t wire = sa->pmtu.size - outer_headers(at);
	uint32_t tun = g->plane.tun.mtu - IP6_HDR;
	struct path_size s = {
		.l4_most =
			(uint32_t)esp_plain_max(sa_suite_find(sa->suite), wire),
		.outer = sa->pmtu.size,
		.by = sa->pmtu.by,
		.df = sa->pmtu.by == ESP_PMTU_BY_PROBE,
	};

	s.mss = (uint16_t)((s.l4_most < tun ? s.l4_most : tun) - TCP_HDR);
	return s;
}

static void tell(struct gate *g, const struct sa *sa, const struct path_size *s)
{
	char peer[ADDR_TEXT_MAX];

	hit_print(&sa->peer, peer);
	events_add(&g->events, uv_hrtime(), "", "path-mtu",
		   json_pack("{s:s,s:i,s:i,s:s}", "peer", peer, "outer",
			     (int)s->outer, "mtu", (int)s->l4_most + IP6_HDR,
			     "by", esp_pmtu_by_name(s->by)),
		   "path to %s: %u octets, %u inside (%s)", peer,
		   (unsigned)s->outer, (unsigned)s->l4_most + IP6_HDR,
		   esp_pmtu_by_name(s->by));
}

static int publish(struct gate *g, struct sa *sa, const struct path_ends *ends)
{
	struct path_size was = atomic_load(&sa->path)->size;
	struct path_size size = size_of(g, sa, &ends->peer);
	int err = tables_move_sa(sa, ends, &size);

	if (!err && (was.outer != size.outer || was.by != size.by))
		tell(g, sa, &size);
	return err;
}

/* The outer packet for the largest packet that the TUN brings. */
static unsigned largest(const struct gate *g, const struct sa *sa,
			const struct endpoint *at)
{
	size_t wire = esp_wire_len(sa_suite_find(sa->suite),
				   g->plane.tun.mtu - IP4_HDR);

	return outer_headers(at) + (unsigned)wire;
}

int pathside_move(struct gate *g, struct sa *sa, const struct path_ends *ends)
{
	const struct endpoint *at = &ends->peer;
	const struct path *path = atomic_load(&sa->path);
	const struct sa *old =
		tables_sa_out(&g->plane.tables, &sa->self, &sa->peer);

	if (!g->plane.has_tun)
		return tables_move_sa(sa, ends, &path->size);
	if (old && old != sa &&
	    endpoint_eq(&atomic_load(&old->path)->ends.peer, at))
		sa->pmtu = old->pmtu;
	else if (!path->size.outer || !endpoint_eq(&path->ends.peer, at))
		esp_pmtu_begin(&sa->pmtu, sockets_route_mtu(&at->addr),
			       largest(g, sa, at));
	return publish(g, sa, ends);
}

/* Each is worth one answer; what was lost keeps its own, of PROBES_MAX. */
static void expect_answer(struct sa *sa)
{
	if (atomic_load(&sa->probed) < PROBES_MAX)
		(void)atomic_fetch_add(&sa->probed, 1);
}

static void send_echo(struct gate *g, struct sa *sa, size_t len, uint64_t token)
{
	struct msg *m;

	esp_probe_put(g->buf, len, &sa->self, &sa->peer, false, token);
	m = inbox_msg(MSG_PROBE, g->buf, len, uv_hrtime());
	if (m) {
		m->back.self = sa->self;
		m->back.peer = sa->peer;
	}
	expect_answer(sa);
	if (inbox_put(&g->workers[sa->owner].inbox, m))
		gate_drop(g, REASON_PUNT_FULL);
}

int pathside_ping(struct gate *g, struct sa *sa, uint64_t token)
{
	int err = tables_wake_sa(sa);

	if (!err)
		send_echo(g, sa, PING_LEN, token);
	return err;
}

static void send_probe(struct gate *g, struct sa *sa, const struct endpoint *at)
{
	uint32_t wire = sa->pmtu.probe - outer_headers(at);
	size_t len = esp_plain_max(sa_suite_find(sa->suite), wire);

	/* The same for all tries of a size: a slow answer counts. */
	if (sa->pmtu.sent == 1)
		randombytes_buf(&sa->pmtu.token, sizeof(sa->pmtu.token));
	send_echo(g, sa, len, sa->pmtu.token);
}

static void go_on(struct gate *g, struct sa *sa, bool used, uint64_t now)
{
	/* A copy: the path it stands in may be replaced. */
	struct path_ends ends = atomic_load(&sa->path)->ends;

	if (esp_pmtu_late(&sa->pmtu, now))
		gate_drop(g, REASON_PROBE_LOST);
	if (esp_pmtu_step(&sa->pmtu, used, now))
		send_probe(g, sa, &ends.peer);
	if (publish(g, sa, &ends))
		log_error("event=no-memory text=\"the size of a path stays\"");
}

void pathside_step(struct gate *g, struct sa *sa, bool out, bool in,
		   uint64_t now)
{
	struct path *path = atomic_load(&sa->path);
	bool refused = atomic_exchange(&path->refused, false);

	if (!g->plane.has_tun)
		return;
	if (in || out)
		sa->stalled = in ? 0 : sa->stalled + 1;
	if (refused || (out && now >= sa->look_at)) {
		sa->look_at = now + LOOK_NS;
		esp_pmtu_route(&sa->pmtu,
			       sockets_route_mtu(&path->ends.peer.addr), now);
		if (refused || sa->stalled >= STALLED)
			esp_pmtu_doubt(&sa->pmtu, now);
	}
	go_on(g, sa, out, now);
}

void pathside_answer(struct gate *g, const struct msg *m, uint64_t now)
{
	struct sa *sa =
		tables_sa_out(&g->plane.tables, &m->back.self, &m->back.peer);
	uint64_t token;

	if (!sa ||
	    esp_probe_get(IP_PROTO_ICMP6, m->data, m->len, &token) !=
		    ESP_PROBE_ANSWERS ||
	    !esp_pmtu_ack(&sa->pmtu, token, now)) {
		gate_drop(g, REASON_PROBE_STRAY);
		return;
	}
	go_on(g, sa, true, now);
}
