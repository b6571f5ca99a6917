# SPDX-License-Identifier: MIT
# A stand-in for the daemon: $DIR/daemon.py, which whoever sources this has
# written, and which makes $DIR/ready. $DIR goes, and it, when the test ends.
# shellcheck shell=bash

DIR=$(mktemp -d) || exit 1
DAEMON=

at_exit()
{
	[[ -z $DAEMON ]] || kill "$DAEMON" 2>/dev/null
	rm -rf "$DIR"
}
trap at_exit EXIT

daemon_there()
{
	setsid python3 "$DIR/daemon.py" "$DIR" >"$DIR/daemon.log" 2>&1 \
		</dev/null &
	DAEMON=$!
	for _ in {1..100}; do
		[[ ! -e $DIR/ready ]] || return 0
		sleep 0.1
	done
	cat "$DIR/daemon.log"
	return 1
}
