/* SPDX-License-Identifier: MIT */
/* hipgate-setup: what needs root, once: TUN, addresses, routes, rules. */
#include <getopt.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/config/config.h"
#include "cmd/hipgate-setup/conflict.h"
#include "cmd/hipgate-setup/perform.h"
#include "cmd/hipgate-setup/plan.h"
#include "hip/hip.h"

enum { EXIT_USAGE = 2 };

struct options {
	bool dry_run;
	bool undo;
	bool allow_overlap;
	const char *config;
};

static const char usage[] =
	"usage: hipgate-setup [--dry-run] [--undo] [--allow-overlap]\n"
	"                     [--config FILE]\n"
	"\n"
	"Makes what hipgated needs and an ordinary user cannot: the TUN, its\n"
	"addresses, the routes and rules that lead into it, DNS steering and\n"
	"forwarding. Safe to run again.\n"
	"\n"
	"  -c, --config FILE  default " CONFIG_FILE_DEFAULT "\n"
	"  -n, --dry-run      print the commands, change nothing\n"
	"  -u, --undo         take all of it away again\n"
	"      --allow-overlap\n"
	"                     take prefixes that others have routes to\n"
	"  -h, --help         this text\n"
	"  -V, --version      the version\n";

static int fail(const char *text)
{
	(void)fprintf(stderr, "hipgate-setup: %s\n", text);
	return EXIT_FAILURE;
}

static int hit_of(const char *path, struct hit *out, char *err, size_t cap)
{
	struct hip_identity *id;
	char *pem;
	size_t len;
	int rc = config_read_key(path, &pem, &len, err, cap);

	if (rc)
		return rc;
	rc = hip_identity_from_pem(pem, len, &id);
	sodium_memzero(pem, len);
	free(pem);
	if (rc) {
		(void)snprintf(err, cap,
			       "%s: not a private key we can use (%s); make "
			       "one with \"hipgate keygen FILE\"",
			       path, err_text(rc));
		return rc;
	}
	*out = *hip_identity_hit(id);
	hip_identity_free(id);
	return HG_OK;
}

/* Who is to own the TUN must exist, or ip would say something unclear. */
static int user_check(const struct config *c, char *err, size_t cap)
{
	if (getpwnam(c->user))
		return HG_OK;
	(void)snprintf(err, cap,
		       "user %s does not exist; run \"adduser --system --group "
		       "%s\", or set user = in [daemon]",
		       c->user, c->user);
	return HG_ENOENT;
}

/* Nothing is changed before it is known that all can be. */
static int before(const struct options *o, const struct config *c, char *err,
		  size_t cap)
{
	int rc;

	if (o->undo || (!c->proxy && !c->host))
		return HG_OK;
	if (!o->dry_run) {
		rc = user_check(c, err, cap);
		if (rc)
			return rc;
	}
	rc = o->allow_overlap ? HG_OK : conflict_find(c, err, cap);
	/* Elsewhere, the commands may be wanted all the same. */
	return rc == HG_ESYS && o->dry_run ? HG_OK : rc;
}

static int work(const struct options *o, const struct config *c)
{
	struct hit hits[CONFIG_IDENTITIES];
	struct perform f = { .c = c, .dry_run = o->dry_run };
	struct plan *p = calloc(1, sizeof(*p));
	size_t hits_num = 0;
	int err = p ? HG_OK : HG_ENOMEM;

	for (; !err && !o->undo && c->host && hits_num < c->identity_num;
	     hits_num++)
		err = hit_of(c->identity[hits_num], &hits[hits_num], f.err,
			     sizeof(f.err));
	if (!err)
		err = before(o, c, f.err, sizeof(f.err));
	if (err)
		goto out;
	plan_build(p, c, hits, hits_num);
	if (p->full) {
		(void)snprintf(f.err, sizeof(f.err),
			       "the configuration needs more steps than there "
			       "is room for");
		err = HG_EFULL;
	} else if (p->num == 0) {
		(void)printf("nothing to do: the rendezvous role alone needs "
			     "no TUN\n");
	} else {
		err = o->undo ? perform_undo(&f, p) : perform_do(&f, p);
	}
	if (!err && !o->dry_run && p->num > 0)
		(void)printf("%s is %s\n", c->tun, o->undo ? "gone" : "ready");
out:
	if (err)
		(void)fail(f.err[0] ? f.err : err_text(err));
	free(p);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* -1: go on; otherwise the exit status. */
static int options_take(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "undo", no_argument, NULL, 'u' },
		{ "allow-overlap", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "c:nuhV", longs, NULL)) != -1) {
		if (ch == 'c') {
			o->config = optarg;
		} else if (ch == 'n') {
			o->dry_run = true;
		} else if (ch == 'u') {
			o->undo = true;
		} else if (ch == 'o') {
			o->allow_overlap = true;
		} else if (ch == 'h') {
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		} else if (ch == 'V') {
			(void)puts("hipgate-setup " HIPGATE_VERSION);
			return EXIT_SUCCESS;
		} else {
			(void)fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	(void)fprintf(stderr, "hipgate-setup: unexpected \"%s\"\n%s",
		      argv[optind], usage);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options o = { .config = CONFIG_FILE_DEFAULT };
	struct config *c;
	char err[1024];
	int status = options_take(&o, argc, argv);

	if (status >= 0)
		return status;
	if (sodium_init() < 0)
		return fail("libsodium does not start");
	if (config_load(o.config, &c, err, sizeof(err)))
		return fail(err);
	if (!o.dry_run && geteuid() != 0 && (c->proxy || c->host))
		status = fail("this needs root; run it with sudo, or see what "
			      "it would do with --dry-run");
	else
		status = work(&o, c);
	config_free(c);
	return status;
}
