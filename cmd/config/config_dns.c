/* SPDX-License-Identifier: MIT */
/* The keys about DNS. */
#include "cmd/config/config_dns.h"

#include <string.h>

/* Which of num words v is; HG_EFORMAT. */
static int word(const char *v, const char *const *words, int num)
{
	for (int i = 0; i < num; i++) {
		if (strcmp(v, words[i]) == 0)
			return i;
	}
	return HG_EFORMAT;
}

int config_dns_records(struct config *c, const char *v)
{
	static const char *const words[] = { "pass", "hide" };
	int i = word(v, words, 2);

	if (i < 0)
		return i;
	c->hide_records = i == 1;
	return HG_OK;
}

const char *const config_dns_clients[DNS_VALIDATING_NUM] = {
	[DNS_VALIDATING_AUTO] = "auto",
	[DNS_VALIDATING_BYPASS] = "bypass",
	[DNS_VALIDATING_SYNTHESIZE] = "synthesize",
	[DNS_VALIDATING_REFUSE] = "refuse",
};

int config_dns_client(struct config *c, const char *v)
{
	int i = word(v, config_dns_clients, DNS_VALIDATING_NUM);

	if (i < 0)
		return i;
	c->validating = (enum dns_validating)i;
	return HG_OK;
}
