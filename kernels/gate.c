// SPDX-License-Identifier: MIT
/*
 * gate: tanh as one odd rational function, sigmoid(x) = (1 + tanh(x / 2)) / 2.
 *
 * tanh(x) ~ x P(x^2) / Q(x^2) with P and Q of degree 4 and constant terms 1 (so that
 * small values pass unchanged), fitted by iteratively reweighted least squares to the
 * smallest largest error on [0, 9]: 2e-8, which float rounding hides. Beyond 9, where
 * tanh is 1 to within half a unit, the argument is held. Comparisons are written
 * so that a NaN comes out of them as a NaN.
 */
#include "kernels/gate.h"

#include "kernels/clones.h"

#define TANH_END 9.0f

static inline __attribute__((always_inline)) float hold(float x, float limit)
{
	x = x > limit ? limit : x;
	return x < -limit ? -limit : x;
}

static inline __attribute__((always_inline)) float tanh_of(float x)
{
	float u, p, q;

	x = hold(x, TANH_END);
	u = x * x;
	p = ((1.33410914e-8f * u + 2.059827e-5f) * u + 3.49489121e-3f) * u + 0.133804294f;
	q = ((7.77069866e-7f * u + 3.28452179e-4f) * u + 2.58742974e-2f) * u + 0.467137469f;
	p = p * u + 1.0f;
	q = q * u + 1.0f;
	return hold(x * p / q, 1.0f);
}

static inline __attribute__((always_inline)) float sigmoid_of(float x)
{
	return 0.5f + 0.5f * tanh_of(0.5f * x);
}

float gate_tanh(float x)
{
	return tanh_of(x);
}

float gate_sigmoid(float x)
{
	return sigmoid_of(x);
}

CLONES
void gate_sigmoid_n(unsigned n, float *v)
{
	for (unsigned i = 0; i < n; i++)
		v[i] = sigmoid_of(v[i]);
}

CLONES
void gate_tanh_n(unsigned n, float *v)
{
	for (unsigned i = 0; i < n; i++)
		v[i] = tanh_of(v[i]);
}

CLONES
void gate_step(unsigned hidden, const float *restrict pre, float *restrict c, float *restrict h)
{
	const float *in = pre, *forget = pre + hidden;
	const float *cell = pre + 2 * (unsigned long)hidden, *out = pre + 3 * (unsigned long)hidden;

	for (unsigned u = 0; u < hidden; u++) {
		float next = sigmoid_of(forget[u]) * c[u] + sigmoid_of(in[u]) * tanh_of(cell[u]);

		c[u] = next;
		h[u] = sigmoid_of(out[u]) * tanh_of(next);
	}
}
