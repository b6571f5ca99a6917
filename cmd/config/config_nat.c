/* SPDX-License-Identifier: MIT */
/* The keys about NATs and control relays (RFC 9028). */
#include "cmd/config/config_nat.h"

#include <string.h>

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

/* The engine's rules (hip_set_outer), where there is a line to be named. */
static bool outer_fits(const struct config *c, const struct hip_outer *o)
{
	bool any = addr_is_unspecified(&o->inner);

	if (addr_is_unusable(&o->outer) || addr_is_linklocal(&o->outer) ||
	    addr_is4(&o->outer) != (any || addr_is4(&o->inner)))
		return false;
	for (size_t i = 0; i < c->outer_num; i++) {
		if (addr_eq(&c->outer[i].inner, &o->inner) ||
		    addr_eq(&c->outer[i].outer, &o->outer))
			return false;
	}
	return true;
}

/* "OUTER" or "OUTER for INNER". */
int config_nat_outer(struct config *c, const char *v)
{
	static const char word[] = " for ";
	struct hip_outer o = { .inner = addr_any6 };
	const char *inner = strstr(v, word);
	size_t len = inner ? (size_t)(inner - v) : strlen(v);
	char text[ADDR_TEXT_MAX];
	int err;

	if (len >= sizeof(text))
		return HG_EFORMAT;
	memcpy(text, v, len);
	text[len] = '\0';
	err = addr_parse(text, &o.outer);
	if (!err && inner)
		err = addr_parse(inner + strlen(word), &o.inner);
	if (!err && inner && addr_is_unspecified(&o.inner))
		err = HG_EFORMAT;
	if (err)
		return err;
	if (c->outer_num == HIP_OUTER_MAX || !outer_fits(c, &o))
		return HG_EFORMAT;
	c->outer[c->outer_num++] = o;
	return HG_OK;
}

int config_nat_serve(struct config *c, const char *v)
{
	return config_value_yes_no(v, &c->relay);
}

int config_nat_data(struct config *c, const char *v)
{
	return config_value_yes_no(v, &c->data_relay);
}

/* "FIRST-LAST", or "any NUMBER". */
int config_nat_ports(struct config *c, const char *v)
{
	unsigned long first = 0;
	unsigned long num;
	char text[16];
	const char *dash = strchr(v, '-');
	int err;

	if (strncmp(v, "any ", 4) == 0) {
		err = config_value_number(v + 4, 1, HIP_RELAY_PORTS_MAX, &num);
	} else if (!dash || (size_t)(dash - v) >= sizeof(text)) {
		return HG_EFORMAT;
	} else {
		memcpy(text, v, (size_t)(dash - v));
		text[dash - v] = '\0';
		err = config_value_number(text, 1024, 65535, &first);
		if (!err)
			err = config_value_number(dash + 1, first, 65535, &num);
		if (!err)
			num = num - first + 1;
	}
	if (err)
		return err;
	if (num > HIP_RELAY_PORTS_MAX)
		return HG_EFORMAT;
	c->relay_port = (uint16_t)first;
	c->relay_ports_num = (uint16_t)num;
	return HG_OK;
}

int config_nat_rate(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 0, 100000, &n);

	if (!err)
		c->relay_rate_mbit = (uint32_t)n;
	return err;
}

int config_nat_register(struct config *c, const char *v)
{
	return config_value_yes_no(v, &c->reg[c->reg_num - 1].relay);
}
