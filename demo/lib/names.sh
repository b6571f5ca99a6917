# SPDX-License-Identifier: MIT
# Names, addresses and places of the Figure 6 topology; sourced, sets only
# variables and small functions. ROOT (the source tree) is set by the caller.
# shellcheck shell=bash disable=SC2034

# Namespaces are PREFIX-lh1 and so on; another prefix and another directory
# let two demos stand side by side.
NS_PREFIX=${HIPGATE_DEMO_PREFIX:-hg}
DEMO_DIR=${HIPGATE_DEMO_DIR:-/var/lib/hipgate-demo}
BUILD=${HIPGATE_BUILD:-$ROOT/build}
DEMO_USER=${HIPGATE_DEMO_USER:-hipgate}
NODES=(net dns px lh1 lh2 lh4 fa hip hip4 fix web)
DAEMONS=(fa hip hip4 fix px)

# The patent's addresses, in documentation prefixes.
LH1_6=2001:db8:400::50		LH1_4=192.0.2.50
LH2_6=2001:db8:400::51		LH2_4=192.0.2.51
LH4_4=192.0.2.52		# IPv4-only legacy host
LAN_6=2001:db8:400::1		LAN_4=192.0.2.1
LAN_NET6=2001:db8:400::/64	LAN_NET4=192.0.2.0/26
PX_6=2001:db8:300::1		PX_4=203.0.113.1
FA_6=2001:db8:200::1		FA_4=198.51.100.1
HIP_6=2001:db8:500::14		HIP_4=198.51.100.5
HIP4_4=198.51.100.9		# HIP host whose network is IPv4 only
FIX_6=2001:db8:600::1		FIX_4=198.51.100.13
WEB_6=2001:db8:700::80		WEB_4=198.51.100.17
DNS_6=2001:db8:100::53		DNS_4=198.51.100.53
SILENT_6=2001:db8:800::1	# a black hole on the way: nobody answers
POOL6=2001:db8:401::/64		POOL4=198.18.0.0/24
POOL6_START=2001:db8:401:	POOL4_START=198.18.0.

ns()
{
	printf '%s-%s' "$NS_PREFIX" "$1"
}

# at NODE COMMAND...: runs it there, with that node's resolv.conf.
at()
{
	ip netns exec "$(ns "$1")" "${@:2}"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; polls every
# 20 ms, and says what it waited for in vain.
wait_for()
{
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000)) what=$2

	shift 2
	until "$@" >/dev/null 2>&1; do
		if ((${EPOCHREALTIME/[.,]/} > end)); then
			printf 'waited in vain for: %s\n' "$what" >&2
			return 1
		fi
		sleep 0.02
	done
}
