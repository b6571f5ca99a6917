# SPDX-License-Identifier: MIT
# Base exchanges a second and what the library allows. Sourced by test/bench.
# shellcheck shell=bash

# Puzzle difficulties: none, and one that costs 256 hashes on the average.
PUZZLES=(0 8)
EXCHANGE_SECONDS=0.5

declare -A OPENSSL_OF=([dh4]=ffdh3072 [dh7]=ecdhp256 [dh8]=ecdhp384
	[dh9]=ecdhp521 [dh11]=ffdh2048 [p256]=ecdsap256 [p384]=ecdsap384
	[rsa2048]=rsa2048 [rsa3072]=rsa3072 [rsa4096]=rsa4096)

# openssl_ops ROUND NAME...: what `openssl speed` knows of these, one by one,
# so that two rounds are not far apart in time.
openssl_ops()
{
	local round=$1 name

	for name in "${@:2}"; do
		[[ -n ${OPENSSL_OF[$name]-} ]] || continue
		openssl speed -mr -seconds 1 "${OPENSSL_OF[$name]}" \
			2>/dev/null |
			awk -F: -v round="$round" -v name="$name" '
			function op(what, rate) {
				printf "{\"round\":%d,\"op\":\"%s.%s\",", \
					round, name, what
				printf "\"ns\":%.0f}\n", 1e9 / rate
			}
			/^\+F[24]:/ { op("sign", $4); op("verify", $5) }
			/^\+F[58]:/ { op("derive", $4) }' >>"$FOUND"
	done
}

# openssl_hash ROUND DIGEST OCTETS: one try at a puzzle.
openssl_hash()
{
	openssl speed -mr -seconds 1 -bytes "$3" -evp "$2" 2>/dev/null |
		awk -F: -v round="$1" -v name="$2" -v octets="$3" '/^\+F:/ {
			printf "{\"round\":%d,\"op\":\"%s.hash\",", round, name
			printf "\"ns\":%.0f}\n", octets / $4 * 1e9
		}' >>"$FOUND"
}

# What `openssl speed` cannot time, with the same library.
library_ops()
{
	local round=$1 dh=$2 ns

	ns=$("$SPEED/speed_bex" keygen "$dh" 0.5) &&
		note "{\"round\":$round,\"op\":\"dh$dh.keygen\",\"ns\":$ns}"
	[[ -z ${OPENSSL_OF[dh$dh]-} ]] || return 0
	ns=$("$SPEED/speed_bex" derive "$dh" 0.5) &&
		note "{\"round\":$round,\"op\":\"dh$dh.derive\",\"ns\":$ns}"
}

# exchanges ROUND NUMBER NAME DH: the same pair of identity and group.
exchanges()
{
	local k n initiator responder rest

	for k in "${PUZZLES[@]}"; do
		read -r n initiator responder rest < <("$SPEED/speed_bex" \
			run "$2" "$4" "$k" "$EXCHANGE_SECONDS") || return
		note "{\"round\":$1,\"id\":\"$3\",\"dh\":$4,\"k\":$k," \
			"\"exchanges\":$n,\"initiator_ns\":$initiator," \
			"\"responder_ns\":$responder}"
	done
}

rates_all()
{
	local ids=() names=() dhs=() round i dh kind number name

	while read -r kind number name; do
		case $kind in
		id)
			ids+=("$number")
			names+=("$name")
			;;
		dh) dhs+=("$number") ;;
		esac
	done < <("$SPEED/speed_bex" list)
	for ((round = 1; round <= ROUNDS; round++)); do
		openssl_hash "$round" sha384 128
		openssl_hash "$round" sha256 96
		openssl_ops "$round" "${names[@]}" "${dhs[@]/#/dh}"
		for dh in "${dhs[@]}"; do
			library_ops "$round" "$dh"
			for i in "${!ids[@]}"; do
				exchanges "$round" "${ids[i]}" "${names[i]}" \
					"$dh"
			done
		done
	done
}

# The engine alone: from a new source each time, from few, and slowly enough
# for every I1 to be answered.
flood_engine()
{
	local round kind sources rate seconds out

	for ((round = 1; round <= ROUNDS; round++)); do
		while read -r kind sources rate seconds; do
			read -ra out < <("$SPEED/speed_i1" "$sources" "$rate" \
				"$seconds") || return
			note "{\"flood\":\"$kind\",\"i1\":${out[0]}," \
				"\"r1\":${out[1]},\"ns\":${out[2]}," \
				"\"rate\":$rate,\"seconds\":$seconds," \
				"\"before\":${out[3]},\"after\":${out[4]}}"
		done <<-END
			many 0 100000 10
			few 4 100000 10
			answered 500 500 1000
		END
	done
}
