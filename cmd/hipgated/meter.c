/* SPDX-License-Identifier: MIT */
/* What the control thread counts; see meter.h. */
#include "meter.h"

#include "tables.h"

#define MS UINT64_C(1000000)

const uint64_t meter_bounds[METER_BOUNDS] = { MS / 2,	 MS,	    5 * MS / 2,
					      5 * MS,	 10 * MS,   25 * MS,
					      50 * MS,	 100 * MS,  250 * MS,
					      500 * MS,	 1000 * MS, 2500 * MS,
					      5000 * MS, 10000 * MS };

void meter_observe(struct meter_histogram *h, uint64_t ns)
{
	unsigned i = 0;

	while (i < METER_BOUNDS && ns > meter_bounds[i])
		i++;
	h->n[i]++;
	h->sum_ns += ns;
}

enum meter_bex meter_bex_of(enum reason r)
{
	switch (r) {
	case REASON_HIP_TIMEOUT:
		return METER_BEX_TIMEOUT;
	case REASON_HIP_REFUSED:
	case REASON_HIP_DENIED:
		return METER_BEX_REFUSED;
	default:
		return METER_BEX_FAILED;
	}
}

const char *meter_bex_name(enum meter_bex b)
{
	static const char *const names[METER_BEX_NUM] = { "established",
							  "timeout", "refused",
							  "failed" };

	return names[b];
}

const char *meter_dns_name(enum meter_dns d)
{
	static const char *const names[METER_DNS_NUM] = { "hip", "plain", "own",
							  "repeat" };

	return names[d];
}

const char *meter_rcode_name(unsigned i)
{
	static const char *const names[METER_RCODES] = { "NOERROR",  "FORMERR",
							 "SERVFAIL", "NXDOMAIN",
							 "NOTIMP",   "REFUSED",
							 "other" };

	return names[i];
}

void meter_dns(struct meter *m, enum meter_dns class, unsigned rcode)
{
	m->dns[class][rcode < METER_RCODES - 1 ? rcode : METER_RCODES - 1]++;
}

static void add(struct meter_traffic *t, struct sa *sa)
{
	t->out_packets += atomic_load(&sa->out_packets);
	t->out_bytes += atomic_load(&sa->out_bytes);
	t->in_packets += atomic_load(&sa->in_packets);
	t->in_bytes += atomic_load(&sa->in_bytes);
}

void meter_begin(struct meter *m)
{
	m->now = (struct meter_traffic){ 0 };
	m->pmtu_now = 0;
}

void meter_sa(struct meter *m, struct sa *sa, bool sends)
{
	uint16_t outer = atomic_load(&sa->path)->size.outer;

	add(&m->now, sa);
	if (sends && outer && (!m->pmtu_now || outer < m->pmtu_now))
		m->pmtu_now = outer;
}

void meter_end(struct meter *m)
{
	m->traffic.out_packets = m->gone.out_packets + m->now.out_packets;
	m->traffic.out_bytes = m->gone.out_bytes + m->now.out_bytes;
	m->traffic.in_packets = m->gone.in_packets + m->now.in_packets;
	m->traffic.in_bytes = m->gone.in_bytes + m->now.in_bytes;
	m->pmtu = m->pmtu_now;
}

void meter_gone(struct meter *m, struct sa *sa)
{
	if (sa)
		add(&m->gone, sa);
}
