// SPDX-License-Identifier: MIT
/*
 * window: a ring of the last samples and of their times. Sums are over all of it at each value,
 * in double and about the mean: the products of two floats are exact there, and nothing is
 * left over from one value to the next.
 */
#include "agent/window.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "agent/window_impl.h"
#include "kernels/why.h"

#define ALIGN 64
#define GAP_INTERVALS 16
#define LANES 4		/* partial sums: an addition waits for the one before it */

struct window {
	struct feature_config config;
	size_t bytes;		/* of the one mapping that all is in */
	float *v;
	uint64_t *t;
	struct band *band;	/* FEATURE_BAND only */
	unsigned size, n;
	unsigned head;		/* where the next one goes; when full, the oldest is there */
	unsigned steps;		/* places where time moves on */
	unsigned first;		/* samples before the first of them; 0: one has left, or none yet */
	bool known, valid;	/* value is of what is in the window; there is one */
	float value;
};

static size_t round_up(size_t bytes)
{
	return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static int check(const struct feature_config *c, struct why *why)
{
	if (c->kind == FEATURE_LAST || c->kind > FEATURE_BAND)
		return why_set(why, -EINVAL, "the last value needs no window");
	if (c->samples < 2 || c->samples > WINDOW_SAMPLES_MAX)
		return why_set(why, -EINVAL, "a window of %u samples: 2 to %d", c->samples,
			       WINDOW_SAMPLES_MAX);
	if (c->kind != FEATURE_BAND)
		return 0;
	if (c->samples < 8 || c->samples & (c->samples - 1))
		return why_set(why, -EINVAL, "a window of %u samples: for a band it is a power "
			       "of two from 8 to %d", c->samples, WINDOW_SAMPLES_MAX);
	if (!(c->lo_hz >= 0 && c->lo_hz < c->hi_hz))
		return why_set(why, -EINVAL, "a band from %g to %g Hz", c->lo_hz, c->hi_hz);
	return 0;
}

int window_open(struct window **out, const struct feature_config *c, struct why *why)
{
	size_t v_bytes = round_up(c->samples * sizeof(float));
	size_t t_bytes = round_up(c->samples * sizeof(uint64_t));
	size_t bytes = round_up(sizeof(struct window)) + v_bytes + t_bytes;
	struct window *w;
	int err;
	char *at;

	*out = NULL;
	err = check(c, why);
	if (err)
		return err;
	if (c->kind == FEATURE_BAND)
		bytes += band_bytes(c->samples);
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		  -1, 0);
	if (at == MAP_FAILED)
		return why_set(why, -ENOMEM, "no memory for a window of %u samples", c->samples);
	/* Without the right to lock it, it is at least populated. */
	mlock(at, bytes);
	w = (struct window *)at;
	at += round_up(sizeof *w);
	*w = (struct window){ .config = *c, .bytes = bytes, .size = c->samples };
	w->v = (float *)at;
	w->t = (uint64_t *)(at + v_bytes);
	if (c->kind == FEATURE_BAND)
		w->band = band_init(at + v_bytes + t_bytes, c->samples);
	*out = w;
	return 0;
}

void window_close(struct window *w)
{
	if (w)
		munmap(w, w->bytes);
}

void window_reset(struct window *w)
{
	w->n = w->head = w->steps = w->first = 0;
	w->known = false;
}

/* The place of sample i, the oldest being 0. */
static unsigned place(const struct window *w, unsigned i)
{
	unsigned at = w->head + w->size - w->n + i;

	return at >= w->size ? at - w->size : at;
}

static uint64_t time_of(const struct window *w, unsigned i)
{
	return w->t[place(w, i)];
}

static bool is_gap(uint64_t step_ns, uint64_t span_ns, unsigned steps)
{
	return steps && (double)step_ns * steps >= (double)GAP_INTERVALS * span_ns;
}

static void drop_oldest(struct window *w)
{
	w->steps -= w->n > 1 && time_of(w, 0) != time_of(w, 1);
	w->first = 0;
	w->n--;
}

/*
 * The first interval had none to be compared with. If it turns out to have been a gap, what came
 * before it goes.
 */
static void judge_first(struct window *w)
{
	uint64_t begin, second, last;

	if (!w->first || w->steps < 3)
		return;
	begin = time_of(w, 0);
	second = time_of(w, w->first);
	last = time_of(w, w->n - 1);
	if (!is_gap(second - begin, last - second, w->steps - 1))
		return;
	w->n -= w->first;
	w->first = 0;
	w->steps--;
}

void window_put(struct window *w, float v, uint64_t t_ns)
{
	if (w->n) {
		uint64_t oldest = time_of(w, 0), last = time_of(w, w->n - 1);

		if (t_ns < last || is_gap(t_ns - last, last - oldest, w->steps))
			window_reset(w);
	}
	if (w->n == w->size)
		drop_oldest(w);
	if (w->n && t_ns != time_of(w, w->n - 1) && !w->steps++)
		w->first = w->n;
	w->v[w->head] = v;
	w->t[w->head] = t_ns;
	w->head = w->head + 1 < w->size ? w->head + 1 : 0;
	w->n++;
	w->known = false;
	judge_first(w);
}

static double mean(const float *v, unsigned n)
{
	double sum[LANES] = { 0 };
	unsigned i;

	for (i = 0; i + LANES <= n; i += LANES)
		for (unsigned k = 0; k < LANES; k++)
			sum[k] += v[i + k];
	for (; i < n; i++)
		sum[0] += v[i];
	return (sum[0] + sum[1] + (sum[2] + sum[3])) / n;
}

/* The mean of the squares about a value, and of the fourth powers. */
static void powers(const float *v, unsigned n, double about, double *second, double *fourth)
{
	double two[LANES] = { 0 }, four[LANES] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		double d = v[i] - about, q = d * d;

		two[i % LANES] += q;
		four[i % LANES] += q * q;
	}
	*second = (two[0] + two[1] + (two[2] + two[3])) / n;
	*fourth = (four[0] + four[1] + (four[2] + four[3])) / n;
}

static void extremes(const float *v, unsigned n, double *min, double *max)
{
	float lo = v[0], hi = v[0];

	for (unsigned i = 1; i < n; i++) {
		lo = v[i] < lo ? v[i] : lo;
		hi = v[i] > hi ? v[i] : hi;
	}
	*min = lo;
	*max = hi;
}

/* Samples of one arrival have its time: those after the first arrival took the time since it. */
static double band(struct window *w)
{
	uint64_t begin = time_of(w, 0), span = time_of(w, w->n - 1) - begin;
	double about = mean(w->v, w->n);
	float *in = band_input(w->band);
	unsigned same = 1, old;

	if (!span)
		return NAN;
	while (time_of(w, same) == begin)
		same++;
	old = w->size - w->head;
	for (unsigned i = 0; i < old; i++)
		in[i] = (float)(w->v[w->head + i] - about);
	for (unsigned i = old; i < w->size; i++)
		in[i] = (float)(w->v[i - old] - about);
	return band_energy(w->band, (w->n - same) * 1e9 / span, w->config.lo_hz, w->config.hi_hz);
}

static double kurtosis(const struct window *w)
{
	double second, fourth;

	powers(w->v, w->n, mean(w->v, w->n), &second, &fourth);
	return second > 0 ? fourth / (second * second) - 3 : 0;
}

static double compute(struct window *w)
{
	double a, b;

	switch (w->config.kind) {
	case FEATURE_MEAN:
		return mean(w->v, w->n);
	case FEATURE_RMS:
		powers(w->v, w->n, 0, &a, &b);
		return sqrt(a);
	case FEATURE_MIN:
		extremes(w->v, w->n, &a, &b);
		return a;
	case FEATURE_MAX:
		extremes(w->v, w->n, &a, &b);
		return b;
	case FEATURE_PEAK_TO_PEAK:
		extremes(w->v, w->n, &a, &b);
		return b - a;
	case FEATURE_KURTOSIS:
		return kurtosis(w);
	case FEATURE_BAND:
		return band(w);
	}
	return NAN;
}

bool window_value(struct window *w, float *value)
{
	if (!w->known) {
		w->value = w->n == w->size ? (float)compute(w) : NAN;
		w->valid = isfinite(w->value);
		w->known = true;
	}
	if (w->valid)
		*value = w->value;
	return w->valid;
}
