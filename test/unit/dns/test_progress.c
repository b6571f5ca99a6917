/* SPDX-License-Identifier: MIT */
/* From query to reply: product.md's DNS table, policies and timers. */
#include "test/unit/dns/desk.h"

static struct desk k;

static void setup(void)
{
	desk_open(&k);
}

static void teardown(void)
{
	desk_close(&k);
}

static const struct dns_effect *ask(const char *name, uint16_t type)
{
	const struct dns_effect *e = desk_ask(&k, name, type, false);

	ck_assert_ptr_nonnull(e);
	return e;
}

static const struct dns_effect *reply(void)
{
	const struct dns_effect *e = desk_last(&k, DNS_REPLY);

	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK),
			  desk_count(&k, DNS_ASK_DONE));
	ck_assert_uint_eq(e->who.token, 7);
	return e;
}

static void give(const char *six, const char *four)
{
	const struct dns_effect *need = desk_last(&k, DNS_NEED_ADDRESS);
	struct addr a6 = six ? desk_addr(six) : addr_any6;
	struct addr a4 = four ? desk_addr(four) : addr_any6;

	ck_assert_ptr_nonnull(need);
	dns_give(k.d, need->question, 0, &a6, &a4, NULL, SEC);
	desk_drain(&k);
}

/* Asks for a HIP host's name and answers all that is asked. */
static void host_query(uint16_t type, bool edns)
{
	desk_query(&k, "HIP.foo.com", type, edns, 0);
	desk_hip_answer(&k, ask("hip.foo.com", SCAN_HIP), "hip.foo.com", NULL,
			0);
	if (desk_count(&k, DNS_REPLY))
		return;
	desk_addr_answer(&k, ask("hip.foo.com", SCAN_AAAA), "hip.foo.com",
			 "2001:db8::1", 0);
	desk_addr_answer(&k, ask("hip.foo.com", SCAN_A), "hip.foo.com",
			 "192.0.2.1", 0);
}

START_TEST(aaaa_of_a_hip_host_is_the_substitute)
{
	const struct dns_effect *need;
	struct desk_reply p;

	host_query(SCAN_AAAA, true);
	need = desk_last(&k, DNS_NEED_ADDRESS);
	ck_assert_ptr_nonnull(need);
	ck_assert_str_eq(need->host->name, "hip.foo.com");
	ck_assert_uint_eq(need->host->pk_alg, 3);
	ck_assert_uint_eq(need->host->pk_len, 64);
	ck_assert_uint_eq(need->host->pk[0], 1);
	ck_assert(!need->host->via_rvs);
	ck_assert_uint_eq(need->host->locators_num, 2);
	ck_assert_uint_eq(need->host->ttl, 300);
	struct addr want6 = desk_addr("2001:db8::1");
	struct addr want4 = desk_addr("192.0.2.1");
	ck_assert(addr_eq(&need->host->locators[0], &want6));
	ck_assert(addr_eq(&need->host->locators[1], &want4));
	give("fd00:5::aaaa:5", "198.18.0.9");
	p = desk_read(reply());
	ck_assert_uint_eq(p.header.id, 0x1234);
	/* QR, RD, RA; neither AA nor AD */
	ck_assert_uint_eq(p.header.flags, 0x8180);
	ck_assert_mem_eq(p.question.name.wire, "\3HIP\3foo\3com", 13);
	ck_assert_uint_eq(p.records, 1);
	ck_assert_uint_eq(p.rr.type, SCAN_AAAA);
	ck_assert_uint_eq(p.rr.ttl, 60);
	struct addr sub = desk_addr("fd00:5::aaaa:5");
	ck_assert_mem_eq(p.rr.rdata, sub.b, 16);
	ck_assert(dname_same(&p.rr.owner, &p.question.name));
	ck_assert(p.has_opt);
	ck_assert_uint_eq(p.opt.class, 1232);
	ck_assert_int_eq(desk_ede(&p), 4);
	ck_assert(reply()->substituted);
}
END_TEST

START_TEST(a_of_a_hip_host_is_the_substitute_or_nodata)
{
	struct desk_reply p;

	host_query(SCAN_A, false);
	give("fd00:5::aaaa:5", _i ? "198.18.0.9" : NULL);
	p = desk_read(reply());
	ck_assert(!p.has_opt);
	ck_assert_uint_eq(p.records, 1);
	ck_assert_uint_eq(p.header.count[1], _i ? 1 : 0);
	ck_assert_uint_eq(p.rr.type, _i ? SCAN_A : SCAN_SOA);
	ck_assert_int_eq(reply()->substituted, _i);
	if (_i)
		ck_assert_mem_eq(p.rr.rdata, "\306\022\0\011", 4);
}
END_TEST

START_TEST(https_svcb_and_any_give_no_real_address)
{
	static const uint16_t types[] = { SCAN_HTTPS, SCAN_SVCB, SCAN_ANY };
	struct desk_reply p;

	host_query(types[_i], true);
	p = desk_read(reply());
	ck_assert_uint_eq(p.rr.type, _i == 2 ? SCAN_HINFO : SCAN_SOA);
	ck_assert_uint_eq(p.header.count[1], _i == 2 ? 1 : 0);
	ck_assert_uint_eq(scan_rcode(&p.header), 0);
	ck_assert_uint_eq(p.rr.ttl, 60);
	if (_i == 2)
		ck_assert_mem_eq(p.rr.rdata, "\7RFC8482\0", 9);
}
END_TEST

START_TEST(every_order_of_answers_gives_the_same)
{
	static const uint16_t order[6][3] = {
		{ SCAN_HIP, SCAN_A, SCAN_AAAA },
		{ SCAN_HIP, SCAN_AAAA, SCAN_A },
		{ SCAN_A, SCAN_HIP, SCAN_AAAA },
		{ SCAN_AAAA, SCAN_HIP, SCAN_A },
		{ SCAN_A, SCAN_AAAA, SCAN_HIP },
		{ SCAN_AAAA, SCAN_A, SCAN_HIP },
	};

	desk_query(&k, "h.test", SCAN_A, true, 0);
	for (unsigned i = 0; i < 3; i++) {
		const struct dns_effect *e = ask("h.test", order[_i][i]);

		ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 0);
		if (e->qtype == SCAN_HIP)
			desk_hip_answer(&k, e, "h.test", NULL, 0);
		else
			desk_addr_answer(&k, e, "h.test",
					 e->qtype == SCAN_A ? "192.0.2.1"
							    : "2001:db8::1",
					 0);
	}
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 1);
	ck_assert_uint_eq(desk_last(&k, DNS_NEED_ADDRESS)->host->locators_num,
			  2);
	give("fd00:5::aaaa:5", "198.18.0.9");
	ck_assert(reply()->substituted);
}
END_TEST

START_TEST(no_hip_record_relays_octet_for_octet)
{
	static const unsigned rcodes[] = { 0, 2, 3, 4, 5, 1 };
	uint8_t want[600];
	size_t len;

	desk_query(&k, "Plain.test", SCAN_A, true, 0);
	desk_answer_to(&k, ask("plain.test", SCAN_A), 0);
	desk_rr_addr(&k, "plain.test", 77, "192.0.2.80");
	desk_opt(&k, true, 0);
	len = wr_len(&k.w);
	memcpy(want, k.buf, len);
	put_be16(want, 0x1234);
	desk_hand_in(&k, ask("plain.test", SCAN_A), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 0);
	desk_nothing(&k, ask("plain.test", SCAN_HIP), rcodes[_i], 0);
	if (rcodes[_i] == SCAN_FORMERR || rcodes[_i] == SCAN_NOTIMP)
		/* with EDNS; and without */
		desk_nothing(&k, ask("plain.test", SCAN_HIP), rcodes[_i], 0);
	ck_assert_uint_eq(reply()->msg_len, len);
	ck_assert_mem_eq(reply()->msg, want, len);
	ck_assert(!reply()->substituted);
}
END_TEST

START_TEST(a_relayed_answer_may_be_cut_short)
{
	desk_query(&k, "plain.test", SCAN_A, false, 0);
	desk_nothing(&k, ask("plain.test", SCAN_HIP), 0, 0);
	desk_answer_to(&k, ask("plain.test", SCAN_A), 0);
	k.buf[2] |= 0x02;
	desk_hand_in(&k, ask("plain.test", SCAN_A), 0);
	ck_assert_ptr_null(desk_ask(&k, "plain.test", SCAN_A, true));
	ck_assert(get_be16(reply()->msg + 2) & SCAN_TC);
}
END_TEST

START_TEST(require_without_hip_record_is_servfail_and_not_clear)
{
	struct desk_reply p;

	desk_query(&k, "x.require.test", SCAN_A, true, 0);
	desk_addr_answer(&k, ask("x.require.test", SCAN_A), "x.require.test",
			 "192.0.2.80", 0);
	if (_i == 0) {
		desk_nothing(&k, ask("x.require.test", SCAN_HIP), 0, 0);
	} else {
		dns_tick(k.d, 1600 * MSEC);
		dns_tick(k.d, 3200 * MSEC); /* the server's trial */
		desk_drain(&k);
	}
	p = desk_read(reply());
	ck_assert_uint_eq(scan_rcode(&p.header), SCAN_SERVFAIL);
	ck_assert_int_eq(desk_ede(&p), 15);
	ck_assert_uint_eq(p.records, 0);
}
END_TEST

START_TEST(a_chain_into_a_required_name_is_required)
{
	desk_query(&k, "alias.test", SCAN_A, true, 0);
	desk_answer_to(&k, ask("alias.test", SCAN_HIP), 0);
	desk_rr_cname(&k, "alias.test", 10, "x.require.test");
	desk_hand_in(&k, ask("alias.test", SCAN_HIP), 0);
	ck_assert_uint_eq(reply()->rcode, SCAN_SERVFAIL);
}
END_TEST

START_TEST(prefer_relays_when_the_hip_query_times_out)
{
	desk_query(&k, "slow.test", SCAN_A, true, 0);
	desk_addr_answer(&k, ask("slow.test", SCAN_A), "slow.test",
			 "192.0.2.80", 0);
	ck_assert_uint_eq(dns_deadline(k.d), 750 * MSEC);
	dns_tick(k.d, 750 * MSEC);
	desk_drain(&k);
	/* HIP again, and two for the server's trial */
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 6);
	dns_tick(k.d, 1500 * MSEC - 1);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 0);
	dns_tick(k.d, 1500 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
	/* The trial ends, and HIP that is asked for once more by the side. */
	dns_tick(k.d, 2250 * MSEC);
	dns_tick(k.d, 3000 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(reply()->rcode, 0);
	ck_assert(!reply()->substituted);
}
END_TEST

START_TEST(a_server_that_is_silent_is_said_to_be)
{
	struct desk_reply p;

	desk_query(&k, "x.test", 16, true, 0);
	dns_tick(k.d, 999 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 1);
	dns_tick(k.d, 1000 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 2);
	ck_assert(desk_is_own(&k.got[1].e, k.got[0].msg, k.got[0].e.msg_len));
	dns_tick(k.d, 4500 * MSEC - 1);
	ck_assert_uint_eq(dns_pending(k.d), 1);
	dns_tick(k.d, 4500 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	p = desk_read(reply());
	ck_assert_uint_eq(reply()->rcode, SCAN_SERVFAIL);
	ck_assert_int_eq(desk_ede(&p), 22);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), 2);
	ck_assert_uint_eq(dns_deadline(k.d), UINT64_MAX);
}
END_TEST

START_TEST(a_silent_server_is_servfail_where_hip_is_required)
{
	desk_query(&k, "x.require.test", 16, true, 0);
	dns_tick(k.d, SEC);
	dns_tick(k.d, 5 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(reply()->rcode, SCAN_SERVFAIL);
}
END_TEST

START_TEST(the_answer_to_the_second_ask_counts_as_well)
{
	const struct dns_effect *first;

	desk_query(&k, "x.test", 16, true, 0);
	first = &k.got[0].e;
	dns_tick(k.d, SEC);
	desk_drain(&k);
	desk_nothing(&k, _i ? first : &k.got[1].e, 0, SEC);
	ck_assert_uint_eq(reply()->rcode, 0);
}
END_TEST

START_TEST(a_client_over_tcp_is_asked_for_over_tcp)
{
	k.who.tcp = true;
	desk_query(&k, "x.test", 16, true, 0);
	ck_assert(k.got[0].e.tcp);
	dns_tick(k.d, SEC);
	desk_drain(&k);
	ck_assert_uint_eq(k.num, 1);
	desk_nothing(&k, &k.got[0].e, 0, SEC);
	ck_assert(reply()->who.tcp);
}
END_TEST

START_TEST(rendezvous_servers_are_the_locators)
{
	const struct dns_effect *need;

	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	desk_hip_answer(&k, ask("h.test", SCAN_HIP), "h.test",
			"rvs1.test rvs2.test", 0);
	desk_addr_answer(&k, ask("h.test", SCAN_AAAA), "h.test",
			 "2001:db8::dead", 0);
	desk_addr_answer(&k, ask("rvs1.test", SCAN_A), "rvs1.test",
			 "192.0.2.11", 0);
	desk_nothing(&k, ask("rvs1.test", SCAN_AAAA), 0, 0);
	desk_addr_answer(&k, ask("rvs2.test", SCAN_AAAA), "rvs2.test",
			 "2001:db8::22", 0);
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 0);
	desk_nothing(&k, ask("rvs2.test", SCAN_A), 3, 0);
	need = desk_last(&k, DNS_NEED_ADDRESS);
	ck_assert_ptr_nonnull(need);
	ck_assert(need->host->via_rvs);
	ck_assert_uint_eq(need->host->locators_num, 2);
	struct addr one = desk_addr("192.0.2.11");
	struct addr two = desk_addr("2001:db8::22");
	ck_assert(addr_eq(&need->host->locators[0], &one));
	ck_assert(addr_eq(&need->host->locators[1], &two));
}
END_TEST

START_TEST(a_record_may_list_its_own_owner_as_rendezvous_server)
{
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	desk_hip_answer(&k, ask("h.test", SCAN_HIP), "h.test", "H.test", 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 3);
	desk_addr_answer(&k, ask("h.test", SCAN_AAAA), "h.test", "2001:db8::1",
			 0);
	desk_nothing(&k, ask("h.test", SCAN_A), 0, 0);
	ck_assert(desk_last(&k, DNS_NEED_ADDRESS)->host->via_rvs);
}
END_TEST

START_TEST(one_family_is_not_held_up_by_the_other)
{
	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_hip_answer(&k, ask("h.test", SCAN_HIP), "h.test", NULL, 0);
	desk_addr_answer(&k, ask("h.test", SCAN_AAAA), "h.test", "2001:db8::1",
			 100 * MSEC);
	ck_assert_uint_eq(dns_deadline(k.d), 600 * MSEC);
	dns_tick(k.d, 600 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 1);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), 3);
}
END_TEST

START_TEST(a_hip_host_without_address_is_servfail_and_not_clear)
{
	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_hip_answer(&k, ask("h.test", SCAN_HIP), "h.test", NULL, 0);
	desk_nothing(&k, ask("h.test", SCAN_AAAA), 0, 0);
	/* only addresses HIP must not be sent to */
	desk_addr_answer(&k, ask("h.test", SCAN_A), "h.test", "127.0.0.1", 0);
	ck_assert_uint_eq(reply()->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_LOCATOR), 1);
}
END_TEST

START_TEST(a_hip_record_that_cannot_be_used_is_servfail_under_prefer)
{
	uint8_t rdata[200];
	size_t len = desk_hip(rdata, sizeof(rdata), 1, NULL);

	rdata[4] = 0x30; /* no ORCHID */
	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_addr_answer(&k, ask("h.test", SCAN_A), "h.test", "192.0.2.1", 0);
	desk_answer_to(&k, ask("h.test", SCAN_HIP), 0);
	desk_rr(&k, 1, "h.test", SCAN_HIP, 60, rdata, len);
	desk_hand_in(&k, ask("h.test", SCAN_HIP), 0);
	ck_assert_uint_eq(reply()->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BAD_HIP), 1);
}
END_TEST

START_TEST(a_truncated_hip_answer_is_asked_for_over_tcp)
{
	const struct dns_effect *e;

	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_answer_to(&k, ask("h.test", SCAN_HIP), 0);
	k.buf[2] |= 0x02;
	desk_hand_in(&k, ask("h.test", SCAN_HIP), 0);
	e = desk_ask(&k, "h.test", SCAN_HIP, true);
	ck_assert_ptr_nonnull(e);
	desk_hip_answer(&k, e, "h.test", NULL, 0);
	desk_addr_answer(&k, ask("h.test", SCAN_AAAA), "h.test", "2001:db8::1",
			 0);
	desk_addr_answer(&k, ask("h.test", SCAN_A), "h.test", "192.0.2.1", 0);
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 1);
}
END_TEST

START_TEST(a_hip_record_seen_in_a_truncated_answer_never_goes_clear)
{
	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_addr_answer(&k, ask("h.test", SCAN_A), "h.test", "192.0.2.1", 0);
	desk_answer_to(&k, ask("h.test", SCAN_HIP), 0);
	desk_rr_hip(&k, "h.test", 60, 1, NULL);
	k.buf[2] |= 0x02;
	desk_hand_in(&k, ask("h.test", SCAN_HIP), 0);
	dns_ask_failed(k.d, desk_ask(&k, "h.test", SCAN_HIP, true)->ask, 1);
	desk_drain(&k);
	ck_assert_uint_eq(reply()->rcode, SCAN_SERVFAIL);
}
END_TEST

START_TEST(a_truncated_own_answer_of_a_hip_host_is_asked_anew)
{
	const struct dns_effect *e;

	desk_query(&k, "h.test", SCAN_A, true, 0);
	if (_i)
		desk_hip_answer(&k, ask("h.test", SCAN_HIP), "h.test", NULL, 0);
	desk_answer_to(&k, ask("h.test", SCAN_A), 0);
	k.buf[2] |= 0x02;
	desk_hand_in(&k, ask("h.test", SCAN_A), 0);
	if (!_i)
		desk_hip_answer(&k, ask("h.test", SCAN_HIP), "h.test", NULL, 0);
	desk_nothing(&k, ask("h.test", SCAN_AAAA), 0, 0);
	e = desk_ask(&k, "h.test", SCAN_A, true);
	ck_assert_ptr_nonnull(e);
	desk_addr_answer(&k, e, "h.test", "192.0.2.1", 0);
	ck_assert_uint_eq(desk_last(&k, DNS_NEED_ADDRESS)->host->locators_num,
			  1);
}
END_TEST

START_TEST(chains_are_followed_to_the_hip_record)
{
	const struct dns_effect *need;

	desk_query(&k, "www.test", SCAN_AAAA, true, 0);
	desk_answer_to(&k, ask("www.test", SCAN_HIP), 0);
	desk_rr_hip(&k, "h.test", 300, 5, NULL);
	desk_rr_cname(&k, "b.test", 40, "H.test");
	desk_rr_cname(&k, "www.test", 50, "b.test");
	desk_hand_in(&k, ask("www.test", SCAN_HIP), 0);
	desk_answer_to(&k, ask("www.test", SCAN_AAAA), 0);
	desk_rr_cname(&k, "www.test", 50, "h.test");
	desk_rr_addr(&k, "h.test", 30, "2001:db8::1");
	desk_rr_addr(&k, "other.test", 30, "2001:db8::bad");
	desk_hand_in(&k, ask("www.test", SCAN_AAAA), 0);
	desk_nothing(&k, ask("www.test", SCAN_A), 0, 0);
	need = desk_last(&k, DNS_NEED_ADDRESS);
	ck_assert_ptr_nonnull(need);
	ck_assert_uint_eq(need->host->hit.b[15], 5);
	ck_assert_uint_eq(need->host->ttl, 30);
	ck_assert_uint_eq(need->host->locators_num, 1);
	ck_assert_str_eq(need->host->name, "www.test");
}
END_TEST

START_TEST(the_first_usable_of_several_hip_records_is_taken)
{
	uint8_t bad[200];
	size_t len = desk_hip(bad, sizeof(bad), 9, NULL);

	bad[1] = 1; /* DSA */
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	desk_answer_to(&k, ask("h.test", SCAN_HIP), 0);
	desk_rr(&k, 1, "h.test", SCAN_HIP, 60, bad, len);
	desk_rr_hip(&k, "h.test", 60, 2, NULL);
	desk_rr_hip(&k, "h.test", 60, 3, NULL);
	desk_hand_in(&k, ask("h.test", SCAN_HIP), 0);
	desk_nothing(&k, ask("h.test", SCAN_A), 0, 0);
	desk_addr_answer(&k, ask("h.test", SCAN_AAAA), "h.test", "2001:db8::1",
			 0);
	ck_assert_uint_eq(desk_last(&k, DNS_NEED_ADDRESS)->host->hit.b[15], 2);
}
END_TEST

START_TEST(the_daemon_may_refuse_or_forget_to_give)
{
	const struct dns_effect *need;
	struct desk_reply p;

	host_query(SCAN_A, true);
	need = desk_last(&k, DNS_NEED_ADDRESS);
	if (_i == 0)
		dns_give(k.d, need->question, HG_EAUTH, NULL, NULL,
			 "HIT does not match", 0);
	else
		dns_tick(k.d, 20 * SEC);
	desk_drain(&k);
	p = desk_read(reply());
	ck_assert_uint_eq(scan_rcode(&p.header), SCAN_SERVFAIL);
	ck_assert_int_eq(desk_ede(&p), _i ? 14 : 0);
	dns_give(k.d, need->question, 0, NULL, NULL, NULL, 0);
	desk_drain(&k);
	reply(); /* not twice */
}
END_TEST

START_TEST(resolve_ends_with_the_host_or_without)
{
	const struct dns_effect *e;

	ck_assert_int_eq(dns_resolve(k.d, "h.test", NULL, &k.who.server, 99, 0),
			 0);
	desk_drain(&k);
	ck_assert_uint_eq(k.num, 3);
	if (_i == 0) {
		desk_nothing(&k, ask("h.test", SCAN_HIP), 0, 0);
	} else if (_i == 1) {
		dns_tick(k.d, 1500 * MSEC);
		desk_drain(&k);
	} else {
		desk_hip_answer(&k, ask("h.test", SCAN_HIP), "h.test", NULL, 0);
		desk_addr_answer(&k, ask("h.test", SCAN_A), "h.test",
				 "192.0.2.1", 0);
		desk_nothing(&k, ask("h.test", SCAN_AAAA), 0, 0);
	}
	e = desk_last(&k, _i == 2 ? DNS_RESOLVED : DNS_UNRESOLVED);
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->token, 99);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK),
			  desk_count(&k, DNS_ASK_DONE));
	if (_i == 2)
		ck_assert_uint_eq(e->host->locators_num, 1);
	ck_assert_int_eq(dns_resolve(k.d, "", NULL, &k.who.server, 1, 0),
			 HG_EINVAL);
}
END_TEST

Suite *test_progress_suite(void);
Suite *test_progress_suite(void)
{
	Suite *s = suite_create("progress");
	TCase *tc = tcase_create("progress");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, aaaa_of_a_hip_host_is_the_substitute);
	tcase_add_loop_test(tc, a_of_a_hip_host_is_the_substitute_or_nodata, 0,
			    2);
	tcase_add_loop_test(tc, https_svcb_and_any_give_no_real_address, 0, 3);
	tcase_add_loop_test(tc, every_order_of_answers_gives_the_same, 0, 6);
	tcase_add_loop_test(tc, no_hip_record_relays_octet_for_octet, 0, 6);
	tcase_add_test(tc, a_relayed_answer_may_be_cut_short);
	tcase_add_loop_test(
		tc, require_without_hip_record_is_servfail_and_not_clear, 0, 2);
	tcase_add_test(tc, a_chain_into_a_required_name_is_required);
	tcase_add_test(tc, prefer_relays_when_the_hip_query_times_out);
	tcase_add_test(tc, a_server_that_is_silent_is_said_to_be);
	tcase_add_test(tc, a_silent_server_is_servfail_where_hip_is_required);
	tcase_add_loop_test(tc, the_answer_to_the_second_ask_counts_as_well, 0,
			    2);
	tcase_add_test(tc, a_client_over_tcp_is_asked_for_over_tcp);
	tcase_add_test(tc, rendezvous_servers_are_the_locators);
	tcase_add_test(tc,
		       a_record_may_list_its_own_owner_as_rendezvous_server);
	tcase_add_test(tc, one_family_is_not_held_up_by_the_other);
	tcase_add_test(tc,
		       a_hip_host_without_address_is_servfail_and_not_clear);
	tcase_add_test(
		tc, a_hip_record_that_cannot_be_used_is_servfail_under_prefer);
	tcase_add_test(tc, a_truncated_hip_answer_is_asked_for_over_tcp);
	tcase_add_test(
		tc, a_hip_record_seen_in_a_truncated_answer_never_goes_clear);
	tcase_add_loop_test(
		tc, a_truncated_own_answer_of_a_hip_host_is_asked_anew, 0, 2);
	tcase_add_test(tc, chains_are_followed_to_the_hip_record);
	tcase_add_test(tc, the_first_usable_of_several_hip_records_is_taken);
	tcase_add_loop_test(tc, the_daemon_may_refuse_or_forget_to_give, 0, 2);
	tcase_add_loop_test(tc, resolve_ends_with_the_host_or_without, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
