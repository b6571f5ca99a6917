/* SPDX-License-Identifier: MIT */
/* The state machine as a table (RFC 7401 4.4.3, Tables 2 to 9). */
/* THEORY OF OPERATION
 * One row a state, one column an event. An empty cell means: drop and
 * count, stay. Packets run through their column twice: when they arrive
 * (cheap checks, then a job), and as *_OK when the job has found them good,
 * in the state the association is in by then.
 *
 * Where we choose or differ:
 * - I1 in CLOSED keeps the state, as Table 8 says: `asking` is set while
 *   I1s go out, and R1 is answered only then. In CLOSING the state becomes
 *   I1-SENT (Table 7), so an R1 that meets CLOSING was not asked for.
 * - E-FAILED holds back our own attempts only (Table 9). A peer that comes
 *   by itself with a valid I2 is there, and is let in.
 * - I2-SENT goes back to I1-SENT once, when I2s to a locator that only the
 *   source of an R1 vouched for stay unanswered (see initiator.c).
 * - NOTIFY is listened to where we have the peer's Host Identity and an
 *   exchange or association it can be about; it never changes the state.
 */
#include "hip/statetab.h"

#include "hip/closing.h"
#include "hip/hipjob.h"
#include "hip/i2taker.h"
#include "hip/initiator.h"
#include "hip/notify.h"
#include "hip/r2taker.h"
#include "hip/responder.h"
#include "hip/update.h"

#define I1 STATETAB_I1
#define R1 STATETAB_R1
#define I2 STATETAB_I2
#define R2 STATETAB_R2

static void (*const table[HIP_STATE_NUM][STATETAB_NUM])(struct hip *,
							 struct event *) = {
	[HIP_UNASSOCIATED] = { /* Table 2 */
		[STATETAB_WANT] = initiator_want,
		[I1] = responder_i1,
		[I2] = responder_i2,
		[STATETAB_I2_OK] = i2taker_ok,
	},
	[HIP_I1_SENT] = { /* Table 3 */
		[STATETAB_WANT] = initiator_want_joined,
		[I1] = responder_i1_crossing,
		[I2] = responder_i2,
		[STATETAB_I2_OK] = i2taker_ok,
		[R1] = initiator_r1,
		[STATETAB_R1_OK] = initiator_r1_ok,
		[STATETAB_TIMER] = initiator_i1_timer,
		[STATETAB_LEAVE] = closing_abort,
	},
	[HIP_I2_SENT] = { /* Table 4 */
		[STATETAB_WANT] = initiator_want_joined,
		[I1] = responder_i1,
		[I2] = responder_i2_crossing,
		[STATETAB_I2_OK] = i2taker_ok_crossing,
		[R1] = initiator_r1,
		[STATETAB_R1_OK] = initiator_r1_ok,
		[R2] = r2taker_r2,
		[STATETAB_R2_OK] = r2taker_r2_ok,
		[STATETAB_NOTIFY] = notify_input,
		[STATETAB_NOTIFY_OK] = notify_ok,
		[STATETAB_CLOSE] = closing_close,
		[STATETAB_CLOSE_OK] = closing_close_ok,
		[STATETAB_TIMER] = initiator_i2_timer,
		[STATETAB_LEAVE] = closing_abort,
	},
	[HIP_R2_SENT] = { /* Table 5 */
		[STATETAB_WANT] = initiator_want_joined,
		[I1] = responder_i1,
		[I2] = responder_i2,
		[STATETAB_I2_OK] = i2taker_ok,
		[STATETAB_UPDATE] = update_input,
		[STATETAB_UPDATE_OK] = update_ok,
		[STATETAB_NOTIFY] = notify_input,
		[STATETAB_NOTIFY_OK] = notify_ok,
		[STATETAB_CLOSE] = closing_close,
		[STATETAB_CLOSE_OK] = closing_close_ok,
		[STATETAB_DATA] = responder_data,
		[STATETAB_TIMER] = responder_timer,
		[STATETAB_LEAVE] = closing_leave,
	},
	[HIP_ESTABLISHED] = { /* Table 6 */
		[STATETAB_WANT] = initiator_want_joined,
		[I1] = responder_i1,
		[I2] = responder_i2,
		[STATETAB_I2_OK] = i2taker_ok,
		[STATETAB_UPDATE] = update_input,
		[STATETAB_UPDATE_OK] = update_ok,
		[STATETAB_NOTIFY] = notify_input,
		[STATETAB_NOTIFY_OK] = notify_ok,
		[STATETAB_CLOSE] = closing_close,
		[STATETAB_CLOSE_OK] = closing_close_ok,
		[STATETAB_DATA] = responder_data,
		[STATETAB_TIMER] = closing_idle_timer,
		[STATETAB_LEAVE] = closing_leave,
	},
	[HIP_CLOSING] = { /* Table 7 */
		[STATETAB_WANT] = initiator_want_again,
		[I1] = responder_i1,
		[I2] = responder_i2,
		[STATETAB_I2_OK] = i2taker_ok,
		[STATETAB_CLOSE] = closing_close,
		[STATETAB_CLOSE_OK] = closing_close_ok,
		[STATETAB_CLOSE_ACK] = closing_ack,
		[STATETAB_CLOSE_ACK_OK] = closing_ack_ok,
		[STATETAB_TIMER] = closing_timer,
	},
	[HIP_CLOSED] = { /* Table 8 */
		[STATETAB_WANT] = initiator_want_closed,
		[I1] = responder_i1,
		[I2] = responder_i2,
		[STATETAB_I2_OK] = i2taker_ok,
		[R1] = initiator_r1,
		[STATETAB_R1_OK] = initiator_r1_ok,
		[STATETAB_CLOSE] = closing_close,
		[STATETAB_CLOSE_OK] = closing_close_ok,
		[STATETAB_CLOSE_ACK] = closing_ack,
		[STATETAB_CLOSE_ACK_OK] = closing_ack_ok,
		[STATETAB_TIMER] = closing_closed_timer,
		[STATETAB_LEAVE] = closing_abort,
	},
	[HIP_E_FAILED] = { /* Table 9 */
		[STATETAB_WANT] = initiator_want_held,
		[I1] = responder_i1,
		[I2] = responder_i2,
		[STATETAB_I2_OK] = i2taker_ok,
		[STATETAB_TIMER] = initiator_held_timer,
	},
};

#undef I1
#undef R1
#undef I2
#undef R2

void statetab_run(struct hip *h, struct event *ev)
{
	enum hip_state s = ev->a ? ev->a->state : HIP_UNASSOCIATED;

	if (table[s][ev->kind])
		table[s][ev->kind](h, ev);
	else if (ev->p)
		engine_drop(h, ev->p,
			    ev->a ? REASON_HIP_STATE : REASON_HIP_NO_ASSOC);
}

const char *hip_state_name(enum hip_state s)
{
	static const char *const name[HIP_STATE_NUM] = {
		[HIP_UNASSOCIATED] = "UNASSOCIATED",
		[HIP_I1_SENT] = "I1-SENT",
		[HIP_I2_SENT] = "I2-SENT",
		[HIP_R2_SENT] = "R2-SENT",
		[HIP_ESTABLISHED] = "ESTABLISHED",
		[HIP_CLOSING] = "CLOSING",
		[HIP_CLOSED] = "CLOSED",
		[HIP_E_FAILED] = "E-FAILED",
	};

	return s < HIP_STATE_NUM ? name[s] : "?";
}
