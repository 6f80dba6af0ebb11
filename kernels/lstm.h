/* SPDX-License-Identifier: MIT */
/*
 * lstm: one streaming step of one LSTM layer.
 *
 * One fully connected over the concatenated [x, h] gives the 4 * hidden gate
 * pre-activations; gate_step does the rest. x enters at the step
 * QUANT_Z_CLIP / 127, h at 1 / 127; the cell state stays f32.
 */
#ifndef SONDE_LSTM_H
#define SONDE_LSTM_H

#include "kernels/fc.h"

struct lstm;

/* gates: out = 4 * hidden, in = inputs + hidden, columns [x | h]. */
int lstm_open(struct lstm **out, unsigned inputs, unsigned hidden,
	      const struct fc_spec *gates, enum fc_kind kind, struct why *why);
void lstm_close(struct lstm *l);
void lstm_reset(struct lstm *l);

/* x[inputs], normalised (deviations). Returns h[hidden], f32, owned by l. */
const float *lstm_step(struct lstm *l, const float *x);

#endif
