# SPDX-License-Identifier: MIT
# What `test/bench dns` found, as tables. Round 0 fills caches and does not
# count.

include "sum";
include "path";

def dns_figures($hz):
	if .query | endswith("_rtt") then
		{key: .query, value: .median},
		{key: (.query + "_p99"), value: .p99},
		{key: (.query + "_ran"), value: (.ran / .num / 1000)}
	else {key: .query, value: (.done / .s)},
		{key: (.query + "_lost"), value: (100 * (1 - .done / .sent))},
		(select(.done > 0 and .ticks > 0) | {key: (.query + "_cpu"),
			value: (.ticks / $hz / .done * 1e6)})
	end;

# [{dns, round, key, value}]
def dns_values: (map(select(.about)) | last.about.hz // 100) as $hz
	| map(select(.dns and .round > 0) | {dns, round} + dns_figures($hz));

def dns_columns: [
	{key: "kept", head: ["kept", "", "q/s"], digits: 0},
	{key: "kept_cpu", head: ["kept", "CPU", "us/query"], digits: 1},
	{key: "kept_rtt", head: ["kept", "median", "us"], digits: 0},
	{key: "kept_rtt_p99", head: ["kept", "p99", "us"], digits: 0},
	{key: "kept_rtt_ran", head: ["kept", "ran", "us"], digits: 1},
	{key: "relayed", head: ["relayed", "", "q/s"], digits: 0},
	{key: "relayed_cpu", head: ["relayed", "CPU", "us/query"], digits: 1},
	{key: "relayed_rtt", head: ["relayed", "median", "us"], digits: 0},
	{key: "relayed_rtt_p99", head: ["relayed", "p99", "us"], digits: 0},
	{key: "relayed_rtt_ran", head: ["relayed", "ran", "us"], digits: 1},
	{key: "rest_rtt", head: ["rest", "median", "us"], digits: 0},
	{key: "rest_rtt_p99", head: ["rest", "p99", "us"], digits: 0},
	{key: "rest_rtt_ran", head: ["rest", "ran", "us"], digits: 1},
	{key: "new", head: ["new", "", "q/s"], digits: 0},
	{key: "new_cpu", head: ["new", "CPU", "us/query"], digits: 1},
	{key: "new_lost", head: ["new", "lost", "%"], digits: 2}];

def dns_names: reduce (.[] | select(.dns).dns) as $p ([];
	if index([$p]) then . else . + [$p] end);

def dns_summary: . as $all | dns_values as $v
	| [dns_names[] as $p | {path: $p} + ([dns_columns[].key as $k
		| {key: $k, value: ([$v[] | select(.dns == $p and .key == $k)
			.value] | select(length > 0) | spread)}]
		| from_entries)];

# In one round: hipgate's figure and that of another.
def dns_pairs($key; $other): dns_values as $v
	| [$v[] | select(.dns == "hipgate" and .key == $key) as $h
	| $v[] | select(.dns == $other and .key == $key and .round == $h.round)
	| {ours: $h.value, theirs: .value}];

# [{what, is, goal, found, met}]
def dns_goals:
	[{what: "kept: answers per CPU second, through unbound's", is: ">=",
		goal: 1, found: (dns_pairs("kept_cpu"; "unbound")
			| map(.theirs / .ours))},
	{what: "relayed: added to the median, us", is: "<=", goal: 100,
		found: (dns_pairs("relayed_rtt"; "direct")
			| map(.ours - .theirs))},
	{what: "the same, 2 ms between them", is: "<=", goal: 100,
		found: (dns_pairs("rest_rtt"; "direct")
			| map(.ours - .theirs))},
	{what: "octets of a mapping", is: "<=", goal: 512,
		found: map(select(.part == "dns" and .name == "mapping").value)}]
	| map(.found |= (select(length > 0) | spread) // null)
	| map(. + {met: (if .found == null then null
		elif .is == ">=" then .found.median >= .goal
		else .found.median <= .goal end)});

def dns_goal_rows:
	([50, 9, 10, 18, 12] as $w
	| (["goals", "", "median", "least..largest", ""] | row($w)),
	(dns_goals[] | [.what, "\(.is) \(.goal)",
		({v: .found, n: 2} | middle, range_of),
		(if .met == null then "not measured"
		elif .met then "met" else "missed" end)] | row($w)));

def dns_table: dns_summary as $sum
	| [dns_columns[] | select(.key as $k | any($sum[]; has($k)))] as $c
	| path_about,
	"", "medians", ($sum | grid($c; 10; middle)),
	"", "least..largest", ($sum | grid($c; 15; range_of)),
	"", (map(select(.part == "dns"))[]
		| [.name, "\(.value) \(.unit)"] | row([30, 20])),
	"", dns_goal_rows,
	"", path_absent;
def dns_all: {about: (map(select(.about)) | last | .about // null),
	resolvers: dns_summary, goals: dns_goals,
	memory: map(select(.part == "dns")),
	rounds: map(select(.dns))};
