/* SPDX-License-Identifier: MIT */
/* lookup 4|6 NAME: the addresses that this C library finds; built with musl
 * by resolvers.sh. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void say(const struct addrinfo *a)
{
	char text[INET6_ADDRSTRLEN];
	const void *at = &((const struct sockaddr_in *)a->ai_addr)->sin_addr;

	if (a->ai_family == AF_INET6)
		at = &((const struct sockaddr_in6 *)a->ai_addr)->sin6_addr;
	if (inet_ntop(a->ai_family, at, text, sizeof(text)))
		(void)puts(text);
}

int main(int argc, char **argv)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int err;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: lookup 4|6 NAME\n");
		return 2;
	}
	want.ai_family = strcmp(argv[1], "4") == 0 ? AF_INET : AF_INET6;
	err = getaddrinfo(argv[2], NULL, &want, &found);
	if (err) {
		(void)fprintf(stderr, "%s\n", gai_strerror(err));
		return 1;
	}
	for (const struct addrinfo *a = found; a; a = a->ai_next)
		say(a);
	freeaddrinfo(found);
	return 0;
}
