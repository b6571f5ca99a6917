/* SPDX-License-Identifier: MIT */
/* The site key, from which IPv6 substitutes follow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "dns/dns.h"

/* Reads dir/site.key (*old), or makes it (0600) when there is none. errbuf: a
 * sentence for a person. */
int sitekey_load(const char *dir, uint8_t key[LEASE_SITE_KEY], bool *old,
		 char *errbuf, size_t errlen) HG_CHECK;
