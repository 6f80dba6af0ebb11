// SPDX-License-Identifier: MIT
/*
 * adam: see adam.h. The norm is summed in double over the whole parameter
 * vector: one number for all layers, as clipping was meant by Pascanu et al. 2013.
 */
#include "models/train/adam.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define BETA1 0.9f
#define BETA2 0.999f
#define EPSILON 1e-8f

int adam_open(struct adam *a, size_t count, float decay, float clip)
{
	*a = (struct adam){ .count = count, .decay = decay, .clip = clip };
	a->m = calloc(count, sizeof(*a->m));
	a->v = calloc(count, sizeof(*a->v));
	if (!a->m || !a->v) {
		adam_close(a);
		return -ENOMEM;
	}
	return 0;
}

void adam_close(struct adam *a)
{
	free(a->m);
	free(a->v);
	a->m = a->v = NULL;
}

static float norm(const float *v, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)v[i] * v[i];
	return (float)sqrt(sum);
}

void adam_step(struct adam *a, float *param, float *grad, float rate)
{
	float size = norm(grad, a->count);
	float scale = size > a->clip ? a->clip / size : 1;
	float m_fix, v_fix;

	a->step++;
	m_fix = (float)(1 / (1 - pow(BETA1, a->step)));
	v_fix = (float)(1 / (1 - pow(BETA2, a->step)));
	for (size_t i = 0; i < a->count; i++) {
		float g = grad[i] *= scale;

		a->m[i] = BETA1 * a->m[i] + (1 - BETA1) * g;
		a->v[i] = BETA2 * a->v[i] + (1 - BETA2) * g * g;
		param[i] -= rate * (a->m[i] * m_fix / (sqrtf(a->v[i] * v_fix) + EPSILON) +
				    a->decay * param[i]);
	}
}
