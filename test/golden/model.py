# SPDX-License-Identifier: MIT
"""What a golden case is made of: zone, question, expected answer.

A case says in words what must come of a question (product.md section 3); the
functions here put that into octets.
"""
import ipaddress
import struct

import wire
from wire import QR, RA, RD, CD

ZONE = "golden.test"
POOL6, POOL4 = "2001:db8:401::/64", "198.18.0.0/24"
TTL = 60  # of a substitute, at most

# EDE codes and texts
FORGED = (4, "hipgate: substitute address of a HIP host")
USE_A = (4, "hipgate: HIP host, use A or AAAA")
LEADS = (4, "hipgate: leads to a HIP host, use A or AAAA")
ALIAS = (15, "hipgate: leads to a name that requires HIP")
ENCRYPTED = (15, "hipgate: encrypted DNS would lead around it")
OWN_RECORD = (4, "hipgate: a record of this gateway")
NO_HIP = (15, "hipgate: HIP required, no HIP record")
NO_ANSWER = (15, "hipgate: HIP required, no answer")
STRIPPED = (15, "hipgate: it had a HIP record and has none now; mend it, "
            "or: hipgate forget NAME")
CLASS_ANY = (15, "hipgate: HIP required, class ANY refused")
VALIDATES = (15, "hipgate: client validates DNSSEC")
VALIDATES_REQUIRED = (15, "hipgate: HIP required, client validates DNSSEC")
TOO_LONG = (15, "hipgate: HIP required, name is too long")
BOGUS = (6, "hipgate: the HIP record is not proven by DNSSEC")
UNUSABLE = (0, "hipgate: the HIP record cannot be used")
NOWHERE = (0, "hipgate: HIP host without a usable address")
SERVER_SILENT = (22, "hipgate: the server does not answer")
BUSY = (0, "hipgate: too busy to ask")

OWN, NONE = "own", "none"  # the server's answer; no answer
WILD = bytes.fromhex("fedcba9876543210")  # "any eight octets" in a reply


def absolute(n):
    """hip -> hip.golden.test; with a dot at its end it is whole."""
    if n == "@":
        return ZONE
    return n[:-1] if n.endswith(".") and n != "." else \
        n if n == "." else "%s.%s" % (n, ZONE)


class Host:
    """A HIP host of the zone; `at` is what hipgate must find, in order."""

    def __init__(self, number, at, rvs=(), ttl=300, algorithm=3, suite=2,
                 addresses=(), address_ttl=300):
        self.number, self.at, self.rvs, self.ttl = number, at, rvs, ttl
        self.algorithm, self.suite = algorithm, suite
        self.addresses, self.address_ttl = addresses, address_ttl
        self.hit = wire.hit(number, suite)

    def rdata(self):
        return wire.hip_rdata(self.number, self.algorithm,
                              [absolute(r) for r in self.rvs], self.suite)


RVS6, RVS4 = "2001:db8:200::1", "198.51.100.1"


def own(number, v6=True, v4=True, **more):
    a = ["2001:db8:2::%x" % number] if v6 else []
    a += ["192.0.2.%d" % number] if v4 else []
    return Host(number, a, addresses=a, **more)


HOSTS = {
    "hip": Host(1, [RVS6, RVS4], rvs=["rvs"]),
    "fixed": own(2),
    "v6only": own(3, v4=False),
    "v4only": own(4, v6=False),
    "two": Host(5, [RVS6, RVS4, "2001:db8:200::2", "198.51.100.2"],
                rvs=["rvs", "rvs2"]),
    "self": Host(6, ["2001:db8:2::6", "192.0.2.6"], rvs=["self"],
                 addresses=["2001:db8:2::6", "192.0.2.6"]),
    "rsa": own(7, algorithm=2, suite=1),
    "p384": own(8, algorithm=4),
    "several": own(9),
    "short": own(12, ttl=10),
    "brief": own(15, address_ttl=5),
    "*.wild": own(13),
    "nowhere": Host(14, []),
    "many": own(20, algorithm=4),
    "crowd": Host(40, [], addresses=["192.0.2.%d" % i
                                     for i in range(100, 180)]),
}

# The rest of the zone, as a zone file has it.
PLAIN = """
rvs AAAA 2001:db8:200::1
rvs A 198.51.100.1
rvs2 AAAA 2001:db8:200::2
rvs2 A 198.51.100.2
plain A 203.0.113.1
plain AAAA 2001:db8:300::1
plain MX 10 mail
plain TXT "just a name"
plain HTTPS 1 . alpn=h2 ipv4hint=203.0.113.1
plain SRV 0 0 443 plain
plain CAA 0 issue "ca.example"
plain NAPTR 1 1 "s" "x" "" plain
plain4 A 203.0.113.4
plain6 AAAA 2001:db8:300::6
pool A 198.18.0.7
quick 0 A 203.0.113.5
round A 203.0.113.21
round A 203.0.113.22
round A 203.0.113.23
round AAAA 2001:db8:300::21
round AAAA 2001:db8:300::22
*.w A 203.0.113.6
a.deep.er A 203.0.113.7
alias CNAME plain
alias2 CNAME alias
lost CNAME nobody
outside CNAME www.elsewhere.test.
loop CNAME loop2
loop2 CNAME loop
hipalias CNAME fixed
hipchain CNAME hipalias
hipquick 20 CNAME fixed
tree DNAME leaf
www.leaf A 203.0.113.8
fixed.leaf CNAME fixed
fixed MX 10 mail
fixed TXT "a HIP host has other records too"
fixed HTTPS 1 . alpn=h2 ipv4hint=192.0.2.2 ipv6hint=2001:db8:2::2
fixed SVCB 1 fixed port=853
_8443._https.fixed HTTPS 1 fixed alpn=h2 ipv4hint=192.0.2.2
_8443._https.plain HTTPS 1 plain port=8443 ipv4hint=203.0.113.1
_dns HTTPS 1 plain ipv4hint=203.0.113.1
leads HTTPS 1 fixed alpn=h2 ipv4hint=192.0.2.2
leads A 203.0.113.15
leadsport HTTPS 1 _8443._https.fixed ipv6hint=2001:db8:2::2
leadsalias HTTPS 0 hipalias
leadsplain HTTPS 1 rvs alpn=h2 ipv4hint=198.51.100.1
leadsboth HTTPS 1 rvs alpn=h2 ipv4hint=198.51.100.1
leadsboth HTTPS 2 fixed alpn=h2 ipv4hint=192.0.2.2
leadsmany HTTPS 1 t1 ipv4hint=192.0.2.2
leadsmany HTTPS 2 t2 ipv4hint=192.0.2.2
leadsmany HTTPS 3 t3 ipv4hint=192.0.2.2
leadsmany HTTPS 4 t4 ipv4hint=192.0.2.2
leadsmany HTTPS 5 t5 ipv4hint=192.0.2.2
fixed SRV 0 0 443 fixed
fixed CAA 0 issue "ca.example"
fixed NAPTR 1 1 "s" "x" "" fixed
fixed LOC 60 10 0 N 24 56 0 E 10m
fixed TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
fixed SSHFP 4 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
fixed TYPE65280 \\# 3 010203
_tcp._under A 203.0.113.9
sp\\032ace A 203.0.113.10
back\\\\slash.dot\\.ted A 203.0.113.11
xn--bcher-kva A 203.0.113.12
must.require A 203.0.113.13
may CNAME must.require
"""


def zone():
    out = ["$TTL 300", "@ SOA ns root 1 3600 600 86400 60", "@ NS ns",
           "ns A 127.0.0.1"]
    for n, h in HOSTS.items():
        more = {"several": [10, 11], "many": range(21, 34)}.get(n, [])
        records = [h.rdata()] + [wire.hip_rdata(i, h.algorithm)
                                 for i in more]
        out += ["%s %d TYPE55 \\# %d %s" % (n, h.ttl, len(r), r.hex())
                for r in records]
        out += ["%s %d %s %s" % (n, h.address_ttl,
                                 "AAAA" if ":" in a else "A", a)
                for a in h.addresses]
    for i in range(30):
        out.append('big TXT "%03d %s"' % (i, "x" * 90))
    long = ".".join(["l" * 62] * 3 + ["m" * 48])
    out.append("%s A 203.0.113.14" % long)
    return "\n".join(out) + PLAIN


class Q:
    """A client's question."""

    def __init__(self, n, kind, klass="IN", flags=RD, edns=None, qid=0x1234):
        self.name, self.kind, self.klass = absolute(n), kind, klass
        self.flags, self.qid = flags, qid
        self.edns = None if edns is None else dict(edns)
        self.cookie = self.edns.pop("cookie", b"") if self.edns else b""

    def octets(self):
        e = self.edns
        if e is not None:
            e = dict(e)
            more = e.pop("options", b"")
            e["options"] = more + (wire.option(wire.COOKIE, self.cookie)
                                   if self.cookie else b"")
        return wire.query(self.name, self.kind, self.klass, self.qid,
                          self.flags, e)


class Raw:
    """Octets of a client that are no ordinary question."""
    kind, edns, flags = None, None, 0

    def __init__(self, octets, n="plain"):
        self.raw, self.name = octets, absolute(n)

    def octets(self):
        return self.raw


class Case:
    def __init__(self, title, q, want, config, tcp, asks, edit, host, give):
        self.title, self.q, self.want, self.config = title, q, want, config
        self.tcp, self.asks, self.edit = tcp, asks, edit or {}
        self.host, self.give = host, give

    def setting(self, key):
        for line in self.config:
            if line.split()[0] == key:
                return line.split()[-1]
        return None

    def found(self):
        """The host that the engine must find; None: none."""
        return HOSTS[self.host] if isinstance(self.host, str) else self.host


# ---- expected answers ----------------------------------------------------------

def reply(q, rcode=0, answer=b"", authority=b"", ede=None):
    """A message of hipgate's own."""
    flags = QR | RA | q.flags & (RD | CD) | rcode & 15
    extra = b""
    if q.edns is not None:
        options = b""
        if q.cookie:
            c = q.cookie + (WILD if len(q.cookie) == 8 else b"")
            options += wire.option(wire.COOKIE, c)
        if ede:
            options += wire.option(wire.EDE, struct.pack(">H", ede[0]) +
                                   ede[1].encode())
        extra = wire.opt(1232, q.edns.get("do", False), options,
                         high=rcode >> 4)
    return struct.pack(">6H", q.qid, flags, 1, 1 if answer else 0,
                       1 if authority else 0, 1 if extra else 0) + \
        wire.name(q.name) + struct.pack(">HH", wire.type_of(q.kind),
                                        wire.CLASSES[q.klass]) + \
        answer + authority + extra


def owner(q):
    return b"\xc0\x0c" if q.name != "." else b"\0"


def soa(q, ttl):
    return wire.record(owner(q), "SOA", ttl, wire.soa_rdata(
        owner(q), wire.name("nobody.invalid"), (1, 3600, 1200, 604800, ttl)))


def ttl_of(c, limit=None):
    h = c.found()
    ttls = [int(c.setting("ttl") or TTL)] + ([limit] if limit is not None
                                             else [])
    return min(ttls + ([h.ttl] if h else []) +
               ([h.address_ttl] if h and h.addresses and
                c.q.kind in ("A", "AAAA") else []))


def substitute(ede=FORGED, limit=None):
    def make(c):
        pool = POOL4 if c.q.kind == "A" else POOL6
        a = wire.substitute(c.found().hit, pool)
        return reply(c.q, answer=wire.record(
            owner(c.q), c.q.kind, ttl_of(c, limit), a.packed), ede=ede)
    return make


def nodata(ede=USE_A, rcode=0):
    def make(c):
        return reply(c.q, rcode, authority=soa(c.q, ttl_of(c)), ede=ede)
    return make


def minimal(c, ede=USE_A):
    """RFC 8482 4.2"""
    return reply(c.q, answer=wire.record(owner(c.q), "HINFO", ttl_of(c),
                                         b"\7RFC8482\0"), ede=ede)


def pointer(target):
    def make(c):
        return reply(c.q, answer=wire.record(owner(c.q), "PTR", TTL,
                                             wire.name(target)))
    return make


def error(rcode, ede=None):
    def make(c):
        return reply(c.q, rcode, ede=ede)
    return make


def servfail(ede):
    return error(wire.SERVFAIL, ede)


def header(rcode):
    """An answer to what cannot be read."""
    def make(c):
        qid, flags = struct.unpack(">HH", c.q.octets()[:4])
        return struct.pack(">6H", qid, QR | flags & 0x7900 | rcode,
                           0, 0, 0, 0)
    return make


# ---- servers that say something else -----------------------------------------------

def craft(*records, rcode=0, flags=0, authority=()):
    """An answer with these records to whatever was asked."""
    def make(_, asked):
        end = 12 + len(wire.name(wire.read_name(asked, 12)[0])) + 4
        return struct.pack(">6H", 0, QR | RD | RA | rcode | flags, 1,
                           len(records), len(authority), 0) + \
            asked[12:end] + b"".join(records) + b"".join(authority)
    return make


def at_name(kind, rdata, ttl=300, klass=1):
    """A record of the name that was asked for."""
    return wire.record(b"\xc0\x0c", kind, ttl, rdata, klass)


def address(text, ttl=300):
    a = ipaddress.ip_address(text)
    return at_name("A" if a.version == 4 else "AAAA", a.packed, ttl)


def bare(rcode):
    return lambda _, asked: struct.pack(">6H", 0, QR | RD | rcode,
                                        0, 0, 0, 0)


def with_flags(flags):
    return lambda answer, _: answer[:2] + struct.pack(
        ">H", struct.unpack(">H", answer[2:4])[0] | flags) + answer[4:]


def silent(*_):
    return "silent"


def failed(*_):
    return "failed"


def refused(*_):
    return "refused"
