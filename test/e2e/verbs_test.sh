#!/bin/bash
# SPDX-License-Identifier: MIT
# Every verb of the tool in bad times, by one table: wrong arguments, no
# daemon, one that hangs up, says nothing or is of another version, a socket
# and files that are not for us, answers that are none, a full disk, a reader
# that does not read or goes away. Each ends with the status that hipgate(1)
# has for it and says what to do.
# Usage: verbs_test.sh BUILD-FOLDER. What needs another user or a small disk
# is left out without root.
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "${1:?usage: verbs_test.sh BUILD-FOLDER}" && pwd) || exit 1
. "$ROOT/test/check.sh"
TOOL=$BUILD/hipgate
# Seconds after which something hangs, however busy the machine is.
HANGS=120
. "$ROOT/test/e2e/standin.sh"
# Another user is to find it, too.
chmod 755 "$DIR"

# VERB|ARGUMENTS|KIND|LEAST, a row for each way to call a verb. KIND is what
# it needs of the daemon: "answer" one or more, "events" a row of them, "self"
# what it says it could not have, and ends as ever; "none" nothing; of
# "arguments" only those are looked at. LEAST: how many of the arguments, from
# the left, are too few; "-": it needs none.
VERBS='
status||answer|-
peers||answer|-
paths||answer|-
moves||answer|-
sas||answer|-
mappings||answer|-
flows||answer|-
clients||answer|-
explain|hip.foo.com|answer|0
registrations||answer|-
identities||answer|-
access||answer|-
metrics||answer|-
pins||answer|-
log||answer|-
log|dns debug|answer|1
reload||answer|-
forget|hip.foo.com|answer|0
trace||events|-
trace|hip.foo.com --mermaid|events|-
events||events|-
ping|hip.foo.com --count 1|answer|0
connect|hip.foo.com|answer|0
drain|--now|answer|-
drain|--off|answer|-
capture|--output DIR/out/x.pcapng|answer|0
doctor|daemon|self|-
doctor|mtu hip.foo.com|arguments|-
bugreport|--output DIR/out/report|self|-
keygen|--force DIR/out/new.pem|none|0
hit|DIR/key.pem|none|0
dns-record|--name hip.foo.com. DIR/key.pem|none|2
check|DIR/conf|none|-
completions|bash|none|0
version||self|-
help|status|none|-
'

# each FUNCTION [KIND...]: FUNCTION VERB ARGUMENTS LEAST KIND for the rows of
# these kinds, of all without; prints what FUNCTION did of those that failed.
each()
{
	local what=$1 verb args kind least words bad=0 n=0

	shift
	while IFS='|' read -r verb args kind least; do
		[[ -n $verb ]] || continue
		(($# == 0)) || [[ " $* " == *" $kind "* ]] || continue
		n=$((n + 1))
		read -ra words <<<"${args//DIR/$DIR}"
		rm -rf "$DIR/out"
		mkdir -m 777 "$DIR/out"
		"$what" "$verb" "$kind" "$least" "${words[@]}" && continue
		echo "^ $what: $verb $args"
		bad=1
	done <<<"$VERBS"
	((!bad && n > 0))
}

# ends STATUS TEXT COMMAND...: with that status; standard error has TEXT.
# --socket comes where the command has it.
ends()
{
	local want=$1 text=$2 status

	shift 2
	timeout "$HANGS" "$@" >"$DIR/stdout" 2>"$DIR/stderr" </dev/null
	status=$?
	((status == want)) && [[ $(<"$DIR/stderr") == *"$text"* ]] && return
	echo "status $status, not $want; or no \"$text\" in:"
	cat "$DIR/stderr"
	return 1
}

# leaky COMMAND...: leaks are not searched for, which is half of what a
# sanitized process costs: where it ends before it has asked anybody anything.
leaky()
{
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 "$@"
}

# What each verb has.
declare -A HELP=()
know_help()
{
	local verb

	for verb in $("$TOOL" help | awk '/^  [a-z]/ { print $1 }'); do
		HELP[$verb]=$("$TOOL" help "$verb")
	done
}

# at SOCKET VERB [ARGUMENT]...: the command, in $CALL. Not all verbs have it.
at()
{
	CALL=("$TOOL" "$2" "${@:3}")
	[[ ${HELP[$2]} != *--socket* ]] || CALL+=(--socket "$DIR/$1")
}

# until_so COMMAND...: until it succeeds; who asked for it sees that it has not.
until_so()
{
	local i

	for ((i = 0; i < HANGS * 10; i++)); do
		"$@" && return
		sleep 0.1
	done
}

# ---- the table is whole ------------------------------------------------------

missing_rows()
{
	local verb

	for verb in "${!HELP[@]}"; do
		grep -q "^$verb|" <<<"$VERBS" || echo "no row: $verb"
	done
}

# ---- wrong arguments -----------------------------------------------------------

wrong_option()
{
	ends 2 "usage: hipgate $1" "$TOOL" "$1" "${@:4}" --no-such-option
}

too_many()
{
	ends 2 "usage: hipgate $1" "$TOOL" "$1" "${@:4}" a b c d
}

too_few()
{
	[[ $3 == - ]] || ends 2 hipgate "$TOOL" "$1" "${@:4:$3}"
}

# Each option that takes a value, without one; at the end, where none is left.
no_value()
{
	local option

	for option in $(grep -oE -- '--[a-z]+ [A-Z]' <<<"${HELP[$1]}" |
		cut -d ' ' -f 1); do
		ends 2 "usage: hipgate $1" "$TOOL" "$1" "${@:4}" "$option" ||
			return 1
	done
}

# Of the options that take a number, or a word out of a list.
WRONG_VALUES='
--watch=0|expected seconds
--watch=x|expected seconds
--count -1|expected a number
--count 0|expected a number
--seconds 99999999999|expected a number
--snaplen 1x|expected a number
--ttl -1|expected seconds
--alg rsa|there are: p256
'
wrong_values()
{
	local row option words text

	while IFS='|' read -r row text; do
		option=${row%%[= ]*}
		grep -qE -- "${option:-none}[[ ]" <<<"${HELP[$1]}" || continue
		read -ra words <<<"$row"
		ends 2 "$text" "$TOOL" "$1" "${words[@]}" "${@:4}" || return 1
	done <<<"$WRONG_VALUES"
}

help_of()
{
	ends 0 "" "$TOOL" "$1" --help &&
		grep -qF "usage: hipgate $1" "$DIR/stdout"
}

# ---- a daemon that is not there, or not as it should be --------------------------

# What stands in for hipgated: at each socket it is another one.
cat >"$DIR/daemon.py" <<'END'
import json, os, socket, sys, threading

os.chdir(sys.argv[1])
ODD = {"null": "null", "text": '"x"', "object": "{}",
       "lists": "[[],7,null,{}]", "good": '{"text":"x","lines":[{}]}',
       "deep": '{"tun":7,"health":[],"hits":{},"offload":[],"counts":[1],'
               '"lines":[7,{"what":3}],"mapping":7,"text":7,"peer":{},'
               '"data":[{}]}'}
LONG = json.dumps({"version": 1, "ok": True, "data": [
    {"name": "x" * 200, "hit": "2001:21::%x" % i} for i in range(2000)]})


def answer(mode, verb):
    if mode == "newer":
        return {"version": 2, "verb": verb, "ok": True, "data": {}}
    if mode == "unknown":
        return {"version": 1, "ok": False, "code": "unknown-verb",
                "daemon": "0.0.1", "error": "?"}
    if mode == "denied":
        return {"version": 1, "ok": False, "code": "denied",
                "error": "that is for root; ask with sudo"}
    return {"version": 1, "ok": False, "code": "failed",
            "error": "bell\x07 \x1b[2J"} # "no"


def serve(mode, c):
    line = c.makefile().readline()
    if not line:
        return
    verb = json.loads(line).get("verb")
    if mode == "hangup":
        return
    if mode == "silent":
        c.recv(1)
        return
    if mode == "quiet": # from its first answer on
        c.sendall(b'{"version":1,"ok":true,"data":{}}\n')
        c.recv(1)
        return
    if mode == "rubbish":
        c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return
    if mode == "long":
        with open("asked." + verb, "a") as f:
            f.write("x")
    if mode in ODD:
        c.sendall(b'{"version":1,"ok":true,"data":%s}\n' % ODD[mode].encode())
        c.sendall(b'{"end":true}\n')
        return
    if verb in ("trace", "events") and mode == "long":
        for i in range(40000):
            c.sendall(b'{"t":%d.0,"step":"A","event":"dns-query",'
                      b'"text":"%s"}\n' % (i, b"x" * 200))
        c.sendall(b'{"end":true}\n')
        return
    text = LONG if mode == "long" else json.dumps(answer(mode, verb))
    c.sendall((text + "\n").encode())


def quietly(mode, c):
    try:
        serve(mode, c)
    except OSError:
        pass # its reader has gone
    c.close()


def listen(mode):
    s = socket.socket(socket.AF_UNIX)
    s.bind(mode)
    os.chmod(mode, 0o600 if mode == "closed" else 0o666)
    s.listen(64)
    return s


def loop(mode, s):
    while True:
        c, _ = s.accept()
        threading.Thread(target=quietly, args=(mode, c), daemon=True).start()


modes = ["newer", "unknown", "denied", "no", "hangup", "silent", "quiet",
         "rubbish", "long", "closed"] + list(ODD)
all = [(m, listen(m)) for m in modes]
gone = socket.socket(socket.AF_UNIX)
gone.bind("gone") # nobody listens
open("ready", "w").close()
for m, s in all:
    threading.Thread(target=loop, args=(m, s), daemon=True).start()
threading.Event().wait()
END

nobody_there()
{
	local socket

	for socket in none gone; do
		at "$socket" "$1" "${@:4}"
		ends 3 "cannot reach hipgated at $DIR/$socket: " "${CALL[@]}" &&
			grep -qF "is it running?" "$DIR/stderr" &&
			[[ -z $(ls "$DIR/out") ]] || return 1
	done
}

# What it is about is whether there is a daemon: they say so on the way.
nobody_there_self()
{
	local want=0

	[[ $1 != doctor ]] || want=1
	at none "$1" "${@:4}"
	ends "$want" "" "${CALL[@]}" &&
		grep -qF "cannot reach hipgated" "$DIR/stdout" "$DIR"/out/*
}

hangs_up()
{
	at hangup "$1" "${@:4}"
	ends 3 "hung up" "${CALL[@]}"
}

is_newer()
{
	at newer "$1" "${@:4}"
	ends 3 "use the tool of the same release" "${CALL[@]}" &&
		[[ -z $(ls "$DIR/out") ]]
}

is_older()
{
	at unknown "$1" "${@:4}"
	ends 3 "hipgated 0.0.1 does not know that verb" "${CALL[@]}"
}

is_none()
{
	at rubbish "$1" "${@:4}"
	ends 3 "is this hipgated's control socket?" "${CALL[@]}"
}

says_no()
{
	at no "$1" "${@:4}"
	ends 1 "hipgated says: bell? ?[2J" "${CALL[@]}"
}

says_denied()
{
	at denied "$1" "${@:4}"
	ends 4 "ask with sudo" "${CALL[@]}" && [[ -z $(ls "$DIR/out") ]]
}

# Answers of a form that nobody expects: whatever is made of them, it ends by
# itself, and soon.
odd_answers()
{
	local mode status

	for mode in null text object lists deep; do
		at "$mode" "$1" "${@:4}"
		timeout "$HANGS" "${CALL[@]}" >"$DIR/stdout" \
			2>"$DIR/stderr" </dev/null
		status=$?
		((status > 4)) || continue
		echo "answer $mode: status $status"
		tail -n 20 "$DIR/stderr"
		return 1
	done
}

# All at once: each waits its ten seconds.
silent_ones()
{
	local row="$*"

	at silent "$1" "${@:4}"
	ends_alone "$row" "${CALL[@]}" &
	[[ ${HELP[$1]} == *--follow* && $row != *--mermaid* ]] || return 0
	ends_alone "follow $row" "${CALL[@]}" --follow &
}

ends_alone()
{
	local file=$DIR/silent.${1//[^a-z-]/} status

	shift
	timeout "$HANGS" "$@" >/dev/null 2>"$file.said" </dev/null
	status=$?
	((status == 3)) && grep -q "does not answer (waited 10 s)" "$file.said" ||
		echo "$* ($status): $(cat "$file.said")" >"$file.bad"
}

# Once it has answered, a capture waits for packets, longer than that. Not by
# timeout, which has SIGCONT follow each signal: LeakSanitizer, which stops who
# ends, may wait for that for ever.
quiet_one()
{
	local file=$DIR/quiet.pcapng pid

	"$TOOL" capture --output "$file" --socket "$DIR/quiet" >/dev/null \
		2>"$DIR/quiet.said" </dev/null &
	pid=$!
	until_so test -s "$file"
	sleep 12
	kill "$pid"
	wait "$pid"
	grep -q "hung up; the 0 packets before that" "$DIR/quiet.said" ||
		cp "$DIR/quiet.said" "$DIR/silent.quiet.bad"
}

all_silent()
{
	local job

	quiet_one &
	each silent_ones answer events
	for job in $(jobs -p); do
		[[ $job == "$DAEMON" ]] || wait "$job"
	done
	cat "$DIR"/silent.*.bad 2>/dev/null && return 1
	(($(cat "$DIR"/silent.*.said | grep -c "does not answer") >= 28))
}

# ---- not for us ------------------------------------------------------------------

# A user with nothing of root's.
OTHER=(setpriv --reuid=65534 --regid=65534 --clear-groups)

socket_closed()
{
	at closed "$1" "${@:4}"
	CALL[0]=$DIR/bin/hipgate
	ends 4 "ask with sudo, or be in the group that control-group" \
		"${OTHER[@]}" "${CALL[@]}"
}

# FILE arguments that the user may not read, and folders not written to.
files_closed()
{
	local call=("${OTHER[@]}" "$DIR/bin/hipgate" "$1")

	case $1 in
	hit | dns-record | check)
		chmod 600 "$DIR/key.pem" "$DIR/conf"
		ends 1 "Permission denied" "${call[@]}" "${@:4}"
		;;
	keygen | bugreport)
		chmod 755 "$DIR/out"
		ends 1 "Permission denied" "${call[@]}" "${@:4}"
		;;
	trace)
		touch "$DIR/out/events"
		chmod 600 "$DIR/out/events"
		ends 1 "$DIR/out/events: Permission denied" \
			"${call[@]}" --from "$DIR/out/events"
		;;
	capture)
		chmod 755 "$DIR/out"
		ends 1 "$DIR/out/x.pcapng: Permission denied" \
			"${call[@]}" "${@:4}" --socket "$DIR/object"
		;;
	esac
}

# ---- a full disk -------------------------------------------------------------------

# Whatever a verb says, to a full disk.
stdout_full()
{
	local status mode=good

	[[ ${HELP[$1]} != *--watch* ]] || mode=long
	[[ $1 != explain && $1 != metrics ]] || mode=good
	[[ $2 != events ]] || mode=long
	[[ $1 != capture ]] || set -- "$1" "$2" "$3" --output -
	at "$mode" "$1" "${@:4}"
	timeout "$HANGS" "${CALL[@]}" >/dev/full 2>"$DIR/stderr" </dev/null
	status=$?
	((status == 1)) && grep -qE 'could not be written|No space left' \
		"$DIR/stderr" && return
	echo "status $status: $(cat "$DIR/stderr")"
	return 1
}

# What is to be written into a file, to a disk of its own without room: an
# error, and nothing half-made is left.
file_full()
{
	at object "$1" "${@:4}"
	unshare --mount --propagation private bash -c '
		mount -t tmpfs -o size=4k tiny "$1" &&
			head -c 4096 /dev/zero >"$1/full" || exit 9
		"${@:2}"
		status=$?
		[ "$(ls "$1")" = full ] || { ls -l "$1" >&2; exit 8; }
		exit $status' sh "$DIR/out" "${CALL[@]}" >"$DIR/stdout" \
		2>"$DIR/stderr" </dev/null
	status=$?
	((status == 1)) && grep -q "No space left on device" "$DIR/stderr" &&
		return
	echo "status $status: $(cat "$DIR/stderr")"
	return 1
}

files_full()
{
	case $1 in
	keygen | bugreport) file_full "$@" ;;
	esac
}

# ---- slow readers --------------------------------------------------------------------

# --watch asks again when what was answered is written, and not before: who
# does not read has the daemon asked once, for there is no room for more.
watch_unread()
{
	[[ ${HELP[$1]} == *--watch* && $1 != metrics ]] || return 0
	at long "$1" "${@:4}" --watch=0.1
	{
		# That it does not read is meant.
		timeout "$HANGS" "${CALL[@]}" 2>/dev/null </dev/null |
			until_so test -e "$DIR/read.enough"
	} &
}

all_asked()
{
	(($(ls "$DIR"/asked.* 2>/dev/null | wc -l) >= 14))
}

# All at once; "log dns debug" has a verb of its own on the way. Each has been
# asked, and then has the time of ten questions more.
all_unread()
{
	local job

	rm -f "$DIR"/asked.* "$DIR/read.enough"
	each watch_unread answer
	until_so all_asked
	sleep 1
	: >"$DIR/read.enough"
	for job in $(jobs -p); do
		[[ $job == "$DAEMON" ]] || wait "$job"
	done
	grep -L '^x$' "$DIR"/asked.* | grep . && return 1
	all_asked
}

# Once it reads, it gets all there is.
watch_read()
{
	[[ ${HELP[$1]} == *--watch* && $1 != metrics ]] || return 0
	at long "$1" "${@:4}" --watch=0.1
	timeout "$HANGS" "${CALL[@]}" 2>/dev/null </dev/null | head -n 3 |
		python3 -c '
import json, sys
lines = [json.loads(line) for line in sys.stdin]
assert [len(l["data"]) for l in lines] == [2000] * 3'
	((PIPESTATUS[2] == 0))
}

# A reader that goes away ends it, quietly.
reader_gone()
{
	at long "$1" "${@:4}" --json
	[[ ${HELP[$1]} == *--json* ]] || return 0
	timeout "$HANGS" "${CALL[@]}" 2>"$DIR/stderr" </dev/null | head -c 10 \
		>/dev/null
	(($? != 124)) && [[ ! -s $DIR/stderr ]] && return
	cat "$DIR/stderr"
	return 1
}

# ---- all -------------------------------------------------------------------------------

as_root()
{
	install -d "$DIR/bin"
	install -m 755 "$TOOL" "$DIR/bin/hipgate"
	check "verbs: a socket that is not for us is status 4" \
		each socket_closed answer events
	check "verbs: files that are not for us" each files_closed
	check "verbs: no room for the file: said, and nothing is left" \
		each files_full
}

main()
{
	"$TOOL" keygen "$DIR/key.pem" >/dev/null || exit 1
	printf '[daemon]\nidentity = %s\n[rendezvous]\n' "$DIR/key.pem" \
		>"$DIR/conf"
	know_help
	none "verbs: each has a row" missing_rows
	check "verbs: an option that there is not is status 2" \
		leaky each wrong_option
	check "verbs: arguments too many" leaky each too_many
	check "verbs: arguments too few" leaky each too_few
	check "verbs: an option without its value" leaky each no_value
	check "verbs: a value that is none says what is expected" \
		leaky each wrong_values
	check "verbs: --help of each is its own" leaky each help_of
	check "verbs: a stand-in for the daemon" daemon_there
	check "verbs: no daemon is status 3, says where, and makes no file" \
		leaky each nobody_there answer events
	check "verbs: those that go on without one say so" \
		each nobody_there_self self
	check "verbs: a daemon that hangs up is status 3" \
		each hangs_up answer events
	check "verbs: a newer daemon is status 3" each is_newer answer events
	check "verbs: an older daemon is status 3" each is_older answer events
	check "verbs: what is no hipgated is status 3" each is_none answer events
	check "verbs: its no is status 1, told without control characters" \
		each says_no answer events
	check "verbs: what is not for us is status 4" \
		each says_denied answer events
	check "verbs: answers of any form are survived" \
		each odd_answers answer events self
	check "verbs: a daemon that says nothing is given up" all_silent
	check "verbs: a full disk behind standard output is told" \
		each stdout_full answer events none
	check "verbs: --watch asks no more than is read" all_unread
	check "verbs: and who reads gets it all" each watch_read answer
	check "verbs: a reader that goes away ends it quietly" \
		each reader_gone answer events
	((EUID)) || as_root
}

main
exit "$CHECK_FAILED"
