#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A DNS server between hipgate and BIND that is old, broken, or hostile.

usage: middlebox.py ADDRESS UPSTREAM MODE_FILE

MODE_FILE is read for each question; its word says what becomes of it:
  open      it is passed on, and so is the answer
  deaf      questions for HIP records are dropped
  formerr, servfail, notimp, refused
            they are answered so
  cut       they are answered with TC, and over TCP not at all
  noedns    questions with EDNS are dropped
  oldedns   they are answered with FORMERR
  lower     answers have the question in lower case
Names below swarm.example are HIP hosts, each with a key of its own. Names
below evil.example have what their first label says: see EVIL.
"""
import hashlib
import socket
import struct
import sys
import threading

HIP, A, CNAME, TC, QR = 55, 1, 5, 0x0200, 0x8000
RCODE = {"formerr": 1, "servfail": 2, "notimp": 4, "refused": 5}
CONTEXT = bytes.fromhex("f0eff02fbff43d0fe7930c3c6e6174ea")


def name_of(labels):
    return b"".join(bytes([len(x)]) + x for x in labels) + b"\0"


class Question:
    def __init__(self, msg):
        self.msg = msg
        self.id, self.flags, _, _, _, self.more = struct.unpack_from(
            "!6H", msg)
        at, self.labels = 12, []
        while msg[at]:
            self.labels.append(msg[at + 1:at + 1 + msg[at]])
            at += 1 + msg[at]
        self.kind, _ = struct.unpack_from("!HH", msg, at + 1)
        self.octets = msg[12:at + 5]
        self.low = [x.lower() for x in self.labels]

    def reply(self, records=(), rcode=0, flags=0):
        head = struct.pack("!6H", self.id, QR | 0x0180 | flags | rcode, 1,
                           len(records), 0, 0)
        return head + self.octets + b"".join(records)


def record(labels, kind, data):
    return name_of(labels) + struct.pack("!HHIH", kind, 1, 60,
                                         len(data)) + data


def hip(seed, pk=None):
    """A HIP record's data; pk: other octets than those its HIT is of."""
    key = hashlib.sha512(seed).digest()
    whole = hashlib.sha384(CONTEXT + b"\0\1\4" + key).digest()
    hit = bytes.fromhex("20010022") + whole[18:30]
    pk = key if pk is None else pk
    return struct.pack("!BBH", 16, 3, len(pk)) + hit + pk


def chain(q, num, back):
    names = [q.labels] + [[b"c%d" % i] + q.labels[1:] for i in range(num)]
    if back:
        names.append(q.labels)
    out = [record(a, CNAME, name_of(b)) for a, b in zip(names, names[1:])]
    return out + [record(names[-1], HIP, hip(b"chain"))]


# first label: the answer to a question for its HIP record
EVIL = {
    b"big": lambda q: [record(q.labels, HIP, hip(b"big", b"k" * 60000))],
    b"liar": lambda q: [record(q.labels, HIP, hip(b"liar", b"k" * 64))],
    b"short": lambda q: [record(q.labels, HIP, hip(b"short")[:-1])],
    b"long": lambda q: [record(q.labels, HIP, hip(b"long") + b"\x3f")],
    b"empty": lambda q: [record(q.labels, HIP, b"")],
    b"loopback": lambda q: [record(q.labels, HIP, hip(b"loopback"))],
    b"group": lambda q: [record(q.labels, HIP, hip(b"group"))],
    b"pool": lambda q: [record(q.labels, HIP, hip(b"pool"))],
    b"spin": lambda q: [b"\xc0" + bytes([12 + len(q.octets)]) +
                        record([], HIP, hip(b"spin"))[1:]],
    b"loop": lambda q: chain(q, 2, True),
    b"chain": lambda q: chain(q, 30, False),
    b"many": lambda q: [record(q.labels, HIP, hip(b"%d" % i))
                        for i in range(200)],
}


WHERE = {b"loopback": "127.0.0.1", b"group": "224.0.0.9",
         b"pool": "198.18.0.77"}


def evil(q, tcp):
    if q.kind == A:
        at = socket.inet_aton(WHERE.get(q.low[0], "192.0.2.99"))
        return q.reply([record(q.labels, A, at)])
    if q.kind != HIP:
        return q.reply()
    out = q.reply(EVIL[q.low[0]](q))
    return out if tcp or len(out) <= 1232 else q.reply(flags=TC)


def swarm(q):
    if q.kind == HIP:
        return q.reply([record(q.labels, HIP, hip(q.low[0]))])
    if q.kind == A:
        return q.reply([record(q.labels, A, socket.inet_aton("192.0.2.99"))])
    return q.reply()


def passed_on(msg, upstream):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        s.connect((upstream, 53))
        s.send(msg)
        try:
            return s.recv(65535)
        except OSError:
            return None


def answer(msg, tcp):
    """What goes back; None: nothing."""
    with open(sys.argv[3]) as f:
        mode = f.read().strip()
    q = Question(msg)
    if q.low[-2:] == [b"swarm", b"example"]:
        return swarm(q)
    if q.low[-2:] == [b"evil", b"example"]:
        return evil(q, tcp)
    if q.kind == HIP and mode == "deaf" or q.more and mode == "noedns":
        return None
    if q.kind == HIP and mode in RCODE:
        return q.reply(rcode=RCODE[mode])
    if q.kind == HIP and mode == "cut":
        return None if tcp else q.reply(flags=TC)
    if q.more and mode == "oldedns":
        return q.reply(rcode=1)
    out = passed_on(msg, sys.argv[2])
    if out and mode == "lower" and not tcp:
        end = 12 + len(q.octets)
        out = out[:12] + out[12:end - 4].lower() + out[end - 4:]
    return out


def serve_stream(s):
    with s:
        data = s.makefile("rb")
        while True:
            size = data.read(2)
            if len(size) < 2:
                return
            out = answer(data.read(struct.unpack("!H", size)[0]), True)
            if out:
                s.sendall(struct.pack("!H", len(out)) + out)


def serve_streams(at):
    with socket.create_server((at, 53), family=socket.AF_INET6,
                              backlog=64) as door:
        while True:
            s, _ = door.accept()
            threading.Thread(target=serve_stream, args=(s,),
                             daemon=True).start()


def main():
    threading.Thread(target=serve_streams, args=(sys.argv[1],),
                     daemon=True).start()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.bind((sys.argv[1], 53))
        while True:
            msg, who = s.recvfrom(65535)
            out = answer(msg, False)
            if out:
                s.sendto(out, who)


main()
