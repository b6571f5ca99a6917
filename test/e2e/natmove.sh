# SPDX-License-Identifier: MIT
# Hosts that move behind real NATs (nftables): from one to another of another
# kind, out into the open and back, both at once, and while the relay is away;
# which path each pair ends on. Sourced by run.sh.
# shellcheck shell=bash
#
#   lhn --- [pxn] --- natp --- net --- nath --- hid
#             | \____ natq ---/ | \--- natb ____/ |
#             |________________/ | \______________|
#                               fa
#
# natp and nath keep a mapping for whoever is written to; natq and natb have one
# for each destination. All let in only whom has been written to. pxn and hid
# have a link to each and one to `net`, and one of the three is up.

MOVE_NODES=(natq natb)
NODES+=("${MOVE_NODES[@]}")
NATQ_4=198.51.100.33		NATB_4=198.51.100.37
OPEN_PXN_4=198.51.100.65	OPEN_HID_4=198.51.100.69
OTHER_4=10.77.0.2		OTHER_NAT_4=10.77.0.1 # behind natq, natb
NAT_MOVE_RATE=40000000		# octets a second

# Where a node's three links lead: to the NAT that keeps, to the one that does
# not, into the open.
declare -A ROUTER_OF=([up0]=$INSIDE_NAT_4 [up1]=$OTHER_NAT_4
	[up2-pxn]=198.51.100.66 [up2-hid]=198.51.100.70)

# other_link NODE NAT: up1, which is down.
other_link()
{
	ip -n "$(ns "$1")" link add up1 type veth peer name in0 \
		netns "$(ns "$2")"
	address "$1" up1 "$OTHER_4/24"
	address "$2" in0 "$OTHER_NAT_4/24"
	ip -n "$(ns "$1")" link set up1 down
}

# open_link NODE ADDRESS ROUTER: up2, which is down.
open_link()
{
	ip -n "$(ns "$1")" link add up2 type veth peer name "$1-open" \
		netns "$(ns net)"
	address "$1" up2 "$2/30"
	address net "$1-open" "$3/30"
	ip -n "$(ns "$1")" link set up2 down
}

natmove_up()
{
	rm -rf "$DEMO_DIR/pxn" # another proxy than that of nat_checks
	nat_up || return 1
	nat_node natq 1
	nat_node natb 1
	site natq - "$NATQ_4" 30 198.51.100.34
	site natb - "$NATB_4" 30 198.51.100.38
	other_link pxn natq
	other_link hid natb
	open_link pxn "$OPEN_PXN_4" "${ROUTER_OF[up2-pxn]}"
	open_link hid "$OPEN_HID_4" "${ROUTER_OF[up2-hid]}"
	# For what the proxy does not answer itself.
	ip -n "$(ns natq)" route add "$LHN_NET_4" via "$OTHER_4"
	ip -n "$(ns net)" route add "$LHN_NET_4" via "$OPEN_PXN_4" || return 1
	for_each_destination natq && for_each_destination natb &&
		ports_closed natq && ports_closed natb
}

natmove_down()
{
	local node

	ip -n "$(ns net)" route del "$LHN_NET_4" 2>/dev/null
	nat_down || return 1
	for node in "${MOVE_NODES[@]}"; do
		ip netns del "$(ns "$node")"
	done
}

for_each_destination()
{
	masquerade "$1" "random,fully-random"
}

# goes NODE FROM TO: from one of its links to another, by one process.
goes()
{
	local to=${ROUTER_OF[$3]-${ROUTER_OF[$3-$1]-}}

	ip -n "$(ns "$1")" -batch - <<-EOF
		link set $2 down
		link set $3 up
		route replace default via $to
	EOF
}

# both_go PXN_FROM PXN_TO HID_FROM HID_TO
both_go()
{
	goes pxn "$1" "$2" && goes hid "$3" "$4"
}

# path_at NODE PEER: direct, or whose port at the relay it leads by.
path_at()
{
	ask "$1" peers | jq -r --arg hit "$(node_hit "$2")" '.data[] |
		select(.peer == $hit) | .path | sub(" via.*"; "")'
}

both_end_on()
{
	[[ $(path_at pxn hid) == "$1" && $(path_at hid pxn) == "$1" ]]
}

# natmoves WHAT PATH COMMAND...: 100 MB go on while somebody moves; the line tells
# by which path each goes at the end. PATH is waited for, with a page now and then,
# for a path that nobody uses is not looked for; it is no test, since each looks
# for a better one by himself, ever more seldom.
natmoves()
{
	# shellcheck disable=SC2034 # of moving
	local what=$1 path=$2 MOVE_RATE=$NAT_MOVE_RATE

	shift 2
	STOOD_STILL='?'
	if ! moving lhn 4 hidden.foo.com "$@" >"$DEMO_DIR/move.said" 2>&1; then
		fail "$what" "$(cat "$DEMO_DIR/move.said")" \
			"$(ask pxn peers; ask hid peers)"
		return
	fi
	wait_for 60 "path" page_on "$path" 2>/dev/null
	if ends_somewhere; then
		pass "$what (stood still for $STOOD_STILL ms, ends $(ends))"
	else
		fail "$what: ends on" "$(ends), and not $path"
	fi
}

# One word where both agree.
ends()
{
	local a b

	a=$(path_at pxn hid)
	b=$(path_at hid pxn)
	if [[ $a == "$b" ]]; then
		echo "$a"
	else
		echo "$a from the proxy, $b from the host"
	fi
}

ends_somewhere()
{
	[[ $(path_at pxn hid) == @(direct|relayed) &&
		$(path_at hid pxn) == @(direct|relayed) ]]
}

page_on()
{
	both_end_on "$1" || {
		gets_page lhn 4 hidden.foo.com
		return 1
	}
}

nat_resets()
{
	local node

	for node in pxn lhn hid; do
		echo "$node $(tcp "$node" TcpOutRsts) \
$(tcp "$node" TcpEstabResets)"
	done
}

begins_direct()
{
	gets_page lhn 4 hidden.foo.com && both_end_on direct
}

# Who only hears and has nothing to say does not ask when nothing comes any more,
# and behind its NAT nobody else can tell it (docs/moving.md): so it says something.
client_speaks()
{
	spawn lhn natmove-ping ping -4 -q -i 0.2 hidden.foo.com
}

# ---- the relay is away -------------------------------------------------------

# The relay is out of reach while COMMAND moves somebody, and 2 s more.
relay_cut()
{
	local rc

	ip -n "$(ns net)" rule add pref 2 to "$FA_4" blackhole || return
	"$@"
	rc=$?
	sleep 2
	ip -n "$(ns net)" rule del pref 2 to "$FA_4"
	return "$rc"
}

# It ends, and is there again, without what it knew, when somebody has moved. The
# proxy's NAT has forgotten the place that the host goes to: nobody but the relay
# can tell the proxy of it.
relay_dies()
{
	daemon_stop fa KILL || return 1
	at natp conntrack -D -d "$NATH_4" >/dev/null 2>&1
	"$@" && daemon_start fa
}

# The host's second NAT keeps its mappings, and the proxy's lets in everybody.
relay_is_not_needed()
{
	masquerade natb && at natb conntrack -F 2>/dev/null && lets_in natp
}

proxy_nat_closes()
{
	lets_in_no_more natp
}

relay_away_checks()
{
	check "the proxy's NAT lets everybody in" relay_is_not_needed
	natmoves "100 MB go on: the host moves, the relay is out of reach" \
		direct relay_cut goes hid up0 up1
	check "the proxy's NAT lets in no more" proxy_nat_closes
	natmoves "100 MB go on: the host moves, the relay ends and begins anew" \
		direct relay_dies goes hid up1 up0
	# Its other clients notice within a minute.
	check "the agent knows hip again" wait_for 90 "it" registered hip
	check "the agent knows hip4 again" wait_for 90 "it" registered hip4
}

natmove_checks()
{
	local had

	check "NATs of two kinds on either side" natmove_up
	check "the relay knows the host behind its first NAT" \
		wait_for 20 "it" relay_knows hid "$NATH_4"
	check "a page straight through both NATs" wait_for 20 "it" begins_direct
	check "a client that speaks all the while" client_speaks
	had=$(nat_resets)
	natmoves "100 MB go on: the host goes behind a symmetric NAT" \
		relayed goes hid up0 up1
	natmoves "100 MB go on: it comes back" direct goes hid up1 up0
	natmoves "100 MB go on: the proxy goes behind a symmetric NAT" \
		relayed goes pxn up0 up1
	natmoves "100 MB go on: the host goes behind another one" \
		relayed goes hid up0 up1
	natmoves "100 MB go on: the host goes into the open" \
		direct goes hid up1 up2
	natmoves "100 MB go on: the proxy comes back" \
		direct goes pxn up1 up0
	natmoves "100 MB go on: the host comes back" \
		direct goes hid up2 up0
	natmoves "100 MB go on: both go behind symmetric NATs at once" \
		relayed both_go up0 up1 up0 up1
	natmoves "100 MB go on: the proxy goes into the open" \
		direct goes pxn up1 up2
	natmoves "100 MB go on: both come back at once" \
		direct both_go up2 up0 up1 up0
	relay_away_checks
	check "no TCP connection was reset" diff <(echo "$had") <(nat_resets)
	end natmove-ping
	check "the NATs of two kinds go" natmove_down
}
