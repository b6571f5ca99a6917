/* SPDX-License-Identifier: MIT */
/* Rekeying between two hosts (RFC 7402 6.8-6.10), crossing and CLOSE. */
/* THEORY OF OPERATION
 * Both hosts are ESTABLISHED with SAs of the base exchange (SPI 0). Either
 * may begin a rekey while it has none, with or without a new DH key, and
 * may send other UPDATEs. Whatever was ever sent can arrive at any moment,
 * any number of times, or never: loss, doubling, reordering and replay in
 * one. A packet that would change nothing is not delivered, so a run ends
 * when everything sent has arrived, which is what retransmission comes to.
 * (Of a host's UPDATEs all but the last have been acknowledged, so
 * processed: a replay of those finds them seen.)
 *
 * The rules, those of hip/rekey.c and hip/update.c:
 *  - one UPDATE with SEQ outstanding for each side; it is repeated as it is.
 *  - a rekey is two halves, an ESP_INFO of each side. It is there from the
 *    first half on, until our half is acknowledged and the peer's is here.
 *  - a half that meets no rekey is answered by our own, in one UPDATE with
 *    the ACK; if an UPDATE of ours is outstanding, by an ACK alone and our
 *    half later. One that meets our own half is only acknowledged.
 *  - both halves known, the new inbound SA is installed before the ACK
 *    leaves; our half acknowledged too, the new outbound SA is used.
 *  - keys: the KEYMAT of both newest DH keys, from index 0 if either is
 *    new, else from the greater index of the two (6.10 steps 1 and 2).
 *  - a half that meets a rekey that has the peer's half already belongs to
 *    the next one, which the peer may have begun while our half's ACK was
 *    lost. It is dropped, unacknowledged: the peer repeats both.
 *  - the old inbound SA outlives every sending of the peer on it.
 *
 * An index counts draws, not octets. Sabotage switches: see run.sh.
 */
#ifndef BEGINS
#define BEGINS 2 /* rekeys that each host begins */
#endif
#ifndef OTHERS
#define OTHERS 0 /* UPDATEs of each without ESP_INFO */
#endif
#ifndef CLOSES
#define CLOSES 0
#endif
#define SPIS (2 * BEGINS + 1) /* and those it answers */
#define SEQS (SPIS + OTHERS)
#define NO_SA 32767

/* What one UPDATE with SEQ says; it never changes. */
typedef update {
	byte spi;	/* new; 0: no ESP_INFO */
	byte index;
	bool dh;	/* DIFFIE_HELLMAN: the sender's next one */
	byte ack;	/* Update ID + 1 that it acknowledges; 0: none */
};

typedef host {
	bool up;
	byte begun;
	byte others;
	byte sent;	/* UPDATEs with SEQ */
	bool outstanding;
	byte seen;	/* the peer's UPDATEs processed, by bit */
	byte acks;	/* those acknowledged alone, by bit: in flight */
	/* the rekey */
	bool rekey;
	byte spi;	/* our half: inbound SPI of the newest */
	byte index;
	bool fresh;
	byte seq;	/* the UPDATE it is in; 0: not sent yet */
	bool acked;
	byte got;	/* the peer's UPDATE with its half; 0: none */
	/* KEYMAT: newest DH key of each, next draw */
	byte dh[2];
	byte next;
	byte out_spi;
	short out_keys;
	short in[SPIS];	/* keys of the inbound SA with this SPI */
	update says[SEQS];
};
host hosts[2];
byte closes = CLOSES;
bool close_sent[2];
byte ready;

#define h		(_pid)
#define p		(1 - _pid)
#define H		hosts[h]
#define P		hosts[p]
#define BIT(n)		(1 << (n))
#define HAS(set, n)	((set) & BIT(n))
/* A name for keys drawn. */
#define KEYS(x, y, i)	(((x) * 8 + (y)) * 32 + (i))
#define ITS		P.says[H.got]

#ifdef OWN_INDEX
#define GREATER		H.index
#else
#define GREATER		(H.index > ITS.index -> H.index : ITS.index)
#endif
#ifdef OWN_DH
#define ITS_DH		(H.fresh && ITS.dh)
#else
#define ITS_DH		ITS.dh
#endif
#ifdef NO_ACK_KEPT
#define ACKED(k)	0 /* sent once, lost, never again */
#else
#define ACKED(k)	BIT(k)
#endif
#ifdef NO_WINDOW
#define NEW(k)		(k != 0)
#else
#define NEW(k)		(k != 0 && !HAS(H.seen, k))
#endif
#ifdef NO_AHEAD
#define AHEAD(k)	false
#else
#define AHEAD(k)	(P.says[k].spi && H.rekey && H.got)
#endif

mtype = { begins, UPDATE, ACK, CLOSE, closes_it, sends_other };
#define SAY(what, k)	printf("  %d: %e %d\n", h, what, k);

/* What both halves together give. */
#define NEW_DH(x)	(H.dh[x] + (x == h -> H.fresh : ITS_DH))
#define DRAW		(H.fresh || ITS_DH -> 0 : GREATER)
#define NEW_KEYS	KEYS(NEW_DH(0), NEW_DH(1), DRAW)

/* ---- deeds ---------------------------------------------------------------- */

/* Our half; whoever begins may skip some of the KEYMAT. */
inline rekey_new(may_skip)
{
	H.rekey = true;
	H.spi++;
	if
	:: true -> H.fresh = true; H.index = 0
	:: true -> H.index = H.next
	:: may_skip -> H.index = H.next + 1
	fi
}

inline send_half(k)
{
	H.sent++;
	H.outstanding = true;
	H.seq = H.sent;
	H.says[H.sent].spi = H.spi;
	H.says[H.sent].index = H.index;
	H.says[H.sent].dh = H.fresh;
	H.says[H.sent].ack = k
}

inline install()
{
	H.in[H.spi] = NEW_KEYS
}

inline switch_out()
{
	H.out_spi = ITS.spi;
	H.out_keys = NEW_KEYS
}

inline both_known()
{
#ifndef LATE_IN
	install();
#endif
#ifdef EARLY_OUT
	switch_out();
#endif
	skip
}

/* 6.10 */
inline finish()
{
#ifdef LATE_IN
	install();
#endif
	switch_out();
	n = DRAW + 1;
	i = NEW_DH(0);
	H.dh[1] = NEW_DH(1);
	H.dh[0] = i;
	H.next = n;
	n = 0;
	i = 0;
	H.rekey = false;
	H.index = 0;
	H.fresh = false;
	H.seq = 0;
	H.acked = false;
	H.got = 0;
#ifdef NO_GRACE
	do
	:: i < SPIS ->
		if
		:: i != H.spi -> H.in[i] = NO_SA
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0;
#endif
	skip
}

inline step()
{
	if
	:: H.rekey && !H.seq && !H.outstanding -> send_half(0)
	:: H.rekey && H.got && H.acked -> finish()
	:: else
	fi
}

/* ---- packets -------------------------------------------------------------- */

inline acknowledged(k)
{
	if
	:: H.outstanding && k == H.sent ->
		H.outstanding = false;
		H.acked = (H.rekey && H.seq == k);
		step()
	:: else
	fi
}

inline get_update()
{
	assert(!HAS(H.seen, n)); /* C2: none is processed twice */
	H.seen = H.seen | BIT(n);
	if
	:: P.says[n].spi == 0 -> H.acks = H.acks | ACKED(n)
	:: else ->
		H.got = n;
		if
		:: !H.rekey -> rekey_new(false)
		:: else
		fi;
		both_known();
		if
		:: !H.seq && !H.outstanding -> send_half(n)
		:: else ->
			H.acks = H.acks | ACKED(n);
			step()
		fi
	fi
}

inline down()
{
	H.up = false;
	H.rekey = false;
	H.outstanding = false;
	H.index = 0;
	H.fresh = false;
	H.seq = 0;
	H.acked = false;
	H.got = 0
}

/* ---- claims --------------------------------------------------------------- */

/* What either sends on now, the other can open. */
#define OPENS(x)	(hosts[1 - (x)].in[hosts[x].out_spi] ==		\
			 hosts[x].out_keys)
#define BOTH_UP		(hosts[0].up && hosts[1].up)
#define REKEY		(hosts[0].rekey || hosts[1].rekey)
#define SAME		(hosts[0].dh[0] == hosts[1].dh[0] &&		\
			 hosts[0].dh[1] == hosts[1].dh[1] &&		\
			 hosts[0].next == hosts[1].next &&		\
			 hosts[0].out_keys == hosts[1].out_keys)
#define CLAIMS								\
	assert(!BOTH_UP || (OPENS(0) && OPENS(1))); /* C3 */		\
	assert(!BOTH_UP || REKEY || SAME); /* C7 */

active [2] proctype node()
{
	byte n, i;

	atomic {
		i = 1;
		do
		:: i < SPIS -> H.in[i] = NO_SA; i++
		:: else -> break
		od;
		i = 0;
		H.next = 1;
		H.up = true; /* keys of the base exchange: KEYS(0, 0, 0) */
		ready++
	};
	ready == 2;
end:	do
	:: atomic { H.up && !H.rekey && H.begun < BEGINS ->
		SAY(begins, H.sent + 1)
		H.begun++;
		rekey_new(true);
		step();
		CLAIMS }
	:: atomic { H.up && H.others < OTHERS && !H.outstanding &&
		!(H.seq && !H.got) ->
		SAY(sends_other, H.sent + 1)
		H.others++;
		H.sent++;
		H.outstanding = true }
	:: atomic { H.up && P.says[P.sent].ack && H.outstanding &&
		P.says[P.sent].ack == H.sent ->
		SAY(ACK, H.sent)
		acknowledged(H.sent);
		CLAIMS }
	:: atomic { H.up && NEW(P.sent) && !AHEAD(P.sent) &&
		(P.says[P.sent].ack == 0 ||
		 P.says[P.sent].ack != H.sent || !H.outstanding) ->
		SAY(UPDATE, P.sent)
		n = P.sent;
		get_update();
		n = 0;
		CLAIMS }
	:: atomic { H.up && H.outstanding && HAS(P.acks, H.sent) ->
		SAY(ACK, H.sent)
		acknowledged(H.sent);
		CLAIMS }
	:: atomic { H.up && closes ->
		SAY(closes_it, 0)
		closes--;
		close_sent[h] = true;
		down() }
	:: atomic { H.up && close_sent[p] -> SAY(CLOSE, 0) down() }
	od
}

active proctype world()
{
end:	timeout ->
	assert(hosts[0].up == hosts[1].up); /* C5 */
	assert(!BOTH_UP || !REKEY) /* C6 */
}
