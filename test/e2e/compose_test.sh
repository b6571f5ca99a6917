#!/bin/bash
# SPDX-License-Identifier: MIT
# demo/docker-compose.yml for real. The container engine is ours: its data in a
# folder that goes away, its networks in a network namespace of its own. The
# base image comes from a registry where one can be reached, else it is made
# here under the same name. Root.
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/test/check.sh"
. "$ROOT/demo/lib/names.sh"

BASE=debian:12-slim
FILE=$ROOT/demo/docker-compose.yml
WORK=$(mktemp -d /var/tmp/hipgate-compose-XXXXXX)
SPACE=hgengine-$$
export DOCKER_HOST=unix://$WORK/sock DOCKER_BUILDKIT=0
export COMPOSE_PROJECT_NAME=hgtest
trap finish EXIT

# ---- the engine -----------------------------------------------------------

# A /dev/net/tun that everyone may open, as udev makes it on Debian.
# shellcheck disable=SC2016
WITH_TUN='mount -t tmpfs -o mode=755 tun /dev/net &&
	mknod -m 666 /dev/net/tun c 10 200 && exec "$@"'

# engine COMMAND...: started as COMMAND's last words say.
engine_up()
{
	setsid "$@" unshare -m sh -c "$WITH_TUN" sh /usr/sbin/dockerd \
		--data-root "$WORK/data" --exec-root "$WORK/exec" \
		--pidfile "$WORK/pid" -H "$DOCKER_HOST" --bridge=none \
		"${ENGINE_OPTIONS[@]}" </dev/null >>"$WORK/engine.log" 2>&1 &
	wait_for 180 "the container engine" docker info ||
		tail -n 5 "$WORK/engine.log"
}

engine_gone()
{
	! kill -0 "$1" 2>/dev/null
}

engine_down()
{
	local pid

	[[ -e $WORK/pid ]] || return 0
	pid=$(cat "$WORK/pid")
	kill "$pid" 2>/dev/null
	wait_for 30 "the end of the engine" engine_gone "$pid"
}

# To build, it is where the packages are, and makes no network there.
builder_up()
{
	ENGINE_OPTIONS=(--iptables=false --ip6tables=false)
	engine_up env
}

# To run, it is in a namespace of its own.
runner_up()
{
	ENGINE_OPTIONS=()
	ip netns add "$SPACE" && ip -n "$SPACE" link set lo up &&
		engine_up nsenter "--net=/run/netns/$SPACE"
}

finish()
{
	compose down -v >/dev/null 2>&1
	engine_down
	ip netns del "$SPACE" 2>/dev/null
	rm -rf "$WORK"
}

# ---- images -----------------------------------------------------------------

# Images have dpkg without fsync, as those of a registry do.
base_made()
{
	debootstrap --variant=minbase bookworm "$WORK/base" \
		>"$WORK/base.log" 2>&1 || {
		tail -n 5 "$WORK/base.log"
		return 1
	}
	echo force-unsafe-io >"$WORK/base/etc/dpkg/dpkg.cfg.d/unsafe-io"
	tar -C "$WORK/base" -c . | docker import - "$BASE" >/dev/null &&
		rm -rf "$WORK/base"
}

base_there()
{
	timeout 60 docker pull -q "$BASE" >/dev/null 2>&1 || base_made
}

image_built()
{
	docker build --network host -f "$ROOT/demo/Dockerfile" --target demo \
		-t hipgate-demo "$ROOT" >"$WORK/build.log" 2>&1 || {
		tail -n 12 "$WORK/build.log" | cut -c 1-200
		return 1
	}
}

# ---- what it is to do ---------------------------------------------------------

compose()
{
	docker-compose -f "$FILE" "$@"
}

compose_up()
{
	compose up -d --no-build >"$WORK/up.log" 2>&1 || {
		tail -n 12 "$WORK/up.log"
		compose logs --tail 4 2>&1 | tail -n 40
		return 1
	}
}

in_service()
{
	compose exec -T "$@" 2>&1
}

# page OPTION...: the page of the HIP host, by its name.
page()
{
	local out

	out=$(in_service legacy curl -sS --max-time 20 "$@" \
		http://hip.foo.com/)
	[[ $out == *"a page of the HIP host"* ]] || {
		echo "$out"
		return 1
	}
}

legacy_said()
{
	[[ $(compose logs legacy) == *"a page of the HIP host"* ]]
}

# It went through a substitute address, the agent and an SA.
traced()
{
	local trace step

	trace=$(in_service proxy hipgate trace)
	for step in A B C D E F G H H.1 I I.1 J K; do
		grep -qE "^ *[0-9.]+  $step  " <<<"$trace" || {
			echo "no step $step in the trace"
			return 1
		}
	done
	grep -q "via 2001:db8:300::10" <<<"$trace"
}

# Daemons have no capability, and no way to one.
harmless()
{
	local service

	for service in proxy host agent; do
		in_service "$service" sh -c '
			test "$(id -u)" = 990 &&
			grep -q "^CapBnd:.*0000000000000000" /proc/1/status &&
			grep -q "^NoNewPrivs:.*1" /proc/1/status' || {
			echo "$service"
			return 1
		}
	done
}

# The daemon without which nothing goes: then the page is not to be had,
# neither in clear text; and afterwards it is again, at the same address.
address()
{
	in_service legacy dig +short hip.foo.com AAAA
}

no_page()
{
	! page --connect-timeout 3 >/dev/null
}

back()
{
	wait_for 180 "the page after the restart" page
}

restarted()
{
	local before

	before=$(address)
	compose stop proxy >/dev/null 2>&1 && no_page &&
		compose start proxy >/dev/null 2>&1 && back &&
		[[ -n $before && $(address) == "$before" ]]
}

# Compose of today reads it too, where there is one.
valid_today()
{
	docker compose -f "$FILE" config -q
}

main()
{
	check "compose: the file is valid" compose config -q
	if docker compose version >/dev/null 2>&1; then
		check "compose: the file is valid for Compose v2" valid_today
	fi
	check "compose: the engine runs" builder_up || return
	check "compose: a base image" base_there || return
	check "compose: the image is built" image_built || return
	engine_down
	check "compose: the engine runs in its namespace" runner_up || return
	check "compose: Figure 6 comes up" compose_up || return
	check "compose: the legacy host has got the page" \
		wait_for 180 "the page" legacy_said
	check "compose: curl by name" page
	check "compose: curl by name, IPv4" page -4
	check "compose: steps A to K" traced
	check "compose: the daemons have no privilege" harmless
	check "compose: proxy stopped, no page; restarted, same address" \
		restarted
}

main
