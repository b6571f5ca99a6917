/* SPDX-License-Identifier: MIT */
/* The Initiator's last step: R2 (RFC 7401 6.10). */
#include "hip/r2taker.h"

#include <string.h>

#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/ice.h"
#include "hip/opportunistic.h"
#include "hip/readdress.h"
#include "hip/registration.h"

static enum reason r2_worth(const struct assoc *a, const struct packet *p)
{
	const struct hip_param *i = param_find(&p->m, PARAM_ESP_INFO);
	struct suite_buf host_id = { a->keys->host_id, a->keys->host_id_len };
	struct field_esp_info info;

	if (!i || !param_find(&p->m, PARAM_HIP_SIGNATURE))
		return REASON_HIP_MISSING;
	if (!fields_get_esp_info(i, &info))
		return REASON_HIP_TLV;
	/* RFC 7402 3.2.1, 5.1.1, 6.6 */
	if (info.old_spi != 0 || info.new_spi <= 255 ||
	    info.keymat_index !=
		    keymat_esp_index(a->keys->rhash, a->keys->cipher))
		return REASON_HIP_PROPOSAL;
	return auth_check_mac_2(&p->m, a->keys->rhash, a->keys->hip.mac_in,
				&host_id);
}

void r2taker_r2(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	enum reason r = REASON_NUM;
	struct hip_job *job = NULL;

	if (a->check_jobs)
		r = REASON_HIP_DUPLICATE;
	if (r == REASON_NUM)
		r = r2_worth(a, ev->p); /* RFC 7401 6.10 step 3 */
	if (r == REASON_NUM) {
		job = hipjob_new(h, HIPJOB_R2, a->id);
		r = job ? REASON_NUM : REASON_HIP_BUSY;
	}
	if (r != REASON_NUM) {
		engine_drop(h, ev->p, r);
		return;
	}
	hipjob_input(job, ev->p);
	job->serial = a->serial;
	memcpy(job->host_id, a->keys->host_id, a->keys->host_id_len);
	job->host_id_len = a->keys->host_id_len;
	if (hipjob_start(h, job))
		a->check_jobs++;
	else
		engine_drop(h, ev->p, REASON_HIP_BUSY);
}

/* The exchange is complete. */
void r2taker_r2_ok(struct hip *h, struct event *ev)
{
	const struct hip_param *i = param_find(&ev->p->m, PARAM_ESP_INFO);
	struct assoc *a = ev->a;
	struct readdress_offer candidates;
	struct field_esp_info info;
	enum reason r = REASON_NUM;

	if (!i || !fields_get_esp_info(i, &info))
		r = REASON_HIP_TLV;
	else if (a->ice)
		r = ice_read(h, a->keys, &ev->p->m, &candidates);
	if (r != REASON_NUM) {
		engine_drop(h, ev->p, r);
		return;
	}
	(void)engine_seen(h, ev->p);
	a->keys->sa.spi_out = info.new_spi;
	a->resend_at = ENGINE_NEVER;
	a->last_in = ev->now;
	a->last_out = ev->now;
	a->fresh_from = ev->now; /* an I2 under way before is no reboot */
	a->i2_print = 0;
	assoc_msg_drop(&a->msg);
	assoc_sa_up(h, a, ev->now);
	if (a->ice)
		ice_begin(h, a, &candidates, ev->p);
	(void)assoc_locator(h, a, true);
	assoc_enter(h, a, HIP_ESTABLISHED, ev->now);
	registration_answer(h, a, &ev->p->m, true, ev->now);
	if (!a->ice)
		readdress_met(h, a, ev->p);
	readdress_begin(h, a, ev->now);
	if (a->found)
		opportunistic_proved(h, a);
	a->found = false;
	assoc_arm(h, a);
}
