/* SPDX-License-Identifier: MIT */
/* Writes a pcapng file: two interfaces, a comment on each packet. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "core/err.h"

struct pcapng_packet {
	uint64_t when;	    /* unix ns */
	unsigned side;	    /* number of its interface */
	unsigned direction; /* 1 in, 2 out */
	uint32_t len;	    /* octets on the way, */
	const uint8_t *data;
	uint32_t caplen; /*  and here */
	const char *comment;
	uint16_t comment_len;
};

/* All of them: HG_ESYS: f has an error; errno says why. */
/* tun: the name of the first interface; the second one is the wire. */
int pcapng_begin(FILE *f, const char *tun, uint32_t snaplen) HG_CHECK;
int pcapng_packet(FILE *f, const struct pcapng_packet *p) HG_CHECK;
/* How many packets are missing. */
int pcapng_end(FILE *f, uint64_t when, uint64_t lost) HG_CHECK;
