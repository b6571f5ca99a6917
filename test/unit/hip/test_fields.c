/* SPDX-License-Identifier: MIT */
/* Every parameter's contents: exact octets, round trips, contradictions. */
#include <check.h>

#include "hip/fields.h"
#include "test/unit/hip/hex.h"

static const struct hit any_hit = { { 0x20, 0x01, 0, 0x22, 1 } };

static struct msg_builder b;
static struct hip_msg m;

static void begin(uint8_t type)
{
	message_begin(&b, type, &any_hit, &any_hit);
}

/* Parses what was built and checks the octets of one parameter. */
static const struct hip_param *built(enum param id, const char *contents)
{
	const struct hip_param *p;

	ck_assert_int_eq(message_finish(&b), 0);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	p = param_find(&m, id);
	ck_assert_ptr_nonnull(p);
	ck_assert(hex_eq(p->contents, p->len, contents));
	return p;
}

START_TEST(esp_info)
{
	struct field_esp_info f = { 160, 0x01020304, 0xfffefdfc };
	struct field_esp_info g;

	begin(HIP_I2);
	fields_put_esp_info(&b, &f);
	ck_assert(fields_get_esp_info(
		built(PARAM_ESP_INFO, "000000a001020304fffefdfc"), &g));
	ck_assert_uint_eq(g.keymat_index, 160);
	ck_assert_uint_eq(g.old_spi, f.old_spi);
	ck_assert_uint_eq(g.new_spi, f.new_spi);
}
END_TEST

START_TEST(r1_counter)
{
	struct field_r1_counter f = { 0xa0b0c0d0, 0x0102030405060708 };
	struct field_r1_counter g;

	begin(HIP_R1);
	fields_put_r1_counter(&b, &f);
	ck_assert(fields_get_r1_counter(
		built(PARAM_R1_COUNTER, "a0b0c0d00102030405060708"), &g));
	ck_assert_uint_eq(g.reserved, f.reserved); /* echoed verbatim */
	ck_assert_uint_eq(g.counter, f.counter);
}
END_TEST

START_TEST(puzzle_and_solution)
{
	static const uint8_t i[24] = { 1, 2 };
	static const uint8_t j[24] = { 9, 8 };
	struct field_puzzle p = { 10, 37, 0xabcd, i, sizeof(i) };
	struct field_solution s = { 10, 0xabcd, i, j, sizeof(i) };
	struct field_puzzle p2;
	struct field_solution s2;

	begin(HIP_R1);
	fields_put_puzzle(&b, &p);
	ck_assert(fields_get_puzzle(built(PARAM_PUZZLE,
					  "0a25abcd"
					  "010200000000000000000000"
					  "000000000000000000000000"),
				    &p2));
	ck_assert_uint_eq(p2.k, 10);
	ck_assert_uint_eq(p2.lifetime, 37);
	ck_assert_uint_eq(p2.opaque, 0xabcd);
	ck_assert_uint_eq(p2.i_len, 24);
	begin(HIP_I2);
	fields_put_solution(&b, &s);
	ck_assert(fields_get_solution(built(PARAM_SOLUTION,
					    "0a00abcd"
					    "010200000000000000000000"
					    "000000000000000000000000"
					    "090800000000000000000000"
					    "000000000000000000000000"),
				      &s2));
	ck_assert_uint_eq(s2.k, 10);
	ck_assert_uint_eq(s2.opaque, 0xabcd);
	ck_assert_uint_eq(s2.i_len, 24);
	ck_assert_mem_eq(s2.i, i, 24);
	ck_assert_mem_eq(s2.j, j, 24);
}
END_TEST

START_TEST(seq_and_ack)
{
	struct field_ack f = { .id = { 1, 0xffffffff }, .num = 2 };
	struct field_ack g;
	struct hip_param many;
	uint8_t octets[4 * (FIELDS_ACK_MAX + 1)] = { 0 };
	uint32_t seq;

	begin(HIP_UPDATE);
	fields_put_seq(&b, 0x01020304);
	fields_put_ack(&b, &f);
	ck_assert(fields_get_seq(built(PARAM_SEQ, "01020304"), &seq));
	ck_assert_uint_eq(seq, 0x01020304);
	ck_assert(fields_get_ack(built(PARAM_ACK, "00000001ffffffff"), &g));
	ck_assert_uint_eq(g.num, 2);
	ck_assert_uint_eq(g.id[1], 0xffffffff);
	many = (struct hip_param){ PARAM_ACK, octets, sizeof(octets), 0 };
	ck_assert(fields_get_ack(&many, &g));
	ck_assert_uint_eq(g.num, FIELDS_ACK_MAX);
}
END_TEST

START_TEST(diffie_hellman)
{
	static const uint8_t value[5] = { 1, 2, 3, 4, 5 };
	struct field_dh f = { 7, value, sizeof(value) };
	struct field_dh g;
	struct hip_param p;
	uint8_t copy[16] = { 0 };

	begin(HIP_R1);
	fields_put_dh(&b, &f);
	p = *built(PARAM_DIFFIE_HELLMAN, "0700050102030405");
	ck_assert(fields_get_dh(&p, &g));
	ck_assert_uint_eq(g.group, 7);
	ck_assert_uint_eq(g.public_len, 5);
	ck_assert_mem_eq(g.public, value, 5);
	memcpy(copy, p.contents, p.len);
	p.contents = copy;
	p.len++; /* one more, one less, none */
	ck_assert(!fields_get_dh(&p, &g));
	p.len -= 2;
	ck_assert(!fields_get_dh(&p, &g));
	copy[2] = 0;
	ck_assert(!fields_get_dh(&p, &g));
	p.len = 3;
	ck_assert(!fields_get_dh(&p, &g));
}
END_TEST

START_TEST(id_lists)
{
	struct field_ids c = { .id = { 4, 2 }, .num = 2 };
	struct field_ids t = { .id = { 4095 }, .num = 1 };
	struct field_ids e = { .id = { 13, 12, 8 }, .num = 3 };
	struct field_ids g;
	uint8_t octets[18] = { 0, 1, 0, 2, 0, 3, 0, 4, 0,
			       5, 0, 6, 0, 7, 0, 8, 0, 9 };
	struct hip_param long_one = { PARAM_HIP_CIPHER, octets, 18, 0 };

	begin(HIP_R1);
	fields_put_cipher(&b, &c);
	fields_put_transport(&b, &t);
	fields_put_esp_transform(&b, &e);
	ck_assert(fields_get_cipher(built(PARAM_HIP_CIPHER, "00040002"), &g));
	ck_assert_uint_eq(g.num, 2);
	ck_assert(fields_ids_has(&g, 2));
	ck_assert(!fields_ids_has(&g, 3));
	ck_assert(fields_get_transport(
		built(PARAM_TRANSPORT_FORMAT_LIST, "0fff"), &g));
	ck_assert(g.num == 1 && g.id[0] == 4095);
	ck_assert(fields_get_esp_transform(
		built(PARAM_ESP_TRANSFORM, "0000000d000c0008"), &g));
	ck_assert(g.num == 3 && g.id[0] == 13 && g.id[2] == 8);
	ck_assert(fields_has_transport(&long_one, 9));
	ck_assert(!fields_has_transport(&long_one, 10));
	ck_assert(!fields_has_transport(&long_one, 0x0100)); /* 1 | 0 2 */
	/* only the first six count (7401 5.2.8) */
	ck_assert(fields_get_cipher(&long_one, &g));
	ck_assert(g.num == 6 && g.id[5] == 6);
	ck_assert(!fields_ids_has(&g, 7));
	long_one.id = PARAM_ESP_TRANSFORM;
	ck_assert(fields_get_esp_transform(&long_one, &g));
	ck_assert(g.num == 6 && g.id[0] == 2 && g.id[5] == 7);
}
END_TEST

START_TEST(host_id)
{
	struct field_host_id f = { 7, (const uint8_t *)"key",	3,
				   1, (const uint8_t *)"\1a\0", 3 };
	struct field_host_id g;
	struct hip_param p;
	uint8_t copy[32] = { 0 };

	begin(HIP_R1);
	fields_put_host_id(&b, &f);
	p = *built(PARAM_HOST_ID, "0003100300076b6579016100");
	ck_assert(fields_get_host_id(&p, &g));
	ck_assert_uint_eq(g.alg, 7);
	ck_assert(g.hi_len == 3 && memcmp(g.hi, "key", 3) == 0);
	ck_assert(g.di_type == 1 && g.di_len == 3);
	ck_assert_mem_eq(g.di, "\1a\0", 3);
	memcpy(copy, p.contents, p.len);
	ck_assert(!fields_read_host_id(copy, p.len + 1u, &g));
	for (size_t cut = 0; cut < p.len; cut++)
		ck_assert(!fields_read_host_id(copy, cut, &g));
	copy[1]++;
	ck_assert(!fields_read_host_id(copy, p.len, &g));
	copy[1] = 0; /* no key at all */
	copy[3] = 6;
	ck_assert(!fields_read_host_id(copy, p.len, &g));
}
END_TEST

START_TEST(hit_suites)
{
	static const uint8_t list[] = { 0x20, 0x11, 0x30 };
	struct hip_param p = { PARAM_HIT_SUITE_LIST, list, 3, 0 };

	ck_assert(fields_has_hit_suite(&p, 2));
	ck_assert(fields_has_hit_suite(&p, 3));
	ck_assert(!fields_has_hit_suite(&p, 1)); /* low half is set */
	ck_assert(!fields_hit_suites_ok(&p));
	ck_assert_uint_eq(fields_hit_suites(&p), 1 << 2 | 1 << 3);
	p.len = 1;
	ck_assert(fields_hit_suites_ok(&p));
	ck_assert(!fields_has_hit_suite(&p, 3));
	ck_assert_uint_eq(fields_hit_suites(&p), 1 << 2);
}
END_TEST

START_TEST(notification_and_signature)
{
	struct field_notification n = { FIELDS_NAT_KEEPALIVE,
					(const uint8_t *)"x", 1 };
	struct field_signature s = { 7, (const uint8_t *)"sig", 3 };
	struct field_notification n2;
	struct field_signature s2;

	begin(HIP_NOTIFY);
	fields_put_notification(&b, &n);
	n.data_len = 0;
	n.type = 44;
	fields_put_notification(&b, &n);
	fields_put_signature(&b, PARAM_HIP_SIGNATURE, &s);
	ck_assert(fields_get_notification(
		built(PARAM_NOTIFICATION, "0000400178"), &n2));
	ck_assert_uint_eq(n2.type, 16385);
	ck_assert_uint_eq(n2.data_len, 1);
	ck_assert(fields_get_notification(
		param_next(&m, param_find(&m, PARAM_NOTIFICATION)), &n2));
	ck_assert(n2.type == 44 && n2.data_len == 0);
	ck_assert(fields_get_signature(built(PARAM_HIP_SIGNATURE, "0007736967"),
				       &s2));
	ck_assert(s2.alg == 7 && s2.sig_len == 3);
}
END_TEST

START_TEST(registration)
{
	static const uint8_t types[] = { FIELDS_REG_RENDEZVOUS, 2 };
	struct field_reg_info i = { 64, 144, types, 2 };
	struct field_reg r = { 120, types, 1 };
	struct field_reg_info i2;
	struct field_reg r2;

	begin(HIP_UPDATE);
	fields_put_reg_info(&b, &i);
	fields_put_reg(&b, PARAM_REG_REQUEST, &r);
	r.first = 100;
	fields_put_reg(&b, PARAM_REG_RESPONSE, &r);
	r.first = FIELDS_REG_NO_RESOURCES;
	fields_put_reg(&b, PARAM_REG_FAILED, &r);
	ck_assert(fields_get_reg_info(built(PARAM_REG_INFO, "40900102"), &i2));
	ck_assert(i2.min_lifetime == 64 && i2.max_lifetime == 144);
	ck_assert(i2.types_num == 2 && i2.types[1] == 2);
	ck_assert(fields_get_reg(built(PARAM_REG_REQUEST, "7801"), &r2));
	ck_assert(r2.first == 120 && r2.types_num == 1 && r2.types[0] == 1);
	ck_assert(fields_get_reg(built(PARAM_REG_RESPONSE, "6401"), &r2));
	ck_assert_uint_eq(r2.first, 100);
	ck_assert(fields_get_reg(built(PARAM_REG_FAILED, "0201"), &r2));
	ck_assert_uint_eq(r2.first, 2);
	begin(HIP_R1); /* nothing on offer just now (8003 3.1) */
	i.types_num = 0;
	fields_put_reg_info(&b, &i);
	ck_assert(fields_get_reg_info(built(PARAM_REG_INFO, "4090"), &i2));
	ck_assert_uint_eq(i2.types_num, 0);
}
END_TEST

START_TEST(lifetimes)
{
	/* 8003 4.1: 2^((v - 64) / 8) s. Python: 1000 * 2 ** ((v - 64) / 8),
	 * rounded down. */
	ck_assert_uint_eq(fields_lifetime_ms(0), 0);
	ck_assert_uint_eq(fields_lifetime_ms(1), 4);
	ck_assert_uint_eq(fields_lifetime_ms(64), 1000);
	ck_assert_uint_eq(fields_lifetime_ms(65), 1090);
	ck_assert_uint_eq(fields_lifetime_ms(72), 2000);
	ck_assert_uint_eq(fields_lifetime_ms(119), 117376);
	ck_assert_uint_eq(fields_lifetime_ms(255) / 1000, 15384774);
	ck_assert_uint_eq(fields_lifetime_code(0), 0);
	ck_assert_uint_eq(fields_lifetime_code(1), 64);
	ck_assert_uint_eq(fields_lifetime_code(2), 72);
	ck_assert_uint_eq(fields_lifetime_code(120), 119);
	ck_assert_uint_eq(fields_lifetime_code(UINT32_MAX), 255);
	for (unsigned v = 64; v < 256; v++) {
		uint64_t s = fields_lifetime_ms((uint8_t)v) / 1000;
		uint8_t code = fields_lifetime_code((uint32_t)s);

		ck_assert_uint_le(fields_lifetime_ms(code), s * 1000);
		ck_assert(code == 255 ||
			  fields_lifetime_ms((uint8_t)(code + 1)) > s * 1000);
	}
}
END_TEST

START_TEST(rendezvous)
{
	struct addr a = addr_from4((const uint8_t[]){ 192, 0, 2, 1 });
	struct addr g;

	begin(HIP_I1);
	fields_put_from(&b, &a);
	fields_put_via_rvs(&b, &a);
	ck_assert(fields_get_from(
		built(PARAM_FROM, "00000000000000000000ffffc0000201"), &g));
	ck_assert(addr_eq(&g, &a));
	ck_assert(fields_get_via_rvs(
		built(PARAM_VIA_RVS, "00000000000000000000ffffc0000201"), &g));
	ck_assert(addr_eq(&g, &a));
}
END_TEST

/* RFC 9028 5.4 */
START_TEST(numbers_of_checks)
{
	const enum param id[] = { PARAM_TRANSACTION_PACING,
				  PARAM_CANDIDATE_PRIORITY, PARAM_NOMINATE };
	uint32_t n;

	for (size_t i = 0; i < sizeof(id) / sizeof(id[0]); i++) {
		message_begin(&b, i ? HIP_UPDATE : HIP_R1, &hit_null,
			      &hit_null);
		fields_put_number(&b, id[i], 0x01020304 + (uint32_t)i);
		ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
		ck_assert_uint_eq(m.num, 1);
		ck_assert_uint_eq(m.params[0].len, 4);
		ck_assert_uint_eq(m.params[0].contents[0], 1);
		ck_assert(fields_get_number(param_find(&m, id[i]), &n));
		ck_assert_uint_eq(n, 0x01020304 + i);
	}
}
END_TEST

START_TEST(nat_modes)
{
	struct field_ids f = { { FIELDS_NAT_ICE_HIP_UDP, FIELDS_NAT_UDP }, 2 };
	struct field_ids g;
	uint8_t seven[16] = { 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7 };

	begin(HIP_R1);
	fields_put_nat_modes(&b, &f);
	ck_assert(fields_get_nat_modes(
		built(PARAM_NAT_TRAVERSAL_MODE, "000000030001"), &g));
	ck_assert_uint_eq(g.num, 2);
	ck_assert_uint_eq(g.id[0], FIELDS_NAT_ICE_HIP_UDP);
	ck_assert_uint_eq(g.id[1], FIELDS_NAT_UDP);
	begin(HIP_I2);
	message_put(&b, PARAM_NAT_TRAVERSAL_MODE, seven, sizeof(seven));
	ck_assert(
		fields_get_nat_modes(built(PARAM_NAT_TRAVERSAL_MODE,
					   "00000001000200030004000500060007"),
				     &g));
	ck_assert_uint_eq(g.num, 6);
	ck_assert_uint_eq(g.id[5], 6);
}
END_TEST

/* RFC 9028 5.6 */
START_TEST(transport_addresses)
{
	static const enum param id[] = { PARAM_REG_FROM, PARAM_RELAYED_ADDRESS,
					 PARAM_MAPPED_ADDRESS, PARAM_RELAY_FROM,
					 PARAM_RELAY_TO };
	struct endpoint at = { addr_from4((const uint8_t[]){ 192, 0, 2, 1 }),
			       40000 };
	struct endpoint g;
	uint8_t raw[20] = { 0x9c, 0x40, 17, 0xff };

	for (size_t i = 0; i < sizeof(id) / sizeof(id[0]); i++) {
		begin(HIP_UPDATE);
		fields_put_udp_at(&b, id[i], &at);
		ck_assert(fields_get_udp_at(
			built(id[i],
			      "9c40110000000000000000000000ffffc0000201"),
			&g));
		ck_assert(endpoint_eq(&g, &at));
	}
	begin(HIP_UPDATE); /* what is reserved is not looked at */
	message_put(&b, PARAM_REG_FROM, raw, sizeof(raw));
	ck_assert(fields_get_udp_at(
		built(PARAM_REG_FROM,
		      "9c4011ff00000000000000000000000000000000"),
		&g));
	begin(HIP_UPDATE);
	raw[2] = 0; /* plain IP */
	message_put(&b, PARAM_REG_FROM, raw, sizeof(raw));
	ck_assert(!fields_get_udp_at(
		built(PARAM_REG_FROM,
		      "9c4000ff00000000000000000000000000000000"),
		&g));
	begin(HIP_UPDATE);
	memcpy(raw, "\0\0\x11", 3); /* no port */
	message_put(&b, PARAM_REG_FROM, raw, sizeof(raw));
	ck_assert(!fields_get_udp_at(
		built(PARAM_REG_FROM,
		      "000011ff00000000000000000000000000000000"),
		&g));
}
END_TEST

/* RFC 9028 5.13 */
START_TEST(a_peer_permission)
{
	static const char hex[] = "4e219c4111000000"
				  "00000000000000000000ffffc6336401"
				  "00000000000000000000ffffc0000207"
				  "0001020300040506";
	const struct field_permission f = {
		.relayed = { addr_from4((uint8_t[]){ 198, 51, 100, 1 }),
			     20001 },
		.peer = { addr_from4((uint8_t[]){ 192, 0, 2, 7 }), 40001 },
		.spi_out = 0x10203,
		.spi_in = 0x40506,
	};
	/* What makes it none: an octet, and what is there instead. */
	static const struct {
		uint8_t from, num;
	} zero[] = { { 0, 2 }, { 2, 2 }, { 4, 1 }, { 40, 3 }, { 44, 3 } };
	struct field_permission g;
	uint8_t raw[48];

	begin(HIP_UPDATE);
	fields_put_permission(&b, &f);
	ck_assert(fields_get_permission(built(PARAM_PEER_PERMISSION, hex), &g));
	ck_assert(endpoint_eq(&g.relayed, &f.relayed));
	ck_assert(endpoint_eq(&g.peer, &f.peer));
	ck_assert_uint_eq(g.spi_out, f.spi_out);
	ck_assert_uint_eq(g.spi_in, f.spi_in);
	memcpy(raw, m.params[0].contents, sizeof(raw));
	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++) {
		uint8_t bad[48];

		memcpy(bad, raw, sizeof(bad));
		memset(bad + zero[i].from, 0, zero[i].num);
		begin(HIP_UPDATE);
		message_put(&b, PARAM_PEER_PERMISSION, bad, sizeof(bad));
		ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
		ck_assert(!fields_get_permission(&m.params[0], &g));
	}
	raw[5] = raw[6] = raw[7] = 0xff; /* reserved: not looked at */
	begin(HIP_UPDATE);
	message_put(&b, PARAM_PEER_PERMISSION, raw, sizeof(raw));
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	ck_assert(fields_get_permission(&m.params[0], &g));
}
END_TEST

START_TEST(a_full_builder_takes_no_harm)
{
	struct field_esp_info f = { 0, 0, 1 };
	struct field_signature s = { 7, (const uint8_t *)"sig", 3 };

	begin(HIP_I2);
	b.len = HIP_MSG_MAX - 8;
	fields_put_esp_info(&b, &f);
	fields_put_signature(&b, PARAM_HIP_SIGNATURE, &s);
	ck_assert_int_eq(message_finish(&b), HG_EFULL);
	ck_assert_uint_eq(b.len, HIP_MSG_MAX - 8);
}
END_TEST

Suite *test_fields_suite(void);
Suite *test_fields_suite(void)
{
	Suite *s = suite_create("hip/fields");
	TCase *tc = tcase_create("fields");

	tcase_add_test(tc, esp_info);
	tcase_add_test(tc, r1_counter);
	tcase_add_test(tc, puzzle_and_solution);
	tcase_add_test(tc, seq_and_ack);
	tcase_add_test(tc, diffie_hellman);
	tcase_add_test(tc, id_lists);
	tcase_add_test(tc, host_id);
	tcase_add_test(tc, hit_suites);
	tcase_add_test(tc, notification_and_signature);
	tcase_add_test(tc, registration);
	tcase_add_test(tc, lifetimes);
	tcase_add_test(tc, rendezvous);
	tcase_add_test(tc, numbers_of_checks);
	tcase_add_test(tc, nat_modes);
	tcase_add_test(tc, transport_addresses);
	tcase_add_test(tc, a_peer_permission);
	tcase_add_test(tc, a_full_builder_takes_no_harm);
	suite_add_tcase(s, tc);
	return s;
}
