// SPDX-License-Identifier: MIT
/*
 * spread: see spread.h. The recursion for mean and variance together is West's (1979)
 * with a constant weight: both stay exact for that weighting, and the variance never
 * turns negative.
 */
#include "kernels/spread.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/log.h"
#include "kernels/why.h"

/* Least mean square: a series that stands still has a finite log, about as deep as int8 sees. */
#define SQUARE_MIN 1e-3f
#define LEAST 1e-30f

struct spread {
	struct spread_spec spec;
	float *mean, *square, *ln, *center;	/* [S] */
	unsigned *measured;			/* [S] online: rows so far, at most spec.online */
};

int spread_open(struct spread **out, const struct spread_spec *spec, struct why *why)
{
	struct spread *s;

	*out = NULL;
	if (!spec->series || !(spec->rate > 0) || spec->rate > 1)
		return why_set(why, -EINVAL, "spread: %u series at rate %g", spec->series,
			       (double)spec->rate);
	if (!spec->start || !spec->center || !spec->inv_dev)
		return why_set(why, -EINVAL, "spread: a vector is missing");
	s = calloc(1, sizeof *s);
	if (s)
		s->mean = calloc(4 * (size_t)spec->series, sizeof *s->mean);
	if (s)
		s->measured = calloc(spec->series, sizeof *s->measured);
	if (!s || !s->mean || !s->measured) {
		spread_close(s);
		return why_set(why, -ENOMEM, "out of memory");
	}
	s->square = s->mean + spec->series;
	s->ln = s->square + spec->series;
	s->center = s->ln + spec->series;
	s->spec = *spec;
	spread_reset(s);
	*out = s;
	return 0;
}

void spread_close(struct spread *s)
{
	if (!s)
		return;
	free(s->mean);
	free(s->measured);
	free(s);
}

void spread_reset(struct spread *s)
{
	memset(s->mean, 0, s->spec.series * sizeof *s->mean);
	memcpy(s->square, s->spec.start, s->spec.series * sizeof *s->square);
	memcpy(s->center, s->spec.center, s->spec.series * sizeof *s->center);
	memset(s->measured, 0, s->spec.series * sizeof *s->measured);
}

void spread_begin(struct spread *s, unsigned i)
{
	s->mean[i] = 0;
	s->square[i] = s->spec.start[i];
	s->measured[i] = 0;
}

/* Online: the mean of the logarithm over the later half of the first rows becomes the center. */
static void measure(struct spread *s, float *size)
{
	unsigned online = s->spec.online, settling = online / 2;

	for (unsigned i = 0; i < s->spec.series; i++) {
		if (s->measured[i] >= online)
			continue;
		if (++s->measured[i] > settling) {
			unsigned k = s->measured[i] - settling;

			s->center[i] += (s->ln[i] - s->center[i]) / (float)k;
		}
		size[i] = 0;
	}
}

void spread_step(struct spread *s, const float *v, float most, float *size)
{
	const struct spread_spec *p = &s->spec;
	float a = p->rate, keep = 1 - a, follow = p->centred ? a : 0;

	for (unsigned i = 0; i < p->series; i++) {
		float x = v[i] > most ? most : v[i] < -most ? -most : v[i];
		float d = x - s->mean[i], mean = s->mean[i] + follow * d;
		/* About zero, West's factor for the moving mean falls away. */
		float square = p->centred ? keep * (s->square[i] + a * d * d) :
					    s->square[i] + a * (d * d - s->square[i]);

		/* What decays for ever becomes subnormal, which costs a hundred cycles a touch. */
		s->mean[i] = fabsf(mean) > LEAST ? mean : 0;
		s->square[i] = square > LEAST ? square : 0;
		s->ln[i] = s->square[i] + SQUARE_MIN;
	}
	log_v(s->ln, s->ln, p->series);
	for (unsigned i = 0; i < p->series; i++)
		size[i] = fabsf(s->ln[i] - s->center[i]) * p->inv_dev[i];
	if (p->online)
		measure(s, size);
}

const float *spread_ln(const struct spread *s)
{
	return s->ln;
}
