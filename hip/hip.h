/* SPDX-License-Identifier: MIT */
/* HIPv2 (RFC 7401, 7402, 8003, 8004, 8046, 8047): the door of the hip room.
 *
 * THEORY OF OPERATION
 * One engine per daemon, owned by the control thread, sans-IO: messages,
 * time and wishes go in; effects (values) come out of a queue. Expensive
 * crypto leaves as jobs: plain value structs that any thread may run with
 * hip_job_run and that come back through hip_job_done. A job that comes
 * back to an association that has changed meanwhile is dropped; an
 * attacker's packet leaves no trace until its puzzle (I2) or its signature
 * and MAC have been verified.
 *
 * Callers drain hip_effect after every call that takes `now`.
 * Time is monotonic nanoseconds. Randomness comes from libsodium.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/reason.h"
#include "core/sa.h"
#include "hip/outer.h"
#include "hip/permit.h"
#include "hip/register.h"

#define HIP_PORT 10500
#define HIP_MSG_MAX 2048 /* 7401 5.1: (255 + 1) * 8 */
#define HIP_LOCATORS_MAX 8

/* ---- identities ------------------------------------------------------ */

enum hip_alg {
	HIP_ALG_ECDSA_P256,
	HIP_ALG_ECDSA_P384,
	HIP_ALG_RSA_2048, /* and any modulus up to the next row's */
	HIP_ALG_RSA_3072,
	HIP_ALG_RSA_4096,
	HIP_ALG_NUM
};

/* For messages to people. */
#define HIP_IDENTITY_KINDS "ECDSA P-256 or P-384, or RSA of 2048 to 4096 bits"

struct hip_identity; /* a private key, its HOST_ID and its HIT */

int hip_identity_generate(enum hip_alg alg, struct hip_identity **out) HG_CHECK;
/* PEM (PKCS#8, SEC1, PKCS#1) private key of a supported algorithm.
 * HG_EUNSUPP: another curve; an RSA modulus not of 2048 to 4096 bits, or an
 * exponent above 32 bits. HG_EFORMAT: no key, or its halves do not match. */
int hip_identity_from_pem(const char *pem, size_t len,
			  struct hip_identity **out) HG_CHECK;
/* The private key as PKCS#8 PEM, heap, NUL-terminated; wipe and free it. */
int hip_identity_to_pem(const struct hip_identity *id, char **out) HG_CHECK;
const struct hit *hip_identity_hit(const struct hip_identity *id);
enum hip_alg hip_identity_alg(const struct hip_identity *id);
/* In no directory: its R1s and I2s have the A bit (7401 5.1.2). Before use. */
void hip_identity_set_anonymous(struct hip_identity *id);
bool hip_identity_anonymous(const struct hip_identity *id);
/* The public key as the DNS HIP record holds it (RFC 8005 5.5): the PK
 * algorithm number and the octets (ECDSA: x | y; RSA: as RFC 3110 2 has
 * them). Borrowed. */
void hip_identity_dns_key(const struct hip_identity *id, uint8_t *pk_alg,
			  const uint8_t **pk, size_t *pk_len);
void hip_identity_free(struct hip_identity *id);
/* The HIT of a public key as found in a DNS HIP record (RFC 8005 4.1, 5.5).
 * HG_EUNSUPP: algorithm, curve or RSA key that we do not do. */
int hip_hit_of_dns_key(uint8_t pk_alg, const uint8_t *pk, size_t pk_len,
		       struct hit *out) HG_CHECK;

/* ---- engine ---------------------------------------------------------- */

struct hip;
struct hip_job;

/* When an SA is replaced by a fresh one (RFC 7402 6.8, checklist E05); the
 * first limit that is reached counts. Each SA draws its own limits from the
 * last tenth below these, so that the two ends seldom begin together. */
struct hip_rekey {
	uint32_t after_s;	/* 0: 3600 */
	uint64_t after_bytes;	/* of one direction; 0: 64 GiB */
	uint64_t after_packets; /* of one direction; 0: 2^32 */
	bool reuse; /* draw from the KEYMAT there is, as long as it lasts,
		     * without a new Diffie-Hellman: no forward secrecy */
};

/* What may be negotiated, in order of preference. An empty list stands for
 * ours: DH 7 8 9 4 11 3, HIP_CIPHER 4 2, ESP 13 8 9, NAT 3 1. */
#define HIP_OFFER_MAX 6 /* 7401 5.2.8, 7402 5.1.2 */
struct hip_offer {
	uint16_t dh[HIP_OFFER_MAX]; /* group ids (7401 5.2.7) */
	size_t dh_num;
	uint16_t cipher[HIP_OFFER_MAX]; /* HIP_CIPHER ids (7401 5.2.8) */
	size_t cipher_num;
	uint16_t esp[HIP_OFFER_MAX]; /* suite ids (7402 5.1.2) but 7 */
	size_t esp_num;
	/* NAT traversal modes (9028 5.4), in the R1s of whoever is registered
	 * at a control relay: 3 (ICE-HIP-UDP), 1 (UDP-ENCAPSULATION). */
	uint16_t nat[HIP_OFFER_MAX];
	size_t nat_num;
};

enum hip_behind_nat {
	HIP_NAT_AUTO, /* a relay sees us elsewhere than we are */
	HIP_NAT_YES,
	HIP_NAT_NO
};

struct hip_config {
	bool responder;	    /* host role: accept I2 from peers */
	bool rendezvous;    /* offer and serve RENDEZVOUS (RFC 8004) */
	bool relay;	    /* and RELAY_UDP_HIP (RFC 9028 4.1) */
	bool opportunistic; /* answer I1 to no HIT (RFC 7401 4.1.8) */
	struct hip_offer offer;
	/* Peers to which ESP may go without encryption (suite 7; 7402
	 * 3.3.5): they are offered it, and it is taken from them. */
	const struct hit *esp_null; /* borrowed for the engine's life */
	size_t esp_null_num;
	uint8_t puzzle_k;     /* offered difficulty when idle */
	uint8_t puzzle_k_max; /* refused above this as initiator */
	uint32_t assoc_max;   /* bound on associations; 0: 131072 */
	uint32_t jobs_max;    /* bound on jobs in flight; 0: 256 */
	bool notify; /* tell peers by NOTIFY why their I2 was refused */
	struct hip_rekey rekey;
	/* Inbound SPIs of one association keep their remainder modulo this,
	 * so that whoever opens by SPI stays the same; 0: any SPI. */
	uint32_t spi_mod;
	enum hip_behind_nat behind_nat;
	uint32_t keepalive_s; /* through a NAT; 0: 15, no less (9028 4.10) */
	/* R1 generation counters are above this: a value that no restart takes
	 * back, such as the wall clock's seconds (7401 4.1.4). */
	uint64_t r1_counter;
};

/* HG_EUNSUPP, HG_EEXIST, HG_EFULL, HG_EINVAL: cfg->offer holds an id that we
 * do not implement, one twice, too many, or ESP suite 7. */
int hip_new(const struct hip_config *cfg, uint64_t now,
	    struct hip **out) HG_CHECK;
void hip_free(struct hip *h);
/* Takes the identity. The first one added is the default for hip_want. */
int hip_add_identity(struct hip *h, struct hip_identity *id,
		     uint64_t now) HG_CHECK;
const struct hit *hip_default_hit(const struct hip *h);

/* A job makes a fresh anonymous P-256 identity that only begins exchanges;
 * HIP_IDENTITY with this token tells its HIT, or why not. HG_EFULL. */
int hip_make_identity(struct hip *h, uint64_t token) HG_CHECK;
/* Retires a made identity: it begins nothing more, its associations are
 * closed, what it asks opportunistically fails (HIP_FAILED), then its key
 * is wiped. HG_EAGAIN: not all are gone, ask again later; HG_ENOENT;
 * HG_EINVAL: it is a lasting one. */
int hip_remove_identity(struct hip *h, const struct hit *self,
			uint64_t now) HG_CHECK;

struct hip_self {
	struct hit hit;
	enum hip_alg alg;
	bool anonymous;
	bool made; /* by hip_make_identity */
};
/* Calls fn for each identity, the default first; fn must not call the
 * engine. */
void hip_each_identity(const struct hip *h,
		       void (*fn)(const struct hip_self *s, void *arg),
		       void *arg);

/* Difficulty when idle, from now on. */
void hip_set_puzzle(struct hip *h, uint8_t k);
/* What is asked for now: more under load. */
uint8_t hip_puzzle(const struct hip *h);
/* Answer I1 to no HIT (RFC 7401 4.1.8)? */
void hip_set_opportunistic(struct hip *h, bool answer);
/* Begin nothing new, neither of our own (hip_want is HG_EPERM) nor with whom
 * comes to us (HIP_DENIED): what is there goes on, and may be begun anew. */
void hip_set_draining(struct hip *h, bool draining);

/* ---- access: who may -------------------------------------------------- */

enum hip_role {
	HIP_ROLE_HOST,	     /* who may associate with us */
	HIP_ROLE_RENDEZVOUS, /* who may register here, be relayed to; its
			      * `deny` rules also say whose I1 is not relayed */
	HIP_ROLE_INITIATOR,  /* whom we may begin with (hip_want) */
	HIP_ROLE_NUM
};

#define HIP_ACCESS_MAX 16384 /* rules of one role */

struct hip_access_rule {
	bool allow; /* else deny */
	bool by_hit;
	struct hit hit;	      /* by_hit */
	struct prefix prefix; /* else */
};

/* A role's rules: the first that fits a peer's HIT or address decides; who
 * fits none is refused where the list holds an allow, else let in. */
struct hip_access {
	const struct hip_access_rule *rules;
	size_t num;
};

/* Replaces the rules of all roles (copied); before the first call everybody
 * may everything. They are asked before anything that costs: an I1 before
 * R1 and before RVS_HMAC, an I2 behind its puzzle (one hash; then NOTIFY may
 * say why) and before all else, hip_want before I1, an R1 before its job.
 * Addresses: where a packet comes from (a relayed I1: FROM), what hip_want
 * was told. Associations and registrations that are now denied are closed,
 * hip_want_opportunistic fails. HG_EINVAL, HG_EFULL, HG_ENOMEM: all is as before. */
int hip_set_access(struct hip *h, const struct hip_access list[HIP_ROLE_NUM],
		   uint64_t now) HG_CHECK;

struct hip_access_count {
	enum hip_role role;
	struct hip_access_rule rule;
	uint64_t hits; /* decisions since it was set */
};
/* Calls fn for each rule, in order; fn must not call the engine. */
void hip_each_access(const struct hip *h,
		     void (*fn)(const struct hip_access_count *c, void *arg),
		     void *arg);

/* ---- where we are, and by which path (RFC 8046, 8047) ------------------- */

#define HIP_HERE_MAX 64	  /* addresses of ours */
#define HIP_LOUD_MAX 16	  /* of them, those that peers are told of */
#define HIP_BARRED_MAX 32 /* prefixes */
#define HIP_ORDER_MAX 32  /* prefixes */
#define HIP_PATHS_MAX 16  /* pairs of addresses of one association */

/* An address of ours, and the UDP port HIP and ESP come to. */
struct hip_here {
	struct endpoint at;
	uint32_t link; /* interface index; 0: not known */
	/* Ours, but neither announced nor chosen to send from; a path that has
	 * it keeps it: on loopback, deprecated (RFC 4862), lasting beside
	 * temporary ones (RFC 8981), on a link that leads nowhere else. */
	bool quiet;
};

/* All addresses we have, best first, each one once; replaces those of the
 * call before. Call it at the start and whenever addresses or links change.
 * Until the first call the kernel picks what we send from and nothing is
 * announced. From then on HIP_SEND and HIP_LOCATOR name the address to send
 * from. Loopback, multicast, ORCHIDs, link-local addresses (an endpoint has
 * no scope) and the like are left out.
 * An association whose path uses an address that is gone leaves it at once
 * (HIP_LOCATOR), and its peer is told (UPDATE with LOCATOR_SET); without
 * another one it is stranded until there is one (HIP_LOCATOR, too). Other
 * changes are told when the list has not changed for 100 ms. Rendezvous
 * servers where we are registered are told first. Beyond HIP_LOUD_MAX all are
 * quiet; news of quiet ones is told to nobody. None that is not quiet: what
 * is to be sent waits for one. HG_EINVAL: more than HIP_HERE_MAX, one twice, or
 * port 0. */
int hip_set_here(struct hip *h, const struct hip_here *here, size_t num,
		 uint64_t now) HG_CHECK;
/* Where no peer can be, beside what can be nowhere: our substitute addresses,
 * our TUN's. A LOCATOR_SET that names one is refused. Copied. HG_EINVAL:
 * more than HIP_BARRED_MAX. */
int hip_set_barred(struct hip *h, const struct prefix *barred,
		   size_t num) HG_CHECK;

/* Which of several paths that live is taken. Ties: as hip_set_here lists
 * ours, then as the peer lists its own. */
enum hip_prefer {
	HIP_PREFER_ANNOUNCED, /* to the locator the peer prefers (P bit) */
	HIP_PREFER_ORDER,     /* the first prefix of `order` that has the
			       * peer's or our address */
	HIP_PREFER_LINK,      /* our best link, as hip_set_here lists them */
	HIP_PREFER_NUM
};

struct hip_path_policy {
	enum hip_prefer prefer;
	const struct prefix *order; /* ORDER; copied. ::ffff:0:0/96 is IPv4 */
	size_t order_num;
	uint32_t silence_ms; /* we send, nothing comes: probe; 0: 1000 */
	uint32_t return_s;   /* a better path must have answered for so long
			      * before we go back to it; 0: 10 */
};
/* HG_EINVAL: more than HIP_ORDER_MAX prefixes, or no such `prefer`. */
int hip_set_path_policy(struct hip *h, const struct hip_path_policy *p,
			uint64_t now) HG_CHECK;

/* ESP of this association that was authentic came from `from` to `at`, and
 * `from` is not where we send (HIP_LOCATOR). Call it at once for a source
 * that is new, and once a second as long as packets come from elsewhere; it
 * costs little. When the peer answers there, and not where we send, the path
 * moves (HIP_LOCATOR). */
void hip_seen_from(struct hip *h, const struct hit *self,
		   const struct hit *peer, const struct endpoint *from,
		   const struct endpoint *at, uint64_t now);
/* So many octets of authentic ESP (as on the wire) have come from the peer
 * since the last call: its credit (8046 5.6). While HIP_LOCATOR says that
 * the path is not verified, more credit comes by another HIP_LOCATOR, less
 * what is needed to ask there once more. */
void hip_received(struct hip *h, const struct hit *self, const struct hit *peer,
		  uint64_t bytes, uint64_t now);
/* The clock leapt, we were asleep, or a link came up: whatever waits for an
 * answer is sent again now, and each association in use is probed. */
void hip_wake(struct hip *h, uint64_t now);
/* A way may be there that was not, with the addresses there were: whatever
 * waits for an answer is sent again now, and nobody else is asked. */
void hip_again(struct hip *h, uint64_t now);

/* ---- wishes ----------------------------------------------------------- */

/* Start (or join) a base exchange with peer. self NULL: default identity.
 * locators: where I1 may go, in order of preference, at most
 * HIP_LOCATORS_MAX; copied. HG_OK: under way or already established (then
 * nothing is sent). HG_EAGAIN: in the E-FAILED hold, try later (a
 * HIP_FAILED effect was emitted before). HG_EPERM: no locator is left that
 * the access rules allow for this HIT (counted as HIP_DENIED). */
int hip_want(struct hip *h, const struct hit *self, const struct hit *peer,
	     const struct endpoint *locators, size_t num,
	     uint64_t now) HG_CHECK;
/* Begin with whoever answers at this address (RFC 7401 4.1.8): a leap of
 * faith, so ask for it only where a policy says so. HIP_FOUND tells the HIT
 * that was found, for pinning; it need not be the one of last time. What
 * follows is as after hip_want; HIP_FAILED with a null peer: nobody answered
 * well. HG_OK also when it is under way already. HG_EPERM: the address is
 * denied; HG_EFULL: as many are asked as may be. */
int hip_want_opportunistic(struct hip *h, const struct hit *self,
			   const struct endpoint *at, uint64_t now) HG_CHECK;
/* It is not asked any more, and HIP_FAILED does not follow. Nothing, if it is
 * not; who has answered well already is met all the same. */
void hip_unwant_opportunistic(struct hip *h, const struct hit *self,
			      const struct endpoint *at);
#define HIP_RELAY_PORTS_MAX 1024
/* Offer RELAY_UDP_ESP, too (9028 4.12): UDP ports, open in each family that
 * the daemon has, of which each client gets one. What comes to one of them
 * and begins with 4 zeros is for hip_input, with that port in `at`; HIP_SEND
 * with it in self_at leaves from there. None: it is not offered. Once, before
 * anybody registers. HG_EINVAL: too many, one twice, 0 or `own`, the port
 * that HIP has. */
int hip_set_relay_ports(struct hip *h, const uint16_t *ports, size_t num,
			uint16_t own, uint64_t now) HG_CHECK;
/* A HIP message: what follows the 4 zero octets (RFC 9028 5.1). from: the
 * sender; at: our address and port it came to. */
void hip_input(struct hip *h, const uint8_t *msg, size_t len,
	       const struct endpoint *from, const struct endpoint *at,
	       uint64_t now);
/* Data passed on this association: keeps it from idling out and takes
 * R2-SENT to ESTABLISHED (7401 4.4.3). in: it came from the peer. Out and no
 * in for hip_path_policy.silence_ms: the path is probed, then all others; so
 * the sooner this is called, the sooner a dead path is left (call it four
 * times a second for those with traffic). */
void hip_traffic(struct hip *h, const struct hit *self, const struct hit *peer,
		 bool in, uint64_t now);
/* What has passed under the SA with this inbound SPI so far: the greater
 * count of its two directions. Starts a rekey when a limit is reached. */
void hip_used(struct hip *h, const struct hit *self, const struct hit *peer,
	      uint32_t spi_in, uint64_t packets, uint64_t bytes, uint64_t now);
/* Replace the SA now, with a new Diffie-Hellman (dh) or from the KEYMAT
 * there is. HG_ENOENT: no ESTABLISHED association; HG_EAGAIN: a rekey is
 * under way. */
int hip_rekey(struct hip *h, const struct hit *self, const struct hit *peer,
	      bool dh, uint64_t now) HG_CHECK;
/* CLOSE one association, or all of them (peer NULL). */
void hip_close(struct hip *h, const struct hit *peer, uint64_t now);
/* Timers: call at or after hip_deadline (UINT64_MAX: nothing is due). */
uint64_t hip_deadline(const struct hip *h);
void hip_tick(struct hip *h, uint64_t now);
/* Drop counters of this room; single writer: the engine's thread. */
const struct reasons *hip_reasons(const struct hip *h);

/* ---- jobs ------------------------------------------------------------ */

/* Any thread, once per job; touches nothing but the job. */
void hip_job_run(struct hip_job *job);
/* Owner thread; takes and frees the job. Every HIP_JOB effect must come
 * back, run or not (not run: it counts as failed). */
void hip_job_done(struct hip *h, struct hip_job *job, uint64_t now);
/* "verify R1, solve puzzle, DH, sign I2": for traces. */
const char *hip_job_name(const struct hip_job *job);

/* ---- effects --------------------------------------------------------- */

enum hip_state {
	HIP_UNASSOCIATED, /* exits: I1_SENT on hip_want, R2_SENT on I2 */
	HIP_I1_SENT,
	HIP_I2_SENT,
	HIP_R2_SENT,
	HIP_ESTABLISHED,
	HIP_CLOSING,
	HIP_CLOSED,
	HIP_E_FAILED,
	HIP_STATE_NUM
};
const char *hip_state_name(enum hip_state s);

/* Packet types (7401 5.3). */
enum {
	HIP_I1 = 1,
	HIP_R1 = 2,
	HIP_I2 = 3,
	HIP_R2 = 4,
	HIP_UPDATE = 16,
	HIP_NOTIFY = 17,
	HIP_CLOSE = 18,
	HIP_CLOSE_ACK = 19
};
/* "I1", "R1", ... or "?". */
const char *hip_type_name(uint8_t type);
/* "BLOCKED_BY_POLICY", ... or "?": Notify Message Types (7401 5.2.19). */
const char *hip_notify_name(uint16_t type);

/* What became of a path: for events and histories. */
enum hip_path_why {
	HIP_PATH_ANNOUNCED, /* the peer has listed this address */
	HIP_PATH_MOVED,	    /* we send by it from now on: ours has changed */
	HIP_PATH_VERIFIED,  /* the peer has answered there */
	HIP_PATH_TAKEN,	    /* we send by it from now on: the best alive */
	HIP_PATH_SILENT,    /* we send, nothing comes: being probed */
	HIP_PATH_FAILED,    /* it does not answer */
	HIP_PATH_REBOUND,   /* the peer was seen there, and has answered: a
			     * NAT, most likely, has changed its mind */
	HIP_PATH_RETURNED,  /* a better path lives again, and is taken */
	HIP_PATH_RELAYED,   /* the peer was found through its server, or
			     * found us so */
	HIP_PATH_EXPIRED,   /* the lifetime the peer gave it is over */
	HIP_PATH_WITHDRAWN, /* the peer no longer lists it */
	HIP_PATH_NOMINATED, /* the peer has chosen it (RFC 9028 4.6.3) */
	HIP_PATH_WHY_NUM
};
/* "announced", ...; stable. */
const char *hip_path_why_name(enum hip_path_why why);

enum hip_effect_kind {
	HIP_SEND,	  /* send `msg` from `self_at` to `peer_at` */
	HIP_SEEN,	  /* a packet passed its checks: for traces */
	HIP_DROPPED,	  /* a packet was dropped for `reason`: for traces */
	HIP_JOB,	  /* run `job`, bring it back */
	HIP_SA_UP,	  /* publish `sa` before what follows is carried out;
			 * standby: to receive only, the one before it sends */
	HIP_SA_SWITCH,	  /* from now on `sa` (hits and SPIs) sends */
	HIP_SA_DOWN,	  /* `sa` (hits and SPIs only) is to be retired */
	HIP_LOCATOR,	  /* peer is reached at `peer_at` from `self_at` (see
			 * committed, verified) */
	HIP_CHANGED,	  /* association entered `state` */
	HIP_FAILED,	  /* base exchange given up for `reason`: E-FAILED */
	HIP_REGISTERED,	  /* our registration at `peer` was granted */
	HIP_UNREGISTERED, /* it was not, or has ended: see `refusal` */
	HIP_REGISTRAR, /* we as server: `peer` at `peer_at`; lifetime 0: gone */
	HIP_RELAYED,   /* we as server passed on an I1 for `peer`, as relay a
		      * packet of this type to or from `peer` */
	HIP_FOUND, /* hip_want_opportunistic: R2 proved `peer` at `peer_at` */
	HIP_IDENTITY, /* hip_make_identity: it is `self`, or `reason` */
	HIP_NOTIFIED, /* `peer` says `notify`, signed: for traces */
	HIP_PERMIT,   /* we as data relay: see struct hip_permit */
	HIP_PATH,     /* `why` something changed about the path from `self_at`
		       * to `peer_at`: for events; HIP_LOCATOR acts */
	HIP_EFFECT_NUM
};

struct hip_effect {
	enum hip_effect_kind kind;
	struct hit self;
	struct hit peer;
	struct endpoint self_at; /* ours; unspecified address: kernel picks */
	struct endpoint peer_at;
	uint8_t type;	    /* SEND, SEEN, DROPPED, RELAYED: packet type */
	const uint8_t *msg; /* SEND: HIP header on, without the 4 zeros;
			     * valid until the next call on the engine */
	size_t msg_len;
	bool has_via;	     /* SEEN R1: VIA_RVS was there; */
	struct addr via;     /*  its address */
	bool has_from;	     /* SEEN I1: relayed; FROM address is */
	struct addr from;    /*  this (RELAYED: the other one's) */
	struct hip_job *job; /* JOB; given to the receiver */
	struct sa_pair sa;   /* SA_UP, _SWITCH, _DOWN; wipe with sa_wipe */
	bool standby;	     /* SA_UP */
	bool initiator;	     /* SA_UP, CHANGED: we began it */
	bool anonymous;	     /* SEEN R1, I2; FOUND: the peer's A bit */
	uint64_t token;	     /* IDENTITY: as given */
	bool committed;	     /* LOCATOR: false at R1, true at R2 */
	bool verified;	 /* LOCATOR: the peer has proved to be there. Else no
			* more than `credit` octets of ESP may go there */
	uint64_t credit; /* LOCATOR: beyond what was granted for the same
			  * peer_at before; a new one begins at 0 */
	bool stranded;	 /* LOCATOR: no address of ours leads there. What is
			  * to be sent waits for the next HIP_LOCATOR */
	enum hip_path_why why; /* PATH */
	enum hip_state state;  /* CHANGED */
	enum reason reason;  /* DROPPED, FAILED; IDENTITY: REASON_NUM if well */
	struct hit instead;  /* FAILED: the peer does not do the suite of
			       * `self`; the exchange has begun again as this
			       * identity of ours. Null: it has not. */
	uint32_t lifetime_s; /* REGISTERED, REGISTRAR */
	uint16_t refusal;    /* UNREGISTERED: hip/register.h */
	bool relay;	     /* those three, RELAYED: it is RELAY_UDP_HIP,
		     * else RENDEZVOUS; SEEN R1: through a control relay */
	struct endpoint seen_at; /* REGISTERED: where the server sees us
				  * (REG_FROM); port 0: it did not say */
	/* REGISTERED, REGISTRAR, PERMIT: the client's port at the data relay.
	 * LOCATOR, SA_UP: ours, by which the peer is reached: peer_at is that
	 * relay. Port 0: none. */
	struct endpoint relayed_at;
	struct hip_permit permit; /* PERMIT */
	uint8_t puzzle_k;	  /* SEEN R1 */
	uint16_t notify;	  /* NOTIFIED: Notify Message Type */
};

/* Takes the oldest effect; false when there is none. */
bool hip_effect(struct hip *h, struct hip_effect *out);

/* ---- looking in ------------------------------------------------------ */

struct hip_peer {
	struct hit self;
	struct hit peer;
	enum hip_state state;
	bool initiator;
	bool anonymous; /* the peer's identity says so: not to be stored */
	struct endpoint self_at; /* unspecified: as the kernel picks */
	struct endpoint peer_at; /* current locator, */
	bool verified;		 /*  proved */
	bool checking; /* ICE-HIP-UDP: no path is found yet, none is sent by */
	bool stranded; /* no address of ours leads there: all waits */
	bool doubtful; /* the path is being asked, or did not answer */
	bool has_via;  /* met through a rendezvous server, */
	struct endpoint via; /*  this one */
	/* Our, or the peer's, port at the data relay; port 0: none. */
	struct endpoint relayed_at;
	uint32_t spi_in;
	uint32_t spi_out;
	uint16_t esp_suite;
	uint64_t since; /* when the state was entered */
	uint64_t keyed; /* when the SA that sends was agreed on */
	uint32_t rekeys;
};
/* Calls fn for each association, or for some, 64 or so, from *at on, 0 at first:
 * false if those were the last. fn must not call the engine. */
void hip_each_peer(const struct hip *h,
		   void (*fn)(const struct hip_peer *p, void *arg), void *arg);
bool hip_some_peers(const struct hip *h, size_t *at,
		    void (*fn)(const struct hip_peer *p, void *arg), void *arg);

enum hip_path_state {
	HIP_PATH_UNVERIFIED, /* exits: ACTIVE on an answer, else DEAD */
	HIP_PATH_ACTIVE,
	HIP_PATH_DEPRECATED, /* lifetime over, or withdrawn: a last resort */
	HIP_PATH_DEAD,	     /* did not answer when asked last */
	HIP_PATH_STATE_NUM
};
/* "unverified", ...; stable. */
const char *hip_path_state_name(enum hip_path_state s);

/* A path of an association. */
struct hip_path {
	struct endpoint self_at;
	struct endpoint peer_at;
	enum hip_path_state state;
	bool current;	   /* we send by it */
	bool announced;	   /* listed by the peer; else seen */
	bool preferred;	   /* its P bit */
	uint64_t verified; /* it last answered, or was heard; 0: never */
	uint64_t expires;  /* UINT64_MAX: never */
	uint32_t rtt_us;   /* 0: not measured */
};
/* The same for the paths of one association, the current one first. */
void hip_each_path(const struct hip *h, const struct hit *self,
		   const struct hit *peer,
		   void (*fn)(const struct hip_path *p, void *arg), void *arg);

#define HIP_PATH_HISTORY 8
struct hip_path_event {
	uint64_t at;
	enum hip_path_why why;
	struct endpoint self_at;
	struct endpoint peer_at;
};
/* Its last HIP_PATH_HISTORY changes, newest first, new exchanges or not. */
void hip_each_path_event(const struct hip *h, const struct hit *self,
			 const struct hit *peer,
			 void (*fn)(const struct hip_path_event *e, void *arg),
			 void *arg);

struct hip_registration {
	struct hit client;
	struct endpoint at;
	bool relay;		    /* RELAY_UDP_HIP, else RENDEZVOUS */
	uint64_t expires;	    /* same clock as now */
	struct endpoint relayed_at; /* RELAY_UDP_ESP; port 0: no */
	unsigned permits;	    /*  for so many pairs of SPIs */
};
/* What we hold as rendezvous server or relay: some, as above; how many. */
bool hip_some_registrations(const struct hip *h, size_t *at,
			    void (*fn)(const struct hip_registration *r,
				       void *arg),
			    void *arg);
size_t hip_registrations(const struct hip *h);
