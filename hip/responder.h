/* SPDX-License-Identifier: MIT */
/* The Responder's part of the base exchange (RFC 7401 6.7, 6.9). */
#pragma once

#include "hip/statetab.h"

/* Has the same I1 just been answered? Marks p for responder_i1. */
bool responder_i1_again(const struct hip *h, struct packet *p);
void responder_i1(struct hip *h, struct event *ev);
void responder_i1_crossing(struct hip *h, struct event *ev);
void responder_i2(struct hip *h, struct event *ev);
void responder_i2_crossing(struct hip *h, struct event *ev);
void responder_data(struct hip *h, struct event *ev);
void responder_timer(struct hip *h, struct event *ev);
