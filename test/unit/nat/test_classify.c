/* SPDX-License-Identifier: MIT */
/* What a packet is: each class, each refusal. */
#include "test/unit/nat/nat_bed.h"

struct probe {
	const char *from;
	const char *to;
	unsigned proto;
	uint16_t sport;
	uint16_t dport;
};

static enum nat_class run(const struct probe *q, const struct nat_ranges *r,
			  struct nat_packet *out)
{
	struct addr from = bed_addr(q->from);
	struct addr to = bed_addr(q->to);
	uint8_t l4[40];
	uint8_t pkt[100];
	size_t n;

	bed_l4(l4, 40, q->proto, q->sport, q->dport);
	n = bed_pkt(pkt, &from, &to, q->proto, l4, 40);
	return nat_classify(pkt, n, r, out);
}

static void expect(struct probe q, enum nat_class want, enum reason why)
{
	struct nat_ranges r = bed_ranges();
	struct prefix clients[2] = { bed_prefix("192.0.2.0/24"),
				     bed_prefix("2001:db8:1::/48") };
	struct nat_packet p;

	r.clients = clients;
	r.clients_num = 2;
	r.near4 = bed_prefix("10.9.9.1");
	r.near6 = bed_prefix("fd00:8::1");
	ck_assert_msg(run(&q, &r, &p) == want, "%s > %s proto %u %u > %u",
		      q.from, q.to, q.proto, q.sport, q.dport);
	ck_assert_msg(p.reason == why, "%s > %s: %s", q.from, q.to,
		      reason_name(p.reason));
}

START_TEST(data_to_a_substitute_gives_the_key_of_its_flow)
{
	for (int i = 0; i < 6; i++) {
		struct bed b = bed_of(i / 3);
		unsigned proto = bed_protos[i % 3];
		struct nat_flow f = bed_flow(&b, proto, 1234, 9, 80);
		struct nat_ranges r = bed_ranges();
		struct nat_packet p;
		uint8_t pkt[200];
		uint8_t was[200];
		size_t n = bed_client_pkt(&b, pkt, proto, 1234, 80, 50);

		memcpy(was, pkt, n);
		ck_assert_int_eq(nat_classify(pkt, n, &r, &p), NAT_DATA);
		ck_assert_mem_eq(&p.key, &f.key, sizeof(f.key));
		ck_assert_int_eq(p.reason, REASON_NUM);
		ck_assert_mem_eq(pkt, was, n);
	}
}
END_TEST

START_TEST(only_clients_are_served)
{
	expect((struct probe){ "192.0.2.1", "198.18.0.1", 6, 1, 80 }, NAT_DATA,
	       REASON_NUM);
	expect((struct probe){ "192.0.3.1", "198.18.0.1", 6, 1, 80 }, NAT_DROP,
	       REASON_NOT_A_CLIENT);
	expect((struct probe){ "2001:db8:1::1", "fd00:9::1", 17, 1, 80 },
	       NAT_DATA, REASON_NUM);
	expect((struct probe){ "2001:db8:2::1", "fd00:9::1", 17, 1, 80 },
	       NAT_DROP, REASON_NOT_A_CLIENT);
	expect((struct probe){ "192.0.3.1", "203.0.113.1", 17, 1, 53 },
	       NAT_DROP, REASON_NOT_A_CLIENT);
}
END_TEST

START_TEST(a_source_in_the_pool_is_forged)
{
	expect((struct probe){ "198.18.0.2", "198.18.0.1", 6, 1, 80 }, NAT_DROP,
	       REASON_IP_BAD_ADDR);
	expect((struct probe){ "fd00:9::2", "2001:db8::1", 17, 1, 53 },
	       NAT_DROP, REASON_IP_BAD_ADDR);
}
END_TEST

START_TEST(protocols_without_ports_are_refused)
{
	expect((struct probe){ "192.0.2.1", "198.18.0.1", 132, 1, 80 },
	       NAT_DROP, REASON_IP_PROTO);
	expect((struct probe){ "192.0.2.1", "198.18.0.1", 47, 1, 80 }, NAT_DROP,
	       REASON_IP_PROTO);
	/* Echo replies, timestamps, the other family's ICMP. */
	expect((struct probe){ "192.0.2.1", "198.18.0.1", 1, 1, 0 }, NAT_DROP,
	       REASON_IP_PROTO);
	expect((struct probe){ "192.0.2.1", "198.18.0.1", 1, 1, 13 }, NAT_DROP,
	       REASON_IP_PROTO);
	expect((struct probe){ "192.0.2.1", "198.18.0.1", 58, 1, 128 },
	       NAT_DROP, REASON_IP_PROTO);
	expect((struct probe){ "2001:db8:1::1", "fd00:9::1", 1, 1, 8 },
	       NAT_DROP, REASON_IP_PROTO);
	expect((struct probe){ "2001:db8:1::1", "fd00:9::1", 58, 1, 135 },
	       NAT_DROP, REASON_IP_PROTO);
}
END_TEST

START_TEST(dns_outside_the_pools_is_dns_inside_it_is_data)
{
	expect((struct probe){ "192.0.2.1", "203.0.113.5", 17, 1, 53 }, NAT_DNS,
	       REASON_NUM);
	expect((struct probe){ "2001:db8:1::1", "2001:db8::5", 6, 1, 53 },
	       NAT_DNS, REASON_NUM);
	expect((struct probe){ "192.0.2.1", "198.18.0.1", 17, 1, 53 }, NAT_DATA,
	       REASON_NUM);
	expect((struct probe){ "192.0.2.1", "203.0.113.5", 17, 53, 54 },
	       NAT_DROP, REASON_IP_BAD_ADDR);
	expect((struct probe){ "192.0.2.1", "224.0.0.1", 17, 1, 53 }, NAT_DROP,
	       REASON_IP_BAD_ADDR);
}
END_TEST

START_TEST(tcp_to_near_is_dns_from_anywhere)
{
	expect((struct probe){ "10.9.9.2", "10.9.9.1", 6, 53, 50000 }, NAT_DNS,
	       REASON_NUM);
	expect((struct probe){ "fd00:9::2", "fd00:8::1", 6, 53, 50000 },
	       NAT_DNS, REASON_NUM);
	expect((struct probe){ "10.9.9.2", "10.9.9.1", 17, 53, 50000 },
	       NAT_DROP, REASON_NOT_A_CLIENT);
}
END_TEST

START_TEST(our_own_outer_packets_are_a_loop)
{
	expect((struct probe){ "203.0.113.1", "203.0.113.5", 17, 10500, 7 },
	       NAT_DROP, REASON_LOOP);
	expect((struct probe){ "203.0.113.1", "203.0.113.5", 17, 7, 10500 },
	       NAT_DROP, REASON_LOOP);
	expect((struct probe){ "192.0.2.1", "203.0.113.5", 6, 7, 10500 },
	       NAT_DROP, REASON_IP_BAD_ADDR);
	expect((struct probe){ "192.0.2.1", "198.18.0.1", 17, 7, 10500 },
	       NAT_DATA, REASON_NUM);
}
END_TEST

START_TEST(hits_speak_to_hits_only)
{
	expect((struct probe){ "2001:21::1", "2001:21::2", 132, 7, 7 }, NAT_HIT,
	       REASON_NUM);
	expect((struct probe){ "2001:21::1", "fd00:9::1", 6, 7, 7 }, NAT_DROP,
	       REASON_IP_BAD_ADDR);
	expect((struct probe){ "2001:db8:1::1", "2001:21::1", 17, 7, 53 },
	       NAT_DROP, REASON_IP_BAD_ADDR);
}
END_TEST

/* The first fragment of a packet as in expect(). */
static void expect_fragment(const char *from, const char *to,
			    enum nat_class want, enum reason why)
{
	struct nat_ranges r = bed_ranges();
	struct prefix clients[2] = { bed_prefix("192.0.2.0/24"),
				     bed_prefix("2001:db8:1::/48") };
	struct addr a = bed_addr(from);
	struct addr b = bed_addr(to);
	struct nat_packet p;
	uint8_t pkt[100] = { 0 };
	uint8_t was[100];
	bool v4 = addr_is4(&a);
	size_t n;

	r.clients = clients;
	r.clients_num = 2;
	r.near4 = bed_prefix("10.9.9.1");
	n = ip_put_header(pkt, &a, &b, v4 ? IP_PROTO_UDP : IP_PROTO_FRAGMENT,
			  40, 64, 0);
	if (v4) {
		put_be16(pkt + 6, 0x2000);
		put_be16(pkt + 10, 0);
		put_be16(pkt + 10,
			 (uint16_t)~bed_sum(NULL, NULL, 0, 0, pkt, n));
	} else {
		ip_put_fragment(pkt + n, IP_PROTO_UDP, 0, true, 7);
	}
	memcpy(was, pkt, sizeof(was));
	ck_assert_msg(nat_classify(pkt, n + 40, &r, &p) == want, "%s > %s",
		      from, to);
	ck_assert_msg(p.reason == why, "%s > %s: %s", from, to,
		      reason_name(p.reason));
	ck_assert_mem_eq(pkt, was, sizeof(was));
	if (want != NAT_HIT)
		return;
	/* RFC 7402 B.1.2: ESP carries the fragment header as it is. */
	ck_assert_uint_eq(p.ip.proto, IP_PROTO_FRAGMENT);
	ck_assert_ptr_eq(p.ip.l4, pkt + IP6_HDR);
	ck_assert_uint_eq(p.ip.l4_len, 40);
}

START_TEST(only_a_clients_fragments_are_kept)
{
	expect_fragment("192.0.2.1", "198.18.0.1", NAT_FRAGMENT, REASON_NUM);
	expect_fragment("2001:db8:1::1", "fd00:9::1", NAT_FRAGMENT, REASON_NUM);
	expect_fragment("192.0.3.1", "198.18.0.1", NAT_DROP,
			REASON_NOT_A_CLIENT);
	expect_fragment("2001:db8:2::1", "fd00:9::1", NAT_DROP,
			REASON_NOT_A_CLIENT);
	expect_fragment("198.18.0.2", "198.18.0.1", NAT_DROP,
			REASON_IP_BAD_ADDR);
	expect_fragment("192.0.2.1", "203.0.113.1", NAT_DROP,
			REASON_IP_FRAGMENT);
	expect_fragment("192.0.2.1", "10.9.9.1", NAT_DROP, REASON_IP_FRAGMENT);
	expect_fragment("2001:21::1", "2001:21::2", NAT_HIT, REASON_NUM);
	expect_fragment("2001:21::1", "fd00:9::1", NAT_DROP,
			REASON_IP_BAD_ADDR);
	expect_fragment("2001:db8:1::1", "2001:21::1", NAT_DROP,
			REASON_IP_BAD_ADDR);
}
END_TEST

/* What an IPv6 stack, or a BEET stack with IPv4 options, puts before the
 * upper layer. */
static enum reason unwrap(uint8_t proto, const uint8_t *data, size_t len,
			  uint8_t *proto_after, size_t *skipped)
{
	uint8_t *copy = malloc(len ? len : 1);
	uint8_t *at = copy;
	size_t left = len;
	enum reason r;

	memcpy(copy, data, len);
	r = nat_unwrap(&proto, &at, &left);
	*proto_after = proto;
	*skipped = (size_t)(at - copy);
	ck_assert_uint_eq(*skipped + left, len);
	free(copy);
	return r;
}

START_TEST(headers_before_the_upper_layer_are_skipped)
{
	static const struct {
		uint8_t proto;
		uint8_t data[24];
		size_t len;
		uint8_t after;
		size_t skipped;
		enum reason why;
	} rows[] = {
		{ 17, { 0 }, 24, 17, 0, REASON_NUM },
		{ 44, { 17, 0, 0, 1 }, 24, 44, 0, REASON_NUM },
		{ 44, { 17, 0, 0, 8 }, 24, 44, 0, REASON_NUM },
		{ 44, { 17 }, 7, 44, 0, REASON_IP_TRUNCATED },
		/* RFC 6946: all there is of its packet. */
		{ 44, { 17 }, 24, 17, 8, REASON_NUM },
		{ 44, { 60, [8] = 17 }, 24, 17, 16, REASON_NUM },
		{ 44, { 44 }, 24, 44, 0, REASON_IP_EXT_HEADER },
		{ 44, { 0 }, 24, 44, 0, REASON_IP_EXT_HEADER },
		{ 60, { 17, 0 }, 24, 17, 8, REASON_NUM },
		{ 60, { 17, 1 }, 24, 17, 16, REASON_NUM },
		{ 60, { 44, [11] = 1 }, 24, 44, 8, REASON_NUM },
		{ 60, { 17, 2 }, 24, 17, 24, REASON_NUM },
		{ 60, { 17, 3 }, 24, 60, 0, REASON_IP_TRUNCATED },
		{ 60, { 17, 0 }, 7, 60, 0, REASON_IP_TRUNCATED },
		{ 0, { 60, 0, 0, 0, 0, 0, 0, 0, 6, 0 }, 24, 6, 16, REASON_NUM },
		{ 60,
		  { 0, 0, 0, 0, 0, 0, 0, 0, 6, 0 },
		  24,
		  60,
		  0,
		  REASON_IP_EXT_HEADER },
		{ 43, { 17, 0, 0, 1 }, 24, 43, 0, REASON_IP_EXT_HEADER },
		{ 43, { 17, 0, 0, 0 }, 24, 17, 8, REASON_NUM },
		/* RFC 7402 B.1.7: options of 4 octets after padding of 0, of
		 * 12 after 0, of 8 after 4. */
		{ 94, { 6, 0, 0, 0, 0x94, 4 }, 24, 6, 8, REASON_NUM },
		{ 94, { 6, 1, 0, 0 }, 24, 6, 16, REASON_NUM },
		{ 94, { 6, 1, 4, 0, 1, 1, 1, 1 }, 24, 6, 16, REASON_NUM },
		{ 94, { 6, 1, 3, 0 }, 24, 94, 0, REASON_IP_EXT_HEADER },
		{ 94, { 6, 3, 0, 0 }, 24, 94, 0, REASON_IP_TRUNCATED },
		{ 94, { 6, 0, 0, 0 }, 7, 94, 0, REASON_IP_TRUNCATED },
		{ 94, { 94, 0, 0, 0 }, 24, 94, 0, REASON_IP_EXT_HEADER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t proto;
		size_t skipped;

		ck_assert_int_eq(unwrap(rows[i].proto, rows[i].data,
					rows[i].len, &proto, &skipped),
				 rows[i].why);
		ck_assert_uint_eq(proto, rows[i].after);
		ck_assert_uint_eq(skipped, rows[i].skipped);
	}
}
END_TEST

START_TEST(no_pools_no_clients_no_near_means_none_and_anyone)
{
	struct nat_ranges r = { .clients_num = 0 };
	struct probe q = { "192.0.2.1", "198.18.0.1", 6, 1, 80 };
	struct nat_packet p;

	ck_assert_int_eq(run(&q, &r, &p), NAT_DROP);
	ck_assert_int_eq(p.reason, REASON_IP_BAD_ADDR);
	q = (struct probe){ "203.0.113.9", "203.0.113.8", 17, 1, 53 };
	ck_assert_int_eq(run(&q, &r, &p), NAT_DNS);
}
END_TEST

START_TEST(a_packet_that_does_not_parse_drops_for_the_parsers_reason)
{
	struct bed b = bed_of(false);
	struct nat_ranges r = bed_ranges();
	struct nat_packet p;
	uint8_t pkt[200];
	size_t n = bed_client_pkt(&b, pkt, 6, 1234, 80, 50);

	for (size_t cut = 0; cut < n; cut++) {
		ck_assert_int_eq(nat_classify(pkt, cut, &r, &p), NAT_DROP);
		ck_assert_int_eq(p.reason, REASON_IP_TRUNCATED);
	}
	pkt[8]--;
	ck_assert_int_eq(nat_classify(pkt, n, &r, &p), NAT_DROP);
	ck_assert_int_eq(p.reason, REASON_IP_CHECKSUM);
}
END_TEST

START_TEST(from_esp_only_answers_have_a_key)
{
	struct bed b = bed_of(false);
	struct nat_back key;
	bool error;
	uint8_t l4[40];

	bed_l4(l4, 40, 58, 1, 128);
	ck_assert_int_eq(
		nat_back_key(58, l4, 40, &b.self, &b.peer, &key, &error),
		REASON_NO_FLOW);
	bed_l4(l4, 40, 58, 1, 135);
	ck_assert_int_eq(
		nat_back_key(58, l4, 40, &b.self, &b.peer, &key, &error),
		REASON_IP_PROTO);
	ck_assert_int_eq(
		nat_back_key(1, l4, 40, &b.self, &b.peer, &key, &error),
		REASON_IP_PROTO);
	ck_assert_int_eq(
		nat_back_key(59, l4, 0, &b.self, &b.peer, &key, &error),
		REASON_IP_PROTO);
	bed_l4(l4, 40, 6, 80, 4000);
	ck_assert_int_eq(
		nat_back_key(6, l4, 19, &b.self, &b.peer, &key, &error),
		REASON_L4_TRUNCATED);
	ck_assert_int_eq(
		nat_back_key(6, l4, 20, &b.self, &b.peer, &key, &error),
		REASON_NUM);
	ck_assert_uint_eq(key.ext_port, 4000);
	ck_assert_uint_eq(key.peer_port, 80);
	ck_assert_int_eq(
		nat_back_key(17, l4, 7, &b.self, &b.peer, &key, &error),
		REASON_L4_TRUNCATED);
}
END_TEST

Suite *test_classify_suite(void)
{
	Suite *s = suite_create("classify");
	TCase *t = tcase_create("all");

	tcase_add_test(t, data_to_a_substitute_gives_the_key_of_its_flow);
	tcase_add_test(t, only_clients_are_served);
	tcase_add_test(t, a_source_in_the_pool_is_forged);
	tcase_add_test(t, protocols_without_ports_are_refused);
	tcase_add_test(t, dns_outside_the_pools_is_dns_inside_it_is_data);
	tcase_add_test(t, tcp_to_near_is_dns_from_anywhere);
	tcase_add_test(t, our_own_outer_packets_are_a_loop);
	tcase_add_test(t, hits_speak_to_hits_only);
	tcase_add_test(t, only_a_clients_fragments_are_kept);
	tcase_add_test(t, headers_before_the_upper_layer_are_skipped);
	tcase_add_test(t, no_pools_no_clients_no_near_means_none_and_anyone);
	tcase_add_test(
		t, a_packet_that_does_not_parse_drops_for_the_parsers_reason);
	tcase_add_test(t, from_esp_only_answers_have_a_key);
	suite_add_tcase(s, t);
	return s;
}
