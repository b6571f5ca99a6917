/* SPDX-License-Identifier: MIT */
/* Recorded questions and answers (test/golden): each must come to the octets
 * that stand there, whatever the order in which servers answer, and the same
 * once more from what is remembered. */
#include "desk.h"
#include "golden.h"

static const char *const files[] = {
	"golden/addresses.txt", "golden/relayed.txt",	"golden/types.txt",
	"golden/policy.txt",	"golden/validated.txt", "golden/local.txt",
	"golden/clients.txt",	"golden/servers.txt",
};

#define FILES (sizeof(files) / sizeof(files[0]))
#define CASES_LEAST 200
#define ROUNDS_MAX 64

enum order { FORWARD, BACKWARD, OWN_LAST, OWN_FIRST, ORDER_NUM };

struct game {
	struct desk k;
	struct golden_case *c;
	enum order order;
	uint64_t now;
	size_t done[DESK_EFFECTS]; /* asks that were answered, by place */
	size_t done_num;
	const struct golden_part *own; /* what the client's query got */
	bool host_seen;
	char wrong[1024];
};

static void complain(struct game *g, const char *what, const char *more)
{
	if (!g->wrong[0])
		snprintf(g->wrong, sizeof(g->wrong), "%s %s", what, more);
}

/* ---- the case's configuration --------------------------------------------- */

struct setting {
	struct dns_config cfg;
	struct dns_rule rules[4];
	struct dns_record record;
	bool has_record;
	char pin[DNS_NAME_MAX];
	char lease_name[DNS_NAME_MAX];
	struct hit lease_hit;
};

static enum dns_mode mode_of(const char *word)
{
	return strcmp(word, "require") == 0 ? DNS_REQUIRE
	       : strcmp(word, "off") == 0   ? DNS_OFF
					    : DNS_PREFER;
}

static enum dns_validating validating_of(const char *word)
{
	static const char *const words[DNS_VALIDATING_NUM] = {
		[DNS_VALIDATING_AUTO] = "auto",
		[DNS_VALIDATING_BYPASS] = "bypass",
		[DNS_VALIDATING_SYNTHESIZE] = "synthesize",
		[DNS_VALIDATING_REFUSE] = "refuse",
	};
	unsigned i = 0;

	while (i < DNS_VALIDATING_NUM && strcmp(words[i], word) != 0)
		i++;
	ck_assert_uint_lt(i, DNS_VALIDATING_NUM);
	return (enum dns_validating)i;
}

/* "record NAME HIT ADDRESS..." */
static void set_record(struct setting *s, char *rest)
{
	struct dns_record *r = &s->record;
	char *word = strtok(rest, " ");

	snprintf(r->name, sizeof(r->name), "%s", word);
	ck_assert_int_eq(hit_parse(strtok(NULL, " "), &r->hit), 0);
	while ((word = strtok(NULL, " ")))
		r->at[r->at_num++] = desk_addr(word);
	s->has_record = true;
}

static void set_one(struct setting *s, const char *line)
{
	char text[GOLDEN_LINE];
	char *key = strcpy(text, line);
	char *rest = strchr(text, ' ');
	struct dns_config *cfg = &s->cfg;

	if (rest)
		*rest++ = '\0';
	if (strcmp(key, "hip") == 0) {
		s->rules[0].mode = mode_of(rest);
	} else if (strcmp(key, "policy") == 0) { /* PATTERN MODE */
		struct dns_rule *r = &s->rules[cfg->rules_num++];

		snprintf(r->pattern, sizeof(r->pattern), "%s",
			 strtok(rest, " "));
		r->mode = mode_of(strtok(NULL, " "));
	} else if (strcmp(key, "dnssec-client") == 0) {
		cfg->validating = validating_of(rest);
	} else if (strcmp(key, "dnssec") == 0) {
		cfg->dnssec = strcmp(rest, "require") == 0 ? DNS_DNSSEC_REQUIRE
							   : DNS_DNSSEC_PREFER;
	} else if (strcmp(key, "hide") == 0) {
		cfg->hide = true;
	} else if (strcmp(key, "discourage") == 0) {
		cfg->discourage = true;
	} else if (strcmp(key, "no-pool4") == 0) {
		cfg->pool4.len = 0;
	} else if (strcmp(key, "no-pool6") == 0) {
		cfg->pool6.len = 0;
	} else if (strcmp(key, "ttl") == 0) {
		cfg->ttl_max = (uint32_t)atoi(rest);
	} else if (strcmp(key, "pin") == 0) {
		snprintf(s->pin, sizeof(s->pin), "%s", rest);
	} else if (strcmp(key, "record") == 0) {
		set_record(s, rest);
	} else if (strcmp(key, "lease") == 0) { /* HIT NAME */
		ck_assert_int_eq(hit_parse(strtok(rest, " "), &s->lease_hit),
				 0);
		snprintf(s->lease_name, sizeof(s->lease_name), "%s",
			 strtok(NULL, " "));
	} else {
		ck_abort_msg("config %s", line);
	}
}

static void open_game(struct game *g)
{
	struct setting s = { .rules = { { "*", DNS_PREFER } } };
	struct lease_config lc = { .max = 16 }; /* a site key of zeros */
	struct lease_entry e;
	struct hit pinned = desk_hit(99);
	struct lease *lease;
	bool fresh;

	s.cfg.rules = s.rules;
	s.cfg.rules_num = 1;
	s.cfg.pool6 = desk_prefix("2001:db8:401::/64");
	s.cfg.pool4 = desk_prefix("198.18.0.0/24");
	for (size_t i = 0; i < g->c->config_num; i++)
		set_one(&s, g->c->config[i]);
	lc.pool6 = s.cfg.pool6;
	lc.pool4 = s.cfg.pool4;
	ck_assert_int_eq(lease_new(&lc, &lease), 0);
	if (s.lease_name[0])
		ck_assert_int_eq(lease_get(lease, &s.lease_hit, s.lease_name,
					   &e, &fresh),
				 0);
	s.cfg.lease = lease;
	desk_open_with(&g->k, &s.cfg);
	g->k.lease = lease;
	g->k.who.tcp = g->c->tcp;
	if (s.pin[0])
		ck_assert_int_eq(dns_pin(g->k.d, s.pin, &pinned), 0);
	if (s.has_record)
		ck_assert_int_eq(dns_set_records(g->k.d, &s.record, 1), 0);
}

static void close_game(struct game *g)
{
	desk_close(&g->k);
	lease_free(g->k.lease);
}

/* ---- what the servers say ------------------------------------------------- */

static const char *type_text(uint16_t type, char out[16])
{
	static const struct {
		uint16_t type;
		const char *text;
	} known[] = {
		{ 1, "A" },
		{ 28, "AAAA" },
		{ 55, "HIP" },
	};

	snprintf(out, 16, "TYPE%u", type);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == type)
			snprintf(out, 16, "%s", known[i].text);
	return out;
}

/* The client's own query; or our question, once more and without its EDNS,
 * for the same. */
static bool is_own(const struct dns_effect *e, const struct golden_case *c)
{
	if (e->kind != DNS_ASK)
		return false;
	return desk_is_own(e, c->query.b, c->query.len) ||
	       (e->msg[11] == 0 && e->msg_len < c->query.len &&
		memcmp(e->msg + SCAN_HEADER, c->query.b + SCAN_HEADER,
		       e->msg_len - SCAN_HEADER) == 0);
}

/* The part that answers this ask; NULL: there is none. */
static struct golden_part *part_of(struct game *g, const struct dns_effect *e)
{
	struct golden_case *c = g->c;
	bool own = is_own(e, c);
	char type[16];

	type_text(e->qtype, type);
	for (size_t i = 0; i < c->parts_num; i++) {
		struct golden_part *p = &c->parts[i];
		bool for_own = strcmp(p->name, "own") == 0;

		if ((p->kind == GOLDEN_VALIDATOR) != (e->kind == DNS_VALIDATE))
			continue;
		if (p->kind == GOLDEN_SERVER &&
		    (strcmp(p->how, "tcp") == 0) != e->tcp)
			continue;
		if (own == for_own && (own || (strcmp(p->name, e->name) == 0 &&
					       strcmp(p->type, type) == 0)))
			return p;
	}
	return NULL;
}

static bool is_open(const struct game *g, size_t at)
{
	const struct dns_effect *e = &g->k.got[at].e;

	if (e->kind != DNS_ASK && e->kind != DNS_VALIDATE)
		return false;
	for (size_t i = 0; i < g->done_num; i++)
		if (g->done[i] == at)
			return false;
	for (size_t i = at; i < g->k.num; i++)
		if (g->k.got[i].e.kind == DNS_ASK_DONE &&
		    g->k.got[i].e.ask == e->ask)
			return false;
	return true;
}

/* Which of two parts is given first. */
static bool comes_before(const struct game *g, const struct golden_part *a,
			 const struct golden_part *b)
{
	bool own_a = strcmp(a->name, "own") == 0;
	bool own_b = strcmp(b->name, "own") == 0;

	if (g->order == BACKWARD)
		return a > b;
	if (g->order == OWN_LAST && own_a != own_b)
		return own_b;
	if (g->order == OWN_FIRST && own_a != own_b)
		return own_a;
	return a < b;
}

static void hand_over(struct game *g, const struct dns_effect *e,
		      const struct golden_part *p)
{
	static const struct {
		const char *word;
		enum dns_security security;
	} verdicts[] = {
		{ "insecure", DNS_INSECURE },
		{ "secure", DNS_SECURE },
		{ "bogus", DNS_BOGUS },
	};
	struct desk *k = &g->k;

	if (strcmp(p->fate, "refused") == 0) {
		dns_ask_refused(k->d, e->ask);
		return;
	}
	if (strcmp(p->fate, "failed") == 0) {
		dns_ask_failed(k->d, e->ask, g->now);
		return;
	}
	ck_assert_uint_le(p->msg.len, sizeof(k->buf));
	memcpy(k->buf, p->msg.b, p->msg.len);
	if (p->msg.len >= 2)
		memcpy(k->buf, e->msg, 2); /* its id */
	if (p->kind == GOLDEN_SERVER)
		dns_answer(k->d, e->ask, &e->server, k->buf, p->msg.len,
			   g->now);
	for (unsigned i = 0; p->kind == GOLDEN_VALIDATOR && i < 3; i++)
		if (strcmp(verdicts[i].word, p->how) == 0)
			dns_validated(k->d, e->ask, verdicts[i].security,
				      k->buf, p->msg.len, g->now);
}

/* Answers the ask whose turn it is; false: none can be answered. */
static bool answer_one(struct game *g)
{
	struct golden_part *best = NULL;
	size_t best_at = 0;

	for (size_t i = 0; i < g->k.num; i++) {
		struct golden_part *p;

		if (!is_open(g, i))
			continue;
		p = part_of(g, &g->k.got[i].e);
		/* A server's trial (deaf.h): it is silent. */
		if (!p && desk_is_chance(g->k.got[i].e.name))
			continue;
		if (!p) {
			char type[16];

			complain(g, g->k.got[i].e.name,
				 type_text(g->k.got[i].e.qtype, type));
			complain(g, "that is asked", "without an answer");
			return false;
		}
		p->used = true;
		if (strcmp(p->fate, "silent") != 0 &&
		    (!best || comes_before(g, p, best))) {
			best = p;
			best_at = i;
		}
	}
	if (!best)
		return false;
	if (strcmp(best->name, "own") == 0)
		g->own = best;
	g->done[g->done_num++] = best_at;
	hand_over(g, &g->k.got[best_at].e, best);
	desk_drain(&g->k);
	return true;
}

/* ---- the daemon's part ------------------------------------------------------ */

static void check_host(struct game *g, const struct dns_host *h)
{
	char text[GOLDEN_LINE];
	char a[ADDR_TEXT_MAX];

	hit_print(&h->hit, a);
	snprintf(text, sizeof(text), "%s%s", a, h->via_rvs ? " rvs" : "");
	for (size_t i = 0; i < h->locators_num; i++) {
		strcat(text, " ");
		strcat(text, addr_print(&h->locators[i], a));
	}
	if (strcmp(text, g->c->host) != 0)
		complain(g, "found:", text);
	g->host_seen = true;
}

static bool give_one(struct game *g)
{
	struct lease_entry e;
	bool fresh;

	for (size_t i = 0; i < g->k.num; i++) {
		struct dns_effect *n = &g->k.got[i].e;

		if (n->kind != DNS_NEED_ADDRESS)
			continue;
		n->kind = DNS_EFFECT_NUM; /* only once */
		check_host(g, n->host);
		if (g->c->give[0]) {
			dns_give(g->k.d, n->question, HG_EFULL, &addr_any6,
				 &addr_any6, g->c->give, g->now);
		} else {
			ck_assert_int_eq(lease_get(g->k.lease, &n->host->hit,
						   n->host->name, &e, &fresh),
					 0);
			dns_give(g->k.d, n->question, 0, &e.sub6, &e.sub4, NULL,
				 g->now);
		}
		desk_drain(&g->k);
		return true;
	}
	return false;
}

/* ---- the reply --------------------------------------------------------------- */

static void hex(const uint8_t *b, size_t len, char *out, size_t cap)
{
	size_t used = 0;

	for (size_t i = 0; i < len && used + 3 < cap; i++)
		used += (size_t)snprintf(out + used, cap - used, "%02x", b[i]);
}

static void check_octets(struct game *g, const struct dns_effect *e,
			 const struct golden_octets *want, bool own)
{
	char text[900] = "";
	bool same = e->msg_len == want->len;

	for (size_t i = 0; same && i < want->len; i++) {
		uint8_t v = want->b[i];

		if (own && i < 2) /* only the id is the client's */
			v = g->c->query.b[i];
		same = want->any[i] || e->msg[i] == v;
	}
	if (same)
		return;
	hex(e->msg, e->msg_len, text, sizeof(text));
	complain(g, own ? "not as the server said:" : "reply:", text);
}

static void check_reply(struct game *g)
{
	const struct dns_effect *e = desk_last(&g->k, DNS_REPLY);
	bool own = strcmp(g->c->reply, "own") == 0;

	if (strcmp(g->c->reply, "none") == 0) {
		if (e)
			complain(g, "a reply", "where none was expected");
	} else if (!e) {
		complain(g, "no reply", "");
	} else if (desk_count(&g->k, DNS_REPLY) != 1) {
		complain(g, "more than one reply", "");
	} else if (own && !g->own) {
		complain(g, "the server was not asked", "");
	} else {
		check_octets(g, e, own ? &g->own->msg : &g->c->want, own);
	}
	if ((g->c->host[0] != '\0') != g->host_seen)
		complain(g, "host:", g->host_seen ? "found" : "not found");
	if (dns_pending(g->k.d))
		complain(g, "a question is left", "");
	if (desk_count(&g->k, DNS_ASK) + desk_count(&g->k, DNS_VALIDATE) !=
	    desk_count(&g->k, DNS_ASK_DONE))
		complain(g, "an ask is left", "");
}

/* ---- playing ----------------------------------------------------------------- */

static void play(struct game *g)
{
	unsigned rounds = 0;
	uint64_t next;

	desk_forget(&g->k);
	g->done_num = 0;
	g->own = NULL;
	g->host_seen = false;
	dns_query(g->k.d, &g->k.who, g->c->query.b, g->c->query.len, g->now);
	desk_drain(&g->k);
	while (!g->wrong[0] && rounds++ < ROUNDS_MAX) {
		if (give_one(g) || answer_one(g))
			continue;
		next = dns_deadline(g->k.d);
		if (next == UINT64_MAX)
			break;
		g->now = next;
		dns_tick(g->k.d, g->now);
		desk_drain(&g->k);
	}
	check_reply(g);
}

static void check_used(struct game *g)
{
	for (size_t i = 0; i < g->c->parts_num; i++)
		if (!g->c->parts[i].used)
			complain(g, "was not asked for:", g->c->parts[i].name);
}

/* Returns how many ways of asking went wrong. */
static unsigned play_all(struct golden_case *c, const char *path)
{
	static const char *const said[ORDER_NUM] = { "in the file's order",
						     "in reverse",
						     "its own last",
						     "its own first" };
	unsigned bad = 0;

	for (enum order o = 0; o < ORDER_NUM; o++) {
		struct game g = { .c = c, .order = o, .now = SEC };
		const char *again = "";

		open_game(&g);
		play(&g);
		if (!g.wrong[0]) {
			play(&g);
			again = " and once more";
		}
		if (o == FORWARD)
			check_used(&g);
		close_game(&g);
		if (!g.wrong[0])
			continue;
		bad++;
		fprintf(stderr, "%s:%u: %s (%s%s): %s\n", path, c->line,
			c->title, said[o], again, g.wrong);
	}
	return bad;
}

START_TEST(each_file)
{
	struct golden_file f;
	struct golden_case c;
	unsigned bad = 0;
	unsigned num = 0;

	golden_open(&f, files[_i]);
	while (golden_next(&f, &c)) {
		bad += play_all(&c, files[_i]);
		num++;
		golden_free(&c);
	}
	fclose(f.f);
	ck_assert_msg(bad == 0, "%s: %u of %u", files[_i], bad,
		      num * ORDER_NUM);
	ck_assert_uint_gt(num, 0);
}
END_TEST

START_TEST(there_are_enough)
{
	struct golden_file f;
	struct golden_case c;
	unsigned num = 0;

	for (size_t i = 0; i < FILES; i++) {
		golden_open(&f, files[i]);
		while (golden_next(&f, &c)) {
			num++;
			golden_free(&c);
		}
		fclose(f.f);
	}
	ck_assert_uint_ge(num, CASES_LEAST);
}
END_TEST

Suite *test_recorded_suite(void)
{
	Suite *s = suite_create("recorded");
	TCase *tc = tcase_create("recorded");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_file, 0, FILES);
	tcase_add_test(tc, there_are_enough);
	suite_add_tcase(s, tc);
	return s;
}
