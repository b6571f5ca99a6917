/* SPDX-License-Identifier: MIT */
/* room: hip
 * The contents of a HOST_ID: what is read is written the same, a key that is
 * taken has the HIT of its octets, in HIP's form and in DNS's, and nobody's
 * signature is nothing but zeros (7401 5.2.9, 8005 5.5). */
#include <stdlib.h>
#include <string.h>

#include "hip/fields.h"
#include "hip/identity.h"
#include "hip/message.h"
#include "hip/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ECDSA_HI_HEAD 3 /* curve, 0x04: DNS leaves them out */

/* Not assert: optimised builds leave that out. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

static void bounds(const struct field_host_id *f, const uint8_t *data,
		   size_t size)
{
	must(f->hi_len > 0 && f->di_len <= 0x0fff && f->di_type <= 0x0f);
	must((size_t)f->hi_len + f->di_len + 6 == size);
	must(f->hi == data + 6 && f->di == f->hi + f->hi_len);
}

/* As a parameter of a message, written and read again. */
static void round_trip(const struct field_host_id *f, const uint8_t *data,
		       size_t size)
{
	const struct hit hit = { { 0x20, 0x01, 0x00, 0x22 } };
	const struct hip_param *p;
	struct field_host_id again;
	struct msg_builder b;
	struct hip_msg m;

	message_begin(&b, HIP_R1, &hit, &hit);
	fields_put_host_id(&b, f);
	if (message_finish(&b)) {
		must(size > HIP_MSG_MAX - PARAM_HEADER_LEN - PARAM_TLV_LEN - 8);
		return;
	}
	must(param_parse(b.buf, b.len, &m) == REASON_NUM);
	p = param_find(&m, PARAM_HOST_ID);
	must(p && p->len == size && memcmp(p->contents, data, size) == 0);
	must(fields_get_host_id(p, &again));
	must(again.alg == f->alg && again.hi_len == f->hi_len &&
	     again.di_len == f->di_len && again.di_type == f->di_type);
}

static void hits(const struct identity_peer *peer,
		 const struct field_host_id *f)
{
	const struct hit *hit = identity_peer_hit(peer);
	size_t head = f->alg == IDENTITY_ECDSA ? ECDSA_HI_HEAD : 0;
	uint8_t dns_alg = f->alg == IDENTITY_ECDSA ? IDENTITY_DNS_ECDSA
						   : IDENTITY_DNS_RSA;
	const struct suite *s = suite_of_hit(hit);
	struct hit again;

	must(s && hit_is_orchid(hit->b));
	must(identity_hit(s, f->hi, f->hi_len, &again) == 0);
	must(hit_eq(hit, &again));
	must(hip_hit_of_dns_key(dns_alg, f->hi + head, f->hi_len - head,
				&again) == 0);
	must(hit_eq(hit, &again));
}

static void no_signature(const struct identity_peer *peer,
			 const struct field_host_id *f)
{
	static const uint8_t zeros[IDENTITY_SIG_MAX];
	const struct suite_buf data = { "text", 4 };

	for (size_t len = 0; len <= sizeof(zeros); len += 32)
		must(identity_verify(peer, f->alg, &data, zeros, len) ==
		     HG_EAUTH);
	must(identity_verify(peer, (uint16_t)(f->alg ^ 2), &data, zeros,
			     sizeof(zeros)) == HG_EAUTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identity_peer *peer = NULL;
	struct field_host_id f;
	bool read;

	if (suite_setup())
		abort();
	read = fields_read_host_id(data, size, &f);
	if (read) {
		bounds(&f, data, size);
		round_trip(&f, data, size);
	}
	if (identity_peer_new(data, size, &peer)) {
		must(!peer);
		return 0;
	}
	must(read);
	hits(peer, &f);
	no_signature(peer, &f);
	identity_peer_free(peer);
	return 0;
}
