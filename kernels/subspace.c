// SPDX-License-Identifier: MIT
/*
 * subspace: see subspace.h. The window is kept twice: as the operator wants it, and as it
 * was, because the error is taken from the latter.
 */
#include "kernels/subspace.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/quant.h"
#include "kernels/why.h"

struct subspace {
	struct subspace_spec spec;
	unsigned n;
	float z_inv_step;
	struct fc *encode, *decode;
	float *window;		/* [lags][N] newest first */
	const float *code;	/* encode's output */
};

static int check(const struct subspace_spec *p, unsigned n, struct why *why)
{
	uint64_t cells = (uint64_t)p->lags * n;

	if (!p->lags || !p->rank || p->rank > cells)
		return why_set(why, -EINVAL, "subspace: rank %u of %u rows", p->rank, p->lags);
	if (p->encode.in != cells || p->encode.out != p->rank || p->decode.in != p->rank ||
	    p->decode.out != cells)
		return why_set(why, -EINVAL, "subspace: operators do not fit %u x %" PRIu64,
			       p->rank, cells);
	if (!p->inv_sigma || !(p->code_clip > 0))
		return why_set(why, -EINVAL, "subspace: a number is missing");
	return 0;
}

int subspace_open(struct subspace **out, const struct subspace_spec *spec, unsigned n,
		  float z_inv_step, enum fc_kind kind, struct why *why)
{
	struct subspace *s;
	int err;

	*out = NULL;
	err = check(spec, n, why);
	if (err)
		return err;
	s = calloc(1, sizeof *s);
	if (!s)
		return why_set(why, -ENOMEM, "out of memory");
	s->spec = *spec;
	s->n = n;
	s->z_inv_step = z_inv_step;
	s->window = calloc((size_t)spec->lags * n, sizeof *s->window);
	err = s->window ? 0 : why_set(why, -ENOMEM, "out of memory");
	if (!err) {
		err = fc_open(&s->encode, &spec->encode, kind, why);
		why_in(why, err, "subspace.encode");
	}
	if (!err) {
		err = fc_open(&s->decode, &spec->decode, kind, why);
		why_in(why, err, "subspace.decode");
	}
	if (err) {
		subspace_close(s);
		return err;
	}
	subspace_reset(s);
	*out = s;
	return 0;
}

void subspace_close(struct subspace *s)
{
	if (!s)
		return;
	fc_close(s->encode);
	fc_close(s->decode);
	free(s->window);
	free(s);
}

void subspace_reset(struct subspace *s)
{
	memset(s->window, 0, (size_t)s->spec.lags * s->n * sizeof *s->window);
	fc_clear(s->encode);
	fc_clear(s->decode);
}

void subspace_hold(struct subspace *s, unsigned i, float v)
{
	for (unsigned lag = 0; lag < s->spec.lags; lag++) {
		s->window[lag * s->n + i] = v;
		fc_put(s->encode, lag * s->n + i, &v, 1, s->z_inv_step);
	}
}

void subspace_step(struct subspace *s, const float *u, float most, float *size)
{
	const struct subspace_spec *p = &s->spec;
	unsigned n = s->n;
	float scale = 1 / (float)p->lags;
	const float *told;

	memmove(s->window + n, s->window, (size_t)(p->lags - 1) * n * sizeof *s->window);
	memcpy(s->window, u, n * sizeof *u);
	fc_shift(s->encode, n);
	fc_put(s->encode, 0, u, n, s->z_inv_step);
	s->code = fc_run(s->encode);
	fc_put(s->decode, 0, s->code, p->rank, QUANT_MAX / p->code_clip);
	told = fc_run(s->decode);
	memset(size, 0, n * sizeof *size);
	for (unsigned lag = 0; lag < p->lags; lag++) {
		const float *row = s->window + (size_t)lag * n;
		const float *again = told + (size_t)lag * n;
		const float *inv_sigma = p->inv_sigma + (size_t)lag * n;

		for (unsigned i = 0; i < n; i++) {
			float e = fabsf(row[i] - again[i]) * inv_sigma[i];

			e = e < most ? e : most;
			size[i] += e * e;
		}
	}
	for (unsigned i = 0; i < n; i++)
		size[i] = sqrtf(size[i] * scale);
}

const float *subspace_code(const struct subspace *s)
{
	return s->code;
}
