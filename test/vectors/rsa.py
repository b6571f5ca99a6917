# SPDX-License-Identifier: MIT
"""RSA test keys and their DER, by the definitions (RFC 8017, 5208, 5915).

A prime is a hash of its name plus an offset that was searched for once; a
wrong offset fails Fermat's test here. Test keys only.
"""
import base64
import hashlib


def start(name, bits):
    """A number of exactly so many bits whose two upper ones are set."""
    n = int.from_bytes(hashlib.shake_256(name.encode()).digest(bits // 8 + 1),
                       "big") % 2**bits
    return n | 3 << (bits - 2) | 1


class Key:
    def __init__(self, bits, offsets, e=65537):
        half = bits // 2
        self.p = start("hipgate p %d" % bits, bits - half) + offsets[0]
        self.q = start("hipgate q %d" % bits, half) + offsets[1]
        for r in (self.p, self.q):
            assert pow(2, r - 1, r) == 1
        self.n, self.e = self.p * self.q, e
        assert self.n.bit_length() == bits
        self.bits = bits
        self.d = pow(e, -1, (self.p - 1) * (self.q - 1))

    def public(self):
        """RFC 3110 2: length of e, e, n."""
        e = number(self.e)
        return bytes([len(e)]) + e + number(self.n)

    def raw(self, block):
        """block ^ d by the Chinese remainder theorem."""
        m, p, q = int.from_bytes(block, "big"), self.p, self.q
        mp = pow(m, self.d % (p - 1), p)
        mq = pow(m, self.d % (q - 1), q)
        s = mq + q * ((mp - mq) * pow(q, -1, p) % p)
        return s.to_bytes((self.bits + 7) // 8, "big")

    def pem(self):
        p, q, d = self.p, self.q, self.d
        inner = sequence(*(integer(v) for v in (
            0, self.n, self.e, d, p, q, d % (p - 1), d % (q - 1),
            pow(q, -1, p))))
        oid = sequence(b"\x06\x09" + bytes.fromhex("2a864886f70d010101"),
                       b"\x05\x00")
        return pem(sequence(integer(0), oid, der(4, inner)))


def ec_pem(curve_oid, size, d, point):
    """PKCS #8 of an elliptic curve's key; point with its 04."""
    inner = sequence(integer(1), der(4, d.to_bytes(size, "big")),
                     der(0xA1, der(3, b"\0" + point)))
    oid = sequence(der(6, bytes.fromhex("2a8648ce3d0201")),
                   der(6, bytes.fromhex(curve_oid)))
    return pem(sequence(integer(0), oid, der(4, inner)))


def number(v):
    return v.to_bytes((v.bit_length() + 7) // 8, "big")


def der(tag, contents):
    n = len(contents)
    if n < 128:
        return bytes([tag, n]) + contents
    size = number(n)
    return bytes([tag, 0x80 | len(size)]) + size + contents


def integer(v):
    return der(2, v.to_bytes(v.bit_length() // 8 + 1, "big"))


def sequence(*parts):
    return der(0x30, b"".join(parts))


def pem(data):
    text = base64.b64encode(data).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return ["-----BEGIN PRIVATE KEY-----"] + lines + [
        "-----END PRIVATE KEY-----"]
