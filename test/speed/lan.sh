# SPDX-License-Identifier: MIT
# Base exchanges of real daemons over UDP, idle and during a flood. Sourced
# by test/bench after demo/lib.
# shellcheck shell=bash disable=SC2034
#
#   hip (Initiator) --- net (router) --- fa (Responder)
#                        |
#                       web: where the flood comes from
#
# Each time hip is started it registers with fa, and that begins with a base
# exchange; when it ends it closes the association.

LAN_RUNS=${LAN_RUNS:-30}
FLOOD_RUNS=${FLOOD_RUNS:-10}
FLOOD_RATE=${FLOOD_RATE:-20000}
FLOOD_SECONDS=40
FLOOD_NET=3fff::/20

lan_net_up()
{
	net_nodes
	site fa "$FA_6" "$FA_4" 30 198.51.100.2
	site hip "$HIP_6" "$HIP_4" 30 198.51.100.6
	site web "$WEB_6" "$WEB_4" 30 198.51.100.18
	ip -n "$(ns net)" -6 route add "$FLOOD_NET" via "$WEB_6"
	ip -n "$(ns web)" -6 route add local "$FLOOD_NET" dev lo
	at web sysctl -qw net.ipv6.ip_nonlocal_bind=1 net.core.rmem_max=8388608 \
		2>/dev/null || true
	wait_for 10 "a path from hip to fa" at hip ping -c 1 -W 1 "$FA_6" &&
		wait_for 10 "a path from web to fa" \
			at web ping -c 1 -W 1 "$FA_6"
}

lan_up()
{
	NODES=(net fa hip web)
	DAEMONS=(fa hip)
	[[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null || true
	stage_down || return 1
	dir_up
	programs_up
	user_up
	install -m 755 "$SPEED/speed_flood" "$DEMO_DIR/bin/speed_flood"
	lan_net_up || return 1
	identity fa p256
	identity hip p256
	setup_node fa
	setup_node hip
	daemon_start fa
}

lan_down()
{
	stage_remove
}

# The times of hip's own trace: its first I1, and the R2 it has verified.
i1_to_r2()
{
	hipgate trace --json --socket "$DEMO_DIR/hip/ctl.sock" |
		jq -se '
		def first_of(f): map(select(f)) | first.t;
		first_of(.event == "hip-send" and .type == "I1") as $i1 |
		first_of(.event == "hip-seen" and .type == "R2") as $r2 |
		if $i1 and $r2 then ($r2 - $i1) * 1000 else empty end'
}

# one_exchange KIND: starts hip, waits for its R2, ends it.
one_exchange()
{
	local ms=null

	daemon_start hip || return
	if wait_for 8 "an R2" i1_to_r2 2>/dev/null; then
		ms=$(i1_to_r2)
	fi
	note "{\"lan\":\"$1\",\"ms\":$ms}"
	daemon_stop hip
}

lan_idle()
{
	local run

	one_exchange warm-up
	for ((run = 0; run < LAN_RUNS; run++)); do
		one_exchange idle
	done
}

resident()
{
	awk '$1 == "VmRSS:" { print $2 * 1024 }' "/proc/$(pid_of hipgated-fa)/status"
}

# The process that was spawned is the daemon itself: setpriv and the shells
# before it exec. What it spent, in clock ticks.
cpu_ticks()
{
	awk '{ print $14 + $15 }' "/proc/$(pid_of hipgated-fa)/stat"
}

# flooded KIND SOURCES: a flood, and what it does to fa and to others.
flooded()
{
	local kind=$1 before after ticks pid run out=$DEMO_DIR/flood.out

	before=$(resident)
	ticks=$(cpu_ticks)
	at web "$DEMO_DIR/bin/speed_flood" "$FA_6" "$(node_hit fa)" "$2" \
		"$FLOOD_RATE" "$FLOOD_SECONDS" >"$out" &
	pid=$!
	sleep 1
	for ((run = 0; run < FLOOD_RUNS; run++)); do
		kill -0 "$pid" 2>/dev/null || break
		one_exchange "$kind"
	done
	wait "$pid"
	after=$(resident)
	ticks=$(($(cpu_ticks) - ticks))
	note "{\"udp\":\"$kind\",\"i1\":$(cut -d' ' -f1 "$out")," \
		"\"r1\":$(cut -d' ' -f2 "$out"),\"before\":$before," \
		"\"after\":$after,\"seconds\":$FLOOD_SECONDS," \
		"\"cpu_s\":$ticks,\"hz\":$(getconf CLK_TCK)}"
}

flood_lan()
{
	one_exchange warm-up
	flooded few 4
	flooded many 0
}
