/* SPDX-License-Identifier: MIT */
/* The engine's list of DH groups, for once to be chosen. */
#include "test/speed/speed_groups.h"

#include <stddef.h>

/* These take the place of the constants of the same name in hip/dh.c (see
 * CMakeLists.txt); hip/dh.h, which calls them const, cannot be included. */
extern uint8_t dh_group_ids[];
extern size_t dh_group_ids_num;

uint8_t dh_group_ids[1];
size_t dh_group_ids_num = 1;

void speed_groups_only(uint8_t id)
{
	dh_group_ids[0] = id;
}
