/* SPDX-License-Identifier: MIT */
/* room: hip */
/* Base exchanges and their parts, each in CPU time of this process.
 *
 * list: the kinds of identity ("id NUMBER NAME") and the DH groups ("dh
 *	NUMBER NAME") that this build knows, one a line.
 * run ID DH K SECONDS: exchanges for so long; prints "EXCHANGES INITIATOR_NS
 *	RESPONDER_NS INITIATOR_JOBS RESPONDER_JOBS", ns for one exchange.
 * keygen DH SECONDS, derive DH SECONDS: ns for one, of the library alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hip/dh.h"
#include "hip/hip.h"
#include "test/speed/speed_pair.h"
#include "test/speed/speed_ref.h"

#define DNS_RSA 2 /* 8005 5.1 */

/* What an identity is, told from its public key, so that no list of names
 * has to grow with the engine's. */
static int print_identity(int alg)
{
	struct hip_identity *id;
	const uint8_t *pk;
	uint8_t pk_alg;
	size_t len;
	int err = hip_identity_generate((enum hip_alg)alg, &id);

	if (err)
		return err;
	hip_identity_dns_key(id, &pk_alg, &pk, &len);
	if (pk_alg == DNS_RSA) /* exponent 65537, then the modulus */
		(void)printf("id %d rsa%zu\n", alg, (len - 4) * 8);
	else
		(void)printf("id %d p%zu\n", alg, len * 4);
	hip_identity_free(id);
	return HG_OK;
}

static int list(void)
{
	for (int alg = 0; alg < HIP_ALG_NUM; alg++) {
		int err = print_identity(alg);

		if (err)
			return err;
	}
	for (unsigned id = 1; id <= UINT8_MAX; id++) {
		const struct dh_group *g = dh_group_find((uint8_t)id);

		if (g)
			(void)printf("dh %u %s\n", id, g->name);
	}
	return HG_OK;
}

static void accounts_clear(struct speed_pair *p)
{
	struct speed_side *side[2] = { &p->initiator, &p->responder };

	for (int i = 0; i < 2; i++) {
		side[i]->cpu_ns = 0;
		side[i]->jobs = 0;
	}
}

static int run(char **arg)
{
	int alg = atoi(arg[0]);
	int group = atoi(arg[1]);
	double budget_ns = atof(arg[3]) * 1e9;
	struct speed_pair p;
	uint64_t n = 0;
	int err;

	if (alg < 0 || alg >= HIP_ALG_NUM || group < 1 || group > UINT8_MAX ||
	    !dh_group_find((uint8_t)group))
		return HG_EUNSUPP;
	err = speed_pair_init(&p, (enum hip_alg)alg, (uint8_t)group,
			      (uint8_t)atoi(arg[2]));
	if (err)
		return err;
	/* Caches and allocator warm up. */
	err = speed_pair_exchange(&p);
	accounts_clear(&p);
	while (!err &&
	       (double)(p.initiator.cpu_ns + p.responder.cpu_ns) < budget_ns) {
		err = speed_pair_exchange(&p);
		n++;
	}
	if (!err)
		(void)printf("%llu %.0f %.0f %.3f %.3f\n",
			     (unsigned long long)n,
			     (double)p.initiator.cpu_ns / (double)n,
			     (double)p.responder.cpu_ns / (double)n,
			     (double)p.initiator.jobs / (double)n,
			     (double)p.responder.jobs / (double)n);
	speed_pair_fini(&p);
	return err;
}

static int reference(enum speed_ref_op op, char **arg)
{
	double ns;
	int err = speed_ref((uint8_t)atoi(arg[0]), op, atof(arg[1]), &ns);

	if (!err)
		(void)printf("%.0f\n", ns);
	return err;
}

int main(int argc, char **argv)
{
	int err = HG_EINVAL;

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		err = list();
	else if (argc == 6 && strcmp(argv[1], "run") == 0)
		err = run(argv + 2);
	else if (argc == 4 && strcmp(argv[1], "keygen") == 0)
		err = reference(SPEED_REF_KEYGEN, argv + 2);
	else if (argc == 4 && strcmp(argv[1], "derive") == 0)
		err = reference(SPEED_REF_DERIVE, argv + 2);
	if (err)
		(void)fprintf(stderr, "speed_bex: %s\n", err_text(err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
