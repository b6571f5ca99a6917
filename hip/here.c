/* SPDX-License-Identifier: MIT */
/* Our own addresses, and what makes one path better than another. */
#include "hip/here.h"

int hip_set_here(struct hip *h, const struct hip_here *here, size_t num,
		 uint64_t now)
{
	(void)h;
	(void)here;
	(void)now;
	return num > HIP_HERE_MAX ? HG_EINVAL : HG_OK;
}

int hip_set_barred(struct hip *h, const struct prefix *barred, size_t num)
{
	(void)h;
	(void)barred;
	return num > HIP_BARRED_MAX ? HG_EINVAL : HG_OK;
}

int hip_set_path_policy(struct hip *h, const struct hip_path_policy *p,
			uint64_t now)
{
	(void)h;
	(void)now;
	return p->order_num > HIP_ORDER_MAX ? HG_EINVAL : HG_OK;
}
