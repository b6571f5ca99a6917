/* SPDX-License-Identifier: MIT */
/* Makes and signs an R1 ahead of time (RFC 7401 5.3.2, 6.7.1). */
#include "hip/hipjob.h"

#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/relayed.h"
#include "hip/suite.h"

/* Type order, not the order of the figure (RFC 7401 5.2.1). */
static void put_all(struct hip_job *job)
{
	struct hipjob_pool *u = &job->u.pool;
	struct msg_builder *b = &job->out;
	const uint8_t zero[SUITE_HASH_MAX] = { 0 };
	uint8_t types[3];
	struct field_r1_counter counter = { .counter = u->counter };
	struct field_puzzle puzzle = {
		.k = u->k,
		.lifetime = HIPJOB_PUZZLE_LIFETIME,
		.i = zero,
		.i_len = identity_suite(job->id)->hash_len,
	};
	struct field_dh dh = { .group = u->group->id,
			       .public = dh_public(u->dh),
			       .public_len = u->group->public_len };
	struct field_reg_info info = { .min_lifetime = registrar_min,
				       .max_lifetime = registrar_max,
				       .types = types };
	const struct field_ids udp = { { FIELDS_NAT_UDP }, 1 };
	struct field_ids ids = { { HIPJOB_TRANSPORT_ESP }, 1 };
	const uint8_t *host_id;
	size_t len;

	message_begin(b, HIP_R1, &job->self, NULL);
	if (hip_identity_anonymous(job->id))
		message_set_anonymous(b); /* RFC 7401 5.3.2 */
	fields_put_r1_counter(b, &counter);
	if (u->reflexive.port)
		relayed_put_locator(b, &u->reflexive); /* RFC 9028 4.7.2 */
	fields_put_puzzle(b, &puzzle);
	message_put(b, PARAM_DH_GROUP_LIST, job->offer.dh, job->offer.dh_num);
	fields_put_dh(b, &dh);
	fields_put_cipher(b, &job->offer.cipher);
	if (u->nat) /* RFC 9028 4.3 */
		fields_put_nat_modes(b, u->client ? &job->offer.nat : &udp);
	host_id = identity_host_id(job->id, &len);
	message_put(b, PARAM_HOST_ID, host_id, len);
	message_put(b, PARAM_HIT_SUITE_LIST, suite_list, suite_list_num);
	if (u->rendezvous)
		types[info.types_num++] = FIELDS_REG_RENDEZVOUS;
	if (u->relay)
		types[info.types_num++] = FIELDS_REG_RELAY_UDP_HIP;
	if (u->data)
		types[info.types_num++] = FIELDS_REG_RELAY_UDP_ESP;
	if (info.types_num)
		fields_put_reg_info(b, &info); /* RFC 8003 3.1 */
	fields_put_transport(b, &ids);
	fields_put_esp_transform(b, &job->offer.esp);
}

void r1maker_run(struct hip_job *job)
{
	if (dh_generate(job->u.pool.group, &job->u.pool.dh))
		return;
	put_all(job);
	if (auth_put_signature_2(&job->out, job->id) == HG_OK &&
	    message_finish(&job->out) == HG_OK)
		job->reason = REASON_NUM;
}
