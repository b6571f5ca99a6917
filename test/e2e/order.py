#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""order.py PCAP ADDRESS: of the ESP packets over UDP port 10500 to the IPv6
ADDRESS, in Ethernet frames of at least 62 octets: how many there are (a
super-packet is one), and how far the hindmost sequence number was behind."""

import ipaddress
import struct
import sys

to = ipaddress.IPv6Address(sys.argv[2]).packed
top = {}
num = back = 0
with open(sys.argv[1], "rb") as f:
    order = "<" if f.read(24)[:1] in (b"\xd4", b"\x4d") else ">"
    while len(head := f.read(16)) == 16:
        pkt = f.read(struct.unpack(order + "4I", head)[2])
        if pkt[12:14] != b"\x86\xdd" or pkt[20] != 17 or pkt[38:54] != to:
            continue
        port, spi, seq = struct.unpack_from("!2xH4xII", pkt, 54)
        if port != 10500 or spi == 0:
            continue
        num += 1
        back = max(back, top.get(spi, 0) - seq)
        top[spi] = max(top.get(spi, 0), seq)
print(num, back)
