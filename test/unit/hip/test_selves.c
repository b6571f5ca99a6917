/* SPDX-License-Identifier: MIT */
/* Several identities at once, anonymous and short-lived ones. */
#include "test/unit/hip/lab.h"

static struct lab *two(void)
{
	return lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
}

/* A further identity of engine i, of key n. */
static struct hit add(struct lab *lab, size_t i, size_t n, bool anonymous)
{
	struct hip_identity *id = lab_identity(HIP_ALG_ECDSA_P384, n);
	struct hit hit = *hip_identity_hit(id);

	if (anonymous)
		hip_identity_set_anonymous(id);
	ck_assert_int_eq(hip_add_identity(lab->host[i].h, id, lab->now), HG_OK);
	lab_effects(lab, i);
	return hit;
}

static int want(struct lab *lab, const struct hit *self)
{
	int err = hip_want(lab->host[0].h, self, &lab->host[1].hit,
			   &lab->host[1].at, 1, lab->now);

	lab_drain(lab);
	return err;
}

struct pick {
	struct hit self;
	struct hip_peer found;
	unsigned num;
};

static void pick_self(const struct hip_peer *p, void *arg)
{
	struct pick *k = arg;

	k->num++;
	if (hit_eq(&p->self, &k->self))
		k->found = *p;
}

static struct hip_peer peer_of(struct lab *lab, size_t i,
			       const struct hit *self)
{
	struct pick k = { .self = *self };

	hip_each_peer(lab->host[i].h, pick_self, &k);
	return k.found;
}

static unsigned peers(struct lab *lab, size_t i)
{
	struct pick k = { .self = hit_null };

	hip_each_peer(lab->host[i].h, pick_self, &k);
	return k.num;
}

static struct hit make(struct lab *lab, uint64_t token)
{
	ck_assert_int_eq(hip_make_identity(lab->host[0].h, token), HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(lab->host[0].last[HIP_IDENTITY].token, token);
	ck_assert_int_eq(lab->host[0].last[HIP_IDENTITY].reason, REASON_NUM);
	return lab->host[0].last[HIP_IDENTITY].self;
}

START_TEST(each_identity_has_an_association_of_its_own)
{
	struct lab *lab = two();
	struct hit other = add(lab, 0, 2, false);

	ck_assert_int_eq(want(lab, NULL), HG_OK);
	ck_assert_int_eq(want(lab, &other), HG_OK);
	ck_assert_uint_eq(peers(lab, 0), 2);
	ck_assert_int_eq(peer_of(lab, 0, &lab->host[0].hit).state,
			 HIP_ESTABLISHED);
	ck_assert_int_eq(peer_of(lab, 0, &other).state, HIP_ESTABLISHED);
	ck_assert_uint_eq(peers(lab, 1), 2);
	lab_free(lab);
}
END_TEST

START_TEST(each_identity_answers)
{
	struct lab *lab = two();
	struct hit other = add(lab, 1, 2, false);

	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &other,
				  &lab->host[1].at, 1, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert(hit_eq(&lab->host[0].last[HIP_SA_UP].peer, &other));
	ck_assert_int_eq(peer_of(lab, 1, &other).state, HIP_R2_SENT);
	lab_free(lab);
}
END_TEST

static bool controls(struct lab *lab, struct lab_packet *p)
{
	uint16_t *seen = lab->hook_arg;

	seen[p->msg[2]] = (uint16_t)(p->msg[6] << 8 | p->msg[7]);
	return true;
}

START_TEST(the_a_bit_is_in_r1_and_i2_of_an_anonymous_identity_only)
{
	struct lab *lab = two();
	struct hit quiet = add(lab, 0, 2, true);
	uint16_t seen[256] = { 0 };

	lab->hook = controls;
	lab->hook_arg = seen;
	ck_assert_int_eq(want(lab, NULL), HG_OK);
	ck_assert_uint_eq(seen[HIP_I2], 0);
	ck_assert(!peer_of(lab, 1, &lab->host[1].hit).anonymous);
	ck_assert(!lab->host[1].last[HIP_SEEN].anonymous);
	hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
	lab_drain(lab);
	lab_sleep(lab, 2000 * LAB_S);

	ck_assert_int_eq(want(lab, &quiet), HG_OK);
	ck_assert_uint_eq(seen[HIP_I1], 0);
	ck_assert_uint_eq(seen[HIP_R1], 0);
	ck_assert_uint_eq(seen[HIP_I2], 1);
	ck_assert_uint_eq(seen[HIP_R2], 0);
	ck_assert(peer_of(lab, 1, &lab->host[1].hit).anonymous);
	ck_assert(lab->host[1].last[HIP_SEEN].anonymous);
	/* And where the Responder is the anonymous one. */
	ck_assert_int_eq(hip_want(lab->host[1].h, NULL, &quiet,
				  &lab->host[0].at, 1, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_int_eq(peer_of(lab, 0, &quiet).state, HIP_ESTABLISHED);
	lab_free(lab);
}
END_TEST

START_TEST(an_anonymous_responder_says_so_in_its_r1)
{
	struct lab *lab = two();
	struct hit quiet = add(lab, 1, 2, true);
	uint16_t seen[256] = { 0 };

	lab->hook = controls;
	lab->hook_arg = seen;
	ck_assert_int_eq(hip_want(lab->host[0].h, NULL, &quiet,
				  &lab->host[1].at, 1, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(seen[HIP_R1], 1);
	ck_assert_uint_eq(seen[HIP_I2], 0);
	ck_assert(peer_of(lab, 0, &lab->host[0].hit).anonymous);
	lab_free(lab);
}
END_TEST

static bool flip_a(struct lab *lab, struct lab_packet *p)
{
	if (p->msg[2] == *(uint8_t *)lab->hook_arg) {
		p->msg[7] ^= 1;
		lab->hook = NULL;
	}
	return true;
}

START_TEST(a_changed_a_bit_is_no_good_packet)
{
	struct lab *lab = two();
	uint8_t type = HIP_R1;

	lab->hook = flip_a;
	lab->hook_arg = &type;
	ck_assert_int_eq(want(lab, NULL), HG_OK);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_SIGNATURE), 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	type = HIP_I2;
	lab->hook = flip_a;
	lab_sleep(lab, LAB_S / 2);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_MAC), 1);
	ck_assert_uint_eq(peers(lab, 1), 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_made_identity_begins_and_is_anonymous)
{
	struct lab *lab = two();
	struct hit one = make(lab, 7);
	struct hit two = make(lab, 8);

	ck_assert(!hit_eq(&one, &two));
	ck_assert_int_eq(want(lab, &one), HG_OK);
	ck_assert_int_eq(peer_of(lab, 0, &one).state, HIP_ESTABLISHED);
	ck_assert(peer_of(lab, 1, &lab->host[1].hit).anonymous);
	/* The default one is still the lasting one. */
	ck_assert(hit_eq(hip_default_hit(lab->host[0].h), &lab->host[0].hit));
	lab_free(lab);
}
END_TEST

static bool keep(struct lab *lab, struct lab_packet *p)
{
	struct lab_packet *kept = lab->hook_arg;

	if (p->msg[2] == HIP_I1 || p->msg[2] == HIP_I2)
		kept[p->msg[2]] = *p;
	return true;
}

START_TEST(nobody_begins_with_a_made_identity)
{
	static struct lab_packet kept[HIP_I2 + 1];
	struct lab *lab = two();
	struct hit one = make(lab, 7);
	struct lab_packet p;

	/* An I1 and an I2, as if to it. */
	lab->hook = keep;
	lab->hook_arg = kept;
	ck_assert_int_eq(want(lab, NULL), HG_OK);
	for (int type = HIP_I1; type <= HIP_I2; type += 2) {
		p = kept[type];
		memcpy(p.msg + 8, lab->host[1].hit.b, 16);
		memcpy(p.msg + 24, one.b, 16);
		lab_input(lab, 0, &p);
	}
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_NOT_OURS), 2);
	ck_assert_uint_eq(peers(lab, 0), 1);
	lab_free(lab);
}
END_TEST

static unsigned made(struct lab *lab);

START_TEST(a_made_identity_goes_when_its_associations_are_gone)
{
	struct lab *lab = two();
	struct hip *h = lab->host[0].h;
	struct hit one = make(lab, 7);

	ck_assert_int_eq(want(lab, NULL), HG_OK);
	ck_assert_int_eq(want(lab, &one), HG_OK);
	ck_assert_int_eq(hip_remove_identity(h, &one, lab->now), HG_EAGAIN);
	ck_assert_int_eq(want(lab, &one), HG_EINVAL); /* nothing new */
	ck_assert_uint_eq(lab->sent[HIP_CLOSE], 1);
	ck_assert_uint_eq(peers(lab, 0), 1);
	ck_assert_uint_eq(made(lab), 1);
	ck_assert_int_eq(hip_remove_identity(h, &one, lab->now), HG_OK);
	ck_assert_uint_eq(made(lab), 0);
	ck_assert_int_eq(hip_remove_identity(h, &one, lab->now), HG_ENOENT);
	ck_assert_int_eq(hip_remove_identity(h, &lab->host[0].hit, lab->now),
			 HG_EINVAL);
	/* The other one's is as it was. */
	ck_assert_int_eq(peer_of(lab, 0, &lab->host[0].hit).state,
			 HIP_ESTABLISHED);
	lab_free(lab);
}
END_TEST

static void count_made(const struct hip_self *s, void *arg)
{
	*(unsigned *)arg += s->made;
	ck_assert(!s->made || s->anonymous);
}

static unsigned made(struct lab *lab)
{
	unsigned n = 0;

	hip_each_identity(lab->host[0].h, count_made, &n);
	return n;
}

START_TEST(made_identities_are_bounded)
{
	struct lab *lab = two();
	struct hip *h = lab->host[0].h;
	unsigned n = 0;
	struct hit last;

	lab->hold_jobs = true;
	while (hip_make_identity(h, n) == HG_OK && n < 1000)
		n++;
	ck_assert_uint_eq(n, 64);
	ck_assert_uint_eq(made(lab), 0);
	lab->hold_jobs = false;
	lab_effects(lab, 0);
	ck_assert_uint_eq(made(lab), 64);
	ck_assert_int_eq(hip_make_identity(h, n), HG_EFULL);
	last = lab->host[0].last[HIP_IDENTITY].self;
	ck_assert_int_eq(hip_remove_identity(h, &last, lab->now), HG_OK);
	ck_assert_int_eq(hip_make_identity(h, n), HG_OK);
	lab_effects(lab, 0);
	ck_assert_uint_eq(made(lab), 64);
	lab_free(lab);
}
END_TEST

START_TEST(a_job_that_is_not_run_makes_nothing)
{
	struct lab *lab = two();

	lab->hold_jobs = true;
	ck_assert_int_eq(hip_make_identity(lab->host[0].h, 3), HG_OK);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->held_num, 1);
	lab->held_num = 0;
	hip_job_done(lab->host[0].h, lab->held[0].job, lab->now);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].last[HIP_IDENTITY].token, 3);
	ck_assert_int_eq(lab->host[0].last[HIP_IDENTITY].reason,
			 REASON_HIP_BUSY);
	ck_assert_uint_eq(made(lab), 0);
	lab_free(lab);
}
END_TEST

Suite *test_selves_suite(void)
{
	Suite *s = suite_create("selves");
	TCase *t = tcase_create("identities");

	tcase_add_test(t, each_identity_has_an_association_of_its_own);
	tcase_add_test(t, each_identity_answers);
	tcase_add_test(t,
		       the_a_bit_is_in_r1_and_i2_of_an_anonymous_identity_only);
	tcase_add_test(t, an_anonymous_responder_says_so_in_its_r1);
	tcase_add_test(t, a_changed_a_bit_is_no_good_packet);
	tcase_add_test(t, a_made_identity_begins_and_is_anonymous);
	tcase_add_test(t, nobody_begins_with_a_made_identity);
	tcase_add_test(t, a_made_identity_goes_when_its_associations_are_gone);
	tcase_add_test(t, made_identities_are_bounded);
	tcase_add_test(t, a_job_that_is_not_run_makes_nothing);
	suite_add_tcase(s, t);
	return s;
}
