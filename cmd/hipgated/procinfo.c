/* SPDX-License-Identifier: MIT */
/* What the kernel says of this process: proc(5), getrusage(2). */
#include "procinfo.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *tv)
{
	return (double)tv->tv_sec + (double)tv->tv_usec / 1e6;
}

static void look_memory(struct procinfo *p)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long long size, resident;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return;
	if (fscanf(f, "%llu %llu", &size, &resident) == 2) {
		p->virtual_bytes = size * page;
		p->resident_bytes = resident * page;
	}
	(void)fclose(f); /* it was only read */
}

/* Fields 20 and 22; the second one may hold blanks and ends with ')'. */
static void look_stat(struct procinfo *p)
{
	char line[1024];
	char *s = NULL;
	unsigned long long started;
	unsigned long long threads;
	struct timespec up;
	FILE *f = fopen("/proc/self/stat", "re");

	if (!f)
		return;
	if (fgets(line, sizeof(line), f))
		s = strrchr(line, ')');
	(void)fclose(f); /* it was only read */
	if (!s || sscanf(s + 1,
			 " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
			 " %*s %*s %*s %*s %llu %*s %llu",
			 &threads, &started) != 2)
		return;
	p->threads = threads;
	(void)clock_gettime(CLOCK_BOOTTIME, &up); /* cannot fail */
	p->started_s = (double)time(NULL) - (double)up.tv_sec +
		       (double)started / (double)sysconf(_SC_CLK_TCK);
}

static void look_files(struct procinfo *p)
{
	struct rlimit lim;
	DIR *d = opendir("/proc/self/fd");

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0)
		p->fds_max = lim.rlim_cur;
	if (!d)
		return;
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		p->fds += e->d_name[0] != '.';
	p->fds--; /* the folder's own */
	(void)closedir(d);
}

void procinfo_look(struct procinfo *p)
{
	struct rusage u;

	memset(p, 0, sizeof(*p));
	if (getrusage(RUSAGE_SELF, &u) == 0)
		p->cpu_s = seconds(&u.ru_utime) + seconds(&u.ru_stime);
	look_memory(p);
	look_stat(p);
	look_files(p);
}
