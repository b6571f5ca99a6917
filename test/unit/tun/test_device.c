/* SPDX-License-Identifier: MIT */
/* Tests of tun/device.c without a device: arguments, and single packets
 * over a socket pair. What needs a device is in test/platform/tun_offload.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/unit/tun/tun_bed.h"

START_TEST(a_device_that_is_not_there_is_named_and_not_made)
{
	struct tun_info info;
	char err[200] = "";
	int fds[2];

	ck_assert_int_eq(tun_open("hgnosuch0", 2, fds, &info, err, sizeof(err)),
			 HG_ENOENT);
	ck_assert_str_eq(
		err, "TUN device hgnosuch0 does not exist: run hipgate-setup");
	ck_assert_uint_eq(if_nametoindex("hgnosuch0"), 0);
}
END_TEST

START_TEST(names_and_counts_out_of_bounds_are_refused)
{
	struct tun_info info;
	char err[200];
	int fds[TUN_QUEUES_MAX + 1];

	ck_assert_int_eq(tun_open("", 1, fds, &info, err, sizeof(err)),
			 HG_EINVAL);
	ck_assert_int_eq(
		tun_open("sixteen-letters-", 1, fds, &info, err, sizeof(err)),
		HG_EINVAL);
	ck_assert_int_eq(tun_open("hgnosuch0", 0, fds, &info, err, sizeof(err)),
			 HG_EINVAL);
	ck_assert_int_eq(tun_open("hgnosuch0", TUN_QUEUES_MAX + 1, fds, &info,
				  err, sizeof(err)),
			 HG_EINVAL);
	/* the shortest of buffers */
	ck_assert_int_eq(tun_open("hgnosuch0", 1, fds, &info, err, 1),
			 HG_ENOENT);
	ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(a_written_packet_is_read_again_with_an_empty_header)
{
	static uint8_t buf[TUN_PACKET_MAX + TUN_VNET_HDR];
	struct bed_tcp t = { .v4 = true };
	struct ip_offload off;
	uint8_t pkt[100];
	size_t len = bed_build(&t, pkt);
	uint8_t *got;
	size_t got_len;
	int fd[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
	ck_assert_int_eq(
		tun_read(fd[1], buf, sizeof(buf), &got, &got_len, &off),
		HG_EAGAIN);
	ck_assert_int_eq(tun_write(fd[0], pkt, len), 0);
	ck_assert_int_eq(
		tun_read(fd[1], buf, sizeof(buf), &got, &got_len, &off), 0);
	ck_assert_uint_eq(got_len, len);
	ck_assert_mem_eq(got, pkt, len);
	ck_assert(!off.csum_partial);
	ck_assert_uint_eq(off.gso_size, 0);
	/* less than a header, or no packet after it */
	ck_assert_int_eq(write(fd[0], buf, 11), 11);
	ck_assert_int_eq(
		tun_read(fd[1], buf, sizeof(buf), &got, &got_len, &off),
		HG_EFORMAT);
	ck_assert_int_eq(write(fd[0], buf, 12), 12);
	ck_assert_int_eq(
		tun_read(fd[1], buf, sizeof(buf), &got, &got_len, &off),
		HG_EFORMAT);
	tun_close(fd, 2);
	ck_assert_int_eq(fd[0], -1);
	ck_assert_int_eq(tun_write(fd[0], pkt, len), HG_ESYS);
	ck_assert_int_eq(
		tun_read(fd[1], buf, sizeof(buf), &got, &got_len, &off),
		HG_ESYS);
}
END_TEST

Suite *test_device_suite(void);
Suite *test_device_suite(void)
{
	Suite *s = suite_create("device");
	TCase *t = tcase_create("device");

	tcase_add_test(t, a_device_that_is_not_there_is_named_and_not_made);
	tcase_add_test(t, names_and_counts_out_of_bounds_are_refused);
	tcase_add_test(t, a_written_packet_is_read_again_with_an_empty_header);
	suite_add_tcase(s, t);
	return s;
}
