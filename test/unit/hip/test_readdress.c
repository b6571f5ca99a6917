/* SPDX-License-Identifier: MIT */
/* Readdressing in three UPDATEs, and what is refused. */
#include "test/unit/hip/move_bed.h"

#include "hip/fields.h"

START_TEST(a_host_that_moves_is_followed)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_move(lab, _i, "203.0.113.7");
	lab_run(lab);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	if (_i == 0) {
		ck_assert(bed_is(lab, 0, "203.0.113.7", "192.0.2.2"));
		ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.7"));
	} else {
		ck_assert(bed_is(lab, 1, "203.0.113.7", "192.0.2.1"));
		ck_assert(bed_is(lab, 0, "192.0.2.1", "203.0.113.7"));
	}
	ck_assert_uint_eq(n.lost, 0);
	/* And no more is said about it. */
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 3);
	ck_assert(bed_happened(lab, _i, HIP_PATH_MOVED));
	ck_assert(bed_happened(lab, !_i, HIP_PATH_ANNOUNCED));
	ck_assert(bed_happened(lab, !_i, HIP_PATH_VERIFIED));
	lab_free(lab);
}
END_TEST

/* The patent's Figure 4. */
START_TEST(from_ipv4_to_ipv6_and_back)
{
	static const char *const both[] = { "192.0.2.2", "2001:db8::2" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_here(lab, 1, both, 2);
	lab_sleep(lab, LAB_S);
	ck_assert(bed_is(lab, 0, "192.0.2.1", "192.0.2.2"));
	/* Now that its peer is known to be in both, it may change over. */
	bed_move(lab, 0, "2001:db8::1");
	lab_sleep(lab, LAB_S);
	ck_assert(bed_is(lab, 0, "2001:db8::1", "2001:db8::2"));
	ck_assert(bed_is(lab, 1, "2001:db8::2", "2001:db8::1"));
	bed_move(lab, 0, "192.0.2.1");
	lab_sleep(lab, LAB_S);
	ck_assert(bed_is(lab, 0, "192.0.2.1", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	lab_free(lab);
}
END_TEST

/* RFC 8046 3.2.1, Figure 3. */
START_TEST(the_three_updates_are_those_of_the_figure)
{
	struct bed_record r = { .num = 0 };
	struct lab *lab = bed_up(&r.n);
	struct endpoint at = bed_at("203.0.113.7");
	struct field_esp_info info;
	struct hip_msg m;

	lab->hook = bed_record_hook;
	bed_move(lab, 0, "203.0.113.7");
	lab_run(lab);
	ck_assert_uint_eq(r.num, 3);
	ck_assert(bed_has(&r.p[0], PARAM_ESP_INFO) &&
		  bed_has(&r.p[0], PARAM_LOCATOR_SET) &&
		  bed_has(&r.p[0], PARAM_SEQ) && !bed_has(&r.p[0], PARAM_ACK));
	ck_assert(endpoint_eq(&r.p[0].src, &at));
	ck_assert(bed_has(&r.p[1], PARAM_ESP_INFO) &&
		  bed_has(&r.p[1], PARAM_SEQ) && bed_has(&r.p[1], PARAM_ACK) &&
		  bed_has(&r.p[1], PARAM_ECHO_REQUEST_SIGNED) &&
		  !bed_has(&r.p[1], PARAM_LOCATOR_SET));
	ck_assert(endpoint_eq(&r.p[1].dst, &at));
	ck_assert(bed_has(&r.p[2], PARAM_ACK) && !bed_has(&r.p[2], PARAM_SEQ) &&
		  bed_has(&r.p[2], PARAM_ECHO_RESPONSE_SIGNED));
	/* OLD = NEW = the SPI that is there, in both. */
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(param_parse(r.p[i].msg, r.p[i].len, &m),
				 REASON_NUM);
		ck_assert(fields_get_esp_info(param_find(&m, PARAM_ESP_INFO),
					      &info));
		ck_assert_uint_eq(info.old_spi, lab->host[i].sa.spi_in);
		ck_assert_uint_eq(info.new_spi, lab->host[i].sa.spi_in);
		ck_assert_uint_eq(info.keymat_index,
				  assoc(lab, i)->keys->keymat_next);
	}
	lab_free(lab);
}
END_TEST

START_TEST(each_of_the_three_may_be_lost)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	unsigned lost = 0;

	bed_move(lab, 0, "203.0.113.7");
	while (lab->head != lab->tail) {
		/* The n-th packet is lost, once. */
		if (lost++ == (unsigned)_i) {
			lab->head++;
			break;
		}
		struct lab_packet p = lab->queue[lab->head++ % LAB_QUEUE];
		size_t to = !p.from;

		lab_input(lab, to, &p);
	}
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(bed_is(lab, 0, "203.0.113.7", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.7"));
	lab_free(lab);
}
END_TEST

/* ---- credit ---------------------------------------------------------------- */

static struct hip_effect located(struct lab *lab, size_t i)
{
	ck_assert_uint_gt(lab->host[i].count[HIP_LOCATOR], 0);
	return lab->host[i].last[HIP_LOCATOR];
}

/* The old address is gone: what is not proved yet is used, within what came
 * from there (RFC 8046 5.6). */
START_TEST(an_address_not_proved_has_the_credit_there_is)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct endpoint to = bed_at("203.0.113.7");
	struct lab_packet p;
	struct hip_effect e;

	bed_received(lab, 1, 8000);
	lab->now += 5 * LAB_S; /* aged once */
	bed_received(lab, 1, 1000);
	bed_move(lab, 0, "203.0.113.7");
	p = lab->queue[lab->head++ % LAB_QUEUE];
	ck_assert_uint_eq(lab->head, lab->tail);
	lab_input(lab, 1, &p);
	e = located(lab, 1);
	ck_assert(endpoint_eq(&e.peer_at, &to));
	ck_assert(!e.verified && e.committed);
	ck_assert_uint_eq(e.credit, 8000 / 8 * 7 + 1000);
	ck_assert(!view(lab, 1).verified);
	/* What comes meanwhile is granted on top. */
	bed_received(lab, 1, 300);
	e = located(lab, 1);
	ck_assert(!e.verified);
	ck_assert_uint_eq(e.credit, 300);
	lab_run(lab);
	e = located(lab, 1);
	ck_assert(e.verified);
	ck_assert(endpoint_eq(&e.peer_at, &to));
	/* Proved: nothing is granted any more. */
	lab->host[1].count[HIP_LOCATOR] = 0;
	bed_received(lab, 1, 300);
	ck_assert_uint_eq(lab->host[1].count[HIP_LOCATOR], 0);
	lab_free(lab);
}
END_TEST

START_TEST(credit_grows_old)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	uint64_t want = 100000;

	bed_received(lab, 1, want);
	for (int i = 0; i < 7; i++)
		want = want / 8 * 7;
	lab->now += 36 * LAB_S;
	bed_received(lab, 1, 0);
	ck_assert_uint_eq(assoc(lab, 1)->credit, want);
	lab->now += 3600 * LAB_S;
	bed_received(lab, 1, 0);
	ck_assert_uint_eq(assoc(lab, 1)->credit, 0);
	lab_free(lab);
}
END_TEST

/* ---- together with other UPDATEs ------------------------------------------------ */

START_TEST(a_move_in_the_middle_of_a_rekey_is_prompt)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	lab->hold_jobs = true;
	ck_assert_int_eq(rekey(lab, 0, false), HG_OK);
	lab->hold_jobs = false;
	if (_i == 0) /* its UPDATE has not left yet */
		bed_move(lab, 0, "203.0.113.7");
	lab_release(lab);
	if (_i == 1) /* it is under way, and is lost */
		lab->head = lab->tail;
	if (_i == 2) /* the answer is */
		lab_input(lab, 1, &lab->queue[lab->head++ % LAB_QUEUE]);
	if (_i == 2)
		lab->head = lab->tail;
	if (_i)
		bed_move(lab, 0, "203.0.113.7");
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(bed_is(lab, 0, "203.0.113.7", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.7"));
	ck_assert_uint_eq(view(lab, 0).rekeys, 1);
	ck_assert_uint_eq(view(lab, 1).rekeys, 1);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

/* One after the other, before the first is answered. */
START_TEST(the_last_of_several_moves_counts)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	char text[ADDR_TEXT_MAX];

	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "203.0.113.%d", i + 1);
		bed_move(lab, 0, text);
	}
	lab_sleep(lab, 3 * LAB_S);
	ck_assert(bed_is(lab, 0, "203.0.113.5", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.5"));
	lab_free(lab);
}
END_TEST

START_TEST(one_address_less_and_one_more_cost_one_update)
{
	static const char *const two[] = { "192.0.2.1", "203.0.113.1" };
	static const char *const three[] = { "192.0.2.1", "203.0.113.1",
					     "203.0.113.2" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_here(lab, 0, two, 2);
	lab_sleep(lab, 50 * LAB_MS);
	bed_here(lab, 0, three, 3);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0); /* not settled */
	lab_sleep(lab, 99 * LAB_MS);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "192.0.2.1"));
	ck_assert_uint_eq(bed_paths(lab, 1), 3);
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "203.0.113.1").state,
			 HIP_PATH_ACTIVE);
	ck_assert_int_eq(bed_path(lab, 1, "192.0.2.2", "203.0.113.2").state,
			 HIP_PATH_ACTIVE);
	lab_free(lab);
}
END_TEST

/* A lasting address beside a temporary one, or one on a link that led far
 * once: what goes by it goes on, and it is left when it is gone. */
START_TEST(a_path_may_stay_at_a_quiet_address)
{
	struct hip_here here[2] = { { bed_at("192.0.2.1"), 1, true },
				    { bed_at("203.0.113.1"), 2, true } };
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip *h = lab->host[0].h;

	bed_move(lab, 0, "192.0.2.1");
	lab_sleep(lab, LAB_S);
	ck_assert_int_eq(hip_set_here(h, here, 2, lab->now), HG_OK);
	lab_effects(lab, 0);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0); /* nothing to tell */
	ck_assert(bed_is(lab, 0, "192.0.2.1", "192.0.2.2"));
	/* Another one to tell of, and it is preferred. */
	here[1].quiet = false;
	lab->host[0].also[lab->host[0].also_num++] = here[1].at;
	ck_assert_int_eq(hip_set_here(h, here, 2, lab->now), HG_OK);
	lab_effects(lab, 0);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.1"));
	ck_assert_uint_eq(bed_paths(lab, 1), 1);
	lab_free(lab);
}
END_TEST

START_TEST(a_quiet_address_that_is_gone_is_left)
{
	struct hip_here here[2] = { { bed_at("203.0.113.1"), 2, false },
				    { bed_at("192.0.2.1"), 1, true } };
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip *h = lab->host[0].h;
	unsigned before;

	ck_assert_int_eq(hip_set_here(h, here + 1, 1, lab->now), HG_OK);
	lab_effects(lab, 0);
	lab_sleep(lab, LAB_S);
	lab->host[0].also[lab->host[0].also_num++] = here[0].at;
	ck_assert_int_eq(hip_set_here(h, here, 2, lab->now), HG_OK);
	lab_effects(lab, 0);
	before = lab->sent[HIP_UPDATE];
	bed_move(lab, 0, "203.0.113.1");
	lab_sleep(lab, LAB_S);
	ck_assert_uint_gt(lab->sent[HIP_UPDATE], before);
	ck_assert(bed_is(lab, 0, "203.0.113.1", "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", "203.0.113.1"));
	lab_free(lab);
}
END_TEST

/* The second address led nowhere for a while, and is the one that is left when
 * the first is gone: it is told all the same, or the peer would take it for
 * withdrawn. */
START_TEST(the_address_that_is_left_is_told)
{
	static const char *const two[] = { "203.0.113.1", "192.0.2.1" };
	static const char *const other[] = { "203.0.113.1", "2001:db8::1" };
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_move(lab, 0, two[0]);
	lab_run(lab);
	bed_here(lab, 0, two, 2);
	lab_sleep(lab, LAB_S);
	n.cut[n.cut_num++] = bed_at(two[0]);
	for (int i = 0; i < 10; i++) {
		bed_traffic(lab, 0, false);
		lab_sleep(lab, LAB_S);
	}
	ck_assert(bed_is(lab, 0, two[1], "192.0.2.2"));
	ck_assert_int_eq(bed_path(lab, 0, two[0], "192.0.2.2").state,
			 HIP_PATH_DEAD);
	n.cut_num = 0;
	bed_here(lab, 0, other, 2);
	lab_sleep(lab, 5 * LAB_S);
	ck_assert(bed_is(lab, 0, two[0], "192.0.2.2"));
	ck_assert(bed_is(lab, 1, "192.0.2.2", two[0]));
	ck_assert(bed_path(lab, 1, "192.0.2.2", two[0]).announced);
	lab_free(lab);
}
END_TEST

/* What HIP_LOCATOR said last: is what is to be sent to wait? */
static bool waits(const struct lab *lab)
{
	return lab->host[0].last[HIP_LOCATOR].stranded;
}

START_TEST(without_an_address_what_is_sent_waits_until_the_peer_is_heard)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_traffic(lab, 0, false);
	bed_here(lab, 0, NULL, 0);
	ck_assert(waits(lab));
	bed_here(lab, 0, NULL, 0);
	ck_assert(waits(lab));
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_sleep(lab, 300 * LAB_MS);
	/* Another one: the path is taken, and asked. */
	if (_i)
		bed_move(lab, 0, "203.0.113.7");
	else
		bed_move(lab, 0, "192.0.2.1");
	ck_assert(waits(lab));
	lab_run(lab);
	ck_assert(!waits(lab));
	ck_assert(lab->host[0].last[HIP_LOCATOR].verified);
	ck_assert(
		bed_is(lab, 0, _i ? "203.0.113.7" : "192.0.2.1", "192.0.2.2"));
	lab_sleep(lab, LAB_S);
	ck_assert(
		bed_is(lab, 1, "192.0.2.2", _i ? "203.0.113.7" : "192.0.2.1"));
	lab_free(lab);
}
END_TEST

START_TEST(data_of_the_peer_end_the_wait)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_traffic(lab, 0, false);
	bed_here(lab, 0, NULL, 0);
	n.cut[n.cut_num++] = bed_at("192.0.2.2"); /* no UPDATE gets through */
	/* Under way since before: there is still no address. */
	bed_traffic(lab, 0, true);
	ck_assert(waits(lab));
	bed_move(lab, 0, "203.0.113.7");
	ck_assert(waits(lab));
	bed_traffic(lab, 0, true);
	ck_assert(!waits(lab));
	lab_free(lab);
}
END_TEST

/* It is there, but carries nothing yet: who knows when it will? */
START_TEST(a_link_that_does_not_carry_at_once_is_asked_in_a_hurry)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	unsigned before;

	bed_traffic(lab, 0, false);
	bed_here(lab, 0, NULL, 0);
	lab_sleep(lab, 300 * LAB_MS);
	n.cut[n.cut_num++] = bed_at("192.0.2.2");
	bed_move(lab, 0, "192.0.2.1");
	lab_sleep(lab, 20 * LAB_MS);
	ck_assert(waits(lab));
	ck_assert_uint_gt(n.lost, 0);
	n.cut_num = 0;
	lab_sleep(lab, 100 * LAB_MS);
	ck_assert(!waits(lab));
	/* As many rounds as ever, when it never does. */
	bed_here(lab, 0, NULL, 0);
	n.cut[n.cut_num++] = bed_at("192.0.2.2");
	bed_move(lab, 0, "192.0.2.1");
	before = n.lost;
	lab_sleep(lab, LAB_S);
	ck_assert_uint_le(n.lost - before, 6);
	lab_sleep(lab, 20 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert(waits(lab));
	lab_free(lab);
}
END_TEST

/* Nobody is asked for the sake of those who have nothing to say. */
START_TEST(who_is_idle_does_not_wait_when_the_address_is_back)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	lab_sleep(lab, 200 * LAB_S);
	bed_here(lab, 0, NULL, 0);
	ck_assert(waits(lab));
	bed_move(lab, 0, "192.0.2.1");
	ck_assert(!waits(lab));
	ck_assert_uint_eq(lab->sent[HIP_UPDATE], 0);
	lab_free(lab);
}
END_TEST

/* The other family is no way to a peer that has but one. */
START_TEST(an_address_that_leads_nowhere_is_none)
{
	struct bed_net n;
	struct lab *lab = bed_up(&n);

	bed_traffic(lab, 0, false);
	bed_move(lab, 0, "2001:db8::1");
	ck_assert(waits(lab));
	lab_sleep(lab, LAB_S);
	ck_assert(waits(lab));
	bed_move(lab, 0, "203.0.113.7");
	lab_run(lab);
	ck_assert(!waits(lab));
	ck_assert(bed_is(lab, 0, "203.0.113.7", "192.0.2.2"));
	lab_free(lab);
}
END_TEST

/* Between I1 and R2. */
START_TEST(a_move_in_the_middle_of_an_exchange_begins_it_anew)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
	struct bed_net n;

	bed_net(lab, &n);
	bed_move(lab, 0, "192.0.2.1");
	lab->hold_jobs = true;
	lab_want(lab, 0, 1);
	lab_run(lab);
	lab->hold_jobs = false;
	if (_i) { /* I2 leaves, and is lost */
		lab_release(lab);
		lab->head = lab->tail;
		ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	}
	bed_move(lab, 0, "203.0.113.1");
	lab_release(lab);
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert(bed_is(lab, 0, "203.0.113.1", "192.0.2.2"));
	lab_free(lab);
}
END_TEST

/* Ten addresses, of which eight have room in a LOCATOR_SET: that in use is the
 * ninth, or the last. */
START_TEST(the_address_in_use_is_told_first)
{
	struct hip_here v[10] = { 0 };
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip_path path;
	char text[ADDR_TEXT_MAX];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "198.51.100.%d", i + 1);
		v[i].at = bed_at(i == 8 + _i ? "192.0.2.1" : text);
	}
	ck_assert_int_eq(hip_set_here(lab->host[0].h, v, 10, lab->now), HG_OK);
	lab_sleep(lab, 20 * LAB_S);
	path = bed_path(lab, 1, "192.0.2.2", "192.0.2.1");
	ck_assert(path.current && path.announced && path.preferred);
	ck_assert_uint_eq(bed_paths(lab, 1), HIP_LOCATORS_MAX);
	lab_free(lab);
}
END_TEST

Suite *test_readdress_suite(void);
Suite *test_readdress_suite(void)
{
	Suite *s = suite_create("readdress");
	TCase *t = tcase_create("readdress");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_host_that_moves_is_followed, 0, 2);
	tcase_add_test(t, from_ipv4_to_ipv6_and_back);
	tcase_add_test(t, the_three_updates_are_those_of_the_figure);
	tcase_add_loop_test(t, each_of_the_three_may_be_lost, 0, 3);
	tcase_add_test(t, an_address_not_proved_has_the_credit_there_is);
	tcase_add_test(t, credit_grows_old);
	tcase_add_loop_test(t, a_move_in_the_middle_of_a_rekey_is_prompt, 0, 3);
	tcase_add_loop_test(
		t, a_move_in_the_middle_of_an_exchange_begins_it_anew, 0, 2);
	tcase_add_test(t, the_last_of_several_moves_counts);
	tcase_add_test(t, one_address_less_and_one_more_cost_one_update);
	tcase_add_test(t, a_path_may_stay_at_a_quiet_address);
	tcase_add_test(t, the_address_that_is_left_is_told);
	tcase_add_loop_test(
		t,
		without_an_address_what_is_sent_waits_until_the_peer_is_heard,
		0, 2);
	tcase_add_test(t, data_of_the_peer_end_the_wait);
	tcase_add_test(t,
		       a_link_that_does_not_carry_at_once_is_asked_in_a_hurry);
	tcase_add_test(t, who_is_idle_does_not_wait_when_the_address_is_back);
	tcase_add_test(t, an_address_that_leads_nowhere_is_none);
	tcase_add_loop_test(t, the_address_in_use_is_told_first, 0, 2);
	tcase_add_test(t, a_quiet_address_that_is_gone_is_left);
	suite_add_tcase(s, t);
	return s;
}
