/* SPDX-License-Identifier: MIT */
/* Internet checksum (RFC 1071), full and incremental (RFC 1624). */
#include "core/checksum.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "core/wire.h"

/* Each of these adds the native 32-bit words of the longest part of p that
 * it likes to *acc, and says how many octets that were. */

/* Four words at a time: 4 GiB before acc could wrap. */
static size_t sum_words(const uint8_t *p, size_t len, uint64_t *acc)
{
	size_t done = 0;

	for (; len - done >= 16; done += 16) {
		uint32_t w[4];

		memcpy(w, p + done, 16);
		*acc += (uint64_t)w[0] + w[1] + w[2] + w[3];
	}
	return done;
}

#ifdef __x86_64__

/* Halves of words in 32-bit lanes, which hold 65536 of them; half the time
 * of the above for a whole packet. */
__attribute__((target("avx2"))) static size_t sum_avx2(const uint8_t *p,
						       size_t len,
						       uint64_t *acc)
{
	const __m256i mask = _mm256_set1_epi32(0xffff);
	__m256i low[2] = { _mm256_setzero_si256(), _mm256_setzero_si256() };
	__m256i high[2] = { low[0], low[1] };
	size_t end = len < 1 << 20 ? len / 64 * 64 : 1 << 20;
	uint32_t lane[16];

	for (size_t at = 0; at < end; at += 64) {
		for (int i = 0; i < 2; i++) {
			__m256i w = _mm256_loadu_si256(
				(const __m256i *)(p + at + 32 * i));

			low[i] = _mm256_add_epi32(low[i],
						  _mm256_and_si256(w, mask));
			high[i] = _mm256_add_epi32(high[i],
						   _mm256_srli_epi32(w, 16));
		}
	}
	low[0] = _mm256_add_epi32(low[0], low[1]);
	high[0] = _mm256_add_epi32(high[0], high[1]);
	memcpy(lane, &low[0], 32);
	memcpy(lane + 8, &high[0], 32);
	for (int i = 0; i < 8; i++)
		*acc += lane[i] + ((uint64_t)lane[8 + i] << 16);
	return end;
}

#endif

static size_t sum_long(const uint8_t *p, size_t len, uint64_t *acc)
{
#ifdef __x86_64__
	if (len >= 128 && __builtin_cpu_supports("avx2"))
		return sum_avx2(p, len, acc);
#endif
	return sum_words(p, len, acc);
}

/* The sum of native words is byte-swapped once at the end (RFC 1071 2.B). */
uint64_t csum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t acc = 0;
	uint32_t word;
	uint16_t tail;

	while (len >= 16) {
		size_t done = sum_long(p, len, &acc);

		p += done;
		len -= done;
	}
	while (len >= 4) {
		memcpy(&word, p, 4);
		acc += word;
		p += 4;
		len -= 4;
	}
	if (len) {
		uint8_t rest[4] = { 0 };

		memcpy(rest, p, len);
		memcpy(&word, rest, 4);
		acc += word;
	}
	tail = csum_fold(acc);
	return sum + get_be16((const uint8_t *)&tail);
}

uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t csum_finish(uint64_t sum)
{
	return (uint16_t)~csum_fold(sum);
}

uint64_t csum_pseudo(const struct addr *from, const struct addr *to,
		     uint8_t proto, uint32_t len)
{
	uint64_t sum = (uint64_t)proto + (len >> 16) + (len & 0xffff);

	if (addr_is4(from) && addr_is4(to)) {
		sum = csum_add(sum, addr_four(from), 4);
		return csum_add(sum, addr_four(to), 4);
	}
	sum = csum_add(sum, from->b, 16);
	return csum_add(sum, to->b, 16);
}

uint64_t csum_pseudo_hit(const struct hit *from, const struct hit *to,
			 uint8_t proto, uint32_t len)
{
	uint64_t sum = (uint64_t)proto + (len >> 16) + (len & 0xffff);

	sum = csum_add(sum, from->b, 16);
	return csum_add(sum, to->b, 16);
}

uint16_t csum_update(uint16_t field, uint64_t old_sum, uint64_t new_sum)
{
	/* HC' = ~(~HC + ~m + m'), RFC 1624 eqn 3. */
	uint64_t sum = (uint16_t)~field;

	sum += (uint16_t)~csum_fold(old_sum);
	sum += csum_fold(new_sum);
	return csum_finish(sum);
}
