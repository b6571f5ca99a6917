/* SPDX-License-Identifier: MIT */
/* Anti-replay window over 64-bit sequence numbers.
 *
 * THEORY OF OPERATION
 * RFC 6479: a ring of 64-bit blocks, one more than the window needs, so
 * that moving the window forward clears whole blocks and never shifts bits.
 * Sequence number s lives in bit s % 64 of block (s / 64) % BLOCKS. The
 * window is (top - ESP_WINDOW, top]; it touches at most BLOCKS blocks, so
 * no two of its numbers share a bit. One thread owns each window.
 *
 * RFC 4303 3.4.3 and appendix A2, RFC 6479.
 */
#include <assert.h>
#include <string.h>

#include "esp/esp.h"

#define BLOCKS (ESP_WINDOW / 64 + 1)

static_assert(ESP_WINDOW % 64 == 0, "the window is whole blocks");

void esp_replay_init(struct esp_replay *r)
{
	memset(r, 0, sizeof(*r));
}

uint64_t esp_replay_infer(const struct esp_replay *r, uint32_t low)
{
	uint32_t top_low = (uint32_t)r->top;
	uint32_t high = (uint32_t)(r->top >> 32);
	uint32_t bottom = top_low - (ESP_WINDOW - 1); /* modulo 2^32 */

	if (top_low >= ESP_WINDOW - 1) {
		/* The window lies within one subspace (RFC 4303 A2.2, A). */
		if (low < bottom)
			high++;
	} else if (low >= bottom && high > 0) {
		/* It spans two and low is in the older (A2.2, B). Before the
		 * first wrap there is no older one: low is then far ahead. */
		high--;
	}
	return ((uint64_t)high << 32) | low;
}

bool esp_replay_check(const struct esp_replay *r, uint64_t seq)
{
	if (seq == 0) /* the first packet has 1 (RFC 4303 3.3.3) */
		return false;
	if (seq > r->top)
		return true;
	if (r->top - seq >= ESP_WINDOW)
		return false;
	return !(r->seen[seq / 64 % BLOCKS] >> (seq % 64) & 1);
}

void esp_replay_commit(struct esp_replay *r, uint64_t seq)
{
	if (seq > r->top) {
		uint64_t block = r->top / 64;
		uint64_t ahead = seq / 64 - block;

		if (ahead > BLOCKS)
			ahead = BLOCKS;
		for (uint64_t i = 1; i <= ahead; i++)
			r->seen[(block + i) % BLOCKS] = 0;
		r->top = seq;
	} else if (r->top - seq >= ESP_WINDOW) {
		return; /* its bit belongs to a newer number by now */
	}
	r->seen[seq / 64 % BLOCKS] |= (uint64_t)1 << (seq % 64);
}
