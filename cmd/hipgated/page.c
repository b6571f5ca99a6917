/* SPDX-License-Identifier: MIT */
/* The status page: frame, tiles and lists; theory in page.h. */
#include "page.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- words --------------------------------------------------------------------- */

/* 59 s, 12 min 03 s, 5 h 01 min, 3 d 04 h. */
static void duration(double v, char out[32])
{
	uint64_t s = v > 0 && v < 1e12 ? (uint64_t)v : 0;

	if (s < 60)
		(void)snprintf(out, 32, "%u s", (unsigned)s);
	else if (s < 3600)
		(void)snprintf(out, 32, "%u min %02u s", (unsigned)(s / 60),
			       (unsigned)(s % 60));
	else if (s < 86400)
		(void)snprintf(out, 32, "%u h %02u min", (unsigned)(s / 3600),
			       (unsigned)(s / 60 % 60));
	else
		(void)snprintf(out, 32, "%" PRIu64 " d %02u h", s / 86400,
			       (unsigned)(s / 3600 % 24));
}

/* Keeps the first num words. */
static void cut_words(char *s, unsigned num)
{
	for (; *s; s++) {
		if (*s == ' ' && --num == 0) {
			*s = '\0';
			return;
		}
	}
}

static void octets(uint64_t n, char out[32])
{
	static const char *const unit[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double v = (double)n;
	unsigned i = 0;

	while (v >= 999.5 && i < 5) {
		v /= 1000;
		i++;
	}
	(void)snprintf(out, 32, "%.*f %s", i && v < 99.5 ? 1 : 0, v, unit[i]);
}

static double since(const struct snapshot *s, uint64_t then)
{
	return then < s->now ? (double)(s->now - then) / 1e9 : 0;
}

static void put_code(struct textout *t, const char *text)
{
	if (!text[0])
		return;
	textout(t, "<code>");
	textout_html(t, text);
	textout(t, "</code>");
}

static void put_hit(struct textout *t, const struct hit *h)
{
	char text[ADDR_TEXT_MAX];

	put_code(t, hit_print(h, text));
}

static void put_addr(struct textout *t, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	if (!addr_is_unspecified(a))
		put_code(t, addr_print(a, text));
}

static void put_endpoint(struct textout *t, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	if (e->port)
		put_code(t, endpoint_print(e, text));
}

static void put_state(struct textout *t, enum hip_state s)
{
	const char *class = "";

	if (s == HIP_ESTABLISHED || s == HIP_R2_SENT)
		class = " up";
	else if (s == HIP_E_FAILED)
		class = " down";
	else if (s != HIP_UNASSOCIATED)
		class = " busy";
	textout(t, "<span class=\"tag%s\">%s</span>", class, hip_state_name(s));
}

/* "12 more", where not all are listed. */
static void put_more(struct textout *t, uint64_t all, size_t shown,
		     const char *verb)
{
	if (all > shown)
		textout(t,
			"<p>%" PRIu64 " more: <code>hipgate %s</code> has "
			"them all.</p>",
			all - shown, verb);
}

/* ---- head ---------------------------------------------------------------------- */

static void put_link(struct textout *t, unsigned choice, bool here,
		     const char *text)
{
	if (here) {
		textout(t, "<b aria-current=\"true\">%s</b>", text);
		return;
	}
	textout(t, "<a href=\"/%s%s%s%s\">%s</a>", choice ? "?" : "",
		choice & PAGE_HOUR ? "hour" : "",
		choice == (PAGE_HOUR | PAGE_STILL) ? "&amp;" : "",
		choice & PAGE_STILL ? "still" : "", text);
}

static void put_about(const struct snapshot *s, struct textout *t)
{
	time_t now = (time_t)s->unix_time;
	struct tm tm;
	char up[32];
	char at[40];

	(void)gmtime_r(&now, &tm);
	(void)strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S UTC", &tm);
	duration(since(s, s->started), up);
	textout(t,
		"<div class=\"about\"><span>version %s</span><span>up %s"
		"</span><span>%s</span>",
		HIPGATE_VERSION, up, at);
	if (s->tun[0]) {
		textout(t, "<span>TUN ");
		textout_html(t, s->tun);
		textout(t, "</span>");
	}
	textout(t, "<span>%u workers</span>", s->workers);
	for (size_t i = 0; i < s->hits_num; i++) {
		textout(t, "<span>%s", i ? "" : "HIT ");
		put_hit(t, &s->hits[i]);
		textout(t, "</span>");
	}
	textout(t, "</div>");
}

static void put_header(const struct snapshot *s, unsigned choice,
		       struct textout *t)
{
	unsigned other = choice ^ PAGE_STILL;

	textout(t, "<header><h1>hipgate <span>%s%s%s%s%s</span></h1>",
		s->proxy ? "proxy" : "", s->proxy && s->host ? ", " : "",
		s->host ? "host" : "",
		(s->proxy || s->host) && s->rendezvous ? ", " : "",
		s->rendezvous ? "rendezvous" : "");
	textout(t, "<span class=\"pill%s\">%s</span><nav>",
		s->ready ? "" : " no", s->ready ? "ready" : "not ready");
	put_link(t, choice & ~(unsigned)PAGE_HOUR, !(choice & PAGE_HOUR),
		 "5 minutes");
	put_link(t, choice | PAGE_HOUR, choice & PAGE_HOUR, "1 hour");
	put_link(t, other, false, choice & PAGE_STILL ? "go on" : "hold still");
	textout(t, "<a href=\"/metrics\">metrics</a></nav>");
	put_about(s, t);
	textout(t, "</header>");
}

/* ---- tiles --------------------------------------------------------------------- */

static void put_tile(struct textout *t, const char *title, const char *value,
		     const char *below)
{
	const char *unit = strchr(value, ' ');
	int len = unit ? (int)(unit - value) : (int)strlen(value);

	textout(t,
		"<dl class=\"tile\"><dt>%s</dt><dd>%.*s<small>%s</small>"
		"</dd><p>%s</p></dl>",
		title, len, value, unit ? unit : "", below);
}

static uint64_t established(const struct snapshot *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < SNAPSHOT_PATH_NUM; i++)
		for (unsigned f = 0; f < 2; f++)
			n += s->assocs[HIP_ESTABLISHED][i][f] +
			     s->assocs[HIP_R2_SENT][i][f];
	return n;
}

static uint64_t drops(const struct snapshot *s)
{
	uint64_t n = 0;

	for (unsigned r = 0; r < REASON_NUM; r++)
		n += s->drops[r];
	return n;
}

static void put_rates(const struct snapshot *s, struct textout *t)
{
	const struct meter_traffic *m = &s->meter.traffic;
	char value[32];
	char all[32];
	char below[64];

	pageplot_bits(pageplot_rate(s, SAMPLE_OUT_BYTES, 1) * 8, value);
	octets(m->out_bytes, all);
	(void)snprintf(below, sizeof(below), "%s in all", all);
	put_tile(t, "To HIP hosts", value, below);
	pageplot_bits(pageplot_rate(s, SAMPLE_IN_BYTES, 1) * 8, value);
	octets(m->in_bytes, all);
	(void)snprintf(below, sizeof(below), "%s in all", all);
	put_tile(t, "From HIP hosts", value, below);
	pageplot_number(pageplot_rate(s, SAMPLE_DROPS, REASON_STAGE_NUM),
			value);
	(void)snprintf(below, sizeof(below), "%" PRIu64 " in all", drops(s));
	put_tile(t, "Drops", value, below);
}

static void put_number(struct textout *t, const char *title, uint64_t n,
		       const char *below)
{
	char value[32];

	(void)snprintf(value, sizeof(value), "%" PRIu64, n);
	put_tile(t, title, value, below);
}

static void put_tiles(const struct snapshot *s, struct textout *t)
{
	char below[64];
	char age[32];

	textout(t, "<section class=\"tiles\">");
	put_rates(s, t);
	duration(s->keyed ? since(s, s->keyed) : 0, age);
	cut_words(age, 2); /* "2 min" says enough */
	(void)snprintf(below, sizeof(below), "oldest keys %s", age);
	put_number(t, "Associations", established(s),
		   s->keyed ? below : "none in use");
	if (s->proxy) {
		(void)snprintf(below, sizeof(below), "%" PRIu64 " addresses",
			       s->mappings);
		put_number(t, "Mappings", s->leases, below);
		(void)snprintf(below, sizeof(below),
			       "%" PRIu64 " TCP, %" PRIu64 " UDP, %" PRIu64
			       " ping",
			       s->nat.tcp, s->nat.udp, s->nat.icmp);
		put_number(t, "Flows", s->nat.tcp + s->nat.udp + s->nat.icmp,
			   below);
	}
	if (s->rendezvous)
		put_number(t, "Registered here", s->registrations, "hosts");
	(void)snprintf(below, sizeof(below), "puzzle %u bits", s->puzzle_k);
	put_number(t, "Path MTU", s->meter.pmtu, below);
	textout(t, "</section>");
}

/* ---- lists --------------------------------------------------------------------- */

static void put_mapping(const struct snapshot_mapping *m, struct textout *t)
{
	textout(t, "<tr><td data-l=\"Name\"><b>");
	textout_html(t, m->name[0] ? m->name : "?");
	textout(t, "</b></td><td data-l=\"Substitute\"><div>");
	put_addr(t, &m->sub6);
	put_addr(t, &m->sub4);
	textout(t, "</div></td><td data-l=\"HIT\">");
	put_hit(t, &m->hit);
	textout(t, "</td><td data-l=\"%s\"><div>",
		m->via_rvs ? "Agent" : "Where");
	put_endpoint(t, &m->at);
	if (m->via_rvs)
		textout(t, "<small>its agent</small>");
	textout(t, "</div></td><td data-l=\"State\"><div>");
	put_state(t, m->state);
	if (m->parked)
		textout(t, "<br><small>%u wait</small>", m->parked);
	textout(t, "</div></td></tr>");
}

static void put_mappings(const struct snapshot *s, struct textout *t)
{
	if (!s->proxy)
		return;
	textout(t, "<section class=\"card\"><h2>Mappings<small>names of HIP "
		   "hosts and the addresses that stand for them</small></h2>");
	if (!s->mapping_num)
		textout(t, "<p>Nobody has asked for a HIP host yet.</p>");
	else
		textout(t, "<div class=\"wide\"><table class=\"rows\"><thead>"
			   "<tr><th>Name</th><th>Substitute</th><th>HIT</th>"
			   "<th>Where</th><th>State</th></tr></thead><tbody>");
	for (size_t i = 0; i < s->mapping_num; i++)
		put_mapping(&s->mapping[i], t);
	if (s->mapping_num)
		textout(t, "</tbody></table></div>");
	put_more(t, s->leases, s->mapping_num, "mappings");
	textout(t, "</section>");
}

static void put_path(const struct snapshot_peer *r, struct textout *t)
{
	textout(t, "<td data-l=\"Path\"><div>");
	put_endpoint(t, &r->p.peer_at);
	if (r->p.checking)
		textout(t, "<small>looking for a path</small>");
	else if (r->mtu)
		textout(t, "<small>%s</small>",
			r->p.verified ? "verified" : "not verified yet");
	if (r->p.has_via) {
		textout(t, "<small>, met by way of</small>");
		put_endpoint(t, &r->p.via);
	}
	textout(t, "</div></td><td class=\"n\" data-l=\"Round trip\">");
	if (r->rtt_us)
		textout(t, "%.1f ms", r->rtt_us / 1e3);
	textout(t, "</td><td class=\"n\" data-l=\"MTU\">");
	if (r->mtu)
		textout(t, "%u", r->mtu);
	textout(t, "</td>");
}

static void put_peer(const struct snapshot *s, const struct snapshot_peer *r,
		     struct textout *t)
{
	char text[32];

	textout(t, "<tr><td data-l=\"HIP host\"><div>");
	if (r->name[0]) {
		textout(t, "<b>");
		textout_html(t, r->name);
		textout(t, "</b>");
	}
	put_hit(t, &r->p.peer);
	textout(t, "</div></td><td data-l=\"State\"><div>");
	put_state(t, r->p.state);
	duration(since(s, r->p.since), text);
	textout(t, "<br><small>%s, we %s</small></div></td>", text,
		r->p.initiator ? "began" : "answered");
	put_path(r, t);
	octets(r->out_bytes, text);
	textout(t, "<td class=\"n\" data-l=\"Sent\">%s</td>", text);
	octets(r->in_bytes, text);
	textout(t, "<td class=\"n\" data-l=\"Received\">%s</td></tr>", text);
}

static void put_peers(const struct snapshot *s, struct textout *t)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < HIP_STATE_NUM; i++)
		for (unsigned p = 0; p < SNAPSHOT_PATH_NUM; p++)
			all += s->assocs[i][p][0] + s->assocs[i][p][1];
	textout(t, "<section class=\"card\"><h2>Peers and paths<small>HIP "
		   "associations, and what their SA has carried</small></h2>");
	if (!s->peer_num)
		textout(t, "<p>No association with a HIP host yet.</p>");
	else
		textout(t, "<div class=\"wide\"><table class=\"rows\"><thead>"
			   "<tr><th>HIP host</th><th>State</th><th>Path</th>"
			   "<th class=\"n\">Round trip</th><th class=\"n\">MTU"
			   "</th><th class=\"n\">Sent</th><th class=\"n\">"
			   "Received</th></tr></thead><tbody>");
	for (size_t i = 0; i < s->peer_num; i++)
		put_peer(s, &s->peer[i], t);
	if (s->peer_num)
		textout(t, "</tbody></table></div>");
	put_more(t, all, s->peer_num, "peers");
	textout(t, "</section>");
}

/* ---- drops --------------------------------------------------------------------- */

enum { DROPS_SHOWN = 12 };

static void put_drop(const struct snapshot *s, enum reason r, struct textout *t)
{
	textout(t,
		"<tr><td data-l=\"Reason\"><b>%s</b></td>"
		"<td data-l=\"Where\">%s</td><td data-l=\"Why\">%s</td>"
		"<td class=\"n\" data-l=\"Packets\">%" PRIu64 "</td></tr>",
		reason_name(r), reason_stage_name(reason_stage(r)),
		reason_why(r), s->drops[r]);
}

/* The most frequent first. */
static void put_drops(const struct snapshot *s, struct textout *t)
{
	bool shown[REASON_NUM] = { false };

	textout(t, "<section class=\"card\"><h2>Drops by reason<small>since "
		   "the start</small></h2>");
	if (!drops(s)) {
		textout(t, "<p>None.</p></section>");
		return;
	}
	textout(t, "<div class=\"wide\"><table class=\"rows\"><thead><tr>"
		   "<th>Reason</th><th>Where</th><th>Why</th><th class=\"n\">"
		   "Packets</th></tr></thead><tbody>");
	for (unsigned i = 0; i < DROPS_SHOWN; i++) {
		unsigned best = REASON_NUM;

		for (unsigned r = 0; r < REASON_NUM; r++) {
			if (!shown[r] && s->drops[r] &&
			    (best == REASON_NUM ||
			     s->drops[r] > s->drops[best]))
				best = r;
		}
		if (best == REASON_NUM)
			break;
		shown[best] = true;
		put_drop(s, (enum reason)best, t);
	}
	textout(t, "</tbody></table></div></section>");
}

/* ---- the whole ----------------------------------------------------------------- */

void page_render(const struct snapshot *s, unsigned choice, struct textout *t)
{
	textout(t, "<!DOCTYPE html><html lang=\"en\"><head>"
		   "<meta charset=\"utf-8\"><meta name=\"viewport\" "
		   "content=\"width=device-width,initial-scale=1\">"
		   "<meta name=\"color-scheme\" content=\"light dark\">");
	if (!(choice & PAGE_STILL))
		textout(t, "<meta http-equiv=\"refresh\" content=\"%d\">",
			PAGE_REFRESH_S);
	textout(t, "<title>%s: hipgate</title><style>%s</style></head><body>",
		s->ready ? "ready" : "not ready", page_style);
	put_header(s, choice, t);
	textout(t, "<main>");
	if (!s->ready) {
		textout(t, "<p class=\"fault\">");
		textout_html(t, s->why);
		textout(t, "</p>");
	}
	put_tiles(s, t);
	pageplot_all(s, choice & PAGE_HOUR, t);
	put_mappings(s, t);
	put_peers(s, t);
	pageladder_all(s, t);
	put_drops(s, t);
	textout(t, "</main><footer>%s</footer></body></html>\n",
		choice & PAGE_STILL
			? "This page holds still. Nothing can be changed here."
			: "Loads itself anew each 10 s. Nothing can be changed "
			  "here.");
}

void page_policy(char *out, size_t cap)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(sizeof(hash),
					    sodium_base64_VARIANT_ORIGINAL)];

	(void)crypto_hash_sha256(hash, (const uint8_t *)page_style,
				 strlen(page_style));
	(void)sodium_bin2base64(text, sizeof(text), hash, sizeof(hash),
				sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(out, cap,
		       "default-src 'none'; style-src 'sha256-%s'; base-uri "
		       "'none'; form-action 'none'; frame-ancestors 'none'",
		       text);
}
