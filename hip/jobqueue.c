/* SPDX-License-Identifier: MIT */
/* Associations that wait for a job, the first to come first. */
#include "hip/jobqueue.h"

void jobqueue_init(struct jobqueue *q)
{
	q->first = NULL;
	q->tail = &q->first;
}

void jobqueue_add(struct jobqueue *q, struct jobwait *w)
{
	if (w->at)
		return;
	w->next = NULL;
	w->at = q->tail;
	*q->tail = w;
	q->tail = &w->next;
}

void jobqueue_del(struct jobqueue *q, struct jobwait *w)
{
	if (!w->at)
		return;
	*w->at = w->next;
	if (w->next)
		w->next->at = w->at;
	else
		q->tail = w->at;
	w->next = NULL;
	w->at = NULL;
}
