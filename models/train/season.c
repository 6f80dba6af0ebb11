// SPDX-License-Identifier: MIT
/* season: see season.h. Ridge by its normal equations, eleven unknowns, Cholesky. */
#include "models/train/season.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_MIN 20u
#define PERIOD_MAX 4096u		/* rows; looking for one costs its length times the rows */
#define ALIKE_MIN 0.3		/* autocorrelation of a period */
#define FALL (ALIKE_MIN / 2)	/* under which the neighbouring rows' likeness has ended */
#define LAMBDA 10.0
#define SIGMA_MIN 0.02		/* deviations */

/* Autocorrelation at lag j, not biased by the fewer pairs of a longer one. */
static double alike(const double *centred, unsigned rows, unsigned j, double square)
{
	double sum = 0;

	for (unsigned r = j; r < rows; r++)
		sum += centred[r] * centred[r - j];
	return sum / square * rows / (rows - j);
}

static unsigned find_period(const double *centred, unsigned rows, double square)
{
	unsigned half = rows / 2 < PERIOD_MAX ? rows / 2 : PERIOD_MAX, from = 1, best = 0;
	double most = ALIKE_MIN;

	while (from < half && alike(centred, rows, from, square) >= FALL)
		from++;
	from = from > PERIOD_MIN ? from : PERIOD_MIN;
	for (unsigned j = from; j < half; j++) {
		double a = alike(centred, rows, j, square);

		if (a > most) {
			most = a;
			best = j;
		}
	}
	return best;
}

static void inputs(const struct season *s, const float *u, unsigned r, double *in)
{
	*in++ = 1;
	for (unsigned k = 1; k <= SEASON_RECENT; k++)
		*in++ = u[r - k];
	for (unsigned k = 0; k <= 2 * SEASON_ABOUT; k++)
		*in++ = u[r - s->period - SEASON_ABOUT + k];
}

static unsigned first_row(const struct season *s)
{
	return s->period + SEASON_ABOUT;
}

/* g x = b by g = L L', L in place of g's lower half; g is positive definite (LAMBDA). */
static void solve(double g[SEASON_WEIGHTS][SEASON_WEIGHTS], double *b)
{
	for (unsigned i = 0; i < SEASON_WEIGHTS; i++)
		for (unsigned j = 0; j <= i; j++) {
			double v = g[i][j];

			for (unsigned k = 0; k < j; k++)
				v -= g[i][k] * g[j][k];
			g[i][j] = i == j ? sqrt(v) : v / g[j][j];
		}
	for (unsigned i = 0; i < SEASON_WEIGHTS; i++) {
		for (unsigned k = 0; k < i; k++)
			b[i] -= g[i][k] * b[k];
		b[i] /= g[i][i];
	}
	for (unsigned i = SEASON_WEIGHTS; i-- > 0;) {
		for (unsigned k = i + 1; k < SEASON_WEIGHTS; k++)
			b[i] -= g[k][i] * b[k];
		b[i] /= g[i][i];
	}
}

static void learn(struct season *s, const float *u, unsigned rows)
{
	double g[SEASON_WEIGHTS][SEASON_WEIGHTS] = { { 0 } }, in[SEASON_WEIGHTS];
	double sum = 0, square = 0, count = rows - first_row(s), variance;

	memset(s->weight, 0, sizeof s->weight);
	for (unsigned r = first_row(s); r < rows; r++) {
		inputs(s, u, r, in);
		for (unsigned i = 0; i < SEASON_WEIGHTS; i++) {
			s->weight[i] += in[i] * u[r];
			for (unsigned j = 0; j <= i; j++)
				g[i][j] += in[i] * in[j];
		}
	}
	for (unsigned i = 0; i < SEASON_WEIGHTS; i++)
		g[i][i] += LAMBDA;
	solve(g, s->weight);

	s->inv_sigma = 1;
	for (unsigned r = first_row(s); r < rows; r++) {
		double left = season_left(s, u, r);

		sum += left;
		square += left * left;
	}
	variance = square / count - sum / count * (sum / count);
	s->inv_sigma = 1 / fmax(sqrt(fmax(variance, 0)), SIGMA_MIN);
}

int season_fit(struct season *s, const float *u, unsigned rows)
{
	double *centred, mean = 0, square = 0;

	*s = (struct season){ 0 };
	if (rows < 2 * PERIOD_MIN)
		return 0;
	centred = malloc(rows * sizeof *centred);
	if (!centred)
		return -ENOMEM;
	for (unsigned r = 0; r < rows; r++)
		mean += u[r] / (double)rows;
	for (unsigned r = 0; r < rows; r++) {
		centred[r] = u[r] - mean;
		square += centred[r] * centred[r];
	}
	if (square > 0)
		s->period = find_period(centred, rows, square);
	free(centred);
	if (s->period)
		learn(s, u, rows);
	return 0;
}

double season_left(const struct season *s, const float *u, unsigned r)
{
	double in[SEASON_WEIGHTS], left;

	if (!s->period || r < first_row(s))
		return 0;
	inputs(s, u, r, in);
	left = u[r];
	for (unsigned i = 0; i < SEASON_WEIGHTS; i++)
		left -= s->weight[i] * in[i];
	return left * s->inv_sigma;
}
