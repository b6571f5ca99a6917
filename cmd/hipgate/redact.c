/* SPDX-License-Identifier: MIT */
/* Names and addresses replaced by pseudonyms.
 *
 * THEORY OF OPERATION
 * A text is taken apart into words, at whatever cannot stand in an address, a
 * name or a key. A word that is a HIT, an address (with a port or a prefix
 * length), a name with a dot, or one that was said to be a name, is replaced
 * by its kind and the first octets of its keyed hash: the key is drawn anew
 * for each report and thrown away, so two reports cannot be compared, nor can
 * names be guessed. Long runs of hexadecimal digits or base64 that are none
 * of these could be keys, and go without a hash. What this host's programs,
 * files and words of configuration are called stays: they have no dot, or a
 * slash before it, and none looks like a key.
 */
#include "cmd/hipgate/redact.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/addr.h"

enum { NAMES = 4096, WORD_MAX = 320, KEY_LEAST = 24, PSEUDONYM = 40 };

struct redact {
	bool all;
	uint8_t key[crypto_generichash_KEYBYTES];
	char *name[NAMES];
	size_t num;
};

struct text {
	char *s;
	size_t len, cap;
	bool bad; /* no memory */
};

int redact_new(bool all, struct redact **out)
{
	struct redact *r = calloc(1, sizeof(*r));

	if (!r)
		return HG_ENOMEM;
	r->all = all;
	randombytes_buf(r->key, sizeof(r->key));
	*out = r;
	return HG_OK;
}

void redact_free(struct redact *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->num; i++)
		free(r->name[i]);
	sodium_memzero(r->key, sizeof(r->key));
	free(r);
}

static bool known(const struct redact *r, const char *word)
{
	for (size_t i = 0; i < r->num; i++) {
		if (strcasecmp(r->name[i], word) == 0)
			return true;
	}
	return false;
}

void redact_name(struct redact *r, const char *name)
{
	if (!name[0] || r->num == NAMES || known(r, name))
		return;
	r->name[r->num] = strdup(name);
	if (r->name[r->num])
		r->num++;
}

/* ---- words -------------------------------------------------------------------------- */

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr(".:_-+/=@", c));
}

static void put(struct text *t, const char *s, size_t len)
{
	if (t->len + len + 1 > t->cap) {
		size_t cap = (t->cap + len) * 2 + 64;
		char *more = realloc(t->s, cap);

		t->bad = t->bad || !more;
		if (!more)
			return;
		t->s = more;
		t->cap = cap;
	}
	memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = '\0';
}

static void pseudonym(const struct redact *r, const char *kind,
		      const char *word, struct text *out)
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	char text[PSEUDONYM];

	(void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)word,
				 strlen(word), r->key, sizeof(r->key));
	(void)snprintf(text, sizeof(text), "%s-%02x%02x%02x%02x", kind, hash[0],
		       hash[1], hash[2], hash[3]);
	put(out, text, strlen(text));
}

/* What says nothing of whose it is. */
static bool is_common(const struct addr *a)
{
	return addr_is_unspecified(a) || (addr_is4(a) && a->b[12] == 127) ||
	       (a->b[15] == 1 && memcmp(a->b, addr_any6.b, 15) == 0);
}

/* An address alone, or with "/LEN" or ":PORT" behind it, of which the rest
 * stays. */
static bool address(const struct redact *r, const char *word, struct text *out)
{
	char text[ADDR_TEXT_MAX];
	size_t len = strlen(word);
	struct addr a;
	struct hit h;

	for (size_t n = len; n > 0; n--) {
		/* Or the end of a sentence. */
		if (n < len && word[n] != '/' && word[n] != ':' &&
		    strspn(word + n, ".:") < len - n)
			continue;
		if (n >= sizeof(text))
			continue;
		memcpy(text, word, n);
		text[n] = '\0';
		if (addr_parse(text, &a))
			continue;
		if (is_common(&a))
			put(out, text, n);
		else if (hit_parse(text, &h) == HG_OK)
			pseudonym(r, "hit", hit_print(&h, text), out);
		else
			pseudonym(r, addr_is4(&a) ? "addr4" : "addr6",
				  addr_print(&a, text), out);
		put(out, word + n, len - n);
		return true;
	}
	return false;
}

/* Six pairs of digits. */
static bool is_mac(const char *word)
{
	for (size_t i = 0; i < 17; i++) {
		if (i % 3 == 2 ? word[i] != ':'
			       : !isxdigit((unsigned char)word[i]))
			return false;
	}
	return !word[17];
}

/* "1.2.0-rc1", "1.5ms": each part begins with a digit. */
static bool likely_number(const char *word)
{
	for (const char *s = word; s; s = strchr(s, '.')) {
		s += *s == '.';
		if (!isdigit((unsigned char)*s))
			return false;
	}
	return true;
}

/* "a.b1", of letters, digits, hyphens and underscores; the last part has no
 * underscore and one letter at least. */
static bool likely_name(const char *word)
{
	const char *last = strrchr(word, '.');
	bool letter = false;

	if (!last || strlen(last) < 3 || likely_number(word) ||
	    (!isalnum((unsigned char)word[0]) && word[0] != '_'))
		return false;
	for (const char *s = word; *s; s++) {
		if (strchr("/:+=@", *s))
			return false;
	}
	for (const char *s = last + 1; *s; s++) {
		if (*s == '_')
			return false;
		letter = letter || isalpha((unsigned char)*s);
	}
	return letter;
}

/* Long, and of nothing but digits that a key could be written in. No word of
 * ours that is so long mixes letters of both kinds, nor capitals with digits. */
static bool likely_key(const char *word)
{
	size_t len = strlen(word);
	bool hex = true, lower = false, upper = false, digit = false;

	if (strncmp(word, "0x", 2) == 0) {
		word += 2;
		len -= 2;
	}
	/* Base64 may begin with a slash; a path has what base64 has not, or
	 * else is taken for a key if it looks like one. */
	if (len < KEY_LEAST || strpbrk(word, word[0] == '/' ? ".:-_@" : ".:"))
		return false;
	for (const char *s = word; *s; s++) {
		hex = hex && isxdigit((unsigned char)*s);
		digit = digit || isdigit((unsigned char)*s);
		lower = lower || islower((unsigned char)*s);
		upper = upper || isupper((unsigned char)*s);
	}
	return hex || (upper && (lower || digit)) || word[len - 1] == '=';
}

/* What stands around a name: the end of a sentence, the dot behind "*". */
static void word_out(const struct redact *r, const char *word, struct text *out)
{
	size_t before = strspn(word, ".:");
	char name[WORD_MAX];
	size_t n = strlen(word + before);

	if (r->all && address(r, word, out))
		return;
	put(out, word, before);
	word += before;
	while (n > 0 && strchr(".:", word[n - 1]))
		n--;
	memcpy(name, word, n);
	name[n] = '\0';
	if (r->all && (known(r, name) || likely_name(name)))
		pseudonym(r, "name", name, out);
	else if (r->all && is_mac(name))
		pseudonym(r, "mac", name, out);
	else if (likely_key(name) && !known(r, name))
		put(out, "(removed)", 9);
	else
		put(out, name, n);
	put(out, word + n, strlen(word + n));
}

/* Of "KEY=VALUE", which is two words. "==" ends base64, and so may "=" before a
 * colon, unless an address follows. */
static bool ends_key(const char *s)
{
	if (s[1] == ':')
		return s[2] == ':';
	return s[-1] != '=' && s[1] != '=' && in_word(s[1]);
}

static size_t word_len(const char *s)
{
	size_t n = 0;

	if (s[0] == '=')
		return 1;
	while (in_word(s[n]) && n < WORD_MAX - 1) {
		if (n < KEY_LEAST && s[n] == '=' && ends_key(s + n))
			return n;
		n++;
	}
	return n;
}

char *redact_text(const struct redact *r, const char *text)
{
	struct text out = { NULL, 0, 0, false };
	char word[WORD_MAX];

	put(&out, "", 0);
	while (*text) {
		size_t n = word_len(text);

		if (n == 0) {
			put(&out, text++, 1);
			continue;
		}
		memcpy(word, text, n);
		word[n] = '\0';
		word_out(r, word, &out);
		text += n;
	}
	if (out.bad) {
		free(out.s);
		return NULL;
	}
	return out.s;
}

/* ---- JSON ------------------------------------------------------------------------------ */

static json_t *redacted(const struct redact *r, const json_t *o);

static json_t *redacted_object(const struct redact *r, const json_t *o)
{
	json_t *out = json_object();
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)o, key, v)
	{
		char *k = redact_text(r, key);

		if (k)
			(void)json_object_set_new_nocheck(out, k,
							  redacted(r, v));
		free(k);
	}
	return out;
}

static json_t *redacted(const struct redact *r, const json_t *o)
{
	json_t *out;
	const json_t *v;
	size_t i;
	char *s;

	if (json_is_object(o))
		return redacted_object(r, o);
	if (json_is_array(o)) {
		out = json_array();
		json_array_foreach(o, i, v)(void)
			json_array_append_new(out, redacted(r, v));
		return out;
	}
	if (!json_is_string(o))
		return json_deep_copy(o);
	s = redact_text(r, json_string_value(o));
	out = s ? json_string_nocheck(s) : json_null();
	free(s);
	return out;
}

json_t *redact_json(const struct redact *r, const json_t *o)
{
	return redacted(r, o);
}
