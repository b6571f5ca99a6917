/* SPDX-License-Identifier: MIT */
/* The queue of what the engine wants done: values, oldest first. */
/* THEORY OF OPERATION
 * Functions of this room never send: they put an effect here, and the
 * caller of the engine carries it out. Nodes and their message buffers
 * are recycled, so that an I1 flood answered from the R1 pool allocates
 * nothing. A node taken stays readable until the next take. Traces also
 * hang in a list of their own, so that the oldest can be found at once
 * when too many wait. Owner: the engine's thread.
 */
#include "hip/effects.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/hipjob.h"

struct effects_node {
	struct hip_effect e;
	struct effects_node *prev;
	struct effects_node *next;
	struct effects_node *tnext; /* next trace */
	uint8_t *buf;		    /* HIP_MSG_MAX octets, or NULL */
};

static bool is_trace(enum hip_effect_kind kind)
{
	return kind == HIP_SEEN || kind == HIP_DROPPED;
}

static void unlink_node(struct effects *fx, struct effects_node *n)
{
	if (n->prev)
		n->prev->next = n->next;
	else
		fx->head = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		fx->tail = n->prev;
	if (is_trace(n->e.kind)) {
		/* Traces leave oldest first, from either end of use. */
		assert(fx->thead == n);
		fx->thead = n->tnext;
		if (!fx->thead)
			fx->ttail = NULL;
		fx->traces--;
	}
}

static void spare_node(struct effects *fx, struct effects_node *n)
{
	sodium_memzero(&n->e, sizeof(n->e));
	n->prev = NULL;
	n->tnext = NULL;
	n->next = fx->spare;
	fx->spare = n;
}

static void append(struct effects *fx, struct effects_node *n)
{
	n->prev = fx->tail;
	n->next = NULL;
	if (fx->tail)
		fx->tail->next = n;
	else
		fx->head = n;
	fx->tail = n;
}

static void append_trace(struct effects *fx, struct effects_node *n)
{
	n->tnext = NULL;
	if (fx->ttail)
		fx->ttail->tnext = n;
	else
		fx->thead = n;
	fx->ttail = n;
	fx->traces++;
}

static struct effects_node *get_node(struct effects *fx)
{
	struct effects_node *n = fx->spare;

	if (n) {
		fx->spare = n->next;
		return n;
	}
	return calloc(1, sizeof(*n));
}

static struct hip_effect *scratch(struct effects *fx, enum hip_effect_kind kind)
{
	fx->lost++;
	sodium_memzero(&fx->scratch, sizeof(fx->scratch));
	fx->scratch.kind = kind;
	return &fx->scratch;
}

struct hip_effect *effects_put(struct effects *fx, enum hip_effect_kind kind)
{
	struct effects_node *n;

	if (is_trace(kind) && fx->traces >= EFFECTS_TRACES_MAX) {
		n = fx->thead;
		unlink_node(fx, n);
		spare_node(fx, n);
	}
	n = get_node(fx);
	if (!n)
		return scratch(fx, kind);
	n->e.kind = kind;
	append(fx, n);
	if (is_trace(kind))
		append_trace(fx, n);
	return &n->e;
}

struct hip_effect *effects_send(struct effects *fx, const uint8_t *msg,
				size_t len)
{
	struct effects_node *n = get_node(fx);

	assert(len <= HIP_MSG_MAX);
	if (!n)
		return scratch(fx, HIP_SEND);
	if (!n->buf)
		n->buf = malloc(HIP_MSG_MAX);
	if (!n->buf) {
		spare_node(fx, n);
		return scratch(fx, HIP_SEND);
	}
	memcpy(n->buf, msg, len);
	n->e.kind = HIP_SEND;
	n->e.type = len > 2 ? msg[2] & 0x7f : 0;
	n->e.msg = n->buf;
	n->e.msg_len = len;
	append(fx, n);
	return &n->e;
}

int effects_job(struct effects *fx, struct hip_job *job)
{
	struct effects_node *n = get_node(fx);

	if (!n)
		return HG_ENOMEM;
	n->e.kind = HIP_JOB;
	n->e.job = job;
	append(fx, n);
	return HG_OK;
}

bool effects_take(struct effects *fx, struct hip_effect *out)
{
	struct effects_node *n = fx->head;

	if (fx->taken) {
		spare_node(fx, fx->taken);
		fx->taken = NULL;
	}
	if (!n)
		return false;
	unlink_node(fx, n);
	*out = n->e;
	fx->taken = n;
	return true;
}

static void free_nodes(struct effects_node *n)
{
	while (n) {
		struct effects_node *next = n->next;

		free(n->buf);
		free(n);
		n = next;
	}
}

void effects_fini(struct effects *fx)
{
	struct hip_effect e;

	while (effects_take(fx, &e)) {
		if (e.kind == HIP_JOB)
			hipjob_free(e.job);
		sodium_memzero(&e, sizeof(e));
	}
	free_nodes(fx->spare);
	*fx = (struct effects){ 0 };
}
