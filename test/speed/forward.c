/* SPDX-License-Identifier: MIT */
/* What the machine gives to an obvious DNS forwarder: a yardstick.
 *
 * forward MINE PORT SERVER [spin]: takes a datagram at the address MINE,
 * sends it to SERVER's port 53, and sends what comes back to who asked; one
 * after the other, and each waits in the kernel: two wake-ups. No table, no
 * id, no check. An answer that does not come within a second is given up.
 * spin: it asks the kernel again and again for the answer instead of waiting.
 */
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void die(const char *what)
{
	(void)fprintf(stderr, "forward: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int socket_of(const char *host, const char *port,
		     int (*with)(int, const struct sockaddr *, socklen_t))
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				  .ai_socktype = SOCK_DGRAM };
	struct addrinfo *ai;
	int fd = -1;

	if (getaddrinfo(host, port, &hints, &ai))
		return -1;
	fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || with(fd, ai->ai_addr, ai->ai_addrlen))
		die(host);
	freeaddrinfo(ai);
	return fd;
}

int main(int argc, char **argv)
{
	static uint8_t msg[65536];
	struct timeval second = { .tv_sec = 1 };
	int spin = argc == 5 && strcmp(argv[4], "spin") == 0 ? MSG_DONTWAIT : 0;
	int clients = argc >= 4 ? socket_of(argv[1], argv[2], bind) : -1;
	int server = clients < 0 ? -1 : socket_of(argv[3], "53", connect);

	if (server < 0) {
		(void)fprintf(stderr,
			      "usage: forward MINE PORT SERVER [spin]\n");
		return 2;
	}
	if (setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &second,
		       sizeof(second)))
		die("SO_RCVTIMEO");
	for (;;) {
		struct sockaddr_storage who;
		socklen_t len = sizeof(who);
		ssize_t n = recvfrom(clients, msg, sizeof(msg), 0,
				     (struct sockaddr *)&who, &len);

		if (n < 0 || send(server, msg, (size_t)n, 0) < 0)
			die("no more of it");
		do
			n = recv(server, msg, sizeof(msg), spin);
		while (n < 0 && spin && errno == EAGAIN);
		if (n > 0)
			(void)sendto(clients, msg, (size_t)n, 0,
				     (struct sockaddr *)&who, len);
	}
}
