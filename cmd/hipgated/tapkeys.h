/* SPDX-License-Identifier: MIT */
/* An SA's keys as lines of Wireshark's esp_sa table. */
#pragma once

#include <stddef.h>

struct sa;

typedef void tapkeys_put(void *arg, const char *line, size_t len);

/* Both directions, over either family; nothing of a suite that Wireshark does
 * not know. */
void tapkeys_lines(const struct sa *sa, tapkeys_put *put, void *arg);
