/* SPDX-License-Identifier: MIT */
/* Random numbers for libsodium that are the same for the same input. */
#pragma once

#include <sodium.h>
#include <stdint.h>

/* Starts anew with each input. */
static uint64_t chance;

static uint32_t random_word(void)
{
	chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(chance >> 32);
}

static void random_buf(void *const buf, const size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)buf)[i] = (uint8_t)random_word();
}

static const char *random_name(void)
{
	return "fuzz";
}

static struct randombytes_implementation repeatable = {
	.implementation_name = random_name,
	.random = random_word,
	.buf = random_buf,
};
