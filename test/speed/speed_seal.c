/* SPDX-License-Identifier: MIT */
/* What a packet's cipher and checksum cost. room: esp
 *
 * speed_seal SECONDS: prints "NAME VALUE UNIT" lines, each measured for so
 * long, in CPU time of the thread.
 *
 *   gcm-<library>-<octets>	AES-128-GCM with a 16-octet ICV, one packet;
 *				one line for each library there is (esp/gcm.h)
 *   seal-<octets>		all of esp_seal, with the better of them
 *   seal-and-open-<octets>	the same and esp_open
 *   csum-<octets>		the Internet checksum
 *   csum-narrow-<octets>	the same in pieces of 100 octets, which is
 *				without the wide instructions (core/checksum.c)
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/checksum.h"
#include "esp/esp.h"
#include "esp/gcm.h"

enum {
	SMALL = 64,
	SUM = 1300,
	LARGE = 1380,
	ROW = 8,
	PIECE = 100,
	REPEAT = 64
};

static uint64_t wanted; /* ns for each line */
static uint8_t text[ROW][2048];
static uint8_t wire[ROW][2048];
static volatile uint64_t sink;

static uint64_t cpu(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)ts.tv_nsec;
}

static void die(const char *what)
{
	(void)fprintf(stderr, "speed_seal: %s\n", what);
	exit(1);
}

/* Calls fn, which does ROW of them (they fit the first cache), until the time is over. */
static void measure(const char *name, size_t octets, void (*fn)(size_t octets))
{
	uint64_t begin = cpu();
	uint64_t rows = 0;
	uint64_t took;

	do {
		for (unsigned i = 0; i < REPEAT; i++)
			fn(octets);
		rows += REPEAT;
		took = cpu() - begin;
	} while (took < wanted);
	(void)printf("%s-%zu %.1f ns\n", name, octets,
		     (double)took / (double)(rows * ROW));
}

/* ---- the cipher alone ------------------------------------------------------ */

static const struct gcm *gcm;
static void *gcm_key;

static void gcm_row(size_t octets)
{
	static struct gcm_packet pkt = { .icv_len = 16 };

	for (unsigned i = 0; i < ROW; i++) {
		struct gcm_piece in = { text[i], octets };

		pkt.nonce[11]++;
		if (!gcm->seal(gcm_key, &pkt, &in, 1, wire[i]))
			die("a packet could not be sealed");
	}
}

static void each_gcm(const struct gcm *one)
{
	static const uint8_t key[GCM_KEY] = { 1 };
	char name[64];

	if (!one)
		return;
	gcm = one;
	gcm_key = one->key_new(key, true);
	if (!gcm_key)
		die("no key");
	(void)snprintf(name, sizeof(name), "gcm-%s", one->name);
	measure(name, SMALL, gcm_row);
	measure(name, LARGE, gcm_row);
	one->key_free(gcm_key);
}

/* ---- all of ESP ------------------------------------------------------------- */

static struct esp_ctx *seal_ctx;
static struct esp_ctx *open_ctx;
static struct esp_replay replay;
static uint64_t next = 1;
static size_t wire_len;

static void seal_row(size_t octets)
{
	for (unsigned i = 0; i < ROW; i++)
		if (esp_seal(seal_ctx, next++, 17, NULL, 0, text[i], octets,
			     wire[i], sizeof(wire[i]), &wire_len) != REASON_NUM)
			die("a packet could not be sealed");
}

/* A packet is opened once only: each row has been sealed before, so what
 * this takes is that of both. */
static void both_row(size_t octets)
{
	struct esp_plain plain;

	seal_row(octets);
	for (unsigned i = 0; i < ROW; i++)
		if (esp_open(open_ctx, &replay, wire[i], wire_len, &plain) !=
		    REASON_NUM)
			die("a packet could not be opened");
}

static void esp(void)
{
	struct sa_keys keys = { .enc = { 1 } };

	if (esp_ctx_new(SA_AES128_GCM16, &keys, 1000, true, &seal_ctx) ||
	    esp_ctx_new(SA_AES128_GCM16, &keys, 1000, false, &open_ctx))
		die("no context");
	measure("seal", SMALL, seal_row);
	measure("seal-and-open", SMALL, both_row);
	measure("seal", LARGE, seal_row);
	measure("seal-and-open", LARGE, both_row);
	esp_ctx_free(seal_ctx);
	esp_ctx_free(open_ctx);
}

/* ---- the checksum ------------------------------------------------------------ */

static void csum_row(size_t octets)
{
	for (unsigned i = 0; i < ROW; i++)
		sink += csum_add(0, text[i], octets);
}

static void narrow_row(size_t octets)
{
	for (unsigned i = 0; i < ROW; i++) {
		uint64_t sum = 0;

		for (size_t at = 0; at < octets; at += PIECE)
			sum = csum_add(sum, text[i] + at, PIECE);
		sink += sum;
	}
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0;

	if (seconds <= 0 || seconds > 60 || sodium_init() < 0 || esp_setup()) {
		(void)fprintf(stderr, "usage: speed_seal SECONDS\n");
		return 2;
	}
	wanted = (uint64_t)(seconds * 1e9);
	randombytes_buf(text, sizeof(text));
	each_gcm(gcm_ipsec_mb());
	each_gcm(gcm_openssl());
	esp();
	measure("csum", SUM, csum_row);
	measure("csum-narrow", SUM, narrow_row);
	return 0;
}
