# SPDX-License-Identifier: MIT
# What test/bench found, one object a line, as figures: medians with the
# least and the largest, and tables of them.

def median: sort | if length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def spread: {median: median, min: min, max: max, num: length};
def digits($n): if . >= 1000 then . * 1 | round
	else . * pow(10; $n) | round / pow(10; $n) end;
def shown($n): "\(.median | digits($n)) (\(.min | digits($n))"
	+ "..\(.max | digits($n)))";
def row($widths): [., $widths] | transpose
	| map((.[0] | tostring) as $s
		| $s + " " * ([.[1] - ($s | length), 1] | max))
	| join("") | sub(" +$"; "");

# ---- rates -----------------------------------------------------------------

def op($round; $name): map(select(.round == $round and .op == $name))
	| first.ns;
def budget($r; $side): . as $all
	| ($all | op($r.round; $r.id + ".verify")) as $verify
	| ($all | op($r.round; $r.id + ".sign")) as $sign
	| ($all | op($r.round; "dh\($r.dh).derive")) as $derive
	| ($all | op($r.round; "dh\($r.dh).keygen")) as $keygen
	| ($all | op($r.round; if $r.id | startswith("rsa")
		then "sha256.hash" else "sha384.hash" end)) as $hash
	| if $side == "responder" then $verify + $sign + $derive
	else 2 * $verify + $sign + $derive + $keygen
		+ (if $r.k > 0 then pow(2; $r.k) * $hash else 0 end) end;
def measured: . as $all | [.[] | select(.id)
	| . as $r | ("initiator", "responder") as $side
	| {id, dh, k, side: $side, ns: $r[$side + "_ns"],
		budget_ns: ($all | budget($r; $side))}];
def rates: measured | group_by([.side, .id, .dh, .k]) | map({
	side: .[0].side, id: .[0].id, dh: .[0].dh, k: .[0].k,
	per_s: (map(1e9 / .ns) | spread),
	allowed_per_s: (map(1e9 / .budget_ns) | spread),
	ratio: (map(.budget_ns / .ns) | spread)});
def operations: map(select(.op)) | group_by(.op)
	| map({op: .[0].op, us: (map(.ns / 1000) | spread)});
def rates_table:
	([14, 30] as $w | (["operation", "us: median (min..max)"] | row($w)),
	(operations[] | [.op, (.us | shown(2))] | row($w))),
	"",
	([11, 9, 4, 3, 26, 26, 20] as $w
	| (["side", "identity", "dh", "K", "exchanges/s",
		"openssl speed allows", "ratio"] | row($w)),
	(rates[] | [.side, .id, .dh, .k, (.per_s | shown(0)),
		(.allowed_per_s | shown(0)), (.ratio | shown(2))] | row($w)));

# ---- floods ------------------------------------------------------------------

def floods: map(select(.flood)) | group_by(.flood) | map({
	flood: .[0].flood, i1_per_s: .[0].rate,
	r1_per_s: (map(.r1 / .seconds) | spread),
	cpu_us_per_i1: (map(.ns / 1000) | spread),
	i1_per_core_s: (map(1e9 / .ns) | spread),
	grown_bytes: (map(.after - .before) | spread)});
def lan_times: map(select(.lan and .lan != "warm-up")) | group_by(.lan)
	| map({lan: .[0].lan, tried: length,
		done: (map(select(.ms)) | length),
		ms: (map(.ms | values) | if length > 0 then spread
			else null end)});
def udp_floods: map(select(.udp) | {udp, i1_per_s: (.i1 / .seconds),
	r1_per_s: (.r1 / .seconds), cpu: (.cpu_s / .hz / .seconds),
	before_bytes: .before, after_bytes: .after});
def times_rows($w): .[] | [.lan, "\(.done) of \(.tried)",
	(if .ms then .ms | shown(2) else "-" end)] | row($w);
def flood_table: . as $all
	| ([10, 10, 22, 24, 28, 24] as $w
	| (["engine", "I1/s", "R1/s", "us for an I1", "I1/s that a core takes",
		"octets grown"] | row($w)),
	(floods[] | [.flood, .i1_per_s, (.r1_per_s | shown(0)),
		(.cpu_us_per_i1 | shown(2)), (.i1_per_core_s | shown(0)),
		(.grown_bytes | shown(0))] | row($w))),
	"",
	([10, 10, 10, 12, 24] as $w
	| (["UDP", "I1/s", "R1/s", "cores used", "resident kB"] | row($w)),
	($all | udp_floods[] | [.udp, (.i1_per_s | round),
		(.r1_per_s | round), (.cpu | digits(2)),
		"\(.before_bytes / 1024) -> \(.after_bytes / 1024)"]
		| row($w))),
	"",
	([16, 12, 30] as $w | (["meanwhile", "exchanges", "ms from I1 to R2"]
		| row($w)), ($all | lan_times | times_rows($w)));
def lan_table: [16, 12, 30] as $w
	| (["lan", "exchanges", "ms from I1 to R2"] | row($w)),
	(lan_times | times_rows($w));
def relays: map(select(.relay)) | group_by(.relay) | map({
	relay: .[0].relay, unit: .[0].unit, value: (map(.value) | spread)});
def relay_table: [18, 36, 8] as $w
	| (["relay", "median (min..max)", "unit"] | row($w)),
	(relays[] | [.relay, (.value | shown(1)), .unit] | row($w));
def sums: {operations: operations, rates: rates, floods: floods,
	udp_floods: udp_floods, lan: lan_times, relay: relays,
	parts: map(select(.part))};
