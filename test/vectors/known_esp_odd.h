/* SPDX-License-Identifier: MIT */
/* ESP packets with an odd trailer; made by test/vectors/make.py, do not edit. */
#pragma once

#include <stdint.h>

/* clang-format off */
/* Authentic, seq 0x101. len: what esp_open gives as plain length,
 * -1 when it must refuse the padding. */
struct known_esp_odd {
	uint16_t suite;
	const char *what;
	int len;
	const char *hex;
};

static const struct known_esp_odd known_esp_odds[] = {
	{
		7,
		"last pad octet wrong",
		-1,
		"a1b2c3d400000101404142434445464748490102030504064ad902d466d08ad3"
		"5f195c351a0e47c9",
	},
	{
		7,
		"first pad octet wrong",
		-1,
		"a1b2c3d40000010140414243444546474849000203040406d272252a4f1ec596"
		"23cd23ee74dc33da",
	},
	{
		7,
		"pad length past the start",
		-1,
		"a1b2c3d400000101404142434445464748494a4b4c4d0f061417cca57267f11c"
		"37f4843314f159cf",
	},
	{
		7,
		"padding that begins in the IV",
		-1,
		"a1b2c3d40000010102030405060708090a0b0c0d0e0f0f06d47852a420d37c7d"
		"1bfc37ef537fe07b",
	},
	{
		7,
		"pad length 255",
		-1,
		"a1b2c3d400000101404142434445464748494a4b4c4dff06091e46bfd44255e8"
		"94c26852b96b635a",
	},
	{
		7,
		"padding is all there is",
		0,
		"a1b2c3d4000001010102030405060708090a0b0c0d0e0e06cafb12d856c5f963"
		"aa1d0d8a7755f3d0",
	},
	{
		7,
		"no padding",
		14,
		"a1b2c3d400000101404142434445464748494a4b4c4d00065977c7f0611ea01a"
		"b75253ff35583327",
	},
	{
		7,
		"more padding than needed",
		2,
		"a1b2c3d40000010140410102030405060708090a0b0c0d0e0f10111213141516"
		"1718191a1b1c1c062363744df9508341f57bc85584b40c21",
	},
	{
		7,
		"dummy of random octets",
		0,
		"a1b2c3d400000101404142434445464748494a4b4c4dff3b340c432823651d0b"
		"01ba8b7319afa578",
	},
	{
		7,
		"no whole block",
		-1,
		"a1b2c3d400000101404142434445464748494a4b4c4d4e0006977f6baeaef97a"
		"a563ffba747abbffb4",
	},
	{
		8,
		"last pad octet wrong",
		-1,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b5446655a3b5e9267cc"
		"11fe409e7e0eba9f745ad3fc7497572deac967a8f56a1ff8",
	},
	{
		8,
		"first pad octet wrong",
		-1,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b548eeb2ab740d75e0e"
		"b672a8bb3fd4a8be2a99764d84ccb7c271a0224f6f994d91",
	},
	{
		8,
		"pad length past the start",
		-1,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b5458440dadd68b4f64"
		"5ee543c9264afca4788278bf943fe3a9c6e18e8b891b0eb9",
	},
	{
		8,
		"padding that begins in the IV",
		-1,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b5401027877125faf8a"
		"b01ff307baf0f1a6e35098aa125370efd4bb62aefc6b287e",
	},
	{
		8,
		"pad length 255",
		-1,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b5446d1f55ac3f7987a"
		"881779837468600ffa0003dda3dc3a1c3ae002abcd754499",
	},
	{
		8,
		"padding is all there is",
		0,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b54f11575d15f3f0131"
		"85227ef6daf24ee6724072c3e7b3f2d641c7ccc61c4ac2b2",
	},
	{
		8,
		"no padding",
		14,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b543524b07c7044110a"
		"19ca8f0a56ec11edf0944f3c7298777e840ecc531a2d67bd",
	},
	{
		8,
		"more padding than needed",
		2,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b54da5edf244d485234"
		"cffbd73e7333b52cf104dc4e2f86780b7ffb2984b2f55a6c5e23d45217500e19"
		"ceff979225139c8a",
	},
	{
		8,
		"dummy of random octets",
		0,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b542d71e27500ac705a"
		"b6fa57ecb9e7cdc7e0bcb531f2b59a43e2d9cc0137249555",
	},
	{
		8,
		"no whole block",
		-1,
		"a1b2c3d400000101357eb35a3ba4c74a3987b1c0cbc94b544041424344454647"
		"48494a4b4c4d4e0006b7bf2e9b19433af78beed398fffd631e",
	},
	{
		9,
		"last pad octet wrong",
		-1,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bfce8d544905662819"
		"8015e12d8626a04082faedbad6e7821c0281905217961e58",
	},
	{
		9,
		"first pad octet wrong",
		-1,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bfbceef0e653d58601"
		"93ce0a9277c42f29a2e58f1ade6e5cf02fd25986142d2f77",
	},
	{
		9,
		"pad length past the start",
		-1,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bf73e21590d5b4a26d"
		"a46dd7ee215a5781a404061cb3ae0ec5c18fc42a0205072f",
	},
	{
		9,
		"padding that begins in the IV",
		-1,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bf3c3f4ab0054439c0"
		"33dd40f3f094880f59fbdced794c976c52e9d3904676c7ba",
	},
	{
		9,
		"pad length 255",
		-1,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bf9cefd04deea1d53e"
		"0675de61c02824255e5d2dfd1e3f13f961bc7ab0f5c22b62",
	},
	{
		9,
		"padding is all there is",
		0,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bf04724fdcefd08971"
		"3712b2df9ecae22fa84df6235e20452a59a211cdacf5a38d",
	},
	{
		9,
		"no padding",
		14,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bf6edbadf341d1cf24"
		"c784b22411b23f396544168b5c2cd2cc7beff8e0e3ce0d84",
	},
	{
		9,
		"more padding than needed",
		2,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bf06fba38e5f63907c"
		"f12b31f5ec7d447b4af9f90b99ceff3532c25fe4de84dad8535ef199d42c1ad0"
		"bceae0c14ad38c06",
	},
	{
		9,
		"dummy of random octets",
		0,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bfa60c37518c4bf6dc"
		"fbdbe03f0f9bf7fa0363ea9bf711f82b1e533d85a760b43c",
	},
	{
		9,
		"no whole block",
		-1,
		"a1b2c3d400000101c1d3af3b0c3de7f0e1aa4176ccae78bf4041424344454647"
		"48494a4b4c4d4e00068729f870e378ed2cc4a604c28fd5b33f",
	},
	{
		10,
		"last pad octet wrong",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac464d806d5822"
		"2727a35998bac3e2",
	},
	{
		10,
		"first pad octet wrong",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac474d806c5822"
		"c1707341bb06d3c4",
	},
	{
		10,
		"pad length past the start",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf255322"
		"e2aaee3609fec57e",
	},
	{
		10,
		"padding that begins in the IV",
		-1,
		"a1b2c3d400000101000000000000010118b434dbccdbde36e3ee4b428d675322"
		"0a97408c795ce6cd",
	},
	{
		10,
		"pad length 255",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf25a322"
		"351ed983969477f9",
	},
	{
		10,
		"padding is all there is",
		0,
		"a1b2c3d40000010100000000000001011bb533dacfdad137e0ef4c438e665222"
		"d34d2d464c77012e",
	},
	{
		10,
		"no padding",
		14,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf255c22"
		"f805a8b5037c47ad",
	},
	{
		10,
		"more padding than needed",
		2,
		"a1b2c3d40000010100000000000001015af631dcc9d8d339eeed4e458864512a"
		"6f00362ae148508f0ef24a9ae0d415e605ed3fcd1cb81ed2",
	},
	{
		10,
		"dummy of random octets",
		0,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf25a31f"
		"9dbb9679d50f3783",
	},
	{
		10,
		"no whole block",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf251224"
		"6690aa432b223b3218",
	},
	{
		11,
		"last pad octet wrong",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac464d806d5822"
		"bf2914884df673280febc2e9f274f9bb",
	},
	{
		11,
		"first pad octet wrong",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac474d806c5822"
		"5f9631ca0704fa1a954f8c5a941df939",
	},
	{
		11,
		"pad length past the start",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf255322"
		"dca3ef1045025616606c04cad1157217",
	},
	{
		11,
		"padding that begins in the IV",
		-1,
		"a1b2c3d400000101000000000000010118b434dbccdbde36e3ee4b428d675322"
		"e7c391daa64b5a6d828dbdcf62c3f9a4",
	},
	{
		11,
		"pad length 255",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf25a322"
		"2f6a2198b975d7ea269c29e8a1c6a9c3",
	},
	{
		11,
		"padding is all there is",
		0,
		"a1b2c3d40000010100000000000001011bb533dacfdad137e0ef4c438e665222"
		"2b6e4157e07204d0bdf21ea60ab22dc7",
	},
	{
		11,
		"no padding",
		14,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf255c22"
		"924e1fa60643f2da71248cccf7389884",
	},
	{
		11,
		"more padding than needed",
		2,
		"a1b2c3d40000010100000000000001015af631dcc9d8d339eeed4e458864512a"
		"6f00362ae148508f0ef24a9ae0d415e6f4b888e008d1cbb998efe3c65beb354c",
	},
	{
		11,
		"dummy of random octets",
		0,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf25a31f"
		"7e65758626033bf9fd34281bf02c08e5",
	},
	{
		11,
		"no whole block",
		-1,
		"a1b2c3d40000010100000000000001015af6729d8e999078a1ac0d04cf251224"
		"662a76475906727d11dfff3b768bb6bb04",
	},
	{
		12,
		"last pad octet wrong",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513f1f4fd3c7951"
		"01b1c50186a9a01b",
	},
	{
		12,
		"first pad octet wrong",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513f0f4fd3d7951"
		"35668b31918ffed5",
	},
	{
		12,
		"pad length past the start",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb2747251"
		"c2ee6545028af2e2",
	},
	{
		12,
		"padding that begins in the IV",
		-1,
		"a1b2c3d400000101000000000000010135d50da4e2a9055ae751fcfbf0367251"
		"a01b59552af36c07",
	},
	{
		12,
		"pad length 255",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb2748251"
		"e21a1670df107632",
	},
	{
		12,
		"padding is all there is",
		0,
		"a1b2c3d400000101000000000000010136d40aa5e1a80a5be450fbfaf3377351"
		"0b5d7176210ca922",
	},
	{
		12,
		"no padding",
		14,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb2747d51"
		"750122765f535aaf",
	},
	{
		12,
		"more padding than needed",
		2,
		"a1b2c3d4000001010000000000000101779708a3e7aa0855ea52f9fcf5357059"
		"60ef15ffd07a8d33b081e00ac5a5895b8d672743026a8c3c",
	},
	{
		12,
		"dummy of random octets",
		0,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb274826c"
		"e679ec06245aadeb",
	},
	{
		12,
		"no whole block",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb2743357"
		"69e5272395034a0f57",
	},
	{
		13,
		"last pad octet wrong",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513f1f4fd3c7951"
		"01b1c50186a9a01b9ec844669a9da5c4",
	},
	{
		13,
		"first pad octet wrong",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513f0f4fd3d7951"
		"35668b31918ffed54abe7229fac5f243",
	},
	{
		13,
		"pad length past the start",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb2747251"
		"c2ee6545028af2e28ae0c9f2ab1e6565",
	},
	{
		13,
		"padding that begins in the IV",
		-1,
		"a1b2c3d400000101000000000000010135d50da4e2a9055ae751fcfbf0367251"
		"a01b59552af36c07cdba2c936b8ee574",
	},
	{
		13,
		"pad length 255",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb2748251"
		"e21a1670df107632dc72f84cd61cc26a",
	},
	{
		13,
		"padding is all there is",
		0,
		"a1b2c3d400000101000000000000010136d40aa5e1a80a5be450fbfaf3377351"
		"0b5d7176210ca9223039756adfdc6eeb",
	},
	{
		13,
		"no padding",
		14,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb2747d51"
		"750122765f535aaf8f89eae94cce4f15",
	},
	{
		13,
		"more padding than needed",
		2,
		"a1b2c3d4000001010000000000000101779708a3e7aa0855ea52f9fcf5357059"
		"60ef15ffd07a8d33b081e00ac5a5895b8d672743026a8c3cfce5bbf1f4e08785",
	},
	{
		13,
		"dummy of random octets",
		0,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb274826c"
		"e679ec06245aadebe5cd0293dd09a791",
	},
	{
		13,
		"no whole block",
		-1,
		"a1b2c3d400000101000000000000010177974be2a0eb4b14a513babdb2743357"
		"69e5272395034a0f5775abd4e10aa4a282",
	},
};
