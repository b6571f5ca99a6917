# SPDX-License-Identifier: MIT
# Real NATs (nftables): a proxy behind one, a HIP host behind another, and a
# control relay between them (RFC 9028). Both sites use the same private
# addresses. Sourced by run.sh.
# shellcheck shell=bash
#
#   lhn --- [pxn] --- natp --- net --- nath --- hid
#                              |
#                              fa

NAT_NODES=(natp nath pxn lhn hid)
NODES+=("${NAT_NODES[@]}")
NATP_4=198.51.100.21	NATH_4=198.51.100.25
INSIDE_4=192.168.1.2	# pxn's and hid's address, each behind its own NAT
INSIDE_NAT_4=192.168.1.1
LHN_4=10.9.0.2		LHN_ROUTER_4=10.9.0.1	LHN_NET_4=10.9.0.0/24

nat_node()
{
	ip netns add "$(ns "$1")"
	node_settings "$1" "$2"
	ip -n "$(ns "$1")" link set lo up
}

# masquerade NAT [HOW]: as nft has it. "fully-random" maps by destination
# (symmetric); without, a port stays what it is while it is free, whoever
# is written to.
masquerade()
{
	at "$1" nft -f - <<-END
	table ip nat {
		chain post { type nat hook postrouting priority 100; }
	}
	flush chain ip nat post
	add rule ip nat post oif up0 ip protocol udp masquerade ${2-}
	add rule ip nat post oif up0 masquerade
	END
}

# A NAT's own ports are closed, as those of any router: a packet of a stranger
# that makes a hole for itself must not be answered, nor remembered.
ports_closed()
{
	at "$1" nft -f - <<-END
	table ip filter {
		chain in {
			type filter hook input priority 0; policy drop;
			iif != up0 accept
			meta l4proto icmp accept
			ct state established,related accept
		}
	}
	END
}

# behind NAT NODE: NODE's link to it.
behind()
{
	local n

	n=$(ns "$2")
	ip -n "$n" link add up0 type veth peer name in0 netns "$(ns "$1")"
	address "$2" up0 "$INSIDE_4/24"
	address "$1" in0 "$INSIDE_NAT_4/24"
	ip -n "$n" route add default via "$INSIDE_NAT_4"
}

lhn_up()
{
	ip -n "$(ns lhn)" link add eth0 type veth peer name lan0 \
		netns "$(ns pxn)"
	address lhn eth0 "$LHN_4/24"
	address pxn lan0 "$LHN_ROUTER_4/24"
	ip -n "$(ns lhn)" route add default via "$LHN_ROUTER_4"
	ip -n "$(ns natp)" route add "$LHN_NET_4" via "$INSIDE_4"
	node_resolver lhn "$DNS_4"
}

config_pxn()
{
	config_daemon pxn
	cat <<-END

	[proxy]
	prefix = $POOL6
	prefix = $POOL4
	clients = $LHN_NET_4
	dns-server = $DNS_4
	lan = lan0
	END
}

config_hid()
{
	config_daemon hid
	cat <<-END

	[host]

	[register $(node_hit fa)]
	address = $FA_4
	lifetime = 600
	relay = yes
	END
}

nat_daemon()
{
	"config_$1" >"$DEMO_DIR/$1/hipgate.conf"
	at "$1" "$DEMO_DIR/bin/hipgate-setup" \
		--config "$DEMO_DIR/$1/hipgate.conf" \
		>>"$DEMO_DIR/logs/setup-$1.log" 2>&1 || return 1
	daemon_start "$1"
}

nat_up()
{
	nat_node natp 1
	nat_node nath 1
	nat_node pxn 1
	nat_node lhn 0
	nat_node hid 0
	site natp - "$NATP_4" 30 198.51.100.22
	site nath - "$NATH_4" 30 198.51.100.26
	behind natp pxn
	behind nath hid
	lhn_up
	masquerade natp && masquerade nath && ports_closed natp && ports_closed nath ||
		return 1
	identity pxn p256
	nginx_up hid "$PAGE" && big_file hid || return 1
	nat_daemon hid && nat_daemon pxn
}

nat_down()
{
	local node

	for node in pxn hid; do
		at "$node" "$DEMO_DIR/bin/hipgate-setup" --undo --config \
			"$DEMO_DIR/$node/hipgate.conf" >/dev/null 2>&1
	done
	for node in "${NAT_NODES[@]}"; do
		node_stop "$node" || return 1
		ip netns del "$(ns "$node")"
		rm -rf "/etc/netns/$(ns "$node")"
	done
}

# A NAT that lets everybody in: what comes to HIP's port goes to NODE's.
lets_in()
{
	at "$1" nft -f - <<-END
	table ip nat {
		chain pre { type nat hook prerouting priority -100; }
	}
	add rule ip nat pre iif up0 udp dport 10500 dnat to $INSIDE_4:10500
	END
}

lets_in_no_more()
{
	at "$1" nft flush chain ip nat pre
}

# The proxy begins anew, behind a NAT that maps by destination.
proxy_symmetric()
{
	daemon_stop pxn && masquerade natp "random,fully-random" &&
		at natp conntrack -F 2>/dev/null && daemon_start pxn
}

# The same for the host, which the relay must see again.
host_symmetric()
{
	daemon_stop hid && masquerade nath "random,fully-random" &&
		lets_in_no_more nath && at nath conntrack -F 2>/dev/null &&
		daemon_start hid
}

goes_by()
{
	ask "$1" peers | jq -e --arg hit "$(node_hit "$2")" --arg path "$3" \
		'any(.data[]; .peer == $hit and .path == $path)'
}

# The port the host sends to is not the one that HIP uses.
port_is_learnt()
{
	local at

	at=$(locator hid pxn)
	[[ $at == "$NATP_4:"* && $at != *:10500 ]]
}

no_page()
{
	! gets_page "$@"
}

relay_knows()
{
	ask fa registrations | jq -e --arg hit "$(node_hit "$1")" \
		--arg at "$2" 'any(.data[]; .hit == $hit and
			.service == "relay" and (.at | contains($at)))'
}

# What the proxy's NAT does when it is started anew: it has forgotten all, and
# takes another port, whoever is written to.
nat_forgets()
{
	masquerade natp "to :20000" &&
		at natp conntrack -F 2>/dev/null
}

events_of()
{
	trace "$1" | jq -e --arg e "$2" "any(.[]; .event == \$e and ($3))"
}

# ---- the data relay ----------------------------------------------------------

RELAY_FIRST=20000	RELAY_LAST=20015

data_relay_begins()
{
	cat >>"$DEMO_DIR/fa/hipgate.conf" <<-END
	data-relay = yes
	relay-ports = $RELAY_FIRST-$RELAY_LAST
	relay-rate = 0
	END
	daemon_stop fa && daemon_start fa
}

# NODE's port there: 198.51.100.1:20007.
relayed_address()
{
	ask fa registrations | jq -er --arg hit "$(node_hit "$1")" '.data[] |
		select(.hit == $hit and .relayed_at != "") | .relayed_at'
}

goes_relayed()
{
	ask "$1" peers | jq -e --arg hit "$(node_hit "$2")" \
		--arg by "relayed via $(relayed_address hid)" \
		'any(.data[]; .peer == $hit and .path == $by)'
}

# How a download of 100 MB through the relay went, in Mbit/s.
through_relay()
{
	local got

	got=$(at lhn curl -sS -4 --max-time 120 -w '%{stderr}%{speed_download}' \
		http://hidden.foo.com/big 2>"$DEMO_DIR/relay.speed" | sha256sum)
	[[ $got == "$(cat "$DEMO_DIR/big.sha256")" ]] || return 1
	RELAY_MBIT=$(jq '. * 8 / 1e6 | floor' <"$DEMO_DIR/relay.speed")
}

checked_relay()
{
	RELAY_MBIT='?'
	if through_relay; then
		pass "100 MB through the data relay ($RELAY_MBIT Mbit/s)"
	else
		fail "100 MB through the data relay" \
			"$(cat "$DEMO_DIR/relay.speed")"
	fi
}

relayed_octets()
{
	ask fa registrations | jq --arg hit "$(node_hit hid)" \
		'[.data[] | select(.hit == $hit) | .relayed_bytes] | add'
}

# stray_datagram ADDRESS:PORT HEX: from `web`, a stranger.
stray_datagram()
{
	nat_datagram web "$@"
}

# Of what the proxy sends to the host, which the relay lets through; in
# hexadecimal digits.
permitted_spi()
{
	printf '%08x' "$(ask hid sas | jq -r --arg p "$(node_hit pxn)" '.data[] |
		select(.peer == $p and .state == "sends") | .spi_in')"
}

# A stranger writes to the host's relayed address: with any SPI, with the very
# SPI that is permitted to the proxy, and HIP for somebody else.
strangers_are_refused()
{
	local at before octets spi

	at=$(relayed_address hid) || return 1
	spi=$(permitted_spi)
	before=$(drops fa relay-stranger)
	octets=$(relayed_octets)
	stray_datagram "$at" "deadbeef$(printf '00%.0s' {1..60})"
	stray_datagram "$at" "$spi$(printf '00%.0s' {1..60})"
	wait_for 5 "both" more_drops_by fa relay-stranger $((before + 2)) &&
		[[ $(relayed_octets) == "$octets" ]] || return 1
	before=$(drops fa hip-not-registered)
	stray_datagram "$at" "00000000$(hip_packet 16)"
	wait_for 5 "HIP" more_drops_by fa hip-not-registered $((before + 1))
}

more_drops_by()
{
	[[ $(drops "$1" "$2") -ge $3 ]]
}

# hip_packet TYPE [HIT]: a bare header from a HIT that nobody has, to another
# one of those, or to HIT.
hip_packet()
{
	local to

	to=20010020$(printf '0%.0s' {1..23})2
	[[ -z ${2-} ]] || to=$(python3 -c 'import ipaddress, sys
print(ipaddress.ip_address(sys.argv[1]).packed.hex())' "$2")
	printf '3b04%02x2100000000%s%s' "$1" \
		"20010020$(printf '0%.0s' {1..23})1" "$to"
}

# Nobody's port is open, and leads nowhere.
free_port_leads_nowhere()
{
	local mine port before

	mine=$(relayed_address hid) || return 1
	port=$RELAY_FIRST
	[[ ${mine##*:} != "$port" ]] || port=$((port + 1))
	before=$(drops fa relay-stranger)
	stray_datagram "$FA_4:$port" "deadbeef$(printf '00%.0s' {1..60})"
	wait_for 5 "it" more_drops_by fa relay-stranger $((before + 1))
}

# nat_datagram NODE ADDRESS:PORT HEX: from HIP's own address of NODE.
nat_datagram()
{
	at "$1" python3 -c 'import socket, sys
a, p = sys.argv[1].rsplit(":", 1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(bytes.fromhex(sys.argv[2]), (a, int(p)))' "$2" "$3"
}

# What comes from the relay's own address would go round in it: HIP for its
# client, and ESP with the very SPI that is permitted.
relay_is_no_loop()
{
	local at octets spi

	at=$(relayed_address hid) || return 1
	spi=$(permitted_spi)
	octets=$(relayed_octets)
	counts_one fa hip-relay-loop nat_datagram fa "$at" \
		"00000000$(hip_packet 16 "$(node_hit hid)")" &&
		counts_one fa relay-stranger nat_datagram fa "$at" \
			"$spi$(printf '00%.0s' {1..60})" &&
		[[ $(relayed_octets) == "$octets" ]]
}

# counts_one NODE REASON COMMAND...
counts_one()
{
	local before

	before=$(drops "$1" "$2")
	"${@:3}" && wait_for 5 "$2" more_drops_by "$1" "$2" $((before + 1))
}

# A port that is not of relay-ports is nobody's: no socket, nothing counted.
port_beyond_is_closed()
{
	local octets strangers

	octets=$(relayed_octets)
	strangers=$(drops fa relay-stranger)
	stray_datagram "$FA_4:$((RELAY_LAST + 1))" \
		"$(permitted_spi)$(printf '00%.0s' {1..60})"
	counts_one fa relay-stranger stray_datagram "$FA_4:$RELAY_LAST" \
		"deadbeef$(printf '00%.0s' {1..60})" &&
		[[ $(drops fa relay-stranger) == $((strangers + 1)) &&
			$(relayed_octets) == "$octets" ]]
}

# relay_rate MBIT: on a running relay.
relay_rate()
{
	sed -i "s/^relay-rate = .*/relay-rate = $1/" "$DEMO_DIR/fa/hipgate.conf"
	says "$(tool fa reload)" "relay-rate = $1"
}

# More than its rate is not passed on, and has a name; the path stays, and all
# is well when there is room again.
rate_is_kept()
{
	local before octets

	before=$(drops fa relay-rate)
	relay_rate 2 || return 1
	octets=$(relayed_octets)
	at lhn curl -sS -4 --max-time 3 -o /dev/null http://hidden.foo.com/big
	octets=$(($(relayed_octets) - octets))
	echo "$octets octets in 3 s"
	relay_rate 0 && more_drops_by fa relay-rate $((before + 1)) &&
		((octets < 4 * 250000)) &&
		wait_for 10 "it" gets_page lhn 4 hidden.foo.com &&
		goes_relayed pxn hid
}

# Both NATs keep their mappings again, and the host's lets in.
nats_mend()
{
	masquerade natp && masquerade nath && lets_in nath &&
		at natp conntrack -F 2>/dev/null &&
		at nath conntrack -F 2>/dev/null
}

# With pages all the while: an unused path is not looked for.
direct_at_last()
{
	gets_page lhn 4 hidden.foo.com >/dev/null 2>&1
	goes_by pxn hid direct && goes_by hid pxn direct
}

data_relay_checks()
{
	check "the agent begins anew, as a data relay" data_relay_begins
	check "the host has a port there" wait_for 30 "it" relayed_address hid
	check "the host knows it" wait_for 10 "it" events_of hid registered \
		".relayed_at == \"$(relayed_address hid)\""
	check "a page through the data relay" wait_for 60 "it" \
		gets_page lhn 4 hidden.foo.com
	check "the proxy says that it is relayed" goes_relayed pxn hid
	check "and so does the host" wait_for 10 "it" goes_relayed hid pxn
	check "the relay was told what may pass" wait_for 10 "it" \
		events_of fa relay-permit '.what == "permitted" and .heard'
	checked_relay
	check "strangers are counted, and not relayed" strangers_are_refused
	check "a port that is nobody's leads nowhere" free_port_leads_nowhere
	check "a port beyond relay-ports is closed" port_beyond_is_closed
	check "what comes from the relay itself is no loop" relay_is_no_loop
	check "a spent relay-rate is counted, and the path stays" rate_is_kept
	relay_outer_checks
	check "the host has a port again" wait_for 60 "it" \
		relayed_address_is "$FA_4"
	check "the NATs keep their mappings again" nats_mend
	check "a direct path is found" wait_for 120 "it" direct_at_last
	check "100 MB on it" big_arrives lhn 4 hidden.foo.com
}

big_arrives()
{
	[[ $(fetch "$1" "$2" "http://$3/big" | sha256sum) == \
		"$(cat "$DEMO_DIR/big.sha256")" ]]
}

# ---- a proxy behind a NAT, a host that is not ----------------------------------
#
# No relay is asked, and there is nothing to be checked (RFC 9028 4.7.1): HIP and
# ESP in UDP, and keepalives that the NAT keeps its mapping by.

NAT_TIMEOUT=20		# s, more than a keepalive (15 s)
PUSH_PORT=7001

# It says what is sent, when it is sent, and no more.
push_server_up()
{
	rm -f "$DEMO_DIR/push"
	spawn fix push python3 -c "import os, socket, time
s = socket.create_server(('::', $PUSH_PORT), family=socket.AF_INET6,
	dualstack_ipv6=True)
c = s.accept()[0]
c.recv(6)
while not os.path.exists('$DEMO_DIR/push'):
	time.sleep(0.02)
c.sendall(b'pushed')"
	wait_for 10 "its port" listening fix -t "$PUSH_PORT"
}

# ss says nothing of what is not there, and that is no failure.
push_connected()
{
	at fix ss -Htn state established "sport = $PUSH_PORT" | grep .
}

push_begins()
{
	spawn lhn pushed python3 -c "import socket
s = socket.create_connection(('fixed.foo.com', $PUSH_PORT))
s.sendall(b'begin\n')
s.settimeout(10 + 2 * $NAT_TIMEOUT)
open('$DEMO_DIR/pushed', 'wb').write(s.recv(6))"
	wait_for 10 "the connection" push_connected
}

# Nothing is said for longer than the NAT remembers; then the host speaks.
push_arrives()
{
	sleep $((NAT_TIMEOUT + 5))
	touch "$DEMO_DIR/push"
	wait_for 5 "what the host has sent" grep -q pushed "$DEMO_DIR/pushed"
}

nat_is_hasty()
{
	at natp sysctl -qw "net.netfilter.nf_conntrack_udp_timeout=$NAT_TIMEOUT" \
		"net.netfilter.nf_conntrack_udp_timeout_stream=$NAT_TIMEOUT"
}

encapsulation_checks()
{
	check "a file of 100 MB there" big_file fix
	check "a NAT that forgets within $NAT_TIMEOUT s" nat_is_hasty
	check "a page of a host that is behind none" wait_for 20 "it" \
		gets_page lhn 4 fixed.foo.com
	check "its path is direct" goes_by pxn fix direct
	check "the host sends to the NAT" locator_is fix pxn "$NATP_4"
	checked_move "100 MB go on: the proxy's NAT forgets, no relay" \
		lhn 4 fixed.foo.com nat_forgets
	check "the host sends to the NAT's new port" \
		locator_is fix pxn "$NATP_4:20000"
	check "a server that will speak later" push_server_up
	check "somebody who will listen" push_begins
	check "it is heard, though all was quiet for longer" push_arrives
}

nat_checks()
{
	check "two NATs, a proxy behind one, a host behind the other" nat_up
	check "the relay knows the host where its NAT shows it" \
		wait_for 20 "it" relay_knows hid "$NATH_4"
	check "the host learns where it is seen" wait_for 10 "it" \
		events_of hid registered "(.seen_at | contains(\"$NATH_4\"))"
	check "a page through both NATs" gets_page lhn 4 hidden.foo.com
	check "R1 came through the relay" events_of fa hip-relayed \
		'.type == "R1" and .service == "relay"'
	check "and so did I2" events_of fa hip-relayed '.type == "I2"'
	check "checks found a path" goes_by pxn hid direct
	check "the host was told which" wait_for 10 "it" events_of hid path \
		'.why == "nominated"'
	check "ESP goes straight to the host's NAT" \
		locator_is pxn hid "$NATH_4"
	check "and back to the proxy's" locator_is hid pxn "$NATP_4"
	checked_move "100 MB go on: the proxy's NAT forgets" \
		lhn 4 hidden.foo.com nat_forgets
	check "the host sends to the new port" \
		locator_is hid pxn "$NATP_4:20000"
	check "a proxy behind a symmetric NAT, the host's lets in" lets_in nath
	check "the proxy begins anew" proxy_symmetric
	check "a page through them" gets_page lhn 4 hidden.foo.com
	check "straight" goes_by pxn hid direct
	check "the host has learnt the port" port_is_learnt
	check "both are symmetric, there is no path" host_symmetric
	check "the relay knows the host again" \
		wait_for 20 "it" relay_knows hid "$NATH_4"
	check "no page" no_page lhn 4 hidden.foo.com
	check "the proxy says why" wait_for 10 "hip-failed" events_of pxn \
		hip-failed '.reason == "hip-checks"'
	data_relay_checks
	encapsulation_checks
	check "the NATs go" nat_down
}
