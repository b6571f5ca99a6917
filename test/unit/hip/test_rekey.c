/* SPDX-License-Identifier: MIT */
/* Rekeying: alone, crossing, with losses; and how else it ends. */
#include "test/unit/hip/rekey_bed.h"

#include "hip/auth.h"
#include "hip/dh.h"
#include "hip/fields.h"

/* Both use the same new keys; the old SA opens for a while, then is gone. */
static void check_done(struct lab *lab, const struct sa_pair *old, unsigned n)
{
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_ne(lab->host[0].sa.spi_in, old->spi_in);
	ck_assert_uint_ne(lab->host[0].sa.spi_out, old->spi_out);
	ck_assert_mem_ne(&lab->host[0].sa.in, &old->in, 16);
	ck_assert_mem_ne(&lab->host[0].sa.out, &old->out, 16);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(view(lab, i).rekeys, n);
		ck_assert_uint_eq(view(lab, i).spi_in, lab->host[i].sa.spi_in);
		ck_assert_uint_eq(view(lab, i).spi_out,
				  lab->host[i].sa.spi_out);
		ck_assert_ptr_null(assoc(lab, i)->rekey);
	}
	ck_assert(lab_is_open(&lab->host[0], old->spi_in));
	lab_sleep(lab, 61 * LAB_S);
	ck_assert(!lab_is_open(&lab->host[0], old->spi_in));
	ck_assert_uint_eq(open_num(lab, 0), 1);
	ck_assert_uint_eq(open_num(lab, 1), 1);
}

/* bit 0: with Diffie-Hellman; bit 1: the one who began has the greater HIT;
 * bit 2: the Responder of the base exchange begins. */
START_TEST(a_rekey_takes_three_updates_and_gives_new_keys)
{
	struct lab *lab = up_with(NULL, _i & 2);
	struct sa_pair old = lab->host[0].sa;
	uint16_t next = assoc(lab, 0)->keys->keymat_next;

	ck_assert_int_eq(rekey(lab, _i >> 2 & 1, _i & 1), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 1);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_SWITCH], 1);
	/* AES-GCM: 2 * (16 + 4) octets; a new KEYMAT begins at 0. */
	ck_assert_uint_eq(assoc(lab, 0)->keys->keymat_next,
			  _i & 1 ? 40 : next + 40);
	check_done(lab, &old, 1);
	lab_free(lab);
}
END_TEST

/* The n-th UPDATE is lost, with all copies sent within a second. */
struct loss {
	unsigned n;
	unsigned seen;
	unsigned lost;
};

static bool lose(struct lab *lab, struct lab_packet *p)
{
	struct loss *l = lab->hook_arg;

	if ((p->msg[2] & 0x7f) != HIP_UPDATE || l->seen++ != l->n)
		return true;
	l->lost++;
	return false;
}

START_TEST(a_lost_update_is_made_good)
{
	struct lab *lab = up();
	struct sa_pair old = lab->host[0].sa;
	struct loss l = { .n = (unsigned)_i / 2 };

	lab->hook = lose;
	lab->hook_arg = &l;
	ck_assert_int_eq(rekey(lab, 0, _i & 1), HG_OK);
	lab_run(lab);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert_uint_eq(l.lost, 1);
	check_done(lab, &old, 1);
	lab_free(lab);
}
END_TEST

/* Both begin before either hears of the other. bits 0 and 1: who brings a
 * new Diffie-Hellman; the rest: which UPDATE is lost (4: none). */
START_TEST(crossing_rekeys_are_one)
{
	struct lab *lab = up();
	struct sa_pair old = lab->host[0].sa;
	struct loss l = { .n = (unsigned)_i >> 2 };
	uint16_t next = assoc(lab, 0)->keys->keymat_next;

	lab->hook = lose;
	lab->hook_arg = &l;
	ck_assert_int_eq(rekey(lab, 0, _i & 1), HG_OK);
	ck_assert_int_eq(rekey(lab, 1, _i & 2), HG_OK);
	lab_run(lab);
	if (l.n < 4)
		lab_sleep(lab, 4 * LAB_S);
	else
		ck_assert_uint_eq(lab->sent[HIP_UPDATE], 4);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_SWITCH], 1);
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_SWITCH], 1);
	ck_assert_uint_eq(assoc(lab, 0)->keys->keymat_next,
			  _i & 3 ? 40 : next + 40);
	ck_assert_uint_eq(assoc(lab, 1)->keys->keymat_next,
			  assoc(lab, 0)->keys->keymat_next);
	check_done(lab, &old, 1);
	lab_free(lab);
}
END_TEST

START_TEST(keymat_is_drawn_to_its_end_and_then_made_anew)
{
	struct lab *lab = up();
	unsigned fresh = 0;

	/* 255 * 48 octets, the HIP keys and 40 at a time. */
	for (unsigned n = 1; n <= 310; n++) {
		uint16_t next = assoc(lab, 0)->keys->keymat_next;

		lab_sleep(lab, 2 * LAB_S);
		ck_assert_int_eq(rekey(lab, n & 1, false), HG_OK);
		lab_run(lab);
		ck_assert(lab_agree(lab, 0, 1));
		ck_assert_uint_eq(view(lab, 0).rekeys, n);
		if (assoc(lab, 0)->keys->keymat_next < next)
			fresh++;
	}
	ck_assert_uint_eq(fresh, 1);
	ck_assert_uint_le(open_num(lab, 0), 1 + ASSOC_OLD_MAX);
	lab_free(lab);
}
END_TEST

START_TEST(the_new_spi_stays_with_its_worker)
{
	struct hip_config cfg = lab_config();
	struct lab *lab;
	uint32_t rest;

	cfg.spi_mod = 7;
	lab = up_with(&cfg, false);
	rest = lab->host[0].sa.spi_in % 7;
	for (unsigned n = 1; n < 20; n++) {
		lab_sleep(lab, 2 * LAB_S);
		ck_assert_int_eq(rekey(lab, n & 1, false), HG_OK);
		lab_run(lab);
		ck_assert_uint_eq(view(lab, 0).rekeys, n);
		ck_assert_uint_eq(lab->host[0].sa.spi_in % 7, rest);
	}
	lab_free(lab);
}
END_TEST

START_TEST(it_begins_only_where_it_can)
{
	struct lab *lab = up();
	struct hit nobody = lab->host[0].hit;

	nobody.b[15] ^= 1;
	ck_assert_int_eq(hip_rekey(lab->host[0].h, &lab->host[0].hit, &nobody,
				   true, lab->now),
			 HG_ENOENT);
	ck_assert_int_eq(rekey(lab, 0, true), HG_OK);
	ck_assert_int_eq(rekey(lab, 0, true), HG_EAGAIN);
	lab_run(lab);
	hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
	ck_assert_int_eq(rekey(lab, 0, true), HG_ENOENT);
	lab_drain(lab);
	lab_free(lab);
}
END_TEST

/* ---- how it ends otherwise ------------------------------------------------- */

/* Acknowledges whatever has a SEQ, and does nothing else. */
static bool ack_only(struct lab *lab, struct lab_packet *p)
{
	struct lab_packet out = { .src = p->dst, .dst = p->src };
	struct assoc *a = assoc(lab, 1);
	struct field_ack ack = { .num = 1 };
	struct msg_builder b;
	struct hip_msg m;

	if (!endpoint_eq(&p->dst, &lab->host[1].at) ||
	    (p->msg[2] & 0x7f) != HIP_UPDATE)
		return true;
	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	if (!fields_get_seq(param_find(&m, PARAM_SEQ), &ack.id[0]))
		return true;
	message_begin(&b, HIP_UPDATE, &a->self, &a->peer);
	fields_put_ack(&b, &ack);
	ck_assert_int_eq(auth_put_mac(&b, a->keys->rhash, a->keys->hip.mac_out),
			 0);
	ck_assert_int_eq(auth_put_signature(&b, a->id), 0);
	memcpy(out.msg, b.buf, b.len);
	out.len = b.len;
	lab_post(lab, &out);
	return false;
}

START_TEST(a_peer_that_only_acknowledges_gets_it_thrice_then_close)
{
	struct lab *lab = up();
	uint32_t spi_in = lab->host[0].sa.spi_in;

	lab->hook = ack_only;
	ck_assert_int_eq(rekey(lab, 0, _i), HG_OK);
	lab_run(lab);
	lab_sleep(lab, 59 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_uint_eq(lab->host[0].sa.spi_in, spi_in);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert_uint_eq(lab->host[0].changed[HIP_CLOSING], 1);
	ck_assert_uint_eq(open_num(lab, 0), 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_close_in_the_middle_takes_everything_down)
{
	struct lab *lab = up();
	struct loss l = { .n = (unsigned)_i };

	lab->hook = lose;
	lab->hook_arg = &l;
	ck_assert_int_eq(rekey(lab, 0, true), HG_OK);
	lab_run(lab);
	hip_close(lab->host[_i & 1].h, &lab->host[!(_i & 1)].hit, lab->now);
	lab_drain(lab);
	lab_sleep(lab, LAB_S);
	for (size_t i = 0; i < 2; i++) {
		ck_assert(!lab->host[i].up);
		ck_assert_uint_eq(open_num(lab, i), 0);
	}
	lab_free(lab);
}
END_TEST

START_TEST(a_new_base_exchange_in_the_middle_takes_everything_down)
{
	struct lab *lab = up();
	struct hip_config cfg = lab_config();
	struct loss l = { .n = (unsigned)_i };

	lab->hook = lose;
	lab->hook_arg = &l;
	ck_assert_int_eq(rekey(lab, 1, true), HG_OK);
	lab_run(lab);
	/* Host 0 starts again and knows nothing. */
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, lab->host[0].key);
	lab->now += LAB_S;
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(open_num(lab, 1), 1);
	ck_assert_uint_eq(view(lab, 1).rekeys, 0);
	lab_free(lab);
}
END_TEST

START_TEST(jobs_that_fail_leave_the_old_sa_in_use)
{
	struct lab *lab = up();
	struct sa_pair old = lab->host[0].sa;

	/* Host 0's Diffie-Hellman, or the signature, is not run. */
	lab->hold_jobs = true;
	ck_assert_int_eq(rekey(lab, 0, _i), HG_OK);
	ck_assert_uint_eq(lab->held_num, 1);
	lab->held_num = 0;
	hip_job_done(lab->host[0].h, lab->held[0].job, lab->now);
	lab->hold_jobs = false;
	lab_drain(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_mem_eq(&lab->host[0].sa, &old, sizeof(old));
	/* What was not signed is signed a little later. */
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(view(lab, 0).rekeys, _i ? 0 : 1);
	ck_assert_int_eq(rekey(lab, 0, true), HG_OK);
	lab_run(lab);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(view(lab, 0).rekeys, _i ? 1 : 2);
	lab_free(lab);
}
END_TEST

/* ---- at random -------------------------------------------------------------- */

static bool weather(struct lab *lab, struct lab_packet *p)
{
	if (randombytes_uniform(4) == 0)
		return false;
	if (randombytes_uniform(8) == 0 && lab->tail - lab->head < 32)
		lab_post(lab, p);
	return true;
}

/* Losses and doubles, both beginning at will, jobs late: in the end, on a
 * quiet network, they agree. */
START_TEST(whatever_is_lost_both_end_with_the_same_keys)
{
	struct lab *lab = up();

	lab->hook = weather;
	for (unsigned n = 0; n < 40; n++) {
		lab->hold_jobs = randombytes_uniform(2);
		for (size_t i = 0; i < 2; i++) {
			if (randombytes_uniform(3) == 0)
				(void)rekey(lab, i, randombytes_uniform(2));
		}
		lab_drain(lab);
		lab_sleep(lab, 100 * LAB_MS * (1 + randombytes_uniform(8)));
		lab->hold_jobs = false;
		lab_release(lab);
		lab_run(lab);
	}
	lab->hook = NULL;
	lab_sleep(lab, 30 * LAB_S);
	if (lab->host[0].up && lab->host[1].up) {
		ck_assert(lab_agree(lab, 0, 1));
		ck_assert_ptr_null(assoc(lab, 0)->rekey);
		ck_assert_ptr_null(assoc(lab, 1)->rekey);
	} else {
		/* Five losses in a row: closed, on both sides. */
		ck_assert(!lab->host[0].up && !lab->host[1].up);
	}
	lab_free(lab);
}
END_TEST

Suite *test_rekey_suite(void)
{
	Suite *s = suite_create("rekey");
	TCase *t = tcase_create("rekey");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_rekey_takes_three_updates_and_gives_new_keys,
			    0, 8);
	tcase_add_loop_test(t, a_lost_update_is_made_good, 0, 6);
	tcase_add_loop_test(t, crossing_rekeys_are_one, 0, 20);
	tcase_add_test(t, keymat_is_drawn_to_its_end_and_then_made_anew);
	tcase_add_test(t, the_new_spi_stays_with_its_worker);
	tcase_add_test(t, it_begins_only_where_it_can);
	tcase_add_loop_test(
		t, a_peer_that_only_acknowledges_gets_it_thrice_then_close, 0,
		2);
	tcase_add_loop_test(t, a_close_in_the_middle_takes_everything_down, 0,
			    4);
	tcase_add_loop_test(
		t, a_new_base_exchange_in_the_middle_takes_everything_down, 0,
		4);
	tcase_add_loop_test(t, jobs_that_fail_leave_the_old_sa_in_use, 0, 2);
	tcase_add_loop_test(t, whatever_is_lost_both_end_with_the_same_keys, 0,
			    20);
	suite_add_tcase(s, t);
	return s;
}
