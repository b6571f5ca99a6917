# SPDX-License-Identifier: MIT
# What was on the wire, with tshark as the judge. Sourced by run.sh.
# shellcheck shell=bash

# A judge that fails says so: silence means that it found nothing.
shark()
{
	local log=$DEMO_DIR/logs/tshark.log

	tshark -n -r "$DEMO_DIR/uplink.pcap" "$@" 2>"$log" || cat "$log"
}

hip_types()
{
	shark -Y hip -T fields -e hip.packet_type | sort -nu | tr '\n' ' '
}

# The readers of test/second, on packets that real programs sent.
hip_rules()
{
	python3 "$ROOT/test/second/read_hip.py" "$DEMO_DIR/uplink.pcap" \
		>"$DEMO_DIR/hip.txt"
}

hip_complaints()
{
	shark -Y 'hip && !icmp && !icmpv6' -T pdml |
		python3 "$ROOT/test/second/read_tshark.py" "$DEMO_DIR/hip.txt"
}

# Between the proxy and the HIP side there is UDP 10500 and nothing else.
other_packets()
{
	tcpdump -n -r "$DEMO_DIR/uplink.pcap" "(host $HIP_6 or host $FA_6 or
		host $HIP4_4 or host $FA_4 or host $FIX_6 or host $FIX_4) and
		not udp port 10500" 2>"$DEMO_DIR/logs/tcpdump.log" ||
		cat "$DEMO_DIR/logs/tcpdump.log"
}

clear_text()
{
	grep -aoE 'a page of the HIP host|(first|second) of lh[0-9]' \
		"$DEMO_DIR/$1.pcap"
}

# ESP in UDP is noise to tshark, which sometimes takes it for some other
# protocol; so of port 10500 only HIP (4 zero octets, RFC 9028 5.1) is judged.
malformed()
{
	shark -Y '_ws.malformed && (!(udp.port == 10500) ||
		udp.payload[0:4] == 00:00:00:00)'
}

not_esp()
{
	shark -Y 'udp.port == 10500 && !hip && udp.length < 32'
}

# marked src|dst: ESP from or to the proxy with pings_marked's traffic class.
marked()
{
	tcpdump -n -r "$DEMO_DIR/uplink.pcap" "udp port 10500 and
		($1 host $PX_6 and ip6[0:2] & 0x0ff0 = 0x0b80 or
		$1 host $PX_4 and ip[1] = 0xb8)" 2>/dev/null | tail -n 3
}

wire_checks()
{
	local way

	for way in src dst; do
		check "the traffic class of a ping is in the outer header ($way)" \
			test -n "$(marked $way)"
	done
	local types

	types=$(hip_types)
	check "tshark sees I1, R1, I2 and R2 on UDP 10500" \
		test "${types:0:8}" = "1 2 3 4 "
	none "tshark finds no malformed packet" malformed
	check "every HIP packet keeps the rules for the sender" hip_rules
	check "tshark has no warning about HIP and reads what read_hip.py does" \
		hip_complaints
	none "between proxy and HIP hosts only UDP 10500" other_packets
	none "UDP 10500 that is not HIP is long enough for ESP" not_esp
	none "no clear text on the uplink" clear_text uplink
	check "the LAN capture does show that text" \
		test -n "$(clear_text lan | head -n 1)"
	steps_agent "$DEMO_DIR/agent.pcap"
}
