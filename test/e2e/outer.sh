# SPDX-License-Identifier: MIT
# Machines whose address a NAT translates 1:1 (a cloud's public address), and
# that have to be told it (outer-address): a HIP host without a rendezvous
# server, and an agent that relays. Sourced by run.sh.
# shellcheck shell=bash
#
#   net [outer address <-> inner address] --- fix or fa

FIX_INNER_4=10.7.0.2	FIX_INNER2_4=10.7.0.3	FIX_INNER_NAT_4=10.7.0.1
FIX_ROUTER_4=198.51.100.14
FA_INNER_4=10.8.0.2	FA_INNER_NAT_4=10.8.0.1		FA_ROUTER_4=198.51.100.2

# one_to_one NODE OUTER INNER NAT: NODE has only INNER from now on, and `net`
# translates, whoever begins; nobody else gets to INNER.
one_to_one()
{
	address net "$1" "$4/24"
	ip -n "$(ns "$1")" addr del "$2/30" dev up0 &&
		ip -n "$(ns "$1")" addr add "$3/24" dev up0 &&
		ip -n "$(ns "$1")" route replace default via "$4" || return 1
	at net nft -f - <<-END
	table ip outer_$1 {
		chain wild {
			type filter hook prerouting priority raw
			iifname != "$1" ip daddr $3 drop
		}
		chain pre {
			type nat hook prerouting priority -100
			ip daddr $2 dnat to $3
		}
		chain post {
			type nat hook postrouting priority 100
			ip saddr $3 snat to $2
		}
	}
	END
}

# one_to_one_no_more NODE OUTER INNER NAT ROUTER
one_to_one_no_more()
{
	at net nft delete table ip "outer_$1"
	ip -n "$(ns net)" addr del "$4/24" dev "$1"
	ip -n "$(ns "$1")" addr del "$3/24" dev up0
	ip -n "$(ns "$1")" addr add "$2/30" dev up0 &&
		ip -n "$(ns "$1")" route replace default via "$5"
}

# outer_address NODE ADDRESS: it is told, and begins anew.
outer_address()
{
	daemon_stop "$1" && sed -i "/^\[daemon\]/a outer-address = $2" \
		"$DEMO_DIR/$1/hipgate.conf" && daemon_start "$1"
}

outer_address_no_more()
{
	sed -i '/^outer-address = /d' "$DEMO_DIR/$1/hipgate.conf"
}

# announced NODE PEER: the addresses that PEER has told it.
announced()
{
	ask "$1" paths | jq -r --arg peer "$(node_hit "$2")" '.data[] |
		select(.peer == $peer and .announced) | .to' | tee /dev/stderr
}

is_told()
{
	announced "$1" "$2" | grep -F "$3:"
}

# Nothing else of IPv4, by however many paths.
is_told_only()
{
	[[ $(announced "$1" "$2" | grep -v '^\[' | sort -u) == "$3:10500" ]]
}

# ---- a HIP host ------------------------------------------------------------

# Its IPv6 would be another way.
fix_goes_inside()
{
	daemon_stop fix && ip -n "$(ns fix)" addr del "$FIX_6/64" dev up0 &&
		one_to_one fix "$FIX_4" "$FIX_INNER_4" "$FIX_INNER_NAT_4" &&
		daemon_start fix
}

fix_comes_back()
{
	fix_tells_no_more && daemon_stop fix && outer_address_no_more fix &&
		one_to_one_no_more fix "$FIX_4" "$FIX_INNER_4" \
			"$FIX_INNER_NAT_4" "$FIX_ROUTER_4" &&
		address fix up0 "$FIX_6/64" &&
		ip -n "$(ns fix)" -6 route replace default \
			via "${FIX_6%%::*}::fe" && daemon_start fix
}

fix_page()
{
	wait_for 60 "a page" gets_page lh4 4 fixed.foo.com
}

# With one more address it tells its peers of all.
fix_tells()
{
	ip -n "$(ns fix)" addr add "$FIX_INNER2_4/24" dev up0
}

fix_tells_no_more()
{
	ip -n "$(ns fix)" addr del "$FIX_INNER2_4/24" dev up0
}

fix_is_told()
{
	fix_tells_no_more && outer_address fix "$FIX_4"
}

outer_checks()
{
	check "a HIP host goes behind a 1:1 NAT" fix_goes_inside
	check "a page of it" fix_page
	check "it tells its addresses" fix_tells
	check "the proxy is told where nobody gets" \
		wait_for 20 "it" is_told px fix "$FIX_INNER_4"
	check "the host is told its outer address" fix_is_told
	check "a page of it then" fix_page
	check "it tells its addresses then" fix_tells
	check "the proxy is told the outer one" \
		wait_for 20 "it" is_told px fix "$FIX_4"
	check "and no other" is_told_only px fix "$FIX_4"
	check "and sends there" locator_is px fix "$FIX_4"
	check "the host comes back" fix_comes_back
	check "a page of it, as before" fix_page
}

# ---- an agent that relays (nat_checks) -----------------------------------------

fa_goes_inside()
{
	daemon_stop fa && one_to_one fa "$FA_4" "$FA_INNER_4" \
		"$FA_INNER_NAT_4" && daemon_start fa
}

fa_comes_back()
{
	daemon_stop fa && outer_address_no_more fa &&
		one_to_one_no_more fa "$FA_4" "$FA_INNER_4" \
			"$FA_INNER_NAT_4" "$FA_ROUTER_4" && daemon_start fa
}

relayed_address_is()
{
	[[ $(relayed_address hid) == "$1:"* ]]
}

# Both NATs are symmetric: there is no other way than by the agent's ports.
relay_outer_checks()
{
	check "the relay goes behind a 1:1 NAT" fa_goes_inside
	check "the port that it gives leads nowhere" \
		wait_for 60 "it" relayed_address_is "$FA_INNER_4"
	check "no page that way" no_page lhn 4 hidden.foo.com
	check "the relay is told its outer address" outer_address fa "$FA_4"
	check "the port that it gives then" \
		wait_for 60 "it" relayed_address_is "$FA_4"
	check "a page by that port" wait_for 60 "it" \
		gets_page lhn 4 hidden.foo.com
	check "it is relayed" goes_relayed pxn hid
	check "a host that the agent makes known is met" \
		wait_for 60 "it" gets_page lh4 4 hip4.foo.com
	check "the relay comes back" fa_comes_back
}
