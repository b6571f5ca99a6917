/* SPDX-License-Identifier: MIT */
/* hipgated: arguments, log, start and end. */
#include <sodium.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cmd/config/config.h"
#include "core/log.h"
#include "gate.h"
#include "logto.h"
#include "sdstate.h"

static const char usage[] =
	"usage: hipgated --config FILE\n"
	"       hipgated --version\n"
	"\n"
	"Serves the roles that FILE turns on (proxy, host, rendezvous) until\n"
	"SIGTERM; SIGHUP reads FILE again. Runs as an ordinary user; "
	"hipgate-setup makes the TUN once,\n"
	"as root.\n";

/* Each question to a DNS server has a socket of its own. */
static void raise_files(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return;
	lim.rlim_cur = lim.rlim_max < 65536 ? lim.rlim_max : 65536;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

static void harden(void)
{
	/* Keys must not end in a core file (product.md T33). */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int serve(struct config *cfg, const char *path)
{
	static struct gate g;
	char why[512];
	int err = gate_start(&g, cfg, path, why, sizeof(why));
	int rc;

	if (err) {
		(void)fprintf(stderr, "hipgated: %s\n", why);
		/* Half-started: the kernel takes everything back. */
		return EXIT_FAILURE;
	}
	log_info("event=ready version=%s", HIPGATE_VERSION);
	sdstate_ready(g.loop);
	gate_run(&g);
	sdstate_stopping();
	rc = g.broken ? EXIT_FAILURE : EXIT_SUCCESS;
	gate_fini(&g);
	log_info("event=stopped");
	return rc;
}

int main(int argc, char **argv)
{
	struct config *cfg;
	char why[512];
	int rc;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("hipgated " HIPGATE_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc != 3 || strcmp(argv[1], "--config") != 0) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if (sodium_init() < 0) {
		(void)fputs("hipgated: libsodium cannot start\n", stderr);
		return EXIT_FAILURE;
	}
	if (config_load(argv[2], &cfg, why, sizeof(why))) {
		(void)fprintf(stderr, "hipgated: %s\n", why);
		return EXIT_FAILURE;
	}
	logto_start();
	logto_levels(cfg);
	harden();
	raise_files();
	rc = serve(cfg, argv[2]);
	logto_flush(UINT64_MAX);
	config_free(cfg);
	return rc;
}
