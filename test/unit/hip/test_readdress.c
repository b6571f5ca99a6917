/* SPDX-License-Identifier: MIT */
/* Readdressing in three UPDATEs, and what is refused. */
#include "test/unit/hip/move_bed.h"

#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/locator.h"

START_TEST(a_host_that_moves_is_followed)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_move(lab, _i, "203.0.113.7");
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	if (_i == 0) {
		ck_assert(bed_is(lab, 0, "203.0.113.7", "192.0.2.2"));
		ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.7"));
	} else {
		ck_assert(bed_is(lab, 1, "203.0.113.7", "192.0.2.1"));
		ck_assert(bed_is(lab, 0, "192.0.2.1", "203.0.113.7"));
	}
	ck_assert_uint_eq(n.lost, 0);
	/* And no more is said about it. */
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	ck_assert(bed_happened(lab, _i, HIP_PATH_MOVED));
	ck_assert(bed_happened(lab, !_i, HIP_PATH_ANNOUNCED));
	ck_assert(bed_happened(lab, !_i, HIP_PATH_VERIFIED));
	lab_free(lab);
}
END_TEST

/* The patent's Figure 4. */
START_TEST(from_ipv4_to_ipv6_and_back)
{
	static const char *const both[] = { "192.0.2.2", "2001:db8::2" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_here(lab, 1, both, 2);
	lab_sleep(lab, LAB_S);
	ck_assert(bed_is(lab, 0, "192.0.2.1", "192.0.2.2"));
	/* Now that its peer is known to be in both, it may change over. */
	bed_move(lab, 0, "2001:db8::1");
	lab_sleep(lab, LAB_S);
	ck_assert(bed_is(lab, 0, "2001:db8::1", "2001:db8::2"));
	ck_assert(bed_is(lab, 1, "2001:db8::2", "2001:db8::1"));
	bed_move(lab, 0, "192.0.2.1");
	lab_sleep(lab, LAB_S);
	ck_assert(bed_is(lab, 0, "192.0.2.1", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	lab_free(lab);
}
END_TEST

/* Keeps UPDATEs as they leave. */
struct record {
	struct bed_net n;
	struct lab_packet p[8];
	size_t num;
};

static bool record_hook(struct lab *lab, struct lab_packet *p)
{
	struct record *r = lab->hook_arg;

	if (p->msg[2] == HIP_UPDATE && r->num < 8)
		r->p[r->num++] = *p;
	return bed_hook(lab, p);
}

static bool has(const struct lab_packet *p, enum param id)
{
	struct hip_msg m;

	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	return param_find(&m, id);
}

/* RFC 8046 3.2.1, Figure 3. */
START_TEST(the_three_updates_are_those_of_the_figure)
{
	struct record r = { .num = 0 };
	struct lab *lab = bed_up(&r.n);
	struct endpoint at = bed_at("203.0.113.7");
	struct field_esp_info info;
	struct hip_msg m;

	lab->hook = record_hook;
	bed_move(lab, 0, "203.0.113.7");
	lab_run(lab);
	ck_assert_uint_eq(r.num, 3);
	ck_assert(has(&r.p[0], PARAM_ESP_INFO) &&
		  has(&r.p[0], PARAM_LOCATOR_SET) && has(&r.p[0], PARAM_SEQ) &&
		  !has(&r.p[0], PARAM_ACK));
	ck_assert(endpoint_eq(&r.p[0].src, &at));
	ck_assert(has(&r.p[1], PARAM_ESP_INFO) && has(&r.p[1], PARAM_SEQ) &&
		  has(&r.p[1], PARAM_ACK) &&
		  has(&r.p[1], PARAM_ECHO_REQUEST_SIGNED) &&
		  !has(&r.p[1], PARAM_LOCATOR_SET));
	ck_assert(endpoint_eq(&r.p[1].dst, &at));
	ck_assert(has(&r.p[2], PARAM_ACK) && !has(&r.p[2], PARAM_SEQ) &&
		  has(&r.p[2], PARAM_ECHO_RESPONSE_SIGNED));
	/* OLD = NEW = the SPI that is there, in both. */
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(param_parse(r.p[i].msg, r.p[i].len, &m),
				 REASON_NUM);
		ck_assert(fields_get_esp_info(param_find(&m, PARAM_ESP_INFO),
					      &info));
		ck_assert_uint_eq(info.old_spi, lab->host[i].sa.spi_in);
		ck_assert_uint_eq(info.new_spi, lab->host[i].sa.spi_in);
	}
	lab_free(lab);
}
END_TEST

START_TEST(each_of_the_three_may_be_lost)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	unsigned lost = 0;

	bed_move(lab, 0, "203.0.113.7");
	while (lab->head != lab->tail) {
		/* The n-th packet is lost, once. */
		if (lost++ == (unsigned)_i) {
			lab->head++;
			break;
		}
		struct lab_packet p = lab->queue[lab->head++ % LAB_QUEUE];
		size_t to = !p.from;

		lab_input(lab, to, &p);
	}
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(bed_is(lab, 0, "203.0.113.7", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.7"));
	lab_free(lab);
}
END_TEST

/* ---- credit ---------------------------------------------------------------- */

static struct hip_effect located(struct lab *lab, size_t i)
{
	ck_assert_uint_gt(lab->host[i].count[HIP_LOCATOR], 0);
	return lab->host[i].last[HIP_LOCATOR];
}

/* The old address is gone: what is not proved yet is used, within what came
 * from there (RFC 8046 5.6). */
START_TEST(an_address_not_proved_has_the_credit_there_is)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct endpoint to = bed_at("203.0.113.7");
	struct lab_packet p;
	struct hip_effect e;

	bed_received(lab, 1, 8000);
	lab->now += 5 * LAB_S; /* aged once */
	bed_received(lab, 1, 1000);
	bed_move(lab, 0, "203.0.113.7");
	p = lab->queue[lab->head++ % LAB_QUEUE];
	ck_assert_uint_eq(lab->head, lab->tail);
	lab_input(lab, 1, &p);
	e = located(lab, 1);
	ck_assert(endpoint_eq(&e.peer_at, &to));
	ck_assert(!e.verified && e.committed);
	ck_assert_uint_eq(e.credit, 8000 / 8 * 7 + 1000);
	ck_assert(!view(lab, 1).verified);
	/* What comes meanwhile is granted on top. */
	bed_received(lab, 1, 300);
	e = located(lab, 1);
	ck_assert(!e.verified);
	ck_assert_uint_eq(e.credit, 300);
	lab_run(lab);
	e = located(lab, 1);
	ck_assert(e.verified);
	ck_assert(endpoint_eq(&e.peer_at, &to));
	/* Proved: nothing is granted any more. */
	lab->host[1].count[HIP_LOCATOR] = 0;
	bed_received(lab, 1, 300);
	ck_assert_uint_eq(lab->host[1].count[HIP_LOCATOR], 0);
	lab_free(lab);
}
END_TEST

START_TEST(credit_grows_old)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	uint64_t want = 100000;

	bed_received(lab, 1, want);
	for (int i = 0; i < 7; i++)
		want = want / 8 * 7;
	lab->now += 36 * LAB_S;
	bed_received(lab, 1, 0);
	ck_assert_uint_eq(assoc(lab, 1)->credit, want);
	lab->now += 3600 * LAB_S;
	bed_received(lab, 1, 0);
	ck_assert_uint_eq(assoc(lab, 1)->credit, 0);
	lab_free(lab);
}
END_TEST

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
};

static void put_locators(struct msg_builder *b, const struct say *s,
			 uint32_t spi)
{
	struct locator_set set = { .num = 0 };

	for (size_t i = 0; i < 3 && s->at[i]; i++)
		set.v[set.num++] =
			(struct locator){ bed_at(s->at[i]), spi, 600, i == 0 };
	if (!s->many) {
		locator_put(b, &set);
		return;
	}
	/* The shortest there are, of a type that nobody knows. */
	uint8_t *p = message_reserve(b, PARAM_LOCATOR_SET, s->many * 8);

	for (unsigned i = 0; i < s->many; i++) {
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
		.keymat_index = a->keys->keymat_next,
		.old_spi = s->old_spi == 1 ? spi : s->old_spi,
		.new_spi = s->new_spi == 1 ? spi : s->new_spi
	};
	struct msg_builder b;
	const uint8_t *host_id;
	size_t len;

	message_begin(&b, HIP_UPDATE, &a->self, &a->peer);
	if (!s->no_esp)
		fields_put_esp_info(&b, &info);
	put_locators(&b, s, s->no_esp ? 0 : info.new_spi);
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

	n.cut[n.cut_num++] = lab->host[0].at;
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
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "203.0.113.7").state,
			 HIP_PATH_UNVERIFIED);
	lab_free(lab);
}
END_TEST

START_TEST(a_replayed_move_moves_nothing)
{
	struct record r = { .num = 0 };
	struct lab *lab = bed_up(&r.n);
	struct snap was;

	lab->hook = record_hook;
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

/* ---- together with other UPDATEs ------------------------------------------------ */

START_TEST(a_move_in_the_middle_of_a_rekey_is_prompt)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	lab->hold_jobs = true;
	ck_assert_int_eq(rekey(lab, 0, false), HG_OK);
	lab->hold_jobs = false;
	if (_i == 0) /* its UPDATE has not left yet */
		bed_move(lab, 0, "203.0.113.7");
	lab_release(lab);
	if (_i == 1) /* it is under way, and is lost */
		lab->head = lab->tail;
	if (_i == 2) /* the answer is */
		lab_input(lab, 1, &lab->queue[lab->head++ % LAB_QUEUE]);
	if (_i == 2)
		lab->head = lab->tail;
	if (_i)
		bed_move(lab, 0, "203.0.113.7");
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(bed_is(lab, 0, "203.0.113.7", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.7"));
	ck_assert_uint_eq(view(lab, 0).rekeys, 1);
	ck_assert_uint_eq(view(lab, 1).rekeys, 1);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

/* One after the other, before the first is answered. */
START_TEST(the_last_of_several_moves_counts)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	char text[ADDR_TEXT_MAX];

	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "203.0.113.%d", i + 1);
		bed_move(lab, 0, text);
	}
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(bed_is(lab, 0, "203.0.113.5", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.5"));
	lab_free(lab);
}
END_TEST

START_TEST(one_address_less_and_one_more_cost_one_update)
{
	static const char *const two[] = { "192.0.2.1", "203.0.113.1" };
	static const char *const three[] = { "192.0.2.1", "203.0.113.1",
					     "203.0.113.2" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_here(lab, 0, two, 2);
	lab_sleep(lab, 50 * LAB_MS);
	bed_here(lab, 0, three, 3);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0); /* not settled */
	lab_sleep(lab, 99 * LAB_MS);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	ck_assert_uint_eq(bed_paths(lab, 1), 3);
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "203.0.113.1").state,
			 HIP_PATH_ACTIVE);
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "203.0.113.2").state,
			 HIP_PATH_ACTIVE);
	lab_free(lab);
}
END_TEST

Suite *test_readdress_suite(void);
Suite *test_readdress_suite(void)
{
	Suite *s = suite_create("readdress");
	TCase *t = tcase_create("readdress");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_host_that_moves_is_followed, 0, 2);
	tcase_add_test(t, from_ipv4_to_ipv6_and_back);
	tcase_add_test(t, the_three_updates_are_those_of_the_figure);
	tcase_add_loop_test(t, each_of_the_three_may_be_lost, 0, 3);
	tcase_add_test(t, an_address_not_proved_has_the_credit_there_is);
	tcase_add_test(t, credit_grows_old);
	tcase_add_loop_test(t, a_bad_locator_set_moves_nothing, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_loop_test(t, a_good_locator_set_is_asked_about, 0,
			    sizeof(fine) / sizeof(fine[0]));
	tcase_add_test(t, a_victim_gets_three_probes_and_no_more);
	tcase_add_loop_test(t, an_ack_without_the_nonce_proves_nothing, 0, 2);
	tcase_add_test(t, a_replayed_move_moves_nothing);
	tcase_add_loop_test(t, a_move_in_the_middle_of_a_rekey_is_prompt, 0, 3);
	tcase_add_test(t, the_last_of_several_moves_counts);
	tcase_add_test(t, one_address_less_and_one_more_cost_one_update);
	suite_add_tcase(s, t);
	return s;
}
