# SPDX-License-Identifier: MIT
"""NIST curves by their formulas: points, ECDH, ECDSA (FIPS 186-4, RFC 5903).

Affine, slow, plain: it is there to disagree with the library if it must.
"""


class Curve:
    """y^2 = x^3 - 3x + b over the field of p; n is the base point's order."""

    def __init__(self, name, number, p, b, gx, gy, n):
        self.name, self.number = name, number
        self.p, self.b, self.n = p, b, n
        self.g = (gx, gy)
        self.size = (p.bit_length() + 7) // 8
        assert self.on(self.g)
        assert self.times(n, self.g) is None

    def on(self, point):
        x, y = point
        return (y * y - (x * x * x - 3 * x + self.b)) % self.p == 0

    def add(self, a, b):
        """None is the point at infinity."""
        if a is None or b is None:
            return b if a is None else a
        p = self.p
        if a[0] == b[0]:
            if (a[1] + b[1]) % p == 0:
                return None
            slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, p) % p
        else:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, p) % p
        x = (slope * slope - a[0] - b[0]) % p
        return (x, (slope * (a[0] - x) - a[1]) % p)

    def times(self, k, point):
        sum_ = None
        while k:
            if k & 1:
                sum_ = self.add(sum_, point)
            point = self.add(point, point)
            k >>= 1
        return sum_

    def octets(self, point):
        """x | y, each in the field's width."""
        return b"".join(v.to_bytes(self.size, "big") for v in point)

    def sign(self, d, k, digest):
        """r | s for the nonce k (FIPS 186-4 6.4; RFC 4754 3)."""
        e = int.from_bytes(digest, "big")
        e >>= max(0, 8 * len(digest) - self.n.bit_length())
        r = self.times(k, self.g)[0] % self.n
        s = pow(k, -1, self.n) * (e + r * d) % self.n
        size = (self.n.bit_length() + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def h(text):
    return int(text.replace(" ", ""), 16)


P256 = Curve(
    "P-256", 7, 2**256 - 2**224 + 2**192 + 2**96 - 1,
    h("5ac635d8 aa3a93e7 b3ebbd55 769886bc 651d06b0 cc53b0f6 3bce3c3e 27d2604b"),
    h("6b17d1f2 e12c4247 f8bce6e5 63a440f2 77037d81 2deb33a0 f4a13945 d898c296"),
    h("4fe342e2 fe1a7f9b 8ee7eb4a 7c0f9e16 2bce3357 6b315ece cbb64068 37bf51f5"),
    h("ffffffff 00000000 ffffffff ffffffff bce6faad a7179e84 f3b9cac2 fc632551"))

P384 = Curve(
    "P-384", 8, 2**384 - 2**128 - 2**96 + 2**32 - 1,
    h("b3312fa7 e23ee7e4 988e056b e3f82d19 181d9c6e fe814112 0314088f 5013875a"
      "c656398d 8a2ed19d 2a85c8ed d3ec2aef"),
    h("aa87ca22 be8b0537 8eb1c71e f320ad74 6e1d3b62 8ba79b98 59f741e0 82542a38"
      "5502f25d bf55296c 3a545e38 72760ab7"),
    h("3617de4a 96262c6f 5d9e98bf 9292dc29 f8f41dbd 289a147c e9da3113 b5f0b8c0"
      "0a60b1ce 1d7e819d 7a431d7c 90ea0e5f"),
    h("ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff c7634d81 f4372ddf"
      "581a0db2 48b0a77a ecec196a ccc52973"))

P521 = Curve(
    "P-521", 9, 2**521 - 1,
    h("0051 953eb961 8e1c9a1f 929a21a0 b68540ee a2da725b 99b315f3 b8b48991"
      "8ef109e1 56193951 ec7e937b 1652c0bd 3bb1bf07 3573df88 3d2c34f1 ef451fd4"
      "6b503f00"),
    h("00c6 858e06b7 0404e9cd 9e3ecb66 2395b442 9c648139 053fb521 f828af60"
      "6b4d3dba a14b5e77 efe75928 fe1dc127 a2ffa8de 3348b3c1 856a429b f97e7e31"
      "c2e5bd66"),
    h("0118 39296a78 9a3bc004 5c8a5fb4 2c7d1bd9 98f54449 579b4468 17afbd17"
      "273e662c 97ee7299 5ef42640 c550b901 3fad0761 353c7086 a272c240 88be9476"
      "9fd16650"),
    h("01ff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff"
      "fffffffa 51868783 bf2f966b 7fcc0148 f709a5d0 3bb5c9b8 899c47ae bb6fb71e"
      "91386409"))
