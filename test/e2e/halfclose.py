#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A DNS client over TCP that says all it has to say, and then listens.

usage: halfclose.py SERVER PORT CUT NAME...

Asks for AAAA of each name at once, ends its side of the connection CUT
octets before the end of the last question, and prints the addresses of what
is answered until the server ends its side, one a line; last "closed".
"""
import socket
import struct
import sys


def question(number, name):
    labels = b"".join(bytes([len(x)]) + x.encode()
                      for x in name.split(".")) + b"\0"
    msg = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels
    msg += struct.pack("!HH", 28, 1)
    return struct.pack("!H", len(msg)) + msg


def main():
    server, port, cut, names = (sys.argv[1], int(sys.argv[2]),
                                int(sys.argv[3]), sys.argv[4:])
    with socket.create_connection((server, port), timeout=10) as s:
        said = b"".join(question(i, n) for i, n in enumerate(names))
        s.sendall(said[:len(said) - cut])
        s.shutdown(socket.SHUT_WR)
        data = s.makefile("rb")
        while True:
            size = data.read(2)
            if not size:
                break
            msg = data.read(struct.unpack("!H", size)[0])
            # One record, the last sixteen octets of an answer without EDNS.
            if struct.unpack_from("!H", msg, 6)[0]:
                print(socket.inet_ntop(socket.AF_INET6, msg[-16:]))
    print("closed")


main()
