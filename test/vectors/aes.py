# SPDX-License-Identifier: MIT
"""AES and the modes of ESP, by their definitions (FIPS 197, SP 800-38A/C/D)."""


def _sbox():
    box = [0] * 256
    p = q = 1
    while True:
        p ^= (p << 1) ^ (0x11B if p & 0x80 else 0)  # times 3
        p &= 0xFF
        q ^= q << 1  # divided by 3
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        x = q
        for i in range(1, 5):
            x ^= ((q << i) | (q >> (8 - i))) & 0xFF
        box[p] = x ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return box


SBOX = _sbox()


def _twice(x):
    return (x << 1) ^ (0x11B if x & 0x80 else 0)


class Aes:
    """One key; encrypts single blocks."""

    def __init__(self, key):
        words = [key[i:i + 4] for i in range(0, len(key), 4)]
        n, rounds, rcon = len(words), len(words) + 6, 1
        for i in range(n, 4 * (rounds + 1)):
            t = words[-1]
            if i % n == 0:
                t = bytes(SBOX[b] for b in t[1:] + t[:1])
                t = bytes([t[0] ^ rcon]) + t[1:]
                rcon = _twice(rcon)
            elif n > 6 and i % n == 4:
                t = bytes(SBOX[b] for b in t)
            words.append(bytes(a ^ b for a, b in zip(words[i - n], t)))
        self.keys = [b"".join(words[i:i + 4]) for i in range(0, len(words), 4)]

    def block(self, data):
        s = xor(data, self.keys[0])
        for key in self.keys[1:]:
            s = bytes(SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16))
            if key is not self.keys[-1]:
                s = b"".join(self._mix(s[i:i + 4]) for i in range(0, 16, 4))
            s = xor(s, key)
        return s

    @staticmethod
    def _mix(c):
        return bytes(_twice(c[i]) ^ _twice(c[(i + 1) % 4]) ^ c[(i + 1) % 4]
                     ^ c[(i + 2) % 4] ^ c[(i + 3) % 4] for i in range(4))


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def blocks(data):
    return [data[i:i + 16] for i in range(0, len(data), 16)]


def cbc(key, iv, data):
    a, out = Aes(key), b""
    for b in blocks(data):
        iv = a.block(xor(b, iv))
        out += iv
    return out


def ctr(a, first, data):
    """first: counter block as a number; its last 32 bits count (or wrap)."""
    out = b""
    for b in blocks(data):
        out += xor(b, a.block(first.to_bytes(16, "big")))
        first = first >> 32 << 32 | (first + 1) & 0xFFFFFFFF
    return out


def _pad(data):
    return data + bytes(-len(data) % 16)


def _ghash(hash_key, data):
    y = 0
    for b in blocks(data):
        x, v, y = y ^ int.from_bytes(b, "big"), hash_key, 0
        for i in range(127, -1, -1):
            if x >> i & 1:
                y ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return y.to_bytes(16, "big")


def gcm(key, nonce, aad, data, tag_len):
    """SP 800-38D with a nonce of 96 bits."""
    a = Aes(key)
    start = int.from_bytes(nonce + b"\0\0\0\1", "big")
    text = ctr(a, start + 1, data)
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(text)).to_bytes(
        8, "big")
    s = _ghash(int.from_bytes(a.block(bytes(16)), "big"),
               _pad(aad) + _pad(text) + lengths)
    return text + xor(s, a.block(start.to_bytes(16, "big")))[:tag_len]


def ccm(key, nonce, aad, data, tag_len):
    """SP 800-38C; aad shorter than 2^16 - 2^8 octets."""
    a, q = Aes(key), 15 - len(nonce)
    flags = (0x40 if aad else 0) | (tag_len - 2) // 2 << 3 | (q - 1)
    b = bytes([flags]) + nonce + len(data).to_bytes(q, "big")
    if aad:
        b += _pad(len(aad).to_bytes(2, "big") + aad)
    mac = bytes(16)
    for x in blocks(b + _pad(data)):
        mac = a.block(xor(mac, x))
    count = int.from_bytes(bytes([q - 1]) + nonce + bytes(q), "big")
    return ctr(a, count + 1, data) + xor(
        mac, a.block(count.to_bytes(16, "big")))[:tag_len]


# FIPS 197 appendix C.1 and C.3; SP 800-38C example 1; test case 2 of the GCM paper.
_TEXT = bytes.fromhex("00112233445566778899aabbccddeeff")
assert Aes(bytes(range(16))).block(_TEXT).hex() == \
    "69c4e0d86a7b0430d8cdb78070b4c55a"
assert Aes(bytes(range(32))).block(_TEXT).hex() == \
    "8ea2b7ca516745bfeafc49904b496089"
assert ccm(bytes(range(0x40, 0x50)), bytes(range(0x10, 0x17)),
           bytes(range(8)), bytes(range(0x20, 0x24)), 4).hex() == \
    "7162015b4dac255d"
assert gcm(bytes(16), bytes(12), b"", bytes(16), 16).hex() == \
    "0388dace60b6a392f328c2b971b2fe78" "ab6e47d42cec13bdf53a67b21257bddf"
