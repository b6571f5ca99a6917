# SPDX-License-Identifier: MIT
"""The MODP groups from RFC 3526's formula: nothing is copied but the offsets."""


def pi_bits(n):
    """floor(2^n * pi), by Machin's formula with 64 bits to spare."""
    one = 1 << (n + 64)

    def arctan_inverse(x):
        total = term = one // x
        k = 1
        while term:
            term //= x * x
            k += 2
            total += term // k if k % 4 == 1 else -(term // k)
        return total

    return (16 * arctan_inverse(5) - 4 * arctan_inverse(239)) >> 64


def prime(bits, offset):
    p = (2**bits - 2**(bits - 64) - 1
         + 2**64 * (pi_bits(bits - 130) + offset))
    # Fermat: catches a wrong digit of pi.
    assert pow(2, p - 1, p) == 1 and pow(2, (p - 1) // 2, p) == 1
    return p


# HIP's number of each group: prime (RFC 7401 5.2.7, RFC 3526 2, 3, 4).
GROUPS = {
    3: prime(1536, 741804),
    11: prime(2048, 124476),
    4: prime(3072, 1690314),
}
