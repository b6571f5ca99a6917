/* SPDX-License-Identifier: MIT */
/* The values of sysctls before we changed them, kept below /run. */
#pragma once

#include <stddef.h>

#include "core/err.h"

enum { REMEMBER_MAX = 8, REMEMBER_VALUE = 32, REMEMBER_PATH = 96 };

struct remember {
	char file[64];
	size_t num;
	struct remember_entry {
		char path[REMEMBER_PATH];
		char value[REMEMBER_VALUE];
	} entry[REMEMBER_MAX];
};

/* Reads what was remembered for this network namespace; nothing is fine. */
int remember_load(struct remember *r) HG_CHECK;
/* NULL: not remembered. */
const char *remember_find(const struct remember *r, const char *path);
/* Keeps path's value, unless one is kept already; written at once. */
int remember_add(struct remember *r, const char *path,
		 const char *value) HG_CHECK;
/* Forgets all, file too. */
void remember_clear(struct remember *r);
