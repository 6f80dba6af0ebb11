/* SPDX-License-Identifier: MIT */
/*
 * quantize: static post-training int8 of a float model. Weights symmetric, one
 * scale an output row, the steps of the inputs folded in (x: QUANT_Z_CLIP / 127,
 * h: 1 / 127), so that the operators see zero point 0 and scale 1.
 */
#ifndef SONDE_TRAIN_QUANTIZE_H
#define SONDE_TRAIN_QUANTIZE_H

#include "kernels/fc.h"
#include "models/train/calibrate.h"

struct draft;
struct model;
struct why;

#define QUANTIZE_LAYERS 3

struct quantize_report {
	struct {
		const char *name;	/* "linear", "gates", "head" */
		unsigned in, out;
		double snr_db;		/* of the layer's outputs over the rows seen */
		double worst_db;	/* of its worst output row */
	} layer[QUANTIZE_LAYERS];
	unsigned layers;
	unsigned rows;			/* that float and int8 were compared on */
	double correlation;		/* of the two scores */
	double mean_difference, max_difference;	/* nats */
};

/*
 * d->m becomes the int8 form of m, which must be float and outlive it. With rec the
 * whitening, tails, departures and self-test are measured again on it with the
 * int8 operators; NULL keeps the float model's, and its self-test rows serve instead.
 */
int quantize_model(struct draft *d, const struct model *m, const struct recording *rec,
		   struct quantize_report *report, struct why *why);

/*
 * One layer: in[] is the variance of each input column, by which the clipping of
 * each row is chosen (largest weight, or less where that leaves a smaller error).
 * step[in]: what one integer of the column stands for. -ENOMEM.
 */
int quantize_layer(struct draft *d, struct fc_spec *out, const struct fc_spec *f,
		   const float *step, const double *variance);

#endif
