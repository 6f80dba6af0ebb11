/* SPDX-License-Identifier: MIT */
/*
 * lstm: one streaming step of one LSTM layer.
 *
 * One fully connected over the concatenated [x, h] gives the 4 * hidden gate
 * pre-activations; gate_step does the rest. x enters at a step of its own,
 * h at 1 / 127 (a dynamic operator finds one for both); the cell state stays f32.
 *
 * Whatever finite weights and whatever x: |h| <= 1, and c is finite (it grows by at
 * most 1 a step, which a float stops doing at 2^24).
 */
#ifndef SONDE_LSTM_H
#define SONDE_LSTM_H

#include "kernels/fc.h"

struct lstm;

/*
 * gates: out = 4 * hidden, in = inputs + hidden, columns [x | h]. x enters at the step
 * 1 / x_inv_step, as fc_put takes it: of a layer whose input is another's h, 1 / 127.
 * Errors: as fc_open.
 */
int lstm_open_step(struct lstm **out, unsigned inputs, unsigned hidden,
		   const struct fc_spec *gates, float x_inv_step, enum fc_kind kind,
		   struct why *why);

/* The same for x in deviations, clipped at QUANT_Z_CLIP. */
int lstm_open(struct lstm **out, unsigned inputs, unsigned hidden,
	      const struct fc_spec *gates, enum fc_kind kind, struct why *why);
void lstm_close(struct lstm *l);
void lstm_reset(struct lstm *l);

/* x[inputs]. Returns h[hidden], f32, owned by l: lstm_state(l). */
const float *lstm_step(struct lstm *l, const float *x);

/* h as the last step left it, zero after a reset; the same address for l's whole life. */
const float *lstm_state(const struct lstm *l);

#endif
