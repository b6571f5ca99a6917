# SPDX-License-Identifier: MIT
# What the topology serves besides HIP: BIND, nginx, echo; and captures.
# Sourced. All files are in $DEMO_DIR, nothing of the machine is touched.
# shellcheck shell=bash

PAGE='<!doctype html><title>hip.foo.com</title><p>a page of the HIP host</p>'
PLAIN_PAGE='<!doctype html><title>plain</title><p>a page of a plain host</p>'
BIG_BYTES=$((100 * 1000 * 1000))
ECHO_PORT=10000

# spawn NODE NAME COMMAND...: in the background, its output in logs/NAME.log,
# its process id in pids/NAME. It lives until the namespace ends.
spawn()
{
	local node=$1 name=$2

	shift 2
	mkdir -p "$DEMO_DIR/logs" "$DEMO_DIR/pids"
	setsid ip netns exec "$(ns "$node")" "$@" \
		</dev/null >>"$DEMO_DIR/logs/$name.log" 2>&1 &
	echo $! >"$DEMO_DIR/pids/$name"
}

pid_of()
{
	cat "$DEMO_DIR/pids/$1"
}

alive()
{
	kill -0 "$(pid_of "$1")" 2>/dev/null
}

# end NAME [SIGNAL]: one spawned process, and waits until it is gone.
end()
{
	local pid

	pid=$(pid_of "$1")
	kill -s "${2-TERM}" "$pid" 2>/dev/null || return 0
	{ wait "$pid" || true; } 2>/dev/null
	wait_for 10 "the end of $1" gone "$pid"
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# ---- BIND: resolver of the legacy hosts, authority for foo.com ----------

# addresses NAME [V6] [V4]
addresses()
{
	local a

	for a in "${@:2}"; do
		if [[ $a == *:* ]]; then
			printf '%s\tIN AAAA %s\n' "$1" "$a"
		else
			printf '%s\tIN A %s\n' "$1" "$a"
		fi
	done
}

# The HIP records were made by `hipgate dns-record` (hip_records). A host
# behind the Forwarding Agent has the agent's address, as in the patent. One
# has it in IPv6 only and one in IPv4 only, so that the outer path is known:
# with both, I1 goes to both and the first R1 wins.
zone_foo()
{
	cat <<-END
	\$TTL 300
	@	IN SOA dns.foo.com. root.foo.com. 1 3600 600 86400 60
	@	IN NS dns.foo.com.
	END
	addresses dns "$DNS_6" "$DNS_4"
	addresses fa "$FA_6"
	addresses fa4 "$FA_4"
	addresses hip "$FA_6"
	addresses hip4 "$FA_4"
	addresses fixed "$FIX_6" "$FIX_4"
	addresses silent "$SILENT_6"
	addresses hidden "$FA_4"
	addresses plain "$WEB_6" "$WEB_4"
	addresses plain4 "$WEB_4"
	addresses plain6 "$WEB_6"
	printf 'plain\tIN TXT "just a name"\n'
	printf 'plain\tIN MX 10 mail.example.\n'
	printf 'hip\tIN TXT "a host behind an agent"\n'
	printf 'alias\tIN CNAME plain\n'
	printf 'fresh\t0 IN AAAA %s\n' "$WEB_6"
	cat "$DEMO_DIR/bind/hip-records"
}

bind_conf()
{
	local dir=$DEMO_DIR/bind

	cat <<-END
	options {
		directory "$dir";
		listen-on { any; };
		listen-on-v6 { any; };
		pid-file none;
		session-keyfile none;
		recursion yes;
		allow-query { any; };
		allow-recursion { any; };
		dnssec-validation no;
		rrset-order { order none; };
	};
	controls { };
	zone "." { type primary; file "$dir/root.zone"; };
	zone "foo.com" { type primary; file "$dir/foo.com.zone"; };
	END
}

bind_files()
{
	local dir=$DEMO_DIR/bind

	mkdir -p "$dir"
	[[ -e $dir/hip-records ]] || : >"$dir/hip-records"
	bind_conf >"$dir/named.conf"
	zone_foo >"$dir/foo.com.zone"
	# The root of this little internet; other names do not exist.
	cat >"$dir/root.zone" <<-END
	\$TTL 300
	@	IN SOA dns.foo.com. root.foo.com. 1 3600 600 86400 60
	@	IN NS dns.foo.com.
	foo.com. IN NS dns.foo.com.
	END
	addresses dns.foo.com. "$DNS_6" "$DNS_4" >>"$dir/root.zone"
}

bind_answers()
{
	at dns dig +time=1 +tries=1 +short @"$1" dns.foo.com A |
		grep -qx "$DNS_4"
}

# A copy of named is run: an AppArmor profile of the machine goes by path and
# would keep named out of our directory.
bind_up()
{
	bind_files
	install -m 755 "$(command -v named)" "$DEMO_DIR/bin/named"
	named-checkzone -q foo.com "$DEMO_DIR/bind/foo.com.zone" ||
		die "BIND refuses the zone $DEMO_DIR/bind/foo.com.zone"
	spawn dns named "$DEMO_DIR/bin/named" -g -n 1 \
		-c "$DEMO_DIR/bind/named.conf"
	wait_for 20 "BIND's answer over IPv6" bind_answers "$DNS_6" &&
		wait_for 20 "BIND's answer over IPv4" bind_answers "$DNS_4"
}

# ---- nginx --------------------------------------------------------------

nginx_conf()
{
	local dir=$1 kind

	cat <<-END
	daemon off;
	user root;
	worker_processes 1;
	pid $dir/nginx.pid;
	error_log $dir/error.log;
	events { worker_connections 512; }
	http {
		default_type text/html;
		access_log $dir/access.log;
		sendfile on;
	END
	for kind in client_body proxy fastcgi uwsgi scgi; do
		printf '\t%s_temp_path %s/tmp;\n' "$kind" "$dir"
	done
	cat <<-END
		server {
			listen [::]:80 ipv6only=off;
			root $dir/html;
		}
	}
	END
}

# nginx_up NODE PAGE
nginx_up()
{
	local node=$1 dir=$DEMO_DIR/nginx-$1

	mkdir -p "$dir/html" "$dir/tmp"
	printf '%s\n' "$2" >"$dir/html/index.html"
	nginx_conf "$dir" >"$dir/nginx.conf"
	spawn "$node" "nginx-$node" nginx -e "$dir/error.log" \
		-c "$dir/nginx.conf"
	wait_for 10 "nginx on $node" \
		at "$node" curl -fsS -o "$dir/self" "http://[::1]/"
}

# The 100 MB file, made once, with its sum beside it.
big_file()
{
	local file=$DEMO_DIR/big

	if [[ ! -e $file.sha256 ]]; then
		head -c "$BIG_BYTES" /dev/urandom >"$file"
		sha256sum <"$file" >"$file.sha256"
	fi
	ln -sf "$file" "$DEMO_DIR/nginx-$1/html/big"
}

# ---- echo ---------------------------------------------------------------

listening()
{
	at "$1" ss -Hln "$2" "sport = :$3" | grep -q .
}

# Each TCP connection has a process of its own. UDP answers each datagram by
# itself, so that no client's earlier one holds the port.
echo_up()
{
	spawn "$1" "echo-tcp-$1" socat \
		"TCP6-LISTEN:$ECHO_PORT,ipv6only=0,reuseaddr,fork,backlog=128" \
		PIPE
	spawn "$1" "echo-udp-$1" socat \
		"UDP6-RECVFROM:$ECHO_PORT,ipv6only=0,fork" PIPE
	wait_for 10 "the TCP echo on $1" listening "$1" -t "$ECHO_PORT" &&
		wait_for 10 "the UDP echo on $1" listening "$1" -u "$ECHO_PORT"
}

# ---- captures -----------------------------------------------------------

# capture_up NODE DEVICE FILE.pcap: returns when packets are being taken.
capture_up()
{
	local name

	name=capture-$(basename "$3" .pcap)
	: >"$DEMO_DIR/logs/$name.log"
	spawn "$1" "$name" tcpdump -Z root -n -i "$2" -U -w "$3" \
		--immediate-mode -B 8192 -s "${4-0}"
	wait_for 10 "the capture on $1 $2" \
		grep -q 'listening on' "$DEMO_DIR/logs/$name.log"
}

# TERM makes tcpdump write out what it has and say how much that was.
capture_down()
{
	end "capture-$(basename "$1" .pcap)" TERM
}

services_up()
{
	mkdir -p "$DEMO_DIR/bin"
	bind_up || return 1
	nginx_up web "$PLAIN_PAGE" || return 1
	local node
	for node in hip hip4 fix; do
		nginx_up "$node" "$PAGE" || return 1
		echo_up "$node" || return 1
	done
	big_file hip
	big_file hip4
	big_file web
}
