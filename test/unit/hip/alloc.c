/* SPDX-License-Identifier: MIT */
/* Counts and refuses the hip room's allocations (linked with --wrap). */
#include "test/unit/hip/alloc.h"

#include <stddef.h>

unsigned long alloc_calls;
long alloc_left = -1;

void *__real_malloc(size_t len);
void *__real_calloc(size_t num, size_t len);
void *__real_realloc(void *p, size_t len);

static int refused(void)
{
	alloc_calls++;
	if (alloc_left < 0)
		return 0;
	return alloc_left-- == 0;
}

void *__wrap_malloc(size_t len)
{
	return refused() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t num, size_t len)
{
	return refused() ? NULL : __real_calloc(num, len);
}

void *__wrap_realloc(void *p, size_t len)
{
	return refused() ? NULL : __real_realloc(p, len);
}
