/* SPDX-License-Identifier: MIT */
/* MACs and signatures over messages; contracts in auth.h (7401 6.4). */
#include "hip/auth.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "core/wire.h"
#include "hip/fields.h"

#define RECEIVER_AT 24
#define HIT_LEN 16
#define PUZZLE_OPAQUE_AT 2 /* in PUZZLE's contents; #I follows to the end */

/* The header as it is hashed: checksum zero, length up to `total` octets
 * (7401 6.4.1, 6.4.2). False: the length field cannot hold it. */
static bool hashed_header(const uint8_t *raw, size_t total,
			  uint8_t out[PARAM_HEADER_LEN])
{
	if (total > HIP_MSG_MAX)
		return false;
	memcpy(out, raw, PARAM_HEADER_LEN);
	out[1] = (uint8_t)(total / 8 - 1);
	put_be16(out + 4, 0);
	return true;
}

/* A MAC and what it is over: the first `end` octets of raw, then, when
 * there is one, a HOST_ID. */
struct mac_scope {
	const uint8_t *raw;
	size_t end;
	const struct suite_buf *host_id; /* contents; NULL: none */
	const struct suite *rhash;
	const uint8_t *key;
};

static int mac(const struct mac_scope *s, uint8_t out[SUITE_HASH_MAX])
{
	static const uint8_t padding[8];
	const struct suite_buf key = { s->key, s->rhash->hash_len };
	size_t len = s->host_id ? s->host_id->len : 0;
	size_t tlv = s->host_id ? param_tlv_len(len) : 0;
	uint8_t header[PARAM_HEADER_LEN];
	uint8_t head[PARAM_TLV_LEN];
	struct suite_buf in[] = {
		{ header, sizeof(header) },
		{ s->raw + PARAM_HEADER_LEN, s->end - PARAM_HEADER_LEN },
		{ head, sizeof(head) },
		{ s->host_id ? s->host_id->p : NULL, len },
		{ padding, tlv ? tlv - PARAM_TLV_LEN - len : 0 },
	};

	if (!hashed_header(s->raw, s->end + tlv, header))
		return HG_EFULL;
	put_be16(head, PARAM_TYPE_HOST_ID);
	put_be16(head + 2, (uint16_t)len);
	return suite_hmac(s->rhash, &key, in, s->host_id ? 5 : 2, out);
}

/* Appends a MAC over what the builder holds. */
static int put_mac(struct msg_builder *b, enum param id,
		   const struct suite *rhash, const uint8_t *key,
		   const struct suite_buf *host_id)
{
	const struct mac_scope s = { b->buf, b->len, host_id, rhash, key };
	uint8_t out[SUITE_HASH_MAX];
	int err;

	if (b->bad)
		return HG_EFULL;
	err = mac(&s, out);
	if (err)
		return err;
	message_put(b, id, out, rhash->hash_len);
	return message_finish(b);
}

/* p: the parameter with the MAC. wrong: the reason when it does not match. */
static enum reason check_mac(const struct hip_param *p, struct mac_scope *s,
			     enum reason wrong)
{
	uint8_t want[SUITE_HASH_MAX];
	int err;

	s->end = p->offset;
	if (p->len != s->rhash->hash_len)
		return wrong;
	err = mac(s, want);
	if (err)
		return err == HG_EFULL ? wrong : REASON_HIP_CRYPTO;
	if (sodium_memcmp(want, p->contents, p->len) != 0)
		return wrong;
	return REASON_NUM;
}

int auth_put_mac(struct msg_builder *b, const struct suite *rhash,
		 const uint8_t *key)
{
	return put_mac(b, PARAM_HIP_MAC, rhash, key, NULL);
}

enum reason auth_check_mac(const struct hip_msg *m, const struct suite *rhash,
			   const uint8_t *key)
{
	const struct hip_param *p = param_find(m, PARAM_HIP_MAC);
	struct mac_scope s = { m->raw, 0, NULL, rhash, key };

	if (!p)
		return REASON_HIP_MISSING;
	return check_mac(p, &s, REASON_HIP_MAC);
}

int auth_put_mac_2(struct msg_builder *b, const struct suite *rhash,
		   const uint8_t *key, const struct suite_buf *host_id)
{
	return put_mac(b, PARAM_HIP_MAC_2, rhash, key, host_id);
}

enum reason auth_check_mac_2(const struct hip_msg *m, const struct suite *rhash,
			     const uint8_t *key,
			     const struct suite_buf *host_id)
{
	const struct hip_param *p = param_find(m, PARAM_HIP_MAC_2);
	struct mac_scope s = { m->raw, 0, host_id, rhash, key };

	if (!p)
		return REASON_HIP_MISSING;
	return check_mac(p, &s, REASON_HIP_MAC);
}

int auth_put_rvs_hmac(struct msg_builder *b, const struct suite *rhash,
		      const uint8_t *key)
{
	return put_mac(b, PARAM_RVS_HMAC, rhash, key, NULL);
}

enum reason auth_check_rvs_hmac(const struct hip_msg *m,
				const struct suite *rhash, const uint8_t *key)
{
	const struct hip_param *p = param_find(m, PARAM_RVS_HMAC);
	struct mac_scope s = { m->raw, 0, NULL, rhash, key };

	if (!p)
		return REASON_HIP_RVS_HMAC;
	return check_mac(p, &s, REASON_HIP_RVS_HMAC);
}

int auth_put_relay_hmac(struct msg_builder *b, const struct suite *rhash,
			const uint8_t *key)
{
	return put_mac(b, PARAM_RELAY_HMAC, rhash, key, NULL);
}

enum reason auth_check_relay_hmac(const struct hip_msg *m,
				  const struct suite *rhash, const uint8_t *key)
{
	const struct hip_param *p = param_find(m, PARAM_RELAY_HMAC);
	struct mac_scope s = { m->raw, 0, NULL, rhash, key };

	if (!p)
		return REASON_HIP_RELAY_HMAC;
	return check_mac(p, &s, REASON_HIP_RELAY_HMAC);
}

/* ---- signatures ------------------------------------------------------ */

/* What a signature is over: a copy of the first `end` octets of raw. */
struct sig_scope {
	uint8_t buf[HIP_MSG_MAX];
	size_t len;
};

static void sig_scope_init(struct sig_scope *s, const uint8_t *raw, size_t end)
{
	bool fits = hashed_header(raw, end, s->buf);

	assert(fits);
	(void)fits; /* used in the assertion only */
	memcpy(s->buf + PARAM_HEADER_LEN, raw + PARAM_HEADER_LEN,
	       end - PARAM_HEADER_LEN);
	s->len = end;
}

/* Zeroes what HIP_SIGNATURE_2 leaves open (7401 6.4.2). offset and len are
 * those of the PUZZLE parameter. */
static void sig_scope_open(struct sig_scope *s, size_t offset, size_t len)
{
	uint8_t *puzzle = s->buf + offset + PARAM_TLV_LEN;

	memset(s->buf + RECEIVER_AT, 0, HIT_LEN);
	memset(puzzle + PUZZLE_OPAQUE_AT, 0, len - PUZZLE_OPAQUE_AT);
}

static int put_signature(struct msg_builder *b, enum param id,
			 const struct hip_identity *self,
			 const struct sig_scope *s)
{
	uint8_t sig[IDENTITY_SIG_MAX];
	struct field_signature f = {
		.alg = identity_sig_alg(self),
		.sig = sig,
		.sig_len = identity_sig_len(self),
	};
	int err = identity_sign(self, s->buf, s->len, sig);

	if (err)
		return err;
	fields_put_signature(b, id, &f);
	return message_finish(b);
}

static enum reason check_signature(const struct hip_param *p,
				   const struct identity_peer *peer,
				   const struct sig_scope *s)
{
	const struct suite_buf data = { s->buf, s->len };
	struct field_signature f;
	int err;

	if (!fields_get_signature(p, &f))
		return REASON_HIP_SIGNATURE;
	err = identity_verify(peer, f.alg, &data, f.sig, f.sig_len);
	if (err == HG_EAUTH)
		return REASON_HIP_SIGNATURE;
	return err ? REASON_HIP_CRYPTO : REASON_NUM;
}

int auth_put_signature(struct msg_builder *b, const struct hip_identity *id)
{
	struct sig_scope s;

	if (b->bad)
		return HG_EFULL;
	sig_scope_init(&s, b->buf, b->len);
	return put_signature(b, PARAM_HIP_SIGNATURE, id, &s);
}

enum reason auth_check_signature(const struct hip_msg *m,
				 const struct identity_peer *peer)
{
	const struct hip_param *p = param_find(m, PARAM_HIP_SIGNATURE);
	struct sig_scope s;

	if (!p)
		return REASON_HIP_MISSING;
	sig_scope_init(&s, m->raw, p->offset);
	return check_signature(p, peer, &s);
}

int auth_put_signature_2(struct msg_builder *b, const struct hip_identity *id)
{
	const struct hip_param *puzzle;
	struct sig_scope s;
	struct hip_msg m;

	if (b->bad)
		return HG_EFULL;
	if (param_parse(b->buf, b->len, &m) != REASON_NUM)
		return HG_EFORMAT;
	puzzle = param_find(&m, PARAM_PUZZLE);
	if (!puzzle)
		return HG_EFORMAT;
	sig_scope_init(&s, b->buf, b->len);
	sig_scope_open(&s, puzzle->offset, puzzle->len);
	return put_signature(b, PARAM_HIP_SIGNATURE_2, id, &s);
}

enum reason auth_check_signature_2(const struct hip_msg *m,
				   const struct identity_peer *peer)
{
	const struct hip_param *p = param_find(m, PARAM_HIP_SIGNATURE_2);
	const struct hip_param *puzzle = param_find(m, PARAM_PUZZLE);
	struct sig_scope s;

	if (!p || !puzzle)
		return REASON_HIP_MISSING;
	sig_scope_init(&s, m->raw, p->offset);
	sig_scope_open(&s, puzzle->offset, puzzle->len);
	return check_signature(p, peer, &s);
}
