// SPDX-License-Identifier: MIT
/*
 * report_curve: losses in the terminal. A character is two dots wide and four high (Braille
 * patterns, U+2800 and up); where only ASCII can be written it is one mark.
 */
#include <math.h>
#include <string.h>

#include "models/train/learn.h"
#include "models/train/report.h"

#define COLUMNS 60u
#define LINES 10u
#define DOTS_X (2 * COLUMNS)
#define DOTS_Y (4 * LINES)

struct canvas {
	double low, high;
	unsigned char dots[LINES][COLUMNS];
	char mark[LINES][COLUMNS];
};

/* Later marks stand over earlier ones. */
static void dot(struct canvas *c, unsigned x, unsigned y, char mark)
{
	static const unsigned char bit[4][2] = {
		{ 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 }
	};

	c->dots[y / 4][x / 2] |= bit[y % 4][x % 2];
	c->mark[y / 4][x / 2] = mark;
}

static unsigned height(const struct canvas *c, double loss)
{
	double part = (c->high - loss) / (c->high - c->low);

	return (unsigned)lround(fmin(fmax(part, 0), 1) * (DOTS_Y - 1));
}

/* Between the epochs, straight. */
static double loss_at(const double *loss, unsigned epochs, unsigned x)
{
	double at = (double)x * (epochs - 1) / (DOTS_X - 1);
	unsigned e = (unsigned)at;

	return e + 1 < epochs ? loss[e] + (at - e) * (loss[e + 1] - loss[e]) : loss[epochs - 1];
}

static void draw(struct canvas *c, const struct learn_report *l)
{
	unsigned before = 0;

	for (unsigned x = 0; x < DOTS_X; x++)
		if (x % 8 < 4)
			dot(c, x, height(c, l->linear_loss), '-');
	for (unsigned x = 0; x < DOTS_X; x += 3)
		dot(c, x, height(c, loss_at(l->train_curve, l->epochs, x)), '.');
	for (unsigned x = 0; x < DOTS_X; x++) {
		unsigned y = height(c, loss_at(l->curve, l->epochs, x));
		unsigned from = x && before < y ? before + 1 : y;
		unsigned to = x && before > y ? before - 1 : y;

		for (unsigned k = from; k <= to; k++)
			dot(c, x, k, '*');
		before = y;
	}
}

static void put_cell(FILE *out, const struct canvas *c, unsigned line, unsigned column,
		     bool unicode)
{
	unsigned dots = c->dots[line][column];

	if (!unicode)
		fputc(dots ? c->mark[line][column] : ' ', out);
	else if (!dots)
		fputc(' ', out);
	else	/* UTF-8 of U+2800 + dots */
		fprintf(out, "\xe2%c%c", (int)(0xa0 | dots >> 6), (int)(0x80 | (dots & 0x3f)));
}

void report_curve(FILE *out, const struct learn_report *l, bool unicode)
{
	struct canvas c = { .low = l->linear_loss, .high = l->linear_loss };
	unsigned best = 0;

	if (!l->epochs)
		return;
	for (unsigned e = 0; e < l->epochs; e++) {
		c.low = fmin(c.low, fmin(l->curve[e], l->train_curve[e]));
		c.high = fmax(c.high, fmax(l->curve[e], l->train_curve[e]));
	}
	if (!(c.high > c.low))
		c.high = c.low + 1;
	draw(&c, l);
	for (unsigned line = 0; line < LINES; line++) {
		unsigned columns = COLUMNS;

		while (columns && !c.dots[line][columns - 1])
			columns--;
		if (line == 0 || line == LINES - 1)
			fprintf(out, "%9.4g |", line ? c.low : c.high);
		else
			fprintf(out, "%9s |", "");
		for (unsigned column = 0; column < columns; column++)
			put_cell(out, &c, line, column, unicode);
		fputc('\n', out);
	}
	if (l->best_epoch)
		best = l->epochs > 1 ? (l->best_epoch - 1) * (COLUMNS - 1) / (l->epochs - 1) : 0;
	fprintf(out, "%9s +", "");
	for (unsigned column = 0; column < COLUMNS; column++)
		fputc(l->best_epoch && column == best ? '^' : '-', out);
	fprintf(out, "\n%11sepochs 1 to %u; line: rows held out, points: rows learnt from, dashes: "
		"untrained\n", "", l->epochs);
}
