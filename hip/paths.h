/* SPDX-License-Identifier: MIT */
/* The paths of one association: the peer's locators times our addresses. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "hip/checkquota.h"
#include "hip/hip.h"

#define PATHS_ASK_MAX 3 /* probes to an address that has not answered */

/* A locator of the peer (RFC 8046 5.1). */
struct paths_peer {
	struct endpoint at;
	uint64_t expires;
	bool active;	/* has answered there; else UNVERIFIED */
	bool over;	/* lifetime over, or withdrawn: DEPRECATED */
	bool announced; /* in its LOCATOR_SET; else seen */
	bool preferred;
	bool relayed;	   /* a port of the peer's at its data relay */
	bool given_up;	   /* it has not answered, and that was told */
	uint8_t rank;	   /* its place in the set */
	uint32_t priority; /* of a candidate (9028 4.2); 0: seen */
	uint8_t asked;	   /* probes since it last answered, */
	uint64_t forgiven; /*  or since it was listed anew, then */
	/* Through our data relay: by this address of ours there, and only by
	 * that; port 0: by all others. See datapath.c. */
	struct endpoint via;
	bool permit;	     /* the relay is to be told, */
	bool permit_sent;    /*  was told, and has not said that it heard, */
	uint32_t permit_in;  /*  of these SPIs, */
	uint32_t permit_out; /*  ours and the peer's; */
	uint64_t permit_at;  /*  and again then */
};

struct path {
	struct endpoint self; /* unspecified: the kernel picks */
	struct endpoint peer; /* one of the locators */
	bool dead;	      /* did not answer when others did */
	bool nominated;	      /* by the peer, which controls (9028 4.6.3) */
	bool unsure;	   /* the peer has told where it is since it answered */
	uint64_t verified; /* answered last; 0: never, or to be asked anew */
	uint64_t since;	   /* has answered since, after it was dead */
	uint64_t sent;	   /* when the outstanding UPDATE went there */
	uint32_t rtt_us;
};

/* Made when there is more than one locator, or a move. */
struct paths {
	struct paths_peer peer[HIP_LOCATORS_MAX];
	uint8_t peer_num;
	struct path v[HIP_PATHS_MAX];
	uint8_t num;
	uint32_t made_of; /* this list of our addresses: here.generation */
	uint32_t rtt_us;  /* the last that was measured on any; 0: none */
	/* The outstanding UPDATE: see spread.c. */
	uint32_t tried;
	uint32_t awaited; /* if await, the one to be answered */
	bool wide;
	/* What is being asked whether it lives: see reach.c. */
	bool check;	    /* the next UPDATE asks */
	bool seen;	    /*  because the peer was seen there */
	int8_t target;	    /* this path; -1: none */
	bool await;	    /* others have answered, it has not: wait */
	bool round;	    /* none has: another round of checks is due */
	bool echoed;	    /* the outstanding UPDATE has a signed nonce, */
	bool echo_spread;   /*  and went to more than one address: */
	struct endpoint to; /*  it was for this one */
	uint64_t again_at;  /* ask again a path that should be better */
	uint8_t again;	    /* so often in vain */
	uint64_t died;	    /* a path did last */
	uint64_t keep;	    /* ours until then, whatever the peer prefers */
	/* See regain.c. */
	struct endpoint
		gone; /* an address of ours that was lost; port 0: none */
	bool held;    /*  which died here, so it was not told */
	bool claimed; /*  and is to be preferred */
	bool retold;  /* what has died is told again */
	struct checkquota quota;
	uint64_t direct_at; /* relayed: another way is looked for then */
	uint8_t direct;	    /* so often in vain */
};

/* Made by the first change; it outlives the table, as a new exchange is when
 * one wants to know what was before. */
struct paths_past {
	struct hip_path_event ring[HIP_PATH_HISTORY];
	uint8_t events; /* that were put there, modulo 2 * HISTORY */
};

struct assoc;

/* The table, made from the current path if there is none; NULL: no memory. */
struct paths *paths_make(struct hip *h, struct assoc *a);
void paths_drop(struct assoc *a);
/* And its history. */
void paths_forget(struct assoc *a);
/* All pairs of one family anew; what is known of a pair stays. */
void paths_rebuild(struct hip *h, struct assoc *a);

/* Of those that no relay of ours is needed for. */
struct paths_peer *paths_peer(struct paths *p, const struct endpoint *at);
/* Of those that are reached from our relayed address `via`; port 0: as above. */
struct paths_peer *paths_peer_find(const struct paths *p,
				   const struct endpoint *at,
				   const struct endpoint *via);
/* The one a path leads to. */
struct paths_peer *paths_peer_of(const struct paths *p, const struct path *v);
/* Found or made, in place of one that was only seen; NULL: no room. */
struct paths_peer *paths_peer_add(const struct assoc *a, struct paths *p,
				  const struct endpoint *at);
/* The same for one that is reached from our relayed address `via`. */
struct paths_peer *paths_peer_add_via(const struct assoc *a, struct paths *p,
				      const struct endpoint *at,
				      const struct endpoint *via);
void paths_peer_del(struct paths *p, const struct endpoint *at);
void paths_peer_drop(struct paths *p, struct paths_peer *q);

/* One question more for each that might be a way without a relay, within the
 * quota of its address. */
void paths_once_more(struct paths *p, uint64_t now);
/* Tells, once, of each address that has not answered and may not be asked any
 * more, when nothing is under way that it could still answer. */
void paths_give_up(struct hip *h, struct assoc *a, uint64_t now);
/* It has never answered, and may not be asked any more. */
bool paths_spent(const struct paths *p, const struct paths_peer *q);

/* Places in the table, or -1. */
int paths_find(const struct paths *p, const struct endpoint *self,
	       const struct endpoint *peer);
int paths_current(const struct assoc *a);
/* Is it through a data relay, ours or the peer's? */
bool paths_relayed(const struct paths *p, const struct path *v);
/* The path we send by is being asked, or did not answer. */
bool paths_doubtful(const struct assoc *a);
/* The best way to this locator; to any (NULL). */
int paths_best(const struct hip *h, const struct assoc *a,
	       const struct endpoint *peer);
enum hip_path_state paths_state(const struct paths *p, const struct path *v);
/* Is x better than y? By all that counts; if both lived. */
bool paths_better(const struct hip *h, const struct assoc *a, int x, int y);
bool paths_preferred(const struct hip *h, const struct assoc *a, int x, int y);

/* We send by path n from now on: HIP_LOCATOR, HIP_PATH. */
void paths_take(struct hip *h, struct assoc *a, int n, enum hip_path_why why,
		uint64_t now);
/* HIP_PATH, and into the history. */
void paths_tell(struct hip *h, struct assoc *a, enum hip_path_why why,
		const struct endpoint *self, const struct endpoint *peer,
		uint64_t now);
/* When the next lifetime is over, or a better path is asked again. */
uint64_t paths_deadline(const struct assoc *a);
