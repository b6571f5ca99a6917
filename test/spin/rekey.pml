/* SPDX-License-Identifier: MIT */
/* Rekeying between two hosts (RFC 7402 6.8-6.10), crossing and CLOSE. */
/* THEORY OF OPERATION
 * Both hosts are ESTABLISHED with SAs of the base exchange (SPI 0). Either
 * may begin a rekey while it has none pending, with or without a new DH
 * key. Whatever was ever sent can arrive at any moment, any number of
 * times, or never: loss, doubling, reordering and replay in one. A packet
 * that would change nothing is not delivered, so a run ends when everything
 * sent has arrived, which is what retransmission comes to.
 *
 * The rules:
 *  - one UPDATE with SEQ outstanding for each side; it is repeated as it is.
 *  - whoever sends ESP_INFO has a rekey pending until his UPDATE is
 *    acknowledged and he has the peer's ESP_INFO.
 *  - an ESP_INFO that meets no pending rekey is answered by one's own, in
 *    one UPDATE with the ACK; one that meets a pending rekey is its answer
 *    and only acknowledged (6.9 step 3).
 *  - knowing both ESP_INFOs a host installs the new inbound SA, before its
 *    ACK leaves; it sends on the new outbound SA when its own UPDATE is
 *    acknowledged too: then the peer has both as well.
 *  - keys: the KEYMAT of both newest DH keys, from index 0 if either is
 *    new, else from the greater index of the two (6.10 steps 1 and 2).
 *  - the ACK of the last UPDATE is repeated in the next UPDATE that begins
 *    a rekey: it ends the peer's pending one first, should the ACK alone
 *    have been lost. Else the two would be taken for one (see docs/spin.md).
 *  - the old inbound SA outlives every sending of the peer on it.
 *
 * An index counts draws, not octets. Sabotage switches: see run.sh.
 */
#ifndef BEGINS
#define BEGINS 2 /* rekeys that each host begins */
#endif
#ifndef CLOSES
#define CLOSES 1
#endif
#define SPIS (2 * BEGINS + 1) /* and those it answers */
#define NO_SA 32767

/* What one UPDATE with SEQ says; it never changes. */
typedef update {
	bool dh;	/* DIFFIE_HELLMAN: the sender's next one */
	byte index;
	byte ack;	/* Update ID + 1 that it acknowledges; 0: none */
};

typedef host {
	bool up;
	byte begun;	/* of these, not answers */
	byte sent;	/* UPDATEs with SEQ; each is an ESP_INFO, SPI = no. */
	bool outstanding;
	bool pending;	/* a rekey */
	byte got;	/* the peer's UPDATE that answers it; 0: none */
	byte seen;	/* the peer's UPDATEs processed, by bit */
	byte last;	/* the newest of them */
	byte acks;	/* peer's UPDATEs acknowledged, by bit: in flight */
	/* KEYMAT: newest DH key of each, next draw */
	byte dh[2];
	byte next;
	byte out_spi;
	short out_keys;
	short in[SPIS];	/* keys of the inbound SA with this SPI */
	update says[SPIS];
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
#define MINE		H.says[H.sent]
#define ITS(n)		P.says[n]

#ifdef OWN_INDEX
#define GREATER		MINE.index
#else
#define GREATER		(MINE.index > ITS(H.got).index ->		\
			 MINE.index : ITS(H.got).index)
#endif
#ifdef OWN_DH
#define ANY_DH		MINE.dh
#define ITS_DH		(MINE.dh && ITS(H.got).dh)
#else
#define ANY_DH		(MINE.dh || ITS(H.got).dh)
#define ITS_DH		ITS(H.got).dh
#endif

#ifdef NO_REPEATED_ACK
#define LAST		0
#else
#define LAST		H.last
#endif
#ifdef NO_ACK_KEPT
#define ACKED(k)	0 /* sent once, lost, never again */
#else
#define ACKED(k)	BIT(k)
#endif
#ifdef NO_WINDOW
#define NEW(n)		(n == P.sent)
#else
#define NEW(n)		(!HAS(H.seen, n))
#endif

mtype = { begins, UPDATE, ACK, CLOSE, old_SA_ends, closes_it };
#define SAY(what, n)	printf("  %d: %e %d\n", h, what, n);

/* What both ESP_INFOs together give. */
#define NEW_DH(x)	(H.dh[x] + (x == h -> MINE.dh : ITS_DH))
#define DRAW		(ANY_DH -> 0 : GREATER)
#define NEW_KEYS	KEYS(NEW_DH(0), NEW_DH(1), DRAW)

/* ---- deeds ---------------------------------------------------------------- */

/* Our UPDATE with ESP_INFO, SPI H.sent; a: what it acknowledges; least: the
 * least index it may name. Whoever begins may skip some. */
inline send_info(a, least, may_skip)
{
	H.sent++;
	H.outstanding = true;
	H.pending = true;
	MINE.ack = a;
	if
	:: true -> MINE.dh = true; MINE.index = 0
	:: true -> MINE.index = least
	:: may_skip -> MINE.index = least + 1
	fi
}

inline may_install()
{
#ifndef LATE_IN
	install()
#else
	skip
#endif
}

inline install()
{
	H.in[H.sent] = NEW_KEYS;
#ifdef EARLY_OUT
	switch_out()
#endif
}

inline switch_out()
{
	H.out_spi = H.got;
	H.out_keys = NEW_KEYS
}

/* 6.10 */
inline finish()
{
#ifdef LATE_IN
	install();
#endif
	switch_out();
	n = DRAW;
	H.dh[0] = NEW_DH(0);
	H.dh[1] = NEW_DH(1);
	H.next = n + 1;
	n = 0;
	H.pending = false;
	H.got = 0
#ifdef NO_GRACE
	;
	i = 0;
	do
	:: i < SPIS ->
		if
		:: i != H.sent -> H.in[i] = NO_SA
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0
#endif
}

inline begin()
{
	H.begun++;
	send_info(LAST, H.next, true)
}

inline acknowledged(n)
{
	if
	:: H.outstanding && n == H.sent ->
		H.outstanding = false;
		if
		:: H.pending && H.got -> finish()
		:: else
		fi
	:: else
	fi
}

inline get_update()
{
	assert(!HAS(H.seen, k)); /* C2: none is processed twice */
	H.seen = H.seen | BIT(k);
	H.last = k;
	if
	:: ITS(k).ack -> acknowledged(ITS(k).ack)
	:: else
	fi;
	if
	:: H.pending ->
		H.got = k;
		may_install();
		H.acks = H.acks | ACKED(k);
		if
		:: !H.outstanding -> finish()
		:: else
		fi
	:: else ->
		H.got = k;
		n = (ITS(k).index > H.next -> ITS(k).index : H.next);
		send_info(k, n, false);
		n = 0;
		may_install()
	fi
}

inline down()
{
	H.up = false;
	H.pending = false;
	H.outstanding = false;
	H.got = 0
}

/* What either sends on now, the other can open. */
#define OPENS(x)	(hosts[1 - (x)].in[hosts[x].out_spi] ==		\
			 hosts[x].out_keys)
#define BOTH_UP		(hosts[0].up && hosts[1].up)
#define PENDING		(hosts[0].pending || hosts[1].pending)
#define SAME		(hosts[0].dh[0] == hosts[1].dh[0] &&		\
			 hosts[0].dh[1] == hosts[1].dh[1] &&		\
			 hosts[0].next == hosts[1].next &&		\
			 hosts[0].out_keys == hosts[1].out_keys)
#define CLAIMS								\
	assert(!BOTH_UP || (OPENS(0) && OPENS(1))); /* C3 */		\
	assert(!BOTH_UP || PENDING || SAME); /* C7 */

active [2] proctype node()
{
	byte n, i, k;

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
	:: atomic { H.up && !H.pending && H.begun < BEGINS ->
		SAY(begins, H.sent + 1) begin(); CLAIMS }
	:: atomic { H.up && P.sent && NEW(P.sent) ->
		k = P.sent;
		SAY(UPDATE, k)
		get_update();
		CLAIMS
		k = 0 }
	:: atomic { H.up && H.outstanding && HAS(P.acks, H.sent) ->
		SAY(ACK, H.sent) acknowledged(H.sent); CLAIMS }
	:: atomic { H.up && closes ->
		SAY(closes_it, 0) closes--; close_sent[h] = true; down() }
	:: atomic { H.up && close_sent[p] -> SAY(CLOSE, 0) down() }
	od
}

active proctype world()
{
end:	timeout ->
	assert(hosts[0].up == hosts[1].up); /* C5 */
	assert(!BOTH_UP || !PENDING) /* C6 */
}
