# SPDX-License-Identifier: MIT
# Names without a HIP record: exactly as if hipgate were not there. `web`
# asks the same server without hipgate in between. Sourced by run.sh.
# shellcheck shell=bash

# What dig shows but for the time it took.
dig_of()
{
	at "$1" dig "@$DNS_6" +nocookie +qid=4711 +nostats +time=5 +tries=1 \
		"${@:2}" | grep -v '^; <<>>'
}

same_answer()
{
	diff <(dig_of web "$@") <(dig_of lh1 "$@")
}

# A query for plain.foo.com AAAA, as octets; the answer, as hex.
raw_answer()
{
	local query='\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00'

	query+='\x05plain\x03foo\x03com\x00\x00\x1c\x00\x01'
	# shellcheck disable=SC2059
	printf "$query" | at "$1" socat -t 2 - "UDP6:[$DNS_6]:53" | od -An -tx1
}

same_octets()
{
	local direct

	direct=$(raw_answer web)
	[[ -n $direct && $(raw_answer lh1) == "$direct" ]]
}

# The web server saw the client itself, no translation in between. It writes
# that when the client has its page.
seen_as()
{
	fetch "$1" "$2" "http://plain.foo.com/seen-$3" -o /dev/null || return 1
	wait_for 5 "its line" grep "$3 - .*/seen-$3 " \
		"$DEMO_DIR/nginx-web/access.log"
}

plain_page()
{
	[[ $(fetch "$1" "$2" "http://$3/") == "$PLAIN_PAGE" ]]
}

names_checks()
{
	local q

	for q in "plain.foo.com A" "plain.foo.com AAAA" "plain.foo.com TXT" \
		"plain.foo.com MX" "plain4.foo.com AAAA" "alias.foo.com AAAA" \
		"foo.com SOA" "nobody.foo.com A" "nobody.example AAAA" \
		"plain.foo.com A +dnssec" "plain.foo.com AAAA +tcp" \
		"hip.foo.com TXT"; do
		# shellcheck disable=SC2086
		none "DNS answer is the server's own: $q" same_answer $q
	done
	check "DNS answer is the server's, octet for octet" same_octets
	check "plain.foo.com: its page over IPv6" plain_page lh1 6 plain.foo.com
	check "plain.foo.com: its page over IPv4" plain_page lh4 4 plain.foo.com
	check "plain.foo.com: sees lh1's own address" seen_as lh1 6 "$LH1_6"
	check "plain.foo.com: sees lh4's own address" seen_as lh4 4 "$LH4_4"
	check "hip.foo.com over TCP: the same substitute" \
		test "$(at lh1 dig +short +tcp "@$DNS_6" hip.foo.com AAAA)" = \
		"$(resolve lh1 6 hip.foo.com)"
}
