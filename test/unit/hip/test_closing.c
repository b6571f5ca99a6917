/* SPDX-License-Identifier: MIT */
/* CLOSE: by wish, by idleness, by a silent peer; and coming back. */
#include "test/unit/hip/snap.h"

#include "hip/param.h"

static struct lab *up(void)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);

	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	return lab;
}

static void close_it(struct lab *lab, size_t i)
{
	hip_close(lab->host[i].h, &lab->host[!i].hit, lab->now);
	lab_drain(lab);
}

START_TEST(close_takes_both_sides_down)
{
	for (size_t i = 0; i < 2; i++) {
		struct lab *lab = up();

		close_it(lab, i);
		ck_assert_int_eq(lab_state(lab, i, !i), HIP_UNASSOCIATED);
		ck_assert_int_eq(lab_state(lab, !i, i), HIP_CLOSED);
		ck_assert(!lab->host[0].up && !lab->host[1].up);
		/* UAL + 2 MSL later nothing is left (Table 8). */
		lab_sleep(lab, 1141 * LAB_S);
		ck_assert_int_eq(lab_state(lab, !i, i), HIP_UNASSOCIATED);
		lab_free(lab);
	}
}
END_TEST

struct loss {
	uint8_t type;
	unsigned left;
	struct lab_packet p;
};

static bool lose(struct lab *lab, struct lab_packet *p)
{
	struct loss *l = lab->hook_arg;

	if (p->msg[2] != l->type)
		return true;
	l->p = *p;
	if (!l->left)
		return true;
	l->left--;
	return false;
}

START_TEST(a_lost_close_or_close_ack_is_repeated)
{
	static const uint8_t type[] = { HIP_CLOSE, HIP_CLOSE_ACK };

	for (size_t n = 0; n < 2; n++) {
		struct lab *lab = up();
		struct loss l = { .type = type[n], .left = 3 };

		lab->hook = lose;
		lab->hook_arg = &l;
		close_it(lab, 0);
		ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSING);
		lab_sleep(lab, 5 * LAB_S);
		ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
		ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
		lab_free(lab);
	}
}
END_TEST

START_TEST(closing_gives_up_after_ual_and_msl)
{
	struct lab *lab = up();
	struct loss l = { .type = HIP_CLOSE, .left = 10000 };

	lab->hook = lose;
	lab->hook_arg = &l;
	close_it(lab, 0);
	lab_sleep(lab, 1019 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSING);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	ck_assert_uint_lt(lab->sent[HIP_CLOSE], 40);
	lab_free(lab);
}
END_TEST

START_TEST(crossing_closes_end_both)
{
	struct lab *lab = up();

	hip_close(lab->host[0].h, NULL, lab->now);
	hip_close(lab->host[1].h, NULL, lab->now);
	lab_drain(lab);
	lab_sleep(lab, 1200 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_UNASSOCIATED);
	lab_free(lab);
}
END_TEST

/* A changed CLOSE or CLOSE_ACK changes nothing. */
static void mutate(uint8_t type, size_t to)
{
	struct lab *lab = up();
	struct loss l = { .type = type, .left = 1 };
	enum hip_state s;
	struct hip_msg m;
	size_t end;

	lab->hook = lose;
	lab->hook_arg = &l;
	close_it(lab, 0);
	lab->hook = NULL;
	s = lab_state(lab, to, !to);
	ck_assert_int_eq(param_parse(l.p.msg, l.p.len, &m), REASON_NUM);
	/* Padding of the last parameter is covered by nothing. */
	end = (size_t)(m.params[m.num - 1].contents - l.p.msg) +
	      m.params[m.num - 1].len;
	for (size_t i = 0; i < end; i++) {
		struct lab_packet p = l.p;

		p.msg[i] ^= 0x10;
		lab_input(lab, to, &p);
		lab->head = lab->tail;
		ck_assert_msg(lab_state(lab, to, !to) == s, "%s octet %zu",
			      hip_type_name(type), i);
	}
	ck_assert_uint_gt(lab_drops(lab, to, REASON_HIP_MAC), 20);
	ck_assert_uint_gt(lab_drops(lab, to, REASON_HIP_SIGNATURE), 20);
	lab_input(lab, to, &l.p);
	ck_assert_int_ne(lab_state(lab, to, !to), s);
	lab_free(lab);
}

START_TEST(a_changed_close_changes_nothing)
{
	mutate(HIP_CLOSE, 1);
}
END_TEST

START_TEST(a_changed_close_ack_changes_nothing)
{
	mutate(HIP_CLOSE_ACK, 0);
}
END_TEST

START_TEST(an_association_nobody_uses_is_closed)
{
	struct lab *lab = up();

	lab_sleep(lab, 899 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	hip_traffic(lab->host[0].h, &lab->host[0].hit, &lab->host[1].hit, true,
		    lab->now);
	hip_traffic(lab->host[1].h, &lab->host[1].hit, &lab->host[0].hit, true,
		    lab->now);
	lab_sleep(lab, 899 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(!lab->host[0].up && !lab->host[1].up);
	lab_free(lab);
}
END_TEST

START_TEST(after_close_a_wish_makes_a_new_association_from_either_state)
{
	for (size_t i = 0; i < 2; i++) {
		struct lab *lab = up();

		close_it(lab, i); /* i is gone, the other in CLOSED */
		lab_sleep(lab, LAB_S);
		ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
		lab_run(lab);
		ck_assert(lab_agree(lab, 0, 1));
		lab_free(lab);
	}
}
END_TEST

START_TEST(a_wish_in_closing_begins_anew)
{
	struct lab *lab = up();
	struct loss l = { .type = HIP_CLOSE, .left = 1 };

	lab->hook = lose;
	lab->hook_arg = &l;
	close_it(lab, 0);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSING);
	lab_sleep(lab, 100 * LAB_MS);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	/* The old CLOSE comes at last: its keys are gone. */
	lab_input(lab, 1, &l.p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_MAC), 1);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(in_closed_a_wish_keeps_the_state_until_r1_and_answers_close)
{
	struct lab *lab = up();
	struct loss l = { .type = HIP_CLOSE, .left = 0 };
	unsigned acks;

	lab->hook = lose;
	lab->hook_arg = &l;
	close_it(lab, 0);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
	ck_assert_int_eq(lab_want(lab, 1, 0), HG_OK);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
	acks = lab->sent[HIP_CLOSE_ACK];
	lab->now += 100 * LAB_MS;
	lab_input(lab, 1, &l.p);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE_ACK], acks + 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(leaving_in_the_middle_of_an_exchange_leaves_nothing)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);

	lab->hold_jobs = true;
	lab_want(lab, 0, 1);
	lab_run(lab); /* R1 is being solved */
	ck_assert_uint_eq(lab->held_num, 1);
	close_it(lab, 0);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	lab_release(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	ck_assert_uint_eq(lab->sent[HIP_I2], 0);
	lab_free(lab);
}
END_TEST

/* ---- jobs are short ----------------------------------------------------- */

/* An association out of thin air, ESTABLISHED. */
static void fabricate(struct hip *h, uint32_t n)
{
	struct hit peer = { { 0x20, 1, 0, 0x22 } };
	struct assoc *a;

	memcpy(peer.b + 12, &n, sizeof(n));
	ck_assert_int_eq(assoc_add(h, hip_default_hit(h), &peer, &a), HG_OK);
	a->keys = calloc(1, sizeof(*a->keys));
	a->keys->rhash = suite_find(SUITE_ECDSA_SHA384);
	a->state = HIP_ESTABLISHED;
}

START_TEST(closing_all_sends_every_close_as_jobs_come_free)
{
	enum { NUM = 1000 };
	struct hip_config cfg = lab_config();
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_effect e;
	unsigned sent = 0;
	struct hip *h;

	cfg.jobs_max = 8;
	lab->now = 1000 * LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	h = lab->host[0].h;
	for (uint32_t n = 0; n < NUM; n++)
		fabricate(h, n);
	hip_close(h, NULL, lab->now);
	ck_assert_uint_eq(h->job_num, 8);
	while (hip_effect(h, &e)) { /* and no time passes */
		ck_assert_uint_le(h->job_num, 8);
		if (e.kind == HIP_JOB) {
			hip_job_run(e.job);
			hip_job_done(h, e.job, lab->now);
		}
		sent += e.kind == HIP_SEND && e.type == HIP_CLOSE;
	}
	ck_assert_uint_eq(sent, NUM);
	ck_assert_ptr_null(h->closes.first);
	lab_free(lab);
}
END_TEST

START_TEST(those_that_wait_may_be_forgotten_in_any_order)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();
	struct hip *h;
	unsigned left = 0;

	lab->now = 1000 * LAB_S;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	h = lab->host[0].h;
	h->cfg.jobs_max = 0;
	for (uint32_t n = 0; n < 10; n++)
		fabricate(h, n);
	hip_close(h, NULL, lab->now);
	for (uint32_t n = 0; n < 10; n += n == 4 ? 2 : 1) { /* not the 5th */
		struct hit peer = { { 0x20, 1, 0, 0x22 } };
		uint32_t who = n * 7 % 10;

		memcpy(peer.b + 12, &who, sizeof(who));
		assoc_del(h, assoc_find(&h->assocs, hip_default_hit(h), &peer),
			  lab->now);
	}
	for (struct jobwait *w = h->closes.first; w; w = w->next, left++)
		ck_assert_ptr_eq(*w->at, w);
	ck_assert_uint_eq(left, 1);
	h->cfg.jobs_max = 1;
	lab_sleep(lab, LAB_S);
	ck_assert_uint_ge(lab->sent[HIP_CLOSE], 1);
	ck_assert_ptr_eq(h->closes.tail, &h->closes.first);
	lab_free(lab);
}
END_TEST

START_TEST(a_close_that_could_not_be_signed_is_signed_later)
{
	for (int lost = 0; lost < 2; lost++) {
		struct lab *lab = up();

		if (lost) { /* the job comes back, but did not run */
			lab->hold_jobs = true;
			close_it(lab, 0);
			ck_assert_uint_eq(lab->held_num, 1);
			hip_job_done(lab->host[0].h, lab->held[0].job,
				     lab->now);
			lab->held_num = 0;
			lab->hold_jobs = false;
			lab_drain(lab);
		} else {
			lab->host[0].h->cfg.jobs_max = 0;
			close_it(lab, 0);
			lab->host[0].h->cfg.jobs_max = 256;
		}
		ck_assert_uint_eq(lab->sent[HIP_CLOSE], 0);
		ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSING);
		lab_sleep(lab, LAB_S);
		ck_assert_uint_eq(lab->sent[HIP_CLOSE], 1);
		ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
		ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
		lab_free(lab);
	}
}
END_TEST

START_TEST(a_close_ack_that_could_not_be_signed_follows_the_next_close)
{
	struct lab *lab = up();

	lab->hold_jobs = true;
	close_it(lab, 0);
	lab_release(lab); /* CLOSE, signed; */
	lab_run(lab);
	ck_assert_uint_eq(lab->held_num, 1); /* to be verified */
	lab->host[1].h->cfg.jobs_max = 0;
	lab_release(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE_ACK], 0);
	lab->host[1].h->cfg.jobs_max = 256;
	lab->hold_jobs = false;
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE_ACK], 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	lab_free(lab);
}
END_TEST

/* ---- recorded, or too late ---------------------------------------------- */

START_TEST(a_close_that_is_replayed_costs_ten_answers_a_second)
{
	struct lab *lab = up();
	struct loss l = { .type = HIP_CLOSE, .left = 0 };
	struct snap was;
	unsigned acks;

	lab->hook = lose;
	lab->hook_arg = &l;
	close_it(lab, 0);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
	lab->now += LAB_S;
	acks = lab->sent[HIP_CLOSE_ACK];
	lab_input(lab, 1, &l.p);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE_ACK], acks + 1);
	snap_take(lab, 1, &was);
	for (int n = 0; n < 99; n++) {
		lab->now += LAB_MS;
		lab_input(lab, 1, &l.p);
	}
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_RATE), 99);
	snap_same(lab, 1, &was, true);
	lab->now += LAB_MS;
	lab_input(lab, 1, &l.p);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE_ACK], acks + 2);
	lab_free(lab);
}
END_TEST

START_TEST(leaving_in_closed_ends_the_exchange_that_was_under_way)
{
	struct lab *lab = up();

	close_it(lab, 0);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
	ck_assert_int_eq(lab_want(lab, 1, 0), HG_OK);
	lab->hold_jobs = true;
	lab_run(lab); /* R1 is being solved */
	ck_assert_uint_eq(lab->held_num, 1);
	close_it(lab, 1);
	ck_assert(atomic_load(&lab->held[0].job->cancel));
	atomic_store(&lab->held[0].job->cancel, false); /* too late to tell */
	lab_release(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_CLOSED);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_STATE), 1);
	ck_assert_uint_eq(lab->sent[HIP_I2], 1); /* of the first exchange */
	lab_free(lab);
}
END_TEST

Suite *test_closing_suite(void)
{
	Suite *s = suite_create("closing");
	TCase *t = tcase_create("closing");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, close_takes_both_sides_down);
	tcase_add_test(t, a_lost_close_or_close_ack_is_repeated);
	tcase_add_test(t, closing_gives_up_after_ual_and_msl);
	tcase_add_test(t, crossing_closes_end_both);
	tcase_add_test(t, a_changed_close_changes_nothing);
	tcase_add_test(t, a_changed_close_ack_changes_nothing);
	tcase_add_test(t, an_association_nobody_uses_is_closed);
	tcase_add_test(
		t,
		after_close_a_wish_makes_a_new_association_from_either_state);
	tcase_add_test(t, a_wish_in_closing_begins_anew);
	tcase_add_test(
		t, in_closed_a_wish_keeps_the_state_until_r1_and_answers_close);
	tcase_add_test(t, leaving_in_the_middle_of_an_exchange_leaves_nothing);
	tcase_add_test(t, closing_all_sends_every_close_as_jobs_come_free);
	tcase_add_test(t, those_that_wait_may_be_forgotten_in_any_order);
	tcase_add_test(t, a_close_that_could_not_be_signed_is_signed_later);
	tcase_add_test(
		t, a_close_ack_that_could_not_be_signed_follows_the_next_close);
	tcase_add_test(t, a_close_that_is_replayed_costs_ten_answers_a_second);
	tcase_add_test(t,
		       leaving_in_closed_ends_the_exchange_that_was_under_way);
	suite_add_tcase(s, t);
	return s;
}
