#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tshark makes of HIP messages, and whether it is what we make of them.

usage: tshark -n -r CAPTURE -T pdml | read_tshark.py [LISTING]

Complains about each packet with expert information of severity warning or
worse, a malformed part or a wrong checksum, and, when a listing is given
(listing.h), about each field that tshark reads in another way or not at all.
A line is: frame, parameter, complaint. Exit code 1 when there is one.

tshark 4.0 reads HIPv2 in part by the rules of HIPv1 (RFC 5201). What it
reads otherwise than RFC 7401 says, and what is done about it:

* HOST_ID. HIPv1 has a KEY RR header before the key: flags (16 bits), protocol
  (8), algorithm (8). HIPv2 has Algorithm (16) and then the Host Identity
  (RFC 7401 5.2.9). tshark therefore takes Algorithm for flags, and the first
  two octets of the Host Identity (ECDSA: the curve) for protocol and
  algorithm, and says "Unknown algorithm type" of the latter. That complaint
  on that field is the only one allowed; the octets are compared under their
  true names, as far as tshark shows them. read_hip.py reads the whole, and
  proves it by the HIT that the Host Identity hashes to.
* HIP_SIGNATURE, HIP_SIGNATURE_2. SIG alg has 8 bits in HIPv1, 16 in HIPv2
  (5.2.14). tshark shows the high octet as the algorithm and the low one as
  the first of the signature; they are put together here.
* R1_COUNTER has type 129 in HIPv2; tshark knows 128. It does not read
  DH_GROUP_LIST and TRANSPORT_FORMAT_LIST either. Of these three it shows type
  and length only (UNREAD).
* Types for private use are unknown to it, too, and those that RFC 9028 has
  added to RFC 5770: RELAYED_ADDRESS, MAPPED_ADDRESS, PEER_PERMISSION,
  CANDIDATE_PRIORITY, NOMINATE: the same.
* LOCATOR_SET: it shows the parts of each locator, its address twice: passed
  over, type and length only are compared.
* ENCRYPTED: it has no keys.
"""
import sys
import xml.etree.ElementTree as ElementTree

WARNING = 0x600000
UNREAD = {129, 193, 511, 2049, 4650, 4660, 4680, 4700, 4710,
          *range(32768, 49152)}
HI_SHOWN = 4  # hexadecimal digits of the Host Identity
ALLOWED = ("hip.tlv.host_id_header_algo", "hip.tlv.host_id_header_algo.invalid")

NUMBERS = {
    "hip.proto": "next", "hip.hdr_len": "length", "hip.packet_type": "type",
    "hip.shim6_fixed_p": "fixed_0", "hip.version": "version",
    "hip.shim6_fixed_s": "fixed_1", "hip.checksum": "checksum",
    "hip.controls": "controls",
    "hip.tlv_esp_info_key_index": "keymat_index",
    "hip.tlv_esp_info_old_spi": "old_spi",
    "hip.tlv_esp_info_new_spi": "new_spi",
    "hip.tlv_puzzle_k": "k", "hip.tlv_puzzle_lifetime": "lifetime",
    "hip.tlv_puzzle_opaque": "opaque",
    "hip.tlv_solution_k": "k", "hip.tlv_solution_opaque": "opaque",
    "hip.tlv_seq_update_id": "id", "hip.tlv_ack_updid": "id",
    "hip.tlv.dh_group_id": "group", "hip.tlv.dh_pv_length": "public_len",
    "hip.tlv.cipher_id": "cipher", "hip.tlv.trans_id": "suite",
    "hip.tlv.host_id_length": "hi_len",
    "hip.tlv.host_domain_id_type": "di_type",
    "hip.tlv.host_domain_id_length": "di_len",
    "hip.tlv.host_id_header_flags": "alg",
    "hip.tlv.notification_type": "type",
    "hip.tlv.reg_ltmin": "min", "hip.tlv.reg_ltmax": "max",
    "hip.tlv.reg_lt": "lifetime", "hip.tlv.reg_failtype": "failure",
    "hip.tlv.reg_type": "reg",
    "hip.tlv.nat_traversal_mode_id": "mode",
    "hip.tlv_transaction_minta": "number",
    "hip.tlv.reg_from_port": "port", "hip.tlv.relay_from_port": "port",
    "hip.tlv.relay_to_port": "port",
}
OCTETS = {
    "hip.hit_sndr": "sender", "hip.hit_rcvr": "receiver",
    "hip.tlv.puzzle_random_i": "i",
    "hip.tlv.solution_random_i": "i", "hip.tlv_solution_j": "j",
    "hip.tlv.dh_public_value": "public",
    "hip.encrypted_parameter_data": "data",
    "hip.tlv.notification_data": "data",
    "hip.tlv.opaque_data": "octets", "hip.tlv.hmac": "octets",
    "hip.tlv_reg_from_address": "address",
    "hip.tlv_relay_from_address": "address",
    "hip.tlv_relay_to_address": "address",
    "hip.tlv_from_address": "address", "hip.tlv_rvs_address": "address",
}
RESERVED = {"hip.tlv_esp_info_reserved", "hip.tlv_solution_reserved",
            "hip.tlv.enc_reserved", "hip.tlv.esp_trans_res",
            "hip.tlv.notification_res", "hip.tlv_reg_from_reserved",
            "hip.tlv_relay_from_reserved", "hip.tlv_relay_to_reserved"}
UDP = {"hip.tlv_reg_from_protocol", "hip.tlv_relay_from_protocol",
       "hip.tlv_relay_to_protocol"}
# Parts of, or all of, what other fields show.
PASSED_OVER = {"", "hip.controls.a", "hip.tlv.host_id_hdr"}


def number(field):
    return str(int(field.get("show"), 0))


class Tree:
    """One packet of the PDML."""

    def __init__(self, packet):
        self.packet = packet
        self.lines = []
        self.complaints = []
        self.parameter = 0
        shown = packet.find(".//field[@name='frame.number']")
        self.frame = shown.get("show") if shown is not None else "?"

    def where(self):
        return self.frame, str(self.parameter)

    def put(self, name, value):
        self.lines.append((*self.where(), name, value))

    def complain(self, text):
        self.complaints.append((*self.where(), text))

    def read(self):
        for proto in self.packet.findall("proto"):
            if proto.get("name") in ("ip", "ipv6", "udp", "hip"):
                self.walk(proto)
            elif proto.get("name") not in ("geninfo", "frame", "raw", "eth"):
                self.complain("takes it for " + proto.get("name"))

    def walk(self, node):
        for field in node:
            name = field.get("name", "")
            if name.startswith("_ws."):
                self.expert(node, field)
                continue
            if name == "hip.type":
                self.parameter += 1
                self.put("tlv", number(field))
                self.put("len", str(int(field.get("size")) - 4))
            elif name.startswith("hip."):
                self.field(name, field)
            else:
                self.outer(name, field)
            self.walk(field)

    def expert(self, parent, field):
        """Expert information hangs below the field it is about."""
        severity = field.find("field[@name='_ws.expert.severity']")
        message = field.find("field[@name='_ws.expert.message']")
        if field.get("name") != "_ws.expert" or severity is None:
            self.complain(field.get("showname") or field.get("name"))
            return
        about = [f.get("name") for f in field
                 if not f.get("name").startswith("_ws.")]
        if int(severity.get("show")) < WARNING or \
                (parent.get("name"), *about) == ALLOWED:
            return
        self.complain(f"{parent.get('name')}: {message.get('show')}")

    def outer(self, name, field):
        if name in ("ip.src", "ip.dst"):
            self.put("from" if name == "ip.src" else "to",
                     "0" * 20 + "ffff" + field.get("value"))
        elif name in ("ipv6.src", "ipv6.dst"):
            self.put("from" if name == "ipv6.src" else "to",
                     field.get("value"))
        elif name in ("udp.srcport", "udp.dstport"):
            self.put("from_port" if name == "udp.srcport" else "to_port",
                     number(field))
        elif name in ("ip.checksum.status", "udp.checksum.status"):
            if field.get("show") not in ("1", "2"):  # 2: not looked at
                self.complain(name + " is not good")

    def field(self, name, field):
        if name in NUMBERS:
            self.put(NUMBERS[name], number(field))
        elif name in OCTETS:
            self.put(OCTETS[name], field.get("value", ""))
        elif name in RESERVED:
            if number(field) != "0":
                self.complain(name + " is not zero")
        elif name in UDP:
            if number(field) != "17":
                self.complain(name + " is not UDP")
        elif name == "hip.tlv.hit_suite_id":
            self.put("hit_suite", str(int(field.get("unmaskedvalue"), 16)))
        elif name == "hip.tlv.host_id_header_proto":
            self.put("hi", field.get("unmaskedvalue"))
        elif name == "hip.tlv.host_id_header_algo":
            self.more("hi", field.get("unmaskedvalue"))
        elif name == "hip.tlv.sig_alg":
            self.put("sig", field.get("value"))
        elif name == "hip.tlv.sig":
            self.more("sig", field.get("value"))
            octets = self.lines.pop()[3]
            self.put("alg", str(int(octets[:4], 16)))
            self.put("sig", octets[4:])
        elif name == "hip.checksum.status":
            if field.get("show") != "1":
                self.complain(name + " is not good")
        elif name not in PASSED_OVER and \
                not name.startswith("hip.tlv.locator_"):
            self.complain(f"{name} is not compared")

    def more(self, name, value):
        """The rest of a field that tshark takes for two."""
        line = self.lines.pop()
        assert line[2] == name
        self.put(name, line[3] + value)


def read(pdml):
    """Lines and complaints about all packets in an open PDML file."""
    lines, complaints = [], []
    for _, node in ElementTree.iterparse(pdml):
        if node.tag != "packet":
            continue
        tree = Tree(node)
        tree.read()
        lines += tree.lines
        complaints += tree.complaints
        node.clear()
    return lines, complaints


def shown_of(listing):
    """The lines of a listing that tshark shows, as it shows them."""
    shown, tlv = [], 0
    for frame, place, name, value in listing:
        if name == "tlv":
            tlv = int(value)
        unread = place != "0" and tlv in UNREAD and name not in ("tlv", "len")
        if "." in place or unread or (tlv == 705 and name == "di" and
                                      not value):
            continue
        if tlv == 705 and name == "hi":
            value = value[:HI_SHOWN]
        shown.append((frame, place, name, value))
    return shown


def grouped(lines):
    """{(frame, parameter): [(name, value)...]}; headers in any order."""
    groups = {}
    for frame, place, name, value in lines:
        groups.setdefault((frame, place), []).append((name, value))
    for (_, place), fields in groups.items():
        if place == "0":
            fields.sort()
    return groups


def compare(listing, lines):
    """Complaints about what differs."""
    ours, theirs = grouped(shown_of(listing)), grouped(lines)
    complaints = []
    for place in sorted(ours.keys() | theirs.keys(),
                        key=lambda p: (int(p[0]), int(p[1]))):
        a, b = ours.get(place, []), theirs.get(place, [])
        if a != b:
            only = ([f"ours {n}={v}" for n, v in a if (n, v) not in b] +
                    [f"tshark {n}={v}" for n, v in b if (n, v) not in a])
            complaints.append((*place, "; ".join(only) or "another order"))
    return complaints


def read_listing(path):
    with open(path, encoding="ascii") as f:
        return [tuple(line.rstrip("\n").split("\t")) for line in f]


def main():
    lines, complaints = read(sys.stdin.buffer)
    if len(sys.argv) == 2:
        complaints += compare(read_listing(sys.argv[1]), lines)
    for line in complaints:
        print("\t".join(line))
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
