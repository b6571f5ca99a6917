/* SPDX-License-Identifier: MIT */
/* How many octets a plain packet takes on the wire, and the reverse. */
#include "esp/esp.h"

/* SPI, sequence number, IV and ICV: what does not depend on the payload. */
static size_t fixed_len(const struct sa_suite *s)
{
	return (size_t)ESP_HDR + s->iv_len + s->icv_len;
}

size_t esp_wire_len(const struct sa_suite *s, size_t plain)
{
	size_t block = s->block;

	/* Pad length and next header end on a boundary (RFC 4303 2.4). */
	return fixed_len(s) + (plain + 2 + block - 1) / block * block;
}

size_t esp_plain_max(const struct sa_suite *s, size_t wire)
{
	size_t room;

	if (wire < fixed_len(s))
		return 0;
	room = wire - fixed_len(s);
	room -= room % s->block;
	return room > 2 ? room - 2 : 0;
}
