/* SPDX-License-Identifier: MIT */
/* Packets that wait for an SA: for the one of their own identity. */
#include "test/unit/gate/reload_bed.h"

#define PX                                                                     \
	"[daemon]\nidentity = %/a.pem\nidentity = %/b.pem\n"                   \
	"[proxy]\nprefix = 2001:db8:401::/64\n"
#define EPHEMERAL "[policy *]\nhip = prefer\nidentity = ephemeral\n"

static struct reload_bed *b;
static struct inbox *in; /* of the one worker */
static uv_loop_t loop;
static struct endpoint client, virt;
static struct peer *p;

static void on_wake(uv_async_t *a)
{
	(void)a;
}

/* A proxy with one peer that has a substitute address and a locator. */
static void start(const char *text)
{
	struct nat_config nc = { 0 };
	struct dns_config dc = { 0 };
	struct hit hit = { { 0x20, 0x01, 0x00, 0x22, [15] = 9 } };
	struct addr at;

	b = reload_bed_new(text);
	dc.rules = b->g.cfg->rules;
	dc.rules_num = b->g.cfg->rules_num;
	ck_assert_int_eq(dns_new(&dc, &b->g.dns), HG_OK);
	ck_assert_int_eq(nat_new(&nc, &b->g.nat), HG_OK);
	ck_assert_int_eq(esp_setup(), HG_OK);
	b->g.plane.steer.pools.pool6 = b->g.cfg->pool6;
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	in = &b->g.workers[0].inbox;
	ck_assert_int_eq(inbox_init(in, &loop, on_wake, NULL), HG_OK);
	ck_assert_int_eq(endpoint_parse("[2001:db8:1::10]:4000", 0, &client),
			 HG_OK);
	ck_assert_int_eq(endpoint_parse("[2001:db8:401::5]:5000", 0, &virt),
			 HG_OK);
	ck_assert_int_eq(addr_parse("192.0.2.9", &at), HG_OK);
	p = peer_get(&b->g, &hit);
	ck_assert_ptr_nonnull(p);
	peer_name(p, "a.example");
	peer_set_locators(p, &at, 1, false, UINT64_MAX);
	ck_assert_int_eq(
		tables_add_mapping(&b->g.plane.tables, &virt.addr, 1, &p->hit),
		HG_OK);
}

static void stop(void)
{
	uv_close((uv_handle_t *)&in->async, NULL);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	inbox_fini(in);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	nat_free(b->g.nat);
	reload_bed_free(b);
}

/* A datagram that a worker could not decide on. */
static void punt(const struct endpoint *from, const struct endpoint *to)
{
	uint8_t pkt[128];
	size_t n = ip_build_udp(pkt, sizeof(pkt), from, to, "waits", 5);

	ck_assert_uint_gt(n, 0);
	first_packet(&b->g, inbox_msg(MSG_TUN, pkt, n, uv_hrtime()));
}

/* An SA of this identity with the peer: it sends, and whoever waits is
 * looked at again. */
static void sa_up(const struct hit *self, uint32_t spi)
{
	struct sa_pair sa = { .self = *self,
			      .peer = p->hit,
			      .spi_in = spi,
			      .spi_out = spi + 1,
			      .suite = SA_AES128_GCM16 };
	struct tables *t = &b->g.plane.tables;
	struct path_ends ends = { .peer = p->locators[0], .verified = true };

	ck_assert_int_eq(tables_add_sa(t, &sa, &ends, 1, true, 0), HG_OK);
	ck_assert_int_eq(tables_use_sa(t, tables_sa_in(t, spi)), HG_OK);
	peer_release(&b->g, p);
}

static struct hit made(void)
{
	struct hip_effect e;
	struct hit self = hit_null;

	while (hip_effect(b->g.hip, &e)) {
		if (e.kind == HIP_JOB) {
			hip_job_run(e.job);
			hip_job_done(b->g.hip, e.job, uv_hrtime());
		}
		if (e.kind == HIP_IDENTITY) {
			self = e.self;
			persona_made(&b->g, &e);
		}
	}
	ck_assert(!hit_is_null(&self));
	return self;
}

static unsigned forwarded(void)
{
	struct msg *m;
	unsigned n = 0;

	while ((m = inbox_take(in))) {
		free(m);
		n++;
	}
	return n;
}

static void waits(unsigned n)
{
	ck_assert_uint_eq(p->parked, n);
	ck_assert_int_eq(!p->park, n == 0);
	ck_assert_int_eq(!p->park_tail, n == 0);
	ck_assert_int_eq(!p->parked_bytes, n == 0);
}

START_TEST(a_packet_does_not_leave_under_another_identity_than_it_waits_for)
{
	struct nat_key key = { .proto = IP_PROTO_UDP };
	struct flow *f;
	struct hit self;

	start(PX EPHEMERAL);
	punt(&client, &virt);
	client.port++;
	punt(&client, &virt);
	waits(2);
	/* While its identity is made, the default one gets an SA. */
	sa_up(&b->g.selves[0], 0x1000);
	waits(2);
	ck_assert_uint_eq(forwarded(), 0);
	ck_assert_uint_eq(b->g.plane.tables.flows, 0);
	self = made();
	ck_assert(hit_eq(&p->self, &self));
	waits(2);
	sa_up(&b->g.selves[1], 0x2000);
	waits(2);
	ck_assert_uint_eq(forwarded(), 0);
	sa_up(&self, 0x3000);
	waits(0);
	ck_assert_uint_eq(forwarded(), 2);
	key.client = client.addr;
	key.client_port = client.port;
	key.virt = virt.addr;
	key.virt_port = virt.port;
	f = tables_flow(&b->g.plane.tables, &key);
	ck_assert_ptr_nonnull(f);
	ck_assert(hit_eq(&f->nat.back.self, &self));
	ck_assert_uint_eq(b->g.plane.tables.flows, 2);
	ck_assert_uint_eq(reason_get(&b->g.drops, REASON_PARK_FULL), 0);
	ck_assert_uint_eq(reason_get(&b->g.drops, REASON_PARK_EXPIRED), 0);
	stop();
}
END_TEST

START_TEST(a_program_that_chose_its_hit_waits_for_the_sa_of_that)
{
	struct endpoint from = { .port = 4000 };
	struct endpoint to = { .port = 5000 };

	start(PX);
	memcpy(from.addr.b, b->g.selves[1].b, 16);
	memcpy(to.addr.b, p->hit.b, 16);
	punt(&from, &to);
	punt(&client, &virt); /* of a client: as the default one */
	waits(2);
	sa_up(&b->g.selves[0], 0x1000);
	waits(1);
	ck_assert_uint_eq(forwarded(), 1);
	sa_up(&b->g.selves[1], 0x2000);
	waits(0);
	ck_assert_uint_eq(forwarded(), 1);
	ck_assert_uint_eq(b->g.plane.tables.flows, 1);
	stop();
}
END_TEST

START_TEST(what_waits_is_bounded_and_the_oldest_goes)
{
	start(PX EPHEMERAL);
	for (unsigned i = 0; i < PEER_PARK_PACKETS + 3; i++) {
		client.port++;
		punt(&client, &virt);
	}
	waits(PEER_PARK_PACKETS);
	ck_assert_uint_eq(reason_get(&b->g.drops, REASON_PARK_FULL), 3);
	/* Looked at again and again, nothing is lost and nothing added. */
	peer_release(&b->g, p);
	peer_release(&b->g, p);
	waits(PEER_PARK_PACKETS);
	ck_assert_uint_eq(reason_get(&b->g.drops, REASON_PARK_FULL), 3);
	stop();
}
END_TEST

/* Who publishes HITs chooses their octets, but not where they stand. */
START_TEST(peers_stand_where_a_key_says)
{
	uint8_t key[16];
	unsigned found = 0;

	start(PX);
	for (uint8_t n = 0; n < 64; n++) {
		struct hit hit = p->hit;

		hit.b[14] = n;
		ck_assert_ptr_nonnull(peer_get(&b->g, &hit));
	}
	memcpy(key, b->g.plane.tables.hash_key, sizeof(key));
	memset(b->g.plane.tables.hash_key, 7, sizeof(key));
	for (uint8_t n = 0; n < 64; n++) {
		struct hit hit = p->hit;

		hit.b[14] = n;
		found += peer_find(&b->g, &hit) != NULL;
	}
	ck_assert_uint_lt(found, 32);
	memcpy(b->g.plane.tables.hash_key, key, sizeof(key));
	ck_assert_ptr_eq(peer_find(&b->g, &p->hit), p);
	stop();
}
END_TEST

Suite *test_peer_suite(void)
{
	Suite *s = suite_create("peer");
	TCase *t = tcase_create("waiting");

	tcase_set_timeout(t, 60);
	tcase_add_test(
		t,
		a_packet_does_not_leave_under_another_identity_than_it_waits_for);
	tcase_add_test(t,
		       a_program_that_chose_its_hit_waits_for_the_sa_of_that);
	tcase_add_test(t, what_waits_is_bounded_and_the_oldest_goes);
	tcase_add_test(t, peers_stand_where_a_key_says);
	suite_add_tcase(s, t);
	return s;
}
