# SPDX-License-Identifier: MIT
# Hosts that move under a running download: the substitute address and the
# flow stay (the patent's Figure 4; RFC 8046). Sourced by run.sh.
# shellcheck shell=bash

MOVED_HIP4=198.51.100.41	MOVED_ROUTER4=198.51.100.42
MOVED_PX6=2001:db8:300::2
SECOND_6=2001:db8:900::14	# hip's second link
MOVE_RATE=20000000		# octets a second

# moving NODE FAMILY NAME COMMAND...: 100 MB, bit-identical, while the command
# moves somebody; the last line says how long it stood still.
moving()
{
	local node=$1 family=$2 name=$3 octets sum ms at
	local started=$DEMO_DIR/move.started out=$DEMO_DIR/move.out

	shift 3
	rm -f "$started" "$out"
	spawn "$node" move sh -c "exec python3 '$ROOT/test/e2e/gap.py' $family \
		http://$name/big $MOVE_RATE '$started' >'$out'"
	wait_for 30 "an eighth of the download" test -e "$started" || return 1
	"$@" || return 1
	wait_for 400 "the end of the download" gone "$(pid_of move)" ||
		return 1
	tail -n 3 "$DEMO_DIR/logs/move.log"
	read -r octets sum ms at <"$out" || return 1
	STOOD_STILL=$ms
	echo "$octets octets; stood still for $ms ms at $at s"
	[[ "$sum  -" == "$(cat "$DEMO_DIR/big.sha256")" ]]
}

# checked_move WHAT NODE FAMILY NAME COMMAND...: a test asserts no timing; the
# line tells what was measured.
checked_move()
{
	local what=$1

	shift
	STOOD_STILL='?'
	if moving "$@" >"$DEMO_DIR/move.said" 2>&1; then
		pass "$what (stood still for $STOOD_STILL ms)"
	else
		fail "$what" "$(cat "$DEMO_DIR/move.said")"
	fi
}

# locator NODE PEER: where NODE sends to that peer.
locator()
{
	ask "$1" sas | jq -r --arg peer "$(node_hit "$2")" '.data[] |
		select(.peer == $peer and .state == "sends") | .locator'
}

locator_is()
{
	[[ $(locator "$1" "$2" | tee /dev/stderr) == *"$3"* ]]
}

locator_is_not()
{
	! locator_is "$@"
}

knows_way()
{
	ask "$1" paths | jq -e --arg to "$2" \
		'any(.data[]; .to | contains($to))'
}

agent_knows()
{
	ask fa registrations | jq -e --arg hit "$(node_hit "$1")" \
		--arg at "$2" 'any(.data[]; .hit == $hit and
			(.at | contains($at)))'
}

# ---- moves: off and on again, as a cable or a wireless network does -------

# The networks where they will be have routers.
elsewhere_up()
{
	ip -n "$(ns net)" addr add "$MOVED_ROUTER4/30" dev hip4 &&
		ip -n "$(ns net)" addr add 203.0.113.6/30 dev px
}

elsewhere_gone()
{
	ip -n "$(ns net)" addr del "$MOVED_ROUTER4/30" dev hip4 &&
		ip -n "$(ns net)" addr del 203.0.113.6/30 dev px
}

# moved_to NODE FROM TO ROUTER: its IPv4 address, by one process: what is
# measured should not be how long the machine takes to start three.
moved_to()
{
	ip -n "$(ns "$1")" -batch - <<-EOF
		addr del $2/30 dev up0
		addr add $3/30 dev up0
		route replace default via $4
	EOF
}

hip4_moves()
{
	moved_to hip4 "$HIP4_4" "$MOVED_HIP4" "$MOVED_ROUTER4"
}

hip4_returns()
{
	moved_to hip4 "$MOVED_HIP4" "$HIP4_4" 198.51.100.10
}

hip_loses6()
{
	ip -n "$(ns hip)" addr del "$HIP_6/64" dev up0
}

hip_gets6_loses4()
{
	ip -n "$(ns hip)" addr add "$HIP_6/64" dev up0 nodad &&
		ip -n "$(ns hip)" -6 route replace default \
			via "${HIP_6%%::*}::fe" &&
		ip -n "$(ns hip)" addr del "$HIP_4/30" dev up0
}

hip_gets4()
{
	ip -n "$(ns hip)" addr add "$HIP_4/30" dev up0 &&
		ip -n "$(ns hip)" route replace default via 198.51.100.6
}

# proxy_moves FROM TO: by one process, too; without an IPv6 address for longer
# than a moment it would tell that it has IPv4 only.
proxy_moves()
{
	ip -6 -n "$(ns px)" -batch - <<-EOF &&
		addr del $1/64 dev up0
		addr add $2/64 dev up0 nodad
		route replace default via ${PX_6%%::*}::fe
	EOF
		ip -n "$(ns net)" -6 route replace "$LAN_NET6" via "$2"
}

# proxy4 FROM TO ROUTER
proxy4()
{
	moved_to px "$1" "$2" "$3" &&
		ip -n "$(ns net)" -4 route replace "$LAN_NET4" via "$2"
}

# Between them there is IPv4 only: neither knows where the other one is.
both_move()
{
	hip4_moves && proxy4 "$PX_4" 203.0.113.5 203.0.113.6
}

both_return()
{
	hip4_returns && proxy4 203.0.113.5 "$PX_4" 203.0.113.2
}

second_link()
{
	ip -n "$(ns hip)" link add up1 type veth peer name hip-b \
		netns "$(ns net)" &&
		address hip up1 "$SECOND_6/64" &&
		address net hip-b "${SECOND_6%%::*}::fe/64" &&
		ip -n "$(ns hip)" -6 route append default \
			via "${SECOND_6%%::*}::fe" metric 2048
}

second_link_gone()
{
	ip -n "$(ns hip)" link del up1
}

by_second_link()
{
	printf '\n[paths]\nprefer = order\norder = link up1\nreturn = 1\n' \
		>>"$1"
}

# NODE sends to PEER from that address.
sends_from()
{
	ask "$1" peers | jq -e --arg peer "$(node_hit "$2")" --arg from "$3" \
		'any(.data[]; .peer == $peer and .from == $from)'
}

# What its file says of an interface holds for whatever address it has.
link_checks()
{
	check "the host sends by its first link again" wait_for 300 "it" \
		used lh1 6 hip.foo.com sends_from hip px "$HIP_6"
	check "the host hears that its second link is the better one" \
		reload_with hip by_second_link
	check "it sends by that" wait_for 300 "it" \
		used lh1 6 hip.foo.com sends_from hip px "$SECOND_6"
	check "the second link goes" second_link_gone
	check "it sends by the first one" wait_for 300 "it" \
		used lh1 6 hip.foo.com sends_from hip px "$HIP_6"
	check "the host hears that all are alike" reload_back hip
}

# A cable is pulled for 0.3 s, at the router's end.
cable_out_and_in()
{
	ip -n "$(ns net)" link set hip4 down && sleep 0.3 &&
		ip -n "$(ns net)" link set hip4 up
}

# NODE's daemon does nothing for 4 s, as on a machine that sleeps.
asleep()
{
	local pid

	pid=$(pid_of "hipgated-$1")
	kill -s STOP "$pid" && sleep 4 && kill -s CONT "$pid"
}

# How often NODE has found that it was asleep.
leaps()
{
	trace "$1" | jq '[.[] | select(.event == "clock-leapt")] | length'
}

# cut_off ADDRESS: nothing to or from this IPv6 address passes the router, which
# does not say so.
cut_off()
{
	ip -n "$(ns net)" -6 rule add pref 2 to "$1" blackhole &&
		ip -n "$(ns net)" -6 rule add pref 2 from "$1" blackhole
}

mend()
{
	ip -n "$(ns net)" -6 rule del pref 2 to "$1" &&
		ip -n "$(ns net)" -6 rule del pref 2 from "$1"
}

agent_dies_and_host_moves()
{
	daemon_stop fa KILL && hip4_moves
}

resets()
{
	local node

	for node in px lh1 lh4 hip hip4; do
		echo "$node $(tcp "$node" TcpOutRsts) \
$(tcp "$node" TcpEstabResets)"
	done
}

addresses_given()
{
	ask px mappings | jq -c '[.data[] | {name, sub6, sub4}] | sort'
}

# ---- what must hold -------------------------------------------------------
#
# A second of silence is a path's end, also where a busy machine kept the answer,
# and a dead one is asked again each half minute: waits are of several of those.

announced_checks()
{
	checked_move "100 MB go on: the host's IPv4 address changes" \
		lh4 4 hip4.foo.com hip4_moves
	check "the proxy sends there" wait_for 60 "it" \
		used lh4 4 hip4.foo.com locator_is px hip4 "$MOVED_HIP4"
	check "trace has the UPDATE that told it" eval 'trace px | jq -e \
		"any(.[]; .event == \"hip-seen\" and .type == \"UPDATE\")"'
	check "moves tells when and why" eval 'ask px moves | jq -e \
		--arg to "$MOVED_HIP4" "any(.data[]; .why == \"announced\" and
			(.to | contains(\$to)))"'
	check "paths tells when it has answered last" eval 'ask px paths |
		jq -e --arg to "$MOVED_HIP4" "any(.data[]; .current and
			(.to | contains(\$to)) and .verified_s != null)"'
	check "the agent knows, too" wait_for 10 "it" \
		agent_knows hip4 "$MOVED_HIP4"
	checked_move "100 MB go on: and back" lh4 4 hip4.foo.com hip4_returns
	checked_move "100 MB go on: the host loses IPv6, it has IPv4" \
		lh1 6 hip.foo.com hip_loses6
	check "the proxy sends to its IPv4 address" wait_for 60 "it" \
		used lh1 6 hip.foo.com locator_is px hip "$HIP_4"
	checked_move "100 MB go on: from IPv4 to IPv6" \
		lh1 6 hip.foo.com hip_gets6_loses4
	check "the proxy sends to its IPv6 address" wait_for 60 "it" \
		used lh1 6 hip.foo.com locator_is px hip "$HIP_6"
	check "the host has its IPv4 address again" hip_gets4
	checked_move "100 MB go on: the proxy moves" lh1 6 hip.foo.com \
		proxy_moves "$PX_6" "$MOVED_PX6"
	check "the host sends there" wait_for 300 "it" \
		used lh1 6 hip.foo.com locator_is hip px "$MOVED_PX6"
	checked_move "100 MB go on: and back" lh1 6 hip.foo.com \
		proxy_moves "$MOVED_PX6" "$PX_6"
}

double_checks()
{
	checked_move "100 MB go on: both move at once" lh4 4 hip4.foo.com \
		both_move
	check "the proxy knows where the host is" wait_for 60 "it" \
		used lh4 4 hip4.foo.com locator_is px hip4 "$MOVED_HIP4"
	check "the host knows where the proxy is" wait_for 60 "it" \
		used lh4 4 hip4.foo.com locator_is hip4 px 203.0.113.5
	checked_move "100 MB go on: and back" lh4 4 hip4.foo.com both_return
}

# One link each, of both families; IPv6 is out, and nobody says so: both ends
# withdraw their IPv6 addresses, and find back to them.
family_checks()
{
	check "both use IPv6" wait_for 300 "it" \
		used lh1 6 hip.foo.com locator_is px hip "$HIP_6"
	checked_move "100 MB go on: IPv6 is out, nobody says so" \
		lh1 6 hip.foo.com cut_off "$HIP_6"
	check "the proxy sends to the host's IPv4 address" wait_for 60 "it" \
		used lh1 6 hip.foo.com locator_is px hip "$HIP_4"
	check "and the host to the proxy's" wait_for 60 "it" \
		used lh1 6 hip.foo.com locator_is hip px "$PX_4"
	check "IPv6 is there again" mend "$HIP_6"
	check "the proxy goes back to IPv6" wait_for 300 "it" \
		used lh1 6 hip.foo.com locator_is px hip "$HIP_6"
	check "and so does the host" wait_for 300 "it" \
		used lh1 6 hip.foo.com locator_is hip px "$PX_6"
}

loss_checks()
{
	check "the host gets a second link" second_link
	check "the proxy knows a way there" wait_for 20 "it" \
		knows_way px "$SECOND_6"
	checked_move "100 MB go on: the way is cut, nobody says so" \
		lh1 6 hip.foo.com cut_off "$HIP_6"
	check "the proxy sends another way" wait_for 60 "it" \
		used lh1 6 hip.foo.com locator_is_not px hip "$HIP_6"
	check "the way is mended" mend "$HIP_6"
	# Dead, it is asked each half minute; twice 10 s apart is alive.
	check "the proxy goes back" wait_for 300 "it" \
		used lh1 6 hip.foo.com locator_is px hip "$HIP_6"
	link_checks
}

cable_checks()
{
	local before

	check "before the cable: a page" gets_page lh4 4 hip4.foo.com
	checked_move "100 MB go on: the host's cable is out for 0.3 s" \
		lh4 4 hip4.foo.com cable_out_and_in
	check "the proxy sends where it did" locator_is px hip4 "$HIP4_4"
	before=$(leaps px)
	checked_move "100 MB go on: the proxy is asleep for 4 s" \
		lh4 4 hip4.foo.com asleep px
	check "it has noticed" test "$(leaps px)" -gt "$before"
}

agent_checks()
{
	checked_move "100 MB go on: the agent dies, the host moves" \
		lh4 4 hip4.foo.com agent_dies_and_host_moves
	check "the agent starts again" daemon_start fa
	checked_move "100 MB go on: and back" lh4 4 hip4.foo.com hip4_returns
	check "the agent knows hip4 again" wait_for 300 "it" \
		agent_knows hip4 "$HIP4_4"
	# Who did not move tells it with the next refresh: too late for us.
	check "hip starts again" daemon_stop hip
	check "and comes up" daemon_start hip
	check "the agent knows hip again" wait_for 20 "it" registered hip
}

move_checks()
{
	local before had

	check "before moves: a page" gets_page lh4 4 hip4.foo.com
	check "before moves: another" gets_page lh1 6 hip.foo.com
	check "before moves: other networks" elsewhere_up
	before=$(addresses_given)
	had=$(resets)
	announced_checks
	double_checks
	family_checks
	loss_checks
	agent_checks
	check "the other networks go" elsewhere_gone
	check "every substitute address is as it was" \
		diff <(echo "$before") <(addresses_given)
	check "no TCP connection was reset" diff <(echo "$had") <(resets)
	check "trace tells of the moves" eval 'trace px |
		jq -e "any(.[]; .event == \"path\")"'
}
