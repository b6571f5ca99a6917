/* SPDX-License-Identifier: MIT */
/* The status page: a snapshot as HTML with inline SVG.
 *
 * THEORY OF OPERATION
 * Pure, and one document: no script, no request for anything else, so that
 * its Content-Security-Policy can forbid both. Plots and ladders are drawn
 * here; what they look like, in light and dark, narrow and wide, is the style
 * sheet's (pagestyle.c). Names, reasons and whatever else may be a stranger's
 * goes through textout_html, without exception. The size is bounded by the
 * snapshot's.
 *
 * page.c: frame, tiles, lists; pageplot.c: plots; pagetrace.c: which events
 * make a ladder; pageladder.c: draws it.
 */
#pragma once

#include <stddef.h>

#include "snapshot.h"
#include "textout.h"

#define PAGE_TYPE "text/html; charset=utf-8"

enum {
	PAGE_HOUR = 1,	/* plots of an hour, not of five minutes */
	PAGE_STILL = 2, /* it does not load itself anew */
	PAGE_CHOICES = 4,
	PAGE_REFRESH_S = 10,
	PAGE_MAX = 1 << 20 /* octets */
};

void page_render(const struct snapshot *s, unsigned choice, struct textout *t);
/* The Content-Security-Policy that the page needs. cap: 256 are enough. */
void page_policy(char *out, size_t cap);

/* pagestyle.c */
extern const char page_style[];

/* ---- pageplot.c -------------------------------------------------------------- */

void pageplot_all(const struct snapshot *s, bool hour, struct textout *t);
/* Of the last seconds, a second. */
double pageplot_rate(const struct snapshot *s, enum sample_kind first,
		     unsigned num);
/* "12.4 Mbit/s", "3 /s". */
void pageplot_bits(double bits, char out[32]);
void pageplot_number(double n, char out[32]);

/* ---- pageladder.c -------------------------------------------------------------- */

/* The latest traces. */
void pageladder_all(const struct snapshot *s, struct textout *t);
