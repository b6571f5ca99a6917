/* SPDX-License-Identifier: MIT */
/* What ip(8) says, as JSON. It is run without a shell. */
#include "cmd/hipgate/iproute.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WORDS = 16, OUT_MAX = 16 << 20 };

struct said {
	char *text;
	size_t len, cap;
};

static void take(int fd, struct said *s)
{
	ssize_t n;

	for (;;) {
		if (s->cap - s->len < 4096 && s->cap < OUT_MAX) {
			char *more = realloc(s->text, s->cap + 65536);

			if (!more)
				return;
			s->text = more;
			s->cap += 65536;
		}
		n = read(fd, s->text + s->len, s->cap - s->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		s->len += (size_t)n;
	}
}

static int start(char *const argv[], int out[2], pid_t *pid)
{
	posix_spawn_file_actions_t to;
	int err;

	if (pipe2(out, O_CLOEXEC))
		return errno;
	(void)posix_spawn_file_actions_init(&to);
	(void)posix_spawn_file_actions_adddup2(&to, out[1], STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&to, out[1], STDERR_FILENO);
	err = posix_spawnp(pid, argv[0], &to, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&to);
	(void)close(out[1]); /* the child has it */
	if (err)
		(void)close(out[0]);
	return err;
}

/* Its octets; the text has no NUL. */
static size_t first_line(const struct said *s)
{
	const char *end = s->len ? memchr(s->text, '\n', s->len) : NULL;

	return end ? (size_t)(end - s->text) : s->len;
}

int iproute(const char *const words[], json_t **out)
{
	char *argv[WORDS + 3] = { (char *)"ip", (char *)"-j" };
	struct said said = { NULL, 0, 0 };
	json_error_t why;
	int fd[2];
	int status = -1;
	pid_t pid;

	*out = NULL;
	for (size_t i = 0; i < WORDS && words[i]; i++)
		argv[i + 2] = (char *)words[i];
	if (start(argv, fd, &pid))
		return HG_ENOENT;
	take(fd[0], &said);
	(void)close(fd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* It says nothing at all where a list is empty. */
	if (status == 0)
		*out = said.len ? json_loadb(said.text, said.len, 0, &why)
				: json_array();
	else
		*out = json_stringn(said.len ? said.text : "",
				    first_line(&said));
	free(said.text);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return HG_ENOENT;
	return status == 0 && *out ? HG_OK : HG_EINVAL;
}
