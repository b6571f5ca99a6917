#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""short.py ADDRESS NUM: NUM connections to port 80, one after the other, each
for one request that ends it; prints how many were answered."""

import socket
import sys

REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def answered(address):
    """One connection, to its end."""
    with socket.create_connection((address, 80), timeout=10) as s:
        s.sendall(REQUEST)
        got = b""
        while piece := s.recv(65536):
            got += piece
    return b" 200 OK\r\n" in got


good = 0
for _ in range(int(sys.argv[2])):
    try:
        good += answered(sys.argv[1])
    except OSError as e:
        print(e, file=sys.stderr)
print(good)
