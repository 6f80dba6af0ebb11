/* SPDX-License-Identifier: MIT */
/*
 * window_impl: what window.c has the spectrum of. window_band.c is the one file that sees kissfft;
 * it takes its memory from the window's.
 */
#ifndef SONDE_WINDOW_IMPL_H
#define SONDE_WINDOW_IMPL_H

#include <stddef.h>

struct band;

/* Bytes that a spectrum of n samples needs, n a power of two, 8 at least. */
size_t band_bytes(unsigned n);

/* Make it in zeroed memory of that size, aligned to 64 bytes; nothing has to be undone. */
struct band *band_init(void *memory, unsigned n);

/* Where the next n samples go, without their mean. */
float *band_input(struct band *b);

/*
 * The energy of the input between lo_hz and hi_hz, sampled at rate_hz. NAN: the band begins above
 * half the rate. A bin stands for the frequencies half-way to its neighbours and counts as far as
 * these lie in the band, so that the value does not jump with a rate that is measured.
 */
double band_energy(struct band *b, double rate_hz, double lo_hz, double hi_hz);

#endif
