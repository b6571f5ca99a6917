# SPDX-License-Identifier: MIT
# The same traffic with `offload = safe` and `off`, and the order that one TCP
# stream comes and goes in. Sourced by run.sh.
# shellcheck shell=bash

all_stop()
{
	local node

	for node in "${DAEMONS[@]}"; do
		daemon_stop "$node" || return 1
	done
}

# all_start SETTING
all_start()
{
	local node

	for node in "${DAEMONS[@]}"; do
		sed -i -e '/^offload = /d' -e "s/^log = info\$/&\noffload = $1/" \
			"$DEMO_DIR/$node/hipgate.conf"
		daemon_start "$node" || return 1
	done
	for node in hip hip4; do
		wait_for 20 "the registration of $node" registered "$node" ||
			return 1
	done
}

# Two checks: a subshell does not stop what it has started.
offload_set()
{
	check "offload: $1: the daemons stop" all_stop
	check "offload: $1: the daemons start" all_start "$1"
}

# offload_states NODE: "SETTING TSO USO UDP-SEGMENT UDP-GRO"
offload_states()
{
	ask "$1" status | jq -r '.data.offload | [.setting, .tso.state,
		.uso.state, ."udp-segment".state, ."udp-gro".state] | join(" ")'
}

# offload_is SETTING TSO REST: what this kernel has not is no failure.
offload_is()
{
	local node states

	for node in px hip hip4 fix; do
		states=$(offload_states "$node" | tee /dev/stderr |
			sed 's/not supported/on/g')
		[[ $states == "$1 $2 $3 $3 $3" ]] || return 1
	done
}

# per_read NODE FAMILY NAME HOST: "READS PACKETS": of 10 MB to the host.
per_read()
{
	local count='"\(.data.io.tun_reads) \(.data.traffic.out_packets)"'
	local r0 p0 r1 p1

	read -r r0 p0 < <(ask px status | jq -r "$count")
	ten_up "$@" || return 1
	read -r r1 p1 < <(ask px status | jq -r "$count")
	echo "$((r1 - r0)) $((p1 - p0))"
}

one_for_each_read()
{
	local reads packets

	read -r reads packets < <(per_read lh1 6 hip.foo.com hip)
	echo "$reads reads, $packets packets"
	((packets > 5000 && packets <= reads + 10))
}

many_for_each_read()
{
	local reads packets

	read -r reads packets < <(per_read lh1 6 hip.foo.com hip)
	echo "$reads reads, $packets packets"
	((packets > 5000 && packets > 2 * reads))
}

# big_up NODE FAMILY NAME HOST: 100 MB to it.
big_up()
{
	cp "$DEMO_DIR/big" "$DEMO_DIR/ten" && ten_up "$@"
}

# What a sender's buffer holds bounds what is on its way: here it is less
# than all queues of ours hold, so that none of them need ever drop.
buffers()
{
	local node

	for node in lh1 hip; do
		at "$node" sysctl -qw net.ipv4.tcp_wmem="4096 16384 $1"
	done
}

# What the stacks at both ends saw go wrong: segments that came out of order
# (behind one that was lost all do), and that were sent again for that.
stream_costs()
{
	local node counter

	for node in lh1 hip; do
		for counter in TcpExtTCPOFOQueue TcpExtTCPFastRetrans \
			TcpExtTCPSACKReorder; do
			echo "$node $counter $(tcp "$node" "$counter")"
		done
	done
}

# on_cpus LIST NODE...: all processes of these nodes run there, and what they
# start. The kernel itself puts packets out of order when a sender changes its
# CPU, since each CPU has its own queue before a veth's other end.
on_cpus()
{
	local node pid

	for node in "${@:2}"; do
		for pid in $(ip netns pids "$(ns "$node")"); do
			taskset -a -p -c "$1" "$pid" >/dev/null || return 1
		done
	done
}

cpus()
{
	awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status
}

# pinned CPU COMMAND...
pinned()
{
	taskset -p -c "$1" "$BASHPID" >/dev/null && "${@:2}"
}

# Numbers leave the proxy in order: another packet between them, a path probe
# of the other worker's, is behind by less than any window.
in_order()
{
	local num back

	read -r num back < <("$ROOT/test/e2e/order.py" "$1" "$HIP_6")
	echo "$num packets, one was $back behind"
	((num > 1000 && back < 32))
}

stream_checks()
{
	local before all way=(lh1 px net hip)

	all=$(cpus)
	buffers 131072
	capture_up px up0 "$DEMO_DIR/order.pcap" 100
	check "one stream: 100 MB up" big_up lh1 6 hip.foo.com hip
	capture_down "$DEMO_DIR/order.pcap"
	check "one stream: its numbers leave in order" \
		in_order "$DEMO_DIR/order.pcap"
	check "one stream: all on one CPU" on_cpus "${all%%[,-]*}" \
		"${way[@]}"
	before=$(stream_costs)
	check "one stream, one CPU: 100 MB up" pinned "${all%%[,-]*}" \
		big_up lh1 6 hip.foo.com hip
	check "one stream, one CPU: 100 MB down" pinned "${all%%[,-]*}" \
		same_file lh1 6 hip.foo.com
	check "one stream, one CPU: nothing was lost or out of order" \
		diff <(echo "$before") <(stream_costs)
	check "one stream: back to all CPUs" on_cpus "$all" "${way[@]}"
	buffers 4194304
}

# Part of the whole run, once more.
traffic_again()
{
	traffic_checks
	big_checks
	mtu_told_checks
	large_checks
}

offload_checks()
{
	check "offload: auto has all that the kernel has" offload_is auto on on
	check "offload: auto: packets come many at a time" many_for_each_read
	offload_set safe
	check "offload: safe is TSO" offload_is safe on off
	check "offload: safe: packets come many at a time" many_for_each_read
	traffic_again
	offload_set off
	check "offload: off is none" offload_is off off off
	check "offload: off: packets come one by one" one_for_each_read
	traffic_again
	offload_set auto
}
