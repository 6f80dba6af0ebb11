/* SPDX-License-Identifier: MIT */
/*
 * covariance: how what the forecast leaves of one channel goes with what it leaves of another.
 * A strong pair is something that the channels have in common and the model does not foresee.
 */
#ifndef SONDE_TRAIN_COVARIANCE_H
#define SONDE_TRAIN_COVARIANCE_H

struct detector_spec;
struct why;

#define COVARIANCE_PAIRS 10u
#define COVARIANCE_CHANNELS_MAX 1024u	/* beyond, nobody waits for the products: -EOPNOTSUPP */

struct covariance {
	unsigned channels, rows;	/* rows that the detector was ready on */
	float *deviation;		/* [N] of what is left, in deviations of the channel */
	float *correlation;		/* [N][N]; 0 with a channel that leaves nothing */
	struct covariance_pair {
		unsigned a, b;		/* a < b */
		float correlation;
	} pair[COVARIANCE_PAIRS];	/* the strongest, of either sign, first */
	unsigned pairs;
};

/*
 * What the forecast of `spec`, linear and with its net where there is one, leaves of x[rows][N]
 * (channel units, NaN: missing). Where a channel is missing, its pairs are measured on the other
 * rows. -EOPNOTSUPP, -ENOMEM; as detector_open.
 * Result, also a failed one: covariance_free.
 */
int covariance_open(struct covariance *out, const struct detector_spec *spec, const float *x,
		    unsigned rows, struct why *why);
void covariance_free(struct covariance *c);

#endif
