# SPDX-License-Identifier: MIT
# What administrators see: /metrics, /ready, the status page in a browser,
# logs and their levels. Sourced by run.sh.
# shellcheck shell=bash

HTTP_AT=127.0.0.1:9464

# of_http PATH [CURL-OPTION...]: as a program on the proxy asks.
of_http()
{
	at px curl -sS --max-time 10 "${@:2}" "http://$HTTP_AT$1"
}

# http_is STATUS PATH [CURL-OPTION...]
http_is()
{
	local got

	got=$(of_http "$2" -o /dev/null -w '%{http_code}' "${@:3}")
	echo "got: $got"
	[[ $got == "$1" ]]
}

# ---- metrics -------------------------------------------------------------

# By the parser of Prometheus's own library, and with what must be in it.
# Debian's Python: that is the one which has the library.
open_metrics()
{
	of_http /metrics -o "$DEMO_DIR/metrics" &&
		/usr/bin/python3 - "$DEMO_DIR/metrics" <<-'END'
	import sys
	from prometheus_client.openmetrics.parser import (
	    text_string_to_metric_families as families)
	text = open(sys.argv[1]).read()
	assert len(text) <= 65536, len(text)
	got = {f.name: f for f in families(text)}
	for name, kind in (("hipgate_drops", "counter"),
	        ("hipgate_bex", "counter"), ("hipgate_bex_seconds", "histogram"),
	        ("hipgate_dns_seconds", "histogram"), ("hipgate_flows", "gauge"),
	        ("hipgate_build", "info"), ("process_cpu_seconds", "counter")):
	    assert got[name].type == kind, (name, got[name].type)
	for f in got.values():
	    assert f.documentation, f.name
	    for s in f.samples:
	        for v in s.labels.values():
	            assert "foo.com" not in v and "2001:" not in v, s
	assert sum(s.value for s in got["hipgate_bex"].samples) > 0
	END
}

metrics_type()
{
	of_http /metrics -o /dev/null -w '%{content_type}' | grep -Fx \
		'application/openmetrics-text; version=1.0.0; charset=utf-8'
}

# The tool has the same, over the control socket.
metrics_by_tool()
{
	hipgate metrics --socket "$DEMO_DIR/px/ctl.sock" |
		tee "$DEMO_DIR/metrics.tool" | tail -n 1 | grep -qx '# EOF' &&
		diff <(grep '^#' "$DEMO_DIR/metrics") \
			<(grep '^#' "$DEMO_DIR/metrics.tool")
}

# Every metric that the dashboard names is one that the daemon has.
dashboard_metrics()
{
	jq -r '.. | .expr? // empty' "$ROOT/dist/grafana/hipgate.json" |
		grep -oE '\b(hipgate|process)_[a-z_]+' | sort -u |
		while read -r name; do
			grep -qE "^${name}[{ ]" "$DEMO_DIR/metrics" ||
				echo "no such metric: $name"
		done
}

# ---- who may ask, and how ------------------------------------------------------

# Once connections are used up, more are refused, and the daemon serves on.
many_connections()
{
	at px python3 - <<-'END'
	import socket
	all = []
	for i in range(100):
	    s = socket.create_connection(("127.0.0.1", 9464))
	    s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-")
	    all.append(s)
	END
	wait_for 15 "an answer" http_is 200 /ready
}

# A header that never ends is cut off.
endless_header()
{
	http_is 431 / -H "X-Long: $(head -c 40000 /dev/zero | tr '\0' a)" ||
		http_is 413 / -H "X-Long: $(head -c 40000 /dev/zero |
			tr '\0' a)"
}

page_headers()
{
	of_http / -o /dev/null -D - | tee "$DEMO_DIR/headers"
	! grep -qi '^access-control' "$DEMO_DIR/headers" &&
		grep -qi "^content-security-policy: default-src 'none'; style" \
			"$DEMO_DIR/headers" &&
		grep -qi '^x-frame-options: deny' "$DEMO_DIR/headers"
}

http_access_checks()
{
	check "/ready is 200" http_is 200 /ready
	check "a foreign Host is refused: 403" \
		http_is 403 / -H 'Host: evil.example'
	check "metrics, too" http_is 403 /metrics -H 'Host: evil.example:9464'
	check "no Host is refused" http_is 403 / -0 -H 'Host:'
	check "localhost is one of ours" http_is 200 / -H 'Host: localhost:80'
	check "POST is refused: 405" http_is 405 / -X POST -d x=1
	check "DELETE, too" http_is 405 /metrics -X DELETE
	check "HEAD is answered" http_is 200 / -I
	check "another path is 404" http_is 404 /ctl
	check "headers keep browsers from what they need not do" page_headers
	check "an endless header is refused" endless_header
	check "many connections that say nothing do no harm" many_connections
	check "the control socket answers meanwhile" daemon_ready px
}

# ---- a pool that leads elsewhere -------------------------------------------------

# The rule goes, as if somebody else's had come before it: no client may be
# given an address that leads to whoever has the pool now (product.md T19).
route_lost()
{
	at px ip -6 rule del pref 10500 &&
		wait_for 10 "it to be seen" http_is 503 /ready &&
		of_http /ready | grep 'does not come to .*; run hipgate-setup' &&
		at lh1 dig +time=5 +tries=1 hip.foo.com AAAA |
		grep 'status: SERVFAIL' &&
		at lh1 dig +time=5 +tries=1 dns.foo.com A |
		grep 'status: NOERROR'
}

route_back()
{
	setup_node px && wait_for 10 "it to be seen" http_is 200 /ready &&
		gets_page lh1 6 hip.foo.com
}

# ---- the page --------------------------------------------------------------------

page_shows()
{
	local got word

	got=$(browses px "http://$HTTP_AT/") || return 1
	for word in hip.foo.com "$(node_hit hip)" ESTABLISHED Throughput \
		"<svg" 'class="letter"'; do
		grep -qF -- "$word" <<<"$got" || {
			echo "the page lacks: $word"
			return 1
		}
	done
}

# shot FILE WIDTH HEIGHT [OPTION...]: styles are let through; a page without
# them, or none, is a small picture.
shot()
{
	rm -rf "$DEMO_DIR/chromium"
	at px timeout 60 env HOME="$DEMO_DIR" chromium-headless-shell \
		--no-sandbox --disable-gpu --hide-scrollbars \
		--user-data-dir="$DEMO_DIR/chromium" --screenshot="$1" \
		--window-size="$2,$3" "${@:4}" "http://$HTTP_AT/" \
		2>"$DEMO_DIR/logs/shot.log" &&
		! grep -i 'Content Security Policy' "$DEMO_DIR/logs/shot.log" &&
		(($(stat -c %s "$1") > 20000))
}

differ()
{
	! cmp -s "$1" "$2"
}

page_checks()
{
	local dark=--blink-settings=preferredColorScheme=0

	check "the page names hosts, states and steps" page_shows
	check "an hour's plots are a page, too" http_is 200 '/?hour&still'
	check "Chromium draws it wide, light" shot "$DEMO_DIR/a.png" 1280 1800
	check "wide, dark" shot "$DEMO_DIR/b.png" 1280 1800 "$dark"
	check "narrow, light" shot "$DEMO_DIR/c.png" 400 3600
	check "narrow, dark" shot "$DEMO_DIR/d.png" 400 3600 "$dark"
	check "light and dark are not the same" differ "$DEMO_DIR/a.png" \
		"$DEMO_DIR/b.png"
}

# ---- slow readers ---------------------------------------------------------------

# All of them are there and read nothing until the daemon has answered.
slow_readers()
{
	local gate=$DEMO_DIR/slow rc readers

	rm -f "$gate".*
	at px timeout 60 python3 - "$gate" <<-'END' &
	import os, socket, sys, time
	all = []
	for i in range(20):
	    s = socket.create_connection(("127.0.0.1", 9464))
	    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
	    s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
	    all.append(s)
	open(sys.argv[1] + ".there", "w").close()
	while not os.path.exists(sys.argv[1] + ".answered"):
	    time.sleep(0.02)
	END
	readers=$!
	wait_for 20 "readers" test -e "$gate.there" &&
		daemon_ready px >/dev/null
	rc=$?
	: >"$gate.answered"
	wait "$readers" && return "$rc"
}

# ---- logs ------------------------------------------------------------------------

log_of()
{
	cat "$DEMO_DIR/logs/hipgated-$1.log"
}

hipgate_log()
{
	hipgate log "$@" --socket "$DEMO_DIR/px/ctl.sock" 2>&1
}

asks_again()
{
	at lh1 dig +time=5 +tries=1 hip.foo.com AAAA >/dev/null &&
		grep -q 'sub=dns event=dns-query .*name=hip.foo.com' \
			"$DEMO_DIR/logs/hipgated-px.log"
}

log_levels()
{
	local before

	before=$(log_of px | grep -c event=dns-query)
	hipgate_log dns debug | grep -E '^dns +debug +info' &&
		hipgate_log | grep -E '^hip +info +info' &&
		wait_for 5 "a line about DNS" asks_again &&
		(($(log_of px | grep -c event=dns-query) > before))
}

log_level_back()
{
	hipgate reload --socket "$DEMO_DIR/px/ctl.sock" &&
		hipgate_log | grep -E '^dns +info +info'
}

wrong_level()
{
	says "$(hipgate_log dns loud)" 'there are: error, warn, info, debug' &&
		says "$(hipgate_log dn info)" 'there are: all, control, dns'
}

# Each line has the same parts; no event is a line twice.
lines_of_log()
{
	log_of "$1" | grep -vE '^time=[0-9T:.-]+Z level=(error|warn|info|debug) sub=[a-z]+ event=[a-z-]+( [a-z0-9_-]+=("([^"\\]|\\.)*"|[^ "]*))*$'
}

logs_checks()
{
	none "each line of the proxy's log is key=value" lines_of_log px
	none "and of the agent's" lines_of_log fa
	check "a level is set for one subsystem, at run time" log_levels
	check "and taken back by a reload" log_level_back
	check "a wrong one is told what there is" wrong_level
}

# ---- alone, with a journal ---------------------------------------------------------

JOURNALD='
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/systemd/journal/socket")
s.settimeout(15)
got = b""
while b"HIPGATE_EVENT=stopped" not in got:
    got = s.recv(65536)
    print(got.decode(), flush=True)
'

# In a network without an address, where a script plays journald. $1: folder,
# $2: the script, $3: hipgated.
# shellcheck disable=SC2016
ALONE='cd "$1" && mount -t tmpfs run /run &&
	mkdir -p /run/systemd/journal || exit
	python3 -c "$2" >journal &
	until [ -S /run/systemd/journal/socket ]; do sleep 0.02; done
	exec 2>stderr
	export JOURNAL_STREAM=$(stat -Lc %d:%i stderr)
	"$3" --config conf & pid=$!
	for i in $(seq 100); do
		curl -s --unix-socket http.sock http://localhost/ready >why
		grep -q "no address" why && break
		sleep 0.1
	done
	curl -s -o page -w "%{http_code}" --unix-socket http.sock \
		http://localhost/ready >status
	curl -s -o /dev/null -w "%{http_code}" --unix-socket http.sock \
		http://evil.example/ready >foreign
	kill $pid; wait'

alone()
{
	local dir=$DEMO_DIR/alone

	mkdir -p "$dir"
	hipgate keygen --force "$dir/key.pem" >/dev/null
	cat >"$dir/conf" <<-END
	[daemon]
	identity = $dir/key.pem
	state = $dir
	control = $dir/ctl.sock
	[rendezvous]
	[http]
	listen = $dir/http.sock
	END
	timeout 40 unshare --mount --net bash -c "$ALONE" alone "$dir" \
		"$JOURNALD" "$DEMO_DIR/bin/hipgated"
}

alone_checks()
{
	local dir=$DEMO_DIR/alone

	check "hipgated runs alone, its log is the journal's" alone
	check "without an address it is not ready: 503" \
		grep -qx 503 "$dir/status"
	check "and says so" grep -q "no address that a peer" "$dir/why"
	check "at its socket, too, a foreign name is refused" \
		grep -qx 403 "$dir/foreign"
	check "the journal has the event as a field" \
		grep -qx HIPGATE_EVENT=not-ready "$dir/journal"
	check "and a MESSAGE_ID, and the level" \
		grep -qE '^(MESSAGE_ID=[0-9a-f]{32}|PRIORITY=4)$' "$dir/journal"
	check "and the HIT" grep -qx \
		"HIPGATE_HIT=$(hipgate hit "$dir/key.pem")" "$dir/journal"
	none "nothing went past it" cat "$dir/stderr"
}

# ---- all ---------------------------------------------------------------------------

seeing_checks()
{
	gets_page lh1 6 hip.foo.com >/dev/null
	check "/metrics is OpenMetrics, small, without names" open_metrics
	check "its content type is that of OpenMetrics 1.0" metrics_type
	check "hipgate metrics has the same families" metrics_by_tool
	none "the dashboard names no metric that is not there" \
		dashboard_metrics
	http_access_checks
	check "no route to the pool: not ready, and no name gets an address" \
		route_lost
	check "with the route, all is as before" route_back
	page_checks
	check "readers that do not read do not slow the daemon" slow_readers
	logs_checks
	alone_checks
}
