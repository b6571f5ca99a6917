/* SPDX-License-Identifier: MIT */
/* An association that one side has lost: what is told, what it does. */
#include "hip/noassoc.h"

#include "core/wire.h"
#include "hip/fields.h"
#include "hip/update.h"
#include "test/unit/hip/move_bed.h"
#include "test/unit/hip/relay_bed.h"

/* Keeps what each host has sent last of these two. */
struct tap {
	struct lab_packet update;
	struct lab_packet notify;
	unsigned notifies;
};

static bool tap_hook(struct lab *lab, struct lab_packet *p)
{
	struct tap *t = lab->hook_arg;

	if (p->msg[2] == HIP_UPDATE)
		t->update = *p;
	if (p->msg[2] == HIP_NOTIFY) {
		t->notify = *p;
		t->notifies++;
	}
	return true;
}

/* Two that know each other; host 1 has started again since. */
static struct lab *restarted(struct tap *t, const struct hip_config *cfg)
{
	struct lab *lab = up();

	memset(t, 0, sizeof(*t));
	lab->hook = tap_hook;
	lab->hook_arg = t;
	lab_boot(lab, 1, cfg, HIP_ALG_ECDSA_P256, lab->host[1].key);
	return lab;
}

static void ask(struct lab *lab)
{
	update_send(lab->host[0].h, assoc(lab, 0), lab->now);
	lab_drain(lab);
}

START_TEST(who_has_lost_it_says_so_and_two_tries_are_enough)
{
	struct hip_config cfg = lab_config();
	struct tap t;
	struct lab *lab = restarted(&t, &cfg);

	ask(lab);
	ck_assert_uint_eq(t.notifies, 1);
	ck_assert_uint_le(t.notify.len, t.update.len);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_NO_ASSOC), 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert(assoc(lab, 0)->keep.denied);
	lab_sleep(lab, 1600 * LAB_MS); /* half a second, a whole one */
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSING);
	lab_free(lab);
}
END_TEST

START_TEST(without_it_five_tries_are_made)
{
	struct hip_config cfg = lab_config();
	struct tap t;
	struct lab *lab;

	cfg.responder = false; /* who answers no strangers tells nothing */
	lab = restarted(&t, &cfg);
	ask(lab);
	lab_sleep(lab, 7 * LAB_S);
	ck_assert_uint_eq(t.notifies, 0);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_CLOSING);
	lab_free(lab);
}
END_TEST

/* The UPDATE from this place; is it answered? */
static bool told_at(struct lab *lab, const struct tap *t, uint32_t four)
{
	struct lab_packet p = t->update;
	unsigned sent = lab->host[1].count[HIP_SEND];

	put_be32(p.src.addr.b + 12, four);
	lab_input(lab, 1, &p);
	lab->head = lab->tail; /* nobody is there */
	return lab->host[1].count[HIP_SEND] == sent + 1;
}

START_TEST(a_prefix_is_told_seldom)
{
	struct hip_config cfg = lab_config();
	struct tap t;
	struct lab *lab = restarted(&t, &cfg);
	unsigned told = 0;

	ask(lab);
	for (int i = 0; i < 1000; i++)
		told += told_at(lab, &t, 0x0a000001);
	ck_assert_uint_eq(told, 300);
	lab->now += LAB_S;
	for (int i = 0; i < 1000; i++)
		told += told_at(lab, &t, 0x0a000001);
	ck_assert_uint_eq(told, 400);
	lab_free(lab);
}
END_TEST

/* A server with ten thousand clients has begun anew; and a forger does not
 * keep the news from anybody. */
START_TEST(all_who_have_lost_us_are_told_at_once)
{
	struct hip_config cfg = lab_config();
	struct tap t;
	struct lab *lab = restarted(&t, &cfg);
	unsigned told = 0;

	ask(lab);
	for (uint32_t i = 0; i < 50 * 400; i++)
		(void)told_at(lab, &t, 0x0b000001 + i % 50);
	for (uint32_t i = 0; i < 10000; i++)
		told += told_at(lab, &t, 0x0a000001 + i);
	/* But for those that share a place of the table with a forged one. */
	ck_assert_uint_ge(told, 10000 - 10000 / SRCRATE_SLOTS * 50 * 4);
	lab_free(lab);
}
END_TEST

/* Whoever has seen the UPDATE can say so, but the peer answers. */
START_TEST(a_true_answer_takes_it_back)
{
	struct hip_config cfg = lab_config();
	struct tap t;
	struct lab *lab = restarted(&t, &cfg);
	struct lab *other = up();
	struct lab_packet forged;

	ask(lab);
	forged = t.notify;
	lab_free(lab);
	/* The same news about another UPDATE: nothing. */
	lab_input(other, 0, &forged);
	ck_assert_uint_eq(lab_drops(other, 0, REASON_HIP_NO_ASSOC) +
				  lab_drops(other, 0, REASON_HIP_NOT_OURS) +
				  lab_drops(other, 0, REASON_HIP_ECHO),
			  1);
	/* About this one. */
	update_send(other->host[0].h, assoc(other, 0), other->now);
	lab_effects(other, 0);
	assoc(other, 0)->keep.denied = true;
	lab_run(other);
	lab_sleep(other, 20 * LAB_S);
	ck_assert_int_eq(lab_state(other, 0, 1), HIP_ESTABLISHED);
	ask(other);
	ck_assert(!assoc(other, 0)->keep.denied);
	lab_free(other);
}
END_TEST

/* NOTIFY with this type and these data, to host 0 in the name of 1. */
static struct lab_packet news(struct lab *lab, uint16_t type,
			      const uint8_t *data, size_t len)
{
	struct field_notification n = { .type = type,
					.data = data,
					.data_len = len };
	struct lab_packet p = { .from = 1,
				.src = lab->host[1].at,
				.dst = lab->host[0].at };
	struct msg_builder b;

	message_begin(&b, HIP_NOTIFY, &lab->host[1].hit, &lab->host[0].hit);
	fields_put_notification(&b, &n);
	ck_assert_int_eq(message_finish(&b), HG_OK);
	memcpy(p.msg, b.buf, p.len = b.len);
	return p;
}

START_TEST(what_does_not_name_our_packet_is_refused)
{
	static const uint8_t wrong[17];
	struct lab *lab = up();
	struct lab_packet p;
	struct snap before;
	struct snap after;

	snap_take(lab, 0, &before);
	for (size_t len = 0; len <= sizeof(wrong); len++) {
		p = news(lab, FIELDS_NO_ASSOCIATION, wrong, len);
		lab_input(lab, 0, &p);
		ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_ECHO), len + 1);
	}
	snap_take(lab, 0, &after);
	ck_assert_ptr_null(snap_differs(&after, &before, true));
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_free(lab);
}
END_TEST

/* RFC 7401 5.4.4: no answer to a NOTIFY, but for the one that only exists to
 * be sent to somebody who knows us. */
START_TEST(other_packets_are_not_answered)
{
	struct hip_config cfg = lab_config();
	struct tap t;
	struct lab *lab = restarted(&t, &cfg);
	struct lab_packet p;

	ask(lab);
	lab_sleep(lab, 10 * LAB_S);
	lab->host[1].count[HIP_SEND] = 0;
	p = t.notify;
	p.msg[2] = HIP_CLOSE_ACK;
	lab_input(lab, 1, &p);
	p = news(lab, FIELDS_NAT_KEEPALIVE, NULL, 0); /* unsigned */
	memcpy(p.msg + 8, lab->host[0].hit.b, 16);
	memcpy(p.msg + 24, lab->host[1].hit.b, 16);
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab->host[1].count[HIP_SEND], 0);
	lab_free(lab);
}
END_TEST

static unsigned registered(const struct lab *lab)
{
	return lab->host[1].count[HIP_REGISTERED];
}

START_TEST(a_client_registers_again_within_a_minute)
{
	struct lab *lab = three();
	struct hip_config cfg = lab_config();

	cfg.rendezvous = true;
	cfg.responder = false;
	lab_sleep(lab, 30 * LAB_S);
	lab_boot(lab, 2, &cfg, HIP_ALG_ECDSA_P256, 2);
	ck_assert_uint_eq(registered(lab), 1);
	lab_sleep(lab, 65 * LAB_S);
	ck_assert_uint_eq(registered(lab), 2);
	lab_free(lab);
}
END_TEST

/* A keepalive is always the same: who has recorded the answer to one can have
 * us ask, and the answer ends it. */
START_TEST(news_about_a_keepalive_is_a_question_now_and_then)
{
	struct lab *lab = three();
	struct tap t = { .notifies = 0 };
	struct assoc *a;
	struct print {
		uint8_t b[16];
	} print;
	const struct hip_param *sig;
	struct lab_packet p;
	struct hip_msg m;
	unsigned updates;

	lab->hook = tap_hook;
	lab->hook_arg = &t;
	lab_sleep(lab, 65 * LAB_S);
	a = assoc_find(&lab->host[1].h->assocs, &lab->host[1].hit,
		       &lab->host[2].hit);
	ck_assert_ptr_nonnull(a->keep.msg.p);
	ck_assert_int_eq(param_parse(a->keep.msg.p, a->keep.msg.len, &m),
			 REASON_NUM);
	sig = param_find(&m, PARAM_HIP_SIGNATURE);
	crypto_generichash(print.b, sizeof(print.b), sig->contents, sig->len,
			   NULL, 0);
	p = news(lab, FIELDS_NO_ASSOCIATION, print.b, sizeof(print.b));
	memcpy(p.msg + 8, lab->host[2].hit.b, 16);
	memcpy(p.msg + 24, lab->host[1].hit.b, 16);
	p.src = lab->host[2].at;
	p.dst = lab->host[1].at;
	updates = lab->sent[HIP_UPDATE];
	for (int i = 0; i < 300; i++) {
		lab_input(lab, 1, &p);
		lab_sleep(lab, 100 * LAB_MS);
	}
	/* Each with its answer, once in ten seconds. */
	ck_assert_uint_ge(lab->sent[HIP_UPDATE] - updates, 2);
	ck_assert_uint_le(lab->sent[HIP_UPDATE] - updates, 8);
	ck_assert_uint_eq(registered(lab), 1);
	lab_free(lab);
}
END_TEST

/* Nobody's timer looks at it in another state: it would stay due. */
START_TEST(a_question_is_due_in_established_only)
{
	struct lab *lab = three();
	struct assoc *a = assoc_find(&lab->host[1].h->assocs, &lab->host[1].hit,
				     &lab->host[2].hit);

	a->keep.ask_at = 1;
	ck_assert_uint_eq(noassoc_deadline(a), 1);
	a->state = HIP_R2_SENT;
	ck_assert(noassoc_deadline(a) == ENGINE_NEVER);
	a->state = HIP_ESTABLISHED;
	lab_free(lab);
}
END_TEST

Suite *test_noassoc_suite(void);
Suite *test_noassoc_suite(void)
{
	Suite *s = suite_create("noassoc");
	TCase *t = tcase_create("noassoc");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, who_has_lost_it_says_so_and_two_tries_are_enough);
	tcase_add_test(t, without_it_five_tries_are_made);
	tcase_add_test(t, a_prefix_is_told_seldom);
	tcase_add_test(t, all_who_have_lost_us_are_told_at_once);
	tcase_add_test(t, a_true_answer_takes_it_back);
	tcase_add_test(t, what_does_not_name_our_packet_is_refused);
	tcase_add_test(t, other_packets_are_not_answered);
	tcase_add_test(t, a_client_registers_again_within_a_minute);
	tcase_add_test(t, a_question_is_due_in_established_only);
	tcase_add_test(t, news_about_a_keepalive_is_a_question_now_and_then);
	suite_add_tcase(s, t);
	return s;
}
