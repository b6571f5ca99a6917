#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Known answers from a second implementation, in the C tests' form.

usage: make.py          writes known_*.h beside this file
       make.py --check  compares them instead; names what differs

Written from the RFCs alone: the standard library for hashes and big numbers,
the files beside this one for all else. Nothing of hipgate, no other library.
"""
import os
import struct
import sys

import aes
import curves
import hashes
import modp
import rsa

HERE = os.path.dirname(os.path.abspath(__file__))
MESSAGE = b"hipgate"


class Header:
    def __init__(self, name, what, include=""):
        self.name, self.lines = name, [
            "/* SPDX-License-Identifier: MIT */",
            "/* %s; made by test/vectors/make.py, do not edit. */" % what,
            "#pragma once", "", "#include <stdint.h>", ""]
        if include:
            self.lines += ['#include "%s"' % include, ""]
        self.lines.append("/* clang-format off */")

    def put(self, text):
        self.lines += text.split("\n")

    def struct(self, name, fields):
        self.put("struct %s {" % name)
        self.lines += ["\t%s;" % f for f in fields]
        self.put("};\n\nstatic const struct %s %ss[] = {" % (name, name))

    def row(self, *fields):
        """Numbers and names as they are; octets as hexadecimal strings;
        lists as lines of text."""
        self.put("\t{")
        for f in fields:
            if isinstance(f, bytes):
                text = f.hex()
                self.lines += ['\t\t"%s"' % text[i:i + 64]
                               for i in range(0, len(text), 64)] or ['\t\t""']
                self.lines[-1] += ","
            elif isinstance(f, list):
                self.lines += ['\t\t"%s\\n"' % line for line in f]
                self.lines[-1] += ","
            else:
                self.put("\t\t%s," % f)
        self.put("\t},")

    def end(self):
        self.put("};\n")

    def text(self):
        return "\n".join(self.lines).rstrip("\n") + "\n"


# ---- identities ----------------------------------------------------------

RSA = [(2048, "HIP_ALG_RSA_2048", (708, 3654), 65537),
       (2052, "HIP_ALG_RSA_2048", (816, 2426), 3),
       (3072, "HIP_ALG_RSA_3072", (488, 1616), 65537),
       (4096, "HIP_ALG_RSA_4096", (1450, 14430), 65537)]
RSA_REFUSED = [(2040, (734, 1468)), (4104, (538, 682))]
EC = [(curves.P256, "HIP_ALG_ECDSA_P256", 1, "2a8648ce3d030107", 0x1234567),
      (curves.P384, "HIP_ALG_ECDSA_P384", 2, "2b81040022", 0x7654321)]


def short_nonce(c, d, digest):
    """A nonce whose s begins with a zero octet: it has to be padded."""
    k = 0x1001
    while c.sign(d, k, digest)[c.size] != 0:
        k += 1
    return k


def identities():
    h = Header("known_identity", "Host Identities and their signatures",
               "hip/hip.h")
    h.put("/* HI fields, HITs (middle 96 bits), DNS keys; signatures over\n"
          " * \"hipgate\": RSA with a salt of the hash's length, and with\n"
          " * none; ECDSA with a fixed nonce, and with an s that begins with\n"
          " * a zero octet. */")
    h.struct("known_key", [
        "unsigned alg", "unsigned suite", "unsigned dns_alg",
        "const char *pem", "const char *hi", "const char *dns",
        "const char *hit", "const char *sig", "const char *sig_odd"])
    for c, name, number, oid, d in EC:
        xy = c.octets(c.times(d, c.g))
        hi = struct.pack(">HB", number, 4) + xy
        e = hashes.digest(2, MESSAGE)
        h.row(name, 2, 3, rsa.ec_pem(oid, c.size, d, b"\4" + xy), hi, xy,
              hashes.hit(2, hi), c.sign(d, 0x87654321, e),
              c.sign(d, short_nonce(c, d, e), e))
    for bits, name, offsets, e in RSA:
        key = rsa.Key(bits, offsets, e)
        hi = key.public()
        h.row(name, 1, 2, key.pem(), hi, hi, hashes.hit(1, hi), *(
            key.raw(hashes.pss(1, MESSAGE, bytes(range(n)), bits))
            for n in (32, 0)))
    h.end()
    h.put("/* A modulus too short, and one too long. */")
    h.struct("known_refused_key", ["const char *pem", "const char *hi"])
    for bits, offsets in RSA_REFUSED:
        key = rsa.Key(bits, offsets)
        h.row(key.pem(), key.public())
    h.end()
    return h


# ---- Diffie-Hellman --------------------------------------------------------


def dh_curve(h, c):
    a = c.p // 3 % c.n
    public = c.times(a, c.g)
    b = c.p // 7 % c.n
    peer, kij = c.times(b, c.g), c.times(b, public)
    ordinary = True
    zero = 2 if c.p >> 520 else 1  # P-521's first octet is but one bit
    for _ in range(100000):
        s = kij[0].to_bytes(c.size, "big")
        if ordinary or not any(s[:zero]):
            h.row(c.number, a.to_bytes(c.size, "big"), c.octets(public),
                  c.octets(peer), s)
            if not ordinary:
                return
            ordinary = False
        peer, kij = c.add(peer, c.g), c.add(kij, public)
    raise SystemExit("no short secret on " + c.name)


def dh_modp(h, group):
    p = modp.GROUPS[group]
    size = p.bit_length() // 8
    a = p // 3 % 2**300
    public = pow(2, a, p)
    while public >> 8 * (size - 1):  # left-padded, too
        a, public = a + 1, public * 2 % p
    b = p // 7 % 2**300
    peer, kij = pow(2, b, p), pow(public, b, p)
    ordinary = True
    for _ in range(100000):
        if ordinary or not kij >> 8 * (size - 1):
            h.row(group, *(v.to_bytes(size, "big")
                           for v in (a, public, peer, kij)))
            if not ordinary:
                return
            ordinary = False
        peer, kij = peer * 2 % p, kij * public % p
    raise SystemExit("no short secret in group %d" % group)


def dh():
    h = Header("known_dh", "Diffie-Hellman")
    h.put("/* Two of each group: an ordinary one, and one whose secret begins\n"
          " * with a zero octet; public values of MODP groups do as well. */")
    h.struct("known_dh", ["uint8_t group", "const char *private",
                          "const char *public", "const char *peer",
                          "const char *kij"])
    for c in (curves.P256, curves.P384, curves.P521):
        dh_curve(h, c)
    for group in (3, 4, 11):
        dh_modp(h, group)
    h.end()
    h.put("/* Primes of the MODP groups. */")
    h.struct("known_prime", ["uint8_t group", "const char *p"])
    for group, p in modp.GROUPS.items():
        h.row(group, p.to_bytes(p.bit_length() // 8, "big"))
    h.end()
    return h


# ---- KEYMAT ----------------------------------------------------------------

HASH_LEN = {1: 32, 2: 48}
CIPHER_KEY = {2: 16, 4: 32}
# ESP suite: cipher key and salt, authentication key.
ESP_KEYS = {7: (0, 32), 8: (16, 32), 9: (32, 32), 10: (19, 0), 11: (19, 0),
            12: (20, 0), 13: (20, 0)}


def keymat():
    h = Header("known_keymat", "KEYMAT and the order of its keys")
    h.put("/* As host `self` sees them (RFC 7401 6.5, 7402 7); #I is 00 01 ..,\n"
          " * #J is 80 81 .., in the hash's length. */")
    h.struct("known_keymat", [
        "unsigned rhash", "uint16_t cipher", "uint16_t esp",
        "uint16_t index", "uint16_t next", "const char *self",
        "const char *peer", "const char *kij", "const char *enc_out",
        "const char *mac_out", "const char *enc_in", "const char *mac_in",
        "const char *esp_out_enc", "const char *esp_out_auth",
        "const char *esp_in_enc", "const char *esp_in_auth"])
    low = bytes.fromhex("20010021") + b"\x11" * 12
    high = bytes.fromhex("20010022") + b"\x99" * 12
    # Alike up to the last octet, which is above 127: unsigned (checklist I15).
    twin = high[:15] + b"\x80"
    kij = b"\0" + bytes(range(1, 66))
    for rhash, cipher, pair in ((1, 2, (low, high)), (1, 2, (high, low)),
                                (2, 4, (low, high)), (2, 4, (high, low)),
                                (1, 4, (twin, high)), (2, 2, (high, twin))):
        for esp in ESP_KEYS if pair[1] == high else (13,):
            keymat_row(h, (rhash, cipher, esp), pair, kij)
    h.end()
    return h


def keymat_row(h, suites, pair, kij):
    rhash, cipher, esp = suites
    n, key = HASH_LEN[rhash], CIPHER_KEY[cipher]
    index = 2 * (key + n)
    salt = bytes(range(n)) + bytes(range(0x80, 0x80 + n))
    km = hashes.hkdf(rhash, salt, kij, min(pair) + max(pair), 1024)
    cut, parts = 0, []
    for size in (key, n, key, n) + 2 * ESP_KEYS[esp]:
        parts.append(km[cut:cut + size])
        cut += size
    gl, lg = parts[0:2] + parts[4:6], parts[2:4] + parts[6:8]
    out, in_ = (gl, lg) if pair[0] > pair[1] else (lg, gl)
    h.row(rhash, cipher, esp, index, cut, pair[0], pair[1], kij,
          out[0], out[1], in_[0], in_[1], out[2], out[3], in_[2], in_[3])


# ---- ESP -------------------------------------------------------------------

ENC = bytes(range(0x10, 0x10 + 36))
AUTH = bytes(range(0x80, 0xA0))
SPI = 0xA1B2C3D4
BLOCK = {7: 4, 8: 16, 9: 16, 10: 4, 11: 4, 12: 4, 13: 4}
SEAL = {10: (aes.ccm, 3, 8), 11: (aes.ccm, 3, 16),
        12: (aes.gcm, 4, 8), 13: (aes.gcm, 4, 16)}


def packet(suite, seq, text):
    """text: payload, padding, pad length, next header."""
    hdr = struct.pack(">II", SPI, seq & 0xFFFFFFFF)
    if suite in SEAL:
        seal, salt, tag = SEAL[suite]
        iv = struct.pack(">Q", seq)
        return hdr + iv + seal(ENC[:16], ENC[16:16 + salt] + iv,
                               struct.pack(">IQ", SPI, seq), text, tag)
    if suite == 7:
        body = hdr + text
    else:
        key = ENC[:16] if suite == 8 else ENC[:32]
        iv = aes.Aes(key).block(bytes(8) + struct.pack(">Q", seq))
        # Authentic, but no whole blocks: left as it is.
        body = hdr + iv + (text if len(text) % 16 else aes.cbc(key, iv, text))
    mac = hashes.hmac.new(AUTH, body + struct.pack(">I", seq >> 32), "sha256")
    return body + mac.digest()[:16]


def payload(n):
    return bytes((0x40 + i) & 255 for i in range(n))


def trailer(suite, n, nh):
    pad = -(n + 2) % BLOCK[suite]
    return bytes(range(1, pad + 1)) + bytes([pad, nh])


ODD = (
    ("last pad octet wrong", payload(10) + bytes([1, 2, 3, 5, 4, 6]), -1),
    ("first pad octet wrong", payload(10) + bytes([0, 2, 3, 4, 4, 6]), -1),
    ("pad length past the start", payload(14) + bytes([15, 6]), -1),
    # Behind 1, the last octet of GCM's IV, this looks right.
    ("padding that begins in the IV", bytes(range(2, 16)) + bytes([15, 6]), -1),
    ("pad length 255", payload(14) + bytes([255, 6]), -1),
    ("padding is all there is", bytes(range(1, 15)) + bytes([14, 6]), 0),
    ("no padding", payload(14) + bytes([0, 6]), 14),
    ("more padding than needed",
     payload(2) + bytes(range(1, 29)) + bytes([28, 6]), 2),
    ("dummy of random octets", payload(14) + bytes([255, 59]), 0),
    ("no whole block", payload(15) + bytes([0, 6]), -1),
)


def esp():
    h = Header("known_esp", "ESP packets")
    h.put("#define KNOWN_ESP_SPI 0xa1b2c3d4U\n\n"
          "/* Good packets: next header 6, payload 0x40, 0x41, ... */")
    h.struct("known_esp", ["uint16_t suite", "uint64_t seq", "uint32_t plain",
                           "const char *hex"])
    for suite in BLOCK:
        for seq, n in ((1, 0), (1, 45), (0x500000007, 30), (0xFFFFFFFF, 2)):
            h.row(suite, "0x%xULL" % seq, n,
                  packet(suite, seq, payload(n) + trailer(suite, n, 6)))
    h.end()
    return h


def esp_odd():
    h = Header("known_esp_odd", "ESP packets with an odd trailer")
    h.put("/* Authentic, seq 0x101. len: what esp_open gives as plain length,\n"
          " * -1 when it must refuse the padding. */")
    h.struct("known_esp_odd", ["uint16_t suite", "const char *what",
                               "int len", "const char *hex"])
    for suite in BLOCK:
        for what, text, n in ODD:
            h.row(suite, '"%s"' % what, n, packet(suite, 0x101, text))
    h.end()
    return h


# ---- checksums of RFC 7401 appendix C -----------------------------------------


def checksum():
    h = Header("known_checksum", "RFC 7401 appendix C")
    h.put("/* pseudo | packet with its checksum field 0 */")
    h.struct("known_checksum", ["const char *what", "uint16_t sum",
                                "unsigned pseudo_len", "const char *hex"])
    hits = [bytes.fromhex("20010020") + bytes(11) + bytes([n]) for n in (1, 2)]
    groups = bytes.fromhex("01ff0003030408") + bytes(1)
    i1 = bytes([59, 5, 1, 0x21]) + bytes(4) + hits[0] + hits[1] + groups
    six = [bytes.fromhex("20010db8") + bytes(11) + bytes([n]) for n in (1, 2)]
    four = [bytes([192, 0, 2, n]) for n in (1, 2)]
    syn = struct.pack(">HHIIBBHHH", 65500, 22, 1, 0, 0x50, 2, 65535, 0, 0)
    for what, want, pseudo, data in (
            ("C.1 I1 over IPv6", 0x1A5E,
             six[0] + six[1] + struct.pack(">II", len(i1), 139), i1),
            ("C.2 I1 over IPv4", 0xF1CE,
             four[0] + four[1] + struct.pack(">BBH", 0, 139, len(i1)), i1),
            ("C.3 TCP SYN over HITs", 0x6FAA,
             hits[0] + hits[1] + struct.pack(">II", len(syn), 6), syn)):
        got = hashes.checksum(pseudo + data)
        if got != want:
            raise SystemExit("%s: 0x%04x" % (what, got))
        h.row('"%s"' % what, "0x%04x" % want, len(pseudo), pseudo + data)
    h.end()
    return h


def main():
    bad = 0
    for h in (identities(), dh(), keymat(), esp(), esp_odd(), checksum()):
        path = os.path.join(HERE, h.name + ".h")
        if sys.argv[1:] == ["--check"]:
            old = open(path).read() if os.path.exists(path) else ""
            if old != h.text():
                print("%s differs; run test/vectors/make.py" % path)
                bad = 1
        else:
            open(path, "w").write(h.text())
    return bad


if __name__ == "__main__":
    sys.exit(main())
