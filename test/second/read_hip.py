#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads the HIPv2 messages of a capture by the text of the RFCs alone.

usage: read_hip.py CAPTURE [KEYS]

Prints the listing that listing.h describes, and on stderr each rule for the
sender (RFC 7401 5, 7402 5, 8003 4, 8004 4, 9028 5) that a packet breaks;
the exit code is then 1. KEYS (see second.c) lets it open ENCRYPTED, by the
openssl program. It shares nothing with hipgate's own reader, so that the two
can be held against each other: no parameter table, no length, no name but
those of the listing.
"""
import hashlib
import struct
import subprocess
import sys

I1, R1, I2, R2, UPDATE, NOTIFY, CLOSE, CLOSE_ACK = 1, 2, 3, 4, 16, 17, 18, 19

# RFC 7401 5.3, 7402 5.2: what a packet must carry; a tuple means one of.
MUST = {
    I1: [511],
    R1: [257, 511, 513, 579, 705, 715, 2049, 4095, 61633],
    I2: [65, 321, 513, 579, (641, 705), 2049, 4095, 61505, 61697],
    R2: [65, 61569, 61697],
    UPDATE: [(385, 449), 61505, 61697],
    NOTIFY: [832, 61697],
    CLOSE: [897, 61505, 61697],
    CLOSE_ACK: [961, 61505, 61697],
}
REPEATED = {832, 932, 934, 936, 4680, 63425, 63661, 65498}
# RFC 7401 5.2.7: octets of a public value (MODP: the prime; ECP: x and y).
DH_LEN = {3: 192, 4: 384, 7: 64, 8: 96, 9: 132, 11: 256}
# RFC 7401 5.2.10: the hash of a HIT suite; its octets.
RHASH = {1: hashlib.sha256, 2: hashlib.sha384}
HASH_LEN = {1: 32, 2: 48}
CIPHER = {1: None, 2: "aes-128-cbc", 4: "aes-256-cbc"}
CONTEXT = bytes.fromhex("f0eff02fbff43d0fe7930c3c6e6174ea")
CURVE = {1: 32, 2: 48}  # ECC curve: octets of a coordinate
MAPPED = bytes(10) + b"\xff\xff"


def be(octets):
    return int.from_bytes(octets, "big")


def suite_of(hit):
    """The HIT suite, or None: not 2001:20::/28 (RFC 7343)."""
    if hit[:3] != b"\x20\x01\x00" or hit[3] >> 4 != 2:
        return None
    return hit[3] & 15


def hit_of(suite, host_identity):
    """RFC 7401 3.2, 7343 2: the middle 96 bits of the hash."""
    digest = RHASH[suite](CONTEXT + host_identity).digest()
    skip = (len(digest) - 12) // 2
    return bytes([0x20, 1, 0, 0x20 | suite]) + digest[skip:skip + 12]


class Frame:
    """One UDP datagram of a capture."""

    def __init__(self, number, ip):
        self.number = number
        self.payload = None
        if ip[0] >> 4 == 4:
            head, proto = (ip[0] & 15) * 4, ip[9]
            ends = ip[12:16], ip[16:20]
            end = be(ip[2:4])
            self.ends = [MAPPED + a for a in ends]
        else:
            head, proto = 40, ip[6]
            ends = ip[8:24], ip[24:40]
            end = 40 + be(ip[4:6])
            self.ends = ends
        if proto != 17:
            return
        udp = ip[head:end]
        self.ports = struct.unpack("!HH", udp[:4])
        self.payload = udp[8:]
        self.at = head + 8  # of the payload in the IP packet
        pseudo = b"".join(ends) + struct.pack("!II", len(udp), 17)
        total = sum(struct.unpack("!%dH" % ((len(udp) + 1) // 2),
                                  udp + bytes(len(udp) % 2)))
        total += sum(struct.unpack("!%dH" % (len(pseudo) // 2), pseudo))
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        self.checksum_good = total == 0xffff and be(udp[6:8]) != 0

    def is_hip(self, places):
        """RFC 9028 5.1: 4 zero octets on the port of HIP, or at one of the
        places that HIP was said to be: behind a NAT, or relayed."""
        if self.payload is None or self.payload[:4] != bytes(4):
            return False
        return 10500 in self.ports or \
            not places.isdisjoint(zip(self.ends, self.ports))


def records(path):
    """(offset in the file, octets) of each IP packet of a pcap file."""
    with open(path, "rb") as f:
        data = f.read()
    order = ">" if data[:2] == b"\xa1\xb2" else "<"
    link, = struct.unpack(order + "I", data[20:24])
    skip = {101: 0, 1: 14, 113: 16, 276: 20}[link]
    at = 24
    while at < len(data):
        length, = struct.unpack(order + "I", data[at + 8:at + 12])
        yield at + 16 + skip, data[at + 16 + skip:at + 16 + length]
        at += 16 + length


def frames(path):
    for number, (_, ip) in enumerate(records(path), 1):
        if ip and ip[0] >> 4 in (4, 6):
            yield Frame(number, ip)


class Reader:
    """Reads messages in order; remembers who is who."""

    def __init__(self, keys):
        self.lines = []
        self.complaints = []
        self.keys = keys
        self.sig_len = {}  # HIT: octets of its signatures
        self.rhash_of = {}  # pair of HITs: the Responder's suite
        self.keyless = set()  # pairs of HITs that R1 was the last of
        self.ice = set()  # pairs of HITs in NAT traversal mode 3
        self.relayed = set()  # relayed addresses and ports
        self.places = set()  # addresses and ports of any kind
        self.where = None

    def put(self, name, value):
        if isinstance(value, (bytes, bytearray)):
            value = value.hex()
        self.lines.append((*self.where, name, str(value)))

    def must(self, good, text):
        if not good:
            self.complaints.append((*self.where, text))

    # ---- the message --------------------------------------------------

    def frame(self, f):
        self.where = (str(f.number), "0")
        self.put("from", f.ends[0])
        self.put("to", f.ends[1])
        self.put("from_port", f.ports[0])
        self.put("to_port", f.ports[1])
        self.message(f.payload[4:])

    def message(self, m):
        self.must(len(m) >= 40, "no HIP header")
        self.must(len(m) % 8 == 0 and m[1] == len(m) // 8 - 1,
                  "Header Length is not that of the message")
        for name, value in [("next", m[0]), ("length", m[1]),
                            ("fixed_0", m[2] >> 7), ("type", m[2] & 0x7f),
                            ("version", m[3] >> 4), ("fixed_1", m[3] & 1),
                            ("checksum", be(m[4:6])),
                            ("controls", be(m[6:8])),
                            ("sender", m[8:24]), ("receiver", m[24:40])]:
            self.put(name, value)
        self.must(m[0] == 59, "Next Header is not 59")
        self.must(m[2] >> 7 == 0 and m[3] & 0x0f == 1,
                  "fixed or reserved bits are not as the figure has them")
        self.must(m[3] >> 4 == 2, "Version is not 2")
        self.must(m[4:6] == bytes(2), "Checksum over UDP is not 0")
        self.must(be(m[6:8]) & ~1 == 0, "unknown Controls are set")
        self.must(m[2] in MUST, "unknown packet type")
        self.type, self.sender, self.receiver = m[2], m[8:24], m[24:40]
        self.must(suite_of(self.sender) in RHASH, "sender is no HIT")
        if self.type == R1:
            self.rhash_of[self.pair()] = suite_of(self.sender)
            self.keyless.add(self.pair())
        if self.type == I2:
            self.keyless.discard(self.pair())
            self.rhash_of[self.pair()] = suite_of(self.receiver)
        self.inner, self.opens = [], False
        found = self.parameters(m[40:], "")
        for where, plain in self.inner:
            found += self.parameters(plain, where + ".")
        self.where = (self.where[0], "0")
        for want in MUST.get(self.type, []):
            if want == 61697 and self.opens:
                continue
            some = want if isinstance(want, tuple) else (want,)
            self.must(any(t in found for t in some), f"no parameter {want}")

    def pair(self):
        return frozenset((self.sender, self.receiver))

    def hash_len(self):
        """Octets of RHASH between the two."""
        return HASH_LEN.get(self.rhash_of.get(self.pair()))

    def parameters(self, p, place):
        """RFC 7401 5.2.1; returns the types found."""
        found = []
        while p:
            self.where = (self.where[0], f"{place}{len(found) + 1}")
            t, n = struct.unpack("!HH", p[:4])
            total = 11 + n - (n + 3) % 8
            self.put("tlv", t)
            self.put("len", n)
            self.must(total <= len(p), "parameter longer than the message")
            self.must(not found or t > found[-1] or
                      (t == found[-1] and t in REPEATED),
                      f"type {t} after {found[-1] if found else 0}")
            self.must(not any(p[4 + n:total]), "padding is not zero")
            self.one(t, p[4:4 + n])
            found.append(t)
            p = p[total:]
        return found

    def one(self, t, c):
        # RFC 7401 5.2: for private use; no layout to go by
        read = Reader.octets if 32768 <= t <= 49151 else READ.get(t)
        self.must(read is not None, f"unknown type {t}")
        if read:
            read(self, c)

    # ---- parameters ---------------------------------------------------

    def octets(self, c):
        self.put("octets", c)

    def mac(self, c):
        self.put("octets", c)
        self.must(len(c) == self.hash_len(), "MAC has not RHASH's length")

    def other_mac(self, c):  # of the registration's association
        self.put("octets", c)
        self.must(len(c) in HASH_LEN.values(), "MAC of an odd length")

    def esp_info(self, c):
        self.must(len(c) == 12, "length")
        reserved, index, old, new = struct.unpack("!HHII", c)
        self.must(reserved == 0, "reserved is not zero")
        self.put("keymat_index", index)
        self.put("old_spi", old)
        self.put("new_spi", new)
        self.must(self.type == UPDATE or old == 0, "OLD SPI in an exchange")
        self.must(new > 255, "reserved SPI")  # RFC 4303 2.1

    def r1_counter(self, c):
        self.must(len(c) == 12, "length")
        reserved, counter = struct.unpack("!IQ", c)
        self.must(reserved == 0, "reserved is not zero")
        self.put("reserved", reserved)
        self.put("counter", counter)

    def puzzle(self, c):
        k, lifetime, opaque = struct.unpack("!BBH", c[:4])
        self.put("k", k)
        self.put("lifetime", lifetime)
        self.put("opaque", opaque)
        self.put("i", c[4:])
        self.must(len(c) - 4 == self.hash_len(), "#I has not RHASH's length")

    def solution(self, c):
        k, reserved, opaque = struct.unpack("!BBH", c[:4])
        half = (len(c) - 4) // 2
        i, j = c[4:4 + half], c[4 + half:]
        self.must(reserved == 0, "reserved is not zero")
        self.put("k", k)
        self.put("opaque", opaque)
        self.put("i", i)
        self.put("j", j)
        self.must(len(i) == len(j) == self.hash_len(), "length")
        rhash = RHASH[self.rhash_of[self.pair()]]
        digest = rhash(i + self.sender + self.receiver + j).digest()
        self.must(be(digest) % (1 << k) == 0, "#J does not solve the puzzle")

    def seq(self, c):
        self.must(len(c) == 4, "length")
        self.put("id", be(c))

    def ack(self, c):
        self.must(c and len(c) % 4 == 0, "length")
        for at in range(0, len(c), 4):
            self.put("id", be(c[at:at + 4]))

    def group_list(self, c):
        self.must(c and len(set(c)) == len(c), "empty, or twice the same")
        for group in c:
            self.put("group", group)

    def diffie_hellman(self, c):
        length = be(c[1:3])
        self.put("group", c[0])
        self.put("public_len", length)
        self.put("public", c[3:])
        self.must(length == len(c) - 3, "public value length")
        self.must(length == DH_LEN.get(c[0]), "not the length of its group")

    def ids(self, name, c):
        self.must(c and len(c) % 2 == 0, "length")
        ids = [be(c[at:at + 2]) for at in range(0, len(c), 2)]
        self.must(len(ids) <= 6, "more than six ids")
        self.must(len(set(ids)) == len(ids), "an id twice")
        for value in ids:
            self.put(name, value)
        return ids

    def hip_cipher(self, c):
        ids = self.ids("cipher", c)
        self.must(all(i in CIPHER for i in ids), "unknown HIP_CIPHER")
        self.must(self.type == R1 or len(ids) == 1, "more than one choice")
        # RFC 7401 5.2.8: a mandatory one is among what is offered
        self.must(self.type != R1 or 2 in ids, "AES-128-CBC is not offered")

    def encrypted(self, c):
        self.must(c[:4] == bytes(4), "reserved is not zero")
        self.put("data", c[4:])
        key = self.keys.get(self.where)
        if not key:
            self.must(not self.keys, "no key for ENCRYPTED")
            return
        if CIPHER[key[0]] is None:
            plain = c[4:]
        else:
            run = subprocess.run(
                ["openssl", "enc", "-d", "-" + CIPHER[key[0]], "-K", key[1],
                 "-iv", c[4:20].hex()], input=c[20:],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                check=False)
            self.must(run.returncode == 0, "cipher or its padding is wrong")
            plain = run.stdout
        self.must(plain and len(plain) % 8 == 0, "not whole parameters")
        self.inner.append((self.where[1], plain))
        if be(plain[:2]) == 705:  # whose signature is behind it
            self.learn(plain[4:4 + be(plain[2:4])])

    def host_id(self, c):
        """RFC 7401 5.2.9."""
        hi_len, di, alg = struct.unpack("!HHH", c[:6])
        di_type, di_len = di >> 12, di & 0xfff
        self.put("hi_len", hi_len)
        self.put("di_type", di_type)
        self.put("di_len", di_len)
        self.put("alg", alg)
        self.put("hi", c[6:6 + hi_len])
        self.put("di", c[6 + hi_len:])
        self.must(len(c) == 6 + hi_len + di_len, "lengths do not add up")
        self.must(di_type != 0 or di_len == 0, "a DI without a type")
        self.learn(c)
        suite = suite_of(self.sender)
        self.must(suite in RHASH and
                  hit_of(suite, c[6:6 + hi_len]) == self.sender,
                  "the Host Identity is not the sender's")
        # RFC 7401 5.2.10
        self.must(suite == {5: 1, 7: 2}.get(alg), "HIT suite and algorithm")

    def learn(self, c):
        """The layout of the Host Identity; keeps its signatures' length."""
        hi_len, _, alg = struct.unpack("!HHH", c[:6])
        hi = c[6:6 + hi_len]
        if alg == 7:
            half = CURVE.get(be(hi[:2]), 0)
            self.must(half and hi[2] == 4 and len(hi) == 3 + 2 * half,
                      "ECDSA: curve, 04, x, y")
            self.sig_len[self.sender] = 2 * half
        elif alg == 5:  # RFC 3110 2
            e_len, at = (hi[0], 1) if hi[0] else (be(hi[1:3]), 3)
            e, n = hi[at:at + e_len], hi[at + e_len:]
            self.must(e and e[0] and e[-1] & 1, "RSA: exponent")
            self.must(n and n[0] and n[-1] & 1 and
                      256 <= len(n) <= 512, "RSA: modulus")
            self.sig_len[self.sender] = len(n)
        else:
            self.must(False, f"algorithm {alg}")

    def hit_suite_list(self, c):
        for octet in c:
            self.put("hit_suite", octet)
            self.must(octet & 15 == 0, "low half of a suite id is not 0")
        self.must(suite_of(self.sender) << 4 in c, "own suite is not there")

    def notification(self, c):
        reserved, kind = struct.unpack("!HH", c[:4])
        self.must(reserved == 0, "reserved is not zero")
        self.put("type", kind)
        self.put("data", c[4:])
        # RFC 9028 5.3: NAT_KEEPALIVE. What a NAT is to see before there are
        # keys is not signed (docs/choices.md).
        self.opens = kind == 16385 and self.pair() in self.keyless

    def reg_info(self, c):
        self.put("min", c[0])
        self.put("max", c[1])
        self.must(c[0] <= c[1], "lifetimes")
        for reg in c[2:]:
            self.put("reg", reg)

    def reg_lifetime(self, c):
        self.put("lifetime", c[0])
        for reg in c[1:]:
            self.put("reg", reg)

    def reg_failed(self, c):
        self.put("failure", c[0])
        for reg in c[1:]:
            self.put("reg", reg)

    def locator_set(self, c):
        """RFC 8046 4, RFC 9028 5.7: a locator's length counts words."""
        while len(c) >= 8:
            traffic, kind, words, flags, lifetime = \
                struct.unpack("!BBBBI", c[:8])
            one, c = c[8:8 + 4 * words], c[8 + 4 * words:]
            self.must(traffic in (0, 1, 2), "traffic type")
            self.must({0: 4, 1: 5, 2: 7}.get(kind) == words,
                      "a locator's type and length do not match")
            self.must(len(one) == 4 * words, "a locator is cut short")
            self.must(flags & ~1 == 0, "reserved is not zero")
            self.must(lifetime > 0, "a locator without a lifetime")
            self.must(kind == 2 or traffic == 0, "a relay without a port")
            port, priority, candidate = 0, 0, 0
            if kind == 2:
                port, proto, candidate, priority = \
                    struct.unpack("!HBBI", one[:8])
                self.must(proto == 17 and port, "a locator without UDP port")
                self.must(candidate <= 3 and priority, "kind, priority")
                # RFC 9028 5.7; R1 is before the mode is chosen, and there
                # are no keys for it (docs/choices.md).
                self.must(self.pair() not in self.ice or self.type == R1 or
                          "." in self.where[1], "candidates in the clear")
            if traffic == 1:  # RFC 9028 4.5: its control relay
                self.put("server_port", port)
                self.put("server", one[-16:])
                continue
            self.put("preferred", flags & 1)
            self.put("lifetime", lifetime)
            self.put("port", port)
            self.put("address", one[-16:])
            self.put("kind", candidate)
            self.put("priority", priority)
            self.put("spi", be(one[-20:-16]) if kind else 0)
        self.must(not c, "length")

    def nat_modes(self, c):
        """RFC 9028 5.4."""
        self.must(c[:2] == bytes(2), "reserved is not zero")
        modes = self.ids("mode", c[2:])
        self.must(set(modes) <= {1, 2, 3}, "unknown NAT traversal mode")
        self.must(self.type == R1 or len(modes) == 1, "more than one choice")
        if self.type == I2 and modes == [3]:
            self.ice.add(self.pair())
        elif self.type == I2:
            self.ice.discard(self.pair())

    def number(self, c):
        self.must(len(c) == 4, "length")
        self.put("number", be(c))

    def positive(self, c):  # TRANSACTION_PACING, CANDIDATE_PRIORITY
        self.number(c)
        self.must(be(c) > 0, "none")

    def nominate(self, c):
        self.number(c)
        self.must(be(c) == 0, "reserved is not zero")

    def udp_at(self, c):
        """RFC 9028 5.6, 5.12."""
        port, proto, reserved = struct.unpack("!HBB", c[:4])
        self.put("port", port)
        self.put("address", c[4:])
        self.must(len(c) == 20 and reserved == 0, "length, reserved")
        self.must(proto == 17 and port, "not UDP, or no port")
        self.places.add((c[4:], port))

    def relayed_address(self, c):
        self.udp_at(c)
        self.relayed.add((c[4:], be(c[:2])))

    def peer_permission(self, c):
        """RFC 9028 5.13."""
        relayed, peer, proto = struct.unpack("!HHB", c[:5])
        self.must(len(c) == 48 and c[5:8] == bytes(3), "length, reserved")
        self.must(proto == 17 and relayed and peer, "not UDP, or no port")
        self.put("relayed_port", relayed)
        self.put("relayed", c[8:24])
        self.put("peer_port", peer)
        self.put("peer", c[24:40])
        self.must((c[8:24], relayed) in self.relayed, "of no relayed address")
        for name, spi in (("spi_out", be(c[40:44])), ("spi_in", be(c[44:]))):
            self.put(name, spi)
            self.must(spi > 255, "reserved SPI")

    def transport(self, c):
        self.ids("format", c)

    def esp_transform(self, c):
        self.must(c[:2] == bytes(2), "reserved is not zero")
        ids = self.ids("suite", c[2:])
        self.must(self.type == R1 or len(ids) == 1, "more than one choice")
        # RFC 7402 5.1.2: the mandatory one is among what is offered
        self.must(self.type != R1 or 8 in ids, "suite 8 is not offered")

    def signature(self, c):
        self.put("alg", be(c[:2]))
        self.put("sig", c[2:])
        want = self.sig_len.get(self.sender)
        # Without keys an Initiator's HOST_ID may have stayed hidden.
        self.must(len(c) - 2 == want or (want is None and not self.keys),
                  "not the length of its key's signatures")
        # RFC 7401 5.2.14: the number of 5.2.9
        suite = suite_of(self.sender)
        self.must(be(c[:2]) == {1: 5, 2: 7}.get(suite), "algorithm")

    def address(self, c):
        self.must(len(c) == 16, "length")
        self.put("address", c)


READ = {
    65: Reader.esp_info, 129: Reader.r1_counter, 193: Reader.locator_set,
    257: Reader.puzzle, 321: Reader.solution, 385: Reader.seq, 449: Reader.ack,
    511: Reader.group_list, 513: Reader.diffie_hellman,
    579: Reader.hip_cipher, 608: Reader.nat_modes, 610: Reader.positive,
    641: Reader.encrypted, 705: Reader.host_id, 715: Reader.hit_suite_list,
    832: Reader.notification, 897: Reader.octets, 930: Reader.reg_info,
    932: Reader.reg_lifetime, 934: Reader.reg_lifetime, 936: Reader.reg_failed,
    950: Reader.udp_at, 961: Reader.octets, 2049: Reader.transport,
    4095: Reader.esp_transform, 4650: Reader.relayed_address,
    4660: Reader.udp_at, 4680: Reader.peer_permission, 4700: Reader.positive,
    4710: Reader.nominate, 61505: Reader.mac, 61569: Reader.mac,
    61633: Reader.signature, 61697: Reader.signature, 63425: Reader.octets,
    63661: Reader.octets, 63998: Reader.udp_at, 64002: Reader.udp_at,
    65498: Reader.address, 65500: Reader.other_mac, 65502: Reader.address,
    65520: Reader.other_mac,
}


def read_keys(path):
    """{(frame, parameter): (HIP_CIPHER, key)}"""
    with open(path, encoding="ascii") as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    return {(row[0], row[1]): (int(row[2]), row[3]) for row in rows}


def read(path, keys):
    """The listing and the complaints, each as tuples of text."""
    reader = Reader(keys)
    for f in frames(path):
        if not f.is_hip(reader.places):
            continue
        try:
            reader.frame(f)
        except (struct.error, IndexError, KeyError) as e:
            reader.complaints.append((*reader.where, f"unreadable: {e!r}"))
        if keys:
            reader.where = (str(f.number), "0")
            reader.must(f.checksum_good, "UDP checksum is wrong")
    return reader.lines, reader.complaints


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.splitlines()[2])
    keys = read_keys(sys.argv[2]) if len(sys.argv) == 3 else {}
    lines, complaints = read(sys.argv[1], keys)
    for line in lines:
        print("\t".join(line))
    for line in complaints:
        print("\t".join(line), file=sys.stderr)
    sys.exit(1 if complaints or not lines else 0)


if __name__ == "__main__":
    main()
