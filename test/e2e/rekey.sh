# SPDX-License-Identifier: MIT
# Rekeying under a running download: by packets, with a new Diffie-Hellman,
# from both ends, and nothing lost or out of order. Sourced by run.sh.
# shellcheck shell=bash

# often NODE: a rekey every second or so while something passes.
often()
{
	sed -i 's/^log = info$/&\nrekey-packets = 1000/' \
		"$DEMO_DIR/$1/hipgate.conf"
	daemon_stop "$1" && daemon_start "$1"
}

# tcp NODE COUNTER: of the kernel there, since the namespace was made.
tcp()
{
	at "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

rekeys()
{
	trace "$1" | jq '[.[] | select(.event == "sa-switch")] | length'
}

# What a rekey could cost: an SA the other end does not have, a moment with
# none, a packet that came too late, a segment out of order (whatever comes
# behind one that was lost is, too).
rekey_costs()
{
	local node reason

	for node in px hip4; do
		for reason in esp-spi esp-replay esp-auth no-sa; do
			echo "$node $reason $(drops "$node" "$reason")"
		done
	done
	echo "lh4 out of order $(tcp lh4 TcpExtTCPOFOQueue)"
}

# same_rekeys PX HIP4: since there were so many, at least five, and no more at
# one end than at the other. Each end switches by itself: the last one may come
# a moment later, and an association of before may have had one more.
same_rekeys()
{
	local px hip4

	px=$(($(rekeys px) - $1))
	hip4=$(($(rekeys hip4) - $2))
	echo "px $px, hip4 $hip4"
	((px >= 5 && px == hip4))
}

slow_file()
{
	local got

	got=$(fetch lh4 4 "http://$1/big" --max-time 240 --limit-rate 8M |
		sha256sum)
	[[ $got == "$(cat "$DEMO_DIR/big.sha256")" ]]
}

# On one CPU, since the kernel itself puts packets out of order (offload.sh).
rekey_checks()
{
	local before px hip4 all way=(lh4 px net hip4)

	all=$(cpus)

	check "rekeying often: hip4 starts again" often hip4
	check "rekeying often: the proxy starts again" often px
	wait_for 20 "the registration of hip4 at the agent" registered hip4
	check "rekeying often: the first page" gets_page lh4 4 hip4.foo.com
	before=$(rekey_costs)
	px=$(rekeys px)
	hip4=$(rekeys hip4)
	check "rekeying: all on one CPU" on_cpus "${all%%[,-]*}" "${way[@]}"
	check "100 MB through rekeys are bit-identical" \
		pinned "${all%%[,-]*}" slow_file hip4.foo.com
	check "there were rekeys, and both ends saw the same" \
		eval "wait_for 10 'the same of them' same_rekeys $px $hip4 ||
			same_rekeys $px $hip4"
	check "what rekeys could cost is counted" \
		test "$(grep -cE ' [0-9]+$' <<<"$before")" -eq 9
	check "no packet was lost, late or out of order for them" \
		diff <(echo "$before") <(rekey_costs)
	check "rekeying: back to all CPUs" on_cpus "$all" "${way[@]}"
}
