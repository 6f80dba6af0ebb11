// SPDX-License-Identifier: MIT
/*
 * activity: see activity.h. The state h is the runtime's own: one float LSTM step a row.
 */
#include "models/train/activity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lstm.h"
#include "kernels/quant.h"
#include "kernels/why.h"
#include "models/model.h"

void activity_free(struct activity *a)
{
	free(a->linear);
	free(a->gates);
	free(a->head);
	memset(a, 0, sizeof(*a));
}

/* z[rows][N], clipped as inputs are. */
static float *normalised(const struct detector_spec *s, const float *x, unsigned rows)
{
	unsigned n = s->channels;
	float *z = malloc((size_t)rows * n * sizeof(*z));

	for (size_t k = 0; z && k < (size_t)rows * n; k++) {
		float v = (x[k] - s->mean[k % n]) * s->inv_std[k % n];

		if (!isfinite(v))
			v = k >= n ? z[k - n] : 0;
		z[k] = fminf(fmaxf(v, -QUANT_Z_CLIP), QUANT_Z_CLIP);
	}
	return z;
}

static void collect_linear(struct activity *a, const struct detector_spec *s, const float *z)
{
	unsigned n = s->channels, d = s->lags * n;

	for (unsigned r = 0; r < a->rows; r++)
		for (unsigned l = 0; l < s->lags; l++)
			memcpy(a->linear + (size_t)r * d + (size_t)l * n,
			       z + (size_t)(r + s->lags - 1 - l) * n, n * sizeof(*z));
}

static int collect_net(struct activity *a, const struct detector_spec *s, const float *z,
		       struct why *why)
{
	unsigned n = s->channels, h = s->hidden;
	float *state = calloc(h, sizeof(*state));
	struct lstm *lstm = NULL;
	int err = state ? lstm_open(&lstm, n, h, &s->gates, FC_REF, why) : -ENOMEM;

	for (unsigned r = 0; !err && r < a->rows + s->lags; r++) {
		unsigned row = r - s->lags;
		const float *out;

		if (r >= s->lags) {
			memcpy(a->gates + (size_t)row * (n + h), z + (size_t)r * n, n * sizeof(*z));
			memcpy(a->gates + (size_t)row * (n + h) + n, state, h * sizeof(*z));
		}
		out = lstm_step(lstm, z + (size_t)r * n);
		memcpy(state, out, h * sizeof(*state));
		if (r >= s->lags)
			memcpy(a->head + (size_t)row * h, state, h * sizeof(*state));
	}
	lstm_close(lstm);
	free(state);
	return err;
}

int activity_open(struct activity *a, const struct model *m, const float *x, unsigned rows,
		  struct why *why)
{
	const struct detector_spec *s = &m->spec;
	float *z;
	int err = 0;

	*a = (struct activity){ 0 };
	if (rows <= s->lags)
		return why_set(why, -EINVAL, "%u rows are too few to compare layers on", rows);
	if (rows > ACTIVITY_ROWS_MAX + s->lags) {
		x += (size_t)(rows - ACTIVITY_ROWS_MAX - s->lags) * s->channels;
		rows = ACTIVITY_ROWS_MAX + s->lags;
	}
	a->rows = rows - s->lags;
	z = normalised(s, x, rows);
	a->linear = malloc((size_t)a->rows * s->lags * s->channels * sizeof(float));
	if (s->hidden) {
		a->gates = malloc((size_t)a->rows * (s->channels + s->hidden) * sizeof(float));
		a->head = malloc((size_t)a->rows * s->hidden * sizeof(float));
	}
	if (!z || !a->linear || (s->hidden && (!a->gates || !a->head)))
		err = why_set(why, -ENOMEM, "out of memory");
	if (!err)
		collect_linear(a, s, z);
	if (!err && s->hidden)
		err = collect_net(a, s, z, why);
	free(z);
	if (err)
		activity_free(a);
	return err;
}
