/* SPDX-License-Identifier: MIT */
/* The verbs about keys and files: keygen, hit, dns-record, check. */
#include "cmd/hipgate/keyverbs.h"

#include <ctype.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/config/config.h"
#include "cmd/config/config_home.h"
#include "cmd/hipgate/keyfile.h"
#include "dns/dns.h"
#include "hip/hip.h"

enum { RVS_MAX = 8, TTL_DEFAULT = 3600, RECORD_MAX = 8192 };

/* ---- keygen ------------------------------------------------------------ */

static const char *const alg_names[HIP_ALG_NUM] = {
	[HIP_ALG_ECDSA_P256] = "p256",	[HIP_ALG_ECDSA_P384] = "p384",
	[HIP_ALG_RSA_2048] = "rsa2048", [HIP_ALG_RSA_3072] = "rsa3072",
	[HIP_ALG_RSA_4096] = "rsa4096",
};

static bool alg_find(const char *name, enum hip_alg *out)
{
	for (int i = 0; i < HIP_ALG_NUM; i++) {
		if (strcmp(alg_names[i], name) != 0)
			continue;
		*out = (enum hip_alg)i;
		return true;
	}
	return false;
}

static int keygen(const char *path, enum hip_alg alg, bool force)
{
	char errbuf[512];
	char text[ADDR_TEXT_MAX];
	struct hip_identity *id;
	int err = hip_identity_generate(alg, &id);

	if (err)
		return verb_fail("keygen: %s", err_text(err));
	err = keyfile_write(path, id, force, errbuf, sizeof(errbuf));
	if (!err)
		(void)printf("%s\n", hit_print(hip_identity_hit(id), text));
	hip_identity_free(id);
	return err ? verb_fail("%s", errbuf) : VERB_OK;
}

int keyverbs_keygen(const struct verb *v, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "alg", required_argument, NULL, 'a' },
		{ "force", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	enum hip_alg alg = HIP_ALG_ECDSA_P256;
	bool force = false;
	int ch;

	while ((ch = getopt_long(argc, argv, "a:f", longs, NULL)) != -1) {
		if (ch == 'f')
			force = true;
		else if (ch != 'a')
			return verb_usage(v);
		else if (!alg_find(optarg, &alg))
			return verb_wrong("keygen: unknown algorithm \"%s\"; "
					  "there are: p256, p384, rsa2048, "
					  "rsa3072, rsa4096",
					  optarg);
	}
	if (optind + 1 != argc)
		return verb_usage(v);
	return keygen(argv[optind], alg, force);
}

/* ---- hit ---------------------------------------------------------------- */

/* 32 hexadecimal digits, as a HIP record in a zone file has them. */
static bool hit_from_hex(const char *text, struct hit *out)
{
	struct hit h;

	if (strlen(text) != 2 * sizeof(h.b))
		return false;
	for (size_t i = 0; i < sizeof(h.b); i++) {
		char octet[3] = { text[2 * i], text[2 * i + 1], '\0' };

		if (!isxdigit((unsigned char)octet[0]) ||
		    !isxdigit((unsigned char)octet[1]))
			return false;
		h.b[i] = (uint8_t)strtoul(octet, NULL, 16);
	}
	if (!hit_is_orchid(h.b))
		return false;
	*out = h;
	return true;
}

int keyverbs_hit(const struct verb *v, int argc, char **argv)
{
	char errbuf[512];
	char text[ADDR_TEXT_MAX];
	struct hip_identity *id;
	struct hit h;

	if (argc != 2 || (argv[1][0] == '-' && argv[1][1]))
		return verb_usage(v);
	if (hit_parse(argv[1], &h) && !hit_from_hex(argv[1], &h)) {
		if (keyfile_read(argv[1], &id, errbuf, sizeof(errbuf)))
			return verb_fail("%s", errbuf);
		h = *hip_identity_hit(id);
		hip_identity_free(id);
	}
	(void)printf("%s\n", hit_print(&h, text));
	return VERB_OK;
}

/* ---- dns-record --------------------------------------------------------- */

struct record_options {
	const char *name;
	uint32_t ttl;
	const char *rvs[RVS_MAX];
	size_t rvs_num;
};

static int record_print(const struct record_options *o, const char *path)
{
	char out[RECORD_MAX];
	char errbuf[512];
	struct hip_identity *id;
	const uint8_t *pk;
	uint8_t pk_alg;
	size_t pk_len;
	int rc;

	if (keyfile_read(path, &id, errbuf, sizeof(errbuf)))
		return verb_fail("%s", errbuf);
	hip_identity_dns_key(id, &pk_alg, &pk, &pk_len);
	rc = dns_record_print(out, sizeof(out), o->name, o->ttl,
			      hip_identity_hit(id), pk_alg, pk, pk_len, o->rvs,
			      o->rvs_num);
	hip_identity_free(id);
	if (rc == HG_EINVAL || rc == HG_EFORMAT)
		return verb_wrong("dns-record: %s; are --name and --rvs domain "
				  "names?",
				  err_text(rc));
	if (rc < 0)
		return verb_fail("dns-record: %s", err_text(rc));
	(void)fputs(out, stdout);
	return VERB_OK;
}

static bool ttl_parse(const char *text, uint32_t *out)
{
	unsigned long n;
	char *end;

	if (!isdigit((unsigned char)text[0]) || strlen(text) > 10)
		return false;
	n = strtoul(text, &end, 10);
	if (*end != '\0' || n > 0x7fffffff) /* RFC 2181 8 */
		return false;
	*out = (uint32_t)n;
	return true;
}

int keyverbs_dns_record(const struct verb *v, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "ttl", required_argument, NULL, 't' },
		{ "rvs", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	struct record_options o = { .ttl = TTL_DEFAULT };
	int ch;

	while ((ch = getopt_long(argc, argv, "n:t:r:", longs, NULL)) != -1) {
		if (ch == 'n') {
			o.name = optarg;
		} else if (ch == 't') {
			if (!ttl_parse(optarg, &o.ttl))
				return verb_wrong("dns-record: bad --ttl "
						  "\"%s\": expected seconds, "
						  "0 to 2147483647",
						  optarg);
		} else if (ch == 'r') {
			if (o.rvs_num == RVS_MAX)
				return verb_wrong("dns-record: more than %d "
						  "--rvs",
						  RVS_MAX);
			o.rvs[o.rvs_num++] = optarg;
		} else {
			return verb_usage(v);
		}
	}
	if (!o.name || optind + 1 != argc)
		return verb_usage(v);
	return record_print(&o, argv[optind]);
}

/* ---- check -------------------------------------------------------------- */

static int keys_check(const struct config *c)
{
	char errbuf[512];
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < c->identity_num; i++) {
		struct hip_identity *id;

		if (keyfile_read(c->identity[i], &id, errbuf, sizeof(errbuf)))
			return verb_fail("%s", errbuf);
		(void)printf("  identity  %s  %s\n",
			     hit_print(hip_identity_hit(id), text),
			     c->identity[i]);
		hip_identity_free(id);
	}
	return VERB_OK;
}

int keyverbs_check(const struct verb *v, int argc, char **argv)
{
	char errbuf[1024];
	char text[PREFIX_TEXT_MAX];
	char usual[CONFIG_PATH];
	const char *file = argc > 1 ? argv[1] : NULL;
	struct config *c;
	int status;

	if (argc > 2 || (file && file[0] == '-'))
		return verb_usage(v);
	if (!file)
		file = config_home_file(geteuid(), usual);
	if (config_load(file, &c, errbuf, sizeof(errbuf)))
		return verb_fail("%s", errbuf);
	(void)printf("%s:\n  roles    %s%s%s\n", file, c->proxy ? " proxy" : "",
		     c->host ? " host" : "",
		     c->rendezvous ? " rendezvous" : "");
	if (c->pool6.len)
		(void)printf("  prefix    %s\n", prefix_print(&c->pool6, text));
	if (c->pool4.len)
		(void)printf("  prefix    %s\n", prefix_print(&c->pool4, text));
	status = keys_check(c);
	if (status == VERB_OK)
		(void)printf("the configuration is good\n");
	config_free(c);
	return status;
}
