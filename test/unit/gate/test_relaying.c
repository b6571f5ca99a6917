/* SPDX-License-Identifier: MIT */
/* What a data relay passes on between real sockets, and what it does not. */
#include "cmd/hipgated/relaying.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "core/wire.h"
#include "cmd/hipgated/deliver.h"
#include "cmd/hipgated/worker.h"

enum {
	SPI_IN = 0x1111,
	SPI_OUT = 0x2222,
	MAIN,
	PORT,
	CLIENT,
	PEER,
	ELSE,
	ENDS
};

static struct plane plane;
static struct relaying relaying;
static struct relay_port port;
static struct worker w;
static struct inbox control;
static uv_loop_t loop;
static int fd[ENDS];
static struct endpoint at[ENDS];
static unsigned fam;

static void no_async(uv_async_t *a)
{
	(void)a;
}

static struct endpoint here(uint16_t p)
{
	struct endpoint e = { .port = p };

	if (fam)
		e.addr.b[15] = 1;
	else
		e.addr = addr_from4((const uint8_t[]){ 127, 0, 0, 1 });
	return e;
}

/* Of one of the places of the peer. */
static struct permit *permit_at(int place, uint64_t until, bool heard)
{
	struct permit *p = aligned_alloc(_Alignof(struct permit), sizeof(*p));

	ck_assert_ptr_nonnull(p);
	memset(p, 0, sizeof(*p));
	p->in = (struct relay_key){ at[place], port.port, SPI_IN };
	p->out = (struct relay_key){ at[CLIENT], 0, SPI_OUT };
	p->until = until;
	p->heard = heard;
	p->port = &port;
	p->self.self = at[MAIN].addr;
	p->peer_len = sockets_address(&at[place], &p->peer);
	p->client_len = sockets_address(&at[CLIENT], &p->client);
	return p;
}

static struct permit *permit(uint64_t until, bool heard)
{
	return permit_at(PEER, until, heard);
}

/* The client asks for this place. */
static void name(int place, uint64_t until, bool heard)
{
	struct permit *p = permit_at(place, until, heard);

	p->last = w.now;
	ck_assert_int_eq(permits_add(&plane.tables, &relaying, p), HG_OK);
}

static void grant(uint64_t until, bool heard)
{
	ck_assert_int_eq(
		permits_add(&plane.tables, &relaying, permit(until, heard)),
		HG_OK);
}

static void begin(unsigned family)
{
	struct sockets one = { .gro = true };

	fam = family;
	memset(&plane, 0, sizeof(plane));
	memset(&relaying, 0, sizeof(relaying));
	memset(&port, 0, sizeof(port));
	memset(&w, 0, sizeof(w));
	memset(plane.sockets.fd, 0xff, sizeof(plane.sockets.fd));
	tables_thread_begin();
	ck_assert_int_eq(tables_init(&plane.tables), HG_OK);
	ck_assert_int_eq(linetable_init(&relaying.in), HG_OK);
	ck_assert_int_eq(linetable_init(&relaying.out), HG_OK);
	for (int i = MAIN; i < ENDS; i++) {
		uint16_t p = 0;

		fd[i] = sockets_open_one(&one, fam, &p);
		ck_assert_int_ge(fd[i], 0);
		at[i] = here(p);
	}
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(inbox_init(&control, &loop, no_async, NULL), HG_OK);
	port.port = at[PORT].port;
	port.fd[0] = port.fd[1] = fd[PORT];
	relaying.port = &port;
	relaying.num = 1;
	plane.relaying = &relaying;
	plane.sockets.fd[fam][1] = fd[MAIN];
	plane.control = &control;
	plane.workers = &w;
	plane.workers_num = 1;
	w.plane = &plane;
	w.now = 1000 * RELAY_WINDOW;
	offload_init(&w.segment[fam], true);
	ck_assert_int_eq(relaying_init(&w), HG_OK);
}

static void end(void)
{
	relaying_fini(&w);
	permits_fini(&relaying);
	tables_fini(&plane.tables);
	uv_close((uv_handle_t *)&control.async, NULL);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	inbox_fini(&control);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	for (int i = MAIN; i < ENDS; i++)
		close(fd[i]);
	tables_thread_end();
}

static void send_to(int from, const struct endpoint *to, uint32_t spi,
		    size_t len)
{
	struct sockaddr_storage ss;
	socklen_t n = sockets_address(to, &ss);
	uint8_t data[2000];

	memset(data, 0x5a, sizeof(data));
	put_be32(data, spi);
	ck_assert_int_eq(
		sendto(fd[from], data, len, 0, (struct sockaddr *)&ss, n),
		(ssize_t)len);
}

/* Octets that came to `end` from `from`; 0: nothing. */
static size_t comes(int end, const struct endpoint *from, uint32_t spi)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	uint8_t data[65536];
	ssize_t len = recvfrom(fd[end], data, sizeof(data), MSG_DONTWAIT,
			       (struct sockaddr *)&ss, &n);
	struct endpoint got;

	if (len < 0)
		return 0;
	got = sockets_endpoint((struct sockaddr *)&ss);
	ck_assert(endpoint_eq(&got, from));
	ck_assert_uint_eq(get_be32(data), spi);
	return (size_t)len;
}

static uint64_t drops(enum reason r)
{
	return reason_get(&w.drops, r);
}

/* What the client sends, as inbound.c has it. */
static bool from_client(uint8_t *data, size_t len, uint32_t spi)
{
	struct datagram of = { .from = at[CLIENT] };
	bool taken;

	put_be32(data, spi);
	taken = relaying_from_client(&w, &of, data, len);
	relaying_flush(&w);
	return taken;
}

START_TEST(data_pass_both_ways)
{
	uint8_t data[100] = { 0 };

	begin(_i);
	grant(UINT64_MAX, false);
	send_to(PEER, &at[PORT], SPI_IN, 1400);
	relaying_readable(&w, &port, fd[PORT]);
	ck_assert_uint_eq(comes(CLIENT, &at[MAIN], SPI_IN), 1400);
	ck_assert(from_client(data, sizeof(data), SPI_OUT));
	ck_assert_uint_eq(comes(PEER, &at[PORT], SPI_OUT), sizeof(data));
	ck_assert_uint_eq(port.packets, 2);
	ck_assert_uint_eq(port.bytes, 1500);
	end();
}
END_TEST

/* Datagrams that lie behind each other, as the kernel has merged them. */
START_TEST(a_row_leaves_as_it_came)
{
	static uint8_t data[10 * 200];
	struct datagram of;
	unsigned num = 0;

	begin(_i);
	of = (struct datagram){ .from = at[CLIENT] };
	grant(UINT64_MAX, true);
	for (unsigned i = 0; i < 10; i++) {
		put_be32(data + i * 200, SPI_OUT);
		put_be32(data + i * 200 + 4, i);
		ck_assert(relaying_from_client(&w, &of, data + i * 200,
					       i == 9 ? 150 : 200));
	}
	relaying_flush(&w);
	ck_assert_uint_eq(w.udp_sends, 1);
	ck_assert_uint_eq(drops(REASON_SEND_FAILED), 0);
	for (size_t left = 1950; left; num++) {
		size_t n = comes(PEER, &at[PORT], SPI_OUT);

		ck_assert_uint_gt(n, 0);
		ck_assert_uint_le(n, left);
		left -= n;
	}
	ck_assert_uint_le(num, 10);
	end();
}
END_TEST

START_TEST(what_has_no_permission_is_counted_and_goes_nowhere)
{
	uint8_t data[100] = { 0 };

	begin(_i);
	grant(w.now + 1, false);
	send_to(CLIENT, &at[PORT], SPI_IN, 100); /* another's address */
	send_to(PEER, &at[PORT], SPI_OUT, 100);	 /* another SPI */
	relaying_readable(&w, &port, fd[PORT]);
	ck_assert_uint_eq(drops(REASON_RELAY_STRANGER), 2);
	ck_assert(!from_client(data, sizeof(data), SPI_IN)); /* nobody's */
	/* The peer has sent nothing that was permitted. */
	ck_assert(from_client(data, sizeof(data), SPI_OUT));
	ck_assert_uint_eq(drops(REASON_RELAY_UNHEARD), 1);
	w.now++; /* it is over */
	send_to(PEER, &at[PORT], SPI_IN, 100);
	relaying_readable(&w, &port, fd[PORT]);
	ck_assert_uint_eq(drops(REASON_RELAY_EXPIRED), 1);
	grant(w.now, true);
	ck_assert(from_client(data, sizeof(data), SPI_OUT));
	ck_assert_uint_eq(drops(REASON_RELAY_EXPIRED), 2);
	ck_assert_uint_eq(comes(CLIENT, &at[MAIN], SPI_IN), 0);
	ck_assert_uint_eq(comes(PEER, &at[PORT], SPI_OUT), 0);
	ck_assert_uint_eq(port.packets, 0);
	end();
}
END_TEST

START_TEST(runts_and_hip_are_told_apart)
{
	struct msg *m;

	begin(_i);
	grant(UINT64_MAX, true);
	send_to(PEER, &at[PORT], 0, 44);
	send_to(PEER, &at[PORT], SPI_IN, 3);
	relaying_readable(&w, &port, fd[PORT]);
	ck_assert_uint_eq(drops(REASON_UDP_RUNT), 1);
	m = inbox_take(&control);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(m->kind, MSG_HIP);
	ck_assert_uint_eq(m->len, 40);
	ck_assert(endpoint_eq(&m->from, &at[PEER]));
	ck_assert(endpoint_eq(&m->at, &at[PORT]));
	free(m);
	end();
}
END_TEST

START_TEST(one_client_has_so_much_in_a_window)
{
	uint8_t data[1000] = { 0 };

	begin(_i);
	relaying.quota = 2500;
	grant(UINT64_MAX, true);
	for (int i = 0; i < 5; i++)
		ck_assert(from_client(data, sizeof(data), SPI_OUT));
	ck_assert_uint_eq(port.packets, 3); /* the last one began in time */
	ck_assert_uint_eq(drops(REASON_RELAY_RATE), 2);
	w.now += RELAY_WINDOW;
	ck_assert(from_client(data, sizeof(data), SPI_OUT));
	ck_assert_uint_eq(port.packets, 4);
	end();
}
END_TEST

START_TEST(a_permit_is_replaced_moved_and_ended)
{
	struct endpoint was;
	uint8_t data[100] = { 0 };
	struct permit *p;

	begin(_i);
	grant(UINT64_MAX, true);
	grant(UINT64_MAX, false); /* renewed: it stays heard */
	ck_assert_uint_eq(relaying.in.num, 1);
	ck_assert_uint_eq(relaying.out.num, 1);
	ck_assert(from_client(data, sizeof(data), SPI_OUT));
	ck_assert_uint_eq(drops(REASON_RELAY_UNHEARD), 0);
	was = at[CLIENT];
	at[CLIENT].port ^= 1; /* the client has moved */
	grant(UINT64_MAX, false);
	ck_assert_uint_eq(relaying.in.num, 1);
	ck_assert(from_client(data, sizeof(data), SPI_OUT));
	at[CLIENT] = was;
	ck_assert(!from_client(data, sizeof(data), SPI_OUT));
	/* Another peer, but the same packets of the same client. */
	at[CLIENT].port ^= 1;
	p = permit(UINT64_MAX, true);
	p->in.spi++;
	ck_assert_int_eq(permits_add(&plane.tables, &relaying, p), HG_EEXIST);
	ck_assert_uint_eq(relaying.in.num, 1);
	p = permit(0, false);
	permits_del(&plane.tables, &relaying, &p->in);
	permits_del(&plane.tables, &relaying, &p->in);
	free(p);
	ck_assert_uint_eq(relaying.in.num + relaying.out.num, 0);
	end();
}
END_TEST

static void from_peer_at(int place, uint32_t spi)
{
	send_to(place, &at[PORT], spi, 100);
	relaying_readable(&w, &port, fd[PORT]);
}

/* Where what the client sends comes out; 0: nowhere. */
static int goes_to(void)
{
	uint8_t data[100] = { 0 };

	ck_assert(from_client(data, sizeof(data), SPI_OUT));
	if (comes(PEER, &at[PORT], SPI_OUT)) {
		ck_assert_uint_eq(comes(ELSE, &at[PORT], SPI_OUT), 0);
		return PEER;
	}
	return comes(ELSE, &at[PORT], SPI_OUT) ? ELSE : 0;
}

START_TEST(a_peer_sends_by_any_place_and_is_sent_to_the_last)
{
	begin(_i);
	name(PEER, UINT64_MAX, false);
	w.now++;
	name(ELSE, UINT64_MAX, false);
	ck_assert_uint_eq(relaying.out.num, 2);
	ck_assert_int_eq(goes_to(), 0); /* neither has written */
	ck_assert_uint_eq(drops(REASON_RELAY_UNHEARD), 1);
	from_peer_at(PEER, SPI_IN);
	ck_assert_uint_eq(comes(CLIENT, &at[MAIN], SPI_IN), 100);
	/* The other was named last, but has not been heard. */
	ck_assert_int_eq(goes_to(), PEER);
	w.now += RELAY_LAST;
	from_peer_at(ELSE, SPI_IN);
	ck_assert_uint_eq(comes(CLIENT, &at[MAIN], SPI_IN), 100);
	ck_assert_int_eq(goes_to(), ELSE);
	w.now += RELAY_LAST;
	from_peer_at(PEER, SPI_IN);
	ck_assert_int_eq(goes_to(), PEER);
	/* Another SPI, or another's packet, says nothing. */
	w.now += RELAY_LAST;
	from_peer_at(ELSE, SPI_OUT);
	from_peer_at(CLIENT, SPI_IN);
	ck_assert_uint_eq(drops(REASON_RELAY_STRANGER), 2);
	ck_assert_int_eq(goes_to(), PEER);
	/* The client says where, until the peer does. */
	name(ELSE, UINT64_MAX, false);
	ck_assert_int_eq(goes_to(), ELSE);
	w.now += RELAY_LAST;
	from_peer_at(PEER, SPI_IN);
	ck_assert_int_eq(goes_to(), PEER);
	end();
}
END_TEST

/* One of them is over, or was asked for in vain. */
START_TEST(the_place_that_is_left_is_sent_to)
{
	struct permit *p;

	begin(_i);
	name(PEER, w.now + 2, true);
	w.now++;
	name(ELSE, w.now + 1000, true);
	p = permit_at(ELSE, 0, false);
	p->in.spi++; /* another peer, for the client's same packets */
	ck_assert_int_eq(permits_add(&plane.tables, &relaying, p), HG_EEXIST);
	ck_assert_uint_eq(relaying.out.num, 2);
	name(PEER, w.now + 1, true);
	/* Both now: what was published anew keeps when it was named. */
	w.now += 1000;
	ck_assert_int_eq(goes_to(), 0);
	ck_assert_uint_eq(drops(REASON_RELAY_EXPIRED), 1);
	name(ELSE, UINT64_MAX, true);
	w.now++;
	name(PEER, w.now, true); /* over already */
	ck_assert_int_eq(goes_to(), ELSE);
	name(PEER, UINT64_MAX, true);
	ck_assert_int_eq(goes_to(), PEER);
	p = permit_at(PEER, 0, false);
	permits_del(&plane.tables, &relaying, &p->in);
	free(p);
	ck_assert_uint_eq(relaying.out.num, 1);
	ck_assert_int_eq(goes_to(), ELSE);
	end();
}
END_TEST

Suite *test_relaying_suite(void);
Suite *test_relaying_suite(void)
{
	Suite *s = suite_create("relaying");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, data_pass_both_ways, 0, 2);
	tcase_add_loop_test(t, a_row_leaves_as_it_came, 0, 2);
	tcase_add_loop_test(
		t, what_has_no_permission_is_counted_and_goes_nowhere, 0, 2);
	tcase_add_loop_test(t, runts_and_hip_are_told_apart, 0, 2);
	tcase_add_loop_test(t, one_client_has_so_much_in_a_window, 0, 2);
	tcase_add_loop_test(t, a_permit_is_replaced_moved_and_ended, 0, 2);
	tcase_add_loop_test(
		t, a_peer_sends_by_any_place_and_is_sent_to_the_last, 0, 2);
	tcase_add_loop_test(t, the_place_that_is_left_is_sent_to, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
