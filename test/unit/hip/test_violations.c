/* SPDX-License-Identifier: MIT */
/* Every parameter of every packet of an association, in every wrong form:
 * the reason it is dropped for, and that nothing else comes of it. */
/* THEORY OF OPERATION
 * `rules` says for each packet and parameter what comes of it missing,
 * doubled, an octet shorter and an octet longer; `wrongs` has the values
 * that break a rule, `ignored` those that must not matter (RFC 7401 5.1,
 * 5.2.1). All but the header's are authenticated again (forge.h). After the
 * refusals of a scene its true packet must still do what it is for.
 */
#include "test/unit/hip/forge.h"

#define OK REASON_NUM
#define OTHER ((enum reason) - 1) /* another good value: told elsewhere */
#define TLV REASON_HIP_TLV
#define MISSING REASON_HIP_MISSING
#define SIG REASON_HIP_SIGNATURE
#define MAC REASON_HIP_MAC
#define PROPOSAL REASON_HIP_PROPOSAL

static const struct rule {
	enum scene_kind kind;
	enum param id;
	enum reason gone;
	enum reason twice;
	enum reason less;
	enum reason more;
} rules[] = {
#define R(kind, id, gone, twice, less, more)                                   \
	{                                                                      \
		SCENE_##kind, PARAM_##id, gone, twice, less, more              \
	}
	/* RFC 7401 5.3.2; REG_INFO and the counter are optional */
	R(R1, R1_COUNTER, OK, TLV, TLV, TLV),
	R(R1, PUZZLE, MISSING, TLV, TLV, TLV),
	R(R1, DH_GROUP_LIST, MISSING, TLV, OTHER, OTHER),
	R(R1, DIFFIE_HELLMAN, MISSING, TLV, TLV, TLV),
	R(R1, HIP_CIPHER, MISSING, TLV, TLV, TLV),
	R(R1, HOST_ID, MISSING, TLV, REASON_HIP_BAD_HIT, REASON_HIP_BAD_HIT),
	R(R1, HIT_SUITE_LIST, MISSING, TLV, OTHER, OTHER),
	R(R1, REG_INFO, OK, TLV, OTHER, OTHER),
	R(R1, TRANSPORT_FORMAT_LIST, MISSING, TLV, TLV, TLV),
	R(R1, ESP_TRANSFORM, MISSING, TLV, TLV, TLV),
	R(R1, HIP_SIGNATURE_2, MISSING, TLV, SIG, SIG),
	/* 5.3.3; several REG_REQUEST: RFC 8003 4.3 */
	R(I2, ESP_INFO, MISSING, TLV, TLV, TLV),
	R(I2, R1_COUNTER, MISSING, TLV, TLV, TLV),
	R(I2, SOLUTION, MISSING, TLV, TLV, TLV),
	R(I2, DIFFIE_HELLMAN, MISSING, TLV, TLV, TLV),
	R(I2, HIP_CIPHER, MISSING, TLV, TLV, TLV),
	R(I2, ENCRYPTED, MISSING, TLV, REASON_HIP_ENCRYPTED,
	  REASON_HIP_ENCRYPTED),
	R(I2, REG_REQUEST, OK, OK, TLV, OTHER),
	R(I2, TRANSPORT_FORMAT_LIST, MISSING, TLV, TLV, TLV),
	R(I2, ESP_TRANSFORM, MISSING, TLV, TLV, TLV),
	R(I2, HIP_MAC, MISSING, TLV, MAC, MAC),
	R(I2, HIP_SIGNATURE, MISSING, TLV, SIG, SIG),
	/* 5.3.4 */
	R(R2, ESP_INFO, MISSING, TLV, TLV, TLV),
	R(R2, REG_RESPONSE, OK, OK, TLV, OTHER),
	R(R2, HIP_MAC_2, MISSING, TLV, MAC, MAC),
	R(R2, HIP_SIGNATURE, MISSING, TLV, SIG, SIG),
	/* 5.3.5 */
	R(UPDATE, SEQ, MISSING, TLV, TLV, TLV),
	R(UPDATE, REG_REQUEST, OK, OK, TLV, OTHER),
	R(UPDATE, HIP_MAC, MISSING, TLV, MAC, MAC),
	R(UPDATE, HIP_SIGNATURE, MISSING, TLV, SIG, SIG),
	R(UPDATE_ACK, ACK, MISSING, TLV, TLV, TLV),
	R(UPDATE_ACK, REG_RESPONSE, OK, OK, TLV, OTHER),
	R(UPDATE_ACK, HIP_MAC, MISSING, TLV, MAC, MAC),
	R(UPDATE_ACK, HIP_SIGNATURE, MISSING, TLV, SIG, SIG),
	/* 5.3.7, 5.3.8 */
	R(CLOSE, ECHO_REQUEST_SIGNED, MISSING, TLV, OTHER, OTHER),
	R(CLOSE, HIP_MAC, MISSING, TLV, MAC, MAC),
	R(CLOSE, HIP_SIGNATURE, MISSING, TLV, SIG, SIG),
	R(CLOSE_ACK, ECHO_RESPONSE_SIGNED, MISSING, TLV, REASON_HIP_ECHO,
	  REASON_HIP_ECHO),
	R(CLOSE_ACK, HIP_MAC, MISSING, TLV, MAC, MAC),
	R(CLOSE_ACK, HIP_SIGNATURE, MISSING, TLV, SIG, SIG),
#undef R
};

/* FLIP: octet `at` of the contents ^ value; FILL: all from there on. */
static const struct wrong {
	enum scene_kind kind;
	enum param id;
	enum forge_how how;
	size_t at;
	uint8_t value;
	enum reason reason;
} wrongs[] = {
#define W(kind, id, how, at, value, reason)                                    \
	{                                                                      \
		SCENE_##kind, PARAM_##id, FORGE_##how, at, value, reason       \
	}
	W(R1, PUZZLE, FLIP, 0, 0xff, REASON_HIP_PUZZLE_HARD),
	W(R1, DH_GROUP_LIST, FLIP, 0, 0xff, REASON_HIP_DOWNGRADE),
	W(R1, DH_GROUP_LIST, FILL, 0, 0, REASON_HIP_DOWNGRADE),
	W(R1, DIFFIE_HELLMAN, FLIP, 0, 0xff, REASON_HIP_DOWNGRADE),
	W(R1, DIFFIE_HELLMAN, FLIP, 2, 1, TLV), /* its own length */
	W(R1, DIFFIE_HELLMAN, FLIP, 20, 1, REASON_HIP_DH),
	W(R1, DIFFIE_HELLMAN, FILL, 3, 0, REASON_HIP_DH),
	W(R1, HIP_CIPHER, FILL, 0, 0x7f, PROPOSAL),
	W(R1, HIP_CIPHER, FILL, 0, 0, PROPOSAL),	/* RESERVED */
	W(R1, HOST_ID, FLIP, 5, 0x80, PROPOSAL),	/* algorithm */
	W(R1, HOST_ID, FLIP, 7, 0x70, PROPOSAL),	/* curve */
	W(R1, HOST_ID, FLIP, 1, 1, REASON_HIP_BAD_HIT), /* HI length */
	W(R1, HOST_ID, FLIP, 3, 1, REASON_HIP_BAD_HIT), /* DI length */
	W(R1, HOST_ID, FLIP, 20, 1, REASON_HIP_BAD_HIT),
	W(R1, HIT_SUITE_LIST, FILL, 0, 0x30, PROPOSAL),
	W(R1, HIT_SUITE_LIST, FILL, 0, 0, PROPOSAL),
	W(R1, HIT_SUITE_LIST, FLIP, 0, 1, TLV), /* low half */
	W(R1, TRANSPORT_FORMAT_LIST, FILL, 0, 0x7f, PROPOSAL),
	W(R1, ESP_TRANSFORM, FILL, 2, 0x7f, PROPOSAL),
	W(R1, ESP_TRANSFORM, FILL, 2, 0, PROPOSAL), /* RESERVED */
	W(R1, HIP_SIGNATURE_2, FLIP, 1, 0x80, SIG), /* algorithm */
	W(R1, HIP_SIGNATURE_2, FLIP, 2, 1, SIG),
	W(R1, HIP_SIGNATURE_2, FILL, 2, 0, SIG),
	W(I2, ESP_INFO, FILL, 2, 0, PROPOSAL),	  /* index, NEW SPI */
	W(I2, ESP_INFO, FLIP, 3, 0xff, PROPOSAL), /* index in the HIP keys */
	W(I2, ESP_INFO, FLIP, 7, 1, PROPOSAL),	  /* OLD SPI */
	W(I2, ESP_INFO, FILL, 8, 0, PROPOSAL),	  /* NEW SPI reserved */
	W(I2, R1_COUNTER, FLIP, 11, 1, REASON_HIP_R1_COUNTER),
	W(I2, R1_COUNTER, FLIP, 4, 1, REASON_HIP_R1_COUNTER),
	W(I2, SOLUTION, FLIP, 0, 1, REASON_HIP_PUZZLE),	 /* K */
	W(I2, SOLUTION, FILL, 0, 0, REASON_HIP_PUZZLE),	 /* K is 0 */
	W(I2, SOLUTION, FLIP, 3, 1, REASON_HIP_PUZZLE),	 /* Opaque */
	W(I2, SOLUTION, FLIP, 4, 1, REASON_HIP_PUZZLE),	 /* #I */
	W(I2, SOLUTION, FLIP, 51, 1, REASON_HIP_PUZZLE), /* #I */
	/* the R1 of another group has another counter */
	W(I2, DIFFIE_HELLMAN, FLIP, 0, 0xff, REASON_HIP_R1_COUNTER),
	W(I2, DIFFIE_HELLMAN, FLIP, 2, 1, TLV),
	W(I2, DIFFIE_HELLMAN, FLIP, 20, 1, REASON_HIP_DH),
	W(I2, DIFFIE_HELLMAN, FILL, 3, 0, REASON_HIP_DH),
	W(I2, HIP_CIPHER, FLIP, 1, 0x40, PROPOSAL),
	W(I2, HIP_CIPHER, FILL, 0, 0, PROPOSAL),
	W(I2, ENCRYPTED, FLIP, 4, 1, REASON_HIP_ENCRYPTED),    /* type inside */
	W(I2, ENCRYPTED, FLIP, 6, 0xff, REASON_HIP_ENCRYPTED), /* length */
	W(I2, TRANSPORT_FORMAT_LIST, FLIP, 1, 1, PROPOSAL),
	W(I2, ESP_TRANSFORM, FLIP, 3, 0x40, PROPOSAL),
	W(I2, ESP_TRANSFORM, FILL, 2, 0, PROPOSAL),
	W(I2, HIP_MAC, FLIP, 0, 1, MAC),
	W(I2, HIP_MAC, FLIP, 47, 0x80, MAC),
	W(I2, HIP_SIGNATURE, FLIP, 1, 0x80, SIG),
	W(I2, HIP_SIGNATURE, FLIP, 2, 1, SIG),
	W(I2, HIP_SIGNATURE, FILL, 2, 0, SIG),
	W(R2, ESP_INFO, FLIP, 3, 1, PROPOSAL), /* index */
	W(R2, ESP_INFO, FLIP, 7, 1, PROPOSAL), /* OLD SPI */
	W(R2, ESP_INFO, FILL, 8, 0, PROPOSAL), /* NEW SPI reserved */
	W(R2, HIP_MAC_2, FLIP, 0, 1, MAC),
	W(R2, HIP_MAC_2, FLIP, 47, 0x80, MAC),
	W(R2, HIP_SIGNATURE, FLIP, 2, 1, SIG),
	W(UPDATE, SEQ, FLIP, 0, 0x40, REASON_HIP_STATE), /* far ahead */
	W(UPDATE, HIP_MAC, FLIP, 0, 1, MAC),
	W(UPDATE, HIP_SIGNATURE, FLIP, 2, 1, SIG),
	W(UPDATE_ACK, ACK, FLIP, 3, 1, REASON_HIP_DUPLICATE), /* not ours */
	W(UPDATE_ACK, HIP_MAC, FLIP, 0, 1, MAC),
	W(UPDATE_ACK, HIP_SIGNATURE, FLIP, 2, 1, SIG),
	W(CLOSE, HIP_MAC, FLIP, 0, 1, MAC),
	W(CLOSE, HIP_SIGNATURE, FLIP, 2, 1, SIG),
	W(CLOSE_ACK, ECHO_RESPONSE_SIGNED, FLIP, 0, 1, REASON_HIP_ECHO),
	W(CLOSE_ACK, ECHO_RESPONSE_SIGNED, FLIP, 15, 0x80, REASON_HIP_ECHO),
	W(CLOSE_ACK, HIP_MAC, FLIP, 0, 1, MAC),
	W(CLOSE_ACK, HIP_SIGNATURE, FLIP, 2, 1, SIG),
#undef W
};

/* Reserved fields, the fixed bits, padding: whatever they hold. */
static const struct ignored {
	enum scene_kind kind; /* SCENE_NUM: all */
	struct forge f;
	const char *what;
} ignored[] = {
	{ SCENE_NUM, { FORGE_HEADER, PARAM_NUM, 2, 0x80, 0, 0 }, "fixed bit" },
	{ SCENE_NUM, { FORGE_HEADER, PARAM_NUM, 3, 0x0f, 0, 0 }, "reserved" },
	{ SCENE_NUM, { FORGE_HEADER, PARAM_NUM, 6, 0xff, 0, 0 }, "controls" },
	{ SCENE_NUM, { FORGE_HEADER, PARAM_NUM, 7, 0xfe, 0, 0 }, "controls" },
	{ SCENE_NUM, { FORGE_HEADER, PARAM_NUM, 0, 59 ^ 6, 0, 0 }, "next" },
	{ SCENE_NUM, { FORGE_DIRTY, PARAM_NUM, 0, 0xff, 0, 0 }, "padding" },
	{ SCENE_NUM, { FORGE_INSERT, PARAM_NUM, 32768, 9, 0, 0 }, "unknown" },
	{ SCENE_NUM, { FORGE_INSERT, PARAM_NUM, 65534, 0, 0, 0 }, "unknown" },
	{ SCENE_I2, { FORGE_FLIP, PARAM_ESP_INFO, 0, 0xff, 0, 0 }, "reserved" },
	{ SCENE_I2, { FORGE_FLIP, PARAM_SOLUTION, 1, 0xff, 0, 0 }, "reserved" },
	{ SCENE_I2,
	  { FORGE_FLIP, PARAM_ENCRYPTED, 3, 0xff, 0, 0 },
	  "reserved" },
	{ SCENE_I2,
	  { FORGE_FLIP, PARAM_ESP_TRANSFORM, 0, 0xff, 0, 0 },
	  "reserved" },
	{ SCENE_R2, { FORGE_FLIP, PARAM_ESP_INFO, 1, 0xff, 0, 0 }, "reserved" },
	{ SCENE_R1,
	  { FORGE_FLIP, PARAM_ESP_TRANSFORM, 1, 0xff, 0, 0 },
	  "reserved" },
	{ SCENE_R1,
	  { FORGE_FLIP, PARAM_R1_COUNTER, 0, 0xff, 0, 0 },
	  "reserved" },
};

#define NUM_OF(x) (sizeof(x) / sizeof((x)[0]))

static void judge(struct scene *s, const struct forge *f, enum reason want,
		  const char *what)
{
	struct lab_packet p;
	bool greater;

	if (want == OTHER)
		return;
	p = forge(s, f);
	if (want != OK) {
		scene_refuses(s, &p, want, what);
		return;
	}
	scene_accepts(s, &p, what);
	greater = hit_cmp(&s->lab->host[0].hit, &s->lab->host[1].hit) > 0;
	scene_free(s); /* used up */
	*s = scene_new(s->kind, greater);
}

static const struct rule *rule_of(enum scene_kind kind, enum param id)
{
	for (size_t i = 0; i < NUM_OF(rules); i++) {
		if (rules[i].kind == kind && rules[i].id == id)
			return &rules[i];
	}
	return NULL;
}

/* The last word of a scene: it was, and is, a good packet. */
static void still_good(struct scene *s)
{
	scene_accepts(s, &s->p, "the true one");
	scene_free(s);
}

START_TEST(what_is_forged_without_an_edit_is_accepted)
{
	const struct forge none = { .id = PARAM_NUM };

	for (int greater = 0; greater < 2; greater++) {
		struct scene s = scene_new((enum scene_kind)_i, greater);
		struct lab_packet p = forge(&s, &none);

		scene_accepts(&s, &p, "forged");
		scene_free(&s);
	}
}
END_TEST

START_TEST(each_parameter_missing_doubled_shorter_longer)
{
	struct scene s = scene_new((enum scene_kind)_i, false);
	struct hip_msg m;

	ck_assert_int_eq(param_parse(s.p.msg, s.p.len, &m), REASON_NUM);
	for (size_t i = 0; i < m.num; i++) {
		enum param id = m.params[i].id;
		const struct rule *r = rule_of(s.kind, id);
		struct forge f = { .id = id };
		const char *name = param_name(id);

		ck_assert_msg(r, "%s of %s has no rule", name,
			      hip_type_name(s.type));
		f.how = FORGE_GONE;
		judge(&s, &f, r->gone, name);
		f.how = FORGE_TWICE;
		judge(&s, &f, r->twice, name);
		f.how = FORGE_LESS;
		judge(&s, &f, r->less, name);
		f.how = FORGE_MORE;
		judge(&s, &f, r->more, name);
		/* A scene that was used up has other octets. */
		ck_assert_int_eq(param_parse(s.p.msg, s.p.len, &m), REASON_NUM);
	}
	still_good(&s);
}
END_TEST

START_TEST(every_rule_is_about_a_parameter_that_is_there)
{
	for (int k = 0; k < SCENE_NUM; k++) {
		struct scene s = scene_new((enum scene_kind)k, false);
		struct hip_msg m;
		size_t n = 0;

		for (size_t i = 0; i < NUM_OF(rules); i++)
			n += rules[i].kind == s.kind;
		ck_assert_int_eq(param_parse(s.p.msg, s.p.len, &m), REASON_NUM);
		ck_assert_uint_eq(m.num, n);
		scene_free(&s);
	}
}
END_TEST

START_TEST(each_wrong_value_has_its_reason)
{
	for (int greater = 0; greater < 2; greater++) {
		struct scene s = scene_new((enum scene_kind)_i, greater);

		for (size_t i = 0; i < NUM_OF(wrongs); i++) {
			const struct wrong *w = &wrongs[i];
			const struct forge f = { .how = w->how,
						 .id = w->id,
						 .at = w->at,
						 .value = w->value };

			if (w->kind == s.kind)
				judge(&s, &f, w->reason, param_name(w->id));
		}
		still_good(&s);
	}
}
END_TEST

START_TEST(what_must_be_ignored_is_ignored)
{
	for (size_t i = 0; i < NUM_OF(ignored); i++) {
		struct scene s;
		struct lab_packet p;

		if (ignored[i].kind != SCENE_NUM && (int)ignored[i].kind != _i)
			continue;
		s = scene_new((enum scene_kind)_i, false);
		p = forge(&s, &ignored[i].f);
		scene_accepts(&s, &p, ignored[i].what);
		scene_free(&s);
	}
}
END_TEST

/* The sender's outgoing key, in either order of the HITs; its own name. */
START_TEST(other_keys_and_other_signers_are_refused)
{
	const struct forge key = { .id = PARAM_NUM, .other_key = true };
	const struct forge signer = { .id = PARAM_NUM, .other_signer = true };

	for (int greater = 0; greater < 2; greater++) {
		struct scene s = scene_new((enum scene_kind)_i, greater);
		struct lab_packet p = forge(&s, &key);

		if (s.kind != SCENE_R1)
			scene_refuses(&s, &p, MAC, "key");
		p = forge(&s, &signer);
		scene_refuses(&s, &p, SIG, "signer");
		still_good(&s);
	}
}
END_TEST

START_TEST(unknown_critical_and_misplaced_parameters_are_refused)
{
	/* Unknown; then SEQ, PUZZLE, ACK where they do not belong. */
	static const uint16_t unknown[] = { 1, 709, 4097, 32769, 61441, 65535 };
	struct scene s = scene_new((enum scene_kind)_i, false);
	struct forge f = { .how = FORGE_INSERT, .id = PARAM_NUM, .value = 4 };
	struct lab_packet p;

	for (size_t i = 0; i < NUM_OF(unknown); i++) {
		f.at = unknown[i];
		p = forge(&s, &f);
		scene_refuses(&s, &p, REASON_HIP_CRITICAL, "unknown");
	}
	f.at = s.type == HIP_UPDATE ? PARAM_TYPE_PUZZLE : PARAM_TYPE_SEQ;
	f.value = s.type == HIP_UPDATE ? 52 : 4;
	p = forge(&s, &f);
	scene_refuses(&s, &p, TLV, "misplaced");
	still_good(&s);
}
END_TEST

START_TEST(each_header_field_that_lies_has_its_reason)
{
	static const struct {
		size_t at;
		uint8_t flip;
		int longer;
		enum reason reason;
	} t[] = {
		{ 0, 0, 1, REASON_HIP_HEADER }, /* behind Next Header 59 */
		{ 0, 0, -1, REASON_HIP_TRUNCATED },
		{ 1, 0xff, 0, REASON_HIP_TRUNCATED },
		{ 2, 0x40, 0, REASON_HIP_TYPE },
		{ 3, 0x10, 0, REASON_HIP_VERSION },
		{ 3, 0x30, 0, REASON_HIP_VERSION }, /* HIPv1 */
		{ 4, 0x01, 0, REASON_HIP_CHECKSUM },
		{ 5, 0x80, 0, REASON_HIP_CHECKSUM },
		{ 24, 0x01, 0, REASON_HIP_NOT_OURS },
		{ 39, 0x80, 0, REASON_HIP_NOT_OURS },
	};
	struct scene s = scene_new((enum scene_kind)_i, false);
	struct hip_config was;
	struct hip_config *cfg;
	struct lab_packet p;

	for (size_t i = 0; i < NUM_OF(t); i++) {
		p = s.p;
		p.msg[t[i].at] ^= t[i].flip;
		p.len += (size_t)t[i].longer;
		scene_refuses(&s, &p, t[i].reason, "header");
	}
	p = s.p;
	p.msg[1] = 3; /* less than two HITs */
	scene_refuses(&s, &p, REASON_HIP_HEADER, "header");
	p = s.p;
	p.msg[23] ^= 1; /* of somebody else, who is told (test_noassoc.c) */
	cfg = &s.lab->host[s.to].h->cfg;
	was = *cfg;
	if (s.kind != SCENE_I2)
		cfg->responder = cfg->rendezvous = cfg->relay = false;
	scene_refuses(&s, &p,
		      s.kind == SCENE_I2 ? REASON_HIP_PUZZLE
					 : REASON_HIP_NO_ASSOC,
		      "sender");
	*cfg = was;
	still_good(&s);
}
END_TEST

/* The parameters' order turned round, nothing else (RFC 7401 5.2.1). */
START_TEST(two_parameters_that_change_places_are_malformed)
{
	struct scene s = scene_new((enum scene_kind)_i, false);
	struct hip_msg m;

	ck_assert_int_eq(param_parse(s.p.msg, s.p.len, &m), REASON_NUM);
	for (size_t i = 0; i + 1 < m.num; i++) {
		const struct hip_param *a = &m.params[i];
		size_t a_len = param_tlv_len(a->len);
		size_t b_len = param_tlv_len(m.params[i + 1].len);
		struct lab_packet p = s.p;

		memcpy(p.msg + a->offset, s.p.msg + a->offset + a_len, b_len);
		memcpy(p.msg + a->offset + b_len, s.p.msg + a->offset, a_len);
		scene_refuses(&s, &p, TLV, param_name(a->id));
	}
	still_good(&s);
}
END_TEST

Suite *test_violations_suite(void);
Suite *test_violations_suite(void)
{
	Suite *s = suite_create("violations");
	TCase *t = tcase_create("violations");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, what_is_forged_without_an_edit_is_accepted, 0,
			    SCENE_NUM);
	tcase_add_loop_test(t, each_parameter_missing_doubled_shorter_longer, 0,
			    SCENE_NUM);
	tcase_add_test(t, every_rule_is_about_a_parameter_that_is_there);
	tcase_add_loop_test(t, each_wrong_value_has_its_reason, 0, SCENE_NUM);
	tcase_add_loop_test(t, what_must_be_ignored_is_ignored, 0, SCENE_NUM);
	tcase_add_loop_test(t, other_keys_and_other_signers_are_refused, 0,
			    SCENE_NUM);
	tcase_add_loop_test(
		t, unknown_critical_and_misplaced_parameters_are_refused, 0,
		SCENE_NUM);
	tcase_add_loop_test(t, each_header_field_that_lies_has_its_reason, 0,
			    SCENE_NUM);
	tcase_add_loop_test(t, two_parameters_that_change_places_are_malformed,
			    0, SCENE_NUM);
	suite_add_tcase(s, t);
	return s;
}
