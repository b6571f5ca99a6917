/* SPDX-License-Identifier: MIT */
/* Client queries and server answers into the dns engine. room: dns
 *
 * The input is a list of steps: kind (1), argument (1), length (2), octets.
 * What answers must repeat (id, question) is filled in, so that the fuzzer
 * gets behind the matching; time moves on as the steps say. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/dns.h"

#define ASKS 64
#define MSG_MAX 4096

enum step { QUERY, ANSWER, RAW, FAIL, GIVE, TICK, RESOLVE, STEP_NUM };

struct fuzz {
	struct dns *d;
	uint64_t now;
	struct dns_asker who;
	struct {
		uint32_t id;
		uint8_t msg[600];
		size_t question_end;
	} asks[ASKS];
	size_t asks_num; /* all that ever were; the last ASKS are kept */
	uint32_t open;	 /* asks without DONE */
	uint32_t need;
};

/* The end of the question of a message of the engine's own, or 12. */
static size_t question_end(const uint8_t *msg, size_t len)
{
	size_t at = 12;

	while (at < len && msg[at])
		at += 1U + msg[at];
	return at + 5 <= len ? at + 5 : 12;
}

static void note_ask(struct fuzz *f, const struct dns_effect *e)
{
	size_t i = f->asks_num++ % ASKS;
	size_t len = e->msg_len;

	if (len > sizeof(f->asks[i].msg))
		len = sizeof(f->asks[i].msg);
	f->asks[i].id = e->ask;
	memset(f->asks[i].msg, 0, sizeof(f->asks[i].msg));
	memcpy(f->asks[i].msg, e->msg, len);
	f->asks[i].question_end = question_end(e->msg, len);
	f->open++;
}

static void drain(struct fuzz *f)
{
	struct dns_effect e;
	volatile uint8_t sink = 0;

	while (dns_effect(f->d, &e)) {
		for (size_t i = 0; i < e.msg_len; i++)
			sink = (uint8_t)(sink + e.msg[i]);
		if (e.kind == DNS_ASK)
			note_ask(f, &e);
		if (e.kind == DNS_ASK_DONE && f->open-- == 0)
			abort();
		if (e.kind == DNS_NEED_ADDRESS)
			f->need = e.question;
		if ((e.kind == DNS_NEED_ADDRESS || e.kind == DNS_RESOLVED) &&
		    (e.host->locators_num == 0 ||
		     e.host->locators_num > DNS_LOCATORS_MAX ||
		     e.host->pk_len > DNS_HI_MAX))
			abort();
		if (e.kind == DNS_REPLY && e.msg_len < 12)
			abort();
	}
}

/* flags (2), counts AN NS AR (6), then records. */
static void answer(struct fuzz *f, uint8_t arg, const uint8_t *p, size_t len)
{
	uint8_t msg[MSG_MAX];
	size_t i;
	size_t end;

	if (f->asks_num == 0 || len < 8)
		return;
	i = (f->asks_num - 1 - arg % ASKS) % ASKS;
	end = f->asks[i].question_end;
	if (len > sizeof(msg) - end)
		len = sizeof(msg) - end;
	memcpy(msg, f->asks[i].msg, end);
	msg[2] = p[0] | 0x80;
	msg[3] = p[1];
	memcpy(msg + 6, p + 2, 6);
	memcpy(msg + end, p + 8, len - 8);
	dns_answer(f->d, f->asks[i].id, &f->who.server, msg, end + len - 8,
		   f->now);
}

static void step(struct fuzz *f, uint8_t kind, uint8_t arg, const uint8_t *p,
		 size_t len)
{
	struct addr sub6 = { .b = { 0xfd, 0, 0, 5, [15] = 5 } };
	struct addr sub4 = addr_from4((const uint8_t[4]){ 198, 18, 0, 5 });
	size_t i = (f->asks_num - 1 - arg % ASKS) % ASKS;
	char name[DNS_NAME_MAX];

	switch ((enum step)(kind % STEP_NUM)) {
	case QUERY:
		f->who.client.port = arg & 15;
		f->who.tcp = arg & 16;
		dns_query(f->d, &f->who, p, len, f->now);
		break;
	case ANSWER:
		answer(f, arg, p, len);
		break;
	case RAW:
		dns_answer(f->d, f->asks[i % ASKS].id, &f->who.server, p, len,
			   f->now);
		break;
	case FAIL:
		dns_ask_failed(f->d, f->asks[i % ASKS].id, f->now);
		break;
	case GIVE:
		dns_give(f->d, f->need, arg & 1, arg & 2 ? &sub6 : NULL,
			 arg & 4 ? &sub4 : NULL, arg & 8 ? "why" : NULL,
			 f->now);
		break;
	case TICK:
		f->now += (uint64_t)arg * 10000000;
		dns_tick(f->d, f->now);
		if (dns_deadline(f->d) <= f->now)
			abort();
		break;
	case RESOLVE:
		if (len >= sizeof(name))
			len = sizeof(name) - 1;
		memcpy(name, p, len);
		name[len] = '\0';
		(void)!dns_resolve(f->d, name, NULL, &f->who.server, arg,
				   f->now);
		break;
	default:
		break;
	}
	drain(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dns_rule rules[] = {
		{ "*.r", DNS_REQUIRE },
		{ "*.o", DNS_OFF },
	};
	static struct fuzz f;
	struct dns_config cfg = { .rules = rules, .rules_num = 2 };
	struct rd r = rd_init(data, size);

	if (sodium_init() < 0)
		return 0;
	memset(&f, 0, sizeof(f));
	cfg.pool6.addr.b[0] = 0xfd;
	cfg.pool6.len = 64;
	cfg.questions_max = 64;
	cfg.client_max = 32;
	f.who.server.port = 53;
	if (dns_new(&cfg, &f.d))
		return 0;
	while (rd_left(&r) >= 4) {
		uint8_t kind = rd_u8(&r);
		uint8_t arg = rd_u8(&r);
		size_t len = rd_be16(&r);
		const uint8_t *p;

		if (len > rd_left(&r))
			len = rd_left(&r);
		p = rd_take(&r, len);
		step(&f, kind, arg, p, len);
	}
	for (unsigned i = 0; i < 8; i++)
		step(&f, TICK, 255, NULL, 0);
	for (unsigned i = 0; i < 8; i++)
		step(&f, TICK, 255, NULL, 0);
	if (dns_pending(f.d) || f.open)
		abort(); /* every question ends, and every ask */
	dns_free(f.d);
	return 0;
}
