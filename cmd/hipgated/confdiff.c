/* SPDX-License-Identifier: MIT */
/* What differs between two configurations, line by line. */
/* THEORY OF OPERATION
 * Pure: two values in, two lists of lines out; reload.c applies what stands
 * in `live` and keeps the running value of all that stands in `restart`. So
 * the two must agree on each key: whatever is put under `live` here is
 * taken over there.
 */
#include "confdiff.h"

#include "cmd/config/config_dns.h"
#include "cmd/config/config_ways.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void line(json_t *to, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void line(json_t *to, const char *fmt, ...)
{
	char text[CONFIG_PATH * 3];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)json_array_append_new(to, json_string(text));
}

/* ---- access rules ------------------------------------------------------- */

static const char *const role_name[CONFIG_ROLE_NUM] = { "host", "rendezvous",
							"proxy" };

/* A rule as text, to be sorted and compared. */
struct rule_text {
	char text[PREFIX_TEXT_MAX + 16];
};

static int cmp_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static struct rule_text *texts(const struct config_access *a)
{
	struct rule_text *t = calloc(a->num + 1, sizeof(*t));

	for (size_t i = 0; t && i < a->num; i++) {
		const struct config_rule *r = &a->rules[i];
		char who[PREFIX_TEXT_MAX];

		if (r->by_hit)
			hit_print(&r->hit, who);
		else
			prefix_print(&r->prefix, who);
		(void)snprintf(t[i].text, sizeof(t[i].text), "%s = %s",
			       r->allow ? "allow" : "deny", who);
	}
	return t;
}

static void diff_access(const struct config_access *was,
			const struct config_access *now, const char *role,
			json_t *out)
{
	struct rule_text *a = texts(was);
	struct rule_text *b = texts(now);
	size_t before = json_array_size(out);
	bool moved = false;
	size_t i = 0;
	size_t j = 0;

	for (size_t n = 0; a && b && n < was->num && n < now->num; n++)
		moved = moved || strcmp(a[n].text, b[n].text) != 0;
	if (a)
		qsort(a, was->num, sizeof(*a), cmp_text);
	if (b)
		qsort(b, now->num, sizeof(*b), cmp_text);
	while (a && b && (i < was->num || j < now->num)) {
		int c = i == was->num	? 1
			: j == now->num ? -1
					: strcmp(a[i].text, b[j].text);

		if (c < 0)
			line(out, "- [%s] %s", role, a[i].text);
		else if (c > 0)
			line(out, "+ [%s] %s", role, b[j].text);
		i += c <= 0;
		j += c >= 0;
	}
	/* The first that fits decides, so their order is a rule too. */
	if (moved && json_array_size(out) == before)
		line(out, "~ [%s] allow and deny in another order", role);
	free(a);
	free(b);
}

/* ---- single values ------------------------------------------------------ */

static const char *yes(bool b)
{
	return b ? "yes" : "no";
}

static void diff_text(json_t *out, const char *key, const char *was,
		      const char *now)
{
	if (strcmp(was, now) != 0)
		line(out, "~ %s = %s (was %s)", key, now[0] ? now : "\"\"",
		     was[0] ? was : "\"\"");
}

static void diff_number(json_t *out, const char *key, uint64_t was,
			uint64_t now)
{
	if (was != now)
		line(out, "~ %s = %" PRIu64 " (was %" PRIu64 ")", key, now,
		     was);
}

static void diff_bool(json_t *out, const char *key, bool was, bool now)
{
	if (was != now)
		line(out, "~ %s = %s (was %s)", key, yes(now), yes(was));
}

static void diff_prefix(json_t *out, const char *key, const struct prefix *was,
			const struct prefix *now)
{
	char a[PREFIX_TEXT_MAX];
	char b[PREFIX_TEXT_MAX];

	if (was->len == now->len && addr_eq(&was->addr, &now->addr))
		return;
	line(out, "~ %s = %s (was %s)", key,
	     now->len ? prefix_print(now, b) : "none",
	     was->len ? prefix_print(was, a) : "none");
}

static void diff_log(const struct config *a, const struct config *b,
		     json_t *out)
{
	diff_text(out, "[daemon] log", log_level_name(a->log),
		  log_level_name(b->log));
	for (unsigned i = 0; i < LOG_SUB_NUM; i++) {
		enum log_sub sub = (enum log_sub)i;

		if (a->log_sub[i] != b->log_sub[i])
			line(out, "~ [daemon] log-level = %s %s (was %s)",
			     log_sub_name(sub),
			     log_level_name(config_log_level(b, sub)),
			     log_level_name(config_log_level(a, sub)));
	}
}

static void diff_http(const struct config_http *a, const struct config_http *b,
		      json_t *out)
{
	if (!endpoint_eq(&a->listen, &b->listen) ||
	    strcmp(a->path, b->path) != 0)
		line(out, "~ [http] listen");
	diff_bool(out, "[http] remote", a->remote, b->remote);
	if (a->host_num != b->host_num ||
	    memcmp(a->host, b->host, a->host_num * sizeof(a->host[0])) != 0)
		line(out, "~ [http] host");
}

static void diff_paths(const struct config_paths *a,
		       const struct config_paths *b, json_t *out)
{
	diff_text(out, "[paths] prefer", config_paths_prefers[a->prefer],
		  config_paths_prefers[b->prefer]);
	diff_number(out, "[paths] silence", a->silence_ms, b->silence_ms);
	diff_number(out, "[paths] return", a->return_s, b->return_s);
	if (a->order_num != b->order_num ||
	    memcmp(a->order, b->order, a->order_num * sizeof(a->order[0])) != 0)
		line(out, "~ [paths] order");
}

static void diff_live(const struct config *a, const struct config *b,
		      json_t *out)
{
	diff_log(a, b, out);
	diff_number(out, "[daemon] puzzle", a->puzzle, b->puzzle);
	diff_bool(out, "[daemon] opportunistic", a->opportunistic,
		  b->opportunistic);
	diff_bool(out, "[host] or [rendezvous] opportunistic",
		  a->answers_opportunistic, b->answers_opportunistic);
	diff_paths(&a->paths, &b->paths, out);
	diff_number(out, "[rendezvous] relay-rate", a->relay_rate_mbit,
		    b->relay_rate_mbit);
	for (size_t i = 0; i < CONFIG_ROLE_NUM; i++)
		diff_access(&a->access[i], &b->access[i], role_name[i], out);
}

static const char *encrypted(const struct config *c)
{
	return c->encrypted_dns ? "pass" : "discourage";
}

static void diff_fixed(const struct config *a, const struct config *b,
		       json_t *out)
{
	diff_bool(out, "[proxy]", a->proxy, b->proxy);
	diff_bool(out, "[host]", a->host, b->host);
	diff_bool(out, "[rendezvous]", a->rendezvous, b->rendezvous);
	diff_text(out, "[daemon] tun", a->tun, b->tun);
	diff_number(out, "[daemon] workers", a->workers, b->workers);
	diff_number(out, "[daemon] port", a->port, b->port);
	diff_number(out, "[daemon] rekey-time", a->rekey.after_s,
		    b->rekey.after_s);
	diff_number(out, "[daemon] rekey-bytes", a->rekey.after_bytes,
		    b->rekey.after_bytes);
	diff_number(out, "[daemon] rekey-packets", a->rekey.after_packets,
		    b->rekey.after_packets);
	diff_bool(out, "[daemon] notify", a->notify, b->notify);
	if (a->outer_num != b->outer_num ||
	    memcmp(a->outer, b->outer, a->outer_num * sizeof(a->outer[0])) != 0)
		line(out, "~ [daemon] outer-address");
	diff_text(out, "[daemon] behind-nat", config_nat_words[a->behind_nat],
		  config_nat_words[b->behind_nat]);
	diff_number(out, "[daemon] keepalive", a->keepalive_s, b->keepalive_s);
	diff_bool(out, "[rendezvous] relay", a->relay, b->relay);
	diff_bool(out, "[rendezvous] data-relay", a->data_relay, b->data_relay);
	diff_number(out, "[rendezvous] relay-ports", a->relay_port,
		    b->relay_port);
	if (a->relay_port == b->relay_port)
		diff_number(out, "[rendezvous] relay-ports", a->relay_ports_num,
			    b->relay_ports_num);
	diff_bool(out, "[daemon] rekey-dh", !a->rekey.reuse, !b->rekey.reuse);
	diff_text(out, "[daemon] state", a->state, b->state);
	diff_http(&a->http, &b->http, out);
	diff_text(out, "[daemon] control", a->control, b->control);
	diff_text(out, "[daemon] control-group", a->control_group,
		  b->control_group);
	diff_text(out, "[daemon] offload", config_offload_name(a->offload),
		  config_offload_name(b->offload));
	diff_prefix(out, "[proxy] prefix", &a->pool6, &b->pool6);
	diff_prefix(out, "[proxy] prefix", &a->pool4, &b->pool4);
	diff_number(out, "[proxy] ttl", a->ttl, b->ttl);
	diff_number(out, "[proxy] substitutes", a->substitutes, b->substitutes);
	diff_number(out, "[proxy] keep", a->keep, b->keep);
	diff_bool(out, "[proxy] hip-records = hide", a->hide_records,
		  b->hide_records);
	diff_text(out, "[proxy] encrypted-dns", encrypted(a), encrypted(b));
	diff_text(out, "[proxy] dnssec", config_dns_dnssecs[a->dnssec],
		  config_dns_dnssecs[b->dnssec]);
	diff_text(out, "[proxy] trust-anchor", a->trust_anchor,
		  b->trust_anchor);
	diff_text(out, "[proxy] dnssec-client",
		  config_dns_clients[a->validating],
		  config_dns_clients[b->validating]);
	if (a->listen_num != b->listen_num ||
	    memcmp(a->listen, b->listen, sizeof(a->listen)) != 0)
		line(out, "~ [proxy] listen");
	if (a->real_num != b->real_num ||
	    memcmp(a->real, b->real, sizeof(a->real)) != 0)
		line(out, "~ [proxy] transparent");
	if (memcmp(&a->offer, &b->offer, sizeof(a->offer)) != 0)
		line(out, "~ [daemon] dh-groups, hip-ciphers or esp-suites");
	if (a->clients_num != b->clients_num ||
	    memcmp(a->clients, b->clients,
		   a->clients_num * sizeof(a->clients[0])) != 0)
		line(out, "~ [proxy] clients");
}

/* ---- lists --------------------------------------------------------------- */

static void diff_identities(const struct config *a, const struct config *b,
			    const struct confdiff *out)
{
	size_t same = 0;

	while (same < a->identity_num && same < b->identity_num &&
	       strcmp(a->identity[same], b->identity[same]) == 0 &&
	       a->anonymous[same] == b->anonymous[same])
		same++;
	for (size_t i = same; i < a->identity_num; i++)
		line(out->restart, "- [daemon] identity = %s", a->identity[i]);
	/* Behind those that are there; else their order would change. */
	for (size_t i = same; i < b->identity_num; i++)
		line(same == a->identity_num ? out->live : out->restart,
		     "+ [daemon] %s = %s",
		     b->anonymous[i] ? "anonymous" : "identity",
		     b->identity[i]);
}

static const struct config_peer *peer_in(const struct config *c,
					 const struct hit *hit)
{
	for (size_t i = 0; i < c->peers_num; i++) {
		if (hit_eq(&c->peers[i].hit, hit))
			return &c->peers[i];
	}
	return NULL;
}

static bool same_peer(const struct config_peer *a, const struct config_peer *b)
{
	bool same = a->at_num == b->at_num && a->via_rvs == b->via_rvs &&
		    strcmp(a->identity, b->identity) == 0;

	for (size_t i = 0; same && i < a->at_num; i++)
		same = endpoint_eq(&a->at[i], &b->at[i]);
	return same;
}

static void diff_peers(const struct config *a, const struct config *b,
		       const struct confdiff *out)
{
	char hit[ADDR_TEXT_MAX];

	for (size_t i = 0; i < a->peers_num; i++) {
		if (!peer_in(b, &a->peers[i].hit))
			line(out->restart, "- [peer %s]",
			     hit_print(&a->peers[i].hit, hit));
	}
	for (size_t i = 0; i < b->peers_num; i++) {
		const struct config_peer *was = peer_in(a, &b->peers[i].hit);

		/* The engine borrows these for its life. */
		if (b->peers[i].esp_null != (was && was->esp_null))
			line(out->restart, "~ [peer %s] esp-null = %s",
			     hit_print(&b->peers[i].hit, hit),
			     yes(b->peers[i].esp_null));
		if (!was || !same_peer(was, &b->peers[i]))
			line(out->live, "%c [peer %s]", was ? '~' : '+',
			     hit_print(&b->peers[i].hit, hit));
	}
}

static const struct config_register *register_in(const struct config *c,
						 const struct hit *rvs)
{
	for (size_t i = 0; i < c->reg_num; i++) {
		if (hit_eq(&c->reg[i].rvs, rvs))
			return &c->reg[i];
	}
	return NULL;
}

static const char *rvs_name(const struct hit *rvs, char out[ADDR_TEXT_MAX])
{
	return hit_is_null(rvs) ? "opportunistic" : hit_print(rvs, out);
}

bool confdiff_same_register(const struct config_register *a,
			    const struct config_register *b)
{
	bool same = a->at_num == b->at_num && a->relay == b->relay &&
		    a->lifetime_s == b->lifetime_s;

	for (size_t i = 0; same && i < a->at_num; i++)
		same = endpoint_eq(&a->at[i], &b->at[i]);
	return same;
}

static void diff_registers(const struct config *a, const struct config *b,
			   json_t *out)
{
	char hit[ADDR_TEXT_MAX];

	for (size_t i = 0; i < a->reg_num; i++) {
		const struct hit *rvs = &a->reg[i].rvs;

		if (!register_in(b, rvs))
			line(out, "- [register %s]", rvs_name(rvs, hit));
	}
	for (size_t i = 0; i < b->reg_num; i++) {
		const struct hit *rvs = &b->reg[i].rvs;
		const struct config_register *was = register_in(a, rvs);

		if (!was || !confdiff_same_register(was, &b->reg[i]))
			line(out, "%c [register %s]", was ? '~' : '+',
			     rvs_name(rvs, hit));
	}
}

static bool asks(const struct config *c, const struct endpoint *server)
{
	for (size_t i = 0; i < c->dns_servers_num; i++) {
		if (endpoint_eq(&c->dns_servers[i], server))
			return true;
	}
	return false;
}

/* Would `c` as it runs refuse to start with that server? */
static bool leads_home(const struct config *c, const struct endpoint *server)
{
	if ((c->pool6.len && prefix_has(&c->pool6, &server->addr)) ||
	    (c->pool4.len && prefix_has(&c->pool4, &server->addr)))
		return true;
	for (size_t i = 0; i < c->listen_num; i++) {
		if (config_ways_same(&c->listen[i], server))
			return true;
	}
	return false;
}

/* What runs on has been checked with other servers. */
bool confdiff_servers_live(const struct config *was, const struct config *now)
{
	bool needs = was->dnssec != DNS_DNSSEC_OFF || was->real_num;

	if (!was->proxy || !now->proxy || (needs && !now->dns_servers_num))
		return false;
	for (size_t i = 0; i < now->dns_servers_num; i++) {
		if (leads_home(was, &now->dns_servers[i]))
			return false;
	}
	return true;
}

static void diff_servers(const struct config *a, const struct config *b,
			 json_t *out)
{
	size_t before = json_array_size(out);
	char at[ENDPOINT_TEXT_MAX];
	bool moved = false;

	for (size_t i = 0; i < a->dns_servers_num; i++) {
		if (!asks(b, &a->dns_servers[i]))
			line(out, "- [proxy] dns-server = %s",
			     endpoint_print(&a->dns_servers[i], at));
	}
	for (size_t i = 0; i < b->dns_servers_num; i++) {
		if (!asks(a, &b->dns_servers[i]))
			line(out, "+ [proxy] dns-server = %s",
			     endpoint_print(&b->dns_servers[i], at));
		moved = moved ||
			(i < a->dns_servers_num &&
			 !endpoint_eq(&a->dns_servers[i], &b->dns_servers[i]));
	}
	/* The first that is well is asked. */
	if (moved && json_array_size(out) == before)
		line(out, "~ [proxy] dns-server in another order");
}

static size_t rule_in(const struct config *c, const char *pattern)
{
	size_t i = 0;

	while (i < c->rules_num && strcmp(c->rules[i].pattern, pattern) != 0)
		i++;
	return i;
}

static void diff_policies(const struct config *a, const struct config *b,
			  json_t *out)
{
	for (size_t i = 0; i < a->rules_num; i++) {
		if (rule_in(b, a->rules[i].pattern) == b->rules_num)
			line(out, "- [policy \"%s\"]", a->rules[i].pattern);
	}
	for (size_t i = 0; i < b->rules_num; i++) {
		size_t was = rule_in(a, b->rules[i].pattern);

		if (was < a->rules_num &&
		    a->rules[was].mode == b->rules[i].mode &&
		    strcmp(a->rule_identity[was], b->rule_identity[i]) == 0)
			continue;
		line(out, "%c [policy \"%s\"]", was < a->rules_num ? '~' : '+',
		     b->rules[i].pattern);
	}
}

static const struct config_record *record_in(const struct config *c,
					     const char *name)
{
	for (size_t i = 0; i < c->records_num; i++) {
		if (strcmp(c->records[i].r.name, name) == 0)
			return &c->records[i];
	}
	return NULL;
}

static void diff_records(const struct config *a, const struct config *b,
			 json_t *out)
{
	for (size_t i = 0; i < a->records_num; i++) {
		if (!record_in(b, a->records[i].r.name))
			line(out, "- [record %s]", a->records[i].r.name);
	}
	for (size_t i = 0; i < b->records_num; i++) {
		const struct dns_record *is = &b->records[i].r;
		const struct config_record *was = record_in(a, is->name);

		if (!was || memcmp(&was->r, is, sizeof(*is)) != 0)
			line(out, "%c [record %s]", was ? '~' : '+', is->name);
	}
}

void confdiff(const struct config *was, const struct config *now,
	      struct confdiff *out)
{
	diff_live(was, now, out->live);
	diff_fixed(was, now, out->restart);
	diff_identities(was, now, out);
	diff_peers(was, now, out);
	diff_registers(was, now, out->live);
	diff_servers(was, now,
		     confdiff_servers_live(was, now) ? out->live
						     : out->restart);
	diff_policies(was, now, out->live);
	diff_text(out->live, "[proxy] hosts", was->hosts, now->hosts);
	diff_records(was, now, out->live);
}
