/* SPDX-License-Identifier: MIT */
/* What the kernel says of this process. */
#pragma once

#include <stdint.h>

struct procinfo {
	double cpu_s;	  /* user and system */
	double started_s; /* unix seconds; 0: not known */
	uint64_t resident_bytes, virtual_bytes;
	uint64_t fds, fds_max;
	uint64_t threads;
};

/* Any thread. What it does not say is 0. */
void procinfo_look(struct procinfo *p);
