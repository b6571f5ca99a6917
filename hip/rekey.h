/* SPDX-License-Identifier: MIT */
/* Rekeying of ESP SAs (RFC 7402 6.8 to 6.10). */
#pragma once

#include "hip/update.h"

struct rekey; /* one under way; belongs to its association */

/* Begins one; dh: with a new Diffie-Hellman. HG_EAGAIN: one is under way;
 * HG_EFULL, HG_ENOMEM: it could not be begun. */
int rekey_start(struct hip *h, struct assoc *a, bool dh, uint64_t now) HG_CHECK;
/* An authenticated, new UPDATE. *taken: it is part of a rekey, which will
 * answer it by update_answer. Else REASON_NUM: to be acknowledged, no rekey
 * in it or one that cannot be; another reason: to be dropped, unanswered. */
enum reason rekey_offer(struct hip *h, struct assoc *a, const struct hip_msg *m,
			const struct update_answer *ans, uint64_t now,
			bool *taken) HG_CHECK;
/* Our UPDATE with this id was acknowledged. */
void rekey_acked(struct hip *h, struct assoc *a, uint32_t seq, uint64_t now);
/* Our data relay lets new SPIs pass. */
void rekey_permitted(struct hip *h, struct assoc *a, uint64_t now);
/* A HIPJOB_DH is back. */
void rekey_done(struct hip *h, struct hip_job *job, uint64_t now);

/* Is this SPI one of the peer's inbound ones, as far as we know? */
bool rekey_knows_spi(const struct assoc *a, uint32_t spi);
/* Must other UPDATEs of ours wait (RFC 7402 6.8, last sentence)? */
bool rekey_holds_updates(const struct assoc *a);
/* Is our ESP_INFO ready to leave, and has it not yet? Then the next UPDATE
 * carries what these two put, and rekey_sent says so. */
bool rekey_ready(const struct assoc *a);
void rekey_put_esp_info(struct msg_builder *b, const struct assoc *a);
/* The SPI it will be known by. */
uint32_t rekey_spi(const struct assoc *a);
void rekey_put_dh(struct msg_builder *b, const struct assoc *a);
void rekey_sent(struct assoc *a, uint32_t seq);
/* It did not leave after all. */
void rekey_unsent(struct assoc *a, uint32_t seq);

/* When rekey_timer has something to do; ENGINE_NEVER. */
uint64_t rekey_deadline(const struct assoc *a);
/* false: the peer never sends its half; close. */
bool rekey_timer(struct hip *h, struct assoc *a, uint64_t now) HG_CHECK;
/* Ends what is under way and takes replaced SAs down. */
void rekey_drop(struct hip *h, struct assoc *a);
/* The same without telling anybody: the engine ends. */
void rekey_free(struct assoc *a);
