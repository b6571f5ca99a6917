/* SPDX-License-Identifier: MIT */
/* Which network has most, beside a twin that counts. */
#include "test/unit/dns/desk.h"

#include "dns/crowd.h"

enum { SEATS = 64 };

static struct crowd *c;
static struct crowd_seat seats[SEATS];

/* The twin: the network of each seat, and when it came; 0: it has left. */
static unsigned net_of[SEATS], came[SEATS], turn;

static struct question *mark(size_t i)
{
	return (struct question *)&seats[i]; /* only its address counts */
}

static void setup(void)
{
	memset(seats, 0, sizeof(seats));
	memset(came, 0, sizeof(came));
	turn = 0;
	for (size_t i = 0; i < SEATS; i++)
		seats[i].q = mark(i);
	ck_assert_int_eq(crowd_new(SEATS, &c), 0);
}

static void teardown(void)
{
	for (size_t i = 0; i < SEATS; i++)
		crowd_leave(c, &seats[i]);
	ck_assert_ptr_null(crowd_oldest(c));
	crowd_free(c);
}

static void join(size_t i, const char *client)
{
	struct addr a = desk_addr(client);

	ck_assert_int_eq(crowd_join(c, &a, &seats[i]), 0);
}

START_TEST(a_network_is_a_64_or_a_24)
{
	static const char *const clients[][4] = {
		{ "2001:db8::1", "2001:db8::ffff:0:0:1", "2001:db8:0:1::1",
		  "2001:db8::2" },
		{ "192.0.2.1", "192.0.2.255", "192.0.3.1", "192.0.2.7" },
	};

	ck_assert_ptr_null(crowd_oldest(c));
	join(0, clients[_i][2]);
	ck_assert_ptr_eq(crowd_oldest(c), mark(0));
	join(1, clients[_i][0]);
	ck_assert_ptr_eq(crowd_oldest(c), mark(0)); /* it was so first */
	join(2, clients[_i][1]);
	ck_assert_ptr_eq(crowd_oldest(c), mark(1));
	join(3, clients[_i][3]);
	crowd_leave(c, &seats[1]);
	ck_assert_ptr_eq(crowd_oldest(c), mark(2));
	crowd_leave(c, &seats[3]);
	crowd_leave(c, &seats[2]);
	ck_assert_ptr_eq(crowd_oldest(c), mark(0));
}
END_TEST

static size_t size_of(unsigned net)
{
	size_t num = 0;

	for (size_t i = 0; i < SEATS; i++)
		num += came[i] && net_of[i] == net;
	return num;
}

/* Is that the oldest of one of the largest? */
static bool is_right(size_t at)
{
	size_t most = size_of(net_of[at]);

	for (size_t i = 0; i < SEATS; i++) {
		if (!came[i])
			continue;
		if (size_of(net_of[i]) > most ||
		    (net_of[i] == net_of[at] && came[i] < came[at]))
			return false;
	}
	return came[at];
}

START_TEST(it_is_as_its_twin_says)
{
	unsigned seed = 4096U + (unsigned)_i;
	char text[32];

	for (unsigned round = 0; round < 2000; round++) {
		size_t i = (size_t)rand_r(&seed) % SEATS;
		struct question *q;

		if (came[i]) {
			crowd_leave(c, &seats[i]);
			came[i] = 0;
		} else {
			net_of[i] = (unsigned)rand_r(&seed) % 6;
			came[i] = ++turn;
			snprintf(text, sizeof(text), "2001:db8:0:%x::%zx",
				 net_of[i], i);
			join(i, text);
		}
		q = crowd_oldest(c);
		for (i = 0; i < SEATS && mark(i) != q;)
			i++;
		if (q)
			ck_assert_msg(is_right(i), "seed %d round %u", _i,
				      round);
		for (i = 0; !q && i < SEATS; i++)
			ck_assert_uint_eq(came[i], 0);
	}
}
END_TEST

Suite *test_crowd_suite(void);
Suite *test_crowd_suite(void)
{
	Suite *s = suite_create("crowd");
	TCase *tc = tcase_create("crowd");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_network_is_a_64_or_a_24, 0, 2);
	tcase_add_loop_test(tc, it_is_as_its_twin_says, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
