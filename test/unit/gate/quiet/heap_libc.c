/* SPDX-License-Identifier: MIT */
/* The heap, where libc has it: ours stands before it, for libraries too. */
#include <errno.h>
#include <stdlib.h>

#include "test/unit/gate/quiet/quiet.h"

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t num, size_t len);
void *__libc_realloc(void *p, size_t len);
void *__libc_memalign(size_t align, size_t len);
void __libc_free(void *p);

void *malloc(size_t len)
{
	quiet_seen[QUIET_HEAP]++;
	return __libc_malloc(len);
}

void *calloc(size_t num, size_t len)
{
	quiet_seen[QUIET_HEAP]++;
	return __libc_calloc(num, len);
}

void *realloc(void *p, size_t len)
{
	quiet_seen[QUIET_HEAP]++;
	return __libc_realloc(p, len);
}

void *aligned_alloc(size_t align, size_t len)
{
	quiet_seen[QUIET_HEAP]++;
	return __libc_memalign(align, len);
}

int posix_memalign(void **out, size_t align, size_t len)
{
	quiet_seen[QUIET_HEAP]++;
	*out = __libc_memalign(align, len);
	return *out ? 0 : ENOMEM;
}

void free(void *p)
{
	if (p)
		quiet_seen[QUIET_HEAP]++;
	__libc_free(p);
}

void quiet_begin(void)
{
}
