/* SPDX-License-Identifier: MIT */
/* A user's own daemon: its files are in the folders of that user (XDG Base
 * Directory Specification). */
/* THEORY OF OPERATION
 * What makes a daemon a user's own is where its configuration lies: in that
 * user's folder of configurations. All who read that file, the tool as well
 * as the daemon, so have the same defaults, whoever they run as. A relative
 * path in the environment is ignored, as the specification asks.
 */
#include "cmd/config/config_home.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* $name/tail, or $HOME/home/tail where home is not NULL. False: none. */
static bool home_path(const char *name, const char *home, const char *tail,
		      char out[CONFIG_PATH])
{
	const char *dir = getenv(name);
	int len;

	if (dir && dir[0] == '/') {
		len = snprintf(out, CONFIG_PATH, "%s/%s", dir, tail);
	} else {
		dir = home ? getenv("HOME") : NULL;
		if (!dir || dir[0] != '/')
			return false;
		len = snprintf(out, CONFIG_PATH, "%s/%s/%s", dir, home, tail);
	}
	return len < CONFIG_PATH;
}

const char *config_home_file(uid_t who, char out[CONFIG_PATH])
{
	if (who != 0 &&
	    home_path("XDG_CONFIG_HOME", ".config", "hipgate/hipgate.conf",
		      out) &&
	    access(out, F_OK) == 0)
		return out;
	return CONFIG_FILE_DEFAULT;
}

void config_home_defaults(struct config *c, const char *file)
{
	char dir[CONFIG_PATH];
	char path[CONFIG_PATH];

	if (!home_path("XDG_CONFIG_HOME", ".config", "hipgate/", dir) ||
	    strncmp(file, dir, strlen(dir)) != 0)
		return;
	if (home_path("XDG_STATE_HOME", ".local/state", "hipgate", path))
		memcpy(c->state, path, sizeof(c->state));
	if (home_path("XDG_RUNTIME_DIR", NULL, "hipgate/ctl.sock", path))
		memcpy(c->control, path, sizeof(c->control));
	c->home = true;
}

/* All folders of path but the last part, or with it. */
static void make_folders(const char *path, bool last)
{
	char part[CONFIG_PATH];

	for (const char *s = path + 1; *s; s++) {
		if (*s != '/')
			continue;
		(void)snprintf(part, sizeof(part), "%.*s", (int)(s - path),
			       path);
		(void)mkdir(part, 0700); /* it may be there */
	}
	if (last)
		(void)mkdir(path, 0700);
}

void config_home_make(const struct config *c)
{
	if (!c->home)
		return;
	make_folders(c->state, true);
	make_folders(c->control, false);
}
