/* SPDX-License-Identifier: MIT */
/* UPDATE: acknowledged, repeated, refused. */
#include "test/unit/hip/snap.h"

#include "hip/assoc.h"
#include "hip/auth.h"
#include "hip/dh.h"
#include "hip/engine.h"
#include "hip/fields.h"
#include "hip/update.h"

static struct lab *up(void)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);

	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	return lab;
}

static struct assoc *assoc(struct lab *lab, size_t i)
{
	return assoc_find(&lab->host[i].h->assocs, &lab->host[i].hit,
			  &lab->host[!i].hit);
}

/* An UPDATE by host 0, signed and all, as its own engine could make it. */
static struct lab_packet update(struct lab *lab, const uint32_t *seq,
				const uint32_t *ack)
{
	struct lab_packet p = { .src = lab->host[0].at,
				.dst = lab->host[1].at };
	struct assoc *a = assoc(lab, 0);
	struct field_ack f = { .num = 1 };
	struct msg_builder b;

	message_begin(&b, HIP_UPDATE, &a->self, &a->peer);
	if (seq)
		fields_put_seq(&b, *seq);
	if (ack) {
		f.id[0] = *ack;
		fields_put_ack(&b, &f);
	}
	/* Something from the future, not critical. */
	message_put(&b, PARAM_NOTIFICATION, "\0\0\0\0", 4);
	ck_assert_int_eq(auth_put_mac(&b, a->keys->rhash, a->keys->hip.mac_out),
			 0);
	ck_assert_int_eq(auth_put_signature(&b, a->id), 0);
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	return p;
}

static bool keep(struct lab *lab, struct lab_packet *p)
{
	*(struct lab_packet *)lab->hook_arg = *p;
	return false;
}

START_TEST(an_update_is_acknowledged_and_ends_r2_sent)
{
	struct lab *lab = up();
	struct lab_packet out = { .len = 0 };
	uint32_t seq = 0;
	struct lab_packet p = update(lab, &seq, NULL);
	struct field_ack ack;
	struct hip_msg m;

	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	lab->hook = keep;
	lab->hook_arg = &out;
	lab_input(lab, 1, &p);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
	ck_assert_int_eq(param_parse(out.msg, out.len, &m), REASON_NUM);
	ck_assert_ptr_null(param_find(&m, PARAM_SEQ));
	ck_assert(fields_get_ack(param_find(&m, PARAM_ACK), &ack));
	ck_assert_uint_eq(ack.num, 1);
	ck_assert_uint_eq(ack.id[0], 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_repeated_update_is_acknowledged_again_but_not_too_often)
{
	struct lab *lab = up();
	uint32_t seq = 0;
	struct lab_packet p = update(lab, &seq, NULL);

	lab->hook = NULL;
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 1);
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2);
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2);
	lab->now += 101 * LAB_MS;
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 3);
	lab_free(lab);
}
END_TEST

/* RFC 7401 6.12.1 step 2: also one that was not the last. */
START_TEST(an_earlier_update_is_acknowledged_again_too)
{
	struct lab *lab = up();
	struct lab_packet out = { .len = 0 };
	struct lab_packet p;
	struct field_ack ack;
	struct hip_msg m;

	for (uint32_t seq = 0; seq < 3; seq++) {
		p = update(lab, &seq, NULL);
		lab_input(lab, 1, &p);
	}
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	lab_run(lab);
	lab->hook = keep;
	lab->hook_arg = &out;
	p = update(lab, &(uint32_t){ 1 }, NULL);
	lab->now += LAB_S;
	lab_input(lab, 1, &p);
	lab_input(lab, 1, &p);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 4);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 2);
	ck_assert_int_eq(param_parse(out.msg, out.len, &m), REASON_NUM);
	ck_assert(fields_get_ack(param_find(&m, PARAM_ACK), &ack));
	ck_assert_uint_eq(ack.num, 1);
	ck_assert_uint_eq(ack.id[0], 1);
	lab_free(lab);
}
END_TEST

/* Puts MAC and signature, and what stands behind them. */
static struct lab_packet finish(struct lab *lab, struct msg_builder *b,
				const char *unsigned_echo)
{
	struct lab_packet p = { .src = lab->host[0].at,
				.dst = lab->host[1].at };
	struct assoc *a = assoc(lab, 0);

	ck_assert_int_eq(auth_put_mac(b, a->keys->rhash, a->keys->hip.mac_out),
			 0);
	ck_assert_int_eq(auth_put_signature(b, a->id), 0);
	message_put(b, PARAM_ECHO_REQUEST_UNSIGNED, unsigned_echo,
		    strlen(unsigned_echo));
	ck_assert_int_eq(message_finish(b), 0);
	memcpy(p.msg, b->buf, b->len);
	p.len = b->len;
	return p;
}

static void check_echo(const struct hip_msg *m, enum param id, const char *text)
{
	const struct hip_param *p = param_find(m, id);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->len, strlen(text));
	ck_assert_mem_eq(p->contents, text, p->len);
}

/* RFC 7401 5.2.20, 5.2.21: in UPDATE, with and without a rekey in it, and
 * in CLOSE. */
START_TEST(echo_requests_are_answered)
{
	struct lab *lab = up();
	struct assoc *a = assoc(lab, 0);
	struct lab_packet out = { .len = 0 };
	struct field_esp_info info = { .keymat_index = a->keys->keymat_next,
				       .old_spi = lab->host[0].sa.spi_in,
				       .new_spi = 0x12345678 };
	struct msg_builder b;
	struct lab_packet p;
	struct hip_msg m;

	message_begin(&b, _i == 2 ? HIP_CLOSE : HIP_UPDATE, &a->self, &a->peer);
	if (_i == 1)
		fields_put_esp_info(&b, &info);
	if (_i < 2)
		fields_put_seq(&b, 0);
	message_put(&b, PARAM_ECHO_REQUEST_SIGNED, "signed", 6);
	p = finish(lab, &b, "not signed");
	lab->hook = keep;
	lab->hook_arg = &out;
	lab_input(lab, 1, &p);
	lab_run(lab);
	ck_assert_int_eq(param_parse(out.msg, out.len, &m), REASON_NUM);
	ck_assert_uint_eq(m.type, _i == 2 ? HIP_CLOSE_ACK : HIP_UPDATE);
	ck_assert_int_eq(!!param_find(&m, PARAM_ESP_INFO), _i == 1);
	check_echo(&m, PARAM_ECHO_RESPONSE_SIGNED, "signed");
	check_echo(&m, PARAM_ECHO_RESPONSE_UNSIGNED, "not signed");
	lab_free(lab);
}
END_TEST

START_TEST(updates_come_out_of_order_and_beyond_the_window)
{
	static const uint32_t good[] = { 3, 1, 2, 0, 19 };
	static const uint32_t bad[] = { 36, 1000, UINT32_MAX };
	struct lab *lab = up();

	for (size_t i = 0; i < 5; i++) {
		struct lab_packet p = update(lab, &good[i], NULL);

		lab_input(lab, 1, &p);
		ck_assert_uint_eq(lab->sent[HIP_UPDATE], i + 1);
	}
	for (size_t i = 0; i < 3; i++) {
		struct lab_packet p = update(lab, &bad[i], NULL);

		lab_input(lab, 1, &p);
		ck_assert_uint_eq(lab->sent[HIP_UPDATE], 5);
	}
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_STATE), 3);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 0);
	lab_free(lab);
}
END_TEST

/* The first UPDATE of host 0, with half of a rekey: the answer has to wait
 * for a job. Returns that. */
static struct hip_job *slow_update(struct lab *lab)
{
	struct assoc *a = assoc(lab, 0);
	const struct dh_group *g = dh_group(a->keys->dh);
	struct field_esp_info info = { .old_spi = lab->host[0].sa.spi_in,
				       .new_spi = 0x12345678 };
	struct field_dh f = { .group = g->id, .public_len = g->public_len };
	struct msg_builder b;
	struct lab_packet p;
	struct dh_key *dh;

	ck_assert_int_eq(dh_generate(g, &dh), HG_OK);
	f.public = dh_public(dh);
	message_begin(&b, HIP_UPDATE, &a->self, &a->peer);
	fields_put_esp_info(&b, &info);
	fields_put_seq(&b, 0);
	fields_put_dh(&b, &f);
	p = finish(lab, &b, "late");
	dh_free(dh);
	lab->hold_jobs = true;
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab->held_num, 1); /* its signature */
	lab->held_num = 0;
	lab_job(lab, 1, lab->held[0].job);
	lab_effects(lab, 1);
	ck_assert_uint_eq(lab->held_num, 1);
	lab->held_num = 0;
	lab->hold_jobs = false;
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	return lab->held[0].job;
}

/* One UPDATE of host 0: what it is refused for, or it is answered. */
static void plain_update(struct lab *lab, uint32_t seq, enum reason r)
{
	struct lab_packet p = update(lab, &seq, NULL);
	uint64_t dropped = lab->host[1].count[HIP_DROPPED];
	uint64_t named = lab_drops(lab, 1, r);
	unsigned sent = lab->sent[HIP_UPDATE];

	lab->now += LAB_S; /* known ones are acknowledged again */
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab->host[1].count[HIP_DROPPED] - dropped,
			  r != REASON_NUM);
	if (r != REASON_NUM)
		ck_assert_uint_eq(lab_drops(lab, 1, r), named + 1);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE],
			  sent + (r != REASON_HIP_STATE));
}

/* Its answer comes when so many newer ones have been answered; in the window
 * of 32 it is remembered, behind it nothing is. */
START_TEST(an_update_that_is_answered_late_disturbs_no_newer_one)
{
	static const uint32_t newer[] = { 1, 16, 31, 32, 33, 34, 63, 64, 97 };
	uint32_t last = newer[_i];
	uint32_t gap = last > 3 ? last - 1 : 0; /* not sent: 0 is none */
	struct lab *lab = up();
	struct lab_packet out = { .len = 0 };
	struct hip_job *job;
	struct field_ack ack;
	struct hip_msg m;

	lab->hook = keep;
	lab->hook_arg = &out;
	job = slow_update(lab);
	for (uint32_t seq = 1; seq <= last; seq++) {
		if (seq != gap)
			plain_update(lab, seq, REASON_NUM);
	}
	lab_run(lab);
	lab_job(lab, 1, job);
	lab_effects(lab, 1);
	lab_run(lab);
	ck_assert_int_eq(param_parse(out.msg, out.len, &m), REASON_NUM);
	ck_assert(fields_get_ack(param_find(&m, PARAM_ACK), &ack));
	ck_assert_uint_eq(ack.num, 1);
	ck_assert_uint_eq(ack.id[0], 0);
	ck_assert_ptr_nonnull(param_find(&m, PARAM_ESP_INFO));
	for (uint32_t seq = last; seq && last - seq < 32; seq--)
		plain_update(lab, seq,
			     seq == gap ? REASON_NUM : REASON_HIP_DUPLICATE);
	plain_update(lab, 0,
		     last < 32 ? REASON_HIP_DUPLICATE : REASON_HIP_STATE);
	plain_update(lab, last + 1, REASON_NUM);
	lab_free(lab);
}
END_TEST

/* An ACK alone, of what was never sent: refused, and all is as it was. */
static void false_ack(struct lab *lab, uint32_t id)
{
	struct lab_packet p = update(lab, NULL, &id);
	uint64_t before = lab_drops(lab, 1, REASON_HIP_DUPLICATE);
	struct snap was;

	snap_take(lab, 1, &was);
	lab_input(lab, 1, &p);
	snap_same(lab, 1, &was, true);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), before + 1);
	ck_assert(assoc(lab, 1)->up.outstanding);
}

START_TEST(an_ack_of_what_was_never_sent_is_refused_and_changes_nothing)
{
	struct lab *lab = up();
	struct assoc_update *up = &assoc(lab, 1)->up;
	struct lab_packet out = { .len = 0 };
	uint32_t id;
	struct lab_packet p;

	lab->hook = keep;
	lab->hook_arg = &out;
	lab_sleep(lab, 31 * LAB_S);
	lab->hold_jobs = true;
	hip_traffic(lab->host[1].h, &lab->host[1].hit, &lab->host[0].hit, false,
		    lab->now);
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(lab->held_num, 1);
	id = up->next_id - 1;
	false_ack(lab, id); /* it has not left: it is being signed */
	lab->hold_jobs = false;
	lab_release(lab);
	lab_run(lab);
	ck_assert_uint_gt(out.len, 0);
	false_ack(lab, id + 1);
	false_ack(lab, id - 1);
	false_ack(lab, id + (UINT32_C(1) << 31));
	false_ack(lab, id ^ (UINT32_C(1) << 8));
	/* One that asks something, too, is answered; ours is still out. */
	p = update(lab, &(uint32_t){ 0 }, &(uint32_t){ id + 1 });
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2);
	ck_assert(up->outstanding);
	ck_assert_ptr_nonnull(up->sent.p);
	lab_sleep(lab, LAB_S); /* and is sent again */
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	p = update(lab, NULL, &id);
	lab_input(lab, 1, &p);
	ck_assert(!up->outstanding);
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	lab_free(lab);
}
END_TEST

START_TEST(an_ack_of_nothing_and_an_empty_update_are_refused)
{
	struct lab *lab = up();
	uint32_t ack = 0;
	struct lab_packet p = update(lab, NULL, &ack);

	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_DUPLICATE), 1);
	p = update(lab, NULL, NULL);
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_MISSING), 1);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_changed_update_is_not_processed)
{
	struct lab *lab = up();
	uint32_t seq = 0;
	struct lab_packet good = update(lab, &seq, NULL);
	struct hip_msg m;
	size_t end;

	ck_assert_int_eq(param_parse(good.msg, good.len, &m), REASON_NUM);
	end = (size_t)(m.params[m.num - 1].contents - good.msg) +
	      m.params[m.num - 1].len;
	for (size_t i = 0; i < end; i++) {
		struct lab_packet p = good;

		p.msg[i] ^= 0x20;
		lab_input(lab, 1, &p);
		lab->head = lab->tail;
		ck_assert_msg(lab->sent[HIP_UPDATE] == 0 &&
				      lab_state(lab, 1, 0) == HIP_R2_SENT,
			      "octet %zu", i);
	}
	lab_input(lab, 1, &good);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 1);
	lab_free(lab);
}
END_TEST

START_TEST(a_silent_peer_is_probed_and_answers)
{
	struct lab *lab = up();

	for (int i = 0; i < 100; i++) {
		lab_sleep(lab, LAB_S);
		hip_traffic(lab->host[0].h, &lab->host[0].hit,
			    &lab->host[1].hit, false, lab->now);
		lab_drain(lab);
	}
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	/* After 1, 2, 4 ... 32 s, and each one's ACK. */
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 14);
	lab_free(lab);
}
END_TEST

START_TEST(a_dead_peer_is_found_out)
{
	struct lab *lab = up();

	hip_free(lab->host[1].h);
	lab->host[1].h = NULL;
	lab_sleep(lab, 31 * LAB_S);
	hip_traffic(lab->host[0].h, &lab->host[0].hit, &lab->host[1].hit, false,
		    lab->now);
	lab_drain(lab);
	lab_sleep(lab, 17 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSING);
	ck_assert(!lab->host[0].up);
	lab_free(lab);
}
END_TEST

/* ---- jobs are short ----------------------------------------------------- */

enum { PEERS = 1000, JOBS = 8 };

static struct hit nth(uint32_t n)
{
	struct hit peer = { { 0x20, 1, 0, 0x22 } };

	memcpy(peer.b + 12, &n, sizeof(n));
	return peer;
}

/* An association out of thin air, ESTABLISHED. */
static struct assoc *fabricate(struct hip *h, uint32_t n)
{
	struct hit peer = nth(n);
	struct assoc *a;

	ck_assert_int_eq(assoc_add(h, hip_default_hit(h), &peer, &a), HG_OK);
	a->keys = calloc(1, sizeof(*a->keys));
	ck_assert_ptr_nonnull(a->keys);
	a->keys->rhash = suite_find(SUITE_ECDSA_SHA384);
	a->state = HIP_ESTABLISHED;
	return a;
}

static struct lab *many(void)
{
	struct hip_config cfg = lab_config();
	struct lab *lab = calloc(1, sizeof(*lab));

	cfg.jobs_max = JOBS;
	lab->now = 1000 * LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	lab_sleep(lab, LAB_S);
	return lab;
}

/* Who has moved has something to say to all of them at once. */
START_TEST(each_update_has_its_turn_and_no_timer_asks_for_it)
{
	struct lab *lab = many();
	struct hip *h = lab->host[0].h;
	struct hip_effect e;
	uint32_t sent = 0;

	for (uint32_t n = 0; n < PEERS; n++)
		update_send(h, fabricate(h, n), lab->now);
	ck_assert_uint_eq(h->job_num, JOBS);
	while (hip_effect(h, &e)) { /* and no time passes */
		if (e.kind == HIP_JOB) {
			hip_job_run(e.job);
			hip_job_done(h, e.job, lab->now);
			/* There is room for what peers answer. */
			ck_assert_uint_le(h->job_num, JOBS);
			if (sent >= JOBS)
				ck_assert_uint_le(h->job_num, JOBS * 3 / 4);
		}
		if (e.kind != HIP_SEND || e.type != HIP_UPDATE)
			continue;
		ck_assert(hit_eq(&e.peer, (struct hit[]){ nth(sent) }));
		sent++;
	}
	ck_assert_uint_eq(sent, PEERS);
	ck_assert_ptr_null(h->updates.first);
	lab_free(lab);
}
END_TEST

START_TEST(who_waits_for_a_job_may_go)
{
	struct lab *lab = many();
	struct hip *h = lab->host[0].h;
	uint32_t n;

	h->cfg.jobs_max = 0;
	for (n = 0; n < 10; n++) {
		struct assoc *a = fabricate(h, n);

		update_send(h, a, lab->now);
		update_send(h, a, lab->now); /* once is enough */
	}
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	for (n = 0; n < 10; n += 2) {
		struct hit peer = nth(n);

		assoc_del(h, assoc_find(&h->assocs, hip_default_hit(h), &peer),
			  lab->now);
	}
	h->cfg.jobs_max = JOBS;
	update_more(h, lab->now);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 5);
	ck_assert_ptr_null(h->updates.first);
	lab_free(lab);
}
END_TEST

Suite *test_update_suite(void)
{
	Suite *s = suite_create("update");
	TCase *t = tcase_create("update");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_update_is_acknowledged_and_ends_r2_sent);
	tcase_add_test(
		t, a_repeated_update_is_acknowledged_again_but_not_too_often);
	tcase_add_test(t, an_earlier_update_is_acknowledged_again_too);
	tcase_add_loop_test(t, echo_requests_are_answered, 0, 3);
	tcase_add_test(t, updates_come_out_of_order_and_beyond_the_window);
	tcase_add_loop_test(
		t, an_update_that_is_answered_late_disturbs_no_newer_one, 0, 9);
	tcase_add_test(
		t,
		an_ack_of_what_was_never_sent_is_refused_and_changes_nothing);
	tcase_add_test(t, an_ack_of_nothing_and_an_empty_update_are_refused);
	tcase_add_test(t, a_changed_update_is_not_processed);
	tcase_add_test(t, a_silent_peer_is_probed_and_answers);
	tcase_add_test(t, a_dead_peer_is_found_out);
	tcase_add_test(t, each_update_has_its_turn_and_no_timer_asks_for_it);
	tcase_add_test(t, who_waits_for_a_job_may_go);
	suite_add_tcase(s, t);
	return s;
}
