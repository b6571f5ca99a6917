/* SPDX-License-Identifier: MIT */
/* Lists of suites: names, separated by commas, into the numbers of HIP. */
#include "cmd/config/config_suites.h"

#include <stdbool.h>
#include <string.h>

struct word {
	const char *name;
	uint16_t id;
};

/* RFC 7401 5.2.7 */
static const struct word dh_groups[] = {
	{ "p256", 7 },	   { "p384", 8 },      { "p521", 9 },
	{ "modp1536", 3 }, { "modp2048", 11 }, { "modp3072", 4 },
};

/* RFC 7401 5.2.8; null: the engine of a debug build takes it. */
static const struct word hip_ciphers[] = {
	{ "aes128-cbc", 2 },
	{ "aes256-cbc", 4 },
	{ "null", 1 },
};

/* RFC 7402 5.1.2; without encryption only by esp-null of a peer. */
static const struct word esp_suites[] = {
	{ "aes128-cbc-sha256", 8 }, { "aes256-cbc-sha256", 9 },
	{ "aes128-ccm8", 10 },	    { "aes128-ccm16", 11 },
	{ "aes128-gcm8", 12 },	    { "aes128-gcm16", 13 },
};

#define NUM(table) (sizeof(table) / sizeof((table)[0]))

struct list {
	uint16_t id[HIP_OFFER_MAX];
	size_t num;
};

/* One name of len octets behind the others. */
static int append(const struct word *table, size_t num, const char *name,
		  size_t len, struct list *out)
{
	size_t w = 0;

	while (w < num && (strlen(table[w].name) != len ||
			   memcmp(table[w].name, name, len) != 0))
		w++;
	if (w == num || out->num == HIP_OFFER_MAX)
		return HG_EFORMAT;
	for (size_t i = 0; i < out->num; i++) {
		if (out->id[i] == table[w].id)
			return HG_EFORMAT;
	}
	out->id[out->num++] = table[w].id;
	return HG_OK;
}

static int parse(const struct word *table, size_t num, const char *v,
		 struct list *out)
{
	bool more = true;

	out->num = 0;
	while (more) {
		size_t len;
		size_t end;
		int err;

		v += strspn(v, " \t");
		end = strcspn(v, ",");
		len = end;
		while (len > 0 && (v[len - 1] == ' ' || v[len - 1] == '\t'))
			len--;
		err = append(table, num, v, len, out);
		if (err)
			return err;
		more = v[end] == ',';
		v += end + more;
	}
	return HG_OK;
}

int config_suites_dh_groups(struct config *c, const char *v)
{
	struct list l;
	int err = parse(dh_groups, NUM(dh_groups), v, &l);

	if (err)
		return err;
	memcpy(c->offer.dh, l.id, sizeof(l.id));
	c->offer.dh_num = l.num;
	return HG_OK;
}

int config_suites_hip_ciphers(struct config *c, const char *v)
{
	struct list l;
	int err = parse(hip_ciphers, NUM(hip_ciphers), v, &l);

	if (err)
		return err;
	memcpy(c->offer.cipher, l.id, sizeof(l.id));
	c->offer.cipher_num = l.num;
	return HG_OK;
}

int config_suites_esp_suites(struct config *c, const char *v)
{
	struct list l;
	int err = parse(esp_suites, NUM(esp_suites), v, &l);

	if (err)
		return err;
	memcpy(c->offer.esp, l.id, sizeof(l.id));
	c->offer.esp_num = l.num;
	return HG_OK;
}

int config_suites_esp_null(struct config *c, const char *v)
{
	bool yes = strcmp(v, "yes") == 0;

	if (!yes && strcmp(v, "no") != 0)
		return HG_EFORMAT;
	c->peers[c->peers_num - 1].esp_null = yes;
	return HG_OK;
}
