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

# ---- goals -----------------------------------------------------------------------

# What hipgate's figure is to be through that of another; by itself: "".
# The pump is the one with the cipher.
def goals: [
	{keys: ["tcp1_up", "tcp1_down", "tcp4_up", "tcp4_down"], is: ">=",
	than: {"pump-aes": 0.9, "wireguard-go": 2.2, strongswan: 8}},
	{keys: ["udp1300", "udp1300_down", "udp64", "udp64_down"], is: ">=",
	than: {"pump-aes": 0.85, "wireguard-go": 4}},
	{keys: ["loss", "loss_down"], is: "<=", than: {"": 0}},
	{keys: ["rtt", "rtt_p99"], is: "<=",
	than: {"wireguard-go": 0.55, fastd: 1}},
	{keys: ["http"], is: ">=", than: {"pump-aes": 0.8, "wireguard-go": 2.5}},
	{keys: ["cpu_up", "cpu_down"], is: "<=",
	than: {"wireguard-go": 0.38}}];

# [{key, than, is, goal, found: spread or null, met}] of what was measured;
# met by the median.
def path_goals: path_summary as $sum | path_ratios as $ratios
	| [goals[] | . as $g | .keys[] as $k
	| select(any($sum[]; has($k))) | .than | to_entries[]
	| {key: $k, than: .key, is: $g.is, goal: .value} | . as $o
	| (if .than == "" then $sum[] | select(.path == "hipgate")
		else $ratios[] | select(.path == $o.than) end | .[$k])
		// null | . as $found
	| $o + {found: $found, met: (if $found == null then null
		elif $o.is == ">=" then $found.median >= $o.goal
		else $found.median <= $o.goal end)}];

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

def goals_table:
	([26, 15, 9, 9, 16, 12] as $w
	| (["", "through", "goal", "median", "least..largest", ""] | row($w)),
	(path_goals[] | .key as $k | [
		(first(path_columns[] | select(.key == $k)) | .head
			| map(select(. != "")) | join(" ") | sub("- "; "")),
		.than, "\(.is) \(.goal)",
		({v: .found, n: 2} | middle, range_of),
		(if .met == null then "not measured"
		elif .met then "met" else "missed" end)] | row($w)));

def path_table: path_summary as $sum
	| [path_columns[] | select(.key as $k | any($sum[]; has($k)))] as $c
	| path_about,
	"", "medians", ($sum | grid($c; 9; middle)),
	"", "least..largest", ($sum | grid($c; 14; range_of)),
	(path_ratios | select(length > 0) | "",
		"hipgate's median through that of", grid($c; 9; .n = 2
			| middle)),
	"", "goals", goals_table,
	"", path_remarks, path_absent;
def all: sums + {path: {
	about: (map(select(.about)) | last | .about // null),
	contenders: path_summary, ratios: path_ratios, goals: path_goals,
	remarks: map(select(.remark)), absent: map(select(.absent)),
	rounds: map(select(.path))}};
