/* SPDX-License-Identifier: MIT */
/* A set of ports against an array of bools, as a list and as a bit map. */
#include "nat/portset.h"

#include "test/unit/nat/nat_bed.h"

enum { PORTS = 65536 };

static void compare(const struct portset *s, const bool *twin)
{
	uint32_t num = 0;

	uint32_t wrong = 0;

	for (uint32_t p = 0; p < PORTS; p++) {
		wrong += portset_has(s, (uint16_t)p) != twin[p];
		num += twin[p];
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(s->num, num);
}

static bool twin_absent(const bool *twin, uint32_t first, uint32_t start,
			uint16_t *out)
{
	for (uint32_t i = 0; i < PORTS - first; i++) {
		uint32_t p = start + i;

		if (p >= PORTS)
			p = p - PORTS + first;
		if (!twin[p]) {
			*out = (uint16_t)p;
			return true;
		}
	}
	return false;
}

static void compare_absent(const struct portset *s, const bool *twin,
			   uint16_t first, uint16_t start)
{
	uint16_t got;
	uint16_t want;
	bool any = twin_absent(twin, first, start, &want);

	ck_assert_int_eq(portset_absent(s, first, start, &got), any);
	if (any)
		ck_assert_uint_eq(got, want);
}

/* _i: how many of the ports are drawn from; both forms, and the change. */
START_TEST(random_adds_and_drops_agree_with_the_stupid_twin)
{
	static const uint32_t spans[] = { 20, 3000, 12000, PORTS };
	static uint32_t pick[24000];
	bool *twin = calloc(PORTS, sizeof(*twin));
	unsigned char seed[randombytes_SEEDBYTES];
	struct portset s = { 0 };

	randombytes_buf(seed, sizeof(seed));
	printf("portset seed:");
	for (size_t i = 0; i < sizeof(seed); i++)
		printf("%02x", seed[i]);
	printf("\n");
	randombytes_buf_deterministic(pick, sizeof(pick), seed);
	for (size_t n = 0; n < sizeof(pick) / sizeof(pick[0]); n++) {
		/* From the end, so that searches run into it. */
		uint16_t p = (uint16_t)(PORTS - 1 - pick[n] % spans[_i]);

		if (twin[p] && n % 3 == 0) {
			portset_del(&s, p);
			twin[p] = false;
		} else if (!twin[p]) {
			ck_assert_int_eq(portset_reserve(&s), 0);
			portset_add(&s, p);
			twin[p] = true;
		}
		if (n % 8000 == 0)
			compare(&s, twin);
		if (n % 32 == 0)
			compare_absent(&s, twin, p > 1024 ? 1024 : 0, p);
	}
	compare(&s, twin);
	ck_assert_int_eq(s.bits != NULL, _i >= 2);
	portset_fini(&s);
	ck_assert_uint_eq(s.num, 0);
	free(twin);
}
END_TEST

START_TEST(the_last_absent_port_is_found_and_then_none)
{
	for (uint32_t hole = 1024; hole < PORTS; hole += 4607) {
		struct portset s = { 0 };
		uint16_t got;

		for (uint32_t p = 1024; p < PORTS; p++) {
			if (p == hole)
				continue;
			ck_assert_int_eq(portset_reserve(&s), 0);
			portset_add(&s, (uint16_t)p);
		}
		ck_assert(portset_absent(&s, 1024, 40000, &got));
		ck_assert_uint_eq(got, hole);
		ck_assert(portset_absent(&s, 1023, 65535, &got));
		ck_assert(portset_absent(&s, 0, 1024, &got));
		portset_add(&s, (uint16_t)hole);
		ck_assert(!portset_absent(&s, 1024, 40000, &got));
		portset_fini(&s);
	}
}
END_TEST

START_TEST(a_small_set_is_small)
{
	struct portset s = { 0 };

	for (uint16_t p = 0; p < 8; p++) {
		ck_assert_int_eq(portset_reserve(&s), 0);
		portset_add(&s, p);
	}
	ck_assert_uint_eq(s.cap, 8);
	ck_assert_ptr_null(s.bits);
	portset_fini(&s);
}
END_TEST

Suite *test_portset_suite(void)
{
	Suite *s = suite_create("portset");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, random_adds_and_drops_agree_with_the_stupid_twin,
			    0, 4);
	tcase_add_test(t, the_last_absent_port_is_found_and_then_none);
	tcase_add_test(t, a_small_set_is_small);
	suite_add_tcase(s, t);
	return s;
}
