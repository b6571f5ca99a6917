/* SPDX-License-Identifier: MIT */
/* What proves that the peer is where it says (8046 5.4); theory in proof.h. */
#include "hip/proof.h"

#include <sodium.h>

#include "core/wire.h"
#include "hip/fields.h"
#include "hip/paths.h"

static struct proof_nonce nonce_in(const struct hip *h, const struct assoc *a,
				   uint32_t id, const struct endpoint *self,
				   const struct endpoint *peer)
{
	uint8_t in[8 + 4 + 1 + 18 + 18] = { 0 };
	struct wr w = wr_init(in, sizeof(in));
	struct proof_nonce n;

	wr_be64(&w, a->serial);
	wr_be32(&w, id);
	wr_u8(&w, self != NULL);
	wr_put(&w, peer->addr.b, sizeof(peer->addr.b));
	wr_be16(&w, peer->port);
	if (self) {
		wr_put(&w, self->addr.b, sizeof(self->addr.b));
		wr_be16(&w, self->port);
	}
	crypto_generichash(n.b, sizeof(n.b), in, sizeof(in), h->here.key,
			   sizeof(h->here.key));
	return n;
}

struct proof_nonce proof_nonce(const struct hip *h, const struct assoc *a,
			       const struct endpoint *self,
			       const struct endpoint *peer)
{
	return nonce_in(h, a, a->up.next_id - 1, self, peer);
}

static bool echoes(const struct hip_param *p, const struct proof_nonce *n)
{
	return p->len == sizeof(n->b) &&
	       sodium_memcmp(p->contents, n->b, sizeof(n->b)) == 0;
}

/* RFC 9028 4.6.2: the answer to a check comes back along its pair. */
static bool same_way(const struct assoc *a, const struct path *v,
		     const struct packet *pk)
{
	if (!a->ice)
		return true;
	return endpoint_eq(&v->peer, pk->from) &&
	       (addr_is_unspecified(&v->self.addr) ||
		endpoint_eq(&v->self, pk->at));
}

int proof_of(const struct hip *h, const struct assoc *a,
	     const struct packet *pk)
{
	const struct paths *p = a->paths;
	const struct hip_param *e =
		param_find(&pk->m, PARAM_ECHO_RESPONSE_SIGNED);
	struct proof_nonce n;

	for (; e && p->echoed && !p->echo_spread; e = NULL) {
		n = proof_nonce(h, a, NULL, &p->to);
		if (echoes(e, &n)) {
			int i = paths_find(p, pk->at, &p->to);

			if (i < 0)
				i = paths_best(h, a, &p->to);
			return i >= 0 && same_way(a, &p->v[i], pk) ? i : -1;
		}
	}
	e = param_find(&pk->m, PARAM_ECHO_RESPONSE_UNSIGNED);
	for (; e; e = param_next(&pk->m, e)) {
		for (int i = 0; i < p->num; i++) {
			n = proof_nonce(h, a, &p->v[i].self, &p->v[i].peer);
			if (echoes(e, &n) && same_way(a, &p->v[i], pk))
				return i;
		}
	}
	return -1;
}

bool proof_late(const struct hip *h, const struct assoc *a,
		const struct packet *pk, int n, uint32_t id)
{
	const struct path *v = &a->paths->v[n];
	const struct proof_nonce want = nonce_in(h, a, id, &v->self, &v->peer);
	const struct hip_param *e =
		param_find(&pk->m, PARAM_ECHO_RESPONSE_UNSIGNED);

	while (e && !echoes(e, &want))
		e = param_next(&pk->m, e);
	return e && same_way(a, v, pk);
}
