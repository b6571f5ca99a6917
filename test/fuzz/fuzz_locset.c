/* SPDX-License-Identifier: MIT */
/* room: hip */
/* LOCATOR_SET: what is read can be written, and reads the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hip/locset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert: optimised builds leave that out. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

static void same(const struct locset *was, const struct locset *is)
{
	must(was->num == is->num);
	for (size_t i = 0; i < was->num; i++) {
		const struct locator *a = &was->v[i];
		const struct locator *b = &is->v[i];

		must(addr_eq(&a->at.addr, &b->at.addr));
		must(a->lifetime_s == b->lifetime_s);
		must(a->preferred == b->preferred && a->spi == b->spi);
		/* Port 10500 is what an address without a port has. */
		must(a->at.port == b->at.port ||
		     (a->at.port == HIP_PORT && !b->at.port));
	}
}

/* An address with port 10500 and without one become the same. */
static bool ambiguous(const struct locset *set)
{
	for (size_t i = 0; i < set->num; i++) {
		for (size_t k = 0; k < set->num; k++) {
			if (set->v[i].at.port == HIP_PORT &&
			    !set->v[k].at.port &&
			    addr_eq(&set->v[i].at.addr, &set->v[k].at.addr))
				return true;
		}
	}
	return false;
}

static void again(const struct locset *set, const struct locset_rules *rules)
{
	static const struct hit hit = { { 0x20, 0x01, 0x00, 0x20 } };
	struct locset got;
	struct msg_builder b;
	struct hip_msg m;
	const struct hip_param *p;

	message_begin(&b, HIP_UPDATE, &hit, &hit);
	locset_put(&b, set);
	must(message_finish(&b) == HG_OK);
	must(param_parse(b.buf, b.len, &m) == REASON_NUM);
	p = param_find(&m, PARAM_LOCATOR_SET);
	must(p && locset_read(p->contents, p->len, rules, &got) == REASON_NUM);
	same(set, &got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prefix pool = { .len = 96 + 15 };
	struct locset_rules rules = { &pool, 1 };
	struct locset set;
	uint8_t *copy;

	if (size > PARAM_LEN_MAX)
		return 0;
	memcpy(pool.addr.b, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x12\0\0", 16);
	copy = malloc(size ? size : 1); /* its end is guarded */
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (locset_read(copy, size, &rules, &set) == REASON_NUM) {
		must(set.num <= HIP_LOCATORS_MAX);
		for (size_t i = 0; i < set.num; i++)
			must(locset_place_ok(&set.v[i].at.addr, &rules));
		if (!ambiguous(&set))
			again(&set, &rules);
	}
	free(copy);
	return 0;
}
