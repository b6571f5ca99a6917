/* SPDX-License-Identifier: MIT */
/* Rekeying of ESP SAs (RFC 7402 6.8 to 6.10). */
/* THEORY OF OPERATION
 * A rekey is two halves: each side sends an ESP_INFO with its new inbound
 * SPI in an UPDATE and gets it acknowledged. It does not matter who began,
 * or whether both did: a struct rekey exists from the first half on and
 * collects
 *
 *	sent, acked	ours has left, and the peer has it
 *	got, answered	the peer's is here, and we have said so
 *
 * and step() does, after every event, what has become possible:
 *
 *	got			both ESP_INFO known: draw keys, publish the
 *				new SA on standby, it opens but does not send
 *				A data relay is asked to let it pass
 *	then answer		once the relay has said yes (or nothing, for
 *				PERMIT_WAIT): who has our ACK may use the SA
 *	acked and standby	the peer has it open too: switch, it sends
 *
 * so that nothing is ever sent on an SA the other side cannot open yet. The
 * replaced SA opens for a while more, for what is under way (retired.c).
 *
 * KEYMAT: without a new Diffie-Hellman value the greater of both indices
 * (6.10 step 2). With one, from either side, a new KEYMAT over #I and #J of
 * the base exchange and the newest values of both, from index 0; HIP's own
 * keys stay (step 3). Keys are replaced when the exchange is done (6.8).
 *
 * A rekey ends finished, or, its UPDATE unanswered, with the association
 * (RFC 7401 6.11). A peer that acknowledges but sends no half of its own gets
 * ours again, unchanged, lest the two ever mean different SAs; after TRIES
 * times the association is closed (6.8 step 5). Where halves cross and much
 * is lost, a peer may ask again for what has been done: that is acknowledged
 * (have). Owner: the engine's thread.
 */
#include "hip/rekey.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/agree.h"
#include "hip/datapath.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/ice.h"
#include "hip/retired.h"
#include "hip/wear.h"

#define GIVE_UP (20 * ENGINE_S) /* for the peer's half, */
#define TRIES 3			/*  so often */
#define PEER_MIN ENGINE_S	/* a peer may not make us rekey more often */
#define PERMIT_WAIT ENGINE_S	/* for our data relay, before we answer */

struct rekey {
	uint64_t id; /* jobs of another one are stale */
	uint64_t give_up;
	unsigned tries;	   /* our half was sent once more so often */
	struct sa_pair sa; /* the new one; keys only until it is published */
	uint16_t index;	   /* our KEYMAT Index */
	bool fresh;	   /* we bring a new Diffie-Hellman value: */
	struct dh_key *dh; /*  this one, once made */
	bool sent;
	bool acked;
	uint32_t seq; /* of the UPDATE it is in */

	bool got;
	bool answered;
	struct update_answer answer;
	uint8_t *raw; /* what it points to */
	uint16_t peer_index;
	uint8_t *peer_public; /* new, or NULL */

	bool working; /* a job is out */
	bool agreed;  /* km is the new KEYMAT */
	struct keymat km;
	uint16_t next; /* its first unused octet, or the old one's */
	bool standby;  /* the new SA is published */
	bool late;     /* our data relay has not said yes in time */
};

/* Makes our value if that is to be, agrees if the peer's half is here. */
static bool start_job(struct hip *h, struct assoc *a)
{
	const struct assoc_keys *k = a->keys;
	struct rekey *r = a->rekey;
	struct hip_job *job = hipjob_new(h, HIPJOB_DH, a->id);
	const struct dh_group *g = dh_group(k->dh);
	struct dh_key *mine = r->fresh ? r->dh : k->dh;
	struct hipjob_dh *u;

	if (!job)
		return false;
	job->self = a->self;
	job->peer = a->peer;
	job->serial = a->serial;
	u = &job->u.dh;
	u->id = r->id;
	u->group = g;
	u->mine = mine ? dh_ref(mine) : NULL;
	u->agree = r->got;
	u->rhash = k->rhash;
	memcpy(u->i, k->i, sizeof(u->i));
	memcpy(u->j, k->j, sizeof(u->j));
	if (r->got)
		memcpy(u->peer_public,
		       r->peer_public ? r->peer_public : k->peer_public,
		       g->public_len);
	r->working = hipjob_start(h, job);
	return r->working;
}

/* ---- beginning and end -------------------------------------------------- */

/* Do the keys still fit in this KEYMAT from index on (RFC 7402 5.1.1)? */
static bool keymat_lasts(const struct assoc_keys *k, size_t index)
{
	const struct sa_suite *s = sa_suite_find(k->sa.suite);

	return keymat_room(&k->km, index) >= 2 * (sa_enc_len(s) + s->auth_len);
}

static struct rekey *rekey_new(struct hip *h, struct assoc *a, bool fresh,
			       uint64_t now)
{
	struct rekey *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->sa = (struct sa_pair){ .self = a->self,
				  .peer = a->peer,
				  .suite = a->keys->sa.suite };
	r->sa.spi_in = assoc_spi_take_like(&h->assocs, a->keys->sa.spi_in,
					   h->cfg.spi_mod);
	if (!r->sa.spi_in) {
		free(r);
		return NULL;
	}
	r->id = ++h->assocs.serial;
	r->give_up = now + GIVE_UP;
	r->fresh = fresh;
	r->index = fresh ? 0 : a->keys->keymat_next;
	a->rekey = r;
	return r;
}

void rekey_free(struct assoc *a)
{
	struct rekey *r = a->rekey;

	if (!r)
		return;
	a->rekey = NULL;
	dh_free(r->dh);
	free(r->peer_public);
	free(r->raw);
	sodium_memzero(r, sizeof(*r));
	free(r);
}

static void abandon(struct hip *h, struct assoc *a)
{
	struct rekey *r = a->rekey;

	if (!r)
		return;
	if (r->standby)
		retired_down(h, a, r->sa.spi_in);
	else
		assoc_spi_give(&h->assocs, r->sa.spi_in);
	rekey_free(a);
}

void rekey_drop(struct hip *h, struct assoc *a)
{
	abandon(h, a);
	retired_drop(h, a);
}

/* Both halves are complete (RFC 7402 6.10). */
static void finish(struct hip *h, struct assoc *a, uint64_t now)
{
	struct rekey *r = a->rekey;
	struct assoc_keys *k = a->keys;

	retired_add(h, a, k->sa.spi_in, now);
	a->spi_out_before = k->sa.spi_out;
	k->sa.spi_in = r->sa.spi_in;
	k->sa.spi_out = r->sa.spi_out;
	if (!a->ice_waits)
		ice_switch(h, a);
	k->keymat_next = r->next;
	if (r->agreed)
		k->km = r->km;
	if (r->dh) {
		dh_free(k->dh);
		if (dh_pack(r->dh, &k->dh))
			k->dh = dh_ref(r->dh); /* no memory: as it is */
	}
	if (r->peer_public) {
		free(k->peer_public);
		k->peer_public = r->peer_public;
		r->peer_public = NULL;
	}
	rekey_free(a);
	datapath_permit(h, a, &k->sa, now); /* the old ones were, meanwhile */
	a->rekeys++;
	wear_begin(h, a, now);
	update_flush(h, a, now);
}

/* ---- what has become possible -------------------------------------------- */

/* Both ESP_INFO are known: the new SA, on standby. */
static bool publish(struct hip *h, struct assoc *a, uint64_t now)
{
	struct rekey *r = a->rekey;
	uint16_t index = 0;

	if (!r->agreed)
		index = r->index > r->peer_index ? r->index : r->peer_index;
	if (keymat_esp_keys(r->agreed ? &r->km : &a->keys->km, index, &r->sa,
			    &r->next))
		return false;
	assoc_sa_standby(h, a, &r->sa, now);
	sodium_memzero(&r->sa.in, sizeof(r->sa.in));
	sodium_memzero(&r->sa.out, sizeof(r->sa.out));
	r->standby = true;
	r->give_up = now + PERMIT_WAIT;
	return true;
}

/* The peer's half is here; ours may be on its way already. */
static void step_got(struct hip *h, struct assoc *a, uint64_t now)
{
	struct rekey *r = a->rekey;

	if ((r->fresh || r->peer_public) && !r->agreed) {
		(void)start_job(h, a); /* else: the peer asks again */
		return;
	}
	if (!r->standby && !publish(h, a, now)) {
		abandon(h, a);
		return;
	}
	if (!r->answered && !r->late && datapath_waits(h, a, r->sa.spi_in))
		return; /* rekey_permitted, or give_up */
	if (!r->answered)
		r->answered = update_answer(h, a, &r->answer, now);
	if (!r->sent)
		update_send(h, a, now);
	if (r->sent && r->acked)
		finish(h, a, now);
}

static void step(struct hip *h, struct assoc *a, uint64_t now)
{
	struct rekey *r = a->rekey;

	if (r->working)
		return;
	if (r->got)
		step_got(h, a, now);
	else if (r->fresh && !r->dh)
		(void)start_job(h, a);
	else if (!r->sent)
		update_send(h, a, now);
}

int rekey_start(struct hip *h, struct assoc *a, bool dh, uint64_t now)
{
	bool fresh = dh || !keymat_lasts(a->keys, a->keys->keymat_next);

	if (a->rekey)
		return HG_EAGAIN;
	if (!rekey_new(h, a, fresh, now))
		return HG_ENOMEM;
	step(h, a, now);
	if (!a->rekey->fresh || a->rekey->working)
		return HG_OK;
	abandon(h, a); /* no job to be had */
	return HG_EFULL;
}

void rekey_acked(struct hip *h, struct assoc *a, uint32_t seq, uint64_t now)
{
	struct rekey *r = a->rekey;

	if (!r || !r->sent || r->seq != seq)
		return;
	r->acked = true;
	step(h, a, now);
}

void rekey_permitted(struct hip *h, struct assoc *a, uint64_t now)
{
	if (a->rekey && a->rekey->standby)
		step(h, a, now);
}

/* ---- the peer's half ------------------------------------------------------ */

/* Half of a rekey (checklist, choice 22)? */
static bool usable(const struct assoc *a, const struct field_esp_info *info,
		   bool has_dh)
{
	const struct assoc_keys *k = a->keys;
	bool new_keymat = has_dh || (a->rekey && a->rekey->fresh);

	if (info->old_spi != k->sa.spi_out || info->new_spi <= 255 ||
	    info->new_spi == info->old_spi)
		return false;
	return new_keymat || (info->keymat_index >= k->keymat_next &&
			      keymat_lasts(k, info->keymat_index));
}

/* The peer has finished this rekey and begins the next, but its ACK has not
 * come: it must repeat both. An ACK now would say that we know its new half. */
static bool peer_is_ahead(const struct assoc *a,
			  const struct field_esp_info *info)
{
	return a->rekey && a->rekey->got &&
	       info->old_spi == a->rekey->sa.spi_out;
}

static uint8_t *copy_of(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len);

	if (copy)
		memcpy(copy, p, len);
	return copy;
}

/* Takes the peer's values into the rekey under way, or into a new one. */
static enum reason take(struct hip *h, struct assoc *a,
			const struct field_esp_info *info,
			const struct field_dh *dh,
			const struct update_answer *ans, uint64_t now)
{
	struct rekey *r = a->rekey;
	uint8_t *raw = copy_of(ans->raw, ans->len);
	uint8_t *public = dh ? copy_of(dh->public, dh->public_len) : NULL;

	if (!r && raw && (public || !dh))
		r = rekey_new(h, a, dh, now);
	if (!r || !raw || (dh && !public)) {
		free(raw);
		free(public);
		return REASON_HIP_BUSY;
	}
	a->wear.asked = now;
	r->got = true;
	r->sa.spi_out = info->new_spi;
	r->peer_index = info->keymat_index;
	r->peer_public = public;
	r->answer = *ans;
	r->answer.raw = raw;
	r->raw = raw;
	return REASON_NUM;
}

/* The same half once more, before it was answered? */
static bool again(const struct rekey *r, const struct field_esp_info *info,
		  const struct update_answer *ans)
{
	return r->got && !r->answered && r->answer.seq == ans->seq &&
	       r->sa.spi_out == info->new_spi;
}

static bool same_value(const struct assoc_keys *k, const struct field_dh *dh,
		       const uint8_t *public)
{
	if (!dh || !public)
		return !dh && !public;
	return dh->public_len == dh_group(k->dh)->public_len &&
	       memcmp(dh->public, public, dh->public_len) == 0;
}

/* A half that is done with, in another UPDATE (give_up on the peer's side):
 * its SA opens here, or has begun to send. */
static bool have(const struct assoc *a, const struct field_esp_info *info,
		 const struct field_dh *dh)
{
	const struct assoc_keys *k = a->keys;
	const struct rekey *r = a->rekey;

	if (info->new_spi == k->sa.spi_out && info->old_spi != k->sa.spi_out)
		return !dh || same_value(k, dh, k->peer_public);
	return r && r->answered && info->old_spi == k->sa.spi_out &&
	       info->new_spi == r->sa.spi_out &&
	       info->keymat_index == r->peer_index &&
	       same_value(k, dh, r->peer_public);
}

enum reason rekey_offer(struct hip *h, struct assoc *a, const struct hip_msg *m,
			const struct update_answer *ans, uint64_t now,
			bool *taken)
{
	const struct hip_param *p = param_find(m, PARAM_ESP_INFO);
	const struct hip_param *d = param_find(m, PARAM_DIFFIE_HELLMAN);
	struct field_esp_info info;
	struct field_dh dh;
	enum reason why = REASON_NUM;
	bool got;

	*taken = false;
	if (!p)
		return REASON_NUM;
	if (!fields_get_esp_info(p, &info))
		return REASON_HIP_TLV;
	if (peer_is_ahead(a, &info))
		return REASON_HIP_STATE;
	if (d && !fields_get_dh(d, &dh))
		return REASON_HIP_TLV;
	if (have(a, &info, d ? &dh : NULL))
		return REASON_NUM;
	if (d)
		why = agree_fits(a->keys, info.keymat_index, &dh);
	if (why != REASON_NUM || !usable(a, &info, d))
		return why;
	got = a->rekey && a->rekey->got;
	if (got && !again(a->rekey, &info, ans))
		return REASON_HIP_STATE;
	if (!got && a->wear.asked && now - a->wear.asked < PEER_MIN)
		return REASON_HIP_RATE;
	if (!got)
		why = take(h, a, &info, d ? &dh : NULL, ans, now);
	*taken = why == REASON_NUM;
	if (*taken)
		step(h, a, now);
	return why;
}

/* ---- jobs back ------------------------------------------------------------ */

/* The peer's value is no good: as if its UPDATE had never come; what we
 * began ourselves goes on. */
static void forget_half(struct hip *h, struct assoc *a)
{
	struct rekey *r = a->rekey;

	if (!r->sent) {
		abandon(h, a);
		return;
	}
	r->got = false;
	free(r->peer_public);
	r->peer_public = NULL;
	free(r->raw);
	r->raw = NULL;
}

void rekey_done(struct hip *h, struct hip_job *job, uint64_t now)
{
	struct assoc *a = assoc_find(&h->assocs, &job->self, &job->peer);
	struct hipjob_dh *u = &job->u.dh;
	struct rekey *r;

	if (!a || a->serial != job->serial || !a->rekey ||
	    a->rekey->id != u->id)
		return;
	r = a->rekey;
	r->working = false;
	if (job->reason != REASON_NUM) {
		reason_count(&h->reasons, job->reason);
		if (r->got)
			forget_half(h, a);
		else
			abandon(h, a);
		wear_rest(a, now);
		update_flush(h, a, now);
		assoc_arm(h, a);
		return;
	}
	if (r->fresh && !r->dh)
		r->dh = dh_ref(u->mine);
	if (u->agree) {
		r->km = u->km;
		r->agreed = true;
	}
	step(h, a, now);
	assoc_arm(h, a);
}

/* ---- our half ------------------------------------------------------------- */

bool rekey_knows_spi(const struct assoc *a, uint32_t spi)
{
	const struct rekey *r = a->rekey;

	/* The ACK that ends a rekey may come in one packet with what was said
	 * before its end. */
	return spi && (spi == a->keys->sa.spi_out || spi == a->spi_out_before ||
		       (r && r->got && spi == r->sa.spi_out));
}

uint32_t rekey_spi(const struct assoc *a)
{
	return a->rekey->sa.spi_in;
}

bool rekey_holds_updates(const struct assoc *a)
{
	return a->rekey && a->rekey->sent && !a->rekey->got;
}

bool rekey_ready(const struct assoc *a)
{
	const struct rekey *r = a->rekey;

	return r && !r->sent && (!r->fresh || r->dh) && (!r->got || r->standby);
}

void rekey_put_esp_info(struct msg_builder *b, const struct assoc *a)
{
	struct field_esp_info info = { .keymat_index = a->rekey->index,
				       .old_spi = a->keys->sa.spi_in,
				       .new_spi = a->rekey->sa.spi_in };

	fields_put_esp_info(b, &info);
}

void rekey_put_dh(struct msg_builder *b, const struct assoc *a)
{
	const struct dh_key *dh = a->rekey->dh;
	struct field_dh f;

	if (!dh)
		return;
	f = (struct field_dh){ .group = dh_group(dh)->id,
			       .public = dh_public(dh),
			       .public_len = dh_group(dh)->public_len };
	fields_put_dh(b, &f);
}

void rekey_sent(struct assoc *a, uint32_t seq)
{
	a->rekey->sent = true;
	a->rekey->seq = seq;
}

void rekey_unsent(struct assoc *a, uint32_t seq)
{
	if (a->rekey && a->rekey->sent && a->rekey->seq == seq)
		a->rekey->sent = false;
}

/* ---- time ----------------------------------------------------------------- */

uint64_t rekey_deadline(const struct assoc *a)
{
	uint64_t at = retired_deadline(a);
	uint64_t due = ENGINE_NEVER;

	if (a->state != HIP_ESTABLISHED)
		return ENGINE_NEVER; /* R2-SENT: soon it is */
	if (a->rekey)
		due = a->rekey->give_up;
	else if (a->wear.used)
		due = a->wear.due;
	return due < at ? due : at;
}

/* The peer's half has not come. */
static bool give_up(struct hip *h, struct assoc *a, uint64_t now)
{
	struct rekey *r = a->rekey;

	r->give_up = now + GIVE_UP;
	r->late = r->standby;
	if (r->standby && !r->answered) {
		step(h, a, now);
		return true;
	}
	if (r->standby || (r->sent && !r->acked))
		return true; /* the UPDATE's own retries decide */
	if (!r->sent) {
		abandon(h, a);
		wear_rest(a, now);
		update_flush(h, a, now);
		return true;
	}
	if (++r->tries >= TRIES)
		return false;
	r->sent = false;
	r->acked = false;
	step(h, a, now);
	return true;
}

bool rekey_timer(struct hip *h, struct assoc *a, uint64_t now)
{
	retired_timer(h, a, now);
	if (a->rekey && now >= a->rekey->give_up)
		return give_up(h, a, now);
	if (!a->rekey && a->wear.used && now >= a->wear.due)
		wear_out(h, a, now);
	return true;
}
