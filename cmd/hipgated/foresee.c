/* SPDX-License-Identifier: MIT */
/* What the next packet, or question, would meet; nothing is changed.
 *
 * THEORY OF OPERATION
 * Control thread only. A packet is made as a client would make it, and is
 * judged by what judges real ones: steer_classify, the tables, the peer's
 * state, in the order in which outbound.c, first.c and peer.c ask them. Where
 * those change their mind, this file must follow.
 */
#include "foresee.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"

enum { PORT = 443, DNS_PORT = 53, CLIENT_PORT = 40000 };

const char *foresee_mode_name(enum dns_mode m)
{
	static const char *const names[DNS_MODE_NUM] = {
		[DNS_REQUIRE] = "require",
		[DNS_PREFER] = "prefer",
		[DNS_OFF] = "off",
		[DNS_TRANSPARENT] = "transparent",
	};

	return m < DNS_MODE_NUM ? names[m] : "?";
}

static void say(struct foresight *f, const char *verdict, enum reason reason,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void say(struct foresight *f, const char *verdict, enum reason reason,
		const char *fmt, ...)
{
	va_list ap;

	f->verdict = verdict;
	f->reason = reason;
	f->mend[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

static void mend(struct foresight *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void mend(struct foresight *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(f->mend, sizeof(f->mend), fmt, ap);
	va_end(ap);
}

/* What can be done about a base exchange that failed so. */
static const char *mend_of(enum reason r, bool via_rvs)
{
	static const struct {
		enum reason reason;
		const char *text;
	} table[] = {
		{ REASON_HIP_TIMEOUT,
		  "see that UDP port 10500 is open both ways between here and "
		  "there, and that the host and its rendezvous server run" },
		{ REASON_HIP_PROPOSAL,
		  "let dh-groups, hip-ciphers and esp-suites of both have one "
		  "in common" },
		{ REASON_HIP_PUZZLE_HARD,
		  "the host asks for more work than we do: lower its puzzle" },
		{ REASON_HIP_BAD_HIT,
		  "another key answers there: compare the HIP record with "
		  "\"hipgate status\" of the host" },
		{ REASON_HIP_DENIED,
		  "look at allow = and deny = here and there (\"hipgate "
		  "access\")" },
		{ REASON_DENIED,
		  "look at allow = and deny = (\"hipgate access\")" },
	};

	/* Who is behind an ordinary NAT hears nobody he has not sent to. */
	if (r == REASON_HIP_TIMEOUT && via_rvs)
		return "see that the host and its rendezvous server run and "
		       "that UDP port 10500 is open both ways; if this host "
		       "is behind a NAT, which the host's own answer does not "
		       "pass, the host needs relay = yes in its [register]";
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].reason == r)
			return table[i].text;
	}
	return "\"hipgate trace\" shows the exchange step by step";
}

/* ---- a peer -------------------------------------------------------------------- */

static void sent(const struct sa *sa, struct foresight *f)
{
	const struct path *path = atomic_load(&sa->path);
	char at[ENDPOINT_TEXT_MAX];

	endpoint_print(&path->ends.peer, at);
	if (path->ends.verified)
		say(f, "sent", REASON_NUM,
		    "in ESP with SPI %08x to %s, up to %u octets of IPv6",
		    sa->spi_out, at, (unsigned)path->size.l4_most + IP6_HDR);
	else
		say(f, "sent", REASON_NUM,
		    "in ESP with SPI %08x to %s, which has not answered yet: "
		    "%lld octets more may go there until it does",
		    sa->spi_out, at,
		    (long long)atomic_load_explicit(
			    &((struct path *)path)->credit,
			    memory_order_relaxed));
}

/* Without an SA. As peer_want. */
static void wanted(struct gate *g, const struct peer *p, struct foresight *f)
{
	uint64_t now = uv_hrtime();
	char at[ENDPOINT_TEXT_MAX];

	if (p->state == HIP_I1_SENT || p->state == HIP_I2_SENT) {
		say(f, "waits", REASON_NUM,
		    "a base exchange is under way (%s); %u packets wait",
		    hip_state_name(p->state), p->parked);
		return;
	}
	if (g->draining) {
		say(f, "unreachable", REASON_DENIED,
		    "the daemon is being drained and begins nothing new");
		mend(f, "hipgate drain --off");
		return;
	}
	if (p->state == HIP_E_FAILED) {
		say(f, "unreachable", p->failed,
		    "the base exchange has failed, and is not tried again "
		    "for some seconds: %s",
		    reason_why(p->failed));
		mend(f, "%s", mend_of(p->failed, p->via_rvs));
		return;
	}
	if (p->name[0] && now >= p->fresh_until && g->dns) {
		say(f, "waits", REASON_NUM,
		    "its record is old, so %s is looked up first, then a base "
		    "exchange begins",
		    p->name);
		return;
	}
	if (!p->locators_num) {
		say(f, "unreachable", REASON_PARK_EXPIRED,
		    "no address of the host is known");
		mend(f, "ask DNS for its name, or write address = into its "
			"[peer]");
		return;
	}
	say(f, "waits", REASON_NUM, "I1 goes to %s%s first",
	    endpoint_print(&p->locators[0], at),
	    p->via_rvs ? ", its rendezvous server," : "");
}

static void to_peer(struct gate *g, const struct peer *p, struct foresight *f)
{
	const struct sa *sa =
		tables_sa_out(&g->plane.tables, &p->self, &p->hit);

	if (sa)
		sent(sa, f);
	else
		wanted(g, p, f);
}

/* ---- a packet -------------------------------------------------------------------- */

/* Somebody whom we serve. */
static struct addr a_client(const struct gate *g, unsigned fam)
{
	for (size_t i = 0; i < g->cfg->clients_num; i++) {
		struct addr a = g->cfg->clients[i].addr;

		if (sockets_family(&a) != fam)
			continue;
		if (g->cfg->clients[i].len < 127)
			a.b[15] |= 2;
		return a;
	}
	return g->plane.steer.own[fam];
}

static size_t syn(uint8_t out[IP6_HDR + TCP_HDR], const struct addr *from,
		  const struct addr *to, uint16_t port)
{
	size_t hdr = ip_put_header(out, from, to, IP_PROTO_TCP, TCP_HDR, 64, 0);
	uint8_t *tcp = out + hdr;

	memset(tcp, 0, TCP_HDR);
	put_be16(tcp, CLIENT_PORT);
	put_be16(tcp + 2, port);
	tcp[12] = TCP_HDR / 4 << 4;
	tcp[13] = TCP_SYN;
	put_be16(tcp + 14, 65535);
	put_be16(tcp + 16, csum_finish(csum_add(
				   csum_pseudo(from, to, IP_PROTO_TCP, TCP_HDR),
				   tcp, TCP_HDR)));
	return hdr + TCP_HDR;
}

static void dropped(enum reason why, const char *who, struct foresight *f)
{
	say(f, "dropped", why, "from %s: %s", who, reason_why(why));
	if (why == REASON_NOT_A_CLIENT)
		mend(f, "add clients = %s to [proxy], if it is one", who);
}

static void to_mapping(struct gate *g, const struct addr *virt,
		       struct foresight *f)
{
	const struct mapping *m = tables_mapping(&g->plane.tables, virt);
	struct peer *p = m ? peer_find(g, &m->peer) : NULL;

	if (p) {
		to_peer(g, p, f);
		return;
	}
	say(f, "unreachable", REASON_NO_MAPPING,
	    "nobody was given that address, so ICMP says so at once");
	mend(f, "let the client ask DNS for the name again");
}

void foresee_packet(struct gate *g, const struct addr *to,
		    const struct addr *from, struct foresight *out)
{
	uint8_t pkt[IP6_HDR + TCP_HDR];
	unsigned fam = sockets_family(to);
	struct addr client = *from;
	struct nat_packet p;
	char who[ADDR_TEXT_MAX];
	size_t len;

	if (addr_is_unspecified(&client) || sockets_family(&client) != fam)
		client = a_client(g, fam);
	addr_print(&client, who);
	if (!g->plane.has_tun || addr_is_unspecified(&client)) {
		say(out, "not seen", REASON_NUM,
		    "this daemon carries no packets of clients to there");
		return;
	}
	len = syn(pkt, &client, to,
		  steer_is_dns(&g->plane.steer, to) ? DNS_PORT : PORT);
	switch (steer_classify(&g->plane.steer, pkt, len, &p)) {
	case NAT_DATA:
		to_mapping(g, &p.key.virt, out);
		return;
	case NAT_DNS:
		say(out, "answered", REASON_NUM,
		    "questions to port 53 are answered there");
		return;
	case NAT_DROP:
		if (p.reason == REASON_IP_BAD_ADDR) {
			say(out, "not seen", REASON_NUM,
			    "it is not routed to hipgate; should it come all "
			    "the same, it is dropped (ip-bad-addr)");
			return;
		}
		dropped(p.reason, who, out);
		return;
	case NAT_HIT:
	case NAT_ERROR:
	case NAT_FRAGMENT:
	case NAT_CLASS_NUM:
		break;
	}
	say(out, "not seen", REASON_NUM, "it is no client's packet");
}

/* ---- a question ------------------------------------------------------------------- */

static enum dns_mode mode_of(const struct gate *g, const char *name)
{
	size_t i = dns_rule_of(g->dns, name);

	return i < g->cfg->rules_num ? g->cfg->rules[i].mode : DNS_PREFER;
}

/* Nothing is known of it: what would be asked, and what follows. */
static void asked_first(struct gate *g, const char *name, struct foresight *f)
{
	enum dns_mode mode = mode_of(g, name);
	bool must = mode == DNS_REQUIRE || dns_pinned(g->dns, name);
	char server[ENDPOINT_TEXT_MAX] = "the server that the client asks";

	if (g->cfg->dns_servers_num)
		endpoint_print(&g->cfg->dns_servers[0], server);
	say(f, "asks", REASON_NUM,
	    "HIP, AAAA and A of %s would be asked of %s; a HIP record gives a "
	    "substitute address, none %s",
	    name, server,
	    must ? "SERVFAIL, for HIP is required"
		 : "the server's own answer, and clear text");
}

void foresee_question(struct gate *g, const char *name, struct peer *p,
		      const struct addr *from, struct foresight *out)
{
	const struct addr *sub = NULL;

	if (mode_of(g, name) == DNS_OFF) {
		say(out, "relayed", REASON_NUM,
		    "hip = off: clients get the server's own answer, and "
		    "their packets do not come here");
		return;
	}
	if (p)
		sub = addr_is_unspecified(&p->sub6) ? &p->sub4 : &p->sub6;
	if (sub && !addr_is_unspecified(sub))
		foresee_packet(g, sub, from, out);
	else
		asked_first(g, name, out);
}

void foresee_hit(struct gate *g, const struct hit *hit, struct foresight *out)
{
	struct peer *p = peer_find(g, hit);
	const struct sa *sa = NULL;

	if (persona_ours(g, hit)) {
		say(out, "own", REASON_NUM,
		    "that is this host; the kernel delivers it");
		return;
	}
	for (size_t i = 0; !sa && i < g->selves_num; i++)
		sa = tables_sa_out(&g->plane.tables, &g->selves[i], hit);
	if (sa && g->plane.has_tun) {
		sent(sa, out);
	} else if (p) {
		to_peer(g, p, out);
	} else {
		say(out, "unreachable", REASON_NO_SA,
		    "nothing is known of that HIT, so nothing can be begun");
		mend(out, "write a [peer] with its address, or ask DNS for "
			  "its name");
	}
}
