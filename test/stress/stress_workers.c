/* SPDX-License-Identifier: MIT */
/* Two workers at work while control changes all that they look up.
 *
 * THEORY OF OPERATION
 * The bed's workers run in their own threads, on their loops; a client thread
 * sends over both queues and looks at what comes back, octet by octet. The
 * main thread is control, with the calls that control makes: flows come and
 * go, mappings come, paths change, SAs are rekeyed (the new one sends before
 * the old one goes, and is opened by either worker), SAs rest, punted packets
 * are given back, and counters are read as `hipgate status` does. What is lost on
 * the way (a socket's buffer, a flow that has just gone) is no failure; a
 * wrong octet is one, and so is whatever a sanitizer finds. It ends after
 * STEPS steps of control and PACKETS packets, with no clock.
 */
#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>

#include "test/unit/gate/loop_bed.h"

enum { STEPS = 4000, PACKETS = 20000, FLOWS = 8, GIVE_UP = 4000000 };

static struct loop l;
static struct endpoint ends[LOOP_WORKERS];
static struct flow *flows[FLOWS];
static uint32_t spi = LOOP_SPI;
static uint32_t spi_before;

/* ---- the client ------------------------------------------------------------ */

static _Atomic bool done;
static _Atomic unsigned came, wrong;

/* Datagrams begin at one of five places of the stream. */
static void send_some(unsigned i)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	uint16_t port = (uint16_t)(LOOP_PORT + i % (FLOWS + 1));
	uint8_t proto = i % 3 ? IP_PROTO_UDP : IP_PROTO_TCP;
	size_t len = i % 48 ? 50 + i % 1000 : 10 * LOOP_MSS; /* TCP */
	size_t n = loop_packet(buf, proto, port, i % 5, len);

	(void)!write(l.tun[i / 7 % 2], buf, n); /* full: lost */
}

static void look_at(const uint8_t *pkt, size_t len)
{
	size_t hdr = pkt[6] == IP_PROTO_TCP ? TCP_HDR : UDP_HDR;
	const uint8_t *body = pkt + IP6_HDR + hdr;
	bool good = false;

	len -= IP6_HDR + hdr;
	/* A row of joined datagrams begins anew with each. */
	for (uint32_t seq = 0; !good && seq < 5; seq++)
		good = body[0] == loop_octet(seq) &&
		       body[len > 49 ? 49 : 0] ==
			       loop_octet(seq + (len > 49 ? 49 : 0));
	if (pkt[6] == IP_PROTO_TCP)
		good = body[0] == loop_octet(get_be32(pkt + IP6_HDR + 4));
	if (!good || memcmp(pkt + 24, &loop_client, 16) != 0)
		atomic_fetch_add(&wrong, 1);
}

static void *client(void *arg)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];

	(void)arg;
	for (unsigned i = 0; !atomic_load(&done); i++) {
		ssize_t n;

		send_some(i);
		for (unsigned k = 0; k < LOOP_WORKERS; k++)
			while ((n = read(l.tun[k], buf, sizeof(buf))) > 0) {
				atomic_fetch_add(&came, 1);
				if (buf[TUN_VNET_HDR + 6] != IP_PROTO_ICMP6)
					look_at(buf + TUN_VNET_HDR,
						(size_t)n - TUN_VNET_HDR);
			}
		(void)sched_yield();
	}
	return NULL;
}

/* ---- control ---------------------------------------------------------------- */

static void change_flow(unsigned i)
{
	struct flow **f = &flows[i % FLOWS];

	if (*f) {
		tables_del_flow(&l.plane.tables, *f);
		tables_free_flow(&l.plane.tables, *f);
		*f = NULL;
	} else {
		*f = loop_add_flow(&l, i & 8 ? IP_PROTO_UDP : IP_PROTO_TCP,
				   (uint16_t)(LOOP_PORT + 1 + i % FLOWS));
	}
}

static void change_path(unsigned i)
{
	struct path_size size = { .l4_most = 1300 + i % 100,
				  .mss = 1200,
				  .outer = 1500,
				  .df = i & 1 };
	struct path_ends to = { .peer = ends[i / 2 % 2], .verified = i % 3 };

	tables_credit_sa(l.sa, i);
	ck_assert_int_eq(tables_move_sa(l.sa, &to, &size), HG_OK);
}

static void rekey(void)
{
	if (spi_before)
		tables_del_sa(&l.plane.tables, spi_before);
	spi_before = spi;
	spi += 1 + randombytes_uniform(3); /* either worker's */
	l.at = ends[spi % 2];
	loop_add_sa(&l, spi);
}

static void add_mapping(unsigned i)
{
	struct addr virt = loop_virt;

	virt.b[14] = (uint8_t)(i >> 8);
	virt.b[13] = (uint8_t)i;
	(void)!tables_add_mapping(&l.plane.tables, &virt, 1, &loop_peer);
}

static uint64_t sum;

static void add_flow(struct flow *f, void *arg)
{
	(void)arg;
	sum += atomic_load(&f->nat.out_packets) + atomic_load(&f->nat.last);
}

static void add_sa(struct sa *s, void *arg)
{
	(void)arg;
	sum += atomic_load(&s->out_bytes) + atomic_load(&s->in_packets) +
	       atomic_load(&atomic_load(&s->path)->refused);
}

static void look(void)
{
	tables_each_flow(&l.plane.tables, add_flow, NULL);
	tables_each_sa(&l.plane.tables, add_sa, NULL);
	sum += loop_drops(&l);
	for (unsigned k = 0; k < LOOP_WORKERS; k++)
		sum += atomic_load(&l.w[k].udp_sends) +
		       atomic_load(&l.w[k].segment[0].refused) +
		       atomic_load(&l.w[k].join[0].until);
}

static const struct sa *wake_by_spi(const struct msg *m)
{
	struct sa *sa = tables_sa_in(&l.plane.tables, get_be32(m->data));

	return sa && !tables_wake_sa(sa) ? sa : NULL;
}

/* What workers could not decide goes back to them, as after a base
 * exchange; path probes are asked for. */
static void take_punts(unsigned i)
{
	uint8_t probe[1200];
	struct msg *m;

	while ((m = inbox_take(&l.control))) {
		const struct sa *sa =
			m->kind == MSG_ESP ? wake_by_spi(m) : NULL;

		if (m->kind == MSG_TUN)
			(void)!inbox_put(&l.w[m->worker].inbox, m);
		else if (sa)
			(void)!inbox_put(&l.w[sa->owner].inbox, m);
		else
			free(m);
	}
	(void)!tables_wake_sa(l.sa);
	esp_probe_put(probe, sizeof(probe), &loop_self, &loop_peer, false, i);
	m = inbox_msg(MSG_PROBE, probe, sizeof(probe), i);
	if (!m)
		return;
	m->back.self = loop_self;
	m->back.peer = loop_peer;
	atomic_store(&l.sa->probed, true);
	(void)!inbox_put(&l.w[l.sa->owner].inbox, m);
}

/* Now and then all offloads are refused: SO_NO_CHECK forbids segments. */
static void change_socket(unsigned i)
{
	int yes = i & 1;

	(void)setsockopt(l.plane.sockets.fd[0][1 + i / 2 % 2], SOL_SOCKET,
			 SO_NO_CHECK, &yes, sizeof(yes));
}

static void step(unsigned i)
{
	switch (randombytes_uniform(8)) {
	case 0:
	case 1:
	case 2:
		change_flow(randombytes_random());
		break;
	case 3:
		change_path(randombytes_random());
		if (i % 16 == 0)
			tables_rest_sa(l.sa);
		break;
	case 4:
		if (i % 4 == 0)
			rekey();
		break;
	case 5:
		add_mapping(i);
		break;
	case 6:
		look();
		break;
	case 7:
		take_punts(i);
		if (i % 8 == 0)
			change_socket(randombytes_random());
		break;
	}
	tables_offline();
	(void)sched_yield();
	tables_online();
}

START_TEST(control_changes_all_while_two_workers_look_it_up)
{
	pthread_t other;
	unsigned i = 0;

	loop_begin(&l, 0);
	for (unsigned k = 0; k < LOOP_WORKERS; k++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);

		ck_assert_int_eq(getsockname(l.plane.sockets.fd[0][1 + k],
					     (struct sockaddr *)&ss, &len),
				 0);
		ends[k] = sockets_endpoint((struct sockaddr *)&ss);
	}
	for (unsigned k = 0; k < LOOP_WORKERS; k++)
		ck_assert_int_eq(worker_start(&l.w[k]), HG_OK);
	ck_assert_int_eq(pthread_create(&other, NULL, client, NULL), 0);
	while ((i < STEPS || atomic_load(&came) < PACKETS) && i < GIVE_UP)
		step(i++);
	atomic_store(&done, true);
	tables_offline();
	ck_assert_int_eq(pthread_join(other, NULL), 0);
	for (unsigned k = 0; k < LOOP_WORKERS; k++)
		worker_stop(&l.w[k]);
	tables_online();
	printf("%u steps, %u packets came back\n", i, atomic_load(&came));
	ck_assert_uint_ge(atomic_load(&came), PACKETS);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	loop_end(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("workers");
	TCase *tc = tcase_create("workers");
	SRunner *sr;
	int failed;

	if (sodium_init() < 0)
		return EXIT_FAILURE;
	tcase_set_timeout(tc, 240);
	tcase_add_test(tc, control_changes_all_while_two_workers_look_it_up);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK); /* sanitizers see its end */
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
