/* SPDX-License-Identifier: MIT */
/* What may pass the data relay (RFC 9028 4.12). */
#include "hip/datarelay.h"

#include "test/unit/hip/datalab.h"
#include "test/unit/hip/snap.h"

static struct nat_bed bed;

/* ---- permissions -------------------------------------------------------------- */

static struct field_permission permission(const struct lab *lab)
{
	return (struct field_permission){
		.relayed = data_port(lab, 1)->at,
		.peer = lab->host[0].at,
		.spi_out = 1000,
		.spi_in = 2000,
	};
}

/* An UPDATE of host i with these. */
static enum reason say(struct lab *lab, size_t i,
		       const struct field_permission *f, size_t num)
{
	struct packet p = { .from = &lab->host[i].at,
			    .at = &lab->host[2].at,
			    .now = lab->now };
	struct msg_builder b;
	enum reason r;

	message_begin(&b, HIP_UPDATE, &lab->host[i].hit, &lab->host[2].hit);
	while (num--)
		fields_put_permission(&b, f++);
	ck_assert_int_eq(message_finish(&b), HG_OK);
	ck_assert_int_eq(param_parse(b.buf, b.len, &p.m), REASON_NUM);
	r = datarelay_permit(data_relay(lab), nat_assoc(lab, 2, i), &p);
	lab_effects(lab, 2);
	return r;
}

static void refused(struct lab *lab, const struct field_permission *f,
		    enum reason r)
{
	uint64_t was = lab_drops(lab, 2, r);
	unsigned told = lab->host[2].count[HIP_PERMIT];
	uint8_t num = data_port(lab, 1)->num;

	ck_assert_int_eq(say(lab, 1, f, 1), REASON_NUM); /* acknowledged */
	ck_assert_msg(lab_drops(lab, 2, r) == was + 1, "not refused as %s",
		      reason_name(r));
	ck_assert_uint_eq(data_port(lab, 1)->num, num);
	ck_assert_uint_eq(lab->host[2].count[HIP_PERMIT], told);
}

/* RFC 9028 4.12.1 */
START_TEST(a_permission_lasts_five_minutes)
{
	struct lab *lab = data_registered(&bed);
	struct field_permission f = permission(lab);
	const struct hip_effect *e = &lab->host[2].last[HIP_PERMIT];

	ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM);
	ck_assert_uint_eq(lab->host[2].count[HIP_PERMIT], 1);
	ck_assert_uint_eq(e->permit.until, lab->now + 300 * LAB_S);
	ck_assert(endpoint_eq(&e->permit.other, &f.peer));
	ck_assert(endpoint_eq(&e->peer_at, &lab->host[1].at));
	ck_assert(endpoint_eq(&e->self_at, &lab->host[2].at));
	ck_assert(endpoint_eq(&e->relayed_at, &f.relayed));
	ck_assert_uint_eq(e->permit.spi_in, 2000);
	ck_assert_uint_eq(e->permit.spi_out, 1000);
	ck_assert(!e->permit.heard);
	lab_sleep(lab, 200 * LAB_S);
	ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM); /* renewed */
	ck_assert_uint_eq(e->permit.until, lab->now + 300 * LAB_S);
	ck_assert_uint_eq(data_port(lab, 1)->num, 1);
	lab_sleep(lab, 301 * LAB_S);
	f.spi_in++;
	f.spi_out++;
	ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM);
	ck_assert_uint_eq(data_port(lab, 1)->num, 1); /* the first is over */
	lab_free(lab);
}
END_TEST

START_TEST(who_is_no_client_permits_nothing)
{
	struct lab *lab = data_registered(&bed);
	struct field_permission f = permission(lab);

	lab_want(lab, 0, 2);
	lab_run(lab);
	ck_assert_ptr_nonnull(nat_assoc(lab, 2, 0));
	ck_assert_int_eq(say(lab, 0, &f, 1), REASON_HIP_NOT_REGISTERED);
	ck_assert_uint_eq(lab->host[2].count[HIP_PERMIT], 0);
	lab_free(lab);
}
END_TEST

START_TEST(what_may_not_be_permitted)
{
	static const struct {
		uint8_t four[4];
		enum reason r;
	} at[] = {
		{ { 192, 0, 2, 3 }, REASON_HIP_RELAY_LOOP }, /* the relay */
		{ { 127, 0, 0, 1 }, REASON_HIP_PERMISSION },
		{ { 224, 0, 0, 1 }, REASON_HIP_PERMISSION },
		{ { 255, 255, 255, 255 }, REASON_HIP_PERMISSION },
		{ { 0, 0, 0, 0 }, REASON_HIP_PERMISSION },
		{ { 169, 254, 0, 1 }, REASON_HIP_PERMISSION },
		{ { 203, 0, 113, 9 }, REASON_HIP_DENIED },
	};
	struct hip_access_rule rule = {
		.prefix = { .addr = addr_from4((uint8_t[]){ 203, 0, 113, 0 }),
			    .len = 96 + 24 }
	};
	struct hip_access list[HIP_ROLE_NUM] = { [HIP_ROLE_RENDEZVOUS] = {
							 &rule, 1 } };
	struct lab *lab = data_registered(&bed);
	struct field_permission f = permission(lab);
	struct field_permission bad;

	ck_assert_int_eq(hip_set_access(data_relay(lab), list, lab->now),
			 HG_OK);
	ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		bad = f;
		bad.spi_in++;
		bad.spi_out++;
		bad.peer.addr = addr_from4(at[i].four);
		refused(lab, &bad, at[i].r);
	}
	bad = f;
	bad.relayed.port ^= 1; /* another's port */
	refused(lab, &bad, REASON_HIP_PERMISSION);
	bad = f;
	bad.relayed.addr.b[15] ^= 1;
	refused(lab, &bad, REASON_HIP_PERMISSION);
	bad = f;
	bad.peer.addr.b[0] = 0x20; /* the other family */
	refused(lab, &bad, REASON_HIP_PERMISSION);
	bad = f;
	bad.spi_out = 255;
	refused(lab, &bad, REASON_HIP_TLV);
	bad = f;
	bad.spi_in++; /* RFC 9028 4.12.3 */
	refused(lab, &bad, REASON_HIP_PERMISSION);
	lab_free(lab);
}
END_TEST

/* Is the pair permitted with this place? */
static bool is_permitted(const struct lab *lab,
			 const struct field_permission *f)
{
	const struct datarelay_port *port = data_port(lab, 1);

	for (uint8_t i = 0; i < port->num; i++) {
		if (port->permit[i].spi_in == f->spi_in &&
		    endpoint_eq(&port->permit[i].peer, &f->peer))
			return true;
	}
	return false;
}

/* A peer with several addresses may send by any. */
START_TEST(a_peer_has_a_few_places)
{
	struct lab *lab = data_registered(&bed);
	const struct hip_effect *e = &lab->host[2].last[HIP_PERMIT];
	struct field_permission f[DATARELAY_PLACES_MAX + 1];
	uint64_t asked;

	for (size_t i = 0; i <= DATARELAY_PLACES_MAX; i++) {
		f[i] = permission(lab);
		f[i].peer.port = (uint16_t)(f[i].peer.port + i);
	}
	/* Of one UPDATE the last one is what it says last. */
	ck_assert_int_eq(say(lab, 1, f, 2), REASON_NUM);
	ck_assert_uint_eq(data_port(lab, 1)->num, 2);
	ck_assert_uint_eq(e->permit.asked, lab->now + 1);
	ck_assert(endpoint_eq(&e->permit.other, &f[1].peer));
	lab_sleep(lab, LAB_S);
	ck_assert_int_eq(say(lab, 1, f, 1), REASON_NUM); /* back */
	ck_assert_uint_eq(data_port(lab, 1)->num, 2);
	asked = e->permit.asked;
	ck_assert_uint_eq(asked, lab->now);
	ck_assert(endpoint_eq(&e->permit.other, &f[0].peer));
	/* That it is heard is not the client's word. */
	lab_sleep(lab, LAB_S);
	datarelay_heard(data_relay(lab), data_port(lab, 1), &f[0].peer,
			lab->now);
	lab_effects(lab, 2);
	ck_assert(e->permit.heard);
	ck_assert_uint_eq(e->permit.asked, asked);
	/* One too many: the one that was asked for first is over. */
	ck_assert_int_eq(say(lab, 1, f + 2, DATARELAY_PLACES_MAX - 1),
			 REASON_NUM);
	ck_assert_uint_eq(data_port(lab, 1)->num, DATARELAY_PLACES_MAX);
	ck_assert(is_permitted(lab, &f[0]));
	ck_assert(!is_permitted(lab, &f[1]));
	lab_free(lab);
}
END_TEST

/* The second place of one gives way before the only one of another. */
START_TEST(no_peer_is_left_without_a_place)
{
	struct lab *lab = data_registered(&bed);
	struct field_permission f = permission(lab);
	struct field_permission two = f;

	ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM);
	two.spi_in = 5000;
	two.spi_out = 6000;
	ck_assert_int_eq(say(lab, 1, &two, 1), REASON_NUM);
	two.peer.port++;
	ck_assert_int_eq(say(lab, 1, &two, 1), REASON_NUM);
	for (uint32_t i = 3; i <= DATARELAY_PERMITS_MAX; i++) {
		struct field_permission g = f;

		g.spi_in = 3000 + i;
		g.spi_out = 4000 + i;
		ck_assert_int_eq(say(lab, 1, &g, 1), REASON_NUM);
	}
	ck_assert_uint_eq(data_port(lab, 1)->num, DATARELAY_PERMITS_MAX);
	ck_assert(is_permitted(lab, &f)); /* though it is the oldest */
	ck_assert(is_permitted(lab, &two));
	two.peer.port--;
	ck_assert(!is_permitted(lab, &two));
	lab_free(lab);
}
END_TEST

/* A rekeyed SA; more than there may be. */
START_TEST(permissions_are_as_many_as_there_may_be)
{
	struct lab *lab = data_registered(&bed);
	struct field_permission f = permission(lab);

	for (uint32_t i = 0; i < 2 * DATARELAY_PERMITS_MAX; i++) {
		f.spi_in = 3000 + i;
		f.spi_out = 4000 + i;
		ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM);
	}
	ck_assert_uint_eq(data_port(lab, 1)->num, DATARELAY_PERMITS_MAX);
	ck_assert_uint_eq(data_port(lab, 1)->permit[0].spi_in,
			  3000 + DATARELAY_PERMITS_MAX);
	/* All end with the association. */
	lab->host[2].count[HIP_PERMIT] = 0;
	assoc_del(data_relay(lab), nat_assoc(lab, 2, 1), lab->now);
	lab_effects(lab, 2);
	ck_assert_uint_eq(lab->host[2].count[HIP_PERMIT],
			  DATARELAY_PERMITS_MAX);
	ck_assert_uint_eq(lab->host[2].last[HIP_PERMIT].permit.until, 0);
	lab_free(lab);
}
END_TEST

/* RFC 9028 4.12.1, and nobody is flooded by a client that lists him. */
START_TEST(a_client_that_may_be_elsewhere_is_sent_nothing)
{
	struct lab *lab = data_registered(&bed);
	struct field_permission f = permission(lab);
	struct assoc *a = nat_assoc(lab, 2, 1);
	const struct hip_effect *e = &lab->host[2].last[HIP_PERMIT];

	ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM);
	a->peer_at.port++;
	a->unproved = true;
	datarelay_moved(data_relay(lab), a, lab->now);
	lab_effects(lab, 2);
	ck_assert_uint_eq(e->permit.until, 0);
	/* Nor when it asks again, or its peer is heard. */
	ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM);
	ck_assert_uint_eq(e->permit.until, 0);
	datarelay_heard(data_relay(lab), datarelay_of(data_relay(lab), a),
			&f.peer, lab->now);
	lab_effects(lab, 2);
	ck_assert_uint_eq(e->permit.until, 0);
	a->unproved = false;
	datarelay_moved(data_relay(lab), a, lab->now);
	lab_effects(lab, 2);
	ck_assert_uint_ne(e->permit.until, 0);
	ck_assert(endpoint_eq(&e->peer_at, &a->peer_at));
	lab_free(lab);
}
END_TEST

/* ---- HIP by the port ------------------------------------------------------------ */

static struct lab_packet sent; /* by the relay */
static unsigned sent_num;

static bool keep(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	if (p->from != 2)
		return true;
	sent = *p;
	sent_num++;
	return false;
}

static struct lab_packet update(const struct lab *lab, size_t i, size_t j,
				const struct endpoint *to)
{
	struct msg_builder b;

	message_begin(&b, HIP_UPDATE, &lab->host[i].hit, &lab->host[j].hit);
	fields_put_seq(&b, 1);
	return nat_packet(lab, i, to, &b);
}

/* An answer of the client from this port to there. */
static struct lab_packet answer(const struct lab *lab,
				const struct endpoint *from,
				const struct endpoint *to)
{
	struct msg_builder b;

	message_begin(&b, HIP_UPDATE, &lab->host[1].hit, &lab->host[0].hit);
	fields_put_seq(&b, 1);
	if (from)
		fields_put_udp_at(&b, PARAM_RELAY_FROM, from);
	fields_put_udp_at(&b, PARAM_RELAY_TO, to);
	return nat_packet(lab, 1, &lab->host[2].at, &b);
}

static void dropped(struct lab *lab, const struct lab_packet *p, enum reason r)
{
	uint64_t was = lab_drops(lab, 2, r);
	unsigned num = sent_num;
	struct snap snap;

	snap_take(lab, 2, &snap);
	lab_input(lab, 2, p);
	lab_run(lab);
	snap_same(lab, 2, &snap, true);
	ck_assert_uint_eq(sent_num, num);
	ck_assert_msg(lab_drops(lab, 2, r) == was + 1, "not dropped as %s",
		      reason_name(r));
}

static struct lab *listening(void)
{
	struct lab *lab = data_registered(&bed);

	bed.tap = keep;
	sent_num = 0;
	return lab;
}

/* RFC 9028 4.12.2 */
START_TEST(hip_to_a_port_goes_to_its_client_and_back)
{
	struct lab *lab = listening();
	const struct endpoint *port = &data_port(lab, 1)->at;
	struct lab_packet p = update(lab, 0, 1, port);
	struct endpoint at;
	struct hip_msg m;

	lab_input(lab, 2, &p);
	lab_run(lab);
	ck_assert_uint_eq(sent_num, 1);
	ck_assert(endpoint_eq(&sent.dst, &lab->host[1].at));
	ck_assert(endpoint_eq(&sent.src, &lab->host[2].at));
	ck_assert_int_eq(param_parse(sent.msg, sent.len, &m), REASON_NUM);
	ck_assert(fields_get_udp_at(param_find(&m, PARAM_RELAY_FROM), &at));
	ck_assert(endpoint_eq(&at, &lab->host[0].at));
	ck_assert(fields_get_udp_at(param_find(&m, PARAM_RELAY_TO), &at));
	ck_assert(endpoint_eq(&at, port));
	ck_assert_ptr_nonnull(param_find(&m, PARAM_RELAY_HMAC));
	p = answer(lab, port, &lab->host[0].at);
	lab_input(lab, 2, &p);
	lab_run(lab);
	ck_assert_uint_eq(sent_num, 2);
	ck_assert(endpoint_eq(&sent.src, port));
	ck_assert(endpoint_eq(&sent.dst, &lab->host[0].at));
	ck_assert_int_eq(param_parse(sent.msg, sent.len, &m), REASON_NUM);
	ck_assert_ptr_null(param_find(&m, PARAM_RELAY_FROM));
	/* Who says no port has it sent from where the question came to. */
	p = answer(lab, NULL, &lab->host[0].at);
	lab_input(lab, 2, &p);
	lab_run(lab);
	ck_assert(endpoint_eq(&sent.src, port));
	p = update(lab, 0, 1, &lab->host[2].at); /* by the control relay */
	lab_input(lab, 2, &p);
	p = answer(lab, NULL, &lab->host[0].at);
	lab_input(lab, 2, &p);
	lab_run(lab);
	ck_assert(endpoint_eq(&sent.src, &lab->host[2].at));
	lab_free(lab);
}
END_TEST

START_TEST(what_does_not_pass_a_port)
{
	struct lab *lab = listening();
	struct endpoint port = data_port(lab, 1)->at;
	struct endpoint other = port;
	struct lab_packet p = update(lab, 0, 3, &port); /* for another */

	dropped(lab, &p, REASON_HIP_NOT_REGISTERED);
	p = update(lab, 0, 2, &port); /* for the relay itself */
	dropped(lab, &p, REASON_HIP_NOT_REGISTERED);
	other.port ^= DATA_PORT ^ (DATA_PORT + 1);
	p = update(lab, 0, 1, &other); /* nobody's */
	dropped(lab, &p, REASON_HIP_NOT_REGISTERED);
	p = update(lab, 0, 1, &port); /* from a port of the relay's */
	p.src = other;
	dropped(lab, &p, REASON_HIP_RELAY_LOOP);
	/* To nobody who has written there, to the relay, from another's. */
	p = answer(lab, &port, &lab->host[0].at);
	dropped(lab, &p, REASON_HIP_RELAY_TO);
	p = update(lab, 0, 1, &lab->host[2].at); /* elsewhere does not count */
	lab_input(lab, 2, &p);
	lab_run(lab);
	p = answer(lab, &port, &lab->host[0].at);
	dropped(lab, &p, REASON_HIP_RELAY_TO);
	p = answer(lab, &port, &other);
	dropped(lab, &p, REASON_HIP_RELAY_LOOP);
	p = answer(lab, &other, &lab->host[0].at);
	dropped(lab, &p, REASON_HIP_RELAY_HMAC);
	p = answer(lab, &lab->host[0].at, &lab->host[0].at);
	dropped(lab, &p, REASON_HIP_RELAY_HMAC);
	lab_free(lab);
}
END_TEST

/* Nothing is sent to a peer that has not written to the port. */
START_TEST(a_peer_is_heard_before_it_is_sent_to)
{
	struct lab *lab = listening();
	struct field_permission f = permission(lab);
	const struct hip_effect *e = &lab->host[2].last[HIP_PERMIT];
	struct lab_packet p = update(lab, 0, 1, &lab->host[2].at);

	lab_input(lab, 2, &p); /* the control relay is not the port */
	ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM);
	ck_assert(!e->permit.heard);
	p = update(lab, 0, 1, &f.relayed);
	lab_input(lab, 2, &p);
	ck_assert(e->permit.heard);
	ck_assert_uint_eq(lab->host[2].count[HIP_PERMIT], 2);
	f.spi_in++;
	f.spi_out++; /* rekeyed: it was heard already */
	ck_assert_int_eq(say(lab, 1, &f, 1), REASON_NUM);
	ck_assert(e->permit.heard);
	lab_free(lab);
}
END_TEST

Suite *test_datarelay_suite(void);
Suite *test_datarelay_suite(void)
{
	Suite *s = suite_create("datarelay");
	TCase *t = tcase_create("all");

	tcase_add_test(t, a_permission_lasts_five_minutes);
	tcase_add_test(t, who_is_no_client_permits_nothing);
	tcase_add_test(t, what_may_not_be_permitted);
	tcase_add_test(t, a_peer_has_a_few_places);
	tcase_add_test(t, no_peer_is_left_without_a_place);
	tcase_add_test(t, permissions_are_as_many_as_there_may_be);
	tcase_add_test(t, a_client_that_may_be_elsewhere_is_sent_nothing);
	tcase_add_test(t, hip_to_a_port_goes_to_its_client_and_back);
	tcase_add_test(t, what_does_not_pass_a_port);
	tcase_add_test(t, a_peer_is_heard_before_it_is_sent_to);
	suite_add_tcase(s, t);
	return s;
}
