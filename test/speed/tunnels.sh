# SPDX-License-Identifier: MIT
# Contenders: tunnels in user space that others have made. Sourced by
# test/bench after contenders.sh, which says what up_NAME does.
# shellcheck shell=bash disable=SC2153
#
# All run as root, with what their authors set where nothing is said here.
# Their MTU is what fits into 1500 octets with IPv6 outside, their cipher
# AES-128-GCM if they have it; each says in a remark what it is.

outer()
{
	if [[ $1 == px ]]; then echo "$PX_6"; else echo "$FIX_6"; fi
}

other()
{
	if [[ $1 == px ]]; then echo fix; else echo px; fi
}

# far CONTENDER NODE: what that node reaches through the tunnel.
far()
{
	if [[ $2 == px ]]; then host "$1" fix; else host "$1" lh1; fi
}

# ---- wireguard-go ------------------------------------------------------------

# A device's control socket has its name and is seen in all namespaces.
wireguard_set()
{
	local node=$1 dir=$DEMO_DIR/wireguard there

	there=$(other "$node")
	wg set "$NS_PREFIX-wg-$node" listen-port 7103 \
		private-key "$dir/$node" peer "$(wg pubkey <"$dir/$there")" \
		allowed-ips "$(far wireguard-go "$node")" \
		endpoint "[$(outer "$there")]:7103"
}

up_wireguard_go()
{
	local program node dir=$DEMO_DIR/wireguard

	needs wg && program=$(newer wireguard-go wireguard-go) || return
	remark wireguard-go "$(version_of wireguard-go "$program");$(
		) ChaCha20-Poly1305, MTU 1420"
	install -d -m 700 "$dir"
	for node in px fix; do
		wg genkey >"$dir/$node"
		spawn "$node" "wireguard-go-$node" env LOG_LEVEL=error \
			"$program" -f "$NS_PREFIX-wg-$node"
		device "$node" "$NS_PREFIX-wg-$node" 1420 || return
	done
	for node in px fix; do
		wait_for 10 "wireguard-go's control socket on $node" \
			wireguard_set "$node" || return
	done
	carry wireguard-go "$NS_PREFIX-wg-px" "$NS_PREFIX-wg-fix"
}
