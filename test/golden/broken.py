# SPDX-License-Identifier: MIT
"""Cases of servers that fail, lie or say too much."""
import ipaddress
import struct

import wire
from model import *  # noqa: F403 - the words that cases are written in
from model import Host, Q
from table import PLAIN_EDNS, Table
from wire import TC


def hip(rdata):
    return at_name("HIP", rdata)


GOOD = wire.hip_rdata(60)
LOWER = wire.hip_rdata(59)


def changed(at, *octets):
    return GOOD[:at] + bytes(octets) + GOOD[at + len(octets):]


def key_of(algorithm, k):
    return struct.pack(">BBH", 16, algorithm, len(k)) + wire.hit(60) + k


def name_after(octets):
    return GOOD + octets


UNUSABLE_RDATA = (
    ("empty", b""),
    ("three octets", GOOD[:3]),
    ("without its key", GOOD[:20]),
    ("a key that is cut", GOOD[:-1]),
    ("a HIT of 0 octets", struct.pack(">BBH", 0, 3, 64) + GOOD[20:]),
    ("a HIT of 15 octets", struct.pack(">BBH", 15, 3, 64) + GOOD[5:]),
    ("a HIT of 17 octets", struct.pack(">BBH", 17, 3, 64) + GOOD[4:20] +
     b"\0" + GOOD[20:]),
    ("a HIT that is an address", changed(4, 0x20, 1, 0x0d, 0xb8)),
    ("a HIT in the old ORCHIDs", changed(4, 0x20, 1, 0, 0x12)),
    ("HIT suite 0", changed(4, 0x20, 1, 0, 0x20)),
    ("HIT suite 9", changed(4, 0x20, 1, 0, 0x29)),
    ("algorithm 0", changed(1, 0)),
    ("algorithm 1, DSA", changed(1, 1)),
    ("algorithm 255", changed(1, 255)),
    ("a key of 0 octets", key_of(3, b"")),
    ("a key of 63 octets", key_of(3, bytes(63))),
    ("a key of 65 octets", key_of(3, bytes(65))),
    ("a key of 1025 octets", key_of(2, b"\3\1\0\1" + b"m" * 1021)),
    ("RSA of 1016 bits", key_of(2, b"\3\1\0\1" + b"m" * 127)),
    ("RSA without an exponent", key_of(2, b"\0\0\0" + b"m" * 256)),
    ("RSA whose exponent is all there is", key_of(2, b"\xff" + bytes(255))),
    ("an octet too many", name_after(b"\3")),
    ("a server's name that is cut", name_after(b"\3rvs")),
    ("a server's name that is a pointer", name_after(b"\xc0\x0c")),
    ("a server's name with a label of 64", name_after(
        b"\x40" + b"a" * 64 + b"\0")),
    ("a server's name of 256 octets", name_after(
        (b"\x3f" + b"a" * 63) * 4 + b"\0")),
)

NO_PLACE = (
    "0.0.0.0", "127.0.0.1", "127.255.255.255", "224.0.0.1", "239.1.1.1",
    "255.255.255.255", "169.254.1.1", "198.18.0.9", "::", "::1", "fe80::1",
    "ff02::1", "::ffff:192.0.2.1", "::192.0.2.1", "2001:22::1",
    "2001:db8:401::9", "2002:7f00:1::1", "64:ff9b::7f00:1",
    "64:ff9b::c612:9", "2002:e000:1::1")


def hip_records(t):
    known = Host(60, ["192.0.2.60"])
    for words, rdata in UNUSABLE_RDATA:
        t.add("a HIP record, %s" % words, Q("plain", "A", edns=PLAIN_EDNS),
              servfail(UNUSABLE), edit={"HIP": craft(hip(rdata))})
    at = {"A": craft(address("192.0.2.60")), "AAAA": craft()}
    own_at = {"own": at["A"], "AAAA": at["AAAA"]}
    for words, rdata in UNUSABLE_RDATA[:6]:
        t.add("a good record and one, %s" % words, Q("plain", "A"),
              substitute(), host=known, edit={
                  "HIP": craft(hip(rdata), hip(GOOD)), **own_at})
    for words, records in (("first", (LOWER, GOOD)), ("last", (GOOD, LOWER))):
        t.add("of two records the least HIT counts, when it comes " + words,
              Q("plain", "A"), substitute(), host=Host(59, ["192.0.2.60"]),
              edit={"HIP": craft(*map(hip, records)), **own_at})
    t.add("a HIP record of class CH is none", Q("plain", "A"), OWN,
          edit={"HIP": craft(at_name("HIP", GOOD, klass=3))})
    t.add("a HIP record of another name is none", Q("plain", "A"), OWN,
          edit={"HIP": craft(wire.record(wire.name("x.test"), "HIP", 300,
                                         GOOD))})
    t.add("a HIP record as authority is none", Q("plain", "A"), OWN,
          edit={"HIP": craft(authority=[hip(GOOD)])})
    t.add("a HIP record with NXDOMAIN is none", Q("plain", "A"), OWN,
          edit={"HIP": craft(hip(GOOD), rcode=3)})
    for ttl in (0, 0x80000000, 0xffffffff):
        t.add("a HIP record with TTL %d" % ttl, Q("plain", "A"),
              substitute(), host=Host(60, ["192.0.2.60"], ttl=0),
              edit={"HIP": craft(at_name("HIP", GOOD, ttl=ttl)), **own_at})
    many = [wire.name("r%d.test" % i) for i in range(5)]
    t.add("five rendezvous servers: four are asked for",
          Q("plain", "A", edns=PLAIN_EDNS), substitute(),
          host=Host(60, ["192.0.2.60"], rvs=["r0"]),
          edit={"HIP": craft(hip(GOOD + b"".join(many))),
                "A@r0.test.": at["A"], "AAAA@r0.test.": craft(),
                **{"%s@r%d.test." % (k, i): craft() for k in ("A", "AAAA")
                   for i in (1, 2, 3)}},
          asks=["own", "HIP", "AAAA"] + ["%s@r%d.test." % (k, i)
                                         for i in range(4)
                                         for k in ("A", "AAAA")])


def locators(t):
    for a in NO_PLACE:
        six = ":" in a
        raw = wire.record(b"\xc0\x0c", "AAAA" if six else "A", 300,
                          ipaddress.ip_address(a).packed)
        t.add("an address where no HIP host is: %s" % a,
              Q("fixed", "A", edns=PLAIN_EDNS), servfail(NOWHERE),
              edit={"own": craft() if six else craft(raw),
                    "AAAA": craft(raw) if six else craft()})
    for words, rdata in (("no octets", b""), ("three octets", b"abc"),
                         ("five octets", b"abcde")):
        t.add("an A record of %s" % words, Q("fixed", "A", edns=PLAIN_EDNS),
              servfail(NOWHERE), edit={"own": craft(at_name("A", rdata)),
                                       "AAAA": craft()})
    t.add("a bad address and a good one", Q("fixed", "A"), substitute(),
          host=Host(2, ["192.0.2.9"]),
          edit={"own": craft(address("127.0.0.1"), address("192.0.2.9")),
                "AAAA": craft(address("::1"))})


def failures(t):
    # The second time all but AAAA is known.
    again = ["own", "HIP", "A", "AAAA"]
    for rcode in (1, 2, 4, 5, 9, 15):
        for mode, want in (("prefer", OWN), ("require", servfail(NO_HIP))):
            t.add("rcode %d to HIP, HIP %s" % (rcode, mode),
                  Q("plain", "A", edns=PLAIN_EDNS), want, "hip " + mode,
                  edit={"HIP": craft(rcode=rcode)})
    for mode, want in (("prefer", OWN), ("require", servfail(NO_HIP))):
        t.add("a header alone as answer to HIP, HIP %s" % mode,
              Q("plain", "A", edns=PLAIN_EDNS), want, "hip " + mode,
              edit={"HIP": bare(wire.FORMERR)})
    for mode, want in (("prefer", OWN), ("require", servfail(NO_ANSWER))):
        for words, what in (("silence", silent), ("a closed port", failed)):
            t.add("%s to HIP, HIP %s" % (words, mode),
                  Q("plain", "A", edns=PLAIN_EDNS), want, "hip " + mode,
                  edit={"HIP": what})
    t.add("HIP cannot be asked", Q("plain", "A", edns=PLAIN_EDNS),
          servfail(BUSY), edit={"HIP": refused})
    t.add("an error of the server is relayed", Q("plain", "MX"), OWN,
          edit={"own": craft(rcode=wire.SERVFAIL)})
    t.add("a header alone is relayed", Q("plain", "MX"), OWN,
          edit={"own": bare(wire.FORMERR)})
    t.add("silence is told", Q("plain", "MX", edns=PLAIN_EDNS),
          servfail(SERVER_SILENT), edit={"own": silent})
    t.add("silence to the client's query, no HIP record",
          Q("plain", "A", edns=PLAIN_EDNS), servfail(SERVER_SILENT),
          edit={"own": silent})
    t.add("silence to the client's query of a HIP host", Q("fixed", "AAAA"),
          substitute(), host=Host(2, ["192.0.2.2"]), asks=again,
          edit={"own": silent, "AAAA": silent})
    t.add("an error to the client's query of a HIP host", Q("fixed", "AAAA"),
          substitute(), host=Host(2, ["192.0.2.2"]), asks=again,
          edit={"own": craft(rcode=wire.SERVFAIL),
                "AAAA": craft(rcode=wire.SERVFAIL)})
    t.add("nobody says where the HIP host is", Q("fixed", "A",
                                                 edns=PLAIN_EDNS),
          servfail(NOWHERE), edit={"own": silent, "AAAA": silent})
    t.add("silence about the rendezvous server", Q("hip", "A",
                                                   edns=PLAIN_EDNS),
          servfail(NOWHERE), asks=["own", "HIP", "AAAA", "A@rvs", "AAAA@rvs"],
          edit={"A@rvs": silent, "AAAA@rvs": silent})
    t.add("one family of the rendezvous server is silent", Q("hip", "A"),
          substitute(), host=Host(1, [RVS4], rvs=["rvs"]),
          edit={"AAAA@rvs": silent})


def cut(t):
    t.add("a cut answer with a HIP record, and no more of it",
          Q("plain", "A", edns=PLAIN_EDNS), servfail(UNUSABLE),
          asks=["own", "HIP", "AAAA", "tcp HIP"],
          edit={"HIP": craft(hip(GOOD), flags=TC), "tcp HIP": silent})
    t.add("a cut answer without, and no more of it", Q("plain", "A"), OWN,
          asks=["own", "HIP", "AAAA", "tcp HIP"],
          edit={"HIP": craft(flags=TC), "tcp HIP": failed})
    t.add("the same where HIP is required", Q("plain", "A", edns=PLAIN_EDNS),
          servfail(NO_ANSWER), "hip require",
          asks=["own", "HIP", "AAAA", "tcp HIP"],
          edit={"HIP": craft(flags=TC), "tcp HIP": failed})
    t.add("what is cut over TCP, too, is taken as it is",
          Q("fixed", "A"), substitute(), host=Host(2, ["2001:db8:2::2",
                                                       "192.0.2.2"]),
          asks=["own", "HIP", "AAAA", "tcp HIP"],
          edit={"HIP": craft(flags=TC), "tcp HIP": with_flags(TC)})
    t.add("a cut answer to the client is relayed as it is",
          Q("big", "TXT", edns={"size": 700}), OWN)


def chains(t):
    def alias(owner, target):
        return wire.record(wire.name(owner), "CNAME", 300, wire.name(target))

    def at(n, rdata):
        return wire.record(wire.name(n), "HIP", 300, rdata)

    here = "plain.golden.test"
    long = [alias("c%d.test" % i if i else here, "c%d.test" % (i + 1))
            for i in range(20)]
    known = Host(60, ["192.0.2.60"])
    a60 = wire.record(wire.name("c1.test"), "A", 300, bytes([192, 0, 2, 60]))
    addresses = {"own": craft(alias(here, "c1.test"), a60),
                 "AAAA": craft(alias(here, "c1.test"))}
    for words, records in (
            ("in order", [alias(here, "c1.test"), at("c1.test", GOOD)]),
            ("in reverse", [at("c1.test", GOOD), alias(here, "c1.test")])):
        t.add("an alias and a HIP record, " + words, Q("plain", "A"),
              substitute(), host=known,
              edit={"HIP": craft(*records), **addresses})
    t.add("a HIP record that no alias leads to", Q("plain", "A"), OWN,
          edit={"HIP": craft(alias(here, "c1.test"), at("c2.test", GOOD))})
    for mode, want in (("prefer", OWN), ("require", servfail(NO_ANSWER))):
        for words, records in (
                ("twenty aliases", long),
                ("aliases that go round",
                 [alias(here, "c1.test"), alias("c1.test", here)]),
                ("an alias that is cut", [wire.record(
                    b"\xc0\x0c", "CNAME", 300, b"\3abc")])):
            t.add("%s as answer to HIP, HIP %s" % (words, mode),
                  Q("plain", "A", edns=PLAIN_EDNS), want, "hip " + mode,
                  edit={"HIP": craft(*records)})


def servers():
    t = Table()
    hip_records(t)
    locators(t)
    failures(t)
    cut(t)
    chains(t)
    return t.cases
