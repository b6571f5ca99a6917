/* SPDX-License-Identifier: MIT */
/* DNS answers that are given again and again, by workers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

enum {
	RECALL_HOT = 16,       /* answers before one is kept */
	RECALL_MAX = 1024,     /* that are kept at a time */
	RECALL_QUESTION = 512, /* octets of one, at most, */
	RECALL_ANSWER = 1232   /*  and of its answer */
};

/* A DNS message and the server it was meant for; borrowed. */
struct recall_question {
	struct endpoint server;
	const uint8_t *msg;
	size_t len;
};

struct recall;

int recall_new(struct recall **out) HG_CHECK;
/* No thread looks into it any more. NULL: nothing. */
void recall_free(struct recall *r);

/* Control: the engine has just given this answer, and would give it to
 * everybody who sent those octets (but for the first two, the id). What is no
 * answer to q is not kept. */
void recall_note(struct recall *r, const struct recall_question *q,
		 const uint8_t *answer, size_t len);
/* Control: forgets all. Once a second, and whenever answers may have
 * changed. NULL: nothing. */
void recall_clear(struct recall *r);
/* Any registered thread, online: the answer to q, with its id, into out.
 * Its octets, or 0: not known. */
size_t recall_get(const struct recall *r, const struct recall_question *q,
		  uint8_t out[RECALL_ANSWER]);
