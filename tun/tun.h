/* SPDX-License-Identifier: MIT */
/* The TUN device, and cutting and joining super-packets: the tun room.
 *
 * THEORY OF OPERATION
 * The device was made beforehand by hipgate-setup and belongs to the
 * daemon's user; here it is only attached to. Each queue is one fd, used by
 * one worker. Every packet carries a virtio_net_hdr (IFF_VNET_HDR), so the
 * kernel hands over TCP (and, where it can, UDP) super-packets up to 64 KiB
 * and takes such packets back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/ip.h"
#include "core/reason.h"

enum { TUN_VNET_HDR = 12, TUN_PACKET_MAX = 65535, TUN_QUEUES_MAX = 64 };

struct tun_info {
	char name[16];
	unsigned index;
	unsigned mtu;
	bool tso;
	bool uso; /* needs Linux 6.2 */
};

/* Attaches `num` queues of the existing device `name` (non-blocking fds
 * into fds). info->tso, info->uso: whether super-packets are wanted (USO
 * with TSO only), and afterwards whether the kernel has them; packets carry
 * the header in any case, and without TSO their checksums are complete.
 * HG_ENOENT: no such device; HG_EPERM: not ours; HG_EINVAL: it has no
 * multi-queue; HG_ESYS. errbuf gets the sentence for a person, with the
 * mend. */
int tun_open(const char *name, unsigned num, int *fds, struct tun_info *info,
	     char *errbuf, size_t errlen) HG_CHECK;
void tun_close(int *fds, unsigned num);

/* Reads one packet into buf (cap >= TUN_PACKET_MAX + TUN_VNET_HDR); *pkt,
 * *len: the IP packet inside buf. HG_EAGAIN: none is there; HG_EFORMAT:
 * the header contradicts the packet (count VNET_HDR); HG_ESYS. */
int tun_read(int fd, uint8_t *buf, size_t cap, uint8_t **pkt, size_t *len,
	     struct ip_offload *off) HG_CHECK;
/* Writes one plain IP packet. */
int tun_write(int fd, const void *pkt, size_t len) HG_CHECK;

/* ---- cutting: TUN -> ESP --------------------------------------------- */

/* One piece: head was written into the cutter (or is empty), body borrows
 * the packet. Together: the upper-layer packet, checksum complete. */
struct tun_piece {
	const uint8_t *head;
	size_t head_len;
	const uint8_t *body;
	size_t body_len;
};

struct tun_cutter {
	const uint8_t *l4;
	uint32_t l4_len;
	uint32_t hdr_len;
	uint32_t done;	 /* payload octets given out */
	uint32_t step;	 /* payload octets for each piece */
	uint64_t pseudo; /* pseudo-header sum without length */
	uint8_t proto;
	bool fill_csum;
	uint8_t head[TCP_HDR_MAX];
};

/* Prepares to cut an upper-layer packet (TCP or UDP when off asks for
 * pieces). pseudo: csum_pseudo(...) of its addresses or HITs with length 0;
 * it is used where the checksum must be computed: for pieces and when
 * off->csum_partial. l4 is borrowed until the last piece; its checksum
 * field may be written. REASON_NUM or VNET_HDR, L4_TRUNCATED, L4_CHECKSUM
 * (to be cut, its checksum complete and wrong). */
enum reason tun_cut(struct tun_cutter *c, uint8_t proto, uint8_t *l4,
		    uint32_t len, const struct ip_offload *off,
		    uint64_t pseudo) HG_CHECK;
/* The next piece; false after the last. All but the last are of one size. */
bool tun_cut_next(struct tun_cutter *c, struct tun_piece *out);

/* ---- joining: ESP -> TUN --------------------------------------------- */

/* Collects packets of a receive batch and writes them as few, large ones:
 * consecutive TCP segments or UDP datagrams of one flow become one
 * super-packet, by the kernel's own GRO rules. Order within a flow is kept.
 * IP headers are copied, the rest is borrowed until tun_join_flush. */
struct tun_joiner;

enum tun_join_kind { TUN_JOIN_TCP, TUN_JOIN_UDP, TUN_JOIN_NUM };

/* What became of the packets since the last flush. */
struct tun_joined {
	unsigned packets;
	unsigned writes;
	unsigned failed; /* packets the kernel refused: count TUN_FAILED */
	/* Super-packets that it took, and that it refused (EINVAL): their
	 * packets were written one by one. */
	unsigned taken[TUN_JOIN_NUM];
	unsigned refused[TUN_JOIN_NUM];
};

/* tcp, udp: which are joined (struct tun_info's tso, uso). */
int tun_joiner_new(int fd, bool tcp, bool udp,
		   struct tun_joiner **out) HG_CHECK;
/* The same, changed; nothing has been joined since the last flush. */
void tun_join_use(struct tun_joiner *j, bool tcp, bool udp);
void tun_joiner_free(struct tun_joiner *j);
/* hdr: the IP header; l4: header and payload with a complete checksum. */
void tun_join(struct tun_joiner *j, const uint8_t *hdr, size_t hdr_len,
	      uint8_t proto, const uint8_t *l4, size_t l4_len);
/* Writes all. */
void tun_join_flush(struct tun_joiner *j, struct tun_joined *out);
