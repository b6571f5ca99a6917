# SPDX-License-Identifier: MIT
"""The cases: product.md section 3 as questions and what must come of them."""
import ipaddress
import struct

import wire
from model import *  # noqa: F403 - the words that cases are written in
from model import Case, Host, HOSTS, Q, Raw
from wire import AD, CD, RD

EDNS = {"without EDNS": None,
        "with EDNS": {"size": 1232},
        "with EDNS of 512": {"size": 512},
        "with EDNS of 0": {"size": 0},
        "with EDNS of 4096": {"size": 4096},
        "with DO": {"size": 1232, "do": True}}
PLAIN_EDNS = EDNS["with EDNS"]
COOKIE8 = bytes.fromhex("c0c1c2c3c4c5c6c7")
COOKIE24 = COOKIE8 + bytes.fromhex("0100000065a1b2c3d4e5f60718293a4b")
# A type at which the engine looks the name up in any case.
LOOKED_UP = ("A", "AAAA", "HTTPS", "SVCB", "ANY")


def default_asks(q, host):
    if q.kind is None:
        return []
    if q.kind not in LOOKED_UP or q.klass != "IN":
        return ["own"]
    asks = ["own", "HIP"]
    if q.kind in ("A", "AAAA"):
        asks.append("AAAA" if q.kind == "A" else "A")
        # What was not validated is not kept: the second time it is asked.
        asks += [q.kind] if host and q.flags & CD else []
        for r in host.rvs if host else ():
            if absolute(r) != q.name:
                asks += ["A@" + r, "AAAA@" + r]
    return asks


class Table:
    def __init__(self):
        self.cases = []

    def add(self, title, q, want, *config, tcp=False, asks=None, edit=None,
            host=None, give=None):
        h = HOSTS[host] if isinstance(host, str) else host
        self.cases.append(Case(
            title, q, want, list(config), tcp,
            default_asks(q, h) if asks is None else asks, edit, host, give))


def addresses():
    t = Table()
    for n in ("hip", "fixed"):
        for kind in ("A", "AAAA"):
            for how, edns in EDNS.items():
                t.add("%s of %s, %s" % (kind, n, how), Q(n, kind, edns=edns),
                      substitute(), host=n)
            t.add("%s of %s where HIP is required" % (kind, n),
                  Q(n, kind, edns=PLAIN_EDNS), substitute(), "hip require",
                  host=n)
            t.add("%s of %s over TCP" % (kind, n),
                  Q(n, kind, edns=PLAIN_EDNS), substitute(), host=n,
                  tcp=True)
    for n in ("v6only", "v4only", "two", "self", "rsa", "p384", "several",
              "short", "brief"):
        for kind in ("A", "AAAA"):
            t.add("%s of %s" % (kind, n), Q(n, kind, edns=PLAIN_EDNS),
                  substitute(), host=n)
    t.add("A of a name that a wildcard makes", Q("any.wild", "A"),
          substitute(), host="*.wild")
    t.add("AAAA of a name that a wildcard makes", Q("some.where.wild", "AAAA"),
          substitute(), host="*.wild")
    for n, limit in (("hipalias", None), ("hipchain", None),
                     ("hipquick", 20), ("fixed.leaf", None),
                     ("fixed.tree", None)):
        for kind in ("A", "AAAA"):
            t.add("%s of %s, which leads to a HIP host" % (kind, n),
                  Q(n, kind, edns=PLAIN_EDNS), substitute(limit=limit),
                  host="fixed")
    for words, flags in (("without RD", 0), ("with AD", RD | AD),
                         ("with CD but not DO", RD | CD),
                         ("with a reserved flag", RD | 0x40)):
        t.add("AAAA, " + words, Q("fixed", "AAAA", flags=flags,
                                  edns=PLAIN_EDNS), substitute(), host="fixed")
    for n in ("FiXeD.GoLdEn.TeSt.", "FIXED.GOLDEN.TEST."):
        for kind in ("A", "AAAA"):
            t.add("the case of the question is kept: %s %s" % (n, kind),
                  Q(n, kind), substitute(), host="fixed")
    for c in (COOKIE8, COOKIE24, COOKIE8 + bytes(8), COOKIE24 + bytes(16)):
        t.add("a cookie of %d octets comes back" % len(c),
              Q("fixed", "AAAA", edns={"size": 1232, "cookie": c}),
              substitute(), host="fixed")
    for words, o in (("NSID", wire.option(wire.NSID, b"")),
                     ("a client subnet", wire.option(
                         wire.ECS, bytes.fromhex("00011800c63364"))),
                     ("padding", wire.option(wire.PADDING, bytes(40))),
                     ("an unknown option", wire.option(65001, b"?"))):
        t.add("%s is no reason for anything" % words,
              Q("fixed", "A", edns={"size": 1232, "options": o}),
              substitute(), host="fixed")
    t.add("A without an IPv4 pool", Q("fixed", "A", edns=PLAIN_EDNS),
          nodata(FORGED), "no-pool4", host="fixed")
    t.add("AAAA without an IPv6 pool", Q("fixed", "AAAA", edns=PLAIN_EDNS),
          nodata(FORGED), "no-pool6", host="fixed")
    t.add("A without an IPv4 pool nor EDNS", Q("fixed", "A"),
          nodata(None), "no-pool4", host="fixed")
    t.add("a TTL that the administrator wants", Q("fixed", "A"), substitute(),
          "ttl 5", host="fixed")
    t.add("a longer TTL than records have", Q("fixed", "A"), substitute(),
          "ttl 3600", host="fixed")
    t.add("no address can be given", Q("fixed", "AAAA", edns=PLAIN_EDNS),
          servfail((0, "the table is full")), host="fixed",
          give="the table is full")
    t.add("a HIP host without any address", Q("nowhere", "AAAA",
                                             edns=PLAIN_EDNS),
          servfail(NOWHERE))
    t.add("fourteen HIP records: asked for again over TCP",
          Q("many", "AAAA", edns=PLAIN_EDNS), substitute(), host="many",
          asks=["own", "HIP", "A", "tcp HIP"])
    t.add("eighty addresses: asked for again over TCP", Q("crowd", "A"),
          substitute(), host="crowd", asks=["own", "HIP", "AAAA", "tcp A"])
    t.add("eighty addresses: a client over TCP", Q("crowd", "A"),
          substitute(), host="crowd", tcp=True)
    return t.cases


def bindings(t):
    """HTTPS and SVCB that would lead around the substitute (RFC 9460)."""
    port = "_8443._https."
    for kind in ("HTTPS", "SVCB"):
        t.add("%s of a HIP host's port" % kind,
              Q(port + "fixed", kind, edns=PLAIN_EDNS), nodata(),
              asks=["own", "HIP@fixed"])
    t.add("HTTPS of a plain host's port", Q(port + "plain", "HTTPS"), OWN,
          asks=["own", "HIP@plain"])
    t.add("A has no labels for ports", Q(port + "fixed", "A"), OWN,
          asks=["own", "HIP", "AAAA"])
    t.add("HTTPS of a port, stripped of the host's HIP record",
          Q(port + "fixed", "HTTPS", edns=PLAIN_EDNS), servfail(STRIPPED),
          "pin fixed.golden.test", asks=["own", "HIP@fixed"],
          edit={"HIP@fixed": craft()})
    t.add("HTTPS of a port where HIP is required and is not",
          Q(port + "plain", "HTTPS", edns=PLAIN_EDNS), servfail(NO_HIP),
          "policy plain.golden.test require", asks=["own", "HIP@plain"])
    t.add("HTTPS of a port where HIP is off", Q(port + "fixed", "HTTPS"), OWN,
          "policy fixed.golden.test off", asks=["own"])
    t.add("HTTPS of a port of the gateway's own record",
          Q(port + "fixed", "HTTPS", edns=PLAIN_EDNS), nodata(),
          "record fixed.golden.test 2001:22::32 192.0.2.50", asks=[])
    for n in ("leads", "leadsport"):
        t.add("HTTPS of %s, of a HIP host" % n,
              Q(n, "HTTPS", edns=PLAIN_EDNS), nodata(LEADS),
              asks=["own", "HIP", "HIP@fixed"])
    t.add("HTTPS that leads to a HIP host's alias",
          Q("leadsalias", "HTTPS", edns=PLAIN_EDNS), nodata(LEADS),
          asks=["own", "HIP", "HIP@hipalias"])
    t.add("HTTPS that leads to a plain host", Q("leadsplain", "HTTPS"), OWN,
          asks=["own", "HIP", "HIP@rvs"])
    t.add("HTTPS that leads to a plain host and to a HIP host",
          Q("leadsboth", "HTTPS", edns=PLAIN_EDNS), nodata(LEADS),
          asks=["own", "HIP", "HIP@rvs", "HIP@fixed"])
    t.add("HTTPS that leads to more hosts than are asked for",
          Q("leadsmany", "HTTPS", edns=PLAIN_EDNS), nodata(LEADS),
          asks=["own", "HIP"])
    t.add("HTTPS that leads to a host with a bad HIP record",
          Q("leads", "HTTPS", edns=PLAIN_EDNS), nodata(LEADS),
          asks=["own", "HIP", "HIP@fixed"],
          edit={"HIP@fixed": craft(at_name("HIP", b"\0"))})
    t.add("HTTPS that leads to a host of which nobody says anything",
          Q("leads", "HTTPS"), OWN, asks=["own", "HIP", "HIP@fixed"],
          edit={"HIP@fixed": silent})
    for words, conf in (
            ("a pinned host", "pin fixed.golden.test"),
            ("where HIP is required", "policy fixed.golden.test require"),
            ("the gateway's own record",
             "record fixed.golden.test 2001:22::32 192.0.2.50")):
        t.add("HTTPS that leads to " + words,
              Q("leads", "HTTPS", edns=PLAIN_EDNS), nodata(LEADS), conf,
              asks=["own", "HIP"])
        t.add("HTTPS that leads to %s, for a client that validates" % words,
              Q("leads", "HTTPS", flags=RD | CD, edns=EDNS["with DO"]),
              error(wire.REFUSED, ALIAS), conf, asks=["own"])
    t.add("HTTPS that leads to where HIP is off", Q("leads", "HTTPS"), OWN,
          "policy fixed.golden.test off", asks=["own", "HIP"])
    t.add("ANY with a record that leads to a HIP host",
          Q("leads", "ANY", edns=PLAIN_EDNS),
          lambda c: minimal(c, LEADS), asks=["own", "HIP", "HIP@fixed"],
          edit={"own": craft(at_name("HTTPS", b"\0\1" + wire.name(
              "fixed.golden.test")))})


def invitations(t):
    """Names that tell a client to ask somebody else (RFC 9462)."""
    ddr, canary = "_dns.resolver.arpa.", "use-application-dns.net."
    for n, kind in ((ddr, "SVCB"), ("_DNS.Resolver.ARPA.", "SVCB"),
                    (ddr, "A"), ("resolver.arpa.", "SOA")):
        t.add("%s of %s" % (kind, n), Q(n, kind, edns=PLAIN_EDNS),
              nodata(ENCRYPTED), "discourage", asks=[])
    for kind in ("A", "AAAA"):
        t.add("%s of the canary" % kind, Q(canary, kind, edns=PLAIN_EDNS),
              nodata(ENCRYPTED, wire.NXDOMAIN), "discourage", asks=[])
    t.add("A below the canary, without EDNS", Q("x." + canary, "A"),
          nodata(None, wire.NXDOMAIN), "discourage", asks=[])
    t.add("invitations, to who validates",
          Q(ddr, "SVCB", flags=RD | CD, edns=EDNS["with DO"]),
          nodata(ENCRYPTED), "discourage", asks=[])
    t.add("invitations, allowed", Q(ddr, "SVCB"), OWN,
          asks=["own", "HIP@resolver.arpa."])
    t.add("the canary, allowed", Q(canary, "A"), OWN)
    for n in ("notresolver.arpa.", "arpa.", "net.",
              "xuse-application-dns.net."):
        t.add("no invitation: " + n, Q(n, "A"), OWN, "discourage")
    t.add("no invitation: class CH", Q(ddr, "SVCB", klass="CH"), OWN,
          "discourage", asks=["own"])


def types():
    t = Table()
    for n in ("hip", "fixed", "hipalias", "nowhere", "many"):
        more = ["tcp HIP"] if n == "many" else []
        for kind, want in (("HTTPS", nodata()), ("SVCB", nodata()),
                           ("ANY", minimal)):
            for how in ("without EDNS", "with EDNS"):
                t.add("%s of %s, %s" % (kind, n, how),
                      Q(n, kind, edns=EDNS[how]),
                      want, asks=["own", "HIP"] + more)
    t.add("HTTPS where HIP is required", Q("fixed", "HTTPS"), nodata(None),
          "hip require")
    bindings(t)
    invitations(t)
    t.add("ANY where HIP is required", Q("fixed", "ANY"), minimal,
          "hip require")
    for n in ("hip", "fixed", "many", "plain"):
        t.add("HIP of %s is the server's" % n, Q(n, "HIP",
                                                edns={"size": 4096}), OWN)
    t.add("HIP, hidden", Q("fixed", "HIP", edns={"size": 4096}), nodata(),
          "hide", asks=["own", "HIP"])
    t.add("HIP, hidden, of a name without", Q("plain", "HIP",
                                              edns={"size": 4096}), OWN,
          "hide", asks=["own", "HIP"])
    t.add("HIP, hidden, where HIP is required and is not",
          Q("plain", "HIP", edns={"size": 4096}), servfail(NO_HIP), "hide",
          "hip require", asks=["own", "HIP"])
    for kind in ("MX", "TXT", "SRV", "CAA", "NS", "SOA", "PTR", "DS",
                 "DNSKEY", "NAPTR", "TLSA", "LOC", "NULL", "SSHFP", "CNAME",
                 "DNAME", "TYPE65280"):
        t.add("%s of a HIP host is the server's" % kind,
              Q("fixed", kind, edns=PLAIN_EDNS), OWN)
    for kind in ("MX", "TXT"):
        t.add("%s where HIP is required is the server's, too" % kind,
              Q("fixed", kind, edns=PLAIN_EDNS), OWN, "hip require")
    for kind in ("AXFR", "IXFR"):
        t.add("%s is refused" % kind, Q("@", kind, edns=PLAIN_EDNS),
              error(wire.REFUSED), asks=[], tcp=True)
    return t.cases


def relayed():
    t = Table()
    for kind in ("A", "AAAA", "HTTPS", "ANY", "MX", "TXT"):
        for how, edns in EDNS.items():
            t.add("%s of a plain name, %s" % (kind, how),
                  Q("plain", kind, edns=edns), OWN)
    for n, kind, words in (
            ("plain4", "AAAA", "an empty answer"),
            ("plain6", "A", "an empty answer"),
            ("nobody", "A", "a name that is not there"),
            ("nobody", "HTTPS", "a name that is not there"),
            ("deep.er", "A", "an empty non-terminal"),
            ("alias", "A", "an alias"), ("alias2", "AAAA", "two aliases"),
            ("lost", "A", "an alias to nobody"),
            ("outside", "A", "an alias out of the zone"),
            ("loop", "A", "a loop of aliases"),
            ("x.w", "A", "a wildcard"), ("x.w", "AAAA", "an empty wildcard"),
            ("www.tree", "A", "a DNAME"), ("quick", "A", "a TTL of 0"),
            ("round", "A", "three addresses"),
            ("round", "AAAA", "two addresses"),
            ("pool", "A", "an address of the pool"),
            ("ns", "A", "a loopback address"),
            ("_tcp._under", "A", "underscores"),
            ("sp\\032ace", "A", "a blank in a label"),
            ("back\\\\slash.dot\\.ted", "A", "dots and slashes in labels"),
            ("xn--bcher-kva", "A", "an IDN"),
            (".", "A", "the root"), (".", "NS", "the root's servers"),
            ("test.", "A", "a top-level domain"),
            ("www.elsewhere.test.", "A", "a zone that is not there"),
            ("x.refused.test.", "A", "a server that refuses"),
            ("x.dead.test.", "A", "a server that fails"),
            ("x.dead.test.", "TXT", "a server that fails"),
            (".".join(["l" * 62] * 3 + ["m" * 48]), "A", "a long name"),
            ("1.2.0.192.in-addr.arpa.", "PTR", "a reverse name"),
            ("www.signed.test.", "A", "a signed name"),
            ("none.signed.test.", "A", "a signed denial"),
            ("plain.signed.test.", "A", "a signed alias")):
        for how in ("without EDNS", "with DO"):
            t.add("%s: %s %s, %s" % (words, n if len(n) < 60 else "...",
                                     kind, how),
                  Q(n, kind, edns=EDNS[how]), OWN)
    for size in (None, 512, 1232, 4096):
        t.add("thirty texts for %s octets" % (size or "the usual 512"),
              Q("big", "TXT", edns=size and {"size": size}), OWN)
    t.add("thirty texts over TCP", Q("big", "TXT"), OWN, tcp=True)
    t.add("a plain name over TCP", Q("plain", "A"), OWN, tcp=True)
    for words, flags in (("without RD", 0), ("with AD", RD | AD),
                         ("with CD", RD | CD), ("a reserved flag", RD | 0x40)):
        t.add("a plain name, " + words, Q("plain", "AAAA", flags=flags,
                                          edns=PLAIN_EDNS), OWN)
    for words, e in (
            ("a cookie", {"cookie": COOKIE8}),
            ("a cookie with the server's part", {"cookie": COOKIE24}),
            ("NSID", {"options": wire.option(wire.NSID, b"")}),
            ("a client subnet", {"options": wire.option(
                wire.ECS, bytes.fromhex("00011800c63364"))}),
            ("padding", {"options": wire.option(wire.PADDING, bytes(64))}),
            ("an unknown option", {"options": wire.option(65001, b"?")}),
            ("two cookies", {"cookie": COOKIE8, "options": wire.option(
                wire.COOKIE, COOKIE24)})):
        t.add("a plain name with " + words,
              Q("plain", "A", edns={"size": 1232, **e}), OWN)
    for n in ("PlAiN.GoLdEn.TeSt.", "ALIAS.golden.TEST."):
        t.add("the case of the question is kept: " + n, Q(n, "A"), OWN)
    for n, kind, klass in (("version.bind.", "TXT", "CH"),
                           ("hostname.bind.", "TXT", "CH"),
                           ("plain", "A", "CH"), ("plain", "A", "HS"),
                           ("fixed", "A", "CH"), ("plain", "A", "ANY"),
                           ("fixed", "AAAA", "ANY")):
        t.add("class %s: %s %s" % (klass, n, kind),
              Q(n, kind, klass, edns=PLAIN_EDNS), OWN)
    return t.cases


def policy():
    t = Table()
    for n in ("plain", "nobody", "alias", "x.refused.test.", "x.dead.test."):
        for kind in ("A", "AAAA", "HTTPS", "ANY"):
            t.add("HIP is required and %s has none: %s" % (n, kind),
                  Q(n, kind, edns=PLAIN_EDNS), servfail(NO_HIP),
                  "hip require")
    t.add("the same without EDNS: no reason is said", Q("plain", "A"),
          servfail(None), "hip require")
    t.add("HIP is required: MX is the server's", Q("plain", "MX"), OWN,
          "hip require")
    for n in ("fixed", "plain"):
        for kind in ("A", "AAAA", "HTTPS", "ANY"):
            t.add("HIP is off: %s of %s is the server's" % (kind, n),
                  Q(n, kind, edns=PLAIN_EDNS), OWN, "hip off", asks=["own"])
    t.add("the longest rule counts: required", Q("must.require", "A",
                                                 edns=PLAIN_EDNS),
          servfail(NO_HIP), "policy *.require.golden.test require")
    t.add("the longest rule counts: off below required", Q("plain", "A"), OWN,
          "hip require", "policy plain.golden.test off", asks=["own"])
    t.add("an alias into what requires HIP", Q("may", "A", edns=PLAIN_EDNS),
          servfail(NO_HIP), "policy *.require.golden.test require")
    t.add("an alias out of what requires HIP", Q("alias", "A",
                                                 edns=PLAIN_EDNS),
          servfail(NO_HIP), "policy alias.golden.test require")
    t.add("class ANY where HIP is required", Q("plain", "A", "ANY",
                                               edns=PLAIN_EDNS),
          error(wire.REFUSED, CLASS_ANY), "hip require", asks=[])
    t.add("class CH where HIP is required", Q("version.bind.", "TXT", "CH"),
          OWN, "hip require")
    both = {"size": 1232, "do": True}
    for mode in ("require", "prefer", "off"):
        for how in ("auto", "bypass", "synthesize", "refuse"):
            bypass = mode == "off" or \
                (how in ("auto", "bypass") and mode == "prefer")
            refuse = not bypass and how != "synthesize"
            why = VALIDATES_REQUIRED if mode == "require" else VALIDATES
            t.add("DO and CD, HIP %s, dnssec-client %s" % (mode, how),
                  Q("fixed", "AAAA", flags=RD | CD, edns=both),
                  OWN if bypass else error(wire.REFUSED, why) if refuse
                  else substitute(), "hip " + mode, "dnssec-client " + how,
                  host=None if bypass or refuse else "fixed",
                  asks=["own"] if bypass else [] if refuse else None)
    t.add("DO and CD: other types are the server's", Q(
        "fixed", "TXT", flags=RD | CD, edns=both), OWN, "hip require")
    t.add("DO and CD behind an rcode that no query has", Q(
        "fixed", "AAAA", flags=RD | CD, edns={"high": 0xf7, **both}),
          error(wire.REFUSED, VALIDATES_REQUIRED), "hip require", asks=[])
    pin = "pin plain.golden.test"
    for kind in ("A", "AAAA", "HTTPS", "ANY"):
        t.add("%s of a name that had a HIP record" % kind,
              Q("plain", kind, edns=PLAIN_EDNS), servfail(STRIPPED), pin)
    t.add("its MX is the server's", Q("plain", "MX"), OWN, pin)
    t.add("an alias to a name that had a HIP record",
          Q("alias", "A", edns=PLAIN_EDNS), servfail(STRIPPED), pin)
    t.add("a name that had a HIP record and HIP is off", Q("plain", "A"), OWN,
          pin, "hip off", asks=["own"])
    t.add("a name that had a HIP record, class ANY",
          Q("plain", "A", "ANY", edns=PLAIN_EDNS),
          error(wire.REFUSED, CLASS_ANY), pin, asks=[])
    t.add("a name that had a HIP record, DO and CD",
          Q("plain", "A", flags=RD | CD, edns=both),
          error(wire.REFUSED, VALIDATES_REQUIRED), pin, asks=[])
    t.add("a pinned name that has its record", Q("fixed", "A"), substitute(),
          "pin fixed.golden.test", host="fixed")
    odd = ".".join(["\\001" * 60] * 2)
    t.add("a name too long to be written: relayed", Q(odd, "A"), OWN,
          asks=["own"])
    t.add("a name too long to be written where HIP is required",
          Q(odd, "A", edns=PLAIN_EDNS), servfail(TOO_LONG), "hip require",
          asks=[])
    return t.cases


def validated():
    t = Table()
    for need in ("require", "prefer"):
        conf = "dnssec " + need
        for verdict in ("secure", "insecure", "bogus"):
            ask = "%s HIP" % verdict
            bad = verdict == "bogus" or (verdict == "insecure" and
                                         need == "require")
            t.add("a HIP record, %s, dnssec = %s" % (verdict, need),
                  Q("fixed", "AAAA", edns=PLAIN_EDNS),
                  servfail(BOGUS) if bad else substitute(), conf,
                  asks=["own", ask, "A"], host=None if bad else "fixed")
            bad = verdict == "bogus"
            t.add("no HIP record, %s, dnssec = %s" % (verdict, need),
                  Q("plain", "AAAA", edns=PLAIN_EDNS),
                  servfail(BOGUS) if bad else OWN, conf,
                  asks=["own", ask, "A"])
            t.add("no HIP record, %s, dnssec = %s, HIP required" %
                  (verdict, need), Q("plain", "AAAA", edns=PLAIN_EDNS),
                  servfail(BOGUS if bad else NO_HIP), conf, "hip require",
                  asks=["own", ask, "A"])
            t.add("a pinned name without, %s, dnssec = %s" % (verdict, need),
                  Q("plain", "AAAA", edns=PLAIN_EDNS),
                  servfail(BOGUS) if bad else OWN if verdict == "secure"
                  else servfail(STRIPPED), conf, "pin plain.golden.test",
                  asks=["own", ask, "A"])
        ask = "insecure HIP"
        t.add("the validator fails, dnssec = %s" % need,
              Q("x.dead.test.", "A", edns=PLAIN_EDNS),
              servfail(BOGUS) if need == "require" else OWN, conf,
              asks=["own", ask, "AAAA"])
        t.add("the validator is silent, dnssec = %s" % need,
              Q("plain", "A", edns=PLAIN_EDNS),
              servfail(BOGUS) if need == "require" else OWN, conf,
              asks=["own", ask, "AAAA"], edit={ask: silent})
        t.add("the validator cannot be asked, dnssec = %s" % need,
              Q("plain", "A", edns=PLAIN_EDNS), servfail(BUSY), conf,
              asks=["own", ask, "AAAA"], edit={ask: refused})
    return t.cases


def local():
    t = Table()
    h = Host(50, ["2001:db8:2::50", "192.0.2.50"])
    rec = "record static.golden.test 2001:22::32 2001:db8:2::50 192.0.2.50"
    for n in ("static", "StAtIc.GoLdEn.TeSt."):
        for kind in ("A", "AAAA"):
            t.add("a static record: %s %s" % (n, kind),
                  Q(n, kind, edns=PLAIN_EDNS), substitute(), rec, host=h,
                  asks=[])
    for kind, want in (("HTTPS", nodata()), ("SVCB", nodata()),
                       ("ANY", minimal)):
        t.add("a static record: %s" % kind, Q("static", kind,
                                              edns=PLAIN_EDNS), want, rec,
              asks=[])
    for kind in ("MX", "TXT", "HIP", "SRV", "NS"):
        t.add("a static record: %s is not there" % kind,
              Q("static", kind, edns=PLAIN_EDNS), nodata(OWN_RECORD), rec,
              asks=[])
    t.add("a static record, HIP off", Q("static", "A"), OWN, rec, "hip off",
          asks=["own"])
    t.add("a static record, class ANY", Q("static", "A", "ANY",
                                          edns=PLAIN_EDNS),
          error(wire.REFUSED, CLASS_ANY), rec, asks=[])
    t.add("a static record, DO and CD", Q(
        "static", "A", flags=RD | CD, edns={"size": 1232, "do": True}),
          error(wire.REFUSED, VALIDATES_REQUIRED), rec, asks=[])
    t.add("a name below a static record", Q("x.static", "A"), OWN, rec)
    t.add("a static record for a name that a server has, too",
          Q("plain", "A", edns=PLAIN_EDNS), substitute(),
          "record plain.golden.test 2001:22::32 2001:db8:2::50 192.0.2.50",
          host=h, asks=[])
    t.add("an alias of a server's to a static record",
          Q("alias", "A", edns=PLAIN_EDNS), substitute(),
          "record plain.golden.test 2001:22::32 192.0.2.50",
          host=Host(50, ["192.0.2.50"]))

    hit = wire.hit(2)
    lease = "lease 2001:22::2 fixed.golden.test"
    six = wire.substitute(hit, POOL6)
    four = wire.substitute(hit, POOL4)
    names = {"IPv6": six.reverse_pointer, "IPv4": four.reverse_pointer}
    for what, n in names.items():
        for how in ("without EDNS", "with EDNS"):
            t.add("PTR of a substitute, %s, %s" % (what, how),
                  Q(n + ".", "PTR", edns=EDNS[how]),
                  pointer("fixed.golden.test"), lease, asks=[])
        t.add("PTR of a substitute in capitals, " + what,
              Q(n.upper() + ".", "PTR"), pointer("fixed.golden.test"), lease,
              asks=[])
        t.add("other types there are the server's, " + what,
              Q(n + ".", "TXT"), OWN, lease)
        t.add("A there, " + what, Q(n + ".", "A"), OWN, lease)
        t.add("PTR of a substitute, class CH, " + what,
              Q(n + ".", "PTR", "CH"), OWN, lease)
    free = {"IPv6": "2001:db8:401::dead", "IPv4": "198.18.0.250"}
    for what, a in free.items():
        t.add("PTR of an address of the pool that nobody has, " + what,
              Q(ipaddress.ip_address(a).reverse_pointer + ".", "PTR",
                edns=PLAIN_EDNS), nodata(None, wire.NXDOMAIN), lease, asks=[])
    for n in ("0.18.198.in-addr.arpa.", "1.0.18.198.ip6.arpa.",
              "01.0.18.198.in-addr.arpa.", "256.0.18.198.in-addr.arpa.",
              "1.1.18.198.in-addr.arpa.", "x.1.0.18.198.in-addr.arpa."):
        t.add("PTR of what is no address of the pool: " + n, Q(n, "PTR"), OWN,
              lease)
    return t.cases


def clients():
    t = Table()
    good = Q("plain", "A").octets()
    rest = good[12:]

    def raw(title, octets, want, **more):
        t.add(title, Raw(octets), want, **more)

    def head(*counts, qid=0x1234, flags=RD):
        return struct.pack(">6H", qid, flags, *counts)

    for n in (0, 1, 11):
        raw("%d octets" % n, good[:n], NONE)
    raw("a header alone", head(0, 0, 0, 0), header(wire.FORMERR))
    raw("a header that promises a question", head(1, 0, 0, 0),
        header(wire.FORMERR))
    raw("two questions", head(2, 0, 0, 0) + rest + rest,
        header(wire.FORMERR))
    raw("65535 questions", head(65535, 0, 0, 0) + rest,
        header(wire.FORMERR))
    for n in range(1, 16):
        raw("opcode %d" % n, head(1, 0, 0, 0, flags=RD | n << 11) + rest,
            header(wire.NOTIMP))
    raw("an answer", head(1, 0, 0, 0, flags=0x8000 | RD) + rest, NONE)
    raw("an answer with opcode 5", head(1, 0, 0, 0, flags=0xa800) + rest, NONE)
    for n in (13, len(good) - 5, len(good) - 4, len(good) - 1):
        raw("cut after %d octets" % n, good[:n], header(wire.FORMERR))
    raw("an octet too many", good + b"\0", header(wire.FORMERR))
    raw("an OPT that is promised", head(1, 0, 0, 1) + rest,
        header(wire.FORMERR))
    for words, n in (("a label of 64", b"\x40" + b"a" * 64 + b"\0"),
                     ("a label of 128", b"\x80" + b"a" * 128 + b"\0"),
                     ("a name of 256", (b"\x3f" + b"a" * 63) * 4 + b"\0"),
                     ("a pointer to itself", b"\xc0\x0c"),
                     ("a pointer to what comes", b"\xc0\x20"),
                     ("a pointer without its end", b"\xc0"),
                     ("a name that does not end", b"\3abc")):
        raw("a question with " + words, head(1, 0, 0, 0) + n + rest[-4:]
            if words != "a pointer without its end"
            else head(1, 0, 0, 0) + n, header(wire.FORMERR))
    for words, o in (
            ("two OPTs", wire.opt() + wire.opt()),
            ("an OPT with a name", b"\1a" + wire.opt()),
            ("an OPT that is cut", wire.opt()[:-1]),
            ("an option that is cut", wire.opt(
                options=wire.option(3, b"abcd"))[:-1]),
            ("an option longer than its OPT", wire.opt(
                options=struct.pack(">HH", 3, 9) + b"abcd")),
            ("half an option", wire.opt(options=b"\0\3\0"))):
        num = 2 if words == "two OPTs" else 1
        raw(words, head(1, 0, 0, num) + rest + o, header(wire.FORMERR))
    for words, counts in (("answer", (1, 1, 0, 0)),
                          ("authority", (1, 0, 1, 0))):
        raw("an OPT as " + words, head(*counts) + rest + wire.opt(),
            header(wire.FORMERR))
    for n in (0, 1, 7, 9, 15, 41):
        raw("a cookie of %d octets" % n, head(1, 0, 0, 1) + rest + wire.opt(
            options=wire.option(wire.COOKIE, bytes(n))), header(wire.FORMERR))
    raw("longer than any query", head(1, 0, 0, 1) + rest + wire.opt(
        options=wire.option(wire.PADDING, bytes(4096))), header(wire.FORMERR))
    for v in (1, 255):
        t.add("EDNS version %d" % v, Q("fixed", "A", edns={
            "size": 1232, "version": v}), error(wire.BADVERS), asks=[])
    t.add("EDNS version 1 where HIP is required", Q("plain", "A", edns={
        "size": 1232, "version": 1, "do": True}), error(wire.BADVERS),
          "hip require", asks=[])
    raw("an answer record in a query: the server says what it is",
        head(1, 1, 0, 0) + rest + wire.record(b"\xc0\x0c", "A", 1, bytes(4)),
        OWN, asks=["own", "HIP", "AAAA"],
        edit={"own": craft(rcode=wire.FORMERR)})
    raw("a query with a signature goes to the server as it is",
        head(1, 0, 0, 1) + rest + wire.record(
            wire.name("key"), "TSIG", 0, wire.name("hmac-sha256") + bytes(10) +
            struct.pack(">HHHH", 0, 0x1234, 0, 0), 255), OWN,
        asks=["own", "HIP", "AAAA"], edit={"own": craft(rcode=9)})
    return t.cases
