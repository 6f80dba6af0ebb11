// SPDX-License-Identifier: MIT
/* report_svg: the loss curve of a fit as a picture that needs nothing else. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/fit.h"
#include "models/train/report.h"

#define WIDTH 640
#define HEIGHT 320
#define LEFT 60
#define TOP 30
#define PLOT_W (WIDTH - LEFT - 20)
#define PLOT_H (HEIGHT - TOP - 50)

struct frame {
	double low, high;
	unsigned epochs;
};

static double across(const struct frame *f, unsigned epoch)
{
	return LEFT + (double)PLOT_W * epoch / (f->epochs > 1 ? f->epochs - 1 : 1);
}

static double down(const struct frame *f, double loss)
{
	return TOP + PLOT_H * (f->high - loss) / (f->high - f->low);
}

static void curve(FILE *out, const struct frame *f, const double *loss, const char *colour)
{
	fprintf(out, "<polyline fill='none' stroke='%s' stroke-width='1.5' points='", colour);
	for (unsigned e = 0; e < f->epochs; e++)
		fprintf(out, "%.1f,%.1f ", across(f, e), down(f, loss[e]));
	fputs("'/>\n", out);
}

static void label(FILE *out, double x, double y, const char *anchor, const char *text)
{
	fprintf(out, "<text x='%.1f' y='%.1f' text-anchor='%s' font-size='12' "
		"font-family='sans-serif'>%s</text>\n", x, y, anchor, text);
}

static struct frame frame_of(const struct learn_report *l)
{
	struct frame f = { l->net_loss, l->linear_loss, l->epochs };

	for (unsigned e = 0; e < l->epochs; e++) {
		f.low = fmin(f.low, fmin(l->curve[e], l->train_curve[e]));
		f.high = fmax(f.high, fmax(l->curve[e], l->train_curve[e]));
	}
	if (!(f.high > f.low))
		f.high = f.low + 1;
	return f;
}

static void draw(FILE *out, const struct fit_report *r)
{
	const struct learn_report *l = &r->learn;
	struct frame f = frame_of(l);
	char text[64];

	fprintf(out, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n"
		"<rect x='%d' y='%d' width='%d' height='%d' fill='none' stroke='#999'/>\n",
		WIDTH, HEIGHT, LEFT, TOP, PLOT_W, PLOT_H);
	fprintf(out, "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' stroke='#999' "
		"stroke-dasharray='4'/>\n", LEFT, LEFT + PLOT_W, down(&f, l->linear_loss),
		down(&f, l->linear_loss));
	if (l->epochs) {
		curve(out, &f, l->train_curve, "#1f77b4");
		curve(out, &f, l->curve, "#d62728");
	}
	if (l->best_epoch)
		fprintf(out, "<circle cx='%.1f' cy='%.1f' r='4' fill='#d62728'/>\n",
			across(&f, l->best_epoch - 1), down(&f, l->curve[l->best_epoch - 1]));
	snprintf(text, sizeof(text), "%.4f", f.high);
	label(out, LEFT - 6, TOP + 10, "end", text);
	snprintf(text, sizeof(text), "%.4f", f.low);
	label(out, LEFT - 6, TOP + PLOT_H, "end", text);
	snprintf(text, sizeof(text), "epoch 1 to %u, best %u", l->epochs, l->best_epoch);
	label(out, LEFT + PLOT_W / 2.0, HEIGHT - 20, "middle", text);
	label(out, LEFT, TOP - 10, "start",
	      "loss: held out red, training blue, untrained dashed");
	fputs("</svg>\n", out);
}

int report_fit_svg(const struct fit_report *r, const char *path, struct why *why)
{
	FILE *out = fopen(path, "we");
	int err = out ? 0 : -errno;

	if (out) {
		draw(out, r);
		err = ferror(out) ? -EIO : 0;
		if (fclose(out) && !err)
			err = -errno;
	}
	return err ? why_set(why, err, "%s: %s", path, strerror(-err)) : 0;
}
