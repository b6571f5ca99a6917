# SPDX-License-Identifier: MIT
# What a legacy host does, as functions for the checks. Sourced by run.sh.
# shellcheck shell=bash

# resolve NODE 4|6 NAME: the address that NODE's programs get for NAME.
resolve()
{
	at "$1" getent "ahostsv$2" "$3" | awk 'NR == 1 { print $1 }'
}

# socat_to PROTO ADDRESS: "TCP6:[...]:10000" or "TCP4:...".
socat_to()
{
	if [[ $2 == *:* ]]; then
		printf '%s6:[%s]:%s' "$1" "$2" "$ECHO_PORT"
	else
		printf '%s4:%s:%s' "$1" "$2" "$ECHO_PORT"
	fi
}

# fetch NODE 4|6 URL [CURL OPTION...]
fetch()
{
	at "$1" curl -sS "-$2" --max-time 30 "${@:4}" "$3"
}

# The page of HIP host NAME, as it stands on that host.
gets_page()
{
	local got

	got=$(fetch "$1" "$2" "http://$3/") || return 1
	[[ $got == "$PAGE" ]] || {
		echo "got: $got"
		return 1
	}
}

pings()
{
	local out

	out=$(at "$1" ping "-$2" -c 3 -i 0.2 -W 5 "$3" 2>&1)
	echo "$out"
	grep -q ' 3 received' <<<"$out"
}

# Packets larger than any link carries, which arrive in fragments.
pings_large()
{
	local out

	at "$1" ping "-$2" -c 1 -W 1 -s 8000 "$3" >/dev/null 2>&1
	out=$(at "$1" ping "-$2" -c 3 -i 0.2 -W 5 -s 8000 "$3" 2>&1)
	echo "$out"
	grep -q ' 3 received' <<<"$out"
}

# With a traffic class of its own (wire.sh looks for it outside); the hop
# limit of the answers tells of the router between proxy and HIP host and of
# the proxy (RFC 7402 B.1.4).
pings_marked()
{
	local out

	out=$(at "$1" ping "-$2" -c 3 -i 0.2 -W 5 -Q 0xb8 "$3" 2>&1)
	echo "$out"
	[[ $(grep -c ' ttl=62 ' <<<"$out") == 3 ]]
}

# talk NODE SOCAT_ADDRESS NAME: says a line, keeps the answer in
# $TALKS/NAME, holds the line until $TALKS/go is there (TALK_WAIT seconds at
# most, 60 if unset), and once more.
talk()
{
	local to from line word

	coproc TALK { at "$1" socat -t 0.5 - "$2"; }
	to=${TALK[1]}
	from=${TALK[0]}
	for word in first second; do
		printf '%s of %s\n' "$word" "$3" >&"$to"
		read -rt 15 line <&"$from" || return 1
		printf '%s\n' "$line" >>"$TALKS/$3"
		wait_for "${TALK_WAIT-60}" "the go" test -e "$TALKS/go" || return 1
	done
}

talks_begin()
{
	TALKS=$DEMO_DIR/talks
	rm -rf "$TALKS"
	mkdir -p "$TALKS"
}

# echoes NODE SOCAT_ADDRESS: one line there and back.
echoes()
{
	talks_begin
	: >"$TALKS/go"
	(talk "$1" "$2" "$1") || return 1
	diff - "$TALKS/$1" <<<"first of $1"$'\n'"second of $1"
}

# echoes_large NODE SOCAT_ADDRESS: one datagram of 6000 octets there and back.
echoes_large()
{
	head -c 6000 /dev/urandom >"$DEMO_DIR/large"
	at "$1" socat -t 2 -b 65000 - "$2" <"$DEMO_DIR/large" |
		cmp - "$DEMO_DIR/large"
}

# drops NODE REASON: the counter.
drops()
{
	ask "$1" status | jq --arg r "$2" '.data.drops[$r] // 0'
}
