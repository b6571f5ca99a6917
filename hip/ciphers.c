/* SPDX-License-Identifier: MIT */
/* HIP_CIPHERs (7401 5.2.8): NULL-ENCRYPT is not among them. */
#include "hip/ciphers.h"

const struct suite_cipher ciphers[] = {
	{ SUITE_AES128_CBC, 16, 16, 16, "AES-128-CBC" },
	{ SUITE_AES256_CBC, 32, 16, 16, "AES-256-CBC" },
};
const size_t ciphers_num = sizeof(ciphers) / sizeof(ciphers[0]);
