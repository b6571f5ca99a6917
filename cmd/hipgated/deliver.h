/* SPDX-License-Identifier: MIT */
/* What came out of ESP goes where it belongs; theory in deliver.c. */
#pragma once

#include "seek.h"
#include "worker.h"

struct tap_record;

/* Where a datagram came from, and what the kernel says of it. */
struct datagram {
	struct endpoint from;
	struct sockets_meta meta;
};

/* An ESP packet of a row, and what became of it. again: the SA or the flow
 * is that of the one before it. */
struct arriving {
	uint8_t *data;
	size_t len;
	const struct datagram *of;
	uint32_t spi;
	struct seek seek; /* the SA, then a flow */
	bool sought, again;
	struct sa *sa;
	struct esp_plain plain; /* of what was opened, */
	struct esp_plain inner; /*  and without what is around it */
	enum reason opened;	/* REASON_NUM: it was */
	enum reason seen;	/* REASON_NUM: a client's, perhaps */
	bool error;		/* an ICMP error about `back` */
	struct nat_back back;
	struct flow *flow;
	struct tap_record *tap; /* while a capture runs; NULL: no room */
};

/* What an opened packet is to a proxy; a->sought: a->back is the key of its
 * flow, which the caller looks up. */
void deliver_look(const struct worker *w, struct arriving *a);
/* It is opened, looked at, and its flow is a->flow. */
void deliver_packet(struct worker *w, struct arriving *a);
