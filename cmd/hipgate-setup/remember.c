/* SPDX-License-Identifier: MIT */
/* The values of sysctls before we changed them, kept below /run.
 *
 * THEORY OF OPERATION
 * One file for each network namespace, for /run is often shared by several
 * and sysctls are not: the namespace's inode number is in the name. Such
 * numbers are used again, so the caller clears the file when it finds none
 * of our set-up in place (no TUN). The file is written before the sysctl
 * is, so that a value is never lost. Whoever clears the last file takes the
 * folder away, even between another one's making it and its file.
 */
#include "cmd/hipgate-setup/remember.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/run/hipgate-setup"
#define FOLDER_TRIES 1000

static void entry_take(struct remember *r, char *line)
{
	struct remember_entry *e = &r->entry[r->num];
	char *value = strchr(line, '=');

	line[strcspn(line, "\n")] = '\0';
	if (!value || r->num == REMEMBER_MAX)
		return;
	*value++ = '\0';
	if (strlen(line) >= sizeof(e->path) ||
	    strlen(value) >= sizeof(e->value) || !value[0])
		return;
	memcpy(e->path, line, strlen(line) + 1);
	memcpy(e->value, value, strlen(value) + 1);
	r->num++;
}

int remember_load(struct remember *r)
{
	char line[REMEMBER_PATH + REMEMBER_VALUE + 2];
	struct stat ns;
	FILE *f;

	memset(r, 0, sizeof(*r));
	if (stat("/proc/self/ns/net", &ns) < 0)
		return HG_ESYS;
	(void)snprintf(r->file, sizeof(r->file), FOLDER "/%llu",
		       (unsigned long long)ns.st_ino);
	f = fopen(r->file, "re");
	if (!f)
		return errno == ENOENT ? HG_OK : HG_ESYS;
	while (fgets(line, sizeof(line), f))
		entry_take(r, line);
	(void)fclose(f); /* it was only read */
	return HG_OK;
}

const char *remember_find(const struct remember *r, const char *path)
{
	for (size_t i = 0; i < r->num; i++) {
		if (strcmp(r->entry[i].path, path) == 0)
			return r->entry[i].value;
	}
	return NULL;
}

static FILE *file_open(const struct remember *r)
{
	FILE *f = NULL;

	for (int i = 0; !f && i < FOLDER_TRIES; i++) {
		if (mkdir(FOLDER, 0755) < 0 && errno != EEXIST)
			return NULL;
		f = fopen(r->file, "we");
		if (!f && errno != ENOENT)
			return NULL;
	}
	return f;
}

static int file_write(const struct remember *r)
{
	FILE *f = file_open(r);

	if (!f)
		return HG_ESYS;
	for (size_t i = 0; i < r->num; i++)
		(void)fprintf(f, "%s=%s\n", r->entry[i].path,
			      r->entry[i].value); /* fclose tells */
	return fclose(f) == 0 ? HG_OK : HG_ESYS;
}

int remember_add(struct remember *r, const char *path, const char *value)
{
	struct remember_entry *e = &r->entry[r->num];

	if (remember_find(r, path))
		return HG_OK;
	errno = ENOSPC;
	if (r->num == REMEMBER_MAX)
		return HG_EFULL;
	(void)snprintf(e->path, sizeof(e->path), "%s", path);
	(void)snprintf(e->value, sizeof(e->value), "%s", value);
	r->num++;
	return file_write(r);
}

void remember_clear(struct remember *r)
{
	r->num = 0;
	(void)unlink(r->file); /* may not be there */
	(void)rmdir(FOLDER);   /* may hold other namespaces' files */
}
