/* SPDX-License-Identifier: MIT */
/* Replaced SAs; a->old[0] is the oldest. */
#include "hip/retired.h"

#include <string.h>

#define GRACE (60 * ENGINE_S) /* checklist 3.32 */

void retired_down(struct hip *h, const struct assoc *a, uint32_t spi_in)
{
	struct hip_effect *e = assoc_sa_effect(h, a, HIP_SA_DOWN);

	e->sa.suite = a->keys->sa.suite;
	e->sa.spi_in = spi_in;
	assoc_spi_give(&h->assocs, spi_in);
}

void retired_add(struct hip *h, struct assoc *a, uint32_t spi_in, uint64_t now)
{
	size_t n = 0;

	while (n < ASSOC_OLD_MAX && a->old[n].spi_in)
		n++;
	if (n == ASSOC_OLD_MAX) {
		retired_down(h, a, a->old[0].spi_in);
		n--;
		memmove(&a->old[0], &a->old[1], n * sizeof(a->old[0]));
	}
	a->old[n] = (struct assoc_old){ spi_in, now + GRACE };
}

void retired_drop(struct hip *h, struct assoc *a)
{
	retired_timer(h, a, ENGINE_NEVER);
}

void retired_timer(struct hip *h, struct assoc *a, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < ASSOC_OLD_MAX && a->old[i].spi_in; i++) {
		struct assoc_old old = a->old[i];

		a->old[i] = (struct assoc_old){ 0 };
		if (now < old.until)
			a->old[kept++] = old;
		else
			retired_down(h, a, old.spi_in);
	}
}

uint64_t retired_deadline(const struct assoc *a)
{
	uint64_t at = ENGINE_NEVER;

	for (size_t i = 0; i < ASSOC_OLD_MAX; i++) {
		if (a->old[i].spi_in && a->old[i].until < at)
			at = a->old[i].until;
	}
	return at;
}
