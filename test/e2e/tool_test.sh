#!/bin/sh
# SPDX-License-Identifier: MIT
# The tool: keys, DNS records, configuration, and what it shows of a daemon
# (a stand-in here that answers each verb with a fixed line).
# Usage: tool_test.sh BUILD-FOLDER
set -u
build=$(cd "${1:?usage: tool_test.sh BUILD-FOLDER}" && pwd) || exit 1
tool=$build/hipgate
dir=$(mktemp -d) || exit 1
fake=
trap '[ -z "$fake" ] || kill "$fake" 2>/dev/null; rm -rf "$dir"' EXIT
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
# status N COMMAND...: the command ends with exit status N.
status() {
	want=$1
	shift
	"$@"
	[ $? -eq "$want" ]
}
# has TEXT COMMAND...: the command prints a line that holds TEXT.
has() {
	want=$1
	shift
	"$@" >"$dir/out" 2>&1
	grep -qF -- "$want" "$dir/out" || { cat "$dir/out"; return 1; }
}
# prints FILE COMMAND...: the command prints what is in FILE.
prints() {
	file=$1
	shift
	"$@" >"$dir/out" 2>&1
	diff -u "$file" "$dir/out"
}
owner_is() { [ "$(stat -c %U "$1")" = "$2" ]; }
mode_is() { [ "$(stat -c %a "$1")" = "$2" ]; }

# ---- keys ------------------------------------------------------------------

for alg in p256 p384 rsa2048 rsa3072; do
	key=$dir/$alg.pem
	ok "keygen $alg" "$tool" keygen --alg $alg "$key"
	cp "$dir/said" "$dir/$alg.hit"
	ok "$alg: the key file is its owner's alone" mode_is "$key" 600
	ok "$alg: OpenSSL reads it" openssl pkey -in "$key" -noout -check
	ok "$alg: the HIT is an ORCHID" grep -Eq '^2001:2[0-9a-f]:' \
		"$dir/$alg.hit"
	ok "$alg: hit prints the same" prints "$dir/$alg.hit" \
		"$tool" hit "$key"
	cp "$key" "$dir/copy"
	ok "$alg: keygen does not overwrite" status 1 "$tool" keygen "$key"
	ok "$alg: and leaves the key" cmp "$dir/copy" "$key"
	ok "$alg: and says how to" has "--force" "$tool" keygen "$key"
done
umask 0
ok "keygen without a umask" "$tool" keygen "$dir/umask.pem"
ok "is 0600 all the same" mode_is "$dir/umask.pem" 600
umask 022
ok "keygen --force overwrites" "$tool" keygen --force "$dir/umask.pem"
ok "with 0600" mode_is "$dir/umask.pem" 600
ok "and leaves no other file" [ "$(ls "$dir" | grep -c umask)" = 1 ]
if [ "$(id -u)" -eq 0 ]; then
	chmod 711 "$dir"
	install -d -m 700 -o nobody "$dir/theirs"
	ok "root makes a key in another's folder" \
		"$tool" keygen "$dir/theirs/key.pem"
	ok "it is theirs" owner_is "$dir/theirs/key.pem" nobody
	ok "and nobody else's" mode_is "$dir/theirs/key.pem" 600
	ok "keygen --force there" "$tool" keygen --force "$dir/theirs/key.pem"
	ok "it is theirs again" owner_is "$dir/theirs/key.pem" nobody
	ok "in root's own folder it is root's" owner_is "$dir/umask.pem" root
fi
ok "no folder" has "No such file" "$tool" keygen "$dir/no/key.pem"
ok "unknown algorithm" has "there are: p256, p384, rsa2048, rsa3072, rsa4096" \
	"$tool" keygen --alg rsa "$dir/x.pem"
ok "no file name is a usage error" status 2 "$tool" keygen
ok "hit: a HIT in its usual form" has 2001:21::77 \
	"$tool" hit 2001:0021:0:0:0:0:0:0077
ok "hit: from a zone file's form" has 2001:21::77 \
	"$tool" hit 20010021000000000000000000000077
ok "hit: no such file" status 1 "$tool" hit "$dir/none.pem"
chmod 640 "$dir/umask.pem"
ok "hit: a key that others can read" has "chmod 600 $dir/umask.pem" \
	"$tool" hit "$dir/umask.pem"
echo rubbish >"$dir/rubbish"
chmod 600 "$dir/rubbish"
ok "hit: not a key" has "hipgate keygen" "$tool" hit "$dir/rubbish"

# ---- dns-record -------------------------------------------------------------

for alg in p256 p384 rsa2048 rsa3072; do
	{
		echo '$ORIGIN foo.com.'
		echo '@ 60 IN SOA ns.foo.com. h.foo.com. 1 60 60 60 60'
		echo '@ 60 IN NS ns.foo.com.'
		echo 'ns 60 IN A 192.0.2.53'
		echo 'rvs 60 IN A 192.0.2.1'
		"$tool" dns-record --name hip.foo.com. --ttl 300 \
			--rvs rvs.foo.com. --rvs rvs2.bar.example. \
			"$dir/$alg.pem"
		"$tool" dns-record --name fixed "$dir/$alg.pem"
	} >"$dir/zone"
	ok "$alg: named-checkzone takes the records" \
		named-checkzone -D -o "$dir/canonical" foo.com "$dir/zone"
	ok "$alg: the zone's HIT is the key's" prints "$dir/$alg.hit" \
		"$tool" hit "$(awk '/^hip.foo.com/ { for (i = 1; i < NF; i++)
			if ($i == "HIP") { n = $(i + 1) == "(" ? 3 : 2
				print $(i + n) } }' "$dir/canonical")"
	ok "$alg: TTL and rendezvous servers are there" grep -Eq \
		'^hip\.foo\.com\..*300.*rvs\.foo\.com\. rvs2\.bar\.example\.' \
		"$dir/canonical"
	ok "$alg: a relative name is the zone's" grep -q '^fixed\.foo\.com\.' \
		"$dir/canonical"
done
ok "a name that would add lines is refused" status 2 "$tool" dns-record \
	--name 'x
evil' "$dir/p256.pem"
ok "bad --ttl" has "expected seconds" "$tool" dns-record --name x --ttl -1 \
	"$dir/p256.pem"
ok "no --name is a usage error" status 2 "$tool" dns-record "$dir/p256.pem"

# ---- check ------------------------------------------------------------------

cat >"$dir/good.conf" <<EOF
[daemon]
identity = $dir/p256.pem
[proxy]
prefix = 2001:db8:401::/64
EOF
ok "check: a good configuration" "$tool" check "$dir/good.conf"
ok "check: names the HIT" has "$(cat "$dir/p256.hit")" \
	"$tool" check "$dir/good.conf"
sed 's/prefix/prefx/' "$dir/good.conf" >"$dir/bad.conf"
ok "check: line and nearest key" has \
	"$dir/bad.conf:4: unknown key \"prefx\" in [proxy]; did you mean \"prefix\"?" \
	"$tool" check "$dir/bad.conf"
ok "check: a bad one fails" status 1 "$tool" check "$dir/bad.conf"
sed "s/p256.pem/gone.pem/" "$dir/good.conf" >"$dir/nokey.conf"
ok "check: a key that is not there" status 1 "$tool" check "$dir/nokey.conf"

# ---- the daemon's verbs -------------------------------------------------------

cat >"$dir/fake.py" <<'EOF'
import json, os, socket, sys

answers = {
    "status": {"version": "0.1.0", "roles": ["proxy", "host"],
               "health": {"ready": False, "why": "hip0 is down"},
               "hits": ["2001:21::1"],
               "tun": {"name": "hip0", "mtu": 1400},
               "offload": {"setting": "auto",
                           "tso": {"state": "on", "refused": 0},
                           "uso": {"state": "not supported", "refused": 0},
                           "udp-segment": {"state": "fell back",
                                           "refused": 12}},
               "aes_gcm": "OpenSSL",
               "workers": 2, "port": 10500, "uptime_s": 3723.5,
               "counts": {"associations": 1, "sas": 2},
               "traffic": {"out_packets": 3, "out_bytes": 400},
               "drops": {}},
    "mappings": [
        {"name": "hip.foo.com", "hit": "2001:21::77",
         "sub6": "2001:db8:401::9c41", "sub4": "", "parked": 0,
         "locator": "203.0.113.9:10500", "via": "rvs", "state": "ESTABLISHED"},
        {"name": "x\u001b[2J.foo.com", "hit": "2001:21::78",
         "sub6": "2001:db8:401::1", "sub4": "198.18.0.2", "parked": 12,
         "locator": "", "via": "?", "state": "I1-SENT"}],
    "flows": [
        {"proto": "tcp", "client": "192.0.2.50", "client_port": 5000,
         "virt": "198.18.0.2", "virt_port": 443, "ext_port": 5001,
         "peer": "2001:21::77", "peer_port": 443, "state": "open",
         "idle_s": 61.2, "out_packets": 10, "in_packets": 2000}],
    "peers": [], "registrations": [],
    "pins": [{"name": "hip.foo.com", "hit": "2001:21::77"}],
    "version": {"version": "9.9.9", "protocol": 1, "uptime_s": 1},
    "ping": {"peer": "2001:21::77", "locator": "203.0.113.9:10500",
             "rtt_us": 1500},
    "connect": {"peer": "2001:21::77", "locator": "203.0.113.9:10500",
                "name": "hip.foo.com", "state": "ESTABLISHED", "fresh": True,
                "seconds": 0.0421},
    "drain": {"draining": True, "flows": 3, "active": 0, "parked": 0,
              "sas": 2, "idle_s": 9},
    "clients": [{"client": "192.0.2.50", "flows": 3, "out_packets": 10,
                 "in_packets": 20, "idle_s": 5}],
    "explain": {"asked": "hip.foo.com", "kind": "name",
                "mapping": {"hit": "2001:21::77", "sub6": "fd00::9",
                            "sub4": "", "real6": "", "real4": ""},
                "lines": [{"what": "asked", "text": "hip.foo.com: a name"},
                          {"what": "next", "text": "sent: bell\u0007"}]},
    "access": [{"role": "host", "action": "deny", "who": "192.0.2.0/24",
                "hits": 7}],
    "identities": [{"hit": "2001:22::1", "alg": "ecdsa-p256",
                    "anonymous": True, "ephemeral": False, "file": "a.pem"}],
    "reload": {"applied": ["+ [host] deny = x\u001b[2J"],
               "restart": ["~ [daemon] port = 1 (was 2)"]},
}
sock = socket.socket(socket.AF_UNIX)
sock.bind(sys.argv[1])
sock.listen(8)
open(sys.argv[1] + ".ready", "w").close()
def serve(c, req):
    lines = c.makefile()
    while req:
        if req["name"] == "nobody":
            answer = {"version": 1, "ok": False, "code": "failed",
                      "error": "there is no SA with that host"}
        else:
            answer = {"version": 1, "ok": True, "data": answers["ping"]}
        c.sendall((json.dumps(answer) + "\n").encode())
        line = lines.readline()
        req = json.loads(line) if line else None


while True:
    c, _ = sock.accept()
    req = json.loads(c.makefile().readline())
    verb = req["verb"]
    if verb == "ping":
        serve(c, req)
        c.close()
        continue
    if req.get("follow"):
        c.close()
        continue
    if verb in ("trace", "events"):
        for e in ({"t": 100.5, "step": "A", "event": "dns-query",
                   "text": "lh -> dns AAAA hip.foo.com"},
                  {"t": 100.5187, "step": "", "event": "other",
                   "text": "bell\u0007"},
                  {"end": True}):
            c.sendall((json.dumps(e) + "\n").encode())
    elif verb == "sas":
        c.sendall(b'{"version":1,"ok":false,"error":"not today"}\n')
    elif verb == "paths":
        c.sendall(b'{"version":1,"ok":false,"code":"unknown-verb",'
                  b'"daemon":"9.9.9","error":"?"}\n')
    elif verb == "moves": # as the first daemons said it
        c.sendall(b'{"version":1,"ok":false,"error":"unknown verb"}\n')
    elif verb == "forget":
        c.sendall(b'{"version":1,"ok":false,"code":"denied",'
                  b'"error":"not for you"}\n')
    else:
        c.sendall((json.dumps({"version": 2 if verb == "registrations" else 1,
                               "verb": verb, "ok": True,
                               "data": answers[verb]}) + "\n").encode())
    c.close()
EOF
python3 "$dir/fake.py" "$dir/sock" &
fake=$!
n=0
while [ ! -e "$dir/sock.ready" ] && [ $n -lt 100 ]; do
	n=$((n + 1))
	sleep 0.1
done

cat >"$dir/mappings" <<'EOF'
NAME           IPV6                IPV4        HIT          LOCATOR            VIA  STATE        PARKED  REAL6  REAL4
hip.foo.com    2001:db8:401::9c41  -           2001:21::77  203.0.113.9:10500  rvs  ESTABLISHED       0  -      -
x?[2J.foo.com  2001:db8:401::1     198.18.0.2  2001:21::78  -                  ?    I1-SENT          12  -      -
EOF
cat >"$dir/flows" <<'EOF'
PROTO  CLIENT           SUBSTITUTE      EXT-PORT  PEER               STATE   IDLE  OUT-PKTS  IN-PKTS
tcp    192.0.2.50:5000  198.18.0.2:443      5001  [2001:21::77]:443  open   1m01s        10     2000
EOF
cat >"$dir/status" <<'EOF'
hipgated      0.1.0, up 1h02m
health        not ready: hip0 is down
roles         proxy host
HITs          2001:21::1
TUN           hip0, MTU 1400
offload       auto: tso on, uso not supported, udp-segment fell back (12 refused)
AES-GCM by    OpenSSL
workers       2
UDP port      10500
counts        associations 1, sas 2
traffic       out_packets 3, out_bytes 400
drops         none
EOF
cat >"$dir/trace" <<'EOF'
       0.0  A    lh -> dns AAAA hip.foo.com
      18.7       bell?
EOF
ok "mappings: columns fit, nothing reaches the terminal" \
	prints "$dir/mappings" "$tool" mappings --socket "$dir/sock"
ok "flows" prints "$dir/flows" "$tool" flows --socket "$dir/sock"
ok "status" prints "$dir/status" "$tool" status --socket "$dir/sock"
ok "trace" prints "$dir/trace" "$tool" trace --socket "$dir/sock"
cat >"$dir/access" <<'END'
ROLE  ACTION  WHO           HITS
host  deny    192.0.2.0/24     7
END
cat >"$dir/identities" <<'END'
HIT         ALGORITHM   ANONYMOUS  EPHEMERAL  FILE
2001:22::1  ecdsa-p256  yes        no         a.pem
END
cat >"$dir/reload" <<'END'
+ [host] deny = x?[2J
~ [daemon] port = 1 (was 2)   (needs a restart)
END
ok "access" prints "$dir/access" "$tool" access --socket "$dir/sock"
ok "identities" prints "$dir/identities" \
	"$tool" identities --socket "$dir/sock"
ok "reload" prints "$dir/reload" "$tool" reload --socket "$dir/sock"
ok "an empty list has its titles" has "PEER  STATE" \
	"$tool" peers --socket "$dir/sock"
ok "--json is JSON with the format's version" sh -c \
	'"$1" mappings --json --socket "$2" | python3 -c "
import json, sys
o = json.load(sys.stdin)
assert o[\"version\"] == 1 and o[\"verb\"] == \"mappings\"
assert o[\"data\"][0][\"hit\"] == \"2001:21::77\""' sh "$tool" "$dir/sock"
ok "trace --json is a line for each event" sh -c \
	'[ $("$1" trace --json --socket "$2" | grep -c "^{.*}$") = 2 ]' \
	sh "$tool" "$dir/sock"
ok "the daemon's no is told" has "hipgated says: not today" \
	"$tool" sas --socket "$dir/sock"
ok "and fails" status 1 "$tool" sas --socket "$dir/sock"
ok "another protocol version is refused" has "version 2" \
	"$tool" registrations --socket "$dir/sock"
ok "with a status of its own" status 3 \
	"$tool" registrations --socket "$dir/sock"
ok "a daemon that does not know a verb: both versions, and the mend" has \
	"hipgated 9.9.9 does not know that verb, and this is hipgate" \
	"$tool" paths --socket "$dir/sock"
ok "one that is older still" has "restart the daemon" \
	"$tool" moves --socket "$dir/sock"
ok "and that is status 3" status 3 "$tool" moves --socket "$dir/sock"
ok "what is not for us is status 4" status 4 \
	"$tool" forget x --socket "$dir/sock"
cat >"$dir/clients" <<'END'
CLIENT      FLOWS  OUT-PKTS  IN-PKTS  IDLE
192.0.2.50      3        10       20    5s
END
cat >"$dir/explain" <<'END'
asked        hip.foo.com: a name
next         sent: bell?
END
cat >"$dir/pins" <<'END'
NAME         HIT
hip.foo.com  2001:21::77
END
ok "pins" prints "$dir/pins" "$tool" pins --socket "$dir/sock"
ok "clients" prints "$dir/clients" "$tool" clients --socket "$dir/sock"
ok "explain" prints "$dir/explain" \
	"$tool" explain hip.foo.com --socket "$dir/sock"
ok "explain of nothing is a usage error" status 2 "$tool" explain
ok "explain of two things, too" status 2 "$tool" explain a b
cat >"$dir/ping" <<'END'
2001:21::77 at 203.0.113.9:10500: time=1.500 ms
2001:21::77 at 203.0.113.9:10500: time=1.500 ms
2 echoes, 2 answers: least 1.500, mean 1.500, most 1.500 ms
END
ok "ping" prints "$dir/ping" \
	"$tool" ping hip.foo.com --count 2 --socket "$dir/sock"
ok "ping: without an SA it ends at once" status 1 \
	"$tool" ping nobody --socket "$dir/sock"
ok "ping: what no number is, is a usage error" status 2 \
	"$tool" ping hip.foo.com --count x --socket "$dir/sock"
ok "ping: no daemon is status 3" status 3 \
	"$tool" ping hip.foo.com --socket "$dir/none"
ok "connect" has \
	"2001:21::77 at 203.0.113.9:10500: ESTABLISHED after 42.1 ms" \
	"$tool" connect hip.foo.com --socket "$dir/sock"
ok "connect to nobody is a usage error" status 2 \
	"$tool" connect --socket "$dir/sock"
ok "drain waits until nothing is in use" has "idle: hipgated may be stopped" \
	"$tool" drain --socket "$dir/sock"
ok "capture without a file is a usage error" status 2 \
	"$tool" capture --socket "$dir/sock"
ok "capture --decrypt wants to be understood" has "--i-understand" \
	"$tool" capture -o "$dir/x" --decrypt --socket "$dir/sock"
ok "and has made no file" [ ! -e "$dir/x" ]
ok "capture without a daemon makes none either" status 3 \
	"$tool" capture -o "$dir/x" --socket "$dir/none"
ok "indeed" [ ! -e "$dir/x" ]

# ---- bugreport ------------------------------------------------------------------

{
	cat "$dir/good.conf"
	echo '[policy "*.corp.example"]'
	echo 'hip = require'
	echo '[record static.corp.example]'
	echo 'hi = ecdsa AAIYmeBTH1AbcdefGHIJ0123456789KLMNOPqrstuv=='
} >"$dir/bug.conf"
ok "bugreport" has "read it before you pass it on" "$tool" bugreport \
	-o "$dir/report" --config "$dir/bug.conf" --socket "$dir/sock"
ok "is its owner's alone" mode_is "$dir/report" 600
ok "is JSON, with all that was asked" python3 -c '
import json, sys
o = json.load(open(sys.argv[1]))
assert o["version"] == 1 and o["tool"] and o["kernel"]["release"]
assert o["daemon"]["mappings"][0]["state"] == "ESTABLISHED"
assert o["daemon"]["sas"]["error"] and o["events"] and o["config"]
' "$dir/report"
for word in hip.foo.com corp.example 2001:21::77 203.0.113.9 192.0.2.50 \
	2001:db8:401::9c41 AAIYmeBTH1 "$(cat "$dir/p256.hit")"; do
	ok "bugreport: no $word" sh -c '! grep -qF -- "$1" "$2"' sh \
		"$word" "$dir/report"
done
ok "bugreport: one name has one pseudonym" python3 -c '
import json, sys
o = json.load(open(sys.argv[1]))
m = o["daemon"]["mappings"][0]
assert m["name"].startswith("name-") and m["hit"].startswith("hit-")
assert m["sub6"].startswith("addr6-")
assert m["locator"].startswith("addr4-") and m["locator"].endswith(":10500")
assert o["daemon"]["flows"][0]["peer"] == m["hit"]
assert any(m["name"] in l for l in map(json.dumps, o["events"])), o["events"]
' "$dir/report"
ok "bugreport again: others" sh -c '"$1" bugreport -o "$2.2" --config "$3" \
	--socket "$4" >/dev/null && ! grep -qF "$(grep -o "hit-[0-9a-f]*" \
	"$2" | head -n 1)" "$2.2"' sh "$tool" "$dir/report" "$dir/bug.conf" \
	"$dir/sock"
ok "bugreport --full has names" sh -c '"$1" bugreport --full -o "$2" \
	--config "$3" --socket "$4" >/dev/null && grep -q hip.foo.com "$2" &&
	grep -q corp.example "$2"' sh "$tool" "$dir/full" "$dir/bug.conf" \
	"$dir/sock"
ok "but no key" sh -c '! grep -q AAIYmeBTH1 "$1"' sh "$dir/full"
ok "bugreport without a daemon says so, inside" sh -c '"$1" bugreport -o "$2" \
	--config "$3" --socket "$4" >/dev/null &&
	grep -q "cannot reach hipgated" "$2"' sh "$tool" "$dir/report" \
	"$dir/bug.conf" "$dir/none"
ok "bugreport onto a full disk fails" sh -c \
	'"$1" bugreport -o - --socket "$2" >/dev/full 2>&1; [ $? = 1 ]' \
	sh "$tool" "$dir/none"
ok "bugreport where nothing can be written" has "No such file" \
	"$tool" bugreport -o "$dir/no/report" --socket "$dir/sock"
ok "version: the tool's and the daemon's, and that they differ" has \
	"They differ" "$tool" version --socket "$dir/sock"
ok "version --json has both" sh -c \
	'"$1" version --json --socket "$2" | python3 -c "
import json, sys
o = json.load(sys.stdin)
assert o[\"version\"] == 1 and o[\"data\"][\"daemon\"][\"version\"] == \"9.9.9\"
assert o[\"data\"][\"tool\"] and o[\"data\"][\"protocol\"] == 1"' \
	sh "$tool" "$dir/sock"
ok "version without a daemon says so, and is no failure" has \
	"hipgated -: cannot reach" "$tool" version --socket "$dir/none"

# ---- watching, and terminals ----------------------------------------------------

# watched N COMMAND...: N lines of it, each an object with a version.
watched() {
	n=$1
	shift
	timeout 20 "$@" | head -n "$n" >"$dir/lines"
	python3 - "$dir/lines" "$n" <<'END'
import json, sys
lines = [json.loads(l) for l in open(sys.argv[1])]
assert len(lines) == int(sys.argv[2]), lines
assert all(l["version"] == 1 and "data" in l for l in lines)
END
}
ok "--watch into a pipe: one object a line" watched 3 \
	"$tool" clients --watch=0.1 --socket "$dir/sock"
ok "--watch=0 is a usage error" status 2 \
	"$tool" clients --watch=0 --socket "$dir/sock"
ok "and says what is expected" has "expected seconds" \
	"$tool" clients --watch=x --socket "$dir/sock"
ok "a daemon that is not there ends --watch" status 3 \
	"$tool" clients --watch=0.1 --socket "$dir/none"
# tty COLUMNS COMMAND: what it prints on a terminal that is so wide.
tty() {
	TERM=xterm script -qec "stty cols $1; $2" /dev/null </dev/null |
		tr -d '\r' >"$dir/tty"
	cat "$dir/tty"
}
# fits COLUMNS: no line of $dir/tty is longer, colours aside.
fits() {
	sed "s/$(printf '\033')\\[[0-9;]*m//g" "$dir/tty" |
		awk -v max="$1" 'length > max { print; bad = 1 }
			END { exit bad || NR == 0 }'
}
esc=$(printf '\033')
for width in 132 80 60; do
	tty $width "$tool mappings --socket $dir/sock" >/dev/null
	ok "mappings on $width columns fit" fits $width
	ok "and have the name" grep -q 'hip\.foo\.com' "$dir/tty"
done
ok "that some have no room is said" grep -q '6 more columns' "$dir/tty"
tty 132 "$tool mappings --socket $dir/sock" >/dev/null
ok "a terminal has colour" grep -q "$esc\[32m" "$dir/tty"
tty 132 "NO_COLOR=1 $tool mappings --socket $dir/sock" >/dev/null
ok "but not with NO_COLOR" sh -c '! grep -q "$2" "$1"' sh "$dir/tty" "$esc"
ok "and not into a pipe" sh -c \
	'! "$1" mappings --socket "$2" | grep -q "$3"' sh "$tool" \
	"$dir/sock" "$esc"
# A busy machine may need longer for two of them.
drawn=0
for limit in 1 5 25; do
	[ "$drawn" -lt 2 ] || break
	tty 80 "timeout $limit $tool clients --watch=0.2 --socket $dir/sock" \
		>/dev/null
	drawn=$(grep -c "$esc\[H$esc\[J" "$dir/tty")
done
ok "--watch on a terminal draws anew" [ "$drawn" -ge 2 ]

# ---- events of before ------------------------------------------------------------

ok "events: each with the format's version" sh -c \
	'[ "$("$1" events --json --socket "$2" | grep -c "\"version\":1")" = 2 ]' \
	sh "$tool" "$dir/sock"
cat >"$dir/events" <<'END'
{"t":10.0,"role":"proxy","step":"A","event":"dns-query","client":"192.0.2.50:4000","server":"192.0.2.53:53","name":"hip.foo.com","qtype":"AAAA","text":"lh asks"}
{"t":10.001,"role":"proxy","step":"A","event":"dns-query","client":"192.0.2.51:4000","server":"192.0.2.53:53","name":"other.foo.com","qtype":"AAAA","text":"another asks"}
{"t":10.002,"role":"proxy","step":"B","event":"dns-ask","server":"192.0.2.53:53","name":"hip.foo.com","qtype":"HIP","text":"proxy asks"}
{"t":10.0204,"role":"proxy","step":"C","event":"dns-host","name":"hip.foo.com","hit":"2001:21::77","text":"it is"}
{"t":10.0205,"role":"proxy","step":"D","event":"mapping","name":"hip.foo.com","hit":"2001:21::77","sub6":"fd00::9","sub4":"","text":"mapping; #1"}
{"t":10.021,"role":"proxy","step":"E","event":"dns-reply","client":"192.0.2.50:4000","name":"hip.foo.com","qtype":"AAAA","text":"-> lh"}
{"t":10.022,"role":"proxy","step":"F","event":"first-packet","client":"192.0.2.50","client_port":5000,"virt":"fd00::9","virt_port":80,"text":"lh SYN"}
{"t":10.023,"role":"proxy","step":"G","event":"hip-send","type":"I1","to":"203.0.113.9:10500","peer":"2001:21::77","text":"I1 ->"}
{"t":10.043,"role":"proxy","step":"H","event":"hip-seen","type":"R1","from":"203.0.113.9:10500","peer":"2001:21::77","text":"R1 <-"}
{"t":10.044,"role":"proxy","step":"","event":"hip-dropped","type":"I1","from":"203.0.113.66:1","reason":"hip-rate","text":"I1 dropped"}
{"t":10.065,"role":"proxy","step":"I","event":"sa-up","peer":"2001:21::77","locator":"203.0.113.9:10500","text":"SA"}
{"t":10.066,"role":"proxy","step":"I.1","event":"flow","client":"192.0.2.50","client_port":5000,"virt":"fd00::9","virt_port":80,"peer":"2001:21::77","ext_port":9,"text":"nat"}
{"t":10.086,"role":"proxy","step":"J","event":"first-return","peer":"2001:21::77","ext_port":9,"text":"back"}
{"t":10.0861,"role":"proxy","step":"K","event":"to-legacy","client":"192.0.2.50","client_port":5000,"text":"to lh"}
{"event":"lost","step":"","lost":12}
END
echo '{"t":10.0,"step":"A","event":"x","text":"one two three four five six seven eight nine"}' \
	>"$dir/long.events"
cat >"$dir/ladder" <<'END'
       0.0  A    lh asks
       2.0  B    proxy asks
      20.4  C    it is  (DNS took 18.4 ms)
      20.5  D    mapping; #1
      21.0  E    -> lh  (the client waited 21.0 ms)
      22.0  F    lh SYN
      23.0  G    I1 ->
      43.0  H    R1 <-  (since I1 20.0 ms)
      65.0  I    SA
      66.0  I.1  nat  (the packet waited for the SA 44.0 ms)
      86.0  J    back  (since it left 20.0 ms)
      86.1  K    to lh  (first answer, since F 64.1 ms)
         -       12 events are missing here: they came faster than they were read
END
ok "trace --from: the ladder, who waited for what, of one name" \
	prints "$dir/ladder" "$tool" trace hip.foo.com --from "$dir/events"
awk 'NR <= 2 { kept = kept $0 "\n"; next } { print } NR == 6 { printf "%s", kept }' \
	"$dir/events" >"$dir/late.events"
ok "trace --from: what comes late stands where it began" \
	prints "$dir/ladder" "$tool" trace hip.foo.com --from "$dir/late.events"
printf '{"t":%s,"step":"","event":"x","text":"%s"}\n' 20 before 15 "set back" \
	15.1 after >"$dir/leap.events"
ok "but not before a clock was set back" sh -c \
	'[ "$("$1" trace --from "$2" | awk "{ print \$NF }" | tr "\n" " ")" = \
		"before back after " ]' sh "$tool" "$dir/leap.events"
tty 60 "$tool trace --from $dir/long.events" >/dev/null
ok "on a terminal its lines are broken between words" fits 60
ok "and what follows stands below the text" sh -c \
	'grep -qx " \{17\}nine" "$1"' sh "$dir/tty"
ok "into a pipe they are whole" has "six seven eight nine" \
	"$tool" trace --from "$dir/long.events"
ok "of a HIT: from the host's first event on" has "12 events are missing" \
	"$tool" trace 2001:0021::77 --from "$dir/events"
ok "of all: what was dropped, too" has "I1 dropped" \
	"$tool" trace --from "$dir/events"
cat >"$dir/mermaid" <<'END'
sequenceDiagram
    participant h0 as 192.0.2.50
    participant h1 as proxy
    participant h2 as 192.0.2.53
    participant h3 as 203.0.113.9
    h0->>h1: A lh asks (0.0 ms)
    h1->>h2: B proxy asks (2.0 ms)
    Note over h1: C it is (20.4 ms)
    Note over h1: D mapping   1 (20.5 ms)
    h1-->>h0: E -> lh (21.0 ms)
    h0->>h1: F lh SYN (22.0 ms)
    h1->>h3: G I1 -> (23.0 ms)
    h3->>h1: H R1 <- (43.0 ms)
    Note over h1,h3: I SA (65.0 ms)
    h1->>h3: I.1 nat (66.0 ms)
    h3-->>h1: J back (86.0 ms)
    h1-->>h0: K to lh (86.1 ms)
END
ok "trace --mermaid" prints "$dir/mermaid" \
	"$tool" trace hip.foo.com --mermaid --from "$dir/events"
ok "trace --from what is not there" status 1 \
	"$tool" trace --from "$dir/nothing"
echo rubbish >"$dir/rubbish.events"
ok "trace --from what is no event: file, line and the mend" has \
	"rubbish.events:1: not an event; such files are written by" \
	"$tool" trace --from "$dir/rubbish.events"
ok "trace --follow --from is a usage error" status 2 \
	"$tool" trace --follow --from "$dir/events"
ok "a full disk is told" sh -c \
	'"$1" trace --from "$2" >/dev/full 2>"$3"; [ $? = 1 ] &&
		grep -q "could not be written" "$3"' sh "$tool" \
	"$dir/events" "$dir/said2"
ok "a daemon that hangs up is told" has "hung up" \
	"$tool" trace --follow --socket "$dir/sock"
kill "$fake"
wait "$fake" 2>/dev/null
fake=
ok "no daemon: where, and what to do" has \
	"cannot reach hipgated at $dir/sock: Connection refused; is it running? (--socket)" \
	"$tool" status --socket "$dir/sock"
ok "no daemon is status 3" status 3 "$tool" status --socket "$dir/sock"
ok "no socket" has "cannot reach hipgated at $dir/none: No such file" \
	"$tool" status --socket "$dir/none"
ok "a name too long for a socket" has "too long" \
	"$tool" status --socket "/$(printf '%0200d' 0)"

# ---- help ---------------------------------------------------------------------

ok "version" has "hipgate " "$tool" version
ok "help lists the verbs" has dns-record "$tool" help
ok "help of a verb" has "[--follow]" "$tool" help trace
ok "no verb is a usage error" status 2 "$tool"
ok "an unknown verb is a usage error" status 2 "$tool" frob
"$tool" statsu 2>"$dir/near"
ok "and is told the nearest one" grep -q 'did you mean "status"?' "$dir/near"
ok "an option of another verb is a usage error" status 2 \
	"$tool" status --follow

# ---- what shells and systemd are told ------------------------------------------

for shell in bash fish zsh man; do
	ok "completions $shell: every verb" sh -c '"$1" completions "$2" >"$3" &&
		for verb in $("$1" help | sed -n "s/^  \([a-z-]*\) .*/\1/p"); do
			grep -q -- "$verb" "$3" || { echo "$verb"; exit 1; }
		done' sh "$tool" $shell "$dir/completions"
done
ok "bash reads its completions" sh -c \
	'"$1" completions bash | bash -n' sh "$tool"
ok "completions of another shell" status 2 "$tool" completions tcsh

# A daemon as systemd starts it: what it is told, in this order.
cat >"$dir/agent.conf" <<END
[daemon]
identity = $dir/p256.pem
control = $dir/agent.sock
state = $dir
port = 10599

[rendezvous]
END
python3 - "$build/hipgated" "$dir/agent.conf" "$dir/notify" \
	>"$dir/notified" 2>&1 <<'END'
import os, signal, socket, subprocess, sys
daemon, conf, path = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(path)
s.settimeout(30)
r, w = os.pipe()
env = dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="200000",
           JOURNAL_STREAM="%d:%d" % (os.fstat(w).st_dev, os.fstat(w).st_ino))
p = subprocess.Popen([daemon, "--config", conf], env=env, stderr=w)
os.close(w)


def wait(word):
    while True:
        got = s.recv(4096).decode()
        if word in got:
            print(word)
            return


try:
    wait("READY=1")
    wait("WATCHDOG=1")
    wait("WATCHDOG=1")
    p.send_signal(signal.SIGHUP)
    wait("RELOADING=1")
    wait("READY=1")
    p.terminate()
    wait("STOPPING=1")
    err = open(r).read()
    p.wait(30)
    print("ended", p.returncode)
    print("levels", all(l.startswith("<") for l in err.splitlines()))
finally:
    p.kill()
END
ok "systemd is told of ready, alive, reload and end" \
	prints - cat "$dir/notified" <<END
READY=1
WATCHDOG=1
WATCHDOG=1
RELOADING=1
READY=1
STOPPING=1
ended 0
levels True
END

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
