/* SPDX-License-Identifier: MIT */
/* The dns room's door: making an engine, its time and its effects. */
#include "dns/dns.h"

#include <stdlib.h>
#include <string.h>

#include "dns/local.h"
#include "dns/progress.h"
#include "dns/question.h"

#define TTL_MAX_DEFAULT 60
#define QUESTIONS_MAX_DEFAULT 4096
#define CLIENT_MAX_DEFAULT 256

int dns_new(const struct dns_config *cfg, struct dns **out)
{
	struct dns *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return HG_ENOMEM;
	outbox_init(&d->outbox);
	d->pool6 = cfg->pool6;
	d->pool4 = cfg->pool4;
	d->lease = cfg->lease;
	upstream_set(&d->upstream, cfg->servers, cfg->servers_num);
	d->hide = cfg->hide;
	d->discourage = cfg->discourage;
	d->dnssec = cfg->dnssec;
	d->validating = cfg->validating;
	d->key_fits = cfg->key_fits;
	d->own_ask = cfg->own_ask;
	d->arg = cfg->arg;
	while (d->real_num < cfg->real_num && d->real_num < DNS_REAL_MAX) {
		d->real[d->real_num] = cfg->real[d->real_num];
		d->real_num++;
	}
	d->ttl_max = cfg->ttl_max ? cfg->ttl_max : TTL_MAX_DEFAULT;
	d->questions_max =
		cfg->questions_max ? cfg->questions_max : QUESTIONS_MAX_DEFAULT;
	d->client_max = cfg->client_max ? cfg->client_max : CLIENT_MAX_DEFAULT;
	err = policy_new(cfg->rules, cfg->rules_num, &d->policy);
	if (!err)
		err = cache_new(cfg->cache_max, &d->cache);
	if (!err)
		err = pins_new(cfg->pins_max, &d->pins);
	if (!err)
		err = question_table_init(d);
	if (err) {
		dns_free(d);
		return err;
	}
	*out = d;
	return HG_OK;
}

void dns_free(struct dns *d)
{
	if (!d)
		return;
	question_table_fini(d);
	outbox_fini(&d->outbox);
	policy_free(d->policy);
	cache_free(d->cache);
	pins_free(d->pins);
	local_free(d->local);
	free(d);
}

int dns_set_records(struct dns *d, const struct dns_record *records, size_t num)
{
	struct local *made;
	int err = local_new(records, num, &made);

	if (err)
		return err;
	local_free(d->local);
	d->local = made;
	return HG_OK;
}

int dns_name(const char *name, char out[DNS_NAME_MAX])
{
	struct dname wire;

	if (dname_parse(name, &wire))
		return HG_EFORMAT;
	return dname_print(&wire, out);
}

int dns_pin(struct dns *d, const char *name, const struct hit *hit)
{
	struct dname wire;

	if (dname_parse(name, &wire))
		return HG_EINVAL;
	return pins_add(d->pins, &wire, hit);
}

bool dns_pinned(const struct dns *d, const char *name)
{
	struct dname wire;

	return dname_parse(name, &wire) == HG_OK && pins_has(d->pins, &wire);
}

bool dns_forget(struct dns *d, const char *name)
{
	struct dname wire;

	return dname_parse(name, &wire) == HG_OK && pins_del(d->pins, &wire);
}

struct teller {
	void (*fn)(const char *name, const struct hit *hit, void *arg);
	void *arg;
};

static void tell_pin(const struct dname *name, const struct hit *hit, void *arg)
{
	const struct teller *t = arg;
	char text[DNS_NAME_MAX];

	if (dname_print(name, text) == HG_OK)
		t->fn(text, hit, t->arg);
}

bool dns_some_pins(const struct dns *d, size_t *at,
		   void (*fn)(const char *name, const struct hit *hit,
			      void *arg),
		   void *arg)
{
	struct teller t = { fn, arg };

	return pins_some(d->pins, at, tell_pin, &t);
}

int dns_set_rules(struct dns *d, const struct dns_rule *rules, size_t num)
{
	struct policy *made;
	int err = policy_new(rules, num, &made);

	if (err)
		return err;
	policy_free(d->policy);
	d->policy = made;
	return HG_OK;
}

size_t dns_rule_of(const struct dns *d, const char *name)
{
	struct dname wire;

	if (dname_parse(name, &wire))
		return SIZE_MAX;
	return policy_rule(d->policy, &wire);
}

int dns_resolve(struct dns *d, const char *name, const struct hit *want,
		const struct endpoint *server, uint64_t token, uint64_t now)
{
	char text[DNS_NAME_MAX];
	struct dname wire;
	struct question *q;
	int err;

	outbox_settle(&d->outbox);
	if (dname_parse(name, &wire) || dname_print(&wire, text))
		return HG_EINVAL;
	err = question_add(d, NULL, &q);
	if (err == HG_EAGAIN && progress_make_room(d))
		err = question_add(d, NULL, &q);
	if (err)
		return err;
	q->kind = QUESTION_RESOLVE;
	if (want)
		q->want = *want;
	q->mode = DNS_REQUIRE;
	q->who.server = *server;
	q->who.token = token;
	q->asked.name = wire;
	q->asked.type = SCAN_HIP;
	q->asked.class = SCAN_IN;
	local_answer(d->local, q, &wire, d->ttl_max);
	progress_start(d, q, now);
	return HG_OK;
}

uint64_t dns_deadline(const struct dns *d)
{
	return d->num ? d->heap[0]->deadline : NEVER;
}

void dns_tick(struct dns *d, uint64_t now)
{
	outbox_settle(&d->outbox);
	/* Each round ends a question or moves its deadline ahead. */
	while (d->num && d->heap[0]->deadline <= now)
		progress_timer(d, d->heap[0], now);
}

const struct reasons *dns_reasons(const struct dns *d)
{
	return &d->reasons;
}

size_t dns_pending(const struct dns *d)
{
	return d->num;
}

bool dns_effect(struct dns *d, struct dns_effect *out)
{
	return outbox_take(&d->outbox, out);
}
