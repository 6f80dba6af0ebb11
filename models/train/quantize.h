/* SPDX-License-Identifier: MIT */
/*
 * quantize: post-training int8 of a float model. Weights are symmetric, one scale an output
 * row. Static: the steps of the inputs are fixed and folded in, so that the operators see zero
 * point 0 and scale 1. Dynamic: each row is quantised at its own step when it comes.
 */
#ifndef SONDE_TRAIN_QUANTIZE_H
#define SONDE_TRAIN_QUANTIZE_H

#include <stdbool.h>

#include "kernels/fc.h"
#include "models/train/calibrate.h"

struct draft;
struct model;
struct why;

#define QUANTIZE_LAYERS 8

/* Where u and the components of the subspace are clipped in a static model. */
enum quantize_range {
	QUANTIZE_FIXED,		/* as the float model has it */
	QUANTIZE_MINMAX,	/* at the largest of the last ACTIVITY_ROWS_MAX rows */
	QUANTIZE_PERCENTILE	/* at a percentile of the sizes of the same */
};

struct quantize_options {
	bool dynamic;
	enum quantize_range range;
	double percentile;	/* 50 to 100 */
};

struct quantize_report {
	struct {
		const char *name;	/* "linear", "gates", "subspace.encode" ... */
		unsigned in, out, bytes;
		double snr_db;		/* of the layer's outputs over the rows seen */
		double worst_db;	/* of its worst output row */
	} layer[QUANTIZE_LAYERS];
	unsigned layers;
	float z_clip, code_clip;
	unsigned rows;			/* that float and int8 were compared on */
	double correlation;		/* of the two scores */
	double mean_difference, max_difference;	/* of the scores, medians */
	double agreement;		/* share of rows on the same side of the point limit */
};

/*
 * d->m becomes the int8 form of m, which must be float and outlive it. What is
 * usual and how rare, it takes from m: those were measured on rows that m's operators were
 * made without, which a second look at the same recording could not do. rec: what to see the
 * operators' inputs on; NULL: m's self-test rows.
 */
int quantize_model(struct draft *d, const struct model *m, const struct recording *rec,
		   const struct quantize_options *o, struct quantize_report *report,
		   struct why *why);

/*
 * One layer: in[] is the mean square of each input column, by which the clipping of
 * each row is chosen (largest weight, or less where that leaves a smaller error).
 * step[in]: what one integer of the column stands for; all 1 of a dynamic one. -ENOMEM.
 */
int quantize_layer(struct draft *d, struct fc_spec *out, const struct fc_spec *f,
		   const float *step, const double *variance);

#endif
