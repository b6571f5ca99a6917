# SPDX-License-Identifier: MIT
# `hipgate reload` under load: what is applied, who is refused then, what a
# bad file changes. Sourced by run.sh.
# shellcheck shell=bash

# reload_with NODE COMMAND...: reloads after COMMAND has had hipgate.conf.
reload_with()
{
	local node=$1 conf=$DEMO_DIR/$1/hipgate.conf

	shift
	cp "$conf" "$conf.before"
	"$@" "$conf"
	at "$node" "$DEMO_DIR/bin/hipgate" reload \
		--socket "$DEMO_DIR/$node/ctl.sock" 2>&1
}

reload_back()
{
	local conf=$DEMO_DIR/$1/hipgate.conf

	mv "$conf.before" "$conf"
	at "$1" "$DEMO_DIR/bin/hipgate" reload \
		--socket "$DEMO_DIR/$1/ctl.sock" 2>&1
}

deny_stranger()
{
	sed -i 's/^\[host\]/&\ndeny = 2001:22::bad\ndeny = 203.0.113.0\/24/' "$1"
}

deny_proxy()
{
	sed -i "s/^\\[host\\]/&\\ndeny = $(node_hit px)/" "$1"
}

spoil()
{
	printf 'puzle = 3\n' >>"$1"
}

says()
{
	local out=$1 pattern

	shift
	printf '%s\n' "$out"
	for pattern in "$@"; do
		grep -qF -- "$pattern" <<<"$out" || {
			echo "does not say: $pattern"
			return 1
		}
	done
}

# spis NODE PEER: both SPIs of the pair with that peer.
spis()
{
	ask "$1" sas | jq -c --arg peer "$2" \
		'[.data[] | select(.peer == $peer) | .spi_in, .spi_out]'
}

as_stranger()
{
	local out

	chmod 666 "$DEMO_DIR/hip/ctl.sock"
	out=$(at hip setpriv --reuid 65534 --clear-groups \
		"$DEMO_DIR/bin/hipgate" reload \
		--socket "$DEMO_DIR/hip/ctl.sock" 2>&1)
	chmod 660 "$DEMO_DIR/hip/ctl.sock"
	says "$out" "only the daemon's own user and root"
}

reload_under_load()
{
	local before out load line

	same_file lh1 6 hip.foo.com >"$DEMO_DIR/reload-load" 2>&1 &
	load=$!
	wait_for 20 "the download" one_pair hip "$(node_hit px)"
	before=$(spis hip "$(node_hit px)")
	out=$(reload_with hip deny_stranger)
	check "reload tells what it has applied" says "$out" \
		"+ [host] deny = 2001:22::bad" "+ [host] deny = 203.0.113.0/24"
	out=$(reload_back hip)
	check "and takes it back" says "$out" "- [host] deny = 203.0.113.0/24"
	line=$(wc -l <"$DEMO_DIR/hip/hipgate.conf")
	out=$(reload_with hip spoil)
	check "a bad file is refused with file, line and the nearest key" \
		says "$out" "$DEMO_DIR/hip/hipgate.conf:$((line + 1)):" puzle
	out=$(reload_back hip)
	check "and has changed nothing" says "$out" "nothing has changed"
	check "the association and its SPIs are as before" \
		test "$before" = "$(spis hip "$(node_hit px)")"
	check "the download through all of it is bit-identical" wait "$load"
	check "another user may not reload" as_stranger
}

closed()
{
	[[ $(spis hip "$(node_hit px)") == "[]" ]]
}

reload_denies()
{
	local before

	gets_page lh1 6 hip.foo.com >/dev/null
	before=$(drops hip hip-denied)
	reload_with hip deny_proxy >/dev/null
	check "a peer that is denied now loses its association" \
		wait_for 10 "the CLOSE" closed
	check "and does not come in again" \
		refused_within 60 lh1 6 http://hip.foo.com/
	check "which is counted by name" \
		test "$(drops hip hip-denied)" -gt "$before"
	reload_back hip >/dev/null
	# The proxy holds back for a while after it has failed.
	check "let in again, it is served" \
		wait_for 60 "the page" gets_page lh1 6 hip.foo.com
}

reload_checks()
{
	reload_under_load
	reload_denies
}
