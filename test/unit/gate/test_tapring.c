/* SPDX-License-Identifier: MIT */
/* Captures: the ring against a simple twin, and what workers put into it. */
#include "test/unit/gate/loop_bed.h"

#include "cmd/hipgated/tapring.h"
#include "test/unit/gate/quiet/quiet.h"

static struct tapring *r;

static void setup(void)
{
	quiet_begin();
	ck_assert_int_eq(tapring_new(65535, &r), HG_OK);
}

static void teardown(void)
{
	tapring_free(r);
}

START_TEST(nothing_is_read_before_it_is_published)
{
	struct tap_record *rec = tapring_put(r, TAP_TUN_IN, 7, 10);
	const struct tap_record *got;

	ck_assert_ptr_nonnull(rec);
	memcpy(rec->data, "0123456789", 10);
	ck_assert_ptr_null(tapring_peek(r));
	rec->reason = REASON_NO_SA; /* late, but in time */
	tapring_publish(r);
	got = tapring_peek(r);
	ck_assert_ptr_nonnull(got);
	ck_assert_uint_eq(got->len, 10);
	ck_assert_uint_eq(got->caplen, 10);
	ck_assert_uint_eq(got->when, 7);
	ck_assert_uint_eq(got->reason, REASON_NO_SA);
	ck_assert_mem_eq(got->data, "0123456789", 10);
	tapring_done(r, got);
	ck_assert_ptr_null(tapring_peek(r));
}
END_TEST

START_TEST(a_packet_is_cut_to_the_snaplen)
{
	struct tap_record *rec;

	tapring_free(r);
	ck_assert_int_eq(tapring_new(64, &r), HG_OK);
	rec = tapring_put(r, TAP_TUN_IN, 0, 63);
	ck_assert_uint_eq(rec->caplen, 63);
	rec = tapring_put(r, TAP_TUN_IN, 0, 65);
	ck_assert_uint_eq(rec->caplen, 64);
	ck_assert_uint_eq(rec->len, 65);
}
END_TEST

START_TEST(what_is_taken_back_is_not_seen)
{
	struct tap_record *rec = tapring_put(r, TAP_WIRE_IN, 0, 10);

	(void)tapring_put(r, TAP_WIRE_IN, 1, 10);
	rec->kind = TAP_VOID;
	tapring_publish(r);
	ck_assert_uint_eq(tapring_peek(r)->when, 1);
	tapring_done(r, tapring_peek(r));
	ck_assert_ptr_null(tapring_peek(r));
}
END_TEST

START_TEST(a_full_ring_counts_and_keeps_what_it_has)
{
	unsigned put = 0, got = 0;
	const struct tap_record *rec;

	while (tapring_put(r, TAP_TUN_IN, put, 1400))
		put++;
	ck_assert_uint_gt(put, TAPRING_SIZE / 1600);
	ck_assert_uint_eq(atomic_load(&r->lost), 1);
	ck_assert_ptr_null(tapring_put(r, TAP_TUN_IN, 0, 1400));
	ck_assert_uint_eq(atomic_load(&r->lost), 2);
	tapring_publish(r);
	for (; (rec = tapring_peek(r)); got++) {
		ck_assert_uint_eq(rec->when, got);
		tapring_done(r, rec);
	}
	ck_assert_uint_eq(got, put);
	/* And there is room again. */
	ck_assert_ptr_nonnull(tapring_put(r, TAP_TUN_IN, 0, 1400));
}
END_TEST

/* Any lengths, any rhythm of both ends, many times around. The twin is a
 * counter: record n has what n says. */
START_TEST(all_comes_out_as_it_went_in)
{
	enum { RECORDS = 60000 };
	uint32_t seed = 4711;
	uint64_t put = 0, got = 0, lost = 0;
	const struct tap_record *rec;

	while (got < RECORDS) {
		uint32_t burst = (seed = seed * 1664525 + 1013904223) >> 24;

		for (; burst; burst--) {
			size_t len = (put * 7919) % 3000;
			struct tap_record *p =
				tapring_put(r, TAP_TUN_IN, put, len);

			if (!p) {
				lost++;
				break;
			}
			memset(p->data, (int)(put & 0xff), len);
			put++;
		}
		tapring_publish(r);
		burst = (seed = seed * 1664525 + 1013904223) >> 24;
		for (; burst && (rec = tapring_peek(r)); burst--, got++) {
			ck_assert_uint_eq(rec->when, got);
			ck_assert_uint_eq(rec->len, (got * 7919) % 3000);
			if (rec->len)
				ck_assert_uint_eq(rec->data[rec->len - 1],
						  got & 0xff);
			tapring_done(r, rec);
		}
	}
	ck_assert_uint_eq(atomic_load(&r->lost), lost);
}
END_TEST

/* ---- workers ----------------------------------------------------------------- */

static struct loop l;

static unsigned kinds(struct tapring *ring, unsigned of[TAP_KINDS],
		      enum reason *why)
{
	const struct tap_record *rec;
	unsigned n = 0;

	memset(of, 0, TAP_KINDS * sizeof(*of));
	tapring_publish(ring);
	while ((rec = tapring_peek(ring))) {
		of[rec->kind]++;
		n++;
		if (rec->reason != REASON_NUM)
			*why = (enum reason)rec->reason;
		tapring_done(ring, rec);
	}
	return n;
}

START_TEST(a_worker_shows_both_sides_of_a_flow_and_its_fate)
{
	unsigned of[TAP_KINDS];
	unsigned before[QUIET_NUM];
	unsigned after[QUIET_NUM];
	enum reason why = REASON_NUM;
	const struct tap_record *rec;

	loop_begin(&l, 0);
	l.w[0].ring = r;
	loop_send(&l, 0, IP_PROTO_UDP, 0, 100); /* the first return is told */
	loop_out(&l, 0);
	batch_flush(&l.w[0]);
	loop_in(&l, 0);
	ck_assert_uint_eq(kinds(r, of, &why), 4);
	loop_send(&l, 0, IP_PROTO_UDP, 0, 100);
	memcpy(before, quiet_seen, sizeof(before));
	loop_out(&l, 0);
	batch_flush(&l.w[0]);
	loop_in(&l, 0);
	/* style 32; libcheck's own assertions take a lock. */
	memcpy(after, quiet_seen, sizeof(after));
	ck_assert_mem_eq(after, before, sizeof(before));
	tapring_publish(r);
	rec = tapring_peek(r);
	ck_assert_uint_eq(rec->kind, TAP_TUN_IN);
	ck_assert_uint_eq(rec->len, IP6_HDR + UDP_HDR + 100);
	/* As the client sent it: nothing is translated yet. */
	ck_assert_mem_eq(rec->data + 8, &loop_client, 16);
	ck_assert_uint_eq(get_be16(rec->data + IP6_HDR), LOOP_PORT);
	ck_assert_mem_eq(&rec->peer, &loop_peer, 16);
	ck_assert_uint_eq(rec->ext_port, LOOP_PORT);
	ck_assert_uint_eq(rec->spi, LOOP_SPI);
	ck_assert_uint_eq(rec->reason, REASON_NUM);
	ck_assert_uint_eq(kinds(r, of, &why), 4);
	ck_assert_uint_eq(of[TAP_TUN_IN], 1);
	ck_assert_uint_eq(of[TAP_WIRE_OUT], 1);
	ck_assert_uint_eq(of[TAP_WIRE_IN], 1);
	ck_assert_uint_eq(of[TAP_TUN_OUT], 1);
	ck_assert_int_eq(why, REASON_NUM);
	l.w[0].ring = NULL;
	loop_end(&l);
}
END_TEST

START_TEST(a_worker_shows_why_it_dropped)
{
	static uint8_t buf[TUN_VNET_HDR + 2048];
	unsigned of[TAP_KINDS];
	enum reason why = REASON_NUM;
	struct sockaddr_storage ss;
	uint8_t esp[64] = { 0 };
	socklen_t len;
	size_t n;

	loop_begin(&l, 0);
	l.w[0].ring = r;
	/* To an address that nobody was given: dropped, and ICMP. */
	n = loop_packet(buf, IP_PROTO_UDP, 9, 0, 10);
	ck_assert_int_eq(write(l.tun[0], buf, n), (ssize_t)n);
	loop_out(&l, 0);
	ck_assert_uint_eq(kinds(r, of, &why), 2);
	ck_assert_uint_eq(of[TAP_TUN_IN], 1);
	ck_assert_uint_eq(of[TAP_TUN_OUT], 1);
	ck_assert_int_eq(why, REASON_NO_MAPPING);
	/* Forged ESP. */
	put_be32(esp, LOOP_SPI);
	esp[7] = 1;
	len = sockets_address(&l.at, &ss);
	ck_assert_int_eq(sendto(l.plane.sockets.fd[0][2], esp, sizeof(esp), 0,
				(struct sockaddr *)&ss, len),
			 sizeof(esp));
	loop_in(&l, 0);
	ck_assert_uint_eq(kinds(r, of, &why), 1);
	ck_assert_uint_eq(of[TAP_WIRE_IN], 1);
	ck_assert_int_eq(why, REASON_ESP_AUTH);
	l.w[0].ring = NULL;
	loop_end(&l);
}
END_TEST

START_TEST(a_full_ring_stops_no_packet)
{
	uint32_t seq = 0;

	loop_begin(&l, 0);
	while (tapring_put(r, TAP_TUN_IN, 0, 60000))
		;
	while (tapring_put(r, TAP_TUN_IN, 0, 0))
		;
	l.w[0].ring = r;
	loop_send(&l, 0, IP_PROTO_UDP, 0, 100);
	loop_out(&l, 0);
	batch_flush(&l.w[0]);
	loop_in(&l, 0);
	ck_assert_uint_eq(loop_receive(&l, 0, &seq), 1);
	ck_assert_uint_eq(atomic_load(&r->lost), 2 + 4);
	l.w[0].ring = NULL;
	loop_end(&l);
}
END_TEST

Suite *test_tapring_suite(void)
{
	Suite *s = suite_create("tapring");
	TCase *tc = tcase_create("tapring");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_is_read_before_it_is_published);
	tcase_add_test(tc, a_packet_is_cut_to_the_snaplen);
	tcase_add_test(tc, what_is_taken_back_is_not_seen);
	tcase_add_test(tc, a_full_ring_counts_and_keeps_what_it_has);
	tcase_add_test(tc, all_comes_out_as_it_went_in);
	tcase_add_test(tc, a_worker_shows_both_sides_of_a_flow_and_its_fate);
	tcase_add_test(tc, a_worker_shows_why_it_dropped);
	tcase_add_test(tc, a_full_ring_stops_no_packet);
	suite_add_tcase(s, tc);
	return s;
}
