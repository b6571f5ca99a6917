# SPDX-License-Identifier: MIT
# Garbage on the UDP socket and on the TUN: dropped, counted under a name,
# and the daemons go on. Sourced by run.sh.
# shellcheck shell=bash

# octets FORMAT [RANDOM_LENGTH]: printf's escapes, then random octets; in one
# write (up to 64 KiB), since each read of socat's becomes a packet.
octets()
{
	# shellcheck disable=SC2059
	{
		printf "$1"
		head -c "${2-0}" /dev/urandom
	} | dd bs=65536 iflag=fullblock status=none
}

# datagram TO FORMAT [RANDOM_LENGTH]: one, from a host that nobody knows.
datagram()
{
	octets "$2" "${3-0}" |
		at web socat -u -b 70000 - "UDP6-SENDTO:[$1]:10500"
}

# hip_message TO FORMAT [RANDOM_LENGTH]: behind the 4 zero octets.
hip_message()
{
	datagram "$1" '\x00\x00\x00\x00'"$2" "${3-0}"
}

HIP_REASONS=(hip-truncated hip-header hip-version hip-checksum hip-type
	hip-tlv hip-critical)
HITS='\x20\x01\x00\x22\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c'
HITS+=$HITS

udp_garbage()
{
	local to=$1 n

	datagram "$to" 'x'
	datagram "$to" '\xff'
	datagram "$to" '\x00\x00'
	datagram "$to" '\x00\x00\x00\x00'
	datagram "$to" '\x00\x00\x00\x07' 60000
	hip_message "$to" '' 8
	hip_message "$to" '' 60000
	hip_message "$to" '\x3b\xff\x03\x21\x00\x00\x00\x00' 2000
	hip_message "$to" '\x3b\x03\x01\x21\x00\x00\x00\x00' 24
	hip_message "$to" '\x3b\x04\x01\x11\x00\x00\x00\x00' 32
	hip_message "$to" '\x3b\x04\x01\x21\x12\x34\x00\x00' 32
	hip_message "$to" '\x3b\x04\x7e\x21\x00\x00\x00\x00' 32
	hip_message "$to" '\x3b\x04\x01\x21\x00\x00\x00\x00'"$HITS" 8
	hip_message "$to" '\x3b\x05\x01\x21\x00\x00\x00\x00'"$HITS"\
'\x01\xff\x00\x02\x00\x03\x00\x00'
	hip_message "$to" '\x3b\x05\x01\x21\x00\x00\x00\x00'"$HITS"\
'\x01\xff\xff\x02\x00\x07\x00\x00'
	hip_message "$to" '\x3b\x05\x01\x21\x00\x00\x00\x00'"$HITS"\
'\x0f\xfb\x00\x04\x00\x00\x00\x00'
	for n in {1..40}; do
		datagram "$to" '' $((n * 37))
		hip_message "$to" '' $((n * 13))
	done
}

# raw NODE FAMILY TO PROTOCOL FORMAT [RANDOM_LENGTH]: an IP packet.
raw()
{
	local to=$3

	[[ $2 == 6 ]] && to="[$3]"
	octets "$5" "${6-0}" | at "$1" socat -u - "IP$2-SENDTO:$to:$4"
}

tun_garbage()
{
	local six=$1 four=$2 n

	raw lh1 6 "$six" 132 '' 40
	raw lh4 4 "$four" 132 '' 40
	raw lh1 6 "$six" 6 '' 5
	raw lh4 4 "$four" 6 '' 5
	raw lh1 6 "$six" 17 '\x00' 2
	raw lh1 6 "$six" 6 '\x11\x22\x00\x50\x00\x00\x00\x01'\
'\x00\x00\x00\x00\x50\x10\x20\x00\x00\x00\x00\x00'
	for n in {1..20}; do
		raw lh1 6 "$six" 6 '' $((n * 7))
		raw lh4 4 "$four" 17 '' $((n * 7))
	done
	raw lh1 6 "$six" 44 '\x06\x00\x00\x01\x00\x00\x00\x01' 8
	raw lh1 6 "$six" 44 '\x11\x00\x00\x01\x00\x00\x00\x02' 9
	raw lh1 6 "$six" 44 '\x11\x00\x00\x01\x00\x00\x00\x03' 16
	raw lh1 6 "$six" 44 '\x11\x00\x00\x01\x00\x00\x00\x03' 16
	octets '' 5 | at lh1 socat -u - "UDP6-SENDTO:[$DNS_6]:53"
	octets '' 80 | at lh1 socat -u - "UDP6-SENDTO:[$DNS_6]:53"
	octets '\x12\x34\x81\x80\x00\x00\x00\x00\x00\x00\x00\x00' |
		at lh1 socat -u - "UDP6-SENDTO:[$DNS_6]:53"
}

counted()
{
	ask "$1" status | jq -c .data.drops
	[[ $(drops "$1" "$2") -gt 0 ]]
}

dns_garbage_counted()
{
	counted px dns-malformed || counted px dns-not-query
}

# The outside sends to a substitute: not one of our clients.
stranger()
{
	ip -n "$(ns net)" -6 route add "$POOL6" via "$PX_6"
	at web ping -6 -c 1 -W 1 "$1"
	ip -n "$(ns net)" -6 route del "$POOL6" via "$PX_6"
}

garbage_checks()
{
	local node reason to six four

	six=$(resolve lh1 6 hip.foo.com)
	four=$(resolve lh4 4 hip.foo.com)
	for to in "$PX_6" "$FA_6" "$HIP_6"; do
		udp_garbage "$to" >/dev/null 2>&1
	done
	for node in px fa hip; do
		for reason in udp-runt udp-keepalive esp-spi \
			"${HIP_REASONS[@]}"; do
			check "garbage on UDP 10500 of $node: $reason" \
				wait_for 5 "$reason" counted "$node" "$reason"
		done
	done
	# An I1 for somebody else: an agent would relay it to its clients.
	for node in "px hip-not-ours" "fa hip-not-registered" \
		"hip hip-not-ours"; do
		check "garbage on UDP 10500 of ${node/ /: }" \
			wait_for 5 "${node#* }" counted "${node% *}" "${node#* }"
	done
	tun_garbage "$six" "$four" >/dev/null 2>&1
	stranger "$six" >/dev/null 2>&1
	for reason in ip-proto l4-truncated flow-state frag-tiny \
		frag-length frag-overlap not-a-client; do
		check "garbage on the TUN: $reason" \
			wait_for 5 "$reason" counted px "$reason"
	done
	check "garbage on the TUN for DNS: dns-malformed or dns-not-query" \
		wait_for 5 "it" dns_garbage_counted
	for node in "${DAEMONS[@]}"; do
		check "after it, hipgated on $node lives" alive "hipgated-$node"
	done
	check "after it, lh1 gets the page" gets_page lh1 6 hip.foo.com
	check "after it, lh4 gets the page" gets_page lh4 4 hip4.foo.com
}

sanitizer_words()
{
	grep -HE 'AddressSanitizer|runtime error|Assertion|LeakSanitizer' \
		"$DEMO_DIR"/logs/hipgated-*.log
}

log_checks()
{
	none "no sanitizer and no assertion spoke" sanitizer_words
}
