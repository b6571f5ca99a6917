/* SPDX-License-Identifier: MIT */
/* Attaching to the TUN device, and single packets from and to it.
 *
 * THEORY OF OPERATION
 * TUNSETIFF makes a device when none has the name and the caller may. The
 * daemon must not: a device that hipgate-setup did not make has no route,
 * no address and vanishes with the process. So the name is looked up first,
 * and again after attaching, because somebody may delete it in between.
 * Called by the control thread at start; the fds then belong to one worker
 * each.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tun/tun.h"
#include "tun/vnet.h"

/* Newer than Debian 12's headers (Linux 6.2). */
enum { OFFLOAD_USO4 = 0x20, OFFLOAD_USO6 = 0x40 };

enum { IFF_QUEUE = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };

/* The sentence for a person; gives err back. */
__attribute__((format(printf, 4, 5))) static int explain(char *errbuf,
							 size_t errlen, int err,
							 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(errbuf, errlen, fmt, ap); /* cut short is fine */
	va_end(ap);
	return err;
}

static int attach(int fd, const char *name, short flags)
{
	struct ifreq ifr = { .ifr_flags = flags };

	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	return ioctl(fd, TUNSETIFF, &ifr);
}

static int open_node(char *errbuf, size_t errlen)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		return explain(errbuf, errlen, HG_EPERM,
			       "/dev/net/tun may not be opened: give this user "
			       "read and write access to it");
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return explain(
			errbuf, errlen, HG_ESYS,
			"/dev/net/tun is not there: run modprobe tun, or "
			"pass the device into the container");
	return explain(errbuf, errlen, HG_ESYS, "/dev/net/tun: %s",
		       strerror(errno));
}

/* The kernel says EINVAL both for another kind of device and for one made
 * without multi_queue; only the latter takes a queue without the flag. */
static bool is_single_queue(const char *name)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	bool single;

	if (fd < 0)
		return false;
	single = attach(fd, name, IFF_QUEUE) == 0 || errno == EBUSY;
	close(fd);
	return single;
}

static int explain_attach(const char *name, int why, char *errbuf,
			  size_t errlen)
{
	switch (why) {
	case EPERM:
	case EACCES:
		return explain(errbuf, errlen, HG_EPERM,
			       "TUN device %s belongs to another user: run "
			       "hipgate-setup for this user",
			       name);
	case EINVAL:
	case EBUSY:
		if (is_single_queue(name))
			return explain(
				errbuf, errlen, HG_EINVAL,
				"TUN device %s is not multi-queue: recreate it "
				"with hipgate-setup --undo and hipgate-setup",
				name);
		return explain(errbuf, errlen, HG_EINVAL,
			       "%s is not a TUN device: name another one in "
			       "the configuration",
			       name);
	case E2BIG:
		return explain(errbuf, errlen, HG_ESYS,
			       "TUN device %s has no free queue: is another "
			       "hipgated running?",
			       name);
	}
	return explain(errbuf, errlen, HG_ESYS, "TUN device %s: %s", name,
		       strerror(why));
}

/* One queue, with the 12-octet virtio header. The fd or HG_E*. */
static int open_queue(const char *name, unsigned index, char *errbuf,
		      size_t errlen)
{
	int size = TUN_VNET_HDR;
	int fd = open_node(errbuf, errlen);
	int err;

	if (fd < 0)
		return fd;
	if (attach(fd, name, IFF_QUEUE | IFF_MULTI_QUEUE) < 0) {
		err = explain_attach(name, errno, errbuf, errlen);
		goto out;
	}
	if (if_nametoindex(name) != index) {
		err = explain(errbuf, errlen, HG_ENOENT,
			      "TUN device %s was deleted meanwhile: run "
			      "hipgate-setup",
			      name);
		goto out;
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0) {
		err = explain(errbuf, errlen, HG_ESYS,
			      "TUN device %s: TUNSETVNETHDRSZ: %s", name,
			      strerror(errno));
		goto out;
	}
	return fd;
out:
	close(fd);
	return err;
}

/* Offloads belong to the device, not to the queue: set once. What is wanted
 * in *info stays where the kernel has it; one before 6.2 refuses bits that it
 * does not know. */
static int set_offload(int fd, struct tun_info *info)
{
	const unsigned long tso =
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	const unsigned long uso = tso | OFFLOAD_USO4 | OFFLOAD_USO6;

	info->uso = info->tso && info->uso && !ioctl(fd, TUNSETOFFLOAD, uso);
	if (info->uso)
		return 0;
	info->tso = info->tso && !ioctl(fd, TUNSETOFFLOAD, tso);
	return info->tso ? 0 : ioctl(fd, TUNSETOFFLOAD, 0UL);
}

static int get_mtu(const char *name, unsigned *mtu)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	err = ioctl(fd, SIOCGIFMTU, &ifr);
	close(fd);
	if (err == 0)
		*mtu = (unsigned)ifr.ifr_mtu;
	return err;
}

int tun_open(const char *name, unsigned num, int *fds, struct tun_info *info,
	     char *errbuf, size_t errlen)
{
	size_t name_len = strlen(name);
	unsigned done = 0;
	int err;

	if (name_len == 0 || name_len >= sizeof(info->name) || num == 0 ||
	    num > TUN_QUEUES_MAX)
		return explain(errbuf, errlen, HG_EINVAL,
			       "TUN device \"%s\" with %u queues: the name has "
			       "1 to 15 letters, the queues are 1 to %d",
			       name, num, TUN_QUEUES_MAX);
	memcpy(info->name, name, name_len + 1);
	info->index = if_nametoindex(name);
	if (!info->index)
		return explain(errbuf, errlen, HG_ENOENT,
			       "TUN device %s does not exist: run "
			       "hipgate-setup",
			       name);
	for (; done < num; done++) {
		fds[done] = open_queue(name, info->index, errbuf, errlen);
		if (fds[done] < 0) {
			err = fds[done];
			goto out;
		}
	}
	if (set_offload(fds[0], info) == 0 && get_mtu(name, &info->mtu) == 0)
		return 0;
	err = explain(errbuf, errlen, HG_ESYS, "TUN device %s: %s", name,
		      strerror(errno));
out:
	tun_close(fds, done);
	return err;
}

void tun_close(int *fds, unsigned num)
{
	for (unsigned i = 0; i < num; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

int tun_read(int fd, uint8_t *buf, size_t cap, uint8_t **pkt, size_t *len,
	     struct ip_offload *off)
{
	ssize_t n;

	do
		n = read(fd, buf, cap);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? HG_EAGAIN : HG_ESYS;
	if (n <= TUN_VNET_HDR || (size_t)n > cap)
		return HG_EFORMAT;
	*pkt = buf + TUN_VNET_HDR;
	*len = (size_t)n - TUN_VNET_HDR;
	return vnet_get(buf, *pkt, *len, off);
}

int tun_write(int fd, const void *pkt, size_t len)
{
	uint8_t hdr[TUN_VNET_HDR];
	struct iovec iov[] = {
		{ .iov_base = hdr, .iov_len = sizeof(hdr) },
		{ .iov_base = (void *)pkt, .iov_len = len },
	};
	ssize_t n;

	vnet_put_plain(hdr);
	do
		n = writev(fd, iov, 2);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? HG_EAGAIN : HG_ESYS;
	return 0;
}
