/* SPDX-License-Identifier: MIT */
/* Path probes on the wire: ICMPv6 echo between the HITs (RFC 4443 4).
 *
 * Any HIP host's own stack answers one. Ours are known by the first octets
 * of their data and answered by the daemon itself, with no more than the
 * token: so an answer tells of one direction, and is never too large for
 * the way back.
 */
#include <string.h>

#include "core/checksum.h"
#include "core/ip.h"
#include "core/wire.h"
#include "esp/esp.h"

enum { ECHO_REQUEST = 128, ECHO_REPLY = 129 };

static const uint8_t mark[8] = { 'h', 'i', 'p', 'g', 'a', 't', 'e', '?' };

void esp_probe_put(uint8_t *out, size_t len, const struct hit *from,
		   const struct hit *to, bool answer, uint64_t token)
{
	uint64_t sum = csum_pseudo_hit(from, to, IP_PROTO_ICMP6, (uint32_t)len);

	memset(out, 0, len);
	out[0] = answer ? ECHO_REPLY : ECHO_REQUEST;
	memcpy(out + ICMP_HDR, mark, sizeof(mark));
	put_be64(out + ICMP_HDR + sizeof(mark), token);
	put_be16(out + 2, csum_finish(csum_add(sum, out, len)));
}

enum esp_probe esp_probe_get(uint8_t next_header, const uint8_t *data,
			     size_t len, uint64_t *token)
{
	if (next_header != IP_PROTO_ICMP6 || len < ESP_PROBE_MIN ||
	    (data[0] != ECHO_REQUEST && data[0] != ECHO_REPLY) || data[1] ||
	    memcmp(data + ICMP_HDR, mark, sizeof(mark)) != 0)
		return ESP_PROBE_NONE;
	*token = get_be64(data + ICMP_HDR + sizeof(mark));
	return data[0] == ECHO_REQUEST ? ESP_PROBE_ASKS : ESP_PROBE_ANSWERS;
}
