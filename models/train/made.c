// SPDX-License-Identifier: MIT
/*
 * made: see made.h. A normal number is the sum of twelve uniform ones; a point of the circle is
 * rational in the tangent of half its angle and turned by multiplication.
 */
#include "models/train/made.h"

#include <math.h>

#include "models/train/random.h"

#define SETTLE 512u	/* rows before the first that is kept */

static const char *const names[MADE_KINDS] = {
	"noise", "resonance", "sine", "cycle", "changes", "bursts", "switching", "coarse",
	"constant",
};

const char *made_name(enum made_kind kind)
{
	return names[kind];
}

static double uniform(struct random *r, double from, double to)
{
	return from + (to - from) * ((double)(random_next(r) >> 11) * 0x1p-53);
}

static double normal(struct random *r)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += uniform(r, 0, 1);
	return sum;
}

/* Between a and b, each factor as likely: by squaring, as there is no exponential here. */
static double spaced(struct random *r, double a, double b)
{
	double part = uniform(r, 0, 1);

	return a + (b - a) * part * part;
}

struct turn {
	double x, y, c, s;
};

/* One turn in so many rows: sine and cosine of 2 pi / period by the half angle's tangent. */
static struct turn turn(double period, double phase)
{
	double a = 3.14159265358979 / period, a2 = a * a;
	/* Of tan(a), a <= pi / 4: its continued fraction, far closer than any machine's speed. */
	double t = a / (1 - a2 / (3 - a2 / (5 - a2 / (7 - a2 / 9))));
	double p = 1 + phase * phase;

	return (struct turn){ (1 - phase * phase) / p, 2 * phase / p,
			      (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t) };
}

static double turn_next(struct turn *t)
{
	double x = t->x * t->c - t->y * t->s;

	t->y = t->x * t->s + t->y * t->c;
	t->x = x;
	return t->y;
}

/* What a series is made with, whichever of these its kind needs. */
struct maker {
	struct random random;
	double phi, phi2, noise, level, pulse, last, before;
	double jump, keep, step, seldom;
	struct turn base, over;
};

static double autoregression(struct maker *m)
{
	double now = m->phi * m->last + m->phi2 * m->before + normal(&m->random);

	m->before = m->last;
	m->last = now;
	return now;
}

static double turning(struct maker *m)
{
	return turn_next(&m->base) + m->jump * turn_next(&m->over) +
	       m->noise * autoregression(m) * sqrt(1 - m->phi * m->phi);
}

/* The quotient of two normal numbers' sizes, cut: heavy tails, and all moments. */
static double heavy(struct random *r)
{
	double v = normal(r) / (0.5 + fabs(normal(r)));

	return v > 8 ? 8 : v < -8 ? -8 : v;
}

static double burst(struct maker *m)
{
	if (uniform(&m->random, 0, 1) < m->seldom)
		m->pulse += m->jump * uniform(&m->random, 0.5, 1.5);
	m->pulse *= m->keep;
	return m->pulse + autoregression(m) * sqrt(1 - m->phi * m->phi);
}

static double switching(struct maker *m)
{
	if (uniform(&m->random, 0, 1) < m->seldom)
		m->level = m->level > 0 ? 0 : m->jump;
	m->pulse += m->keep * (m->level - m->pulse);
	return m->pulse + autoregression(m) * sqrt(1 - m->phi * m->phi);
}

static double coarse(struct maker *m)
{
	double v = autoregression(m) * sqrt(1 - m->phi * m->phi);

	return floor(v / m->step + 0.5) * m->step;
}

static double next(struct maker *m, enum made_kind kind)
{
	switch (kind) {
	case MADE_NOISE:
	case MADE_RESONANCE:
		return autoregression(m);
	case MADE_SINE:
	case MADE_CYCLE:
		return turning(m);
	case MADE_CHANGES:
		m->before = m->last;
		m->last = heavy(&m->random);
		return m->last + m->phi * m->before;
	case MADE_BURSTS:
		return burst(m);
	case MADE_SWITCHING:
		return switching(m);
	case MADE_COARSE:
		return coarse(m);
	default:
		return uniform(&m->random, 0, 1) < m->seldom ? m->step : 0;
	}
}

static void open_kind(struct maker *m, enum made_kind kind)
{
	struct random *r = &m->random;
	double period = kind == MADE_CYCLE ? spaced(r, 200, 2000) : spaced(r, 4, 100);

	m->phi = 1 - spaced(r, 0.02, 1);
	m->phi2 = 0;
	m->noise = uniform(r, 0.05, 1);
	m->jump = uniform(r, 0, 0.5);
	m->base = turn(period, uniform(r, -1, 1));
	m->over = turn(period / 2 < 4 ? 4 : period / 2, uniform(r, -1, 1));
	m->seldom = 1 / spaced(r, 40, 400);
	m->keep = uniform(r, 0.2, 0.95);
	m->step = uniform(r, 0.3, 1.5);
	if (kind == MADE_RESONANCE) {
		double radius = 1 - spaced(r, 0.02, 0.4);

		m->phi = 2 * radius * uniform(r, -0.5, 0.99);
		m->phi2 = -radius * radius;
	}
	if (kind == MADE_CHANGES)
		m->phi = uniform(r, -0.4, 0.4);
	if (kind == MADE_COARSE)
		m->phi = 1 - spaced(r, 0.005, 0.2);
	if (kind == MADE_BURSTS || kind == MADE_SWITCHING)
		m->jump = uniform(r, 2, 8);
	if (kind == MADE_CONSTANT)
		m->seldom = 1 / spaced(r, 100, 2000);
}

void made_series(float *x, unsigned rows, enum made_kind kind, uint64_t seed, unsigned which)
{
	struct maker m = { .random = { seed } };
	double scale, offset;

	/* Far apart in the generator's sequence, whatever the seeds. */
	m.random.state = random_next(&m.random) ^ ((uint64_t)which * MADE_KINDS + kind) << 40;
	scale = spaced(&m.random, 0.01, 100);
	offset = spaced(&m.random, 0, 50) * uniform(&m.random, -1, 1);
	open_kind(&m, kind);
	for (unsigned i = 0; i < SETTLE; i++)
		next(&m, kind);
	for (unsigned i = 0; i < rows; i++)
		x[i] = (float)(scale * (next(&m, kind) + offset));
}
