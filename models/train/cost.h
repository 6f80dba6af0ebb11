/* SPDX-License-Identifier: MIT */
/*
 * cost: what one row costs a detector, operator by operator: how much work of which sort, how
 * many bytes of weights and of state. A target turns work into time by one coefficient for each
 * sort: measured for the machine this runs on, estimated for others. An estimate of a sum, not
 * a measurement of it: profile.h measures.
 */
#ifndef SONDE_TRAIN_COST_H
#define SONDE_TRAIN_COST_H

#include <stdbool.h>
#include <stdint.h>

struct detector_spec;
struct fc_spec;
struct why;

/* In the order in which they are printed. */
enum cost_op {
	COST_LINEAR,		/* the linear forecast */
	COST_ENCODE, COST_DECODE,	/* of the subspace */
	COST_REMAINDER,		/* what the subspace leaves of the window */
	COST_SPREAD, COST_LEFT, COST_CODE,	/* the slow views */
	COST_GATES, COST_GATES2,	/* of the LSTM's layers, or of encoder and decoder */
	COST_CELL,		/* sigmoids, tanh and cell states of all layers */
	COST_HEAD, COST_GRAPH, COST_QUICK,
	COST_REST,		/* everything else: normalisation, smoothing, the sum of views */
	COST_OPS
};

/* What a machine is slow or fast at. */
enum cost_work {
	COST_MAC_INT8,		/* multiply-adds of a dense int8 operator */
	COST_MAC_F32,		/* of a float one */
	COST_UNIT,		/* hidden units' cells: five sigmoids or tanhs each */
	COST_LOG,		/* logarithms of the slow views */
	COST_ELEMENT,		/* a few additions and comparisons on a number, in a vector loop */
	COST_BRANCH,		/* the same a channel at a time, with decisions in it */
	COST_RUN,		/* operators fed and begun, loops begun */
	COST_WORKS
};

/* Of one row; all zero: the model does not have it. */
struct cost_part {
	double runs;
	double work[COST_WORKS];
	uint64_t weight_bytes;	/* as in the file: weights, scales and biases */
	uint64_t state_bytes;	/* what it keeps or writes while running */
};

struct cost {
	struct cost_part part[COST_OPS];
};

struct cost_target {
	const char *name, *title;
	bool measured;
	double ns[COST_WORKS];
};

/* "linear", "subspace.encode" ... "everything else". */
const char *cost_name(enum cost_op op);

/* s must have passed detector_open's checks. Without early exit: a row that runs everything. */
void cost_of(struct cost *out, const struct detector_spec *s);

double cost_mul_adds(const struct cost_part *p);
double cost_ns(const struct cost_part *p, const struct cost_target *t);
/* Of all parts. */
struct cost_part cost_sum(const struct cost *c);

/*
 * Bytes that a detector with this model takes at run time: the file (mapped), the weights again
 * in the order that the kernels want, and what it keeps.
 */
uint64_t cost_ram(const struct cost *c, uint64_t file_bytes);

/* cost_target.c: "pi3", "pi4", "pi5"; NULL: no such name. */
const struct cost_target *cost_target(const char *name);
/* The machine this runs on, in a tenth of a second. -ENOMEM; as fc_open. */
int cost_measure(struct cost_target *out, struct why *why);

#endif
