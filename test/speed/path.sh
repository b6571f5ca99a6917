# SPDX-License-Identifier: MIT
# The packet path: hipgate and others in the same place. Sourced by
# test/bench after demo/lib.
# shellcheck shell=bash disable=SC2034
#
#   lh1 (legacy) --- [lan0 px up0] --- fix (HIP host)
#                         |
#                        dns
#
# All contenders are up at once, each between px and fix with a device and a
# pair of addresses of its own; an idle one costs nothing. So what is measured
# goes round the contenders one by one, and what else the machine does hits
# all of them alike.

PATH_PORT=7001
PATH_ADDRESS=		# of the other end, by the contender at work
declare -A ADDRESS_OF

# What is measured, in this order; measure_NAME CONTENDER ROUND. http has its
# rounds behind those of the others: thousands of flows stay behind it.
METRICS=(tcp1_up tcp1_down tcp4_up tcp4_down udp1300 udp1300_down udp64
	udp64_down loss loss_down rtt http)

traffic()
{
	local verb=$1

	shift
	at lh1 timeout $((PATH_SECONDS + 20)) "$SPEED/traffic" "$verb" \
		"$PATH_ADDRESS" "$PATH_PORT" "$@" 2>>"$DEMO_DIR/logs/traffic.log"
}

# ---- the place -----------------------------------------------------------------

# wire NODE DEVICE_ON_PX DEVICE_ON_NODE: a link.
wire()
{
	ip -n "$(ns px)" link add "$2" type veth peer name "$3" \
		netns "$(ns "$1")"
}

path_net_up()
{
	net_nodes
	wire lh1 lan0 eth0
	wire fix up0 up0
	wire dns dns0 up0
	address px lan0 "$LAN_6/64" "$LAN_4/26"
	address lh1 eth0 "$LH1_6/64" "$LH1_4/26"
	address px up0 "$PX_6/64"
	address fix up0 "$FIX_6/64"
	address px dns0 "${DNS_6%%::*}::fe/64"
	address dns up0 "$DNS_6/64" "$DNS_4/29"
	ip -n "$(ns lh1)" -6 route add default via "$LAN_6"
	ip -n "$(ns lh1)" -4 route add default via "$LAN_4"
	ip -n "$(ns px)" -6 route add "$FIX_6" dev up0
	ip -n "$(ns fix)" -6 route add "$PX_6" dev up0
	ip -n "$(ns dns)" -6 route add default via "${DNS_6%%::*}::fe"
	node_resolver lh1 "$DNS_6"
	wait_for 10 "a path from px to fix" at px ping -c 1 -W 1 "$FIX_6" &&
		wait_for 10 "a path from lh1 to dns" \
			at lh1 ping -c 1 -W 1 "$DNS_6"
}

path_up()
{
	NODES=(lh1 px fix dns)
	DAEMONS=(fix px)
	[[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null || true
	stage_down || return 1
	dir_up
	programs_up
	user_up
	path_net_up || return 1
	nginx_up fix "$PAGE" || return 1
	spawn fix traffic "$SPEED/traffic" serve "$PATH_PORT"
	wait_for 10 "the other end" listening fix -t "$PATH_PORT"
}

path_down()
{
	stage_remove
}

# absent CONTENDER WHY: it is left out, and the report says so.
absent()
{
	note "$(jq -cn --arg c "$1" --arg why "$2" \
		'{absent: $c, why: $why}')"
}

reaches()
{
	PATH_ADDRESS=$1 traffic rtt 10
}

# Those that came up are PRESENT.
contenders_up()
{
	local c why

	PRESENT=()
	for c in "${ONLY[@]}"; do
		: >"$DEMO_DIR/why"
		if ! "up_${c//-/_}" "$c" 2>"$DEMO_DIR/why"; then
			why=$(tail -n 1 "$DEMO_DIR/why")
			absent "$c" "${why:-it did not come up}"
		elif ! wait_for 10 "a path through $c" \
			reaches "${ADDRESS_OF[$c]}" 2>/dev/null; then
			absent "$c" "it came up and nothing passes"
		else
			PRESENT+=("$c")
		fi
	done
}

# ---- what is measured ------------------------------------------------------------

# Clock ticks that the daemons of a contender have used.
daemon_ticks()
{
	local pid sum=0 t

	for pid in $(pids_of "$1"); do
		t=$(awk '{ sub(/.*\) /, ""); print $12 + $13 }' \
			"/proc/$pid/stat")
		sum=$((sum + t))
	done
	echo "$sum"
}

# found CONTENDER ROUND METRIC JSON-MEMBERS
found()
{
	note "{\"path\":\"$1\",\"round\":$2,\"metric\":\"$3\",$4}"
}

profiled()
{
	local pids

	pids=$(pids_of "$1" | paste -sd,)
	[[ -n $PERF && -n $pids ]] || return 1
	mkdir -p "$PERF"
	perf record -q -F 999 -g -o "$PERF/$1-$2.data" -p "$pids" \
		>/dev/null 2>&1 &
}

# stream CONTENDER ROUND up|down STREAMS
stream()
{
	local c=$1 round=$2 out ticks perf=

	profiled "$c" "tcp$4_$3" && perf=$!
	ticks=$(daemon_ticks "$c")
	read -ra out < <(traffic tcp "$3" "$4" "$PATH_MS") || return
	ticks=$(($(daemon_ticks "$c") - ticks))
	[[ -z $perf ]] || { kill -INT "$perf" && wait "$perf"; } 2>/dev/null
	found "$c" "$round" "tcp$4_$3" \
		"\"octets\":${out[0]},\"ns\":${out[1]},\"ticks\":$ticks"
}

measure_tcp1_up() { stream "$@" up 1; }
measure_tcp1_down() { stream "$@" down 1; }
measure_tcp4_up() { stream "$@" up 4; }
measure_tcp4_down() { stream "$@" down 4; }

# datagrams CONTENDER ROUND METRIC up|down OCTETS PER_SECOND
datagrams()
{
	local out

	read -ra out < <(traffic udp "${@:4}" "$PATH_MS") || return
	((out[1] > 0)) || return
	found "$1" "$2" "$3" "\"size\":$5,\"sent\":${out[0]},$(
	)\"delivered\":${out[1]},\"ns\":${out[2]}"
}

measure_udp1300() { datagrams "$@" udp1300 up 1300 0; }
measure_udp1300_down() { datagrams "$@" udp1300_down down 1300 0; }
measure_udp64() { datagrams "$@" udp64 up 64 0; }
measure_udp64_down() { datagrams "$@" udp64_down down 64 0; }
measure_loss() { datagrams "$@" loss up 64 50000; }
measure_loss_down() { datagrams "$@" loss_down down 64 50000; }

measure_rtt()
{
	local out

	read -ra out < <(traffic rtt "$PATH_MS") || return
	found "$1" "$2" rtt "\"num\":${out[0]},\"median\":${out[1]},$(
	)\"p99\":${out[2]},\"lost\":${out[3]}"
}

# Each request has a connection of its own, 16 at a time.
measure_http()
{
	local out host=$PATH_ADDRESS

	[[ $host != *:* ]] || host="[$host]"
	command -v wrk >/dev/null || return
	out=$(at lh1 timeout $((PATH_SECONDS + 20)) wrk -t 1 -c 16 \
		-d "${PATH_SECONDS}s" -H 'Connection: close' \
		"http://$host/" 2>&1 | awk '
		/requests in/ { num = $1; sub(/,/, "", $4); took = $4 }
		/Socket errors/ { gsub(/,/, "")
			bad = $4 + $6 + $8 + $10 }
		/Requests\/sec/ { rate = $2 }
		END { if (num) printf "\"num\":%d,\"per_s\":%s,\"bad\":%d",
			num, rate, bad }')
	[[ -n $out ]] && found "$1" "$2" http "$out"
}

# path_rounds METRIC...
path_rounds()
{
	local round metric c

	for ((round = 1; round <= ROUNDS; round++)); do
		for metric in "$@"; do
			for c in "${PRESENT[@]}"; do
				PATH_ADDRESS=${ADDRESS_OF[$c]}
				"measure_$metric" "$c" "$round" ||
					absent "$c" \
						"round $round: no $metric"
			done
		done
	done
}

# Under what circumstances.
about_note()
{
	note "{\"about\":$(jq -cn --arg load "$(cut -d' ' -f1-3 /proc/loadavg)" \
		--arg kernel "$(uname -r)" --arg cores "$(nproc)" \
		--arg seconds "$PATH_SECONDS" --arg rounds "$ROUNDS" \
		--arg inner "IPv$INNER" --arg settings "${SETTINGS[*]}" \
		--argjson hz "$(getconf CLK_TCK)" '$ARGS.named')}"
}

path_all()
{
	local m first=() last=()

	PATH_MS=$((PATH_SECONDS * 1000))
	about_note
	path_up || return 1
	contenders_up
	for m in "${METRICS[@]}"; do
		[[ $m == http ]] && last+=("$m") || first+=("$m")
	done
	path_rounds "${first[@]}"
	path_rounds "${last[@]}"
}
