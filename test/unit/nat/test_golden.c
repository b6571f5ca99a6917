/* SPDX-License-Identifier: MIT */
/* Golden packets, one pair for each rule; each followed by its mutations
 * with their exact reasons and the flow exactly as it was. */
#include "test/unit/nat/golden_packets.h"

#include "core/checksum.h"
#include "test/unit/nat/nat_bed.h"

enum { GOLDEN_NUM = sizeof(golden) / sizeof(golden[0]), MAX = 256 };

static const struct ip_offload plain;

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t len = 0;

	ck_assert_int_eq(
		sodium_hex2bin(out, MAX, hex, strlen(hex), NULL, &len, NULL),
		0);
	return len;
}

static struct nat_flow flow_of(const struct golden *w)
{
	struct bed b = bed_of(w->v6);

	return bed_flow(&b, w->proto, 5000, 40001, 80);
}

static enum reason client_data(struct nat_flow *f, uint8_t *pkt, size_t len,
			       uint8_t *out, size_t *out_len)
{
	struct nat_ranges r = bed_ranges();
	struct nat_packet p;
	enum nat_class class = nat_classify(pkt, len, &r, &p);
	enum reason why;

	if (class == NAT_DROP)
		return p.reason;
	if (class != NAT_DATA || memcmp(&p.key, &f->key, sizeof(p.key)) != 0)
		return REASON_NO_FLOW;
	why = nat_to_hip(f, &p, &plain, 1360, 1);
	if (why != REASON_NUM)
		return why;
	memcpy(out, p.ip.l4, p.ip.l4_len);
	*out_len = p.ip.l4_len;
	return why;
}

static enum reason client_error(struct nat_flow *f, uint8_t *pkt, size_t len,
				uint8_t *out, size_t *out_len)
{
	struct nat_ranges r = bed_ranges();
	struct nat_packet p;
	enum nat_class class = nat_classify(pkt, len, &r, &p);

	if (class == NAT_DROP)
		return p.reason;
	if (class != NAT_ERROR || memcmp(&p.key, &f->key, sizeof(p.key)) != 0)
		return REASON_NO_FLOW;
	return nat_error_to_hip(f, &p, out, MAX, out_len);
}

static enum reason peer_packet(struct nat_flow *f, uint8_t proto, uint8_t *l4,
			       size_t len, uint8_t *out, size_t *out_len)
{
	static const struct nat_arrival in = {
		.now = 1, .mss = 1360, .id = 0x1234, .tos = 0x2a, .ttl = 57
	};
	struct nat_back key;
	bool error;
	enum reason why = nat_back_key(proto, l4, len, &f->back.self,
				       &f->back.peer, &key, &error);

	if (why != REASON_NUM)
		return why;
	if (memcmp(&key, &f->back, sizeof(key)) != 0)
		return REASON_NO_FLOW;
	if (error)
		return nat_error_to_legacy(f, l4, len, out, MAX, out_len);
	why = nat_to_legacy(f, l4, len, &in, out, out_len);
	if (why != REASON_NUM)
		return why;
	memcpy(out + *out_len, l4, len);
	*out_len += len;
	return why;
}

/* Translates an exact copy of in, which a reader beyond it would trip on. */
static enum reason translate(const struct golden *w, struct nat_flow *f,
			     const uint8_t *in, size_t len, uint8_t out[MAX],
			     size_t *out_len)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum reason why = REASON_NUM;

	memcpy(copy, in, len);
	switch (w->kind) {
	case TO_HIP:
		why = client_data(f, copy, len, out, out_len);
		break;
	case ERROR_TO_HIP:
		why = client_error(f, copy, len, out, out_len);
		break;
	case TO_CLIENT:
		why = peer_packet(f, w->proto, copy, len, out, out_len);
		break;
	case ERROR_TO_CLIENT:
		why = peer_packet(f, IP_PROTO_ICMP6, copy, len, out, out_len);
		break;
	}
	free(copy);
	return why;
}

START_TEST(what_comes_leaves_as_the_rule_says)
{
	const struct golden *w = &golden[_i];
	struct nat_flow f = flow_of(w);
	uint8_t in[MAX];
	uint8_t want[MAX];
	uint8_t out[MAX];
	size_t len = unhex(w->in, in);
	size_t want_len = unhex(w->out, want);
	size_t n = 0;

	ck_assert_msg(translate(w, &f, in, len, out, &n) == REASON_NUM,
		      "%s: %s", w->name, w->rule);
	ck_assert_msg(n == want_len, "%s: %s", w->name, w->rule);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(out[i] == want[i],
			      "%s: %s: octet %zu is %02x, not %02x", w->name,
			      w->rule, i, out[i], want[i]);
}
END_TEST

/* Refused for just this, and the flow as it was. */
static void refuse(const struct golden *w, const uint8_t *in, size_t len,
		   enum reason why, const char *what)
{
	struct nat_flow f = flow_of(w);
	struct nat_flow was;
	uint8_t out[MAX];
	size_t n;
	enum reason got;

	memcpy(&was, &f, sizeof(f));
	got = translate(w, &f, in, len, out, &n);
	ck_assert_msg(got == why, "%s, %s, %zu octets: %s, not %s", w->name,
		      what, len, reason_name(got), reason_name(why));
	ck_assert_mem_eq(&f, &was, sizeof(f));
}

/* What the first n octets of a packet end in; REASON_NUM: nothing is wrong
 * with them, as far as anyone can see. */
static enum reason reason_of_cut(const struct golden *w, size_t n)
{
	switch (w->kind) {
	case TO_HIP:
	case ERROR_TO_HIP:
		return REASON_IP_TRUNCATED;
	case TO_CLIENT:
		if (n < (w->proto == IP_PROTO_TCP ? TCP_HDR : ICMP_HDR) ||
		    w->proto == IP_PROTO_UDP)
			return REASON_L4_TRUNCATED;
		return REASON_NUM;
	case ERROR_TO_CLIENT:
		if (n < ICMP_HDR)
			return REASON_L4_TRUNCATED;
		n -= strstr(w->name, "_CUT") ? IP_FRAGMENT_HDR : 0;
		return n < ICMP_HDR + IP6_HDR + 8 ? REASON_ICMP_ERROR
						  : REASON_L4_CHECKSUM;
	}
	return REASON_NUM;
}

START_TEST(cut_short_anywhere_it_is_refused)
{
	const struct golden *w = &golden[_i];
	uint8_t in[MAX];
	size_t len = unhex(w->in, in);

	for (size_t n = 0; n < len; n++)
		if (reason_of_cut(w, n) != REASON_NUM)
			refuse(w, in, n, reason_of_cut(w, n), "cut");
}
END_TEST

/* The octets at `at` become `with`; then checksums are made right again, so
 * that the check behind them is met. */
enum mend { AS_IS, MEND_IP4, MEND_ICMP };

static const struct {
	enum golden_kind kind;
	const char *name;
	size_t at;
	const char *with;
	enum mend mend;
	enum reason why;
} mutations[] = {
	/* IPv4 header */
	{ TO_HIP, "TCP4", 0, "55", AS_IS, REASON_IP_VERSION },
	{ TO_HIP, "TCP4", 0, "44", AS_IS, REASON_IP_TRUNCATED },
	{ TO_HIP, "TCP4", 0, "4f", AS_IS, REASON_IP_TRUNCATED },
	{ TO_HIP, "TCP4", 2, "0030", MEND_IP4, REASON_IP_TRUNCATED },
	{ TO_HIP, "TCP4", 2, "ffff", MEND_IP4, REASON_IP_TRUNCATED },
	{ TO_HIP, "TCP4", 2, "0013", MEND_IP4, REASON_IP_TRUNCATED },
	{ TO_HIP, "TCP4", 2, "0000", MEND_IP4, REASON_IP_TRUNCATED },
	{ TO_HIP, "TCP4", 2, "0027", MEND_IP4, REASON_L4_TRUNCATED },
	{ TO_HIP, "TCP4", 8, "00", MEND_IP4, REASON_TTL_EXPIRED },
	{ TO_HIP, "TCP4", 8, "3f", AS_IS, REASON_IP_CHECKSUM },
	{ TO_HIP, "TCP4", 9, "84", MEND_IP4, REASON_IP_PROTO },
	{ TO_HIP, "TCP4", 9, "3a", MEND_IP4, REASON_IP_PROTO },
	{ TO_HIP, "TCP4", 12, "7f", MEND_IP4, REASON_IP_BAD_ADDR },
	{ TO_HIP, "TCP4", 12, "00000000", MEND_IP4, REASON_IP_BAD_ADDR },
	{ TO_HIP, "TCP4", 12, "ffffffff", MEND_IP4, REASON_IP_BAD_ADDR },
	{ TO_HIP, "TCP4", 12, "c6120001", MEND_IP4, REASON_IP_BAD_ADDR },
	{ TO_HIP, "TCP4", 16, "cb", MEND_IP4, REASON_IP_BAD_ADDR },
	{ TO_HIP, "TCP4", 16, "c612004e", MEND_IP4, REASON_NO_FLOW },
	{ TO_HIP, "OPTIONS4", 22, "04", MEND_IP4, REASON_IP_EXT_HEADER },
	{ TO_HIP, "OPTIONS4", 20, "890704", MEND_IP4, REASON_IP_EXT_HEADER },
	{ TO_HIP, "OPTIONS4", 21, "09", MEND_IP4, REASON_IP_TRUNCATED },
	{ TO_HIP, "OPTIONS4", 21, "00", MEND_IP4, REASON_IP_TRUNCATED },
	{ TO_HIP, "OPTIONS4", 21, "01", MEND_IP4, REASON_IP_TRUNCATED },
	/* IPv6 headers */
	{ TO_HIP, "TCP6", 4, "001c", AS_IS, REASON_IP_TRUNCATED },
	{ TO_HIP, "TCP6", 4, "ffff", AS_IS, REASON_IP_TRUNCATED },
	{ TO_HIP, "TCP6", 4, "0013", AS_IS, REASON_L4_TRUNCATED },
	{ TO_HIP, "TCP6", 4, "0000", AS_IS, REASON_L4_TRUNCATED },
	{ TO_HIP, "TCP6", 6, "84", AS_IS, REASON_IP_PROTO },
	{ TO_HIP, "TCP6", 6, "01", AS_IS, REASON_IP_PROTO },
	{ TO_HIP, "TCP6", 7, "00", AS_IS, REASON_TTL_EXPIRED },
	{ TO_HIP, "TCP6", 8, "ff02", AS_IS, REASON_IP_BAD_ADDR },
	{ TO_HIP, "TCP6", 8, "20010021", AS_IS, REASON_IP_BAD_ADDR },
	{ TO_HIP, "TCP6", 8, "fd00000900000000", AS_IS, REASON_IP_BAD_ADDR },
	{ TO_HIP, "TCP6", 8, "00000000000000000000ffff", AS_IS,
	  REASON_IP_BAD_ADDR },
	{ TO_HIP, "TCP6", 24, "20010021", AS_IS, REASON_IP_BAD_ADDR },
	{ TO_HIP, "EXTENSIONS6", 41, "ff", AS_IS, REASON_IP_TRUNCATED },
	{ TO_HIP, "EXTENSIONS6", 57, "02", AS_IS, REASON_IP_TRUNCATED },
	{ TO_HIP, "EXTENSIONS6", 48, "00", AS_IS, REASON_IP_EXT_HEADER },
	{ TO_HIP, "EXTENSIONS6", 59, "01", AS_IS, REASON_IP_EXT_HEADER },
	{ TO_HIP, "EXTENSIONS6", 56, "3b", AS_IS, REASON_IP_PROTO },
	{ TO_HIP, "ATOMIC6", 40, "00", AS_IS, REASON_IP_EXT_HEADER },
	{ TO_HIP, "ATOMIC6", 40, "2c", AS_IS, REASON_IP_EXT_HEADER },
	{ TO_HIP, "ATOMIC6", 40, "2b", AS_IS, REASON_IP_EXT_HEADER },
	/* upper layer */
	{ TO_HIP, "TCP4", 20, "1389", AS_IS, REASON_NO_FLOW },
	{ TO_HIP, "TCP4", 32, "40", AS_IS, REASON_L4_TRUNCATED },
	{ TO_HIP, "TCP4", 32, "70", AS_IS, REASON_L4_TRUNCATED },
	{ TO_HIP, "UDP4", 24, "0010", AS_IS, REASON_L4_TRUNCATED },
	{ TO_HIP, "UDP4", 24, "0007", AS_IS, REASON_L4_TRUNCATED },
	{ TO_HIP, "UDP4", 24, "0000", AS_IS, REASON_L4_TRUNCATED },
	{ TO_HIP, "UDP6", 46, "0000", AS_IS, REASON_L4_CHECKSUM },
	{ TO_HIP, "ECHO4", 20, "00", AS_IS, REASON_IP_PROTO },
	{ TO_HIP, "ECHO4", 20, "0d", AS_IS, REASON_IP_PROTO },
	{ TO_HIP, "ECHO6", 40, "81", AS_IS, REASON_IP_PROTO },
	{ TO_HIP, "ECHO6", 40, "87", AS_IS, REASON_IP_PROTO },
	/* errors of the client's side */
	{ ERROR_TO_HIP, "UNREACH4", 22, "0000", AS_IS, REASON_L4_CHECKSUM },
	{ ERROR_TO_HIP, "UNREACH4", 20, "04", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 20, "05", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 21, "0e", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 21, "10", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 20, "0c01", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 28, "65", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 28, "4f", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 30, "0010", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 34, "0001", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 37, "01", MEND_ICMP, REASON_NO_FLOW },
	{ ERROR_TO_HIP, "UNREACH4", 37, "84", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 40, "c612004e", MEND_ICMP,
	  REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH4", 44, "c000020b", MEND_ICMP, REASON_NO_FLOW },
	{ ERROR_TO_HIP, "UNREACH6", 42, "0000", AS_IS, REASON_L4_CHECKSUM },
	{ ERROR_TO_HIP, "UNREACH6", 40, "05", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "UNREACH6", 54, "3c", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "TOO_BIG6_CUT", 90, "0009", MEND_ICMP,
	  REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "TOO_BIG6_CUT", 52, "0007", MEND_ICMP,
	  REASON_ICMP_ERROR },
	{ ERROR_TO_HIP, "TOO_BIG6_CUT", 88, "2c", MEND_ICMP,
	  REASON_ICMP_ERROR },
	/* out of ESP */
	{ TO_CLIENT, "TCP4", 2, "9c42", AS_IS, REASON_NO_FLOW },
	{ TO_CLIENT, "TCP4", 0, "0051", AS_IS, REASON_NO_FLOW },
	{ TO_CLIENT, "TCP4", 12, "40", AS_IS, REASON_L4_TRUNCATED },
	{ TO_CLIENT, "TCP4", 12, "70", AS_IS, REASON_L4_TRUNCATED },
	{ TO_CLIENT, "UDP4", 4, "0010", AS_IS, REASON_L4_TRUNCATED },
	{ TO_CLIENT, "UDP4", 4, "000e", AS_IS, REASON_L4_TRUNCATED },
	{ TO_CLIENT, "UDP4", 6, "0000", AS_IS, REASON_L4_CHECKSUM },
	{ TO_CLIENT, "UDP6", 6, "0000", AS_IS, REASON_L4_CHECKSUM },
	{ TO_CLIENT, "ECHO4", 0, "80", AS_IS, REASON_NO_FLOW },
	{ TO_CLIENT, "ECHO4", 0, "87", AS_IS, REASON_IP_PROTO },
	{ TO_CLIENT, "ECHO6", 4, "9c42", AS_IS, REASON_NO_FLOW },
	/* errors out of ESP */
	{ ERROR_TO_CLIENT, "UNREACH4", 2, "0000", AS_IS, REASON_L4_CHECKSUM },
	{ ERROR_TO_CLIENT, "UNREACH4", 0, "05", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_CLIENT, "UNREACH4", 1, "05", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_CLIENT, "UNREACH4", 0, "0402", MEND_ICMP,
	  REASON_ICMP_ERROR },
	{ ERROR_TO_CLIENT, "UNREACH4", 8, "40", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_CLIENT, "UNREACH4", 12, "0007", MEND_ICMP,
	  REASON_ICMP_ERROR },
	{ ERROR_TO_CLIENT, "UNREACH4", 14, "84", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_CLIENT, "UNREACH4", 16, "2002", MEND_ICMP,
	  REASON_ICMP_ERROR },
	{ ERROR_TO_CLIENT, "UNREACH4", 48, "9c42", MEND_ICMP, REASON_NO_FLOW },
	{ ERROR_TO_CLIENT, "TOO_BIG4_CUT", 50, "0009", MEND_ICMP,
	  REASON_ICMP_ERROR },
	{ ERROR_TO_CLIENT, "UNREACH6", 0, "05", MEND_ICMP, REASON_ICMP_ERROR },
	{ ERROR_TO_CLIENT, "UNREACH6", 0, "89", AS_IS, REASON_IP_PROTO },
};

enum { MUTATIONS_NUM = sizeof(mutations) / sizeof(mutations[0]) };

static void mend_icmp(const struct golden *w, uint8_t *in, size_t len)
{
	static const uint8_t hdr[] = { IP4_HDR, IP6_HDR };
	struct bed b = bed_of(w->v6);
	struct addr from;
	uint8_t *icmp = in;
	uint16_t sum;

	if (w->kind == ERROR_TO_HIP)
		icmp += hdr[w->v6];
	len -= (size_t)(icmp - in);
	put_be16(icmp + 2, 0);
	if (w->kind == ERROR_TO_CLIENT) {
		sum = bed_hit_sum(&b.peer, &b.self, IP_PROTO_ICMP6, icmp, len);
	} else {
		from = w->v6 ? addr_from6(in + 8) : addr_from4(in + 12);
		sum = bed_addr_sum(&from, &b.virt,
				   w->v6 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP, icmp,
				   len);
	}
	put_be16(icmp + 2, (uint16_t)~sum);
}

static const struct golden *find(enum golden_kind kind, const char *name)
{
	for (int i = 0; i < GOLDEN_NUM; i++)
		if (golden[i].kind == kind && !strcmp(golden[i].name, name))
			return &golden[i];
	ck_abort_msg("no golden packet %s", name);
	return NULL;
}

START_TEST(changed_in_one_place_it_has_its_reason)
{
	const struct golden *w = find(mutations[_i].kind, mutations[_i].name);
	uint8_t in[MAX];
	uint8_t with[MAX];
	char what[80];
	size_t len = unhex(w->in, in);
	size_t n = unhex(mutations[_i].with, with);

	snprintf(what, sizeof(what), "octets %zu: %s", mutations[_i].at,
		 mutations[_i].with);
	ck_assert_mem_ne(in + mutations[_i].at, with, n);
	memcpy(in + mutations[_i].at, with, n);
	if (mutations[_i].mend == MEND_IP4) {
		size_t hdr = (size_t)(in[0] & 15) * 4;

		put_be16(in + 10, 0);
		put_be16(in + 10, csum_finish(csum_add(0, in, hdr)));
	} else if (mutations[_i].mend == MEND_ICMP) {
		mend_icmp(w, in, len);
	}
	refuse(w, in, len, mutations[_i].why, what);
}
END_TEST

Suite *test_golden_suite(void)
{
	Suite *s = suite_create("golden");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, what_comes_leaves_as_the_rule_says, 0,
			    GOLDEN_NUM);
	tcase_add_loop_test(t, cut_short_anywhere_it_is_refused, 0, GOLDEN_NUM);
	tcase_add_loop_test(t, changed_in_one_place_it_has_its_reason, 0,
			    MUTATIONS_NUM);
	suite_add_tcase(s, t);
	return s;
}
