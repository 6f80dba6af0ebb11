// SPDX-License-Identifier: MIT
/*
 * window_band: the energy in a band of frequencies, by a real FFT. A Hann window keeps a strong
 * line next to the band from leaking into it: its sidelobes fall with the third power of the
 * distance. The scale is Welch's, one over n times the sum of the window's squares,
 * so that the energies of all bands add up to the variance, weighted by these squares.
 */
#include "agent/window_impl.h"

#include <kissfft/kiss_fftr.h>
#include <math.h>

#define ALIGN 64

struct band {
	unsigned n;
	double scale;
	float *hann, *in;
	kiss_fft_cpx *out;
	kiss_fftr_cfg fft;
};

static size_t round_up(size_t bytes)
{
	return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static size_t fft_bytes(unsigned n)
{
	size_t bytes = 0;

	kiss_fftr_alloc((int)n, 0, NULL, &bytes);
	return bytes;
}

size_t band_bytes(unsigned n)
{
	return round_up(sizeof(struct band)) + 2 * round_up(n * sizeof(float)) +
	       round_up((n / 2 + 1) * sizeof(kiss_fft_cpx)) + round_up(fft_bytes(n));
}

struct band *band_init(void *memory, unsigned n)
{
	struct band *b = memory;
	char *at = (char *)memory + round_up(sizeof *b);
	size_t bytes = fft_bytes(n);
	double squares = 0;

	b->n = n;
	b->hann = (float *)at;
	at += round_up(n * sizeof *b->hann);
	b->in = (float *)at;
	at += round_up(n * sizeof *b->in);
	b->out = (kiss_fft_cpx *)at;
	at += round_up((n / 2 + 1) * sizeof *b->out);
	b->fft = kiss_fftr_alloc((int)n, 0, at, &bytes);
	for (unsigned i = 0; i < n; i++) {
		b->hann[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * i / n));
		squares += (double)b->hann[i] * b->hann[i];
	}
	b->scale = 1 / (n * squares);
	/* The library's code is in memory from here on. */
	kiss_fftr(b->fft, b->in, b->out);
	return b;
}

float *band_input(struct band *b)
{
	return b->in;
}

/* How much of bin k and of its mirror image lies between the bins lo and hi, lo >= 0. */
static double share(unsigned k, unsigned half, double lo, double hi)
{
	double begin = k - 0.5, end = k < half ? k + 0.5 : half;

	return 2 * (fmin(end, hi) - fmax(begin, lo));
}

double band_energy(struct band *b, double rate_hz, double lo_hz, double hi_hz)
{
	double bin_hz = rate_hz / b->n, lo = lo_hz / bin_hz, hi = hi_hz / bin_hz, sum = 0;
	unsigned half = b->n / 2, first, last;

	if (!(lo < half))
		return NAN;
	for (unsigned i = 0; i < b->n; i++)
		b->in[i] *= b->hann[i];
	kiss_fftr(b->fft, b->in, b->out);
	first = (unsigned)(lo + 0.5);
	last = hi < half ? (unsigned)(hi + 0.5) : half;
	for (unsigned k = first; k <= last; k++)
		sum += share(k, half, lo, hi) * ((double)b->out[k].r * b->out[k].r +
						 (double)b->out[k].i * b->out[k].i);
	return sum * b->scale;
}
