/* SPDX-License-Identifier: MIT */
/* The daemon's control socket, from the asking side. */
#include "cmd/hipgate/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SYSTEM_SOCKET "/run/hipgate/ctl.sock"

struct ask {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	FILE *in;
	char *line;
	size_t line_cap;
};

/* A user's own daemon comes first. */
static void default_path(char *out, size_t cap)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (dir && dir[0] == '/' &&
	    snprintf(out, cap, "%s/hipgate/ctl.sock", dir) < (int)cap &&
	    access(out, F_OK) == 0)
		return;
	(void)snprintf(out, cap, "%s", SYSTEM_SOCKET);
}

static int open_socket(const char *path, bool wait, FILE **out)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = ASK_TIMEOUT_S };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return HG_ESYS;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		goto fail;
	if (!wait && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
				sizeof(timeout)) < 0)
		goto fail;
	*out = fdopen(fd, "r");
	if (*out)
		return HG_OK;
fail:
	saved = errno;
	(void)close(fd); /* nothing was written */
	errno = saved;
	return HG_ESYS;
}

int ask_new(const char *path, bool wait, struct ask **out, char *errbuf,
	    size_t errlen)
{
	struct ask *a;

	if (path && strlen(path) >= sizeof(a->path)) {
		(void)snprintf(errbuf, errlen,
			       "--socket %s: the name is too long for a "
			       "socket; at most %zu octets",
			       path, sizeof(a->path) - 1);
		return HG_EINVAL;
	}
	a = calloc(1, sizeof(*a));
	if (!a) {
		(void)snprintf(errbuf, errlen, "out of memory");
		return HG_ENOMEM;
	}
	if (path)
		memcpy(a->path, path, strlen(path) + 1);
	else
		default_path(a->path, sizeof(a->path));
	if (open_socket(a->path, wait, &a->in)) {
		(void)snprintf(errbuf, errlen,
			       "cannot reach hipgated at %s: %s; is it "
			       "running? (--socket)",
			       a->path, strerror(errno));
		free(a);
		return HG_ESYS;
	}
	*out = a;
	return HG_OK;
}

int ask_send(struct ask *a, json_t *request, char *errbuf, size_t errlen)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;
	size_t sent = 0;

	if (text)
		text[len++] = '\n'; /* over the NUL: from here by length */
	while (sent < len) {
		ssize_t n = send(fileno(a->in), text + sent, len - sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	free(text);
	if (len > 0 && sent == len)
		return HG_OK;
	(void)snprintf(errbuf, errlen, "%s: cannot ask: %s", a->path,
		       strerror(errno));
	return HG_ESYS;
}

int ask_line(struct ask *a, json_t **out, char *errbuf, size_t errlen)
{
	json_error_t why;
	ssize_t n;

	errno = 0;
	n = getline(&a->line, &a->line_cap, a->in);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		(void)snprintf(errbuf, errlen,
			       "hipgated at %s does not answer (waited %d s)",
			       a->path, ASK_TIMEOUT_S);
		return HG_EAGAIN;
	}
	if (n < 0) {
		(void)snprintf(errbuf, errlen, "hipgated at %s hung up%s%s",
			       a->path, errno ? ": " : "",
			       errno ? strerror(errno) : "");
		return HG_ENOENT;
	}
	*out = json_loadb(a->line, (size_t)n, 0, &why);
	if (json_is_object(*out))
		return HG_OK;
	json_decref(*out);
	(void)snprintf(errbuf, errlen,
		       "%s: the answer is not a line of JSON; is this "
		       "hipgated's control socket?",
		       a->path);
	return HG_EFORMAT;
}

void ask_free(struct ask *a)
{
	if (!a)
		return;
	(void)fclose(a->in); /* it was only read */
	free(a->line);
	free(a);
}
