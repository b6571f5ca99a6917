# SPDX-License-Identifier: MIT
# DNS's ways in besides interception, loops, and real addresses. Sourced by
# run.sh.
# shellcheck shell=bash

WAYS_DNS6=2001:db8:401::53	WAYS_DNS4=198.18.0.2
WAYS_PORT=5353
# Addresses that come after the daemon, and its port there.
LATE_6=2001:db8:400::99	LATE_4=192.0.2.60	LATE_PORT=5354

# px_as COMMAND...: the proxy begins anew with its configuration changed by
# that command, which has the file as its last argument.
px_as()
{
	local conf=$DEMO_DIR/px/hipgate.conf

	[[ -e $conf.before ]] || cp "$conf" "$conf.before"
	daemon_stop px
	cp "$conf.before" "$conf"
	"$@" "$conf" && px_setup && daemon_start px
}

# Routes and rules of before do not stay.
px_setup()
{
	local setup=("$DEMO_DIR/bin/hipgate-setup" --config
		"$DEMO_DIR/px/hipgate.conf")

	{ at px "${setup[@]}" --undo && at px "${setup[@]}"; } \
		>>"$DEMO_DIR/logs/setup-px.log" 2>&1
}

px_as_before()
{
	px_as true
	rm "$DEMO_DIR/px/hipgate.conf.before"
}

# answers NODE PATTERN DIG_ARGUMENT...
answers()
{
	local out

	out=$(at "$1" dig +time=5 +tries=1 "${@:3}")
	echo "$out"
	grep -qE -- "$2" <<<"$out"
}

SUB6="AAAA[[:space:]]$POOL6_START"
SUB4="A[[:space:]]$POOL4_START"

nobody_has_53()
{
	! at px ss -Hlntu 'sport = :53' | grep .
}

# way_answers TEXT NODE DIG_ARGUMENT...: whatever the way, the same.
way_answers()
{
	local text=$1 node=$2

	shift 2
	check "$text: a HIP name over UDP" \
		answers "$node" "$SUB6" "$@" fixed.foo.com AAAA
	check "$text: a HIP name over TCP" \
		answers "$node" "$SUB4" "$@" +tcp fixed.foo.com A
	check "$text: it is explained" \
		answers "$node" 'EDE: 4 ' "$@" fixed.foo.com AAAA
	check "$text: a plain name as BIND has it" \
		answers "$node" "$WEB_6" "$@" plain.foo.com AAAA
	check "$text: a plain name over TCP" \
		answers "$node" 'just a name' "$@" +tcp plain.foo.com TXT
	check "$text: a name that does not exist" \
		answers "$node" 'NXDOMAIN' "$@" nowhere.foo.com AAAA
}

unreachable_at()
{
	local out

	out=$(at lh1 socat -T 2 - "TCP6:[$WAYS_DNS6]:$1,connect-timeout=5" 2>&1)
	echo "$out"
	grep -q "No route" <<<"$out"
}

own_address_checks()
{
	way_answers "the prefix's own address" lh1 "@$WAYS_DNS6"
	way_answers "the IPv4 prefix's own address" lh4 "@$WAYS_DNS4"
	way_answers "a program of the gateway" px "@$WAYS_DNS6"
	check "no port 53 is bound for it" nobody_has_53
	check "other ports of it are not there, and that is told at once" \
		unreachable_at 54
}

# ---- a resolver of the gateway itself -------------------------------------------

# What the LAN asks at the gateway's own address is dnsmasq's, for no rule
# comes before the kernel's own addresses; it forwards as docs/dns.md says.
own_dnsmasq()
{
	install -m 755 "$(command -v dnsmasq)" "$DEMO_DIR/bin/dnsmasq" &&
		spawn px dnsmasq-px "$DEMO_DIR/bin/dnsmasq" \
			--keep-in-foreground --conf-file=/dev/null \
			--user=root --pid-file= --bind-interfaces \
			--listen-address="$LAN_6" --listen-address="$LAN_4" \
			--no-resolv --server="$WAYS_DNS6" "$@" &&
		wait_for 20 "an answer of the gateway's dnsmasq" \
			answers lh1 'just a name' "@$LAN_6" plain.foo.com TXT
}

# same_everywhere NODE ADDRESS TYPE: what the gateway's resolver says is what
# hipgate says.
same_everywhere()
{
	local got want

	got=$(at "$1" dig +time=5 +tries=1 +short "@$2" fixed.foo.com "$3")
	want=$(at px dig +time=5 +tries=1 +short "@$WAYS_DNS6" \
		fixed.foo.com "$3")
	echo "got: $got, wanted: $want"
	[[ -n $want && $got == "$want" ]]
}

# In this topology all addresses are of a documentation prefix, which it
# takes for private as it does fd00::/8.
own_resolver_checks()
{
	check "a dnsmasq that drops private addresses forwards" \
		own_dnsmasq --stop-dns-rebind
	check "it empties the substitute's answer" \
		answers lh1 'ANSWER: 0' "@$LAN_6" fixed.foo.com AAAA
	check "and says so" answers lh1 'EDE: 15 \(Blocked\)' "@$LAN_6" \
		fixed.foo.com AAAA
	end dnsmasq-px
	check "a dnsmasq of the gateway forwards to hipgate" own_dnsmasq \
		--stop-dns-rebind --rebind-domain-ok=/foo.com/
	check "who asks the gateway's own address: the substitute" \
		answers lh1 "$SUB6" "@$LAN_6" fixed.foo.com AAAA
	check "the one that all others have" \
		same_everywhere lh1 "$LAN_6" AAAA
	check "an IPv4 host, too" same_everywhere lh4 "$LAN_4" A
	check "over TCP" answers lh4 "$SUB4" "@$LAN_4" +tcp fixed.foo.com A
	check "a plain name as BIND has it" \
		answers lh1 "$WEB_6" "@$LAN_6" plain.foo.com AAAA
	end dnsmasq-px
}

with_listen()
{
	sed -i "s|^\\[proxy\\]|&\\nlisten = [::]:$WAYS_PORT\\nlisten = $LAN_4:$WAYS_PORT|
		s|^\\[proxy\\]|&\\nlisten = [$LATE_6]:$LATE_PORT\\nlisten = $LATE_4:$LATE_PORT|" \
		"$1"
}

# What systemd does for a unit with ListenDatagram and ListenStream.
WAYS_PASS='
import os, socket, sys
at = (sys.argv[1], 53)
for n, kind in ((3, socket.SOCK_DGRAM), (4, socket.SOCK_STREAM)):
    s = socket.socket(socket.AF_INET6, kind)
    s.bind(at)
    if kind == socket.SOCK_STREAM:
        s.listen(16)
    os.dup2(s.fileno(), n + 100)
for n in (3, 4):
    os.dup2(n + 100, n)
    os.close(n + 100)
os.environ["LISTEN_FDS"] = "2"
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])'

start_passed()
{
	spawn px hipgated-px env ASAN_OPTIONS=detect_leaks=0 python3 -c \
		"$WAYS_PASS" "$LAN_6" sh -c "$WITH_TUN" sh "${AS_USER[@]}" \
		"$DEMO_DIR/bin/hipgated" --config "$DEMO_DIR/px/hipgate.conf"
	wait_for 20 "hipgated with sockets that were passed" daemon_ready px
}

late_address()
{
	at px ip -6 addr "$1" "$LATE_6/64" dev lan0 nodad &&
		at px ip -4 addr "$1" "$LATE_4/26" dev lan0
}

listen_checks()
{
	px_as with_listen || fail "the proxy listens at port $WAYS_PORT"
	way_answers "a listener" lh1 "@$LAN_6" -p "$WAYS_PORT"
	way_answers "an IPv4 listener" lh4 "@$LAN_4" -p "$WAYS_PORT"
	check "an address comes that it listens at" late_address add
	check "it answers there" answers lh1 "$SUB6" "@$LATE_6" \
		-p "$LATE_PORT" fixed.foo.com AAAA
	check "over TCP and IPv4, too" answers lh4 "$SUB4" "@$LATE_4" \
		-p "$LATE_PORT" +tcp fixed.foo.com A
	check "the address goes" late_address del
	check "a stranger is refused" \
		answers web 'REFUSED' "@$PX_6" -p "$WAYS_PORT" plain.foo.com
	check "and is told so" answers web 'EDE: 18 .*not one of its clients' \
		"@$PX_6" -p "$WAYS_PORT" plain.foo.com
	check "over TCP, too" answers web 'EDE: 18 ' "@$PX_6" \
		-p "$WAYS_PORT" +tcp plain.foo.com
	check "it is counted" counted px dns-client
	check "a program of the gateway that asks its own address is none" \
		answers px "$WEB_6" "@$PX_6" -p "$WAYS_PORT" plain.foo.com AAAA
	check "over TCP neither" answers px "$WEB_6" "@$PX_6" \
		-p "$WAYS_PORT" +tcp plain.foo.com AAAA
	daemon_stop px
	start_passed || fail "the proxy takes sockets that are passed to it"
	way_answers "a socket that was passed" lh1 "@$LAN_6"
}

# ---- loops ---------------------------------------------------------------------

with_forwarder()
{
	with_listen "$1"
	sed -i 's|^dns-server = .*|dns-server = 127.0.0.1:5300|' "$1"
}

logs_loop()
{
	grep -q "level=error sub=dns event=dns-loop" \
		"$DEMO_DIR/logs/hipgated-px.log"
}

loop_rule()
{
	at px ip -6 rule "$1" ipproto udp dport 53 lookup 10553 pref 10400
}

loop_checks()
{
	spawn px forwarder socat -T 5 UDP4-LISTEN:5300,fork,reuseaddr \
		"UDP6:[$LAN_6]:$WAYS_PORT"
	px_as with_forwarder || fail "the proxy starts in a loop"
	wait_for 10 "the loop to be found" counted px dns-loop
	check "a forwarder that asks us back: SERVFAIL, at once" \
		wait_for 20 "it" answers lh1 'SERVFAIL' "@$WAYS_DNS6" \
		+time=2 plain.foo.com
	check "and dig says why" \
		answers lh1 'EDE: 0 .*loop' "@$WAYS_DNS6" plain.foo.com
	check "who has another server is not led around HIP" \
		answers lh1 'SERVFAIL' "@$DNS_6" fixed.foo.com AAAA
	check "the log says what to mend" logs_loop
	end forwarder
	px_as true || fail "the proxy without the forwarder"
	loop_rule add
	check "our own packets in the TUN: refused" \
		wait_for 20 "it" answers lh1 'REFUSED|SERVFAIL' \
		"@$WAYS_DNS6" +time=4 plain.foo.com
	check "and counted" counted px dns-loop
	loop_rule del
}

# ---- several servers -------------------------------------------------------------

with_two_servers()
{
	sed -i "s|^dns-server = .*|dns-server = $WEB_6\\ndns-server = $DNS_6|" "$1"
}

# A second BIND with the same zones, where nothing else answers DNS.
second_bind()
{
	spawn web named-web "$DEMO_DIR/bin/named" -g -n 1 \
		-c "$DEMO_DIR/bind/named.conf" &&
		wait_for 20 "an answer of the second BIND" \
			bind_answers "$WEB_6"
}

failover_checks()
{
	local ask=("@$WAYS_DNS6" "+time=20")

	check "a second BIND" second_bind
	kill -s STOP "$(pid_of named-web)"
	px_as with_two_servers || fail "the proxy with two servers"
	check "the first server is dead: a HIP name" \
		answers lh1 "$SUB6" "${ask[@]}" fixed.foo.com AAAA
	check "the first server is dead: a plain name" \
		answers lh1 "$WEB_6" "${ask[@]}" plain.foo.com AAAA
	kill -s CONT "$(pid_of named-web)"
	kill -s STOP "$(pid_of named)"
	check "then the second one instead: a HIP name" \
		answers lh1 "$SUB6" "${ask[@]}" hip.foo.com AAAA
	check "then the second one instead: a plain name" \
		answers lh1 "$WEB_6" "${ask[@]}" plain6.foo.com AAAA
	kill -s STOP "$(pid_of named-web)"
	check "all are: SERVFAIL, and dig says why" answers lh1 \
		'EDE: 22 .*hipgate: the server does not answer' \
		"${ask[@]}" plain4.foo.com A
	check "for a HIP name, too" answers lh1 'status: SERVFAIL' \
		"${ask[@]}" hip4.foo.com A
	check "who is known is answered as ever" \
		answers lh1 "$SUB6" "${ask[@]}" fixed.foo.com AAAA
	kill -s CONT "$(pid_of named)"
	check "one is back: the plain name has its address" wait_for 20 \
		"an answer" answers lh1 "$WEB_4" "${ask[@]}" plain4.foo.com A
	end named-web KILL
}

# ---- real addresses ---------------------------------------------------------------

with_real()
{
	sed -i "s|^\\[proxy\\]|&\\ntransparent = $FIX_6/128\\ntransparent = $FIX_4/32\\ndns-server = $DNS_4|" \
		"$1"
	printf '\n[policy "*.foo.com"]\nhip = transparent\n' >>"$1"
}

flows_to()
{
	ask px flows | jq -e --arg a "$1" 'any(.data[]; .virt == $a)'
}

real_fails_fast()
{
	local out

	out=$(at lh1 curl -sS -6 --max-time 5 "http://[$FIX_6]/" 2>&1)
	echo "$out"
	grep -qE "No route|unreachable|Couldn't connect|Failed to connect" \
		<<<"$out"
}

real_checks()
{
	px_as with_real || fail "the proxy with real addresses"
	check "a real address nobody asked for is no way out" real_fails_fast
	check "the real address is answered" \
		answers lh1 "AAAA[[:space:]]$FIX_6" "@$DNS_6" fixed.foo.com AAAA
	check "the IPv4 one, too" \
		answers lh1 "A[[:space:]]$FIX_4" "@$WAYS_DNS6" fixed.foo.com A
	check "to who validates, too" answers lh1 "AAAA[[:space:]]$FIX_6" \
		"@$DNS_6" +dnssec +cdflag fixed.foo.com AAAA
	check "the page comes" gets_page lh1 6 fixed.foo.com
	check "through the SA" flows_to "$FIX_6"
	check "an IPv4 client's page comes" gets_page lh4 4 fixed.foo.com
	check "through the SA as well" flows_to "$FIX_4"
	check "behind an agent it is a substitute" \
		answers lh1 "$SUB6" "@$DNS_6" hip.foo.com AAAA
	check "a plain name is as it was" \
		answers lh1 "$WEB_6" "@$DNS_6" plain.foo.com AAAA
}

dnsways_checks()
{
	way_answers "interception" lh1 "@$DNS_6"
	way_answers "interception of IPv4" lh4 "@$DNS_4"
	own_address_checks
	own_resolver_checks
	listen_checks
	loop_checks
	failover_checks
	real_checks
	px_as_before || fail "the proxy as it was"
}
