/* SPDX-License-Identifier: MIT */
/* The port allocator: its promises one by one, then against a list. */
#include "test/unit/nat/ports_bed.h"

START_TEST(usage_counts_flows_by_protocol_and_the_fullest_ports)
{
	struct bed b = bed_of(false);
	struct nat_usage u;
	struct world w;
	struct nat_flow f[6];

	world_open(&w, 100, 100);
	nat_usage(w.n, &u);
	ck_assert_uint_eq(u.tcp + u.udp + u.icmp + u.ports_most, 0);
	for (uint16_t i = 0; i < 3; i++)
		ck_assert_int_eq(world_bind(&w, &b, 17, i, 80, &f[i]), 0);
	ck_assert_int_eq(world_bind(&w, &b, 17, 0, 81, &f[3]), 0);
	ck_assert_int_eq(world_bind(&w, &b, 6, 1, 80, &f[4]), 0);
	ck_assert_int_eq(world_bind(&w, &b, 58, 1, 0, &f[5]), 0);
	nat_usage(w.n, &u);
	ck_assert_uint_eq(u.udp, 4);
	ck_assert_uint_eq(u.tcp, 1);
	ck_assert_uint_eq(u.icmp, 1);
	ck_assert_uint_eq(u.ports_most, 3); /* one port for both of 0's */
	world_end(&w, &f[1]);
	nat_usage(w.n, &u);
	ck_assert_uint_eq(u.udp, 3);
	ck_assert_uint_eq(u.ports_most, 2);
	world_close(&w);
}
END_TEST

START_TEST(a_bound_flow_says_who_when_and_from_which_port)
{
	struct bed b = bed_of(true);
	struct world w;
	struct nat_flow v[3];

	world_open(&w, 0, 0);
	w.now = 77;
	for (int i = 0; i < 3; i++) {
		struct nat_key k = key_of(&b, bed_protos[i], 5000, 80);
		struct nat_flow f;

		ck_assert_int_eq(
			world_bind(&w, &b, bed_protos[i], 5000, 80, &v[i]), 0);
		memcpy(&f, &v[i], sizeof(f));
		ck_assert_mem_eq(&f.key, &k, sizeof(k));
		ck_assert(hit_eq(&f.back.self, &b.self));
		ck_assert(hit_eq(&f.back.peer, &b.peer));
		ck_assert_uint_eq(f.back.peer_port, i == 2 ? 0 : 80);
		ck_assert_uint_eq(f.back.proto, bed_protos[i]);
		ck_assert_uint_eq(f.last, 77);
		ck_assert_uint_eq(f.owner, 0);
		ck_assert_str_eq(nat_state_name(&f), i == 0 ? "syn" : "none");
		if (i < 2)
			ck_assert_uint_ge(f.back.ext_port, 1024);
	}
	world_close(&w);
	nat_free(NULL);
}
END_TEST

START_TEST(tcp_begins_with_a_syn)
{
	struct bed b = bed_of(true);
	struct world w;
	struct nat_key k = key_of(&b, 6, 1, 2);
	struct nat_flow f;
	enum reason why;

	world_open(&w, 0, 0);
	ck_assert_int_eq(
		nat_bind(w.n, &k, &b.self, &b.peer, false, w.now, &f, &why),
		HG_EINVAL);
	ck_assert_int_eq(why, REASON_FLOW_STATE);
	k = key_of(&b, 17, 1, 2);
	ck_assert_int_eq(world_bind_why(&w, &b, &k, &f, &why), 0);
	world_close(&w);
}
END_TEST

START_TEST(one_client_port_keeps_its_external_port_for_all_peer_ports)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f[51];

	world_open(&w, 0, 0);
	for (uint16_t i = 0; i < 50; i++) {
		ck_assert_int_eq(world_bind(&w, &b, 17, 5000, 100 + i, &f[i]),
				 0);
		ck_assert_uint_eq(f[i].back.ext_port, f[0].back.ext_port);
	}
	/* As long as one of its flows lives. */
	for (int i = 0; i < 49; i++)
		world_end(&w, &f[i]);
	ck_assert_int_eq(world_bind(&w, &b, 17, 5000, 9, &f[50]), 0);
	ck_assert_uint_eq(f[50].back.ext_port, f[49].back.ext_port);
	world_close(&w);
}
END_TEST

START_TEST(the_same_key_twice_does_not_give_the_same_return_key)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f;
	struct nat_flow g;

	world_open(&w, 0, 0);
	ck_assert_int_eq(world_bind(&w, &b, 17, 5000, 80, &f), 0);
	ck_assert_int_eq(world_bind(&w, &b, 17, 5000, 80, &g), 0);
	ck_assert_mem_ne(&f.back, &g.back, sizeof(f.back));
	world_end(&w, &f);
	world_end(&w, &g);
	world_close(&w);
}
END_TEST

START_TEST(quotas_hold_for_client_and_for_all)
{
	struct bed b = bed_of(false);
	struct bed c = b;
	struct world w;
	struct nat_flow f[6];
	struct nat_key k = key_of(&b, 17, 99, 99);
	enum reason why;

	world_open(&w, 5, 3);
	c.client = bed_addr("192.0.2.200");
	for (uint16_t i = 0; i < 3; i++)
		ck_assert_int_eq(world_bind(&w, &b, 17, i, 80, &f[i]), 0);
	ck_assert_int_eq(world_bind_why(&w, &b, &k, &f[5], &why), HG_EFULL);
	ck_assert_int_eq(why, REASON_FLOW_QUOTA);
	ck_assert_int_eq(world_bind(&w, &c, 17, 1, 80, &f[3]), 0);
	ck_assert_int_eq(world_bind(&w, &c, 17, 2, 80, &f[4]), 0);
	ck_assert_int_eq(world_bind(&w, &c, 17, 3, 80, &f[5]), HG_EFULL);
	world_end(&w, &f[0]);
	nat_release(w.n, &f[0]); /* a second time gives nothing back */
	ck_assert_uint_eq(w.discarded, 1);
	ck_assert_int_eq(world_bind(&w, &c, 17, 3, 80, &f[5]), 0);
	ck_assert_int_eq(world_bind(&w, &b, 17, 9, 80, &f[0]), HG_EFULL);
	world_close(&w);
}
END_TEST

/* All ports of a pair taken: another peer port may share, the same not. */
START_TEST(a_full_port_range_is_shared_by_peer_port_then_refused)
{
	enum { RANGE = 65536 - 1024 };
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow *f = calloc(RANGE, sizeof(*f));
	static uint8_t seen[65536];
	struct nat_flow g[3];
	struct nat_key k;
	enum reason why;

	world_open(&w, 200000, 200000);
	for (uint32_t i = 0; i < RANGE; i++) {
		ck_assert_int_eq(world_bind(&w, &b, 17, (uint16_t)i, 80, &f[i]),
				 0);
		ck_assert_uint_ge(f[i].back.ext_port, 1024);
		ck_assert_uint_eq(seen[f[i].back.ext_port]++, 0);
	}
	k = key_of(&b, 17, 65535, 80);
	ck_assert_int_eq(world_bind_why(&w, &b, &k, &g[0], &why), HG_EFULL);
	ck_assert_int_eq(why, REASON_NO_PORT);
	/* Another protocol, peer or peer port is another matter. */
	ck_assert_int_eq(world_bind(&w, &b, 6, 65535, 80, &g[0]), 0);
	ck_assert_int_eq(world_bind(&w, &b, 17, 65535, 81, &g[1]), 0);
	world_end(&w, &f[77]);
	ck_assert_int_eq(world_bind_why(&w, &b, &k, &g[2], &why), HG_OK);
	ck_assert_uint_eq(g[2].back.ext_port, f[77].back.ext_port);
	ck_assert_uint_eq(w.unpublished, 0);
	world_close(&w);
	free(f);
}
END_TEST

/* Nothing of a released flow is left to make ports look taken. */
/* Whoever of the two that share a port goes first, it stays in use. */
START_TEST(a_shared_port_is_free_when_the_last_mapping_goes)
{
	enum { RANGE = 65536 - 1024 };
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow *f = calloc(RANGE, sizeof(*f));
	struct nat_flow g[3];
	size_t twin = 0;

	world_open(&w, 200000, 200000);
	for (uint32_t i = 0; i < RANGE; i++)
		ck_assert_int_eq(world_bind(&w, &b, 17, (uint16_t)i, 80, &f[i]),
				 0);
	ck_assert_int_eq(world_bind(&w, &b, 17, 65535, 81, &g[0]), 0);
	while (f[twin].back.ext_port != g[0].back.ext_port)
		twin++;
	/* The mapping's port is taken there: the second flow has another. */
	ck_assert_int_eq(world_bind(&w, &b, 17, 65535, 80, &g[1]), HG_EFULL);
	ck_assert_int_eq(world_bind(&w, &b, 17, 65535, 82, &g[1]), 0);
	ck_assert_uint_eq(g[1].back.ext_port, g[0].back.ext_port);
	world_end(&w, &f[twin]);
	ck_assert_int_eq(world_bind(&w, &b, 17, 65534, 81, &g[2]), 0);
	ck_assert_uint_ne(g[2].back.ext_port, g[0].back.ext_port);
	world_end(&w, &g[0]);
	world_end(&w, &g[1]);
	/* Only now nobody has it, and a port of one's own comes first. */
	ck_assert_int_eq(world_bind(&w, &b, 17, 65533, 83, &g[0]), 0);
	ck_assert_uint_eq(g[0].back.ext_port, f[twin].back.ext_port);
	world_close(&w);
	free(f);
}
END_TEST

START_TEST(without_a_table_to_ask_no_port_is_shared)
{
	enum { RANGE = 65536 - 1024 };
	struct nat_config cfg = { 200000, 200000, .discard = world_discard };
	struct bed b = bed_of(false);
	struct nat_flow *f = calloc(RANGE + 1, sizeof(*f));
	struct nat *n;
	enum reason why;

	ck_assert_int_eq(nat_new(&cfg, &n), 0);
	for (uint32_t i = 0; i <= RANGE; i++) {
		struct nat_key k = key_of(&b, 17, (uint16_t)i, (uint16_t)i);

		ck_assert_int_eq(nat_bind(n, &k, &b.self, &b.peer, false, 0,
					  &f[i], &why),
				 i < RANGE ? 0 : HG_EFULL);
	}
	ck_assert_int_eq(why, REASON_NO_PORT);
	nat_free(n);
	free(f);
}
END_TEST

START_TEST(after_all_are_released_ports_are_exclusive_again)
{
	enum { RANGE = 65536 - 1024 };
	struct bed b = bed_of(false);
	struct world w;
	static uint8_t seen[65536];
	static struct nat_flow v[RANGE / 8];
	struct nat_flow g;
	struct nat_flow f;
	struct bed c = b;

	world_open(&w, 200000, 200000);
	/* One that stays, so that the pair does. */
	c.client = bed_addr("192.0.2.200");
	ck_assert_int_eq(world_bind(&w, &c, 17, 1, 80, &g), 0);
	seen[g.back.ext_port] = 1;
	for (uint32_t i = 0; i < RANGE + 100; i++) {
		ck_assert_int_eq(world_bind(&w, &b, 17, (uint16_t)i, 80, &f),
				 0);
		world_end(&w, &f);
	}
	for (uint32_t i = 0; i < RANGE / 8; i++) {
		ck_assert_int_eq(
			world_bind(&w, &b, 17, (uint16_t)i, (uint16_t)i, &v[i]),
			0);
		ck_assert_uint_eq(seen[v[i].back.ext_port]++, 0);
	}
	world_close(&w);
}
END_TEST

START_TEST(echo_identifiers_use_the_whole_range)
{
	struct bed b = bed_of(false);
	struct world w;
	static uint8_t seen[65536];
	static struct nat_flow f[65536];

	world_open(&w, 0, 100000);
	for (uint32_t i = 0; i < 65536; i++) {
		ck_assert_int_eq(world_bind(&w, &b, 58, (uint16_t)i, 0, &f[i]),
				 0);
		ck_assert_uint_eq(seen[f[i].back.ext_port]++, 0);
	}
	world_close(&w);
}
END_TEST

enum { SLOTS = 400, CLIENTS = 5, PER_CLIENT = 60 };

/* The list of live flows, asked the slow way. */
struct twin {
	struct nat_flow f[SLOTS];
	bool live[SLOTS];
};

static void twin_check(const struct twin *t, const struct nat_flow *f)
{
	for (int i = 0; i < SLOTS; i++) {
		const struct nat_flow *o = &t->f[i];
		bool pair = t->live[i] && o->back.proto == f->back.proto &&
			    hit_eq(&o->back.peer, &f->back.peer);
		bool same = addr_eq(&o->key.client, &f->key.client) &&
			    o->key.client_port == f->key.client_port;

		if (!pair)
			continue;
		ck_assert_int_eq(o->back.ext_port == f->back.ext_port, same);
	}
}

static unsigned twin_count(const struct twin *t, const struct addr *client)
{
	unsigned n = 0;

	for (int i = 0; i < SLOTS; i++)
		n += t->live[i] && addr_eq(&t->f[i].key.client, client);
	return n;
}

static bool twin_has(const struct twin *t, const struct nat_key *k)
{
	for (int i = 0; i < SLOTS; i++)
		if (t->live[i] && memcmp(&t->f[i].key, k, sizeof(*k)) == 0)
			return true;
	return false;
}

START_TEST(random_binds_and_releases_agree_with_the_stupid_twin)
{
	static struct twin t;
	static uint32_t pick[40000][4];
	unsigned char seed[randombytes_SEEDBYTES];
	struct world w;

	world_open(&w, 0, PER_CLIENT);
	randombytes_buf(seed, sizeof(seed));
	printf("ports seed:");
	for (size_t i = 0; i < sizeof(seed); i++)
		printf("%02x", seed[i]);
	printf("\n");
	randombytes_buf_deterministic(pick, sizeof(pick), seed);
	for (size_t i = 0; i < sizeof(pick) / sizeof(pick[0]); i++) {
		unsigned at = pick[i][0] % SLOTS;
		struct bed b = bed_of(false);
		unsigned proto = bed_protos[pick[i][2] % 3];
		struct nat_key k;
		int err;

		if (t.live[at]) {
			world_end(&w, &t.f[at]);
			t.live[at] = false;
			continue;
		}
		b.client.b[15] = (uint8_t)(pick[i][1] % CLIENTS);
		b.virt.b[15] = (uint8_t)(pick[i][1] >> 8 & 1);
		b.peer.b[15] = b.virt.b[15];
		k = key_of(&b, proto, (uint16_t)(pick[i][3] % 10),
			   (uint16_t)(pick[i][3] >> 16 & 7));
		if (twin_has(&t, &k))
			continue;
		err = world_bind(&w, &b, proto, k.client_port, k.virt_port,
				 &t.f[at]);
		ck_assert_int_eq(err == HG_EFULL,
				 twin_count(&t, &b.client) >= PER_CLIENT);
		if (err)
			continue;
		twin_check(&t, &t.f[at]);
		t.live[at] = true;
	}
	ck_assert_uint_eq(w.unpublished, 0);
	world_close(&w);
}
END_TEST

Suite *test_ports_suite(void)
{
	Suite *s = suite_create("ports");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, usage_counts_flows_by_protocol_and_the_fullest_ports);
	tcase_add_test(t, a_bound_flow_says_who_when_and_from_which_port);
	tcase_add_test(t, tcp_begins_with_a_syn);
	tcase_add_test(
		t, one_client_port_keeps_its_external_port_for_all_peer_ports);
	tcase_add_test(t, the_same_key_twice_does_not_give_the_same_return_key);
	tcase_add_test(t, quotas_hold_for_client_and_for_all);
	tcase_add_test(t,
		       a_full_port_range_is_shared_by_peer_port_then_refused);
	tcase_add_test(t, a_shared_port_is_free_when_the_last_mapping_goes);
	tcase_add_test(t, without_a_table_to_ask_no_port_is_shared);
	tcase_add_test(t, after_all_are_released_ports_are_exclusive_again);
	tcase_add_test(t, echo_identifiers_use_the_whole_range);
	tcase_add_test(t, random_binds_and_releases_agree_with_the_stupid_twin);
	suite_add_tcase(s, t);
	return s;
}
