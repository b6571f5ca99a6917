/* SPDX-License-Identifier: MIT */
/* A capture: the TUN's side and the wire's side, and what became of each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/reason.h"

struct gate;
struct sa;
struct tap;

/* The verb `capture`: octets go to the client from now on (tap.c has their
 * form). "snaplen": octets of each packet; "keys": true: those of the SAs,
 * too; "stop": true: the one that this client began ends. */
int tap_begin(struct gate *g, uint64_t client, const json_t *req, char *errbuf,
	      size_t errlen) HG_CHECK;
/* At the daemon's end; no worker runs. */
void tap_stop(struct gate *g);

/* Only while g->tap is there. */
void tap_tun(struct gate *g, const void *pkt, size_t len);
/* A HIP message, marker stripped, has come; what became of it is known later:
 * at the first packet it causes, and at tap_hip_done at the latest. why:
 * REASON_NUM, or it is dropped. */
void tap_hip_in(struct gate *g, const struct endpoint *from,
		const struct endpoint *to, const uint8_t *msg, size_t len);
void tap_hip_done(struct gate *g, enum reason why);
/* One is sent, or, why, could not be. */
void tap_hip_out(struct gate *g, const struct endpoint *from,
		 const struct endpoint *to, const uint8_t *msg, size_t len,
		 enum reason why);
/* A new SA: its keys are shown where they were asked for. */
void tap_keys(struct gate *g, const struct sa *sa);
