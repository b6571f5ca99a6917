/* SPDX-License-Identifier: MIT */
/* Files that the tool writes, often as root and into a folder that others
 * write to as well: a link or a file that somebody laid there is not followed,
 * filled or given away. */
#include "cmd/hipgate/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/hipgate/verb.h"

static FILE *refused(const char *path)
{
	if (errno == ELOOP)
		(void)verb_fail("%s: it is a symbolic link; remove it, or name "
				"the file itself",
				path);
	else if (errno == EEXIST)
		(void)verb_fail("%s: it is there already, and is no file of "
				"yours; remove it, or choose another name",
				path);
	else
		(void)verb_fail("%s: %s", path, strerror(errno));
	return NULL;
}

static FILE *stream(int fd, const char *path)
{
	FILE *f = fdopen(fd, "w");

	if (f)
		return f;
	(void)refused(path);
	(void)close(fd); /* nothing is in it */
	return NULL;
}

FILE *outfile_new(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid())
		(void)unlink(path); /* or open fails */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	return fd < 0 ? refused(path) : stream(fd, path);
}

FILE *outfile_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	bool ours;

	if (fd < 0)
		return refused(path);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		return stream(fd, path);
	ours = st.st_uid == geteuid() && st.st_nlink == 1;
	if (!ours)
		errno = EEXIST;
	if (ours && fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0)
		return stream(fd, path);
	(void)refused(path);
	(void)close(fd); /* nothing was written */
	return NULL;
}
