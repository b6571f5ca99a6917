/* SPDX-License-Identifier: MIT */
/* Base exchange and CLOSE between two hosts (RFC 7401 4.4.3, 6.5-6.15). */
/* THEORY OF OPERATION
 * A state in which the model rests is one in which both engines have done
 * all that follows from one event; each event is atomic. Host 1 has the
 * greater HIT.
 *
 * Two times. In the hostile time whatever was ever sent can arrive, at any
 * moment, any number of times, or never: loss, doubling, reordering and
 * replay in one. Hosts restart, leave, give up, within the bounds below.
 * Then the calm begins: what is in flight is lost, nothing else ever is,
 * nothing comes twice, and timers run only in a quiet network. A run ends
 * when nothing can happen any more; the claims C1, C4, C5, C6 are about
 * that end, C2 about every step. docs/spin.md has them in words.
 *
 * What stands for what:
 *  - an I2 is numbered when it is made; its number is also the name of the
 *    keys that it and its responder agree on. Later is greater.
 *  - an R1 is numbered by its Responder; its number is the time it was
 *    given out. `boot` is the first of the present life: puzzle keys do
 *    not outlive a restart (hip/r1pool.c).
 *  - an R1 with a greater number may or may not have a greater R1_COUNTER.
 *  - verification by a job is one step where it is repeated or bound to
 *    nothing; R2 has its two halves, bound by the serial.
 *  - I1 and R1 prove nothing: both may be as old as the attacker likes.
 *
 * Switches, given with -D: see the table in run.sh.
 */
#ifndef KEYS
#define KEYS 3 /* I2s in the hostile time */
#endif
#ifndef R1S
#define R1S 3 /* R1s of each host in the hostile time */
#endif
#ifndef WISHES
#define WISHES 2
#endif
#ifndef REBOOTS
#define REBOOTS 0
#endif
#ifndef LEAVES
#define LEAVES 0
#endif
#define TOP 7 /* greatest number of either, calm included: asserted */

mtype = { UNASSOCIATED, I1_SENT, I2_SENT, R2_SENT, ESTABLISHED,
		CLOSING, CLOSED, E_FAILED };

typedef host {
	mtype state;
	bool wish;	/* somebody has data for the peer */
	bool asking;
	bool fell_back;
	byte key;	/* I2 that its keys are of; 0: none */
	byte r1;	/* R1 that was answered */
	byte made;	/* R1s given out */
	byte boot;	/* those before are of an earlier life */
	byte fresh;	/* an I2 on an R1 before this is stale */
	byte spent;	/* I2s taken, by bit */
	bool job;	/* an R2 is being verified */
	bool heard;	/* calm: the peer answers under these keys */
	byte tries;	/* calm */
	byte answered;	/* ghost: the last R1 it answered, in any life */
	byte newest;	/* ghost: newest keys it was up with, this life */
	/* in flight, by this host; bits by number */
	bool i1;
	byte r1s;
	byte i2s;
	byte r2s;
	byte closes;
	byte acks;
	byte ping;	/* data or UPDATE under these keys */
	byte pong;
};

host hosts[2];
byte on[TOP + 1];	/* the R1 that an I2 answers */
bool by[TOP + 1];	/* its Initiator */
byte num;			/* I2s made */
byte wishes = WISHES;
byte reboots = REBOOTS;
byte leaves = LEAVES;
bool calm;
bool last;			/* calm: whose timer ran last */
byte used;			/* ghost: I2s ever taken, by bit */

#define h		(_pid)
#define p		(1 - _pid)
#define H		hosts[h]
#define P		hosts[p]
#define BIT(n)		(1 << (n))
#define HAS(set, n)	((set) & BIT(n))
#define UP(x)		(hosts[x].state == R2_SENT ||			\
			 hosts[x].state == ESTABLISHED)
#define AGREE		(UP(0) && UP(1) && hosts[0].key == hosts[1].key)
#define IDLE(x)		(!hosts[x].i1 && !hosts[x].r1s && !hosts[x].i2s && \
			 !hosts[x].r2s && !hosts[x].closes &&		\
			 !hosts[x].acks && !hosts[x].ping &&		\
			 !hosts[x].pong && !hosts[x].job)
#define QUIET		(calm && IDLE(0) && IDLE(1))
#define MORE_R1		(H.made < (calm -> TOP : R1S))
#define MORE_I2		(num < (calm -> TOP : KEYS))
/* Timers that end something: at any time; in the calm when the network is
 * quiet, those of the two in turn (they are of one length). */
#define WAITS(x)							\
	(hosts[x].state == ESTABLISHED ->				\
	 (PROBES && hosts[x].wish && !hosts[x].heard) ||		\
	 (!hosts[0].wish && !hosts[1].wish) :				\
	 hosts[x].state != UNASSOCIATED)
#define RANG		SAY(timer, H.tries) last = calm && h;
#define DUE		(QUIET && (last != h || !WAITS(p)))
#define TIMER		(!calm || DUE)
#ifdef GIVE_UP
#define GIVES_UP	TIMER
#else
#define GIVES_UP	DUE
#endif

/* What arrives in the calm is gone then. */
#define TAKE(set, n)	set = (calm -> set & ~BIT(n) : set)
#define TAKE1(one)	one = (calm -> 0 : one)

/* Nobody answers an R1 older than one he has answered before. */
#ifdef ORDERLY
#define IN_ORDER(m)	(m >= H.answered)
#define C2(claim)	assert(claim);
#else
#define IN_ORDER(m)	true
#define C2(claim)
#endif

/* ---- rules that can be taken away --------------------------------------- */

#ifdef NO_FRESHNESS
#define STALE(k)	false
#else
#ifdef FRESH_UP_ONLY
#define STALE(k)	(UP(h) && on[k] < H.fresh)
#else
#define STALE(k)	(on[k] < H.fresh)
#endif
#endif
#ifdef FRESH_EQUAL
#define ONE_EACH	0
#else
#define ONE_EACH	1
#endif
#ifdef NO_HIT_ORDER
#define SMALLER		false
#else
#define SMALLER		(h == 0)
#endif
#ifdef NO_PROBE
#define PROBES		false
#else
#define PROBES		true
#endif
#ifdef NO_SPENT
#define SPENT(k)	(UP(h) && H.key == k)
#else
#define SPENT(k)	HAS(H.spent, k)
#endif
#ifdef NO_SERIAL
#define NEW_SERIAL
#else
#define NEW_SERIAL	H.job = false;
#endif
#ifdef NO_CLOSE_KEY
#define KNOWS(k)	(H.key != 0)
#else
#define KNOWS(k)	(H.key == k)
#endif

#define CAME_UP								\
	C2(H.key >= H.newest) /* nothing older comes back */	\
	H.newest = H.key;

mtype = { is_wanted, is_still_wanted, leaves_it, restarts, timer, I1, R1,
	       I2, R2, R2_verified, CLOSE, CLOSE_ACK, UPDATE, UPDATE_ack };
/* A trail replayed by spin -t tells its story. */
#define SAY(what, n)	printf("  %d %e: %e %d\n", h, H.state, what, n);

/* ---- deeds --------------------------------------------------------------- */

inline ask()
{
	NEW_SERIAL
	H.asking = true;
	H.tries = 0;
	H.i1 = true;
	H.r1 = 0
}

inline forget()
{
	NEW_SERIAL
	H.state = UNASSOCIATED;
	H.asking = false;
	H.key = 0;
	H.r1 = 0;
	H.fresh = 0;
	H.newest = 0;
	H.tries = 0;
	H.heard = false;
	H.fell_back = false
}

inline want()
{
	if
	:: H.state == UNASSOCIATED || H.state == CLOSING ->
		H.key = 0;
		H.fell_back = false;
		H.heard = false;
		ask();
		H.state = I1_SENT
	:: H.state == CLOSED && !H.asking ->
		H.fell_back = false;
		ask()
	:: else
	fi
}

/* fail() of initiator.c */
inline fail()
{
	NEW_SERIAL
	H.key = 0;
	H.r1 = 0;
	H.tries = 0;
	H.asking = false;
	H.state = E_FAILED
}

/* start() of closing.c */
inline start_close()
{
	NEW_SERIAL
	H.state = CLOSING;
	H.closes = H.closes | BIT(H.key);
	H.heard = false;
	H.tries = 0
}

/* ---- packets -------------------------------------------------------------- */

inline get_i1()
{
	TAKE1(P.i1);
	if
	:: H.state == I1_SENT && SMALLER
	:: else ->
		assert(H.made < TOP);
		H.made++;
		H.r1s = H.r1s | BIT(H.made)
	fi
}

/* initiator_r1_ok: I2 leaves. */
inline get_r1(m)
{
	TAKE(P.r1s, m);
	if
	:: (calm || MORE_I2) &&
	   (H.asking || (H.state == I2_SENT && m > H.r1)) &&
	   IN_ORDER(m) ->
		assert(num < TOP);
		NEW_SERIAL
		num++;
		on[num] = m;
		by[num] = h;
		H.key = num;
		H.r1 = m;
		H.answered = m;
		H.asking = false;
		H.tries = 0;
		H.i2s = H.i2s | BIT(num);
		H.state = I2_SENT
	:: else
	fi
}

/* responder_i2, responder_i2_ok */
inline get_i2(k)
{
	TAKE(P.i2s, k);
	if
	:: UP(h) && H.key == k && by[k] == p ->
		H.r2s = H.r2s | BIT(k) /* repeated */
	:: (UP(h) && H.key == k) || on[k] < H.boot || SPENT(k) ||
	   STALE(k) || (H.state == I2_SENT && SMALLER)
	:: else ->
		C2(!AGREE) /* nothing old parts them */
		assert(!HAS(used, k)); /* C2: no I2 counts twice */
		used = used | BIT(k);
		NEW_SERIAL
		H.spent = H.spent | BIT(k);
		H.key = k;
		H.fresh = on[k] + ONE_EACH;
		H.r1 = 0;
		H.asking = false;
		H.heard = false;
		H.tries = 0;
		H.state = R2_SENT;
		H.r2s = H.r2s | BIT(k);
		CAME_UP
	fi
}

/* initiator_r2: the MAC is right under the keys of now. */
inline get_r2(k)
{
	TAKE(P.r2s, k);
	if
	:: H.state == I2_SENT && H.key == k -> H.job = true
	:: else
	fi
}

/* initiator_r2_ok */
inline r2_verified()
{
	H.job = false;
	if
	:: H.state == I2_SENT ->
		assert(HAS(used, H.key)); /* C1: the peer has them */
		H.state = ESTABLISHED;
		H.r1 = 0;
		H.tries = 0;
		CAME_UP
		H.fresh = H.made + 1;
#ifdef FRESH_LATE /* R1s of the last 16 ms pass */
		if
		:: H.made >= H.boot -> H.fresh = H.made
		:: true
		fi
#endif
	:: else
	fi
}

inline get_close(k)
{
	TAKE(P.closes, k);
	if
	:: H.state != UNASSOCIATED && H.state != I1_SENT &&
	   H.state != E_FAILED && KNOWS(k) ->
		if
		:: H.state != CLOSED ->
			assert(!AGREE || H.key == k); /* C2 */
			NEW_SERIAL
			H.asking = false;
			H.r1 = 0;
			H.heard = false;
			H.tries = 0;
			H.state = CLOSED
		:: else
		fi;
		H.acks = H.acks | BIT(k)
	:: else
	fi
}

/* The nonce names our own CLOSE, so our own keys. */
inline get_ack(k)
{
	TAKE(P.acks, k);
	if
	:: (H.state == CLOSING || (H.state == CLOSED && !H.asking)) &&
	   H.key == k -> forget()
	:: else
	fi
}

inline get_ping()
{
	if
	:: UP(h) && H.key == P.ping ->
		H.pong = P.ping;
		H.state = ESTABLISHED
	:: else
	fi;
	P.ping = 0
}

inline get_pong()
{
	if
	:: UP(h) && H.key == P.pong ->
		H.heard = true;
		H.state = ESTABLISHED
	:: else
	fi;
	P.pong = 0
}

/* ---- time ------------------------------------------------------------------- */

/* The calm lets each be tried twice; all that goes unanswered then, would
 * go unanswered for ever. */
inline i1_timer()
{
	if
	:: calm && H.tries < 2 -> H.tries++; H.i1 = true
	:: else -> fail()
	fi
}

inline i2_timer()
{
	if
	:: calm && H.tries < 2 ->
		H.tries++;
		H.i2s = H.i2s | BIT(H.key)
	:: else ->
		if
		:: !H.fell_back ->
			H.key = 0;
			H.fell_back = true;
			ask();
			H.state = I1_SENT
		:: true -> fail()
		fi
	fi
}

/* hip_traffic: data go out and nothing comes back. */
inline probe()
{
	if
	:: H.tries < 2 -> H.tries++; H.ping = H.key
	:: else -> start_close()
	fi
}

inline close_timer()
{
	if
	:: calm && H.tries < 2 ->
		H.tries++;
		H.closes = H.closes | BIT(H.key)
	:: else -> forget()
	fi
}

/* All but the wish and what the peer has. */
inline reboot()
{
	forget();
	H.spent = 0;
	H.boot = H.made + 1;
	reboots--
}

/* One of those in flight. */
#define ONE(set, k)	:: HAS(set, k) -> n = k
#define ARRIVE(name, get, set)						\
	:: atomic { set ->						\
		if							\
		ONE(set, 1)						\
		ONE(set, 2)						\
		ONE(set, 3)						\
		ONE(set, 4)						\
		ONE(set, 5)						\
		ONE(set, 6)						\
		ONE(set, 7)						\
		fi;							\
		SAY(name, n)						\
		get(n);							\
		n = 0 }

active [2] proctype node()
{
	byte n;

	H.state = UNASSOCIATED;
end:	do
	/* its user */
	:: atomic { !calm && wishes && !H.wish ->
		SAY(is_wanted, 0)
		wishes--;
		H.wish = true;
		want() }
	:: atomic { H.wish && (H.state == UNASSOCIATED ||
		(TIMER && (H.state == CLOSING ||
			   (H.state == CLOSED && !H.asking)))) ->
		SAY(is_still_wanted, 0)
		want() }
	:: atomic { !calm && leaves && (UP(h) || H.state == I1_SENT ||
					H.state == I2_SENT) ->
		SAY(leaves_it, H.key)
		leaves--;
		H.wish = false;
		if
		:: UP(h) -> start_close()
		:: else -> forget()
		fi }
	:: atomic { !calm && reboots -> SAY(restarts, 0) reboot() }
	/* packets */
	:: atomic { P.i1 && (calm || MORE_R1) -> SAY(I1, 0) get_i1() }
	ARRIVE(R1, get_r1, P.r1s)
	ARRIVE(I2, get_i2, P.i2s)
	ARRIVE(R2, get_r2, P.r2s)
	ARRIVE(CLOSE, get_close, P.closes)
	ARRIVE(CLOSE_ACK, get_ack, P.acks)
	:: atomic { H.job -> SAY(R2_verified, H.key) r2_verified() }
	:: atomic { P.ping -> SAY(UPDATE, P.ping) get_ping() }
	:: atomic { P.pong -> SAY(UPDATE_ack, P.pong) get_pong() }
	/* timers */
	:: atomic { GIVES_UP && (H.state == I1_SENT ||
				 (H.state == CLOSED && H.asking)) ->
		RANG i1_timer() }
	:: atomic { GIVES_UP && H.state == I2_SENT -> RANG i2_timer() }
	:: atomic { TIMER && H.state == R2_SENT ->
		RANG H.state = ESTABLISHED }
	:: atomic { TIMER && H.state == E_FAILED -> RANG forget() }
	:: atomic { GIVES_UP && H.state == CLOSING && !(calm && H.wish) ->
		RANG close_timer() }
	:: atomic { GIVES_UP && H.state == CLOSED && !H.asking &&
		!(calm && H.wish) -> RANG forget() }
	:: atomic { PROBES && DUE && H.state == ESTABLISHED && H.wish &&
		!H.heard -> RANG probe() }
	:: atomic { DUE && H.state == ESTABLISHED && !H.wish && !P.wish ->
		RANG start_close() } /* unused for UAL */
	od
}

/* ---- the calm ----------------------------------------------------------------- */

/* Only what a host still holds counts from here on, and only its order. Keys
 * and R1s are numbered anew, so that what is alike becomes one state. */

/* What host x will make of the I2 that y repeats: 0 unknown, 1 stale, 2. */
#define WORTH(x, y)							\
	(on[hosts[y].key] < hosts[x].boot -> 0 :			\
	 (UP(x) && on[hosts[y].key] < hosts[x].fresh -> 1 : 2))
#define BITS(set)	((HAS(set, a) -> BIT(na) : 0) |			\
			 (HAS(set, b) -> BIT(nb) : 0))

inline silence(x)
{
	hosts[x].i1 = false;
	hosts[x].r1s = 0;
	hosts[x].i2s = 0;
	hosts[x].r2s = 0;
	hosts[x].closes = 0;
	hosts[x].acks = 0;
	hosts[x].job = false;
	hosts[x].tries = 0;
	hosts[x].answered = 0;
	hosts[x].made = 2;
	hosts[x].boot = 1;
	hosts[x].fresh = (UP(x) -> 2 : 0);
	hosts[x].spent = BITS(hosts[x].spent);
	hosts[x].newest = (UP(x) -> hosts[x].key : 0)
}

inline renumber()
{
	a = hosts[0].key;
	b = hosts[1].key;
	na = (a -> 1 + (b && b < a) : 0);
	nb = (b -> 1 + (a && a < b) : 0);
	num = (na > nb -> na : nb);
	wa = (hosts[0].state == I2_SENT -> WORTH(1, 0) : 0);
	wb = (hosts[1].state == I2_SENT -> WORTH(0, 1) : 0);
	used = BITS(used) & 254;
	i = 0;
	do
	:: i <= KEYS -> on[i] = 0; by[i] = 0; i++
	:: else -> break
	od;
	hosts[0].key = na;
	hosts[1].key = nb;
	by[na] = ba;
	by[nb] = bb;
	on[na] = wa;
	on[nb] = (nb == na -> on[nb] : wb);
	by[0] = 0;
	on[0] = 0
}

active proctype world()
{
	byte a, b, na, nb, wa, wb, i;
	bool ba, bb;

progress: /* what goes round in the calm goes round for ever */
	d_step { true ->
		printf("  calm\n");
		calm = true;
		ba = by[hosts[0].key];
		bb = by[hosts[1].key];
		renumber();
		silence(0);
		silence(1);
		hosts[0].r1 = (hosts[0].state == I2_SENT -> wa : 0);
		hosts[1].r1 = (hosts[1].state == I2_SENT -> wb : 0);
		wishes = 0;
		reboots = 0;
		leaves = 0;
		a = 0; b = 0; na = 0; nb = 0; wa = 0; wb = 0; i = 0;
		ba = 0; bb = 0
	};
end:	timeout ->
	/* C1, C4, C6 */
	assert(!(hosts[0].wish || hosts[1].wish) || AGREE);
	/* C5 */
	assert(hosts[0].wish || hosts[1].wish ||
	       (hosts[0].state == UNASSOCIATED &&
		hosts[1].state == UNASSOCIATED))
}
