# SPDX-License-Identifier: MIT
# README.md and docs/*.md against the programs: what they tell people to type
# is there. Sourced by run.sh; each function prints what breaks its rule.
# shellcheck shell=bash

# "FILE:LINE<tab>CODE" for each line of a fenced block, without its comment,
# and for each piece of code in a line of text. \| is a cell's own.
document_code()
{
	awk -v OFS='\t' '
	FNR == 1 { fenced = 0 }
	/^```/ { fenced = !fenced; next }
	fenced {
		sub(/[[:blank:]]+#.*/, "")
		print FILENAME ":" FNR, $0
		next
	}
	{
		n = split($0, part, "`")
		for (i = 2; i <= n; i += 2)
			print FILENAME ":" FNR, part[i]
	}' README.md docs/*.md
}

# "NAME OPTION..." for each verb of the tool, then each of the other programs.
program_words()
{
	local verb program

	"$BUILD/hipgate" completions bash >/dev/null || return
	for verb in $("$BUILD/hipgate" help | awk '/^  [a-z]/ { print $1 }'); do
		echo "$verb" "$("$BUILD/hipgate" help "$verb" |
			grep -oE -- '-(-[a-z-]+|[a-z])\b' | sort -u | tr '\n' ' ')"
	done
	for program in hipgated hipgate-setup; do
		echo "$program" "$("$BUILD/$program" --help |
			grep -oE -- '-(-[a-z-]+|[a-zA-Z])\b' | sort -u |
			tr '\n' ' ')"
	done
}

# Verbs and options that no program has.
undone_commands()
{
	document_code | grep -E $'[\t (;|&]hipgate(d|-setup)? ' |
		awk -F '\t' -v words="$(program_words)" '
		BEGIN {
			n = split(words, line, "\n")
			for (i = 1; i <= n; i++) {
				split(line[i], word, " ")
				known[word[1]] = line[i] " "
			}
			if (n < 10)
				print "the programs do not say their verbs"
		}
		# One command, from its program on.
		function judge(where, command,    word, m, j, who, option) {
			m = split(command, word, /[ \t]+/)
			who = word[1]
			j = 2
			if (who == "hipgate") {
				who = word[2]
				j = 3
				if (who !~ /^[a-z][a-z-]*$/)
					return
			}
			if (!(who in known)) {
				print where ": hipgate has no verb \"" who "\""
				return
			}
			for (; j <= m; j++) {
				option = word[j]
				sub(/[=\[].*/, "", option)
				if (option ~ /^-[a-z-]/ &&
				    !index(known[who], " " option " "))
					print where ": " who " has no " option
			}
		}
		{
			gsub(/-u hipgate /, "", $2)
			n = split($2, command, /[;|&()]+/)
			for (i = 1; i <= n; i++) {
				if (!match(command[i], /(^|[ \t])hipgate(d|-setup)? /))
					continue
				rest = substr(command[i], RSTART)
				sub(/^[ \t]+/, "", rest)
				judge($1, rest)
			}
		}'
}

# "SECTION KEY" for all there are; the schema is a table of such rows.
schema_words()
{
	awk '
	match($0, /\[CONFIG_[A-Z_]+\] = \{ "[a-z]+"/) {
		split(substr($0, RSTART, RLENGTH), w, /[]"[]/)
		name[w[2]] = w[4]
		print w[4]
	}
	match($0, /^\t\{ CONFIG_[A-Z_]+, "[a-z-]+"/) {
		split(substr($0, RSTART, RLENGTH), w, /[ ,"]+/)
		print name[w[2]], w[3]
	}' cmd/config/config_schema.c
}

# Sections and keys in fenced blocks that begin with one of our sections, and
# in pieces of text such as `[proxy] ttl = 5` or `ttl = 5`.
unknown_keys()
{
	awk -v words="$(schema_words)" '
	BEGIN {
		n = split(words, line, "\n")
		for (i = 1; i <= n; i++) {
			known[line[i]] = 1
			split(line[i], w, " ")
			any[w[2]] = 1
		}
		if (n < 40)
			print "cmd/config/config_schema.c cannot be read"
	}
	function section_of(text) {
		sub(/^\[/, "", text)
		sub(/[] ].*/, "", text)
		return text
	}
	function key_of(text) {
		sub(/[ \t]*=.*/, "", text)
		return text
	}
	function judge(where, text,    key) {
		key = key_of(text)
		if (!((section " " key) in known))
			print where ": [" section "] has no key " key
	}
	FNR == 1 { fenced = 0 }
	/^```/ { fenced = !fenced; section = ""; next }
	fenced && /^\[[a-z]+[] ]/ {
		section = section_of($0)
		if (!(section in known))
			print FILENAME ":" FNR ": no section [" section "]"
		next
	}
	fenced && /^\[/ { section = ""; next }
	fenced && section && /^[a-z-]+[ \t]*=/ { judge(FILENAME ":" FNR, $0) }
	fenced { next }
	{
		n = split($0, part, "`")
		for (i = 2; i <= n; i += 2) {
			if (part[i] ~ /^\[[a-z]+[^]]*\] [a-z-]+ =/) {
				section = section_of(part[i])
				sub(/^[^]]*\] /, "", part[i])
				judge(FILENAME ":" FNR, part[i])
			} else if (part[i] ~ /^[a-z-]+ =( |$)/ &&
				   !(key_of(part[i]) in any)) {
				print FILENAME ":" FNR ": no key " \
					key_of(part[i])
			}
		}
	}' README.md docs/*.md
}

# Tests that docs/security.md names: a C test, a function, or words in quotes.
missing_promises()
{
	local file name

	grep -oE '`(unit|e2e)/[^`]+`' docs/security.md | tr -d '`' |
		while IFS= read -r name; do
			file=test/${name%%: *}
			name=${name#*: }
			case $file in
			test/unit/hip/test_x.c | test/e2e/x.sh) continue ;;
			esac
			case $name in
			\"*) grep -qF -- "${name//\"/}" "$file" ;;
			*) grep -qE "START_TEST\($name\)|^$name\(\)" "$file" ;;
			esac 2>/dev/null || echo "docs/security.md: $file: $name"
		done
}

# Documents that README.md or docs name, and that are not there.
missing_documents()
{
	local where name

	document_code | while IFS=$'\t' read -r where name; do
		[[ $name =~ ^(docs/)?[a-z-]+\.md$ ]] || continue
		[[ -e docs/${name#docs/} ]] || echo "$where: $name"
	done
}
