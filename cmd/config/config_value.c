/* SPDX-License-Identifier: MIT */
/* What each section and key takes: text into struct config.
 *
 * THEORY OF OPERATION
 * Called by the parser for one line each, through the schema's rows. A
 * value is judged alone here; what concerns several values together
 * (overlaps, roles) is config_check's. Nothing is stored on an error.
 */
#include "cmd/config/config_value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum {
	PORT_HIP = 10500,
	PORT_DNS = 53,
	SECONDS_MAX = 86400,
	LIFETIME_DEFAULT_S = 3600,
	LABEL_MAX = 63,
	NAME_MAX_TEXT = 253
};

int config_value_number(const char *v, unsigned long lo, unsigned long hi,
			unsigned long *out)
{
	unsigned long n;
	char *end;

	/* strtoul alone would take "-1", " 1" and "+1". */
	if (!isdigit((unsigned char)v[0]) || strlen(v) > 15)
		return HG_EFORMAT;
	n = strtoul(v, &end, 10);
	if (*end != '\0' || n < lo || n > hi)
		return HG_EFORMAT;
	*out = n;
	return HG_OK;
}

static int text(const char *v, char *out, size_t cap)
{
	size_t len = strlen(v);

	if (len == 0 || len >= cap)
		return HG_EFORMAT;
	memcpy(out, v, len + 1);
	return HG_OK;
}

int config_value_word(const char *v, const char *const *words, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		if (strcmp(words[i], v) == 0)
			return (int)i;
	}
	return HG_EFORMAT;
}

int config_value_yes_no(const char *v, bool *out)
{
	static const char *const words[] = { "no", "yes" };
	int i = config_value_word(v, words, 2);

	if (i < 0)
		return i;
	*out = i == 1;
	return HG_OK;
}

/* Stricter than the kernel: these names get into command lines. */
int config_value_interface(const char *v, char out[16])
{
	if (v[0] == '-' || strcmp(v, ".") == 0 || strcmp(v, "..") == 0)
		return HG_EFORMAT;
	for (size_t i = 0; v[i]; i++) {
		if (!isalnum((unsigned char)v[i]) && !strchr("._-+@", v[i]))
			return HG_EFORMAT;
	}
	return text(v, out, 16);
}

static int account(const char *v, char *out, size_t cap)
{
	for (size_t i = 0; v[i]; i++) {
		if (!isalnum((unsigned char)v[i]) &&
		    (i == 0 ? v[i] != '_' : !strchr("._-", v[i])))
			return HG_EFORMAT;
	}
	return text(v, out, cap);
}

static int unicast(const char *v, uint16_t port, struct endpoint *out)
{
	struct endpoint e;
	int err = endpoint_parse(v, port, &e);

	if (err)
		return err;
	if (addr_is_unusable(&e.addr))
		return HG_EFORMAT;
	*out = e;
	return HG_OK;
}

/* ---- sections -------------------------------------------------------- */

int config_value_proxy(struct config *c, const char *arg)
{
	(void)arg; /* the section has none */
	c->proxy = true;
	return HG_OK;
}

int config_value_host(struct config *c, const char *arg)
{
	(void)arg; /* the section has none */
	c->host = true;
	return HG_OK;
}

int config_value_rendezvous(struct config *c, const char *arg)
{
	(void)arg; /* the section has none */
	c->rendezvous = true;
	return HG_OK;
}

int config_value_register(struct config *c, const char *arg)
{
	struct config_register r = { .lifetime_s = LIFETIME_DEFAULT_S };

	if (strcmp(arg, "opportunistic") != 0 && hit_parse(arg, &r.rvs))
		return HG_EFORMAT;
	for (size_t i = 0; i < c->reg_num; i++) {
		if (hit_eq(&c->reg[i].rvs, &r.rvs))
			return HG_EEXIST;
	}
	if (c->reg_num == CONFIG_REGISTER)
		return HG_EFULL;
	c->reg[c->reg_num++] = r;
	return HG_OK;
}

int config_value_peer(struct config *c, const char *arg)
{
	struct config_peer p = { .at_num = 0 };

	if (hit_parse(arg, &p.hit))
		return HG_EFORMAT;
	for (size_t i = 0; i < c->peers_num; i++) {
		if (hit_eq(&c->peers[i].hit, &p.hit))
			return HG_EEXIST;
	}
	if (c->peers_num == CONFIG_PEERS)
		return HG_EFULL;
	c->peers[c->peers_num++] = p;
	return HG_OK;
}

static bool label_char(char ch)
{
	return isalnum((unsigned char)ch) || ch == '-' || ch == '_';
}

/* Are these dot-separated labels of 1 to 63 letters, digits, '-' and '_'? */
static bool labels_ok(const char *s)
{
	size_t in_label = 0;

	for (; *s; s++) {
		if (*s == '.' && in_label > 0) {
			in_label = 0;
			continue;
		}
		if (!label_char(*s) || ++in_label > LABEL_MAX)
			return false;
	}
	return in_label > 0;
}

int config_value_policy(struct config *c, const char *arg)
{
	struct dns_rule r = { .mode = DNS_PREFER };
	size_t len = strlen(arg);

	if (len > 1 && arg[len - 1] == '.')
		len--; /* "foo.com." is foo.com */
	if (len == 0 || len > NAME_MAX_TEXT)
		return HG_EFORMAT;
	for (size_t i = 0; i < len; i++)
		r.pattern[i] = (char)tolower((unsigned char)arg[i]);
	if (strcmp(r.pattern, "*") != 0 &&
	    !labels_ok(strncmp(r.pattern, "*.", 2) == 0 ? r.pattern + 2
							: r.pattern))
		return HG_EFORMAT;
	for (size_t i = 0; i < c->rules_num; i++) {
		if (strcmp(c->rules[i].pattern, r.pattern) == 0)
			return HG_EEXIST;
	}
	if (c->rules_num == CONFIG_RULES)
		return HG_EFULL;
	c->rules[c->rules_num++] = r;
	return HG_OK;
}

/* ---- [daemon] -------------------------------------------------------- */

int config_value_tun(struct config *c, const char *v)
{
	return config_value_interface(v, c->tun);
}

int config_value_workers(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 0, 16, &n);

	if (!err)
		c->workers = (unsigned)n;
	return err;
}

int config_value_port(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 1, 65535, &n);

	if (!err)
		c->port = (uint16_t)n;
	return err;
}

static int identity(struct config *c, const char *v, bool anonymous)
{
	int err;

	for (size_t i = 0; i < c->identity_num; i++) {
		if (strcmp(c->identity[i], v) == 0)
			return HG_EEXIST;
	}
	if (c->identity_num == CONFIG_IDENTITIES)
		return HG_EFULL;
	err = text(v, c->identity[c->identity_num], CONFIG_PATH);
	if (!err)
		c->anonymous[c->identity_num++] = anonymous;
	return err;
}

int config_value_identity(struct config *c, const char *v)
{
	return identity(c, v, false);
}

int config_value_anonymous(struct config *c, const char *v)
{
	return identity(c, v, true);
}

int config_value_state(struct config *c, const char *v)
{
	return text(v, c->state, sizeof(c->state));
}

int config_value_control(struct config *c, const char *v)
{
	/* It has to fit a socket address. */
	if (strlen(v) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return HG_EFORMAT;
	return text(v, c->control, sizeof(c->control));
}

int config_value_control_group(struct config *c, const char *v)
{
	return account(v, c->control_group, sizeof(c->control_group));
}

static const char *const offload_words[CONFIG_OFFLOAD_NUM] = {
	[CONFIG_OFFLOAD_OFF] = "off",
	[CONFIG_OFFLOAD_SAFE] = "safe",
	[CONFIG_OFFLOAD_AUTO] = "auto",
};

const char *config_offload_name(enum config_offload o)
{
	return offload_words[o];
}

int config_value_offload(struct config *c, const char *v)
{
	int i = config_value_word(v, offload_words, CONFIG_OFFLOAD_NUM);

	if (i < 0)
		return i;
	c->offload = (enum config_offload)i;
	return HG_OK;
}

int config_value_log(struct config *c, const char *v)
{
	for (int i = 0; i < LOG_LEVEL_NUM; i++) {
		if (strcmp(v, log_level_name((enum log_level)i)) != 0)
			continue;
		c->log = (enum log_level)i;
		return HG_OK;
	}
	return HG_EFORMAT;
}

/* All roles that answer; as if it stood in both sections. */
int config_value_allow(struct config *c, const char *v)
{
	struct hit h;
	int err;

	if (hit_parse(v, &h))
		return HG_EFORMAT; /* prefixes belong to a role */
	err = config_value_host_allow(c, v);
	return err ? err : config_value_rendezvous_allow(c, v);
}

int config_value_opportunistic(struct config *c, const char *v)
{
	return config_value_yes_no(v, &c->opportunistic);
}

int config_value_puzzle(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 0, 20, &n);

	if (!err)
		c->puzzle = (uint8_t)n;
	return err;
}

int config_value_rekey_time(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 60, SECONDS_MAX, &n);

	if (!err)
		c->rekey.after_s = (uint32_t)n;
	return err;
}

int config_value_rekey_bytes(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 1ul << 20, 1ul << 40, &n);

	if (!err)
		c->rekey.after_bytes = n;
	return err;
}

int config_value_rekey_packets(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 1000, 1ul << 48, &n);

	if (!err)
		c->rekey.after_packets = n;
	return err;
}

int config_value_notify(struct config *c, const char *v)
{
	return config_value_yes_no(v, &c->notify);
}

int config_value_rekey_dh(struct config *c, const char *v)
{
	static const char *const words[] = { "no", "yes" };
	int i = config_value_word(v, words, 2);

	if (i < 0)
		return i;
	c->rekey.reuse = i == 0;
	return HG_OK;
}

int config_value_user(struct config *c, const char *v)
{
	return account(v, c->user, sizeof(c->user));
}

/* ---- [proxy] --------------------------------------------------------- */

int config_value_prefix(struct config *c, const char *v)
{
	struct prefix p;
	struct prefix *pool;

	if (prefix_parse(v, &p) || p.len == 0)
		return HG_EFORMAT;
	pool = prefix_is4(&p) ? &c->pool4 : &c->pool6;
	if (pool->len != 0)
		return HG_EEXIST;
	*pool = p;
	return HG_OK;
}

int config_value_clients(struct config *c, const char *v)
{
	struct prefix p;

	if (prefix_parse(v, &p))
		return HG_EFORMAT;
	for (size_t i = 0; i < c->clients_num; i++) {
		if (c->clients[i].len == p.len &&
		    addr_eq(&c->clients[i].addr, &p.addr))
			return HG_EEXIST;
	}
	if (c->clients_num == CONFIG_CLIENTS)
		return HG_EFULL;
	c->clients[c->clients_num++] = p;
	return HG_OK;
}

int config_value_ttl(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 1, SECONDS_MAX, &n);

	if (!err)
		c->ttl = (uint32_t)n;
	return err;
}

bool config_value_loopback(const struct addr *a)
{
	static const struct addr loopback6 = { .b = { [15] = 1 } };

	return addr_eq(a, &loopback6) ||
	       (addr_is4(a) && addr_four(a)[0] == 127);
}

int config_value_dns_server(struct config *c, const char *v)
{
	struct endpoint e;
	int err = endpoint_parse(v, PORT_DNS, &e);

	if (err)
		return err;
	/* A resolver on loopback is usual; a group address never. */
	if (addr_is_unusable(&e.addr) && !config_value_loopback(&e.addr))
		return HG_EFORMAT;
	for (size_t i = 0; i < c->dns_servers_num; i++) {
		if (endpoint_eq(&c->dns_servers[i], &e))
			return HG_EEXIST;
	}
	if (c->dns_servers_num == DNS_SERVERS_MAX)
		return HG_EFULL;
	c->dns_servers[c->dns_servers_num++] = e;
	return HG_OK;
}

int config_value_lan(struct config *c, const char *v)
{
	char name[16];
	int err = config_value_interface(v, name);

	if (err)
		return err;
	for (size_t i = 0; i < c->lan_num; i++) {
		if (strcmp(c->lan[i], name) == 0)
			return HG_EEXIST;
	}
	if (c->lan_num == CONFIG_LANS)
		return HG_EFULL;
	memcpy(c->lan[c->lan_num++], name, sizeof(name));
	return HG_OK;
}

/* ---- [register HIT], [peer HIT], [policy "PATTERN"] ------------------- */

/* One more address of a host that has *num of max. */
static int add_address(const char *v, struct endpoint *at, size_t *num,
		       size_t max)
{
	struct endpoint e;
	int err = unicast(v, PORT_HIP, &e);

	if (err)
		return err;
	for (size_t i = 0; i < *num; i++) {
		if (endpoint_eq(&at[i], &e))
			return HG_EEXIST;
	}
	if (*num == max)
		return HG_EFULL;
	at[(*num)++] = e;
	return HG_OK;
}

int config_value_register_address(struct config *c, const char *v)
{
	struct config_register *r = &c->reg[c->reg_num - 1];

	return add_address(v, r->at, &r->at_num, CONFIG_REGISTER_ADDRS);
}

int config_value_lifetime(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 1, SECONDS_MAX, &n);

	if (!err)
		c->reg[c->reg_num - 1].lifetime_s = (uint32_t)n;
	return err;
}

int config_value_peer_address(struct config *c, const char *v)
{
	struct config_peer *p = &c->peers[c->peers_num - 1];

	return add_address(v, p->at, &p->at_num, CONFIG_PEER_ADDRS);
}

int config_value_via_rvs(struct config *c, const char *v)
{
	return config_value_yes_no(v, &c->peers[c->peers_num - 1].via_rvs);
}

int config_value_peer_identity(struct config *c, const char *v)
{
	return text(v, c->peers[c->peers_num - 1].identity, CONFIG_NAME);
}

int config_value_policy_identity(struct config *c, const char *v)
{
	return text(v, c->rule_identity[c->rules_num - 1], CONFIG_NAME);
}

int config_value_hip(struct config *c, const char *v)
{
	static const char *const words[DNS_MODE_NUM] = {
		[DNS_REQUIRE] = "require",
		[DNS_PREFER] = "prefer",
		[DNS_OFF] = "off",
		[DNS_TRANSPARENT] = "transparent",
	};
	int i = config_value_word(v, words, DNS_MODE_NUM);

	if (i < 0)
		return i;
	c->rules[c->rules_num - 1].mode = (enum dns_mode)i;
	return HG_OK;
}
