/* SPDX-License-Identifier: MIT */
/* Locks, the clock and the log: the program's own definitions come before
 * those of libraries. The heap is in heap_*.c. */
#include "test/unit/gate/quiet/quiet.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"

_Thread_local unsigned quiet_seen[QUIET_NUM];

int clock_gettime(clockid_t id, struct timespec *ts)
{
	quiet_seen[QUIET_CLOCK]++;
	return (int)syscall(SYS_clock_gettime, id, ts);
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
	static int (*real)(pthread_mutex_t * m);

	quiet_seen[QUIET_LOCK]++;
	if (!real)
		real = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT,
							 "pthread_mutex_lock");
	return real(m);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	static int (*real)(pthread_rwlock_t * l);

	quiet_seen[QUIET_LOCK]++;
	if (!real)
		real = (int (*)(pthread_rwlock_t *))dlsym(
			RTLD_NEXT, "pthread_rwlock_rdlock");
	return real(l);
}

void __real_log_line(enum log_sub sub, enum log_level level, const char *fmt,
		     ...) __attribute__((format(printf, 3, 4)));
void __wrap_log_line(enum log_sub sub, enum log_level level, const char *fmt,
		     ...) __attribute__((format(printf, 3, 4)));
void __wrap_log_line(enum log_sub sub, enum log_level level, const char *fmt,
		     ...)
{
	char line[1024];
	va_list ap;

	quiet_seen[QUIET_LOG]++;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	__real_log_line(sub, level, "%s", line);
}
