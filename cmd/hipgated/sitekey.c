/* SPDX-License-Identifier: MIT */
/* The site key: a file beside the journal; see sitekey.h. */
#include "sitekey.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int dir_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* Whole or not at all: a short key would look like a damaged one. */
static int key_make(const char *dir, const char *path,
		    uint8_t key[LEASE_SITE_KEY])
{
	char new[420];
	bool ok;
	int fd;

	(void)snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return HG_ESYS;
	randombytes_buf(key, LEASE_SITE_KEY);
	ok = write(fd, key, LEASE_SITE_KEY) == LEASE_SITE_KEY && fsync(fd) == 0;
	(void)close(fd);
	ok = ok && rename(new, path) == 0 && dir_sync(dir) == 0;
	if (!ok)
		(void)unlink(new);
	return ok ? HG_OK : HG_ESYS;
}

int sitekey_load(const char *dir, uint8_t key[LEASE_SITE_KEY], bool *old,
		 char *errbuf, size_t errlen)
{
	char path[400];
	struct stat st;
	uint8_t more;
	int fd;
	int err = HG_OK;

	(void)snprintf(path, sizeof(path), "%s/site.key", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	*old = fd >= 0;
	if (fd < 0 && errno == ENOENT) {
		err = key_make(dir, path, key);
		if (err)
			(void)snprintf(errbuf, errlen,
				       "%s: %s; make the folder and let the "
				       "daemon's user write to it",
				       path, strerror(errno));
		return err;
	}
	if (fd < 0 || fstat(fd, &st) != 0 ||
	    read(fd, key, LEASE_SITE_KEY) != LEASE_SITE_KEY ||
	    read(fd, &more, 1) != 0) {
		(void)snprintf(errbuf, errlen,
			       "%s: not a readable key of %d octets; restore "
			       "it from its backup (removing it changes every "
			       "substitute address)",
			       path, LEASE_SITE_KEY);
		err = HG_EFORMAT;
	} else if (st.st_mode & 077) {
		(void)snprintf(errbuf, errlen,
			       "%s: others can read it: chmod 600 %s", path,
			       path);
		err = HG_EPERM;
	}
	if (fd >= 0)
		(void)close(fd);
	return err;
}
