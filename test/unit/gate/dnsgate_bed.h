/* SPDX-License-Identifier: MIT */
/* A gate with a DNS engine and a loop, and nothing else that is real. */
#pragma once

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/unit/dns/desk.h"

#include "cmd/hipgated/dnsside.h"
#include "cmd/hipgated/gate.h"
#include "cmd/hipgated/sockets.h"

struct dnsgate {
	struct gate *g;
	struct desk k;
	struct config cfg;
	uv_loop_t loop;
};

static inline void dnsgate_begin(struct dnsgate *b)
{
	struct hip_config hc = { .puzzle_k_max = 20 };
	struct rlimit files;

	/* Both ends of each connection are here. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	memset(b, 0, sizeof(*b));
	tables_thread_begin();
	desk_open(&b->k);
	ck_assert_int_eq(uv_loop_init(&b->loop), 0);
	b->g = calloc(1, sizeof(*b->g));
	b->g->dnsside = calloc(1, sizeof(*b->g->dnsside));
	b->g->waits = epoll_create1(EPOLL_CLOEXEC);
	ck_assert_int_ge(b->g->waits, 0);
	dnsask_init(&b->g->dnsside->asks, b->g, b->g->waits);
	b->g->dnsside->asks.max = 1000;
	b->g->dnsside->g = b->g;
	b->g->cfg = &b->cfg;
	b->g->dns = b->k.d;
	b->g->loop = &b->loop;
	b->g->buf = malloc(65536);
	ck_assert_int_eq(linetable_init(&b->g->peers), 0);
	events_init(&b->g->events, "test");
	ck_assert_int_eq(hip_new(&hc, uv_hrtime(), &b->g->hip), 0);
	ck_assert_int_eq(uv_timer_init(&b->loop, &b->g->timer), 0);
	b->g->timer.data = b->g;
	ck_assert_int_eq(dnstcp_start(b->g, &b->g->dnsside->tcp), 0);
}

/* What servers said is read. */
static inline void dnsgate_read(struct dnsgate *b)
{
	struct epoll_event ev[16];
	int num = epoll_wait(b->g->waits, ev, 16, 0);

	for (int i = 0; i < num; i++)
		dnsask_readable(&b->g->dnsside->asks, ev[i].data.ptr);
}

static inline void dnsgate_close(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static inline void dnsgate_end(struct dnsgate *b)
{
	dnstcp_stop(b->g->dnsside->tcp);
	dnsask_end_all(&b->g->dnsside->asks);
	uv_walk(&b->loop, dnsgate_close, NULL);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&b->loop), 0);
	dnstcp_fini(b->g->dnsside->tcp);
	(void)close(b->g->waits);
	peer_fini(b->g);
	hip_free(b->g->hip);
	events_fini(&b->g->events);
	free(b->g->dnsside);
	free(b->g->buf);
	free(b->g);
	desk_close(&b->k);
	tables_thread_end();
}

/* A TCP socket at a loopback address, and where that is. */
static inline int dnsgate_socket(struct endpoint *at)
{
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(at, &ss);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	*at = sockets_endpoint((struct sockaddr *)&ss);
	return fd;
}
