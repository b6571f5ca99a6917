/* SPDX-License-Identifier: MIT */
/* One worker against two: what a packet costs each of them, and a model of
 * what more would do.
 *
 * speed_workers PEERS PACKETS: prints "NAME VALUE UNIT" lines. The daemon's
 * own workers and tables; each worker has PEERS of its own, with eight flows
 * each, and takes packets of random flows, one by one, out and in again (an SA
 * has the same key both ways). Times are CPU time of the worker's thread, so
 * what else the machine does is in them by its use of caches and memory only.
 *
 *   bare-*	in place of the kernel's calls, a copy: what the worker does
 *   kernel-*	a socket pair for each TUN queue, UDP over the loopback device
 *   *-one-*, *-two-*	one worker at work, or two at once; the least of
 *			some rounds
 *   *-beside-*	one, while another process does the same: what it costs more
 *		is the machine's doing
 *   *-more	how much more a packet costs each of two
 *   *-own	how much more than beside another process
 *   *-model-N	how many times what one worker carries N carry, each on a core
 *		of its own: a packet that costs 1 with one worker costs
 *		1 + more * (N - 1) with N; model-own: the same with `own`
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/hipgated/worker.h"
#include "core/checksum.h"
#include "core/wire.h"

enum {
	FLOWS = 8,  /* of a peer */
	ROUND = 64, /* packets */
	ROUNDS = 7,
	PACKET = 2048, /* room of one */
	TWO = 2,
	HOWS = 3,	    /* one, two, one beside another process */
	SPI_FIRST = 100000, /* a multiple of all numbers of workers */
	PORT = 7000,
};

static const size_t sizes[] = { 64, 1300 };

/* ---- in place of the kernel ------------------------------------------------- */

/* Of the thread of a worker, when it has no kernel. */
struct bare {
	uint8_t packet[ROUND][PACKET]; /* to be read from the TUN */
	size_t packet_len[ROUND];
	unsigned packets, read;
	uint8_t sealed[ROUND][PACKET]; /* sent, to be received */
	size_t sealed_len[ROUND];
	unsigned sent, received;
	struct sockaddr_storage from;
	socklen_t from_len;
};

static _Thread_local struct bare *bare;

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	unsigned i;

	if (!bare)
		return __real_read(fd, buf, len);
	if (bare->read == bare->packets) {
		errno = EAGAIN;
		return -1;
	}
	i = bare->read++;
	memcpy(buf, bare->packet[i], bare->packet_len[i]);
	return (ssize_t)bare->packet_len[i];
}

ssize_t __real_writev(int fd, const struct iovec *iov, int num);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int num);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int num)
{
	static _Thread_local uint8_t gone[TUN_VNET_HDR + TUN_PACKET_MAX];
	size_t len = 0;

	if (!bare)
		return __real_writev(fd, iov, num);
	for (int i = 0; i < num; i++) {
		memcpy(gone + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return (ssize_t)len;
}

static void keep_sealed(const struct iovec *iov, size_t step)
{
	for (size_t at = 0; at < iov->iov_len; at += step) {
		size_t len =
			iov->iov_len - at < step ? iov->iov_len - at : step;

		memcpy(bare->sealed[bare->sent],
		       (const uint8_t *)iov->iov_base + at, len);
		bare->sealed_len[bare->sent++] = len;
	}
}

ssize_t __real_sendmsg(int fd, const struct msghdr *mh, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *mh, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *mh, int flags)
{
	const struct cmsghdr *c = NULL;
	uint16_t step;

	if (!bare)
		return __real_sendmsg(fd, mh, flags);
	/* UDP_SEGMENT is the last of them. */
	for (struct cmsghdr *i = CMSG_FIRSTHDR(mh); i;
	     i = CMSG_NXTHDR((struct msghdr *)mh, i))
		c = i;
	memcpy(&step, CMSG_DATA(c), sizeof(step));
	keep_sealed(mh->msg_iov, step);
	return (ssize_t)mh->msg_iov->iov_len;
}

int __real_sendmmsg(int fd, struct mmsghdr *mm, unsigned num, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *mm, unsigned num, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *mm, unsigned num, int flags)
{
	if (!bare)
		return __real_sendmmsg(fd, mm, num, flags);
	for (unsigned i = 0; i < num; i++)
		keep_sealed(mm[i].msg_hdr.msg_iov, SIZE_MAX / 2);
	return (int)num;
}

int __real_recvmmsg(int fd, struct mmsghdr *mm, unsigned num, int flags,
		    struct timespec *ts);
int __wrap_recvmmsg(int fd, struct mmsghdr *mm, unsigned num, int flags,
		    struct timespec *ts);
int __wrap_recvmmsg(int fd, struct mmsghdr *mm, unsigned num, int flags,
		    struct timespec *ts)
{
	unsigned got = 0;

	if (!bare)
		return __real_recvmmsg(fd, mm, num, flags, ts);
	for (; got < num && bare->received < bare->sent; got++) {
		unsigned i = bare->received++;
		struct msghdr *mh = &mm[got].msg_hdr;

		memcpy(mh->msg_iov->iov_base, bare->sealed[i],
		       bare->sealed_len[i]);
		mm[got].msg_len = (unsigned)bare->sealed_len[i];
		memcpy(mh->msg_name, &bare->from, bare->from_len);
		mh->msg_controllen = 0;
	}
	if (bare->received == bare->sent)
		bare->received = bare->sent = 0;
	return (int)got;
}

/* ---- the daemon's part ---------------------------------------------------- */

static struct plane plane;
static struct worker workers[TWO];
static struct inbox control;
static uv_loop_t loop;
static int ends[TWO]; /* of the socket pairs, ours */
static uint32_t peers;

static void die(const char *what)
{
	(void)fprintf(stderr, "speed_workers: %s\n", what);
	exit(1);
}

static void on_wake(uv_async_t *a)
{
	(void)a;
}

static struct hit hit_of(uint8_t kind, unsigned k, uint32_t peer)
{
	struct hit h = { { 0x20, 0x01, 0x00, 0x22, kind, (uint8_t)k } };

	put_be32(h.b + 12, peer);
	return h;
}

static struct nat_key key_of(unsigned k, uint32_t peer, uint32_t flow)
{
	struct nat_key key = { .client_port = (uint16_t)(PORT + flow),
			       .virt_port = 80,
			       .proto = IP_PROTO_UDP };

	memcpy(key.client.b, "\x20\x01\x0d\xb8", 4);
	key.client.b[5] = (uint8_t)k;
	memcpy(key.virt.b, "\xfd\x00\x00\x09", 4);
	key.virt.b[8] = (uint8_t)k;
	put_be32(key.virt.b + 12, peer);
	return key;
}

static void add_peer(unsigned k, uint32_t peer, const struct endpoint *at)
{
	uint32_t spi = SPI_FIRST + peer * plane.workers_num + k;
	struct path_size size = { .l4_most = 1418, .mss = 1398, .outer = 1500 };
	struct path_ends to = { .peer = *at, .verified = true };
	struct sa_pair pair = { .self = hit_of(1, k, 0),
				.peer = hit_of(2, k, peer),
				.suite = SA_AES128_GCM16,
				.spi_in = spi,
				.spi_out = spi };
	struct sa *sa;

	randombytes_buf(&pair.in, sizeof(pair.in));
	pair.out = pair.in;
	if (tables_add_sa(&plane.tables, &pair, &to, plane.workers_num, true,
			  0))
		die("no memory");
	sa = tables_sa_in(&plane.tables, spi);
	if (tables_use_sa(&plane.tables, sa))
		die("no memory");
	if (sa->owner != k || tables_move_sa(sa, &to, &size))
		die("an SA is another's");
	for (uint32_t n = 0; n < FLOWS; n++) {
		struct flow *f = tables_new_flow(&plane.tables);

		if (!f)
			die("no memory");
		f->nat.key = key_of(k, peer, n);
		f->nat.back =
			(struct nat_back){ .self = pair.self,
					   .peer = pair.peer,
					   .ext_port = (uint16_t)(PORT + n),
					   .peer_port = (uint16_t)(PORT + n),
					   .proto = IP_PROTO_UDP };
		atomic_store(&f->answered, true);
		if (tables_add_flow(&plane.tables, f))
			die("a flow is there twice");
	}
}

static int udp(struct endpoint *at)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(in);
	int size = 8 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&in, len) ||
	    getsockname(fd, (struct sockaddr *)&in, &len))
		die("no socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*at = sockets_endpoint((struct sockaddr *)&in);
	return fd;
}

static void begin(unsigned num)
{
	memset(&plane, 0, sizeof(plane));
	if (tables_init(&plane.tables) || uv_loop_init(&loop) ||
	    inbox_init(&control, &loop, on_wake, NULL))
		die("no memory");
	plane.workers = workers;
	plane.workers_num = num;
	plane.control = &control;
	plane.proxy = plane.has_tun = true;
	plane.steer.pools.pool6 = (struct prefix){ { { 0xfd, 0, 0, 9 } }, 64 };
	plane.steer.pools.pool6.len = 32;
	plane.tun.tso = plane.tun.uso = true;
	plane.sockets.segment = true;
	memset(plane.sockets.fd, 0xff, sizeof(plane.sockets.fd));
	for (unsigned k = 0; k < num; k++) {
		struct endpoint at;
		int size = 8 << 20;
		int fd[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd))
			die("no socket pair");
		for (unsigned i = 0; i < 2; i++)
			(void)setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size,
					 sizeof(size));
		plane.tun_fd[k] = fd[0];
		ends[k] = fd[1];
		plane.sockets.fd[0][1 + k] = udp(&at);
		if (worker_init(&workers[k], &plane, k))
			die("no worker");
		for (uint32_t peer = 0; peer < peers; peer++)
			add_peer(k, peer, &at);
	}
}

static void close_one(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void end(void)
{
	for (unsigned k = 0; k < plane.workers_num; k++) {
		uv_walk(&workers[k].loop, close_one, NULL);
		(void)uv_run(&workers[k].loop, UV_RUN_DEFAULT);
		worker_fini(&workers[k]);
		close(plane.tun_fd[k]);
		close(ends[k]);
		close(plane.sockets.fd[0][1 + k]);
	}
	uv_walk(&loop, close_one, NULL);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	inbox_fini(&control);
	(void)uv_loop_close(&loop);
	tables_fini(&plane.tables);
}

/* ---- what is measured -------------------------------------------------------- */

static uint64_t cpu(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

struct run {
	pthread_t thread;
	unsigned k;
	bool kernel;
	size_t size; /* of the payload */
	uint32_t packets;
	pthread_barrier_t *all;
	double out, in; /* ns a packet */
};

/* A datagram of a client, as the TUN gives it. */
static size_t datagram(uint8_t *out, const struct nat_key *key, size_t len)
{
	uint8_t *ip = out + TUN_VNET_HDR;
	uint8_t *l4 = ip + IP6_HDR;
	uint16_t l4_len = (uint16_t)(UDP_HDR + len);

	memset(out, 0, TUN_VNET_HDR + IP6_HDR + l4_len);
	(void)ip_put_header(ip, &key->client, &key->virt, IP_PROTO_UDP, l4_len,
			    64, 0);
	put_be16(l4, key->client_port);
	put_be16(l4 + 2, key->virt_port);
	put_be16(l4 + 4, l4_len);
	put_be16(l4 + 6, csum_fold(csum_pseudo(&key->client, &key->virt,
					       IP_PROTO_UDP, l4_len)));
	out[0] = 1; /* NEEDS_CSUM; the rest is in the machine's order */
	memcpy(out + 6, &(uint16_t){ IP6_HDR }, 2);
	memcpy(out + 8, &(uint16_t){ 6 }, 2);
	return TUN_VNET_HDR + IP6_HDR + l4_len;
}

/* The next round is there to be read. */
static void feed(const struct run *r, uint32_t *seed, struct bare *b)
{
	for (unsigned i = 0; i < ROUND; i++) {
		struct nat_key key;
		size_t len;

		*seed = *seed * 1664525 + 1013904223;
		key = key_of(r->k, (*seed >> 8) % peers, *seed >> 3 & 7);
		len = datagram(b->packet[i], &key, r->size);
		b->packet_len[i] = len;
		if (r->kernel &&
		    write(ends[r->k], b->packet[i], len) != (ssize_t)len)
			die("a packet was not taken");
	}
	b->packets = ROUND;
	b->read = 0;
}

/* What came back is thrown away. */
static void drain(const struct run *r, struct bare *b)
{
	while (r->kernel && read(ends[r->k], b->sealed, sizeof(b->sealed)) > 0)
		;
}

static void round_trip(struct run *r, struct bare *b, uint64_t *out,
		       uint64_t *in)
{
	struct worker *w = &workers[r->k];
	uint64_t begin = cpu();
	uint64_t middle;

	tables_online();
	bare = r->kernel ? NULL : b;
	outbound_readable(w);
	middle = cpu();
	inbound_readable(w, plane.sockets.fd[0][1 + r->k]);
	bare = NULL;
	tables_offline();
	*out += middle - begin;
	*in += cpu() - middle;
}

static void *run_one(void *arg)
{
	struct run *r = arg;
	struct bare *b = calloc(1, sizeof(*b));
	uint32_t seed = 1 + r->k;
	uint64_t out = 0;
	uint64_t in = 0;
	uint64_t got;

	if (!b)
		die("no memory");
	b->from_len = sockets_address(
		&(struct endpoint){
			.port = 10500,
			.addr = addr_from4((uint8_t[]){ 127, 0, 0, 1 }) },
		&b->from);
	tables_thread_begin();
	tables_offline();
	for (uint32_t n = 0; n < r->packets / ROUND + 64; n++) {
		if (n == 64) { /* warm */
			(void)pthread_barrier_wait(r->all);
			out = in = 0;
		}
		feed(r, &seed, b);
		round_trip(r, b, &out, &in);
		drain(r, b);
	}
	r->out = (double)out / (r->packets / ROUND * ROUND);
	r->in = (double)in / (r->packets / ROUND * ROUND);
	tables_online();
	tables_thread_end();
	got = reason_get(&workers[r->k].drops, REASON_NO_FLOW);
	for (unsigned why = 0; why < REASON_NUM; why++)
		got += reason_get(&workers[r->k].drops, why);
	if (got)
		die("packets were dropped");
	free(b);
	return NULL;
}

/* Mean of the workers. */
struct cost {
	double out, in;
};

static struct cost run(unsigned num, bool kernel, size_t size, uint32_t packets)
{
	struct run r[TWO];
	struct cost sum = { 0 };
	pthread_barrier_t all;

	begin(num);
	(void)pthread_barrier_init(&all, NULL, num);
	tables_offline();
	for (unsigned k = 0; k < num; k++) {
		r[k] = (struct run){ .k = k,
				     .kernel = kernel,
				     .size = size,
				     .packets = packets,
				     .all = &all };
		if (pthread_create(&r[k].thread, NULL, run_one, &r[k]))
			die("no thread");
	}
	for (unsigned k = 0; k < num; k++)
		(void)pthread_join(r[k].thread, NULL);
	tables_online();
	(void)pthread_barrier_destroy(&all);
	for (unsigned k = 0; k < num; k++) {
		sum.out += r[k].out / num;
		sum.in += r[k].in / num;
	}
	end();
	return sum;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double least(double v[ROUNDS])
{
	qsort(v, ROUNDS, sizeof(*v), compare);
	return v[0];
}

/* Another process, which does what one worker does until it is killed. */
static pid_t neighbour(bool kernel, size_t size)
{
	char num[2][16];
	pid_t pid;

	(void)snprintf(num[0], sizeof(num[0]), "%u", peers);
	(void)snprintf(num[1], sizeof(num[1]), "%zu", size);
	pid = fork();
	if (pid < 0)
		die("no process");
	if (!pid) {
		(void)execl("/proc/self/exe", "speed_workers", num[0],
			    "1000000000", kernel ? "kernel" : "bare", num[1],
			    (char *)NULL);
		_exit(1);
	}
	(void)usleep(500000); /* it has peers to make */
	return pid;
}

static struct cost run_beside(bool kernel, size_t size, uint32_t packets)
{
	pid_t other = neighbour(kernel, size);
	struct cost c = run(1, kernel, size, packets);

	if (kill(other, SIGKILL) || waitpid(other, NULL, 0) != other)
		die("the other process ended by itself");
	return c;
}

static double times(double more, unsigned n)
{
	return n / (1 + (more > 0 ? more : 0) * (n - 1));
}

/* They take turns. What else goes on can only add to what a packet
 * costs, so the least is what counts. */
static void measure(bool kernel, size_t size, uint32_t packets)
{
	const char *name = kernel ? "kernel" : "bare";
	static const char *const how[] = { "one", "two", "beside" };
	double out[HOWS][ROUNDS];
	double in[HOWS][ROUNDS];
	double both[HOWS][ROUNDS];
	double more;
	double own;

	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned h = 0; h < HOWS; h++) {
			struct cost c =
				h < TWO ? run(h + 1, kernel, size, packets)
					: run_beside(kernel, size, packets);

			out[h][i] = c.out;
			in[h][i] = c.in;
			both[h][i] = c.out + c.in;
		}
	}
	for (unsigned h = 0; h < HOWS; h++)
		(void)printf("%s-%zu-%s-out %.1f ns\n%s-%zu-%s-in %.1f ns\n",
			     name, size, how[h], least(out[h]), name, size,
			     how[h], least(in[h]));
	more = least(both[1]) / least(both[0]) - 1;
	own = least(both[1]) / least(both[2]) - 1;
	(void)printf("%s-%zu-more %.3f share\n%s-%zu-own %.3f share\n", name,
		     size, more, name, size, own);
	for (unsigned n = 2; n <= 16; n *= 2)
		(void)printf("%s-%zu-model-%u %.1f times\n%s-%zu-model-own-%u "
			     "%.1f times\n",
			     name, size, n, times(more, n), name, size, n,
			     times(own, n));
}

int main(int argc, char **argv)
{
	uint32_t packets = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;

	peers = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;
	if (!peers || packets < ROUND || sodium_init() < 0 || esp_setup()) {
		(void)fprintf(stderr, "usage: speed_workers PEERS PACKETS\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	tables_thread_begin();
	if (argc == 5) /* the neighbour */
		(void)run(1, strcmp(argv[3], "kernel") == 0,
			  (size_t)atoi(argv[4]), packets);
	for (unsigned i = 0; argc < 5 && i < sizeof(sizes) / sizeof(sizes[0]);
	     i++) {
		measure(false, sizes[i], packets);
		measure(true, sizes[i], packets);
	}
	tables_thread_end();
	return 0;
}
