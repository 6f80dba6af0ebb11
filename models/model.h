/* SPDX-License-Identifier: MIT */
/*
 * model: a detector as a file. Layout to the byte in models/FORMAT.md
 * (safetensors with our metadata); float and int8 models share it and differ
 * only in the dtype of the weights.
 */
#ifndef SONDE_MODEL_H
#define SONDE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/detector.h"

#define MODEL_NAME_MAX 32	/* channel and model names, with the NUL */
#define MODEL_UNIT_MAX 12

/* What a file may ask for; models/FORMAT.md says why. */
#define MODEL_CHANNELS_MAX 4096
#define MODEL_HIDDEN_MAX 4096
#define MODEL_COLUMNS_MAX 65536	/* of an operator, as kernels/fc.c has it; sums fit an int32 */
#define MODEL_TEST_ROWS_MAX 4096
#define MODEL_TEST_COST_MAX 2000000000u	/* of a self-test: a second of a small board */
#define MODEL_FILE_MAX (64u << 20)

struct model_channel {
	char name[MODEL_NAME_MAX];
	char unit[MODEL_UNIT_MAX];
};

struct model {
	char name[MODEL_NAME_MAX];
	double rate_hz;			/* ticks a second it was trained at */
	struct model_channel *channel;	/* [spec.channels] */
	bool dynamic;			/* int8: operators take the step of each row's own input */
	struct detector_spec spec;	/* points into memory, below, or at what outlives this */
	struct tail tail;		/* of the combined score, on held-out rows */
	float point_limit;		/* departure above which a single row counts, for eval */
	const float *departure;		/* [N] part of the score from which on a channel departs */

	/* Provenance, for `sonde model show`. */
	char created[32];		/* RFC 3339, UTC */
	char data_sha256[65];		/* of the training file */
	uint64_t rows, seed;
	float loss_linear, loss_net;	/* held-out mean square, whitened; net <= linear */

	/* Self-test: rows and the scores they must give, bit for bit. */
	unsigned test_rows;
	const float *test_x;		/* [test_rows][N] */
	const float *test_score;	/* [test_rows] */
	unsigned test_online;		/* expanded: spec.online of the self-test; 0: as it is */

	/* What model_free gives back: pages of this size, or, size 0, a malloc. */
	void *memory;
	size_t memory_size;
	void *expanded;			/* a malloc: what models/expand.h made; NULL: nothing */
};

/*
 * Read and check a file: every offset, shape, dtype and number before first use.
 * Errors: -errno of the open; -EINVAL with the reason. Result: model_free.
 */
int model_load(struct model **out, const char *path, struct why *why);

/* The same of a file's bytes, which must outlive the model; label is their name in reasons. */
int model_parse(struct model **out, const void *data, size_t len, const char *label,
		struct why *why);
void model_free(struct model *m);

/*
 * Write m to path: to a temporary beside it, fsync, rename. Never half-written.
 */
int model_save(const struct model *m, const char *path, struct why *why);

/*
 * Open a detector on m and run the self-test rows through it. -EBADMSG when the
 * bits differ (a machine whose library rounds differently): the caller then
 * tries the next kind, FC_REF last. The detector comes back reset.
 */
int model_detector(struct detector **out, const struct model *m,
		   enum fc_kind kind, struct why *why);

/*
 * The same, best kind first, down to FC_REF. *kind tells which it became (may be NULL).
 */
int model_detector_best(struct detector **out, const struct model *m,
			enum fc_kind *kind, struct why *why);

/* Most rows that a self-test of s, whose operators have their shapes, may have; 0: not even one. */
unsigned model_test_rows(const struct detector_spec *s);

/* "int8" or "float32". */
const char *model_precision(const struct model *m);

#endif
