/* SPDX-License-Identifier: MIT */
/* Setters of the keys about DNS; as those in config_value.h. */
#pragma once

#include "cmd/config/config.h"

/* The values' names. */
extern const char *const config_dns_clients[DNS_VALIDATING_NUM];

/* [proxy] */
int config_dns_records(struct config *c, const char *v);
int config_dns_client(struct config *c, const char *v);
