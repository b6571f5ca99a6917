/* SPDX-License-Identifier: MIT */
/* NOTIFY: believed when signed, and then only told; sent when allowed. */
#include "test/unit/hip/snap.h"

#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/message.h"
#include "hip/notify.h"

struct trap {
	uint8_t type;
	struct lab_packet p;
	unsigned left; /* so many are lost */
};

static bool trap(struct lab *lab, struct lab_packet *p)
{
	struct trap *t = lab->hook_arg;

	if (p->msg[2] != t->type)
		return true;
	t->p = *p;
	if (!t->left)
		return true;
	t->left--;
	return false;
}

static struct lab *pair(void)
{
	return lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
}

/* Host 0 waits for an R2 that does not come. */
static struct lab *waiting(struct trap *t)
{
	struct lab *lab = pair();

	*t = (struct trap){ .type = HIP_I2, .left = 1 };
	lab->hook = trap;
	lab->hook_arg = t;
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	return lab;
}

static struct lab *up(void)
{
	struct lab *lab = pair();

	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	return lab;
}

/* From host 1 to host 0: these types, signed by `by`'s key. */
static struct lab_packet says(const struct lab *lab, const uint16_t *type,
			      size_t num, size_t by)
{
	struct lab_packet p = { .from = 1,
				.src = lab->host[1].at,
				.dst = lab->host[0].at };
	struct msg_builder b;

	message_begin(&b, HIP_NOTIFY, &lab->host[1].hit, &lab->host[0].hit);
	for (size_t i = 0; i < num; i++) {
		struct field_notification n = { .type = type[i] };

		fields_put_notification(&b, &n);
	}
	ck_assert_int_eq(auth_put_signature(&b, lab->host[by].h->id[0]), HG_OK);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	return p;
}

static struct lab_packet says_one(const struct lab *lab, uint16_t type)
{
	return says(lab, &type, 1, 1);
}

START_TEST(types_have_names)
{
	ck_assert_str_eq(hip_notify_name(42), "BLOCKED_BY_POLICY");
	ck_assert_str_eq(hip_notify_name(44), "RESPONDER_BUSY_PLEASE_RETRY");
	ck_assert_str_eq(hip_notify_name(16385), "NAT_KEEPALIVE");
	ck_assert_str_eq(hip_notify_name(2), "?");
	ck_assert_str_eq(hip_notify_name(0), "?");
	ck_assert_str_eq(hip_notify_name(65535), "?");
}
END_TEST

START_TEST(a_signed_notify_is_told_and_changes_nothing)
{
	struct lab *lab = up();
	struct lab_packet p = says_one(lab, FIELDS_BLOCKED_BY_POLICY);
	const struct hip_effect *e = &lab->host[0].last[HIP_NOTIFIED];
	struct snap was;

	snap_take(lab, 0, &was);
	lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab->host[0].count[HIP_NOTIFIED], 1);
	ck_assert_uint_eq(e->notify, 42);
	ck_assert(hit_eq(&e->peer, &lab->host[1].hit));
	ck_assert(endpoint_eq(&e->peer_at, &lab->host[1].at));
	was.count[HIP_NOTIFIED]++;
	snap_same(lab, 0, &was, true);
	lab_free(lab);
}
END_TEST

START_TEST(several_are_told_unknown_errors_too_unknown_status_not)
{
	struct lab *lab = up();
	const uint16_t some[] = { 1234, 20000, FIELDS_NAT_KEEPALIVE };
	const uint16_t many[9] = { 7, 7, 7, 7, 7, 7, 7, 7, 7 };
	struct lab_packet p = says(lab, some, 3, 1);

	lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab->host[0].count[HIP_NOTIFIED], 1);
	p = says(lab, many, 9, 1);
	lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab->host[0].count[HIP_NOTIFIED], 1 + 4);
	lab_free(lab);
}
END_TEST

/* One octet changed, but for the padding at the end: never shown. */
static void mutate(struct lab *lab)
{
	struct lab_packet good = says_one(lab, FIELDS_RESPONDER_BUSY);
	struct snap was;
	struct hip_msg m;
	size_t end;

	ck_assert_int_eq(param_parse(good.msg, good.len, &m), REASON_NUM);
	end = (size_t)(m.params[m.num - 1].contents - good.msg) +
	      m.params[m.num - 1].len;
	snap_take(lab, 0, &was);
	for (size_t i = 0; i < end; i++) {
		struct lab_packet p = good;

		p.msg[i] ^= 0x10;
		lab->now += LAB_S; /* budget of the source */
		lab_input(lab, 0, &p);
		lab->head = lab->tail;
		snap_same(lab, 0, &was, true);
	}
	ck_assert_uint_gt(lab_drops(lab, 0, REASON_HIP_SIGNATURE), 60);
}

START_TEST(a_changed_notify_is_never_told)
{
	struct lab *lab = up();
	struct lab_packet p;
	struct snap was;
	const uint16_t busy = FIELDS_RESPONDER_BUSY;

	p = says(lab, &busy, 1, 0); /* by ourselves */
	snap_take(lab, 0, &was);
	lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_SIGNATURE), 1);
	snap_same(lab, 0, &was, true);
	mutate(lab);
	lab_free(lab);
}
END_TEST

START_TEST(without_its_parameters_it_costs_no_job)
{
	struct lab *lab = up();
	struct lab_packet p = says(lab, NULL, 0, 1);
	struct field_notification n = { .type = 42 };
	unsigned jobs = lab->host[0].count[HIP_JOB];
	struct msg_builder b;
	struct snap was;

	snap_take(lab, 0, &was);
	lab_input(lab, 0, &p); /* signed, and says nothing */
	message_begin(&b, HIP_NOTIFY, &lab->host[1].hit, &lab->host[0].hit);
	fields_put_notification(&b, &n);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	lab_input(lab, 0, &p); /* not signed */
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_MISSING), 2);
	ck_assert_uint_eq(lab->host[0].count[HIP_JOB], jobs);
	snap_same(lab, 0, &was, true);
	lab_free(lab);
}
END_TEST

START_TEST(a_flood_of_notify_is_cut_and_keeps_nobody_waiting)
{
	struct trap t;
	struct lab *lab = waiting(&t);
	struct lab_packet p = says_one(lab, FIELDS_BLOCKED_BY_POLICY);
	struct snap was;

	lab->hold_jobs = true;
	lab_input(lab, 0, &p);
	snap_take(lab, 0, &was);
	for (int i = 0; i < 100; i++)
		lab_input(lab, 0, &p); /* one at a time */
	ck_assert_uint_eq(lab->held_num, 1);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_BUSY), 100);
	snap_same(lab, 0, &was, true);
	/* Its R2 is not held up by that. */
	lab_input(lab, 1, &t.p);
	lab_release(lab);
	lab_run(lab);
	lab_release(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	lab->hold_jobs = false;
	for (int i = 0; i < 100; i++)
		lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab->host[0].count[HIP_NOTIFIED], 5);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_RATE), 96);
	lab_free(lab);
}
END_TEST

START_TEST(a_refusal_that_was_told_is_why_the_exchange_fails)
{
	struct trap t;
	struct lab *lab = waiting(&t);
	struct lab_packet p = says_one(lab, FIELDS_BLOCKED_BY_POLICY);

	t.left = 100;
	lab_input(lab, 0, &p);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	lab_sleep(lab, 16 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_E_FAILED);
	ck_assert_int_eq(lab->host[0].last[HIP_FAILED].reason,
			 REASON_HIP_REFUSED);
	ck_assert_uint_eq(lab->sent[HIP_I2], 5); /* tried all the same */
	lab_free(lab);
}
END_TEST

START_TEST(a_busy_peer_gets_a_new_i1_and_a_new_solution)
{
	struct trap t;
	struct lab *lab = waiting(&t);
	struct lab_packet p = says_one(lab, FIELDS_RESPONDER_BUSY);
	struct lab_packet first = t.p;

	lab_input(lab, 0, &p);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_I1], 2);
	ck_assert_uint_eq(lab->sent[HIP_I2], 2); /* the first not again */
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(memcmp(first.msg, t.p.msg, first.len) != 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_peer_that_stays_busy_is_given_up)
{
	struct trap t;
	struct lab *lab = waiting(&t);
	struct lab_packet p = says_one(lab, FIELDS_RESPONDER_BUSY);

	t.left = 1000;
	for (int i = 0; i < 60 && lab_state(lab, 0, 1) != HIP_E_FAILED; i++) {
		lab_input(lab, 0, &p);
		lab_sleep(lab, LAB_S);
	}
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_E_FAILED);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1 + 3);
	ck_assert_int_eq(lab->host[0].last[HIP_FAILED].reason,
			 REASON_HIP_REFUSED);
	lab_free(lab);
}
END_TEST

/* ---- ours ---------------------------------------------------------------- */

/* Host 1 refuses the I2 of host 0 after `change`; what it says: 0, nothing. */
static uint16_t refusal(bool notify, void (*change)(struct lab *, void *))
{
	struct trap t;
	struct lab *lab = waiting(&t);
	struct snap was;
	uint16_t said;

	lab->host[1].h->cfg.notify = notify;
	change(lab, &t.p);
	t.left = 1000;
	snap_take(lab, 1, &was);
	for (int n = 0; n < 10; n++) {
		lab_input(lab, 1, &t.p);
		lab_run(lab);
	}
	ck_assert_uint_le(lab->sent[HIP_NOTIFY], 2); /* seldom */
	snap_same(lab, 1, &was, false);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	said = lab->host[0].count[HIP_NOTIFIED]
		       ? lab->host[0].last[HIP_NOTIFIED].notify
		       : 0;
	if (said)
		ck_assert_uint_eq(lab->sent[HIP_NOTIFY], 2);
	lab_free(lab);
	return said;
}

static void deny(struct lab *lab, void *arg)
{
	static const struct hip_access_rule nobody = {
		.allow = true,
		.by_hit = true,
		.hit = { { 0x20, 1, 0, 0x22, 1 } },
	};
	const struct hip_access list[HIP_ROLE_NUM] = {
		[HIP_ROLE_HOST] = { &nobody, 1 },
	};

	(void)arg;
	ck_assert_int_eq(hip_set_access(lab->host[1].h, list, lab->now), HG_OK);
}

static void busy(struct lab *lab, void *arg)
{
	(void)arg;
	lab->host[1].h->assocs.max = 0;
}

static void flip(void *arg, enum param id, size_t at)
{
	struct lab_packet *p = arg;
	struct hip_msg m;

	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	p->msg[param_find(&m, id)->offset + PARAM_TLV_LEN + at] ^= 1;
}

static void cipher(struct lab *lab, void *arg)
{
	(void)lab;
	flip(arg, PARAM_HIP_CIPHER, 1);
}

static void transform(struct lab *lab, void *arg)
{
	(void)lab;
	flip(arg, PARAM_ESP_TRANSFORM, 2);
}

static void solution(struct lab *lab, void *arg)
{
	(void)lab;
	flip(arg, PARAM_SOLUTION, 5);
}

static void mac(struct lab *lab, void *arg)
{
	(void)lab;
	flip(arg, PARAM_HIP_MAC, 5);
}

START_TEST(who_solved_a_puzzle_is_told_why_not)
{
	ck_assert_uint_eq(refusal(true, deny), 42);
	ck_assert_uint_eq(refusal(true, busy), 44);
	ck_assert_uint_eq(refusal(true, cipher), 17);
	ck_assert_uint_eq(refusal(true, transform), 19);
}
END_TEST

START_TEST(nobody_else_is_and_by_default_nobody)
{
	ck_assert_uint_eq(refusal(false, deny), 0);
	ck_assert_uint_eq(refusal(false, busy), 0);
	ck_assert_uint_eq(refusal(true, solution), 0);
}
END_TEST

/* Four wrong MACs are silence; then the puzzle is used up. */
START_TEST(a_wrong_mac_is_not_answered)
{
	struct trap t;
	struct lab *lab = waiting(&t);

	lab->host[1].h->cfg.notify = true;
	mac(lab, &t.p);
	for (int n = 0; n < 4; n++)
		lab_input(lab, 1, &t.p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_MAC), 4);
	ck_assert_uint_eq(lab->sent[HIP_NOTIFY], 0);
	lab_input(lab, 1, &t.p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_PUZZLE_USED), 1);
	ck_assert_uint_eq(lab->sent[HIP_NOTIFY], 1);
	lab_free(lab);
}
END_TEST

Suite *test_notify_suite(void)
{
	Suite *s = suite_create("notify");
	TCase *t = tcase_create("notify");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, types_have_names);
	tcase_add_test(t, a_signed_notify_is_told_and_changes_nothing);
	tcase_add_test(t,
		       several_are_told_unknown_errors_too_unknown_status_not);
	tcase_add_test(t, a_changed_notify_is_never_told);
	tcase_add_test(t, without_its_parameters_it_costs_no_job);
	tcase_add_test(t, a_flood_of_notify_is_cut_and_keeps_nobody_waiting);
	tcase_add_test(t, a_refusal_that_was_told_is_why_the_exchange_fails);
	tcase_add_test(t, a_busy_peer_gets_a_new_i1_and_a_new_solution);
	tcase_add_test(t, a_peer_that_stays_busy_is_given_up);
	tcase_add_test(t, who_solved_a_puzzle_is_told_why_not);
	tcase_add_test(t, nobody_else_is_and_by_default_nobody);
	tcase_add_test(t, a_wrong_mac_is_not_answered);
	suite_add_tcase(s, t);
	return s;
}
