/* SPDX-License-Identifier: MIT */
/* Error codes shared by all rooms: functions return 0 or one of these. */
#pragma once

#define HG_CHECK __attribute__((warn_unused_result))

enum hg_error {
	HG_OK = 0,
	HG_EINVAL = -1,	  /* a caller's argument or a text cannot be used */
	HG_ETRUNC = -2,	  /* input ends too early */
	HG_EFORMAT = -3,  /* input breaks its format's rules */
	HG_ENOMEM = -4,	  /* allocation failed */
	HG_EFULL = -5,	  /* a stated bound is reached */
	HG_ENOENT = -6,	  /* nothing there by that name */
	HG_EEXIST = -7,	  /* there is one already */
	HG_ECRYPTO = -8,  /* the crypto library refused */
	HG_EAUTH = -9,	  /* MAC, signature or identity does not verify */
	HG_EPERM = -10,	  /* policy or file mode says no */
	HG_ESYS = -11,	  /* a system call failed; errno says why */
	HG_EUNSUPP = -12, /* understood, not implemented or not offered */
	HG_EAGAIN = -13,  /* nothing to do now */
};

/* A short English phrase for an error code; never NULL. */
const char *err_text(int err);
