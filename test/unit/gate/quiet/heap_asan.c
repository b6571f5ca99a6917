/* SPDX-License-Identifier: MIT */
/* The heap, where AddressSanitizer has it: it calls us. */
#include <stdlib.h>

#include "test/unit/gate/quiet/quiet.h"

int __sanitizer_install_malloc_and_free_hooks(
	void (*on_malloc)(const volatile void *p, size_t len),
	void (*on_free)(const volatile void *p));

static void on_malloc(const volatile void *p, size_t len)
{
	(void)p;
	(void)len;
	quiet_seen[QUIET_HEAP]++;
}

static void on_free(const volatile void *p)
{
	(void)p;
	quiet_seen[QUIET_HEAP]++;
}

void quiet_begin(void)
{
	static int once;

	if (!once++ &&
	    !__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free))
		abort();
}
