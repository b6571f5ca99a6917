/* SPDX-License-Identifier: MIT */
/* Our words as JSON, for the views; each is a new reference or NULL. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include <jansson.h>

#include "core/addr.h"

json_t *jsonof_text(const char *s);
json_t *jsonof_number(uint64_t n);
json_t *jsonof_hit(const struct hit *h);
/* "" for no address. */
json_t *jsonof_addr(const struct addr *a);
/* "" for port 0. */
json_t *jsonof_endpoint(const struct endpoint *e);
/* The name of an ESP suite; "" for none. */
json_t *jsonof_suite(uint16_t id);
json_t *jsonof_count(const _Atomic uint64_t *n);
/* Seconds since then (uv_hrtime's ns). */
json_t *jsonof_since(uint64_t then);
