# SPDX-License-Identifier: MIT
# How every shell test reports: one line for each check. Sourced.
# shellcheck shell=bash

# shellcheck disable=SC2034
CHECK_FAILED=0

# pass NAME / fail NAME [WHY...]
pass()
{
	printf 'ok - %s\n' "$1"
}

fail()
{
	# shellcheck disable=SC2034
	CHECK_FAILED=1
	printf 'not ok - %s\n' "$1"
	shift
	(($# == 0)) || printf '%s\n' "$@" | head -n 40 | sed 's/^/    # /'
}

# check NAME COMMAND...: passes when the command succeeds; what it printed is
# shown when it does not. A command that prints complaints and still returns
# 0 passes. What took long says how long, for who wants the run shorter.
check()
{
	local name=$1 out since=$SECONDS

	shift
	if out=$("$@" 2>&1); then
		((since = SECONDS - since, since < 10)) || name+=" ($since s)"
		pass "$name"
	else
		fail "$name" "$out"
	fi
}

# none NAME COMMAND...: passes when the command finds nothing to print.
none()
{
	local name=$1 out

	shift
	out=$("$@" 2>&1) || true
	if [[ -z $out ]]; then
		pass "$name"
	else
		fail "$name" "$out"
	fi
}
