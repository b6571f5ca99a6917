# SPDX-License-Identifier: MIT
# Steps A to K, and the patent's LH1/LH2 example. Sourced by run.sh.
# shellcheck shell=bash disable=SC2034

captures_up()
{
	capture_up px up0 "$DEMO_DIR/uplink.pcap"
	capture_up px lan0 "$DEMO_DIR/lan.pcap"
	capture_up fa up0 "$DEMO_DIR/agent.pcap"
}

captures_down()
{
	capture_down "$DEMO_DIR/uplink.pcap"
	capture_down "$DEMO_DIR/lan.pcap"
	capture_down "$DEMO_DIR/agent.pcap"
}

# The demo's steps, reported as checks.
observed()
{
	pass "Figure 6, $1: $3"
}

missing()
{
	fail "Figure 6, $1: $2"
}

figure6_checks()
{
	drive hip.foo.com hip
	steps_dns
	steps_exchange
	steps_mapping
	steps_data
	steps_order
	steps_client
	none "lh1's resolver setting is untouched" \
		diff - "/etc/netns/$(ns lh1)/resolv.conf" \
		<<<"nameserver $DNS_6"
}

one_pair()
{
	ask "$1" sas | tee /dev/stderr |
		jq -e --arg peer "$2" \
			'[.data[] | select(.peer == $peer)] | length == 1'
}

# both_flows PROTO PORT: two flows from one port number, told apart by their
# outer ports.
both_flows()
{
	ask px flows | tee /dev/stderr | jq -e --arg proto "$1" \
		--argjson port "$2" --arg a "$LH1_6" --arg b "$LH2_6" '
		[.data[] | select(.proto == $proto and .client_port == $port
			and .virt_port == 10000)] |
		(map(.client) | sort) == [$a, $b] and
		(map(.ext_port) | unique | length) == 2 and
		(map(.virt) | unique | length) == 1'
}

# Both hosts talk from port 5000 to port 10000 at the same time, verbatim.
same_port()
{
	local proto=$1 to pids=() host what

	to=$(socat_to "$proto" "$(resolve lh1 6 hip.foo.com)")
	what="LH1 and LH2, $proto, both from port 5000 to port 10000"
	talks_begin
	for host in lh1 lh2; do
		(talk "$host" "$to,sourceport=5000,reuseaddr" "$host") &
		pids+=($!)
	done
	for host in lh1 lh2; do
		check "$what: $host is answered" wait_for 15 "an echo" \
			test -s "$TALKS/$host"
	done
	check "$what: two flows" both_flows "${proto,,}" 5000
	check "$what: one pair of SAs on the proxy" \
		one_pair px "$(node_hit hip)"
	check "$what: one pair of SAs on the host" \
		one_pair hip "$(node_hit px)"
	: >"$TALKS/go"
	wait "${pids[@]}"
	for host in lh1 lh2; do
		none "$what: $host gets its own answers" \
			diff "$TALKS/$host" \
			- <<<"first of $host"$'\n'"second of $host"
	done
}

same_port_checks()
{
	same_port TCP
	same_port UDP
}
