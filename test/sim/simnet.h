/* SPDX-License-Identifier: MIT */
/* Engines on a bad network in virtual time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hip/hip.h"
#include "test/sim/simchance.h"
#include "test/sim/simlaw.h"

#define SIM_HOSTS 6
#define SIM_SERVERS 2
#define SIM_IDS 2 /* identities of one host at most */
#define SIM_NAMES (SIM_HOSTS * SIM_IDS)
#define SIM_LINKS 2
#define SIM_KNOWN 64 /* peers a NAT remembers */
#define SIM_SAS 96   /* SAs of one host at most */
#define SIM_TAPE 64  /* packets an attacker has heard */
#define SIM_MS UINT64_C(1000000)
#define SIM_S (1000 * SIM_MS)
#define SIM_NEVER UINT64_MAX

enum sim_kind {
	SIM_PACKET, /* a HIP message arrives */
	SIM_DATA,   /* an ESP packet arrives */
	SIM_JOB,    /* a job is done */
	SIM_BOOT,   /* a host starts again */
	SIM_KIND_NUM
};

/* An ESP packet, as far as it matters: what it was sealed with. */
struct sim_data {
	unsigned self; /* names: sender, */
	unsigned peer; /*  receiver */
	uint32_t spi;
	uint64_t key;	/* print of the key */
	bool must_open; /* nothing may lose it */
};

struct sim_event {
	uint64_t at;
	uint64_t order; /* ties: first put, first served */
	enum sim_kind kind;
	unsigned host; /* to whom */
	struct endpoint src;
	struct endpoint dst; /* PACKET, DATA: as the receiver knows it */
	uint8_t *msg;	     /* PACKET: heap */
	size_t len;
	struct sim_data data; /* DATA */
	struct hip_job *job;
	bool late;     /* JOB: runs when it is due, not before */
	bool fails;    /* JOB: does not run at all */
	unsigned life; /* JOB: of which life of the host */
};

/* One pair of SAs, as the daemon holds it. A pair of HITs may have several
 * inbound ones, but seals with one. */
struct sim_sa {
	bool in;       /* opens what comes to sa.spi_in */
	bool out;      /* seals */
	unsigned self; /* names */
	unsigned peer;
	struct sa_pair sa;
	uint64_t since;	 /* it has sealed since then */
	uint64_t seq;	 /* of the last packet sealed */
	uint64_t opened; /* packets */
};

/* What a NAT does: a mapping for all, or one for each whom is written to;
 * who may answer. */
enum sim_nat {
	SIM_NAT_OPEN,	   /* one mapping, everybody is let in */
	SIM_NAT_KEEPS,	   /* one mapping, those are who were written to */
	SIM_NAT_SYMMETRIC, /* each its own mapping, and only it is let in */
	SIM_NAT_NUM
};

/* See simmove.h. */
struct sim_link {
	bool on;
	bool cut;
	bool has_nat;
	enum sim_nat nat;
	struct endpoint known[SIM_KNOWN]; /* who was written to; n % KNOWN: */
	unsigned known_num;		  /*  that is its port, too */
	struct endpoint inner;		  /* as the host knows it */
	struct endpoint outer;		  /* as the world does */
};

/* Where an association's data go. */
struct sim_place {
	struct endpoint self;
	struct endpoint peer;
	bool stranded; /* none leave */
};

/* What the data relay passes on. */
struct sim_permit {
	struct endpoint port;	/* the client's, at the relay */
	struct endpoint client; /* where it is */
	struct endpoint other;	/* and its peer, as the relay sees it */
	uint32_t spi_in;	/* as the client has them */
	uint32_t spi_out;
	uint64_t last;	/* it was named, by its packets or by the client */
	uint64_t until; /* of the relay's clock */
	bool heard;
};

#define SIM_PERMITS 64

struct sim_host {
	struct hip *h;	    /* NULL: crashed */
	struct endpoint at; /* its first link's, seen from outside */
	struct sim_link link[SIM_LINKS];
	struct hip_config cfg;
	unsigned life;
	/* Its clock: at `base` (ours) it showed `shown`, and runs `ppm` parts
	 * in a million faster. */
	uint64_t base;
	uint64_t shown;
	int64_t ppm;
	uint64_t due;  /* the deadline hip_tick is late for, */
	uint64_t late; /*  by so much */
	uint32_t jobs; /* in flight */
	struct sim_sa sa[SIM_SAS];
	bool registered;
	bool leaving; /* hip_close of all: it will end */
};

/* Who is who: name n is identity n % SIM_IDS of host n / SIM_IDS. */
struct sim_name {
	bool is;
	size_t key; /* simkeys */
	struct hit hit;
};

/* How bad it is just now; chances are out of 1000. */
struct sim_weather {
	unsigned loss;
	unsigned dup;
	uint64_t delay; /* at least */
	uint64_t jitter;
	uint64_t job; /* jobs take up to */
	unsigned job_fail;
	uint64_t late; /* hip_tick comes late by up to */
};

struct sim_count {
	uint64_t sent;
	uint64_t attacks;
	uint64_t sealed;
	uint64_t opened;
	uint64_t crashes;
	uint64_t jumps;
	uint64_t sas;
	uint64_t rekeys;
	uint64_t moves;
};

struct sim {
	struct simchance chance;
	uint64_t now;
	uint64_t order;
	uint64_t ticked; /* when a timer last ran, */
	unsigned ticks;	 /*  so often since then */
	unsigned hosts;
	unsigned servers; /* the last so many hosts: rendezvous servers, */
	bool relay;	  /*  or control relays, */
	bool data;	  /*  one of which, host 2, relays data: simrelay.h */
	struct sim_permit permit[SIM_PERMITS];
	unsigned permits;
	unsigned picky; /* who may have a symmetric NAT without that; or none */
	bool roam;	/* hosts know where they are, and move */
	uint64_t taste; /* by which each prefers some paths */
	unsigned places; /* that somebody was at */
	struct sim_place place[SIM_NAMES][SIM_NAMES];
	struct sim_host host[SIM_HOSTS];
	struct sim_name name[SIM_NAMES];
	struct sim_weather weather;
	struct sim_event *heap;
	size_t num;
	size_t cap;
	struct sim_event tape[SIM_TAPE];
	unsigned taped;
	struct simlaw law;
	bool wanted[SIM_NAMES][SIM_NAMES]; /* by a user, since his last close */
	bool calm;	    /* what is sealed now must be opened */
	const char *broken; /* an invariant, in words; NULL: all hold */
	bool loud;
	struct sim_count count;
};

uint64_t simnet_random(struct sim *s, uint64_t n);
/* With servers, host 0 is a proxy, which only asks; the others are clients,
 * each of one server. */
static inline unsigned sim_clients(const struct sim *s)
{
	return s->hosts - s->servers;
}
static inline bool sim_is_server(const struct sim *s, unsigned i)
{
	return i >= sim_clients(s);
}
/* The server of client i. */
static inline unsigned sim_server(const struct sim *s, unsigned i)
{
	return s->hosts - 1 - i % s->servers;
}
/* hosts, name[], servers and each cfg are set; boots all. */
void simnet_start(struct sim *s);
void simnet_fini(struct sim *s);
/* The first broken invariant counts. */
void simnet_break(struct sim *s, const char *why);
/* What the host's clock shows. */
uint64_t simnet_clock(const struct sim *s, unsigned i);
/* It leaps: the machine was suspended. */
void simnet_jump(struct sim *s, unsigned i, uint64_t by);
void simnet_rate(struct sim *s, unsigned i, int64_t ppm);
void simnet_crash(struct sim *s, unsigned i, uint64_t back_after);
/* hip_want and hip_close by a user of the host; peer NULL: of all. */
int simnet_want(struct sim *s, unsigned self, unsigned peer,
		const struct endpoint *at, size_t num);
void simnet_close(struct sim *s, unsigned i, const struct hit *peer);
/* Lets time pass until then. */
void simnet_run(struct sim *s, uint64_t until);
/* Carries out what the host's engine wants and looks at the laws. Due after
 * every call on an engine. */
void simnet_effects(struct sim *s, unsigned i);
/* Puts an event at e.at, takes what it holds. */
void simnet_put(struct sim *s, const struct sim_event *e);
/* Through the weather: lost, late, twice. Copies e.msg. */
void simnet_travel(struct sim *s, const struct sim_event *e);
/* The name with this HIT, or -1. */
int simnet_name(const struct sim *s, const struct hit *hit);
