#!/bin/bash
# SPDX-License-Identifier: MIT
# Other readers of what our engines send: tshark, and read_hip.py, which knows
# the RFCs only. Both must read what we read, field by field, and complain
# about nothing. What tshark cannot know is in read_tshark.py.
# usage: second.sh BUILD
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "$1" && pwd) || exit 1
HERE=$ROOT/test/second
export PYTHONDONTWRITEBYTECODE=1
. "$ROOT/test/check.sh"

DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
cd "$DIR" || exit 1

# Where HIP goes beside its own port: a data relay's ports, those of NATs.
HIP_PORTS=(-d 'udp.port==20001-20002,hip' -d 'udp.port==40000-40199,hip')

# Every packet type we know how to send is in the listing, and no other.
packet_types()
{
	awk -F'\t' '$2 == 0 && $3 == "type" { print $4 }' ours.txt |
		sort -nu | tr '\n' ' '
}

pdml()
{
	tshark -n -r second.pcap "${HIP_PORTS[@]}" -o ip.check_checksum:TRUE \
		-o udp.check_checksum:TRUE -T pdml >tshark.pdml
}

read_hip()
{
	python3 "$HERE/read_hip.py" second.pcap keys.txt >hip.txt
}

not_hip()
{
	tshark -n -r second.pcap "${HIP_PORTS[@]}" -Y '!hip' 2>/dev/null
}

check "engines go through every packet type in every suite" \
	"$BUILD/test/second" "$DIR" || exit 1
check "the capture has I1 R1 I2 R2 UPDATE NOTIFY CLOSE CLOSE_ACK" \
	test "$(packet_types)" = "1 2 3 4 16 17 18 19 "
check "read_hip.py: every packet keeps the rules for the sender" read_hip
check "read_hip.py: every field is read as we read it" diff ours.txt hip.txt
check "tshark reads the capture" pdml
none "tshark takes every packet for HIP" not_hip
check "tshark: no warning, nothing malformed, no wrong checksum" \
	python3 "$HERE/read_tshark.py" <tshark.pdml
check "tshark: every field is read as we read it" \
	python3 "$HERE/read_tshark.py" ours.txt <tshark.pdml
check "a changed field or octet of every kind is noticed" \
	python3 "$HERE/bites.py" "$DIR" "${HIP_PORTS[@]}"
exit "$CHECK_FAILED"
