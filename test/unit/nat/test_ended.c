/* SPDX-License-Identifier: MIT */
/* Flows that have ended make room; live ones never do. */
#include "nat/ended.h"
#include "nat/flow.h"

#include "test/unit/nat/ports_bed.h"

#define S UINT64_C(1000000000)

/* The flow's next segment. */
static void segment(struct world *w, struct nat_flow *f, bool client,
		    uint8_t flags)
{
	uint8_t tcp[TCP_HDR] = { [13] = flags };

	flow_touch(f, client, tcp, w->now);
}

static void open_it(struct world *w, struct nat_flow *f)
{
	segment(w, f, true, TCP_SYN);
	segment(w, f, false, TCP_SYN | TCP_ACK);
	segment(w, f, true, TCP_ACK);
	ck_assert_str_eq(nat_state_name(f), "open");
}

static void close_it(struct world *w, struct nat_flow *f)
{
	segment(w, f, false, TCP_FIN | TCP_ACK);
	segment(w, f, true, TCP_FIN | TCP_ACK);
	ck_assert_str_eq(nat_state_name(f), "closed");
}

static void bind_ok(struct world *w, const struct bed *b, unsigned proto,
		    uint16_t from, struct nat_flow *f)
{
	ck_assert_int_eq(world_bind(w, b, proto, from, 80, f), 0);
}

START_TEST(ended_flows_count_for_nobodys_quota)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f[40];

	world_open(&w, 0, 3);
	for (uint16_t i = 0; i < 36; i++) {
		bind_ok(&w, &b, 6, i, &f[i]);
		close_it(&w, &f[i]);
	}
	for (uint16_t i = 36; i < 39; i++)
		bind_ok(&w, &b, 6, i, &f[i]);
	ck_assert_int_eq(world_bind(&w, &b, 6, 39, 80, &f[39]), HG_EFULL);
	ck_assert_uint_eq(w.unpublished, 0); /* there was room for all */
	world_close(&w);
}
END_TEST

/* A flow that may be live, whatever it is, keeps its place for ever. */
START_TEST(live_flows_are_never_given_up)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f[8];

	world_open(&w, 7, 100);
	for (uint16_t i = 0; i < 5; i++)
		bind_ok(&w, &b, 6, i, &f[i]);
	bind_ok(&w, &b, 17, 5, &f[5]);
	bind_ok(&w, &b, 58, 6, &f[6]);
	for (int i = 1; i < 5; i++)
		open_it(&w, &f[i]);
	segment(&w, &f[2], true, TCP_FIN | TCP_ACK);
	segment(&w, &f[3], false, TCP_FIN | TCP_ACK);
	w.now += 100000 * S;
	ck_assert_int_eq(world_bind(&w, &b, 6, 9, 80, &f[7]), HG_EFULL);
	ck_assert_uint_eq(w.unpublished, 0);
	ck_assert_uint_eq(w.num, 7);
	/* The same with one that has ended: it goes, and no other. */
	close_it(&w, &f[4]);
	w.now += 2 * S;
	bind_ok(&w, &b, 6, 9, &f[7]);
	ck_assert_ptr_eq(w.last_out, &f[4]);
	ck_assert_ptr_eq(w.last_gone, &f[4]);
	ck_assert_uint_eq(w.unpublished, 1);
	ck_assert_int_eq(world_bind(&w, &b, 6, 10, 80, &f[4]), HG_EFULL);
	world_close(&w);
}
END_TEST

START_TEST(an_ended_flow_rests_two_seconds_from_its_last_packet)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f[2];

	world_open(&w, 1, 100);
	bind_ok(&w, &b, 6, 1, &f[0]);
	open_it(&w, &f[0]);
	close_it(&w, &f[0]);
	w.now += 2 * S - 1;
	ck_assert_int_eq(world_bind(&w, &b, 6, 2, 80, &f[1]), HG_EFULL);
	segment(&w, &f[0], false, TCP_ACK); /* late */
	w.now += 2 * S - 1;
	ck_assert_int_eq(world_bind(&w, &b, 6, 2, 80, &f[1]), HG_EFULL);
	/* A worker's clock may be ahead. */
	w.now -= 100 * S;
	ck_assert_int_eq(world_bind(&w, &b, 6, 2, 80, &f[1]), HG_EFULL);
	ck_assert_str_eq(nat_state_name(&f[0]), "closed");
	w.now += 100 * S + 1;
	bind_ok(&w, &b, 6, 2, &f[1]);
	ck_assert_str_eq(nat_state_name(&f[0]), "gone");
	world_close(&w);
}
END_TEST

START_TEST(a_full_port_space_gives_up_what_ended_first)
{
	enum { RANGE = 65536 - 1024 };
	struct bed b = bed_of(false);
	struct bed other = b;
	struct world w;
	struct nat_flow *f = calloc(RANGE, sizeof(*f));
	struct nat_flow g[4];
	uint16_t ports[3];

	other.peer.b[15]++;
	world_open(&w, 200000, 200000);
	bind_ok(&w, &other, 6, 1, &g[3]);
	close_it(&w, &g[3]);
	for (uint32_t i = 0; i < RANGE; i++)
		bind_ok(&w, &b, 6, (uint16_t)i, &f[i]);
	w.now += S;
	for (unsigned i = 0; i < 3; i++) {
		struct nat_flow *one = &f[5000 - 1000 * i];

		ports[i] = one->back.ext_port;
		close_it(&w, one);
	}
	ck_assert_int_eq(world_bind(&w, &b, 6, 65000, 80, &g[0]), HG_EFULL);
	w.now += 2 * S;
	for (unsigned i = 0; i < 3; i++) {
		bind_ok(&w, &b, 6, (uint16_t)(65000 + i), &g[i]);
		ck_assert_ptr_eq(w.last_gone, &f[5000 - 1000 * i]);
		ck_assert_uint_eq(g[i].back.ext_port, ports[i]);
	}
	/* An ended one of another space is no help, and stays. */
	ck_assert_int_eq(world_bind(&w, &b, 6, 65003, 80, &g[3]), HG_EFULL);
	ck_assert_uint_eq(w.unpublished, 3);
	world_close(&w);
	free(f);
}
END_TEST

START_TEST(a_flow_that_began_anew_is_live)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f[3];

	world_open(&w, 2, 2);
	for (uint16_t i = 0; i < 2; i++) {
		bind_ok(&w, &b, 6, i, &f[i]);
		close_it(&w, &f[i]);
	}
	ended_look(w.n, 10);
	w.now += 100 * S;
	segment(&w, &f[0], true, TCP_SYN);
	bind_ok(&w, &b, 6, 7, &f[2]);
	ck_assert_ptr_eq(w.last_gone, &f[1]);
	/* It counts again, and its second end is an end again. */
	ck_assert_int_eq(world_bind(&w, &b, 6, 8, 80, &f[1]), HG_EFULL);
	segment(&w, &f[0], true, TCP_RST);
	w.now += 2 * S;
	bind_ok(&w, &b, 6, 8, &f[1]);
	ck_assert_ptr_eq(w.last_gone, &f[0]);
	world_close(&w);
}
END_TEST

/* Somebody may have forged it: nobody takes its place. */
START_TEST(one_rst_of_an_open_flow_is_no_end)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f[2];

	for (int client = 0; client < 2; client++) {
		world_open(&w, 1, 2);
		bind_ok(&w, &b, 6, 0, &f[0]);
		open_it(&w, &f[0]);
		segment(&w, &f[0], client, TCP_RST);
		w.now += 100 * S;
		ck_assert_int_eq(world_bind(&w, &b, 6, 1, 80, &f[1]), HG_EFULL);
		ck_assert_uint_eq(w.unpublished, 0);
		/* Both sides' is. */
		segment(&w, &f[0], !client, TCP_RST);
		w.now += 2 * S;
		bind_ok(&w, &b, 6, 1, &f[1]);
		ck_assert_ptr_eq(w.last_gone, &f[0]);
		world_close(&w);
	}
}
END_TEST

/* Else whoever begins ended flows anew would have more than his quota. */
START_TEST(beginning_anew_is_bound_by_the_quota)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f[4];

	world_open(&w, 0, 2);
	for (uint16_t i = 0; i < 2; i++) {
		bind_ok(&w, &b, 6, i, &f[i]);
		close_it(&w, &f[i]);
	}
	for (uint16_t i = 2; i < 4; i++)
		bind_ok(&w, &b, 6, i, &f[i]);
	segment(&w, &f[0], true, TCP_SYN);
	ck_assert_uint_eq(w.unpublished, 0);
	ended_look(w.n, 10);
	ck_assert_ptr_eq(w.last_out, &f[0]);
	ck_assert_ptr_eq(w.last_gone, &f[0]);
	ck_assert_uint_eq(w.unpublished, 1);
	/* What it had is given back once: two live ones are the quota. */
	ck_assert_int_eq(world_bind(&w, &b, 6, 5, 80, &f[0]), HG_EFULL);
	world_end(&w, &f[2]);
	bind_ok(&w, &b, 6, 5, &f[0]);
	world_close(&w);
}
END_TEST

/* It may be on the workers' stack: it stays until that has been taken. */
START_TEST(a_flow_released_while_told_is_discarded_later_and_once)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f[2];

	world_open(&w, 0, 3);
	for (uint16_t i = 0; i < 2; i++)
		bind_ok(&w, &b, 6, i, &f[i]);
	for (uint16_t i = 0; i < 2; i++)
		close_it(&w, &f[i]);
	world_end(&w, &f[1]);
	world_end(&w, &f[0]);
	nat_release(w.n, &f[0]);
	ck_assert_uint_eq(w.discarded, 0);
	/* Late segments of workers that still see it change nothing. */
	segment(&w, &f[0], true, TCP_SYN);
	segment(&w, &f[0], true, TCP_RST);
	ck_assert_str_eq(nat_state_name(&f[0]), "gone");
	ended_look(w.n, 1);
	ck_assert_uint_eq(w.discarded, 1);
	ck_assert_ptr_eq(w.last_gone, &f[0]); /* it was told first */
	ended_look(w.n, 10);
	ck_assert_uint_eq(w.discarded, 2);
	ended_look(w.n, 10);
	ck_assert_uint_eq(w.discarded, 2);
	world_close(&w);
}
END_TEST

START_TEST(what_is_told_at_the_end_is_discarded_by_free)
{
	struct bed b = bed_of(false);
	struct world w;
	struct nat_flow f;

	world_open(&w, 0, 2);
	bind_ok(&w, &b, 6, 1, &f);
	close_it(&w, &f);
	world_end(&w, &f);
	world_close(&w);
	ck_assert_uint_eq(w.discarded, 1);
}
END_TEST

/* A table full of ended flows of many spaces gives them up in turn. */
START_TEST(a_full_table_takes_from_every_space)
{
	enum { SPACES = 5, EACH = 4 };
	struct world w;
	struct nat_flow f[SPACES][EACH];
	struct nat_flow g[SPACES];
	unsigned out[SPACES] = { 0 };

	world_open(&w, SPACES * EACH, 100);
	for (unsigned i = 0; i < SPACES * EACH; i++) {
		struct bed b = bed_of(false);

		b.peer.b[15] = (uint8_t)(i % SPACES);
		b.virt.b[15] = b.peer.b[15];
		bind_ok(&w, &b, 6, (uint16_t)i, &f[i % SPACES][i / SPACES]);
		close_it(&w, &f[i % SPACES][i / SPACES]);
	}
	w.now += 2 * S;
	for (unsigned i = 0; i < SPACES; i++) {
		struct bed b = bed_of(true);

		bind_ok(&w, &b, 17, (uint16_t)(100 + i), &g[i]);
		for (unsigned k = 0; k < SPACES; k++)
			out[k] += w.last_out == &f[k][0];
	}
	for (unsigned k = 0; k < SPACES; k++)
		ck_assert_uint_eq(out[k], 1);
	world_close(&w);
}
END_TEST

START_TEST(the_sweep_ends_what_has_expired_in_bounded_slices)
{
	enum { FLOWS = 3000 };
	struct bed b = bed_of(false);
	struct world w;
	static struct nat_flow f[FLOWS];
	unsigned slices = 0;

	world_open(&w, 4096, FLOWS);
	for (uint16_t i = 0; i < FLOWS; i++)
		bind_ok(&w, &b, i % 2 ? 17 : 6, i, &f[i]);
	w.now += 240 * S + 1; /* TCP's SYN, not UDP */
	for (unsigned part = 0; part < 16; part++) {
		bool more = true;

		for (bool begin = true; more; begin = false) {
			unsigned was = w.discarded;

			more = nat_sweep(w.n, begin, w.now);
			/* The last cell may hold some more. */
			ck_assert_uint_le(w.discarded - was,
					  NAT_SLICE / NAT_SLICE_END + 32);
			slices++;
		}
	}
	ck_assert_uint_eq(w.discarded, FLOWS / 2);
	ck_assert_uint_eq(w.unpublished, FLOWS / 2);
	ck_assert_uint_ge(slices, 16);
	for (uint16_t i = 0; i < FLOWS; i++)
		ck_assert_str_eq(nat_state_name(&f[i]),
				 i % 2 ? "none" : "gone");
	world_close(&w);
}
END_TEST

/* Not even its memory is looked at. */
START_TEST(where_there_is_no_flow_there_is_nothing_to_sweep)
{
	struct bed b = bed_of(false);
	struct world w;
	static struct nat_flow f;

	world_open(&w, 32 * NAT_SLICE_CELLS, 4096);
	ck_assert(!nat_sweep(w.n, true, w.now));
	bind_ok(&w, &b, 17, 1, &f);
	ck_assert(nat_sweep(w.n, true, w.now));
	world_close(&w);
}
END_TEST

enum { SLOTS = 300, CLIENTS = 4, QUOTA = 40, TABLE = 120 };

/* What the rules say, of flows in slots. */
struct model {
	struct nat_flow f[SLOTS];
	bool in[SLOTS];
	struct world w;
};

static bool ended(const struct model *m, int i)
{
	return m->in[i] && (m->f[i].tcp & ~NAT_TOLD) == NAT_TCP_CLOSED;
}

static void after(struct model *m, int bound)
{
	for (int i = 0; i < SLOTS; i++) {
		bool in = world_has(&m->w, &m->f[i]);

		if (m->in[i] && !in) { /* given up by this call */
			ck_assert_str_eq(nat_state_name(&m->f[i]), "gone");
			ck_assert(m->w.now - m->f[i].last >= 2 * S);
		}
		m->in[i] = in;
	}
	ck_assert(bound < 0 || m->in[bound]);
}

/* May a flow of this client be bound? -1: only when an ended one goes. */
static int model_room(const struct model *m, const struct addr *client)
{
	unsigned live = 0;
	unsigned all = 0;

	for (int i = 0; i < SLOTS; i++) {
		all += m->in[i];
		live += m->in[i] && !ended(m, i) &&
			addr_eq(&m->f[i].key.client, client);
	}
	if (live >= QUOTA)
		return 0;
	return all < TABLE ? 1 : -1;
}

static bool model_rested(const struct model *m)
{
	for (int i = 0; i < SLOTS; i++)
		if (ended(m, i) && m->w.now - m->f[i].last >= 2 * S)
			return true;
	return false;
}

static void model_bind(struct model *m, int i, unsigned client)
{
	struct bed b = bed_of(false);
	int room;
	bool rested;
	unsigned out = m->w.unpublished;
	int err;

	b.client.b[15] = (uint8_t)(client % CLIENTS);
	room = model_room(m, &b.client);
	rested = model_rested(m);
	err = world_bind(&m->w, &b, 6, (uint16_t)i, 80, &m->f[i]);
	/* A few are looked at each time. */
	for (int try = 0; err && room == -1 && rested && try < TABLE; try++)
		err = world_bind(&m->w, &b, 6, (uint16_t)i, 80, &m->f[i]);
	/* All of these may have had late packets, in order: they rest next. */
	if (err && room == -1 && rested) {
		m->w.now += 2 * S;
		err = world_bind(&m->w, &b, 6, (uint16_t)i, 80, &m->f[i]);
	}
	if (room == 1 || (room == -1 && rested))
		ck_assert_int_eq(err, 0);
	else
		ck_assert_int_eq(err, HG_EFULL);
	ck_assert_uint_eq(m->w.unpublished - out, room == -1 && rested);
	after(m, err ? -1 : i);
}

START_TEST(random_lives_agree_with_the_rules)
{
	static struct model m;
	static uint32_t pick[30000][2];
	unsigned char seed[randombytes_SEEDBYTES];

	memset(&m, 0, sizeof(m));
	randombytes_buf(seed, sizeof(seed));
	printf("ended seed:");
	for (size_t i = 0; i < sizeof(seed); i++)
		printf("%02x", seed[i]);
	printf("\n");
	randombytes_buf_deterministic(pick, sizeof(pick), seed);
	world_open(&m.w, TABLE, QUOTA);
	for (size_t n = 0; n < sizeof(pick) / sizeof(pick[0]); n++) {
		int i = (int)(pick[n][0] % SLOTS);

		m.w.now += pick[n][1] % (S / 10);
		if (!m.in[i]) {
			/* Its memory may still be told of. */
			ended_look(m.w.n, UINT32_MAX);
			after(&m, -1);
			model_bind(&m, i, pick[n][1] >> 16);
		} else if (pick[n][1] % 8 == 0) {
			world_end(&m.w, &m.f[i]);
			m.in[i] = false;
		} else {
			segment(&m.w, &m.f[i], pick[n][1] & 16,
				pick[n][1] & 32 ? TCP_RST : TCP_ACK);
		}
	}
	ck_assert_uint_ge(m.w.unpublished, 100); /* it was about that */
	world_close(&m.w);
}
END_TEST

Suite *test_ended_suite(void)
{
	Suite *s = suite_create("ended");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, ended_flows_count_for_nobodys_quota);
	tcase_add_test(t, live_flows_are_never_given_up);
	tcase_add_test(t, an_ended_flow_rests_two_seconds_from_its_last_packet);
	tcase_add_test(t, a_full_port_space_gives_up_what_ended_first);
	tcase_add_test(t, a_flow_that_began_anew_is_live);
	tcase_add_test(t, one_rst_of_an_open_flow_is_no_end);
	tcase_add_test(t, beginning_anew_is_bound_by_the_quota);
	tcase_add_test(t,
		       a_flow_released_while_told_is_discarded_later_and_once);
	tcase_add_test(t, what_is_told_at_the_end_is_discarded_by_free);
	tcase_add_test(t, a_full_table_takes_from_every_space);
	tcase_add_test(t, the_sweep_ends_what_has_expired_in_bounded_slices);
	tcase_add_test(t, where_there_is_no_flow_there_is_nothing_to_sweep);
	tcase_add_test(t, random_lives_agree_with_the_rules);
	suite_add_tcase(s, t);
	return s;
}
