# SPDX-License-Identifier: MIT
# DNS beside servers that are old, broken or hostile, and zones in which every
# name is a HIP host. Sourced by run.sh.
# shellcheck shell=bash

# ---- clients that say no more and listen ------------------------------------

# half_closes NODE SERVER PORT NAME...: each is answered, then it ends.
half_closes()
{
	local out

	out=$(at "$1" python3 "$ROOT/test/e2e/halfclose.py" "$2" "$3" 0 \
		"${@:4}")
	echo "$out"
	[[ $(wc -l <<<"$out") == $(($# - 2)) && $out == *$'\n'closed ]]
}

cut_short()
{
	local out

	out=$(at lh1 python3 "$ROOT/test/e2e/halfclose.py" "$@")
	echo "$out"
	[[ $out == *closed ]]
}

half_close_checks()
{
	local names=(fixed.foo.com plain.foo.com)

	check "interception: who says no more hears all answers" \
		half_closes lh1 "$DNS_6" 53 "${names[@]}"
	check "interception of IPv4: the same" \
		half_closes lh4 "$DNS_4" 53 "${names[@]}"
	check "the prefix's own address: the same" \
		half_closes lh1 "$WAYS_DNS6" 53 "${names[@]}"
	check "a listener: the same" \
		half_closes lh1 "$LAN_6" "$WAYS_PORT" "${names[@]}"
	check "who ends in the middle of a question is closed" \
		cut_short "$DNS_6" 53 3 "${names[@]}"
	check "and counted" counted px dns-cut
}

# ---- a zone in which every name is a HIP host ---------------------------------

# The same host has them all: *.wild.foo.com; those of *.p.foo.com are plain.
with_wild()
{
	cat
	record fix wild.foo.com. | sed 's/^wild/*.wild/'
	addresses '*.wild' "$FIX_6"
	addresses '*.p' "$WEB_6" "$WEB_4"
	printf 'big\tIN TXT'
	printf ' "%0100d"' {1..30}
	printf '\n'
}

# asks_many SERVER ZONE NUMBER: lh1 asks for so many names of it, each once.
asks_many()
{
	local i out

	for ((i = 0; i < $3; i++)); do
		echo "r$i-$RANDOM.$2 AAAA"
	done >"$DEMO_DIR/names"
	out=$(at lh1 dnsperf -s "$1" -d "$DEMO_DIR/names" -n 1 -q 50 -t 10)
	echo "$out"
	grep -Eq "Queries completed: +$3 " <<<"$out"
}

memory_of()
{
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$(pid_of "hipgated-$1")/status"
}

# 8 MiB of answers are kept at most, and what the sanitizers add to them.
memory_is_bounded()
{
	local now

	now=$(memory_of px)
	echo "KiB before: $1, now: $now"
	((now - $1 < 48 * 1024))
}

mappings_num()
{
	ask px mappings | jq '.data | length'
}

# One that goes on asking while others do what they do.
goes_on()
{
	local i

	for ((i = 0; i < 20; i++)); do
		at lh2 dig "@$DNS_6" +time=5 +tries=1 +short fixed.foo.com A &&
			at lh2 dig "@$DNS_6" +time=5 +tries=1 +short \
				plain.foo.com A
	done | sort | uniq -c
}

others_went_on()
{
	cat "$DEMO_DIR/goes-on"
	[[ $(awk '$1 == 20' "$DEMO_DIR/goes-on" | wc -l) == 2 ]]
}

wild_checks()
{
	local before maps sub other

	sub=$(at lh1 dig "@$DNS_6" +short fixed.foo.com AAAA)
	check "a name of a zone that is all one HIP host's: its substitute" \
		test "$(at lh1 dig "@$DNS_6" +short one.wild.foo.com AAAA)" = \
		"$sub"
	maps=$(mappings_num)
	before=$(memory_of px)
	goes_on >"$DEMO_DIR/goes-on" &
	other=$!
	check "so are those of 5000 others" \
		asks_many "$DNS_6" wild.foo.com 5000
	wait "$other"
	check "another client was served as ever" others_went_on
	check "they are one mapping" test "$(mappings_num)" = "$maps"
	check "names that are remembered are bounded" counted px dns-pins-full
	check "and so is memory" memory_is_bounded "$before"
}

# ---- answers that are long, and who validates -----------------------------------

# A substitute, without what would say that it is proven.
substitute_unproven()
{
	local out

	out=$(dig_px +dnssec fixed.foo.com AAAA)
	echo "$out"
	grep -qE "$SUB6" <<<"$out" && ! grep -qE 'RRSIG|flags:.* ad' <<<"$out"
}

answer_checks()
{
	check "an answer too long for the client is cut short" \
		shows 'flags:.* tc' +ignore +bufsize=512 big.foo.com TXT
	check "so is one that a packet cannot carry" \
		shows 'flags:.* tc' +ignore +bufsize=4096 big.foo.com TXT
	check "and it comes over TCP" shows 'SERVER: .*TCP' big.foo.com TXT
	none "as the server has it" same_answer big.foo.com TXT
	check "a substitute is never said to be proven" substitute_unproven
	check "who validates has the server's answer" shows \
		"AAAA[[:space:]]$FIX_6" +dnssec +cdflag "v$RANDOM.wild.foo.com" \
		AAAA
	check "but where HIP is required it is refused, and dig says why" \
		shows 'EDE: 15 .*client validates' +dnssec +cdflag \
		fixed.foo.com AAAA
	check "an IPv4 substitute's PTR is its name" \
		shows 'PTR[[:space:]]fixed.foo.com' \
		-x "$(resolve lh4 4 fixed.foo.com)"
	check "an address of the pool that is nobody's has none" \
		shows 'status: NXDOMAIN' -x 2001:db8:401::4711
}

# ---- a second proxy with the same site key ----------------------------------------

TWIN_STATE=$DEMO_DIR/px-twin

# Another identity, and of the first one's state nothing but its key.
as_twin()
{
	rm -rf "$TWIN_STATE"
	identity twin p256
	install -d -m 700 -o "$DEMO_USER" "$TWIN_STATE"
	install -m 600 -o "$DEMO_USER" "$DEMO_DIR/px/state/site.key" \
		"$TWIN_STATE/site.key"
	sed -i "s|^state = .*|state = $TWIN_STATE|
		s|^identity = .*|identity = $DEMO_DIR/twin/key.pem|" "$1"
}

twin_checks()
{
	local before

	before=$(substitutes)
	px_as as_twin || fail "a second proxy"
	none "a second proxy with the same site key has the same substitutes" \
		diff <(grep ' 6 ' <<<"$before") <(substitutes | grep ' 6 ')
	check "and one from the first leads through it" old_address lh1 6 \
		"$(awk '$1 == "hip" && $2 == 6 { print $3 }' <<<"$before")"
}

# ---- servers that are old or broken ---------------------------------------------

box_is()
{
	echo "$1" >"$DEMO_DIR/box.mode.new"
	mv "$DEMO_DIR/box.mode.new" "$DEMO_DIR/box.mode"
}

box_starts()
{
	box_is open
	spawn web middlebox python3 "$ROOT/test/e2e/middlebox.py" "$WEB_6" \
		"$DNS_6" "$DEMO_DIR/box.mode"
	wait_for 10 "the box" answers dns "$FIX_6" "@$WEB_6" fixed.foo.com AAAA
}

with_box()
{
	sed -i "s|^dns-server = .*|dns-server = $WEB_6|" "$1"
}

# plain_in MODE [DIG_ARGUMENT...]: a new plain name for a client that waits
# for a second; HIP's answer is given one and a half.
plain_in()
{
	box_is "$1"
	answers lh1 "$WEB_6" "@$WAYS_DNS6" +time=1 "${@:2}" \
		"$1-$RANDOM.p.foo.com" AAAA
}

# One of several such clients, on a machine that may be busy with others.
plain_at_once()
{
	wait_for 20 "a plain name at once" plain_in "$1"
}

# A HIP host's new name, and nothing of it clear.
host_in()
{
	box_is "$1"
	answers lh1 "$SUB6" "@$WAYS_DNS6" "${@:2}" "$1-$RANDOM.wild.foo.com" \
		AAAA
}

never_clear()
{
	local out

	out=$(at lh1 dig "@$WAYS_DNS6" +time=5 +tries=1 "$@")
	echo "$out"
	grep -q 'status: SERVFAIL' <<<"$out" &&
		! grep -qE "[[:space:]](AAAA|A)[[:space:]]+[0-9]" <<<"$out"
}

box_checks()
{
	local mode

	for mode in formerr servfail notimp refused; do
		check "a server that says $mode to HIP: plain names at once" \
			plain_at_once "$mode"
		check "and a HIP host that is known does not go clear" \
			never_clear fixed.foo.com AAAA
	done
	check "one that cuts its answers and has no TCP: a plain name" \
		plain_in cut +time=5
	check "one that does not keep case: a plain name" \
		plain_in lower +time=5 +noedns
	check "and a HIP host has its substitute" \
		answers lh1 "$SUB6" "@$WAYS_DNS6" "LoWeR.WiLd.foo.com" AAAA
	check "one that says formerr to EDNS: a plain name" \
		plain_in oldedns +time=5 +noedns
	check "and a HIP host has its substitute" host_in oldedns +noedns
	px_begins noedns
	check "one that drops EDNS: a plain name" \
		plain_in noedns +time=5 +noedns
	check "and a HIP host has its substitute" host_in noedns +noedns
}

# With that box from the start.
px_begins()
{
	box_is "$1"
	daemon_stop px && daemon_start px
}

# How often the log has told so.
deaf_told()
{
	grep -c event=dns-deaf "$DEMO_DIR/logs/hipgated-px.log" || true
}

# Once more than so often; it is tried thrice, every 5 s, while it is used.
found_deaf()
{
	plain_in deaf +time=5 && (($(deaf_told) > $1))
}

deaf_elsewhere()
{
	answers lh1 "$WEB_6" "@$DNS_6" +time=1 "deaf-$RANDOM.p.foo.com" AAAA
}

deaf_checks()
{
	local before

	px_begins open
	before=$(deaf_told)
	check "a server becomes deaf to HIP: the first plain name comes" \
		plain_in deaf +time=5
	check "and that is found out" wait_for 30 "it" found_deaf "$before"
	check "then plain names come at once" plain_at_once deaf
	check "for who asks another server, too" wait_for 20 "one" \
		deaf_elsewhere
	check "it is counted" counted px dns-deaf
	check "and a HIP host that is known does not go clear" \
		never_clear fixed.foo.com AAAA
	before=$(deaf_told)
	px_begins deaf
	check "one that is deaf from the start is found out" \
		wait_for 30 "it" found_deaf "$before"
	check "then plain names come at once" plain_at_once deaf
	check "and the log says what to mend" px_says \
		'level=warn.*event=dns-deaf.*dns-server'
	box_is open
}

# ---- hostile ones ---------------------------------------------------------------

# A HIP record that is none: SERVFAIL with a reason, and counted.
evil_is_refused()
{
	answers lh1 'EDE: 0 .*cannot be used' "@$WAYS_DNS6" \
		"$1.evil.example" A && never_clear "$1.evil.example" A
}

swarm_checks()
{
	local before

	before=$(memory_of px)
	check "1200 hosts of one domain are asked for" \
		asks_many "$WAYS_DNS6" swarm.example 1200
	check "there are as many mappings as a domain may have" \
		test "$(mappings_num)" -le 1040
	check "the others are counted" counted px dns-quota
	check "and dig says why" answers lh1 'SERVFAIL|EDE: ' "@$WAYS_DNS6" \
		"more-$RANDOM.swarm.example" AAAA
	check "memory is bounded" memory_is_bounded "$before"
	check "another domain's host has its substitute" \
		answers lh2 "$SUB6" "@$WAYS_DNS6" hip.foo.com AAAA
}

hostile_checks()
{
	local kind

	px_begins open
	for kind in big liar short long empty; do
		check "a HIP record that is $kind: SERVFAIL, and dig says why" \
			evil_is_refused "$kind"
	done
	check "they are counted" counted px dns-bad-hip
	for kind in loop chain; do
		check "a $kind of names leads nowhere" answers lh1 \
			'status: (SERVFAIL|NOERROR)' "@$WAYS_DNS6" \
			"$kind.evil.example" A
	done
	check "that is counted" counted px dns-malformed
	for kind in loopback group pool; do
		check "a HIP host whose address is $kind: SERVFAIL" \
			answers lh1 'EDE: 0 .*without a usable address' \
			"@$WAYS_DNS6" "$kind.evil.example" A
	done
	check "they are counted" counted px dns-locator
	check "an answer whose name points at itself leads nowhere" answers \
		lh1 'status: (SERVFAIL|NOERROR)' "@$WAYS_DNS6" \
		spin.evil.example A
	check "of 200 HIP records one is used" answers lh1 "$SUB6" \
		"@$WAYS_DNS6" many.evil.example AAAA
	check "a plain name comes as ever" plain_in open +time=5
	swarm_checks
}

dnsdoor_checks()
{
	zone_as with_wild || fail "BIND serves a wildcard zone"
	px_as with_listen || fail "the proxy listens at port $WAYS_PORT"
	half_close_checks
	wild_checks
	answer_checks
	twin_checks
	box_starts || fail "a box between the proxy and BIND"
	px_as with_box || fail "the proxy with that box"
	box_checks
	deaf_checks
	hostile_checks
	end middlebox
	px_as_before || fail "the proxy as it was"
	zone_as cat || fail "BIND serves its zone again"
}
