/* SPDX-License-Identifier: MIT */
/* DNS answers that a worker gives itself: to whom, and in how few writes. */
#include "test/unit/gate/loop_bed.h"

enum { MANY = 40 }; /* more than a row */

static struct loop l;
static struct addr server = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 53 } };

/* "a.b" or "a.bcd", AAAA, IN; the answer has four octets more. */
static uint8_t shorter[] = { 0, 0, 1,	0, 0,	1, 0, 0,  0, 0, 0,
			     0, 1, 'a', 1, 'b', 0, 0, 28, 0, 1 };
static uint8_t longer[] = { 0, 0,   1, 0,   0,	 1,   0, 0, 0,	0, 0, 0,
			    1, 'a', 3, 'b', 'c', 'd', 0, 0, 28, 0, 1 };

static void know(const uint8_t *msg, size_t len)
{
	struct recall_question q = { { server, 53 }, msg, len };
	uint8_t answer[64] = { 0 };

	memcpy(answer, msg, len);
	answer[2] = 0x81;
	memset(answer + len, 9, 4);
	for (unsigned i = 0; i < RECALL_HOT; i++)
		recall_note(l.plane.recall, &q, answer, len + 4);
}

static void begin(void)
{
	loop_begin(&l, 0);
	ck_assert_int_eq(recall_new(&l.plane.recall), HG_OK);
	know(shorter, sizeof(shorter));
	know(longer, sizeof(longer));
}

static void end(void)
{
	recall_free(l.plane.recall);
	loop_end(&l);
}

static void ask(uint8_t *msg, size_t len, uint16_t port, uint16_t id)
{
	struct endpoint from = { loop_client, port };
	struct endpoint to = { server, 53 };
	uint8_t pkt[TUN_VNET_HDR + 256] = { 0 };
	size_t n;

	put_be16(msg, id);
	n = TUN_VNET_HDR +
	    ip_build_udp(pkt + TUN_VNET_HDR, 256, &from, &to, msg, len);
	ck_assert_int_eq(write(l.tun[0], pkt, n), (ssize_t)n);
}

/* What came: answers by id, each once, to the port that asked; *writes. */
struct got {
	unsigned writes, answers;
	uint16_t port[MANY + 1];
};

static void take(struct got *g, const uint8_t *udp, const uint8_t *msg,
		 size_t len)
{
	uint16_t id = get_be16(msg);

	ck_assert_uint_eq(get_be16(udp), 53);
	ck_assert_uint_le(id, MANY);
	ck_assert_uint_eq(g->port[id], 0);
	ck_assert_uint_eq(msg[2], 0x81);
	ck_assert_uint_eq(msg[len - 1], 9);
	g->port[id] = get_be16(udp + 2);
	g->answers++;
}

static void receive(struct got *g)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	ssize_t n;

	memset(g, 0, sizeof(*g));
	while ((n = read(l.tun[0], buf, sizeof(buf))) > 0) {
		const uint8_t *udp = buf + TUN_VNET_HDR + IP6_HDR;
		size_t left = (size_t)n - TUN_VNET_HDR - IP6_HDR - UDP_HDR;
		uint16_t step = (uint16_t)left;

		ck_assert_mem_eq(buf + TUN_VNET_HDR + 8, server.b, 16);
		ck_assert_mem_eq(buf + TUN_VNET_HDR + 24, loop_client.b, 16);
		if (buf[1]) /* a super-packet */
			memcpy(&step, buf + 4, 2);
		for (const uint8_t *at = udp + UDP_HDR; left; at += step) {
			step = step < left ? step : (uint16_t)left;
			take(g, udp, at, step);
			left -= step;
		}
		g->writes++;
	}
}

START_TEST(answers_to_one_socket_are_one_write)
{
	struct got got;

	begin();
	for (uint16_t id = 1; id <= 3; id++)
		ask(longer, sizeof(longer), 4000, id);
	ask(longer, sizeof(longer), 4001, 4);
	ask(shorter, sizeof(shorter), 4000, 5); /* may end a row of others */
	outbound_readable(&l.w[0]);
	receive(&got);
	ck_assert_uint_eq(got.answers, 5);
	ck_assert_uint_eq(got.writes, 2);
	for (uint16_t id = 1; id <= 5; id++)
		ck_assert_uint_eq(got.port[id], id == 4 ? 4001 : 4000);
	ck_assert_uint_eq(l.w[0].recalled, 5);
	ck_assert_uint_eq(l.control.num, 0);
	end();
}
END_TEST

START_TEST(what_is_not_known_goes_to_control_and_holds_up_nobody)
{
	struct got got;

	begin();
	ask(longer, sizeof(longer), 4000, 1);
	longer[13] ^= 0x20; /* another case */
	ask(longer, sizeof(longer), 4000, 2);
	longer[13] ^= 0x20;
	ask(longer, sizeof(longer), 4000, 3);
	outbound_readable(&l.w[0]);
	receive(&got);
	ck_assert_uint_eq(got.answers, 2);
	ck_assert_uint_eq(got.writes, 1);
	ck_assert_uint_eq(got.port[2], 0);
	ck_assert_uint_eq(l.control.num, 1);
	end();
}
END_TEST

/* More than a row, and answers that cannot be joined. */
START_TEST(each_is_answered_without_super_packets_too)
{
	struct got got;

	begin();
	offload_init(&l.w[0].join[TUN_JOIN_UDP], false);
	inbound_flush(&l.w[0]);
	for (uint16_t id = 1; id <= MANY; id++)
		ask(longer, sizeof(longer), 4000, id);
	outbound_readable(&l.w[0]);
	receive(&got);
	ck_assert_uint_eq(got.answers, MANY);
	ck_assert_uint_eq(got.writes, MANY);
	ck_assert_uint_eq(l.w[0].tun_writes, MANY);
	end();
}
END_TEST

Suite *test_outbound_suite(void);
Suite *test_outbound_suite(void)
{
	Suite *s = suite_create("outbound");
	TCase *tc = tcase_create("outbound");

	tcase_add_test(tc, answers_to_one_socket_are_one_write);
	tcase_add_test(tc,
		       what_is_not_known_goes_to_control_and_holds_up_nobody);
	tcase_add_test(tc, each_is_answered_without_super_packets_too);
	suite_add_tcase(s, tc);
	return s;
}
