#!/bin/bash
# SPDX-License-Identifier: MIT
# End to end: the topology of Figure 6 with real clients, and every promise
# about it tried from outside. One line for each check; as root.
# HIPGATE_BUILD chooses the programs.
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/demo/lib/names.sh"
. "$ROOT/demo/lib/stage.sh"
. "$ROOT/demo/lib/steps.sh"
. "$ROOT/test/check.sh"
. "$ROOT/test/e2e/clients.sh"
. "$ROOT/test/e2e/figure6.sh"
. "$ROOT/test/e2e/traffic.sh"
. "$ROOT/test/e2e/rekey.sh"
. "$ROOT/test/e2e/large.sh"
. "$ROOT/test/e2e/names.sh"
. "$ROOT/test/e2e/dns.sh"
. "$ROOT/test/e2e/dnsways.sh"
. "$ROOT/test/e2e/dnspool.sh"
. "$ROOT/test/e2e/dnsdoor.sh"
. "$ROOT/test/e2e/resolvers.sh"
. "$ROOT/test/e2e/wire.sh"
. "$ROOT/test/e2e/trouble.sh"
. "$ROOT/test/e2e/garbage.sh"
. "$ROOT/test/e2e/forgery.sh"
. "$ROOT/test/e2e/reload.sh"
. "$ROOT/test/e2e/crowd.sh"
. "$ROOT/test/e2e/mtu.sh"
. "$ROOT/test/e2e/move.sh"
. "$ROOT/test/e2e/nat.sh"
. "$ROOT/test/e2e/natmove.sh"
. "$ROOT/test/e2e/outer.sh"
. "$ROOT/test/e2e/evil.sh"
. "$ROOT/test/e2e/offload.sh"
. "$ROOT/test/e2e/tools.sh"
. "$ROOT/test/e2e/seeing.sh"

at_exit()
{
	stage_down
	if ((CHECK_FAILED)); then
		echo "# logs, traces, captures: $DEMO_DIR"
	else
		stage_remove
	fi
}

main()
{
	trap at_exit EXIT
	if ! stage_up; then
		fail "the topology comes up"
		return
	fi
	pass "the topology comes up"
	captures_up
	figure6_checks
	same_port_checks
	traffic_checks
	fixed_checks
	names_checks
	resolvers_checks
	captures_down
	wire_checks
	seeing_checks
	big_checks
	crowd_checks
	stream_checks
	mtu_told_checks
	mtu_mute_checks
	move_checks
	cable_checks
	nat_checks
	natmove_checks
	outer_checks
	evil_checks
	reload_checks # before rekeys change SPIs by themselves
	rekey_checks
	large_checks
	privilege_checks
	refusal_checks
	dns_checks
	dnsways_checks
	dnspool_checks
	garbage_checks
	forgery_checks
	unknown_checks
	silent_checks
	explain_checks
	capture_checks
	errand_checks
	offload_checks
	restart_checks
	dnsdoor_checks # fills the pool
	log_checks
}

main
exit "$CHECK_FAILED"
