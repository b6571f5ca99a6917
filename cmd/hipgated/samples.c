/* SPDX-License-Identifier: MIT */
/* What passed lately; see samples.h. */
#include "samples.h"

void samples_add(struct samples *s, const struct sample *x)
{
	s->fine[s->num % SAMPLES_FINE] = *x;
	if (s->num % SAMPLES_STEP == 0)
		s->coarse[s->num / SAMPLES_STEP % SAMPLES_COARSE] = *x;
	s->num++;
}

/* In all, of that ring. */
static uint64_t taken(const struct samples *s, int coarse)
{
	return coarse ? (s->num + SAMPLES_STEP - 1) / SAMPLES_STEP : s->num;
}

size_t samples_num(const struct samples *s, int coarse)
{
	uint64_t most = coarse ? SAMPLES_COARSE : SAMPLES_FINE;
	uint64_t n = taken(s, coarse);

	return (size_t)(n < most ? n : most);
}

const struct sample *samples_at(const struct samples *s, int coarse, size_t i)
{
	uint64_t n = taken(s, coarse) - samples_num(s, coarse) + i;

	return coarse ? &s->coarse[n % SAMPLES_COARSE]
		      : &s->fine[n % SAMPLES_FINE];
}
