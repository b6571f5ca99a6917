/* SPDX-License-Identifier: MIT */
/* Hexadecimal test vectors as octets. */
#pragma once

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Writes the octets of text (an even number of digits); returns how many. */
static inline size_t hex(const char *text, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < 2 * n; i++) {
		const char *d = strchr(digits, text[i]);

		ck_assert_ptr_nonnull(d);
		if (i % 2 == 0)
			out[i / 2] = (uint8_t)((d - digits) << 4);
		else
			out[i / 2] |= (uint8_t)(d - digits);
	}
	return n;
}

/* Is buf what the digits say? */
static inline int hex_eq(const uint8_t *buf, size_t len, const char *text)
{
	uint8_t want[2048];

	ck_assert_uint_le(strlen(text), 2 * sizeof(want));
	return hex(text, want) == len && memcmp(buf, want, len) == 0;
}
