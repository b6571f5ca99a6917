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
ok "a name that would add lines is refused" status 1 "$tool" dns-record \
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
while True:
    c, _ = sock.accept()
    req = json.loads(c.makefile().readline())
    verb = req["verb"]
    if req.get("follow"):
        c.close()
        continue
    if verb == "trace":
        for e in ({"t": 100.5, "step": "A", "event": "dns-query",
                   "text": "lh -> dns AAAA hip.foo.com"},
                  {"t": 100.5187, "step": "", "event": "other",
                   "text": "bell\u0007"},
                  {"end": True}):
            c.sendall((json.dumps(e) + "\n").encode())
    elif verb == "sas":
        c.sendall(b'{"version":1,"ok":false,"error":"not today"}\n')
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
       0.0  A  lh -> dns AAAA hip.foo.com
      18.7     bell?
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
ok "a daemon that hangs up is told" has "hung up" \
	"$tool" trace --follow --socket "$dir/sock"
kill "$fake"
wait "$fake" 2>/dev/null
fake=
ok "no daemon: where, and what to do" has \
	"cannot reach hipgated at $dir/sock: Connection refused; is it running? (--socket)" \
	"$tool" status --socket "$dir/sock"
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
