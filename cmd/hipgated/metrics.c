/* SPDX-License-Identifier: MIT */
/* A snapshot as OpenMetrics text.
 *
 * THEORY OF OPERATION
 * Pure. One function a family, or a few of one kind; all samples of a family
 * stand together, behind its TYPE, UNIT and HELP. Labels come out of tables
 * of ours, never from the network, so the text has one size, whoever is out
 * there. Every series is there from the start, so that its first increase is
 * seen as one.
 */
#include "metrics.h"

#include <inttypes.h>

#include "esp/esp.h"

struct family {
	const char *name; /* without hipgate_ and _total */
	const char *type;
	const char *unit; /* ends the name; "": none */
	const char *help;
};

static void begin(struct textout *t, const struct family *f)
{
	textout(t, "# TYPE hipgate_%s %s\n", f->name, f->type);
	if (f->unit[0])
		textout(t, "# UNIT hipgate_%s %s\n", f->name, f->unit);
	textout(t, "# HELP hipgate_%s %s\n", f->name, f->help);
}

static void gauge(struct textout *t, const char *name, const char *help,
		  uint64_t v)
{
	struct family f = { name, "gauge", "", help };

	begin(t, &f);
	textout(t, "hipgate_%s %" PRIu64 "\n", name, v);
}

static void counter(struct textout *t, const char *name, const char *help,
		    uint64_t v)
{
	struct family f = { name, "counter", "", help };

	begin(t, &f);
	textout(t, "hipgate_%s_total %" PRIu64 "\n", name, v);
}

static void histogram(struct textout *t, const struct family *f,
		      const struct meter_histogram *h)
{
	uint64_t n = 0;

	begin(t, f);
	for (unsigned i = 0; i < METER_BOUNDS; i++) {
		n += h->n[i];
		textout(t, "hipgate_%s_bucket{le=\"%.4g\"} %" PRIu64 "\n",
			f->name, (double)meter_bounds[i] / 1e9, n);
	}
	n += h->n[METER_BOUNDS];
	textout(t, "hipgate_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", f->name, n);
	textout(t, "hipgate_%s_sum %.9f\n", f->name, (double)h->sum_ns / 1e9);
	textout(t, "hipgate_%s_count %" PRIu64 "\n", f->name, n);
}

/* ---- who we are --------------------------------------------------------------- */

static void put_build(const struct snapshot *s, struct textout *t)
{
	static const struct family build = { "build", "info", "",
					     "The program that answers." };
	static const struct family role = { "role", "gauge", "",
					    "1 for each role it has." };

	begin(t, &build);
	textout(t, "hipgate_build_info{version=\"");
	textout_label(t, HIPGATE_VERSION);
	textout(t, "\",aes_gcm=\"");
	textout_label(t, esp_gcm_name());
	textout(t, "\"} 1\n");
	begin(t, &role);
	textout(t, "hipgate_role{role=\"proxy\"} %d\n", s->proxy);
	textout(t, "hipgate_role{role=\"host\"} %d\n", s->host);
	textout(t, "hipgate_role{role=\"rendezvous\"} %d\n", s->rendezvous);
	gauge(t, "ready", "1: it can serve; /ready says why not.", s->ready);
	gauge(t, "workers", "Threads that carry packets.", s->workers);
}

/* ---- HIP ---------------------------------------------------------------------- */

static void put_assocs(const struct snapshot *s, struct textout *t)
{
	static const struct family f = {
		"associations", "gauge", "",
		"HIP associations, by state, path and family of the path."
	};

	begin(t, &f);
	for (unsigned i = 0; i < HIP_STATE_NUM * SNAPSHOT_PATH_NUM * 2u; i++) {
		unsigned state = i / 2 / SNAPSHOT_PATH_NUM;
		unsigned path = i / 2 % SNAPSHOT_PATH_NUM;

		textout(t,
			"hipgate_associations{state=\"%s\",path=\"%s\","
			"family=\"ipv%c\"} %" PRIu64 "\n",
			hip_state_name((enum hip_state)state),
			snapshot_path_name((enum snapshot_path)path),
			i % 2 ? '6' : '4', s->assocs[state][path][i % 2]);
	}
}

static void put_bex(const struct snapshot *s, struct textout *t)
{
	static const struct family bex = { "bex", "counter", "",
					   "Base exchanges that have ended." };
	static const struct family time = {
		"bex_seconds", "histogram", "seconds",
		"From the first I1 to the SA, of exchanges begun here."
	};

	begin(t, &bex);
	for (unsigned b = 0; b < METER_BEX_NUM; b++)
		textout(t,
			"hipgate_bex_total{role=\"initiator\",result=\"%s\"} "
			"%" PRIu64 "\n",
			meter_bex_name((enum meter_bex)b), s->meter.bex[1][b]);
	textout(t,
		"hipgate_bex_total{role=\"responder\",result=\"%s\"} %" PRIu64
		"\n",
		meter_bex_name(METER_BEX_ESTABLISHED),
		s->meter.bex[0][METER_BEX_ESTABLISHED]);
	histogram(t, &time, &s->meter.bex_time);
	counter(t, "rekeys", "SAs that were replaced by fresh ones.",
		s->meter.rekeys);
}

static void put_paths(const struct snapshot *s, struct textout *t)
{
	static const struct family path = {
		"path_changes", "counter", "",
		"What became of paths to HIP hosts."
	};
	static const struct family age = {
		"handshake_age_seconds_max", "gauge", "",
		"Age of the oldest keys in use, in seconds; 0: there are none."
	};

	begin(t, &path);
	for (unsigned i = 0; i < HIP_PATH_WHY_NUM; i++)
		textout(t,
			"hipgate_path_changes_total{why=\"%s\"} %" PRIu64 "\n",
			hip_path_why_name((enum hip_path_why)i),
			s->meter.path[i]);
	begin(t, &age);
	textout(t, "hipgate_handshake_age_seconds_max %.3f\n",
		s->keyed && s->keyed < s->now
			? (double)(s->now - s->keyed) / 1e9
			: 0);
}

static void put_hip(const struct snapshot *s, struct textout *t)
{
	put_assocs(s, t);
	put_bex(s, t);
	put_paths(s, t);
	gauge(t, "puzzle_k", "Difficulty of puzzles now, in bits.",
	      s->puzzle_k);
	gauge(t, "registrations", "Hosts that are registered here.",
	      s->registrations);
	gauge(t, "security_associations", "Pairs of ESP SAs.", s->sas);
	gauge(t, "pmtu_min_bytes",
	      "Outer packets on the smallest path; 0: no path is known.",
	      s->meter.pmtu);
}

/* ---- substitutes, flows ---------------------------------------------------------- */

static void put_nat(const struct snapshot *s, struct textout *t)
{
	static const struct family flows = { "flows", "gauge", "",
					     "Flows, by protocol." };
	static const struct family ports = {
		"nat_ports_used_ratio_max", "gauge", "",
		"Of the ports toward one HIP host, how much is used; the most."
	};

	gauge(t, "maps", "Substitute addresses in use, each counted.",
	      s->mappings);
	gauge(t, "leases", "HIP hosts that have substitute addresses.",
	      s->leases);
	gauge(t, "hosts", "HIP hosts known, by whatever way.", s->peers);
	gauge(t, "parked_packets", "Packets that wait for an SA.", s->parked);
	begin(t, &flows);
	textout(t, "hipgate_flows{proto=\"tcp\"} %" PRIu64 "\n", s->nat.tcp);
	textout(t, "hipgate_flows{proto=\"udp\"} %" PRIu64 "\n", s->nat.udp);
	textout(t, "hipgate_flows{proto=\"icmp\"} %" PRIu64 "\n", s->nat.icmp);
	begin(t, &ports);
	textout(t, "hipgate_nat_ports_used_ratio_max %.6f\n",
		(double)s->nat.ports_most / NAT_PORTS);
}

/* ---- DNS ------------------------------------------------------------------------ */

static void put_dns(const struct snapshot *s, struct textout *t)
{
	static const struct family queries = {
		"dns_queries", "counter", "",
		"Queries that were answered, by what with."
	};
	static const struct family time = {
		"dns_seconds", "histogram", "seconds",
		"From the query to its answer, but for class repeat."
	};

	begin(t, &queries);
	for (unsigned i = 0; i < METER_DNS_NUM * METER_RCODES; i++) {
		unsigned class = i / METER_RCODES;

		if (class == METER_DNS_REPEAT && i % METER_RCODES)
			continue; /* they are all good */
		textout(t,
			"hipgate_dns_queries_total{class=\"%s\",rcode=\"%s\"} "
			"%" PRIu64 "\n",
			meter_dns_name((enum meter_dns) class),
			meter_rcode_name(i % METER_RCODES),
			s->meter.dns[class][i % METER_RCODES]);
	}
	histogram(t, &time, &s->meter.dns_time);
	gauge(t, "dns_questions", "Queries that wait for an answer.",
	      s->questions);
	counter(t, "dns_downgrade_blocked",
		"Names that had a HIP record, have none, and were refused.",
		s->drops[REASON_DNS_STRIPPED]);
}

/* ---- packets ---------------------------------------------------------------------- */

static void put_esp(const struct snapshot *s, struct textout *t)
{
	static const struct family packets = { "esp_packets", "counter", "",
					       "Packets in ESP." };
	static const struct family bytes = {
		"esp_bytes", "counter", "bytes",
		"Octets that ESP carried, without its own."
	};
	const struct meter_traffic *m = &s->meter.traffic;

	begin(t, &packets);
	textout(t, "hipgate_esp_packets_total{direction=\"out\"} %" PRIu64 "\n",
		m->out_packets);
	textout(t, "hipgate_esp_packets_total{direction=\"in\"} %" PRIu64 "\n",
		m->in_packets);
	begin(t, &bytes);
	textout(t, "hipgate_esp_bytes_total{direction=\"out\"} %" PRIu64 "\n",
		m->out_bytes);
	textout(t, "hipgate_esp_bytes_total{direction=\"in\"} %" PRIu64 "\n",
		m->in_bytes);
	counter(t, "esp_cut", "Packets that left in fragments of ours.",
		s->cut);
}

static void put_drops(const struct snapshot *s, struct textout *t)
{
	static const struct family f = {
		"drops", "counter", "",
		"Packets dropped; hipgate(1) and docs say what a reason means."
	};

	begin(t, &f);
	for (unsigned r = 0; r < REASON_NUM; r++)
		textout(t,
			"hipgate_drops_total{stage=\"%s\",reason=\"%s\"} "
			"%" PRIu64 "\n",
			reason_stage_name(reason_stage((enum reason)r)),
			reason_name((enum reason)r), s->drops[r]);
}

static void put_io(const struct snapshot *s, struct textout *t)
{
	static const struct family calls = {
		"io_calls", "counter", "",
		"System calls that moved packets; less is better batching."
	};
	static const struct family state = {
		"offload_state", "gauge", "",
		"0 off, 1 the kernel has none, 2 rests after refusals, 3 on."
	};
	static const struct family refused = {
		"offload_refused", "counter", "",
		"Packets that the kernel did not take as one."
	};

	begin(t, &calls);
	textout(t, "hipgate_io_calls_total{call=\"tun_read\"} %" PRIu64 "\n",
		s->tun_reads);
	textout(t, "hipgate_io_calls_total{call=\"tun_write\"} %" PRIu64 "\n",
		s->tun_writes);
	textout(t, "hipgate_io_calls_total{call=\"udp_send\"} %" PRIu64 "\n",
		s->udp_sends);
	textout(t, "hipgate_io_calls_total{call=\"udp_receive\"} %" PRIu64 "\n",
		s->udp_receives);
	begin(t, &state);
	for (unsigned k = 0; k < OFFLOAD_NUM; k++)
		textout(t, "hipgate_offload_state{offload=\"%s\"} %d\n",
			offload_name((enum offload_kind)k), (int)s->offload[k]);
	begin(t, &refused);
	for (unsigned k = 0; k < OFFLOAD_NUM; k++)
		textout(t,
			"hipgate_offload_refused_total{offload=\"%s\"} "
			"%" PRIu64 "\n",
			offload_name((enum offload_kind)k), s->refused[k]);
}

/* ---- the process: names that all exporters have -------------------------------------- */

static void put_process(const struct procinfo *p, struct textout *t)
{
	textout(t,
		"# TYPE process_cpu_seconds counter\n"
		"# UNIT process_cpu_seconds seconds\n"
		"# HELP process_cpu_seconds User and system time.\n"
		"process_cpu_seconds_total %.6f\n"
		"# TYPE process_start_time_seconds gauge\n"
		"# UNIT process_start_time_seconds seconds\n"
		"# HELP process_start_time_seconds Since 1970.\n"
		"process_start_time_seconds %.2f\n",
		p->cpu_s, p->started_s);
	textout(t,
		"# TYPE process_resident_memory_bytes gauge\n"
		"# UNIT process_resident_memory_bytes bytes\n"
		"# HELP process_resident_memory_bytes Memory in RAM.\n"
		"process_resident_memory_bytes %" PRIu64 "\n"
		"# TYPE process_virtual_memory_bytes gauge\n"
		"# UNIT process_virtual_memory_bytes bytes\n"
		"# HELP process_virtual_memory_bytes Address space.\n"
		"process_virtual_memory_bytes %" PRIu64 "\n",
		p->resident_bytes, p->virtual_bytes);
	textout(t,
		"# TYPE process_open_fds gauge\n"
		"# HELP process_open_fds Open files and sockets.\n"
		"process_open_fds %" PRIu64 "\n"
		"# TYPE process_max_fds gauge\n"
		"# HELP process_max_fds How many there may be.\n"
		"process_max_fds %" PRIu64 "\n"
		"# TYPE process_threads gauge\n"
		"# HELP process_threads Threads.\n"
		"process_threads %" PRIu64 "\n",
		p->fds, p->fds_max, p->threads);
}

void metrics_render(const struct snapshot *s, const struct procinfo *p,
		    struct textout *t)
{
	put_build(s, t);
	put_hip(s, t);
	put_nat(s, t);
	put_dns(s, t);
	put_esp(s, t);
	put_drops(s, t);
	put_io(s, t);
	put_process(p, t);
	textout(t, "# EOF\n");
}
