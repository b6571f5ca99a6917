/* SPDX-License-Identifier: MIT */
/* Which identity is used toward whom; made ones and their end. */
#include "test/unit/gate/reload_bed.h"

#define PX                                                                     \
	"[daemon]\nidentity = %/a.pem\nidentity = %/b.pem\n"                   \
	"anonymous = %/c.pem\n[proxy]\nprefix = 2001:db8:401::/64\n"

static struct reload_bed *b;

static void start(const char *text)
{
	struct dns_config dc = { 0 };

	b = reload_bed_new(text);
	dc.rules = b->g.cfg->rules;
	dc.rules_num = b->g.cfg->rules_num;
	ck_assert_int_eq(dns_new(&dc, &b->g.dns), HG_OK);
}

static struct peer *peer(uint8_t n, const char *name)
{
	struct hit hit = { { 0x20, 0x01, 0x00, 0x22, [8] = n, [15] = n } };
	struct peer *p = peer_get(&b->g, &hit);

	ck_assert_ptr_nonnull(p);
	peer_name(p, name);
	return p;
}

/* Carries out jobs; the last HIP_IDENTITY is in *out. */
static unsigned pump(struct hip_effect *out)
{
	struct hip_effect e;
	unsigned n = 0;

	while (hip_effect(b->g.hip, &e)) {
		if (e.kind == HIP_JOB) {
			hip_job_run(e.job);
			hip_job_done(b->g.hip, e.job, uv_hrtime());
		}
		if (e.kind == HIP_IDENTITY) {
			*out = e;
			n++;
		}
	}
	return n;
}

static void is(struct peer *p, size_t i)
{
	ck_assert_int_eq(persona_choose(&b->g, p, uv_hrtime()), HG_OK);
	ck_assert(hit_eq(&p->self, &b->g.selves[i]));
}

START_TEST(a_peer_is_met_under_what_policy_says)
{
	start(PX "[peer 2001:22:0:0:100::1]\nidentity = b.pem\n"
		 "[policy \"*.foo.com\"]\nhip = require\nidentity = c.pem\n"
		 "[policy \"www.foo.com\"]\nhip = require\n");
	is(peer(1, "x.foo.com"), 1); /* its HIT is more than its name */
	is(peer(2, "x.foo.com"), 2);
	is(peer(3, "X.FOO.com"), 2);
	is(peer(4, "www.foo.com"), 0); /* the longest rule says nothing */
	is(peer(5, "foo.com"), 0);
	is(peer(6, "x\\.foo.com"), 0); /* one label, and not below it */
	is(peer(7, ""), 0);
	reload_bed_free(b);
}
END_TEST

START_TEST(another_identity_is_another_association)
{
	struct peer *p;

	start(PX "[peer 2001:22:0:0:100::1]\nidentity = b.pem\n");
	p = peer(1, "");
	p->state = HIP_ESTABLISHED;
	p->committed = true;
	is(p, 1);
	ck_assert_int_eq(p->state, HIP_UNASSOCIATED);
	ck_assert(!p->committed);
	p->state = HIP_ESTABLISHED;
	is(p, 1);
	ck_assert_int_eq(p->state, HIP_ESTABLISHED);
	reload_bed_free(b);
}
END_TEST

START_TEST(what_a_peer_cannot_do_is_not_chosen_again)
{
	struct peer *p;

	start(PX);
	p = peer(1, "");
	is(p, 0);
	persona_instead(p, &b->g.selves[0], &b->g.selves[1]);
	is(p, 1);
	is(p, 1);
	reload_bed_free(b);
}
END_TEST

START_TEST(ephemeral_is_made_once_for_each_peer)
{
	uint64_t now = uv_hrtime();
	struct hip_effect e;
	struct peer *p;
	struct peer *q;
	struct hit first;

	start(PX "[policy *]\nhip = prefer\nidentity = ephemeral\n");
	p = peer(1, "a.example");
	q = peer(2, "b.example");
	ck_assert_int_eq(persona_choose(&b->g, p, now), HG_EAGAIN);
	ck_assert_int_eq(persona_choose(&b->g, p, now), HG_EAGAIN);
	ck_assert_uint_eq(pump(&e), 1);
	persona_made(&b->g, &e);
	ck_assert_int_eq(persona_choose(&b->g, p, now), HG_OK);
	first = p->self;
	ck_assert(hit_eq(&first, &e.self));
	ck_assert(persona_ours(&b->g, &first));
	ck_assert_int_eq(persona_choose(&b->g, q, now), HG_EAGAIN);
	ck_assert_uint_eq(pump(&e), 1);
	persona_made(&b->g, &e);
	ck_assert(!hit_eq(&q->self, &first));
	/* Old, the next association has a fresh one. */
	ck_assert_int_eq(persona_choose(&b->g, p, now + 2 * PERSONA_AGE),
			 HG_EAGAIN);
	ck_assert_uint_eq(pump(&e), 1);
	persona_made(&b->g, &e);
	ck_assert(!hit_eq(&p->self, &first));
	ck_assert_uint_eq(b->g.personas.num, 3);
	reload_bed_free(b);
}
END_TEST

START_TEST(unused_it_goes)
{
	struct hip_effect e;
	struct peer *p;
	uint64_t now;

	start(PX "[policy *]\nhip = prefer\nidentity = ephemeral\n");
	p = peer(1, "a.example");
	ck_assert_int_eq(persona_choose(&b->g, p, uv_hrtime()), HG_EAGAIN);
	ck_assert_uint_eq(pump(&e), 1);
	persona_made(&b->g, &e);
	now = b->g.personas.v[0].born;
	persona_expire(&b->g, now + PERSONA_IDLE - 1);
	ck_assert_uint_eq(b->g.personas.num, 1);
	p->state = HIP_I1_SENT; /* in use */
	persona_expire(&b->g, now + PERSONA_IDLE);
	ck_assert_uint_eq(b->g.personas.num, 1);
	p->state = HIP_UNASSOCIATED;
	persona_expire(&b->g, now + PERSONA_IDLE);
	ck_assert_uint_eq(b->g.personas.num, 0);
	ck_assert(!persona_ours(&b->g, &e.self));
	ck_assert_int_eq(hip_remove_identity(b->g.hip, &e.self, now),
			 HG_ENOENT);
	reload_bed_free(b);
}
END_TEST

START_TEST(in_the_end_it_goes_whatever_it_does)
{
	struct endpoint at;
	struct hip_effect e;
	struct peer *p;
	uint64_t now;

	start(PX "[policy *]\nhip = prefer\nidentity = ephemeral\n");
	ck_assert_int_eq(endpoint_parse("192.0.2.1:10500", 0, &at), HG_OK);
	p = peer(1, "a.example");
	ck_assert_int_eq(persona_choose(&b->g, p, uv_hrtime()), HG_EAGAIN);
	ck_assert_uint_eq(pump(&e), 1);
	persona_made(&b->g, &e);
	now = b->g.personas.v[0].born;
	ck_assert_int_eq(hip_want(b->g.hip, &p->self, &p->hit, &at, 1, now),
			 HG_OK);
	p->state = HIP_I1_SENT;
	persona_expire(&b->g, now + PERSONA_END - 1);
	ck_assert_uint_eq(b->g.personas.num, 1);
	persona_expire(&b->g, now + PERSONA_END);
	ck_assert_uint_eq(b->g.personas.num, 0);
	reload_bed_free(b);
}
END_TEST

START_TEST(without_room_a_peer_is_refused_not_met_as_another)
{
	struct hip_effect e;
	struct peer *p;
	uint64_t now = uv_hrtime();

	start(PX "[policy *]\nhip = prefer\nidentity = ephemeral\n");
	for (unsigned i = 0; i < PERSONA_MAX; i++) {
		p = peer((uint8_t)i, "a.example");
		ck_assert_int_eq(persona_choose(&b->g, p, now), HG_EAGAIN);
		ck_assert_uint_eq(pump(&e), 1);
		persona_made(&b->g, &e);
	}
	p = peer(200, "a.example");
	ck_assert_int_eq(persona_choose(&b->g, p, now), HG_EFULL);
	ck_assert(!p->persona_coming);
	reload_bed_free(b);
}
END_TEST

Suite *test_persona_suite(void)
{
	Suite *s = suite_create("persona");
	TCase *t = tcase_create("persona");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_peer_is_met_under_what_policy_says);
	tcase_add_test(t, another_identity_is_another_association);
	tcase_add_test(t, what_a_peer_cannot_do_is_not_chosen_again);
	tcase_add_test(t, ephemeral_is_made_once_for_each_peer);
	tcase_add_test(t, unused_it_goes);
	tcase_add_test(t, in_the_end_it_goes_whatever_it_does);
	tcase_add_test(t, without_room_a_peer_is_refused_not_met_as_another);
	suite_add_tcase(s, t);
	return s;
}
