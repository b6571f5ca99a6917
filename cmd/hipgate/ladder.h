/* SPDX-License-Identifier: MIT */
/* Events as a ladder of steps for people, or as a picture. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "core/err.h"

/* Who waited for what is found among the events of before. */
struct ladder;

int ladder_new(struct ladder **out) HG_CHECK;
void ladder_free(struct ladder *l);
/* One line on standard output. */
void ladder_step(struct ladder *l, json_t *event);

/* A sequenceDiagram of Mermaid. */
struct mermaid;

int mermaid_new(struct mermaid **out) HG_CHECK;
void mermaid_free(struct mermaid *m);
void mermaid_step(struct mermaid *m, const json_t *event);
/* Prints it. */
void mermaid_end(const struct mermaid *m);

/* A string member, "" where there is none. */
const char *ladder_text(const json_t *event, const char *key);
