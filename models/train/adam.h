/* SPDX-License-Identifier: MIT */
/*
 * adam: Adam (Kingma & Ba 2015) with the gradient's norm clipped first and the
 * weight decay kept apart from the moments (Loshchilov & Hutter 2019).
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

/* One update of param[count] against grad[count], which is scaled in place when clipped. */
void adam_step(struct adam *a, float *param, float *grad, float rate);

#endif
