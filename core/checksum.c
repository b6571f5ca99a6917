/* SPDX-License-Identifier: MIT */
/* Internet checksum (RFC 1071), full and incremental (RFC 1624). */
#include "core/checksum.h"

#include <string.h>

#include "core/wire.h"

/* Native 32-bit words in a 64-bit accumulator: 4 GiB before it could wrap.
 * The sum of native words is byte-swapped once at the end (RFC 1071 2.B). */
uint64_t csum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t acc = 0;
	uint32_t word;
	uint16_t tail;

	while (len >= 16) {
		uint32_t w[4];

		memcpy(w, p, 16);
		acc += (uint64_t)w[0] + w[1] + w[2] + w[3];
		p += 16;
		len -= 16;
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
