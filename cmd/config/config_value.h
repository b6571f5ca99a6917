/* SPDX-License-Identifier: MIT */
/* What each section and key of the schema takes: text into struct config.
 *
 * Each returns HG_OK, HG_EFORMAT (not what is expected), HG_EFULL (bound
 * reached) or HG_EEXIST (there already), and then changes nothing. */
#pragma once

#include "cmd/config/config.h"

/* A decimal number of lo to hi; HG_EFORMAT. */
int config_value_number(const char *v, unsigned long lo, unsigned long hi,
			unsigned long *out) HG_CHECK;
/* The index of v among the words, or HG_EFORMAT. */
int config_value_word(const char *v, const char *const *words,
		      size_t num) HG_CHECK;

int config_value_yes_no(const char *v, bool *out) HG_CHECK;
/* ::1 or 127.0.0.0/8. */
bool config_value_loopback(const struct addr *a);

int config_value_proxy(struct config *c, const char *arg) HG_CHECK;
int config_value_host(struct config *c, const char *arg) HG_CHECK;
int config_value_rendezvous(struct config *c, const char *arg) HG_CHECK;
int config_value_register(struct config *c, const char *arg) HG_CHECK;
int config_value_peer(struct config *c, const char *arg) HG_CHECK;
int config_value_policy(struct config *c, const char *arg) HG_CHECK;

int config_value_tun(struct config *c, const char *v) HG_CHECK;
int config_value_workers(struct config *c, const char *v) HG_CHECK;
int config_value_port(struct config *c, const char *v) HG_CHECK;
int config_value_identity(struct config *c, const char *v) HG_CHECK;
int config_value_state(struct config *c, const char *v) HG_CHECK;
int config_value_control(struct config *c, const char *v) HG_CHECK;
int config_value_control_group(struct config *c, const char *v) HG_CHECK;
int config_value_offload(struct config *c, const char *v) HG_CHECK;
int config_value_log(struct config *c, const char *v) HG_CHECK;
int config_value_allow(struct config *c, const char *v) HG_CHECK;
int config_value_anonymous(struct config *c, const char *v) HG_CHECK;
int config_value_opportunistic(struct config *c, const char *v) HG_CHECK;
int config_value_puzzle(struct config *c, const char *v) HG_CHECK;
int config_value_rekey_time(struct config *c, const char *v) HG_CHECK;
int config_value_rekey_bytes(struct config *c, const char *v) HG_CHECK;
int config_value_rekey_packets(struct config *c, const char *v) HG_CHECK;
int config_value_notify(struct config *c, const char *v) HG_CHECK;
int config_value_rekey_dh(struct config *c, const char *v) HG_CHECK;
int config_value_user(struct config *c, const char *v) HG_CHECK;

int config_value_prefix(struct config *c, const char *v) HG_CHECK;
int config_value_clients(struct config *c, const char *v) HG_CHECK;
int config_value_ttl(struct config *c, const char *v) HG_CHECK;
int config_value_dns_server(struct config *c, const char *v) HG_CHECK;
int config_value_lan(struct config *c, const char *v) HG_CHECK;
int config_value_interface(const char *v, char out[16]) HG_CHECK;

/* Access rules, and whether an I1 to no HIT is answered. */
int config_value_host_allow(struct config *c, const char *v) HG_CHECK;
int config_value_host_deny(struct config *c, const char *v) HG_CHECK;
int config_value_rendezvous_allow(struct config *c, const char *v) HG_CHECK;
int config_value_rendezvous_deny(struct config *c, const char *v) HG_CHECK;
int config_value_proxy_allow(struct config *c, const char *v) HG_CHECK;
int config_value_proxy_deny(struct config *c, const char *v) HG_CHECK;
int config_value_answers(struct config *c, const char *v) HG_CHECK;

/* These write into the section begun last. */
int config_value_register_address(struct config *c, const char *v) HG_CHECK;
int config_value_lifetime(struct config *c, const char *v) HG_CHECK;
int config_value_peer_address(struct config *c, const char *v) HG_CHECK;
int config_value_via_rvs(struct config *c, const char *v) HG_CHECK;
int config_value_peer_identity(struct config *c, const char *v) HG_CHECK;
int config_value_hip(struct config *c, const char *v) HG_CHECK;
int config_value_policy_identity(struct config *c, const char *v) HG_CHECK;
