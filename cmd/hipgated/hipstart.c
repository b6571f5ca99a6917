/* SPDX-License-Identifier: MIT */
/* What the configuration says, given to the HIP engine. */
#include "hipstart.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/log.h"

#define LOG_ABOUT LOG_SUB_HIP

_Static_assert((int)CONFIG_ROLE_HOST == HIP_ROLE_HOST &&
		       (int)CONFIG_ROLE_RENDEZVOUS == HIP_ROLE_RENDEZVOUS &&
		       (int)CONFIG_ROLE_PROXY == HIP_ROLE_INITIATOR &&
		       (int)CONFIG_ROLE_NUM == HIP_ROLE_NUM,
	       "the roles of config and hip are in one order");
_Static_assert(CONFIG_ACCESS == HIP_ACCESS_MAX, "as many rules as hip takes");

int hipstart_read_key(const char *path, struct hip_identity **out, char *errbuf,
		      size_t errlen)
{
	char *pem;
	size_t len;
	int err = config_read_key(path, &pem, &len, errbuf, errlen);

	if (err)
		return err;
	err = hip_identity_from_pem(pem, len, out);
	sodium_memzero(pem, len);
	free(pem);
	if (err)
		(void)snprintf(errbuf, errlen,
			       "%s: %s; it must be " HIP_IDENTITY_KINDS
			       "; make one with: hipgate keygen %s",
			       path, err_text(err), path);
	return err;
}

int hipstart_add_identity(struct gate *g, const char *path, bool anonymous,
			  struct hip_identity *id)
{
	char text[ADDR_TEXT_MAX];
	struct hit hit = *hip_identity_hit(id);
	int err;

	if (anonymous)
		hip_identity_set_anonymous(id);
	err = hip_add_identity(g->hip, id, uv_hrtime());
	if (err) {
		hip_identity_free(id);
		return err;
	}
	g->selves[g->selves_num++] = hit;
	log_info("event=identity hit=%s file=\"%s\" anonymous=%s",
		 hit_print(&hit, text), path, anonymous ? "yes" : "no");
	return HG_OK;
}

int hipstart_access(struct gate *g, const struct config *c)
{
	struct hip_access list[HIP_ROLE_NUM];
	struct hip_access_rule *rules[HIP_ROLE_NUM] = { NULL };
	int err = HG_OK;

	for (size_t i = 0; i < HIP_ROLE_NUM; i++) {
		const struct config_access *in = &c->access[i];

		rules[i] = calloc(in->num + 1, sizeof(*rules[i]));
		list[i] = (struct hip_access){ rules[i], in->num };
		if (!rules[i])
			err = HG_ENOMEM;
		for (size_t n = 0; rules[i] && n < in->num; n++)
			rules[i][n] = (struct hip_access_rule){
				.allow = in->rules[n].allow,
				.by_hit = in->rules[n].by_hit,
				.hit = in->rules[n].hit,
				.prefix = in->rules[n].prefix,
			};
	}
	if (!err)
		err = hip_set_access(g->hip, list, uv_hrtime());
	for (size_t i = 0; i < HIP_ROLE_NUM; i++)
		free(rules[i]);
	return err;
}

void hipstart_peer(struct gate *g, const struct config_peer *c)
{
	struct peer *p = c->at_num ? peer_get(g, &c->hit) : NULL;

	if (!p)
		return; /* it says an identity only */
	memcpy(p->locators, c->at, sizeof(p->locators));
	p->locators_num = c->at_num;
	if (!p->committed)
		p->at = c->at[0];
	p->via_rvs = c->via_rvs;
}

static int add_identities(struct gate *g, char *errbuf, size_t errlen)
{
	const struct config *c = g->cfg;
	int err = HG_OK;

	for (size_t i = 0; !err && i < c->identity_num; i++) {
		const char *path = c->identity[i];
		struct hip_identity *id;

		err = hipstart_read_key(path, &id, errbuf, errlen);
		if (err)
			break;
		err = hipstart_add_identity(g, path, c->anonymous[i], id);
		if (err)
			(void)snprintf(errbuf, errlen, "%s: %s", path,
				       err_text(err));
	}
	return err;
}

/* ESP without encryption is for these peers alone. */
static size_t esp_null_peers(const struct config *c, struct hit *out)
{
	size_t num = 0;

	for (size_t i = 0; i < c->peers_num; i++) {
		if (c->peers[i].esp_null)
			out[num++] = c->peers[i].hit;
	}
	return num;
}

static int new_failed(const struct config *c, int err, char *errbuf,
		      size_t errlen)
{
	if (err == HG_EUNSUPP && c->offer.cipher_num)
		(void)snprintf(errbuf, errlen,
			       "hip-ciphers = null is for builds with "
			       "HIPGATE_DEBUG_NULL only; remove it");
	else
		(void)snprintf(errbuf, errlen, "HIP engine: %s", err_text(err));
	return err;
}

int hipstart(struct gate *g, char *errbuf, size_t errlen)
{
	const struct config *c = g->cfg;
	struct hip_config hc = {
		.responder = c->host,
		.rendezvous = c->rendezvous,
		.relay = c->rendezvous && c->relay,
		.behind_nat = c->behind_nat,
		.keepalive_s = c->keepalive_s,
		.opportunistic = c->answers_opportunistic,
		.notify = c->notify,
		.rekey = c->rekey,
		.spi_mod = g->plane.workers_num,
		.r1_counter = (uint64_t)time(NULL),
		.offer = c->offer,
		.esp_null = g->esp_null,
		.esp_null_num = esp_null_peers(c, g->esp_null),
		.puzzle_k = c->puzzle,
		.puzzle_k_max = 20,
	};
	int err = hip_new(&hc, uv_hrtime(), &g->hip);

	if (!err)
		err = hipstart_access(g, c);
	if (err)
		return new_failed(c, err, errbuf, errlen);
	err = relayside_start(g, errbuf, errlen);
	if (!err)
		err = add_identities(g, errbuf, errlen);
	if (err)
		return err;
	for (size_t i = 0; i < c->peers_num; i++)
		hipstart_peer(g, &c->peers[i]);
	return agents_start(g, errbuf, errlen);
}
