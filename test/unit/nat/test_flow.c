/* SPDX-License-Identifier: MIT */
/* Life of flows: the TCP table, the timers. */
#include "nat/flow.h"

#include "test/unit/nat/nat_bed.h"

#define S UINT64_C(1000000000)

/* Steps through "c:S p:SA ..." and gives the last state's name. */
static const char *walk(const char *steps)
{
	struct bed b = bed_of(false);
	static struct nat_flow f;
	bool client = true;
	uint8_t flags = 0;

	f = bed_flow(&b, IP_PROTO_TCP, 1, 2, 3);
	for (const char *p = steps;; p++) {
		uint8_t tcp[TCP_HDR] = { [13] = flags };

		switch (*p) {
		case 'c':
		case 'p':
			client = *p == 'c';
			flags = 0;
			break;
		case 'S':
			flags |= TCP_SYN;
			break;
		case 'A':
			flags |= TCP_ACK;
			break;
		case 'F':
			flags |= TCP_FIN;
			break;
		case 'R':
			flags |= TCP_RST;
			break;
		case ' ':
			flow_touch(&f, client, tcp, 5);
			break;
		case '\0':
			flow_touch(&f, client, tcp, 5);
			return nat_state_name(&f);
		default:
			break;
		}
	}
}

START_TEST(tcp_states_follow_the_segments)
{
	static const char *const cases[][2] = {
		{ "c:S", "syn" },
		{ "c:S c:S", "syn" },
		{ "c:S p:SA", "syn" },
		{ "c:S p:SA c:A", "open" },
		{ "c:S p:S c:SA", "open" },
		{ "c:S p:A p:A p:A", "syn" },
		{ "c:S p:RA", "closed" },
		{ "c:S p:SA c:A c:S", "open" },
		{ "c:S p:SA c:A c:FA", "fin-client" },
		{ "c:S p:SA c:A c:FA p:A c:FA", "fin-client" },
		{ "c:S p:SA c:A c:FA p:FA", "closed" },
		{ "c:S p:SA c:A p:FA", "fin-peer" },
		{ "c:S p:SA c:A p:FA p:FA c:A", "fin-peer" },
		{ "c:S p:SA c:A p:FA c:FA", "closed" },
		{ "c:S p:SA c:A p:FA c:FA p:A c:A", "closed" },
		{ "c:S p:SA c:A c:R", "rst-client" },
		{ "c:S p:SA c:A p:RA", "rst-peer" },
		{ "c:S p:SA c:A c:FA p:R", "closed" },
		{ "c:S p:SA c:A c:R p:SA", "rst-client" },
		/* What was on its way does not bring it back to life ... */
		{ "c:S p:SA c:A c:R p:A p:A p:FA", "rst-client" },
		{ "c:S p:SA c:A p:RA c:A c:A c:FA", "rst-peer" },
		/* ... whoever had not sent that RST does. */
		{ "c:S p:SA c:A c:R p:A c:A", "open" },
		{ "c:S p:SA c:A p:RA c:A p:A", "open" },
		{ "c:S p:SA c:A c:R c:FA", "fin-client" },
		{ "c:S p:SA c:A p:R p:FA", "fin-peer" },
		{ "c:S p:SA c:A c:R p:R", "closed" },
		{ "c:S p:SA c:A p:R c:R", "closed" },
		/* A peer alone never gets the long timer. */
		{ "c:S p:RA p:A", "closed" },
		{ "c:S p:SA c:A p:R c:S p:SA", "syn" },
		{ "c:S p:SA c:A c:R c:S", "syn" },
		{ "c:S p:SA c:A c:R c:S p:SA c:A", "open" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(strcmp(walk(cases[i][0]), cases[i][1]) == 0,
			      "%s: %s", cases[i][0], walk(cases[i][0]));
}
END_TEST

START_TEST(no_step_leads_out_of_the_table_or_back_to_none)
{
	for (uint32_t st = 1; st < NAT_TCP_NUM; st++)
		for (unsigned fl = 0; fl < 256; fl++)
			for (int c = 0; c < 2; c++) {
				uint32_t n = flow_tcp_next(st, c, (uint8_t)fl);

				ck_assert_uint_gt(n, NAT_TCP_NONE);
				ck_assert_uint_lt(n, NAT_TCP_NUM);
			}
}
END_TEST

static void expect_life(unsigned proto, uint32_t state, uint64_t seconds)
{
	struct bed b = bed_of(false);
	struct nat_flow f = bed_flow(&b, proto, 1, 2, 3);

	f.tcp = state;
	f.last = 1000 * S;
	ck_assert(!nat_expired(&f, 1000 * S));
	ck_assert(!nat_expired(&f, (1000 + seconds) * S));
	ck_assert(nat_expired(&f, (1000 + seconds) * S + 1));
	/* A worker's clock may be ahead of the sweep's. */
	ck_assert(!nat_expired(&f, 0));
}

START_TEST(what_is_gone_stays_gone)
{
	for (unsigned fl = 0; fl < 256; fl++)
		for (int c = 0; c < 2; c++)
			ck_assert_uint_eq(
				flow_tcp_next(NAT_TCP_GONE, c, (uint8_t)fl),
				NAT_TCP_GONE);
}
END_TEST

START_TEST(idle_flows_live_as_long_as_the_rfcs_say)
{
	expect_life(IP_PROTO_TCP, NAT_TCP_OPEN, 2 * 3600 + 4 * 60);
	expect_life(IP_PROTO_TCP, NAT_TCP_SYN, 240);
	expect_life(IP_PROTO_TCP, NAT_TCP_FIN_CLIENT, 240);
	expect_life(IP_PROTO_TCP, NAT_TCP_FIN_PEER, 240);
	expect_life(IP_PROTO_TCP, NAT_TCP_CLOSED, 240);
	expect_life(IP_PROTO_TCP, NAT_TCP_RST_CLIENT, 240);
	expect_life(IP_PROTO_TCP, NAT_TCP_RST_PEER, 240);
	expect_life(IP_PROTO_UDP, NAT_TCP_NONE, 300);
	expect_life(IP_PROTO_ICMP6, NAT_TCP_NONE, 60);
}
END_TEST

START_TEST(only_a_connection_that_has_ended_is_over)
{
	for (uint32_t st = 0; st < NAT_TCP_NUM; st++)
		ck_assert_int_eq(flow_is_over(st),
				 st == NAT_TCP_CLOSED ||
					 st == NAT_TCP_RST_CLIENT ||
					 st == NAT_TCP_RST_PEER);
}
END_TEST

START_TEST(a_touch_counts_by_direction_and_renews)
{
	struct bed b = bed_of(false);
	struct nat_flow f = bed_flow(&b, IP_PROTO_UDP, 1, 2, 3);
	uint8_t udp[UDP_HDR] = { 0 };

	flow_touch(&f, true, udp, 5);
	flow_touch(&f, true, udp, 6);
	flow_touch(&f, false, udp, 7);
	ck_assert_uint_eq(f.out_packets, 2);
	ck_assert_uint_eq(f.in_packets, 1);
	ck_assert_uint_eq(f.last, 7);
	ck_assert_str_eq(nat_state_name(&f), "none");
}
END_TEST

Suite *test_flow_suite(void)
{
	Suite *s = suite_create("flow");
	TCase *t = tcase_create("all");

	tcase_add_test(t, tcp_states_follow_the_segments);
	tcase_add_test(t, no_step_leads_out_of_the_table_or_back_to_none);
	tcase_add_test(t, what_is_gone_stays_gone);
	tcase_add_test(t, idle_flows_live_as_long_as_the_rfcs_say);
	tcase_add_test(t, only_a_connection_that_has_ended_is_over);
	tcase_add_test(t, a_touch_counts_by_direction_and_renews);
	suite_add_tcase(s, t);
	return s;
}
