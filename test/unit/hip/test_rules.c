/* SPDX-License-Identifier: MIT */
/* Single rules of the RFCs that belong to no one file (docs/conformance.md). */
#include "test/unit/hip/forge.h"

#include "hip/fields.h"
#include "hip/update.h"

static bool from_port_40000(struct lab *lab, struct lab_packet *p)
{
	struct endpoint *seen = lab->hook_arg;

	if (p->from == 0) {
		p->src.port = 40000; /* a NAT on the way */
	} else {
		seen[p->msg[2] == HIP_R2] = p->dst;
		p->dst.port = HIP_PORT;
	}
	return true;
}

/* RFC 9028 4.5: to where I1 came from, and so does all that follows. */
START_TEST(answers_go_to_the_port_that_i1_came_from)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct endpoint seen[2] = { 0 };

	lab->hook = from_port_40000;
	lab->hook_arg = seen;
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(seen[i].port, 40000);
		ck_assert(addr_eq(&seen[i].addr, &lab->host[0].at.addr));
	}
	lab_free(lab);
}
END_TEST

/* RFC 7401 6.7.1: who only begins must yet answer a peer that lost its
 * state; it need not answer strangers. */
START_TEST(who_only_begins_answers_peers_and_nobody_else)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct hip_config cfg = lab_config();
	struct hit hit = lab->host[1].hit;
	struct hip_config mute = { .puzzle_k_max = 20 };

	lab_boot(lab, 0, &mute, HIP_ALG_ECDSA_P384, 2);
	lab_want(lab, 1, 0);
	lab_run(lab);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_DENIED), 1);
	ck_assert_uint_eq(lab->sent[HIP_R1], 0);
	hip_close(lab->host[1].h, &lab->host[0].hit, lab->now);
	lab_drain(lab);
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab->now += 5 * LAB_S;
	for (size_t key = 0; key < 2; key++) {
		lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P256, key);
		if (hit_eq(&lab->host[1].hit, &hit))
			break;
	}
	lab_want(lab, 1, 0);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_R2_SENT);
	lab_free(lab);
}
END_TEST

/* ---- I1 and R1 ------------------------------------------------------------ */

/* RFC 7401 5.3.1, 6.7 step 1. A NULL HIT asks for opportunistic mode. */
START_TEST(each_i1_that_is_wrong_has_its_reason)
{
	static const struct {
		const char *tlvs; /* behind the header, in octets of 8 */
		unsigned num;
		int hit; /* 0: ours, 1: no client's, 2: NULL */
		enum reason reason;
	} t[] = {
		{ "\x01\xff\0\1\7\0\0\0", 1, 1, REASON_HIP_NOT_REGISTERED },
		{ "\x01\xff\0\1\7\0\0\0", 1, 2, REASON_HIP_OPPORTUNISTIC },
		{ "", 0, 0, REASON_HIP_MISSING },
		{ "\x01\xff\0\0\0\0\0\0", 1, 0, REASON_HIP_TLV },
		{ "\x01\xff\0\5\7\0\0\0", 1, 0, REASON_HIP_TLV },
		{ "\x01\xff\0\1\7\0\0\0\x01\xff\0\1\7\0\0\0", 2, 0,
		  REASON_HIP_TLV },
	};
	struct scene s = scene_new(SCENE_I2, false);

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct lab_packet p = s.p;

		p.msg[2] = HIP_I1;
		p.len = 40 + 8 * t[i].num;
		p.msg[1] = (uint8_t)(p.len / 8 - 1);
		memcpy(p.msg + 40, t[i].tlvs, 8 * t[i].num);
		if (t[i].hit == 1)
			p.msg[39] ^= 1;
		if (t[i].hit == 2)
			memset(p.msg + 24, 0, 16);
		scene_refuses(&s, &p, t[i].reason, "I1");
	}
	scene_accepts(&s, &s.p, "I2");
	scene_free(&s);
}
END_TEST

/* RFC 7401 6.8: in I2-SENT only a larger counter begins again. */
START_TEST(an_r1_with_a_counter_not_larger_is_dropped_in_i2_sent)
{
	struct scene s = scene_new(SCENE_R1, false);
	struct forge f = {
		.how = FORGE_FLIP, .id = PARAM_R1_COUNTER, .at = 11, .value = 1
	};
	const struct hip_param *c;
	struct lab_packet other;
	struct hip_msg m;
	bool larger;

	ck_assert_int_eq(param_parse(s.p.msg, s.p.len, &m), REASON_NUM);
	c = param_find(&m, PARAM_R1_COUNTER);
	larger = !(c->contents[11] & 1);
	other = forge(&s, &f);
	scene_accepts(&s, larger ? &other : &s.p, "the larger");
	scene_refuses(&s, larger ? &other : &s.p, REASON_HIP_DUPLICATE,
		      "the same");
	scene_refuses(&s, larger ? &s.p : &other, REASON_HIP_R1_COUNTER,
		      "the smaller");
	f = (struct forge){ .how = FORGE_GONE, .id = PARAM_R1_COUNTER };
	other = forge(&s, &f);
	scene_refuses(&s, &other, REASON_HIP_DUPLICATE, "without");
	scene_free(&s);
}
END_TEST

/* ---- NOTIFY ------------------------------------------------------------- */

/* A NOTIFY of the peer, signed. */
static struct lab_packet notify(const struct scene *s, uint16_t type)
{
	struct lab_packet p = s->p;
	struct field_notification n = { .type = type,
					.data = (const uint8_t *)"data",
					.data_len = 4 };
	struct msg_builder b;

	message_begin(&b, HIP_NOTIFY, &s->lab->host[s->from].hit,
		      &s->lab->host[s->to].hit);
	fields_put_notification(&b, &n);
	ck_assert_int_eq(auth_put_signature(&b, s->lab->host[s->from].h->id[0]),
			 0);
	ck_assert_int_eq(message_finish(&b), 0);
	memcpy(p.msg, b.buf, b.len);
	p.len = b.len;
	return p;
}

/* RFC 7401 6.13: informational, whatever it says. */
START_TEST(a_notify_of_any_kind_changes_nothing)
{
	static const uint16_t types[] = { 1,  7,  14,	 15,	16,   17, 18,
					  19, 20, 24,	 26,	28,   32, 40,
					  42, 44, 46,	 51,	60,   61, 100,
					  0,  64, 16384, 16385, 65535 };
	struct scene s = scene_new(SCENE_UPDATE, false);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct lab_packet p = notify(&s, types[i]);
		struct snap before;
		struct snap after;

		s.lab->now += LAB_S; /* budget of the source */
		snap_take(s.lab, s.to, &before);
		lab_input(s.lab, s.to, &p);
		snap_take(s.lab, s.to, &after);
		/* Traced, that is all. */
		ck_assert_uint_eq(after.count[HIP_DROPPED],
				  before.count[HIP_DROPPED]);
		before.count[HIP_NOTIFIED] = after.count[HIP_NOTIFIED];
		if (types[i] == FIELDS_NAT_KEEPALIVE) /* heard, and counted */
			before.assoc[0].keep.heard = after.assoc[0].keep.heard;
		ck_assert_msg(!scene_differs(&after, &before), "NOTIFY %u",
			      types[i]);
	}
	scene_accepts(&s, &s.p, "UPDATE");
	scene_free(&s);
}
END_TEST

/* ---- UPDATE -------------------------------------------------------------- */

static struct lab_packet signed_update(const struct scene *s,
				       struct msg_builder *b)
{
	const struct assoc_keys *k = scene_assoc(s, s->from)->keys;
	struct lab_packet p = s->p;

	ck_assert_int_eq(auth_put_mac(b, k->rhash, k->hip.mac_out), 0);
	ck_assert_int_eq(auth_put_signature(b, s->lab->host[s->from].h->id[0]),
			 0);
	ck_assert_int_eq(message_finish(b), 0);
	memcpy(p.msg, b->buf, b->len);
	p.len = b->len;
	return p;
}

/* RFC 7401 5.3.5: several ids in one ACK must be processed. */
START_TEST(an_ack_of_several_ids_counts_for_the_one_that_is_ours)
{
	struct scene s = scene_new(SCENE_UPDATE_ACK, false);
	uint32_t ours = scene_assoc(&s, s.to)->up.next_id - 1;
	struct field_ack ack = { .id = { ours + 7, ours - 1, ours }, .num = 2 };
	uint8_t *many;
	struct msg_builder b;
	struct lab_packet p;

	message_begin(&b, HIP_UPDATE, &s.lab->host[s.from].hit,
		      &s.lab->host[s.to].hit);
	fields_put_ack(&b, &ack);
	p = signed_update(&s, &b);
	scene_refuses(&s, &p, REASON_HIP_DUPLICATE, "ACK of others");
	ack.num = 3;
	message_begin(&b, HIP_UPDATE, &s.lab->host[s.from].hit,
		      &s.lab->host[s.to].hit);
	fields_put_ack(&b, &ack);
	p = signed_update(&s, &b);
	scene_accepts(&s, &p, "ACK of ours too");
	scene_free(&s);

	/* However many there are. */
	s = scene_new(SCENE_UPDATE_ACK, false);
	ours = scene_assoc(&s, s.to)->up.next_id - 1;
	message_begin(&b, HIP_UPDATE, &s.lab->host[s.from].hit,
		      &s.lab->host[s.to].hit);
	many = message_reserve(&b, PARAM_ACK, 4 * 100);
	put_be32(many + 4 * 99, ours);
	p = signed_update(&s, &b);
	scene_accepts(&s, &p, "ACK of ours at the end of a hundred");
	scene_free(&s);
}
END_TEST

/* RFC 7401 6.11: what may depend on an UPDATE waits for its ACK. */
START_TEST(a_second_update_waits_for_the_ack_of_the_first)
{
	struct scene s = scene_new(SCENE_UPDATE, false);
	struct assoc *a = scene_assoc(&s, 0);
	unsigned sent = s.lab->sent[HIP_UPDATE];
	struct lab_packet first = s.p;

	update_send(s.lab->host[0].h, a, s.lab->now);
	lab_drain(s.lab);
	ck_assert_uint_eq(s.lab->sent[HIP_UPDATE], sent);
	lab_input(s.lab, 1, &first);
	lab_run(s.lab);
	/* The ACK, the second one and its ACK. */
	ck_assert_uint_eq(s.lab->sent[HIP_UPDATE], sent + 3);
	ck_assert(!a->up.outstanding);
	scene_free(&s);
}
END_TEST

/* RFC 8003 4.3: REG_REQUEST only for what the latest REG_INFO offers. */
START_TEST(a_reg_info_without_types_ends_the_asking)
{
	struct scene s = scene_new(SCENE_UPDATE_ACK, false);
	struct field_reg_info info = { .min_lifetime = 90,
				       .max_lifetime = 160 };
	struct msg_builder b;
	struct lab_packet p;
	unsigned asked;

	scene_accepts(&s, &s.p, "the answer"); /* registered until then */
	message_begin(&b, HIP_UPDATE, &s.lab->host[1].hit, &s.lab->host[0].hit);
	fields_put_seq(&b, 0);
	fields_put_reg_info(&b, &info);
	p = signed_update(&s, &b);
	lab_input(s.lab, 0, &p);
	ck_assert(!scene_assoc(&s, 0)->reg_offered);
	asked = s.lab->host[0].count[HIP_REGISTERED];
	lab_sleep(s.lab, 700 * LAB_S);
	ck_assert_uint_eq(s.lab->host[0].count[HIP_REGISTERED], asked);
	ck_assert_uint_eq(s.lab->host[1].h->registrar.num, 0); /* lapsed */
	scene_free(&s);
}
END_TEST

Suite *test_rules_suite(void);
Suite *test_rules_suite(void)
{
	Suite *s = suite_create("rules");
	TCase *t = tcase_create("rules");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, answers_go_to_the_port_that_i1_came_from);
	tcase_add_test(t, who_only_begins_answers_peers_and_nobody_else);
	tcase_add_test(t, each_i1_that_is_wrong_has_its_reason);
	tcase_add_test(t,
		       an_r1_with_a_counter_not_larger_is_dropped_in_i2_sent);
	tcase_add_test(t, a_notify_of_any_kind_changes_nothing);
	tcase_add_test(t, a_second_update_waits_for_the_ack_of_the_first);
	tcase_add_test(t,
		       an_ack_of_several_ids_counts_for_the_one_that_is_ours);
	tcase_add_test(t, a_reg_info_without_types_ends_the_asking);
	suite_add_tcase(s, t);
	return s;
}
