/* SPDX-License-Identifier: MIT */
/* The search for how large outer packets may be on a path.
 * RFC 8899 (DPLPMTUD); sizes are octets of whole outer IP packets.
 *
 * THEORY OF OPERATION
 * One struct for each path, owned by one thread; it sends nothing and reads
 * no clock. Its owner tells it what the kernel believes of the route
 * (esp_pmtu_route), asks it now and then whether to send a probe
 * (esp_pmtu_step) and tells it of answers (esp_pmtu_ack). At rest there is
 * no probe (`probe` is 0); else one size is tried, up to three times.
 *
 * A round, once a minute while the path is used, begins with the size in
 * use. Answered: larger ones are tried, the route's first, then the largest,
 * then by halving; what did not pass is left out for ten minutes. Not answered: the
 * route's when it is smaller, else the base. What the kernel says of the
 * route may come from an ICMP error that anybody can forge: so it chooses
 * what is tried, never what is used, once a probe has been answered; and
 * sizes up to 1500 are tried whatever it says.
 *
 * A peer that has never answered leaves all as the route has it (RFC 8899
 * 5.2's DISABLED); one that has, and does not even at the base, is on the
 * floor (its ERROR): packets of the base that may be cut.
 */
#include "esp/esp.h"

enum {
	TRIES = 3,	   /* MAX_PROBES (5.1.2) */
	STEP = 8,	   /* to stop searching at */
	USUAL = 1500,	   /* what most links carry */
	NONE = UINT16_MAX, /* in `bad` */
};

#define WAIT_NS UINT64_C(1000000000)	 /* PROBE_TIMER (5.1.1): the least */
#define CONFIRM_NS UINT64_C(60000000000) /* CONFIRMATION_TIMER (5.1.1) */
#define FLOOR_NS UINT64_C(30000000000)
#define RAISE_NS UINT64_C(600000000000) /* PMTU_RAISE_TIMER (5.1.1) */

static uint16_t clamp(unsigned v, uint16_t least, uint16_t most)
{
	if (v < least)
		return least;
	return v > most ? most : (uint16_t)v;
}

void esp_pmtu_begin(struct esp_pmtu *p, unsigned route, unsigned most)
{
	*p = (struct esp_pmtu){
		.most = clamp(most, ESP_PMTU_BASE, NONE - 1),
		.bad = NONE,
		.by = ESP_PMTU_BY_ROUTE,
	};
	p->route = clamp(route, ESP_PMTU_BASE, p->most);
	p->size = p->route;
}

void esp_pmtu_route(struct esp_pmtu *p, unsigned route, uint64_t now)
{
	uint16_t before = p->route;

	p->route = clamp(route, ESP_PMTU_BASE, p->most);
	if (p->route == before)
		return;
	if (p->route > before)
		p->raise = now;
	if (p->by == ESP_PMTU_BY_ROUTE)
		p->size = p->route;
	if (!p->probe)
		p->due = now;
}

void esp_pmtu_doubt(struct esp_pmtu *p, uint64_t now)
{
	if (!p->probe && p->by == ESP_PMTU_BY_PROBE)
		p->due = now;
}

/* 0: none is worth it. */
static uint16_t next_larger(const struct esp_pmtu *p)
{
	uint16_t top = clamp(p->route, USUAL, NONE - 1);
	uint16_t limit; /* the least that is not tried */

	if (top > p->most)
		top = p->most;
	limit = p->bad <= top ? p->bad : (uint16_t)(top + 1);
	if (p->size < p->route && p->route < limit)
		return p->route;
	if (p->size < top && p->bad > top)
		return top;
	if (p->size + STEP >= limit)
		return 0;
	return (uint16_t)((p->size + limit) / 2);
}

static void try(struct esp_pmtu *p, uint16_t size, uint64_t now)
{
	p->probe = size;
	p->sent = 0;
	p->due = now;
}

static void rest(struct esp_pmtu *p, uint64_t until)
{
	p->probe = 0;
	p->sent = 0;
	p->due = until;
}

static void search(struct esp_pmtu *p, uint64_t now)
{
	uint16_t next = next_larger(p);

	if (next)
		try(p, next, now);
	else
		rest(p,
		     now + CONFIRM_NS < p->raise ? now + CONFIRM_NS : p->raise);
}

/* Nothing came back for the size that was tried. */
static void give_up(struct esp_pmtu *p, uint64_t now)
{
	uint16_t it = p->probe;

	if (it < p->bad)
		p->bad = it;
	if (it > p->size)
		search(p, now);
	else if (it > ESP_PMTU_BASE)
		try(p, p->route < it ? p->route : ESP_PMTU_BASE, now);
	else if (p->by == ESP_PMTU_BY_ROUTE)
		rest(p, p->raise);
	else {
		p->by = ESP_PMTU_BY_FLOOR;
		p->size = ESP_PMTU_BASE;
		rest(p, now + FLOOR_NS);
	}
}

bool esp_pmtu_late(const struct esp_pmtu *p, uint64_t now)
{
	return p->sent && now >= p->due;
}

bool esp_pmtu_step(struct esp_pmtu *p, bool used, uint64_t now)
{
	if (now < p->due || (!p->probe && !used))
		return false;
	if (!p->probe) {
		if (now >= p->raise) {
			p->bad = NONE;
			p->raise = now + RAISE_NS;
		}
		try(p, p->size, now);
	}
	if (p->sent == TRIES)
		give_up(p, now);
	if (!p->probe)
		return false;
	p->sent++;
	p->due = now + WAIT_NS;
	return true;
}

bool esp_pmtu_ack(struct esp_pmtu *p, uint64_t token, uint64_t now)
{
	if (!p->sent || token != p->token)
		return false;
	p->size = p->probe;
	p->by = ESP_PMTU_BY_PROBE;
	if (p->bad <= p->size)
		p->bad = NONE; /* the path is another now */
	search(p, now);
	return true;
}

const char *esp_pmtu_by_name(enum esp_pmtu_by by)
{
	static const char *const name[ESP_PMTU_BY_NUM] = { "route", "probe",
							   "floor" };

	return (unsigned)by < ESP_PMTU_BY_NUM ? name[by] : "?";
}
