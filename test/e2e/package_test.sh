#!/bin/bash
# SPDX-License-Identifier: MIT
# The Debian packages: built from what git has, judged by lintian, installed,
# run and purged in a copy of this machine's file system that is thrown away.
# Root.
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/test/check.sh"

WORK=$(mktemp -d)
BOX=$WORK/box/root
trap 'umount -R "$WORK/box" 2>/dev/null; rm -rf "$WORK"' EXIT

# Files that git knows, with what has been changed in them.
sources()
{
	mkdir "$WORK/hipgate" &&
		(cd "$ROOT" && git ls-files -z | xargs -0 cp --parents -t "$WORK/hipgate")
}

build_packages()
{
	(cd "$WORK/hipgate" &&
		DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -b -us -uc -j2) \
		>"$WORK/build.log" 2>&1 || {
		tail -n 12 "$WORK/build.log" | cut -c 1-200
		return 1
	}
}

lint_packages()
{
	lintian --allow-root --fail-on error,warning "$WORK"/*.changes
}

# ---- the box ------------------------------------------------------------------

# This machine's files, to be changed without harm; /run is its own.
box_up()
{
	mkdir "$WORK/box" &&
		mount -t tmpfs tmpfs "$WORK/box" &&
		mkdir "$WORK"/box/{up,work,root} &&
		mount -t overlay overlay "$BOX" -o \
			"lowerdir=/,upperdir=$WORK/box/up,workdir=$WORK/box/work" &&
		mount -t proc proc "$BOX/proc" &&
		mount --rbind /sys "$BOX/sys" &&
		mount --rbind /dev "$BOX/dev" &&
		mount -t tmpfs tmpfs "$BOX/run" &&
		mount -t tmpfs tmpfs "$BOX/tmp" &&
		cp "$WORK"/*.deb "$BOX/tmp"
}

boxed()
{
	chroot "$BOX" "$@"
}

dpkg_install()
{
	boxed sh -c 'dpkg -i /tmp/*.deb'
}

example()
{
	boxed hipgate keygen /etc/hipgate/keys/host.pem &&
		boxed cp "/usr/share/doc/hipgate/examples/$1.conf" \
			/etc/hipgate/hipgate.conf &&
		boxed hipgate check /etc/hipgate/hipgate.conf &&
		boxed hipgate-setup --dry-run
	local rc=$?

	boxed rm -f /etc/hipgate/hipgate.conf /etc/hipgate/keys/host.pem
	return "$rc"
}

key_folder_is_private()
{
	[[ $(boxed stat -c '%a %U' /etc/hipgate/keys) == "700 hipgate" ]]
}

units_verify()
{
	boxed systemd-analyze --man=no verify hipgated.service \
		hipgate-setup.service
}

# At most this exposure, of 10, by systemd's own reckoning.
units_hardened()
{
	boxed systemd-analyze security --offline=true --threshold=20 \
		--no-pager hipgated.service
}

completes()
{
	local words

	words=$(boxed bash -c '. /usr/share/bash-completion/completions/hipgate
		COMP_WORDS=(hipgate tra) COMP_CWORD=1; _hipgate
		echo "${COMPREPLY[@]}"
		COMP_WORDS=(hipgate trace --f) COMP_CWORD=2; _hipgate
		echo "${COMPREPLY[@]}"')
	[[ $words == $'trace\n--follow --from' ]]
}

# Each page is there, and says what it is about.
pages()
{
	local page

	for page in hipgate.1 hipgate-demo.1 hipgate.conf.5 hipgated.8 \
		hipgate-setup.8; do
		boxed zgrep -q "^.SH NAME" \
			"/usr/share/man/man${page##*.}/$page.gz" || {
			echo "$page"
			return 1
		}
	done
}

# In a folder of its own: that of this machine may be in use meanwhile.
demo_runs()
{
	HIPGATE_DEMO_DIR=/var/lib/hipgate-boxed boxed hipgate-demo run |
		tee "$WORK/demo.log"
	grep -q "Figure 6 held" "$WORK/demo.log"
}

# Whatever is named after us and was written in the box (its upper layer, but
# for the marks of what was deleted), and is not on this machine as well.
left_behind()
{
	local file

	(cd "$WORK/box/up" && find . -name '*hipgate*' -not -type c \
		-not -path './var/log/*' -not -path './var/lib/dpkg/*') |
		while read -r file; do
			[[ -e /$file ]] || echo "$file"
		done
}

main()
{
	local conf

	((EUID == 0)) || {
		fail "packages: this needs root"
		return
	}
	check "packages: sources" sources
	check "packages: they are built" build_packages
	((!CHECK_FAILED)) || return
	check "packages: lintian has nothing to say" lint_packages
	check "packages: a copy of this machine" box_up
	check "packages: they install" dpkg_install
	check "packages: only the daemon's user sees the keys" \
		key_folder_is_private
	for conf in laptop gateway containers host agent; do
		check "packages: the example $conf.conf is good" example "$conf"
	done
	check "packages: the units are well-formed" units_verify
	check "packages: the daemon's unit is hardened" units_hardened
	check "packages: bash completes verbs and options" completes
	check "packages: manual pages" pages
	check "packages: hipgate-demo run holds" demo_runs
	check "packages: purged" \
		boxed dpkg --purge hipgate-demo hipgate
	none "packages: nothing is left" left_behind
}

# In a mount namespace of its own: whatever happens, the box goes with it.
if [[ ${1-} != --inside ]]; then
	unshare --mount --propagation private "$0" --inside
	exit
fi
main
exit "$CHECK_FAILED"
