/* SPDX-License-Identifier: MIT */
/* What the tests of seal and open share: the vectors' keys, and hex. */
#pragma once

#include <check.h>
#include <sodium.h>
#include <string.h>

#include "esp/esp.h"
#include "test/vectors/known_esp.h"

/* The keys of make.py. */
static inline struct sa_keys bed_keys(void)
{
	struct sa_keys k;

	for (int i = 0; i < SA_ENC_MAX; i++)
		k.enc[i] = (uint8_t)(0x10 + i);
	for (int i = 0; i < SA_AUTH_MAX; i++)
		k.auth[i] = (uint8_t)(0x80 + i);
	return k;
}

static inline struct esp_ctx *bed_ctx(uint16_t suite, bool seal)
{
	struct sa_keys k = bed_keys();
	struct esp_ctx *c;

	ck_assert_int_eq(esp_setup(), 0);
	ck_assert_int_eq(esp_ctx_new(suite, &k, KNOWN_ESP_SPI, seal, &c), 0);
	return c;
}

static inline size_t bed_hex(uint8_t *out, size_t cap, const char *hex)
{
	size_t len;

	ck_assert_int_eq(
		sodium_hex2bin(out, cap, hex, strlen(hex), NULL, &len, NULL),
		0);
	return len;
}

static inline void bed_payload(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(0x40 + i);
}
