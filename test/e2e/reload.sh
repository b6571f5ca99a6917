# SPDX-License-Identifier: MIT
# `hipgate reload` under load: what is applied, who is refused then, what a
# bad file changes. Sourced by run.sh.
# shellcheck shell=bash

# reload_with NODE COMMAND...: reloads after COMMAND has had hipgate.conf.
reload_with()
{
	local node=$1 conf=$DEMO_DIR/$1/hipgate.conf

	shift
	cp "$conf" "$conf.before"
	"$@" "$conf"
	at "$node" "$DEMO_DIR/bin/hipgate" reload \
		--socket "$DEMO_DIR/$node/ctl.sock" 2>&1
}

reload_back()
{
	local conf=$DEMO_DIR/$1/hipgate.conf

	mv "$conf.before" "$conf"
	at "$1" "$DEMO_DIR/bin/hipgate" reload \
		--socket "$DEMO_DIR/$1/ctl.sock" 2>&1
}

deny_stranger()
{
	sed -i 's/^\[host\]/&\ndeny = 2001:22::bad\ndeny = 203.0.113.0\/24/' "$1"
}

deny_proxy()
{
	sed -i "s/^\\[host\\]/&\\ndeny = $(node_hit px)/" "$1"
}

spoil()
{
	printf 'puzle = 3\n' >>"$1"
}

says()
{
	local out=$1 pattern

	shift
	printf '%s\n' "$out"
	for pattern in "$@"; do
		grep -qF -- "$pattern" <<<"$out" || {
			echo "does not say: $pattern"
			return 1
		}
	done
}

# spis NODE PEER: both SPIs of the pair with that peer.
spis()
{
	ask "$1" sas | jq -c --arg peer "$2" \
		'[.data[] | select(.peer == $peer) | .spi_in, .spi_out]'
}

as_stranger()
{
	local out

	chmod 666 "$DEMO_DIR/hip/ctl.sock"
	out=$(at hip setpriv --reuid 65534 --clear-groups \
		"$DEMO_DIR/bin/hipgate" reload \
		--socket "$DEMO_DIR/hip/ctl.sock" 2>&1)
	chmod 660 "$DEMO_DIR/hip/ctl.sock"
	says "$out" "the daemon's own user and root"
}

# Not at its end before all reloads are done.
slow_sum()
{
	at lh1 python3 "$ROOT/test/e2e/gap.py" 6 http://hip.foo.com/big \
		1000000 "$DEMO_DIR/reload.started" "$DEMO_DIR/reload.done" |
		awk '{ print $2 "  -" }'
}

reload_under_load()
{
	local before out load line

	gets_page lh1 6 hip.foo.com >/dev/null
	rm -f "$DEMO_DIR"/reload.*
	slow_sum >"$DEMO_DIR/reload.sha256" &
	load=$!
	before=$(spis hip "$(node_hit px)")
	check "there is an association to keep" grep -q '[0-9]' <<<"$before"
	out=$(reload_with hip deny_stranger)
	check "reload tells what it has applied" says "$out" \
		"+ [host] deny = 2001:22::bad" "+ [host] deny = 203.0.113.0/24"
	out=$(reload_back hip)
	check "and takes it back" says "$out" "- [host] deny = 203.0.113.0/24"
	line=$(wc -l <"$DEMO_DIR/hip/hipgate.conf")
	out=$(reload_with hip spoil)
	check "a bad file is refused with file, line and the nearest key" \
		says "$out" "$DEMO_DIR/hip/hipgate.conf:$((line + 1)):" puzle
	out=$(reload_back hip)
	check "and has changed nothing" says "$out" "nothing has changed"
	check "the download went on meanwhile" kill -0 "$load"
	: >"$DEMO_DIR/reload.done"
	wait "$load"
	none "the association and its SPIs are as before" \
		diff <(echo "$before") <(spis hip "$(node_hit px)")
	none "the download is bit-identical" \
		diff "$DEMO_DIR/reload.sha256" "$DEMO_DIR/big.sha256"
	check "another user may not reload" as_stranger
}

closed()
{
	[[ $(spis hip "$(node_hit px)") == "[]" ]]
}

reload_denies()
{
	local before

	gets_page lh1 6 hip.foo.com >/dev/null
	before=$(drops hip hip-denied)
	reload_with hip deny_proxy >/dev/null
	check "a peer that is denied now loses its association" \
		wait_for 10 "the CLOSE" closed
	check "and does not come in again" \
		refused_within 60 lh1 6 http://hip.foo.com/
	check "which is counted by name" \
		test "$(drops hip hip-denied)" -gt "$before"
	reload_back hip >/dev/null
	# The proxy holds back for a while after it has failed.
	check "let in again, it is served" \
		wait_for 60 "the page" gets_page lh1 6 hip.foo.com
}

# ---- other things a reload can turn on ------------------------------------------

ephemeral_policy()
{
	cat >>"$1" <<-END

	[policy "hip4.foo.com"]
	hip = prefer
	identity = ephemeral
	END
}

# Somebody whom hip4 does not know from before, and whose key no file holds.
met_as_stranger()
{
	ask hip4 peers | tee /dev/stderr | jq -e --arg px "$(node_hit px)" \
		'any(.data[]; .anonymous and .peer != $px)'
}

ephemeral_checks()
{
	local out

	out=$(reload_with px ephemeral_policy)
	check "a policy about identities is applied" says "$out" \
		'+ [policy "hip4.foo.com"]'
	check "hip4.foo.com is served under it" gets_page lh1 6 hip4.foo.com
	check "and has met an anonymous stranger" met_as_stranger
	check "hip.foo.com still knows the proxy" one_pair hip "$(node_hit px)"
	reload_back px >/dev/null
	check "without it the default identity serves again" \
		gets_page lh4 4 hip4.foo.com
}

answer_anybody()
{
	sed -i 's/^\[rendezvous\]/&\nopportunistic = yes/' "$1"
}

ask_anybody()
{
	sed -i 's/^\[daemon\]/&\nopportunistic = yes/' "$1"
	printf '\n[register opportunistic]\naddress = %s\n' "$FA_6" >>"$1"
}

# pin_agent CONF: the agent that was found, by its HIT, as the log says.
pin_agent()
{
	sed -i "s/^\\[register opportunistic\\]/[register $(node_hit fa)]/" "$1"
}

# How often NODE was registered anywhere.
registrations()
{
	trace "$1" | jq 'map(select(.event == "registered")) | length'
}

more_registrations()
{
	(($(registrations "$1") > $2))
}

opportunistic_checks()
{
	local before conf=$DEMO_DIR/fix/hipgate.conf out

	before=$(drops fa hip-opportunistic)
	reload_with fix ask_anybody >/dev/null
	check "an agent that does not answer anybody drops it by name" \
		wait_for 10 "the drop" more_drops fa hip-opportunistic "$before"
	reload_with fa answer_anybody >/dev/null
	check "one that does gets the registration" \
		wait_for 30 "the registration of fix" registered fix
	check "whose HIT is in the log, to be pinned" wait_for 10 "it" \
		grep -F "[register $(node_hit fa)]" \
		"$DEMO_DIR/logs/hipgated-fix.log"
	before=$(registrations fix)
	cp "$conf.before" "$conf.first"
	out=$(reload_with fix pin_agent)
	check "which takes the place of the address at once" says "$out" \
		"- [register opportunistic]" "+ [register $(node_hit fa)]"
	check "fix is still registered" registered fix
	check "and has not asked again for it" \
		test "$(registrations fix)" = "$before"
	mv "$conf.before" "$conf"
	reload_with fix true >/dev/null
	check "the address alone begins anew" \
		wait_for 30 "the registration of fix" \
		more_registrations fix "$before"
	mv "$conf.first" "$conf.before"
	out=$(reload_back fix)
	check "a section without a HIT that is removed is applied" \
		says "$out" "- [register opportunistic]"
	check "and the agent has forgotten fix" \
		wait_for 5 "it to be forgotten" not_registered fix
	reload_back fa >/dev/null
}

# ---- agents come and go ------------------------------------------------------

# The agent lets nobody else in.
only_hips()
{
	sed -i "s/^\\[rendezvous\\]/&\\nallow = $(node_hit hip)\\n\
allow = $(node_hit hip4)/" "$1"
}

join_agent()
{
	printf '\n[register %s]\naddress = %s\naddress = %s\n' \
		"$(node_hit fa)" "$FA_4" "$FA_6" >>"$1"
}

doctor_of_fix()
{
	at fix "$DEMO_DIR/bin/hipgate" doctor agent \
		--config "$DEMO_DIR/fix/hipgate.conf" \
		--socket "$DEMO_DIR/fix/ctl.sock" 2>&1
}

doctor_is_glad()
{
	doctor_of_fix | tee /dev/stderr | grep -qF "no faults"
}

not_let_in()
{
	trace fix | jq -e --arg hit "$(node_hit fix)" 'any(.[];
		.event == "register-unanswered" and
		.reason == "unanswered" and (.mend | contains($hit)))'
}

not_registered()
{
	! registered "$1"
}

reload_agents()
{
	local out

	reload_with fa only_hips >/dev/null
	out=$(reload_with fix join_agent)
	check "a [register] that is added is applied" says "$out" \
		"+ [register $(node_hit fa)]"
	check "an agent that does not know us is an event with the mend" \
		wait_for 30 "the event" not_let_in
	check "doctor says it, too" says "$(doctor_of_fix)" \
		"not registered at" "allows $(node_hit fix)"
	reload_back fa >/dev/null
	check "let in, fix is registered" \
		wait_for 90 "the registration of fix" registered fix
	check "doctor finds it good" wait_for 20 "it" doctor_is_glad
	out=$(reload_back fix)
	check "a [register] that is removed is applied" says "$out" \
		"- [register $(node_hit fa)]"
	check "and the agent has forgotten fix" \
		wait_for 5 "it to be forgotten" not_registered fix
}

# ---- other DNS servers -----------------------------------------------------

# ask_server ADDRESS:PORT CONF
ask_server()
{
	sed -i "s/^dns-server = .*/dns-server = $1/" "$2"
}

# What the names are said to be, one line each, while reload.run is there.
names_meanwhile()
{
	local name

	while [[ -e $DEMO_DIR/reload.run ]]; do
		for name in fresh plain hip fixed; do
			at lh1 dig "@$DNS_6" +time=5 +tries=1 \
				"$name.foo.com" AAAA | grep -o 'status: [A-Z]*' ||
				echo "status: NONE"
		done
	done
}

said_more()
{
	(($(wc -l <"$DEMO_DIR/reload.said") > $1 + 12))
}

# hip_asked_of SERVER: a HIP question went there.
hip_asked_of()
{
	trace px | jq -e --arg s "$1" 'any(.[]; .event == "dns-ask" and
		.server == $s and .qtype == "HIP")'
}

# Answers nobody, and no ICMP says so.
SILENT_PORT=5399
silent_server()
{
	spawn dns silent-dns python3 -c "
import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(('::', $SILENT_PORT))
time.sleep(600)"
}

silent_listens()
{
	at dns ss -Hlun "sport = :$SILENT_PORT" | grep .
}

# asked_in_vain NAME: it waits at the silent server.
asked_in_vain()
{
	trace px | jq -e --arg s "[$DNS_6]:$SILENT_PORT" --arg n "$1" \
		'any(.[]; .event == "dns-ask" and .server == $s and
			.name == $n)'
}

reload_servers()
{
	local log=$DEMO_DIR/logs/hipgated-px.log out asker num

	: >"$DEMO_DIR/reload.run"
	names_meanwhile >"$DEMO_DIR/reload.said" &
	asker=$!
	check "names are asked for" wait_for 30 "answers" said_more 0
	out=$(reload_with px ask_server "$DNS_4:53")
	num=$(wc -l <"$DEMO_DIR/reload.said")
	check "another dns-server is applied" says "$out" \
		"- [proxy] dns-server = [$DNS_6]:53" \
		"+ [proxy] dns-server = $DNS_4:53"
	check "the log says so" grep -F "dns-server = $DNS_4:53" "$log"
	check "names go on being asked for" \
		wait_for 30 "answers" said_more "$num"
	check "and it is asked for HIP records" hip_asked_of "$DNS_4:53"
	check "what it says gives a substitute" gets_page lh1 6 hip.foo.com
	out=$(reload_back px)
	check "the first one again" says "$out" \
		"+ [proxy] dns-server = [$DNS_6]:53"
	num=$(wc -l <"$DEMO_DIR/reload.said")
	check "is asked again" wait_for 30 "answers" said_more "$num"
	rm "$DEMO_DIR/reload.run"
	wait "$asker"
	none "no name was refused meanwhile" \
		grep -E 'status: (SERVFAIL|REFUSED|NXDOMAIN)' \
		"$DEMO_DIR/reload.said"
}

# A question that waits for a server that says nothing, and a reload meanwhile; 2:
# it was given up (after 4.5 s) before that.
asked_while_silent()
{
	local asker name=fresh.foo.com out=$DEMO_DIR/reload.dig

	reload_with px ask_server "[$DNS_6]:$SILENT_PORT" >/dev/null
	at lh1 dig "@$WAYS_DNS6" +time=20 +tries=1 "$name" AAAA >"$out" &
	asker=$!
	wait_for 4 "the question" asked_in_vain "$name"
	reload_back px >/dev/null
	wait "$asker"
	grep -F "$WEB_6" "$out" && return
	grep -q SERVFAIL "$out" && return 2
	return 1
}

# A machine that is too busy to reload in time may try again.
asked_in_time()
{
	local tries=5 rc=2

	while ((rc == 2 && tries-- > 0)); do
		asked_while_silent
		rc=$?
	done
	return "$rc"
}

reload_in_flight()
{
	silent_server
	check "there is a server that says nothing" \
		wait_for 10 "it" silent_listens
	check "what waits for it is answered by the one that comes" \
		asked_in_time
	kill "$(<"$DEMO_DIR/pids/silent-dns")"
}

more_drops()
{
	(($(drops "$1" "$2") > $3))
}

reload_checks()
{
	reload_under_load
	reload_denies
	ephemeral_checks
	reload_servers
	reload_in_flight
	reload_agents
	opportunistic_checks
}
