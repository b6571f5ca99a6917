/* SPDX-License-Identifier: MIT */
/* room: hip */
/* Two engines that do base exchanges; theory in speed_pair.h. */
#include "test/speed/speed_pair.h"

#include <string.h>
#include <time.h>

#include "hip/fields.h"
#include "hip/param.h"

#define BETWEEN_NS UINT64_C(100000000)

static uint64_t cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Takes what came out; jobs are run, or given back as they are. */
static void drain(struct speed_pair *p, struct speed_side *s, bool run)
{
	struct hip_effect e;

	while (hip_effect(s->h, &e)) {
		switch (e.kind) {
		case HIP_SEND:
			memcpy(s->msg, e.msg, e.msg_len);
			s->msg_len = e.msg_len;
			s->msgs++;
			break;
		case HIP_JOB:
			if (run)
				hip_job_run(e.job);
			s->jobs += run;
			hip_job_done(s->h, e.job, p->now);
			break;
		case HIP_SA_UP:
			s->up = true;
			break;
		default:
			break;
		}
		sa_wipe(&e.sa);
	}
}

static int side_init(struct speed_pair *p, struct speed_side *s,
		     enum hip_alg alg, uint8_t k)
{
	struct hip_config cfg = { .responder = s == &p->responder,
				  .offer = { .dh = { p->group }, .dh_num = 1 },
				  .puzzle_k = k,
				  .puzzle_k_max = 20 };
	struct hip_identity *id;
	int err = hip_identity_generate(alg, &id);

	if (err)
		return err;
	err = hip_new(&cfg, p->now, &s->h);
	if (!err)
		err = hip_add_identity(s->h, id, p->now);
	if (err) {
		hip_identity_free(id);
		return err;
	}
	/* The Responder's stock of R1s is there before anybody asks. */
	drain(p, s, s == &p->responder);
	s->jobs = 0;
	return HG_OK;
}

int speed_pair_init(struct speed_pair *p, enum hip_alg alg, uint8_t group,
		    uint8_t k)
{
	static const uint8_t a[4] = { 192, 0, 2, 1 };
	static const uint8_t b[4] = { 192, 0, 2, 2 };
	int err;

	memset(p, 0, sizeof(*p));
	p->group = group;
	p->now = 1000 * UINT64_C(1000000000);
	p->initiator.at = (struct endpoint){ addr_from4(a), HIP_PORT };
	p->responder.at = (struct endpoint){ addr_from4(b), HIP_PORT };
	err = side_init(p, &p->initiator, alg, k);
	if (!err)
		err = side_init(p, &p->responder, alg, k);
	if (err)
		speed_pair_fini(p);
	return err;
}

void speed_pair_fini(struct speed_pair *p)
{
	hip_free(p->initiator.h);
	hip_free(p->responder.h);
}

/* The other side's last message comes in here. */
static void deliver(struct speed_pair *p, struct speed_side *to,
		    struct speed_side *from)
{
	uint64_t begin = cpu_ns();

	hip_input(to->h, from->msg, from->msg_len, &from->at, &to->at, p->now);
	drain(p, to, true);
	to->cpu_ns += cpu_ns() - begin;
}

static int ask(struct speed_pair *p)
{
	const struct hit *peer = hip_default_hit(p->responder.h);
	struct speed_side *s = &p->initiator;
	uint64_t begin = cpu_ns();
	int err = hip_want(s->h, NULL, peer, &p->responder.at, 1, p->now);

	drain(p, s, true);
	s->cpu_ns += cpu_ns() - begin;
	return err;
}

/* The DH group of the I2 just sent; 0: none. */
static uint8_t group_of(const struct speed_side *s)
{
	const struct hip_param *dh;
	struct field_dh f;
	struct hip_msg m;

	if (param_parse(s->msg, s->msg_len, &m) != REASON_NUM)
		return 0;
	dh = param_find(&m, PARAM_DIFFIE_HELLMAN);
	return dh && fields_get_dh(dh, &f) ? f.group : 0;
}

int speed_pair_exchange(struct speed_pair *p)
{
	struct speed_side *i = &p->initiator;
	struct speed_side *r = &p->responder;
	int err;

	p->now += BETWEEN_NS;
	hip_close(i->h, hip_default_hit(r->h), p->now);
	drain(p, i, false);
	i->up = false;
	r->up = false;
	err = ask(p);
	if (err)
		return err;
	deliver(p, r, i); /* I1 */
	deliver(p, i, r); /* R1 */
	if (group_of(i) != p->group)
		return HG_EAGAIN;
	deliver(p, r, i); /* I2 */
	deliver(p, i, r); /* R2 */
	return i->up && r->up ? HG_OK : HG_EAGAIN;
}
