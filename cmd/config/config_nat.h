/* SPDX-License-Identifier: MIT */
/* The keys about NATs and control relays (RFC 9028); as config_value.h has
 * it. */
#pragma once

#include "cmd/config/config.h"

int config_nat_behind(struct config *c, const char *v) HG_CHECK;
int config_nat_keepalive(struct config *c, const char *v) HG_CHECK;
int config_nat_outer(struct config *c, const char *v) HG_CHECK;
/* Of [rendezvous]. */
int config_nat_serve(struct config *c, const char *v) HG_CHECK;
int config_nat_data(struct config *c, const char *v) HG_CHECK;
int config_nat_ports(struct config *c, const char *v) HG_CHECK;
int config_nat_rate(struct config *c, const char *v) HG_CHECK;
/* Of the [register] begun last. */
int config_nat_register(struct config *c, const char *v) HG_CHECK;
