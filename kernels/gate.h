/* SPDX-License-Identifier: MIT */
/*
 * gate: the element-wise half of an LSTM step (Hochreiter & Schmidhuber 1997,
 * gates in PyTorch's order i, f, g, o).
 *
 * sigmoid and tanh are rational approximations of our own: libm's and XNNPACK's
 * differ from CPU to CPU, and a replayed alarm must give the same bits. Only
 * add, multiply, divide, min and max are used; -ffp-contract=off does the rest.
 */
#ifndef SONDE_GATE_H
#define SONDE_GATE_H

/*
 * pre[4 * hidden] holds the pre-activations, gate-major: all i, all f, all g,
 * all o. c[hidden] is updated, h[hidden] written:
 *	c = sigmoid(f) * c + sigmoid(i) * tanh(g);  h = sigmoid(o) * tanh(c)
 * NaN in gives NaN out in that unit alone.
 */
void gate_step(unsigned hidden, const float *pre, float *c, float *h);

/* The scalars behind it; absolute error against libm below 1e-6 everywhere. */
float gate_sigmoid(float x);
float gate_tanh(float x);

/* The same of n values in place, with the same bits. */
void gate_sigmoid_n(unsigned n, float *v);
void gate_tanh_n(unsigned n, float *v);

#endif
