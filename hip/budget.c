/* SPDX-License-Identifier: MIT */
/* What strangers may cost us: every budget of the engine in one place. */
#include "hip/budget.h"

/* Of a source and of all. A proxy asks for many hosts at once, and what is
 * relayed is hardly amplified. No more I2 can be honest than R1 have been
 * given out. The sums over all sources are wide: what is narrow for
 * strangers together is a lever for one of them against the rest. */
static const struct srcrate_limits i1_limits = { 10, 30, 20000, 20000 };
static const struct srcrate_limits relay_limits = { 100, 300, 10000, 30000 };
/* What a client answers to all who call it. */
static const struct srcrate_limits relay_out_limits = { 500, 1500, 10000,
							30000 };
static const struct srcrate_limits i2_limits = { 10, 30, 10000, 10000 };
/* A whole office behind one address may move at once. */
static const struct srcrate_limits checks_limits = { 100, 300, 20000, 40000 };
/* But a NOTIFY that is signed costs a signature, and nothing waits for it. */
static const struct srcrate_limits notify_in_limits = { 2, 5, 50, 100 };
static const struct srcrate_limits notify_out_limits = { 1, 2, 50, 50 };
/* To all peers of before, when we have begun anew; an office is one source.
 * No longer than what they answer, unsigned: whoever forges sources gets from
 * us what he pays himself. */
static const struct srcrate_limits strays_limits = { 100, 300, 20000, 40000 };

int budget_init(struct budgets *b, uint64_t now)
{
	int err = srcrate_init(&b->i1, &i1_limits, now);

	if (!err)
		err = i1credit_init(&b->credit);
	if (!err)
		err = srcrate_init(&b->relay, &relay_limits, now);
	if (!err)
		err = srcrate_init(&b->relay_out, &relay_out_limits, now);
	if (!err)
		err = srcrate_init(&b->i2, &i2_limits, now);
	if (!err)
		err = srcrate_init(&b->checks, &checks_limits, now);
	if (!err)
		err = srcrate_init(&b->notify_in, &notify_in_limits, now);
	if (!err)
		err = srcrate_init(&b->notify_out, &notify_out_limits, now);
	if (!err)
		err = srcrate_init(&b->strays, &strays_limits, now);
	if (!err)
		err = spent_init(&b->spent);
	if (!err)
		err = spent_init(&b->tried);
	if (!err)
		err = spent_init(&b->answered);
	return err;
}

void budget_fini(struct budgets *b)
{
	srcrate_fini(&b->i1);
	i1credit_fini(&b->credit);
	srcrate_fini(&b->relay);
	srcrate_fini(&b->relay_out);
	srcrate_fini(&b->i2);
	srcrate_fini(&b->checks);
	srcrate_fini(&b->notify_in);
	srcrate_fini(&b->notify_out);
	srcrate_fini(&b->strays);
	spent_fini(&b->spent);
	spent_fini(&b->tried);
	spent_fini(&b->answered);
	spent_fini(&b->asked);
}
