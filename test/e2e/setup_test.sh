#!/bin/sh
# SPDX-License-Identifier: MIT
# hipgate-setup in a network namespace of its own: done twice, undone, and
# refused. Usage: setup_test.sh BUILD-FOLDER (root).
set -u
if [ "${SETUP_TEST_INSIDE:-}" != 1 ]; then
	build=$(cd "${1:?usage: setup_test.sh BUILD-FOLDER}" && pwd) || exit 1
	SETUP_TEST_INSIDE=1 exec unshare -n -m "$0" "$build"
fi
setup=$1/hipgate-setup
dir=$(mktemp -d) || exit 1
taker=
trap '[ -z "$taker" ] || kill "$taker" 2>/dev/null; rm -rf "$dir"' EXIT
# What is kept there is of this namespace alone.
mount -t tmpfs tmpfs /run || exit 1
passed=0
failed=0

# ok TEXT COMMAND...: the command succeeds.
ok() {
	what=$1
	shift
	if "$@" >"$dir/said" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $what"
	else
		failed=$((failed + 1))
		echo "not ok - $what"
		sed 's/^/# /' "$dir/said"
	fi
}
not() { ! "$@"; }
# has TEXT COMMAND...: the command prints a line that holds TEXT.
has() {
	want=$1
	shift
	"$@" >"$dir/out" 2>&1
	grep -qF -- "$want" "$dir/out" || { cat "$dir/out"; return 1; }
}
same() { diff -u "$1" "$2"; }
sysctl_is() { [ "$(cat "/proc/sys/$1")" = "$2" ]; }
# The kernel makes the route to an IPv6 address a moment after the address.
settled() {
	ip -6 -o addr show | awk '{ sub("/.*", "", $4); print $4, $2 }' |
		while read -r a dev; do
			n=0
			until ip -6 route show table local |
				grep -q "^local $a dev $dev " || [ $n -ge 500 ]; do
				n=$((n + 1))
				sleep 0.02
			done
		done
}
# All that hipgate-setup could leave behind.
state() {
	settled
	for f in -4 -6; do
		ip $f rule show
		ip $f route show table all 2>/dev/null | sort
		ip $f addr show
	done
	cat /proc/sys/net/ipv4/ip_forward \
		/proc/sys/net/ipv6/conf/all/forwarding
}

# /proc/sys/net follows the process's namespace; /sys does not matter.
ip link set lo up
ip link add lan1 type veth peer name lan1-peer
# No link-local addresses: they would settle in the middle of a comparison.
ip link set dev lan1 addrgenmode none
ip link set dev lan1-peer addrgenmode none
ip link set lan1-peer up
ip addr add 2001:db8:400::1/64 dev lan1 nodad
ip addr add 192.0.2.1/24 dev lan1
ip link set lan1 up
echo 0 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
	-out "$dir/key.pem" 2>/dev/null
chmod 600 "$dir/key.pem"
cat >"$dir/proxy.conf" <<EOF
[daemon]
tun = hgt0
user = nobody
identity = $dir/key.pem
[proxy]
prefix = 2001:db8:401::/64
prefix = 198.18.0.0/15
lan = lan1
EOF
cat >"$dir/host.conf" <<EOF
[daemon]
tun = hgt0
user = nobody
identity = $dir/key.pem
[host]
EOF
sed 's/\[host\]/[rendezvous]/' "$dir/host.conf" >"$dir/rvs.conf"
sed 's/user = .*/user = no-such-user/' "$dir/host.conf" >"$dir/nouser.conf"
sed 's/user = .*/user = daemon/' "$dir/proxy.conf" >"$dir/other.conf"

state >"$dir/before"

ok "dry run prints the TUN" has \
	"ip tuntap add dev hgt0 mode tun user nobody multi_queue vnet_hdr" \
	"$setup" --dry-run --config "$dir/proxy.conf"
ok "dry run prints sysctls as sysctl(8) takes them" has \
	"sysctl -w net.ipv6.conf.all.forwarding=1" \
	"$setup" --dry-run --config "$dir/proxy.conf"
ok "dry run needs no root" \
	setpriv --reuid=65534 --clear-groups \
	"$setup" --dry-run --config /dev/stdin <"$dir/proxy.conf"
state >"$dir/now"
sed 's/^lan = .*/lan = nolan/' "$dir/proxy.conf" >"$dir/nolan.conf"
ok "a LAN's link that is not there is warned about" has \
	"lan = nolan: there is no such interface yet" \
	"$setup" --dry-run --config "$dir/nolan.conf"
ok "one that is, is not" not has "no such interface" \
	"$setup" --dry-run --config "$dir/proxy.conf"
ok "dry run changes nothing" same "$dir/before" "$dir/now"

ok "proxy: set up" "$setup" --config "$dir/proxy.conf"
state >"$dir/first"
ok "proxy: the TUN has an IPv6 address" has "2001:db8:401::1/128" \
	ip -6 addr show dev hgt0
ok "proxy: the TUN has an IPv4 address" has "198.18.0.1/32" \
	ip -4 addr show dev hgt0
ok "proxy: the address is usable at once" not has tentative \
	ip -6 addr show dev hgt0
ok "proxy: no link-local address" not has fe80 ip -6 addr show dev hgt0
ok "proxy: MTU" has "mtu 1500" ip link show dev hgt0
ok "proxy: queue" has "qlen 2000" ip link show dev hgt0
ok "proxy: IPv6 pool leads into the TUN" has "dev hgt0 table 10500" \
	ip -6 route get 2001:db8:401::99
ok "proxy: IPv4 pool leads into the TUN" has "dev hgt0 table 10500" \
	ip -4 route get 198.19.7.7
ok "proxy: rule for the pool" has \
	"10500:	from all to 2001:db8:401::/64 lookup 10500" ip -6 rule show
for proto in udp tcp; do
	for f in -4 -6; do
		ok "proxy: $proto port 53 is steered ($f)" has \
			"from all iif lan1 ipproto $proto dport 53 lookup 10553" \
			ip $f rule show
	done
done
ok "proxy: a query from the LAN leads into the TUN (IPv6)" has "dev hgt0" \
	ip -6 route get 2001:db8:5::53 from 2001:db8:400::9 iif lan1 \
	ipproto udp dport 53
ok "proxy: a query from the LAN leads into the TUN (IPv4)" has "dev hgt0" \
	ip -4 route get 192.0.2.53 from 192.0.2.9 iif lan1 ipproto udp dport 53
ok "proxy: other packets do not" not has "dev hgt0" \
	ip -4 route get 192.0.2.53 from 192.0.2.9 iif lan1 ipproto udp dport 54
ok "proxy: forwards IPv4" sysctl_is net/ipv4/ip_forward 1
ok "proxy: forwards IPv6" sysctl_is net/ipv6/conf/all/forwarding 1
ok "proxy: takes any source from the TUN" \
	sysctl_is net/ipv4/conf/hgt0/rp_filter 0

ok "proxy: set up again" "$setup" --config "$dir/proxy.conf"
state >"$dir/now"
ok "proxy: which changes nothing" same "$dir/first" "$dir/now"
ok "a TUN of another user is refused with the mend" has \
	"remove it with \"hipgate-setup --undo\"" \
	"$setup" --config "$dir/other.conf"
ip -6 route add 2001:db8:401::/96 via 2001:db8:400::666 dev lan1
ip -4 route add 198.18.5.0/24 via 192.0.2.66 dev lan1
ok "a narrower route in main takes nothing (IPv6)" has "dev hgt0" \
	ip -6 route get 2001:db8:401::99
ok "a narrower route in main takes nothing (IPv4)" has "dev hgt0" \
	ip -4 route get 198.18.5.5
ip link del hgt0
ok "without the TUN the pool is unreachable (IPv6)" has "No route to host" \
	ip -6 route get 2001:db8:401::99
ok "without the TUN the pool is unreachable (IPv4)" has "No route to host" \
	ip -4 route get 198.18.5.5
ok "without the TUN DNS is not let through" has "No route to host" \
	ip -4 route get 192.0.2.53 from 192.0.2.9 iif lan1 ipproto udp dport 53
ip -6 route del 2001:db8:401::/96
ip -4 route del 198.18.5.0/24
ok "proxy: undone without the TUN" "$setup" --undo --config "$dir/proxy.conf"
echo 0 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding

ok "proxy: set up afresh" "$setup" --config "$dir/proxy.conf"
ok "undo's dry run prints it" has "ip -6 rule del pref 10500" \
	"$setup" --undo --dry-run --config "$dir/proxy.conf"
ok "undo's dry run prints the old values" has \
	"sysctl -w net.ipv4.ip_forward=0" \
	"$setup" --undo --dry-run --config "$dir/proxy.conf"
ok "proxy: undone" "$setup" --undo --config "$dir/proxy.conf"
state >"$dir/now"
ok "proxy: nothing is left" same "$dir/before" "$dir/now"
ok "nothing is left below /run" \
	[ ! -e "/run/hipgate-setup/$(stat -Lc %i /proc/self/ns/net)" ]
ok "proxy: undone again" "$setup" --undo --config "$dir/proxy.conf"

# The set-up of another namespace that is undone takes an empty folder away.
python3 -c 'import os
while True:
    try:
        os.rmdir("/run/hipgate-setup")
    except OSError:
        pass' &
taker=$!
for n in 1 2 3 4 5; do
	ok "proxy: set up while others are undone, $n" \
		"$setup" --config "$dir/proxy.conf"
	"$setup" --undo --config "$dir/proxy.conf" >/dev/null
done
kill "$taker"
wait "$taker" 2>/dev/null
taker=
state >"$dir/now"
ok "and nothing is left" same "$dir/before" "$dir/now"

echo 1 >/proc/sys/net/ipv4/ip_forward
ok "set up where forwarding was on" "$setup" --config "$dir/proxy.conf"
ok "and undone" "$setup" --undo --config "$dir/proxy.conf"
ok "forwarding stays on where it was" sysctl_is net/ipv4/ip_forward 1
ok "forwarding goes off where it was" sysctl_is net/ipv6/conf/all/forwarding 0
echo 0 >/proc/sys/net/ipv4/ip_forward
# IPv6 that the uplink has from router advertisements ends with forwarding.
forget_forwarding() { echo 0 >/proc/sys/net/ipv6/conf/all/forwarding; }
uplink() { ip -6 route replace default via fe80::1 dev lan1 proto ra; }
forget_forwarding
uplink
echo 1 >/proc/sys/net/ipv6/conf/lan1/accept_ra
ok "router advertisements that would end are warned about, dry" has \
	"first run: sysctl -w net.ipv6.conf.lan1.accept_ra=2" \
	"$setup" --dry-run --config "$dir/proxy.conf"
ok "and wet" has "net.ipv6.conf.lan1.accept_ra=2" \
	"$setup" --config "$dir/proxy.conf"
ok "where the kernel forwards already, nothing ends" not has accept_ra \
	"$setup" --config "$dir/proxy.conf"
forget_forwarding
uplink
echo 2 >/proc/sys/net/ipv6/conf/lan1/accept_ra
ok "with accept_ra=2 neither" not has accept_ra \
	"$setup" --config "$dir/proxy.conf"
ip -6 route del default dev lan1
ok "undo" "$setup" --undo --config "$dir/proxy.conf"

echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter
ok "strict rp_filter is warned about" has "net.ipv4.conf.all.rp_filter=2" \
	"$setup" --config "$dir/proxy.conf"
"$setup" --undo --config "$dir/proxy.conf" >/dev/null
echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter

ok "host: set up" "$setup" --config "$dir/host.conf"
state >"$dir/first"
hit=$(ip -6 -o addr show dev hgt0 | sed -n 's/.* \(2001:2[^ ]*\)\/128 .*/\1/p')
ok "host: its HIT is on the TUN" [ -n "$hit" ]
ok "host: HITs lead into the TUN, from ours" has "dev hgt0 table 10500 src $hit" \
	ip -6 route get 2001:21::77
ok "host: forwarding is not touched" sysctl_is net/ipv6/conf/all/forwarding 0
ok "host: set up again" "$setup" --config "$dir/host.conf"
state >"$dir/now"
ok "host: which changes nothing" same "$dir/first" "$dir/now"
ok "host: undone" "$setup" --undo --config "$dir/host.conf"
state >"$dir/now"
ok "host: nothing is left" same "$dir/before" "$dir/now"

# ---- prefixes that are somebody else's --------------------------------------

# conflict WHAT TEXT route|addr ...: with that route or address the prefix is
# refused with TEXT, and nothing is changed.
conflict() {
	name=$1 text=$2 kind=$3
	shift 3
	ip "$kind" add "$@"
	state >"$dir/with"
	ok "$name is refused" has "$text" "$setup" --config "$dir/proxy.conf"
	ok "$name: with status 1" not "$setup" --config "$dir/proxy.conf"
	ok "$name: dry run says so" has "$text" \
		"$setup" --dry-run --config "$dir/proxy.conf"
	state >"$dir/now"
	ok "$name: nothing is changed" same "$dir/with" "$dir/now"
	ok "$name: --allow-overlap takes it" \
		"$setup" --allow-overlap --config "$dir/proxy.conf"
	ok "$name: --undo asks nobody" \
		"$setup" --undo --config "$dir/proxy.conf"
	ip "$kind" del "$@"
}
conflict "a route inside the IPv4 prefix" \
	"prefix = 198.18.0.0/15 overlaps the route to 198.19.5.0/24 of lan1, table main: one of the two could not be reached; take another prefix, or say --allow-overlap" \
	route 198.19.5.0/24 via 192.0.2.66
conflict "a route around the IPv4 prefix" \
	"prefix = 198.18.0.0/15 overlaps the route to 198.16.0.0/12 of lan1" \
	route 198.16.0.0/12 via 192.0.2.66
conflict "a route inside the IPv6 prefix, in another table" \
	"prefix = 2001:db8:401::/64 overlaps the route to 2001:db8:401::/96 of lan1, table 77" \
	route 2001:db8:401::/96 via 2001:db8:400::666 dev lan1 table 77
conflict "an address inside the IPv4 prefix" \
	"overlaps the address 198.18.7.7 of lan1" \
	addr 198.18.7.7/32 dev lan1
echo 0 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
# Around it: default routes, in parts too, and what leads nowhere.
ip route add default via 192.0.2.66
ip route add 128.0.0.0/1 via 192.0.2.66
ip -6 route add default via 2001:db8:400::666 dev lan1
ip -6 route add unreachable 2001:db8::/32
ok "default and unreachable routes are no conflict" \
	"$setup" --config "$dir/proxy.conf"
ok "and neither are our own" "$setup" --config "$dir/proxy.conf"
"$setup" --undo --config "$dir/proxy.conf" >/dev/null
ip route del default
ip route del 128.0.0.0/1
ip -6 route del default
ip -6 route del unreachable 2001:db8::/32
ip -6 addr add 2001:21::1/128 dev lan1 nodad
ok "another HIP daemon's HITs are a conflict of the host role" has \
	"the HITs' 2001:20::/28 overlaps the route to 2001:21::1 of lan1" \
	"$setup" --config "$dir/host.conf"
ip -6 addr del 2001:21::1/128 dev lan1
# This machine's own programs alone: nothing is forwarded.
grep -v '^lan' "$dir/proxy.conf" >"$dir/laptop.conf"
ok "laptop: set up" "$setup" --config "$dir/laptop.conf"
ok "laptop: IPv4 is not forwarded" sysctl_is net/ipv4/ip_forward 0
ok "laptop: nor is IPv6" sysctl_is net/ipv6/conf/all/forwarding 0
ok "laptop: undone" "$setup" --undo --config "$dir/laptop.conf"
state >"$dir/now"
ok "conflicts and laptop: nothing is left" same "$dir/before" "$dir/now"

ok "rendezvous: nothing to do" has "nothing to do" \
	"$setup" --config "$dir/rvs.conf"
ok "a user that does not exist is refused with the mend" has \
	"adduser --system --group no-such-user" \
	"$setup" --config "$dir/nouser.conf"
chmod 644 "$dir/key.pem"
ok "a key that others can read is refused with the mend" has \
	"chmod 600 $dir/key.pem" "$setup" --config "$dir/host.conf"
chmod 600 "$dir/key.pem"
echo nonsense >"$dir/key.pem"
ok "a file that is no key is refused with the mend" has \
	"hipgate keygen" "$setup" --config "$dir/host.conf"
ok "a failing command is named with its output" has \
	"ip tuntap add dev hgt0 mode tun user nobody multi_queue vnet_hdr: exit" \
	setpriv --bounding-set=-net_admin "$setup" --config "$dir/proxy.conf"
ok "an unknown option is refused" not "$setup" --frob
state >"$dir/now"
ok "refusals leave nothing" same "$dir/before" "$dir/now"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
