/* SPDX-License-Identifier: MIT */
/* An answer of ours, as this client takes it (RFC 6891, 7873). */
#include "dns/toclient.h"

#include <string.h>

#define UDP_SIZE_LEAST 512 /* RFC 6891 6.2.5: what is said to be less */

static size_t room_of(const struct dns_asker *who, const struct scan_edns *e)
{
	if (who->tcp)
		return 0;
	return e->present && e->udp_size > UDP_SIZE_LEAST ? e->udp_size
							  : UDP_SIZE_LEAST;
}

/* A client that sends cookies discards answers without its own (RFC 7873
 * 5.3). The server's part that it has is kept; one that it lacks is made
 * here: the server, when it is next asked, takes it for none. */
static void fill_cookie(const struct dns *d, const struct dns_asker *who,
			struct scan_edns *e)
{
	uint8_t in[sizeof(who->client.addr.b) + SCAN_COOKIE_CLIENT];

	if (e->cookie_len != SCAN_COOKIE_CLIENT)
		return;
	memcpy(in, who->client.addr.b, sizeof(who->client.addr.b));
	memcpy(in + sizeof(who->client.addr.b), e->cookie, SCAN_COOKIE_CLIENT);
	crypto_shorthash(e->cookie + SCAN_COOKIE_CLIENT, in, sizeof(in),
			 d->hash_key);
	e->cookie_len = SCAN_COOKIE_CLIENT + crypto_shorthash_BYTES;
}

void toclient_reply(struct dns *d, const struct dns_asker *who,
		    const char *name, uint32_t question, const struct reply *r)
{
	struct scan_edns edns = *r->edns;
	struct reply whole = *r;
	uint8_t msg[REPLY_MAX];
	size_t len;
	struct dns_effect e = {
		.kind = DNS_REPLY,
		.question = question,
		.server = who->server,
		.who = *who,
		.qtype = r->question->type,
		.msg = msg,
		.rcode = r->rcode,
		.substituted = r->kind == REPLY_ADDRESS,
	};

	if (e.substituted)
		e.substitute = *r->addr;
	memcpy(e.name, name, strlen(name) + 1);
	fill_cookie(d, who, &edns);
	whole.edns = &edns;
	whole.room = room_of(who, &edns);
	if (reply_build(&whole, msg, &len)) {
		reason_count(&d->reasons, REASON_DNS_BUSY);
		return;
	}
	e.msg_len = len;
	if (outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
}
