/* SPDX-License-Identifier: MIT */
/* Beginning by address only (RFC 7401 4.1.8). */
#include "hip/hipjob.h"
#include "test/unit/hip/lab.h"

/* Two hosts, the second of which answers an I1 to no HIT, or not. */
static struct lab *two(bool answers)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);

	hip_set_opportunistic(lab->host[1].h, answers);
	return lab;
}

static int ask_at(struct lab *lab, const struct endpoint *at)
{
	int err = hip_want_opportunistic(lab->host[0].h, NULL, at, lab->now);

	lab_effects(lab, 0);
	return err;
}

static void ask(struct lab *lab)
{
	ck_assert_int_eq(ask_at(lab, &lab->host[1].at), HG_OK);
}

static struct lab_packet kept;
static bool keep_r1(struct lab *lab, struct lab_packet *p)
{
	if (p->msg[2] != HIP_R1)
		return true;
	kept = *p;
	lab->hook = NULL;
	return false;
}

START_TEST(an_address_alone_leads_to_an_association)
{
	struct lab *lab = two(true);
	const struct hip_effect *e = &lab->host[0].last[HIP_FOUND];

	ask(lab);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 1);
	ck_assert(hit_eq(&e->peer, &lab->host[1].hit));
	ck_assert(endpoint_eq(&e->peer_at, &lab->host[1].at));
	ck_assert(!e->anonymous);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	ck_assert_uint_eq(lab->sent[HIP_I2], 1);
	/* It is over: nothing more is sent. */
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_responder_that_does_not_want_it_says_nothing)
{
	struct lab *lab = two(false);
	const struct hip_effect *e = &lab->host[0].last[HIP_FAILED];

	ask(lab);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_OPPORTUNISTIC), 1);
	ck_assert_uint_eq(lab->sent[HIP_R1], 0);
	/* The Initiator gives up as it does elsewhere. */
	lab_sleep(lab, 30 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_I1], 5);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
	ck_assert(hit_is_null(&e->peer));
	ck_assert(endpoint_eq(&e->peer_at, &lab->host[1].at));
	ck_assert_int_eq(e->reason, REASON_HIP_TIMEOUT);
	lab_free(lab);
}
END_TEST

START_TEST(one_with_from_is_not_answered)
{
	static const uint8_t from[] = {
		0xff, 0xda, 0, 16, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0,
		0,    0,    0, 0,  0,	 0, 0,	  1,	0, 0, 0, 0,
	};
	struct lab *lab = two(true);
	struct lab_packet p;

	ask(lab);
	p = lab->queue[lab->head % LAB_QUEUE];
	memcpy(p.msg + p.len, from, sizeof(from));
	p.len += sizeof(from);
	p.msg[1] = (uint8_t)(p.msg[1] + sizeof(from) / 8);
	lab_input(lab, 1, &p);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_OPPORTUNISTIC), 1);
	ck_assert_uint_eq(lab->sent[HIP_R1], 0);
	lab_free(lab);
}
END_TEST

START_TEST(an_agent_takes_it_as_its_own)
{
	struct lab *lab = two(true);
	struct hip_config cfg = lab_config();

	cfg.responder = false;
	cfg.rendezvous = true;
	cfg.opportunistic = true;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P256, 2);
	ask(lab);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_uint_eq(lab->host[1].count[HIP_RELAYED], 0);
	lab_free(lab);
}
END_TEST

START_TEST(an_anonymous_identity_does_not_answer)
{
	struct lab *lab = two(true);
	struct hip_identity *id = lab_identity(HIP_ALG_ECDSA_P256, 2);
	struct hip_config cfg = lab_config();

	cfg.opportunistic = true;
	hip_free(lab->host[1].h);
	ck_assert_int_eq(hip_new(&cfg, lab->now, &lab->host[1].h), HG_OK);
	hip_identity_set_anonymous(id);
	ck_assert_int_eq(hip_add_identity(lab->host[1].h, id, lab->now), HG_OK);
	lab_effects(lab, 1);
	ask(lab);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_OPPORTUNISTIC), 1);
	lab_free(lab);
}
END_TEST

START_TEST(only_what_comes_from_that_address_counts)
{
	struct lab *lab = two(true);

	lab->hook = keep_r1;
	ask(lab);
	lab_run(lab);
	kept.src.addr.b[15] ^= 8;
	lab_input(lab, 0, &kept);
	kept.src.addr.b[15] ^= 8;
	kept.src.port++;
	lab_input(lab, 0, &kept);
	kept.src.port--;
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_NO_ASSOC), 2);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 0);
	lab->hook = NULL;
	lab_input(lab, 0, &kept);
	/* Its source may be a lie: nobody is found before R2. */
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 0);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 1);
	lab_free(lab);
}
END_TEST

static bool no_i2(struct lab *lab, struct lab_packet *p)
{
	(void)lab;
	return p->msg[2] != HIP_I2;
}

/* An R1 that was recorded, sent with the address we asked as its source. */
START_TEST(an_r1_without_an_r2_finds_nobody)
{
	static const struct hit nobody;
	struct lab *lab = two(true);

	lab->hook = no_i2;
	ask(lab);
	lab_run(lab);
	ck_assert_uint_gt(lab->sent[HIP_I2], 0);
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
	ck_assert(hit_eq(&lab->host[0].last[HIP_FAILED].peer, &nobody));
	ck_assert(endpoint_eq(&lab->host[0].last[HIP_FAILED].peer_at,
			      &lab->host[1].at));
	lab_free(lab);
}
END_TEST

START_TEST(what_does_not_verify_finds_nobody)
{
	struct lab *lab = two(true);
	struct lab_packet p;

	lab->hook = keep_r1;
	ask(lab);
	lab_run(lab);
	p = kept;
	p.msg[23] ^= 1; /* another HIT than its key's */
	lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_BAD_HIT), 1);
	p = kept;
	p.msg[p.len - 8] ^= 1;
	lab_input(lab, 0, &p);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_SIGNATURE), 1);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 0);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	ck_assert_uint_eq(lab->sent[HIP_I2], 0);
	/* The true one is still welcome. */
	lab_input(lab, 0, &kept);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	lab_free(lab);
}
END_TEST

START_TEST(another_hit_than_last_time_is_no_surprise)
{
	struct lab *lab = two(true);
	struct hip_config cfg = lab_config();
	struct hit before = lab->host[1].hit;

	ask(lab);
	lab_run(lab);
	cfg.opportunistic = true;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P384, 3);
	ck_assert(!hit_eq(&before, &lab->host[1].hit));
	ask(lab);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 2);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	lab_free(lab);
}
END_TEST

START_TEST(one_we_have_already_is_found_and_left_alone)
{
	struct lab *lab = two(true);
	uint32_t spi;

	lab_want(lab, 0, 1);
	lab_run(lab);
	spi = lab->host[0].sa.spi_in;
	ask(lab);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 1);
	ck_assert_uint_eq(lab->host[0].sa.spi_in, spi);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_UP], 1);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

/* An agent of two addresses: met at the one, asked for at the other. */
START_TEST(one_we_have_already_is_found_at_another_address)
{
	struct lab *lab = two(true);
	struct lab_host *there = &lab->host[1];
	struct endpoint other = there->at;
	const struct hip_effect *e = &lab->host[0].last[HIP_FOUND];
	unsigned moves;

	lab_want(lab, 0, 1);
	lab_run(lab);
	moves = lab->host[0].count[HIP_LOCATOR];
	other.addr.b[15] = 77;
	there->also[there->also_num++] = other;
	ck_assert_int_eq(ask_at(lab, &other), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 1);
	ck_assert(hit_eq(&e->peer, &there->hit));
	ck_assert(endpoint_eq(&e->peer_at, &other));
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_UP], 1);
	ck_assert_uint_eq(lab->host[0].count[HIP_LOCATOR], moves);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(what_access_rules_deny_is_not_asked_and_not_found)
{
	struct lab *lab = two(true);
	struct hip_access_rule r = { .allow = false };
	struct hip_access list[HIP_ROLE_NUM] = { [HIP_ROLE_INITIATOR] = { &r,
									  1 } };

	ck_assert_int_eq(prefix_parse("192.0.2.2", &r.prefix), HG_OK);
	ck_assert_int_eq(hip_set_access(lab->host[0].h, list, lab->now), HG_OK);
	ck_assert_int_eq(ask_at(lab, &lab->host[1].at), HG_EPERM);
	ck_assert_uint_eq(lab->sent[HIP_I1], 0);
	/* By HIT it shows only when R1 is there, before any job. */
	r.by_hit = true;
	r.hit = lab->host[1].hit;
	ck_assert_int_eq(hip_set_access(lab->host[0].h, list, lab->now), HG_OK);
	lab->hold_jobs = true;
	ask(lab);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_DENIED), 2);
	ck_assert_uint_eq(lab->held_num, 0);
	lab_free(lab);
}
END_TEST

/* Asked as `self`; its R1 has come, and is in work. */
static void ask_as(struct lab *lab, const struct hit *self)
{
	ck_assert_int_eq(hip_want_opportunistic(lab->host[0].h, self,
						&lab->host[1].at, lab->now),
			 HG_OK);
	lab->hold_jobs = true;
	lab_drain(lab);
	ck_assert_uint_eq(lab->held_num, 1);
}

/* The wish has ended for this reason, its job comes to nothing. */
static void ended(struct lab *lab, enum reason why)
{
	const struct hip_effect *e = &lab->host[0].last[HIP_FAILED];
	uint64_t late = lab_drops(lab, 0, REASON_HIP_STATE);

	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
	ck_assert(hit_is_null(&e->peer));
	ck_assert(endpoint_eq(&e->peer_at, &lab->host[1].at));
	ck_assert_int_eq(e->reason, why);
	ck_assert(atomic_load(&lab->held[0].job->cancel));
	atomic_store(&lab->held[0].job->cancel, false); /* too late to tell */
	lab->hold_jobs = false;
	lab_release(lab);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_STATE), late + 1);
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	ck_assert_uint_eq(lab->sent[HIP_I2], 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 1);
}

START_TEST(a_wish_ends_when_new_rules_deny_its_address)
{
	struct lab *lab = two(true);
	struct hip_access_rule r = { .allow = false };
	struct hip_access list[HIP_ROLE_NUM] = { [HIP_ROLE_INITIATOR] = { &r,
									  1 } };

	ask_as(lab, NULL);
	/* Others, or a HIT that nobody knows to be there: it goes on. */
	ck_assert_int_eq(prefix_parse("192.0.2.3", &r.prefix), HG_OK);
	ck_assert_int_eq(hip_set_access(lab->host[0].h, list, lab->now), HG_OK);
	r.by_hit = true;
	r.hit = lab->host[1].hit;
	ck_assert_int_eq(hip_set_access(lab->host[0].h, list, lab->now), HG_OK);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 0);
	r.by_hit = false;
	ck_assert_int_eq(prefix_parse("192.0.2.2", &r.prefix), HG_OK);
	ck_assert_int_eq(hip_set_access(lab->host[0].h, list, lab->now), HG_OK);
	ended(lab, REASON_HIP_DENIED);
	lab_free(lab);
}
END_TEST

START_TEST(a_wish_ends_when_it_is_taken_back)
{
	struct lab *lab = two(false);
	struct endpoint other = lab->host[1].at;

	other.port++;
	ask(lab);
	lab_run(lab);
	hip_unwant_opportunistic(lab->host[0].h, NULL, &other);
	hip_unwant_opportunistic(lab->host[0].h, &lab->host[1].hit,
				 &lab->host[1].at);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert_uint_gt(lab->sent[HIP_I1], 1); /* it was another's */
	lab->sent[HIP_I1] = 0;
	hip_unwant_opportunistic(lab->host[0].h, NULL, &lab->host[1].at);
	hip_unwant_opportunistic(lab->host[0].h, NULL, &lab->host[1].at);
	lab_sleep(lab, 30 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_I1], 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 0);
	/* And R1s that come then are for nobody. */
	hip_set_opportunistic(lab->host[1].h, true);
	lab->hook = keep_r1;
	ask(lab);
	lab_run(lab);
	hip_unwant_opportunistic(lab->host[0].h, NULL, &lab->host[1].at);
	lab_input(lab, 0, &kept);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_I2], 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_wish_ends_with_its_identity)
{
	struct lab *lab = two(true);
	struct hip *h = lab->host[0].h;
	struct endpoint other = lab_at(7);
	struct hit made;

	ck_assert_int_eq(hip_make_identity(h, 1), HG_OK);
	lab_effects(lab, 0);
	made = lab->host[0].last[HIP_IDENTITY].self;
	ask_as(lab, &made);
	ck_assert_int_eq(hip_remove_identity(h, &made, lab->now), HG_OK);
	ended(lab, REASON_HIP_STATE);
	ck_assert_int_eq(
		hip_want_opportunistic(h, &made, &lab->host[1].at, lab->now),
		HG_EINVAL);
	/* Those of another one go on. */
	ck_assert_int_eq(hip_make_identity(h, 2), HG_OK);
	lab_effects(lab, 0);
	made = lab->host[0].last[HIP_IDENTITY].self;
	ck_assert_int_eq(hip_want_opportunistic(h, &made, &other, lab->now),
			 HG_OK);
	ask(lab);
	ck_assert_int_eq(hip_remove_identity(h, &made, lab->now), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[0].count[HIP_FAILED], 2);
	ck_assert_uint_eq(lab->host[0].count[HIP_FOUND], 1);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(wishes_and_their_jobs_are_bounded)
{
	struct lab *lab = two(true);
	struct endpoint at = lab->host[1].at;
	int n = 0;

	lab->hook = keep_r1;
	ask(lab);
	lab_run(lab);
	lab->hold_jobs = true;
	for (int i = 0; i < 4; i++)
		lab_input(lab, 0, &kept);
	ck_assert_uint_eq(lab->held_num, 2);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_BUSY), 2);
	lab_release(lab);
	ck_assert_uint_eq(lab->sent[HIP_I2], 1);

	while (ask_at(lab, &at) == HG_OK && n < 100) {
		ck_assert_int_eq(ask_at(lab, &at), HG_OK); /* the same */
		at.port++;
		n++;
	}
	ck_assert_int_eq(n, 16);
	ck_assert_int_eq(ask_at(lab, &at), HG_EFULL);
	lab->head = lab->tail;
	/* Leaving ends them. */
	hip_close(lab->host[0].h, NULL, lab->now);
	lab->sent[HIP_I1] = 0;
	lab_sleep(lab, 5 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_I1], 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_place_that_cannot_be_is_refused)
{
	struct lab *lab = two(true);
	struct endpoint at = { addr_any6, HIP_PORT };

	ck_assert_int_eq(ask_at(lab, &at), HG_EINVAL);
	ck_assert_int_eq(hip_want_opportunistic(lab->host[0].h,
						&lab->host[1].hit,
						&lab->host[1].at, lab->now),
			 HG_EINVAL);
	lab_free(lab);
}
END_TEST

Suite *test_opportunistic_suite(void)
{
	Suite *s = suite_create("opportunistic");
	TCase *t = tcase_create("wish");

	tcase_add_test(t, an_address_alone_leads_to_an_association);
	tcase_add_test(t, a_responder_that_does_not_want_it_says_nothing);
	tcase_add_test(t, one_with_from_is_not_answered);
	tcase_add_test(t, an_agent_takes_it_as_its_own);
	tcase_add_test(t, an_anonymous_identity_does_not_answer);
	tcase_add_test(t, only_what_comes_from_that_address_counts);
	tcase_add_test(t, an_r1_without_an_r2_finds_nobody);
	tcase_add_test(t, what_does_not_verify_finds_nobody);
	tcase_add_test(t, another_hit_than_last_time_is_no_surprise);
	tcase_add_test(t, one_we_have_already_is_found_and_left_alone);
	tcase_add_test(t, one_we_have_already_is_found_at_another_address);
	tcase_add_test(t, what_access_rules_deny_is_not_asked_and_not_found);
	tcase_add_test(t, a_wish_ends_when_new_rules_deny_its_address);
	tcase_add_test(t, a_wish_ends_when_it_is_taken_back);
	tcase_add_test(t, a_wish_ends_with_its_identity);
	tcase_add_test(t, wishes_and_their_jobs_are_bounded);
	tcase_add_test(t, a_place_that_cannot_be_is_refused);
	suite_add_tcase(s, t);
	return s;
}
