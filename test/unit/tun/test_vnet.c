/* SPDX-License-Identifier: MIT */
/* Tests of tun/vnet.c: the header, and each way it can lie. */
#include <linux/virtio_net.h>

#include "tun/vnet.h"
#include "test/unit/tun/tun_bed.h"

enum { UDP_L4 = 5, PAYLOAD = 3000 };

/* A good TCP super-packet and its header. */
static size_t good(bool v4, struct virtio_net_hdr *h, uint8_t *pkt)
{
	static uint8_t payload[PAYLOAD];
	struct bed_tcp t = { .v4 = v4, .payload = payload, .len = PAYLOAD };

	*h = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = v4 ? VIRTIO_NET_HDR_GSO_TCPV4
			       : VIRTIO_NET_HDR_GSO_TCPV6,
		.hdr_len = 77, /* the kernel's may be anything */
		.gso_size = 1400,
		.csum_start = v4 ? IP4_HDR : IP6_HDR,
		.csum_offset = 16,
	};
	return bed_build(&t, pkt);
}

static int get(const struct virtio_net_hdr *h, uint8_t *pkt, size_t len,
	       struct ip_offload *off)
{
	uint8_t hdr[TUN_VNET_HDR] = { 0 };

	memcpy(hdr, h, sizeof(*h));
	return vnet_get(hdr, pkt, len, off);
}

START_TEST(a_true_header_is_believed)
{
	struct virtio_net_hdr h;
	struct ip_offload off;
	uint8_t pkt[4000];

	for (int v4 = 0; v4 < 2; v4++) {
		size_t len = good(v4, &h, pkt);

		ck_assert_int_eq(get(&h, pkt, len, &off), 0);
		ck_assert(off.csum_partial);
		ck_assert_uint_eq(off.gso_size, 1400);
		h.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
		ck_assert_int_eq(get(&h, pkt, len, &off), 0);
		h.gso_type = VIRTIO_NET_HDR_GSO_NONE;
		ck_assert_int_eq(get(&h, pkt, len, &off), 0);
		ck_assert(off.csum_partial);
		ck_assert_uint_eq(off.gso_size, 0);
		h.flags = VIRTIO_NET_HDR_F_DATA_VALID;
		ck_assert_int_eq(get(&h, pkt, len, &off), 0);
		ck_assert(!off.csum_partial);
	}
}
END_TEST

START_TEST(every_other_segmentation_type_is_refused)
{
	struct virtio_net_hdr h;
	struct ip_offload off;
	uint8_t pkt[4000];

	for (int v4 = 0; v4 < 2; v4++) {
		size_t len = good(v4, &h, pkt);
		unsigned right = h.gso_type;

		for (unsigned type = 1; type < 256; type++) {
			h.gso_type = (uint8_t)type;
			ck_assert_int_eq(get(&h, pkt, len, &off),
					 (type & 0x7f) == right ? 0
								: HG_EFORMAT);
		}
	}
}
END_TEST

START_TEST(checksum_places_other_than_the_true_one_are_refused)
{
	struct virtio_net_hdr h;
	struct ip_offload off;
	uint8_t pkt[4000];
	size_t len = good(true, &h, pkt);

	for (unsigned at = 0; at < 65536; at += at < 100 ? 1 : 977) {
		h.csum_start = (uint16_t)at;
		ck_assert_int_eq(get(&h, pkt, len, &off),
				 at == IP4_HDR ? 0 : HG_EFORMAT);
	}
	good(true, &h, pkt);
	for (unsigned at = 0; at < 65536; at += at < 100 ? 1 : 977) {
		h.csum_offset = (uint16_t)at;
		ck_assert_int_eq(get(&h, pkt, len, &off),
				 at == 16 ? 0 : HG_EFORMAT);
	}
}
END_TEST

START_TEST(a_segment_size_of_zero_is_refused)
{
	struct virtio_net_hdr h;
	struct ip_offload off;
	uint8_t pkt[4000];
	size_t len = good(false, &h, pkt);

	h.gso_size = 0;
	ck_assert_int_eq(get(&h, pkt, len, &off), HG_EFORMAT);
	ck_assert_uint_eq(off.gso_size, 0);
	ck_assert(!off.csum_partial);
	h.gso_size = 1;
	ck_assert_int_eq(get(&h, pkt, len, &off), 0);
}
END_TEST

START_TEST(udp_takes_udp_segmentation_only)
{
	struct endpoint from = { .port = 1 };
	struct endpoint to = { .port = 2 };
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = UDP_L4,
		.gso_size = 100,
		.csum_start = IP6_HDR,
		.csum_offset = 6,
	};
	struct ip_offload off;
	uint8_t pkt[1000];
	uint8_t data[500] = { 0 };
	size_t len;

	bed_addrs(false, &from.addr, &to.addr);
	len = ip_build_udp(pkt, sizeof(pkt), &from, &to, data, sizeof(data));
	ck_assert_uint_gt(len, 0);
	ck_assert_int_eq(get(&h, pkt, len, &off), 0);
	ck_assert_uint_eq(off.gso_size, 100);
	h.gso_type = VIRTIO_NET_HDR_GSO_UDP; /* IP fragments */
	ck_assert_int_eq(get(&h, pkt, len, &off), HG_EFORMAT);
	h.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	ck_assert_int_eq(get(&h, pkt, len, &off), HG_EFORMAT);
}
END_TEST

/* The parser that follows must name the reason, not we. */
START_TEST(a_packet_that_cannot_be_parsed_gets_an_empty_offload)
{
	struct virtio_net_hdr h;
	struct ip_offload off;
	uint8_t pkt[4000];

	(void)good(true, &h, pkt);
	for (size_t n = 0; n < 40; n++) {
		off.gso_size = 5;
		off.csum_partial = true;
		ck_assert_int_eq(get(&h, pkt, n, &off), 0);
		ck_assert_uint_eq(off.gso_size, 0);
		ck_assert(!off.csum_partial);
	}
}
END_TEST

START_TEST(what_we_put_we_also_get)
{
	uint8_t hdr[TUN_VNET_HDR];
	struct virtio_net_hdr h;
	struct ip_offload off;
	uint8_t pkt[4000];

	for (int v4 = 0; v4 < 2; v4++) {
		size_t len = good(v4, &h, pkt);
		struct vnet_super s = { .v4 = v4,
					.proto = IP_PROTO_TCP,
					.cwr = v4,
					.gso_size = 1234,
					.ip_len = v4 ? IP4_HDR : IP6_HDR,
					.head_len = TCP_HDR };

		vnet_put_super(hdr, &s);
		ck_assert_int_eq(vnet_get(hdr, pkt, len, &off), 0);
		ck_assert(off.csum_partial);
		ck_assert_uint_eq(off.gso_size, 1234);
		memcpy(&h, hdr, sizeof(h));
		ck_assert_uint_eq(h.hdr_len, s.ip_len + TCP_HDR);
		ck_assert_uint_eq(h.gso_type, v4 ? 0x81 : 4);
		vnet_put_plain(hdr);
		ck_assert(sodium_is_zero(hdr, sizeof(hdr)));
	}
}
END_TEST

Suite *test_vnet_suite(void);
Suite *test_vnet_suite(void)
{
	Suite *s = suite_create("vnet");
	TCase *t = tcase_create("vnet");

	tcase_add_test(t, a_true_header_is_believed);
	tcase_add_test(t, every_other_segmentation_type_is_refused);
	tcase_add_test(t, checksum_places_other_than_the_true_one_are_refused);
	tcase_add_test(t, a_segment_size_of_zero_is_refused);
	tcase_add_test(t, udp_takes_udp_segmentation_only);
	tcase_add_test(t, a_packet_that_cannot_be_parsed_gets_an_empty_offload);
	tcase_add_test(t, what_we_put_we_also_get);
	suite_add_tcase(s, t);
	return s;
}
