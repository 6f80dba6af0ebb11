// SPDX-License-Identifier: MIT
/*
 * adam: see adam.h. The norm is summed in double over the whole parameter
 * vector: one number for all layers, as clipping was meant by Pascanu et al. 2013.
 */
#include "models/train/adam.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/clones.h"

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

/* Eight sums side by side: an order that a vector unit can keep as well. */
CLONES
double adam_square(const float *v, size_t count)
{
	double sum[8] = { 0 };
	size_t i = 0;

	for (; i + 8 <= count; i += 8)
		for (unsigned k = 0; k < 8; k++)
			sum[k] += (double)v[i + k] * v[i + k];
	for (; i < count; i++)
		sum[0] += (double)v[i] * v[i];
	return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

struct adam_update adam_begin(struct adam *a, double square, float rate)
{
	double size = sqrt(square);

	a->step++;
	return (struct adam_update){
		.scale = size > (double)a->clip ? (float)((double)a->clip / size) : 1,
		.rate = rate,
		.m_fix = (float)(1 / (1 - pow(BETA1, a->step))),
		.v_fix = (float)(1 / (1 - pow(BETA2, a->step))),
	};
}

CLONES
static void move(const struct adam_update *u, float decay, float *restrict param,
		 const float *restrict grad, float *restrict m, float *restrict v, size_t count)
{
	struct adam_update k = *u;

	for (size_t i = 0; i < count; i++) {
		float g = grad[i] * k.scale;

		m[i] = BETA1 * m[i] + (1 - BETA1) * g;
		v[i] = BETA2 * v[i] + (1 - BETA2) * g * g;
		param[i] -= k.rate * (m[i] * k.m_fix / (sqrtf(v[i] * k.v_fix) + EPSILON) +
				      decay * param[i]);
	}
}

void adam_range(struct adam *a, const struct adam_update *u, float *param, const float *grad,
		size_t from, size_t count)
{
	move(u, a->decay, param + from, grad + from, a->m + from, a->v + from, count);
}

void adam_step(struct adam *a, float *param, const float *grad, float rate)
{
	struct adam_update u = adam_begin(a, adam_square(grad, a->count), rate);

	adam_range(a, &u, param, grad, 0, a->count);
}
