/* SPDX-License-Identifier: MIT */
/* Obeys a plan, forwards or backwards, or prints it. */
#pragma once

#include <stdbool.h>

#include "cmd/hipgate-setup/plan.h"

struct perform {
	const struct config *c;
	bool dry_run; /* print, touch nothing */
	char err[1024];
};

/* On error, err says which command, what it said and the mend. */
int perform_do(struct perform *f, const struct plan *p) HG_CHECK;
int perform_undo(struct perform *f, const struct plan *p) HG_CHECK;
