# SPDX-License-Identifier: MIT
# TCP, UDP and ping; legacy hosts over IPv6 and IPv4; outer path IPv6 and
# IPv4; a host without an agent; large files. Sourced by run.sh.
# shellcheck shell=bash

# kinds LEGACY_NODE FAMILY NAME WORDS
kinds()
{
	local node=$1 family=$2 name=$3 words=$4 address

	address=$(resolve "$node" "$family" "$name")
	check "$words: TCP" gets_page "$node" "$family" "$name"
	check "$words: UDP" echoes "$node" "$(socat_to UDP "$address")"
	check "$words: ping" pings "$node" "$family" "$name"
	check "$words: ping, its hop limit is counted on the whole path" \
		pings_marked "$node" "$family" "$name"
	check "$words: ping in fragments" pings_large "$node" "$family" "$name"
	check "$words: UDP in fragments" echoes_large "$node" \
		"$(socat_to UDP "$address")"
}

# outer_is HIT ADDRESS...: the outer path ends at one of them.
outer_is()
{
	ask px sas | tee /dev/stderr | jq -e --arg peer "$1" '
		any(.data[]; .peer == $peer and ([.locator |
		contains($ARGS.positional[])] | any))' --args "${@:2}"
}

traffic_checks()
{
	kinds lh1 6 hip.foo.com "IPv6 client, IPv6 path"
	kinds lh4 4 hip.foo.com "IPv4-only client, IPv6 path"
	kinds lh1 6 hip4.foo.com "IPv6 client, IPv4 path"
	kinds lh4 4 hip4.foo.com "IPv4-only client, IPv4 path"
	kinds lh2 4 hip.foo.com "IPv4 of a dual client, IPv6 path"
	check "the path to hip.foo.com is IPv6" \
		outer_is "$(node_hit hip)" "$HIP_6"
	check "the path to hip4.foo.com is IPv4" \
		outer_is "$(node_hit hip4)" "$HIP4_4"
}

relays()
{
	trace fa | jq '[.[] | select(.event == "hip-relayed")] | length'
}

fixed_checks()
{
	local before

	before=$(relays)
	kinds lh1 6 fixed.foo.com "no agent, IPv6 client"
	kinds lh4 4 fixed.foo.com "no agent, IPv4 client"
	check "fixed.foo.com: the agent relayed nothing" \
		test "$(relays)" = "$before"
	check "fixed.foo.com: the path ends at the host" \
		outer_is "$(node_hit fix)" "$FIX_6" "$FIX_4"
}

same_file()
{
	local got

	got=$(fetch "$1" "$2" "http://$3/big" --max-time 240 | sha256sum)
	[[ $got == "$(cat "$DEMO_DIR/big.sha256")" ]]
}

big_checks()
{
	check "100 MB are bit-identical: IPv6 client, IPv6 path" \
		same_file lh1 6 hip.foo.com
	check "100 MB are bit-identical: IPv4-only client, IPv4 path" \
		same_file lh4 4 hip4.foo.com
}
