/* SPDX-License-Identifier: MIT */
/* What an UPDATE says, put together (RFC 7401 5.3.5). */
#include "hip/composer.h"

#include "hip/fields.h"
#include "hip/ice.h"
#include "hip/readdress.h"
#include "hip/registrar.h"
#include "hip/registration.h"
#include "hip/rekey.h"

/* For HIP-aware middleboxes: which SA the addresses are of (RFC 8046 4.3). */
static void put_same_spi(struct msg_builder *b, const struct assoc *a)
{
	struct field_esp_info info = { .keymat_index = a->keys->keymat_next,
				       .old_spi = a->keys->sa.spi_in,
				       .new_spi = a->keys->sa.spi_in };

	fields_put_esp_info(b, &info);
}

/* Type order (RFC 7401 5.2.1). */
int composer_update(struct hip *h, struct assoc *a, struct hip_job *job,
		    const struct update_answer *ans,
		    const struct hip_msg *theirs)
{
	bool rekey = job->keep && rekey_ready(a);
	bool moving = job->keep && readdress_due(a);
	const uint8_t types[] = { a->up.reg_type, FIELDS_REG_RELAY_UDP_ESP };
	struct field_reg reg = { .first = a->up.reg,
				 .types = types,
				 .types_num = 1u + registration_data(a) };
	struct field_ack ack = { .id = { ans ? ans->seq : 0 }, .num = 1 };
	struct msg_builder *b = &job->out;
	uint32_t spi = rekey ? rekey_spi(a) : a->keys->sa.spi_in;
	int err = HG_OK;

	message_begin(b, HIP_UPDATE, &a->self, &a->peer);
	if (rekey)
		rekey_put_esp_info(b, a);
	else if (moving)
		put_same_spi(b, a);
	if (moving && a->tell && !a->ice)
		readdress_put_locators(b, h, a, spi);
	if (job->keep)
		fields_put_seq(b, a->up.next_id);
	if (ans)
		fields_put_ack(b, &ack);
	if (rekey)
		rekey_put_dh(b, a);
	if (moving && a->tell && a->ice)
		err = ice_put_moved(b, h, a, spi);
	if (job->keep)
		readdress_put_question(b, h, a);
	if (job->keep && a->up.reg_type)
		fields_put_reg(b, PARAM_REG_REQUEST, &reg);
	if (ans)
		registrar_put(b, &ans->reg); /* RFC 8003 3.3 */
	/* The unsigned ones follow the signature (RFC 7401 5.2.21). */
	if (ans)
		fields_put_echo(b, theirs, PARAM_ECHO_REQUEST_SIGNED,
				PARAM_ECHO_RESPONSE_SIGNED);
	ice_put(b, h, a, job->keep, ans, theirs);
	return err;
}
