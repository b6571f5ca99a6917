#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that the comparison notices what is wrong.

usage: bites.py FOLDER [TSHARK...]

FOLDER has second.pcap, ours.txt and keys.txt; TSHARK are arguments for tshark.

For each kind of field of our listing one line gets another value: tshark's
reading must be found to differ there, where tshark shows the field at all.
Then, of each kind of header field and parameter in each packet type, one in
the capture gets a bit changed: both readers must complain there. One change
a packet, so that none hides another. Prints what went unnoticed.
"""
import os
import subprocess
import sys

import read_hip
import read_tshark

# Of the header: the octet, and the bit that is changed.
HEADER = {"next": (0, 1), "fixed_0": (2, 0x80), "version": (3, 0x10),
          "reserved": (3, 2), "fixed_1": (3, 1), "checksum": (5, 1),
          "controls": (6, 1), "sender": (23, 1), "receiver": (39, 1)}
# What read_hip.py must say of it, beside reading something else.
RULES = {"next": "Next Header is not 59", "version": "Version is not 2",
         "fixed_0": "fixed or reserved bits", "fixed_1": "fixed or reserved",
         "reserved": "fixed or reserved bits", "checksum": "is not 0",
         "controls": "unknown Controls", "padding": "padding is not zero",
         "hi": "is not the sender's", (2, 705): "HIT suite and algorithm",
         "tlv": " after "}
HIDDEN = {"reserved", "padding", "hi"}  # tshark does not show them


def tshark(path):
    """What tshark reads, and its complaints."""
    with subprocess.Popen(
            ["tshark", "-n", "-r", path, "-T", "pdml", *sys.argv[2:]],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        return read_tshark.read(run.stdout)


def other(value):
    """Another value of the same kind."""
    if not value:
        return "00"
    last = value[-1]
    return value[:-1] + ("0" if last != "0" else "1")


def changed_lines(listing):
    """Each kind of line changed once: yields (line's number, kind)."""
    seen, tlv = set(), "0"
    for at, (_, place, name, value) in enumerate(listing):
        if name == "tlv":
            tlv = value
        kind = ("0" if place == "0" else tlv, name)
        if kind not in seen:
            seen.add(kind)
            yield at, kind


def miss_lines(listing, theirs):
    """Kinds of lines whose change goes unnoticed by tshark."""
    shown = read_tshark.shown_of(listing)
    for at, kind in changed_lines(shown):
        frame, place, name, value = shown[at]
        spoiled = list(shown)
        spoiled[at] = (frame, place, name, other(value))
        found = read_tshark.compare(
            [line for line in spoiled if line[0] == frame],
            [line for line in theirs if line[0] == frame])
        if (frame, place) not in {c[:2] for c in found}:
            yield kind


def spots(message):
    """What can be changed: (kind, parameter, octet, bit)."""
    at, number = 40, 0
    while at < len(message):
        number += 1
        t, n = (int.from_bytes(message[at:at + 2], "big"),
                int.from_bytes(message[at + 2:at + 4], "big"))
        end = at + 11 + n - (n + 3) % 8
        # The last octet; of HOST_ID the algorithm, which tshark shows.
        octet = at + 4 + (5 if t == 705 else n - 1)
        yield (message[2], t), str(number), octet, 1
        if t == 705:
            yield "hi", str(number), at + 4 + n - 1, 1
            yield "tlv", str(number), at, 2  # 193, behind greater ones
        if end > at + 4 + n:
            yield "padding", str(number), end - 1, 1
        at = end
    for name, (octet, bit) in HEADER.items():
        yield name, "0", octet, bit


def spoil(source, target):
    """Writes target. {(frame, parameter): kind} that was changed, and the
    kinds for which there was no packet left."""
    with open(source, "rb") as f:
        data = bytearray(f.read())
    kinds, changed = set(), {}
    for number, (start, ip) in enumerate(read_hip.records(source), 1):
        frame = read_hip.Frame(number, ip)
        found = list(spots(frame.payload[4:]))
        kinds.update(kind for kind, *_ in found)
        for kind, place, octet, bit in found:
            if kind not in changed.values():
                data[start + frame.at + 4 + octet] ^= bit
                changed[(str(number), place)] = kind
                break
    with open(target, "wb") as f:
        f.write(data)
    return changed, kinds - set(changed.values())


def main():
    folder = sys.argv[1]
    capture = os.path.join(folder, "second.pcap")
    spoiled = os.path.join(folder, "spoiled.pcap")
    keys = read_hip.read_keys(os.path.join(folder, "keys.txt"))
    listing = read_tshark.read_listing(os.path.join(folder, "ours.txt"))
    theirs, _ = tshark(capture)
    missed = [("a changed line", *kind) for kind in miss_lines(listing, theirs)]
    changed, left = spoil(capture, spoiled)
    missed += [("for want of a packet:", kind) for kind in left]

    lines, complaints = tshark(spoiled)
    complaints += read_tshark.compare(listing, lines)
    by_tshark = {c[:2] for c in complaints}
    lines, complaints = read_hip.read(spoiled, keys)
    by_hip = {line[:2] for line in set(lines) ^ set(listing)}
    by_hip |= {c[:2] for c in complaints}
    for place, kind in changed.items():
        hidden = kind in HIDDEN or kind[1] in read_tshark.UNREAD
        if place not in by_tshark and not hidden:
            missed.append(("by tshark:", *place, kind))
        if place not in by_hip:
            missed.append(("by read_hip.py:", *place, kind))
        said = [c[2] for c in complaints if c[:2] == place]
        if not any(RULES.get(kind, "") in text for text in said or [""]):
            missed.append(("by its rule:", *place, kind))
    for line in missed:
        print("unnoticed", *line)
    sys.exit(1 if missed or not changed else 0)


if __name__ == "__main__":
    main()
