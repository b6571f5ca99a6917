/* SPDX-License-Identifier: MIT */
/* The engine's list of DH groups, for once to be chosen. */
#pragma once

#include <stdint.h>

/* From now on every engine of this process offers this group and no other.
 * id: one that dh_group_find knows. */
void speed_groups_only(uint8_t id);
