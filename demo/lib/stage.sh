# SPDX-License-Identifier: MIT
# The whole topology up and down, for demo/run, demo/down and the end-to-end
# test. Sourced after names.sh.
# shellcheck shell=bash

. "$ROOT/demo/lib/net.sh"
. "$ROOT/demo/lib/services.sh"
. "$ROOT/demo/lib/daemons.sh"

# What is removed is only a folder that we made.
MARK=.made-by-hipgate-demo

dir_clean()
{
	[[ -e $DEMO_DIR ]] || return 0
	[[ -e $DEMO_DIR/$MARK ]] ||
		die "$DEMO_DIR is there and not ours; set HIPGATE_DEMO_DIR"
	find "$DEMO_DIR" -mindepth 1 -maxdepth 1 ! -name "$MARK" \
		! -name big ! -name big.sha256 ! -name made-user \
		-exec rm -rf {} +
}

dir_up()
{
	dir_clean
	mkdir -p "$DEMO_DIR/logs" "$DEMO_DIR/bin"
	chmod 755 "$DEMO_DIR"
	: >"$DEMO_DIR/$MARK"
}

# Ends everything that runs; files stay.
stage_down()
{
	local node

	for node in "${NODES[@]}"; do
		node_exists "$node" || continue
		node_stop "$node" || return 1
	done
	setup_undo
	net_down
}

# Also after a run that was killed in the middle.
stage_up()
{
	((EUID == 0)) || die "run it as root: it makes network namespaces"
	[[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null || true
	stage_down || return 1
	dir_up
	programs_up
	user_up
	net_up || return 1
	identities_up && records_up || return 1
	services_up || return 1
	daemons_up
}

# Leaves nothing behind.
stage_remove()
{
	stage_down || return 1
	[[ -e $DEMO_DIR/$MARK ]] || return 0
	user_down
	rm -rf "$DEMO_DIR"
}
