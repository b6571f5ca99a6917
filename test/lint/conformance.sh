# SPDX-License-Identifier: MIT
# docs/conformance.md against the tree: every id of checklist.ids has one row,
# each file, function and test that a row names is there, and what is done is
# tested. Sourced by run.sh; each function prints what breaks its rule.
# shellcheck shell=bash

CONFORMANCE=docs/conformance.md
CHECKLIST=test/lint/checklist.ids

# "ID<tab>STATUS<tab>WHERE<tab>TEST" for each row of the tables.
conformance_rows()
{
	awk -F '[[:blank:]]*[|][[:blank:]]*' -v OFS='\t' '
		$2 ~ /^[A-Z][0-9]+[a-z]?$/ {
			if (NF != 7)
				print "row " $2 ": " NF - 2 " cells, not 5" \
					>"/dev/stderr"
			else
				print $2, $4, $5, $6
		}' "$CONFORMANCE"
}

# The cells of one column as "ID<tab>FILE<tab>NAME", one line for each name;
# NAME is empty where only the file is named. A test that is not C is named
# by its words, in quotes.
conformance_items()
{
	conformance_rows | awk -F '\t' -v OFS='\t' -v col="$1" '
	$col == "" || $col == "-" { next }
	{
		n = split($col, item, /; /)
		for (i = 1; i <= n; i++) {
			at = index(item[i], ": ")
			if (!at) {
				print $1, item[i], ""
				continue
			}
			file = substr(item[i], 1, at - 1)
			rest = substr(item[i], at + 2)
			if (rest ~ /^"/) {
				print $1, file, rest
				continue
			}
			m = split(rest, name, /, /)
			for (j = 1; j <= m; j++)
				print $1, file, name[j]
		}
	}'
}

wrong_ids()
{
	local have want

	have=$(conformance_rows 2>&1 >/dev/null)
	[[ -z $have ]] || echo "$have"
	have=$(conformance_rows 2>/dev/null | cut -f 1 | sort)
	want=$(grep -v '^#' "$CHECKLIST" | sort)
	uniq -d <<<"$have" | sed 's/$/ has two rows/'
	comm -13 <(uniq <<<"$have") <(echo "$want") | sed 's/$/ has no row/'
	comm -23 <(uniq <<<"$have") <(echo "$want") |
		sed 's/$/ is not in the checklist/'
}

wrong_statuses()
{
	conformance_rows 2>/dev/null | awk -F '\t' '
	$2 !~ /^(done(; .+)?|(partly|not applicable|not yet): .+)$/ {
		print $1 ": status \"" $2 "\""
	}
	$2 ~ /^(done|partly)/ && ($3 == "" || $3 == "-") {
		print $1 " is done, but nowhere"
	}
	$2 ~ /^(done|partly)/ && ($4 == "" || $4 == "-") {
		print $1 " is done, but no test shows it"
	}'
}

# Reads each file once: text[FILE], with a line break before the first line;
# false when there is none.
CONFORMANCE_READ='
function has(file,    line, got)
{
	if (file in text)
		return text[file] != ""
	text[file] = ""
	while ((got = (getline line < file)) > 0)
		text[file] = text[file] "\n" line
	close(file)
	if (text[file] != "")
		text[file] = text[file] "\n"
	return text[file] != ""
}
'

# A name is defined where it begins a function, a table or a macro; in a
# shell script, a function or a variable.
wrong_places()
{
	conformance_items 3 | awk -F '\t' "$CONFORMANCE_READ"'
	!has($2) {
		print $1 ": there is no file " $2
		next
	}
	$3 == "" { next }
	$2 ~ /\.[ch]$/ {
		what = "\n(([A-Za-z_][^\n]*[ *])?" $3 "([([;]| =)|#define " \
			$3 "[( ])"
	}
	$2 !~ /\.[ch]$/ { what = "\n" $3 "([(][)]|=)" }
	text[$2] !~ what { print $1 ": there is no " $3 " in " $2 }'
}

# Tests are named from the folder test/ on. In C a test is defined and added
# to a case; elsewhere its words are there.
wrong_tests()
{
	conformance_items 4 | awk -F '\t' "$CONFORMANCE_READ"'
	{ file = "test/" $2 }
	!has(file) {
		print $1 ": there is no file " file
		next
	}
	$3 == "" {
		print $1 ": " file ": which test?"
		next
	}
	file !~ /\.c$/ {
		if (!index(text[file], $3))
			print $1 ": there is no test " $3 " in " file
		next
	}
	{
		rest = text[file]
		at = index(rest, "\nSTART_TEST(" $3 ")\n")
		if (!at)
			print $1 ": there is no test " $3 " in " file
		else if (substr(rest, at + length($3) + 13) !~ \
			"[^A-Za-z0-9_]" $3 "[,)]")
			print $1 ": test " $3 " in " file " is not run"
	}'
}
