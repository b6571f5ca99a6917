/* SPDX-License-Identifier: MIT */
/* How often an address is asked that has not answered, whatever its port. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

#define CHECKQUOTA_MAX 6 /* questions to one address or IPv6 network, */
#define CHECKQUOTA_NUM 8 /*  of so many that are kept in mind */
#define CHECKQUOTA_FORGIVE_NS UINT64_C(5000000000)

struct checkquota {
	struct checkquota_row {
		struct addr prefix;
		uint64_t since; /* of the first question */
		uint8_t asked;	/* 0: nothing is here */
	} row[CHECKQUOTA_NUM];
};

/* May it be asked once more? */
bool checkquota_left(const struct checkquota *q, const struct addr *at);
/* It is being asked. */
void checkquota_take(struct checkquota *q, const struct addr *at, uint64_t now);
/* The peer has named it (again): if that was long ago, it is as new. */
void checkquota_named(struct checkquota *q, const struct addr *at,
		      uint64_t now);
/* A packet of the peer's came from there, by a port that is new, as a NAT gives
 * one: where nothing is left, one more question now and then. Who forges the
 * source pays a packet for each that its victim gets. */
void checkquota_seen(struct checkquota *q, const struct addr *at, uint64_t now);
/* One more question has been paid for. */
void checkquota_paid(struct checkquota *q, const struct addr *at);
