/* SPDX-License-Identifier: MIT */
/* hipgate: the tool. One table of verbs is parser, help and dispatch. */
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgate/bugreport.h"
#include "cmd/hipgate/capverb.h"
#include "cmd/hipgate/completions.h"
#include "cmd/hipgate/deeds.h"
#include "cmd/hipgate/doctor.h"
#include "cmd/hipgate/explain.h"
#include "cmd/hipgate/keyverbs.h"
#include "cmd/hipgate/show.h"
#include "cmd/hipgate/trace.h"
#include "cmd/hipgate/verb.h"
#include "cmd/config/config_schema.h"
#include "core/err.h"

#define SHOW "[--json] [--watch[=SECONDS]] [--socket PATH]"
#define TELL "[--json] [--socket PATH]"

static int verb_help(const struct verb *v, int argc, char **argv);

static const struct verb verbs[] = {
	{ "status", SHOW, "what the daemon is and does", show_status },
	{ "peers", SHOW, "HIP associations", show_list },
	{ "paths", SHOW, "ways to HIP hosts: from where to where, which lives",
	  show_list },
	{ "moves", SHOW, "what became of the ways lately", show_list },
	{ "sas", SHOW, "ESP security associations", show_list },
	{ "mappings", SHOW, "substitute addresses and what they stand for",
	  show_list },
	{ "flows", SHOW, "what the NAT carries", show_list },
	{ "clients", SHOW, "who the NAT carries it for", show_list },
	{ "explain",
	  "NAME|HIT|ADDRESS [--client ADDRESS] [--json] [--watch[=SECONDS]] "
	  "[--socket PATH]",
	  "why it is what it is, and what the next packet to it meets",
	  explain_show },
	{ "registrations", SHOW, "who is registered here (rendezvous role)",
	  show_list },
	{ "identities", SHOW, "who the daemon is", show_list },
	{ "access", SHOW, "access rules and how often each decided",
	  show_list },
	{ "metrics", SHOW, "all counters, as OpenMetrics text", show_metrics },
	{ "log", "[SUBSYSTEM LEVEL] " SHOW,
	  "how much is logged of what; sets it until the next reload",
	  show_log },
	{ "reload", TELL, "have the daemon read its configuration again",
	  show_reload },
	{ "pins", SHOW, "names for which HIP is required: they had a record",
	  show_list },
	{ "forget", "NAME " TELL,
	  "let a name that had a HIP record be without one", show_forget },
	{ "trace",
	  "[NAME|HIT] [--follow] [--from FILE] [--mermaid] [--json] "
	  "[--socket PATH]",
	  "what happened, step by step, and who waited for what", trace_show },
	{ "events", "[--follow] [--json] [--socket PATH]",
	  "the events as they are, to be kept for trace --from", trace_events },
	{ "ping", "NAME|HIT [--count N] [--json] [--socket PATH]",
	  "echoes over the SA: how long they take", deeds_ping },
	{ "connect", "NAME|HIT " TELL, "have the base exchange done now",
	  deeds_connect },
	{ "drain", "[--off] [--now] " TELL,
	  "begin no new associations, and wait until nothing is in use",
	  deeds_drain },
	{ "capture",
	  "--output FILE [--seconds N] [--count N] [--snaplen OCTETS] "
	  "[--decrypt --i-understand] [--socket PATH]",
	  "packets of both sides into a pcapng file, each with its fate",
	  capverb_run },
	{ "doctor",
	  "[CHECK|dns|mtu NAME] [--config FILE] [--json] [--socket PATH]",
	  "find the usual faults, each with its mend", doctor_verb },
	{ "bugreport",
	  "[--full] [--output FILE] [--config FILE] [--socket PATH]",
	  "what helps to find a bug, without keys, names and addresses",
	  bugreport_verb },
	{ "keygen", "[--alg p256|p384|rsa2048|rsa3072|rsa4096] [--force] FILE",
	  "make an identity; prints its HIT", keyverbs_keygen },
	{ "hit", "FILE|HIT", "the HIT of a private key, in its usual form",
	  keyverbs_hit },
	{ "dns-record", "--name NAME [--ttl SECONDS] [--rvs NAME]... FILE",
	  "the HIP record of a private key, for a zone file",
	  keyverbs_dns_record },
	{ "check", "[FILE]",
	  "judge a configuration, by default the daemon's, without starting",
	  keyverbs_check },
	{ "completions", "bash|fish|zsh|man",
	  "what a shell, or the manual, is to know of the verbs",
	  completions_print },
	{ "version", TELL, "the versions of this tool and of the daemon",
	  show_version },
	{ "help", "[VERB]", "this text", verb_help },
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

const struct verb *verb_all(size_t *num)
{
	*num = VERBS;
	return verbs;
}

static void complain(const char *fmt, va_list args)
	__attribute__((format(printf, 1, 0)));
static void complain(const char *fmt, va_list args)
{
	(void)fflush(stdout); /* what was said before comes before */
	(void)fputs("hipgate: ", stderr);
	(void)vfprintf(stderr, fmt, args);
	(void)fputc('\n', stderr);
}

int verb_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	return VERB_FAILED;
}

int verb_wrong(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	return VERB_USAGE;
}

int verb_unasked(int err, const char *why)
{
	(void)verb_fail("%s", why);
	if (err == HG_EPERM)
		return VERB_DENIED;
	return err == HG_EINVAL ? VERB_FAILED : VERB_UNREACHED;
}

int verb_usage(const struct verb *v)
{
	(void)fprintf(stderr, "usage: hipgate %s%s%s\n", v->name,
		      v->synopsis[0] ? " " : "", v->synopsis);
	return VERB_USAGE;
}

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

static void help_print(FILE *f)
{
	(void)fputs("usage: hipgate VERB [ARGUMENT]...\n\n", f);
	for (size_t i = 0; i < VERBS; i++)
		(void)fprintf(f, "  %-14s %s\n", verbs[i].name,
			      verbs[i].summary);
	(void)fputs("\n\"hipgate help VERB\" shows a verb's options. --json "
		    "is for programs: fields may\nbe added to it, none go. "
		    "--socket says where hipgated listens, by default\n"
		    "$XDG_RUNTIME_DIR/hipgate/ctl.sock if that is there, or "
		    "/run/hipgate/ctl.sock.\n",
		    f);
}

static int verb_unknown(const char *name)
{
	size_t distance = SIZE_MAX;
	const char *best = NULL;

	for (size_t i = 0; i < VERBS; i++)
		config_schema_nearer(verbs[i].name, name, &best, &distance);
	if (best)
		return verb_wrong("unknown verb \"%s\"; did you mean "
				  "\"%s\"? \"hipgate help\" lists them",
				  name, best);
	return verb_wrong("unknown verb \"%s\"; \"hipgate help\" lists them",
			  name);
}

static void help_about(const struct verb *v)
{
	(void)printf("usage: hipgate %s%s%s\n\n%s\n", v->name,
		     v->synopsis[0] ? " " : "", v->synopsis, v->summary);
}

static int verb_help(const struct verb *v, int argc, char **argv)
{
	const struct verb *about = argc == 2 ? verb_find(argv[1]) : NULL;

	if (argc > 2)
		return verb_usage(v);
	if (argc == 2 && !about)
		return verb_unknown(argv[1]);
	if (about)
		help_about(about);
	else
		help_print(stdout);
	return VERB_OK;
}

static bool asks_for_help(const char *word)
{
	return word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct verb *v;
	int status;

	if (asks_for_help(name))
		name = "help";
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	if (!name[0]) {
		help_print(stderr);
		return VERB_USAGE;
	}
	v = verb_find(name);
	if (!v)
		return verb_unknown(name);
	if (sodium_init() < 0)
		return verb_fail("libsodium does not start");
	if (asks_for_help(argv[argc > 1 ? 2 : 1])) {
		help_about(v);
		status = VERB_OK;
	} else {
		status = v->run(v, argc - 1, argv + 1);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return verb_fail("the output could not be written");
	return status;
}
