/* SPDX-License-Identifier: MIT */
/* HIP hosts that the administrator names: found before any server is asked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "dns/dname.h"
#include "dns/dns.h"
#include "dns/question.h"

/* Constant after local_new; the records are copied. */
struct local;

#define LOCAL_RDATA (4 + 16 + DNS_HI_MAX + HIPRR_RVS_MAX * 255)

/* HG_EINVAL: a name is none. HG_EEXIST: a name is there twice. */
int local_new(const struct dns_record *records, size_t num,
	      struct local **out) HG_CHECK;
void local_free(struct local *l);
bool local_has(const struct local *l, const struct dname *name);
/* If the name, which is the question's or one that it leads to, is here,
 * fills in what its servers would have said: the record, and the addresses
 * if there are any. */
void local_answer(const struct local *l, struct question *q,
		  const struct dname *name, uint32_t ttl);
/* The HIP record of a name as rdata, at most LOCAL_RDATA octets. Returns
 * their number; 0: the name is not here, or its key is not known. */
size_t local_record(const struct local *l, const struct dname *name,
		    uint8_t *out, size_t cap);
