# SPDX-License-Identifier: MIT
# Clients that have a mind of their own about DNS: forwarders on a legacy
# host, another C library, a browser. Sourced by run.sh.
# shellcheck shell=bash
#
# On lh2 run unbound, dnsmasq and systemd-resolved, each with an address of
# its own on the loopback device and nothing set but where to forward to: the
# server that the network says. unbound and dnsmasq drop private addresses, but
# for the names that docs/dns.md has them except.

UNBOUND_AT=127.0.0.10
DNSMASQ_AT=127.0.0.11
RESOLVED_AT=127.0.0.53

# ---- unbound -------------------------------------------------------------

unbound_conf()
{
	cat <<-END
	server:
		interface: $UNBOUND_AT
		do-daemonize: no
		use-syslog: no
		username: ""
		chroot: ""
		directory: "$DEMO_DIR"
		pidfile: ""
		private-address: $POOL6
		private-address: 198.18.0.0/15
		private-domain: "foo.com"
	forward-zone:
		name: "."
		forward-addr: $DNS_4
	END
}

# Programs are copied, as BIND is: profiles of the machine go by path.
unbound_starts()
{
	unbound_conf >"$DEMO_DIR/unbound.conf"
	install -m 755 "$(command -v unbound)" "$DEMO_DIR/bin/unbound" &&
		spawn lh2 unbound "$DEMO_DIR/bin/unbound" -d \
			-c "$DEMO_DIR/unbound.conf" &&
		forwards "$UNBOUND_AT"
}

# ---- dnsmasq -------------------------------------------------------------

dnsmasq_starts()
{
	install -m 755 "$(command -v dnsmasq)" "$DEMO_DIR/bin/dnsmasq" &&
		spawn lh2 dnsmasq "$DEMO_DIR/bin/dnsmasq" \
			--keep-in-foreground --conf-file=/dev/null \
			--user=root --pid-file= --bind-interfaces \
			--listen-address="$DNSMASQ_AT" --no-resolv \
			--stop-dns-rebind --rebind-domain-ok=/foo.com/ \
			--server="$DNS_4" &&
		forwards "$DNSMASQ_AT"
}

# ---- systemd-resolved ----------------------------------------------------

# Its package would take over the machine's own resolv.conf: it is unpacked
# beside the build instead, with the library it shares with systemd.
resolved_unpacked()
{
	local dir=$BUILD/resolved

	[[ -e $dir/ready ]] && return
	rm -rf "$dir"
	mkdir -p "$dir"
	(
		cd "$dir" || exit
		resolved_download || { apt-get -q update &&
			resolved_download; } || exit
		for deb in ./*.deb; do
			dpkg-deb -x "$deb" . || exit
		done
		: >ready
	) >>"$DEMO_DIR/logs/resolved.log" 2>&1
}

resolved_download()
{
	apt-get -q -o APT::Sandbox::User=root download systemd-resolved \
		libsystemd-shared
}

resolved_conf()
{
	cat <<-END
	[Resolve]
	DNS=$DNS_4
	Domains=~.
	LLMNR=no
	MulticastDNS=no
	END
}

# resolved_user FILE LINE...: the machine's file with the user it runs as.
resolved_user()
{
	{ grep -v ^systemd-resolve: "/etc/$1" && printf '%s\n' "$2"; } \
		>"$DEMO_DIR/resolved.$1"
}

# In a mount namespace of its own (`ip netns exec` makes it) it finds its
# configuration and its user, and room for what it writes.
# shellcheck disable=SC2016
WITH_RESOLVED='mount --bind "$1/resolved.passwd" /etc/passwd &&
	mount --bind "$1/resolved.group" /etc/group &&
	cp "$1/resolved.conf" /tmp/hipgate-resolved.$$ &&
	mount -t tmpfs -o mode=755 run /run &&
	mkdir -p /run/systemd/resolved.conf.d &&
	mv /tmp/hipgate-resolved.$$ /run/systemd/resolved.conf.d/e2e.conf &&
	shift && exec "$@"'

resolved_starts()
{
	local dir=$BUILD/resolved lib

	resolved_unpacked || return
	resolved_conf >"$DEMO_DIR/resolved.conf"
	resolved_user passwd \
		"systemd-resolve:x:64990:64990::/:/usr/sbin/nologin"
	resolved_user group "systemd-resolve:x:64990:"
	lib=$(echo "$dir"/usr/lib/*/systemd)
	spawn lh2 resolved sh -c "$WITH_RESOLVED" sh "$DEMO_DIR" \
		env LD_LIBRARY_PATH="$lib" \
		"$dir/lib/systemd/systemd-resolved" &&
		forwards "$RESOLVED_AT"
}

# ---- what each must show --------------------------------------------------

dig_at()
{
	at lh2 dig "@$1" +time=5 +tries=1 "${@:2}"
}

plain_is_known()
{
	dig_at "$1" +short plain.foo.com A | grep -qx "$WEB_4"
}

forwards()
{
	wait_for 20 "an answer of $1" plain_is_known "$1"
}

# lh2's programs with $1 as their name server.
with_server()
{
	local file=$DEMO_DIR/resolv.$1

	echo "nameserver $1" >"$file"
	# shellcheck disable=SC2016
	at lh2 sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' \
		"$file" "${@:2}"
}

# The same substitute as lh1 has from hipgate itself, in both families.
same_substitute()
{
	local f kind got want

	for f in 6 4; do
		kind=AAAA
		((f == 6)) || kind=A
		got=$(dig_at "$1" +short "$2" "$kind")
		want=$(resolve lh1 6 "$2")
		((f == 6)) || want=$(resolve lh4 4 "$2")
		echo "$kind: $got, wanted: $want"
		[[ -n $want && $got == "$want" ]] || return 1
	done
}

page_through()
{
	local got

	got=$(with_server "$1" curl -sS "-$2" --max-time 30 "http://$3/") ||
		return 1
	echo "got: $got"
	[[ $got == "$4" ]]
}

nobody_through()
{
	dig_shows "$1" 'status: NXDOMAIN' nobody.foo.com AAAA
}

# HTTPS, SVCB, ANY: nothing that leads around the substitute.
no_way_around()
{
	local kind

	for kind in HTTPS SVCB ANY; do
		dig_at "$1" +short fixed.foo.com "$kind" |
			grep -F -e "$FIX_6" -e "$FIX_4"
	done
}

forwarder_checks()
{
	local name=$1 at=$2 host

	for host in hip.foo.com fixed.foo.com; do
		check "$name: $host has the substitute that all others have" \
			same_substitute "$at" "$host"
	done
	check "$name: the page of hip.foo.com over IPv6" \
		page_through "$at" 6 hip.foo.com "$PAGE"
	check "$name: the page of hip.foo.com over IPv4" \
		page_through "$at" 4 hip.foo.com "$PAGE"
	check "$name: the page of a plain host" \
		page_through "$at" 6 plain.foo.com "$PLAIN_PAGE"
	check "$name: a name that is not there" nobody_through "$at"
	none "$name: no record leads around a substitute" no_way_around "$at"
}

# ---- musl ------------------------------------------------------------------

musl_built()
{
	musl-gcc -std=gnu11 -O2 -Wall -Werror -static \
		-o "$DEMO_DIR/bin/lookup" "$ROOT/test/e2e/lookup.c"
}

# musl_finds NODE 4|6 NAME: what glibc finds there.
musl_finds()
{
	local got want

	got=$(at "$1" "$DEMO_DIR/bin/lookup" "$2" "$3")
	want=$(resolve "$1" "$2" "$3")
	echo "musl: $got, glibc: $want"
	[[ -n $want && $got == "$want" ]]
}

musl_checks()
{
	check "a program with musl is built" musl_built
	check "musl: hip.foo.com over IPv6" musl_finds lh1 6 hip.foo.com
	check "musl: hip4.foo.com over IPv4" musl_finds lh4 4 hip4.foo.com
	check "musl: plain.foo.com" musl_finds lh1 6 plain.foo.com
	none "musl: a name that is not there" \
		at lh1 sh -c "$DEMO_DIR/bin/lookup 6 nobody.foo.com 2>/dev/null"
}

# ---- busybox ---------------------------------------------------------------

# busybox_finds NODE aaaa|a NAME: its nslookup asks whom resolv.conf names.
busybox_finds()
{
	local got want family=6

	[[ $2 == aaaa ]] || family=4
	got=$(at "$1" busybox nslookup "-type=$2" "$3" |
		awk '$1 == "Name:" { named = 1 } named && $1 == "Address:" {
			print $2 }')
	want=$(resolve "$1" "$family" "$3")
	echo "busybox: $got, glibc: $want"
	[[ -n $want && $got == "$want" ]]
}

# Debian's has no -T, and crashes at one.
busybox_fetches()
{
	local got

	got=$(at "$1" timeout 30 busybox wget -q -O - "http://$2/") ||
		return 1
	echo "got: $got"
	[[ $got == "$3" ]]
}

busybox_knows_nobody()
{
	local out

	out=$(at lh1 busybox nslookup nobody.foo.com 2>&1)
	echo "$out"
	grep -q NXDOMAIN <<<"$out"
}

busybox_checks()
{
	check "busybox nslookup: hip.foo.com" \
		busybox_finds lh1 aaaa hip.foo.com
	check "busybox nslookup: hip4.foo.com from an IPv4-only host" \
		busybox_finds lh4 a hip4.foo.com
	check "busybox nslookup: plain.foo.com" \
		busybox_finds lh1 aaaa plain.foo.com
	check "busybox nslookup: a name that is not there" \
		busybox_knows_nobody
	check "busybox wget: the page of hip.foo.com" \
		busybox_fetches lh1 hip.foo.com "$PAGE"
	check "busybox wget: the page of hip4.foo.com from an IPv4-only host" \
		busybox_fetches lh4 hip4.foo.com "$PAGE"
	check "busybox wget: the page of a plain host" \
		busybox_fetches lh1 plain.foo.com "$PLAIN_PAGE"
}

# ---- forwarders that validate ------------------------------------------------

# Of the signed zone foo.com; called by dns.sh, which has its key.
VALIDATING_UNBOUND=127.0.0.20
VALIDATING_DNSMASQ=127.0.0.21
SPARING_UNBOUND=127.0.0.22	# what docs/dns.md has them spare
SPARING_DNSMASQ=127.0.0.23

# A key of the root: this little internet's has none, so nothing but what is
# spared passes who trusts that one alone.
ROOT_DS="20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"

# validating_unbound ADDRESS LINE...: lines of its section server.
validating_unbound()
{
	local file=$DEMO_DIR/unbound-$1.conf

	cat >"$file" <<-END
	server:
		interface: $1
		do-daemonize: no
		use-syslog: no
		username: ""
		chroot: ""
		directory: "$DEMO_DIR"
		pidfile: ""
		$(printf '%s\n' "${@:2}")
	forward-zone:
		name: "."
		forward-addr: $DNS_4
	END
	install -m 755 "$(command -v unbound)" "$DEMO_DIR/bin/unbound" &&
		spawn lh2 "unbound-$1" "$DEMO_DIR/bin/unbound" -d -c "$file" &&
		forwards "$1"
}

# validating_dnsmasq ADDRESS OPTION...
validating_dnsmasq()
{
	install -m 755 "$(command -v dnsmasq)" "$DEMO_DIR/bin/dnsmasq" &&
		spawn lh2 "dnsmasq-$1" "$DEMO_DIR/bin/dnsmasq" \
			--keep-in-foreground --conf-file=/dev/null \
			--user=root --pid-file= --bind-interfaces \
			--listen-address="$1" --no-resolv --dnssec \
			--trust-anchor=".,${ROOT_DS// /,}" --server="$DNS_4" \
			"${@:2}" &&
		forwards "$1"
}

# The anchor as dnsmasq has it: DOMAIN,TAG,ALGORITHM,TYPE,DIGEST.
anchor_of_dnsmasq()
{
	{ echo "\$TTL 300" && cat "$DEMO_DIR/px/anchor"; } |
		dnssec-dsfromkey -2 -f - foo.com |
		awk '{ printf "foo.com,%s,%s,%s,", $4, $5, $6
			for (i = 7; i <= NF; i++)
				printf "%s", $i }'
}

# dig_shows ADDRESS PATTERN NAME TYPE
dig_shows()
{
	local out

	out=$(dig_at "$1" "${@:3}")
	echo "$out"
	grep -qE -- "$2" <<<"$out"
}

clear_address()
{
	dig_at "$1" +short fixed.foo.com AAAA | grep -F "$FIX_6"
}

validator_checks()
{
	check "$1 that validates: a plain name is proven" \
		dig_shows "$2" 'flags:.* ad[ ;]' plain.foo.com A
	check "$1 that validates: a substitute is forged to it" \
		dig_shows "$2" 'status: SERVFAIL' fixed.foo.com AAAA
	none "$1 that validates: it gets no clear address" clear_address "$2"
	check "$1 that spares the zone: the substitute that all have" \
		same_substitute "$3" fixed.foo.com
}

validating_checks()
{
	local at

	check "an unbound validates" validating_unbound "$VALIDATING_UNBOUND" \
		"trust-anchor-file: $DEMO_DIR/px/anchor"
	check "an unbound spares foo.com" validating_unbound \
		"$SPARING_UNBOUND" "trust-anchor: \". DS $ROOT_DS\"" \
		'domain-insecure: "foo.com"'
	validator_checks "an unbound" "$VALIDATING_UNBOUND" "$SPARING_UNBOUND"
	check "a dnsmasq validates" validating_dnsmasq "$VALIDATING_DNSMASQ" \
		--trust-anchor="$(anchor_of_dnsmasq)"
	check "a dnsmasq spares foo.com" validating_dnsmasq \
		"$SPARING_DNSMASQ" --server="/foo.com/$WAYS_DNS6"
	validator_checks "a dnsmasq" "$VALIDATING_DNSMASQ" "$SPARING_DNSMASQ"
	for at in "$VALIDATING_UNBOUND" "$SPARING_UNBOUND"; do
		end "unbound-$at"
	done
	for at in "$VALIDATING_DNSMASQ" "$SPARING_DNSMASQ"; do
		end "dnsmasq-$at"
	done
}

# ---- Chromium ----------------------------------------------------------------

# browses NODE URL: the page as the browser has it.
browses()
{
	rm -rf "$DEMO_DIR/chromium"
	at "$1" timeout 60 env HOME="$DEMO_DIR" chromium-headless-shell \
		--no-sandbox --disable-gpu --user-data-dir="$DEMO_DIR/chromium" \
		--dump-dom "$2" 2>>"$DEMO_DIR/logs/chromium.log"
}

browser_shows()
{
	local got

	got=$(browses "$1" "$2")
	echo "$got"
	grep -qF "$3" <<<"$got"
}

browser_checks()
{
	check "Chromium opens http://hip.foo.com/" \
		browser_shows lh1 http://hip.foo.com/ "a page of the HIP host"
	check "Chromium opens http://hip4.foo.com/ from an IPv4-only host" \
		browser_shows lh4 http://hip4.foo.com/ "a page of the HIP host"
	check "Chromium opens http://plain.foo.com/" \
		browser_shows lh1 http://plain.foo.com/ "a page of a plain host"
}

resolvers_checks()
{
	check "unbound forwards" unbound_starts
	forwarder_checks unbound "$UNBOUND_AT"
	check "dnsmasq forwards" dnsmasq_starts
	forwarder_checks dnsmasq "$DNSMASQ_AT"
	check "systemd-resolved forwards" resolved_starts
	forwarder_checks systemd-resolved "$RESOLVED_AT"
	musl_checks
	busybox_checks
	browser_checks
}
