/* SPDX-License-Identifier: MIT */
/* One command, run to its end, with what it said. */
#include "cmd/hipgate-setup/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int split(char *text, char *argv[SPAWN_ARGS + 1])
{
	char *save = NULL;
	size_t n = 0;

	for (char *s = strtok_r(text, " ", &save); s;
	     s = strtok_r(NULL, " ", &save)) {
		if (n == SPAWN_ARGS)
			return HG_EFULL;
		argv[n++] = s;
	}
	argv[n] = NULL;
	return n ? HG_OK : HG_EINVAL;
}

static int start(char *const argv[], int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		goto out;
	err = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null",
					       O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, 2);
	if (!err)
		err = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
out:
	errno = err;
	return err ? HG_ESYS : HG_OK;
}

/* To the end of file; what does not fit is read and dropped. */
static void collect(int fd, char *out, size_t cap)
{
	char buf[512];
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		size_t fit = cap - 1 - used;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if ((size_t)n < fit)
			fit = (size_t)n;
		memcpy(out + used, buf, fit);
		used += fit;
	}
	while (used > 0 && out[used - 1] == '\n')
		used--;
	out[used] = '\0';
}

int spawn_run(const char *text, int *status, char *out, size_t cap)
{
	int err = spawn_lines(text, status, out, cap);

	for (char *s = err ? NULL : strchr(out, '\n'); s; s = strchr(s, '\n'))
		*s = ' ';
	return err;
}

int spawn_lines(const char *text, int *status, char *out, size_t cap)
{
	char *argv[SPAWN_ARGS + 1];
	char copy[512];
	int fds[2];
	int wait_status;
	pid_t pid;
	int err;

	errno = EINVAL;
	if (strlen(text) >= sizeof(copy) || cap == 0)
		return HG_EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	err = split(copy, argv);
	if (err)
		return err;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return HG_ESYS;
	err = start(argv, fds[1], &pid);
	(void)close(fds[1]); /* ours; the child has its own */
	if (err) {
		int saved = errno;

		(void)close(fds[0]);
		errno = saved;
		return err;
	}
	collect(fds[0], out, cap);
	(void)close(fds[0]); /* read to the end */
	while (waitpid(pid, &wait_status, 0) < 0) {
		if (errno != EINTR)
			return HG_ESYS;
	}
	*status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
					 : 128 + WTERMSIG(wait_status);
	return HG_OK;
}
