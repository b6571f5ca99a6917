/* SPDX-License-Identifier: MIT */
/* What strangers may cost us: every budget of the engine in one place. */
#pragma once

#include "core/err.h"
#include "hip/i1credit.h"
#include "hip/spent.h"
#include "hip/srcrate.h"

struct budgets {
	struct srcrate i1;	   /* I1 to ourselves */
	struct i1credit credit;	   /* what short I1s have paid for */
	struct srcrate relay;	   /* to our rendezvous and relay clients */
	struct srcrate relay_out;  /* from our relay clients */
	struct srcrate i2;	   /* crypto of I2 whose puzzle is solved */
	struct srcrate checks;	   /* to addresses that never answered */
	struct srcrate notify_in;  /* signatures of NOTIFY to be checked */
	struct srcrate notify_out; /* NOTIFY we sign */
	struct srcrate strays;	   /* NO_ASSOCIATION, which nobody signs */
	struct spent spent;	   /* I2 that were accepted */
	struct spent tried;	   /* #I that crypto was spent on */
	struct spent answered;	   /* I1 that have just got their R1 */
	struct spent asked; /* who has just written to a relay client; made
			     * by registrar.c, where there are any */
};

/* HG_ENOMEM: budget_fini frees what there is. */
int budget_init(struct budgets *b, uint64_t now) HG_CHECK;
void budget_fini(struct budgets *b);
