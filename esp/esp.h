/* SPDX-License-Identifier: MIT */
/* ESP in BEET mode with 64-bit sequence numbers: the door of the esp room.
 *
 * RFC 4303, 4106, 4868, 7402 (appendix B: no inner IP header on the wire).
 *
 * THEORY OF OPERATION
 * An esp_ctx holds the keyed state of one direction of one SA. What lives in
 * OpenSSL's contexts cannot be shared, so each worker has its own from the
 * same keys; what esp_ctx_shared says can, serves them all. Sequence numbers come from outside (one atomic
 * counter per SA, owned by the daemon), because several workers send on
 * one SA. The replay window belongs to the one worker that receives the
 * SPI: no lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/reason.h"
#include "core/sa.h"

enum { ESP_HDR = 8, ESP_OVERHEAD_MAX = 8 + 16 + 15 + 2 + 16 };

/* The last sequence number that is sealed. The counter is taken in batches
 * by several workers and so may run past the end by what they hold; the
 * margin turns that into ESP_SEQ_END instead of a wrap to a used number
 * (RFC 4303 3.3.3, RFC 4106 9). */
#define ESP_SEQ_MAX (UINT64_MAX - UINT32_MAX)

struct esp_ctx;

/* Once per process, before any thread: fetches the EVP objects. */
int esp_setup(void) HG_CHECK;

/* Contexts for sealing (seal true) or opening. spi in host order. The keys
 * are copied and wiped at free. */
int esp_ctx_new(uint16_t suite, const struct sa_keys *keys, uint32_t spi,
		bool seal, struct esp_ctx **out) HG_CHECK;
void esp_ctx_free(struct esp_ctx *c);
/* May several threads seal (or open) with it at once? */
bool esp_ctx_shared(const struct esp_ctx *c);
/* Whose AES-GCM it is, for people. */
const char *esp_gcm_name(void);

/* Octets on the wire (SPI to ICV) for plain octets of upper-layer data. */
size_t esp_wire_len(const struct sa_suite *s, size_t plain);
/* The most upper-layer octets that fit into wire octets; 0 when none. */
size_t esp_plain_max(const struct sa_suite *s, size_t wire);

/* Seals head | body (either may be empty; they are not changed) as one ESP
 * packet into out. seq: 1.. ; each (key, seq) is used once. Returns
 * REASON_NUM and *len, or the reason of the failure (out is then garbage
 * and must not be sent). out may not overlap the input. */
enum reason esp_seal(struct esp_ctx *c, uint64_t seq, uint8_t next_header,
		     const uint8_t *head, size_t head_len, const uint8_t *body,
		     size_t body_len, uint8_t *out, size_t cap,
		     size_t *len) HG_CHECK;

/* Anti-replay window over 64-bit sequence numbers (RFC 4303 3.4.3, A2;
 * RFC 6479's blocks): one owner thread. */
#define ESP_WINDOW 8192 /* bits that are guaranteed */
struct esp_replay {
	uint64_t top; /* highest sequence number accepted */
	uint64_t seen[ESP_WINDOW / 64 + 1];
};
void esp_replay_init(struct esp_replay *r);
/* The 64-bit number that low stands for (RFC 4303 A2.2). */
uint64_t esp_replay_infer(const struct esp_replay *r, uint32_t low);
/* Would seq be accepted now? Changes nothing. */
bool esp_replay_check(const struct esp_replay *r, uint64_t seq);
/* Marks seq; call only after the ICV was verified. */
void esp_replay_commit(struct esp_replay *r, uint64_t seq);

struct esp_plain {
	uint8_t *data; /* inside the buffer that was opened */
	size_t len;
	uint8_t next_header;
	uint64_t seq;
};
/* SPI of a packet of at least 4 octets. */
uint32_t esp_spi(const uint8_t *pkt);
/* Checks replay, ICV, padding; decrypts in place; commits the window.
 * Dummy packets (next header 59) are accepted with len 0. Returns
 * REASON_NUM when good, else the reason; the window is then unchanged and
 * the buffer's content undefined. */
enum reason esp_open(struct esp_ctx *c, struct esp_replay *r, uint8_t *pkt,
		     size_t len, struct esp_plain *out) HG_CHECK;

/* ---- path MTU (control thread) --------------------------------------- */

/* Who says how large outer packets may be. */
enum esp_pmtu_by {
	ESP_PMTU_BY_ROUTE, /* the kernel; no probe was ever answered */
	ESP_PMTU_BY_PROBE, /* one of that size was answered */
	ESP_PMTU_BY_FLOOR, /* not even the base passes any more */
	ESP_PMTU_BY_NUM
};
const char *esp_pmtu_by_name(enum esp_pmtu_by by);

/* The least that is ever used or tried (RFC 8200 5). */
enum { ESP_PMTU_BASE = 1280 };

/* The search on one path; theory in pmtu.c. Sizes: octets of outer IP
 * packets; times: ns. Others than its owner may read size, by and probe. */
struct esp_pmtu {
	uint64_t token; /* the owner draws one when `sent` is 1 */
	uint64_t due;	/* when the probe is late, or rest ends */
	uint64_t raise; /* when what was too large is tried again */
	uint16_t most;	/* nothing larger will be sent */
	uint16_t route; /* what the kernel believes */
	uint16_t size;	/* in use */
	uint16_t bad;	/* the least that did not pass */
	uint16_t probe; /* being tried; 0: none */
	uint8_t sent;	/* how often it was */
	enum esp_pmtu_by by;
};

/* route, most: clamped to ESP_PMTU_BASE. */
void esp_pmtu_begin(struct esp_pmtu *p, unsigned route, unsigned most);
/* What the kernel believes now. */
void esp_pmtu_route(struct esp_pmtu *p, unsigned route, uint64_t now);
/* Something suggests that packets of this size do not arrive. */
void esp_pmtu_doubt(struct esp_pmtu *p, uint64_t now);
/* Is the probe that was sent last overdue? For the counter. */
bool esp_pmtu_late(const struct esp_pmtu *p, uint64_t now);
/* True: a probe of `probe` octets is to be sent now. used: the path carries
 * traffic; else no round begins. At most one a second. */
bool esp_pmtu_step(struct esp_pmtu *p, bool used, uint64_t now);
/* A probe was answered. False: nobody waits for that one. */
bool esp_pmtu_ack(struct esp_pmtu *p, uint64_t token, uint64_t now);

/* Probes and their answers, as upper-layer packets; len >= ESP_PROBE_MIN. */
enum { ESP_PROBE_MIN = 24 };
enum esp_probe { ESP_PROBE_NONE, ESP_PROBE_ASKS, ESP_PROBE_ANSWERS };

void esp_probe_put(uint8_t *out, size_t len, const struct hit *from,
		   const struct hit *to, bool answer, uint64_t token);
enum esp_probe esp_probe_get(uint8_t next_header, const uint8_t *data,
			     size_t len, uint64_t *token);
