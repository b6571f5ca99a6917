# SPDX-License-Identifier: MIT
# The topology: namespaces, links, addresses, routes; sourced.
# shellcheck shell=bash
#
#   lh1 lh2 lh4 --- [lan0 px up0] --- net --- dns, fa, hip, hip4, fix, web
#
# `net` is the internet: it forwards and knows nothing of HIP.

# Settings a namespace gets before any link exists, so that no address ever
# waits for duplicate detection and no packet is lost to reverse-path checks.
node_settings()
{
	local node=$1 forward=$2

	at "$node" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_ra=0 \
		net.ipv6.conf.default.accept_ra=0 \
		net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.ip_forward="$forward" \
		net.ipv6.conf.all.forwarding="$forward"
}

# The resolver of a legacy host is its own file, as on any host. nsswitch
# too, so that a resolver daemon of the real machine is not asked.
node_resolver()
{
	local dir

	dir=/etc/netns/$(ns "$1")
	# Once more: another demo that ends takes the folder above away when
	# it is empty.
	mkdir -p "$dir" || mkdir -p "$dir"
	printf 'nameserver %s\n' "$2" >"$dir/resolv.conf"
	printf 'hosts: files dns\n' >"$dir/nsswitch.conf"
}

# address NODE DEVICE [ADDRESS/LEN]...
address()
{
	local node=$1 dev=$2 a

	shift 2
	for a in "$@"; do
		if [[ $a == *:* ]]; then
			ip -n "$(ns "$node")" addr add "$a" dev "$dev" nodad
		else
			ip -n "$(ns "$node")" addr add "$a" dev "$dev"
		fi
	done
	ip -n "$(ns "$node")" link set "$dev" up
}

# site NODE V6 V4 LEN4 ROUTER4: joins a node to `net`; "-": none.
site()
{
	local node=$1 v6=$2 v4=$3 len4=$4 router4=$5 n

	n=$(ns "$node")
	ip -n "$n" link add up0 type veth peer name "$node" \
		netns "$(ns net)"
	address "$node" up0
	address net "$node"
	if [[ $v6 != - ]]; then
		address "$node" up0 "$v6/64"
		address net "$node" "${v6%%::*}::fe/64"
		ip -n "$n" -6 route add default via "${v6%%::*}::fe"
	fi
	if [[ $v4 != - ]]; then
		address "$node" up0 "$v4/$len4"
		address net "$node" "$router4/$len4"
		ip -n "$n" -4 route add default via "$router4"
	fi
}

# legacy NODE V6 V4: a host on the proxy's LAN; "-": none.
legacy()
{
	local node=$1 v6=$2 v4=$3 n

	n=$(ns "$node")
	ip -n "$n" link add eth0 type veth peer name "$node" \
		netns "$(ns px)"
	ip -n "$(ns px)" link set "$node" master lan0 up
	address "$node" eth0 "$v4/26"
	ip -n "$n" -4 route add default via "$LAN_4"
	if [[ $v6 != - ]]; then
		address "$node" eth0 "$v6/64"
		ip -n "$n" -6 route add default via "$LAN_6"
	fi
}

net_nodes()
{
	local node forward

	for node in "${NODES[@]}"; do
		forward=0
		[[ $node == net || $node == px ]] && forward=1
		ip netns add "$(ns "$node")"
		node_settings "$node" "$forward"
		ip -n "$(ns "$node")" link set lo up
	done
}

net_up()
{
	net_nodes
	site px "$PX_6" "$PX_4" 30 203.0.113.2
	site dns "$DNS_6" "$DNS_4" 29 198.51.100.54
	site fa "$FA_6" "$FA_4" 30 198.51.100.2
	site hip "$HIP_6" "$HIP_4" 30 198.51.100.6
	site hip4 - "$HIP4_4" 30 198.51.100.10
	site fix "$FIX_6" "$FIX_4" 30 198.51.100.14
	site web "$WEB_6" "$WEB_4" 30 198.51.100.18
	ip -n "$(ns net)" -6 route add "$LAN_NET6" via "$PX_6"
	ip -n "$(ns net)" -4 route add "$LAN_NET4" via "$PX_4"
	ip -n "$(ns net)" -6 route add blackhole "$SILENT_6"

	ip -n "$(ns px)" link add lan0 type bridge stp_state 0 \
		forward_delay 0 mcast_snooping 0
	address px lan0 "$LAN_6/64" "$LAN_4/26"
	legacy lh1 "$LH1_6" "$LH1_4"
	legacy lh2 "$LH2_6" "$LH2_4"
	legacy lh4 - "$LH4_4"
	node_resolver lh1 "$DNS_6"
	node_resolver lh2 "$DNS_4"
	node_resolver lh4 "$DNS_4"
	net_reachable
}

# Every node answers a ping from where it will be needed.
net_reachable()
{
	local a

	for a in "$DNS_6" "$FA_6" "$HIP_6" "$FIX_6" "$WEB_6" "$DNS_4" \
		"$HIP4_4"; do
		wait_for 10 "a path from px to $a" \
			at px ping -c 1 -W 1 "$a" || return 1
	done
	wait_for 10 "a path from lh1 to dns" \
		at lh1 ping -c 1 -W 1 "$DNS_6" &&
		wait_for 10 "a path from lh4 to dns" \
			at lh4 ping -c 1 -W 1 "$DNS_4"
}

node_exists()
{
	[[ -e /run/netns/$(ns "$1") ]]
}

node_pids()
{
	ip netns pids "$(ns "$1")" 2>/dev/null
}

node_empty()
{
	[[ -z $(node_pids "$1") ]]
}

# Ends what runs in a node: it is all ours, the namespace is. TERM first so
# that daemons close their associations, then KILL.
node_stop()
{
	local signal

	for signal in TERM KILL; do
		node_empty "$1" && return 0
		# shellcheck disable=SC2046
		kill -s "$signal" $(node_pids "$1") 2>/dev/null || true
		wait_for 3 "the end of processes in $1" \
			node_empty "$1" 2>/dev/null || true
	done
	node_empty "$1"
}

# Removes all of it, also what a crashed run left.
net_down()
{
	local node

	for node in "${NODES[@]}"; do
		if node_exists "$node"; then
			node_stop "$node" || return 1
			ip netns del "$(ns "$node")"
		fi
		rm -rf "/etc/netns/$(ns "$node")"
	done
	rmdir /etc/netns 2>/dev/null || true
}
