/* SPDX-License-Identifier: MIT */
/* The daemon's lists, as columns for people.
 *
 * THEORY OF OPERATION
 * One table says for each list which of its objects' fields stand in which
 * column, and as what; a field that the daemon does not send shows as "-".
 * grid.c lays them out.
 */
#include "cmd/hipgate/columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/hipgate/grid.h"
#include "cmd/hipgate/screen.h"
#include "core/addr.h"

enum cell {
	CELL_TEXT,
	CELL_HEX, /* an SPI */
	CELL_NUMBER,
	CELL_SECONDS,
	CELL_ROLE, /* true: initiator */
	CELL_YES,
	CELL_ENDPOINT, /* address in key, port in key_port */
	CELL_NUM
};

struct column {
	const char *title;
	const char *key;
	enum cell cell;
	const char *key_port;
};

static const struct list {
	const char *verb;
	struct column columns[GRID_COLUMNS]; /* up to the one with no title */
} lists[] = {
	{ "peers",
	  { { "PEER", "peer", CELL_TEXT, NULL },
	    { "STATE", "state", CELL_TEXT, NULL },
	    { "ROLE", "initiator", CELL_ROLE, NULL },
	    { "LOCATOR", "locator", CELL_TEXT, NULL },
	    { "PATH", "path", CELL_TEXT, NULL },
	    { "FROM", "from", CELL_TEXT, NULL },
	    { "VIA", "via", CELL_TEXT, NULL },
	    { "SPI-IN", "spi_in", CELL_HEX, NULL },
	    { "SPI-OUT", "spi_out", CELL_HEX, NULL },
	    { "SUITE", "suite", CELL_TEXT, NULL },
	    { "SINCE", "since_s", CELL_SECONDS, NULL },
	    { "SELF", "self", CELL_TEXT, NULL } } },
	{ "paths",
	  { { "PEER", "peer", CELL_TEXT, NULL },
	    { "FROM", "from", CELL_TEXT, NULL },
	    { "TO", "to", CELL_TEXT, NULL },
	    { "STATE", "state", CELL_TEXT, NULL },
	    { "CURRENT", "current", CELL_YES, NULL },
	    { "ANNOUNCED", "announced", CELL_YES, NULL },
	    { "PREFERRED", "preferred", CELL_YES, NULL },
	    { "VERIFIED", "verified_s", CELL_SECONDS, NULL },
	    { "EXPIRES", "expires_s", CELL_SECONDS, NULL },
	    { "RTT-US", "rtt_us", CELL_NUMBER, NULL } } },
	{ "moves",
	  { { "PEER", "peer", CELL_TEXT, NULL },
	    { "AGO", "ago_s", CELL_SECONDS, NULL },
	    { "WHY", "why", CELL_TEXT, NULL },
	    { "FROM", "from", CELL_TEXT, NULL },
	    { "TO", "to", CELL_TEXT, NULL } } },
	{ "sas",
	  { { "PEER", "peer", CELL_TEXT, NULL },
	    { "SPI-IN", "spi_in", CELL_HEX, NULL },
	    { "SPI-OUT", "spi_out", CELL_HEX, NULL },
	    { "STATE", "state", CELL_TEXT, NULL },
	    { "SUITE", "suite", CELL_TEXT, NULL },
	    { "LOCATOR", "locator", CELL_TEXT, NULL },
	    { "MTU", "mtu", CELL_NUMBER, NULL },
	    { "OUTER", "outer_mtu", CELL_NUMBER, NULL },
	    { "MTU-BY", "mtu_by", CELL_TEXT, NULL },
	    { "OUT-PKTS", "out_packets", CELL_NUMBER, NULL },
	    { "OUT-BYTES", "out_bytes", CELL_NUMBER, NULL },
	    { "IN-PKTS", "in_packets", CELL_NUMBER, NULL },
	    { "IN-BYTES", "in_bytes", CELL_NUMBER, NULL },
	    { "AGE", "age_s", CELL_SECONDS, NULL },
	    { "SELF", "self", CELL_TEXT, NULL } } },
	{ "mappings",
	  { { "NAME", "name", CELL_TEXT, NULL },
	    { "IPV6", "sub6", CELL_TEXT, NULL },
	    { "IPV4", "sub4", CELL_TEXT, NULL },
	    { "HIT", "hit", CELL_TEXT, NULL },
	    { "LOCATOR", "locator", CELL_TEXT, NULL },
	    { "VIA", "via", CELL_TEXT, NULL },
	    { "STATE", "state", CELL_TEXT, NULL },
	    { "PARKED", "parked", CELL_NUMBER, NULL },
	    { "REAL6", "real6", CELL_TEXT, NULL },
	    { "REAL4", "real4", CELL_TEXT, NULL } } },
	{ "flows",
	  { { "PROTO", "proto", CELL_TEXT, NULL },
	    { "CLIENT", "client", CELL_ENDPOINT, "client_port" },
	    { "SUBSTITUTE", "virt", CELL_ENDPOINT, "virt_port" },
	    { "EXT-PORT", "ext_port", CELL_NUMBER, NULL },
	    { "PEER", "peer", CELL_ENDPOINT, "peer_port" },
	    { "STATE", "state", CELL_TEXT, NULL },
	    { "IDLE", "idle_s", CELL_SECONDS, NULL },
	    { "OUT-PKTS", "out_packets", CELL_NUMBER, NULL },
	    { "IN-PKTS", "in_packets", CELL_NUMBER, NULL } } },
	{ "clients",
	  { { "CLIENT", "client", CELL_TEXT, NULL },
	    { "FLOWS", "flows", CELL_NUMBER, NULL },
	    { "OUT-PKTS", "out_packets", CELL_NUMBER, NULL },
	    { "IN-PKTS", "in_packets", CELL_NUMBER, NULL },
	    { "IDLE", "idle_s", CELL_SECONDS, NULL } } },
	{ "identities",
	  { { "HIT", "hit", CELL_TEXT, NULL },
	    { "ALGORITHM", "alg", CELL_TEXT, NULL },
	    { "ANONYMOUS", "anonymous", CELL_YES, NULL },
	    { "EPHEMERAL", "ephemeral", CELL_YES, NULL },
	    { "FILE", "file", CELL_TEXT, NULL } } },
	{ "access",
	  { { "ROLE", "role", CELL_TEXT, NULL },
	    { "ACTION", "action", CELL_TEXT, NULL },
	    { "WHO", "who", CELL_TEXT, NULL },
	    { "HITS", "hits", CELL_NUMBER, NULL } } },
	{ "log",
	  { { "SUBSYSTEM", "subsystem", CELL_TEXT, NULL },
	    { "LEVEL", "level", CELL_TEXT, NULL },
	    { "CONFIGURED", "configured", CELL_TEXT, NULL } } },
	{ "pins",
	  { { "NAME", "name", CELL_TEXT, NULL },
	    { "HIT", "hit", CELL_TEXT, NULL } } },
	{ "registrations",
	  { { "HIT", "hit", CELL_TEXT, NULL },
	    { "AT", "at", CELL_TEXT, NULL },
	    { "SERVICE", "service", CELL_TEXT, NULL },
	    { "RELAYED AT", "relayed_at", CELL_TEXT, NULL },
	    { "OCTETS", "relayed_bytes", CELL_NUMBER, NULL },
	    { "EXPIRES", "expires_s", CELL_SECONDS, NULL } } },
};

/* 59s, 12m03s, 5h01m, 3d04h. */
void columns_seconds(double v, char *out, size_t cap)
{
	uint64_t s = v > 0 && v < 1e12 ? (uint64_t)v : 0;

	if (s < 60)
		(void)snprintf(out, cap, "%" PRIu64 "s", s);
	else if (s < 3600)
		(void)snprintf(out, cap, "%" PRIu64 "m%02" PRIu64 "s", s / 60,
			       s % 60);
	else if (s < 86400)
		(void)snprintf(out, cap, "%" PRIu64 "h%02" PRIu64 "m", s / 3600,
			       s / 60 % 60);
	else
		(void)snprintf(out, cap, "%" PRIu64 "d%02" PRIu64 "h",
			       s / 86400, s / 3600 % 24);
}

static void endpoint_cell(const json_t *o, const struct column *c, char *out,
			  size_t cap)
{
	const char *address = json_string_value(json_object_get(o, c->key));
	json_int_t port = json_integer_value(json_object_get(o, c->key_port));

	if (!address || !address[0])
		return;
	(void)snprintf(out, cap, strchr(address, ':') ? "[%s]:%d" : "%s:%d",
		       address, (int)port);
}

static void cell_print(const json_t *o, const struct column *c, char *out,
		       size_t cap)
{
	const json_t *v = json_object_get(o, c->key);
	json_int_t n = json_integer_value(v);

	out[0] = '\0';
	if (!v || json_is_null(v))
		return;
	switch (c->cell) {
	case CELL_TEXT:
		if (json_is_string(v))
			(void)snprintf(out, cap, "%s", json_string_value(v));
		break;
	case CELL_HEX:
		if (n)
			(void)snprintf(out, cap, "%08" PRIx64, (uint64_t)n);
		break;
	case CELL_NUMBER:
		(void)snprintf(out, cap, "%" PRId64, (int64_t)n);
		break;
	case CELL_SECONDS:
		columns_seconds(json_number_value(v), out, cap);
		break;
	case CELL_ROLE:
		(void)snprintf(out, cap, "%s",
			       json_is_true(v) ? "initiator" : "responder");
		break;
	case CELL_YES:
		(void)snprintf(out, cap, "%s", json_is_true(v) ? "yes" : "no");
		break;
	case CELL_ENDPOINT:
		endpoint_cell(o, c, out, cap);
		break;
	case CELL_NUM:
		break;
	}
}

static size_t columns_num(const struct list *l)
{
	size_t n = 0;

	while (n < GRID_COLUMNS && l->columns[n].title)
		n++;
	return n;
}

static int row_add(struct grid *g, const struct list *l, const json_t *o)
{
	char text[GRID_COLUMNS][GRID_CELL];
	const char *cells[GRID_COLUMNS];

	for (size_t i = 0; i < columns_num(l); i++) {
		cell_print(o, &l->columns[i], text[i], sizeof(text[i]));
		cells[i] = text[i];
	}
	return grid_add(g, cells);
}

static int list_print(const struct list *l, const json_t *data)
{
	const char *titles[GRID_COLUMNS];
	bool right[GRID_COLUMNS] = { false };
	size_t columns = columns_num(l);
	struct grid *g;
	const json_t *o;
	size_t i;
	int err;

	if (!json_is_array(data))
		return HG_EFORMAT;
	for (i = 0; i < columns; i++) {
		titles[i] = l->columns[i].title;
		right[i] = l->columns[i].cell == CELL_NUMBER ||
			   l->columns[i].cell == CELL_SECONDS;
	}
	err = grid_new(titles, right, columns, &g);
	if (err)
		return err;
	json_array_foreach(data, i, o)
	{
		err = row_add(g, l, o);
		if (err)
			break;
	}
	if (!err)
		grid_print(g, screen_width(), stdout);
	grid_free(g);
	return err;
}

int columns_print(const char *verb, const json_t *data)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strcmp(lists[i].verb, verb) == 0)
			return list_print(&lists[i], data);
	}
	return HG_ENOENT;
}
