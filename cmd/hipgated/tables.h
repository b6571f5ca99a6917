/* SPDX-License-Identifier: MIT */
/* The published tables: what workers look up while control changes it.
 *
 * THEORY OF OPERATION
 * Read-mostly objects live in hash tables whose readers take no lock
 * (linetable.h): mappings by substitute address, flows by their legacy key
 * and by their HIP key, SAs by inbound SPI and by HIT pair. Only the control
 * thread adds and removes; workers look up between two quiescent states of
 * liburcu (QSBR flavour) and keep no pointer across them. A published object
 * is constant but for the fields marked with their rule. Removal hands the
 * object to call_rcu, so keys are wiped and memory freed when no worker can
 * still see it. Every thread that looks up is registered
 * (tables_thread_begin) and reports offline while it waits in its loop.
 *
 * Workers have several packets at a time, and look all of them up together
 * (seek.h).
 *
 * Order on set-up: SA, then mapping, then flow, then the packet; teardown
 * reversed.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <urcu-qsbr.h>

#include "core/addr.h"
#include "core/sa.h"
#include "esp/esp.h"
#include "linepool.h"
#include "linetable.h"
#include "nat/nat.h"
#include "sockets.h"

/* What one ESP packet on a path carries; outer headers have their say. */
struct path_size {
	uint32_t l4_most; /* upper-layer octets */
	uint16_t mss;	  /* TCP payload, for SYNs; 0: not known */
	uint16_t outer;	  /* octets of the outer IP packet */
	enum esp_pmtu_by by;
	bool df; /* outer packets are not to be cut */
};

struct msg;

enum {
	PATH_OVERHEAD = 128, /* ESP and the copied headers of a piece */
};

/* From where to where. */
struct path_ends {
	struct sockets_from from;
	struct endpoint peer;
	bool verified; /* the peer has proved to be there (RFC 8046 5.4) */
	bool stranded; /* no address of ours leads there; nothing leaves */
};

/* Where a peer is: constant but for the first two, replaced as a whole. */
struct path {
	struct rcu_head rcu;
	_Atomic bool refused;	/* workers: the kernel says EMSGSIZE */
	_Atomic int64_t credit; /* octets of ESP that may still go there while
				 * it is not verified (RFC 8046 5.6): control
				 * adds, workers take */
	struct path_ends ends;
	struct path_size size;
	struct sockaddr_in6 to; /* the same, or sockaddr_in, for the kernel */
	socklen_t to_len;
};

/* May ESP of so many octets go there now? */
static inline bool path_open(const struct path *p, size_t wire)
{
	if (p->ends.stranded || p->ends.verified)
		return !p->ends.stranded;
	return atomic_load_explicit(&((struct path *)p)->credit,
				    memory_order_relaxed) >= (int64_t)wire;
}

/* What a packet from the TUN makes at most; gso_size 0: one piece. */
static inline size_t path_wire_most(size_t len, uint16_t gso_size)
{
	size_t pieces = gso_size ? len / gso_size + 1 : 1;

	return len + pieces * PATH_OVERHEAD;
}

/* What waits for the way of an SA to open: see holdside.c. */
struct hold {
	struct msg *head, *tail;
	unsigned num;
	size_t bytes;
};

/* What an SA needs while it is used: constant, made and replaced as a
 * whole. */
struct sa_contexts {
	struct rcu_head rcu;
	unsigned workers;
	struct esp_ctx *open; /* owner: worker `owner` */
	/* owner: worker k has seal[k]; all the same if esp_ctx_shared */
	struct esp_ctx *seal[]; /* workers */
};

/* A pair of SAs with one peer. Who writes what has cache lines of its own. */
struct sa {
	_Alignas(64) struct hit self; /* const */
	struct hit peer;	      /* const */
	uint32_t spi_in;	      /* const */
	uint32_t spi_out;	      /* const */
	uint16_t suite;		      /* const */
	bool initiator;		      /* const */
	unsigned owner;	     /* const: worker that opens; spi_in % workers */
	unsigned workers;    /* const */
	uint64_t pseudo_out; /* const: pseudo-header sum self -> peer */
	/* Control stores, workers load. Contexts: NULL while it rests. */
	_Alignas(64) _Atomic(struct path *) path;
	_Atomic(struct sa_contexts *) contexts;
	_Atomic unsigned probed; /* answers that may come: control adds,
				  * worker `owner` takes */
	_Atomic bool strayed;	 /* worker `owner` sets, control clears: it has
			       * come from elsewhere than path says */
	uint64_t created_ns;	 /* const */
	struct rcu_head rcu;
	_Alignas(64) _Atomic uint64_t next_seq;	 /* any worker takes a batch */
	_Atomic uint64_t out_packets, out_bytes; /* any worker */
	_Alignas(64) _Atomic uint64_t in_packets, in_bytes; /* `owner` */
	struct esp_replay replay; /* owner: worker `owner` */
	/* Control only. */
	_Alignas(64) struct sa_keys in; /* const, as `out` */
	struct sa_keys out;
	uint64_t out_seen, in_seen, in_bytes_seen; /* for hip_traffic */
	struct esp_pmtu pmtu;
	uint64_t look_at;		  /* ns; the route, again */
	unsigned stalled;		  /* seconds out, nothing in */
	unsigned idle;			  /* seconds since it was used */
	uint64_t out_stepped, in_stepped; /* pathside_step's counts */
	struct hold hold;
};

/* Substitute addresses of a HIP host, or real ones: two, or one twice. All
 * const. */
struct mapping {
	_Alignas(64) union linepool_link link;
	struct addr virt[2];
	struct hit peer;
};

_Static_assert(sizeof(struct mapping) == 64, "a cache line");

/* Members that are ours stand in room that the NAT leaves to us. */
struct flow {
	union {
		_Alignas(64) struct nat_flow nat; /* rules: see nat.h */
		struct {
			char before[offsetof(struct nat_flow, owner)];
			_Atomic bool answered; /* any worker: the first packet
						* came back */
		};
		struct {
			char ahead[offsetof(struct nat_flow, spare)];
			union linepool_link link; /* once discarded */
		};
	};
};

_Static_assert(sizeof(union linepool_link) <=
		       sizeof(((struct nat_flow *)NULL)->spare),
	       "room for it");
_Static_assert(sizeof(struct flow) == 192, "three cache lines");

/* SAs by what they are between. */
struct tables_pair {
	struct hit self;
	struct hit peer;
};

struct tables {
	struct linetable mapping;
	struct linetable flow_key;
	struct linetable flow_back;
	struct linetable sa_spi;
	struct linetable sa_pair;
	struct linepool mapping_pool;
	struct linepool flow_pool;
	uint8_t hash_key[16]; /* const: siphash key, so that no one can aim */
	/* control only */
	size_t mappings; /* addresses */
	size_t flows, sas;
};

int tables_init(struct tables *t) HG_CHECK;
/* Removes everything and waits for the readers. */
void tables_fini(struct tables *t);

void tables_thread_begin(void);
void tables_thread_end(void);
/* Around waiting for events: no pointer from a table may be held. Who is
 * online already and comes online lets go of all, too. */
void tables_offline(void);
void tables_online(void);

/* Control thread. All of num addresses, one or two, denote peer. HG_EEXIST:
 * one of them denotes a host already; nothing is added. */
int tables_add_mapping(struct tables *t, const struct addr *virt, size_t num,
		       const struct hit *peer) HG_CHECK;
/* virt, and what it was added with, denote nobody any more. */
void tables_del_mapping(struct tables *t, const struct addr *virt);
/* A flow to be filled, or NULL. */
struct flow *tables_new_flow(struct tables *t);
/* Publishes f, whose nat part is filled and stays so. HG_EEXIST: a key is
 * taken; f is in no table, but a reader may have seen it. */
int tables_add_flow(struct tables *t, struct flow *f) HG_CHECK;
/* Takes f out of both tables. */
void tables_del_flow(struct tables *t, struct flow *f);
/* Frees f, which is in no table, when no reader can see it any more; the
 * NAT has no use for it either. */
void tables_free_flow(struct tables *t, struct flow *f);
/* The same, at once: f was never published. */
void tables_give_flow(struct tables *t, struct flow *f);
/* Makes the contexts of all workers and publishes: it opens, and does not
 * send until tables_use_sa. Nothing is too large for its path until
 * tables_move_sa says so. */
int tables_add_sa(struct tables *t, const struct sa_pair *pair,
		  const struct path_ends *ends, unsigned workers,
		  bool initiator, uint64_t now) HG_CHECK;
/* From now on this one sends; the SA of the same HIT pair that did until
 * now opens until tables_del_sa. */
int tables_use_sa(struct tables *t, struct sa *sa) HG_CHECK;
void tables_del_sa(struct tables *t, uint32_t spi_in);
/* An SA that nobody uses needs no contexts, which are more than half of what
 * it takes. What a worker has for one that rests comes to control, and
 * again when it is awake: nothing is lost by it but time. */
void tables_rest_sa(struct sa *sa);
/* Nothing to do for one that is awake. */
int tables_wake_sa(struct sa *sa) HG_CHECK;
/* A new path, unless it is what there is. What is left of the credit stays
 * with the peer's address. */
int tables_move_sa(struct sa *sa, const struct path_ends *ends,
		   const struct path_size *size) HG_CHECK;
/* Any thread: so many go there, if they may. */
static inline bool path_spend(struct path *p, size_t wire)
{
	int64_t left;

	if (p->ends.stranded || p->ends.verified)
		return !p->ends.stranded;
	left = atomic_load_explicit(&p->credit, memory_order_relaxed);
	while (left >= (int64_t)wire) {
		if (atomic_compare_exchange_weak(&p->credit, &left,
						 left - (int64_t)wire))
			return true;
	}
	return false;
}

/* What is left of old's credit is sa's, which goes the same way. */
void tables_inherit_credit(struct sa *sa, struct sa *old);
/* So many octets more may go to where the peer is said to be. */
void tables_credit_sa(struct sa *sa, uint64_t octets);

/* The hash of a key of any of the tables. */
uint64_t tables_hash(const struct tables *t, const void *key, size_t len);

/* Any registered thread, online. In steps, for several at once: seek.h. */
const struct mapping *tables_mapping(const struct tables *t,
				     const struct addr *virt);
struct flow *tables_flow(const struct tables *t, const struct nat_key *key);
struct flow *tables_flow_back(const struct tables *t,
			      const struct nat_back *key);
struct sa *tables_sa_in(const struct tables *t, uint32_t spi);
struct sa *tables_sa_out(const struct tables *t, const struct hit *self,
			 const struct hit *peer);

/* Control thread; fn may delete the object it is given. */
void tables_each_flow(struct tables *t, void (*fn)(struct flow *f, void *arg),
		      void *arg);
void tables_each_sa(struct tables *t, void (*fn)(struct sa *s, void *arg),
		    void *arg);
