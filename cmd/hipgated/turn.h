/* SPDX-License-Identifier: MIT */
/* Control's turns: what it waits for, and that it is done. */
#pragma once

#include "core/err.h"

struct gate;

/* Before what g waits for is opened. */
int turn_open(struct gate *g) HG_CHECK;
void turn_close(struct gate *g);
/* Waits until there is something to do, and does it. */
void turn(struct gate *g);
