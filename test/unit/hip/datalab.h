/* SPDX-License-Identifier: MIT */
/* The hosts of natlab.h, with a control relay that relays data, too. */
#pragma once

#include "hip/datarelay.h"
#include "hip/paths.h"
#include "test/unit/hip/natlab.h"

#define DATA_PORT 20001 /* and the next one */

/* Gives the relay its two ports. */
static inline void data_ports(struct lab *lab)
{
	static const uint16_t ports[] = { DATA_PORT, DATA_PORT + 1 };
	struct lab_host *relay = &lab->host[2];

	ck_assert_int_eq(
		hip_set_relay_ports(relay->h, ports, 2, HIP_PORT, lab->now),
		HG_OK);
	relay->also_num = 0;
	for (size_t i = 0; i < 2; i++)
		relay->also[relay->also_num++] =
			(struct endpoint){ relay->at.addr, ports[i] };
	lab_effects(lab, 2);
	lab_sleep(lab, 2 * LAB_S); /* R1s that say so */
}

static inline struct lab *data_bed(struct nat_bed *bed)
{
	struct hip_config cfg = lab_config();
	struct lab *lab;

	cfg.offer.nat[0] = FIELDS_NAT_ICE_HIP_UDP;
	cfg.offer.nat[1] = FIELDS_NAT_UDP;
	cfg.offer.nat_num = 2;
	lab = nat_bed_with(bed, &cfg);
	data_ports(lab);
	return lab;
}

/* Where host i is registered, or NULL. */
static inline const struct registration *data_reg(const struct lab *lab,
						  size_t i)
{
	const struct registrations *t = &lab->host[i].h->registrations;

	return t->num ? t->v[0] : NULL;
}

/* The port of client i at the relay, or NULL. */
static inline const struct datarelay_port *data_port(const struct lab *lab,
						     size_t i)
{
	return datarelay_of(lab->host[2].h, nat_assoc(lab, 2, i));
}

/* Both are behind NATs that map by destination, and the second one is
 * registered. */
static inline struct lab *data_two(struct nat_bed *bed)
{
	struct lab *lab = data_bed(bed);

	nat_put(lab, 0);
	nat_put(lab, 1);
	bed->nat[0].symmetric = true;
	bed->nat[1].symmetric = true;
	nat_register(lab, 1);
	return lab;
}

/* Host 0 sends to 1's port at the relay, and 1 from there. */
static inline bool data_relayed(const struct lab *lab)
{
	const struct nat_bed *bed = lab->hook_arg;
	const struct datarelay_port *port = data_port(lab, 1);
	const struct assoc *a = nat_assoc(lab, 0, 1);
	const struct assoc *b = nat_assoc(lab, 1, 0);

	return port && a && b && !a->ice_waits && !b->ice_waits &&
	       !a->unproved && !b->unproved &&
	       endpoint_eq(&a->peer_at, &port->at) &&
	       endpoint_eq(&b->self_at, &port->at) &&
	       addr_eq(&b->peer_at.addr, &bed->nat[0].outside.addr);
}

/* As data_two, and 0 has called 1. */
static inline struct lab *data_met(struct nat_bed *bed)
{
	struct lab *lab = data_two(bed);

	nat_call(lab, 0, 1);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(data_relayed(lab));
	return lab;
}

/* Does the relay pass on what these two send with the keys they have now? */
static inline bool data_permitted(const struct lab *lab)
{
	const struct datarelay_port *port = data_port(lab, 1);
	const struct assoc *b = nat_assoc(lab, 1, 0);

	for (uint8_t i = 0; i < port->num; i++) {
		const struct datarelay_permit *t = &port->permit[i];

		if (endpoint_eq(&t->peer, &b->peer_at) && t->heard &&
		    t->spi_in == b->keys->sa.spi_in &&
		    t->spi_out == b->keys->sa.spi_out && lab->now < t->until)
			return true;
	}
	return false;
}

static inline void data_flows(struct lab *lab, unsigned seconds)
{
	while (seconds--) {
		for (size_t i = 0; i < 2; i++) {
			hip_traffic(lab->host[i].h, &lab->host[i].hit,
				    &lab->host[!i].hit, false, lab->now);
			hip_traffic(lab->host[i].h, &lab->host[i].hit,
				    &lab->host[!i].hit, true, lab->now);
			lab_effects(lab, i);
		}
		lab_sleep(lab, LAB_S);
	}
}

static inline struct hip *data_relay(const struct lab *lab)
{
	return lab->host[2].h;
}

/* Host 1 has a port; nobody is behind a NAT. */
static inline struct lab *data_registered(struct nat_bed *bed)
{
	struct lab *lab = data_bed(bed);

	nat_register(lab, 1);
	ck_assert_ptr_nonnull(data_port(lab, 1));
	return lab;
}
