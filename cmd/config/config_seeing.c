/* SPDX-License-Identifier: MIT */
/* The keys about what people see: logs, metrics, the status page. */
#include "cmd/config/config_seeing.h"

#include <ctype.h>
#include <string.h>

#include "cmd/config/config_value.h"

enum { SOCKET_NAME = 107 }; /* octets, of sockaddr_un.sun_path */

/* ---- logs ------------------------------------------------------------- */

static int find(const char *(*name)(unsigned i), unsigned num, const char *v,
		size_t len)
{
	for (unsigned i = 0; i < num; i++) {
		if (strlen(name(i)) == len && memcmp(name(i), v, len) == 0)
			return (int)i;
	}
	return -1;
}

static const char *sub_name(unsigned i)
{
	return log_sub_name((enum log_sub)i);
}

static const char *level_name(unsigned i)
{
	return log_level_name((enum log_level)i);
}

int config_seeing_log_level(struct config *c, const char *v)
{
	size_t len = strcspn(v, " \t");
	const char *word = v + len + strspn(v + len, " \t");
	int sub = find(sub_name, LOG_SUB_NUM, v, len);
	int level = find(level_name, LOG_LEVEL_NUM, word, strlen(word));

	if (sub < 0 || level < 0)
		return HG_EFORMAT;
	if (c->log_sub[sub])
		return HG_EEXIST;
	c->log_sub[sub] = (uint8_t)(1 + level);
	return HG_OK;
}

enum log_level config_log_level(const struct config *c, enum log_sub sub)
{
	return c->log_sub[sub] ? (enum log_level)(c->log_sub[sub] - 1) : c->log;
}

/* ---- [http] ------------------------------------------------------------- */

int config_seeing_listen(struct config *c, const char *v)
{
	struct endpoint e;
	int err;

	if (v[0] == '/') {
		if (strlen(v) > SOCKET_NAME)
			return HG_EFORMAT;
		memcpy(c->http.path, v, strlen(v) + 1);
		return HG_OK;
	}
	err = endpoint_parse(v, 0, &e);
	if (err)
		return err;
	if (!e.port ||
	    (addr_is_unusable(&e.addr) && !addr_is_unspecified(&e.addr) &&
	     !config_value_loopback(&e.addr)))
		return HG_EFORMAT;
	c->http.listen = e;
	return HG_OK;
}

int config_seeing_remote(struct config *c, const char *v)
{
	return config_value_yes_no(v, &c->http.remote);
}

int config_seeing_host(struct config *c, const char *v)
{
	char *name;

	if (!v[0] || strlen(v) >= CONFIG_NAME)
		return HG_EFORMAT;
	for (const char *s = v; *s; s++) {
		if (!isalnum((unsigned char)*s) && *s != '.' && *s != '-')
			return HG_EFORMAT;
	}
	if (c->http.host_num == CONFIG_HTTP_HOSTS)
		return HG_EFULL;
	name = c->http.host[c->http.host_num++];
	for (size_t i = 0; v[i]; i++)
		name[i] = (char)tolower((unsigned char)v[i]);
	return HG_OK;
}

void config_seeing_check(struct config_parse *p)
{
	const struct config_http *h = &p->c->http;
	char at[ENDPOINT_TEXT_MAX];

	if (!h->listen.port || h->remote ||
	    config_value_loopback(&h->listen.addr))
		return;
	config_parse_fail(p, p->at[CONFIG_SECTION_HTTP],
			  "listen = %s is not on loopback, and what is there "
			  "is neither encrypted nor asks who reads: name "
			  "127.0.0.1, [::1] or a socket, or say remote = yes",
			  endpoint_print(&h->listen, at));
}
