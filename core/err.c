/* SPDX-License-Identifier: MIT */
/* Texts of the shared error codes. */
#include "core/err.h"

static const char *const texts[] = {
	[-HG_OK] = "no error",
	[-HG_EINVAL] = "invalid argument",
	[-HG_ETRUNC] = "input is truncated",
	[-HG_EFORMAT] = "input is malformed",
	[-HG_ENOMEM] = "out of memory",
	[-HG_EFULL] = "limit reached",
	[-HG_ENOENT] = "not found",
	[-HG_EEXIST] = "already exists",
	[-HG_ECRYPTO] = "crypto library error",
	[-HG_EAUTH] = "authentication failed",
	[-HG_EPERM] = "not permitted",
	[-HG_ESYS] = "system call failed",
	[-HG_EUNSUPP] = "not supported",
	[-HG_EAGAIN] = "nothing to do",
};

const char *err_text(int err)
{
	int i = -err;

	if (i < 0 || i >= (int)(sizeof(texts) / sizeof(texts[0])))
		return "unknown error";
	return texts[i];
}
