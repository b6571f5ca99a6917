/* SPDX-License-Identifier: MIT */
/* Who gets a port at the data relay, and for how long (RFC 9028 4.1). */
#include "hip/datarelay.h"

#include "test/unit/hip/datalab.h"

static struct nat_bed bed;

START_TEST(ports_that_cannot_be)
{
	static const uint16_t ports[][3] = { { 1, 2, 1 },
					     { 1, 0, 2 },
					     { 1, 2, HIP_PORT } };
	static uint16_t many[HIP_RELAY_PORTS_MAX + 1];
	struct lab *lab = nat_bed(&bed);
	struct hip *h = lab->host[0].h;

	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(
			hip_set_relay_ports(h, ports[i], 3, HIP_PORT, lab->now),
			HG_EINVAL);
	ck_assert_int_eq(hip_set_relay_ports(h, many, HIP_RELAY_PORTS_MAX + 1,
					     HIP_PORT, lab->now),
			 HG_EINVAL);
	ck_assert_uint_eq(h->data.num, 0);
	ck_assert_int_eq(
		hip_set_relay_ports(h, ports[0], 2, HIP_PORT, lab->now), HG_OK);
	ck_assert_int_eq(
		hip_set_relay_ports(h, ports[0], 2, HIP_PORT, lab->now),
		HG_EINVAL); /* once */
	lab_free(lab);
}
END_TEST

START_TEST(each_client_has_a_port_of_its_own)
{
	struct lab *lab = data_registered(&bed);
	const struct datarelay_port *one = data_port(lab, 1);
	const struct datarelay_port *two;

	ck_assert(addr_eq(&one->at.addr, &lab->host[2].at.addr));
	ck_assert_uint_ge(one->at.port, DATA_PORT);
	ck_assert(endpoint_eq(&data_reg(lab, 1)->relayed_at, &one->at));
	nat_register(lab, 0);
	two = data_port(lab, 0);
	ck_assert_ptr_nonnull(two);
	ck_assert_uint_ne(two->at.port, one->at.port);
	/* There are two: the third client is relayed to, and has none. */
	nat_register(lab, 3);
	ck_assert_ptr_null(data_port(lab, 3));
	ck_assert_uint_eq(data_reg(lab, 3)->relayed_at.port, 0);
	ck_assert(data_reg(lab, 3)->granted);
	lab_free(lab);
}
END_TEST

/* What host 1 says to the relay, where it is registered for `held`. */
static struct registrar_answer ask(struct lab *lab, uint8_t packet,
				   uint8_t code, const uint8_t *types,
				   size_t num)
{
	struct field_reg reg = { code, types, num };
	struct registrar_answer ans;
	struct msg_builder b;
	struct packet p = { .from = &lab->host[1].at,
			    .at = &lab->host[2].at,
			    .now = lab->now };

	message_begin(&b, packet, &lab->host[1].hit, &lab->host[2].hit);
	fields_put_reg(&b, PARAM_REG_REQUEST, &reg);
	ck_assert_int_eq(param_parse(b.buf, b.len, &p.m), REASON_NUM);
	ck_assert(registrar_decide(data_relay(lab), &p, &ans));
	return ans;
}

START_TEST(it_is_had_beside_the_control_relay_only)
{
	static const uint8_t types[] = { 2, 3, 1 };
	struct lab *lab = data_bed(&bed);
	struct registrar_answer a = ask(lab, HIP_I2, 100, types, 2);

	ck_assert(a.data);
	ck_assert_uint_eq(a.data_code, 100);
	ck_assert_uint_eq(a.failed_num, 0);
	ck_assert_ptr_nonnull(datarelay_at(data_relay(lab), &a.relayed_at));
	ck_assert_uint_ne(a.seen_at.port, 0);	 /* REG_FROM */
	a = ask(lab, HIP_I2, 100, types + 1, 1); /* alone */
	ck_assert(!a.data);
	ck_assert_uint_eq(a.failed[0], 3);
	ck_assert_uint_eq(a.why[0], FIELDS_REG_UNAVAILABLE);
	a = ask(lab, HIP_I2, 100, types + 1, 2); /* with RENDEZVOUS */
	ck_assert(!a.data);
	data_relay(lab)->data.num = 0; /* it is not on offer */
	a = ask(lab, HIP_I2, 100, types, 2);
	ck_assert(!a.data);
	ck_assert_uint_eq(a.granted, 2);
	ck_assert_uint_eq(a.why[0], FIELDS_REG_UNAVAILABLE);
	data_relay(lab)->data.num = 2;
	lab_free(lab);
}
END_TEST

/* RFC 9028 4.1: also later, by UPDATE; it is the same port. */
START_TEST(a_port_is_kept_renewed_cancelled_and_lapses)
{
	static const uint8_t types[] = { 2, 3 };
	struct lab *lab = data_registered(&bed);
	struct assoc *a = nat_assoc(lab, 2, 1);
	struct endpoint at = data_port(lab, 1)->at;
	struct registrar_answer ans = ask(lab, HIP_UPDATE, 90, types + 1, 1);

	ck_assert(ans.data && endpoint_eq(&ans.relayed_at, &at));
	registrar_commit(data_relay(lab), a, &ans, lab->now); /* 9.5 s */
	lab_sleep(lab, 9 * LAB_S);
	ck_assert_ptr_nonnull(data_port(lab, 1));
	registrar_commit(data_relay(lab), a, &ans, lab->now);
	lab_sleep(lab, 9 * LAB_S);
	ck_assert_ptr_nonnull(data_port(lab, 1));
	lab_sleep(lab, LAB_S);
	ck_assert_ptr_null(data_port(lab, 1));		/* lapsed, */
	ck_assert(registrar_holds(data_relay(lab), a)); /* this service only */
	registrar_commit(data_relay(lab), a, &ans, lab->now);
	ck_assert_ptr_nonnull(data_port(lab, 1));
	ans = ask(lab, HIP_UPDATE, 0, types + 1, 1);
	registrar_commit(data_relay(lab), a, &ans, lab->now);
	ck_assert_ptr_null(data_port(lab, 1));
	/* And with the control relay's registration. */
	ans = ask(lab, HIP_UPDATE, 100, types, 2);
	registrar_commit(data_relay(lab), a, &ans, lab->now);
	ck_assert_ptr_nonnull(data_port(lab, 1));
	ans = ask(lab, HIP_UPDATE, 0, types, 1);
	registrar_commit(data_relay(lab), a, &ans, lab->now);
	ck_assert_ptr_null(data_port(lab, 1));
	lab_free(lab);
}
END_TEST

START_TEST(two_promises_are_of_two_ports)
{
	static const uint8_t types[] = { 2, 3 };
	struct lab *lab = data_bed(&bed);
	struct registrar_answer a = ask(lab, HIP_I2, 100, types, 2);
	struct registrar_answer b = ask(lab, HIP_I2, 100, types, 2);

	ck_assert(!endpoint_eq(&a.relayed_at, &b.relayed_at));
	b = ask(lab, HIP_I2, 100, types, 2); /* none is left: one again */
	ck_assert(b.data);
	lab_free(lab);
}
END_TEST

Suite *test_datarelay_ports_suite(void);
Suite *test_datarelay_ports_suite(void)
{
	Suite *s = suite_create("datarelay_ports");
	TCase *t = tcase_create("all");

	tcase_add_test(t, ports_that_cannot_be);
	tcase_add_test(t, each_client_has_a_port_of_its_own);
	tcase_add_test(t, it_is_had_beside_the_control_relay_only);
	tcase_add_test(t, a_port_is_kept_renewed_cancelled_and_lapses);
	tcase_add_test(t, two_promises_are_of_two_ports);
	suite_add_tcase(s, t);
	return s;
}
