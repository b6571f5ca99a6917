/* SPDX-License-Identifier: MIT */
/* The paths of one association. */
#include "hip/hip.h"

const char *hip_path_why_name(enum hip_path_why why)
{
	static const char *const name[HIP_PATH_WHY_NUM] = {
		[HIP_PATH_ANNOUNCED] = "announced",
		[HIP_PATH_MOVED] = "moved",
		[HIP_PATH_VERIFIED] = "verified",
		[HIP_PATH_TAKEN] = "taken",
		[HIP_PATH_SILENT] = "silent",
		[HIP_PATH_FAILED] = "failed",
		[HIP_PATH_REBOUND] = "rebound",
		[HIP_PATH_RETURNED] = "returned",
		[HIP_PATH_RELAYED] = "relayed",
		[HIP_PATH_EXPIRED] = "expired",
		[HIP_PATH_WITHDRAWN] = "withdrawn",
	};

	return why < HIP_PATH_WHY_NUM ? name[why] : "?";
}

const char *hip_path_state_name(enum hip_path_state s)
{
	static const char *const name[HIP_PATH_STATE_NUM] = {
		[HIP_PATH_UNVERIFIED] = "unverified",
		[HIP_PATH_ACTIVE] = "active",
		[HIP_PATH_DEPRECATED] = "deprecated",
		[HIP_PATH_DEAD] = "dead",
	};

	return s < HIP_PATH_STATE_NUM ? name[s] : "?";
}

void hip_each_path(const struct hip *h, const struct hit *self,
		   const struct hit *peer,
		   void (*fn)(const struct hip_path *p, void *arg), void *arg)
{
	(void)h;
	(void)self;
	(void)peer;
	(void)fn;
	(void)arg;
}

void hip_each_path_event(const struct hip *h, const struct hit *self,
			 const struct hit *peer,
			 void (*fn)(const struct hip_path_event *e, void *arg),
			 void *arg)
{
	(void)h;
	(void)self;
	(void)peer;
	(void)fn;
	(void)arg;
}
