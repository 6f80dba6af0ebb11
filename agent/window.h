/* SPDX-License-Identifier: MIT */
/*
 * window: what a channel that is faster than the tick becomes at each tick: a feature
 * of its last samples. Moments come from sums over the window; band energies
 * from a Hann-windowed real FFT of it (kissfft, its memory allocated at open), in
 * unit^2, Parseval-scaled: the band 0 to half the sample rate gives the variance.
 *
 * A sample costs a store. All else is done when the value is asked for, over the whole
 * window: sums that are carried along from sample to sample drift, and one sample too large
 * for them would never leave them.
 */
#ifndef SONDE_WINDOW_H
#define SONDE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct why;
struct window;

enum feature {
	FEATURE_LAST = 0,	/* no window */
	FEATURE_MEAN, FEATURE_MIN, FEATURE_MAX, FEATURE_RMS, FEATURE_PEAK_TO_PEAK,
	FEATURE_KURTOSIS,	/* excess, of the window itself; 0: a Gaussian, or a constant */
	FEATURE_BAND,		/* energy between lo_hz and hi_hz */
};

struct feature_config {
	uint8_t kind;			/* enum feature */
	float lo_hz, hi_hz;		/* FEATURE_BAND */
	unsigned samples;		/* window length; FEATURE_BAND: a power of two, 8 or more */
};

#define WINDOW_SAMPLES_DEFAULT 256
#define WINDOW_SAMPLES_MAX 4096

/*
 * A feature as a configuration names it: last, mean, min, max, rms, p2p, kurtosis, or a
 * band, "10-25Hz" or "0.5-2kHz". name (size bytes) gets what is appended to the channel's name,
 * behind a dot. c->samples stays as it is, or becomes the default where it is 0. -EINVAL with
 * the reason; *c is then untouched.
 */
int feature_parse(struct feature_config *c, const char *text, char *name, unsigned size,
		  struct why *why);

/* Main: all memory is allocated, locked and touched here. -EINVAL: FEATURE_LAST, a bad length. */
int window_open(struct window **out, const struct feature_config *c, struct why *why);
void window_close(struct window *w);

/*
 * Pipeline: a sample, a finite one. A gap (t_ns 16 or more mean intervals after the last) empties
 * the window, and so does time that runs backwards. Samples that came together may have one
 * time; the intervals are those between different times.
 */
void window_put(struct window *w, float v, uint64_t t_ns);
void window_reset(struct window *w);

/*
 * Pipeline: the feature now; false until the window is full, and where the feature is no finite
 * number. The sample rate for the bands is measured from the samples' times; of a band the part
 * below half of it counts, and one that begins above has no value.
 */
bool window_value(struct window *w, float *value);

#endif
