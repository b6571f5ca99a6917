/* SPDX-License-Identifier: MIT */
/* Who may: access rules by HIT and by address (RFC 7401 7, 8003 3.3). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/addr.h"
#include "core/err.h"
#include "hip/hip.h"

struct access_rule; /* one rule and how often it decided */
struct access_hit;  /* a HIT and the first rule that names it */
struct access_span; /* addresses that the same rule decides on */

/* The rules of one role, made ready for looking up. */
struct access_list {
	bool closed; /* holds an `allow`: who fits no rule is refused */
	size_t num;
	struct access_rule *rule; /* in the order they were given */
	size_t hit_num;
	struct access_hit *hit; /* sorted */
	size_t span_num;
	struct access_span *span; /* sorted, from :: on */
};

struct access {
	struct access_list list[HIP_ROLE_NUM];
};

/* What the first rule that fits says. */
enum access_verdict { ACCESS_ALLOW, ACCESS_DENY, ACCESS_NO_RULE };

/* Copies the rules. HG_EINVAL: a rule that names no HIT and no prefix;
 * HG_EFULL: more than HIP_ACCESS_MAX in a list. *a is then unchanged;
 * zeroed, it is a valid value that allows everybody. */
int access_init(struct access *a,
		const struct hip_access list[HIP_ROLE_NUM]) HG_CHECK;
void access_fini(struct access *a);
/* The first rule that fits this HIT or this address; it is counted. */
enum access_verdict access_judge(struct access *a, enum hip_role role,
				 const struct hit *peer, const struct addr *at);
/* The same with the end of the list applied: may it? */
bool access_ok(struct access *a, enum hip_role role, const struct hit *peer,
	       const struct addr *at) HG_CHECK;
/* Each rule, role by role, in its order. */
void access_each(const struct access *a,
		 void (*fn)(const struct hip_access_count *c, void *arg),
		 void *arg);
