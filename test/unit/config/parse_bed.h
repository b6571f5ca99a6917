/* SPDX-License-Identifier: MIT */
/* Configurations as text: taken, or refused with this sentence. */
#pragma once

#include <check.h>

#include "cmd/config/config.h"

static inline struct config *parse_ok(const char *text)
{
	struct config *c;
	char err[512] = "";

	ck_assert_msg(config_parse("f", text, &c, err, sizeof(err)) == HG_OK,
		      "%s", err);
	return c;
}

static inline void refused(const char *text, const char *message)
{
	struct config *c = NULL;
	char err[512] = "";

	ck_assert_int_eq(config_parse("f", text, &c, err, sizeof(err)),
			 HG_EFORMAT);
	ck_assert_ptr_null(c);
	ck_assert_str_eq(err, message);
}
