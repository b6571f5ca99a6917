# SPDX-License-Identifier: MIT
# Drives Figure 6 once and shows what was observed: steps A to K, from the
# daemons' event streams, the client's result and captures. Nothing is
# printed that was not seen. Sourced.
# shellcheck shell=bash disable=SC2034

STEPS_BAD=0
STEP_EVENT=
T0=0
TA=

# trace NODE: its daemon's events since T0, as a JSON array.
trace()
{
	hipgate trace --json --socket "$DEMO_DIR/$1/ctl.sock" |
		jq -cs --argjson t0 "$T0" 'map(select(.t? >= $t0))'
}

traces_keep()
{
	local node

	mkdir -p "$DEMO_DIR/trace"
	for node in px fa hip; do
		trace "$node" >"$DEMO_DIR/trace/$node.json"
	done
}

# observed STEP MILLISECONDS_OR_- TEXT
observed()
{
	local ms=$2

	[[ $ms == - ]] || ms=$(printf '%.3f' "$ms")
	printf '%-4s %10s  %s\n' "$1" "$ms" "$3"
}

missing()
{
	STEPS_BAD=1
	printf '%-4s %10s  MISSING: %s\n' "$1" - "$2"
}

# step STEP NODE WHAT FILTER: the first event of NODE's trace that FILTER
# lets through is the observation; it stays in STEP_EVENT. No such event:
# the step did not happen, and WHAT says what was looked for.
step()
{
	local ms

	STEP_EVENT=$(jq -c --arg name "$STEP_NAME" --arg hit "$STEP_HIT" \
		--arg lh1 "$LH1_6" --arg dns "$DNS_6" --arg px "$PX_6" \
		--arg fa "$FA_6" --arg hip "$HIP_6" --arg pool "$POOL6_START" \
		--argjson was "${STEP_WAS:-null}" \
		"def at(\$a): . == \$a or contains(\"[\" + \$a + \"]:\");
		first($4)" "$DEMO_DIR/trace/$2.json" 2>/dev/null) || true
	if [[ -z $STEP_EVENT ]]; then
		missing "$1" "$3"
		return 1
	fi
	[[ -n $TA ]] || TA=$(jq .t <<<"$STEP_EVENT")
	ms=$(jq --argjson a "$TA" '(.t - $a) * 1000' <<<"$STEP_EVENT")
	observed "$1" "$ms" "$(jq -r .text <<<"$STEP_EVENT")"
}

# A field of the event that was just observed.
seen()
{
	jq -r ".$1" <<<"$STEP_EVENT"
}

# drive NAME NODE: lh1 fetches a page from NAME, an address of HIP host NODE.
drive()
{
	STEP_NAME=$1
	STEP_HIT=$(node_hit "$2")
	T0=$EPOCHREALTIME
	at lh1 curl -sS --max-time 20 -o "$DEMO_DIR/page" -w '%{json}' \
		"http://$1/" >"$DEMO_DIR/curl.json" \
		2>"$DEMO_DIR/logs/curl.log" || true
	wait_for 5 "step K in the proxy's events" saw_k ||
		echo "(see $DEMO_DIR/logs)" >&2
	traces_keep
}

saw_k()
{
	trace px | jq -e 'any(.[]; .step == "K")'
}

# ---- the steps ------------------------------------------------------------

steps_dns()
{
	step A px "lh1's query on the proxy's TUN" \
		'.[] | select(.event == "dns-query" and .name == $name and
		(.client | contains($lh1)) and (.server | at($dns)))'
	step B px "HIP, A and AAAA asked of lh1's server" \
		'[.[] | select(.event == "dns-ask" and .name == $name and
		(.server | at($dns)))] |
		select((["A", "AAAA", "HIP"] - map(.qtype)) == []) |
		.[0] + { text: ("proxy -> " + .[0].server + " " +
		(map(.qtype) | unique | join(", ")) + " " + $name) }'
	step C px "{HIT, address of the agent} from DNS" \
		'.[] | select(.event == "dns-host" and .name == $name and
		.hit == $hit and .via == "rvs" and
		(.locators | tostring | contains($fa)))'
	step D px "mapping {HIT; IP_fa; IP_res}" \
		'.[] | select(.event == "mapping" and .hit == $hit and
		(.sub6 | startswith($pool)) and (.locator | contains($fa)))'
	STEP_SUB6=$(seen sub6)
	step E px "the substitute as lh1's answer" \
		'.[] | select(.event == "dns-reply" and .name == $name and
		.qtype == "AAAA" and .substituted and (.client | at($lh1)) and
		(.address | startswith($pool)))'
	[[ $(seen address) == "$STEP_SUB6" ]] ||
		missing E "the address of the mapping, $STEP_SUB6"
}

steps_exchange()
{
	step F px "lh1's SYN to the substitute, parked" \
		'.[] | select(.event == "first-packet" and
		(.client | contains($lh1)) and .proto == "tcp" and
		(.virt | startswith($pool)) and .virt_port == 80)'
	STEP_PORT=$(seen client_port)
	[[ $(seen virt) == "$STEP_SUB6" ]] ||
		missing F "a SYN to $STEP_SUB6"
	step G px "I1 to the agent" \
		'.[] | select(.event == "hip-send" and .type == "I1" and
		.peer == $hit and (.to | at($fa)))'
	step H fa "the agent relays the I1" \
		'.[] | select(.event == "hip-relayed" and .type == "I1" and
		.hit == $hit and (.initiator | contains($px)) and
		(.to | at($hip)))'
	step H hip "the host answers the proxy straight" \
		'.[] | select(.event == "hip-send" and .type == "R1" and
		(.to | at($px)))'
	step H px "R1 straight from the host, with VIA_RVS" \
		'.[] | select(.event == "hip-seen" and .type == "R1" and
		(.from | at($hip)) and (.via | contains($fa)))'
	step H px "I2 to the host" \
		'.[] | select(.event == "hip-send" and .type == "I2" and
		(.to | at($hip)))'
	step H px "R2 from the host" \
		'.[] | select(.event == "hip-seen" and .type == "R2" and
		(.from | at($hip)))'
}

steps_mapping()
{
	step H.1 px "{HIT; IP_hip; IP_res}, provisional at R1" \
		'.[] | select(.event == "mapping-locator" and .hit == $hit and
		.committed == false and (.locator | at($hip)))'
	step H.1 px "{HIT; IP_hip; IP_res}, committed at R2" \
		'.[] | select(.event == "mapping-locator" and .hit == $hit and
		.committed and (.locator | at($hip)))'
	ask px mappings | jq -e --arg hit "$STEP_HIT" --arg at "$HIP_6" \
		'any(.data[]; .hit == $hit and .via == "host" and
		(.locator | contains("[" + $at + "]:")))' >/dev/null ||
		missing H.1 "the host's own address in 'hipgate mappings'"
}

steps_data()
{
	step I px "the pair of SAs" \
		'.[] | select(.event == "sa-up" and .peer == $hit)'
	STEP_WAS=$STEP_EVENT
	step I hip "the same pair on the host, the other way round" \
		'.[] | select(.event == "sa-up" and .spi_in == $was.spi_out and
		.spi_out == $was.spi_in and .suite == $was.suite)'
	step I.1 px "the NAT binding of lh1's flow" \
		'.[] | select(.event == "flow" and .peer == $hit and
		(.client | contains($lh1)) and .virt_port == 80)'
	STEP_WAS=$STEP_EVENT
	step J px "the SYN-ACK out of ESP" \
		'.[] | select(.event == "first-return" and .peer == $hit and
		.ext_port == $was.ext_port)'
	step K px "the SYN-ACK to lh1" \
		'.[] | select(.event == "to-legacy" and
		(.client | contains($lh1)) and
		.client_port == $was.client_port)'
	STEP_K=$(seen t)
	[[ $(seen client_port) == "$STEP_PORT" ]] ||
		missing K "lh1's port $STEP_PORT"
	STEP_WAS=
}

# The events come in the order of the letters. Their times are of several
# threads, each of which a busy machine may stop after it has read the clock.
steps_order()
{
	jq -e '
		["A", "B", "C", "D", "E", "F", "G", "H", "H.1", "I", "I.1",
		"J", "K"] as $order | . as $all |
		[$order[] as $s | first(range($all | length) |
			select($all[.].step == $s))] |
		. as $at | length == ($order | length) and
		all(range(1; length); $at[.] > $at[. - 1])' \
		"$DEMO_DIR/trace/px.json" >/dev/null ||
		missing A-K "events in the order of the letters"
}

# What lh1's curl says.
steps_client()
{
	local code ip

	code=$(jq -r .http_code "$DEMO_DIR/curl.json" 2>/dev/null)
	ip=$(jq -r .remote_ip "$DEMO_DIR/curl.json" 2>/dev/null)
	if [[ $code != 200 || $ip != "$STEP_SUB6" ]] ||
		! cmp -s "$DEMO_DIR/page" \
			"$DEMO_DIR/nginx-hip/html/index.html"; then
		missing K "the page in lh1's hands: $(
			cat "$DEMO_DIR/logs/curl.log")"
		return
	fi
	observed K - "curl on lh1, by its own clock: $(jq -r '
		"connected to \(.remote_ip) after \(.time_connect * 1e6 | round / 1000) ms,"
		+ " \(.http_code), \(.size_download) octets after "
		+ "\(.time_total * 1e6 | round / 1000) ms"' "$DEMO_DIR/curl.json")"
}

# packets FILE FILTER: how many match.
packets()
{
	tcpdump -n -r "$1" "$2" 2>/dev/null | wc -l
}

# After K nothing between the proxy and the host passes the agent: what the
# capture on its link has of the proxy is older.
steps_agent()
{
	local file=$1 before after

	before=$(packets "$file" "host $PX_6")
	after=$(tcpdump -n -tt -r "$file" "host $PX_6" 2>/dev/null |
		awk -v k="$STEP_K" '$1 > k' | wc -l)
	if ((before == 0 || after > 0)); then
		missing K "the agent out of the way: $before of its packets \
are the proxy's, $after of them after K"
		return
	fi
	observed K - "the agent's link: $before packets of the proxy before \
K, $after after it"
}

steps_all()
{
	printf '%-4s %10s  %s\n' step ms 'as observed'
	steps_dns
	steps_exchange
	steps_mapping
	steps_data
	steps_order
	steps_client
}
