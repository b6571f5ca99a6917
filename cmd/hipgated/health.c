/* SPDX-License-Identifier: MIT */
/* Can we serve, and if not, why; see health.h. */
#include "health.h"

#include <net/if.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/log.h"
#include "gate.h"
#include "sdstate.h"

#define LOOP_NS UINT64_C(60000000000)
#define STATUS_NS UINT64_C(10000000000)

static void say(char why[HEALTH_WHY], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(char why[HEALTH_WHY], const char *fmt, ...)
{
	va_list ap;

	if (why[0])
		return; /* the first one counts */
	va_start(ap, fmt);
	(void)vsnprintf(why, HEALTH_WHY, fmt, ap);
	va_end(ap);
}

/* Asked of any of our sockets. */
static bool is_up(const struct gate *g)
{
	const struct plane *p = &g->plane;
	int fd = p->sockets.fd[0][0] >= 0 ? p->sockets.fd[0][0]
					  : p->sockets.fd[1][0];
	struct ifreq ifr = { 0 };

	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", p->tun.name);
	return ioctl(fd, SIOCGIFFLAGS, &ifr) == 0 && ifr.ifr_flags & IFF_UP;
}

static void judge_links(const struct gate *g, char why[HEALTH_WHY])
{
	const struct links_address *list;
	size_t num = 0;
	size_t loud = 0;

	if (!g->links)
		return; /* nobody has looked yet */
	if (g->plane.has_tun && !is_up(g))
		say(why, "%s is down; ip link set %s up, or run hipgate-setup",
		    g->plane.tun.name, g->plane.tun.name);
	list = links_now(g->links, &num);
	for (size_t i = 0; i < num; i++)
		loud += !list[i].quiet;
	if (!loud)
		say(why, "this machine has no address that a peer could "
			 "reach; is it connected?");
}

/* ---- does what is for a HIP host come to us? -------------------------------- */

/* One address of prefix: drawn, so that a route that takes a part of it is
 * met sooner or later; never the first, which is the TUN's own. */
static struct addr draw(const struct prefix *p)
{
	struct addr a;

	randombytes_buf(&a, sizeof(a));
	for (unsigned i = 0; i < sizeof(a.b); i++) {
		unsigned fixed = p->len > 8 * i ? p->len - 8 * i : 0;
		unsigned mask = fixed < 8 ? 0xffu >> fixed : 0;

		a.b[i] = (uint8_t)((a.b[i] & mask) | (p->addr.b[i] & ~mask));
	}
	a.b[15] |= 2; /* both pools have host bits there (config_check) */
	return a;
}

static bool leads_astray(struct gate *g, const struct prefix *p)
{
	struct addr a = draw(p);

	if (!links_leads_astray(g->links, &a))
		return false;
	g->health.astray = a;
	return true;
}

/* What was found is asked for again, until it is mended. */
static void find_astray(struct gate *g)
{
	struct prefix hits = { .addr = { .b = { 0x20, 0x01, 0x00, 0x20 } },
			       .len = 28 }; /* RFC 7343 6 */
	struct addr was = g->health.astray;
	const struct config *c = g->cfg;

	g->health.astray = addr_any6;
	if (!g->links || !(c->proxy || c->host))
		return;
	if (!addr_is_unspecified(&was) && links_leads_astray(g->links, &was)) {
		g->health.astray = was;
		return;
	}
	if ((c->proxy && c->pool6.len && leads_astray(g, &c->pool6)) ||
	    (c->proxy && c->pool4.len && leads_astray(g, &c->pool4)) ||
	    (c->host && leads_astray(g, &hits)))
		recall_clear(g->plane.recall); /* no worker says it any more */
}

static void judge_astray(const struct gate *g, char why[HEALTH_WHY])
{
	char text[ADDR_TEXT_MAX];

	if (!addr_is_unspecified(&g->health.astray))
		say(why,
		    "what is sent to %s, as to other HIP hosts, does not come "
		    "to %s%s; run hipgate-setup, or look for who has taken "
		    "its route: ip route get %s",
		    addr_print(&g->health.astray, text), g->cfg->tun,
		    g->cfg->proxy ? ", so names get no address" : "", text);
}

static void judge(const struct gate *g, uint64_t now, char why[HEALTH_WHY])
{
	const struct health *h = &g->health;
	char fault[HEALTH_WHY];

	why[0] = '\0';
	if (g->stopping)
		say(why, "it is ending");
	judge_links(g, why);
	judge_astray(g, why);
	if (h->journal_failed)
		say(why,
		    "the journal in %s cannot be written, so no new name "
		    "gets an address; is the disk full?",
		    g->cfg->state);
	if (h->loop_at && now - h->loop_at < LOOP_NS)
		say(why, "a DNS server asks us what we ask it; see the log");
	if (agents_fault(g, now, fault, sizeof(fault)))
		say(why, "%s", fault);
}

static void tell(const struct gate *g)
{
	const struct tables *t = &g->plane.tables;
	char text[HEALTH_WHY + 32];

	if (g->health.ready)
		(void)snprintf(text, sizeof(text),
			       "ready: %zu SAs, %zu mappings, %zu flows",
			       t->sas, t->mappings, t->flows);
	else
		(void)snprintf(text, sizeof(text), "not ready: %s",
			       g->health.why);
	sdstate_status(text);
}

void health_look(struct gate *g, uint64_t now)
{
	struct health *h = &g->health;
	char why[HEALTH_WHY];
	bool news;

	find_astray(g);
	judge(g, now, why);
	news = !h->looked || strcmp(why, h->why) != 0;
	if (news && why[0])
		log_warn("event=not-ready text=\"%s\"", why);
	else if (news && h->looked)
		log_info("event=ready-again");
	h->looked = true;
	h->ready = !why[0];
	memcpy(h->why, why, sizeof(h->why));
	if (news || now - h->told_at >= STATUS_NS) {
		h->told_at = now;
		tell(g);
	}
}
