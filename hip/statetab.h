/* SPDX-License-Identifier: MIT */
/* The state machine as a table (RFC 7401 4.4.3). */
#pragma once

#include "hip/engine.h"

enum statetab_kind {
	STATETAB_WANT, /* hip_want */
	STATETAB_I1,
	STATETAB_R1,
	STATETAB_I2,
	STATETAB_R2,
	STATETAB_UPDATE,
	STATETAB_NOTIFY,
	STATETAB_CLOSE,
	STATETAB_CLOSE_ACK,
	STATETAB_DATA,	/* ESP came in */
	STATETAB_TIMER, /* the association's timer */
	STATETAB_LEAVE, /* hip_close */
	STATETAB_R1_OK, /* a job has found the packet good */
	STATETAB_I2_OK,
	STATETAB_R2_OK,
	STATETAB_UPDATE_OK,
	STATETAB_CLOSE_OK,
	STATETAB_CLOSE_ACK_OK,
	STATETAB_NOTIFY_OK,
	STATETAB_NUM
};

struct event {
	enum statetab_kind kind;
	struct assoc *a;     /* NULL: UNASSOCIATED */
	struct packet *p;    /* packets and *_OK */
	struct hip_job *job; /* *_OK; its keys may be taken */
	uint64_t now;
	const struct hit *self; /* WANT */
	const struct hit *peer;
	const struct endpoint *locators;
	size_t locator_num;
	int result; /* WANT */
};

/* Runs the cell of the association's state; an empty cell drops the packet
 * as HIP_STATE (no association: HIP_NO_ASSOC). The association may be gone
 * afterwards. */
void statetab_run(struct hip *h, struct event *ev);
