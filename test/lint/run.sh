#!/bin/bash
# SPDX-License-Identifier: MIT
# The rules of docs/style.md and docs/design.md that a program can see.
# usage: run.sh BUILD  (a plain build: its libraries are looked at, and its
# stategraph is run)
set -u -o pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck disable=SC2034
BUILD=$1
. "$ROOT/test/check.sh"
. "$ROOT/test/lint/includes.sh"
. "$ROOT/test/lint/symbols.sh"
. "$ROOT/test/lint/text.sh"
. "$ROOT/test/lint/conformance.sh"
. "$ROOT/test/lint/documents.sh"
cd "$ROOT" || exit 1

ROOMS=(core hip esp nat dns tun)
PURE=(core hip esp nat dns)
mapfile -t C_FILES < <(find "${ROOMS[@]}" cmd test -name '*.[ch]' | sort)
mapfile -t H_FILES < <(find "${ROOMS[@]}" cmd test -name '*.h' | sort)
mapfile -t SHELL_FILES < <(find demo dist test .ci -type f \
	! -name '*.[ch]' ! -path '*/corpus/*' -exec grep -lE -m1 \
	'^#!/bin/(ba)?sh|^# shellcheck shell=' {} + | sort)
mapfile -t ALL_FILES < <(find "${ROOMS[@]}" cmd demo dist test docs .ci README.md \
	CMakeLists.txt -type f ! -path '*/corpus/*' ! -name '*.pcap' | sort)

check "clang-format: nothing to change" \
	clang-format-14 --dry-run -Werror "${C_FILES[@]}"
none "includes: rooms know core only, the others know doors only" \
	foreign_includes "${C_FILES[@]}"
none "includes: each .c includes its own header first" \
	own_header_first
none "includes: each header compiles alone" \
	headers_alone "${H_FILES[@]}"
none "stems: no two files have the same" double_stems
none "SPDX: a line in every file" no_spdx "${ALL_FILES[@]}"
none "size: files have at most 600 lines" long_files "${C_FILES[@]}"
none "size: functions have at most 70 lines" long_functions "${C_FILES[@]}"
none "tests: every source file of a room has its own" untested
none "TODO: none without an issue number" bare_todo "${ALL_FILES[@]}"
none "space: no trailing blanks" trailing_space "${ALL_FILES[@]}"
none "conformance: one row for each line of the checklist" wrong_ids
none "conformance: each status is one, what is done is tested" wrong_statuses
none "conformance: files and functions that are there" wrong_places
none "conformance: tests that are there" wrong_tests
none "shell: no function of the end-to-end run is there twice" double_functions
none "docs: hipgate.conf(5) has every key" undocumented_keys
none "docs: verbs and options that people are told to type are there" \
	undone_commands
none "docs: sections and keys in examples are those of the schema" unknown_keys
none "docs: security.md names tests that are there" missing_promises
none "docs: documents that are named are there" missing_documents
none "docs: state-machine.md is what the state table does" stale_graph
for room in "${PURE[@]}"; do
	none "symbols: $room calls nothing but computation" \
		impure_symbols "$room"
done
check "vectors: the second implementation still computes them" \
	python3 -B test/vectors/make.py --check
check "shell: bash reads every script" parse_shell "${SHELL_FILES[@]}"
if command -v shellcheck >/dev/null; then
	check "shell: shellcheck has no complaint" \
		shellcheck -S warning -e SC1090,SC1091,SC2010 "${SHELL_FILES[@]}"
fi
exit "$CHECK_FAILED"
