# SPDX-License-Identifier: MIT
# Programs of the Debian release after this one, for contenders that have
# become faster since. Sourced by test/bench.
# shellcheck shell=bash
#
# They are unpacked in the build folder. apt works there too, with lists and a
# state of its own: the machine's packages and lists stay as they are.

NEWER_SUITE=trixie
NEWER=$BUILD/test/speed/$NEWER_SUITE

# Where this machine has its own release from, if that is Debian.
newer_source()
{
	local key=/usr/share/keyrings/debian-archive-keyring.gpg uri

	# shellcheck disable=SC2016
	uri=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' \
		'Created-By: Packages' 2>/dev/null |
		awk '$2 == "bookworm" { print $1; exit }')
	[[ -n $uri && -e $key ]] || return
	echo "deb [signed-by=$key] $uri $NEWER_SUITE main"
}

newer_apt()
{
	apt-get -q -o APT::Sandbox::User=root -o Dir::State="$NEWER/apt" \
		-o Dir::State::status="$NEWER/apt/status" \
		-o Dir::Cache="$NEWER/apt/cache" \
		-o Dir::Etc::sourcelist="$NEWER/apt/sources" \
		-o Dir::Etc::sourceparts=- "$@" >>"$NEWER/apt/log" 2>&1
}

newer_lists()
{
	[[ -e $NEWER/apt/ready ]] && return
	mkdir -p "$NEWER/apt/lists/partial" "$NEWER/apt/cache/archives/partial"
	: >"$NEWER/apt/status"
	newer_source >"$NEWER/apt/sources" && newer_apt update &&
		: >"$NEWER/apt/ready"
}

# newer_package PACKAGE: unpacked in $NEWER/PACKAGE.
newer_package()
{
	local dir=$NEWER/$1

	[[ -e $dir/version ]] && return
	newer_lists || return
	rm -rf "$dir"
	mkdir -p "$dir"
	(cd "$dir" && newer_apt download "$1" && dpkg-deb -x ./*.deb . &&
		dpkg-deb -f ./*.deb Version >version) || {
		rm -rf "$dir"
		return 1
	}
}

# newer PACKAGE PROGRAM: where that program is, the newer one if it can be
# had and runs here.
newer()
{
	local program=$NEWER/$1/usr/bin/$2

	if newer_package "$1" && ! ldd "$program" 2>&1 |
		grep -q 'not found'; then
		echo "$program"
	else
		needs "$2" && command -v "$2"
	fi
}

# version_of PACKAGE PROGRAM
version_of()
{
	if [[ $2 == "$NEWER"/* ]]; then
		echo "$(<"$NEWER/$1/version") of $NEWER_SUITE"
	else
		# shellcheck disable=SC2016
		dpkg-query -W -f='${Version}' "$1"
	fi
}
