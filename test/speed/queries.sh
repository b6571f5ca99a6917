# SPDX-License-Identifier: MIT
# DNS: hipgate beside others that answer and forward. Sourced by test/bench
# after path.sh.
# shellcheck shell=bash disable=SC2034
#
#   lh1 (dnsperf) --- [lan0 px dns0] --- dns (BIND)
#
# unbound and dnsmasq run on px and forward to BIND, as hipgate does; hipgate
# gets the queries that lh1 sends to BIND's port 53. "direct" is BIND itself
# at a port that nobody intercepts, through the kernel of px. "floor" is what
# any program pays that waits for a question and for its answer
# (test/speed/forward.c): it has no cache, and one question at a time.

RESOLVERS=(direct floor floor-spin hipgate unbound dnsmasq)
declare -A PORT_OF=([direct]=5300 [hipgate]=53 [unbound]=5301 [dnsmasq]=5302
	[floor]=5303 [floor-spin]=5304)
declare -A PROCESS_OF=([direct]=named [hipgate]=hipgated-px [unbound]=unbound
	[dnsmasq]=dnsmasq [floor]=floor [floor-spin]=floor-spin)
HIP_NAMES=100		# each with a HIT of its own
PLAIN_NAMES=1000

# kept: what the resolver has in its cache, or need not ask for; relayed:
# what it must ask for anew (TTL 0), known to hipgate as names without a HIP
# record; new: names it has never seen; rest: relayed, the next question 2 ms
# after an answer, when everybody sleeps.
QUERIES=(kept relayed new kept_rtt relayed_rtt rest_rtt)

at_resolver()
{
	if [[ $1 == direct || $1 == hipgate ]]; then
		echo "$DNS_6"
	else
		echo "$LAN_6"
	fi
}

# ---- the place -----------------------------------------------------------------

queries_net_up()
{
	net_nodes
	wire lh1 lan0 eth0
	wire dns dns0 up0
	address px lan0 "$LAN_6/64" "$LAN_4/26"
	address lh1 eth0 "$LH1_6/64" "$LH1_4/26"
	address px dns0 "${DNS_6%%::*}::fe/64"
	address dns up0 "$DNS_6/64" "$DNS_4/29"
	ip -n "$(ns lh1)" -6 route add default via "$LAN_6"
	ip -n "$(ns dns)" -6 route add default via "${DNS_6%%::*}::fe"
	wait_for 10 "a path from lh1 to dns" at lh1 ping -c 1 -W 1 "$DNS_6"
}

# The names' records; and what dnsperf asks for.
names_up()
{
	local i dir=$DEMO_DIR/bind

	mkdir -p "$dir"
	for ((i = 0; i < HIP_NAMES; i++)); do
		hipgate keygen --alg p256 "$dir/key" >/dev/null &&
			hipgate dns-record --name "h$i.foo.com." "$dir/key" ||
			return
		rm -f "$dir/key"
		echo "h$i IN AAAA 2001:db8:600::$i"
	done >"$dir/hip-records"
	{
		for ((i = 0; i < PLAIN_NAMES; i++)); do
			echo "r$i 0 IN AAAA 2001:db8:700::$i"
		done
		echo "*.new IN AAAA 2001:db8:700::80"
	} >>"$dir/hip-records"
	for ((i = 0; i < HIP_NAMES; i++)); do
		echo "h$i.foo.com AAAA"
	done >"$dir/kept"
	for ((i = 0; i < PLAIN_NAMES; i++)); do
		echo "r$i.foo.com AAAA"
	done >"$dir/relayed"
}

bind_two_ports()
{
	sed -i "s/listen-on-v6 { any; };/&\\n\\tlisten-on-v6 port ${PORT_OF[direct]} { any; };/" \
		"$DEMO_DIR/bind/named.conf"
	end named && spawn dns named "$DEMO_DIR/bin/named" -g -n 1 \
		-c "$DEMO_DIR/bind/named.conf"
	wait_for 20 "BIND's answer" bind_answers "$DNS_6"
}

unbound_up()
{
	needs unbound || return
	cat >"$DEMO_DIR/unbound.conf" <<-END
	server:
		interface: $LAN_6@${PORT_OF[unbound]}
		access-control: ::/0 allow
		do-daemonize: no
		use-syslog: no
		username: ""
		chroot: ""
		directory: "$DEMO_DIR"
		pidfile: ""
		module-config: "iterator"
		num-threads: 1
	forward-zone:
		name: "."
		forward-addr: $DNS_6
	END
	install -m 755 "$(command -v unbound)" "$DEMO_DIR/bin/unbound"
	spawn px unbound "$DEMO_DIR/bin/unbound" -d -c "$DEMO_DIR/unbound.conf"
}

dnsmasq_up()
{
	needs dnsmasq || return
	install -m 755 "$(command -v dnsmasq)" "$DEMO_DIR/bin/dnsmasq"
	spawn px dnsmasq "$DEMO_DIR/bin/dnsmasq" --keep-in-foreground \
		--conf-file=/dev/null --user=root --pid-file= --no-resolv \
		--no-hosts --bind-interfaces --listen-address="$LAN_6" \
		--port="${PORT_OF[dnsmasq]}" --server="$DNS_6" \
		--cache-size=10000 --dns-forward-max=10000
}

queries_up()
{
	NODES=(lh1 px dns)
	DAEMONS=(px)
	[[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null || true
	stage_down || return 1
	dir_up
	programs_up
	user_up
	queries_net_up && names_up && bind_up && bind_two_ports || return 1
	identity px p256
	setup_node px
	settings "$DEMO_DIR/px/hipgate.conf"
	daemon_start px
}

resolves()
{
	at lh1 dig +short +time=1 +tries=1 -p "${PORT_OF[$1]}" \
		"@$(at_resolver "$1")" h0.foo.com AAAA | grep -q .
}

resolvers_up()
{
	local r

	PRESENT=()
	for r in "${RESOLVERS[@]}"; do
		if declare -F "${r}_up" >/dev/null; then
			"${r}_up" 2>"$DEMO_DIR/why" || {
				absent "$r" "$(tail -n 1 "$DEMO_DIR/why")"
				continue
			}
		fi
		if wait_for 10 "an answer of $r" resolves "$r" 2>/dev/null; then
			PRESENT+=("$r")
		else
			absent "$r" "it does not answer"
		fi
	done
}

floor_up()
{
	local r=${1-floor}

	install -m 755 "$SPEED/forward" "$DEMO_DIR/bin/$r"
	spawn px "$r" "$DEMO_DIR/bin/$r" "$LAN_6" "${PORT_OF[$r]}" "$DNS_6" \
		"${@:2}"
}

floor-spin_up() { floor_up floor-spin spin; }

# ---- what is measured ------------------------------------------------------------

process_ticks()
{
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' \
		"/proc/$(pid_of "${PROCESS_OF[$1]}")/stat"
}

# Nanoseconds that its threads have run.
process_ran()
{
	cat "/proc/$(pid_of "${PROCESS_OF[$1]}")/task/"*/schedstat |
		awk '{ ran += $1 } END { printf "%.0f", ran }'
}

# perf_dns RESOLVER FILE OPTION...
perf_dns()
{
	at lh1 dnsperf -m udp -f inet6 -s "$(at_resolver "$1")" \
		-p "${PORT_OF[$1]}" -d "$2" -l "$PATH_SECONDS" -t 2 -b 4096 \
		"${@:3}" 2>>"$DEMO_DIR/logs/dnsperf.log"
}

# As many as it answers: 100 outstanding.
many_queries()
{
	local r=$1 out ticks perf=

	profile_dns "$r" "$3" && perf=$!
	ticks=$(process_ticks "$r")
	out=$(perf_dns "$r" "$4" -c 4 -q 100)
	ticks=$(($(process_ticks "$r") - ticks))
	[[ -z $perf ]] || { kill -INT "$perf" && wait "$perf"; } 2>/dev/null
	out=$(awk '/Queries sent/ { sent = $3 } /Queries completed/ { done = $3 }
		/Run time/ { took = $4 }
		/NOERROR/ { good = $3 }
		END { if (took) printf "\"sent\":%d,\"done\":%d,\"s\":%s", sent,
			done, took }' <<<"$out")
	[[ -n $out ]] && note "{\"dns\":\"$r\",\"round\":$2,$(
	)\"query\":\"$3\",$out,\"ticks\":$ticks}"
}

profile_dns()
{
	[[ -n $PERF ]] || return 1
	mkdir -p "$PERF"
	perf record -q -F 999 -g -o "$PERF/dns-$1-$2.data" \
		-p "$(pid_of "${PROCESS_OF[$1]}")" >/dev/null 2>&1 &
}

# One after the other: the time of each. RESOLVER ROUND QUERY FILE GAP (us
# between an answer and the next question)
single_queries()
{
	local out ran

	ran=$(process_ran "$1")
	out=$(at lh1 "$SPEED/lone" "$(at_resolver "$1")" "${PORT_OF[$1]}" \
		"$4" "$PATH_SECONDS" "$5")
	ran=$(($(process_ran "$1") - ran))
	[[ -n $out ]] && note "{\"dns\":\"$1\",\"round\":$2,$(
	)\"query\":\"$3\",$out,\"ran\":$ran}"
}

ask_kept() { many_queries "$@" kept "$DEMO_DIR/bind/kept"; }
ask_relayed() { many_queries "$@" relayed "$DEMO_DIR/bind/relayed"; }
ask_kept_rtt() { single_queries "$@" kept_rtt "$DEMO_DIR/bind/kept" 0; }
ask_relayed_rtt() { single_queries "$@" relayed_rtt "$DEMO_DIR/bind/relayed" 0; }
ask_rest_rtt() { single_queries "$@" rest_rtt "$DEMO_DIR/bind/relayed" 2000; }

ask_new()
{
	awk -v round="$2" -v who="$1" 'BEGIN { for (i = 0; i < 500000; i++)
		print "n" i "." round who ".new.foo.com AAAA" }' \
		>"$DEMO_DIR/bind/new"
	many_queries "$@" new "$DEMO_DIR/bind/new"
}

queries_all()
{
	local round query r

	PATH_MS=$((PATH_SECONDS * 1000))
	about_note
	queries_up || return 1
	resolvers_up
	for ((round = 0; round <= ROUNDS; round++)); do
		for query in "${QUERIES[@]}"; do
			for r in "${PRESENT[@]}"; do
				[[ $r != floor* || $query == @(relayed|rest)_rtt ]] ||
					continue
				"ask_$query" "$r" "$round" || absent "$r" \
					"round $round: no $query"
			done
		done
	done
}
