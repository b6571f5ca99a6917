# SPDX-License-Identifier: MIT
# Rules on the text of files. Sourced by run.sh; each function prints what
# breaks its rule.
# shellcheck shell=bash

no_spdx()
{
	local file

	for file in "$@"; do
		case $file in
		*.md | *.json) continue ;;
		esac
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' ||
			echo "$file"
	done
}

long_files()
{
	wc -l "$@" | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 }'
}

# With our brace style a function's body is what stands between a `{` and a
# `}` in the first column; other bodies there (struct, enum) end in `};`.
long_functions()
{
	awk '
	FNR == 1 { start = 0 }
	/^{$/ { start = FNR }
	/^}$/ && start {
		if (FNR - start - 1 > 70)
			print FILENAME ":" start ": " FNR - start - 1 " lines"
		start = 0
	}' "$@"
}

bare_todo()
{
	grep -nHE '\b(TODO|FIXME|XXX)\b' "$@" |
		grep -vE 'TODO\(#[0-9]+\)|TODO #[0-9]+' |
		grep -vE '^(docs/style\.md|test/lint/)'
}

trailing_space()
{
	grep -nHE '[[:blank:]]+$' "$@" | grep -v '^[^:]*\.md:'
}

# The document that a program of ours writes.
stale_graph()
{
	"$BUILD/test/stategraph" | cmp -s - docs/state-machine.md ||
		echo "stale: run $BUILD/test/stategraph >docs/state-machine.md"
}

parse_shell()
{
	local file

	for file in "$@"; do
		bash -n "$file" || return 1
	done
}

# Keys of the configuration that its manual page does not have.
undocumented_keys()
{
	local key

	grep -oE '\{ CONFIG_[A-Z_]+, "[a-z-]+"' cmd/config/config_schema.c |
		sed -E 's/.*"(.*)"/\1/' | sort -u |
		while read -r key; do
			grep -q "\*$key\*" docs/man/hipgate.conf.5.scd ||
				echo "docs/man/hipgate.conf.5.scd: $key"
		done
}

# Metrics of the dashboard, and of metrics.c, that docs/seeing.md has not.
# (test/e2e/seeing.sh compares with what the daemon says.)
unknown_metrics()
{
	local name

	{
		jq -r '.. | .expr? // empty' dist/grafana/hipgate.json |
			grep -oE '\bhipgate_[a-z_]+'
		sed -nE 's/.*(gauge|counter)\(t, "([a-z_]+)".*/hipgate_\2/p' \
			cmd/hipgated/metrics.c
	} | sed -E 's/_bucket$//' | sort -u | while read -r name; do
		grep -q "$name" docs/seeing.md || echo "docs/seeing.md: $name"
	done
}

# Shell functions that two files have which the end-to-end run sources: the
# later one would be both. (figure6.sh makes checks of demo/lib's steps.)
double_functions()
{
	local file files

	files=$(sed -nE 's/^\. "\$ROOT\/([^"]+)"/\1/p' test/e2e/run.sh)
	for file in $files demo/lib/{net,services,daemons}.sh; do
		[[ $file == */steps.sh ]] ||
			grep -oE '^[a-z0-9_]+\(\)' "$file"
	done | sort | uniq -d
}
