# SPDX-License-Identifier: MIT
# A HIP host that lies about where it is (test/evil/evil.c): nothing moves,
# nobody is flooded, each lie is counted under its name. Sourced by run.sh.
# shellcheck shell=bash

# evil_begin NODE ARG...: the attack; its answer is in $EVIL_OUT, and it goes on
# until evil_end.
evil_begin()
{
	local node=$1

	shift
	EVIL_OUT=$DEMO_DIR/evil.out
	: >"$EVIL_OUT"
	exec {EVIL_IN}> >(
		at "$node" "$DEMO_DIR/bin/evil" "$@" >"$EVIL_OUT" 2>&1
		echo over >>"$EVIL_OUT"
	)
}

evil_end()
{
	exec {EVIL_IN}>&-
	wait_for 20 "the end of evil" grep -qx over "$EVIL_OUT"
}

# evil_says WORD: what it has found out.
evil_says()
{
	wait_for 30 "evil's answer" test -s "$EVIL_OUT"
	cat "$EVIL_OUT"
	grep -qx "$1" "$EVIL_OUT"
}


# lie NODE REASON WHAT ARG...: an attack on NODE from `web` is not answered, but
# counted; nothing else happens. With SAID, that is what becomes of it.
lie()
{
	local node=$1 reason=$2 what=$3 before

	shift 3
	before=$(drops "$node" "$reason")
	evil_begin web "$WEB_6" "$HIP_6" "$(node_hit hip)" "$@"
	check "$what: ${SAID:-not acknowledged}" evil_says "${SAID:-silent}"
	check "$what: $reason" wait_for 5 "$reason" \
		more_drops "$node" "$reason" "$before"
	none "$what: no path there" strange_paths "$node"
	evil_end
}

# Ways of NODE that lead nowhere we know, or into the proxy's pool.
strange_paths()
{
	ask "$1" paths | jq -r --arg pool "[${POOL6%%::*}:" '.data[].to |
		select(startswith($pool) or
			test("\\[(::1|ff0e::1|2001:db8:bad.*)\\]"))'
}

# ---- a victim ------------------------------------------------------------------

victim_up()
{
	at dns nft -f - <<-END
	table inet victim {
		counter hip { }
		chain in {
			type filter hook input priority 0;
			udp dport 10500 counter name hip
		}
	}
	END
}

# packets or bytes that have come there.
victim_got()
{
	at dns nft -j list counter inet victim hip |
		jq ".nftables[] | .counter // empty | .$1"
}

# hip has asked there in vain.
victim_given_up()
{
	ask hip paths | jq -e --arg at "$DNS_6" 'any(.data[];
		(.to | startswith("[" + $at + "]")) and .state == "dead")'
}

victim_checks()
{
	local packets bytes

	victim_up
	evil_begin web "$WEB_6" "$HIP_6" "$(node_hit hip)" locators \
		"$DNS_6" "$WEB_6"
	# It may have an answer or not: that goes to the victim, and later to
	# where the peer was before.
	check "a peer says that it is at a victim's address" \
		evil_says 'answered\|silent'
	check "the victim is asked, and given up" \
		wait_for 60 "the path to be given up" victim_given_up
	packets=$(victim_got packets)
	bytes=$(victim_got bytes)
	check "it got $packets packets: one at least, three at most" \
		test "$packets" -ge 1 -a "$packets" -le 3
	check "and $bytes octets: no more than three questions" \
		test "$bytes" -le $((3 * 400))
	evil_end
	at dns nft delete table inet victim
}

# ---- the proxy, attacked by a host that its clients ask for --------------------

# silent.foo.com has a record; for once, evil answers for it.
evil_is_silent()
{
	address web up0 "$SILENT_6/128" || return
	ip -n "$(ns net)" -6 route replace "$SILENT_6" via "$WEB_6"
}

silent_again()
{
	ip -n "$(ns web)" addr del "$SILENT_6/128" dev up0
	ip -n "$(ns net)" -6 route replace blackhole "$SILENT_6"
}

proxy_lies()
{
	local before

	before=$(drops px hip-locator-barred)
	evil_is_silent
	evil_begin web -l "$DEMO_DIR/silent/key.pem" "$SILENT_6" "$PX_6" \
		"$(node_hit px)" locators "${POOL6%::*}::99"
	at lh1 curl -s --max-time 3 http://silent.foo.com/ >/dev/null 2>&1
	check "a HIP host says that it is in the proxy's pool: \
not acknowledged" evil_says silent
	check "a HIP host says that it is in the proxy's pool: counted" \
		more_drops px hip-locator-barred "$before"
	none "a HIP host says that it is in the proxy's pool: no path there" \
		strange_paths px
	evil_end
	silent_again
}

# ---- the agent ------------------------------------------------------------------

only_known()
{
	local node

	for node in hip hip4 fix px hid; do
		sed -i "s/^\\[rendezvous\\].*/&\\nallow = $(node_hit $node)/" \
			"$1"
	done
}

register_checks()
{
	local before

	before=$(drops fa hip-denied)
	check "the agent is told whom it knows" reload_with fa only_known
	evil_begin web "$WEB_6" "$FA_6" "$(node_hit fa)" register
	check "a stranger that wants to register is counted: hip-denied" \
		wait_for 10 hip-denied more_drops fa hip-denied "$before"
	exec {EVIL_IN}>&-
	check "and is refused" evil_says refused
	wait_for 20 "the end of evil" grep -qx over "$EVIL_OUT"
	check "the agent knows everybody again" reload_back fa
}

evil_checks()
{
	install -m 755 "$BUILD/test/evil/evil" "$DEMO_DIR/bin/evil"
	victim_checks
	lie hip hip-locator-addr "a peer says that it is at ::1" \
		locators ::1 "$WEB_6"
	lie hip hip-locator-addr "a peer says that it is a group" \
		locators ff0e::1
	lie hip hip-locator-many "a peer says that it is in 60 places" \
		many 60 2001:db8:bad:: # no message holds more
	lie hip hip-mac "an UPDATE with another MAC" bad-mac
	lie hip hip-signature "an UPDATE with another signature" bad-signature
	# RFC 7401 6.12.1: the acknowledgment may have been lost.
	SAID='answered\|silent' lie hip hip-duplicate "an UPDATE from before" \
		replay
	lie hip hip-rvs-hmac "an I1 as from the agent, with a key of its own" \
		i1-from 2001:db8:bad::1
	proxy_lies
	register_checks
}
