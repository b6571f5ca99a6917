/* SPDX-License-Identifier: MIT */
/* The usual faults, found one by one. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "cmd/config/config.h"
#include "cmd/hipgate/options.h"

enum doctor_verdict {
	DOCTOR_GOOD,
	DOCTOR_FAULT,
	DOCTOR_NOTE, /* not as it might be, but it works */
	DOCTOR_SKIP, /* cannot be told, or does not apply */
	DOCTOR_VERDICTS
};

enum { DOCTOR_TEXT = 400 };

struct doctor {
	const struct options *o;
	const char *path;      /* of the configuration */
	char own[CONFIG_PATH]; /* that, where it is the user's */
	struct config *c;      /* NULL: it cannot be read */
	char config_why[512];
	int unasked; /* why there is no daemon to ask (ask.h), or HG_OK */
	char daemon_why[512];
	/* What it says; NULL where it does not. */
	json_t *version, *status, *sas;
};

struct doctor_finding {
	enum doctor_verdict verdict;
	char text[DOCTOR_TEXT]; /* what there is */
	char mend[DOCTOR_TEXT]; /* one line; "": nothing to do */
};

void doctor_say(struct doctor_finding *f, enum doctor_verdict v,
		const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void doctor_mend(struct doctor_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

int doctor_verb(const struct verb *v, int argc, char **argv);

/* The checks, each of which fills f; d->c is there for all but the first. */
void doctor_config(const struct doctor *d, struct doctor_finding *f);
void doctor_keys(const struct doctor *d, struct doctor_finding *f);
void doctor_state(const struct doctor *d, struct doctor_finding *f);
void doctor_clock(const struct doctor *d, struct doctor_finding *f);
void doctor_node(const struct doctor *d, struct doctor_finding *f);
void doctor_rp_filter(const struct doctor *d, struct doctor_finding *f);
void doctor_forwarding(const struct doctor *d, struct doctor_finding *f);
void doctor_port(const struct doctor *d, struct doctor_finding *f);
void doctor_tun(const struct doctor *d, struct doctor_finding *f);
void doctor_rule(const struct doctor *d, struct doctor_finding *f);
void doctor_route(const struct doctor *d, struct doctor_finding *f);
void doctor_overlap(const struct doctor *d, struct doctor_finding *f);
void doctor_steering(const struct doctor *d, struct doctor_finding *f);
void doctor_resolver(const struct doctor *d, struct doctor_finding *f);
void doctor_prefix(const struct doctor *d, struct doctor_finding *f);
void doctor_daemon(const struct doctor *d, struct doctor_finding *f);
void doctor_agent(const struct doctor *d, struct doctor_finding *f);
void doctor_mtu(const struct doctor *d, struct doctor_finding *f);
void doctor_offload(const struct doctor *d, struct doctor_finding *f);
void doctor_loop(const struct doctor *d, struct doctor_finding *f);
void doctor_upstream(const struct doctor *d, struct doctor_finding *f);

/* `doctor dns`, `doctor mtu NAME`: the exit status. */
int doctor_print_dns(const struct doctor *d);
int doctor_print_mtu(const struct doctor *d, const char *name);
