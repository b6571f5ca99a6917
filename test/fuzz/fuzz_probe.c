/* SPDX-License-Identifier: MIT */
/* Fuzzes the look for path probes in what came out of ESP. room: esp
 *
 * The first octet is the next header. What is said to be a probe, and its
 * token, is what esp_probe_put writes, but for what may be anything:
 * checksum, identifier, number, and what follows the token.
 */
#include <stdlib.h>
#include <string.h>

#include "core/ip.h"
#include "esp/esp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct hit any;
	uint8_t want[ESP_PROBE_MIN];
	uint64_t token = 77;
	enum esp_probe what;
	uint8_t *copy;

	if (len < 1)
		return 0;
	copy = malloc(len); /* as long as it says */
	if (!copy)
		abort();
	memcpy(copy, data + 1, len - 1);
	what = esp_probe_get(data[0], copy, len - 1, &token);
	if (what == ESP_PROBE_NONE) {
		if (token != 77)
			abort();
	} else {
		if (data[0] != IP_PROTO_ICMP6 || len - 1 < ESP_PROBE_MIN)
			abort();
		esp_probe_put(want, sizeof(want), &any, &any,
			      what == ESP_PROBE_ANSWERS, token);
		if (memcmp(want, copy, 2) != 0 ||
		    memcmp(want + ICMP_HDR, copy + ICMP_HDR,
			   ESP_PROBE_MIN - ICMP_HDR) != 0)
			abort();
	}
	free(copy);
	return 0;
}
