# SPDX-License-Identifier: MIT
# What `test/bench path` found, as tables.

include "sum";

# ---- one figure of one round ---------------------------------------------------

def gbit: .octets * 8 / .ns;
def per_s: .delivered / .ns * 1e9;
def loss: 100 * ([0, 1 - .delivered / .sent] | max);
def figures($hz):
	if .metric | startswith("tcp") then {key: .metric, value: gbit}
	elif .metric | startswith("udp1300") then
		{key: .metric, value: (per_s * .size * 8 / 1e9)}
	elif .metric | startswith("udp64") then {key: .metric, value: (per_s / 1e3)}
	elif .metric | startswith("loss") then {key: .metric, value: loss}
	elif .metric == "rtt" then
		{key: "rtt", value: (.median / 1e3)},
		{key: "rtt_p99", value: (.p99 / 1e3)}
	elif .metric == "http" then {key: .metric, value: .per_s}
	else empty end,
	if .metric | startswith("tcp1_") then
		{key: ("cpu_" + .metric[5:]),
		value: (.ticks / $hz / (.octets / 1e9))}
	else empty end;

# [{path, round, key, value}]
def path_values: (map(select(.about)) | last.about.hz // 100) as $hz
	| map(select(.path) | {path, round} + figures($hz));

def path_columns: [
	{key: "tcp1_up", head: ["TCP 1", "up", "Gbit/s"], digits: 2},
	{key: "tcp1_down", head: ["TCP 1", "down", "Gbit/s"], digits: 2},
	{key: "tcp4_up", head: ["TCP 4", "up", "Gbit/s"], digits: 2},
	{key: "tcp4_down", head: ["TCP 4", "down", "Gbit/s"], digits: 2},
	{key: "udp1300", head: ["1300 B", "up", "Gbit/s"], digits: 2},
	{key: "udp1300_down", head: ["1300 B", "down", "Gbit/s"], digits: 2},
	{key: "udp64", head: ["64 B", "up", "k/s"], digits: 1},
	{key: "udp64_down", head: ["64 B", "down", "k/s"], digits: 1},
	{key: "loss", head: ["50 k/s", "up", "% lost"], digits: 2},
	{key: "loss_down", head: ["50 k/s", "down", "% lost"], digits: 2},
	{key: "rtt", head: ["RTT", "median", "us"], digits: 0},
	{key: "rtt_p99", head: ["RTT", "p99", "us"], digits: 0},
	{key: "http", head: ["HTTP", "connec-", "tions/s"], digits: 0},
	{key: "cpu_up", head: ["CPU", "up", "s/GB"], digits: 2},
	{key: "cpu_down", head: ["CPU", "down", "s/GB"], digits: 2}];

# In the order in which they were measured first.
def path_names: reduce (.[] | select(.path).path) as $p ([];
	if index([$p]) then . else . + [$p] end);

def path_summary: . as $all | path_values as $v
	| [path_names[] as $p | {path: $p} + ([path_columns[].key as $k
		| {key: $k, value: ([$v[] | select(.path == $p and .key == $k)
			.value] | select(length > 0) | spread)}]
		| from_entries)];

# hipgate's figure through that of each other in the same round.
def path_ratios: path_values as $v
	| [path_names[] | select(. != "hipgate")] as $others
	| [$others[] as $p | {path: $p} + ([path_columns[].key as $k
		| {key: $k, value: ([$v[] | select(.path == $p and .key == $k)
			| . as $o | $v[] | select(.path == "hipgate"
				and .key == $k and .round == $o.round)
			| select($o.value > 0) | .value / $o.value]
			| select(length > 0) | spread)}]
		| from_entries)];

# ---- tables ----------------------------------------------------------------------

# Cells: {v: what spread gives or null, n: digits}.
def middle: if .v == null then "-" else .n as $n | .v.median | digits($n) end;
def range_of: if .v == null then "-" else .n as $n
	| "\(.v.min | digits($n))..\(.v.max | digits($n))" end;
# Rows like path_summary's as a table of columns $c, each $w wide.
def grid($c; $w; cell): ([14] + [$c[] | $w]) as $widths
	| (range(0; 3) as $i | [""] + [$c[].head[$i]] | row($widths)),
	(.[] | . as $r | [.path] + [$c[] | {v: $r[.key], n: .digits} | cell]
		| row($widths));

def path_about: (map(select(.about)) | last | .about // empty)
	| "\(.rounds) rounds of \(.seconds) s, \(.inner) inside, "
	+ "kernel \(.kernel), \(.cores) cores, load before: \(.load)"
	+ (if .settings != "" then "; \(.settings)" else "" end);
def path_remarks: map(select(.remark))[] | "\(.remark): \(.text)";
def path_absent: map(select(.absent)) | group_by([.absent, .why])[]
	| "not measured: \(.[0].absent): \(.[0].why)";

def path_table: path_summary as $sum
	| [path_columns[] | select(.key as $k | any($sum[]; has($k)))] as $c
	| path_about,
	"", "medians", ($sum | grid($c; 9; middle)),
	"", "least..largest", ($sum | grid($c; 14; range_of)),
	(path_ratios | select(length > 0) | "",
		"hipgate's median through that of", grid($c; 9; .n = 2
			| middle)),
	"", path_remarks, path_absent;
def all: sums + {path: {
	about: (map(select(.about)) | last | .about // null),
	contenders: path_summary, ratios: path_ratios,
	remarks: map(select(.remark)), absent: map(select(.absent)),
	rounds: map(select(.path))}};
