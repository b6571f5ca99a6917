/* SPDX-License-Identifier: MIT */
/* The keys about suites; as config_value.h has it. */
#pragma once

#include "cmd/config/config.h"

#define CONFIG_SUITES_DH "p256, p384, p521, modp1536, modp2048, modp3072"
#define CONFIG_SUITES_CIPHERS "aes256-cbc, aes128-cbc"
#define CONFIG_SUITES_ESP                                                      \
	"aes128-gcm16, aes128-gcm8, aes128-ccm16, aes128-ccm8, "               \
	"aes256-cbc-sha256, aes128-cbc-sha256"

int config_suites_dh_groups(struct config *c, const char *v) HG_CHECK;
int config_suites_hip_ciphers(struct config *c, const char *v) HG_CHECK;
int config_suites_esp_suites(struct config *c, const char *v) HG_CHECK;
/* Of the [peer] begun last. */
int config_suites_esp_null(struct config *c, const char *v) HG_CHECK;
