/* SPDX-License-Identifier: MIT */
/* hipgated: arguments, log, start and end. */
#include <sodium.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd/config/config_home.h"
#include "core/log.h"
#include "gate.h"
#include "logto.h"
#include "sdstate.h"

static const char usage[] =
	"usage: hipgated [--config FILE]\n"
	"       hipgated --help | --version\n"
	"\n"
	"Serves the roles that FILE, by default " CONFIG_FILE_DEFAULT ",\n"
	"or of a plain user ~/.config/hipgate/hipgate.conf if it is there,\n"
	"turns on (proxy, host, rendezvous) until SIGTERM; SIGHUP reads it\n"
	"again. Runs as an ordinary user; hipgate-setup makes the TUN once, "
	"as\n"
	"root.\n";

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

/* -1: go on; otherwise the exit status. */
static int arguments_take(const char **path, int argc, char **argv)
{
	static char own[CONFIG_PATH];

	*path = config_home_file(geteuid(), own);
	if (argc == 1)
		return -1;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("hipgated " HIPGATE_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc == 3 && strcmp(argv[1], "--config") == 0) {
		*path = argv[2];
		return -1;
	}
	(void)fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct config *cfg;
	const char *path;
	char why[512];
	int rc = arguments_take(&path, argc, argv);

	if (rc >= 0)
		return rc;
	if (sodium_init() < 0) {
		(void)fputs("hipgated: libsodium cannot start\n", stderr);
		return EXIT_FAILURE;
	}
	if (config_load(path, &cfg, why, sizeof(why))) {
		(void)fprintf(stderr, "hipgated: %s\n", why);
		return EXIT_FAILURE;
	}
	logto_start();
	logto_levels(cfg);
	harden();
	raise_files();
	config_home_make(cfg);
	rc = serve(cfg, path);
	logto_flush(UINT64_MAX);
	config_free(cfg);
	return rc;
}
