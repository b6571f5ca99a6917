/* SPDX-License-Identifier: MIT */
/* The keys about DNS, and the hosts file.
 *
 * THEORY OF OPERATION
 * A record comes from a section [record NAME] or from a line of the file
 * that `hosts` names; both end as a struct config_record, and the daemon
 * makes no difference. A line of that file is words, parted by blanks: the
 * HIT, names, and in any order addresses and rvs=WHERE; what is behind a #
 * is a comment. That is HIPL's /etc/hip/hosts, and more.
 */
#include "cmd/config/config_dns.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/config/config_parse.h"
#include "cmd/config/config_value.h"

int config_dns_substitutes(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 16, LEASE_MAX, &n);

	if (!err)
		c->substitutes = (uint32_t)n;
	return err;
}

/* Less than a minute, and a client could still hold on to an address. */
int config_dns_keep(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 60, 86400, &n);

	if (!err)
		c->keep = (uint32_t)n;
	return err;
}

int config_dns_records(struct config *c, const char *v)
{
	static const char *const words[] = { "pass", "hide" };
	int i = config_value_word(v, words, 2);

	if (i < 0)
		return i;
	c->hide_records = i == 1;
	return HG_OK;
}

int config_dns_encrypted(struct config *c, const char *v)
{
	static const char *const words[] = { "discourage", "pass" };
	int i = config_value_word(v, words, 2);

	if (i < 0)
		return i;
	c->encrypted_dns = i == 1;
	return HG_OK;
}

const char *const config_dns_clients[DNS_VALIDATING_NUM] = {
	[DNS_VALIDATING_AUTO] = "auto",
	[DNS_VALIDATING_BYPASS] = "bypass",
	[DNS_VALIDATING_SYNTHESIZE] = "synthesize",
	[DNS_VALIDATING_REFUSE] = "refuse",
};

int config_dns_client(struct config *c, const char *v)
{
	int i = config_value_word(v, config_dns_clients, DNS_VALIDATING_NUM);

	if (i < 0)
		return i;
	c->validating = (enum dns_validating)i;
	return HG_OK;
}

/* ---- records ----------------------------------------------------------- */

static struct dns_record *last(struct config *c)
{
	return &c->records[c->records_num - 1].r;
}

/* A name in letters, digits, '-' and '_', in lower case and without a dot at
 * its end. */
static int name_take(const char *v, char out[DNS_NAME_MAX])
{
	size_t len = strlen(v);
	size_t label = 0;

	if (len > 1 && v[len - 1] == '.')
		len--;
	if (len == 0 || len > 253)
		return HG_EFORMAT;
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)v[i];

		label = ch == '.' ? 0 : label + 1;
		if (label > 63 || (ch == '.' && (i == 0 || v[i - 1] == '.')) ||
		    (ch != '.' && !isalnum(ch) && ch != '-' && ch != '_'))
			return HG_EFORMAT;
		out[i] = (char)tolower(ch);
	}
	out[len] = '\0';
	return HG_OK;
}

int config_dns_record(struct config *c, const char *arg)
{
	struct config_record *more;
	char name[DNS_NAME_MAX];

	if (name_take(arg, name))
		return HG_EFORMAT;
	for (size_t i = 0; i < c->records_num; i++) {
		if (strcmp(c->records[i].r.name, name) == 0)
			return HG_EEXIST;
	}
	if (c->records_num == CONFIG_RECORDS)
		return HG_EFULL;
	more = realloc(c->records, (c->records_num + 1) * sizeof(*more));
	if (!more)
		return HG_ENOMEM;
	c->records = more;
	memset(&more[c->records_num], 0, sizeof(*more));
	memcpy(more[c->records_num].r.name, name, sizeof(name));
	c->records_num++;
	return HG_OK;
}

int config_dns_hit(struct config *c, const char *v)
{
	return hit_parse(v, &last(c)->hit) ? HG_EFORMAT : HG_OK;
}

int config_dns_hi(struct config *c, const char *v)
{
	struct dns_record *r = last(c);
	size_t len;

	if (!r->pk_alg && strncmp(v, "rsa ", 4) == 0)
		r->pk_alg = 2; /* RFC 8005 5.2 */
	else if (!r->pk_alg && strncmp(v, "ecdsa ", 6) == 0)
		r->pk_alg = 3;
	else if (!r->pk_alg)
		return HG_EFORMAT;
	if (r->pk_len == 0)
		v += strcspn(v, " ");
	if (sodium_base642bin(r->pk + r->pk_len, sizeof(r->pk) - r->pk_len, v,
			      strlen(v), " \t", &len, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    len == 0)
		return HG_EFORMAT;
	r->pk_len = (uint16_t)(r->pk_len + len);
	return HG_OK;
}

static int locator(struct dns_record *r, const char *v)
{
	struct addr a;

	if (addr_parse(v, &a) || addr_is_unusable(&a))
		return HG_EFORMAT;
	for (size_t i = 0; i < r->at_num; i++) {
		if (addr_eq(&r->at[i], &a))
			return HG_EEXIST;
	}
	if (r->at_num == DNS_LOCATORS_MAX)
		return HG_EFULL;
	r->at[r->at_num++] = a;
	return HG_OK;
}

int config_dns_address(struct config *c, const char *v)
{
	/* HIP goes to one of the two; which is the administrator's to say. */
	if (last(c)->via_rvs)
		return HG_EFORMAT;
	return locator(last(c), v);
}

int config_dns_rvs(struct config *c, const char *v)
{
	struct dns_record *r = last(c);
	struct addr a;
	int err;

	if (!r->via_rvs && r->at_num)
		return HG_EFORMAT;
	r->via_rvs = true;
	if (addr_parse(v, &a) == HG_OK)
		return locator(r, v);
	if (r->rvs_num == DNS_RECORD_RVS)
		return HG_EFULL;
	err = name_take(v, r->rvs[r->rvs_num]);
	if (!err)
		r->rvs_num++;
	return err;
}

static int path(const char *v, char out[CONFIG_PATH])
{
	size_t len = strlen(v);

	if (len == 0 || len >= CONFIG_PATH)
		return HG_EFORMAT;
	memcpy(out, v, len + 1);
	return HG_OK;
}

int config_dns_hosts(struct config *c, const char *v)
{
	return path(v, c->hosts);
}

int config_dns_trust_anchor(struct config *c, const char *v)
{
	return path(v, c->trust_anchor);
}

const char *const config_dns_dnssecs[DNS_DNSSEC_NUM] = {
	[DNS_DNSSEC_OFF] = "off",
	[DNS_DNSSEC_PREFER] = "prefer",
	[DNS_DNSSEC_REQUIRE] = "require",
};

int config_dns_dnssec(struct config *c, const char *v)
{
	int i = config_value_word(v, config_dns_dnssecs, DNS_DNSSEC_NUM);

	if (i < 0)
		return i;
	c->dnssec = (enum dns_dnssec)i;
	return HG_OK;
}

static void check_record(struct config_parse *p, struct config_record *cr)
{
	struct dns_record *r = &cr->r;
	struct hit made;

	if (r->pk_len &&
	    hip_hit_of_dns_key(r->pk_alg, r->pk, r->pk_len, &made)) {
		config_parse_fail(p, cr->line,
				  "[record %s]: hi is no key; copy algorithm "
				  "and key out of its HIP record (\"hipgate "
				  "dns-record\")",
				  r->name);
	} else if (r->pk_len && hit_is_null(&r->hit)) {
		r->hit = made;
	} else if (r->pk_len && !hit_eq(&r->hit, &made)) {
		config_parse_fail(p, cr->line,
				  "[record %s]: hit is not that of hi; remove "
				  "the one that is wrong",
				  r->name);
	} else if (hit_is_null(&r->hit)) {
		config_parse_fail(p, cr->line,
				  "[record %s] says nothing of who it is; add "
				  "hit = HIT or hi = ALGORITHM KEY",
				  r->name);
	}
}

void config_dns_check(struct config_parse *p)
{
	struct config *c = p->c;

	if (c->dnssec != DNS_DNSSEC_OFF && !c->dns_servers_num)
		config_parse_fail(p, p->at[CONFIG_PROXY],
				  "dnssec = %s needs a server to ask; add "
				  "dns-server = ADDRESS",
				  config_dns_dnssecs[c->dnssec]);
	if (c->dnssec != DNS_DNSSEC_OFF && !c->trust_anchor[0])
		(void)snprintf(c->trust_anchor, sizeof(c->trust_anchor), "%s",
			       CONFIG_ROOT_KEY);
	for (size_t i = 0; i < c->records_num; i++) {
		if (!c->proxy)
			config_parse_fail(p, c->records[i].line,
					  "[record] serves the proxy only; add "
					  "[proxy] or remove it");
		check_record(p, &c->records[i]);
	}
}

/* ---- the hosts file ------------------------------------------------------ */

/* One line's words; why: what is wrong, with `word` it is about. */
struct hosts_line {
	struct config *c;
	size_t first;	       /* its first record */
	struct dns_record all; /* what holds for each name of the line */
	const char *why;
};

static void words_fail(struct hosts_line *l, const char *why)
{
	if (!l->why)
		l->why = why;
}

static void where_take(struct hosts_line *l, const char *word, bool rvs)
{
	struct config one = { .records_num = 1 };
	struct config_record r = { .r = l->all };
	int err;

	one.records = &r;
	err = rvs ? config_dns_rvs(&one, word) : config_dns_address(&one, word);
	l->all = r.r;
	if (err == HG_EEXIST)
		words_fail(l, "is there already; remove one");
	else if (err == HG_EFULL)
		words_fail(l, "is one too many; remove some");
	else if (err)
		words_fail(l, "is no address or name that HIP can be sent to, "
			      "or there is an address and an rvs; keep one "
			      "kind");
}

static void word_take(struct hosts_line *l, const char *word)
{
	struct addr a;
	int err;

	if (hit_is_null(&l->all.hit)) {
		if (hit_parse(word, &l->all.hit))
			words_fail(l, "is no HIT (inside 2001:20::/28); a "
				      "line is HIT NAME... [ADDRESS...]");
		return;
	}
	if (strncmp(word, "rvs=", 4) == 0) {
		where_take(l, word + 4, true);
		return;
	}
	if (addr_parse(word, &a) == HG_OK) {
		where_take(l, word, false);
		return;
	}
	err = config_dns_record(l->c, word);
	if (err == HG_EEXIST)
		words_fail(l, "has a record already; remove one");
	else if (err == HG_EFULL)
		words_fail(l, "is one name too many; at most 4096");
	else if (err)
		words_fail(l, "is no domain name");
}

/* Each name of the line has what the line says. */
static void line_end(struct hosts_line *l, unsigned line)
{
	for (size_t i = l->first; i < l->c->records_num; i++) {
		struct config_record *r = &l->c->records[i];
		char name[DNS_NAME_MAX];

		memcpy(name, r->r.name, sizeof(name));
		r->r = l->all;
		memcpy(r->r.name, name, sizeof(name));
		r->line = line;
	}
}

/* The file's text may hold anything. */
static void printable(char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
}

int config_dns_hosts_parse(struct config *c, const char *name, char *text,
			   char *errbuf, size_t errlen)
{
	char *rest = text;
	char *line;

	for (unsigned n = 1; (line = strsep(&rest, "\n")); n++) {
		struct hosts_line l = { .c = c, .first = c->records_num };
		char *word = NULL;
		char *save;

		line[strcspn(line, "#\r")] = '\0';
		for (char *w = strtok_r(line, " \t", &save); w && !l.why;
		     w = strtok_r(NULL, " \t", &save)) {
			word = w;
			word_take(&l, w);
		}
		if (word && !l.why && c->records_num == l.first)
			words_fail(&l, "has no name behind it; a line is HIT "
				       "NAME... [ADDRESS...]");
		if (l.why) {
			printable(word);
			(void)snprintf(errbuf, errlen, "%s:%u: \"%s\" %s", name,
				       n, word, l.why);
			return HG_EFORMAT;
		}
		line_end(&l, n);
	}
	return HG_OK;
}
