// SPDX-License-Identifier: MIT
/*
 * subspace_fit: see subspace_fit.h. Components are divided by their own deviation in encode
 * and multiplied by it in decode, so that one int8 step suits all of them.
 */
#include "models/train/subspace_fit.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/eigen.h"
#include "models/train/gram.h"

#define CHUNK 256u

struct work {
	unsigned cells;
	double *cov, *value, *mean;	/* [D][D] rows: components, [D], [D] */
};

/* The newest lags rows of the windows of g. */
static int covariance(struct work *w, const struct gram *g, unsigned without)
{
	unsigned d = g->cells, n = w->cells;
	double *product = malloc((size_t)d * d * sizeof(*product));
	double *sum = malloc(d * sizeof(*sum)), count;

	if (product && sum) {
		gram_total(g, without, product, sum, &count);
		for (unsigned i = 0; i < n; i++)
			w->mean[i] = sum[i] / count;
		for (unsigned i = 0; i < n; i++)
			for (unsigned j = 0; j < n; j++)
				w->cov[(size_t)i * n + j] = product[(size_t)i * d + j] / count -
							    w->mean[i] * w->mean[j];
	}
	free(product);
	free(sum);
	return product && sum ? 0 : -ENOMEM;
}

static unsigned rank_of(const double *value, unsigned n, const struct subspace_options *o)
{
	double all = 0, sum = 0;
	unsigned k = 0;

	for (unsigned i = 0; i < n; i++)
		all += fmax(value[i], 0);
	while (k < n && value[k] > 1e-9 * all && (o->rank ? k < o->rank : sum < o->share * all))
		sum += value[k++];
	return k;
}

/* code = E (window - mean), told = D code + mean: the means become biases. */
static int operators(struct subspace_spec *out, struct draft *d, const struct work *w)
{
	unsigned cells = w->cells, rank = out->rank;
	float *e = draft_keep(d, (size_t)rank * cells * sizeof(*e));
	float *eb = draft_keep(d, rank * sizeof(*eb));
	float *g = draft_keep(d, (size_t)rank * cells * sizeof(*g));
	float *gb = draft_keep(d, cells * sizeof(*gb));

	if (!e || !eb || !g || !gb)
		return -ENOMEM;
	for (unsigned k = 0; k < rank; k++) {
		const double *v = w->cov + (size_t)k * cells;
		double dev = sqrt(w->value[k]);

		for (unsigned c = 0; c < cells; c++) {
			e[(size_t)k * cells + c] = (float)(v[c] / dev);
			g[(size_t)c * rank + k] = (float)(v[c] * dev);
		}
		eb[k] = (float)(-cblas_ddot((int)cells, v, 1, w->mean, 1) / dev);
	}
	for (unsigned c = 0; c < cells; c++)
		gb[c] = (float)w->mean[c];
	out->encode = (struct fc_spec){ .in = cells, .out = rank, .weight_f32 = e, .bias = eb };
	out->decode = (struct fc_spec){ .in = rank, .out = cells, .weight_f32 = g, .bias = gb };
	return 0;
}

int subspace_fit(struct subspace_spec *out, struct draft *d, const struct gram *g,
		 unsigned without, const struct subspace_options *o, struct why *why)
{
	unsigned cells = g->lags * g->channels;
	struct work w = { .cells = cells };
	int err = -ENOMEM;

	*out = (struct subspace_spec){ .lags = g->lags, .code_clip = o->code_clip };
	w.cov = calloc((size_t)cells * cells, sizeof(double));
	w.value = calloc(cells, sizeof(double));
	w.mean = calloc(cells, sizeof(double));
	if (w.cov && w.value && w.mean)
		err = covariance(&w, g, without);
	if (!err)
		err = eigen_symmetric(w.cov, w.value, cells, cells);
	if (!err) {
		out->rank = rank_of(w.value, cells, o);
		err = out->rank ? operators(out, d, &w) : -EDOM;
	}
	free(w.cov);
	free(w.value);
	free(w.mean);
	return err ? why_set(why, err, err == -EDOM ? "no channel ever moves" :
			     err == -ENOMEM ? "out of memory" : "no eigenvectors") : 0;
}

/* window <- window - (D (E window + eb) + gb), one row a window. */
static void leave(float *window, float *code, const struct subspace_spec *s, unsigned rows)
{
	int cells = (int)s->encode.in, rank = (int)s->rank, m = (int)rows;

	for (int t = 0; t < m; t++)
		memcpy(code + (size_t)t * s->rank, s->encode.bias, s->rank * sizeof(*code));
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, rank, cells, 1, window, cells,
		    s->encode.weight_f32, cells, 1, code, rank);
	for (int t = 0; t < m; t++)
		cblas_saxpy(cells, -1, s->decode.bias, 1, window + (size_t)t * s->encode.in, 1);
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, cells, rank, -1, code, rank,
		    s->decode.weight_f32, rank, 1, window, cells);
}

int subspace_left(double *square, const struct subspace_spec *spec, const struct series *s,
		  unsigned from, unsigned to)
{
	unsigned n = s->channels, cells = spec->encode.in;
	float *window = malloc((size_t)CHUNK * cells * sizeof(*window));
	float *code = malloc((size_t)CHUNK * spec->rank * sizeof(*code));
	int err = window && code ? 0 : -ENOMEM;

	for (; !err && from < to; from += CHUNK) {
		unsigned end = from + CHUNK < to ? from + CHUNK : to;

		for (unsigned t = from; t < end; t++)
			for (unsigned l = 0; l < spec->lags; l++)
				memcpy(window + (size_t)(t - from) * cells + (size_t)l * n,
				       s->input + (size_t)(t - l) * n, n * sizeof(*window));
		leave(window, code, spec, end - from);
		for (size_t k = 0; k < (size_t)(end - from) * cells; k++)
			square[k % cells] += (double)window[k] * window[k];
	}
	free(window);
	free(code);
	return err;
}
