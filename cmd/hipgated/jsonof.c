/* SPDX-License-Identifier: MIT */
/* Our words as JSON; see jsonof.h. */
#include "jsonof.h"

#include <uv.h>

#include "core/sa.h"

json_t *jsonof_text(const char *s)
{
	return json_string(s);
}

json_t *jsonof_number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *jsonof_hit(const struct hit *h)
{
	char out[ADDR_TEXT_MAX];

	return jsonof_text(hit_print(h, out));
}

/* "" for no address. */
json_t *jsonof_addr(const struct addr *a)
{
	char out[ADDR_TEXT_MAX];

	return jsonof_text(addr_is_unspecified(a) ? "" : addr_print(a, out));
}

json_t *jsonof_endpoint(const struct endpoint *e)
{
	char out[ENDPOINT_TEXT_MAX];

	return jsonof_text(e->port ? endpoint_print(e, out) : "");
}

json_t *jsonof_suite(uint16_t id)
{
	const struct sa_suite *s = sa_suite_find(id);

	return jsonof_text(s ? s->name : "");
}

json_t *jsonof_count(const _Atomic uint64_t *n)
{
	return jsonof_number(atomic_load_explicit((_Atomic uint64_t *)n,
						  memory_order_relaxed));
}

json_t *jsonof_since(uint64_t then)
{
	uint64_t now = uv_hrtime();

	return json_real(now > then ? (double)(now - then) / 1e9 : 0);
}
