# SPDX-License-Identifier: MIT
# Somebody on the way answers in the name of the DNS server, as fast as it can
# (test/e2e/forger.py). Sourced by run.sh.
# shellcheck shell=bash

FORGED=2001:db8:bad::53

forger_up()
{
	rm -f "$DEMO_DIR/forged"
	spawn net forger python3 "$ROOT/test/e2e/forger.py" px "$DNS_6" \
		"$PX_6" fresh.foo.com "$FORGED" "$DEMO_DIR/forged"
	wait_for 10 "its first report" test -s "$DEMO_DIR/forged"
}

# has_sent COLUMN NUMBER: blindly (1), at a port that it knew (2).
has_sent()
{
	(($(cut -d ' ' -f "$1" "$DEMO_DIR/forged") >= $2))
}

# Asked anew each time (TTL 0): true, whatever else comes.
always_true()
{
	local i said

	for ((i = 0; i < 100; i++)); do
		said=$(at lh1 dig +short +time=5 +tries=2 "@$DNS_6" \
			fresh.foo.com AAAA)
		[[ $said == "$WEB_6" ]] || {
			echo "question $i: $said"
			return 1
		}
	done
}

# The server is silent for as long as it takes: everything but the ID fits.
true_at_last()
{
	local before pid said

	pid=$(pid_of named)
	before=$(drops px dns-mismatch)
	kill -s STOP "$pid"
	spawn lh1 asker sh -c "exec dig +short +time=20 +tries=1 @$DNS_6 \
		fresh.foo.com AAAA >'$DEMO_DIR/asked'"
	wait_for 10 "forged answers at the right port" \
		more_drops px dns-mismatch "$before"
	said=$?
	kill -s CONT "$pid"
	((said == 0)) && wait_for 20 "the answer" gone "$(pid_of asker)" &&
		[[ $(cat "$DEMO_DIR/asked") == "$WEB_6" ]]
}

forgery_checks()
{
	local before

	before=$(memory_of px)
	check "somebody answers in the DNS server's name" forger_up
	check "100 questions meanwhile: true answers" always_true
	check "it has known ports, too" has_sent 2 300
	check "none but the ID to be guessed: counted, and true at last" \
		true_at_last
	check "HIP names are found meanwhile" gets_page lh1 6 hip.foo.com
	check "it has sent 100000 and more" wait_for 60 "it" has_sent 1 100000
	check "the daemon's memory is bounded" memory_is_bounded "$before"
	check "the forger ends" end forger
}
