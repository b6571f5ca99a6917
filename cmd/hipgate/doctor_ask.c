/* SPDX-License-Identifier: MIT */
/* Faults that the daemon knows of: itself, its agents, paths, offloads, DNS. */
#include <stdio.h>
#include <string.h>

#include "cmd/hipgate/doctor.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool asked(const json_t *what, struct doctor_finding *f)
{
	if (what)
		return true;
	doctor_say(f, DOCTOR_SKIP, "needs the daemon");
	return false;
}

void doctor_daemon(const struct doctor *d, struct doctor_finding *f)
{
	const char *version = text_of(d->version, "version");

	if (d->unasked) {
		doctor_say(f, DOCTOR_FAULT, "%s", d->daemon_why);
		doctor_mend(f, d->unasked == HG_EPERM ? "sudo hipgate doctor"
			       : d->unasked == HG_ESYS
				       ? "systemctl start hipgated; journalctl "
					 "-u hipgated says why it ended"
				       : "systemctl restart hipgated");
	} else if (strcmp(version, HIPGATE_VERSION) != 0) {
		doctor_say(f, DOCTOR_FAULT,
			   "hipgated is version %s, this tool " HIPGATE_VERSION,
			   version);
		doctor_mend(f, "systemctl restart hipgated");
	} else {
		doctor_say(f, DOCTOR_GOOD, "hipgated %s, up %.0f s", version,
			   json_number_value(
				   json_object_get(d->version, "uptime_s")));
	}
}

/* ---- agents ----------------------------------------------------------------------- */

/* What the daemon says of that [register]; NULL: it knows none. */
static const json_t *agent_of(const json_t *agents,
			      const struct config_register *r)
{
	char hit[ADDR_TEXT_MAX];
	const json_t *a;
	size_t i;

	hit_print(&r->rvs, hit);
	json_array_foreach(agents, i, a)
	{
		bool any = json_is_true(json_object_get(a, "opportunistic"));

		if (hit_is_null(&r->rvs)
			    ? any
			    : !any && strcmp(text_of(a, "hit"), hit) == 0)
			return a;
	}
	return NULL;
}

void doctor_agent(const struct doctor *d, struct doctor_finding *f)
{
	const json_t *agents = json_object_get(d->status, "agents");
	char at[ENDPOINT_TEXT_MAX];

	if (d->c->reg_num == 0) {
		doctor_say(f, DOCTOR_SKIP, "no [register]");
		return;
	}
	if (!asked(d->status, f))
		return;
	for (size_t i = 0; i < d->c->reg_num; i++) {
		const json_t *a = agent_of(agents, &d->c->reg[i]);

		if (a && json_is_true(json_object_get(a, "registered")))
			continue;
		doctor_say(f, DOCTOR_FAULT,
			   "not registered at %s, so nobody finds this host "
			   "there: %s",
			   endpoint_print(&d->c->reg[i].at[0], at),
			   a ? text_of(a, "why")
			     : "the daemon runs without that [register]");
		doctor_mend(f, "%s", a ? text_of(a, "mend") : "hipgate reload");
		return;
	}
	doctor_say(f, DOCTOR_GOOD, "registered");
}

/* ---- paths -------------------------------------------------------------------------- */

void doctor_mtu(const struct doctor *d, struct doctor_finding *f)
{
	const json_t *sa;
	size_t i;

	if (!asked(d->sas, f))
		return;
	json_array_foreach(d->sas, i, sa)
	{
		if (strcmp(text_of(sa, "mtu_by"), "floor") != 0)
			continue;
		doctor_say(
			f, DOCTOR_FAULT,
			"the path to %s swallows packets of 1280 octets: "
			"ESP is cut into fragments, which are slow and often "
			"lost",
			text_of(sa, "peer"));
		doctor_mend(
			f,
			"let fragments and UDP of %s pass, or lower the MTU "
			"of the tunnel on the way; \"hipgate doctor mtu %s\"",
			text_of(sa, "locator"), text_of(sa, "peer"));
		return;
	}
	doctor_say(f, DOCTOR_GOOD, "no black hole on %zu paths",
		   json_array_size(d->sas));
}

/* ---- offloads ------------------------------------------------------------------------ */

void doctor_offload(const struct doctor *d, struct doctor_finding *f)
{
	json_t *all = json_object_get(d->status, "offload");
	const char *name;
	json_t *o;

	if (!asked(d->status, f))
		return;
	json_object_foreach(all, name, o)
	{
		json_int_t refused =
			json_integer_value(json_object_get(o, "refused"));

		if (!json_is_object(o) ||
		    (refused == 0 &&
		     strcmp(text_of(o, "state"), "fell back") != 0))
			continue;
		doctor_say(f, DOCTOR_FAULT,
			   "the kernel refused %s %lld times; packets went one "
			   "by one",
			   name, (long long)refused);
		doctor_mend(f, "offload = safe in [daemon], restart, and tell "
			       "of it with \"hipgate bugreport\"");
		return;
	}
	doctor_say(f, DOCTOR_GOOD, "%s, nothing refused",
		   text_of(all, "setting"));
}

void doctor_loop(const struct doctor *d, struct doctor_finding *f)
{
	const json_t *drops = json_object_get(d->status, "drops");

	if (!asked(d->status, f))
		return;
	if (json_integer_value(json_object_get(drops, "dns-loop"))) {
		doctor_say(f, DOCTOR_FAULT,
			   "a DNS server that hipgate asks asks hipgate in its "
			   "turn");
		doctor_mend(f, "let dns-server = in [proxy] name the server "
			       "behind the forwarder, not the forwarder");
	} else if (json_integer_value(json_object_get(drops, "loop"))) {
		doctor_say(f, DOCTOR_FAULT,
			   "our own outer packets come back through the TUN: "
			   "the route to a HIP host leads into it");
		doctor_mend(f, "take that host's address out of prefix = and "
			       "transparent =, or mend its route");
	} else {
		doctor_say(f, DOCTOR_GOOD, "none seen");
	}
}

void doctor_upstream(const struct doctor *d, struct doctor_finding *f)
{
	const json_t *deaf = json_object_get(d->status, "deaf");

	if (d->c->proxy && d->c->dns_servers_num == 0) {
		doctor_say(f, DOCTOR_NOTE,
			   "no dns-server: each client's own is believed, so "
			   "no name is remembered as a HIP host's, and who "
			   "strips its HIP record turns it to clear text");
		doctor_mend(f, "dns-server = ADDRESS in [proxy]: whom this "
			       "machine asks, by /etc/resolv.conf");
		return;
	}
	if (!asked(d->status, f))
		return;
	if (json_array_size(deaf) == 0) {
		doctor_say(f, DOCTOR_GOOD, "no DNS server is deaf to HIP");
		return;
	}
	doctor_say(f, DOCTOR_FAULT,
		   "the DNS server %s answers, but never a question for a HIP "
		   "record: no HIP host is found by it",
		   json_string_value(json_array_get(deaf, 0)));
	doctor_mend(f, "let dns-server = in [proxy] name one that does, or let "
		       "the firewall before it pass DNS type 55");
}
