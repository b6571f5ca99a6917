# SPDX-License-Identifier: MIT
"""DNS messages made and read for the golden corpus (RFC 1035, 6891, 8005).

Nothing of hipgate and no DNS library: what the corpus expects is made here,
and the engine, which has ldns, must come to the same octets.
"""
import hashlib
import ipaddress
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "NULL": 10, "PTR": 12,
         "HINFO": 13, "MX": 15, "TXT": 16, "AAAA": 28, "LOC": 29, "SRV": 33,
         "NAPTR": 35, "DNAME": 39, "OPT": 41, "DS": 43, "SSHFP": 44,
         "RRSIG": 46, "NSEC": 47, "DNSKEY": 48, "TLSA": 52, "HIP": 55,
         "SVCB": 64, "HTTPS": 65, "TSIG": 250, "IXFR": 251, "AXFR": 252,
         "ANY": 255, "CAA": 257}
NAMES = {v: k for k, v in TYPES.items()}
CLASSES = {"IN": 1, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}
RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]
FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 1, 2, 3, 4, 5, 16
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x20, 0x10
NSID, ECS, COOKIE, PADDING, EDE = 3, 8, 10, 12, 15


def type_of(name):
    return TYPES[name] if name in TYPES else int(name[4:])


def type_name(number):
    return NAMES.get(number, "TYPE%d" % number)


# ---- making -----------------------------------------------------------------

def labels(text):
    """Labels of a name as zone files write it."""
    out, label, i = [], b"", 0
    text = text.rstrip(".") if not text.endswith("\\.") else text
    while i < len(text):
        c = text[i]
        if c == ".":
            out.append(label)
            label = b""
        elif c == "\\" and text[i + 1].isdigit():
            label += bytes([int(text[i + 1:i + 4])])
            i += 3
        elif c == "\\":
            i += 1
            label += text[i].encode()
        else:
            label += c.encode()
        i += 1
    return out + [label] if label else out


def name(text):
    return b"".join(bytes([len(l)]) + l for l in labels(text)) + b"\0"


def option(code, data):
    return struct.pack(">HH", code, len(data)) + data


def opt(size=1232, do=False, options=b"", version=0, high=0):
    return b"\0" + struct.pack(">HHBBHH", 41, size, high, version,
                               0x8000 if do else 0, len(options)) + options


def record(owner, kind, ttl, rdata, klass=1):
    return owner + struct.pack(">HHIH", type_of(kind), klass, ttl,
                               len(rdata)) + rdata


def query(qname, kind, klass="IN", qid=0x1234, flags=RD, edns=None):
    """edns: arguments of opt(), or None."""
    extra = b"" if edns is None else opt(**edns)
    return struct.pack(">6H", qid, flags, 1, 0, 0, 1 if extra else 0) + \
        name(qname) + struct.pack(">HH", type_of(kind), CLASSES[klass]) + extra


def ask(qname, kind):
    """What hipgate itself asks: recursion, and answers of 1232 octets."""
    return query(qname, kind, qid=0, edns={"size": 1232})


def key(algorithm, number):
    """Octets with the form of a public key; nobody has the private one."""
    if algorithm == 2:  # RSA: exponent 65537, 2048 bits
        return b"\3\1\0\1" + bytes((number + i) % 256 for i in range(256))
    size = 64 if algorithm == 3 else 96
    return bytes((number + i) % 256 for i in range(size))


def hit(number, suite=2):
    return bytes([0x20, 0x01, 0, 0x20 | suite]) + bytes(11) + bytes([number])


def hip_rdata(number, algorithm=3, rvs=(), suite=2):
    k = key(algorithm, number)
    return struct.pack(">BBH", 16, 2 if algorithm == 2 else 3, len(k)) + \
        hit(number, suite) + k + b"".join(name(r) for r in rvs)


def soa_rdata(mname, rname, numbers):
    return mname + rname + struct.pack(">5I", *numbers)


# ---- substitute addresses -----------------------------------------------------

SITE_KEY = bytes(32)


def keyed(domain, h):
    return hashlib.blake2b(domain + h + b"\0", digest_size=16,
                           key=SITE_KEY).digest()


def substitute(h, pool):
    """The address of a table that knows no other HIT."""
    net = ipaddress.ip_network(pool)
    if net.version == 6:
        bits = int.from_bytes(keyed(b"lease-v6", h), "big")
        return net[0] + bits % net.num_addresses
    start = int.from_bytes(keyed(b"lease-v4", h)[:8], "big")
    # Not the network, the TUN, the DNS server or the broadcast address.
    return net[0] + 3 + start % (net.num_addresses - 4)


# ---- reading, for comments ---------------------------------------------------------

def read_name(msg, at):
    out, end = [], None
    for _ in range(128):
        n = msg[at]
        if n & 0xc0:
            end = at + 2 if end is None else end
            at = (n & 0x3f) << 8 | msg[at + 1]
            continue
        if n == 0:
            return ".".join(out) or ".", at + 1 if end is None else end
        out.append("".join(chr(c) if 33 <= c <= 126 and c not in b'.\\"();@$'
                           else "\\%03d" % c for c in msg[at + 1:at + 1 + n]))
        at += 1 + n
    raise ValueError("a loop")


def show_rdata(msg, kind, at, n):
    d = msg[at:at + n]
    if kind in (1, 28):
        return str(ipaddress.ip_address(d))
    if kind in (2, 5, 12, 39):
        return read_name(msg, at)[0]
    if kind == 15:
        return "%d %s" % (struct.unpack(">H", d[:2])[0],
                          read_name(msg, at + 2)[0])
    if kind == 6:
        m, nxt = read_name(msg, at)
        r, nxt = read_name(msg, nxt)
        return "%s %s %d %d %d %d %d" % ((m, r) +
                                         struct.unpack(">5I", msg[nxt:nxt + 20]))
    if kind == 55:
        _, alg, klen = struct.unpack(">BBH", d[:4])
        rvs, i = [], 20 + klen
        while i < n:
            r, end = read_name(msg, at + i)
            rvs.append(r)
            i = end - at
        return "%d %s (%d octets of key) %s" % (
            alg, ipaddress.ip_address(d[4:20]), klen, " ".join(rvs))
    return "\\# %d" % n


def show_options(d):
    out, i = [], 0
    while i + 4 <= len(d):
        code, n = struct.unpack(">HH", d[i:i + 4])
        v = d[i + 4:i + 4 + n]
        if code == EDE:
            out.append('EDE %d "%s"' % (struct.unpack(">H", v[:2])[0],
                                        v[2:].decode("ascii")))
        else:
            out.append("%s of %d" % ({NSID: "NSID", ECS: "ECS", PADDING:
                                      "padding", COOKIE: "cookie"}.get(
                                          code, "option %d" % code), n))
        i += 4 + n
    return out


def show_record(msg, at):
    owner, at = read_name(msg, at)
    kind, klass, ttl, n = struct.unpack(">HHIH", msg[at:at + 10])
    at += 10
    if kind == 41:
        words = ["EDNS", "%d octets" % klass]
        words += ["version %d" % (ttl >> 16 & 255)] if ttl >> 16 & 255 else []
        words += ["high rcode %d" % (ttl >> 24)] if ttl >> 24 else []
        words += ["DO"] if ttl & 0x8000 else []
        text = ", ".join(words + show_options(msg[at:at + n]))
    else:
        text = "%s %d %s %s" % (owner, ttl, type_name(kind),
                                show_rdata(msg, kind, at, n))
    return text.rstrip(), at + n


def show(msg):
    """Lines that say what a message is, as far as it can be read."""
    if len(msg) < 12:
        return ["no header"]
    qid, flags, *counts = struct.unpack(">6H", msg[:12])
    words = [w for w, f in (("qr", QR), ("aa", AA), ("tc", TC), ("rd", RD),
                            ("ra", RA), ("ad", AD), ("cd", CD)) if flags & f]
    rcode = flags & 15
    out = ["%s%s" % (RCODES[rcode] if rcode < 6 else "rcode %d" % rcode,
                     " [%s]" % " ".join(words) if words else "")]
    if flags >> 11 & 15:
        out[0] += " opcode %d" % (flags >> 11 & 15)
    at = 12
    try:
        for _ in range(counts[0]):
            n, at = read_name(msg, at)
            kind, klass = struct.unpack(">HH", msg[at:at + 4])
            at += 4
            out.append("%s %s %s ?" % (n, {v: k for k, v in CLASSES.items()}
                                       .get(klass, "CLASS%d" % klass),
                                       type_name(kind)))
        for section, num in zip(("answer", "authority", "additional"),
                                counts[1:]):
            for i in range(num):
                text, at = show_record(msg, at)
                if i < 3 or i == num - 1:
                    out.append("%s: %s" % (section, text))
                elif i == 3:
                    out.append("%s: ... of %d" % (section, num))
        if at != len(msg):
            out.append("and %d octets more" % (len(msg) - at))
    except (IndexError, struct.error, ValueError, UnicodeDecodeError):
        out.append("and cannot be read further")
    return out
