/* SPDX-License-Identifier: MIT */
/* What the kernel says of its links, addresses and routes, by rtnetlink, when
 * it is asked. links.c makes of it what we are to know.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "links.h"

struct mnl_socket;

enum {
	RUNNING_MAX = 1024, /* links */
	ASKED_MAX = 4 * LINKS_MAX,
};

/* An address. a.quiet: on loopback, or to go out of use. */
struct told {
	struct links_address a;
	bool temporary; /* RFC 8981 */
	bool far;	/* its link leads to the Internet */
};

struct running {
	unsigned index;
	bool loopback;
};

/* All zero but `but` at first. */
struct asked {
	struct mnl_socket *sock; /* NULL: made when it is needed */
	unsigned seq;
	unsigned but; /* a link whose addresses are not wanted; 0: none */
	struct running running[RUNNING_MAX]; /* links that have a carrier */
	size_t running_num;
	struct told all[ASKED_MAX]; /* their addresses */
	size_t all_num;
	struct addr source; /* of a route that was asked for, */
	unsigned out;	    /*  and its interface */
	uint8_t buf[32768];
};

/* A netlink socket in these multicast groups (RTMGRP_*), with these flags of
 * socket(2) besides; NULL: errno says why. */
struct mnl_socket *asked_socket(unsigned groups, int flags);
/* Fills running and all anew. false: the kernel does not answer (logged). */
bool asked_all(struct asked *l);
/* The link by which the kernel sends from self (NULL: any) to to; through: if it must be
 * this one, or 0. 0: none. */
unsigned asked_way(struct asked *l, const struct addr *self,
		   const struct addr *to, unsigned through);
void asked_close(struct asked *l);
