#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A download that tells how long it stood still.

usage: gap.py 4|6 URL OCTETS_A_SECOND STARTED [HURRY]

Reads URL no faster than that, into a small receive buffer, so that what the
network does is seen here at once. Makes the file STARTED when an eighth has
come; once there is the file HURRY, it reads as fast as it can. Prints the
octets, their SHA-256 and the longest time (ms) in which none came, and when
that began (s). A reset connection is an error, and so are four minutes of
nothing: how long is too long is for whoever reads the figure.
"""
import hashlib
import os
import socket
import sys
import time
from urllib.parse import urlsplit


def connect(family, host):
    kind = socket.AF_INET6 if family == "6" else socket.AF_INET
    where = socket.getaddrinfo(host, 80, kind, socket.SOCK_STREAM)[0][4]
    s = socket.socket(kind, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
    s.settimeout(60)
    s.connect(where)
    s.settimeout(240)
    return s


def head(s):
    """The length of the body, and what of it came with the head."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = s.recv(4096)
        if not more:
            raise EOFError("no HTTP head")
        got += more
    lines, body = got.split(b"\r\n\r\n", 1)
    if b" 200 " not in lines.split(b"\r\n")[0]:
        raise ValueError(lines.decode("latin-1"))
    for line in lines.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1]), body
    raise ValueError("no Content-Length")


def main():
    family, url, rate, started = sys.argv[1:5]
    hurry = sys.argv[5:]
    parts = urlsplit(url)
    s = connect(family, parts.hostname)
    s.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.hostname}\r\n"
              "Connection: close\r\n\r\n".encode())
    length, body = head(s)
    digest = hashlib.sha256(body)
    done = len(body)
    begin = time.monotonic()
    longest = at = 0.0
    while done < length:
        ahead = done / float(rate) - (time.monotonic() - begin)
        while ahead > 0 and not any(map(os.path.exists, hurry)):
            time.sleep(min(ahead, 0.1))
            ahead = done / float(rate) - (time.monotonic() - begin)
        before = time.monotonic()
        got = s.recv(65536)
        waited = time.monotonic() - before
        if not got:
            raise EOFError(f"closed after {done} octets")
        if waited > longest:
            longest, at = waited, before - begin
        digest.update(got)
        if done < length // 8 <= done + len(got):
            open(started, "w").close()
        done += len(got)
    print(done, digest.hexdigest(), round(longest * 1000), round(at, 2))


main()
