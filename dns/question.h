/* SPDX-License-Identifier: MIT */
/* The questions in flight: table, asks, timers, bounds. */
#pragma once

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/reason.h"
#include "dns/cache.h"
#include "dns/crowd.h"
#include "dns/deaf.h"
#include "dns/dname.h"
#include "dns/dns.h"
#include "dns/hiprr.h"
#include "dns/outbox.h"
#include "dns/pins.h"
#include "dns/policy.h"
#include "dns/scan.h"
#include "dns/upstream.h"

/* THEORY OF OPERATION
 * A question is one thing somebody wants to know: a client's query, or a
 * name the daemon itself looks up. It has slots, one for each fact it
 * needs; a slot sends asks (a first one, perhaps another when no answer
 * comes, one over TCP when the answer was cut short) and ends as ANSWERED
 * or FAILED. A slot whose answer another question's ask will bring follows
 * that one and sends its own only when none comes. answer.c fills slots from
 * messages; progress.c looks at the slots and decides; it is called after
 * each change, so the order in which answers come does not matter.
 *
 * Most questions are about names that are no HIP host's: what only a HIP
 * host needs (struct place) is made when there is one.
 *
 * Bounds: questions_max questions (the network that has most makes room for
 * the next, see crowd.h), client_max of one client address,
 * ASKS_MAX asks each, QUERY_MAX octets of query each, and HELD_MAX octets
 * of answers that wait for a decision. Every wait of a question has an end
 * (..._WAIT), and it has at most four, one after the other. Owner: the
 * control thread.
 *
 * A question that begins anew because the servers are others (serverlist.h)
 * has all of its time again: half a wait for its HIP record would take a HIP
 * host for a plain one.
 */

#define QUERY_MAX 4096
#define HELD_MAX (32U << 20)
#define NEVER UINT64_MAX
#define MS 1000000ULL

#define HIP_RESEND (750 * MS)
#define HIP_WAIT (1500 * MS) /* then the policy decides without */
#define OTHER_RESEND (1000 * MS)
/* Clients give up after 5 s (glibc, dig): they are to hear why before. */
#define OTHER_WAIT (4500 * MS)
#define TCP_WAIT (3000 * MS)
/* With one address known, the other family is waited for no longer. */
#define LOCATE_GRACE (500 * MS)
#define GIVE_WAIT (10000 * MS)

/* What is asked: the client's own query; HIP, A and AAAA of the name; A and
 * AAAA of each rendezvous server. */
enum slot {
	SLOT_OWN,
	SLOT_HIP,
	SLOT_A,
	SLOT_AAAA,
	SLOT_RVS, /* + 2 i: A of server i; + 2 i + 1: AAAA; of a place only */
	SLOT_NUM = SLOT_RVS + 2 * HIPRR_RVS_MAX,
};

enum found {
	FOUND_IDLE,	/* not asked: to WAIT */
	FOUND_WAIT,	/* asked: to ANSWERED, FAILED */
	FOUND_ANSWERED, /* final, but an OWN that was cut short */
	FOUND_FAILED,	/* final */
	FOUND_NUM,
};

/* A slot that another question's ask is to answer. */
struct follow {
	struct question *q;  /* whose slot it is; NULL: it follows nobody */
	struct follow *next; /* in its bucket */
	enum slot slot;
};

struct slot_state {
	enum found found;
	bool tcp;    /* the last ask went over TCP */
	bool silent; /* FAILED, for its time was over */
	bool odd;    /* it had an address that is not among addrs */
	struct follow follow;
	unsigned tries;
	uint64_t resend_at;
	uint64_t fail_at;
	uint32_t ttl;
	size_t num;
	struct addr addrs[DNS_LOCATORS_MAX];
};

#define ASKS_MAX (3 * SLOT_NUM)

struct ask {
	struct ask *next;     /* in its bucket */
	struct ask *next_own; /* of its question */
	struct ask *next_key; /* the same, by what is asked */
	struct question *q;
	uint32_t id;
	uint16_t msg_id;
	enum slot slot;
	struct endpoint server;
	unsigned wrong; /* answers that were not from there, or not to it */
	bool tcp;
	bool edns;     /* of ours: with EDNS */
	bool unread;   /* that was not understood */
	bool validate; /* by the daemon's validator */
	bool live;     /* in the table; DNS_ASK_DONE not yet said */
};

enum question_kind {
	QUESTION_RELAY,	  /* as if we were not there */
	QUESTION_LOOKUP,  /* a name that may be a HIP host's */
	QUESTION_RESOLVE, /* the daemon's own */
	QUESTION_REFRESH, /* ours: an answer that will soon be too old */
	QUESTION_PROBE,	  /* ours: does that server ask us? see loop.c */
	QUESTION_TRIAL,	  /* ours: what does it not answer? see deaf.c */
	QUESTION_NUM,
};

enum question_stage {
	STAGE_ASKING,	/* is it a HIP host's name? to LOCATING, end */
	STAGE_LOCATING, /* it is; where is it? to GIVING, end */
	STAGE_MAPPING,	/* the daemon maps real addresses; to GIVING, end */
	STAGE_GIVING,	/* the daemon finds a substitute; to end */
	STAGE_NUM,
};

enum hip_found {
	HIP_NONE, /* the server says there is no HIP record */
	HIP_BAD,  /* there are, none can be used */
	HIP_GOOD, /* question.place holds the one that is used */
	HIP_FOUND_NUM,
};

struct client;
struct local;

/* Of a HIP host. */
struct place {
	struct dns_host host;
	struct dname owner; /* at the end of the CNAMEs */
	struct dname rvs[HIPRR_RVS_MAX];
	size_t rvs_num;
	struct slot_state slots[SLOT_NUM - SLOT_RVS];
};

struct question {
	uint32_t id;
	enum question_kind kind;
	enum question_stage stage;
	enum dns_mode mode;   /* REQUIRE for what is pinned */
	bool transparent;     /* real addresses, where they may be */
	bool local;	      /* a dns_record; no server is asked for HIP */
	bool located;	      /* and its A and AAAA are that record's */
	bool looped;	      /* nobody could be asked: they all ask us */
	bool pinned;	      /* the name, or one that it leads to */
	bool watched;	      /* RELAY, but not to what requires HIP */
	bool aside;	      /* HIP is asked of `host`, not of the name */
	struct dns_asker who; /* RESOLVE: only server and token */
	struct scan_header header;
	struct scan_question asked;
	struct scan_edns edns;

	uint8_t *query; /* the client's octets */
	size_t query_len;
	uint8_t *own; /* the server's answer to them, held back */
	size_t own_len;
	bool own_cut; /* it was truncated */

	struct dname host; /* see svcb.h */
	size_t leads;	   /* of what own leads to, looked at */
	uint64_t leads_by; /* and how long; 0: not yet */

	enum hip_found hip;
	struct hit want;     /* RESOLVE: the one looked for; null: any */
	bool bogus;	     /* the answer to HIP does not validate */
	bool hip_seen;	     /* a HIP record was there, usable or not */
	struct place *place; /* NULL: none is known */
	uint64_t grace_at;
	uint64_t give_by;

	struct slot_state slots[SLOT_RVS];
	struct ask *asks; /* the last one first */
	size_t asks_num;

	uint64_t deadline;
	size_t heap_at;	       /* its place in dns.heap */
	struct question *next; /* in its bucket */
	struct client *client;
	struct question *client_next;
	struct crowd_seat seat;
};

enum { QUESTION_IDS = 64 };

struct dns {
	struct prefix pool6;
	struct prefix pool4;
	uint32_t ttl_max;
	uint32_t questions_max;
	uint32_t client_max;
	const struct lease *lease;
	bool hide;
	bool discourage;
	enum dns_dnssec dnssec;
	enum dns_validating validating;
	bool (*key_fits)(uint8_t pk_alg, const uint8_t *pk, size_t pk_len,
			 const struct hit *hit);
	bool (*own_ask)(void *arg, uint32_t ask, const struct endpoint *from);
	void *arg;
	struct prefix real[DNS_REAL_MAX];
	size_t real_num;
	struct policy *policy;
	struct pins *pins;
	struct cache *cache;
	struct upstream upstream;
	struct deaf deaf;
	uint64_t probed_at;  /* ns: all servers, because of a client */
	struct local *local; /* NULL: there are none */
	struct outbox outbox;
	struct reasons reasons;

	struct question **heap; /* the earliest deadline first */
	uint32_t *listed;	/* room for as many ids (serverlist.c) */
	size_t num;
	size_t held; /* octets in question.own */
	uint32_t last_id;
	uint32_t last_ask;
	size_t mask; /* buckets - 1, of each table below */
	struct question **by_id;
	struct ask **by_ask;
	struct client **by_client;
	struct crowd *crowd;
	struct ask **by_key;	   /* live ones, by what is asked */
	struct follow **by_follow; /* the same of those who follow */
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	uint16_t ids[QUESTION_IDS]; /* of chance, for messages to come: */
	unsigned ids_left;	    /*  so many; each is used once */
};

int question_table_init(struct dns *d) HG_CHECK;
void question_table_fini(struct dns *d);

/* HG_EFULL: that client has its share; HG_EAGAIN: the table is full, one must
 * end first. who NULL: not a client's. Else it has no ask and no deadline. */
int question_add(struct dns *d, const struct dns_asker *who,
		 struct question **out) HG_CHECK;
/* Says DNS_ASK_DONE for each ask and frees it. */
void question_end(struct dns *d, struct question *q);
struct question *question_find(const struct dns *d, uint32_t id);
struct ask *question_find_ask(const struct dns *d, uint32_t id);
/* The same client asked the same before and waits (a retransmission). */
bool question_is_repeated(const struct dns *d, const struct dns_asker *who,
			  uint16_t id, const struct scan_question *asked);

/* Its slots are those below this one. */
static inline enum slot question_slots(const struct question *q)
{
	return q->place ? SLOT_NUM : SLOT_RVS;
}

static inline struct slot_state *question_slot(const struct question *q,
					       enum slot slot)
{
	return (struct slot_state
			*)(slot < SLOT_RVS ? &q->slots[slot]
					   : &q->place->slots[slot - SLOT_RVS]);
}

/* Its place, made when there is none; NULL: no memory. */
struct place *question_place(struct question *q);
/* The name asked, as text; "": it is too long. */
void question_name(const struct question *q, char out[DNS_NAME_MAX]);
/* Are the answers to the client's own query as good as ours? */
bool question_trusts(const struct dns *d, const struct question *q);

/* What a slot asks for. */
uint16_t question_slot_type(const struct question *q, enum slot slot);
const struct dname *question_slot_name(const struct question *q,
				       enum slot slot);

/* Where the slot's next ask goes; port 0: there is nobody to ask. */
struct endpoint question_server(const struct dns *d, const struct question *q,
				enum slot slot, uint64_t now);
struct cache_key question_key(const struct dns *d, const struct question *q,
			      enum slot slot);
/* Does the daemon's validator answer the slot? */
bool question_is_judged(const struct dns *d, const struct question *q,
			enum slot slot);
/* Sends msg (its id in the first two octets) for a slot. */
int question_ask(struct dns *d, struct question *q, enum slot slot,
		 const struct endpoint *server, const uint8_t *msg,
		 size_t len) HG_CHECK;
/* The live asks for that name and type, one after the other; after NULL: the
 * first. */
struct ask *question_asked(const struct dns *d, const struct dname *name,
			   uint16_t type, const struct ask *after);
/* Does somebody else wait for the same answer? */
bool question_is_asked(const struct dns *d, const struct question *q,
		       enum slot slot);
void question_follow(struct dns *d, struct question *q, enum slot slot);
/* Nothing for one that follows nobody. */
void question_unfollow(struct dns *d, struct question *q, enum slot slot);
/* Who waits for that answer, one after the other; after NULL: the first. */
struct follow *question_follower(const struct dns *d,
				 const struct cache_key *key,
				 const struct follow *after);
/* Says DNS_ASK_DONE for every live ask of a slot. */
void question_close(struct dns *d, struct question *q, enum slot slot);
void question_ask_done(struct dns *d, struct ask *a);
/* Computes the deadline anew from the slots. */
void question_arm(struct dns *d, struct question *q);
