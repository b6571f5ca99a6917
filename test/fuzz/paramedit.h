/* SPDX-License-Identifier: MIT */
/* room: hip */
/* A message with one of its parameters changed; for fuzzing the engine. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hip/message.h"
#include "hip/param.h"

/* One change to the parameters of a message. */
struct paramedit {
	uint8_t what;	      /* one of the enum, modulo PARAMEDIT_NUM */
	uint8_t which;	      /* index, modulo the number of them */
	uint16_t at;	      /* OCTET: where; LENGTH: the new one */
	uint8_t octet;	      /* OCTET */
	struct hip_msg other; /* SWAP: takes the contents from here */
};

enum {
	PARAMEDIT_DROP,
	PARAMEDIT_TWICE,
	PARAMEDIT_OCTET,
	PARAMEDIT_LENGTH,
	PARAMEDIT_SWAP,
	PARAMEDIT_NUM
};

static inline void paramedit_put_one(struct msg_builder *b,
				     const struct hip_param *p,
				     const struct paramedit *e)
{
	const struct hip_param *o = param_find(&e->other, p->id);
	uint8_t c[HIP_MSG_MAX] = { 0 };
	size_t len = p->len;

	memcpy(c, p->contents, len);
	switch (e->what % PARAMEDIT_NUM) {
	case PARAMEDIT_DROP:
		return;
	case PARAMEDIT_TWICE:
		message_put(b, p->id, c, len);
		break;
	case PARAMEDIT_OCTET:
		if (len)
			c[e->at % len] = e->octet;
		break;
	case PARAMEDIT_LENGTH:
		len = e->at % 256;
		break;
	default:
		p = o ? o : p;
		memcpy(c, p->contents, p->len);
		len = p->len;
		break;
	}
	message_put(b, p->id, c, len);
}

/* Parameters with types below `end`, one of them edited. */
static inline void paramedit_put(struct msg_builder *b, const struct hip_msg *m,
				 const struct paramedit *e, enum param end)
{
	for (size_t n = 0; n < m->num && m->params[n].id < end; n++) {
		const struct hip_param *p = &m->params[n];

		if (n == e->which % m->num)
			paramedit_put_one(b, p, e);
		else
			message_put(b, p->id, p->contents, p->len);
	}
}
