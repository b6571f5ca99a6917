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

nat_checks()
{
	check "two NATs, a proxy behind one, a host behind the other" nat_up
	check "the relay knows the host where its NAT shows it" \
		wait_for 20 "it" relay_knows hid "$NATH_4"
	check "the host learns where it is seen" events_of hid registered \
		"(.seen_at | contains(\"$NATH_4\"))"
	check "a page through both NATs" gets_page lhn 4 hidden.foo.com
	check "R1 came through the relay" events_of fa hip-relayed \
		'.type == "R1" and .service == "relay"'
	check "and so did I2" events_of fa hip-relayed '.type == "I2"'
	check "checks found a path" goes_by pxn hid direct
	check "the host was told which" events_of hid path \
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
	check "the NATs go" nat_down
}
