/* SPDX-License-Identifier: MIT */
/* Which names are HIP's business: the longest rule that matches decides. */
#pragma once

#include <stddef.h>

#include "core/err.h"
#include "dns/dname.h"
#include "dns/dns.h"

/* Constant after policy_new. Names are compared in wire form, so that no
 * escape in a text can lead around a rule. */
struct policy;

/* HG_EINVAL: a pattern is no name, or a mode is none. */
int policy_new(const struct dns_rule *rules, size_t num,
	       struct policy **out) HG_CHECK;
void policy_free(struct policy *p);
/* Which of the rules given decides; their number: none. Of equal rules the
 * first counts. */
size_t policy_rule(const struct policy *p, const struct dname *name);
/* No rule matches: prefer. */
enum dns_mode policy_mode(const struct policy *p, const struct dname *name);
