/* SPDX-License-Identifier: MIT */
/* Which events belong together: what happened with one HIP host in one go. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/addr.h"
#include "dns/dns.h"

enum pagetrace_who {
	PAGETRACE_CLIENT,
	PAGETRACE_SELF,
	PAGETRACE_DNS,
	PAGETRACE_AGENT,
	PAGETRACE_PEER,
	PAGETRACE_WHO_NUM
};

enum pagetrace_kind {
	PAGETRACE_HIP,
	PAGETRACE_ASK, /* DNS */
	PAGETRACE_DATA,
	PAGETRACE_BAD,
	PAGETRACE_KIND_NUM
};

enum {
	PAGETRACE_STEPS = 36, /* of one trace that are kept */
	PAGETRACE_DNS_STEPS = 14,
	PAGETRACE_MAX = 48, /* traces looked at */
	PAGETRACE_SHOWN = 6,
	PAGETRACE_LABEL = 160
};

struct pagetrace_step {
	double t; /* unix seconds */
	char letter[8];
	enum pagetrace_who from, to; /* alike: something that is there now */
	enum pagetrace_kind kind;
	char event[24];		     /* its name */
	char label[PAGETRACE_LABEL]; /* may be a stranger's: escape it */
};

struct pagetrace {
	char hit[ADDR_TEXT_MAX];
	char name[DNS_NAME_MAX]; /* "": not known */
	char state[24];		 /* the association's last; "": no news */
	double last;
	bool hip;	  /* not DNS alone */
	bool via_rvs;	  /* its I1s go to an agent */
	unsigned dns;	  /* steps of DNS */
	unsigned skipped; /* steps that are not kept */
	size_t num;
	struct pagetrace_step step[PAGETRACE_STEPS];
};

/* The latest PAGETRACE_SHOWN with HIP in them, the newest first, out of JSON
 * lines, the oldest first. *num of them, heap; NULL: none, or no memory. */
struct pagetrace *pagetrace_read(char *const *lines, size_t lines_num,
				 size_t *num);
