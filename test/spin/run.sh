#!/bin/bash
# SPDX-License-Identifier: MIT
# Verifies the models of this folder with SPIN, each configuration in full,
# and then each with one rule taken away: there SPIN must find an error.
# usage: run.sh [NAME]   (a name of the tables below: that one alone, with the
# trail of what was found)
set -u -o pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../check.sh"
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
ONLY=${1:-}

# What holds: name, model, how it is searched, switches, what it is.
# "ends": every state (C1-C5, C7, where runs end); "cycles": no run goes
# round in the calm without end (C6).
HOLDS='
bex|exchange|ends|-DKEYS=3 -DR1S=3 -DNO_PROBE|both begin; loss, replay; nothing to mend
bex-calm|exchange|cycles|-DKEYS=3 -DR1S=3|the same comes to an end
restart|exchange|ends|-DKEYS=3 -DR1S=2 -DGIVE_UP -DREBOOTS=1 -DORDERLY|restart, giving up
restart-r1|exchange|ends|-DKEYS=3 -DR1S=2 -DGIVE_UP -DREBOOTS=1|the same, old R1s replayed
restart-calm|exchange|cycles|-DKEYS=2 -DR1S=2 -DGIVE_UP -DREBOOTS=1|the same comes to an end
close|exchange|ends|-DKEYS=3 -DR1S=2 -DLEAVES=2 -DWISHES=3 -DORDERLY|CLOSE, both at once, new exchange
close-give-up|exchange|ends|-DKEYS=2 -DR1S=2 -DLEAVES=2 -DWISHES=3 -DGIVE_UP|the same, giving up, old R1s replayed
close-calm|exchange|cycles|-DKEYS=2 -DR1S=2 -DLEAVES=2 -DWISHES=3|the same comes to an end
rekey|rekey|ends|-DBEGINS=2|rekeys in turn and crossing, with DH and without
rekey-close|rekey|ends|-DBEGINS=2 -DCLOSES=1|the same, and CLOSE
rekey-other|rekey|ends|-DBEGINS=1 -DOTHERS=1 -DCLOSES=2|other UPDATEs between, CLOSE from both sides
'

# What must not hold: name, model, switches; the last one takes the rule away.
BITES='
no-freshness|exchange|-DKEYS=2 -DR1S=2 -DORDERLY -DNO_FRESHNESS
fresh-late|exchange|-DKEYS=2 -DR1S=2 -DORDERLY -DFRESH_LATE
fresh-equal|exchange|-DKEYS=2 -DR1S=2 -DGIVE_UP -DREBOOTS=1 -DORDERLY -DFRESH_EQUAL
fresh-up-only|exchange|-DKEYS=3 -DR1S=2 -DLEAVES=1 -DWISHES=3 -DORDERLY -DFRESH_UP_ONLY
no-hit-order|exchange|-DKEYS=2 -DR1S=2 -DNO_PROBE -DNO_HIT_ORDER
no-spent|exchange|-DKEYS=2 -DR1S=2 -DLEAVES=1 -DWISHES=3 -DNO_SPENT
no-serial|exchange|-DKEYS=2 -DR1S=2 -DGIVE_UP -DNO_SERIAL
no-close-key|exchange|-DKEYS=2 -DR1S=2 -DLEAVES=1 -DWISHES=3 -DORDERLY -DNO_CLOSE_KEY
no-probe|exchange|-DKEYS=2 -DR1S=2 -DGIVE_UP -DNO_PROBE
early-out|rekey|-DEARLY_OUT
late-in|rekey|-DLATE_IN
no-grace|rekey|-DNO_GRACE
own-index|rekey|-DOWN_INDEX
own-dh|rekey|-DOWN_DH
no-window|rekey|-DNO_WINDOW
no-ahead|rekey|-DNO_AHEAD
no-ack-kept|rekey|-DNO_ACK_KEPT
'

# verify MODEL HOW SWITCHES OPTIMISE: pan's report into $DIR/report.
verify()
{
	local flags="-DSAFETY" opts=""

	[[ $2 == cycles ]] && flags="-DNP" opts="-l"
	rm -f "$DIR"/*
	# shellcheck disable=SC2086
	(cd "$DIR" && cp "$HERE/$1.pml" . &&
		spin -a $3 "$1.pml" >spin.log 2>&1 &&
		gcc "$4" -w -DNOFAIR -DCOLLAPSE -DMEMLIM=800 $flags -o pan \
			pan.c >>spin.log 2>&1 &&
		timeout 600 ./pan -m100000 $opts) >"$DIR/report" 2>&1 ||
		cat "$DIR/spin.log" >>"$DIR/report"
}

# A search that stopped early, for whatever reason, has shown nothing.
complete()
{
	grep -q 'errors: 0$' "$DIR/report" &&
		! grep -qE 'not completed|max search depth|out of memory|aborting' \
			"$DIR/report"
}

trail()
{
	local model=$1

	# shellcheck disable=SC2086
	(cd "$DIR" && spin -t $2 "$model.pml" 2>/dev/null |
		grep -E '^ +([01] [A-Z]|[01]: |calm)|^spin: text')
}

hold()
{
	local name=$1 model=$2 how=$3 switches=$4 what=$5

	verify "$model" "$how" "$switches" -O1
	if complete; then
		pass "spin $name: $what ($(awk '/states, stored/ {
			print $1; exit }' "$DIR/report") states)"
	else
		fail "spin $name: $what" "$(grep -E \
			'pan:|error|Error|warning' "$DIR/report")" \
			"$(trail "$model" "$switches")"
	fi
}

bite()
{
	local name=$1 model=$2 switches=$3

	verify "$model" ends "$switches" -O0
	if grep -qE 'assertion violated|invalid end state' "$DIR/report"; then
		pass "spin $name: without the rule there is an error"
		[[ -z $ONLY ]] || trail "$model" "$switches"
	else
		fail "spin $name: no error without the rule" \
			"$(tail -n 30 "$DIR/report")"
	fi
}

while IFS='|' read -r name model how switches what; do
	[[ -z $name || (-n $ONLY && $name != "$ONLY") ]] ||
		hold "$name" "$model" "$how" "$switches" "$what"
done <<<"$HOLDS"
while IFS='|' read -r name model switches; do
	[[ -z $name || (-n $ONLY && $name != "$ONLY") ]] ||
		bite "$name" "$model" "$switches"
done <<<"$BITES"
exit "$CHECK_FAILED"
