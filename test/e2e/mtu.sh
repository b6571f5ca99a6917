# SPDX-License-Identifier: MIT
# Path MTU: what an ordinary path carries, a path of 1296 octets whose router
# says so, and one that swallows what is too large. Sourced by run.sh.
# shellcheck shell=bash

NARROW=1296
SINK_PORT=10001

# narrow ADDRESS DEVICE: the router has a route with less for it.
narrow()
{
	local n

	n=$(ns net)
	if [[ $1 == *:* ]]; then
		ip -n "$n" -6 route replace "$1/128" dev "$2" mtu "$NARROW"
	else
		ip -n "$n" -4 route replace "$1/32" dev "$2" mtu lock "$NARROW"
	fi
}

path_narrow()
{
	narrow "$PX_6" px
	narrow "$PX_4" px
	narrow "$HIP_6" hip
	narrow "$HIP4_4" hip4
}

path_wide()
{
	local n node

	n=$(ns net)
	ip -n "$n" -6 route del "$PX_6/128" dev px
	ip -n "$n" -4 route del "$PX_4/32" dev px
	ip -n "$n" -6 route del "$HIP_6/128" dev hip
	ip -n "$n" -4 route del "$HIP4_4/32" dev hip4
	for node in px hip hip4 lh1 lh4; do
		ip -n "$(ns "$node")" -6 route flush cache
		ip -n "$(ns "$node")" -4 route flush cache
	done
}

# The router says nothing of what it drops: no ICMP of its own.
router_mute()
{
	ip -n "$(ns net)" -6 rule add pref 1 iif lo ipproto ipv6-icmp blackhole
	ip -n "$(ns net)" -4 rule add pref 1 iif lo ipproto icmp blackhole
}

router_speaks()
{
	ip -n "$(ns net)" -6 rule del pref 1
	ip -n "$(ns net)" -4 rule del pref 1
}

# path_of NODE PEER: "OUTER MTU BY" of the SA that sends to it.
path_of()
{
	ask "$1" sas | jq -r --arg peer "$(node_hit "$2")" '.data[] |
		select(.peer == $peer and .state == "sends") |
		"\(.outer_mtu) \(.mtu) \(.mtu_by)"'
}

path_is()
{
	[[ $(path_of "$1" "$2" | tee /dev/stderr) == "$3" ]]
}

# Found by probes, and as near as they look.
path_is_narrow()
{
	local outer by

	read -r outer _ by < <(path_of "$1" "$2" | tee /dev/stderr)
	[[ $by == probe ]] && ((outer <= NARROW && outer > NARROW - 8))
}

# used NODE FAMILY NAME COMMAND...: a little traffic, and the command.
used()
{
	at "$1" ping "-$2" -q -c 1 -W 1 "$3" >/dev/null 2>&1
	"${@:4}"
}

# too_large NODE FAMILY NAME OCTETS MTU: told so by the substitute address.
too_large()
{
	local out

	out=$(at "$1" ping "-$2" -c 2 -W 1 -M "do" -s "$4" "$3" 2>&1)
	echo "$out"
	grep -qiE "mtu ?[=:] ?$5\b" <<<"$out"
}

# ten_down NODE FAMILY NAME: 10 MB from the HIP host.
ten_down()
{
	fetch "$1" "$2" "http://$3/big" --max-time 120 -r 0-9999999 |
		cmp - "$DEMO_DIR/ten"
}

# ten_up NODE FAMILY NAME HOST: 10 MB to it.
ten_up()
{
	local to

	to=$(resolve "$1" "$2" "$3")
	[[ $2 == 6 ]] && to="[$to]"
	rm -f "$DEMO_DIR/got"
	spawn "$4" sink socat -u \
		"TCP6-LISTEN:$SINK_PORT,ipv6only=0,reuseaddr" \
		"CREATE:$DEMO_DIR/got"
	wait_for 10 "the sink" listening "$4" -t "$SINK_PORT" || return 1
	at "$1" timeout 120 socat -u - "TCP$2:$to:$SINK_PORT" \
		<"$DEMO_DIR/ten" || return 1
	wait_for 60 "the end of it" gone "$(pid_of sink)" || return 1
	cmp "$DEMO_DIR/got" "$DEMO_DIR/ten"
}

both_ways()
{
	ten_up "$@" && ten_down "$@"
}

# Fragments that kernels made, of both families.
fragments()
{
	local node

	for node in px hip hip4 net; do
		at "$node" nstat -asz IpFragCreates Ip6FragCreates |
			awk -v node="$node" '$1 ~ /Frag/ { print node, $1, $2 }'
	done
}

# narrow_checks WORDS: the path is narrow already, and used for the first
# time since.
narrow_checks()
{
	local before

	check "$1: 10 MB both ways, IPv6 client, IPv6 path" \
		both_ways lh1 6 hip.foo.com hip
	check "$1: 10 MB both ways, IPv4-only client, IPv4 path" \
		both_ways lh4 4 hip4.foo.com hip4
	check "$1: the proxy finds it (IPv6)" wait_for 60 "it" \
		used lh1 6 hip.foo.com path_is_narrow px hip
	check "$1: the host finds it (IPv6)" wait_for 60 "it" \
		used lh1 6 hip.foo.com path_is_narrow hip px
	check "$1: the proxy finds it (IPv4)" wait_for 60 "it" \
		used lh4 4 hip4.foo.com path_is_narrow px hip4
	check "$1: the host finds it (IPv4)" wait_for 60 "it" \
		used lh4 4 hip4.foo.com path_is_narrow hip4 px
	before=$(fragments)
	check "$1: again 10 MB, IPv6" both_ways lh1 6 hip.foo.com hip
	check "$1: again 10 MB, IPv4" both_ways lh4 4 hip4.foo.com hip4
	check "$1: fragments are counted" \
		test "$(grep -cE ' [0-9]+$' <<<"$before")" = 8
	check "$1: no kernel made a fragment of it" \
		diff <(echo "$before") <(fragments)
	check "$1: IPv6 client, IPv6 path: ping in fragments" \
		pings_large lh1 6 hip.foo.com
	check "$1: IPv4-only client, IPv4 path: UDP in fragments" \
		echoes_large lh4 \
		"$(socat_to UDP "$(resolve lh4 4 hip4.foo.com)")"
	check "$1: the least that an IPv6 host sends arrives" \
		pings_sized lh1 6 hip.foo.com 1232
}

# pings_sized NODE FAMILY NAME OCTETS
pings_sized()
{
	local out

	out=$(at "$1" ping "-$2" -c 3 -i 0.2 -W 5 -M "do" -s "$4" "$3" 2>&1)
	echo "$out"
	grep -q ' 3 received' <<<"$out"
}

# As the route and its router say.
mtu_told_checks()
{
	head -c 10000000 "$DEMO_DIR/big" >"$DEMO_DIR/ten"
	check "an IPv6 path of 1500 carries 1458" wait_for 10 "it" \
		used lh1 6 hip.foo.com path_is px hip "1500 1458 probe"
	check "an IPv4 path of 1500 carries 1478" wait_for 10 "it" \
		used lh4 4 hip4.foo.com path_is px hip4 "1500 1478 probe"
	check "an IPv6 client is told 1458" \
		too_large lh1 6 hip.foo.com 1411 1458
	check "an IPv4 client is told 1458" \
		too_large lh4 4 hip4.foo.com 1431 1458
	path_narrow
	narrow_checks "a path of $NARROW"
	check "a path of $NARROW: an IPv6 client is told 1280, not less" \
		too_large lh1 6 hip.foo.com 1300 1280
	path_wide
}

# As nobody says.
mtu_mute_checks()
{
	router_mute
	path_narrow
	check "the proxy starts again" daemon_stop px
	check "and comes up" daemon_start px
	narrow_checks "a black hole above $NARROW"
	router_speaks
	path_wide
}
