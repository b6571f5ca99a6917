# SPDX-License-Identifier: MIT
# More connections than a client may have flows at a time. Sourced by run.sh.
# shellcheck shell=bash

CROWD=10000
QUOTA=4096 # flows that have not ended, of one client

# flows_closed: how many of lh1's flows have ended and still rest.
flows_closed()
{
	ask px flows | jq --arg c "$LH1_6" '[.data[] |
		select(.client == $c and .state == "closed")] | length'
}

at_least()
{
	echo "$1, not $2"
	(($1 >= $2))
}

crowd_checks()
{
	local address line before after

	address=$(resolve lh1 6 hip.foo.com)
	before=$(drops px flow-quota)
	talks_begin
	(TALK_WAIT=1800 talk lh1 "$(socat_to TCP "$address")" lh1) &
	line=$!
	wait_for 20 "the line is open" test -s "$TALKS/lh1"
	check "$CROWD connections, one after the other, are all answered" \
		test "$(at lh1 "$ROOT/test/e2e/short.py" "$address" "$CROWD")" \
		= "$CROWD"
	after=$(drops px flow-quota)
	check "none of them was refused" test "$after" = "$before"
	# The first may have had its four minutes.
	check "more flows rest than may be open" \
		at_least "$(flows_closed)" "$QUOTA"
	: >"$TALKS/go"
	wait "$line"
	check "a line that was open before still is" test $? = 0
}
