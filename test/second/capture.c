/* SPDX-License-Identifier: MIT */
/* Writing a capture file: pcap, IP, UDP headers; see capture.h. */
#include "capture.h"

#include <assert.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "hip/hip.h"

#define PCAP_MAGIC_NS 0xa1b23c4du
#define LINKTYPE_RAW 101
#define PROTO_UDP 17
#define HOPS 64
#define UDP_LEN 8
#define MARK_LEN 4
#define IP_MAX 40
#define FRAME_MAX (IP_MAX + UDP_LEN + MARK_LEN + HIP_MSG_MAX)

int capture_open(struct capture *c, const char *path)
{
	uint8_t head[24];
	struct wr w = wr_init(head, sizeof(head));

	c->frames = 0;
	c->file = fopen(path, "wb");
	if (!c->file)
		return HG_ESYS;
	wr_be32(&w, PCAP_MAGIC_NS);
	wr_be16(&w, 2); /* version 2.4 */
	wr_be16(&w, 4);
	wr_be32(&w, 0);
	wr_be32(&w, 0);
	wr_be32(&w, FRAME_MAX);
	wr_be32(&w, LINKTYPE_RAW);
	return fwrite(head, sizeof(head), 1, c->file) == 1 ? HG_OK : HG_ESYS;
}

static void put_ip4(struct wr *w, const struct addr *from,
		    const struct addr *to, size_t udp_len)
{
	uint8_t *start = w->p;

	wr_be16(w, 0x4500);
	wr_be16(w, (uint16_t)(20 + udp_len));
	wr_be32(w, 0); /* no fragment */
	wr_u8(w, HOPS);
	wr_u8(w, PROTO_UDP);
	wr_be16(w, 0);
	wr_put(w, addr_four(from), 4);
	wr_put(w, addr_four(to), 4);
	put_be16(start + 10, csum_finish(csum_add(0, start, 20)));
}

static void put_ip6(struct wr *w, const struct addr *from,
		    const struct addr *to, size_t udp_len)
{
	wr_be32(w, UINT32_C(6) << 28);
	wr_be16(w, (uint16_t)udp_len);
	wr_u8(w, PROTO_UDP);
	wr_u8(w, HOPS);
	wr_put(w, from->b, 16);
	wr_put(w, to->b, 16);
}

static void put_udp(struct wr *w, const struct endpoint *from,
		    const struct endpoint *to, const uint8_t *msg, size_t len)
{
	uint8_t *start = w->p;
	size_t udp_len = UDP_LEN + MARK_LEN + len;
	uint64_t sum = csum_pseudo(&from->addr, &to->addr, PROTO_UDP,
				   (uint32_t)udp_len);
	uint16_t field;

	wr_be16(w, from->port);
	wr_be16(w, to->port);
	wr_be16(w, (uint16_t)udp_len);
	wr_be16(w, 0);
	wr_zero(w, MARK_LEN);
	wr_put(w, msg, len);
	field = csum_finish(csum_add(sum, start, udp_len));
	put_be16(start + 6, field ? field : UINT16_MAX); /* RFC 768 */
}

void capture_add(struct capture *c, const struct endpoint *from,
		 const struct endpoint *to, const uint8_t *msg, size_t len,
		 uint64_t now)
{
	uint8_t frame[16 + FRAME_MAX];
	struct wr w = wr_init(frame, sizeof(frame));
	size_t udp_len = UDP_LEN + MARK_LEN + len;
	bool four = addr_is4(&from->addr);
	size_t frame_len = (four ? 20 : 40) + udp_len;

	assert(four == addr_is4(&to->addr) && len <= HIP_MSG_MAX);
	wr_be32(&w, (uint32_t)(now / 1000000000));
	wr_be32(&w, (uint32_t)(now % 1000000000));
	wr_be32(&w, (uint32_t)frame_len);
	wr_be32(&w, (uint32_t)frame_len);
	if (four)
		put_ip4(&w, &from->addr, &to->addr, udp_len);
	else
		put_ip6(&w, &from->addr, &to->addr, udp_len);
	put_udp(&w, from, to, msg, len);
	(void)fwrite(frame, wr_len(&w), 1, c->file); /* ferror at close */
	c->frames++;
}

int capture_close(struct capture *c)
{
	bool bad = ferror(c->file);

	return fclose(c->file) || bad ? HG_ESYS : HG_OK;
}
