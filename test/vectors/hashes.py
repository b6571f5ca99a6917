# SPDX-License-Identifier: MIT
"""HIT, HKDF, PSS and the Internet checksum (RFC 7343, 5869, 8017, 1071)."""
import hashlib
import hmac

CONTEXT = bytes.fromhex("f0eff02fbff43d0fe7930c3c6e6174ea")  # RFC 7401 3.2
HASH = {1: "sha256", 2: "sha384"}  # HIT suite: RHASH


def digest(suite, data):
    return hashlib.new(HASH[suite], data).digest()


def hit(suite, hi):
    """2001:20::/28, the suite, the middle 96 bits (RFC 7343 2)."""
    d = digest(suite, CONTEXT + hi)
    start = (len(d) - 12) // 2
    return bytes([0x20, 0x01, 0x00, 0x20 | suite]) + d[start:start + 12]


def hkdf(suite, salt, ikm, info, length):
    name = HASH[suite]
    prk = hmac.new(salt, ikm, name).digest()
    out, t, n = b"", b"", 1
    while len(out) < length:
        t = hmac.new(prk, t + info + bytes([n]), name).digest()
        out += t
        n += 1
    return out[:length]


def mgf1(name, seed, length):
    out = b""
    for n in range(length // 32 + 1):
        out += hashlib.new(name, seed + n.to_bytes(4, "big")).digest()
    return out[:length]


def pss(suite, message, salt, bits):
    """EMSA-PSS for a modulus of so many bits (RFC 8017 9.1.1)."""
    name = HASH[suite]
    size = (bits - 1 + 7) // 8
    m = bytes(8) + digest(suite, message) + salt
    check = hashlib.new(name, m).digest()
    db = bytes(size - len(salt) - len(check) - 2) + b"\1" + salt
    mask = mgf1(name, check, len(db))
    db = bytearray(a ^ b for a, b in zip(db, mask))
    db[0] &= 0xFF >> (8 * size - (bits - 1))
    return bytes(db) + check + b"\xbc"


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(int.from_bytes(data[i:i + 2], "big")
                for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


# RFC 5869 A.1
assert hkdf(1, bytes(range(13)), b"\x0b" * 22, bytes(range(0xF0, 0xFA)),
            42).hex() == ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db0"
                          "2d56ecc4c5bf34007208d5b887185865")
