# SPDX-License-Identifier: MIT
# What README's homes take who follows it, from a bare Debian 12 to the page.
# Sourced by test/bench.
# shellcheck shell=bash disable=SC2034
#
# The package: README's lines, one after another, in a Debian that debootstrap
# has just made (that is not counted), with the machine's own package sources.
# The homes' own lines and Compose: what homes_test.sh and compose_test.sh say,
# each line with the time since the one before. Where no registry can be
# reached "a base image" is debootstrap's time, not a download's.

# marked NAME: the commands below <!-- home: NAME --> in README.
marked()
{
	awk -v mark="<!-- home: $1 -->" '
		$0 == mark { found = 1; next }
		found && /^```/ { if (open++) exit; next }
		found && open { print }' "$ROOT/README.md"
}

# bare_up FOLDER: a Debian with the sources, and nothing else.
bare_up()
{
	debootstrap --variant=minbase bookworm "$1" >"$1.log" 2>&1 || {
		tail -n 5 "$1.log"
		return 1
	}
	rm -rf "$1/etc/apt" && cp -a /etc/apt "$1/etc/apt" &&
		cp -L /etc/resolv.conf "$1/etc/resolv.conf" &&
		echo 'APT::Get::Assume-Yes "true";' >"$1/etc/apt/apt.conf.d/99yes" &&
		mkdir "$1/root/hipgate" &&
		(cd "$ROOT" && git ls-files -z |
			xargs -0 cp --parents -t "$1/root/hipgate") &&
		mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev"
}

# Each line typed, and behind it how long it took.
bare_typed()
{
	local line

	echo 'cd /root/hipgate'
	while read -r line; do
		printf 'since=$EPOCHREALTIME\n%s || exit\n' "$line"
		printf 'echo "%s $since $EPOCHREALTIME" >&3\n' "${line//[\"\$]/}"
	done < <(marked package | sed 's/ *#.*//')
}

# timed NAME SECONDS
timed()
{
	printf '%-66s %7.1f s\n' "$1" "$2"
	note "{\"part\": \"homes\", \"name\": \"$1\", \"value\": $2," \
		"\"unit\": \"s\"}"
}

seconds_between()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b - a }'
}

bare_lines()
{
	local line since until

	while read -r line; do
		until=${line##* } line=${line% *}
		since=${line##* } line=${line% *}
		timed "package: $line" "$(seconds_between "$since" "$until")"
	done
}

bare_package()
{
	local work

	work=$(mktemp -d /var/tmp/hipgate-bare-XXXXXX)
	bare_up "$work/root" && bare_typed >"$work/root/typed" &&
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			chroot "$work/root" bash /typed \
			3>&1 >"$work/log" 2>&1 || tail -n 5 "$work/log" >&2
	# What is still mounted there is this machine's own.
	umount -R "$work/root/dev" "$work/root/proc" ||
		umount -Rl "$work/root/dev" "$work/root/proc" || return
	rm -rf --one-file-system "$work"
}

# told COMMAND...: the lines of a test, each with its time.
told()
{
	local line since=$EPOCHREALTIME

	while IFS= read -r line; do
		[[ $line != 'not ok'* ]] || echo "$line" >&2
		[[ $line == 'ok - '* ]] || continue
		timed "${line#ok - }" \
			"$(seconds_between "$since" "$EPOCHREALTIME")"
		since=$EPOCHREALTIME
	done < <("$@" 2>&1)
}

# What is mounted in the bare root is so in a mount namespace of its own.
bench_homes()
{
	"$ROOT/test/install" --any "$ROOT/test/packages.compose"
	bare_lines < <(unshare --mount --propagation private \
		bash -c "$(declare -f marked bare_up bare_typed bare_package)
			ROOT=$ROOT; bare_package")
	told "$ROOT/test/e2e/homes_test.sh" "$BUILD"
	told "$ROOT/test/e2e/compose_test.sh"
}
