/* SPDX-License-Identifier: MIT */
/* Reads the configuration, a file and those in conf.d beside it, and private
 * key files, each with a bound. */
#include "cmd/config/config.h"
#include "cmd/config/config_dns.h"
#include "cmd/config/config_parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 16 * 1024 };

struct file_kind {
	size_t max; /* octets */
	bool secret;
	bool owned; /* by root or owner, and written by nobody else */
	uid_t owner;
};

static const struct file_kind config_file = { .max = CONFIG_FILE_MAX };
static const struct file_kind key_file = { .max = KEY_FILE_MAX,
					   .secret = true };

/* Whoever can write it says what the daemon does. */
static int owner_judge(const struct stat *st, const char *path, uid_t owner,
		       char *errbuf, size_t errlen)
{
	if (st->st_uid != 0 && st->st_uid != owner) {
		(void)snprintf(errbuf, errlen,
			       "%s: user %u, whose it is, is neither root nor "
			       "the owner of the main file; run: chown %u %s",
			       path, (unsigned)st->st_uid, (unsigned)owner,
			       path);
		return HG_EPERM;
	}
	if (st->st_mode & 022) {
		(void)snprintf(errbuf, errlen,
			       "%s: others than its owner can change this part "
			       "of the configuration (mode %04o); run: chmod "
			       "go-w %s",
			       path, (unsigned)(st->st_mode & 07777), path);
		return HG_EPERM;
	}
	return HG_OK;
}

/* Judges what was opened, not what the name meant a moment before. */
static int file_judge(int fd, const char *path, const struct file_kind *kind,
		      char *errbuf, size_t errlen)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		(void)snprintf(errbuf, errlen, "%s: %s", path, strerror(errno));
		return HG_ESYS;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)snprintf(errbuf, errlen, "%s: not a regular file", path);
		return HG_EFORMAT;
	}
	if (kind->secret && (st.st_mode & 077)) {
		(void)snprintf(errbuf, errlen,
			       "%s: others than its owner can use this "
			       "private key (mode %04o); run: chmod 600 %s",
			       path, (unsigned)(st.st_mode & 07777), path);
		return HG_EPERM;
	}
	if (kind->owned)
		return owner_judge(&st, path, kind->owner, errbuf, errlen);
	return HG_OK;
}

/* At most cap octets; more in the file is HG_EFULL. */
static int file_fill(int fd, char *buf, size_t cap, size_t *len)
{
	size_t used = 0;

	while (used <= cap) {
		/* One octet of room more, to see that there is too much. */
		ssize_t n = read(fd, buf + used, cap + 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return HG_ESYS;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	if (used > cap)
		return HG_EFULL;
	buf[used] = '\0';
	*len = used;
	return HG_OK;
}

/* The whole file, heap, NUL-terminated. */
static int file_read(const char *path, const struct file_kind *kind, char **out,
		     size_t *len, char *errbuf, size_t errlen)
{
	size_t cap = kind->max;
	/* O_NONBLOCK: a FIFO must not hold us before it is refused. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *buf = NULL;
	int err;

	if (fd < 0) {
		(void)snprintf(errbuf, errlen, "%s: %s", path, strerror(errno));
		return HG_ESYS;
	}
	err = file_judge(fd, path, kind, errbuf, errlen);
	if (err)
		goto out;
	buf = calloc(1, cap + 1);
	err = buf ? file_fill(fd, buf, cap, len) : HG_ENOMEM;
	if (err == HG_ESYS)
		(void)snprintf(errbuf, errlen, "%s: %s", path, strerror(errno));
	else if (err == HG_EFULL)
		(void)snprintf(errbuf, errlen, "%s: larger than %zu octets",
			       path, cap);
	else if (err)
		(void)snprintf(errbuf, errlen, "%s: %s", path, err_text(err));
out:
	if (err && buf) {
		sodium_memzero(buf, cap + 1);
		free(buf);
	} else if (!err) {
		*out = buf;
	}
	(void)close(fd); /* it was only read */
	return err;
}

/* A text file. What stood behind a NUL octet would silently not count. */
static int text_read(const char *path, const struct file_kind *kind, char **out,
		     char *errbuf, size_t errlen)
{
	size_t len;
	int err = file_read(path, kind, out, &len, errbuf, errlen);

	if (err || strlen(*out) == len)
		return err;
	(void)snprintf(errbuf, errlen,
		       "%s: holds a NUL octet; it is not a text file", path);
	free(*out);
	return HG_EFORMAT;
}

static int hosts_load(struct config *c, char *errbuf, size_t errlen)
{
	char *text;
	int err = text_read(c->hosts, &config_file, &text, errbuf, errlen);

	if (!err) {
		err = config_dns_hosts_parse(c, c->hosts, text, errbuf, errlen);
		free(text);
	}
	return err;
}

/* ---- conf.d ------------------------------------------------------------- */

/* What is read; the names and texts are heap. */
struct config_files {
	struct config_text text[CONFIG_FILES];
	size_t num;
	char *errbuf;
	size_t errlen;
};

/* Takes name, also when it fails. */
static int files_add(struct config_files *f, char *name,
		     const struct file_kind *kind)
{
	struct config_text *t = &f->text[f->num];
	char *text = NULL;
	int err = name ? HG_OK : HG_ENOMEM;

	if (!err && f->num == CONFIG_FILES) {
		(void)snprintf(f->errbuf, f->errlen,
			       "%s: too many files there; at most %d", name,
			       CONFIG_FILES - 1);
		err = HG_EFULL;
	}
	if (!err)
		err = text_read(name, kind, &text, f->errbuf, f->errlen);
	if (err) {
		free(name);
		return err;
	}
	t->name = name;
	t->text = text;
	f->num++;
	return HG_OK;
}

static void files_free(struct config_files *f)
{
	for (size_t i = 0; i < f->num; i++) {
		free((void *)f->text[i].name); /* ours; const to readers */
		free((void *)f->text[i].text);
	}
}

static int is_drop_in(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 &&
	       strcmp(d->d_name + len - 5, ".conf") == 0;
}

/* Octets, whatever the locale: everybody's order is the same. */
static int by_octets(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static char *path_in(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static int drop_ins_of(struct config_files *f, int fd, const char *dir,
		       uid_t owner)
{
	struct file_kind kind = config_file;
	struct dirent **found;
	struct stat st;
	int num = -1;
	int err = HG_OK;

	kind.owned = true;
	kind.owner = owner;
	if (fstat(fd, &st) == 0) {
		err = owner_judge(&st, dir, owner, f->errbuf, f->errlen);
		if (err)
			return err;
		num = scandirat(fd, ".", &found, is_drop_in, by_octets);
	}
	if (num < 0) {
		(void)snprintf(f->errbuf, f->errlen, "%s: %s", dir,
			       strerror(errno));
		return HG_ESYS;
	}
	for (int i = 0; i < num; i++) {
		if (!err)
			err = files_add(f, path_in(dir, found[i]->d_name),
					&kind);
		free(found[i]);
	}
	free(found);
	return err;
}

/* dir, unless there is none; owner: of the file beside it. */
static int drop_ins_add(struct config_files *f, const char *dir, uid_t owner)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return HG_OK;
	if (fd < 0) {
		(void)snprintf(f->errbuf, f->errlen, "%s: %s", dir,
			       strerror(errno));
		return HG_ESYS;
	}
	err = drop_ins_of(f, fd, dir, owner);
	(void)close(fd); /* it was only read */
	return err;
}

/* path and what is in conf.d beside it. */
static int files_read(struct config_files *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	char *dir;
	size_t used;
	int err;

	errno = 0;
	err = files_add(f, strdup(path), &config_file);
	if (err == HG_ESYS && errno == ENOENT) {
		used = strlen(f->errbuf);
		(void)snprintf(f->errbuf + used, f->errlen - used,
			       "; hipgate.conf(5) tells what goes there");
	}
	if (err)
		return err;
	if (asprintf(&dir, "%.*sconf.d", slash ? (int)(slash + 1 - path) : 0,
		     path) < 0)
		return HG_ENOMEM;
	/* It cannot be asked any more: root's alone count. */
	err = drop_ins_add(f, dir, stat(path, &st) ? 0 : st.st_uid);
	free(dir);
	return err;
}

int config_load(const char *path, struct config **out, char *errbuf,
		size_t errlen)
{
	struct config_files f = { .errbuf = errbuf, .errlen = errlen };
	struct config *c = NULL;
	int err = files_read(&f, path);

	if (!err)
		err = config_parse_texts(f.text, f.num, &c, errbuf, errlen);
	else if (err == HG_ENOMEM)
		(void)snprintf(errbuf, errlen, "%s: out of memory", path);
	files_free(&f);
	if (!err && c->hosts[0])
		err = hosts_load(c, errbuf, errlen);
	if (err)
		config_free(c);
	else
		*out = c;
	return err;
}

int config_read_key(const char *path, char **pem, size_t *len, char *errbuf,
		    size_t errlen)
{
	return file_read(path, &key_file, pem, len, errbuf, errlen);
}
