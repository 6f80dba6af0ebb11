/* SPDX-License-Identifier: MIT */
/* sample: rows to run a model on when only its speed matters. */
#ifndef SONDE_TRAIN_SAMPLE_H
#define SONDE_TRAIN_SAMPLE_H

struct model;
struct why;

/*
 * x[*rows][N] in m's channels, of the recording at path, or, path NULL, of m's self-test. The
 * caller frees. -EINVAL: there is neither; as table_read.
 */
int sample_rows(float **x, unsigned *rows, const struct model *m, const char *path,
		struct why *why);

#endif
