/* SPDX-License-Identifier: MIT */
/* Writes docs/state-machine.md: the state table, from the code that runs. */
/* THEORY OF OPERATION
 * usage: stategraph >docs/state-machine.md   (in the root of the tree)
 *
 * The events and the functions behind the cells are read from
 * hip/statetab.h and hip/statetab.c, their only home. What a cell does is
 * taken from the unit test's walk, which is included below: each cell is
 * driven here once more, in a pair of engines, and one that does not do what
 * is written down ends the program. A cell with a function that the walk
 * finds empty ends it as well, and the other way round.
 *
 * By hand are only the words beside a function and the list of what differs
 * from RFC 7401; both may lack a row without harm. test/run lint compares
 * the file with what this program says.
 */
#include "test/unit/hip/test_statetab.c"

#include <ctype.h>

#define NAME_MAX_LEN 40
#define RFC_TABLE_FIRST 2 /* UNASSOCIATED is Table 2 of RFC 7401 */

struct graph {
	char event[STATETAB_NUM][NAME_MAX_LEN];
	char cell[HIP_STATE_NUM][STATETAB_NUM][NAME_MAX_LEN];
};

/* ---- by hand ------------------------------------------------------------- */

static const struct {
	const char *function;
	const char *words;
} words[] = {
	{ "initiator_want", "a new association begins to ask" },
	{ "initiator_want_joined", "under way or up already" },
	{ "initiator_want_again", "another incarnation; the old keys go" },
	{ "initiator_want_closed", "asks; a CLOSE is still answered" },
	{ "initiator_want_held", "refused until the hold ends" },
	{ "initiator_i1_timer",
	  "the next locator, or I1 again; after five E-FAILED" },
	{ "initiator_r1", "if asked for and not too hard: verified, solved" },
	{ "initiator_r1_ok", "new keys; a provisional locator" },
	{ "initiator_i2_timer",
	  "I2 again; to a doubtful locator four times, then I1-SENT once; "
	  "after five E-FAILED" },
	{ "r2taker_r2", "MAC first, then the signature" },
	{ "r2taker_r2_ok", "SA up; locator committed" },
	{ "initiator_held_timer", "the association is forgotten" },
	{ "responder_i1", "an R1 from the pool; nothing is kept" },
	{ "responder_i1_crossing",
	  "the greater HIT answers, the smaller drops" },
	{ "responder_i2", "puzzle first; a known I2 gets its R2 again" },
	{ "i2taker_ok", "takes over: new keys, SA up" },
	{ "responder_i2_crossing", "the greater HIT looks at it" },
	{ "i2taker_ok_crossing", "the greater HIT takes over" },
	{ "responder_data", "the peer has R2" },
	{ "responder_timer", "exchange complete (EC); R2 is kept" },
	{ "update_input", "a new SEQ, or the ACK waited for" },
	{ "update_ok", "done and acknowledged" },
	{ "closing_close", "MAC first, then the signature" },
	{ "closing_close_ok", "SA down; the keys stay for CLOSE_ACKs" },
	{ "closing_ack", "the nonce of our CLOSE, MAC, signature" },
	{ "closing_ack_ok", "forgotten; not while asking again" },
	{ "closing_abort",
	  "nothing agreed yet: forgotten; CLOSED: asks no more" },
	{ "closing_leave", "SA down at once" },
	{ "closing_timer", "CLOSE again; after UAL + MSL forgotten" },
	{ "closing_closed_timer", "forgotten after UAL + 2 MSL; I1 if asking" },
	{ "closing_idle_timer", "unused for UAL, or UPDATE unanswered" },
	{ "seen", "informational" },
	{ "notify_ok", "informational" },
};

static const struct {
	enum hip_state state;
	const char *event;
	const char *differs;
} beside[] = {
	{ HIP_UNASSOCIATED, "data, CLOSE",
	  "No ICMP is sent, it is optional: the packet is counted." },
	{ HIP_I1_SENT, "R1",
	  "A peer that does not know our HIT suite: another identity of ours "
	  "begins again when the I1 timer is due, not at once, so that a "
	  "better R1 may come first; without one E-FAILED (6.8 step 6)." },
	{ HIP_I1_SENT, "TIMER",
	  "I1_RETRIES_MAX counts the first I1 too; the RFC leaves `equal` "
	  "open. While a puzzle is being solved no I1 is sent." },
	{ HIP_I2_SENT, "R1",
	  "Only with a greater R1_COUNTER than the R1 answered (6.8 step 8)." },
	{ HIP_I2_SENT, "I2",
	  "The smaller HIT drops before it verifies, not after: the outcome "
	  "is the same, and cheaper." },
	{ HIP_I2_SENT, "TIMER",
	  "Goes back to I1-SENT once, when I2s to a locator that only the "
	  "source of an R1 vouched for stay unanswered. I2_RETRIES_MAX as "
	  "above." },
	{ HIP_R2_SENT, "I2",
	  "The same I2 gets the same R2; another one takes over only if its "
	  "R1 was given out later (docs/choices.md)." },
	{ HIP_R2_SENT, "CLOSE",
	  "One that fails stays in R2-SENT; Table 5 says ESTABLISHED, which "
	  "is a slip (checklist, choice 11)." },
	{ HIP_ESTABLISHED, "I2", "As in R2-SENT." },
	{ HIP_ESTABLISHED, "TIMER",
	  "No CLOSE for want of use while a registration needs the "
	  "association. An unanswered UPDATE closes it, too (6.11)." },
	{ HIP_CLOSING, "R1",
	  "Dropped. To want again leads to I1-SENT (Table 7), so an R1 that "
	  "meets CLOSING was not asked for; 6.8 step 2 drops it, too." },
	{ HIP_CLOSED, "R1",
	  "Only while we ask; the state alone does not say." },
	{ HIP_CLOSED, "CLOSE_ACK",
	  "While we ask it is taken and changes nothing: the new exchange "
	  "goes on from CLOSED." },
	{ HIP_E_FAILED, "I1, I2",
	  "Answered; Table 9 has no packets. The hold keeps back our own "
	  "attempts; a peer that comes by itself is there." },
};

/* ---- from the source ------------------------------------------------------ */

static void die(const char *why, const char *what)
{
	fprintf(stderr, "stategraph: %s: %s\n", why, what);
	exit(1);
}

static FILE *source(const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f)
		die("run it in the root of the tree; cannot open", path);
	return f;
}

/* Copies the name at p; what follows it. */
static const char *word(const char *p, char out[NAME_MAX_LEN])
{
	size_t n = 0;

	while ((isalnum((unsigned char)*p) || *p == '_') &&
	       n + 1 < NAME_MAX_LEN)
		out[n++] = *p++;
	out[n] = '\0';
	return p;
}

/* enum statetab_kind, in its order. */
static void read_events(struct graph *g)
{
	FILE *f = source("hip/statetab.h");
	char line[200];
	size_t n = 0;

	while (fgets(line, sizeof(line), f) && n < STATETAB_NUM) {
		if (strncmp(line, "\tSTATETAB_", 10) == 0)
			word(line + 10, g->event[n++]);
	}
	fclose(f);
	if (n != STATETAB_NUM)
		die("hip/statetab.h", "not every event has its own line");
}

static size_t event_of_name(const struct graph *g, const char *name)
{
	size_t k = 0;

	while (k < STATETAB_NUM && strcmp(g->event[k], name) != 0)
		k++;
	if (k == STATETAB_NUM)
		die("hip/statetab.c: no such event", name);
	return k;
}

/* "HIP_I1_SENT" is the state "I1-SENT". */
static size_t state_of_name(char *name)
{
	size_t s = 0;

	for (char *p = name; *p; p++)
		*p = *p == '_' ? '-' : *p;
	while (s < HIP_STATE_NUM &&
	       strcmp(hip_state_name((enum hip_state)s), name + 4) != 0)
		s++;
	if (s == HIP_STATE_NUM)
		die("hip/statetab.c: no such state", name);
	return s;
}

/* Lines "[HIP_STATE] = {" and "[EVENT] = function,". */
static void read_cells(struct graph *g)
{
	FILE *f = source("hip/statetab.c");
	size_t s = HIP_STATE_NUM;
	char line[200];

	while (fgets(line, sizeof(line), f)) {
		const char *p = line + strspn(line, "\t");
		char name[NAME_MAX_LEN];

		if (*p++ != '[')
			continue;
		if (strncmp(p, "STATETAB_", 9) == 0)
			p += 9;
		p = word(p, name);
		if (strncmp(p, "] = {", 5) == 0 && !strchr(p, '"'))
			s = state_of_name(name);
		else if (strncmp(p, "] = ", 4) == 0 && p[4] != '"')
			word(p + 4, g->cell[s][event_of_name(g, name)]);
	}
	fclose(f);
	if (s == HIP_STATE_NUM)
		die("hip/statetab.c", "no table found");
}

/* ---- from the engine ------------------------------------------------------- */

/* Every cell, driven; empty ones of a state in one pair. */
static void drive(const struct graph *g, enum hip_state s)
{
	static struct wire w;
	struct lab *lab = lab_in(s, &w, true);

	for (int k = 0; k < STATETAB_NUM; k++) {
		bool empty =
			rfc[s][k].what == DROP || rfc[s][k].what == NOTHING;

		if (empty != !g->cell[s][k][0])
			die("the walk and hip/statetab.c differ", g->event[k]);
		if (empty)
			empty_cell(lab, s, (enum statetab_kind)k);
		else if (rfc[s][k].what == ACT)
			full_cell(s, (enum statetab_kind)k);
	}
	lab_free(lab);
}

/* ---- on paper ---------------------------------------------------------------- */

/* As a person says it: a packet that was verified is that packet. */
static const char *event_name(const struct graph *g, int k)
{
	return type_of[k] ? hip_type_name(type_of[k]) : g->event[k];
}

static const char *words_for(const char *function)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].function, function) == 0)
			return words[i].words;
	}
	return "";
}

/* Mermaid takes no '-' in an id. */
static const char *id(enum hip_state s)
{
	static char out[2][NAME_MAX_LEN];
	static unsigned n;
	char *p = out[n = !n];

	snprintf(p, NAME_MAX_LEN, "%s", hip_state_name(s));
	for (; *p; p++)
		*p = *p == '-' ? '_' : *p;
	return out[n];
}

static void edge(enum hip_state from, enum hip_state to, const char *event,
		 uint8_t sends)
{
	printf("    %s --> %s: ", id(from), id(to));
	printf(sends ? "%s / %s\n" : "%s\n", event, hip_type_name(sends));
}

/* States that a timer leaves only in the end. */
static void last_edge(enum hip_state from, enum hip_state to)
{
	uint64_t took;

	(void)wait_out(from, to, &took);
	edge(from, to, "TIMER, the last", 0);
}

static void print_diagram(const struct graph *g)
{
	printf("```mermaid\nstateDiagram-v2\n");
	for (int s = 0; s < HIP_STATE_NUM; s++)
		printf("    state \"%s\" as %s\n",
		       hip_state_name((enum hip_state)s),
		       id((enum hip_state)s));
	printf("    [*] --> UNASSOCIATED\n");
	for (int s = 0; s < HIP_STATE_NUM; s++) {
		for (int k = 0; k < STATETAB_NUM; k++) {
			const struct cell *c = &rfc[s][k];

			if (c->what == ACT && ((int)c->to != s || c->sends))
				edge((enum hip_state)s, c->to, event_name(g, k),
				     c->sends);
		}
	}
	last_edge(HIP_I1_SENT, HIP_E_FAILED);
	last_edge(HIP_I2_SENT, HIP_E_FAILED);
	last_edge(HIP_CLOSING, HIP_UNASSOCIATED);
	printf("```\n");
}

static void print_state(const struct graph *g, enum hip_state s)
{
	printf("\n### %s (Table %d)\n\n", hip_state_name(s),
	       RFC_TABLE_FIRST + (int)s);
	printf("| event | function | what happens | sends | next |\n"
	       "|---|---|---|---|---|\n");
	for (int k = 0; k < STATETAB_NUM; k++) {
		const struct cell *c = &rfc[s][k];
		const char *f = g->cell[s][k];

		if (!f[0])
			continue;
		printf("| %s%s | %s | %s | %s | %s |\n", event_name(g, k),
		       is_ok((enum statetab_kind)k) ? ", verified" : "", f,
		       words_for(f), c->sends ? hip_type_name(c->sends) : "",
		       c->what == JOB ? "(a job)" : hip_state_name(c->to));
	}
	printf("\nEmpty:");
	for (int k = 0; k < STATETAB_NUM; k++) {
		if (!g->cell[s][k][0] && !is_ok((enum statetab_kind)k))
			printf(" %s", event_name(g, k));
	}
	printf("\n");
}

static void print_beside(void)
{
	printf("\n## Beside RFC 7401\n\n"
	       "Tables 2 to 9 were compared with this one line by line. What "
	       "is not listed is\nas they say. WANT is user data to send; "
	       "LEAVE, the user's end, they do not have.\n\n"
	       "| state | event | what differs, and why |\n|---|---|---|\n");
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		printf("| %s | %s | %s |\n", hip_state_name(beside[i].state),
		       beside[i].event, beside[i].differs);
}

static struct graph graph;

START_TEST(every_cell_is_driven)
{
	for (int s = 0; s < HIP_STATE_NUM; s++)
		drive(&graph, (enum hip_state)s);
}
END_TEST

START_TEST(what_they_did_is_written)
{
	printf("# The state machine\n\n"
	       "Written by `build/test/stategraph >docs/state-machine.md` from "
	       "hip/statetab.c and\nfrom what two engines did when every cell "
	       "was driven\n(test/unit/hip/stategraph.c). Not to be edited: "
	       "`test/run lint` compares.\n\n"
	       "`EVENT / PACKET`: on EVENT the PACKET is sent. Where HITs "
	       "decide, this is the host\nwith the greater one. TIMER is the "
	       "first one that rings.\n\n");
	print_diagram(&graph);
	printf("\n## State by state (RFC 7401 4.4.3)\n\n"
	       "A packet runs through its column twice: when it arrives (cheap "
	       "checks, then a\njob) and when the job has found it good "
	       "(`verified`), in the state of then. One\nthat fails is dropped "
	       "and counted, and the state stays; an empty cell does the\n"
	       "same with a packet, and nothing at all with the rest.\n");
	for (int s = 0; s < HIP_STATE_NUM; s++)
		print_state(&graph, (enum hip_state)s);
	print_beside();
}
END_TEST

/* The walk asserts, so it needs a runner around it. */
static int run_all(void)
{
	Suite *suite = suite_create("stategraph");
	TCase *t = tcase_create("stategraph");
	SRunner *sr = srunner_create(suite);
	TestResult **failure;
	int failed;

	tcase_add_test(t, every_cell_is_driven);
	tcase_add_test(t, what_they_did_is_written);
	suite_add_tcase(suite, t);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	failure = srunner_failures(sr);
	for (int i = 0; i < failed; i++)
		fprintf(stderr, "stategraph: %s:%d: %s\n", tr_lfile(failure[i]),
			tr_lno(failure[i]), tr_msg(failure[i]));
	free(failure);
	srunner_free(sr);
	return failed;
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	read_events(&graph);
	read_cells(&graph);
	return run_all() ? 1 : 0;
}
