/* SPDX-License-Identifier: MIT */
/* Making, checking and solving puzzles; theory in puzzle.h (7401 6.3). */
#include "hip/puzzle.h"

#include <assert.h>
#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

static_assert(PUZZLE_KEY_LEN >= crypto_generichash_KEYBYTES_MIN &&
		      PUZZLE_KEY_LEN <= crypto_generichash_KEYBYTES_MAX &&
		      SUITE_HASH_MAX <= crypto_generichash_BYTES_MAX,
	      "BLAKE2b must hold the epoch key and #I");

#define LIFETIME_BIAS 32
#define NS_PER_S UINT64_C(1000000000)

void puzzle_key(uint8_t key[PUZZLE_KEY_LEN])
{
	randombytes_buf(key, PUZZLE_KEY_LEN);
}

void puzzle_make_i(const uint8_t key[PUZZLE_KEY_LEN],
		   const struct puzzle_ends *ends, const struct suite *rhash,
		   uint8_t *i)
{
	uint8_t in[16 * 3];

	/* Unguessable, and known again as ours. RFC 7401 4.1.2, App. A */
	memcpy(in, ends->hit_i->b, 16);
	memcpy(in + 16, ends->hit_r->b, 16);
	memcpy(in + 32, ends->initiator->b, 16);
	(void)crypto_generichash(i, rhash->hash_len, in, sizeof(in), key,
				 PUZZLE_KEY_LEN); /* lengths are asserted */
}

bool puzzle_is_ours(const uint8_t key[PUZZLE_KEY_LEN],
		    const struct puzzle_ends *ends, const struct suite *rhash,
		    const uint8_t *i)
{
	uint8_t want[SUITE_HASH_MAX];

	puzzle_make_i(key, ends, rhash, want);
	return sodium_memcmp(want, i, rhash->hash_len) == 0;
}

/* Are the k low-order bits of a big-endian number of len octets zero? */
static bool low_bits_zero(const uint8_t *hash, size_t len, unsigned k)
{
	const uint8_t *p = hash + len;

	for (; k >= 8; k -= 8)
		if (*--p)
			return false;
	return k == 0 || (p[-1] & ((1u << k) - 1)) == 0;
}

bool puzzle_verify(const struct puzzle *p, const uint8_t *j)
{
	size_t n = p->rhash->hash_len;
	const struct suite_buf in[] = {
		{ p->i, n },
		{ p->hit_i.b, 16 },
		{ p->hit_r.b, 16 },
		{ j, n },
	}; /* RFC 7401 6.3 */
	uint8_t hash[SUITE_HASH_MAX];

	return suite_hash(p->rhash, in, 4, hash) == HG_OK &&
	       low_bits_zero(hash, n, p->k);
}

/* The next number, as a big-endian counter of len octets. */
static void count_up(uint8_t *j, size_t len)
{
	while (len-- > 0)
		if (++j[len])
			return;
}

/* One try with a context that is used again and again; < 0: HG_ECRYPTO. */
static int try(EVP_MD_CTX *ctx, const struct puzzle *p, const uint8_t *input,
	       size_t len)
{
	const EVP_MD *md = suite_evp_md(p->rhash);
	uint8_t hash[SUITE_HASH_MAX];

	if (!md || !EVP_DigestInit_ex2(ctx, md, NULL) ||
	    !EVP_DigestUpdate(ctx, input, len) ||
	    !EVP_DigestFinal_ex(ctx, hash, NULL))
		return HG_ECRYPTO;
	return low_bits_zero(hash, p->rhash->hash_len, p->k) ? HG_OK
							     : HG_EAGAIN;
}

int puzzle_solve(const struct puzzle *p, uint64_t tries,
		 const atomic_bool *cancel, uint8_t *j)
{
	uint8_t input[2 * SUITE_HASH_MAX + 32]; /* I | HIT-I | HIT-R | J */
	size_t n = p->rhash->hash_len;
	uint8_t *guess = input + n + 32;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int err = HG_EAGAIN;

	if (!ctx)
		return HG_ENOMEM;
	memcpy(input, p->i, n);
	memcpy(input + n, p->hit_i.b, 16);
	memcpy(input + n + 16, p->hit_r.b, 16);
	randombytes_buf(guess, n);
	while (tries-- > 0 && err == HG_EAGAIN) {
		if (cancel &&
		    atomic_load_explicit(cancel, memory_order_relaxed))
			break;
		count_up(guess, n);
		err = try(ctx, p, input, 2 * n + 32);
	}
	if (!err)
		memcpy(j, guess, n);
	EVP_MD_CTX_free(ctx);
	return err;
}

uint64_t puzzle_lifetime_ns(uint8_t lifetime)
{
	unsigned shift;

	if (lifetime < LIFETIME_BIAS)
		return NS_PER_S >> (LIFETIME_BIAS - lifetime);
	shift = lifetime - LIFETIME_BIAS;
	if (shift >= 64 || NS_PER_S > UINT64_MAX >> shift)
		return UINT64_MAX;
	return NS_PER_S << shift;
}
