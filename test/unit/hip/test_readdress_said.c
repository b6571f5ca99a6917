/* SPDX-License-Identifier: MIT */
/* What a peer says of its addresses in UPDATE, true or not. */
#include "test/unit/hip/move_bed.h"

#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/locset.h"
#include "hip/readdress.h"

/* ---- forged by a peer that has the keys ---------------------------------------- */

struct say {
	const char *at[3]; /* locators; the first is preferred */
	uint32_t old_spi;  /* 1: the true one */
	uint32_t new_spi;
	bool no_esp;
	unsigned many; /* that many instead */
	bool host_id;  /* with a HOST_ID, */
	bool stranger; /*  of somebody else */
	bool bad_mac;
	uint16_t index; /* KEYMAT Index; 0: the next one */
};

/* The shortest there are, of a type that nobody knows. */
static void put_many(struct msg_builder *b, unsigned num)
{
	uint8_t *p = message_reserve(b, PARAM_LOCATOR_SET, num * 8);

	for (unsigned i = 0; i < num; i++) {
		p[i * 8 + 1] = 9;
		p[i * 8 + 7] = 1;
	}
}

static struct lab_packet say(struct lab *lab, const struct say *s, uint32_t seq)
{
	struct lab_packet p = { .src = lab->host[0].at,
				.dst = lab->host[1].at };
	struct assoc *a = assoc(lab, 0);
	uint32_t spi = lab->host[0].sa.spi_in;
	struct field_esp_info info = {
		.keymat_index = s->index ? s->index : a->keys->keymat_next,
		.old_spi = s->old_spi == 1 ? spi : s->old_spi,
		.new_spi = s->new_spi == 1 ? spi : s->new_spi
	};
	struct msg_builder b;
	const uint8_t *host_id;
	size_t len;

	message_begin(&b, HIP_UPDATE, &a->self, &a->peer);
	if (!s->no_esp)
		fields_put_esp_info(&b, &info);
	if (s->many)
		put_many(&b, s->many);
	else if (s->at[0])
		bed_put_set(&b, s->at, 3, s->no_esp ? 0 : info.new_spi);
	fields_put_seq(&b, seq);
	host_id = identity_host_id(lab->host[s->stranger].h->id[0], &len);
	if (s->host_id)
		message_put(&b, PARAM_HOST_ID, host_id, len);
	ck_assert_int_eq(auth_put_mac(&b, a->keys->rhash,
				      s->bad_mac ? a->keys->hip.mac_in
						 : a->keys->hip.mac_out),
			 0);
	ck_assert_int_eq(auth_put_signature(&b, a->id), 0);
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	return p;
}

/* What refuses it, with nothing changed. */
static const struct refusal {
	struct say say;
	enum reason why;
} refusals[] = {
	{ { .at = { "127.0.0.1" }, .old_spi = 1, .new_spi = 1 },
	  REASON_HIP_LOCATOR_ADDR },
	{ { .at = { "203.0.113.7", "224.0.0.5" }, .old_spi = 1, .new_spi = 1 },
	  REASON_HIP_LOCATOR_ADDR },
	{ { .at = { "198.18.3.4" }, .old_spi = 1, .new_spi = 1 },
	  REASON_HIP_LOCATOR_BARRED },
	{ { .many = 200, .old_spi = 1, .new_spi = 1 },
	  REASON_HIP_LOCATOR_MANY },
	{ { .many = 3, .old_spi = 1, .new_spi = 1 }, REASON_HIP_LOCATOR_TYPE },
	/* RFC 8046 5.3, the cases that are none of ours */
	{ { .at = { "203.0.113.7" }, .old_spi = 0x5555, .new_spi = 0x5555 },
	  REASON_HIP_SPI },
	{ { .at = { "203.0.113.7" }, .old_spi = 1, .new_spi = 0 },
	  REASON_HIP_SPI },
	{ { .at = { "203.0.113.7" }, .old_spi = 0, .new_spi = 0x6666 },
	  REASON_HIP_SPI },
	{ { .at = { "203.0.113.7" }, .old_spi = 0, .new_spi = 0 },
	  REASON_HIP_SPI },
	{ { .at = { "203.0.113.7" },
	    .old_spi = 1,
	    .new_spi = 1,
	    .host_id = true,
	    .stranger = true },
	  REASON_HIP_BAD_HIT },
	{ { .at = { "203.0.113.7" },
	    .old_spi = 1,
	    .new_spi = 1,
	    .bad_mac = true },
	  REASON_HIP_MAC },
};

static void bar_pool(struct lab *lab, size_t i)
{
	struct prefix pool;

	ck_assert_int_eq(prefix_parse("198.18.0.0/15", &pool), HG_OK);
	ck_assert_int_eq(hip_set_barred(lab->host[i].h, &pool, 1), HG_OK);
}

START_TEST(a_bad_locator_set_moves_nothing)
{
	const struct refusal *f = &refusals[_i];
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct lab_packet p = say(lab, &f->say, 0);
	uint64_t before;
	struct snap was;

	bar_pool(lab, 1);
	before = lab_drops(lab, 1, f->why);
	bed_traffic(lab, 1, true); /* it is heard, after all */
	assoc_arm(lab->host[1].h, assoc(lab, 1));
	snap_take(lab, 1, &was);
	lab_input(lab, 1, &p);
	snap_same(lab, 1, &was, false);
	ck_assert_uint_eq(lab_drops(lab, 1, f->why), before + 1);
	ck_assert_ptr_null(assoc(lab, 1)->paths);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_free(lab);
}
END_TEST

static const struct say fine[] = {
	{ .at = { "203.0.113.7" }, .old_spi = 1, .new_spi = 1 },
	{ .at = { "203.0.113.7", "192.0.2.1" }, .old_spi = 1, .new_spi = 1 },
	{ .at = { "203.0.113.7" }, .no_esp = true },
	{ .at = { "203.0.113.7" },
	  .old_spi = 1,
	  .new_spi = 1,
	  .host_id = true },
	/* OLD = NEW: any KEYMAT Index will do (checklist, choice 20). */
	{ .at = { "203.0.113.7" }, .old_spi = 1, .new_spi = 1, .index = 9 },
	/* Half of a rekey comes along. */
	{ .at = { "203.0.113.7" }, .old_spi = 1, .new_spi = 0x7777 },
};

/* Its twin: the same, but right. */
START_TEST(a_good_locator_set_is_asked_about)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct lab_packet p = say(lab, &fine[_i], 0);

	bar_pool(lab, 1);
	n.victim = bed_at("203.0.113.7");
	n.cut[n.cut_num++] = lab->host[0].at; /* it says no more */
	lab_input(lab, 1, &p);
	lab_run(lab);
	ck_assert_uint_eq(n.to_victim, 1);
	ck_assert_ptr_nonnull(assoc(lab, 1)->paths);
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "203.0.113.7").state,
			 HIP_PATH_UNVERIFIED);
	lab_free(lab);
}
END_TEST

/* What is silent is where the peer was: the first answer by a third way must
 * not be the end of the second. */
START_TEST(who_follows_the_peer_suspects_its_old_place_alone)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct say s = { .at = { "203.0.113.7" }, .old_spi = 1, .new_spi = 1 };
	struct lab_packet p = say(lab, &s, 0);

	p.src = bed_at("203.0.113.7");
	assoc(lab, 1)->suspect = true;
	lab_input(lab, 1, &p);
	ck_assert(endpoint_eq(&assoc(lab, 1)->peer_at, &p.src));
	ck_assert(!assoc(lab, 1)->suspect);
	lab_free(lab);
}
END_TEST

/* Checklist, choice 19. */
START_TEST(an_address_without_a_port_is_at_its_sources_or_at_10500)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct say s = { .at = { "192.0.2.1", "203.0.113.7", "203.0.113.8:99" },
			 .old_spi = 1,
			 .new_spi = 1 };
	struct lab_packet p = say(lab, &s, 0);

	p.src.port = 4711;
	n.cut[n.cut_num++] = lab->host[0].at;
	lab_input(lab, 1, &p);
	lab_run(lab);
	(void)bed_path(lab, 1, "192.0.2.2", "192.0.2.1:4711");
	(void)bed_path(lab, 1, "192.0.2.2", "203.0.113.7:10500");
	(void)bed_path(lab, 1, "192.0.2.2", "203.0.113.8:99");
	ck_assert_uint_eq(bed_paths(lab, 1), 3);
	lab_free(lab);
}
END_TEST

/* It came by another link: nothing new of the port that a NAT has made. */
START_TEST(an_address_without_a_port_is_where_it_has_answered)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct say s = { .at = { "192.0.2.1", "203.0.113.7" },
			 .old_spi = 1,
			 .new_spi = 1 };
	struct paths *p = paths_make(lab->host[1].h, assoc(lab, 1));
	struct lab_packet u = say(lab, &s, 0);

	n.cut[n.cut_num++] = bed_at("203.0.113.7");
	assoc(lab, 1)->peer_at.port = 4711;
	p->peer[0].at.port = 4711;
	if (_i) { /* not where we send */
		p->peer[p->peer_num] = p->peer[0];
		p->peer[p->peer_num].at = bed_at("203.0.113.8");
		assoc(lab, 1)->peer_at = p->peer[p->peer_num++].at;
	}
	paths_rebuild(lab->host[1].h, assoc(lab, 1));
	u.src = bed_at("203.0.113.7");
	lab_input(lab, 1, &u);
	(void)bed_path(lab, 1, "192.0.2.2", "203.0.113.7");
	ck_assert_uint_eq(bed_paths(lab, 1), 2);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1:4711"));
	lab_free(lab);
}
END_TEST

/* A peer lists somebody else: three small packets, whatever it does. */
START_TEST(a_victim_gets_three_probes_and_no_more)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct say s = { .at = { "203.0.113.7", "192.0.2.1" },
			 .old_spi = 1,
			 .new_spi = 1 };
	struct lab_packet p = say(lab, &s, 0);
	size_t one;

	n.victim = bed_at("203.0.113.7");
	/* The peer hears nothing of what the victim gets. */
	lab_input(lab, 1, &p);
	lab_run(lab);
	one = n.victim_octets;
	ck_assert_uint_gt(one, 0);
	for (int i = 0; i < 120; i++) {
		bed_traffic(lab, 1, false);
		bed_traffic(lab, 1, true);
		lab_sleep(lab, LAB_S);
	}
	ck_assert_uint_le(n.to_victim, 3);
	ck_assert_uint_le(n.victim_octets, 3 * one);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "203.0.113.7").state,
			 HIP_PATH_DEAD);
	lab_free(lab);
}
END_TEST

/* To be named again earns new probes, but not at once (FORGIVE). */
START_TEST(a_victim_named_again_is_asked_again_after_a_while)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct say s = { .at = { "203.0.113.7", "192.0.2.1" },
			 .old_spi = 1,
			 .new_spi = 1 };
	struct lab_packet p;

	n.victim = bed_at("203.0.113.7");
	for (uint32_t seq = 0; seq < 5; seq++) {
		p = say(lab, &s, seq);
		lab_input(lab, 1, &p);
		lab_sleep(lab, 900 * LAB_MS);
	}
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_le(n.to_victim, 3);
	p = say(lab, &s, 5);
	lab_input(lab, 1, &p);
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_gt(n.to_victim, 3);
	ck_assert_uint_le(n.to_victim, 6);
	lab_free(lab);
}
END_TEST

/* The answer comes from the victim's address, but its nonce never went to
 * where the peer is. */
START_TEST(an_ack_without_the_nonce_proves_nothing)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct lab_packet p = say(lab, &fine[0], 0);
	struct assoc *a = assoc(lab, 0);
	struct field_ack ack = { .num = 1 };
	struct msg_builder b;
	uint8_t guess[16] = { 1 };

	/* From there, so that the question goes nowhere else. */
	p.src = bed_at("203.0.113.7");
	lab_input(lab, 1, &p);
	lab_run(lab);
	ack.id[0] = assoc(lab, 1)->up.next_id - 1;
	message_begin(&b, HIP_UPDATE, &a->self, &a->peer);
	fields_put_ack(&b, &ack);
	if (_i)
		message_put(&b, PARAM_ECHO_RESPONSE_SIGNED, guess, 16);
	ck_assert_int_eq(auth_put_mac(&b, a->keys->rhash, a->keys->hip.mac_out),
			 0);
	ck_assert_int_eq(auth_put_signature(&b, a->id), 0);
	if (_i)
		message_put(&b, PARAM_ECHO_RESPONSE_UNSIGNED, guess, 16);
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	p.src = bed_at("203.0.113.7");
	lab_input(lab, 1, &p);
	ck_assert(!view(lab, 1).verified);
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "203.0.113.7").state,
			 HIP_PATH_UNVERIFIED);
	lab_free(lab);
}
END_TEST

START_TEST(a_replayed_move_moves_nothing)
{
	struct bed_record r = { .num = 0 };
	struct lab *lab = bed_up(&r.n);
	struct snap was;

	lab->hook = bed_record_hook;
	bed_move(lab, 0, "203.0.113.7");
	lab_run(lab);
	bed_move(lab, 0, "203.0.113.8");
	lab_run(lab);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.8"));
	lab_sleep(lab, LAB_S);
	for (size_t i = 0; i < 3; i++) {
		snap_take(lab, 1, &was);
		if (r.p[i].from != 0)
			continue;
		lab_input(lab, 1, &r.p[i]);
		ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.8"));
		ck_assert_uint_eq(bed_paths(lab, 1), 1);
	}
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 2);
	lab_free(lab);
}
END_TEST

/* UPDATEs are processed as they come (RFC 7401 6.12), but a set says where the
 * peer is, and the newer one knows better. */
START_TEST(a_set_that_was_overtaken_is_acknowledged_alone)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	const struct say two = { .at = { "192.0.2.1", "203.0.113.7" },
				 .old_spi = 1,
				 .new_spi = 1 };
	const struct say one = { .at = { "192.0.2.1" },
				 .old_spi = 1,
				 .new_spi = 1 };
	struct lab_packet p[] = { say(lab, &two, 0), say(lab, &one, 1),
				  say(lab, &two, 2) };

	n.victim = bed_at("203.0.113.7");
	lab_input(lab, 1, &p[1]);
	lab_input(lab, 1, &p[0]);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_LOCATOR_OLD), 1);
	ck_assert_uint_eq(bed_paths(lab, 1), 1);
	ck_assert_uint_eq(n.to_victim, 0);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2);
	lab_input(lab, 1, &p[2]);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_LOCATOR_OLD), 1);
	ck_assert_uint_eq(bed_paths(lab, 1), 2);
	lab_free(lab);
}
END_TEST

START_TEST(a_newer_word_without_a_set_overtakes_none)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	const struct say none = { .no_esp = true };
	const struct say two = { .at = { "192.0.2.1", "203.0.113.7" },
				 .old_spi = 1,
				 .new_spi = 1 };
	struct lab_packet p[] = { say(lab, &two, 0), say(lab, &none, 1) };

	lab_input(lab, 1, &p[1]);
	lab_input(lab, 1, &p[0]);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_LOCATOR_OLD), 0);
	ck_assert_uint_eq(bed_paths(lab, 1), 2);
	lab_free(lab);
}
END_TEST

static void seen_from(struct lab *lab, const char *text)
{
	struct endpoint seen;

	ck_assert_int_eq(endpoint_parse(text, 1, &seen), HG_OK);
	hip_seen_from(lab->host[1].h, &lab->host[1].hit, &lab->host[0].hit,
		      &seen, &lab->host[1].at, lab->now);
	lab_effects(lab, 1);
	bed_traffic(lab, 1, false);
	bed_traffic(lab, 1, true);
}

/* One IP address, and as many ports as there is room for: what there is, and
 * from then on one question for a packet that is forged, now and then. */
START_TEST(a_victims_ports_are_one_victim)
{
	static const char *const at[] = { "203.0.113.7:1", "203.0.113.7:2",
					  "203.0.113.7:3", "203.0.113.7:4",
					  "203.0.113.7:5", "203.0.113.7:6" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct assoc *a = assoc(lab, 1);
	unsigned asked = 0;

	ck_assert_ptr_nonnull(paths_make(lab->host[1].h, a));
	for (size_t i = 0; i < 6; i++) {
		ck_assert_int_eq(endpoint_parse(at[i], 1, &n.victim), HG_OK);
		n.to_victim = 0;
		seen_from(lab, at[i]);
		lab_sleep(lab, 12 * LAB_S);
		ck_assert_uint_le(n.to_victim, i < 2 ? 3 : 1);
		asked += n.to_victim;
	}
	ck_assert_uint_gt(asked, 0);
	seen_from(lab, "203.0.113.7:7");
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_CHECKS_QUOTA), 0);
	lab_sleep(lab, 2 * LAB_S);
	seen_from(lab, "203.0.113.7:8");
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_CHECKS_QUOTA), 1);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	lab_free(lab);
}
END_TEST

/* A replay whose UPDATE waits for a rekey is looked at once more: it is no news,
 * and earns no question. */
START_TEST(the_same_set_once_more_is_no_move)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct assoc *a = assoc(lab, 1);
	struct endpoint from = bed_at("192.0.2.1");
	struct packet pk = { .from = &from,
			     .at = &lab->host[1].at,
			     .now = lab->now };
	struct readdress_offer o = { .has = true, .again = _i };

	o.set.num = 1;
	o.set.v[0] = (struct locator){ .at = from, .lifetime_s = 600 };
	ck_assert_ptr_nonnull(paths_make(lab->host[1].h, a));
	a->seen_at = 7;
	readdress_apply(lab->host[1].h, a, &o, &pk);
	ck_assert_uint_eq(a->seen_at, _i ? 7 : 0);
	ck_assert_int_eq(a->paths->v[0].unsure, !_i);
	lab_free(lab);
}
END_TEST

Suite *test_readdress_said_suite(void);
Suite *test_readdress_said_suite(void)
{
	Suite *s = suite_create("readdress_said");
	TCase *t = tcase_create("readdress_said");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_bad_locator_set_moves_nothing, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_loop_test(t, a_good_locator_set_is_asked_about, 0,
			    sizeof(fine) / sizeof(fine[0]));
	tcase_add_test(t,
		       an_address_without_a_port_is_at_its_sources_or_at_10500);
	tcase_add_loop_test(
		t, an_address_without_a_port_is_where_it_has_answered, 0, 2);
	tcase_add_test(t, who_follows_the_peer_suspects_its_old_place_alone);
	tcase_add_test(t, a_victim_gets_three_probes_and_no_more);
	tcase_add_test(t, a_victim_named_again_is_asked_again_after_a_while);
	tcase_add_loop_test(t, an_ack_without_the_nonce_proves_nothing, 0, 2);
	tcase_add_test(t, a_replayed_move_moves_nothing);
	tcase_add_test(t, a_set_that_was_overtaken_is_acknowledged_alone);
	tcase_add_test(t, a_newer_word_without_a_set_overtakes_none);
	tcase_add_loop_test(t, the_same_set_once_more_is_no_move, 0, 2);
	tcase_add_test(t, a_victims_ports_are_one_victim);
	suite_add_tcase(s, t);
	return s;
}
