/* SPDX-License-Identifier: MIT */
/* How large packets to a peer may be.
 *
 * THEORY OF OPERATION
 * Control thread only. Each SA that sends has a size of outer IP packets,
 * and from it follows what one ESP packet carries (struct path_size); both
 * change by a new path that is published in the place of the old one. The
 * kernel is asked when the SA comes up or moves, and again every few seconds
 * while something is sent: by then an interface, a route or an ICMP error
 * may have told it another size.
 */
#include "gate.h"

#include "core/log.h"

enum { OUTER_MIN = 1280 }; /* of IPv6 (RFC 8200 5); below it we cut */

#define LOOK_NS UINT64_C(5000000000)

static uint32_t outer_headers(const struct endpoint *at)
{
	return (addr_is4(&at->addr) ? IP4_HDR : IP6_HDR) + UDP_HDR;
}

/* No larger than what the TUN can bring. */
static struct path_size size_of(const struct gate *g, const struct sa *sa,
				const struct endpoint *at)
{
	uint32_t wire = sa->outer_mtu - outer_headers(at);
	struct path_size s = {
		.l4_most =
			(uint32_t)esp_plain_max(sa_suite_find(sa->suite), wire),
	};
	uint32_t tun = g->plane.tun.mtu - IP6_HDR;

	s.mss = (uint16_t)((s.l4_most < tun ? s.l4_most : tun) - TCP_HDR);
	return s;
}

static void look(struct sa *sa, const struct endpoint *at, uint64_t now)
{
	unsigned mtu = sockets_route_mtu(&at->addr);

	if (mtu < OUTER_MIN)
		mtu = OUTER_MIN;
	sa->outer_mtu = (uint16_t)(mtu < 65535 ? mtu : 65535);
	sa->look_at = now + LOOK_NS;
}

int pathside_move(struct gate *g, struct sa *sa, const struct endpoint *at)
{
	struct path_size size;

	if (!g->plane.has_tun)
		return tables_move_sa(sa, at, &atomic_load(&sa->path)->size);
	look(sa, at, uv_hrtime());
	size = size_of(g, sa, at);
	return tables_move_sa(sa, at, &size);
}

void pathside_step(struct gate *g, struct sa *sa, bool out, uint64_t now)
{
	/* A copy: the path it stands in may be replaced. */
	struct endpoint at = atomic_load(&sa->path)->peer;

	if (!out || now < sa->look_at)
		return;
	if (pathside_move(g, sa, &at))
		log_error("no memory for the size of a path");
}
