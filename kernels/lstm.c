// SPDX-License-Identifier: MIT
/*
 * lstm: the state of one layer and the order of its step.
 *
 * h lives twice: in f32 for what follows, and quantised in the operator's own input
 * tensor, where the next step wants it. It is quantised in a loop of its own because
 * gcc gives up vectorising the gates when they also narrow to bytes.
 */
#include "kernels/lstm.h"

#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/gate.h"
#include "kernels/quant.h"
#include "kernels/why.h"

struct lstm {
	unsigned inputs, hidden;
	float x_inv_step;
	struct fc *gates;
	float *c, *h;		/* [hidden] each */
};

int lstm_open_step(struct lstm **out, unsigned inputs, unsigned hidden,
		   const struct fc_spec *gates, float x_inv_step, enum fc_kind kind,
		   struct why *why)
{
	struct lstm *l;
	int err;

	*out = NULL;
	if (!inputs || !hidden || gates->in != inputs + hidden || gates->out != 4 * hidden)
		return why_set(why, -EINVAL, "gates of %u x %u do not fit %u inputs, %u hidden",
			       gates->out, gates->in, inputs, hidden);
	if (!(x_inv_step >= FLT_MIN && x_inv_step <= FLT_MAX))
		return why_set(why, -EINVAL, "no step of 1 / %g", (double)x_inv_step);
	l = calloc(1, sizeof *l);
	if (!l)
		return why_set(why, -ENOMEM, "out of memory");
	l->inputs = inputs;
	l->hidden = hidden;
	l->x_inv_step = x_inv_step;
	err = fc_open(&l->gates, gates, kind, why);
	if (err)
		goto fail;
	l->c = calloc(hidden, sizeof *l->c);
	l->h = calloc(hidden, sizeof *l->h);
	if (!l->c || !l->h) {
		err = why_set(why, -ENOMEM, "out of memory");
		goto fail;
	}
	lstm_reset(l);
	*out = l;
	return 0;
fail:
	lstm_close(l);
	return err;
}

int lstm_open(struct lstm **out, unsigned inputs, unsigned hidden, const struct fc_spec *gates,
	      enum fc_kind kind, struct why *why)
{
	return lstm_open_step(out, inputs, hidden, gates, QUANT_MAX / QUANT_Z_CLIP, kind, why);
}

void lstm_close(struct lstm *l)
{
	if (!l)
		return;
	fc_close(l->gates);
	free(l->c);
	free(l->h);
	free(l);
}

void lstm_reset(struct lstm *l)
{
	fc_clear(l->gates);
	memset(l->c, 0, l->hidden * sizeof *l->c);
	memset(l->h, 0, l->hidden * sizeof *l->h);
}

const float *lstm_step(struct lstm *l, const float *x)
{
	fc_put(l->gates, 0, x, l->inputs, l->x_inv_step);
	gate_step(l->hidden, fc_run(l->gates), l->c, l->h);
	fc_put(l->gates, l->inputs, l->h, l->hidden, QUANT_MAX);
	return l->h;
}

const float *lstm_state(const struct lstm *l)
{
	return l->h;
}
