/* SPDX-License-Identifier: MIT */
/* Offers: defaults, and what the configuration makes of them. */
#include "hip/offer.h"

#include <string.h>

#include "core/sa.h"
#include "hip/dh.h"
#include "hip/suite.h"

/* P-256 first: it is as strong as the AES-128 of the preferred ESP suite,
 * and the cheapest for a Responder under load; MODP for those that have
 * nothing else. AES-256 first protects the Initiator's identity and costs
 * one block more. Three ESP suites, 8 among them (RFC 7402 5.1.2 MUST),
 * keep R1 small. */
const struct offer offer_default = {
	.dh = { DH_P256, DH_P384, DH_P521, DH_MODP_3072, DH_MODP_2048,
		DH_MODP_1536 },
	.dh_num = 6,
	.cipher = { { SUITE_AES256_CBC, SUITE_AES128_CBC }, 2 },
	.esp = { { SA_AES128_GCM16, SA_AES128_CBC_SHA256,
		   SA_AES256_CBC_SHA256 },
		 3 },
	.esp_taken = { { SA_AES128_GCM16, SA_AES128_CBC_SHA256,
			 SA_AES256_CBC_SHA256, SA_AES128_GCM8, SA_AES128_CCM16,
			 SA_AES128_CCM8 },
		       6 },
	.nat = { { FIELDS_NAT_ICE_HIP_UDP, FIELDS_NAT_UDP }, 2 },
};

static bool known_dh(uint16_t id)
{
	return id <= UINT8_MAX && dh_group_find((uint8_t)id);
}

static bool known_cipher(uint16_t id)
{
	return suite_cipher_find(id) != NULL;
}

static bool known_esp(uint16_t id)
{
	return sa_suite_find(id) != NULL;
}

static bool known_nat(uint16_t id)
{
	return id == FIELDS_NAT_UDP || id == FIELDS_NAT_ICE_HIP_UDP;
}

/* Appends the configured ids; none: out stays as it is. */
static int configure(struct field_ids *out, const uint16_t *id, size_t num,
		     bool (*known)(uint16_t id))
{
	struct field_ids list = { .num = 0 };

	if (num > HIP_OFFER_MAX)
		return HG_EFULL;
	for (size_t i = 0; i < num; i++) {
		if (!known(id[i]))
			return HG_EUNSUPP;
		if (fields_ids_has(&list, id[i]))
			return HG_EEXIST;
		list.id[list.num++] = id[i];
	}
	if (num)
		*out = list;
	return HG_OK;
}

static int configure_dh(struct offer *o, const struct hip_offer *cfg)
{
	struct field_ids list = { .num = 0 };
	int err = configure(&list, cfg->dh, cfg->dh_num, known_dh);

	if (err || !list.num)
		return err;
	for (size_t i = 0; i < list.num; i++)
		o->dh[i] = (uint8_t)list.id[i];
	o->dh_num = list.num;
	return HG_OK;
}

int offer_init(struct offer *out, const struct hip_config *cfg)
{
	const struct hip_offer *c = &cfg->offer;
	struct offer o = offer_default;
	int err = configure_dh(&o, c);

	if (!err)
		err = configure(&o.cipher, c->cipher, c->cipher_num,
				known_cipher);
	if (!err)
		err = configure(&o.esp, c->esp, c->esp_num, known_esp);
	if (!err)
		err = configure(&o.nat, c->nat, c->nat_num, known_nat);
	if (err)
		return err;
	if (fields_ids_has(&o.esp, SA_NULL_SHA256))
		return HG_EINVAL; /* RFC 7402 3.3.5 */
	if (c->esp_num)
		o.esp_taken = o.esp;
	if (cfg->esp_null_num) {
		if (o.esp.num == HIP_OFFER_MAX)
			return HG_EFULL;
		o.esp.id[o.esp.num++] = SA_NULL_SHA256;
	}
	*out = o;
	return HG_OK;
}

bool offer_null_allowed(const struct hip_config *cfg, const struct hit *peer)
{
	for (size_t i = 0; i < cfg->esp_null_num; i++) {
		if (hit_eq(&cfg->esp_null[i], peer))
			return true;
	}
	return false;
}

bool offer_has_esp(const struct offer *o, uint16_t suite, bool null_allowed)
{
	if (suite == SA_NULL_SHA256 && !null_allowed)
		return false;
	return fields_ids_has(&o->esp, suite);
}

uint16_t offer_take_esp(const struct offer *o, const struct field_ids *theirs,
			bool null_allowed)
{
	if (null_allowed && fields_ids_has(theirs, SA_NULL_SHA256))
		return SA_NULL_SHA256;
	for (size_t i = 0; i < theirs->num; i++) {
		if (fields_ids_has(&o->esp_taken, theirs->id[i]))
			return theirs->id[i];
	}
	return 0;
}

uint16_t offer_take_nat(const struct offer *o, const struct field_ids *theirs,
			bool through_relay)
{
	for (size_t i = 0; i < theirs->num; i++) {
		/* RFC 9028 4.7.3: a way that works needs no checks. */
		if (!through_relay && theirs->id[i] == FIELDS_NAT_ICE_HIP_UDP)
			continue;
		if (fields_ids_has(&o->nat, theirs->id[i]))
			return theirs->id[i];
	}
	return 0;
}
