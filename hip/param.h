/* SPDX-License-Identifier: MIT */
/* HIP parameters: the table of them, and the parser of messages (7401 5).
 *
 * THEORY OF OPERATION
 * PARAM_TABLE is the whole list of parameters this room knows. param_parse
 * checks the fixed header and walks the TLVs once; what it found is an index
 * that borrows the message. Types that are not in the table are refused when
 * critical (odd) and skipped otherwise. Contents are checked for length
 * only; fields.h reads them. Pure functions, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/reason.h"
#include "hip/hip.h"

#define PARAM_CONTROL_A 0x0001 /* anonymous (7401 5.1.2) */
#define PARAM_HEADER_LEN 40    /* fixed HIP header */
#define PARAM_TLV_LEN 4	       /* type and length */
#define PARAM_MAX_NUM 64       /* more parameters in one message: malformed */
#define PARAM_LEN_MAX 2004     /* 7401 5.1: 2008 octets of parameters */

/* Packet types as bits, for the table's column `in`. */
#define PARAM_IN_I1 0x01u
#define PARAM_IN_R1 0x02u
#define PARAM_IN_I2 0x04u
#define PARAM_IN_R2 0x08u
#define PARAM_IN_UPDATE 0x10u
#define PARAM_IN_NOTIFY 0x20u
#define PARAM_IN_CLOSE 0x40u
#define PARAM_IN_CLOSE_ACK 0x80u
#define PARAM_IN_SIGNED 0xfcu /* all but I1 and R1 */
#define PARAM_IN_ANY 0xffu

/* X(name, type, min, max, unit, multi, in): contents are min..max octets,
 * min plus a multiple of unit; multi: may be repeated, consecutively; in:
 * packets it belongs to. Rising type order; critical means odd. */
#define PARAM_TABLE(X)                                                         \
	X(ESP_INFO, 65, 12, 12, 1, false,                                      \
	  PARAM_IN_I2 | PARAM_IN_R2 | PARAM_IN_UPDATE)                         \
	X(R1_COUNTER, 129, 12, 12, 1, false, PARAM_IN_R1 | PARAM_IN_I2)        \
	X(LOCATOR_SET, 193, 0, PARAM_LEN_MAX, 4, false,                        \
	  PARAM_IN_R1 | PARAM_IN_I2 | PARAM_IN_R2 | PARAM_IN_UPDATE |          \
		  PARAM_IN_NOTIFY)                                             \
	X(PUZZLE, 257, 24, 52, 1, false, PARAM_IN_R1)                          \
	X(SOLUTION, 321, 44, 100, 2, false, PARAM_IN_I2)                       \
	X(SEQ, 385, 4, 4, 1, false, PARAM_IN_UPDATE)                           \
	X(ACK, 449, 4, PARAM_LEN_MAX, 4, false, PARAM_IN_UPDATE)               \
	X(DH_GROUP_LIST, 511, 1, PARAM_LEN_MAX, 1, false,                      \
	  PARAM_IN_I1 | PARAM_IN_R1)                                           \
	X(DIFFIE_HELLMAN, 513, 4, PARAM_LEN_MAX, 1, false,                     \
	  PARAM_IN_R1 | PARAM_IN_I2 | PARAM_IN_UPDATE)                         \
	X(HIP_CIPHER, 579, 2, PARAM_LEN_MAX, 2, false,                         \
	  PARAM_IN_R1 | PARAM_IN_I2)                                           \
	X(NAT_TRAVERSAL_MODE, 608, 4, PARAM_LEN_MAX, 2, false,                 \
	  PARAM_IN_R1 | PARAM_IN_I2)                                           \
	X(TRANSACTION_PACING, 610, 4, 4, 1, false, PARAM_IN_R1 | PARAM_IN_I2)  \
	X(ENCRYPTED, 641, 4, PARAM_LEN_MAX, 1, false, PARAM_IN_SIGNED)         \
	X(HOST_ID, 705, 7, PARAM_LEN_MAX, 1, false,                            \
	  PARAM_IN_ANY & ~PARAM_IN_I1)                                         \
	X(HIT_SUITE_LIST, 715, 1, PARAM_LEN_MAX, 1, false, PARAM_IN_R1)        \
	X(NOTIFICATION, 832, 4, PARAM_LEN_MAX, 1, true, PARAM_IN_ANY)          \
	X(ECHO_REQUEST_SIGNED, 897, 0, PARAM_LEN_MAX, 1, false,                \
	  PARAM_IN_ANY & ~PARAM_IN_I1)                                         \
	X(REG_INFO, 930, 2, PARAM_LEN_MAX, 1, false,                           \
	  PARAM_IN_R1 | PARAM_IN_UPDATE)                                       \
	X(REG_REQUEST, 932, 2, PARAM_LEN_MAX, 1, true,                         \
	  PARAM_IN_I2 | PARAM_IN_UPDATE)                                       \
	X(REG_RESPONSE, 934, 2, PARAM_LEN_MAX, 1, true,                        \
	  PARAM_IN_R2 | PARAM_IN_UPDATE)                                       \
	X(REG_FAILED, 936, 2, PARAM_LEN_MAX, 1, true,                          \
	  PARAM_IN_R2 | PARAM_IN_UPDATE)                                       \
	X(REG_FROM, 950, 20, 20, 1, false, PARAM_IN_R2 | PARAM_IN_UPDATE)      \
	X(ECHO_RESPONSE_SIGNED, 961, 0, PARAM_LEN_MAX, 1, false,               \
	  PARAM_IN_SIGNED)                                                     \
	X(TRANSPORT_FORMAT_LIST, 2049, 2, PARAM_LEN_MAX, 2, false,             \
	  PARAM_IN_R1 | PARAM_IN_I2)                                           \
	X(ESP_TRANSFORM, 4095, 4, PARAM_LEN_MAX, 2, false,                     \
	  PARAM_IN_R1 | PARAM_IN_I2)                                           \
	X(RELAYED_ADDRESS, 4650, 20, 20, 1, false,                             \
	  PARAM_IN_R2 | PARAM_IN_UPDATE)                                       \
	X(MAPPED_ADDRESS, 4660, 20, 20, 1, false, PARAM_IN_UPDATE)             \
	X(PEER_PERMISSION, 4680, 48, 48, 1, true, PARAM_IN_UPDATE)             \
	X(CANDIDATE_PRIORITY, 4700, 4, 4, 1, false, PARAM_IN_UPDATE)           \
	X(NOMINATE, 4710, 4, 4, 1, false, PARAM_IN_UPDATE)                     \
	/* ours, from the range for private use: see docs/choices.md */        \
	X(PADDING, 46414, 0, PARAM_LEN_MAX, 1, true, PARAM_IN_I1)              \
	X(HIP_MAC, 61505, 20, 64, 1, false, PARAM_IN_SIGNED)                   \
	X(HIP_MAC_2, 61569, 20, 64, 1, false, PARAM_IN_R2)                     \
	X(HIP_SIGNATURE_2, 61633, 3, PARAM_LEN_MAX, 1, false, PARAM_IN_R1)     \
	X(HIP_SIGNATURE, 61697, 3, PARAM_LEN_MAX, 1, false, PARAM_IN_SIGNED)   \
	X(ECHO_RESPONSE_UNSIGNED, 63425, 0, PARAM_LEN_MAX, 1, true,            \
	  PARAM_IN_ANY)                                                        \
	X(ECHO_REQUEST_UNSIGNED, 63661, 0, PARAM_LEN_MAX, 1, true,             \
	  PARAM_IN_ANY)                                                        \
	X(RELAY_FROM, 63998, 20, 20, 1, false, PARAM_IN_ANY)                   \
	X(RELAY_TO, 64002, 20, 20, 1, false, PARAM_IN_ANY & ~PARAM_IN_I1)      \
	X(FROM, 65498, 16, 16, 1, true, PARAM_IN_ANY)                          \
	X(RVS_HMAC, 65500, 20, 64, 1, false, PARAM_IN_ANY)                     \
	X(VIA_RVS, 65502, 16, PARAM_LEN_MAX, 16, false, PARAM_IN_ANY)          \
	X(RELAY_HMAC, 65520, 20, 64, 1, false, PARAM_IN_ANY)

/* A parameter's row; its type number is PARAM_TYPE_<name>. */
enum param {
#define PARAM_ROW(name, type, min, max, unit, multi, in) PARAM_##name,
	PARAM_TABLE(PARAM_ROW)
#undef PARAM_ROW
		PARAM_NUM
};

enum param_type {
#define PARAM_ROW(name, type, min, max, unit, multi, in)                       \
	PARAM_TYPE_##name = type,
	PARAM_TABLE(PARAM_ROW)
#undef PARAM_ROW
};

/* One parameter found; borrowed from the message. */
struct hip_param {
	enum param id;
	const uint8_t *contents;
	uint16_t len;	 /* of the contents, without padding */
	uint16_t offset; /* of the TLV (its type field) in the message */
};

/* A message that passed param_parse; borrows `raw`. Copying the struct is
 * fine as long as raw lives. */
struct hip_msg {
	const uint8_t *raw;
	size_t len;   /* as the header says: trailing data is not counted */
	uint8_t type; /* HIP_I1, ... */
	uint16_t controls; /* PARAM_CONTROL_A; the rest is ignored */
	struct hit sender;
	struct hit receiver;
	uint16_t num; /* params in use, at most PARAM_MAX_NUM */
	struct hip_param params[PARAM_MAX_NUM]; /* wire order, known only */
};

/* REASON_NUM: all is well. Otherwise the reason to drop, and *out is not to
 * be used: HIP_TRUNCATED, HIP_VERSION, HIP_HEADER, HIP_CHECKSUM (over UDP it
 * is 0, RFC 9028 5.1), HIP_TYPE, HIP_TLV (malformed, out of order, repeated,
 * more than PARAM_MAX_NUM, a critical one in a packet it does not belong
 * to), HIP_CRITICAL. Non-critical ones in a wrong packet are skipped. Data
 * behind the message are ignored unless Next Header is 59, which says that
 * there are none (HIP_HEADER). */
enum reason param_parse(const uint8_t *msg, size_t len,
			struct hip_msg *out) HG_CHECK;
/* The parameters inside ENCRYPTED of a packet of `type`: TLVs only, no
 * header; out->sender and receiver are zero. Whatever follows the last whole
 * TLV in rising order is cipher padding and ignored. */
enum reason param_parse_inner(const uint8_t *plain, size_t len, uint8_t type,
			      struct hip_msg *out) HG_CHECK;
/* The first such parameter, or NULL. */
const struct hip_param *param_find(const struct hip_msg *m, enum param id);
/* The next instance of the same parameter after p, or NULL. */
const struct hip_param *param_next(const struct hip_msg *m,
				   const struct hip_param *p);
/* True when each of the parameters whose bit (1u << PARAM_X, as uint64_t) is
 * set in `mask` is there. */
bool param_has_all(const struct hip_msg *m, uint64_t mask);
#define PARAM_BIT(id) (UINT64_C(1) << (id))
uint16_t param_type(enum param id);
/* "ESP_INFO". */
const char *param_name(enum param id);
/* Octets of a whole TLV with len octets of contents (7401 5.2.1). */
size_t param_tlv_len(size_t len);
