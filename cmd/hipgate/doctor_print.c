/* SPDX-License-Identifier: MIT */
/* What doctor prints instead of looking: DNS stanzas, the size of a path. */
#include <stdio.h>
#include <string.h>

#include "cmd/hipgate/ask.h"
#include "cmd/hipgate/doctor.h"

/* ---- doctor dns --------------------------------------------------------------------- */

/* The domain of a policy's pattern: "*.foo.com" and "foo.com" alike; "" of
 * "*". */
static const char *domain(const char *pattern)
{
	if (strncmp(pattern, "*.", 2) == 0)
		return pattern + 2;
	return strcmp(pattern, "*") == 0 ? "" : pattern;
}

/* Calls print for each domain whose names are to come to hipgate; where no
 * policy limits it, that is all of them (""). */
static void each_domain(const struct config *c, const char *at,
			void (*print)(const char *name, const char *at))
{
	bool any = false;

	for (size_t i = 0; i < c->rules_num; i++) {
		if (c->rules[i].mode == DNS_OFF)
			continue;
		any = true;
		print(domain(c->rules[i].pattern), at);
	}
	if (!any)
		print("", at);
}

static void dnsmasq(const char *name, const char *at)
{
	if (name[0])
		(void)printf("server=/%s/%s\nrebind-domain-ok=/%s/\n", name, at,
			     name);
	else
		(void)printf("server=%s\n# with stop-dns-rebind: "
			     "rebind-domain-ok=/DOMAIN/ for each, or a global "
			     "prefix =\n",
			     at);
}

static void unbound(const char *name, const char *at)
{
	(void)printf("forward-zone:\n\tname: \"%s.\"\n\tforward-addr: %s\n",
		     name, at);
}

/* Protection against rebinding takes a substitute for an attack; neither of
 * the two excepts addresses, and dnsmasq not all names. */
static void private_domain(const char *name, const char *at)
{
	(void)at;
	if (name[0])
		(void)printf("\tprivate-domain: \"%s.\"\n", name);
	else
		(void)puts("\t# with private-address: private-domain: "
			   "\"DOMAIN\" for each, or a global prefix =");
}

/* A validator of its own would take a substitute for forged. */
static void insecure(const char *name, const char *at)
{
	(void)at;
	(void)printf("\tdomain-insecure: \"%s.\"\n", name);
}

static void resolved(const char *name, const char *at)
{
	(void)at;
	(void)printf(" ~%s", name[0] ? name : ".");
}

int doctor_print_dns(const struct doctor *d)
{
	const struct config *c = d->c;
	char at[ADDR_TEXT_MAX];
	struct addr dns;

	if (!c)
		return verb_fail("%s", d->config_why);
	if (!c->proxy)
		return verb_fail("%s: no [proxy], so there is no DNS to steer",
				 d->path);
	if (!(c->pool6.len && lease_dns(&c->pool6, &dns)) &&
	    !(c->pool4.len && lease_dns(&c->pool4, &dns)))
		return verb_fail("%s: the prefix is too small for a DNS "
				 "address of its own; use listen =",
				 d->path);
	addr_print(&dns, at);
	if (c->dns_servers_num == 0)
		(void)puts("# First: dns-server = ADDRESS in [proxy], whom "
			   "hipgate asks in its turn;\n# never one of those "
			   "below.\n");
	(void)printf("# dnsmasq: /etc/dnsmasq.d/hipgate.conf\n");
	each_domain(c, at, dnsmasq);
	(void)printf("\n# unbound: /etc/unbound/unbound.conf.d/hipgate.conf\n"
		     "server:\n");
	each_domain(c, at, insecure);
	each_domain(c, at, private_domain);
	each_domain(c, at, unbound);
	(void)printf("\n# systemd-resolved: "
		     "/etc/systemd/resolved.conf.d/hipgate.conf\n"
		     "[Resolve]\nDNS=%s\nDomains=",
		     at);
	each_domain(c, at, resolved);
	(void)printf("\n\n# a gateway: lan = INTERFACE in [proxy], then "
		     "hipgate-setup: no client need be told,\n# unless it "
		     "asks a resolver on the gateway: then that one needs "
		     "its lines above\n");
	return VERB_OK;
}

/* ---- doctor mtu NAME ------------------------------------------------------------------ */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static const char *by_text(const char *by)
{
	static const struct {
		const char *by;
		const char *text;
	} texts[] = {
		{ "probe", "a probe of that size was answered" },
		{ "route", "the kernel's route says so; no probe of a larger "
			   "size has been answered" },
		{ "floor", "nobody: not even 1280 octets pass, so outer "
			   "packets are cut (a black hole)" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(texts[i].by, by) == 0)
			return texts[i].text;
	}
	return "nobody yet";
}

static int number(const json_t *o, const char *key)
{
	return (int)json_integer_value(json_object_get(o, key));
}

static int print_sa(const struct doctor *d, const char *name, json_t *data)
{
	const json_t *sa = json_object_get(data, "sa");
	json_t *o;

	if (!json_is_object(sa))
		return verb_fail("there is no SA with %s, so no path to "
				 "measure; \"hipgate connect %s\" makes one",
				 name, name);
	if (d->o->json) {
		o = json_pack("{s:i,s:s,s:O}", "version", ASK_VERSION, "verb",
			      "doctor-mtu", "data", sa);
		(void)json_dumpf(o, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		json_decref(o);
		return VERB_OK;
	}
	(void)printf("path      to %s at %s\n", text_of(sa, "peer"),
		     text_of(sa, "locator"));
	(void)printf("outer     %d octets, IP and UDP headers with them\n",
		     number(sa, "outer_mtu"));
	(void)printf("inner     %d octets of IPv6, %d of IPv4, without being "
		     "cut\n",
		     number(sa, "mtu"), number(sa, "mtu") - 20);
	(void)printf("TCP MSS   %d (IPv6), %d (IPv4)\n", number(sa, "mtu") - 60,
		     number(sa, "mtu") - 60);
	(void)printf("said by   %s\n", by_text(text_of(sa, "mtu_by")));
	return VERB_OK;
}

int doctor_print_mtu(const struct doctor *d, const char *name)
{
	const char *socket = d->o->socket ? d->o->socket
			     : d->c	  ? d->c->control
					  : NULL;
	char why[512];
	json_t *data;
	int err = ask_once(
		socket, json_pack("{s:s,s:s}", "verb", "explain", "name", name),
		&data, why, sizeof(why));
	int status;

	if (err)
		return verb_unasked(err, why);
	status = print_sa(d, name, data);
	json_decref(data);
	return status;
}
