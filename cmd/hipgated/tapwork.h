/* SPDX-License-Identifier: MIT */
/* A worker's packets for a capture; called only while one runs. */
#pragma once

#include "tapring.h"
#include "worker.h"

struct arriving;

/* A packet of the TUN, its octets copied as they are now. */
struct tap_record *tapwork_tun(struct worker *w, enum tap_kind kind,
			       const uint8_t *hdr, size_t hdr_len,
			       const uint8_t *body, size_t body_len);
/* Whose it is; f, sa may be NULL. out: the SPI that sends. */
void tapwork_flow(struct tap_record *rec, const struct flow *f,
		  const struct sa *sa, bool out);
/* What became of it, after w->why and w->passed. */
void tapwork_fate(const struct worker *w, struct tap_record *rec);
/* The datagrams of the batch that has been sent; failed: how many not. */
void tapwork_batch(struct worker *w, unsigned failed);
/* A datagram that came, before it is opened in place. */
void tapwork_arriving(struct worker *w, struct arriving *a);
