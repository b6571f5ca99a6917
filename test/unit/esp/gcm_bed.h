/* SPDX-License-Identifier: MIT */
/* What each row of gcm.h must do; NULL where it is not to be had. */
#pragma once

#include <pthread.h>

#include "esp/gcm.h"
#include "test/unit/esp/esp_bed.h"

/* A known packet taken apart. */
struct gcm_bed {
	const struct gcm *gcm;
	struct gcm_packet pkt;
	uint8_t wire[2048]; /* all of it */
	size_t wire_len;
	uint8_t plain[2048]; /* payload and trailer */
	size_t text;
};

/* Does known_esps[i] fit, and is there such a row? */
static inline bool gcm_bed_fill(struct gcm_bed *b, const struct gcm *gcm, int i)
{
	const struct known_esp *v = &known_esps[i];
	struct sa_keys k = bed_keys();
	const struct sa_suite *s = sa_suite_find(v->suite);
	size_t pad;

	memset(b, 0, sizeof(*b));
	b->gcm = gcm;
	if (!gcm || (v->suite != SA_AES128_GCM8 && v->suite != SA_AES128_GCM16))
		return false;
	b->wire_len = bed_hex(b->wire, sizeof(b->wire), v->hex);
	b->text = b->wire_len - ESP_HDR - 8 - s->icv_len;
	b->pkt.icv_len = s->icv_len;
	memcpy(b->pkt.nonce, k.enc + 16, 4);
	memcpy(b->pkt.nonce + 4, b->wire + ESP_HDR, 8);
	memcpy(b->pkt.aad, b->wire, 4);
	for (int n = 0; n < 8; n++)
		b->pkt.aad[4 + n] = (uint8_t)(v->seq >> (56 - 8 * n));
	bed_payload(b->plain, v->plain);
	pad = b->text - v->plain - 2;
	for (size_t n = 0; n < pad; n++)
		b->plain[v->plain + n] = (uint8_t)(n + 1);
	b->plain[b->text - 2] = (uint8_t)pad;
	b->plain[b->text - 1] = 6;
	return true;
}

static inline void *gcm_bed_key(const struct gcm_bed *b, bool seal)
{
	struct sa_keys k = bed_keys();
	void *key = b->gcm->key_new(k.enc, seal);

	ck_assert_ptr_nonnull(key);
	return key;
}

/* However the text is split. */
static inline void gcm_bed_seals(const struct gcm *gcm, int i)
{
	struct gcm_bed b;
	uint8_t out[2048];
	void *key;

	if (!gcm_bed_fill(&b, gcm, i))
		return;
	key = gcm_bed_key(&b, true);
	for (size_t cut = 0; cut <= b.text; cut++) {
		struct gcm_piece in[] = {
			{ b.plain, cut / 2 },
			{ b.plain + cut / 2, cut - cut / 2 },
			{ b.plain + cut, b.text - cut },
		};

		memset(out, 0xee, sizeof(out));
		ck_assert(gcm->seal(key, &b.pkt, in, 3, out));
		ck_assert_mem_eq(out, b.wire + ESP_HDR + 8,
				 b.text + b.pkt.icv_len);
		ck_assert_uint_eq(out[b.text + b.pkt.icv_len], 0xee);
	}
	gcm->key_free(key);
}

/* And refuses it with one bit changed: text, ICV, AAD or nonce. */
static inline void gcm_bed_opens(const struct gcm *gcm, int i)
{
	struct gcm_bed b;
	uint8_t buf[2048];
	size_t bits;
	void *key;

	if (!gcm_bed_fill(&b, gcm, i))
		return;
	key = gcm_bed_key(&b, false);
	bits = 8 * (b.text + b.pkt.icv_len);
	for (size_t bit = 0; bit <= bits + 24 * 8; bit++) {
		struct gcm_packet pkt = b.pkt;
		bool good = bit == bits + 24 * 8;
		uint8_t *at = NULL;

		memcpy(buf, b.wire + ESP_HDR + 8, b.text + b.pkt.icv_len);
		if (bit < bits)
			at = buf + bit / 8;
		else if (!good)
			at = bit - bits < 96 ? pkt.nonce + (bit - bits) / 8
					     : pkt.aad + (bit - bits - 96) / 8;
		if (at)
			*at ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(gcm->open(key, &pkt, buf, b.text),
				 good ? REASON_NUM : REASON_ESP_AUTH);
	}
	ck_assert_mem_eq(buf, b.plain, b.text);
	gcm->key_free(key);
}

/* ---- one key, several threads -------------------------------------------- */

struct gcm_bed_thread {
	const struct gcm_bed *b;
	void *seal;
	void *open;
	bool ok;
};

static inline void *gcm_bed_work(void *arg)
{
	struct gcm_bed_thread *t = arg;
	const struct gcm_bed *b = t->b;
	const struct gcm_piece in = { b->plain, b->text };
	uint8_t out[2048];

	t->ok = true;
	for (int n = 0; n < 2000 && t->ok; n++) {
		t->ok = b->gcm->seal(t->seal, &b->pkt, &in, 1, out) &&
			memcmp(out, b->wire + ESP_HDR + 8,
			       b->text + b->pkt.icv_len) == 0 &&
			b->gcm->open(t->open, &b->pkt, out, b->text) ==
				REASON_NUM;
	}
	return NULL;
}

/* The keys are shared where the row says so. */
static inline void gcm_bed_threads(const struct gcm *gcm, int i)
{
	struct gcm_bed_thread t[4];
	pthread_t id[4];
	struct gcm_bed b;

	if (!gcm_bed_fill(&b, gcm, i))
		return;
	for (int n = 0; n < 4; n++) {
		bool own = !n || !gcm->shared;

		t[n] = (struct gcm_bed_thread){
			.b = &b,
			.seal = own ? gcm_bed_key(&b, true) : t[0].seal,
			.open = own ? gcm_bed_key(&b, false) : t[0].open,
		};
	}
	for (int n = 0; n < 4; n++)
		ck_assert_int_eq(
			pthread_create(&id[n], NULL, gcm_bed_work, &t[n]), 0);
	for (int n = 0; n < 4; n++)
		ck_assert_int_eq(pthread_join(id[n], NULL), 0);
	for (int n = 0; n < 4; n++) {
		ck_assert(t[n].ok);
		if (n && gcm->shared)
			continue;
		gcm->key_free(t[n].seal);
		gcm->key_free(t[n].open);
	}
}

/* With each known packet, in one process: most are no GCM's. */
static inline void gcm_bed_each(const struct gcm *gcm,
				void (*check)(const struct gcm *gcm, int i))
{
	const int num = sizeof(known_esps) / sizeof(known_esps[0]);

	for (int i = 0; i < num; i++)
		check(gcm, i);
}
