/* SPDX-License-Identifier: MIT */
/* Associations that wait for a job, the first to come first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* In the association; zero: it waits for none. */
struct jobwait {
	struct jobwait *next;
	struct jobwait **at; /* what points to it; NULL: it waits for none */
};

struct jobqueue {
	struct jobwait *first;
	struct jobwait **tail;
};

void jobqueue_init(struct jobqueue *q);
/* At the end, unless it is there already. */
void jobqueue_add(struct jobqueue *q, struct jobwait *w);
/* Nothing to do where it does not wait. */
void jobqueue_del(struct jobqueue *q, struct jobwait *w);
