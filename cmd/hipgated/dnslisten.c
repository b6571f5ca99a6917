/* SPDX-License-Identifier: MIT */
/* DNS at ordinary sockets; theory in dnslisten.h. */
#include "dnslisten.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/config/config_value.h"
#include "core/log.h"
#include "dnsside.h"

#define LOG_ABOUT LOG_SUB_DNS

enum { FD_FIRST = 3 }; /* SD_LISTEN_FDS_START */

struct listener {
	struct dnslisten *l;
	uv_poll_t poll;
	bool polling;
	bool six; /* an AF_INET6 socket, of both families perhaps */
	int fd;
};

struct dnslisten {
	struct gate *g;
	struct listener udp[DNSLISTEN_MAX];
	size_t num;
};

bool dnslisten_serves(const struct gate *g, const struct addr *client,
		      const struct addr *at)
{
	const struct config *c = g->cfg;

	if (c->clients_num == 0 || config_value_loopback(client) ||
	    addr_eq(client, at))
		return true;
	for (size_t i = 0; i < c->clients_num; i++) {
		if (prefix_has(&c->clients[i], client))
			return true;
	}
	return false;
}

/* ---- UDP ------------------------------------------------------------------ */

/* One query; false: there is none. */
static bool take(struct listener *u)
{
	struct gate *g = u->l->g;
	struct sockaddr_storage ss;
	struct sockaddr_storage own;
	socklen_t own_len = sizeof(own);
	struct iovec iov = { .iov_base = g->buf, .iov_len = 65536 };
	union {
		char buf[256];
		struct cmsghdr align;
	} space = { 0 };
	struct msghdr mh = {
		.msg_name = &ss,
		.msg_namelen = sizeof(ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof(space),
	};
	ssize_t n = recvmsg(u->fd, &mh, MSG_DONTWAIT);
	struct dns_asker who = { .here = true, .since = uv_hrtime() };
	struct sockets_meta meta;

	if (n < 0)
		return errno == EINTR;
	if (getsockname(u->fd, (struct sockaddr *)&own, &own_len))
		return false;
	sockets_meta(&mh, &meta);
	who.client = sockets_endpoint((struct sockaddr *)&ss);
	who.server = sockets_endpoint((struct sockaddr *)&own);
	if (!addr_is_unspecified(&meta.at))
		who.server.addr = meta.at;
	who.token = (uint64_t)(u - u->l->udp) + 1;
	who.stranger = !dnslisten_serves(g, &who.client.addr, &who.server.addr);
	dns_query(g->dns, &who, g->buf, (size_t)n, who.since);
	return true;
}

static void on_readable(uv_poll_t *p, int status, int events)
{
	struct listener *u = p->data;
	unsigned budget = DNSLISTEN_BUDGET;

	(void)status; /* an error is recvmsg's to tell, and passes */
	(void)events;
	while (budget-- && take(u))
		;
	gate_pump(u->l->g);
}

void dnslisten_reply(struct dnslisten *l, const struct dns_asker *who,
		     const uint8_t *msg, size_t len)
{
	const struct listener *u = &l->udp[who->token - 1];
	struct sockets_from from = { .self = who->server.addr };
	struct iovec iov = { .iov_base = (void *)msg, .iov_len = len };

	if (sockets_send(u->fd, u->six, &from, &who->client, &iov, 1))
		gate_drop(l->g, REASON_SEND_FAILED);
}

/* Takes fd when it succeeds. */
static int add_udp(struct dnslisten *l, int fd, bool six)
{
	struct listener *u = &l->udp[l->num];
	int on = 1;

	if (l->num == DNSLISTEN_MAX)
		return HG_EFULL;
	if (six ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on,
			     sizeof(on))
		: setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)))
		return HG_ESYS;
	u->l = l;
	u->fd = fd;
	u->six = six;
	u->poll.data = u;
	if (uv_poll_init(l->g->loop, &u->poll, fd))
		return HG_ESYS;
	if (uv_poll_start(&u->poll, UV_READABLE, on_readable)) {
		uv_close((uv_handle_t *)&u->poll, NULL);
		return HG_ESYS;
	}
	u->polling = true;
	l->num++;
	return HG_OK;
}

/* ---- sockets of our own ------------------------------------------------------ */

static int bound(const struct endpoint *e, int type)
{
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(e, &ss);
	int fd = socket(ss.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	int err;

	if (fd < 0)
		return -1;
	if (ss.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	/* An interface may come up, or get its address, after us. */
	if (ss.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on,
				 sizeof(on));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (type == SOCK_STREAM) /* connections of before do not matter */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&ss, len) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static int open_one(struct dnslisten *l, const struct endpoint *e, char *errbuf,
		    size_t errlen)
{
	char text[ENDPOINT_TEXT_MAX];
	int udp = bound(e, SOCK_DGRAM);
	int tcp = udp < 0 ? -1 : bound(e, SOCK_STREAM);
	int err = HG_ESYS;

	if (tcp < 0) {
		(void)snprintf(errbuf, errlen, "listen = %s: %s%s",
			       endpoint_print(e, text), strerror(errno),
			       errno == EACCES
				       ? "; take a port above 1023, have the "
					 "socket passed by systemd, or use the "
					 "prefix's own address"
				       : "");
	} else {
		err = add_udp(l, udp, !addr_is4(&e->addr));
		udp = err ? udp : -1;
		if (!err)
			err = dnstcp_listen(l->g->dnsside->tcp, tcp);
		tcp = err ? tcp : -1;
	}
	if (udp >= 0)
		close(udp);
	if (tcp >= 0)
		close(tcp);
	return err;
}

/* ---- sockets that were passed ------------------------------------------------- */

static unsigned passed(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	unsigned long num = 0;

	if (pid && fds && strtoul(pid, NULL, 10) == (unsigned long)getpid())
		num = strtoul(fds, NULL, 10);
	return num <= 2 * DNSLISTEN_MAX ? (unsigned)num : 2 * DNSLISTEN_MAX;
}

static int int_of(int fd, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, name, &v, &len) ? -1 : v;
}

static int take_passed(struct dnslisten *l, int fd, char *errbuf, size_t errlen)
{
	int family = int_of(fd, SO_DOMAIN);
	int type = int_of(fd, SO_TYPE);
	int err = HG_EFORMAT;

	if (family != AF_INET && family != AF_INET6)
		type = -1;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (type == SOCK_DGRAM)
		err = add_udp(l, fd, family == AF_INET6);
	else if (type == SOCK_STREAM)
		err = dnstcp_listen(l->g->dnsside->tcp, fd);
	if (err == HG_EFORMAT)
		(void)snprintf(errbuf, errlen,
			       "socket %d was passed (LISTEN_FDS), and is "
			       "neither UDP nor TCP; mend the unit's "
			       "ListenDatagram and ListenStream",
			       fd);
	return err;
}

/* ---- life -------------------------------------------------------------------- */

int dnslisten_start(struct gate *g, struct dnslisten **out, char *errbuf,
		    size_t errlen)
{
	struct dnslisten *l = calloc(1, sizeof(*l));
	unsigned num = passed();
	int err = HG_OK;

	if (!l)
		return HG_ENOMEM;
	*out = l;
	l->g = g;
	for (unsigned i = 0; !err && i < num; i++)
		err = take_passed(l, FD_FIRST + (int)i, errbuf, errlen);
	for (size_t i = 0; !err && i < g->cfg->listen_num; i++)
		err = open_one(l, &g->cfg->listen[i], errbuf, errlen);
	if (!err && num)
		log_info("event=dns-sockets passed_on=%u", num);
	return err;
}

void dnslisten_stop(struct dnslisten *l)
{
	for (size_t i = 0; l && i < l->num; i++) {
		struct listener *u = &l->udp[i];

		if (u->polling && !uv_is_closing((uv_handle_t *)&u->poll))
			uv_close((uv_handle_t *)&u->poll, NULL);
	}
}

void dnslisten_fini(struct dnslisten *l)
{
	for (size_t i = 0; l && i < l->num; i++)
		close(l->udp[i].fd);
	free(l);
}
