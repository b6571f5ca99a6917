#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes vectors.h: ESP packets computed without any code of hipgate.

Written from RFC 4303, 4106, 3602 and 4868 alone, with the Python package
`cryptography` for AES and the standard library for HMAC. Run by hand, offline:
python3 vectors.py > vectors.h
"""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ENC = bytes(range(0x10, 0x10 + 36))
AUTH = bytes(range(0x80, 0xA0))
SPI = 0xA1B2C3D4
BLOCK = {8: 16, 9: 16, 12: 4, 13: 4}


def aes(key, mode, data):
    e = Cipher(algorithms.AES(key), mode).encryptor()
    return e.update(data) + e.finalize()


def packet(suite, seq, text):
    """text: payload, padding, pad length, next header."""
    hdr = struct.pack(">II", SPI, seq & 0xFFFFFFFF)
    if suite in (12, 13):
        iv = struct.pack(">Q", seq)
        aad = struct.pack(">IQ", SPI, seq)
        sealed = AESGCM(ENC[:16]).encrypt(ENC[16:20] + iv, text, aad)
        # The package gives 16-octet tags; 8 is their front (SP 800-38D).
        return hdr + iv + sealed[: len(text) + (8 if suite == 12 else 16)]
    key = ENC[:16] if suite == 8 else ENC[:32]
    iv = aes(key, modes.ECB(), bytes(8) + struct.pack(">Q", seq))
    if len(text) % 16:  # authentic, but no whole blocks
        body = hdr + iv + text
    else:
        body = hdr + iv + aes(key, modes.CBC(iv), text)
    mac = hmac.new(AUTH, body + struct.pack(">I", seq >> 32), hashlib.sha256)
    return body + mac.digest()[:16]


def payload(n):
    return bytes((0x40 + i) & 255 for i in range(n))


def trailer(suite, n, nh):
    pad = -(n + 2) % BLOCK[suite]
    return bytes(range(1, pad + 1)) + bytes([pad, nh])


def row(fields, pkt):
    h = pkt.hex()
    text = "\n".join('\t  "%s"' % h[i : i + 60] for i in range(0, len(h), 60))
    print("\t{ %s,\n%s }," % (fields, text))


print("""/* SPDX-License-Identifier: MIT */
/* Known answers for ESP; made by vectors.py, do not edit. */
#pragma once

#include <stdint.h>

#define VECTOR_SPI 0xa1b2c3d4U
""")
print("/* Good packets: next header 6, payload 0x40, 0x41, ... */")
print("struct vector {\n\tuint16_t suite;\n\tuint64_t seq;\n\tuint32_t plain;\n\tconst char *hex;\n};\n")
print("static const struct vector vectors[] = {")
for suite in BLOCK:
    for seq, n in ((1, 0), (1, 45), (0x500000007, 30), (0xFFFFFFFF, 2)):
        row("%d, 0x%xULL, %d" % (suite, seq, n),
            packet(suite, seq, payload(n) + trailer(suite, n, 6)))
print("};\n")

print("/* Authentic packets with an odd trailer, seq 0x101. len: what esp_open gives\n"
      " * as plain length, -1 when it must refuse the padding. */")
print("struct odd_vector {\n\tuint16_t suite;\n\tconst char *what;\n\tint len;\n\tconst char *hex;\n};\n")
print("static const struct odd_vector odd_vectors[] = {")
for suite in BLOCK:
    cases = (
        ("last pad octet wrong", payload(10) + bytes([1, 2, 3, 5, 4, 6]), -1),
        ("first pad octet wrong", payload(10) + bytes([0, 2, 3, 4, 4, 6]), -1),
        ("pad length past the start", payload(14) + bytes([15, 6]), -1),
        # Behind 1, the last octet of GCM's IV, this looks right.
        ("padding that begins in the IV", bytes(range(2, 16)) + bytes([15, 6]),
         -1),
        ("pad length 255", payload(14) + bytes([255, 6]), -1),
        ("padding is all there is", bytes(range(1, 15)) + bytes([14, 6]), 0),
        ("no padding", payload(14) + bytes([0, 6]), 14),
        ("more padding than needed",
         payload(2) + bytes(range(1, 29)) + bytes([28, 6]), 2),
        ("dummy of random octets", payload(14) + bytes([255, 59]), 0),
        ("no whole block", payload(15) + bytes([0, 6]), -1),
    )
    for what, text, n in cases:
        row('%d, "%s", %d' % (suite, what, n), packet(suite, 0x101, text))
print("};")
