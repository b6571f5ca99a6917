/* SPDX-License-Identifier: MIT */
/* An SA's keys as lines of Wireshark's esp_sa table. */
#include "tapkeys.h"

#include <stdio.h>
#include <string.h>

#include "sockets.h"
#include "tables.h"

/* Wireshark's names; NULL: it does not know that suite. */
static const struct wireshark {
	uint16_t suite;
	const char *enc;
	const char *auth;
} wiresharks[] = {
	{ SA_NULL_SHA256, "NULL", "HMAC-SHA-256-128 [RFC4868]" },
	{ SA_AES128_CBC_SHA256, "AES-CBC [RFC3602]",
	  "HMAC-SHA-256-128 [RFC4868]" },
	{ SA_AES256_CBC_SHA256, "AES-CBC [RFC3602]",
	  "HMAC-SHA-256-128 [RFC4868]" },
	{ SA_AES128_GCM16, "AES-GCM with 16 octet ICV [RFC4106]", "NULL" },
	{ SA_AES128_GCM8, "AES-GCM with 8 octet ICV [RFC4106]", "NULL" },
};

static void hex(const uint8_t *octets, size_t len, char *out)
{
	(void)strcpy(out, len ? "0x" : "");
	out += strlen(out);
	for (size_t i = 0; i < len; i++)
		out += sprintf(out, "%02x", octets[i]);
}

/* One direction, over either family: a peer may move. */
static void put_key(const struct sa *sa, uint32_t spi, const struct sa_keys *k,
		    const struct wireshark *w, tapkeys_put *put, void *arg)
{
	const struct sa_suite *s = sa_suite_find(sa->suite);
	char enc[2 * SA_ENC_MAX + 3];
	char auth[2 * SA_AUTH_MAX + 3];
	char line[512];

	hex(k->enc, sa_enc_len(s), enc);
	hex(k->auth, s->auth_len, auth);
	for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++) {
		int n = snprintf(line, sizeof(line),
				 "\"%s\",\"*\",\"*\",\"0x%08x\",\"%s\",\"%s\","
				 "\"%s\",\"%s\"\n",
				 fam ? "IPv6" : "IPv4", spi, w->enc, enc,
				 w->auth, auth);

		put(arg, line, (size_t)n);
	}
	explicit_bzero(enc, sizeof(enc));
	explicit_bzero(auth, sizeof(auth));
	explicit_bzero(line, sizeof(line));
}

void tapkeys_lines(const struct sa *sa, tapkeys_put *put, void *arg)
{
	for (size_t i = 0; i < sizeof(wiresharks) / sizeof(*wiresharks); i++) {
		if (wiresharks[i].suite != sa->suite)
			continue;
		put_key(sa, sa->spi_in, &sa->in, &wiresharks[i], put, arg);
		put_key(sa, sa->spi_out, &sa->out, &wiresharks[i], put, arg);
	}
}
