/* SPDX-License-Identifier: MIT */
/* Offloads; theory in offload.h. */
#include "offload.h"

static const struct {
	const char *name;
	bool wanted[CONFIG_OFFLOAD_NUM];
} kinds[OFFLOAD_NUM] = {
	[OFFLOAD_TSO] = { "tso",
			  { [CONFIG_OFFLOAD_SAFE] = true,
			    [CONFIG_OFFLOAD_AUTO] = true } },
	[OFFLOAD_USO] = { "uso", { [CONFIG_OFFLOAD_AUTO] = true } },
	[OFFLOAD_UDP_SEGMENT] = { "udp-segment",
				  { [CONFIG_OFFLOAD_AUTO] = true } },
	[OFFLOAD_UDP_GRO] = { "udp-gro", { [CONFIG_OFFLOAD_AUTO] = true } },
};

bool offload_wanted(enum config_offload setting, enum offload_kind kind)
{
	return kinds[kind].wanted[setting];
}

const char *offload_name(enum offload_kind kind)
{
	return kinds[kind].name;
}

void offload_init(struct offload *o, bool has)
{
	o->has = has;
	o->row = 0;
	atomic_init(&o->until, 0);
	atomic_init(&o->refused, 0);
}

bool offload_on(struct offload *o, uint64_t now)
{
	uint64_t until = atomic_load_explicit(&o->until, memory_order_relaxed);

	if (!o->has || now < until)
		return false;
	if (until)
		atomic_store_explicit(&o->until, 0, memory_order_relaxed);
	return true;
}

void offload_took(struct offload *o)
{
	o->row = 0;
}

void offload_refused(struct offload *o, uint64_t now)
{
	atomic_fetch_add_explicit(&o->refused, 1, memory_order_relaxed);
	if (++o->row < OFFLOAD_ROW)
		return;
	o->row = 0;
	atomic_store_explicit(&o->until, now + OFFLOAD_REST_NS,
			      memory_order_relaxed);
}
