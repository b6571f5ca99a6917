/* SPDX-License-Identifier: MIT */
/* Steered DNS over TCP: to the listener, back, and who it was. */
#include "test/unit/nat/nat_bed.h"

#define S UINT64_C(1000000000)

static const struct ip_offload whole;
static const struct ip_offload partial = { .csum_partial = true };

struct line {
	bool v6;
	struct endpoint client;
	struct endpoint server;
	struct endpoint listener;
	struct addr near;
};

static struct line line_of(bool v6)
{
	struct line l = { .v6 = v6 };

	l.client = (struct endpoint){
		bed_addr(v6 ? "2001:db8:1::10" : "192.0.2.10"), 33333
	};
	l.server = (struct endpoint){
		bed_addr(v6 ? "2001:db8:5::53" : "203.0.113.53"), 53
	};
	l.listener = (struct endpoint){ bed_addr(v6 ? "fd00:8::2" : "10.9.9.2"),
					5300 };
	l.near = bed_addr(v6 ? "fd00:8::1" : "10.9.9.1");
	return l;
}

static struct nat_redirects *make(void)
{
	struct addr near4 = line_of(false).near;
	struct addr near6 = line_of(true).near;
	struct nat_redirects *r;

	ck_assert_int_eq(nat_redirects_new(&near4, &near6, &r), 0);
	return r;
}

/* A 40-octet TCP segment between two ends, right checksum or partial. */
static size_t segment(uint8_t *pkt, const struct endpoint *from,
		      const struct endpoint *to, uint8_t flags, bool part)
{
	uint8_t l4[40];
	uint16_t sum;

	bed_l4(l4, 40, 6, from->port, to->port);
	l4[13] = flags;
	if (part) /* the pseudo-header alone: 46 is protocol and length */
		put_be16(l4 + 16,
			 bed_addr_sum(&from->addr, &to->addr, 46, l4, 0));
	sum = bed_addr_sum(&from->addr, &to->addr, 6, l4, 40);
	if (!part)
		bed_seal(l4, 6, sum);
	return bed_pkt(pkt, &from->addr, &to->addr, 6, l4, 40);
}

/* Is pkt a right segment from `from` to `to`? *from_port is told. */
static void expect(uint8_t *pkt, size_t len, const struct addr *from,
		   const struct endpoint *to, bool part)
{
	struct ip_view v;

	ck_assert_int_eq(ip_parse(pkt, len, &v), REASON_NUM);
	ck_assert(addr_eq(&v.from, from));
	ck_assert(addr_eq(&v.to, &to->addr));
	ck_assert_uint_eq(get_be16(v.l4 + 2), to->port);
	if (part)
		bed_seal(v.l4, 6, bed_sum(NULL, NULL, 0, 0, v.l4, v.l4_len));
	ck_assert_uint_eq(bed_addr_sum(&v.from, &v.to, 6, v.l4, v.l4_len),
			  0xffff);
}

static enum reason in(struct nat_redirects *r, const struct line *l,
		      uint8_t flags, uint64_t now, struct endpoint *near)
{
	uint8_t pkt[100];
	size_t n = segment(pkt, &l->client, &l->server, flags, false);
	enum reason why = nat_redirect_in(r, pkt, n, &whole, &l->listener, now);

	near->addr = l->near;
	near->port = get_be16(pkt + n - 40);
	return why;
}

static enum reason out(struct nat_redirects *r, const struct line *l,
		       const struct endpoint *near, uint8_t flags, uint64_t now)
{
	uint8_t pkt[100];
	size_t n = segment(pkt, &l->listener, near, flags, false);

	return nat_redirect_out(r, pkt, n, &whole, now);
}

START_TEST(a_connection_goes_to_the_listener_and_back)
{
	struct line l = line_of(_i & 1);
	bool part = _i & 2;
	const struct ip_offload *off = part ? &partial : &whole;
	struct nat_redirects *r = make();
	const struct nat_redirect *who;
	struct endpoint near = { .addr = l.near };
	uint8_t pkt[100];
	size_t n = segment(pkt, &l.client, &l.server, TCP_SYN, part);

	ck_assert_int_eq(nat_redirect_in(r, pkt, n, off, &l.listener, 1),
			 REASON_NUM);
	near.port = get_be16(pkt + n - 40);
	expect(pkt, n, &l.near, &l.listener, part);
	who = nat_redirect_find(r, &near);
	ck_assert_ptr_nonnull(who);
	ck_assert(addr_eq(&who->client, &l.client.addr));
	ck_assert(addr_eq(&who->server, &l.server.addr));
	ck_assert_uint_eq(who->client_port, l.client.port);
	ck_assert_uint_eq(who->server_port, 53);
	n = segment(pkt, &l.listener, &near, TCP_SYN | TCP_ACK, part);
	ck_assert_int_eq(nat_redirect_out(r, pkt, n, off, 2), REASON_NUM);
	ck_assert_uint_eq(get_be16(pkt + n - 40), 53);
	expect(pkt, n, &l.server.addr, &l.client, part);
	n = segment(pkt, &l.client, &l.server, TCP_ACK, part);
	ck_assert_int_eq(nat_redirect_in(r, pkt, n, off, &l.listener, 3),
			 REASON_NUM);
	ck_assert_uint_eq(get_be16(pkt + n - 40), near.port);
	nat_redirects_free(r);
}
END_TEST

START_TEST(only_a_syn_opens)
{
	static const uint8_t not_syn[] = {
		0,	 TCP_ACK, TCP_SYN | TCP_ACK,
		TCP_FIN, TCP_RST, TCP_SYN | TCP_RST
	};
	struct line l = line_of(false);
	struct nat_redirects *r = make();
	struct endpoint near;

	for (size_t i = 0; i < sizeof(not_syn); i++)
		ck_assert_int_eq(in(r, &l, not_syn[i], 1, &near),
				 REASON_FLOW_STATE);
	ck_assert_int_eq(in(r, &l, TCP_SYN, 1, &near), REASON_NUM);
	ck_assert_int_eq(in(r, &l, TCP_ACK, 1, &near), REASON_NUM);
	nat_redirects_free(r);
}
END_TEST

START_TEST(what_is_not_a_steered_connection_is_refused_unchanged)
{
	struct line l = line_of(false);
	struct line six = line_of(true);
	struct nat_redirects *r = make();
	struct endpoint near;
	struct endpoint wrong;
	uint8_t pkt[100];
	uint8_t was[100];
	size_t n;

	ck_assert_int_eq(in(r, &l, TCP_SYN, 1, &near), REASON_NUM);
	wrong = near;
	wrong.port++;
	ck_assert_int_eq(out(r, &l, &wrong, TCP_ACK, 1), REASON_NO_FLOW);
	ck_assert_ptr_null(nat_redirect_find(r, &wrong));
	wrong = near;
	wrong.addr = six.near;
	ck_assert_ptr_null(nat_redirect_find(r, &wrong));
	wrong.port = 0;
	ck_assert_ptr_null(nat_redirect_find(r, &wrong));
	/* Somebody else than the listener. */
	wrong = l.listener;
	l.listener.port++;
	ck_assert_int_eq(out(r, &l, &near, TCP_ACK, 1), REASON_NO_FLOW);
	l.listener = l.client;
	n = segment(pkt, &l.client, &near, TCP_ACK, false);
	memcpy(was, pkt, n);
	ck_assert_int_eq(nat_redirect_out(r, pkt, n, &whole, 1),
			 REASON_NO_FLOW);
	ck_assert_mem_eq(pkt, was, n);
	l.listener = wrong;
	l.server.port = 54;
	ck_assert_int_eq(in(r, &l, TCP_SYN, 1, &near), REASON_IP_PROTO);
	l.server.port = 53;
	l.listener = six.listener;
	ck_assert_int_eq(in(r, &l, TCP_SYN, 1, &near), REASON_IP_BAD_ADDR);
	nat_redirects_free(r);
	ck_assert_int_eq(nat_redirects_new(NULL, &six.near, &r), 0);
	l = line_of(false);
	ck_assert_int_eq(in(r, &l, TCP_SYN, 1, &near), REASON_IP_BAD_ADDR);
	ck_assert_int_eq(in(r, &six, TCP_SYN, 1, &near), REASON_NUM);
	nat_redirects_free(r);
}
END_TEST

START_TEST(connections_end_by_their_timers)
{
	struct line l = line_of(false);
	struct nat_redirects *r = make();
	struct endpoint near;

	ck_assert_int_eq(in(r, &l, TCP_SYN, S, &near), REASON_NUM);
	ck_assert_int_eq(out(r, &l, &near, TCP_SYN | TCP_ACK, S), REASON_NUM);
	ck_assert_int_eq(out(r, &l, &near, TCP_ACK, 242 * S), REASON_NO_FLOW);
	ck_assert_int_eq(in(r, &l, TCP_ACK, 242 * S, &near), REASON_FLOW_STATE);
	ck_assert_int_eq(in(r, &l, TCP_SYN, 300 * S, &near), REASON_NUM);
	ck_assert_int_eq(in(r, &l, TCP_ACK, 300 * S, &near), REASON_NUM);
	ck_assert_int_eq(out(r, &l, &near, TCP_ACK, 7000 * S), REASON_NUM);
	nat_redirects_free(r);
}
END_TEST

START_TEST(the_table_and_each_client_are_bounded)
{
	struct line l = line_of(false);
	struct nat_redirects *r = make();
	static uint8_t seen[65536];
	struct endpoint near;

	for (unsigned i = 0; i < NAT_REDIRECTS_MAX; i++) {
		l.client.addr.b[14] = 3;
		l.client.addr.b[15] = (uint8_t)(1 + i / 256);
		l.client.port = (uint16_t)(1 + i % 256);
		ck_assert_int_eq(in(r, &l, TCP_SYN, S, &near), REASON_NUM);
		ck_assert_uint_eq(seen[near.port]++, 0);
	}
	l.client.port = 5000;
	ck_assert_int_eq(in(r, &l, TCP_SYN, S, &near), REASON_FLOW_QUOTA);
	l.client.addr.b[15] = 200;
	ck_assert_int_eq(in(r, &l, TCP_SYN, S, &near), REASON_NO_PORT);
	/* A closed one gives way, a live one never. */
	l.client.addr.b[15] = 1;
	l.client.port = 7;
	ck_assert_int_eq(in(r, &l, TCP_RST, S, &near), REASON_NUM);
	l.client.addr.b[15] = 200;
	ck_assert_int_eq(in(r, &l, TCP_SYN, S, &near), REASON_NUM);
	l.client.port++;
	ck_assert_int_eq(in(r, &l, TCP_SYN, S, &near), REASON_NO_PORT);
	/* All are over after four minutes. */
	ck_assert_int_eq(in(r, &l, TCP_SYN, 242 * S, &near), REASON_NUM);
	nat_redirects_free(r);
}
END_TEST

Suite *test_redirect_suite(void)
{
	Suite *s = suite_create("redirect");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_connection_goes_to_the_listener_and_back, 0,
			    4);
	tcase_add_test(t, only_a_syn_opens);
	tcase_add_test(t,
		       what_is_not_a_steered_connection_is_refused_unchanged);
	tcase_add_test(t, connections_end_by_their_timers);
	tcase_add_test(t, the_table_and_each_client_are_bounded);
	suite_add_tcase(s, t);
	return s;
}
