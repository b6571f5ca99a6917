/* SPDX-License-Identifier: MIT */
/* The daemon's packets into a pcapng file.
 *
 * THEORY OF OPERATION
 * The daemon sends frames (cmd/hipgated/tap.c has their form), which become
 * blocks of the file, and lines of Wireshark's esp_sa table in a second file
 * beside it. SIGINT, SIGTERM, --seconds and --count ask the daemon to end; what
 * was under way comes before its last frame. A file that can take no more is
 * cut behind its last whole block, so that it can be read all the same.
 */
#include "cmd/hipgate/capverb.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/hipgate/ask.h"
#include "cmd/hipgate/options.h"
#include "cmd/hipgate/outfile.h"
#include "cmd/hipgate/pcapng.h"
#include "core/wire.h"

enum { FRAME_MAX = 1 << 20, PACKET_HEAD = 16, PATH = 512 };

struct capture {
	const struct options *o;
	FILE *out;
	FILE *keys; /* NULL: none are wanted */
	char keys_path[PATH];
	off_t good; /* the file's octets up to the last block on the disk, */
	uint64_t good_packets; /*  and how many are in them */
	uint8_t *buf;
	uint64_t packets, lost, last; /* unix ns */
	uint64_t keys_lost;	      /* lines */
	bool asked_to_end, ended;
};

static volatile sig_atomic_t ended_by_signal;

static void on_signal(int signum)
{
	(void)signum;
	ended_by_signal = 1;
}

/* ---- files ------------------------------------------------------------------------ */

static int full(const struct capture *c, const char *path)
{
	int saved = errno;

	if (c->out != stdout) {
		__fpurge(c->out); /* fclose would add a part of a block */
		(void)!ftruncate(fileno(c->out), c->good); /* it is no worse */
	}
	return verb_fail("%s: %s; the %llu packets before that are in it", path,
			 strerror(saved), (unsigned long long)c->good_packets);
}

/* 0, or the exit status: the disk is full. */
static int settle(struct capture *c)
{
	if (fflush(c->out) != 0)
		return full(c, c->o->out);
	c->good = c->out == stdout ? 0 : ftello(c->out);
	c->good_packets = c->packets;
	return VERB_OK;
}

static int begin_files(struct capture *c)
{
	const struct options *o = c->o;
	bool to_stdout = strcmp(o->out, "-") == 0;

	c->out = to_stdout ? stdout : outfile_open(o->out);
	if (!c->out)
		return VERB_FAILED;
	if (!o->decrypt)
		return VERB_OK;
	if (snprintf(c->keys_path, PATH, "%s.esp_sa",
		     to_stdout ? "capture" : o->out) >= PATH)
		return verb_fail("%s: the name is too long", o->out);
	c->keys = outfile_new(c->keys_path);
	if (!c->keys)
		return VERB_FAILED;
	(void)fprintf(stderr,
		      "hipgate: WARNING: the keys of all SAs are written to "
		      "%s: whoever has that file can read, and forge, what all "
		      "peers say until they rekey. The daemon has logged it. "
		      "Delete it when you are done.\n",
		      c->keys_path);
	return VERB_OK;
}

static int end_files(struct capture *c, int status)
{
	bool bad = false;

	if (c->out && c->out != stdout)
		bad = fclose(c->out) != 0;
	if (c->keys)
		bad = fclose(c->keys) != 0 || bad;
	if (bad && status == VERB_OK)
		return verb_fail("%s: %s", c->o->out, strerror(errno));
	return status;
}

/* ---- frames ------------------------------------------------------------------------ */

static int packet(struct capture *c, const uint8_t *p, size_t len)
{
	struct pcapng_packet out;

	if (len < PACKET_HEAD || get_be16(p + 14) > len - PACKET_HEAD)
		return verb_fail("hipgated sends what is no packet; use the "
				 "tool of the same release");
	out.when = get_be64(p);
	out.side = p[8];
	out.direction = p[9];
	out.len = get_be32(p + 10);
	out.comment = (const char *)p + PACKET_HEAD;
	out.comment_len = get_be16(p + 14);
	out.data = p + PACKET_HEAD + out.comment_len;
	out.caplen = (uint32_t)(len - PACKET_HEAD - out.comment_len);
	if (pcapng_packet(c->out, &out))
		return full(c, c->o->out);
	c->last = out.when;
	c->packets++;
	return VERB_OK;
}

static int stats(struct capture *c, const uint8_t *p, size_t len)
{
	json_error_t why;
	json_t *o = json_loadb((const char *)p, len, 0, &why);

	c->lost = (uint64_t)json_integer_value(json_object_get(o, "lost"));
	c->keys_lost =
		(uint64_t)json_integer_value(json_object_get(o, "keys_lost"));
	c->ended = json_is_true(json_object_get(o, "end"));
	json_decref(o);
	return settle(c); /* twice a second */
}

static int keys(struct capture *c, const uint8_t *p, size_t len)
{
	if (!c->keys) /* not asked for: they go nowhere */
		return VERB_OK;
	if (fwrite(p, 1, len, c->keys) == len && fflush(c->keys) == 0)
		return VERB_OK;
	return verb_fail("%s: %s", c->keys_path, strerror(errno));
}

static int frame(struct capture *c, const uint8_t *p, size_t len)
{
	switch (p[0]) {
	case 'P':
		return packet(c, p + 1, len - 1);
	case 'S':
		return stats(c, p + 1, len - 1);
	case 'K':
		return keys(c, p + 1, len - 1);
	default: /* of a later release: left out */
		return VERB_OK;
	}
}

/* ---- the capture --------------------------------------------------------------------- */

static bool enough(const struct capture *c)
{
	return ended_by_signal || (c->o->count && c->packets >= c->o->count);
}

static void ask_to_end(struct capture *c, struct ask *a)
{
	json_t *stop = json_pack("{s:s,s:b}", "verb", "capture", "stop", 1);
	char why[256];

	if (!c->asked_to_end && ask_send(a, stop, why, sizeof(why)))
		c->ended = true;
	json_decref(stop);
	c->asked_to_end = true;
}

/* True: all len octets are there. */
static bool take(struct capture *c, struct ask *a, uint8_t *to, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = ask_octets(a, to + have, len - have);

		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		if (n > 0)
			have += (size_t)n;
		if (ended_by_signal)
			ask_to_end(c, a);
	}
	return true;
}

static int run(struct capture *c, struct ask *a)
{
	uint8_t head[4];
	int status = VERB_OK;

	while (status == VERB_OK && !c->ended) {
		size_t len;

		if (enough(c))
			ask_to_end(c, a);
		if (!take(c, a, head, sizeof(head)))
			break;
		len = get_be32(head);
		if (len == 0 || len > FRAME_MAX || !take(c, a, c->buf, len))
			break;
		if (c->buf[0] == 'P' && c->o->count &&
		    c->packets >= c->o->count)
			continue; /* enough, but on its way */
		status = frame(c, c->buf, len);
	}
	if (status == VERB_OK && !c->ended) {
		(void)verb_fail("hipgated at %s hung up; the %llu packets "
				"before that are in %s",
				ask_path(a), (unsigned long long)c->packets,
				c->o->out);
		status = VERB_UNREACHED;
	}
	return status;
}

static void signals(const struct options *o)
{
	struct sigaction sa = { .sa_handler = on_signal }; /* no SA_RESTART */

	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGALRM, &sa, NULL);
	if (o->seconds)
		(void)alarm((unsigned)o->seconds);
}

static int from_daemon(struct capture *c, struct ask *a, const json_t *data)
{
	const char *tun = json_string_value(json_object_get(data, "tun"));
	int status = VERB_OK;

	signals(c->o);
	if (pcapng_begin(c->out, tun && tun[0] ? tun : "tun",
			 (uint32_t)json_integer_value(
				 json_object_get(data, "snaplen"))))
		return full(c, c->o->out);
	if (c->out != stdout)
		(void)fprintf(stderr,
			      "hipgate: capturing into %s; Ctrl-C ends it\n",
			      c->o->out);
	status = settle(c);
	if (status == VERB_OK)
		status = run(c, a);
	if (status == VERB_OK && pcapng_end(c->out, c->last, c->lost))
		return full(c, c->o->out);
	if (status == VERB_OK)
		status = settle(c);
	if (status == VERB_FAILED)
		return status;
	(void)fprintf(stderr, "hipgate: %llu packets%s",
		      (unsigned long long)c->packets, c->lost ? ", " : "\n");
	if (c->lost)
		(void)fprintf(stderr,
			      "%llu more came faster than they were written; "
			      "--snaplen 128 makes them smaller\n",
			      (unsigned long long)c->lost);
	if (c->keys_lost)
		(void)fprintf(stderr,
			      "hipgate: %llu lines of keys came faster than "
			      "they were written; capture again, to a faster "
			      "disk\n",
			      (unsigned long long)c->keys_lost);
	return status;
}

static int capture(struct capture *c)
{
	const struct options *o = c->o;
	json_t *request =
		json_pack("{s:s,s:I,s:b}", "verb", "capture", "snaplen",
			  (json_int_t)o->snaplen, "keys", (int)o->decrypt);
	char why[512];
	struct ask *a = NULL;
	json_t *data = NULL;
	int status;
	int err = ask_new(o->socket, &a, why, sizeof(why));

	if (err)
		json_decref(request);
	else
		err = ask_data(a, request, &data, why, sizeof(why));
	if (!err)
		ask_wait(a, 0); /* there may be no packet for hours */
	status = err ? verb_unasked(err, why) : begin_files(c);
	if (status == VERB_OK)
		status = from_daemon(c, a, data);
	json_decref(data);
	ask_free(a);
	return end_files(c, status);
}

int capverb_run(const struct verb *v, int argc, char **argv)
{
	struct options o;
	struct capture c = { .o = &o };
	int status = options_take(v, argc, argv, 0, 0, &o);

	if (status)
		return status;
	if (!o.out)
		return verb_wrong("capture: where to? -o FILE, or -o - for "
				  "standard output");
	if (o.decrypt && !o.understood)
		return verb_wrong("capture: --decrypt writes the keys of all "
				  "SAs into a file, and the daemon logs who "
				  "asked; say --i-understand, too");
	c.buf = malloc(FRAME_MAX);
	if (!c.buf)
		return verb_fail("capture: out of memory");
	status = capture(&c);
	explicit_bzero(c.buf, FRAME_MAX);
	free(c.buf);
	return status;
}
