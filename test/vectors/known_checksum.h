/* SPDX-License-Identifier: MIT */
/* RFC 7401 appendix C; made by test/vectors/make.py, do not edit. */
#pragma once

#include <stdint.h>

/* clang-format off */
/* pseudo | packet with its checksum field 0 */
struct known_checksum {
	const char *what;
	uint16_t sum;
	unsigned pseudo_len;
	const char *hex;
};

static const struct known_checksum known_checksums[] = {
	{
		"C.1 I1 over IPv6",
		0x1a5e,
		40,
		"20010db800000000000000000000000120010db8000000000000000000000002"
		"000000300000008b3b0501210000000020010020000000000000000000000001"
		"2001002000000000000000000000000201ff000303040800",
	},
	{
		"C.2 I1 over IPv4",
		0xf1ce,
		12,
		"c0000201c0000202008b00303b05012100000000200100200000000000000000"
		"000000012001002000000000000000000000000201ff000303040800",
	},
	{
		"C.3 TCP SYN over HITs",
		0x6faa,
		40,
		"2001002000000000000000000000000120010020000000000000000000000002"
		"0000001400000006ffdc001600000001000000005002ffff00000000",
	},
};
