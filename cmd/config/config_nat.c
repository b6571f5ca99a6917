/* SPDX-License-Identifier: MIT */
/* The keys about NATs and control relays (RFC 9028). */
#include "cmd/config/config_nat.h"

#include "cmd/config/config_value.h"

const char *const config_nat_words[CONFIG_NAT_NUM] = {
	[HIP_NAT_AUTO] = "auto",
	[HIP_NAT_YES] = "yes",
	[HIP_NAT_NO] = "no",
};

int config_nat_behind(struct config *c, const char *v)
{
	int i = config_value_word(v, config_nat_words, CONFIG_NAT_NUM);

	if (i < 0)
		return i;
	c->behind_nat = (enum hip_behind_nat)i;
	return HG_OK;
}

/* RFC 9028 4.10: no less than 15 s. */
int config_nat_keepalive(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 15, 3600, &n);

	if (!err)
		c->keepalive_s = (uint32_t)n;
	return err;
}

int config_nat_serve(struct config *c, const char *v)
{
	return config_value_yes_no(v, &c->relay);
}

int config_nat_register(struct config *c, const char *v)
{
	return config_value_yes_no(v, &c->reg[c->reg_num - 1].relay);
}
