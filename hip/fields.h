/* SPDX-License-Identifier: MIT */
/* The contents of single HIP parameters: get and put, side by side.
 *
 * Getters take a parameter that param_parse found (so its length is in the
 * table's range) and return false when the contents contradict themselves:
 * the caller drops with HIP_TLV. Numbers are in host order; pointers borrow
 * the message. Reserved fields are sent 0 and not looked at. Putters append
 * to a builder (sticky error there).
 *
 * Plain octets need no function here; use hip_param.contents / len and
 * message_put: DH_GROUP_LIST and HIT_SUITE_LIST (one id each octet),
 * ECHO_*, HIP_MAC, HIP_MAC_2, RVS_HMAC, RELAY_HMAC. LOCATOR_SET: hip/locset.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "hip/message.h"
#include "hip/param.h"

#define FIELDS_IDS_MAX 6  /* 7401 5.2.8, 7402 5.1.2: further ids are dropped */
#define FIELDS_ACK_MAX 32 /* further ones are not read */

struct field_esp_info { /* 7402 5.1.1 */
	uint16_t keymat_index;
	uint32_t old_spi;
	uint32_t new_spi;
};
bool fields_get_esp_info(const struct hip_param *p, struct field_esp_info *out);
void fields_put_esp_info(struct msg_builder *b, const struct field_esp_info *f);

struct field_r1_counter {  /* 7401 5.2.3 */
	uint32_t reserved; /* echoed as it came (7401 5.3.3) */
	uint64_t counter;
};
bool fields_get_r1_counter(const struct hip_param *p,
			   struct field_r1_counter *out);
void fields_put_r1_counter(struct msg_builder *b,
			   const struct field_r1_counter *f);

struct field_puzzle { /* 7401 5.2.4 */
	uint8_t k;
	uint8_t lifetime; /* 2^(lifetime - 32) seconds */
	uint16_t opaque;  /* two octets as they stand, big-endian */
	const uint8_t *i;
	size_t i_len; /* compare with the RHASH's length */
};
bool fields_get_puzzle(const struct hip_param *p, struct field_puzzle *out);
void fields_put_puzzle(struct msg_builder *b, const struct field_puzzle *f);

struct field_solution { /* 7401 5.2.5 */
	uint8_t k;
	uint16_t opaque;
	const uint8_t *i;
	const uint8_t *j;
	size_t i_len; /* of i and of j */
};
bool fields_get_solution(const struct hip_param *p, struct field_solution *out);
void fields_put_solution(struct msg_builder *b, const struct field_solution *f);

/* SEQ, one id (7401 5.2.16). */
bool fields_get_seq(const struct hip_param *p, uint32_t *out);
void fields_put_seq(struct msg_builder *b, uint32_t id);

struct field_ack { /* 7401 5.2.17 */
	uint32_t id[FIELDS_ACK_MAX];
	size_t num;
};
bool fields_get_ack(const struct hip_param *p, struct field_ack *out);
/* Is id among all of them? */
bool fields_has_ack(const struct hip_param *p, uint32_t id);
void fields_put_ack(struct msg_builder *b, const struct field_ack *f);

struct field_dh { /* 7401 5.2.7 */
	uint8_t group;
	const uint8_t *public;
	size_t public_len;
};
bool fields_get_dh(const struct hip_param *p, struct field_dh *out);
void fields_put_dh(struct msg_builder *b, const struct field_dh *f);

struct field_ids { /* lists of 16-bit ids, at most the first six */
	uint16_t id[FIELDS_IDS_MAX];
	size_t num;
};
/* True when id is in the list. */
bool fields_ids_has(const struct field_ids *f, uint16_t id);
bool fields_get_cipher(const struct hip_param *p, struct field_ids *out);
void fields_put_cipher(struct msg_builder *b, const struct field_ids *f);
bool fields_get_transport(const struct hip_param *p, struct field_ids *out);
/* The list of transport formats has no bound (7401 5.2.11): all of it. */
bool fields_has_transport(const struct hip_param *p, uint16_t id);
void fields_put_transport(struct msg_builder *b, const struct field_ids *f);
bool fields_get_esp_transform(const struct hip_param *p, struct field_ids *out);
void fields_put_esp_transform(struct msg_builder *b, const struct field_ids *f);

struct field_host_id { /* 7401 5.2.9 */
	uint16_t alg;
	const uint8_t *hi;
	size_t hi_len;
	uint8_t di_type; /* 0 none, 1 FQDN, 2 NAI */
	const uint8_t *di;
	size_t di_len;
};
bool fields_get_host_id(const struct hip_param *p, struct field_host_id *out);
/* The same from contents alone (kept from an R1). */
bool fields_read_host_id(const uint8_t *contents, size_t len,
			 struct field_host_id *out);
void fields_put_host_id(struct msg_builder *b, const struct field_host_id *f);

/* False: an id whose low half is set, an error (7401 5.2.10). */
bool fields_hit_suites_ok(const struct hip_param *p);
/* Is this HIT suite (1..15) in a HIT_SUITE_LIST? */
bool fields_has_hit_suite(const struct hip_param *p, unsigned suite);
/* All of them: bit 1 << suite. */
uint16_t fields_hit_suites(const struct hip_param *p);

/* Notify Message Types we send or read (7401 5.2.19). */
enum {
	FIELDS_UNSUPPORTED_CRITICAL = 1,
	FIELDS_INVALID_SYNTAX = 7,
	FIELDS_NO_DH_PROPOSAL_CHOSEN = 14,
	FIELDS_INVALID_DH_CHOSEN = 15,
	FIELDS_NO_HIP_PROPOSAL_CHOSEN = 16,
	FIELDS_INVALID_HIP_CIPHER_CHOSEN = 17,
	FIELDS_INVALID_ESP_TRANSFORM_CHOSEN = 19, /* 7402 5.1.3 */
	FIELDS_UNSUPPORTED_HIT_SUITE = 20,
	FIELDS_AUTHENTICATION_FAILED = 24,
	FIELDS_HMAC_FAILED = 28,
	FIELDS_ENCRYPTION_FAILED = 32,
	FIELDS_INVALID_HIT = 40,
	FIELDS_BLOCKED_BY_POLICY = 42,
	FIELDS_RESPONDER_BUSY = 44,
	FIELDS_NO_VALID_NAT_MODE = 60, /* 9028 5.10 */
	FIELDS_CHECKS_FAILED = 61,
	FIELDS_RVS_HMAC_PROHIBITED = 64,
	FIELDS_I2_ACKNOWLEDGEMENT = 16384,
	FIELDS_NAT_KEEPALIVE = 16385,
};

struct field_notification {
	uint16_t type;
	const uint8_t *data;
	size_t data_len;
};
bool fields_get_notification(const struct hip_param *p,
			     struct field_notification *out);
void fields_put_notification(struct msg_builder *b,
			     const struct field_notification *f);

/* SIG alg and signature of HIP_SIGNATURE and HIP_SIGNATURE_2. */
struct field_signature {
	uint16_t alg;
	const uint8_t *sig;
	size_t sig_len;
};
bool fields_get_signature(const struct hip_param *p,
			  struct field_signature *out);
/* id: PARAM_HIP_SIGNATURE or PARAM_HIP_SIGNATURE_2. */
void fields_put_signature(struct msg_builder *b, enum param id,
			  const struct field_signature *f);

/* Each echo request of m of this kind, answered: its contents in a response
 * (7401 5.2.20 to 5.2.23). */
void fields_put_echo(struct msg_builder *b, const struct hip_msg *m,
		     enum param request, enum param response);

/* Registration types (RFC 8004 5, RFC 9028 5.9). */
enum {
	FIELDS_REG_RENDEZVOUS = 1,
	FIELDS_REG_RELAY_UDP_HIP = 2,
	FIELDS_REG_RELAY_UDP_ESP = 3,
};
/* Why a registration failed (RFC 8003 4.5, 9028 7.8). */
enum {
	FIELDS_REG_NO_CREDENTIALS = 0,
	FIELDS_REG_UNAVAILABLE = 1,
	FIELDS_REG_NO_RESOURCES = 2,
	FIELDS_REG_BAD_CERT = 3,
	FIELDS_REG_EITHER = 9, /* RENDEZVOUS or RELAY_UDP_HIP, not both */
};

struct field_reg_info {	      /* 8003 4.2 */
	uint8_t min_lifetime; /* coded, see fields_lifetime_ms */
	uint8_t max_lifetime;
	const uint8_t *types;
	size_t types_num; /* may be 0 */
};
bool fields_get_reg_info(const struct hip_param *p, struct field_reg_info *out);
/* Those of our services that it offers: bit 1 << type. */
uint8_t fields_reg_services(const struct field_reg_info *f);
void fields_put_reg_info(struct msg_builder *b, const struct field_reg_info *f);

/* REG_REQUEST, REG_RESPONSE: first is the coded lifetime; REG_FAILED: first
 * is the failure type (8003 4.3-4.5). */
struct field_reg {
	uint8_t first;
	const uint8_t *types;
	size_t types_num;
};
bool fields_get_reg(const struct hip_param *p, struct field_reg *out);
/* id: PARAM_REG_REQUEST, PARAM_REG_RESPONSE or PARAM_REG_FAILED. */
void fields_put_reg(struct msg_builder *b, enum param id,
		    const struct field_reg *f);
/* 8003 4.1: 2^((coded - 64) / 8) seconds, in milliseconds; 0 is 0. */
uint64_t fields_lifetime_ms(uint8_t coded);
/* The longest coded lifetime not above s seconds, but never 0 unless s is
 * 0. */
uint8_t fields_lifetime_code(uint32_t s);

/* FROM (8004 4.2.2). */
bool fields_get_from(const struct hip_param *p, struct addr *out);
void fields_put_from(struct msg_builder *b, const struct addr *a);
/* VIA_RVS: the first address of it (8004 4.2.3). */
bool fields_get_via_rvs(const struct hip_param *p, struct addr *out);
void fields_put_via_rvs(struct msg_builder *b, const struct addr *a);

/* NAT traversal modes, preferred ones first, at most the first six (9028
 * 5.4). */
enum { FIELDS_NAT_UDP = 1, FIELDS_NAT_ICE_HIP_UDP = 3 };
bool fields_get_nat_modes(const struct hip_param *p, struct field_ids *out);
void fields_put_nat_modes(struct msg_builder *b, const struct field_ids *f);

/* TRANSACTION_PACING in milliseconds, CANDIDATE_PRIORITY (9028 5.5, 5.14),
 * NOMINATE: 0 (5.15). */
bool fields_get_number(const struct hip_param *p, uint32_t *out);
void fields_put_number(struct msg_builder *b, enum param id, uint32_t n);

/* REG_FROM, RELAY_FROM, RELAY_TO (9028 5.6), RELAYED_ADDRESS, MAPPED_ADDRESS
 * (5.12). False: not UDP, or port 0. */
bool fields_get_udp_at(const struct hip_param *p, struct endpoint *out);
void fields_put_udp_at(struct msg_builder *b, enum param id,
		       const struct endpoint *at);

struct field_permission {	 /* PEER_PERMISSION (9028 5.13) */
	struct endpoint relayed; /* at the relay */
	struct endpoint peer;
	uint32_t spi_out; /* of what the client sends to the peer */
	uint32_t spi_in;
};
/* False: not UDP, a port of 0, or a reserved SPI. */
bool fields_get_permission(const struct hip_param *p,
			   struct field_permission *out);
void fields_put_permission(struct msg_builder *b,
			   const struct field_permission *f);
