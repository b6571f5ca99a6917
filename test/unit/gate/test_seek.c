/* SPDX-License-Identifier: MIT */
/* Look-ups in steps find what look-ups at once find; packets of a row, each
 * its own flow. */
#include "cmd/hipgated/seek.h"

#include "test/unit/gate/loop_bed.h"

enum { PORTS = 6 };

static struct loop l;

static struct flow *flow_of(uint16_t port)
{
	struct nat_key key = { loop_client, loop_virt, port, 80, IP_PROTO_UDP };

	return tables_flow(&l.plane.tables, &key);
}

static void setup(void)
{
	loop_begin(&l, 0);
	ck_assert_int_eq(
		tables_add_mapping(&l.plane.tables, &loop_virt, 1, &loop_peer),
		HG_OK);
	for (uint16_t i = 1; i < PORTS; i++)
		(void)loop_add_flow(&l, IP_PROTO_UDP, LOOP_PORT + i);
}

static void teardown(void)
{
	loop_end(&l);
}

START_TEST(steps_find_what_is_there_at_the_end)
{
	const struct tables *t = &l.plane.tables;
	struct flow *f = flow_of(LOOP_PORT + 1);
	struct nat_key key = f->nat.key;
	struct nat_back back = f->nat.back;
	struct seek by_key = seek_flow(t, &key);
	struct seek by_back = seek_back(t, &back);

	seek_line(&by_key);
	seek_line(&by_back);
	seek_near_flow(&by_key);
	seek_near_flow(&by_back);
	ck_assert_ptr_eq(seek_get_flow(&by_key, &key), f);
	ck_assert_ptr_eq(seek_get_back(&by_back, &back), f);
	/* Another key of the same hash would not do. */
	key.virt_port ^= 1;
	back.proto ^= 1;
	ck_assert_ptr_null(seek_get_flow(&by_key, &key));
	ck_assert_ptr_null(seek_get_back(&by_back, &back));
	tables_del_flow(&l.plane.tables, f);
	key.virt_port ^= 1;
	ck_assert_ptr_null(seek_get_flow(&by_key, &key));
	seek_near_flow(&by_key); /* of nobody: no harm */
	tables_free_flow(&l.plane.tables, f);
}
END_TEST

START_TEST(steps_find_sas_by_spi_and_by_hits)
{
	const struct tables *t = &l.plane.tables;
	struct tables_pair pair = { loop_self, loop_peer };
	uint32_t spi = LOOP_SPI;
	struct seek in = seek_in(t, &spi);
	struct seek out = seek_out(t, &pair);

	seek_line(&in);
	seek_line(&out);
	seek_near_sa(&in);
	seek_near_sa(&out);
	ck_assert_ptr_eq(seek_get_in(&in, &spi), l.sa);
	ck_assert_ptr_eq(seek_get_out(&out, &pair), l.sa);
	pair.peer.b[15] ^= 1;
	spi++;
	ck_assert_ptr_null(seek_get_in(&in, &spi));
	ck_assert_ptr_null(seek_get_out(&out, &pair));
	out = seek_out(t, &pair);
	seek_near_sa(&out); /* of nobody: no harm */
	ck_assert_ptr_null(seek_get_out(&out, &pair));
}
END_TEST

/* One of these goes out, as the k-th of a row. */
static void send_one(unsigned port, unsigned k)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	size_t n = loop_packet(buf, IP_PROTO_UDP, (uint16_t)(LOOP_PORT + port),
			       k, 40);

	ck_assert_int_eq(write(l.tun[0], buf, n), (ssize_t)n);
}

/* How many datagrams of each port came back. */
static void receive_all(unsigned came[PORTS])
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	ssize_t n;

	memset(came, 0, PORTS * sizeof(*came));
	while ((n = read(l.tun[0], buf, sizeof(buf))) > 0) {
		const uint8_t *udp = buf + TUN_VNET_HDR + IP6_HDR;
		unsigned port = get_be16(udp + 2) - LOOP_PORT;

		ck_assert_uint_lt(port, PORTS);
		came[port] +=
			(unsigned)(n - TUN_VNET_HDR - IP6_HDR - UDP_HDR) / 40;
	}
}

/* Rows of the same, of alternating flows, of some that are nobody's, of more
 * than one row, and with a super-packet that ends a row. */
START_TEST(each_packet_of_a_row_finds_its_own)
{
	static const unsigned port[] = { 0, 0, 1,  0, 1, 1, 99, 2,
					 3, 3, 98, 3, 2, 4, 5,	0 };
	unsigned want[PORTS] = { 0 };
	unsigned came[PORTS];
	unsigned lost = 0;
	struct msg *m;

	for (unsigned k = 0; k < 60; k++) {
		unsigned p = port[k * 7 % 16];

		send_one(p, k);
		if (p < PORTS)
			want[p]++;
		else
			lost++;
		if (k % 20 == 13) {
			loop_send(&l, 0, IP_PROTO_UDP, 0, 5 * LOOP_MSS);
			want[0] += (5 * LOOP_MSS) / 40;
		}
	}
	loop_out(&l, 0);
	loop_in(&l, 0);
	receive_all(came);
	for (unsigned p = 1; p < PORTS; p++)
		ck_assert_uint_eq(came[p], want[p]);
	ck_assert_uint_ge(came[0], want[0] - 15);
	ck_assert_uint_le(came[0], want[0]);
	ck_assert_uint_eq(l.w[0].tun_reads, 63);
	/* Those of no flow are control's. */
	while ((m = inbox_take(&l.control))) {
		lost -= m->kind == MSG_TUN;
		free(m);
	}
	ck_assert_uint_eq(lost, 0);
	ck_assert_uint_eq(loop_drops(&l), 0);
}
END_TEST

/* ---- SAs at rest ----------------------------------------------------------- */

static struct msg *punted(enum msg_kind kind)
{
	struct msg *m;

	while ((m = inbox_take(&l.control)) && m->kind != kind)
		free(m);
	ck_assert_ptr_nonnull(m);
	return m;
}

START_TEST(what_is_for_an_sa_at_rest_goes_on_when_it_is_awake)
{
	unsigned came[PORTS];
	struct msg *out;
	struct msg *in;

	tables_rest_sa(l.sa);
	tables_rest_sa(l.sa); /* a second time does nothing */
	send_one(1, 0);
	loop_out(&l, 0);
	out = punted(MSG_TUN);
	ck_assert_uint_eq(l.sa->out_packets, 0);
	ck_assert_int_eq(tables_wake_sa(l.sa), HG_OK);
	outbound_packet(&l.w[0], out->data, out->len, &out->off, true);
	batch_flush(&l.w[0]);
	free(out);
	ck_assert_uint_eq(l.sa->out_packets, 1);
	tables_rest_sa(l.sa);
	loop_in(&l, 0);
	in = punted(MSG_ESP);
	receive_all(came);
	ck_assert_uint_eq(came[1], 0);
	ck_assert_int_eq(tables_wake_sa(l.sa), HG_OK);
	inbound_esp(&l.w[0], in);
	receive_all(came);
	ck_assert_uint_eq(came[1], 1);
	/* What it knew it still knows: the packet is not taken twice. */
	tables_rest_sa(l.sa);
	ck_assert_int_eq(tables_wake_sa(l.sa), HG_OK);
	inbound_esp(&l.w[0], in);
	free(in);
	ck_assert_uint_eq(loop_drops(&l), 1);
	receive_all(came);
	ck_assert_uint_eq(came[1], 0);
	ck_assert_uint_eq(l.sa->in_packets, 1);
}
END_TEST

/* Control decided, and the SA went to rest again: no second time. */
START_TEST(a_decided_packet_for_an_sa_at_rest_is_dropped)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	static const struct ip_offload off = { .csum_partial = true };
	size_t n = loop_packet(buf, IP_PROTO_UDP, LOOP_PORT, 0, 40);

	tables_rest_sa(l.sa);
	outbound_packet(&l.w[0], buf + TUN_VNET_HDR, n - TUN_VNET_HDR, &off,
			true);
	ck_assert_uint_eq(reason_get(&l.w[0].drops, REASON_NO_SA), 1);
	outbound_answer(&l.w[0], l.sa, 7);
	ck_assert_uint_eq(reason_get(&l.w[0].drops, REASON_NO_SA), 2);
	ck_assert_ptr_null(inbox_take(&l.control));
	ck_assert_uint_eq(l.sa->next_seq, 1);
}
END_TEST

Suite *test_seek_suite(void);
Suite *test_seek_suite(void)
{
	Suite *s = suite_create("seek");
	TCase *tc = tcase_create("seek");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, steps_find_what_is_there_at_the_end);
	tcase_add_test(tc, steps_find_sas_by_spi_and_by_hits);
	tcase_add_test(tc, each_packet_of_a_row_finds_its_own);
	tcase_add_test(tc, what_is_for_an_sa_at_rest_goes_on_when_it_is_awake);
	tcase_add_test(tc, a_decided_packet_for_an_sa_at_rest_is_dropped);
	suite_add_tcase(s, tc);
	return s;
}
