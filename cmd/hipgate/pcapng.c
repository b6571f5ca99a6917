/* SPDX-License-Identifier: MIT */
/* Writes a pcapng file (draft-ietf-opsawg-pcapng). */
#include "cmd/hipgate/pcapng.h"

#include <string.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	ORDER = 0x1a2b3c4d,
	LINKTYPE_RAW = 101, /* IPv4 or IPv6, by its first octet */
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_IF_NAME = 2,
	OPT_IF_DESCRIPTION = 3,
	OPT_IF_TSRESOL = 9,
	OPT_USERAPPL = 4,
	OPT_FLAGS = 2,
	OPT_IFDROP = 5,
	BLOCK_FRAME = 12, /* type, length, and length again */
	OPTION_FRAME = 4,
};

/* Numbers are in the machine's own order, as the section's header says. */
static void put(FILE *f, const void *data, size_t len)
{
	if (len)
		(void)fwrite(data, 1, len, f); /* the caller asks ferror */
}

static void put32(FILE *f, uint32_t v)
{
	put(f, &v, sizeof(v));
}

static void put16(FILE *f, uint16_t v)
{
	put(f, &v, sizeof(v));
}

static uint32_t padded(size_t len)
{
	return (uint32_t)((len + 3) & ~(size_t)3);
}

static void pad(FILE *f, size_t len)
{
	static const char zero[4];

	put(f, zero, padded(len) - len);
}

static uint32_t option_size(size_t len)
{
	return OPTION_FRAME + padded(len);
}

static void option(FILE *f, uint16_t code, const void *data, size_t len)
{
	put16(f, code);
	put16(f, (uint16_t)len);
	put(f, data, len);
	pad(f, len);
}

static int done(FILE *f)
{
	return ferror(f) ? HG_ESYS : HG_OK;
}

static void section(FILE *f)
{
	static const char appl[] = "hipgate " HIPGATE_VERSION;
	uint32_t size = BLOCK_FRAME + 16 + option_size(sizeof(appl) - 1) +
			option_size(0);

	put32(f, BLOCK_SECTION);
	put32(f, size);
	put32(f, ORDER);
	put16(f, 1); /* version 1.0 */
	put16(f, 0);
	put32(f, 0xffffffff); /* its length is not known: -1 */
	put32(f, 0xffffffff);
	option(f, OPT_USERAPPL, appl, sizeof(appl) - 1);
	option(f, OPT_END, NULL, 0);
	put32(f, size);
}

static void interface(FILE *f, const char *name, const char *what,
		      uint32_t snaplen)
{
	static const uint8_t nanoseconds = 9;
	uint32_t size = BLOCK_FRAME + 8 + option_size(strlen(name)) +
			option_size(strlen(what)) + option_size(1) +
			option_size(0);

	put32(f, BLOCK_INTERFACE);
	put32(f, size);
	put16(f, LINKTYPE_RAW);
	put16(f, 0);
	put32(f, snaplen);
	option(f, OPT_IF_NAME, name, strlen(name));
	option(f, OPT_IF_DESCRIPTION, what, strlen(what));
	option(f, OPT_IF_TSRESOL, &nanoseconds, 1);
	option(f, OPT_END, NULL, 0);
	put32(f, size);
}

int pcapng_begin(FILE *f, const char *tun, uint32_t snaplen)
{
	section(f);
	interface(f, tun, "the TUN: what clients send and get", snaplen);
	interface(f, "wire", "UDP: HIP and ESP, outer headers made again",
		  snaplen);
	return done(f);
}

int pcapng_packet(FILE *f, const struct pcapng_packet *p)
{
	uint32_t flags = p->direction;
	uint32_t size = BLOCK_FRAME + 20 + padded(p->caplen) +
			option_size(p->comment_len) +
			option_size(sizeof(flags)) + option_size(0);

	put32(f, BLOCK_PACKET);
	put32(f, size);
	put32(f, p->side);
	put32(f, (uint32_t)(p->when >> 32));
	put32(f, (uint32_t)p->when);
	put32(f, p->caplen);
	put32(f, p->len);
	put(f, p->data, p->caplen);
	pad(f, p->caplen);
	option(f, OPT_COMMENT, p->comment, p->comment_len);
	option(f, OPT_FLAGS, &flags, sizeof(flags));
	option(f, OPT_END, NULL, 0);
	put32(f, size);
	return done(f);
}

int pcapng_end(FILE *f, uint64_t when, uint64_t lost)
{
	uint32_t size =
		BLOCK_FRAME + 12 + option_size(sizeof(lost)) + option_size(0);

	put32(f, BLOCK_STATISTICS);
	put32(f, size);
	put32(f, 0);
	put32(f, (uint32_t)(when >> 32));
	put32(f, (uint32_t)when);
	option(f, OPT_IFDROP, &lost, sizeof(lost));
	option(f, OPT_END, NULL, 0);
	put32(f, size);
	return done(f);
}
