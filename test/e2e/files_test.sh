#!/bin/bash
# SPDX-License-Identifier: MIT
# Files that the tool writes, as root and where others write, too: nothing that
# somebody laid there is followed, filled or given away. And what a bug report
# must never hold. A stand-in answers for the daemon.
# Usage: files_test.sh BUILD-FOLDER
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "${1:?usage: files_test.sh BUILD-FOLDER}" && pwd) || exit 1
. "$ROOT/test/check.sh"
. "$ROOT/test/e2e/standin.sh"

# The capture that it has is one packet; each other verb says secrets.
cat >"$DIR/daemon.py" <<'END'
import json, os, socket, struct, sys

secret = json.load(open(sys.argv[1] + "/secrets"))
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + "/sock")
s.listen(8)
open(sys.argv[1] + "/ready", "w").close()


def frame(kind, octets):
    return struct.pack(">I", len(octets) + 1) + kind + octets


def packet():
    comment = b"dropped: no-mapping"
    return frame(b"P", struct.pack(">QBBIH", 10**18, 0, 1, 40, len(comment))
                 + comment + b"\x60" + bytes(39))


def serve(c):
    verb = json.loads(c.makefile().readline())["verb"]
    data = {"snaplen": 100, "tun": "hip0"} if verb == "capture" else secret
    if verb in ("trace", "events"):
        c.sendall((json.dumps({"t": 1.0, "step": "", "event": "x",
                               "text": " ".join(secret.values())}) +
                   '\n{"end":true}\n').encode())
    else:
        c.sendall((json.dumps({"version": 1, "ok": True, "data": data}) +
                   "\n").encode())
    if verb == "capture":
        c.sendall(packet() + frame(b"K", b'"IPv6","::1","0xab"\n') +
                  frame(b"S", b'{"end":true,"lost":0}'))


while True:
    c, _ = s.accept()
    try:
        serve(c)
    except OSError:
        pass # it has gone
    c.close()
END

tool()
{
	timeout 20 "$BUILD/hipgate" "$@" --socket "$DIR/sock" 2>&1
}

# ---- what lies there already ----------------------------------------------------

# laid FILE: a file that nobody may change, with known octets.
laid()
{
	echo victim >"$1"
	chmod 644 "$1"
}

unchanged()
{
	[[ $(cat "$1") == victim && $(stat -c %a "$1") == 644 ]]
}

# refused TEXT COMMAND...: status 1, and says so.
refused()
{
	local out status want=$1

	shift
	out=$("$@")
	status=$?
	echo "$out ($status)"
	((status == 1)) && grep -qF -- "$want" <<<"$out"
}

fresh()
{
	rm -rf "$DIR/out"
	mkdir "$DIR/out"
	laid "$DIR/out/victim"
}

capture_link()
{
	fresh
	ln -s victim "$DIR/out/x"
	refused "it is a symbolic link; remove it" tool capture \
		-o "$DIR/out/x" && unchanged "$DIR/out/victim"
}

capture_hard_link()
{
	fresh
	ln "$DIR/out/victim" "$DIR/out/x"
	refused "is no file of yours" tool capture -o "$DIR/out/x" &&
		unchanged "$DIR/out/victim"
}

capture_theirs()
{
	fresh
	laid "$DIR/out/x"
	chown nobody "$DIR/out/x"
	refused "is no file of yours" tool capture -o "$DIR/out/x" &&
		unchanged "$DIR/out/x"
}

# Ours is written anew, and is for nobody else from then on.
capture_ours()
{
	fresh
	head -c 100000 /dev/zero >"$DIR/out/x"
	chmod 666 "$DIR/out/x"
	tool capture -o "$DIR/out/x" &&
		[[ $(stat -c %a "$DIR/out/x") == 600 ]] &&
		[[ ! -e $DIR/out/x.esp_sa ]] && (($(stat -c %s "$DIR/out/x") < 1000)) &&
		tshark -r "$DIR/out/x" -T fields -e frame.comment |
		grep -qx 'dropped: no-mapping'
}

# Into a FIFO it goes as it comes, for wireshark -i.
capture_fifo()
{
	fresh
	mkfifo "$DIR/out/x"
	cat "$DIR/out/x" >"$DIR/out/read" &
	tool capture -o "$DIR/out/x" && wait $! &&
		[[ -p $DIR/out/x ]] && tshark -r "$DIR/out/read" | grep -q .
}

# The keys' file has a name that anybody can foresee.
capture_keys_link()
{
	fresh
	ln -s victim "$DIR/out/x.esp_sa"
	refused "is there already, and is no file of yours" tool capture \
		-o "$DIR/out/x" --decrypt --i-understand &&
		unchanged "$DIR/out/victim"
}

capture_keys()
{
	fresh
	touch "$DIR/out/x.esp_sa"
	chmod 666 "$DIR/out/x.esp_sa"
	tool capture -o "$DIR/out/x" --decrypt --i-understand \
		>"$DIR/said" && grep "WARNING: the keys of all SAs" \
		"$DIR/said" && grep -q 0xab "$DIR/out/x.esp_sa" &&
		[[ $(stat -c %a "$DIR/out/x.esp_sa") == 600 ]]
}

# A report takes the place of a link, and does not write through it.
report_link()
{
	fresh
	ln -s victim "$DIR/out/x"
	tool bugreport --config "$DIR/conf" -o "$DIR/out/x" &&
		unchanged "$DIR/out/victim" && [[ ! -L $DIR/out/x ]] &&
		[[ $(stat -c %a "$DIR/out/x") == 600 ]]
}

report_part_link()
{
	fresh
	ln -s victim "$DIR/out/x.part"
	refused "is there already, and is no file of yours" tool bugreport \
		--config "$DIR/conf" -o "$DIR/out/x" &&
		unchanged "$DIR/out/victim" && [[ ! -e $DIR/out/x ]]
}

# ---- what a report must not hold ------------------------------------------------

hex()
{
	od -An -v -tx1 | tr -d ' \n'
}

# KIND VALUE, a line each: as the daemon, its events, the configuration and
# this host could have it in a report.
secrets_made()
{
	local key

	"$BUILD/hipgate" keygen "$DIR/key.pem" >"$DIR/hit"
	key=$(openssl pkey -in "$DIR/key.pem" -outform DER | hex)
	cat >"$DIR/kinds" <<-END
	identity-pem $(sed -n 2p "$DIR/key.pem")
	identity-hex $key
	site-key-hex $(head -c 32 /dev/urandom | hex)
	site-key-base64 $(head -c 32 /dev/urandom | base64 | tr -d '\n')
	base64-slash /FVrQlIxpUJG1+OgP9Aj1V7fPALg2x/I/1bH9TQZenA=
	base64-slash-bare /jvwkYp/2TnQe6d0YVZbF0mGqS5wq3eXn8cK0hLr1Ts
	base64-plus +Zr1pV0N/c7Ug3m9kTLxq5sYdE8hB2aJfWoRi4nMv6Q=
	esp-key 0x$(head -c 16 /dev/urandom | hex)
	record-key AAIYmeBTH1AbcdefGHIJ0123456789KLMNOPqrstuv==
	hit $(cat "$DIR/hit")
	name secret-host.corp.example
	name-without-a-dot secrethost
	address6 2001:db8:77::99
	address4 203.0.113.77
	endpoint6 [2001:db8:77::98]:10500
	endpoint4 203.0.113.78:4500
	mapped ::ffff:203.0.113.79
	prefix 2001:db8:66::/48
	mac 02:00:5e:10:ab:cd
	END
	jq -Rn '[inputs | capture("^(?<k>[^ ]+) (?<v>.*)$")] |
		map({(.k): .v}) | add + {"name": "secrethost"}' \
		<"$DIR/kinds" >"$DIR/secrets"
	{
		printf '[daemon]\nidentity = %s\n[proxy]\nprefix = %s\n' \
			"$DIR/key.pem" 2001:db8:65::/64
		printf '[record secret-host.corp.example]\nhi = ecdsa %s\n' \
			"$(sed -n 's/^record-key //p' "$DIR/kinds")"
		printf '[policy "*.secrethost"]\nhip = require\n'
		sed 's/^/# /' "$DIR/kinds"
	} >"$DIR/conf"
}

# leaks REPORT KIND...: those of these kinds that stand in it.
leaks()
{
	local kind value

	while read -r kind value; do
		[[ " ${*:2} " == *" $kind "* ]] || continue
		value=${value#0x}
		value=${value#[}
		value=${value%%]*}
		grep -qiF -- "${value:0:24}" "$1" && echo "$kind: $value"
	done <"$DIR/kinds"
}

report_made()
{
	tool bugreport "$@" --config "$DIR/conf" -o "$DIR/report" &&
		jq -e '.daemon.peers and (.events | length) == 1 and
		(.config | length) > 10' "$DIR/report"
}

KEYS="identity-pem identity-hex site-key-hex site-key-base64 base64-slash
	base64-slash-bare base64-plus esp-key record-key"
OTHERS="hit name name-without-a-dot address6 address4 endpoint6 endpoint4
	mapped prefix mac"

main()
{
	secrets_made
	check "files: a stand-in for the daemon" daemon_there
	check "capture: a symbolic link is not followed" capture_link
	check "capture: a second name of a file is refused" capture_hard_link
	check "capture: our file is written anew, and ours alone" capture_ours
	check "capture: a FIFO" capture_fifo
	check "capture: a link in the place of the keys' file" \
		capture_keys_link
	check "capture: the keys' file is ours alone" capture_keys
	check "bugreport: a link is replaced, not written through" report_link
	check "bugreport: one in the place of its half-made file" \
		report_part_link
	((EUID)) || check "capture: a file of somebody else" capture_theirs
	check "there are kinds of secrets to look for" test \
		"$(wc -l <"$DIR/kinds")" = 19
	check "bugreport" report_made
	# shellcheck disable=SC2086 # lists of words
	none "bugreport: no key of any kind" leaks "$DIR/report" $KEYS
	# shellcheck disable=SC2086
	none "bugreport: no name and no address of any kind" \
		leaks "$DIR/report" $OTHERS
	check "bugreport --full" report_made --full
	# shellcheck disable=SC2086
	none "bugreport --full: no key of any kind either" \
		leaks "$DIR/report" $KEYS
	check "bugreport --full: the names are there" grep -q \
		secret-host.corp.example "$DIR/report"
}

main
exit "$CHECK_FAILED"
