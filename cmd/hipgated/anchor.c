/* SPDX-License-Identifier: MIT */
/* The key that DNSSEC begins with; theory in anchor.h. */
#include "anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct text {
	size_t len;
	char octets[ANCHOR_MAX];
};

/* HG_ESYS: errno says why. */
static int text_read(const char *path, struct text *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	out->len = 0;
	while (fd >= 0 && n > 0 && out->len < sizeof(out->octets)) {
		n = read(fd, out->octets + out->len,
			 sizeof(out->octets) - out->len);
		out->len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		(void)close(fd); /* it was only read */
	if (fd < 0 || n < 0)
		return HG_ESYS;
	errno = n > 0 ? EFBIG : ENODATA;
	return n > 0 || out->len == 0 ? HG_ESYS : HG_OK;
}

/* Whole or not at all. HG_ESYS: errno says why. */
static int text_write(const char *path, const struct text *t)
{
	char new[ANCHOR_PATH + 8];
	bool ok;
	int fd;

	(void)snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return HG_ESYS;
	ok = write(fd, t->octets, t->len) == (ssize_t)t->len && fsync(fd) == 0;
	(void)close(fd); /* it is on the disk, or not ok */
	if (ok && rename(new, path) == 0)
		return HG_OK;
	(void)unlink(new);
	return HG_ESYS;
}

/* Is there a copy, of what `from` says now? */
static bool is_current(const struct text *from, const char *copy,
		       const char *origin, struct text *was)
{
	struct stat st;

	return stat(copy, &st) == 0 && st.st_size > 0 &&
	       text_read(origin, was) == HG_OK && was->len == from->len &&
	       memcmp(was->octets, from->octets, was->len) == 0;
}

int anchor_copy(const char *from, const char *state, char out[ANCHOR_PATH],
		char *errbuf, size_t errlen)
{
	char origin[ANCHOR_PATH + 8];
	struct text *t = calloc(2, sizeof(*t));
	int err = HG_OK;

	if (!t)
		return HG_ENOMEM;
	(void)snprintf(out, ANCHOR_PATH, "%s/trust-anchor", state);
	(void)snprintf(origin, sizeof(origin), "%s.origin", out);
	if (text_read(from, t)) {
		(void)snprintf(errbuf, errlen,
			       "trust-anchor = %s: %s; it must be a readable "
			       "file of DS or DNSKEY records (the root's are "
			       "in the package dns-root-data)",
			       from, strerror(errno));
		err = HG_EFORMAT;
	} else if (!is_current(t, out, origin, t + 1) &&
		   /* The origin last: what broke off is done again. */
		   (text_write(out, t) || text_write(origin, t))) {
		(void)snprintf(errbuf, errlen,
			       "%s: %s; let the daemon's user write to the "
			       "state folder",
			       out, strerror(errno));
		err = HG_ESYS;
	}
	free(t);
	return err;
}
