#!/bin/bash
# SPDX-License-Identifier: MIT
# The homes of README.md and docs/operations.md as a new user would try them: the
# commands are those that stand there, run in a copy of this machine's file system ("box") that is
# thrown away, in a network namespace where nothing of hipgate is. Root.
# usage: homes_test.sh BUILD-FOLDER
#
# What is not as on a bare Debian 12: the programs come from `cmake --install`
# (the packages are package_test.sh's); `nano` is a sed script, for the edits
# that README asks for; there is no systemd, so `systemctl` runs the units' own
# ExecStart as their User without capabilities; there is no Docker, so `docker
# run` runs the image's command in a namespace behind a bridge docker0 that
# masquerades. The block "compose" is compose_test.sh's.
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "${1:?usage: homes_test.sh BUILD-FOLDER}" && pwd) || exit 1
: "${HIPGATE_DEMO_PREFIX:=hm}" "${HIPGATE_DEMO_DIR:=/var/lib/hipgate-homes}"
: "${HIPGATE_DEMO_USER:=hipgate-homes}"
export HIPGATE_BUILD=$BUILD
. "$ROOT/demo/lib/names.sh"
. "$ROOT/demo/lib/stage.sh"
. "$ROOT/test/check.sh"

# The laptop and the gateway have their places in the topology; the container
# host takes fix's, and a container stands behind it.
NODES+=(box)
PAGES=("$ROOT/README.md" "$ROOT/docs/operations.md")
CURL_SECONDS=15

at_exit()
{
	stage_remove
	# Below it are this machine's /dev and /sys.
	! mountpoint -q "$WORK/box" || umount -R "$WORK/box" ||
		umount -Rl "$WORK/box" || return
	rm -rf --one-file-system "$WORK"
}

# block NAME: the commands below <!-- home: NAME -->.
block()
{
	awk -v mark="<!-- home: $1 -->" '
		$0 == mark { found = 1; next }
		found && /^```/ { if (open++) exit; next }
		found && open { print }' "${PAGES[@]}"
}

# ---- the topology, and a HIP host in it -------------------------------------

# The part of an internet that was there before: DNS, an agent, a HIP host
# with a page.
world_up()
{
	stage_down || return 1
	dir_up
	programs_up
	user_up
	net_up && identities_up && records_up && bind_up &&
		nginx_up hip "$PAGE" && daemons_up_of fa hip &&
		wait_for 20 "the registration of hip" registered hip
}

daemons_up_of()
{
	local node

	for node in "$@"; do
		setup_node "$node"
		daemon_start "$node" || return 1
	done
}

# ---- the box ------------------------------------------------------------------

box_up()
{
	mkdir -p "$WORK/box" &&
		mount -t tmpfs tmpfs "$WORK/box" &&
		mkdir "$WORK"/box/{up,work,root} &&
		mount -t overlay overlay "$BOX" -o \
			"lowerdir=/,upperdir=$WORK/box/up,workdir=$WORK/box/work" &&
		mount -t proc proc "$BOX/proc" &&
		mount --rbind /sys "$BOX/sys" &&
		mount --rbind /dev "$BOX/dev" &&
		mount -t tmpfs -o mode=755 tun "$BOX/dev/net" &&
		mknod -m 666 "$BOX/dev/net/tun" c 10 200 &&
		mount -t tmpfs tmpfs "$BOX/run" &&
		mount -t tmpfs tmpfs "$BOX/tmp"
}

# What a process had open there is closed a moment after it is no more in its
# namespace.
box_down()
{
	wait_for 10 "the box to be left" umount -R "$WORK/box"
}

# Whatever this machine has of hipgate itself is none of the box's.
box_clean()
{
	rm -rf "$BOX"/{etc,var/lib}/hipgate "$BOX"/usr/share/doc/hipgate \
		"$BOX"/usr/{bin,sbin}/hipgate*
}

box_install()
{
	DESTDIR=$BOX cmake --install "$BUILD" >"$WORK/install.log" 2>&1 || {
		tail -n 5 "$WORK/install.log"
		return 1
	}
	# README names the package's folder.
	ln -s /usr/local/share/doc/hipgate "$BOX/usr/share/doc/hipgate" &&
		chroot "$BOX" systemd-sysusers hipgate.conf &&
		chroot "$BOX" systemd-tmpfiles --create hipgate.conf
}

# shim NAME: what README calls and is not here, below /shims; from stdin.
shim()
{
	mkdir -p "$BOX/shims"
	{
		echo '#!/bin/bash'
		cat
	} >"$BOX/shims/$1"
	chmod 755 "$BOX/shims/$1"
}

# The units of [Service]'s folders are made, ExecStart is run as User, and it
# returns when the daemon says what it is, as Type=notify would.
shim_systemctl()
{
	shim systemctl <<-'END'
	[[ $* == "enable --now hipgated" ]] || exit 1
	units=/usr/local/lib/systemd/system
	of() { sed -n "s/^$2=//p" "$units/$1.service"; }
	user=$(of hipgated User)
	read -ra setup < <(of hipgate-setup ExecStart)
	read -ra daemon < <(of hipgated ExecStart)
	"${setup[@]}" || exit 1
	install -d -o "$user" -g "$user" /run/hipgate
	install -d -m 700 -o "$user" -g "$user" /var/lib/hipgate
	setsid setpriv --reuid="$user" --regid="$user" --clear-groups \
		--no-new-privs --inh-caps=-all --bounding-set=-all \
		"${daemon[@]}" </dev/null >>/var/log/hipgated.log 2>&1 &
	for ((i = 0; i < 500; i++)); do
		hipgate status >/dev/null 2>&1 && exit
		kill -0 $! 2>/dev/null || break
		sleep 0.02
	done
	tail -n 5 /var/log/hipgated.log
	exit 1
	END
}

# home NODE NAME: a new box at NODE, and README's commands in it.
home()
{
	local words

	words=$(block "$2")
	[[ -n $words ]] || {
		echo "no block <!-- home: $2 --> in ${PAGES[*]}"
		return 1
	}
	printf '%s\n' "$words" >"$BOX/tmp/typed"
	at "$1" chroot "$BOX" env -i TERM=dumb HOME=/root LC_ALL=C.UTF-8 \
		PATH=/shims:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		bash -e /tmp/typed 2>&1
}

# new_box RESOLVER
new_box()
{
	box_up && box_clean && box_install && shim_systemctl &&
		shim curl <<-END &&
		exec /usr/bin/curl -sS --max-time $CURL_SECONDS "\$@"
		END
		printf 'nameserver %s\n' "$1" >"$BOX/tmp/resolv" &&
		rm -f "$BOX/etc/resolv.conf" &&
		cp "$BOX/tmp/resolv" "$BOX/etc/resolv.conf" &&
		printf 'hosts: files dns\n' >"$BOX/etc/nsswitch.conf"
}

# The page, of a HIP host, through HIP: the association is there.
has_page()
{
	[[ $1 == *"a page of the HIP host"* ]] || {
		printf '%s\n' "$1"
		return 1
	}
}

# through_hip NODE: the daemon there has an SA with hip.
through_hip()
{
	at "$1" chroot "$BOX" /usr/local/bin/hipgate sas --json |
		jq -e --arg hit "$(node_hit hip)" \
			'any(.data[]; .peer == $hit)' >/dev/null
}

box_end()
{
	node_stop_daemon "$1"
	box_down
}

node_stop_daemon()
{
	local pid

	for pid in $(node_pids "$1"); do
		[[ $(cat "/proc/$pid/comm" 2>/dev/null) != hipgated ]] ||
			kill "$pid"
	done
	wait_for 10 "the end of the daemon in $1" node_empty "$1"
}

# ---- the homes ------------------------------------------------------------------

laptop_goes()
{
	local out

	out=$(home web laptop) || {
		printf '%s\n' "$out"
		return 1
	}
	has_page "$out" && through_hip web
}

# A name without a HIP record is as ever, and a laptop forwards for nobody.
laptop_else()
{
	at web chroot "$BOX" getent ahosts dns.foo.com | grep -q "$DNS_4" &&
		[[ $(at web cat /proc/sys/net/ipv6/conf/all/forwarding) == 0 ]]
}

shim_nano()
{
	shim nano <<-END
	sed -i -e 's/^lan = .*/lan = lan0/' \
		-e 's|^clients = 192.*|clients = $LAN_NET4|' \
		-e 's|^clients = fd.*|clients = $LAN_NET6|' "\$1"
	END
}

gateway_goes()
{
	shim_nano && home px gateway
}

client_goes()
{
	local out

	block "gateway, client" >"$WORK/typed"
	out=$(at "$1" bash -e -c "curl() {
		command curl -sS --max-time $CURL_SECONDS \"\$@\"
	}; $(cat "$WORK/typed")" 2>&1)
	has_page "$out" && through_hip px
}

# The firewall of docs/operations.md, with this LAN's name.
firewall_up()
{
	block firewall | sed 's/"eth1"/"lan0"/' >"$WORK/firewall"
	grep -q lan0 "$WORK/firewall" && at px nft -f "$WORK/firewall"
}

# Nobody comes in from outside; DNS over TCP ends at the daemon's listener.
firewall_holds()
{
	at lh1 dig +tcp +time=10 +tries=1 +short hip.foo.com AAAA |
		grep -q ^fd68: &&
		at dns ping -c 1 -W 5 "$PX_4" >/dev/null &&
		! at dns curl -sS --max-time 2 "http://$PX_4:53/" 2>&1 |
			grep -q refused
}

# A bridge as Docker makes it, and a container behind it.
docker_up()
{
	local host

	host=$(ns fix)
	ip -n "$host" link add docker0 type bridge stp_state 0 &&
		ip -n "$(ns box)" link add eth0 type veth peer name veth0 \
			netns "$host" &&
		ip -n "$host" link set veth0 master docker0 up &&
		address fix docker0 172.17.0.1/16 &&
		address box eth0 172.17.0.2/16 &&
		ip -n "$(ns box)" -4 route add default via 172.17.0.1 &&
		node_resolver box "$DNS_4" &&
		at fix sysctl -qw net.ipv4.ip_forward=1 &&
		at fix nft -f - <<-END
		table ip docker {
			chain out {
				type nat hook postrouting priority srcnat;
				ip saddr 172.17.0.0/16 oifname != "docker0" masquerade
			}
			chain through {
				type filter hook forward priority filter; policy drop;
				iifname "docker0" accept
				oifname "docker0" ct state related,established accept
			}
		}
		END
}

# `docker run --rm IMAGE ARGUMENT...`: from outside of the box, where the
# container is.
containers_go()
{
	local out

	shim docker <<-'END'
	[[ $1 == run ]] && printf '%s\n' "${@:4}" >/tmp/run
	END
	out=$(home fix containers) || {
		printf '%s\n' "$out"
		return 1
	}
	out=$(at box curl -sS --max-time "$CURL_SECONDS" "$(cat "$BOX/tmp/run")" \
		2>&1)
	has_page "$out" && through_hip fix
}

# home_says NODE HOME PATTERN: README's commands, and in what they print PATTERN.
home_says()
{
	local out

	out=$(home "$1" "$2") && grep -qE "$3" <<<"$out" || {
		printf '%s\n' "$out"
		return 1
	}
}

main()
{
	((EUID == 0)) || {
		fail "homes: this needs root"
		return
	}
	trap at_exit EXIT
	check "homes: an internet with a HIP host" world_up || return
	((!CHECK_FAILED)) || return

	check "homes: laptop: a new machine" new_box "$DNS_4"
	check "homes: laptop: README's commands fetch the page through HIP" \
		laptop_goes
	check "homes: laptop: other names are as ever" laptop_else
	check "homes: laptop: gone again" box_end web

	check "homes: gateway: a new machine" new_box "$DNS_4"
	check "homes: gateway: the firewall of docs/operations.md" firewall_up
	check "homes: gateway: README's commands" gateway_goes
	check "homes: gateway: lh1 fetches the page through HIP" client_goes lh1
	check "homes: gateway: lh4, which has IPv4 only, too" client_goes lh4
	check "homes: gateway: it lets in what it should, and no more" firewall_holds
	check "homes: gateway: gone again" box_end px

	check "homes: containers: a new machine" new_box "$DNS_4"
	check "homes: containers: a bridge docker0" docker_up
	check "homes: containers: the page through HIP" containers_go
	check "homes: containers: gone again" box_end fix

	check "homes: host: a new machine" new_box "$DNS_4"
	check "homes: host: its HIP record" home_says hip4 host \
		'^hip\.example\.com\..*IN[[:space:]]+HIP'
	check "homes: host: gone again" box_end hip4
	check "homes: agent: a new machine" new_box "$DNS_4"
	check "homes: agent: its HIT" home_says hip4 agent '^2001:2'
	check "homes: agent: gone again" box_end hip4
}

# In a mount namespace of its own: whatever happens, the boxes go with it.
if [[ ${2-} != --inside ]]; then
	unshare --mount --propagation private "$0" "$BUILD" --inside
	exit
fi
WORK=$(mktemp -d /var/tmp/hipgate-homes-XXXXXX)
BOX=$WORK/box/root
main
exit "$CHECK_FAILED"
