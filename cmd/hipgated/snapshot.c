/* SPDX-License-Identifier: MIT */
/* All that metrics and the status page show; see snapshot.h. */
#include "snapshot.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gate.h"

const char *snapshot_path_name(enum snapshot_path p)
{
	static const char *const names[SNAPSHOT_PATH_NUM] = { "direct",
							      "unverified",
							      "checking" };

	return names[p];
}

/* ---- counts ----------------------------------------------------------------- */

uint64_t snapshot_drops(const struct gate *g, enum reason r)
{
	uint64_t n =
		reason_get(&g->drops, r) + reason_get(hip_reasons(g->hip), r);

	if (g->dns)
		n += reason_get(dns_reasons(g->dns), r);
	for (unsigned k = 0; k < g->plane.workers_num; k++)
		n += reason_get(&g->workers[k].drops, r);
	return n;
}

static uint64_t load(const _Atomic uint64_t *n)
{
	return atomic_load_explicit((_Atomic uint64_t *)n,
				    memory_order_relaxed);
}

static uint64_t repeats(const struct gate *g)
{
	uint64_t n = 0;

	for (unsigned k = 0; k < g->plane.workers_num; k++)
		n += load(&g->workers[k].recalled);
	return n;
}

void snapshot_sample(const struct gate *g, uint64_t now, struct sample *out)
{
	const struct meter *m = &g->meter;

	*out = (struct sample){ .t = now };
	out->v[SAMPLE_OUT_BYTES] = m->traffic.out_bytes;
	out->v[SAMPLE_IN_BYTES] = m->traffic.in_bytes;
	out->v[SAMPLE_DNS] = repeats(g);
	for (unsigned c = 0; c < METER_DNS_NUM; c++)
		for (unsigned r = 0; r < METER_RCODES; r++)
			out->v[SAMPLE_DNS] += m->dns[c][r];
	for (unsigned i = 0; i < 2; i++) {
		out->v[SAMPLE_BEX] += m->bex[i][METER_BEX_ESTABLISHED];
		for (unsigned b = METER_BEX_TIMEOUT; b < METER_BEX_NUM; b++)
			out->v[SAMPLE_BEX_FAILED] += m->bex[i][b];
	}
	for (unsigned r = 0; r < REASON_NUM; r++)
		out->v[SAMPLE_DROPS + reason_stage((enum reason)r)] +=
			snapshot_drops(g, (enum reason)r);
}

static void take_io(const struct gate *g, struct snapshot *s)
{
	for (unsigned k = 0; k < g->plane.workers_num; k++) {
		const struct worker *w = &g->workers[k];

		s->tun_reads += load(&w->tun_reads);
		s->tun_writes += load(&w->tun_writes);
		s->udp_sends += load(&w->udp_sends);
		s->udp_receives += load(&w->udp_receives);
		s->cut += load(&w->cut);
	}
	s->meter.dns[METER_DNS_REPEAT][0] += repeats(g);
	for (unsigned r = 0; r < REASON_NUM; r++)
		s->drops[r] = snapshot_drops(g, (enum reason)r);
}

static void take_refused(const struct gate *g, struct snapshot *s,
			 bool rests[OFFLOAD_NUM])
{
	for (unsigned k = 0; k < g->plane.workers_num; k++) {
		const struct worker *w = &g->workers[k];
		const struct {
			enum offload_kind kind;
			const struct offload *o;
		} all[] = {
			{ OFFLOAD_TSO, &w->join[TUN_JOIN_TCP] },
			{ OFFLOAD_USO, &w->join[TUN_JOIN_UDP] },
			{ OFFLOAD_UDP_SEGMENT, &w->segment[0] },
			{ OFFLOAD_UDP_SEGMENT, &w->segment[1] },
		};

		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			s->refused[all[i].kind] += load(&all[i].o->refused);
			rests[all[i].kind] |= load(&all[i].o->until) > s->now;
		}
	}
}

static void take_offload(const struct gate *g, struct snapshot *s)
{
	const struct plane *p = &g->plane;
	const bool has[OFFLOAD_NUM] = {
		[OFFLOAD_TSO] = p->tun.tso,
		[OFFLOAD_USO] = p->tun.uso,
		[OFFLOAD_UDP_SEGMENT] = p->sockets.segment,
		[OFFLOAD_UDP_GRO] = p->sockets.gro,
	};
	bool rests[OFFLOAD_NUM] = { false };

	take_refused(g, s, rests);
	for (unsigned k = 0; k < OFFLOAD_NUM; k++) {
		if (!offload_wanted(g->cfg->offload, (enum offload_kind)k))
			s->offload[k] = SNAPSHOT_OFFLOAD_OFF;
		else if (!has[k])
			s->offload[k] = SNAPSHOT_OFFLOAD_LACKING;
		else
			s->offload[k] = rests[k] ? SNAPSHOT_OFFLOAD_RESTS
						 : SNAPSHOT_OFFLOAD_ON;
	}
}

/* ---- what is walked over ------------------------------------------------------ */

/* Of hosts and SAs in a part. */
enum { SOME = 512 };

static enum snapshot_path path_of(const struct hip_peer *p)
{
	if (p->checking)
		return SNAPSHOT_CHECKING;
	return p->verified ? SNAPSHOT_DIRECT : SNAPSHOT_UNVERIFIED;
}

static bool lives(enum hip_state s)
{
	return s == HIP_ESTABLISHED || s == HIP_R2_SENT;
}

/* Those that live, the newest first; then the others, alike. */
static bool peer_before(const struct hip_peer *a, const struct hip_peer *b)
{
	if (lives(a->state) != lives(b->state))
		return lives(a->state);
	return a->since > b->since;
}

/* The place of a new row of num sorted ones: those behind it move on, the
 * last goes if there is no room. rows: size octets each. */
static void *make_room(void *rows, size_t size, size_t *num, size_t at)
{
	char *row = (char *)rows + at * size;
	size_t behind = *num - at;

	if (*num == SNAPSHOT_ROWS)
		behind--;
	else
		++*num;
	memmove(row + size, row, behind * size);
	memset(row, 0, size);
	return row;
}

static void add_assoc(const struct hip_peer *p, void *arg)
{
	struct snapshot_walk *w = arg;
	struct snapshot *s = w->s;
	struct snapshot_peer *row;
	size_t at = s->peer_num;

	s->assocs_num++;
	s->assocs[p->state][path_of(p)][!addr_is4(&p->peer_at.addr)]++;
	if (lives(p->state) && p->keyed && (!s->keyed || p->keyed < s->keyed))
		s->keyed = p->keyed;
	while (at && peer_before(p, &s->peer[at - 1].p))
		at--;
	if (!w->whole || at == SNAPSHOT_ROWS)
		return;
	row = make_room(s->peer, sizeof(*row), &s->peer_num, at);
	row->p = *p;
}

static int mapping_rank(enum hip_state state, unsigned parked)
{
	if (lives(state))
		return 2;
	return state != HIP_UNASSOCIATED || parked;
}

static void add_mapping(const struct peer *p, struct snapshot_walk *w)
{
	struct snapshot *s = w->s;
	struct snapshot_mapping *row;
	size_t at = s->mapping_num;
	int rank = mapping_rank(p->state, p->parked);

	s->parked += p->parked;
	if (!w->whole ||
	    (addr_is_unspecified(&p->sub6) && addr_is_unspecified(&p->sub4)))
		return;
	while (at && rank > mapping_rank(s->mapping[at - 1].state,
					 s->mapping[at - 1].parked))
		at--;
	if (at == SNAPSHOT_ROWS)
		return;
	row = make_room(s->mapping, sizeof(*row), &s->mapping_num, at);
	*row = (struct snapshot_mapping){
		.hit = p->hit,
		.sub6 = p->sub6,
		.sub4 = p->sub4,
		.at = p->at,
		.state = p->state,
		.via_rvs = p->via_rvs && !p->committed,
		.parked = p->parked,
	};
	(void)snprintf(row->name, sizeof(row->name), "%s", p->name);
}

static void take_rtt(const struct hip_path *p, void *arg)
{
	if (p->current)
		*(uint32_t *)arg = p->rtt_us;
}

/* What only those that are listed need. */
static void complete(struct gate *g, struct snapshot_peer *row)
{
	const struct peer *p = peer_find(g, &row->p.peer);
	struct sa *sa =
		tables_sa_out(&g->plane.tables, &row->p.self, &row->p.peer);

	if (p)
		(void)snprintf(row->name, sizeof(row->name), "%s", p->name);
	hip_each_path(g->hip, &row->p.self, &row->p.peer, take_rtt,
		      &row->rtt_us);
	if (!sa)
		return;
	row->mtu = atomic_load(&sa->path)->size.outer;
	row->out_bytes = load(&sa->out_bytes);
	row->in_bytes = load(&sa->in_bytes);
}

/* ---- events ------------------------------------------------------------------ */

struct lines {
	struct snapshot *s;
	uint64_t skip; /* older ones than are taken */
};

static void add_line(void *arg, const char *line)
{
	struct lines *l = arg;
	char *copy;

	if (l->skip) {
		l->skip--;
		return;
	}
	copy = strdup(line);
	if (copy)
		l->s->events[l->s->events_num++] = copy;
}

static void take_events(const struct gate *g, struct snapshot *s)
{
	const struct events *ev = &g->events;
	uint64_t kept = ev->next < EVENTS_KEPT ? ev->next : EVENTS_KEPT;
	struct lines l = { .s = s };

	if (kept > SNAPSHOT_EVENTS)
		l.skip = kept - SNAPSHOT_EVENTS;
	s->events = calloc(SNAPSHOT_EVENTS, sizeof(*s->events));
	if (s->events)
		events_each(ev, add_line, &l);
}

/* ---- the whole ----------------------------------------------------------------- */

static void take_selves(const struct gate *g, struct snapshot *s)
{
	s->hits_num = g->selves_num;
	memcpy(s->hits, g->selves, g->selves_num * sizeof(s->hits[0]));
	s->proxy = g->cfg->proxy;
	s->host = g->cfg->host;
	s->rendezvous = g->cfg->rendezvous;
	s->workers = g->plane.workers_num;
	if (g->plane.has_tun)
		memcpy(s->tun, g->cfg->tun, sizeof(s->tun));
}

static void take_counts(struct gate *g, struct snapshot *s)
{
	s->sas = g->plane.tables.sas;
	s->mappings = g->plane.tables.mappings;
	s->peers = g->peers_num;
	s->leases = g->lease ? lease_num(g->lease) : 0;
	s->questions = g->dns ? dns_pending(g->dns) : 0;
	if (g->nat)
		nat_usage(g->nat, &s->nat);
	s->puzzle_k = hip_puzzle(g->hip);
	s->registrations = hip_registrations(g->hip);
	for (size_t i = 0; i < s->peer_num; i++)
		complete(g, &s->peer[i]);
}

static void take_rest(struct gate *g, struct snapshot *s)
{
	struct timespec ts;

	s->now = uv_hrtime();
	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail */
	s->unix_time = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
	s->started = g->started_ns;
	s->ready = g->health.ready;
	memcpy(s->why, g->health.looked ? g->health.why : "it is starting",
	       g->health.looked ? sizeof(s->why) : sizeof("it is starting"));
	s->meter = g->meter;
	s->samples = g->samples;
	take_selves(g, s);
	take_io(g, s);
	take_offload(g, s);
	take_counts(g, s);
}

/* ---- in parts ---------------------------------------------------------------------- */

static bool some_assocs(struct snapshot_walk *w, struct gate *g)
{
	for (unsigned n = 0; n < SOME / 64; n++) {
		if (!hip_some_peers(g->hip, &w->at, add_assoc, w))
			return false;
	}
	return true;
}

static bool some_hosts(struct snapshot_walk *w, struct gate *g)
{
	const struct peer *p = NULL;

	for (unsigned n = 0; n < SOME; n++) {
		p = linetable_each(&g->peers, &w->at);
		if (!p)
			break;
		add_mapping(p, w);
	}
	return p;
}

static bool some_sas(struct snapshot_walk *w, struct gate *g)
{
	struct meter_traffic *t = &w->s->sas_carried;
	const struct sa *sa = NULL;

	for (unsigned n = 0; n < SOME; n++) {
		sa = linetable_each(&g->plane.tables.sa_spi, &w->at);
		if (!sa)
			break;
		t->out_packets += load(&sa->out_packets);
		t->out_bytes += load(&sa->out_bytes);
		t->in_packets += load(&sa->in_packets);
		t->in_bytes += load(&sa->in_bytes);
	}
	return sa;
}

bool snapshot_begin(struct snapshot_walk *w, bool whole)
{
	*w = (struct snapshot_walk){ .s = calloc(1, sizeof(*w->s)),
				     .whole = whole };
	return w->s;
}

struct snapshot *snapshot_go_on(struct snapshot_walk *w, struct gate *g)
{
	static bool (*const some[])(struct snapshot_walk *, struct gate *) = {
		[SNAPSHOT_ASSOCS] = some_assocs,
		[SNAPSHOT_HOSTS] = some_hosts,
		[SNAPSHOT_SAS] = some_sas,
	};
	struct snapshot *s = w->s;

	if (some[w->stage](w, g))
		return NULL;
	w->at = 0;
	if (w->stage++ != SNAPSHOT_SAS)
		return NULL;
	take_rest(g, s);
	if (w->whole)
		take_events(g, s);
	w->s = NULL;
	return s;
}

void snapshot_give_up(struct snapshot_walk *w)
{
	snapshot_free(w->s);
	w->s = NULL;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->events_num; i++)
		free(s->events[i]);
	free(s->events);
	free(s);
}
