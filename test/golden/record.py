#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records the golden corpus: asks BIND what the cases say, writes it down.

usage: record.py [FILE...]    all, or these (addresses, relayed, ...)

Needs named, dnssec-keygen and dnssec-signzone; runs a named of its own on 127.0.0.1 and
ends it. README.md says what is written, table.py and broken.py what is asked.
"""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import broken
import model
import table
import wire

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = {"addresses": table.addresses, "types": table.types,
         "relayed": table.relayed, "policy": table.policy,
         "validated": table.validated, "local": table.local,
         "clients": table.clients, "servers": broken.servers}
TYPES = ("A", "AAAA", "HIP")

SIGNED = """$TTL 300
@ SOA ns root 1 3600 600 86400 60
@ NS ns.golden.test.
www A 203.0.113.80
plain CNAME www
"""

CONF = """
options {
	directory "%(dir)s";
	listen-on port %(port)d { 127.0.0.1; };
	listen-on-v6 { none; };
	pid-file none;
	session-keyfile none;
	recursion yes;
	dnssec-validation no;
	version "a golden server";
	hostname "golden";
	server-id "golden";
	rrset-order { order none; };
	check-names primary ignore;
	empty-zones-enable no;
};
controls { };
zone "." { type primary; file "root"; };
zone "golden.test" { type primary; file "golden"; };
zone "signed.test" { type primary; file "signed"; };
zone "refused.test" { type primary; file "empty"; allow-query { none; }; };
zone "dead.test" { type primary; file "not-there"; };
"""


class Bind:
    """A named with the zones of the corpus."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="golden-")
        os.chmod(self.dir, 0o755)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.zones()
        # A copy: a profile of the machine may keep named out of here.
        program = shutil.copy(shutil.which("named"), self.dir)
        self.process = subprocess.Popen(
            [program, "-g", "-n", "1", "-c", "conf"], cwd=self.dir,
            stderr=open(os.path.join(self.dir, "log"), "w"))
        self.wait()

    def write(self, file, text):
        with open(os.path.join(self.dir, file), "w") as f:
            f.write(text)

    def zones(self):
        top = "$TTL 300\n@ SOA ns root 1 3600 600 86400 60\n" \
            "@ NS ns.golden.test.\n"
        glue = "golden.test. NS ns.golden.test.\nns.golden.test. A 127.0.0.1\n"
        self.write("conf", CONF % {"dir": self.dir, "port": self.port})
        self.write("root", top + glue)
        self.write("empty", top)
        self.write("golden", model.zone())
        self.write("plain", SIGNED)
        subprocess.run(["dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f",
                        "KSK", "signed.test"], cwd=self.dir, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["dnssec-signzone", "-q", "-P", "-S", "-z", "-o",
                        "signed.test", "-f", "signed", "plain"],
                       cwd=self.dir, check=True, stdout=subprocess.DEVNULL)

    def wait(self):
        for _ in range(100):
            try:
                if self.ask(wire.ask("ns.golden.test", "A"), False)[3] & 15 == 0:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        with open(os.path.join(self.dir, "log")) as f:
            sys.exit("named does not answer:\n" + f.read()[-2000:])

    def ask(self, query, tcp):
        """The answer, its id zero. BIND answers few questions a second of
        class CH."""
        for _ in range(5):
            try:
                return self.ask_once(query, tcp)
            except TimeoutError:
                pass
        raise TimeoutError("no answer")

    def ask_once(self, query, tcp):
        if not tcp:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(2)
                s.connect(("127.0.0.1", self.port))
                s.send(query)
                answer = s.recv(65535)
        else:
            with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.sendall(struct.pack(">H", len(query)) + query)
                f = s.makefile("rb")
                answer = f.read(struct.unpack(">H", f.read(2))[0])
        return b"\0\0" + answer[2:]

    def end(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)


# ---- writing ------------------------------------------------------------------

def octets(data, says=True):
    """Comments, then rows of 32 octets, in fours."""
    out = ["# " + line for line in (wire.show(data) if says else [])]
    text = data.hex().replace(model.WILD.hex(), "??" * len(model.WILD))
    for i in range(0, len(text), 64):
        row = text[i:i + 64]
        out.append("\t" + " ".join(row[k:k + 8]
                                   for k in range(0, len(row), 8)))
    return out


def parse_ask(text, q):
    """"[tcp |VERDICT ]own" or "... TYPE[@NAME]": how, name, type."""
    *how, what = text.split()
    how = how[0] if how else None
    if what == "own":
        return how, "own", None
    kind, _, at = what.partition("@")
    return how, model.absolute(at) if at else q.name, kind


def addresses_in(msg):
    """IPv4 addresses of an answer, in its order."""
    out, at = [], 12
    counts = struct.unpack(">4H", msg[4:12])
    _, at = wire.read_name(msg, at)
    at += 4
    for _ in range(counts[1]):
        _, at = wire.read_name(msg, at)
        kind, _, _, n = struct.unpack(">HHIH", msg[at:at + 10])
        at += 10 + n
        if kind == 1:
            out.append(socket.inet_ntoa(msg[at - 4:at]))
    return out


def parts(bind, c):
    """Lines of what servers say, and the addresses of the last answer."""
    out, last = [], []
    for ask in c.asks:
        how, name, kind = parse_ask(ask, c.q)
        verdict = how if how in ("secure", "insecure", "bogus") else None
        tcp = how == "tcp" or (kind is None and c.tcp)
        asked = c.q.octets() if kind is None else wire.ask(name, kind)
        edit = c.edit.get(ask)
        answer = bind.ask(asked, tcp or bool(verdict)) \
            if edit is None or edit.__name__ != "make" else None
        if edit:
            answer = edit(answer, asked)
        line = ("validator " + verdict if verdict else
                "server " + ("tcp" if tcp else "udp")) + " "
        line += "own" if kind is None else "%s %s" % (printed(name), kind)
        if isinstance(answer, str):
            out.append("%s %s" % (line, answer))
            continue
        out += [line] + octets(answer)
        last = addresses_in(answer) if len(answer) > 12 and kind in (
            None, "A") and c.host == "crowd" else last
    return out, last


def printed(n):
    """A name as the engine writes it."""
    return n.lower() if n != "." else n


def render(bind, c):
    out = ["case " + c.title] + ["config " + line for line in c.config]
    q = c.q.octets()
    out += ["client " + ("tcp" if c.tcp else "udp")] + octets(q)
    said, last = parts(bind, c)
    out += said
    h = c.found()
    if h:
        at = h.at or last[:4]
        out.append("host %s%s %s" % (
            socket.inet_ntop(socket.AF_INET6, h.hit),
            " rvs" if h.rvs else "", " ".join(at)))
    if c.give:
        out.append("give " + c.give)
    if isinstance(c.want, str):
        out.append("reply " + c.want)
    else:
        out += ["reply"] + octets(c.want(c))
    return "\n".join(out) + "\n"


def main():
    which = sys.argv[1:] or list(FILES)
    bind = Bind()
    num = 0
    try:
        for name in which:
            cases = FILES[name]()
            num += len(cases)
            with open(os.path.join(HERE, name + ".txt"), "w") as f:
                f.write("# SPDX-License-Identifier: MIT\n# Recorded by "
                        "record.py; do not edit, see README.md.\n")
                for c in cases:
                    try:
                        f.write("\n" + render(bind, c))
                    except OSError as e:
                        sys.exit("%s: %s" % (c.title, e))
    finally:
        bind.end()
    print("%d cases" % num)


if __name__ == "__main__":
    main()
