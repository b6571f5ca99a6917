/* SPDX-License-Identifier: MIT */
/* HIP_CIPHERs with NULL-ENCRYPT: debug builds only (7401 5.2.8). */
#include "hip/ciphers.h"

const struct suite_cipher ciphers[] = {
	{ SUITE_NULL, 0, 0, 1, "NULL" },
	{ SUITE_AES128_CBC, 16, 16, 16, "AES-128-CBC" },
	{ SUITE_AES256_CBC, 32, 16, 16, "AES-256-CBC" },
};
const size_t ciphers_num = sizeof(ciphers) / sizeof(ciphers[0]);
