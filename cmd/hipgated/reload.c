/* SPDX-License-Identifier: MIT */
/* The configuration file read again, and what of it is applied at once. */
/* THEORY OF OPERATION
 * Control thread only. The file is read and judged whole, and the keys of
 * new identities are read, before anything is changed; whatever is wrong
 * there leaves the daemon as it was. Then each thing that confdiff calls
 * live is applied and taken over into g->cfg, which so always says what is
 * in force; what needs a restart keeps its running value there. Nothing of
 * this touches an association, but that the access rules close those they
 * deny (hip_set_access), and that an agent's other service takes another one
 * (agents.c). Other DNS servers are the dns room's business (serverlist.h) and
 * the validator's (dnssec.h).
 *
 * A removed [peer] stays until the restart: it may be what an association is
 * made of.
 */
#include "reload.h"

#include <stdio.h>
#include <string.h>

#include "confdiff.h"
#include "core/log.h"
#include "dnslease.h"
#include "dnsside.h"
#include "gate.h"
#include "hipstart.h"
#include "logfields.h"
#include "logto.h"
#include "sdstate.h"

/* What must be at hand before the first change. */
struct plan {
	struct config *now;
	struct hip_identity *id[CONFIG_IDENTITIES]; /* the new ones */
	size_t first; /* number of the first of them */
	size_t end;
};

static void plan_fini(struct plan *p)
{
	for (size_t i = p->first; i < p->end; i++)
		hip_identity_free(p->id[i]);
	config_free(p->now);
}

/* New identities behind those that run; other changes are for a restart. */
static int read_keys(struct gate *g, struct plan *p, char *errbuf,
		     size_t errlen)
{
	const struct config *c = p->now;

	p->first = g->cfg->identity_num;
	p->end = p->first;
	for (size_t i = 0; i < p->first; i++) {
		if (i >= c->identity_num ||
		    strcmp(c->identity[i], g->cfg->identity[i]) != 0 ||
		    c->anonymous[i] != g->cfg->anonymous[i])
			return HG_OK;
	}
	while (p->end < c->identity_num) {
		struct hip_identity *id;
		int err = hipstart_read_key(c->identity[p->end], &id, errbuf,
					    errlen);

		if (err)
			return err;
		p->id[p->end++] = id;
		if (!persona_ours(g, hip_identity_hit(id)))
			continue;
		(void)snprintf(errbuf, errlen,
			       "%s: that identity is there already; remove the "
			       "line",
			       c->identity[p->end - 1]);
		return HG_EEXIST;
	}
	return HG_OK;
}

/* An identity that a policy names must be one that runs. */
/* Names resolve in what runs, new identities at its end: is it the one that
 * the new file means by it, its n-th? */
static bool same_identity(const struct config *runs, const struct config *now,
			  const char *name, size_t n)
{
	size_t there = config_identity(runs, name);

	if (n >= runs->identity_num)
		return there >= runs->identity_num;
	return there == n && strcmp(now->identity[n], runs->identity[n]) == 0;
}

static int check_names(struct gate *g, const struct plan *p, char *errbuf,
		       size_t errlen)
{
	const struct config *c = p->now;
	size_t have =
		p->end > g->cfg->identity_num ? p->end : g->cfg->identity_num;
	const char *bad = NULL;

	for (size_t i = 0; i < c->peers_num + c->rules_num && !bad; i++) {
		const char *name = i < c->peers_num
					   ? c->peers[i].identity
					   : c->rule_identity[i - c->peers_num];
		size_t n;

		if (!name[0] || strcmp(name, CONFIG_EPHEMERAL) == 0)
			continue;
		n = config_identity(c, name);
		if (n >= have || !same_identity(g->cfg, c, name, n))
			bad = name;
	}
	if (!bad)
		return HG_OK;
	(void)snprintf(errbuf, errlen,
		       "%s: identity = %s is used before it runs: the order of "
		       "identities changes at a restart only; put new ones "
		       "last, or restart",
		       g->path, bad);
	return HG_EINVAL;
}

static void apply_identities(struct gate *g, struct plan *p)
{
	struct config *c = g->cfg;

	for (; p->first < p->end; p->first++) {
		const char *path = p->now->identity[p->first];
		int err = hipstart_add_identity(
			g, path, p->now->anonymous[p->first], p->id[p->first]);

		if (err) {
			/* Cannot be: its place and its HIT were free. */
			log_error("event=identity-failed file=\"%s\" "
				  "text=\"%s\"",
				  path, err_text(err));
			p->first++;
			return;
		}
		memcpy(c->identity[p->first], path, CONFIG_PATH);
		c->anonymous[p->first] = p->now->anonymous[p->first];
		c->identity_num = p->first + 1;
	}
}

static bool has_peer(const struct config *c, const struct hit *hit, size_t *at)
{
	for (*at = 0; *at < c->peers_num; ++*at) {
		if (hit_eq(&c->peers[*at].hit, hit))
			return true;
	}
	return false;
}

static void apply_peers(struct gate *g, const struct config *now)
{
	struct config *c = g->cfg;

	for (size_t i = 0; i < now->peers_num; i++) {
		bool esp_null = false;
		size_t at;

		if (!has_peer(c, &now->peers[i].hit, &at)) {
			if (c->peers_num == CONFIG_PEERS)
				continue; /* full of removed ones */
			c->peers_num++;
		} else {
			esp_null = c->peers[at].esp_null;
		}
		c->peers[at] = now->peers[i];
		c->peers[at].esp_null = esp_null; /* till the restart */
		hipstart_peer(g, &c->peers[at]);
	}
}

/* What they were goes with the plan. */
static void take_access(struct config *c, struct config *now)
{
	struct config_access was[CONFIG_ROLE_NUM];

	memcpy(was, c->access, sizeof(was));
	memcpy(c->access, now->access, sizeof(c->access));
	memcpy(now->access, was, sizeof(was));
}

/* Line numbers in rules and records are those of these. */
static void take_files(struct config *c, struct config *now)
{
	size_t num = c->files_num;
	char *was[CONFIG_FILES];

	memcpy(was, c->files, sizeof(was));
	memcpy(c->files, now->files, sizeof(c->files));
	memcpy(now->files, was, sizeof(was));
	c->files_num = now->files_num;
	now->files_num = num;
}

static void take_records(struct config *c, struct config *now)
{
	struct config_record *was = c->records;

	c->records = now->records;
	c->records_num = now->records_num;
	memcpy(c->hosts, now->hosts, sizeof(c->hosts));
	now->records = was;
}

static int apply(struct gate *g, struct plan *p)
{
	struct config *c = g->cfg;
	const struct config *now = p->now;
	int err = HG_OK;

	/* What can fail for want of memory comes first. */
	if (g->dns)
		err = dns_set_rules(g->dns, now->rules, now->rules_num);
	if (!err && g->dns)
		err = dnslease_records(g, now);
	if (!err)
		err = hipstart_access(g, now);
	if (!err)
		err = moveside_policy(g, now);
	if (err && g->dns &&
	    (dns_set_rules(g->dns, c->rules, c->rules_num) != HG_OK ||
	     dnslease_records(g, c) != HG_OK))
		log_error("event=reload-half text=\"the old policies could not "
			  "be brought back\"");
	if (err)
		return err;
	memcpy(c->rules, now->rules, sizeof(c->rules));
	memcpy(c->rule_identity, now->rule_identity, sizeof(c->rule_identity));
	memcpy(c->rule_line, now->rule_line, sizeof(c->rule_line));
	c->rules_num = now->rules_num;
	take_access(c, p->now);
	take_records(c, p->now);
	take_files(c, p->now);
	c->log = now->log;
	memcpy(c->log_sub, now->log_sub, sizeof(c->log_sub));
	logto_levels(c);
	c->paths = now->paths;
	c->relay_rate_mbit = now->relay_rate_mbit;
	relayside_rate(g);
	c->puzzle = now->puzzle;
	hip_set_puzzle(g->hip, c->puzzle);
	c->opportunistic = now->opportunistic;
	c->answers_opportunistic = now->answers_opportunistic;
	hip_set_opportunistic(g->hip, c->answers_opportunistic);
	if (confdiff_servers_live(c, now))
		dnsside_servers(g, now->dns_servers, now->dns_servers_num);
	apply_identities(g, p);
	apply_peers(g, now);
	agents_reload(g, now);
	/* The rules spare an agent, and it may be none any more. */
	if (hipstart_access(g, c))
		log_error("event=reload-half text=\"rules against an agent "
			  "that was removed wait for the next reload\"");
	return HG_OK;
}

static void log_change(enum log_level level, const char *event,
		       const char *what)
{
	char line[CONFIG_PATH * 3] = "event=";

	(void)strcat(line, event); /* ours, and short */
	logfields_add(line, sizeof(line), "text", what);
	log_line(LOG_SUB_CONTROL, level, "%s", line);
}

static void tell(struct gate *g, const struct confdiff *d)
{
	const json_t *s;
	size_t i;

	json_array_foreach(d->live, i, s) log_change(
		LOG_LEVEL_INFO, "reload-applied", json_string_value(s));
	json_array_foreach(d->restart, i, s) log_change(
		LOG_LEVEL_WARN, "reload-restart", json_string_value(s));
	events_add(
		&g->events, uv_hrtime(), "", "reload",
		json_pack("{s:i,s:i}", "applied", (int)json_array_size(d->live),
			  "restart", (int)json_array_size(d->restart)),
		"%s is read again: %zu lines applied, %zu need a restart",
		g->path, json_array_size(d->live), json_array_size(d->restart));
}

int reload(struct gate *g, json_t **out, char *errbuf, size_t errlen)
{
	struct plan p = { 0 };
	struct confdiff d = { json_array(), json_array() };
	int err = d.live && d.restart ? HG_OK : HG_ENOMEM;

	errbuf[0] = '\0';
	sdstate_reloading();
	if (!err)
		err = config_load(g->path, &p.now, errbuf, errlen);
	if (!err)
		err = read_keys(g, &p, errbuf, errlen);
	if (!err)
		err = check_names(g, &p, errbuf, errlen);
	if (!err) {
		confdiff(g->cfg, p.now, &d);
		err = apply(g, &p);
		recall_clear(g->plane.recall);
		dnsside_moved(g);
	}
	if (err && !errbuf[0])
		(void)snprintf(errbuf, errlen, "%s: %s", g->path,
			       err_text(err));
	if (!err) {
		tell(g, &d);
		*out = json_pack("{s:O,s:O}", "applied", d.live, "restart",
				 d.restart);
		err = *out ? HG_OK : HG_ENOMEM;
	} else {
		log_change(LOG_LEVEL_ERROR, "reload-refused", errbuf);
	}
	sdstate_reloaded();
	json_decref(d.live);
	json_decref(d.restart);
	plan_fini(&p);
	return err;
}
