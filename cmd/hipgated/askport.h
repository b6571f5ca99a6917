/* SPDX-License-Identifier: MIT */
/* UDP sockets for questions to DNS servers, and some that are ready for them.
 *
 * THEORY OF OPERATION
 * Control thread only. Each question leaves from a socket that is connected
 * to its server and has a port that the kernel draws (T10), and none leaves
 * from there again. To make such a socket and to close it takes as long as
 * all else that is done for a question; so a few are made beforehand for each
 * server that was asked lately, and closed behind an answer: eight at a
 * time, or once a second (askport_tend).
 *
 * When it is connected a socket gets its source address, and an answer can
 * only come to that. So none is older than ASKPORT_AGE when it is used, and
 * all are dropped on news of addresses and default routes (askport_drop). Other
 * routes and rules may change unnoticed: a server that has said nothing for
 * ASKPORT_MUTE since it was asked loses what is ready for it, so that nothing
 * is sent again from there; one that cannot send is replaced by a new one.
 * Where more servers are asked in turn than there are places, none is taken
 * from another: what is made beforehand would be closed before it is used.
 *
 * What comes to a port that has asked nothing was sent by who guessed it: it
 * is not read, the port is never used, and the caller counts it. So whoever
 * looks for a port that is ready has spoilt it when he finds it. What comes
 * to one that has had its answer is a repetition, and ends it as well.
 *
 * Events name a port by its address, so what an event has ended is freed by
 * askport_tend alone, never while events are gone through.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

enum {
	ASKPORT_SERVERS = 4, /* that have ports ready: those asked last */
	ASKPORT_READY = 16,  /* ports for each of them */
	ASKPORT_CLOSE = 8,   /* so many that are spent are closed at once */
	ASKPORT_OPEN = 64,   /* spent ones that are not closed yet */
};

#define ASKPORT_AGE (30 * UINT64_C(1000000000))	 /* ns */
#define ASKPORT_MUTE (100 * UINT64_C(1000000))	 /* ns */
#define ASKPORT_PLACE (5 * UINT64_C(1000000000)) /* ns, before another has it */

enum askport_state {
	ASKPORT_IDLE,  /* never used; to ASKED, SPENT */
	ASKPORT_ASKED, /* to SPENT */
	ASKPORT_SPENT, /* until it is freed */
};

struct askport {
	struct askport *next; /* idle or spent */
	enum askport_state state;
	int fd; /* -1: closed already */
	uint64_t born;
	void *asker;		   /* ASKED: the caller's */
	struct askport_server *at; /* ASKED: its place, or NULL */
};

struct askport_server {
	struct endpoint at;
	uint64_t used;	/* ns; 0: a place that is free */
	uint64_t since; /* it was asked and says nothing; 0: it has */
	struct askport *idle;
	unsigned num; /* of idle */
};

struct askports {
	int waits;	/* epoll that tells of readable ones; borrowed */
	unsigned ready; /* wanted for each server: at most ASKPORT_READY */
	struct askport_server server[ASKPORT_SERVERS];
	struct askport *spent;
	unsigned spent_num;
	unsigned strays; /* found where nothing was asked; the caller counts */
};

/* Sends msg to that server from a port that is the asker's until
 * askport_end. NULL: errno says why. */
struct askport *askport_ask(struct askports *p, const struct endpoint *server,
			    const void *msg, size_t len, uint64_t now);
void askport_end(struct askports *p, struct askport *port);
/* waits says that it is readable. Its asker, who is to read; NULL: it has
 * none. True in *stray: and it never had. */
void *askport_readable(struct askports *p, struct askport *port, bool *stray);
/* What was to be sent has been: closes what is spent and makes ready what was taken, if
 * it is worth while. all: in any case, and looks for what is too old. */
void askport_tend(struct askports *p, bool all, uint64_t now);
/* What is ready may have a source address that is not ours any more. */
void askport_drop(struct askports *p);
/* Frees all but those that ask. */
void askport_fini(struct askports *p);
