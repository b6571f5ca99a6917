/* SPDX-License-Identifier: MIT */
/* room: hip */
/* An engine under a flood of I1s, without a network.
 *
 * speed_i1 SOURCES PER_SECOND SECONDS: I1s from so many addresses and HITs
 * (0: a new one each time), so many in each second of made-up time. Prints
 * "I1S R1S CPU_NS RSS_BEFORE RSS_AFTER": how many came and were answered,
 * CPU time for one that came, and resident memory in octets before the
 * flood (after a thousand I1s that touch what will be used) and after it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/wire.h"
#include "hip/dh.h"
#include "hip/hip.h"
#include "hip/message.h"

#define SECOND UINT64_C(1000000000)
#define WARM_UP 1000
#define SENDER_AT 8 /* in the header */

struct flood {
	struct hip *h;
	struct endpoint at;
	uint8_t i1[HIP_MSG_MAX];
	size_t len;
	uint64_t sources; /* 0: each I1 has its own */
	uint64_t now;
	uint64_t answers;
};

static double cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Resident memory of this process in octets; 0: it cannot be told. */
static uint64_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long all = 0;
	unsigned long long pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &all, &pages) != 2)
		pages = 0;
	(void)fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void drain(struct flood *f)
{
	struct hip_effect e;

	while (hip_effect(f->h, &e)) {
		if (e.kind == HIP_SEND)
			f->answers++;
		if (e.kind != HIP_JOB)
			continue;
		hip_job_run(e.job);
		hip_job_done(f->h, e.job, f->now);
	}
}

/* The n-th source: an address in 3fff::/20 (RFC 9637), all of one /64 each,
 * and a HIT. */
static void send_one(struct flood *f, uint64_t n)
{
	struct endpoint from = { .port = HIP_PORT };
	uint64_t source = f->sources ? n % f->sources : n;
	uint64_t mixed = (source + 1) * UINT64_C(0x9e3779b97f4a7c15);

	from.addr.b[0] = 0x3f;
	from.addr.b[1] = 0xff;
	put_be32(from.addr.b + 3, (uint32_t)(mixed >> 32));
	from.addr.b[15] = 1;
	put_be32(f->i1 + SENDER_AT + 8, (uint32_t)(source >> 32));
	put_be32(f->i1 + SENDER_AT + 12, (uint32_t)source);
	hip_input(f->h, f->i1, f->len, &from, &f->at, f->now);
	drain(f);
}

static int make_i1(struct flood *f)
{
	const uint8_t groups[] = { DH_P384, DH_P256 };
	struct hit sender = { { 0x20, 0x01, 0x00, 0x22 } };
	struct msg_builder b;

	message_begin(&b, HIP_I1, &sender, hip_default_hit(f->h));
	message_put(&b, PARAM_DH_GROUP_LIST, groups, sizeof(groups));
	/* As long as one that is answered at once. */
	(void)message_reserve(&b, PARAM_PADDING, 92);
	if (message_finish(&b))
		return HG_EFULL;
	memcpy(f->i1, b.buf, b.len);
	f->len = b.len;
	return HG_OK;
}

static int boot(struct flood *f)
{
	struct hip_config cfg = { .responder = true, .puzzle_k = 10 };
	struct hip_identity *id;
	int err = hip_identity_generate(HIP_ALG_ECDSA_P256, &id);

	if (err)
		return err;
	f->now = 1000 * SECOND;
	f->at.port = HIP_PORT;
	err = hip_new(&cfg, f->now, &f->h);
	if (!err)
		err = hip_add_identity(f->h, id, f->now);
	if (err) {
		hip_identity_free(id);
		return err;
	}
	drain(f);
	return make_i1(f);
}

static void run(struct flood *f, uint64_t per_second, uint64_t seconds)
{
	uint64_t num = per_second * seconds;
	uint64_t before;
	double begin;

	for (uint64_t n = 0; n < WARM_UP; n++)
		send_one(f, n);
	f->now += 100 * SECOND;
	f->answers = 0;
	before = resident();
	begin = cpu_s();
	for (uint64_t n = 0; n < num; n++) {
		f->now += SECOND / per_second;
		send_one(f, n);
	}
	(void)printf("%llu %llu %.0f %llu %llu\n", (unsigned long long)num,
		     (unsigned long long)f->answers,
		     (cpu_s() - begin) / (double)num * 1e9,
		     (unsigned long long)before,
		     (unsigned long long)resident());
}

int main(int argc, char **argv)
{
	struct flood f = { .h = NULL };
	uint64_t per_second;
	uint64_t seconds;
	int err;

	if (argc != 4) {
		(void)fprintf(stderr,
			      "usage: speed_i1 SOURCES PER_SECOND SECONDS\n");
		return EXIT_FAILURE;
	}
	f.sources = strtoull(argv[1], NULL, 10);
	per_second = strtoull(argv[2], NULL, 10);
	seconds = strtoull(argv[3], NULL, 10);
	err = per_second && seconds ? boot(&f) : HG_EINVAL;
	if (err)
		(void)fprintf(stderr, "speed_i1: %s\n", err_text(err));
	else
		run(&f, per_second, seconds);
	hip_free(f.h);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
