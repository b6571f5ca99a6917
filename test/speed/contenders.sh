# SPDX-License-Identifier: MIT
# Who takes part in `test/bench path`. Sourced by test/bench.
# shellcheck shell=bash disable=SC2034
#
# Each has up_NAME: makes it carry what lh1 sends to ADDRESS_OF[NAME], or
# fails and says why in one line on stderr. Its daemons are spawned as
# DAEMON_OF[NAME]-px and -fix. All are killed with their namespaces.

CONTENDERS=(plain pump pump-aes hipgate wireguard-go fastd nebula
	strongswan)
declare -A DAEMON_OF=([pump]=pump [pump-aes]=pump-aes [hipgate]=hipgated
	[wireguard-go]=wireguard-go [fastd]=fastd [nebula]=nebula
	[strongswan]=charon)

pids_of()
{
	local node daemon=${DAEMON_OF[$1]-}

	[[ -n $daemon ]] || return 0
	for node in px fix; do
		pid_of "$daemon-$node"
	done
}

number_of()
{
	local i

	for i in "${!CONTENDERS[@]}"; do
		[[ ${CONTENDERS[i]} != "$1" ]] || echo "$((i + 1))"
	done
}

# What it carries where that is not what --inner says.
declare -A INNER_OF=([nebula]=4)

family()
{
	echo "${INNER_OF[$1]-$INNER}"
}

# inner CONTENDER lh1|fix [NUMBER]: that end's address of its own pair, or
# another one in the same network.
inner()
{
	local n end=1

	n=$(number_of "$1")
	[[ $2 == lh1 ]] || end=2
	if (($(family "$1") == 6)); then
		echo "fdbe:$n:$end::${3-1}"
	else
		echo "10.$n.$end.${3-1}"
	fi
}

# host CONTENDER lh1|fix: the address as a prefix; network: all of them.
host()
{
	echo "$(inner "$@")/$((($(family "$1") == 6) ? 128 : 32))"
}

network()
{
	echo "$(inner "$1" "$2" 0)/$((($(family "$1") == 6) ? 64 : 24))"
}

# carry CONTENDER DEVICE_ON_PX DEVICE_ON_FIX: addresses and routes, so that
# its pair goes over these devices. They are up. A daemon may have made
# routes of its own: these come instead.
carry()
{
	local a b f via=$LAN_6

	a=$(inner "$1" lh1)
	b=$(inner "$1" fix)
	f=$(family "$1")
	((f == 6)) || via=$LAN_4
	address lh1 eth0 "$(host "$1" lh1)"
	ip -n "$(ns lh1)" "-$f" route add "$b" via "$via" src "$a" || return
	ip -n "$(ns px)" "-$f" route replace "$a" dev lan0 || return
	ip -n "$(ns px)" "-$f" route replace "$b" dev "$2" || return
	address fix "$3" "$(host "$1" fix)"
	ip -n "$(ns fix)" "-$f" route replace "$a" dev "$3" src "$b" || return
	ADDRESS_OF[$1]=$b
}

has_device()
{
	ip -n "$(ns "$1")" link show dev "$2"
}

# device NODE NAME MTU: waits for the daemon's device and sets it up.
device()
{
	wait_for 10 "$2 on $1" has_device "$1" "$2" &&
		ip -n "$(ns "$1")" link set dev "$2" mtu "$3" up
}

# needs PROGRAM...: that are in some package.
needs()
{
	local p

	for p in "$@"; do
		command -v "$p" >/dev/null || {
			echo "$p is not installed" >&2
			return 1
		}
	done
}

# remark CONTENDER TEXT: what a reader of the figures must know.
remark()
{
	note "$(jq -cn --arg c "$1" --arg text "$2" \
		'{remark: $c, text: $text}')"
}

# ---- the kernel alone ------------------------------------------------------------

up_plain()
{
	carry plain up0 up0 &&
		ip -n "$(ns fix)" "-$INNER" route replace \
			"$(inner plain lh1)" via inet6 "$PX_6" dev up0 \
			src "$(inner plain fix)"
}

# ---- the pump ----------------------------------------------------------------------

# pump_up NAME PORT [aes]: small packets, with 12 octets before them, make one
# chunk.
pump_up()
{
	local node mine theirs

	for node in px fix; do
		mine=$PX_6 theirs=$FIX_6
		[[ $node == px ]] || mine=$FIX_6 theirs=$PX_6
		spawn "$node" "$1-$node" "$SPEED/pump" "$1" "$mine" \
			"$theirs" "${@:2}"
		device "$node" "$1" 1368 || return
	done
	carry "$1" "$1" "$1"
}

up_pump()
{
	pump_up pump 7101
}

up_pump_aes()
{
	pump_up pump-aes 7102 aes
}

# ---- hipgate -------------------------------------------------------------------------

hipgate_resolve()
{
	at lh1 getent "ahostsv$INNER" fixed.foo.com |
		awk 'NR == 1 { print $1 }' | grep .
}

# What --set says, into the [daemon] of that file.
settings()
{
	local s

	for s in "${SETTINGS[@]}"; do
		sed -i -e "/^${s%%=*} = /d" \
			-e "/^\[daemon\]/a ${s%%=*} = ${s#*=}" "$1"
	done
}

up_hipgate()
{
	local node

	identity px p256
	identity fix p256
	mkdir -p "$DEMO_DIR/bind"
	record fix fixed.foo.com. >"$DEMO_DIR/bind/hip-records"
	bind_up || return
	for node in fix px; do
		setup_node "$node"
		settings "$DEMO_DIR/$node/hipgate.conf"
		daemon_start "$node" || return
	done
	wait_for 10 "a substitute address" hipgate_resolve || return
	ADDRESS_OF["hipgate"]=$(hipgate_resolve)
}
