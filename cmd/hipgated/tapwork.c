/* SPDX-License-Identifier: MIT */
/* A worker's packets for a capture.
 *
 * THEORY OF OPERATION
 * Runs on worker k's thread, and only while a capture runs: outbound.c,
 * inbound.c, deliver.c and batch.c look at w->ring once for each batch (for
 * what is written to the TUN: once a packet) and come here if it is there.
 * Octets are copied before anything changes them; what became of the packet
 * is filled in when that is known, before the ring is published. A row's
 * packets have one time, that of the wake-up, as everywhere in a worker.
 */
#include "tapwork.h"

#include <string.h>

#include "deliver.h"

static void copy(struct tap_record *rec, const uint8_t *hdr, size_t hdr_len,
		 const uint8_t *body, size_t body_len)
{
	size_t n = hdr_len < rec->caplen ? hdr_len : rec->caplen;

	if (n)
		memcpy(rec->data, hdr, n);
	if (rec->caplen > n)
		memcpy(rec->data + n, body,
		       rec->caplen - n < body_len ? rec->caplen - n : body_len);
}

struct tap_record *tapwork_tun(struct worker *w, enum tap_kind kind,
			       const uint8_t *hdr, size_t hdr_len,
			       const uint8_t *body, size_t body_len)
{
	struct tap_record *rec =
		tapring_put(w->ring, kind, w->now, hdr_len + body_len);

	if (rec)
		copy(rec, hdr, hdr_len, body, body_len);
	return rec;
}

void tapwork_flow(struct tap_record *rec, const struct flow *f,
		  const struct sa *sa, bool out)
{
	if (!rec)
		return;
	if (sa) {
		rec->spi = out ? sa->spi_out : sa->spi_in;
		rec->peer = sa->peer;
	}
	if (!f)
		return;
	rec->proto = (uint8_t)f->nat.back.proto;
	rec->ext_port = f->nat.back.ext_port;
	rec->peer_port = f->nat.back.peer_port;
	rec->peer = f->nat.back.peer;
}

void tapwork_fate(const struct worker *w, struct tap_record *rec)
{
	if (!rec)
		return;
	rec->reason = (uint16_t)w->why;
	rec->fate = w->passed ? TAP_PASSED : TAP_DONE;
}

void tapwork_batch(struct worker *w, unsigned failed)
{
	const struct batch *b = &w->batch;

	for (unsigned i = 0; i < b->num; i++) {
		size_t at = i * b->seg;
		size_t len = b->used - at < b->seg ? b->used - at : b->seg;
		struct tap_record *rec =
			tapring_put(w->ring, TAP_WIRE_OUT, w->now, len);

		if (!rec)
			continue;
		copy(rec, b->buf + at, len, NULL, 0);
		rec->spi = esp_spi(b->buf + at);
		rec->from.addr = b->path->ends.from.self;
		rec->from.port = w->plane->port;
		rec->to = b->path->ends.peer;
		if (failed) /* which of them, the kernel does not tell */
			rec->reason = REASON_SEND_FAILED;
	}
}

void tapwork_arriving(struct worker *w, struct arriving *a)
{
	struct tap_record *rec =
		tapring_put(w->ring, TAP_WIRE_IN, w->now, a->len);

	a->tap = rec;
	if (!rec)
		return;
	copy(rec, a->data, a->len, NULL, 0);
	rec->spi = a->spi;
	rec->from = a->of->from;
	rec->to.addr = a->of->meta.at;
	rec->to.port = w->plane->port;
}
