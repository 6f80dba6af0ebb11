// SPDX-License-Identifier: MIT
/*
 * teach: see teach.h. What a forecast net is taught is cut at TARGET_CLIP deviations: a
 * rare burst is what the detector is for, not what the forecast should bend to.
 */
#include "models/train/teach.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "models/train/data.h"
#include "models/train/net.h"

#define TARGET_CLIP 5.0f
#define SCALE_MIN 0.02f		/* of a channel's own deviation, as in calibrate */

static void set_scale(struct teach *t, const struct series *s, const float *left, unsigned lags)
{
	unsigned n = s->channels;

	for (unsigned i = 0; i < n; i++) {
		double square = 0, count = 0;

		for (unsigned r = lags; r < s->fit_rows; r++) {
			double e = left[(size_t)r * n + i];

			square += s->valid[(size_t)r * n + i] * e * e;
			count += s->valid[(size_t)r * n + i];
		}
		t->scale[i] = fmaxf((float)sqrt(count > 0 ? square / count : 0), SCALE_MIN);
	}
}

void teach_target(const struct teach *t, float *out, const float *left, unsigned lags)
{
	unsigned n = t->lesson.channels;

	for (unsigned r = lags; r < t->lesson.rows; r++)
		for (unsigned i = 0; i < n; i++) {
			size_t k = (size_t)r * n + i;
			float v = left[k] / t->scale[i];

			out[k - n] = fminf(fmaxf(v, -TARGET_CLIP), TARGET_CLIP);
		}
}

int teach_open(struct teach *t, const struct series *s, const float *left, unsigned lags)
{
	unsigned n = s->channels;
	size_t cells = (size_t)s->rows * n;

	*t = (struct teach){ .lesson = { .rows = s->rows, .fit_rows = s->fit_rows, .channels = n,
					 .input = s->input, .weight = s->valid } };
	t->target = calloc(2 * cells + n, sizeof(float));
	if (!t->target)
		return -ENOMEM;
	t->weight = t->target + cells;
	t->scale = t->weight + cells;
	for (unsigned i = 0; i < n; i++)
		t->scale[i] = 1;
	if (!left)
		return 0;
	set_scale(t, s, left, lags);
	teach_target(t, t->target, left, lags);
	for (size_t k = (size_t)lags * n; k < cells; k++)
		t->weight[k - n] = s->valid[k];
	t->lesson.target = t->target;
	t->lesson.weight = t->weight;
	return 0;
}

void teach_close(struct teach *t)
{
	free(t->target);
	t->target = NULL;
}

static void multiply(struct net *net, unsigned i, float by)
{
	unsigned h = net->shape.hidden, f = net->shape.features;

	for (unsigned k = 0; k < h; k++)
		net->head_w[(size_t)i * h + k] *= by;
	net->head_b[i] *= by;
	for (unsigned k = 0; k < f; k++)
		net->fuse[(size_t)i * f + k] *= by;
}

void teach_fold(struct net *net, const float *scale)
{
	for (unsigned i = 0; i < net->shape.channels; i++)
		multiply(net, i, scale[i]);
}

void teach_unfold(struct net *net, const float *scale)
{
	for (unsigned i = 0; i < net->shape.channels; i++)
		multiply(net, i, 1 / scale[i]);
}
