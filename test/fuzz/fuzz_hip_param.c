/* SPDX-License-Identifier: MIT */
/* room: hip
 * The message parser and every getter on arbitrary octets; a message that
 * parses is rebuilt and must parse the same. */
#include <stdlib.h>
#include <string.h>

#include "hip/encrypted.h"
#include "hip/fields.h"
#include "hip/message.h"
#include "hip/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert: optimised builds leave that out. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Room for whatever a getter gives. */
union result {
	struct field_esp_info esp_info;
	struct field_r1_counter r1_counter;
	struct field_puzzle puzzle;
	struct field_solution solution;
	struct field_ack ack;
	struct field_dh dh;
	struct field_ids ids;
	struct field_host_id host_id;
	struct field_notification notification;
	struct field_signature signature;
	struct field_reg_info reg_info;
	struct field_reg reg;
	struct addr addr;
	uint32_t seq;
};

/* Getters of the base exchange's own parameters; results are of no interest. */
static bool get_exchange(const struct hip_param *p)
{
	union result u;

	switch (p->id) {
	case PARAM_ESP_INFO:
		must(fields_get_esp_info(p, &u.esp_info));
		break;
	case PARAM_R1_COUNTER:
		must(fields_get_r1_counter(p, &u.r1_counter));
		break;
	case PARAM_PUZZLE:
		must(fields_get_puzzle(p, &u.puzzle));
		must(u.puzzle.i_len == p->len - 4u);
		break;
	case PARAM_SOLUTION:
		must(fields_get_solution(p, &u.solution));
		must(u.solution.j + u.solution.i_len == p->contents + p->len);
		break;
	case PARAM_SEQ:
		must(fields_get_seq(p, &u.seq));
		break;
	case PARAM_ACK:
		must(fields_get_ack(p, &u.ack));
		break;
	case PARAM_DIFFIE_HELLMAN:
		if (fields_get_dh(p, &u.dh))
			must(u.dh.public + u.dh.public_len ==
			     p->contents + p->len);
		break;
	case PARAM_HIP_CIPHER:
		must(fields_get_cipher(p, &u.ids));
		break;
	case PARAM_TRANSPORT_FORMAT_LIST:
		must(fields_get_transport(p, &u.ids));
		break;
	case PARAM_ESP_TRANSFORM:
		must(fields_get_esp_transform(p, &u.ids));
		break;
	default:
		return false;
	}
	return true;
}

/* The others; plain octets have none. */
static void get_others(const struct hip_param *p)
{
	union result u;

	switch (p->id) {
	case PARAM_HOST_ID:
		if (fields_get_host_id(p, &u.host_id))
			must(u.host_id.di + u.host_id.di_len ==
			     p->contents + p->len);
		break;
	case PARAM_HIT_SUITE_LIST:
		(void)fields_has_hit_suite(p, 2); /* for its reads only */
		break;
	case PARAM_NOTIFICATION:
		must(fields_get_notification(p, &u.notification));
		break;
	case PARAM_HIP_SIGNATURE:
	case PARAM_HIP_SIGNATURE_2:
		must(fields_get_signature(p, &u.signature));
		break;
	case PARAM_REG_INFO:
		must(fields_get_reg_info(p, &u.reg_info));
		break;
	case PARAM_REG_REQUEST:
	case PARAM_REG_RESPONSE:
	case PARAM_REG_FAILED:
		must(fields_get_reg(p, &u.reg));
		break;
	case PARAM_FROM:
		must(fields_get_from(p, &u.addr));
		break;
	case PARAM_VIA_RVS:
		must(fields_get_via_rvs(p, &u.addr));
		break;
	default:
		break; /* plain octets */
	}
}

static void get_contents(const struct hip_param *p)
{
	if (!get_exchange(p))
		get_others(p);
}

/* What was parsed, written again, parses to the same parameters. */
static void rebuild(const struct hip_msg *m)
{
	struct msg_builder b;
	struct hip_msg again;

	message_begin(&b, m->type, &m->sender, &m->receiver);
	for (size_t i = 0; i < m->num; i++)
		message_put(&b, m->params[i].id, m->params[i].contents,
			    m->params[i].len);
	must(message_finish(&b) == 0 && b.len <= m->len);
	must(param_parse(b.buf, b.len, &again) == REASON_NUM);
	must(again.num == m->num && hit_eq(&again.sender, &m->sender));
	for (size_t i = 0; i < m->num; i++)
		must(again.params[i].id == m->params[i].id &&
		     again.params[i].len == m->params[i].len &&
		     memcmp(again.params[i].contents, m->params[i].contents,
			    m->params[i].len) == 0);
	message_resume(&b, m->raw, m->len, PARAM_FROM);
	must(param_parse(b.buf, b.len, &again) == REASON_NUM);
}

static void open_encrypted(const struct hip_msg *m)
{
	static const uint8_t key[SUITE_KEY_MAX] = { 1 };
	const struct hip_param *p = param_find(m, PARAM_ENCRYPTED);
	struct encrypted_inner in;

	if (!p)
		return;
	if (encrypted_open(p, m->type, suite_cipher_find(SUITE_AES128_CBC), key,
			   &in) != REASON_NUM)
		return;
	for (size_t i = 0; i < in.params.num; i++)
		get_contents(&in.params.params[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hip_msg m;

	if (suite_setup())
		abort();
	if (param_parse(data, size, &m) == REASON_NUM) {
		for (size_t i = 0; i < m.num; i++)
			get_contents(&m.params[i]);
		rebuild(&m);
		open_encrypted(&m);
	}
	if (size > 0 &&
	    param_parse_inner(data + 1, size - 1, data[0], &m) == REASON_NUM)
		for (size_t i = 0; i < m.num; i++)
			get_contents(&m.params[i]);
	return 0;
}
