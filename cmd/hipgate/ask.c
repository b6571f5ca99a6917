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
	unsigned patience; /* seconds; 0: without end */
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

static int open_socket(const char *path, FILE **out)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return HG_ESYS;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
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

static void cannot_reach(const char *path, char *errbuf, size_t errlen)
{
	int saved = errno;
	const char *what = "is it running? (--socket)";

	if (saved == EACCES || saved == EPERM)
		what = "ask with sudo, or be in the group that control-group "
		       "in hipgate.conf names";
	(void)snprintf(errbuf, errlen, "cannot reach hipgated at %s: %s; %s",
		       path, strerror(saved), what);
	errno = saved;
}

int ask_new(const char *path, struct ask **out, char *errbuf, size_t errlen)
{
	struct ask *a;
	int err;

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
	err = open_socket(a->path, &a->in);
	if (err) {
		cannot_reach(a->path, errbuf, errlen);
		err = errno == EACCES || errno == EPERM ? HG_EPERM : HG_ESYS;
		free(a);
		return err;
	}
	ask_wait(a, ASK_TIMEOUT_S);
	*out = a;
	return HG_OK;
}

void ask_wait(struct ask *a, unsigned seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	a->patience = seconds;
	/* Cannot fail: it is a socket. */
	(void)setsockopt(fileno(a->in), SOL_SOCKET, SO_RCVTIMEO, &tv,
			 sizeof(tv));
}

int ask_send(struct ask *a, json_t *request, char *errbuf, size_t errlen)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;
	size_t sent = 0;

	if (!text) {
		(void)snprintf(errbuf, errlen,
			       "that cannot be asked: an argument is no UTF-8");
		return HG_EINVAL;
	}
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
	if (sent == len)
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
			       "hipgated at %s does not answer (waited %u s)",
			       a->path, a->patience);
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

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* What it says goes to a terminal. */
static void make_plain(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

int ask_strange(char *errbuf, size_t errlen)
{
	(void)snprintf(
		errbuf, errlen,
		"hipgated's answer is none that this tool, " HIPGATE_VERSION
		", understands; use the tool of the same release");
	return HG_EFORMAT;
}

int ask_judge(const json_t *answer, char *errbuf, size_t errlen)
{
	json_int_t version =
		json_integer_value(json_object_get(answer, "version"));
	const char *code = text_of(answer, "code");
	const char *error = text_of(answer, "error");

	if (version && version != ASK_VERSION) {
		(void)snprintf(errbuf, errlen,
			       "hipgated speaks version %d of the control "
			       "protocol, this tool version %d; use the tool "
			       "of the same release",
			       (int)version, ASK_VERSION);
		return HG_EUNSUPP;
	}
	if (json_is_true(json_object_get(answer, "ok")))
		return HG_OK;
	/* Before codes there were only sentences. */
	if (strcmp(code, "unknown-verb") == 0 ||
	    strcmp(error, "unknown verb") == 0) {
		(void)snprintf(errbuf, errlen,
			       "hipgated%s%s does not know that verb, and this "
			       "is hipgate %s; use the tool of the same "
			       "release, or restart the daemon if it has been "
			       "upgraded",
			       text_of(answer, "daemon")[0] ? " " : "",
			       text_of(answer, "daemon"), HIPGATE_VERSION);
		make_plain(errbuf);
		return HG_EUNSUPP;
	}
	(void)snprintf(errbuf, errlen, "hipgated says: %s",
		       error[0] ? error : "no");
	make_plain(errbuf);
	return strcmp(code, "denied") == 0 ? HG_EPERM : HG_EINVAL;
}

int ask_data(struct ask *a, json_t *request, json_t **data, char *errbuf,
	     size_t errlen)
{
	json_t *answer = NULL;
	int err = ask_send(a, request, errbuf, errlen);

	json_decref(request);
	if (!err)
		err = ask_line(a, &answer, errbuf, errlen);
	if (!err)
		err = ask_judge(answer, errbuf, errlen);
	if (!err) {
		*data = json_incref(json_object_get(answer, "data"));
		err = *data ? HG_OK : ask_strange(errbuf, errlen);
	}
	json_decref(answer);
	return err;
}

int ask_once(const char *path, json_t *request, json_t **data, char *errbuf,
	     size_t errlen)
{
	struct ask *a = NULL;
	int err = ask_new(path, &a, errbuf, errlen);

	if (err)
		json_decref(request);
	else
		err = ask_data(a, request, data, errbuf, errlen);
	ask_free(a);
	return err;
}

int ask_alive(const char *path, char *errbuf, size_t errlen)
{
	json_t *data = NULL;
	int err = ask_once(path, json_pack("{s:s}", "verb", "version"), &data,
			   errbuf, errlen);

	json_decref(data);
	return err;
}

ssize_t ask_octets(struct ask *a, void *buf, size_t len)
{
	size_t n = fread(buf, 1, len, a->in);

	if (n > 0 || feof(a->in))
		return (ssize_t)n;
	clearerr(a->in); /* a signal, perhaps: errno says */
	return -1;
}

const char *ask_path(const struct ask *a)
{
	return a->path;
}

void ask_free(struct ask *a)
{
	if (!a)
		return;
	(void)fclose(a->in); /* it was only read */
	free(a->line);
	free(a);
}
