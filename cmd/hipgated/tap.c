/* SPDX-License-Identifier: MIT */
/* A capture: the TUN's side and the wire's side, and what became of each.
 *
 * THEORY OF OPERATION
 * Control thread only. One capture at a time. While it runs each worker has a
 * ring (tapring.h), and so has this thread for what it reads and writes
 * itself; they are emptied fifty times a second, the oldest packet of all
 * first. Each packet gets its comment here and leaves in a frame:
 *
 *   be32 octets that follow, then one octet 'P', 'S' or 'K'
 *   P  be64 unix ns, u8 side (0 TUN, 1 wire), u8 direction (1 in, 2 out),
 *      be32 octets on the way, be16 octets of the comment, comment, octets
 *   S  JSON: packets given out, lost, and whether this is the end
 *   K  lines of Wireshark's esp_sa table
 *
 * Frames are collected and handed to the control socket; what finds it too
 * far behind is counted as lost, so a reader that is slow, or a disk that is,
 * slows nobody. Keys and statistics may find it farther behind; who cannot be
 * told of the end is hung up. On the wire the kernel makes the IP and UDP
 * headers, so they are made again here; a datagram that was cut short has no
 * UDP checksum.
 */
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "core/checksum.h"
#include "core/log.h"
#include "core/wire.h"
#include "gate.h"
#include "tapkeys.h"
#include "tapring.h"

enum {
	TICK_MS = 20,
	BUF = 256 << 10,
	TICK_OCTETS = 4 << 20, /* of records, between two sends */
	SNAPLEN_MAX = TUN_PACKET_MAX,
	COMMENT = 320,
	PACKET_HEAD = 8 + 1 + 1 + 4 + 2,
	STATS_TICKS = 25, /* between two of them */
	HEADERS = IP6_HDR + UDP_HDR,
	MARKER = 4, /* before HIP (RFC 9028 5.1) */
};

enum side { SIDE_TUN, SIDE_WIRE };
enum direction { DIRECTION_IN = 1, DIRECTION_OUT = 2 };

struct tap {
	struct gate *g;
	uint64_t client;
	struct tapring *ring[WORKERS_MAX + 1]; /* the last is our own */
	unsigned rings;
	uint64_t epoch; /* unix ns when uv_hrtime was 0 */
	uv_timer_t timer;
	uint32_t snaplen;
	bool keys;
	/* The HIP message that is looked at; NULL: none, or no room. */
	struct tap_record *hip;
	uint64_t packets, lost, keys_lost; /* lines */
	unsigned ticks;
	uint8_t *buf;
	size_t used;
	bool must;     /* buf is of keys and statistics */
	unsigned held; /* packets in buf, or lines of keys */
};

struct frame {
	uint64_t when; /* ns, monotonic */
	enum side side;
	enum direction direction;
	uint32_t len;
	const uint8_t *head; /* made here */
	size_t head_len;
	const uint8_t *data;
	size_t data_len;
	const char *comment;
};

/* ---- frames -------------------------------------------------------------------- */

/* False: it is lost. */
static bool hand_over(struct tap *t)
{
	bool sent = !t->used ||
		    control_send(t->g->control, t->client,
				 t->must ? CONTROL_BACKLOG : CONTROL_BEHIND,
				 t->buf, t->used);

	if (!sent && t->must) {
		t->keys_lost += t->held;
	} else if (!sent) {
		t->lost += t->held;
		t->packets -= t->held;
	}
	t->used = 0;
	t->held = 0;
	return sent;
}

/* Room for a frame's content; always there. */
static uint8_t *frame_begin(struct tap *t, char type, size_t len)
{
	bool must = type != 'P';
	uint8_t *p;

	if (BUF - t->used < len + 5 || must != t->must)
		(void)hand_over(t);
	t->must = must;
	p = t->buf + t->used;
	put_be32(p, (uint32_t)len + 1);
	p[4] = (uint8_t)type;
	t->used += len + 5;
	return p + 5;
}

static void put_packet(struct tap *t, const struct frame *f)
{
	size_t comment = strlen(f->comment);
	uint8_t *p = frame_begin(
		t, 'P', PACKET_HEAD + comment + f->head_len + f->data_len);

	put_be64(p, t->epoch + f->when);
	p[8] = (uint8_t)f->side;
	p[9] = (uint8_t)f->direction;
	put_be32(p + 10, f->len);
	put_be16(p + 14, (uint16_t)comment);
	p += PACKET_HEAD;
	memcpy(p, f->comment, comment);
	if (f->head_len)
		memcpy(p + comment, f->head, f->head_len);
	if (f->data_len)
		memcpy(p + comment + f->head_len, f->data, f->data_len);
	t->held++;
	t->packets++;
}

static uint64_t lost(const struct tap *t)
{
	uint64_t n = t->lost;

	for (unsigned k = 0; k < t->rings; k++)
		n += atomic_load_explicit(&t->ring[k]->lost,
					  memory_order_relaxed);
	return n;
}

static void put_stats(struct tap *t, bool end)
{
	char text[160];
	int n;

	(void)hand_over(t); /* it may add to what is lost */
	n = snprintf(text, sizeof(text),
		     "{\"packets\":%llu,\"lost\":%llu,\"keys_lost\":%llu,"
		     "\"end\":%s}",
		     (unsigned long long)t->packets,
		     (unsigned long long)lost(t),
		     (unsigned long long)t->keys_lost, end ? "true" : "false");
	memcpy(frame_begin(t, 'S', (size_t)n), text, (size_t)n);
}

/* ---- comments ------------------------------------------------------------------- */

static const char *proto_name(uint8_t proto)
{
	if (proto == IP_PROTO_TCP)
		return "tcp";
	return proto == IP_PROTO_UDP ? "udp" : "icmp";
}

static int comment_flow(const struct tap_record *r, char *out, size_t cap)
{
	char peer[ADDR_TEXT_MAX];

	hit_print(&r->peer, peer);
	if (r->proto)
		return snprintf(out, cap, "flow %s HIT port %u - %s port %u; ",
				proto_name(r->proto), r->ext_port, peer,
				r->peer_port);
	if (!hit_is_null(&r->peer))
		return snprintf(out, cap, "peer %s; ", peer);
	return 0;
}

static void comment_record(const struct tap_record *r, char out[COMMENT])
{
	static const char *const done[TAP_KINDS] = {
		[TAP_TUN_IN] = "sent",
		[TAP_TUN_OUT] = "written",
		[TAP_WIRE_IN] = "opened",
		[TAP_OWN_OUT] = "by the control thread: a DNS answer or an "
				"ICMP error; written",
		[TAP_WIRE_OUT] = "sent",
		[TAP_HIP_IN] = "taken",
		[TAP_HIP_OUT] = "sent",
	};
	bool hip = r->kind == TAP_HIP_IN || r->kind == TAP_HIP_OUT;
	int n = hip ? snprintf(out, COMMENT, "HIP %s; ",
			       hip_type_name(r->proto))
		    : comment_flow(r, out, COMMENT);

	if (r->spi)
		n += snprintf(out + n, COMMENT - (size_t)n, "SA %08x; ",
			      r->spi);
	if (r->reason != REASON_NUM)
		(void)snprintf(out + n, COMMENT - (size_t)n, "dropped: %s (%s)",
			       reason_name((enum reason)r->reason),
			       reason_why((enum reason)r->reason));
	else if (r->fate == TAP_PASSED)
		(void)snprintf(out + n, COMMENT - (size_t)n,
			       "waits for the control thread: DNS, or no flow "
			       "or SA yet");
	else
		(void)snprintf(out + n, COMMENT - (size_t)n, "%s",
			       done[r->kind]);
}

/* ---- packets --------------------------------------------------------------------- */

/* The outer headers for a datagram of len octets, of which all are at hand
 * or not. */
static size_t outer(const struct endpoint *from, const struct endpoint *to,
		    const uint8_t *data, size_t have, size_t len,
		    uint8_t out[HEADERS])
{
	struct addr self = from->addr;
	struct addr other = to->addr;
	uint32_t l4 = (uint32_t)(UDP_HDR + len);
	size_t n;
	uint64_t sum;

	/* The kernel's choice is not known: it is the other's family's. */
	if (addr_is_unspecified(&self) && addr_is4(&other))
		self = addr_from4((const uint8_t[4]){ 0 });
	if (addr_is_unspecified(&other) && addr_is4(&self))
		other = addr_from4((const uint8_t[4]){ 0 });
	n = ip_put_header(out, &self, &other, IP_PROTO_UDP, l4, 64, 0);
	put_be16(out + n, from->port);
	put_be16(out + n + 2, to->port);
	put_be16(out + n + 4, (uint16_t)l4);
	put_be16(out + n + 6, 0);
	if (have == len) {
		sum = csum_pseudo(&self, &other, IP_PROTO_UDP, l4);
		sum = csum_add(sum, out + n, UDP_HDR);
		sum = csum_add(sum, data, len);
		put_be16(out + n + 6, csum_finish(sum));
	}
	return n + UDP_HDR;
}

static void show_record(struct tap *t, const struct tap_record *r)
{
	uint8_t head[HEADERS];
	char comment[COMMENT];
	bool wire = r->kind >= TAP_WIRE_IN;
	bool in = r->kind == TAP_TUN_IN || r->kind == TAP_WIRE_IN ||
		  r->kind == TAP_HIP_IN;
	struct frame f = {
		.when = r->when,
		.side = wire ? SIDE_WIRE : SIDE_TUN,
		.direction = in ? DIRECTION_IN : DIRECTION_OUT,
		.len = r->len,
		.head = head,
		.data = r->data,
		.data_len = r->caplen,
		.comment = comment,
	};

	if (wire)
		f.head_len = outer(&r->from, &r->to, r->data, r->caplen, r->len,
				   head);
	f.len += (uint32_t)f.head_len;
	comment_record(r, comment);
	put_packet(t, &f);
}

/* The oldest first. Workers go on meanwhile: what comes from now on, and what
 * is more than so many octets, is for the next time. */
static void drain(struct tap *t, size_t octets)
{
	uint64_t now = uv_hrtime();
	size_t done = 0;

	while (done < octets) {
		const struct tap_record *best = NULL;
		unsigned of = 0;

		for (unsigned k = 0; k < t->rings; k++) {
			const struct tap_record *r = tapring_peek(t->ring[k]);

			if (r && (!best || r->when < best->when)) {
				best = r;
				of = k;
			}
		}
		if (!best || best->when > now)
			return;
		done += best->size;
		show_record(t, best);
		tapring_done(t->ring[of], best);
	}
}

/* ---- what this thread reads and writes ---------------------------------------- */

static struct tapring *own(struct tap *t)
{
	return t->ring[t->rings - 1];
}

void tap_tun(struct gate *g, const void *pkt, size_t len)
{
	struct tapring *r = own(g->tap);
	struct tap_record *rec = tapring_put(r, TAP_OWN_OUT, uv_hrtime(), len);

	if (rec)
		memcpy(rec->data, pkt, rec->caplen);
	if (!g->tap->hip)
		tapring_publish(r);
}

static struct tap_record *put_hip(struct tap *t, enum tap_kind kind,
				  const struct endpoint *from,
				  const struct endpoint *to, const uint8_t *msg,
				  size_t len)
{
	struct tap_record *rec =
		tapring_put(own(t), kind, uv_hrtime(), MARKER + len);
	size_t n;

	if (!rec)
		return NULL;
	n = rec->caplen < MARKER ? rec->caplen : MARKER;
	memset(rec->data, 0, n);
	memcpy(rec->data + n, msg, rec->caplen - n);
	rec->from = *from;
	rec->to = *to;
	rec->proto = len > 2 ? msg[2] & 0x7f : 0; /* RFC 7401 5.1: its type */
	return rec;
}

void tap_hip_in(struct gate *g, const struct endpoint *from,
		const struct endpoint *to, const uint8_t *msg, size_t len)
{
	g->tap->hip = put_hip(g->tap, TAP_HIP_IN, from, to, msg, len);
}

void tap_hip_done(struct gate *g, enum reason why)
{
	if (g->tap->hip)
		g->tap->hip->reason = (uint16_t)why;
	g->tap->hip = NULL;
	tapring_publish(own(g->tap));
}

void tap_hip_out(struct gate *g, const struct endpoint *from,
		 const struct endpoint *to, const uint8_t *msg, size_t len,
		 enum reason why)
{
	struct tap_record *rec =
		put_hip(g->tap, TAP_HIP_OUT, from, to, msg, len);

	if (rec)
		rec->reason = (uint16_t)why;
	if (!g->tap->hip)
		tapring_publish(own(g->tap));
}

/* ---- keys ------------------------------------------------------------------------ */

static void put_line(void *arg, const char *line, size_t len)
{
	struct tap *t = arg;

	memcpy(frame_begin(t, 'K', len), line, len);
	t->held++;
}

static void sa_keys_put(struct sa *sa, void *arg)
{
	tapkeys_lines(sa, put_line, arg);
}

void tap_keys(struct gate *g, const struct sa *sa)
{
	if (g->tap->keys)
		sa_keys_put((struct sa *)sa, g->tap);
}

/* ---- life -------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct tap *t = h->data;

	explicit_bzero(t->buf, BUF); /* there may be keys in it */
	free(t->buf);
	free(t);
}

static void end(struct tap *t)
{
	struct gate *g = t->g;
	json_int_t num, gone;

	for (unsigned k = 0; k + 1 < t->rings; k++)
		atomic_store_explicit(&g->workers[k].tap, NULL,
				      memory_order_release);
	tap_hip_done(g, REASON_NUM);
	drain(t, SIZE_MAX);
	put_stats(t, true);
	if (!hand_over(t))
		control_hang_up(g->control, t->client); /* it would wait */
	num = (json_int_t)t->packets;
	gone = (json_int_t)lost(t);
	events_add(&g->events, uv_hrtime(), "", "capture-end",
		   json_pack("{s:I,s:I}", "packets", num, "lost", gone),
		   "the capture has ended: %lld packets, %lld lost", num, gone);
	for (unsigned k = 0; k < t->rings; k++)
		tapring_retire(t->ring[k]);
	g->tap = NULL;
	uv_close((uv_handle_t *)&t->timer, on_closed);
}

static void on_tick(uv_timer_t *timer)
{
	struct tap *t = timer->data;

	if (!control_is_there(t->g->control, t->client)) {
		end(t);
		return;
	}
	drain(t, TICK_OCTETS);
	if (++t->ticks == STATS_TICKS) {
		put_stats(t, false); /* a sign of life, too */
		t->ticks = 0;
	}
	(void)hand_over(t);
}

/* Who may see what all others say is for the log, and the keys for all who
 * read it. */
static void audit(const struct tap *t)
{
	struct gate *g = t->g;
	unsigned uid = 0, pid = 0;

	(void)control_who(g->control, t->client, &uid, &pid);
	if (t->keys)
		log_warn(
			"event=capture-keys uid=%u pid=%u text=\"can read what "
			"all peers say\"",
			uid, pid);
	else
		log_info("event=capture uid=%u pid=%u", uid, pid);
	events_add(&g->events, uv_hrtime(), "",
		   t->keys ? "capture-keys" : "capture",
		   json_pack("{s:I,s:I,s:i}", "uid", (json_int_t)uid, "pid",
			     (json_int_t)pid, "snaplen", (int)t->snaplen),
		   "user %u, process %u captures packets%s", uid, pid,
		   t->keys ? " and has the keys of all SAs" : "");
}

static uint64_t epoch(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec -
	       uv_hrtime();
}

static int rings_make(struct tap *t)
{
	int err = HG_OK;

	while (!err && t->rings <= t->g->plane.workers_num) {
		err = tapring_new(t->snaplen, &t->ring[t->rings]);
		if (!err)
			t->rings++;
	}
	while (err && t->rings)
		tapring_free(t->ring[--t->rings]);
	return err;
}

static int start(struct gate *g, uint64_t client, uint32_t snaplen, bool keys)
{
	struct tap *t = calloc(1, sizeof(*t));
	int err = HG_ENOMEM;

	if (!t)
		return err;
	t->g = g;
	t->client = client;
	t->snaplen = snaplen;
	t->keys = keys;
	t->epoch = epoch();
	t->buf = malloc(BUF);
	if (t->buf)
		err = rings_make(t);
	if (err) {
		free(t->buf);
		free(t);
		return err;
	}
	t->timer.data = t;
	(void)uv_timer_init(g->loop, &t->timer);
	(void)uv_timer_start(&t->timer, on_tick, TICK_MS, TICK_MS);
	g->tap = t;
	audit(t);
	(void)control_answer(g->control, client, "capture",
			     json_pack("{s:i,s:s,s:s,s:b}", "snaplen",
				       (int)snaplen, "tun", g->plane.tun.name,
				       "daemon", HIPGATE_VERSION, "keys",
				       (int)keys));
	if (keys)
		tables_each_sa(&g->plane.tables, sa_keys_put, t);
	for (unsigned k = 0; k + 1 < t->rings; k++)
		atomic_store_explicit(&g->workers[k].tap, t->ring[k],
				      memory_order_release);
	return HG_OK;
}

int tap_begin(struct gate *g, uint64_t client, const json_t *req, char *errbuf,
	      size_t errlen)
{
	json_int_t snaplen =
		json_integer_value(json_object_get(req, "snaplen"));
	int err;

	if (json_is_true(json_object_get(req, "stop"))) {
		if (g->tap && g->tap->client == client)
			end(g->tap);
		return HG_OK;
	}
	if (g->tap) {
		(void)snprintf(errbuf, errlen,
			       "another capture is running; there is one at a "
			       "time");
		return HG_EEXIST;
	}
	if (snaplen <= 0 || snaplen > SNAPLEN_MAX)
		snaplen = SNAPLEN_MAX;
	err = start(g, client, (uint32_t)snaplen,
		    json_is_true(json_object_get(req, "keys")));
	if (err)
		(void)snprintf(errbuf, errlen, "capture: %s", err_text(err));
	return err;
}

void tap_stop(struct gate *g)
{
	if (g->tap)
		end(g->tap);
}
