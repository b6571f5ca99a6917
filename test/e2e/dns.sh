# SPDX-License-Identifier: MIT
# DNS as users meet it: explained substitutes, cookies, what is remembered,
# names pinned over a restart, names that no server knows. Sourced by run.sh.
# shellcheck shell=bash

# dig_px OPTION...: lh1 asks as its programs do, with all that dig shows.
dig_px()
{
	at lh1 dig "@$DNS_6" +time=5 +tries=1 "$@"
}

shows()
{
	local pattern=$1 out

	shift
	out=$(dig_px "$@")
	echo "$out"
	grep -qE -- "$pattern" <<<"$out"
}

asks()
{
	ask px trace | jq -s '[.[] | select(.event? == "dns-ask")] | length'
}

asks_nothing_again()
{
	local before

	dig_px fixed.foo.com AAAA >/dev/null
	before=$(asks)
	dig_px fixed.foo.com AAAA >/dev/null
	dig_px fixed.foo.com A >/dev/null
	echo "asked before: $before, now: $(asks)"
	((before > 0)) && [[ $(asks) == "$before" ]]
}

# Sixty times in a row, octet for octet: workers answer, and say the same.
answered_by_workers()
{
	local count=.data.io.dns_recalled before out
	local -a questions

	mapfile -t questions < <(yes $'fixed.foo.com\nAAAA' | head -n 120)
	before=$(ask px status | jq "$count")
	out=$(dig_px +nocookie +short "${questions[@]}" | sort | uniq -c)
	echo "before: $before, now: $(ask px status | jq "$count"); $out"
	[[ $(awk '{ print $1 }' <<<"$out") == 60 ]] &&
		(($(ask px status | jq "$count") > before))
}

# zone_as FILTER...: BIND serves foo.com through that filter; the proxy
# begins anew, as its cache would still know better.
zone_as()
{
	local dir=$DEMO_DIR/bind

	zone_foo | sed 's/ 1 3600 600/ '"$EPOCHSECONDS"' 3600 600/' | "$@" \
		>"$dir/foo.com.zone"
	kill -s HUP "$(pid_of named)"
	wait_for 10 "BIND's new zone" zone_is_served || return 1
	daemon_stop px && daemon_start px
}

zone_is_served()
{
	local serial

	serial=$(at web dig "@$DNS_6" +short foo.com SOA | awk '{ print $3 }')
	[[ -n $serial ]] &&
		grep -Eq "[[:space:]]$serial 3600 " \
			"$DEMO_DIR/bind/foo.com.zone"
}

without_fixed()
{
	grep -vE '^fixed.*[[:space:]]HIP[[:space:]]'
}

forget()
{
	hipgate forget "$1" --socket "$DEMO_DIR/px/ctl.sock"
}

stripped_checks()
{
	if ! zone_as without_fixed; then
		fail "BIND serves a zone that was stripped"
		return
	fi
	check "a HIP record that is gone: SERVFAIL, after a restart too" \
		shows 'status: SERVFAIL' fixed.foo.com AAAA
	check "and dig says why and what to do" \
		shows 'EDE: 15 .*hipgate forget' fixed.foo.com A
	check "it is counted by name" counted px dns-stripped
	check "hipgate pins lists it" is_pinned fixed.foo.com
	none "a stranger cannot make it forget" forget_as_stranger
	check "a name that is not pinned is said not to be" \
		says "$(forget plain.foo.com 2>&1)" "is not pinned"
	check "hipgate forget" forget fixed.foo.com
	check "then the clear address is relayed" \
		shows "$FIX_6" fixed.foo.com AAAA
	zone_as cat || fail "BIND serves the whole zone again"
	check "with its record it has its substitute again" \
		shows "AAAA[[:space:]]$POOL6_START" fixed.foo.com AAAA
}

is_pinned()
{
	ask px pins | jq -e --arg name "$1" 'any(.data[]; .name == $name and
		(.hit | startswith("2001:2")))' >/dev/null
}

forget_as_stranger()
{
	chmod 666 "$DEMO_DIR/px/ctl.sock"
	at px setpriv --reuid 65534 --clear-groups "$DEMO_DIR/bin/hipgate" \
		forget fixed.foo.com --socket "$DEMO_DIR/px/ctl.sock" 2>&1 |
		grep -vF "the daemon's own user and root"
	chmod 660 "$DEMO_DIR/px/ctl.sock"
}

# ---- DNSSEC -------------------------------------------------------------------

anchor_up()
{
	local dir=$DEMO_DIR/bind

	(cd "$dir" && dnssec-keygen -q -a ECDSAP256SHA256 -f KSK foo.com \
		>ksk && mv "$(cat ksk).key" anchor && cp anchor \
		"$(cat ksk).key") &&
		install -m 644 "$dir/anchor" "$DEMO_DIR/px/anchor"
}

# sign OPTION...: what comes in goes out signed.
sign()
{
	local dir=$DEMO_DIR/bind

	cat >"$dir/unsigned"
	(cd "$dir" && dnssec-signzone -q -P -S -z -o foo.com -f signed "$@" \
		-O full unsigned >/dev/null 2>sign.log && cat signed)
}

sign_expired()
{
	sign -s 20200101000000 -e 20200201000000
}

sign_without_fixed()
{
	without_fixed | sign
}

# with_dnssec require|prefer
with_dnssec()
{
	sed -i "s|^\\[proxy\\]|&\\ndnssec = $1\\ntrust-anchor = $DEMO_DIR/px/anchor|" \
		"$DEMO_DIR/px/hipgate.conf"
}

# What libunbound has rewritten: it keeps the states of keys (RFC 5011).
anchor_is_kept()
{
	cat "$DEMO_DIR/px/state/trust-anchor"
	grep -q 'state=2 .*VALID' "$DEMO_DIR/px/state/trust-anchor" &&
		cmp "$DEMO_DIR/px/anchor" \
			"$DEMO_DIR/px/state/trust-anchor.origin"
}

# A second key of the zone's, in it and signing it: the first half of a roll.
# The state of a key that is new is "pending" until its hold-down time is over.
key_is_followed()
{
	grep -q 'state=1 .*ADDPEND' "$DEMO_DIR/px/state/trust-anchor"
}

second_key()
{
	(cd "$DEMO_DIR/bind" && dnssec-keygen -q -a ECDSAP256SHA256 -f KSK \
		foo.com >/dev/null)
}

# What is proved, what is proved false, and what says nothing of the kind.
prefer_checks()
{
	cp "$DEMO_DIR/px/hipgate.conf.plain" "$DEMO_DIR/px/hipgate.conf"
	with_dnssec prefer
	zone_as sign || fail "BIND serves the signed zone, dnssec = prefer"
	check "prefer: a record that is proven: its substitute" \
		shows "AAAA[[:space:]]$POOL6_START" fixed.foo.com AAAA
	check "prefer: a plain name" shows "$WEB_6" plain.foo.com AAAA
	check "prefer: the anchor is kept in the state folder" \
		wait_for 10 "libunbound to write it" anchor_is_kept
	second_key && zone_as sign || fail "BIND serves a zone with two keys"
	check "prefer: with a second key, too" \
		shows "AAAA[[:space:]]$POOL6_START" fixed.foo.com AAAA
	check "prefer: a key that comes is followed" \
		wait_for 10 "libunbound to write it" key_is_followed
	zone_as sign_expired || fail "BIND serves old signatures again"
	check "prefer: a record that is not proven: SERVFAIL" \
		shows 'status: SERVFAIL' fixed.foo.com AAAA
	sed -i 's|/px/anchor|/px/anchor-other|' "$DEMO_DIR/px/hipgate.conf"
	other_anchor
	zone_as cat || fail "BIND serves an unsigned zone, dnssec = prefer"
	check "prefer: an unsigned zone's record: its substitute" \
		shows "AAAA[[:space:]]$POOL6_START" fixed.foo.com AAAA
	check "prefer: an unsigned zone's plain name" \
		shows "$WEB_6" plain.foo.com AAAA
}

# The key of another zone: of foo.com it says nothing.
other_anchor()
{
	sed 's/foo\.com/other.example/g' "$DEMO_DIR/px/anchor" \
		>"$DEMO_DIR/px/anchor-other"
}

# The validator's own questions go there, too: what was known is not.
proven_elsewhere()
{
	check "another dns-server, while HIP records are proven" \
		says "$(reload_with px ask_server "$DNS_4:53")" \
		"+ [proxy] dns-server = $DNS_4:53"
	check "a record that is proven by what it says: its substitute" \
		shows "AAAA[[:space:]]$POOL6_START" fixed.foo.com AAAA
	check "a name without one, proven: its own address, still" \
		shows "$WEB_6" plain.foo.com AAAA
	reload_back px >/dev/null
	check "and with the first one again" \
		shows "AAAA[[:space:]]$POOL6_START" fixed.foo.com AAAA
}

dnssec_checks()
{
	local conf=$DEMO_DIR/px/hipgate.conf

	cp "$conf" "$conf.plain"
	anchor_up && with_dnssec require || fail "a key for foo.com"
	zone_as sign || fail "BIND serves the signed zone"
	check "a record that is proven: its substitute" \
		shows "AAAA[[:space:]]$POOL6_START" fixed.foo.com AAAA
	check "a name without one, proven: its own address" \
		shows "$WEB_6" plain.foo.com AAAA
	proven_elsewhere
	zone_as sign_expired || fail "BIND serves a zone with old signatures"
	check "a record that is not proven: SERVFAIL" \
		shows 'status: SERVFAIL' fixed.foo.com AAAA
	check "and dig says why" \
		shows 'EDE: 6 .*not proven' fixed.foo.com AAAA
	check "it is counted as bogus" counted px dns-bogus
	zone_as sign_without_fixed || fail "BIND serves the zone without it"
	check "a proof that there is no record ends the pin" \
		shows "$FIX_6" fixed.foo.com AAAA
	prefer_checks
	cp "$conf.plain" "$conf"
	zone_as sign || fail "BIND serves the signed zone to validators"
	validating_checks
	mv "$conf.plain" "$conf"
	zone_as cat || fail "BIND serves the unsigned zone again"
}

static_names()
{
	printf '%s byhosts.example %s\n' "$(node_hit fix)" "$FIX_6" \
		>"$DEMO_DIR/px/hosts"
	sed -i "s|^\\[proxy\\]|&\\nhosts = $DEMO_DIR/px/hosts|" "$1"
	printf '\n[record static.example]\nhit = %s\naddress = %s\n' \
		"$(node_hit fix)" "$FIX_6" >>"$1"
}

bad_hosts()
{
	static_names "$1"
	printf 'nonsense\n' >>"$DEMO_DIR/px/hosts"
}

static_checks()
{
	check "a bad line of the hosts file is named" \
		says "$(reload_with px bad_hosts)" "px/hosts:2: \"nonsense\" is"
	reload_back px >/dev/null
	check "static records come with a reload" \
		says "$(reload_with px static_names)" \
		"+ [record static.example]" "+ [record byhosts.example]"
	check "no server knows them" shows_at_web NXDOMAIN static.example
	kill -s STOP "$(pid_of named)"
	check "with no server answering: the page of static.example" \
		gets_page lh1 6 static.example
	check "with no server answering: byhosts.example is a substitute" \
		test "$(resolve lh1 6 byhosts.example)" = \
		"$(resolve lh1 6 static.example)"
	kill -s CONT "$(pid_of named)"
	check "they go with a reload" says "$(reload_back px)" \
		"- [record static.example]"
	check "and are names like others" shows NXDOMAIN static.example AAAA
}

shows_at_web()
{
	answers web "$1" "@$DNS_6" "$2" AAAA
}

dns_checks()
{
	check "dig explains a substitute" \
		shows 'EDE: 4 \(Forged Answer\).*substitute' fixed.foo.com AAAA
	check "a client's cookie comes back" \
		shows 'COOKIE: .*\(good\)' fixed.foo.com AAAA
	check "HTTPS of a HIP host is empty, with an SOA" \
		shows 'ANSWER: 0, AUTHORITY: 1' fixed.foo.com HTTPS
	check "ANY of a HIP host is minimal" shows RFC8482 fixed.foo.com ANY
	check "the substitute's PTR is its name" \
		shows 'PTR[[:space:]]fixed.foo.com' \
		-x "$(resolve lh1 6 fixed.foo.com)"
	check "the case of the question is kept" \
		shows '^FiXed.foo.COM' FiXed.foo.COM AAAA
	check "what is known is not asked for again" asks_nothing_again
	check "what is asked again and again is answered by workers" \
		wait_for 20 "workers to answer" answered_by_workers
	stripped_checks
	static_checks
	dnssec_checks
}
