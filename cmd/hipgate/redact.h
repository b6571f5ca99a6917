/* SPDX-License-Identifier: MIT */
/* Names and addresses replaced by pseudonyms. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "core/err.h"

/* Within one struct redact a name always has the same pseudonym; which, no
 * other one tells. */
struct redact;

/* all false: only what looks like a key goes. */
int redact_new(bool all, struct redact **out) HG_CHECK;
void redact_free(struct redact *r);
/* A word that must not stand there, wherever it does: a name. */
void redact_name(struct redact *r, const char *name);
/* A copy of text, heap: each address, prefix, HIT and known or likely name is
 * replaced, and so is what looks like a key. NULL: no memory. */
char *redact_text(const struct redact *r, const char *text);
/* A copy of o in which all strings and keys are so; new reference. */
json_t *redact_json(const struct redact *r, const json_t *o);
