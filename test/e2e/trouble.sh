# SPDX-License-Identifier: MIT
# What must be refused, what must fail at once, what must survive a crash.
# Sourced by run.sh.
# shellcheck shell=bash

# ---- privileges ---------------------------------------------------------

powerless()
{
	local status uid

	status=/proc/$(pid_of "hipgated-$1")/status
	uid=$(id -u "$DEMO_USER")
	grep -E '^(Name|Uid|Gid|Groups|Cap)' "$status"
	grep -qx $'Name:\thipgated' "$status" &&
		grep -qx "Uid:"$'\t'"$uid"$'\t'"$uid"$'\t'"$uid"$'\t'"$uid" \
			"$status" &&
		grep -qE '^CapEff:.0+$' "$status" &&
		grep -qE '^CapPrm:.0+$' "$status"
}

privilege_checks()
{
	local node

	for node in "${DAEMONS[@]}"; do
		check "hipgated on $node is an ordinary user" powerless "$node"
	done
}

# ---- refusals -------------------------------------------------------------

# refuses CONFIG PATTERN...: hipgated does not start and says each pattern.
refuses()
{
	local out pattern

	out=$(at px timeout 20 sh -c "$WITH_TUN" sh \
		"${AS_USER[@]}" "$DEMO_DIR/bin/hipgated" --config "$1" 2>&1)
	case $? in
	0 | 124)
		echo "it started: $out"
		return 1
		;;
	esac
	printf '%s\n' "$out"
	shift
	for pattern in "$@"; do
		grep -qF -- "$pattern" <<<"$out" || {
			echo "does not say: $pattern"
			return 1
		}
	done
}

refusal_checks()
{
	local bad=$DEMO_DIR/bad.conf line

	sed 's/^clients = /client = /' "$DEMO_DIR/px/hipgate.conf" >"$bad"
	line=$(grep -n -m1 '^client = ' "$bad" | cut -d: -f1)
	check "a wrong key is refused with file, line and the nearest one" \
		refuses "$bad" "$bad:$line:" "clients"
	sed 's/^\[proxy\]/[proxi]/' "$DEMO_DIR/px/hipgate.conf" >"$bad"
	line=$(grep -n -m1 proxi "$bad" | cut -d: -f1)
	check "a wrong section is refused with file, line and the nearest one" \
		refuses "$bad" "$bad:$line:" "proxy"
	sed 's/^port = .*//; s/^workers = .*/workers = many/' \
		"$DEMO_DIR/px/hipgate.conf" >"$bad"
	line=$(grep -n -m1 many "$bad" | cut -d: -f1)
	check "a wrong value is refused with file and line" \
		refuses "$bad" "$bad:$line:"
	check "a second daemon is refused, not let into the port's group" \
		refuses "$DEMO_DIR/px/hipgate.conf" "UDP port 10500"
	install -m 644 -o "$DEMO_USER" "$DEMO_DIR/px/key.pem" \
		"$DEMO_DIR/px/open.pem"
	sed 's/key\.pem/open.pem/' "$DEMO_DIR/px/hipgate.conf" >"$bad"
	check "a private key that others can read is refused" \
		refuses "$bad" "$DEMO_DIR/px/open.pem"
}

# ---- ICMP instead of black holes --------------------------------------------

# unreachable NODE FAMILY ADDRESS: an answer that says so, within a second.
unreachable()
{
	local out

	out=$(at "$1" ping "-$2" -c 1 -W 5 "$3" 2>&1)
	echo "$out"
	grep -qi unreachable <<<"$out"
}

# refused_within SECONDS NODE FAMILY URL: curl learns that it cannot connect
# (7), it does not time out (28).
refused_within()
{
	local seconds=$1 rc

	shift
	fetch "$1" "$2" "$3" --max-time "$seconds"
	rc=$?
	((rc == 7)) || {
		echo "curl exits with $rc"
		return 1
	}
}

# An IPv4 substitute that is nobody's: where the others are is a matter of keys.
nobodys4()
{
	comm -23 <(printf "$POOL4_START%d\n" {100..250} | sort) \
		<(ask px mappings | jq -r '.data[].sub4' | sort) | head -n 1
}

unknown_checks()
{
	local before four

	four=$(nobodys4)
	before=$(drops px no-mapping)
	check "an unknown IPv6 substitute is unreachable at once" \
		unreachable lh1 6 "${POOL6_START}:dead"
	check "an unknown IPv4 substitute is unreachable at once" \
		unreachable lh4 4 "$four"
	check "curl to an unknown IPv6 substitute fails at once" \
		refused_within 3 lh1 6 "http://[${POOL6_START}:dead]/"
	check "curl to an unknown IPv4 substitute fails at once" \
		refused_within 3 lh4 4 "http://$four/"
	check "they are counted as no-mapping" \
		test "$(drops px no-mapping)" -ge $((before + 4))
}

silent_checks()
{
	check "a HIP host that does not answer: error after the retries" \
		refused_within 120 lh1 6 http://silent.foo.com/
	check "its waiting packet was counted, not lost silently" \
		test "$(drops px park-expired)" -gt 0
	check "and a ping says unreachable" \
		unreachable lh4 4 silent.foo.com
}

# ---- a crash of the proxy ------------------------------------------------------

# Every substitute, as the clients see it.
substitutes()
{
	local name

	for name in hip hip4 fixed silent; do
		echo "$name 6 $(resolve lh1 6 "$name.foo.com")"
		echo "$name 4 $(resolve lh4 4 "$name.foo.com")"
	done
}

# With an address from before, and no new question.
old_address()
{
	local url=$3

	[[ $2 == 6 ]] && url="[$3]"
	[[ $(fetch "$1" "$2" "http://$url/") == "$PAGE" ]]
}

restart_checks()
{
	local before six four

	before=$(substitutes)
	six=$(awk '$1 == "hip" && $2 == 6 { print $3 }' <<<"$before")
	four=$(awk '$1 == "hip4" && $2 == 4 { print $3 }' <<<"$before")
	check "eight substitutes are there" \
		test "$(awk 'NF == 3' <<<"$before" | wc -l)" = 8
	daemon_stop px KILL
	check "killed, the proxy starts again" daemon_start px
	check "an old IPv6 substitute still connects" \
		old_address lh1 6 "$six"
	check "an old IPv4 substitute still connects" \
		old_address lh4 4 "$four"
	none "every substitute is as it was" \
		diff <(echo "$before") <(substitutes)
}
