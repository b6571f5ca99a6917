/* SPDX-License-Identifier: MIT */
/* Life of a flow: TCP tracking, idle timers, expiry.
 * RFC 4787 4.3, RFC 5382 5, RFC 5508 3.2, RFC 7857 2.
 *
 * THEORY OF OPERATION
 * Workers call flow_touch for each packet; the control thread calls
 * nat_expired on its sweep. Tracking only chooses the idle timer: no
 * segment is refused for its state, so a wrong guess costs a flow its rest
 * time and nothing else. Sequence numbers are not followed.
 *
 * A flow is SYN until the client's ACK ends the handshake: a peer alone
 * cannot lift it to the long timer. RST and the second FIN end it: it lives
 * on for the transitory time so that late segments still pass and the port
 * is not reused under them (RFC 5382 REQ-5, RFC 7857 2.2). A new SYN of the
 * client starts the same flow over. The RST of an open connection may be
 * forged: when the side in whose name it came goes on talking, it is alive
 * (RFC 6146 3.5.2.2); what the other side had on its way says nothing.
 * Only CLOSED is sure enough for its place to be taken early when that is
 * needed (ended.c). GONE is the control thread's: it has released the flow,
 * and no segment that a worker still passes brings it back.
 */
#include "nat/flow.h"

#include "core/wire.h"
#include "nat/ended.h"

#define NS_PER_S UINT64_C(1000000000)

enum {
	TCP_OPEN_S = 7440,	/* RFC 5382 REQ-5: 2 h 4 min */
	TCP_TRANSITORY_S = 240, /* RFC 5382 REQ-5: 4 min */
	UDP_S = 300,		/* RFC 4787 REQ-5 */
	ECHO_S = 60,		/* RFC 5508 REQ-2 */
};

enum event {
	C_SYN,
	C_ACK,
	C_FIN,
	C_RST,
	P_SYN,
	P_ACK,
	P_FIN,
	P_RST,
	EVENT_NUM
};

static const uint8_t steps[NAT_TCP_NUM][EVENT_NUM] = {
	/* Not yet tracked; only a client's SYN leaves it. */
	[NAT_TCP_NONE] = { [C_SYN] = NAT_TCP_SYN },
	[NAT_TCP_SYN] = { [C_SYN] = NAT_TCP_SYN,
			  [C_ACK] = NAT_TCP_OPEN,
			  [C_FIN] = NAT_TCP_FIN_CLIENT,
			  [C_RST] = NAT_TCP_CLOSED,
			  [P_SYN] = NAT_TCP_SYN,
			  [P_ACK] = NAT_TCP_SYN,
			  [P_FIN] = NAT_TCP_FIN_PEER,
			  [P_RST] = NAT_TCP_CLOSED },
	[NAT_TCP_OPEN] = { [C_SYN] = NAT_TCP_OPEN,
			   [C_ACK] = NAT_TCP_OPEN,
			   [C_FIN] = NAT_TCP_FIN_CLIENT,
			   [C_RST] = NAT_TCP_RST_CLIENT,
			   [P_SYN] = NAT_TCP_OPEN,
			   [P_ACK] = NAT_TCP_OPEN,
			   [P_FIN] = NAT_TCP_FIN_PEER,
			   [P_RST] = NAT_TCP_RST_PEER },
	[NAT_TCP_FIN_CLIENT] = { [C_SYN] = NAT_TCP_FIN_CLIENT,
				 [C_ACK] = NAT_TCP_FIN_CLIENT,
				 [C_FIN] = NAT_TCP_FIN_CLIENT,
				 [C_RST] = NAT_TCP_CLOSED,
				 [P_SYN] = NAT_TCP_FIN_CLIENT,
				 [P_ACK] = NAT_TCP_FIN_CLIENT,
				 [P_FIN] = NAT_TCP_CLOSED,
				 [P_RST] = NAT_TCP_CLOSED },
	[NAT_TCP_FIN_PEER] = { [C_SYN] = NAT_TCP_FIN_PEER,
			       [C_ACK] = NAT_TCP_FIN_PEER,
			       [C_FIN] = NAT_TCP_CLOSED,
			       [C_RST] = NAT_TCP_CLOSED,
			       [P_SYN] = NAT_TCP_FIN_PEER,
			       [P_ACK] = NAT_TCP_FIN_PEER,
			       [P_FIN] = NAT_TCP_FIN_PEER,
			       [P_RST] = NAT_TCP_CLOSED },
	[NAT_TCP_CLOSED] = { [C_SYN] = NAT_TCP_SYN,
			     [C_ACK] = NAT_TCP_CLOSED,
			     [C_FIN] = NAT_TCP_CLOSED,
			     [C_RST] = NAT_TCP_CLOSED,
			     [P_SYN] = NAT_TCP_CLOSED,
			     [P_ACK] = NAT_TCP_CLOSED,
			     [P_FIN] = NAT_TCP_CLOSED,
			     [P_RST] = NAT_TCP_CLOSED },
	/* Whoever is said to have sent RST and goes on had not. */
	[NAT_TCP_RST_CLIENT] = { [C_SYN] = NAT_TCP_SYN,
				 [C_ACK] = NAT_TCP_OPEN,
				 [C_FIN] = NAT_TCP_FIN_CLIENT,
				 [C_RST] = NAT_TCP_RST_CLIENT,
				 [P_SYN] = NAT_TCP_RST_CLIENT,
				 [P_ACK] = NAT_TCP_RST_CLIENT,
				 [P_FIN] = NAT_TCP_RST_CLIENT,
				 [P_RST] = NAT_TCP_CLOSED },
	[NAT_TCP_RST_PEER] = { [C_SYN] = NAT_TCP_SYN,
			       [C_ACK] = NAT_TCP_RST_PEER,
			       [C_FIN] = NAT_TCP_RST_PEER,
			       [C_RST] = NAT_TCP_CLOSED,
			       [P_SYN] = NAT_TCP_RST_PEER,
			       [P_ACK] = NAT_TCP_OPEN,
			       [P_FIN] = NAT_TCP_FIN_PEER,
			       [P_RST] = NAT_TCP_RST_PEER },
	[NAT_TCP_GONE] = { [C_SYN] = NAT_TCP_GONE,
			   [C_ACK] = NAT_TCP_GONE,
			   [C_FIN] = NAT_TCP_GONE,
			   [C_RST] = NAT_TCP_GONE,
			   [P_SYN] = NAT_TCP_GONE,
			   [P_ACK] = NAT_TCP_GONE,
			   [P_FIN] = NAT_TCP_GONE,
			   [P_RST] = NAT_TCP_GONE },
};

static const char *const names[] = {
	[NAT_TCP_NONE] = "none",
	[NAT_TCP_SYN] = "syn",
	[NAT_TCP_OPEN] = "open",
	[NAT_TCP_FIN_CLIENT] = "fin-client",
	[NAT_TCP_FIN_PEER] = "fin-peer",
	[NAT_TCP_CLOSED] = "closed",
	[NAT_TCP_RST_CLIENT] = "rst-client",
	[NAT_TCP_RST_PEER] = "rst-peer",
	[NAT_TCP_GONE] = "gone",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == NAT_TCP_NUM,
	       "one name for each state");

static enum event event_of(bool from_client, uint8_t flags)
{
	if (flags & TCP_RST)
		return from_client ? C_RST : P_RST;
	if (flags & TCP_FIN)
		return from_client ? C_FIN : P_FIN;
	if (!from_client)
		return flags & TCP_SYN ? P_SYN : P_ACK;
	/* A client's SYN+ACK ends a simultaneous open (RFC 5382 REQ-2). */
	return (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN ? C_SYN : C_ACK;
}

uint32_t flow_tcp_next(uint32_t state, bool from_client, uint8_t flags)
{
	return steps[state][event_of(from_client, flags)];
}

bool flow_is_over(uint32_t state)
{
	return state == NAT_TCP_CLOSED || state == NAT_TCP_RST_CLIENT ||
	       state == NAT_TCP_RST_PEER;
}

uint64_t flow_idle_max_ns(uint32_t proto, uint32_t state)
{
	if (proto == IP_PROTO_TCP)
		return (state == NAT_TCP_OPEN ? TCP_OPEN_S : TCP_TRANSITORY_S) *
		       NS_PER_S;
	return (proto == IP_PROTO_UDP ? UDP_S : ECHO_S) * NS_PER_S;
}

/* Control and workers may change the state at once. The control thread is
 * told when a flow comes to CLOSED or leaves it (ended.h). */
static void flow_step(struct nat_flow *f, bool from_client, uint8_t flags)
{
	uint32_t word = atomic_load_explicit(&f->tcp, memory_order_relaxed);
	uint32_t want;

	do {
		uint32_t state = word & ~NAT_TOLD;
		uint32_t next = flow_tcp_next(state, from_client, flags);

		if (next == state)
			return;
		want = next | (word & NAT_TOLD);
		if (f->space &&
		    (next == NAT_TCP_CLOSED || state == NAT_TCP_CLOSED))
			want |= NAT_TOLD;
	} while (!atomic_compare_exchange_weak_explicit(&f->tcp, &word, want,
							memory_order_acq_rel,
							memory_order_relaxed));
	if (want & ~word & NAT_TOLD)
		ended_tell(f);
}

/* Without the bus lock that an atomic addition takes: these are for people
 * to look at, and two workers seldom have the same flow at once. */
static void flow_count(_Atomic uint64_t *n)
{
	uint64_t v = atomic_load_explicit(n, memory_order_relaxed);

	atomic_store_explicit(n, v + 1, memory_order_relaxed);
}

void flow_touch(struct nat_flow *f, bool from_client, const uint8_t *l4,
		uint64_t now)
{
	atomic_store_explicit(&f->last, now, memory_order_relaxed);
	flow_count(from_client ? &f->out_packets : &f->in_packets);
	if (f->key.proto == IP_PROTO_TCP)
		flow_step(f, from_client, l4[13]);
}

bool nat_expired(const struct nat_flow *f, uint64_t now)
{
	struct nat_flow *flow = (struct nat_flow *)f; /* loads only */
	uint64_t last = atomic_load_explicit(&flow->last, memory_order_relaxed);
	uint32_t state =
		atomic_load_explicit(&flow->tcp, memory_order_relaxed) &
		~NAT_TOLD;

	/* A worker's clock reading may be newer than the sweep's. */
	return now > last && now - last > flow_idle_max_ns(f->key.proto, state);
}

const char *nat_state_name(const struct nat_flow *f)
{
	return names[atomic_load_explicit(&((struct nat_flow *)f)->tcp,
					  memory_order_relaxed) &
		     ~NAT_TOLD];
}
