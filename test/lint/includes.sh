# SPDX-License-Identifier: MIT
# Who may include whom (docs/design.md, section 2). Sourced by run.sh; each
# function prints what breaks its rule.
# shellcheck shell=bash

# "FILE INCLUDED" for each quoted include.
quoted_includes()
{
	grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]+"' \
		"$@" | sed -E 's/:.*"([^"]+)"/ \1/'
}

# The rooms whose inside a file may see: its own, or for tests, fuzz targets
# and benches the one that they are about.
inside_of()
{
	case $1 in
	test/unit/*)
		local room=${1#test/unit/}
		echo "${room%%/*}"
		;;
	test/fuzz/* | test/speed/* | test/evil/*)
		sed -nE '1,8s/.*room: ([a-z]+).*/\1/p' "$1"
		;;
	test/second/* | test/sim/*)
		echo hip
		;;
	*)
		echo "${1%%/*}"
		;;
	esac
}

is_room()
{
	case $1 in
	core | hip | esp | nat | dns | tun) return 0 ;;
	*) return 1 ;;
	esac
}

may_include()
{
	local file=$1 inc=$2 top=${2%%/*} inside

	# Of programs and tests, own headers stand beside the file.
	[[ $file == @(cmd|test)/* && -e ${file%/*}/$inc ]] && return 0
	[[ $inc == */* && -e $inc ]] || return 1
	[[ $top == core ]] && return 0
	inside=$(inside_of "$file")
	[[ $top == "$inside" ]] && return 0
	case $file in
	cmd/* | test/*) ;;
	*) return 1 ;;		# a room: itself and core, no other
	esac
	if is_room "$top"; then
		[[ $inc == "$top/$top.h" ]]
	elif [[ $file == cmd/* ||
		$file == test/@(unit|speed|platform)/* ]]; then
		[[ $top == cmd || $top == test ]]
	else
		[[ $top == test ]]
	fi
}

foreign_includes()
{
	local file inc

	quoted_includes "$@" | while read -r file inc; do
		may_include "$file" "$inc" || echo "$file includes \"$inc\""
	done
}

own_header_first()
{
	local file first

	find "${ROOMS[@]}" cmd -name '*.c' | while read -r file; do
		[[ -e ${file%.c}.h ]] || continue
		first=$(grep -m1 -oE '#include *["<][^">]+' "$file")
		first=${first#*[\"<]}
		[[ $first == "${file%.c}.h" || ($file == cmd/* &&
			$first == "$(basename "$file" .c).h") ]] ||
			echo "$file begins with ${first:-no include}"
	done
}

headers_alone()
{
	local file flags

	flags=$(pkg-config --cflags libsodium libcrypto ldns libuv \
		liburcu-qsbr jansson inih sqlite3 check)
	for file in "$@"; do
		# shellcheck disable=SC2086
		echo "#include \"$file\"" | gcc -std=gnu11 -D_GNU_SOURCE -I. \
			$flags -Wall -Wextra -fsyntax-only -x c - 2>&1 |
			sed "s|^|$file: |" | head -n 3
	done
}

double_stems()
{
	find "${ROOMS[@]}" cmd test -name '*.c' -printf '%f\n' | sort | uniq -d
	find "${ROOMS[@]}" cmd test -name '*.h' -printf '%f\n' | sort | uniq -d
}

untested()
{
	local room file stem

	for room in "${ROOMS[@]}"; do
		for file in "$room"/*.c; do
			stem=$(basename "$file" .c)
			[[ -e test/unit/$room/test_$stem.c ]] ||
				echo "$file has no test/unit/$room/test_$stem.c"
		done
	done
}
