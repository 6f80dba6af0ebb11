// SPDX-License-Identifier: MIT
/*
 * fuzz: any bytes as a model file. What is accepted must also run: its detector
 * is opened on the plain C operators, the self-test may differ, and steps over rows
 * with everything a sensor could deliver in them; what it says of them must be finite.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_finite(const struct detector_result *r, unsigned channels)
{
	if (!(r->score >= 0) || isinf(r->score))
		abort();
	for (unsigned i = 0; i < channels; i++)
		if (!isfinite(r->contribution[i]) || !isfinite(r->prediction[i]) ||
		    !isfinite(r->u[i]))
			abort();
}

#define ROWS 80

static void step(const struct model *m)
{
	static const float values[] = { 0, 1, 5, -1e30f, 0.5f, NAN, 4, INFINITY, 3.4e38f, 1e-42f };
	unsigned n = m->spec.channels;
	uint8_t *valid = malloc(n);
	float *x = malloc(n * sizeof *x);
	struct detector_result r;
	struct detector *d;
	struct why why;

	if (valid && x && !detector_open(&d, &m->spec, FC_REF, &why)) {
		for (unsigned row = 0; row < 80; row++) {
			for (unsigned i = 0; i < n; i++) {
				x[i] = values[(row * 3 + i) % (sizeof values / sizeof *values)];
				valid[i] = (row + i) % 5 != 0;
			}
			detector_step(d, x, valid, &r);
			check_finite(&r, n);
		}
		detector_close(d);
	}
	free(valid);
	free(x);
	if (!model_detector(&d, m, FC_REF, &why))
		detector_close(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model *m;
	struct why why;

	if (model_parse(&m, data, size, "fuzz", &why))
		return 0;
	step(m);
	model_free(m);
	return 0;
}
