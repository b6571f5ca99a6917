/* SPDX-License-Identifier: MIT */
/* Setters of the keys about DNS; as those in config_value.h. */
#pragma once

#include "cmd/config/config.h"

enum { CONFIG_HI_LINES = 8 };

struct config_parse;

/* The values' names. */
extern const char *const config_dns_dnssecs[DNS_DNSSEC_NUM];
extern const char *const config_dns_clients[DNS_VALIDATING_NUM];

/* [proxy] */
int config_dns_substitutes(struct config *c, const char *v);
int config_dns_keep(struct config *c, const char *v);
int config_dns_records(struct config *c, const char *v);
int config_dns_client(struct config *c, const char *v);
int config_dns_encrypted(struct config *c, const char *v);
int config_dns_hosts(struct config *c, const char *v);
int config_dns_dnssec(struct config *c, const char *v);
int config_dns_trust_anchor(struct config *c, const char *v);

/* [record NAME] */
int config_dns_record(struct config *c, const char *arg);
int config_dns_hit(struct config *c, const char *v);
int config_dns_hi(struct config *c, const char *v);
int config_dns_address(struct config *c, const char *v);
int config_dns_rvs(struct config *c, const char *v);

/* For config_check: what must hold between the values; computes the HITs. */
void config_dns_check(struct config_parse *p);
/* The text of a hosts file, behind the records that are there. errbuf: one
 * sentence, "NAME:LINE: ...". */
int config_dns_hosts_parse(struct config *c, const char *name, char *text,
			   char *errbuf, size_t errlen) HG_CHECK;
