/* SPDX-License-Identifier: MIT */
/* Which names are HIP's business: the longest rule that matches decides. */
#include "dns/policy.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct policy_rule {
	struct dname name; /* without the "*." */
	bool below;	   /* "*.name": names below, not the name itself */
	enum dns_mode mode;
	unsigned labels;
};

struct policy {
	size_t num;
	struct policy_rule rules[];
};

static int rule_parse(const struct dns_rule *in, struct policy_rule *out)
{
	const char *text = in->pattern;

	if (!memchr(text, '\0', sizeof(in->pattern)) ||
	    (unsigned)in->mode >= DNS_MODE_NUM)
		return HG_EINVAL;
	out->below = false;
	if (strcmp(text, "*") == 0) {
		out->below = true;
		text = ".";
	} else if (strncmp(text, "*.", 2) == 0) {
		out->below = true;
		text += 2;
	}
	if (dname_parse(text, &out->name))
		return HG_EINVAL;
	out->mode = in->mode;
	out->labels = dname_labels(&out->name);
	return HG_OK;
}

int policy_new(const struct dns_rule *rules, size_t num, struct policy **out)
{
	struct policy *p;

	if (num > (SIZE_MAX - sizeof(*p)) / sizeof(p->rules[0]))
		return HG_EINVAL;
	p = malloc(sizeof(*p) + num * sizeof(p->rules[0]));
	if (!p)
		return HG_ENOMEM;
	p->num = num;
	for (size_t i = 0; i < num; i++) {
		if (rule_parse(&rules[i], &p->rules[i])) {
			free(p);
			return HG_EINVAL;
		}
	}
	*out = p;
	return HG_OK;
}

void policy_free(struct policy *p)
{
	free(p);
}

static bool matches(const struct policy_rule *rule, const struct dname *name)
{
	/* "*" is the only rule that means the root too. */
	if (rule->below && rule->labels == 0)
		return true;
	return rule->below ? dname_below(name, &rule->name)
			   : dname_eq(name, &rule->name);
}

size_t policy_rule(const struct policy *p, const struct dname *name)
{
	size_t best = p->num;

	for (size_t i = 0; i < p->num; i++) {
		const struct policy_rule *rule = &p->rules[i];

		if (matches(rule, name) &&
		    (best == p->num || rule->labels > p->rules[best].labels))
			best = i;
	}
	return best;
}

enum dns_mode policy_mode(const struct policy *p, const struct dname *name)
{
	size_t i = policy_rule(p, name);

	return i < p->num ? p->rules[i].mode : DNS_PREFER;
}
