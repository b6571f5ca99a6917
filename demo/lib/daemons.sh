# SPDX-License-Identifier: MIT
# hipgate's own part of the topology: keys, HIP records, configurations,
# set-up as root, daemons as an ordinary user. Sourced.
# shellcheck shell=bash

# The programs are copied, so that the daemons' user can run them wherever
# the source tree is. Where there is none, they are the installed ones.
programs_up()
{
	local p from

	mkdir -p "$DEMO_DIR/bin"
	for p in hipgated hipgate hipgate-setup; do
		from=$BUILD/$p
		[[ -e $ROOT/CMakeLists.txt ]] ||
			from=$(PATH=$PATH:/usr/sbin type -P "$p") ||
			die "$p is not installed"
		install -m 755 "$from" "$DEMO_DIR/bin/$p" ||
			die "$from is not built"
	done
}

user_up()
{
	id -u "$DEMO_USER" >/dev/null 2>&1 && return
	useradd --system --user-group --no-create-home \
		--shell /usr/sbin/nologin "$DEMO_USER"
	: >"$DEMO_DIR/made-user"
}

user_down()
{
	[[ -e $DEMO_DIR/made-user ]] || return 0
	userdel "$DEMO_USER"
}

# Runs a command without root and without a way back to it.
AS_USER=(setpriv --reuid="$DEMO_USER" --regid="$DEMO_USER" --clear-groups
	--no-new-privs --inh-caps=-all --bounding-set=-all)

hipgate()
{
	"$DEMO_DIR/bin/hipgate" "$@"
}

# ask NODE VERB [ARG...]: a read verb of that node's daemon, as JSON; only
# its data.
ask()
{
	hipgate "${@:2}" --json --socket "$DEMO_DIR/$1/ctl.sock"
}

node_hit()
{
	cat "$DEMO_DIR/$1/hit"
}

# ---- identities and HIP records ------------------------------------------

# identity NODE ALGORITHM
identity()
{
	local dir=$DEMO_DIR/$1

	install -d -o "$DEMO_USER" -g "$DEMO_USER" "$dir" "$dir/state"
	hipgate keygen --alg "$2" "$dir/key.pem" >/dev/null &&
		hipgate hit "$dir/key.pem" >"$dir/hit" &&
		chown "$DEMO_USER:" "$dir/key.pem" ||
		die "no identity for $1"
}

identities_up()
{
	identity px p256
	identity fa p256
	identity hip p256
	identity hip4 p384
	identity fix p384
	identity hid p256	# behind a NAT: test/e2e/nat.sh
	identity silent p256	# has a record, but nobody runs it
}

# record NODE NAME [RVS]: one HIP record in zone-file form.
record()
{
	hipgate dns-record --name "$2" ${3:+--rvs "$3"} \
		"$DEMO_DIR/$1/key.pem"
}

records_up()
{
	mkdir -p "$DEMO_DIR/bind"
	{
		record hip hip.foo.com. fa.foo.com.
		record hip4 hip4.foo.com. fa4.foo.com.
		record fix fixed.foo.com.
		record silent silent.foo.com.
		record hid hidden.foo.com. fa4.foo.com.
	} >"$DEMO_DIR/bind/hip-records"
}

# ---- configurations ---------------------------------------------------------

config_daemon()
{
	local dir=$DEMO_DIR/$1

	cat <<-END
	[daemon]
	tun = hip0
	workers = 2
	identity = $dir/key.pem
	state = $dir/state
	control = $dir/ctl.sock
	user = $DEMO_USER
	log = info
	END
}

config_px()
{
	cat <<-END

	[proxy]
	prefix = $POOL6
	prefix = $POOL4
	clients = $LAN_NET6
	clients = $LAN_NET4
	dns-server = $DNS_6
	lan = lan0

	[http]
	listen = 127.0.0.1:9464
	END
}

config_fa()
{
	printf '\n[rendezvous]\n'
}

# config_host FA_ADDRESS: a HIP host behind the agent; "": with none.
config_host()
{
	printf '\n[host]\n'
	[[ -z $1 ]] || cat <<-END

	[register $(node_hit fa)]
	address = $1
	lifetime = 3600
	END
}

config_of()
{
	config_daemon "$1"
	case $1 in
	px) config_px ;;
	fa) config_fa ;;
	hip) config_host "$FA_6" ;;
	hip4) config_host "$FA_4" ;;
	fix) config_host "" ;;
	esac
}

# ---- running -----------------------------------------------------------------

# The one thing that needs root.
setup_node()
{
	config_of "$1" >"$DEMO_DIR/$1/hipgate.conf"
	at "$1" "$DEMO_DIR/bin/hipgate-setup" \
		--config "$DEMO_DIR/$1/hipgate.conf" \
		>>"$DEMO_DIR/logs/setup-$1.log" 2>&1 || {
		cat "$DEMO_DIR/logs/setup-$1.log" >&2
		die "hipgate-setup failed on $1"
	}
}

# What setup noted of the namespace outside of it goes with --undo.
setup_undo()
{
	local node

	for node in "${DAEMONS[@]}"; do
		[[ -e $DEMO_DIR/$node/hipgate.conf ]] && node_exists "$node" ||
			continue
		at "$node" "$DEMO_DIR/bin/hipgate-setup" --undo --config \
			"$DEMO_DIR/$node/hipgate.conf" >/dev/null 2>&1 || true
	done
}

daemon_ready()
{
	ask "$1" status
}

# Runs a command with a /dev/net/tun that everyone may open, as udev makes it
# on Debian; where there is no udev it is root's alone. The mount is seen only
# in the mount namespace that `ip netns exec` has made.
# shellcheck disable=SC2016
WITH_TUN='mount -t tmpfs -o mode=755 tun /dev/net &&
	mknod -m 666 /dev/net/tun c 10 200 && exec "$@"'

# LeakSanitizer cannot trace a daemon that has made itself undumpable; and what
# AddressSanitizer keeps of freed memory, 256 MB else, would hide how much of it
# a daemon needs.
UNDER_ASAN=detect_leaks=0:quarantine_size_mb=16
daemon_start()
{
	spawn "$1" "hipgated-$1" env ASAN_OPTIONS="$UNDER_ASAN" \
		sh -c "$WITH_TUN" sh "${AS_USER[@]}" \
		"$DEMO_DIR/bin/hipgated" --config "$DEMO_DIR/$1/hipgate.conf"
	wait_for 20 "hipgated on $1" daemon_ready "$1" || {
		tail -n 5 "$DEMO_DIR/logs/hipgated-$1.log" >&2
		return 1
	}
}

daemon_stop()
{
	end "hipgated-$1" "${2-TERM}"
}

# Does the agent hold a registration of NODE's HIT?
registered()
{
	ask fa registrations |
		jq -e --arg hit "$(node_hit "$1")" \
			'any(.data[]; .hit == $hit)'
}

daemons_up()
{
	local node

	for node in "${DAEMONS[@]}"; do
		setup_node "$node"
		daemon_start "$node" || return 1
	done
	for node in hip hip4; do
		wait_for 20 "the registration of $node at the agent" \
			registered "$node" || return 1
	done
}
