/* SPDX-License-Identifier: MIT */
/* The status page's plots: samples as SVG.
 *
 * THEORY OF OPERATION
 * A plot is a row of a table: which counts, each a rate of its own, drawn as
 * lines or stacked. Time runs to the right edge, which is now; where there is
 * no sample yet, nothing is drawn. The vertical axis begins at 0 and ends at
 * a round number, so that plots of the same thing can be compared.
 */
#include "page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	WIDTH = 640,
	HEIGHT = 190,
	LEFT = 96,
	RIGHT = 628,
	TOP = 14,
	BOTTOM = 164,
	TICKS = 4,
	SERIES_MAX = REASON_STAGE_NUM
};

struct plot {
	const char *title;
	enum sample_kind first;
	unsigned num;
	double scale; /* of a count, in what is shown */
	double least; /* that the axis reaches */
	bool stacked;
	void (*print)(double v, char out[32]);
	const char *names[SERIES_MAX]; /* NULL: the stages' */
	unsigned color[SERIES_MAX];
};

/* ---- numbers --------------------------------------------------------------- */

static void with_prefix(double v, const char *unit, char out[32])
{
	static const char *const prefix[] = { "", "k", "M", "G", "T" };
	unsigned i = 0;
	int digits;

	while (v >= 999.5 && i < 4) {
		v /= 1000;
		i++;
	}
	digits = v >= 99.5 || v == floor(v) ? 0 : v >= 9.95 ? 1 : 2;
	(void)snprintf(out, 32, "%.*f %s%s", digits, v, prefix[i], unit);
}

void pageplot_bits(double bits, char out[32])
{
	with_prefix(bits, "bit/s", out);
}

void pageplot_number(double n, char out[32])
{
	with_prefix(n, "/s", out);
}

/* 1, 2 or 5 times a power of ten, times TICKS, and not below v. */
static double round_up(double v, double least)
{
	double step = (v > least ? v : least) / TICKS;
	double power = pow(10, floor(log10(step)));
	double n = step / power;

	if (n <= 1)
		n = 1;
	else if (n <= 2)
		n = 2;
	else
		n = n <= 5 ? 5 : 10;
	return n * power * TICKS;
}

/* ---- rates ------------------------------------------------------------------- */

static double rate(const struct sample *a, const struct sample *b,
		   unsigned kind)
{
	double dt = (double)(b->t - a->t) / 1e9;

	return b->t > a->t && b->v[kind] >= a->v[kind]
		       ? (double)(b->v[kind] - a->v[kind]) / dt
		       : 0;
}

double pageplot_rate(const struct snapshot *s, enum sample_kind first,
		     unsigned num)
{
	size_t n = samples_num(&s->samples, 0);
	size_t back = n > 5 ? 5 : n ? n - 1 : 0;
	double sum = 0;

	for (unsigned k = 0; back && k < num; k++)
		sum += rate(samples_at(&s->samples, 0, n - 1 - back),
			    samples_at(&s->samples, 0, n - 1), first + k);
	return sum;
}

/* What a plot has to draw. */
struct data {
	size_t num; /* points; of each series */
	double x[SAMPLES_COARSE];
	double y[SERIES_MAX][SAMPLES_COARSE]; /* in what is shown */
	double last[SERIES_MAX], peak[SERIES_MAX];
	double top;
};

static void read_data(const struct snapshot *s, const struct plot *p, bool hour,
		      struct data *d)
{
	size_t n = samples_num(&s->samples, hour);
	double span = hour ? 3600 : 300;

	memset(d, 0, sizeof(*d));
	for (size_t i = 1; i < n; i++) {
		const struct sample *a = samples_at(&s->samples, hour, i - 1);
		const struct sample *b = samples_at(&s->samples, hour, i);
		double ago = (double)(int64_t)(s->now - b->t) / 1e9;
		double x = RIGHT - ago / span * (RIGHT - LEFT);
		double sum = 0;

		if (x < LEFT)
			continue;
		d->x[d->num] = x < RIGHT ? x : RIGHT;
		for (unsigned k = 0; k < p->num; k++) {
			double v = rate(a, b, p->first + k) * p->scale;

			d->y[k][d->num] = v;
			d->last[k] = v;
			if (v > d->peak[k])
				d->peak[k] = v;
			sum = p->stacked ? sum + v : v > sum ? v : sum;
		}
		if (sum > d->top)
			d->top = sum;
		d->num++;
	}
}

/* ---- drawing ------------------------------------------------------------------- */

static double height(const struct data *d, double v)
{
	return BOTTOM - v / d->top * (BOTTOM - TOP);
}

static void put_axes(const struct plot *p, const struct data *d, bool hour,
		     struct textout *t)
{
	static const char *const minutes[] = { "5 min ago", "4", "3",
					       "2",	    "1", "now" };
	static const char *const hours[] = { "1 h ago", "48 min", "36",
					     "24",	"12",	  "now" };
	char label[32];

	for (unsigned i = 0; i <= TICKS; i++) {
		double v = d->top * i / TICKS;

		textout(t, "<path class=\"%s\" d=\"M%d %.1fH%d\"/>",
			i ? "grid" : "base", LEFT, height(d, v), RIGHT);
		if (i % 2)
			continue;
		p->print(v, label);
		textout(t,
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s"
			"</text>",
			LEFT - 8, height(d, v) + 4, label);
	}
	for (unsigned i = 0; i < 6; i++)
		textout(t,
			"<text class=\"%s\" x=\"%d\" y=\"%d\" "
			"text-anchor=\"%s\">%s</text>",
			i == 1 || i == 4 ? "alt" : "at",
			LEFT + (RIGHT - LEFT) * (int)i / 5, BOTTOM + 19,
			i == 0	 ? "start"
			: i == 5 ? "end"
				 : "middle",
			hour ? hours[i] : minutes[i]);
}

static void put_points(const struct data *d, const double *y, bool back,
		       struct textout *t)
{
	for (size_t i = 0; i < d->num; i++) {
		size_t at = back ? d->num - 1 - i : i;

		textout(t, "%s%.1f %.1f", i ? " " : "", d->x[at],
			height(d, y[at]));
	}
}

static void put_line(const struct data *d, unsigned k, unsigned color,
		     struct textout *t)
{
	textout(t, "<path class=\"f s%u\" d=\"M", color);
	put_points(d, d->y[k], false, t);
	textout(t, "L%.1f %d %.1f %dZ\"/>", d->x[d->num - 1], BOTTOM, d->x[0],
		BOTTOM);
	textout(t, "<path class=\"l s%u\" d=\"M", color);
	put_points(d, d->y[k], false, t);
	textout(t, "\"/>");
}

/* Each on those before it. */
static void put_stack(const struct plot *p, struct data *d, struct textout *t)
{
	static const double zero[SAMPLES_COARSE];
	const double *below = zero;

	for (unsigned k = 0; k < p->num; k++) {
		if (d->peak[k] <= 0)
			continue;
		for (size_t i = 0; i < d->num; i++)
			d->y[k][i] += below[i];
		textout(t, "<path class=\"k s%u\" d=\"M", p->color[k]);
		put_points(d, d->y[k], false, t);
		textout(t, "L");
		put_points(d, below, true, t);
		textout(t, "Z\"/>");
		below = d->y[k];
	}
}

static const char *name_of(const struct plot *p, unsigned k)
{
	return p->names[0] ? p->names[k]
			   : reason_stage_name((enum reason_stage)k);
}

static void put_legend(const struct plot *p, const struct data *d,
		       struct textout *t)
{
	char now[32];
	char peak[32];

	textout(t, "<ul class=\"legend\">");
	for (unsigned k = 0; k < p->num; k++) {
		if (p->stacked && d->peak[k] <= 0)
			continue;
		p->print(d->last[k], now);
		p->print(d->peak[k], peak);
		textout(t, "<li><i class=\"s%u\"></i>%s <b>%s</b> peak %s</li>",
			p->color[k], name_of(p, k), now, peak);
	}
	textout(t, "</ul>");
}

static void put_plot(const struct snapshot *s, const struct plot *p, bool hour,
		     struct textout *t)
{
	struct data d;
	double most;

	read_data(s, p, hour, &d);
	most = d.top;
	d.top = round_up(d.top, p->least);
	textout(t, "<figure class=\"card\"><figcaption>%s", p->title);
	put_legend(p, &d, t);
	textout(t,
		"</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"%s, the last %s\">",
		WIDTH, HEIGHT, p->title, hour ? "hour" : "five minutes");
	put_axes(p, &d, hour, t);
	if (most <= 0)
		textout(t,
			"<text class=\"none\" x=\"%d\" y=\"%d\" "
			"text-anchor=\"middle\">none</text>",
			(LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2 + 5);
	else if (p->stacked)
		put_stack(p, &d, t);
	for (unsigned k = 0; k < p->num && most > 0 && !p->stacked; k++)
		put_line(&d, k, p->color[k], t);
	textout(t, "</svg></figure>");
}

void pageplot_all(const struct snapshot *s, bool hour, struct textout *t)
{
	static const struct plot plots[] = {
		{ "Throughput",
		  SAMPLE_OUT_BYTES,
		  2,
		  8,
		  4000,
		  false,
		  pageplot_bits,
		  { "to HIP hosts", "from them" },
		  { 0, 1 } },
		{ "Drops",
		  SAMPLE_DROPS,
		  REASON_STAGE_NUM,
		  1,
		  0.4,
		  true,
		  pageplot_number,
		  { NULL },
		  { 2, 3, 4, 0, 1, 5 } },
		{ "DNS answers",
		  SAMPLE_DNS,
		  1,
		  1,
		  0.4,
		  false,
		  pageplot_number,
		  { "all" },
		  { 0 } },
		{ "Base exchanges",
		  SAMPLE_BEX,
		  2,
		  1,
		  0.4,
		  false,
		  pageplot_number,
		  { "established", "failed" },
		  { 1, 4 } },
	};

	textout(t, "<section class=\"plots\">");
	for (size_t i = 0; i < sizeof(plots) / sizeof(plots[0]); i++)
		put_plot(s, &plots[i], hour, t);
	textout(t, "</section>");
}
