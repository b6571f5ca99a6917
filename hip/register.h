/* SPDX-License-Identifier: MIT */
/* Being registered at rendezvous servers and control relays, for the caller
 * of the engine (RFC 8003, 8004, 9028). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

struct hip;

/* Keep self (NULL: the default identity) registered for RENDEZVOUS at this
 * server: base exchange, registration, refresh at 3/4 of the lifetime, again
 * after failure with back-off. HIP_REGISTERED and HIP_UNREGISTERED tell how
 * it goes. Said again, the new address and lifetime count, and are asked for
 * at once. HG_EEXIST: it is registered there for the other service (9028
 * 7.8). */
int hip_register(struct hip *h, const struct hit *self, const struct hit *rvs,
		 const struct endpoint *at, uint32_t lifetime_s,
		 uint64_t now) HG_CHECK;
/* The same for RELAY_UDP_HIP at a control relay (9028 4.1). */
int hip_register_relay(struct hip *h, const struct hit *self,
		       const struct hit *relay, const struct endpoint *at,
		       uint32_t lifetime_s, uint64_t now) HG_CHECK;
/* All the places where that server may be, tried in this order, a little one
 * after the other. HG_ENOENT: no such
 * registration; HG_EINVAL: none, or more than HIP_LOCATORS_MAX. */
int hip_register_at(struct hip *h, const struct hit *self,
		    const struct hit *rvs, const struct endpoint *at,
		    size_t num, uint64_t now) HG_CHECK;
/* No longer: the server is told (lifetime 0, 8003 5), and when it has
 * answered or cannot be reached, all is forgotten. What else the association
 * carries goes on. HG_ENOENT: there is no such registration. A hip_register
 * that comes meanwhile, for the other service too, is a new wish. */
int hip_unregister(struct hip *h, const struct hit *self, const struct hit *rvs,
		   uint64_t now) HG_CHECK;

/* Why a server did not register us, or does no more (HIP_UNREGISTERED). Below
 * 256: the Failure Type it gave (8003 4.5, 9028 7.8). */
enum {
	HIP_REFUSED_SILENT = 256, /* it answers, and says nothing of it */
	HIP_REFUSED_OFFER,	  /* it does not offer the service */
	HIP_REFUSED_CANCELLED,	  /* it was, and the server has ended it */
	HIP_REFUSED_UNREACHED,	  /* the base exchange has failed */
	HIP_REFUSED_LOST,	  /* it was; the association has ended */
};
