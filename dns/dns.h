/* SPDX-License-Identifier: MIT */
/* DNS interception, policy and substitute addresses: the dns room's door.
 *
 * RFC 1035, 2308, 6891, 8005, 8914; product.md section 3; patent A..E.
 *
 * THEORY OF OPERATION
 * Two sans-IO machines, both owned by the control thread.
 *
 * struct dns: a client's query comes in with the server it was meant for.
 * The engine asks that same server the client's own query, unchanged but
 * for its id, and in parallel what it must know (HIP and the address types),
 * there or at servers of its own; what it has asked before it remembers, and
 * what somebody is waiting for already is not asked twice. No HIP record: the server's answer is relayed octet for octet,
 * only the id restored. A HIP record: its HIT and locators leave as
 * DNS_NEED_ADDRESS; the daemon obtains the lease, publishes the mapping and
 * calls dns_give, and only then does the reply leave. Answers are matched
 * by ask id (one socket each, chosen by the daemon), server, question and
 * message id.
 *
 * Who asks the gateway itself (dns_asker.here: its own address inside the
 * prefix, or a listener) is answered in the same way; only the client's own
 * query goes to our servers, too. A question of ours that comes back to us
 * would go round for ever: one that comes straight is known by its socket
 * (own_ask), one that others pass on by a question for a name of chance
 * (dns_probe). It is refused, and its server rests.
 *
 * DNS_TRANSPARENT: the server's own answer is relayed, with the host's real
 * addresses, once the daemon has mapped each of them (DNS_NEED_REAL,
 * dns_give_real), so that packets to them go through the SA. Only addresses
 * out of `real`, which the administrator has routed into the TUN, and only
 * what our own servers say; else a substitute is given as always.
 *
 * struct lease: which substitute address denotes which HIT. IPv6: keyed
 * hash of the HIT under the site key, so it never changes; IPv4: drawn from
 * the pool, kept by the daemon's journal. An address never comes to denote
 * another HIT.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/reason.h"

#define DNS_MSG_MAX 65535
#define DNS_NAME_MAX 256 /* text form, NUL included, lower case */
#define DNS_LOCATORS_MAX 8
#define DNS_HI_MAX 1024
#define DNS_SERVERS_MAX 8
#define DNS_REAL_MAX 16 /* prefixes */

enum dns_mode {
	DNS_REQUIRE,
	DNS_PREFER,
	DNS_OFF,
	DNS_TRANSPARENT, /* PREFER, with real addresses where they may be */
	DNS_MODE_NUM
};

/* A client that validates DNSSEC itself (DO and CD): a substitute would be
 * bogus to it. */
enum dns_validating {
	DNS_VALIDATING_AUTO,   /* bypass, but refuse where HIP is required */
	DNS_VALIDATING_BYPASS, /* the same: `require` is never bypassed */
	DNS_VALIDATING_SYNTHESIZE, /* the substitute all the same */
	DNS_VALIDATING_REFUSE,
	DNS_VALIDATING_NUM
};

/* Whether HIP records must be proven; the daemon has the validator. */
enum dns_dnssec {
	DNS_DNSSEC_OFF,
	DNS_DNSSEC_PREFER,
	DNS_DNSSEC_REQUIRE,
	DNS_DNSSEC_NUM
};

/* What the validator says of an answer (RFC 4035 4.3). */
enum dns_security { DNS_INSECURE, DNS_SECURE, DNS_BOGUS, DNS_SECURITY_NUM };

/* "*.foo.com", "hip.foo.com", "*": the longest match wins. */
struct dns_rule {
	char pattern[DNS_NAME_MAX];
	enum dns_mode mode;
};

struct lease;

struct dns_config {
	const struct dns_rule *rules;	/* copied */
	size_t rules_num;		/* none: "*" prefer */
	struct prefix pool6;		/* len 0: none: AAAA gives NODATA */
	struct prefix pool4;		/* len 0: none: A gives NODATA */
	uint32_t ttl_max;		/* of a substitute; 0: 60 s */
	uint32_t questions_max;		/* in flight; 0: 4096 */
	uint32_t client_max;		/* in flight from one client; 0: 256 */
	const struct endpoint *servers; /* copied: where our own questions
					 * go; none: where the client's do */
	size_t servers_num;
	const struct prefix *real; /* copied: of TRANSPARENT's answers */
	size_t real_num;
	uint32_t cache_max;	   /* octets of answers; 0: 8 MiB */
	uint32_t pins_max;	   /* names; 0: 65536 */
	const struct lease *lease; /* borrowed; answers PTR queries inside
				       * the pools. NULL: they are relayed */
	bool hide;		   /* HIP records, from clients */
	bool discourage;	   /* what invites clients to encrypted DNS */
	enum dns_validating validating;
	enum dns_dnssec dnssec; /* not OFF: DNS_VALIDATE is understood */
	/* Is hit that of this key (RFC 8005 4.1)? Pure. NULL: not asked. */
	bool (*key_fits)(uint8_t pk_alg, const uint8_t *pk, size_t pk_len,
			 const struct hit *hit);
	/* Did that ask leave from there? NULL: never. */
	bool (*own_ask)(void *arg, uint32_t ask, const struct endpoint *from);
	void *arg; /* own_ask's */
};

struct dns;

int dns_new(const struct dns_config *cfg, struct dns **out) HG_CHECK;
void dns_free(struct dns *d);

/* Other rules, from the next question on. HG_EINVAL: a pattern is no name;
 * HG_ENOMEM. Then all is as before. */
int dns_set_rules(struct dns *d, const struct dns_rule *rules,
		  size_t num) HG_CHECK;
/* Which of the rules decides on this name (text); rules_num: none does. */
size_t dns_rule_of(const struct dns *d, const char *name);

/* A name as all of these give it: lower case, no dot at its end. HG_EFORMAT,
 * HG_EFULL: it is none, or too long. */
int dns_name(const char *name, char out[DNS_NAME_MAX]) HG_CHECK;

/* Other servers (dns_config.servers; beyond DNS_SERVERS_MAX none counts). What
 * is asked of one that stays goes on, and what is known of it; a question that
 * waits for one that is gone is asked of the others. With dnssec the daemon's
 * validator has been told before. */
void dns_set_servers(struct dns *d, const struct endpoint *servers, size_t num,
		     uint64_t now);

/* A HIP host that the administrator names. */
#define DNS_RECORD_RVS 3

struct dns_record {
	char name[DNS_NAME_MAX];
	struct hit hit;
	uint8_t pk_alg;	 /* RFC 8005 5.2 */
	uint16_t pk_len; /* 0: the key is not known, only its HIT */
	uint8_t pk[DNS_HI_MAX];
	bool via_rvs; /* at[] and rvs[] are rendezvous servers */
	struct addr at[DNS_LOCATORS_MAX]; /* none, nor rvs: the name's own
					   * addresses are asked for */
	size_t at_num;
	char rvs[DNS_RECORD_RVS][DNS_NAME_MAX];
	size_t rvs_num;
};

/* Names that are HIP hosts whatever a server would say, from the next
 * question on; they are copied. HG_EINVAL: a name is none; HG_EEXIST: one is
 * there twice; HG_ENOMEM. Then all is as before. */
int dns_set_records(struct dns *d, const struct dns_record *records,
		    size_t num) HG_CHECK;

/* Pins: names that must not lose their HIP record. HG_EEXIST: it is there;
 * HG_EFULL: a bound (of all, or of that HIT); HG_EINVAL: it is no name. */
int dns_pin(struct dns *d, const char *name, const struct hit *hit) HG_CHECK;
bool dns_pinned(const struct dns *d, const char *name);
/* False: there was none. */
bool dns_forget(struct dns *d, const char *name);
/* Some pins, 64 or so, from *at on, 0 at first; false: those were the last. fn
 * must not call the engine. */
bool dns_some_pins(const struct dns *d, size_t *at,
		   void (*fn)(const char *name, const struct hit *hit,
			      void *arg),
		   void *arg);

/* Who asked, and how to answer: opaque to this room but for client (for
 * bounds) and server (asked in its turn). */
struct dns_asker {
	struct endpoint client;
	struct endpoint server; /* the one the client meant */
	bool tcp;
	bool here;	/* that is this gateway itself */
	bool stranger;	/* none of the clients: it is refused */
	uint64_t token; /* the daemon's, */
	uint64_t since; /*  as this: when it came */
};

/* A query from a client. */
void dns_query(struct dns *d, const struct dns_asker *who, const uint8_t *msg,
	       size_t len, uint64_t now);
/* Asks each of our servers for a name of chance, to see whether it asks us
 * in its turn: at the start, and whenever one may have come to do so. */
void dns_probe(struct dns *d, uint64_t now);
/* Asks each of our servers whether it answers questions for HIP records, and
 * such with EDNS, so that no client has to find out. */
void dns_try(struct dns *d, uint64_t now);
/* Those that do not, into out, max at most; how many. */
size_t dns_deaf(const struct dns *d, struct endpoint *out, size_t max);
/* Look a name up for the daemon itself (a mapping kept from before a
 * restart): ends in DNS_RESOLVED or DNS_UNRESOLVED with this token. want: of
 * several records that of this HIT, if it is there; NULL: any. */
int dns_resolve(struct dns *d, const char *name, const struct hit *want,
		const struct endpoint *server, uint64_t token,
		uint64_t now) HG_CHECK;
/* A datagram (or TCP message) that came in for an ask, from where. */
void dns_answer(struct dns *d, uint32_t ask, const struct endpoint *from,
		const uint8_t *msg, size_t len, uint64_t now);
/* The answer to a DNS_VALIDATE, as a message; its id does not count. */
void dns_validated(struct dns *d, uint32_t ask, enum dns_security security,
		   const uint8_t *msg, size_t len, uint64_t now);
/* We ourselves could not send the ask (no socket, no memory): the question
 * fails, for this must never look like a name without a HIP record. */
void dns_ask_refused(struct dns *d, uint32_t ask);
/* A copy of an answer that is too large for its way: header with TC set and
 * the question (RFC 2181 9), its OPT, cookie and all, where there is room for
 * it (RFC 6891 7), no other records. Returns its length; 0: the answer
 * is malformed or cap too small. */
size_t dns_truncate(const uint8_t *msg, size_t len, uint8_t *out, size_t cap);
/* The server does not answer there, or its connection broke. */
void dns_ask_failed(struct dns *d, uint32_t ask, uint64_t now);
/* The daemon's answer to DNS_NEED_ADDRESS: the substitutes (either may be
 * unspecified: none in that family, and `ede`, if any, says so). err != 0:
 * SERVFAIL with `ede` text. */
void dns_give(struct dns *d, uint32_t question, int err,
	      const struct addr *sub6, const struct addr *sub4, const char *ede,
	      uint64_t now);
/* The daemon's answer to DNS_NEED_REAL: HG_OK: each address is mapped. Else
 * DNS_NEED_ADDRESS follows. */
void dns_give_real(struct dns *d, uint32_t question, int err, uint64_t now);
uint64_t dns_deadline(const struct dns *d);
void dns_tick(struct dns *d, uint64_t now);
const struct reasons *dns_reasons(const struct dns *d);
/* Questions in flight. */
size_t dns_pending(const struct dns *d);
/* Is one of them theirs: of that client, its way and its token? */
bool dns_waits(const struct dns *d, const struct dns_asker *who);

/* What a HIP record and its addresses said. */
struct dns_host {
	char name[DNS_NAME_MAX];
	struct hit hit;
	uint8_t pk_alg; /* RFC 8005 5.2 */
	uint8_t pk[DNS_HI_MAX];
	size_t pk_len;
	bool via_rvs; /* locators are those of rendezvous servers */
	bool local;   /* a dns_record said so */
	bool theirs;  /* a server of the client's choice said so: no pin */
	struct addr locators[DNS_LOCATORS_MAX];
	size_t locators_num;
	struct addr real[DNS_LOCATORS_MAX]; /* NEED_REAL: to be mapped */
	size_t real_num;
	uint32_t ttl;
};

enum dns_effect_kind {
	DNS_ASK,      /* send msg to server; `ask` names it; tcp: over TCP */
	DNS_VALIDATE, /* ask for name and qtype with a validator, which knows
		       * its servers; then dns_validated, or dns_ask_failed */
	DNS_UNPINNED, /* DNSSEC proves that name has no HIP record */
	DNS_ASK_DONE, /* nothing more is expected for `ask` */
	DNS_REPLY,    /* msg is the answer for `who` */
	DNS_NEED_ADDRESS, /* host is known; answer with dns_give(question) */
	DNS_NEED_REAL,	  /* the same with host.real; dns_give_real(question) */
	DNS_LOOP,	  /* what was asked of server came back, from who */
	DNS_DEAF,	  /* server answers, but nothing about HIP records */
	DNS_HEARS,	  /* it does again */
	DNS_RESOLVED,	  /* dns_resolve: host */
	DNS_UNRESOLVED,	  /* dns_resolve: no HIP record or no answer */
	DNS_SEEN,	  /* a client's query was taken: who, name, qtype */
	DNS_EFFECT_NUM
};

struct dns_effect {
	enum dns_effect_kind kind;
	uint32_t ask;
	uint32_t question;
	struct endpoint server;
	bool tcp;
	struct dns_asker who;	 /* SEEN, REPLY, NEED_ADDRESS */
	uint16_t qtype;		 /* ASK, REPLY, NEED_ADDRESS: for traces */
	char name[DNS_NAME_MAX]; /* the same */
	const uint8_t *msg;	 /* valid until the next call on the engine */
	size_t msg_len;
	bool substituted;	     /* REPLY: carries a substitute */
	bool relayed;		     /* REPLY: as the server said it */
	unsigned rcode;		     /* REPLY */
	struct addr substitute;	     /* REPLY: the address, when it is one */
	const struct dns_host *host; /* valid until the next call */
	uint64_t token;		     /* RESOLVED, UNRESOLVED */
};

bool dns_effect(struct dns *d, struct dns_effect *out);

/* ---- leases ---------------------------------------------------------- */

#define LEASE_SITE_KEY 32
#define LEASE_MAX 65536

struct lease_config {
	struct prefix pool6;
	struct prefix pool4;
	uint8_t site_key[LEASE_SITE_KEY];
	uint32_t max;	/* bound on leases; 0: LEASE_MAX */
	uint64_t hold4; /* ns; no IPv4 substitute is made before: one that was
			 * given may have been forgotten. 0: none was */
	/* When there are that many: nobody has asked for this one for keep
	 * ns, and its HIT alone gives its address again. Is it in use? Else
	 * what hangs on it is gone when it returns. NULL: none ends. */
	bool (*let_go)(void *arg, const struct hit *hit);
	void *arg;
	uint64_t keep;
};

struct lease_entry {
	struct hit hit;
	struct addr sub6; /* unspecified: none */
	struct addr sub4;
	char name[DNS_NAME_MAX]; /* the name it was first asked by */
};

/* Who asks. */
struct lease_asker {
	struct addr client;
	bool theirs;  /* only a server of the client's choice knows the name */
	bool local;   /* the administrator named it: it takes no share */
	uint64_t now; /* ns */
};

struct lease;

int lease_new(const struct lease_config *cfg, struct lease **out) HG_CHECK;
void lease_free(struct lease *l);
/* The substitutes of hit; *fresh: made now, to be journalled before anyone
 * is told. HG_EEXIST: the hash collides with another HIT's address (the
 * newcomer is refused, T9). HG_EFULL: bound reached. An exhausted IPv4 pool
 * gives sub4 unspecified, which is not an error. */
int lease_get(struct lease *l, const struct hit *hit, const char *name,
	      struct lease_entry *out, bool *fresh) HG_CHECK;
/* The same, made anew only while the client and the name's domain have not
 * had their share of today (quota.h): else HG_EPERM. What was restored counts
 * for nobody. Another one may end for it. */
int lease_ask(struct lease *l, const struct hit *hit, const char *name,
	      const struct lease_asker *who, struct lease_entry *out,
	      bool *fresh) HG_CHECK;
/* An entry from the journal; *e then is what it has now. A substitute that the
 * pools and the site key cannot give any more is left out, and made anew when
 * it is asked for; an IPv4 one that they can stays, beyond lease_config.max,
 * too. HG_EFORMAT: HIT or name is none; HG_EEXIST: it contradicts another
 * entry; HG_EFULL. */
int lease_restore(struct lease *l, struct lease_entry *e) HG_CHECK;
/* As lease_config.hold4, when it is later: one that was given is not known. */
void lease_hold4(struct lease *l, uint64_t until);
/* The address inside a pool that is given to nobody, because DNS is answered
 * there. False: the pool is none, or too small for one. */
bool lease_dns(const struct prefix *pool, struct addr *out);
/* Whose is it? False: nobody's. */
bool lease_find(const struct lease *l, const struct addr *sub,
		struct lease_entry *out);
size_t lease_num(const struct lease *l);
void lease_each(const struct lease *l,
		void (*fn)(const struct lease_entry *e, void *arg), void *arg);

/* ---- records --------------------------------------------------------- */

/* One HIP record as a zone file holds it (RFC 8005 6), with a newline.
 * name and rvs[] are as given (absolute or relative to the zone's origin).
 * Returns the length, or HG_E*. */
int dns_record_print(char *out, size_t cap, const char *name, uint32_t ttl,
		     const struct hit *hit, uint8_t pk_alg, const uint8_t *pk,
		     size_t pk_len, const char *const *rvs,
		     size_t rvs_num) HG_CHECK;
