/* SPDX-License-Identifier: MIT */
/* Private key files: made so that nobody else ever sees one. */
#include "cmd/hipgate/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/config/config.h"

static int fill(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return HG_ESYS;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? HG_ESYS : HG_OK;
}

/* What root makes in somebody's folder (that of the daemon's user) is for
 * them, who could not read it otherwise. */
static int give(int fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	struct stat st;

	if (geteuid() != 0)
		return HG_OK;
	(void)snprintf(dir, sizeof(dir), "%.*s.",
		       slash ? (int)(slash + 1 - path) : 0, path);
	if (stat(dir, &st) < 0)
		return HG_ESYS;
	if (st.st_uid == 0)
		return HG_OK;
	return fchown(fd, st.st_uid, st.st_gid) < 0 ? HG_ESYS : HG_OK;
}

/* Fills and closes fd, or removes path: half a key is no key. */
static int finish(int fd, const char *path, const char *text)
{
	int err = give(fd, path);
	int saved;

	if (!err)
		err = fill(fd, text);
	saved = errno;
	if (close(fd) < 0 && !err) {
		err = HG_ESYS;
		saved = errno;
	}
	if (err)
		(void)unlink(path);
	errno = saved;
	return err;
}

static int file_new(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? HG_EEXIST : HG_ESYS;
	return finish(fd, path, text);
}

static int file_replace(const char *path, const char *text)
{
	char fresh[PATH_MAX];
	int saved;
	int fd;

	errno = ENAMETOOLONG;
	if (snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path) >=
	    (int)sizeof(fresh))
		return HG_ESYS;
	fd = mkostemp(fresh, O_CLOEXEC); /* mode 0600 */
	if (fd < 0 || finish(fd, fresh, text))
		return HG_ESYS;
	if (rename(fresh, path) == 0)
		return HG_OK;
	saved = errno;
	(void)unlink(fresh);
	errno = saved;
	return HG_ESYS;
}

int keyfile_write(const char *path, const struct hip_identity *id, bool replace,
		  char *errbuf, size_t errlen)
{
	char *pem;
	int err = hip_identity_to_pem(id, &pem);

	if (err) {
		(void)snprintf(errbuf, errlen, "%s: %s", path, err_text(err));
		return err;
	}
	err = replace ? file_replace(path, pem) : file_new(path, pem);
	if (err == HG_EEXIST)
		(void)snprintf(errbuf, errlen,
			       "%s is there already; a key that is "
			       "overwritten is lost: take another name, or "
			       "--force",
			       path);
	else if (err)
		(void)snprintf(errbuf, errlen, "%s: %s", path, strerror(errno));
	sodium_memzero(pem, strlen(pem));
	free(pem);
	return err;
}

int keyfile_read(const char *path, struct hip_identity **out, char *errbuf,
		 size_t errlen)
{
	char *pem;
	size_t len;
	int err = config_read_key(path, &pem, &len, errbuf, errlen);

	if (err)
		return err;
	err = hip_identity_from_pem(pem, len, out);
	if (err)
		(void)snprintf(errbuf, errlen,
			       "%s: not a private key we can use (%s); it "
			       "must be " HIP_IDENTITY_KINDS "; make one with "
			       "\"hipgate keygen FILE\"",
			       path, err_text(err));
	sodium_memzero(pem, len);
	free(pem);
	return err;
}
