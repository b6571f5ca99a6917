/* SPDX-License-Identifier: MIT */
/* The access rules applied: who may begin, register, be relayed to. */
#pragma once

#include <stdbool.h>

#include "hip/engine.h"

/* May the sender of this I1 or I2 begin an exchange with us? For a relayed
 * I1 the address is FROM's, true or not: its proof costs more and comes
 * after. */
bool admit_peer(struct hip *h, const struct packet *p) HG_CHECK;
/* May this client be registered here and be relayed to? */
bool admit_client(struct hip *h, const struct hit *client,
		  const struct addr *at) HG_CHECK;
/* May an I1 of this sender be relayed at all? */
bool admit_relay(struct hip *h, const struct packet *p) HG_CHECK;
/* May data be relayed to and from there? */
bool admit_relayed(struct hip *h, const struct addr *at) HG_CHECK;
/* May we begin with this peer at this address? What we are told to register
 * at is exempt. */
bool admit_reach(struct hip *h, const struct hit *self, const struct hit *peer,
		 const struct addr *at) HG_CHECK;
/* May the association's peer be at this address, too? */
bool admit_at(struct hip *h, const struct assoc *a,
	      const struct addr *at) HG_CHECK;
/* The same once more for what a job brings back: the rules may have changed
 * while it ran. */
bool admit_still(struct hip *h, const struct hip_job *job,
		 const struct packet *p) HG_CHECK;
/* Those of the locators where we may begin, in their order; how many. */
size_t admit_locators(struct hip *h, const struct hit *self,
		      const struct hit *peer, const struct endpoint *in,
		      size_t num, struct endpoint out[HIP_LOCATORS_MAX]);
