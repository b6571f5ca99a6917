/* SPDX-License-Identifier: MIT */
/* What the next packet, or question, would meet; nothing is changed. */
#pragma once

#include "gate.h"

struct foresight {
	const char *verdict; /* one word or two: "sent", "waits", ... */
	enum reason reason;  /* REASON_NUM: it is not dropped */
	char text[320];
	char mend[320]; /* "": nothing need be done */
};

/* A client's TCP SYN to an address; from unspecified: a client of ours. */
void foresee_packet(struct gate *g, const struct addr *to,
		    const struct addr *from, struct foresight *out);
/* A client's question for a name, and what it does with the answer. */
void foresee_question(struct gate *g, const char *name, struct peer *p,
		      const struct addr *from, struct foresight *out);
/* A packet of this host's own to a HIT. */
void foresee_hit(struct gate *g, const struct hit *hit, struct foresight *out);
/* The word that stands in the configuration for it. */
const char *foresee_mode_name(enum dns_mode m);
