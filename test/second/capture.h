/* SPDX-License-Identifier: MIT */
/* A capture file of HIP messages in UDP (RFC 9028 5.1), as from the wire. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "core/addr.h"
#include "core/err.h"

struct capture {
	FILE *file;
	uint32_t frames; /* written so far */
};

/* A new file with the header of LINKTYPE_RAW, time stamps in ns. */
int capture_open(struct capture *c, const char *path) HG_CHECK;
/* One message of at most HIP_MSG_MAX octets, behind an IP header, a UDP
 * header with its checksum and 4 zero octets. from and to are of one
 * family; now in ns. */
void capture_add(struct capture *c, const struct endpoint *from,
		 const struct endpoint *to, const uint8_t *msg, size_t len,
		 uint64_t now);
/* HG_ESYS: something was not written. */
int capture_close(struct capture *c) HG_CHECK;
