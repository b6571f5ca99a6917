/* SPDX-License-Identifier: MIT */
/* Who may talk to a socket of ours in the file system. */
#include "sockowner.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

int sockowner_set(const char *path, const char *group)
{
	struct group *gr;

	if (chmod(path, 0660) != 0)
		return HG_ESYS;
	if (!group[0])
		return HG_OK;
	gr = getgrnam(group);
	if (!gr)
		return HG_ENOENT;
	return chown(path, (uid_t)-1, gr->gr_gid) ? HG_ESYS : HG_OK;
}
