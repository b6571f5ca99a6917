/* SPDX-License-Identifier: MIT */
/* What waits for the way of an SA to open: nothing is lost by a move.
 *
 * THEORY OF OPERATION
 * Control thread only. An SA whose path is stranded (no address of ours
 * leads there), or not verified and without credit (RFC 8046 5.6), sends
 * nothing for a while: a round trip, or until a link is there again. What a
 * worker has for it meanwhile, it brings here: packets as they came from the
 * TUN (MSG_TUN), and sealed ones that the kernel has refused, since the
 * address they were to leave from had just gone (MSG_SEALED). Else TCP would
 * find out by its own timer, which is 200 ms at least and doubles.
 *
 * They wait at the SA, the oldest goes when there are too many, and all leave
 * at the next HIP_LOCATOR that lets them; whoever succeeds the SA takes them
 * over. What has waited for HOLD_NS is of no use to anybody. A sealed batch
 * that is refused twice is lost: then it is not the address.
 */
#include "gate.h"

#include <stdlib.h>

#define HOLD_NS UINT64_C(5000000000)

/* What a packet makes on the wire, at most: each piece has headers of its
 * own. */
static size_t wire_of(const struct msg *m)
{
	return m->kind == MSG_SEALED ? m->len
				     : path_wire_most(m->len, m->off.gso_size);
}

static struct msg *take(struct gate *g, struct sa *sa)
{
	struct hold *h = &sa->hold;
	struct msg *m = h->head;

	if (!m)
		return NULL;
	h->head = m->next;
	if (!h->head)
		h->tail = NULL;
	m->next = NULL;
	h->num--;
	h->bytes -= m->len;
	g->held_bytes -= m->len;
	return m;
}

static void drop_first(struct gate *g, struct sa *sa, enum reason why)
{
	free(take(g, sa));
	gate_drop(g, why);
}

static void put(struct gate *g, struct sa *sa, struct msg *m)
{
	struct hold *h = &sa->hold;

	while (h->head &&
	       (h->num >= HOLD_PACKETS || m->len > HOLD_BYTES - h->bytes ||
		m->len > HOLD_BYTES_ALL - g->held_bytes))
		drop_first(g, sa, REASON_HOLD_FULL);
	if (m->len > HOLD_BYTES_ALL - g->held_bytes) {
		gate_drop(g, REASON_HOLD_FULL);
		free(m);
		return;
	}
	if (h->tail)
		h->tail->next = m;
	else
		h->head = m;
	h->tail = m;
	h->num++;
	h->bytes += m->len;
	g->held_bytes += m->len;
}

bool holdside_keeps(struct gate *g, struct sa *sa, struct msg *m)
{
	if (path_open(atomic_load(&sa->path), wire_of(m)))
		return false;
	put(g, sa, m);
	return true;
}

static void give_back(struct gate *g, struct msg *m)
{
	if (inbox_put(&g->workers[m->worker].inbox, m))
		gate_drop(g, REASON_PUNT_FULL);
}

void holdside_sealed(struct gate *g, struct msg *m)
{
	struct sa *sa =
		tables_sa_out(&g->plane.tables, &m->back.self, &m->back.peer);
	const struct path *path = sa ? atomic_load(&sa->path) : NULL;

	if (!path) {
		gate_drop(g, REASON_NO_SA);
		free(m);
	} else if (!addr_eq(&path->ends.from.self, &m->at.addr) &&
		   path_open(path, m->len)) {
		give_back(g, m); /* it has moved meanwhile */
	} else {
		put(g, sa, m);
	}
}

void holdside_release(struct gate *g, struct sa *sa)
{
	unsigned num = sa->hold.num;

	/* The oldest first; what still may not go joins the end again. */
	while (num--) {
		struct msg *m = take(g, sa);

		if (m->kind == MSG_TUN)
			first_packet(g, m);
		else if (!holdside_keeps(g, sa, m))
			give_back(g, m);
	}
}

void holdside_expire(struct gate *g, struct sa *sa, uint64_t now)
{
	while (sa->hold.head && now - sa->hold.head->now > HOLD_NS)
		drop_first(g, sa, REASON_HOLD_EXPIRED);
}

void holdside_succeed(struct gate *g, struct sa *old, struct sa *sa)
{
	struct msg *m;

	while (old && old != sa && (m = take(g, old)))
		put(g, sa, m);
}

void holdside_end(struct gate *g, struct sa *sa)
{
	while (sa->hold.head)
		drop_first(g, sa, REASON_HOLD_EXPIRED);
}

static void end(struct sa *sa, void *arg)
{
	holdside_end(arg, sa);
}

void holdside_fini(struct gate *g)
{
	tables_each_sa(&g->plane.tables, end, g);
}
