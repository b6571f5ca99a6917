# SPDX-License-Identifier: MIT
# Substitutes that run out, and a journal that is damaged, gone, or has no
# room. Sourced by run.sh.
# shellcheck shell=bash

POOL_SMALL=198.18.0.0/28
POOL_KEEP=60	# seconds; the least there is
POOL_STATE=$DEMO_DIR/px-pool

# with_hosts NUMBER STATE FILE: so many made-up HIP hosts n1.pool.example ...,
# and used.pool.example, which there is; a state folder of its own.
with_hosts()
{
	local i

	install -d -m 700 -o "$DEMO_USER" "$2"
	sed -i "s|^state = .*|state = $2|" "$3"
	for ((i = 1; i <= $1; i++)); do
		printf '\n[record n%d.pool.example]\nhit = 2001:22::b:%x\naddress = %s\n' \
			"$i" "$i" "$SILENT_6"
	done >>"$3"
	printf '\n[record used.pool.example]\nhit = %s\naddress = %s\n' \
		"$(node_hit fix)" "$FIX_6" >>"$3"
}

with_small_pool()
{
	sed -i "s|^prefix = $POOL4\$|prefix = $POOL_SMALL|
		s|^\\[proxy\\]|&\\nsubstitutes = 16\\nkeep = $POOL_KEEP\\nttl = 1|" \
		"$1"
	with_hosts 18 "$POOL_STATE" "$1"
}

# pool_of HOST: its IPv6 substitute as lh1 gets it.
pool_of()
{
	at lh1 dig "@$DNS_6" +short +time=5 +tries=1 "$1.pool.example" AAAA
}

# Each address that was ever given, with whose it was.
pool_note()
{
	ask px mappings | jq -r '.data[] | .hit as $h | .sub6, .sub4 |
		select(. != "") | "\(.) \($h)"' >>"$DEMO_DIR/pool.seen"
}

pool_remapped()
{
	sort -u "$DEMO_DIR/pool.seen" | cut -d ' ' -f 1 | uniq -d
}

pool_fills()
{
	local i

	for i in n{1..8} used n{9..15}; do
		[[ $(pool_of "$i") == "$POOL6_START"* ]] || {
			echo "$i: $(pool_of "$i")"
			return 1
		}
	done
	pool_note
	ask px mappings | jq -e '(.data | length) == 16 and
		([.data[] | select(.sub4 != "")] | length) == 8'
}

room_for()
{
	[[ $(pool_of "$1") == "$POOL6_START"* ]]
}

pool_checks()
{
	local first nine used line

	: >"$DEMO_DIR/pool.seen"
	rm -rf "$POOL_STATE"
	px_as with_small_pool || fail "the proxy with sixteen substitutes"
	check "sixteen hosts have substitutes, eight of them IPv4 ones" \
		pool_fills
	check "A of one without an IPv4 substitute is empty, and dig says why" \
		shows 'EDE: 4 .*no such substitute' n9.pool.example A
	check "one too many: SERVFAIL" \
		shows 'status: SERVFAIL' n16.pool.example AAAA
	check "and dig says why" \
		shows 'EDE: 0 .*all substitute addresses are in use' \
		n16.pool.example AAAA
	check "it is counted" counted px dns-full
	first=$(at lh4 dig "@$DNS_4" +short n1.pool.example A)
	nine=$(pool_of n9)
	used=$(pool_of used)
	talks_begin
	(TALK_WAIT=180 talk lh1 "$(socat_to TCP "$used")" line) &
	line=$!
	wait_for 20 "a line to used.pool.example" test -s "$TALKS/line"
	check "when nobody has one in mind any more there is room" \
		wait_for $((POOL_KEEP + 30)) "room" room_for n16
	pool_note
	check "the trace shows who went" grep -q let-go <(ask px trace)
	check "a substitute that is gone is unreachable at once" \
		unreachable lh1 6 "$(pool_gone)"
	check "who is in use has the address as before" \
		test "$(pool_of used)" = "$used"
	check "an IPv4 substitute is as before" test \
		"$(at lh4 dig "@$DNS_4" +short n1.pool.example A)" = "$first"
	check "who went and is asked for again has its own" \
		test "$(pool_of n9)" = "$nine"
	pool_note
	none "no address has ever denoted two hosts" pool_remapped
	: >"$TALKS/go"
	wait "$line"
	check "a line that was open all the time still is" test $? = 0
}

# One that was given and denotes nobody now.
pool_gone()
{
	comm -23 <(cut -d ' ' -f 1 "$DEMO_DIR/pool.seen" | sort -u) \
		<(ask px mappings | jq -r '.data[] | .sub6, .sub4' | sort -u) |
		head -n 1
}

# ---- the journal -----------------------------------------------------------------

px_says()
{
	grep -qE -- "$1" "$DEMO_DIR/logs/hipgated-px.log"
}

# without STATE_CHANGE...: killed, its state changed so, and started again.
px_without()
{
	daemon_stop px KILL
	: >"$DEMO_DIR/logs/hipgated-px.log"
	"$@"
	daemon_start px
}

journal_spoiled()
{
	head -c 20000 /dev/urandom |
		dd of="$DEMO_DIR/px/state/leases.db" conv=notrunc status=none
	rm -f "$DEMO_DIR"/px/state/leases.db-*
}

journal_removed()
{
	rm -f "$DEMO_DIR"/px/state/leases.db*
}

# No IPv4 one is made while somebody may have another's in mind.
held_back()
{
	px_says 'event=ipv4-held' && [[ -z $(at lh4 dig "@$DNS_4" +short \
		hip4.foo.com A) ]] &&
		shows 'EDE: 4 .*no such substitute' hip4.foo.com A
}

journal_lost()
{
	local what=$1 before=$2

	none "$what: every IPv6 substitute is as it was" \
		diff <(grep ' 6 ' <<<"$before") <(substitutes | grep ' 6 ')
	check "$what: an old one connects" old_address lh1 6 \
		"$(awk '$1 == "hip" && $2 == 6 { print $3 }' <<<"$before")"
	check "$what: no IPv4 one is drawn yet" held_back
	px_without true
	check "$what: nor after one more start" held_back
}

journal_checks()
{
	local before dir=$DEMO_DIR/px/state

	px_as true || fail "the proxy as it was"
	before=$(substitutes)
	rm -rf "$dir.good"
	daemon_stop px && cp -a "$dir" "$dir.good"
	check "with a damaged journal the proxy starts" \
		px_without journal_spoiled
	check "it is set aside" test -s "$(echo "$dir"/leases.db.damaged-*)"
	check "and that is said" px_says 'level=error.*event=journal-damaged'
	journal_lost "a damaged journal" "$before"
	check "with none, but the site key, the proxy starts" \
		px_without journal_removed
	check "it is begun, and that is said" px_says 'event=journal-begun'
	journal_lost "a missing journal" "$before"
	daemon_stop px
	rm -rf "$dir" && mv "$dir.good" "$dir"
	check "with its journal the proxy starts" daemon_start px
	none "every substitute is as it was" diff <(echo "$before") \
		<(substitutes)
	px_as with_hosts 9 "$dir"
	journal_removed
	pool_of n1 >/dev/null
	check "taken away from a running daemon it is written again" \
		px_says 'event=journal-missing.*as it was'
	px_without true
	none "and whole" diff <(echo "$before") <(substitutes)
}

# ---- a full disk -----------------------------------------------------------------

tight_up()
{
	mkdir -p "$DEMO_DIR/tight"
	mount -t tmpfs -o size=512k tight "$DEMO_DIR/tight"
	px_as with_hosts 9 "$DEMO_DIR/tight/state"
}

tight_fill()
{
	cat /dev/zero >"$DEMO_DIR/tight/fill" 2>/dev/null
	[[ $(stat -f -c %f "$DEMO_DIR/tight") == 0 ]]
}

tight_checks()
{
	local one

	tight_up || fail "the proxy with a small disk"
	one=$(pool_of n1)
	check "on a small disk a host has its substitute" test -n "$one"
	check "the disk is full" tight_fill
	check "a host that is new: SERVFAIL, and dig says why" \
		shows 'EDE: 0 .*journal cannot be written' n2.pool.example AAAA
	check "one that is known has its substitute all the same" \
		test "$(pool_of n1)" = "$one"
	check "and the new one none, however often it is asked for" \
		shows 'status: SERVFAIL' n2.pool.example AAAA
	check "the log says it" px_says 'event=journal-write.*full'
	check "a plain name is as it was" \
		answers lh1 "$WEB_6" "@$DNS_6" plain.foo.com AAAA
	rm "$DEMO_DIR/tight/fill"
	check "with room again the new one has a substitute" room_for n2
	px_without true
	check "after a crash the old one has its own" \
		test "$(pool_of n1)" = "$one"
	daemon_stop px
	umount "$DEMO_DIR/tight"
}

dnspool_checks()
{
	pool_checks
	journal_checks
	tight_checks
	px_as_before || fail "the proxy as it was"
}
