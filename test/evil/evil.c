/* SPDX-License-Identifier: MIT */
/* room: hip */
/* A HIP host with bad manners, for test/e2e/evil.sh.
 *
 * evil [-l KEY] SELF PEER PEER_HIT ATTACK [ARGUMENT...]: from UDP port 10500
 * of the address SELF, to that of PEER. ATTACK is one of the table below. It
 * begins the association; -l: it waits for the peer to begin one with the
 * identity in the file KEY. Prints, once,
 *
 *   answered | silent     did the peer acknowledge what should be refused?
 *   registered | refused  for `register`
 *
 * and goes on as an honest host until its standard input ends; so does
 * `register` until then, or until it is registered. Exit status 1: the attack
 * could not be made, 2: usage.
 *
 * THEORY OF OPERATION
 * An engine of ours does what an honest host does: the base exchange, and
 * the answers to what the peer asks. Once it is established, the attack is
 * one message that is made here, with the association's true keys where the
 * attack has them. An honest UPDATE follows, and is repeated until it is
 * acknowledged: then the peer is through with the one before it, and whether
 * that was answered is known without waiting for nothing.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/wire.h"
#include "hip/auth.h"
#include "hip/engine.h"
#include "hip/fields.h"
#include "hip/locset.h"

#define S UINT64_C(1000000000)
#define NONE UINT64_MAX

enum { GIVE_UP_S = 20, AGAIN_MS = 500, ENTRIES_MAX = 255, ENTRY = 8 + 20 };

static struct hip *engine;
static struct endpoint self_at;
static struct endpoint peer_at;
static struct hit peer;
static int sock;
static bool registered;
static uint64_t attacked = NONE; /* the Update ID of the attack, */
static bool answered;		 /*  and whether it was acknowledged */
static uint64_t asked = NONE;	 /* that of the honest one behind it */
static bool over;

static void die(const char *what)
{
	(void)fprintf(stderr, "evil: %s\n", what);
	exit(1);
}

static void say(const char *what)
{
	(void)puts(what);
	(void)fflush(stdout);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

/* ---- the network ---------------------------------------------------------- */

static socklen_t address(const struct endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (addr_is4(&e->addr)) {
		four->sin_family = AF_INET;
		four->sin_port = htons(e->port);
		memcpy(&four->sin_addr, addr_four(&e->addr), 4);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(e->port);
	memcpy(&six->sin6_addr, e->addr.b, 16);
	return sizeof(*six);
}

static void open_socket(void)
{
	struct sockaddr_storage at;
	socklen_t len = address(&self_at, &at);

	sock = socket(at.ss_family, SOCK_DGRAM, 0);
	if (sock < 0 || bind(sock, (struct sockaddr *)&at, len))
		die("cannot bind to port 10500 of SELF");
	len = address(&peer_at, &at);
	if (connect(sock, (struct sockaddr *)&at, len))
		die("no way to PEER");
}

/* To the peer, whatever the engine says: we stay where we are. */
static void send_msg(const uint8_t *msg, size_t len)
{
	uint8_t buf[4 + HIP_MSG_MAX] = { 0 };

	memcpy(buf + 4, msg, len);
	/* An ICMP error of an earlier one may be told here; it is repeated. */
	(void)!send(sock, buf, len + 4, 0);
}

static void drain(void)
{
	struct hip_effect e;

	while (hip_effect(engine, &e)) {
		if (e.kind == HIP_SEND) {
			send_msg(e.msg, e.msg_len);
		} else if (e.kind == HIP_JOB) {
			hip_job_run(e.job);
			hip_job_done(engine, e.job, now_ns());
		} else if (e.kind == HIP_REGISTERED) {
			registered = true;
		}
		sa_wipe(&e.sa);
	}
}

static void look_at(const uint8_t *msg, size_t len)
{
	const struct hip_param *p;
	struct hip_msg m;

	if (param_parse(msg, len, &m) != REASON_NUM || m.type != HIP_UPDATE)
		return;
	p = param_find(&m, PARAM_ACK);
	if (!p)
		return;
	answered = answered ||
		   (attacked != NONE && fields_has_ack(p, (uint32_t)attacked));
	over = over || (asked != NONE && fields_has_ack(p, (uint32_t)asked));
}

/* Waits for a packet, for ms at most. */
static void step(int ms)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	uint8_t buf[65536];
	ssize_t n;

	if (poll(&p, 1, ms) > 0) {
		n = recv(sock, buf, sizeof(buf), 0);
		if (n > 4 && get_be32(buf) == 0) {
			look_at(buf + 4, (size_t)n - 4);
			hip_input(engine, buf + 4, (size_t)n - 4, &peer_at,
				  &self_at, now_ns());
		}
	}
	if (hip_deadline(engine) <= now_ns())
		hip_tick(engine, now_ns());
	drain();
}

/* ---- messages ------------------------------------------------------------- */

static struct assoc *association(void)
{
	struct assoc *a =
		assoc_find(&engine->assocs, hip_default_hit(engine), &peer);

	return a && a->state == HIP_ESTABLISHED ? a : NULL;
}

static uint32_t begin_update(struct msg_builder *b, struct assoc *a,
			     bool same_spi)
{
	const struct field_esp_info info = { .old_spi = a->keys->sa.spi_in,
					     .new_spi = a->keys->sa.spi_in };

	message_begin(b, HIP_UPDATE, &a->self, &a->peer);
	if (same_spi)
		fields_put_esp_info(b, &info);
	return a->up.next_id;
}

/* With SEQ, MAC and signature. */
static void prove(struct msg_builder *b, struct assoc *a)
{
	fields_put_seq(b, a->up.next_id++);
	if (auth_put_mac(b, a->keys->rhash, a->keys->hip.mac_out) ||
	    auth_put_signature(b, engine->id[0]) || message_finish(b))
		die("the message cannot be made");
}

static void parse_addr(const char *text, struct addr *out)
{
	if (addr_parse(text, out))
		die("an ADDRESS is none");
}

static void put_entry(uint8_t *p, const struct addr *a, uint32_t spi, bool pref)
{
	p[1] = 1; /* ESP's locator type */
	p[2] = 5;
	p[3] = pref;
	put_be32(p + 4, 3600);
	put_be32(p + 8, spi);
	memcpy(p + 12, a->b, 16); /* IPv4 is mapped there, too */
}

/* LOCATOR_SET: we are where we are, and where nobody is (`lie`). */
static void put_set(struct msg_builder *b, const struct assoc *a, bool lie)
{
	const size_t num = lie ? 2 : 1;
	uint8_t *p = message_reserve(b, PARAM_LOCATOR_SET, num * ENTRY);
	struct addr nowhere;

	parse_addr("2001:db8:bad::7", &nowhere);
	if (p)
		put_entry(p, &self_at.addr, a->keys->sa.spi_in, true);
	if (p && lie)
		put_entry(p + ENTRY, &nowhere, a->keys->sa.spi_in, false);
}

/* The honest one. told: that we are here, and nowhere else. */
static void ask_and_wait(bool told)
{
	struct assoc *a = association();
	uint64_t end = now_ns() + GIVE_UP_S * S;
	uint64_t again = 0;
	struct msg_builder b;

	if (!a)
		die("the association is gone");
	(void)begin_update(&b, a, told);
	asked = a->up.next_id;
	if (told)
		put_set(&b, a, false);
	prove(&b, a);
	while (!over) {
		if (now_ns() > end)
			die("the peer does not answer any more");
		if (now_ns() >= again) {
			send_msg(b.buf, b.len);
			again = now_ns() + AGAIN_MS * (S / 1000);
		}
		step(20);
	}
}

/* An UPDATE that says that we are there. */
static void locators(const struct addr *v, size_t num)
{
	struct assoc *a = association();
	struct msg_builder b;
	uint8_t *p;

	attacked = begin_update(&b, a, true);
	p = message_reserve(&b, PARAM_LOCATOR_SET, num * ENTRY);
	for (size_t i = 0; p && i < num; i++)
		put_entry(p + i * ENTRY, &v[i], a->keys->sa.spi_in, i == 0);
	prove(&b, a);
	send_msg(b.buf, b.len);
}

/* ---- attacks ---------------------------------------------------------------- */

/* Says that we are at ADDRESS...: a victim's, or nobody's. */
static void do_locators(int argc, char **argv)
{
	struct addr v[ENTRIES_MAX];

	for (int i = 0; i < argc && i < ENTRIES_MAX; i++)
		parse_addr(argv[i], &v[i]);
	locators(v, (size_t)argc);
}

/* NUMBER places in the net of ADDRESS. */
static void do_many(int argc, char **argv)
{
	struct addr v[ENTRIES_MAX];
	unsigned long num = argc == 2 ? strtoul(argv[0], NULL, 10) : 0;

	if (!num || num > ENTRIES_MAX)
		die("many: NUMBER ADDRESS");
	for (size_t i = 0; i < num; i++) {
		parse_addr(argv[1], &v[i]);
		v[i].b[15] = (uint8_t)i;
	}
	locators(v, num);
}

/* A set with a bit changed behind MAC or signature; nothing else is wrong. */
static void broken(enum param which)
{
	struct assoc *a = association();
	const struct hip_param *p;
	struct msg_builder b;
	struct hip_msg m;

	attacked = begin_update(&b, a, true);
	put_set(&b, a, true);
	prove(&b, a);
	if (param_parse(b.buf, b.len, &m) != REASON_NUM)
		die("our own message is not well-formed");
	p = param_find(&m, which);
	b.buf[(size_t)(p->contents - b.buf) + p->len - 1] ^= 1;
	send_msg(b.buf, b.len);
}

static void do_bad_mac(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	broken(PARAM_HIP_MAC);
}

static void do_bad_signature(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	broken(PARAM_HIP_SIGNATURE);
}

/* What was said once, and has been taken back since. */
static void do_replay(int argc, char **argv)
{
	struct assoc *a = association();
	struct msg_builder b;

	(void)argc;
	(void)argv;
	(void)begin_update(&b, a, true);
	put_set(&b, a, true);
	prove(&b, a);
	send_msg(b.buf, b.len);
	ask_and_wait(true);
	over = false;
	answered = false;
	attacked = a->up.next_id - 2;
	send_msg(b.buf, b.len);
}

/* Says, as an agent would, that ADDRESS has sent an I1 for PEER. */
static void do_i1_from(int argc, char **argv)
{
	static const uint8_t groups[] = { 7 };
	uint8_t key[64] = { 1 };
	const struct suite *rhash = association()->keys->rhash;
	struct msg_builder b;
	struct addr from;

	if (argc != 1)
		die("i1-from: ADDRESS");
	parse_addr(argv[0], &from);
	message_begin(&b, HIP_I1, hip_default_hit(engine), &peer);
	message_put(&b, PARAM_DH_GROUP_LIST, groups, 1);
	fields_put_from(&b, &from);
	if (auth_put_rvs_hmac(&b, rhash, key) || message_finish(&b))
		die("the message cannot be made");
	send_msg(b.buf, b.len);
}

static const struct attack {
	const char *name;
	void (*fn)(int argc, char **argv);
} attacks[] = {
	{ "locators", do_locators }, { "many", do_many },
	{ "bad-mac", do_bad_mac },   { "bad-signature", do_bad_signature },
	{ "replay", do_replay },     { "i1-from", do_i1_from },
	{ "register", NULL },
};

static const struct attack *find_attack(const char *name)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (strcmp(attacks[i].name, name) == 0)
			return &attacks[i];
	}
	return NULL;
}

/* ---- the honest host -------------------------------------------------------- */

static struct hip_identity *identity(const char *file)
{
	struct hip_identity *id = NULL;
	FILE *f = file ? fopen(file, "r") : NULL;
	char pem[8192];
	size_t len;

	if (!file && hip_identity_generate(HIP_ALG_ECDSA_P256, &id))
		die("no identity");
	if (file && !f)
		die("the file KEY cannot be read");
	if (f) {
		len = fread(pem, 1, sizeof(pem), f);
		(void)fclose(f);
		if (hip_identity_from_pem(pem, len, &id))
			die("the file KEY holds no key");
	}
	return id;
}

static void begin(const char *key, bool to_register)
{
	struct hip_config cfg = { .puzzle_k_max = 20,
				  .assoc_max = 16,
				  .responder = key };
	int err = HG_OK;

	if (hip_new(&cfg, now_ns(), &engine) ||
	    hip_add_identity(engine, identity(key), now_ns()))
		die("no engine");
	if (to_register)
		err = hip_register(engine, NULL, &peer, &peer_at, 600,
				   now_ns());
	else if (!key)
		err = hip_want(engine, NULL, &peer, &peer_at, 1, now_ns());
	if (err)
		die("the engine does not want to begin");
	drain();
}

/* Is there nobody any more who wants us to go on? */
static bool input_ended(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	return poll(&p, 1, 0) > 0 && read(STDIN_FILENO, &c, 1) <= 0;
}

static void run_attack(const struct attack *attack, int argc, char **argv)
{
	uint64_t end = now_ns() + GIVE_UP_S * S;

	while (!association() && now_ns() < end)
		step(20);
	if (!association())
		die("no association");
	attack->fn(argc, argv);
	ask_and_wait(false);
	say(answered ? "answered" : "silent");
	while (!input_ended())
		step(20);
}

static void run_register(void)
{
	while (!registered && !input_ended())
		step(20);
	say(registered ? "registered" : "refused");
}

int main(int argc, char **argv)
{
	const char *key = NULL;
	const struct attack *attack;

	if (argc > 2 && strcmp(argv[1], "-l") == 0) {
		key = argv[2];
		argv += 2;
		argc -= 2;
	}
	attack = argc > 4 ? find_attack(argv[4]) : NULL;
	if (!attack || sodium_init() < 0 ||
	    endpoint_parse(argv[1], HIP_PORT, &self_at) ||
	    endpoint_parse(argv[2], HIP_PORT, &peer_at) ||
	    hit_parse(argv[3], &peer)) {
		(void)fprintf(stderr, "usage: evil [-l KEY] SELF PEER PEER_HIT "
				      "ATTACK [ARGUMENT...]\n");
		return 2;
	}
	open_socket();
	begin(key, !attack->fn);
	if (attack->fn)
		run_attack(attack, argc - 5, argv + 5);
	else
		run_register();
	hip_close(engine, NULL, now_ns());
	drain();
	step(200); /* for the CLOSE_ACK */
	hip_free(engine);
	return 0;
}
