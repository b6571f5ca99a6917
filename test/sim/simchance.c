/* SPDX-License-Identifier: MIT */
/* All chance of a run: one generator with a seed, libsodium's too. */
#include "test/sim/simchance.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>

static struct simchance *current; /* libsodium's hook takes no argument */

static uint64_t next(struct simchance *c)
{
	uint64_t a = c->s[0];
	uint64_t b = c->s[1];

	c->s[0] = b;
	a ^= a << 23;
	c->s[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
	return c->s[1] + b;
}

uint64_t simchance_below(struct simchance *c, uint64_t n)
{
	return n ? next(c) % n : 0;
}

static const char *name(void)
{
	return "sim";
}

static uint32_t word(void)
{
	return (uint32_t)next(current);
}

static void fill(void *const buf, const size_t size)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)(next(current) >> 11);
}

static struct randombytes_implementation chance = {
	.implementation_name = name,
	.random = word,
	.buf = fill,
};

void simchance_use(struct simchance *c, uint64_t seed)
{
	static bool set;

	*c = (struct simchance){ { 1, 1 } };
	current = c;
	/* Takes some chance the first time: before the seed is set. */
	if (!set &&
	    (randombytes_set_implementation(&chance) || sodium_init() < 0))
		abort();
	set = true;
	c->s[0] = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	c->s[1] = seed ^ UINT64_C(0xbf58476d1ce4e5b9);
	for (int n = 0; n < 16; n++)
		next(c);
}
