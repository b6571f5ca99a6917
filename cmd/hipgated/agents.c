/* SPDX-License-Identifier: MIT */
/* Our own registrations; see agents.h. */
#include "agents.h"

#include <stdio.h>
#include <string.h>

#include "confdiff.h"
#include "core/log.h"
#include "gate.h"
#include "jsonof.h"

#define LOG_ABOUT LOG_SUB_HIP

#define ASK_AGAIN UINT64_C(30000000000) /* ns */
#define SECOND UINT64_C(1000000000)

_Static_assert((int)CONFIG_REGISTER_ADDRS == HIP_LOCATORS_MAX,
	       "as many addresses as hip takes");

/* ---- why not ------------------------------------------------------------- */

/* Whom a mend is about. */
enum mend {
	MEND_NONE,
	MEND_ALLOW,   /* the agent's allow list */
	MEND_SERVICE, /* its roles */
	MEND_ROOM,    /* its size */
	MEND_ANEW,    /* our association */
	MEND_ITS_LOG, /* it knows more than we do */
	MEND_THE_WAY, /* to it, and who is there */
};

static const struct refusal {
	uint16_t why;
	const char *event;
	const char *name; /* stable */
	const char *text;
	enum mend mend;
} refusals[] = {
	{ 0, "register-refused", "no-credentials",
	  "it does not know this host (failure type 0)", MEND_ALLOW },
	{ 1, "register-refused", "unavailable",
	  "it does not have that service (failure type 1)", MEND_SERVICE },
	{ 2, "register-refused", "no-resources",
	  "it has no room for another client (failure type 2)", MEND_ROOM },
	{ 9, "register-refused", "other-service",
	  "this association is for its other service (failure type 9)",
	  MEND_ANEW },
	{ HIP_REFUSED_SILENT, "register-refused", "silent",
	  "it answers, and says nothing of it", MEND_ITS_LOG },
	{ HIP_REFUSED_OFFER, "register-refused", "not-offered",
	  "it does not offer that service", MEND_SERVICE },
	{ HIP_REFUSED_CANCELLED, "register-refused", "cancelled",
	  "it has ended the registration", MEND_ALLOW },
	{ HIP_REFUSED_UNREACHED, "register-unanswered", "unanswered",
	  "the base exchange with it failed", MEND_THE_WAY },
	{ HIP_REFUSED_LOST, "register-lost", "lost",
	  "the association with it has ended; it is asked again", MEND_NONE },
	{ AGENTS_NO_WORD, "", "asked", "it is being asked", MEND_THE_WAY },
};

/* Types 3 to 8 are of certificates, which we do not have. */
static const struct refusal other = { 0, "register-refused", "other",
				      "it wants something that this version "
				      "does not have",
				      MEND_ALLOW };

static const struct refusal *refusal_of(uint16_t why)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].why == why)
			return &refusals[i];
	}
	return &other;
}

/* One line; "": there is nothing to do. */
static const char *mend(const struct gate *g, size_t i, char *out, size_t cap)
{
	const struct config_register *r = &g->cfg->reg[i];
	const struct agent *a = &g->agents.v[i];
	const struct hit *self = hip_default_hit(g->hip);
	char us[ADDR_TEXT_MAX] = "?";
	char hit[ADDR_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX];

	if (!hit_is_null(&a->self))
		self = &a->self;
	if (self)
		hit_print(self, us);
	hit_print(&a->hit, hit);
	endpoint_print(&r->at[0], at);
	out[0] = '\0';
	switch (refusal_of(a->refusal)->mend) {
	case MEND_NONE:
		break;
	case MEND_ALLOW:
		(void)snprintf(out, cap, "there: allow = %s in [rendezvous]",
			       us);
		break;
	case MEND_SERVICE:
		(void)snprintf(out, cap,
			       "there: [rendezvous]%s; or here: another "
			       "[register]",
			       r->relay ? ", without relay = no" : "");
		break;
	case MEND_ROOM:
		(void)snprintf(out, cap, "register at another agent, too");
		break;
	case MEND_ANEW:
		(void)snprintf(out, cap, "systemctl restart hipgated");
		break;
	case MEND_ITS_LOG:
		(void)snprintf(out, cap, "look into its log; is %s an agent?",
			       hit);
		break;
	case MEND_THE_WAY:
		(void)snprintf(out, cap,
			       "let UDP port %u pass both ways to %s, and see "
			       "that hipgated runs there with [rendezvous] and "
			       "%s%s, and allows %s if it has an allow list",
			       (unsigned)r->at[0].port, at,
			       hit_is_null(&a->hit) ? "opportunistic = yes"
						    : "the HIT ",
			       hit_is_null(&a->hit) ? "" : hit, us);
		break;
	}
	return out;
}

static bool is_had(const struct gate *g, size_t i, uint64_t now)
{
	return g->agents.v[i].until > now;
}

bool agents_fault(const struct gate *g, uint64_t now, char *out, size_t cap)
{
	char at[ENDPOINT_TEXT_MAX];
	char how[384];

	for (size_t i = 0; i < g->cfg->reg_num; i++) {
		const struct refusal *why = refusal_of(g->agents.v[i].refusal);

		if (is_had(g, i, now))
			continue;
		(void)mend(g, i, how, sizeof(how));
		(void)snprintf(out, cap,
			       "not registered at %s, so nobody finds us "
			       "there: %s%s%s",
			       endpoint_print(&g->cfg->reg[i].at[0], at),
			       why->text, how[0] ? "; " : "", how);
		return true;
	}
	return false;
}

static const char *service_name(bool relay)
{
	return relay ? "relay" : "rendezvous";
}

static json_t *places(const struct config_register *r)
{
	json_t *a = json_array();

	for (size_t i = 0; i < r->at_num; i++)
		(void)json_array_append_new(a, jsonof_endpoint(&r->at[i]));
	return a;
}

json_t *agents_json(const struct gate *g, uint64_t now)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->cfg->reg_num; i++) {
		const struct config_register *r = &g->cfg->reg[i];
		const struct agent *a = &g->agents.v[i];
		const struct refusal *why = refusal_of(a->refusal);
		bool had = is_had(g, i, now);
		double left = had ? (double)(a->until - now) / 1e9 : 0;
		char how[384];

		(void)mend(g, i, how, sizeof(how));
		(void)json_array_append_new(
			list,
			json_pack("{s:o,s:b,s:o,s:s,s:b,s:f,s:s,s:s,s:s}",
				  "hit", jsonof_hit(&a->hit), "opportunistic",
				  (int)hit_is_null(&r->rvs), "at", places(r),
				  "service", service_name(r->relay),
				  "registered", (int)had, "expires_s", left,
				  "reason", had ? "" : why->name, "why",
				  had ? "" : why->text, "mend",
				  had ? "" : how));
	}
	return list;
}

/* ---- beginning and ending ------------------------------------------------ */

/* With whom it is; g->agents.v[i].hit says. */
static int begin_at(struct gate *g, size_t i, uint64_t now)
{
	const struct config_register *r = &g->cfg->reg[i];
	struct agent *a = &g->agents.v[i];
	const struct hit *self = hit_is_null(&a->self) ? NULL : &a->self;
	int err;

	if (r->relay)
		err = hip_register_relay(g->hip, self, &a->hit, &r->at[0],
					 r->lifetime_s, now);
	else
		err = hip_register(g->hip, self, &a->hit, &r->at[0],
				   r->lifetime_s, now);
	if (!err && r->at_num > 1)
		err = hip_register_at(g->hip, self, &a->hit, r->at, r->at_num,
				      now);
	return err;
}

static int ask(struct gate *g, size_t i, uint64_t now)
{
	const struct config_register *r = &g->cfg->reg[i];

	if (hit_is_null(&g->agents.v[i].hit))
		return hip_want_opportunistic(g->hip, NULL, &r->at[0], now);
	return begin_at(g, i, now);
}

/* Entry i is what the configuration has there. Where another section found
 * the agent, it knows whether it is had. */
static int begin(struct gate *g, size_t i, uint64_t now)
{
	const struct config_register *r = g->cfg->reg;
	struct agent *a = &g->agents.v[i];

	*a = (struct agent){ .hit = r[i].rvs, .refusal = AGENTS_NO_WORD };
	for (size_t k = 0; k < g->cfg->reg_num; k++) {
		const struct agent *b = &g->agents.v[k];

		if (k != i && !hit_is_null(&a->hit) &&
		    hit_eq(&a->hit, &b->hit) && r[k].relay == r[i].relay &&
		    b->until > a->until)
			a->until = b->until;
	}
	return ask(g, i, now);
}

int agents_start(struct gate *g, char *errbuf, size_t errlen)
{
	for (size_t i = 0; i < g->cfg->reg_num; i++) {
		int err = begin(g, i, uv_hrtime());

		if (!err)
			continue;
		(void)snprintf(errbuf, errlen, "registration: %s",
			       err_text(err));
		return err;
	}
	return HG_OK;
}

void agents_again(struct gate *g, uint64_t now)
{
	for (size_t i = 0; i < g->cfg->reg_num; i++) {
		struct agent *a = &g->agents.v[i];

		if (!a->ask_again || now < a->ask_again)
			continue;
		a->ask_again = ask(g, i, now) ? now + ASK_AGAIN : 0;
	}
}

/* Is there another section by which it is ours? */
static bool is_twice(const struct gate *g, size_t i)
{
	for (size_t k = 0; k < g->cfg->reg_num; k++) {
		if (k != i && hit_eq(&g->agents.v[k].hit, &g->agents.v[i].hit))
			return true;
	}
	return false;
}

static void end(struct gate *g, size_t i, uint64_t now)
{
	const struct agent *a = &g->agents.v[i];
	const struct hit *self = hit_is_null(&a->self) ? NULL : &a->self;
	char hit[ADDR_TEXT_MAX];

	if (hit_is_null(&a->hit))
		hip_unwant_opportunistic(g->hip, self, &g->cfg->reg[i].at[0]);
	else if (!is_twice(g, i) &&
		 hip_unregister(g->hip, self, &a->hit, now) == HG_OK)
		log_info("event=unregister rvs=%s", hit_print(&a->hit, hit));
}

/* Where `now` has the same section, or reg_num. */
static size_t section_of(const struct config *c, const struct hit *rvs)
{
	size_t i = 0;

	while (i < c->reg_num && !hit_eq(&c->reg[i].rvs, rvs))
		i++;
	return i;
}

/* Whoever was found at an address is asked as long as that is named. A
 * registration that is there is, until the engine says that it is not. */
static int go_on(struct gate *g, size_t i, uint64_t now)
{
	struct agent *a = &g->agents.v[i];
	int err = ask(g, i, now);

	a->ask_again = err && hit_is_null(&a->hit) ? now + ASK_AGAIN : 0;
	return err;
}

static void changed(struct gate *g, size_t i, const struct config_register *r)
{
	struct config_register *was = &g->cfg->reg[i];
	struct agent *a = &g->agents.v[i];
	bool is_new = was->at_num == 0;
	bool swapped = was->relay != r->relay;
	bool elsewhere =
		hit_is_null(&r->rvs) && !endpoint_eq(&was->at[0], &r->at[0]);
	uint64_t now = uv_hrtime();

	if (confdiff_same_register(was, r))
		return;
	/* The other service of an agent takes another wish, and who answers
	 * elsewhere may be another agent. */
	if (swapped || elsewhere) {
		end(g, i, now);
		a->until = 0;
		a->refusal = AGENTS_NO_WORD;
	}
	*was = *r;
	if (is_new || elsewhere ? begin(g, i, now) : go_on(g, i, now))
		log_error("event=register-failed text=\"it could not be "
			  "begun\"");
}

/* Whoever was found has a section of its own now: the leap of faith is over,
 * and the registration goes on. */
static bool is_pinned(struct gate *g, size_t i, const struct config *now)
{
	struct config_register *r = &g->cfg->reg[i];
	const struct hit *hit = &g->agents.v[i].hit;

	if (!hit_is_null(&r->rvs) || hit_is_null(hit) ||
	    section_of(now, hit) == now->reg_num ||
	    section_of(g->cfg, hit) < g->cfg->reg_num)
		return false;
	r->rvs = *hit;
	return true;
}

void agents_reload(struct gate *g, const struct config *now)
{
	struct config *c = g->cfg;
	size_t left = 0;

	for (size_t i = 0; i < c->reg_num; i++) {
		if (section_of(now, &c->reg[i].rvs) == now->reg_num &&
		    !is_pinned(g, i, now)) {
			end(g, i, uv_hrtime());
			g->agents.v[i] = (struct agent){ .until = 0 };
			continue;
		}
		c->reg[left] = c->reg[i];
		g->agents.v[left++] = g->agents.v[i];
	}
	c->reg_num = left;
	for (size_t i = 0; i < now->reg_num; i++) {
		size_t at = section_of(c, &now->reg[i].rvs);

		if (at == c->reg_num) {
			c->reg[c->reg_num++] = (struct config_register){
				.rvs = now->reg[i].rvs
			};
			g->agents.v[at] = (struct agent){ .until = 0 };
		}
		changed(g, at, &now->reg[i]);
	}
}

/* ---- what becomes of them ------------------------------------------------ */

/* Which of ours from `i` on the effect is about, or reg_num: one that answers
 * an opportunistic section may have another one, too. */
static size_t entry_of(const struct gate *g, const struct hip_effect *e,
		       size_t i)
{
	while (i < g->cfg->reg_num && !hit_eq(&g->agents.v[i].hit, &e->peer))
		i++;
	return i;
}

static void registered(struct gate *g, const struct hip_effect *e, uint64_t now)
{
	const char *service = service_name(e->relay);
	char hit[ADDR_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX];
	char seen[ENDPOINT_TEXT_MAX] = "";
	char by[ENDPOINT_TEXT_MAX] = "";

	for (size_t i = entry_of(g, e, 0); i < g->cfg->reg_num;
	     i = entry_of(g, e, i + 1)) {
		g->agents.v[i].until = now + e->lifetime_s * SECOND;
		g->agents.v[i].refusal = AGENTS_NO_WORD;
	}
	if (e->seen_at.port)
		endpoint_print(&e->seen_at, seen);
	if (e->relayed_at.port)
		endpoint_print(&e->relayed_at, by);
	endpoint_print(&e->peer_at, at);
	events_add(&g->events, now, "", "registered",
		   json_pack("{s:s,s:s,s:s,s:s,s:s,s:I}", "rvs",
			     hit_print(&e->peer, hit), "at", at, "service",
			     service, "seen_at", seen, "relayed_at", by,
			     "lifetime_s", (json_int_t)e->lifetime_s),
		   "registered at %s (%s) for %u s%s%s%s%s", at, service,
		   e->lifetime_s, seen[0] ? ", which sees us at " : "", seen,
		   by[0] ? " and relays to us from " : "", by);
}

static void unregistered(struct gate *g, const struct hip_effect *e,
			 uint64_t now)
{
	const struct refusal *why = refusal_of(e->refusal);
	size_t i = entry_of(g, e, 0);
	char hit[ADDR_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX];
	char how[384];

	if (i == g->cfg->reg_num)
		return; /* removed since */
	for (size_t k = i; k < g->cfg->reg_num; k = entry_of(g, e, k + 1)) {
		g->agents.v[k].until = 0;
		g->agents.v[k].refusal = e->refusal;
	}
	(void)mend(g, i, how, sizeof(how));
	endpoint_print(&e->peer_at, at);
	events_add(&g->events, now, "", why->event,
		   json_pack("{s:s,s:s,s:s,s:s,s:I,s:s}", "rvs",
			     hit_print(&e->peer, hit), "at", at, "service",
			     service_name(e->relay), "reason", why->name,
			     "code", (json_int_t)e->refusal, "mend", how),
		   "not registered at %s (%s): %s", at, service_name(e->relay),
		   why->text);
}

/* Opportunistic: a leap of faith, which the next start should not need. */
static void found(struct gate *g, const struct hip_effect *e, uint64_t now)
{
	struct agent *a = NULL;
	char hit[ADDR_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX];
	size_t i;

	for (i = 0; i < g->cfg->reg_num && !a; i++) {
		if (hit_is_null(&g->cfg->reg[i].rvs) &&
		    endpoint_eq(&g->cfg->reg[i].at[0], &e->peer_at))
			a = &g->agents.v[i];
	}
	if (!a)
		return; /* its section has gone meanwhile */
	hit_print(&e->peer, hit);
	endpoint_print(&e->peer_at, at);
	events_add(&g->events, now, "", "opportunistic",
		   json_pack("{s:s,s:s,s:b}", "peer", hit, "at", at,
			     "anonymous", (int)e->anonymous),
		   "%s answers at %s; nothing proves that it is the one you "
		   "mean: compare it with what hipgate status says there, then "
		   "pin it: [register %s] address = %s",
		   hit, at, hit, at);
	a->self = e->self;
	a->hit = e->peer;
	if (begin_at(g, i - 1, now))
		log_error("event=register-failed at=%s text=\"no room\"", at);
}

/* Nobody answered well at this address: it is asked again in a while. */
static void unanswered(struct gate *g, const struct endpoint *at, uint64_t now)
{
	for (size_t i = 0; i < g->cfg->reg_num; i++) {
		struct agent *a = &g->agents.v[i];

		if (!hit_is_null(&a->hit) ||
		    !endpoint_eq(&g->cfg->reg[i].at[0], at))
			continue;
		a->ask_again = now + ASK_AGAIN;
		a->refusal = HIP_REFUSED_UNREACHED;
	}
}

void agents_effect(struct gate *g, const struct hip_effect *e, uint64_t now)
{
	if (e->kind == HIP_REGISTERED)
		registered(g, e, now);
	else if (e->kind == HIP_UNREGISTERED)
		unregistered(g, e, now);
	else if (e->kind == HIP_FOUND)
		found(g, e, now);
	else if (e->kind == HIP_FAILED && hit_is_null(&e->peer))
		unanswered(g, &e->peer_at, now);
}
