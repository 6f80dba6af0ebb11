/* SPDX-License-Identifier: MIT */
/*
 * adam: Adam (Kingma & Ba 2015) with the gradient's norm clipped first and the
 * weight decay kept apart from the moments (Loshchilov & Hutter 2019). An update is a
 * decision for the whole vector (adam_begin) and then work that may be cut anywhere
 * (adam_range), by any threads, with the same bits.
 */
#ifndef SONDE_TRAIN_ADAM_H
#define SONDE_TRAIN_ADAM_H

#include <stddef.h>

struct adam {
	size_t count;
	float *m, *v;		/* [count] each; first and second moment */
	unsigned step;
	float decay;		/* of the weights, per unit of rate */
	float clip;		/* largest norm of a gradient that is believed */
};

/* -ENOMEM. adam_close accepts one that was zeroed and never opened. */
int adam_open(struct adam *a, size_t count, float decay, float clip);
void adam_close(struct adam *a);

/* What every range of one update has to know. */
struct adam_update {
	float scale;		/* of the gradient, by its norm */
	float rate, m_fix, v_fix;
};

/* Square of the norm of v[count]; add ranges' in one order. */
double adam_square(const float *v, size_t count);
struct adam_update adam_begin(struct adam *a, double square, float rate);
/* Parameters [from, from + count) of the whole vectors param and grad. */
void adam_range(struct adam *a, const struct adam_update *u, float *param, const float *grad,
		size_t from, size_t count);

/* One update of param[count] against grad[count]. */
void adam_step(struct adam *a, float *param, const float *grad, float rate);

#endif
