# SPDX-License-Identifier: MIT
# A control relay, and a rendezvous server, with many clients. Sourced by test/bench.
# shellcheck shell=bash

RELAY_CLIENTS=100000

relay_all()
{
	local round name value unit

	for ((round = 1; round <= ROUNDS; round++)); do
		while read -r name value unit; do
			note "{\"round\":$round,\"relay\":\"$name\"," \
				"\"value\":$value,\"unit\":\"$unit\"}"
		done < <("$SPEED/speed_relay" "$RELAY_CLIENTS"
			"$SPEED/speed_relay" "$RELAY_CLIENTS" rendezvous |
				sed 's/^/rvs-/')
	done
}
