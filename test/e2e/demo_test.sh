#!/bin/bash
# SPDX-License-Identifier: MIT
# demo/run as its users meet it: it holds, it holds again, it holds after a
# run that was killed in the middle, and demo/down leaves nothing. Root.
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/demo/lib/names.sh"
. "$ROOT/test/check.sh"

OUT=$(mktemp)
trap 'rm -f "$OUT"' EXIT

letters()
{
	awk '$2 ~ /^[0-9]+\.[0-9]+$/ { print $1 }' "$OUT" | uniq | tr '\n' ' '
}

held()
{
	"$ROOT/demo/run" "${@:2}" >"$OUT" 2>&1
	local rc=$?

	if ((rc)); then
		fail "demo/run $1" "$(cat "$OUT")"
		return
	fi
	pass "demo/run $1"
	check "demo/run $1: prints A to K" \
		test "$(letters)" = "A B C D E F G H H.1 I I.1 J K "
}

nothing_left()
{
	ip netns | grep "^$NS_PREFIX-"
	ls -d "$DEMO_DIR" /etc/netns/"$NS_PREFIX"-* 2>/dev/null
}

# Killed with no chance to tidy up, when the daemons are coming up.
killed_run()
{
	"$ROOT/demo/run" >"$OUT" 2>&1 &
	local pid=$!

	wait_for 120 "the first daemon" test -e "$DEMO_DIR/pids/hipgated-fa" ||
		return 1
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	[[ -e /run/netns/$NS_PREFIX-fa ]]
}

"$ROOT/demo/down"
held "holds"
none "demo/run leaves nothing" nothing_left
check "demo/run, killed in the middle, leaves namespaces" killed_run
held "holds after that, with --keep" --keep
check "demo/run --keep: lh1 still gets the page" \
	at lh1 curl -fsS --max-time 20 -o /dev/null http://hip.foo.com/
check "demo/down ends" "$ROOT/demo/down"
none "demo/down leaves nothing" nothing_left
exit "$CHECK_FAILED"
