/* SPDX-License-Identifier: MIT */
/* Makes engines send all they can, for other readers of HIP to judge. */
/* THEORY OF OPERATION
 * usage: second FOLDER. Engines in virtual time go through every packet
 * type; each packet, as its engine sent it, is written to FOLDER/second.pcap
 * and our own reading of it to FOLDER/ours.txt (listing.h). second.sh then
 * lets tshark and read_hip.py read the capture and compares. ENCRYPTED is
 * opened with the sender's own key, which goes to FOLDER/keys.txt so that
 * the others can do the same: frame, parameter, HIP_CIPHER, key.
 *
 * An engine always agrees on its first choice. To see the others, a packet
 * may be changed on its way, after it was recorded, into what an honest
 * peer with other preferences would have sent: an I1 that knows one group, an
 * R1 that offers one group, one HIP_CIPHER, one ESP suite and asks for
 * echoes, signed again with the Responder's key. Whatever follows is then
 * in that suite, and the engines' own. An I2 passes a middlebox that asks
 * for an echo, too (RFC 7401 5.2.21).
 *
 * Through NATs (RFC 9028) packets are recorded between them, as the relay and
 * the other end see them; those to and from its ports for data, too.
 */
#include "test/unit/hip/datalab.h"

#include "capture.h"
#include "hip/auth.h"
#include "hip/datapath.h"
#include "hip/encrypted.h"
#include "hip/engine.h"
#include "hip/fields.h"
#include "listing.h"

/* What an R1 offers. */
struct offered {
	uint8_t group[32];
	size_t groups;
	struct field_ids cipher;
	struct field_ids esp;
};

/* The only offer of a Responder. */
struct choice {
	uint8_t group;
	uint16_t cipher;
	uint16_t esp;
};

struct session {
	struct capture capture;
	struct listing listing;
	FILE *keys;
	struct offered offer;	   /* of the last R1 */
	const struct choice *want; /* NULL: packets stay as they are */
	unsigned agreed;	   /* I2s that took what is wanted */
};

static struct session session;

/* ---- on its way --------------------------------------------------------- */

/* What the sender of m shares with its receiver; a relay only passes it on. */
static const struct assoc *sender_of(const struct lab *lab,
				     const struct hip_msg *m)
{
	for (size_t i = 0; i < lab->num; i++) {
		if (hit_eq(&lab->host[i].hit, &m->sender))
			return assoc_find(&lab->host[i].h->assocs, &m->sender,
					  &m->receiver);
	}
	return NULL;
}

static void record_inner(struct session *s, const struct lab *lab,
			 const struct hip_msg *m)
{
	const struct hip_param *e = param_find(m, PARAM_ENCRYPTED);
	struct encrypted_inner inner;
	const struct assoc *a;
	size_t at;

	if (!e)
		return;
	at = (size_t)(e - m->params) + 1;
	a = sender_of(lab, m);
	ck_assert(a && a->keys);
	ck_assert_int_eq(encrypted_open(e, m->type, a->keys->cipher,
					a->keys->hip.enc_out, &inner),
			 REASON_NUM);
	listing_inner(&s->listing, &inner.params, at);
	(void)fprintf(s->keys, "%u\t%zu\t%u\t", s->listing.frame, at,
		      a->keys->cipher->id);
	for (size_t i = 0; i < a->keys->cipher->key_len; i++)
		(void)fprintf(s->keys, "%02x", a->keys->hip.enc_out[i]);
	(void)fputc('\n', s->keys);
}

static void record(struct session *s, const struct lab *lab,
		   const struct lab_packet *p, const struct hip_msg *m)
{
	capture_add(&s->capture, &p->src, &p->dst, p->msg, p->len, lab->now);
	s->listing.frame = s->capture.frames;
	listing_ends(&s->listing, &p->src, &p->dst);
	listing_message(&s->listing, m);
	record_inner(s, lab, m);
	ck_assert_msg(!s->listing.bad, "%s in our own %s", s->listing.bad,
		      hip_type_name(m->type));
}

static void put_id(struct msg_builder *b, enum param id, uint16_t value)
{
	uint8_t v[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	message_put(b, id, v, sizeof(v));
}

/* One kind of parameter of the packet as the other peer would have it. */
static void put_wanted(struct msg_builder *b, const struct hip_msg *m,
		       const struct choice *want, enum param id)
{
	const struct hip_param *p = param_find(m, id);

	if (id == PARAM_DH_GROUP_LIST) {
		message_put(b, id, &want->group, 1);
	} else if (id == PARAM_HIP_CIPHER && p) {
		put_id(b, id, want->cipher);
	} else if (id == PARAM_ESP_TRANSFORM && p) {
		uint8_t v[4] = { 0, 0, (uint8_t)(want->esp >> 8),
				 (uint8_t)want->esp };

		message_put(b, id, v, sizeof(v));
	} else if (id == PARAM_ECHO_REQUEST_SIGNED && m->type == HIP_R1) {
		message_put(b, id, "signed", 6);
	} else if (id == PARAM_ECHO_REQUEST_UNSIGNED && m->type == HIP_R1) {
		message_put(b, id, "unsigned", 8);
		message_put(b, id, "again", 5);
	} else {
		for (; p; p = param_next(m, p))
			message_put(b, id, p->contents, p->len);
	}
}

static void change(const struct lab *lab, struct lab_packet *p,
		   const struct hip_msg *m, const struct choice *want)
{
	struct hip *h = lab->host[p->from].h;
	struct msg_builder b;

	message_begin(&b, m->type, &m->sender, &m->receiver);
	memcpy(b.buf + 6, m->raw + 6, 2); /* Controls */
	for (unsigned id = 0; id < PARAM_NUM; id++) {
		if (id == PARAM_HIP_SIGNATURE_2 && m->type == HIP_R1)
			ck_assert_int_eq(
				auth_put_signature_2(
					&b, engine_identity(h, &m->sender)),
				0);
		else
			put_wanted(&b, m, want, (enum param)id);
	}
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p->msg, b.buf, b.len);
	p->len = b.len;
}

static void learn(struct session *s, const struct hip_msg *m)
{
	const struct hip_param *g = param_find(m, PARAM_DH_GROUP_LIST);
	const struct hip_param *c = param_find(m, PARAM_HIP_CIPHER);
	const struct hip_param *e = param_find(m, PARAM_ESP_TRANSFORM);

	ck_assert(g && c && e && g->len <= sizeof(s->offer.group));
	memcpy(s->offer.group, g->contents, g->len);
	s->offer.groups = g->len;
	ck_assert(fields_get_cipher(c, &s->offer.cipher));
	ck_assert(fields_get_esp_transform(e, &s->offer.esp));
}

static void check_i2(struct session *s, const struct hip_msg *m)
{
	const struct hip_param *d = param_find(m, PARAM_DIFFIE_HELLMAN);
	const struct hip_param *c = param_find(m, PARAM_HIP_CIPHER);
	const struct hip_param *e = param_find(m, PARAM_ESP_TRANSFORM);
	struct field_ids ids;
	struct field_dh dh;

	ck_assert(d && c && e && fields_get_dh(d, &dh));
	ck_assert_uint_eq(dh.group, s->want->group);
	ck_assert(fields_get_cipher(c, &ids) && ids.num == 1);
	ck_assert_uint_eq(ids.id[0], s->want->cipher);
	ck_assert(fields_get_esp_transform(e, &ids) && ids.num == 1);
	ck_assert_uint_eq(ids.id[0], s->want->esp);
	ck_assert_ptr_nonnull(param_find(m, PARAM_ECHO_RESPONSE_SIGNED));
	ck_assert_ptr_nonnull(param_find(m, PARAM_ECHO_RESPONSE_UNSIGNED));
	s->agreed++;
}

static void pass_middlebox(struct lab_packet *p)
{
	struct msg_builder b;

	message_resume(&b, p->msg, p->len, PARAM_ECHO_RESPONSE_UNSIGNED);
	message_put(&b, PARAM_ECHO_REQUEST_UNSIGNED, "middlebox", 9);
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p->msg, b.buf, b.len);
	p->len = b.len;
}

static bool on_its_way(struct lab *lab, struct lab_packet *p)
{
	struct session *s = lab->hook_arg;
	struct hip_msg m;

	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	ck_assert_uint_eq(m.len, p->len);
	record(s, lab, p, &m);
	if (m.type == HIP_R1)
		learn(s, &m);
	if (s->want && (m.type == HIP_I1 || m.type == HIP_R1))
		change(lab, p, &m, s->want);
	if (s->want && m.type == HIP_I2) {
		check_i2(s, &m);
		pass_middlebox(p);
	}
	return true;
}

/* ---- what engines do ---------------------------------------------------- */

static void watch(struct lab *lab, const struct choice *want)
{
	session.want = want;
	session.agreed = 0;
	lab->hook = on_its_way;
	lab->hook_arg = &session;
}

/* Outer addresses are IPv6. */
static void move_to_six(struct lab *lab)
{
	for (size_t i = 0; i < lab->num; i++) {
		uint8_t six[16] = { 0x20, 1, 0x0d, 0xb8, [15] = (uint8_t)i };

		lab->host[i].at.addr = addr_from6(six);
	}
}

/* Something is sent, and nothing comes. */
static void probe(struct lab *lab)
{
	lab_sleep(lab, 31 * LAB_S);
	hip_traffic(lab->host[0].h, &lab->host[0].hit, &lab->host[1].hit, false,
		    lab->now);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 2); /* SEQ, then ACK */
}

static size_t combinations(const struct offered *o)
{
	return o->groups * o->cipher.num * o->esp.num;
}

/* Every group with every HIP_CIPHER and every ESP suite. */
static struct choice combination(const struct offered *o, size_t n)
{
	size_t left = n / o->groups;

	return (struct choice){ o->group[n % o->groups],
				o->cipher.id[left % o->cipher.num],
				o->esp.id[left / o->cipher.num % o->esp.num] };
}

/* Two hosts; the n-th pair of algorithms, or, where the lab has but one key
 * of an algorithm, the next. */
static struct lab *pair(size_t n)
{
	enum hip_alg a = (enum hip_alg)(n % HIP_ALG_NUM);
	size_t b = n / HIP_ALG_NUM % HIP_ALG_NUM;
	struct lab *lab = lab_pair(a, (enum hip_alg)b, n % 2);

	if (hit_eq(&lab->host[0].hit, &lab->host[1].hit)) {
		lab_free(lab);
		b = (b + 1) % HIP_ALG_NUM;
		lab = lab_pair(a, (enum hip_alg)b, n % 2);
	}
	if (n / 2 % 2)
		move_to_six(lab);
	return lab;
}

/* Rekeys from the KEYMAT there is, and with a new Diffie-Hellman. */
static void renew(struct lab *lab, bool dh)
{
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_int_eq(hip_rekey(lab->host[0].h, &lab->host[0].hit,
				   &lab->host[1].hit, dh, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[1].count[HIP_SA_SWITCH], dh ? 2 : 1);
}

static void whole_life(size_t n, const struct choice *want)
{
	struct lab *lab = pair(n);

	watch(lab, want);
	lab_sleep(lab, LAB_S); /* Opaque is the age of the R1 */
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(session.agreed, want ? 1 : 0);
	probe(lab);
	renew(lab, false);
	renew(lab, true);
	hip_close(lab->host[0].h, NULL, lab->now);
	lab_drain(lab);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE], 1);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE_ACK], 1);
	lab_free(lab);
}

START_TEST(two_engines_in_every_suite)
{
	const size_t pairs = (size_t)HIP_ALG_NUM * HIP_ALG_NUM;
	struct offered offer;
	size_t num;

	whole_life(0, NULL);
	offer = session.offer;
	num = combinations(&offer);
	ck_assert_uint_gt(num, 1);
	for (size_t n = 0; n < num || n < pairs; n++) {
		struct choice want = combination(&offer, n % num);

		whole_life(n, &want);
	}
}
END_TEST

/* An I2 that policy refuses is told so. */
START_TEST(a_peer_that_is_denied)
{
	static const struct hip_access_rule nobody = {
		.allow = true,
		.by_hit = true,
		.hit = { { 0x20, 1, 0, 0x22, 1 } },
	};
	static const struct hip_access list[HIP_ROLE_NUM] = {
		[HIP_ROLE_HOST] = { &nobody, 1 },
	};
	struct lab *lab = pair((size_t)_i);

	lab->host[1].h->cfg.notify = true;
	lab->hold_jobs = true; /* I1 and R1 first, then the rule */
	watch(lab, NULL);
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert_int_eq(hip_set_access(lab->host[1].h, list, lab->now), HG_OK);
	lab->hold_jobs = false;
	lab_release(lab);
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_NOTIFY], 1);
	ck_assert_uint_eq(lab->host[0].count[HIP_NOTIFIED], 1);
	lab_free(lab);
}
END_TEST

/* 0 the Initiator, 1 the host, 2 its rendezvous server. */
static struct lab *three(int n)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 500 * LAB_S;
	lab_boot(lab, 1, &cfg, (enum hip_alg)(n % HIP_ALG_NUM), 1);
	cfg.responder = false;
	lab_boot(lab, 0, &cfg, (enum hip_alg)((n + 1) % HIP_ALG_NUM), 0);
	cfg.rendezvous = true;
	lab_boot(lab, 2, &cfg, (enum hip_alg)((n + 2) % HIP_ALG_NUM), 2);
	if (n % 2)
		move_to_six(lab);
	watch(lab, NULL);
	return lab;
}

static void ask_for_service(struct lab *lab)
{
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[2].hit,
				      &lab->host[2].at, 600, lab->now),
			 HG_OK);
	lab_drain(lab);
}

START_TEST(three_engines_with_a_rendezvous)
{
	struct lab *lab = three(_i);

	ask_for_service(lab);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	ck_assert_int_eq(lab_want_at(lab, 0, 1, &lab->host[2].at), HG_OK);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 1);
	lab_sleep(lab, 500 * LAB_S); /* more than 3/4 of its lifetime */
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 2);
	hip_close(lab->host[1].h, NULL, lab->now);
	lab_drain(lab);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE_ACK], 2);
	lab_free(lab);
}
END_TEST

/* A server that is full says so in R2 and in UPDATE, later it is not. */
START_TEST(three_engines_with_a_rendezvous_that_is_full)
{
	struct lab *lab = three(_i);

	lab->host[2].h->registrar.num = REGISTRAR_MAX;
	ask_for_service(lab);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert_uint_gt(lab->sent[HIP_UPDATE], 1);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 0);
	lab->host[2].h->registrar.num = 0;
	lab_sleep(lab, 60 * LAB_S);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	lab_free(lab);
}
END_TEST

/* ---- through NATs ------------------------------------------------------- */

static struct nat_bed bed;

/* Between the NATs. */
static bool outside(struct lab *lab, struct lab_packet *p)
{
	struct hip_msg m;

	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	record(&session, lab, p, &m);
	return true;
}

/* Host 0 calls 1, each behind a NAT of its own, by the relay that 1 is
 * registered at. */
static void call_through_nats(struct lab *lab, bool symmetric)
{
	session.want = NULL;
	bed.tap = outside;
	nat_put(lab, 0);
	nat_put(lab, 1);
	bed.nat[0].symmetric = symmetric;
	bed.nat[1].symmetric = symmetric;
	nat_register(lab, 1);
	nat_call(lab, 0, 1);
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
}

static void renew_and_close(struct lab *lab)
{
	ck_assert_int_eq(hip_rekey(lab->host[0].h, &lab->host[0].hit,
				   &lab->host[1].hit, true, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert(lab_agree(lab, 0, 1));
	hip_close(lab->host[1].h, NULL, lab->now);
	lab_drain(lab);
	ck_assert_uint_eq(lab->sent[HIP_CLOSE_ACK] > 1, 1);
}

/* NAT traversal mode 1: R1 says where, in the clear. */
START_TEST(two_nats_in_mode_1)
{
	struct lab *lab = nat_bed(&bed);

	call_through_nats(lab, false);
	ck_assert_uint_eq(lab->host[2].count[HIP_RELAYED], 2);
	lab_sleep(lab, 30 * LAB_S); /* keepalives */
	renew_and_close(lab);
	lab_free(lab);
}
END_TEST

/* Mode 3: checks find a direct path, or one through the data relay. */
START_TEST(two_nats_in_mode_3)
{
	struct lab *lab = data_bed(&bed);

	call_through_nats(lab, _i);
	ck_assert_uint_eq(bed.nat[0].symmetric, (unsigned)_i);
	ck_assert(datapath_by(lab->host[1].h, nat_assoc(lab, 1, 0)) ? _i : !_i);
	data_flows(lab, 30);
	renew_and_close(lab);
	lab_free(lab);
}
END_TEST

/* ---- the program -------------------------------------------------------- */

static FILE *create(const char *folder, const char *name)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (!f)
		perror(path);
	return f;
}

static int begin(struct session *s, const char *folder)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/second.pcap", folder);
	if (capture_open(&s->capture, path)) {
		perror(path);
		return HG_ESYS;
	}
	s->listing.file = create(folder, "ours.txt");
	s->keys = create(folder, "keys.txt");
	return s->listing.file && s->keys ? HG_OK : HG_ESYS;
}

static int end(struct session *s)
{
	int bad = ferror(s->listing.file) || ferror(s->keys);

	bad |= fclose(s->listing.file);
	bad |= fclose(s->keys);
	return capture_close(&s->capture) || bad ? HG_ESYS : HG_OK;
}

static Suite *suite(void)
{
	Suite *s = suite_create("second");
	TCase *t = tcase_create("second");

	tcase_add_test(t, two_engines_in_every_suite);
	tcase_add_loop_test(t, a_peer_that_is_denied, 0, 2 * HIP_ALG_NUM);
	tcase_add_loop_test(t, three_engines_with_a_rendezvous, 0,
			    2 * HIP_ALG_NUM);
	tcase_add_loop_test(t, three_engines_with_a_rendezvous_that_is_full, 0,
			    2);
	tcase_add_test(t, two_nats_in_mode_1);
	tcase_add_loop_test(t, two_nats_in_mode_3, 0, 2);
	suite_add_tcase(s, t);
	return s;
}

int main(int argc, char **argv)
{
	SRunner *sr;
	int failed;

	if (argc != 2 || sodium_init() < 0 || begin(&session, argv[1])) {
		(void)fputs("usage: second FOLDER\n", stderr);
		return EXIT_FAILURE;
	}
	sr = srunner_create(suite());
	srunner_set_fork_status(sr, CK_NOFORK); /* all write to one file */
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	if (end(&session)) {
		(void)fputs("second: the files are not complete\n", stderr);
		return EXIT_FAILURE;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
