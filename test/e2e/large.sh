# SPDX-License-Identifier: MIT
# Control packets that no link carries whole: an I2 with an RSA-4096 key, a
# signature by it and a MODP value has 1700 octets and travels in fragments
# (RFC 7401 5.1.3). Sourced by run.sh.
# shellcheck shell=bash

LARGE_SAVED=$DEMO_DIR/saved

large_begin()
{
	mkdir -p "$LARGE_SAVED" &&
		cp -a "$DEMO_DIR"/px/{key.pem,hit,hipgate.conf} \
			"$LARGE_SAVED/" &&
		rm "$DEMO_DIR/px/key.pem" && identity px rsa4096 &&
		sed -i 's/^log = info$/&\ndh-groups = modp3072/' \
			"$DEMO_DIR/px/hipgate.conf" &&
		daemon_stop px && daemon_start px
}

large_end()
{
	daemon_stop px &&
		cp -a "$LARGE_SAVED"/{key.pem,hit,hipgate.conf} \
			"$DEMO_DIR/px/" && daemon_start px
}

large_fragments()
{
	tcpdump -n -r "$DEMO_DIR/large.pcap" \
		'ip6[6] == 44 or ip[6:2] & 0x3fff != 0' \
		2>"$DEMO_DIR/logs/tcpdump.log" | grep -c . | grep -v '^0$'
}

large_checks()
{
	check "large packets: the proxy gets an RSA-4096 identity" large_begin
	capture_up px up0 "$DEMO_DIR/large.pcap"
	check "large packets: a page by an I2 of more than a link's MTU" \
		gets_page lh4 4 fixed.foo.com
	capture_down "$DEMO_DIR/large.pcap"
	check "large packets: it left in fragments" large_fragments
	check "large packets: the proxy gets its own identity back" large_end
}
