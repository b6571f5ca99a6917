# SPDX-License-Identifier: MIT
# The tool's larger verbs against real daemons: explain, capture, ping,
# connect, drain, bugreport. Sourced by run.sh.
# shellcheck shell=bash

# tool NODE VERB [ARG]...: as root, on that node.
tool()
{
	at "$1" "$DEMO_DIR/bin/hipgate" "${@:2}" \
		--socket "$DEMO_DIR/$1/ctl.sock" 2>&1
}

# explains WHAT FILTER [ARG]...: the proxy's explanation satisfies it.
explains()
{
	local out

	out=$(tool px explain "$1" --json "${@:3}")
	echo "$out"
	jq -e --arg hit "$(node_hit hip)" ".data | $2" <<<"$out" >/dev/null
}

explain_checks()
{
	local sub conf=$DEMO_DIR/px/hipgate.conf line

	cp "$conf" "$conf.before"
	printf '\n[policy "*.foo.com"]\nhip = require\n' >>"$conf"
	line=$(grep -n -m1 '^\[policy' "$conf" | cut -d: -f1)
	tool px reload >/dev/null
	fetch lh1 6 http://hip.foo.com/ >/dev/null
	sub=$(resolve lh1 6 hip.foo.com)
	check "explain: a name, from the question to the next packet" \
		explains hip.foo.com ".kind == \"name\" and .pinned and
		.question.name == \"hip.foo.com\" and .answer.substituted and
		.found.hit == \$hit and .mapping.sub6 == \"$sub\" and
		.association.state == \"ESTABLISHED\" and .sa.spi_out > 0 and
		.flows.num > 0 and .next.verdict == \"sent\""
	check "explain: the policy's line" explains hip.foo.com \
		".policy.hip == \"require\" and .policy.at == \"$conf:$line\""
	check "explain: a substitute is its host" explains "$sub" \
		'.kind == "substitute" and .mapping.hit == $hit and
		.name == "hip.foo.com" and .next.verdict == "sent"'
	check "explain: so is its HIT" explains "$(node_hit hip)" \
		'.kind == "hit" and .mapping.hit == $hit'
	check "explain: a name that nobody asked for" \
		explains nobody.example.org '.question == null and
		.next.verdict == "asks" and (.next.text | contains("HIP, AAAA"))'
	check "explain: where HIP is required, it says what none would give" \
		explains nobody.foo.com '.next.text | contains("SERVFAIL")'
	check "explain: an address that nobody was given" \
		explains "${POOL6_START}:dead" '.kind == "unused" and
		.next.verdict == "unreachable" and
		.next.reason == "no-mapping" and (.next.mend | length) > 0'
	check "explain: who is no client" explains "$sub" \
		'.next.verdict == "dropped" and .next.reason == "not-a-client"
		and (.next.mend | contains("clients ="))' \
		--client 2001:db8:999::1
	check "explain: an address outside" explains "$WEB_6" \
		'.kind == "outside" and .next.verdict == "not seen"'
	check "explain: the prefix's DNS" explains "$POOL6_START:53" \
		'.kind == "gateway-dns" and .next.verdict == "answered"'
	mv "$conf.before" "$conf"
	tool px reload >/dev/null
}

# ---- capture --------------------------------------------------------------------

# capture_of FILE COMMAND...: what the proxy sees while the command runs.
capture_of()
{
	local file=$1

	shift
	rm -f "$file" "$file.esp_sa"
	spawn px tool-capture "$DEMO_DIR/bin/hipgate" capture -o "$file" \
		--decrypt --i-understand --socket "$DEMO_DIR/px/ctl.sock"
	wait_for 10 "the capture" test -s "$file.esp_sa"
	"$@" >/dev/null 2>&1
	end tool-capture INT
}

capture_traffic()
{
	fetch lh1 6 http://hip.foo.com/
	fetch lh4 4 http://hip.foo.com/
	at lh1 ping -c 1 -W 1 "${POOL6_START}:dead"
}

captured_by_tshark()
{
	tshark -n -r "$DEMO_DIR/tool.pcapng" "$@" 2>/dev/null
}

# comments FILTER TEXT: a packet that passes the filter has TEXT in its
# comment.
comments()
{
	local out

	out=$(captured_by_tshark -Y "$1" -T fields -e frame.comment)
	echo "$out"
	grep -qF -- "$2" <<<"$out"
}

# clear FILTER: packets of the wire that tshark can read with the keys.
clear_on_the_wire()
{
	local sa=() line

	while read -r line; do
		sa+=(-o "uat:esp_sa:$line")
	done <"$DEMO_DIR/tool.pcapng.esp_sa"
	captured_by_tshark -o esp.enable_encryption_decode:TRUE "${sa[@]}" \
		-d udp.port==10500,udpencap \
		-Y "frame.interface_id == 1 && esp && $1" | grep .
}

capture_refused()
{
	local out rc

	out=$(at px "${AS_USER[@]}" env HOME=/ "$DEMO_DIR/bin/hipgate" \
		capture -o /dev/null --socket "$DEMO_DIR/px/ctl.sock" \
		--seconds 1 2>&1)
	rc=$?
	echo "$out ($rc)"
	((rc == 0)) || return 1 # the daemon's own user may
	chmod o+rw "$DEMO_DIR/px/ctl.sock"
	out=$(setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$DEMO_DIR/bin/hipgate" capture -o "$DEMO_DIR/no.pcapng" \
		--socket "$DEMO_DIR/px/ctl.sock" 2>&1)
	rc=$?
	chmod o-rw "$DEMO_DIR/px/ctl.sock"
	echo "$out ($rc)"
	((rc == 4)) && grep -q "ask with sudo" <<<"$out"
}

capture_full_disk()
{
	local out rc dir=$DEMO_DIR/tiny

	mkdir -p "$dir"
	mount -t tmpfs -o size=16k tiny "$dir"
	spawn px tool-full "$DEMO_DIR/bin/hipgate" capture -o "$dir/x.pcapng" \
		--socket "$DEMO_DIR/px/ctl.sock"
	wait_for 10 "the capture" test -s "$dir/x.pcapng"
	for _ in 1 2 3; do
		fetch lh1 6 http://hip.foo.com/ >/dev/null
	done
	wait_for 10 "its end" gone "$(pid_of tool-full)" &&
		grep -q "No space left" "$DEMO_DIR/logs/tool-full.log"
	rc=$?
	cat "$DEMO_DIR/logs/tool-full.log"
	tshark -r "$dir/x.pcapng" -T fields -e frame.number 2>&1 | tail -n 2
	tshark -r "$dir/x.pcapng" 2>&1 >/dev/null | grep -q 'cut short' && rc=1
	umount "$dir"
	return $rc
}

# A reader that does not read: the daemon goes on, and so do its clients.
capture_unread()
{
	local rc

	spawn px tool-unread "$DEMO_DIR/bin/hipgate" capture \
		-o "$DEMO_DIR/unread.pcapng" --socket "$DEMO_DIR/px/ctl.sock"
	wait_for 10 "the capture" tool_event capture
	kill -STOP "$(pid_of tool-unread)"
	at lh1 curl -sS --max-time 60 -o /dev/null http://hip.foo.com/big
	rc=$?
	end tool-unread KILL
	wait_for 10 "the end of the capture" tool_event capture-end
	rm -f "$DEMO_DIR/unread.pcapng"
	((rc == 0)) && tool px events | jq -se '
		[.[] | select(.event == "capture-end")][-1].lost > 0'
}

# The last event about a capture is this one.
tool_event()
{
	tool px events | jq -se --arg e "$1" '[.[] |
		select(.event | startswith("capture"))][-1].event == $e'
}

capture_checks()
{
	# So that what is fetched takes a base exchange.
	check "the proxy starts anew" eval 'daemon_stop px && daemon_start px'
	capture_of "$DEMO_DIR/tool.pcapng" capture_traffic
	check "capture: two interfaces, by name" test "$(captured_by_tshark \
		-T fields -e frame.interface_name | sort -u | tr '\n' ' ')" \
		= "hip0 wire "
	check "capture: a client's request, and its flow" comments \
		'frame.interface_id == 0 && http.request' 'flow tcp HIT port'
	check "capture: ESP, and that it was opened" comments \
		'frame.interface_id == 1 && udp.srcport == 10500' 'opened'
	check "capture: HIP is in it" comments \
		'frame.interface_id == 1 && hip' 'HIP '
	check "capture: why a packet was dropped" comments \
		"ipv6.dst == ${POOL6_START}:dead && icmpv6.type == 128" \
		'dropped: no-mapping'
	check "capture: a DNS answer is the control thread's" comments \
		'frame.interface_id == 0 && dns.flags.response == 1' \
		'by the control thread'
	none "capture: tshark finds nothing malformed on the TUN side" \
		captured_by_tshark -Y 'frame.interface_id == 0 &&
		_ws.malformed'
	check "capture: with the keys, tshark reads HTTP on the wire" \
		clear_on_the_wire http.request
	check "capture: the files are their owner's alone" test \
		"$(stat -c %a "$DEMO_DIR/tool.pcapng" \
		"$DEMO_DIR/tool.pcapng.esp_sa" | sort -u)" = 600
	check "capture: who took the keys is an event" test "$(tool px events |
		jq -r 'select(.event == "capture-keys") | .uid' | tail -n 1)" = 0
	check "and a line of the log" grep -q 'event=capture-keys uid=0' \
		"$DEMO_DIR/logs/hipgated-px.log"
	check "capture: for root and the daemon's user only" capture_refused
	check "capture: a full disk is told, the file stays readable" \
		capture_full_disk
	check "capture: who does not read loses packets and slows nobody" \
		capture_unread
}

# ---- ping, connect, drain ---------------------------------------------------------

# tells PATTERN STATUS NODE VERB [ARG]...
tells()
{
	local want=$1 status=$2 out rc

	shift 2
	out=$(tool "$@")
	rc=$?
	echo "$out ($rc)"
	((rc == status)) && grep -qE -- "$want" <<<"$out"
}

# An association that was begun by nobody's packet carries clients' packets.
connect_new()
{
	daemon_stop px && daemon_start px || return 1
	tells 'there is no SA .* "hipgate connect' 1 px ping hip.foo.com &&
		tells 'ESTABLISHED after' 0 px connect hip.foo.com &&
		tells 'there is an association already' 0 px connect \
			"$(node_hit hip)" &&
		gets_page lh1 6 hip.foo.com
}

# While it is drained, what is there goes on and nothing begins.
drained()
{
	tells '^idle: hipgated may be stopped' 0 px drain || return 1
	tells 'draining +no new associations' 0 px status &&
		gets_page lh1 6 hip.foo.com &&
		tells 'begins none while it is being drained' 1 px connect \
			fixed.foo.com &&
		refused_within 10 lh1 6 http://fixed.foo.com/ &&
		explains fixed.foo.com '.next.verdict == "unreachable" and
		(.next.mend | contains("drain --off"))' &&
		tells 'new associations again' 0 px drain --off &&
		gets_page lh1 6 fixed.foo.com
}

# for_nobody VERB [ARG]...: a user who may read may not change.
for_nobody()
{
	local out rc

	chmod o+rw "$DEMO_DIR/px/ctl.sock"
	out=$(setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$DEMO_DIR/bin/hipgate" "$@" \
		--socket "$DEMO_DIR/px/ctl.sock" 2>&1)
	rc=$?
	chmod o-rw "$DEMO_DIR/px/ctl.sock"
	echo "$out ($rc)"
	((rc == 4)) && grep -q "ask with sudo" <<<"$out"
}

# ---- bugreport ----------------------------------------------------------------------

# The octets of all keys there are, as a report could have them.
key_octets()
{
	openssl pkey -in "$DEMO_DIR/px/key.pem" -noout -text |
		awk '/^priv:/ { on = 1; next } /^pub:/ { on = 0 }
			on { gsub(/[ :]/, ""); printf "%s", $0 }
			END { print "" }' | cut -c 3-34
	sed -n 2p "$DEMO_DIR/px/key.pem" | cut -c 1-40
	od -An -v -tx1 "$DEMO_DIR/px/state/site.key" | tr -d " \n" |
		cut -c 1-32
	sed 's/.*"0x\([0-9a-f]*\)".*/\1/' "$DEMO_DIR/tool.pcapng.esp_sa" |
		grep -o '^[0-9a-f]\{32\}'
}

no_keys()
{
	local octets report

	for report in "$DEMO_DIR/report" "$DEMO_DIR/report.full"; do
		for octets in $(key_octets); do
			grep -qiF -- "$octets" "$report" &&
				echo "$report has $octets"
		done
	done
}

no_names()
{
	grep -oE "[a-z0-9.-]*foo\\.com|$(node_hit hip)|$(node_hit px)|${POOL6_START}[0-9a-f:]+|$HIP_6|$LH1_6|$DNS_6|$LAN_6" \
		"$DEMO_DIR/report" | sort | uniq -c
}

report_full_disk()
{
	local dir=$DEMO_DIR/tiny rc=1

	mkdir -p "$dir"
	mount -t tmpfs -o size=8k tiny "$dir"
	tells 'No space left on device; nothing is left' 1 px bugreport \
		-o "$dir/report" && [[ -z $(ls "$dir") ]] && rc=0
	umount "$dir"
	return $rc
}

errand_checks()
{
	check "connect: an association before any packet" connect_new
	check "ping: how long an echo takes" \
		tells '2 echoes, 2 answers: least [0-9.]+' 0 px ping \
		hip.foo.com --count 2
	check "ping: both ways" tells '1 echoes, 1 answers' 0 hip ping \
		"$(node_hit px)" --count 1
	check "connect: a name without a HIP record" \
		tells 'no HIP record' 1 px connect www.foo.com
	check "drain: nothing new, nothing lost" drained
	check "drain: not for everybody" for_nobody drain
	check "connect: not for everybody" for_nobody connect hip.foo.com
	check "ping: not for everybody" for_nobody ping hip.foo.com
	check "bugreport" tells 'read it before' 0 px bugreport -o \
		"$DEMO_DIR/report" --config "$DEMO_DIR/px/hipgate.conf"
	check "bugreport --full" tells 'names and addresses are in it' 0 px \
		bugreport --full -o "$DEMO_DIR/report.full" --config \
		"$DEMO_DIR/px/hipgate.conf"
	check "there are keys to look for" test "$(key_octets | wc -l)" -ge 4
	none "bugreport: no octet of a key, --full or not" no_keys
	none "bugreport: no name and no address" no_names
	check "bugreport: --full has them" grep -q 'hip\.foo\.com' \
		"$DEMO_DIR/report.full"
	check "bugreport: a full disk is told, nothing is left" \
		report_full_disk
	check "doctor finds no fault here" \
		tells '^no faults' 0 px doctor --config \
		"$DEMO_DIR/px/hipgate.conf"
	check "doctor mtu: who said so" tells 'said by' 0 px doctor mtu \
		hip.foo.com
}
