#!/bin/bash
# SPDX-License-Identifier: MIT
# `hipgate doctor`: each check of its table is given its fault, in a network
# namespace of its own, and must find it and name the mend. As root. A
# stand-in answers for the daemon.
# Usage: doctor_test.sh BUILD-FOLDER
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "${1:?usage: doctor_test.sh BUILD-FOLDER}" && pwd) || exit 1
. "$ROOT/test/check.sh"
DIR=$(mktemp -d)
NET=hgdoc-$$
FAKE=
FAULTS=()

at_exit()
{
	[[ -z $FAKE ]] || kill "$FAKE" 2>/dev/null
	mountpoint -q "$DIR/state" && umount "$DIR/state"
	ip netns del "$NET" 2>/dev/null
	rm -rf "$DIR" "/etc/netns/$NET"
	rmdir /etc/netns 2>/dev/null
}
trap at_exit EXIT

inside()
{
	ip netns exec "$NET" "$@"
}

doctor()
{
	inside "$BUILD/hipgate" doctor --config "$DIR/hipgate.conf" "$@" 2>&1
}

# ---- what is well ---------------------------------------------------------

config_good()
{
	cat >"$DIR/hipgate.conf" <<-END
	[daemon]
	tun = hip0
	identity = $DIR/key.pem
	state = $DIR/state
	control = $DIR/sock
	port = 10599
	user = nobody
	[proxy]
	prefix = 2001:db8:401::/64
	prefix = 198.18.0.0/24
	dns-server = 192.0.2.53
	lan = lan0
	[register 2001:21::fa]
	address = 192.0.2.1
	END
}

# answer VERB JSON: what the stand-in says from now on.
answer()
{
	printf '%s' "$2" >"$DIR/answers/$1"
}

answers_good()
{
	answer version '{"version":"0.1.0","protocol":1,"uptime_s":5}'
	answer status '{"version":"0.1.0","offload":{"setting":"auto",
		"tso":{"state":"on","refused":0}},"drops":{},
		"agents":[{"hit":"2001:21::fa","registered":true}]}'
	answer sas '[{"peer":"2001:21::fa","mtu_by":"probe"}]'
	answer explain '{"sa":{"peer":"2001:21::77","mtu":1458,
		"locator":"192.0.2.9:10500","outer_mtu":1500,"mtu_by":"probe"}}'
}

# Answers each verb with a file's content.
fake_write()
{
	cat >"$DIR/fake.py" <<-'END'
	import json, os, socket, sys
	d = sys.argv[1]
	s = socket.socket(socket.AF_UNIX)
	s.bind(d + "/sock")
	s.listen(8)
	open(d + "/ready", "w").close()
	while True:
	    c, _ = s.accept()
	    verb = json.loads(c.makefile().readline())["verb"]
	    data = json.load(open(d + "/answers/" + verb))
	    c.sendall((json.dumps({"version": 1, "verb": verb, "ok": True,
	                           "data": data}) + "\n").encode())
	    c.close()
	END
}

fake_up()
{
	rm -f "$DIR/sock" "$DIR/ready"
	python3 "$DIR/fake.py" "$DIR" </dev/null >/dev/null 2>&1 &
	FAKE=$!
	for _ in {1..600}; do
		[[ -e $DIR/ready ]] && return
		sleep 0.05
	done
	echo "the stand-in does not start"
}

fake_down()
{
	kill "$FAKE" 2>/dev/null
	wait "$FAKE" 2>/dev/null
	FAKE=
	rm -f "$DIR/sock"
}

key_good()
{
	rm -f "$DIR/key.pem"
	"$BUILD/hipgate" keygen "$DIR/key.pem" >/dev/null
	chown nobody "$DIR/key.pem"
}

# The very commands that hipgate-setup would run.
net_good()
{
	local link

	ip netns del "$NET" 2>/dev/null
	ip netns add "$NET"
	inside ip link set lo up
	inside ip link add lan0 type veth peer name lan1
	inside ip link add other0 type veth peer name other1
	for link in lan0 lan1 other0 other1; do
		inside ip link set "$link" up
	done
	inside ip -6 addr add 2001:db8:9::1/64 dev other0 nodad
	inside sysctl -qw net.ipv6.conf.all.forwarding=1 \
		net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
	inside "$BUILD/hipgate-setup" --dry-run \
		--config "$DIR/hipgate.conf" >"$DIR/commands" &&
		inside sh -e "$DIR/commands" >/dev/null
}

all_good()
{
	config_good
	key_good
	mountpoint -q "$DIR/state" && umount "$DIR/state"
	mkdir -p "$DIR/state" "$DIR/answers" "/etc/netns/$NET"
	chown nobody "$DIR/state"
	answers_good
	[[ -n $FAKE ]] || fake_up
	net_good
}

# ---- faults -----------------------------------------------------------------

# finds CHECK TEXT MEND [PREFIX...]: that check is a fault, with these words
# in what it says and in the mend; the exit status is 1. PREFIX: a command to
# run it under.
finds()
{
	local name=$1 text=$2 mend=$3 out rc

	shift 3
	FAULTS+=("$name")
	out=$(inside "$@" "$BUILD/hipgate" doctor "$name" --json \
		--config "$DIR/hipgate.conf" 2>&1)
	rc=$?
	echo "$out"
	((rc == 1)) && jq -e --arg name "$name" --arg text "$text" \
		--arg mend "$mend" '.version == 1 and .data.faults == 1 and
		(.data.checks | length == 1 and .[0].check == $name and
		.[0].verdict == "fault" and (.[0].text | contains($text)) and
		(.[0].mend | contains($mend)))' <<<"$out"
}

# fault WHAT CHECK TEXT MEND [PREFIX...]: as finds, then all is mended.
fault()
{
	check "$2: $1" finds "${@:2}"
	all_good >/dev/null 2>&1
	FAULTS+=("$2") # the one in check's subshell is lost
}

files()
{
	rm "$DIR/hipgate.conf"
	fault "no such file" config "No such file" "--config FILE"
	echo 'x = y' >>"$DIR/hipgate.conf"
	fault "a wrong line" config "hipgate.conf:15: unknown key" \
		"hipgate check"
	chmod 644 "$DIR/key.pem"
	fault "a key for all to read" keys "mode 0644" \
		"chmod 600 $DIR/key.pem"
	rm "$DIR/key.pem"
	fault "no key" keys "No such file" "hipgate keygen $DIR/key.pem"
	chown root "$DIR/key.pem"
	fault "somebody else's key" keys "belongs to user 0" \
		"chown nobody: $DIR/key.pem"
	rmdir "$DIR/state"
	fault "no state folder" state "is not there" "install -d"
	mount -t tmpfs -o size=64k,uid=65534 tmpfs "$DIR/state"
	fault "a full disk" state "KiB are free" "make room"
	chown root "$DIR/state"
	fault "somebody else's state" state "belongs to user 0" "chown -R"
}

# A clock that nobody has set since the machine was built.
clocks()
{
	cat >"$DIR/clock.c" <<-'END'
	#include <time.h>
	time_t time(time_t *t)
	{
		if (t)
			*t = 3600;
		return 3600;
	}
	END
	gcc -shared -fPIC -o "$DIR/clock.so" "$DIR/clock.c"
	fault "a clock that was never set" clock "the year 1970" "timedatectl" \
		env LD_PRELOAD="$DIR/clock.so"
}

daemons()
{
	fake_down
	fault "none runs" daemon "cannot reach hipgated" \
		"systemctl start hipgated"
	answer version '{"version":"0.0.9","protocol":1,"uptime_s":5}'
	fault "of another version" daemon "hipgated is version 0.0.9" \
		"systemctl restart hipgated"
	answer status '{"drops":{},"agents":[{"hit":"2001:21::fa",
		"registered":false,"why":"it does not know this host",
		"mend":"there: allow = 2001:21::1 in [rendezvous]"}]}'
	fault "an association is no registration" agent \
		"not registered at 192.0.2.1:10500" "allow = 2001:21::1"
	answer status '{"drops":{},"agents":[{"hit":"2001:21::fb",
		"registered":true}]}'
	fault "the daemon has another one" agent "without that [register]" \
		"hipgate reload"
	answer sas '[{"peer":"2001:21::77","mtu_by":"floor",
		"locator":"192.0.2.9:10500"}]'
	fault "a black hole" mtu "path to 2001:21::77 swallows" \
		"hipgate doctor mtu"
	answer status '{"offload":{"setting":"auto","udp-segment":
		{"state":"fell back","refused":7}},"drops":{}}'
	fault "the kernel refuses" offload "refused udp-segment 7 times" \
		"offload = safe"
	answer status '{"offload":{"setting":"auto"},"drops":{"dns-loop":1}}'
	fault "DNS in a circle" loop "asks hipgate in its turn" "dns-server ="
	answer status '{"offload":{"setting":"auto"},"drops":{"loop":3}}'
	fault "ESP in a circle" loop "come back through the TUN" "prefix ="
	answer status '{"drops":{},"deaf":["192.0.2.53:53"]}'
	fault "a deaf DNS server" upstream "192.0.2.53:53 answers, but never" \
		"dns-server ="
}

ports()
{
	local holder

	fake_down
	inside python3 -c 'import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 10599)); open("'"$DIR"'/held", "w"); time.sleep(60)' \
		</dev/null >/dev/null 2>&1 &
	holder=$!
	for _ in {1..600}; do
		[[ -e $DIR/held ]] && break
		sleep 0.05
	done
	fault "it is taken" port "UDP port 10599 is some other" "ss -ulpn"
	kill "$holder"
	wait "$holder" 2>/dev/null
	fake_down
	# shellcheck disable=SC2016
	fault "no device node" tun-node "/dev/net/tun: No such file" \
		"modprobe tun" unshare -m sh -c \
		'mount -t tmpfs none /dev/net && exec "$@"' sh
	fake_down
	# shellcheck disable=SC2016
	fault "a device node for root alone" tun-node "nobody cannot open it" \
		"chmod 666" unshare -m sh -c 'mount -t tmpfs none /dev/net &&
		mknod -m 600 /dev/net/tun c 10 200 && exec "$@"' sh
}

devices()
{
	inside ip link del hip0
	fault "it is not there" tun "hip0 is not there" "hipgate-setup"
	inside ip link del hip0
	inside ip tuntap add dev hip0 mode tun user nobody
	fault "it is of another kind" tun "no TUN device with multi_queue" \
		"ip link del dev hip0"
	inside ip link del hip0
	inside ip tuntap add dev hip0 mode tun user daemon multi_queue vnet_hdr
	fault "it is somebody else's" tun "belongs to user daemon" \
		"user = daemon"
	inside ip link set hip0 down
	fault "it is down" tun "hip0 is down" "hipgate-setup"
}

routes()
{
	inside ip -6 rule del pref 10500
	fault "no rule for IPv6" rule "no rule for 2001:db8:401::/64" \
		"ip -6 rule add to 2001:db8:401::/64 lookup 10500"
	inside ip -4 rule del pref 10500
	fault "no rule for IPv4" rule "no rule for 198.18.0.0/24" \
		"ip -4 rule add to 198.18.0.0/24 lookup 10500"
	inside ip -6 route flush table 10500
	fault "no route" route "leads nowhere" "hipgate-setup"
	inside ip -6 rule add to 2001:db8:401::/64 lookup 7 pref 10
	inside ip -6 route add 2001:db8:401::/64 dev other0 table 7
	fault "it leads elsewhere" route "leads to other0, not to hip0" \
		"hipgate-setup"
	inside ip -6 route add 2001:db8:401:0:1::/80 dev other0
	fault "a part of it" overlap "the route to 2001:db8:401:0:1::/80" \
		"take another prefix"
	inside ip -4 addr add 198.18.5.1/16 dev other0
	fault "a VPN around it" overlap "the route to 198.18.0.0/16 by other0" \
		"take another prefix"
	inside sysctl -qw net.ipv4.conf.all.rp_filter=1
	fault "strict everywhere" rp-filter "net.ipv4.conf.all.rp_filter=1" \
		"sysctl -w net.ipv4.conf.all.rp_filter=2"
	inside sysctl -qw net.ipv4.conf.hip0.rp_filter=1
	fault "strict on the TUN" rp-filter "net.ipv4.conf.hip0.rp_filter=1" \
		"sysctl -w net.ipv4.conf.hip0.rp_filter=0"
	inside sysctl -qw net.ipv6.conf.all.forwarding=0
	fault "IPv6 is not" forwarding "IPv6 is not forwarded" \
		"sysctl -w net.ipv6.conf.all.forwarding=1"
	inside sysctl -qw net.ipv4.ip_forward=0
	fault "IPv4 is not" forwarding "IPv4 is not forwarded" \
		"sysctl -w net.ipv4.ip_forward=1"
}

steerings()
{
	inside ip -6 rule del pref 10501
	inside ip -6 rule del pref 10501
	fault "a LAN that is not (IPv6)" steering "port 53 from lan0" \
		"hipgate-setup"
	inside ip -4 rule del pref 10501
	inside ip -4 rule del pref 10501
	fault "a LAN that is not (IPv4)" steering "port 53 from lan0" \
		"hipgate-setup"
	inside ip link del lan0
	fault "a LAN that is no more" steering "there is no such interface" \
		"mend lan ="
	sed -i '/^lan =/d' "$DIR/hipgate.conf"
	echo 'nameserver 192.0.2.53' >"/etc/netns/$NET/resolv.conf"
	fault "a laptop that asks others" steering "this machine asks 192.0.2.53" \
		"hipgate doctor dns"
}

# with_53 ADDRESS COMMAND...: while somebody has its port 53.
with_53()
{
	local holder rc

	rm -f "$DIR/held"
	ip netns exec "$NET" python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET,
                  socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53)); open(sys.argv[2], "w"); time.sleep(60)' \
		"$1" "$DIR/held" </dev/null >/dev/null 2>&1 &
	holder=$!
	for _ in {1..600}; do
		[[ -e $DIR/held ]] && break
		sleep 0.05
	done
	[[ -e $DIR/held ]] && "${@:2}"
	rc=$?
	kill "$holder"
	wait "$holder" 2>/dev/null
	return "$rc"
}

# A resolver of the gateway's own is noted where a LAN reaches it.
resolvers()
{
	local at

	inside ip -4 addr add 192.0.2.129/25 dev lan0
	inside ip -6 addr add 2001:db8:8::1/64 dev lan0 nodad
	check "resolver: none is well" verdict_is resolver good
	for at in 192.0.2.129 2001:db8:8::1 0.0.0.0 ::; do
		check "resolver: one at $at is noted" \
			with_53 "$at" verdict_is resolver note
	done
	check "resolver: it is named, with the mend" with_53 192.0.2.129 has \
		"forward to 2001:db8:401::53" doctor resolver
	for at in 127.0.0.1 2001:db8:9::1; do
		check "resolver: one at $at is nobody's in the LAN" \
			with_53 "$at" verdict_is resolver good
	done
	sed -i 's/^lan = lan0/&\nlisten = 192.0.2.129:53\nlisten = [::]:53/' \
		"$DIR/hipgate.conf"
	for at in 192.0.2.129 ::; do
		check "resolver: hipgate's own at $at is well" \
			with_53 "$at" verdict_is resolver good
	done
	all_good >/dev/null 2>&1
}

# what NAME VERDICT: of a check that is no fault.
verdict_is()
{
	local out

	out=$(doctor "$1" --json)
	echo "$out"
	jq -e --arg v "$2" '.data.checks[0].verdict == $v' <<<"$out"
}

notes()
{
	sed -i '/^lan =/d' "$DIR/hipgate.conf"
	echo 'nameserver 2001:db8:401::53' >"/etc/netns/$NET/resolv.conf"
	check "steering: a laptop that asks the prefix is well" \
		verdict_is steering good
	echo 'nameserver 127.0.0.53' >"/etc/netns/$NET/resolv.conf"
	check "steering: a forwarder is noted" verdict_is steering note
	sed -i '/^prefix = 198/d; s/2001:db8:401/fd00:1:2:3/' \
		"$DIR/hipgate.conf"
	check "prefix: a ULA alone is noted" verdict_is prefix note
	all_good >/dev/null 2>&1
	sed -i '/^dns-server/d' "$DIR/hipgate.conf"
	check "upstream: that there is none is noted" verdict_is upstream note
	all_good >/dev/null 2>&1
	inside ip -4 addr add 192.0.2.9/24 dev other0
	inside ip -4 route add default via 192.0.2.1
	check "forwarding: an uplink that hears no router advertisements" \
		verdict_is forwarding note
	inside sysctl -qw net.ipv6.conf.other0.accept_ra=2
	check "forwarding: one that does is good" verdict_is forwarding good
	all_good >/dev/null 2>&1
}

# ---- the whole ----------------------------------------------------------------

every_check_has_a_fault()
{
	# these have nothing worse than a note
	doctor --json | jq -r '.data.checks[].check' |
		grep -vx -e prefix -e resolver |
		sort -u >"$DIR/all"
	printf '%s\n' "${FAULTS[@]}" | sort -u | diff "$DIR/all" -
}

whole()
{
	local out rc

	out=$(doctor)
	rc=$?
	check "all good: status 0, and says so" \
		test "$rc ${out##*$'\n'}" = "0 no faults"
	none "all good: no fault" grep '^fault' <<<"$out"
	inside ip -6 rule del pref 10500
	chmod 644 "$DIR/key.pem"
	out=$(doctor)
	rc=$?
	check "several faults: status 1, and how many" \
		test "$rc ${out##*$'\n'}" = "1 3 faults"
	none "each is told" diff <(awk '$1 == "fault" { print $2 }' \
		<<<"$out") <(printf 'keys\nrule\nroute\n')
	all_good >/dev/null 2>&1
	doctor frob >/dev/null
	check "no such check is a usage error" test $? = 2
	doctor dns x >/dev/null
	check "too many words, too" test $? = 2
}

# says TEXT COMMAND...
has()
{
	local want=$1 out

	shift
	out=$("$@")
	echo "$out"
	grep -qF -- "$want" <<<"$out"
}

# part NAME: that part of `doctor dns`.
part()
{
	doctor dns | awk -v name="# $1" 'index($0, name) == 1 { on = 1; next }
		/^# / { on = 0 } on' >"$DIR/part"
	[[ -s $DIR/part ]]
}

printed()
{
	check "doctor mtu: what was found" has \
		"outer     1500 octets" doctor mtu hip.foo.com
	check "and who said so" has "said by   a probe of that size" \
		doctor mtu hip.foo.com
	answer explain '{"sa":null}'
	check "doctor mtu without an SA: the mend" has \
		"hipgate connect hip.foo.com" doctor mtu hip.foo.com
	printf '[policy "*.foo.com"]\nhip = require\n' >>"$DIR/hipgate.conf"
	part dnsmasq
	check "doctor dns: dnsmasq takes its stanza" \
		dnsmasq --test --conf-file="$DIR/part"
	check "and it is that of the policy" grep -qx \
		'server=/foo.com/2001:db8:401::53' "$DIR/part"
	check "and the exception from rebinding" grep -qx \
		'rebind-domain-ok=/foo.com/' "$DIR/part"
	part unbound
	check "doctor dns: unbound takes its stanza" unbound-checkconf \
		"$DIR/part"
	check "and excepts them" grep -q \
		'private-domain: "foo.com."' "$DIR/part"
	part systemd-resolved
	check "doctor dns: and resolved's" grep -qx \
		'Domains= ~foo.com' "$DIR/part"
	all_good >/dev/null 2>&1
}

((EUID == 0)) || {
	fail "doctor: needs root"
	exit 1
}
fake_write
all_good || fail "the namespace comes up" "$(cat "$DIR/commands")"
whole
files
clocks
daemons
ports
devices
routes
steerings
notes
resolvers
check "every check of the table has its fault here" every_check_has_a_fault
printed
exit "$CHECK_FAILED"
