/* SPDX-License-Identifier: MIT */
/* Keys of the MODP groups: new ones, and public ones as octets.
 *
 * The groups are RFC 3526's: p is a safe prime and the generator 2 spans the
 * subgroup of order (p - 1) / 2, the squares. Pure functions, any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define MODP_MAX 384 /* 3072 bits */

struct evp_pkey_st;

/* A key from a public value of len octets, the length of the group's prime
 * (7401 5.2.7), and the private number, when there is one (priv_len 0:
 * none). group: the library's name. HG_EFORMAT: not of 2 .. p - 2, or not
 * in the subgroup that 2 spans (7401 5.3.2, RFC 2785 3.1): it would tell
 * the lowest bit of the private number. The caller frees *out. */
struct modp_key {
	const char *group;
	const uint8_t *public;
	size_t public_len;
	const uint8_t *private;
	size_t private_len;
};
int modp_get(const struct modp_key *k, struct evp_pkey_st **out) HG_CHECK;
/* A new key pair of the named group; the caller frees it likewise. */
int modp_generate(const char *group, struct evp_pkey_st **out) HG_CHECK;
/* The public value of pkey, left-padded to len octets. */
int modp_put(const struct evp_pkey_st *pkey, uint8_t *out, size_t len) HG_CHECK;
